"""S4U2Proxy over facts: whose list counts, what evidence must be, which PAC comes out ([MS-SFU] 3.2.5.2)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.codec.krb5 import (
    AuthorizationData,
    EncryptedData,
    EncTicketPart,
    KerbErrorData,
    KerbExtError,
    PaData,
)
from addc.codec.krb5_numbers import AdType, KdcOptions, TicketFlags
from addc.codec.pac import Pac, PacType, unpack_delegation_info, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode as Code
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import Evidence, Impersonated, KeyRing, Membership, OpenedTicket, Outcome, Principal
from addc.kdc.s4u_evidence import evidence_pac, open_evidence
from addc.kdc.s4u_proxy import without_resource_groups
from addc.kdc.ticket_pac import PacSigners, find_pac, pac_entry, sign_pac, signatures_hold, signed_plain
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.security.krb_keys import Key, KeyUsage, encrypt
from addc.security.logon_rules import Standing
from tests.kit.kdc_realm import (
    ALICE,
    CIFS_NAME,
    DOMAIN,
    FILES,
    GROUPS,
    KRBTGT,
    NOW,
    REALM,
    TGS_NAME,
    Client,
    Ticketed,
    ad,
    client_name,
    error_of,
    make_key,
    pac_of,
    principal,
)
from tests.kit.s4u import RBCD, S4U2PROXY, letting, pa_for_user

TARGET = "cifs/files.example.com"
WEB = principal("WEB$", 1106, 0x1000, has_spn=True, supported_enctypes=0x18, delegate_to=(TARGET,))
UNLISTED = replace(WEB, delegate_to=())
ELSEWHERE = replace(WEB, delegate_to=("cifs/other.example.com",))
LETTING = replace(FILES, allowed_to_act=letting(WEB.sid))
WEB_KEY, FILES_KEY, TGT_KEY = (one.keys.current[18] for one in (WEB, FILES, KRBTGT))
WEB_NAME = client_name("http", "web.example.com")
USER = Impersonated(ALICE, GROUPS)
SENSITIVE = Impersonated(replace(ALICE, flags=ALICE.flags | UserAccountControl.UF_NOT_DELEGATED), GROUPS)
BAD = Code.KDC_ERR_BADOPTION


def logged_on(service: Principal = WEB) -> Ticketed:
    return Client(service, Membership((515, 1700), (), (1400,))).log_on()


def alices_ticket(service: Principal = WEB, **body: Any) -> Ticketed:
    """What alice gave to the service."""
    tgt = Client().log_on()
    return tgt.get(facts=tgt.facts(service), sname=WEB_NAME, **body)


def shown(ticket: Ticketed, service: Principal = WEB, **more: Any) -> Evidence:
    """A ticket as the directory knows it, in the hands of a service."""
    opened = open_evidence(ticket.ticket, service.keys)
    return replace(Evidence(opened, f"{ticket.ticket.sname}@{REALM}", True, USER), **more)


def ask(
    ticket: Ticketed | None,
    *padata: PaData,
    service: Principal = WEB,
    server: Principal = FILES,
    evidence: dict[str, Any] | None = None,
    options: int = S4U2PROXY,
    **body: Any,
) -> Outcome:
    """An S4U2Proxy request for files' share."""
    web = logged_on(service)
    request = web.tgs_req(
        *padata,
        sname=body.pop("sname", CIFS_NAME),
        kdc_options=options,
        additional_tickets=None if ticket is None else (ticket.ticket,),
        **body,
    )
    held = None if ticket is None else shown(ticket, service, **(evidence or {}))
    return web.send(request, web.facts(server, evidence=held))


def got(ticket: Ticketed, *padata: PaData, **more: Any) -> Ticketed:
    return logged_on(more.get("service", WEB)).received(ask(ticket, *padata, **more))


def refused(outcome: Outcome) -> tuple[Code, NtStatus]:
    """Code and NTSTATUS; the latter is in the message too."""
    e_data = error_of(outcome).e_data
    if e_data is None:
        assert not outcome.status
    else:
        told = KerbExtError.unpack(KerbErrorData.unpack(e_data).data_value or b"")
        assert told.status == outcome.status
    return outcome.error, outcome.status


