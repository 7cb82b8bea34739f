"""DirSync: what changed in a naming context since a cookie, by the same stamps that replication goes by.

Changed objects come in the order of their newest change. Of each come the asked attributes with a newer
stamp, without values where they were removed or are withheld: the one looks like the other.

Spec: [MS-ADTS] 3.1.1.3.4.1.3, 3.1.1.3.4.1.29, [MS-DRSR] 5.115, 4.1.10.5.6 (FilterAttribute).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DecodeError, DsError
from addc.base.ids import AttId, Dnt, Usn
from addc.codec.blobs import ReplUpToDateVector, UpToDateCursor
from addc.codec.dirsync_cookie import DirSyncCookie
from addc.codec.filter import And, Filter, Not, Or
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import (
    anr,
    audit,
    entry,
    names,
    object_sd,
    policy,
    referrals,
    rights,
    selection,
    visibility,
)
from addc.directory.context import Home, ReadContext
from addc.directory.controls import DirSync, RequestOptions
from addc.directory.filter_match import Compiler
from addc.directory.selection import Attributes, ResultEntry, Shaper
from addc.schema import attr
from addc.schema.snapshot import Attribute, Schema
from addc.schema.wellknown import ExtendedRight
from addc.security.access_check import Grants
from addc.security.account_flags import InstanceType
from addc.security.token import SYSTEM
from addc.store.links import LinkRow
from addc.store.objects import ObjectRow, ObjectState, Stamp

OBJECT_SECURITY: Final = 0x1
ANCESTORS_FIRST_ORDER: Final = 0x800
INCREMENTAL_VALUES: Final = 0x8000_0000

OBJECTS_MAX: Final = 1000
OBJECTS_MIN: Final = 100
BYTES_MIN: Final = 0x10_0000
SCANNED_MAX: Final = 20_000
"""Changed objects that one answer looks at; where the filter leaves few, the client is told to ask on."""

_BATCH: Final = 256
_ALWAYS: Final = "dirsyncalwaysreturn"


@dataclass(frozen=True, slots=True)
class Query:
    """The search that carries the control. attributes: descriptions, () for all. size_limit: 0 for none."""

    base: str
    filter: Filter
    attributes: tuple[str, ...]
    size_limit: int
    options: RequestOptions
    sync: DirSync


@dataclass(slots=True)
class Changes:
    """The answer. more: there is more to ask for, with this cookie."""

    entries: list[ResultEntry] = field(default_factory=list)
    more: bool = False
    cookie: bytes = b""


def changes(ctx: ReadContext, query: Query) -> Changes:
    """Carry out a DirSync search.

    Raises DsError: ERROR_DS_OBJ_NOT_FOUND, ERROR_DS_REFERRAL; ERROR_DS_DRA_ACCESS_DENIED without the right to
    the changes; ERROR_INVALID_PARAMETER for a bad cookie; ERROR_DS_INAPPROPRIATE_MATCHING.
    """
    root = _root(ctx, query)
    wanted = _wanted(ctx.schema, query)
    whole = not query.sync.flags & OBJECT_SECURITY
    filtered = _may_read_filtered_set(ctx, root)
    if whole:
        _check_rights(ctx, root, wanted, _mentioned(query.filter), filtered)
    eyes = ctx
    if whole and not ctx.unrestricted:
        eyes = ReadContext(ctx.tx, ctx.schema, SYSTEM, ctx.now, Home(ctx.forest, ctx.shared, ctx.clock))
    since = _since(ctx, query.sync.cookie)
    return _Cycle(eyes, query, root, wanted, since, withheld=whole and not filtered).run()


# --- who, where, which -------------------------------------------------------------------------------------


def _denied(detail: str) -> DsError:
    return DsError(
        Win32.ERROR_DS_DRA_ACCESS_DENIED, detail, ldap_result=LdapResult.INSUFFICIENT_ACCESS_RIGHTS
    )


def _root(ctx: ReadContext, query: Query) -> ObjectRow:
    """The root of a naming context that the search starts from."""
    try:
        row = names.resolve(ctx, query.base)
    except DsError as error:
        if error.code != Win32.ERROR_DS_OBJ_NOT_FOUND:
            raise
        raise referrals.instead_of(ctx, query.base, error) from None
    if not visibility.visible(ctx, row):
        raise referrals.hidden(ctx, query.base)
    if not object_sd.is_nc_root(row):
        if query.sync.flags & OBJECT_SECURITY:
            raise DsError(Win32.ERROR_DS_DRA_BAD_NC, "the base is not the root of a naming context")
        raise _denied("the base is not the root of a naming context")
    if not row.instance_type & InstanceType.IT_WRITE and not query.options.gc_port:
        raise referrals.to_other_dc(ctx, row)
    return row


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Attributes by id; named is None for all. always: those that come changed or not."""

    named: dict[AttId, Attribute] | None
    always: tuple[Attribute, ...]


