"""Work that is begun at once, and gets a task only for the time that it waits."""

import asyncio

import pytest

from addc.base.eager import begun


def test_work_that_waits_for_nothing_is_done_at_once() -> None:
    done: list[str] = []

    async def work() -> None:
        done.append("all of it")

    assert begun(work()) is None
    assert done == ["all of it"]


def test_what_fails_before_it_waits_fails_where_it_was_begun() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        begun(work())


def test_what_waits_goes_on_in_a_task(runner: asyncio.Runner) -> None:
    async def main() -> list[str]:
        done: list[str] = []
        gate, loop = asyncio.Event(), asyncio.get_running_loop()

        async def work() -> None:
            done.append("first")
            await gate.wait()
            await asyncio.sleep(0)
            done.append("last")

        rest = begun(work())
        assert rest is not None and done == ["first"]
        task = loop.create_task(rest)
        await asyncio.sleep(0)
        gate.set()
        await task
        return done

    assert runner.run(main()) == ["first", "last"]


def test_a_cancelled_task_lets_the_work_clean_up(runner: asyncio.Runner) -> None:
    async def main() -> str:
        told = ""

        async def work() -> None:
            nonlocal told
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told = "cancelled"
                raise

        rest = begun(work())
        assert rest is not None
        task = asyncio.get_running_loop().create_task(rest)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return told

    assert runner.run(main()) == "cancelled"


def test_an_error_after_the_wait_ends_the_task(runner: asyncio.Runner) -> None:
    async def main() -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            raise ZeroDivisionError

        rest = begun(work())
        assert rest is not None
        await rest

    with pytest.raises(ZeroDivisionError):
        runner.run(main())
