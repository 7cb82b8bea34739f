"""Lanes of reads: what a quick one may look at, shares and turns of long ones, and who goes first."""

import threading
from concurrent.futures import Future

import pytest

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import lanes
from addc.directory.lanes import (
    QUEUE_MAX,
    SHARE,
    UNHURRIED,
    WALKS,
    Pace,
    QuickPace,
    SlowLane,
    WalkNeededError,
)

_TIMEOUT_S = 20.0


def test_a_quick_read_looks_at_so_many_rows_and_no_more() -> None:
    pace = QuickPace(10)
    pace.step(4)
    pace.step(6)
    with pytest.raises(WalkNeededError):
        pace.step()
    UNHURRIED.step(1 << 40)


class Gate:
    """Walks that say when they began, and go on when told."""

    def __init__(self, lane: SlowLane) -> None:
        self.lane = lane
        self.begun: list[str] = []
        self.open = threading.Event()
        self.changed = threading.Condition()

    def walk(self, owner: str) -> "Future[str]":
        def work(pace: Pace) -> str:
            with self.changed:
                self.begun.append(owner)
                self.changed.notify_all()
            while not self.open.wait(0.001):
                pace.step(lanes._ROWS_PER_LOOK)
            return owner

        return self.lane.submit(owner, work)

    def wait_for(self, count: int) -> list[str]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.begun) >= count, _TIMEOUT_S)
            return sorted(self.begun)


@pytest.fixture
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "TURN_S", 0.0)


@pytest.mark.usefixtures("short_turns")
def test_one_requester_has_his_share_of_walks_and_others_theirs() -> None:
    lane = SlowLane(1)
    gate = Gate(lane)
    greedy = [gate.walk("greedy") for _ in range(WALKS * 2)]
    others = [gate.walk(f"other{n}") for n in range(3)]
    begun = gate.wait_for(SHARE + 3)  # all take turns, though one runs at a time
    assert begun == ["greedy"] * SHARE + ["other0", "other1", "other2"]
    gate.open.set()
    assert [one.result(_TIMEOUT_S) for one in (*greedy, *others)].count("greedy") == WALKS * 2
    lane.close()


def test_too_many_waiting_walks_of_one_requester_are_refused() -> None:
    lane = SlowLane(1)
    gate = Gate(lane)
    waiting = [gate.walk("greedy") for _ in range(SHARE + QUEUE_MAX)]
    with pytest.raises(DsError) as caught:
        gate.walk("greedy")
    assert caught.value.code == Win32.ERROR_DS_BUSY
    modest = gate.walk("modest")
    gate.open.set()
    assert modest.result(_TIMEOUT_S) == "modest"
    assert {one.result(_TIMEOUT_S) for one in waiting} == {"greedy"}
    lane.close()


def test_a_walk_steps_aside_for_point_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    lane = SlowLane(1)
    slept: list[float] = []
    monkeypatch.setattr("addc.directory.lanes.time.sleep", slept.append)
    monkeypatch.setattr("addc.directory.lanes.time.monotonic", lambda: 100.0)

    def work(pace: Pace) -> None:
        pace.step(lanes._ROWS_PER_LOOK)
        assert not slept
        lane.press()
        pace.step(lanes._ROWS_PER_LOOK - 1)
        assert not slept
        pace.step()
        assert slept == [lanes._ASIDE_S]

    lane.submit("somebody", work).result(_TIMEOUT_S)
    lane.close()


def test_what_a_walk_raises_reaches_who_asked_and_ends_its_turn() -> None:
    lane = SlowLane(1)

    def fail(pace: Pace) -> None:
        raise DsError(Win32.ERROR_DS_ADMIN_LIMIT_EXCEEDED, "too long")

    for _ in range(WALKS + 1):
        with pytest.raises(DsError):
            lane.submit("somebody", fail).result(_TIMEOUT_S)
    assert lane.submit("somebody", lambda pace: 7).result(_TIMEOUT_S) == 7
    lane.close()


def test_a_cancelled_walk_is_never_begun() -> None:
    lane = SlowLane(1)
    gate = Gate(lane)
    running = [gate.walk("one") for _ in range(SHARE)]
    waiting = gate.walk("one")
    last = gate.walk("one")
    assert waiting.cancel()
    gate.open.set()
    assert {one.result(_TIMEOUT_S) for one in (*running, last)} == {"one"}
    assert len(gate.begun) == SHARE + 1
    lane.close()


def test_closing_ends_what_was_begun_and_begins_nothing() -> None:
    lane = SlowLane(1)
    gate = Gate(lane)
    begun = [gate.walk("one") for _ in range(SHARE)]
    waiting = gate.walk("one")
    gate.wait_for(1)
    gate.open.set()
    lane.close()
    assert [one.result(0) for one in begun] == ["one"] * SHARE
    assert waiting.cancelled() or waiting.result(0) == "one"
