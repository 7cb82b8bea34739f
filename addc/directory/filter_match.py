"""A search filter as closures over rows: three-valued, and blind to what may not be read.

A clause on an attribute that the requester may not read behaves as if the object had no such attribute; on an
attribute that the schema does not have it is Undefined. So no filter tells anything about hidden values.

Spec: [MS-ADTS] 3.1.1.3.1.3.1, 3.1.1.3.4.4, 3.1.1.4.3; RFC 4511 4.5.1.7.
"""

from collections.abc import Callable, Sequence
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DecodeError, DsError
from addc.base.ids import AttId, Dnt
from addc.codec.dn import Dn, split_dn_binary, split_dn_string
from addc.codec.filter import (
    And,
    Approx,
    Equal,
    Extensible,
    Filter,
    GreaterOrEqual,
    LessOrEqual,
    Not,
    Or,
    Present,
    Substrings,
)
from addc.codec.text import fold_utf8
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import matching_rules, names, rights
from addc.directory.context import ReadContext
from addc.directory.controls import RequestOptions
from addc.directory.entry import link_base, target_is_shown
from addc.directory.matching_rules import BIT_AND, BIT_OR, DN_WITH_DATA, TRANSITIVE_EVAL
from addc.directory.policy import heuristics, limits
from addc.schema import attr
from addc.schema.snapshot import Attribute, Schema
from addc.schema.syntax import DnKind
from addc.security.access_check import Grants
from addc.store.objects import ObjectRow, ObjectState

Match = Callable[[ObjectRow, Grants], bool | None]
"""True, False, or None for Undefined."""

CHAIN_BATCH: Final = 32
"""Objects whose values are read in one go."""
_CHAIN_ENDS: Final = 4000
"""Values that are read in one go; those of objects with more are read one object at a time."""
_ROWS_TOGETHER: Final = 128
_MANY_LINKS: Final = 500
TRANSITIVE_VISITS_MAX: Final = 100_000
"""Objects that one chain evaluation may walk through."""

_ALWAYS_PRESENT: Final = frozenset((attr.OBJECT_CLASS, attr.DISTINGUISHED_NAME, attr.NAME, attr.OBJECT_GUID))

Getter = Callable[[ObjectRow], Sequence[bytes]]


def undefined(row: ObjectRow, granted: Grants) -> None:
    """The clause that is neither true nor false of anything."""


def never(row: ObjectRow, granted: Grants) -> bool:
    """The clause that holds for nothing."""
    return False


def always(row: ObjectRow, granted: Grants) -> bool:
    """The clause that holds for every object."""
    return True


_NOTHING: Final = Dnt(0)


class Assertion:
    """An assertion value made comparable: its match key, or the row it refers to.

    raw: canonical stored form. dnt: for DN syntaxes; 0 where nothing has that name. data: the payload that
    goes with it.
    """

    __slots__ = ("data", "dnt", "key", "raw")

    def __init__(self, raw: bytes, key: bytes, dnt: Dnt = _NOTHING, data: bytes = b"") -> None:
        self.raw = raw
        self.key = key
        self.dnt = dnt
        self.data = data


def assertion(ctx: ReadContext, attribute: Attribute, value: bytes) -> Assertion | None:
    """What an equality clause compares with; None makes the clause Undefined."""
    try:
        if attribute.syntax.dn_kind is not DnKind.NONE:
            return _dn_assertion(ctx, attribute, value)
        return Assertion(value, attribute.syntax.assertion_key(value, ctx.schema))
    except (DecodeError, UnicodeDecodeError):
        return None


def _dn_assertion(ctx: ReadContext, attribute: Attribute, value: bytes) -> Assertion | None:
    text = value.decode("utf-8")
    data = b""
    if attribute.syntax.dn_kind is DnKind.DN_BINARY:
        data, text = split_dn_binary(text)
    elif attribute.syntax.dn_kind is DnKind.DN_STRING:
        payload, text = split_dn_string(text)
        data = payload.encode("utf-8")
    elif attribute.att_id == attr.OBJECT_CATEGORY and "=" not in text:
        short = ctx.schema.class_(text)
        if short is None:
            return None
        text = f"CN={short.default_object_category},{ctx.forest.schema_dn}"
    dnt = named_row(ctx, text)
    return None if dnt is None else Assertion(value, names.reference(dnt, data), dnt, data)


