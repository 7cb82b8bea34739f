"""A folder of the host, walked name by name so that nothing leads out of it.

Every step opens one name relative to the folder before it and follows no symbolic link; links, devices and
names that SMB cannot say are as if they were not there. All of this blocks: it is for threads.

Spec: [MS-FSCC] 2.1.5, [MS-FSA] 2.1.5.1 phase 6.
"""

import errno
import os
import stat
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from addc.base.errors import NtError
from addc.codec.file_names import is_valid, upcase
from addc.codes.ntstatus import NtStatus

_WALK: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LISTINGS_MAX: Final = 256
"""Folders whose names are kept for comparing without case."""

_STATUS: Final = {
    errno.ENOENT: NtStatus.STATUS_OBJECT_NAME_NOT_FOUND,
    errno.ENOTDIR: NtStatus.STATUS_NOT_A_DIRECTORY,
    errno.EISDIR: NtStatus.STATUS_FILE_IS_A_DIRECTORY,
    errno.EEXIST: NtStatus.STATUS_OBJECT_NAME_COLLISION,
    errno.ENOTEMPTY: NtStatus.STATUS_DIRECTORY_NOT_EMPTY,
    errno.ENOSPC: NtStatus.STATUS_DISK_FULL,
    errno.EDQUOT: NtStatus.STATUS_DISK_FULL,
    errno.EFBIG: NtStatus.STATUS_DISK_FULL,
    errno.EROFS: NtStatus.STATUS_MEDIA_WRITE_PROTECTED,
    errno.EXDEV: NtStatus.STATUS_NOT_SAME_DEVICE,
    errno.ENAMETOOLONG: NtStatus.STATUS_OBJECT_NAME_INVALID,
    errno.ELOOP: NtStatus.STATUS_OBJECT_NAME_NOT_FOUND,
    errno.EMFILE: NtStatus.STATUS_INSUFFICIENT_RESOURCES,
    errno.ENFILE: NtStatus.STATUS_INSUFFICIENT_RESOURCES,
    errno.EINVAL: NtStatus.STATUS_INVALID_PARAMETER,
}


def refusal(error: OSError) -> NtError:
    """What the host's refusal is called in SMB; whatever else it says is a denial."""
    return NtError(
        _STATUS.get(error.errno or 0, NtStatus.STATUS_ACCESS_DENIED), os.strerror(error.errno or 0)
    )


@contextmanager
def told_as_status() -> Iterator[None]:
    """Let the host's refusals come out as NtError."""
    try:
        yield
    except OSError as error:
        raise refusal(error) from None


def is_shown(mode: int) -> bool:
    """Whether SMB shows such a thing: files and folders alone."""
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


