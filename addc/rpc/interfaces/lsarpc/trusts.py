"""Trusted domains: made, opened, asked, changed, listed and ended.

The rules are the directory's (trust_changes.py); here are the classes of information, and the LSA's errors.

Spec: [MS-LSAD] 3.1.4.7.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, cast
from uuid import UUID

from addc.base.errors import DsError, NtError
from addc.base.secret import Secret
from addc.codec.blobs import (
    TRUST_AUTH_TYPE_CLEAR,
    TRUST_AUTH_TYPE_VERSION,
    AuthInformation,
    TrustAuthInfo,
)
from addc.codec.ids import Sid
from addc.codec.ndr import ContextHandle, Ndr, Tagged
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import trust_changes, trusts
from addc.directory.context import ReadContext, WriteContext
from addc.directory.trust_changes import NewTrust
from addc.directory.trusts import Trust
from addc.rpc.call import Call
from addc.rpc.interfaces.lsarpc import handles, idl, trust_facts
from addc.rpc.interfaces.lsarpc.accounts import filled
from addc.rpc.interfaces.lsarpc.handles import PolicyHandle, TrustHandle, held
from addc.rpc.interfaces.lsarpc.idl import TrustedInformationClass as Class
from addc.rpc.interfaces.lsarpc.rights import DELETE, PolicyAccess, TrustedAccess
from addc.security.lsa_cipher import TrustAuthBlob
from addc.security.trusts import TrustAttributes, TrustDirection, TrustType

_Q_NAME: Final = int(TrustedAccess.QUERY_DOMAIN_NAME)
_Q_POSIX: Final = int(TrustedAccess.QUERY_POSIX)
_Q_ALL: Final = _Q_NAME | _Q_POSIX | int(TrustedAccess.QUERY_AUTH)
_S_POSIX: Final = int(TrustedAccess.SET_POSIX)
_S_AUTH: Final = int(TrustedAccess.SET_AUTH)
_ENTRY_SIZE: Final = 60
_ENTRY_EX_SIZE: Final = 82
"""What one domain counts for in PreferedMaximumLength, as Windows counts."""
_LAST: Final = 0xFFFF_FFFF
"""EnumerationContext behind the last one: greater than any before it."""
_NO_KVNO: Final = 255
_LSA_NAMES: Final = {
    Win32.ERROR_DOMAIN_EXISTS: NtStatus.STATUS_OBJECT_NAME_COLLISION,
    Win32.ERROR_INVALID_DOMAINNAME: NtStatus.STATUS_INVALID_PARAMETER,
}


@contextmanager
def _lsa_errors() -> Iterator[None]:
    """The directory's refusals by the names that [MS-LSAD] 3.1.4.7.10 gives them."""
    try:
        yield
    except DsError as error:
        status = _LSA_NAMES.get(cast(Win32, error.code))
        if status is None:
            raise
        raise NtError(status, str(error)) from None


# --- making ------------------------------------------------------------------------------------------------


def _of_kind(group: tuple[AuthInformation, ...], kind: int) -> AuthInformation | None:
    return next((one for one in group if one.auth_type == kind), None)


def _secret(info: TrustAuthInfo) -> tuple[Secret | None, Secret | None]:
    """The present and the former password."""
    now = _of_kind(info.current, TRUST_AUTH_TYPE_CLEAR)
    before = _of_kind(info.previous, TRUST_AUTH_TYPE_CLEAR)
    return (
        None if now is None else Secret(now.auth_info),
        None if before is None else Secret(before.auth_info),
    )


def _kvno(blob: TrustAuthBlob) -> int:
    for info in (blob.incoming, blob.outgoing):
        version = _of_kind(info.current, TRUST_AUTH_TYPE_VERSION)
        if version is not None and len(version.auth_info) >= 4:
            found = int.from_bytes(version.auth_info[:4], "little")
            return 1 if found == _NO_KVNO else found
    return 1


def _new_trust(info: idl.TrustedDomainInformationEx, blob: TrustAuthBlob) -> NewTrust:
    trust_facts.check_kinds(blob)
    if not info.name or not info.flat_name or info.trust_type not in (1, 2, 3):
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "names or type")
    if info.trust_direction & ~int(TrustDirection.BOTH):
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "TrustDirection")
    incoming, incoming_former = _secret(blob.incoming)
    outgoing, outgoing_former = _secret(blob.outgoing)
    return NewTrust(
        info.name.rstrip("."),
        info.flat_name,
        info.sid,
        TrustDirection(info.trust_direction),
        TrustType(info.trust_type),
        TrustAttributes(info.trust_attributes),
        incoming,
        outgoing,
        kvno=_kvno(blob),
        incoming_former=incoming_former,
        outgoing_former=outgoing_former,
        needs_secrets=False,
    )


