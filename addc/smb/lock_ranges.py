"""LOCK: byte-range locks, at once or when their time has come.

Spec: [MS-SMB2] 3.3.5.14; [MS-FSA] 2.1.5.8, 2.1.5.9.
"""

from typing import Final

from addc.codes.ntstatus import NtStatus
from addc.smb.locks import Lock, is_range
from addc.smb.messages import Dialect, LockElement, LockRequest, Plain
from addc.smb.opens import FileOpen, FileServer
from addc.smb.request import Reply, Request, SmbError

SHARED: Final = 0x1
EXCLUSIVE: Final = 0x2
UNLOCK: Final = 0x4
FAIL_IMMEDIATELY: Final = 0x10
_TAKES: Final = frozenset((SHARED, EXCLUSIVE, SHARED | FAIL_IMMEDIATELY, EXCLUSIVE | FAIL_IMMEDIATELY))


async def lock(server: FileServer, request: Request) -> Reply:
    """Serve a LOCK."""
    message = request.body(LockRequest)
    one = request.open(message.file_id, FileOpen)
    if one.file.is_folder:
        raise SmbError(NtStatus.STATUS_INVALID_DEVICE_REQUEST)
    if not message.locks:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    counts = _verifies_sequence(request, one)
    if counts and one.lock_sequences.is_replay(message.lock_sequence):
        return Reply(Plain())
    if message.locks[0].flags & UNLOCK:
        _unlock(one, message.locks)
    else:
        await _lock(server, request, one, message.locks)
    if counts:
        one.lock_sequences.done(message.lock_sequence)
    return Reply(Plain())


def _verifies_sequence(request: Request, one: FileOpen) -> bool:
    """Whether a repeated request must be recognised: on handles that outlive a connection.

    Spec: [MS-SMB2] 3.3.5.14.
    """
    dialect = request.link.dialect
    return dialect != Dialect.SMB_2_0_2 and (dialect >= Dialect.SMB_3_0 or one.durable is not None)


def _unlock(one: FileOpen, elements: tuple[LockElement, ...]) -> None:
    """Spec: [MS-SMB2] 3.3.5.14.1: those before a failure stay unlocked."""
    try:
        for element in elements:
            if element.flags != UNLOCK:
                raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
            if not one.file.locks.release(element.offset, element.length, one):
                raise SmbError(NtStatus.STATUS_RANGE_NOT_LOCKED)
    finally:
        one.file.wake()


async def _lock(
    server: FileServer, request: Request, one: FileOpen, elements: tuple[LockElement, ...]
) -> None:
    """All of them or none. Spec: [MS-SMB2] 3.3.5.14.2."""
    taken: list[Lock] = []
    try:
        for element in elements:
            if element.flags not in _TAKES:
                raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
            waits = not element.flags & FAIL_IMMEDIATELY
            if waits and len(elements) > 1:
                raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
            if not is_range(element.offset, element.length):
                raise SmbError(NtStatus.STATUS_INVALID_LOCK_RANGE)
            if one.file.locks.is_full:
                raise SmbError(NtStatus.STATUS_INSUFFICIENT_RESOURCES)
            wanted = Lock(element.offset, element.length, bool(element.flags & EXCLUSIVE), one)
            server.send(one.file.caching.contend_data(one.holder))
            if not one.file.locks.take(wanted):
                if not waits:
                    raise SmbError(NtStatus.STATUS_LOCK_NOT_GRANTED)
                await _taken_later(request, one, wanted)
            taken.append(wanted)
    except SmbError:
        for held in taken:
            one.file.locks.release(held.offset, held.length, one)
        one.file.wake()
        raise


async def _taken_later(request: Request, one: FileOpen, wanted: Lock) -> None:
    """Wait for a range; when the open closes meanwhile, there is nothing to lock any more."""
    while True:
        future = one.file.changed()
        await request.go_async()
        await future
        if one not in one.file.opens:
            raise SmbError(NtStatus.STATUS_RANGE_NOT_LOCKED)
        if one.file.locks.take(wanted):
            return