def named_row(ctx: ReadContext, text: str) -> Dnt | None:
    """The row that a DN in any form names, whatever its state; 0 if there is none, None if it is no DN."""
    known = ctx.names.dnt_by_text.get(text)
    if known is not None:
        return known
    try:
        parsed = names.parse(text)
    except DsError:
        return None
    if isinstance(parsed, Dn):
        row = names.find_dn(ctx, parsed)
        return Dnt(0) if row is None else row.dnt
    try:
        return names.resolve(ctx, text, deleted=True).dnt
    except DsError:
        return Dnt(0)


class Compiler:
    """Compiles one request's filter."""

    __slots__ = (
        "assertions", "chains", "confidential_hidden", "ctx", "deactivated_links", "deadline", "gc_only",
        "naming", "time_limit_s",
    )  # fmt: skip

    def __init__(self, ctx: ReadContext, options: RequestOptions, time_limit_s: int = 0) -> None:
        """time_limit_s: 0 for the policy's."""
        self.ctx = ctx
        self.time_limit_s = time_limit_s
        self.deadline = 0
        self.gc_only = options.gc_port
        self.deactivated_links = options.show_deactivated_link
        self.confidential_hidden = not (options.confidential or ctx.unrestricted)
        self.naming = names.naming_attributes(ctx)
        self.assertions: dict[tuple[AttId, bytes], Assertion | None] = {}
        self.chains: dict[tuple[AttId, Dnt], frozenset[Dnt]] = {}

    def assertion(self, attribute: Attribute, value: bytes) -> Assertion | None:
        """`assertion`, worked out once per request."""
        key = (attribute.att_id, value)
        if key not in self.assertions:
            self.assertions[key] = assertion(self.ctx, attribute, value)
        return self.assertions[key]

    def chain(self, attribute: Attribute, goal: Dnt) -> frozenset[Dnt]:
        """`transitive`, walked once per request."""
        key = (attribute.att_id, goal)
        if key not in self.chains:
            self._check_time()
            self.chains[key] = transitive(self.ctx, attribute, goal)
        return self.chains[key]

    def _check_time(self) -> None:
        """Each walk is bounded, but a filter may ask for thousands before the first object is looked at."""
        now = self.ctx.clock.now()
        if not self.deadline:
            most = limits(self.ctx).max_query_duration
            self.deadline = now + min(self.time_limit_s or most, most) * TICKS_PER_S
        if now > self.deadline:
            raise DsError(
                Win32.ERROR_INVALID_PARAMETER,
                "the chains of the filter take too long",
                ldap_result=LdapResult.TIME_LIMIT_EXCEEDED,
            )

    def compile(self, term: Filter) -> Match:
        """The closure that evaluates `term`.

        Raises DsError(ERROR_DS_INAPPROPRIATE_MATCHING) for constructed attributes.
        """
        if isinstance(term, And):
            return _all([self.compile(inner) for inner in term.terms])
        if isinstance(term, Or):
            return _any([self.compile(inner) for inner in term.terms])
        if isinstance(term, Not):
            return _not(self.compile(term.term))
        if term.attribute is None:
            return undefined
        attribute = described(self.ctx.schema, term.attribute)
        if attribute is None:
            return undefined
        if attribute.is_constructed:
            raise DsError(
                Win32.ERROR_DS_INAPPROPRIATE_MATCHING,
                "a constructed attribute cannot be searched for",
                attribute=attribute.name,
            )
        if self.gc_only and not attribute.in_gc:
            return undefined
        if self.hidden(attribute):
            return undefined if isinstance(term, Extensible) else never
        return self.guarded(attribute, self._clause(term, attribute))

    def hidden(self, attribute: Attribute) -> bool:
        """Whether no object shows this attribute to this request."""
        if attribute.is_secret:
            return True
        if attribute.is_confidential and self.confidential_hidden:
            return not heuristics(self.ctx).confidential_without_encryption & 1
        return attribute.att_id == attr.USER_PASSWORD and heuristics(self.ctx).user_pwd_support

    @staticmethod
    def _is_special(attribute: Attribute) -> bool:
        """Whether more than RIGHT_DS_READ_PROPERTY is needed to read it. Spec: [MS-ADTS] 3.1.1.4.4."""
        return (
            attribute.is_confidential
            or bool(attribute.search_flags & rights.PARTITION_SECRET)
            or attribute.att_id == attr.NT_SECURITY_DESCRIPTOR
        )

    def shielded(self, attribute: Attribute) -> bool:
        """Whether no index may be asked about the attribute: its values are confidential, and how long an
        answer takes would tell them to requesters who hold no rights over the domain.
        """
        if self.ctx.unrestricted or not self._is_special(attribute):
            return False
        head = self.ctx.tx.get(self.ctx.forest.domain_nc)
        guid, set_guid = attribute.schema_id_guid_wire, attribute.attribute_security_guid_wire
        return head is None or not rights.allows(self.ctx, head, rights.CONTROL_ACCESS, guid, set_guid)

    def guarded(self, attribute: Attribute, inner: Match) -> Match:
        """The clause, false where the requester may not read the attribute."""
        if inner in (undefined, always, never) or self.ctx.unrestricted:
            return inner
        if self._is_special(attribute):
            ctx = self.ctx
            return lambda row, granted: inner(row, granted) if rights.can_read(ctx, row, attribute) else False
        guid, set_guid = attribute.schema_id_guid_wire, attribute.attribute_security_guid_wire

        def guarded(row: ObjectRow, granted: Grants) -> bool | None:
            if granted.uniform_read or granted.allows(rights.READ_PROPERTY, guid, set_guid):
                return inner(row, granted)
            return False

        return guarded

    def _clause(self, term: Filter, attribute: Attribute) -> Match:
        match term:
            case Present():
                return self._present(attribute)
            case Equal() | Approx():
                return self._equal(attribute, term.value)
            case Substrings():
                return self._substrings(attribute, term)
            case GreaterOrEqual():
                return self._ordered(attribute, term.value, at_least=True)
            case LessOrEqual():
                return self._ordered(attribute, term.value, at_least=False)
            case Extensible():
                return self._extensible(attribute, term)
        return undefined

    def getter(self, attribute: Attribute) -> Getter:
        """Where a row keeps the stored values of a non-linked attribute."""
        att = attribute.att_id
        column = _COLUMN_GETTERS.get(att)
        if column is not None:
            return column
        if att in self.naming:
            return lambda row: (row.rdn.encode(),) if row.rdn_att == att else row.attrs.get(att, ())
        return lambda row: row.attrs.get(att, ())

    def _present(self, attribute: Attribute) -> Match:
        att = attribute.att_id
        if att in _ALWAYS_PRESENT:
            return always
        if attribute.is_linked:
            return self._any_link(attribute)
        if att == attr.NT_SECURITY_DESCRIPTOR:
            return lambda row, _: bool(row.sd_id)
        get = self.getter(attribute)
        return lambda row, _: bool(get(row))

    def _any_link(self, attribute: Attribute) -> Match:
        """Whether a row has a link value that is shown."""
        ctx, base, back = self.ctx, link_base(attribute), attribute.is_back_link

        def present(row: ObjectRow, _: Grants) -> bool:
            if not self._has_links(row):
                return False
            after, size = (0, b""), 4
            while True:
                ends = ctx.tx.link_ends(base, row.dnt, back=back, after=after, limit=size)
                for end, _data in ends:
                    if self.deactivated_links or target_is_shown(ctx, Dnt(end)):
                        return True
                if len(ends) < size:
                    return False
                after, size = ends[-1], _MANY_LINKS

        return present

    def _has_links(self, row: ObjectRow) -> bool:
        """Whether link values of a row count: those of deleted objects are deactivated."""
        return row.state is ObjectState.LIVE or self.deactivated_links

    def _equal(self, attribute: Attribute, value: bytes) -> Match:
        wanted = self.assertion(attribute, value)
        if wanted is None:
            return undefined
        att = attribute.att_id
        if att == attr.NT_SECURITY_DESCRIPTOR or attribute.syntax.name == "String(NT-Sec-Desc)":
            return undefined
        if att == attr.DISTINGUISHED_NAME:
            dnt = wanted.dnt
            return lambda row, _: row.dnt == dnt
        if attribute.is_linked:
            return self._linked_to(attribute, wanted)
        if attribute.syntax.dn_kind is not DnKind.NONE and not wanted.dnt:
            return never
        return self._has_value(attribute, wanted)

    def _has_value(self, attribute: Attribute, wanted: Assertion) -> Match:
        get = self.getter(attribute)
        raw, wanted_key = wanted.raw, wanted.key
        if attribute.syntax.dn_kind is DnKind.DN_STRING:
            folded, dnt = fold_utf8(wanted.data), wanted.dnt
            return lambda row, _: any(
                names.reference_dnt(one) == dnt and fold_utf8(names.reference_data(one)) == folded
                for one in get(row)
            )
        if attribute.syntax.dn_kind is not DnKind.NONE:
            return lambda row, _: wanted_key in get(row)
        key = attribute.syntax.key

        def has_value(row: ObjectRow, _: Grants) -> bool:
            values = get(row)
            if not values:
                return False
            if raw in values:
                return True
            for value in values:
                if key(value) == wanted_key:
                    return True
            return False

        return has_value

    def _linked_to(self, attribute: Attribute, wanted: Assertion) -> Match:
        tx, base, dnt, data = self.ctx.tx, link_base(attribute), wanted.dnt, wanted.data
        if not dnt or not (self.deactivated_links or target_is_shown(self.ctx, dnt)):
            return never

        def linked(source: Dnt, target: Dnt) -> bool:
            found = tx.link(base, source, target, data)
            return found is not None and not found.deleted

        if attribute.is_back_link:
            return lambda row, _: self._has_links(row) and linked(dnt, row.dnt)
        return lambda row, _: self._has_links(row) and linked(row.dnt, dnt)

    def _substrings(self, attribute: Attribute, term: Substrings) -> Match:
        syntax = attribute.syntax
        if not syntax.substrings or attribute.is_linked or attribute.att_id == attr.OBJECT_CLASS:
            return undefined
        pieces = substring_keys(attribute, term)
        if pieces is None:
            return undefined
        initial, middle, final = pieces
        get, key = self.getter(attribute), syntax.key

        def contains(row: ObjectRow, _: Grants) -> bool:
            for value in get(row):
                if _fits(key(value), initial, middle, final):
                    return True
            return False

        return contains

    def _ordered(self, attribute: Attribute, value: bytes, *, at_least: bool) -> Match:
        syntax = attribute.syntax
        if not syntax.ordered or attribute.is_linked or attribute.att_id == attr.OBJECT_CLASS:
            return undefined
        wanted = self.assertion(attribute, value)
        if wanted is None:
            return undefined
        get, key, limit = self.getter(attribute), syntax.key, wanted.key
        if at_least:
            return lambda row, _: any(key(one) >= limit for one in get(row))
        return lambda row, _: any(key(one) <= limit for one in get(row))

    def _extensible(self, attribute: Attribute, term: Extensible) -> Match:
        if term.rule is None:
            return self._equal(attribute, term.value)
        if term.rule in (BIT_AND, BIT_OR):
            return self._bits(attribute, term.value, all_bits=term.rule == BIT_AND)
        if term.rule == TRANSITIVE_EVAL:
            return self._chain(attribute, term.value)
        if term.rule == DN_WITH_DATA:
            return self._dn_with_data(attribute, term.value)
        return undefined

    def _bits(self, attribute: Attribute, value: bytes, *, all_bits: bool) -> Match:
        test = matching_rules.bits(attribute, value, self.getter(attribute), all_bits=all_bits)
        return undefined if test is None else lambda row, _: test(row)

    def _chain(self, attribute: Attribute, value: bytes) -> Match:
        """LDAP_MATCHING_RULE_TRANSITIVE_EVAL: one walk from the value finds all objects that match.

        Spec: [MS-ADTS] 3.1.1.3.4.4.3.
        """
        if not attribute.is_linked:
            return undefined
        wanted = self.assertion(attribute, value)
        if wanted is None:
            return undefined
        reached = self.chain(attribute, wanted.dnt) if wanted.dnt else frozenset()
        return lambda row, _: row.dnt in reached

    def _dn_with_data(self, attribute: Attribute, value: bytes) -> Match:
        if not matching_rules.names_data(attribute):
            return undefined
        wanted = self.assertion(attribute, value)
        if wanted is None:
            return undefined
        if attribute.is_linked:
            ctx, base = self.ctx, link_base(attribute)

            def pairs(row: ObjectRow) -> Sequence[tuple[int, bytes]]:
                return ctx.tx.link_ends(base, row.dnt, back=False) if self._has_links(row) else ()

            test = matching_rules.dn_with_data(
                None if value.endswith(b":") else wanted.dnt, wanted.data, pairs
            )
        else:
            stored = matching_rules.stored_pairs(self.getter(attribute))
            test = matching_rules.dn_with_data(
                None if value.endswith(b":") else wanted.dnt, wanted.data, stored
            )
        return lambda row, _: test(row)


