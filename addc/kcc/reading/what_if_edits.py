"""Change records carried out on entries, as a directory would: with its references, but without its rights.

For people's sake schedules may be text (`schedule: Mo-Fr 20:00-06:00`), a DC that is added without replicas
holds what every DC of its domain does, and deleting an object takes what is below it along.

Spec: RFC 2849; [MS-ADTS] 3.1.1.1.6 (references follow a rename)
"""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Final

from addc.base.errors import DecodeError, UserError
from addc.codec.dn import join_dn_binary, split_dn_binary
from addc.codec.ldif import Modification, Op, Record
from addc.codec.schedule import pack_schedule
from addc.kcc.reading.dn_keys import key_of, parent, plain, rdn_value
from addc.kcc.reading.entries import CONNECTION, Kind, RawEntry, RootFacts, kind_of
from addc.kcc.reading.values import made_guid
from addc.kcc.schedule_text import parse_schedule, parse_starts

_REFERENCES: Final = frozenset((
    "intersitetopologygenerator", "fromserver", "transporttype", "sitelist", "sitelinklist",
    "bridgeheadserverlistbl", "bridgeheadtransportlist", "msds-nc-replica-locations",
    "msds-nc-ro-replica-locations", "fsmoroleowner", "ncname", "hasmasterncs", "msds-hasmasterncs",
    "msds-hasfullreplicancs", "haspartialreplicancs", "msds-hasdomainncs",
))  # fmt: skip
_BINARY: Final = "msds-hasinstantiatedncs"
_REPLICAS: Final = ("hasmasterncs", "msds-hasmasterncs", "msds-hasfullreplicancs", "haspartialreplicancs")
_CLOSE: Final = 3

_Entries = dict[str, RawEntry]


def edited(entries: Iterable[RawEntry], facts: RootFacts, records: Sequence[Record]) -> list[RawEntry]:
    """The entries after the changes. Raises UserError with the line of a record that cannot be."""
    found: _Entries = {}
    for entry in entries:
        found.setdefault(key_of(entry.dn), entry)
    for record in records:
        match record.kind:
            case "add":
                _add(found, facts, record)
            case "delete":
                _delete(found, record)
            case "modrdn":
                found = _move(found, record)
            case _:
                _modify(found, record)
    return list(found.values())


def _fail(record: Record, why: str, then: str) -> UserError:
    return UserError(f"What-if file, line {record.line}: {why}. Next step: {then}")


def _there(found: _Entries, record: Record) -> str:
    """The key of the entry that a record is about."""
    key = key_of(record.dn)
    if key in found:
        return key
    name = rdn_value(record.dn)
    names = {rdn_value(one.dn).lower(): plain(one.dn) for one in found.values()}
    close = get_close_matches(name.lower(), names, _CLOSE, 0.6)
    meant = "; ".join(names[one] for one in close)
    then = (
        f"perhaps one of these is meant: {meant}" if close else "write the DN of an object that the KCC reads"
    )
    raise _fail(record, f"there is no {record.dn}", then)


def _add(found: _Entries, facts: RootFacts, record: Record) -> None:
    key = key_of(record.dn)
    if key in found:
        raise _fail(record, f"there is a {record.dn} already", "modify it, or choose another name")
    values: dict[str, Sequence[bytes]] = {name.lower(): held for name, held in record.attributes}
    if "objectclass" not in values:
        raise _fail(record, f"{record.dn} has no objectClass", "write one, as objectClass: site")
    values.setdefault("objectguid", (made_guid(key),))
    if kind_of(values["objectclass"]) is Kind.DSA and not any(name in values for name in _REPLICAS):
        held = tuple(dn.encode() for dn in (facts.config_dn, facts.schema_dn, facts.domain_dn) if dn)
        values["msds-hasmasterncs"] = held
        values.setdefault("invocationid", (made_guid(f"invocation of {key}"),))
    if kind_of(values["objectclass"]) is Kind.CONNECTION:
        values.setdefault("enabledconnection", (b"TRUE",))
    if "schedule" in values:
        values["schedule"] = tuple(_week(record, values, one) for one in values["schedule"])
    found[key] = RawEntry(record.dn, values)


