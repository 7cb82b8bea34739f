"""Cross-realm tickets over a real directory: out by referral, in by a partner's ticket, forged or not."""

from dataclasses import replace

import pytest

from addc.base.secret import Secret
from addc.codec.forest_trust import DomainInfo, ForestTrustInfo, TopLevelName
from addc.codec.ids import Sid
from addc.codec.krb5 import EncTgsRepPart, EncTicketPart, KrbError, PrincipalName, TgsRep
from addc.codec.krb5_numbers import KdcOptions, NameType, TicketFlags
from addc.codec.pac import KerbValidationInfo, Pac, PacType, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode as Code
from addc.directory import passwords, rights, trust_changes, trusts
from addc.directory.trust_changes import NewTrust
from addc.directory.trusts import Trust
from addc.kdc.ticket_pac import PacSigners, find_pac, signatures_hold
from addc.security import sddl, wellknown
from addc.security.krb_keys import Key, KeyUsage, decrypt, string_to_key
from addc.security.pac_identity import sids_of
from addc.security.trusts import TrustAttributes, TrustDirection, TrustType, trust_salt
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.kdc_corp import REALM, TGS, KdcCorp, code_of, service_name
from tests.kit.kdc_realm import Ticketed, client_name
from tests.kit.partner import (
    CHILD_SID,
    FOREST,
    PARTNER_REALM,
    PARTNER_SID,
    SECRET,
    PartnerTicket,
    info,
    issued_key,
    trust_with,
    upn,
    wanted_key,
)

PASSWORD = "Tr0ub4dor&3"
FILES = "CN=files,CN=Users"
SERVICE = "cifs/files.corp.example.com"
CANONICAL = int(KdcOptions.CANONICALIZE | KdcOptions.FORWARDABLE)
ADMINS = 512


@pytest.fixture
def kdc(corp_sqlite: Corp) -> KdcCorp:
    corp_sqlite.user("joe", PASSWORD)
    corp_sqlite.user("files", PASSWORD, servicePrincipalName=SERVICE)
    return KdcCorp(corp_sqlite)


def joined(kdc: KdcCorp, new: NewTrust = FOREST) -> Trust:
    trust_with(kdc.corp, new)
    found = kdc.corp.read(lambda ctx: trusts.find(ctx, new.partner))
    assert found is not None
    return found


def logged_on(kdc: KdcCorp) -> Ticketed:
    return kdc.log_on("joe", kdc.key("joe", PASSWORD))


def reply_part(ticket: Ticketed, data: bytes) -> tuple[TgsRep, EncTgsRepPart]:
    assert code_of(data) == Code.KDC_ERR_NONE, code_of(data).name
    reply = TgsRep.unpack(data)
    plain = decrypt(ticket.session, KeyUsage.TGS_REP_ENC_PART_SESSION, reply.enc_part.cipher)
    return reply, EncTgsRepPart.unpack(plain)


def opened(data: bytes, key: Key) -> EncTicketPart:
    assert code_of(data) == Code.KDC_ERR_NONE, code_of(data).name
    ticket = TgsRep.unpack(data).ticket
    return EncTicketPart.unpack(decrypt(key, KeyUsage.TICKET, ticket.enc_part.cipher))


def files_key(kdc: KdcCorp) -> Key:
    return kdc.key("files", PASSWORD)


def pac_of(kdc: KdcCorp, data: bytes) -> Pac:
    found = find_pac(opened(data, files_key(kdc)).authorization_data)
    assert found is not None
    return Pac.unpack(found)


def logon_of(kdc: KdcCorp, data: bytes) -> KerbValidationInfo:
    logon = pac_of(kdc, data).get(PacType.LOGON_INFO)
    assert logon is not None
    return unpack_logon_info(logon)


def sids(kdc: KdcCorp, data: bytes) -> set[str]:
    return {str(sid) for sid in sids_of(logon_of(kdc, data))}


def fred(kdc: KdcCorp, **more: object) -> PartnerTicket:
    return PartnerTicket(kdc.now, info()).but(**more)


