"""Values of dnsRecord and dnsProperty: what an Active Directory zone keeps in the directory.

Names are dotted text as in dns_names.py: without a final dot, the root is ".".

Spec: [MS-DNSP] 2.3.2.2 (dnsRecord), 2.3.2.1 (dnsProperty), 2.2.2.2.2 (DNS_COUNT_NAME), 2.2.2.2.4 (data).
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from addc.base.clock import HOUR_FT, FileTime
from addc.base.enums import OpenIntEnum
from addc.base.errors import DecodeError
from addc.codec.cursor import Reader, Writer
from addc.codec.declare import register
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
    unpack_types,
)
from addc.codec.dns_names import Name, check_name, name_text, pack_name, split_text

VERSION: Final = 5
RANK_ZONE: Final = 0xF0
RANK_NS_GLUE: Final = 0x82
RANK_GLUE: Final = 0x80
RANK_ROOT_HINT: Final = 0x08
_LABEL_MAX: Final = 63
_STRING_MAX: Final = 255
_LOC_SIZE: Final = 16
_WINS_SERVERS_MAX: Final = 64
_NXT_WORDS_MAX: Final = 4096
_ADDRESSES_MAX: Final = 4096
_AF_INET: Final = 2
_AF_INET6: Final = 0x17
_DNS_ADDR_SIZE: Final = 64


class DnsType(OpenIntEnum):
    """DNS_RECORD_TYPE, [MS-DNSP] 2.2.2.1.1, and what else IANA lists; ZERO marks a tombstone."""

    ZERO = 0
    A = 1
    NS = 2
    MD = 3
    MF = 4
    CNAME = 5
    SOA = 6
    MB = 7
    MG = 8
    MR = 9
    NULL = 10
    WKS = 11
    PTR = 12
    HINFO = 13
    MINFO = 14
    MX = 15
    TXT = 16
    RP = 17
    AFSDB = 18
    X25 = 19
    ISDN = 20
    RT = 21
    NSAP = 22
    SIG = 24
    KEY = 25
    PX = 26
    GPOS = 27
    AAAA = 28
    LOC = 29
    NXT = 30
    SRV = 33
    ATMA = 34
    NAPTR = 35
    KX = 36
    CERT = 37
    A6 = 38
    DNAME = 39
    OPT = 41
    APL = 42
    DS = 43
    SSHFP = 44
    IPSECKEY = 45
    RRSIG = 46
    NSEC = 47
    DNSKEY = 48
    DHCID = 49
    NSEC3 = 50
    NSEC3PARAM = 51
    TLSA = 52
    SMIMEA = 53
    HIP = 55
    NINFO = 56
    CDS = 59
    CDNSKEY = 60
    OPENPGPKEY = 61
    CSYNC = 62
    ZONEMD = 63
    SVCB = 64
    HTTPS = 65
    SPF = 99
    EUI48 = 108
    EUI64 = 109
    TKEY = 249
    TSIG = 250
    IXFR = 251
    AXFR = 252
    MAILB = 253
    MAILA = 254
    ALL = 255
    URI = 256
    CAA = 257
    AVC = 258
    DLV = 32769
    WINS = 0xFF01
    WINSR = 0xFF02


@dataclass(frozen=True, slots=True)
class AData:
    """DNS_RPC_RECORD_A: 4 bytes in network order."""

    address: bytes


@dataclass(frozen=True, slots=True)
class AaaaData:
    """DNS_RPC_RECORD_AAAA: 16 bytes in network order."""

    address: bytes


@dataclass(frozen=True, slots=True)
class NameData:
    """DNS_RPC_RECORD_NODE_NAME: NS, CNAME, PTR, DNAME, MB, MD, MF, MG and MR."""

    name: str


@dataclass(frozen=True, slots=True)
class SoaData:
    """DNS_RPC_RECORD_SOA; times in seconds. rname: the administrator's mailbox as a name."""

    mname: str
    rname: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int


