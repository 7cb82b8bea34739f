"""Samba's own tests of DNS against addc and, beside it, Debian's own Samba: test by test.

    python -m tests.bench.conformance_dns run [SUITE ...] [--target addc|samba] [--results FILE]
    python -m tests.bench.conformance_dns write [--results FILE]

`run` needs root (namespaces) and keeps what it found in a file, test by test; running single suites renews
those alone. `write` puts the tables into docs/conformance.md, between its two marks.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.conformance_dns_report import SUITES, Suite, write
from tests.bench.conformance_rpc_results import Results, load
from tests.kit import forest_host, samba_peer, smbtorture
from tests.kit.net import Host, Lan
from tests.kit.smbtorture import Outcome, Told

RESULTS: Final = Path("var/conformance-dns.json")
DOCUMENT: Final = Path("docs/conformance.md")
HARNESS: Final = Path("tests/kit/samba_dns_harness.py").resolve()
PYTHON: Final = "/usr/bin/python3"
FORWARDER_OCTETS: Final = {"addc": (72, 73), "samba": (74, 75)}
_START_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """A server under test and the machine that asks it.

    samdb: where its database is to be had, "" for Samba's own, which is a file.
    unsigned: lets anybody update the domain's zone, or ends that.
    """

    label: str
    name: str
    address: str
    domain: str
    realm: str
    password: str
    client: Host
    conf: Path
    samdb: str
    forwarders: tuple[str, str]
    unsigned: Callable[[bool], None]


# --- servers ---


@contextmanager
def _addc(lan: Lan) -> Iterator[Target]:
    host = lan.host("dc1", 70)
    data_dir = host.folder / "data"
    forest_host.provision(host, data_dir)
    client = lan.host("client1", 71)
    forwarders = _forwarders(lan, client, "addc")
    forest_host.configure(data_dir, dns_forwarders=[forwarders[0], f"{forwarders[1]}#54"])
    # As in Samba's server, so that one test does not meet what another one's forwarder said.
    uncached = ["dns", "server", "set", "max_cache_ttl_s=0", "max_negative_ttl_s=0"]
    host.run([sys.executable, "-m", "addc.cli.main", *uncached, "--data-dir", str(data_dir)], check=True)
    served = forest_host.serve(host, data_dir)
    forest_host.client(client, host, data_dir / "tls" / "ca.pem")
    conf = _client_conf(client, forest_host.REALM, forest_host.DOMAIN)

    def unsigned(wanted: bool) -> None:
        words = [sys.executable, "-m", "addc.cli.main", "dns", "zone", "set", forest_host.DNS_DOMAIN]
        words += ["--updates", "any" if wanted else "secure", "--data-dir", str(data_dir)]
        host.run(words, check=True)

    try:
        yield Target(
            "addc", "dc1", host.address, forest_host.DOMAIN, forest_host.REALM, forest_host.PASSWORD,
            client, conf, f"ldap://{host.address}", forwarders, unsigned,
        )  # fmt: skip
    finally:
        served.stop()
        for line in forest_host.log_lines(served.log):
            if line.get("level") == "error":
                sys.stderr.write(f"addc: {line}\n")


@contextmanager
def _samba(lan: Lan) -> Iterator[Target]:
    """With the settings of the servers that Samba's developers run these tests against."""
    host = lan.host("sambadc", 70)
    client = lan.host("client2", 71)
    forwarders = _forwarders(lan, client, "samba")
    peer = samba_peer.provision(host, host.folder / "samba")
    given = f"\tdns forwarder = {forwarders[0]} [{forwarders[1]}]:54\n"
    plain = peer.conf.read_text().replace("[global]\n", "[global]\n" + given, 1)
    peer.conf.write_text(plain)
    client.etc("resolv.conf", f"search {samba_peer.DNS_DOMAIN}\nnameserver {host.address}\n")
    krb5 = client.folder / "krb5.conf"
    krb5.write_text(
        f"[libdefaults]\n default_realm = {samba_peer.REALM}\n dns_lookup_kdc = true\n rdns = false\n"
        " dns_canonicalize_hostname = false\n"
    )
    client.environment.update(KRB5_CONFIG=str(krb5), LC_ALL="C")

    def unsigned(wanted: bool) -> None:
        line = "\tallow dns updates = nonsecure and secure\n" if wanted else ""
        peer.stop()
        peer.conf.write_text(plain.replace("[global]\n", "[global]\n" + line, 1))
        peer.start()
        _await(found)

    found = Target(
        "samba", samba_peer.HOST_NAME, host.address, samba_peer.DOMAIN, samba_peer.REALM,
        samba_peer.PASSWORD, client, peer.conf, "", forwarders, unsigned,
    )  # fmt: skip
    peer.start()
    try:
        _await(found)
        yield found
    finally:
        peer.stop()


_TARGETS: Final = {"addc": _addc, "samba": _samba}


