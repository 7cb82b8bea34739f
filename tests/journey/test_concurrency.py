"""Sixteen writers and sixteen readers for a minute: nothing acknowledged is lost, nobody sees half a change.

The readers check while it goes on; afterwards the directory must be what the writers were promised, its
stamps in the order of commits without a gap, and the checker content.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from addc.base.ids import Dnt
from addc.codec.filter import Present
from addc.directory.api import Directory
from addc.directory.check import check
from addc.directory.context import ReadContext
from addc.security.token import SYSTEM
from addc.server.offline import open_directory
from addc.store import integrity
from tests.kit.databases import PostgresServer
from tests.kit.served import DOMAIN_DN, Served, provision_below, start
from tests.kit.traffic import (
    BASE,
    FOLDERS,
    SUBTREE,
    Client,
    Follower,
    Ledger,
    Traffic,
    Writer,
    prepare,
    snapshot,
    watch_links,
    watch_marks,
)

SECONDS: Final = 60
WRITERS: Final = 16
LDAPS: Final = 636
KINDS: Final = ("add", "mark", "join", "leave", "move", "delete")
"""What writers do; each draws one USN."""
POOL: Final = 500
USNS_OF_A_POOL: Final = 2
"""A fresh pool of RIDs changes the RID manager and the RID set."""


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """A forest of the test's own, served by two workers."""
    more: list[str] = []
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        more = ["--database", server.new_database()]
    found = start(provision_below(tmp_path, *more), "--workers", "2")
    yield found
    if found.process.poll() is None:
        found.stop()
    if more:
        server.drop_database(more[1])


def test_writers_and_readers_do_not_disturb_each_other(served: Served) -> None:
    port = served.ports.of(LDAPS)
    with Client(port) as client:
        prepare(client)
        before, rids = client.highest_usn(), _first_free_rid(client)
    writers = [Writer(number) for number in range(WRITERS)]
    followers = [Follower() for _ in range(4)]
    watches = [watch_marks] * 6 + [watch_links] * 6 + [one.watch for one in followers]
    traffic = Traffic(port)
    traffic.run(SECONDS, writers, watches)
    assert traffic.faults == []
    done = sum((one.ledger.done for one in writers), Counter[str]())
    assert all(done[kind] > WRITERS for kind in KINDS), done
    with Client(port) as client:
        _compare_with_promises(client, [one.ledger for one in writers])
        pools = (_first_free_rid(client) - rids) // POOL
        whole = snapshot(client, Present("objectClass"))
        for follower in followers:
            follower.catch_up(client)
            assert follower.copy == whole
    assert served.stop() == 0
    directory = open_directory(served.data_dir)
    try:
        assert check(directory).findings == ()
        _compare_usns(directory, before, done.total() + pools * USNS_OF_A_POOL)
    finally:
        directory.close()


def _compare_with_promises(client: Client, ledgers: list[Ledger]) -> None:
    """The directory holds what was acknowledged, and nothing else."""
    promised = {
        f"CN={name},{user.folder}": (b"%d" % user.mark, user.groups)
        for ledger in ledgers
        for name, user in ledger.users.items()
    }
    found = {
        dn: (entry["info"][0], {value.decode() for value in entry.get("memberof", [])})
        for folder in FOLDERS
        for dn, entry in client.search(folder, SUBTREE, Present("info"), "info", "memberOf")
    }
    assert found == promised


def _first_free_rid(client: Client) -> int:
    """Where the RID manager cuts the next pool."""
    manager = f"CN=RID Manager$,CN=System,{DOMAIN_DN}"
    ((_, entry),) = client.search(manager, BASE, Present("objectClass"), "rIDAvailablePool")
    return int(entry["ridavailablepool"][0]) & 0xFFFF_FFFF


def _compare_usns(directory: Directory, before: int, drawn: int) -> None:
    """Every change drew its USNs and no more; what is later by USN is not earlier by time."""

    def stamps(ctx: ReadContext) -> list[tuple[int, int]]:
        rows = integrity.rows_after(ctx.tx, Dnt(0), 1 << 30)
        return sorted({(one.local_usn, one.time_ft) for row in rows for one in row.meta.values()})

    found = directory.read_now("stamps", SYSTEM, stamps)
    times = [time for usn, time in found if usn > before]
    assert times == sorted(times) and len(times) == len({usn for usn, _ in found if usn > before})
    assert directory.usn() == before + drawn
