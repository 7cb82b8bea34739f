"""Who owns how many objects of a naming context: one index key for each object, made of its descriptor.

The key belongs to no attribute. Like those of attributes it follows its object, so that it can be checked and
mended object by object, and nobody has to keep a count that might drift.

Spec: [MS-ADTS] 3.1.1.5.2.5.
"""

from collections.abc import Iterator
from typing import Final

from addc.base.ids import AttId, Dnt
from addc.codec.ids import Sid
from addc.directory import rights
from addc.directory.context import ReadContext, WriteContext
from addc.security.descriptor import SecurityDescriptor
from addc.store.backend import ALL
from addc.store.objects import ObjectRow, ObjectState, RowChange

OWNER_INDEX: Final = AttId(1 << 32)
"""Where the index holds the keys: attributes have ids of 32 bits."""

_LIVE: Final = b"\0"
_DEAD: Final = b"\1"
_NC_SIZE: Final = 8


def _key(nc: Dnt, owner: bytes, state: ObjectState) -> bytes:
    return nc.to_bytes(_NC_SIZE, "big") + owner + (_LIVE if state is ObjectState.LIVE else _DEAD)


def _owner(ctx: ReadContext, sd_id: int) -> bytes:
    descriptor: SecurityDescriptor = rights.descriptor_by_id(ctx, sd_id)
    return b"" if descriptor.owner is None else bytes(descriptor.owner)


def keys(ctx: ReadContext, nc: Dnt, sd_id: int, state: ObjectState) -> list[bytes]:
    """The key of an object; none for what is only a name, or has no owner."""
    if state is ObjectState.PHANTOM or not sd_id:
        return []
    owner = _owner(ctx, sd_id)
    return [_key(nc, owner, state)] if owner else []


def keys_of(ctx: ReadContext, row: ObjectRow) -> list[bytes]:
    """The key that the index must hold of a row."""
    return keys(ctx, row.nc, row.sd_id, row.state)


def follow(ctx: WriteContext, row: ObjectRow, change: RowChange) -> None:
    """Let the index follow a change of a row's descriptor or state."""
    before = keys_of(ctx, row)
    after = keys(ctx, row.nc, change.get("sd_id", row.sd_id), change.get("state", row.state))
    if before != after:
        ctx.tx.set_index(row.dnt, OWNER_INDEX, after)


def owned(ctx: ReadContext, nc: Dnt, owner: Sid, cap: int = ALL) -> tuple[int, int]:
    """How many living and how many deleted objects of a naming context somebody owns, each at most `cap`."""
    sid = bytes(owner)
    live = ctx.tx.index_count(OWNER_INDEX, _key(nc, sid, ObjectState.LIVE), cap)
    return live, ctx.tx.index_count(OWNER_INDEX, _key(nc, sid, ObjectState.DELETED), cap)


def owners(ctx: ReadContext, nc: Dnt) -> Iterator[Sid]:
    """Everybody who owns an object of a naming context; costs a look-up for each."""
    low = nc.to_bytes(_NC_SIZE, "big")
    end = Dnt(nc + 1).to_bytes(_NC_SIZE, "big")
    while found := ctx.tx.index_scan(OWNER_INDEX, low, end, 1):
        key = found[0][0]
        yield Sid(key[_NC_SIZE:-1])
        low = key[:-1] + b"\xff"
