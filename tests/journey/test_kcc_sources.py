"""A forest's topology from live DCs, addc's and Samba's: by LDAP, from the files that each tool writes."""

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from addc.base.clock import SystemClock
from addc.kcc.snapshot import NO_TIME, NcKind, Replica, Snapshot
from addc.server import kcc_files, kcc_sources
from addc.server.admin.local import LocalTarget
from addc.server.offline import open_directory
from tests.kit import samba_peer
from tests.kit.clients import DC, Client
from tests.kit.forest_host import DNS_DOMAIN, PASSWORD, ForestHost, client, provision, serve
from tests.kit.net import Host, Lan

WRITE: Final = """
import sys
from pathlib import Path
from addc.base.secret import Secret
from addc.kcc.reading.ldif_writing import write_ldif
from addc.server import kcc_sources
from addc.server.admin.logon import Wanted, log_on
url, user, password, out = sys.argv[1:]
target = log_on(Wanted(url, user, lambda: Secret(password.encode())))
Path(out).write_bytes(write_ldif(*kcc_sources.entries_of(target)))
target.close()
"""
CONFIG: Final = "CN=Configuration,DC=" + DNS_DOMAIN.replace(".", ",DC=")


@pytest.fixture(scope="module")
def peer(lan: Lan) -> Iterator[samba_peer.SambaPeer]:
    host = lan.host("kccpeer", 94)
    found = samba_peer.provision(host, host.folder / "samba")
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def served(lan: Lan) -> Iterator[tuple[ForestHost, Host]]:
    host = lan.host("kccsource", 95)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    forest = serve(host, data_dir)
    yield forest, client(lan.host("kccreader", 96), host, data_dir / "tls" / "ca.pem")
    assert forest.stop() == 0


def by_ldap(machine: Host, url: str, user: str, password: str) -> Snapshot:
    """What a DC tells whom, as of now."""
    out = machine.folder / "told.ldif"
    machine.run([sys.executable, "-c", WRITE, url, user, password, str(out)], check=True, timeout_s=60)
    return kcc_files.from_ldif(out, SystemClock().now())


def plain(found: Snapshot) -> Snapshot:
    """Without what the next change or the next second makes different."""
    return replace(found, now=NO_TIME, cursors={}, troubles=())


def test_a_dc_of_samba_s_tells_the_same_by_ldap_as_its_own_planner_exports(
    peer: samba_peer.SambaPeer, tmp_path: Path
) -> None:
    machine = peer.host
    wait = ["ldapsearch", "-x", "-H", "ldap://127.0.0.1", "-s", "base", "-b", ""]
    assert any(machine.run(wait).returncode == 0 for _ in range(600))
    tool = [
        "samba-tool",
        "sites",
        "create",
        "Branch",
        "-H",
        f"{peer.folder}/private/sam.ldb",
        "-s",
        str(peer.conf),
    ]
    machine.run(tool, check=True)
    exported = tmp_path / "exported.ldif"
    machine.run(
        [
            "samba_kcc",
            "-s",
            str(peer.conf),
            "-H",
            f"{peer.folder}/private/sam.ldb",
            f"--exportldif={exported}",
        ],
        check=True,
    )
    theirs = kcc_files.from_ldif(exported, SystemClock().now())
    url = f"ldap://{samba_peer.HOST_NAME}.{samba_peer.DNS_DOMAIN}"
    ours = by_ldap(machine, url, "Administrator", samba_peer.PASSWORD)
    assert plain(replace(ours, role_owners={})) == plain(replace(theirs, role_owners={}))
    (dc,) = ours.dcs
    assert dc.held == dc.due and set(dc.held.values()) == {Replica.WRITABLE}
    assert {site.name for site in ours.sites} == {"Default-First-Site-Name", "Branch"}
    kinds = {ours.ncs[nc].kind for nc, owners in ours.role_owners.items() if owners == {0}}
    assert {NcKind.CONFIG, NcKind.SCHEMA, NcKind.DOMAIN} <= kinds


def test_a_dc_of_ours_tells_the_same_by_ldap_with_a_ticket_and_on_its_own_disk(
    served: tuple[ForestHost, Host],
) -> None:
    forest, machine = served
    Client(machine).login()
    made = machine.run(
        [sys.executable, "-m", "addc.cli.main", "sites", "create", "Branch", "-H", f"ldap://{DC}"]
    )
    assert made.returncode == 0, made.stderr
    ours = by_ldap(machine, f"ldap://{DC}", "", "")
    assert len(ours.links) == 1 and len(ours.sites) == 2 and ours.local == 0
    with closing(open_directory(forest.data_dir)) as directory:
        here = kcc_sources.from_target(LocalTarget(directory, "here"), SystemClock().now())
    assert plain(ours) == plain(here)
    assert ours.troubles == ()


def test_ldapsearch_writes_a_file_that_is_the_same_forest(served: tuple[ForestHost, Host]) -> None:
    """By a person with OpenLDAP's tool and no knowledge of ours: folded, GUIDs in base64, no rootDSE."""
    _, machine = served
    done = machine.run(
        [
            "ldapsearch", "-LLL", "-H", f"ldaps://{DC}", "-x", "-D", f"Administrator@{DNS_DOMAIN}",
            "-w", PASSWORD, "-b", CONFIG, "(|(objectClass=crossRef)(objectClass=site)"
            "(objectClass=nTDSSiteSettings)(objectClass=server)(objectClass=nTDSDSA)(objectClass=nTDSConnection)"
            "(objectClass=interSiteTransport)(objectClass=siteLink)(objectClass=siteLinkBridge))",
        ],
        check=True,
    )  # fmt: skip
    file = machine.folder / "searched.ldif"
    file.write_text(done.stdout)
    found = kcc_files.from_ldif(file)
    told = by_ldap(machine, f"ldap://{DC}", "Administrator", PASSWORD)
    assert plain(found) == plain(replace(told, local=None, role_owners={}))
    assert found.now > 0
