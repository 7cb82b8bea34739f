"""Data of records as text, both ways, as master files and tools write them.

Text is ASCII, names are whole. What a type's own text cannot say is written as \\# and the octets.
Spec: RFC 1035 5.1, RFC 3597 5, RFC 2782, RFC 3403 4.1, RFC 4034 2.2, 3.2, 4.2, 5.3, RFC 5155 3.3,
RFC 6698 2.2
"""

from base64 import b32hexdecode, b32hexencode
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from addc.base.errors import DecodeError
from addc.codec import dns_text_octets
from addc.codec.dns_data import (
    DnskeyData,
    DsData,
    NaptrData,
    Nsec3Data,
    Nsec3ParamData,
    NsecData,
    NxtData,
    RrsigData,
    TkeyData,
    TlsaData,
    TsigData,
    WinsData,
    WinsrData,
    WksData,
    pack_bits,
    pack_types,
)
from addc.codec.dns_names import ROOT, Name
from addc.codec.dns_rdata import (
    AaaaData,
    AData,
    DnsType,
    MailData,
    MxData,
    NameData,
    RawData,
    RecordData,
    SoaData,
    SrvData,
    TombstoneData,
    TxtData,
)
from addc.codec.dns_wire import rdata_bytes, unpack_rdata
from addc.codec.dns_words import (
    U8_MAX,
    U16_MAX,
    Words,
    number,
    parse_type,
    quoted,
    show_base64,
    show_hexadecimal,
    show_text,
    show_time,
    show_type,
    show_types,
)

_SALT_MAX: Final = 255
_PROTOCOLS: Final = {"TCP": 6, "UDP": 17}
_WINS_LOCAL: Final = 0x0001_0000
_WINS_SCOPE: Final = 0x8000_0000
_WINS_FLAGS: Final = {"LOCAL": _WINS_LOCAL, "SCOPE": _WINS_SCOPE}
_SERVICES: Final = {
    "echo": 7, "discard": 9, "systat": 11, "daytime": 13, "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23,
    "smtp": 25, "time": 37, "nameserver": 42, "whois": 43, "domain": 53, "tftp": 69, "gopher": 70,
    "finger": 79, "http": 80, "kerberos": 88, "pop3": 110, "sunrpc": 111, "nntp": 119, "ntp": 123,
    "imap": 143, "snmp": 161, "ldap": 389, "https": 443,
}  # fmt: skip
"""The keywords that old WKS records still have."""


def show_rdata(rtype: int, data: RecordData) -> str:
    """The text of data, on one line."""
    if not _has_text(data):
        return show_unknown(rdata_bytes(rtype, data))
    match data:
        case AData(address):
            return str(IPv4Address(address))
        case AaaaData(address):
            return str(IPv6Address(address))
        case NameData(name):
            return show_text(name)
        case SoaData():
            numbers = f"{data.serial} {data.refresh} {data.retry} {data.expire} {data.minimum}"
            return f"{show_text(data.mname)} {show_text(data.rname)} {numbers}"
        case SrvData():
            return f"{data.priority} {data.weight} {data.port} {show_text(data.target)}"
        case MxData(preference, exchange):
            return f"{preference} {show_text(exchange)}"
        case MailData(mailbox, errors):
            return f"{show_text(mailbox)} {show_text(errors)}"
        case TxtData(strings):
            if rtype == DnsType.LOC:
                return show_rdata(rtype, RawData(rdata_bytes(rtype, data)))
            return " ".join(quoted(string) for string in strings)
        case RawData(raw):
            return _show_octets(rtype, raw)
        case NaptrData():
            texts = " ".join(quoted(string) for string in (data.flags, data.service, data.regexp))
            return f"{data.order} {data.preference} {texts} {show_text(data.replacement)}"
        case WksData(address, protocol, _):
            return " ".join((str(IPv4Address(address)), str(protocol), *map(str, data.ports())))
        case TombstoneData(entombed_ft):
            return f"; removed at {entombed_ft}"
        case _:
            return _show_rarer(data)


