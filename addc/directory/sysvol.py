"""SYSVOL's tree of files, as rules over the store: names, content, times, attributes and descriptors.

Access is checked by those who act for a user: the SMB layer does by its handles ([MS-FSA]).
Every change draws a USN and a stamp, as an object's does, for partners to come.

Spec: [MS-GPOL] 2.2.4 (what lies there), [MS-FSA] 2.1.1.3 (what a file is).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.base import limits
from addc.base.clock import FileTime
from addc.base.errors import NtError
from addc.base.rng import new_guid
from addc.codec import file_names
from addc.codes.ntstatus import NtStatus
from addc.directory import rights, sysvol_cache, sysvol_watch
from addc.directory.context import ReadContext, WriteContext
from addc.directory.sysvol_cache import SysvolCache
from addc.security.descriptor import SecurityDescriptor
from addc.store import files
from addc.store.files import FileRow

FOLDER: Final = 0x10
ARCHIVE: Final = 0x20
NORMAL: Final = 0x80
_SETTABLE: Final = 0x0000_31A7
"""READONLY, HIDDEN, SYSTEM, ARCHIVE, NORMAL, TEMPORARY, OFFLINE, NOT_CONTENT_INDEXED."""
_INLINE_MAX: Final = files.CHUNK_SIZE
"""Files up to this size are kept whole by the cache."""

__all__ = ["FileRow"]


@dataclass(frozen=True, slots=True)
class NewFile:
    """What is to be created. descriptor: complete, what is inherited included."""

    name: str
    folder: bool
    attributes: int
    descriptor: SecurityDescriptor


@dataclass(frozen=True, slots=True)
class Basics:
    """New times and attributes; None leaves one as it is."""

    attributes: int | None = None
    created_ft: int | None = None
    accessed_ft: int | None = None
    written_ft: int | None = None
    changed_ft: int | None = None


# --- reading -----------------------------------------------------------------------------------------------


def _cache(ctx: ReadContext) -> SysvolCache | None:
    """What is known of committed rows; None inside a write, which sees its own."""
    if isinstance(ctx, WriteContext):
        return None
    shared = ctx.shared
    cache = shared.sysvol
    if cache.seq == ctx.tx.seq:
        return cache
    fresh = sysvol_cache.at(cache, ctx.tx)
    if fresh.generation > cache.generation:
        shared.sysvol = fresh
    return fresh


def is_folder(row: FileRow) -> bool:
    return bool(row.attributes & FOLDER)


def name_of(row: FileRow) -> str:
    """A row's name, "" for the root."""
    return row.name.decode("utf-8", "surrogatepass")


def get(ctx: ReadContext, node: int) -> FileRow:
    """The row of a file or folder. Raises NtError(STATUS_FILE_DELETED) if there is none (any more)."""
    cache = _cache(ctx)
    found = None if cache is None else cache.rows.get(node)
    if found is None:
        found = files.get(ctx.tx, node)
        if found is None or found.state != files.LIVE:
            raise NtError(NtStatus.STATUS_FILE_DELETED)
        if cache is not None:
            cache.keep_row(found)
    return found


def child(ctx: ReadContext, folder: int, name: str) -> FileRow | None:
    """What a folder holds under a name."""
    upper = file_names.upcase(name)
    cache = _cache(ctx)
    if cache is not None and (folder, upper) in cache.by_name:
        return cache.by_name[folder, upper]
    found = files.child(ctx.tx, folder, upper.encode("utf-16-be", "surrogatepass"))
    if cache is not None:
        cache.keep_name(folder, upper, found)
        if found is not None:
            cache.keep_row(found)
    return found


def root(ctx: ReadContext) -> FileRow | None:
    """The root of the tree; None in a forest that has no SYSVOL yet."""
    return child(ctx, files.NOWHERE, "")


def resolve(ctx: ReadContext, path: Sequence[str]) -> FileRow:
    """The row at a path of names from the root.

    Raises NtError: STATUS_OBJECT_PATH_NOT_FOUND where a folder on the way is missing or a file,
    STATUS_OBJECT_NAME_NOT_FOUND where only the last name is.
    """
    row = root(ctx)
    if row is None:
        raise NtError(NtStatus.STATUS_OBJECT_PATH_NOT_FOUND)
    last = len(path) - 1
    for depth, name in enumerate(path):
        found = child(ctx, row.node, name) if row.attributes & FOLDER else None
        if found is None:
            is_last = depth == last and row.attributes & FOLDER
            raise NtError(
                NtStatus.STATUS_OBJECT_NAME_NOT_FOUND if is_last else NtStatus.STATUS_OBJECT_PATH_NOT_FOUND
            )
        row = found
    return row


