"""The AS exchange over facts: every grant and every refusal."""

from dataclasses import replace

import pytest

from addc.base.clock import HOUR_FT, TICKS_PER_S, FileTime
from addc.codec.krb5 import (
    AsRep,
    AsReq,
    Checksum,
    EtypeInfo,
    EtypeInfo2,
    KerbErrorData,
    KerbExtError,
    PaData,
    PaPacOptions,
    PrincipalName,
)
from addc.codec.krb5_numbers import KdcOptions, NameType, PaType, TicketFlags
from addc.codec.pac import Pac, PacAttributesInfo, PacClientInfo, PacType, UpnDnsInfo, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode as Code
from addc.codes.ntstatus import NtStatus
from addc.kdc.as_exchange import answer_as_req
from addc.kdc.facts import AsFacts, Counter, KdcRequest, KeyRing, Membership, Outcome
from addc.kdc.padata import KRBTGT_ENCTYPES
from addc.kdc.ticket_pac import PacSigners, find_pac, signatures_hold
from addc.security.account_flags import UserAccountControl
from addc.security.krb_keys import KeyUsage, verify_checksum
from tests.kit.kdc_realm import (
    ALICE,
    CHANGE_NAME,
    CIFS_NAME,
    DAY_FT,
    DOMAIN,
    FACTS,
    FILES,
    GROUPS,
    KRBTGT,
    NOW,
    POLICY,
    REALM,
    Client,
    SeededRng,
    client_name,
    error_of,
    make_key,
    method_data,
    netbios_address,
    pac_request,
    ring,
    timestamp,
)

START = FileTime(NOW - NOW % TICKS_PER_S)
ALICE_KEY = ALICE.keys.current[18]


def status_of(outcome: Outcome) -> NtStatus:
    """The NTSTATUS in KERB-ERROR-DATA, checked to be the outcome's."""
    e_data = error_of(outcome).e_data
    assert e_data is not None
    data = KerbErrorData.unpack(e_data)
    assert data.data_type == 3 and data.data_value is not None
    value = KerbExtError.unpack(data.data_value)
    assert (value.reserved, value.flags, value.status) == (0, 1, int(outcome.status))
    return outcome.status


def account(flags: int = 0, **standing: object) -> Client:
    base = replace(ALICE.standing, **standing)  # type: ignore[arg-type]
    return Client(replace(ALICE, flags=ALICE.flags | flags, standing=base))


# --- granting -------------------------------------------------------------------------------------


def test_a_timestamp_gets_a_tgt() -> None:
    got = Client().log_on()
    flags = TicketFlags.INITIAL | TicketFlags.PRE_AUTHENT | TicketFlags.FORWARDABLE | TicketFlags.RENEWABLE
    assert got.part.flags == flags | TicketFlags.ENC_PA_REP  # on every first ticket, as Windows has it
    assert got.part.nonce == 42
    assert (got.crealm, got.cname) == (REALM, client_name("alice"))
    assert (got.part.authtime, got.part.starttime) == (START, START)
    assert got.part.endtime == START + 10 * HOUR_FT
    assert got.part.renew_till == START + 7 * DAY_FT
    assert got.part.key.keytype == 18
    assert (got.ticket.realm, got.ticket.sname.name_string) == (REALM, ("krbtgt", REALM))
    assert got.ticket.enc_part.kvno == 2
    inside = got.opened(KRBTGT.keys.current[18])
    assert (inside.flags, inside.key, inside.cname) == (got.part.flags, got.part.key, got.cname)
    assert (inside.endtime, inside.renew_till) == (got.part.endtime, got.part.renew_till)


def test_the_reply_names_the_salt_and_the_key_version() -> None:
    outcome = Client().ask(timestamp(ALICE_KEY))
    reply = AsRep.unpack(outcome.reply)
    assert reply.padata is not None
    (entry,) = EtypeInfo2.unpack(reply.padata[0].padata_value).entries
    assert (entry.etype, entry.salt) == (18, "EXAMPLE.COMalice")
    assert (reply.enc_part.etype, reply.enc_part.kvno) == (18, 2)
    assert outcome.counter is Counter.LOGON
    assert outcome.client is ALICE


