"""ASN.1 structures declared once as dataclasses and compiled to straight-line BER readers and DER writers.

    @ber.sequence(application=1)
    class Ticket(ber.Value):
        tkt_vno: Annotated[int, ber.Integer(must_be=5), ber.Tag(0)]
        realm: Annotated[str, ber.GENERAL_STRING, ber.Tag(1)]
        sname: Annotated[PrincipalName, ber.Tag(2)]
        enc_part: Annotated[EncryptedData, ber.Tag(3)]

Field order is wire order. `X | None` is OPTIONAL; the mark DEFAULT omits a field that equals its dataclass
default. bytes, bool, declared classes and tuples of these need no kind. Input may use any definite length;
the indefinite form is refused, as RFC 4511 5.1 and RFC 4120 5.1 demand. Nesting is bounded: a class can only
nest classes declared before it; recursion (search filters) is an External kind with its own depth budget.
Output is DER, except that SET OF is not sorted and fields equal to a DEFAULT are left to the declaration.

A class is compiled when it is first read or written: a process uses a few of the 140, and all of them would
be a quarter of the server's start.

Measured by tests/bench/bench_codecs.py, Python 3.11, one core: AS-REQ of 166 bytes 10 us to read, 5 us to
write.
Spec: X.690 8 (BER), 10-11 (DER).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import RLock
from typing import (
    ClassVar,
    Final,
    NamedTuple,
    Protocol,
    Self,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
)

from addc.base.errors import DecodeError
from addc.codec.ber_wire import (
    decode_bits,
    decode_flags,
    decode_oid,
    decode_time,
    encode_bits,
    encode_flags,
    encode_int,
    encode_oid,
    encode_time,
    header,
    long_length,
    short_headers,
)
from addc.codec.declare import FieldPlan, Source, field_plans, register, slot_setters, split_annotation

ITEMS_MAX: Final = 65_536
INTEGER_SIZE_MAX: Final = 9
_FAIL: Final = "raise DecodeError"


class Value:
    """Base of all declared ASN.1 types; the decorators below fill the class attributes in."""

    __slots__ = ()
    ber_tag: ClassVar[int] = -1
    """The identifier octet that the value begins with."""
    ber_decode: ClassVar[Callable[[bytes, int, int], object]]
    """(data, start, end) of the content octets -> value."""
    ber_encode: ClassVar[Callable[..., bytes]]
    """value -> content octets."""

    def pack(self) -> bytes:
        """The DER form."""
        cls = type(self)
        content = cls.ber_encode(self)
        return header(cls.ber_tag, len(content)) + content

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """The value of all of `data`; raises DecodeError."""
        value, size = cls.unpack_first(data)
        if size != len(data):
            raise DecodeError(f"{len(data) - size} bytes too many", size, cls.__name__)
        return value

    @classmethod
    def unpack_first(cls, data: bytes, start: int = 0) -> tuple[Self, int]:
        """The value that begins at `start`, and where the bytes behind it begin."""
        try:
            if data[start] != cls.ber_tag:
                raise DecodeError(f"tag {data[start]:#x}, not {cls.ber_tag:#x}", start, cls.__name__)
            size, pos = data[start + 1], start + 2
            if size >= 0x80:
                size, pos = long_length(data, start + 1, cls.__name__)
            end = pos + size
            if end > len(data):
                raise DecodeError("ends early", len(data), cls.__name__)
            return cast(Self, cls.ber_decode(data, pos, end)), end
        except IndexError:
            raise DecodeError("ends early", len(data), cls.__name__) from None


@dataclass(frozen=True, slots=True)
class Tag:
    """Context-specific tag `number`, explicit (the default tagging of RFC 4120)."""

    number: int


@dataclass(frozen=True, slots=True)
class Implicit:
    """Context-specific tag `number` in place of the kind's own (the tagging of RFC 4511)."""

    number: int


class _Default:
    """The mark behind DEFAULT."""


