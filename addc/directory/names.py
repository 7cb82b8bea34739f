"""DN text to object and back; references between objects.

Spec: [MS-ADTS] 3.1.1.1.4 (RDN, DN), 3.1.1.1.6 (object references), 3.1.1.3.1.2.4 (alternative forms of DNs).
"""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError, DsError
from addc.base.ids import AttId, Dnt
from addc.base.limits import DN_LENGTH_MAX, DN_RDNS_MAX
from addc.codec.dn import Dn, GuidName, Rdn, SidName, WkGuidName, parse_name
from addc.codec.ids import guid_to_wire
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory.context import NAMES_STATE, Fact, ReadContext, WriteContext
from addc.schema import attr
from addc.schema.snapshot import Schema
from addc.store.objects import ObjectRow, ObjectState

ROOT: Final = Dnt(1)
_LEVEL: Final = 8
"""Bytes of a path for each object on the way from ROOT, which has its own."""
"""The virtual root above every top-level DN component."""

_NAMES_MAX: Final = 200_000
_NAME_KEPT_MAX: Final = 512
"""Characters of a name that is remembered: strangers can spell one object's name in endless ways."""
_BATCH: Final = 1000


def reference(dnt: Dnt, data: bytes = b"") -> bytes:
    """The stored form of a DN value: the target's row, then the payload of DN-Binary or DN-String."""
    return dnt.to_bytes(8, "big") + data


def reference_dnt(value: bytes) -> Dnt:
    """The target of a stored DN value."""
    return Dnt(int.from_bytes(value[:8], "big"))


def reference_data(value: bytes) -> bytes:
    """The payload of a stored DN-Binary or DN-String value."""
    return value[8:]


def rdn_key(schema: Schema, att: AttId, value: str) -> bytes:
    """Match key of an RDN: the naming attribute, then the value as its syntax compares it.

    Raises DsError(ERROR_DS_NAME_UNPARSEABLE) for what is no value of the attribute.
    """
    attribute = schema.naming_attribute(att)
    assert attribute is not None
    try:
        return att.to_bytes(4, "big") + attribute.syntax.key(value.encode("utf-8"))
    except (DecodeError, UnicodeEncodeError):
        raise DsError(Win32.ERROR_DS_NAME_UNPARSEABLE, "not a value of the naming attribute") from None


def rdn_att(schema: Schema, rdn: Rdn) -> AttId | None:
    """The naming attribute of an RDN as written; None where the schema has no such attribute."""
    attribute = schema.naming_attribute_named(rdn.att)
    return None if attribute is None else attribute.att_id


def naming_attributes(ctx: ReadContext) -> frozenset[AttId]:
    """Every attribute that names objects of some class; its value lies in the row, not among the others."""
    return _NAMING.get(ctx, ctx.schema, lambda: frozenset(one.rdn_att for one in ctx.schema.classes))


_NAMING: Final[Fact[frozenset[AttId]]] = Fact()


def rdn_of(ctx: ReadContext, row: ObjectRow) -> Rdn:
    """The RDN of a row, its attribute written as the DC prints it (CN, OU, DC)."""
    attribute = ctx.schema.naming_attribute(row.rdn_att)
    assert attribute is not None
    name = attribute.name
    return Rdn(name.upper() if row.rdn_att in _UPPER else name, row.rdn)


_UPPER: Final = frozenset(
    (attr.CN, attr.OU, attr.DC, attr.O, attr.L, attr.C)
)  # Windows prints these naming attributes in capitals


def dn_of(ctx: ReadContext, dnt: Dnt) -> str:
    """The DN of a row; "" for the virtual root.

    Raises DsError(ERROR_DS_OBJ_NOT_FOUND) if there is no such row.
    """
    cache = ctx.names.dn_by_dnt
    found = cache.get(dnt)
    if found is not None:
        return found
    if dnt == ROOT:
        return ""
    row = ctx.tx.get(dnt)
    if row is None:
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, f"no row {dnt}")
    above = dn_of(ctx, row.parent)
    own = str(Dn((rdn_of(ctx, row),)))
    if len(cache) >= _NAMES_MAX:
        cache.clear()
    text = cache[dnt] = f"{own},{above}" if above else own
    return text


