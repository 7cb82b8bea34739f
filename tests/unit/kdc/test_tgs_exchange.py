"""The TGS exchange over facts: every grant and every refusal."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from addc.base.clock import HOUR_FT, TICKS_PER_S, FileTime
from addc.codec.ids import Sid
from addc.codec.krb5 import (
    AuthorizationData,
    AuthorizationDataEntry,
    Checksum,
    EncryptedData,
    EncTicketPart,
    PaData,
    PrincipalName,
    Ticket,
)
from addc.codec.krb5_numbers import KdcOptions, TicketFlags
from addc.codec.pac import Pac, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode as Code
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import Principal
from addc.kdc.padata import KRBTGT_ENCTYPES
from addc.kdc.ticket_pac import PAC_PLACEHOLDER, PacSigners, find_pac, pac_entry, sign_pac, signatures_hold
from addc.security.account_flags import UserAccountControl
from addc.security.krb_keys import Key, KeyUsage, encrypt
from tests.kit.kdc_realm import (
    ALICE,
    CHANGE_NAME,
    DAY_FT,
    DOMAIN,
    FILES,
    KRBTGT,
    NOW,
    POLICY,
    REALM,
    TGS_NAME,
    Client,
    Ticketed,
    ad,
    client_name,
    make_key,
    netbios_address,
    pac_request,
    principal,
)

START = FileTime(NOW - NOW % TICKS_PER_S)
TGT_KEY = KRBTGT.keys.current[18]
FILES_KEY = FILES.keys.current[18]


@pytest.fixture
def tgt() -> Ticketed:
    return Client().log_on(pac_request(True))


def resealed(tgt: Ticketed, change: Callable[[EncTicketPart], EncTicketPart], **ticket: Any) -> Ticketed:
    """The TGT with another inside, as one that holds krbtgt's key could make it."""
    part = change(tgt.opened(TGT_KEY))
    cipher = encrypt(TGT_KEY, KeyUsage.TICKET, part.pack(), bytes(16))
    forged = replace(tgt.ticket, enc_part=EncryptedData(etype=18, kvno=2, cipher=cipher))
    return replace(tgt, ticket=replace(forged, **ticket), cname=part.cname)


def with_pac(tgt: Ticketed, buffers: list[tuple[int, bytes]], key: Key = TGT_KEY) -> Ticketed:
    """The TGT with a PAC of these buffers, signed with `key`."""
    entry = pac_entry(sign_pac(buffers, PacSigners(key, key), None))
    return resealed(tgt, lambda part: replace(part, authorization_data=(entry,)))


def buffers_of(got: Ticketed, key: Key) -> dict[int, bytes]:
    data = find_pac(got.opened(key).authorization_data)
    assert data is not None
    return dict(Pac.unpack(data).buffers)


# --- granting -------------------------------------------------------------------------------------


def test_a_tgt_gets_a_service_ticket(tgt: Ticketed) -> None:
    got = tgt.get()
    assert got.part.nonce == 42
    assert got.part.sname == got.ticket.sname == PrincipalName(2, ("cifs", "files.example.com"))
    assert (got.cname, got.crealm) == (client_name("alice"), REALM)
    assert got.part.authtime == tgt.part.authtime
    assert got.part.endtime == tgt.part.endtime
    assert got.part.renew_till == tgt.part.renew_till
    flags = TicketFlags.PRE_AUTHENT | TicketFlags.FORWARDABLE | TicketFlags.RENEWABLE
    assert got.part.flags == flags
    inside = got.opened(FILES_KEY)
    assert (inside.flags, inside.key, inside.endtime) == (got.part.flags, got.part.key, got.part.endtime)
    assert (got.ticket.enc_part.etype, got.ticket.enc_part.kvno) == (18, 2)
    assert got.part.encrypted_pa_data == (PaData(165, b"\x18\0\0\0"),)


def test_a_subkey_encrypts_the_reply(tgt: Ticketed) -> None:
    assert tgt.get(subkey=make_key(17, "subkey")).part.nonce == 42


