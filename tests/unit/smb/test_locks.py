"""Byte-range locks ([MS-FSA] 2.1.4.10, 2.1.5.8, 2.1.5.9)."""

import pytest

from addc.smb.locks import Lock, Locks, LockSequences, is_range


def _locks(*held: Lock) -> Locks:
    locks = Locks()
    for one in held:
        assert locks.take(one)
    return locks


def test_exclusive_locks_do_not_overlap_even_of_one_owner() -> None:
    locks = _locks(Lock(0, 10, True, "a"))
    assert not locks.take(Lock(5, 1, True, "a"))
    assert not locks.take(Lock(5, 1, True, "b"))
    assert locks.take(Lock(10, 1, True, "b"))


def test_a_shared_lock_stacks_on_the_owner_s_exclusive_one_and_nobody_else_s() -> None:
    locks = _locks(Lock(0, 10, True, "a"))
    assert locks.take(Lock(0, 10, False, "a"))
    assert not locks.take(Lock(0, 10, False, "b"))


def test_an_exclusive_lock_is_refused_over_a_shared_one_of_the_same_owner() -> None:
    assert not _locks(Lock(0, 10, False, "a")).take(Lock(0, 10, True, "a"))


@pytest.mark.parametrize(
    ("offset", "length", "taken"),
    [(10, 0, True), (9, 1, True), (10, 1, True), (11, 1, True), (9, 2, False), (10, 2, True), (9, 3, False)],
)
def test_an_empty_lock_lies_between_octets(offset: int, length: int, taken: bool) -> None:
    assert _locks(Lock(10, 0, True, "a")).take(Lock(offset, length, True, "b")) is taken


def test_the_range_at_zero_of_nothing_is_nowhere() -> None:
    assert _locks(Lock(0, 0, True, "a")).take(Lock(0, 0, True, "b"))


def test_only_the_exact_range_of_the_owner_is_released() -> None:
    locks = _locks(Lock(0, 10, False, "a"), Lock(2, 10, False, "a"))
    assert not locks.release(0, 12, "a")
    assert not locks.release(0, 10, "b")
    assert locks.release(0, 10, "a")
    assert not locks.release(0, 10, "a")


def test_reads_and_writes_meet_locks() -> None:
    locks = _locks(Lock(0, 10, True, "a"), Lock(20, 10, False, "a"))
    assert locks.blocks(5, 1, "b", writes=False)
    assert not locks.blocks(5, 1, "a", writes=True)
    assert not locks.blocks(25, 1, "b", writes=False)
    assert locks.blocks(25, 1, "a", writes=True)  # a shared lock forbids writes, its owner's too
    assert not locks.blocks(5, 0, "b", writes=True)


def test_a_closed_open_holds_nothing() -> None:
    locks = _locks(Lock(0, 10, True, "a"), Lock(20, 1, True, "b"))
    assert locks.drop("a")
    assert locks.owned("a") == 0
    assert locks.owned("b") == 1


def test_ranges_end_within_64_bits() -> None:
    assert is_range(0, (1 << 64) - 1)
    assert is_range((1 << 64) - 1, 1)
    assert not is_range((1 << 64) - 1, 2)
    assert is_range((1 << 64) - 1, 0)


def test_a_request_asked_twice_is_recognised_by_its_sequence() -> None:
    """[MS-SMB2] 3.3.5.14."""
    seen = LockSequences()
    assert not seen.is_replay(0x11)
    seen.done(0x11)
    assert seen.is_replay(0x11)
    assert not seen.is_replay(0x12)
    assert not seen.is_replay(0x11)  # another number made it forgotten
    assert not seen.is_replay(65 << 4)
