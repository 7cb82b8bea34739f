"""TREE_CONNECT and TREE_DISCONNECT.

Spec: [MS-SMB2] 3.3.5.7, 3.3.5.8.
"""

from typing import Final, Protocol, cast

from addc.codes.ntstatus import NtStatus
from addc.smb import messages as m
from addc.smb.file_access import FULL, allowed
from addc.smb.messages import Dialect
from addc.smb.policy import TREES_PER_SESSION_MAX, SmbPolicy
from addc.smb.request import Reply, Request, SmbError, SmbHost, Violation
from addc.smb.session import EndReason, Session, Tree
from addc.smb.shares import SHARE_FLAG_ENCRYPT_DATA, Share, ShareKind, ShareTable

_NAME_MAX: Final = 80
_NO_TREE: Final = 0xFFFF_FFFF


class TreeHost(SmbHost, Protocol):
    """The server as tree connects need it."""

    shares: ShareTable
    policy: SmbPolicy


def share_name(path: str) -> str:
    """The share that `\\\\server\\share` names. Raises SmbError. Spec: [MS-DTYP] 2.2.57."""
    parts = path.split("\\")
    if len(parts) != 4 or parts[0] or parts[1] or not parts[2] or not parts[3]:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    if len(parts[3]) > _NAME_MAX:
        raise SmbError(NtStatus.STATUS_BAD_NETWORK_NAME)
    return parts[3]


async def tree_connect(request: Request) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.7."""
    host, session, link = cast(TreeHost, request.host), request.session, request.link
    signed = bool(request.header.flags & m.FLAGS_SIGNED)
    if link.dialect is Dialect.SMB_3_1_1 and not session.anonymous and not signed and not request.encrypted:
        raise Violation("a tree connect that is neither signed nor encrypted")
    message = request.body(m.TreeConnectRequest)
    share = host.shares.find(share_name(message.path))
    if share is None:
        raise SmbError(NtStatus.STATUS_BAD_NETWORK_NAME)
    access = _access(share, session)
    _check_encryption(share, session)
    if len(session.trees) >= TREES_PER_SESSION_MAX:
        raise SmbError(NtStatus.STATUS_INSUFFICIENT_RESOURCES)
    if share.connections_max is not None and _uses(host, share) >= share.connections_max:
        raise SmbError(NtStatus.STATUS_REQUEST_NOT_ACCEPTED)
    tree_id = next(one for one in range(1, _NO_TREE) if one not in session.trees)
    session.trees[tree_id] = Tree(tree_id, share, access, host.services.clock.now())
    request.compound.tree_id = tree_id
    flags = share.share_flags
    if link.dialect < Dialect.SMB_3_0:
        flags &= ~SHARE_FLAG_ENCRYPT_DATA
    return Reply(m.TreeConnectResponse(share.kind, flags, share.capabilities, access))


def _access(share: Share, session: Session) -> int:
    """What the user may do there at most. Raises SmbError where that is nothing."""
    if session.anonymous and share.kind is not ShareKind.PIPE:
        raise SmbError(NtStatus.STATUS_ACCESS_DENIED)
    access = FULL if share.descriptor is None else allowed(share.descriptor, session.token)
    if not access:
        raise SmbError(NtStatus.STATUS_ACCESS_DENIED)
    return access


def _check_encryption(share: Share, session: Session) -> None:
    """A share that demands encryption is for those who can. Spec: [MS-SMB2] 3.3.5.7."""
    if share.encrypt and session.sealer is None:
        raise SmbError(NtStatus.STATUS_ACCESS_DENIED)


def _uses(host: SmbHost, share: Share) -> int:
    return sum(tree.share.name == share.name for one in host.sessions.values() for tree in one.trees.values())


async def tree_disconnect(request: Request) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.8."""
    session, tree = request.session, request.tree
    session.trees.pop(tree.tree_id, None)
    for one in session.opens_of(tree):
        await request.host.close_open(one, EndReason.TREE_DISCONNECTED)
    return Reply(m.Plain())