def test_the_pac_of_a_service_ticket(tgt: Ticketed) -> None:
    inside = tgt.get().opened(FILES_KEY)
    data = find_pac(inside.authorization_data)
    assert data is not None
    pac = Pac.unpack(data)
    assert [kind for kind, _ in pac.buffers] == [1, 10, 12, 13, 6, 7, 16, 19]
    plain = replace(inside, authorization_data=(PAC_PLACEHOLDER,)).pack()
    signers = PacSigners(FILES_KEY, TGT_KEY)
    assert signatures_hold(data, signers, plain)
    assert not signatures_hold(data, signers, plain + b"x")
    assert not signatures_hold(data, PacSigners(TGT_KEY, TGT_KEY), plain)
    assert not signatures_hold(data, PacSigners(FILES_KEY, FILES_KEY), plain)
    info = unpack_logon_info(pac.get(1) or b"")
    assert info.resource_group_domain_sid == DOMAIN
    groups = [(one.relative_id, one.attributes) for one in info.resource_group_ids or ()]
    assert groups == [(1300, 0x20000007), (1301, 0x20000007)]
    assert info.user_flags == 0x220


def test_every_byte_of_a_pac_is_signed(tgt: Ticketed) -> None:
    inside = tgt.get().opened(FILES_KEY)
    data = find_pac(inside.authorization_data) or b""
    plain = replace(inside, authorization_data=(PAC_PLACEHOLDER,)).pack()
    signers = PacSigners(FILES_KEY, TGT_KEY)
    logon_start = 8 + 16 * 8
    for at in range(logon_start, len(data), 7):
        changed = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        assert not signatures_hold(changed, signers, plain), at


def test_a_service_that_cannot_read_compressed_groups_gets_sids(tgt: Ticketed) -> None:
    server = replace(FILES, supported_enctypes=0x18 | 0x80000)
    got = tgt.get(facts=tgt.facts(server))
    info = unpack_logon_info(buffers_of(got, FILES_KEY)[1])
    assert info.resource_group_ids is None
    assert [str(one.sid) for one in info.extra_sids or ()][-2:] == [f"{DOMAIN}-1300", f"{DOMAIN}-1301"]


def test_without_resource_groups_the_logon_information_stays_as_it_was(tgt: Ticketed) -> None:
    got = tgt.get(facts=tgt.facts(resource_rids=()))
    assert buffers_of(got, FILES_KEY)[1] == buffers_of(tgt, TGT_KEY)[1]


def test_a_service_that_wants_no_pac_gets_none(tgt: Ticketed) -> None:
    server = replace(FILES, flags=FILES.flags | UserAccountControl.UF_NO_AUTH_DATA_REQUIRED)
    assert tgt.get(facts=tgt.facts(server)).opened(FILES_KEY).authorization_data is None


def test_who_declined_a_pac_gets_service_tickets_without() -> None:
    tgt = Client().log_on(pac_request(False))
    assert find_pac(tgt.opened(TGT_KEY).authorization_data) is not None
    assert tgt.get().opened(FILES_KEY).authorization_data is None


def test_a_dc_is_always_told_by_pac_who_it_is() -> None:
    """A bare name in a ticket of ten hours may be somebody else's before it ends."""
    tgt = Client().log_on(pac_request(False))
    flags = UserAccountControl.UF_SERVER_TRUST_ACCOUNT | UserAccountControl.UF_NO_AUTH_DATA_REQUIRED
    got = tgt.get(facts=tgt.facts(replace(FILES, flags=int(flags))))
    assert find_pac(got.opened(FILES_KEY).authorization_data) is not None


def test_a_forwarded_tgt_keeps_the_buffers_of_a_tgt(tgt: Ticketed) -> None:
    options = int(KdcOptions.FORWARDED | KdcOptions.FORWARDABLE | KdcOptions.CANONICALIZE)
    addresses = (netbios_address("WS1"),)
    got = tgt.get(facts=tgt.facts(KRBTGT), sname=TGS_NAME, kdc_options=options, addresses=addresses)
    assert got.part.flags & TicketFlags.FORWARDED
    assert got.part.flags & TicketFlags.FORWARDABLE
    assert not got.part.flags & TicketFlags.INITIAL
    assert got.part.caddr == addresses
    assert list(buffers_of(got, TGT_KEY)) == [1, 10, 12, 13, 17, 18, 6, 7]
    assert got.part.encrypted_pa_data == (PaData(165, KRBTGT_ENCTYPES.to_bytes(4, "little")),)
    assert replace(got).get().part.flags & TicketFlags.FORWARDED