class HostTree:
    """One folder and everything below it."""

    def __init__(self, root: str) -> None:
        """Raises OSError if there is no such folder."""
        self._root = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._device = os.fstat(self._root).st_dev
        self._listings: OrderedDict[tuple[int, int], tuple[int, dict[str, str]]] = OrderedDict()

    def close(self) -> None:
        os.close(self._root)

    def id_of(self, found: os.stat_result) -> int:
        """The number of a file: its inode, told apart from those of other file systems below."""
        if found.st_dev == self._device:
            return found.st_ino
        return (found.st_ino + found.st_dev * 0x9E37_79B9_7F4A_7C15) & 0xFFFF_FFFF_FFFF_FFFF

    def space(self) -> tuple[int, int]:
        """Octets in all, and those that are free."""
        with told_as_status():
            found = os.statvfs(self._root)
        return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize

    @contextmanager
    def folder(self, path: Sequence[str]) -> Iterator[int]:
        """A descriptor of the folder with these real names, for use inside the block."""
        at, opened = self._root, -1
        try:
            for name in path:
                below = os.open(name, _WALK, dir_fd=at)
                if opened >= 0:
                    os.close(opened)
                at = opened = below
            yield at
        finally:
            if opened >= 0:
                os.close(opened)

    def real_name(self, folder: int, name: str) -> str | None:
        """How a name is really written in a folder; None if there is none of it."""
        try:
            if is_shown(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                return name
        except FileNotFoundError:
            pass
        except ValueError:
            return None
        return self._names(folder).get(upcase(name))

    def _names(self, folder: int) -> dict[str, str]:
        """Names of a folder by their compared form, remembered until the folder changes."""
        found = os.fstat(folder)
        key = (found.st_dev, found.st_ino)
        known = self._listings.get(key)
        if known is not None and known[0] == found.st_mtime_ns:
            return known[1]
        names = self._listed(folder)
        self._listings[key] = (found.st_mtime_ns, names)
        while len(self._listings) > _LISTINGS_MAX:
            self._listings.popitem(last=False)
        return names

    def _listed(self, folder: int) -> dict[str, str]:
        with told_as_status():
            handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
            try:
                with os.scandir(handle) as entries:
                    shown = [entry.name for entry in entries if _can_say(entry.name) and _is_shown(entry)]
            finally:
                os.close(handle)
        names: dict[str, str] = {}
        for name in sorted(shown):
            names.setdefault(upcase(name), name)
        return names

    @contextmanager
    def change(self, folder: int, *, come: str = "", gone: str = "") -> Iterator[None]:
        """Around a change of ours in a folder: what is remembered of it stays right, however much it is.

        Not so if somebody else was there meanwhile: then it is read again.
        """
        before = os.fstat(folder)
        yield
        key = (before.st_dev, before.st_ino)
        known = self._listings.get(key)
        if known is None:
            return
        if known[0] != before.st_mtime_ns:
            self._listings.pop(key, None)
            return
        names = known[1]
        if gone and names.get(upcase(gone)) == gone:
            del names[upcase(gone)]
        if come:
            names.setdefault(upcase(come), come)
        self._listings[key] = (os.fstat(folder).st_mtime_ns, names)

    def entries(self, folder: int) -> list[tuple[str, os.stat_result]]:
        """What SMB shows of a folder, by name."""
        found = []
        with told_as_status():
            handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
            try:
                with os.scandir(handle) as entries:
                    for entry in entries:
                        if not _can_say(entry.name):
                            continue
                        try:
                            facts = entry.stat(follow_symlinks=False)
                        except FileNotFoundError:
                            continue
                        if is_shown(facts.st_mode):
                            found.append((entry.name, facts))
            finally:
                os.close(handle)
        return sorted(found, key=lambda one: one[0])

    def find(self, path: Sequence[str]) -> list[tuple[str, os.stat_result]]:
        """The real name and the facts of the root and of each name of a path.

        Raises NtError: STATUS_OBJECT_NAME_NOT_FOUND if only the last name is missing, else PATH_NOT_FOUND.
        """
        found = [("", os.fstat(self._root))]
        at, opened = self._root, -1
        try:
            for depth, asked in enumerate(path):
                last = depth == len(path) - 1
                missing = (
                    NtStatus.STATUS_OBJECT_NAME_NOT_FOUND if last else NtStatus.STATUS_OBJECT_PATH_NOT_FOUND
                )
                if not stat.S_ISDIR(found[-1][1].st_mode):
                    raise NtError(NtStatus.STATUS_OBJECT_PATH_NOT_FOUND)
                name = self.real_name(at, asked)
                if name is None:
                    raise NtError(missing)
                facts = os.stat(name, dir_fd=at, follow_symlinks=False)
                if not is_shown(facts.st_mode):
                    raise NtError(missing)
                found.append((name, facts))
                if not last and stat.S_ISDIR(facts.st_mode):
                    below = os.open(name, _WALK, dir_fd=at)
                    if opened >= 0:
                        os.close(opened)
                    at = opened = below
        except OSError as error:
            raise refusal(error) from None
        finally:
            if opened >= 0:
                os.close(opened)
        return found


def _is_shown(entry: "os.DirEntry[str]") -> bool:
    return entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)


def _can_say(name: str) -> bool:
    """Whether a name of the host is one that SMB clients can use; octets that are no UTF-8 are none."""
    return is_valid(name) and not any("\udc80" <= char <= "\udcff" for char in name)
