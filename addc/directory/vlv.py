"""Virtual list views: which window of a sorted result a request asks for.

Spec: [MS-ADTS] 3.1.1.3.4.1.17.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from addc.codes.ldap_result import LdapResult
from addc.directory.controls import ListView

_SEQ: Final = 8


class ViewOutcome(NamedTuple):
    """The response to a list view. target_position: from 1. context_id: for the next request."""

    result: LdapResult
    target_position: int = 0
    content_count: int = 0
    context_id: bytes | None = None


class Window(NamedTuple):
    """Places of a sorted result, from 0: the first to return, and the one behind the last."""

    start: int
    end: int


def wrong_offset(view: ListView) -> bool:
    """Whether a position makes no sense: none at all in a list that is said to have some."""
    return view.value is None and view.offset == 0 and view.content_count != 0


def target_of_offset(view: ListView, count: int) -> int:
    """The place, from 1, that offset and content count mean in a list of `count` objects.

    The two are a fraction: 1 of n is the first object and n of n the last, also where the client's n is not
    the list's. Without a content count the offset is the place itself.
    """
    offset, total = view.offset, view.content_count
    if count == 0:
        return 0
    if total == 0:
        return min(offset, count) if offset else count
    if total == 1:
        return count if offset == 1 else 1
    return 1 + round((count - 1) * (min(offset, total) - 1) / (total - 1))


def target_of_value(count: int, key_at: Callable[[int], bytes | None], wanted: bytes, reverse: bool) -> int:
    """The place, from 1, of the first object at or behind a value in the order; count + 1 if there is none.

    key_at: the sort key of the object at a place from 0; None if it has gone.
    """
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        there, key = middle, key_at(middle)
        while key is None and there + 1 < high:
            there += 1
            key = key_at(there)
        if key is None or (key <= wanted if reverse else key >= wanted):
            high = middle
        else:
            low = there + 1
    return low + 1


def window(view: ListView, target: int, count: int) -> Window:
    """The places to return around a target."""
    if count == 0:
        return Window(0, 0)
    return Window(max(target - 1 - view.before, 0), min(target + view.after, count))


def context_id(list_hash: bytes, seq: int) -> bytes:
    """What a client sends with its next request over the list. seq: the commit that the list was made at."""
    return list_hash + seq.to_bytes(_SEQ, "big")


def seq_of(context: bytes, list_hash: bytes) -> int | None:
    """The commit that a context's list was made at; None for a context of another list."""
    if len(context) != len(list_hash) + _SEQ or not context.startswith(list_hash):
        return None
    return int.from_bytes(context[-_SEQ:], "big")
