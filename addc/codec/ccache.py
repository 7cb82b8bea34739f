"""MIT's credential cache file, as kinit leaves it: tickets with the keys that go with them.

Versions 3 and 4 of the FILE format, big-endian; older ones are of machines that are no more. Entries that
hold a client's own notes (their server is in the realm X-CACHECONF:) are told apart.

Spec: RFC 4120 5.2 (what the fields mean); the file's layout is MIT's own.
"""

import struct
from dataclasses import dataclass
from typing import Final

from addc.base.clock import TICKS_PER_S, UNIX_EPOCH_FT, FileTime
from addc.base.errors import DecodeError
from addc.codec.krb5 import AuthorizationDataEntry, EncryptionKey, HostAddress, PrincipalName

_MAGIC: Final = 5
_VERSIONS: Final = (3, 4)
_CONFIG_REALM: Final = "X-CACHECONF:"
_PARTS_MAX: Final = 64
_ENTRIES_MAX: Final = 10_000
_SKEW_TAG: Final = 1


@dataclass(frozen=True, slots=True)
class CcachePrincipal:
    """A name with its realm."""

    name: PrincipalName
    realm: str

    def __str__(self) -> str:
        return f"{self.name}@{self.realm}"


@dataclass(frozen=True, slots=True)
class Credential:
    """One ticket. Times are FILETIME, 0 where the file has none. flags: TicketFlags.

    ticket: DER of the Ticket, or the value of a note. second_ticket: of user-to-user, b"" else.
    """

    client: CcachePrincipal
    server: CcachePrincipal
    key: EncryptionKey
    authtime: int
    starttime: int
    endtime: int
    renew_till: int
    is_skey: bool
    flags: int
    addresses: tuple[HostAddress, ...]
    authorization_data: tuple[AuthorizationDataEntry, ...]
    ticket: bytes
    second_ticket: bytes

    @property
    def is_note(self) -> bool:
        """Whether this is no ticket but something that the client remembers."""
        return self.server.realm == _CONFIG_REALM


@dataclass(frozen=True, slots=True)
class Ccache:
    """A whole file. offset_s: seconds that the KDC's clock is ahead, 0 where the file does not say."""

    version: int
    principal: CcachePrincipal
    credentials: tuple[Credential, ...]
    offset_s: int = 0


class _Reader:
    """Big-endian fields."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0

    def take(self, size: int, path: str) -> bytes:
        pos = self.pos
        if size > len(self.data) - pos:
            raise DecodeError(f"{size} bytes wanted, {len(self.data) - pos} left", pos, path)
        self.pos = pos + size
        return self.data[pos : pos + size]

    def number(self, form: str, path: str) -> int:
        return int(struct.unpack(form, self.take(struct.calcsize(form), path))[0])

    def u32(self, path: str) -> int:
        return self.number(">I", path)

    def counted(self, path: str) -> bytes:
        return self.take(self.u32(path), path)

    def text(self, path: str) -> str:
        return self.counted(path).decode("utf-8", "surrogateescape")

    def count(self, limit: int, path: str) -> int:
        found = self.u32(path)
        if found > limit:
            raise DecodeError(f"{found} of them", self.pos - 4, path)
        return found


def looks_like_ccache(data: bytes) -> bool:
    """Whether a file begins as one of these does."""
    return len(data) > 2 and data[0] == _MAGIC and data[1] in _VERSIONS


def unpack_ccache(data: bytes) -> Ccache:
    """The file's content. Raises DecodeError."""
    reader = _Reader(data)
    magic, version = reader.take(2, "ccache.version")
    if magic != _MAGIC or version not in _VERSIONS:
        raise DecodeError("not a credential cache of version 3 or 4", 0, "ccache.version")
    offset_s = _header(reader) if version == _VERSIONS[-1] else 0
    principal = _principal(reader)
    found: list[Credential] = []
    while reader.pos < len(data):
        if len(found) >= _ENTRIES_MAX:
            raise DecodeError("too many entries", reader.pos, "ccache")
        found.append(_credential(reader, version))
    return Ccache(version, principal, tuple(found), offset_s)


def _header(reader: _Reader) -> int:
    """Tagged fields; the only known one tells how far the clocks are apart."""
    end = reader.number(">H", "ccache.header") + reader.pos
    offset_s = 0
    while reader.pos < end:
        tag = reader.number(">H", "ccache.header.tag")
        value = reader.take(reader.number(">H", "ccache.header.size"), "ccache.header.value")
        if tag == _SKEW_TAG and len(value) == 8:
            offset_s = struct.unpack(">ii", value)[0]
    if reader.pos != end:
        raise DecodeError("a field passes the header's end", reader.pos, "ccache.header")
    return offset_s


def _principal(reader: _Reader) -> CcachePrincipal:
    name_type = reader.number(">i", "ccache.principal.type")
    count = reader.count(_PARTS_MAX, "ccache.principal.count")
    realm = reader.text("ccache.principal.realm")
    parts = tuple(reader.text("ccache.principal.part") for _ in range(count))
    return CcachePrincipal(PrincipalName(name_type, parts), realm)


def _time(reader: _Reader) -> FileTime:
    seconds = reader.u32("ccache.time")
    return FileTime(seconds * TICKS_PER_S + UNIX_EPOCH_FT if seconds else 0)


def _credential(reader: _Reader, version: int) -> Credential:
    client, server = _principal(reader), _principal(reader)
    etype = reader.number(">H", "ccache.key")
    if version == _VERSIONS[0]:
        reader.take(2, "ccache.key")  # version 3 writes it twice
    key = EncryptionKey(etype, reader.counted("ccache.key"))
    authtime, starttime, endtime, renew_till = (_time(reader) for _ in range(4))
    is_skey = bool(reader.take(1, "ccache.is_skey")[0])
    flags = reader.u32("ccache.flags")
    addresses = tuple(HostAddress(*one) for one in _pairs(reader, "ccache.addresses"))
    entries = tuple(AuthorizationDataEntry(*one) for one in _pairs(reader, "ccache.authdata"))
    ticket, second = reader.counted("ccache.ticket"), reader.counted("ccache.second_ticket")
    return Credential(
        client=client,
        server=server,
        key=key,
        authtime=authtime,
        starttime=starttime,
        endtime=endtime,
        renew_till=renew_till,
        is_skey=is_skey,
        flags=flags,
        addresses=addresses,
        authorization_data=entries,
        ticket=ticket,
        second_ticket=second,
    )


def _pairs(reader: _Reader, path: str) -> list[tuple[int, bytes]]:
    """Type and bytes, as addresses and authorization data are kept."""
    return [(reader.number(">H", path), reader.counted(path)) for _ in range(reader.count(_PARTS_MAX, path))]
