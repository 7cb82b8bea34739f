"""Values like frozen, slotted dataclasses, whose making costs almost nothing.

A domain controller declares more than a thousand structures, and a process uses few of them. So declaring
one gives it slots and nothing more; its constructor is written when it is first called (decision 0028).
"""

import dataclasses
import inspect
from dataclasses import MISSING, FrozenInstanceError
from typing import ClassVar, TypeVar, cast, get_origin

T = TypeVar("T", bound="Value")
_CLASS_VAR: object = ClassVar


class _Fields:
    """`__dataclass_fields__` of a declared class, made when dataclasses.replace or fields asks."""

    def __get__(self, value: object, cls: type["Value"]) -> dict[str, dataclasses.Field[object]]:
        hints = inspect.get_annotations(cls)
        rows = [
            (name, hints[name], dataclasses.field(default=cls.__defaults__.get(name, MISSING)))
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
    __defaults__: ClassVar[dict[str, object]] = {}
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
        if name in cls.__defaults__:
            scope[f"default_{name}"] = cls.__defaults__[name]
            arguments.append(f"{name}=default_{name}")
        else:
            arguments.append(name)
    source = "\n".join([f"def __init__({', '.join(arguments)}):", *(lines or ["    pass"])])
    exec(compile(source, f"<value {cls.__name__}>", "exec"), scope)  # noqa: S102 - source is ours
    cls.__init__ = scope["__init__"]  # type: ignore[method-assign, assignment]


def valued(cls: type[T]) -> type[T]:
    """The class with slots for its members; what is annotated ClassVar is none."""
    names = tuple([name for name, hint in inspect.get_annotations(cls).items() if not is_class_var(hint)])
    body = dict(cls.__dict__)
    body.pop("__dict__", None)
    body.pop("__weakref__", None)
    body["__defaults__"] = {name: body.pop(name) for name in names if name in body}
    body["__slots__"] = body["__match_args__"] = names
    made = cast(type[T], type(cls.__name__, cls.__bases__, body))
    made.__qualname__ = cls.__qualname__
    return made


def is_class_var(hint: object) -> bool:
    return hint is _CLASS_VAR or get_origin(hint) is _CLASS_VAR