def find(ctx: ReadContext, path: Sequence[str]) -> FileRow | None:
    """As `resolve`; None where nothing is there."""
    try:
        return resolve(ctx, path)
    except NtError:
        return None


def path_of(ctx: ReadContext, node: int) -> tuple[str, ...]:
    """The names from the root to a file or folder."""
    found: list[str] = []
    row = get(ctx, node)
    while row.parent != files.NOWHERE:
        found.append(name_of(row))
        row = get(ctx, row.parent)
    return tuple(reversed(found))


def children(ctx: ReadContext, folder: int) -> tuple[FileRow, ...]:
    """What a folder holds, in the order of Windows' comparison of names."""
    cache = _cache(ctx)
    found = None if cache is None else cache.lists.get(folder)
    if found is None:
        found = tuple(files.children(ctx.tx, folder))
        if cache is not None:
            cache.keep_list(folder, found)
    return found


def read(ctx: ReadContext, node: int, offset: int, size: int) -> bytes:
    """At most `size` octets from `offset` on; fewer at the file's end."""
    row = get(ctx, node)
    if row.attributes & FOLDER:
        raise NtError(NtStatus.STATUS_FILE_IS_A_DIRECTORY)
    size = min(size, row.size - offset)
    if size <= 0:
        return b""
    cache = _cache(ctx)
    if cache is None or row.size > _INLINE_MAX:
        return files.read(ctx.tx, node, offset, size)
    whole = cache.content.get(node)
    if whole is None:
        whole = files.read(ctx.tx, node, 0, row.size)
        cache.keep_content(node, whole)
    return whole if size == row.size else whole[offset : offset + size]


def descriptor(ctx: ReadContext, node: int) -> SecurityDescriptor:
    """The security descriptor of a file or folder."""
    return rights.descriptor_by_id(ctx, get(ctx, node).sd_id)


def used(ctx: ReadContext) -> int:
    """Octets that all content takes, each piece counted once."""
    return files.totals(ctx.tx)[1]


def generation(ctx: ReadContext) -> tuple[int, int]:
    """The last commit that changed any file as of this snapshot, and the snapshot's USN."""
    cache = _cache(ctx)
    return (files.totals(ctx.tx)[0] if cache is None else cache.generation), ctx.tx.usn


def changed(ctx: ReadContext, after_usn: int, limit: int) -> list[FileRow]:
    """What changed after a USN, oldest change first; removed rows too, whose state is not 0."""
    return files.changed(ctx.tx, after_usn, limit)


# --- changing ----------------------------------------------------------------------------------------------


def _stamped(ctx: WriteContext, row: FileRow, **changed: object) -> FileRow:
    """A row with other columns and the next stamp."""
    usn = ctx.tx.next_usn()
    return row._replace(
        usn_changed=usn,
        version=row.version + 1,
        time_ft=ctx.now,
        invocation_id=ctx.forest.invocation_id.bytes_le,
        originating_usn=usn,
        **changed,  # type: ignore[arg-type]
    )


def _save(ctx: WriteContext, row: FileRow, **changed: object) -> FileRow:
    stamped = _stamped(ctx, row, **changed)
    files.update_row(ctx.tx, stamped)
    return stamped


def _touch_folder(ctx: WriteContext, node: int) -> None:
    """A folder's list has changed: its times tell; that is no change for partners."""
    if node == files.NOWHERE:
        return
    row = get(ctx, node)
    if row.written_ft != ctx.now or row.changed_ft != ctx.now:
        files.update_row(ctx.tx, row._replace(written_ft=ctx.now, changed_ft=ctx.now))


def _folder(ctx: ReadContext, node: int) -> FileRow:
    row = get(ctx, node)
    if not row.attributes & FOLDER:
        raise NtError(NtStatus.STATUS_NOT_A_DIRECTORY)
    return row