def test_supported_enctypes_and_pac_options_are_told_under_encryption() -> None:
    options = PaData(int(PaType.PA_PAC_OPTIONS), PaPacOptions(1 << 31).pack())
    got = Client().log_on(options)
    assert got.part.encrypted_pa_data == (
        PaData(int(PaType.PA_SUPPORTED_ENCTYPES), KRBTGT_ENCTYPES.to_bytes(4, "little")),
        PaData(int(PaType.PA_PAC_OPTIONS), options.padata_value),
    )


def test_req_enc_pa_rep_is_a_checksum_of_the_request_as_it_came() -> None:
    client = Client()
    request = client.as_req(timestamp(ALICE_KEY), PaData(int(PaType.PA_REQ_ENC_PA_REP), b""))
    got = client.log_on(PaData(int(PaType.PA_REQ_ENC_PA_REP), b""))
    assert got.part.flags & TicketFlags.ENC_PA_REP
    assert got.part.encrypted_pa_data is not None
    found = {one.padata_type: one.padata_value for one in got.part.encrypted_pa_data}
    cksum = Checksum.unpack(found[149])
    assert cksum.cksumtype == 16
    assert verify_checksum(ALICE_KEY, KeyUsage.AS_REQ, request.raw, cksum.cksumtype, cksum.checksum)


@pytest.mark.parametrize("realm", ["EXAMPLE.COM", "example.com", "EXAMPLE", "example"])
def test_any_name_of_the_realm_is_taken(realm: str) -> None:
    got = Client().log_on(realm=realm, sname=PrincipalName(2, ("krbtgt", realm)))
    assert got.crealm == REALM
    assert got.part.sname.name_string == ("krbtgt", REALM)


def test_names_are_echoed_without_canonicalize() -> None:
    name = client_name("ALICE@example.com", name_type=NameType.KRB_NT_ENTERPRISE)
    asked = PrincipalName(2, ("krbtgt", "example.com"))
    got = Client().log_on(kdc_options=0, cname=name, sname=asked)
    assert got.cname == name
    assert got.part.sname == asked
    assert got.opened(KRBTGT.keys.current[18]).cname == name


def test_an_enterprise_name_becomes_canonical() -> None:
    got = Client().log_on(cname=client_name("a.l@example.com", name_type=NameType.KRB_NT_ENTERPRISE))
    assert got.cname == client_name("alice")


def test_lifetimes_follow_the_request_below_the_policy() -> None:
    till = FileTime(START + HOUR_FT)
    rtime = FileTime(START + 2 * HOUR_FT)
    got = Client().log_on(till=till, rtime=rtime)
    assert (got.part.endtime, got.part.renew_till) == (till, rtime)


def test_a_till_of_1970_asks_for_the_longest_ticket() -> None:
    got = Client().log_on(till=FileTime(116_444_736_000_000_000))
    assert got.part.endtime == START + 10 * HOUR_FT


def test_renewable_ok_makes_a_ticket_renewable_that_is_shorter_than_asked() -> None:
    options = int(KdcOptions.RENEWABLE_OK)
    assert Client().log_on(kdc_options=options).part.renew_till == START + 7 * DAY_FT
    day = FileTime(START + DAY_FT)
    assert Client().log_on(kdc_options=options, till=day).part.renew_till == day
    short = Client().log_on(kdc_options=options, till=FileTime(START + HOUR_FT))
    assert short.part.renew_till is None
    assert not short.part.flags & TicketFlags.RENEWABLE


def test_proxiable_only_when_asked() -> None:
    assert not Client().log_on().part.flags & TicketFlags.PROXIABLE
    assert Client().log_on(kdc_options=int(KdcOptions.PROXIABLE)).part.flags & TicketFlags.PROXIABLE


def test_a_sensitive_account_is_not_forwardable() -> None:
    flags = int(KdcOptions.PROXIABLE | KdcOptions.FORWARDABLE)
    got = account(int(UserAccountControl.UF_NOT_DELEGATED)).log_on(kdc_options=flags)
    assert not got.part.flags & (TicketFlags.FORWARDABLE | TicketFlags.PROXIABLE)


def test_protected_users_get_four_hours_and_no_delegation() -> None:
    got = Client(membership=Membership((513, 525))).log_on()
    assert got.part.endtime == START + 4 * HOUR_FT
    assert got.part.renew_till == START + 4 * HOUR_FT
    assert not got.part.flags & TicketFlags.FORWARDABLE


