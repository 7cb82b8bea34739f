"""Tickets as attackers make them of what they have: renamed, or under weak keys. All are refused."""

from dataclasses import replace

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.codec.krb5 import EncryptionKey, EncTicketPart, PrincipalName
from addc.codec.krb5_numbers import KdcOptions, NameType
from addc.codec.verify_pac import KerbVerifyPacRequest
from addc.codes.krb_error import KrbErrorCode as Code
from addc.codes.ntstatus import NtStatus
from addc.kdc import tickets
from addc.kdc.kpasswd import open_kpasswd
from addc.kdc.pac_validation import verify_pac
from addc.kdc.policy import KdcPolicy
from addc.kdc.s4u_evidence import open_evidence
from addc.kdc.tickets import sealed
from addc.security.krb_keys import Key, KeyUsage, checksum
from tests.kit.fast_client import ArmoredTicket, inner_error, remade
from tests.kit.kdc_realm import (
    CHANGE_NAME,
    FACTS,
    FILES,
    KRBTGT,
    NOW,
    TGS_NAME,
    Client,
    SeededRng,
    Ticketed,
    client_name,
    error_of,
)
from tests.unit.kdc.test_kpasswd import opened as kpasswd_opened
from tests.unit.kdc.test_kpasswd import refusal as kpasswd_refusal
from tests.unit.kdc.test_kpasswd import request as kpasswd_request

TGT_KEY = KRBTGT.keys.current[18]
RC4_KEY = KRBTGT.keys.current[23]
TWO_MINUTES = 120 * TICKS_PER_S
OTHER_NAMES = (
    client_name("krbtgt"),
    client_name("krbtgt@EXAMPLE.COM", name_type=NameType.KRB_NT_ENTERPRISE),
    client_name("krbtgt/EXAMPLE.COM@x", name_type=NameType.KRB_NT_ENTERPRISE),
    client_name("kadmin", "changepw", "x", name_type=NameType.KRB_NT_SRV_INST),
)
"""By which the directory finds the account krbtgt, though they are of no TGT."""


def renamed(got: Ticketed, name: PrincipalName) -> Ticketed:
    """What stands outside of the encryption is anybody's to change."""
    return replace(got, ticket=replace(got.ticket, sname=name))


def resealed(got: Ticketed, key: Key) -> Ticketed:
    """By who knows a key of krbtgt."""
    plain = got.opened(TGT_KEY).pack()
    data = sealed(key, KeyUsage.TICKET, plain, SeededRng("resealed"), KRBTGT.keys.kvno)
    return replace(got, ticket=replace(got.ticket, enc_part=data))


def life(part: EncTicketPart) -> int:
    assert part.starttime is not None
    return part.endtime - part.starttime


@pytest.mark.parametrize("name", OTHER_NAMES, ids=str)
def test_whatever_has_krbtgts_key_and_is_no_tgt_lasts_two_minutes(name: PrincipalName) -> None:
    """CVE-2022-2031: else a first ticket under such a name changes passwords all day long, or is a TGT."""
    tgt = Client().log_on()
    for got in (Client().log_on(sname=name), tgt.get(facts=tgt.facts(KRBTGT), sname=name)):
        assert life(got.opened(TGT_KEY)) == TWO_MINUTES
        as_tgt = renamed(got, TGS_NAME)
        assert as_tgt.send(as_tgt.tgs_req(), as_tgt.facts()).error == Code.KRB_AP_ERR_TKT_EXPIRED


@pytest.mark.parametrize("name", OTHER_NAMES, ids=str)
def test_such_tickets_prove_nobody_even_where_time_does_not_tell(name: PrincipalName) -> None:
    """CVE-2021-42287: they have no PAC_REQUESTOR."""
    got = Client().log_on(sname=name)
    part = replace(got.opened(TGT_KEY), endtime=FileTime(NOW + 3600 * TICKS_PER_S))
    data = sealed(TGT_KEY, KeyUsage.TICKET, part.pack(), SeededRng("longer"), KRBTGT.keys.kvno)
    longer = renamed(replace(got, ticket=replace(got.ticket, enc_part=data)), TGS_NAME)
    assert error_of(longer.send(longer.tgs_req())).error_code == Code.KDC_ERR_TGT_REVOKED


