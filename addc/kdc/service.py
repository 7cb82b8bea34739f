"""Ports 88 and 464: sockets around the decisions, counters written back, refusals logged.

A request is decided in one snapshot, on the event loop where reading needs no network. A wrong password is
counted before its answer leaves; a logon is noted afterwards.

Spec: RFC 4120 7.2 (transports), RFC 3244 2, [MS-KILE] 2.1.
"""

import asyncio
import logging
import socket
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Final, cast

from addc.auth.logon_audit import GRANTED, REFUSED
from addc.base.clock import Clock, FileTime
from addc.base.errors import AddcError, DecodeError, DsError
from addc.base.ids import Dnt
from addc.base.limits import KRB_MESSAGE_MAX, KRB_UDP_REPLY_MAX
from addc.base.rng import Rng
from addc.codes.krb_error import KrbErrorCode
from addc.codes.win32 import Win32
from addc.directory import accounts, groups, logon, logon_counters, passwords, smartcard_secrets
from addc.directory.accounts import Account
from addc.directory.api import Directory
from addc.directory.context import Forest, ReadContext, WriteContext
from addc.directory.password_policy import PasswordPolicy, effective_policy
from addc.directory.passwords import PreparedPassword
from addc.kdc import kpasswd, replays, ticket_audit
from addc.kdc.exchange import AS_REQ, TGS_REQ, Exchange, decide, request_of
from addc.kdc.facts import AsRequest, Counter, TgsRequest
from addc.kdc.kpasswd import KpasswdResult, OpenedKpasswd
from addc.kdc.krb_errors import krb_error
from addc.kdc.lookup import domain_policy, realm_facts
from addc.kdc.lookup_accounts import client_account
from addc.kdc.policy import KdcPolicy
from addc.security import logon_rules
from addc.security.token import SYSTEM, Token

_LOG: Final = logging.getLogger("addc.kdc")
_IDLE_S: Final = 20.0
_CONNECTIONS_MAX: Final = 4096
_TASKS_MAX: Final = 1024


_NOBODY: Final = Dnt(0)


@dataclass(frozen=True, slots=True)
class Answer:
    """Reply bytes, None for silence.

    account: whose password was judged, 0 where none was. counter: what is to be written of it; a wrong
    password before the reply leaves. can_lock_out: wrong ones lock the account out some time, and this one
    was wrong or others before it.
    told: what the audit log is told once the reply leaves, None for nothing.
    """

    reply: bytes | None
    counter: Counter = Counter.NONE
    account: Dnt = _NOBODY
    can_lock_out: bool = False
    told: Exchange | None = None

    @property
    def is_settled_first(self) -> bool:
        """Whether something has to be written before anybody is told: a judged password, a new secret."""
        return self.counter in (Counter.BAD_PASSWORD, Counter.RENEW_SECRET) or self.can_lock_out


_SILENCE: Final = Answer(None)


