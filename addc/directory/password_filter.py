"""The operator's say about new passwords of people: what a filter is told, and how it answers.

Whoever takes a new password asks the filter before the writer is entered (Directory.vetted); the writer
refuses what was not let pass. So a filter that fails, or a door that forgets to ask, lets nothing through.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from addc.base.secret import Secret


@dataclass(frozen=True, slots=True)
class Candidate:
    """A password that is to become an account's.

    account: sAMAccountName. full_name: displayName, "" where there is none. password: UTF-16LE.
    is_change: its owner changes it; else it is set.
    """

    account: str
    full_name: str
    password: Secret
    is_change: bool


PasswordJudge = Callable[[Candidate], Awaitable[bool]]
"""Whether the password may be used. Failures are a No."""
