"""A changed descriptor reaches everything below: at once, in the background, and after an interruption.

Spec: [MS-ADTS] 6.1.3, 6.1.3.3, 3.1.1.3.3.10.
"""

from collections.abc import Iterator

import pytest

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import names, object_sd, rights, sd_propagate
from addc.directory.context import ReadContext, WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.object_classes import class_plan
from addc.directory.rename import rename_object
from addc.schema import attr
from addc.security import sddl
from addc.security.descriptor import SecurityDescriptor
from addc.security.sd_create import create_sd
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow, ObjectState
from tests.kit.corp import Corp, replace_values

DACL = RequestOptions(confidential=True, sd_flags=4)
WIDE = "(A;CI;RP;;;WD)"
OTHER = "(A;CI;LC;;;WD)"


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sd_propagate, "AT_ONCE", 3)
    monkeypatch.setattr(sd_propagate, "BATCH", 4)


def set_dacl(corp: Corp, dn: str, aces: str) -> None:
    """Give an object a DACL of its own; what it inherits comes back by itself."""
    sd = sddl.parse(f"D:(A;;GA;;;SY)(A;;GA;;;DA){aces}", corp.forest.domain_sid, corp.forest.domain_sid)
    corp.modify(dn, replace_values("nTSecurityDescriptor", sd.pack()), options=DACL)


def text_of(corp: Corp, dn: str) -> str:
    sid = corp.forest.domain_sid
    return corp.read(lambda ctx: sddl.format(rights.descriptor(ctx, corp.row(dn)), sid, sid))


def stale(corp: Corp) -> list[str]:
    """The objects whose descriptors are not what their parents' make of them."""

    def work(ctx: ReadContext) -> list[str]:
        return [names.dn_of_row(ctx, row) for row in living(ctx) if not _fits(ctx, row)]

    return corp.read(work)


def living(ctx: ReadContext) -> Iterator[ObjectRow]:
    head = ctx.tx.get(ctx.forest.domain_nc)
    assert head is not None
    for row in ctx.tx.get_many(ctx.tx.subtree_dnts(head.path)):
        if row.nc == head.dnt and row.state is ObjectState.LIVE and not object_sd.is_nc_root(row):
            yield row


def _fits(ctx: ReadContext, row: ObjectRow) -> bool:
    parent = ctx.tx.get(row.parent)
    assert parent is not None
    own: SecurityDescriptor = rights.descriptor(ctx, row)
    plan = class_plan(ctx.schema, row.attrs[attr.OBJECT_CLASS])
    return create_sd(rights.descriptor(ctx, parent), own, SYSTEM, plan.object_types) == own


def waiting(corp: Corp) -> int:
    return corp.read(lambda ctx: len(ctx.tx.due(sd_propagate.KIND, ctx.now)))


def finish(corp: Corp) -> int:
    """Steps until nothing waits."""
    steps = 1
    while corp.write(sd_propagate.step):
        steps += 1
    assert not waiting(corp)
    return steps


def move(corp: Corp, dn: str, rdn: str, to: str) -> None:
    corp.write(lambda ctx: rename_object(ctx, corp.dn(dn), rdn, True, corp.dn(to)), corp.admin)


def tree(corp: Corp, count: int = 6) -> None:
    """OU=top with OUs, each with a contact."""
    corp.add("OU=top", "organizationalUnit")
    for number in range(count):
        corp.add(f"OU=o{number},OU=top", "organizationalUnit")
        corp.add(f"CN=c,OU=o{number},OU=top", "contact")


def test_a_small_subtree_has_it_at_once(corp: Corp) -> None:
    tree(corp)
    set_dacl(corp, "OU=top", WIDE)
    assert not waiting(corp)
    assert "CIID;RP;;;WD" in text_of(corp, "CN=c,OU=o5,OU=top")
    assert stale(corp) == []
    set_dacl(corp, "OU=top", "")
    assert ";;;WD" not in text_of(corp, "CN=c,OU=o5,OU=top").partition("S:")[0].replace("WDWO", "")
    assert stale(corp) == []


@pytest.mark.usefixtures("small_batches")
def test_the_rest_waits_on_the_agenda(corp: Corp) -> None:
    tree(corp)
    set_dacl(corp, "OU=top", WIDE)
    assert waiting(corp) == 1
    assert "CIID;RP;;;WD" in text_of(corp, "OU=o0,OU=top")
    assert "CIID;RP;;;WD" not in text_of(corp, "CN=c,OU=o5,OU=top")
    assert finish(corp) == 3
    assert stale(corp) == []