def test_a_forwarded_tgt_takes_its_type_from_supported_enctypes(tgt: Ticketed) -> None:
    options = int(KdcOptions.FORWARDED)
    facts = tgt.facts(KRBTGT)
    request: dict[str, Any] = {"sname": TGS_NAME, "kdc_options": options, "etype": (3,)}
    refused = tgt.send(tgt.tgs_req(**request), facts)
    assert refused.error == Code.KDC_ERR_ETYPE_NOSUPP
    got = tgt.get(PaData(165, b"\x08\0\0\0"), facts=facts, **request)
    assert got.part.key.keytype == 17


def test_renewing_moves_the_end(tgt: Ticketed) -> None:
    tgt.client.now = FileTime(NOW + 9 * HOUR_FT)
    got = tgt.get(facts=tgt.facts(KRBTGT), sname=TGS_NAME, kdc_options=int(KdcOptions.RENEW))
    later = FileTime(START + 9 * HOUR_FT)
    assert (got.part.authtime, got.part.starttime) == (START, later)
    assert got.part.endtime == later + 10 * HOUR_FT
    assert got.part.renew_till == tgt.part.renew_till
    assert got.part.flags & TicketFlags.RENEWABLE and got.part.flags & TicketFlags.FORWARDABLE
    assert got.get().part.sname.name_string[0] == "cifs"


def test_renewing_ends_with_renew_till() -> None:
    short = Client().log_on(rtime=FileTime(START + 11 * HOUR_FT))
    short.client.now = FileTime(NOW + 9 * HOUR_FT)
    got = short.get(facts=short.facts(KRBTGT), sname=TGS_NAME, kdc_options=int(KdcOptions.RENEW))
    assert got.part.endtime == START + 11 * HOUR_FT


def test_a_service_ticket_never_outlives_its_tgt(tgt: Ticketed) -> None:
    tgt.client.now = FileTime(NOW + 5 * HOUR_FT)
    assert tgt.get().part.endtime == tgt.part.endtime


def test_the_lifetime_of_service_tickets_is_a_policy_of_its_own(tgt: Ticketed) -> None:
    tgt.client.policy = replace(POLICY, max_service_ticket_age=HOUR_FT)
    assert tgt.get().part.endtime == START + HOUR_FT
    assert tgt.get(facts=tgt.facts(KRBTGT), sname=TGS_NAME).part.endtime == tgt.part.endtime


def test_flags_that_the_tgt_lacks_are_left_out() -> None:
    plain = Client().log_on(kdc_options=0)
    options = int(KdcOptions.FORWARDABLE | KdcOptions.PROXIABLE | KdcOptions.RENEWABLE)
    assert plain.get(kdc_options=options).part.flags == TicketFlags.PRE_AUTHENT


def test_a_delegating_service_is_marked(tgt: Ticketed) -> None:
    server = replace(FILES, flags=FILES.flags | UserAccountControl.UF_TRUSTED_FOR_DELEGATION)
    assert tgt.get(facts=tgt.facts(server)).part.flags & TicketFlags.OK_AS_DELEGATE


@pytest.mark.parametrize("cksumtype", [0, 7, -138])
def test_lenient_clients_and_their_checksums(tgt: Ticketed, cksumtype: int) -> None:
    outcome = tgt.send(tgt.tgs_req(cksumtype=cksumtype))
    assert outcome.error == Code.KDC_ERR_NONE


def test_the_previous_krbtgt_key_still_opens_tickets(tgt: Ticketed) -> None:
    old = make_key(18, "krbtgt-old")
    part = tgt.opened(TGT_KEY)
    data = find_pac(part.authorization_data) or b""
    buffers = [one for one in Pac.unpack(data).buffers if one[0] not in (6, 7)]
    entry = pac_entry(sign_pac(buffers, PacSigners(old, old), None))
    cipher = encrypt(old, KeyUsage.TICKET, replace(part, authorization_data=(entry,)).pack(), bytes(16))
    ticket = replace(tgt.ticket, enc_part=EncryptedData(etype=18, kvno=1, cipher=cipher))
    assert replace(tgt, ticket=ticket).get().part.nonce == 42


