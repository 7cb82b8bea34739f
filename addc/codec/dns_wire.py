"""Data of records as messages hold them, and their canonical form.

Types that are not known here are RawData, byte for byte (RFC 3597).
Spec: RFC 1035 3.3, 3.4, RFC 3597 4, RFC 4034 6.2, RFC 6840 5.1, RFC 2930 2, RFC 8945 4.2
"""

import struct
from collections.abc import Callable
from typing import Final

from addc.base.errors import DecodeError
from addc.codec import dns_loc
from addc.codec import dns_rdata as rdata
from addc.codec.cursor import Reader
from addc.codec.dns_data import (
    NaptrData,
    Nsec3Data,
    NsecData,
    NxtData,
    RrsigData,
    TkeyData,
    TsigData,
    WinsData,
    WinsrData,
    unpack_types,
)
from addc.codec.dns_names import NamePacker, fold, name_text, pack_name, pack_text, parse_name, read_name
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

_COMPRESSED: Final = frozenset(
    {
        DnsType.NS, DnsType.MD, DnsType.MF, DnsType.CNAME, DnsType.SOA, DnsType.MB, DnsType.MG, DnsType.MR,
        DnsType.PTR, DnsType.MINFO, DnsType.MX,
    }
)  # fmt: skip
"""Types whose names may be compressed (RFC 3597 4)."""
_FOLDED: Final = _COMPRESSED | {
    DnsType.RP, DnsType.AFSDB, DnsType.RT, DnsType.SIG, DnsType.PX, DnsType.NXT, DnsType.NAPTR, DnsType.KX,
    DnsType.SRV, DnsType.DNAME, DnsType.RRSIG,
}  # fmt: skip
"""Types whose names are in lower case in canonical form (RFC 4034 6.2, without NSEC: RFC 6840 5.1)."""
_NAMES: Final = frozenset(
    {
        DnsType.NS, DnsType.MD, DnsType.MF, DnsType.CNAME, DnsType.MB, DnsType.MG, DnsType.MR, DnsType.PTR,
        DnsType.DNAME,
    }
)  # fmt: skip
_PREFERENCES: Final = frozenset({DnsType.MX, DnsType.AFSDB, DnsType.RT})
_MAIL: Final = frozenset({DnsType.MINFO, DnsType.RP})
_STRINGS: Final = frozenset({DnsType.TXT, DnsType.HINFO, DnsType.ISDN, DnsType.X25, DnsType.SPF})
_STRING_COUNTS: Final = {DnsType.HINFO: (2, 2), DnsType.ISDN: (1, 2), DnsType.X25: (1, 1)}
_SIGNATURES: Final = frozenset({DnsType.RRSIG, DnsType.SIG})
_NXT_MAX: Final = 16
_WINS_SERVERS_MAX: Final = 64
_SOA: Final = struct.Struct(">5I")
_SRV: Final = struct.Struct(">3H")
_U16: Final = struct.Struct(">H")


def pack_rdata(rtype: int, data: RecordData, packer: NamePacker) -> None:
    """Append the data to a message, without their length; names are compressed where the type allows it."""
    match data:
        case AData(address) | AaaaData(address):
            packer.out += address
        case SrvData():
            packer.out += _SRV.pack(data.priority, data.weight, data.port)
            packer.put_whole(data.target)
        case NameData(name):
            _put(packer, rtype, name)
        case SoaData():
            packer.put_text(data.mname)
            packer.put_text(data.rname)
            packer.out += _SOA.pack(data.serial, data.refresh, data.retry, data.expire, data.minimum)
        case MxData(preference, exchange):
            packer.out += _U16.pack(preference)
            _put(packer, rtype, exchange)
        case MailData(mailbox, errors):
            _put(packer, rtype, mailbox)
            _put(packer, rtype, errors)
        case RawData(raw):
            packer.out += raw
        case _:
            packer.out += _wire_of_rarer(rtype, data)


