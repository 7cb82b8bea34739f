"""Group policies: an object of the directory and a folder of SYSVOL, made, linked and removed together.

Spec: [MS-GPOL] 2.2.8 (messages to the directory), 3.3.5 (administration).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError, DsError, UserError
from addc.base.rng import new_guid
from addc.codec.inf_file import InfFile
from addc.codes.win32 import Win32
from addc.directory import entry, gpo_links, gpo_security, names, rights, sysvol, sysvol_paths
from addc.directory.add import NOTHING_FIXED, Fixed, add_object
from addc.directory.context import ReadContext, WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.delete import delete_object
from addc.directory.gpo_links import Link
from addc.directory.modify import Change, ModOp, modify_row
from addc.directory.sysvol import FileRow
from addc.schema import attr
from addc.security import sddl
from addc.store.objects import ObjectRow, ObjectState

DEFAULT_DOMAIN_POLICY: Final = "{31B2F340-016D-11D2-945F-00C04FB984F9}"
DEFAULT_DC_POLICY: Final = "{6AC1786C-016F-11D2-945F-00C04FB984F9}"
GPT_INI: Final = "GPT.INI"
TEMPLATE: Final = ("MACHINE", "Microsoft", "Windows NT", "SecEdit", "GptTmpl.inf")
USER_DISABLED: Final = 1
MACHINE_DISABLED: Final = 2
"""Of flags."""
_CLASS: Final = "groupPolicyContainer"
_BRACED: Final = re.compile(r"\{?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?")
_TREE: Final = RequestOptions(tree_delete=True)


@dataclass(frozen=True, slots=True)
class Policy:
    """A group policy. name: its GUID in braces, as its cn and its folder have it. version: of the object.

    path: of its folder, from SYSVOL's root.
    """

    row: ObjectRow
    dn: str
    name: str
    display_name: str
    version: int
    flags: int
    path: tuple[str, ...]


def container_dn(ctx: ReadContext) -> str:
    """Where policies live."""
    return f"CN=Policies,CN=System,{ctx.forest.domain_dn}"


def policies_path(ctx: ReadContext) -> tuple[str, ...]:
    """Where their folders live."""
    return (ctx.forest.dns_domain, "Policies")


def of_row(ctx: ReadContext, row: ObjectRow) -> Policy:
    """A policy by its object."""
    return Policy(
        row,
        names.dn_of_row(ctx, row),
        row.rdn,
        entry.text(row, attr.DISPLAY_NAME) or row.rdn,
        entry.integer(row, attr.VERSION_NUMBER),
        entry.integer(row, attr.FLAGS),
        _path(ctx, row),
    )


def again(ctx: ReadContext, policy: Policy) -> Policy:
    """A policy as it is now."""
    row = ctx.tx.get(policy.row.dnt)
    assert row is not None
    return of_row(ctx, row)


def _path(ctx: ReadContext, row: ObjectRow) -> tuple[str, ...]:
    """From gPCFileSysPath, where that names this domain's SYSVOL; else where it ought to be."""
    parts = sysvol_paths.split(entry.text(row, attr.GPC_FILE_SYS_PATH) or "")
    if len(parts) > 2 and parts[1].lower() == "sysvol" and ctx.forest.is_realm(parts[0]):
        return parts[2:]
    return (*policies_path(ctx), row.rdn)


def every(ctx: ReadContext) -> Iterator[Policy]:
    """All policies, in the order of their GUIDs."""
    try:
        container = names.resolve(ctx, container_dn(ctx))
    except DsError:
        return
    for row in names.children(ctx, container.dnt):
        if row.state is ObjectState.LIVE and entry.is_a(row, _CLASS.encode()):
            yield of_row(ctx, row)


def find(ctx: ReadContext, wanted: str) -> Policy:
    """A policy by GUID or display name. Raises UserError for none, or for several of one name."""
    match = _BRACED.fullmatch(wanted.strip())
    if match is not None:
        found = [one for one in every(ctx) if one.name.strip("{}").lower() == match.group(1).lower()]
    else:
        found = [one for one in every(ctx) if one.display_name.lower() == wanted.lower()]
    if not found:
        raise UserError(
            f"There is no group policy {wanted!r}. Next step: addc gpo list tells which there are"
        )
    if len(found) > 1:
        raise UserError(
            f"{len(found)} group policies are called {wanted!r}. Next step: give the GUID instead"
        )
    return found[0]


def folder(ctx: ReadContext, policy: Policy) -> FileRow | None:
    """A policy's folder in SYSVOL."""
    row = sysvol.find(ctx, policy.path)
    return row if row is not None and sysvol.is_folder(row) else None


