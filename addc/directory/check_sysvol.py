"""Invariants of SYSVOL and of group policies: rows, content, and objects and folders that belong together.

Spec: [MS-GPOL] 2.2.4 (gpt.ini), 3.3.5.1 (folder and descriptor of a policy).
"""

from collections.abc import Iterator
from typing import Final

from addc.base.errors import DecodeError, DsError, NtError, StoreError
from addc.base.ids import Dnt
from addc.codec import file_names
from addc.codec.dn import Dn
from addc.directory import gpo_apply, gpo_links, gpo_objects, gpo_security, names, rights, sysvol
from addc.directory.check_forest import ForestRule
from addc.directory.context import ReadContext, WriteContext
from addc.directory.gpo_objects import Policy
from addc.store import files
from addc.store.files import FileRow

_SHOWN: Final = 100
_BATCH: Final = 500
_NOTHING: Final = Dnt(0)


# --- rows --------------------------------------------------------------------------------------------------


def _content(ctx: ReadContext) -> Iterator[tuple[Dnt, str]]:
    for detail in files.faults(ctx.tx, _SHOWN):
        yield _NOTHING, detail


def _mend_content(ctx: WriteContext) -> None:
    files.mend(ctx.tx)


def _live_rows(ctx: ReadContext) -> Iterator[FileRow]:
    after = 0
    while rows := files.rows_after(ctx.tx, after, _BATCH):
        yield from (row for row in rows if row.state == files.LIVE)
        after = rows[-1].node


def _faults_of(ctx: ReadContext, row: FileRow) -> Iterator[str]:
    where = f"file {row.node} ({sysvol.name_of(row)!r})"
    if row.parent != files.NOWHERE:
        above = files.get(ctx.tx, row.parent)
        if above is None or above.state != files.LIVE or not sysvol.is_folder(above):
            yield f"{where} lies in no folder"
    if row.key != file_names.key(sysvol.name_of(row)):
        yield f"{where} is filed under another name"
    try:
        rights.descriptor_by_id(ctx, row.sd_id)
    except (StoreError, DecodeError):
        yield f"{where} has no descriptor"


def _rows(ctx: ReadContext) -> Iterator[tuple[Dnt, str]]:
    for row in _live_rows(ctx):
        for detail in _faults_of(ctx, row):
            yield _NOTHING, detail


def _mend_rows(ctx: WriteContext) -> None:
    """File rows under their names, give them the root's descriptor where theirs is lost."""
    root = sysvol.root(ctx)
    if root is None:
        return
    for row in list(_live_rows(ctx)):
        details = list(_faults_of(ctx, row))
        if not details:
            continue
        fresh = row._replace(key=file_names.key(sysvol.name_of(row)))
        if any(one.endswith("no descriptor") for one in details):
            fresh = fresh._replace(sd_id=root.sd_id)
        if any(one.endswith("no folder") for one in details):
            name = f"found.{row.node}"
            fresh = fresh._replace(parent=root.node, name=name.encode(), key=file_names.key(name))
        files.update_row(ctx.tx, fresh)


# --- policies ----------------------------------------------------------------------------------------------


def _folders(ctx: ReadContext) -> Iterator[tuple[Dnt, str]]:
    if sysvol.root(ctx) is None:
        return  # the upgrade lays it
    for policy in gpo_objects.every(ctx):
        if gpo_objects.folder(ctx, policy) is None:
            yield policy.row.dnt, f"policy {policy.display_name!r} has no folder in SYSVOL"


def _mend_folders(ctx: WriteContext) -> None:
    for policy in list(gpo_objects.every(ctx)):
        if gpo_objects.folder(ctx, policy) is None:
            gpo_objects.make_folder(ctx, policy)


def _strangers(ctx: ReadContext) -> Iterator[tuple[Dnt, str]]:
    for name in gpo_objects.folders_alone(ctx):
        yield _NOTHING, f"no policy has the folder {name}: addc gpo delete {name} takes it away"


