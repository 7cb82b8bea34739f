"""From the directory to the KDC's facts: whom a name means, with which keys, groups and restrictions.

Spec: [MS-KILE] 3.3.1.1, 3.3.5.1.1, 3.3.5.6.1.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar, cast

from addc.auth import certificates
from addc.auth.gss import AuthError
from addc.codec.ids import Sid
from addc.codec.krb5 import AsReq, PrincipalName, Ticket
from addc.codec.krb5_numbers import KdcOptions, NameType, PaType
from addc.directory import (
    accounts,
    authn_policies,
    claims,
    groups,
    kerberos_policy,
    logon,
    managed_passwords,
    membership_ends,
    passwords,
)
from addc.directory.accounts import Account
from addc.directory.context import ReadContext
from addc.directory.kerberos_policy import KerberosPolicy
from addc.directory.password_policy import effective_policy
from addc.kdc import lookup_delegated, lookup_rodc, lookup_trusts, s4u_trusts
from addc.kdc.evidence import open_evidence, told_sids
from addc.kdc.facts import (
    Armor,
    AsFacts,
    Delegated,
    Evidence,
    ForUser,
    Impersonated,
    KeyRing,
    Membership,
    OpenedTgs,
    OpenedTicket,
    Principal,
    Profile,
    RealmFacts,
    Rodc,
    RodcClient,
    TgsFacts,
)
from addc.kdc.foreign import believed_sids
from addc.kdc.policy import KdcPolicy
from addc.kdc.principal_names import is_change_password, is_tgs
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.security.krb_keys import Key
from addc.store.objects import ObjectRow

T = TypeVar("T")

_KEPT_MAX: Final = 60_000
_KEPT_NAME_MAX: Final = 256
"""Characters of a name that is remembered."""
_TGT_KEYS_OLD: Final = 1
"""How many of krbtgt's previous passwords count: two resets make every older ticket worthless."""
_ENTERPRISE: Final = int(NameType.KRB_NT_ENTERPRISE)
_MS_PRINCIPAL: Final = int(NameType.KRB_NT_MS_PRINCIPAL)
_PROOFS: Final = frozenset(
    int(kind)
    for kind in (
        PaType.PA_ENC_TIMESTAMP,
        PaType.PA_ENCRYPTED_CHALLENGE,
        PaType.PA_PK_AS_REQ,
        PaType.PA_PK_AS_REP_OLD,
    )
)
_USER2USER: Final = int(KdcOptions.ENC_TKT_IN_SKEY)
_S4U2PROXY: Final = int(KdcOptions.CNAME_IN_ADDL_TKT)
_NO_PREAUTH: Final = int(UserAccountControl.UF_DONT_REQUIRE_PREAUTH)
_DC_FLAGS: Final = int(
    UserAccountControl.UF_SERVER_TRUST_ACCOUNT | UserAccountControl.UF_PARTIAL_SECRETS_ACCOUNT
)


def at_commit(ctx: ReadContext, key: tuple[object, ...], derive: Callable[[], T]) -> T:
    """A derived value, remembered as long as nothing is committed."""
    seq = ctx.tx.seq
    found = ctx.facts.get(key)
    if found is not None and found[0] == seq:
        return cast(T, found[1])
    value = derive()
    if len(ctx.facts) >= _KEPT_MAX:
        ctx.facts.clear()
    ctx.facts[key] = (seq, value)
    return value


def realm_facts(ctx: ReadContext) -> RealmFacts | None:
    """The realm and its krbtgt; None if the directory has none, so that no ticket can be had."""
    return at_commit(ctx, ("kdc.realm",), lambda: _realm_facts(ctx))


def domain_policy(ctx: ReadContext, own: KdcPolicy) -> KdcPolicy:
    """The KDC's policy with the lifetimes that were set for the domain. own: where nothing was set."""
    found = at_commit(ctx, ("kdc.policy",), lambda: kerberos_policy.stored(ctx))
    if found is None:
        return own
    return at_commit(ctx, ("kdc.policy", own), lambda: _with_lifetimes(own, found))