def test_protected_users_do_not_use_rc4() -> None:
    client = Client(replace(ALICE, supported_enctypes=0x1C), membership=Membership((513, 525)))
    outcome = client.ask(timestamp(ALICE.keys.current[23]))
    assert outcome.error == Code.KDC_ERR_ETYPE_NOSUPP


def test_the_key_expiration_is_told_where_passwords_expire() -> None:
    soon = int(START) + DAY_FT
    assert account(password_must_change=soon).log_on().part.key_expiration == soon
    assert Client().log_on().part.key_expiration is None


def test_addresses_are_copied() -> None:
    addresses = (netbios_address("WS1"),)
    got = Client().log_on(addresses=addresses)
    assert got.part.caddr == addresses
    assert got.opened(KRBTGT.keys.current[18]).caddr == addresses


def test_an_account_without_preauth_gets_its_ticket_at_once() -> None:
    client = account(int(UserAccountControl.UF_DONT_REQUIRE_PREAUTH))
    outcome = client.ask()
    assert outcome.error == Code.KDC_ERR_NONE
    assert AsRep.unpack(outcome.reply).enc_part.etype == 18


# --- the PAC --------------------------------------------------------------------------------------


def pac_of(client: Client, *padata: PaData) -> tuple[bytes, Pac]:
    part = client.log_on(*padata).opened(KRBTGT.keys.current[18])
    data = find_pac(part.authorization_data)
    assert data is not None
    return data, Pac.unpack(data)


def test_a_tgt_has_the_buffers_of_a_tgt_and_their_signatures_hold() -> None:
    data, pac = pac_of(Client(), pac_request(True))
    assert [kind for kind, _ in pac.buffers] == [1, 10, 12, 13, 17, 18, 6, 7]
    key = KRBTGT.keys.current[18]
    assert signatures_hold(data, PacSigners(key, key), None)
    assert not signatures_hold(data, PacSigners(make_key(18, "x"), key), None)
    assert not signatures_hold(data, PacSigners(key, key), b"ticket")


def test_the_logon_information_of_a_tgt() -> None:
    _, pac = pac_of(Client())
    info = unpack_logon_info(pac.get(PacType.LOGON_INFO) or b"")
    assert (info.effective_name, info.user_id, info.logon_domain_id) == ("alice", 1104, DOMAIN)
    assert (info.logon_server, info.logon_domain_name) == ("DC1", "EXAMPLE")
    assert [(one.relative_id, one.attributes) for one in info.group_ids or ()] == [(513, 7), (1200, 7)]
    assert [str(one.sid) for one in info.extra_sids or ()] == [
        "S-1-5-21-9-9-9-1000",
        "S-1-18-1",
        "S-1-5-21-0-0-0-497",
    ]
    assert info.user_flags == 0x20
    assert info.user_account_control == 0x10
    assert info.resource_group_ids is None
    assert info.user_session_key == bytes(16)
    assert info.password_must_change == 0x7FFF_FFFF_FFFF_FFFF


def test_client_upn_and_requestor_buffers() -> None:
    _, pac = pac_of(Client(replace(ALICE, upn="alice@corp.example")))
    assert PacClientInfo.unpack(pac.get(10) or b"") == PacClientInfo(START, "alice")
    upn = UpnDnsInfo.unpack(pac.get(12) or b"")
    assert upn == UpnDnsInfo("alice@corp.example", REALM, False, "alice", ALICE.sid)
    assert pac.get(18) == ALICE.sid


@pytest.mark.parametrize(("asked", "flags"), [((), 2), ((True,), 1), ((False,), 0)])
def test_attributes_tell_how_the_pac_was_asked_for(asked: tuple[bool, ...], flags: int) -> None:
    _, pac = pac_of(Client(), *(pac_request(one) for one in asked))
    assert PacAttributesInfo.unpack(pac.get(17) or b"").flags == flags


def test_a_ticket_for_changing_passwords_has_the_pac_of_a_service_ticket() -> None:
    got = Client().log_on(sname=CHANGE_NAME)
    part = got.opened(KRBTGT.keys.current[18])
    data = find_pac(part.authorization_data)
    assert data is not None
    assert [kind for kind, _ in Pac.unpack(data).buffers] == [1, 10, 12, 13, 6, 7, 16, 19]


