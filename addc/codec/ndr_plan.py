"""From NDR kinds to straight-line functions: how a declared structure becomes its packer and unpacker.

Every kind describes itself by a `Shape`; `compile_plan` writes four functions from it. The split into a body
(the structure itself) and a rest (what its pointers refer to) is NDR's own: pointees of embedded pointers
follow the outermost structure or array ([C706] 14.3.12.3). Plans are made when a structure is first packed or
unpacked, one for each transfer syntax (decision 0028).
"""

import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Protocol, cast

from addc.base.errors import DecodeError, LocalProtocolError
from addc.base.limits import NDR_DEPTH_MAX, NDR_ITEMS_MAX

FIRST_REFERENT: Final = 0x0002_0000
U32: Final = struct.Struct("<I")
U64: Final = struct.Struct("<Q")


class Syntax(IntEnum):
    """A transfer syntax, [MS-RPCE] 2.2.4.12, 2.2.5.1."""

    NDR32 = 0
    NDR64 = 1


class NdrWriter:
    """The octet stream being written; `ref` is the last referent id given out."""

    __slots__ = ("out", "ref")

    def __init__(self) -> None:
        self.out = bytearray()
        self.ref = FIRST_REFERENT - 4


class NdrReader:
    """The octet stream being read; `full` remembers what full pointers referred to."""

    __slots__ = ("data", "depth", "end", "full", "pos")

    def __init__(self, data: bytes, pos: int = 0, end: int | None = None) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end
        self.depth = NDR_DEPTH_MAX
        self.full: dict[int, tuple[object, object]] = {}

    def count(self, count: int, item_size: int, limit: int, path: str) -> int:
        """`count`, if so many items can be there at all."""
        if count > limit or count * item_size > self.end - self.pos:
            raise DecodeError(f"{count} items cannot be here", self.pos, path)
        return count

    def take(self, size: int, path: str) -> bytes:
        pos = self.pos
        if size > self.end - pos:
            raise DecodeError(f"{size} bytes wanted, {self.end - pos} left", pos, path)
        self.pos = pos + size
        return self.data[pos : pos + size]


PackFunction = Callable[[object, NdrWriter], None]
UnpackBody = Callable[[NdrReader], object]
UnpackRest = Callable[[NdrReader, object], object]


@dataclass(slots=True)
class Plan:
    """The functions of one kind. has_rest: something follows the body. item_size: least size of a body.

    ready: the functions are there; a plan that is still being made may only be referred to.
    """

    align: int
    item_size: int
    has_rest: bool
    pack_body: PackFunction
    pack_rest: PackFunction
    unpack_body: UnpackBody
    unpack_rest: UnpackRest
    conformant: bool = False
    ready: bool = False

    def pack_whole(self, value: object, writer: NdrWriter) -> None:
        self.pack_body(value, writer)
        if self.has_rest:
            self.pack_rest(value, writer)

    def unpack_whole(self, reader: NdrReader) -> object:
        return self.unpack_rest(reader, self.unpack_body(reader))


def new_plan() -> Plan:
    """A plan to be filled in by `compile_plan`."""
    plan = Plan.__new__(Plan)
    plan.ready = False
    return plan


@dataclass(slots=True)
class Fixed:
    """One value of fixed size. arg: what is packed. temp: the name it is unpacked to, "" for ignored."""

    code: str
    size: int
    align: int
    arg: str
    temp: str


@dataclass(slots=True)
class Step:
    """Lines that write or read something of variable size, and the names that reading binds."""

    pack: list[str]
    unpack: list[str]
    temps: list[str]


@dataclass(slots=True)
class Shape:
    """How a value is packed and unpacked.

    prep: lines before either phase of packing. assign: lines of the body phase only. rest: pointees, packing.
    load: pointees, unpacking. value: expression of the value, once loaded. conform: expression of the
    conformance that a trailing conformant array hoists; its count is unpacked to the name `conform_to`.
    """

    steps: list[Fixed | Step] = field(default_factory=list)
    prep: list[str] = field(default_factory=list)
    assign: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    load: list[str] = field(default_factory=list)
    value: str = "None"
    conform: str = ""
    conform_to: str = ""

    def extend(self, other: "Shape") -> None:
        """Append what another shape does; the value stays."""
        self.steps += other.steps
        self.prep += other.prep
        self.assign += other.assign
        self.rest += other.rest
        self.load += other.load
        if other.conform:
            self.conform, self.conform_to = other.conform, other.conform_to


