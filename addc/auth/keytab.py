"""The acceptor's keytab: the DC account's keys as the file that MIT's library reads.

Mode 0600, replaced whole by a rename, so that no reader sees half of it.
Spec: RFC 4120 6.1 (names); the file is version 0x502 of MIT's keytab format.
"""

import os
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from addc.base.secret import Secret

_VERSION: Final = b"\x05\x02"
_NT_PRINCIPAL: Final = 1


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


def write_keytab(path: Path, entries: Sequence[KeytabEntry]) -> None:
    """Put the keys where `path` says, atomically; does nothing when the file holds them already."""
    data = pack_keytab(entries)
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
