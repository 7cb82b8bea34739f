"""Data of DNS records as people write them.

Spec: RFC 1035 3.3, 3.4.1, RFC 2782, RFC 3596.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from addc.base.errors import DecodeError, UserError
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
    pack_data,
)

TYPES: Final[dict[str, str]] = {
    "A": "ADDRESS",
    "AAAA": "ADDRESS",
    "CNAME": "NAME",
    "NS": "NAME",
    "PTR": "NAME",
    "MX": "PREFERENCE NAME",
    "SRV": "PRIORITY WEIGHT PORT NAME",
    "TXT": "TEXT ...",
}
"""What can be written, and what it takes."""
_U16_MAX: Final = 0xFFFF


def parse(kind: str, words: Sequence[str]) -> tuple[DnsType, RecordData]:
    """A record's type and data from what a person wrote. Raises UserError."""
    form = TYPES.get(kind.upper())
    if form is None:
        raise UserError(f"No record of type {kind} is written here. Next step: one of {', '.join(TYPES)}")
    try:
        data = _data(kind.upper(), words)
        pack_data(DnsType[kind.upper()], data)
    except (ValueError, DecodeError) as error:
        raise UserError(
            f"{' '.join(words)!r} is no data of a {kind.upper()} record: {error}. Next step: write {form}"
        ) from error
    return DnsType[kind.upper()], data


def _data(kind: str, words: Sequence[str]) -> RecordData:
    if kind == "TXT":
        return TxtData(tuple(word.encode() for word in words))
    if len(words) != len(TYPES[kind].split()):
        raise ValueError(f"{len(words)} words")
    if kind == "A":
        return AData(IPv4Address(words[0]).packed)
    if kind == "AAAA":
        return AaaaData(IPv6Address(words[0]).packed)
    if kind == "MX":
        return MxData(_number(words[0]), _name(words[1]))
    if kind == "SRV":
        return SrvData(_number(words[0]), _number(words[1]), _number(words[2]), _name(words[3]))
    return NameData(_name(words[0]))


def _number(word: str) -> int:
    number = int(word)
    if not 0 <= number <= _U16_MAX:
        raise ValueError(f"{number} is not in 0 to {_U16_MAX}")
    return number


def _name(word: str) -> str:
    """A whole name, with or without its last dot. An address is none, though it looks like one."""
    try:
        IPv4Address(word)
    except ValueError:
        return word if word == "." else word.removesuffix(".")
    raise ValueError("that is an address, not a name")


def shown(data: RecordData) -> str:
    """Data as `parse` reads them, where it does."""
    match data:
        case AData(address):
            return str(IPv4Address(address))
        case AaaaData(address):
            return str(IPv6Address(address))
        case NameData(name):
            return name
        case SoaData():
            times = f"{data.refresh} {data.retry} {data.expire} {data.minimum}"
            return f"{data.mname} {data.rname} {data.serial} {times}"
        case SrvData():
            return f"{data.priority} {data.weight} {data.port} {data.target}"
        case MxData(preference, exchange):
            return f"{preference} {exchange}"
        case MailData(mailbox, errors):
            return f"{mailbox} {errors}"
        case TxtData(strings):
            return " ".join(f'"{one.decode("utf-8", "backslashreplace")}"' for one in strings)
        case TombstoneData():
            return "(removed)"
        case RawData(raw):
            return raw.hex()


def same_data(one: RecordData, other: RecordData) -> bool:
    """Whether two records of a type say the same: names are compared without regard to case."""
    if isinstance(one, TxtData):
        return one == other
    return shown(one).lower() == shown(other).lower()
