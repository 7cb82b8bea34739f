"""What `addc sysvol` does: list, read, and carry trees between SYSVOL and folders of the host.

A folder that was exported holds a file of its own with descriptors, attributes and times: what the host's
file system has no place for.
"""

import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from addc.base import limits
from addc.base.errors import DecodeError, DsError, NtError, UserError
from addc.codec import file_names
from addc.directory import sysvol, sysvol_paths
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.sysvol import Basics, FileRow
from addc.provision import sysvol as provision_sysvol
from addc.security import sddl
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import SYSTEM
from addc.server.forest_changes import change, refused

SIDECAR: Final = ".addc-sysvol.json"
_FORMAT: Final = 1
_PIECE: Final = 8_388_608
"""Octets of content that are in memory at a time, and in one transaction of an import."""

T = TypeVar("T")
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a listing. path: from SYSVOL's root."""

    path: str
    folder: bool
    size: int
    attributes: int
    created: int
    written: int
    sddl: str


@dataclass(slots=True)
class Carried:
    """What an export or import did, or would do."""

    folders: int = 0
    files: int = 0
    octets: int = 0
    made: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def ready(directory: Directory) -> None:
    """Give a forest of an earlier version, which nobody has served since, its SYSVOL."""
    if directory.read_now("sysvol", SYSTEM, sysvol.root) is None:
        directory.write_now("sysvol", SYSTEM, provision_sysvol.step)


def _listed(ctx: ReadContext, path: Names, row: FileRow) -> Listed:
    sid = ctx.forest.domain_sid
    text = sddl.format(sysvol.descriptor(ctx, row.node), sid, sid)
    return Listed(
        "/".join(path), sysvol.is_folder(row), row.size, row.attributes, row.created_ft, row.written_ft, text
    )


def listing(directory: Directory, path: str, *, recursive: bool = False) -> list[Listed]:
    """What a folder holds, or one file."""
    names = sysvol_paths.split(path)

    def work(ctx: ReadContext) -> list[Listed]:
        top = sysvol.resolve(ctx, names)
        if not sysvol.is_folder(top):
            return [_listed(ctx, names, top)]
        if recursive:
            walked = sysvol_paths.walk(ctx, top, names)
            return [_listed(ctx, where, row) for where, row in walked if row.node != top.node]
        below = sysvol.children(ctx, top.node)
        return [_listed(ctx, (*names, sysvol.name_of(row)), row) for row in below]

    return _asked(directory, work)


def _asked(directory: Directory, work: Callable[[ReadContext], T]) -> T:
    try:
        return directory.read_now("sysvol", SYSTEM, work)
    except NtError as error:
        raise refused(error) from error


def pieces(directory: Directory, path: str) -> Iterator[bytes]:
    """A file's content, piece by piece."""
    names = sysvol_paths.split(path)
    row = _asked(directory, lambda ctx: sysvol.resolve(ctx, names))
    offset = 0
    while data := _asked(directory, lambda ctx, at=offset: sysvol.read(ctx, row.node, at, _PIECE)):  # type: ignore[misc]
        yield data
        offset += len(data)


# --- export ------------------------------------------------------------------------------------------------


def export(directory: Directory, folder: Path, path: str = "", *, dry_run: bool = False) -> Carried:
    """Write a tree of SYSVOL into a folder of the host that is empty or not there yet."""
    top = sysvol_paths.split(path)
    found = listing(directory, path, recursive=True)
    done = Carried(sum(one.folder for one in found), sum(not one.folder for one in found))
    done.octets = sum(one.size for one in found)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is not an empty folder. Next step: name another one")
    if dry_run:
        return done
    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        target = folder.joinpath(*_host_names(sysvol_paths.split(one.path)[len(top) :]))
        if one.folder:
            target.mkdir()
            continue
        with target.open("xb") as out:
            for data in pieces(directory, one.path):
                out.write(data)
    entries = [_entry(one, len(top)) for one in found]
    sidecar = {"format": _FORMAT, "from": path, "entries": entries}
    (folder / SIDECAR).write_text(json.dumps(sidecar, indent=1) + "\n", encoding="utf-8")
    return done


def _host_names(names: Names) -> list[str]:
    """Names for the host; a lone half of a pair has no UTF-8 and stays out of sight."""
    for name in names:
        if not name.isascii() and name.encode("utf-8", "replace").decode() != name:
            raise UserError(f"{name!r} has no name on this host. Next step: rename it")
    return list(names)