class Emitter:
    """Names and temporaries of the functions being written.

    word: struct code, and `word_size`, of pointers and counts, in the syntax being written.
    """

    def __init__(self, title: str, syntax: Syntax) -> None:
        self.title = title
        self.path = title
        self.syntax = syntax
        self.wide = syntax is Syntax.NDR64
        self.word, self.word_size = ("Q", 8) if self.wide else ("I", 4)
        self.values: dict[str, str] = {}
        self.counts: list[tuple[str, str, str]] = []
        self.names: dict[str, object] = {
            "DecodeError": DecodeError,
            "LocalProtocolError": LocalProtocolError,
            "ITEMS_MAX": NDR_ITEMS_MAX,
        }
        self._count = 0

    def temp(self, stem: str = "t") -> str:
        self._count += 1
        return f"{stem}{self._count}"

    def const(self, value: object, stem: str = "K") -> str:
        name = self.temp(stem)
        self.names[name] = value
        return name

    def pointer(self, arg: str, temp: str) -> Fixed:
        """A referent id."""
        return Fixed(self.word, self.word_size, self.word_size, arg, temp)


class Declaration(Protocol):
    """What is known of a declared structure before it is compiled."""

    def align(self, syntax: Syntax) -> int: ...

    def shape(self, e: Emitter, owner: str) -> Shape:
        """Its shape as part of another structure, its value being the expression `owner`."""
        ...

    def compile(self, syntax: Syntax, plan: Plan) -> None: ...


DECLARED: Final[dict[type, Declaration]] = {}
"""Each declared structure; written when the class is made, never after."""

_COMPILING: Final = threading.RLock()
_IN_PROGRESS: Final[dict[tuple[type, Syntax], Plan]] = {}


class _Plans(dict[type, Plan]):
    """The plans of one syntax; what is missing is compiled. Threads see finished plans only."""

    def __init__(self, syntax: Syntax) -> None:
        super().__init__()
        self.syntax = syntax

    def __missing__(self, cls: type) -> Plan:
        with _COMPILING:
            try:
                plan = plan_of(cls, self.syntax)
                for (made, syntax), each in _IN_PROGRESS.items():
                    PLANS[syntax][made] = each
            finally:
                _IN_PROGRESS.clear()
        return plan


def plan_of(cls: type, syntax: Syntax) -> Plan:
    """The plan of a declared structure, for one who holds the compiler's lock; it may not be ready."""
    plan = PLANS[syntax].get(cls) or _IN_PROGRESS.get((cls, syntax))
    if plan is None:
        plan = _IN_PROGRESS[cls, syntax] = new_plan()
        DECLARED[cls].compile(syntax, plan)
    return plan


PLANS: Final = (_Plans(Syntax.NDR32), _Plans(Syntax.NDR64))
"""The plan of each structure that was used, by syntax and class."""


