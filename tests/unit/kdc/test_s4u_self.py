"""S4U2Self over facts: who may ask, for whom, by which proof, and what comes out ([MS-SFU] 2.2, 3.2.5.1)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from addc.base.clock import to_unix
from addc.codec.krb5 import PaData, PaS4uX509User, TgsRep
from addc.codec.krb5_numbers import KdcOptions, NameType, PaType, S4uOptions, TicketFlags
from addc.codec.pac import PacClientInfo, PacType, UpnDnsInfo, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode as Code
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import Impersonated, Membership, Outcome, Principal
from addc.kdc.s4u_self import for_user_bytes
from addc.kdc.ticket_pac import PacSigners, find_pac, signatures_hold, signed_plain
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.security.crypto import certificate
from addc.security.crypto.trust_chain import TrustStore
from addc.security.krb_keys import KeyUsage
from addc.security.logon_rules import Standing
from tests.kit.certificates import Authority, Wish
from tests.kit.kdc_realm import (
    ALICE,
    DAY_FT,
    DOMAIN,
    FILES,
    GROUPS,
    KRBTGT,
    NOW,
    REALM,
    TGS_NAME,
    Client,
    Ticketed,
    client_name,
    error_of,
    make_key,
    pac_of,
    pac_request,
    principal,
)
from tests.kit.s4u import RSA_MD4, pa_for_user, pa_x509_user, reply_is_signed

WEB = principal("WEB$", 1106, 0x1000, has_spn=True, supported_enctypes=0x1C)
WEB_KEY = WEB.keys.current[18]
TGT_KEY = KRBTGT.keys.current[18]
USER = Impersonated(ALICE, GROUPS)
WEB_NAME = client_name("host", "web.example.com")
USER_NAME = client_name("alice")
FORWARDABLE = int(KdcOptions.FORWARDABLE)


@pytest.fixture
def web() -> Ticketed:
    return logged_on(WEB)


def logged_on(service: Principal, **more: Any) -> Ticketed:
    """A service with a TGT."""
    return Client(service, Membership((515,), (), (1400,))).log_on(**more)


def ask(
    web: Ticketed,
    *padata: PaData,
    user: Impersonated | None = USER,
    server: Principal | None = None,
    **body: Any,
) -> Outcome:
    """An S4U2Self request; by PA-FOR-USER for alice unless told otherwise."""
    padata = padata or (pa_for_user(web.session, USER_NAME, REALM),)
    request = web.tgs_req(*padata, **{"sname": WEB_NAME, "kdc_options": FORWARDABLE, **body})
    return web.send(request, web.facts(server or web.client.account, user=user))


def got(web: Ticketed, *padata: PaData, **more: Any) -> Ticketed:
    return web.received(ask(web, *padata, **more), more.get("subkey"))


# --- what comes out -------------------------------------------------------------------------------


def test_the_ticket_speaks_for_the_user(web: Ticketed) -> None:
    ticket = got(web)
    assert (ticket.cname, ticket.crealm) == (USER_NAME, REALM)
    inside = ticket.opened(WEB_KEY)
    assert (inside.cname, inside.crealm) == (USER_NAME, REALM)
    assert ticket.ticket.sname == WEB_NAME
    assert (inside.authtime, inside.endtime) == (web.part.authtime, web.part.endtime)
    assert inside.flags & TicketFlags.PRE_AUTHENT
    assert not inside.flags & TicketFlags.INITIAL


def test_the_pac_is_a_logons_but_for_who_asserts_the_identity(web: Ticketed) -> None:
    """[MS-SFU] 3.2.5.1.2: SERVICE_ASSERTED_IDENTITY, not AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY."""
    own = Client().log_on().get(facts=web.facts(WEB, client=ALICE))
    pac, of_logon = pac_of(got(web), WEB_KEY), pac_of(own, WEB_KEY)
    assert [kind for kind, _ in pac.buffers] == [1, 10, 12, 13, 6, 7, 16, 19]
    mine = unpack_logon_info(pac.get(PacType.LOGON_INFO) or b"")
    theirs = unpack_logon_info(of_logon.get(PacType.LOGON_INFO) or b"")
    swapped = tuple(
        replace(one, sid=wellknown.AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY)
        if one.sid == wellknown.SERVICE_ASSERTED_IDENTITY
        else one
        for one in mine.extra_sids or ()
    )
    assert wellknown.AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY not in {
        one.sid for one in mine.extra_sids or ()
    }
    assert replace(mine, extra_sids=swapped, logon_time=0) == replace(theirs, logon_time=0)
    assert [one.relative_id for one in mine.resource_group_ids or ()] == [1300, 1301]
    info = PacClientInfo.unpack(pac.get(PacType.CLIENT_INFO) or b"")
    assert (info.client_id, info.name) == (web.part.authtime, "alice")
    assert UpnDnsInfo.unpack(pac.get(PacType.UPN_DNS_INFO) or b"").sid == ALICE.sid


def test_all_four_signatures_are_there(web: Ticketed) -> None:
    inside = got(web).opened(WEB_KEY)
    data = find_pac(inside.authorization_data) or b""
    assert signatures_hold(data, PacSigners(WEB_KEY, TGT_KEY), signed_plain(inside))


def test_a_service_that_wants_no_pac_gets_one_here() -> None:
    """[MS-SFU]: what it asks for is the user's authorization data."""
    service = replace(WEB, flags=WEB.flags | UserAccountControl.UF_NO_AUTH_DATA_REQUIRED)
    assert pac_of(got(logged_on(service)), WEB_KEY).get(PacType.LOGON_INFO)