def _with_lifetimes(own: KdcPolicy, found: KerberosPolicy) -> KdcPolicy:
    return replace(
        own,
        max_ticket_age=found.max_ticket_age_ft,
        max_service_ticket_age=found.max_service_age_ft,
        max_renew_age=found.max_renew_age_ft,
        max_clock_skew=found.max_clock_skew_ft,
        validate_client=found.validate_client,
    )


def _realm_facts(ctx: ReadContext) -> RealmFacts | None:
    forest = ctx.forest
    krbtgt = accounts.find_by_sid(ctx, forest.domain_sid.child(wellknown.RID_KRBTGT))
    if krbtgt is None:
        return None
    return RealmFacts(
        realm=forest.realm,
        netbios=forest.netbios,
        dns_domain=forest.dns_domain,
        domain_sid=forest.domain_sid,
        server=forest.host.upper(),
        krbtgt=principal(ctx, krbtgt),
        trusts=lookup_trusts.trust_facts(ctx),
        forest_names=lookup_trusts.forest_names(ctx),
        rodcs={
            number: Rodc(_with_few_keys(principal(ctx, krbtgt)), is_linked)
            for number, (krbtgt, is_linked) in lookup_rodc.krbtgt_accounts(ctx).items()
        },
    )


def principal(ctx: ReadContext, account: Account) -> Principal:
    """An account as the decisions see it.

    Its own row tells most of it; lockout and the password's age also depend on the policy it is under, and a
    managed account's keys on the time.
    """
    if account.is_managed:
        return _managed_principal(ctx, account)

    def derive() -> Principal:
        row = ctx.tx.get(account.dnt)
        assert row is not None
        base = accounts.kept(ctx, "kdc.account", row, lambda: _principal(ctx, account, row))
        standing = logon.standing(ctx, account, row)
        policy = authn_policies.policy_of(ctx, row)
        heir = lookup_delegated.successor(ctx, row)
        if base.standing == standing and base.policy is policy and base.successor == heir:
            return base
        fresh = replace(base, standing=standing, policy=policy, successor=heir)
        ctx.facts[("kdc.account", row.dnt)] = (row, fresh)
        return fresh

    return at_commit(ctx, ("kdc.principal", account.dnt), derive)


def _managed_principal(ctx: ReadContext, account: Account) -> Principal:
    row = ctx.tx.get(account.dnt)
    assert row is not None
    base = accounts.kept(ctx, "kdc.account", row, lambda: _principal(ctx, account, row))
    found = managed_passwords.managed_keys(ctx, row)
    also = tuple((one.kvno, {int(key.etype): key for key in one.keys}) for one in found.also)
    keys = replace(_key_ring(found.keys, None), also=also)
    policy = authn_policies.policy_of(ctx, row)
    return replace(base, keys=keys, standing=logon.standing(ctx, account, row), policy=policy)


def _principal(ctx: ReadContext, account: Account, row: ObjectRow) -> Principal:
    minimum_age = effective_policy(ctx, row).minimum_age
    profile = Profile(
        full_name=account.display_name,
        logon_script=account.script_path,
        profile_path=account.profile_path,
        home_directory=account.home_directory,
        home_directory_drive=account.home_drive,
        logon_count=account.logon_count,
        last_logon=account.last_logon,
        password_can_change=account.pwd_last_set + minimum_age if account.pwd_last_set else 0,
    )
    return Principal(
        key=account.dnt,
        name=account.sam_account_name,
        sid=account.sid,
        flags=account.user_account_control,
        keys=_key_ring(passwords.keys_of(ctx, row), _TGT_KEYS_OLD if _is_krbtgt(account) else None),
        upn=account.user_principal_name,
        primary_group_id=account.primary_group_id,
        pwd_last_set=account.pwd_last_set,
        standing=logon.standing(ctx, account, row),
        bad_pwd_count=account.bad_pwd_count,
        supported_enctypes=account.supported_enctypes,
        has_spn=bool(account.spns) or account.is_machine,
        profile=profile,
        delegate_to=account.delegate_to,
        allowed_to_act=account.allowed_to_act,
    )