def _has_text(data: RecordData) -> bool:
    """Whether the type's own text says all: no bits left over, no empty hash, no unknown flags."""
    match data:
        case WksData(bitmap=bitmap):
            return pack_bits(data.ports()) == bitmap
        case NxtData(bitmap=bitmap):
            return pack_bits(data.types()) == bitmap
        case NsecData(bitmap=bitmap):
            return pack_types(data.types()) == bitmap
        case Nsec3Data(bitmap=bitmap):
            return bool(data.next_hash) and pack_types(data.types()) == bitmap
        case WinsData(flags=flags):
            return not flags & ~(_WINS_LOCAL | _WINS_SCOPE) and bool(data.servers)
        case WinsrData(flags=flags):
            return not flags & ~(_WINS_LOCAL | _WINS_SCOPE)
    return True


def _show_rarer(
    data: RrsigData | DnskeyData | DsData | NsecData | NxtData | Nsec3Data | Nsec3ParamData | TlsaData
    | WinsData | WinsrData | TsigData | TkeyData,
) -> str:  # fmt: skip
    match data:
        case RrsigData():
            head = f"{show_type(data.covered)} {data.algorithm} {data.labels} {data.original_ttl_s}"
            times = f"{show_time(data.expiration)} {show_time(data.inception)}"
            return f"{head} {times} {data.key_tag} {show_text(data.signer)} {show_base64(data.signature)}"
        case DnskeyData():
            return f"{data.flags} {data.protocol} {data.algorithm} {show_base64(data.key)}".rstrip()
        case DsData():
            digest = show_hexadecimal(data.digest)
            return f"{data.key_tag} {data.algorithm} {data.digest_type} {digest}".rstrip()
        case NsecData(next_name, _) | NxtData(next_name, _):
            return f"{show_text(next_name)} {show_types(data.types())}".rstrip()
        case Nsec3Data():
            salt = show_hexadecimal(data.salt) or "-"
            owner = b32hexencode(data.next_hash).decode("ascii").rstrip("=")
            head = f"{data.algorithm} {data.flags} {data.iterations} {salt} {owner}"
            return f"{head} {show_types(data.types())}".rstrip()
        case Nsec3ParamData():
            salt = show_hexadecimal(data.salt) or "-"
            return f"{data.algorithm} {data.flags} {data.iterations} {salt}"
        case TlsaData():
            return f"{data.usage} {data.selector} {data.matching} {show_hexadecimal(data.data)}".rstrip()
        case WinsData():
            return f"{_show_wins(data)} ( {' '.join(str(IPv4Address(one)) for one in data.servers)} )"
        case WinsrData():
            return f"{_show_wins(data)} {show_text(data.domain)}"
        case TsigData():
            head = f"{show_text(data.algorithm)} {data.signed_at} {data.fudge_s} {len(data.mac)}"
            tail = f"{data.original_id} {data.error} {len(data.other)} {show_base64(data.other)}".rstrip()
            return f"{head} {show_base64(data.mac)} {tail}"
        case TkeyData():
            times = f"{show_time(data.inception)} {show_time(data.expiration)}"
            head = f"{show_text(data.algorithm)} {times} {data.mode} {data.error} {len(data.key)}"
            tail = f"{len(data.other)} {show_base64(data.other)}".rstrip()
            return f"{head} {show_base64(data.key)} {tail}"


def _show_wins(data: WinsData | WinsrData) -> str:
    flags = [word for word, bit in _WINS_FLAGS.items() if data.flags & bit]
    return " ".join((*flags, f"L{data.lookup_timeout_s}", f"C{data.cache_timeout_s}"))


def _show_octets(rtype: int, raw: bytes) -> str:
    text = dns_text_octets.show(rtype, raw)
    return text if text is not None else show_unknown(raw)


def show_unknown(raw: bytes) -> str:
    """Octets of any type (RFC 3597 5)."""
    return f"\\# {len(raw)} {show_hexadecimal(raw)}".rstrip()