def test_a_service_whose_tgt_was_asked_without_pac_gets_one_here() -> None:
    tgt = Client(WEB, Membership((515,))).log_on(pac_request(False))
    assert pac_of(got(tgt), WEB_KEY).get(PacType.LOGON_INFO)


# --- forwardable ----------------------------------------------------------------------------------

TO_AUTH = int(UserAccountControl.UF_TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION)
SENSITIVE = Impersonated(replace(ALICE, flags=ALICE.flags | UserAccountControl.UF_NOT_DELEGATED), GROUPS)
PROTECTED = Impersonated(ALICE, Membership((513, 525)))
LIST = ("cifs/files.example.com",)


@pytest.mark.parametrize(
    ("flags", "delegate_to", "user", "options", "forwardable"),
    [
        (0, (), USER, FORWARDABLE, True),
        (0, LIST, USER, FORWARDABLE, False),
        (TO_AUTH, (), USER, FORWARDABLE, True),
        (TO_AUTH, LIST, USER, FORWARDABLE, True),
        (TO_AUTH, LIST, USER, 0, False),
        (TO_AUTH, LIST, SENSITIVE, FORWARDABLE, False),
        (TO_AUTH, (), PROTECTED, FORWARDABLE, False),
        (0, (), SENSITIVE, FORWARDABLE, False),
    ],
)
def test_forwardable_if_the_service_may_and_the_user_is_not_sensitive(
    flags: int, delegate_to: tuple[str, ...], user: Impersonated, options: int, forwardable: bool
) -> None:
    """[MS-SFU] 3.2.5.1.2."""
    service = replace(WEB, flags=WEB.flags | flags, delegate_to=delegate_to)
    ticket = got(logged_on(service), user=user, kdc_options=options)
    assert bool(ticket.part.flags & TicketFlags.FORWARDABLE) is forwardable


def test_not_forwardable_by_a_tgt_that_is_not() -> None:
    tgt = Client(WEB, Membership((515,))).log_on(kdc_options=0)
    assert not got(tgt).part.flags & TicketFlags.FORWARDABLE


# --- refusals -------------------------------------------------------------------------------------


def test_only_a_ticket_to_itself(web: Ticketed) -> None:
    outcome = ask(web, server=FILES)
    assert outcome.error == Code.KRB_AP_ERR_BADMATCH
    assert error_of(outcome).e_data is None


def test_a_tgt_is_no_ticket_to_itself(web: Ticketed) -> None:
    assert ask(web, server=KRBTGT, sname=TGS_NAME).error == Code.KRB_AP_ERR_BADMATCH


def test_any_name_of_its_own_will_do(web: Ticketed) -> None:
    for name in (client_name("WEB$"), client_name("http", "web.example.com")):
        assert got(web, sname=name).ticket.sname == name


def test_an_account_without_spn_may_not_ask() -> None:
    bob = principal("bob", 1107)
    assert ask(logged_on(bob)).error == Code.KDC_ERR_MUST_USE_USER2USER


