"""Whom names mean, and what the KDC knows of an account: keys, groups, restrictions.

Spec: [MS-KILE] 3.3.1.1, 3.3.5.1.1, 3.3.5.6.1.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar, cast

from addc.auth import certificates
from addc.auth.gss import AuthError
from addc.codec.ids import Sid
from addc.codec.krb5 import PrincipalName
from addc.codec.krb5_numbers import NameType
from addc.directory import (
    accounts,
    authn_policies,
    claims,
    groups,
    logon,
    managed_passwords,
    membership_ends,
    passwords,
)
from addc.directory.accounts import Account
from addc.directory.context import ReadContext
from addc.directory.password_policy import effective_policy
from addc.kdc import lookup_delegated
from addc.kdc.facts import (
    KeyRing,
    Membership,
    Principal,
    Profile,
)
from addc.kdc.principal_names import is_change_password, is_tgs
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.security.krb_keys import Key
from addc.store.objects import ObjectRow

T = TypeVar("T")

_KEPT_NAME_MAX: Final = 256
"""Characters of a name that is remembered."""
TGT_KEYS_OLD: Final = 1
"""How many of krbtgt's previous passwords count: two resets make every older ticket worthless."""
_ENTERPRISE: Final = int(NameType.KRB_NT_ENTERPRISE)
_MS_PRINCIPAL: Final = int(NameType.KRB_NT_MS_PRINCIPAL)
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
    ctx.keep(key, seq, value)
    return value


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
        ctx.keep(("kdc.account", row.dnt), row, fresh)
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
        keys=_key_ring(passwords.keys_of(ctx, row), TGT_KEYS_OLD if _is_krbtgt(account) else None),
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


def account_of_foreign_name(ctx: ReadContext, name: PrincipalName) -> Account | None:
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


def optional_principal(ctx: ReadContext, account: Account | None) -> Principal | None:
    """None for nobody."""
    return None if account is None else principal(ctx, account)


def local_sids(ctx: ReadContext, account: Account) -> frozenset[Sid]:
    """The groups of an account that no TGT names: this domain's domain-local ones, and those of BUILTIN."""
    return at_commit(ctx, ("kdc.local", account.dnt), lambda: _local_sids(ctx, account))


def _local_sids(ctx: ReadContext, account: Account) -> frozenset[Sid]:
    found = groups.account_groups(ctx, account.dnt)
    return frozenset((*found.domain_local, *found.builtin))


def account_of_certificate(ctx: ReadContext, certificate: bytes) -> Account | None:
    """The account that a certificate is mapped to, None for none or several."""
    try:
        return certificates.account_of(ctx, certificate)
    except AuthError:
        return None
