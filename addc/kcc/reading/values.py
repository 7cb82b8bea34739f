"""Single values of entries, whatever state they are in: what is wrong with one is noted, and a stand-in used.

Spec: [MS-ADTS] 6.1.1.2.2, 6.1.4.5 (SCHEDULE)
"""

from enum import IntFlag
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple, TypeVar

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.schedule import Quarters, unpack_schedule
from addc.codec.times import parse_generalized
from addc.kcc.reading.dn_keys import guid_bytes, guid_in, key_of
from addc.kcc.reading.entries import SPELLED, RawEntry
from addc.kcc.snapshot import NO_TIME, Trouble

_DIGITS_MAX: Final = 19
_WORD: Final = 0xFFFF_FFFF
_NO_GUID: Final = bytes(16)
_SHOWN_MAX: Final = 40
_TOLD_MAX: Final = 400
TROUBLES_MAX: Final = 10_000
"""So many are told one by one; the others are counted."""

F = TypeVar("F", bound=IntFlag)


class Range(NamedTuple):
    """What a number may be, what it is where nobody says, and its unit for people."""

    default: int
    low: int
    high: int


class Reader:
    """Reads values and notes troubles. Equal schedules, times and DNs are read once."""

    __slots__ = ("_guids", "_keys", "_more", "_times", "_weeks", "troubles")

    def __init__(self) -> None:
        self.troubles: list[Trouble] = []
        self._more = 0
        self._keys: dict[bytes, str] = {}
        self._weeks: dict[bytes, Quarters | None] = {}
        self._times: dict[bytes, FileTime | None] = {}
        self._guids: set[bytes] = set()

    def note(self, dn: str, what: str, then: str) -> None:
        if len(self.troubles) >= TROUBLES_MAX:
            self._more += 1
            return
        self.troubles.append(Trouble(dn, what if len(what) <= _TOLD_MAX else what[:_TOLD_MAX] + "...", then))

    def all_troubles(self) -> tuple[Trouble, ...]:
        """What was noted, with the number of those that were too many to keep."""
        if not self._more:
            return tuple(self.troubles)
        what = f"{self._more:,} more things are wrong than are told here"
        return (*self.troubles, Trouble("", what, "for each a stand-in was found"))

    def key(self, value: bytes) -> str:
        """The key of a DN among the values."""
        found = self._keys.get(value)
        if found is None:
            found = self._keys[value] = key_of(value.decode("utf-8", "replace"))
        return found

    def single(self, entry: RawEntry, name: str) -> bytes | None:
        """The value of an attribute that has one."""
        found = entry.values.get(name)
        if not found:
            return None
        if len(found) > 1 and any(one != found[0] for one in found):
            self.note(entry.dn, f"{SPELLED[name]} has {len(found)} values", "the first one counts")
        return found[0]

    def number(self, entry: RawEntry, name: str, fits: Range) -> int:
        """A number inside a range: one outside counts as the nearest inside."""
        found = self.single(entry, name)
        if found is None:
            return fits.default
        number = _number(found)
        if number is None:
            self.note(entry.dn, f"{SPELLED[name]} is no number: {shown(found)}", f"{fits.default} stands in")
            return fits.default
        inside = min(max(number, fits.low), fits.high)
        if inside != number:
            told = f"{SPELLED[name]} is {number}, which is not from {fits.low} to {fits.high}"
            self.note(entry.dn, told, f"{inside} stands in")
        return inside

    def options(self, entry: RawEntry, kind: type[F]) -> F:
        """The bits of options; none where there is no value."""
        found = self.single(entry, "options")
        if found is None:
            return _flags(kind, 0)
        number = _number(found)
        if number is None:
            self.note(entry.dn, f"options is no number: {shown(found)}", "no option counts as set")
            return _flags(kind, 0)
        return _flags(kind, number & _WORD)

    def truth(self, entry: RawEntry, name: str) -> bool | None:
        """A Boolean; None where there is no value, or none that is one."""
        found = self.single(entry, name)
        if found is None:
            return None
        word = found.upper()
        if word not in (b"TRUE", b"FALSE"):
            what = f"{SPELLED[name]} is neither TRUE nor FALSE: {shown(found)}"
            self.note(entry.dn, what, "it counts as not set")
            return None
        return word == b"TRUE"

    def week(self, entry: RawEntry, then: str) -> Quarters | None:
        """The schedule; None where there is none that can be read. then: how the plan goes on without."""
        found = self.single(entry, "schedule")
        if found is None:
            return None
        if found not in self._weeks:
            try:
                self._weeks[found] = unpack_schedule(found)
            except DecodeError:
                self._weeks[found] = None
        week = self._weeks[found]
        if week is None:
            self.note(entry.dn, f"the schedule ({len(found)} bytes) cannot be read", then)
        return week

    def time(self, entry: RawEntry, name: str) -> FileTime:
        """A time; NO_TIME where there is none that can be read."""
        found = self.single(entry, name)
        if found is None:
            return NO_TIME
        if found not in self._times:
            try:
                self._times[found] = parse_generalized(found)
            except DecodeError:
                self._times[found] = None
        when = self._times[found]
        if when is None:
            self.note(entry.dn, f"{SPELLED[name]} is no time: {shown(found)}", "it counts as unknown")
            return NO_TIME
        return when

    def guid(self, entry: RawEntry) -> bytes:
        """The stored bytes of objectGUID, different for every object: it decides ties and places.

        One made from the DN stands in for one that is missing, bad, or another object's too.
        """
        found = self.single(entry, "objectguid")
        guid = guid_in(entry.dn) if found is None else guid_bytes(found)
        if guid is not None and guid != _NO_GUID and guid not in self._guids:
            self._guids.add(guid)
            return guid
        if guid in self._guids:
            what = "objectGUID is that of another object"
        else:
            what = "objectGUID is missing" if found is None else "objectGUID is none"
        self.note(entry.dn, what, "one made from the name stands in; a DC may break ties otherwise")
        guid = made_guid(key_of(entry.dn))
        self._guids.add(guid)
        return guid


def made_guid(key: str) -> bytes:
    """Sixteen bytes for an object without a GUID of its own; always the same for the same name."""
    return blake2b(key.encode("utf-8", "replace"), digest_size=16, person=b"addc kcc guid").digest()


def shown(value: bytes) -> str:
    """A value inside a message."""
    text = value.decode("utf-8", "replace")
    return repr(text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "...")


def _number(value: bytes) -> int | None:
    digits = value[1:] if value[:1] == b"-" else value
    return int(value) if digits.isdigit() and len(digits) <= _DIGITS_MAX else None


@lru_cache(maxsize=4096)
def _member(kind: type[IntFlag], bits: int) -> IntFlag:
    return kind(bits)


def _flags(kind: type[F], bits: int) -> F:
    found = _member(kind, bits)
    assert isinstance(found, kind)
    return found
