"""Damaged SMB2 requests through a whole server: strangers, nobody, users; on pipes, SYSVOL and a host folder.

A message says who sends it and how (signed, encrypted, in a compound); bodies are signed after the damage, so
that it reaches the handlers. What a client has open is meant by marks in place of file ids.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast
from uuid import UUID

from addc.auth.acceptor import Acceptor, AcceptorPolicy
from addc.auth.gss import GssAcceptor
from addc.codes.ntstatus import NtStatus
from addc.directory.api import Directory, Services
from addc.rpc.call import RpcHost
from addc.rpc.service import RpcService
from addc.security import sddl
from addc.server.interfaces import SERVED
from addc.smb import create_contexts as cc
from addc.smb import fscc
from addc.smb import messages as m
from addc.smb.file_handlers import file_handlers
from addc.smb.file_ioctls import file_ioctls
from addc.smb.host_volume import HostVolume
from addc.smb.messages import Command, Dialect
from addc.smb.opens import FileServer
from addc.smb.request import Written
from addc.smb.service import SmbServer
from addc.smb.shares import Share, ShareKind, ShareTable
from addc.smb.sysvol_volume import SysvolVolume
from tests.kit.corp import Corp
from tests.kit.corp_forest import ANSWERS, NOW, StandingClock
from tests.kit.ldap_desk import FakeAcceptor
from tests.kit.rpc_wire import bind, request
from tests.kit.smb_desk import SmbClient, SmbDesk

_HEAD: Final = 4
_WAIT_S: Final = 0.02
_MARK: Final = b"fuzzed-file-id-"
_LIVES: Final = 60
"""Messages until a client is let go, with what it holds."""
_ENCRYPTED, _COMPOUND, _RELATED, _UNSIGNED, _WILD = 0x80, 0x40, 0x20, 0x10, 0x08
_SHARES: Final = ("IPC$", "SYSVOL", "files")
_NAMES: Final = {
    "IPC$": ("lsarpc", "samr"),
    "SYSVOL": ("", ANSWERS.dns_domain),
    "files": ("", "one.txt", "two"),
}
_FULL: Final = 0x0200_0000
_LOGS: Final = ("addc.rpc", "addc.smb")
_SET_CLASSES: Final = (4, 10, 11, 13, 15, 16, 19, 20, 64, 65, 0)


def _id(number: int) -> m.FileId:
    mark = _MARK + b"%d" % number
    return m.FileId(int.from_bytes(mark[:8], "little"), int.from_bytes(mark[8:], "little"))


class Failures(logging.Handler):
    """Keeps what the product logs as an error, also from tasks that nobody waits for."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []
        for name in _LOGS:
            logging.getLogger(name).addHandler(self)

    def close(self) -> None:
        for name in _LOGS:
            logging.getLogger(name).removeHandler(self)
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def check(self) -> None:
        """Raises the first of them."""
        found, self.records = self.records, []
        for record in found:
            if record.exc_info and record.exc_info[1] is not None:
                raise record.exc_info[1]
            raise AssertionError(record.getMessage())


