"""Logging on to LDAP with a certificate: the TLS port binds by it, StartTLS wants EXTERNAL.

[MS-ADTS] 5.1.1.2.
"""

import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from addc.base.data_dir import CA_NAME, CONFIG_NAME
from addc.base.ids import Dnt
from addc.codec.ids import Sid
from addc.directory import accounts
from addc.directory.context import ReadContext
from addc.ldap import messages as m
from addc.security.token import SYSTEM
from addc.server.offline import open_directory
from tests.kit.certificates import Authority, Holder
from tests.kit.served import LdapLine, Served, provision_below, start

LDAP: Final = 389
LDAPS: Final = 636


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def served(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A forest that trusts the authority's client certificates."""
    data_dir = provision_below(tmp_path_factory.mktemp("certificates"))
    (data_dir / "people.pem").write_bytes(authority.pem)
    config = json.loads((data_dir / CONFIG_NAME).read_text())
    (data_dir / CONFIG_NAME).write_text(json.dumps(config | {"tls_client_ca": "people.pem"}))
    found = start(data_dir)
    yield found
    assert found.stop() == 0


def _administrator(served: Served) -> str:
    def sid(ctx: ReadContext) -> Sid:
        account = accounts.find_by_sam(ctx, "Administrator")
        assert account is not None and account.dnt != Dnt(0)
        return account.sid

    directory = open_directory(served.data_dir)
    try:
        return str(directory.read_now("test", SYSTEM, sid))
    finally:
        directory.close()


def _whoami(
    served: Served, folder: Path, holder: Holder | None, *words: str
) -> "subprocess.CompletedProcess[str]":
    environment = {
        "LDAPTLS_CACERT": str(served.data_dir / CA_NAME),
        "LDAPTLS_REQCERT": "allow",
        "PATH": "/usr/bin",
    }
    if holder is not None:
        certificate, key = holder.write(folder)
        environment |= {"LDAPTLS_CERT": str(certificate), "LDAPTLS_KEY": str(key)}
    return subprocess.run(
        ["ldapwhoami", *words], env=environment, capture_output=True, text=True, check=False
    )


def _tls(served: Served) -> tuple[str, str]:
    return "-H", f"ldaps://127.0.0.1:{served.ports.of(LDAPS)}"


def _start_tls(served: Served) -> tuple[str, str, str]:
    return "-ZZ", "-H", f"ldap://127.0.0.1:{served.ports.of(LDAP)}"


def test_the_tls_port_binds_by_the_certificate(served: Served, authority: Authority, tmp_path: Path) -> None:
    """Without any bind, the client is who its certificate says."""
    certificate, key = authority.issue("admin", sid=_administrator(served)).write(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(certificate, key)
    with LdapLine(served.ports.of(LDAPS), tls=context) as line:
        answer = line.ask(m.ExtendedRequest("1.3.6.1.4.1.4203.1.11.3"))
    assert isinstance(answer, m.ExtendedResponse)
    assert answer.response_value == b"u:SERVED\\Administrator"


def test_external_behind_start_tls(served: Served, authority: Authority, tmp_path: Path) -> None:
    holder = authority.issue("admin", sid=_administrator(served))
    done = _whoami(served, tmp_path, holder, *_start_tls(served), "-Y", "EXTERNAL", "-Q")
    assert (done.returncode, done.stdout.strip()) == (0, "u:SERVED\\Administrator"), done.stderr


def test_external_is_refused_where_the_port_has_bound_already(
    served: Served, authority: Authority, tmp_path: Path
) -> None:
    holder = authority.issue("admin", sid=_administrator(served))
    done = _whoami(served, tmp_path, holder, *_tls(served), "-Y", "EXTERNAL", "-Q")
    assert done.returncode == 49, done.stderr


def test_without_a_certificate_nothing_changes(served: Served, tmp_path: Path) -> None:
    refused = _whoami(served, tmp_path, None, *_start_tls(served), "-Y", "EXTERNAL", "-Q")
    assert refused.returncode != 0 and "u:" not in refused.stdout
    anonymous = _whoami(served, tmp_path, None, *_tls(served), "-x")
    assert (anonymous.returncode, anonymous.stdout.strip()) == (0, "anonymous")


def test_a_strange_authority_proves_nothing(served: Served, tmp_path: Path) -> None:
    holder = Authority().issue("admin", sid=_administrator(served))
    done = _whoami(served, tmp_path, holder, *_start_tls(served), "-Y", "EXTERNAL", "-Q")
    assert done.returncode != 0 and "u:" not in done.stdout


def test_a_certificate_that_is_mapped_to_nobody_is_refused(
    served: Served, authority: Authority, tmp_path: Path
) -> None:
    done = _whoami(served, tmp_path, authority.issue("x"), *_start_tls(served), "-Y", "EXTERNAL", "-Q")
    assert done.returncode == 49, done.stderr
