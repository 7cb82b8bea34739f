"""The attribute syntaxes: what a value must look like, and the key by which values are compared.

A key is the index form: equal values have equal keys, and where a syntax is ordered, keys sort as bytes in
that order. Stored values are the LDAP octets that `check` returns; DN syntaxes are the directory's to store.

Spec: [MS-ADTS] 3.1.1.2.2.2 (representations), 3.1.1.2.2.4 (comparison rules).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from addc.base.errors import DecodeError
from addc.codec.dn import parse_name, split_dn_binary, split_dn_string, split_ttl
from addc.codec.ids import Sid, guid_parse
from addc.codec.text import fold_utf8, utf8_from_wire
from addc.codec.times import format_generalized, parse_generalized, parse_utc

_INT: Final = re.compile(rb"-?[0-9]{1,20}")
_OID: Final = re.compile(rb"[0-2](?:\.[0-9]+)+")
_DESCR: Final = re.compile(rb"[A-Za-z][A-Za-z0-9-]*")
_PRINTABLE: Final = re.compile(rb"[A-Za-z0-9'()+,\-./:=?@ ]*")
_NUMERIC: Final = re.compile(rb"[0-9 ]*")
_TELETEX: Final = re.compile(rb"[\x20-\x7e]*")
_DASHED: Final = re.compile(rb"\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?")
_SIGN64: Final = 1 << 63
_SIGN32: Final = 1 << 31
_BOOLEAN_KEYS: Final = {b"FALSE": b"\x00", b"TRUE": b"\x01"}


class DnKind(Enum):
    """Which part of a value names an object."""

    NONE = 0
    DN = 1
    DN_BINARY = 2
    DN_STRING = 3


class OidNames(Protocol):
    """Look-up between OIDs, names and stored tokens of attributes and classes; a Schema."""

    def oid_of_name(self, name: str) -> str | None: ...

    def token_of_oid(self, oid: str) -> str | None: ...


Check = Callable[[bytes], bytes]
Assertion = Callable[[bytes, OidNames], bytes]
Measure = Callable[[bytes], int]


@dataclass(frozen=True, slots=True, eq=False)
class Syntax:
    """One syntax and its rules; compared by identity.

    check: canonical stored form of a value from outside; DecodeError if the syntax forbids it.
    canonical: `check` for syntaxes whose form depends on the schema (an OID becomes a token).
    key: match and index key of a stored value.
    assertion_key: key of a value in a filter or compare request, which may use other spellings.
    measure: what rangeLower and rangeUpper bound: characters, octets or the number itself.
    holds_tokens: stored values are tokens of attributes and classes, which clients see as names.
    """

    name: str
    oid: str
    om_syntax: int
    om_object_class: bytes
    subschema_oid: str
    check: Check
    canonical: Assertion
    key: Check
    assertion_key: Assertion
    measure: Measure
    dn_kind: DnKind = DnKind.NONE
    ordered: bool = False
    substrings: bool = False
    bitwise: bool = False
    holds_tokens: bool = False

    def __repr__(self) -> str:
        return f"Syntax({self.name})"


def int32_key(value: int) -> bytes:
    """Index key of an Integer or Enumeration."""
    return (value + _SIGN32).to_bytes(4, "big")


def int64_key(value: int) -> bytes:
    """Index key of a LargeInteger, or of a time as FILETIME."""
    return (value + _SIGN64).to_bytes(8, "big")


def _fail(why: str, path: str) -> DecodeError:
    return DecodeError(why, 0, path)


def _integer(value: bytes) -> int:
    """A 32-bit integer; 2^31 to 2^32-1 mean the negative number of the same bits, as clients write masks."""
    if _INT.fullmatch(value) is None:
        raise _fail("not an integer", "Integer")
    number = int(value)
    if not -_SIGN32 <= number < 2 * _SIGN32:
        raise _fail("over 32 bits", "Integer")
    return number - 2 * _SIGN32 if number >= _SIGN32 else number


def _large(value: bytes) -> int:
    if _INT.fullmatch(value) is None:
        raise _fail("not an integer", "LargeInteger")
    number = int(value)
    if not -_SIGN64 <= number < _SIGN64:
        raise _fail("over 64 bits", "LargeInteger")
    return number


def _check_integer(value: bytes) -> bytes:
    return b"%d" % _integer(value)


def _integer_key(value: bytes) -> bytes:
    return (_integer(value) + _SIGN32).to_bytes(4, "big")


def _check_large(value: bytes) -> bytes:
    return b"%d" % _large(value)


def _large_key(value: bytes) -> bytes:
    return (_large(value) + _SIGN64).to_bytes(8, "big")


def _check_boolean(value: bytes) -> bytes:
    upper = value.upper()
    if upper not in _BOOLEAN_KEYS:
        raise _fail("TRUE or FALSE wanted", "Boolean")
    return upper


def _boolean_key(value: bytes) -> bytes:
    key = _BOOLEAN_KEYS.get(value.upper())
    if key is None:
        raise _fail("TRUE or FALSE wanted", "Boolean")
    return key


_SHORT_TIME: Final = re.compile(rb"\d{12}Z\Z")
_LOOSE_TIME: Final = re.compile(rb"(\d{14})\.[^+-]*Z\Z")


def _check_generalized(value: bytes) -> bytes:
    """Windows takes the two-digit years of UTCTime too, and reads nothing between the point and the Z."""
    if _SHORT_TIME.match(value):
        return format_generalized(parse_utc(value))
    loose = _LOOSE_TIME.match(value)
    return format_generalized(parse_generalized(value if loose is None else loose[1] + b"Z"))


def _generalized_assertion(value: bytes, _names: OidNames) -> bytes:
    return _generalized_key(_check_generalized(value))


def _generalized_key(value: bytes) -> bytes:
    return int64_key(parse_generalized(value))


def _check_utc(value: bytes) -> bytes:
    return format_generalized(parse_utc(value))[2:14] + b"Z"


def _utc_key(value: bytes) -> bytes:
    return int64_key(parse_utc(value))


def _utc_assertion(value: bytes, _names: OidNames) -> bytes:
    return int64_key(parse_generalized(value) if value[8:14].isdigit() else parse_utc(value))


def _octets(value: bytes) -> bytes:
    return value


def _check_octets(value: bytes) -> bytes:
    if not value:
        raise _fail("empty value", "String(Octet)")
    return value


def _pattern(pattern: re.Pattern[bytes], name: str) -> Check:
    def check(value: bytes) -> bytes:
        if not value or pattern.fullmatch(value) is None:
            raise _fail("a character outside the syntax", name)
        return value

    return check


def _check_ia5(value: bytes) -> bytes:
    if not value or not value.isascii():
        raise _fail("a character outside the syntax", "String(IA5)")
    return value


def _check_unicode(value: bytes) -> bytes:
    if not value:
        raise _fail("empty value", "String(Unicode)")
    if not value.isascii():
        utf8_from_wire(value, "String(Unicode)")
    return value


def _lower(value: bytes) -> bytes:
    return value.lower()


def _check_oid(value: bytes) -> bytes:
    if _OID.fullmatch(value) is None and _DESCR.fullmatch(value) is None:
        if value[:4].lower() == b"oid." and _OID.fullmatch(value[4:]) is not None:
            return value[4:]
        raise _fail("neither an OID nor a name", "String(Object-Identifier)")
    return value


def _canonical_oid(value: bytes, names: OidNames) -> bytes:
    """The token that stored values hold for an attribute or class; an OID that the schema lacks stays one."""
    value = _check_oid(value)
    text = value.decode("ascii")
    oid = text if value[:1].isdigit() else names.oid_of_name(text)
    if oid is None:
        raise _fail("no such attribute or class", "String(Object-Identifier)")
    return (names.token_of_oid(oid) or oid).encode("ascii")


def _canonical_numeric_oid(value: bytes, names: OidNames) -> bytes:
    """The dotted form, whether or not the schema has a name for it."""
    value = _check_oid(value)
    if value[:1].isdigit():
        return value
    oid = names.oid_of_name(value.decode("ascii"))
    if oid is None:
        raise _fail("no such attribute or class", "String(Object-Identifier)")
    return oid.encode("ascii")


def _oid_assertion(value: bytes, names: OidNames) -> bytes:
    return _canonical_oid(value, names).lower()


def _check_sid(value: bytes) -> bytes:
    return bytes(Sid.parse(value.decode("latin-1")) if value[:2] in (b"S-", b"s-") else Sid.of(value))


def _sid_assertion(value: bytes, _names: OidNames) -> bytes:
    """SDDL text or wire bytes; other bytes compare as octets ([MS-ADTS] 3.1.1.2.2.4.11)."""
    return bytes(Sid.parse(value.decode("latin-1"))) if value[:4] in (b"S-1-", b"s-1-") else value


def _guid_assertion(value: bytes, _names: OidNames) -> bytes:
    """Dashed text for attributes that hold a GUID; other bytes compare as octets."""
    if _DASHED.fullmatch(value) is not None:
        return guid_parse(value.decode("ascii")).bytes_le
    return value


def _check_sec_desc(value: bytes) -> bytes:
    if len(value) < 20 or value[0] != 1:
        raise _fail("not a security descriptor", "String(NT-Sec-Desc)")
    return value


def _check_dn(value: bytes) -> bytes:
    parse_name(split_ttl(utf8_from_wire(value, "Object(DS-DN)"))[1])
    return value


def _check_dn_binary(value: bytes) -> bytes:
    parse_name(split_dn_binary(utf8_from_wire(value, "Object(DN-Binary)"))[1])
    return value


def _check_dn_string(value: bytes) -> bytes:
    parse_name(split_dn_string(utf8_from_wire(value, "Object(DN-String)"))[1])
    return value


def _check_access_point(value: bytes) -> bytes:
    _, mark, dn = utf8_from_wire(value, "Object(Access-Point)").partition("#X500:")
    if not mark:
        raise _fail("address#X500:dn wanted", "Object(Access-Point)")
    parse_name(dn)
    return value


def _dn_assertion(_value: bytes, _names: OidNames) -> bytes:
    raise _fail("names are compared by the object that they stand for", "DN")


def _characters(value: bytes) -> int:
    """UTF-16 code units, as Windows counts."""
    if value.isascii():
        return len(value)
    return len(utf8_from_wire(value).encode("utf-16-le")) // 2


def _binary_part(value: bytes) -> int:
    return len(split_dn_binary(utf8_from_wire(value))[0])


def _string_part(value: bytes) -> int:
    return len(split_dn_string(utf8_from_wire(value))[0])


def _unbounded(_value: bytes) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class _Rules:
    """The behaviour of a syntax, before its numbers."""

    check: Check
    key: Check
    measure: Measure
    assertion: Assertion | None = None
    canonical: Assertion | None = None
    dn_kind: DnKind = DnKind.NONE
    ordered: bool = False
    substrings: bool = False
    bitwise: bool = False
    holds_tokens: bool = False


def _text(check: Check, key: Check = _octets, measure: Measure = len) -> _Rules:
    return _Rules(check, key, measure, ordered=True, substrings=True)


def _named(check: Check, kind: DnKind, measure: Measure = _unbounded) -> _Rules:
    return _Rules(check, _octets, measure, assertion=_dn_assertion, dn_kind=kind)


_INTEGER_RULES: Final = _Rules(_check_integer, _integer_key, _integer, ordered=True, bitwise=True)
_NUMERIC_OID: Final = "String(Object-Identifier) numeric"
_GUID: Final = "String(Octet) GUID"

_RULES: Final[dict[str, _Rules]] = {
    "Boolean": _Rules(_check_boolean, _boolean_key, _unbounded, ordered=True),
    "Enumeration": _INTEGER_RULES,
    "Integer": _INTEGER_RULES,
    "LargeInteger": _Rules(_check_large, _large_key, _large, ordered=True, bitwise=True),
    "Object(Access-Point)": _named(_check_access_point, DnKind.DN_STRING),
    "Object(DN-String)": _named(_check_dn_string, DnKind.DN_STRING, _string_part),
    "Object(OR-Name)": _named(_check_dn, DnKind.DN),
    "Object(DN-Binary)": _named(_check_dn_binary, DnKind.DN_BINARY, _binary_part),
    "Object(DS-DN)": _named(_check_dn, DnKind.DN),
    "Object(Presentation-Address)": _Rules(_check_octets, _octets, len),
    "Object(Replica-Link)": _text(_check_octets),
    "String(Case)": _text(_check_octets),
    "String(IA5)": _text(_check_ia5),
    "String(NT-Sec-Desc)": _Rules(_check_sec_desc, _octets, len),
    "String(Numeric)": _text(_pattern(_NUMERIC, "String(Numeric)")),
    "String(Object-Identifier)": _Rules(
        _check_oid,
        _lower,
        _unbounded,
        assertion=_oid_assertion,
        canonical=_canonical_oid,
        holds_tokens=True,
    ),
    _NUMERIC_OID: _Rules(
        _check_oid, _octets, _unbounded, assertion=_canonical_numeric_oid, canonical=_canonical_numeric_oid
    ),
    "String(Octet)": _text(_check_octets),
    _GUID: _Rules(_check_octets, _octets, len, assertion=_guid_assertion, ordered=True, substrings=True),
    "String(Printable)": _text(_pattern(_PRINTABLE, "String(Printable)")),
    "String(Sid)": _Rules(_check_sid, _octets, len, assertion=_sid_assertion, ordered=True, substrings=True),
    "String(Teletex)": _text(_pattern(_TELETEX, "String(Teletex)"), _lower),
    "String(Unicode)": _text(_check_unicode, fold_utf8, _characters),
    "String(UTC-Time)": _Rules(_check_utc, _utc_key, _unbounded, assertion=_utc_assertion, ordered=True),
    "String(Generalized-Time)": _Rules(
        _check_generalized, _generalized_key, _unbounded, assertion=_generalized_assertion, ordered=True
    ),
}


def _without_names(function: Check) -> Assertion:
    def call(value: bytes, _names: OidNames) -> bytes:
        return function(value)

    return call


def _build(row: tuple[str, str, int, bytes, str], rules: _Rules) -> Syntax:
    name, oid, om_syntax, om_object_class, subschema_oid = row
    return Syntax(
        name=name,
        oid=oid,
        om_syntax=om_syntax,
        om_object_class=om_object_class,
        subschema_oid=subschema_oid,
        check=rules.check,
        canonical=rules.canonical or _without_names(rules.check),
        key=rules.key,
        assertion_key=rules.assertion or _without_names(rules.key),
        measure=rules.measure,
        dn_kind=rules.dn_kind,
        ordered=rules.ordered,
        substrings=rules.substrings,
        bitwise=rules.bitwise,
        holds_tokens=rules.holds_tokens,
    )


class SyntaxTable:
    """All syntaxes by the three attributes that identify one."""

    __slots__ = ("_by_id", "_guid", "_numeric_oid")

    def __init__(self, rows: Iterable[tuple[str, str, int, bytes, str]]) -> None:
        """rows: name, attributeSyntax, oMSyntax, oMObjectClass, SYNTAX of the subschema."""
        self._by_id: dict[tuple[str, int, bytes], Syntax] = {}
        for row in rows:
            self._by_id[row[1:4]] = _build(row, _RULES[row[0]])
            if row[0] == "String(Object-Identifier)":
                self._numeric_oid = _build(row, _RULES[_NUMERIC_OID])
            elif row[0] == "String(Octet)":
                self._guid = _build(row, _RULES[_GUID])

    def find(self, oid: str, om_syntax: int, om_object_class: bytes = b"") -> Syntax | None:
        """oMObjectClass counts only for oMSyntax 127; without it the first of that attributeSyntax."""
        if om_syntax != 127:
            om_object_class = b""
        found = self._by_id.get((oid, om_syntax, om_object_class))
        if found is None and not om_object_class:
            found = next((s for key, s in self._by_id.items() if key[:2] == (oid, om_syntax)), None)
        return found

    @property
    def guid(self) -> Syntax:
        """String(Octet) of attributes that hold a GUID: a filter may spell it with dashes."""
        return self._guid

    @property
    def numeric_oid(self) -> Syntax:
        """String(Object-Identifier) of attributeID and governsID, which are never shown as names."""
        return self._numeric_oid