def resealed(
    ticket: Ticketed,
    change: Callable[[EncTicketPart], EncTicketPart] = lambda part: part,
    *,
    key: Key = WEB_KEY,
    signers: PacSigners | None = None,
    keep: Callable[[int], bool] = lambda kind: True,
) -> Ticketed:
    """The ticket with another inside, as its service could make it; signed anew where keys are given."""
    part = change(ticket.opened(WEB_KEY))
    if signers is not None:
        data = find_pac(part.authorization_data) or b""
        buffers = [(kind, one) for kind, one in Pac.unpack(data).buffers if kind not in (6, 7, 16, 19)]
        signed = Pac.unpack(sign_pac(buffers, signers, signed_plain(part)))
        kept = Pac(tuple(one for one in signed.buffers if keep(one[0])))
        part = replace(part, authorization_data=(pac_entry(kept.pack()),))
    cipher = encrypt(key, KeyUsage.TICKET, part.pack(), bytes(16))
    sealed = EncryptedData(etype=18, kvno=2, cipher=cipher)
    return replace(ticket, ticket=replace(ticket.ticket, enc_part=sealed))


def flagged(part: EncTicketPart) -> EncTicketPart:
    return replace(part, flags=part.flags | TicketFlags.FORWARDABLE)


# --- what comes out -------------------------------------------------------------------------------


def test_the_ticket_speaks_for_the_user_and_is_the_services() -> None:
    evidence = alices_ticket()
    ticket = got(evidence)
    inside = ticket.opened(FILES_KEY)
    assert (ticket.cname, inside.cname, inside.crealm) == (client_name("alice"), client_name("alice"), REALM)
    assert ticket.ticket.sname == CIFS_NAME
    assert inside.authtime == evidence.part.authtime
    assert inside.flags & TicketFlags.FORWARDABLE


def test_the_pac_has_the_groups_of_a_logon() -> None:
    own = Client().log_on().get()
    mine, theirs = pac_of(got(alices_ticket()), FILES_KEY), pac_of(own, FILES_KEY)
    assert unpack_logon_info(mine.get(1) or b"") == unpack_logon_info(theirs.get(1) or b"")
    assert mine.get(12) == theirs.get(12)
    assert [kind for kind, _ in mine.buffers] == [1, 10, 12, 13, 11, 6, 7, 16, 19]


def test_domain_local_groups_are_those_of_now() -> None:
    later = Impersonated(ALICE, Membership((513, 1200), (), (1999,)))
    info = unpack_logon_info(pac_of(got(alices_ticket(), evidence={"user": later}), FILES_KEY).get(1) or b"")
    assert [one.relative_id for one in info.resource_group_ids or ()] == [1999]


def test_each_service_gets_domain_local_groups_in_the_form_it_can_read() -> None:
    plain = replace(WEB, supported_enctypes=0x18 | 0x80000)
    compressed = unpack_logon_info(pac_of(got(alices_ticket(plain)), FILES_KEY).get(1) or b"")
    assert [one.relative_id for one in compressed.resource_group_ids or ()] == [1300, 1301]
    sids = {one.sid for one in compressed.extra_sids or ()}
    assert DOMAIN.child(1300) not in sids and GROUPS.other_sids[0] in sids
    expanded = got(alices_ticket(), server=replace(FILES, supported_enctypes=0x18 | 0x80000))
    info = unpack_logon_info(pac_of(expanded, FILES_KEY).get(1) or b"")
    assert info.resource_group_ids is None
    assert DOMAIN.child(1300) in {one.sid for one in info.extra_sids or ()}


def test_delegation_info_tells_the_way() -> None:
    """[MS-SFU] 3.2.5.2.4, [MS-PAC] 2.9."""
    info = unpack_delegation_info(pac_of(got(alices_ticket()), FILES_KEY).get(PacType.DELEGATION_INFO) or b"")
    assert info.s4u2proxy_target == TARGET
    assert [one.name for one in info.s4u_transited_services or ()] == [f"http/web.example.com@{REALM}"]