def test_an_as_exchange_may_ask_for_a_service() -> None:
    got = Client().log_on(server=FILES, sname=CIFS_NAME)
    part = got.opened(FILES.keys.current[18])
    data = find_pac(part.authorization_data)
    assert data is not None
    info = unpack_logon_info(Pac.unpack(data).get(1) or b"")
    assert [one.relative_id for one in info.resource_group_ids or ()] == [1300, 1301]


@pytest.mark.parametrize("wanted", [True, False])
def test_only_the_client_may_do_without_the_pac_of_a_first_ticket(wanted: bool) -> None:
    """[MS-KILE] 3.3.5.6.4: what the service wants counts in the TGS exchange."""
    server = replace(FILES, flags=FILES.flags | UserAccountControl.UF_NO_AUTH_DATA_REQUIRED)
    got = Client().log_on(pac_request(wanted), server=server, sname=CIFS_NAME)
    assert (find_pac(got.opened(FILES.keys.current[18]).authorization_data) is not None) == wanted


# --- encryption types -----------------------------------------------------------------------------


def test_preauth_required_offers_what_both_know_strongest_first() -> None:
    offered = method_data(Client().ask(etype=(23, 17, 19, 18, -135)))
    assert list(offered) == [19, 2, 136, 133]
    entries = EtypeInfo2.unpack(offered[19]).entries
    assert [(one.etype, one.salt) for one in entries] == [
        (18, "EXAMPLE.COMalice"),
        (17, "EXAMPLE.COMalice"),
        (19, "EXAMPLE.COMalice"),
    ]
    assert offered[2] == b""


def test_rc4_is_offered_only_where_the_account_lists_it() -> None:
    assert Client().ask(etype=(23,)).error == Code.KDC_ERR_ETYPE_NOSUPP
    offered = method_data(Client(replace(ALICE, supported_enctypes=0x1C)).ask(etype=(23, 18)))
    entries = EtypeInfo2.unpack(offered[19]).entries
    assert [(one.etype, one.salt) for one in entries] == [(18, "EXAMPLE.COMalice"), (23, None)]


def test_old_clients_get_etype_info_too() -> None:
    offered = method_data(Client(replace(ALICE, supported_enctypes=0x4)).ask(etype=(23, 3)))
    assert list(offered) == [11, 19, 2, 136, 133]
    assert [one.etype for one in EtypeInfo.unpack(offered[11]).entries] == [23]


def test_an_account_that_lists_only_des_is_as_one_that_lists_nothing() -> None:
    offered = method_data(Client(replace(ALICE, supported_enctypes=0x3)).ask())
    assert [one.etype for one in EtypeInfo2.unpack(offered[19]).entries] == [18, 17]


def test_an_rc4_account_can_log_on_with_rc4() -> None:
    client = Client(replace(ALICE, supported_enctypes=0x4))
    outcome = client.ask(timestamp(ALICE.keys.current[23]), etype=(23,))
    assert outcome.error == Code.KDC_ERR_NONE
    reply = AsRep.unpack(outcome.reply)
    assert reply.enc_part.etype == 23
    assert reply.ticket.enc_part.etype == 18


def test_sha2_keys_are_used_when_asked_for() -> None:
    outcome = Client().ask(timestamp(ALICE.keys.current[20]), etype=(20, 19))
    assert outcome.error == Code.KDC_ERR_NONE
    assert AsRep.unpack(outcome.reply).enc_part.etype == 20


def test_no_common_type_is_refused() -> None:
    assert Client().ask(etype=(1, 3, 16)).error == Code.KDC_ERR_ETYPE_NOSUPP


def test_an_account_without_keys_cannot_log_on() -> None:
    client = Client(replace(ALICE, keys=KeyRing(1, {})))
    assert client.ask().error == Code.KDC_ERR_ETYPE_NOSUPP


def test_a_timestamp_of_a_type_that_the_account_may_not_use_is_refused() -> None:
    assert Client().ask(timestamp(ALICE.keys.current[23])).error == Code.KDC_ERR_ETYPE_NOSUPP


# --- refusals -------------------------------------------------------------------------------------


def test_a_wrong_password_is_counted_and_told() -> None:
    outcome = Client().ask(timestamp(make_key(18, "wrong")))
    assert outcome.error == Code.KDC_ERR_PREAUTH_FAILED
    assert outcome.counter is Counter.BAD_PASSWORD
    offered = method_data(outcome)
    assert list(offered) == [19, 3]
    assert KerbExtError.unpack(offered[3]).status == NtStatus.STATUS_WRONG_PASSWORD


