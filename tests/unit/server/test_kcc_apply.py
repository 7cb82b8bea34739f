"""A run of the KCC by command: the directory here, and a DC elsewhere by LDAP. Spec: [MS-ADTS] 6.2.2."""

import pytest

from addc.base.errors import UserError
from addc.directory import names, replica_links
from addc.directory.context import ReadContext, WriteContext
from addc.security.token import SYSTEM
from addc.server.admin.local import LocalTarget
from addc.server.admin.target import ONE_LEVEL, Entry, Target
from addc.server.kcc_apply import apply
from tests.kit.admin_target import remote
from tests.kit.corp_forest import CONFIG_DN, NOW, CountingRng
from tests.kit.corp_sites import FIRST, SITES
from tests.kit.kcc_dcs import add_dc
from tests.kit.ldap_desk import Desk

pytest_plugins = ["tests.kit.admin_target"]
OWN = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN={FIRST},{SITES}"
RNG = CountingRng(b"apply")


def joined(desk: Desk) -> LocalTarget:
    """The desk's forest with a second DC in its site."""

    def work(ctx: WriteContext) -> None:
        add_dc(ctx, f"{FIRST}/DC2")

    desk.directory.write_now("test", SYSTEM, work)
    return LocalTarget(desk.directory, "the forest of a test")


def connections(target: Target) -> list[Entry]:
    return list(target.search(OWN, ONE_LEVEL, attributes=("fromServer", "options", "systemFlags")))


def partners(desk: Desk) -> int:
    def work(ctx: ReadContext) -> int:
        return len(replica_links.sources(names.resolve(ctx, CONFIG_DN)))

    return desk.directory.read_now("test", SYSTEM, work)


def test_here_connections_and_partners_are_written(desk: Desk) -> None:
    target = joined(desk)
    done = apply(target, NOW, RNG)
    assert (done["added"], done["partners"], done["istg"]) == (1, 3, True)
    assert len(connections(target)) == 1 and partners(desk) == 1
    again = apply(target, NOW, RNG)
    assert (again["added"], again["kept"], again["done"]) == (0, 1, [])


def test_a_dry_run_tells_and_keeps_nothing(desk: Desk) -> None:
    target = joined(desk)
    done = apply(target, NOW, RNG, dry_run=True)
    assert done["added"] == 1 and done["done"]
    assert not connections(target) and not partners(desk)


def test_elsewhere_connections_are_written_with_the_asker_s_rights(desk: Desk) -> None:
    """The DC itself makes partners of them."""
    local, there = joined(desk), remote(desk)
    tried = apply(there, NOW, RNG, dry_run=True)
    assert tried["added"] == 1 and not connections(local)
    done = apply(there, NOW, RNG)
    assert done["added"] == 1 and not partners(desk)
    (one,) = connections(local)
    assert one.text("fromServer").startswith("CN=NTDS Settings,CN=DC2")
    assert (one.number("options"), one.number("systemFlags")) == (1, 0x6000_0000)
    assert apply(there, NOW, RNG)["done"] == []


def test_elsewhere_nothing_is_written_without_rights(desk: Desk) -> None:
    joined(desk)
    desk.corp.user("mallory", "Pa55word.x")
    with pytest.raises(UserError):
        apply(remote(desk, "mallory"), NOW, RNG)
    assert not connections(LocalTarget(desk.directory, "here"))
