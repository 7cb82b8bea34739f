"""LDAP loads: reads, searches, writes, binds and TLS handshakes on raw sockets."""

import select
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from itertools import count, cycle
from typing import Final

from addc.base.ids import MessageId
from addc.codec import filter as ldap_filter
from addc.ldap import messages as m
from tests.bench.load_kit import (
    BENCH_PASSWORD,
    FEW_GROUPS,
    FEW_GROUPS_USER,
    MANY_GROUPS,
    MANY_GROUPS_USER,
    REPLY_TIMEOUT_S,
    SERVICE,
    SERVICE_SPN,
    WINDOW,
    Settings,
    Tally,
)

_FIRST_ID: Final = 0x0100_0000
_ID_HERE: Final = 0x5A5A_5A5A
_NOT_FINAL: Final = (0x64, 0x73, 0x79)
"""Tags of search entries, references and intermediate responses."""
_REPLACE: Final = 2
_ALREADY_EXISTS: Final = 68
_BIND_IN_PROGRESS: Final = 14
_TRUSTED_TO_AUTH: Final = 0x100_0200


def ber_span(data: bytes, at: int) -> tuple[int, int] | None:
    """(start, end) of the content of the element at `at`; None while it is incomplete."""
    if len(data) - at < 2:
        return None
    size, start = data[at + 1], at + 2
    if size & 0x80:
        width = size & 0x7F
        if len(data) - start < width:
            return None
        size, start = int.from_bytes(data[start : start + width], "big"), start + width
    return (start, start + size) if len(data) >= start + size else None


class LdapPipe:
    """One LDAP connection whose final answers are counted, not understood."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._held = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answers(self) -> list[int]:
        """The result code of every final answer that came; blocks for at least some bytes."""
        chunk = self.sock.recv(1 << 18)
        if not chunk:
            raise ConnectionError("closed by the server")
        data, at, found = self._held + chunk, 0, []
        while (span := ber_span(data, at)) is not None:
            start, at = span
            identifier = ber_span(data, start)
            assert identifier is not None
            operation = identifier[1]
            if data[operation] not in _NOT_FINAL:
                content = ber_span(data, operation)
                assert content is not None
                found.append(data[content[0] + 2])
        self._held = data[at:]
        return found

    def answer(self) -> int:
        """The result code of the one request in flight."""
        while not (found := self.answers()):
            continue
        (result,) = found
        return result


def connect(settings: Settings, port: int = 389, *, tls: bool = False) -> socket.socket:
    sock = socket.create_connection((settings.address, port), timeout=REPLY_TIMEOUT_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls_context().wrap_socket(sock, server_hostname=settings.host) if tls else sock


def tls_context() -> ssl.SSLContext:
    """The server's certificate is self-made: what is measured is the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def request(op: m.Request, message_id: int) -> bytes:
    return m.LdapMessage(MessageId(message_id), op).pack()


def with_ids(ops: Sequence[m.Request]) -> Iterator[bytes]:
    """The requests in turn without an end, packed once; each has a message id of its own."""
    packed = [request(op, _ID_HERE) for op in ops]
    sign = _ID_HERE.to_bytes(4, "big")
    parts = [(data[:at], data[at + 4 :]) for data in packed if (at := data.index(sign))]
    for number, (head, tail) in enumerate(cycle(parts), _FIRST_ID):
        yield head + number.to_bytes(4, "big") + tail


def simple_bind(settings: Settings, message_id: int = 1) -> bytes:
    return request(m.BindRequest(3, settings.user, m.SimpleAuth(settings.password.encode())), message_id)


def bound(settings: Settings) -> LdapPipe:
    """A connection over TLS on which the user is bound."""
    pipe = LdapPipe(connect(settings, 636, tls=True))
    pipe.send(simple_bind(settings))
    result = pipe.answer()
    if result:
        raise RuntimeError(f"bind as {settings.user} refused: {result}")
    return pipe


def fault(result: int, good: int = 0) -> str:
    return "" if result in (0, good) else f"result {result}"


def pump(settings: Settings, pipe: LdapPipe, requests: Iterator[bytes]) -> Tally:
    """Keep a window full until the time is over."""
    tally, in_flight = settings.tally(), 0
    while tally.going or in_flight:
        while tally.going and in_flight < WINDOW:
            pipe.send(next(requests))
            in_flight += 1
        for result in pipe.answers() if in_flight else ():
            in_flight -= 1
            tally.take(fault(result))
    pipe.sock.close()
    return tally.stop()


