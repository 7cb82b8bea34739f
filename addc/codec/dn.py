"""Distinguished names and the other names that Active Directory takes for an object, as text and as values.

Spec: RFC 4514 (with the spellings of RFC 1779 and RFC 2253 that Active Directory still reads),
[MS-ADTS] 3.1.1.3.1.2.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple, NoReturn, Self
from uuid import UUID

from addc.base.errors import DecodeError
from addc.base.limits import DN_LENGTH_MAX, DN_RDNS_MAX
from addc.codec.ids import Sid, guid_from_wire, guid_parse, guid_to_wire
from addc.codec.text import fold

_ATT: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|(?:[Oo][Ii][Dd]\.)?[0-9]+(?:\.[0-9]+)+)")
_TYPE: Final = re.compile(rf"[ \n]*({_ATT.pattern}) *= *")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)" *', re.DOTALL)
_HEX: Final = re.compile(r"#((?:[0-9A-Fa-f]{2})+) *(?=[,;]|\Z)")
_STRING: Final = re.compile(r'((?:[^,;+"<>\\]|\\.)*)', re.DOTALL)
_NOT_PLAIN: Final = re.compile(r'[\\"+;<>#=\0]')
_ESCAPED: Final = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)
_TO_ESCAPE: Final = re.compile(r'[,+"\\<>;=#\r\n\0]')
_BRACKET: Final = re.compile(r"<([A-Za-z]+)=([^<>]*)>")
_TTL: Final = re.compile(r"<TTL=(\d{1,10}),(.*)>\Z", re.IGNORECASE | re.DOTALL)
_KINDS: Final = ("GUID", "SID", "WKGUID")
_HEX_ESCAPES: Final = {"\r": "\\0D", "\n": "\\0A", "\0": "\\00"}
_PARSED_MAX: Final = 8192
_PARSED_LENGTH_MAX: Final = 512
# Universal tags of the strings that a #hex value may hold, and how each is read.
_BER_STRINGS: Final = {
    0x04: "utf-8",
    0x0C: "utf-8",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1E: "utf-16-be",
}


class Rdn(NamedTuple):
    """One relative distinguished name: attribute and value as written, escapes undone."""

    att: str
    value: str

    def __str__(self) -> str:
        return f"{self.att}={escape_value(self.value)}"

    def key(self) -> tuple[str, str]:
        """Equal for names that differ only in case and accents."""
        return self.att.lower(), fold(self.value)


@dataclass(frozen=True, slots=True)
class Dn:
    """A distinguished name, leaf first; the empty one names the rootDSE."""

    rdns: tuple[Rdn, ...]

    @classmethod
    def parse(cls, text: str) -> "Dn":
        """RFC 4514 text; also `;` between names, blanks around separators, quotes, `OID.` and #hex values.

        Raises DecodeError for everything else, a multi-valued RDN included ([MS-ADTS] 3.1.1.3.1.2.3).
        """
        return _parse(text)

    @classmethod
    def of_dns(cls, domain: str) -> Self:
        """The name of a domain's naming context (RFC 2247 3)."""
        return cls(tuple(Rdn("DC", label) for label in domain.rstrip(".").split(".") if label))

    def __str__(self) -> str:
        """RFC 4514 text with the escapes that Active Directory prints."""
        return ",".join(map(str, self.rdns))

    def __len__(self) -> int:
        return len(self.rdns)

    def __bool__(self) -> bool:
        return bool(self.rdns)

    @property
    def rdn(self) -> Rdn:
        """The leaf's own name."""
        return self.rdns[0]

    @property
    def parent(self) -> "Dn":
        """The name one level up."""
        assert self.rdns
        return Dn(self.rdns[1:])

    def child(self, att: str, value: str) -> "Dn":
        return Dn((Rdn(att, value), *self.rdns))

    def key(self) -> tuple[tuple[str, str], ...]:
        """Equal for names that differ only in case and accents."""
        return tuple(rdn.key() for rdn in self.rdns)

    def is_under(self, ancestor: "Dn") -> bool:
        """Whether this is `ancestor` or below it."""
        at = len(self.rdns) - len(ancestor.rdns)
        return at >= 0 and self.key()[at:] == ancestor.key()

    def dns_domain(self) -> str:
        """The DNS name that the DC components spell, "" if there are none."""
        return ".".join(rdn.value for rdn in self.rdns if rdn.att.lower() == "dc")


@dataclass(frozen=True, slots=True)
class GuidName:
    """<GUID=...>: the object of that objectGUID."""

    guid: UUID