DEFAULT: Final = _Default()
"""The field is left out when it equals its dataclass default, and has that value when absent."""


class Span(NamedTuple):
    """Names of the variables that hold where an element starts, its content starts, and it ends."""

    start: str
    body: str
    end: str


class Kind(Protocol):
    """How one ASN.1 type is read and written."""

    @property
    def tag(self) -> int | None:
        """The identifier octet; None where several may stand (CHOICE, ANY): the kind then handles it."""

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        """Write lines that set the variable `value` from the element at `at`."""

    def write(self, src: Source, value: str, out: str) -> None:
        """Write lines that set `out` to the content octets of `value`; the whole element if tag is None."""


class Integer:
    """INTEGER, bounded; must_be: the only value allowed."""

    tag: int | None = 0x02

    def __init__(
        self, low: int = -(1 << 63), high: int = (1 << 64) - 1, *, must_be: int | None = None
    ) -> None:
        self.low, self.high = (low, high) if must_be is None else (must_be, must_be)

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        with src.block(f"if {at.end} - {at.body} == 1"):
            src.line(f"{value} = data[{at.body}]")
            with src.block(f"if {value} >= 128"):
                src.line(f"{value} -= 256")
        with src.block(f"elif 0 < {at.end} - {at.body} <= {INTEGER_SIZE_MAX}"):
            src.line(f"{value} = int_from(data[{at.body}:{at.end}], 'big', signed=True)")
        with src.block("else"):
            src.line(f"{_FAIL}('bad size of an integer', {at.body}, {path!r})")
        with src.block(f"if not {self.low} <= {value} <= {self.high}"):
            src.line(f"{_FAIL}('integer out of range', {at.body}, {path!r})")

    def write(self, src: Source, value: str, out: str) -> None:
        src.line(f"{out} = encode_int({value})")


class Enumerated(Integer):
    """ENUMERATED."""

    tag: int | None = 0x0A


class Dword(Integer):
    """INTEGER that stands for 32 bits, such as flags; a negative number is the same bits, signed."""

    def __init__(self) -> None:
        super().__init__(-(1 << 31), (1 << 32) - 1)

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        super().read(src, value, at, path)
        src.line(f"{value} &= 0xffffffff")


class Boolean:
    """BOOLEAN: any non-zero octet is true, 0xFF is written."""

    tag: int | None = 0x01

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        with src.block(f"if {at.end} - {at.body} != 1"):
            src.line(f"{_FAIL}('bad size of a boolean', {at.body}, {path!r})")
        src.line(f"{value} = data[{at.body}] != 0")

    def write(self, src: Source, value: str, out: str) -> None:
        src.line(f"{out} = b'\\xff' if {value} else b'\\x00'")


class OctetString:
    """OCTET STRING as bytes, at most `limit` of them."""

    tag: int | None = 0x04

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        if self.limit is not None:
            with src.block(f"if {at.end} - {at.body} > {self.limit}"):
                src.line(f"{_FAIL}('octet string too long', {at.body}, {path!r})")
        src.line(f"{value} = data[{at.body}:{at.end}]")

    def write(self, src: Source, value: str, out: str) -> None:
        src.line(f"{out} = {value}")


class Text:
    """A string type as str.

    tag: 0x1B GeneralString, 0x0C UTF8String, 0x04 for LDAPString. errors: "strict", or "surrogateescape"
    where foreign bytes must survive a round trip.
    """

    def __init__(self, tag: int, errors: str = "strict") -> None:
        self.tag: int | None = tag
        self.errors = errors

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        if self.errors != "strict":
            src.line(f"{value} = data[{at.body}:{at.end}].decode('utf-8', {self.errors!r})")
            return
        with src.block("try"):
            src.line(f"{value} = data[{at.body}:{at.end}].decode()")
        with src.block("except UnicodeDecodeError"):
            src.line(f"{_FAIL}('not UTF-8', {at.body}, {path!r}) from None")

    def write(self, src: Source, value: str, out: str) -> None:
        src.line(f"{out} = {value}.encode('utf-8', {self.errors!r})")