# --- encryption types -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("enctypes", "asked", "session", "ticket"),
    [
        (None, (23, 17, 18), 17, 18),
        (0, (18, 17), 18, 18),
        (0x24, (23,), 23, 23),
        (0x24, (23, 17, 18), 17, 23),
        (0x8, (18, 17), 18, 17),
        (0x4, (18, 23), 23, 23),
        (0x24, (23, 18), 18, 23),
        (0x1C, (23, 18), 23, 18),
        (0x1C, (18, 23), 18, 18),
        (0x1C, (23,), 23, 18),
        (0xC0, (20, 18), 20, 20),
    ],
)
def test_session_and_ticket_types_are_chosen_apart(
    tgt: Ticketed, enctypes: int | None, asked: tuple[int, ...], session: int, ticket: int
) -> None:
    got = tgt.get(facts=tgt.facts(replace(FILES, supported_enctypes=enctypes)), etype=asked)
    assert (got.part.key.keytype, got.ticket.enc_part.etype) == (session, ticket)


@pytest.mark.parametrize(
    ("enctypes", "asked"),
    [
        (None, (23,)),
        (0x18, (1, 3)),
        (0x18, (20,)),
        (0x3, (3, 18)),
        (0x20, (18,)),
        (0x10000, (18,)),
    ],
)
def test_no_common_session_type(tgt: Ticketed, enctypes: int | None, asked: tuple[int, ...]) -> None:
    facts = tgt.facts(replace(FILES, supported_enctypes=enctypes))
    assert tgt.send(tgt.tgs_req(etype=asked), facts).error == Code.KDC_ERR_ETYPE_NOSUPP


def test_krbtgt_and_dcs_have_aes_whatever_they_list(tgt: Ticketed) -> None:
    dc = replace(FILES, flags=0x2000, supported_enctypes=0x4)
    assert tgt.get(facts=tgt.facts(dc)).ticket.enc_part.etype == 18


# --- authorization data ---------------------------------------------------------------------------


def enc_ad(key: Key, usage: int, *entries: AuthorizationDataEntry) -> EncryptedData:
    plain = AuthorizationData(entries).pack()
    return EncryptedData(etype=int(key.etype), cipher=encrypt(key, usage, plain, bytes(16)))


def test_the_clients_authorization_data_goes_to_the_service_but_no_pac_of_its_own(tgt: Ticketed) -> None:
    fake = ad(128, b"fake pac")
    wrapped = ad(1, AuthorizationData((fake, ad(141, b"restrictions"))).pack())
    deep = ad(1, AuthorizationData((ad(1, AuthorizationData((fake,)).pack()),)).pack())
    data = enc_ad(tgt.session, KeyUsage.TGS_REQ_AUTH_DATA_SESSION, fake, ad(142, b"loop"), wrapped, deep)
    entries = tgt.get(enc_authorization_data=data).opened(FILES_KEY).authorization_data
    assert entries is not None
    kept = ad(1, AuthorizationData((ad(141, b"restrictions"),)).pack())
    assert entries[1:] == (ad(142, b"loop"), kept)
    assert find_pac(entries) not in (None, b"fake pac")


def test_authorization_data_under_the_subkey(tgt: Ticketed) -> None:
    subkey = make_key(18, "subkey")
    data = enc_ad(subkey, KeyUsage.TGS_REQ_AUTH_DATA_SUBKEY, ad(142, b"loop"))
    entries = tgt.get(subkey=subkey, enc_authorization_data=data).opened(FILES_KEY).authorization_data
    assert entries is not None and entries[1] == ad(142, b"loop")


def test_authorization_data_of_another_key_is_refused(tgt: Ticketed) -> None:
    data = enc_ad(make_key(18, "x"), KeyUsage.TGS_REQ_AUTH_DATA_SESSION, ad(142, b"loop"))
    outcome = tgt.send(tgt.tgs_req(enc_authorization_data=data))
    assert outcome.error == Code.KRB_AP_ERR_BAD_INTEGRITY