def remember_living(ctx: ReadContext, dnts: list[Dnt]) -> dict[int, bytes]:
    """The DNs of living objects by row, those of `dnts` among them."""
    live = ctx.names.live
    missing = [dnt for dnt in dnts if dnt not in live]
    if missing:
        if len(live) >= _NAMES_MAX:
            live.clear()
            missing = dnts
        for row in ctx.tx.pass_by(missing):
            if row.state is ObjectState.LIVE:
                live[row.dnt] = dn_of_row(ctx, row).encode("utf-8")
    return live


def dn_of_row(ctx: ReadContext, row: ObjectRow) -> str:
    """The DN of a row that is at hand."""
    return ctx.names.dn_by_dnt.get(row.dnt) or dn_of(ctx, row.dnt)


def parsed_dn(ctx: ReadContext, row: ObjectRow) -> Dn:
    """The DN of a row, taken apart; of one whose text is longer than requests may write, too."""
    text = dn_of_row(ctx, row)
    if len(text) <= DN_LENGTH_MAX and len(row.path) <= DN_RDNS_MAX * _LEVEL:
        return Dn.parse(text)
    rdns = []
    at: ObjectRow | None = row
    while at is not None and at.dnt != ROOT:
        rdns.append(rdn_of(ctx, at))
        at = ctx.tx.get(at.parent)
    return Dn(tuple(rdns))


def check_depth(parent: ObjectRow, levels: int = 1) -> None:
    """Refuse an object that lies deeper than any name that a request can write.

    levels: of what comes below `parent`. Whoever may move trees could else pile them up without end.
    """
    if len(parent.path) // _LEVEL - 1 + levels > DN_RDNS_MAX:
        raise DsError(
            Win32.ERROR_DS_NAME_TOO_MANY_PARTS,
            f"over {DN_RDNS_MAX} components",
            ldap_result=LdapResult.NAMING_VIOLATION,
        )


def child_named(ctx: ReadContext, parent: Dnt, att: AttId, value: str) -> ObjectRow | None:
    """The living object of that RDN below `parent`; None too for what is no value of the attribute."""
    try:
        row = ctx.tx.child(parent, rdn_key(ctx.schema, att, value))
    except DsError:
        return None
    return row if row is not None and row.state is ObjectState.LIVE else None


def children(ctx: ReadContext, parent: Dnt) -> Iterator[ObjectRow]:
    """The living objects below `parent`, in name order."""
    after = Dnt(0)
    while batch := ctx.tx.child_dnts(parent, after, _BATCH):
        yield from (row for row in ctx.tx.get_many(batch) if row.state is ObjectState.LIVE)
        after = batch[-1]


def find_dn(ctx: ReadContext, dn: Dn) -> ObjectRow | None:
    """The row of a DN, whatever its state (deleted and phantom rows too); None if there is none."""
    row, matched = _walk(ctx, dn)
    return row if matched == len(dn.rdns) else None


def _walk(ctx: ReadContext, dn: Dn) -> tuple[ObjectRow | None, int]:
    """The deepest row on the way from the root to `dn`, and how many RDNs it covers."""
    row: ObjectRow | None = None
    at = ROOT
    for done, rdn in enumerate(reversed(dn.rdns)):
        att = rdn_att(ctx.schema, rdn)
        below = None if att is None else ctx.tx.child(at, rdn_key(ctx.schema, att, rdn.value))
        if below is None:
            return row, done
        row, at = below, below.dnt
    return row, len(dn.rdns)


def not_found(ctx: ReadContext, dn: Dn) -> DsError:
    """ERROR_DS_OBJ_NOT_FOUND with the nearest ancestor that is an object, as matchedDN."""
    row, _ = _walk(ctx, dn)
    while row is not None and row.state is not ObjectState.LIVE:
        row = ctx.tx.get(row.parent) if row.parent != ROOT else None
    matched = "" if row is None else dn_of_row(ctx, row)
    return DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "NO_OBJECT", matched_dn=matched)


def parse(name: str) -> Dn | GuidName | SidName | WkGuidName:
    """A name as a client writes it; raises DsError(ERROR_DS_INVALID_DN_SYNTAX) for nonsense."""
    try:
        return parse_name(name)
    except DecodeError as error:
        raise DsError(Win32.ERROR_DS_INVALID_DN_SYNTAX, error.why) from None


