"""The SMB server without sockets: connections over a transport that only remembers, and a client.

The pipe `echo` gives back what was written to it; the pipe `quiet` never says anything.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, TypeVar, cast
from uuid import UUID

import pytest

from addc.auth.acceptor import Acceptor, AcceptorPolicy
from addc.auth.gss import GssAcceptor
from addc.codec import ntlm
from addc.codec.ntlm import NegotiateFlags
from addc.codec.pac import Pac, PacType, pack_ndr_buffer
from addc.codec.packed import Packed
from addc.codes.ntstatus import NtStatus
from addc.directory.api import Directory, Services
from addc.directory.groups import token_of_sids
from addc.security import sddl, wellknown
from addc.security.crypto.hashes import sha512
from addc.security.token import SYSTEM, Token
from addc.smb import messages as m
from addc.smb.connection import SmbConnection
from addc.smb.encryption import Sealer
from addc.smb.messages import Command, Dialect, Header
from addc.smb.pipes import Pipe, PipeClient
from addc.smb.policy import SmbPolicy
from addc.smb.request import Body, Written
from addc.smb.service import SmbServer
from addc.smb.shares import Share, ShareKind, ShareTable
from addc.smb.signing import Cipher, Signer, SigningAlgorithm, session_keys, signing_key
from tests.kit.corp import Corp
from tests.kit.corp_forest import ADMIN_PASSWORD, CountingRng, StandingClock
from tests.kit.ldap_desk import FakeAcceptor, FakeTransport
from tests.kit.ntlm_client import RANDOM_KEY, NtlmClient
from tests.kit.partner import info

ADMIN: Final = "Administrator"
GUID: Final = UUID("12345678-1234-1234-1234-123456789abc")
_ADMIN_GROUPS: Final = (512, 513)
_CONTEXTS: Final = (
    bytes.fromhex("0100 2600 00000000 0100 2000 0100") + bytes(32),
    bytes.fromhex("0200 0400 00000000 0100 0200"),
    bytes.fromhex("0800 0400 00000000 0100 0100"),
)
P = TypeVar("P", bound=Packed)


class SmbTransport(FakeTransport):
    """Takes what it is given, as fast as it comes."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        del high, low


class EchoPipe:
    """Gives back what it was given."""

    def __init__(self, client: PipeClient, *, quiet: bool = False) -> None:
        self.client = client
        self.quiet = quiet
        self.held = b""
        self.closed = False
        self._more = asyncio.Event()

    def write(self, data: bytes) -> None:
        if not self.quiet:
            self.held += data
            self._more.set()

    async def read(self, size_max: int) -> tuple[bytes, bool]:
        while not self.held:
            self._more.clear()
            await self._more.wait()
        data, self.held = self.held[:size_max], self.held[size_max:]
        return data, bool(self.held)

    def waiting(self) -> int:
        return len(self.held)

    def close(self) -> None:
        self.closed = True


@dataclass
class Answer:
    """A response taken apart."""

    header: Header
    message: bytes

    @property
    def status(self) -> NtStatus:
        return NtStatus(self.header.status)

    def body(self, kind: type[P]) -> P:
        return kind.unpack(self.message, m.HEADER_SIZE)


