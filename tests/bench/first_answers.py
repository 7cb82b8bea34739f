"""When a server that starts up gives its first answers: LDAP, Kerberos, DNS.

Run as `python -m tests.bench.first_answers ADDRESS SECONDS key=value ...` beside a server that is about to be
started. Prints "waiting" once it knocks; at the end one JSON line of {"ldap": when, ...} in seconds of
time.monotonic(), which all processes of a machine share; what never came is missing.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from itertools import count

from addc.base.clock import SystemClock
from tests.bench.load_datagrams import dns_questions
from tests.bench.load_kerberos import ask, is_as_rep
from tests.bench.load_kit import Settings, settings_of
from tests.bench.load_ldap import LdapPipe, connect, request, search
from tests.kit.kerberos_messages import as_req, login

_PAUSE_S = 0.005
_PATIENCE_S = 0.5
_DNS = 53


def ldap(settings: Settings) -> bool:
    """The root DSE is read."""
    with connect(settings) as sock:
        sock.settimeout(_PATIENCE_S)
        pipe = LdapPipe(sock)
        pipe.send(request(search("", 0, "(objectClass=*)", "defaultNamingContext"), 1))
        return pipe.answer() == 0


def srv(settings: Settings) -> bool:
    """The SRV record of the domain's DCs is there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(_PATIENCE_S)
        sock.connect((settings.address, _DNS))
        sock.send(dns_questions(settings)[0])
        reply = sock.recv(4096)
    return reply[3] & 0xF == 0 and reply[7] > 0


def as_rep(settings: Settings) -> Callable[[Settings], bool]:
    """The administrator gets a ticket; the request is built now."""
    name = settings.user.partition("@")[0]
    message = as_req(login(name, settings.realm, settings.password), SystemClock().now())
    return lambda found: is_as_rep(ask(found.address, message, _PATIENCE_S))


def main() -> None:
    settings = settings_of(sys.argv[1:])
    knocks = {"ldap": ldap, "as_rep": as_rep(settings), "srv": srv}
    found: dict[str, float] = {}
    deadline = time.monotonic() + settings.seconds

    def knock(name: str) -> None:
        for _ in count():
            try:
                answered = knocks[name](settings)
            except (OSError, ValueError):
                answered = False
            if answered:
                found[name] = time.monotonic()
            if answered or time.monotonic() > deadline:
                return
            time.sleep(_PAUSE_S)

    threads = [threading.Thread(target=knock, args=(name,)) for name in knocks]
    print("waiting", flush=True)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
