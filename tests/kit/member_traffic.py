"""What many members ask of a DC at the same time, from one machine; run in a namespace of its own.

`python -m tests.kit.member_traffic members ADDRESS ...` opens the channels of MEMBERS computers at once and
logs a user on through each; `steady` makes accounts by SAMR, files in SYSVOL and logons until standard input
ends, and tells what was acknowledged, a line each. `idle` opens sessions and holds them until then.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from typing import Final

from addc.auth.gss import AuthError
from addc.codes.ntstatus import NtStatus
from addc.ldap import messages as ldap
from addc.rpc.call import AuthType, RpcFault
from addc.rpc.client import RpcError
from addc.rpc.interfaces.netlogon import idl as netlogon
from addc.rpc.interfaces.samr import idl as samr
from tests.bench.load_kit import BENCH_PASSWORD, Settings, settings_of
from tests.bench.load_ldap import part, side_by_side, user_name, user_op
from tests.bench.load_rpc import kerberos, smb_session
from tests.kit.member_machine import MemberMachine, RpcSocket, port_of
from tests.kit.smb_wire import RefusedError

MEMBERS: Final = 200
USERS: Final = 10
_ALREADY_EXISTS: Final = 68
_WORKSTATION: Final = 4096
_WRITERS: Final = 4
_CREATE: Final = 2
_READ_WRITE: Final = 0x0012_019F
_LOST: Final = (OSError, RpcError, RpcFault, RefusedError, AuthError, PermissionError)
_AGAIN_S: Final = 0.1


def member_name(number: int) -> str:
    return f"MANY{number:03}"


def content_of(name: str) -> bytes:
    return f"this is {name}\r\n".encode() * 20


def setup(settings: Settings) -> None:
    """The computers and the users."""
    quoted = f'"{BENCH_PASSWORD}"'.encode("utf-16-le")

    def ops() -> Iterator[ldap.Request]:
        for number in range(settings.connections):
            name = member_name(number)
            parts = (
                part("objectClass", "computer"), part("sAMAccountName", f"{name}$"),
                ldap.PartialAttribute("unicodePwd", (quoted,)), part("userAccountControl", str(_WORKSTATION)),
            )  # fmt: skip
            yield ldap.AddRequest(f"CN={name},OU=Bench,{settings.domain_dn}", parts)
        for number in range(USERS):
            yield user_op(settings, user_name(number), True)

    unit = ldap.AddRequest(f"OU=Bench,{settings.domain_dn}", (part("objectClass", "organizationalUnit"),))
    for some in (iter([unit]), ops()):
        tally = side_by_side(
            replace(settings, connections=_WRITERS), some, settings.tally(), good=_ALREADY_EXISTS
        )
        if tally.errors:
            raise RuntimeError(tally.first_error)


def _member(settings: Settings, port: int, number: int) -> MemberMachine:
    domain = settings.realm.partition(".")[0]
    return MemberMachine(settings.address, port, domain, member_name(number), BENCH_PASSWORD)


def log_on(one: MemberMachine, number: int) -> None:
    """A channel, and a user through it. Raises one of _LOST."""
    one.open_channel()
    with one.sealed() as rpc:
        asked = one.network_logon(user_name(number % USERS), BENCH_PASSWORD)
        answer = rpc.call(netlogon.NETLOGON, 39, asked, netlogon.NetrLogonSamLogonExResponse)
    if answer.status is not NtStatus.STATUS_SUCCESS:
        raise PermissionError(f"{one.name}: {answer.status}")


def members(settings: Settings) -> None:
    """All at once: none begins before all are there."""
    port, gate = port_of(settings.address, netlogon.NETLOGON), threading.Barrier(settings.connections)

    def work(number: int) -> tuple[float, str]:
        gate.wait()
        started = time.monotonic()
        try:
            log_on(_member(settings, port, number), number)
        except _LOST as error:
            return time.monotonic() - started, repr(error)
        return time.monotonic() - started, ""

    with ThreadPoolExecutor(settings.connections) as pool:
        found = list(pool.map(work, range(settings.connections)))
    took_s = sorted(seconds for seconds, _ in found)
    refused = [why for _, why in found if why]
    print(json.dumps({"refused": refused, "p99_ms": took_s[len(took_s) * 99 // 100] * 1000}))


def idle(settings: Settings) -> None:
    """Sessions that do nothing; one of them still answers."""
    held = [smb_session(settings, "IPC$") for _ in range(settings.connections)]
    print("held", flush=True)
    sys.stdin.read()
    for one in held:
        one.close()


# --- steady work ---


class Steady:
    """Each kind on a thread of its own; whoever loses the server comes back to it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()

    def run(self) -> None:
        kinds = (self._files, self._accounts, self._logons)
        threads = [threading.Thread(target=self._again_and_again, args=(kind,)) for kind in kinds]
        for thread in threads:
            thread.start()
        sys.stdin.read()
        self._stop.set()
        for thread in threads:
            thread.join()

    def _again_and_again(self, kind: Callable[[Iterator[int]], None]) -> None:
        numbers = count()
        while not self._stop.is_set():
            try:
                kind(numbers)
            except _LOST:
                self._stop.wait(_AGAIN_S)

    def _files(self, numbers: Iterator[int]) -> None:
        settings = self._settings
        with smb_session(settings, "SYSVOL") as wire:
            while not self._stop.is_set():
                name = f"steady{next(numbers):05}.txt"
                file_id = wire.open(f"{settings.realm.lower()}\\scripts\\{name}", _READ_WRITE, _CREATE)
                wire.write(file_id, content_of(name))
                wire.close_file(file_id)
                _tell("file", name)

    def _accounts(self, numbers: Iterator[int]) -> None:
        settings = self._settings
        with RpcSocket(settings.address, port_of(settings.address, samr.SAMR)) as rpc:
            rpc.prove(samr.SAMR, AuthType.KERBEROS, kerberos(settings, "host", dce=True))
            connect = samr.SamrConnect2(None, 0x0200_0000)
            server = rpc.call(samr.SAMR, 57, connect, samr.SamrConnect2Response).server_handle
            look = samr.SamrLookupDomainInSamServer(server, settings.realm.partition(".")[0])
            found = rpc.call(samr.SAMR, 5, look, samr.SamrLookupDomainInSamServerResponse).domain_id
            assert found is not None
            opened = samr.SamrOpenDomain(server, 0x0200_0000, found)
            domain = rpc.call(samr.SAMR, 7, opened, samr.SamrOpenDomainResponse).domain_handle
            while not self._stop.is_set():
                name = f"steady{next(numbers):05}"
                asked = samr.SamrCreateUser2InDomain(domain, name, 0x10, 0x0200_0000)
                done = rpc.call(samr.SAMR, 50, asked, samr.SamrCreateUser2InDomainResponse)
                if done.status is NtStatus.STATUS_SUCCESS:
                    _tell("account", name)
                    close = samr.SamrCloseHandle(done.user_handle)
                    rpc.call(samr.SAMR, 1, close, samr.SamrCloseHandleResponse)

    def _logons(self, numbers: Iterator[int]) -> None:
        port = port_of(self._settings.address, netlogon.NETLOGON)
        while not self._stop.is_set():
            number = next(numbers)
            log_on(_member(self._settings, port, number % self._settings.connections), number)
            _tell("logon", str(number))


_TELLING: Final = threading.Lock()


def _tell(kind: str, name: str) -> None:
    with _TELLING:
        print(kind, name, flush=True)


def main() -> None:
    word, *words = sys.argv[1:]
    settings = settings_of(words)
    work: dict[str, Callable[[Settings], None]] = {
        "setup": setup, "members": members, "idle": idle, "steady": lambda found: Steady(found).run(),
    }  # fmt: skip
    work[word](settings)


if __name__ == "__main__":
    main()