@dataclass
class SmbDesk:
    """A server, its clock, and its clients. pipes: those opened so far."""

    corp: Corp
    clock: StandingClock
    server: SmbServer
    runner: asyncio.Runner
    pipes: list[EchoPipe]

    def connect(self) -> "SmbClient":
        """A new connection, nothing negotiated."""
        protocol = self.server.connection()
        transport = SmbTransport()

        async def made() -> None:
            protocol.connection_made(transport)

        self.runner.run(made())
        return SmbClient(self, transport, protocol)

    def logged_on(self, dialect: Dialect = Dialect.SMB_3_1_1, *, encrypted: bool = False) -> "SmbClient":
        """A client whose user logged on; it has no tree yet."""
        client = self.connect()
        client.negotiate(dialect)
        client.encrypted = encrypted
        assert client.log_on().status is NtStatus.STATUS_SUCCESS
        return client

    def on_ipc(self, dialect: Dialect = Dialect.SMB_3_1_1, *, encrypted: bool = False) -> "SmbClient":
        """A client with a tree on IPC$."""
        client = self.logged_on(dialect, encrypted=encrypted)
        answer = client.ask(Command.TREE_CONNECT, m.TreeConnectRequest(0, "\\\\dc1\\IPC$"))
        assert answer.status is NtStatus.STATUS_SUCCESS
        client.tree_id = answer.header.tree_id
        return client

    def plain_user(self) -> Token:
        """Somebody who logged on and is no administrator."""
        user = self.corp.forest.domain_sid.child(1234)
        return self.server.directory.read_now(
            "test", SYSTEM, lambda ctx: token_of_sids(ctx, user, (wellknown.AUTHENTICATED_USERS,))
        )