@dataclass(frozen=True, slots=True)
class SrvData:
    """DNS_RPC_RECORD_SRV."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class MxData:
    """DNS_RPC_RECORD_NAME_PREFERENCE: MX, AFSDB and RT."""

    preference: int
    exchange: str


@dataclass(frozen=True, slots=True)
class MailData:
    """DNS_RPC_RECORD_MAIL_ERROR: MINFO and RP."""

    mailbox: str
    errors: str


@dataclass(frozen=True, slots=True)
class TxtData:
    """DNS_RPC_RECORD_STRING: TXT, HINFO, ISDN, X25 and LOC; each string has at most 255 octets.

    A LOC of the DNS itself is RawData; as strings it is the text of RFC 1876 3.
    """

    strings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TombstoneData:
    """DNS_RPC_RECORD_TS: when the node was tombstoned."""

    entombed_ft: FileTime


@dataclass(frozen=True, slots=True)
class RawData:
    """The data of any other type as a message holds them ([MS-DNSP] 2.2.2.2.4.27, RFC 3597)."""

    data: bytes


RecordData = (
    AData | AaaaData | NameData | SoaData | SrvData | MxData | MailData | TxtData | TombstoneData | RawData
    | WksData | RrsigData | DnskeyData | DsData | NsecData | NxtData | Nsec3Data | Nsec3ParamData | TlsaData
    | NaptrData | WinsData | WinsrData | TsigData | TkeyData
)  # fmt: skip

_NAME_TYPES: Final = frozenset(
    {
        DnsType.NS, DnsType.CNAME, DnsType.PTR, DnsType.DNAME, DnsType.MB, DnsType.MD, DnsType.MF, DnsType.MG,
        DnsType.MR,
    }
)  # fmt: skip
_STRING_TYPES: Final = frozenset({DnsType.TXT, DnsType.HINFO, DnsType.ISDN, DnsType.X25, DnsType.SPF})
_PREFERENCE_TYPES: Final = frozenset({DnsType.MX, DnsType.AFSDB, DnsType.RT})
_MAIL_TYPES: Final = frozenset({DnsType.MINFO, DnsType.RP})
_SIGNATURE_TYPES: Final = frozenset({DnsType.RRSIG, DnsType.SIG})
_KEY_TYPES: Final = frozenset({DnsType.DNSKEY, DnsType.CDNSKEY, DnsType.KEY})
_DS_TYPES: Final = frozenset({DnsType.DS, DnsType.CDS, DnsType.DLV})
_TLSA_TYPES: Final = frozenset({DnsType.TLSA, DnsType.SMIMEA})


@register
@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One value of dnsRecord.

    serial: of the zone's SOA at the last change. timestamp_h: hours since 1601 of the last refresh, 0 for a
    static record. rank: RANK_ZONE, RANK_NS_GLUE or RANK_GLUE in a zone's own data.
    """

    type: DnsType
    data: RecordData
    ttl_s: int = 3600
    serial: int = 1
    timestamp_h: int = 0
    rank: int = RANK_ZONE
    version: int = VERSION
    flags: int = 0

    def pack(self) -> bytes:
        data = pack_data(self.type, self.data)
        head = struct.pack("<HHBBHI", len(data), self.type, self.version, self.rank, self.flags, self.serial)
        return head + struct.pack(">I", self.ttl_s) + struct.pack("<II", 0, self.timestamp_h) + data

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        size = reader.u16("dnsRecord.DataLength")
        record_type = DnsType(reader.u16("dnsRecord.Type"))
        version = reader.u8("dnsRecord.Version")
        rank = reader.u8("dnsRecord.Rank")
        flags = reader.u16("dnsRecord.Flags")
        serial = reader.u32("dnsRecord.Serial")
        ttl_s = int.from_bytes(reader.take(4, "dnsRecord.TtlSeconds"), "big")
        reader.skip(4, "dnsRecord.Reserved")
        timestamp_h = reader.u32("dnsRecord.TimeStamp")
        content = unpack_data(record_type, reader.take(size, "dnsRecord.Data"))
        reader.finish("dnsRecord")
        return cls(record_type, content, ttl_s, serial, timestamp_h, rank, version, flags)


def timestamp_hours(when_ft: int) -> int:
    """A record's TimeStamp: whole hours since 1601."""
    return when_ft // HOUR_FT


def tombstone(now: FileTime, serial: int) -> DnsRecord:
    """The one record of a tombstoned node ([MS-DNSP] 2.2.2.2.4.23)."""
    return DnsRecord(
        DnsType.ZERO, TombstoneData(now), ttl_s=0, serial=serial, timestamp_h=timestamp_hours(now), rank=0
    )