def _with_few_keys(krbtgt: Principal) -> Principal:
    """An RODC's krbtgt, whose previous passwords count no more often than those of the domain's."""
    keys = replace(krbtgt.keys, old=krbtgt.keys.old[:_TGT_KEYS_OLD])
    return replace(krbtgt, keys=keys)


def _is_krbtgt(account: Account) -> bool:
    return account.sid.rid() == wellknown.RID_KRBTGT


def _key_ring(keys: passwords.KeySet, old_max: int | None) -> KeyRing:
    def by_etype(generation: passwords.KeyGeneration) -> dict[int, Key]:
        return {int(key.etype): key for key in generation.keys}

    old = tuple((one.kvno, by_etype(one)) for one in keys.generations()[1:][:old_max])
    return KeyRing(keys.kvno, by_etype(keys.current), keys.salt, old)


def membership(ctx: ReadContext, account: Account) -> Membership:
    """The groups of an account, split as a PAC wants them."""
    return at_commit(ctx, ("kdc.groups", account.dnt), lambda: _membership(ctx, account))


def _membership(ctx: ReadContext, account: Account) -> Membership:
    found = groups.account_groups(ctx, account.dnt)
    row = ctx.tx.get(account.dnt)
    domain = ctx.forest.domain_sid
    rids: list[int] = []
    others: list[Sid] = []
    for sid, _ in found.global_universal:
        if sid.domain() == domain:
            rids.append(sid.rid())
        else:
            others.append(sid)
    return Membership(
        tuple(rids),
        (*others, *found.sid_history),
        tuple(sid.rid() for sid in found.domain_local),
        found.builtin,
        b"" if row is None else claims.claims_blob(ctx, row),
        membership_ends.soonest(ctx, account.dnt),
    )


def client_account(ctx: ReadContext, name: PrincipalName) -> Account | None:
    """Whom a client name means: [MS-KILE] 3.3.5.6.1, W-LOGON-04."""
    if _size(name) > _KEPT_NAME_MAX:
        return _client_account(ctx, name)
    key = ("kdc.client", name.name_type, name.name_string)
    return at_commit(ctx, key, lambda: _client_account(ctx, name))


def _size(name: PrincipalName) -> int:
    """Strangers send names as long as a message can be, or of as many parts: looked up, not remembered."""
    return sum(map(len, name.name_string)) + len(name.name_string)


def _client_account(ctx: ReadContext, name: PrincipalName) -> Account | None:
    text = "/".join(name.name_string)
    if not text:
        return None
    if name.name_type == _ENTERPRISE:
        return accounts.find_by_upn(ctx, text) or (None if "@" in text else _by_sam(ctx, text))
    if name.name_type == _MS_PRINCIPAL:
        text = _without_domain(ctx, text)
    found = _by_sam(ctx, text)
    if found is not None or not text:
        return found
    return accounts.find_by_upn(ctx, text if "@" in text else f"{text}@{ctx.forest.dns_domain}")


def _without_domain(ctx: ReadContext, text: str) -> str:
    """NAME of DOMAIN\\NAME where the domain is this one, and nobody's name for another domain's."""
    domain, is_down_level, name = text.partition("\\")
    if not is_down_level:
        return text
    own = (ctx.forest.netbios.lower(), ctx.forest.dns_domain.lower())
    return name if domain.lower() in own else ""


def _by_foreign_name(ctx: ReadContext, name: PrincipalName) -> Account | None:
    """Whom altSecurityIdentities give a Kerberos name: good for a first question, never for a proof.

    Spec: [MS-KILE] 3.3.5.6.1 (DS_USER_PRINCIPAL_NAME_AND_ALTSECID).
    """
    text = "/".join(name.name_string)
    if name.name_type != _ENTERPRISE:
        text = f"{text}@{ctx.forest.dns_domain}"
    return accounts.find_by_identity(ctx, f"Kerberos:{text}")


