"""What users, groups and computers have in common: flags, places, names, lists."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from secrets import choice
from string import ascii_letters, digits
from typing import Final

from addc.base.clock import NEVER_FT, FileTime, from_unix, to_unix
from addc.base.errors import UserError
from addc.base.secret import Secret
from addc.codec.dn import Dn, Rdn
from addc.codec.filter import And, Equal, Extensible, Filter, Not, Present, Substrings
from addc.codec.ids import guid_from_wire
from addc.security.account_flags import UserAccountControl as Uac
from addc.server.admin.names import Kind, find, find_place, name_of
from addc.server.admin.target import (
    SUBTREE,
    Change,
    Delete,
    Entry,
    Modify,
    Move,
    Operation,
    Target,
    replace,
    text,
)

Facts = dict[str, object]

_BIT_AND: Final = "1.2.840.113556.1.4.803"
_IN_CHAIN: Final = "1.2.840.113556.1.4.1941"
_NO_TIME: Final = (0, NEVER_FT)


# --- values for people -------------------------------------------------------------------------------------


def time_text(when_ft: int) -> str | None:
    """A FILETIME for people; None for never."""
    if when_ft in _NO_TIME:
        return None
    try:
        return datetime.fromtimestamp(to_unix(when_ft), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return None


def filetime_of(when: datetime) -> FileTime:
    """The FILETIME of a moment."""
    return from_unix(int(when.timestamp()))


def generalized_text(value: str) -> str | None:
    """whenCreated and its like: 20260102030405.0Z as 2026-01-02T03:04:05Z."""
    if len(value) < 14 or not value[:14].isdigit():
        return value or None
    return f"{value[:4]}-{value[4:6]}-{value[6:8]}T{value[8:10]}:{value[10:12]}:{value[12:14]}Z"


def guid_text(value: bytes | None) -> str | None:
    """objectGUID for people."""
    return None if value is None else str(guid_from_wire(value))


def random_password(length: int = 24) -> Secret:
    """A password nobody guesses, of all kinds of characters."""
    body = "".join(choice(ascii_letters + digits) for _ in range(length - 4))
    return Secret.of_text(
        choice("abcdefgh") + choice("ABCDEFGH") + choice("23456789") + choice("-+.:") + body
    )


# --- reading -----------------------------------------------------------------------------------------------


def with_bits(bits: int) -> Filter:
    """Accounts whose userAccountControl has all these bits."""
    return Extensible(_BIT_AND, "userAccountControl", str(bits).encode())


def pattern(attribute: str, wanted: str) -> Filter:
    """A filter of a name in which * stands for anything."""
    if "*" not in wanted:
        return Equal(attribute, wanted.encode())
    first, *middle, last = (part.encode() for part in wanted.split("*"))
    parts = tuple(part for part in middle if part)
    if not (first or parts or last):
        return Present(attribute)
    return Substrings(attribute, first or None, parts, last or None)


def listed(
    target: Target,
    terms: Sequence[Filter],
    attributes: Sequence[str],
    below: str = "",
    step: Callable[[], None] | None = None,
) -> Iterator[Entry]:
    """Every object that fits all terms, below a place or in the whole domain. step: called for each."""
    base = find_place(target, below).dn if below else target.place.domain_dn
    for entry in target.search(base, SUBTREE, And(tuple(terms)), attributes):
        if step is not None:
            step()
        yield entry


def no_computer() -> Filter:
    """What keeps computers out of a list of users."""
    return Not(Equal("objectClass", b"computer"))


# --- changing ----------------------------------------------------------------------------------------------


def flags_change(entry: Entry, on: int = 0, off: int = 0) -> Change | None:
    """What sets and takes bits of userAccountControl; None where nothing changes."""
    old = entry.number("userAccountControl")
    new = (old | on) & ~off
    return None if new == old else replace("userAccountControl", *text(str(int(new))))


def switch(target: Target, name: str, kind: Kind, *, enabled: bool, dry_run: bool) -> Facts:
    """Enable or disable an account."""
    entry = find(target, name, kind, ("userAccountControl",))
    bit = Uac.UF_ACCOUNTDISABLE
    change = flags_change(entry, 0 if enabled else bit, bit if enabled else 0)
    if change is not None:
        target.apply([Modify(entry.dn, (change,))], dry_run=dry_run)
    return {**brief(entry), "enabled": enabled, "changed": change is not None}


def delete(target: Target, name: str, kind: Kind, *, tree: bool = False, dry_run: bool) -> Facts:
    """End an account, or a group."""
    entry = find(target, name, kind)
    target.apply([Delete(entry.dn, tree)], dry_run=dry_run)
    return brief(entry)


def move(target: Target, name: str, kind: Kind, place: str, *, dry_run: bool) -> Facts:
    """Put an account elsewhere, under the same name."""
    entry = find(target, name, kind)
    parent = find_place(target, place).dn
    rdn = Dn.parse(entry.dn).rdn
    target.apply([Move(entry.dn, str(rdn), parent)], dry_run=dry_run)
    return {**brief(entry), "dn": f"{rdn},{parent}", "was": entry.dn}


def renamed_dn(dn: str, new_name: str) -> tuple[str, str]:
    """New RDN and DN of an object that is to be called otherwise."""
    parsed = Dn.parse(dn)
    rdn = Rdn(parsed.rdn.att, new_name)
    return str(rdn), str(Dn((rdn, *parsed.rdns[1:])))


def rename(
    target: Target,
    name: str,
    kind: Kind,
    new: str,
    *,
    changes: Sequence[Change] = (),
    cn: str = "",
    dry_run: bool,
) -> Facts:
    """Give an account another logon name and, with it, another name in its place. cn: that, if it differs."""
    entry = find(target, name, kind)
    logon = new if not kind.trailing or new.endswith(kind.trailing) else new + kind.trailing
    rdn, dn = renamed_dn(entry.dn, cn or new.rstrip("$"))
    operations: list[Operation] = [Modify(entry.dn, (replace("sAMAccountName", *text(logon)), *changes))]
    if dn != entry.dn:
        operations.append(Move(entry.dn, rdn))
    target.apply(operations, dry_run=dry_run)
    return {"name": logon, "dn": dn, "was": entry.text("sAMAccountName")}


def attribute_changes(settings: Sequence[str]) -> list[Change]:
    """NAME=VALUE as changes; without a value the attribute is taken away. A repeated name has several values.

    Raises UserError.
    """
    found: dict[str, list[bytes]] = {}
    for one in settings:
        name, equals, value = one.partition("=")
        if not (name and equals):
            raise UserError(
                f"{one!r} is no NAME=VALUE. Next step: write --attribute description='Night shift'"
            )
        values = found.setdefault(name, [])
        if value:
            values.append(value.encode())
    return [replace(name, *values) for name, values in found.items()]


def brief(entry: Entry) -> Facts:
    """An account in two facts."""
    return {"name": entry.text("sAMAccountName"), "dn": entry.dn}


def groups_of(target: Target, entry: Entry, *, nested: bool) -> list[str]:
    """The logon names of the groups that an account is in, its primary group among them."""
    dns = entry.texts("memberOf")
    primary, sid = entry.number("primaryGroupID"), entry.sid()
    if primary and sid is not None:
        group = target.read(f"<SID={sid.domain().child(primary)}>", ("1.1",))
        dns += [] if group is None else [group.dn]
    found = {name_of(target, dn) for dn in dns}
    if nested:
        for dn in dns:
            wanted = Extensible(_IN_CHAIN, "member", dn.encode())
            above = target.search(target.place.domain_dn, SUBTREE, wanted, ("sAMAccountName",))
            found |= {one.text("sAMAccountName") for one in above}
    return sorted(filter(None, found), key=str.lower)
