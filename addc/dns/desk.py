"""The one place for what needs one memory: TKEY contexts, signatures, updates, transfers and NOTIFY.

Workers hand messages in as they came, and get replies back, signed where the request was. Who signed is
judged here and nowhere else. One desk serves all workers (dns/relay.py), so that a context that one worker
heard of is good at the next one too.

Spec: RFC 8945 5; RFC 2136 3.8; RFC 3645; [MS-GSSA] 3.1.5.3
"""

import logging
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

from addc.auth.acceptor import Acceptor
from addc.base.clock import Clock, to_unix
from addc.base.errors import AddcError, DecodeError
from addc.base.secret import Secret
from addc.codec.dns_message import (
    HEADER_SIZE,
    OPCODE_NOTIFY,
    OPCODE_QUERY,
    OPCODE_UPDATE,
    Message,
    TsigRecord,
    decode_message,
    encode_message,
    error_reply,
    reply_to,
    without_tsig,
)
from addc.codec.dns_names import Name, fold, name_text, parse_name
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.directory.api import Directory
from addc.directory.context import WriteContext
from addc.directory.dns_tsig_keys import TsigKeyFacts, tsig_key
from addc.dns import tsig, update, update_zone
from addc.dns.counters import Count, Counters
from addc.dns.refusal_log import RefusalLog
from addc.dns.replays import Replays
from addc.dns.tkey import TkeyRefusedError, Tkeys
from addc.dns.tkey_table import Context
from addc.dns.tsig import HmacKey, Stamp, StreamSigner, TsigKey
from addc.dns.update import UpdateError
from addc.dns.update_zone import NOBODY, Plan, Updater
from addc.security.token import SYSTEM

_LOG: Final = logging.getLogger("addc.dns")
_TRANSFERS: Final = frozenset((DnsType.AXFR, DnsType.IXFR))
_UDP_SIZE_MIN: Final = 512
_UDP_SIZE_MAX: Final = 4096
_TC: Final = 0x02


class Transfers(Protocol):
    """Transfers out and NOTIFY in, of messages without their signature.

    key: name of the static key that signed the request; "" for none.
    """

    def answer(self, message: Message, source: str, *, tcp: bool, key: str = "") -> AsyncIterator[bytes]:
        """Unsigned messages, each with room for a signature; none for silence."""

    async def notified(self, message: Message, source: str, *, key: str = "") -> bytes:
        """The unsigned reply to a NOTIFY."""


Query = Callable[[bytes, str, bool], Awaitable[bytes | None]]
"""A query without its signature, its source and whether it came by TCP: the reply, None for silence."""


@dataclass(frozen=True, slots=True)
class DeskServices:
    """What the desk works with. acceptor: judges clients' Kerberos."""

    acceptor: Acceptor
    clock: Clock
    counters: Counters


@dataclass(frozen=True, slots=True)
class DeskHooks:
    """What others do with what the desk has judged; what is None gets the protocol's own "not supported".

    query: signed queries. updated: called after a zone was changed by an update.
    is_secondary: whether a zone, by its folded apex, is another server's that we have a copy of.
    """

    query: Query | None = None
    transfers: Transfers | None = None
    updated: Callable[[Name], None] | None = None
    is_secondary: Callable[[Name], bool] | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """Who proved itself by a message's signature. context or facts: of a GSS-API context or a static key."""

    key: TsigKey
    record: TsigRecord
    context: Context | None = None
    facts: TsigKeyFacts | None = None

    @property
    def updater(self) -> Updater:
        return Updater(None if self.context is None else self.context.token, self.facts)


@dataclass(frozen=True, slots=True)
class _Request:
    """A message that was judged. data: as it came."""

    data: bytes
    message: Message
    source: str
    tcp: bool
    signer: Signer | None