def parse_rdata(rtype: int, words: Sequence[str], origin: Name = ROOT) -> RecordData:
    """The data that words of a master file say. Raises DecodeError.

    words: without quotes, with escapes. origin: what names without a last dot are relative to.
    """
    if len(words) > 1 and words[0] == "\\#":
        return _parse_unknown(rtype, words)
    source = Words(words, origin)
    parse = _PARSERS.get(rtype)
    if parse is not None:
        data = parse(rtype, source)
    else:
        raw = dns_text_octets.parse(rtype, source)
        if raw is None:
            raise DecodeError(f"{show_type(rtype)} has no text but \\# LENGTH HEX", -1, "text")
        data = RawData(raw)
    source.finish()
    if len(rdata_bytes(rtype, data)) > U16_MAX:
        raise DecodeError("more data than a record holds", -1, "text")
    return data


def _parse_unknown(rtype: int, words: Sequence[str]) -> RecordData:
    source = Words(words[1:], ROOT)
    size = source.u16()
    raw = source.hexadecimal()
    if len(raw) != size:
        raise DecodeError(f"{size} octets announced, {len(raw)} written", -1, "text")
    return unpack_rdata(rtype, raw)


def _a(rtype: int, words: Words) -> RecordData:
    return AData(dns_text_octets.address4(words.next("an IPv4 address")))


def _aaaa(rtype: int, words: Words) -> RecordData:
    return AaaaData(dns_text_octets.address6(words.next("an IPv6 address")))


def _name(rtype: int, words: Words) -> RecordData:
    return NameData(words.name())


def _soa(rtype: int, words: Words) -> RecordData:
    mname, rname, serial = words.name(), words.name(), words.u32()
    return SoaData(mname, rname, serial, words.seconds(), words.seconds(), words.seconds(), words.seconds())


def _srv(rtype: int, words: Words) -> RecordData:
    return SrvData(words.u16(), words.u16(), words.u16(), words.name())


def _preference(rtype: int, words: Words) -> RecordData:
    return MxData(words.u16(), words.name())


def _mail(rtype: int, words: Words) -> RecordData:
    return MailData(words.name(), words.name())


def _strings(rtype: int, words: Words) -> RecordData:
    least, most = {DnsType.HINFO: (2, 2), DnsType.ISDN: (1, 2), DnsType.X25: (1, 1)}.get(
        DnsType(rtype), (1, U16_MAX)
    )
    if not least <= words.left() <= most:
        raise DecodeError(f"{words.left()} strings", -1, "text")
    return TxtData(words.strings())


def _naptr(rtype: int, words: Words) -> RecordData:
    return NaptrData(words.u16(), words.u16(), words.string(), words.string(), words.string(), words.name())


def _wks(rtype: int, words: Words) -> RecordData:
    address = dns_text_octets.address4(words.next("an IPv4 address"))
    protocol_word = words.next("a protocol").upper()
    protocol = _PROTOCOLS.get(protocol_word)
    if protocol is None:
        protocol = number(protocol_word, U8_MAX)
    return WksData(address, protocol, pack_bits(_port(word) for word in words.rest()))


def _port(word: str) -> int:
    known = _SERVICES.get(word.lower())
    return number(word, U16_MAX) if known is None else known


def _signature(rtype: int, words: Words) -> RecordData:
    covered = parse_type(words.next("a type"))
    numbers = (words.algorithm(), words.u8(), words.seconds(), words.time(), words.time(), words.u16())
    return RrsigData(covered, *numbers, words.name(), words.base64())


def _key(rtype: int, words: Words) -> RecordData:
    return DnskeyData(words.u16(), words.u8(), words.algorithm(), words.base64())


def _ds(rtype: int, words: Words) -> RecordData:
    return DsData(words.u16(), words.algorithm(), words.u8(), words.hexadecimal())


def _nsec(rtype: int, words: Words) -> RecordData:
    return NsecData(words.name(), pack_types(words.types()))