def _by_sam(ctx: ReadContext, name: str) -> Account | None:
    return accounts.find_by_sam(ctx, name) or accounts.find_by_sam(ctx, name + "$")


def server_account(ctx: ReadContext, name: PrincipalName, user2user: bool = False) -> Account | None:
    """Whom a service name means: [MS-KILE] 3.3.5.1.1, W-LOGON-13.

    user2user: the name may be of an account that has no SPN, in whatever form.
    """
    if _size(name) > _KEPT_NAME_MAX:
        return _server_account(ctx, name, user2user)
    key = ("kdc.server", name.name_type, name.name_string, user2user)
    return at_commit(ctx, key, lambda: _server_account(ctx, name, user2user))


def _server_account(ctx: ReadContext, name: PrincipalName, user2user: bool) -> Account | None:
    parts = name.name_string
    text = "/".join(parts)
    if not text:
        return None
    if is_tgs(name) or is_change_password(name):
        return accounts.find_by_spn(ctx, text)
    if name.name_type == _ENTERPRISE:
        user = text.partition("@")[0]
        found = accounts.find_by_spn(ctx, text) or accounts.find_by_spn(ctx, user)
        found = found or accounts.find_by_upn(ctx, text) or _by_sam(ctx, user)
        return found if found is None or found.spns or found.is_machine or user2user else None
    if len(parts) > 1:
        found = accounts.find_by_spn(ctx, text)
        return None if found is None or (_names_domain(ctx, parts) and not _is_dc(found)) else found
    if name.name_type == _MS_PRINCIPAL:
        return _by_sam(ctx, _without_domain(ctx, text))
    return _by_sam(ctx, text) or accounts.find_by_upn(ctx, text)


def _names_domain(ctx: ReadContext, parts: tuple[str, ...]) -> bool:
    """Whether a service's name of three parts claims to be this domain's: only domain controllers may."""
    domains = (ctx.forest.dns_domain.lower(), ctx.forest.netbios.lower())
    return len(parts) > 2 and parts[-1].lower() in domains


def _is_dc(account: Account) -> bool:
    return bool(account.user_account_control & _DC_FLAGS)


def _optional(ctx: ReadContext, account: Account | None) -> Principal | None:
    return None if account is None else principal(ctx, account)


def as_facts(ctx: ReadContext, realm: RealmFacts, message: AsReq, armor: Armor | None = None) -> AsFacts:
    """Facts of an AS exchange; groups only where the request may get a ticket."""
    body = message.req_body
    proves = any(one.padata_type in _PROOFS for one in message.padata or ())
    client = client_account(ctx, body.cname) if body.cname is not None else None
    if client is None and body.cname is not None and not proves:
        client = _by_foreign_name(ctx, body.cname)
    server = server_account(ctx, body.sname) if body.sname is not None else None
    wanted = None
    if client is not None and (proves or client.user_account_control & _NO_PREAUTH):
        wanted = membership(ctx, client)
    facts = AsFacts(realm, _optional(ctx, client), _optional(ctx, server), wanted)
    if armor is None or armor.ticket is None:
        return facts
    device, sids, by_rodc = _armor_client(ctx, realm, armor.ticket)
    return replace(facts, armor=device, armor_sids=sids, armor_by_rodc=by_rodc)


def _armor_client(
    ctx: ReadContext, realm: RealmFacts, ticket: OpenedTicket
) -> tuple[Principal | None, frozenset[Sid], RodcClient | None]:
    """Whom an armor's ticket was made for, None for another realm's; and its groups that are known here."""
    if ticket.trust is not None:
        rids = lookup_trusts.local_rids(ctx, believed_sids(ticket))
        return None, frozenset(realm.domain_sid.child(rid) for rid in rids), None
    found = client_account(ctx, ticket.part.cname)
    if found is None:
        return None, frozenset(), None
    sids = at_commit(ctx, ("kdc.local", found.dnt), lambda: _local_sids(ctx, found))
    return principal(ctx, found), sids, _of_rodc(ctx, ticket, found)


