"""Bad clients: connections by the thousand, bytes by the drop, messages without an end, garbage.

Run as `python -m tests.bench.attacks KIND ADDRESS PORT COUNT`. Prints "ready N" once the attack is on, with
the number of connections that stand; goes on until its standard input is closed; then prints "closed N", how
many the server hung up on.
"""

import random
import resource
import select
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from addc.base.ids import MessageId
from addc.ldap import messages as m
from tests.bench.load_kit import Settings
from tests.bench.load_ldap import bound, search, with_ids
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, PASSWORD

_FILES_SPARE: Final = 100
_CONNECT_S: Final = 60.0
_TICK_S: Final = 0.05
_HOLD_MAX_S: Final = 120.0
_GARBAGE_S: Final = 60.0
_IN_PROGRESS_MAX: Final = 256
TCP_PORTS: Final = (53, 88, 389, 464, 636, 3268, 3269)
UDP_PORTS: Final = (53, 88, 389, 464)
_TLS_PORTS: Final = (636, 3269)
_LDAP_PORTS: Final = (389, 636, 3268, 3269)
_MECHANISMS: Final = ("GSS-SPNEGO", "GSSAPI", "EXTERNAL", "NOBODY-KNOWS")
_SPNEGO_HEAD: Final = bytes.fromhex("6082010006062b0601050502a081f53081f2")
_LDAP_BEGIN: Final = bytes.fromhex("30820400020101638203f9")
"""The begin of a search request of a kilobyte."""
_HEADS: Final = {
    53: b"\xff\xff",
    88: b"\x7f\xff\xff\xff",
    389: b"\x30\x84\x7f\xff\xff\xff\x02\x01\x01",
    464: b"\x7f\xff\xff\xff",
    636: b"\x16\x03\x01\x40\x00",
    3268: b"\x30\x88\x7f\xff\xff\xff\xff\xff\xff\xff",
    3269: b"\x16\x03\x01\xff\xff",
}
"""What each protocol takes for the head of a message of its greatest length, or more."""
_DEAF_REQUESTS: Final = 600
_FLOOD_BYTES: Final = 32 << 20


def connections(address: str, port: int, count: int) -> list[socket.socket]:
    """As many connections as can be had at once, without waiting for one before the next."""
    made: list[socket.socket] = []
    pending: dict[int, socket.socket] = {}
    poller = select.epoll()
    deadline, left = time.monotonic() + _CONNECT_S, count
    while (left or pending) and time.monotonic() < deadline:
        while left and len(pending) < _IN_PROGRESS_MAX:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sock.setblocking(False)
            sock.connect_ex((address, port))
            pending[sock.fileno()] = sock
            poller.register(sock, select.EPOLLOUT)
            left -= 1
        for fd, _ in poller.poll(1.0):
            sock = pending.pop(fd)
            poller.unregister(fd)
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                sock.close()
            else:
                made.append(sock)
    return made


def _is_closed(sock: socket.socket) -> bool:
    """Whether the server has hung up; takes what it said."""
    try:
        return not sock.recv(65_536)
    except BlockingIOError:
        return False
    except OSError:
        return True


def burst(address: str, port: int, count: int, hold: Callable[[float], bool]) -> int:
    """Connections that say nothing."""
    held = connections(address, port, count)
    print(f"ready {len(held)}", flush=True)
    while not hold(_TICK_S):
        continue
    return sum(map(_is_closed, held))


def drip(address: str, port: int, count: int, hold: Callable[[float], bool]) -> int:
    """Connections on which a message comes a byte at a time."""
    held = connections(address, port, count)
    print(f"ready {len(held)}", flush=True)
    position, closed = 0, 0
    while not hold(_TICK_S):
        byte = (_LDAP_BEGIN + bytes(1024))[position % 1024 : position % 1024 + 1]
        position += 1
        for sock in list(held):
            try:
                sock.send(byte)
            except OSError:
                held.remove(sock)
                closed += 1
    return closed + sum(map(_is_closed, held))


