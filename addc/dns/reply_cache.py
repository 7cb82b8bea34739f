"""Replies made before: found by the words of a question, forgotten when a name they depend on changes.

The words are the query without its id, the name in lower case, the options of EDNS left out. A query in just
these words is answered by one look-up; one spelled otherwise, or with options, is brought into this form
first.

Spec: RFC 1035 4.1, RFC 6891 6.1, RFC 4343
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from addc.codec.dns_names import Name
from addc.dns.answer import Answer
from addc.dns.rate_limit import Kind, Network
from addc.dns.reply import Frame

_HEADER: Final = 12
_FIXED: Final = 4
"""Octets of type and class."""
_OPT_HEAD: Final = b"\0\0\x29"
_OPT_SIZE: Final = 11
_LONGEST: Final = 600
"""Octets of a query that is worth a look."""


class Kept:
    """A reply. body: without its id; None where it differs from client to client or from time to time.

    bodies: by (subnet, turn), where the order of records differs. name_end: where the name of the question
    ends, in the whole message. networks: who may ask, None for all. kind, about: what it counts as.
    """

    __slots__ = (
        "about", "bodies", "body", "depends", "frame", "key", "kind", "name_end", "networks", "reply",
        "subnets", "turn", "turns",
    )  # fmt: skip

    def __init__(self, key: bytes, body: bytes | None, name_end: int) -> None:
        self.key = key
        self.body = body
        self.name_end = name_end
        self.reply: Answer | None = None
        self.frame: Frame | None = None
        self.bodies: dict[tuple[bytes, int], bytes] = {}
        self.subnets: frozenset[bytes] = frozenset()
        self.turn = 0
        self.turns = 1
        self.networks: tuple[Network, ...] | None = None
        self.kind = Kind.ANSWER
        self.about = b""
        self.depends: tuple[Name, ...] = ()


class ReplyCache:
    """Replies by words, and by the names they depend on; bounded, emptied where it is full."""

    def __init__(self, replies_max: int) -> None:
        self._max = replies_max
        self.by_words: dict[bytes, Kept] = {}
        self._by_name: dict[Name, set[Kept]] = {}

    def __len__(self) -> int:
        return len(self.by_words)

    def put(self, kept: Kept, depends: Iterable[Name]) -> None:
        if len(self.by_words) >= self._max:
            self.clear()
        before = self.by_words.get(kept.key)
        if before is not None:
            self._forget(before)
        kept.depends = tuple(depends)
        self.by_words[kept.key] = kept
        by_name = self._by_name
        for name in kept.depends:
            found = by_name.get(name)
            if found is None:
                by_name[name] = {kept}
            else:
                found.add(kept)

    def clear(self) -> None:
        self.by_words.clear()
        self._by_name.clear()

    def drop(self, names: Iterable[Name]) -> None:
        """Forget the replies that depend on one of the names."""
        for name in names:
            for kept in tuple(self._by_name.get(name, ())):
                self._forget(kept)

    def _forget(self, kept: Kept) -> None:
        if self.by_words.get(kept.key) is kept:
            del self.by_words[kept.key]
        for name in kept.depends:
            found = self._by_name.get(name)
            if found is not None:
                found.discard(kept)
                if not found:
                    del self._by_name[name]


@dataclass(frozen=True, slots=True)
class Words:
    """A query brought into the form that replies are kept under.

    key: the words. name_end: where the question's name ends. options: those of EDNS, None without it.
    """

    key: bytes
    name_end: int
    options: tuple[tuple[int, bytes], ...] | None


def words_of(data: bytes) -> Words | None:
    """The words of a plain query: one question, at most an OPT record; None for what is none or is broken."""
    size = len(data)
    if size > _LONGEST or size < _HEADER + 5 or data[4:10] != b"\0\x01\0\0\0\0" or data[10]:
        return None
    end = data.find(0, _HEADER) + 1
    fixed = end + _FIXED
    if not end or fixed > size or data[11] > 1:
        return None
    name = data[_HEADER:end]
    if not _is_plain(name):
        return None
    head = data[2:_HEADER] + name.lower() + data[end:fixed]
    if not data[11]:
        return Words(head, end, None) if fixed == size else None
    if data[fixed : fixed + 3] != _OPT_HEAD or fixed + _OPT_SIZE > size:
        return None
    options = _options(data, fixed + _OPT_SIZE, int.from_bytes(data[fixed + 9 : fixed + 11], "big"))
    return None if options is None else Words(head + data[fixed : fixed + 9] + b"\0\0", end, options)


def _is_plain(name: bytes) -> bool:
    """Whether octets up to the first zero are the whole name: labels whose lengths lead there."""
    at, last = 0, len(name) - 1
    while at < last:
        length = name[at]
        if length > 63:
            return False
        at += length + 1
    return at == last


def _options(data: bytes, at: int, size: int) -> tuple[tuple[int, bytes], ...] | None:
    """The options of an OPT record that ends the message; None where they are broken."""
    end = at + size
    if end != len(data):
        return None
    found = []
    while at < end:
        if at + 4 > end:
            return None
        code = data[at] << 8 | data[at + 1]
        length = data[at + 2] << 8 | data[at + 3]
        at += 4 + length
        if at > end:
            return None
        found.append((code, data[at - length : at]))
    return tuple(found)


def spelled(body: bytes, data: bytes, name_end: int) -> bytes:
    """A kept reply for this query: its id, and the name as it spells it."""
    return data[:2] + body[: _HEADER - 2] + data[_HEADER:name_end] + body[name_end - 2 :]
