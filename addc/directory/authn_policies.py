"""Authentication policies and silos: which of them an account is under.

Most forests have none, so the first question is whether there are any. What is found is kept as long as
neither links nor the objects change.

Spec: [MS-KILE] 3.3.1.1, 3.3.5.4, 3.3.5.5, [MS-ADSC] 2.120, 2.121, [MS-ADTS] 3.1.1.11.2.18.
"""

from dataclasses import dataclass, replace
from typing import Final

from addc.base.errors import DecodeError
from addc.base.ids import AttId, Dnt
from addc.directory import accounts, entry, groups
from addc.directory.context import Fact, ReadContext
from addc.schema import attr
from addc.security.authn_policy import AuthnPolicy
from addc.security.descriptor import SecurityDescriptor
from addc.store.objects import ObjectRow, ObjectState

_POLICY_CLASS: Final = b"msDS-AuthNPolicy"
_SILO_CLASS: Final = b"msDS-AuthNPolicySilo"
_NOT_VALID: Final = SecurityDescriptor()
"""In place of a descriptor that cannot be read: one without an owner, which nobody satisfies."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where silos and policies keep what is meant for accounts of one class. None: there is nothing."""

    policy_of_silo: AttId
    allowed_to: AttId
    tgt_lifetime: AttId
    allowed_from: AttId | None = None
    ntlm_allowed: AttId | None = None


_USER: Final = _Kind(
    attr.MS_DS_USER_AUTH_N_POLICY,
    attr.MS_DS_USER_ALLOWED_TO_AUTHENTICATE_TO,
    attr.MS_DS_USER_TGT_LIFETIME,
    attr.MS_DS_USER_ALLOWED_TO_AUTHENTICATE_FROM,
    attr.MS_DS_USER_ALLOWED_NTLM_NETWORK_AUTHENTICATION,
)
_SERVICE: Final = _Kind(
    attr.MS_DS_SERVICE_AUTH_N_POLICY,
    attr.MS_DS_SERVICE_ALLOWED_TO_AUTHENTICATE_TO,
    attr.MS_DS_SERVICE_TGT_LIFETIME,
    attr.MS_DS_SERVICE_ALLOWED_TO_AUTHENTICATE_FROM,
    attr.MS_DS_SERVICE_ALLOWED_NTLM_NETWORK_AUTHENTICATION,
)
_COMPUTER: Final = _Kind(
    attr.MS_DS_COMPUTER_AUTH_N_POLICY,
    attr.MS_DS_COMPUTER_ALLOWED_TO_AUTHENTICATE_TO,
    attr.MS_DS_COMPUTER_TGT_LIFETIME,
)
_KINDS: Final = {
    b"user": _USER,
    b"computer": _COMPUTER,
    b"msDS-ManagedServiceAccount": _SERVICE,
    b"msDS-GroupManagedServiceAccount": _SERVICE,
}

_ANY: Final[Fact[bool]] = Fact()


@dataclass(frozen=True, slots=True)
class _Assigned:
    """What links say of an account. silo: assigned, with the account among its members."""

    silo: Dnt | None
    policy: Dnt | None


_NOTHING: Final = _Assigned(None, None)


def policy_of(ctx: ReadContext, row: ObjectRow) -> AuthnPolicy | None:
    """The authentication policy that applies to an account, None where there is none.

    A silo goes before a policy of the account's own, even where it says nothing about accounts of this class.
    """
    if not in_use(ctx):
        return None
    kind = _kind(row)
    assigned = _assigned(ctx, row)
    if kind is None or assigned is _NOTHING:
        return None
    silo = _living(ctx, assigned.silo, _SILO_CLASS)
    if silo is None:
        policy = _living(ctx, assigned.policy, _POLICY_CLASS)
        return None if policy is None else _read(ctx, policy, kind, None)
    policy = _living(ctx, _target(ctx, silo, kind.policy_of_silo), _POLICY_CLASS)
    return None if policy is None else _read(ctx, policy, kind, silo)


def silo_name(ctx: ReadContext, row: ObjectRow) -> str | None:
    """The value of the AuthenticationSilo claim: the enforced silo that the account belongs to.

    Spec: [MS-ADTS] 3.1.1.11.2.18 (GetAuthSiloClaim).
    """
    if not in_use(ctx):
        return None
    silo = _living(ctx, _assigned(ctx, row).silo, _SILO_CLASS)
    if silo is None or not entry.boolean(silo, attr.MS_DS_AUTH_N_POLICY_SILO_ENFORCED):
        return None
    return silo.rdn


