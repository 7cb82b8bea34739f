"""The kinds of single values, structures and pointers that an NDR declaration is made of.

Spec: [C706] 14.2 (primitive types), 14.3 (constructed types), [MS-DTYP] 2.3, [MS-RPCE] 2.2.4, 2.2.5.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError
from addc.codec.ndr_plan import (
    DECLARED,
    Emitter,
    Fixed,
    NdrReader,
    Plan,
    Shape,
    Step,
    Syntax,
    compile_plan,
    indent,
    plan_of,
)


class Kind:
    """What a value is on the wire."""

    def align(self, syntax: Syntax) -> int:
        """The boundary it starts at."""
        raise AssertionError("each kind declares its own")

    def start(self, syntax: Syntax) -> int:
        """The boundary that is sought before it, where it is no member of a structure."""
        return self.align(syntax)

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        """How the value in expression `x` is packed; `wrap` names a type to make of the unpacked value."""
        raise AssertionError("each kind declares its own")

    def argument(self, owner: str, x: str) -> str:
        """What `shape` is given for a member `x` of `owner`: more than `x` where other members have a say."""
        return x

    def length(self, e: Emitter, x: str) -> str:
        """Expression of the number of items of `x`, for the member that counts them."""
        return f"len({x})"

    def plan(self, syntax: Syntax) -> Plan:
        """The compiled functions of this kind by itself."""
        e = Emitter(type(self).__name__, syntax)
        return compile_plan(e, self.shape(e, "v"), self.start(syntax))


KindLike = Kind | type[object]


def kind_of(kind: KindLike) -> Kind:
    return kind if isinstance(kind, Kind) else Embedded(kind)


@dataclass(frozen=True)
class Primitive(Kind):
    """A number of fixed size; enumerations and booleans by the annotated type.

    wide: what it is in NDR64, where that differs.
    """

    code: str
    size: int
    boundary: int
    wide: "Primitive | None" = None

    def at(self, syntax: Syntax) -> "Primitive":
        """What it is in a syntax."""
        return self.wide if syntax and self.wide is not None else self

    def align(self, syntax: Syntax) -> int:
        return self.at(syntax).boundary

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        t, this = e.temp(), self.at(e.syntax)
        value = f"{wrap}({t})" if wrap else t
        return Shape([Fixed(this.code, this.size, this.boundary, x, t)], value=value)


U8: Final = Primitive("B", 1, 1)
U16: Final = Primitive("H", 2, 2)
U32: Final = Primitive("I", 4, 4)
U64: Final = Primitive("Q", 8, 8)
"""hyper."""
I16: Final = Primitive("h", 2, 2)
I32: Final = Primitive("i", 4, 4)
I64: Final = Primitive("q", 8, 8)
ENUM16: Final = Primitive("H", 2, 2, U32)
"""An enumeration without v1_enum; NDR64 has 32 bits for it ([MS-RPCE] 2.2.5.2). [v1_enum] is U32."""
U3264: Final = Primitive("I", 4, 4, U64)
"""__int3264, [MS-RPCE] 2.2.4.1.2."""
FILETIME: Final = Primitive("Q", 8, 4)
"""Two 32-bit words, so aligned to 4 ([MS-DTYP] 2.3.3)."""


@dataclass(frozen=True)
class Range(Kind):
    """A number that must lie between two others; what a peer sends outside is malformed.

    Spec: [MS-RPCE] 2.2.4.14.1.
    """

    low: int
    high: int
    kind: Primitive = U32

    def align(self, syntax: Syntax) -> int:
        return self.kind.align(syntax)

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        inner = self.kind.shape(e, x)
        inner.load = [
            f"if not {self.low} <= {inner.value} <= {self.high}:",
            f'    raise DecodeError("a number out of its range", r.pos, "{e.path}")',
        ]
        if wrap:
            inner.value = f"{wrap}({inner.value})"
        return inner


@dataclass(frozen=True)
class _Guid(Kind):
    """GUID ([MS-DTYP] 2.3.4): a structure that begins with a 32-bit number."""

    def align(self, syntax: Syntax) -> int:
        return 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        t, make = e.temp(), e.const(UUID)
        return Shape([Fixed("16s", 16, 4, f"{x}.bytes_le", t)], value=f"{make}(bytes_le={t})")


GUID: Final = _Guid()


@dataclass(frozen=True, slots=True)
class ContextHandle:
    """ndr_context_handle: what a client holds for something that the server keeps.

    Spec: [C706] 14.3.11 and appendix N (ndr_context_handle).
    """

    attributes: int
    uuid: UUID

    def __bool__(self) -> bool:
        """Whether it is not the null handle."""
        return bool(self.uuid.int)


NULL_HANDLE: Final = ContextHandle(0, UUID(int=0))


@dataclass(frozen=True)
class _Handle(Kind):
    """A context handle: attributes and UUID, 20 octets in both syntaxes."""

    def align(self, syntax: Syntax) -> int:
        return 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        a, u = e.temp("a"), e.temp("u")
        make, uuid = e.const(ContextHandle), e.const(UUID)
        steps: list[Fixed | Step] = [
            Fixed("I", 4, 4, f"{x}.attributes", a),
            Fixed("16s", 16, 4, f"{x}.uuid.bytes_le", u),
        ]
        return Shape(steps, value=f"{make}({a}, {uuid}(bytes_le={u}))")


CONTEXT_HANDLE: Final = _Handle()


@dataclass(frozen=True)
class FixedBytes(Kind):
    """An array of `size` bytes."""

    size: int
    boundary: int = 1

    def align(self, syntax: Syntax) -> int:
        return self.boundary

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        t = e.temp()
        check = [f"if len({x}) != {self.size}:", f'    raise LocalProtocolError("{e.path}: size")']
        return Shape([Fixed(f"{self.size}s", self.size, self.boundary, x, t)], prep=check, value=t)


NOTHING: Final = FixedBytes(0)
"""An arm of a union that holds nothing; its value is b""."""


@dataclass(frozen=True)
class _Unsent(Kind):
    """A number that is not on the wire; it reads as 0."""

    def align(self, syntax: Syntax) -> int:
        return 1

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        return Shape([], value="0")


UNSENT: Final = _Unsent()
"""An [in] parameter among the [out] ones, where the `size` of an array there refers to it."""


@dataclass(frozen=True)
class FixedArray(Kind):
    """An array of `length` items."""

    item: KindLike
    size: int

    def align(self, syntax: Syntax) -> int:
        return kind_of(self.item).align(syntax)

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        out, values = Shape(), []
        out.prep += [f"if len({x}) != {self.size}:", f'    raise LocalProtocolError("{e.path}: length")']
        for index in range(self.size):
            part = kind_of(self.item).shape(e, f"{x}[{index}]")
            values.append(part.value)
            out.extend(part)
        out.value = f"({', '.join(values)},)"
        return out


@dataclass(frozen=True)
class Embedded(Kind):
    """A structure inside another; its fields become part of the outer function."""

    cls: type[object]

    def align(self, syntax: Syntax) -> int:
        return DECLARED[self.cls].align(syntax)

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        name = e.temp("s")
        inner = DECLARED[self.cls].shape(e, name)
        inner.prep.insert(0, f"{name} = {x}")
        # A structure's first value carries the structure's own alignment.
        inner.steps.insert(0, Fixed("", 0, self.align(e.syntax), "", ""))
        return inner

    def plan(self, syntax: Syntax) -> Plan:
        return plan_of(self.cls, syntax)


_OWNERS: Final[list[type[object]]] = []
"""The structures whose members are being looked at, innermost last; guarded by the compiler's lock."""


