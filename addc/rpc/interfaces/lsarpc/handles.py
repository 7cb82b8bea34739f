"""What the handles of lsarpc stand for, and how each is asked for what it may do.

A handle keeps the rights that it was opened with; an operation asks the handle, not the object. Operations
that name their object instead of showing a handle ask the object's descriptor.

Spec: [MS-LSAD] 3.1.1.7, 3.1.4.1, 3.1.4.2.
"""

from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

from addc.base.errors import DsError, NtError
from addc.codec.ids import Sid
from addc.codec.ndr import ContextHandle
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import lsa_accounts, lsa_policy, rights
from addc.directory.context import ReadContext
from addc.rpc.call import Call, RpcFault, Transport
from addc.rpc.interfaces.lsarpc.rights import (
    ACCOUNT_MAPPING,
    DELETE,
    MAXIMUM_ALLOWED,
    POLICY_MAPPING,
    READ_CONTROL,
    SECRET_MAPPING,
    TRUSTED_MAPPING,
    WRITE_DAC,
    WRITE_OWNER,
    TrustedAccess,
    default_account,
    default_policy,
    default_secret,
)
from addc.security import lsa_cipher, wellknown
from addc.security.access_check import access_check
from addc.security.access_mask import AccessMask, GenericMapping
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import Token
from addc.store.objects import ObjectRow


@dataclass(frozen=True, slots=True)
class LsaHandle:
    """access: the rights that it was opened with."""

    access: int


@dataclass(frozen=True, slots=True)
class PolicyHandle(LsaHandle):
    """The policy object."""


@dataclass(frozen=True, slots=True)
class AccountHandle(LsaHandle):
    sid: Sid


@dataclass(frozen=True, slots=True)
class SecretHandle(LsaHandle):
    name: str


@dataclass(frozen=True, slots=True)
class TrustHandle(LsaHandle):
    """guid: of the trusted domain object."""

    guid: UUID


H = TypeVar("H", bound=LsaHandle)


def held(call: Call, handle: ContextHandle, kind: type[H], needed: int = 0) -> H:
    """What the handle stands for, if it may do `needed`.

    Raises NtError for another kind of handle, and where a right is missing; RpcFault for no handle of ours.
    """
    value = call.handles.get(handle, LsaHandle)
    if not isinstance(value, kind):
        raise NtError(NtStatus.STATUS_INVALID_HANDLE, f"a {type(value).__name__}")
    if needed & ~value.access:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, f"the handle lacks {needed & ~value.access:#x}")
    return value


def opened(sd: SecurityDescriptor, token: Token, desired: int, mapping: GenericMapping) -> int:
    """The rights of a handle that is opened so. Raises DsError(ERROR_ACCESS_DENIED). Spec: 3.1.4.2.1."""
    granted = int(access_check(sd, token, desired, mapping=mapping))
    return granted if desired & MAXIMUM_ALLOWED else mapping.map(desired)


def only_by_pipe(call: Call) -> None:
    """Refuse what goes over named pipes alone. Spec: [MS-LSAD] 2.1, [MS-LSAT] 2.1."""
    if call.transport is not Transport.PIPE:
        raise RpcFault(NcaStatus.NCA_S_FAULT_ACCESS_DENIED, "not over TCP")


def session_key(call: Call) -> bytes:
    """The key of secrets in parameters. Raises NtError where the client has none."""
    key = call.security.session_key.reveal()
    if len(key) < lsa_cipher.KEY_SIZE:
        raise NtError(NtStatus.STATUS_NO_USER_SESSION_KEY, "nobody's session has no key")
    return key[: lsa_cipher.KEY_SIZE]


# --- descriptors -------------------------------------------------------------------------------------------


def policy_descriptor(ctx: ReadContext) -> SecurityDescriptor:
    """The policy object's."""
    stored = lsa_policy.read(ctx).descriptor
    return SecurityDescriptor.unpack(bytes.fromhex(stored)) if stored else default_policy()


def account_descriptor(account: lsa_accounts.LsaAccount) -> SecurityDescriptor:
    return default_account() if account.descriptor is None else SecurityDescriptor.unpack(account.descriptor)


def policy_access(ctx: ReadContext, token: Token, desired: int) -> int:
    return opened(policy_descriptor(ctx), token, desired, POLICY_MAPPING)


def account_access(account: lsa_accounts.LsaAccount, token: Token, desired: int) -> int:
    return opened(account_descriptor(account), token, desired, ACCOUNT_MAPPING)


def secret_access(token: Token, desired: int) -> int:
    return opened(default_secret(), token, desired, SECRET_MAPPING)


_T = TrustedAccess
_READS: Final = int(_T.QUERY_DOMAIN_NAME | _T.QUERY_CONTROLLERS | _T.QUERY_POSIX)
_WRITES: Final = int(_T.SET_CONTROLLERS | _T.SET_POSIX | _T.SET_AUTH | _T.QUERY_AUTH)
_STANDARD: Final = DELETE | READ_CONTROL | WRITE_DAC | WRITE_OWNER


def trusted_access(ctx: ReadContext, row: ObjectRow, token: Token, desired: int) -> int:
    """The rights of a handle to a trusted domain, from those on its object.

    Reading properties is querying, writing them is setting; who may set secrets may query about them.
    Who did not log on gets nothing. Raises DsError(ERROR_ACCESS_DENIED). Spec: [MS-LSAD] 2.2.1.1.5, <95>.
    """
    if wellknown.AUTHENTICATED_USERS not in token.sids:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "who did not log on sees no trusts")
    if ctx.unrestricted:
        granted = TRUSTED_MAPPING.all
    else:
        mask = int(rights.grants(ctx, row).object_mask)
        granted = mask & _STANDARD
        granted |= _READS if mask & AccessMask.RIGHT_DS_READ_PROPERTY else 0
        granted |= _WRITES if mask & AccessMask.RIGHT_DS_WRITE_PROPERTY else 0
    wanted = TRUSTED_MAPPING.map(desired)
    missing = wanted & ~MAXIMUM_ALLOWED & ~granted
    if missing or (wanted & MAXIMUM_ALLOWED and not granted):
        raise DsError(Win32.ERROR_ACCESS_DENIED, f"trusted domain: {missing:#x} is missing")
    return granted if wanted & MAXIMUM_ALLOWED else wanted
