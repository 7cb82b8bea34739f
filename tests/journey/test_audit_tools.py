"""Tools that look a directory over, or change it as testers do: they find a domain like any other."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.clients import DC, Client
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN, DOMAIN_DN, PASSWORD, REALM, ForestHost
from tests.kit.net import Host

WHO = f"{DNS_DOMAIN}/Administrator:{PASSWORD}"
Done = subprocess.CompletedProcess[str]


def run(machine: Host, name: str, *words: str) -> str:
    """What a program of this venv printed, having done its work: some tell failures by words alone."""
    program = Path(sys.executable).parent / name
    done = machine.run([sys.executable, "-W", "ignore", str(program), *words])
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "[-]" not in said and "Traceback" not in said, said[-2000:]
    return said


@pytest.fixture
def where(forest: ForestHost) -> tuple[str, ...]:
    return "-dc-ip", forest.host.address


def test_ldapdomaindump(machine: Host) -> None:
    """NTLM by Sicily: over TLS, for ldap3 does not sign; in the clear it is told to."""
    folder = machine.folder / "dump"
    who = ("-u", f"{DOMAIN}\\Administrator", "-p", PASSWORD, "-o", str(folder))
    assert "Domain dump finished" in run(machine, "ldapdomaindump", *who, f"ldaps://{DC}")
    users = json.loads((folder / "domain_users.json").read_text())
    assert {"Administrator", "Guest", "krbtgt"} <= {one["attributes"]["sAMAccountName"][0] for one in users}
    policy = json.loads((folder / "domain_policy.json").read_text())
    assert policy[0]["attributes"]["minPwdLength"] == [7]
    refused = machine.run([str(Path(sys.executable).parent / "ldapdomaindump"), *who, f"ldap://{DC}"])
    assert refused.returncode != 0 and "strongerAuthRequired" in refused.stdout


def test_bloodhound(machine: Host, forest: ForestHost) -> None:
    folder = machine.folder / "hound"
    folder.mkdir()
    program = Path(sys.executable).parent / "bloodhound-python"
    done = machine.run(
        [
            "sh", "-c", 'cd "$0" && exec "$@"', str(folder), sys.executable, "-W", "ignore", str(program),
            "-u", "Administrator", "-p", PASSWORD, "-d", DNS_DOMAIN, "-dc", DC, "-c", "DCOnly",
            "-ns", forest.host.address,
        ]
    )  # fmt: skip
    assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr
    found = {path.stem.split("_")[1]: json.loads(path.read_text())["data"] for path in folder.glob("*.json")}
    (domain,) = found["domains"]
    assert domain["Properties"]["name"] == REALM and domain["Properties"]["functionallevel"] == "2016"
    rights = {(ace["PrincipalSID"].rpartition("-")[2], ace["RightName"]) for ace in domain["Aces"]}
    assert ("544", "GetChangesAll") in rights and ("519", "GenericAll") in rights
    groups = {one["Properties"]["name"]: one for one in found["groups"]}
    members = {one["ObjectIdentifier"] for one in groups[f"DOMAIN ADMINS@{REALM}"]["Members"]}
    assert members == {f"{domain['ObjectIdentifier']}-500"}
    assert [one["Properties"]["name"] for one in found["computers"]] == [DC.upper()]
    assert len(found["gpos"]) == 2


def test_readers_of_impacket(machine: Host, user: Client, where: tuple[str, ...]) -> None:
    assert "Administrator" in run(machine, "GetADUsers.py", "-all", WHO, *where)
    assert f"DC1$             {DC}" in run(machine, "GetADComputers.py", WHO, *where)
    ldif = (
        f"dn: CN=roast,CN=Users,{DOMAIN_DN}\nobjectClass: user\nsAMAccountName: roast\n"
        f"servicePrincipalName: HTTP/roast.{DNS_DOMAIN}\nuserAccountControl: 4194816\n"
        "msDS-AllowedToDelegateTo: CIFS/there.example\n"
    )
    user.login()
    password = "unicodePwd:: " + "IgBQAGEAcwBzAHcAMAByAGQALgBSACIA\n"
    user.must_change(ldif + password, "ldapadd")
    assert "roast" in run(machine, "GetUserSPNs.py", WHO, *where)
    assert "roast" in run(machine, "GetNPUsers.py", WHO, *where)
    assert "CIFS/there.example" in run(machine, "findDelegation.py", WHO, *where)
    assert user.delete(f"CN=roast,CN=Users,{DOMAIN_DN}").returncode == 0


def test_impacket_by_kerberos(machine: Host, user: Client, where: tuple[str, ...]) -> None:
    """Its AP-REQ stands in SPNEGO without the GSS-API's frame. The realm is written as tickets have it."""
    user.login()
    cache = machine.environment["KRB5CCNAME"].removeprefix("FILE:")
    program = str(Path(sys.executable).parent / "GetADUsers.py")
    done = machine.run(
        [
            sys.executable, "-W", "ignore", program, "-all", "-k", "-no-pass", f"{REALM}/Administrator",
            "-dc-host", DC, *where,
        ],
        environment={"KRB5CCNAME": cache},
    )  # fmt: skip
    assert "krbtgt" in done.stdout, done.stdout + done.stderr


def test_writers_of_impacket(machine: Host, where: tuple[str, ...]) -> None:
    """A computer by LDAPS, rights to it, and whom it lets act for others."""
    host = ("-dc-host", DC, *where)
    new = ("-method", "LDAPS", "-computer-name", "IMPC", *host)
    assert "Successfully added" in run(machine, "addcomputer.py", *new, "-computer-pass", "Comp.Pass.1", WHO)
    on_it = ("-use-ldaps", "-target", "IMPC$", WHO, *where)
    written = run(
        machine, "dacledit.py", "-action", "write", "-rights", "FullControl", "-principal", "Guest", *on_it
    )
    assert "DACL modified successfully" in written
    assert "Guest" in run(machine, "dacledit.py", "-action", "read", "-principal", "Guest", *on_it)
    owner = run(machine, "owneredit.py", "-action", "write", "-new-owner", "Administrator", *on_it)
    assert "modified successfully" in owner
    to = ("-use-ldaps", "-delegate-to", "IMPC$", WHO, *where)
    assert "can now impersonate" in run(machine, "rbcd.py", "-action", "write", "-delegate-from", "DC1$", *to)
    assert "DC1$" in run(machine, "rbcd.py", "-action", "read", *to)
    assert "flushed" in run(machine, "rbcd.py", "-action", "flush", *to)
    assert "deleted" in run(machine, "addcomputer.py", *new, "-delete", WHO)
