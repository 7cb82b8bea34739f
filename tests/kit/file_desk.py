"""A share of files on the SMB desk: a host folder, and short words for what clients do with it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from addc.codes.ntstatus import NtStatus
from addc.directory import operator_shares
from addc.directory.operator_shares import OperatorShare
from addc.security import sddl
from addc.security.token import SYSTEM
from addc.smb import messages as m
from addc.smb.file_handlers import file_handlers
from addc.smb.file_ioctls import file_ioctls
from addc.smb.host_shares import HostShares
from addc.smb.messages import Command, Dialect
from addc.smb.opens import FileServer
from tests.kit.corp import Corp
from tests.kit.smb_desk import Answer, SmbClient, SmbDesk, open_smb_desk, write_request

EVERYBODY = "O:BAG:BAD:(A;OICI;FA;;;WD)"
FULL = 0x001F_01FF
OPEN, CREATE, OPEN_IF, OVERWRITE_IF = 1, 2, 3, 5
FOLDER, PLAIN, DELETE_ON_CLOSE = 0x1, 0x40, 0x1000


@dataclass
class FileDesk:
    """The desk, the files' tables, and the host's folder."""

    desk: SmbDesk
    files: FileServer
    folder: Path

    def user(self, dialect: Dialect = Dialect.SMB_3_1_1) -> "FileUser":
        """Somebody connected to the share."""
        client = self.desk.logged_on(dialect)
        answer = client.ask(Command.TREE_CONNECT, m.TreeConnectRequest(0, "\\\\dc1\\files"))
        assert answer.status is NtStatus.STATUS_SUCCESS
        client.tree_id = answer.header.tree_id
        return FileUser(client)


@dataclass
class FileUser:
    """A client with a tree on the share."""

    client: SmbClient

    def finished(self) -> list[Answer]:
        """The answers of everything that waits; it must end by itself."""
        running = self.client.protocol._running

        async def done() -> None:
            while tasks := {batch.task for batch in running.values() if batch.task is not None}:
                await asyncio.wait(tasks)

        self.client.desk.runner.run(done())
        return self.client.take()

    def create(
        self,
        name: str,
        access: int = FULL,
        disposition: int = OPEN_IF,
        *,
        share: int = 7,
        options: int = 0,
        attributes: int = 0,
        oplock: int = 0,
        contexts: bytes = b"",
    ) -> Answer:
        body = m.CreateRequest(oplock, 2, access, attributes, share, disposition, options, name, contexts)
        return self.client.ask(Command.CREATE, body)

    def opened(self, name: str, access: int = FULL, disposition: int = OPEN_IF, **more: int) -> m.FileId:
        answer = self.create(name, access, disposition, **more)  # type: ignore[arg-type]
        assert answer.status is NtStatus.STATUS_SUCCESS, answer.status
        return answer.body(m.CreateResponse).file_id

    def close(self, file_id: m.FileId) -> NtStatus:
        return self.client.ask(Command.CLOSE, m.CloseRequest(0, file_id)).status

    def write(self, file_id: m.FileId, data: bytes) -> NtStatus:
        return self.client.ask(Command.WRITE, write_request(file_id, data)).status

    def read(self, file_id: m.FileId, length: int = 1024) -> tuple[NtStatus, bytes]:
        answer = self.client.ask(Command.READ, m.ReadRequest(0, length, 0, file_id, 0, 0, 0))
        return answer.status, bytes(answer.message[m.HEADER_SIZE + 16 :])

    def set_info(
        self, file_id: m.FileId, kind: int, data: bytes, info_type: int = 1, what: int = 0
    ) -> NtStatus:
        return self.client.ask(
            Command.SET_INFO, m.SetInfoRequest(info_type, kind, data, what, file_id)
        ).status

    def query(
        self, file_id: m.FileId, kind: int, info_type: int = 1, what: int = 0
    ) -> tuple[NtStatus, bytes]:
        answer = self.client.ask(
            Command.QUERY_INFO, m.QueryInfoRequest(info_type, kind, 4096, b"", what, 0, file_id)
        )
        if answer.status is not NtStatus.STATUS_SUCCESS:
            return answer.status, b""
        return answer.status, answer.body(m.OutputResponse).output

    def listing(self, file_id: m.FileId, pattern: str = "*", flags: int = 0) -> tuple[NtStatus, bytes]:
        answer = self.client.ask(
            Command.QUERY_DIRECTORY, m.QueryDirectoryRequest(12, flags, 0, file_id, pattern, 4096)
        )
        if answer.status is not NtStatus.STATUS_SUCCESS:
            return answer.status, b""
        return answer.status, answer.body(m.OutputResponse).output

    def lock(self, file_id: m.FileId, offset: int, length: int, flags: int) -> NtStatus:
        element = m.LockElement(offset, length, flags)
        return self.client.ask(Command.LOCK, m.LockRequest((element,), 0, file_id)).status


@pytest.fixture
def file_desk(corp_sqlite: Corp, runner: asyncio.Runner, tmp_path: Path) -> FileDesk:
    """The desk with a share `files` that lets everybody in."""
    desk = open_smb_desk(corp_sqlite, runner)
    folder = tmp_path / "files"
    folder.mkdir()
    share = OperatorShare("files", str(folder))
    directory = desk.server.directory
    directory.write_now("test", SYSTEM, lambda ctx: operator_shares.put(ctx, share, sddl.parse(EVERYBODY)))
    HostShares(directory, desk.server.shares, desk.clock.now).refresh()
    files = FileServer(desk.server)
    desk.server.files, desk.server.file_ioctls = file_handlers(files), file_ioctls(files)
    return FileDesk(desk, files, folder)
