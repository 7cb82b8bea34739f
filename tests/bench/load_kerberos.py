"""Kerberos loads: AS and TGS exchanges as a client sends them, built beforehand and sent again and again.

A user's timestamp is encrypted once; the nonce, which nothing protects, differs in every AS-REQ. A TGS-REQ
is sent as it was built, so there are many of them, each with an authenticator and a checksum of its own.
"""

import select
import socket
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Final

from addc.base.clock import SystemClock
from addc.codec.krb5 import KrbError, PaData, PrincipalName, TgsRep, Ticket
from addc.codec.krb5_numbers import NameType
from addc.codes.krb_error import KrbErrorCode
from tests.bench.load_kit import (
    BENCH_PASSWORD,
    FEW_GROUPS_USER,
    MANY_GROUPS_USER,
    REPLY_TIMEOUT_S,
    SERVICE,
    Settings,
    Tally,
    datagrams,
)
from tests.bench.load_ldap import user_name
from tests.kit.kerberos_messages import (
    AS_REP,
    KRB_ERROR,
    NONCE,
    TGS_REP,
    Granted,
    Login,
    as_req,
    granted,
    login,
    tgs_req,
)
from tests.kit.s4u import pa_for_user

_KDC: Final = 88
_USERS_MAX: Final = 100
_TICKETS_MAX: Final = 20
_STREAMS: Final = 8


# --- one exchange ---


def ask(address: str, message: bytes, timeout_s: float = REPLY_TIMEOUT_S) -> bytes:
    """The reply by UDP, or by TCP where the KDC says that it is too long."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout_s)
        sock.connect((address, _KDC))
        sock.send(message)
        reply = sock.recv(65_536)
    return _ask_stream(address, message) if is_too_long(reply) else reply


def is_too_long(reply: bytes) -> bool:
    return reply[0] == KRB_ERROR and (
        KrbError.unpack(reply).error_code == KrbErrorCode.KRB_ERR_RESPONSE_TOO_BIG
    )


def _ask_stream(address: str, message: bytes) -> bytes:
    with socket.create_connection((address, _KDC), timeout=REPLY_TIMEOUT_S) as sock:
        sock.sendall(len(message).to_bytes(4, "big") + message)
        held = b""
        while len(held) < 4 or len(held) < 4 + int.from_bytes(held[:4], "big"):
            chunk = sock.recv(65_536)
            if not chunk:
                raise ConnectionError("closed by the KDC")
            held += chunk
    return held[4:]


def grant(settings: Settings, who: Login) -> Granted:
    """A ticket-granting ticket. Raises RuntimeError with the KDC's refusal."""
    reply = ask(settings.address, as_req(who, SystemClock().now()))
    wrong = _fault(reply, AS_REP)
    if wrong:
        raise RuntimeError(f"no ticket for {who.name}: {wrong}")
    return granted(who, reply)


def is_as_rep(reply: bytes) -> bool:
    return reply[0] == AS_REP


def _fault(reply: bytes, wanted: int) -> str:
    if reply[0] == wanted:
        return ""
    if reply[0] == KRB_ERROR:
        return str(KrbErrorCode(KrbError.unpack(reply).error_code).name)
    return f"tag {reply[0]:#x}"


# --- loads ---


def _exchange(settings: Settings, messages: Iterator[bytes], wanted: int) -> Tally:
    """By UDP; by TCP if the first reply does not fit into a datagram."""
    first = next(messages)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(REPLY_TIMEOUT_S)
        sock.connect((settings.address, _KDC))
        sock.send(first)
        reply = sock.recv(65_536)
    if is_too_long(reply):
        return _streams(settings, messages, wanted)
    return datagrams(settings, _KDC, messages, lambda r: _fault(r, wanted))


def _streams(settings: Settings, messages: Iterator[bytes], wanted: int) -> Tally:
    """Some TCP connections, one exchange in flight on each; what the KDC closes is opened again."""
    tally, poller = settings.tally(), select.poll()
    socks: dict[int, socket.socket] = {}
    held: dict[int, bytes] = {}
    sent: dict[int, float] = {}

    def send(fd: int | None) -> None:
        if fd is None:
            sock = socket.create_connection((settings.address, _KDC), timeout=REPLY_TIMEOUT_S)
            fd = sock.fileno()
            socks[fd] = sock
            poller.register(fd, select.POLLIN)
        message = next(messages)
        held[fd], sent[fd] = b"", time.monotonic()
        socks[fd].sendall(len(message).to_bytes(4, "big") + message)

    for _ in range(_STREAMS):
        send(None)
    while tally.going:
        ready = poller.poll(REPLY_TIMEOUT_S * 1000)
        if not ready:
            raise TimeoutError("no answer from the KDC by TCP")
        for fd, _ in ready:
            chunk = socks[fd].recv(65_536)
            if not chunk:
                poller.unregister(fd)
                socks.pop(fd).close()
                if held[fd] or tally.count == 0:
                    tally.bad("closed by the KDC")
                send(None)
                continue
            held[fd] += chunk
            if len(held[fd]) >= 4 + int.from_bytes(held[fd][:4], "big"):
                tally.take(_fault(held[fd][4:], wanted))
                tally.delays_s.append(time.monotonic() - sent[fd])
                send(fd)
    for sock in socks.values():
        sock.close()
    return tally.stop()