def test_delegation_info_grows_from_service_to_service() -> None:
    first = got(alices_ticket(WEB), server=FILES)
    files = replace(FILES, delegate_to=("ldap/db.example.com",))
    database = principal("DB$", 1108, 0x1000, has_spn=True, supported_enctypes=0x18)
    tgt = logged_on(files)
    request = tgt.tgs_req(
        sname=client_name("ldap", "db.example.com"), kdc_options=S4U2PROXY, additional_tickets=(first.ticket,)
    )
    second = tgt.received(tgt.send(request, tgt.facts(database, evidence=shown(first, files))))
    info = unpack_delegation_info(pac_of(second, database.keys.current[18]).get(11) or b"")
    assert info.s4u2proxy_target == "ldap/db.example.com"
    assert [one.name for one in info.s4u_transited_services or ()] == [
        f"http/web.example.com@{REALM}",
        f"cifs/files.example.com@{REALM}",
    ]


def test_all_four_signatures_are_there() -> None:
    inside = got(alices_ticket()).opened(FILES_KEY)
    data = find_pac(inside.authorization_data) or b""
    assert signatures_hold(data, PacSigners(FILES_KEY, TGT_KEY), signed_plain(inside))


def test_a_service_that_wants_no_pac_gets_none() -> None:
    server = replace(FILES, flags=FILES.flags | UserAccountControl.UF_NO_AUTH_DATA_REQUIRED)
    assert got(alices_ticket(), server=server).opened(FILES_KEY).authorization_data is None


def test_it_ends_with_the_evidence_or_with_the_services_own_ticket() -> None:
    hour = FileTime(NOW - NOW % TICKS_PER_S + 3600 * TICKS_PER_S)
    short = alices_ticket(till=hour)
    assert got(short).part.endtime == hour
    assert got(alices_ticket()).part.endtime == logged_on().part.endtime


def test_forwardable_only_where_it_is_asked() -> None:
    ticket = got(alices_ticket(), options=int(KdcOptions.CNAME_IN_ADDL_TKT))
    assert not ticket.part.flags & TicketFlags.FORWARDABLE


def test_authorization_data_is_under_the_evidences_session_key() -> None:
    """Where no subkey is: the key of the ticket that the new one comes of."""
    evidence = alices_ticket()
    data = AuthorizationData((ad(777, b"mine"),)).pack()

    def sealed(key: Key) -> EncryptedData:
        return EncryptedData(
            etype=18, cipher=encrypt(key, KeyUsage.TGS_REQ_AUTH_DATA_SESSION, data, bytes(16))
        )

    inside = got(evidence, enc_authorization_data=sealed(evidence.session)).opened(FILES_KEY)
    assert [one.ad_type for one in inside.authorization_data or ()] == [AdType.AD_IF_RELEVANT, 777]
    wrong = ask(evidence, enc_authorization_data=sealed(make_key(18, "no key of theirs")))
    assert wrong.error == Code.KRB_AP_ERR_BAD_INTEGRITY


# --- whose list counts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "server", "padata", "expected"),
    [
        (WEB, FILES, (), (Code.KDC_ERR_NONE, NtStatus.STATUS_SUCCESS)),
        (WEB, FILES, (RBCD,), (Code.KDC_ERR_NONE, NtStatus.STATUS_SUCCESS)),
        (UNLISTED, FILES, (), (BAD, NtStatus.STATUS_NOT_SUPPORTED)),
        (ELSEWHERE, FILES, (), (BAD, NtStatus.STATUS_NO_MATCH)),
        (UNLISTED, FILES, (RBCD,), (BAD, NtStatus.STATUS_NOT_FOUND)),
        (ELSEWHERE, FILES, (RBCD,), (BAD, NtStatus.STATUS_NOT_FOUND)),
        (UNLISTED, LETTING, (), (BAD, NtStatus.STATUS_NOT_SUPPORTED)),
        (ELSEWHERE, LETTING, (), (BAD, NtStatus.STATUS_NO_MATCH)),
        (UNLISTED, LETTING, (RBCD,), (Code.KDC_ERR_NONE, NtStatus.STATUS_SUCCESS)),
        (ELSEWHERE, LETTING, (RBCD,), (Code.KDC_ERR_NONE, NtStatus.STATUS_SUCCESS)),
    ],
)
def test_either_list_will_do(
    service: Principal, server: Principal, padata: tuple[PaData, ...], expected: tuple[Code, NtStatus]
) -> None:
    """[MS-SFU] 3.2.5.2.1, 3.2.5.2.3."""
    outcome = ask(alices_ticket(), *padata, service=service, server=server)
    if expected[0] == Code.KDC_ERR_NONE:
        assert outcome.error == Code.KDC_ERR_NONE
    else:
        assert refused(outcome) == expected


