"""A database of an earlier version gets what it lacks, in batches that survive an interruption."""

from addc.base.ids import AttId
from addc.directory import owners, tombstones, upgrades
from addc.directory.api import Directory
from addc.directory.check import check
from addc.directory.delete import delete_object
from addc.directory.jobs import JOBS, run_jobs
from addc.store.tx import WriteTx
from tests.kit.corp import Corp


def _make_old(corp: Corp) -> None:
    """As before owners were indexed and deleted objects stood on the agenda."""
    corp.user("gone")
    corp.write(lambda ctx: delete_object(ctx, corp.dn("CN=gone,CN=Users")), corp.admin)

    def forget(tx: WriteTx) -> None:
        for _, dnt in tx.index_scan(AttId(owners.OWNER_INDEX), b"", None):
            tx.set_index(dnt, owners.OWNER_INDEX, [])
        for work in tx.due(tombstones.TOMBSTONE, 1 << 62):
            tx.drop_due(tombstones.TOMBSTONE, work.dnt)
        tx.set_state(upgrades.STATE, None)

    corp.store.write("test", forget)


def test_an_old_database_is_filled_in(corp: Corp) -> None:
    _make_old(corp)
    directory = Directory(corp.store, corp.schema)
    assert check(directory).open > 2000
    run_jobs(directory, [job for job in JOBS if job.name == "upgrade"])
    assert check(directory).findings == ()


def test_filling_in_goes_on_where_it_stopped(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    _make_old(corp)
    assert corp.write(upgrades.step)
    first = corp.read(lambda ctx: ctx.tx.state(upgrades.STATE))
    assert first is not None and corp.write(upgrades.step)
    assert int.from_bytes(corp.read(lambda ctx: ctx.tx.state(upgrades.STATE)) or b"", "big") > int.from_bytes(
        first
    )


def test_a_new_forest_has_nothing_to_fill_in(corp_sqlite: Corp) -> None:
    usn = corp_sqlite.read(lambda ctx: ctx.tx.seq)
    assert not corp_sqlite.write(upgrades.step)
    assert corp_sqlite.read(lambda ctx: ctx.tx.seq) == usn
