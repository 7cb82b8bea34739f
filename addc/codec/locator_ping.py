"""What a DC answers to a locator ping: the three shapes of NETLOGON_SAM_LOGON_RESPONSE.

Spec: [MS-ADTS] 6.3.1.1, 6.3.1.2, 6.3.1.3, 6.3.1.7, 6.3.1.8, 6.3.1.9, 6.3.7
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from ipaddress import IPv4Address
from typing import Final
from uuid import UUID

from addc.base.errors import AddcError
from addc.codec.cursor import Writer

_POINTER_OFFSET_MAX: Final = 0xFF
"""The client's decompressor reads one byte of a pointer's two."""
_LABEL_MAX: Final = 63
_TOKEN: Final = 0xFFFF
_AF_INET: Final = 2
_SOCKADDR_SIZE: Final = 16


class NtVersion(IntFlag):
    """NETLOGON_NT_VERSION options, [MS-ADTS] 6.3.1.1."""

    NETLOGON_NT_VERSION_1 = 0x0000_0001
    NETLOGON_NT_VERSION_5 = 0x0000_0002
    NETLOGON_NT_VERSION_5EX = 0x0000_0004
    NETLOGON_NT_VERSION_5EX_WITH_IP = 0x0000_0008
    NETLOGON_NT_VERSION_WITH_CLOSEST_SITE = 0x0000_0010
    NETLOGON_NT_VERSION_AVOID_NT4EMUL = 0x0100_0000
    NETLOGON_NT_VERSION_PDC = 0x1000_0000
    NETLOGON_NT_VERSION_IP = 0x2000_0000
    NETLOGON_NT_VERSION_LOCAL = 0x4000_0000
    NETLOGON_NT_VERSION_GC = 0x8000_0000


class DsFlag(IntFlag):
    """DS_FLAG options, [MS-ADTS] 6.3.1.2; DS_DS_10_FLAG is what 2016 and newer add."""

    DS_PDC_FLAG = 0x0000_0001
    DS_GC_FLAG = 0x0000_0004
    DS_LDAP_FLAG = 0x0000_0008
    DS_DS_FLAG = 0x0000_0010
    DS_KDC_FLAG = 0x0000_0020
    DS_TIMESERV_FLAG = 0x0000_0040
    DS_CLOSEST_FLAG = 0x0000_0080
    DS_WRITABLE_FLAG = 0x0000_0100
    DS_GOOD_TIMESERV_FLAG = 0x0000_0200
    DS_NDNC_FLAG = 0x0000_0400
    DS_SELECT_SECRET_DOMAIN_6_FLAG = 0x0000_0800
    DS_FULL_SECRET_DOMAIN_6_FLAG = 0x0000_1000
    DS_WS_FLAG = 0x0000_2000
    DS_DS_8_FLAG = 0x0000_4000
    DS_DS_9_FLAG = 0x0000_8000
    DS_DS_10_FLAG = 0x0001_0000


class Opcode(IntEnum):
    """Operation codes, [MS-ADTS] 6.3.1.3."""

    LOGON_SAM_LOGON_RESPONSE = 19
    LOGON_SAM_PAUSE_RESPONSE = 20
    LOGON_SAM_USER_UNKNOWN = 21
    LOGON_SAM_LOGON_RESPONSE_EX = 23
    LOGON_SAM_PAUSE_RESPONSE_EX = 24
    LOGON_SAM_USER_UNKNOWN_EX = 25


@dataclass(frozen=True, slots=True)
class PingAnswer:
    """Everything that a response may show.

    user: as the client wrote it, "" where it named none. address: the DC's IPv4 address, if it has one.
    client_site: "" where it is not known.
    """

    opcode: Opcode
    flags: DsFlag
    domain_guid: UUID
    dns_forest_name: str
    dns_domain_name: str
    dns_host_name: str
    netbios_domain_name: str
    netbios_computer_name: str
    user: str
    dc_site: str
    client_site: str
    address: IPv4Address | None
    next_closest_site: str | None = None


class NameTooLong(AddcError):
    """A name has a label that compression cannot express: such a ping is answered like an invalid one."""


class _Names:
    """RFC 1035 name compression with what the client's decompressor can follow."""

    def __init__(self, out: Writer) -> None:
        self._out = out
        self._seen: dict[tuple[bytes, ...], int] = {}

    def domain(self, name: str) -> None:
        """A dotted name; its tail may point back."""
        self._put(tuple(part.encode() for part in name.split(".") if part))

    def single(self, name: str) -> None:
        """A name whose dots are its own; too long for one label, it is cut where the client joins by dots."""
        data = name.encode("utf-8", "surrogatepass")
        if len(data) > _LABEL_MAX:
            self._put(tuple(data.split(b".")))
        else:
            self._put((data,) if data else ())

    def _put(self, labels: tuple[bytes, ...]) -> None:
        out = self._out
        for index, label in enumerate(labels):
            known = self._seen.get(labels[index:])
            if known is not None:
                out.put(bytes((0xC0, known)))
                return
            if len(out) <= _POINTER_OFFSET_MAX:
                self._seen[labels[index:]] = len(out)
            if not 0 < len(label) <= _LABEL_MAX:
                raise NameTooLong(f"a label of {len(label)} bytes")
            out.u8(len(label))
            out.put(label)
        out.u8(0)