def described(schema: Schema, description: str) -> Attribute | None:
    """The attribute that a clause is about; an option other than ;binary makes it unknown."""
    name, mark, option = description.partition(";")
    if mark and option.lower() != "binary":
        return None
    return schema.attribute(name)


_COLUMN_GETTERS: Final[dict[AttId, Getter]] = {
    attr.OBJECT_GUID: lambda row: (row.guid,),
    attr.OBJECT_SID: lambda row: () if row.sid is None else (row.sid,),
    attr.NAME: lambda row: (row.rdn.encode(),),
    attr.INSTANCE_TYPE: lambda row: (b"%d" % row.instance_type,),
    attr.USN_CREATED: lambda row: (b"%d" % row.usn_created,),
    attr.USN_CHANGED: lambda row: (b"%d" % row.usn_changed,),
}


def substring_keys(
    attribute: Attribute, term: Substrings
) -> tuple[bytes | None, tuple[bytes, ...], bytes | None] | None:
    """The pieces of a substring clause as match keys; None if one is no text."""
    key = attribute.syntax.key
    try:
        return (
            key(term.initial) if term.initial else None,
            tuple([key(piece) for piece in term.any]),
            key(term.final) if term.final else None,
        )
    except DecodeError:
        return None


def _fits(value: bytes, initial: bytes | None, middle: tuple[bytes, ...], final: bytes | None) -> bool:
    at = 0
    if initial is not None:
        if not value.startswith(initial):
            return False
        at = len(initial)
    for piece in middle:
        found = value.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return final is None or (len(value) - len(final) >= at and value.endswith(final))


