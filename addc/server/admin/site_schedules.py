"""Stored schedules in words, however odd they are stored.

Spec: [MS-ADTS] 6.1.4.5.2
"""

from typing import Final

from addc.base.errors import DecodeError
from addc.codec.schedule import unpack_schedule
from addc.kcc.schedule_text import show_schedule, show_starts

_UNREADABLE: Final = "unreadable"


def window_words(stored: bytes | None) -> str:
    """When a link is open; without a schedule it always is."""
    if stored is None:
        return "always"
    try:
        return show_schedule(unpack_schedule(stored))
    except DecodeError:
        return _UNREADABLE


def start_words(stored: bytes | None, otherwise: str) -> str:
    """When DCs begin to ask each other. otherwise: what holds without a schedule."""
    if stored is None:
        return otherwise
    try:
        return show_starts(unpack_schedule(stored))
    except DecodeError:
        return _UNREADABLE
