"""The product as a user runs it: `addc provision` and `addc serve` in a namespace of their own."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.kit.net import Host

REALM: Final = "ADDC.EXAMPLE.COM"
DOMAIN: Final = "ADDC"
DNS_DOMAIN: Final = "addc.example.com"
DOMAIN_DN: Final = "DC=addc,DC=example,DC=com"
PASSWORD: Final = "Adm1n.Passw0rd"
_READY_TIMEOUT_S: Final = 20.0
_ADDC: Final = [sys.executable, "-m", "addc.cli.main"]


@dataclass(slots=True)
class ForestHost:
    """A provisioned, serving DC called dc1."""

    host: Host
    data_dir: Path
    process: "subprocess.Popen[bytes]"
    log: Path

    def stop(self) -> int:
        """SIGTERM, and wait for the drain; the server's exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)

    def addc(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return addc(self.host, *words)


def addc(host: Host, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command on a machine."""
    return host.run([*_ADDC, *words])


def provision(host: Host, data_dir: Path, *more: str) -> float:
    """Seconds that the command took."""
    password_file = host.folder / "admin-password"
    password_file.write_text(PASSWORD + "\n")
    started = time.monotonic()
    host.run(
        [
            *_ADDC, "provision", "--realm", REALM, "--domain", DOMAIN, "--host-name", "dc1",
            "--host-ip", host.address, "--admin-password-file", str(password_file),
            "--data-dir", str(data_dir), *more,
        ],
        check=True,
    )  # fmt: skip
    return time.monotonic() - started


def configure(data_dir: Path, **keys: object) -> None:
    """Write keys of config.json, as an operator would before a start."""
    path = data_dir / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | keys, indent=2) + "\n")


def serve(host: Host, data_dir: Path, *more: str) -> ForestHost:
    """Start the server; it is ready."""
    log = host.folder / "serve.log"
    started = time.monotonic()
    process = host.start([*_ADDC, "serve", "--data-dir", str(data_dir), *more], log)
    while time.monotonic() - started < _READY_TIMEOUT_S:
        if process.poll() is not None:
            raise AssertionError(f"addc serve ended with {process.returncode}: {log.read_text()[-4000:]}")
        if _is_ready(host):
            return ForestHost(host, data_dir, process, log)
    process.terminate()
    raise AssertionError(f"addc serve was not ready in time: {log.read_text()[-4000:]}")


def _is_ready(host: Host) -> bool:
    probe = (
        "import http.client,sys\n"
        "c=http.client.HTTPConnection('127.0.0.1',8389,timeout=2)\n"
        "c.request('GET','/readyz');r=c.getresponse();sys.exit(r.status!=200)"
    )
    return host.run([sys.executable, "-c", probe]).returncode == 0


def client(host: Host, forest: Host, ca: Path) -> Host:
    """Point a machine at the DC: resolv.conf, krb5.conf, LDAP's CA certificate."""
    host.etc(
        "resolv.conf", f"search {DNS_DOMAIN}\nnameserver {forest.address}\noptions timeout:2 attempts:2\n"
    )
    krb5 = host.folder / "krb5.conf"
    krb5.write_text(
        f"[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = true\n dns_lookup_realm = false\n"
        " rdns = false\n dns_canonicalize_hostname = false\n"
    )
    ldap_conf = host.folder / "ldap.conf"
    ldap_conf.write_text(f"TLS_CACERT {ca}\nURI ldap://dc1.{DNS_DOMAIN}\nBASE {DOMAIN_DN}\nSASL_NOCANON on\n")
    host.environment.update(
        KRB5_CONFIG=str(krb5),
        KRB5CCNAME=f"FILE:{host.folder / 'ccache'}",
        LDAPCONF=str(ldap_conf),
        LC_ALL="C",
    )
    return host


def log_lines(log: Path) -> list[dict[str, object]]:
    """The server's log, line by line."""
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