def _of_rodc(ctx: ReadContext, ticket: OpenedTicket, client: Account | None) -> RodcClient | None:
    """What is to be known of a ticket's client where an RODC made the ticket."""
    if not ticket.rodc or client is None:
        return None
    return lookup_rodc.client_facts(ctx, ticket.rodc, client, membership(ctx, client))


def _foreign_facts(ctx: ReadContext, realm: RealmFacts, opened: OpenedTgs) -> TgsFacts:
    """Facts about another realm's client: its name means nobody here but whom it was given to."""
    sname = opened.request.message.req_body.sname
    server = server_account(ctx, sname) if sname is not None else None
    if s4u_trusts.is_asked(opened):
        return _facts_of_users_abroad(ctx, realm, opened, server)
    stands_for = lookup_trusts.mapped_account(ctx, opened.tgt)
    if stands_for is not None:
        of_account = membership(ctx, stands_for)
        return TgsFacts(
            realm,
            principal(ctx, stands_for),
            _optional(ctx, server),
            of_account.resource_rids,
            membership=of_account,
        )
    sids = believed_sids(opened.tgt)
    return TgsFacts(
        realm,
        None,
        _optional(ctx, server),
        lookup_trusts.local_rids(ctx, sids),
        may_authenticate=lookup_trusts.may_authenticate(ctx, sids, server),
    )


def tgs_facts(ctx: ReadContext, realm: RealmFacts, opened: OpenedTgs) -> TgsFacts:
    """Facts of a TGS exchange."""
    foreign, armor = opened.tgt.trust is not None, opened.request.armor
    facts = _foreign_facts(ctx, realm, opened) if foreign else _own_facts(ctx, realm, opened)
    if armor is None or armor.ticket is None:
        return facts
    device, sids, by_rodc = _armor_client(ctx, realm, armor.ticket)
    return replace(facts, armor=device, armor_sids=sids, armor_by_rodc=by_rodc)


def _own_facts(ctx: ReadContext, realm: RealmFacts, opened: OpenedTgs) -> TgsFacts:
    body = opened.request.message.req_body
    client = client_account(ctx, opened.cname)
    user2user = bool(body.kdc_options & _USER2USER)
    server = server_account(ctx, body.sname, user2user) if body.sname is not None else None
    second = client_account(ctx, opened.second.part.cname) if opened.second is not None else None
    facts = TgsFacts(
        realm,
        _optional(ctx, client),
        _optional(ctx, server),
        membership(ctx, client).resource_rids if client is not None else (),
        _optional(ctx, second),
    )
    if facts.server is not None and facts.server.policy is not None and client is not None:
        facts = replace(facts, local_sids=_local_sids(ctx, client))
    if opened.tgt.rodc:
        facts = replace(facts, client_by_rodc=_of_rodc(ctx, opened.tgt, client))
    if opened.second is not None and opened.second.rodc:
        facts = replace(facts, second_by_rodc=_of_rodc(ctx, opened.second, second))
    if opened.for_user is not None:
        user = _user(ctx, realm, opened.for_user)
        return replace(facts, user=user, delegated=_delegated(ctx, user, client))
    if body.kdc_options & _S4U2PROXY and body.additional_tickets and client is not None:
        return replace(facts, evidence=_evidence(ctx, realm, body.additional_tickets[0], client))
    return facts


# --- services for users ---


def _facts_of_users_abroad(
    ctx: ReadContext, realm: RealmFacts, opened: OpenedTgs, server: Account | None
) -> TgsFacts:
    """Facts of S4U2Self and S4U2Proxy with a partner's ticket."""
    facts = TgsFacts(realm, None, _optional(ctx, server))
    wanted, tgt = opened.for_user, opened.tgt
    if wanted is None:
        evidence, sids = _evidence_from_abroad(ctx, realm, opened)
        allowed = lookup_trusts.may_authenticate(ctx, sids, server)
        return replace(facts, evidence=evidence, may_authenticate=allowed)
    if realm.is_alias(wanted.crealm):
        return replace(facts, user=_user(ctx, realm, wanted))
    service = client_account(ctx, opened.cname) if realm.is_alias(tgt.part.crealm) else None
    sids = believed_sids(tgt, (str(wanted.cname), wanted.crealm))
    return replace(
        facts,
        client=_optional(ctx, service),
        resource_rids=lookup_trusts.local_rids(ctx, sids),
        may_authenticate=lookup_trusts.may_authenticate(ctx, sids, server),
    )


