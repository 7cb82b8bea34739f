"""Names, RIDs and SIDs of a domain's accounts; listings of all of them.

A listing goes by row numbers, which grow as objects are made: what came late is found, what was deleted is
not. Who may list and look up is decided by the domain handle alone; no object is hidden from it.

Spec: [MS-SAMR] 3.1.5.2, 3.1.5.11.2, 3.1.5.11.3.
"""

from collections.abc import Callable, Sequence
from heapq import merge
from itertools import islice
from typing import Final

from addc.base.errors import NtError
from addc.base.ids import Dnt
from addc.codec.ids import Sid
from addc.codec.ndr import ContextHandle
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, entry
from addc.directory import rights as ds_rights
from addc.directory.context import ReadContext
from addc.rpc.call import Call
from addc.rpc.interfaces.samr import idl, rights
from addc.rpc.interfaces.samr.accounts import find, is_alias, is_group, is_user
from addc.rpc.interfaces.samr.connect import server_row
from addc.rpc.interfaces.samr.handles import DomainHandle, held, read
from addc.schema import attr
from addc.schema.wellknown import ExtendedRight
from addc.security.account_flags import SamAccountType, UserAccount, sam_account_control
from addc.store.objects import ObjectRow, ObjectState

USERS: Final = (
    SamAccountType.SAM_USER_OBJECT,
    SamAccountType.SAM_MACHINE_ACCOUNT,
    SamAccountType.SAM_TRUST_ACCOUNT,
)
GROUPS: Final = (SamAccountType.SAM_GROUP_OBJECT,)
ALIASES: Final = (SamAccountType.SAM_ALIAS_OBJECT,)
ENTRY_SIZE: Final = 54
"""Octets that one account is reckoned to take of PreferedMaximumLength."""
ENTRIES_MAX: Final = 4096
"""Accounts of one answer, whatever length is preferred."""
_BATCH: Final = 512
_VOLATILE: Final = int(UserAccount.USER_ACCOUNT_AUTO_LOCKED | UserAccount.USER_PASSWORD_EXPIRED)


def of_types(ctx: ReadContext, types: Sequence[SamAccountType], after: Dnt, limit: int) -> list[Dnt]:
    """Rows above `after` with one of these sAMAccountTypes, in the order of their numbers."""
    attribute = ctx.schema.attribute_by_id(attr.SAM_ACCOUNT_TYPE)
    assert attribute is not None
    found = [
        ctx.tx.index_eq(attr.SAM_ACCOUNT_TYPE, attribute.syntax.key(b"%d" % kind), limit, after)
        for kind in types
    ]
    return list(islice(merge(*found), limit))


def in_domain(ctx: ReadContext, row: ObjectRow, domain: Sid) -> bool:
    """Whether a row is a living object with a SID of the domain."""
    return (
        row.state is ObjectState.LIVE
        and row.sid is not None
        and row.nc == ctx.forest.domain_nc
        and Sid(row.sid).domain() == domain
    )


