"""The batch request: requests carried out one by one in one transaction, all of them or none.

The first request that fails ends the batch: what went before is taken back, and the answers up to the failure
are returned with a success of the whole. Errors of the batch itself return no answers.

Spec: [MS-ADTS] 3.1.1.3.4.2.5 (LDAP_SERVER_BATCH_REQUEST_OID).
"""

from collections.abc import Sequence
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DecodeError, DsError
from addc.base.ids import Dnt
from addc.codec.ber_wire import header
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import policy
from addc.directory.add import add_object
from addc.directory.api import Change, Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.delete import delete_object
from addc.directory.logon_counters import record_bad_password
from addc.directory.modify import modify_object
from addc.directory.passwords import WrongPasswordError
from addc.ldap import controls as wire
from addc.ldap import messages as m
from addc.ldap import operations
from addc.ldap.operations import BIND_FIRST, Asker
from addc.security.token import SYSTEM

OID: Final = "1.2.840.113556.1.4.2212"

_REQUESTS: Final = (m.SearchRequest, m.ModifyRequest, m.AddRequest, m.DelRequest)
_CONTROLS: Final = frozenset(
    {
        wire.LDAP_SERVER_DOMAIN_SCOPE_OID,
        wire.LDAP_SERVER_EXTENDED_DN_OID,
        wire.LDAP_SERVER_GET_STATS_OID,
        wire.LDAP_SERVER_PERMISSIVE_MODIFY_OID,
        wire.LDAP_SERVER_SD_FLAGS_OID,
        wire.LDAP_SERVER_SEARCH_OPTIONS_OID,
        wire.LDAP_SERVER_SHOW_DELETED_OID,
        wire.LDAP_SERVER_DN_INPUT_OID,
        wire.LDAP_SERVER_SHOW_DEACTIVATED_LINK_OID,
        wire.LDAP_SERVER_SHOW_RECYCLED_OID,
    }
)
_PASSWORDS: Final = ("unicodepwd", "userpassword")
_GUESSES: Final = Dnt(0)
"""Whose turn batches with passwords take: no account has this row."""
_WRITING_MAX_S: Final = 2
"""A batch that writes holds every other writer up from its first write on: it gets no more time than this."""


class _Interrupted(Exception):
    """A request of the batch failed: take everything back, and return these answers all the same."""

    def __init__(self, answers: bytes, wrong_password: WrongPasswordError | None) -> None:
        super().__init__()
        self.answers = answers
        self.wrong_password = wrong_password


async def run(directory: Directory, value: bytes | None, asker: Asker) -> bytes:
    """Carry out a batch; BatchRequestResponseValue.

    Raises DsError: protocolError for what is no batch; sizeLimitExceeded, timeLimitExceeded or busy.
    """
    if asker.requester.is_anonymous:
        raise DsError(Win32.ERROR_NOT_AUTHENTICATED, BIND_FIRST)
    requests = _read(value or b"")
    if not any(map(_names_password, requests)):
        return await _carry_out(directory, requests, asker)
    # What is taken back takes the count of a wrong password along, so that is counted after the batch: until
    # then no other batch may guess, or guesses would outrun the lockout.
    await directory.turns.wait(_GUESSES)
    try:
        return await _carry_out(directory, requests, asker)
    finally:
        directory.turns.give(_GUESSES)


async def _carry_out(directory: Directory, requests: Sequence[m.LdapMessage], asker: Asker) -> bytes:
    count = _searches_first(requests)
    first, rest = requests[:count], requests[count:]
    before = b""
    try:
        if first:
            before = await directory.read(
                "ldap.batch", asker.requester, lambda ctx: _Batch(ctx, asker).run(first)
            )
        answers = before
        if rest:
            answers = await directory.write(
                "ldap.batch", asker.requester, lambda ctx: _Batch(ctx, asker).run(rest, before)
            )
    except _Interrupted as stopped:
        answers = stopped.answers
        if (wrong := stopped.wrong_password) is not None:
            account = wrong.account
            await directory.write("ldap.logon", SYSTEM, lambda ctx: record_bad_password(ctx, account))
    return header(0x30, len(answers)) + answers


def _names_password(message: m.LdapMessage) -> bool:
    op = message.protocol_op
    if not isinstance(op, m.ModifyRequest):
        return False
    named = [one.modification.type.lower() for one in op.changes]
    return any(name in _PASSWORDS or name[:1].isdigit() or name.startswith("oid.") for name in named)


def _searches_first(requests: Sequence[m.LdapMessage]) -> int:
    """How many requests come before the first that writes: they need not hold the writer up."""
    for number, one in enumerate(requests):
        if not isinstance(one.protocol_op, m.SearchRequest):
            return number
    return len(requests)


