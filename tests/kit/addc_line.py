"""addc on one machine, many commands in one process: what a shell would start anew for each."""

import json
import os
import subprocess
import sys
from typing import Final

from tests.kit.net import Host

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
