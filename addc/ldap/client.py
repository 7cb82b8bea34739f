"""LDAP as a client, one request at a time: what administrators' commands ask of a DC over the network.

    with connect(Server("dc1.example.com", 389)) as client:
        client.bind_sasl(exchange, seal=True)
        for entry in client.search("DC=example,DC=com", SUBTREE, filter.parse("(cn=alice)"), ("cn",)):

Blocking, for programs that do nothing else meanwhile. Spec: RFC 4511, RFC 4513, RFC 2696, RFC 5929.
"""

import hashlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

from addc.auth.gss import AuthError
from addc.base.errors import AddcError, DecodeError
from addc.base.secret import Secret
from addc.codec.filter import Filter
from addc.codes.ldap_result import LdapResult
from addc.ldap import controls as wire
from addc.ldap import messages as m
from addc.ldap.engine import SecurityLayer
from addc.ldap.initiator import LdapInitiator

LDAP_PORT: Final = 389
LDAPS_PORT: Final = 636
TIMEOUT_S: Final = 60.0
PAGE: Final = 500
_WRAPPED_MAX: Final = 65_536
_CHUNK: Final = 65_536
_STEPS_MAX: Final = 10


class NoServerError(AddcError):
    """The server could not be asked: no connection, no TLS, or it broke the rules."""


class RefusedError(AddcError):
    """The server says no.

    result: resultCode. code: the Win32 error that Active Directory puts before its text, 0 without one.
    """

    def __init__(self, result: int, text: str, matched_dn: str = "") -> None:
        super().__init__(result, text)
        self.result = result
        self.text = text
        self.matched_dn = matched_dn
        head = text.partition(":")[0]
        self.code = (
            int(head, 16) if len(head) == 8 and all(c in "0123456789abcdefABCDEF" for c in head) else 0
        )


class Initiator(Protocol):
    """The client's side of a proof; GssInitiator and NtlmInitiator have this shape."""

    @property
    def complete(self) -> bool: ...

    def step(self, token: bytes = b"") -> bytes: ...

    def wrap(self, data: bytes, *, seal: bool) -> bytes: ...

    def unwrap(self, data: bytes) -> tuple[bytes, bool]: ...

    def size_limit(self, size: int, *, seal: bool) -> int: ...


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect. tls: LDAP over TLS from the first octet, its certificate checked by this context."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


