"""Text of the types that are kept as the octets of a message.

Spec: RFC 8659 4.1, RFC 4255 3.2, RFC 9460 2.1, RFC 7553 4.4, RFC 4398 2.2, RFC 3123 5, RFC 4025 3,
RFC 7477 2.2, RFC 8976 2.3, RFC 7043 3.2, RFC 4701 3.2, RFC 7929 2.3, RFC 1712 1, RFC 2163 4, RFC 2230 3.1,
RFC 1706 6
"""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from addc.base.errors import DecodeError
from addc.codec import dns_loc
from addc.codec.cursor import Reader
from addc.codec.dns_data import pack_types, unpack_types
from addc.codec.dns_names import pack_text, read_name
from addc.codec.dns_rdata import DnsType, pack_strings, read_string, read_strings
from addc.codec.dns_svcb import parse_svcb, show_svcb
from addc.codec.dns_words import (
    Words,
    from_hexadecimal,
    number,
    octets,
    quoted,
    show_base64,
    show_hexadecimal,
    show_name,
    show_types,
)

_U8: Final = 1
_U16: Final = 2
_U32: Final = 4
_CERT_TYPES: Final = {
    "PKIX": 1,
    "SPKI": 2,
    "PGP": 3,
    "IPKIX": 4,
    "ISPKI": 5,
    "IPGP": 6,
    "ACPKIX": 7,
    "IACPKIX": 8,
}
_E164: Final = 1
_URI_MAX: Final = 0xFFFF
_FAMILIES: Final = {1: 4, 2: 16}
_EUI_SIZES: Final = {DnsType.EUI48: 6, DnsType.EUI64: 8}


def address4(word: str) -> bytes:
    try:
        return IPv4Address(word).packed
    except ValueError as error:
        raise DecodeError(str(error), -1, "text") from error


def address6(word: str) -> bytes:
    try:
        return IPv6Address(word).packed
    except ValueError as error:
        raise DecodeError(str(error), -1, "text") from error


def show(rtype: int, raw: bytes) -> str | None:
    """The text; None where the type has none, or where the octets are not what it wants."""
    write = _WRITERS.get(rtype)
    if write is None:
        return None
    try:
        reader = Reader(raw)
        text = write(rtype, reader)
        reader.finish("rdata")
    except DecodeError:
        return None
    return text


def parse(rtype: int, words: Words) -> bytes | None:
    """The octets that a text says; None where the type has no text. Raises DecodeError."""
    read = _PARSERS.get(rtype)
    return None if read is None else read(rtype, words)


def _int(reader: Reader, size: int) -> int:
    return int.from_bytes(reader.take(size, "number"), "big")


def _rest(reader: Reader) -> bytes:
    return reader.take(reader.remaining(), "octets")


def _show_hex(rtype: int, reader: Reader) -> str:
    if not reader.remaining():
        raise DecodeError("no octets", 0, "rdata")
    return show_hexadecimal(_rest(reader))


def _show_base64(rtype: int, reader: Reader) -> str:
    if not reader.remaining():
        raise DecodeError("no octets", 0, "rdata")
    return show_base64(_rest(reader))


def _parse_base64(rtype: int, words: Words) -> bytes:
    return words.base64()


def _show_loc(rtype: int, reader: Reader) -> str:
    return dns_loc.show(_rest(reader))


def _parse_loc(rtype: int, words: Words) -> bytes:
    return dns_loc.parse([word.encode("utf-8", "surrogateescape") for word in words.rest()])


def _show_caa(rtype: int, reader: Reader) -> str:
    flags, tag, value = _int(reader, _U8), read_string(reader), _rest(reader)
    if not tag.isalnum():
        raise DecodeError("a tag has letters and digits", 2, "CAA.tag")
    return f"{flags} {tag.decode('ascii')} {quoted(value)}"


def _parse_caa(rtype: int, words: Words) -> bytes:
    flags, tag, value = words.u8(), words.string(), octets(words.next("a value"), _URI_MAX)
    if not tag.isalnum():
        raise DecodeError("a tag has letters and digits", -1, "CAA.tag")
    return bytes((flags,)) + pack_strings((tag,)) + value


def _show_sshfp(rtype: int, reader: Reader) -> str:
    return f"{_int(reader, _U8)} {_int(reader, _U8)} {_show_hex(rtype, reader)}"


def _parse_sshfp(rtype: int, words: Words) -> bytes:
    return bytes((words.u8(), words.u8())) + words.hexadecimal()


def _show_uri(rtype: int, reader: Reader) -> str:
    return f"{_int(reader, _U16)} {_int(reader, _U16)} {quoted(_rest(reader))}"