@dataclass
class SmbClient:
    """The other end of one connection."""

    desk: SmbDesk
    transport: FakeTransport
    protocol: SmbConnection
    dialect: Dialect = Dialect.SMB_2_0_2
    next_id: int = 0
    session_id: int = 0
    tree_id: int = 0
    signer: Signer | None = None
    sealer: Sealer | None = None
    signed: bool = True
    encrypted: bool = False
    preauth: bytes = bytes(64)

    # --- octets ---

    def send_raw(self, data: bytes) -> list[Answer]:
        """What comes back until nothing can go on by itself."""

        async def deliver() -> None:
            self.protocol.data_received(data)
            for _ in range(8):
                await asyncio.sleep(0)
            await self._settled()

        self.desk.runner.run(deliver())
        return self.take()

    async def _settled(self) -> None:
        """Until every request is answered, or its client was told that it waits."""
        protocol = self.protocol
        while True:
            told = {id(batch) for batch in protocol._async_ids.values()}
            batches = [one for one in protocol._running.values() if id(one) not in told]
            tasks = {one.task for one in batches if one.task is not None}
            if not tasks:
                return
            await asyncio.wait(tasks, timeout=0.02)

    def take(self) -> list[Answer]:
        """The responses that came since the last look, compounds taken apart."""
        data, self.transport.written[:] = bytes(self.transport.written), b""
        found: list[Answer] = []
        while data:
            size = int.from_bytes(data[:4], "big")
            message, data = data[4 : 4 + size], data[4 + size :]
            if message.startswith(m.PROTOCOL_ID_TRANSFORM):
                assert self.sealer is not None
                message = self.sealer.open(memoryview(message))
            while message:
                header = Header.unpack(message)
                step = header.next_command or len(message)
                found.append(Answer(header, message[:step]))
                message = message[step:] if header.next_command else b""
        return found

    def message(self, command: int, body: Body, **fields: int) -> bytes:
        """A request with the next message id, signed if it should be. fields: of its header."""
        header = Header(command, self.next_id, credits=64, session_id=self.session_id, tree_id=self.tree_id)
        header.credit_charge = 0 if self.dialect is Dialect.SMB_2_0_2 else 1
        for name, value in fields.items():
            setattr(header, name, value)
        if command != Command.CANCEL and "message_id" not in fields:
            self.next_id += max(header.credit_charge, 1)
        signs = self.signer is not None and self.signed and not self.encrypted
        if signs:
            header.flags |= m.FLAGS_SIGNED
        made = bytearray(header.pack() + body.pack(m.HEADER_SIZE))
        if signs:
            assert self.signer is not None
            self.signer.sign(made)
        return bytes(made)

    def frame(self, message: bytes) -> bytes:
        if self.encrypted and self.sealer is not None:
            message = b"".join(self.sealer.seal(self.session_id, (message,)))
        return len(message).to_bytes(4, "big") + message

    def ask(self, command: int, body: Body, **fields: int) -> Answer:
        """The one answer to a request."""
        answers = self.send_raw(self.frame(self.message(command, body, **fields)))
        assert len(answers) == 1, answers
        return answers[0]

    def compound(self, *requests: tuple[int, Packed], related: bool = True) -> list[Answer]:
        """Requests in one frame."""
        parts: list[bytes] = []
        for index, (command, body) in enumerate(requests):
            size = m.HEADER_SIZE + len(body.pack(m.HEADER_SIZE))
            padded = size + -size % 8
            last = index == len(requests) - 1
            body_then = Padded(body, padded - size)
            flags = m.FLAGS_RELATED_OPERATIONS if related and index else 0
            parts.append(self.message(command, body_then, next_command=0 if last else padded, flags=flags))
        return self.send_raw(self.frame(b"".join(parts)))

    # --- conversations ---

    def negotiate(self, *dialects: Dialect, capabilities: int = m.CAP_ENCRYPTION) -> Answer:
        """Offer dialects; one of 3.1.1 brings AES-128-GCM and AES-CMAC."""
        body = m.NegotiateRequest(tuple(dialects), m.SIGNING_ENABLED, capabilities, GUID)
        raw = body.pack()
        if Dialect.SMB_3_1_1 in dialects:
            at = m.HEADER_SIZE + len(raw)
            at += -at % 8
            body = m.NegotiateRequest(
                tuple(dialects), m.SIGNING_ENABLED, capabilities, GUID, at, len(_CONTEXTS)
            )
            raw = body.pack().ljust(at - m.HEADER_SIZE, b"\0")
            for context in _CONTEXTS:
                raw += context + bytes(-len(context) % 8)
        message = self.message(Command.NEGOTIATE, Written(raw))
        answers = self.send_raw(self.frame(message))
        if not answers:
            return Answer(Header(0, 0, status=NtStatus.STATUS_CONNECTION_DISCONNECTED), b"")
        self.preauth = sha512(sha512(bytes(64) + message) + answers[0].message)
        if answers[0].status is NtStatus.STATUS_SUCCESS:
            self.dialect = Dialect(answers[0].body(m.NegotiateResponse).dialect)
        return answers[0]

    def _setup(self, token: bytes, flags: int, previous: int) -> tuple[bytes, Answer]:
        body = m.SessionSetupRequest(flags, m.SIGNING_ENABLED, 0, token, previous)
        message = self.message(Command.SESSION_SETUP, body, tree_id=0)
        (answer,) = self.send_raw(self.frame(message))
        return message, answer

    def log_on(
        self, user: str = ADMIN, password: str = ADMIN_PASSWORD, *, previous: int = 0, flags: int = 0
    ) -> Answer:
        """A session of this user by NTLM; keys of the client are set when it is there."""
        client = NtlmClient.of(user, password)
        encrypted, self.encrypted = self.encrypted, False
        first, challenge = self._setup(client.negotiate(), flags, previous)
        if challenge.status is not NtStatus.STATUS_MORE_PROCESSING_REQUIRED:
            return challenge
        self.session_id = challenge.header.session_id
        preauth = sha512(sha512(self.preauth + first) + challenge.message)
        token = client.authenticate(challenge.body(m.SessionSetupResponse).security_buffer)
        last, answer = self._setup(token, flags, previous)
        if answer.status is NtStatus.STATUS_SUCCESS:
            self._derive(sha512(preauth + last), binding=bool(flags & m.SESSION_FLAG_BINDING))
            assert self.signer is not None and self.signer.verifies(memoryview(answer.message))
        self.encrypted = encrypted
        return answer

    def log_on_again(self, user: str = ADMIN, password: str = ADMIN_PASSWORD) -> Answer:
        """The session's proof renewed; its keys stay."""
        client = NtlmClient.of(user, password)
        _, challenge = self._setup(client.negotiate(), 0, 0)
        token = client.authenticate(challenge.body(m.SessionSetupResponse).security_buffer)
        return self._setup(token, 0, 0)[1]

    def log_on_as_nobody(self) -> Answer:
        """A null session, which has no keys."""
        flags = NtlmClient("", "").flags & ~int(NegotiateFlags.KEY_EXCH) | int(NegotiateFlags.ANONYMOUS)
        _, challenge = self._setup(ntlm.Negotiate(flags).pack(), 0, 0)
        self.session_id = challenge.header.session_id
        nobody = ntlm.Authenticate(b"\0", b"", "", "", "", b"", flags, bytes(16)).pack()
        return self._setup(nobody, 0, 0)[1]

    def _derive(self, preauth: bytes, *, binding: bool) -> None:
        algorithm = SigningAlgorithm.HMAC_SHA256
        if self.dialect >= Dialect.SMB_3_0:
            algorithm = SigningAlgorithm.AES_CMAC
        self.signer = Signer(algorithm, signing_key(self.dialect, RANDOM_KEY, preauth))
        if self.dialect < Dialect.SMB_3_0 or binding:
            return
        cipher = Cipher.AES_128_GCM if self.dialect is Dialect.SMB_3_1_1 else Cipher.AES_128_CCM
        keys = session_keys(self.dialect, cipher, RANDOM_KEY, preauth)
        self.sealer = Sealer(cipher, keys.decryption, keys.encryption)

    def create(self, name: str = "echo") -> Answer:
        """Open a pipe."""
        return self.ask(Command.CREATE, create_request(name))

    def opened(self, name: str = "echo") -> m.FileId:
        answer = self.create(name)
        assert answer.status is NtStatus.STATUS_SUCCESS
        return answer.body(m.CreateResponse).file_id


