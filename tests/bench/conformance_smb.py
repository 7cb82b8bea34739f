"""smbtorture's smb2.* suites against addc and, beside it, Debian's own Samba: test by test.

    python -m tests.bench.conformance_smb run [--only smb2.lock ...] [--target addc|samba] [--results FILE]
    python -m tests.bench.conformance_smb write [--results FILE]

`run` needs root (namespaces) and keeps what it found in a file, test by test; running single suites renews
those alone. `write` puts the table into docs/conformance.md, between its two marks.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.conformance_smb_remarks import LEFT_OUT, REMARKS
from tests.kit import forest_host, samba_peer
from tests.kit.net import Host, Lan

RESULTS: Final = Path("var/conformance-smb.json")
DOCUMENT: Final = Path("docs/conformance.md")
BEGIN: Final = "<!-- smb: written by tests/bench/conformance_smb.py -->"
END: Final = "<!-- smb: end -->"
SHARE: Final = "files"
SUITE_S: Final = 240
TEST_S: Final = 60
_DONE: Final = re.compile(r"^(success|failure|error|skip|xfail): ([^\s\[]+)")
_TICKETS_ALONE: Final = re.compile(r"^smb2\.session\.expire")
_OTHER: Final = "tester"
"""An administrator who is not root on Samba's host, whom nothing would be denied."""
_SAMBA_SHARE: Final = """
[{share}]
\tpath = {path}
\tread only = no
\tvfs objects = dfs_samba4 acl_xattr streams_xattr
\tacl_xattr:ignore system acls = yes
\tcreate mask = 0777
\tdirectory mask = 0777
\tea support = yes
\tstore dos attributes = yes
\tmap archive = no
\tkernel share modes = no
\tkernel oplocks = no
\tposix locking = no
\tdurable handles = yes
\tstrict rename = yes
\tstrict sync = yes
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A server with a writable share, and the machine that tests it. user: name%password."""

    name: str
    client: Host
    server: str
    user: str


Results = dict[str, dict[str, str]]
"""By server, by test: success, failure, skip or timeout."""


# --- servers ---


@contextmanager
def addc(lan: Lan) -> Iterator[Served]:
    host = lan.host("addc", 200)
    data_dir = host.folder / "data"
    forest_host.provision(host, data_dir)
    folder = host.folder / "served"
    folder.mkdir()
    for share, more in ((SHARE, []), ("hideunread", ["--hide-unreadable"])):
        words = ["share", "add", share, str(folder), "--data-dir", str(data_dir), *more]
        rights = ["--files-sddl", "O:BAG:BAD:(A;OICI;FA;;;WD)"]
        host.run([sys.executable, "-m", "addc.cli.main", *words, *rights], check=True)
    served = forest_host.serve(host, data_dir)
    tester = forest_host.client(lan.host("tester", 201), host, data_dir / "tls" / "ca.pem")
    _with_own_caches(tester, forest_host.DOMAIN)
    server = f"dc1.{forest_host.DNS_DOMAIN}"
    try:
        yield Served("addc", tester, server, f"{forest_host.DOMAIN}\\Administrator%{forest_host.PASSWORD}")
        bad = [line for line in forest_host.log_lines(served.log) if line.get("level") == "error"]
        if bad:
            print(f"addc complained {len(bad)} times, first: {json.dumps(bad[0])}", file=sys.stderr)
    finally:
        served.stop()


