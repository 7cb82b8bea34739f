"""What `addc group` does.

Spec: [MS-ADTS] 2.2.12 (groupType), 3.1.1.2.2.4 (what members a group may have is the directory's to say).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.codec.filter import And, Equal, Extensible, Filter
from addc.schema.wellknown import WellKnownContainer
from addc.security.account_flags import GroupType
from addc.server.admin import accounts, names
from addc.server.admin.accounts import Facts
from addc.server.admin.names import GROUP, direct_name, find
from addc.server.admin.target import (
    SUBTREE,
    Add,
    Change,
    Entry,
    Modify,
    Operation,
    Target,
    insert,
    remove,
    replace,
    text,
)

SCOPES: Final = {
    "global": GroupType.GROUP_TYPE_ACCOUNT_GROUP,
    "domain": GroupType.GROUP_TYPE_RESOURCE_GROUP,
    "universal": GroupType.GROUP_TYPE_UNIVERSAL_GROUP,
}
KINDS: Final = ("security", "distribution")
_SECURITY: Final = int(GroupType.GROUP_TYPE_SECURITY_ENABLED)
_IN_CHAIN: Final = "1.2.840.113556.1.4.1941"
_MEMBER: Final = ("sAMAccountName", "objectClass", "objectSid")


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A group as a person describes it. place: "" for the domain's default."""

    name: str
    scope: str = "global"
    kind: str = "security"
    place: str = ""
    description: str = ""
    mail: str = ""
    members: Sequence[str] = ()
    settings: Sequence[str] = ()


def _type_value(scope: str, kind: str) -> str:
    """groupType as it is stored: signed."""
    value = int(SCOPES[scope]) | (_SECURITY if kind == "security" else 0)
    return str(value - (1 << 32) if value & _SECURITY else value)


def _type_words(entry: Entry) -> tuple[str, str]:
    value = entry.number("groupType") & 0xFFFF_FFFF
    scope = next((name for name, bit in SCOPES.items() if value & bit), "unknown")
    if value & GroupType.GROUP_TYPE_BUILTIN_LOCAL_GROUP:
        scope = "builtin"
    return scope, "security" if value & _SECURITY else "distribution"


def add(target: Target, new: NewGroup, *, dry_run: bool) -> Facts:
    """Make a group with its first members."""
    users = WellKnownContainer.USERS
    place = names.find_place(target, new.place).dn if new.place else names.default_place(target, users)
    dn = str(Dn.parse(place).child("CN", new.name))
    attributes: list[tuple[str, Sequence[bytes]]] = [
        ("objectClass", text("group")),
        ("sAMAccountName", text(new.name)),
        ("groupType", text(_type_value(new.scope, new.kind))),
        *(
            (name, text(value))
            for name, value in (("description", new.description), ("mail", new.mail))
            if value
        ),
        *((one.attribute, one.values) for one in accounts.attribute_changes(new.settings)),
    ]
    members = [_member_dn(target, name) for name in new.members]
    if members:
        attributes.append(("member", [one.encode() for one in members]))
    target.apply([Add(dn, attributes)], dry_run=dry_run)
    return {"name": new.name, "dn": dn, "scope": new.scope, "type": new.kind, "members": members}


def _member_dn(target: Target, name: str) -> str:
    """The DN of who is to be a member; a SID of elsewhere as it is: the directory makes an object of it."""
    direct = direct_name(name)
    if direct is not None and direct.startswith("<SID="):
        found = target.read(direct, ("1.1",))
        return direct if found is None else found.dn
    return find(target, name).dn


def listed(target: Target, name: str, below: str, step: Callable[[], None]) -> Iterator[Facts]:
    """Groups in short. name: * stands for anything."""
    terms: list[Filter] = [Equal("objectCategory", b"group")]
    if name:
        terms.append(accounts.pattern("sAMAccountName", name))
    wanted = ("sAMAccountName", "groupType", "description")
    for entry in accounts.listed(target, terms, wanted, below, step):
        scope, kind = _type_words(entry)
        yield {
            **accounts.brief(entry), "scope": scope, "type": kind, "description": entry.text("description"),
        }  # fmt: skip