def _versions(ctx: ReadContext) -> Iterator[tuple[Dnt, str]]:
    for policy, version in _with_version(ctx):
        if version != policy.version & 0xFFFF_FFFF:
            said = "no version" if version is None else f"version {version}"
            yield (
                policy.row.dnt,
                f"policy {policy.display_name!r} has {said} in gpt.ini, not {policy.version}",
            )


def _with_version(ctx: ReadContext) -> Iterator[tuple[Policy, int | None]]:
    for policy in gpo_objects.every(ctx):
        if gpo_objects.folder(ctx, policy) is not None:
            try:
                yield policy, gpo_objects.file_version(ctx, policy)
            except (DecodeError, NtError):
                yield policy, None


def _mend_versions(ctx: WriteContext) -> None:
    """The higher number of each half, so that every client reads the policy anew."""
    for policy, version in list(_with_version(ctx)):
        held, said = policy.version & 0xFFFF_FFFF, version or 0
        wanted = max(held >> 16, said >> 16 & 0xFFFF) << 16 | max(held & 0xFFFF, said & 0xFFFF)
        if (held, version) != (wanted, wanted):
            gpo_objects.set_version(ctx, policy, wanted)


def _descriptors(ctx: ReadContext) -> Iterator[tuple[Dnt, str]]:
    for policy in gpo_objects.every(ctx):
        folder = gpo_objects.folder(ctx, policy)
        if folder is None:
            continue
        asked = rights.descriptor(ctx, policy.row)
        if not gpo_security.is_in_step(asked, sysvol.descriptor(ctx, folder.node)):
            yield policy.row.dnt, f"the folder of policy {policy.display_name!r} has another descriptor"


def _mend_descriptors(ctx: WriteContext) -> None:
    for dnt, _ in list(_descriptors(ctx)):
        row = ctx.tx.get(dnt)
        if row is not None:
            gpo_objects.secure_folder(ctx, gpo_objects.of_row(ctx, row))


def _templates(ctx: ReadContext) -> Iterator[tuple[Dnt, str]]:
    for policy in gpo_objects.every(ctx):
        try:
            template = gpo_apply.template_of(ctx, policy)
        except DecodeError as error:
            yield policy.row.dnt, f"the security template of policy {policy.display_name!r}: {error}"
            continue
        if template is not None and template.get("Version", "signature") is None:
            yield policy.row.dnt, f"the security template of policy {policy.display_name!r} has no signature"


def _links(ctx: ReadContext) -> Iterator[tuple[Dnt, str]]:
    suffix = ctx.forest.domain_dn.lower()
    for place in gpo_objects.places(ctx):
        for link in gpo_links.links_of(place):
            if link.dn.lower().endswith(suffix) and not _is_there(ctx, link.dn):
                yield place.dnt, f"a link leads to {link.dn}, which is no policy"


def _is_there(ctx: ReadContext, dn: str) -> bool:
    try:
        return names.find_dn(ctx, Dn.parse(dn)) is not None
    except (DsError, DecodeError):
        return False


def _mend_links(ctx: WriteContext) -> None:
    for dnt in {dnt for dnt, _ in _links(ctx)}:
        place = ctx.tx.get(dnt)
        if place is not None:
            held = gpo_links.links_of(place)
            gpo_objects.set_links(ctx, place, [one for one in held if _is_there(ctx, one.dn)])


SYSVOL_RULES: Final = (
    ForestRule("file-content", _content, _mend_content),
    ForestRule("file-rows", _rows, _mend_rows),
    ForestRule("gpo-folder", _folders, _mend_folders),
    ForestRule("gpo-object", _strangers),
    ForestRule("gpo-version", _versions, _mend_versions),
    ForestRule("gpo-descriptor", _descriptors, _mend_descriptors),
    ForestRule("gpo-template", _templates),
    ForestRule("gpo-links", _links, _mend_links),
)
POLICY_RULES: Final = tuple(rule for rule in SYSVOL_RULES if rule.name.startswith("gpo-"))
"""What `addc gpo check` looks at."""
