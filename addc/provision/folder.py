"""A data folder that appears whole or not at all.

It is built beside its place (inside it, where it is a mount point) under a name of its own, made durable, and
then renamed. What a killed run left is recognised by its name and the missing lock; the next run removes it.

Spec: POSIX
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from addc.base.errors import UserError

PRIVATE: Final = 0o600
PUBLIC: Final = 0o644
_FOLDER_MODE: Final = 0o755

_MARK: Final = ".addc-new-"
_MOVING: Final = ".moving"
_IGNORED: Final = frozenset({"lost+found"})


class NewFolder:
    """A folder under construction; `commit` puts it in its place.

    path: where its files are until then. place: where they will be.
    """

    def __init__(self, path: Path, place: Path) -> None:
        self.path = path
        self.place = place
        self._last: str | None = None

    @property
    def is_committed(self) -> bool:
        """Whether it is in its place; true from the very rename on, whatever interrupts what follows."""
        return self._last is not None and (self.place / self._last).exists()

    def write(self, name: str, content: bytes, mode: int = PUBLIC) -> Path:
        """A durable file; its parent folders are made as needed."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        return path

    def commit(self, last: str) -> None:
        """Put everything in its place; `last` is the file whose presence says that a forest is there."""
        for folder, _, _ in os.walk(self.path):
            _sync(Path(folder))
        self._last = last
        if self.path.parent == self.place:
            self._move_up(last)
        else:
            os.rename(self.path, self.place)
            _sync(self.place.parent)

    def _move_up(self, last: str) -> None:
        names = sorted(os.listdir(self.path), key=lambda name: name == last)
        self.write(_MOVING, json.dumps(names).encode())
        _sync(self.path)
        for name in names:
            os.rename(self.path / name, self.place / name)
        _sync(self.place)
        shutil.rmtree(self.path)


def refuse_if_taken(place: Path) -> None:
    """UserError if the folder holds anything that a new forest would lie over."""
    if not place.exists():
        return
    if not place.is_dir():
        raise UserError(f"{place} is not a folder. Next step: name another one with --data-dir")
    _sweep(place, place)
    held = sorted(name for name in os.listdir(place) if name not in _IGNORED)
    if held:
        raise UserError(
            f"{place} is not empty and will not be overwritten: it holds {', '.join(held[:4])}"
            f"{' and more' if len(held) > 4 else ''}. "
            "Next step: name another folder with --data-dir, or move that one away"
        )


@contextmanager
def new_folder(place: Path) -> Iterator[NewFolder]:
    """A folder to fill and commit; if the block ends without a commit, nothing of it stays."""
    place = place.absolute()
    refuse_if_taken(place)
    parent = _building_place(place)
    try:
        path = Path(tempfile.mkdtemp(prefix=_MARK, dir=parent))
    except OSError as error:
        raise UserError(
            f"{place} cannot be made: {error.strerror} in {parent}. "
            "Next step: run as a user who may write there, or name another folder with --data-dir"
        ) from error
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        folder = NewFolder(path, place)
        path.chmod(_FOLDER_MODE)
        try:
            yield folder
        finally:
            if not folder.is_committed:
                _remove(path, place)
    finally:
        os.close(descriptor)


def _building_place(place: Path) -> Path:
    """The parent, so that one rename is enough; the folder itself if it cannot be replaced."""
    if place.is_dir() and (
        os.path.ismount(place) or bool(os.listdir(place)) or not os.access(place.parent, os.W_OK)
    ):
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{place.parent} cannot be made: {error.strerror}. Next step: name another folder with --data-dir"
        ) from error
    _sweep(place.parent, place)
    return place.parent


def _sweep(parent: Path, place: Path) -> None:
    """Remove what killed runs left: marked folders that nobody holds a lock on."""
    for path in parent.glob(_MARK + "*"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(path, place)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)


def _remove(path: Path, place: Path) -> None:
    """Remove a folder under construction, and what of it was moved into place, unless all of it was."""
    moving = path / _MOVING
    if path.parent == place and moving.exists():
        names = json.loads(moving.read_bytes())
        is_whole = (place / names[-1]).exists()
        for name in () if is_whole else names:
            moved = place / name
            if moved.is_dir() and not moved.is_symlink():
                shutil.rmtree(moved)
            else:
                moved.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
