"""A service's account is migrated to a delegated managed one; impacket acts as it, MIT is told of it."""

import base64
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from addc.codec.ids import Sid
from addc.security import sddl
from tests.kit.clients import Client, unicode_pwd, user_ldif
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, ForestHost, client, provision, serve
from tests.kit.net import Lan

HEIR: Final = f"CN=heir,CN=Managed Service Accounts,{DOMAIN_DN}"
SERVICE: Final = f"CN=svc,CN=Users,{DOMAIN_DN}"
MACHINE_PASSWORD: Final = "Mach1ne.Passw0rd"
SERVICE_PASSWORD: Final = "Serv1ce.Passw0rd"


@pytest.fixture(scope="module")
def forest(lan: Lan) -> Iterator[ForestHost]:
    """A forest of its own, since its schema becomes that of Windows Server 2025."""
    host = lan.host("dmsa", 201)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    found = serve(host, data_dir)
    upgraded = found.addc("schema", "upgrade", "--data-dir", str(data_dir))
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    yield found
    assert found.stop() == 0
    checked = found.addc("check", "--data-dir", str(data_dir))
    assert checked.returncode == 0, checked.stdout


@pytest.fixture(scope="module")
def person(lan: Lan, forest: ForestHost) -> Client:
    """An administrator; beside him host1$, who may act as heir$, and host2$, who may not."""
    machine = client(lan.host("dmsa-client", 202), forest.host, forest.data_dir / "tls" / "ca.pem")
    admin = Client(machine)
    admin.login()
    for name in ("host1", "host2"):
        admin.must_change(
            f"dn: CN={name},CN=Computers,{DOMAIN_DN}\nobjectClass: computer\nsAMAccountName: {name}$\n"
            f"userAccountControl: 4096\n{unicode_pwd(MACHINE_PASSWORD)}\n",
            "ldapadd",
        )
    (host1,) = admin.entries("(sAMAccountName=host1$)", "objectSid")
    sid = Sid(host1["objectsid"][0].encode("latin-1"))
    allowed = sddl.parse(f"O:BAD:(A;;RP;;;{sid})", sid.domain()).pack()
    admin.must_change(
        f"dn: {HEIR}\nobjectClass: msDS-DelegatedManagedServiceAccount\nsAMAccountName: heir$\n"
        "userAccountControl: 4096\nmsDS-ManagedPasswordInterval: 30\nmsDS-DelegatedMSAState: 0\n"
        f"msDS-GroupMSAMembership:: {base64.b64encode(allowed).decode()}\n",
        "ldapadd",
    )
    spn = f"servicePrincipalName: HTTP/svc.{DNS_DOMAIN}"
    admin.must_change(user_ldif("svc", SERVICE_PASSWORD, spn), "ldapadd")
    for step in (1, 2):
        admin.must_change(
            f"dn:\nchangetype: modify\nadd: migrateADServiceAccount\n"
            f"migrateADServiceAccount: {HEIR}:{SERVICE}:{step}\n"
        )
    return admin


def _get_st(person: Client, forest: ForestHost, folder: Path, who: str) -> str:
    """impacket's getST, asking for the ticket and keys of heir$; all that it says."""
    done = person.machine.run(
        [
            "sh", "-c", 'cd "$0" && unset KRB5CCNAME && exec "$@"', str(folder),
            sys.executable, "-W", "ignore", str(Path(sys.executable).parent / "getST.py"),
            "-dc-ip", forest.host.address, "-impersonate", "heir$", "-self", "-dmsa",
            f"{DNS_DOMAIN}/{who}:{MACHINE_PASSWORD}",
        ]
    )  # fmt: skip
    return done.stdout + done.stderr


def test_the_machine_that_is_named_gets_ticket_and_keys(
    person: Client, forest: ForestHost, tmp_path: Path
) -> None:
    said = _get_st(person, forest, tmp_path, "host1$")
    assert "Current keys:" in said and "Previous keys:" in said, said
    assert "aes256_cts_hmac_sha1_96:" in said.lower(), said
    (ccache,) = tmp_path.glob("*.ccache")
    person.machine.environment["KRB5CCNAME"] = f"FILE:{ccache}"
    try:
        who = person.machine.run(["ldapwhoami", "-Q", "-Y", "GSSAPI"])
    finally:
        person.machine.environment["KRB5CCNAME"] = f"FILE:{person.machine.folder / 'ccache'}"
    assert "heir$" in who.stdout, who.stdout + who.stderr


def test_a_machine_that_is_not_named_gets_nothing(person: Client, forest: ForestHost, tmp_path: Path) -> None:
    said = _get_st(person, forest, tmp_path, "host2$")
    assert "Current keys:" not in said, said
    assert "KDC_ERR_POLICY" in said, said
    assert not list(tmp_path.glob("*.ccache"))


def test_the_account_that_was_replaced_logs_on_no_more(person: Client) -> None:
    refused = person.kinit("svc", SERVICE_PASSWORD)
    assert refused.returncode == 1
    assert "revoked" in refused.stderr
    person.login()
    (heir,) = person.entries("(sAMAccountName=heir$)", "servicePrincipalName", "msDS-DelegatedMSAState")
    assert heir["serviceprincipalname"] == [f"HTTP/svc.{DNS_DOMAIN}"]
    assert heir["msds-delegatedmsastate"] == ["2"]