def search(base: str, scope: int, text: str, *attributes: str) -> m.SearchRequest:
    return m.SearchRequest(base, scope, 0, 0, 0, False, ldap_filter.parse_text(text), attributes)


def root_dse(settings: Settings) -> Tally:
    """Anonymous reads of two attributes of the root DSE, in the clear."""
    op = search("", 0, "(objectClass=*)", "defaultNamingContext", "dnsHostName")
    return pump(settings, LdapPipe(connect(settings)), with_ids([op]))


def base_read(settings: Settings) -> Tally:
    """Base searches of five well-known objects by name, over TLS as all that follow."""
    names = ("Administrator", "Guest", "krbtgt", "Domain Admins", "Domain Users")
    wanted = ("cn", "sAMAccountName", "objectSid")
    ops = [
        search(f"CN={name},CN=Users,{settings.domain_dn}", 0, "(objectClass=*)", *wanted) for name in names
    ]
    return pump(settings, bound(settings), with_ids(ops))


def indexed_search(settings: Settings) -> Tally:
    """Subtree searches for one user by sAMAccountName, a different one each time."""
    wanted = ("cn", "sAMAccountName", "objectSid", "memberOf", "mail")
    ops = [
        search(settings.domain_dn, 2, f"(sAMAccountName={user_name(n)})", *wanted)
        for n in range(settings.users)
    ]
    return pump(settings, bound(settings), with_ids(ops))


def modify(settings: Settings) -> Tally:
    """Replacements of one attribute, a different user each time."""

    def op(number: int) -> m.ModifyRequest:
        dn = user_dn(settings, user_name(number % settings.users))
        return m.ModifyRequest(dn, (m.Change(_REPLACE, part("description", f"text {number}")),))

    return pump(settings, bound(settings), with_ids([op(n) for n in range(settings.users * 7)]))


# --- adds ---


def user_name(number: int) -> str:
    return f"bench{number:05}"


def user_dn(settings: Settings, name: str) -> str:
    return f"CN={name},OU=Bench,{settings.domain_dn}"


def part(name: str, *values: str) -> m.PartialAttribute:
    return m.PartialAttribute(name, tuple(value.encode() for value in values))


def user_op(settings: Settings, name: str, password: bool, control: int = 512) -> m.AddRequest:
    parts = [part("objectClass", "user"), part("sAMAccountName", name), part("mail", f"{name}@example.com")]
    if password:
        quoted = f'"{BENCH_PASSWORD}"'.encode("utf-16-le")
        parts += [m.PartialAttribute("unicodePwd", (quoted,)), part("userAccountControl", str(control))]
    return m.AddRequest(user_dn(settings, name), tuple(parts))


def side_by_side(settings: Settings, ops: Iterator[m.Request], tally: Tally, good: int = 0) -> Tally:
    """Carry out `ops` over `connections` connections, one request in flight on each, until either ends."""
    pipes = {pipe.sock.fileno(): pipe for pipe in (bound(settings) for _ in range(settings.connections))}
    poller = select.poll()
    in_flight = 0

    def send(pipe: LdapPipe) -> int:
        op = next(ops, None) if tally.going else None
        if op is None:
            return 0
        pipe.send(request(op, 2))
        return 1

    for fd, pipe in pipes.items():
        poller.register(fd, select.POLLIN)
        in_flight += send(pipe)
    while in_flight:
        ready = poller.poll(REPLY_TIMEOUT_S * 1000)
        if not ready:
            raise TimeoutError(f"{in_flight} requests without an answer")
        for fd, _ in ready:
            for result in pipes[fd].answers():
                tally.take(fault(result, good))
                in_flight += send(pipes[fd]) - 1
    for pipe in pipes.values():
        pipe.sock.close()
    return tally.stop()


def add(settings: Settings) -> Tally:
    """Users without a password."""
    ops = (user_op(settings, user_name(n), False) for n in count(settings.start))
    return side_by_side(settings, ops, settings.tally())


def add_with_password(settings: Settings) -> Tally:
    ops = (user_op(settings, user_name(n), True) for n in count(settings.start))
    return side_by_side(settings, ops, settings.tally())