def _entry(one: Listed, depth: int) -> dict[str, object]:
    path = "/".join(sysvol_paths.split(one.path)[depth:])
    return {
        "path": path, "sddl": one.sddl, "attributes": one.attributes,
        "created": one.created, "written": one.written,
    }  # fmt: skip


# --- import ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Source:
    """Something to be carried into SYSVOL. path: from its root. host: where it lies; None for a folder."""

    path: Names
    host: Path | None
    size: int
    facts: Mapping[str, object] | None


def import_tree(
    directory: Directory, folder: Path, path: str = "", *, mirror: bool = False, dry_run: bool = False
) -> Carried:
    """Bring a folder of the host into SYSVOL; what is there already and the same is left alone.

    mirror: what the folder does not have goes away in SYSVOL. Descriptors, attributes and times come from
    the folder's own file where there is one; what it does not name inherits.
    Each batch of at most 8 MiB of content, and each larger file, is one transaction.
    """
    top = sysvol_paths.split(path)
    sources = _sources(folder, top)
    done = Carried(sum(one.host is None for one in sources), sum(one.host is not None for one in sources))
    done.octets = sum(one.size for one in sources)
    if done.octets > limits.SYSVOL_TOTAL_MAX:
        raise UserError(f"{folder} holds more than SYSVOL may. Next step: import less of it")
    if top:
        change(directory, "sysvol.import", lambda ctx: sysvol_paths.put_folder(ctx, top), dry_run=dry_run)
    if dry_run:
        _foresee(directory, sources, done)
    else:
        for batch in _batches(sources):
            _carry(directory, batch, done)
    if mirror:
        kept = {_same(one.path) for one in sources}
        done.removed = change(
            directory, "sysvol.import", lambda ctx: _remove_others(ctx, top, kept), dry_run=dry_run
        )
    return done


def _same(path: Names) -> Names:
    return tuple(file_names.upcase(name) for name in path)


