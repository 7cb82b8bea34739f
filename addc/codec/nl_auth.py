"""NL_AUTH_MESSAGE: by which names the client of a secure channel is known, and the server's answer.

Spec: [MS-NRPC] 2.2.1.3.1, 3.3.4.1; RFC 1035 4.1.4.
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import Final, Self

from addc.base.errors import DecodeError
from addc.codec.cursor import Reader, Writer
from addc.codec.declare import register

_PATH: Final = "NL_AUTH_MESSAGE"
_REQUEST: Final = 0
_RESPONSE: Final = 1
_LABEL_MAX: Final = 63
_POINTER: Final = 0xC0
_LABELS_MAX: Final = 128


class NameFlags(IntFlag):
    """Which names a request carries."""

    OEM_NETBIOS_DOMAIN = 0x1
    OEM_NETBIOS_COMPUTER = 0x2
    DNS_DOMAIN = 0x4
    DNS_HOST = 0x8
    NETBIOS_COMPUTER = 0x10


@register
@dataclass(frozen=True, slots=True)
class NlAuthRequest:
    """A negotiate request; None for a name that it has not.

    computer_utf8: the NetBIOS name once more, in UTF-8.
    """

    netbios_domain: str | None = None
    netbios_computer: str | None = None
    dns_domain: str | None = None
    dns_host: str | None = None
    computer_utf8: str | None = None

    @property
    def computer(self) -> str | None:
        """The computer's NetBIOS name, however it was said."""
        return self.computer_utf8 if self.netbios_computer is None else self.netbios_computer

    def pack(self) -> bytes:
        out, flags = Writer(), 0
        body = Writer()
        for flag, name in zip(NameFlags, self._names(), strict=True):
            if name is None:
                continue
            flags |= flag
            if flag in (NameFlags.OEM_NETBIOS_DOMAIN, NameFlags.OEM_NETBIOS_COMPUTER):
                body.put(name.encode("cp850", "replace") + b"\0")
            else:
                _put_labels(body, name)
        out.u32(_REQUEST)
        out.u32(flags)
        out.put(body.bytes())
        return out.bytes()

    def _names(self) -> tuple[str | None, ...]:
        return (
            self.netbios_domain,
            self.netbios_computer,
            self.dns_domain,
            self.dns_host,
            self.computer_utf8,
        )

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Read a request; names that no bit announces are not read, nor what follows the last."""
        reader = Reader(data)
        if reader.u32(f"{_PATH}.MessageType") != _REQUEST:
            raise DecodeError("no negotiate request", 0, f"{_PATH}.MessageType")
        flags = reader.u32(f"{_PATH}.Flags")
        names: list[str | None] = []
        for flag in NameFlags:
            if not flags & flag:
                names.append(None)
            elif flag in (NameFlags.OEM_NETBIOS_DOMAIN, NameFlags.OEM_NETBIOS_COMPUTER):
                names.append(_take_text(reader))
            else:
                names.append(_take_labels(reader))
        return cls(*names)


RESPONSE: Final = _RESPONSE.to_bytes(4, "little") + bytes(8)
"""The negotiate response: no flags, an empty buffer, 12 bytes."""


def is_response(data: bytes) -> bool:
    """Whether a token is a negotiate response. Spec: 3.3.4.1.4."""
    return len(data) >= len(RESPONSE) and data[:4] == RESPONSE[:4]


def _put_labels(out: Writer, name: str) -> None:
    for label in name.split("."):
        data = label.encode("utf-8", "surrogatepass")[:_LABEL_MAX]
        if data:
            out.u8(len(data))
            out.put(data)
    out.u8(0)


def _take_text(reader: Reader) -> str:
    """An OEM string. Which code page the sender has, nobody says; names that matter are ASCII."""
    end = reader.data.find(b"\0", reader.pos)
    if end < 0:
        raise DecodeError("a name without its NUL", reader.pos, f"{_PATH}.Buffer")
    text = reader.take(end - reader.pos, f"{_PATH}.Buffer").decode("cp850")
    reader.skip(1, f"{_PATH}.Buffer")
    return text


def _take_labels(reader: Reader) -> str:
    """A name in labels; one may end by pointing back into the buffer."""
    labels: list[str] = []
    at: Reader = reader
    for _ in range(_LABELS_MAX):
        size = at.u8(f"{_PATH}.Buffer")
        if not size:
            return ".".join(labels)
        if size & _POINTER == _POINTER:
            target = (size & ~_POINTER) << 8 | at.u8(f"{_PATH}.Buffer")
            if target >= at.pos - 2:
                raise DecodeError("a name that points ahead", at.pos, f"{_PATH}.Buffer")
            at = Reader(reader.data, target)
        elif size > _LABEL_MAX:
            raise DecodeError("a label that is too long", at.pos, f"{_PATH}.Buffer")
        else:
            try:
                labels.append(at.take(size, f"{_PATH}.Buffer").decode("utf-8"))
            except UnicodeDecodeError:
                raise DecodeError("not UTF-8", at.pos, f"{_PATH}.Buffer") from None
    raise DecodeError("too many labels", at.pos, f"{_PATH}.Buffer")