@contextmanager
def samba(lan: Lan) -> Iterator[Served]:
    host = lan.host("samba", 202)
    peer = samba_peer.provision(host, host.folder / "peer")
    folder = host.folder / "served"
    folder.mkdir()
    folder.chmod(0o777)
    text = peer.conf.read_text().replace("[global]\n", "[global]\n\tserver multi channel support = yes\n", 1)
    peer.conf.write_text(text + _SAMBA_SHARE.format(share=SHARE, path=folder))
    peer.start()
    words = ["samba-tool", "user", "create", _OTHER, samba_peer.PASSWORD, "-s", str(peer.conf)]
    host.run(words, check=True)
    host.run(["samba-tool", "group", "addmembers", "Domain Admins", _OTHER, "-s", str(peer.conf)], check=True)
    tester = _with_own_caches(lan.host("sambatester", 203), samba_peer.DOMAIN)
    tester.etc("resolv.conf", f"search {samba_peer.DNS_DOMAIN}\nnameserver {host.address}\n")
    krb5 = tester.folder / "krb5.conf"
    krb5.write_text(
        f"[libdefaults]\n default_realm = {samba_peer.REALM}\n dns_lookup_kdc = true\n rdns = false\n"
    )
    tester.environment["KRB5_CONFIG"] = str(krb5)
    server = f"{samba_peer.HOST_NAME}.{samba_peer.DNS_DOMAIN}"
    found = Served("samba", tester, server, f"{samba_peer.DOMAIN}\\{_OTHER}%{samba_peer.PASSWORD}")
    try:
        _answers(found)
        yield found
    finally:
        peer.stop()


def _with_own_caches(host: Host, workgroup: str) -> Host:
    """Samba's clients remember addresses for the whole computer; this machine does for itself."""
    places = host.folder / "samba"
    places.mkdir()
    kinds = ("lock directory", "cache directory", "state directory", "private dir")
    lines = ["[global]", f" workgroup = {workgroup}", *[f" {kind} = {places}" for kind in kinds], ""]
    (places / "smb.conf").write_text("\n".join(lines))
    host.environment["SMB_CONF_PATH"] = str(places / "smb.conf")
    return host


def _answers(served: Served) -> None:
    """Wait for a server that says nothing when it is ready."""
    words = ["smbclient", f"//{served.server}/{SHARE}", "-U", served.user, "-c", "ls"]
    deadline = time.monotonic() + 60
    while served.client.run(words, timeout_s=30).returncode:
        if time.monotonic() > deadline:
            raise SystemExit(f"{served.name} does not answer")
        time.sleep(1)


# --- tests ---


def listed() -> dict[str, list[str]]:
    """The tests of every smb2 suite."""
    words = ["smbtorture", "--list-suites"]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    suites: dict[str, list[str]] = {name: [] for name in said if name.startswith("smb2.")}
    tests = subprocess.run(["smbtorture", "--list"], check=True, capture_output=True, text=True).stdout
    for test in tests.splitlines():
        if " " in test.strip():  # a name that cannot be asked for alone
            continue
        parts = test.strip().split(".")
        suite = ".".join(parts[:2])
        if suite in suites and suite not in LEFT_OUT:
            # A test outside of any set is listed with its name twice.
            suites[suite].append(".".join(parts[:-1] if parts[-1] == parts[-2] else parts))
    return suites


def torture(served: Served, target: str, seconds: int) -> tuple[dict[str, str], bool]:
    """What came out of each test by its short name, and whether the program came to its end."""
    words = [
        "smbtorture",
        f"//{served.server}/{SHARE}",
        "-U",
        served.user,
        f"--option=torture:share1={SHARE}",
    ]
    words += [f"--option=torture:share2={SHARE}", "--option=torture:progress=no", "--timelimit", "5"]
    if _TICKETS_ALONE.match(target):
        words.append("--use-kerberos=required")
    done = served.client.run(
        ["timeout", "-s", "KILL", str(seconds + 5), *words, target], timeout_s=seconds + 30
    )
    found = dict[str, str]()
    for line in done.stdout.splitlines():
        if said := _DONE.match(line):
            kind = "failure" if said[1] in ("error", "failure") else said[1]
            found[said[2]] = kind
    log = served.client.folder / f"{target}.log"
    log.write_text(done.stdout + done.stderr)
    return found, done.returncode in (0, 1)