def file_version(ctx: ReadContext, policy: Policy) -> int | None:
    """The version that gpt.ini has; None without one."""
    ini = sysvol_paths.get_settings(ctx, (*policy.path, GPT_INI))
    text = None if ini is None else ini.get("General", "Version")
    return int(text) if text is not None and text.isdigit() else None


def folders_alone(ctx: ReadContext) -> list[str]:
    """The folders of policies that have no object (any more)."""
    top = sysvol.find(ctx, policies_path(ctx))
    if top is None:
        return []
    held = {policy.path[-1].lower() for policy in every(ctx)}
    found = [sysvol.name_of(row) for row in sysvol.children(ctx, top.node) if sysvol.is_folder(row)]
    return [name for name in found if _BRACED.fullmatch(name) and name.lower() not in held]


# --- changing ----------------------------------------------------------------------------------------------


def create(ctx: WriteContext, display_name: str, *, guid: UUID | None = None) -> Policy:
    """A new, empty policy that is linked nowhere. Spec: [MS-GPOL] 3.3.5.1."""
    if not display_name or any(one.display_name.lower() == display_name.lower() for one in every(ctx)):
        raise UserError(f"There is a group policy {display_name!r} already. Next step: choose another name")
    name = "{" + str(guid or new_guid(ctx.rng)).upper() + "}"
    domain = ctx.forest.dns_domain
    dn = f"CN={name},{container_dn(ctx)}"
    path = f"\\\\{domain}\\sysvol\\{domain}\\Policies\\{name}"
    values = {
        "objectClass": _CLASS,
        "displayName": display_name,
        "gPCFileSysPath": path,
        "gPCFunctionalityVersion": "2",
        "versionNumber": "0",
        "flags": "0",
        "showInAdvancedViewOnly": "TRUE",
    }
    attributes = [(one, [value.encode()]) for one, value in values.items()]
    dnt = add_object(ctx, dn, attributes, fixed=_fixed(ctx))
    for part in ("Machine", "User"):
        add_object(ctx, f"CN={part},{dn}", [("objectClass", [b"container"])])
    row = ctx.tx.get(dnt)
    assert row is not None
    policy = of_row(ctx, row)
    make_folder(ctx, policy)
    return policy


def _fixed(ctx: WriteContext) -> Fixed:
    """Owner and group of what the DC itself makes: the domain's administrators, as if one of them did."""
    if not ctx.unrestricted:
        return NOTHING_FIXED
    cls = ctx.schema.class_(_CLASS)
    assert cls is not None
    sid = ctx.forest.domain_sid
    return Fixed(sd=sddl.parse("O:DAG:DA" + cls.default_sd, sid, sid))


def make_folder(ctx: WriteContext, policy: Policy) -> FileRow:
    """What is missing of a policy's folder, with the descriptor that its object asks for."""
    row = sysvol.find(ctx, policy.path)
    if row is None:
        row = sysvol_paths.put_folder(ctx, policy.path)
        secure_folder(ctx, policy)
    if file_version(ctx, policy) is None:
        write_version(ctx, policy, policy.version)
    for part in ("MACHINE", "USER"):
        sysvol_paths.put_folder(ctx, (*policy.path, part))
    return row


def secure_folder(ctx: WriteContext, policy: Policy) -> None:
    """Give a policy's folder, and what inherits from it, the descriptor that its object asks for."""
    top = sysvol.resolve(ctx, policy.path)
    wanted = gpo_security.folder_descriptor(rights.descriptor(ctx, policy.row))
    sysvol.set_descriptor(ctx, top.node, wanted)
    below = sysvol_paths.walk(ctx, top)
    next(below)
    for _, row in list(below):
        sysvol_paths.inherited_anew(ctx, row)


def write_version(ctx: WriteContext, policy: Policy, version: int) -> None:
    """Have gpt.ini say a version."""
    path = (*policy.path, GPT_INI)
    try:
        ini = sysvol_paths.get_settings(ctx, path) or InfFile()
    except DecodeError:
        ini = InfFile()
    ini.put("General", "Version", str(version))
    sysvol_paths.put_file(ctx, path, ini.pack())


def raise_version(ctx: WriteContext, policy: Policy, *, machine: bool = True) -> int:
    """The next version of a policy's machine or user half, in object and file; clients read it then.

    Spec: [MS-GPOL] 2.2.4, 3.3.5.2.
    """
    user_half, machine_half = policy.version >> 16 & 0xFFFF, policy.version & 0xFFFF
    if machine:
        machine_half = machine_half % 0xFFFF + 1
    else:
        user_half = user_half % 0xFFFF + 1
    version = user_half << 16 | machine_half
    set_version(ctx, policy, version)
    return version