def pack_data(record_type: DnsType, data: RecordData) -> bytes:
    """The Data field; the shape of `data` decides, and must fit the type.

    Deviation: the text leaves most numbers little-endian; Windows keeps those of SOA, SRV and MX, and of what
    DNSSEC defines, as they are in messages. A WKS record keeps its bit mask, not the names of its services.
    """
    assert record_type >= 0
    match data:
        case AData(address) | AaaaData(address):
            return address
        case NameData(name):
            return pack_count_name(name)
        case SoaData():
            numbers = struct.pack(">5I", data.serial, data.refresh, data.retry, data.expire, data.minimum)
            return numbers + pack_count_name(data.mname) + pack_count_name(data.rname)
        case SrvData():
            return struct.pack(">3H", data.priority, data.weight, data.port) + pack_count_name(data.target)
        case MxData(preference, exchange):
            return struct.pack(">H", preference) + pack_count_name(exchange)
        case MailData(mailbox, errors):
            return pack_count_name(mailbox) + pack_count_name(errors)
        case TxtData(strings):
            return pack_strings(strings)
        case TombstoneData(entombed_ft):
            return struct.pack("<Q", entombed_ft)
        case RawData(raw):
            return raw
        case NxtData(next_name, bitmap):
            words = len(bitmap) + 1 >> 1
            return (
                struct.pack("<H", words)
                + _swapped(bitmap.ljust(2 * words, b"\0"))
                + pack_count_name(next_name)
            )
        case NaptrData():
            numbers = struct.pack(">2H", data.order, data.preference)
            texts = pack_strings((data.flags, data.service, data.regexp))
            return numbers + texts + pack_count_name(data.replacement)
        case WinsData():
            numbers = struct.pack("<3I", data.flags, data.lookup_timeout_s, data.cache_timeout_s)
            return numbers + struct.pack("<I", len(data.servers)) + b"".join(data.servers)
        case WinsrData():
            numbers = struct.pack("<3I", data.flags, data.lookup_timeout_s, data.cache_timeout_s)
            return numbers + pack_count_name(data.domain)
        case TsigData() | TkeyData():
            raise DecodeError("a record of messages alone, that no zone holds", -1, "dnsRecord.Data")
        case _:
            return _pack_dnssec(data)


def _pack_dnssec(
    data: WksData | RrsigData | DnskeyData | DsData | NsecData | Nsec3Data | Nsec3ParamData | TlsaData,
) -> bytes:
    match data:
        case WksData(address, protocol, bitmap):
            return address + bytes((protocol,)) + bitmap
        case RrsigData():
            return pack_signature_head(data) + pack_count_name(data.signer) + data.signature
        case DnskeyData():
            return struct.pack(">HBB", data.flags, data.protocol, data.algorithm) + data.key
        case DsData():
            return struct.pack(">HBB", data.key_tag, data.algorithm, data.digest_type) + data.digest
        case NsecData(next_name, bitmap):
            return pack_count_name(next_name) + bitmap
        case Nsec3Data():
            head = struct.pack(">BBH", data.algorithm, data.flags, data.iterations)
            sizes = bytes((len(data.salt), len(data.next_hash)))
            return head + sizes + data.salt + data.next_hash + data.bitmap
        case Nsec3ParamData():
            head = struct.pack(">BBH", data.algorithm, data.flags, data.iterations)
            return head + bytes((len(data.salt),)) + data.salt
        case TlsaData():
            return bytes((data.usage, data.selector, data.matching)) + data.data


def pack_strings(strings: Sequence[bytes]) -> bytes:
    """Strings with an octet of length before each."""
    if any(len(part) > _STRING_MAX for part in strings):
        raise DecodeError("a string has at most 255 octets", -1, "TXT.string")
    return b"".join(bytes((len(part),)) + part for part in strings)


def pack_signature_head(data: RrsigData) -> bytes:
    """All of a signature's data before the signer's name."""
    return struct.pack(
        ">HBBIIIH",
        data.covered, data.algorithm, data.labels, data.original_ttl_s,
        data.expiration, data.inception, data.key_tag,
    )  # fmt: skip


def unpack_data(record_type: DnsType, data: bytes) -> RecordData:
    """The Data field of a record of that type; DecodeError if it does not fit the type."""
    reader = Reader(data)
    value = _read_data(record_type, reader)
    reader.finish(f"dnsRecord.{record_type.name}")
    return value