# --- out ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "cifs/srv.partner.test",
        "ldap/dc.sub.partner.test:389",
        "http/PARTNER",
        "krbtgt/PARTNER.TEST",
        "krbtgt/partner",
        "E3514235-4B06-11D1-AB04-00C04FC2DCD2/3b2c/partner.test",
    ],
)
def test_a_partners_service_is_referred_to_its_kdc(kdc: KdcCorp, name: str) -> None:
    """RFC 6806 8, [MS-KILE] 3.3.5.1.2: krbtgt/PARTNER, under the key of the inbound trust."""
    joined(kdc)
    ticket = logged_on(kdc)
    data = kdc.get(ticket, name, kdc_options=CANONICAL)
    reply, part = reply_part(ticket, data)
    assert reply.ticket.realm == REALM
    assert reply.ticket.sname.name_string == ("krbtgt", PARTNER_REALM) == part.sname.name_string
    assert reply.ticket.enc_part.kvno == 1
    inner = opened(data, wanted_key())
    assert (inner.crealm, str(inner.cname)) == (REALM, "joe")
    assert inner.transited.contents == b""
    assert not inner.flags & TicketFlags.OK_AS_DELEGATE
    assert inner.flags & TicketFlags.FORWARDABLE
    pac = find_pac(inner.authorization_data)
    assert pac is not None
    row = kdc.corp.row("CN=krbtgt,CN=Users")
    krbtgt = kdc.corp.read(lambda ctx: passwords.keys_of(ctx, row)).key(18)
    assert krbtgt is not None
    assert signatures_hold(pac, PacSigners(wanted_key(), krbtgt), None)
    kinds = {kind for kind, _ in Pac.unpack(pac).buffers}
    assert {1, 10, 12, 17, 18} <= kinds
    assert not kinds & {16, 19}
    assert all(buffer for _, buffer in Pac.unpack(pac).buffers), "the KDC of Samba 4.17 dies of empty ones"


def test_names_are_followed_only_where_clients_take_referrals(kdc: KdcCorp) -> None:
    """RFC 6806 8: canonicalize, or the name type of an instance."""
    joined(kdc)
    ticket = logged_on(kdc)
    host = PrincipalName(int(NameType.KRB_NT_SRV_HST), ("cifs", "srv.partner.test"))
    assert code_of(kdc.get(ticket, host, kdc_options=0)) == Code.KDC_ERR_S_PRINCIPAL_UNKNOWN
    assert code_of(kdc.get(ticket, host, kdc_options=CANONICAL)) == Code.KDC_ERR_NONE
    assert code_of(kdc.get(ticket, "cifs/srv.partner.test", kdc_options=0)) == Code.KDC_ERR_NONE


@pytest.mark.parametrize(
    "name", ["cifs/gone.corp.example.com", "cifs/srv.elsewhere.test", "krbtgt/ELSEWHERE.TEST"]
)
def test_other_names_lead_nowhere(kdc: KdcCorp, name: str) -> None:
    """This forest's own names are not handed on, whatever a partner claims."""
    joined(kdc, replace(FOREST, forest=ForestTrustInfo((TopLevelName("partner.test"), TopLevelName("com")))))
    ticket = logged_on(kdc)
    assert code_of(kdc.get(ticket, name, kdc_options=CANONICAL)) == Code.KDC_ERR_S_PRINCIPAL_UNKNOWN


def test_an_excluded_name_is_not_the_partners(kdc: KdcCorp) -> None:
    """[MS-ADTS] 6.1.6.9.3.2: TLNs and their exclusions."""
    names = ForestTrustInfo(
        (
            TopLevelName("partner.test"),
            TopLevelName("x.partner.test", excluded=True),
            TopLevelName("more.test"),
        )
    )
    joined(kdc, replace(FOREST, forest=names))
    ticket = logged_on(kdc)
    unknown = Code.KDC_ERR_S_PRINCIPAL_UNKNOWN
    assert code_of(kdc.get(ticket, "cifs/a.x.partner.test", kdc_options=CANONICAL)) == unknown
    assert code_of(kdc.get(ticket, "cifs/a.y.partner.test", kdc_options=CANONICAL)) == Code.KDC_ERR_NONE
    assert code_of(kdc.get(ticket, "cifs/a.more.test", kdc_options=CANONICAL)) == Code.KDC_ERR_NONE


