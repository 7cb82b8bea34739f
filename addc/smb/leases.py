"""Who may cache what of a file: oplocks and leases, when they are given, and when they are taken back.

An oplock is treated as a lease that belongs to one open: level II caches reads, exclusive writes as well,
batch also the handle. The functions decide; whoever calls them sends the breaks that come out.

Spec: [MS-FSA] 2.1.4.12, 2.1.5.18; [MS-SMB2] 3.3.4.6, 3.3.4.7, 3.3.5.9.8, 3.3.5.9.11, 3.3.5.22.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from addc.codes.ntstatus import NtStatus

NONE: Final = 0
READ: Final = 1
HANDLE: Final = 2
WRITE: Final = 4
ALL: Final = READ | HANDLE | WRITE

LEVEL_NONE: Final = 0x00
LEVEL_II: Final = 0x01
LEVEL_EXCLUSIVE: Final = 0x08
LEVEL_BATCH: Final = 0x09
LEVEL_LEASE: Final = 0xFF

_STATE_OF_LEVEL: Final = {LEVEL_II: READ, LEVEL_EXCLUSIVE: READ | WRITE, LEVEL_BATCH: ALL}

_STAT_OF_OPLOCKS: Final = 0x0010_0180
"""SYNCHRONIZE, FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES."""
_STAT_OF_LEASES: Final = _STAT_OF_OPLOCKS | 0x0002_0000
"""READ_CONTROL as well."""


def state_of_level(level: int) -> int:
    """What an oplock level caches."""
    return _STATE_OF_LEVEL.get(level, NONE)


def level_of_state(state: int) -> int:
    """The oplock level that caches no more than `state`."""
    if state == ALL:
        return LEVEL_BATCH
    if state == READ | WRITE:
        return LEVEL_EXCLUSIVE
    return LEVEL_II if state & READ else LEVEL_NONE


def is_stat_open(access: int) -> bool:
    """Whether an open only looks at attributes: it neither breaks oplocks nor prevents them."""
    return bool(access & _STAT_OF_OPLOCKS) and not access & ~_STAT_OF_OPLOCKS


def is_lease_stat_open(access: int) -> bool:
    """The same for leases, which reading the descriptor does not break either."""
    return bool(access & _STAT_OF_LEASES) and not access & ~_STAT_OF_LEASES


@dataclass(slots=True, eq=False)
class Holder:
    """A lease of a client, or an oplock of one open.

    key: the lease key; None for an oplock. client: ClientGuid. version: 1 or 2, 0 for an oplock.
    opens: who shares it. requested, required: what a break under way was announced to leave, and what it
    has come to mean since.
    Spec: [MS-SMB2] 3.3.1.12.
    """

    client: bytes
    key: bytes | None
    version: int = 0
    parent_key: bytes | None = None
    state: int = NONE
    epoch: int = 0
    breaking: bool = False
    requested: int = NONE
    required: int = NONE
    delete_on_close: bool = False
    opens: set[Hashable] = field(default_factory=set)
    file: "Caching | None" = None

    @property
    def is_lease(self) -> bool:
        return self.key is not None


class Break(NamedTuple):
    """A break to be told: the holder, what it had, what it may keep, whether it must acknowledge."""

    holder: Holder
    before: int
    after: int
    must_acknowledge: bool


class Contention(NamedTuple):
    """What an open meets: breaks to send, and whether it waits for them."""

    breaks: list[Break]
    waits: bool


def begin_break(holder: Holder, to: int) -> Break | None:
    """Take caching back down to `to`; None if nothing is to be told (now).

    Reads alone are given back at once, everything else by an acknowledgement. While one is outstanding, more
    is only noted.
    """
    to &= holder.state
    if holder.breaking:
        holder.required &= to
        return None
    if holder.state == to:
        return None
    before = holder.state
    holder.epoch = (holder.epoch + 1) & 0xFFFF
    if before == READ:
        holder.state = NONE
        return Break(holder, before, NONE, False)
    holder.breaking = True
    holder.requested = holder.required = to
    return Break(holder, before, to, True)


class Caching:
    """All holders of one file or folder, and the opens that hold nothing."""

    __slots__ = ("holders", "plain_opens")

    def __init__(self) -> None:
        self.holders: list[Holder] = []
        self.plain_opens = 0
        """Opens without a holder that do more than look at attributes."""

    def add(self, holder: Holder) -> None:
        assert holder.file is None
        holder.file = self
        self.holders.append(holder)

    def discard(self, holder: Holder) -> None:
        if holder.file is self:
            self.holders.remove(holder)
            holder.file = None

    def _others(self, own: Holder | None) -> Iterator[Holder]:
        return (holder for holder in tuple(self.holders) if holder is not own)

    def contend_open(
        self, access: int, own: Holder | None, *, overwrites: bool, violates: bool, first: bool = True
    ) -> Contention:
        """What an open takes from those who cache.

        own: the lease it comes with. violates: its sharing conflicts, so handles that are only cached should
        be closed. first: it was not tried before.
        """
        breaks: list[Break] = []
        waits = False
        if is_stat_open(access) and not overwrites:
            return Contention(breaks, waits)
        gone = HANDLE if violates else WRITE
        for holder in self._others(own):
            if holder.is_lease and is_lease_stat_open(access) and not overwrites:
                continue
            to = holder.state & ~gone
            if overwrites and not violates:
                to = NONE
            if holder.state == to:
                waits = waits or holder.breaking
                continue
            if not holder.is_lease:
                to &= READ
            waits = waits or bool(holder.state & gone) or (holder.breaking and not first)
            if (told := begin_break(holder, to)) is not None:
                breaks.append(told)
        return Contention(breaks, waits)

    def contend_data(self, own: Holder | None) -> list[Break]:
        """What changing or locking data takes: nobody else caches reads any more; no level II at all."""
        breaks: list[Break] = []
        for holder in tuple(self.holders):
            if holder.state & READ and (holder is not own or (holder.state == READ and not holder.is_lease)):
                if holder is own and holder.breaking:
                    continue
                if (told := begin_break(holder, NONE)) is not None:
                    breaks.append(told)
        return breaks

    def contend_handle(self, own: Holder | None) -> Contention:
        """What a rename or delete takes: nobody else caches the handle; it waits for that."""
        breaks: list[Break] = []
        waits = False
        for holder in self._others(own):
            if not holder.state & HANDLE:
                continue
            waits = True
            to = holder.state & ~HANDLE if holder.is_lease else holder.state & READ
            if (told := begin_break(holder, to)) is not None:
                breaks.append(told)
        return Contention(breaks, waits)

    def others_hold_handle(self, own: Holder | None) -> bool:
        """Whether somebody else still caches the handle."""
        return any(holder.state & HANDLE for holder in self._others(own))

    def contend_listing(self, client: bytes, parent_key: bytes | None) -> list[Break]:
        """What a change inside a folder takes from those who cache the folder.

        Who made it through an open that names the folder's lease as its parent's keeps that one.
        Spec: [MS-FSA] 2.1.4.12 (ParentOplockKey), [MS-SMB2] 2.2.13.2.10.
        """
        breaks: list[Break] = []
        for holder in tuple(self.holders):
            if not holder.state & (READ | HANDLE):
                continue
            if parent_key is not None and holder.key == parent_key and holder.client == client:
                continue
            if (told := begin_break(holder, NONE)) is not None:
                breaks.append(told)
        return breaks

    def grantable(
        self, wanted: int, access: int, own: Holder | None, *, is_lease: bool, has_locks: bool, folder: bool
    ) -> int:
        """What of `wanted` may be given to an open that is about to be added.

        Spec: [MS-FSA] 2.1.5.18.1, 2.1.5.18.2.
        """
        state = wanted & ALL
        if folder:
            state &= ~WRITE
            if not is_lease:
                return NONE
        if not state & READ:
            return NONE
        if has_locks:
            state &= ~(READ | HANDLE)
        if any(holder.state & WRITE for holder in self._others(own)):
            return NONE
        if self.plain_opens or any(True for _ in self._others(own)):
            state &= ~WRITE
        if is_lease:
            if any(not holder.is_lease and holder.state for holder in self.holders):
                state &= ~HANDLE
            return state if state & READ else NONE
        if any(holder.state & HANDLE for holder in self._others(own)):
            return NONE
        return state_of_level(level_of_state(state))


def acknowledge_lease(holder: Holder, state: int) -> tuple[NtStatus, Break | None]:
    """The client answers a lease break: the status of the answer, and a further break that follows it.

    Spec: [MS-SMB2] 3.3.5.22.2.
    """
    if not holder.breaking:
        return NtStatus.STATUS_UNSUCCESSFUL, None
    if state & ~holder.requested:
        return NtStatus.STATUS_REQUEST_NOT_ACCEPTED, None
    holder.state = state
    required = holder.required
    holder.breaking = False
    holder.requested = holder.required = NONE
    if not state & ~required:
        return NtStatus.STATUS_SUCCESS, None
    # More was taken while the client was thinking. It is told in steps: to R first, then to nothing.
    if state & (WRITE | HANDLE):
        holder.breaking = True
        holder.required = required
        holder.requested = required | READ
        return NtStatus.STATUS_SUCCESS, Break(holder, state, holder.requested, True)
    holder.state = NONE
    return NtStatus.STATUS_SUCCESS, Break(holder, state, NONE, False)


def acknowledge_oplock(holder: Holder, level: int) -> NtStatus:
    """The client answers an oplock break; the holder's state is what it has then.

    Spec: [MS-SMB2] 3.3.5.22.1.
    """
    if not holder.breaking:
        return NtStatus.STATUS_INVALID_DEVICE_STATE
    before, allowed = holder.state, holder.requested
    end_break(holder)
    if level == LEVEL_LEASE:
        return NtStatus.STATUS_INVALID_PARAMETER
    accepted = {LEVEL_NONE, LEVEL_II}
    if before == ALL:
        accepted.add(LEVEL_EXCLUSIVE)
    if level not in accepted:
        return NtStatus.STATUS_INVALID_OPLOCK_PROTOCOL
    if level == LEVEL_II:
        holder.state = READ & allowed
    return NtStatus.STATUS_SUCCESS


def end_break(holder: Holder) -> None:
    """The client did not answer in time, or cannot be told: it caches nothing ([MS-SMB2] 3.3.6.5)."""
    holder.breaking = False
    holder.requested = holder.required = NONE
    holder.state = NONE


class LeaseTable:
    """The leases of all clients by ClientGuid and key ([MS-SMB2] 3.3.1.11)."""

    __slots__ = ("_leases",)

    def __init__(self) -> None:
        self._leases: dict[tuple[bytes, bytes], Holder] = {}

    def __len__(self) -> int:
        return len(self._leases)

    def find(self, client: bytes, key: bytes) -> Holder | None:
        return self._leases.get((client, key))

    def add(self, lease: Holder) -> None:
        assert lease.key is not None
        self._leases[(lease.client, lease.key)] = lease

    def release(self, lease: Holder, opened: Hashable) -> bool:
        """An open is gone; whether the lease went with it."""
        lease.opens.discard(opened)
        if lease.opens:
            return False
        if lease.key is not None:
            self._leases.pop((lease.client, lease.key), None)
        if lease.file is not None:
            lease.file.discard(lease)
        return True


def upgrade(lease: Holder, wanted: int, grantable: int) -> None:
    """Give an existing lease more, if all of what is asked for can be given and it asks for no less.

    Spec: [MS-SMB2] 3.3.5.9.8.
    """
    if lease.breaking or lease.state & ~wanted or grantable != wanted or grantable == lease.state:
        return
    lease.state = grantable
    lease.epoch = (lease.epoch + 1) & 0xFFFF
