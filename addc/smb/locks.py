"""Byte-range locks of one file, and the requests that wait for them.

Spec: [MS-FSA] 2.1.4.10, 2.1.5.8, 2.1.5.9; [MS-SMB2] 3.3.5.14.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

LOCKS_PER_FILE_MAX: Final = 65_536
END_OF_RANGES: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class Lock:
    """A range that one open has locked."""

    offset: int
    length: int
    exclusive: bool
    owner: Hashable

    def overlaps(self, offset: int, length: int) -> bool:
        """Whether they share an octet; an empty range lies between octets, and {0, 0} nowhere."""
        if (not offset and not length) or (not self.offset and not self.length):
            return False
        return offset <= self.offset + self.length - 1 and offset + length - 1 >= self.offset


def is_range(offset: int, length: int) -> bool:
    """Whether a range ends within 64 bits ([MS-FSA] 2.1.5.8)."""
    return not length or offset + length - 1 < END_OF_RANGES


class Locks:
    """All locks of one file, in the order they were taken."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: list[Lock] = []

    def __bool__(self) -> bool:
        return bool(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def refused(self, wanted: Lock) -> Lock | None:
        """The lock that stands in the way of a new one."""
        for held in self._held:
            if held.overlaps(wanted.offset, wanted.length):
                if held.exclusive and (wanted.exclusive or held.owner != wanted.owner):
                    return held
                if wanted.exclusive:
                    return held
        return None

    def take(self, wanted: Lock) -> bool:
        """Add a lock; False if another stands in its way."""
        if self.refused(wanted) is not None:
            return False
        self._held.append(wanted)
        return True

    @property
    def is_full(self) -> bool:
        return len(self._held) >= LOCKS_PER_FILE_MAX

    def release(self, offset: int, length: int, owner: Hashable) -> bool:
        """Give back one lock on exactly this range: an exclusive one first, then the oldest shared one."""
        found: Lock | None = None
        for held in self._held:
            if held.offset == offset and held.length == length and held.owner == owner:
                if held.exclusive:
                    found = held
                    break
                found = found or held
        if found is None:
            return False
        self._held.remove(found)
        return True

    def drop(self, owner: Hashable) -> bool:
        """Give back everything that one open holds; whether there was anything."""
        kept = [held for held in self._held if held.owner != owner]
        dropped = len(kept) != len(self._held)
        self._held = kept
        return dropped

    def owned(self, owner: Hashable) -> int:
        return sum(held.owner == owner for held in self._held)

    def blocks(self, offset: int, length: int, owner: Hashable, *, writes: bool) -> bool:
        """Whether a read or a write of `owner` meets a lock that forbids it.

        Others' exclusive locks forbid both; a shared lock forbids writes, its owner's too.
        """
        if not self._held or not length:
            return False
        for held in self._held:
            if held.overlaps(offset, length) and (
                (held.exclusive and held.owner != owner) or (writes and not held.exclusive)
            ):
                return True
        return False


class LockSequences:
    """What a client may have asked already, on another channel or before it was cut off.

    Spec: [MS-SMB2] 3.3.5.14 (Open.LockSequenceArray).
    """

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}

    def is_replay(self, sequence: int) -> bool:
        """Whether this very request succeeded before; one with another number is forgotten."""
        index, number = sequence >> 4, sequence & 0xF
        if not 1 <= index <= 64:
            return False
        if self._seen.get(index) == number:
            return True
        self._seen.pop(index, None)
        return False

    def done(self, sequence: int) -> None:
        index = sequence >> 4
        if 1 <= index <= 64:
            self._seen[index] = sequence & 0xF