def test_who_does_not_trust_us_is_sent_nobody(kdc: KdcCorp) -> None:
    """[MS-ADTS] 6.1.6.7.12: the direction."""
    joined(kdc, replace(FOREST, direction=TrustDirection.OUTBOUND))
    ticket = logged_on(kdc)
    assert code_of(kdc.get(ticket, "krbtgt/PARTNER.TEST")) == Code.KDC_ERR_S_PRINCIPAL_UNKNOWN


def test_the_former_key_is_used_for_an_hour_after_a_change(kdc: KdcCorp) -> None:
    """W-TRUST-06."""
    made = joined(kdc)
    fresh = Secret("An0ther.Secret".encode("utf-16-le"))
    kdc.corp.write(lambda ctx: trust_changes.set_secrets(ctx, made, incoming=fresh))
    ticket = logged_on(kdc)
    data = kdc.get(ticket, "krbtgt/PARTNER.TEST")
    assert TgsRep.unpack(data).ticket.enc_part.kvno == 1
    assert opened(data, wanted_key()).crealm == REALM
    kdc.later(3601)
    data = kdc.get(logged_on(kdc), "krbtgt/PARTNER.TEST")
    assert TgsRep.unpack(data).ticket.enc_part.kvno == 2
    assert opened(data, string_to_key(18, fresh, trust_salt(REALM, PARTNER_REALM))).crealm == REALM


def test_rc4_tickets_only_for_a_trust_that_names_rc4(kdc: KdcCorp) -> None:
    """[MS-ADTS] 6.1.6.7.3: AES without a word."""
    joined(kdc, replace(FOREST, supported_enctypes=0x4))
    data = kdc.get(logged_on(kdc), "krbtgt/PARTNER.TEST")
    assert TgsRep.unpack(data).ticket.enc_part.etype == 23


@pytest.mark.parametrize(
    ("attributes", "delegable"),
    [
        (TrustAttributes.FOREST_TRANSITIVE, False),
        (TrustAttributes.FOREST_TRANSITIVE | TrustAttributes.ENABLE_TGT_DELEGATION, True),
        (
            TrustAttributes.FOREST_TRANSITIVE
            | TrustAttributes.ENABLE_TGT_DELEGATION
            | TrustAttributes.NO_TGT_DELEGATION,
            False,
        ),
        (TrustAttributes.QUARANTINED_DOMAIN | TrustAttributes.ENABLE_TGT_DELEGATION, False),
    ],
)
def test_ok_as_delegate_crosses_only_where_the_trust_says_so(
    kdc: KdcCorp, attributes: TrustAttributes, delegable: bool
) -> None:
    """[MS-KILE] 3.3.5.7.5."""
    joined(kdc, replace(FOREST, attributes=attributes))
    data = kdc.get(logged_on(kdc), "krbtgt/PARTNER.TEST")
    assert bool(opened(data, wanted_key()).flags & TicketFlags.OK_AS_DELEGATE) is delegable


def test_enterprise_names_of_a_partner_are_sent_there(kdc: KdcCorp) -> None:
    """RFC 6806 7: KDC_ERR_WRONG_REALM with the realm to ask."""
    joined(kdc)
    name = client_name("fred@sub.partner.test", name_type=NameType.KRB_NT_ENTERPRISE)
    reply = kdc.service.answer_now(kdc.as_req(name), "test").reply
    assert reply is not None
    assert code_of(reply) == Code.KDC_ERR_WRONG_REALM
    assert KrbError.unpack(reply).crealm == PARTNER_REALM
    name = client_name("fred@elsewhere.test", name_type=NameType.KRB_NT_ENTERPRISE)
    reply = kdc.service.answer_now(kdc.as_req(name), "test").reply
    assert reply is not None
    assert code_of(reply) == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN


# --- in ----------------------------------------------------------------------------------------------------


def test_a_partners_user_gets_a_ticket_with_its_own_pac(kdc: KdcCorp) -> None:
    """[MS-PAC] 4.1.2.2: CrossForest; RFC 4120 2.7: the transit was checked."""
    joined(kdc)
    data = kdc.get(fred(kdc).made(), SERVICE)
    part = opened(data, files_key(kdc))
    assert (part.crealm, str(part.cname)) == (PARTNER_REALM, "fred")
    assert part.flags & TicketFlags.TRANSITED_POLICY_CHECKED
    assert sids(kdc, data) == {f"{PARTNER_SID}-{rid}" for rid in (1105, 513, 1200)}
    kinds = {kind for kind, _ in pac_of(kdc, data).buffers}
    assert {6, 7, 16, 19} <= kinds