def test_a_listed_name_counts_by_its_text() -> None:
    """Neither case nor the account behind it; no alias of HOST."""
    assert got(alices_ticket(), service=replace(WEB, delegate_to=(TARGET.upper(),))).cname
    for other in ("host/files.example.com", "cifs/files", f"{TARGET}@{REALM}", "FILES$"):
        outcome = ask(alices_ticket(), service=replace(WEB, delegate_to=(other,)))
        assert refused(outcome) == (BAD, NtStatus.STATUS_NO_MATCH), other


@pytest.mark.parametrize(
    ("descriptor", "granted"),
    [
        (letting(WEB.sid), True),
        (letting(FILES.sid, WEB.sid), True),
        (letting(FILES.sid), False),
        (letting(DOMAIN.child(1700)), True),
        (letting(DOMAIN.child(1400)), True),
        (letting(wellknown.AUTHENTICATED_USERS), True),
        (letting(ALICE.sid), False),
        (letting(), False),
        (letting(WEB.sid)[:-7], False),
        (b"", False),
    ],
)
def test_the_other_accounts_descriptor_is_checked_with_the_services_own_sids(
    descriptor: bytes, granted: bool
) -> None:
    """Itself, its global groups, this domain's groups, who it is by logging on; never the user's."""
    outcome = ask(
        alices_ticket(),
        RBCD,
        service=UNLISTED,
        server=replace(FILES, allowed_to_act=descriptor),
        evidence={"local_sids": frozenset((DOMAIN.child(1400),))},
    )
    if granted:
        assert outcome.error == Code.KDC_ERR_NONE
    else:
        assert refused(outcome) == (BAD, NtStatus.STATUS_NOT_FOUND)


def test_no_delegation_to_krbtgt() -> None:
    """A TGT in the user's name, whatever a list says."""
    service = replace(WEB, delegate_to=(f"krbtgt/{REALM}",))
    outcome = ask(alices_ticket(), service=service, server=KRBTGT, sname=TGS_NAME)
    assert refused(outcome) == (BAD, NtStatus.STATUS_NOT_SUPPORTED)


# --- forwardable ----------------------------------------------------------------------------------


@pytest.mark.parametrize("service", [WEB, UNLISTED])
def test_evidence_must_be_forwardable(service: Principal) -> None:
    """[MS-SFU] 3.2.5.2.3 and its note 26 (CVE-2020-16996): by either list."""
    outcome = ask(alices_ticket(kdc_options=0), RBCD, service=service, server=LETTING)
    assert refused(outcome) == (BAD, NtStatus.STATUS_ACCOUNT_RESTRICTION)


@pytest.mark.parametrize("user", [SENSITIVE, Impersonated(ALICE, Membership((513, 525)))])
def test_who_became_sensitive_meanwhile_is_not_delegated(user: Impersonated) -> None:
    outcome = ask(alices_ticket(), evidence={"user": user})
    assert refused(outcome) == (BAD, NtStatus.STATUS_ACCOUNT_RESTRICTION)


@pytest.mark.parametrize("service", [WEB, UNLISTED])
def test_bronze_bit(service: Principal) -> None:
    """CVE-2020-17049: the service sets the flag in its own ticket; the ticket signature covers it."""
    forged = resealed(alices_ticket(kdc_options=0), flagged)
    outcome = ask(forged, RBCD, service=service, server=LETTING)
    assert outcome.error == Code.KRB_AP_ERR_MODIFIED
    assert outcome.status == (NtStatus.STATUS_SUCCESS if service is WEB else NtStatus.STATUS_NOT_SUPPORTED)