class Flags:
    """KerberosFlags: BIT STRING as a 32-bit int whose most significant bit is bit 0.

    Shorter strings are filled up with zeros, bits behind the 32nd are dropped.
    Spec: RFC 4120 5.2.8.
    """

    tag: int | None = 0x03

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        with src.block(f"if {at.end} - {at.body} == 5 and data[{at.body}] == 0"):
            src.line(f"{value} = int_from(data[{at.body} + 1:{at.end}], 'big')")
        with src.block("else"):
            src.names["decode_flags"] = decode_flags
            src.line(f"{value} = decode_flags(data[{at.body}:{at.end}])")

    def write(self, src: Source, value: str, out: str) -> None:
        src.names["encode_flags"] = encode_flags
        src.line(f"{out} = encode_flags({value})")


class Converted:
    """A primitive whose content octets two functions turn into a value and back."""

    def __init__(self, tag: int, decode: Callable[[bytes], object], encode: Callable[..., bytes]) -> None:
        self.tag: int | None = tag
        self.decode, self.encode = decode, encode

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        src.line(f"{value} = {src.bind(self.decode.__name__, self.decode)}(data[{at.body}:{at.end}])")

    def write(self, src: Source, value: str, out: str) -> None:
        src.line(f"{out} = {src.bind(self.encode.__name__, self.encode)}({value})")


class Nested:
    """A class declared before."""

    def __init__(self, cls: type[Value]) -> None:
        self.tag: int | None = cls.ber_tag
        self.cls = cls

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        ready(self.cls)
        reader = src.bind("read_" + self.cls.__name__, self.cls.ber_decode)
        src.line(f"{value} = {reader}(data, {at.body}, {at.end})")

    def write(self, src: Source, value: str, out: str) -> None:
        ready(self.cls)
        src.line(f"{out} = {src.bind('write_' + self.cls.__name__, self.cls.ber_encode)}({value})")


class SequenceOf:
    """SEQUENCE OF (tag 0x30) or SET OF (tag 0x31) as a tuple of `low` to `limit` items."""

    def __init__(self, item: Kind, *, tag: int = 0x30, low: int = 0, limit: int = ITEMS_MAX) -> None:
        self.item, self.low, self.limit = item, low, limit
        self.tag: int | None = tag

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        items, one, pos = src.fresh("items"), src.fresh("item"), src.fresh("pos")
        src.line(f"{items} = []")
        src.line(f"{pos} = {at.body}")
        with src.block(f"while {pos} < {at.end}"):
            with src.block(f"if len({items}) == {self.limit}"):
                src.line(f"{_FAIL}('too many items', {pos}, {path!r})")
            inner = _read_header(src, self.item.tag, pos, at.end, path)
            self.item.read(src, one, inner, path)
            src.line(f"{items}.append({one})")
            src.line(f"{pos} = {inner.end}")
        if self.low:
            with src.block(f"if len({items}) < {self.low}"):
                src.line(f"{_FAIL}('too few items', {at.body}, {path!r})")
        src.line(f"{value} = tuple({items})")

    def write(self, src: Source, value: str, out: str) -> None:
        one, piece, pieces = src.fresh("item"), src.fresh("piece"), src.fresh("pieces")
        src.line(f"{pieces} = []")
        with src.block(f"for {one} in {value}"):
            _write_element(src, self.item, self.item.tag, one, piece)
            src.line(f"{pieces}.append({piece})")
        src.line(f"{out} = b''.join({pieces})")


def set_of(item: Kind, *, low: int = 0, limit: int = ITEMS_MAX) -> SequenceOf:
    """SET OF, in the order given."""
    return SequenceOf(item, tag=0x31, low=low, limit=limit)


class AnyElement:
    """One element of any type, as its raw bytes with tag and length."""

    tag: int | None = None

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        src.line(f"{value} = data[{at.start}:{at.end}]")

    def write(self, src: Source, value: str, out: str) -> None:
        src.line(f"{out} = {value}")