async def _create(
    call: Call,
    handle: ContextHandle,
    info: idl.TrustedDomainInformationEx,
    blob: TrustAuthBlob,
    desired: int,
) -> ContextHandle:
    """Spec: [MS-LSAD] 3.1.4.7.10."""
    held(call, handle, PolicyHandle)
    new = _new_trust(info, blob)

    def work(ctx: WriteContext) -> TrustHandle:
        with _lsa_errors():
            dnt = trust_changes.create(ctx, new)
        row = ctx.tx.get(dnt)
        assert row is not None
        access = handles.trusted_access(ctx, row, call.requester, desired | _S_AUTH)
        return TrustHandle(access, UUID(bytes_le=row.guid))

    return call.handles.open(await call.directory.write("lsa.trust", call.requester, work))


async def create_trusted_domain(
    call: Call, request: idl.LsarCreateTrustedDomain
) -> idl.LsarCreateTrustedDomainResponse:
    """Spec: [MS-LSAD] 3.1.4.7.12: an outbound trust with a domain of NT 4.0's kind, without secrets."""
    given = request.trusted_domain_information
    info = idl.TrustedDomainInformationEx(
        given.name, given.name, given.sid, int(TrustDirection.OUTBOUND), int(TrustType.DOWNLEVEL), 0
    )
    found = await _create(call, request.policy_handle, info, trust_facts.NO_SECRETS, request.desired_access)
    return idl.LsarCreateTrustedDomainResponse(found)


async def create_trusted_domain_ex(
    call: Call, request: idl.LsarCreateTrustedDomainEx
) -> idl.LsarCreateTrustedDomainExResponse:
    blob = trust_facts.plain(request.authentication_information)
    info = request.trusted_domain_information
    return idl.LsarCreateTrustedDomainExResponse(
        await _create(call, request.policy_handle, info, blob, request.desired_access)
    )


async def create_trusted_domain_ex2(
    call: Call, request: idl.LsarCreateTrustedDomainEx2
) -> idl.LsarCreateTrustedDomainEx2Response:
    blob = trust_facts.by_rc4(call, request.authentication_information)
    info = request.trusted_domain_information
    return idl.LsarCreateTrustedDomainEx2Response(
        await _create(call, request.policy_handle, info, blob, request.desired_access)
    )


async def create_trusted_domain_ex3(
    call: Call, request: idl.LsarCreateTrustedDomainEx3
) -> idl.LsarCreateTrustedDomainEx3Response:
    blob = trust_facts.by_aes(call, request.authentication_information)
    info = request.trusted_domain_information
    return idl.LsarCreateTrustedDomainEx3Response(
        await _create(call, request.policy_handle, info, blob, request.desired_access)
    )


# --- opening -----------------------------------------------------------------------------------------------


async def _open(call: Call, find: Callable[[ReadContext], Trust], desired: int) -> ContextHandle:
    def work(ctx: ReadContext) -> TrustHandle:
        one = find(ctx)
        row = trust_facts.row_of(ctx, one)
        return TrustHandle(handles.trusted_access(ctx, row, call.requester, desired), one.guid)

    return call.handles.open(await call.directory.read("lsa.trust", call.requester, work, point=True))


async def open_trusted_domain(
    call: Call, request: idl.LsarOpenTrustedDomain
) -> idl.LsarOpenTrustedDomainResponse:
    held(call, request.policy_handle, PolicyHandle)
    sid = request.trusted_domain_sid
    return idl.LsarOpenTrustedDomainResponse(
        await _open(call, lambda ctx: trust_facts.by_sid(ctx, sid), request.desired_access)
    )


async def open_trusted_domain_by_name(
    call: Call, request: idl.LsarOpenTrustedDomainByName
) -> idl.LsarOpenTrustedDomainByNameResponse:
    held(call, request.policy_handle, PolicyHandle)
    return idl.LsarOpenTrustedDomainByNameResponse(
        await _open(call, _named(request.trusted_domain_name), request.desired_access)
    )


def _named(name: str | None) -> Callable[[ReadContext], Trust]:
    return lambda ctx: trust_facts.by_name(ctx, name, NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)


# --- asking ------------------------------------------------------------------------------------------------


def _ex(one: Trust) -> idl.TrustedDomainInformationEx:
    return idl.TrustedDomainInformationEx(
        one.partner, one.flat_name, one.sid, int(one.direction), one.trust_type, int(one.attributes)
    )


