"""Enumerations in pages, as the NetApi interfaces answer them.

Spec: [MS-SRVS] 3.1.4.1 (PreferedMaximumLength, TotalEntries, ResumeHandle).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from addc.codec.ndr import Ndr
from addc.codes.win32 import Win32

MAX_PREFERRED_LENGTH: Final = 0xFFFF_FFFF
ENTRIES_MAX: Final = 65_536


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
