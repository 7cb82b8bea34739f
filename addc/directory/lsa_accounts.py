"""Who holds which privilege and logon right on this domain's DCs: the account objects of the LSA.

They are local policy and not objects of the directory; kept as state of the store, so that every process and
host of one database heeds a change at the next logon. Until something is changed the holders are those of a
new DC. Token-making asks here and nowhere else.

Spec: [MS-LSAD] 3.1.1.3, 3.1.1.2.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from addc.base.errors import DsError
from addc.codec.ids import Sid
from addc.codes.win32 import Win32
from addc.directory.context import Fact, ReadContext, WriteContext
from addc.security import wellknown
from addc.security.account_rights import DEFAULT_HOLDERS, AccountRight, Held, SystemAccess
from addc.security.token import Privilege

_STATE: Final = "lsa.accounts"
ACCOUNTS_MAX: Final = 10_000
"""Accounts that hold rights by themselves; rights are for groups."""
_SERVICES: Final = frozenset((wellknown.LOCAL_SERVICE, wellknown.NETWORK_SERVICE))
_KEPT_BY_SERVICES: Final = int(
    Privilege.SE_AUDIT | Privilege.SE_CHANGE_NOTIFY | Privilege.SE_IMPERSONATE | Privilege.SE_CREATE_GLOBAL
)


@dataclass(frozen=True, slots=True)
class LsaAccount:
    """An account object. descriptor: self-relative; None for the default one."""

    held: Held
    descriptor: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Table:
    """All accounts, in the order of their SIDs' text, and what token-making needs of them."""

    accounts: Mapping[Sid, LsaAccount]
    privileges: tuple[tuple[Sid, int], ...]


_TABLE: Final[Fact[_Table]] = Fact()
_PARSED: Final[Fact[_Table]] = Fact()


def _table(ctx: ReadContext) -> _Table:
    return _TABLE.get(ctx, ctx.tx.seq, lambda: _read(ctx))


def _read(ctx: ReadContext) -> _Table:
    """The table of this snapshot; made anew only where the state is another."""
    raw = ctx.tx.state(_STATE)
    kept = ctx.facts.get(_PARSED)
    if kept is not None and kept[0] == raw:
        assert isinstance(kept[1], _Table)
        return kept[1]
    table = _made(_parsed(raw))
    ctx.facts[_PARSED] = (raw, table)
    return table


def _parsed(raw: bytes | None) -> dict[Sid, LsaAccount]:
    if raw is None:
        return {sid: LsaAccount(held) for sid, held in DEFAULT_HOLDERS.items()}
    return {
        Sid.parse(text): LsaAccount(
            Held(Privilege(one["privileges"]), SystemAccess(one["access"])),
            bytes.fromhex(one["sd"]) if "sd" in one else None,
        )
        for text, one in json.loads(raw).items()
    }


def _made(accounts: dict[Sid, LsaAccount]) -> _Table:
    ordered = dict(sorted(accounts.items(), key=lambda item: str(item[0])))
    privileges = tuple((sid, int(one.held.privileges)) for sid, one in ordered.items() if one.held.privileges)
    return _Table(ordered, privileges)


# --- asking ------------------------------------------------------------------------------------------------


def privileges_of(ctx: ReadContext, sids: frozenset[Sid]) -> Privilege:
    """The privileges that holding these SIDs brings on this domain's DCs."""
    held = 0
    for sid, privileges in _table(ctx).privileges:
        if sid in sids:
            held |= privileges
    return Privilege(held)


def system_access_of(ctx: ReadContext, sids: frozenset[Sid]) -> SystemAccess:
    """The ways to log on that are granted to, or denied to, a principal of these SIDs."""
    found = 0
    for sid, one in _table(ctx).accounts.items():
        if sid in sids:
            found |= int(one.held.access)
    return SystemAccess(found)


def may_log_on_from_network(ctx: ReadContext, sids: frozenset[Sid]) -> bool:
    """Whether a DC lets a principal of these SIDs in from the network; a denial stands above every grant."""
    access = system_access_of(ctx, sids)
    return bool(access & SystemAccess.NETWORK) and not access & SystemAccess.DENY_NETWORK


def listed(ctx: ReadContext) -> Mapping[Sid, LsaAccount]:
    """Every account object, always in the same order."""
    return _table(ctx).accounts


def find(ctx: ReadContext, sid: Sid) -> LsaAccount | None:
    """The account object of a SID."""
    return _table(ctx).accounts.get(sid)


def holders(ctx: ReadContext, right: AccountRight) -> tuple[Sid, ...]:
    """The accounts that hold a right by themselves."""
    return tuple(
        [
            sid
            for sid, one in _table(ctx).accounts.items()
            if one.held.privileges & right.privilege or one.held.access & right.access
        ]
    )


# --- changing ----------------------------------------------------------------------------------------------


def create(ctx: WriteContext, sid: Sid) -> None:
    """A new account object that holds nothing. Raises DsError where there is one."""
    if find(ctx, sid) is not None:
        raise DsError(Win32.ERROR_ALREADY_EXISTS, f"{sid} has an account object")
    put(ctx, sid, LsaAccount(Held()))


def hold(ctx: WriteContext, sid: Sid, held: Held) -> None:
    """Have an account hold this and nothing else; it is made where it is not there.

    Raises DsError(ERROR_NOT_SUPPORTED) for taking from the services' accounts what they cannot do without.
    Spec: [MS-LSAD] 3.1.4.5.12.
    """
    before = find(ctx, sid) or LsaAccount(Held())
    lost = int(before.held.privileges) & ~int(held.privileges)
    if sid in _SERVICES and lost & _KEPT_BY_SERVICES:
        raise DsError(Win32.ERROR_NOT_SUPPORTED, f"{sid} cannot do without these privileges")
    put(ctx, sid, replace(before, held=held))


def delete(ctx: WriteContext, sid: Sid) -> None:
    """End an account object, and what it held. Raises DsError as `hold`."""
    hold(ctx, sid, Held())
    put(ctx, sid, None)


def set_holders(ctx: WriteContext, right: AccountRight, sids: Iterable[Sid]) -> None:
    """Have these accounts, and no others, hold a right, as a policy's security template has it."""
    wanted = frozenset(sids)
    for sid in wanted | frozenset(holders(ctx, right)):
        held = (find(ctx, sid) or LsaAccount(Held())).held
        hold(ctx, sid, held.with_rights((right,)) if sid in wanted else held.without_rights((right,)))


def put(ctx: WriteContext, sid: Sid, account: LsaAccount | None) -> None:
    """Write an account object; None takes it away. Tokens made from now on heed it."""
    accounts = dict(_table(ctx).accounts)
    if account is None:
        accounts.pop(sid, None)
    else:
        accounts[sid] = account
    if len(accounts) > ACCOUNTS_MAX:
        raise DsError(Win32.ERROR_NOT_ENOUGH_QUOTA, f"{ACCOUNTS_MAX} accounts hold rights already")
    ctx.tx.set_state(_STATE, _packed(accounts))
    ctx.tx.end_links_state()
    ctx.facts.pop(_TABLE, None)


def _packed(accounts: Mapping[Sid, LsaAccount]) -> bytes:
    rows = {}
    for sid, one in accounts.items():
        row: dict[str, object] = {"privileges": int(one.held.privileges), "access": int(one.held.access)}
        if one.descriptor is not None:
            row["sd"] = one.descriptor.hex()
        rows[str(sid)] = row
    return json.dumps(rows, sort_keys=True).encode()