class Choice:
    """CHOICE of declared classes, told apart by their first octet."""

    tag: int | None = None

    def __init__(self, *classes: type[Value]) -> None:
        self.classes = classes
        assert len({cls.ber_tag for cls in classes}) == len(classes), "two alternatives with one tag"

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        for cls in self.classes:
            ready(cls)
        readers = {cls.ber_tag: cls.ber_decode for cls in self.classes}
        reader = src.fresh("reader")
        src.line(f"{reader} = {src.bind('readers', readers)}.get(data[{at.start}])")
        with src.block(f"if {reader} is None"):
            src.line(f"{_FAIL}('no such alternative', {at.start}, {path!r})")
        src.line(f"{value} = {reader}(data, {at.body}, {at.end})")

    def write(self, src: Source, value: str, out: str) -> None:
        src.line(f"{out} = {value}.pack()")


class External:
    """An element read and written by functions made by hand.

    decode: (data, start, end) of the whole element, tag included -> value. encode: value -> whole element.
    """

    tag: int | None = None

    def __init__(self, decode: Callable[[bytes, int, int], object], encode: Callable[..., bytes]) -> None:
        self.decode, self.encode = decode, encode

    def read(self, src: Source, value: str, at: Span, path: str) -> None:
        src.line(f"{value} = {src.bind('decode_external', self.decode)}(data, {at.start}, {at.end})")

    def write(self, src: Source, value: str, out: str) -> None:
        src.line(f"{out} = {src.bind('encode_external', self.encode)}({value})")


INTEGER: Final = Integer()
INT32: Final = Integer(-(1 << 31), (1 << 31) - 1)
UINT32: Final = Integer(-(1 << 31), (1 << 32) - 1)
"""Negative numbers are taken as well: some peers write a UInt32 as if it were signed."""
DWORD: Final = Dword()
ENUMERATED: Final = Enumerated(0, (1 << 31) - 1)
BOOLEAN: Final = Boolean()
OCTET_STRING: Final = OctetString()
GENERAL_STRING: Final = Text(0x1B, "surrogateescape")
UTF8_STRING: Final = Text(0x0C)
LDAP_STRING: Final = Text(0x04)
TIME: Final = Converted(0x18, decode_time, encode_time)
"""GeneralizedTime in the one form that DER and KerberosTime allow, YYYYMMDDHHMMSSZ, as FileTime."""
FLAGS: Final = Flags()
BIT_STRING: Final = Converted(0x03, decode_bits, encode_bits)
"""BIT STRING of whole octets as bytes; unused bits of the last octet read as they stand."""
OID: Final = Converted(0x06, decode_oid, encode_oid)
"""OBJECT IDENTIFIER as dotted text."""
ANY: Final = AnyElement()


def _read_header(src: Source, tag: int | None, pos: str, end: str, path: str) -> Span:
    """Write lines that step over identifier and length at `pos` and check them against `end`.

    Reading an octet behind `end` but inside the buffer does no harm: the element's own end is compared next.
    """
    body, stop, size = src.fresh("body"), src.fresh("stop"), src.fresh("size")
    if tag is not None:
        with src.block(f"if data[{pos}] != {tag}"):
            src.line(f"{_FAIL}(f'tag {{data[{pos}]:#x}}, not {tag:#x}', {pos}, {path!r})")
    src.line(f"{size} = data[{pos} + 1]")
    with src.block(f"if {size} < 128"):
        src.line(f"{body} = {pos} + 2")
    with src.block("else"):
        src.line(f"{size}, {body} = long_length(data, {pos} + 1, {path!r})")
    src.line(f"{stop} = {body} + {size}")
    with src.block(f"if {stop} > {end}"):
        src.line(f"{_FAIL}('ends early', {pos}, {path!r})")
    return Span(pos, body, stop)


