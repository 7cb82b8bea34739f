"""An SMB 3.1.1 client on a blocking socket: Kerberos, signing by AES-GMAC, encryption by AES-128-GCM.

Made to be light: one request costs it less than it costs any server, so that loads measure the server.
`message` and `take` are apart so that many connections can be driven in turn.
"""

import socket
import struct
from typing import Final, Self
from uuid import uuid4

from addc.codec.packed import Packed
from addc.codes.ntstatus import NtStatus
from addc.rpc.client import Initiator
from addc.security.crypto.hashes import sha512
from addc.smb import messages as m
from addc.smb.encryption import Sealer
from addc.smb.messages import Command, Dialect, FileId, Header
from addc.smb.signing import Cipher, Signer, SigningAlgorithm, session_keys, signing_key

FSCTL_PIPE_TRANSCEIVE: Final = 0x0011_C017
_PORT: Final = 445
_TIMEOUT_S: Final = 20.0
_CREDITS: Final = 512
_STATUS_AT: Final = 8
_SIGNING_CONTEXT: Final = bytes.fromhex("0800 0400 00000000 0100 0200")
"""AES-GMAC alone."""
_CONTEXTS: Final = (
    bytes.fromhex("0100 2600 00000000 0100 2000 0100") + bytes(32),
    bytes.fromhex("0200 0400 00000000 0100 0200"),
    _SIGNING_CONTEXT,
)
_CHARGED: Final = 65_536


class RefusedError(Exception):
    """The server's status is not the one that was hoped for."""


