"""Translation of names and SIDs, in the seven operations that ask for it, and the caller's own name.

Spec: [MS-LSAT] 3.1.4.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from addc.base.errors import NtError
from addc.codec.ids import Sid
from addc.codec.ndr import ContextHandle
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.directory import lsa_names
from addc.directory.context import ReadContext
from addc.directory.lsa_names import Domain, Flag, Scope, Translation
from addc.rpc.call import AuthLevel, AuthType, Call, RpcFault, Transport
from addc.rpc.interfaces.lsarpc import handles, idl
from addc.rpc.interfaces.lsarpc.handles import PolicyHandle, held
from addc.rpc.interfaces.lsarpc.idl import LookupLevel
from addc.rpc.interfaces.lsarpc.rights import PolicyAccess
from addc.security import wellknown
from addc.security.sid_names import SidNameUse

T = TypeVar("T")

_POINT_MAX: Final = 64
"""Names or SIDs of one call that are looked up on the loop."""
_TRUSTED: Final = Scope.TRUSTED_FORESTS | Scope.TRUSTED_DOMAINS
_OWN: Final = Scope.ACCOUNTS | Scope.FOREST | Scope.HISTORY
_SCOPES: Final[dict[int, Scope]] = {
    LookupLevel.WKSTA: lsa_names.EVERYWHERE,
    LookupLevel.PDC: _OWN | _TRUSTED,
    LookupLevel.TDL: Scope.ACCOUNTS,
    LookupLevel.GC: _OWN,
    LookupLevel.X_FOREST_REFERRAL: Scope.TRUSTED_FORESTS | Scope.HISTORY,
    LookupLevel.X_FOREST_RESOLVE: _OWN,
    LookupLevel.RODC_REFERRAL_TO_FULL_DC: _TRUSTED | Scope.HISTORY,
}
"""Spec: [MS-LSAT] 2.2.16."""
_ISOLATED_LOCALLY: Final = 0x8000_0000
_NO_RID: Final = 0xFFFF_FFFF
_MACHINE_GROUPS: Final = (
    wellknown.RID_DOMAIN_COMPUTERS,
    wellknown.RID_DOMAIN_CONTROLLERS,
    wellknown.RID_READONLY_DOMAIN_CONTROLLERS,
)


# --- who may -----------------------------------------------------------------------------------------------


def _by_secure_channel(call: Call) -> bool:
    return call.security.auth_type is AuthType.NETLOGON and call.security.level >= AuthLevel.INTEGRITY


def _check_handle(call: Call, handle: ContextHandle) -> None:
    """Spec: [MS-LSAT] 3.1.4.6, 3.1.4.10."""
    held(call, handle, PolicyHandle, 0 if _by_secure_channel(call) else int(PolicyAccess.LOOKUP_NAMES))


def _check_machine(call: Call) -> None:
    """For machines alone, by their secure channel or by Kerberos. Spec: [MS-LSAT] 3.1.4.5, 3.1.4.9."""
    if call.transport is not Transport.TCP:
        raise RpcFault(NcaStatus.NCA_S_FAULT_ACCESS_DENIED, "over TCP alone")
    if _by_secure_channel(call):
        return
    own = call.directory.forest.domain_sid
    is_machine = any(own.child(rid) in call.requester.sids for rid in _MACHINE_GROUPS)
    if not is_machine or call.security.level < AuthLevel.INTEGRITY:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "for machines, and protected")


def _scope(level: int) -> Scope:
    found = _SCOPES.get(level)
    if found is None:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "LookupLevel")
    return found


# --- answers -----------------------------------------------------------------------------------------------


class _Domains:
    """The referenced domains of one answer."""

    __slots__ = ("_index", "rows")

    def __init__(self) -> None:
        self.rows: list[idl.LsaprTrustInformation] = []
        self._index: dict[Domain, int] = {}

    def index(self, domain: Domain | None) -> int:
        """Where a domain stands, -1 for none."""
        if domain is None:
            return -1
        found = self._index.get(domain)
        if found is None:
            found = self._index[domain] = len(self.rows)
            self.rows.append(idl.LsaprTrustInformation(domain.name, domain.sid))
        return found

    def listed(self) -> idl.ReferencedDomainList:
        return idl.ReferencedDomainList(tuple(self.rows) or None)


def _status(mapped: int, count: int) -> NtStatus:
    if mapped == count:
        return NtStatus.STATUS_SUCCESS
    return NtStatus.STATUS_SOME_NOT_MAPPED if mapped else NtStatus.STATUS_NONE_MAPPED


async def _translated(
    call: Call, items: Sequence[T], one: Callable[[ReadContext, T], Translation]
) -> list[Translation]:
    def work(ctx: ReadContext) -> list[Translation]:
        return [one(ctx, item) for item in items]

    return await call.directory.read("lsa.lookup", call.requester, work, point=len(items) <= _POINT_MAX)


def _mapped(found: Sequence[Translation]) -> int:
    return sum([one.is_mapped for one in found])


# --- names to SIDs -----------------------------------------------------------------------------------------


async def _sids(call: Call, names: Sequence[str | None], level: int, options: int = 0) -> list[Translation]:
    """What the names mean. options: LookupOptions."""
    scope = _scope(level)
    if options & _ISOLATED_LOCALLY and level != LookupLevel.WKSTA:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "LookupOptions")
    local = scope & ~_TRUSTED

    def one(ctx: ReadContext, name: str | None) -> Translation:
        text = name or ""
        if options & _ISOLATED_LOCALLY and "\\" not in text:
            return lsa_names.UNKNOWN if "@" in text else lsa_names.of_name(ctx, text, local)
        return lsa_names.of_name(ctx, text, scope)

    return await _translated(call, names, one)


def _relative(one: Translation) -> int:
    """RelativeId. Spec: [MS-LSAT] 3.1.4.7."""
    if one.sid is None:
        return 0
    if one.use is SidNameUse.DOMAIN or one.flags & Flag.CONFIGURABLE:
        return _NO_RID
    return one.sid.rid()


async def lookup_names(call: Call, request: idl.LsarLookupNames) -> idl.LsarLookupNamesResponse:
    _check_handle(call, request.policy_handle)
    found = await _sids(call, request.names, request.lookup_level)
    domains = _Domains()
    rows = tuple([idl.TranslatedSid(one.use, _relative(one), domains.index(one.domain)) for one in found])
    mapped = _mapped(found)
    sids = idl.TranslatedSids(rows or None)
    return idl.LsarLookupNamesResponse(domains.listed(), sids, mapped, _status(mapped, len(rows)))


async def lookup_names2(call: Call, request: idl.LsarLookupNames2) -> idl.LsarLookupNames2Response:
    _check_handle(call, request.policy_handle)
    found = await _sids(call, request.names, request.lookup_level)
    domains = _Domains()
    rows = tuple(
        [idl.TranslatedSidEx(one.use, _relative(one), domains.index(one.domain), one.flags) for one in found]
    )
    mapped = _mapped(found)
    sids = idl.TranslatedSidsEx(rows or None)
    return idl.LsarLookupNames2Response(domains.listed(), sids, mapped, _status(mapped, len(rows)))


def _sids_ex2(
    found: Sequence[Translation],
) -> tuple[idl.ReferencedDomainList, idl.TranslatedSidsEx2, int, NtStatus]:
    domains = _Domains()
    rows = tuple(
        [idl.TranslatedSidEx2(one.use, one.sid, domains.index(one.domain), one.flags) for one in found]
    )
    mapped = _mapped(found)
    return domains.listed(), idl.TranslatedSidsEx2(rows or None), mapped, _status(mapped, len(rows))


async def lookup_names3(call: Call, request: idl.LsarLookupNames3) -> idl.LsarLookupNames3Response:
    _check_handle(call, request.policy_handle)
    found = await _sids(call, request.names, request.lookup_level, request.lookup_options)
    return idl.LsarLookupNames3Response(*_sids_ex2(found))


async def lookup_names4(call: Call, request: idl.LsarLookupNames4) -> idl.LsarLookupNames4Response:
    _check_machine(call)
    found = await _sids(call, request.names, request.lookup_level, request.lookup_options)
    return idl.LsarLookupNames4Response(*_sids_ex2(found))


# --- SIDs to names -----------------------------------------------------------------------------------------


def _given(buffer: idl.SidEnumBuffer) -> list[Sid]:
    found = []
    for one in buffer.sid_info or ():
        if one.sid is None:
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "a null SID")
        found.append(one.sid)
    return found


async def _names(call: Call, sids: Sequence[Sid], level: int) -> list[Translation]:
    scope = _scope(level)
    return await _translated(call, sids, lambda ctx, sid: lsa_names.of_sid(ctx, sid, scope))


def _shown(one: Translation, sid: Sid, level: int) -> str:
    """The name, or what stands in its place. Spec: [MS-LSAT] 3.1.4.9."""
    if one.name is not None:
        return one.name
    if level != LookupLevel.WKSTA:
        return ""
    return str(sid) if one.domain is None else f"{sid.rid():08X}"


def _names_ex(
    sids: Sequence[Sid], found: Sequence[Translation], level: int
) -> tuple[idl.ReferencedDomainList, idl.TranslatedNamesEx, int, NtStatus]:
    domains = _Domains()
    rows = tuple(
        [
            idl.TranslatedNameEx(one.use, _shown(one, sid, level), domains.index(one.domain), one.flags)
            for one, sid in zip(found, sids, strict=True)
        ]
    )
    mapped = _mapped(found)
    return domains.listed(), idl.TranslatedNamesEx(rows or None), mapped, _status(mapped, len(rows))


async def lookup_sids(call: Call, request: idl.LsarLookupSids) -> idl.LsarLookupSidsResponse:
    _check_handle(call, request.policy_handle)
    sids, level = _given(request.sid_enum_buffer), request.lookup_level
    found = await _names(call, sids, level)
    domains = _Domains()
    rows = tuple(
        [
            idl.TranslatedName(one.use, _shown(one, sid, level), domains.index(one.domain))
            for one, sid in zip(found, sids, strict=True)
        ]
    )
    mapped = _mapped(found)
    names = idl.TranslatedNames(rows or None)
    return idl.LsarLookupSidsResponse(domains.listed(), names, mapped, _status(mapped, len(rows)))


async def lookup_sids2(call: Call, request: idl.LsarLookupSids2) -> idl.LsarLookupSids2Response:
    _check_handle(call, request.policy_handle)
    sids = _given(request.sid_enum_buffer)
    found = await _names(call, sids, request.lookup_level)
    return idl.LsarLookupSids2Response(*_names_ex(sids, found, request.lookup_level))


async def lookup_sids3(call: Call, request: idl.LsarLookupSids3) -> idl.LsarLookupSids3Response:
    _check_machine(call)
    sids = _given(request.sid_enum_buffer)
    found = await _names(call, sids, request.lookup_level)
    return idl.LsarLookupSids3Response(*_names_ex(sids, found, request.lookup_level))


# --- the caller --------------------------------------------------------------------------------------------


async def get_user_name(call: Call, request: idl.LsarGetUserName) -> idl.LsarGetUserNameResponse:
    """A secure channel is a machine's and no user's, as on Windows. Spec: [MS-LSAT] 3.1.4.4."""
    handles.only_by_pipe(call)
    by_channel = call.security.auth_type is AuthType.NETLOGON
    user = wellknown.ANONYMOUS if by_channel else call.requester.user
    found = await call.directory.read(
        "lsa.user", call.requester, lambda ctx: lsa_names.of_sid(ctx, user), point=True
    )
    if not found.is_mapped or found.domain is None:
        raise NtError(NtStatus.STATUS_NO_SUCH_USER, "a user of elsewhere")
    domain = None if request.domain_name is None else idl.StringPointer(found.domain.name)
    return idl.LsarGetUserNameResponse(found.name, domain)