def test_an_account_without_spn_may_by_user_to_user() -> None:
    bob = principal("bob", 1107)
    tgt = logged_on(bob)
    options = int(KdcOptions.FORWARDABLE | KdcOptions.ENC_TKT_IN_SKEY)
    request = tgt.tgs_req(
        pa_for_user(tgt.session, USER_NAME, REALM),
        sname=client_name("bob"),
        kdc_options=options,
        additional_tickets=(tgt.ticket,),
    )
    ticket = tgt.received(tgt.send(request, tgt.facts(bob, user=USER, second=bob)))
    assert ticket.cname == USER_NAME
    assert pac_of(ticket, tgt.session).get(PacType.LOGON_INFO)


def test_user_to_user_with_another_account_is_not_oneself(web: Ticketed) -> None:
    bob = principal("bob", 1107)
    theirs = logged_on(bob)
    request = web.tgs_req(
        pa_for_user(web.session, USER_NAME, REALM),
        sname=client_name("bob"),
        kdc_options=int(KdcOptions.ENC_TKT_IN_SKEY),
        additional_tickets=(theirs.ticket,),
    )
    outcome = web.send(request, web.facts(bob, user=USER, second=bob))
    assert outcome.error == Code.KRB_AP_ERR_BADMATCH


def test_an_unknown_user(web: Ticketed) -> None:
    assert ask(web, user=None).error == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN


@pytest.mark.parametrize(
    ("standing", "status"),
    [
        (Standing(disabled=True), NtStatus.STATUS_ACCOUNT_DISABLED),
        (Standing(lockout_until=int(NOW) + DAY_FT), NtStatus.STATUS_ACCOUNT_LOCKED_OUT),
        (Standing(account_expires=int(NOW) - DAY_FT), NtStatus.STATUS_ACCOUNT_EXPIRED),
    ],
)
def test_users_who_may_not_log_on(web: Ticketed, standing: Standing, status: NtStatus) -> None:
    outcome = ask(web, user=Impersonated(replace(ALICE, standing=standing), GROUPS))
    assert (outcome.error, outcome.status) == (Code.KDC_ERR_CLIENT_REVOKED, status)


def test_an_expired_password_is_no_matter(web: Ticketed) -> None:
    """The user's password has no part in this."""
    user = replace(ALICE, pwd_last_set=0, standing=replace(ALICE.standing, password_must_change=0))
    assert got(web, user=Impersonated(user, GROUPS)).cname == USER_NAME


def test_logon_hours_count_only_where_the_service_asks(web: Ticketed) -> None:
    """KERB_S4U_OPTIONS_check_logonhours ([MS-SFU] 2.2.2)."""
    never = replace(ALICE, standing=replace(ALICE.standing, logon_hours=bytes(21)))
    user = Impersonated(never, GROUPS)
    assert got(web, user=user).cname == USER_NAME
    checked = pa_x509_user(web.session, USER_NAME, REALM, options=int(S4uOptions.CHECK_LOGON_HOURS))
    outcome = ask(web, checked, user=user)
    assert (outcome.error, outcome.status) == (
        Code.KDC_ERR_CLIENT_REVOKED,
        NtStatus.STATUS_INVALID_LOGON_HOURS,
    )


def test_the_services_own_ticket_must_be_its_own(web: Ticketed) -> None:
    """CVE-2021-42287: the name in the TGT now means another account."""
    other = replace(WEB, sid=DOMAIN.child(1999))
    request = web.tgs_req(pa_for_user(web.session, USER_NAME, REALM), sname=WEB_NAME)
    outcome = web.send(request, web.facts(other, client=other, user=USER))
    assert outcome.error == Code.KDC_ERR_TGT_REVOKED


# --- PA-FOR-USER ----------------------------------------------------------------------------------


def test_the_bytes_that_pa_for_user_signs() -> None:
    """Name type in little-endian order, then every text ([MS-SFU] 2.2.1)."""
    name = client_name("a", "b")
    assert for_user_bytes(name, "R.X", "Kerberos") == b"\x01\0\0\0abR.XKerberos"
    negative = client_name("x", name_type=-128)
    assert for_user_bytes(negative, "", "")[:4] == b"\x80\xff\xff\xff"


def test_a_keyed_checksum_of_the_session_keys_type_will_do(web: Ticketed) -> None:
    padata = pa_for_user(web.session, USER_NAME, REALM, cksumtype=16)
    assert got(web, padata).cname == USER_NAME


