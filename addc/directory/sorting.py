"""By what a sorted search orders its objects: the sort control's key made a function of rows.

Spec: [MS-ADTS] 3.1.1.3.4.1.13, RFC 2891.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from addc.base.errors import DecodeError, DsError
from addc.base.ids import AttId
from addc.codec.collation import JAPANESE, ORDERS, key_of_utf8
from addc.codec.filter import And, Equal, Filter, Present
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import names, rights
from addc.directory.context import ReadContext
from addc.directory.controls import RequestOptions
from addc.directory.filter_match import Compiler, Getter
from addc.directory.selection import Shaper
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.schema.syntax import DnKind
from addc.store.objects import ObjectRow, ObjectState

_PHONETIC: Final = "msds-phoneticdisplayname;extended"
_TEXT: Final = "String(Unicode)"


class SortRefusal(NamedTuple):
    """Why a search is not sorted: the sortResult of the response, and the attribute at fault."""

    result: LdapResult
    attribute: str


class SortOrder:
    """One sort key, ready to be applied to rows."""

    __slots__ = ("_shaper", "_sources", "attribute", "key", "reverse")

    def __init__(
        self,
        shaper: Shaper,
        sources: list[tuple[Attribute, Getter]],
        key: Callable[[bytes], bytes],
        reverse: bool,
    ) -> None:
        """sources: the attribute to sort by; a second one stands in where an object has no value of it."""
        self._shaper = shaper
        self._sources = sources
        self.attribute = sources[0][0]
        self.key = key
        self.reverse = reverse

    @property
    def is_indexed(self) -> bool:
        """Whether the order can be had from an index, so that no table of limited size is needed."""
        return self.attribute.is_indexed

    def key_of(self, row: ObjectRow) -> bytes | None:
        """The least of an object's values as sort key; None without a value that the requester may read."""
        ctx = self._shaper.ctx
        granted = rights.ALL_GRANTS if ctx.unrestricted else rights.grants(ctx, row)
        for attribute, get in self._sources:
            values = get(row)
            if values and self._shaper.may_read(row, attribute, granted):
                return self.key(values[0]) if len(values) == 1 else min(map(self.key, values))
        return None

    def key_of_assertion(self, value: bytes) -> bytes | None:
        """The sort key of a value that a client wrote; None for what is no value of the attribute."""
        syntax = self.attribute.syntax
        try:
            if syntax.name == _TEXT:
                return self.key(value)
            return syntax.assertion_key(value, self._shaper.ctx.schema)
        except DecodeError:
            return None


class Asked(NamedTuple):
    """The parts of a search that a phonetic sort looks at. base: as the client wrote it."""

    base: str
    is_subtree: bool
    filter: Filter


def order_of(compiler: Compiler, shaper: Shaper, asked: Asked) -> SortOrder | SortRefusal:
    """The order that the request's sort control asks for.

    Raises DsError(ERROR_DS_UNWILLING_TO_PERFORM) for a phonetic sort of anything but an address book.
    """
    options = shaper.options
    first = options.sort_keys[0]
    if len(options.sort_keys) > 1:
        return SortRefusal(LdapResult.UNWILLING_TO_PERFORM, first.attribute)
    if first.attribute.lower() == _PHONETIC:
        if first.rule != JAPANESE or not _is_address_book_search(compiler.ctx, options, asked):
            raise DsError(
                Win32.ERROR_DS_UNWILLING_TO_PERFORM, "a phonetic sort is of address books in Japanese order"
            )
        wanted = [attr.MS_DS_PHONETIC_DISPLAY_NAME, attr.DISPLAY_NAME]
        return _order(compiler, shaper, wanted, first.attribute)
    attribute = compiler.ctx.schema.attribute(first.attribute)
    if attribute is None or (options.gc_port and not attribute.in_gc):
        return SortRefusal(LdapResult.NO_SUCH_ATTRIBUTE, first.attribute)
    return _order(compiler, shaper, [attribute.att_id], first.attribute)


def _order(compiler: Compiler, shaper: Shaper, atts: list[AttId], label: str) -> SortOrder | SortRefusal:
    first = shaper.options.sort_keys[0]
    found = [compiler.ctx.schema.attribute_by_id(att) for att in atts]
    sources = [(one, compiler.getter(one)) for one in found if one is not None]
    attribute = sources[0][0]
    if first.rule and first.rule not in ORDERS:
        return SortRefusal(LdapResult.INAPPROPRIATE_MATCHING, label)
    if attribute.is_constructed or attribute.is_linked or not attribute.syntax.ordered:
        return SortRefusal(LdapResult.INAPPROPRIATE_MATCHING, label)
    key = attribute.syntax.key
    if attribute.syntax.name == _TEXT:
        key = key_of_utf8(first.rule)
    return SortOrder(shaper, sources, key, first.reverse)


def _is_address_book_search(ctx: ReadContext, options: RequestOptions, asked: Asked) -> bool:
    """The requirements of a phonetic display name sort, other than its ordering rule."""
    if options.list_view is None or not options.gc_port or not asked.is_subtree or asked.base:
        return False
    term = asked.filter
    if not isinstance(term, And) or len(term.terms) != 2:
        return False
    book, shown = term.terms
    if not isinstance(book, Equal) or not isinstance(shown, Present):
        return False
    in_book, display = ctx.schema.attribute(book.attribute), ctx.schema.attribute(shown.attribute)
    if in_book is None or display is None or in_book.syntax.dn_kind is not DnKind.DN:
        return False
    if in_book.att_id != attr.SHOW_IN_ADDRESS_BOOK or display.att_id != attr.DISPLAY_NAME:
        return False
    try:
        row = names.resolve(ctx, book.value.decode("utf-8"))
    except (DsError, UnicodeDecodeError):
        return False
    found = ctx.schema.class_by_id(row.class_id)
    return row.state is ObjectState.LIVE and found is not None and found.name == "addressBookContainer"