def _sources(folder: Path, top: Names) -> list[_Source]:
    """What a folder of the host holds, folders before what they hold; links are not followed."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder. Next step: name one that addc sysvol export made")
    facts = _sidecar(folder)
    found: list[_Source] = []
    todo: list[tuple[Path, Names]] = [(folder, ())]
    while todo:
        place, names = todo.pop()
        for one in sorted(os.scandir(place), key=lambda each: each.name):
            path = (*names, one.name)
            if path == (SIDECAR,):
                continue
            if not file_names.is_valid(one.name):
                raise UserError(f"{one.path}: no file can have this name. Next step: rename it")
            mode = one.stat(follow_symlinks=False).st_mode
            known = facts.get(_same(path))
            if stat.S_ISDIR(mode):
                found.append(_Source((*top, *path), None, 0, known))
                todo.append((Path(one.path), path))
            elif stat.S_ISREG(mode):
                size = one.stat(follow_symlinks=False).st_size
                found.append(_Source((*top, *path), Path(one.path), size, known))
            else:
                raise UserError(f"{one.path} is neither a file nor a folder. Next step: take it away")
    return sorted(found, key=lambda one: len(one.path))


def _sidecar(folder: Path) -> dict[Names, Mapping[str, object]]:
    place = folder / SIDECAR
    if not place.exists():
        return {}
    try:
        read = json.loads(place.read_text(encoding="utf-8"))
        if read["format"] != _FORMAT:
            raise UserError(f"{place} is of another version. Next step: use the program that made it")
        return {_same(sysvol_paths.split(str(one["path"]))): one for one in read["entries"]}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{place} cannot be read: {error}. Next step: export again, or delete it") from error


def _batches(sources: list[_Source]) -> Iterator[list[_Source]]:
    batch: list[_Source] = []
    size = 0
    for one in sources:
        if batch and (size + one.size > _PIECE or len(batch) >= 500):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.size
    if batch:
        yield batch


def _foresee(directory: Directory, sources: list[_Source], done: Carried) -> None:
    for one in sources:
        row = directory.read_now("sysvol", SYSTEM, lambda ctx, one=one: sysvol.find(ctx, one.path))  # type: ignore[misc]
        if row is None:
            done.made.append("/".join(one.path))
        elif one.host is not None and not _is_same(directory, row, one):
            done.changed.append("/".join(one.path))


def _is_same(directory: Directory, row: FileRow, one: _Source) -> bool:
    assert one.host is not None
    if row.size != one.size or sysvol.is_folder(row):
        return False
    with one.host.open("rb") as source:
        offset = 0
        while data := source.read(_PIECE):
            held = directory.read_now(
                "sysvol",
                SYSTEM,
                lambda ctx, at=offset, held=data: sysvol.read(ctx, row.node, at, len(held)),  # type: ignore[misc]
            )
            if held != data:
                return False
            offset += len(data)
    return True


def _carry(directory: Directory, batch: list[_Source], done: Carried) -> None:
    """One batch; content is read before the writer is entered, that of a large file piece by piece."""
    if len(batch) == 1 and batch[0].size > _PIECE:
        _carry_large(directory, batch[0], done)
        return
    content = {one.path: one.host.read_bytes() for one in batch if one.host is not None}

    def work(ctx: WriteContext) -> tuple[list[str], list[str]]:
        made, changed = [], []
        for one in batch:
            before = sysvol.find(ctx, one.path)
            name = "/".join(one.path)
            if one.host is None:
                row = sysvol_paths.put_folder(ctx, one.path)
                touched = before is None
            else:
                data = content[one.path]
                touched = before is None or sysvol_paths.get_file(ctx, one.path) != data
                row = sysvol_paths.put_file(ctx, one.path, data) if touched else sysvol.resolve(ctx, one.path)
            secured = _tell(ctx, row, one)
            if before is None:
                made.append(name)
            elif touched or secured:
                changed.append(name)
        return made, changed

    made, changed = change(directory, "sysvol.import", work)
    done.made += made
    done.changed += changed


def _carry_large(directory: Directory, one: _Source, done: Carried) -> None:
    """A file whose content does not fit into one transaction: a new one beside it, then in its place."""
    assert one.host is not None
    name = "/".join(one.path)
    before = directory.read_now("sysvol", SYSTEM, lambda ctx: sysvol.find(ctx, one.path))
    if before is not None and _is_same(directory, before, one):
        change(directory, "sysvol.import", lambda ctx: _tell(ctx, before, one))
        return
    place = (*one.path[:-1], f"{one.path[-1][:200]}.addc-import")
    row = change(directory, "sysvol.import", lambda ctx: sysvol_paths.put_file(ctx, place, b""))
    with one.host.open("rb") as source:
        offset = 0
        while data := source.read(_PIECE):
            change(
                directory,
                "sysvol.import",
                lambda ctx, at=offset, piece=data: sysvol.write(ctx, row.node, at, piece),  # type: ignore[misc]
            )
            offset += len(data)

    def finish(ctx: WriteContext) -> None:
        if before is not None:
            sysvol.set_descriptor(ctx, row.node, sysvol.descriptor(ctx, before.node))
        sysvol.rename(ctx, row.node, row.parent, one.path[-1], replace=True)
        _tell(ctx, sysvol.get(ctx, row.node), one)

    change(directory, "sysvol.import", finish)
    (done.made if before is None else done.changed).append(name)


def _tell(ctx: WriteContext, row: FileRow, one: _Source) -> bool:
    """Give a row the descriptor, attributes and times that the sidecar has; whether anything changed."""
    if one.facts is None:
        return False
    before = sysvol.get(ctx, row.node)
    sysvol.set_descriptor(ctx, row.node, _descriptor(ctx, str(one.facts["sddl"]), one.path))
    wanted = Basics(
        _number(one.facts, "attributes"), created_ft=_number(one.facts, "created"),
        written_ft=_number(one.facts, "written"),
    )  # fmt: skip
    held = Basics(before.attributes, created_ft=before.created_ft, written_ft=before.written_ft)
    if wanted != held:
        sysvol.set_basic(ctx, row.node, wanted)
    return sysvol.get(ctx, row.node).version != before.version


def _number(facts: Mapping[str, object], name: str) -> int | None:
    value = facts.get(name)
    return value if isinstance(value, int) else None


def _descriptor(ctx: ReadContext, text: str, path: Names) -> SecurityDescriptor:
    sid = ctx.forest.domain_sid
    try:
        return sddl.parse(text, sid, sid)
    except (DsError, DecodeError) as error:
        raise UserError(
            f"The descriptor of {'/'.join(path)} cannot be read: {error}. Next step: mend {SIDECAR}"
        ) from error


def _remove_others(ctx: WriteContext, top: Names, kept: set[Names]) -> list[str]:
    root = sysvol.find(ctx, top)
    if root is None:
        return []
    gone = []
    for path, row in reversed(list(sysvol_paths.walk(ctx, root, top))):
        if row.node != root.node and _same(path) not in kept:
            sysvol.remove(ctx, row.node)
            gone.append("/".join(path))
    return gone