@dataclass
class FuzzDesk:
    """The server and its clients, by who and where they are. Broken ones are replaced."""

    desk: SmbDesk
    clients: dict[tuple[int, str], SmbClient] = field(default_factory=dict)
    opens: dict[tuple[int, str], list[m.FileId]] = field(default_factory=dict)
    ages: dict[tuple[int, str], int] = field(default_factory=dict)
    failures: Failures = field(default_factory=Failures)

    def client(self, who: int, share: str) -> SmbClient:
        """who: 0 a stranger, 1 a null session, 2 and 3 an administrator, on 3.1.1 and on 2.1."""
        key = (who, share)
        client = self.clients.get(key)
        self.ages[key] = self.ages.get(key, 0) + 1
        worn = self.ages[key] % _LIVES == 0
        if client is None or worn or not client.protocol.is_open or client.protocol.window.available < 8:
            if client is not None:
                self._gone(client)
            client = self.clients[key] = self._connected(who, share)
            self.opens[key] = [] if who < 2 else self._opened(client, share)
        return client

    def _gone(self, client: SmbClient) -> None:
        async def lost() -> None:
            client.protocol.connection_lost(None)
            await asyncio.sleep(0)

        self.desk.runner.run(lost())

    def _connected(self, who: int, share: str) -> SmbClient:
        client = self.desk.connect()
        client.negotiate(Dialect.SMB_2_1 if who == 3 else Dialect.SMB_3_1_1)
        if who == 0:
            return client
        answer = client.log_on_as_nobody() if who == 1 else client.log_on()
        assert answer.status is NtStatus.STATUS_SUCCESS, answer.status
        path = f"\\\\dc1\\{share if who > 1 else 'IPC$'}"
        answer = client.ask(Command.TREE_CONNECT, m.TreeConnectRequest(0, path))
        assert answer.status is NtStatus.STATUS_SUCCESS, answer.status
        client.tree_id = answer.header.tree_id
        return client

    def _opened(self, client: SmbClient, share: str) -> list[m.FileId]:
        found = []
        for name in _NAMES[share]:
            options = 0 if "." in name and share == "files" else int(share != "IPC$")
            body = m.CreateRequest(0, 2, _FULL, 0, 7, 3 if share == "files" else 1, options, name)
            answer = client.ask(Command.CREATE, body)
            if answer.status is NtStatus.STATUS_SUCCESS:
                found.append(answer.body(m.CreateResponse).file_id)
        return found

    def feed(self, data: bytes) -> None:
        """One frame; whatever it is, the server lives and tells of no failure of its own."""
        head = data[:_HEAD].ljust(_HEAD, b"\0")
        who, share, command, how = head[0] % 4, _SHARES[head[1] % 3], head[2], head[3]
        client = self.client(who, share)
        client.encrypted = bool(how & _ENCRYPTED) and client.sealer is not None
        client.signed = not how & _UNSIGNED
        body = data[_HEAD:]
        for number, file_id in enumerate(self.opens[who, share]):
            body = body.replace(_MARK + b"%d" % number, file_id.pack())
        if how & _WILD:
            message = data[_HEAD:]
        elif how & _COMPOUND:
            message = self._compound(client, command, body, related=bool(how & _RELATED))
        else:
            message = client.message(command, Written(body))
        self._send(client, client.frame(message))
        self.failures.check()

    @staticmethod
    def _compound(client: SmbClient, command: int, body: bytes, *, related: bool) -> bytes:
        """CREATE of something, and the request upon it."""
        first = m.CreateRequest(0, 2, _FULL, 0, 7, 3, 0, "one.txt").pack(m.HEADER_SIZE)
        first += bytes(-(m.HEADER_SIZE + len(first)) % 8)
        opening = client.message(5, Written(first), next_command=m.HEADER_SIZE + len(first))
        flags = m.FLAGS_RELATED_OPERATIONS if related else 0
        return opening + client.message(command, Written(body), flags=flags)

    def _send(self, client: SmbClient, data: bytes) -> None:
        protocol = client.protocol

        async def deliver() -> None:
            protocol.data_received(data)
            await asyncio.sleep(0)
            told = {id(batch) for batch in protocol._async_ids.values()}
            running = [one.task for one in protocol._running.values() if id(one) not in told]
            tasks = {one for one in running if one is not None}
            if tasks:
                await asyncio.wait(tasks, timeout=_WAIT_S)

        self.desk.runner.run(deliver())
        out, client.transport.written[:] = bytes(client.transport.written), b""
        while out:
            size = int.from_bytes(out[:4], "big")
            assert out[4:8] in (m.PROTOCOL_ID, m.PROTOCOL_ID_TRANSFORM), out[:16].hex()
            assert len(out) >= 4 + size
            out = out[4 + size :]


def desk(directory: Directory, services: Services, folder: Path, runner: asyncio.Runner) -> FuzzDesk:
    """A server with its own shares and one of a host folder, its pipes those of the DC."""
    folder.mkdir(exist_ok=True)
    kerberos = FakeAcceptor(b"")
    acceptor = Acceptor(directory, cast(GssAcceptor, kerberos), services, AcceptorPolicy())
    rpc = RpcService(directory, services, acceptor, SERVED, host=RpcHost())
    everybody = sddl.parse("D:(A;;FA;;;WD)")

    async def opened() -> SmbServer:
        volume = HostVolume(directory, "files", str(folder), created_ft=NOW)
        shares = ShareTable(
            (
                Share("IPC$", ShareKind.PIPE),
                Share("SYSVOL", volume=SysvolVolume(directory), dfs=True),
                Share("files", volume=volume, descriptor=everybody),
            )
        )
        server = SmbServer(directory, services, acceptor, shares, rpc.open_pipe)
        files = FileServer(server)
        server.files, server.file_ioctls = file_handlers(files), file_ioctls(files)
        return server

    server = runner.run(opened())
    return FuzzDesk(SmbDesk(cast(Corp, None), cast(StandingClock, services.clock), server, runner, []))