def test_the_previous_password_fails_without_being_counted() -> None:
    outcome = Client().ask(timestamp(make_key(18, "alice-old")))
    assert outcome.error == Code.KDC_ERR_PREAUTH_FAILED
    assert outcome.counter is Counter.NONE


@pytest.mark.parametrize("away", [-301, 301])
def test_a_skewed_clock_is_told_the_time(away: int) -> None:
    outcome = Client().ask(timestamp(ALICE_KEY, NOW + away * TICKS_PER_S))
    assert outcome.error == Code.KRB_AP_ERR_SKEW
    error = error_of(outcome)
    assert (error.stime, error.susec) == (START, 123_456)
    assert list(method_data(outcome)) == [19]
    assert outcome.counter is Counter.NONE


@pytest.mark.parametrize("away", [-299, 299])
def test_five_minutes_are_forgiven(away: int) -> None:
    assert Client().ask(timestamp(ALICE_KEY, NOW + away * TICKS_PER_S)).error == Code.KDC_ERR_NONE


@pytest.mark.parametrize(
    ("flags", "standing", "code", "status"),
    [
        (0, {"disabled": True}, Code.KDC_ERR_CLIENT_REVOKED, NtStatus.STATUS_ACCOUNT_DISABLED),
        (0, {"lockout_until": int(NOW) + 1}, Code.KDC_ERR_CLIENT_REVOKED, NtStatus.STATUS_ACCOUNT_LOCKED_OUT),
        (0, {"account_expires": int(NOW)}, Code.KDC_ERR_CLIENT_REVOKED, NtStatus.STATUS_ACCOUNT_EXPIRED),
        (0, {"logon_hours": bytes(21)}, Code.KDC_ERR_CLIENT_REVOKED, NtStatus.STATUS_INVALID_LOGON_HOURS),
        (0, {"workstations": ("ws2",)}, Code.KDC_ERR_POLICY, NtStatus.STATUS_INVALID_WORKSTATION),
        (0, {"smartcard_required": True}, Code.KDC_ERR_POLICY, NtStatus.STATUS_SMARTCARD_LOGON_REQUIRED),
        (0, {"password_must_change": 0}, Code.KDC_ERR_KEY_EXPIRED, NtStatus.STATUS_PASSWORD_MUST_CHANGE),
        (0, {"password_must_change": int(NOW)}, Code.KDC_ERR_KEY_EXPIRED, NtStatus.STATUS_PASSWORD_EXPIRED),
    ],
)
def test_an_account_that_may_not_log_on_is_told_why(
    flags: int, standing: dict[str, object], code: Code, status: NtStatus
) -> None:
    outcome = account(flags, **standing).ask(timestamp(ALICE_KEY))
    assert outcome.error == code
    assert status_of(outcome) == status
    assert outcome.counter is Counter.NONE


def test_a_lockout_in_the_past_is_none() -> None:
    assert account(lockout_until=int(NOW)).ask(timestamp(ALICE_KEY)).error == Code.KDC_ERR_NONE


def test_who_does_not_know_the_password_does_not_learn_that_it_expired() -> None:
    client = account(password_must_change=0)
    assert client.ask().error == Code.KDC_ERR_PREAUTH_REQUIRED
    assert client.ask(timestamp(make_key(18, "wrong"))).error == Code.KDC_ERR_PREAUTH_FAILED


def test_an_expired_password_may_be_changed() -> None:
    client = account(password_must_change=0)
    assert client.log_on(sname=CHANGE_NAME).part.sname == CHANGE_NAME


def test_the_right_workstation_is_let_in() -> None:
    client = account(workstations=("ws1", "WS2"))
    assert client.ask(timestamp(ALICE_KEY)).error == Code.KDC_ERR_POLICY
    outcome = client.ask(timestamp(ALICE_KEY), addresses=(netbios_address("WS1"),))
    assert outcome.error == Code.KDC_ERR_NONE


def test_an_unknown_client() -> None:
    client = Client()
    facts = AsFacts(FACTS, None, KRBTGT)
    outcome = answer_as_req(client.as_req(), facts, POLICY, NOW, SeededRng())
    assert outcome.error == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN
    assert status_of(outcome) == NtStatus.STATUS_NO_SUCH_USER
    assert error_of(outcome).realm == REALM