@pytest.mark.parametrize("kind", [7, 1, 14])
def test_an_unkeyed_checksum_will_not(web: Ticketed, kind: int) -> None:
    good = pa_for_user(web.session, USER_NAME, REALM, cksumtype=7)
    wrong = good.padata_value.replace(b"\xa0\x03\x02\x01\x07", b"\xa0\x03\x02\x01" + bytes((kind,)))
    outcome = ask(web, PaData(good.padata_type, wrong))
    assert outcome.error == Code.KRB_AP_ERR_INAPP_CKSUM


def test_a_checksum_by_another_key_or_over_another_name_will_not(web: Ticketed) -> None:
    foreign = pa_for_user(make_key(18, "not the session"), USER_NAME, REALM)
    assert ask(web, foreign).error == Code.KRB_AP_ERR_MODIFIED
    good = pa_for_user(web.session, USER_NAME, REALM)
    changed = PaData(good.padata_type, good.padata_value.replace(b"alice", b"alicf"))
    assert ask(web, changed).error == Code.KRB_AP_ERR_MODIFIED


def test_another_package_is_refused(web: Ticketed) -> None:
    assert got(web, pa_for_user(web.session, USER_NAME, REALM, package="KERBEROS")).cname == USER_NAME
    wrong = pa_for_user(web.session, USER_NAME, REALM, package="NTLM")
    assert ask(web, wrong).error == Code.KDC_ERR_PADATA_TYPE_NOSUPP


def test_rubbish_is_refused(web: Ticketed) -> None:
    for kind in (PaType.PA_FOR_USER, PaType.PA_S4U_X509_USER):
        assert ask(web, PaData(int(kind), b"rubbish")).error == Code.KRB_ERR_GENERIC


# --- PA-S4U-X509-USER -----------------------------------------------------------------------------


def reply_padata(outcome: Outcome) -> dict[int, bytes]:
    return {one.padata_type: one.padata_value for one in TgsRep.unpack(outcome.reply).padata or ()}


def test_the_reply_confirms_the_user(web: Ticketed) -> None:
    outcome = ask(web, pa_x509_user(web.session, USER_NAME, REALM))
    value = reply_padata(outcome)[PaType.PA_S4U_X509_USER]
    user = PaS4uX509User.unpack(value).user_id
    assert (user.nonce, user.cname, user.crealm) == (42, USER_NAME, REALM)
    assert user.options == S4uOptions.USE_REPLY_KEY_USAGE
    assert reply_is_signed(web.session, value, KeyUsage.PA_S4U_X509_USER_REPLY)
    part = web.received(outcome).part
    assert PaType.PA_S4U_X509_USER not in {one.padata_type for one in part.encrypted_pa_data or ()}


def test_without_the_option_the_reply_has_the_requests_key_usage(web: Ticketed) -> None:
    outcome = ask(web, pa_x509_user(web.session, USER_NAME, REALM, options=None))
    value = reply_padata(outcome)[PaType.PA_S4U_X509_USER]
    assert not PaS4uX509User.unpack(value).user_id.options
    assert reply_is_signed(web.session, value, KeyUsage.PA_S4U_X509_USER_REQUEST)


def test_the_subkey_may_sign_too(web: Ticketed) -> None:
    """As MIT's clients do; the reply is signed alike."""
    subkey = make_key(18, "subkey")
    outcome = ask(web, pa_x509_user(subkey, USER_NAME, REALM), subkey=subkey)
    value = reply_padata(outcome)[PaType.PA_S4U_X509_USER]
    assert reply_is_signed(subkey, value, KeyUsage.PA_S4U_X509_USER_REPLY)


def test_with_rc4_the_encrypted_part_confirms_both_checksums() -> None:
    """[MS-SFU] 2.2.2: MD4 without a key, so the KDC repeats what it saw and said."""
    web = logged_on(WEB, etype=(23,), server=replace(KRBTGT, supported_enctypes=0x1C))
    assert web.session.etype == 23
    asked = pa_x509_user(web.session, USER_NAME, REALM)
    outcome = ask(web, asked)
    value = reply_padata(outcome)[PaType.PA_S4U_X509_USER]
    said = PaS4uX509User.unpack(value).checksum
    assert said.cksumtype == RSA_MD4
    part = web.received(outcome).part
    confirmed = {one.padata_type: one.padata_value for one in part.encrypted_pa_data or ()}
    first = PaS4uX509User.unpack(asked.padata_value).checksum.checksum
    assert confirmed[PaType.PA_S4U_X509_USER] == first + said.checksum


