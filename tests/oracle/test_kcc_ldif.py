"""Our LDIF goes through Samba's own planner's import and export, and is the same forest afterwards."""

import subprocess
from dataclasses import replace
from pathlib import Path

from addc.kcc.reading.forest import snapshot_of
from addc.kcc.reading.ldif_form import read_ldif
from addc.kcc.reading.ldif_writing import ldif_of
from addc.kcc.snapshot import ConnectionOption, LinkOption, SiteOption
from tests.kit.kcc_forest import NOW, AConnection, ADc, ALink, ASite, forest

FOREST = forest(
    sites=[ASite("A", SiteOption.IS_GROUP_CACHING_ENABLED, "a1", 3600), "B", "Köln"],
    dcs=[
        ADc("a1", "A", gc=True, apps=("DomainDnsZones",), preferred=True),
        ADc("a2", "A"),
        ADc("b1", "B", domain="child", gc=True),
        ADc("c1", "Köln", rodc=True, apps=("DomainDnsZones",)),
    ],
    links=[ALink("all", ("A", "B", "Köln"), 7, 30, LinkOption.USE_NOTIFY), ALink("ab", ("A", "B"))],
    bridges={"both": ("all", "ab")},
    connections=[
        AConnection("a1", "a2", ConnectionOption(0), is_enabled=False),
        AConnection("b1", "a1", transport="IP"),
    ],
    roles={"config": ["a1"], "corp": ["a1"]},
    local="a2",
)


def samba_kcc(folder: Path, *words: str) -> None:
    configuration = folder / "smb.conf"
    configuration.write_text(f"[global]\n private dir = {folder}\n state directory = {folder}\n")
    done = subprocess.run(
        ["/usr/sbin/samba_kcc", "-s", str(configuration), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_samba_loads_what_is_written_and_what_it_exports_is_the_same_forest(tmp_path: Path) -> None:
    given, exported = tmp_path / "given.ldif", tmp_path / "exported.ldif"
    given.write_bytes(ldif_of(FOREST))
    samba_kcc(tmp_path, f"--importldif={given}", f"--tmpdb={tmp_path / 'kcc.ldb'}", "--readonly")
    samba_kcc(tmp_path, "-H", str(tmp_path / "kcc.ldb"), f"--exportldif={exported}")
    entries, facts = read_ldif(exported.read_bytes())
    assert replace(snapshot_of(entries, facts, NOW), troubles=()) == FOREST