def test_bronze_bit_with_all_signatures_the_service_can_make() -> None:
    forged = resealed(alices_ticket(kdc_options=0), flagged, signers=PacSigners(WEB_KEY, WEB_KEY))
    assert ask(forged).error == Code.KRB_AP_ERR_MODIFIED


def test_signed_by_the_kdc_it_would_do() -> None:
    good = resealed(alices_ticket(kdc_options=0), flagged, signers=PacSigners(WEB_KEY, TGT_KEY))
    assert got(good).cname == client_name("alice")


# --- evidence -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        (PacType.SERVER_CHECKSUM, Code.KRB_ERR_GENERIC),
        (PacType.PRIVSVR_CHECKSUM, Code.KRB_ERR_GENERIC),
        (PacType.TICKET_CHECKSUM, Code.KRB_AP_ERR_MODIFIED),
        (PacType.FULL_CHECKSUM, Code.KRB_ERR_GENERIC),
    ],
)
def test_every_signature_must_be_there(missing: int, code: Code) -> None:
    """KB5020805."""
    signers = PacSigners(WEB_KEY, TGT_KEY)
    forged = resealed(alices_ticket(), signers=signers, keep=lambda kind: kind != missing)
    assert ask(forged).error == code


def test_no_pac_is_no_evidence() -> None:
    forged = resealed(alices_ticket(), lambda part: replace(part, authorization_data=None))
    assert ask(forged).error == Code.KRB_AP_ERR_MODIFIED


@pytest.mark.parametrize("kind", [6, 7, 16, 19])
def test_every_signature_must_hold(kind: int) -> None:
    def zeroed(part: EncTicketPart) -> EncTicketPart:
        pac = Pac.unpack(find_pac(part.authorization_data) or b"")
        changed = (
            (one, data[:4] + bytes(len(data) - 4) if one == kind else data) for one, data in pac.buffers
        )
        return replace(part, authorization_data=(pac_entry(Pac(tuple(changed)).pack()),))

    assert ask(resealed(alices_ticket(), zeroed)).error == Code.KRB_AP_ERR_MODIFIED


@pytest.mark.parametrize("kind", [6, 7, 16, 19])
@pytest.mark.parametrize("cksumtype", [1, 7, 14])
def test_an_unkeyed_signature_is_none(kind: int, cksumtype: int) -> None:
    def unkeyed(part: EncTicketPart) -> EncTicketPart:
        pac = Pac.unpack(find_pac(part.authorization_data) or b"")
        wrong = cksumtype.to_bytes(4, "little") + bytes(16)
        changed = ((one, wrong if one == kind else data) for one, data in pac.buffers)
        return replace(part, authorization_data=(pac_entry(Pac(tuple(changed)).pack()),))

    unknown = kind == PacType.SERVER_CHECKSUM and cksumtype == 14
    code = Code.KDC_ERR_SUMTYPE_NOSUPP if unknown else Code.KRB_ERR_GENERIC
    assert ask(resealed(alices_ticket(), unkeyed)).error == code


def test_krbtgts_rc4_key_signs_nothing() -> None:
    forged = resealed(alices_ticket(), signers=PacSigners(WEB_KEY, KRBTGT.keys.current[23]))
    assert ask(forged).error == Code.KRB_ERR_GENERIC


def test_krbtgts_previous_password_still_counts() -> None:
    old = dict(KRBTGT.keys.old)[1][18]
    assert got(resealed(alices_ticket(), signers=PacSigners(WEB_KEY, old))).cname


def test_krbtgts_password_before_that_does_not() -> None:
    opened = open_evidence(alices_ticket().ticket, WEB.keys)
    assert isinstance(opened, OpenedTicket)
    once = KeyRing(3, {18: make_key(18, "next")}, b"", ((2, KRBTGT.keys.current),))
    assert not isinstance(evidence_pac(opened, once), Code)
    twice = KeyRing(4, {18: make_key(18, "after")}, b"", ((3, {18: make_key(18, "next")}),))
    assert evidence_pac(opened, twice) == Code.KRB_AP_ERR_MODIFIED