def _wanted(schema: Schema, query: Query) -> _Wanted:
    """A list without any attribute's name counts as none; an asterisk counts only alone."""
    named: dict[AttId, Attribute] = {}
    always: list[Attribute] = []
    for text in query.attributes:
        name, _, options = text.partition(";")
        attribute = schema.attribute(name)
        if attribute is None:
            continue
        named[attribute.att_id] = attribute
        if query.sync.extended and _ALWAYS in options.lower().split(";"):
            always.append(attribute)
    return _Wanted(named or None, tuple(always))


def _mentioned(term: Filter) -> Iterator[str]:
    """The attributes of a filter; its depth is bounded by the decoder."""
    match term:
        case And(terms) | Or(terms):
            for inner in terms:
                yield from _mentioned(inner)
        case Not(inner):
            yield from _mentioned(inner)
        case _:
            if term.attribute is not None:
                yield term.attribute


def _may_read_filtered_set(ctx: ReadContext, root: ObjectRow) -> bool:
    """Whether attributes that read-only DCs do not get are for the requester. Spec: [MS-DRSR] 5.115.12."""
    return any(
        rights.holds_right(ctx, root, right.bytes_le)
        for right in (
            ExtendedRight.DS_REPLICATION_GET_CHANGES_IN_FILTERED_SET,
            ExtendedRight.DS_REPLICATION_GET_CHANGES_ALL,
        )
    )


def _check_rights(
    ctx: ReadContext, root: ObjectRow, wanted: _Wanted, mentioned: Iterator[str], filtered: bool
) -> None:
    """SecurityCheckForChanges. Spec: [MS-DRSR] 5.115.12."""
    if not rights.holds_right(ctx, root, ExtendedRight.DS_REPLICATION_GET_CHANGES.bytes_le):
        raise _denied("DS-Replication-Get-Changes is missing")
    if filtered:
        return
    asked = list((wanted.named or {}).values())
    asked += [one for one in map(ctx.schema.attribute, mentioned) if one is not None]
    if any(one.rodc_filtered for one in asked):
        raise _denied("DS-Replication-Get-Changes-In-Filtered-Set is missing")


# --- the cookie --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Since:
    """What the client knows: objects and changes up to these USNs, and others' changes by their cursors."""

    objects: Usn
    stamps: Usn
    known: dict[bytes, Usn]

    def is_new(self, stamp: Stamp) -> bool:
        """Whether the client has not seen the change that the stamp is of."""
        if stamp.local_usn <= self.stamps:
            return False
        return self.known.get(stamp.invocation_id, -1) < stamp.originating_usn


def _since(ctx: ReadContext, data: bytes) -> _Since:
    """Read a cookie; one from another DC tells by its cursors alone. Spec: [MS-DRSR] 5.115.11."""
    if not data:
        return _Since(Usn(0), Usn(0), {})
    try:
        cookie = DirSyncCookie.unpack(data)
    except DecodeError as error:
        raise DsError(
            Win32.ERROR_INVALID_PARAMETER, error.why, ldap_result=LdapResult.PROTOCOL_ERROR
        ) from None
    known = {one.uuid_dsa: one.usn_high_prop_update for one in cookie.cursors}
    if cookie.invocation_id != ctx.forest.invocation_id.bytes_le:
        return _Since(Usn(0), Usn(0), known)
    newest = ctx.tx.usn
    stamps = min(cookie.usn_high_prop_update, newest)
    return _Since(min(cookie.usn_high_obj_update, newest), stamps, known)


def _cursors(ctx: ReadContext, root: ObjectRow) -> tuple[UpToDateCursor, ...]:
    """Whose changes this DC has, itself first of all."""
    own = ctx.forest.invocation_id.bytes_le
    value = entry.first(root, attr.REPL_UP_TO_DATE_VECTOR)
    others = () if value is None else ReplUpToDateVector.unpack(value).cursors
    return (UpToDateCursor(own, ctx.tx.usn), *(one for one in others if one.uuid_dsa != own))


# --- the changes -------------------------------------------------------------------------------------------