def test_a_forged_pac_loses_what_the_partner_may_not_say(kdc: KdcCorp) -> None:
    """[MS-PAC] 4.1.2.2: SIDs of this forest, of others, and of the system do not cross."""
    joined(kdc)
    own = kdc.corp.forest.domain_sid
    forged = [
        own.child(ADMINS),
        own.child(519),
        own.child(1000),
        Sid.parse("S-1-5-32-544"),
        Sid.parse("S-1-5-18"),
        Sid.parse("S-1-5-9"),
        Sid.parse("S-1-5-11"),
        Sid.parse("S-1-1-0"),
        Sid.parse("S-1-5-21-4-5-6-1104"),
        Sid.parse("S-1-5-21-4-5-6"),
        Sid.parse("S-1-5-64-10"),
        Sid.parse("S-1-16-16384"),
    ]
    kept = [PARTNER_SID.child(1300), PARTNER_SID.child(ADMINS), Sid.parse("S-1-18-1")]
    data = kdc.get(fred(kdc, pac=info(extra=[*forged, *kept])).made(), SERVICE)
    found = sids(kdc, data)
    assert not found & {str(sid) for sid in forged}
    assert {str(sid) for sid in kept} <= found


@pytest.mark.parametrize(
    "said",
    [
        info(domain=Sid.parse("S-1-5-21-4-5-6")),
        info(domain=Sid.parse("S-1-5-32"), user_id=544),
        info(domain=None),
    ],
)
def test_a_user_of_another_domain_is_refused(kdc: KdcCorp, said: KerbValidationInfo) -> None:
    """[MS-PAC] 4.1.2.2: LogonDomainId."""
    joined(kdc)
    assert code_of(kdc.get(fred(kdc, pac=said).made(), SERVICE)) == Code.KDC_ERR_POLICY


def test_a_user_of_our_own_domain_is_refused(kdc: KdcCorp) -> None:
    """[MS-PAC] 4.1.2.2: LogonDomainId of the local forest; 500 is not for the partner to be."""
    joined(kdc)
    said = info(user_id=500, domain=kdc.corp.forest.domain_sid)
    assert code_of(kdc.get(fred(kdc, pac=said).made(), SERVICE)) == Code.KDC_ERR_POLICY


def test_names_of_ours_in_a_partners_ticket_mean_nobody_here(kdc: KdcCorp) -> None:
    """[MS-PAC] 4.1.2.3: crealm; a foreign Administrator is not ours."""
    joined(kdc)
    lie = fred(kdc, crealm=REALM, cname=client_name("Administrator"), client_info="Administrator")
    assert code_of(kdc.get(lie.made(), SERVICE)) == Code.KDC_ERR_POLICY
    other = fred(kdc, crealm="ELSEWHERE.TEST")
    assert code_of(kdc.get(other.made(), SERVICE)) == Code.KDC_ERR_POLICY
    same = fred(kdc, cname=client_name("Administrator"), client_info="Administrator")
    data = kdc.get(same.made(), SERVICE)
    assert str(kdc.corp.sid("CN=Administrator,CN=Users")) not in sids(kdc, data)


def test_realms_of_the_partners_forest_may_be_spoken_for(kdc: KdcCorp) -> None:
    """[MS-PAC] 4.1.2.3, RFC 4120 3.3.3.2: the issuer goes into the list."""
    names = ForestTrustInfo(
        (
            TopLevelName("partner.test"),
            DomainInfo(PARTNER_SID, "partner.test", "PARTNER"),
            DomainInfo(CHILD_SID, "child.partner.test", "CHILD"),
        )
    )
    joined(kdc, replace(FOREST, forest=names))
    child = fred(kdc, crealm="CHILD.PARTNER.TEST", pac=info(domain=CHILD_SID))
    part = opened(kdc.get(child.made(), SERVICE), files_key(kdc))
    assert part.transited.contents == PARTNER_REALM.encode()
    bad = child.but(transited=b"ELSEWHERE.TEST")
    assert code_of(kdc.get(bad.made(), SERVICE)) == Code.KDC_ERR_PATH_NOT_ACCEPTED
    good = child.but(transited=b"SUB.CHILD.PARTNER.TEST")
    part = opened(kdc.get(good.made(), SERVICE), files_key(kdc))
    assert part.transited.contents == b"SUB.CHILD.PARTNER.TEST,PARTNER.TEST"


