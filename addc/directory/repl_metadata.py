"""Stamps and partners as LDAP clients read them: replPropertyMetaData, msDS-Repl*MetaData, msDS-NCRepl*.

Spec: [MS-ADTS] 3.1.1.4.5.13, 3.1.1.4.5.14, [MS-DRSR] 4.1.13.3.
"""

from typing import Final

from addc.base.errors import DecodeError
from addc.base.ids import AttId
from addc.codec.blobs import (
    PropertyMetaData,
    ReplPropertyMetaData,
    ReplUpToDateVector,
    RepsFrom,
    UpToDateCursor,
    dstime,
    from_dstime,
)
from addc.codec.drs_options import NEIGHBOR_FLAGS
from addc.codec.repl_info import (
    ATTR_META_DATA,
    CURSOR,
    NEIGHBOR,
    VALUE_META_DATA,
    Record,
    written,
)
from addc.directory import entry, names, rights
from addc.directory.context import Fact, ReadContext
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.schema.wellknown import ExtendedRight
from addc.store.backend import ALL
from addc.store.links import LinkRow
from addc.store.objects import ObjectRow, ObjectState, Stamp

_DSAS: Final[Fact[dict[bytes, str]]] = Fact()
_FORWARD: Final[Fact[dict[int, Attribute]]] = Fact()
_TOPOLOGY: Final = (
    ExtendedRight.DS_REPLICATION_MANAGE_TOPOLOGY.bytes_le,
    ExtendedRight.DS_REPLICATION_MONITOR_TOPOLOGY.bytes_le,
)


def property_meta_data(row: ObjectRow) -> bytes:
    """replPropertyMetaData."""
    return ReplPropertyMetaData(
        tuple(
            PropertyMetaData(
                att,
                stamp.version,
                dstime(stamp.time_ft),
                stamp.invocation_id,
                stamp.originating_usn,
                stamp.local_usn,
            )
            for att, stamp in row.meta.items()
        )
    ).pack()


def _dsa_dn(ctx: ReadContext, invocation_id: bytes) -> str:
    """DN of the nTDSDSA object with that invocationId; "" if it is unknown."""
    known = _DSAS.get(ctx, ctx.tx.seq, dict)
    found = known.get(invocation_id)
    if found is None:
        dnts = ctx.tx.index_eq(attr.INVOCATION_ID, invocation_id)
        rows = [row for row in ctx.tx.get_many(dnts) if row.state is ObjectState.LIVE]
        found = known[invocation_id] = names.dn_of_row(ctx, rows[0]) if rows else ""
    return found


def _origin(ctx: ReadContext, stamp: Stamp) -> Record:
    return {
        "dwVersion": stamp.version,
        "ftimeLastOriginatingChange": stamp.time_ft,
        "uuidLastOriginatingDsaInvocationID": stamp.invocation_id,
        "usnOriginatingChange": stamp.originating_usn,
        "usnLocalChange": stamp.local_usn,
        "pszLastOriginatingDsaDN": _dsa_dn(ctx, stamp.invocation_id),
    }


def attribute_meta_data(ctx: ReadContext, row: ObjectRow, *, binary: bool = False) -> list[bytes]:
    """msDS-ReplAttributeMetaData, a value for each stamp."""
    return [written(ATTR_META_DATA, record, binary=binary) for record in attribute_records(ctx, row)]


def attribute_records(ctx: ReadContext, row: ObjectRow) -> list[Record]:
    """The stamps of an object's attributes, as DS_REPL_ATTR_META_DATA names their parts."""
    found: list[Record] = []
    for att, stamp in sorted(row.meta.items()):
        attribute = ctx.schema.attribute_by_id(att)
        if attribute is not None:
            found.append({"pszAttributeName": attribute.name, **_origin(ctx, stamp)})
    return found


def value_meta_data(ctx: ReadContext, row: ObjectRow, limit: int, *, binary: bool = False) -> list[bytes]:
    """msDS-ReplValueMetaData, a value for each of the first `limit` link values, removed ones too.

    Values of attributes that the requester may not read are as hidden here as there.
    """
    forward = _FORWARD.get(
        ctx,
        ctx.schema,
        lambda: {
            one.link_id // 2: one
            for one in ctx.schema.attributes
            if one.link_id is not None and not one.is_back_link
        },
    )
    held = [forward[base] for base in ctx.tx.link_bases((row.dnt,)).get(row.dnt, ()) if base in forward]
    shown = {one.link_id for one in held if rights.can_read(ctx, row, one)}
    links = ctx.tx.all_links(row.dnt, limit if len(shown) == len(held) else ALL)
    found: list[bytes] = []
    for link in links:
        attribute = forward.get(link.link_base)
        if attribute is not None and attribute.link_id in shown and len(found) < limit:
            found.append(written(VALUE_META_DATA, _value(ctx, attribute, link), binary=binary))
    return found


