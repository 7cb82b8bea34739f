"""Secondary zones of this DC: whose copies they are, and what came of them.

They are this server's alone, so they are named states of the store and not objects of the directory. The
content lies in pieces by hash of the name, so that a small change rewrites few of them and whoever follows
reads few; a version for all of it tells followers at one look that nothing changed.

Spec: [MS-DNSP] 3.1.1.2 (a zone of type secondary: its master servers), RFC 1034 4.3.5.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Final

from addc.base.errors import DecodeError, DsError, UserError
from addc.codec.dns_names import Name, fold, name_text, pack_name, parse_name
from addc.codec.server_addresses import parse_server
from addc.codes.win32 import Win32
from addc.directory.context import Fact, ReadContext, WriteContext
from addc.directory.dns_zones import zone_named

INDEX_STATE: Final = "dns.secondaries"
"""Named state: JSON, Secondary by zone's name."""
VERSION_STATE: Final = "dns.secondaries.version"
"""Named state: a counter, 8 bytes big-endian, that grows with every change of these."""
ZONES_MAX: Final = 1000
MASTERS_MAX: Final = 32
PIECES_MAX: Final = 1024

_INDEX: Final = Fact[dict[str, "Secondary"]]()


@dataclass(frozen=True, slots=True)
class Secondary:
    """A zone that is copied. name: lower case, no last dot.

    masters: "address" or "address#port", asked in this order. key: the TSIG key that signs requests, or "".
    asked: grows when operators want the masters asked now; asked_whole: and all of the zone, whatever its
    serial, as of that number.
    """

    name: str
    masters: tuple[str, ...]
    key: str = ""
    asked: int = 0
    asked_whole: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """What came of a secondary zone.

    pieces: the version of each piece of its content; () before the first transfer. *_ft: when the masters
    were last asked with success, when content last came, and from when on nothing is answered any more.
    problem: why the last try failed, "" if it did not.
    """

    serial: int = 0
    records: int = 0
    pieces: tuple[int, ...] = ()
    checked_ft: int = 0
    loaded_ft: int = 0
    expires_ft: int = 0
    master: str = ""
    problem: str = ""


def version(ctx: ReadContext) -> int:
    """Grows whenever a secondary zone comes, goes or changes."""
    return int.from_bytes(ctx.tx.state(VERSION_STATE) or b"", "big")


def secondaries(ctx: ReadContext) -> dict[str, Secondary]:
    """Every secondary zone by name."""
    return _INDEX.get(ctx, ctx.tx.seq, lambda: _read_index(ctx.tx.state(INDEX_STATE)))


def secondary_named(ctx: ReadContext, name: str) -> Secondary | None:
    """The secondary zone of a name, with or without its last dot."""
    return secondaries(ctx).get(_key(name))


def create_secondary(ctx: WriteContext, wanted: Secondary) -> Secondary:
    """A new secondary zone, which is empty until a master gave it; the caller has asked who may.

    Raises DsError: there is such a zone, or too many; its masters or name are none.
    """
    wanted = replace(wanted, name=_checked_name(wanted.name), masters=_checked_masters(wanted.masters))
    held = secondaries(ctx)
    if wanted.name in held or zone_named(ctx, wanted.name) is not None:
        raise DsError(Win32.DNS_ERROR_ZONE_ALREADY_EXISTS, f"there is a zone {wanted.name}")
    if len(held) >= ZONES_MAX:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, f"more than {ZONES_MAX} secondary zones")
    _keep_index(ctx, {**held, wanted.name: wanted})
    return wanted


def change_secondary(ctx: WriteContext, wanted: Secondary) -> None:
    """Other masters, another key, or a wish to be asked; the caller has asked who may."""
    held = secondaries(ctx)
    if wanted.name not in held:
        raise _no_zone(wanted.name)
    wanted = replace(wanted, masters=_checked_masters(wanted.masters))
    _keep_index(ctx, {**held, wanted.name: wanted})


def ask_now(ctx: WriteContext, name: str, *, whole: bool = False) -> None:
    """Have the masters asked soon. whole: for all of the zone, even if its serial went back."""
    held = secondary_named(ctx, name)
    if held is None:
        raise _no_zone(name)
    asked = held.asked + 1
    change_secondary(ctx, replace(held, asked=asked, asked_whole=asked if whole else held.asked_whole))


def delete_secondary(ctx: WriteContext, name: str) -> None:
    """Forget a secondary zone and its content; the caller has asked who may."""
    held = dict(secondaries(ctx))
    gone = held.pop(_key(name), None)
    if gone is None:
        raise _no_zone(name)
    _drop_content(ctx, gone.name)
    ctx.tx.set_state(_status_state(gone.name), None)
    _keep_index(ctx, held)


