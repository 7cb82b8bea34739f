"""Kinds of unions: switched by a member beside them, or carrying their tag as part of the value.

Spec: [C706] 14.3.8, [MS-RPCE] 2.2.4.8, 2.2.5.3.4.4.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from addc.base.errors import DecodeError, LocalProtocolError
from addc.codec.ndr_kinds import U32, Kind, KindLike, Primitive, kind_of
from addc.codec.ndr_plan import Emitter, NdrReader, NdrWriter, Plan, Shape, Step, Syntax


@dataclass(frozen=True)
class _Arms(Kind):
    """What both forms share. default: kind of every other tag; None refuses it."""

    def kinds(self) -> tuple[Mapping[int, KindLike], KindLike | None, Primitive]:
        raise AssertionError("each form declares its own")

    def align(self, syntax: Syntax) -> int:
        arms, default, tag = self.kinds()
        every = [*arms.values(), *([] if default is None else [default])]
        return max(tag.align(syntax), *(kind_of(arm).align(syntax) for arm in every))

    def start(self, syntax: Syntax) -> int:
        """In NDR32 the arms have a say only in the alignment of the structure around the union."""
        return self.align(syntax) if syntax else self.kinds()[2].align(syntax)


@dataclass(frozen=True)
class Union(_Arms):
    """Non-encapsulated union: its tag is repeated before the arm that the member `switch` chooses."""

    switch: str
    arms: Mapping[int, KindLike]
    default: KindLike | None = None
    tag: Primitive = U32

    def kinds(self) -> tuple[Mapping[int, KindLike], KindLike | None, Primitive]:
        return self.arms, self.default, self.tag

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        owner = x.rpartition(".")[0]
        level, t, tag = f"{owner}.{self.switch}", e.temp(), e.temp("g")
        put_, rest_, take_, load_ = (e.const(part) for part in _arm_functions(self, e))
        known = e.values[f"{owner}.{self.switch}"]
        return Shape(
            [Step([f"{put_}({level}, {x}, w)"], [f"{tag}, {t} = {take_}(r)"], [tag, t])],
            rest=[f"{rest_}({level}, {x}, w)"],
            load=[
                f"if {tag} != {known}:",
                f'    raise DecodeError("a union of another tag", r.pos, "{e.path}")',
                f"{t} = {load_}(r, {tag}, {t})",
            ],
            value=t,
        )


@dataclass(frozen=True, slots=True)
class Tagged:
    """The value of a TaggedUnion."""

    tag: int
    value: object


@dataclass(frozen=True)
class TaggedUnion(_Arms):
    """A union whose value says its tag: an [out] one switched by an [in] parameter, or an encapsulated one.

    Its value is a `Tagged`.
    """

    arms: Mapping[int, KindLike]
    default: KindLike | None = None
    tag: Primitive = U32

    def kinds(self) -> tuple[Mapping[int, KindLike], KindLike | None, Primitive]:
        return self.arms, self.default, self.tag

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        t, tag, make = e.temp(), e.temp("g"), e.const(Tagged)
        put_, rest_, take_, load_ = (e.const(part) for part in _arm_functions(self, e))
        return Shape(
            [Step([f"{put_}({x}.tag, {x}.value, w)"], [f"{tag}, {t} = {take_}(r)"], [tag, t])],
            rest=[f"{rest_}({x}.tag, {x}.value, w)"],
            load=[f"{t} = {load_}(r, {tag}, {t})"],
            value=f"{make}({tag}, {t})",
        )


PutArm = Callable[[int, object, NdrWriter], None]
TakeArm = Callable[[NdrReader], tuple[int, object]]
LoadArm = Callable[[NdrReader, int, object], object]


def _arm_functions(kind: Union | TaggedUnion, e: Emitter) -> tuple[PutArm, PutArm, TakeArm, LoadArm]:
    """Writers of the body and of the pointees of the chosen arm, and their readers."""
    syntax, path = e.syntax, e.path
    plans = {int(tag): kind_of(arm).plan(syntax) for tag, arm in kind.arms.items()}
    default = kind_of(kind.default).plan(syntax) if kind.default is not None else None
    tag_of = kind.tag.at(syntax)
    tag_struct = struct.Struct("<" + tag_of.code)
    # In NDR64 the union and its arms start at the alignment of the largest arm.
    before = (kind.align(syntax) if syntax else tag_of.boundary) - 1
    between = before if syntax else 0

    def put(tag: int, value: object, w: NdrWriter) -> None:
        plan = plans.get(tag, default)
        if plan is None:
            raise LocalProtocolError(f"{path}: no arm for tag {tag}")
        w.out += bytes(-len(w.out) & before)
        w.out += tag_struct.pack(tag)
        w.out += bytes(-len(w.out) & between)
        plan.pack_body(value, w)

    def put_rest(tag: int, value: object, w: NdrWriter) -> None:
        plan = plans.get(tag, default)
        assert plan is not None
        plan.pack_rest(value, w)

    def chosen(tag: int, pos: int) -> Plan:
        plan = plans.get(tag, default)
        if plan is None:
            raise DecodeError(f"no arm for tag {tag}", pos, path)
        return plan

    def take(r: NdrReader) -> tuple[int, object]:
        r.pos += -r.pos & before
        (tag,) = tag_struct.unpack_from(r.data, r.pos)
        r.pos += tag_struct.size
        r.pos += -r.pos & between
        return tag, chosen(tag, r.pos).unpack_body(r)

    def load(r: NdrReader, tag: int, raw: object) -> object:
        return chosen(tag, r.pos).unpack_rest(r, raw)

    return put, put_rest, take, load