def _check_depth(ctx: ReadContext, node: int) -> None:
    depth = 0
    while node != files.NOWHERE:
        depth += 1
        if depth > limits.SYSVOL_DEPTH_MAX:
            raise NtError(NtStatus.STATUS_OBJECT_NAME_INVALID, "folders are nested too deep")
        node = get(ctx, node).parent


def _check_room(ctx: ReadContext, more: int) -> None:
    """Refuse what would fill SYSVOL beyond its limit."""
    if used(ctx) + more > limits.SYSVOL_TOTAL_MAX:
        raise NtError(NtStatus.STATUS_DISK_FULL, "SYSVOL has reached its limit")


def create(ctx: WriteContext, parent: int, new: NewFile) -> FileRow:
    """Make an empty file, or a folder.

    parent: files.NOWHERE for the root, once. Raises NtError(STATUS_OBJECT_NAME_COLLISION,
    STATUS_OBJECT_NAME_INVALID, STATUS_NOT_A_DIRECTORY).
    """
    if parent == files.NOWHERE:
        assert not new.name and new.folder
    else:
        _folder(ctx, parent)
        if not file_names.is_valid(new.name):
            raise NtError(NtStatus.STATUS_OBJECT_NAME_INVALID)
        _check_depth(ctx, parent)
    if child(ctx, parent, new.name) is not None:
        raise NtError(NtStatus.STATUS_OBJECT_NAME_COLLISION)
    usn = ctx.tx.next_usn()
    row = FileRow(
        node=ctx.tx.draw_id(),
        parent=parent,
        key=file_names.key(new.name),
        name=new.name.encode("utf-8", "surrogatepass"),
        guid=new_guid(ctx.rng).bytes_le,
        state=files.LIVE,
        attributes=_attributes(new.attributes, new.folder),
        size=0,
        created_ft=ctx.now,
        accessed_ft=ctx.now,
        written_ft=ctx.now,
        changed_ft=ctx.now,
        sd_id=ctx.tx.put_descriptor(new.descriptor.pack()),
        usn_created=usn,
        usn_changed=usn,
        version=1,
        time_ft=ctx.now,
        invocation_id=ctx.forest.invocation_id.bytes_le,
        originating_usn=usn,
    )
    files.insert_row(ctx.tx, row)
    _touch_folder(ctx, parent)
    sysvol_watch.touched(ctx, new.name)
    return row


def _attributes(asked: int, folder: bool) -> int:
    """Attributes as they are kept: NORMAL stands alone, FOLDER belongs to folders."""
    kept = asked & _SETTABLE & ~NORMAL
    if folder:
        return kept | FOLDER
    return kept or NORMAL


def write(ctx: WriteContext, node: int, offset: int, data: bytes | memoryview) -> None:
    """Put octets at `offset`; what lies between the old end and there reads as zeros.

    Raises NtError(STATUS_DISK_FULL) beyond the limits.
    """
    row = get(ctx, node)
    if row.attributes & FOLDER:
        raise NtError(NtStatus.STATUS_FILE_IS_A_DIRECTORY)
    end = offset + len(data)
    if end > limits.SYSVOL_FILE_MAX:
        raise NtError(NtStatus.STATUS_DISK_FULL, "a file has at most 4 GiB")
    if not len(data):
        return
    _check_room(ctx, len(data))
    files.write(ctx.tx, node, offset, data)
    _content_changed(ctx, row, max(row.size, end))


def set_size(ctx: WriteContext, node: int, size: int) -> None:
    """Cut a file, or let it grow by zeros."""
    row = get(ctx, node)
    if row.attributes & FOLDER:
        raise NtError(NtStatus.STATUS_FILE_IS_A_DIRECTORY)
    if size < 0:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER)
    if size > limits.SYSVOL_FILE_MAX:
        raise NtError(NtStatus.STATUS_DISK_FULL, "a file has at most 4 GiB")
    if size == row.size:
        return
    if size < row.size:
        files.cut(ctx.tx, node, size)
    _content_changed(ctx, row, size)


def _content_changed(ctx: WriteContext, row: FileRow, size: int) -> None:
    attributes = _attributes(row.attributes | ARCHIVE, folder=False)
    _save(ctx, row, size=size, attributes=attributes, written_ft=ctx.now, changed_ft=ctx.now)
    sysvol_watch.touched(ctx, name_of(row))


