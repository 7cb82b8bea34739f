"""SAM through Debian's and Impacket's clients: rpcclient, net rpc, smbpasswd, samrdump and others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.forest_host import DNS_DOMAIN, PASSWORD, client, provision, serve
from tests.kit.net import Host, Lan

DC = f"dc1.{DNS_DOMAIN}"
ADMIN = f"ADDC/Administrator%{PASSWORD}"
BIN = Path(__file__).parents[2] / ".venv" / "bin"


@pytest.fixture(scope="module")
def members_host(lan: Lan, scratch: Path) -> Iterator[Host]:
    """A client of a forest of its own, and of its own caches."""
    host = lan.host("samdc", 132)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    forest = serve(host, data_dir)
    machine = client(lan.host("samclient", 133), host, data_dir / "tls" / "ca.pem")
    folder = machine.folder / "samba"
    folder.mkdir()
    places = "".join(f"{name} = {folder}\n" for name in _PLACES)
    (machine.folder / "smb.conf").write_text(
        f"[global]\nworkgroup = ADDC\nrealm = ADDC.EXAMPLE.COM\n{places}"
    )
    yield machine
    assert forest.stop() == 0


_PLACES = ("lock directory", "cache directory", "state directory", "private dir", "pid directory")


def _rpc(machine: Host, commands: str, who: str = ADMIN, binding: str = DC) -> str:
    done = machine.run(
        ["rpcclient", "-s", str(machine.folder / "smb.conf"), "-U", who, binding, "-c", commands]
    )
    return done.stdout + done.stderr


def _net(machine: Host, *words: str) -> str:
    done = machine.run(["net", "rpc", *words, "-s", str(machine.folder / "smb.conf"), "-S", DC, "-U", ADMIN])
    return done.stdout + done.stderr


def _impacket(machine: Host, script: str, *words: str) -> str:
    done = machine.run([str(BIN / script), *words])
    return done.stdout + done.stderr


def test_rpcclient_lists_and_shows(members_host: Host) -> None:
    users = _rpc(members_host, "enumdomusers")
    assert "user:[Administrator] rid:[0x1f4]" in users and "user:[krbtgt] rid:[0x1f6]" in users
    assert "group:[Domain Admins] rid:[0x200]" in _rpc(members_host, "enumdomgroups")
    assert "group:[Administrators] rid:[0x220]" in _rpc(members_host, "enumalsgroups builtin")
    assert "ROLE_DOMAIN_PDC" in _rpc(members_host, "querydominfo")
    assert "Account: Guest" in _rpc(members_host, "querydispinfo")
    assert "group_rid:\t0x201" in _rpc(members_host, "queryuser 500")
    assert "min_password_length: 7" in _rpc(members_host, "getdompwinfo")


@pytest.mark.parametrize("level", [18, 21, 23, 24, 25, 26, 31])
def test_rpcclient_sets_passwords_at_every_level(members_host: Host, level: int) -> None:
    name, password = f"level{level}", f"Secr3t.Word{level}"
    assert "NT_STATUS" not in _rpc(members_host, f"createdomuser {name}")
    assert "NT_STATUS" not in _rpc(members_host, f"setuserinfo2 {name} {level} {password}")
    refused = _rpc(members_host, "enumdomains", f"ADDC/{name}%{password}")
    assert "NT_STATUS_ACCOUNT_DISABLED" in refused
    assert "NT_STATUS_LOGON_FAILURE" in _rpc(members_host, "enumdomains", f"ADDC/{name}%Wr0ng.Word")


def test_sealed_and_over_tcp_but_not_merely_signed(members_host: Host) -> None:
    """[MS-SAMR] 2.1."""
    for transport in ("ncacn_np", "ncacn_ip_tcp"):
        assert "name:[ADDC]" in _rpc(members_host, "enumdomains", binding=f"{transport}:{DC}[seal]")
        assert "ACCESS_DENIED" in _rpc(members_host, "enumdomains", binding=f"{transport}:{DC}[sign]")


def test_net_rpc_keeps_users_and_groups(members_host: Host) -> None:
    assert "Added user" in _net(members_host, "user", "add", "netuser", "Secr3t.Word1")
    assert "Added group" in _net(members_host, "group", "add", "netgroup")
    _net(members_host, "group", "addmem", "netgroup", "netuser")
    assert "ADDC\\netuser" in _net(members_host, "group", "members", "netgroup")
    _net(members_host, "group", "delmem", "netgroup", "netuser")
    assert "netuser" not in _net(members_host, "group", "members", "netgroup")
    assert "Deleted user" in _net(members_host, "user", "delete", "netuser")
    _net(members_host, "group", "delete", "netgroup")
    assert "netgroup" not in _net(members_host, "group", "list")


def test_users_read_and_do_not_write(members_host: Host) -> None:
    _net(members_host, "user", "add", "reader", "Secr3t.Word1")
    who = "ADDC/reader%Secr3t.Word1"
    assert "user:[Administrator]" in _rpc(members_host, "enumdomusers", who)
    assert "NT_STATUS_ACCESS_DENIED" in _rpc(members_host, "createdomuser other", who)
    assert "NT_STATUS_ACCESS_DENIED" in _rpc(members_host, "setuserinfo2 Guest 24 Secr3t.Word2", who)
    assert "NT_STATUS_ACCESS_DENIED" in _rpc(members_host, "deletedomuser Guest", who)


def test_nobody_in_particular_lists_nothing(members_host: Host) -> None:
    found = _rpc(members_host, "enumdomusers", "%")
    assert "user:[" not in found


def test_impacket_lists_joins_and_changes(members_host: Host) -> None:
    """addcomputer as a plain user: SAM's quota; changepasswd: what is weak is refused."""
    _net(members_host, "user", "add", "packet", "Secr3t.Word1")
    found = _impacket(members_host, "samrdump.py", f"ADDC/packet:Secr3t.Word1@{DC}")
    assert "Administrator (500)/AccountIsDisabled: False" in found
    joined = _impacket(
        members_host, "addcomputer.py", "-method", "SAMR", "-computer-name", "IMP1", "-computer-pass",
        "Comp.Pass1", "-dc-host", DC, "ADDC/packet:Secr3t.Word1",
    )  # fmt: skip
    assert "Successfully added machine account IMP1$" in joined, joined
    assert "name:[ADDC]" in _rpc(members_host, "enumdomains", "ADDC/IMP1$%Comp.Pass1")
    refused = _impacket(
        members_host, "changepasswd.py", f"ADDC/packet:Secr3t.Word1@{DC}", "-newpass", "Secr3t.Word3",
        "-protocol", "rpc-samr",
    )  # fmt: skip
    assert "Password was changed successfully" not in refused


def test_smbpasswd_hears_the_policy(members_host: Host) -> None:
    """A password of today is not changed today."""
    _net(members_host, "user", "add", "young", "Secr3t.Word1")
    done = members_host.run(
        [
            "bash", "-c",
            "printf '%s\\n' Secr3t.Word1 Secr3t.Word2 Secr3t.Word2 |"
            f" smbpasswd -c {members_host.folder / 'smb.conf'} -s -r {DC} -U young",
        ]
    )  # fmt: skip
    assert "password update rule" in done.stdout + done.stderr
