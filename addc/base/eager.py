"""Coroutines that are begun where they are made, without a task, and get one only if they have to wait.

Most requests need no waiting, and a task costs more than many of them do. Before its first suspension such
a coroutine runs outside of any task of its own: asyncio.timeout, TaskGroup and current_task are not for it.
"""

import types
from collections.abc import Coroutine, Generator

Work = Coroutine[object, object, None]


def begun(work: Work) -> Coroutine[None, None, None] | None:
    """Run it until it ends or waits; None, or what is left of it, to be run in a task."""
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return _rest(work, waits_for)


async def _rest(work: Work, waits_for: object) -> None:
    await _resumed(work, waits_for)


@types.coroutine
def _resumed(work: Work, waits_for: object) -> Generator[object, object, None]:
    while True:
        try:
            sent = yield waits_for
        except BaseException as error:
            try:
                waits_for = work.throw(error)
            except StopIteration:
                return
        else:
            try:
                waits_for = work.send(sent)
            except StopIteration:
                return
