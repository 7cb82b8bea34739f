"""Keytabs: keys as the file that MIT's library reads, the acceptor's own among them.

Mode 0600, replaced whole by a rename, so that no reader sees half of it.
Spec: RFC 4120 6.1 (names); the file is version 0x502 of MIT's keytab format.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.base.whole_file import replace_file

_VERSION: Final = b"\x05\x02"
_NT_PRINCIPAL: Final = 1
_PARTS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class KeytabEntry:
    """One key of one principal.

    components: the principal's name parts, ("DC1$",) or ("host", "dc1.example.com").
    """

    components: tuple[str, ...]
    realm: str
    kvno: int
    etype: int
    key: Secret


def _counted(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def _pack_entry(entry: KeytabEntry) -> bytes:
    key = entry.key.reveal()
    body = b"".join(
        (
            struct.pack(">H", len(entry.components)),
            _counted(entry.realm),
            *(_counted(part) for part in entry.components),
            struct.pack(">IIB", _NT_PRINCIPAL, 0, entry.kvno & 0xFF),
            struct.pack(">HH", entry.etype, len(key)),
            key,
            struct.pack(">I", entry.kvno),
        )
    )
    return struct.pack(">i", len(body)) + body


def pack_keytab(entries: Sequence[KeytabEntry]) -> bytes:
    """The file's bytes."""
    return _VERSION + b"".join(map(_pack_entry, entries))


def looks_like_keytab(data: bytes) -> bool:
    """Whether a file begins as one of these does."""
    return data[:2] == _VERSION


def unpack_keytab(data: bytes) -> list[KeytabEntry]:
    """The file's keys; what was deleted leaves holes, which are stepped over. Raises DecodeError."""
    if not looks_like_keytab(data):
        raise DecodeError("not a keytab of version 0x502", 0, "keytab.version")
    found, pos = [], len(_VERSION)
    while pos + 4 <= len(data):
        (size,) = struct.unpack_from(">i", data, pos)
        pos += 4
        if pos + abs(size) > len(data):
            raise DecodeError("an entry passes the end", pos, "keytab.entry")
        if size > 0:
            found.append(_unpack_entry(data[pos : pos + size]))
        elif not size:
            break
        pos += abs(size)
    return found


def _unpack_entry(body: bytes) -> KeytabEntry:
    try:
        (count,) = struct.unpack_from(">H", body)
        if count > _PARTS_MAX:
            raise DecodeError(f"a name of {count} parts", 0, "keytab.entry")
        pos, texts = 2, []
        for _ in range(count + 1):
            (size,) = struct.unpack_from(">H", body, pos)
            texts.append(body[pos + 2 : pos + 2 + size].decode("utf-8", "surrogateescape"))
            pos += 2 + size
        _, _, kvno, etype, size = struct.unpack_from(">IIBHH", body, pos)
    except struct.error as error:
        raise DecodeError(f"an entry is cut off: {error}", 0, "keytab.entry") from None
    pos += 13
    if pos + size > len(body):
        raise DecodeError("a key passes its entry's end", pos, "keytab.entry")
    key = Secret(body[pos : pos + size])
    tail = body[pos + size :]
    if len(tail) >= 4 and any(tail[:4]):
        (kvno,) = struct.unpack_from(">I", tail)
    return KeytabEntry(tuple(texts[1:]), texts[0], kvno, etype, key)


def write_keytab(path: Path, entries: Sequence[KeytabEntry]) -> None:
    """Put the keys where `path` says, atomically; does nothing when the file holds them already."""
    data = pack_keytab(entries)
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(path, data, 0o600)