def _put(packer: NamePacker, rtype: int, name: str) -> None:
    if rtype in _COMPRESSED:
        packer.put_text(name)
    else:
        packer.put_whole(name)


def rdata_bytes(rtype: int, data: RecordData) -> bytes:
    """The data as they stand in a message, no name compressed."""
    packer = NamePacker()
    match data:
        case NameData(name):
            return pack_text(name)
        case SoaData():
            numbers = _SOA.pack(data.serial, data.refresh, data.retry, data.expire, data.minimum)
            return pack_text(data.mname) + pack_text(data.rname) + numbers
        case MxData(preference, exchange):
            return _U16.pack(preference) + pack_text(exchange)
        case MailData(mailbox, errors):
            return pack_text(mailbox) + pack_text(errors)
    pack_rdata(rtype, data, packer)
    return bytes(packer.out)


def canonical_rdata(rtype: int, data: RecordData) -> bytes:
    """The data as they are signed and compared (RFC 4034 6.2)."""
    if rtype not in _FOLDED:
        return rdata_bytes(rtype, data)
    return _canonical(rtype, data)


def _canonical(rtype: int, data: RecordData) -> bytes:
    match data:
        case NameData(name):
            return _folded(name)
        case SoaData():
            numbers = _SOA.pack(data.serial, data.refresh, data.retry, data.expire, data.minimum)
            return _folded(data.mname) + _folded(data.rname) + numbers
        case SrvData():
            return _SRV.pack(data.priority, data.weight, data.port) + _folded(data.target)
        case MxData(preference, exchange):
            return _U16.pack(preference) + _folded(exchange)
        case MailData(mailbox, errors):
            return _folded(mailbox) + _folded(errors)
        case RrsigData():
            return rdata.pack_signature_head(data) + _folded(data.signer) + data.signature
        case NxtData(next_name, bitmap):
            return _folded(next_name) + bitmap
        case NaptrData():
            return _naptr_head(data) + _folded(data.replacement)
        case RawData(raw) if rtype in (DnsType.PX, DnsType.KX):
            return _folded_names(raw)
    return rdata_bytes(rtype, data)


def _folded_names(raw: bytes) -> bytes:
    """A preference and names, these in lower case; octets that are none stay what they are."""
    reader, names = Reader(raw, min(2, len(raw))), b""
    try:
        while reader.remaining():
            names += pack_name(fold(read_name(reader, pointers=False)))
    except DecodeError:
        return raw
    return raw[:2] + names


def _folded(name: str) -> bytes:
    return pack_text(name).lower()  # a length is below 64, so no length is a letter


def _naptr_head(data: NaptrData) -> bytes:
    return struct.pack(">2H", data.order, data.preference) + rdata.pack_strings(
        (data.flags, data.service, data.regexp)
    )


def _wire_of_rarer(rtype: int, data: RecordData) -> bytes:
    match data:
        case TxtData(strings):
            return dns_loc.parse(strings) if rtype == DnsType.LOC else rdata.pack_strings(strings)
        case RrsigData():
            return rdata.pack_signature_head(data) + pack_text(data.signer) + data.signature
        case NsecData(next_name, bitmap) | NxtData(next_name, bitmap):
            return pack_text(next_name) + bitmap
        case Nsec3Data():
            head = struct.pack(">BBH", data.algorithm, data.flags, data.iterations)
            return head + rdata.pack_strings((data.salt, data.next_hash)) + data.bitmap
        case NaptrData():
            return _naptr_head(data) + pack_text(data.replacement)
        case WinsData():
            numbers = (data.flags, data.lookup_timeout_s, data.cache_timeout_s, len(data.servers))
            return struct.pack(">4I", *numbers) + b"".join(data.servers)
        case WinsrData():
            numbers_of_r = (data.flags, data.lookup_timeout_s, data.cache_timeout_s)
            return struct.pack(">3I", *numbers_of_r) + pack_text(data.domain)
        case TsigData():
            return _pack_tsig(data)
        case TkeyData():
            head = struct.pack(">2I2H", data.inception, data.expiration, data.mode, data.error)
            return pack_text(data.algorithm) + head + _sized(data.key) + _sized(data.other)
        case TombstoneData():
            raise DecodeError("a tombstone is no record of a message", -1, "rdata")
    return rdata.pack_data(DnsType(rtype), data)