def test_is_no_originating_update(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    tree(corp)
    before = corp.row("OU=o1,OU=top")
    set_dacl(corp, "OU=top", WIDE)
    after = corp.row("OU=o1,OU=top")
    assert after.sd_id != before.sd_id
    assert (after.usn_changed, dict(after.meta)) == (before.usn_changed, dict(before.meta))
    assert after.attrs[attr.WHEN_CHANGED] == before.attrs[attr.WHEN_CHANGED]


def test_protected_lists_stay(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    tree(corp)
    sid = corp.forest.domain_sid
    sd = sddl.parse("D:PAI(A;;GA;;;SY)(A;;GA;;;DA)", sid, sid)
    corp.modify("OU=o1,OU=top", replace_values("nTSecurityDescriptor", sd.pack()), options=DACL)
    before = corp.row("OU=o1,OU=top").sd_id, corp.row("CN=c,OU=o1,OU=top").sd_id
    set_dacl(corp, "OU=top", WIDE)
    assert (corp.row("OU=o1,OU=top").sd_id, corp.row("CN=c,OU=o1,OU=top").sd_id) == before
    assert "CIID;RP;;;WD" in text_of(corp, "CN=c,OU=o2,OU=top")


def test_what_is_not_inheritable_touches_nothing_below(
    corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    corp = corp_sqlite
    tree(corp)
    set_dacl(corp, "OU=top", WIDE)
    monkeypatch.setattr(sd_propagate, "AT_ONCE", 0)
    set_dacl(corp, "OU=top", WIDE + "(A;;LC;;;WD)")
    assert not waiting(corp)


@pytest.mark.usefixtures("small_batches")
def test_unchanged_branches_are_left_out(corp_sqlite: Corp) -> None:
    """The OUs below a protected one are not looked at: the walk jumps behind them."""
    corp = corp_sqlite
    corp.add("OU=top", "organizationalUnit")
    corp.add("OU=safe,OU=top", "organizationalUnit")
    for number in range(20):
        corp.add(f"OU=o{number},OU=safe,OU=top", "organizationalUnit")
    corp.add("OU=last,OU=top", "organizationalUnit")
    sid = corp.forest.domain_sid
    sd = sddl.parse("D:PAI(A;CI;GA;;;SY)(A;CI;GA;;;DA)", sid, sid)
    corp.modify("OU=safe,OU=top", replace_values("nTSecurityDescriptor", sd.pack()), options=DACL)
    finish(corp)
    set_dacl(corp, "OU=top", WIDE)
    assert finish(corp) == 1
    assert "CIID;RP;;;WD" in text_of(corp, "OU=last,OU=top")
    assert stale(corp) == []


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("steps", range(4))
def test_a_second_change_while_one_is_under_way(corp_sqlite: Corp, steps: int) -> None:
    corp = corp_sqlite
    tree(corp)
    set_dacl(corp, "OU=top", WIDE)
    for _ in range(steps):
        corp.write(sd_propagate.step)
    set_dacl(corp, "OU=top", WIDE + OTHER)
    set_dacl(corp, "OU=o4,OU=top", OTHER)
    set_dacl(corp, "OU=top", "")
    finish(corp)
    assert stale(corp) == []
    assert "CIID;RP;;;WD" not in text_of(corp, "CN=c,OU=o4,OU=top")


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("steps", range(3))
def test_what_moves_meanwhile_is_not_forgotten(corp: Corp, steps: int) -> None:
    tree(corp)
    corp.add("OU=aside", "organizationalUnit")
    set_dacl(corp, "OU=top", WIDE)
    for _ in range(steps):
        corp.write(sd_propagate.step)
    for number in range(6):
        move(corp, f"OU=o{number},OU=top", f"OU=m{number}", "OU=aside")
    assert stale(corp) != []
    finish(corp)
    assert stale(corp) == []


@pytest.mark.usefixtures("small_batches")
def test_what_is_added_meanwhile_fits(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    tree(corp)
    set_dacl(corp, "OU=top", WIDE)
    corp.add("OU=new,OU=o5,OU=top", "organizationalUnit")
    corp.add("OU=new,OU=o0,OU=top", "organizationalUnit")
    finish(corp)
    assert stale(corp) == []


def test_a_move_brings_the_descriptors_of_the_new_place(corp: Corp) -> None:
    tree(corp)
    corp.add("OU=aside", "organizationalUnit")
    set_dacl(corp, "OU=top", WIDE)
    move(corp, "OU=o1,OU=top", "OU=o1", "OU=aside")
    assert "CIID;RP;;;WD" not in text_of(corp, "CN=c,OU=o1,OU=aside")
    assert stale(corp) == []


def test_the_work_of_a_removed_row_goes_with_it(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    dnt = corp.add("OU=gone", "organizationalUnit")
    corp.write(lambda ctx: sd_propagate.fixup_inheritance(ctx, b"dnt:%d" % dnt))
    corp.write(lambda ctx: ctx.tx.remove(dnt))
    assert not corp.write(sd_propagate.step)


@pytest.mark.parametrize("value", [b"1", b"forceupdate"])
def test_fixup_inheritance_mends_what_is_wrong(corp_sqlite: Corp, value: bytes) -> None:
    corp = corp_sqlite
    tree(corp)

    def spoil(ctx: WriteContext) -> None:
        row = corp.row("CN=c,OU=o2,OU=top")
        sd = sddl.parse("O:SYG:SYD:(A;ID;GA;;;WD)", corp.forest.domain_sid, corp.forest.domain_sid)
        ctx.tx.update(row, sd_id=ctx.tx.put_descriptor(sd.pack()))

    corp.write(spoil)
    assert stale(corp) == [corp.dn("CN=c,OU=o2,OU=top")]
    corp.write(lambda ctx: sd_propagate.fixup_inheritance(ctx, value))
    finish(corp)
    assert stale(corp) == []


@pytest.mark.parametrize("value", [b"", b"2", b"dnt:x", b"dnt:999999999"])
def test_fixup_inheritance_of_something_else(corp_sqlite: Corp, value: bytes) -> None:
    with pytest.raises(DsError) as caught:
        corp_sqlite.write(lambda ctx: sd_propagate.fixup_inheritance(ctx, value))
    assert caught.value.code == Win32.ERROR_INVALID_PARAMETER