def _write_element(src: Source, kind: Kind, tag: int | None, value: str, out: str) -> None:
    """Write lines that set `out` to the whole element of `value` under `tag`."""
    kind.write(src, value, out)
    if tag is not None:
        _write_header(src, tag, out)


def _write_header(src: Source, tag: int, out: str) -> None:
    short = src.bind(f"short_{tag:02x}", short_headers(tag))
    src.line(f"size = len({out})")
    src.line(f"{out} = ({short}[size] if size < 128 else header({tag}, size)) + {out}")


@dataclass(frozen=True, slots=True)
class _Field:
    """A field with its kind and the tags that stand before its content.

    outer: identifier octet of an explicit tag. inner: identifier octet of the kind itself.
    """

    plan: FieldPlan
    kind: Kind
    outer: int | None
    inner: int | None
    path: str

    @property
    def first(self) -> int | None:
        """The octet that shows that the field is present."""
        return self.outer if self.outer is not None else self.inner

    @property
    def omitted(self) -> bool:
        return any(mark is DEFAULT for mark in self.plan.marks)


def kind_of(hint: object, marks: tuple[object, ...] = ()) -> Kind:
    """The kind that an annotation asks for: its mark, or what its type implies."""
    for mark in marks:
        if hasattr(mark, "read") and hasattr(mark, "write"):
            return cast(Kind, mark)
    if get_origin(hint) is tuple:
        item, _, item_marks = split_annotation(get_args(hint)[0])
        return SequenceOf(kind_of(item, item_marks))
    if hint is bytes:
        return OCTET_STRING
    if hint is bool:
        return BOOLEAN
    if isinstance(hint, type) and issubclass(hint, Value):
        return Nested(hint)
    raise TypeError(f"no kind for {hint!r}")


def _field(owner: str, plan: FieldPlan) -> _Field:
    kind = kind_of(plan.type, plan.marks)
    outer, inner = None, kind.tag
    tag, implicit = plan.mark(Tag), plan.mark(Implicit)
    if tag is not None:
        assert 0 <= tag.number < 31
        outer = 0xA0 | tag.number
    elif implicit is not None:
        assert kind.tag is not None and 0 <= implicit.number < 31
        inner = 0x80 | kind.tag & 0x20 | implicit.number
    return _Field(plan, kind, outer, inner, f"{owner}.{plan.name}")


def _read_field(src: Source, field: _Field, value: str) -> None:
    """Write lines that read the field at `pos` and step `pos` over it."""
    if field.outer is None:
        at = _read_header(src, field.inner, "pos", "end", field.path)
        field.kind.read(src, value, at, field.path)
        src.line(f"pos = {at.end}")
        return
    around = _read_header(src, field.outer, "pos", "end", field.path)
    at = _read_header(src, field.inner, around.body, around.end, field.path)
    with src.block(f"if {at.end} != {around.end}"):
        src.line(f"{_FAIL}('bytes behind a tagged value', {at.end}, {field.path!r})")
    field.kind.read(src, value, at, field.path)
    src.line(f"pos = {at.end}")


def _reader(
    src: Source, cls: type[Value], fields: list[_Field], extensible: bool, wrapped: int | None
) -> None:
    """Write `read(data, pos, end)`, which makes a value of the content octets data[pos:end].

    wrapped: identifier octet of an element that stands between an explicit class tag and the fields.
    """
    with src.block("def read(data, pos, end)"):
        if wrapped is not None:
            around = _read_header(src, wrapped, "pos", "end", cls.__name__)
            with src.block(f"if {around.end} != end"):
                src.line(f"{_FAIL}('bytes behind a tagged value', {around.end}, {cls.__name__!r})")
            src.line(f"pos = {around.body}")
        for index, field in enumerate(fields):
            value = f"f{index}"
            if not (field.plan.optional or field.omitted):
                _read_field(src, field, value)
                continue
            present = "pos < end" if field.first is None else f"pos < end and data[pos] == {field.first}"
            with src.block(f"if {present}"):
                _read_field(src, field, value)
            with src.block("else"):
                default = (
                    "None"
                    if field.plan.optional
                    else src.bind(f"default_{field.plan.name}", field.plan.default)
                )
                src.line(f"{value} = {default}")
        with src.block("while pos < end" if extensible else "if pos != end"):
            if extensible:
                src.line(f"pos = {_read_header(src, None, 'pos', 'end', cls.__name__).end}")
            else:
                src.line(f"{_FAIL}('unknown element', pos, {cls.__name__!r})")
        _construct(src, cls, [field.plan.name for field in fields])