def test_krbtgts_nt_hash_makes_no_ticket_for_changing_passwords() -> None:
    """Nor a TGT (test_ticket_life.py)."""
    got = Client().log_on(sname=CHANGE_NAME)
    assert kpasswd_opened(kpasswd_request(got, b"new"))
    code, _ = kpasswd_refusal(kpasswd_request(resealed(got, RC4_KEY), b"new"))
    assert code == Code.KRB_AP_ERR_BADKEYVER


def test_a_clock_that_may_differ_by_hours_lets_no_old_ticket_change_passwords() -> None:
    """The ticket itself has to be in time, whatever its authenticator says."""
    got = Client().log_on(sname=CHANGE_NAME)
    late = FileTime(NOW + TWO_MINUTES + KdcPolicy().max_clock_skew + TICKS_PER_S)
    assert isinstance(open_kpasswd(kpasswd_request(got, b"new"), FACTS, KdcPolicy(), late), bytes)


def test_an_option_outside_of_the_armor_makes_no_ticket_valid() -> None:
    """RFC 4120 2.2: what is INVALID is good for its validation alone, which has to be asked for inside."""
    got = Client().log_on()
    part = got.opened(TGT_KEY)
    invalid = remade(got, replace(part, flags=part.flags | tickets.INVALID), TGT_KEY)
    desk = ArmoredTicket(invalid)
    outside: dict[str, object] = {"kdc_options": int(KdcOptions.VALIDATE)}
    outcome = invalid.send(desk.tgs_req(outer=outside), invalid.facts(FILES))
    assert inner_error(outcome.reply, desk.key)[0].error_code == Code.KRB_AP_ERR_TKT_NYV
    inside = desk.tgs_req(kdc_options=int(KdcOptions.VALIDATE), sname=TGS_NAME)
    assert invalid.send(inside, invalid.facts(KRBTGT)).error == Code.KDC_ERR_NONE


def test_krbtgts_nt_hash_vouches_for_no_pac() -> None:
    """[MS-APDS] 3.2.5.6: members are told that such a signature is none."""
    server = bytes(16)
    usage = int(KeyUsage.KERB_NON_KERB_CKSUM_SALT)
    for key, verdict in (
        (TGT_KEY, NtStatus.STATUS_SUCCESS),
        (RC4_KEY, NtStatus.STATUS_LOGON_FAILURE),
    ):
        kind = int(key.info.cksumtype)
        asked = KerbVerifyPacRequest(kind, server, checksum(key, usage, server, kind))
        assert verify_pac(asked.pack(), KRBTGT.keys) is verdict


@pytest.mark.parametrize(("keytype", "size"), [(2, 8), (-128, 16), (17, 32), (18, 0)])
def test_a_session_key_of_no_known_kind_is_refused_by_a_code(keytype: int, size: int) -> None:
    """A service seals its own evidence: whatever it puts there is an answer's matter, no exception's."""
    service = Client().log_on().get()
    part = replace(service.opened(FILES.keys.current[18]), key=EncryptionKey(keytype, bytes(size)))
    made = remade(service, part, FILES.keys.current[18])
    assert open_evidence(made.ticket, FILES.keys) is Code.KDC_ERR_ETYPE_NOSUPP
    tgt = Client().log_on()
    made = remade(tgt, replace(tgt.opened(TGT_KEY), key=EncryptionKey(keytype, bytes(size))), TGT_KEY)
    assert made.send(made.tgs_req()).error == Code.KDC_ERR_ETYPE_NOSUPP
