"""Trusted domains as the trust operations find them, and their secrets as they travel.

Spec: [MS-LSAD] 2.2.7, 3.1.4.7.
"""

from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError, NtError
from addc.codec.blobs import TRUST_AUTH_TYPE_CLEAR, AuthInformation, TrustAuthInfo
from addc.codec.ids import Sid
from addc.codes.ntstatus import NtStatus
from addc.directory import trusts
from addc.directory.context import ReadContext
from addc.directory.trusts import Trust
from addc.rpc.call import Call
from addc.rpc.interfaces.lsarpc import handles, idl
from addc.rpc.interfaces.lsarpc.handles import TrustHandle
from addc.security import lsa_cipher
from addc.security.lsa_cipher import TrustAuthBlob
from addc.store.objects import ObjectRow

NO_SECRETS: Final = TrustAuthBlob(TrustAuthInfo((), ()), TrustAuthInfo((), ()))
AUTH_TYPE_NONE: Final = 0


def of_handle(ctx: ReadContext, handle: TrustHandle) -> Trust:
    """Raises NtError(STATUS_INVALID_HANDLE) where it was deleted meanwhile."""
    for one in trusts.trusted_domains(ctx):
        if one.guid == handle.guid:
            return one
    raise NtError(NtStatus.STATUS_INVALID_HANDLE, "the trusted domain is gone")


def by_sid(ctx: ReadContext, sid: Sid) -> Trust:
    """Raises NtError for what is no domain's SID, or of a domain with which there is no trust."""
    if sid[1] != 4 or not str(sid).startswith("S-1-5-21-"):
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "not a domain's SID")
    for one in trusts.trusted_domains(ctx):
        if one.sid == sid:
            return one
    raise NtError(NtStatus.STATUS_NO_SUCH_DOMAIN, "no trust with that SID")


def by_name(ctx: ReadContext, name: str | None, missing: NtStatus) -> Trust:
    found = trusts.find(ctx, name) if name else None
    if found is None:
        raise NtError(missing, "no trust of that name")
    return found


def row_of(ctx: ReadContext, one: Trust) -> ObjectRow:
    row = ctx.tx.get(one.dnt)
    assert row is not None
    return row


def require(ctx: ReadContext, one: Trust, call: Call, needed: int) -> None:
    """Have the object's descriptor decide, for operations without a handle to it."""
    handles.trusted_access(ctx, row_of(ctx, one), call.requester, needed)


# --- secrets -----------------------------------------------------------------------------------------------


def _group(one: idl.LsaprAuthInformation | None) -> tuple[AuthInformation, ...]:
    if one is None or one.auth_type == AUTH_TYPE_NONE:
        return ()
    return (AuthInformation(FileTime(one.last_update_time), one.auth_type, one.auth_info or b""),)


def _direction(
    count: int, current: idl.LsaprAuthInformation | None, previous: idl.LsaprAuthInformation | None
) -> TrustAuthInfo:
    if count > 1 or (count and current is None):
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "one secret of each direction, or none")
    if not count:
        return TrustAuthInfo((), ())
    now, before = _group(current), _group(previous)
    return TrustAuthInfo(now, before if len(before) == len(now) else ())


def plain(given: idl.TrustedDomainAuthInformation) -> TrustAuthBlob:
    """The secrets of an LSAPR_TRUSTED_DOMAIN_AUTH_INFORMATION, which nothing hides."""
    return TrustAuthBlob(
        _direction(given.incoming_auth_infos, given.incoming, given.incoming_previous),
        _direction(given.outgoing_auth_infos, given.outgoing, given.outgoing_previous),
    )


def by_rc4(call: Call, given: idl.TrustedDomainAuthBlob) -> TrustAuthBlob:
    """Those of an LSAPR_TRUSTED_DOMAIN_AUTH_BLOB."""
    if not given.auth_blob:
        return NO_SECRETS
    try:
        return lsa_cipher.open_rc4(handles.session_key(call), given.auth_blob)
    except DecodeError:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "not under this session's key") from None


def by_aes(call: Call, given: idl.LsaprAesCipherValue) -> TrustAuthBlob:
    """Those of an LSAPR_TRUSTED_DOMAIN_AUTH_INFORMATION_INTERNAL_AES."""
    cipher = given.cipher or b""
    if len(cipher) < lsa_cipher.CONFOUNDER_SIZE:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "cbCipher is too small")
    try:
        data = lsa_cipher.open_aes(handles.session_key(call), given.auth_data, given.salt, cipher)
        return TrustAuthBlob.unpack(data)
    except DecodeError:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "not under this session's key") from None


def check_kinds(blob: TrustAuthBlob) -> None:
    """Refuse secrets that make no key but RC4's.

    Deviation: an NT hash alone is what NT 4.0 domains had; no trust here works with that.
    """
    for info in (blob.incoming, blob.outgoing):
        kinds = {one.auth_type for one in info.current}
        if kinds and TRUST_AUTH_TYPE_CLEAR not in kinds:
            raise NtError(NtStatus.STATUS_NOT_SUPPORTED, "secrets of trusts are passwords")
