"""Records as DnsServer shows and takes them: nodes and records one behind the other in a buffer.

What the directory keeps and what is shown differ in names (text with its last dot here) and in the order of
octets (little-endian here).
Spec: [MS-DNSP] 2.2.2.2.1 (names), 2.2.2.2.3 (DNS_RPC_NODE), 2.2.2.2.4 (data), 2.2.2.2.5 (DNS_RPC_RECORD).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError
from addc.codec import dns_data, dns_names, dns_rdata
from addc.codec.cursor import Reader
from addc.codec.dns_rdata import DnsRecord, DnsType, RecordData

WIRE_FORMAT: Final = 0x0010_0000
"""DNS_RPC_FLAG_RECORD_WIRE_FORMAT: the data is as in a DNS message."""
_NODE: Final = struct.Struct("<HHII")
_RECORD: Final = struct.Struct("<HHIIIII")
_SIGNATURE: Final = struct.Struct("<HBBIIIH")
_TEXT_MAX: Final = 255
_NAMES: Final = frozenset(
    {
        DnsType.NS, DnsType.CNAME, DnsType.PTR, DnsType.DNAME, DnsType.MB, DnsType.MD, DnsType.MF, DnsType.MG,
        DnsType.MR,
    }
)  # fmt: skip
_STRINGS: Final = frozenset({DnsType.TXT, DnsType.HINFO, DnsType.ISDN, DnsType.X25})
_PREFERENCES: Final = frozenset({DnsType.MX, DnsType.AFSDB, DnsType.RT})
_MAILS: Final = frozenset({DnsType.MINFO, DnsType.RP})
_SIGNATURES: Final = frozenset({DnsType.SIG, DnsType.RRSIG})
_KEYS: Final = frozenset({DnsType.KEY, DnsType.DNSKEY})


@dataclass(frozen=True, slots=True)
class ShownNode:
    """DNS_RPC_NODE with its records. name: "" for the node that was asked for."""

    name: str
    flags: int
    children: int
    records: Sequence[tuple[DnsRecord, int]]
    """Records, each with the flags to show beside its rank."""

    def pack(self) -> bytes:
        """Spec: [MS-DNSP] 2.2.2.2.3; nodes and records start at multiples of four."""
        label = _pack_text(self.name.encode("utf-8", "surrogateescape"))
        size = (_NODE.size + len(label) + 3) & ~3
        head = _NODE.pack(size, len(self.records), self.flags, self.children) + label
        return head.ljust(size, b"\0") + b"".join(pack_record(one, flags) for one, flags in self.records)


def pack_record(record: DnsRecord, flags: int) -> bytes:
    """DNS_RPC_RECORD in a buffer, padded to a multiple of four."""
    data = pack_data(record.type, record.data)
    head = _RECORD.pack(
        len(data),
        record.type,
        record.rank | flags,
        record.serial,
        record.ttl_s,
        record.timestamp_h,
        0,
    )
    return head + data + bytes(-len(data) & 3)


def pack_data(kind: DnsType, data: RecordData) -> bytes:
    """DNS_RPC_RECORD_DATA. Raises DecodeError for text that has no place in it."""
    match data:
        case dns_rdata.AData(address) | dns_rdata.AaaaData(address):
            return address
        case dns_rdata.NameData(name):
            return _pack_name(name)
        case dns_rdata.SoaData():
            numbers = struct.pack("<5I", data.serial, data.refresh, data.retry, data.expire, data.minimum)
            return numbers + _pack_name(data.mname) + _pack_name(data.rname)
        case dns_rdata.SrvData():
            return struct.pack("<3H", data.priority, data.weight, data.port) + _pack_name(data.target)
        case dns_rdata.MxData(preference, exchange):
            return struct.pack("<H", preference) + _pack_name(exchange)
        case dns_rdata.MailData(mailbox, errors):
            return _pack_name(mailbox) + _pack_name(errors)
        case dns_rdata.TxtData(strings):
            return b"".join(_pack_text(one) for one in strings)
        case dns_rdata.TombstoneData(entombed_ft):
            return struct.pack("<Q", entombed_ft)
    return _pack_rare(kind, data)


def _pack_rare(kind: DnsType, data: object) -> bytes:
    match data:
        case dns_data.WksData(address, protocol, bitmap):
            return address + bytes((protocol,)) + bitmap
        case dns_data.RrsigData():
            head = _SIGNATURE.pack(
                data.covered, data.algorithm, data.labels, data.original_ttl_s, data.expiration,
                data.inception, data.key_tag,
            )  # fmt: skip
            return head + _pack_name(data.signer) + data.signature
        case dns_data.DnskeyData(flags, protocol, algorithm, key):
            return struct.pack("<HBB", flags, protocol, algorithm) + key
        case dns_data.DsData(key_tag, algorithm, digest_type, digest):
            return struct.pack("<HBB", key_tag, algorithm, digest_type) + digest
        case dns_data.NsecData(next_name, bitmap):
            return _pack_name(next_name) + bitmap
        case dns_data.NxtData(next_name, bitmap):
            words = bitmap + bytes(len(bitmap) & 1)
            swapped = b"".join(words[at : at + 2][::-1] for at in range(0, len(words), 2))
            return struct.pack("<H", len(words) // 2) + swapped + _pack_name(next_name)
        case dns_data.Nsec3Data():
            head = struct.pack(
                "<BBHBB", data.algorithm, data.flags, data.iterations, len(data.salt), len(data.next_hash)
            )
            return head + data.salt + data.next_hash + data.bitmap
        case dns_data.Nsec3ParamData(algorithm, flags, iterations, salt):
            return struct.pack("<BBHB", algorithm, flags, iterations, len(salt)) + salt
        case dns_data.TlsaData(usage, selector, matching, association):
            return bytes((usage, selector, matching)) + association
        case dns_data.NaptrData():
            texts = b"".join(_pack_text(one) for one in (data.flags, data.service, data.regexp))
            return struct.pack("<HH", data.order, data.preference) + texts + _pack_name(data.replacement)
        case dns_data.WinsData(flags, lookup, cache, servers):
            return struct.pack("<4I", flags, lookup, cache, len(servers)) + b"".join(servers)
        case dns_data.WinsrData(flags, lookup, cache, domain):
            return struct.pack("<3I", flags, lookup, cache) + _pack_name(domain)
        case dns_rdata.RawData(raw):
            return raw
    raise DecodeError(f"no form for {kind.name}", -1, "DNS_RPC_RECORD")


def _pack_text(text: bytes) -> bytes:
    if len(text) > _TEXT_MAX:
        raise DecodeError("over 255 octets", -1, "DNS_RPC_NAME")
    return bytes((len(text),)) + text


def _pack_name(name: str) -> bytes:
    """A name with its last dot."""
    text = name if name.endswith(".") and not name.endswith("\\.") else name + "."
    return _pack_text(text.encode("utf-8", "surrogateescape"))


def read_data(kind: DnsType, data: bytes) -> RecordData:
    """What the data of a DNS_RPC_RECORD says. Raises DecodeError for what is not of the type."""
    reader = Reader(data)
    value = _read(kind, reader)
    reader.finish(f"DNS_RPC_RECORD.{kind.name}")
    return value


def _read(kind: DnsType, reader: Reader) -> RecordData:
    if kind == DnsType.A:
        return dns_rdata.AData(reader.take(4, "A"))
    if kind == DnsType.AAAA:
        return dns_rdata.AaaaData(reader.take(16, "AAAA"))
    if kind in _NAMES:
        return dns_rdata.NameData(_read_name(reader))
    if kind == DnsType.SOA:
        numbers = struct.unpack("<5I", reader.take(20, "SOA"))
        mname, rname = _read_name(reader), _read_name(reader)
        return dns_rdata.SoaData(mname, rname, *numbers)
    if kind == DnsType.SRV:
        priority, weight, port = struct.unpack("<3H", reader.take(6, "SRV"))
        return dns_rdata.SrvData(priority, weight, port, _read_name(reader))
    if kind in _PREFERENCES:
        (preference,) = struct.unpack("<H", reader.take(2, "MX"))
        return dns_rdata.MxData(preference, _read_name(reader))
    if kind in _MAILS:
        mailbox = _read_name(reader)
        return dns_rdata.MailData(mailbox, _read_name(reader))
    if kind in _STRINGS:
        strings = []
        while reader.remaining():
            strings.append(_read_text(reader))
        return dns_rdata.TxtData(tuple(strings))
    return _read_rare(kind, reader)


def _read_rare(kind: DnsType, reader: Reader) -> RecordData:
    if kind == DnsType.WKS:
        address, protocol = reader.take(4, "WKS"), reader.u8("WKS")
        return dns_data.WksData(address, protocol, _rest(reader))
    if kind in _SIGNATURES:
        head = _SIGNATURE.unpack(reader.take(_SIGNATURE.size, "RRSIG"))
        covered, algorithm, labels, ttl_s, expiration, inception, tag = head
        return dns_data.RrsigData(
            covered, algorithm, labels, ttl_s, expiration, inception, tag, _read_name(reader), _rest(reader)
        )
    if kind in _KEYS:
        flags, protocol, algorithm = struct.unpack("<HBB", reader.take(4, "DNSKEY"))
        return dns_data.DnskeyData(flags, protocol, algorithm, _rest(reader))
    if kind == DnsType.DS:
        tag, algorithm, digest_type = struct.unpack("<HBB", reader.take(4, "DS"))
        return dns_data.DsData(tag, algorithm, digest_type, _rest(reader))
    if kind == DnsType.NSEC:
        next_name = _read_name(reader)
        return dns_data.NsecData(next_name, _rest(reader))
    if kind == DnsType.NAPTR:
        order, preference = struct.unpack("<HH", reader.take(4, "NAPTR"))
        texts = [_read_text(reader) for _ in range(3)]
        return dns_data.NaptrData(order, preference, texts[0], texts[1], texts[2], _read_name(reader))
    if kind == DnsType.TLSA:
        usage, selector, matching = reader.take(3, "TLSA")
        return dns_data.TlsaData(usage, selector, matching, _rest(reader))
    return _read_rarest(kind, reader)


def _read_rarest(kind: DnsType, reader: Reader) -> RecordData:
    if kind == DnsType.NSEC3:
        algorithm, flags, iterations, salts, hashes = struct.unpack("<BBHBB", reader.take(6, "NSEC3"))
        salt, following = reader.take(salts, "NSEC3.salt"), reader.take(hashes, "NSEC3.hash")
        return dns_data.Nsec3Data(algorithm, flags, iterations, salt, following, _rest(reader))
    if kind == DnsType.NSEC3PARAM:
        algorithm, flags, iterations, salts = struct.unpack("<BBHB", reader.take(5, "NSEC3PARAM"))
        return dns_data.Nsec3ParamData(algorithm, flags, iterations, reader.take(salts, "NSEC3PARAM.salt"))
    if kind == DnsType.NXT:
        words = reader.take(2 * reader.u16("NXT.wNumRecordTypes"), "NXT")
        swapped = b"".join(words[at : at + 2][::-1] for at in range(0, len(words), 2))
        return dns_data.NxtData(_read_name(reader), swapped)
    if kind == DnsType.WINS:
        flags, lookup, cache, count = struct.unpack("<4I", reader.take(16, "WINS"))
        servers = reader.take(4 * count, "WINS.servers")
        return dns_data.WinsData(
            flags, lookup, cache, tuple(servers[at : at + 4] for at in range(0, len(servers), 4))
        )
    if kind == DnsType.WINSR:
        flags, lookup, cache = struct.unpack("<3I", reader.take(12, "WINSR"))
        return dns_data.WinsrData(flags, lookup, cache, _read_name(reader))
    return dns_rdata.RawData(_rest(reader))


def _rest(reader: Reader) -> bytes:
    return reader.take(reader.remaining(), "DNS_RPC_RECORD")


def _read_text(reader: Reader) -> bytes:
    return reader.take(reader.u8("DNS_RPC_NAME"), "DNS_RPC_NAME")


def _read_name(reader: Reader) -> str:
    """A name without its last dot, in the one spelling that the directory has; "." alone is the root."""
    text = _read_text(reader).decode("utf-8", "surrogateescape")
    if not text:
        raise DecodeError("no name", reader.pos, "DNS_RPC_NAME")
    return dns_names.name_text(dns_names.parse_name(text))
