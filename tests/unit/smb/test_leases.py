"""Oplocks and leases ([MS-FSA] 2.1.4.12, 2.1.5.18; [MS-SMB2] 3.3.5.22)."""

import pytest

from addc.codes.ntstatus import NtStatus
from addc.smb import leases
from addc.smb.leases import ALL, HANDLE, NONE, READ, WRITE, Caching, Holder, LeaseTable

FULL = 0x001F_01FF
STAT = 0x0010_0080


def _lease(state: int, key: bytes = b"k" * 16, version: int = 1) -> Holder:
    return Holder(b"c" * 16, key, version, state=state)


def _oplock(state: int) -> Holder:
    return Holder(b"c" * 16, None, state=state)


def _caching(*holders: Holder) -> Caching:
    caching = Caching()
    for holder in holders:
        caching.add(holder)
    return caching


def _grant(caching: Caching, wanted: int, *, lease: bool = True, own: Holder | None = None) -> int:
    return caching.grantable(wanted, FULL, own, is_lease=lease, has_locks=False, folder=False)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (ALL, ALL),
        (READ | HANDLE, READ | HANDLE),
        (READ | WRITE, READ | WRITE),
        (READ, READ),
        (HANDLE, NONE),
        (WRITE, NONE),
        (WRITE | HANDLE, NONE),
    ],
)
def test_nothing_is_cached_without_reads(wanted: int, given: int) -> None:
    assert _grant(_caching(), wanted) == given


def test_writes_are_cached_only_where_nobody_else_has_the_file() -> None:
    caching = _caching(_lease(READ))
    assert _grant(caching, ALL) == READ | HANDLE
    plain = _caching()
    plain.plain_opens = 1
    assert _grant(plain, ALL) == READ | HANDLE


def test_level_ii_and_handle_leases_do_not_live_together() -> None:
    assert _grant(_caching(_lease(READ | HANDLE)), READ, lease=False) == NONE
    assert _grant(_caching(_oplock(READ)), READ | HANDLE) == READ


def test_locks_forbid_caching_of_reads() -> None:
    caching = _caching()
    assert caching.grantable(READ, FULL, None, is_lease=True, has_locks=True, folder=False) == NONE


def test_folders_have_leases_of_reads_and_handles_alone() -> None:
    caching = _caching()
    assert caching.grantable(ALL, FULL, None, is_lease=True, has_locks=False, folder=True) == READ | HANDLE
    assert caching.grantable(ALL, FULL, None, is_lease=False, has_locks=False, folder=True) == NONE


def test_an_open_takes_cached_writes_and_waits() -> None:
    holder = _lease(ALL)
    found = _caching(holder).contend_open(FULL, None, overwrites=False, violates=False)
    assert [(one.before, one.after, one.must_acknowledge) for one in found.breaks] == [
        (ALL, READ | HANDLE, True)
    ]
    assert found.waits
    assert holder.breaking


def test_a_sharing_conflict_takes_cached_handles() -> None:
    holder = _lease(READ | HANDLE)
    found = _caching(holder).contend_open(FULL, None, overwrites=False, violates=True)
    assert found.breaks[0].after == READ
    assert found.waits


def test_oplocks_go_to_level_ii_or_to_nothing() -> None:
    batch = _oplock(ALL)
    found = _caching(batch).contend_open(FULL, None, overwrites=False, violates=False)
    assert found.breaks[0].after == READ
    overwritten = _caching(_oplock(ALL)).contend_open(FULL, None, overwrites=True, violates=False)
    assert overwritten.breaks[0].after == NONE


def test_looking_at_attributes_breaks_nothing() -> None:
    caching = _caching(_lease(ALL), _oplock(NONE))
    assert not caching.contend_open(STAT, None, overwrites=False, violates=False).breaks


def test_a_lease_does_not_break_itself() -> None:
    own = _lease(ALL)
    assert not _caching(own).contend_open(FULL, own, overwrites=True, violates=False).breaks


