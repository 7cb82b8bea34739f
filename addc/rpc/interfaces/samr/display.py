"""Accounts in the order of their names, as lists for administrators show them.

The list of a query is kept on the domain handle: the index of an account is its place in it, from 1 on, and
the next call goes on behind the index that it says. A query at index 0 makes the list anew.

Spec: [MS-SAMR] 3.1.5.3, 2.2.8.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.errors import NtError
from addc.base.ids import AttId, Dnt
from addc.codec.ids import Sid
from addc.codec.ndr import Tagged
from addc.codec.text import fold
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.directory import entry
from addc.directory.context import ReadContext
from addc.rpc.call import Call, RpcFault
from addc.rpc.interfaces.samr import idl, rights
from addc.rpc.interfaces.samr.groups import ATTRIBUTES
from addc.rpc.interfaces.samr.handles import DomainHandle, held, read
from addc.rpc.interfaces.samr.idl import DisplayInformationClass as Level
from addc.rpc.interfaces.samr.lookups import in_domain, of_types
from addc.rpc.interfaces.samr.users import account_control
from addc.schema import attr
from addc.security.account_flags import SamAccountType, UserAccount
from addc.store.objects import ObjectRow

_USERS: Final = (SamAccountType.SAM_USER_OBJECT,)
_MACHINES: Final = (SamAccountType.SAM_MACHINE_ACCOUNT,)
_GROUPS: Final = (SamAccountType.SAM_GROUP_OBJECT,)
_TYPES: Final = {
    Level.DOMAIN_DISPLAY_USER: _USERS,
    Level.DOMAIN_DISPLAY_MACHINE: _MACHINES,
    Level.DOMAIN_DISPLAY_GROUP: _GROUPS,
    Level.DOMAIN_DISPLAY_OEM_USER: _USERS,
    Level.DOMAIN_DISPLAY_OEM_GROUP: _GROUPS,
}
_OEM: Final = (Level.DOMAIN_DISPLAY_OEM_USER, Level.DOMAIN_DISPLAY_OEM_GROUP)
_BUFFERS: Final = {
    Level.DOMAIN_DISPLAY_USER: idl.DomainDisplayUserBuffer,
    Level.DOMAIN_DISPLAY_MACHINE: idl.DomainDisplayMachineBuffer,
    Level.DOMAIN_DISPLAY_GROUP: idl.DomainDisplayGroupBuffer,
    Level.DOMAIN_DISPLAY_OEM_USER: idl.DomainDisplayOemBuffer,
    Level.DOMAIN_DISPLAY_OEM_GROUP: idl.DomainDisplayOemBuffer,
}
_OEM_CODE_PAGE: Final = "cp850"
_ENTRY_SIZE: Final = 36
"""Octets of an entry besides its texts."""
_ENTRIES_MAX: Final = 4096
_BATCH: Final = 2048
_FIRST: Final = Dnt(0)


# --- the list ----------------------------------------------------------------------------------------------


def _ordered(ctx: ReadContext, domain: Sid, types: Sequence[SamAccountType]) -> tuple[Dnt, ...]:
    """The accounts of a domain in the order of their names."""
    named: list[tuple[str, Dnt]] = []
    after = _FIRST
    while True:
        batch = of_types(ctx, types, after, _BATCH)
        ctx.pace.step(len(batch))
        for row in ctx.tx.pass_by(batch):
            if in_domain(ctx, row, domain):
                named.append((fold(entry.text(row, attr.SAM_ACCOUNT_NAME) or ""), row.dnt))
        if len(batch) < _BATCH:
            named.sort()
            return tuple(dnt for _, dnt in named)
        after = batch[-1]


def _domain_of(ctx: ReadContext, domain: DomainHandle, level: int) -> Sid:
    """Whose accounts are listed: for OEM clients those of both domains, which are the account domain's."""
    return ctx.forest.domain_sid if level in _OEM else domain.sid


def _list(ctx: ReadContext, domain: DomainHandle, level: int, index: int) -> tuple[Dnt, ...]:
    kept = domain.listing
    if not index or kept.level != level:
        kept.rows = _ordered(ctx, _domain_of(ctx, domain, level), _TYPES[Level(level)])
        kept.level = level
    return kept.rows


# --- entries -----------------------------------------------------------------------------------------------

Entry = idl.DomainDisplayUser | idl.DomainDisplayMachine | idl.DomainDisplayGroup | idl.DomainDisplayOem


def _text(row: ObjectRow, att: AttId) -> str:
    return entry.text(row, att) or ""