def _drop_content(ctx: WriteContext, name: str) -> None:
    for number in range(len(status(ctx, name).pieces)):
        ctx.tx.set_state(_piece_state(name, number), None)


# --- what came ---


def status(ctx: ReadContext, name: str) -> Status:
    """What came of a zone so far."""
    kept = ctx.tx.state(_status_state(_key(name)))
    if kept is None:
        return Status()
    told = json.loads(kept)
    known = {one.name for one in fields(Status)}
    values = {one: value for one, value in told.items() if one in known}
    return Status(**values | {"pieces": tuple(told.get("pieces", ()))})


def keep_status(ctx: WriteContext, name: str, found: Status) -> bool:
    """Take down what came of a try; False where the zone is gone meanwhile."""
    if secondary_named(ctx, name) is None:
        return False
    ctx.tx.set_state(_status_state(_key(name)), json.dumps(asdict(found)).encode())
    _raise_version(ctx)
    return True


def piece(ctx: ReadContext, name: str, number: int) -> bytes:
    """One piece of a zone's content."""
    return ctx.tx.state(_piece_state(_key(name), number)) or b""


def keep_content(ctx: WriteContext, name: str, found: Status, pieces: Mapping[int, bytes]) -> bool:
    """Put new pieces in the place of those of these numbers, and the status that goes with them.

    Pieces past the new number of them go. False where the zone is gone meanwhile.
    """
    assert len(found.pieces) <= PIECES_MAX
    if secondary_named(ctx, name) is None:
        return False
    for number in range(len(found.pieces), len(status(ctx, name).pieces)):
        ctx.tx.set_state(_piece_state(_key(name), number), None)
    for number, data in pieces.items():
        assert number < len(found.pieces)
        ctx.tx.set_state(_piece_state(_key(name), number), data)
    return keep_status(ctx, name, found)


# --- masters ---


def split_address(text: str) -> tuple[str, int]:
    """ "192.0.2.1" or "2001:db8::1#5353" as address and port. Raises UserError."""
    try:
        return parse_server(text)
    except DecodeError as error:
        raise UserError(f"{error.why}. Next step: ADDRESS or ADDRESS#PORT, such as 192.0.2.1") from error


def _checked_masters(masters: tuple[str, ...]) -> tuple[str, ...]:
    if not 0 < len(masters) <= MASTERS_MAX:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, f"a secondary zone has 1 to {MASTERS_MAX} masters")
    for one in masters:
        try:
            split_address(one)
        except UserError as error:
            raise DsError(Win32.ERROR_INVALID_PARAMETER, str(error)) from error
    return tuple(dict.fromkeys(masters))


def _checked_name(name: str) -> str:
    try:
        found = parse_name(name)
    except DecodeError as error:
        raise DsError(Win32.DNS_ERROR_INVALID_NAME_CHAR, f"{name!r} is no name") from error
    return _text(found)


def _text(name: Name) -> str:
    return name_text(fold(name))


# --- keeping ---


def _key(name: str) -> str:
    return name.lower() if name == "." else name.lower().removesuffix(".")


def _status_state(name: str) -> str:
    return f"dns.secondary/{_id(name)}"


def _piece_state(name: str, number: int) -> str:
    return f"dns.secondary/{_id(name)}/{number}"


def _id(name: str) -> str:
    """Names are longer than a state's may be."""
    return hashlib.sha256(pack_name(parse_name(name))).hexdigest()[:32]


def _no_zone(name: str) -> DsError:
    return DsError(Win32.DNS_ERROR_ZONE_DOES_NOT_EXIST, f"there is no secondary zone {name}")


def _read_index(kept: bytes | None) -> dict[str, Secondary]:
    found: dict[str, Secondary] = {}
    for name, told in json.loads(kept or b"{}").items():
        masters = tuple(told.get("masters", ()))
        found[name] = Secondary(
            name, masters, told.get("key", ""), told.get("asked", 0), told.get("asked_whole", 0)
        )
    return found


def _keep_index(ctx: WriteContext, held: Mapping[str, Secondary]) -> None:
    told = {name: asdict(one) for name, one in sorted(held.items())}
    ctx.tx.set_state(INDEX_STATE, json.dumps(told).encode() if told else None)
    ctx.facts.pop(_INDEX, None)
    _raise_version(ctx)


def _raise_version(ctx: WriteContext) -> None:
    ctx.tx.set_state(VERSION_STATE, (version(ctx) + 1).to_bytes(8, "big"))