# --- user to user ---------------------------------------------------------------------------------

BOB = principal("bob", 1106)
U2U = int(KdcOptions.ENC_TKT_IN_SKEY)
BOB_NAME = client_name("bob")


def test_user_to_user_uses_the_session_key_of_the_second_ticket(tgt: Ticketed) -> None:
    second = Client(BOB).log_on()
    facts = tgt.facts(BOB, second=BOB)
    got = tgt.get(facts=facts, sname=BOB_NAME, kdc_options=U2U, additional_tickets=(second.ticket,))
    assert got.ticket.enc_part.kvno is None
    inside = got.opened(second.session)
    assert inside.cname == client_name("alice")
    data = find_pac(inside.authorization_data) or b""
    plain = replace(inside, authorization_data=(PAC_PLACEHOLDER,)).pack()
    assert signatures_hold(data, PacSigners(second.session, TGT_KEY), plain)


def test_the_second_ticket_must_be_the_services(tgt: Ticketed) -> None:
    second = Client(BOB).log_on()
    request = tgt.tgs_req(sname=BOB_NAME, kdc_options=U2U, additional_tickets=(second.ticket,))
    assert tgt.send(request, tgt.facts(FILES, second=BOB)).error == Code.KRB_AP_ERR_BADMATCH
    assert tgt.send(request, tgt.facts(BOB)).error == Code.KDC_ERR_TGT_REVOKED
    disabled = replace(BOB, flags=BOB.flags | UserAccountControl.UF_ACCOUNTDISABLE)
    assert tgt.send(request, tgt.facts(disabled, second=BOB)).error == Code.KDC_ERR_SERVICE_REVOKED


def test_user_to_user_needs_a_second_ticket_that_opens(tgt: Ticketed) -> None:
    assert tgt.send(tgt.tgs_req(kdc_options=U2U)).error == Code.KDC_ERR_BADOPTION
    service = tgt.get()
    request = tgt.tgs_req(kdc_options=U2U, additional_tickets=(service.ticket,))
    assert tgt.send(request).error == Code.KDC_ERR_POLICY
    weak = replace(tgt.ticket, enc_part=replace(tgt.ticket.enc_part, etype=23))
    request = tgt.tgs_req(kdc_options=U2U, additional_tickets=(weak,))
    assert tgt.send(request).error == Code.KDC_ERR_ETYPE_NOSUPP


# --- refusals: the message ------------------------------------------------------------------------


def test_a_request_without_a_ticket(tgt: Ticketed) -> None:
    request = tgt.tgs_req()
    bare = replace(request, message=replace(request.message, padata=None))
    assert tgt.send(bare).error == Code.KDC_ERR_PADATA_TYPE_NOSUPP


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("pvno", 4, Code.KDC_ERR_BAD_PVNO), ("msg_type", 10, Code.KRB_AP_ERR_MSG_TYPE)],
)
def test_versions_and_types_are_checked(tgt: Ticketed, field: str, value: int, code: Code) -> None:
    request = tgt.tgs_req()
    changes: dict[str, Any] = {field: value}
    changed = replace(request, message=replace(request.message, **changes))
    assert tgt.send(changed).error == code


def test_malformed_padata_is_a_generic_error(tgt: Ticketed) -> None:
    request = tgt.tgs_req()
    junk = replace(request, message=replace(request.message, padata=(PaData(1, b"junk"),)))
    assert tgt.send(junk).error == Code.KRB_ERR_GENERIC


@pytest.mark.parametrize(
    "name", [CHANGE_NAME, PrincipalName(2, ("krbtgt", "OTHER.COM")), client_name("krbtgt")]
)
def test_a_ticket_that_is_no_tgt_of_ours_is_refused(tgt: Ticketed, name: PrincipalName) -> None:
    forged = resealed(tgt, lambda part: part, sname=name)
    assert forged.send(forged.tgs_req()).error == Code.KRB_AP_ERR_NOT_US


def test_a_ticket_of_another_realm_is_refused(tgt: Ticketed) -> None:
    forged = resealed(tgt, lambda part: part, realm="OTHER.COM")
    assert forged.send(forged.tgs_req()).error == Code.KRB_AP_ERR_NOT_US