class _Page:
    """One answer of an enumeration."""

    def __init__(self, context: int, length: int) -> None:
        self.room = min(max(1, length // ENTRY_SIZE), ENTRIES_MAX)
        self.reached = Dnt(context)
        self.entries: list[idl.RidEnumeration] = []
        self.more = False

    def fill(
        self,
        ctx: ReadContext,
        domain: Sid,
        types: Sequence[SamAccountType],
        wanted: Callable[[ObjectRow], bool],
    ) -> "_Page":
        """Take accounts until the page is full or nothing is left."""
        while True:
            batch = of_types(ctx, types, self.reached, _BATCH)
            ctx.pace.step(len(batch))
            for row in ctx.tx.pass_by(batch):
                if in_domain(ctx, row, domain) and wanted(row):
                    if len(self.entries) == self.room:
                        self.more = True
                        return self
                    assert row.sid is not None
                    name = entry.text(row, attr.SAM_ACCOUNT_NAME) or ""
                    self.entries.append(idl.RidEnumeration(Sid(row.sid).rid(), name))
                self.reached = row.dnt
            if len(batch) < _BATCH:
                return self


def _anything(row: ObjectRow) -> bool:
    return True


async def _enumerate(
    call: Call,
    handle: ContextHandle,
    page: _Page,
    types: Sequence[SamAccountType],
    wanted: Callable[[ObjectRow], bool] = _anything,
) -> tuple[int, idl.EnumerationBuffer, int, NtStatus]:
    """EnumerationContext, Buffer, CountReturned and status. Spec: [MS-SAMR] 3.1.5.2.2."""
    domain = held(call, handle, DomainHandle, int(rights.Domain.LIST_ACCOUNTS))
    start = page.reached

    def work(ctx: ReadContext) -> _Page:
        page.reached, page.entries, page.more = start, [], False  # a read may be begun anew
        if types is USERS and not domain.is_builtin:
            _require_enumeration(ctx)
        return page.fill(ctx, domain.sid, types, wanted)

    await read(call, "samr.enumerate", work, point=False)
    status = NtStatus.STATUS_MORE_ENTRIES if page.more else NtStatus.STATUS_SUCCESS
    return page.reached, idl.EnumerationBuffer(tuple(page.entries)), len(page.entries), status


def _require_enumeration(ctx: ReadContext) -> None:
    """SAM-Enumerate-Entire-Domain, on the server object, to which that right applies.

    Deviation: the document names the domain's descriptor; the right's appliesTo and the default descriptors
    of Windows name the server object. Spec: [MS-SAMR] 3.1.5.2.5.
    """
    right = ExtendedRight.SAM_ENUMERATE_ENTIRE_DOMAIN.bytes_le
    if not ds_rights.holds_right(ctx, server_row(ctx), right):
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "SAM-Enumerate-Entire-Domain")


async def samr_enumerate_users_in_domain(
    call: Call, request: idl.SamrEnumerateUsersInDomain
) -> idl.SamrEnumerateUsersInDomainResponse:
    """Spec: [MS-SAMR] 3.1.5.2.5."""
    flags = request.user_account_control & ~_VOLATILE

    def wanted(row: ObjectRow) -> bool:
        has = sam_account_control(entry.integer(row, attr.USER_ACCOUNT_CONTROL))
        return has & flags == flags

    page = _Page(request.enumeration_context, request.prefered_maximum_length)
    return idl.SamrEnumerateUsersInDomainResponse(
        *await _enumerate(call, request.domain_handle, page, USERS, wanted)
    )


async def samr_enumerate_groups_in_domain(
    call: Call, request: idl.SamrEnumerateGroupsInDomain
) -> idl.SamrEnumerateGroupsInDomainResponse:
    """Spec: [MS-SAMR] 3.1.5.2.3."""
    page = _Page(request.enumeration_context, request.prefered_maximum_length)
    return idl.SamrEnumerateGroupsInDomainResponse(
        *await _enumerate(call, request.domain_handle, page, GROUPS)
    )


async def samr_enumerate_aliases_in_domain(
    call: Call, request: idl.SamrEnumerateAliasesInDomain
) -> idl.SamrEnumerateAliasesInDomainResponse:
    """Spec: [MS-SAMR] 3.1.5.2.4."""
    page = _Page(request.enumeration_context, request.prefered_maximum_length)
    return idl.SamrEnumerateAliasesInDomainResponse(
        *await _enumerate(call, request.domain_handle, page, ALIASES)
    )


# --- look-ups ----------------------------------------------------------------------------------------------


def _use_of(row: ObjectRow) -> idl.SidNameUse | None:
    if is_user(row):
        return idl.SidNameUse.SID_TYPE_USER
    if is_group(row):
        return idl.SidNameUse.SID_TYPE_GROUP
    return idl.SidNameUse.SID_TYPE_ALIAS if is_alias(row) else None


def _mapped(found: Sequence[object]) -> NtStatus:
    """Spec: [MS-SAMR] 3.1.5.11.2."""
    hits = sum(one is not None for one in found)
    if hits == len(found):
        return NtStatus.STATUS_SUCCESS
    return NtStatus.STATUS_SOME_NOT_MAPPED if hits else NtStatus.STATUS_NONE_MAPPED


async def samr_lookup_names_in_domain(
    call: Call, request: idl.SamrLookupNamesInDomain
) -> idl.SamrLookupNamesInDomainResponse:
    """Spec: [MS-SAMR] 3.1.5.11.2."""
    domain = held(call, request.domain_handle, DomainHandle, int(rights.Domain.LOOKUP))

    def one(ctx: ReadContext, name: str | None) -> tuple[int, int] | None:
        for row in accounts.indexed(ctx, attr.SAM_ACCOUNT_NAME, name) if name else ():
            use = _use_of(row)
            if use is not None and in_domain(ctx, row, domain.sid):
                assert row.sid is not None
                return Sid(row.sid).rid(), int(use)
        return None

    def work(ctx: ReadContext) -> list[tuple[int, int] | None]:
        ctx.pace.step(len(request.names))
        return [one(ctx, name) for name in request.names]

    found = await read(call, "samr.lookup_names", work)
    unknown = (0, int(idl.SidNameUse.SID_TYPE_UNKNOWN))
    pairs = [pair or unknown for pair in found]
    return idl.SamrLookupNamesInDomainResponse(
        idl.UlongArray(tuple(rid for rid, _ in pairs)),
        idl.UlongArray(tuple(use for _, use in pairs)),
        _mapped(found),
    )


async def samr_lookup_ids_in_domain(
    call: Call, request: idl.SamrLookupIdsInDomain
) -> idl.SamrLookupIdsInDomainResponse:
    """Spec: [MS-SAMR] 3.1.5.11.3."""
    domain = held(call, request.domain_handle, DomainHandle, int(rights.Domain.LOOKUP))

    def one(ctx: ReadContext, rid: int) -> tuple[str, int] | None:
        row = find(ctx, domain.sid.child(rid), lambda row: _use_of(row) is not None)
        use = None if row is None else _use_of(row)
        if row is None or use is None:
            return None
        return entry.text(row, attr.SAM_ACCOUNT_NAME) or "", int(use)

    def work(ctx: ReadContext) -> list[tuple[str, int] | None]:
        ctx.pace.step(len(request.relative_ids))
        return [one(ctx, rid) for rid in request.relative_ids]

    found = await read(call, "samr.lookup_ids", work)
    unknown = int(idl.SidNameUse.SID_TYPE_UNKNOWN)
    return idl.SamrLookupIdsInDomainResponse(
        idl.ReturnedUstringArray(tuple(idl.UnicodeText(pair[0] if pair else None) for pair in found)),
        idl.UlongArray(tuple(pair[1] if pair else unknown for pair in found)),
        _mapped(found),
    )
