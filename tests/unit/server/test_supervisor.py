"""Workers are equal, restarted when they die, drained on SIGTERM. Each case runs in its own process."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

PRELUDE = """
import os, signal, sys, time
from pathlib import Path
from addc.server import supervisor
supervisor._RESTART_DELAY_S = 0.01
folder = Path(sys.argv[1])
def note(number):
    (folder / f"{number}.{os.getpid()}").touch()
"""


def start(script: str, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", PRELUDE + textwrap.dedent(script), str(folder)])


def pids(folder: Path, count: int) -> dict[int, int]:
    """Wait until `count` workers have left their note: pid -> number."""
    while True:
        found = {int(p.name.split(".")[1]): int(p.name.split(".")[0]) for p in folder.iterdir()}
        if len(found) >= count:
            return found


def test_a_killed_worker_is_replaced_and_sigterm_ends_all(tmp_path: Path) -> None:
    process = start(
        """
        def serve(number, lifeline):
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            note(number)
            signal.sigwait({signal.SIGTERM})
            return 0
        sys.exit(supervisor.Supervisor(2, serve).run())
        """,
        tmp_path,
    )
    first = pids(tmp_path, 2)
    victim = next(iter(first))
    os.kill(victim, signal.SIGKILL)
    second = pids(tmp_path, 3)
    (successor,) = set(second) - set(first)
    assert second[successor] == first[victim]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in second)


def test_a_worker_that_cannot_be_configured_ends_the_server(tmp_path: Path) -> None:
    process = start(
        """
        def serve(number, lifeline):
            return os.EX_CONFIG
        sys.exit(supervisor.Supervisor(1, serve).run())
        """,
        tmp_path,
    )
    assert process.wait(timeout=20) == os.EX_CONFIG


def test_a_worker_that_served_before_is_tried_again_whatever_ails_it(tmp_path: Path) -> None:
    process = start(
        """
        def serve(number, lifeline):
            note(number)
            if len(list(folder.iterdir())) == 1:
                return 1
            if len(list(folder.iterdir())) == 2:
                return os.EX_CONFIG
            signal.sigwait({signal.SIGTERM})
            return 0
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        sys.exit(supervisor.Supervisor(1, serve).run())
        """,
        tmp_path,
    )
    pids(tmp_path, 3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_workers_see_the_end_of_a_killed_supervisor(tmp_path: Path) -> None:
    process = start(
        """
        def serve(number, lifeline):
            note(number)
            os.read(lifeline, 1)
            (folder / f"{number}.{os.getpid()}").unlink()
            return 0
        sys.exit(supervisor.Supervisor(2, serve).run())
        """,
        tmp_path,
    )
    pids(tmp_path, 2)
    process.kill()
    assert process.wait(timeout=20) == -signal.SIGKILL
    while list(tmp_path.iterdir()):
        os.sched_yield()


def test_a_worker_that_does_not_drain_is_killed(tmp_path: Path) -> None:
    process = start(
        """
        supervisor.DRAIN_S = 0.1
        def serve(number, lifeline):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            note(number)
            while True:
                signal.pause()
        sys.exit(supervisor.Supervisor(1, serve).run())
        """,
        tmp_path,
    )
    pids(tmp_path, 1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
