"""Descriptors, attributes and birth times of files in operators' shares, whose content lies on the host.

What nobody has set is as if inherited: a file that came without SMB has what its folder hands down.

Spec: [MS-FSA] 2.1.1.3 (File.SecurityDescriptor, File.FileAttributes), [MS-DTYP] 2.5.3.4.
"""

from collections.abc import Sequence
from typing import Final

from addc.codec.file_names import key
from addc.directory.context import ReadContext, WriteContext
from addc.security.descriptor import SecurityDescriptor
from addc.store import share_files as rows
from addc.store.descriptors import NO_DESCRIPTOR
from addc.store.share_files import UNSET, ShareFileRow

__all__ = ["UNSET", "ShareFileRow"]

CHANGED_STATE: Final = "share files"
"""Named state: the last commit that changed anything here."""


def seen_change(ctx: ReadContext) -> bytes:
    """Changes whenever anything here has changed."""
    return ctx.tx.state(CHANGED_STATE) or b""


def _mark(ctx: WriteContext) -> None:
    ctx.tx.set_state(CHANGED_STATE, (ctx.tx.seq + 1).to_bytes(8, "big"))


def look_up(ctx: ReadContext, share: str, path: Sequence[str]) -> list[ShareFileRow]:
    """The rows of a share's root and of each name of a path, as far as there are any."""
    found: list[ShareFileRow] = []
    parent = rows.ROOTS
    for name in (share, *path):
        row = rows.child(ctx.tx, parent, key(name))
        if row is None:
            break
        found.append(row)
        parent = row.row
    return found


def below(ctx: ReadContext, row: int) -> dict[bytes, ShareFileRow]:
    """The rows in a folder, by the compared form of their names."""
    return {one.key: one for one in rows.children(ctx.tx, row)}


def descriptor(ctx: ReadContext, row: ShareFileRow) -> SecurityDescriptor | None:
    """What was set on a file; None if nothing was."""
    if row.sd_id == NO_DESCRIPTOR:
        return None
    return SecurityDescriptor.unpack(ctx.tx.descriptor(row.sd_id))


def _row(ctx: WriteContext, share: str, path: Sequence[str]) -> ShareFileRow:
    """The row of a file, made if there is none, with those of its folders."""
    found = look_up(ctx, share, path)
    names = (share, *path)
    parent = found[-1].row if found else rows.ROOTS
    for name in names[len(found) :]:
        found.append(rows.add(ctx.tx, parent, key(name)))
        parent = found[-1].row
    return found[-1]


def keep(
    ctx: WriteContext,
    share: str,
    path: Sequence[str],
    *,
    attributes: int | None = None,
    created_ft: int | None = None,
    changed: tuple[int, int] | None = None,
    descriptor: SecurityDescriptor | None = None,
) -> None:
    """Keep facts of a file; None leaves one as it is.

    changed: the time of change that a client sets, and the host's own at that moment, in nanoseconds.
    """
    row = _row(ctx, share, path)
    if attributes is not None:
        row = row._replace(attributes=attributes)
    if created_ft is not None:
        row = row._replace(created_ft=created_ft)
    if changed is not None:
        row = row._replace(changed_ft=changed[0], host_ns=changed[1])
    if descriptor is not None:
        row = row._replace(sd_id=ctx.tx.put_descriptor(descriptor.pack()))
    rows.change(ctx.tx, row)
    _mark(ctx)


def move(ctx: WriteContext, share: str, old: Sequence[str], new: Sequence[str]) -> None:
    """A file has another path; what was kept of whatever had that goes."""
    found = look_up(ctx, share, old)
    if len(found) <= len(old):
        drop(ctx, share, new)
        return
    if key(old[-1]) != key(new[-1]) or tuple(map(key, old[:-1])) != tuple(map(key, new[:-1])):
        drop(ctx, share, new)
        parent = _row(ctx, share, new[:-1])
        rows.move(ctx.tx, found[-1], parent.row, key(new[-1]))
    _mark(ctx)


def drop(ctx: WriteContext, share: str, path: Sequence[str]) -> None:
    """Forget a file and everything below it."""
    found = look_up(ctx, share, path)
    if len(found) > len(path):
        rows.drop(ctx.tx, found[-1])
        _mark(ctx)
