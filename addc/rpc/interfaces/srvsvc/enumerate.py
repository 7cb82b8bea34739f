"""Enumerations in pages, and refusals of operations whose union has to say its level even then.

Spec: [MS-SRVS] 3.1.4.1 (PreferedMaximumLength, TotalEntries, ResumeHandle).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Final, Protocol, TypeVar

from addc.base.errors import DsError
from addc.codec.ndr import Ndr
from addc.codes.win32 import Win32
from addc.rpc.call import Call
from addc.rpc.file_server import FileServer

MAX_PREFERRED_LENGTH: Final = 0xFFFF_FFFF
ENTRIES_MAX: Final = 65_536

Q = TypeVar("Q", bound=Ndr)
R = TypeVar("R", bound=Ndr)


class Paged(Protocol):
    """What requests for enumerations have in common."""

    @property
    def prefered_maximum_length(self) -> int: ...

    @property
    def resume_handle(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Page:
    """Entries of one answer. total: those there are from where it started."""

    entries: tuple[Ndr, ...]
    total: int
    resume_handle: int | None
    status: Win32


def page(entries: Sequence[Ndr], request: Paged) -> Page:
    """As many entries as fit, from where the last answer ended; a resume handle is an index."""
    start = min(request.resume_handle or 0, len(entries))
    rest = entries[start:]
    room, count = request.prefered_maximum_length, 0
    if room == MAX_PREFERRED_LENGTH:
        count = min(len(rest), ENTRIES_MAX)
    else:
        for entry in rest[:ENTRIES_MAX]:
            room -= len(entry.pack())
            if room < 0:
                break
            count += 1
    resume = None if request.resume_handle is None else 0
    if count == len(rest):
        return Page(tuple(rest), len(rest), resume, Win32.NERR_Success)
    if resume is not None:
        resume = start + count
    status = Win32.ERROR_MORE_DATA if count else Win32.NERR_BufTooSmall
    return Page(tuple(rest[:count]), len(rest), resume, status)


Work = Callable[[Call, Q], Awaitable[R]]


def refusing(kind: type[Q], refuse: Callable[[Q, Win32], R]) -> Callable[[Work[Q, R]], Work[Q, R]]:
    """Refusals of an operation are made by `refuse`, because its [out] union must be of the level asked for.

    kind: what is asked.
    """

    def around(work: Work[Q, R]) -> Work[Q, R]:
        @wraps(work)
        async def answer(call: Call, request: Q) -> R:
            try:
                return await work(call, request)
            except DsError as error:
                return refuse(request, Win32(error.code))

        return answer

    return around


def file_server(call: Call) -> FileServer:
    """The SMB server. Raises DsError(ERROR_NOT_SUPPORTED) in a process without one."""
    if call.host.files is None:
        raise DsError(Win32.ERROR_NOT_SUPPORTED, "no SMB server here")
    return call.host.files
