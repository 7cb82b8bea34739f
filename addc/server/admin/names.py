"""Finding what a person names: by logon name, DN, user principal name, SID or GUID."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError, UserError
from addc.codec.dn import Dn, wkguid_text
from addc.codec.filter import And, Equal, Filter, Or
from addc.codec.ids import Sid
from addc.server.admin.target import SUBTREE, Entry, Target

_BASIC: Final = ("objectClass", "sAMAccountName", "objectSid")


@dataclass(frozen=True, slots=True)
class Kind:
    """Which accounts a command is about. word: of the command that lists them. computers: those or no others.

    trailing: what its logon names end with, though people leave it out.
    """

    noun: str
    word: str
    object_class: str
    computers: bool | None = None
    trailing: str = ""

    def holds(self, entry: Entry) -> bool:
        """Whether an object is of this kind."""
        return entry.is_a(self.object_class) and self.computers in (None, entry.is_a("computer"))


USER: Final = Kind("user", "user", "user", computers=False)
GROUP: Final = Kind("group", "group", "group")
COMPUTER: Final = Kind("computer", "computer", "computer", trailing="$")
ACCOUNT: Final = Kind("user or computer", "user", "user")
ANY: Final = Kind("user, computer or group", "user", "top")


def find(target: Target, name: str, kind: Kind = ANY, attributes: Sequence[str] = ()) -> Entry:
    """The one object that a name means. Raises UserError where there is none, more than one, or another kind.

    attributes: to read beside class, logon name and SID; () with nothing else for these alone.
    """
    wanted = (*_BASIC, *attributes)
    found = list(_candidates(target, name, kind, wanted))
    fitting = [one for one in found if kind.holds(one)]
    if len(fitting) == 1:
        return fitting[0]
    if len(fitting) > 1:
        names = "; ".join(one.dn for one in fitting)
        raise UserError(f"{name!r} is the name of several: {names}. Next step: name one by its DN")
    if found:
        other = found[0].texts("objectClass")
        raise UserError(
            f"{found[0].dn} is no {kind.noun} but a {other[-1] if other else 'thing of no class'}. Next "
            f"step: addc {kind.word} list tells which there are"
        )
    raise UserError(
        f"There is no {kind.noun} {name!r} in {target.place.dns_domain}. Next step: addc {kind.word} list "
        "tells which there are"
    )


def _candidates(target: Target, name: str, kind: Kind, wanted: tuple[str, ...]) -> Iterator[Entry]:
    direct = direct_name(name)
    if direct is not None:
        found = target.read(direct, wanted)
        if found is not None:
            yield found
        return
    bare = name.rpartition("\\")[2]
    logon = [bare] if not kind.trailing or bare.endswith(kind.trailing) else [bare + kind.trailing]
    if kind in (ANY, ACCOUNT) and not bare.endswith("$"):
        logon.append(bare + "$")
    if "@" in bare:
        local, _, suffix = bare.partition("@")
        if suffix.lower() == target.place.dns_domain.lower():
            logon.append(local)
        found_by_upn = list(_found(target, Equal("userPrincipalName", bare.encode()), wanted))
        if found_by_upn:
            yield from found_by_upn
            return
    for one in logon:
        matches = list(_found(target, Equal("sAMAccountName", one.encode()), wanted))
        if matches:
            yield from matches
            return
    by_name = And((Equal("objectClass", kind.object_class.encode()), Equal("name", bare.encode())))
    if kind is not ANY:
        yield from _found(target, by_name, wanted)


def _found(target: Target, wanted: Filter, attributes: tuple[str, ...]) -> Iterator[Entry]:
    return target.search(target.place.domain_dn, SUBTREE, wanted, attributes)


def direct_name(name: str) -> str | None:
    """A name that leads to an object without a search, in the form that reads take; None for others."""
    if name.startswith(("S-1-", "s-1-")):
        try:
            return f"<SID={Sid.parse(name.upper())}>"
        except DecodeError as error:
            raise UserError(f"{name!r} is no SID: {error}. Next step: write it as S-1-5-21-...") from error
    if "=" in name:
        if name.startswith("<"):
            return name
        try:
            return str(Dn.parse(name))
        except DecodeError as error:
            raise UserError(
                f"{name!r} is no DN: {error}. Next step: write it as CN=Name,OU=...,DC=..."
            ) from error
    try:
        return f"<GUID={UUID(name)}>" if len(name.strip("{}")) == 36 else None
    except ValueError:
        return None


def find_place(target: Target, name: str) -> Entry:
    """A container or organizational unit by its DN, the OUs from the domain down, or the domain's DNS name.

    "Sales/Berlin" is OU=Berlin,OU=Sales below the domain. Raises UserError.
    """
    found = target.read(place_dn(target, name), ("objectClass", "name"))
    if found is None:
        raise UserError(
            f"There is no place {name!r} in {target.place.dns_domain}. Next step: addc ou list tells which "
            "there are"
        )
    return found


def place_dn(target: Target, name: str) -> str:
    """The DN that a place's name means, whether it is there or not."""
    if name.lower().rstrip(".") == target.place.dns_domain.lower():
        return target.place.domain_dn
    direct = direct_name(name)
    if direct is not None:
        dn = direct
        if not dn.startswith("<") and not dn.lower().endswith(target.place.domain_dn.lower()):
            inside = any(
                dn.lower().endswith(head.lower()) for head in (target.place.config_dn, target.place.schema_dn)
            )
            dn = dn if inside or "dc=" in dn.lower() else f"{dn},{target.place.domain_dn}"
        return dn
    found = Dn.parse(target.place.domain_dn)
    for label in filter(None, name.split("/")):
        found = found.child("OU", label)
    return str(found)


def default_place(target: Target, container: UUID) -> str:
    """Where new objects of a kind go. container: of WellKnownContainer. Spec: [MS-ADTS] 6.1.1.4."""
    found = target.read(f"<WKGUID={wkguid_text(container)},{target.place.domain_dn}>", ("1.1",))
    if found is None:
        raise UserError(
            "The domain's default place for this is not to be seen. Next step: name one with --in PLACE"
        )
    return found.dn


def name_of(target: Target, name: str) -> str:
    """What people call an object: its logon name, else its DN. name: DN, <SID=...> and the like."""
    found = target.read(name, ("sAMAccountName",))
    if found is None:
        return name.removeprefix("<SID=").rstrip(">")
    return found.text("sAMAccountName") or found.dn


def any_of(*terms: Filter) -> Filter:
    """A filter that one term is enough for."""
    return terms[0] if len(terms) == 1 else Or(terms)
