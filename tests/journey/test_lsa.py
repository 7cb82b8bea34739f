"""The LSA as Debian's clients and Impacket ask it: rpcclient, net, lookupsid.py, smbtorture.

Spec: [MS-LSAD], [MS-LSAT], [MS-DSSP].
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.kit.forest_host import DNS_DOMAIN, PASSWORD, ForestHost
from tests.kit.net import Host

_DC: Final = f"dc1.{DNS_DOMAIN}"
_ADMIN: Final = f"Administrator%{PASSWORD}"
_LOOKUPSID: Final = Path(sys.executable).parent / "lookupsid.py"


@pytest.fixture
def smb_conf(machine: Host) -> str:
    """Samba's clients' configuration, with every folder in the test's own."""
    path = machine.folder / "lsa-smb.conf"
    folder = machine.folder
    path.write_text(
        f"[global]\nworkgroup = ADDC\nrealm = {DNS_DOMAIN.upper()}\nprivate dir = {folder}\n"
        f"lock directory = {folder}\nstate directory = {folder}\ncache directory = {folder}\n"
        f"pid directory = {folder}\n"
    )
    return str(path)


def _run(machine: Host, *words: str) -> "subprocess.CompletedProcess[str]":
    return machine.run(list(words))


def _rpcclient(machine: Host, smb_conf: str, command: str, who: str = _ADMIN) -> str:
    done = _run(machine, "rpcclient", "-s", smb_conf, "-U", who, _DC, "-c", command)
    return done.stdout + done.stderr


def test_rpcclient_asks_for_the_domain_w_join_16(forest: ForestHost, machine: Host, smb_conf: str) -> None:
    assert "Domain Name: ADDC" in _rpcclient(machine, smb_conf, "lsaquery")
    assert "Machine Role = [5]" in _rpcclient(machine, smb_conf, "dsroledominfo")
    assert "Account Name: Administrator, Authority Name: ADDC" in _rpcclient(machine, smb_conf, "getusername")


def test_rpcclient_translates_names_and_sids(forest: ForestHost, machine: Host, smb_conf: str) -> None:
    names = _rpcclient(machine, smb_conf, "lookupnames Administrator SYSTEM")
    assert "-500 (User: 1)" in names
    assert "SYSTEM S-1-5-18 (Well-known Group: 5)" in names
    sids = _rpcclient(machine, smb_conf, "lookupsids S-1-5-32-544 S-1-5-18")
    assert "S-1-5-32-544 BUILTIN\\Administrators (4)" in sids
    assert "S-1-5-18 NT AUTHORITY\\SYSTEM (5)" in sids


def test_rpcclient_lists_privileges_and_accounts(forest: ForestHost, machine: Host, smb_conf: str) -> None:
    assert "SeMachineAccountPrivilege" in _rpcclient(machine, smb_conf, "enumprivs")
    assert "S-1-5-32-544" in _rpcclient(machine, smb_conf, "lsaenumsid")
    shown = _rpcclient(machine, smb_conf, "getdispname SeDebugPrivilege")
    assert "Debug programs" in shown


def test_net_grants_and_revokes_rights(forest: ForestHost, machine: Host, smb_conf: str) -> None:
    net = ("net", "rpc", "-s", smb_conf, "-U", _ADMIN, "-S", _DC, "rights")
    granted = _run(machine, *net, "grant", "ADDC\\Domain Users", "SeBackupPrivilege")
    assert "Successfully granted" in granted.stdout
    assert "SeBackupPrivilege" in _run(machine, *net, "list", "ADDC\\Domain Users").stdout
    assert "ADDC\\Domain Users" in _run(machine, *net, "list", "privileges", "SeBackupPrivilege").stdout
    revoked = _run(machine, *net, "revoke", "ADDC\\Domain Users", "SeBackupPrivilege")
    assert "Successfully revoked" in revoked.stdout
    assert "SeBackupPrivilege" not in _run(machine, *net, "list", "ADDC\\Domain Users").stdout


def test_nobody_in_particular_learns_the_domain_and_no_more(
    forest: ForestHost, machine: Host, smb_conf: str
) -> None:
    assert "Domain Name: ADDC" in _rpcclient(machine, smb_conf, "lsaquery", "%")
    for command in ("lookupsids S-1-5-32-544", "lookupnames Administrator", "lsaenumsid", "enumtrust"):
        assert "NT_STATUS_ACCESS_DENIED" in _rpcclient(machine, smb_conf, command, "%"), command


def test_impacket_brute_forces_sids_as_a_user_only(forest: ForestHost, machine: Host) -> None:
    known = _run(machine, sys.executable, str(_LOOKUPSID), f"ADDC/Administrator:{PASSWORD}@{_DC}", "520")
    assert "512: ADDC\\Domain Admins (SidTypeGroup)" in known.stdout
    nobody = _run(machine, sys.executable, str(_LOOKUPSID), "-no-pass", f"@{_DC}", "520")
    assert "SidType" not in nobody.stdout


@pytest.mark.parametrize(
    "suite",
    [
        "rpc.dssetup",
        "rpc.lsa",
        "rpc.lsa-getuser",
        "rpc.lsa.lookupsids",
        "rpc.lsa.lookupnames",
        "rpc.lsa.privileges",
        "rpc.lsa.secrets.none keyexchange:yes ntlm2:yes lm_key:yes",
    ],
)
def test_smbtorture_finds_the_lsa_as_it_should_be(
    forest: ForestHost, machine: Host, smb_conf: str, suite: str
) -> None:
    done = _run(
        machine, "timeout", "50", "smbtorture", "-s", smb_conf, "-U", _ADMIN, f"ncacn_np:{_DC}", suite
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_smbtorture_is_refused_over_tcp_what_is_for_pipes(
    forest: ForestHost, machine: Host, smb_conf: str
) -> None:
    words = ("timeout", "50", "smbtorture", "-s", smb_conf, "-U", _ADMIN, f"ncacn_ip_tcp:{_DC}", "rpc.lsa")
    done = _run(machine, *words)
    assert done.returncode == 0, done.stdout[-4000:]