@dataclass(frozen=True)
class Padded:
    """A body with zeros behind it, as compounds want it."""

    body: Packed
    zeros: int

    def pack(self, at: int = 0) -> bytes:
        return self.body.pack(at) + bytes(self.zeros)


def create_request(name: str) -> m.CreateRequest:
    return m.CreateRequest(0, 2, 0x0012_019F, 0, 3, 1, 0, name)


def write_request(file_id: m.FileId, data: bytes) -> m.WriteRequest:
    return m.WriteRequest(memoryview(data), 0, file_id, 0, 0, b"", 0)


def read_request(file_id: m.FileId, length: int = 1024) -> m.ReadRequest:
    return m.ReadRequest(0, length, 0, file_id, 0, 0, 0)


def ioctl_request(code: int, file_id: m.FileId, data: bytes = b"", room: int = 4096) -> m.IoctlRequest:
    nothing = memoryview(b"")
    return m.IoctlRequest(code, file_id, memoryview(data), 0, nothing, room, m.IOCTL_IS_FSCTL)


def open_smb_desk(corp: Corp, runner: asyncio.Runner, policy: SmbPolicy | None = None) -> SmbDesk:
    """A server over a forest: IPC$, `private` of administrators, `sealed` for encryption alone."""
    clock = StandingClock(corp.now)
    services = Services(clock, CountingRng(b"smb"))
    directory = Directory(corp.store, corp.schema, services)
    logon = info(500, _ADMIN_GROUPS, domain=corp.forest.domain_sid)
    kerberos = FakeAcceptor(Pac(((PacType.LOGON_INFO, pack_ndr_buffer(logon)),)).pack())
    acceptor = Acceptor(directory, cast(GssAcceptor, kerberos), services, AcceptorPolicy())
    private = sddl.parse("D:(A;;GA;;;BA)")
    shares = ShareTable(
        (Share("IPC$", ShareKind.PIPE), Share("private", descriptor=private), Share("sealed", encrypt=True))
    )
    pipes: list[EchoPipe] = []

    def door(name: str, client: PipeClient) -> Pipe | None:
        if name not in ("echo", "quiet", "lsarpc"):
            return None
        pipes.append(EchoPipe(client, quiet=name == "quiet"))
        return pipes[-1]

    server = SmbServer(directory, services, acceptor, shares, door, policy=policy)
    return SmbDesk(corp, clock, server, runner, pipes)


@pytest.fixture
def smb_desk(corp_sqlite: Corp, runner: asyncio.Runner) -> SmbDesk:
    """A server over a fresh copy of the forest."""
    return open_smb_desk(corp_sqlite, runner)