def _pack_tsig(data: TsigData) -> bytes:
    head = data.signed_at.to_bytes(6, "big") + _U16.pack(data.fudge_s) + _sized(data.mac)
    return (
        pack_text(data.algorithm)
        + head
        + struct.pack(">2H", data.original_id, data.error)
        + _sized(data.other)
    )


def _sized(data: bytes) -> bytes:
    return _U16.pack(len(data)) + data


def read_rdata(rtype: int, reader: Reader, size: int) -> RecordData:
    """The next `size` octets as data of that type; the reader's data are the whole message.

    Raises DecodeError where they do not fit the type.
    """
    window = reader.window(size, "rdata")
    read = _READERS.get(rtype)
    data = read(rtype, window) if read is not None else rdata.read_nameless(rtype, window)
    if window.pos != window.end:
        raise DecodeError("data left over", window.pos, "rdata")
    return data


def unpack_rdata(rtype: int, data: bytes) -> RecordData:
    """Data that no message surrounds, as RFC 3597's text has them."""
    return read_rdata(rtype, Reader(data), len(data))


def _name(reader: Reader) -> str:
    return name_text(read_name(reader))


def _read_a(rtype: int, reader: Reader) -> RecordData:
    return AData(reader.take(4, "A.address"))


def _read_aaaa(rtype: int, reader: Reader) -> RecordData:
    return AaaaData(reader.take(16, "AAAA.address"))


def _read_name(rtype: int, reader: Reader) -> RecordData:
    return NameData(_name(reader))


def _read_soa(rtype: int, reader: Reader) -> RecordData:
    mname, rname = _name(reader), _name(reader)
    return SoaData(mname, rname, *_SOA.unpack(reader.take(20, "SOA")))


def _read_srv(rtype: int, reader: Reader) -> RecordData:
    priority, weight, port = _SRV.unpack(reader.take(6, "SRV"))
    return SrvData(priority, weight, port, _name(reader))


def _read_preference(rtype: int, reader: Reader) -> RecordData:
    (preference,) = _U16.unpack(reader.take(2, "MX.preference"))
    return MxData(preference, _name(reader))


def _read_mail(rtype: int, reader: Reader) -> RecordData:
    mailbox = _name(reader)
    return MailData(mailbox, _name(reader))


def _read_strings(rtype: int, reader: Reader) -> RecordData:
    strings = rdata.read_strings(reader)
    least, most = _STRING_COUNTS.get(DnsType(rtype), (1, len(strings)))
    if not least <= len(strings) <= max(most, 1):
        raise DecodeError(f"{len(strings)} strings", reader.pos, "rdata")
    return TxtData(strings)


def _read_loc(rtype: int, reader: Reader) -> RecordData:
    raw = reader.take(reader.remaining(), "LOC")
    if not raw or (raw[0] == 0 and len(raw) != dns_loc.SIZE):
        raise DecodeError("16 octets wanted", reader.pos, "LOC")
    return RawData(raw)


def _read_signature(rtype: int, reader: Reader) -> RecordData:
    return rdata.read_signature(reader, _name)


def _read_bitmap(reader: Reader) -> bytes:
    bitmap = reader.take(reader.remaining(), "NSEC.bitmap")
    unpack_types(bitmap)
    return bitmap


def _read_nsec(rtype: int, reader: Reader) -> RecordData:
    next_name = _name(reader)
    return NsecData(next_name, _read_bitmap(reader))


def _read_nxt(rtype: int, reader: Reader) -> RecordData:
    next_name = _name(reader)
    if reader.remaining() > _NXT_MAX:
        raise DecodeError("types below 128 alone", reader.pos, "NXT.bitmap")
    return NxtData(next_name, reader.take(reader.remaining(), "NXT.bitmap"))


