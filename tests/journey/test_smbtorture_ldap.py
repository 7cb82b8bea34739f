"""smbtorture's ldap tests, which Samba's own DC passes, pass here as well."""

import pytest

from tests.kit.clients import DC
from tests.kit.forest_host import DOMAIN, DOMAIN_DN, PASSWORD, REALM, ForestHost
from tests.kit.net import Host

TESTS = (
    "basic", "cldap", "nested-search", "netlogon-tcp", "netlogon-udp", "schema", "session-expiry", "sort",
    "uptodatevector",
)  # fmt: skip
"""ldap.bench-cldap measures, and tests nothing."""


@pytest.fixture(scope="module")
def samba_conf(machine: Host) -> str:
    path = machine.folder / "smbtorture.conf"
    path.write_text(f"[global]\n realm = {REALM}\n workgroup = {DOMAIN}\n")
    return str(path)


@pytest.mark.parametrize("name", TESTS)
def test_smbtorture(machine: Host, forest: ForestHost, samba_conf: str, name: str) -> None:
    done = machine.run(
        [
            "smbtorture", f"//{DC}/none", f"-UAdministrator@{REALM}%{PASSWORD}",
            f"--configfile={samba_conf}",
            f"--option=torture:ldap_userdn=CN=Administrator,CN=Users,{DOMAIN_DN}",
            f"--option=torture:ldap_secret={PASSWORD}", f"ldap.{name}",
        ],
        timeout_s=120,
    )  # fmt: skip
    assert done.returncode == 0 and f"success: {name}" in done.stdout, (
        done.stdout[-2000:] + done.stderr[-500:]
    )
    del forest