def suite_results(served: Served, suite: str, tests: Sequence[str]) -> dict[str, str]:
    """Every test of a suite; what the suite did not get to is run alone."""
    alone = [test for test in tests if _TICKETS_ALONE.match(test)]
    results: dict[str, str] = {}
    found = torture(served, suite, SUITE_S)[0] if len(tests) > 1 else {}
    for test in tests:
        for name in (test.removeprefix(suite + "."), test, test.rpartition(".")[2]):
            if test not in alone and name in found:
                results[test] = found[name]
                break
    for test in tests:
        if test in results:
            continue
        found, ended = torture(served, test, TEST_S)
        results[test] = next(iter(found.values()), "failure" if ended else "timeout")
        if not ended and results[test] == "success":
            results[test] = "timeout"
    return results


def run(targets: Sequence[str], only: Sequence[str], path: Path) -> None:
    suites = {name: tests for name, tests in listed().items() if tests and (not only or name in only)}
    for name in only:  # single tests
        if name not in suites:
            suites[name] = [name]
    lock = threading.Lock()

    def one(served: Served) -> None:
        for suite, tests in suites.items():
            found = suite_results(served, suite, tests)
            with lock:
                kept: Results = json.loads(path.read_text()) if path.exists() else {}
                kept.setdefault(served.name, {}).update(found)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
            bad = [test for test, status in found.items() if status not in ("success", "skip")]
            print(served.name, suite, f"{len(found) - len(bad)}/{len(found)}", *bad, flush=True)

    with tempfile.TemporaryDirectory(prefix="addc-conformance-") as folder:
        Path(folder).chmod(0o755)
        with Lan(Path(folder)) as lan:
            for name in targets:
                with _SERVERS[name](lan) as served:
                    one(served)


_SERVERS: Final = {"addc": addc, "samba": samba}


# --- the document ---


def table(results: Results) -> str:
    """Markdown, a line for each test."""
    ours, theirs = results.get("addc", {}), results.get("samba", {})
    tests = sorted(ours.keys() | theirs.keys())
    passed = sum(status == "success" for status in ours.values())
    samba_passed = sum(status == "success" for status in theirs.values())
    lost = [t for t in tests if theirs.get(t) == "success" and ours.get(t) != "success"]
    won = [t for t in tests if ours.get(t) == "success" and theirs.get(t) != "success"]
    lines = [
        f"{len(tests)} tests: addc passes {passed}, Samba {samba_passed}. {len(won)} pass in addc alone,"
        f" {len(lost)} in Samba alone.",
        "",
        "| test | addc | Samba | remark |",
        "|---|---|---|---|",
    ]
    for test in tests:
        here, there = ours.get(test, "-"), theirs.get(test, "-")
        remark = "" if here == "success" else remark_of(test)
        lines.append(f"| {test} | {_WORDS.get(here, here)} | {_WORDS.get(there, there)} | {remark} |")
    if LEFT_OUT:
        lines += ["", "Not run:", "", *[f"- {test}: {why}" for test, why in LEFT_OUT.items()]]
    return "\n".join(lines)


_WORDS: Final = {"success": "pass", "failure": "FAIL", "skip": "skips"}


def remark_of(test: str) -> str:
    """Why addc does not pass a test: by its name, else by its suite's."""
    while test:
        if test in REMARKS:
            return REMARKS[test]
        test = test.rpartition(".")[0]
    return ""


def write(path: Path) -> None:
    text = DOCUMENT.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(
            f"{DOCUMENT} lacks the marks; next step: put {BEGIN} and {END} where the table is due"
        )
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table(json.loads(path.read_text()))}\n\n{END}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("run", "write"))
    parser.add_argument("--only", nargs="+", default=(), metavar="SUITE", help="suites or single tests")
    parser.add_argument("--target", nargs="+", choices=tuple(_SERVERS), default=tuple(_SERVERS))
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    if asked.what == "run":
        run(asked.target, asked.only, asked.results)
    write(asked.results) if asked.what == "write" else None


if __name__ == "__main__":
    main()