class KdcService:
    """The KDC and the password service of one process."""

    def __init__(self, directory: Directory, clock: Clock, rng: Rng, policy: KdcPolicy | None = None) -> None:
        self._directory = directory
        self._clock = clock
        self._rng = rng
        self._policy = policy or KdcPolicy()
        self._tasks: set[asyncio.Task[None]] = set()
        self._noting: set[Dnt] = set()
        self._turns = directory.turns
        self.connections: dict[KdcStreams, None] = {}

    def set_policy(self, policy: KdcPolicy) -> None:
        """Decide by these rules from now on."""
        self._policy = policy

    @property
    def forest(self) -> Forest:
        return self._directory.forest

    @property
    def inline(self) -> bool:
        """Whether requests are decided on the event loop."""
        return self._directory.reads_inline

    # --- port 88 ---

    def answer_now(self, data: bytes, source: str) -> Answer:
        """Decide one request of port 88 in the calling thread. source: the client's address, for the log.

        Whoever sends the reply says so by `is_settled` or `settling`.
        """
        if not data or data[0] not in (AS_REQ, TGS_REQ):
            return _SILENCE
        now = self._clock.now()
        try:
            request = request_of(data)
        except DecodeError as error:
            _LOG.info("malformed request", extra={"fields": {"source": source, "why": str(error)}})
            return Answer(self._error(KrbErrorCode.KRB_ERR_GENERIC, now))
        return self._directory.read_now("kdc", SYSTEM, lambda ctx: self._decide(ctx, request, now))

    async def answer(self, data: bytes, source: str, port: int = 0) -> bytes | None:
        """The reply to one request of port 88, counters heeded. port: the client's, 0 where it has none."""
        decided = await self._decided(data, source)
        if self.is_settled(decided, source, port):
            return decided.reply
        return await self.settling(decided, data, source, port)

    async def _decided(self, data: bytes, source: str) -> Answer:
        if self.inline:
            return self.answer_now(data, source)
        return await asyncio.get_running_loop().run_in_executor(None, self.answer_now, data, source)

    def is_settled(self, decided: Answer, source: str, port: int) -> bool:
        """Whether the reply may leave at once, a logon noted; else call `settling` without delay."""
        if decided.is_settled_first or self._turns.is_taken(decided.account):
            return False
        if decided.counter is Counter.LOGON:
            self.note_logon(decided.account)
        if decided.told is not None:
            self._tell(decided.told, source, port)
        return True

    def settling(
        self, decided: Answer, data: bytes, source: str, port: int
    ) -> Coroutine[object, object, bytes | None]:
        """Have a wrong password counted, in the account's turn; the reply to send then."""
        if self._turns.is_taken(decided.account):
            return self._in_turn(decided.account, data, source, port)
        if decided.can_lock_out:
            self._turns.take(decided.account)
        return self._counted(decided, data, source, port)

    def _tell(self, found: Exchange, source: str, port: int) -> None:
        """Write a record of an exchange into the audit log."""
        fields = ticket_audit.ticket_event(found, self._directory.forest.realm, source, port)
        logger = GRANTED if found.outcome.issued is not None else REFUSED
        logger.info(ticket_audit.title(fields), extra={"fields": fields})

    async def _counted(self, decided: Answer, data: bytes, source: str, port: int) -> bytes | None:
        try:
            settled = await self._settled(decided, data, source)
        finally:
            if decided.can_lock_out:
                self._turns.give(decided.account)
        if settled.told is not None:
            self._tell(settled.told, source, port)
        return settled.reply

    async def _in_turn(self, account: Dnt, data: bytes, source: str, port: int) -> bytes | None:
        """Decide anew once the wrong password before this one is counted."""
        await self._turns.wait(account)
        try:
            decided = await self._settled(await self._decided(data, source), data, source)
            if decided.counter is Counter.LOGON:
                self.note_logon(decided.account)
        finally:
            self._turns.give(account)
        if decided.told is not None:
            self._tell(decided.told, source, port)
        return decided.reply

    def _decide(self, ctx: ReadContext, request: AsRequest | TgsRequest, now: FileTime) -> Answer:
        found = decide(ctx, request, self._policy, now, self._rng)
        if found is None:
            return Answer(self._error(KrbErrorCode.KDC_ERR_SVC_UNAVAILABLE, now))
        return self._with_counter(ctx, found, now)

    def _with_counter(self, ctx: ReadContext, decided: Exchange, now: FileTime) -> Answer:
        outcome = decided.outcome
        client, counter = outcome.client, outcome.counter
        logger = GRANTED if outcome.issued is not None else REFUSED
        told = decided if logger.isEnabledFor(logging.INFO) and ticket_audit.is_told(decided) else None
        if client is None or counter is Counter.NONE:
            return Answer(outcome.reply, told=told)
        account = Dnt(client.key)
        if counter is Counter.RENEW_SECRET:
            return Answer(outcome.reply, counter, account)
        if counter is Counter.BAD_PASSWORD:
            can_lock_out = logon_counters.can_lock_out(ctx, account)
            return Answer(outcome.reply, counter, account, can_lock_out, told)
        found = accounts.find_by_sid(ctx, client.sid)
        if found is None or not logon_counters.is_due(found, now):
            return Answer(outcome.reply, Counter.NONE, account, told=told)
        return Answer(outcome.reply, counter, account, logon_counters.is_guessed_at(ctx, found), told)

    def _error(self, code: KrbErrorCode, now: FileTime) -> bytes:
        return krb_error(code, now, self._directory.forest.realm, None)

    def too_big(self) -> bytes:
        """What a datagram is answered with when its reply does not fit (RFC 4120 7.2.1)."""
        return self._error(KrbErrorCode.KRB_ERR_RESPONSE_TOO_BIG, self._clock.now())

    def too_long(self) -> bytes:
        """What a stream is answered with when its request is longer than any can be (RFC 4120 7.2.2)."""
        return self._error(KrbErrorCode.KRB_ERR_FIELD_TOOLONG, self._clock.now())

    # --- counters ---

    async def _settled(self, decided: Answer, data: bytes, source: str) -> Answer:
        """`decided`, once its password is counted; decided anew where that came too late."""
        if not decided.is_settled_first:
            return decided
        if decided.counter is Counter.RENEW_SECRET:
            return await self._renewed(decided, data, source)
        settle = (
            logon_counters.settle_wrong
            if decided.counter is Counter.BAD_PASSWORD
            else logon_counters.settle_right
        )
        try:
            stands = await self._directory.write(
                "kdc.settle", SYSTEM, lambda ctx: settle(ctx, decided.account)
            )
        except AddcError:
            _LOG.exception("a password could not be counted")
            return decided
        return replace(decided, counter=Counter.NONE) if stands else await self._decided(data, source)

    async def _renewed(self, decided: Answer, data: bytes, source: str) -> Answer:
        """Renew the secret of a smart card account, then decide its request ([MS-PKCA] 3.1.5.2.2)."""

        def renew(ctx: WriteContext) -> None:
            age = domain_policy(ctx, self._policy).max_ticket_age
            smartcard_secrets.renew(ctx, decided.account, FileTime(ctx.now + age))

        try:
            await self._directory.write("kdc.renew_secret", SYSTEM, renew)
        except AddcError:
            _LOG.exception("a smart card account's secret could not be renewed")
            return replace(decided, counter=Counter.NONE)
        again = await self._decided(data, source)
        if again.counter is Counter.RENEW_SECRET:
            return replace(again, counter=Counter.NONE)
        if again.counter is Counter.LOGON and not again.is_settled_first:
            self.note_logon(again.account)
        return await self._settled(again, data, source)

    def note_logon(self, account: Dnt) -> None:
        """Have a logon written soon; nobody waits for it."""
        if account not in self._noting:
            self._noting.add(account)
            self.later(self._note_logon(account))

    async def _note_logon(self, account: Dnt) -> None:
        try:
            await self._directory.write(
                "kdc.logon",
                SYSTEM,
                lambda ctx: logon_counters.record_logon(ctx, account),
            )
        except AddcError:
            _LOG.exception("a logon could not be noted")
        finally:
            self._noting.discard(account)

    def later(self, work: Coroutine[object, object, None]) -> None:
        """Run something that this service owns until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def is_busy(self) -> bool:
        """Whether datagrams that need a task are to be dropped; clients ask again."""
        return len(self._tasks) >= _TASKS_MAX

    async def drain(self) -> None:
        """Wait for what was begun."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=5)

    # --- port 464 ---

    async def answer_kpasswd(self, data: bytes, source: str, local: str) -> bytes | None:
        """The reply to one request of port 464. local: the address that it came to."""
        now = self._clock.now()

        def opening(ctx: ReadContext) -> "bytes | _Change | None":
            return self._open_kpasswd(ctx, data, now)

        opened = await self._directory.read("kpasswd", SYSTEM, opening, point=True)
        if opened is None or isinstance(opened, bytes):
            _LOG.info("password request refused", extra={"fields": {"source": source}})
            return opened
        result = opened.refused or await self._change(opened)
        fields = {
            "source": source,
            "client": str(opened.request.cname),
            "target": str(opened.request.target or opened.request.cname),
            "result": KpasswdResult(int.from_bytes(result[:2], "big")).name,
        }
        _LOG.info("password request", extra={"fields": fields})
        address = kpasswd.host_address(local)
        return kpasswd.reply_to(opened.request, result, address, self._clock.now(), self._rng)

    def _open_kpasswd(self, ctx: ReadContext, data: bytes, now: FileTime) -> "bytes | _Change | None":
        realm = realm_facts(ctx)
        if realm is None:
            return None
        request = kpasswd.open_kpasswd(data, realm, domain_policy(ctx, self._policy), now)
        if isinstance(request, bytes):
            return request
        client = accounts.find_by_sid(ctx, request.client)
        if client is None or not _in_standing(ctx, client, now):
            return kpasswd.refused(KrbErrorCode.KDC_ERR_CLIENT_REVOKED, KpasswdResult.AUTHERROR, realm, now)
        token = groups.token_for(ctx, client.dnt)
        target: Account | None = client
        if request.target is not None:
            own = realm.is_alias(request.target_realm or "")
            target = client_account(ctx, request.target) if own else None
        refused = None
        if request.is_change and not request.initial:
            refused = kpasswd.result_data(
                KpasswdResult.INITIAL_FLAG_NEEDED, "A ticket by password is needed."
            )
        elif target is None:
            refused = kpasswd.result_data(KpasswdResult.HARDERROR, "No such principal.")
        return _Change(request, token, target, refused)

    async def _change(self, wanted: "_Change") -> bytes:
        """Do it in the requester's name; the result of RFC 3244. What comes again is answered, not done."""
        target = wanted.target
        assert target is not None
        new = passwords.password_of_utf8(wanted.request.password)

        def prepare(ctx: ReadContext) -> tuple[PreparedPassword, PasswordPolicy] | None:
            row = ctx.tx.get(target.dnt)
            if row is None:
                return None
            return passwords.prepare_row(ctx, row, new), effective_policy(ctx, row)

        prepared = await self._directory.read("kpasswd.prepare", SYSTEM, prepare)
        if prepared is None:
            return kpasswd.result_data(KpasswdResult.HARDERROR, "No such principal.")

        change = wanted.request.is_change
        ready = await self._directory.vetted(wanted.requester, prepared[0], change=change)
        assert ready is not None

        def store(ctx: WriteContext) -> None:
            skew = domain_policy(ctx, self._policy).max_clock_skew
            if not replays.is_first(ctx, wanted.request.proof, 2 * skew):
                return
            row = ctx.tx.get(target.dnt)
            if row is None or not accounts.is_account(row):
                raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "no such account")
            if wanted.request.is_change:
                passwords.change_password(ctx, row, None, ready)
            else:
                passwords.set_password(ctx, row, ready)

        try:
            await self._directory.write("kpasswd", wanted.requester, store)
        except DsError as error:
            return _refusal(error, prepared[1])
        return kpasswd.result_data(KpasswdResult.SUCCESS)