class Desk:
    """Answers what workers cannot. One at most in a server."""

    def __init__(self, directory: Directory, services: DeskServices, hooks: DeskHooks) -> None:
        self._directory = directory
        self._clock = services.clock
        self._counters = services.counters
        self._hooks = hooks
        self.tkeys = Tkeys(services.acceptor, services.clock)
        self._replays = Replays()
        self._refusals = RefusalLog(_LOG)

    def close(self) -> None:
        """No more answers are wanted."""
        self.tkeys.close()

    async def answer(self, data: bytes, source: str, *, tcp: bool) -> AsyncGenerator[bytes, None]:
        """The replies to a message as it came: one, many to a transfer, none for silence."""
        try:
            async with aclosing(self._answered(data, source, tcp=tcp)) as replies:
                async for reply in replies:
                    yield reply
        except Exception:
            _LOG.exception("DNS request failed", extra={"fields": {"source": source}})
            failed = error_reply(data, Rcode.SERVFAIL)
            if failed is not None:
                yield failed

    async def _answered(self, data: bytes, source: str, *, tcp: bool) -> AsyncGenerator[bytes, None]:
        if _is_too_much(data):
            self._counters[Count.UPDATES] += 1
            self._counters[Count.UPDATES_REFUSED] += 1
            yield _echoed(data, Rcode.REFUSED)
            return
        try:
            message = decode_message(data)
        except DecodeError:
            refused = error_reply(data, Rcode.FORMERR)
            if refused is not None:
                yield refused
            return
        if message.qr:
            return
        signer: Signer | None = None
        if message.tsig is not None:
            found = self._judged(data, message, message.tsig)
            if isinstance(found, bytes):
                self._counters[Count.TSIG_BAD] += 1
                yield found
                return
            signer = found
        request = _Request(data, message, source, tcp, signer)
        qtype = message.questions[0].qtype if len(message.questions) == 1 else -1
        if message.opcode == OPCODE_QUERY and qtype in _TRANSFERS:
            async with aclosing(self._transfer(request)) as replies:
                async for reply in replies:
                    yield reply
            return
        one = await self._one_reply(request, qtype)
        if one is not None:
            yield one

    async def _one_reply(self, request: _Request, qtype: int) -> bytes | None:
        opcode = request.message.opcode
        if opcode == OPCODE_UPDATE:
            return await self._update(request)
        if opcode == OPCODE_NOTIFY:
            return await self._notify(request)
        if opcode == OPCODE_QUERY:
            return await (self._tkey(request) if qtype == DnsType.TKEY else self._query(request))
        return self._signed(request, _refusal(request.message, Rcode.NOTIMP))

    def _now_s(self) -> int:
        return to_unix(self._clock.now())

    # --- signatures ---

    def _judged(self, data: bytes, message: Message, record: TsigRecord) -> Signer | bytes:
        """Who signed; or the reply that says why that is not believed. Spec: RFC 8945 5.2"""
        signer = self._signer(record)
        if signer is None:
            return _not_believed(data, message, record, Rcode.BADKEY)
        found = tsig.verify(data, record, signer.key, self._now_s())
        match found:
            case Rcode.NOERROR:
                return signer
            case Rcode.FORMERR:
                return error_reply(data, Rcode.FORMERR) or b""
            case Rcode.BADTIME | Rcode.BADTRUNC if signer.context is None:
                reply = encode_message(_refusal(message, Rcode.NOTAUTH))
                if found is Rcode.BADTIME:
                    return tsig.bad_time(reply, record, signer.key, self._now_s()).data
                stamp = Stamp(self._now_s(), record.data.mac, found)
                return tsig.sign(reply, signer.key, stamp).data
        return _not_believed(data, message, record, found)

    def _signer(self, record: TsigRecord) -> Signer | None:
        """The key that a signature names; its algorithm is compared with the signature.

        Contexts have the names that clients gave them, which may be those of static keys: who means which is
        told by the algorithm, so that nobody hides a key by giving a context its name.
        """
        if record.data.algorithm.lower() in tsig.GSS_ALGORITHMS:
            context = self.tkeys.find(record.owner)
            return None if context is None else Signer(context.key, record, context=context)
        name = name_text(fold(record.owner))
        facts = self._directory.read_now("dns.key", SYSTEM, lambda ctx: tsig_key(ctx, name))
        if facts is None or facts.algorithm not in tsig.HMAC_ALGORITHMS:
            return None
        return Signer(hmac_key(facts), record, facts=facts)

    def _signed(self, request: _Request, reply: bytes | Message) -> bytes:
        """The reply with a signature, where the request had one; truncated where UDP has no room for both."""
        signer = request.signer
        data = encode_message(reply) if isinstance(reply, Message) else reply
        if signer is None:
            return data
        edns = request.message.edns
        limit = _UDP_SIZE_MIN if edns is None else min(max(edns.udp_size, _UDP_SIZE_MIN), _UDP_SIZE_MAX)
        if not request.tcp and len(data) + tsig.room_for(signer.key) > limit:
            data = _truncated(data, request.message)
        return tsig.sign(data, signer.key, Stamp(self._now_s(), signer.record.data.mac)).data

    # --- what is asked ---

    async def _tkey(self, request: _Request) -> bytes:
        """RFC 2930, RFC 3645."""
        self._counters[Count.TKEYS] += 1
        context = None if request.signer is None else request.signer.context
        try:
            reply = await self.tkeys.answer(request.message, request.source, tcp=request.tcp, signer=context)
        except TkeyRefusedError as refused:
            self._counters[Count.TKEYS_REFUSED] += 1
            return _echoed(request.data, refused.rcode)
        return self._signed(request, reply) if request.signer is not None else reply

    async def _query(self, request: _Request) -> bytes | None:
        """A question that any server answers, but signed."""
        if self._hooks.query is None:
            return self._signed(request, _refusal(request.message, Rcode.NOTIMP))
        tsig_record = request.message.tsig
        plain = request.data if tsig_record is None else without_tsig(request.data, tsig_record)
        reply = await self._hooks.query(plain, request.source, request.tcp)
        return None if reply is None else self._signed(request, request.data[:2] + reply[2:])

    async def _notify(self, request: _Request) -> bytes:
        if self._hooks.transfers is None:
            return self._signed(request, _refusal(request.message, Rcode.NOTIMP))
        reply = await self._hooks.transfers.notified(request.message, request.source, key=_key_name(request))
        return self._signed(request, reply)

    async def _transfer(self, request: _Request) -> AsyncGenerator[bytes, None]:
        """A zone's copy, each message signed. Spec: RFC 8945 5.3.1"""
        if self._hooks.transfers is None:
            yield self._signed(request, _refusal(request.message, Rcode.NOTIMP))
            return
        messages = self._hooks.transfers.answer(
            request.message, request.source, tcp=request.tcp, key=_key_name(request)
        )
        if not request.tcp or request.signer is None:
            async for data in messages:
                yield self._signed(request, data)
            return
        stream = StreamSigner(request.signer.key, request.signer.record.data.mac)
        async for data in messages:
            yield stream.sign(data, self._now_s())

    # --- updates (RFC 2136 3) ---

    async def _update(self, request: _Request) -> bytes:
        counters = self._counters
        counters[Count.UPDATES] += 1
        signature = None if request.signer is None else request.signer.record
        if signature is not None and self._replays.is_known(signature):
            counters[Count.UPDATES_EMPTY] += 1
            return self._signed(request, reply_to(request.message))
        try:
            changed = await self._updated(request)
        except UpdateError as refused:
            counters[Count.UPDATES_REFUSED] += 1
            fields = {"source": request.source, "rcode": refused.rcode.name, "why": refused.why}
            self._refusals.tell("update refused", fields, self._now_s())
            if request.signer is None:
                return _echoed(request.data, refused.rcode)
            return self._signed(request, _refusal(request.message, refused.rcode))
        counters[Count.UPDATES_DONE if changed else Count.UPDATES_EMPTY] += 1
        counters[Count.UPDATES_SECURE] += request.signer is not None
        if signature is not None:
            self._replays.remember(signature, self._now_s())
        return self._signed(request, reply_to(request.message))

    async def _updated(self, request: _Request) -> bool:
        """Whether an update changed anything. Raises UpdateError."""
        message = request.message
        who = NOBODY if request.signer is None else request.signer.updater
        is_secondary = self._hooks.is_secondary
        if is_secondary is not None and is_secondary(update.zone_of(message)):
            raise UpdateError(Rcode.NOTIMP, "a copy of another server's zone, and updates are not forwarded")
        looked = await self._directory.read(
            "dns.update.look", SYSTEM, lambda ctx: update_zone.planned(ctx, message, who), point=True
        )
        if not looked.wanted:
            return False

        def work(ctx: WriteContext) -> Plan:
            return update_zone.perform(ctx, message, who)

        try:
            plan = await self._directory.write("dns.update", SYSTEM, work)
        except UpdateError:
            raise
        except AddcError as error:
            _LOG.error("update failed", extra={"fields": {"why": str(error)}})
            raise UpdateError(Rcode.SERVFAIL, "the directory failed") from None
        self._tell(request, plan)
        return True

    def _tell(self, request: _Request, plan: Plan) -> None:
        context = None if request.signer is None else request.signer.context
        fields = {
            "source": request.source,
            "zone": plan.zone.name,
            "names": ",".join(plan.wanted),
            "by": context.principal if context is not None else _key_name(request) or "nobody",
        }
        _LOG.info("updated", extra={"fields": fields})
        if self._hooks.updated is not None:
            self._hooks.updated(plan.zone.apex)


