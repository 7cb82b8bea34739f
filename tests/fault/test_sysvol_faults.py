"""Every statement of a change to SYSVOL fails once: object and folder, row and content, all or nothing."""

import hashlib
from collections.abc import Callable
from typing import Final

import pytest

from addc.base.errors import StoreError
from addc.directory import gpo_objects, sysvol, sysvol_paths
from addc.directory.context import ReadContext, WriteContext
from addc.store import files
from tests.fault.test_store_faults import _arm, _disarm
from tests.kit.corp import Corp
from tests.kit.corp_forest import DOMAIN_DN

STATEMENTS_MAX: Final = 400
SCRIPTS: Final = ("corp.example.com", "scripts")
LARGE: Final = b"".join(hashlib.sha256(bytes([number])).digest() * 2048 for number in range(3))


def _policy(ctx: WriteContext) -> None:
    """A policy as a whole: objects, folder, files, descriptors, link."""
    policy = gpo_objects.create(ctx, "Whole")
    gpo_objects.link(ctx, policy, DOMAIN_DN)


def _content(ctx: WriteContext) -> None:
    """New content in place of old, a rename over another file, a removal."""
    row = sysvol_paths.put_file(ctx, (*SCRIPTS, "a"), LARGE)
    sysvol.set_size(ctx, row.node, 100_000)
    sysvol.rename(ctx, row.node, row.parent, "b", replace=True)
    sysvol.remove(ctx, sysvol.resolve(ctx, (*SCRIPTS, "c")).node)


def _state(ctx: ReadContext) -> tuple[object, ...]:
    root = sysvol.root(ctx)
    assert root is not None
    tree = [
        (path, row, sysvol.read(ctx, row.node, 0, row.size) if not sysvol.is_folder(row) else b"")
        for path, row in sysvol_paths.walk(ctx, root)
    ]
    return ctx.tx.usn, tree, [one.dn for one in gpo_objects.every(ctx)], files.totals(ctx.tx)


def _prepare(ctx: WriteContext) -> None:
    for name in ("a", "b", "c"):
        sysvol_paths.put_file(ctx, (*SCRIPTS, name), name.encode() * 70_000)


def _undo(ctx: WriteContext) -> None:
    """As before either work."""
    for one in list(gpo_objects.every(ctx)):
        if one.display_name == "Whole":
            gpo_objects.delete(ctx, one)
    _prepare(ctx)


@pytest.mark.parametrize("work", [_policy, _content], ids=["policy", "content"])
@pytest.mark.parametrize("behind", [False, True], ids=["before", "behind"])
def test_each_statement_of_a_change_fails_once(
    corp: Corp, work: Callable[[WriteContext], None], behind: bool
) -> None:
    corp.write(_prepare)
    step = 1 if work is _content else 7
    for at in range(1, STATEMENTS_MAX, step):
        before = corp.read(_state)
        fault = _arm(corp.store, at, behind)
        try:
            corp.write(work)
            done = True
        except StoreError:
            done = False
        _disarm(corp.store)
        after = corp.read(_state)
        with corp.store.read() as tx:
            assert list(files.faults(tx, 5)) == []
        assert (after != before) == done
        if fault.sent < at:
            assert done
            return
        if done:
            corp.write(_undo)
    raise AssertionError("more statements than expected")
