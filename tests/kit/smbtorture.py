"""One suite of smbtorture against one domain controller: what became of each test.

smbtorture tells it in lines of subunit: `test: a`, then `success: a`, `skip: a [`, `failure: a [`, each with
its reason up to `]`. A suite that hangs is killed; its open test counts as hung, what it told before stands.
"""

import re
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from tests.kit.net import Host

_LINE: Final = re.compile(r"(test|success|successful|failure|error|skip|xfail): (.+?)( \[)?$")


class Outcome(StrEnum):
    OK = "ok"
    FAILS = "fails"
    SKIPS = "skips"
    HANGS = "hangs"
    MUTE = "says nothing"


_OUTCOMES: Final = {
    "success": Outcome.OK,
    "successful": Outcome.OK,
    "skip": Outcome.SKIPS,
    "failure": Outcome.FAILS,
    "error": Outcome.FAILS,
    "xfail": Outcome.FAILS,
}


@dataclass(frozen=True, slots=True)
class Suite:
    """A row of the lists in suites.py.

    bindings: beginnings and options around the host's name, or `//host/share` words. words: more options.
    absent: asks for what a domain controller need not have; to be refused is right.
    """

    name: str
    bindings: tuple[str, ...]
    timeout_s: int = 60
    words: tuple[str, ...] = ()
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Dc:
    """A server under test and the machine that asks it."""

    label: str
    name: str
    domain: str
    realm: str
    password: str
    client: Host

    @property
    def conf(self) -> Path:
        return self.client.folder / "torture.conf"

    def write_conf(self) -> None:
        """A client configuration whose state lies in the client's own folder."""
        state = self.client.folder / "state"
        state.mkdir(exist_ok=True)
        kinds = ("private dir", "lock directory", "state directory", "cache directory", "pid directory")
        lines = [f"realm = {self.realm}", f"workgroup = {self.domain}", "log level = 0"]
        lines += [f"{kind} = {state}" for kind in kinds]
        self.conf.write_text("[global]\n" + "".join(f" {line}\n" for line in lines))


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a test, and the reason that smbtorture gave."""

    outcome: Outcome
    reason: str = ""


def run(dc: Dc, suite: Suite, binding: str) -> dict[str, Told]:
    """Every test of the suite over one binding. `{}` in the binding stands for the server's name."""
    target = binding.format(dc.name) if "{}" in binding else f"{binding}:{dc.name}"
    words = [
        "timeout", "-s", "KILL", str(suite.timeout_s), "smbtorture", f"--configfile={dc.conf}", target,
        f"-U{dc.domain}\\Administrator%{dc.password}", *suite.words, suite.name,
    ]  # fmt: skip
    try:
        output = dc.client.run(words, timeout_s=suite.timeout_s + 30).stdout
    except (subprocess.TimeoutExpired, UnicodeDecodeError):
        output = ""
    told = read(output)
    return told or {suite.name.partition(".")[2]: Told(Outcome.MUTE, output[-300:].strip())}


def read(output: str) -> dict[str, Told]:
    """The tests of smbtorture's output in its order; a test run twice keeps its worse result."""
    told: dict[str, Told] = {}
    running: str | None = None
    name, outcome, reason = "", None, list[str]()
    for line in output.splitlines():
        found = _LINE.match(line)
        if outcome is not None:
            if line == "]":
                _note(told, name, Told(outcome, " ".join(reason)))
                outcome = None
            else:
                reason.append(line.strip())
        elif found is not None and found[1] == "test":
            running = found[2]
        elif found is not None:
            name, running = found[2], None
            if found[3]:
                outcome, reason = _OUTCOMES[found[1]], []
            else:
                _note(told, name, Told(_OUTCOMES[found[1]]))
    if running is not None:
        _note(told, running, Told(Outcome.HANGS))
    return told


def _note(told: dict[str, Told], name: str, now: Told) -> None:
    if name not in told or told[name].outcome in (Outcome.OK, Outcome.SKIPS):
        told[name] = now