def context_chains() -> list[bytes]:
    """Chains of create contexts."""
    key, guid = bytes(range(16)), UUID(int=7)
    every = [
        (cc.LEASE, cc.LeaseV1(key, 7, 0).pack()),
        (cc.LEASE, cc.LeaseV2(key, 7, 4, bytes(16), 1).pack()),
        (cc.DURABLE_REQUEST, bytes(16)),
        (cc.DURABLE_REQUEST_V2, cc.DurableRequestV2(0, 0, guid).pack()),
        (cc.DURABLE_RECONNECT, cc.DurableReconnect(_id(0)).pack()),
        (cc.DURABLE_RECONNECT_V2, cc.DurableReconnectV2(_id(0), guid, 0).pack()),
        (cc.MAXIMAL_ACCESS, b""),
        (cc.ON_DISK_ID, b""),
        (cc.ALLOCATION_SIZE, cc.Quad(4096).pack()),
        (cc.TIMEWARP, cc.Quad(5).pack()),
        (cc.SECURITY_DESCRIPTOR, sddl.parse("O:BAG:BAD:(A;;FA;;;WD)").pack()),
        (cc.EXTENDED_ATTRIBUTES, bytes(16)),
        (cc.APP_INSTANCE_ID, cc.AppInstanceId(guid).pack()),
        (cc.APP_INSTANCE_VERSION, cc.AppInstanceVersion(1, 2).pack()),
    ]
    return [cc.write_contexts([one]) for one in every] + [cc.write_contexts(every[n::3]) for n in range(3)]


def _creates() -> list[bytes]:
    names = ("", "one.txt", "two\\x", f"{ANSWERS.dns_domain}\\Policies", "..\\x", "a:b", "lsarpc", "x" * 300)
    made = [
        m.CreateRequest(oplock, 2, _FULL, 0x20, 7, disposition, options, name)
        for name in names
        for oplock, disposition, options in ((0, 1, 0), (9, 3, 0), (0, 3, 1), (8, 5, 0x1000), (0, 2, 0x40))
    ]
    made += [m.CreateRequest(255, 2, _FULL, 0x20, 7, 3, 0, "one.txt", chain) for chain in context_chains()]
    return [one.pack(m.HEADER_SIZE) for one in made]


def _infos() -> list[bytes]:
    """SET_INFO of every class, with a buffer that fits some of them."""
    buffers = [
        fscc.BasicInformation(0, 0, 0, 0, 0x20).pack(),
        fscc.RenameInformation(1, 0, "new.txt").pack(),
        fscc.NumberInformation(10).pack(),
        b"\1",
        sddl.parse("O:BAG:BAD:(A;;FA;;;WD)").pack(),
        bytes(64),
    ]
    made = [m.SetInfoRequest(1, kind, one, 7, _id(1)) for kind in _SET_CLASSES for one in buffers]
    made += [m.SetInfoRequest(3, 0, buffers[4], what, _id(1)) for what in (1, 4, 7, 8, 0xFFFF_FFFF)]
    made += [m.SetInfoRequest(2, kind, buffers[5], 0, _id(0)) for kind in (2, 6, 8)]
    return [one.pack(m.HEADER_SIZE) for one in made]


def _ioctls() -> list[bytes]:
    referral = b"\4\0" + f"\\{ANSWERS.dns_domain}\\sysvol\0".encode("utf-16-le")
    chunk = (
        bytes(24) + (1).to_bytes(4, "little") + bytes(4) + bytes(16) + (10).to_bytes(4, "little") + bytes(4)
    )
    call = bind() + request()
    codes = [
        (0x0006_0194, referral), (0x0006_01B0, b"\4\0\0\0" + len(referral).to_bytes(4, "little") + referral),
        (0x0014_01FC, b""), (0x0014_0204, bytes(24) + b"\1\0\x11\3"), (0x0011_400C, b""),
        (0x0011_0018, bytes(32)), (0x0009_8208, bytes(16)),
        (0x0011_C017, call), (0x0014_0078, b""), (0x0014_40F2, chunk), (0x0014_80F2, chunk),
        (0x0009_40CF, bytes(16)), (0x0009_80C8, bytes(16)), (0x0009_00A4, bytes(16)), (0x0014_01D4, bytes(8)),
        (0x0009_C040, b"\1\0"), (0x0009_003C, b""), (0x0014_4064, bytes(16)),
    ]  # fmt: skip
    empty = memoryview(b"")
    made = [m.IoctlRequest(code, _id(0), memoryview(data), 0, empty, 4096, 1) for code, data in codes]
    made += [m.IoctlRequest(code, m.ANY_FILE, memoryview(data), 0, empty, 4096, 1) for code, data in codes]
    return [one.pack(m.HEADER_SIZE) for one in made]


