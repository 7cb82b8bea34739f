"""Changes that commands make to an open forest as the domain itself: done, or only tried."""

from collections.abc import Callable
from typing import TypeVar

from addc.base.errors import DsError, NtError, UserError
from addc.codes.ntstatus import NtStatus
from addc.directory.api import Directory
from addc.directory.context import WriteContext
from addc.security.token import SYSTEM

T = TypeVar("T")


class _TriedError(Exception):
    """Takes a change back that was only to be tried; holds what it gave."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


def change(directory: Directory, name: str, work: Callable[[WriteContext], T], *, dry_run: bool = False) -> T:
    """Run a change as one transaction, or try it and keep nothing; what is refused is a person's error."""

    def tried(ctx: WriteContext) -> T:
        value = work(ctx)
        if dry_run:
            raise _TriedError(value)
        return value

    try:
        return directory.write_now(name, SYSTEM, tried)
    except _TriedError as tried_out:
        return tried_out.value  # type: ignore[return-value]
    except DsError as error:
        raise UserError(
            f"Refused: {error.detail or error}. Next step: see to that, then try again"
        ) from error
    except NtError as error:
        raise refused(error) from error


def refused(error: NtError) -> UserError:
    """What a file that cannot be made, read or changed means to a person."""
    known = {
        NtStatus.STATUS_OBJECT_NAME_NOT_FOUND: "There is no such file or folder",
        NtStatus.STATUS_OBJECT_PATH_NOT_FOUND: "There is no such folder",
        NtStatus.STATUS_OBJECT_NAME_INVALID: "No file or folder can have this name",
        NtStatus.STATUS_NOT_A_DIRECTORY: "That is a file, not a folder",
        NtStatus.STATUS_FILE_IS_A_DIRECTORY: "That is a folder, not a file",
        NtStatus.STATUS_DISK_FULL: "SYSVOL has reached its limit",
    }
    why = known.get(NtStatus(error.status), f"Refused with {NtStatus(error.status)!r}")
    return UserError(
        f"{why}{': ' + error.detail if error.detail else ''}. Next step: addc sysvol ls tells what is there"
    )
