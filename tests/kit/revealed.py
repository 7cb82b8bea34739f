"""What replication of secrets to a read-only DC leaves behind: its msDS-RevealedUsers.

Spec: [MS-DRSR] 4.1.10.5.9 (UpdateRevealedList).
"""

import struct
from typing import Final

from addc.base.clock import FileTime
from addc.codec.blobs import dstime
from addc.directory import names
from addc.directory.context import WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.modify import Change, ModOp, modify_object
from addc.schema import attr

_ATTRIBUTE: Final = "msDS-RevealedUsers"
_STAMP: Final = struct.Struct("<IIQ16sQQ")


def reveal(ctx: WriteContext, rodc: str, user: str) -> None:
    """Note that the RODC at one DN got the present password of the account at the other; as SYSTEM."""
    stamp = names.resolve(ctx, user).meta[attr.UNICODE_PWD]
    data = _STAMP.pack(
        attr.UNICODE_PWD,
        stamp.version,
        dstime(FileTime(stamp.time_ft)),
        stamp.invocation_id,
        stamp.originating_usn,
        stamp.local_usn,
    )
    value = f"B:{len(data) * 2}:{data.hex()}:{user}".encode()
    modify_object(ctx, rodc, [Change(ModOp.ADD, _ATTRIBUTE, [value])], RequestOptions())
