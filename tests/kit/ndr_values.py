"""Values of declared NDR structures, made up from their declarations: every kind, nulls, every arm."""

import enum
import random
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints
from uuid import UUID

from addc.codec.ids import Sid
from addc.codec.ndr import (
    CONTEXT_HANDLE,
    GUID,
    SELF,
    SID,
    U8,
    UNSENT,
    WCHAR,
    Conformant,
    Container,
    ContextHandle,
    Embedded,
    FixedArray,
    FixedBytes,
    FixedText,
    Kind,
    KindLike,
    NarrowString,
    Ndr,
    Primitive,
    Range,
    Tagged,
    TaggedUnion,
    UnicodeString,
    Union,
    Varying,
    WideString,
)
from addc.codec.ndr_class import members_of
from addc.codec.ndr_kinds import Pointer, kind_of

Amend = Callable[[Any], Ndr]
_ITEMS_MAX = 3
_LETTERS = "abcXYZ019 .$éß€"


def make(
    cls: type[Ndr], rng: random.Random, *, nulls: bool = True, amend: Mapping[type[Ndr], Amend] | None = None
) -> Ndr:
    """A value of a declared class.

    nulls: pointers may be null. amend: what to make of values of a class whose members depend on each other.
    """
    return Maker(rng, nulls, amend or {}).structure(cls, 4)


class Maker:
    """What `make` does; a subclass may have better ideas for single values."""

    def __init__(self, rng: random.Random, nulls: bool, amend: Mapping[type[Ndr], Amend]) -> None:
        self.rng = rng
        self.nulls = nulls
        self.amend = amend

    def structure(self, cls: type[Ndr], depth: int) -> Ndr:
        """Members in order; switches and sizes are set to what they choose and hold."""
        values: dict[str, object] = {}
        hints = _hints(cls)
        kinds = dict(members_of(cls))
        for name in cls.__match_args__:
            kind = kinds[name]
            if isinstance(kind, Union):
                continue
            values[name] = self.value(kind, depth, cls)
            enumeration = _enumeration(hints[name])
            if enumeration is not None and values[name] is not None:
                values[name] = self.choose(enumeration)
        for name in cls.__match_args__:
            self.correlate(values, name, kinds, cls)
        made = cls(**values)
        return self.amend[cls](made) if cls in self.amend else made

    def choose(self, enumeration: type[enum.Enum] | type[bool]) -> object:
        if issubclass(enumeration, enum.Enum):
            return self.rng.choice(list(enumeration))
        return self.rng.random() < 0.5

    def correlate(self, values: dict[str, object], name: str, kinds: dict[str, Kind], cls: type[Ndr]) -> None:
        kind = kinds[name]
        if isinstance(kind, Union):
            tag = self.rng.choice(list(kind.arms))
            hint = _hints(cls)[kind.switch]
            enumeration = _enumeration(hint)
            values[kind.switch] = tag if enumeration is None else enumeration(tag)
            values[name] = self.value(kind_of(kind.arms[tag]), 2, cls)
        array = kind_of(kind.target) if isinstance(kind, Pointer) else kind
        size = getattr(array, "size", "")
        if isinstance(size, str) and size and not isinstance(array, Embedded):
            held = values[name]
            scale = getattr(array, "scale", 1)
            length = 0 if held is None else _length(array, held)
            if kinds[size] == UNSENT:
                return
            if isinstance(kinds[size], Pointer) or not isinstance(values[size], int) or held is not None:
                values[size] = (length + self.rng.randrange(3)) * scale

    def value(self, kind: Kind, depth: int, cls: type[Ndr]) -> object:
        rng = self.rng
        if isinstance(kind, Pointer):
            if kind.null and (depth <= 0 or (self.nulls and rng.random() < 0.3)):
                return None
            target = Embedded(cls) if kind.target is SELF else kind_of(kind.target)
            return self.value(target, depth - 1, cls)
        if isinstance(kind, Embedded):
            assert issubclass(kind.cls, Ndr)
            return self.structure(kind.cls, depth)
        if isinstance(kind, TaggedUnion):
            tag = rng.choice(list(kind.arms))
            return Tagged(tag, self.value(kind_of(kind.arms[tag]), depth, cls))
        if isinstance(kind, Conformant | Varying):
            most = kind.most if isinstance(kind, Varying) else min(kind.limit, _ITEMS_MAX)
            if isinstance(kind, Conformant) and isinstance(kind.size, int):
                most = min(most, kind.size)
            return self.items(kind.item, rng.randint(0, min(most, _ITEMS_MAX)), depth, cls)
        if isinstance(kind, Container):
            if self.nulls and rng.random() < 0.3:
                return None
            return self.items(kind.item, rng.randint(0, _ITEMS_MAX), depth, cls)
        if isinstance(kind, FixedArray):
            return tuple(self.value(kind_of(kind.item), depth, cls) for _ in range(kind.size))
        return self.plain(kind)

    def items(self, item: KindLike, count: int, depth: int, cls: type[Ndr]) -> object:
        if item == U8:
            return self.rng.randbytes(count)
        if item == WCHAR:
            return self.text(count)
        return tuple(self.value(kind_of(item), depth, cls) for _ in range(count))

    def plain(self, kind: Kind) -> object:
        rng = self.rng
        if kind == UNSENT:
            return 0
        if isinstance(kind, Primitive):
            bits = kind.size * 8
            return rng.getrandbits(bits) - (1 << bits - 1 if kind.code.islower() else 0)
        if isinstance(kind, Range):
            return rng.randint(kind.low, min(kind.high, kind.low + 5))
        if isinstance(kind, FixedBytes):
            return rng.randbytes(kind.size)
        if isinstance(kind, UnicodeString):
            return None if self.nulls and rng.random() < 0.3 else self.text(rng.randint(0, 5))
        if isinstance(kind, WideString | NarrowString):
            return self.text(rng.randint(0, 5))
        if isinstance(kind, FixedText):
            return self.text(rng.randint(0, min(kind.size // 3, 5)))
        if kind == SID:
            return Sid.parse(
                "-".join(["S-1-5", *(str(rng.getrandbits(32)) for _ in range(rng.randint(1, 5)))])
            )
        if kind == GUID:
            return UUID(int=rng.getrandbits(128))
        assert kind == CONTEXT_HANDLE, kind
        return ContextHandle(0, UUID(int=rng.getrandbits(128)))

    def text(self, size: int) -> str:
        return "".join(self.rng.choice(_LETTERS) for _ in range(size))


_HINTS: Final[dict[type[Ndr], dict[str, Any]]] = {}


def _hints(cls: type[Ndr]) -> dict[str, Any]:
    if cls not in _HINTS:
        _HINTS[cls] = get_type_hints(cls, include_extras=True)
    return _HINTS[cls]


def _enumeration(hint: object) -> type[enum.Enum] | type[bool] | None:
    """What a member of this annotation must be one of."""
    inner = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    for kind in (inner, *get_args(inner)):
        if isinstance(kind, type) and (issubclass(kind, enum.Enum) or kind is bool):
            return kind
    return None


def _length(kind: Kind, value: object) -> int:
    assert isinstance(value, str | bytes | tuple)
    return len(value) + (1 if isinstance(kind, WideString | NarrowString) else 0)
