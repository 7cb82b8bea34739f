"""The KCC of a served forest with three sites, as Samba's tools and Samba's own KCC see it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from addc.codec.schedule import unpack_schedule
from addc.kcc import directory_view
from addc.kcc.reading.ldif_writing import ldif_of
from addc.security.token import SYSTEM
from addc.server.offline import open_directory
from tests.kit.clients import DC, Client, parse_ldif
from tests.kit.forest_host import DOMAIN_DN, PASSWORD, ForestHost, client, log_lines, provision, serve
from tests.kit.net import Host, Lan
from tests.kit.samba_tools import SambaTools, samba_desk

SITES: Final = f"CN=Sites,CN=Configuration,{DOMAIN_DN}"
FIRST: Final = "Default-First-Site-Name"
OWN: Final = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN={FIRST},{SITES}"
IP: Final = f"CN=IP,CN=Inter-Site Transports,{SITES}"
PLAIN: Final = "Passw0rd.Plain1"
_LOOKS: Final = 400
"""Searches until a change is expected to have been seen; each takes a tenth of a second or so."""


@dataclass(frozen=True, slots=True)
class Branches:
    """A forest with DCs that nobody runs: beside DC1 in its site, and in two branches."""

    forest: ForestHost
    user: Client
    tools: SambaTools

    def connections(self) -> dict[str, dict[str, list[str]]]:
        """Below our own DC, by the name of the server that each is from."""
        found = self.user.entries("(objectClass=nTDSConnection)", "*", base=OWN)
        return {one["fromserver"][0].split(",")[1].removeprefix("CN="): one for one in found}

    def drs(self, *words: str) -> str:
        done = self.tools.machine.run(["samba-tool", "drs", *words, *self.tools.logon])
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def branches(lan: Lan) -> Iterator[Branches]:
    host = lan.host("kccdc", 80)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    forest = serve(host, data_dir)
    machine = client(lan.host("kccclient", 81), host, data_dir / "tls" / "ca.pem")
    user = Client(machine)
    user.login()
    tools = SambaTools(samba_desk(machine))
    for name in ("Berlin", "Bonn"):
        tools.ok("sites", "create", name)
    link = f"CN={{0}},{IP}"
    for name, site, cost in (("north", "Berlin", 100), ("south", "Bonn", 50)):
        user.must_change(
            f"dn: {link.format(name)}\nobjectClass: siteLink\ncost: {cost}\nreplInterval: 180\n"
            f"siteList: CN={FIRST},{SITES}\nsiteList: CN={site},{SITES}\n",
            "ldapadd",
        )
    user.must_change(
        f"dn: CN=DC1,CN=Servers,CN={FIRST},{SITES}\nchangetype: modify\n"
        f"add: bridgeheadTransportList\nbridgeheadTransportList: {IP}\n"
    )
    words = [f"{FIRST}/DC2", "Berlin/DC3", "Bonn/DC4"]
    joined = host.run([sys.executable, "-m", "tests.kit.kcc_dcs", str(data_dir), *words])
    assert joined.returncode == 0, joined.stderr
    yield Branches(forest, user, tools)
    assert forest.stop() == 0
    errors = [line for line in log_lines(forest.log) if line["level"] == "error"]
    assert not errors, errors[:3]


def test_samba_tool_makes_the_kcc_run_and_connections_are_as_windows_writes_them(branches: Branches) -> None:
    assert f"Consistency check on {DC} successful" in branches.drs("kcc", DC)
    found = branches.connections()
    assert set(found) == {"DC2", "DC3", "DC4"}
    for name, one in found.items():
        assert one["enabledconnection"] == ["TRUE"]
        assert one["systemflags"] == [str(0x6000_0000)]
        assert one["showinadvancedviewonly"] == ["TRUE"]
        assert one["options"] == ["1"]
        assert len(one["cn"][0]) == 36
        week = unpack_schedule(one["schedule"][0].encode("latin-1"))
        assert week.bit_count() == (168 if name == "DC2" else 56)
        assert one.get("transporttype") == (None if name == "DC2" else [IP])
    before = [one["usnchanged"] for one in found.values()]
    branches.drs("kcc", DC)
    assert [one["usnchanged"] for one in branches.connections().values()] == before


def test_samba_tool_shows_partners_and_connections(branches: Branches) -> None:
    branches.drs("kcc", DC)
    shown = branches.drs("showrepl", DC)
    inbound = shown.partition("==== INBOUND NEIGHBORS ====")[2].partition("==== OUTBOUND")[0]
    for site, name in ((FIRST, "DC2"), ("Berlin", "DC3"), ("Bonn", "DC4")):
        assert inbound.count(f"{site}\\{name} via RPC") == 3, shown
    assert "0 consecutive failure(s)" in inbound
    assert shown.count("Connection --") == 3
    assert "NTDSCONN_KCC_RING_TOPOLOGY" in shown
    assert "Warning: No NC replicated" not in shown


def test_a_plain_user_may_not_make_it_run(branches: Branches) -> None:
    branches.tools.ok("user", "create", "pat", PLAIN)
    logon = (f"-Upat%{PLAIN}", "--use-kerberos=off")
    done = branches.tools.machine.run(["samba-tool", "drs", "kcc", DC, *logon])
    assert done.returncode != 0
    assert "WERR_DS_DRA_ACCESS_DENIED" in done.stdout + done.stderr or "8453" in done.stderr


def test_the_server_s_own_kcc_follows_a_change_of_a_link(branches: Branches) -> None:
    branches.drs("kcc", DC)
    branches.user.must_change(
        f"dn: CN=south,{IP}\nchangetype: modify\nreplace: replInterval\nreplInterval: 60\n"
    )
    for _ in range(_LOOKS):
        if branches.connections()["DC4"]["schedule"] != branches.connections()["DC3"]["schedule"]:
            break
    changed = branches.connections()
    assert changed["DC4"]["schedule"] != changed["DC3"]["schedule"]
    told = [line for line in log_lines(branches.forest.log) if line.get("logger") == "addc.kcc"]
    assert told, "it says what it did"


def test_a_dc_that_goes_takes_its_connection_along(branches: Branches) -> None:
    branches.drs("kcc", DC)
    server = f"CN=DC2,CN=Servers,CN={FIRST},{SITES}"
    gone = branches.user.delete(f"CN=NTDS Settings,{server}", server)
    assert gone.returncode == 0, gone.stderr
    branches.drs("kcc", DC)
    assert set(branches.connections()) == {"DC3", "DC4"}
    assert f"{FIRST}\\DC2" not in branches.drs("showrepl", DC)


def test_samba_s_own_kcc_would_add_and_remove_nothing(branches: Branches, tmp_path: Path) -> None:
    """On the same configuration, with our DC as the one that looks."""
    branches.drs("kcc", DC)
    ldif, database = tmp_path / "forest.ldif", tmp_path / "forest.ldb"
    directory = open_directory(branches.forest.data_dir)
    try:
        snapshot = directory.read_now("test", SYSTEM, directory_view.snapshot)
    finally:
        directory.close()
    ldif.write_bytes(ldif_of(snapshot))
    machine = branches.tools.machine
    conf = machine.environment["SMB_CONF_PATH"]
    done = machine.run(["samba_kcc", "-s", conf, f"--importldif={ldif}", f"--tmpdb={database}"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert _edges(machine, database) == {
        (connection.source_dn, dc.dn) for dc in snapshot.dcs for connection in dc.connections
    }


def _edges(machine: Host, database: Path) -> set[tuple[str, str]]:
    """(source, target) of the connections in an ldb file."""
    done = machine.run(["ldbsearch", "-H", str(database), "(objectClass=nTDSConnection)", "fromServer"])
    assert done.returncode == 0, done.stderr
    return {
        (one["fromserver"][0], one["dn"][0].partition(",")[2])
        for one in parse_ldif(done.stdout.replace("\n ", ""))
        if "fromserver" in one
    }


def test_the_command_does_the_same(branches: Branches) -> None:
    """addc kcc --apply on the forest's folder, beside the server: all is as it ought to be."""
    before = branches.connections()
    done = branches.forest.addc("kcc", "--apply", "--data-dir", str(branches.forest.data_dir), "--json")
    assert done.returncode == 0, done.stderr
    assert branches.connections() == before
    assert PASSWORD not in done.stdout
    status = branches.forest.addc("status", "--data-dir", str(branches.forest.data_dir))
    assert "topology checked: 20" in status.stdout and "topology generator: yes" in status.stdout