class SmbWire:
    """One connection with one session."""

    def __init__(self, address: str, port: int = _PORT) -> None:
        self.sock = socket.create_connection((address, port), timeout=_TIMEOUT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.session_id = 0
        self.tree_id = 0
        self.encrypted = False
        self.signer: Signer | None = None
        self.sealer: Sealer | None = None
        self._next_id = 0
        self._preauth = bytes(64)
        self._held = bytearray()

    # --- octets ---

    def message(self, command: int, body: bytes, *, payload: int = 0, tree: bool = True) -> bytes:
        """The next request as it travels. payload: octets that it asks for or brings, for its charge."""
        charge = max((payload - 1) // _CHARGED + 1, 1)
        header = Header(command, self._next_id, charge, credits=_CREDITS, session_id=self.session_id)
        if tree:
            header.tree_id = self.tree_id
        self._next_id += charge
        if self.encrypted and self.sealer is not None:
            pieces = self.sealer.seal(self.session_id, (header.pack(), body))
            return b"".join((sum(map(len, pieces)).to_bytes(4, "big"), *pieces))
        if self.signer is None:
            return (m.HEADER_SIZE + len(body)).to_bytes(4, "big") + header.pack() + body
        header.flags |= m.FLAGS_SIGNED
        made = bytearray(header.pack() + body)
        self.signer.sign(made)
        return len(made).to_bytes(4, "big") + made

    def receive(self) -> bytes:
        """The next whole message, as it came; blocks."""
        while (found := self.take(b"")) is None:
            chunk = self.sock.recv(1 << 18)
            if not chunk:
                raise ConnectionError("closed by the server")
            self._held += chunk
        return found

    def take(self, chunk: bytes) -> bytes | None:
        """The first message that is whole, its four octets of length taken off."""
        held = self._held
        held += chunk
        if len(held) < 4:
            return None
        size = 4 + int.from_bytes(held[:4], "big")
        if len(held) < size:
            return None
        found = bytes(held[4:size])
        del held[:size]
        return found

    def take_final(self, chunk: bytes) -> bytes | None:
        """The first message that is whole and says more than that the request waits."""
        message = self.take(chunk)
        while message is not None and status_of(message) == NtStatus.STATUS_PENDING:
            message = self.take(b"")
        return message

    def opened(self, message: bytes) -> bytes:
        """A message out of its encryption; its signature or seal is checked."""
        if message.startswith(m.PROTOCOL_ID_TRANSFORM):
            assert self.sealer is not None
            return self.sealer.open(memoryview(message))
        if status_of(message) == NtStatus.STATUS_PENDING:
            return message  # interim answers are not signed
        if self.signer is not None and not self.signer.verifies(memoryview(message)):
            raise RefusedError("a wrong signature")
        return message

    def ask(self, command: int, body: Packed, *, payload: int = 0) -> bytes:
        """The answer to one request, from its header on. Raises RefusedError."""
        self.sock.sendall(self.message(command, body.pack(m.HEADER_SIZE), payload=payload))
        return self._answered(command)

    def _answered(self, command: int) -> bytes:
        answer = self.opened(self.receive())
        while status_of(answer) == NtStatus.STATUS_PENDING:
            answer = self.opened(self.receive())
        status = status_of(answer)
        if status not in (NtStatus.STATUS_SUCCESS, NtStatus.STATUS_MORE_PROCESSING_REQUIRED):
            raise RefusedError(f"{Command(command).name}: {status:#x}")
        return answer

    # --- conversations ---

    def negotiate(self) -> Self:
        """3.1.1 alone."""
        dialects = (Dialect.SMB_3_1_1,)
        capabilities = m.CAP_ENCRYPTION | m.CAP_LARGE_MTU
        guid = uuid4()
        size = len(m.NegotiateRequest(dialects, m.SIGNING_ENABLED, capabilities, guid).pack())
        at = m.HEADER_SIZE + size + -size % 8
        offered = m.NegotiateRequest(
            dialects, m.SIGNING_ENABLED, capabilities, guid, at, len(_CONTEXTS)
        ).pack()
        body = offered.ljust(at - m.HEADER_SIZE, b"\0")
        for context in _CONTEXTS:
            body += context + bytes(-len(context) % 8)
        asked = self.message(Command.NEGOTIATE, body)
        self.sock.sendall(asked)
        answer = self.receive()
        if status_of(answer) != NtStatus.STATUS_SUCCESS or _SIGNING_CONTEXT not in answer:
            raise RefusedError("SMB 3.1.1 with AES-GMAC is not taken")
        self._preauth = sha512(sha512(bytes(64) + asked[4:]) + answer)
        return self

    def log_on(self, exchange: Initiator) -> Self:
        """A session. Raises RefusedError."""
        preauth, token = self._preauth, exchange.step()
        while True:
            request = m.SessionSetupRequest(0, m.SIGNING_ENABLED, 0, token)
            asked = self.message(Command.SESSION_SETUP, request.pack(m.HEADER_SIZE), tree=False)
            self.sock.sendall(asked)
            answer = self.receive()
            self.session_id = Header.unpack(answer).session_id
            preauth = sha512(preauth + asked[4:])
            given = m.SessionSetupResponse.unpack(answer, m.HEADER_SIZE)
            status = status_of(answer)
            if status == NtStatus.STATUS_SUCCESS:
                break
            if status != NtStatus.STATUS_MORE_PROCESSING_REQUIRED:
                raise RefusedError(f"SESSION_SETUP: {status:#x}")
            preauth = sha512(preauth + answer)
            token = exchange.step(given.security_buffer)
        if given.security_buffer and not exchange.complete:
            exchange.step(given.security_buffer)
        self._derive(exchange.session_key(), preauth)
        self.opened(answer)
        return self

    def _derive(self, key: bytes, preauth: bytes) -> None:
        self.signer = Signer(SigningAlgorithm.AES_GMAC, signing_key(Dialect.SMB_3_1_1, key, preauth))
        keys = session_keys(Dialect.SMB_3_1_1, Cipher.AES_128_GCM, key, preauth)
        self.sealer = Sealer(Cipher.AES_128_GCM, keys.decryption, keys.encryption)

    def connect_tree(self, server: str, share: str) -> Self:
        path = f"\\\\{server}\\{share}"
        self.tree_id = Header.unpack(self.ask(Command.TREE_CONNECT, m.TreeConnectRequest(0, path))).tree_id
        return self

    def open(self, name: str, access: int = 0x0012_0089, disposition: int = 1) -> FileId:
        """A file; for reading unless more is said."""
        answer = self.ask(Command.CREATE, open_request(name, access, disposition))
        return m.CreateResponse.unpack(answer, m.HEADER_SIZE).file_id

    def read(self, file_id: FileId, size: int, offset: int = 0) -> bytes:
        self.sock.sendall(self.message(Command.READ, read_body(file_id, size, offset), payload=size))
        answer = self._answered(Command.READ)
        at, count = struct.unpack_from("<BxI", answer, m.HEADER_SIZE + 2)
        return answer[at : at + count]

    def write(self, file_id: FileId, data: bytes, offset: int = 0) -> None:
        self.ask(Command.WRITE, write_request(file_id, data, offset), payload=len(data))

    def close_file(self, file_id: FileId) -> None:
        self.ask(Command.CLOSE, m.CloseRequest(0, file_id))

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def status_of(message: bytes) -> int:
    return int.from_bytes(message[_STATUS_AT : _STATUS_AT + 4], "little")


def open_request(name: str, access: int = 0x0012_0089, disposition: int = 1) -> m.CreateRequest:
    return m.CreateRequest(0, 2, access, 0, 7, disposition, 0x40, name)


def read_body(file_id: FileId, size: int, offset: int = 0) -> bytes:
    """A READ, packed; one octet of a buffer that nobody uses belongs to it."""
    return m.ReadRequest(0, size, offset, file_id, 0, 0, 0).pack(m.HEADER_SIZE) + b"\0"


def write_request(file_id: FileId, data: bytes, offset: int = 0) -> m.WriteRequest:
    return m.WriteRequest(memoryview(data), offset, file_id, 0, 0, b"", 0)


def transceive_request(file_id: FileId, data: bytes, room: int = 4280) -> m.IoctlRequest:
    """A message to a pipe and the answer to it."""
    nothing = memoryview(b"")
    return m.IoctlRequest(
        FSCTL_PIPE_TRANSCEIVE, file_id, memoryview(data), 0, nothing, room, m.IOCTL_IS_FSCTL
    )