def _read(value: bytes) -> list[m.LdapMessage]:
    try:
        packed = wire.BatchRequestValue.unpack(value).messages
        requests = [m.LdapMessage.unpack(one) for one in packed]
    except DecodeError as error:
        raise _malformed(f"not a sequence of LDAP messages: {error}") from None
    for one in requests:
        if not isinstance(one.protocol_op, _REQUESTS):
            raise _malformed("a request that no batch takes")
        if not _CONTROLS.issuperset(control.control_type for control in one.controls):
            raise _malformed("a control that no batch takes")
    return requests


def _malformed(detail: str) -> DsError:
    return DsError(Win32.ERROR_DS_DECODING_ERROR, detail, ldap_result=LdapResult.PROTOCOL_ERROR)


class _Batch:
    """A batch under way."""

    def __init__(self, ctx: ReadContext, asker: Asker) -> None:
        self._ctx = ctx
        self._asker = asker
        limits = policy.limits(ctx)
        self._left = limits.max_batch_return_messages
        seconds = limits.max_query_duration
        if isinstance(ctx, WriteContext):
            seconds = min(seconds, _WRITING_MAX_S)
        self._deadline = ctx.clock.now() + seconds * TICKS_PER_S
        self._wrong_password: WrongPasswordError | None = None

    def run(self, requests: Sequence[m.LdapMessage], before: bytes = b"") -> bytes:
        """The answers of all, behind those of earlier ones. Raises _Interrupted: up to the first failure."""
        answers = before
        if before:
            self._result(before)
        for request in requests:
            left_s = (self._deadline - self._ctx.clock.now()) // TICKS_PER_S
            if left_s <= 0:
                raise DsError(
                    Win32.ERROR_INVALID_PARAMETER,
                    "the batch takes too long",
                    ldap_result=LdapResult.TIME_LIMIT_EXCEEDED,
                )
            one = self._one(request, int(left_s))
            answers += one
            if self._result(one) is not LdapResult.SUCCESS:
                raise _Interrupted(answers, self._wrong_password)
        return answers

    def _result(self, answer: bytes) -> LdapResult:
        """The result of one request; its messages count."""
        at, result = 0, LdapResult.SUCCESS
        while at < len(answer):
            message, at = m.LdapMessage.unpack_first(answer, at)
            self._left -= 1
            if isinstance(message.protocol_op, m.LdapResultFields):
                result = LdapResult(message.protocol_op.result_code)
        if self._left < 0:
            raise DsError(
                Win32.ERROR_DS_SIZELIMIT_EXCEEDED,
                "too many answers",
                ldap_result=LdapResult.SIZE_LIMIT_EXCEEDED,
            )
        if result is LdapResult.BUSY:
            raise DsError(Win32.ERROR_DS_BUSY, "a request of the batch met a busy server")
        return result

    def _one(self, message: m.LdapMessage, left_s: int) -> bytes:
        op, message_id = message.protocol_op, message.message_id
        if isinstance(op, m.SearchRequest):
            try:
                request = operations.search_request(message, op, self._asker, time_max_s=left_s)
            except DsError as error:
                return operations.refuse(message_id, m.SearchResultDone, error)
            return operations.search_answer(self._ctx, message_id, request)
        response: type[m.LdapResultFields] = m.AddResponse
        if isinstance(op, m.ModifyRequest):
            response = m.ModifyResponse
        elif isinstance(op, m.DelRequest):
            response = m.DelResponse
        try:
            self._write(message)
        except DsError as error:
            if isinstance(error, WrongPasswordError):
                self._wrong_password = error
            return operations.refuse(message_id, response, error)
        return m.encode_result(message_id, response)

    def _write(self, message: m.LdapMessage) -> None:
        ctx, op = self._ctx, message.protocol_op
        assert isinstance(ctx, WriteContext)
        match op:
            case m.AddRequest():
                options = operations.write_options(message, self._asker, operations.ADD_CONTROLS)
                add_object(ctx, op.entry, [(a.type, a.vals) for a in op.attributes], options)
            case m.ModifyRequest():
                options = operations.write_options(message, self._asker, operations.MODIFY_CONTROLS)
                if not op.object:
                    raise DsError(
                        Win32.ERROR_DS_UNWILLING_TO_PERFORM, "operations of rootDSE are not batched"
                    )
                changes = [Change(c.operation, c.modification.type, c.modification.vals) for c in op.changes]
                modify_object(ctx, op.object, changes, options)
            case m.DelRequest():
                options = operations.write_options(message, self._asker, operations.DELETE_CONTROLS)
                delete_object(ctx, op.entry, options)