def _nxt(rtype: int, words: Words) -> RecordData:
    next_name, types = words.name(), words.types()
    if any(one > 127 for one in types):
        raise DecodeError("NXT knows types below 128 alone", -1, "text")
    return NxtData(next_name, pack_bits(types))


def _salt(words: Words) -> bytes:
    word = words.next("a salt")
    return Words([word], ROOT).hexadecimal()[: _SALT_MAX + 1]


def _nsec3(rtype: int, words: Words) -> RecordData:
    numbers = (words.u8(), words.u8(), words.u16())
    salt, word = _salt(words), words.next("a hash").upper()
    try:
        next_hash = b32hexdecode(word + "=" * (-len(word) % 8))
    except ValueError as error:
        raise DecodeError(f"no base32: {error}", -1, "text") from error
    return Nsec3Data(*numbers, salt, next_hash, pack_types(words.types()))


def _nsec3param(rtype: int, words: Words) -> RecordData:
    return Nsec3ParamData(words.u8(), words.u8(), words.u16(), _salt(words))


def _tlsa(rtype: int, words: Words) -> RecordData:
    return TlsaData(words.u8(), words.u8(), words.u8(), words.hexadecimal())


def _wins(rtype: int, words: Words) -> RecordData:
    """As Windows writes zone files: [LOCAL] [L2] [C900] and servers, or the domain of WINSR."""
    flags, timeouts = 0, {"L": 2, "C": 900}
    rest: list[str] = []
    for word in words.rest():
        upper = word.upper()
        if upper in _WINS_FLAGS:
            flags |= _WINS_FLAGS[upper]
        elif not rest and upper[:1] in timeouts and upper[1:].isdigit():
            timeouts[upper[0]] = number(upper[1:], 0xFFFF_FFFF)
        else:
            rest.append(word)
    if not rest:
        raise DecodeError("servers, or a domain, wanted", -1, "text")
    if rtype == DnsType.WINSR:
        if len(rest) != 1:
            raise DecodeError("one domain wanted", -1, "text")
        return WinsrData(flags, timeouts["L"], timeouts["C"], Words(rest, words.origin).name())
    servers = tuple(dns_text_octets.address4(word) for word in rest if word not in "()")
    return WinsData(flags, timeouts["L"], timeouts["C"], servers)


_PARSERS: Final[dict[int, Callable[[int, Words], RecordData]]] = {
    DnsType.A: _a,
    DnsType.AAAA: _aaaa,
    **dict.fromkeys(
        (
            DnsType.NS, DnsType.MD, DnsType.MF, DnsType.CNAME, DnsType.MB, DnsType.MG, DnsType.MR,
            DnsType.PTR, DnsType.DNAME,
        ),
        _name,
    ),
    DnsType.SOA: _soa,
    DnsType.SRV: _srv,
    **dict.fromkeys((DnsType.MX, DnsType.AFSDB, DnsType.RT), _preference),
    **dict.fromkeys((DnsType.MINFO, DnsType.RP), _mail),
    **dict.fromkeys((DnsType.TXT, DnsType.HINFO, DnsType.ISDN, DnsType.X25, DnsType.SPF), _strings),
    DnsType.NAPTR: _naptr,
    DnsType.WKS: _wks,
    **dict.fromkeys((DnsType.RRSIG, DnsType.SIG), _signature),
    **dict.fromkeys((DnsType.DNSKEY, DnsType.CDNSKEY, DnsType.KEY), _key),
    **dict.fromkeys((DnsType.DS, DnsType.CDS, DnsType.DLV), _ds),
    DnsType.NSEC: _nsec,
    DnsType.NXT: _nxt,
    DnsType.NSEC3: _nsec3,
    DnsType.NSEC3PARAM: _nsec3param,
    **dict.fromkeys((DnsType.TLSA, DnsType.SMIMEA), _tlsa),
    **dict.fromkeys((DnsType.WINS, DnsType.WINSR), _wins),
}  # fmt: skip
