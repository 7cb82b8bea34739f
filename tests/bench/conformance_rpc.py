"""smbtorture's rpc, net and ntp suites against addc and, beside it, Debian's own Samba: test by test.

    python -m tests.bench.conformance_rpc run [SUITE ...] [--target addc|samba] [--results FILE]
    python -m tests.bench.conformance_rpc write [--results FILE]

`run` needs root (namespaces) and keeps what it found in a file, test by test; running single suites renews
those alone (`rpc.lsa*` stands for all that begin so). `write` puts the tables into docs/conformance.md,
between its two marks.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.bench.conformance_rpc_report import write
from tests.bench.conformance_rpc_results import Results, load
from tests.bench.conformance_rpc_suites import RPC_SUITES
from tests.kit import forest_host, samba_peer
from tests.kit.net import Lan
from tests.kit.smbtorture import Dc, Outcome, Suite, run

RESULTS: Final = Path("var/conformance-rpc.json")
DOCUMENT: Final = Path("docs/conformance.md")
_START_S: Final = 60.0


@contextmanager
def _addc(lan: Lan) -> Iterator[Dc]:
    """One DC of ours. It takes every call that changes passwords, which older ones of the suites use."""
    host = lan.host("dc1", 190)
    data_dir = host.folder / "data"
    forest_host.provision(host, data_dir)
    forest_host.configure(data_dir, sam_change_calls="all")
    served = forest_host.serve(host, data_dir)
    client = forest_host.client(lan.host("client1", 192), host, data_dir / "tls" / "ca.pem")
    try:
        yield Dc(
            "addc",
            f"dc1.{forest_host.DNS_DOMAIN}",
            forest_host.DOMAIN,
            forest_host.REALM,
            forest_host.PASSWORD,
            client,
        )
    finally:
        served.stop()


@contextmanager
def _samba(lan: Lan) -> Iterator[Dc]:
    """One of Debian's with the defaults of its provisioning."""
    host = lan.host("sambadc", 191)
    peer = samba_peer.provision(host, host.folder / "samba")
    peer.start()
    client = lan.host("client2", 193)
    client.etc("resolv.conf", f"search {samba_peer.DNS_DOMAIN}\nnameserver {host.address}\n")
    krb5 = client.folder / "krb5.conf"
    krb5.write_text(
        f"[libdefaults]\n default_realm = {samba_peer.REALM}\n dns_lookup_kdc = true\n rdns = false\n"
        " dns_canonicalize_hostname = false\n"
    )
    client.environment.update(KRB5_CONFIG=str(krb5), LC_ALL="C")
    name = f"{samba_peer.HOST_NAME}.{samba_peer.DNS_DOMAIN}"
    try:
        found = Dc("samba", name, samba_peer.DOMAIN, samba_peer.REALM, samba_peer.PASSWORD, client)
        _await(found)
        yield found
    finally:
        peer.stop()


def _await(dc: Dc) -> None:
    """Until its SMB server answers."""
    deadline = time.monotonic() + _START_S
    words = ["rpcclient", dc.name, f"-U{dc.domain}\\Administrator%{dc.password}", "-c", "lsaquery"]
    while dc.client.run(words).returncode != 0:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{dc.label} does not answer")
        time.sleep(1)


_TARGETS: Final = {"addc": _addc, "samba": _samba}


def chosen(patterns: Sequence[str]) -> list[Suite]:
    """The suites that are meant; all without a pattern."""
    exact = {one for one in patterns if not one.endswith("*")}
    heads = tuple(one[:-1] for one in patterns if one.endswith("*"))
    return [
        suite
        for suite in RPC_SUITES
        if not patterns or suite.name in exact or (heads and suite.name.startswith(heads))
    ]


def _run(target: str, suites: Sequence[Suite], results: Results, path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="addc-torture-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Lan(folder) as lan, _TARGETS[target](lan) as dc:
            dc.write_conf()
            for suite in suites:
                for binding in suite.bindings:
                    told = run(dc, suite, binding)
                    results.put(target, suite.name, binding, told)
                    results.save(path)
                    bad = [key for key, one in told.items() if one.outcome not in (Outcome.OK, Outcome.SKIPS)]
                    sys.stdout.write(f"{target} {suite.name} {binding}: {len(told)} tests, not ok: {bad}\n")
                    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """As the module's docstring says."""
    parser = argparse.ArgumentParser(prog="conformance_rpc")
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
    for target in (args.target,) if args.target else tuple(_TARGETS):
        _run(target, chosen(args.suites), results, args.results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