def _evidence_from_abroad(
    ctx: ReadContext, realm: RealmFacts, opened: OpenedTgs
) -> tuple[Evidence | None, tuple[Sid, ...]]:
    """What is known of a user whom a partner's ticket leads here, and of the service that leads."""
    tgt, ticket = opened.tgt, opened.evidence
    if ticket is None:
        return None, ()
    own = lookup_trusts.local_rids(ctx, believed_sids(tgt))
    sids = s4u_trusts.sids_of_user(ticket)
    evidence = Evidence(
        ticket,
        f"{tgt.part.cname}@{tgt.part.crealm}",
        True,
        None,
        frozenset(realm.domain_sid.child(rid) for rid in own),
        lookup_trusts.local_rids(ctx, sids),
    )
    return evidence, sids


def _user(ctx: ReadContext, realm: RealmFacts, wanted: ForUser) -> Impersonated | None:
    """Whom S4U2Self means; a certificate and a name must mean the same account ([MS-SFU] 2.2.2)."""
    if not realm.is_alias(wanted.crealm):
        return None
    found = None if wanted.cname is None else client_account(ctx, wanted.cname)
    if wanted.certificate is not None:
        shown = account_of_certificate(ctx, wanted.certificate)
        if wanted.cname is not None and (found is None or shown is None or found.dnt != shown.dnt):
            return None
        found = shown
    return _impersonated(ctx, found)


def _delegated(ctx: ReadContext, user: Impersonated | None, machine: Account | None) -> Delegated | None:
    """What is known of a delegated managed account that a machine asks to act as."""
    if user is None or machine is None:
        return None
    old = lookup_delegated.replaced_account(ctx, user.principal)
    before = None if old is None else lookup_delegated.with_itself(old, membership(ctx, old))
    return lookup_delegated.delegated(ctx, user.principal, user.membership, before, machine)


def account_of_certificate(ctx: ReadContext, certificate: bytes) -> Account | None:
    """The account that a certificate is mapped to, None for none or several."""
    try:
        return certificates.account_of(ctx, certificate)
    except AuthError:
        return None


def _impersonated(ctx: ReadContext, account: Account | None) -> Impersonated | None:
    if account is None:
        return None
    return at_commit(
        ctx,
        ("kdc.user", account.dnt),
        lambda: Impersonated(principal(ctx, account), membership(ctx, account)),
    )


def _evidence(ctx: ReadContext, realm: RealmFacts, ticket: Ticket, service: Account) -> Evidence:
    """What is known about the evidence of S4U2Proxy, opened with the keys of the service that shows it."""
    named = server_account(ctx, ticket.sname, user2user=True)
    opened = open_evidence(ticket, principal(ctx, service).keys)
    user: Impersonated | None = None
    rids: tuple[int, ...] = ()
    if isinstance(opened, OpenedTicket):
        if realm.is_alias(opened.part.crealm):
            user = _impersonated(ctx, client_account(ctx, opened.part.cname))
        else:
            rids = lookup_trusts.local_rids(ctx, told_sids(opened))
    return Evidence(
        opened,
        f"{ticket.sname}@{ticket.realm}",
        named is not None and named.dnt == service.dnt and realm.is_alias(ticket.realm),
        user,
        at_commit(ctx, ("kdc.local", service.dnt), lambda: _local_sids(ctx, service)),
        rids,
    )


def _local_sids(ctx: ReadContext, account: Account) -> frozenset[Sid]:
    found = groups.account_groups(ctx, account.dnt)
    return frozenset((*found.domain_local, *found.builtin))
