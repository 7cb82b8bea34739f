"""Known attacks on SMB and RPC with real tools: each must come to nothing, and the DC must serve on."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.kit.forest_host import DNS_DOMAIN, DOMAIN, PASSWORD, ForestHost
from tests.kit.net import Host

SERVER: Final = f"dc1.{DNS_DOMAIN}"
PROGRAM: Final = Path(__file__).parents[1] / "kit" / "smb_rpc_attacks.py"
EVE_PASSWORD: Final = "Ev3.is.listening"
ADMIN: Final = f"{DOMAIN}\\Administrator%{PASSWORD}"
EVE: Final = f"{DOMAIN}\\eve%{EVE_PASSWORD}"
DENIED: Final = "NT_STATUS_ACCESS_DENIED"


@pytest.fixture(scope="module")
def desk(machine: Host, forest: ForestHost) -> Host:
    """A machine with Samba's tools, and eve, a user like any other."""
    places = machine.folder / "samba-attacks"
    places.mkdir(exist_ok=True)
    kinds = ("lock directory", "cache directory", "state directory", "private dir")
    lines = ["[global]", f" workgroup = {DOMAIN}", *[f" {kind} = {places}" for kind in kinds]]
    (places / "smb.conf").write_text("\n".join([*lines, ""]))
    found = replace(machine, environment={**machine.environment, "SMB_CONF_PATH": str(places / "smb.conf")})
    made = found.run(["net", "rpc", "user", "add", "eve", EVE_PASSWORD, "-S", SERVER, "-U", ADMIN])
    assert "Added user" in made.stdout + made.stderr
    return found


@pytest.fixture(autouse=True)
def _serving(forest: ForestHost) -> Iterator[None]:
    yield
    assert forest.process.poll() is None


