"""Where the planner's view comes from: here, elsewhere and from within a DC it is the same forest."""

from dataclasses import replace
from pathlib import Path

import pytest

from addc.base.errors import UserError
from addc.codec.schedule import Quarters, pack_schedule
from addc.kcc import directory_view
from addc.kcc.reading.ldif_writing import write_ldif
from addc.kcc.snapshot import NO_TIME, NcAt, NcKind, Replica, Snapshot
from addc.security.token import SYSTEM
from addc.server import kcc_files, kcc_sources
from addc.server.admin import site_objects, sites
from addc.server.admin.local import LocalTarget
from addc.server.admin.target import Modify, Target
from addc.server.admin.target import replace as set_to
from tests.kit.admin_target import remote
from tests.kit.kcc_forest import NOW
from tests.kit.ldap_desk import Desk

pytest_plugins = ["tests.kit.admin_target"]
EVENINGS = Quarters(sum(1 << (day * 96 + quarter) for day in range(7) for quarter in range(72, 96)))


def read(target: Target) -> Snapshot:
    return kcc_sources.from_target(target, NOW)


def branched(desk: Desk) -> LocalTarget:
    """The desk's forest with a second site, whose link is open in the evening."""
    target = LocalTarget(desk.directory, "the forest of a test")
    sites.create(target, "Branch")
    link = f"CN=DEFAULTIPSITELINK,{site_objects.links_dn(target)}"
    target.apply([Modify(link, [set_to("schedule", pack_schedule(EVENINGS)), set_to("cost", b"42")])])
    return target


def test_a_new_forest_is_a_site_with_one_dc_that_holds_all_that_it_should(target: Target) -> None:
    found = read(target)
    (dc,) = found.dcs
    assert found.local == 0
    assert dc.held == dc.due
    assert set(dc.held.values()) == {Replica.WRITABLE}
    assert [nc.kind for nc in found.ncs][:3] == [NcKind.CONFIG, NcKind.SCHEMA, NcKind.DOMAIN]
    assert found.ncs[dc.domain or 0].dn == target.place.domain_dn
    assert found.forest_dns == target.place.dns_domain
    assert found.links == ()
    assert found.troubles == ()
    assert found.role_owners[NcAt(2)] == frozenset({0})


def test_here_elsewhere_and_inside_a_dc_tell_the_same(desk: Desk) -> None:
    local = branched(desk)
    here, elsewhere = read(local), read(remote(desk))
    inside = desk.directory.read_now("test", SYSTEM, lambda ctx: directory_view.view(ctx, NOW, {}))
    assert here == elsewhere
    assert here == replace(inside, troubles=here.troubles)
    assert [site.name for site in here.sites if site.name == "Branch"]
    (link,) = here.links
    assert (link.sites, link.cost, link.window) == ((0, 1), 42, EVENINGS)


def test_what_a_dc_told_is_the_same_from_a_file(desk: Desk, tmp_path: Path) -> None:
    target = branched(desk)
    file = tmp_path / "forest.ldif"
    file.write_bytes(write_ldif(*kcc_sources.entries_of(target)))
    assert kcc_files.from_ldif(file, NOW) == read(target)


def test_without_a_time_a_file_is_read_as_of_its_newest_change(tmp_path: Path, desk: Desk) -> None:
    file = tmp_path / "forest.ldif"
    data = write_ldif(*kcc_sources.entries_of(branched(desk)))
    file.write_bytes(
        data.replace(b"objectClass: site\n", b"objectClass: site\nwhenChanged: 20260102030405.0Z\n")
    )
    assert kcc_files.from_ldif(file).now == 134117966450000000
    file.write_bytes(data)
    assert kcc_files.from_ldif(file).now > NO_TIME


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        (b"hello", "is no LDIF"),
        (b"", "is no LDIF"),
        (b"dn: CN=x\ncn: x\n", "no DC is in it"),
    ],
)
def test_a_file_without_a_forest_is_refused_with_a_next_step(
    tmp_path: Path, content: bytes | None, told: str
) -> None:
    file = tmp_path / "forest.ldif"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError, match=told) as refused:
        kcc_files.from_ldif(file)
    assert "Next step" in str(refused.value)