def _read_data(record_type: DnsType, reader: Reader) -> RecordData:
    if record_type == DnsType.A:
        return AData(reader.take(4, "A.address"))
    if record_type == DnsType.AAAA:
        return AaaaData(reader.take(16, "AAAA.address"))
    if record_type in _NAME_TYPES:
        return NameData(read_count_name(reader))
    if record_type == DnsType.SOA:
        numbers = struct.unpack(">5I", reader.take(20, "SOA"))
        mname, rname = read_count_name(reader), read_count_name(reader)
        return SoaData(mname, rname, *numbers)
    if record_type == DnsType.SRV:
        priority, weight, port = struct.unpack(">3H", reader.take(6, "SRV"))
        return SrvData(priority, weight, port, read_count_name(reader))
    if record_type in _PREFERENCE_TYPES:
        (preference,) = struct.unpack(">H", reader.take(2, "MX.preference"))
        return MxData(preference, read_count_name(reader))
    if record_type in _MAIL_TYPES:
        mailbox = read_count_name(reader)
        return MailData(mailbox, read_count_name(reader))
    if record_type in _STRING_TYPES:
        return TxtData(read_strings(reader))
    if record_type == DnsType.ZERO:
        return TombstoneData(FileTime(reader.u64("TS.EntombedTime")))
    return _read_rarer(record_type, reader)


def _read_rarer(record_type: DnsType, reader: Reader) -> RecordData:
    if record_type in _SIGNATURE_TYPES:
        return read_signature(reader, read_count_name)
    if record_type == DnsType.NSEC:
        next_name = read_count_name(reader)
        return NsecData(next_name, _read_bitmap(reader))
    if record_type == DnsType.NXT:
        words = int.from_bytes(reader.take(2, "NXT.wNumRecordTypes"), "little")
        bitmap = _swapped(reader.take(2 * min(words, _NXT_WORDS_MAX), "NXT.wTypeWords"))
        return NxtData(read_count_name(reader), bitmap)
    if record_type == DnsType.NSEC3:
        algorithm, flags, iterations, salt_size, hash_size = struct.unpack(">BBHBB", reader.take(6, "NSEC3"))
        salt = reader.take(salt_size, "NSEC3.salt")
        next_hash = reader.take(hash_size, "NSEC3.nextHashedOwnerName")
        return Nsec3Data(algorithm, flags, iterations, salt, next_hash, _read_bitmap(reader))
    if record_type == DnsType.NAPTR:
        order, preference = struct.unpack(">2H", reader.take(4, "NAPTR"))
        flags, service, regexp = (read_string(reader) for _ in range(3))
        return NaptrData(order, preference, flags, service, regexp, read_count_name(reader))
    if record_type == DnsType.WINS:
        return _read_wins(reader)
    if record_type == DnsType.WINSR:
        wins_flags, lookup, cache = struct.unpack("<3I", reader.take(12, "WINSR"))
        return WinsrData(wins_flags, lookup, cache, read_count_name(reader))
    if record_type == DnsType.LOC and not _is_loc_of_messages(reader):
        return TxtData(read_strings(reader))
    return read_nameless(record_type, reader)


def read_signature(reader: Reader, read_name: Callable[[Reader], str]) -> RrsigData:
    """A signature to the reader's end, its signer's name as `read_name` reads it."""
    covered, algorithm, labels, ttl, expiration, inception, tag = struct.unpack(
        ">HBBIIIH", reader.take(18, "RRSIG")
    )
    signer = read_name(reader)
    signature = reader.take(reader.remaining(), "RRSIG.signature")
    return RrsigData(covered, algorithm, labels, ttl, expiration, inception, tag, signer, signature)


def read_nameless(record_type: int, reader: Reader) -> RecordData:
    """Data without names, the same in the directory and in messages; to the reader's end."""
    if record_type in _KEY_TYPES:
        flags, protocol, algorithm = struct.unpack(">HBB", reader.take(4, "DNSKEY"))
        return DnskeyData(flags, protocol, algorithm, reader.take(reader.remaining(), "DNSKEY.key"))
    if record_type in _DS_TYPES:
        key_tag, algorithm, digest_type = struct.unpack(">HBB", reader.take(4, "DS"))
        return DsData(key_tag, algorithm, digest_type, reader.take(reader.remaining(), "DS.digest"))
    if record_type == DnsType.NSEC3PARAM:
        algorithm, flags, iterations = struct.unpack(">BBH", reader.take(4, "NSEC3PARAM"))
        return Nsec3ParamData(algorithm, flags, iterations, read_string(reader))
    if record_type in _TLSA_TYPES:
        usage, selector, matching = reader.take(3, "TLSA")
        return TlsaData(usage, selector, matching, reader.take(reader.remaining(), "TLSA.data"))
    if record_type == DnsType.WKS:
        address, protocol = reader.take(4, "WKS.address"), reader.u8("WKS.protocol")
        return WksData(address, protocol, reader.take(reader.remaining(), "WKS.bitmap"))
    return RawData(reader.take(reader.remaining(), "Data"))


