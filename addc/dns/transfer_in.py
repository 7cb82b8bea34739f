"""Zone transfers in: messages from a master, one after the other, to what they say of the zone.

A stream is believed when its last record has come, never before; what breaks a rule ends it.

Spec: RFC 5936 2.2, 3 (AXFR), RFC 1995 2, 4 (IXFR), RFC 1982 (serials), RFC 6895 3.1 (types).
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from addc.base.errors import AddcError
from addc.codec.dns_message import CLASS_IN, OPCODE_QUERY, Message, Record
from addc.codec.dns_names import Name, fold
from addc.codec.dns_wire import rdata_bytes
from addc.codes.rcode import Rcode
from addc.directory.dns_node import is_later
from addc.dns.transfer import TYPE_IXFR, Step
from addc.dns.zone_content import TYPE_NS, TYPE_SOA, Rr, soa_serial

RECORDS_MAX: Final = 1_000_000
OCTETS_MAX: Final = 268_435_456
MESSAGES_MAX: Final = 1_000_000
_OUTSIDE_MAX: Final = 10_000
_META_TYPES: Final = frozenset({0, 41, *range(128, 256)})
"""What no zone holds: OPT, TSIG, TKEY, transfers, ANY (RFC 6895 3.1)."""


class TransferError(AddcError):
    """A master's stream breaks a rule; nothing of it is kept."""


class RefusedError(TransferError):
    """The master answers with an error."""

    def __init__(self, rcode: int) -> None:
        super().__init__(f"the master answers {Rcode(rcode).name}")
        self.rcode = rcode


@dataclass(frozen=True, slots=True)
class Current:
    """The master has nothing newer. soa: what it has; None where only the serial of ours came back."""

    serial: int


@dataclass(frozen=True, slots=True)
class Whole:
    """A new content. records: with the SOA. outside: how many records were none of the zone's."""

    soa: Rr
    records: tuple[Rr, ...]
    outside: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Steps that lead from our serial to the newest."""

    soa: Rr
    steps: tuple[Step, ...]


Outcome = Current | Whole | Changes


class _State(Enum):
    FIRST = "first"
    SECOND = "second"
    WHOLE = "whole"
    REMOVED = "removed"
    ADDED = "added"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a master may send at most."""

    records: int = RECORDS_MAX
    octets: int = OCTETS_MAX
    messages: int = MESSAGES_MAX