def _week(record: Record, values: dict[str, Sequence[bytes]] | RawEntry, value: bytes) -> bytes:
    """A schedule as stored, from that or from people's words."""
    if b"\0" in value:
        return value
    held = values.values if isinstance(values, RawEntry) else values
    is_connection = any(one.lower() == CONNECTION.encode() for one in held.get("objectclass", ()))
    text = value.decode("utf-8", "replace")
    try:
        return pack_schedule(parse_starts(text) if is_connection else parse_schedule(text))
    except UserError as error:
        raise UserError(f"What-if file, line {record.line}: {error}") from error


def _delete(found: _Entries, record: Record) -> None:
    """With everything below it; values that refer to it go too, as those of links do."""
    key = _there(found, record)
    below = f",{key}"
    gone = {one for one in found if one == key or one.endswith(below)}
    for one in gone:
        del found[one]
    for one, entry in found.items():
        left = {
            name: tuple(value for value in values if key_of(value.decode("utf-8", "replace")) not in gone)
            for name, values in entry.values.items()
            if name in ("sitelist", "sitelinklist", "bridgeheadserverlistbl", "bridgeheadtransportlist")
            or name.endswith("-replica-locations")
        }
        changed = {name: values for name, values in left.items() if values != tuple(entry.values[name])}
        if changed:
            found[one] = RawEntry(entry.dn, {**entry.values, **changed})


def _modify(found: _Entries, record: Record) -> None:
    key = _there(found, record)
    entry = found[key]
    values = dict(entry.values)
    for part in record.modifications:
        name = part.attribute.lower()
        left = _modified(record, entry, tuple(values.get(name, ())), part)
        if left:
            values[name] = left
        else:
            values.pop(name, None)
    found[key] = RawEntry(entry.dn, values)


def _modified(
    record: Record, entry: RawEntry, held: tuple[bytes, ...], part: Modification
) -> tuple[bytes, ...]:
    name = part.attribute.lower()
    given = part.values
    if name == "schedule":
        given = tuple(_week(record, entry, one) for one in given)
    match part.op:
        case Op.REPLACE:
            return given
        case Op.ADD:
            return (*held, *given)
        case Op.DELETE:
            if not given:
                return ()
    gone = {_match_key(name, one) for one in given}
    known = {_match_key(name, one) for one in held}
    for one in given:
        if _match_key(name, one) not in known:
            told = one.decode("utf-8", "replace")
            raise _fail(
                record, f"{part.attribute} of {record.dn} has no value {told}", "delete one that it has"
            )
    return tuple(one for one in held if _match_key(name, one) not in gone)


def _match_key(name: str, value: bytes) -> str | bytes:
    return key_of(value.decode("utf-8", "replace")) if name in _REFERENCES else value


def _move(found: _Entries, record: Record) -> _Entries:
    """Another name or another place; what is below comes along, and every reference follows."""
    old_key = _there(found, record)
    old = plain(found[old_key].dn)
    above = record.new_superior or parent(old)
    new = f"{record.new_rdn},{above}"
    if key_of(new) in found and key_of(new) != old_key:
        raise _fail(record, f"there is a {new} already", "choose another name")

    def moved(dn: str) -> str:
        bare = plain(dn)
        key = key_of(bare)
        if key == old_key:
            return new
        return f"{bare[: -len(old)]}{new}" if key.endswith(f",{old_key}") and len(bare) > len(old) else dn

    left: _Entries = {}
    for entry in found.values():
        values = {name: _followed(name, held, moved) for name, held in entry.values.items()}
        dn = moved(entry.dn)
        left[key_of(dn)] = RawEntry(dn, values)
    return left


def _followed(name: str, held: Sequence[bytes], moved: Callable[[str], str]) -> Sequence[bytes]:
    if name in _REFERENCES:
        return tuple(moved(one.decode("utf-8", "replace")).encode() for one in held)
    if name != _BINARY:
        return held
    followed = []
    for one in held:
        try:
            data, dn = split_dn_binary(one.decode("utf-8", "replace"))
        except DecodeError:
            followed.append(one)
        else:
            followed.append(join_dn_binary(data, moved(dn)).encode())
    return tuple(followed)
