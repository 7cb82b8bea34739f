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
from addc.store.backend import ALL
from addc.store.links import LinkRow
from addc.store.objects import ObjectRow, ObjectState, Stamp

_DSAS: Final[Fact[dict[bytes, str]]] = Fact()
_FORWARD: Final[Fact[dict[int, Attribute]]] = Fact()
_NEIGHBOR_FLAGS: Final = 0x3023_02F0
"""The bits of a partner's replica flags that DS_REPL_NEIGHBORW shows."""


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
    found = []
    for att, stamp in sorted(row.meta.items()):
        attribute = ctx.schema.attribute_by_id(att)
        if attribute is not None:
            record: Record = {"pszAttributeName": attribute.name, **_origin(ctx, stamp)}
            found.append(written(ATTR_META_DATA, record, binary=binary))
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
    """msDS-NCReplCursors of an NC's root: how far each DC's changes are known, this one's included.

    Spec: [MS-DRSR] 4.1.13.2.4 (GetUpToDatenessVector).
    """
    vector: tuple[UpToDateCursor, ...] = ()
    stored = entry.first(head, attr.REPL_UP_TO_DATE_VECTOR)
    if stored is not None:
        vector = ReplUpToDateVector.unpack(stored).cursors
    own = UpToDateCursor(ctx.forest.invocation_id.bytes_le, ctx.tx.usn, dstime(ctx.now))
    found = []
    for one in sorted((*(one for one in vector if one.uuid_dsa != own.uuid_dsa), own)):
        record: Record = {
            "uuidSourceDsaInvocationID": one.uuid_dsa,
            "usnAttributeFilter": one.usn_high_prop_update,
            "ftimeLastSyncSuccess": from_dstime(one.last_sync_s),
            "pszSourceDsaDN": _dsa_dn(ctx, one.uuid_dsa),
        }
        found.append(written(CURSOR, record, binary=binary))
    return found


def neighbors(ctx: ReadContext, head: ObjectRow, att: AttId, *, binary: bool = False) -> list[bytes]:
    """msDS-NCReplInboundNeighbors and its outbound kin: the partners in an attribute of an NC's root."""
    found = []
    for value in head.attrs.get(att, ()):
        try:
            partner = RepsFrom.unpack(value)
        except DecodeError:
            continue  # of a version that nobody can show
        found.append(written(NEIGHBOR, _neighbor(ctx, head, partner), binary=binary))
    return found


def _neighbor(ctx: ReadContext, head: ObjectRow, partner: RepsFrom) -> Record:
    return {
        "pszNamingContext": names.dn_of_row(ctx, head),
        "pszSourceDsaDN": _dn_of_guid(ctx, partner.uuid_dsa_obj),
        "pszSourceDsaAddress": partner.address,
        "pszAsyncIntersiteTransportDN": _dn_of_guid(ctx, partner.uuid_transport_obj),
        "dwReplicaFlags": partner.replica_flags & _NEIGHBOR_FLAGS,
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


def _dn_of_guid(ctx: ReadContext, guid: bytes) -> str:
    row = ctx.tx.by_guid(guid) if any(guid) else None
    return "" if row is None else names.dn_of_row(ctx, row)
