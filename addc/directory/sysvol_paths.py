"""Words for those who work on SYSVOL by paths, as the domain itself: whole files, folders, trees.

What is made inherits its descriptor from the folder above, as for a user who makes it; its owner is the
folder's where the DC itself makes it.

Spec: [MS-DTYP] 2.5.3.4 (inheritance).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from addc.base.errors import DecodeError, NtError
from addc.codec import inf_file
from addc.codec.inf_file import InfFile
from addc.codes.ntstatus import NtStatus
from addc.directory import sysvol
from addc.directory.context import ReadContext, WriteContext
from addc.directory.sysvol import ARCHIVE, FileRow, NewFile
from addc.security.access_mask import FILE_MAPPING
from addc.security.descriptor import SecurityDescriptor, map_generic
from addc.security.sd_create import FILE, FOLDER, create_sd
from addc.security.token import SYSTEM

Path = Sequence[str]


def split(text: str) -> tuple[str, ...]:
    """A path as people write it, with either slash."""
    return tuple(name for name in text.replace("\\", "/").split("/") if name)


def inherited(
    ctx: WriteContext, parent: SecurityDescriptor, given: SecurityDescriptor | None, *, folder: bool
) -> SecurityDescriptor:
    """The descriptor of something new below `parent`; given: what it is to have of its own."""
    wanted = given or SecurityDescriptor()
    if ctx.requester is SYSTEM:
        wanted = replace(wanted, owner=wanted.owner or parent.owner, group=wanted.group or parent.group)
    made = create_sd(parent, wanted, ctx.requester, kind=FOLDER if folder else FILE)
    return map_generic(made, FILE_MAPPING)


def inherited_anew(ctx: WriteContext, row: FileRow) -> None:
    """Work out what a file or folder inherits from its folder as that is now; its own entries stay."""
    parent = sysvol.descriptor(ctx, row.parent)
    own = sysvol.descriptor(ctx, row.node)
    kind = FOLDER if sysvol.is_folder(row) else FILE
    sysvol.set_descriptor(ctx, row.node, create_sd(parent, own, SYSTEM, kind=kind))


def _new(
    ctx: WriteContext, parent: FileRow, name: str, sd: SecurityDescriptor | None, *, folder: bool
) -> FileRow:
    made = inherited(ctx, sysvol.descriptor(ctx, parent.node), sd, folder=folder)
    return sysvol.create(ctx, parent.node, NewFile(name, folder, 0 if folder else ARCHIVE, made))


def put_folder(ctx: WriteContext, path: Path, sd: SecurityDescriptor | None = None) -> FileRow:
    """The folder at a path, made where it is missing, with all above it; `sd` only where it is made."""
    row = sysvol.resolve(ctx, ())
    for depth, name in enumerate(path):
        found = sysvol.child(ctx, row.node, name)
        if found is None:
            found = _new(ctx, row, name, sd if depth == len(path) - 1 else None, folder=True)
        elif not sysvol.is_folder(found):
            raise NtError(NtStatus.STATUS_NOT_A_DIRECTORY)
        row = found
    return row


def put_file(ctx: WriteContext, path: Path, data: bytes, sd: SecurityDescriptor | None = None) -> FileRow:
    """The file at a path with this content, made where it is missing, with all folders above it."""
    above = put_folder(ctx, path[:-1])
    row = sysvol.child(ctx, above.node, path[-1])
    if row is None:
        row = _new(ctx, above, path[-1], sd, folder=False)
    if row.size > len(data):
        sysvol.set_size(ctx, row.node, len(data))
    sysvol.write(ctx, row.node, 0, data)
    return sysvol.get(ctx, row.node)


def get_file(ctx: ReadContext, path: Path) -> bytes | None:
    """A whole file; None where there is none."""
    row = sysvol.find(ctx, path)
    if row is None or sysvol.is_folder(row):
        return None
    return sysvol.read(ctx, row.node, 0, row.size)


def get_settings(ctx: ReadContext, path: Path) -> InfFile | None:
    """A file of settings; None where there is none. Raises DecodeError for what is none, or too large."""
    row = sysvol.find(ctx, path)
    if row is None or sysvol.is_folder(row):
        return None
    if row.size > inf_file.SIZE_MAX:
        raise DecodeError("too large for a file of settings", row.size, "InfFile")
    return InfFile.unpack(sysvol.read(ctx, row.node, 0, row.size))


def walk(
    ctx: ReadContext, row: FileRow, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], FileRow]]:
    """A row and all below it with their paths from it, folders before what they hold."""
    todo = [(path, row)]
    while todo:
        path, row = todo.pop()
        yield path, row
        if sysvol.is_folder(row):
            below = sysvol.children(ctx, row.node)
            todo += [((*path, sysvol.name_of(one)), one) for one in reversed(below)]


def remove_tree(ctx: WriteContext, row: FileRow) -> int:
    """Take a file, or a folder with all it holds, away; how many went."""
    found = [one for _, one in walk(ctx, row)]
    for one in reversed(found):
        sysvol.remove(ctx, one.node)
    return len(found)
