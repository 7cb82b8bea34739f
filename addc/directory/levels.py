"""Functional levels of this DC, its domain and its forest, and optional features that are on.

Spec: [MS-ADTS] 6.1.4.2 - 6.1.4.4 (msDS-Behavior-Version), 3.1.1.9 (optional features).
"""

from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.directory import entry, names
from addc.directory.context import Fact, ReadContext
from addc.schema import attr
from addc.store.objects import ObjectRow

DC_BEHAVIOR_VERSION: Final = 7
"""What this DC can do: DS_BEHAVIOR_WIN2016."""

RECYCLE_BIN_FEATURE: Final = UUID("766ddcd8-acd0-445e-f3b9-a7f9b6744f2a")
PRIVILEGED_ACCESS_FEATURE: Final = UUID("ec43e873-cce8-4640-b4ab-07ffe4ab5bcd")

_LEVELS: Final[Fact[tuple[int, int]]] = Fact()
_FEATURES: Final[Fact[frozenset[UUID]]] = Fact()


def domain_level(ctx: ReadContext) -> int:
    """msDS-Behavior-Version of the domain."""
    return _LEVELS.get(ctx, ctx.tx.seq, lambda: _read_levels(ctx))[0]


def forest_level(ctx: ReadContext) -> int:
    """msDS-Behavior-Version of the forest."""
    return _LEVELS.get(ctx, ctx.tx.seq, lambda: _read_levels(ctx))[1]


def _partitions(ctx: ReadContext) -> ObjectRow | None:
    try:
        return names.resolve(ctx, "CN=Partitions," + ctx.forest.config_dn)
    except DsError:
        return None


def _read_levels(ctx: ReadContext) -> tuple[int, int]:
    domain = ctx.tx.get(ctx.forest.domain_nc)
    forest = _partitions(ctx)
    return (
        0 if domain is None else entry.integer(domain, attr.MS_DS_BEHAVIOR_VERSION),
        0 if forest is None else entry.integer(forest, attr.MS_DS_BEHAVIOR_VERSION),
    )


def enabled_features(ctx: ReadContext) -> frozenset[UUID]:
    """GUIDs of the forest-wide optional features that are enabled."""
    return _FEATURES.get(ctx, ctx.tx.seq, lambda: _read_features(ctx))


def _read_features(ctx: ReadContext) -> frozenset[UUID]:
    holder = _partitions(ctx)
    attribute = ctx.schema.attribute_by_id(attr.MS_DS_ENABLED_FEATURE)
    if holder is None or attribute is None:
        return frozenset()
    found = set()
    for link in entry.live_links(ctx, holder, attribute):
        feature = ctx.tx.get(link.target)
        guid = None if feature is None else entry.first(feature, attr.MS_DS_OPTIONAL_FEATURE_GUID)
        if guid is not None and len(guid) == 16:
            found.add(UUID(bytes_le=guid))
    return frozenset(found)


def recycle_bin_enabled(ctx: ReadContext) -> bool:
    """Whether deleted objects keep their attributes for a while.

    Spec: [MS-ADTS] 3.1.1.9.1.
    """
    return RECYCLE_BIN_FEATURE in enabled_features(ctx)
