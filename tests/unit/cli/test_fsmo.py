"""`addc fsmo`: who holds which role, and what taking one over asks for."""

import json
from pathlib import Path

import pytest

from addc.cli.main import main
from addc.directory import entry, fsmo, names
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import draft_of
from addc.directory.fsmo import Role
from addc.directory.stamp import save
from addc.schema import attr
from addc.security.token import SYSTEM
from addc.server.offline import open_directory

ALL = ["schema", "naming", "pdc", "rid", "infrastructure", "domain-dns", "forest-dns"]


def _run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["fsmo", *words, "--data-dir", str(folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def _lend(directory: Directory, role: Role) -> None:
    """Another object holds the role from now on."""

    def work(ctx: WriteContext) -> None:
        row = fsmo.role_object(ctx, role)
        assert row is not None
        draft = draft_of(ctx, row)
        draft.put(attr.FSMO_ROLE_OWNER, names.reference(ctx.forest.server_dnt))
        save(ctx, draft)

    directory.write_now("test", SYSTEM, work)


@pytest.fixture
def lent(corp_folder: Path) -> Path:
    """A forest whose RID master is another DC."""
    directory = open_directory(corp_folder)
    _lend(directory, fsmo.RID_MASTER)
    directory.close()
    return corp_folder


def _pool(folder: Path) -> tuple[bool, int]:
    """Whether this DC is RID master, and the next RID that nobody has."""

    def work(ctx: ReadContext) -> tuple[bool, int]:
        row = fsmo.role_object(ctx, fsmo.RID_MASTER)
        assert row is not None
        return fsmo.is_ours(ctx, fsmo.RID_MASTER), entry.integer(row, attr.RID_AVAILABLE_POOL) & 0xFFFF_FFFF

    directory = open_directory(folder)
    found = directory.read_now("test", SYSTEM, work)
    directory.close()
    return found


def test_every_role_is_told_with_its_holder(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fsmo", "show", "--json", "--data-dir", str(corp_folder)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["role"] for one in told] == ALL
    assert {(one["holder"], one["host"], one["there"]) for one in told} == {
        ("DC1", "dc1.corp.example.com", True)
    }
    assert "pdc              DC1  dc1.corp.example.com" in _run(corp_folder, capsys, "show")


def test_what_is_held_needs_no_taking(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("schema", "naming", "pdc", "rid", "infrastructure"):
        assert "already; nothing is to be done" in _run(corp_folder, capsys, "transfer", name)
    for name in ALL:
        assert "already; nothing is to be done" in _run(corp_folder, capsys, "seize", name)


def test_a_role_comes_over_only_by_its_holder(lent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Spec: [MS-ADTS] 3.1.1.3.3.5. Replication, which a transfer takes, is not there yet."""
    told = _run(lent, capsys, "transfer", "rid", status=1)
    assert "cannot be asked" in told and "addc fsmo seize" in told
    assert _run(lent, capsys, "transfer", "rid", "--dry-run", status=1)
    assert not _pool(lent)[0]


def test_a_role_is_seized_by_force_alone(lent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _pool(lent)
    assert "two DCs would act as one" in _run(lent, capsys, "seize", "rid", status=1)
    assert "nothing was changed" in _run(lent, capsys, "seize", "rid", "--dry-run")
    assert _pool(lent) == before
    assert "must never serve again" in _run(lent, capsys, "seize", "rid", "--force")


def test_a_seized_rid_master_leaves_out_what_the_former_one_may_have_given_away(
    lent: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _pool(lent)
    _run(lent, capsys, "seize", "rid", "--force")
    assert _pool(lent) == (True, before[1] + 10_000)


def test_what_is_no_role_or_cannot_be_asked_for_is_refused(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "one of schema, naming" in _run(corp_folder, capsys, "transfer", "king", status=1)
    assert "addc fsmo seize" in _run(corp_folder, capsys, "transfer", "forest-dns", status=1)
