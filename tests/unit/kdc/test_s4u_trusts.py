"""Services that act for users across a trust, over a real directory: both realms' parts of both protocols."""

from typing import Any

import pytest

from addc.base.clock import FileTime
from addc.codec.krb5 import (
    EncTicketPart,
    KerbErrorData,
    KerbExtError,
    KrbError,
    PaData,
    PrincipalName,
    TgsRep,
)
from addc.codec.krb5_numbers import KdcOptions, NameType, TicketFlags
from addc.codec.pac import Pac, PacClientInfo, PacType, unpack_delegation_info, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode as Code
from addc.codes.ntstatus import NtStatus
from addc.directory import passwords
from addc.kdc.ticket_pac import PacSigners, find_pac, signatures_hold
from addc.security import wellknown
from addc.security.krb_keys import Key, KeyUsage, decrypt, string_to_key
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.kdc_corp import REALM, KdcCorp, code_of
from tests.kit.kdc_realm import Ticketed, client_name
from tests.kit.partner import (
    FOREST,
    FRED,
    PARTNER_REALM,
    PARTNER_SID,
    PartnerTicket,
    info,
    trust_with,
    wanted_key,
)
from tests.kit.s4u import RBCD, S4U2PROXY, letting, pa_for_user, pa_x509_user

PASSWORD = "Tr0ub4dor&3"
WEB_SPN, FILES_SPN = "http/web.corp.example.com", "cifs/files.corp.example.com"
THEIRS = client_name("theirweb")
THEIR_SID = PARTNER_SID.child(2001)
FORWARDABLE = int(KdcOptions.FORWARDABLE | KdcOptions.CANONICALIZE)
AWAY = f"cifs/files.{PARTNER_REALM.lower()}"
BAD = Code.KDC_ERR_BADOPTION


@pytest.fixture
def kdc(corp_sqlite: Corp) -> KdcCorp:
    for name, spn in (("joe", None), ("web", WEB_SPN), ("files", FILES_SPN)):
        more: dict[str, Any] = {} if spn is None else {"servicePrincipalName": spn}
        corp_sqlite.user(name, PASSWORD, **more)
    trust_with(corp_sqlite, FOREST)
    return KdcCorp(corp_sqlite)


def ask(kdc: KdcCorp, ticket: Ticketed, *padata: PaData, sname: PrincipalName, **body: Any) -> bytes:
    request = ticket.tgs_req(
        *padata, **{"realm": REALM, "sname": sname, "till": FileTime(kdc.now + 36_000_000_000), **body}
    )
    reply = kdc.service.answer_now(request.raw, "test").reply
    assert reply is not None
    return reply


def key_of(kdc: KdcCorp, name: str) -> Key:
    return string_to_key(18, PASSWORD, passwords.salt_for(REALM, name, False))


def opened(reply: bytes, key: Key) -> EncTicketPart:
    assert reply[0] == 0x6D, Code(KrbError.unpack(reply).error_code).name
    return EncTicketPart.unpack(decrypt(key, KeyUsage.TICKET, TgsRep.unpack(reply).ticket.enc_part.cipher))


def pac_of(part: EncTicketPart) -> Pac:
    data = find_pac(part.authorization_data)
    assert data is not None
    return Pac.unpack(data)


def client_info(pac: Pac) -> PacClientInfo:
    return PacClientInfo.unpack(pac.get(PacType.CLIENT_INFO) or b"")


def status_of(reply: bytes) -> NtStatus:
    e_data = KrbError.unpack(reply).e_data
    if e_data is None:
        return NtStatus.STATUS_SUCCESS
    return NtStatus(KerbExtError.unpack(KerbErrorData.unpack(e_data).data_value or b"").status)


def their_service(kdc: KdcCorp, **more: object) -> PartnerTicket:
    """A partner's service with its own ticket for this realm's KDC."""
    return PartnerTicket(kdc.now, info(user_id=2001), cname=THEIRS, client_info="theirweb").but(**more)


def for_fred(kdc: KdcCorp, service: PrincipalName, crealm: str, **more: object) -> PartnerTicket:
    """A ticket that a service holds, with the PAC of the partner's fred."""
    fred = PartnerTicket(kdc.now, info(), cname=service, crealm=crealm, client_info=f"fred@{PARTNER_REALM}")
    return fred.but(**more)


# --- S4U2Self: a user of ours, for a partner's service --------------------------------------------


def enterprise(text: str) -> PrincipalName:
    return client_name(text, name_type=NameType.KRB_NT_ENTERPRISE)