def test_tickets_under_a_wrong_key_or_name_are_refused(kdc: KdcCorp) -> None:
    """RFC 4120 3.2.3."""
    joined(kdc)
    assert code_of(kdc.get(fred(kdc).made(wanted_key()), SERVICE)) == Code.KRB_AP_ERR_MODIFIED
    stranger = fred(kdc, issuer="ELSEWHERE.TEST", crealm="ELSEWHERE.TEST")
    assert code_of(kdc.get(stranger.made(), SERVICE)) == Code.KRB_AP_ERR_NOT_US
    named = PrincipalName(int(NameType.KRB_NT_SRV_INST), ("krbtgt", "PARTNER.TEST"))
    assert code_of(kdc.get(fred(kdc, sname=named).made(), SERVICE)) == Code.KRB_AP_ERR_NOT_US
    cifs = service_name(SERVICE)
    assert code_of(kdc.get(fred(kdc, sname=cifs).made(), SERVICE)) == Code.KRB_AP_ERR_NOT_US


def test_no_ticket_comes_in_where_we_do_not_trust(kdc: KdcCorp) -> None:
    """[MS-ADTS] 6.1.6.7.12: an inbound trust does not let the partner's users in."""
    joined(kdc, replace(FOREST, direction=TrustDirection.INBOUND))
    assert code_of(kdc.get(fred(kdc).made(), SERVICE)) == Code.KRB_AP_ERR_NOT_US


@pytest.mark.parametrize("kvno", [None, 0, 1, 7, 255])
def test_versions_that_nobody_here_counted_do_not_matter(kdc: KdcCorp, kvno: int | None) -> None:
    """W-TRUST-06: 255 is unspecified."""
    joined(kdc)
    assert code_of(kdc.get(fred(kdc, kvno=kvno).made(), SERVICE)) == Code.KDC_ERR_NONE


def test_tickets_under_the_former_key_are_still_good(kdc: KdcCorp) -> None:
    """[MS-ADTS] 6.1.6.9.1: previous authentication information; after a second change it is gone."""
    joined(kdc)
    for number, expected in ((2, Code.KDC_ERR_NONE), (3, Code.KRB_AP_ERR_MODIFIED)):
        roll(kdc, Secret(f"Secret.Number.{number}".encode("utf-16-le")))
        for kvno in (1, 255):
            assert code_of(kdc.get(fred(kdc, kvno=kvno).made(), SERVICE)) == expected


def roll(kdc: KdcCorp, fresh: Secret) -> None:
    made = kdc.corp.read(lambda ctx: trusts.find(ctx, "partner.test"))
    assert made is not None
    kdc.corp.write(lambda ctx: trust_changes.set_secrets(ctx, made, outgoing=fresh))


def test_a_pac_that_lies_or_is_missing_is_refused(kdc: KdcCorp) -> None:
    """[MS-PAC] 2.7, 2.8.4, 2.10, 2.15."""
    joined(kdc)
    assert code_of(kdc.get(fred(kdc, pac=None).made(), SERVICE)) == Code.KDC_ERR_TGT_REVOKED
    unsigned = fred(kdc).made(signer=wanted_key())
    assert code_of(kdc.get(unsigned, SERVICE)) == Code.KRB_AP_ERR_MODIFIED
    assert code_of(kdc.get(fred(kdc, client_info="joan").made(), SERVICE)) == Code.KDC_ERR_TGT_REVOKED
    requestor = ((18, bytes(PARTNER_SID.child(500))),)
    assert code_of(kdc.get(fred(kdc, buffers=requestor).made(), SERVICE)) == Code.KDC_ERR_POLICY
    somebody = (upn(user_id=500),)
    assert code_of(kdc.get(fred(kdc, buffers=somebody).made(), SERVICE)) == Code.KDC_ERR_POLICY


