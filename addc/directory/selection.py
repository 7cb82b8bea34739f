"""Which attributes of a found object are returned, and in which shape: compiled once per list of names.

A Selection is made from the attribute list of a request and kept; `emit` of its fields turns one row into the
attributes of one result entry, leaving out what the requester may not read.

Spec: [MS-ADTS] 3.1.1.3.1.3.3 (range retrieval), 3.1.1.3.4.1.5 (extended DN), 3.1.1.4.3, 3.1.1.4.4;
RFC 4511 4.5.1.8.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt
from addc.codec.dn import format_extended
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import constructed, entry, names, policy, rights, ttl_links
from addc.directory.context import ReadContext
from addc.directory.controls import RequestOptions
from addc.schema import attr
from addc.schema.snapshot import Attribute, Schema
from addc.schema.syntax import DnKind
from addc.security.access_check import Grants
from addc.security.descriptor import parts
from addc.store.objects import ObjectRow, ObjectState

Attributes = list[tuple[bytes, list[bytes]]]
"""The attributes of one entry, in the order they were asked for."""

_RANGE: Final = re.compile(r"range=(\d{1,9})-(\d{1,9}|\*)\Z", re.IGNORECASE)
_LINK_BATCH: Final = 2000
_LINKS_PER_ROW: Final = 32
"""Link values that take as long as a row."""
_ENDS_MAX: Final = 2000
"""Values of one link that are read at once for several entries; those of larger ones are read one by one."""
_SELECTIONS_MAX: Final = 4096
_KEPT_ATTRIBUTES_MAX: Final = 128
_RANGES_MAX: Final = 100
_KEPT_TEXT_MAX: Final = 4096
"""Longer attribute lists are compiled anew each time: a request can hold millions of names."""

NO_ATTRIBUTES: Final = "1.1"


@dataclass(frozen=True, slots=True)
class ResultEntry:
    """One entry found: DN and attributes with their values."""

    dn: bytes
    attributes: Attributes


End = tuple[int, bytes]
"""The far end of a link value and its payload."""


class Shaper:
    """What shaping entries needs to know of one request.

    bases: linkIDs with values on the rows that are shaped next. ends: by linkID // 2 and whether they are
    back links, their values, where those of all these rows are few.
    """

    __slots__ = ("_val_range", "bases", "confidential", "ctx", "ends", "extended_dn", "options", "printer")

    def __init__(self, ctx: ReadContext, options: RequestOptions) -> None:
        self.ctx = ctx
        self.options = options
        self.printer: entry.DnPrinter = entry.plain_dn if options.extended_dn is None else self.extended
        self._val_range = 0
        self.bases: dict[Dnt, list[int]] = {}
        self.ends: dict[tuple[int, bool], dict[Dnt, list[End]]] = {}
        self.confidential = options.confidential or ctx.unrestricted

    @property
    def max_val_range(self) -> int:
        """MaxValRange: how many values of one attribute an entry may have."""
        if not self._val_range:
            self._val_range = max(1, policy.limits(self.ctx).max_val_range)
        return self._val_range

    def extended(self, ctx: ReadContext, dnt: Dnt) -> bytes:
        """A DN in the extended form that the request asks for."""
        row = ctx.tx.get(dnt)
        text = names.dn_of(ctx, dnt)
        if row is None or row.state is ObjectState.PHANTOM:
            return text.encode("utf-8")
        return format_extended(text, row.guid, row.sid, self.options.extended_dn or 0).encode("utf-8")

    def dn(self, row: ObjectRow) -> bytes:
        """The DN of a result entry."""
        if self.options.extended_dn is None:
            return names.dn_of_row(self.ctx, row).encode("utf-8")
        return self.extended(self.ctx, row.dnt)

    def shows_links_of(self, row: ObjectRow) -> bool:
        """Whether link values stored on this row are visible. Spec: [MS-ADTS] 3.1.1.3.4.1.25."""
        if row.state is ObjectState.LIVE:
            return True
        options = self.options
        return options.show_deactivated_link and (options.show_deleted or options.show_recycled)

    def shows_target(self, dnt: Dnt) -> bool:
        """Whether a link value that refers to this row is visible. Spec: [MS-ADTS] 3.1.1.3.4.1.25."""
        return self.options.show_deactivated_link or entry.target_is_shown(self.ctx, dnt)

    def may_read(self, row: ObjectRow, attribute: Attribute, granted: Grants) -> bool:
        """Whether the values of an ordinary attribute may be shown."""
        if attribute.is_secret:
            return False
        if attribute.att_id == attr.USER_PASSWORD and policy.heuristics(self.ctx).user_pwd_support:
            return False
        if self.ctx.unrestricted:
            return True
        if attribute.is_confidential and not self.confidential:
            if not policy.heuristics(self.ctx).confidential_without_encryption & 1:
                return False
        if attribute.search_flags & rights.PARTITION_SECRET:
            return rights.can_read(self.ctx, row, attribute)
        return rights.readable(granted, attribute)


class Wanted:
    """One attribute description of the request: name, options, range.

    low: -1 without a range option. high: -1 for `*`.
    """

    __slots__ = ("attribute", "binary", "high", "low")

    def __init__(self, attribute: Attribute, low: int = -1, high: int = -1, binary: bool = False) -> None:
        self.attribute = attribute
        self.low = low
        self.high = high
        self.binary = binary

    @property
    def label(self) -> bytes:
        """The attribute description of the answer, without a range."""
        return self.attribute.name_wire + b";binary" if self.binary else self.attribute.name_wire


Field = Callable[[Shaper, ObjectRow, Grants, Attributes], None]
"""Appends one attribute of a row to an entry."""


class Selection:
    """The fields of one attribute list.

    everything: all ordinary attributes that a row has come first. base_only: an attribute among them that
    only a search of a single object may return, "" if there is none.
    """

    __slots__ = ("base_only", "everything", "fields", "links")

    def __init__(self, fields: list[Field], everything: bool, named: Sequence[Attribute]) -> None:
        self.fields = fields
        held = frozenset([one.att_id for one in named])
        self.everything = Everything(held) if everything else None
        self.base_only = next((one.name for one in named if is_base_only(one)), "")
        self.links = [one for one in named if one.is_linked and not one.is_constructed]

    def prepare(self, shaper: Shaper, rows: Sequence[ObjectRow]) -> None:
        """Read the links of the rows that are to be shaped next, at most links.BATCH of them, together."""
        tx = shaper.ctx.tx
        shaper.ends = {}
        if len(rows) < 2 or not (self.everything or self.links):
            return
        dnts = [row.dnt for row in rows]
        wanted = {one.link_id: None for one in self.links if one.link_id is not None}
        if self.everything:
            held = shaper.bases = {dnt: [] for dnt in dnts}
            for back in (False, True):
                for dnt, bases in tx.link_bases(dnts, back=back).items():
                    held[dnt] += [base * 2 + back for base in bases]
            wanted.update(dict.fromkeys([link_id for found in held.values() for link_id in found]))
        for link_id in wanted:
            base, back = link_id // 2, bool(link_id & 1)
            ends = tx.link_ends_of(base, dnts, _ENDS_MAX, back=back)
            if ends is not None:
                shaper.ends[base, back] = {dnt: ends.get(dnt, []) for dnt in dnts}

    def shape(self, shaper: Shaper, row: ObjectRow, granted: Grants) -> Attributes:
        """The attributes of one entry."""
        out: Attributes = []
        if self.everything is not None:
            self.everything.put(shaper, row, granted, out)
        for field in self.fields:
            field(shaper, row, granted, out)
        return out


def select(ctx: ReadContext, attributes: tuple[str, ...], options: RequestOptions) -> Selection:
    """The selection for an attribute list; () means every ordinary attribute."""
    if options.sd_flags is not None and (not attributes or "*" in attributes):
        # Asked for parts of it, all attributes include the descriptor. Spec: [MS-ADTS] 6.1.3.2.
        attributes = (*(attributes or ("*",)), "nTSecurityDescriptor")
    gc_only = options.gc_port
    key = (ctx.schema, attributes, gc_only)
    kept = ctx.shared.selections
    found = kept.get(key)
    if found is None:
        if len(attributes) > _KEPT_ATTRIBUTES_MAX or sum(map(len, attributes)) > _KEPT_TEXT_MAX:
            return _compile(ctx, attributes, gc_only)
        if len(kept) >= _SELECTIONS_MAX:
            kept.clear()
        found = kept[key] = _compile(ctx, attributes, gc_only)
    assert isinstance(found, Selection)
    return found


def _compile(ctx: ReadContext, attributes: tuple[str, ...], gc_only: bool) -> Selection:
    everything = not attributes
    wanted: dict[tuple[AttId, bool, int, int], Wanted] = {}
    ranges: dict[AttId, int] = {}
    for name in attributes:
        if name == "*":
            everything = True
        elif name == "+":
            for att in _OPERATIONAL:
                attribute = ctx.schema.attribute_by_id(att)
                if attribute is not None:
                    wanted.setdefault((att, False, -1, -1), Wanted(attribute))
        elif name != NO_ATTRIBUTES:
            one = parse_description(ctx.schema, name)
            if one is not None:
                wanted.setdefault((one.attribute.att_id, one.binary, one.low, one.high), one)
                if one.low >= 0:
                    _count_ranges(one.attribute, ranges)
    naming = names.naming_attributes(ctx)
    chosen = [
        one for one in wanted.values() if one.attribute.in_gc or not gc_only or one.attribute.is_constructed
    ]
    fields = [_field(one, naming) for one in chosen]
    return Selection(fields, everything, [one.attribute for one in chosen])


def _count_ranges(attribute: Attribute, ranges: dict[AttId, int]) -> None:
    """Every range is values of its own in every entry, so that a long list of them fills any memory."""
    count = ranges[attribute.att_id] = ranges.get(attribute.att_id, 0) + 1
    if count > _RANGES_MAX:
        raise DsError(
            Win32.ERROR_DS_ADMIN_LIMIT_EXCEEDED,
            f"over {_RANGES_MAX} ranges of one attribute",
            attribute=attribute.name,
        )


_TOKEN_GROUPS: Final = frozenset(
    (attr.TOKEN_GROUPS, attr.TOKEN_GROUPS_GLOBAL_AND_UNIVERSAL, attr.TOKEN_GROUPS_NO_GC_ACCEPTABLE)
)


def is_base_only(attribute: Attribute) -> bool:
    """Whether only searches of a single object return the attribute.

    Spec: [MS-ADTS] 2.2.9 (fBASEONLY). Windows treats tokenGroups and its kin so without the flag.
    """
    return attribute.base_only or attribute.att_id in _TOKEN_GROUPS


_OPERATIONAL: Final = (
    attr.CANONICAL_NAME,
    attr.CREATE_TIME_STAMP,
    attr.MODIFY_TIME_STAMP,
    attr.STRUCTURAL_OBJECT_CLASS,
    attr.SUB_SCHEMA_SUB_ENTRY,
)
"""What `+` stands for."""


def parse_description(schema: Schema, text: str) -> Wanted | None:
    """An attribute description with its options; None for an unknown attribute or option."""
    name, *options = text.split(";")
    attribute = schema.attribute(name)
    if attribute is None:
        return None
    low = high = -1
    binary = False
    for option in options:
        matched = _RANGE.match(option)
        if matched is not None:
            low = int(matched[1])
            high = -1 if matched[2] == "*" else int(matched[2])
        elif option.lower() == "binary":
            binary = True
        else:
            return None
    return Wanted(attribute, low, high, binary)


def _field(wanted: Wanted, naming: frozenset[AttId]) -> Field:
    attribute = wanted.attribute
    if attribute.is_constructed:
        return _constructed_field(wanted)
    if attribute.att_id == attr.NT_SECURITY_DESCRIPTOR:
        return _descriptor_field(wanted)
    if attribute.is_linked:
        return _link_field(wanted)
    if attribute.att_id == attr.REPL_PROPERTY_META_DATA:
        return _meta_field(wanted)
    if attribute.att_id in entry.COLUMN_ATTRIBUTES or attribute.att_id in naming:
        return _column_field(wanted)
    return _stored_field(wanted)


def _is_special(attribute: Attribute) -> bool:
    """Whether more than the right to read the property decides about it."""
    return (
        attribute.is_secret
        or attribute.is_confidential
        or bool(attribute.search_flags & rights.PARTITION_SECRET)
        or attribute.att_id == attr.USER_PASSWORD
    )


def _stored_field(wanted: Wanted) -> Field:
    attribute, label, att = wanted.attribute, wanted.label, wanted.attribute.att_id
    ordinary = not _is_special(attribute)
    guid, set_guid = attribute.schema_id_guid_wire, attribute.attribute_security_guid_wire
    prints = attribute.syntax.dn_kind is not DnKind.NONE or attribute.syntax.holds_tokens
    ranged = wanted.low >= 0

    def stored(shaper: Shaper, row: ObjectRow, granted: Grants, out: Attributes) -> None:
        values = row.attrs.get(att)
        if not values:
            return
        if ordinary:
            if not (granted.uniform_read or granted.allows(rights.READ_PROPERTY, guid, set_guid)):
                return
        elif not shaper.may_read(row, attribute, granted):
            return
        if ranged or (len(values) > 1 and len(values) > shaper.max_val_range):
            _put_ranged(shaper, wanted, values, out)
        elif prints:
            out.append((label, entry.print_stored(shaper.ctx, attribute, values, shaper.printer)))
        else:
            out.append((label, list(values)))

    return stored


def _put_ranged(shaper: Shaper, wanted: Wanted, values: Sequence[bytes], out: Attributes) -> None:
    low, count = _window(shaper, wanted)
    shown = entry.print_stored(shaper.ctx, wanted.attribute, values[low : low + count], shaper.printer)
    _put_window(wanted, low, shown, len(values) <= low + count, out)


def _window(shaper: Shaper, wanted: Wanted, most: int | None = None) -> tuple[int, int]:
    """First value and number of values to return. most: MaxValRange without it."""
    limit = shaper.max_val_range if most is None else most
    if wanted.low < 0:
        return 0, limit
    if wanted.high < 0:
        return wanted.low, limit
    return wanted.low, max(0, min(limit, wanted.high - wanted.low + 1))


def _put_window(wanted: Wanted, low: int, shown: list[bytes], is_last: bool, out: Attributes) -> None:
    """One window of values under its range label.

    Spec: [MS-ADTS] 3.1.1.3.1.3.3.
    """
    label = wanted.label
    if wanted.low < 0:
        out.append((label, []))
    if shown:
        end = b"*" if is_last else b"%d" % (low + len(shown) - 1)
        out.append((b"%s;range=%d-%s" % (label, low, end), shown))
    elif is_last and wanted.low > 0:  # behind the last value: the end is told, with nothing before it
        out.append((b"%s;range=%d-*" % (label, low), []))


def _column_field(wanted: Wanted) -> Field:
    attribute, label, att = wanted.attribute, wanted.label, wanted.attribute.att_id
    guid, set_guid = attribute.schema_id_guid_wire, attribute.attribute_security_guid_wire

    def column(shaper: Shaper, row: ObjectRow, granted: Grants, out: Attributes) -> None:
        if not (granted.uniform_read or granted.allows(rights.READ_PROPERTY, guid, set_guid)):
            return
        if att == attr.DISTINGUISHED_NAME:
            out.append((label, [shaper.dn(row)]))
            return
        values = entry.column_values(shaper.ctx, row, att)
        if values is None:
            values = list(row.attrs.get(att, ()))
        if values:
            out.append((label, values))

    return column


def _descriptor_field(wanted: Wanted) -> Field:
    label = wanted.label

    def security_descriptor(shaper: Shaper, row: ObjectRow, granted: Grants, out: Attributes) -> None:
        asked = (shaper.options.sd_flags or 0) & rights.ALL_PARTS or rights.ALL_PARTS
        if rights.readable_sd_parts(shaper.ctx, row) & asked != asked or not row.sd_id:
            return
        if asked == rights.ALL_PARTS:
            value = shaper.ctx.tx.descriptor(row.sd_id)
        else:
            value = parts(rights.descriptor(shaper.ctx, row), asked).pack()
        out.append((label, [value]))

    return security_descriptor


def _link_field(wanted: Wanted) -> Field:
    attribute = wanted.attribute

    def link(shaper: Shaper, row: ObjectRow, granted: Grants, out: Attributes) -> None:
        if not shaper.shows_links_of(row) or not shaper.may_read(row, attribute, granted):
            return
        low, count = _window(shaper, wanted)
        found, skipped = _shown_links(shaper, row, attribute, low, count + 1)
        is_last = len(found) <= count
        if wanted.low > 0 and not found and skipped <= wanted.low:
            if shaper.options.range_noerr:
                return
            raise DsError(
                Win32.ERROR_DS_CANT_RETRIEVE_ATTRS,
                "the range starts behind the last value",
                ldap_result=LdapResult.OPERATIONS_ERROR,
                attribute=attribute.name,
            )
        shown = _print_links(shaper, attribute, found[:count])
        if shaper.options.link_ttl:
            shown = ttl_links.with_ttls(shaper.ctx, attribute, row.dnt, found[:count], shown)
        if wanted.low >= 0 or not is_last:
            _put_window(wanted, low, shown, is_last, out)
        elif shown:
            out.append((wanted.label, shown))

    return link


def _print_links(shaper: Shaper, attribute: Attribute, found: Sequence[End]) -> list[bytes]:
    ctx, printer = shaper.ctx, shaper.printer
    if attribute.syntax.dn_kind is not DnKind.DN and not attribute.is_back_link:
        return [entry.print_reference(ctx, attribute, Dnt(end), data, printer) for end, data in found]
    if printer is not entry.plain_dn:
        return [printer(ctx, Dnt(end)) for end, _ in found]
    live = ctx.names.live
    return [live.get(end) or printer(ctx, Dnt(end)) for end, _ in found]


def _visible_ends(shaper: Shaper, ends: Sequence[End]) -> Sequence[End]:
    """Those whose object is shown; see `Shaper.shows_target`, which this is for many values."""
    if shaper.options.show_deactivated_link or not ends:
        return ends
    live = names.remember_living(shaper.ctx, [Dnt(end) for end, _ in ends])
    return [one for one in ends if one[0] in live or shaper.shows_target(Dnt(one[0]))]


def _shown_links(
    shaper: Shaper, row: ObjectRow, attribute: Attribute, skip: int, count: int
) -> tuple[list[End], int]:
    """Up to `count` visible link values behind the first `skip`, and how many were skipped."""
    tx, base = shaper.ctx.tx, entry.link_base(attribute)
    back = attribute.is_back_link
    prepared = shaper.ends.get((base, back))
    if prepared is not None and row.dnt in prepared:
        shown = _visible_ends(shaper, prepared[row.dnt])
        return [*shown[skip : skip + count]], min(skip, len(shown))
    found: list[End] = []
    after = (0, b"")
    skipped = 0
    while True:
        size = min(_LINK_BATCH, skip - skipped + count - len(found))
        batch = tx.link_ends(base, row.dnt, back=back, after=after, limit=size)
        shaper.ctx.pace.step(len(batch) // _LINKS_PER_ROW)
        shown = _visible_ends(shaper, batch)
        passed = min(skip - skipped, len(shown))
        skipped += passed
        found += shown[passed:] if passed else shown
        if len(batch) < size or len(found) >= count:
            return found[:count], skipped
        after = batch[-1]


def _constructed_field(wanted: Wanted) -> Field:
    attribute = wanted.attribute
    build = constructed.BUILDERS.get(attribute.att_id)

    def nothing(shaper: Shaper, row: ObjectRow, granted: Grants, out: Attributes) -> None:
        """An attribute that this DC does not construct is absent."""

    if build is None:
        return nothing
    guarded = attribute.att_id not in constructed.OWN_ACCESS_RULES
    refers = attribute.syntax.dn_kind is not DnKind.NONE
    ranged = wanted.low >= 0

    def built(shaper: Shaper, row: ObjectRow, granted: Grants, out: Attributes) -> None:
        if guarded and not shaper.may_read(row, attribute, granted):
            return
        limit = constructed.values_at_once(shaper.ctx, attribute, shaper.max_val_range, ranged=ranged)
        low, count = _window(shaper, wanted, limit)
        request = constructed.Request(
            shaper.ctx, row, granted, wanted.binary, shaper.options, low + count + 1
        )
        values = build(request)
        if not values:
            return
        is_whole = limit is None or len(values) <= limit
        shown = values if is_whole and not ranged else values[low : low + count]
        if refers:
            shown = entry.print_stored(shaper.ctx, attribute, shown, shaper.printer)
        if is_whole and not ranged:
            out.append((wanted.label, shown))
        else:
            _put_window(wanted, low, shown, len(values) <= low + count, out)

    return built


def _meta_field(wanted: Wanted) -> Field:
    attribute, label = wanted.attribute, wanted.label

    def meta(shaper: Shaper, row: ObjectRow, granted: Grants, out: Attributes) -> None:
        if shaper.may_read(row, attribute, granted):
            out.append((label, [constructed.property_meta_data(row)]))

    return meta


@dataclass(frozen=True, slots=True)
class _Plain:
    """An attribute whose stored values are shown as they are; `field` for when they are too many."""

    att: AttId
    label: bytes
    field: Field


class Everything:
    """Every ordinary attribute that a row has, except those that the request names as well.

    Operational attributes are left out: they are returned only when named. What rows of one shape show under
    the same grants is worked out once.
    """

    __slots__ = ("_named", "_plans")

    def __init__(self, named: frozenset[AttId]) -> None:
        self._named = named
        self._plans: dict[object, list[_Plain | Field]] = {}

    def put(self, shaper: Shaper, row: ObjectRow, granted: Grants, out: Attributes) -> None:
        """Append them to an entry."""
        attrs = row.attrs
        links = _links_held(shaper, row)
        shape = (row.rdn_att, tuple(attrs), links, granted)
        plan = self._plans.get(shape)
        if plan is None:
            if len(self._plans) >= _PLANS_MAX:
                self._plans.clear()
            plan = self._plans[shape] = self._plan(shaper, row, granted, links)
        most = shaper.max_val_range
        for one in plan:
            if one.__class__ is _Plain:
                assert isinstance(one, _Plain)
                values = attrs[one.att]
                if len(values) <= most or len(values) == 1:
                    out.append((one.label, list(values)))
                else:
                    one.field(shaper, row, granted, out)
            else:
                one(shaper, row, granted, out)  # type: ignore[operator]

    def _plan(
        self, shaper: Shaper, row: ObjectRow, granted: Grants, links: tuple[int, ...]
    ) -> list[_Plain | Field]:
        ctx = shaper.ctx
        naming = names.naming_attributes(ctx)
        by_link = links_by_id(ctx)
        present = dict.fromkeys(
            (attr.OBJECT_CLASS, row.rdn_att, attr.DISTINGUISHED_NAME, attr.INSTANCE_TYPE, *row.attrs)
        )
        present.update(dict.fromkeys((attr.NAME, attr.OBJECT_GUID, attr.OBJECT_SID)))
        present.update(dict.fromkeys((attr.USN_CREATED, attr.USN_CHANGED)))
        attributes = [ctx.schema.attribute_by_id(att) for att in present]
        attributes += [by_link.get(link_id) for link_id in links]
        plan: list[_Plain | Field] = []
        for attribute in attributes:
            if attribute is None or attribute.is_operational or attribute.att_id in self._named:
                continue
            if shaper.options.gc_port and not attribute.in_gc:
                continue
            field = _field(Wanted(attribute), naming)
            if attribute.att_id not in row.attrs or not _is_plain(attribute, naming):
                plan.append(field)
            elif rights.readable(granted, attribute):
                plan.append(_Plain(attribute.att_id, attribute.name_wire, field))
        return plan


_PLANS_MAX: Final = 512


def _is_plain(attribute: Attribute, naming: frozenset[AttId]) -> bool:
    """Whether stored values are shown as they are to all who may read the property."""
    return not (
        _is_special(attribute)
        or attribute.is_constructed
        or attribute.is_linked
        or attribute.att_id in naming
        or attribute.att_id in entry.COLUMN_ATTRIBUTES
        or attribute.att_id == attr.REPL_PROPERTY_META_DATA
        or attribute.syntax.dn_kind is not DnKind.NONE
        or attribute.syntax.holds_tokens
    )


def _links_held(shaper: Shaper, row: ObjectRow) -> tuple[int, ...]:
    """The linkIDs of attributes that have values on the row, or point at it."""
    held = shaper.bases.get(row.dnt)
    if held is None:
        tx = shaper.ctx.tx
        held = [base * 2 for base in tx.link_bases((row.dnt,)).get(row.dnt, ())]
        held += [base * 2 + 1 for base in tx.link_bases((row.dnt,), back=True).get(row.dnt, ())]
    return tuple(held)


def links_by_id(ctx: ReadContext) -> dict[int, Attribute]:
    """Link attributes by linkID."""
    return constructed.LINKS.get(
        ctx,
        ctx.schema,
        lambda: {one.link_id: one for one in ctx.schema.attributes if one.link_id is not None},
    )