def test_changed_data_takes_reads_from_others_and_level_ii_from_all() -> None:
    own, other, second = _lease(READ), _lease(READ | HANDLE, b"o" * 16), _oplock(READ)
    told = _caching(own, other, second).contend_data(own)
    assert {one.holder for one in told} == {other, second}
    assert own.state == READ
    writer = _oplock(READ)
    assert [one.holder for one in _caching(writer).contend_data(writer)] == [writer]


def test_reads_alone_are_given_back_without_an_answer() -> None:
    holder = _lease(READ, version=2)
    told = leases.begin_break(holder, NONE)
    assert told is not None
    assert not told.must_acknowledge
    assert (holder.state, holder.breaking, holder.epoch) == (NONE, False, 1)


def test_a_folder_s_lease_breaks_for_changes_inside_but_not_for_its_own_children() -> None:
    mine, foreign = _lease(READ | HANDLE, b"p" * 16, 2), _lease(READ | HANDLE, b"q" * 16, 2)
    told = _caching(mine, foreign).contend_listing(b"c" * 16, b"p" * 16)
    assert [one.holder for one in told] == [foreign]
    assert _caching(_lease(READ, b"p" * 16, 2)).contend_listing(b"d" * 16, b"p" * 16)


def test_an_acknowledgement_cannot_take_more_than_was_left() -> None:
    holder = _lease(ALL)
    leases.begin_break(holder, READ | HANDLE)
    assert leases.acknowledge_lease(holder, ALL)[0] is NtStatus.STATUS_REQUEST_NOT_ACCEPTED
    assert leases.acknowledge_lease(holder, READ)[0] is NtStatus.STATUS_SUCCESS
    assert holder.state == READ
    assert leases.acknowledge_lease(holder, READ)[0] is NtStatus.STATUS_UNSUCCESSFUL


def test_what_was_taken_meanwhile_follows_the_acknowledgement_in_steps() -> None:
    holder = _lease(ALL)
    leases.begin_break(holder, READ | HANDLE)
    assert leases.begin_break(holder, NONE) is None
    status, more = leases.acknowledge_lease(holder, READ | HANDLE)
    assert status is NtStatus.STATUS_SUCCESS
    assert more is not None
    assert (more.before, more.after, more.must_acknowledge) == (READ | HANDLE, READ, True)
    status, more = leases.acknowledge_lease(holder, READ)
    assert more is not None
    assert (more.before, more.after, more.must_acknowledge) == (READ, NONE, False)
    assert holder.state == NONE


def test_oplocks_are_acknowledged_by_level() -> None:
    """[MS-SMB2] 3.3.5.22.1."""
    holder = _oplock(ALL)
    assert leases.acknowledge_oplock(holder, leases.LEVEL_II) is NtStatus.STATUS_INVALID_DEVICE_STATE
    leases.begin_break(holder, READ)
    assert leases.acknowledge_oplock(holder, leases.LEVEL_II) is NtStatus.STATUS_SUCCESS
    assert holder.state == READ
    wrong = _oplock(READ | WRITE)
    leases.begin_break(wrong, READ)
    assert leases.acknowledge_oplock(wrong, leases.LEVEL_BATCH) is NtStatus.STATUS_INVALID_OPLOCK_PROTOCOL
    assert wrong.state == NONE


def test_a_lease_is_only_raised_to_all_that_is_asked_for() -> None:
    lease = _lease(READ)
    leases.upgrade(lease, ALL, READ | HANDLE)
    assert (lease.state, lease.epoch) == (READ, 0)
    leases.upgrade(lease, READ | HANDLE, READ | HANDLE)
    assert (lease.state, lease.epoch) == (READ | HANDLE, 1)
    leases.upgrade(lease, READ, READ)
    assert lease.state == READ | HANDLE


def test_a_lease_goes_with_its_last_open() -> None:
    table, lease = LeaseTable(), _lease(READ)
    caching = _caching(lease)
    table.add(lease)
    lease.opens.update(("a", "b"))
    assert not table.release(lease, "a")
    assert table.find(lease.client, b"k" * 16) is lease
    assert table.release(lease, "b")
    assert len(table) == 0
    assert not caching.holders