class LdapClient:
    """One connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._engine = LdapInitiator()
        self._waiting: list[m.LdapMessage] = []

    # --- who asks ---

    @property
    def channel_binding(self) -> bytes | None:
        """tls-server-end-point of the TLS below; None where there is none.

        Of certificates signed with SHA-384 or SHA-512 the hash is another (RFC 5929 4.1): those of
        `addc provision` and of Windows' authorities are signed with SHA-256.
        """
        if not isinstance(self._sock, ssl.SSLSocket):
            return None
        der = self._sock.getpeercert(binary_form=True)
        return None if der is None else b"tls-server-end-point:" + hashlib.sha256(der).digest()

    def bind_simple(self, name: str, password: Secret) -> None:
        """A name and a password (UTF-8). Raises RefusedError; never without TLS."""
        if not isinstance(self._sock, ssl.SSLSocket):
            raise NoServerError("a password goes over TLS alone")
        self._done(self._ask(m.BindRequest(3, name, m.SimpleAuth(password.reveal()))))

    def bind_sasl(self, exchange: Initiator, *, seal: bool) -> None:
        """GSS-SPNEGO. seal: all that follows is sealed; False over TLS, which does that.

        Raises RefusedError, AuthError.
        """
        token = exchange.step()
        for _ in range(_STEPS_MAX):
            answer = self._ask(m.BindRequest(3, "", m.SaslCredentials("GSS-SPNEGO", token)))
            assert isinstance(answer, m.BindResponse)
            if answer.result_code not in (LdapResult.SUCCESS, LdapResult.SASL_BIND_IN_PROGRESS):
                raise RefusedError(answer.result_code, answer.diagnostic_message)
            if answer.server_sasl_creds and not exchange.complete:
                token = exchange.step(answer.server_sasl_creds)
            if answer.result_code == LdapResult.SUCCESS:
                break
        if not exchange.complete:
            raise AuthError("the server ended the proof before it proved itself")
        if seal:
            self._engine.secure(_layer(exchange))

    # --- asking ---

    def search(
        self,
        base: str,
        scope: int,
        wanted: Filter,
        attributes: tuple[str, ...] = (),
        *,
        controls: tuple[m.Control, ...] = (),
    ) -> Iterator[m.SearchResultEntry]:
        """Every entry, page by page; references are not followed. Raises RefusedError."""
        cookie, request = b"", m.SearchRequest(base, scope, 0, 0, 0, False, wanted, attributes)
        while True:
            paging = _control(wire.LDAP_PAGED_RESULT_OID_STRING, wire.PagedResults(PAGE, cookie).pack())
            self._send(request, (*controls, paging) if base else controls)
            page, last = self._page()
            yield from page  # which may ask something else meanwhile: the page has been read
            cookie = _cookie(last)
            if not cookie:
                return

    def _page(self) -> tuple[list[m.SearchResultEntry], m.LdapMessage]:
        found: list[m.SearchResultEntry] = []
        while True:
            message = self._next()
            op = message.protocol_op
            if isinstance(op, m.SearchResultEntry):
                found.append(op)
            elif not isinstance(op, m.SearchResultReference):
                self._done(op)
                return found, message

    def apply(self, op: m.Request, *controls: m.Control) -> None:
        """One change. Raises RefusedError."""
        self._done(self._ask(op, controls))

    @staticmethod
    def _done(answer: object) -> None:
        if not isinstance(answer, m.LdapResultFields | m.BindResponse):
            raise NoServerError("the server's answer is of another kind")
        if answer.result_code != LdapResult.SUCCESS:
            matched = answer.matched_dn if isinstance(answer.matched_dn, str) else ""
            raise RefusedError(answer.result_code, answer.diagnostic_message, matched)

    # --- octets ---

    def _ask(self, op: m.Request, controls: tuple[m.Control, ...] = ()) -> object:
        self._send(op, controls)
        return self._next().protocol_op

    def _send(self, op: m.Request, controls: tuple[m.Control, ...]) -> None:
        self._engine.ask(op, controls)
        try:
            self._sock.sendall(self._engine.data_to_send())
        except OSError as error:
            raise NoServerError(f"the connection is gone: {error}") from None

    def _next(self) -> m.LdapMessage:
        try:
            while not self._waiting:
                data = self._sock.recv(_CHUNK)
                if not data:
                    raise NoServerError("the server closed the connection")
                self._waiting = self._engine.receive(data)
        except OSError as error:
            raise NoServerError(f"the server does not answer: {error}") from None
        except DecodeError as error:
            raise NoServerError(f"the server's answer is malformed: {error}") from None
        message = self._waiting.pop(0)
        if message.message_id == 0 and isinstance(message.protocol_op, m.ExtendedResponse):
            raise NoServerError(f"the server ends the connection: {message.protocol_op.diagnostic_message}")
        return message

    def close(self) -> None:
        """Say good-bye and close."""
        try:
            self._engine.ask(m.UnbindRequest())
            self._sock.sendall(self._engine.data_to_send())
        except (OSError, AddcError):
            pass
        finally:
            self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(server: Server, *, timeout_s: float = TIMEOUT_S) -> LdapClient:
    """A connection that nobody is bound on yet. Raises NoServerError."""
    try:
        sock = socket.create_connection((server.host, server.port), timeout=timeout_s)
    except OSError as error:
        raise NoServerError(f"no connection to {server.host}, port {server.port}: {error}") from None
    if server.tls is None:
        return LdapClient(sock)
    try:
        return LdapClient(server.tls.wrap_socket(sock, server_hostname=server.host))
    except OSError as error:  # ssl.SSLError is one
        sock.close()
        raise NoServerError(f"no TLS with {server.host}: {error}") from None


def _control(oid: str, value: bytes) -> m.Control:
    return m.Control(oid, True, value)


def _cookie(message: m.LdapMessage) -> bytes:
    for control in message.controls:
        if control.control_type == wire.LDAP_PAGED_RESULT_OID_STRING and control.control_value:
            return wire.PagedResults.unpack(control.control_value).cookie
    return b""


def _layer(exchange: Initiator) -> SecurityLayer:
    def unwrap(data: bytes) -> bytes:
        plain, sealed = exchange.unwrap(data)
        if not sealed:
            raise AuthError("a message in clear on a sealed connection")
        return plain

    return SecurityLayer(
        wrap=lambda data: exchange.wrap(data, seal=True),
        unwrap=unwrap,
        max_plain=exchange.size_limit(_WRAPPED_MAX - 4, seal=True),
    )