def ask_for_joe(kdc: KdcCorp, service: PartnerTicket | None = None, **body: Any) -> bytes:
    ticket = (service or their_service(kdc)).made()
    padata = pa_for_user(ticket.session, client_name("joe"), REALM)
    sname = enterprise(f"theirweb@{PARTNER_REALM}")
    return ask(kdc, ticket, padata, sname=sname, **{"kdc_options": FORWARDABLE, **body})


def test_the_users_kdc_leads_back_with_the_users_pac(kdc: KdcCorp) -> None:
    """[MS-SFU] 3.2.5.1.1: the ticket stays the service's; the PAC is the user's, and says so."""
    reply = TgsRep.unpack(ask_for_joe(kdc))
    assert reply.ticket.sname.name_string == ("krbtgt", PARTNER_REALM)
    assert (reply.cname, reply.crealm) == (THEIRS, PARTNER_REALM)
    part = opened(ask_for_joe(kdc), wanted_key())
    assert (part.cname, part.crealm) == (THEIRS, PARTNER_REALM)
    assert part.flags & TicketFlags.FORWARDABLE
    pac = pac_of(part)
    assert client_info(pac).name == f"joe@{REALM}"
    logon = unpack_logon_info(pac.get(PacType.LOGON_INFO) or b"")
    assert logon.effective_name == "joe"
    assert wellknown.SERVICE_ASSERTED_IDENTITY in {one.sid for one in logon.extra_sids or ()}
    assert logon.resource_group_ids is None
    assert signatures_hold(
        find_pac(part.authorization_data) or b"", PacSigners(wanted_key(), _krbtgt(kdc)), None
    )


def _krbtgt(kdc: KdcCorp) -> Key:
    keys = kdc.corp.read(lambda ctx: passwords.keys_of(ctx, kdc.corp.row("CN=krbtgt,CN=Users")))
    return next(key for key in keys.current.keys if key.etype == 18)


def test_a_sensitive_user_goes_back_unforwardable(kdc: KdcCorp) -> None:
    kdc.corp.modify("CN=joe,CN=Users", replace_values("userAccountControl", str(0x10_0200)))
    assert not opened(ask_for_joe(kdc), wanted_key()).flags & TicketFlags.FORWARDABLE


def test_users_of_ours_who_are_none_or_may_not_log_on(kdc: KdcCorp) -> None:
    ticket = their_service(kdc).made()
    nobody = pa_for_user(ticket.session, client_name("nobody"), REALM)
    reply = ask(kdc, ticket, nobody, sname=enterprise(f"theirweb@{PARTNER_REALM}"))
    assert code_of(reply) == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN
    kdc.corp.modify("CN=joe,CN=Users", replace_values("userAccountControl", str(0x202)))
    assert code_of(ask_for_joe(kdc)) == Code.KDC_ERR_CLIENT_REVOKED


def test_the_asking_service_is_checked_like_any_foreigner(kdc: KdcCorp) -> None:
    lying = their_service(kdc, client_info="somebody")
    assert code_of(ask_for_joe(kdc, lying)) == Code.KDC_ERR_TGT_REVOKED
    ours = their_service(kdc, crealm=REALM, cname=client_name("web"), client_info="web")
    assert code_of(ask_for_joe(kdc, ours)) != Code.KDC_ERR_NONE


# --- S4U2Self: a partner's user, for a service of ours --------------------------------------------


def come_back(kdc: KdcCorp, ticket: PartnerTicket | None = None, *, name: str = "fred", **body: Any) -> bytes:
    made = (ticket or for_fred(kdc, client_name("web"), REALM)).made()
    padata = pa_for_user(made.session, client_name(name), PARTNER_REALM)
    return ask(
        kdc,
        made,
        padata,
        **{"sname": client_name("http", "web.corp.example.com"), "kdc_options": FORWARDABLE, **body},
    )


def test_the_services_kdc_makes_it_a_ticket_to_itself(kdc: KdcCorp) -> None:
    """[MS-SFU] 4.2, step 6."""
    part = opened(come_back(kdc), key_of(kdc, "web"))
    assert (part.cname, part.crealm) == (FRED, PARTNER_REALM)
    assert part.flags & TicketFlags.FORWARDABLE
    pac = pac_of(part)
    assert client_info(pac).name == "fred"
    logon = unpack_logon_info(pac.get(PacType.LOGON_INFO) or b"")
    assert (logon.logon_domain_id, logon.user_id) == (PARTNER_SID, 1105)
    assert {6, 7, 16, 19} <= {kind for kind, _ in pac.buffers}


