"""TKEY: clients make GSS-API contexts to sign updates with, and end them.

Kerberos alone, bare or in SPNEGO, as with Windows' server. Over UDP the answer is "come by TCP": tokens are
too big for datagrams, and who comes by TCP is where its address says, which the table's bounds count on.

Spec: RFC 2930 2, 3, 4.2; RFC 3645 3.1, 4.1; [MS-GSSA] 3.1.5.1
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Final

from addc.auth.acceptor import Acceptor, Mechanism
from addc.auth.counted import Place, counted_step
from addc.auth.gss import AuthError, NoKeysError
from addc.base.clock import Clock, to_unix
from addc.base.errors import AddcError
from addc.codec.dns_data import TkeyData
from addc.codec.dns_message import CLASS_ANY, Message, Record, encode_message, reply_to
from addc.codec.dns_names import Name, fold, name_text
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.dns import tsig
from addc.dns.refusal_log import RefusalLog
from addc.dns.tkey_table import CONTEXT_LIFE_S, PENDING_LIFE_S, STEPS_MAX, Context, Pending, TkeyTable
from addc.dns.tsig import GssKey, Stamp

_LOG: Final = logging.getLogger("addc.dns")
_GSS_API: Final = 3
_DELETE: Final = 5


class TkeyRefusedError(AddcError):
    """A request that gets no TKEY record back, but a response code."""

    def __init__(self, rcode: Rcode) -> None:
        super().__init__(rcode.name)
        self.rcode = rcode


@dataclass(frozen=True, slots=True)
class Asked:
    """A TKEY request. name: of the key, as the client spelled it."""

    message: Message
    name: Name
    data: TkeyData
    source: str


class Tkeys:
    """Makes and ends the contexts of clients."""

    def __init__(self, acceptor: Acceptor, clock: Clock) -> None:
        self.table = TkeyTable()
        self._acceptor = acceptor
        self._clock = clock
        self._refusals = RefusalLog(_LOG)
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, name: Name) -> Context | None:
        """The context of that name, whatever its case."""
        return self.table.find(fold(name), self._now_s())

    async def answer(self, message: Message, source: str, *, tcp: bool, signer: Context | None) -> bytes:
        """The reply, signed where a context was made. signer: the context that signed the request.

        Raises TkeyRefusedError where there is only a response code to send.
        """
        if not tcp:
            return encode_message(reply_to(message, tc=True))
        asked = _asked(message, source)
        if asked.data.mode == _GSS_API:
            return await self._negotiate(asked)
        if asked.data.mode == _DELETE:
            return self._delete(asked, signer)
        return _reply(asked, Rcode.BADMODE)

    def _now_s(self) -> int:
        return to_unix(self._clock.now())

    # --- mode 3 (RFC 3645 4.1) ---

    async def _negotiate(self, asked: Asked) -> bytes:
        if asked.data.algorithm not in tsig.GSS_ALGORITHMS:
            raise TkeyRefusedError(Rcode.REFUSED)
        now_s, name = self._now_s(), fold(asked.name)
        if self.table.find(name, now_s) is not None:
            return _reply(asked, Rcode.BADNAME)
        pending = self.table.going_on(name, asked.source, now_s)
        if pending is None:
            exchange = self._acceptor.context(mechanism=Mechanism.KERBEROS)
            pending = Pending(name, asked.source, asked.data.algorithm, exchange, now_s + PENDING_LIFE_S)
        if pending.busy or pending.steps >= STEPS_MAX or not asked.data.key:
            self.table.end(pending)
            return _reply(asked, Rcode.BADKEY)
        token = await self._stepped(pending, asked)
        if token is None:
            return _reply(asked, Rcode.BADKEY)
        if pending.exchange.complete:
            return self._established(asked, pending, token)
        known = self.table.going_on(name, asked.source, now_s) is pending
        if not known and not self.table.begin(pending, now_s):
            return _reply(asked, Rcode.BADKEY)
        return _reply(asked, Rcode.NOERROR, token)

    async def _stepped(self, pending: Pending, asked: Asked) -> bytes | None:
        """Our token for the client's; None where its proof does not hold."""
        place = Place("DNS", asked.source)
        pending.steps += 1
        pending.busy = True
        try:
            return await counted_step(
                self._acceptor.directory, pending.exchange, asked.data.key, place, self._own
            )
        except NoKeysError as error:
            _LOG.error("no Kerberos acceptor", extra={"fields": {"why": str(error)}})
            self.table.end(pending)
            raise TkeyRefusedError(Rcode.SERVFAIL) from None
        except AuthError as error:
            self._refused(asked, str(error))
            self.table.end(pending)
            return None
        finally:
            pending.busy = False

    def _refused(self, asked: Asked, why: str) -> None:
        self._refusals.tell("TKEY refused", {"source": asked.source, "why": why}, self._now_s())

    def _own(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _established(self, asked: Asked, pending: Pending, token: bytes) -> bytes:
        """Keep the context, and prove to the client that we have its key. Spec: RFC 3645 4.1.3"""
        self.table.end(pending)
        now_s = self._now_s()
        try:
            logon = pending.exchange.logon()
        except AuthError as error:
            self._refused(asked, str(error))
            return _reply(asked, Rcode.BADKEY)
        if logon.token.is_anonymous or self.table.find(pending.name, now_s) is not None:
            return _reply(asked, Rcode.BADKEY)
        life_s = min(CONTEXT_LIFE_S, CONTEXT_LIFE_S if logon.lifetime_s is None else logon.lifetime_s)
        exchange = pending.exchange.exchange
        key = GssKey(pending.name, pending.algorithm, exchange.sign, exchange.verify)
        context = Context(pending.name, key, logon.token, logon.principal, asked.source, now_s + life_s)
        self.table.add(context)
        fields = {"source": asked.source, "principal": logon.principal, "key": name_text(pending.name)}
        _LOG.info("TKEY made", extra={"fields": fields})
        timed = replace(asked, data=replace(asked.data, inception=now_s, expiration=context.until_s))
        return tsig.sign(_reply(timed, Rcode.NOERROR, token), key, Stamp(now_s)).data

    # --- mode 5 (RFC 2930 4.2) ---

    def _delete(self, asked: Asked, signer: Context | None) -> bytes:
        """End a context; only who can sign with it, or is the same account, may. The desk signs the reply."""
        if signer is None:
            raise TkeyRefusedError(Rcode.REFUSED)
        found = self.find(asked.name)
        if found is None:
            return _reply(asked, Rcode.BADNAME)
        if found.token.user != signer.token.user:
            raise TkeyRefusedError(Rcode.REFUSED)
        self.table.drop(found.name)
        return _reply(asked, Rcode.NOERROR)

    def close(self) -> None:
        """Let go of what nobody waits for."""
        for task in self._tasks:
            task.cancel()


def _asked(message: Message, source: str) -> Asked:
    """The request: its record is the last additional one, or the last answer of Windows 2000's clients."""
    if len(message.questions) != 1:
        raise TkeyRefusedError(Rcode.FORMERR)
    name = message.questions[0].name
    for section in (message.additional, message.answers):
        if section and isinstance(section[-1].data, TkeyData):
            record = section[-1]
            assert isinstance(record.data, TkeyData)
            if fold(record.owner) != fold(name):
                break
            return Asked(message, name, record.data, source)
    raise TkeyRefusedError(Rcode.FORMERR)


def _reply(asked: Asked, error: Rcode, token: bytes = b"") -> bytes:
    """A reply with a TKEY record; what is wrong stands in it, not in the header. Spec: RFC 2930 2.6"""
    data = replace(asked.data, error=int(error), key=token, other=b"")
    record = Record(asked.name, DnsType.TKEY, CLASS_ANY, 0, data)
    return encode_message(reply_to(asked.message, answers=(record,)))