def test_md4_is_for_rc4_alone(web: Ticketed) -> None:
    unkeyed = pa_x509_user(make_key(23, "any"), USER_NAME, REALM)
    assert ask(web, unkeyed).error == Code.KRB_AP_ERR_INAPP_CKSUM


def test_another_nonce_or_key_is_refused(web: Ticketed) -> None:
    replayed = pa_x509_user(web.session, USER_NAME, REALM, nonce=41)
    assert ask(web, replayed).error == Code.KRB_AP_ERR_MODIFIED
    foreign = pa_x509_user(make_key(18, "foreign"), USER_NAME, REALM)
    assert ask(web, foreign).error == Code.KRB_AP_ERR_MODIFIED


def test_neither_name_nor_certificate_names_nobody(web: Ticketed) -> None:
    for name in (None, client_name(""), client_name()):
        padata = pa_x509_user(web.session, name, REALM)
        assert ask(web, padata).error == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN


def test_where_both_are_there_the_newer_counts(web: Ticketed) -> None:
    """[MS-SFU] 6, note 4."""
    older = pa_for_user(web.session, client_name("somebody"), REALM)
    assert got(web, older, pa_x509_user(web.session, USER_NAME, REALM)).cname == USER_NAME
    broken = pa_x509_user(make_key(18, "foreign"), USER_NAME, REALM)
    right = pa_for_user(web.session, USER_NAME, REALM)
    assert ask(web, right, broken).error == Code.KRB_AP_ERR_MODIFIED


def test_a_upn_or_a_certificate_comes_back_as_the_accounts_name(web: Ticketed) -> None:
    upn = client_name("alice.smith@example.com", name_type=NameType.KRB_NT_ENTERPRISE)
    by_upn = got(web, pa_x509_user(web.session, upn, REALM))
    assert by_upn.cname == USER_NAME
    shown = Authority().issue("alice").certificate.public_bytes(Encoding.DER)
    checked = int(S4uOptions.NT_AUTH_POLICY_NOT_REQUIRED)
    outcome = ask(web, pa_x509_user(web.session, None, REALM, certificate=shown, options=checked))
    assert web.received(outcome).cname == USER_NAME
    user = PaS4uX509User.unpack(reply_padata(outcome)[PaType.PA_S4U_X509_USER]).user_id
    assert (user.cname, user.subject_certificate) == (USER_NAME, None)


def test_a_certificate_must_come_from_an_authority_for_logons(web: Ticketed) -> None:
    """[MS-SFU] 2.2.2: unless the service says that it looked at the chain itself."""
    authority = Authority(when=datetime.fromtimestamp(to_unix(NOW), UTC))
    shown = authority.fulfil("alice", Wish(when=datetime.fromtimestamp(to_unix(NOW), UTC)))
    der = shown.certificate.public_bytes(Encoding.DER)
    request = web.tgs_req(pa_x509_user(web.session, None, REALM, certificate=der), sname=WEB_NAME)
    for store, code in (
        (TrustStore.of([certificate.read(authority.der)]), Code.KDC_ERR_NONE),
        (TrustStore.of([certificate.read(Authority("Another").der)]), Code.KDC_ERR_C_PRINCIPAL_UNKNOWN),
        (None, Code.KDC_ERR_C_PRINCIPAL_UNKNOWN),
    ):
        outcome = web.send(request, web.facts(WEB, user=USER, authorities=store))
        assert outcome.error == code
        if code:
            assert outcome.status == NtStatus.STATUS_NO_SUCH_USER
    rubbish = pa_x509_user(web.session, None, REALM, certificate=b"rubbish")
    assert ask(web, rubbish).error == Code.KRB_ERR_GENERIC


def test_self_and_proxy_in_one_request_are_refused(web: Ticketed) -> None:
    options = int(KdcOptions.CNAME_IN_ADDL_TKT)
    outcome = ask(web, kdc_options=options, additional_tickets=(web.ticket,))
    assert outcome.error == Code.KDC_ERR_BADOPTION
