"""IOCTL: which control code goes where, and those that concern neither pipe nor file.

Spec: [MS-SMB2] 2.2.31, 3.3.5.15.
"""

import ipaddress
import struct
from typing import Final, Protocol, cast

from addc.base.errors import NtError
from addc.codes.ntstatus import NtStatus
from addc.smb import dfs, negotiate, pipe_files
from addc.smb import messages as m
from addc.smb.messages import Dialect
from addc.smb.request import IoctlHandler, IoctlHandlers, Reply, Request, SmbError, SmbHost, Violation
from addc.smb.session import Link
from addc.smb.shares import ShareKind

FSCTL_DFS_GET_REFERRALS: Final = 0x0006_0194
FSCTL_DFS_GET_REFERRALS_EX: Final = 0x0006_01B0
FSCTL_QUERY_NETWORK_INTERFACE_INFO: Final = 0x0014_01FC
FSCTL_VALIDATE_NEGOTIATE_INFO: Final = 0x0014_0204
_LINK_SPEED: Final = 1_000_000_000
_AF_INET: Final = 2
_AF_INET6: Final = 0x17


class IoctlHost(SmbHost, Protocol):
    """The server as these control codes need it."""

    offer: negotiate.Offer
    file_ioctls: IoctlHandlers

    def dfs_facts(self) -> dfs.DfsFacts: ...


class NegotiatedLink(Link, Protocol):
    agreed: negotiate.Agreed | None


async def ioctl(request: Request) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.15."""
    message = request.body(m.IoctlRequest)
    if message.flags != m.IOCTL_IS_FSCTL:
        raise SmbError(NtStatus.STATUS_NOT_SUPPORTED)
    handler = _HERE.get(message.ctl_code)
    if handler is not None and message.file_id != m.ANY_FILE:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    if handler is None and request.tree.share.kind is ShareKind.PIPE:
        handler = pipe_files.IOCTLS.get(message.ctl_code)
    elif handler is None:
        handler = cast(IoctlHost, request.host).file_ioctls.get(message.ctl_code)
    if handler is None:
        raise SmbError(NtStatus.STATUS_INVALID_DEVICE_REQUEST)
    return await handler(request, message)


def _answer(message: m.IoctlRequest, output: bytes) -> Reply:
    if len(output) > message.max_output_response:
        raise SmbError(NtStatus.STATUS_BUFFER_TOO_SMALL)
    return Reply(m.IoctlResponse(message.ctl_code, m.ANY_FILE, output=output))


async def validate_negotiate(request: Request, message: m.IoctlRequest) -> Reply:
    """Somebody who changed the negotiation on its way is found out here. Spec: [MS-SMB2] 3.3.5.15.12."""
    host, agreed = cast(IoctlHost, request.host), cast(NegotiatedLink, request.link).agreed
    assert agreed is not None
    if agreed.dialect is Dialect.SMB_3_1_1:
        raise Violation("a negotiation validated that validates itself")
    if message.max_output_response < negotiate.ValidateNegotiateResponse.fixed_size():
        raise Violation("no room for the answer to a validation")
    answer = negotiate.validated(host.offer, agreed, message.input)
    if answer is None:
        raise Violation("the negotiation was changed on its way")
    return _answer(message, answer.pack())


async def network_interfaces(request: Request, message: m.IoctlRequest) -> Reply:
    """The address that the client reached us by: others it need not try. Spec: [MS-SMB2] 3.3.5.15.11."""
    if request.link.dialect < Dialect.SMB_3_0:
        raise SmbError(NtStatus.STATUS_NOT_SUPPORTED)
    try:
        address = ipaddress.ip_address(request.link.local.partition("%")[0])
    except ValueError:
        raise SmbError(NtStatus.STATUS_NOT_SUPPORTED) from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.version == 4:
        storage = struct.pack("<HH", _AF_INET, 0) + address.packed
    else:
        storage = struct.pack("<HHI", _AF_INET6, 0, 0) + address.packed
    entry = struct.pack("<IIIIQ", 0, 1, 0, 0, _LINK_SPEED) + storage.ljust(128, b"\0")
    return _answer(message, entry)


async def _referrals(request: Request, message: m.IoctlRequest, *, extended: bool) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.15.2, [MS-DFSC] 3.3.5.1."""
    if request.session.anonymous:
        raise SmbError(NtStatus.STATUS_ACCESS_DENIED)
    level, path = dfs.asked(message.input, extended=extended)
    facts = cast(IoctlHost, request.host).dfs_facts()
    try:
        output = dfs.referral(facts, level, path, message.max_output_response)
    except NtError as error:
        raise SmbError(NtStatus(error.status)) from None
    return _answer(message, output)


async def dfs_referrals(request: Request, message: m.IoctlRequest) -> Reply:
    return await _referrals(request, message, extended=False)


async def dfs_referrals_ex(request: Request, message: m.IoctlRequest) -> Reply:
    return await _referrals(request, message, extended=True)


_HERE: Final[dict[int, IoctlHandler]] = {
    FSCTL_VALIDATE_NEGOTIATE_INFO: validate_negotiate,
    FSCTL_QUERY_NETWORK_INTERFACE_INFO: network_interfaces,
    FSCTL_DFS_GET_REFERRALS: dfs_referrals,
    FSCTL_DFS_GET_REFERRALS_EX: dfs_referrals_ex,
}
