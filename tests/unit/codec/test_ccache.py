"""Credential caches: what MIT's tools write is read, and other bytes are refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec.ccache import looks_like_ccache, unpack_ccache


def counted(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def name(kind: int, realm: str, *parts: str) -> bytes:
    head = struct.pack(">iI", kind, len(parts)) + counted(realm.encode())
    return head + b"".join(counted(part.encode()) for part in parts)


def entry(server: bytes, ticket: bytes = b"ticket") -> bytes:
    """A credential of joe with a key of type 18; times 100, 200, 300 and 400 s after 1970."""
    key = struct.pack(">H", 18) + counted(bytes(32))
    times = struct.pack(">4I", 100, 200, 300, 400)
    tail = struct.pack(">BI", 0, 0x40E1_0000) + struct.pack(">II", 0, 0) + counted(ticket) + counted(b"")
    return name(1, "X.TEST", "joe") + server + key + times + tail


TGT = entry(name(2, "X.TEST", "krbtgt", "X.TEST"))
NOTE = entry(name(1, "X-CACHECONF:", "krb5_ccache_conf_data", "fast_avail"), b"yes")
HEADER = b"\x05\x04" + struct.pack(">HHHii", 12, 1, 8, -3, 0)
FILE = HEADER + name(1, "X.TEST", "joe") + TGT + NOTE


def test_a_file_of_version_4() -> None:
    cache = unpack_ccache(FILE)
    assert looks_like_ccache(FILE)
    assert (cache.version, cache.offset_s, str(cache.principal)) == (4, -3, "joe@X.TEST")
    tgt, note = cache.credentials
    assert str(tgt.server) == "krbtgt/X.TEST@X.TEST" and tgt.ticket == b"ticket" and not tgt.is_note
    assert tgt.endtime - tgt.starttime == 100 * 10_000_000 and tgt.flags == 0x40E1_0000
    assert note.is_note and note.ticket == b"yes"


def test_what_is_cut_off_is_refused() -> None:
    for size in range(len(HEADER), len(FILE) - 1):
        if size not in (len(HEADER + name(1, "X.TEST", "joe")), len(FILE) - len(NOTE)):
            with pytest.raises(DecodeError):
                unpack_ccache(FILE[:size])


@given(st.binary(max_size=300))
def test_any_bytes_give_a_cache_or_a_decode_error(data: bytes) -> None:
    try:
        unpack_ccache(b"\x05\x04" + data)
    except DecodeError:
        return
