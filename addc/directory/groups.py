"""Transitive group membership, and the tokens made of it.

Spec: [MS-DRSR] 4.1.8.2.6, 4.1.8.3 (which groups count), [MS-ADTS] 3.1.1.13.3, [MS-KILE] 3.3.5.6.4.2.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt
from addc.codec.ids import Sid
from addc.codes.win32 import Win32
from addc.directory import entry, lsa_accounts
from addc.directory.context import Fact, ReadContext, WriteContext
from addc.schema import attr
from addc.security import wellknown
from addc.security.account_flags import GroupType, UserAccountControl
from addc.security.token import LOGON_SIDS, NO_CLAIMS, SYSTEM, Claims, Token, build_token
from addc.store.objects import ObjectRow, ObjectState
from addc.store.state import LINKS_STATE

T = TypeVar("T")

MEMBER_LINK: Final = 1
"""linkID 2 (member, memberOf) // 2."""
SE_GROUP_DEFAULT: Final = 0x7
"""SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED."""
GROUPS_MAX: Final = 100_000
"""Groups that one principal may be in; a walk that finds more is refused."""

_SECURITY_ENABLED: Final = int(GroupType.GROUP_TYPE_SECURITY_ENABLED)
_RESOURCE: Final = int(GroupType.GROUP_TYPE_RESOURCE_GROUP)
_APPLICATION: Final = int(GroupType.GROUP_TYPE_APP_BASIC_GROUP | GroupType.GROUP_TYPE_APP_QUERY_GROUP)
_DC: Final = int(UserAccountControl.UF_SERVER_TRUST_ACCOUNT)
_RODC: Final = int(UserAccountControl.UF_PARTIAL_SECRETS_ACCOUNT)
_HELD_BY: Final = frozenset(
    (attr.GROUP_TYPE, attr.PRIMARY_GROUP_ID, attr.SID_HISTORY, attr.USER_ACCOUNT_CONTROL)
)
"""Attributes that memberships and tokens are made of, beside links."""


@dataclass(frozen=True, slots=True)
class GroupMembership:
    """Every group that a principal is in, directly or through others, the primary group first.

    global_universal: SID and SE_GROUP_* attributes. domain_local: of this domain. builtin: S-1-5-32-*.
    sid_history: of the principal and of its groups.
    """

    global_universal: tuple[tuple[Sid, int], ...]
    domain_local: tuple[Sid, ...]
    builtin: tuple[Sid, ...]
    sid_history: tuple[Sid, ...]

    def all_sids(self) -> frozenset[Sid]:
        """Every SID that goes into a token."""
        return frozenset(
            (*(sid for sid, _ in self.global_universal), *self.domain_local, *self.builtin, *self.sid_history)
        )


def account_groups(ctx: ReadContext, dnt: Dnt) -> GroupMembership:
    """The groups of the principal in row `dnt`.

    Raises DsError(ERROR_DS_OBJ_NOT_FOUND) if there is none.
    """
    return _kept(ctx, "groups", dnt, lambda: _membership(ctx, _principal(ctx, dnt)))


def _principal(ctx: ReadContext, dnt: Dnt) -> ObjectRow:
    row = ctx.tx.get(dnt)
    if row is None or row.sid is None or row.state is not ObjectState.LIVE:
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "no such principal")
    return row


def _kept(ctx: ReadContext, kind: str, of: Hashable, derive: Callable[[], T]) -> T:
    """A derived value that holds as long as no membership changes anywhere."""
    key = (kind, of)
    version = links_version(ctx)
    found = ctx.facts.get(key)
    if found is not None and found[0] == version:
        return cast(T, found[1])
    value = derive()
    ctx.keep(key, version, value)
    return value


_VERSION: Final[Fact[int]] = Fact()


def links_version(ctx: ReadContext) -> int:
    """The last commit that changed link values, brought objects or took them, or that `changed` knows of."""
    return _VERSION.get(ctx, ctx.tx.seq, lambda: int.from_bytes(ctx.tx.state(LINKS_STATE) or b"", "big"))


def changed(ctx: WriteContext, atts: Iterable[AttId]) -> None:
    """Have memberships and tokens made anew where one of these attributes, just written, is in them."""
    if not _HELD_BY.isdisjoint(atts):
        ctx.tx.end_links_state()


def primary_group(ctx: ReadContext, row: ObjectRow) -> ObjectRow | None:
    """The group that primaryGroupID names in the principal's own domain."""
    rid = entry.integer(row, attr.PRIMARY_GROUP_ID)
    if not rid or row.sid is None:
        return None
    found = ctx.tx.by_sid(bytes(Sid(row.sid).domain().child(rid)))
    return next((one for one in found if one.state is ObjectState.LIVE), None)


def security_group(row: ObjectRow) -> bool:
    """Whether a row is a group whose SID goes into tokens."""
    return (
        row.state is ObjectState.LIVE
        and row.sid is not None
        and bool(entry.integer(row, attr.GROUP_TYPE) & _SECURITY_ENABLED)
    )


def closure(ctx: ReadContext, start: Iterable[ObjectRow]) -> list[ObjectRow]:
    """The security groups that any of `start` is in, nearest first; `start` itself only if nested in itself.

    Groups are passed through only if they are security groups ([MS-DRSR] 4.1.8.3).
    """
    seen: dict[Dnt, ObjectRow] = {}
    frontier = [row.dnt for row in start]
    while frontier:
        above: dict[Dnt, None] = {}
        for dnt in frontier:
            above.update(dict.fromkeys(ctx.tx.link_sources(MEMBER_LINK, dnt)))
        fresh = [
            row for row in ctx.tx.get_many([dnt for dnt in above if dnt not in seen]) if security_group(row)
        ]
        seen.update({row.dnt: row for row in fresh})
        if len(seen) > GROUPS_MAX:
            raise DsError(Win32.ERROR_DS_ADMIN_LIMIT_EXCEEDED, "member of too many groups")
        frontier = [row.dnt for row in fresh]
    return list(seen.values())


