"""Link values of many objects by few questions, for readers of a whole part of the directory.

No access check here, and targets in any state.
Spec: [MS-ADTS] 3.1.1.1.6 (forward links)
"""

from collections.abc import Iterator, Sequence
from typing import Final

from addc.base.ids import Dnt
from addc.codec.dn import join_dn_binary
from addc.directory import names
from addc.directory.context import ReadContext
from addc.schema.snapshot import Attribute
from addc.schema.syntax import DnKind
from addc.store.links import BATCH

_VALUES_MAX: Final = 1_000_000


def values_of(
    ctx: ReadContext, attribute: Attribute, dnts: Sequence[Dnt]
) -> Iterator[tuple[Dnt, list[bytes]]]:
    """The values of a forward link attribute as LDAP shows them, of each of the objects that has some."""
    assert attribute.link_id is not None
    is_binary = attribute.syntax.dn_kind is DnKind.DN_BINARY
    for dnt, ends in _ends(ctx, attribute.link_id // 2, dnts):
        shown = []
        for target, data in ends:
            dn = names.dn_of(ctx, Dnt(target))
            shown.append((join_dn_binary(data, dn) if is_binary else dn).encode())
        yield dnt, shown


def _ends(
    ctx: ReadContext, link_base: int, dnts: Sequence[Dnt]
) -> Iterator[tuple[Dnt, Sequence[tuple[int, bytes]]]]:
    for start in range(0, len(dnts), BATCH):
        batch = dnts[start : start + BATCH]
        held = ctx.tx.link_ends_of(link_base, batch, _VALUES_MAX, back=False)
        if held is not None:
            yield from held.items()
            continue
        for dnt in batch:
            yield dnt, ctx.tx.link_ends(link_base, dnt, back=False)