@dataclass(frozen=True, slots=True)
class _Change:
    """A password request that was opened. refused: the result, where it is known already."""

    request: OpenedKpasswd
    requester: Token
    target: Account | None
    refused: bytes | None


def _in_standing(ctx: ReadContext, client: Account, now: FileTime) -> bool:
    row = ctx.tx.get(client.dnt)
    if row is None:
        return False
    return logon_rules.account_refusal(logon.standing(ctx, client, row), now) is None


def _refusal(error: DsError, policy: PasswordPolicy) -> bytes:
    """A failed change as RFC 3244 tells it; the policy where the password does not satisfy it."""
    if error.code == Win32.ERROR_PASSWORD_RESTRICTION:
        text = kpasswd.policy_text(
            policy.minimum_length,
            policy.history_length,
            policy.properties,
            policy.maximum_age,
            policy.minimum_age,
        )
        return kpasswd.result_data(KpasswdResult.SOFTERROR, text)
    if error.code in (Win32.ERROR_ACCESS_DENIED, Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS):
        return kpasswd.result_data(KpasswdResult.ACCESSDENIED, "Access denied.")
    return kpasswd.result_data(KpasswdResult.HARDERROR, "The password could not be changed.")


class KdcDatagrams(asyncio.DatagramProtocol):
    """The UDP socket of one address. kpasswd: port 464, else 88."""

    def __init__(self, service: KdcService, *, kpasswd: bool) -> None:
        self._service = service
        self._is_kpasswd = kpasswd
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        service = self._service
        try:
            if service.is_busy or (self._is_kpasswd and not kpasswd.looks_like_request(data)):
                return  # not even a right password is told while a wrong one could not be counted
            if self._is_kpasswd or not service.inline:
                service.later(self._later(data, addr))
                return
            decided = service.answer_now(data, addr[0])
            if service.is_settled(decided, addr[0], addr[1]):
                self._send(decided.reply, addr)
            else:
                service.later(self._settle(service.settling(decided, data, addr[0], addr[1]), addr))
        except Exception:
            _LOG.exception("request failed", extra={"fields": {"source": addr[0]}})

    def error_received(self, exc: Exception) -> None:
        """A client that is gone (ICMP) is no concern of ours."""

    async def _settle(self, work: Coroutine[object, object, bytes | None], addr: tuple[str, int]) -> None:
        self._send(await work, addr)

    async def _later(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            if self._is_kpasswd:
                reply = await self._service.answer_kpasswd(data, addr[0], self._local(addr))
            else:
                reply = await self._service.answer(data, addr[0], addr[1])
            self._send(reply, addr)
        except Exception:
            _LOG.exception("request failed", extra={"fields": {"source": addr[0]}})

    def _send(self, reply: bytes | None, addr: tuple[str, int]) -> None:
        transport = self._transport
        if reply is None or transport is None or transport.is_closing():
            return
        if len(reply) > KRB_UDP_REPLY_MAX and not self._is_kpasswd:
            reply = self._service.too_big()
        transport.sendto(reply, addr)

    def _local(self, addr: tuple[str, int]) -> str:
        """The address that this client reaches us by, which a wildcard socket does not know."""
        assert self._transport is not None
        own = str(self._transport.get_extra_info("sockname")[0])
        if own not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            return own
        family = socket.AF_INET6 if ":" in addr[0] else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(addr)
                return str(probe.getsockname()[0])
            except OSError:
                return own


class KdcStreams(asyncio.Protocol):
    """One TCP connection: messages behind 4 bytes of length, answered in order (RFC 4120 7.2.2)."""

    def __init__(self, service: KdcService, *, kpasswd: bool) -> None:
        self._service = service
        self._is_kpasswd = kpasswd
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._busy = False
        self._choked = False
        self._timer: asyncio.TimerHandle | None = None
        self._active_s = 0.0
        self._source = self._local = ""
        self._port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._source, self._local = (
            str(transport.get_extra_info(name)[0]) for name in ("peername", "sockname")
        )
        self._port = int(transport.get_extra_info("peername")[1])
        self._active_s = asyncio.get_running_loop().time()
        connections = self._service.connections
        connections[self] = None
        if len(connections) > _CONNECTIONS_MAX:
            next(iter(connections)).abort()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._service.connections.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None

    def abort(self) -> None:
        """Drop the connection."""
        self._service.connections.pop(self, None)
        if self._transport is not None:
            self._transport.abort()

    def _wait(self) -> None:
        """Hang up on who asks nothing for long enough; one timer, not one for each message."""
        loop = asyncio.get_running_loop()
        left_s = self._active_s + _IDLE_S - loop.time()
        if left_s <= 0 and not self._busy:
            self.abort()
        else:
            self._timer = loop.call_later(max(left_s, 1.0), self._wait)

    def pause_writing(self) -> None:
        """The client does not read its answers: no more until it does."""
        self._choked = True

    def resume_writing(self) -> None:
        self._choked = False
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next()

    def _next(self) -> None:
        """Answer every whole message there is, in order."""
        while self._transport is not None and not (
            self._busy or self._choked or self._transport.is_closing()
        ):
            message = self._whole_message(self._transport)
            if message is None:
                break
            self._begin(message)
        if self._transport is not None and not self._transport.is_closing():
            if self._busy or self._choked:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _whole_message(self, transport: asyncio.Transport) -> bytes | None:
        if len(self._buffer) < 4:
            return None
        size = int.from_bytes(self._buffer[:4], "big")
        if size > KRB_MESSAGE_MAX:
            self._write(None if self._is_kpasswd else self._service.too_long())
            transport.close()
            return None
        if len(self._buffer) < 4 + size:
            return None
        message = bytes(self._buffer[4 : 4 + size])
        del self._buffer[: 4 + size]
        return message

    def _begin(self, message: bytes) -> None:
        """Answer a message now where that is possible, else in a task."""
        service, source = self._service, self._source
        if self._is_kpasswd:
            work = service.answer_kpasswd(message, source, self._local)
        elif service.inline:
            decided = self._decided(message, source)
            if service.is_settled(decided, source, self._port):
                self._answered(decided.reply)
                return
            work = service.settling(decided, message, source, self._port)
        else:
            work = service.answer(message, source, self._port)
        self._busy = True
        service.later(self._finish(work, source))

    def _decided(self, message: bytes, source: str) -> Answer:
        try:
            return self._service.answer_now(message, source)
        except Exception:
            _LOG.exception("request failed", extra={"fields": {"source": source}})
            return _SILENCE

    async def _finish(self, work: Coroutine[object, object, bytes | None], source: str) -> None:
        try:
            reply = await work
        except Exception:
            _LOG.exception("request failed", extra={"fields": {"source": source}})
            reply = None
        self._busy = False
        self._answered(reply)
        self._next()

    def _answered(self, reply: bytes | None) -> None:
        """Send a reply, or hang up where there is none."""
        if self._transport is None or self._transport.is_closing():
            return
        if reply is None:
            self._transport.close()
            return
        self._write(reply)
        self._active_s = asyncio.get_running_loop().time()

    def _write(self, reply: bytes | None) -> None:
        if reply is not None and self._transport is not None:
            self._transport.write(len(reply).to_bytes(4, "big") + reply)