def _membership(ctx: ReadContext, row: ObjectRow) -> GroupMembership:
    primary = primary_group(ctx, row)
    direct = [row] if primary is None else [row, primary]
    groups = closure(ctx, direct)
    if primary is not None and security_group(primary):
        groups = [primary, *(group for group in groups if group.dnt != primary.dnt)]
    return _sorted_out(ctx, row, groups)


def _sorted_out(ctx: ReadContext, row: ObjectRow, groups: list[ObjectRow]) -> GroupMembership:
    account: list[tuple[Sid, int]] = []
    local: list[Sid] = []
    builtin: list[Sid] = []
    history = _sid_history(row)
    for group in groups:
        assert group.sid is not None
        sid = Sid(group.sid)
        kind = entry.integer(group, attr.GROUP_TYPE)
        if sid.domain() == wellknown.BUILTIN_DOMAIN:
            builtin.append(sid)
        elif kind & (_RESOURCE | _APPLICATION):
            local.append(sid)
        else:
            account.append((sid, SE_GROUP_DEFAULT))
        history += _sid_history(group)
    if _is_rodc(row):
        account.append(
            (
                ctx.forest.domain_sid.child(wellknown.RID_ENTERPRISE_READONLY_DOMAIN_CONTROLLERS),
                SE_GROUP_DEFAULT,
            )
        )
    return GroupMembership(tuple(account), tuple(local), tuple(builtin), tuple(dict.fromkeys(history)))


def _sid_history(row: ObjectRow) -> list[Sid]:
    return [Sid(value) for value in row.attrs.get(attr.SID_HISTORY, ())]


def _is_rodc(row: ObjectRow) -> bool:
    return bool(entry.integer(row, attr.USER_ACCOUNT_CONTROL) & _RODC)


def _is_dc(row: ObjectRow) -> bool:
    return bool(entry.integer(row, attr.USER_ACCOUNT_CONTROL) & _DC)


def local_groups(ctx: ReadContext, sids: Iterable[Sid]) -> frozenset[Sid]:
    """The domain-local and built-in groups of this domain that a holder of `sids` is in.

    Foreign and well-known SIDs are members through their foreignSecurityPrincipal objects.
    Spec: [MS-SAMR] 3.1.5.9.2 (SamrGetAliasMembership).
    """
    held = frozenset(sids)
    return _kept(ctx, "local", held, lambda: _local_groups(ctx, held))


def _local_groups(ctx: ReadContext, sids: Iterable[Sid]) -> frozenset[Sid]:
    rows: list[ObjectRow] = []
    for sid in sids:
        rows += [row for row in ctx.tx.by_sid(bytes(sid)) if row.state is ObjectState.LIVE]
    found = set()
    for group in closure(ctx, rows):
        assert group.sid is not None
        if entry.integer(group, attr.GROUP_TYPE) & _RESOURCE:
            found.add(Sid(group.sid))
    return frozenset(found)


def token_for(ctx: ReadContext, dnt: Dnt) -> Token:
    """The token of the principal in row `dnt`, logged on over the network.

    Raises DsError(ERROR_DS_OBJ_NOT_FOUND) if there is none.
    """
    return _kept(ctx, "token", dnt, lambda: _token(ctx, _principal(ctx, dnt)))


def _token(ctx: ReadContext, row: ObjectRow) -> Token:
    assert row.sid is not None
    user = Sid(row.sid)
    membership = account_groups(ctx, row.dnt)
    # Its own groups have been walked up already; what logging on adds has not, nor what it once was.
    added = [*LOGON_SIDS, *membership.sid_history]
    if _is_dc(row):
        added.append(wellknown.ENTERPRISE_DOMAIN_CONTROLLERS)
    groups = membership.all_sids() | local_groups(ctx, added) | frozenset(added[len(LOGON_SIDS) :])
    primary = entry.integer(row, attr.PRIMARY_GROUP_ID, int(wellknown.RID_DOMAIN_USERS))
    return _built(ctx, user, (user, *groups), user.domain().child(primary), NO_CLAIMS)


def token_of_sids(
    ctx: ReadContext,
    user: Sid,
    groups: Iterable[Sid],
    *,
    primary_group: Sid | None = None,
    claims: Claims = NO_CLAIMS,
) -> Token:
    """The token of a principal known by its SIDs, such as those of a PAC.

    Adds what logging on here adds: the SIDs of every network logon, this domain's local groups, privileges.
    """
    if user == wellknown.LOCAL_SYSTEM:
        return SYSTEM
    sids = frozenset((user, *groups))
    sids |= local_groups(ctx, (*sids, *LOGON_SIDS))
    return _built(ctx, user, sids, primary_group, claims)


def _built(
    ctx: ReadContext, user: Sid, sids: Iterable[Sid], primary_group: Sid | None, claims: Claims
) -> Token:
    token = build_token(user, sids, primary_group=primary_group, claims=claims)
    privileges = lsa_accounts.privileges_of(ctx, token.sids)
    return Token(token.user, token.sids, privileges, primary_group, None, claims)