def _parse_uri(rtype: int, words: Words) -> bytes:
    head = words.u16().to_bytes(2, "big") + words.u16().to_bytes(2, "big")
    return head + octets(words.next("a URI"), _URI_MAX)


def _show_cert(rtype: int, reader: Reader) -> str:
    kind, tag, algorithm = _int(reader, _U16), _int(reader, _U16), _int(reader, _U8)
    return f"{kind} {tag} {algorithm} {_show_base64(rtype, reader)}"


def _parse_cert(rtype: int, words: Words) -> bytes:
    word = words.next("a type of certificates")
    kind = _CERT_TYPES.get(word.upper())
    if kind is None:
        kind = number(word, 0xFFFF)
    head = kind.to_bytes(2, "big") + words.u16().to_bytes(2, "big") + bytes((words.algorithm(),))
    return head + words.base64()


def _show_csync(rtype: int, reader: Reader) -> str:
    serial, flags = _int(reader, _U32), _int(reader, _U16)
    bitmap = _rest(reader)
    types = unpack_types(bitmap)
    if pack_types(types) != bitmap:
        raise DecodeError("bits left over", 6, "CSYNC.bitmap")
    return f"{serial} {flags} {show_types(types)}".rstrip()


def _parse_csync(rtype: int, words: Words) -> bytes:
    return words.u32().to_bytes(4, "big") + words.u16().to_bytes(2, "big") + pack_types(words.types())


def _show_zonemd(rtype: int, reader: Reader) -> str:
    return f"{_int(reader, _U32)} {_int(reader, _U8)} {_int(reader, _U8)} {_show_hex(rtype, reader)}"


def _parse_zonemd(rtype: int, words: Words) -> bytes:
    return words.u32().to_bytes(4, "big") + bytes((words.u8(), words.u8())) + words.hexadecimal()


def _show_eui(rtype: int, reader: Reader) -> str:
    return reader.take(_EUI_SIZES[DnsType(rtype)], "EUI").hex("-")


def _parse_eui(rtype: int, words: Words) -> bytes:
    raw = from_hexadecimal(words.next("an address").replace("-", ""))
    if len(raw) != _EUI_SIZES[DnsType(rtype)]:
        raise DecodeError(f"{_EUI_SIZES[DnsType(rtype)]} octets wanted", -1, "EUI")
    return raw


def _show_strings(rtype: int, reader: Reader) -> str:
    strings = read_strings(reader)
    if not strings or (rtype == DnsType.GPOS and len(strings) != 3):
        raise DecodeError("strings wanted", 0, "rdata")
    return " ".join(quoted(string) for string in strings)


def _parse_strings(rtype: int, words: Words) -> bytes:
    strings = words.strings()
    if not strings or (rtype == DnsType.GPOS and len(strings) != 3):
        raise DecodeError(f"{len(strings)} strings", -1, "text")
    return pack_strings(strings)


def _show_px(rtype: int, reader: Reader) -> str:
    preference = _int(reader, _U16)
    names = [show_name(read_name(reader, pointers=False)) for _ in range(1 if rtype == DnsType.KX else 2)]
    return " ".join((str(preference), *names))


def _parse_px(rtype: int, words: Words) -> bytes:
    head = words.u16().to_bytes(2, "big") + pack_text(words.name())
    return head if rtype == DnsType.KX else head + pack_text(words.name())


def _show_nsap(rtype: int, reader: Reader) -> str:
    return "0x" + _show_hex(rtype, reader)


def _parse_nsap(rtype: int, words: Words) -> bytes:
    word = words.next("0x and digits")
    if not word.lower().startswith("0x"):
        raise DecodeError("0x wanted", -1, "NSAP")
    return from_hexadecimal(word[2:].replace(".", ""))


def _show_atma(rtype: int, reader: Reader) -> str:
    kind, address = _int(reader, _U8), _rest(reader)
    if kind == _E164 and address.isdigit():
        return "+" + address.decode("ascii")
    if kind or not address:
        raise DecodeError("another format of addresses", 0, "ATMA")
    return show_hexadecimal(address)


def _parse_atma(rtype: int, words: Words) -> bytes:
    word = words.next("an address")
    if word.startswith("+"):
        digits = word[1:].replace(".", "").encode("utf-8", "surrogateescape")
        if not digits.isdigit():
            raise DecodeError("digits wanted after +", -1, "ATMA")
        return bytes((_E164,)) + digits
    return b"\0" + from_hexadecimal(word.replace(".", ""))


