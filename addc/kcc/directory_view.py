"""The planner's view of the forest from within a DC: rows instead of requests, many at a time.

The rules are those of every other source (read.py); only where the objects come from differs.

Spec: [MS-ADTS] 6.2.2 (inputs)
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt
from addc.directory import names
from addc.directory.bulk_links import values_of
from addc.directory.context import ReadContext
from addc.directory.replication_failures import failure_lists
from addc.kcc.failures import together
from addc.kcc.reading.entries import (
    PARTITION_ATTRIBUTES,
    ROLE_PLACES,
    SITE_ATTRIBUTES,
    RawEntry,
    RootFacts,
)
from addc.kcc.reading.forest import snapshot_of
from addc.kcc.snapshot import Failure, Snapshot
from addc.schema import attr, cls
from addc.schema.snapshot import Attribute
from addc.schema.syntax import DnKind
from addc.store.objects import ObjectRow, ObjectState

_BATCH: Final = 512
_CLASSES: Final[Mapping[AttId, bytes]] = {
    cls.CROSS_REF: b"crossRef",
    cls.CROSS_REF_CONTAINER: b"crossRefContainer",
    cls.SITE: b"site",
    cls.NTDS_SITE_SETTINGS: b"nTDSSiteSettings",
    cls.SERVER: b"server",
    cls.NTDSDSA: b"nTDSDSA",
    cls.NTDSDSARO: b"nTDSDSARO",
    cls.NTDS_CONNECTION: b"nTDSConnection",
    cls.INTER_SITE_TRANSPORT: b"interSiteTransport",
    cls.SITE_LINK: b"siteLink",
    cls.SITE_LINK_BRIDGE: b"siteLinkBridge",
}
"""Structural classes of the objects that are read."""
_LINKED_ON: Final[Mapping[AttId, tuple[AttId, ...]]] = {
    attr.MS_DS_NC_REPLICA_LOCATIONS: (cls.CROSS_REF,),
    attr.MS_DS_NC_RO_REPLICA_LOCATIONS: (cls.CROSS_REF,),
    attr.HAS_MASTER_N_CS: (cls.NTDSDSA, cls.NTDSDSARO),
    attr.MS_DS_HAS_MASTER_N_CS: (cls.NTDSDSA, cls.NTDSDSARO),
    attr.MS_DS_HAS_FULL_REPLICA_N_CS: (cls.NTDSDSA, cls.NTDSDSARO),
    attr.HAS_PARTIAL_REPLICA_N_CS: (cls.NTDSDSA, cls.NTDSDSARO),
    attr.MS_DS_HAS_DOMAIN_N_CS: (cls.NTDSDSA, cls.NTDSDSARO),
    attr.MS_DS_HAS_INSTANTIATED_N_CS: (cls.NTDSDSA, cls.NTDSDSARO),
    attr.BRIDGEHEAD_TRANSPORT_LIST: (cls.SERVER,),
    attr.SITE_LIST: (cls.SITE_LINK,),
    attr.SITE_LINK_LIST: (cls.SITE_LINK_BRIDGE,),
}
"""Linked attributes, and the classes whose objects have them."""
_HEAD: Final = frozenset((attr.FSMO_ROLE_OWNER, attr.REPL_UP_TO_DATE_VECTOR))


def snapshot(ctx: ReadContext) -> Snapshot:
    """The forest as this DC sees it now, with the failures that it keeps."""
    return view(ctx, ctx.now, together(failure_lists(ctx)))


def view(ctx: ReadContext, now: FileTime, failures: Mapping[bytes, Failure]) -> Snapshot:
    """The forest as this DC's directory has it. failures: by the GUIDs of nTDSDSA objects."""
    forest = ctx.forest
    dsa = names.dn_of(ctx, forest.dsa_dnt)
    facts = RootFacts(forest.config_dn, forest.schema_dn, forest.root_dn, forest.domain_dn, dsa)
    return snapshot_of(entries(ctx), facts, now, failures)


