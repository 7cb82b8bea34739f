"""DFS referrals of a domain controller: for domains, for DCs, for SYSVOL and NETLOGON.

Spec: [MS-DFSC] 2.2.2, 2.2.3, 2.2.4, 2.2.5.3, 2.2.5.4, 3.3.5.1 to 3.3.5.5.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from addc.base.errors import DecodeError, NtError
from addc.codec.packed import U16, U32, Buffer, Bytes, Packed, Rest, packed
from addc.codes.ntstatus import NtStatus

REPLY_MAX: Final = 56 * 1024
DOMAIN_TTL_S: Final = 600
ROOT_TTL_S: Final = 900
_ENTRY_SIZE: Final = 34
_NAME_LIST: Final = 0x0002
_TARGET_SET_BOUNDARY: Final = 0x0004
_STORAGE_SERVERS: Final = 0x0002
_LEVEL_LIST_MIN: Final = 3
_ROOT_SERVER: Final = 1
_HEADER: Final = struct.Struct("<HHI")
_ENTRY: Final = struct.Struct("<HHHHIHHH16x")
_ROOTS: Final = ("sysvol", "netlogon")


@packed
class ReferralRequest(Packed):
    """REQ_GET_DFS_REFERRAL, [MS-DFSC] 2.2.2."""

    max_level: Annotated[int, U16]
    name: Annotated[bytes, Rest()]


@packed
class ReferralRequestEx(Packed):
    """REQ_GET_DFS_REFERRAL_EX, [MS-DFSC] 2.2.3."""

    max_level: Annotated[int, U16]
    flags: Annotated[int, U16]
    data: Annotated[bytes, Buffer(None, U32)]


@packed
class ReferralData(Packed):
    """RequestData of a REQ_GET_DFS_REFERRAL_EX: the file name; the site's name behind it. 2.2.3."""

    name: Annotated[bytes, Buffer(None, U16)]


@dataclass(frozen=True, slots=True)
class DomainPair:
    """Both names of a domain."""

    netbios: str
    dns: str


@dataclass(frozen=True, slots=True)
class ControllerPair:
    """Both names of a DC."""

    host: str
    dns_host: str


@dataclass(frozen=True, slots=True)
class DfsFacts:
    """domains: this one first, then those that it trusts. controllers: of this domain, best first."""

    domains: tuple[DomainPair, ...]
    controllers: tuple[ControllerPair, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A referral entry. strings: the special name and what it expands to, or the three paths of a target."""

    head: tuple[int, ...]
    strings: tuple[str, ...]


def asked(data: Bytes, *, extended: bool) -> tuple[int, str]:
    """(highest referral version, path) of a request. Raises DecodeError."""
    if extended:
        request = ReferralRequestEx.unpack(data)
        level, name = request.max_level, ReferralData.unpack(request.data).name
    else:
        plain = ReferralRequest.unpack(data)
        level, name = plain.max_level, plain.name
    if len(name) % 2:
        name = name[:-1]
    text = name.decode("utf-16-le", "surrogatepass")
    end = text.find("\0")
    if end < 0 and not extended:
        raise DecodeError("no end of the name", 0, "RequestFileName")
    return level, text if end < 0 else text[:end]


def referral(facts: DfsFacts, level: int, path: str, size_max: int) -> bytes:
    """The RESP_GET_DFS_REFERRAL for a path. Raises NtError. Spec: [MS-DFSC] 3.3.5.1."""
    names = [name for name in path.split("\\") if name]
    if len(names) < 2 and level < _LEVEL_LIST_MIN:
        raise NtError(NtStatus.STATUS_UNSUCCESSFUL)
    if not names:
        made = _domains(facts)
    elif len(names) == 1:
        made = _controllers(facts, names[0])
    else:
        made = _roots(facts, level, path, names)
    if len(made) > min(size_max, REPLY_MAX):
        raise NtError(NtStatus.STATUS_BUFFER_OVERFLOW)
    return made


def _domains(facts: DfsFacts) -> bytes:
    """Spec: [MS-DFSC] 3.3.5.2."""
    names = [name for domain in facts.domains for name in (domain.netbios, domain.dns)]
    entries = [
        _Entry((3, _ENTRY_SIZE, 0, _NAME_LIST, DOMAIN_TTL_S, 0, 0, 0), (f"\\{name}",)) for name in names
    ]
    return _response(0, 0, entries)


def _is(name: str, domain: DomainPair) -> bool:
    return name.casefold() in (domain.netbios.casefold(), domain.dns.casefold())


def _hosts(facts: DfsFacts, name: str) -> list[str]:
    """The DCs' names in the form in which their domain was asked for."""
    short = name.casefold() == facts.domains[0].netbios.casefold()
    return [one.host.upper() if short else one.dns_host for one in facts.controllers]


def _controllers(facts: DfsFacts, name: str) -> bytes:
    """Spec: [MS-DFSC] 3.3.5.3. DCs of other domains are those domains' own to name."""
    if not _is(name, facts.domains[0]):
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER)
    hosts = _hosts(facts, name)
    strings = (f"\\{name}", *(f"\\{host}" for host in hosts))
    head = (3, _ENTRY_SIZE, 0, _NAME_LIST, DOMAIN_TTL_S, 0, len(hosts), 0)
    return _response(0, 0, [_Entry(head, strings)])


def _roots(facts: DfsFacts, level: int, path: str, names: Sequence[str]) -> bytes:
    """Spec: [MS-DFSC] 3.3.5.4."""
    own = _is(names[0], facts.domains[0])
    if len(names) > 2 or not own or names[1].casefold() not in _ROOTS:
        raise NtError(NtStatus.STATUS_NOT_FOUND)
    if level < _LEVEL_LIST_MIN:
        raise NtError(NtStatus.STATUS_UNSUCCESSFUL)
    version = 4 if level >= 4 else 3
    entries = []
    for index, host in enumerate(_hosts(facts, names[0])):
        flags = _TARGET_SET_BOUNDARY if version == 4 and index == 0 else 0
        head = (version, _ENTRY_SIZE, _ROOT_SERVER, flags, ROOT_TTL_S, 0, 0, 0)
        entries.append(_Entry(head, (path, path, f"\\{host}\\{names[1]}")))
    return _response(len(path) * 2, _STORAGE_SERVERS, entries)


def _response(consumed: int, flags: int, entries: Sequence[_Entry]) -> bytes:
    """The fixed entries, then the strings that they point to. Spec: [MS-DFSC] 2.2.4."""
    out = bytearray(_HEADER.pack(consumed, len(entries), flags))
    strings = bytearray()
    base = _HEADER.size + len(entries) * _ENTRY_SIZE
    placed: dict[str, int] = {}
    for entry in entries:
        at = len(out)
        offsets: list[int] = []
        for text in entry.strings:
            if text not in placed or entry.head[6]:
                placed[text] = base + len(strings)
                strings += text.encode("utf-16-le", "surrogatepass") + b"\0\0"
            offsets.append(placed[text] - at)
        head = list(entry.head)
        if head[3] & _NAME_LIST:
            head[5], head[7] = offsets[0], offsets[1] if len(offsets) > 1 else 0
        else:
            head[5:8] = offsets
        out += _ENTRY.pack(*head)
    return bytes(out + strings)