def _construct(src: Source, cls: type[Value], names: list[str]) -> None:
    """Write lines that return a value whose fields are the variables f0, f1, ..."""
    setters = slot_setters(cls)
    src.line(f"value = new({src.bind('cls', cls)})")
    for index, name in enumerate(names):
        src.line(f"{src.bind('set_' + name, setters[name])}(value, f{index})")
    src.line("return value")


def _writer(src: Source, fields: list[_Field], wrapped: int | None) -> None:
    """Write `write(value)`, which gives the content octets."""
    with src.block("def write(value)"):
        for index, field in enumerate(fields):
            out = f"f{index}"
            src.line(f"v = value.{field.plan.name}")
            if not (field.plan.optional or field.omitted):
                _write_field(src, field, out)
                continue
            default = src.bind("default_" + field.plan.name, field.plan.default)
            with src.block("if v is None" if field.plan.optional else f"if v == {default}"):
                src.line(f"{out} = b''")
            with src.block("else"):
                _write_field(src, field, out)
        src.line(f"whole = b''.join(({''.join(f'f{index}, ' for index in range(len(fields)))}))")
        if wrapped is not None:
            _write_header(src, wrapped, "whole")
        src.line("return whole")


def _write_field(src: Source, field: _Field, out: str) -> None:
    if not isinstance(field.kind, Integer):
        _write_tagged(src, field, out)
        return
    # Small numbers are most of all numbers: their whole element is looked up.
    table = _small_integers(field.outer, field.inner)
    small = src.bind(f"small_{field.outer or 0:02x}{field.inner:02x}", table)
    with src.block("if -128 <= v < 128"):
        src.line(f"{out} = {small}[v]")
    with src.block("else"):
        _write_tagged(src, field, out)


def _write_tagged(src: Source, field: _Field, out: str) -> None:
    _write_element(src, field.kind, field.inner, "v", out)
    if field.outer is not None:
        _write_header(src, field.outer, out)


@cache
def _small_integers(outer: int | None, inner: int | None) -> tuple[bytes, ...]:
    """The elements of 0..127 and then of -128..-1, so that a negative number indexes from the end."""
    assert inner is not None
    table = []
    for number in (*range(128), *range(-128, 0)):
        whole = bytes((inner, 1, number & 0xFF))
        table.append(whole if outer is None else bytes((outer, 3)) + whole)
    return tuple(table)


def _single(src: Source, cls: type[Value], field: _Field, explicit: bool) -> None:
    """Write `read` and `write` for a class that is a new name (and tag) of its one field's type."""
    with src.block("def read(data, pos, end)"):
        at = Span("pos", "pos", "end")
        if explicit:
            at = _read_header(src, field.inner, "pos", "end", field.path)
            with src.block(f"if {at.end} != end"):
                src.line(f"{_FAIL}('bytes behind a tagged value', {at.end}, {field.path!r})")
        field.kind.read(src, "f0", at, field.path)
        _construct(src, cls, [field.plan.name])
    with src.block("def write(value)"):
        src.line(f"v = value.{field.plan.name}")
        field.kind.write(src, "v", "f0")
        if explicit and field.inner is not None:
            _write_header(src, field.inner, "f0")
        src.line("return f0")


_PENDING: Final[dict[type[Value], Callable[[], None]]] = {}
"""What compiles each class that nobody has used so far."""
_COMPILING: Final = RLock()