class declaring:
    """While it lasts, SELF is this structure."""

    __slots__ = ("_cls",)

    def __init__(self, cls: type[object]) -> None:
        self._cls = cls

    def __enter__(self) -> None:
        _OWNERS.append(self._cls)

    def __exit__(self, *_: object) -> None:
        _OWNERS.pop()


class _Self(Kind):
    """The structure being declared, for lists and trees; stands behind a pointer."""

    def plan(self, syntax: Syntax) -> Plan:
        return plan_of(_OWNERS[-1], syntax)


SELF: Final = _Self()


@dataclass(frozen=True)
class Pointer(Kind):
    """A pointer inside a structure or array: a referent id here, the pointee behind the outermost type.

    null: it may be None. full: two pointers may refer to the same thing ([C706] 14.3.10).
    """

    target: KindLike
    null: bool = True
    full: bool = False

    def align(self, syntax: Syntax) -> int:
        return 8 if syntax else 4

    def length(self, e: Emitter, x: str) -> str:
        return kind_of(self.target).length(e, x)

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        target = kind_of(self.target)
        plan = target.plan(e.syntax)
        p, u, t = e.temp("p"), e.temp("u"), e.temp()
        put = e.const(plan.pack_whole if not plan.ready or plan.has_rest else plan.pack_body)
        given = target.argument(x.rpartition(".")[0], x)
        read = self._read(e, plan, u, t)
        if not self.null:
            return Shape(
                [e.pointer(p, u)],
                assign=[f"{p} = w.ref = w.ref + 4"],
                rest=[f"{put}({given}, w)"],
                load=[f"if not {u}:", f'    raise DecodeError("a null reference", r.pos, "{e.path}")', *read],
                value=f"{wrap}({t})" if wrap else t,
            )
        return Shape(
            [e.pointer(p, u)],
            assign=[f"{p} = 0", f"if {x} is not None:", f"    {p} = w.ref = w.ref + 4"],
            rest=[f"if {x} is not None:", f"    {put}({given}, w)"],
            load=[f"{t} = None", f"if {u}:", *indent(read)],
            value=f"None if {t} is None else {wrap}({t})" if wrap else t,
        )

    def _read(self, e: Emitter, plan: Plan, referent: str, t: str) -> list[str]:
        """Lines that read the pointee to the name `t`; a plan in the making means recursion, so a budget."""
        lines = [f"{t} = {e.const(plan.unpack_whole)}(r)"]
        if not plan.ready:
            head = ["r.depth -= 1", "if r.depth < 0:", '    raise DecodeError("too deep", r.pos)']
            lines = [*head, *lines, "r.depth += 1"]
        if self.full:
            memo = e.const(_full)
            kind = e.const(self)
            lines = [f"{t} = {memo}(r, {referent}, {kind})", f"if {t} is None:", *indent(lines)]
            lines.append(f"    r.full[{referent}] = {kind}, {t}")
        return lines


def _full(r: NdrReader, referent: int, kind: Pointer) -> object:
    """What an earlier full pointer with this referent id gave, if it was of the same kind."""
    known = r.full.get(referent)
    if known is None:
        return None
    of, value = known
    if of != kind:
        raise DecodeError("two pointers of different kinds to one thing", r.pos)
    return value


def Unique(target: KindLike) -> Pointer:
    """[unique]: may be null, refers to something of its own."""
    return Pointer(target)


def Ref(target: KindLike) -> Pointer:
    """[ref]: never null; a parameter's own [ref] has no referent id on the wire."""
    return Pointer(target, null=False)


def Full(target: KindLike) -> Pointer:
    """[ptr]."""
    return Pointer(target, full=True)
