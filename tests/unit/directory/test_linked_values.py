"""Link values: stamps of their own, edits that cost what they touch, conflicts."""

from addc.base.clock import TICKS_PER_S
from addc.base.ids import Dnt, Usn
from addc.directory import linked_values, ttl_links
from addc.directory.context import WriteContext
from addc.directory.link_edit import LinkEdit
from addc.directory.linked_values import compare_links
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.store.links import LinkRow
from addc.store.objects import Stamp
from tests.kit.corp import Corp

NOBODY = bytes(16)


def link(created_ft: int, version: int, time_ft: int = 1, invocation_id: bytes = NOBODY) -> LinkRow:
    stamp = Stamp(version, time_ft, invocation_id, Usn(1), Usn(1))
    return LinkRow(1, Dnt(2), Dnt(3), b"", created_ft, 0, stamp)


def member(ctx: WriteContext) -> Attribute:
    found = ctx.schema.attribute_by_id(attr.MEMBER)
    assert found is not None
    return found


def test_a_younger_value_wins_whatever_its_version() -> None:
    assert compare_links(link(2, 1), link(1, 9)) > 0
    assert compare_links(link(1, 2), link(1, 1)) > 0
    assert compare_links(link(1, 1, 2), link(1, 1, 1)) > 0
    assert compare_links(link(1, 1, 1, b"\1" * 16), link(1, 1)) > 0
    assert compare_links(link(1, 1), link(1, 1)) == 0
    assert compare_links(link(1, 1), None) > 0 > compare_links(None, link(1, 1))


def test_a_value_comes_goes_and_comes_back(corp: Corp) -> None:
    group, ann = corp.group("club"), corp.user("ann")

    def work(ctx: WriteContext) -> list[bool]:
        value = (ann, b"")
        return [
            linked_values.add_value(ctx, group, member(ctx), value, ctx.tx.next_usn()),
            linked_values.add_value(ctx, group, member(ctx), value, ctx.tx.next_usn()),
            linked_values.remove_value(ctx, group, member(ctx), value, ctx.tx.next_usn()),
            linked_values.remove_value(ctx, group, member(ctx), value, ctx.tx.next_usn()),
            linked_values.add_value(ctx, group, member(ctx), value, ctx.tx.next_usn()),
        ]

    assert corp.write(work) == [True, False, True, False, True]
    found = corp.read(lambda ctx: ctx.tx.link(1, group, ann))
    assert found is not None and found.stamp.version == 3 and not found.deleted


def test_an_edit_knows_what_it_will_change(corp: Corp) -> None:
    group, ann, bob = corp.group("club"), corp.user("ann"), corp.user("bob")
    row = corp.row(group)

    def work(ctx: WriteContext) -> list[object]:
        first = LinkEdit(ctx, row, member(ctx))
        seen: list[object] = [first.is_effective(), first.add((ann, b"")), first.add((ann, b""))]
        seen += [first.is_effective(), first.added(), first.was_empty()]
        first.apply(ctx.tx.next_usn())
        second = LinkEdit(ctx, row, member(ctx))
        seen += [second.remove((bob, b"")), second.remove((ann, b"")), second.add((ann, b""))]
        seen += [second.is_effective()]
        third = LinkEdit(ctx, row, member(ctx))
        seen += [third.clear(), third.add((bob, b"")), third.added(), third.removed()]
        third.apply(ctx.tx.next_usn())
        return seen

    assert corp.write(work) == [
        False, True, False, True, [ann], True,
        False, True, True, False,
        True, True, [bob], [ann],
    ]  # fmt: skip
    assert corp.values(group, "member") == [corp.dn("CN=bob,CN=Users").encode()]


def test_purging_leaves_no_trace_and_no_stamp(corp: Corp) -> None:
    group, ann = corp.group("club"), corp.user("ann")
    corp.write(lambda ctx: linked_values.add_value(ctx, group, member(ctx), (ann, b""), ctx.tx.next_usn()))
    before = corp.row(group).usn_changed
    corp.write(lambda ctx: linked_values.purge(ctx, ann))
    assert corp.read(lambda ctx: ctx.tx.link(1, group, ann)) is None
    assert corp.row(group).usn_changed == before


def test_a_value_expires_dies_and_goes_on_both_back_ends(corp: Corp) -> None:
    """[MS-ADTS] 3.1.1.9.2"""
    group, ann = corp.group("club"), corp.user("ann")

    def give(ctx: WriteContext) -> None:
        linked_values.add_value(ctx, group, member(ctx), (ann, b""), ctx.tx.next_usn())
        linked_values.set_expiry(ctx, group, member(ctx), (ann, b""), ctx.now + 600 * TICKS_PER_S)

    def held() -> LinkRow | None:
        return corp.read(lambda ctx: ctx.tx.link(1, group, ann))

    corp.write(give)
    assert not corp.write(ttl_links.step)
    first = held()
    assert first is not None and not first.deleted
    corp.later(601)
    corp.write(ttl_links.step)
    expired = held()
    assert expired is not None and expired.deleted and expired.stamp == first.stamp
    corp.later(181 * 86_400)
    corp.write(ttl_links.step)
    assert held() is None and corp.read(lambda ctx: ctx.tx.next_due("link")) is None


def test_removing_and_adding_again_leaves_nothing_on_the_agenda(corp: Corp) -> None:
    group, ann = corp.group("club"), corp.user("ann")

    def work(ctx: WriteContext) -> list[int]:
        value, waiting = (ann, b""), []
        for change in (linked_values.add_value, linked_values.remove_value, linked_values.add_value):
            change(ctx, group, member(ctx), value, ctx.tx.next_usn())
            waiting.append(len(ctx.tx.due_of("link", group)))
        return waiting

    assert corp.write(work) == [0, 1, 0]