def entries(ctx: ReadContext) -> Iterator[RawEntry]:
    """Everything that the planner reads."""
    config = ctx.forest.config_dn
    wanted = _wanted(ctx)
    for base in (f"CN=Partitions,{config}", f"CN=Sites,{config}"):
        for rows in _rows(ctx, base):
            yield from _batch(ctx, rows, wanted)
    yield from _heads(ctx)


def _wanted(ctx: ReadContext) -> dict[AttId, tuple[str, Attribute]]:
    """Attributes that lie in the rows, by id: the name in lower case and the definition."""
    found = {}
    for name in (*PARTITION_ATTRIBUTES, *SITE_ATTRIBUTES):
        attribute = ctx.schema.attribute(name)
        if attribute is not None and attribute.link_id is None and name != "objectClass":
            found[attribute.att_id] = name.lower(), attribute
    return found


def _rows(ctx: ReadContext, base: str) -> Iterator[list[ObjectRow]]:
    """Living objects of the classes that matter, `base` included, in batches."""
    try:
        top = names.resolve(ctx, base)
    except DsError:
        return
    after = Dnt(0)
    while batch := ctx.tx.subtree_dnts(top.path, after, _BATCH):
        after = batch[-1]
        yield [
            row for row in ctx.tx.pass_by(batch) if row.state is ObjectState.LIVE and row.class_id in _CLASSES
        ]


def _batch(
    ctx: ReadContext, rows: Sequence[ObjectRow], wanted: Mapping[AttId, tuple[str, Attribute]]
) -> Iterator[RawEntry]:
    linked = _linked(ctx, rows)
    for row in rows:
        values: dict[str, Sequence[bytes]] = {
            "objectclass": (_CLASSES[row.class_id],),
            "objectguid": (row.guid,),
        }
        for att, held in row.attrs.items():
            known = wanted.get(att)
            if known is not None:
                values[known[0]] = _shown(ctx, known[1], held)
        values.update(linked.get(row.dnt, {}))
        yield RawEntry(names.dn_of_row(ctx, row), values)


def _shown(ctx: ReadContext, attribute: Attribute, held: Sequence[bytes]) -> Sequence[bytes]:
    """Stored values as they are read elsewhere: references as DNs, of deleted objects too."""
    if attribute.syntax.dn_kind is DnKind.NONE:
        return held
    return [names.dn_of(ctx, names.reference_dnt(value)).encode() for value in held]


def _linked(ctx: ReadContext, rows: Sequence[ObjectRow]) -> dict[Dnt, dict[str, list[bytes]]]:
    """Link values by row and attribute; a question for each attribute, not for each object."""
    found: dict[Dnt, dict[str, list[bytes]]] = {}
    by_class: dict[AttId, list[Dnt]] = {}
    for row in rows:
        by_class.setdefault(row.class_id, []).append(row.dnt)
    for att, classes in _LINKED_ON.items():
        dnts = [dnt for one in classes for dnt in by_class.get(one, ())]
        attribute = ctx.schema.attribute_by_id(att)
        if not dnts or attribute is None or attribute.link_id is None:
            continue
        name = attribute.name.lower()
        for dnt, held in values_of(ctx, attribute, dnts):
            found.setdefault(dnt, {})[name] = held
    return found


def _heads(ctx: ReadContext) -> Iterator[RawEntry]:
    """Heads of naming contexts and other owners of roles: for cursors and roles."""
    forest = ctx.forest
    local = (forest.domain_dns_dn, forest.forest_dns_dn)
    contexts = (forest.config_dn, forest.schema_dn, forest.domain_dn, *local)
    for nc in contexts:
        for dn in (nc, *(f"{place},{nc}" for place in ROLE_PLACES)) if nc else ():
            try:
                row = names.resolve(ctx, dn)
            except DsError:
                continue
            values = {}
            for att in _HEAD & row.attrs.keys():
                attribute = ctx.schema.attribute_by_id(att)
                assert attribute is not None
                values[attribute.name.lower()] = _shown(ctx, attribute, row.attrs[att])
            if values:
                yield RawEntry(names.dn_of_row(ctx, row), values)