def in_use(ctx: ReadContext) -> bool:
    """Whether the forest has policies or silos at all."""
    return _ANY.get(ctx, groups.links_version(ctx), lambda: _any_of(ctx, _POLICY_CLASS, _SILO_CLASS))


def _any_of(ctx: ReadContext, *classes: bytes) -> bool:
    attribute = ctx.schema.attribute_by_id(attr.OBJECT_CLASS)
    assert attribute is not None
    return any(ctx.tx.index_eq(attr.OBJECT_CLASS, attribute.syntax.key(name), limit=1) for name in classes)


def _kind(row: ObjectRow) -> _Kind | None:
    """By the nearest of the classes that policies know."""
    for name in reversed(entry.class_names(row)):
        kind = _KINDS.get(name)
        if kind is not None:
            return kind
    return None


def _assigned(ctx: ReadContext, row: ObjectRow) -> _Assigned:
    version = groups.links_version(ctx)
    key = ("authn.assigned", row.dnt)
    kept = ctx.facts.get(key)
    if kept is not None and kept[0] == version:
        assert isinstance(kept[1], _Assigned)
        return kept[1]
    found = _read_assigned(ctx, row)
    ctx.keep(key, version, found)
    return found


def _read_assigned(ctx: ReadContext, row: ObjectRow) -> _Assigned:
    silo = _target(ctx, row, attr.MS_DS_ASSIGNED_AUTH_N_POLICY_SILO)
    members = ctx.schema.attribute_by_id(attr.MS_DS_AUTH_N_POLICY_SILO_MEMBERS)
    if silo is not None and members is not None:
        link = ctx.tx.link(entry.link_base(members), silo, row.dnt)
        silo = None if link is None or link.deleted else silo
    policy = _target(ctx, row, attr.MS_DS_ASSIGNED_AUTH_N_POLICY)
    return _NOTHING if silo is None and policy is None else _Assigned(silo, policy)


def _target(ctx: ReadContext, row: ObjectRow, att: AttId) -> Dnt | None:
    attribute = ctx.schema.attribute_by_id(att)
    if attribute is None:
        return None
    targets = ctx.tx.link_targets(entry.link_base(attribute), row.dnt, limit=1)
    return targets[0] if targets else None


def _living(ctx: ReadContext, dnt: Dnt | None, class_name: bytes) -> ObjectRow | None:
    row = None if dnt is None else ctx.tx.get(dnt)
    return row if row is not None and row.state is ObjectState.LIVE and entry.is_a(row, class_name) else None


def _read(ctx: ReadContext, policy: ObjectRow, kind: _Kind, silo: ObjectRow | None) -> AuthnPolicy:
    """A silo's own word on whether it is enforced goes for the policies that come by it."""
    own = accounts.kept(ctx, f"authn.policy.{kind.tgt_lifetime}", policy, lambda: _made(policy, kind))
    if silo is None:
        return own
    enforced = entry.boolean(silo, attr.MS_DS_AUTH_N_POLICY_SILO_ENFORCED)
    return replace(own, enforced=enforced, silo=silo.rdn)


def _made(policy: ObjectRow, kind: _Kind) -> AuthnPolicy:
    return AuthnPolicy(
        name=policy.rdn,
        enforced=entry.boolean(policy, attr.MS_DS_AUTH_N_POLICY_ENFORCED),
        tgt_lifetime=entry.integer(policy, kind.tgt_lifetime),
        allowed_from=_descriptor(policy, kind.allowed_from),
        allowed_to=_descriptor(policy, kind.allowed_to),
        ntlm_allowed=kind.ntlm_allowed is not None and entry.boolean(policy, kind.ntlm_allowed),
        strong_ntlm=entry.integer(policy, attr.MS_DS_STRONG_NTLM_POLICY),
    )


def _descriptor(policy: ObjectRow, att: AttId | None) -> SecurityDescriptor | None:
    value = None if att is None else entry.first(policy, att)
    if value is None:
        return None
    try:
        return SecurityDescriptor.unpack(value)
    except DecodeError:
        return _NOT_VALID
