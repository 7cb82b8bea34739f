"""Declared NDR structures as classes, whose plans are made when they are first packed or unpacked.

Spec: [C706] 14.3.6.
"""

import enum
import inspect
from dataclasses import dataclass
from typing import Annotated, TypeVar, cast, dataclass_transform, get_args, get_origin

from addc.codec.declare import Declared, register
from addc.codec.ndr_kinds import U32, Embedded, Kind, Pointer, Primitive, Range, declaring, kind_of
from addc.codec.ndr_plan import (
    DECLARED,
    Emitter,
    Fixed,
    PackFunction,
    Plan,
    Shape,
    Syntax,
    UnpackBody,
    UnpackRest,
    body_lines,
    compile_plan,
    indent,
    run_source,
)
from addc.codec.value import Value, is_class_var, valued

T = TypeVar("T", bound=Value)
_ANNOTATED: object = Annotated


@dataclass(frozen=True, slots=True)
class CountOf:
    """A member that holds the number of items of another member, 0 where that is None.

    scale: what each item counts for, as 2 where text is counted in octets.
    """

    member: str
    kind: Primitive | Range = U32
    scale: int = 1


class LengthOf(CountOf):
    """A CountOf for an array that has its own `size`: of the items that are there ([length_is])."""


@dataclass(frozen=True, slots=True)
class Const:
    """A reserved member: `value` when written, ignored when read."""

    kind: Primitive
    value: int = 0


@dataclass_transform(frozen_default=True)
def structure(cls: type[T]) -> type[T]:
    """Declare an NDR structure."""
    return _declare(cls, False)


@dataclass_transform(frozen_default=True)
def parameters(cls: type[T]) -> type[T]:
    """Declare the [in] or the [out] parameters of an operation, in order.

    Each is aligned by itself, its pointees follow it at once, and a [ref] of its own has no referent id.
    """
    return _declare(cls, True)


def _declare(cls: type[T], are_parameters: bool) -> type[T]:
    made = valued(cls)
    DECLARED[made] = _Declaration(made, are_parameters)
    register(cast(type[Declared], made))
    return made


def members_of(cls: type[Value]) -> list[tuple[str, Kind]]:
    """Name and kind of each member, in wire order; counts and constants stand as their kinds."""
    found: list[tuple[str, Kind]] = []
    for name, annotation in inspect.get_annotations(cls).items():
        if is_class_var(annotation):
            member = getattr(cls, name)
            if isinstance(member, CountOf | Const):
                found.append((name, member.kind))
        elif get_origin(annotation) is _ANNOTATED:
            found.append((name, kind_of(get_args(annotation)[1])))
        else:
            found.append((name, Embedded(cast(type[object], annotation))))
    return found


def _wrap(e: Emitter, cls: type[Value], name: str) -> str:
    """The name of a constructor for the annotated type, where reading yields a bare number."""
    annotation = inspect.get_annotations(cls)[name]
    hint = get_args(annotation)[0] if get_origin(annotation) is _ANNOTATED else None
    for kind in (hint, *get_args(hint)):
        if isinstance(kind, type) and (issubclass(kind, enum.Enum) or kind is bool):
            return e.const(kind, "E")
    return ""