def pack_response_ex(answer: PingAnswer, *, with_address: bool) -> bytes:
    """NETLOGON_SAM_LOGON_RESPONSE_EX. with_address: the client asked by NETLOGON_NT_VERSION_5EX_WITH_IP.

    The bit is said back then, which [MS-ADTS] 6.3.1.9 does not name: readers other than Windows' (Samba's,
    Wireshark's) know by it alone that an address is there. Raises NameTooLong.
    """
    out = Writer()
    out.u16(answer.opcode)
    out.u16(0)
    out.u32(answer.flags)
    out.put(answer.domain_guid.bytes_le)
    names = _Names(out)
    names.domain(answer.dns_forest_name)
    names.domain(answer.dns_domain_name)
    names.domain(answer.dns_host_name)
    for single in (answer.netbios_domain_name, answer.netbios_computer_name, answer.user):
        names.single(single)
    names.single(answer.dc_site)
    names.single(answer.client_site)
    version = NtVersion.NETLOGON_NT_VERSION_1 | NtVersion.NETLOGON_NT_VERSION_5EX
    if with_address:
        out.u8(_SOCKADDR_SIZE)
        out.u16(_AF_INET)
        out.u16(0)
        out.put((answer.address or IPv4Address("127.0.0.1")).packed + bytes(8))
        version |= NtVersion.NETLOGON_NT_VERSION_5EX_WITH_IP
    if answer.next_closest_site is not None:
        names.single(answer.next_closest_site)
        version |= NtVersion.NETLOGON_NT_VERSION_WITH_CLOSEST_SITE
    return _finish(out, version)


def pack_response(answer: PingAnswer) -> bytes:
    """NETLOGON_SAM_LOGON_RESPONSE. Raises NameTooLong."""
    out = Writer()
    out.u16(answer.opcode)
    _unicode_names(out, answer)
    out.put(answer.domain_guid.bytes_le + bytes(16))
    names = _Names(out)
    names.domain(answer.dns_forest_name)
    names.domain(answer.dns_domain_name)
    names.domain(answer.dns_host_name)
    out.put((answer.address or IPv4Address("127.0.0.1")).packed[::-1])
    out.u32(answer.flags & DsFlag.DS_PDC_FLAG | DsFlag.DS_DS_FLAG)
    return _finish(out, NtVersion.NETLOGON_NT_VERSION_1 | NtVersion.NETLOGON_NT_VERSION_5)


def pack_response_nt40(answer: PingAnswer) -> bytes:
    """NETLOGON_SAM_LOGON_RESPONSE_NT40."""
    out = Writer()
    out.u16(answer.opcode)
    _unicode_names(out, answer)
    return _finish(out, NtVersion.NETLOGON_NT_VERSION_1)


def _unicode_names(out: Writer, answer: PingAnswer) -> None:
    for name in ("\\\\" + answer.netbios_computer_name, answer.user, answer.netbios_domain_name):
        out.put(name.encode("utf-16-le") + b"\0\0")


def _finish(out: Writer, version: NtVersion) -> bytes:
    out.u32(version)
    out.u16(_TOKEN)
    out.u16(_TOKEN)
    return out.bytes()
