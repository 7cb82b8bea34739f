"""SMB loads: sessions, small files of SYSVOL, a large file of a share, idle sessions.

The share `bench` is a folder of the server's host; it holds one file, which the write load makes.
"""

import os
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Final

from addc.codes.ntstatus import NtStatus
from addc.rpc.interfaces.netlogon.idl import NETLOGON
from addc.smb import messages as m
from addc.smb.messages import Command
from tests.bench.load_kit import Settings, Tally
from tests.bench.load_rpc import MORE, in_turn, smb_session
from tests.kit.member_machine import RpcSocket, port_of
from tests.kit.smb_wire import SmbWire, open_request, read_body, status_of, write_request

SHARE: Final = "bench"
_FILE: Final = "large.bin"
_CHUNK: Final = 1 << 20
_FILE_SIZE: Final = 1 << 30
_WINDOW: Final = 8
_READ_WRITE: Final = 0x0012_019F
_OPEN_IF: Final = 3
_POLICY: Final = "Policies\\{31B2F340-016D-11D2-945F-00C04FB984F9}\\GPT.INI"
_LOOKED_AT: Final = 3
_FILE_ID: Final = struct.Struct("<QQ")
_SMALL_READ: Final = 4096


def session_setups(settings: Settings) -> Tally:
    """Connect, negotiate, log on with a ticket."""
    tally = settings.tally()
    while tally.going:
        started = time.monotonic()
        smb_session(settings).close()
        tally.good()
        tally.delays_s.append(time.monotonic() - started)
    return tally.stop()


class SmallFiles:
    """Open, read and close one file, as three requests."""

    def __init__(self, settings: Settings) -> None:
        self.wire = smb_session(settings, "SYSVOL")
        self.sock = self.wire.sock
        name = f"{settings.realm.lower()}\\{_POLICY}"
        self._create = open_request(name).pack(m.HEADER_SIZE)
        self._file_id = m.FileId(0, 0)
        self._steps = cycle((Command.CREATE, Command.READ, Command.CLOSE))
        self._step = Command.CREATE
        self._looked_at = 0

    def ask(self) -> bytes:
        self._step = step = next(self._steps)
        if step is Command.CREATE:
            return self.wire.message(step, self._create)
        if step is Command.READ:
            body = read_body(self._file_id, _SMALL_READ)
            return self.wire.message(step, body)
        return self.wire.message(step, m.CloseRequest(0, self._file_id).pack(m.HEADER_SIZE))

    def take(self, chunk: bytes) -> str | None:
        message = self.wire.take_final(chunk)
        if message is None:
            return None
        if status_of(message):
            raise RuntimeError(f"{self._step.name}: {status_of(message):#x}")
        if self._looked_at < _LOOKED_AT:
            self._looked_at += 1
            message = self.wire.opened(message)
            if self._step is Command.READ and b"[General]" not in message:
                return "another file"
        if self._step is Command.CREATE:
            self._file_id = m.FileId(*_FILE_ID.unpack_from(message, m.HEADER_SIZE + 64))
        return "" if self._step is Command.CLOSE else MORE


def small_files(settings: Settings) -> Tally:
    return in_turn(settings, [SmallFiles(settings) for _ in range(settings.connections)])


# --- a large file ---


def _transfer(settings: Settings, wire: SmbWire, requests: Iterator[bytes]) -> Tally:
    """Keep a window of requests in flight; counts the mebibytes that were answered."""
    sock, tally = wire.sock, settings.tally()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    buffer = memoryview(bytearray(_CHUNK + 65_536))
    for _ in range(_WINDOW):
        sock.sendall(next(requests))
    while tally.going:
        size = _received(sock, buffer)
        fault = "" if tally.count >= _LOOKED_AT else _looked_at(wire, bytes(buffer[:size]))
        if fault == MORE:
            continue
        tally.take(fault)
        sock.sendall(next(requests))
    sock.close()
    return tally.stop()


def _received(sock: socket.socket, buffer: memoryview) -> int:
    """The size of the next message, which is in the buffer."""
    head = sock.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        raise ConnectionError("closed by the server")
    size, at = int.from_bytes(head, "big"), 0
    while at < size:
        got = sock.recv_into(buffer[at:size], size - at)
        if not got:
            raise ConnectionError("closed by the server")
        at += got
    return size


def _looked_at(wire: SmbWire, message: bytes) -> str:
    plain = wire.opened(message)
    status = status_of(plain)
    if status == NtStatus.STATUS_PENDING:
        return MORE
    return f"{status:#x}" if status else ""


def _offsets(size: int) -> Iterator[int]:
    return cycle(range(0, size, _CHUNK))


def write_large(settings: Settings) -> Tally:
    """1 GB in pieces of 1 MiB, again and again."""
    wire = smb_session(settings, SHARE)
    file_id, data = wire.open(_FILE, _READ_WRITE, _OPEN_IF), os.urandom(_CHUNK)
    requests = (
        wire.message(Command.WRITE, write_request(file_id, data, at).pack(m.HEADER_SIZE), payload=_CHUNK)
        for at in _offsets(_FILE_SIZE)
    )
    return _transfer(settings, wire, requests)


def fill_large(settings: Settings) -> Tally:
    """The whole file, once."""
    wire, tally = smb_session(settings, SHARE), settings.tally()
    file_id, data = wire.open(_FILE, _READ_WRITE, _OPEN_IF), os.urandom(_CHUNK)
    for at in range(0, _FILE_SIZE, _CHUNK):
        wire.write(file_id, data, at)
        tally.good()
    wire.close_file(file_id)
    wire.close()
    return tally.stop()


def read_large(settings: Settings, *, encrypted: bool) -> Tally:
    wire = smb_session(settings, SHARE)
    wire.encrypted = encrypted
    file_id = wire.open(_FILE)
    requests = (
        wire.message(Command.READ, read_body(file_id, _CHUNK, at), payload=_CHUNK)
        for at in _offsets(_FILE_SIZE)
    )
    return _transfer(settings, wire, requests)


# --- idle ---


def hold_sessions(settings: Settings) -> Tally:
    """As many sessions as `connections`, each with a tree, until standard input ends."""
    return _hold(settings, lambda: smb_session(settings, "IPC$"))


def hold_rpc(settings: Settings) -> Tally:
    """As many RPC connections, each bound to netlogon."""
    port = port_of(settings.address, NETLOGON)
    return _hold(settings, lambda: RpcSocket(settings.address, port).bind(NETLOGON))


def _hold(settings: Settings, begin: Callable[[], SmbWire | RpcSocket]) -> Tally:
    tally, held = settings.tally(), []
    for _ in range(settings.connections):
        held.append(begin())
        tally.good()
    print("held", flush=True)
    sys.stdin.read()
    for one in held:
        one.close()
    return tally.stop()


KINDS: Final[dict[str, Callable[[Settings], Tally]]] = {
    "session_setup": session_setups,
    "small_files": small_files,
    "write_large": write_large,
    "fill_large": fill_large,
    "read_signed": lambda s: read_large(s, encrypted=False),
    "read_encrypted": lambda s: read_large(s, encrypted=True),
    "hold_sessions": hold_sessions,
    "hold_rpc": hold_rpc,
}