def _ex2(one: Trust) -> idl.TrustedDomainInformationEx2:
    forest = None if one.forest is None else one.forest.pack()
    return idl.TrustedDomainInformationEx2(
        one.partner, one.flat_name, one.sid, int(one.direction), one.trust_type, int(one.attributes), forest
    )


_NOTHING: Final = idl.TrustedDomainAuthInformation()
"""Secrets are never told."""
_QUERIES: Final[dict[int, tuple[int, Callable[[Trust], Ndr]]]] = {
    Class.NAME: (_Q_NAME, lambda one: idl.TrustedDomainNameInfo(one.flat_name)),
    Class.POSIX_OFFSET: (_Q_POSIX, lambda one: idl.TrustedPosixOffsetInfo(one.posix_offset & _LAST)),
    Class.EX: (_Q_NAME, _ex),
    Class.FULL: (
        _Q_ALL,
        lambda one: idl.TrustedDomainFullInformation(_ex(one), one.posix_offset & _LAST, _NOTHING),
    ),
    Class.FULL2_INTERNAL: (
        _Q_ALL,
        lambda one: idl.TrustedDomainFullInformation2(_ex2(one), one.posix_offset & _LAST, _NOTHING),
    ),
    Class.SUPPORTED_ENCRYPTION_TYPES: (
        _Q_POSIX,
        lambda one: idl.TrustedDomainSupportedEncryptionTypes(one.supported_enctypes or 0),
    ),
}
"""The right that a class needs, and what it tells. Spec: [MS-LSAD] 3.1.4.7.13."""
_SECRET_CLASSES: Final = frozenset(
    (Class.AUTH, Class.AUTH_INTERNAL, Class.FULL_INTERNAL, Class.AUTH_INTERNAL_AES, Class.FULL_INTERNAL_AES)
)


def _query_of(information_class: int) -> tuple[int, Callable[[Trust], Ndr]]:
    found = _QUERIES.get(information_class)
    if found is None:
        is_secret = information_class in _SECRET_CLASSES
        status = NtStatus.STATUS_INVALID_INFO_CLASS if is_secret else NtStatus.STATUS_INVALID_PARAMETER
        raise NtError(status, "not a class to be queried")
    return found


async def _query_of_policy(
    call: Call, handle: ContextHandle, find: Callable[[ReadContext], Trust], information_class: int
) -> Tagged:
    held(call, handle, PolicyHandle)
    needed, tell = _query_of(information_class)

    def work(ctx: ReadContext) -> Ndr:
        one = find(ctx)
        trust_facts.require(ctx, one, call, needed)
        return tell(one)

    return Tagged(information_class, await call.directory.read("lsa.trust", call.requester, work, point=True))


async def query_info_trusted_domain(
    call: Call, request: idl.LsarQueryInfoTrustedDomain
) -> idl.LsarQueryInfoTrustedDomainResponse:
    handle = held(call, request.trusted_domain_handle, TrustHandle)
    needed, tell = _query_of(request.information_class)
    held(call, request.trusted_domain_handle, TrustHandle, needed)
    found = await call.directory.read(
        "lsa.trust", call.requester, lambda ctx: tell(trust_facts.of_handle(ctx, handle)), point=True
    )
    return idl.LsarQueryInfoTrustedDomainResponse(Tagged(request.information_class, found))


async def query_trusted_domain_info(
    call: Call, request: idl.LsarQueryTrustedDomainInfo
) -> idl.LsarQueryTrustedDomainInfoResponse:
    sid = request.trusted_domain_sid
    found = await _query_of_policy(
        call,
        request.policy_handle,
        lambda ctx: trust_facts.by_sid(ctx, sid),
        request.information_class,
    )
    return idl.LsarQueryTrustedDomainInfoResponse(found)


async def query_trusted_domain_info_by_name(
    call: Call, request: idl.LsarQueryTrustedDomainInfoByName
) -> idl.LsarQueryTrustedDomainInfoByNameResponse:
    find = _named(request.trusted_domain_name)
    found = await _query_of_policy(call, request.policy_handle, find, request.information_class)
    return idl.LsarQueryTrustedDomainInfoByNameResponse(found)


# --- changing ----------------------------------------------------------------------------------------------


def _fresh(ctx: WriteContext, one: Trust) -> Trust:
    """The trust as this transaction left it."""
    return trusts.trust(ctx, trust_facts.row_of(ctx, one))