def flood(address: str, port: int, count: int, hold: Callable[[float], bool]) -> int:
    """The head of an endless message, and then bytes for as long as the server takes them."""
    print("ready 0", flush=True)
    closed, head = 0, _HEADS[port]
    for _ in range(count):
        with socket.create_connection((address, port), timeout=_CONNECT_S) as sock:
            sock.settimeout(1.0)
            try:
                sock.sendall(head)
                for _ in range(_FLOOD_BYTES >> 16):
                    sock.sendall(bytes(1 << 16))
            except OSError:
                closed += 1
        if hold(0):
            break
    return closed


def garbage(address: str, port: int, count: int, hold: Callable[[float], bool]) -> int:
    """Random bytes, also inside TLS and behind good heads, by TCP and UDP."""
    print("ready 0", flush=True)
    deadline = time.monotonic() + _GARBAGE_S
    rng = random.Random(port)  # noqa: S311 - repeatable on purpose
    for number in range(count):
        data = rng.randbytes(rng.choice((1, 2, 7, 40, 512, 5000)))
        if number % 3 == 0:
            data = _HEADS[port] + data
        elif number % 3 == 1 and port in _LDAP_PORTS:
            data = _bind_with(data, rng.choice(_MECHANISMS))
        _send_stream(address, port, data, tls=port in _TLS_PORTS and number % 2 == 0)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{number + 1} of {count} messages in {_GARBAGE_S:g} s")
        if port in UDP_PORTS:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(data, (address, port))
    while not hold(_TICK_S):
        continue
    return 0


def _bind_with(token: bytes, mechanism: str) -> bytes:
    """A good bind request around bad credentials, now and then behind the head of a SPNEGO token."""
    if len(token) % 2:
        token = _SPNEGO_HEAD + token
    op = m.BindRequest(3, "", m.SaslCredentials(mechanism, token))
    return m.LdapMessage(MessageId(1), op).pack()


def _send_stream(address: str, port: int, data: bytes, *, tls: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((address, port), timeout=5) as plain:
            if not tls:
                plain.sendall(data)
                return
            with context.wrap_socket(plain) as sock:
                sock.sendall(data)
    except OSError:
        return


def deaf(address: str, port: int, count: int, hold: Callable[[float], bool]) -> int:
    """Somebody who asks for much at once and does not listen; who listens in the end misses nothing."""
    settings = Settings(
        address,
        _HOLD_MAX_S,
        user=f"Administrator@{DNS_DOMAIN}",
        password=PASSWORD,
        host=f"dc1.{DNS_DOMAIN}",
    )
    schema = f"CN=Aggregate,CN=Schema,CN=Configuration,{DOMAIN_DN}"
    large = search(schema, 0, "(objectClass=*)", "attributeTypes", "objectClasses")
    small = search(DOMAIN_DN, 0, "(objectClass=*)", "name")
    pipes = [bound(settings) for _ in range(count)]
    for pipe in pipes:
        asked = with_ids([large, small])
        pipe.send(b"".join(next(asked) for _ in range(_DEAF_REQUESTS)))
    print(f"ready {len(pipes)}", flush=True)
    while not hold(_TICK_S):
        continue
    heard = 0
    while heard < _DEAF_REQUESTS:
        heard += len(pipes[0].answers())
    return 0


KINDS: Final = {"burst": burst, "drip": drip, "flood": flood, "garbage": garbage, "deaf": deaf}


def main() -> None:
    kind, address, port, count = sys.argv[1:]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = int(count) + _FILES_SPARE
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    stop, end = threading.Event(), time.monotonic() + _HOLD_MAX_S

    def wait_for_the_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    closed = KINDS[kind](address, int(port), int(count), lambda s: stop.wait(s) or time.monotonic() > end)
    print(f"closed {closed}")


if __name__ == "__main__":
    main()