def attack(desk: Host, forest: ForestHost, name: str, port: int = 4450) -> list[str]:
    """The lines that an attack by eve prints."""
    words = [name, forest.host.address, DOMAIN, "eve", EVE_PASSWORD, str(port)]
    done = desk.run([sys.executable, str(PROGRAM), *words], timeout_s=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def rpc(desk: Host, who: str, *commands: str) -> str:
    done = desk.run(["rpcclient", SERVER, "-U", who, "-c", ";".join(commands)])
    return done.stdout + done.stderr


def smb(desk: Host, who: str, share: str, commands: str, *more: str) -> str:
    done = desk.run(["smbclient", f"//{SERVER}/{share}", "-U", who, *more, "-c", commands])
    return done.stdout + done.stderr


def test_zerologon(desk: Host, forest: ForestHost) -> None:
    assert attack(desk, forest, "zerologon") == ["granted 0 of 300"]


def test_a_channel_without_aes(desk: Host, forest: ForestHost) -> None:
    told = attack(desk, forest, "old_ciphers")
    assert len(told) == 4 and all("STATUS_DOWNGRADE_DETECTED" in one for one in told), told


def test_nothing_here_can_be_coerced(desk: Host, forest: ForestHost) -> None:
    """PetitPotam, PrinterBug, DFSCoerce, ShadowCoerce: their interfaces are not served."""
    told = attack(desk, forest, "absent")
    assert len(told) == 9 and all(": refused" in one for one in told), told


def test_null_sessions_enumerate_nothing(desk: Host, forest: ForestHost) -> None:
    told = attack(desk, forest, "nobody")
    told.remove("its own pipes True")
    words = ("ACCESS_DENIED", "access_denied", "BAD_NETWORK_NAME")
    assert len(told) == 13
    assert [one for one in told if not any(word in one for word in words)] == []


@pytest.mark.parametrize(
    "command",
    [
        "enumdomusers", "enumdomgroups", "querydispinfo", "querydominfo", "lsaenumsid",
        "lookupsids S-1-5-32-544", "lookupnames Administrator", "netshareenum", "netsessenum", "srvinfo",
        "enumtrust", "lsaquerysecobj", "queryuser 500", "createdomuser x",
    ],
)  # fmt: skip
def test_rpcclient_of_nobody(desk: Host, command: str) -> None:
    """As enum4linux asks."""
    told = rpc(desk, "%", command)
    assert "DENIED" in told or "LOGON_FAILURE" in told, told
    assert "Administrator" not in told and "S-1-5-21-" not in told


@pytest.mark.parametrize("name", ["relay_smb", "relay_ldap", "relay_rpc", "stripped"])
def test_relayed_logons_are_worth_nothing(desk: Host, forest: ForestHost, name: str) -> None:
    """Who passes a logon on has not its key: signing, sealing and the MIC refuse what he adds or changes."""
    told = attack(desk, forest, name, 389 if name == "relay_ldap" else 4450 + len(name))
    for one in told:
        closed = one.endswith("closed") or one == "unsigned 0xc0000022"
        refused = closed or "refused" in one or (one.startswith("stripped 1") and "NT_STATUS" in one)
        assert refused, told


def test_policies_are_not_a_user_s_to_write(desk: Host, scratch: Path) -> None:
    """Neither their files, nor new ones beside them, nor the folders, nor descriptors."""
    evil = desk.folder / "evil.xml"
    evil.write_text("evil")
    policies = f"{DNS_DOMAIN}\\Policies\\{{31B2F340-016D-11D2-945F-00C04FB984F9}}"
    for commands in (
        f'cd "{policies}"; put {evil} GPT.INI',
        f'cd "{policies}"; put {evil} evil.xml',
        f'mkdir "{policies}\\evil"',
        f'del "{policies}\\GPT.INI"',
        f'rename "{policies}" "{DNS_DOMAIN}\\gone"',
        f'rename "{policies}\\GPT.INI" "{policies}\\GPT.OLD"',
        f'setmode "{policies}\\GPT.INI" +h',
        f"put {evil} {DNS_DOMAIN}\\scripts\\evil.bat",
        f"mkdir {DNS_DOMAIN}\\Policies\\evil",
    ):
        told = smb(desk, EVE, "SYSVOL", commands)
        assert DENIED in told, (commands, told)
    assert DENIED in smb(desk, EVE, "NETLOGON", f"put {evil} evil.bat")
    changed = desk.run(
        ["smbcacls", f"//{SERVER}/SYSVOL", policies, "-U", EVE, "-a", f"ACL:{DOMAIN}\\eve:ALLOWED/0/FULL"]
    )
    assert DENIED in changed.stdout + changed.stderr
    assert "Version" in smb(desk, EVE, "SYSVOL", f'get "{policies}\\GPT.INI" -')


@pytest.mark.parametrize(
    "command",
    [
        "setuserinfo2 Administrator 24 Own3d.Passw0rd", "setuserinfo2 Administrator 25 Own3d.Passw0rd",
        "createdomuser mallory", "createdomgroup mallory", "createdomalias mallory", "deletedomuser Guest",
        "lsaaddacctrights S-1-5-11 SeDebugPrivilege", "lsaremoveacctrights S-1-5-32-544 SeBackupPrivilege",
        "lsaenumacctrights S-1-5-32-544", "lsacreateaccount S-1-5-21-1-2-3-4", "netsharedel SYSVOL",
        "lsaquerytrustdominfo S-1-5-21-1-2-3",
    ],
)  # fmt: skip
def test_what_a_user_may_not(desk: Host, command: str) -> None:
    told = rpc(desk, EVE, command)
    refused = ("DENIED", "Access is denied", "FAILED", "failed", "NOT_FOUND", "NO_SUCH", "error")
    assert any(word in told for word in refused), told


def test_the_administrator_s_password_is_still_his(desk: Host) -> None:
    assert DNS_DOMAIN in smb(desk, ADMIN, "SYSVOL", "ls")