def _put_information(ctx: WriteContext, one: Trust, info: idl.TrustedDomainInformationEx) -> None:
    """Names and SID stay what they are. Spec: [MS-LSAD] 3.1.4.7.14."""
    if info.trust_direction & ~int(TrustDirection.BOTH) or info.trust_type not in (1, 2, 3):
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "direction or type")
    trust_changes.set_information(
        ctx,
        one,
        TrustDirection(info.trust_direction),
        info.trust_type,
        TrustAttributes(info.trust_attributes),
    )


def _put_secrets(ctx: WriteContext, one: Trust, blob: TrustAuthBlob) -> None:
    """The present secrets become the former ones, whatever the client thinks they were."""
    trust_facts.check_kinds(blob)
    incoming, _ = _secret(blob.incoming)
    outgoing, _ = _secret(blob.outgoing)
    trust_changes.set_secrets(
        ctx,
        one,
        incoming=incoming if one.direction & TrustDirection.INBOUND else None,
        outgoing=outgoing if one.direction & TrustDirection.OUTBOUND else None,
    )


def _put_full(
    ctx: WriteContext, one: Trust, info: idl.TrustedDomainInformationEx, offset: int, blob: TrustAuthBlob
) -> None:
    _put_information(ctx, one, info)
    trust_changes.set_posix_offset(ctx, one, offset)
    _put_secrets(ctx, _fresh(ctx, one), blob)


Setter = Callable[[WriteContext, Trust], None]


def _setter(call: Call, information_class: int, given: Tagged) -> tuple[int, Setter]:
    """The right that a class needs, and what sets it. Spec: [MS-LSAD] 3.1.4.7.14."""
    value = given.value if given.tag == information_class else None
    match value:
        case idl.TrustedPosixOffsetInfo(offset=offset):
            return _S_POSIX, lambda ctx, one: trust_changes.set_posix_offset(ctx, one, offset)
        case idl.TrustedDomainInformationEx():
            return _S_POSIX, lambda ctx, one: _put_information(ctx, one, value)
        case idl.TrustedDomainAuthInformation():
            blob = trust_facts.plain(value)
            return _S_AUTH, lambda ctx, one: _put_secrets(ctx, one, blob)
        case idl.TrustedDomainAuthBlob():
            blob = trust_facts.by_rc4(call, value)
            return _S_AUTH, lambda ctx, one: _put_secrets(ctx, one, blob)
        case idl.LsaprAesCipherValue():
            blob = trust_facts.by_aes(call, value)
            return _S_AUTH, lambda ctx, one: _put_secrets(ctx, one, blob)
        case idl.TrustedDomainSupportedEncryptionTypes(supported_encryption_types=kinds):
            return _S_POSIX, lambda ctx, one: trust_changes.set_attributes(ctx, one, one.attributes, kinds)
        case idl.TrustedDomainFullInformation():
            blob = trust_facts.plain(value.auth_information)
        case idl.TrustedDomainFullInformationInternal():
            blob = trust_facts.by_rc4(call, value.auth_information)
        case idl.TrustedDomainFullInformationInternalAes():
            blob = trust_facts.by_aes(call, value.auth_information)
        case _:
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "not a class to be set")
    info, offset = value.information, value.posix_offset
    return _S_POSIX | _S_AUTH, lambda ctx, one: _put_full(ctx, one, info, offset, blob)


async def set_information_trusted_domain(
    call: Call, request: idl.LsarSetInformationTrustedDomain
) -> idl.LsarSetInformationTrustedDomainResponse:
    handle = held(call, request.trusted_domain_handle, TrustHandle)
    needed, put = _setter(call, request.information_class, request.trusted_domain_information)
    held(call, request.trusted_domain_handle, TrustHandle, needed)

    def work(ctx: WriteContext) -> None:
        with _lsa_errors():
            put(ctx, trust_facts.of_handle(ctx, handle))

    await call.directory.write("lsa.trust", call.requester, work)
    return idl.LsarSetInformationTrustedDomainResponse()


async def _set_of_policy(
    call: Call, find: Callable[[ReadContext], Trust], information_class: int, given: Tagged
) -> None:
    needed, put = _setter(call, information_class, given)

    def work(ctx: WriteContext) -> None:
        one = find(ctx)
        trust_facts.require(ctx, one, call, needed)
        with _lsa_errors():
            put(ctx, one)

    await call.directory.write("lsa.trust", call.requester, work)