def test_the_services_previous_password_still_counts() -> None:
    rolled = replace(WEB, keys=KeyRing(3, {18: make_key(18, "new")}, b"", ((2, WEB.keys.current),)))
    assert got(alices_ticket(), service=rolled).cname == client_name("alice")


def test_another_services_ticket_is_no_evidence() -> None:
    other = alices_ticket(principal("OTHER$", 1110, 0x1000, has_spn=True, supported_enctypes=0x18))
    assert ask(other).error == Code.KRB_AP_ERR_MODIFIED


def test_the_tickets_name_must_be_the_services() -> None:
    """It is not encrypted, so anything may stand there; the KDC writes it into the PAC."""
    assert ask(alices_ticket(), evidence={"names_service": False}).error == BAD


def test_a_tgt_is_no_evidence() -> None:
    assert ask(Client().log_on()).error == Code.KRB_AP_ERR_MODIFIED


def test_no_ticket_is_no_evidence() -> None:
    assert ask(None).error == BAD


def test_an_expired_ticket_is_no_evidence() -> None:
    past = FileTime(NOW - NOW % TICKS_PER_S - 3600 * TICKS_PER_S)
    expired = resealed(
        alices_ticket(), lambda part: replace(part, endtime=past), signers=PacSigners(WEB_KEY, TGT_KEY)
    )
    assert ask(expired).error == Code.KRB_AP_ERR_TKT_EXPIRED


def test_the_evidences_name_must_mean_who_its_pac_is_of() -> None:
    other = Impersonated(replace(ALICE, sid=DOMAIN.child(1999)), GROUPS)
    assert ask(alices_ticket(), evidence={"user": other}).error == Code.KDC_ERR_TGT_REVOKED
    assert ask(alices_ticket(), evidence={"user": None}).error == Code.KDC_ERR_TGT_REVOKED
    renamed = resealed(
        alices_ticket(),
        lambda part: replace(part, cname=client_name("bob")),
        signers=PacSigners(WEB_KEY, TGT_KEY),
    )
    assert ask(renamed).error == Code.KRB_AP_ERR_MODIFIED


def test_a_user_who_may_not_log_on_is_not_delegated() -> None:
    gone = Impersonated(replace(ALICE, standing=Standing(disabled=True)), GROUPS)
    assert refused(ask(alices_ticket(), evidence={"user": gone})) == (
        Code.KDC_ERR_CLIENT_REVOKED,
        NtStatus.STATUS_ACCOUNT_DISABLED,
    )


def test_self_then_proxy() -> None:
    """Protocol transition: the evidence is the service's own asking, and the PAC keeps saying so."""
    service = replace(WEB, flags=WEB.flags | UserAccountControl.UF_TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION)
    web = logged_on(service)
    request = web.tgs_req(pa_for_user(web.session, client_name("alice"), REALM), sname=WEB_NAME)
    evidence = web.received(web.send(request, web.facts(service, user=USER)))
    info = unpack_logon_info(pac_of(got(evidence, service=service), FILES_KEY).get(1) or b"")
    sids = {one.sid for one in info.extra_sids or ()}
    assert wellknown.SERVICE_ASSERTED_IDENTITY in sids
    assert wellknown.AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY not in sids


def test_self_without_the_right_then_proxy() -> None:
    web = logged_on()
    request = web.tgs_req(pa_for_user(web.session, client_name("alice"), REALM), sname=WEB_NAME)
    evidence = web.received(web.send(request, web.facts(WEB, user=USER)))
    assert refused(ask(evidence)) == (BAD, NtStatus.STATUS_ACCOUNT_RESTRICTION)


def test_a_logon_without_groups_of_this_domain_stays_as_it_is() -> None:
    own = Client().log_on()
    data = Pac.unpack(find_pac(own.opened(TGT_KEY).authorization_data) or b"").get(1) or b""
    assert without_resource_groups(data, DOMAIN) is data


def test_user_to_user_and_proxy_in_one_request_are_refused() -> None:
    options = int(KdcOptions.CNAME_IN_ADDL_TKT | KdcOptions.ENC_TKT_IN_SKEY)
    assert ask(logged_on(), options=options).error == BAD
