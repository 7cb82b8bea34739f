"""What `addc gpo` does: policies told, made, linked, kept and put back, and looked at for what is wrong."""

import json
from pathlib import Path
from typing import Final

from addc.base.errors import DecodeError, DsError, UserError
from addc.directory import gpo_backup, gpo_links, gpo_objects, names, rights, sysvol, sysvol_paths
from addc.directory.api import Directory
from addc.directory.check import Finding, check_policies
from addc.directory.context import ReadContext, WriteContext
from addc.directory.gpo_backup import Backup
from addc.directory.gpo_links import DISABLED, ENFORCED
from addc.directory.gpo_objects import MACHINE_DISABLED, USER_DISABLED, Policy
from addc.security import sddl
from addc.security.token import SYSTEM
from addc.server.forest_changes import change

FACTS: Final = "gpo.json"
FILES: Final = "files"
_FORMAT: Final = 1

Facts = dict[str, object]


def _facts(ctx: ReadContext, policy: Policy) -> Facts:
    try:
        in_file = gpo_objects.file_version(ctx, policy)
    except DecodeError:
        in_file = None
    version = policy.version & 0xFFFF_FFFF
    return {
        "name": policy.display_name,
        "guid": policy.name,
        "dn": policy.dn,
        "path": "/".join(policy.path),
        "user_version": version >> 16,
        "machine_version": version & 0xFFFF,
        "version_in_file": in_file,
        "user_enabled": not policy.flags & USER_DISABLED,
        "machine_enabled": not policy.flags & MACHINE_DISABLED,
        "links": [names.dn_of_row(ctx, place) for place in gpo_objects.linked_places(ctx, policy)],
    }


def listed(directory: Directory) -> list[Facts]:
    """Every policy."""
    return directory.read_now("gpo", SYSTEM, lambda ctx: [_facts(ctx, one) for one in gpo_objects.every(ctx)])


def show(directory: Directory, name: str) -> Facts:
    """One policy in full."""

    def work(ctx: ReadContext) -> Facts:
        policy, sid = gpo_objects.find(ctx, name), ctx.forest.domain_sid
        kept = gpo_backup.take(ctx, policy)
        return {
            **_facts(ctx, policy),
            **kept.texts,
            "files": sorted("/".join(path) for path, data in kept.files.items() if data is not None),
            "sddl": sddl.format(rights.descriptor(ctx, policy.row), sid, sid),
        }

    return directory.read_now("gpo", SYSTEM, work)


def create(directory: Directory, name: str, *, dry_run: bool = False) -> Facts:
    """A new policy that is linked nowhere."""
    return change(
        directory, "gpo.create", lambda ctx: _facts(ctx, gpo_objects.create(ctx, name)), dry_run=dry_run
    )


def delete(directory: Directory, name: str, *, force: bool = False, dry_run: bool = False) -> Facts:
    """End a policy with its folder and links; or a folder that no policy has."""

    def work(ctx: WriteContext) -> Facts:
        alone = [one for one in gpo_objects.folders_alone(ctx) if one.strip("{}").lower() == _bare(name)]
        if alone:
            path = (*gpo_objects.policies_path(ctx), alone[0])
            sysvol_paths.remove_tree(ctx, sysvol.resolve(ctx, path))
            return {"guid": alone[0], "path": "/".join(path), "links": []}
        policy = gpo_objects.find(ctx, name)
        facts = _facts(ctx, policy)
        gpo_objects.delete(ctx, policy, force=force)
        return facts

    return change(directory, "gpo.delete", work, dry_run=dry_run)


def _bare(name: str) -> str:
    return name.strip().strip("{}").lower()


def link(
    directory: Directory, name: str, place: str, *, enforced: bool, disabled: bool, dry_run: bool = False
) -> Facts:
    """Link a policy, or change its link."""
    options = (ENFORCED if enforced else 0) | (DISABLED if disabled else 0)

    def work(ctx: WriteContext) -> Facts:
        gpo_objects.link(ctx, gpo_objects.find(ctx, name), _place(ctx, place), options=options)
        return _links(ctx, place)

    return change(directory, "gpo.link", work, dry_run=dry_run)


