"""Stamps as LDAP clients read them: replPropertyMetaData and the XML of msDS-Repl*MetaData.

Spec: [MS-ADTS] 3.1.1.4.5.13, [MS-DRSR] 4.1.13.1.17, 4.1.13.1.25.
"""

from typing import Final
from uuid import UUID
from xml.sax.saxutils import escape

from addc.base.clock import FileTime
from addc.codec.blobs import PropertyMetaData, ReplPropertyMetaData, dstime
from addc.codec.times import format_generalized
from addc.directory import entry, names
from addc.directory.context import Fact, ReadContext
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.store.links import LinkRow
from addc.store.objects import ObjectRow, ObjectState

_NEVER: Final = "1601-01-01T00:00:00Z"
_DSAS: Final[Fact[dict[bytes, str]]] = Fact()


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


def _when(when_ft: int) -> str:
    if not when_ft:
        return _NEVER
    text = format_generalized(FileTime(when_ft)).decode()
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z"


def _dsa_dn(ctx: ReadContext, invocation_id: bytes) -> str:
    """DN of the nTDSDSA object with that invocationId; "" if it is unknown."""
    known = _DSAS.get(ctx, ctx.tx.seq, dict)
    found = known.get(invocation_id)
    if found is None:
        dnts = ctx.tx.index_eq(attr.INVOCATION_ID, invocation_id)
        rows = [row for row in ctx.tx.get_many(dnts) if row.state is ObjectState.LIVE]
        found = known[invocation_id] = names.dn_of_row(ctx, rows[0]) if rows else ""
    return found


def _xml(name: str, fields: list[tuple[str, str]]) -> bytes:
    """Deviation: the element is named without the "_2", as Windows writes it and PowerShell reads it."""
    inner = "".join(f"\t<{tag}>{escape(text)}</{tag}>\n" for tag, text in fields)
    return f"<{name}>\n{inner}</{name}>\n\0".encode()


def attribute_meta_data(ctx: ReadContext, row: ObjectRow) -> list[bytes]:
    """msDS-ReplAttributeMetaData as XML, a value for each stamp."""
    found = []
    for att, stamp in sorted(row.meta.items()):
        attribute = ctx.schema.attribute_by_id(att)
        if attribute is None:
            continue
        fields = [
            ("pszAttributeName", attribute.name),
            ("dwVersion", str(stamp.version)),
            ("ftimeLastOriginatingChange", _when(stamp.time_ft)),
            ("uuidLastOriginatingDsaInvocationID", str(UUID(bytes_le=stamp.invocation_id))),
            ("usnOriginatingChange", str(stamp.originating_usn)),
            ("usnLocalChange", str(stamp.local_usn)),
            ("pszLastOriginatingDsaDN", _dsa_dn(ctx, stamp.invocation_id)),
        ]
        found.append(_xml("DS_REPL_ATTR_META_DATA", fields))
    return found


def value_meta_data(ctx: ReadContext, row: ObjectRow, limit: int) -> list[bytes]:
    """msDS-ReplValueMetaData as XML, a value for each link value, removed ones too."""
    found = []
    for link in ctx.tx.all_links(row.dnt, limit):
        attribute = next((one for one in ctx.schema.attributes if one.link_id == link.link_base * 2), None)
        if attribute is not None:
            found.append(_value_xml(ctx, attribute, link))
    return found


def _value_xml(ctx: ReadContext, attribute: Attribute, link: LinkRow) -> bytes:
    stamp = link.stamp
    data = entry.print_reference(ctx, attribute, link.target, link.data) if link.data else b""
    return _xml(
        "DS_REPL_VALUE_META_DATA",
        [
            ("pszAttributeName", attribute.name),
            ("pszObjectDn", names.dn_of(ctx, link.target)),
            ("cbData", str(len(link.data))),
            ("pbData", data.decode("utf-8")),
            ("ftimeDeleted", _when(link.deleted_ft)),
            ("ftimeCreated", _when(link.created_ft)),
            ("dwVersion", str(stamp.version)),
            ("ftimeLastOriginatingChange", _when(stamp.time_ft)),
            ("uuidLastOriginatingDsaInvocationID", str(UUID(bytes_le=stamp.invocation_id))),
            ("usnOriginatingChange", str(stamp.originating_usn)),
            ("usnLocalChange", str(stamp.local_usn)),
            ("pszLastOriginatingDsaDN", _dsa_dn(ctx, stamp.invocation_id)),
        ],
    )