def _others() -> list[tuple[int, bytes]]:
    nothing = memoryview(b"stuff" * 8)
    negotiate = m.NegotiateRequest((0x0202, 0x0210, 0x0300, 0x0302), 1, 0x7F, UUID(int=3))
    made = [
        (Command.NEGOTIATE, negotiate),
        (Command.SESSION_SETUP, m.SessionSetupRequest(0, 1, 0, b"NTLMSSP\0\1\0\0\0" + bytes(40))),
        (Command.SESSION_SETUP, m.SessionSetupRequest(1, 1, 0, b"\x60\x28\x06\x06" + bytes(40))),
        (Command.TREE_CONNECT, m.TreeConnectRequest(0, "\\\\dc1\\SYSVOL")),
        (Command.CLOSE, m.CloseRequest(1, _id(1))),
        (Command.FLUSH, m.FlushRequest(_id(1))),
        (Command.READ, m.ReadRequest(0, 100, 0, _id(1), 0, 0, 0)),
        (Command.WRITE, m.WriteRequest(nothing, 0, _id(1), 0, 0, b"", 0)),
        (Command.WRITE, m.WriteRequest(memoryview(bind() + request()), 0, _id(0), 0, 0, b"", 0)),
        (Command.LOCK, m.LockRequest((m.LockElement(0, 10, 2), m.LockElement(5, 1, 17)), 0, _id(1))),
        (Command.ECHO, m.Plain()),
        (Command.CANCEL, m.Plain()),
        (Command.LOGOFF, m.Plain()),
        (Command.TREE_DISCONNECT, m.Plain()),
        (Command.CHANGE_NOTIFY, m.ChangeNotifyRequest(1, 1000, _id(0), 0xFFF)),
        (Command.OPLOCK_BREAK, m.OplockBreak(1, _id(1))),
        (Command.OPLOCK_BREAK, m.LeaseBreak(0, bytes(range(16)), 1)),
    ]  # fmt: skip
    made += [
        (Command.QUERY_DIRECTORY, m.QueryDirectoryRequest(kind, 1, 0, _id(0), "*", 4096))
        for kind in (1, 2, 3, 12, 37, 38, 60)
    ]
    made += [
        (Command.QUERY_INFO, m.QueryInfoRequest(1, kind, 4096, b"", 0, 0, _id(1))) for kind in range(4, 70)
    ]
    made += [
        (Command.QUERY_INFO, m.QueryInfoRequest(2, kind, 4096, b"", 0, 0, _id(0))) for kind in range(1, 13)
    ]
    made += [(Command.QUERY_INFO, m.QueryInfoRequest(3, 0, 4096, b"", what, 0, _id(1))) for what in (1, 7, 8)]
    return [(int(command), body.pack(m.HEADER_SIZE)) for command, body in made]


def seeds() -> list[bytes]:
    """Good requests of every command by every sort of client."""
    bodies = _others()
    bodies += [(int(Command.CREATE), one) for one in _creates()]
    bodies += [(int(Command.SET_INFO), one) for one in _infos()]
    bodies += [(int(Command.IOCTL), one) for one in _ioctls()]
    made = []
    for number, (command, body) in enumerate(bodies):
        for who in (2, 2, number % 4):
            for share in range(3):
                how = (0, _ENCRYPTED, _COMPOUND, _COMPOUND | _RELATED, 0, _UNSIGNED)[(number + share) % 6]
                made.append(bytes((who, share, command, how)) + body)
        whole = m.Header(command, 3).pack() + body
        made.append(bytes((number % 4, 0, 0, _WILD)) + whole)
        made.append(bytes((2, 2, 0, _WILD | _ENCRYPTED)) + whole)
    return made