def test_a_ticket_for_changing_passwords_is_no_tgt_even_under_another_name() -> None:
    change = Client().log_on(sname=CHANGE_NAME)
    renamed = replace(change, ticket=replace(change.ticket, sname=TGS_NAME))
    assert renamed.send(renamed.tgs_req()).error == Code.KRB_AP_ERR_TKT_EXPIRED
    longer = resealed(renamed, lambda part: replace(part, endtime=FileTime(part.endtime + DAY_FT)))
    assert longer.send(longer.tgs_req()).error == Code.KDC_ERR_TGT_REVOKED


def test_unknown_key_versions_and_types(tgt: Ticketed) -> None:
    def with_part(**more: Any) -> Ticket:
        return replace(tgt.ticket, enc_part=replace(tgt.ticket.enc_part, **more))

    wrong_version = replace(tgt, ticket=with_part(kvno=7))
    assert wrong_version.send(wrong_version.tgs_req()).error == Code.KRB_AP_ERR_BADKEYVER
    wrong_type = replace(tgt, ticket=with_part(etype=3))
    assert wrong_type.send(wrong_type.tgs_req()).error == Code.KDC_ERR_ETYPE_NOSUPP
    no_version = replace(tgt, ticket=with_part(kvno=None))
    assert no_version.send(no_version.tgs_req()).error == Code.KDC_ERR_NONE


def test_a_changed_ticket_is_told_as_modified(tgt: Ticketed) -> None:
    cipher = tgt.ticket.enc_part.cipher
    data = replace(tgt.ticket.enc_part, cipher=cipher[:-1] + bytes((cipher[-1] ^ 1,)))
    forged = replace(tgt, ticket=replace(tgt.ticket, enc_part=data))
    assert forged.send(forged.tgs_req()).error == Code.KRB_AP_ERR_MODIFIED


def test_times_of_the_ticket(tgt: Ticketed) -> None:
    tgt.client.now = FileTime(tgt.part.endtime + 301 * TICKS_PER_S)
    assert tgt.send(tgt.tgs_req()).error == Code.KRB_AP_ERR_TKT_EXPIRED
    tgt.client.now = FileTime(START - 301 * TICKS_PER_S)
    assert tgt.send(tgt.tgs_req()).error == Code.KRB_AP_ERR_TKT_NYV


@pytest.mark.parametrize(
    ("left_s", "code"),
    [(121, Code.KDC_ERR_NONE), (120, Code.KRB_AP_ERR_TKT_EXPIRED), (-10, Code.KRB_AP_ERR_TKT_EXPIRED)],
)
def test_a_ticket_that_ends_soon_gets_no_other(tgt: Ticketed, left_s: int, code: Code) -> None:
    tgt.client.now = FileTime(tgt.part.endtime - left_s * TICKS_PER_S)
    assert tgt.send(tgt.tgs_req()).error == code


def test_an_invalid_ticket_is_not_yet_valid(tgt: Ticketed) -> None:
    forged = resealed(tgt, lambda part: replace(part, flags=part.flags | TicketFlags.INVALID))
    assert forged.send(forged.tgs_req()).error == Code.KRB_AP_ERR_TKT_NYV


def test_the_authenticator_must_be_of_the_session_key(tgt: Ticketed) -> None:
    key = make_key(18, "other")
    forged = replace(tgt, part=replace(tgt.part, key=replace(tgt.part.key, keyvalue=key.value)))
    assert forged.send(forged.tgs_req()).error == Code.KRB_AP_ERR_BAD_INTEGRITY


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"cname": client_name("mallory")}, Code.KRB_AP_ERR_BADMATCH),
        ({"crealm": "OTHER.COM"}, Code.KRB_AP_ERR_BADMATCH),
        ({"ctime": FileTime(START - 301 * TICKS_PER_S)}, Code.KRB_AP_ERR_SKEW),
        ({"ctime": FileTime(START + 302 * TICKS_PER_S)}, Code.KRB_AP_ERR_SKEW),
    ],
)
def test_the_authenticator_names_its_client_and_time(
    tgt: Ticketed, changed: dict[str, object], code: Code
) -> None:
    assert tgt.send(tgt.tgs_req(authenticator=changed)).error == code