def test_it_comes_back_to_the_same_service_alone(kdc: KdcCorp) -> None:
    reply = come_back(kdc, sname=client_name("cifs", "files.corp.example.com"))
    assert code_of(reply) == Code.KRB_AP_ERR_BADMATCH


def test_the_user_asked_for_is_the_one_in_the_pac(kdc: KdcCorp) -> None:
    """[MS-SFU] 3.2.5.1: name and realm, in matching case."""
    assert code_of(come_back(kdc, name="barney")) == Code.KDC_ERR_POLICY
    assert code_of(come_back(kdc, name="Fred")) == Code.KDC_ERR_POLICY
    plain = for_fred(kdc, client_name("web"), REALM, client_info="fred")
    assert code_of(come_back(kdc, plain)) == Code.KDC_ERR_POLICY


def test_without_asking_for_a_user_such_a_ticket_is_worth_nothing(kdc: KdcCorp) -> None:
    """A partner that speaks for a client of this realm is believed in nothing else."""
    for ticket in (
        for_fred(kdc, client_name("web"), REALM),
        for_fred(kdc, client_name("web"), REALM, client_info="web"),
    ):
        reply = ask(kdc, ticket.made(), sname=client_name("cifs", "files.corp.example.com"))
        assert code_of(reply) == Code.KDC_ERR_POLICY


def test_a_partner_has_no_say_about_users_of_ours(kdc: KdcCorp) -> None:
    made = for_fred(kdc, client_name("web"), REALM, client_info="joe@ELSEWHERE.TEST").made()
    padata = pa_for_user(made.session, client_name("joe"), "ELSEWHERE.TEST")
    reply = ask(kdc, made, padata, sname=client_name("http", "web.corp.example.com"))
    assert code_of(reply) == Code.KDC_ERR_POLICY
    ours = for_fred(kdc, client_name("web"), REALM, client_info=f"joe@{REALM}").made()
    padata = pa_for_user(ours.session, client_name("joe"), REALM)
    reply = ask(kdc, ours, padata, sname=client_name("http", "web.corp.example.com"))
    assert code_of(reply) != Code.KDC_ERR_NONE


def test_forwardable_only_for_who_may_pass_it_on(kdc: KdcCorp) -> None:
    kdc.corp.modify("CN=web,CN=Users", add_values("msDS-AllowedToDelegateTo", FILES_SPN))
    assert not opened(come_back(kdc), key_of(kdc, "web")).flags & TicketFlags.FORWARDABLE


def test_the_reply_to_the_newer_padata_names_the_user(kdc: KdcCorp) -> None:
    made = for_fred(kdc, client_name("web"), REALM).made()
    padata = pa_x509_user(made.session, FRED, PARTNER_REALM)
    reply = TgsRep.unpack(ask(kdc, made, padata, sname=client_name("http", "web.corp.example.com")))
    assert [one.padata_type for one in reply.padata or ()] == [130]


# --- S4U2Proxy: from a service of ours to a partner's ---------------------------------------------


def go_abroad(kdc: KdcCorp, *padata: PaData, options: int = S4U2PROXY | FORWARDABLE) -> bytes:
    web = kdc.log_on("web", kdc.key("web", PASSWORD))
    asked = pa_for_user(web.session, client_name("joe"), REALM)
    own = client_name("http", "web.corp.example.com")
    evidence = TgsRep.unpack(ask(kdc, web, asked, sname=own, kdc_options=FORWARDABLE)).ticket
    there = PrincipalName(2, tuple(AWAY.split("/")))
    return ask(kdc, web, *padata, sname=there, kdc_options=options, additional_tickets=(evidence,))


def test_the_users_pac_leads_to_the_partners_kdc(kdc: KdcCorp) -> None:
    """[MS-SFU] 3.2.5.2.3: a referral as in S4U2Self; the way is told by the realm that grants."""
    part = opened(go_abroad(kdc, RBCD), wanted_key())
    assert (part.cname, part.crealm) == (client_name("web"), REALM)
    assert part.flags & TicketFlags.FORWARDABLE
    pac = pac_of(part)
    assert client_info(pac).name == f"joe@{REALM}"
    assert pac.get(PacType.DELEGATION_INFO) is None
    assert unpack_logon_info(pac.get(PacType.LOGON_INFO) or b"").effective_name == "joe"