class _Cycle:
    """One answer under way. ctx: with whose eyes objects and attributes are seen."""

    def __init__(
        self,
        ctx: ReadContext,
        query: Query,
        root: ObjectRow,
        wanted: _Wanted,
        since: _Since,
        *,
        withheld: bool,
    ) -> None:
        """withheld: attributes of the filtered set come without values."""
        self.ctx = ctx
        self.query = query
        self.root = root
        self.wanted = wanted
        self.since = since
        self.withheld = withheld
        self.guarded = not ctx.unrestricted
        self.shaper = Shaper(ctx, query.options)
        self.match = Compiler(ctx, query.options).compile(self._without_anr(query.filter))
        self.links = self._link_attributes()
        self.found = Changes()
        self.size = 0
        self.seen: set[Dnt] = set()

    def _without_anr(self, term: Filter) -> Filter:
        if not anr.mentions_anr(term):
            return term
        switches = policy.heuristics(self.ctx)
        rewriter = anr.Rewriter(
            self.ctx.schema, first_last=switches.sup_first_last_anr, last_first=switches.sup_last_first_anr
        )
        return rewriter.rewrite(term)

    def _link_attributes(self) -> dict[int, Attribute]:
        """The asked forward links by what the store calls them."""
        named = self.wanted.named
        found = selection.links_by_id(self.ctx).values()
        return {
            entry.link_base(one): one
            for one in found
            if not one.is_back_link and (named is None or one.att_id in named)
        }

    def run(self) -> Changes:
        """Walk what changed, oldest first, until the answer is full."""
        limits = policy.limits(self.ctx)
        size_limit = self.query.size_limit or OBJECTS_MAX
        most = min(max(min(size_limit, OBJECTS_MAX), OBJECTS_MIN), limits.max_page_size)
        most_bytes = max(self.query.sync.max_bytes, BYTES_MIN)
        deadline = self.ctx.clock.now() + limits.max_dir_sync_duration * TICKS_PER_S
        position, scanned = self.since.objects, 0
        for row in self._changed():
            full = len(self.found.entries) >= most or self.size >= most_bytes or scanned >= SCANNED_MAX
            if full and row.usn_changed != position:
                return self._answer(position, more=True)
            self._put_with_ancestors(row)
            position, scanned = row.usn_changed, scanned + 1
            if self.ctx.clock.now() > deadline:
                raise DsError(
                    Win32.ERROR_INVALID_PARAMETER,
                    "MaxDirSyncDuration",
                    ldap_result=LdapResult.TIME_LIMIT_EXCEEDED,
                )
        for head in self._contexts_below():
            self._put(head)
        return self._answer(self.ctx.tx.usn, more=False)

    def _changed(self) -> Iterator[ObjectRow]:
        ctx, last = self.ctx, self.since.objects
        while True:
            batch = ctx.tx.changes(self.root.nc, last, _BATCH)
            rows = ctx.tx.get_many(batch)
            yield from (row for row in rows if row.state is not ObjectState.PHANTOM)
            if len(batch) < _BATCH:
                return
            ctx.pace.step(len(batch))
            last = rows[-1].usn_changed

    def _contexts_below(self) -> list[ObjectRow]:
        """The roots of other naming contexts right below this one, which it has as references."""
        found = [one.nc for one in referrals.cross_refs(self.ctx) if one.parent_nc == self.root.dnt]
        return [
            row
            for row in self.ctx.tx.get_many(found)
            if row.state is ObjectState.LIVE and row.usn_changed > self.since.objects
        ]

    def _answer(self, position: Usn, *, more: bool) -> Changes:
        ctx, since = self.ctx, self.since
        if more:
            cursors = tuple([UpToDateCursor(uuid, usn) for uuid, usn in since.known.items()])
        else:
            cursors = _cursors(ctx, self.root)
        self.found.more = more
        self.found.cookie = DirSyncCookie(
            ctx.now,
            position,
            since.stamps if more else position,
            ctx.forest.invocation_id.bytes_le,
            cursors,
        ).pack()
        return self.found

    # --- one object ---

    def _put_with_ancestors(self, row: ObjectRow) -> None:
        if row.dnt in self.seen:
            return
        above: list[ObjectRow] = []
        if self.query.sync.flags & ANCESTORS_FIRST_ORDER:
            parent = None if row.dnt == self.root.dnt else self.ctx.tx.get(row.parent)
            while parent is not None and parent.nc == self.root.dnt:
                if parent.usn_changed > self.since.objects and parent.dnt not in self.seen:
                    above.append(parent)
                parent = None if parent.dnt == self.root.dnt else self.ctx.tx.get(parent.parent)
        for one in (*reversed(above), row):
            self.seen.add(one.dnt)
            self._put(one)

    def _put(self, row: ObjectRow) -> None:
        granted = rights.grants(self.ctx, row) if self.guarded else rights.ALL_GRANTS
        if not self.match(row, granted):
            return
        if self.guarded and not visibility.visible(self.ctx, row):
            found = self._end_of_hidden(row)
        else:
            found = self._entry(row, granted)
            if found is not None and granted.audit_success & rights.READ_PROPERTY:
                audit.read(self.ctx, row, granted, found.attributes)
        if found is not None:
            self.found.entries.append(found)
            self.size += len(found.dn)
            for name, values in found.attributes:
                self.size += len(name) + sum(map(len, values))

    def _end_of_hidden(self, row: ObjectRow) -> ResultEntry | None:
        """Of an object that may not be seen: only that it is no more. Spec: [MS-DRSR] 4.1.10.5.6."""
        stamp = row.meta.get(attr.IS_DELETED)
        if row.state is ObjectState.LIVE or stamp is None or not self.since.is_new(stamp):
            return None
        out: Attributes = [(b"objectGUID", [row.guid]), (b"isDeleted", [b"TRUE"])]
        if row.state is ObjectState.RECYCLED:
            out.append((b"isRecycled", [b"TRUE"]))
        return ResultEntry(b"", out)

    def _entry(self, row: ObjectRow, granted: Grants) -> ResultEntry | None:
        """The object's changes; None where none of the asked attributes has any."""
        since, named = self.since, self.wanted.named
        fresh = [att for att, stamp in row.meta.items() if since.is_new(stamp) and att != row.rdn_att]
        out: Attributes = []
        for att in sorted(fresh):
            attribute = self.ctx.schema.attribute_by_id(att)
            if attribute is not None and (named is None or att in named):
                self._put_attribute(row, granted, attribute, out)
        if self.links and row.state is ObjectState.LIVE:
            self._put_links(row, granted, out)
        asked = bool(out) or self._is_new_context(row)
        if not asked:
            return None
        for attribute in self.wanted.always:
            if attribute.att_id not in fresh and not attribute.is_back_link:
                out += self._values(row, granted, attribute)
        head: Attributes = [(b"objectGUID", [row.guid]), (b"instanceType", [b"%d" % row.instance_type])]
        if attr.NAME in fresh and (named is None or attr.NAME in named) and row.dnt != self.root.dnt:
            parent = self.ctx.tx.get(row.parent)
            assert parent is not None
            head.append((b"parentGUID", [parent.guid]))
        return ResultEntry(
            self.shaper.dn(row), head + [one for one in out if one[0] not in (b"objectGUID", b"instanceType")]
        )

    def _is_new_context(self, row: ObjectRow) -> bool:
        """Whether it is a reference to another naming context, asked for its GUID for the first time."""
        named = self.wanted.named
        return (
            row.nc != self.root.dnt
            and not self.since.stamps
            and named is not None
            and attr.OBJECT_GUID in named
        )

    def _put_attribute(self, row: ObjectRow, granted: Grants, attribute: Attribute, out: Attributes) -> None:
        """One attribute with a new stamp: with what it holds, or without values.

        What the requester may not even know to be there is left out.
        """
        if attribute.is_secret or (self.withheld and attribute.rodc_filtered):
            out.append((attribute.name_wire, []))
            return
        values = self._values(row, granted, attribute)
        if values:
            out += values
        elif not self.guarded or granted.allows(
            rights.READ_PROPERTY, attribute.schema_id_guid_wire, attribute.attribute_security_guid_wire
        ):
            out.append((attribute.name_wire, []))

    def _values(self, row: ObjectRow, granted: Grants, attribute: Attribute) -> Attributes:
        """What a search would show of the attribute."""
        chosen = selection.select(self.ctx, (attribute.name,), self.query.options)
        return chosen.shape(self.shaper, row, granted)

    def _put_links(self, row: ObjectRow, granted: Grants, out: Attributes) -> None:
        """Link attributes with changed values: all values, or those that came and went."""
        values = sorted(self.ctx.tx.all_links(row.dnt), key=lambda link: link.link_base)
        for base, group in groupby(values, key=lambda link: link.link_base):
            attribute = self.links.get(base)
            if attribute is None or not self.shaper.may_read(row, attribute, granted):
                continue
            changed = [link for link in group if self.since.is_new(link.stamp)]
            if not changed:
                continue
            if not self.query.sync.flags & INCREMENTAL_VALUES:
                out += self._values(row, granted, attribute) or [(attribute.name_wire, [])]
                continue
            for label, gone in ((b";range=1-1", False), (b";range=0-0", True)):
                shown = [self._print(attribute, one) for one in changed if self._shows(one, gone)]
                if shown:
                    out.append((attribute.name_wire + label, shown))

    def _shows(self, link: LinkRow, gone: bool) -> bool:
        return link.deleted is gone and entry.target_is_shown(self.ctx, link.target)

    def _print(self, attribute: Attribute, link: LinkRow) -> bytes:
        return entry.print_reference(self.ctx, attribute, link.target, link.data, self.shaper.printer)
