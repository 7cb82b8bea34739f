"""Open descriptors of host files, kept for the next read or write.

Spec: [MS-FSA] 2.1.5.3, 2.1.5.4.
"""

import errno
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from addc.base.errors import NtError
from addc.codes.ntstatus import NtStatus
from addc.smb.host_tree import told_as_status

HANDLES_MAX: Final = 512


class Handle:
    """One descriptor; closed when the last that uses it lets go."""

    __slots__ = ("fd", "writable")

    def __init__(self, fd: int, writable: bool) -> None:
        self.fd = fd
        self.writable = writable

    def __del__(self) -> None:
        os.close(self.fd)


def open_handle(name: str, folder: int) -> Handle:
    """Open a file in a folder for all that the host allows."""
    flags = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    with told_as_status():
        try:
            return Handle(os.open(name, os.O_RDWR | flags, dir_fd=folder), True)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EROFS, errno.EPERM, errno.EISDIR):
                raise
        return Handle(os.open(name, os.O_RDONLY | flags, dir_fd=folder), False)


class Handles:
    """The descriptors used last, by the number of their file."""

    def __init__(self, limit: int = HANDLES_MAX) -> None:
        self._limit = limit
        self._open: OrderedDict[int, Handle] = OrderedDict()

    def get(self, node_id: int) -> Handle | None:
        found = self._open.get(node_id)
        if found is not None:
            self._open.move_to_end(node_id)
        return found

    def keep(self, node_id: int, handle: Handle) -> None:
        self._open[node_id] = handle
        while len(self._open) > self._limit:
            self._open.popitem(last=False)

    def drop(self, node_id: int) -> None:
        self._open.pop(node_id, None)

    def clear(self) -> None:
        self._open.clear()


def read_cached(handle: Handle, offset: int, size: int) -> bytes | memoryview | None:
    """What the host has in memory already; None if it may have to wait for the disk."""
    buffer = bytearray(size)
    try:
        count = os.preadv(handle.fd, [buffer], offset, os.RWF_NOWAIT)
    except (BlockingIOError, OSError):
        return None
    if count == size:
        return memoryview(buffer)
    if offset + count >= os.fstat(handle.fd).st_size:
        return bytes(buffer[:count])
    return None


def read_all(handle: Handle, offset: int, size: int) -> bytes:
    """At most `size` octets; fewer at the end of the file alone. Blocks."""
    with told_as_status():
        data = os.pread(handle.fd, size, offset)
        while len(data) < size:
            more = os.pread(handle.fd, size - len(data), offset + len(data))
            if not more:
                break
            data += more
    return data


def write_all(handle: Handle, offset: int, data: bytes | memoryview) -> None:
    """Blocks."""
    _writable(handle)
    rest = memoryview(data)
    with told_as_status():
        while rest:
            count = os.pwrite(handle.fd, rest, offset)
            rest, offset = rest[count:], offset + count


def on_writable(handle: Handle, work: Callable[[int], None]) -> None:
    """Do something with a descriptor that must allow writing. Blocks."""
    _writable(handle)
    with told_as_status():
        work(handle.fd)


def _writable(handle: Handle) -> None:
    if not handle.writable:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the host lets this process only read the file")