def _read_wins(reader: Reader) -> WinsData:
    flags, lookup, cache, count = struct.unpack("<4I", reader.take(16, "WINS"))
    if count > _WINS_SERVERS_MAX:
        raise DecodeError(f"over {_WINS_SERVERS_MAX} servers", reader.pos, "WINS.cWinsServerCount")
    return WinsData(flags, lookup, cache, tuple(reader.take(4, "WINS.aipWinsServers") for _ in range(count)))


def _read_bitmap(reader: Reader) -> bytes:
    bitmap = reader.take(reader.remaining(), "NSEC.bitmap")
    unpack_types(bitmap)
    return bitmap


def _is_loc_of_messages(reader: Reader) -> bool:
    """Whether a LOC is in RFC 1876's 16 octets, whose first is the version 0; else it is strings."""
    return reader.remaining() == _LOC_SIZE and reader.data[reader.pos] == 0


def _swapped(words: bytes) -> bytes:
    """The octets of each 16-bit word the other way round."""
    swapped = bytearray(words)
    swapped[::2], swapped[1::2] = words[1::2], words[::2]
    return bytes(swapped)


def read_string(reader: Reader) -> bytes:
    return reader.take(reader.u8("string.length"), "string")


def read_strings(reader: Reader) -> tuple[bytes, ...]:
    """Strings with an octet of length before each, to the reader's end."""
    strings = []
    while reader.remaining():
        strings.append(read_string(reader))
    return tuple(strings)


def split_name(name: str) -> list[bytes]:
    """The labels of dotted text, unchecked."""
    return split_text(name)


def join_labels(labels: Sequence[bytes]) -> str:
    """Dotted text of labels."""
    return name_text(tuple(labels))


def pack_count_name(name: str) -> bytes:
    """DNS_COUNT_NAME of dotted text. Raises DecodeError for a label or name that DNS does not allow."""
    labels: Name = tuple(split_text(name))
    check_name(labels)
    raw = pack_name(labels)
    return bytes((len(raw), len(labels))) + raw


def read_count_name(reader: Reader) -> str:
    """The dotted text of a DNS_COUNT_NAME."""
    size = reader.u8("DNS_COUNT_NAME.Length")
    count = reader.u8("DNS_COUNT_NAME.LabelCount")
    name = reader.window(size, "DNS_COUNT_NAME.RawName")
    labels = []
    for _ in range(count):
        length = name.u8("DNS_COUNT_NAME.RawName")
        if not 0 < length <= _LABEL_MAX:
            raise DecodeError("a label has 1 to 63 octets", name.pos, "DNS_COUNT_NAME.RawName")
        labels.append(name.take(length, "DNS_COUNT_NAME.RawName"))
    if size and name.u8("DNS_COUNT_NAME.RawName") != 0:
        raise DecodeError("more labels than LabelCount", name.pos, "DNS_COUNT_NAME.RawName")
    name.finish("DNS_COUNT_NAME.RawName")
    return name_text(tuple(labels))


class DnsPropertyId(OpenIntEnum):
    """Property Id, [MS-DNSP] 2.3.2.1.1."""

    DSPROPERTY_ZONE_TYPE = 0x01
    DSPROPERTY_ZONE_ALLOW_UPDATE = 0x02
    DSPROPERTY_ZONE_SECURE_TIME = 0x08
    DSPROPERTY_ZONE_NOREFRESH_INTERVAL = 0x10
    DSPROPERTY_ZONE_SCAVENGING_SERVERS = 0x11
    DSPROPERTY_ZONE_AGING_ENABLED_TIME = 0x12
    DSPROPERTY_ZONE_REFRESH_INTERVAL = 0x20
    DSPROPERTY_ZONE_AGING_STATE = 0x40
    DSPROPERTY_ZONE_DELETED_FROM_HOSTNAME = 0x80
    DSPROPERTY_ZONE_MASTER_SERVERS = 0x81
    DSPROPERTY_ZONE_AUTO_NS_SERVERS = 0x82
    DSPROPERTY_ZONE_DCPROMO_CONVERT = 0x83
    DSPROPERTY_ZONE_SCAVENGING_SERVERS_DA = 0x90
    DSPROPERTY_ZONE_MASTER_SERVERS_DA = 0x91
    DSPROPERTY_ZONE_AUTO_NS_SERVERS_DA = 0x92
    DSPROPERTY_ZONE_NODE_DBFLAGS = 0x100


