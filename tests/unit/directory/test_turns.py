"""Turns: one after another, in order, whatever becomes of those who wait."""

import asyncio

from addc.base.ids import Dnt
from addc.directory.turns import Turns

ONE, OTHER = Dnt(1), Dnt(2)


def test_turns_come_in_order_and_end() -> None:
    async def run() -> list[int]:
        turns, came = Turns(), list[int]()

        async def take(number: int) -> None:
            await turns.wait(ONE)
            came.append(number)
            await asyncio.sleep(0)
            turns.give(ONE)

        turns.take(ONE)
        assert turns.is_taken(ONE) and not turns.is_taken(OTHER)
        waiting = [asyncio.create_task(take(number)) for number in range(3)]
        await asyncio.sleep(0)
        assert came == []
        turns.give(ONE)
        await asyncio.gather(*waiting)
        assert not turns.is_taken(ONE)
        await take(3)
        assert not turns.is_taken(ONE)
        return came

    assert asyncio.run(run()) == [0, 1, 2, 3]


def test_who_gives_up_waiting_holds_nobody_up() -> None:
    async def run() -> None:
        turns = Turns()
        turns.take(ONE)
        first, second, third = (asyncio.create_task(turns.wait(ONE)) for _ in range(3))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        turns.give(ONE)
        second.cancel()  # the turn is on its way to it already
        await asyncio.sleep(0)
        await third
        turns.give(ONE)
        assert not turns.is_taken(ONE)

    asyncio.run(run())