@dataclass(frozen=True, slots=True)
class SidName:
    """<SID=...>: the object of that objectSid."""

    sid: Sid


@dataclass(frozen=True, slots=True)
class WkGuidName:
    """<WKGUID=guid,dn>: what wellKnownObjects of `dn` calls `guid`."""

    guid: UUID
    dn: Dn


ObjectName = Dn | GuidName | SidName | WkGuidName


def parse_name(text: str) -> ObjectName:
    """What a request calls an object by.

    Of an extended name `<GUID=...>;<SID=...>;dn` the first part counts.
    Spec: [MS-ADTS] 3.1.1.3.1.2.4.
    """
    if not text.startswith("<"):
        return _parse(text)
    match = _BRACKET.match(text)
    if match is None:
        _fail("not a name in angle brackets", 0)
    kind, value = match[1].upper(), match[2]
    end = match.end()
    if end != len(text) and text[end] != ";":
        _fail("nothing or ; must follow >", end)
    if kind == "GUID":
        return GuidName(_guid(value))
    if kind == "SID":
        return SidName(_sid(value))
    if kind == "WKGUID":
        guid, comma, dn = value.partition(",")
        if not comma:
            _fail("WKGUID wants a guid, a comma and a name", 0)
        return WkGuidName(_guid(guid), _parse(dn))
    _fail("unknown kind of name", 1)


def split_ttl(text: str) -> tuple[int | None, str]:
    """Seconds and inner name of `<TTL=seconds,<dn>>`; None and the text itself otherwise.

    Spec: [MS-ADTS] 3.1.1.3.1.2.4 (TTL-DN).
    """
    match = _TTL.match(text)
    if match is None:
        return None, text
    inner = match[2]
    kind = _BRACKET.match(inner)
    if inner.startswith("<") and inner.endswith(">") and (kind is None or kind[1].upper() not in _KINDS):
        inner = inner[1:-1]
    return int(match[1]), inner


def format_extended(dn_text: str, guid: bytes, sid: bytes | None, form: int) -> str:
    """The answer to LDAP_SERVER_EXTENDED_DN_OID.

    guid: 16 wire bytes. sid: wire bytes of objectSid, None where there is none.
    form: 0 hexadecimal, 1 dashed and S-1-.
    Spec: [MS-ADTS] 3.1.1.3.4.1.5.
    """
    assert form in (0, 1)
    guid_text = str(UUID(bytes_le=guid)) if form else guid.hex()
    if sid is None:
        return f"<GUID={guid_text}>;{dn_text}"
    sid_text = str(Sid(sid)) if form else sid.hex()
    return f"<GUID={guid_text}>;<SID={sid_text}>;{dn_text}"


def split_dn_binary(text: str) -> tuple[bytes, str]:
    """Binary part and DN text of `B:digits:hex:dn` ([MS-ADTS] 3.1.1.2.2.2.3)."""
    parts = text.split(":", 3)
    if len(parts) != 4 or parts[0] not in ("B", "b") or not parts[1].isdecimal():
        _fail("DN-Binary is B:count:hex:dn", 0)
    if int(parts[1]) != len(parts[2]) or len(parts[2]) % 2:
        _fail("DN-Binary count does not fit", 2)
    try:
        return bytes.fromhex(parts[2]), parts[3]
    except ValueError:
        _fail("DN-Binary wants hexadecimal digits", 0)


def join_dn_binary(binary: bytes, dn_text: str) -> str:
    """`B:digits:HEX:dn`."""
    return f"B:{2 * len(binary)}:{binary.hex().upper()}:{dn_text}"


def split_dn_string(text: str) -> tuple[str, str]:
    """String part and DN text of `S:bytes:text:dn`; the count is of UTF-8 bytes ([MS-ADTS] 3.1.1.2.2.2.1)."""
    parts = text.split(":", 2)
    if len(parts) != 3 or parts[0] not in ("S", "s") or not parts[1].isdecimal():
        _fail("DN-String is S:count:text:dn", 0)
    rest = parts[2].encode("utf-8", "surrogatepass")
    count = int(parts[1])
    if rest[count : count + 1] != b":":
        _fail("DN-String count does not fit", 2)
    try:
        return rest[:count].decode("utf-8"), rest[count + 1 :].decode("utf-8")
    except UnicodeDecodeError:
        _fail("DN-String count cuts a character", 2)


def join_dn_string(text: str, dn_text: str) -> str:
    """`S:bytes:text:dn`."""
    return f"S:{len(text.encode('utf-8', 'surrogatepass'))}:{text}:{dn_text}"