def test_names_and_claims_that_are_not_the_realms_are_left_out(kdc: KdcCorp) -> None:
    """[MS-ADTS] 3.1.1.11.2.11: no transformation policy, no claims."""
    joined(kdc)
    buffers = (upn(dns=REALM), (13, b"claims of theirs"), (15, b"more"))
    kinds = {kind for kind, _ in pac_of(kdc, kdc.get(fred(kdc, buffers=buffers).made(), SERVICE)).buffers}
    assert not kinds & {12, 13, 15}
    kinds = {kind for kind, _ in pac_of(kdc, kdc.get(fred(kdc, buffers=(upn(),)).made(), SERVICE)).buffers}
    assert 12 in kinds


def test_quarantine_lets_only_the_partners_own_sids_in(kdc: KdcCorp) -> None:
    """[MS-PAC] 4.1.2.2: External against QuarantinedExternal."""
    elsewhere = Sid.parse("S-1-5-21-4-5-6-1104")
    made = joined(kdc, replace(FOREST, attributes=TrustAttributes(0)))
    said = fred(kdc, pac=info(extra=[elsewhere, kdc.corp.forest.domain_sid.child(ADMINS)]))
    assert sids(kdc, kdc.get(said.made(), SERVICE)) >= {str(elsewhere)}
    assert str(kdc.corp.forest.domain_sid.child(ADMINS)) not in sids(kdc, kdc.get(said.made(), SERVICE))
    kdc.corp.write(lambda ctx: trust_changes.set_attributes(ctx, made, TrustAttributes.QUARANTINED_DOMAIN))
    assert str(elsewhere) not in sids(kdc, kdc.get(said.made(), SERVICE))


def test_foreigners_in_our_domain_local_groups(kdc: KdcCorp) -> None:
    """[MS-KILE] 3.3.5.7.3: by foreignSecurityPrincipal, as resource groups of this domain."""
    joined(kdc)
    group = kdc.corp.group("readers", -2147483644)
    kdc.corp.modify("CN=readers,CN=Users", add_values("member", f"<SID={PARTNER_SID.child(1200)}>"))
    logon = logon_of(kdc, kdc.get(fred(kdc).made(), SERVICE))
    assert logon.resource_group_domain_sid == kdc.corp.forest.domain_sid
    assert [one.relative_id for one in logon.resource_group_ids or ()] == [kdc.corp.sid(group).rid()]


def test_selective_authentication_asks_the_services_account(kdc: KdcCorp) -> None:
    """[MS-KILE] 3.3.5.7: Allowed-To-Authenticate, denied unless granted."""
    attributes = TrustAttributes.FOREST_TRANSITIVE | TrustAttributes.CROSS_ORGANIZATION
    joined(kdc, replace(FOREST, attributes=attributes))
    assert code_of(kdc.get(fred(kdc).made(), SERVICE)) == Code.KDC_ERR_POLICY
    right = "68b1d179-0d15-4d4f-ab71-46152e79a7bc"
    allow(kdc, FILES, f"(OA;;CR;{right};;{PARTNER_SID.child(1200)})")
    data = kdc.get(fred(kdc).made(), SERVICE)
    found = sids(kdc, data)
    assert str(wellknown.OTHER_ORGANIZATION) in found
    assert str(wellknown.THIS_ORGANIZATION) not in found
    joe = logged_on(kdc)
    assert code_of(kdc.get(joe, SERVICE)) == Code.KDC_ERR_NONE


def allow(kdc: KdcCorp, dn: str, ace: str) -> None:
    """One entry more at the head of an object's DACL."""
    row = kdc.corp.row(dn)
    before = kdc.corp.read(lambda ctx: rights.descriptor(ctx, row))
    entry = sddl.parse(f"D:{ace}", kdc.corp.forest.domain_sid)
    assert before.dacl is not None and entry.dacl is not None
    dacl = replace(before.dacl, aces=(*entry.dacl.aces, *before.dacl.aces))
    kdc.corp.modify(dn, replace_values("nTSecurityDescriptor", replace(before, dacl=dacl).pack()))


def test_no_tgt_of_this_realm_and_no_way_on_for_who_came_by_a_trust(kdc: KdcCorp) -> None:
    """[MS-ADTS] 6.1.6.7.9: not transitive beyond the two forests."""
    joined(kdc)
    second = replace(FOREST, partner="second.test", flat_name="SECOND", sid=Sid.parse("S-1-5-21-5-5-5"))
    joined(kdc, second)
    ticket = fred(kdc).made()
    assert code_of(kdc.get(ticket, TGS)) == Code.KDC_ERR_POLICY
    assert code_of(kdc.get(ticket, "krbtgt/SECOND.TEST")) == Code.KDC_ERR_PATH_NOT_ACCEPTED
    assert code_of(kdc.get(ticket, "krbtgt/PARTNER.TEST")) == Code.KDC_ERR_PATH_NOT_ACCEPTED


