"""Whether a client means this server, and whether it may call what needs no secure channel.

Spec: [MS-NRPC] 3 (common error processing rule B), 3.5.4.1, 3.5.4.2.
"""

from addc.base.errors import DsError, NtError
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.rpc.call import Call
from addc.rpc.interfaces.netlogon.rights import DESCRIPTOR, MAPPING, NetlogonAccess
from addc.security.access_check import access_check


def is_own(call: Call, name: str | None) -> bool:
    """Whether a LOGONSRV_HANDLE names this server: by either name, by the address reached, or not at all."""
    if not name:
        return True
    bare = name.removeprefix("\\\\").rstrip(".").lower()
    forest = call.directory.forest
    return bare in ("", forest.host.lower(), forest.host_fqdn.lower(), call.local)


def check_nt(call: Call, name: str | None) -> None:
    """Raises NtError(STATUS_INVALID_COMPUTER_NAME) for another's name."""
    if not is_own(call, name):
        raise NtError(NtStatus.STATUS_INVALID_COMPUTER_NAME, "another server's name")


def check_win32(call: Call, name: str | None) -> None:
    """Raises DsError(ERROR_INVALID_COMPUTERNAME) for another's name."""
    if not is_own(call, name):
        raise DsError(Win32.ERROR_INVALID_COMPUTERNAME, "another server's name")


def require(call: Call, access: NetlogonAccess) -> None:
    """Raises DsError(ERROR_ACCESS_DENIED) where the client lacks a right of Netlogon."""
    access_check(DESCRIPTOR, call.requester, access, mapping=MAPPING)
