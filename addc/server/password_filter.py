"""The operator's filter of passwords: a program of theirs, asked about every new password of a person.

It reads one JSON object from standard input: account, full_name, password, operation ("set" or "change").
Exit status 0 lets the password pass, 1 refuses it. Everything else, and no answer in time, is a failure,
which the log tells and which refuses as well. The password is neither in arguments nor in the environment,
and nothing that the program prints is kept.
"""

import asyncio
import json
import logging
import os
import signal
from collections.abc import Sequence
from typing import Final

from addc.directory.password_filter import Candidate

_LOG: Final = logging.getLogger("addc.password_filter")
TIMEOUT_S: Final = 5.0
_AT_ONCE: Final = 4
_REFUSED: Final = 1
_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


class PasswordFilter:
    """A PasswordJudge that runs the program `words`; for one event loop."""

    def __init__(self, words: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> None:
        """timeout_s: for one question, the wait for its turn included."""
        self._words = tuple(words)
        self._timeout_s = timeout_s
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, candidate: Candidate) -> bool:
        """Whether the program lets the password pass."""
        try:
            async with asyncio.timeout(self._timeout_s), self._turns:
                status = await self._run(_question(candidate))
        except TimeoutError:
            return self._failed("no answer in time")
        except OSError as error:
            return self._failed(error.strerror or "it cannot be started")
        return status == 0 if status in (0, _REFUSED) else self._failed(f"exit status {status}")

    async def _run(self, question: bytes) -> int:
        process = await asyncio.create_subprocess_exec(
            *self._words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        try:
            await process.communicate(question)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        assert process.returncode is not None
        return process.returncode

    def _failed(self, why: str) -> bool:
        _LOG.error("the password filter failed", extra={"fields": {"program": self._words[0], "why": why}})
        return False


def _question(candidate: Candidate) -> bytes:
    """What the program reads."""
    return json.dumps(
        {
            "account": candidate.account,
            "full_name": candidate.full_name,
            "password": candidate.password.reveal().decode("utf-16-le", "surrogatepass"),
            "operation": "change" if candidate.is_change else "set",
        }
    ).encode()
