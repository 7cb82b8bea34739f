"""The password change protocol: requests that a client makes, replies that it can read."""

import struct
from dataclasses import replace
from typing import Any

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.codec.krb5 import (
    ApRep,
    ApReq,
    Authenticator,
    ChangePasswdData,
    EncApRepPart,
    EncKrbPrivPart,
    EncryptedData,
    EncryptionKey,
    HostAddress,
    KrbError,
    KrbPriv,
    PrincipalName,
)
from addc.codes.krb_error import KrbErrorCode as Code
from addc.kdc.kpasswd import (
    KpasswdResult,
    OpenedKpasswd,
    host_address,
    open_kpasswd,
    policy_text,
    reply_to,
    result_data,
)
from addc.security.krb_keys import Key, KeyUsage, decrypt, encrypt
from tests.kit.kdc_realm import (
    ALICE,
    CHANGE_NAME,
    FACTS,
    FILES,
    NOW,
    POLICY,
    REALM,
    TGS_NAME,
    Client,
    SeededRng,
    Ticketed,
    client_name,
    make_key,
)

START = FileTime(NOW - NOW % TICKS_PER_S)
SUBKEY = make_key(18, "subkey")
LOCAL = host_address("192.0.2.1")


@pytest.fixture
def ticket() -> Ticketed:
    return Client().log_on(sname=CHANGE_NAME)


def request(
    got: Ticketed, data: bytes, version: int = 1, *, subkey: Key | None = SUBKEY, **more: Any
) -> bytes:
    """more: changes to the Authenticator, or `timestamp` of the KRB-PRIV."""
    timestamp = more.pop("timestamp", None)
    authenticator = Authenticator(
        crealm=REALM,
        cname=got.cname,
        cusec=5,
        ctime=START,
        seq_number=1,
        subkey=EncryptionKey(int(subkey.etype), subkey.value) if subkey else None,
    )
    authenticator = replace(authenticator, **more)
    session = got.session
    sealed = encrypt(session, KeyUsage.AP_REQ_AUTHENTICATOR, authenticator.pack(), bytes(16))
    ap_req = ApReq(
        ap_options=1 << 29, ticket=got.ticket, authenticator=EncryptedData(etype=18, cipher=sealed)
    ).pack()
    private = EncKrbPrivPart(
        user_data=data, seq_number=1, timestamp=timestamp, usec=None, s_address=HostAddress(2, bytes(4))
    )
    cipher = encrypt(subkey or session, KeyUsage.KRB_PRIV, private.pack(), bytes(16))
    priv = KrbPriv(enc_part=EncryptedData(etype=18, cipher=cipher)).pack()
    return struct.pack(">HHH", 6 + len(ap_req) + len(priv), version, len(ap_req)) + ap_req + priv


def opened(data: bytes) -> OpenedKpasswd:
    found = open_kpasswd(data, FACTS, POLICY, NOW)
    assert isinstance(found, OpenedKpasswd)
    return found


def refusal(data: bytes) -> tuple[Code, KpasswdResult]:
    """Error code and result code of a refused request."""
    reply = open_kpasswd(data, FACTS, POLICY, NOW)
    assert isinstance(reply, bytes)
    size, version, ap_size = struct.unpack_from(">HHH", reply)
    assert (size, version, ap_size) == (len(reply), 1, 0)
    error = KrbError.unpack(reply[6:])
    assert error.e_data is not None
    return Code(error.error_code), KpasswdResult(int.from_bytes(error.e_data[:2], "big"))


def test_a_change_is_of_ones_own_password(ticket: Ticketed) -> None:
    found = opened(request(ticket, "Пароль1".encode()))
    assert found.is_change and found.initial
    assert found.client == ALICE.sid
    assert found.password.reveal().decode() == "Пароль1"
    assert "Пароль1" not in repr(found)


def test_a_set_names_its_target(ticket: Ticketed) -> None:
    target = client_name("bob")
    found = opened(
        request(ticket, ChangePasswdData(newpasswd=b"new", targname=target, targrealm=REALM).pack(), 0xFF80)
    )
    assert not found.is_change
    assert (found.target, found.target_realm) == (target, REALM)


def test_a_set_without_a_target_is_a_change(ticket: Ticketed) -> None:
    assert opened(request(ticket, ChangePasswdData(newpasswd=b"new").pack(), 0xFF80)).is_change


def test_a_ticket_by_a_tgt_is_not_initial() -> None:
    tgt = Client().log_on()
    got = tgt.get(facts=tgt.facts(FACTS.krbtgt), sname=CHANGE_NAME)
    assert not opened(request(got, b"new")).initial


@pytest.mark.parametrize("subkey", [SUBKEY, None])
def test_the_reply_proves_the_service_and_carries_the_result(ticket: Ticketed, subkey: Key | None) -> None:
    found = opened(request(ticket, b"new", subkey=subkey))
    reply = reply_to(found, result_data(KpasswdResult.SUCCESS), LOCAL, NOW, SeededRng())
    size, version, ap_size = struct.unpack_from(">HHH", reply)
    assert (size, version) == (len(reply), 1)
    ap_rep = ApRep.unpack(reply[6 : 6 + ap_size])
    part = EncApRepPart.unpack(decrypt(ticket.session, KeyUsage.AP_REP_ENC_PART, ap_rep.enc_part.cipher))
    assert (part.ctime, part.cusec) == (START, 5)
    priv = KrbPriv.unpack(reply[6 + ap_size :])
    key = subkey or ticket.session
    private = EncKrbPrivPart.unpack(decrypt(key, KeyUsage.KRB_PRIV, priv.enc_part.cipher))
    assert private.user_data == b"\0\0"
    assert private.seq_number == part.seq_number
    assert private.timestamp is None
    assert private.s_address == HostAddress(2, bytes((192, 0, 2, 1)))


