"""What one worker commits clients of the others hear of; the directory's own work has its process."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from addc.base.ids import MessageId
from addc.codec.filter import Present
from addc.ldap import controls as wire
from addc.ldap import messages as m
from addc.server.listeners import LDAPS
from tests.kit.served import DOMAIN_DN, LdapLine, Served, start

USERS = f"CN=Users,{DOMAIN_DN}"
LINES = 6


@pytest.fixture
def served(provisioned: Path, tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "forest"
    shutil.copytree(provisioned, folder)
    found = start(folder, "--workers", "2")
    yield found
    found.process.kill()
    found.process.wait()


def stay(line: LdapLine) -> None:
    """Begin a standing search; the who-am-I behind it is answered when it stands."""
    search = m.SearchRequest(USERS, 0, 0, 0, 0, False, Present("objectClass"), ("description",))
    control = m.Control(wire.LDAP_SERVER_NOTIFICATION_OID, True)
    line.sock.sendall(m.LdapMessage(MessageId(100), search, (control,)).pack())
    assert isinstance(line.ask(m.ExtendedRequest("1.3.6.1.4.1.4203.1.11.3")), m.ExtendedResponse)


def test_changes_of_every_worker_are_reported(served: Served) -> None:
    """[MS-ADTS] 3.1.1.3.4.1.9; which of the two workers has a connection is the kernel's choice."""
    with ExitStack() as stack:
        lines = [stack.enter_context(LdapLine(served.ports.of(LDAPS), tls=True)) for _ in range(2 * LINES)]
        for line in lines:
            line.bind()
        watching, writing = lines[:LINES], lines[LINES:]
        for line in watching:
            stay(line)
        for number, line in enumerate(writing):
            change = m.Change(2, m.PartialAttribute("description", (b"%d" % number,)))
            answer = line.ask(m.ModifyRequest(USERS, (change,)))
            assert isinstance(answer, m.ModifyResponse) and answer.result_code == 0, answer
            for other in watching:
                told = other.take()
                assert isinstance(told, m.SearchResultEntry), told
                assert told.attributes[0].vals == (b"%d" % number,)


def _begun(served: Served, count: int) -> list[int]:
    """The processes that did the directory's own work, once there have been so many."""
    while True:
        whole = served.log.read_text().splitlines(keepends=True)
        lines = [json.loads(line) for line in whole if line.endswith("\n")]
        found = [line["pid"] for line in lines if line["message"] == "background work begins"]
        if len(found) >= count:
            return found
        os.sched_yield()


def test_own_work_has_one_process_which_is_replaced_and_ends_with_the_others(served: Served) -> None:
    served.workers(2)
    (pid,) = _begun(served, 1)
    os.kill(pid, signal.SIGKILL)
    _begun(served, 2)
    assert served.stop() == 0
    said = [line["message"] for line in served.lines()]
    assert said.count("background work ends") == 1 and said.count("stopped") == 2