def setup(settings: Settings) -> Tally:
    """OU=Bench, its users, one user in many groups, one in a few, and a service; what is there stays."""

    def groups() -> Iterator[m.Request]:
        for n in range(MANY_GROUPS):
            name = f"benchgroup{n:03}"
            member = part("member", user_dn(settings, MANY_GROUPS_USER))
            parts = (part("objectClass", "group"), part("sAMAccountName", name), member)
            yield m.AddRequest(user_dn(settings, name), parts)

    def nested() -> Iterator[Iterator[m.Request]]:
        """One after the other: each has the one before it as its member."""
        inner = FEW_GROUPS_USER
        for n in range(FEW_GROUPS):
            name = f"benchnested{n:03}"
            member = part("member", user_dn(settings, inner))
            parts = (part("objectClass", "group"), part("sAMAccountName", name), member)
            yield iter([m.AddRequest(user_dn(settings, name), parts)])
            inner = name

    def service() -> m.AddRequest:
        """It may act for users towards the DC's LDAP, by protocol transition too."""
        plain = user_op(settings, SERVICE, True, _TRUSTED_TO_AUTH)
        spn = part("servicePrincipalName", SERVICE_SPN)
        target = part("msDS-AllowedToDelegateTo", f"ldap/{settings.host}")
        return m.AddRequest(plain.entry, (*plain.attributes, spn, target))

    def users() -> Iterator[m.Request]:
        yield user_op(settings, MANY_GROUPS_USER, True)
        yield user_op(settings, FEW_GROUPS_USER, True)
        yield service()
        for n in range(settings.users):
            yield user_op(settings, user_name(n), True)

    tally = settings.tally()
    unit = m.AddRequest(f"OU=Bench,{settings.domain_dn}", (part("objectClass", "organizationalUnit"),))
    for ops in (iter([unit]), users(), groups(), *nested()):
        side_by_side(settings, ops, tally, good=_ALREADY_EXISTS)
    return tally


# --- binds and handshakes ---


def simple_binds(settings: Settings) -> Tally:
    """Binds one after the other on one TLS connection."""
    pipe, tally = LdapPipe(connect(settings, 636, tls=True)), settings.tally()
    while tally.going:
        pipe.send(simple_bind(settings, tally.count + 1))
        tally.take(fault(pipe.answer()))
    pipe.sock.close()
    return tally.stop()


def spnego_binds(settings: Settings) -> Tally:
    """GSS-SPNEGO binds on a new connection each, with the ticket of KRB5CCNAME."""
    import gssapi  # noqa: PLC0415

    name = gssapi.Name(f"ldap@{settings.host}", gssapi.NameType.hostbased_service)
    spnego = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
    wanted = gssapi.RequirementFlag
    flags = wanted.mutual_authentication | wanted.confidentiality | wanted.integrity
    tally = settings.tally()
    while tally.going:
        context = gssapi.SecurityContext(name=name, mech=spnego, flags=flags)
        with connect(settings) as sock:
            tally.take(fault(_sasl_bind(sock, context.step)))
    return tally.stop()


def _sasl_bind(sock: socket.socket, step: Callable[[bytes | None], bytes | None]) -> int:
    """The final result code; the peer's last token is looked at, as a client that wants proof does."""
    token, result, identifier = step(None), _BIND_IN_PROGRESS, 0
    while result == _BIND_IN_PROGRESS:
        identifier += 1
        op = m.BindRequest(3, "", m.SaslCredentials("GSS-SPNEGO", token))
        sock.sendall(request(op, identifier))
        answer = m.LdapMessage.unpack(sock.recv(65_536)).protocol_op
        assert isinstance(answer, m.BindResponse)
        token = step(answer.server_sasl_creds) if answer.server_sasl_creds else None
        result = answer.result_code
    return result


def tls_connects(settings: Settings) -> Tally:
    """Full handshakes, no resumption."""
    tally = settings.tally()
    while tally.going:
        connect(settings, 636, tls=True).close()
        tally.good()
    return tally.stop()


KINDS: Final[dict[str, Callable[[Settings], Tally]]] = {
    "root_dse": root_dse,
    "base_read": base_read,
    "indexed_search": indexed_search,
    "modify": modify,
    "add": add,
    "add_with_password": add_with_password,
    "setup": setup,
    "simple_bind": simple_binds,
    "spnego_bind": spnego_binds,
    "tls_connect": tls_connects,
}