def resolve(ctx: ReadContext, name: str, *, deleted: bool = False) -> ObjectRow:
    """The object that a DN, <GUID=>, <SID=> or <WKGUID=> form names.

    deleted: deleted and recycled objects count too. Phantoms never do.
    Raises DsError: ERROR_DS_INVALID_DN_SYNTAX, ERROR_DS_OBJ_NOT_FOUND (with matched_dn).
    """
    cached = ctx.names.dnt_by_text.get(name)
    if cached is not None:
        row = ctx.tx.get(cached)
        if row is not None and (row.state is ObjectState.LIVE or (deleted and is_object(row))):
            return row
    parsed = parse(name)
    if isinstance(parsed, Dn):
        row = find_dn(ctx, parsed)
        if row is None or not (row.state is ObjectState.LIVE or (deleted and is_object(row))):
            raise not_found(ctx, parsed)
        if len(name) <= _NAME_KEPT_MAX:
            cache = ctx.names.dnt_by_text
            if len(cache) >= _NAMES_MAX:
                cache.clear()
            cache[name] = row.dnt
        return row
    row = _by_other_form(ctx, parsed)
    if row is None or not (row.state is ObjectState.LIVE or (deleted and is_object(row))):
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "NO_OBJECT")
    return row


def below_other_form(ctx: ReadContext, name: str) -> str:
    """The DN that `RDN,<WKGUID=...>`, `RDN,<GUID=...>` or `RDN,<SID=...>` means; any other name as it is."""
    head, bracket, tail = name.partition(",<")
    if not bracket:
        return name
    try:
        if len(Dn.parse(head)) != 1:
            return name
    except DecodeError:
        return name
    return f"{head},{dn_of_row(ctx, resolve(ctx, '<' + tail))}"


RDN_MAX: Final = 255
"""Characters of an RDN value."""


def mangled(rdn: str, why: str, guid: UUID) -> str:
    """An RDN value that no living object has, and that tells whose it was.

    why: "DEL" for a deleted object, "CNF" for the loser of a conflict over the name.
    Spec: [MS-ADTS] 3.1.1.5.5, [MS-DRSR] 4.1.10.6.9 (MakeConflictDN).
    """
    tail = f"\n{why}:{guid}"
    return rdn[: RDN_MAX - len(tail)] + tail


def is_object(row: ObjectRow) -> bool:
    """Whether a row stands for an object, and not only for a name that others refer to."""
    return row.state is not ObjectState.PHANTOM


def _by_other_form(ctx: ReadContext, name: GuidName | SidName | WkGuidName) -> ObjectRow | None:
    if isinstance(name, GuidName):
        return ctx.tx.by_guid(guid_to_wire(name.guid))
    if isinstance(name, SidName):
        rows = ctx.tx.by_sid(bytes(name.sid))
        live = [row for row in rows if row.state is ObjectState.LIVE]
        # S-1-5-11 is in the configuration too, but what is in the domain is meant.
        near = [row for row in live if row.nc == ctx.forest.domain_nc] or live or rows
        return near[0] if near else None
    base = find_dn(ctx, name.dn)
    return None if base is None else well_known(ctx, base, name.guid)


def well_known(ctx: ReadContext, base: ObjectRow, guid: UUID) -> ObjectRow | None:
    """MapWellKnownGuidToDN: the object that `base` lists under a well-known GUID.

    Spec: [MS-ADTS] 3.1.1.3.1.2.4.
    """
    wire = guid_to_wire(guid)
    for att in (attr.WELL_KNOWN_OBJECTS, attr.OTHER_WELL_KNOWN_OBJECTS):
        for value in base.attrs.get(att, ()):
            if reference_data(value) == wire:
                return ctx.tx.get(reference_dnt(value))
    return None


def renamed(ctx: WriteContext) -> None:
    """Tell every name cache that an existing object's DN changed; every rename, move and delete calls it."""
    generation = int.from_bytes(ctx.tx.state(NAMES_STATE) or b"", "big") + 1
    ctx.tx.set_state(NAMES_STATE, generation.to_bytes(8, "big"))
    ctx.names.dn_by_dnt.clear()
    ctx.names.dnt_by_text.clear()
    ctx.names.live.clear()