def show(target: Target, name: str) -> Facts:
    """One group in full."""
    wanted = (
        "groupType", "description", "mail", "managedBy", "member", "memberOf", "whenCreated", "adminCount",
        "objectGUID",
    )  # fmt: skip
    entry = find(target, name, GROUP, wanted)
    scope, kind = _type_words(entry)
    return {
        **accounts.brief(entry),
        "sid": str(entry.sid()),
        "guid": accounts.guid_text(entry.first("objectGUID")),
        "scope": scope,
        "type": kind,
        "description": entry.text("description"),
        "mail": entry.text("mail"),
        "managed_by": entry.text("managedBy"),
        "created": accounts.generalized_text(entry.text("whenCreated")),
        "protected_by_adminsdholder": entry.number("adminCount") == 1,
        "members": len(entry.all("member")),
        "member_of": sorted(names.name_of(target, dn) for dn in entry.texts("memberOf")),
    }


def members(target: Target, name: str, *, nested: bool, step: Callable[[], None]) -> Iterator[Facts]:
    """Who is in a group: by its list or, nested, by all lists below it; and whose primary group it is."""
    group = find(target, name, GROUP)
    sid = group.sid()
    rule = (
        Extensible(_IN_CHAIN, "memberOf", group.dn.encode())
        if nested
        else Equal("memberOf", group.dn.encode())
    )
    for entry in target.search(target.place.domain_dn, SUBTREE, rule, _MEMBER):
        step()
        yield _member(entry, primary=False)
    if sid is None:
        return
    primary = And((Equal("primaryGroupID", str(sid.rid()).encode()), Equal("objectClass", b"user")))
    for entry in target.search(target.place.domain_dn, SUBTREE, primary, _MEMBER):
        step()
        yield _member(entry, primary=True)


def _member(entry: Entry, *, primary: bool) -> Facts:
    classes = entry.texts("objectClass")
    return {
        "name": entry.text("sAMAccountName") or str(entry.sid() or entry.dn),
        "dn": entry.dn,
        "class": classes[-1] if classes else "",
        "primary": primary,
    }


def add_members(target: Target, name: str, who: Sequence[str], *, dry_run: bool) -> Facts:
    """Put accounts into a group, all or none."""
    return _changed(target, name, who, insert, dry_run)


def remove_members(target: Target, name: str, who: Sequence[str], *, dry_run: bool) -> Facts:
    """Take accounts out of a group, all or none."""
    return _changed(target, name, who, remove, dry_run)


def _changed(
    target: Target, name: str, who: Sequence[str], how: Callable[..., Change], dry_run: bool
) -> Facts:
    group = find(target, name, GROUP)
    dns = [_member_dn(target, one) for one in who]
    target.apply([Modify(group.dn, (how("member", *(dn.encode() for dn in dns)),))], dry_run=dry_run)
    return {**accounts.brief(group), "members": dns}


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be otherwise; None for no say, "" takes a text away."""

    scope: str | None = None
    kind: str | None = None
    description: str | None = None
    mail: str | None = None
    managed_by: str | None = None
    settings: Sequence[str] = ()


def change(target: Target, name: str, wanted: Changes, *, dry_run: bool) -> Facts:
    """Change a group."""
    entry = find(target, name, GROUP, ("groupType",))
    changes = [
        replace(attribute, *(text(value) if value else ()))
        for attribute, value in (("description", wanted.description), ("mail", wanted.mail))
        if value is not None
    ]
    if wanted.managed_by is not None:
        manager = find(target, wanted.managed_by).dn if wanted.managed_by else ""
        changes.append(replace("managedBy", *(text(manager) if manager else ())))
    changes += accounts.attribute_changes(wanted.settings)
    if wanted.scope or wanted.kind:
        scope, kind = _type_words(entry)
        if scope not in SCOPES:
            raise UserError(
                f"{entry.dn} is built in: scope and type stay. Next step: make a group of your own"
            )
        value = _type_value(wanted.scope or scope, wanted.kind or kind)
        if value != entry.text("groupType"):
            changes.append(replace("groupType", *text(value)))
    elif not changes:
        raise UserError("Nothing was to be changed. Next step: addc group set --help tells what can be")
    operations: list[Operation] = [Modify(entry.dn, changes)] if changes else []
    target.apply(operations, dry_run=dry_run)
    return {**accounts.brief(entry), "changed": [one.attribute for one in changes]}