def test_a_timed_request_gets_a_timed_reply(ticket: Ticketed) -> None:
    found = opened(request(ticket, b"new", timestamp=START))
    reply = reply_to(found, result_data(KpasswdResult.SUCCESS), LOCAL, NOW, SeededRng())
    priv = KrbPriv.unpack(reply[6 + struct.unpack_from(">H", reply, 4)[0] :])
    private = EncKrbPrivPart.unpack(decrypt(SUBKEY, KeyUsage.KRB_PRIV, priv.enc_part.cipher))
    assert (private.timestamp, private.usec) == (START, 123_456)


def test_result_strings() -> None:
    assert result_data(KpasswdResult.HARDERROR, "é") == b"\0\2\xc3\xa9"
    blob = result_data(KpasswdResult.SOFTERROR, policy_text(7, 24, 1, 36288000000000, 864000000000))
    assert blob.hex() == "0004000000000007000000180000000100002100f5598000000000c92a69c000"
    assert len(blob) == 32


@pytest.mark.parametrize(
    ("text", "kind", "size"),
    [("::1", 24, 16), ("::ffff:192.0.2.1", 2, 4), ("fe80::1%eth0", 24, 16), ("x", 2, 4)],
)
def test_addresses(text: str, kind: int, size: int) -> None:
    address = host_address(text)
    assert (address.addr_type, len(address.address)) == (kind, size)


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\0\0\0", struct.pack(">HHH", 7, 1, 0), struct.pack(">HHH", 6, 1, 9)])
def test_lengths_that_disagree_are_malformed(data: bytes) -> None:
    assert refusal(data) == (Code.KRB_ERR_GENERIC, KpasswdResult.MALFORMED)


def test_junk_inside_is_malformed(ticket: Ticketed) -> None:
    junk = struct.pack(">HHH", 10, 1, 2) + b"junk"
    assert refusal(junk) == (Code.KRB_ERR_GENERIC, KpasswdResult.MALFORMED)
    assert refusal(request(ticket, b"junk", 0xFF80)) == (Code.KRB_ERR_GENERIC, KpasswdResult.MALFORMED)
    half = ChangePasswdData(newpasswd=b"new", targname=client_name("bob")).pack()
    assert refusal(request(ticket, half, 0xFF80)) == (Code.KRB_ERR_GENERIC, KpasswdResult.MALFORMED)


def test_other_versions(ticket: Ticketed) -> None:
    assert refusal(request(ticket, b"new", 2)) == (Code.KRB_AP_ERR_BADVERSION, KpasswdResult.BAD_VERSION)


def test_a_tgt_is_no_ticket_for_changing_passwords() -> None:
    tgt = Client().log_on()
    assert refusal(request(tgt, b"new")) == (Code.KRB_AP_ERR_NOT_US, KpasswdResult.AUTHERROR)


def test_a_ticket_of_another_service_does_not_open() -> None:
    tgt = Client().log_on()
    got = tgt.get()
    renamed = replace(got, ticket=replace(got.ticket, sname=CHANGE_NAME))
    assert FILES.has_spn
    assert refusal(request(renamed, b"new")) == (Code.KRB_AP_ERR_MODIFIED, KpasswdResult.AUTHERROR)


def test_a_renamed_tgt_is_told_from_a_ticket_for_changing_passwords() -> None:
    """The name of a ticket is not encrypted: its PAC must be a service's."""
    tgt = Client().log_on()
    renamed = replace(tgt, ticket=replace(tgt.ticket, sname=CHANGE_NAME))
    assert tgt.ticket.sname == TGS_NAME
    assert refusal(request(renamed, b"new")) == (Code.KRB_AP_ERR_NOT_US, KpasswdResult.AUTHERROR)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"cname": PrincipalName(1, ("mallory",))}, Code.KRB_AP_ERR_BADMATCH),
        ({"crealm": "OTHER.COM"}, Code.KRB_AP_ERR_BADMATCH),
        ({"ctime": FileTime(START - 301 * TICKS_PER_S)}, Code.KRB_AP_ERR_SKEW),
        ({"timestamp": FileTime(START - 301 * TICKS_PER_S)}, Code.KRB_AP_ERR_SKEW),
    ],
)
def test_the_authenticator_is_checked(ticket: Ticketed, changed: dict[str, Any], code: Code) -> None:
    assert refusal(request(ticket, b"new", **changed)) == (code, KpasswdResult.AUTHERROR)


def test_a_message_under_another_key_is_refused(ticket: Ticketed) -> None:
    good, other = request(ticket, b"new"), request(ticket, b"new", subkey=make_key(18, "other"))
    ap_size = struct.unpack_from(">H", good, 4)[0]
    mixed = good[: 6 + ap_size] + other[6 + ap_size :]
    assert len(other) == len(good)
    assert refusal(mixed) == (Code.KRB_AP_ERR_MODIFIED, KpasswdResult.AUTHERROR)


def test_an_expired_ticket_is_refused(ticket: Ticketed) -> None:
    late = FileTime(ticket.part.endtime + 301 * TICKS_PER_S)
    reply = open_kpasswd(request(ticket, b"new", ctime=late), FACTS, POLICY, late)
    assert isinstance(reply, bytes)
    assert KrbError.unpack(reply[6:]).error_code == Code.KRB_AP_ERR_TKT_EXPIRED