def set_basic(ctx: WriteContext, node: int, change: Basics) -> None:
    """Change times and attributes."""
    row = get(ctx, node)
    attributes = row.attributes
    if change.attributes is not None:
        attributes = _attributes(change.attributes, bool(row.attributes & FOLDER))
    _save(
        ctx,
        row,
        attributes=attributes,
        created_ft=_or(change.created_ft, row.created_ft),
        accessed_ft=_or(change.accessed_ft, row.accessed_ft),
        written_ft=_or(change.written_ft, row.written_ft),
        changed_ft=_or(change.changed_ft, ctx.now),
    )


def _or(wanted: int | None, held: int) -> int:
    return held if wanted is None else wanted


def set_descriptor(ctx: WriteContext, node: int, wanted: SecurityDescriptor) -> None:
    """Replace the whole descriptor of one file or folder; what it holds keeps its own, as on Windows."""
    sd_id = ctx.tx.put_descriptor(wanted.pack())
    row = get(ctx, node)
    if row.sd_id != sd_id:
        _save(ctx, row, sd_id=sd_id, changed_ft=ctx.now)


def rename(ctx: WriteContext, node: int, parent: int, name: str, *, replace: bool = False) -> None:
    """Give a file or folder another place or name.

    replace: a file of that name there goes away. Raises NtError(STATUS_OBJECT_NAME_COLLISION,
    STATUS_ACCESS_DENIED for a folder in the way or the root, STATUS_INVALID_PARAMETER for a folder that
    would come below itself).
    """
    row = get(ctx, node)
    if row.parent == files.NOWHERE:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the root keeps its place")
    _folder(ctx, parent)
    if not file_names.is_valid(name):
        raise NtError(NtStatus.STATUS_OBJECT_NAME_INVALID)
    if row.attributes & FOLDER:
        _check_not_below(ctx, row, parent)
    _check_depth(ctx, parent)
    there = child(ctx, parent, name)
    if there is not None and there.node != node:
        if not replace:
            raise NtError(NtStatus.STATUS_OBJECT_NAME_COLLISION)
        if (there.attributes | row.attributes) & FOLDER:
            raise NtError(NtStatus.STATUS_ACCESS_DENIED, "a folder is not replaced")
        remove(ctx, there.node)
    packed = name.encode("utf-8", "surrogatepass")
    if (row.parent, row.name) == (parent, packed):
        return
    _save(ctx, row, parent=parent, key=file_names.key(name), name=packed, changed_ft=ctx.now)
    _touch_folder(ctx, row.parent)
    if parent != row.parent:
        _touch_folder(ctx, parent)
    sysvol_watch.touched(ctx, name)
    sysvol_watch.touched(ctx, name_of(row))


def _check_not_below(ctx: ReadContext, row: FileRow, parent: int) -> None:
    while parent != files.NOWHERE:
        if parent == row.node:
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "a folder cannot come below itself")
        parent = get(ctx, parent).parent


def remove(ctx: WriteContext, node: int) -> None:
    """Take a file or an empty folder away; a row without content stays for partners.

    Raises NtError(STATUS_DIRECTORY_NOT_EMPTY, STATUS_CANNOT_DELETE for the root).
    """
    row = get(ctx, node)
    if row.parent == files.NOWHERE:
        raise NtError(NtStatus.STATUS_CANNOT_DELETE)
    if row.attributes & FOLDER:
        if files.children(ctx.tx, node, limit=1):
            raise NtError(NtStatus.STATUS_DIRECTORY_NOT_EMPTY)
    else:
        files.cut(ctx.tx, node, 0)
    _save(ctx, row, state=files.REMOVED, key=row.key + b"\0\0" + row.guid, size=0, changed_ft=ctx.now)
    _touch_folder(ctx, row.parent)
    sysvol_watch.touched(ctx, name_of(row))


def forget_step(ctx: WriteContext) -> bool:
    """Take rows of what was removed long ago away for good; whether more are waiting."""
    before = FileTime(ctx.now - sysvol_watch.REMEMBERED_FT)
    gone = files.removed_before(ctx.tx, before, sysvol_watch.BATCH)
    for node in gone:
        files.forget(ctx.tx, node)
    return len(gone) == sysvol_watch.BATCH