def _read_nsec3(rtype: int, reader: Reader) -> RecordData:
    algorithm, flags, iterations = struct.unpack(">BBH", reader.take(4, "NSEC3"))
    salt, next_hash = rdata.read_string(reader), rdata.read_string(reader)
    return Nsec3Data(algorithm, flags, iterations, salt, next_hash, _read_bitmap(reader))


def _read_naptr(rtype: int, reader: Reader) -> RecordData:
    order, preference = struct.unpack(">2H", reader.take(4, "NAPTR"))
    flags, service, regexp = (rdata.read_string(reader) for _ in range(3))
    return NaptrData(order, preference, flags, service, regexp, _name(reader))


def _read_px(rtype: int, reader: Reader) -> RecordData:
    """PX is among the types whose names a receiver expands (RFC 3597 4); it is kept as octets."""
    head = reader.take(2, "PX.preference")
    return RawData(head + pack_name(read_name(reader)) + pack_name(read_name(reader)))


def _read_wins(rtype: int, reader: Reader) -> RecordData:
    flags, lookup, cache, count = struct.unpack(">4I", reader.take(16, "WINS"))
    if count > _WINS_SERVERS_MAX:
        raise DecodeError(f"over {_WINS_SERVERS_MAX} servers", reader.pos, "WINS.cWinsServerCount")
    return WinsData(flags, lookup, cache, tuple(reader.take(4, "WINS.aipWinsServers") for _ in range(count)))


def _read_winsr(rtype: int, reader: Reader) -> RecordData:
    flags, lookup, cache = struct.unpack(">3I", reader.take(12, "WINSR"))
    return WinsrData(flags, lookup, cache, _name(reader))


def _read_tsig(rtype: int, reader: Reader) -> RecordData:
    algorithm = name_text(read_name(reader, pointers=False))
    signed_at = int.from_bytes(reader.take(6, "TSIG.timeSigned"), "big")
    (fudge,) = _U16.unpack(reader.take(2, "TSIG.fudge"))
    mac = _read_sized(reader)
    original_id, error = struct.unpack(">2H", reader.take(4, "TSIG.error"))
    return TsigData(algorithm, signed_at, fudge, mac, original_id, error, _read_sized(reader))


def _read_tkey(rtype: int, reader: Reader) -> RecordData:
    algorithm = name_text(read_name(reader, pointers=False))
    inception, expiration, mode, error = struct.unpack(">2I2H", reader.take(12, "TKEY"))
    key = _read_sized(reader)
    return TkeyData(algorithm, inception, expiration, mode, error, key, _read_sized(reader))


def _read_sized(reader: Reader) -> bytes:
    (size,) = _U16.unpack(reader.take(2, "length"))
    return reader.take(size, "octets")


_READERS: Final[dict[int, Callable[[int, Reader], RecordData]]] = {
    **dict.fromkeys(_NAMES, _read_name),
    **dict.fromkeys(_PREFERENCES, _read_preference),
    **dict.fromkeys(_MAIL, _read_mail),
    **dict.fromkeys(_STRINGS, _read_strings),
    **dict.fromkeys(_SIGNATURES, _read_signature),
    DnsType.A: _read_a,
    DnsType.AAAA: _read_aaaa,
    DnsType.SOA: _read_soa,
    DnsType.SRV: _read_srv,
    DnsType.LOC: _read_loc,
    DnsType.NSEC: _read_nsec,
    DnsType.NXT: _read_nxt,
    DnsType.NSEC3: _read_nsec3,
    DnsType.NAPTR: _read_naptr,
    DnsType.PX: _read_px,
    DnsType.WINS: _read_wins,
    DnsType.WINSR: _read_winsr,
    DnsType.TSIG: _read_tsig,
    DnsType.TKEY: _read_tkey,
}


def rdata_name(text: str) -> tuple[bytes, ...]:
    """The folded labels of a name inside data: what a target is looked up by."""
    return fold(parse_name(text))