def ready(cls: type[Value]) -> None:
    """Compile a class, if that has not been done."""
    if cls in _PENDING:
        with _COMPILING:
            work = _PENDING.get(cls)
            if work is not None:
                work()
                del _PENDING[cls]


def _declare(cls: type[Value], tag: int, write_source: Callable[[Source], None]) -> None:
    """Hang functions on the class that compile it when one of them is first called."""

    def compile_now() -> None:
        src = Source()
        write_source(src)
        src.names.update(
            DecodeError=DecodeError, int_from=int.from_bytes, long_length=long_length, new=object.__new__,
            encode_int=encode_int, header=header,
        )  # fmt: skip
        made = src.compile(f"{cls.__module__}.{cls.__name__}")
        cls.ber_decode = staticmethod(made["read"])
        cls.ber_encode = staticmethod(made["write"])

    def first_decode(data: bytes, start: int, end: int) -> object:
        ready(cls)
        return cls.ber_decode(data, start, end)

    def first_encode(value: Value) -> bytes:
        ready(cls)
        return cls.ber_encode(value)

    cls.ber_tag = tag
    cls.ber_decode = staticmethod(first_decode)
    cls.ber_encode = staticmethod(first_encode)
    _PENDING[cls] = compile_now
    register(cls)


_V = TypeVar("_V", bound=Value)


@dataclass_transform(frozen_default=True)
def sequence(
    *,
    application: int | None = None,
    context: int | None = None,
    explicit: bool = True,
    extensible: bool = False,
    kw_only: bool = False,
) -> Callable[[type[_V]], type[_V]]:
    """Declare a SEQUENCE.

    application: number of its application tag; explicit: whether that tag stands around the SEQUENCE's own.
    context: number of a context-specific tag in place of the SEQUENCE's own, for an alternative of a CHOICE.
    extensible: unknown elements behind the last are stepped over. kw_only: as in dataclasses.
    """

    def declare(cls: type[_V]) -> type[_V]:
        made = dataclass(frozen=True, slots=True, kw_only=kw_only)(cls)
        wrapped = 0x30 if application is not None and explicit else None
        tag = 0x30 if application is None else 0x60 | application

        def write_source(src: Source) -> None:
            fields = [_field(made.__name__, plan) for plan in field_plans(made)]
            _reader(src, made, fields, extensible, wrapped)
            _writer(src, fields, wrapped)

        _declare(made, tag if context is None else 0xA0 | context, write_source)
        return made

    return declare


@dataclass_transform(frozen_default=True)
def single(
    *, application: int | None = None, context: int | None = None, explicit: bool = False
) -> Callable[[type[_V]], type[_V]]:
    """Declare a class with one field that is encoded as that field alone, under its own tag or a new one."""

    def declare(cls: type[_V]) -> type[_V]:
        made = dataclass(frozen=True, slots=True)(cls)
        (plan,) = field_plans(made)
        field = _field(made.__name__, plan)
        if application is None and context is None:
            assert field.inner is not None and not explicit
            tag = field.inner
        else:
            assert explicit or field.inner is not None, "a CHOICE cannot be tagged implicitly"
            constructed = 0x20 if explicit or field.inner is None else field.inner & 0x20
            tag = constructed | (0x80 | context if context is not None else 0x40 | (application or 0))
        _declare(made, tag, lambda src: _single(src, made, field, explicit))
        return made

    return declare


def null(*, application: int) -> Callable[[type[_V]], type[_V]]:
    """Declare a class without fields that is encoded as NULL under an application tag."""

    def declare(cls: type[_V]) -> type[_V]:
        made = dataclass(frozen=True, slots=True)(cls)
        assert not field_plans(made)

        def write_source(src: Source) -> None:
            with src.block("def read(data, pos, end)"):
                with src.block("if pos != end"):
                    src.line(f"{_FAIL}('NULL with content', pos, {made.__name__!r})")
                _construct(src, made, [])
            with src.block("def write(value)"):
                src.line("return b''")

        _declare(made, 0x40 | application, write_source)
        return made

    return declare