def _as_messages(requests: list[bytes]) -> Iterator[bytes]:
    """Each request in turn with a nonce of its own."""
    nonce = NONCE.to_bytes(4, "big")
    places = [(one, one.rindex(nonce)) for one in requests]
    for number, (one, at) in enumerate(cycle(places), 0x1000_0000):
        yield one[:at] + (number & 0x5FFF_FFFF | 0x1000_0000).to_bytes(4, "big") + one[at + 4 :]


def as_exchange(settings: Settings, names: list[str]) -> Tally:
    now = SystemClock().now()
    requests = [as_req(login(name, settings.realm, BENCH_PASSWORD), now) for name in names]
    return _exchange(settings, _as_messages(requests), AS_REP)


def tgs_exchange(settings: Settings, names: list[str]) -> Tally:
    tickets = [grant(settings, login(name, settings.realm, BENCH_PASSWORD)) for name in names]
    service, now = f"ldap/{settings.host}", SystemClock().now()
    requests = [tgs_req(tickets[n % len(tickets)], service, now, n) for n in range(settings.requests)]
    return _exchange(settings, cycle(requests), TGS_REP)


def _for(settings: Settings, tgt: Granted, user: str) -> PaData:
    """PA-FOR-USER."""
    return pa_for_user(tgt.session, PrincipalName(int(NameType.KRB_NT_PRINCIPAL), (user,)), settings.realm)


def s4u2self(settings: Settings, user: str) -> Tally:
    """A service asks for tickets to itself in the name of a user who never came."""
    tgt, now = grant(settings, login(SERVICE, settings.realm, BENCH_PASSWORD)), SystemClock().now()
    padata = (_for(settings, tgt, user),)
    requests = [tgs_req(tgt, settings.service, now, n, padata=padata) for n in range(settings.requests)]
    return _exchange(settings, cycle(requests), TGS_REP)


def _evidence(settings: Settings, tgt: Granted, user: str) -> Ticket:
    now = SystemClock().now()
    asked = tgs_req(tgt, settings.service, now, settings.requests, padata=(_for(settings, tgt, user),))
    reply = ask(settings.address, asked)
    wrong = _fault(reply, TGS_REP)
    if wrong:
        raise RuntimeError(f"no ticket in the name of {user}: {wrong}")
    return TgsRep.unpack(reply).ticket


def s4u2proxy(settings: Settings, user: str) -> Tally:
    """The service goes on to the DC's LDAP in that user's name."""
    tgt, now = grant(settings, login(SERVICE, settings.realm, BENCH_PASSWORD)), SystemClock().now()
    evidence, target = _evidence(settings, tgt, user), f"ldap/{settings.host}"
    requests = [tgs_req(tgt, target, now, n, evidence=evidence) for n in range(settings.requests)]
    return _exchange(settings, cycle(requests), TGS_REP)


def _users(settings: Settings, at_most: int) -> list[str]:
    return [user_name(n) for n in range(min(settings.users, at_most))]


KINDS: Final[dict[str, Callable[[Settings], Tally]]] = {
    "as_req": lambda s: as_exchange(s, _users(s, _USERS_MAX)),
    "as_req_groups": lambda s: as_exchange(s, [MANY_GROUPS_USER]),
    "tgs_req": lambda s: tgs_exchange(s, _users(s, _TICKETS_MAX)),
    "tgs_req_groups": lambda s: tgs_exchange(s, [MANY_GROUPS_USER]),
    "s4u2self": lambda s: s4u2self(s, FEW_GROUPS_USER),
    "s4u2self_groups": lambda s: s4u2self(s, MANY_GROUPS_USER),
    "s4u2proxy": lambda s: s4u2proxy(s, FEW_GROUPS_USER),
    "s4u2proxy_groups": lambda s: s4u2proxy(s, MANY_GROUPS_USER),
}
