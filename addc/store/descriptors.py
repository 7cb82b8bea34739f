"""Security descriptors, each stored once."""

import hmac
from typing import Final

from sqlalchemy import bindparam, delete, insert, select

from addc.base.secret import Secret
from addc.store.backend import Statement
from addc.store.tables import DESCRIPTOR, FILE, OBJECT, SHARE_FILE

NO_DESCRIPTOR: Final = 0
"""sd_id of a row without one (a phantom)."""

GET: Final[Statement[tuple[bytes]]] = Statement(
    select(DESCRIPTOR.c.sd).where(DESCRIPTOR.c.sd_id == bindparam("row")), "row"
)
PUT: Final[Statement[None]] = Statement(insert(DESCRIPTOR), "sd_id", "sd")
SWEEP: Final[Statement[None]] = Statement(
    delete(DESCRIPTOR).where(
        DESCRIPTOR.c.sd_id.not_in(select(OBJECT.c.sd_id)),
        DESCRIPTOR.c.sd_id.not_in(select(FILE.c.sd_id)),
        DESCRIPTOR.c.sd_id.not_in(select(SHARE_FILE.c.sd_id)),
    )
)


def descriptor_id(key: Secret, sd: bytes) -> int:
    """The id of these bytes: 63 bits of HMAC-SHA256.

    Made from the content, so an id never means two descriptors in any process, not even when the write that
    first used it was rolled back; keyed, so nobody outside can look for two descriptors with one id.
    """
    return (int.from_bytes(hmac.digest(key.reveal(), sd, "sha256")[:8], "big") >> 1) or 1
