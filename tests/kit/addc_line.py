"""addc on one machine, many commands in one process: what a shell would start anew for each."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.kit.clients import DC, Done
from tests.kit.net import Host

DC_URL: Final = f"ldap://{DC}"

_PROGRAM: Final = """
import contextlib, io, json, sys
from addc.cli.main import main
lines = sys.stdin
for line in lines:
    asked = json.loads(line)
    sys.stdin = io.TextIOWrapper(io.BytesIO(asked["stdin"].encode()))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(asked["words"])
        except SystemExit as ended:
            status = ended.code
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""


class AddcLine:
    """A process that runs what it is told, with the machine's resolver, tickets and krb5.conf."""

    def __init__(self, machine: Host) -> None:
        self._process = subprocess.Popen(
            machine.command([sys.executable, "-c", _PROGRAM]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **machine.environment},
        )

    def run(self, words: list[str], stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """One command, to its end."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"words": words, "stdin": stdin}) + "\n")
        self._process.stdin.flush()
        status, out, err = json.loads(self._process.stdout.readline())
        return subprocess.CompletedProcess(words, status, out, err)

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=20)


@dataclass(frozen=True, slots=True)
class Words:
    """addc at the client machine. how: its options for where and as whom."""

    line: AddcLine
    machine: Host
    how: tuple[str, ...] = ("-H", DC_URL)

    def by(self, *how: str) -> "Words":
        """The same machine, asked otherwise."""
        return replace(self, how=how)

    def run(self, *words: str, stdin: str = "") -> Done:
        return self.line.run([*words, *self.how], stdin)

    def ok(self, *words: str, stdin: str = "") -> str:
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def facts(self, *words: str) -> Any:
        return json.loads(self.ok(*words, "--json"))

    def refused(self, *words: str, stdin: str = "") -> str:
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 1 and not done.stdout, done.stdout + done.stderr
        assert "Next step: " in done.stderr and "Traceback" not in done.stderr, done.stderr
        return done.stderr