def transitive(ctx: ReadContext, attribute: Attribute, goal: Dnt) -> frozenset[Dnt]:
    """Objects from which a chain of `attribute` values leads to `goal`, walked from the goal's end.

    Links from and to deleted objects do not count, nor values that the requester may not read on the object
    that has them: no chain tells what its links would not.
    """
    back = not attribute.is_back_link

    def step(dnts: list[Dnt]) -> list[ObjectRow]:
        found = _living(ctx, _far_ends(ctx, attribute, dnts, back=back))
        return [row for row in found if rights.can_read(ctx, row, attribute)]

    return _walk(goal, step)


def led_to(ctx: ReadContext, attribute: Attribute, start: Dnt) -> frozenset[Dnt]:
    """Objects that a chain of `attribute` values leads to from `start`; the same values count."""
    back = attribute.is_back_link

    def step(dnts: list[Dnt]) -> list[ObjectRow]:
        shown = [row.dnt for row in ctx.tx.pass_by(dnts) if rights.can_read(ctx, row, attribute)]
        return _living(ctx, _far_ends(ctx, attribute, shown, back=back))

    return _walk(start, step)


def _far_ends(ctx: ReadContext, attribute: Attribute, dnts: list[Dnt], *, back: bool) -> list[Dnt]:
    """What the values on the rows refer to, or what refers to them where `back`; each once."""
    tx, base = ctx.tx, link_base(attribute)
    found: dict[Dnt, None] = {}
    for at in range(0, len(dnts), CHAIN_BATCH):
        some = dnts[at : at + CHAIN_BATCH]
        ctx.pace.step(len(some))
        ends = tx.link_ends_of(base, some, _CHAIN_ENDS, back=back) if len(some) > 1 else None
        if ends is not None:
            found.update({Dnt(end): None for held in ends.values() for end, _ in held})
            continue
        for dnt in some:
            found.update(dict.fromkeys(tx.link_sources(base, dnt) if back else tx.link_targets(base, dnt)))
    return list(found)