def test_a_foreign_ticket_is_none_of_user_to_user(kdc: KdcCorp) -> None:
    """RFC 4120 3.3.3: the additional ticket is of this realm."""
    joined(kdc)
    second = fred(kdc).made().ticket
    ticket = logged_on(kdc)
    options = int(KdcOptions.ENC_TKT_IN_SKEY)
    data = kdc.get(ticket, client_name("joe"), kdc_options=options, additional_tickets=(second,))
    assert code_of(data) == Code.KRB_AP_ERR_NOT_US
    data = kdc.get(
        fred(kdc).made(), client_name("joe"), kdc_options=options, additional_tickets=(ticket.ticket,)
    )
    assert code_of(data) == Code.KDC_ERR_BADOPTION


# --- realms without PACs -----------------------------------------------------------------------------------

MIT = NewTrust(
    "MIT.TEST",
    "MIT.TEST",
    None,
    TrustDirection.BOTH,
    TrustType.MIT,
    TrustAttributes.NON_TRANSITIVE,
    SECRET,
    SECRET,
)


def test_a_principal_of_mit_stands_for_the_account_that_names_it(kdc: KdcCorp) -> None:
    """[MS-KILE] 3.3.5.7.2: altSecurityIdentities."""
    joined(kdc, MIT)
    kdc.corp.modify("CN=joe,CN=Users", add_values("altSecurityIdentities", "Kerberos:fred@MIT.TEST"))
    ticket = fred(kdc, pac=None, crealm="MIT.TEST", issuer="MIT.TEST")
    data = kdc.get(ticket.made(), SERVICE)
    joe = kdc.corp.sid("CN=joe,CN=Users")
    logon = logon_of(kdc, data)
    assert sids_of(logon)[0] == joe
    assert opened(data, files_key(kdc)).crealm == "MIT.TEST"
    kdc.corp.modify("CN=joe,CN=Users", replace_values("userAccountControl", "514"))
    assert code_of(kdc.get(ticket.made(), SERVICE)) == Code.KDC_ERR_CLIENT_REVOKED


def test_a_pac_of_mit_is_not_read_and_who_is_nobody_gets_none(kdc: KdcCorp) -> None:
    """[MS-KILE] 3.3.5.7.2: without a mapping the ticket has no PAC."""
    joined(kdc, MIT)
    lie = fred(
        kdc, pac=info(domain=kdc.corp.forest.domain_sid, user_id=500), crealm="MIT.TEST", issuer="MIT.TEST"
    )
    part = opened(kdc.get(lie.made(), SERVICE), files_key(kdc))
    assert find_pac(part.authorization_data) is None


def test_two_accounts_for_one_foreign_name_are_none(kdc: KdcCorp) -> None:
    joined(kdc, MIT)
    for name in ("joe", "files"):
        kdc.corp.modify(f"CN={name},CN=Users", add_values("altSecurityIdentities", "Kerberos:fred@MIT.TEST"))
    ticket = fred(kdc, pac=None, crealm="MIT.TEST", issuer="MIT.TEST")
    part = opened(kdc.get(ticket.made(), SERVICE), files_key(kdc))
    assert find_pac(part.authorization_data) is None


def test_only_a_realm_of_mit_is_mapped(kdc: KdcCorp) -> None:
    """A Windows partner speaks by its PAC alone."""
    joined(kdc)
    kdc.corp.modify("CN=joe,CN=Users", add_values("altSecurityIdentities", "Kerberos:fred@PARTNER.TEST"))
    assert code_of(kdc.get(fred(kdc, pac=None).made(), SERVICE)) == Code.KDC_ERR_TGT_REVOKED
    found = sids(kdc, kdc.get(fred(kdc).made(), SERVICE))
    assert str(kdc.corp.sid("CN=joe,CN=Users")) not in found


def test_keys_of_the_kit_are_the_trusts() -> None:
    assert issued_key() != wanted_key()