def _entry(ctx: ReadContext, level: int, row: ObjectRow, index: int) -> tuple[Entry, int]:
    """One account as its level shows it, and how many octets that is. Spec: [MS-SAMR] 3.1.5.3.1."""
    assert row.sid is not None
    rid, name = int(Sid(row.sid).rid()), _text(row, attr.SAM_ACCOUNT_NAME)
    if level in _OEM:
        data = name.encode(_OEM_CODE_PAGE, "replace")
        return idl.DomainDisplayOem(index, idl.RpcString(len(data), len(data), data)), len(data)
    comment = _text(row, attr.DESCRIPTION)
    size = 2 * (len(name) + len(comment))
    if level == Level.DOMAIN_DISPLAY_GROUP:
        return idl.DomainDisplayGroup(index, rid, ATTRIBUTES, name, comment), size
    flags = account_control(ctx, row)
    if level == Level.DOMAIN_DISPLAY_MACHINE:
        shown = flags | UserAccount.USER_NORMAL_ACCOUNT  # as Windows has it; no document says so
        return idl.DomainDisplayMachine(index, rid, int(shown), name, comment), size
    full_name = _text(row, attr.DISPLAY_NAME)
    return idl.DomainDisplayUser(index, rid, flags, name, comment, full_name), size + 2 * len(full_name)


def _buffer(level: int, entries: Sequence[Entry]) -> Tagged:
    kind: Callable[..., object] = _BUFFERS[Level(level)]
    return Tagged(level, kind(tuple(entries)))


@dataclass(frozen=True, slots=True)
class _Page:
    """One answer. size: octets of its entries. total: octets of the whole list, reckoned from them."""

    entries: tuple[Entry, ...] = ()
    size: int = 0
    total: int = 0
    more: bool = False


def _page(ctx: ReadContext, domain: DomainHandle, request: idl.SamrQueryDisplayInformation) -> _Page:
    level, start = request.display_information_class, request.index
    rows = _list(ctx, domain, level, start)
    sid = _domain_of(ctx, domain, level)
    entries: list[Entry] = []
    size = at = 0
    for at in range(start, len(rows)):
        if len(entries) >= min(request.entry_count, _ENTRIES_MAX):
            break
        ctx.pace.step()
        row = ctx.tx.get(rows[at])
        if row is None or not in_domain(ctx, row, sid):
            continue  # deleted since the list was made
        made, octets = _entry(ctx, level, row, at + 1)
        if entries and size + octets + _ENTRY_SIZE > request.preferred_maximum_length:
            break
        entries.append(made)
        size += octets + _ENTRY_SIZE
    else:
        at = len(rows)
    total = 0 if level in _OEM or not entries else size * len(rows) // len(entries)
    return _Page(tuple(entries), size, total, at < len(rows))


async def samr_query_display_information(
    call: Call, request: idl.SamrQueryDisplayInformation
) -> idl.SamrQueryDisplayInformationResponse:
    """Refusals too hold a buffer of the level, which the client reads. Spec: [MS-SAMR] 3.1.5.3.1."""
    level = request.display_information_class
    if level not in _TYPES:
        raise RpcFault(NcaStatus.NCA_S_FAULT_INVALID_TAG, "no such level")
    try:
        domain = held(call, request.domain_handle, DomainHandle, int(rights.Domain.LIST_ACCOUNTS))
        page = await read(call, "samr.query_display", lambda ctx: _page(ctx, domain, request), point=False)
    except NtError as error:
        return idl.SamrQueryDisplayInformationResponse(0, 0, _buffer(level, ()), NtStatus(error.status))
    status = NtStatus.STATUS_MORE_ENTRIES if page.more else NtStatus.STATUS_SUCCESS
    return idl.SamrQueryDisplayInformationResponse(
        page.total, page.size, _buffer(level, page.entries), status
    )


async def samr_get_display_enumeration_index(
    call: Call, request: idl.SamrGetDisplayEnumerationIndex
) -> idl.SamrGetDisplayEnumerationIndexResponse:
    """The place before the first account that is not below the prefix. Spec: [MS-SAMR] 3.1.5.3.4."""
    level = request.display_information_class
    domain = held(call, request.domain_handle, DomainHandle, int(rights.Domain.LIST_ACCOUNTS))
    if level not in _TYPES or level in _OEM:
        raise NtError(NtStatus.STATUS_INVALID_INFO_CLASS)
    prefix = fold(request.prefix or "")

    def work(ctx: ReadContext) -> int:
        rows = _list(ctx, domain, level, 0)
        for index, dnt in enumerate(rows):
            ctx.pace.step()
            row = ctx.tx.get(dnt)
            if row is not None and fold(_text(row, attr.SAM_ACCOUNT_NAME)) >= prefix:
                return index
        raise NtError(NtStatus.STATUS_NO_MORE_ENTRIES)

    found = await read(call, "samr.display_index", work, point=False)
    return idl.SamrGetDisplayEnumerationIndexResponse(found)