def test_an_unknown_server() -> None:
    assert Client().ask(timestamp(ALICE_KEY), server=None).error == Code.KDC_ERR_S_PRINCIPAL_UNKNOWN


def test_a_service_without_spn_needs_user_to_user() -> None:
    outcome = Client().ask(timestamp(ALICE_KEY), server=replace(FILES, has_spn=False))
    assert outcome.error == Code.KDC_ERR_MUST_USE_USER2USER


def test_a_disabled_service_gets_no_tickets() -> None:
    server = replace(FILES, flags=FILES.flags | UserAccountControl.UF_ACCOUNTDISABLE)
    assert Client().ask(timestamp(ALICE_KEY), server=server).error == Code.KDC_ERR_SERVICE_REVOKED


def test_another_realm_is_sent_away() -> None:
    outcome = Client().ask(timestamp(ALICE_KEY), realm="OTHER.COM")
    assert outcome.error == Code.KDC_ERR_WRONG_REALM
    assert error_of(outcome).crealm == REALM


@pytest.mark.parametrize(
    "option",
    ["FORWARDED", "PROXY", "RENEW", "VALIDATE", "ENC_TKT_IN_SKEY", "CNAME_IN_ADDL_TKT", "REQUEST_ANONYMOUS"],
)
def test_options_of_the_other_exchange_are_refused(option: str) -> None:
    assert (
        Client().ask(timestamp(ALICE_KEY), kdc_options=int(KdcOptions[option])).error
        == Code.KDC_ERR_BADOPTION
    )


def test_postdated_tickets_are_refused() -> None:
    options = int(KdcOptions.POSTDATED)
    assert Client().ask(timestamp(ALICE_KEY), kdc_options=options).error == Code.KDC_ERR_CANNOT_POSTDATE
    later = FileTime(START + HOUR_FT)
    assert Client().ask(timestamp(ALICE_KEY), from_=later).error == Code.KDC_ERR_CANNOT_POSTDATE


def test_a_till_in_the_past_is_never_valid() -> None:
    assert (
        Client().ask(timestamp(ALICE_KEY), till=FileTime(START - HOUR_FT)).error == Code.KDC_ERR_NEVER_VALID
    )


@pytest.mark.parametrize(
    ("field", "code"),
    [("cname", Code.KDC_ERR_C_PRINCIPAL_UNKNOWN), ("sname", Code.KDC_ERR_S_PRINCIPAL_UNKNOWN)],
)
def test_names_are_needed(field: str, code: Code) -> None:
    assert Client().ask(timestamp(ALICE_KEY), **{field: None}).error == code


def test_versions_and_types_are_checked() -> None:
    request = Client().as_req(timestamp(ALICE_KEY))
    facts = AsFacts(FACTS, ALICE, KRBTGT, GROUPS)
    old = KdcRequest(request.raw, replace(request.message, pvno=4))
    assert answer_as_req(old, facts, POLICY, NOW, SeededRng()).error == Code.KDC_ERR_BAD_PVNO
    other = KdcRequest(request.raw, replace(request.message, msg_type=12))
    assert answer_as_req(other, facts, POLICY, NOW, SeededRng()).error == Code.KRB_AP_ERR_MSG_TYPE


@pytest.mark.parametrize("kind", [2, 128, 167])
def test_malformed_padata_is_a_generic_error(kind: int) -> None:
    client = Client()
    padata = (PaData(kind, b"\x30\x80junk"),) if kind == 2 else (timestamp(ALICE_KEY), PaData(kind, b"junk"))
    assert client.ask(*padata).error == Code.KRB_ERR_GENERIC


def test_unknown_padata_is_ignored() -> None:
    armored = PaData(int(PaType.PA_FX_FAST), b"whatever")
    assert Client().ask(armored).error == Code.KDC_ERR_PREAUTH_REQUIRED
    assert Client().ask(armored, timestamp(ALICE_KEY)).error == Code.KDC_ERR_NONE


def test_a_reply_survives_the_client_side_codec() -> None:
    request = Client().as_req(timestamp(ALICE_KEY))
    assert AsReq.unpack(request.raw) == request.message
    assert ring("x").find(18, 9) is None
