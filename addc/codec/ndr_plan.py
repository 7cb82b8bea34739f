"""From NDR kinds to straight-line functions: how a declared structure becomes its packer and unpacker.

Every kind describes itself by a `Shape`; `compile_plan` writes four functions from it. The split into a body
(the structure itself) and a rest (what its pointers refer to) is NDR's own: pointees of embedded pointers
follow the outermost structure or array ([C706] 14.3.12.3).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from addc.base.errors import DecodeError, LocalProtocolError
from addc.base.limits import NDR_DEPTH_MAX, NDR_ITEMS_MAX

FIRST_REFERENT: Final = 0x0002_0000


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
        self.full: dict[int, object] = {}

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
    """The functions of one kind. has_rest: something follows the body. item_size: least size of a body."""

    align: int
    item_size: int
    has_rest: bool
    pack_body: PackFunction
    pack_rest: PackFunction
    unpack_body: UnpackBody
    unpack_rest: UnpackRest
    conformant: bool = False

    def pack_whole(self, value: object, writer: NdrWriter) -> None:
        self.pack_body(value, writer)
        if self.has_rest:
            self.pack_rest(value, writer)

    def unpack_whole(self, reader: NdrReader) -> object:
        return self.unpack_rest(reader, self.unpack_body(reader))


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
    """Names and temporaries of the functions being written."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.path = title
        self.owner: type[object] = object
        self.values: dict[str, str] = {}
        self.counts: list[tuple[str, str]] = []
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


PLANS: Final[dict[type, Plan]] = {}
"""The plan of each declared structure; written when the class is made, never after."""
FIELDS: Final[dict[type, Callable[[Emitter, str], Shape]]] = {}
"""The shape of each declared structure, to embed it in another."""


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
            name = e.const(struct.Struct(run_format(group)[0]).pack, "P")
            lines.append(f"out += {name}({', '.join(item.arg for item in group if item.code)})")
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
            name = e.const(struct.Struct(fmt).unpack_from, "U")
            targets = "".join((item.temp or "_") + ", " for item in group if item.code)
            lines += [f"{targets}= {name}(r.data, r.pos)", f"r.pos += {size}"]
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
        u32 = e.const(struct.Struct("<I").pack, "P")
        u32_from = e.const(struct.Struct("<I").unpack_from, "U")
        pack += [*align_writer(4), f"out += {u32}({shape.conform})"]
        unpack += [*align_reader(4), f"{shape.conform_to}, = {u32_from}(r.data, r.pos)", "r.pos += 4"]
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
    made = plan or Plan.__new__(Plan)
    made.align, made.item_size, made.has_rest = align, least_size(shape.steps), bool(shape.rest)
    made.conformant = bool(shape.conform)
    made.pack_body = cast(PackFunction, scope["pack_body"])
    made.pack_rest = cast(PackFunction, scope["pack_rest"])
    made.unpack_body = cast(UnpackBody, scope["unpack_body"])
    made.unpack_rest = cast(UnpackRest, scope["unpack_rest"])
    return made


def run_source(e: Emitter, lines: list[str]) -> dict[str, object]:
    """Compile generated lines; names that an Emitter made up and literals of declarations."""
    scope = e.names
    scope["PAD"] = tuple(bytes(size) for size in range(16))
    source = "\n".join(lines)
    exec(compile(source, f"<ndr {e.title}>", "exec"), scope)  # noqa: S102 - source is ours, made at import
    return scope