def escape_value(value: str) -> str:
    """An RDN value as Active Directory prints it: `#` and `=` always escaped, line ends in hexadecimal."""
    if _TO_ESCAPE.search(value) is not None:
        value = _TO_ESCAPE.sub(lambda found: _HEX_ESCAPES.get(found[0]) or "\\" + found[0], value)
    if value[:1] == " ":
        value = "\\" + value
    if value[-1:] == " " and value != "\\ ":
        value = value[:-1] + "\\ "
    return value


def _parse(text: str) -> Dn:
    return _kept(text) if len(text) <= _PARSED_LENGTH_MAX else _parsed(text)


def _parsed(text: str) -> Dn:
    if len(text) > DN_LENGTH_MAX:
        _fail(f"over {DN_LENGTH_MAX} characters", DN_LENGTH_MAX)
    if not text or text.isspace():
        return Dn(())
    rdns = _plain(text) or _scan(text)
    if len(rdns) > DN_RDNS_MAX:
        _fail(f"over {DN_RDNS_MAX} components", 0)
    return Dn(tuple(rdns))


_kept: Final = lru_cache(maxsize=_PARSED_MAX)(_parsed)
"""Strangers can spell a name in endless ways: only those as long as names are stay in memory."""


def _plain(text: str) -> list[Rdn] | None:
    """The components of a name without escapes and other rarities; None sends it to `_scan`."""
    rdns = []
    for part in text.split(","):
        att, _, value = part.partition("=")
        att = att.strip(" ")
        value = value.strip(" ")
        if not value or _NOT_PLAIN.search(value) is not None or _ATT.fullmatch(att) is None:
            return None
        rdns.append(Rdn(att, value))
    return rdns


def _scan(text: str) -> list[Rdn]:
    rdns: list[Rdn] = []
    pos = 0
    while True:
        match = _TYPE.match(text, pos)
        if match is None:
            _fail("attribute=value wanted", pos)
        value, pos = _value(text, match.end())
        if not value:
            _fail("empty value", pos)
        rdns.append(Rdn(match[1], value))
        if pos == len(text):
            return rdns
        if text[pos] == "+":
            _fail("more than one attribute in an RDN", pos)
        if text[pos] not in ",;":
            _fail("unexpected character", pos)
        pos += 1


def _value(text: str, pos: int) -> tuple[str, int]:
    """The value that starts at `pos`, and where it ends."""
    match = _QUOTED.match(text, pos)
    if match is not None:
        return _unescape(match[1], pos), match.end()
    match = _HEX.match(text, pos)
    if match is not None:
        return _ber_string(bytes.fromhex(match[1]), pos), match.end()
    match = _STRING.match(text, pos)
    assert match is not None, "the pattern matches the empty string"
    raw = match[1]
    bare = raw.rstrip(" ")
    if len(bare) != len(raw) and (len(bare) - len(bare.rstrip("\\"))) % 2:
        bare += " "
    return _unescape(bare, pos), match.end()


def _unescape(raw: str, pos: int) -> str:
    if "\\" not in raw:
        return raw
    try:
        return _ESCAPED.sub(
            lambda found: bytes.fromhex(found[1].replace("\\", "")).decode("utf-8") if found[1] else found[2],
            raw,
        )
    except UnicodeDecodeError:
        _fail("escaped bytes are not UTF-8", pos)


def _ber_string(data: bytes, pos: int) -> str:
    """The text of a BER string in short form (RFC 4514 2.4)."""
    if len(data) < 2 or data[0] not in _BER_STRINGS or data[1] != len(data) - 2:
        _fail("a #value must be the BER of one string", pos)
    try:
        return data[2:].decode(_BER_STRINGS[data[0]])
    except UnicodeDecodeError:
        _fail("a #value that is no text", pos)


def _guid(text: str) -> UUID:
    """Dashed digits, or the hexadecimal wire bytes."""
    text = text.strip(" ")
    if "-" in text:
        return guid_parse(text)
    try:
        return guid_from_wire(bytes.fromhex(text))
    except ValueError:
        _fail("not a GUID", 0)


def _sid(text: str) -> Sid:
    """S-1-... or the hexadecimal wire bytes."""
    text = text.strip(" ")
    if text[:2] in ("S-", "s-"):
        return Sid.parse(text)
    try:
        return Sid.of(bytes.fromhex(text))
    except ValueError:
        _fail("not a SID", 0)


def wkguid_text(guid: UUID) -> str:
    """The digits of a well-known GUID as wellKnownObjects spells them: wire bytes, upper case."""
    return guid_to_wire(guid).hex().upper()


def _fail(why: str, at: int) -> NoReturn:
    raise DecodeError(why, at, "DN")