def unlink(directory: Directory, name: str, place: str, *, dry_run: bool = False) -> Facts:
    """End a policy's link."""

    def work(ctx: WriteContext) -> Facts:
        gpo_objects.unlink(ctx, gpo_objects.find(ctx, name), _place(ctx, place))
        return _links(ctx, place)

    return change(directory, "gpo.unlink", work, dry_run=dry_run)


def _place(ctx: ReadContext, name: str) -> str:
    """The DN of a place: as given, or the domain by its DNS name."""
    return ctx.forest.domain_dn if name.lower() == ctx.forest.dns_domain.lower() else name


def _links(ctx: ReadContext, place: str) -> Facts:
    row = names.resolve(ctx, _place(ctx, place))
    told = []
    for one in gpo_links.links_of(row):
        try:
            name = gpo_objects.of_row(ctx, names.resolve(ctx, one.dn)).display_name
        except DsError:
            name = one.dn
        told.append({"name": name, "dn": one.dn, "enforced": one.is_enforced, "enabled": one.is_enabled})
    return {"place": names.dn_of_row(ctx, row), "links": told}


# --- backup ------------------------------------------------------------------------------------------------


def backup(directory: Directory, name: str, folder: Path) -> Path:
    """Keep a policy in a folder of its own below `folder`; where."""
    kept = directory.read_now("gpo", SYSTEM, lambda ctx: gpo_backup.take(ctx, gpo_objects.find(ctx, name)))
    place = folder / kept.name
    if place.exists():
        raise UserError(f"{place} is there already. Next step: name another folder")
    files = place / FILES
    files.mkdir(parents=True)
    for path, data in kept.files.items():
        target = files.joinpath(*path)
        if data is None:
            target.mkdir(exist_ok=True)
        else:
            target.write_bytes(data)
    facts = {
        "format": _FORMAT, "guid": kept.name, "name": kept.display_name, "version": kept.version,
        "flags": kept.flags, "texts": dict(kept.texts), "sddl": kept.sddl, "links": kept.links,
    }  # fmt: skip
    (place / FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return place


def restore(
    directory: Directory, folder: Path, *, new_name: str = "", links: bool = False, dry_run: bool = False
) -> Facts:
    """Put back what `backup` kept in a folder."""
    kept = _kept(folder)
    return change(
        directory,
        "gpo.restore",
        lambda ctx: _facts(ctx, gpo_backup.restore(ctx, kept, display_name=new_name, links=links)),
        dry_run=dry_run,
    )


def _kept(folder: Path) -> Backup:
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        if facts["format"] != _FORMAT:
            raise UserError(f"{folder} is of another version. Next step: use the program that made it")
        found = Backup(
            str(facts["guid"]), str(facts["name"]), int(facts["version"]), int(facts["flags"]),
            {str(name): str(text) for name, text in facts["texts"].items()}, str(facts["sddl"]),
            tuple((str(dn), int(options)) for dn, options in facts["links"]), _kept_files(folder / FILES),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{folder} is no backup of a policy: {error}. Next step: name one that is") from error
    return found


def _kept_files(folder: Path) -> dict[tuple[str, ...], bytes | None]:
    found: dict[tuple[str, ...], bytes | None] = {}
    total = 0
    for one in sorted(folder.rglob("*")):
        path = one.relative_to(folder).parts
        if one.is_symlink() or not (one.is_dir() or one.is_file()):
            raise UserError(f"{one} is neither a file nor a folder. Next step: take it away")
        if one.is_dir():
            found[path] = None
        else:
            total += one.stat().st_size
            if total > gpo_backup.SIZE_MAX:
                raise UserError(f"{folder} is too large. Next step: addc sysvol import")
            found[path] = one.read_bytes()
    return found


# --- looking for what is wrong -----------------------------------------------------------------------------


def check(directory: Directory, *, mend: bool) -> list[Finding]:
    """What is wrong with policies, and what came of mending it."""
    return check_policies(directory, mend=mend)
