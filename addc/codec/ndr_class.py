"""Declared structures as classes: values like frozen, slotted dataclasses, whose making costs almost nothing.

The interfaces of a domain controller declare more than a thousand structures, and a process uses few of them.
So declaring one gives it slots and nothing more; its constructor is written when it is first called, its plan
when it is first packed or unpacked (decision 0028).
Spec: [C706] 14.3.6.
"""

import dataclasses
import enum
import inspect
from dataclasses import MISSING, FrozenInstanceError, dataclass
from typing import Annotated, ClassVar, TypeVar, cast, dataclass_transform, get_args, get_origin

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

T = TypeVar("T", bound="Value")
_ANNOTATED: object = Annotated
_CLASS_VAR: object = ClassVar


class _Fields:
    """`__dataclass_fields__` of a declared class, made when dataclasses.replace or fields asks."""

    def __get__(self, value: object, cls: type["Value"]) -> dict[str, dataclasses.Field[object]]:
        hints = inspect.get_annotations(cls)
        rows = [
            (name, hints[name], dataclasses.field(default=cls.__ndr_defaults__.get(name, MISSING)))
            for name in cls.__match_args__
        ]
        fields = {each.name: each for each in dataclasses.fields(_as_dataclass(cls.__name__, rows))}
        type.__setattr__(cls, "__dataclass_fields__", fields)
        return fields


def _as_dataclass(name: str, rows: list[tuple[str, object, object]]) -> type["Value"]:
    return cast(type[Value], dataclasses.make_dataclass(name, rows))


class Value:
    """Base of declared structures: compared and shown by their members, never changed."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    __ndr_defaults__: ClassVar[dict[str, object]] = {}
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[object]]] = cast(
        dict[str, dataclasses.Field[object]], _Fields()
    )

    def __init__(self, *args: object, **named: object) -> None:
        cls = type(self)
        _write_constructor(cls)
        cls.__init__(self, *args, **named)

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__match_args__)

    def __hash__(self) -> int:
        return hash(tuple([getattr(self, name) for name in self.__match_args__]))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{type(self).__qualname__}({shown})"


def _write_constructor(cls: type[Value]) -> None:
    """Give the class its __init__, which fills the slots past the frozen __setattr__."""
    scope: dict[str, object] = {}
    arguments, lines = ["self"], []
    for name in cls.__match_args__:
        scope[f"set_{name}"] = getattr(cls, name).__set__
        lines.append(f"    set_{name}(self, {name})")
        if name in cls.__ndr_defaults__:
            scope[f"default_{name}"] = cls.__ndr_defaults__[name]
            arguments.append(f"{name}=default_{name}")
        else:
            arguments.append(name)
    source = "\n".join([f"def __init__({', '.join(arguments)}):", *(lines or ["    pass"])])
    exec(compile(source, f"<ndr {cls.__name__}>", "exec"), scope)  # noqa: S102 - source is ours
    cls.__init__ = scope["__init__"]  # type: ignore[method-assign, assignment]


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
    names = tuple([name for name, hint in inspect.get_annotations(cls).items() if not _is_class_var(hint)])
    body = dict(cls.__dict__)
    body.pop("__dict__", None)
    body.pop("__weakref__", None)
    body["__ndr_defaults__"] = {name: body.pop(name) for name in names if name in body}
    body["__slots__"] = body["__match_args__"] = names
    made = cast(type[T], type(cls.__name__, cls.__bases__, body))
    made.__qualname__ = cls.__qualname__
    DECLARED[made] = _Declaration(made, are_parameters)
    register(cast(type[Declared], made))
    return made


def _is_class_var(hint: object) -> bool:
    return hint is _CLASS_VAR or get_origin(hint) is _CLASS_VAR


def members_of(cls: type[Value]) -> list[tuple[str, Kind]]:
    """Name and kind of each member, in wire order; counts and constants stand as their kinds."""
    found: list[tuple[str, Kind]] = []
    for name, annotation in inspect.get_annotations(cls).items():
        if _is_class_var(annotation):
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
