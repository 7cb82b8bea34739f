"""The suites of conformance_dns.py, and the tables of docs/conformance.md about them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.conformance_dns_remarks import REMARKS
from tests.bench.conformance_rpc_results import Results
from tests.kit.smbtorture import Outcome, Told

BEGIN: Final = "<!-- dns: written by tests/bench/conformance_dns.py -->"
END: Final = "<!-- dns: end -->"
_SERVERS: Final = ("addc", "samba")


@dataclass(frozen=True, slots=True)
class Suite:
    """Of smbtorture (torture), or a module under samba.tests.

    words: what a module that is a program is given. unsigned: the domain's zone takes updates of anybody.
    wait_s: how long such a program waits for an answer, where it asks for that.
    """

    name: str
    words: tuple[str, ...] = ()
    unsigned: bool = False
    torture: bool = False
    timeout_s: int = 120
    wait_s: int = 0


_SERVER: Final = ("server", "address")
SUITES: Final = (
    Suite("dns_internal", torture=True),
    Suite("dns_packet"),
    Suite("dns_invalid", ("address",)),
    Suite("dns_tkey", _SERVER, wait_s=10),
    Suite("dns_wildcard", _SERVER, wait_s=10),
    Suite("dcerpc.dnsserver", timeout_s=590),
    Suite("samba_tool.dnscmd", timeout_s=590),
    Suite("dns", _SERVER, unsigned=True, timeout_s=590, wait_s=10),
    Suite("dns_aging", _SERVER, unsigned=True, timeout_s=590),
    Suite("dns_forwarder", (*_SERVER, "forwarder1", "forwarder2"), unsigned=True, timeout_s=590, wait_s=30),
)


def write(results: Results, document: Path) -> None:
    """Renew the part of the document between its marks."""
    text = document.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or not after:
        raise ValueError(f"{document} has no place for the tables of DNS")
    document.write_text(before + BEGIN + "\n" + "\n".join(_lines(results)) + "\n" + END + after)


def _lines(results: Results) -> list[str]:
    lines = ["", "| Outcome | addc | Samba 4.17 |", "|---|---:|---:|"]
    counts = {server: _counted(results, server) for server in _SERVERS}
    lines += [f"| {kind} | {counts['addc'][kind]} | {counts['samba'][kind]} |" for kind in Outcome]
    for suite in SUITES:
        found = {server: _told(results, server, suite.name) for server in _SERVERS}
        if found["addc"]:
            lines += _suite(suite, found)
    return lines


def _told(results: Results, server: str, suite: str) -> Mapping[str, Told]:
    return results.by_server.get(server, {}).get(suite, {}).get("", {})


def _counted(results: Results, server: str) -> Counter[Outcome]:
    return Counter(told.outcome for suite in SUITES for told in _told(results, server, suite.name).values())


def _suite(suite: Suite, found: Mapping[str, Mapping[str, Told]]) -> list[str]:
    """A table of one suite: what both servers pass is counted, the rest is listed."""
    name = suite.name if suite.torture else f"samba.tests.{suite.name}"
    tests = dict.fromkeys(test for told in found.values() for test in told)
    rows = [(test, _cell(found["addc"], test), _cell(found["samba"], test)) for test in tests]
    both = sum((ours, theirs) == ("ok", "ok") for _, ours, theirs in rows)
    lines = ["", f"#### {name}", "", f"{len(tests)} tests; {both} are ok with both."]
    if both == len(rows):
        return lines
    lines += ["", "| Test | addc | Samba 4.17 | |", "|---|---|---|---|"]
    for test, ours, theirs in rows:
        if (ours, theirs) == ("ok", "ok"):
            continue
        short = _short(test)
        remark = REMARKS.get((suite.name, short)) or REMARKS.get((suite.name, "*"), "")
        lines.append(f"| {short} | {ours} | {theirs} | {remark if ours != 'ok' else ''} |")
    return lines


def _short(test: str) -> str:
    """Class and method."""
    return ".".join(test.split(".")[-2:]) if ".test_" in test else test


def _cell(told: Mapping[str, Told], test: str) -> str:
    return told[test].outcome.value if test in told else "-"