def test_case_does_not_count_in_the_authenticator(tgt: Ticketed) -> None:
    assert tgt.send(tgt.tgs_req(authenticator={"cname": client_name("ALICE")})).error == Code.KDC_ERR_NONE


def test_a_checksum_of_another_body_is_refused(tgt: Ticketed) -> None:
    request, other = tgt.tgs_req(), tgt.tgs_req(nonce=43)
    mixed = replace(other, message=replace(other.message, padata=request.message.padata))
    assert tgt.send(mixed).error == Code.KRB_AP_ERR_MODIFIED


@pytest.mark.parametrize("cksumtype", [1, 15, 99])
def test_weak_and_foreign_checksums_are_inappropriate(tgt: Ticketed, cksumtype: int) -> None:
    request = tgt.tgs_req(authenticator={"cksum": Checksum(cksumtype, bytes(12))})
    assert tgt.send(request).error == Code.KRB_AP_ERR_INAPP_CKSUM


# --- refusals: the PAC ----------------------------------------------------------------------------


def tgt_pac(tgt: Ticketed) -> list[tuple[int, bytes]]:
    data = find_pac(tgt.opened(TGT_KEY).authorization_data) or b""
    return [one for one in Pac.unpack(data).buffers if one[0] not in (6, 7)]


def test_a_tgt_without_a_pac_is_revoked(tgt: Ticketed) -> None:
    forged = resealed(tgt, lambda part: replace(part, authorization_data=None))
    assert forged.send(forged.tgs_req()).error == Code.KDC_ERR_TGT_REVOKED


def test_a_pac_signed_with_another_key_is_modified(tgt: Ticketed) -> None:
    forged = with_pac(tgt, tgt_pac(tgt), make_key(18, "other"))
    assert forged.send(forged.tgs_req()).error == Code.KRB_AP_ERR_MODIFIED


def test_a_pac_without_signatures_is_modified(tgt: Ticketed) -> None:
    entry = pac_entry(Pac(tuple(tgt_pac(tgt))).pack())
    forged = resealed(tgt, lambda part: replace(part, authorization_data=(entry,)))
    assert forged.send(forged.tgs_req()).error == Code.KRB_AP_ERR_MODIFIED


@pytest.mark.parametrize("missing", [1, 10, 18])
def test_a_pac_that_lacks_a_buffer_is_revoked(tgt: Ticketed, missing: int) -> None:
    forged = with_pac(tgt, [one for one in tgt_pac(tgt) if one[0] != missing])
    assert forged.send(forged.tgs_req()).error == Code.KDC_ERR_TGT_REVOKED


def test_a_requestor_who_is_not_the_client_is_revoked(tgt: Ticketed) -> None:
    other = bytes(DOMAIN.child(500))
    forged = with_pac(tgt, [(kind, other if kind == 18 else data) for kind, data in tgt_pac(tgt)])
    assert forged.send(forged.tgs_req()).error == Code.KDC_ERR_TGT_REVOKED


def test_a_name_that_came_to_mean_another_account_is_revoked(tgt: Ticketed) -> None:
    other = replace(ALICE, sid=DOMAIN.child(500))
    assert tgt.send(tgt.tgs_req(), tgt.facts(client=other)).error == Code.KDC_ERR_TGT_REVOKED
    assert tgt.send(tgt.tgs_req(), tgt.facts(client=None)).error == Code.KDC_ERR_TGT_REVOKED


def test_a_pac_of_another_logon_is_revoked(tgt: Ticketed) -> None:
    forged = resealed(tgt, lambda part: replace(part, authtime=FileTime(part.authtime - TICKS_PER_S)))
    assert forged.send(forged.tgs_req()).error == Code.KDC_ERR_TGT_REVOKED
    renamed = resealed(tgt, lambda part: replace(part, cname=client_name("administrator")))
    assert renamed.send(renamed.tgs_req()).error == Code.KDC_ERR_TGT_REVOKED


# --- refusals: account, options, server -----------------------------------------------------------