def _forwarders(lan: Lan, client: Host, label: str) -> tuple[str, str]:
    """Two more addresses of the client's, for the servers that the test of forwarding starts there."""
    net = client.address.rpartition(".")[0]
    first, second = (f"{net}.{octet}" for octet in FORWARDER_OCTETS[label])
    for address in (first, second):
        client.run(["ip", "addr", "add", f"{address}/24", "dev", "eth0"], check=True)
    return first, second


def _client_conf(client: Host, realm: str, domain: str) -> Path:
    """A client configuration whose state lies in the client's own folder."""
    state = client.folder / "state"
    state.mkdir(exist_ok=True)
    kinds = ("private dir", "lock directory", "state directory", "cache directory", "pid directory")
    lines = ["[global]", f" realm = {realm}", f" workgroup = {domain}", " log level = 0"]
    lines += [f" {kind} = {state}" for kind in kinds]
    path = client.folder / "smb.conf"
    path.write_text("\n".join(lines) + "\n")
    return path


def _await(target: Target) -> None:
    """Until its RPC server answers."""
    deadline = time.monotonic() + _START_S
    words = ["rpcclient", target.address, f"-U{target.domain}\\Administrator%{target.password}"]
    while target.client.run([*words, "-c", "lsaquery"]).returncode != 0:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{target.label} does not answer")
        time.sleep(1)


# --- tests ---


def _environment(target: Target, suite: Suite) -> dict[str, str]:
    user = f"{target.label}-harness"
    return {
        "SMB_CONF_PATH": str(target.conf), "SAMDB": target.samdb,
        "SERVER": target.name, "SERVER_IP": target.address, "DC_SERVER": target.name,
        "DC_SERVER_IP": target.address, "USERNAME": "Administrator", "PASSWORD": target.password,
        "DC_USERNAME": "Administrator", "DC_PASSWORD": target.password,
        "DOMAIN": target.domain, "REALM": target.realm, "PYTHONUNBUFFERED": "1",
        "KRB5CCNAME": f"FILE:{target.client.folder / user}", "SUBUNIT": suite.name,
    }  # fmt: skip


def run_suite(target: Target, suite: Suite) -> dict[str, Told]:
    """What became of each of its tests."""
    if suite.torture:
        words = ["smbtorture", f"--configfile={target.conf}", f"//{target.name}/x", suite.name]
        words.append(f"-U{target.domain}\\Administrator%{target.password}")
    else:
        words = [PYTHON, str(HARNESS), str(target.client.folder / "tree"), f"samba.tests.{suite.name}"]
        given = {"forwarder1": target.forwarders[0], "forwarder2": target.forwarders[1]}
        given |= {"server": target.name, "address": target.address}
        if suite.words:
            words += [given[word] for word in suite.words]
            words += [f"-UAdministrator%{target.password}", f"--workgroup={target.domain}"]
            words += [f"--timeout={suite.wait_s}"] if suite.wait_s else []
    log = target.client.folder / f"{suite.name}.log"
    command = ["timeout", "-s", "KILL", str(suite.timeout_s), *words]
    try:
        done = target.client.run(
            command, timeout_s=suite.timeout_s + 30, environment=_environment(target, suite)
        )
    except (subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        return {suite.name: Told(Outcome.MUTE, str(error))}
    log.write_text(done.stdout + done.stderr)
    kept = Path("var") / f"conformance-dns-{target.label}-{suite.name}.log"
    kept.write_text(done.stdout + done.stderr)
    told = smbtorture.read(done.stdout)
    return told or {suite.name: Told(Outcome.MUTE, (done.stdout + done.stderr)[-600:].strip())}


def _run(label: str, suites: Sequence[Suite], results: Results, path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="addc-torture-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Lan(folder) as lan, _TARGETS[label](lan) as target:
            open_now: bool | None = None
            for suite in suites:
                if suite.unsigned is not open_now:
                    target.unsigned(suite.unsigned)
                    open_now = suite.unsigned
                told = run_suite(target, suite)
                results.put(label, suite.name, "", told)
                results.save(path)
                bad = [key for key, one in told.items() if one.outcome not in (Outcome.OK, Outcome.SKIPS)]
                sys.stdout.write(f"{label} {suite.name}: {len(told)} tests, not ok ({len(bad)}): {bad}\n")
                sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """As the module's docstring says."""
    parser = argparse.ArgumentParser(prog="conformance_dns")
    parser.add_argument("word", choices=("run", "write"))
    parser.add_argument("suites", nargs="*")
    parser.add_argument("--target", choices=tuple(_TARGETS))
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args(argv)
    results = load(args.results)
    if args.word == "write":
        write(results, DOCUMENT)
        return 0
    args.results.parent.mkdir(parents=True, exist_ok=True)
    suites = [suite for suite in SUITES if not args.suites or suite.name in args.suites]
    for label in (args.target,) if args.target else tuple(_TARGETS):
        _run(label, suites, results, args.results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
