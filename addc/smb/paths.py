"""The path that a request means.

Spec: [MS-SMB2] 3.3.5.9 (Path Name Validation).
"""

from addc.codes.ntstatus import NtStatus
from addc.smb.messages import FLAGS_DFS_OPERATIONS
from addc.smb.names import below_share, split_path
from addc.smb.request import Request


def asked_path(request: Request, text: str) -> tuple[str, ...] | NtStatus:
    """The names from the share's root, or why there is no such path."""
    if request.header.flags & FLAGS_DFS_OPERATIONS and request.tree.share.dfs:
        text = below_share(text, request.tree.share.name)
    return split_path(text)
