"""Stubs of RPC calls held against Samba's NDR, both ways and in both transfer syntaxes.

A case is an opnum with the [in] and the [out] parameters of one call. Samba reads what we wrote, and writes
it again; we read that, and find the same values.

    check_calls(LSARPC, "lsa", Sample(0, LsarClose(handle), LsarCloseResponse(NULL_HANDLE)))

`made_up` gives samples of every operation of an interface, with values made up from their declarations.
"""

import enum
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, get_type_hints

from addc.codec.interface import Interface, Operation
from addc.codec.ndr import Ndr, Syntax, Tagged, read_stub, write_stub
from tests.kit.ndr_values import Amend, make
from tests.kit.samba_bindings import ask_samba

Pair = tuple[Ndr, Ndr]
_TRIES: Final = 300
_SCRIPT: Final = """
import importlib
from samba import ndr
module = importlib.import_module("samba.dcerpc." + given["module"])
calls = {}
for name in dir(module):
    cls = getattr(module, name)
    if hasattr(cls, "__ndr_unpack_in__"):
        calls[cls.opnum()] = cls

def look(thing, path):
    for part in path.split("."):
        thing = thing[int(part)] if part.isdigit() else getattr(thing, part)
    return thing

answer = {"samples": []}
for sample in given["samples"]:
    call = calls[sample["opnum"]]()
    wide, done = sample["ndr64"], {"seen": {}}
    answer["samples"].append(done)
    try:
        ndr.ndr_unpack_in(call, bytes.fromhex(sample["request"]), ndr64=wide)
        done["request"] = ndr.ndr_pack_in(call, ndr64=wide).hex()
    except Exception as error:
        done["error"] = f"reading the request: {error}"
        continue
    try:
        ndr.ndr_unpack_out(call, bytes.fromhex(sample["response"]), ndr64=wide)
        done["response"] = ndr.ndr_pack_out(call, ndr64=wide).hex()
    except Exception as error:
        done["error"] = f"reading the response: {error}"
        continue
    for path in sample["sees"]:
        seen = look(call, path)
        done["seen"][path] = seen if isinstance(seen, (int, str, type(None))) else str(seen)
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One call. sees: what Samba has at paths of its call object, as "in_level" or "out_info.1.name".

    syntaxes: those in which Samba has it right.
    """

    opnum: int
    request: Ndr
    response: Ndr
    sees: Mapping[str, int | str | None] = field(default_factory=dict)
    syntaxes: tuple[Syntax, ...] = tuple(Syntax)


def made_up(
    interface: Interface,
    *,
    each: int = 4,
    levels: Mapping[int, str] | None = None,
    leave: Mapping[int, str] | None = None,
    amend: Mapping[type[Ndr], Amend] | None = None,
) -> list[Sample]:
    """Samples of all operations.

    levels: the members that switch the unions of an opnum, on both sides, where the values of those say their
    tags; every arm is used. amend: as `ndr_values.make` has it.
    leave: why the values of an opnum cannot be just anything; those want samples written out.
    """
    assert set(leave or ()) <= set(interface.operations)
    samples: list[Sample] = []
    levels, amend = levels or {}, amend or {}
    for opnum, operation in sorted(interface.operations.items()):
        rng = random.Random(opnum)  # noqa: S311 - repeatable on purpose

        def pair(operation: Operation = operation, rng: random.Random = rng) -> Pair:
            return make(operation.request, rng, amend=amend), make(operation.response, rng, amend=amend)

        if opnum in levels:
            samples += _every_arm(operation, levels[opnum].split(), pair)
        elif opnum not in (leave or {}):
            samples += [Sample(opnum, *pair()) for _ in range(each)]
    return samples


def _every_arm(operation: Operation, levels: Sequence[str], pair: Callable[[], Pair]) -> Iterator[Sample]:
    """Samples whose unions, on both sides, are of the level that the request asks for."""
    seen: set[object] = set()
    for _ in range(_TRIES):
        request, response = pair()
        tags = {value.tag for side in (request, response) for value in _tagged(side)}
        if len(tags) == 1 and not tags <= seen:
            seen |= tags
            (tag,) = tags
            request, response = _at_level(request, levels, tag), _at_level(response, levels, tag)
            yield Sample(operation.opnum, request, response)
    assert seen, f"{operation.name}: no union of a tag"


def _at_level(side: Ndr, levels: Sequence[str], tag: int) -> Ndr:
    hints = get_type_hints(type(side))
    values = {}
    for level in levels:
        if level in hints:
            kind = hints[level]
            values[level] = kind(tag) if isinstance(kind, type) and issubclass(kind, enum.Enum) else tag
    return replace(side, **values)


def _tagged(side: Ndr) -> list[Tagged]:
    return [value for name in side.__match_args__ if isinstance(value := getattr(side, name), Tagged)]


def check_calls(interface: Interface, module: str, *samples: Sample) -> None:
    """Assert that Samba's `module` and we agree on every sample."""
    assert samples
    asked: list[tuple[Sample, Syntax, bytes, bytes]] = []
    for sample in samples:
        operation = interface.operations[sample.opnum]
        assert type(sample.request) is operation.request, operation
        assert type(sample.response) is operation.response, operation
        asked += [
            (sample, syntax, write_stub(sample.request, syntax), write_stub(sample.response, syntax))
            for syntax in sample.syntaxes
        ]
    given = {
        "module": module,
        "samples": [
            {
                "opnum": sample.opnum,
                "ndr64": bool(syntax),
                "request": request.hex(),
                "response": response.hex(),
                "sees": list(sample.sees),
            }
            for sample, syntax, request, response in asked
        ],
    }
    answers = ask_samba(_SCRIPT, given)["samples"]
    assert isinstance(answers, list)
    wrong = []
    for (sample, syntax, request, response), answer in zip(asked, answers, strict=True):
        name = f"{interface.operations[sample.opnum].name} ({syntax.name})"
        if "error" in answer:
            wrong.append(f"{name}: {answer['error']}; {request.hex()} / {response.hex()}")
            continue
        wrong += _compare(f"{name} request", sample.request, request, (answer["request"], syntax))
        wrong += _compare(f"{name} response", sample.response, response, (answer["response"], syntax))
        if answer["seen"] != dict(sample.sees):
            wrong.append(f"{name}: Samba sees {answer['seen']}")
    assert not wrong, "\n".join(wrong)


def _compare(name: str, value: Ndr, ours: bytes, answer: tuple[str, Syntax]) -> list[str]:
    """What is wrong with the octets that Samba wrote for a value of ours."""
    theirs, syntax = bytes.fromhex(answer[0]), answer[1]
    if read_stub(type(value), ours, syntax) != value:
        return [f"{name}: we do not read what we wrote: {ours.hex()}"]
    back = read_stub(type(value), theirs, syntax)
    if back != value:
        return [f"{name}: {back} from {theirs.hex()}, ours is {ours.hex()}"]
    if len(theirs) != len(ours):
        return [f"{name}: {len(theirs)} octets {theirs.hex()}, ours is {ours.hex()}"]
    return []
