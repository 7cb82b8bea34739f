"""Shares that operators define, and what is kept of their files."""

import pytest

from addc.base.errors import UserError
from addc.directory import operator_shares, share_files
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext, WriteContext
from addc.directory.operator_shares import OperatorShare
from addc.security import sddl
from addc.security.token import SYSTEM
from tests.kit.corp import Corp
from tests.kit.corp_forest import CountingRng, StandingClock

FIRST, SECOND = sddl.parse("O:BAG:BAD:(A;;FA;;;BA)"), sddl.parse("O:BAG:BAD:(A;;FR;;;AU)")


@pytest.fixture
def directory(corp_sqlite: Corp) -> Directory:
    services = Services(StandingClock(corp_sqlite.now), CountingRng(b"shares"))
    return Directory(corp_sqlite.store, corp_sqlite.schema, services)


def _put(directory: Directory, share: OperatorShare) -> None:
    directory.write_now("test", SYSTEM, lambda ctx: operator_shares.put(ctx, share, FIRST))


def test_a_share_is_found_without_case_and_changed_in_place(directory: Directory) -> None:
    _put(directory, OperatorShare("Files", "/srv/files"))
    _put(directory, OperatorShare("files", "/srv/files", comment="new").with_security(SECOND))
    (only,) = directory.read_now("test", SYSTEM, operator_shares.all_shares)
    assert only.comment == "new"
    assert only.security == SECOND
    found = directory.read_now("test", SYSTEM, lambda ctx: operator_shares.find(ctx, "FILES"))
    assert found == only
    assert directory.write_now("test", SYSTEM, lambda ctx: operator_shares.remove(ctx, "FILES"))
    assert not directory.write_now("test", SYSTEM, lambda ctx: operator_shares.remove(ctx, "FILES"))


@pytest.mark.parametrize("name", ["SYSVOL", "netlogon", "IPC$", "a/b", "", "x" * 81])
def test_names_that_are_taken_or_impossible_are_refused(directory: Directory, name: str) -> None:
    with pytest.raises(UserError):
        _put(directory, OperatorShare(name, "/srv/files"))


def _kept(directory: Directory, *path: str) -> str | None:
    def work(ctx: ReadContext) -> str | None:
        rows = share_files.look_up(ctx, "files", path)
        if len(rows) <= len(path):
            return None
        found = share_files.descriptor(ctx, rows[-1])
        return None if found is None else sddl.format(found)

    return directory.read_now("test", SYSTEM, work)


def test_what_is_kept_of_a_folder_moves_with_it(directory: Directory) -> None:
    def keep(ctx: WriteContext) -> None:
        share_files.keep(ctx, "files", ("a", "b"), descriptor=SECOND)
        share_files.keep(ctx, "files", ("c",), descriptor=FIRST)

    directory.write_now("test", SYSTEM, keep)
    directory.write_now("test", SYSTEM, lambda ctx: share_files.move(ctx, "files", ("A",), ("C",)))
    assert _kept(directory, "a", "b") is None
    assert _kept(directory, "c", "B") == sddl.format(SECOND)
    directory.write_now("test", SYSTEM, lambda ctx: share_files.drop(ctx, "files", ("c",)))
    assert _kept(directory, "c") is None
    assert _kept(directory, "c", "b") is None


def test_descriptors_of_files_survive_the_sweep(directory: Directory, corp_sqlite: Corp) -> None:
    directory.write_now("test", SYSTEM, lambda ctx: share_files.keep(ctx, "files", ("a",), descriptor=SECOND))
    corp_sqlite.store.write("sweep", lambda tx: tx.sweep_descriptors())
    assert _kept(directory, "a") == sddl.format(SECOND)
