"""Debian's and Impacket's RPC tools: what administrators ask, and what attackers get."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.kit.forest_host import DNS_DOMAIN, DOMAIN, PASSWORD, REALM, client, provision, serve
from tests.kit.net import Lan
from tests.kit.smbtorture import Dc, Outcome, Suite, run

DC: Final = f"dc1.{DNS_DOMAIN}"
ADMIN: Final = f"{REALM}/Administrator:{PASSWORD}@{DC}"
EVE: Final = f"{REALM}/eve:Ev3.Passw0rd@{DC}"
BIN: Final = Path(__file__).parents[2] / ".venv" / "bin"


@pytest.fixture(scope="module")
def desk(lan: Lan, scratch: Path) -> Iterator[Dc]:
    """A client and its DC; eve is a user like any other."""
    host = lan.host("rpcdc", 194)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    forest = serve(host, data_dir)
    machine = client(lan.host("rpcclient", 195), host, data_dir / "tls" / "ca.pem")
    found = Dc("addc", DC, DOMAIN, REALM, PASSWORD, machine)
    found.write_conf()
    assert "Added user" in _net(found, "user", "add", "eve", "Ev3.Passw0rd")
    yield found
    assert forest.stop() == 0


def _net(desk: Dc, *words: str) -> str:
    who = ["-s", str(desk.conf), "-S", DC, f"-U{DOMAIN}\\Administrator%{PASSWORD}"]
    done = desk.client.run(["net", "rpc", *words, *who])
    return done.stdout + done.stderr


def _rpcclient(desk: Dc, commands: str, binding: str = DC) -> str:
    who = ["-s", str(desk.conf), f"-U{DOMAIN}\\Administrator%{PASSWORD}"]
    done = desk.client.run(["rpcclient", *who, binding, "-c", commands])
    return done.stdout + done.stderr


def _impacket(desk: Dc, script: str, words: Sequence[str], timeout_s: int = 40) -> str:
    done = desk.client.run(
        ["timeout", "-s", "KILL", str(timeout_s), str(BIN / script), *words], timeout_s=timeout_s + 20
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("srvinfo", "DC1"),
        ("netshareenum", "netname: SYSVOL"),
        ("netsharegetinfo sysvol", "Logon server share"),
        ("netsessenum", "Received"),
        ("netfileenum", "srvsvc"),
        ("dsroledominfo", "Machine Role = [5]"),
        ("dsenumdomtrusts", f"{DNS_DOMAIN} ({DOMAIN})"),
        ("dsr_getdcname " + DNS_DOMAIN, DC),
        ("dsr_getsitename " + DC, "Default-First-Site-Name"),
        ("getdcname " + DOMAIN, "\\\\DC1"),
        ("wkssvc_getjoininformation", f"{DOMAIN} (3)"),
        ("epmmap", "num_tower[1]"),
    ],
)
def test_rpcclient(desk: Dc, command: str, told: str) -> None:
    assert told in _rpcclient(desk, command)


def test_rpcclient_cracks_names_sealed_alone(desk: Dc) -> None:
    """[MS-DRSR] 2.2.3.2: privacy, or nothing."""
    assert "CN=Administrator" in _rpcclient(
        desk, "dscracknames Administrator@" + DNS_DOMAIN, f"ncacn_np:{DC}[seal]"
    )
    assert "computer_dn" in _rpcclient(desk, "dsgetdcinfo " + DNS_DOMAIN, f"ncacn_ip_tcp:{DC}[seal]")
    assert "ACCESS_DENIED" in _rpcclient(desk, "dsgetdcinfo " + DNS_DOMAIN)


def test_net_rpc(desk: Dc) -> None:
    assert f"Domain Name: {DOMAIN}" in _net(desk, "info")
    assert "Storing SID S-1-5-21-" in _net(desk, "getsid")
    assert "NETLOGON" in _net(desk, "share", "list")
    assert "NTDS service is running." in _net(desk, "service", "status", "NTDS")
    assert "Active Directory Domain Services" in _net(desk, "service", "list")
    assert "Keyname   = SOFTWARE" in _net(desk, "registry", "enumerate", "HKLM")
    assert "none" in _net(desk, "trustdom", "list")


def test_what_net_rpc_may_not(desk: Dc) -> None:
    """Folders of the host are the operator's to share, services and the machine its supervisor's."""
    assert "Access is denied" in _net(desk, "share", "add", "root=/")
    assert "ACCESS_DENIED" in _net(desk, "service", "stop", "NTDS")
    assert "OBJECT_NAME_NOT_FOUND" in _net(desk, "shutdown")


def test_impacket_asks_as_administrator(desk: Dc) -> None:
    assert "NTDS" in _impacket(desk, "services.py", [ADMIN, "list"])
    key = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
    assert "SystemRoot" in _impacket(desk, "reg.py", [ADMIN, "query", "-keyName", key])
    assert "Domain Admins" in _impacket(desk, "lookupsid.py", [ADMIN, "520"])


def test_impacket_makes_computers_by_ldaps(desk: Dc) -> None:
    words = ["-method", "LDAPS", "-computer-name", "IMP2", "-computer-pass", "C0mp.Passw0rd", "-dc-host", DC]
    assert "Successfully added machine account IMP2$" in _impacket(
        desk, "addcomputer.py", [*words, f"{REALM}/eve:Ev3.Passw0rd"]
    )


@pytest.mark.parametrize("protocol", ["smb-samr", "rpc-samr", "kpasswd", "ldap"])
def test_impacket_resets_and_changes_passwords(desk: Dc, protocol: str) -> None:
    """[MS-SAMR] 2.1: SAM takes resets over SMB alone. Nobody changes a password twice a day."""
    name, first, second = f"reset{protocol[0:3]}", "F1rst.Passw0rd", "Sec0nd.Passw0rd"
    assert "Added user" in _net(desk, "user", "add", name, first)
    who = f"{REALM}/{name}:{first}@{DC}"
    as_admin = ["-reset", "-altuser", f"{REALM}/Administrator", "-altpass", PASSWORD]
    reset = _impacket(desk, "changepasswd.py", ["-protocol", protocol, *as_admin, "-newpass", second, who])
    done = "successfully" in reset
    assert done == (protocol != "rpc-samr"), reset
    who = f"{REALM}/{name}:{second if done else first}@{DC}"
    changed = _impacket(desk, "changepasswd.py", ["-protocol", protocol, "-newpass", "Th1rd.Passw0rd", who])
    assert "successfully" not in changed


def test_the_keys_of_data_protection_are_for_administrators(desk: Dc) -> None:
    """[MS-BKRP] 3.1.4.1, [MS-LSAD] 3.1.4.6: dpapi.py backupkeys."""
    made = run(desk, Suite("rpc.backupkey", ()), "ncacn_np:{}[seal]")
    assert made["backupkey.retreive_backup_key_guid"].outcome is Outcome.OK
    assert "ACCESS_DENIED" in _impacket(desk, "dpapi.py", ["backupkeys", "-t", EVE])
    _impacket(desk, "dpapi.py", ["backupkeys", "-t", ADMIN, "--export"])
    assert list(desk.client.folder.glob("G$BCKUPKEY_*.pvk"))


def test_a_user_s_forged_pac_opens_nothing(desk: Dc) -> None:
    """MS14-068: goldenPac.py gets a ticket of its own rights; then it tries forever."""
    told = _impacket(desk, "goldenPac.py", ["-dc-ip", _address(desk), EVE, "hostname"], 5)
    assert "share 'SYSVOL' is not writable" in told, told


def test_a_user_replicates_nothing(desk: Dc) -> None:
    told = _impacket(desk, "secretsdump.py", ["-just-dc-user", "krbtgt", EVE])
    assert "krbtgt:502:" not in told, told


def _address(desk: Dc) -> str:
    return desk.client.run(["getent", "hosts", DC], check=True).stdout.split()[0]


@pytest.mark.parametrize(
    ("suite", "binding", "known"),
    [
        ("rpc.samr.accessmask", "ncacn_np:{}", ()),
        ("rpc.samr.users.privileges", "ncacn_np:{}", ()),
        ("rpc.samr.priv", "ncacn_np:{}", ()),
        ("rpc.samr.passwords.validate", "ncacn_ip_tcp:{}[seal]", ()),
        ("rpc.netlogon.admin", "ncacn_np:{}", ()),
        ("rpc.schannel_anon_setpw", "ncacn_np:{}", ()),
        ("rpc.dssetup", "ncacn_np:{}", ()),
        ("rpc.lsa-getuser", "ncacn_np:{}[seal]", ()),
        ("net.api.createuser", "ncacn_np:{}", ()),
        ("net.api.groupinfo", "ncacn_np:{}", ()),
        ("net.groupadd", "ncacn_np:{}", ()),
        # Nothing starts, stops or changes services from afar (decision 0037).
        ("rpc.svcctl", "ncacn_np:{}", ("SetServiceObjectSecurity", "StartServiceW", "ChangeServiceConfigW")),
    ],
)
def test_smbtorture(desk: Dc, suite: str, binding: str, known: tuple[str, ...]) -> None:
    told = run(desk, Suite(suite, ()), binding)
    wrong = {
        name: one.reason
        for name, one in told.items()
        if one.outcome not in (Outcome.OK, Outcome.SKIPS) and name.rpartition(".")[2] not in known
    }
    assert told and not wrong
