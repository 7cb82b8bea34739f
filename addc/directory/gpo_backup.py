"""A group policy as a value that can be kept elsewhere and put back: object, links and files.

Spec: [MS-GPOL] 2.2.4, 2.2.8, 3.3.5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DsError, UserError
from addc.directory import entry, gpo_links, gpo_objects, names, rights, sysvol, sysvol_paths
from addc.directory.context import ReadContext, WriteContext
from addc.directory.gpo_objects import Policy
from addc.directory.modify import Change, ModOp, modify_row
from addc.schema import attr
from addc.security import sddl

SIZE_MAX: Final = 268_435_456
"""Octets of a policy's files that are carried in one piece."""
_TEXTS: Final = {
    "gPCMachineExtensionNames": attr.GPC_MACHINE_EXTENSION_NAMES,
    "gPCUserExtensionNames": attr.GPC_USER_EXTENSION_NAMES,
    "gPCWQLFilter": attr.GPCWQL_FILTER,
}


@dataclass(frozen=True, slots=True)
class Backup:
    """A policy. files: by path from its folder, None for folders. links: DN and options.

    sddl: of the object, with the domain's own SIDs by their short names, so that it serves in another domain.
    """

    name: str
    display_name: str
    version: int
    flags: int
    texts: Mapping[str, str]
    sddl: str
    links: tuple[tuple[str, int], ...]
    files: Mapping[tuple[str, ...], bytes | None]


def take(ctx: ReadContext, policy: Policy) -> Backup:
    """All of a policy. Raises UserError where its files are too large."""
    sid = ctx.forest.domain_sid
    places = gpo_objects.linked_places(ctx, policy)
    texts = {name: entry.text(policy.row, att) for name, att in _TEXTS.items()}
    return Backup(
        policy.name,
        policy.display_name,
        policy.version,
        policy.flags,
        {name: text for name, text in texts.items() if text},
        sddl.format(rights.descriptor(ctx, policy.row), sid, sid),
        tuple(
            (names.dn_of_row(ctx, place), link.options)
            for place in places
            for link in gpo_links.links_of(place)
            if gpo_objects.leads_to(ctx, link, policy)
        ),
        _files(ctx, policy),
    )


def _files(ctx: ReadContext, policy: Policy) -> dict[tuple[str, ...], bytes | None]:
    folder = gpo_objects.folder(ctx, policy)
    if folder is None:
        return {}
    found: dict[tuple[str, ...], bytes | None] = {}
    total = 0
    for path, row in sysvol_paths.walk(ctx, folder):
        if not path:
            continue
        total += row.size
        if total > SIZE_MAX:
            raise UserError("The policy's files are too large to carry. Next step: addc sysvol export")
        found[path] = None if sysvol.is_folder(row) else sysvol.read(ctx, row.node, 0, row.size)
    return found


def restore(ctx: WriteContext, kept: Backup, *, display_name: str = "", links: bool = False) -> Policy:
    """Put a policy back: made anew where it is gone, else made what it was.

    display_name: make a new policy of that name instead. links: link it where it was, as far as those places
    are there. The version goes on from what it is, so that every client reads the policy again.
    """
    policy = None if display_name else _held(ctx, kept.name)
    if policy is None:
        guid = None if display_name else UUID(kept.name)
        policy = gpo_objects.create(ctx, display_name or kept.display_name, guid=guid)
    _restore_object(ctx, policy, kept)
    _restore_files(ctx, policy, kept)
    row = ctx.tx.get(policy.row.dnt)
    assert row is not None
    policy = gpo_objects.of_row(ctx, row)
    gpo_objects.secure_folder(ctx, policy)
    halves = [max(kept.version >> shift & 0xFFFF, policy.version >> shift & 0xFFFF) for shift in (16, 0)]
    gpo_objects.set_version(ctx, policy, halves[0] << 16 | halves[1])
    if kept.version:
        gpo_objects.raise_version(ctx, gpo_objects.again(ctx, policy), machine=bool(kept.version & 0xFFFF))
    if links:
        for dn, options in kept.links:
            if _is_there(ctx, dn):
                gpo_objects.link(ctx, policy, dn, options=options)
    return gpo_objects.again(ctx, policy)


def _held(ctx: ReadContext, name: str) -> Policy | None:
    return next((one for one in gpo_objects.every(ctx) if one.name.upper() == name.upper()), None)


def _is_there(ctx: ReadContext, dn: str) -> bool:
    try:
        names.resolve(ctx, dn)
    except DsError:
        return False
    return True


def _restore_object(ctx: WriteContext, policy: Policy, kept: Backup) -> None:
    sid = ctx.forest.domain_sid
    changes = [
        Change(ModOp.REPLACE, "flags", (str(kept.flags).encode(),)),
        Change(ModOp.REPLACE, "nTSecurityDescriptor", (sddl.parse(kept.sddl, sid, sid).pack(),)),
    ]
    for name, att in _TEXTS.items():
        if name in kept.texts:
            changes.append(Change(ModOp.REPLACE, name, (kept.texts[name].encode(),)))
        elif att in policy.row.attrs:
            changes.append(Change(ModOp.REPLACE, name))
    modify_row(ctx, policy.row, changes)


def _restore_files(ctx: WriteContext, policy: Policy, kept: Backup) -> None:
    """The folder with what was kept, and nothing else."""
    folder = gpo_objects.make_folder(ctx, policy)
    wanted = {tuple(name.lower() for name in path) for path in kept.files}
    for path, row in reversed(list(sysvol_paths.walk(ctx, folder))):
        if path and tuple(name.lower() for name in path) not in wanted:
            sysvol.remove(ctx, row.node)
    for path, data in kept.files.items():
        whole = (*policy.path, *path)
        if data is None:
            sysvol_paths.put_folder(ctx, whole)
        else:
            sysvol_paths.put_file(ctx, whole, data)