def set_version(ctx: WriteContext, policy: Policy, version: int) -> None:
    """Have object and gpt.ini say a version."""
    signed = version - (1 << 32) if version >> 31 else version
    row = ctx.tx.get(policy.row.dnt)
    assert row is not None
    modify_row(ctx, row, [Change(ModOp.REPLACE, "versionNumber", (str(signed).encode(),))])
    write_version(ctx, policy, version)


def delete(ctx: WriteContext, policy: Policy, *, force: bool = False) -> list[str]:
    """Take a policy away, with its folder and all links to it; the DNs that were linked.

    Raises UserError for the two that a domain cannot do without, unless forced.
    """
    if policy.name.upper() in (DEFAULT_DOMAIN_POLICY, DEFAULT_DC_POLICY) and not force:
        raise UserError(f"{policy.display_name} belongs to every domain. Next step: change it instead")
    linked = [names.dn_of_row(ctx, place) for place in linked_places(ctx, policy)]
    for dn in linked:
        unlink(ctx, policy, dn)
    if force:
        _uncritical(ctx, policy)
    delete_object(ctx, policy.dn, _TREE)
    row = folder(ctx, policy)
    if row is not None:
        sysvol_paths.remove_tree(ctx, row)
    return linked


def _uncritical(ctx: WriteContext, policy: Policy) -> None:
    """Lift what protects a default policy's object."""
    for row in [*names.children(ctx, policy.row.dnt), policy.row]:
        if attr.SYSTEM_FLAGS in row.attrs:
            modify_row(ctx, row, [Change(ModOp.REPLACE, "systemFlags", (b"0",))])
        if attr.IS_CRITICAL_SYSTEM_OBJECT in row.attrs:
            modify_row(ctx, row, [Change(ModOp.REPLACE, "isCriticalSystemObject", (b"FALSE",))])


# --- links -------------------------------------------------------------------------------------------------


def places(ctx: ReadContext) -> Iterator[ObjectRow]:
    """Everything that links to policies."""
    attribute = ctx.schema.attribute_by_id(attr.OBJECT_CLASS)
    assert attribute is not None
    for name in (b"domainDNS", b"organizationalUnit", b"site"):
        for row in ctx.tx.get_many(ctx.tx.index_eq(attr.OBJECT_CLASS, attribute.syntax.key(name))):
            if row.state is ObjectState.LIVE and attr.GP_LINK in row.attrs:
                yield row


def linked_places(ctx: ReadContext, policy: Policy) -> list[ObjectRow]:
    """Where a policy is linked."""
    return [
        row for row in places(ctx) if any(leads_to(ctx, link, policy) for link in gpo_links.links_of(row))
    ]


def leads_to(ctx: ReadContext, one: Link, policy: Policy) -> bool:
    """Whether a link is to this policy."""
    try:
        return names.resolve(ctx, one.dn).dnt == policy.row.dnt
    except DsError:
        return False


def link(ctx: WriteContext, policy: Policy, dn: str, *, options: int = 0) -> None:
    """Link a policy to a domain, organizational unit or site, behind all that are linked there.

    A link that is there already gets the options. Spec: [MS-GPOL] 3.3.5.7.
    """
    place = names.resolve(ctx, dn)
    held = gpo_links.links_of(place)
    if any(leads_to(ctx, one, policy) for one in held):
        fresh = [Link(one.dn, options) if leads_to(ctx, one, policy) else one for one in held]
    else:
        fresh = [*held, Link(policy.dn, options)]
    set_links(ctx, place, fresh)


def unlink(ctx: WriteContext, policy: Policy, dn: str) -> None:
    """End a policy's link. Raises DsError(ERROR_DS_NO_ATTRIBUTE_OR_VALUE) where it is not linked."""
    place = names.resolve(ctx, dn)
    held = gpo_links.links_of(place)
    fresh = [one for one in held if not leads_to(ctx, one, policy)]
    if len(fresh) == len(held):
        raise DsError(Win32.ERROR_DS_NO_ATTRIBUTE_OR_VALUE, f"{policy.display_name} is not linked to {dn}")
    set_links(ctx, place, fresh)


def set_links(ctx: WriteContext, place: ObjectRow, links: Sequence[Link]) -> None:
    """Have a domain, organizational unit or site link to these policies."""
    modify_row(ctx, place, [Change(ModOp.REPLACE, "gPLink", (gpo_links.render(links).encode(),))])
