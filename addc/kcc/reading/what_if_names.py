"""What people call DCs, sites, links and bridges by, and what they may have meant.

A name is `Berlin` or, where several kinds of things are called so, `SITE:Berlin`; a DN does as well, and
`Berlin/dc1` for one of several servers of a name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import Final

from addc.base.errors import UserError
from addc.kcc.reading.dn_keys import key_of
from addc.kcc.snapshot import Snapshot

_CLOSE: Final = 5
_SHOWN: Final = 8


class Kind(Enum):
    """What can be named."""

    DC = "DC"
    SITE = "SITE"
    LINK = "LINK"
    BRIDGE = "BRIDGE"


_COMMANDS: Final = {
    Kind.DC: "addc sites servers list",
    Kind.SITE: "addc sites list",
    Kind.LINK: "addc sites links list",
    Kind.BRIDGE: "addc sites bridges list",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A thing of the snapshot, by its place among those of its kind."""

    kind: Kind
    at: int


def split(text: str) -> tuple[Kind | None, str]:
    """The kind before the colon, if there is one, and the name. Raises UserError for an empty name."""
    before, colon, after = text.partition(":")
    kind = next((one for one in Kind if one.value == before.strip().upper()), None) if colon else None
    name = (after if kind is not None else text).strip()
    if not name:
        raise UserError(
            f"{text!r} names nothing. Next step: write a name, as DC:dc1, SITE:Berlin or LINK:wan"
        )
    return kind, name


def find(snapshot: Snapshot, text: str, kinds: Sequence[Kind] = tuple(Kind)) -> Named:
    """The one thing that is called so. kinds: those that will do. Raises UserError with the candidates."""
    kind, name = split(text)
    if kind is not None and kind not in kinds:
        told = " or ".join(one.value for one in kinds)
        raise UserError(f"{text} is a {kind.value}. Next step: name a {told}")
    wanted = (kind,) if kind is not None else kinds
    found = [Named(one, at) for one in wanted for at in _places(snapshot, one, name)]
    if len(found) == 1:
        return found[0]
    if found:
        told = ", ".join(_spelled(snapshot, one) for one in found[:_SHOWN])
        raise UserError(f"{name} may be any of {told}. Next step: write one of these")
    raise UserError(_missing(snapshot, name, wanted))


def _spelled(snapshot: Snapshot, found: Named) -> str:
    """A name that means one thing only."""
    if found.kind is Kind.DC:
        dc = snapshot.dcs[found.at]
        return f"DC:{snapshot.sites[dc.site].name}/{dc.name}"
    return f"{found.kind.value}:{_names(snapshot, found.kind)[found.at][0]}"


def _names(snapshot: Snapshot, kind: Kind) -> list[tuple[str, str]]:
    """Name and DN of everything of a kind, in order of places."""
    match kind:
        case Kind.DC:
            return [(one.name, one.dn) for one in snapshot.dcs]
        case Kind.SITE:
            return [(one.name, one.dn) for one in snapshot.sites]
        case Kind.LINK:
            return [(one.name, one.dn) for one in snapshot.links]
        case Kind.BRIDGE:
            return [(one.name, one.dn) for one in snapshot.bridges]


def _places(snapshot: Snapshot, kind: Kind, name: str) -> Iterable[int]:
    """By name, in any case; by DN; a DC also as site/name."""
    folded = key_of(name)
    if "=" in name:
        return [at for at, (_, dn) in enumerate(_names(snapshot, kind)) if key_of(dn) == folded]
    found = [at for at, (one, _) in enumerate(_names(snapshot, kind)) if key_of(one) == folded]
    if not found and kind is Kind.DC and "/" in name:
        site, _, server = folded.partition("/")
        found = [
            at for at, dc in enumerate(snapshot.dcs)
            if key_of(dc.name) == server and key_of(snapshot.sites[dc.site].name) == site
        ]  # fmt: skip
    return found


def _missing(snapshot: Snapshot, name: str, kinds: Sequence[Kind]) -> str:
    told = " or ".join(
        {Kind.DC: "DC", Kind.SITE: "site", Kind.LINK: "link"}.get(one, "bridge") for one in kinds
    )
    spelled = {one.lower(): f"{kind.value}:{one}" for kind in kinds for one, _ in _names(snapshot, kind)}
    if not spelled:
        return f"There is no {told} {name!r}: the forest has none at all. Next step: leave it out"
    close = get_close_matches(name.lower(), spelled, _CLOSE, 0.6)
    if close:
        meant = ", ".join(spelled[one] for one in close)
        return f"There is no {told} {name!r}. Next step: perhaps one of {meant} is meant"
    some = ", ".join(sorted(spelled.values())[:_SHOWN])
    more = ", ..." if len(spelled) > _SHOWN else ""
    commands = ", ".join(_COMMANDS[kind] for kind in kinds)
    return f"There is no {told} {name!r}; there are {some}{more}. Next step: {commands} tells all"