@register
@dataclass(frozen=True, slots=True)
class DnsProperty:
    """One value of dnsProperty; empty data stands for the property's default.

    Deviation: Name is one octet in the text; Windows pads the value to four, and so does this.
    """

    id: DnsPropertyId
    data: bytes

    def pack(self) -> bytes:
        return struct.pack("<5I", len(self.data), 1, 0, 1, self.id) + self.data + bytes(4)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        size = reader.u32("dnsProperty.DataLength")
        reader.skip(8, "dnsProperty.NameLength")
        reader.skip(4, "dnsProperty.Version")
        property_id = DnsPropertyId(reader.u32("dnsProperty.Id"))
        return cls(property_id, reader.take(size, "dnsProperty.Data"))

    @classmethod
    def of_int(cls, property_id: DnsPropertyId, value: int) -> Self:
        """A number of one octet, four or eight, as the property wants it."""
        if property_id == DnsPropertyId.DSPROPERTY_ZONE_ALLOW_UPDATE:
            return cls(property_id, struct.pack("<B", value))
        if property_id == DnsPropertyId.DSPROPERTY_ZONE_SECURE_TIME:
            return cls(property_id, struct.pack("<Q", value))
        return cls(property_id, struct.pack("<I", value))

    def number(self, default: int) -> int:
        """The number that the data holds, `default` where there is none."""
        if len(self.data) > 8:
            raise DecodeError("a number has at most 8 octets", 0, "dnsProperty.Data")
        return int.from_bytes(self.data, "little") if self.data else default


def pack_ip4_array(addresses: tuple[bytes, ...]) -> bytes:
    """IP4_ARRAY, [MS-DNSP] 2.2.3.2.1."""
    assert all(len(address) == 4 for address in addresses)
    return struct.pack("<I", len(addresses)) + b"".join(addresses)


def unpack_ip4_array(data: bytes) -> tuple[bytes, ...]:
    """Addresses of 4 octets in network order."""
    reader = Reader(data)
    count = _count(reader, "IP4_ARRAY.AddrCount")
    addresses = tuple(reader.take(4, "IP4_ARRAY.AddrArray") for _ in range(count))
    reader.finish("IP4_ARRAY")
    return addresses


def pack_addr_array(addresses: tuple[bytes, ...]) -> bytes:
    """DNS_ADDR_ARRAY of IPv4 (4 octets) and IPv6 (16 octets) addresses, [MS-DNSP] 2.2.3.2.3."""
    out = Writer()
    out.put(struct.pack("<3I2H4I", len(addresses), len(addresses), 0, 0, 0, 0, 0, 0, 0))
    for address in addresses:
        if len(address) == 4:
            body, size = struct.pack("<HH", _AF_INET, 0) + address, 16
        else:
            body, size = struct.pack("<HHI", _AF_INET6, 0, 0) + address, 28
        out.put(body.ljust(32, b"\0") + struct.pack("<I", size) + bytes(_DNS_ADDR_SIZE - 36))
    return out.bytes()


def unpack_addr_array(data: bytes) -> tuple[bytes, ...]:
    """Addresses of a DNS_ADDR_ARRAY, 4 or 16 octets each."""
    reader = Reader(data)
    reader.skip(4, "DNS_ADDR_ARRAY.MaxCount")
    count = _count(reader, "DNS_ADDR_ARRAY.AddrCount")
    reader.skip(24, "DNS_ADDR_ARRAY")
    addresses = []
    for _ in range(count):
        entry = reader.take(_DNS_ADDR_SIZE, "DNS_ADDR_ARRAY.AddrArray")
        family = int.from_bytes(entry[:2], "little")
        if family not in (_AF_INET, _AF_INET6):
            raise DecodeError("unknown address family", reader.pos, "DNS_ADDR_ARRAY.AddrArray")
        addresses.append(entry[4:8] if family == _AF_INET else entry[8:24])
    return tuple(addresses)


def _count(reader: Reader, path: str) -> int:
    count = reader.u32(path)
    if count > _ADDRESSES_MAX:
        raise DecodeError(f"over {_ADDRESSES_MAX} addresses", reader.pos, path)
    return count