class _Declaration:
    """One declared structure, and how it is compiled."""

    __slots__ = ("_aligns", "_are_parameters", "_cls")

    def __init__(self, cls: type[Value], are_parameters: bool) -> None:
        self._cls = cls
        self._are_parameters = are_parameters
        self._aligns: dict[Syntax, int] = {}

    def align(self, syntax: Syntax) -> int:
        known = self._aligns.get(syntax)
        if known is None:
            kinds = [kind for _, kind in members_of(self._cls)]
            known = self._aligns[syntax] = max((kind.align(syntax) for kind in kinds), default=1)
        return known

    def shape(self, e: Emitter, owner: str) -> Shape:
        """The shape of the structure whose value is the expression `owner`."""
        cls, out, since = self._cls, Shape(), len(e.counts)
        kinds = dict(members_of(cls))
        with declaring(cls):
            for name, kind in kinds.items():
                out.extend(_member_shape(e, owner, (name, kind), _Members(cls, kinds)))
        out.load += _count_checks(e, since)
        out.value = _construct(e, cls, owner)
        if e.wide:
            # [MS-RPCE] 2.2.5.3.4.1: the size is a multiple of the alignment.
            out.steps.append(Fixed("", 0, self.align(e.syntax), "", ""))
        return out

    def compile(self, syntax: Syntax, plan: Plan) -> None:
        e = Emitter(self._cls.__name__, syntax)
        if self._are_parameters:
            _compile_parameters(e, self._cls, plan)
        else:
            compile_plan(e, self.shape(e, "v"), self.align(syntax), plan)


@dataclass(frozen=True, slots=True)
class _Members:
    """The members of one structure."""

    cls: type[Value]
    kinds: dict[str, Kind]


def _member_shape(e: Emitter, owner: str, member: tuple[str, Kind], among: _Members) -> Shape:
    (name, kind), cls = member, among.cls
    e.path = f"{cls.__name__}.{name}"
    extra = cls.__dict__.get(name)
    if isinstance(extra, Const):
        shape = kind.shape(e, repr(extra.value))
        assert isinstance(shape.steps[0], Fixed)
        shape.steps[0].temp = ""
        return shape
    if isinstance(extra, CountOf):
        of, times = f"{owner}.{extra.member}", f" * {extra.scale}" if extra.scale != 1 else ""
        target = among.kinds[extra.member]
        shape = kind.shape(e, f"0 if {of} is None else {target.length(e, of)}{times}")
        e.counts.append((of, target.length(e, "{}") + times, shape.value))
        return shape
    shape = kind.shape(e, kind.argument(owner, f"{owner}.{name}"), _wrap(e, cls, name))
    e.values[f"{owner}.{name}"] = shape.value
    return shape


def _count_checks(e: Emitter, since: int) -> list[str]:
    """Lines that compare each count read with what it counts."""
    lines = []
    for of, length, counted in e.counts[since:]:
        value = e.values[of]
        lines += [
            f"if {value} is not None and {length.format(value)} != {counted}:",
            f'    raise DecodeError("a count disagrees with its array", r.pos, "{e.title}")',
        ]
    del e.counts[since:]
    return lines


def _construct(e: Emitter, cls: type[Value], owner: str) -> str:
    make = e.const(cls, "C")
    return f"{make}({', '.join(e.values[f'{owner}.{name}'] for name in cls.__match_args__)})"


def _compile_parameters(e: Emitter, cls: type[Value], plan: Plan) -> None:
    pack: list[str] = ["out = w.out"]
    unpack: list[str] = []
    kinds = dict(members_of(cls))
    for name, kind in kinds.items():
        bare = kind_of(kind.target) if isinstance(kind, Pointer) and not kind.null else kind
        shape = _member_shape(e, "v", (name, bare), _Members(cls, kinds))
        put, take = body_lines(e, shape, bare.start(e.syntax))
        pack += [*put, *shape.rest]
        unpack += [*take, *shape.load]
    unpack += _count_checks(e, 0)
    lines = ["def pack_body(v, w):", *indent(pack), "def unpack_body(r):", *indent(unpack)]
    lines.append(f"    return {_construct(e, cls, 'v')}")
    scope = run_source(e, lines)
    plan.align, plan.item_size, plan.has_rest, plan.conformant = 1, 0, False, False
    plan.pack_body = cast(PackFunction, scope["pack_body"])
    plan.pack_rest = lambda value, writer: None
    plan.unpack_body = cast(UnpackBody, scope["unpack_body"])
    plan.unpack_rest = cast(UnpackRest, lambda reader, raw: raw)
    plan.ready = True