def hmac_key(facts: TsigKeyFacts) -> HmacKey:
    """What signs with a static key."""
    return HmacKey(parse_name(facts.name), facts.algorithm, Secret(facts.secret.reveal()))


def _key_name(request: _Request) -> str:
    facts = None if request.signer is None else request.signer.facts
    return "" if facts is None else facts.name


def _refusal(message: Message, rcode: Rcode) -> Message:
    return reply_to(message, rcode=int(rcode))


def _not_believed(data: bytes, message: Message, record: TsigRecord, error: Rcode) -> bytes:
    """The reply to a signature that does not hold.

    Who means to sign by GSS-API gets the message back with REFUSED, as from Windows' server, and begins with
    TKEY anew; others get NOTAUTH and the error in an unsigned record (RFC 8945 5.3.2).
    """
    if record.data.algorithm.lower() in tsig.GSS_ALGORITHMS:
        return _echoed(data, Rcode.REFUSED)
    return tsig.without_signature(encode_message(_refusal(message, Rcode.NOTAUTH)), record, error)


def _is_too_much(data: bytes) -> bool:
    """Whether an update without any signature has more records than are read for nobody in particular."""
    if len(data) < HEADER_SIZE or data[2] & 0xF8 != OPCODE_UPDATE << 3:
        return False
    prerequisites, changes, additional = struct.unpack_from("!3H", data, 6)
    return not additional and prerequisites + changes > update_zone.UNSIGNED_RECORDS_MAX


def _echoed(data: bytes, rcode: Rcode) -> bytes:
    """The message as it came, as a reply with this code: how Windows refuses ([MS-GSSA] 3.1.5.3, note 1)."""
    return data[:2] + bytes((data[2] | 0x80, data[3] & 0x70 | int(rcode))) + data[4:]


def _truncated(data: bytes, message: Message) -> bytes:
    """Only what a reply's header says, and that there is more by TCP."""
    reply = encode_message(reply_to(message))
    head = data[:2] + bytes((data[2] | _TC, data[3])) + reply[4:HEADER_SIZE]
    return head + reply[HEADER_SIZE:]