@dataclass(slots=True)
class Incoming:
    """One transfer under way.

    ours: the serial that we have; None for none. kind: TYPE_AXFR or TYPE_IXFR, as asked for.
    """

    apex: Name
    message_id: int
    kind: int
    ours: int | None = None
    limits: Limits = field(default_factory=Limits)
    _state: _State = _State.FIRST
    _soa: Rr | None = None
    _serial: int = 0
    _records: dict[Rr, None] = field(default_factory=dict)
    _steps: list[Step] = field(default_factory=list)
    _before: Rr | None = None
    _after: Rr | None = None
    _removed: list[Rr] = field(default_factory=list)
    _added: list[Rr] = field(default_factory=list)
    _count: int = 0
    _octets: int = 0
    _messages: int = 0
    _outside: int = 0
    _incremental: bool = False
    _current: bool = False

    @property
    def done(self) -> bool:
        return self._state is _State.DONE

    def take(self, message: Message) -> bool:
        """Take the next message; whether the transfer is whole. Raises TransferError."""
        if self.done:
            raise TransferError("the stream goes on behind its end")
        self._check(message)
        for one in message.answers:
            if self.done:
                raise TransferError("records stand behind the last SOA")
            self._record(one)
        if self._is_current():
            self._current = True
            self._state = _State.DONE
        return self.done

    def outcome(self) -> Outcome:
        """What came; only once `take` said that it is whole. Raises TransferError."""
        assert self.done and self._soa is not None
        if self._current:
            return Current(self._serial)
        if self._incremental:
            return Changes(self._soa, tuple(self._steps))
        if not any(one.type == TYPE_NS and len(one.owner) == len(self.apex) for one in self._records):
            raise TransferError("the zone has no NS records")
        return Whole(self._soa, tuple(self._records), self._outside)

    def _check(self, message: Message) -> None:
        """What holds for every message, whatever its records."""
        if message.id != self.message_id or not message.qr or message.opcode != OPCODE_QUERY:
            raise TransferError("a message is no answer to our request")
        if message.rcode:
            raise RefusedError(message.rcode)
        if message.tc:
            raise TransferError("a message is cut off")
        for one in message.questions:
            if fold(one.name) != self.apex or one.qtype != self.kind or one.qclass != CLASS_IN:
                raise TransferError("a message answers another question")
        if not message.answers:
            raise TransferError("a message without records")
        self._messages += 1
        if self._messages > self.limits.messages:
            raise TransferError("too many messages")

    def _record(self, record: Record) -> None:
        if record.rclass != CLASS_IN:
            raise TransferError(f"a record of class {record.rclass}")
        if record.type in _META_TYPES:
            raise TransferError(f"a record of type {record.type}")
        owner = fold(record.owner)
        one = Rr(owner, record.type, record.ttl_s, rdata_bytes(record.type, record.data))
        self._count += 1
        self._octets += len(one.rdata) + 10 + sum(map(len, owner))
        if self._count > self.limits.records or self._octets > self.limits.octets:
            raise TransferError("the zone is too large")
        if owner[max(len(owner) - len(self.apex), 0) :] != self.apex:
            self._pass_over()
            return
        if one.type == TYPE_SOA:
            if len(owner) != len(self.apex):
                raise TransferError("an SOA below the zone's own name")
            self._take_soa(one)
        else:
            self._take_other(one)

    def _pass_over(self) -> None:
        """What is outside of the zone is no concern of its master (RFC 5936 3.5), but not without an end."""
        self._outside += 1
        if self._state is _State.FIRST:
            raise TransferError("the first record is no SOA of the zone")
        if self._state is _State.SECOND:
            self._begin_whole()
        if self._outside > _OUTSIDE_MAX:
            raise TransferError("too many records of other zones")

    def _take_soa(self, one: Rr) -> None:
        serial = soa_serial(one.rdata)
        match self._state:
            case _State.FIRST:
                self._soa, self._serial = one, serial
                self._state = _State.SECOND
            case _State.SECOND:
                if self.kind == TYPE_IXFR and self.ours is not None and serial == self.ours:
                    self._incremental = True
                    self._begin_step(one)
                else:
                    self._begin_whole()
                    self._end_whole(one, serial)
            case _State.WHOLE:
                self._end_whole(one, serial)
            case _State.REMOVED:
                self._after_removed(one, serial)
            case _State.ADDED:
                self._after_added(one, serial)
            case _State.DONE:
                raise TransferError("records stand behind the last SOA")

    def _take_other(self, one: Rr) -> None:
        match self._state:
            case _State.FIRST:
                raise TransferError("the first record is no SOA of the zone")
            case _State.SECOND:
                self._begin_whole()
                self._records[one] = None
            case _State.WHOLE:
                self._records[one] = None
            case _State.REMOVED:
                self._removed.append(one)
            case _State.ADDED:
                self._added.append(one)
            case _State.DONE:
                raise TransferError("records stand behind the last SOA")

    # --- whole zones ---

    def _begin_whole(self) -> None:
        assert self._soa is not None
        self._check_progress()
        self._records[self._soa] = None
        self._state = _State.WHOLE

    def _end_whole(self, one: Rr, serial: int) -> None:
        if serial != self._serial or self._soa is None or one.rdata != self._soa.rdata:
            raise TransferError("the last SOA is not the first one")
        self._state = _State.DONE

    def _check_progress(self) -> None:
        if self.ours is not None and not is_later(self._serial, self.ours):
            raise TransferError(f"the serial goes from {self.ours} back to {self._serial}")

    def _is_current(self) -> bool:
        """One SOA alone that is not newer than ours: there is nothing to come (RFC 1995 2)."""
        if self._state is not _State.SECOND or self.kind != TYPE_IXFR or self.ours is None:
            return False
        return not is_later(self._serial, self.ours)

    # --- changes ---

    def _begin_step(self, before: Rr) -> None:
        self._check_progress()
        self._before, self._removed, self._added = before, [], []
        self._state = _State.REMOVED

    def _after_removed(self, one: Rr, serial: int) -> None:
        assert self._before is not None
        if not is_later(serial, soa_serial(self._before.rdata)):
            raise TransferError("a step's serial goes backwards")
        if serial != self._serial and not is_later(self._serial, serial):
            raise TransferError("a step leads past the newest serial")
        self._after = one
        self._state = _State.ADDED

    def _after_added(self, one: Rr, serial: int) -> None:
        assert self._before is not None and self._after is not None and self._soa is not None
        if serial != soa_serial(self._after.rdata):
            raise TransferError("a step does not begin where the one before it ends")
        self._steps.append(Step(self._before, self._after, tuple(self._removed), tuple(self._added)))
        if serial == self._serial:
            if one.rdata != self._soa.rdata or self._after.rdata != self._soa.rdata:
                raise TransferError("the last SOA is not the first one")
            self._state = _State.DONE
        else:
            self._begin_step(one)
