"""Protocol towers: an interface and where to reach it, as the endpoint mapper trades them.

Spec: [C706] App. I, L; [MS-RPCE] 2.1.1.1, 2.1.1.2.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final, Self

from addc.base.errors import DecodeError
from addc.codec.cursor import Reader, Writer
from addc.rpc.pdu import NDR32_SYNTAX, SyntaxId

_UUID: Final = 0x0D
_CONNECTION_ORIENTED: Final = 0x0B
_TCP: Final = 0x07
_IP: Final = 0x09
_PIPE: Final = 0x0F
_NETBIOS: Final = 0x11
_FLOORS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """ncacn_ip_tcp. port, address: 0 and 0.0.0.0 where they are asked for."""

    port: int
    address: IPv4Address


@dataclass(frozen=True, slots=True)
class PipeAddress:
    """ncacn_np. pipe: such as "\\\\pipe\\\\lsass". host: such as "\\\\\\\\DC1"."""

    pipe: str
    host: str


@dataclass(frozen=True, slots=True)
class Tower:
    """A tower. address: None for a protocol that is not served here."""

    interface: SyntaxId
    transfer: SyntaxId
    address: TcpAddress | PipeAddress | None

    def pack(self) -> bytes:
        """The octet string of a twr_t."""
        match self.address:
            case TcpAddress(port, address):
                floors = [(_TCP, port.to_bytes(2, "big")), (_IP, address.packed)]
            case PipeAddress(pipe, host):
                floors = [(_PIPE, pipe.encode() + b"\0"), (_NETBIOS, host.encode() + b"\0")]
            case None:
                floors = []
        w = Writer()
        w.u16(3 + len(floors))
        for syntax in (self.interface, self.transfer):
            with w.sized16():
                w.u8(_UUID)
                w.put(syntax.uuid.bytes_le)
                w.u16(syntax.major)
            with w.sized16():
                w.u16(syntax.minor)
        for protocol, data in ((_CONNECTION_ORIENTED, b"\0\0"), *floors):
            with w.sized16():
                w.u8(protocol)
            with w.sized16():
                w.put(data)
        return w.bytes()

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """A tower of at least three floors, the first two of them UUIDs."""
        r = Reader(data)
        count = r.u16("floor_count")
        if not 3 <= count <= _FLOORS_MAX:
            raise DecodeError(f"a tower of {count} floors", 0, "floor_count")
        floors = []
        for _ in range(count):
            left = r.take(r.u16("lhs_length"), "lhs")
            floors.append((left, r.take(r.u16("rhs_length"), "rhs")))
        interface, transfer = _syntax(floors[0]), _syntax(floors[1])
        if floors[2][0][:1] != bytes((_CONNECTION_ORIENTED,)):
            return cls(interface, transfer, None)
        return cls(interface, transfer, _address(floors[3:]))


def _syntax(floor: tuple[bytes, bytes]) -> SyntaxId:
    left = Reader(floor[0])
    if left.u8("protocol") != _UUID:
        raise DecodeError("no UUID", 0, "floor")
    uuid = left.take(16, "uuid")
    return SyntaxId.read(Reader(uuid + left.take(2, "version") + (floor[1] + b"\0\0")[:2]), "floor")


def _address(floors: list[tuple[bytes, bytes]]) -> TcpAddress | PipeAddress | None:
    kind, first = (floors[0][0][:1], floors[0][1]) if floors else (b"", b"")
    second = floors[1][1] if len(floors) > 1 else b""
    if kind == bytes((_TCP,)):
        address = IPv4Address(second) if len(second) == 4 else IPv4Address(0)
        return TcpAddress(int.from_bytes(first[:2], "big"), address)
    if kind == bytes((_PIPE,)):
        return PipeAddress(_text(first), _text(second))
    return None


def _text(data: bytes) -> str:
    return data.split(b"\0")[0].decode("ascii", "replace")


def tower_to(interface: SyntaxId, address: TcpAddress | PipeAddress) -> Tower:
    """Where an interface is reached, in NDR."""
    return Tower(interface, NDR32_SYNTAX, address)