def indent(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def align_writer(size: int) -> list[str]:
    return [] if size < 2 else [f"out += PAD[-len(out) & {size - 1}]"]


def align_reader(size: int) -> list[str]:
    return [] if size < 2 else [f"r.pos += -r.pos & {size - 1}"]


def runs(steps: list[Fixed | Step], align: int) -> list[list[Fixed] | Step]:
    """Group neighbouring fixed values into runs whose padding is known when compiling.

    A run starts at a multiple of `known`; a value that wants a greater one starts a new run.
    """
    out: list[list[Fixed] | Step] = []
    known = align
    fixed: list[Fixed] = []
    for step in steps:
        if isinstance(step, Step):
            if fixed:
                out.append(fixed)
            out.append(step)
            known, fixed = 1, []
            continue
        if step.align > known:
            if fixed:
                out.append(fixed)
            known, fixed = step.align, []
        fixed.append(step)
    if fixed:
        out.append(fixed)
    return out


def run_format(run: list[Fixed]) -> tuple[str, int]:
    """struct format of a run, with its padding, and its size."""
    codes, offset = ["<"], 0
    for item in run:
        pad = -offset % item.align
        codes.append("x" * pad + item.code)
        offset += pad + item.size
    return "".join(codes), offset


def pack_steps(e: Emitter, steps: list[Fixed | Step], align: int) -> list[str]:
    """Lines that write the body of a value whose start is aligned to `align`."""
    lines: list[str] = []
    first = True
    for group in runs(steps, align):
        if isinstance(group, Step):
            lines += group.pack
        else:
            if not first:
                lines += align_writer(group[0].align)
            fmt, size = run_format(group)
            if args := ", ".join(item.arg for item in group if item.code):
                lines.append(f"out += {e.const(struct.Struct(fmt).pack, 'P')}({args})")
            elif size:
                lines.append(f"out += PAD[{size}]")
        first = False
    return lines


def unpack_steps(e: Emitter, steps: list[Fixed | Step], align: int) -> list[str]:
    lines: list[str] = []
    first = True
    for group in runs(steps, align):
        if isinstance(group, Step):
            lines += group.unpack
        else:
            if not first:
                lines += align_reader(group[0].align)
            fmt, size = run_format(group)
            targets = "".join((item.temp or "_") + ", " for item in group if item.code)
            if targets:
                name = e.const(struct.Struct(fmt).unpack_from, "U")
                lines.append(f"{targets}= {name}(r.data, r.pos)")
            if size:
                lines.append(f"r.pos += {size}")
        first = False
    return lines


def temps_of(shape: Shape) -> list[str]:
    """Every name that unpacking the body binds and unpacking the rest needs."""
    names: list[str] = []
    for step in shape.steps:
        if isinstance(step, Step):
            names += step.temps
        elif step.temp:
            names.append(step.temp)
    return names


def least_size(steps: list[Fixed | Step]) -> int:
    return sum(step.size for step in steps if isinstance(step, Fixed))


def body_lines(e: Emitter, shape: Shape, align: int) -> tuple[list[str], list[str]]:
    """Lines that pack and that unpack one body, alignment and hoisted conformance included."""
    pack = ["out = w.out", *shape.prep, *shape.assign]
    unpack: list[str] = []
    if shape.conform:
        word, size = U64 if e.wide else U32, e.word_size
        pack += [*align_writer(size), f"out += {e.const(word.pack, 'P')}({shape.conform})"]
        unpack += [
            *align_reader(size),
            f"{shape.conform_to}, = {e.const(word.unpack_from, 'U')}(r.data, r.pos)",
            f"r.pos += {size}",
        ]
    pack += [*align_writer(align), *pack_steps(e, shape.steps, align)]
    unpack += [*align_reader(align), *unpack_steps(e, shape.steps, align)]
    return pack, unpack


def compile_plan(e: Emitter, shape: Shape, align: int, plan: Plan | None = None) -> Plan:
    """Write and compile the four functions of a shape of the value `v`; fills `plan` if one is given."""
    pack, unpack = body_lines(e, shape, align)
    raw = "".join(name + ", " for name in temps_of(shape))
    lines = ["def pack_body(v, w):", *indent(pack)]
    lines += ["def pack_rest(v, w):", *indent(["out = w.out", *shape.prep, *shape.rest, "return"])]
    lines += ["def unpack_body(r):", *indent(unpack), f"    return ({raw})"]
    lines += ["def unpack_rest(r, raw):"]
    if raw:
        lines.append(f"    {raw}= raw")
    lines += [*indent(shape.load), f"    return {shape.value}"]
    scope = run_source(e, lines)
    made = plan or new_plan()
    made.align, made.item_size, made.has_rest = align, least_size(shape.steps), bool(shape.rest)
    made.conformant = bool(shape.conform)
    made.pack_body = cast(PackFunction, scope["pack_body"])
    made.pack_rest = cast(PackFunction, scope["pack_rest"])
    made.unpack_body = cast(UnpackBody, scope["unpack_body"])
    made.unpack_rest = cast(UnpackRest, scope["unpack_rest"])
    made.ready = True
    return made


def run_source(e: Emitter, lines: list[str]) -> dict[str, object]:
    """Compile generated lines; names that an Emitter made up and literals of declarations."""
    scope = e.names
    scope["PAD"] = tuple(bytes(size) for size in range(16))
    source = "\n".join(lines)
    exec(compile(source, f"<ndr {e.title}>", "exec"), scope)  # noqa: S102 - source is ours
    return scope
