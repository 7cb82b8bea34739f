"""What a declared wire structure is: annotations read once, a plan compiled once, one registry for tests.

A kind (codec/ber.py, codec/ndr.py) turns the annotations of a frozen dataclass into the source of
straight-line functions and compiles them here, so that no field is looked up by name while bytes are read
or written.
"""

import linecache
import types
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, Final, Protocol, Self, TypeVar

_INDENT: Final = "    "


class Declared(Protocol):
    """A value with one wire form; `unpack` takes all bytes or raises DecodeError."""

    def pack(self) -> bytes: ...

    @classmethod
    def unpack(cls, data: bytes) -> Self: ...


_M = TypeVar("_M")
_C = TypeVar("_C", bound=type[Declared])
_REGISTRY: Final[list[type[Declared]]] = []


def register(cls: _C) -> _C:
    """Make a class known to `declared_classes`; the decorators of the kinds call it."""
    _REGISTRY.append(cls)
    return cls


def declared_classes() -> tuple[type[Declared], ...]:
    """All classes declared by the modules imported so far, in order of definition."""
    return tuple(_REGISTRY)


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One field of a declared dataclass, its annotation taken apart.

    type: the annotation without Annotated and without `| None`. marks: what Annotated carries.
    default: the dataclass default, MISSING where there is none.
    """

    name: str
    type: Any
    optional: bool
    marks: tuple[object, ...]
    default: Any

    def mark(self, kind: type[_M]) -> _M | None:
        """The first mark of this class, or None."""
        return next((mark for mark in self.marks if isinstance(mark, kind)), None)


def split_annotation(annotation: object) -> tuple[Any, bool, tuple[object, ...]]:
    """(bare type, whether None is allowed, marks) of an annotation, nested Annotated flattened.

    A union of several types stays as it is: its field names its kind.
    """
    hint: Any = annotation
    marks: tuple[object, ...] = ()
    optional = False
    while True:
        if typing.get_origin(hint) is Annotated:
            marks = (*marks, *hint.__metadata__)
            hint = hint.__origin__
            continue
        if typing.get_origin(hint) in (typing.Union, types.UnionType):
            arms = [arm for arm in typing.get_args(hint) if arm is not types.NoneType]
            optional = optional or len(arms) < len(typing.get_args(hint))
            if len(arms) == 1:
                hint = arms[0]
                continue
        return hint, optional, marks


def field_plans(cls: type[Any]) -> tuple[FieldPlan, ...]:
    """The fields of a dataclass in order of declaration."""
    hints = typing.get_type_hints(cls, include_extras=True)
    plans = []
    for field in fields(cls):
        bare, optional, marks = split_annotation(hints[field.name])
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        plans.append(FieldPlan(field.name, bare, optional, marks, default))
    return tuple(plans)


def slot_setters(cls: type[Any]) -> dict[str, Any]:
    """For each field the function (object, value) that fills its slot, past the frozen __setattr__."""
    return {field.name: getattr(cls, field.name).__set__ for field in fields(cls)}


class Source:
    """Python source under construction, with the names that it may use.

    `names` maps each name used by the source to its object; `bind` picks a free name for an object.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}
        self._depth = 0
        self._serial = 0

    def line(self, text: str) -> None:
        self.lines.append(_INDENT * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """`head:` and what is written inside, one level deeper; a block left empty gets `pass`."""
        self.line(head + ":")
        self._depth += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self._depth -= 1

    def fresh(self, stem: str) -> str:
        """A local name not used so far."""
        self._serial += 1
        return f"{stem}{self._serial}"

    def bind(self, stem: str, value: object) -> str:
        """A global name for `value`; the same object under the same stem keeps its name."""
        name = stem
        while name in self.names and self.names[name] is not value:
            name = self.fresh(stem + "_")
        self.names[name] = value
        return name

    def compile(self, title: str) -> dict[str, Any]:
        """Run the source; the functions that it defines are in the answer. title: shown in tracebacks."""
        text = "\n".join(self.lines) + "\n"
        file_name = f"<declared {title}>"
        linecache.cache[file_name] = (len(text), None, text.splitlines(True), file_name)
        namespace = dict(self.names)
        exec(compile(text, file_name, "exec"), namespace)  # noqa: S102  (source made above, from declarations only)
        return namespace