def _value(ctx: ReadContext, attribute: Attribute, link: LinkRow) -> Record:
    return {
        "pszAttributeName": attribute.name,
        "pszObjectDn": names.dn_of(ctx, link.target),
        "cbData": len(link.data),
        "pbData": link.data,
        "ftimeDeleted": link.deleted_ft,
        "ftimeCreated": link.created_ft,
        **_origin(ctx, link.stamp),
    }


def cursors(ctx: ReadContext, head: ObjectRow, *, binary: bool = False) -> list[bytes]:
    """msDS-NCReplCursors of an NC's root."""
    return [written(CURSOR, record, binary=binary) for record in cursor_records(ctx, head)]


def cursor_records(ctx: ReadContext, head: ObjectRow) -> list[Record]:
    """How far each DC's changes are known, this one's included, in order of their invocation ids.

    Spec: [MS-DRSR] 4.1.13.2.4 (GetUpToDatenessVector).
    """
    vector: tuple[UpToDateCursor, ...] = ()
    stored = entry.first(head, attr.REPL_UP_TO_DATE_VECTOR)
    if stored is not None:
        vector = ReplUpToDateVector.unpack(stored).cursors
    own = UpToDateCursor(ctx.forest.invocation_id.bytes_le, ctx.tx.usn, dstime(ctx.now))
    return [
        {
            "uuidSourceDsaInvocationID": one.uuid_dsa,
            "usnAttributeFilter": one.usn_high_prop_update,
            "ftimeLastSyncSuccess": from_dstime(one.last_sync_s),
            "pszSourceDsaDN": _dsa_dn(ctx, one.uuid_dsa),
        }
        for one in sorted((*(one for one in vector if one.uuid_dsa != own.uuid_dsa), own))
    ]


def neighbors(ctx: ReadContext, head: ObjectRow, att: AttId, *, binary: bool = False) -> list[bytes]:
    """msDS-NCReplInboundNeighbors and its outbound kin: the partners in an attribute of an NC's root."""
    return [written(NEIGHBOR, record, binary=binary) for record in neighbor_records(ctx, head, att)]


def neighbor_records(ctx: ReadContext, head: ObjectRow, att: AttId) -> list[Record]:
    """The partners in an attribute of an NC's root, as DS_REPL_NEIGHBOR names their parts."""
    found: list[Record] = []
    for value in head.attrs.get(att, ()):
        try:
            partner = RepsFrom.unpack(value)
        except DecodeError:
            continue  # of a version that nobody can show
        found.append(_neighbor(ctx, head, partner))
    return found


def _neighbor(ctx: ReadContext, head: ObjectRow, partner: RepsFrom) -> Record:
    return {
        "pszNamingContext": names.dn_of_row(ctx, head),
        "pszSourceDsaDN": dn_of_guid(ctx, partner.uuid_dsa_obj),
        "pszSourceDsaAddress": partner.address,
        "pszAsyncIntersiteTransportDN": dn_of_guid(ctx, partner.uuid_transport_obj),
        "dwReplicaFlags": int(partner.replica_flags & NEIGHBOR_FLAGS),
        "dwReserved": 0,
        "uuidNamingContextObjGuid": head.guid,
        "uuidSourceDsaObjGuid": partner.uuid_dsa_obj,
        "uuidSourceDsaInvocationID": partner.uuid_invoc_id,
        "uuidAsyncIntersiteTransportObjGuid": partner.uuid_transport_obj,
        "usnLastObjChangeSynced": partner.usn_vector[0],
        "usnAttributeFilter": partner.usn_vector[2],
        "ftimeLastSyncSuccess": from_dstime(partner.last_success_s),
        "ftimeLastSyncAttempt": from_dstime(partner.last_attempt_s),
        "dwLastSyncResult": partner.result_last_attempt,
        "cNumConsecutiveSyncFailures": partner.consecutive_failures,
    }


def may_read_topology(ctx: ReadContext, row: ObjectRow, att: AttId | None = None) -> bool:
    """RIGHT_DS_READ_PROPERTY on the stored attribute, or managing or monitoring the topology.

    att: None where only the two rights count. Spec: [MS-DRSR] 4.1.13.3, [MS-ADTS] 3.1.1.4.4.
    """
    attribute = None if att is None else ctx.schema.attribute_by_id(att)
    if attribute is not None and rights.can_read(ctx, row, attribute):
        return True
    return any(rights.holds_right(ctx, row, right) for right in _TOPOLOGY)


def dn_of_guid(ctx: ReadContext, guid: bytes) -> str:
    """DN of the object with that GUID; "" for none."""
    row = ctx.tx.by_guid(guid) if any(guid) else None
    return "" if row is None else names.dn_of_row(ctx, row)
