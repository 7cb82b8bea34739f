"""One step of a proof of identity, with what NTLM responses leave on accounts: counters, lockouts, the audit.

A wrong password is counted before anybody is told that it was wrong, and guesses at one account wait for each
other, so that they cannot outrun its lockout (directory/turns.py). For protocols that await an answer to each
token: SMB and RPC. LDAP's binds do the same within their own scheduling (ldap/bind.py).

Spec: [MS-SAMR] 3.1.5.14.5, 3.1.5.14.6; [MS-APDS] 3.1.5.
"""

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final

from addc.auth import logon_audit
from addc.auth.acceptor import AuthContext
from addc.auth.gss import AuthError
from addc.base.errors import AddcError
from addc.base.ids import Dnt
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, logon_counters
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.security.token import SYSTEM

_LOG: Final = logging.getLogger("addc.auth")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client is, for the audit log. protocol: "SMB" or "RPC"."""

    protocol: str
    address: str
    port: int = 0


Start = Callable[[Coroutine[None, None, None]], None]
"""Own a task that nobody waits for."""


async def counted_step(
    directory: Directory, context: AuthContext, token: bytes, place: Place, start: Start
) -> bytes:
    """`context.step`, once everything that has to be written down before the answer is.

    Raises what it raises: NotLetInError with the verdict, where an account's proof was judged.
    """
    before = context.judge.verdict
    refused: AuthError | None = None
    answer = b""
    try:
        answer = context.step(token)
    except AuthError as error:
        refused = error
    verdict = context.judge.verdict
    if verdict is None or verdict is before:
        if refused is not None:
            raise refused
        return answer
    try:
        refused = await _settled(directory, context, refused, start)
    finally:
        _tell(directory, context, place, granted=refused is None)
    if refused is not None:
        raise refused
    return answer


async def _settled(
    directory: Directory, context: AuthContext, refused: AuthError | None, start: Start
) -> AuthError | None:
    """What the proof comes to once it is counted; judged anew where others' guesses came first."""
    verdict = context.judge.verdict
    account = None if verdict is None else verdict.account
    if account is None or (verdict is not None and verdict.status is NtStatus.STATUS_ACCOUNT_LOCKED_OUT):
        return refused
    turns = directory.turns
    waited = turns.is_taken(account)
    if not waited and not _takes_a_turn(directory, context, account, refused):
        if refused is None and _is_due(directory, account):
            start(_noted(directory, account))
        elif refused is not None and _is_guess(context):
            await _count(directory, lambda ctx: logon_counters.settle_wrong(ctx, account))
        return refused
    await turns.wait(account)
    try:
        return await _in_turn(directory, context, refused, account, again=waited)
    finally:
        turns.give(account)


async def _in_turn(
    directory: Directory, context: AuthContext, refused: AuthError | None, account: Dnt, *, again: bool
) -> AuthError | None:
    if again:
        refused = _judged_again(context, refused)
    if refused is None:
        good = await _count(directory, lambda ctx: logon_counters.settle_right(ctx, account))
    elif _is_guess(context):
        good = await _count(directory, lambda ctx: logon_counters.settle_wrong(ctx, account))
    else:
        return refused
    return refused if good else _judged_again(context, refused)


def _judged_again(context: AuthContext, refused: AuthError | None) -> AuthError | None:
    """What the same proof is worth now; one that failed for another reason stays so."""
    try:
        context.judge.again()
    except AuthError as error:
        return error
    return refused


def _is_guess(context: AuthContext) -> bool:
    verdict = context.judge.verdict
    return verdict is not None and verdict.is_guess and verdict.status is NtStatus.STATUS_WRONG_PASSWORD


def _takes_a_turn(
    directory: Directory, context: AuthContext, account: Dnt, refused: AuthError | None
) -> bool:
    """Whether others have to wait until this proof is counted."""

    def look(ctx: ReadContext) -> bool:
        if refused is not None:
            return _is_guess(context) and logon_counters.can_lock_out(ctx, account)
        found = accounts.find_by_dnt(ctx, account)
        return found is not None and logon_counters.is_guessed_at(ctx, found)

    return directory.read_now("auth.turn", SYSTEM, look)


def _is_due(directory: Directory, account: Dnt) -> bool:
    def look(ctx: ReadContext) -> bool:
        found = accounts.find_by_dnt(ctx, account)
        return found is not None and logon_counters.is_due(found, ctx.now)

    return directory.read_now("auth.due", SYSTEM, look)


async def _noted(directory: Directory, account: Dnt) -> None:
    """Write what a good logon leaves; nobody waits for it."""
    await _count(directory, lambda ctx: logon_counters.settle_right(ctx, account))


async def _count(directory: Directory, work: Callable[[WriteContext], bool]) -> bool:
    """Whether what was judged may be told, now that it is written down."""
    try:
        return await directory.write("auth.logon", SYSTEM, work)
    except AddcError as error:
        _LOG.error("a logon was not counted", extra={"fields": {"why": str(error)}})
        return True


def _tell(directory: Directory, context: AuthContext, place: Place, *, granted: bool) -> None:
    proof, verdict = context.judge.proof, context.judge.verdict
    if proof is None or verdict is None or not logon_audit.is_wanted():
        return
    fields = directory.read_now("auth.audit", SYSTEM, lambda ctx: logon_audit.ntlm_event(ctx, proof, verdict))
    logon_audit.tell(fields, granted=granted, protocol=place.protocol, address=place.address, port=place.port)