def _living(ctx: ReadContext, dnts: list[Dnt]) -> list[ObjectRow]:
    found: list[ObjectRow] = []
    for at in range(0, len(dnts), _ROWS_TOGETHER):
        ctx.pace.step(_ROWS_TOGETHER)
        rows = ctx.tx.pass_by(dnts[at : at + _ROWS_TOGETHER])
        found += [row for row in rows if row.state is ObjectState.LIVE]
    return found


def _walk(start: Dnt, step: Callable[[list[Dnt]], list[ObjectRow]]) -> frozenset[Dnt]:
    reached: set[Dnt] = set()
    frontier = [start]
    while frontier:
        frontier = list({row.dnt for row in step(frontier)} - reached)
        reached.update(frontier)
        if len(reached) >= TRANSITIVE_VISITS_MAX:
            raise DsError(Win32.ERROR_DS_ADMIN_LIMIT_EXCEEDED, "the chain is too long")
    return frozenset(reached)


def _all(terms: list[Match]) -> Match:
    if len(terms) == 1:
        return terms[0]

    def conjunction(row: ObjectRow, granted: Grants) -> bool | None:
        answer: bool | None = True
        for term in terms:
            one = term(row, granted)
            if one is False:
                return False
            if one is None:
                answer = None
        return answer

    return conjunction


def _any(terms: list[Match]) -> Match:
    if len(terms) == 1:
        return terms[0]

    def disjunction(row: ObjectRow, granted: Grants) -> bool | None:
        answer: bool | None = False
        for term in terms:
            one = term(row, granted)
            if one:
                return True
            if one is None:
                answer = None
        return answer

    return disjunction


def _not(inner: Match) -> Match:
    def negation(row: ObjectRow, granted: Grants) -> bool | None:
        one = inner(row, granted)
        return None if one is None else not one

    return negation