def _show_apl(rtype: int, reader: Reader) -> str:
    items = []
    while reader.remaining():
        family, prefix, octet = _int(reader, _U16), _int(reader, _U8), _int(reader, _U8)
        size, part = _FAMILIES.get(family, 0), reader.take(octet & 0x7F, "APL.address")
        if not size or len(part) > size or prefix > 8 * size or part.endswith(b"\0"):
            raise DecodeError("no prefix", reader.pos, "APL")
        full = part.ljust(size, b"\0")
        address = str(IPv4Address(full)) if size == 4 else str(IPv6Address(full))
        items.append(f"{'!' if octet & 0x80 else ''}{family}:{address}/{prefix}")
    if not items:
        raise DecodeError("no prefixes", 0, "APL")
    return " ".join(items)


def _parse_apl(rtype: int, words: Words) -> bytes:
    out = b""
    for word in words.rest():
        negated, text = word.startswith("!"), word.removeprefix("!")
        family_text, _, prefix_text = text.partition(":")
        address, slash, size_text = prefix_text.partition("/")
        family = number(family_text, 2)
        if not slash or family not in _FAMILIES:
            raise DecodeError(f"{word!r} is no prefix", -1, "APL")
        full = address4(address) if family == 1 else address6(address)
        part = full.rstrip(b"\0")
        size = number(size_text, 8 * len(full))
        out += family.to_bytes(2, "big") + bytes((size, len(part) | (0x80 if negated else 0))) + part
    return out


def _show_ipseckey(rtype: int, reader: Reader) -> str:
    precedence, kind, algorithm = reader.take(3, "IPSECKEY")
    match kind:
        case 0:
            gateway = "."
        case 1:
            gateway = str(IPv4Address(reader.take(4, "IPSECKEY.gateway")))
        case 2:
            gateway = str(IPv6Address(reader.take(16, "IPSECKEY.gateway")))
        case 3:
            gateway = show_name(read_name(reader, pointers=False))
        case _:
            raise DecodeError("another kind of gateway", 1, "IPSECKEY")
    return f"{precedence} {kind} {algorithm} {gateway} {show_base64(_rest(reader))}".rstrip()


def _parse_ipseckey(rtype: int, words: Words) -> bytes:
    head = bytes((words.u8(), words.number(3), words.u8()))
    match head[1]:
        case 0:
            gateway = b""
            if words.next("a gateway") != ".":
                raise DecodeError("the gateway of kind 0 is .", -1, "IPSECKEY")
        case 1:
            gateway = address4(words.next("a gateway"))
        case 2:
            gateway = address6(words.next("a gateway"))
        case _:
            gateway = pack_text(words.name())
    return head + gateway + words.base64()


def _show_service(rtype: int, reader: Reader) -> str:
    return show_svcb(reader)


def _parse_service(rtype: int, words: Words) -> bytes:
    return parse_svcb(words)


_Writer = Callable[[int, Reader], str]
_Parser = Callable[[int, Words], bytes]

_FORMS: Final[dict[int, tuple[_Writer, _Parser]]] = {
    DnsType.LOC: (_show_loc, _parse_loc),
    DnsType.CAA: (_show_caa, _parse_caa),
    DnsType.SSHFP: (_show_sshfp, _parse_sshfp),
    DnsType.URI: (_show_uri, _parse_uri),
    DnsType.CERT: (_show_cert, _parse_cert),
    DnsType.CSYNC: (_show_csync, _parse_csync),
    DnsType.ZONEMD: (_show_zonemd, _parse_zonemd),
    DnsType.EUI48: (_show_eui, _parse_eui),
    DnsType.EUI64: (_show_eui, _parse_eui),
    DnsType.GPOS: (_show_strings, _parse_strings),
    DnsType.NINFO: (_show_strings, _parse_strings),
    DnsType.AVC: (_show_strings, _parse_strings),
    DnsType.PX: (_show_px, _parse_px),
    DnsType.KX: (_show_px, _parse_px),
    DnsType.NSAP: (_show_nsap, _parse_nsap),
    DnsType.ATMA: (_show_atma, _parse_atma),
    DnsType.APL: (_show_apl, _parse_apl),
    DnsType.IPSECKEY: (_show_ipseckey, _parse_ipseckey),
    DnsType.DHCID: (_show_base64, _parse_base64),
    DnsType.OPENPGPKEY: (_show_base64, _parse_base64),
    DnsType.SVCB: (_show_service, _parse_service),
    DnsType.HTTPS: (_show_service, _parse_service),
}
_WRITERS: Final[dict[int, _Writer]] = {rtype: form[0] for rtype, form in _FORMS.items()}
_PARSERS: Final[dict[int, _Parser]] = {rtype: form[1] for rtype, form in _FORMS.items()}