@pytest.mark.parametrize(
    ("standing", "status"),
    [
        ({"disabled": True}, NtStatus.STATUS_ACCOUNT_DISABLED),
        ({"lockout_until": int(NOW) + DAY_FT}, NtStatus.STATUS_ACCOUNT_LOCKED_OUT),
        ({"account_expires": int(NOW)}, NtStatus.STATUS_ACCOUNT_EXPIRED),
        ({"logon_hours": bytes(21)}, NtStatus.STATUS_INVALID_LOGON_HOURS),
    ],
)
def test_an_account_out_of_standing_gets_no_tickets_after_twenty_minutes(
    tgt: Ticketed, standing: dict[str, Any], status: NtStatus
) -> None:
    facts = tgt.facts(client=replace(ALICE, standing=replace(ALICE.standing, **standing)))
    assert tgt.send(tgt.tgs_req(), facts).error == Code.KDC_ERR_NONE
    tgt.client.now = FileTime(NOW + 21 * 60 * TICKS_PER_S)
    outcome = tgt.send(tgt.tgs_req(), facts)
    assert (outcome.error, outcome.status) == (Code.KDC_ERR_CLIENT_REVOKED, status)
    tgt.client.policy = replace(POLICY, validate_client=False)
    assert tgt.send(tgt.tgs_req(), facts).error == Code.KDC_ERR_NONE


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ("POSTDATED", Code.KDC_ERR_CANNOT_POSTDATE),
        ("VALIDATE", Code.KDC_ERR_BADOPTION),
        ("CNAME_IN_ADDL_TKT", Code.KDC_ERR_BADOPTION),
        ("FORWARDED", Code.KDC_ERR_BADOPTION),
        ("PROXY", Code.KDC_ERR_BADOPTION),
        ("RENEW", Code.KDC_ERR_BADOPTION),
    ],
)
def test_options_that_are_not_to_be_had(option: str, code: Code) -> None:
    plain = Client().log_on(kdc_options=0)
    assert plain.send(plain.tgs_req(kdc_options=int(KdcOptions[option]))).error == code


def test_only_a_tgt_is_renewed_and_only_before_renew_till(tgt: Ticketed) -> None:
    renew = int(KdcOptions.RENEW)
    assert tgt.send(tgt.tgs_req(kdc_options=renew)).error == Code.KDC_ERR_BADOPTION
    ended = resealed(tgt, lambda part: replace(part, renew_till=START))
    outcome = ended.send(ended.tgs_req(sname=TGS_NAME, kdc_options=renew), ended.facts(KRBTGT))
    assert outcome.error == Code.KRB_AP_ERR_TKT_EXPIRED


def server_cases() -> list[tuple[Principal | None, Code]]:
    disabled = replace(FILES, flags=FILES.flags | UserAccountControl.UF_ACCOUNTDISABLE)
    return [
        (None, Code.KDC_ERR_S_PRINCIPAL_UNKNOWN),
        (replace(FILES, has_spn=False), Code.KDC_ERR_MUST_USE_USER2USER),
        (disabled, Code.KDC_ERR_SERVICE_REVOKED),
    ]


@pytest.mark.parametrize(("server", "code"), server_cases())
def test_servers_that_get_no_tickets(tgt: Ticketed, server: Principal | None, code: Code) -> None:
    assert tgt.send(tgt.tgs_req(), tgt.facts(server)).error == code


def test_a_service_of_an_unknown_realm_is_unknown(tgt: Ticketed) -> None:
    assert tgt.send(tgt.tgs_req(realm="OTHER.COM")).error == Code.KDC_ERR_S_PRINCIPAL_UNKNOWN
    assert tgt.send(tgt.tgs_req(sname=None)).error == Code.KDC_ERR_S_PRINCIPAL_UNKNOWN


def test_a_service_from_the_future_is_refused(tgt: Ticketed) -> None:
    later = FileTime(START + HOUR_FT)
    assert tgt.send(tgt.tgs_req(from_=later)).error == Code.KDC_ERR_CANNOT_POSTDATE


def test_sids_of_the_client_are_compared_whole(tgt: Ticketed) -> None:
    other = replace(ALICE, sid=Sid.parse("S-1-5-21-1-2-4-1104"))
    assert tgt.send(tgt.tgs_req(), tgt.facts(client=other)).error == Code.KDC_ERR_TGT_REVOKED
