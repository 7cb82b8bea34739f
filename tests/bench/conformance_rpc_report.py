"""The tables of docs/conformance.md about RPC."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.bench.conformance_rpc_remarks import REMARKS
from tests.bench.conformance_rpc_results import Results
from tests.bench.conformance_rpc_suites import RPC_SUITES
from tests.kit.smbtorture import Outcome, Told

BEGIN: Final = "<!-- rpc: written by tests/bench/conformance_rpc.py -->"
END: Final = "<!-- rpc: end -->"
_SERVERS: Final = ("addc", "samba")
ByBinding = Mapping[str, Mapping[str, Told]]


def write(results: Results, document: Path) -> None:
    """Renew the part of the document between its marks."""
    text = document.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or not after:
        raise ValueError(f"{document} has no place for the tables of RPC")
    document.write_text(before + BEGIN + "\n" + "\n".join(_lines(results)) + "\n" + END + after)


def _lines(results: Results) -> list[str]:
    lines = ["", "| Outcome | addc | Samba 4.17 |", "|---|---:|---:|"]
    counts = {server: _counted(results, server) for server in _SERVERS}
    lines += [f"| {kind} | {counts['addc'][kind]} | {counts['samba'][kind]} |" for kind in Outcome]
    absent = [f"`{suite.name}`" for suite in RPC_SUITES if suite.absent]
    lines += ["", f"Without {', '.join(absent)}: interfaces that a domain controller need not have.", ""]
    lines += [f"- {server}: {_absent(results, server)}" for server in _SERVERS]
    for suite in RPC_SUITES:
        found = {server: results.by_server.get(server, {}).get(suite.name, {}) for server in _SERVERS}
        if found["addc"] and not suite.absent:
            lines += _suite(suite.name, found)
    return lines


def _absent(results: Results, server: str) -> str:
    """How many tests of absent interfaces a server refuses or does not."""
    suites = results.by_server.get(server, {})
    absent = [suite.name for suite in RPC_SUITES if suite.absent]
    tests = [told for name in absent for by in suites.get(name, {}).values() for told in by.values()]
    refused = sum(told.outcome is Outcome.FAILS for told in tests)
    hanging = sum(told.outcome is Outcome.HANGS for told in tests)
    return f"{refused} of their {len(tests)} tests are refused, {hanging} hang"


def _counted(results: Results, server: str) -> Counter[Outcome]:
    suites = results.by_server.get(server, {})
    return Counter(
        told.outcome
        for suite in RPC_SUITES
        if not suite.absent
        for tests in suites.get(suite.name, {}).values()
        for told in tests.values()
    )


def _suite(name: str, found: Mapping[str, ByBinding]) -> list[str]:
    """A table of one suite; suites whose every test is ok with both servers take one line."""
    tests = dict.fromkeys(test for by in found.values() for told in by.values() for test in told)
    bindings = ", ".join(f"`{binding.replace('{}', 'host')}`" for binding in found["addc"])
    rows = [(test, _cell(found["addc"], test), _cell(found["samba"], test)) for test in tests]
    lines = [
        "",
        f"#### {name}",
        "",
        f"Over {bindings}.",
        "",
        "| Test | addc | Samba 4.17 | |",
        "|---|---|---|---|",
    ]
    for test, ours, theirs in rows:
        remark = REMARKS.get((name, test)) or REMARKS.get((name, "*"), "")
        shown = remark if (ours, theirs) != ("ok", "ok") else ""
        lines.append(f"| {test.replace('|', '/')} | {ours} | {theirs} | {shown} |")
    return lines


def _cell(by: ByBinding, test: str) -> str:
    """One outcome, or one for each binding where they differ."""
    outcomes = {binding: told[test].outcome.value for binding, told in by.items() if test in told}
    if len(set(outcomes.values())) <= 1:
        return next(iter(outcomes.values()), "-")
    return ", ".join(f"{_short(binding)} {outcome}" for binding, outcome in outcomes.items())


def _short(binding: str) -> str:
    kind = "pipe" if binding.startswith("ncacn_np") else "tcp"
    options = binding.partition("[")[2].rstrip("]")
    return f"{kind}+{options}" if options else kind