def test_a_list_here_says_nothing_about_other_realms(kdc: KdcCorp) -> None:
    assert (code_of(go_abroad(kdc)), status_of(go_abroad(kdc))) == (BAD, NtStatus.STATUS_NOT_SUPPORTED)
    kdc.corp.modify("CN=web,CN=Users", add_values("msDS-AllowedToDelegateTo", AWAY))
    assert (code_of(go_abroad(kdc)), status_of(go_abroad(kdc))) == (BAD, NtStatus.STATUS_NO_MATCH)
    refused = go_abroad(kdc, RBCD)  # with a list and no protocol transition the evidence is not forwardable
    assert (code_of(refused), status_of(refused)) == (BAD, NtStatus.STATUS_ACCOUNT_RESTRICTION)


# --- S4U2Proxy: from a partner's service to one of ours -------------------------------------------


def let(kdc: KdcCorp, *sids: Any) -> None:
    kdc.corp.modify(
        "CN=files,CN=Users", replace_values("msDS-AllowedToActOnBehalfOfOtherIdentity", letting(*sids))
    )


def come_for(
    kdc: KdcCorp, evidence: PartnerTicket | None = None, *padata: PaData, service: PartnerTicket | None = None
) -> bytes:
    evidence = evidence or for_fred(kdc, THEIRS, PARTNER_REALM)
    made = (service or their_service(kdc)).made()
    return ask(
        kdc,
        made,
        *(padata or (RBCD,)),
        sname=client_name("cifs", "files.corp.example.com"),
        kdc_options=S4U2PROXY,
        additional_tickets=(evidence.made().ticket,),
    )


def test_the_other_accounts_descriptor_lets_a_partners_service(kdc: KdcCorp) -> None:
    let(kdc, THEIR_SID)
    part = opened(come_for(kdc), key_of(kdc, "files"))
    assert (part.cname, part.crealm) == (FRED, PARTNER_REALM)
    pac = pac_of(part)
    assert client_info(pac).name == "fred"
    way = unpack_delegation_info(pac.get(PacType.DELEGATION_INFO) or b"")
    assert way.s4u2proxy_target == FILES_SPN
    assert [one.name for one in way.s4u_transited_services or ()] == [f"theirweb@{PARTNER_REALM}"]


def test_nobody_else_is_let(kdc: KdcCorp) -> None:
    refused = come_for(kdc)
    assert (code_of(refused), status_of(refused)) == (BAD, NtStatus.STATUS_NOT_FOUND)
    let(kdc, PARTNER_SID.child(1105))  # the user is let, not the service
    assert code_of(come_for(kdc)) == BAD


def test_both_tickets_are_the_same_services(kdc: KdcCorp) -> None:
    let(kdc, THEIR_SID)
    assert code_of(come_for(kdc, for_fred(kdc, client_name("other"), PARTNER_REALM))) == BAD
    plain = PartnerTicket(kdc.now, info(), cname=THEIRS, client_info="theirweb")
    assert code_of(come_for(kdc, plain)) == BAD


def test_evidence_from_abroad_must_be_forwardable(kdc: KdcCorp) -> None:
    let(kdc, THEIR_SID)
    refused = come_for(kdc, for_fred(kdc, THEIRS, PARTNER_REALM, flags=int(TicketFlags.PRE_AUTHENT)))
    assert (code_of(refused), status_of(refused)) == (BAD, NtStatus.STATUS_ACCOUNT_RESTRICTION)


def test_a_partner_brings_no_users_of_ours(kdc: KdcCorp) -> None:
    let(kdc, THEIR_SID)
    forged = for_fred(kdc, THEIRS, PARTNER_REALM, client_info=f"joe@{REALM}")
    assert code_of(come_for(kdc, forged)) == Code.KDC_ERR_POLICY


def test_forged_groups_of_ours_are_filtered(kdc: KdcCorp) -> None:
    let(kdc, THEIR_SID)
    admins = kdc.corp.forest.domain_sid.child(512)
    forged = for_fred(kdc, THEIRS, PARTNER_REALM, pac=info(extra=(admins,)))
    logon = unpack_logon_info(pac_of(opened(come_for(kdc, forged), key_of(kdc, "files"))).get(1) or b"")
    assert admins not in {one.sid for one in logon.extra_sids or ()}
    let(kdc, admins)  # nor do they help the service to be let
    assert code_of(come_for(kdc, service=their_service(kdc, pac=info(user_id=2001, extra=(admins,))))) == BAD


def test_without_the_resource_based_bit_nothing_is_let(kdc: KdcCorp) -> None:
    let(kdc, THEIR_SID)
    claims_only = PaData(RBCD.padata_type, RBCD.padata_value[:-4] + b"\x80\0\0\0")
    assert code_of(come_for(kdc, None, claims_only)) == BAD
