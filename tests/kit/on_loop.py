"""Tests that are coroutines: each runs on an event loop of its own."""

import asyncio
import functools
from collections.abc import Callable, Coroutine


def on_loop(test: Callable[..., Coroutine[object, object, None]]) -> Callable[..., None]:
    """The test as pytest calls it; its fixtures are those that it names."""

    @functools.wraps(test)
    def run(**fixtures: object) -> None:
        asyncio.run(test(**fixtures))

    return run


async def until(told: Callable[[], object], within_s: float = 20.0) -> None:
    """Let others run until something holds."""
    async with asyncio.timeout(within_s):
        while not told():  # noqa: ASYNC110 - what is waited for is the work of other tasks
            await asyncio.sleep(0.001)