async def set_trusted_domain_info(
    call: Call, request: idl.LsarSetTrustedDomainInfo
) -> idl.LsarSetTrustedDomainInfoResponse:
    """Spec: [MS-LSAD] 3.1.4.7.3, with the classes that Windows Server 2008 and later take (<98>)."""
    held(call, request.policy_handle, PolicyHandle)
    given, sid = request.trusted_domain_information, request.trusted_domain_sid
    if request.information_class == Class.NAME and isinstance(given.value, idl.TrustedDomainNameInfo):
        name = given.value.name
        info = idl.TrustedDomainInformationEx(
            name, name, sid, int(TrustDirection.OUTBOUND), int(TrustType.DOWNLEVEL), 0
        )
        made = await _create(call, request.policy_handle, info, trust_facts.NO_SECRETS, 0)
        call.handles.close(made)
    elif request.information_class == Class.POSIX_OFFSET:
        await _set_of_policy(call, lambda ctx: trust_facts.by_sid(ctx, sid), request.information_class, given)
    else:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "not a class to be set by SID")
    return idl.LsarSetTrustedDomainInfoResponse()


async def set_trusted_domain_info_by_name(
    call: Call, request: idl.LsarSetTrustedDomainInfoByName
) -> idl.LsarSetTrustedDomainInfoByNameResponse:
    held(call, request.policy_handle, PolicyHandle)
    find = _named(request.trusted_domain_name)
    await _set_of_policy(call, find, request.information_class, request.trusted_domain_information)
    return idl.LsarSetTrustedDomainInfoByNameResponse()


async def delete_trusted_domain(
    call: Call, request: idl.LsarDeleteTrustedDomain
) -> idl.LsarDeleteTrustedDomainResponse:
    """Spec: [MS-LSAD] 3.1.4.7.4."""
    held(call, request.policy_handle, PolicyHandle)
    sid: Sid = request.trusted_domain_sid

    def work(ctx: WriteContext) -> None:
        one = trust_facts.by_sid(ctx, sid)
        trust_facts.require(ctx, one, call, _Q_NAME | DELETE)
        trust_changes.delete(ctx, one)

    await call.directory.write("lsa.trust", call.requester, work)
    return idl.LsarDeleteTrustedDomainResponse()


# --- listing -----------------------------------------------------------------------------------------------


async def _listed(call: Call, handle: ContextHandle) -> tuple[Trust, ...]:
    """Deviation: nobody in particular is told of no trusts, though the policy's descriptor would let it."""
    held(call, handle, PolicyHandle, int(PolicyAccess.VIEW_LOCAL_INFORMATION))
    if call.requester.is_anonymous:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "nobody in particular")
    return await call.directory.read("lsa.trusts", call.requester, trusts.trusted_domains, point=True)


def _page(
    every: list[Trust], start: int, size_max: int, entry_size: int
) -> tuple[list[Trust], int, NtStatus]:
    """Some of them, the context to go on with, and whether there are more. Spec: 3.1.4.7.7, 3.1.4.7.8."""
    chosen = filled(every, start, size_max, lambda one: entry_size)
    if not chosen:
        return chosen, _LAST, NtStatus.STATUS_NO_MORE_ENTRIES
    if start + len(chosen) < len(every):
        return chosen, start + len(chosen), NtStatus.STATUS_MORE_ENTRIES
    return chosen, _LAST, NtStatus.STATUS_SUCCESS


async def enumerate_trusted_domains(
    call: Call, request: idl.LsarEnumerateTrustedDomains
) -> idl.LsarEnumerateTrustedDomainsResponse:
    """Windows domains that this one trusts."""
    every = [
        one
        for one in await _listed(call, request.policy_handle)
        if one.direction & TrustDirection.OUTBOUND
        and one.trust_type in (TrustType.DOWNLEVEL, TrustType.UPLEVEL)
        and not one.attributes & TrustAttributes.UPLEVEL_ONLY
    ]
    chosen, after, status = _page(
        every, request.enumeration_context, request.prefered_maximum_length, _ENTRY_SIZE
    )
    rows = tuple([idl.LsaprTrustInformation(one.flat_name, one.sid) for one in chosen])
    buffer = idl.LsaprTrustedEnumBuffer(rows or None)
    return idl.LsarEnumerateTrustedDomainsResponse(after, buffer, status)


async def enumerate_trusted_domains_ex(
    call: Call, request: idl.LsarEnumerateTrustedDomainsEx
) -> idl.LsarEnumerateTrustedDomainsExResponse:
    every = list(await _listed(call, request.policy_handle))
    chosen, after, status = _page(
        every, request.enumeration_context, request.prefered_maximum_length, _ENTRY_EX_SIZE
    )
    rows = tuple([_ex(one) for one in chosen])
    buffer = idl.LsaprTrustedEnumBufferEx(rows or None)
    return idl.LsarEnumerateTrustedDomainsExResponse(after, buffer, status)
