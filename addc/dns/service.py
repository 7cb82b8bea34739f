"""The DNS server of one process: what it answers itself, at once, and what others have to be asked for.

Replies to questions are kept and found again by their words (reply_cache.py) until a name that they depend on
changes; whoever reads a socket calls `freshen` first, after it has taken in what it is about to answer, so
that no reply is older than the question. Updates, transfers and whatever is signed go to the desk, names that
are not ours to the resolver.

Spec: RFC 1035 4, RFC 6891 6, 7, RFC 7873 5.2, RFC 8482 4.4, RFC 6895 2.2
"""

import logging
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Final

from addc.base.clock import to_unix
from addc.base.errors import AddcError, DecodeError, StoreError
from addc.codec.dns_message import (
    OPCODE_NOTIFY,
    OPCODE_QUERY,
    OPCODE_UPDATE,
    OPTION_COOKIE,
    OPTION_PADDING,
    Edns,
    Message,
    Question,
    decode_message,
    encode_message,
    error_reply,
    peek,
    reply_to,
)
from addc.codec.dns_names import Name, fold, pack_name
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.directory.dns_settings import DnsSettings
from addc.dns import copied_proofs, query_permissions, reply_orders
from addc.dns import reply as replies
from addc.dns.answer import CLASS_ANY, CLASS_IN, Answer, answer, folded
from addc.dns.cookies import CookieJar, is_well_formed
from addc.dns.counters import Count, Counters
from addc.dns.rate_limit import Kind, Network, RateLimiter, Rates, SigningRate, Verdict, is_within
from addc.dns.reply import Frame
from addc.dns.reply_cache import Kept, ReplyCache, Words, spelled, words_of
from addc.dns.surroundings import DnsServices, Later, Transport
from addc.dns.zone_memory import SOA_MARK, ZoneMemory
from addc.dns.zones import DirectoryZones
from addc.security.token import SYSTEM

_LOG: Final = logging.getLogger("addc.dns")
REPLIES_MAX: Final = 32_768
SIGNATURES_PER_S: Final = 500
"""Of one process, for datagrams that may be forged: some tenth of a processor."""
_SOURCES_MAX: Final = 65_536
_COOKIE_ROOM: Final = 28
_FRESH_REMOTE_S: Final = 0.01
"""How long what was seen last holds where a look at the store is a round trip over the network."""
_SIGNED_KEPT_S: Final = 300.0
_TABLES_KEPT_S: Final = 5.0
_COMPLAINT_S: Final = 10.0
SIGNED: Final[Name] = (SOA_MARK, b"\0signed")
"""What replies with signatures depend on, beside names: these age by themselves."""
COPIED: Final[Name] = (SOA_MARK, b"\0copied")
"""What replies from secondary zones depend on."""
_SIGNATURE_TYPES: Final = frozenset((DnsType.RRSIG,))
_DESK_TYPES: Final = frozenset((249, 251, 252))  # TKEY, IXFR, AXFR
_UNSERVED_TYPES: Final = frozenset((250, 253, 254))  # TSIG, MAILB, MAILA
_CLASS_CH: Final = 3
_NO_QUESTIONS: Final = frozenset((0, 41))  # what only stands for something else
_KEEPALIVE_UNIT_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class _Asked:
    """One query on its way. words: None where no reply of it is kept. options: of the reply."""

    data: bytes
    query: Message
    words: Words | None
    source: str
    transport: Transport
    options: tuple[tuple[int, bytes], ...]
    trusted: bool


class DnsService:
    """Answers one message at a time: at once where it can, later where somebody has to be asked."""

    def __init__(self, directory: Directory, services: DnsServices) -> None:
        self._directory = directory
        self._services = services
        self._counters = services.counters
        self._memory = ZoneMemory()
        self._jar = CookieJar(services.cookie_secret)
        self._caches = {
            (recursion, stream): ReplyCache(REPLIES_MAX)
            for recursion in (False, True)
            for stream in (False, True)
        }
        self.datagram_replies: dict[str, dict[bytes, Kept]] = {}
        """By client: replies by words, for those who read a socket; empty while rates are limited."""
        self.stream_replies: dict[str, dict[bytes, Kept]] = {}
        self._limiter: RateLimiter | None = None
        self._signing = SigningRate(SIGNATURES_PER_S)
        self._copies_version = -1
        self._fresh_until_s = 0.0
        self._signed_until_s = 0.0
        self._tables_until_s = 0.0
        self._quiet_until_s = 0.0

    @property
    def idle_s(self) -> float:
        """How long a connection may be silent."""
        return self._services.tcp_idle_s

    @property
    def counters(self) -> Counters:
        return self._counters

    def warm(self) -> None:
        """Learn what takes time to learn of large zones, before anybody asks."""
        self._directory.read_now("dns.warm", SYSTEM, self._memory.warm)

    # --- keeping up with the directory ---

    def freshen(self) -> None:
        """Forget what is no longer so, as of now."""
        directory, now_s = self._directory, self._services.monotonic_s()
        if now_s >= self._tables_until_s:
            self._age(now_s)
        copies = self._services.secondaries
        if copies is not None and copies.version != self._copies_version:
            self._copies_version = copies.version
            self._clear()
        if not directory.reads_inline:
            if now_s < self._fresh_until_s:
                return
            self._fresh_until_s = now_s + _FRESH_REMOTE_S
        try:
            if directory.commit_number() != self._memory.seq:
                directory.read_now("dns.follow", SYSTEM, self._follow)
        except AddcError:
            self._clear()  # nothing is known any more; each question fails by itself

    def _age(self, now_s: float) -> None:
        """Ask anew, at times, whom the resolver works for, and for signatures."""
        self._tables_until_s = now_s + _TABLES_KEPT_S
        self.datagram_replies.clear()
        self.stream_replies.clear()
        self._drop({COPIED})
        if now_s >= self._signed_until_s:
            self._signed_until_s = now_s + _SIGNED_KEPT_S
            self._drop({SIGNED})

    def _follow(self, ctx: ReadContext) -> None:
        before = self._memory.settings
        changed = self._memory.follow(ctx)
        if changed is None:
            self._clear()
            if self._memory.settings != before or self._limiter is None:
                self._limiter = _limiter(self._memory.settings, self._services.monotonic_s)
        elif changed:
            self._drop(changed)

    def _clear(self) -> None:
        for cache in self._caches.values():
            cache.clear()
        self.datagram_replies.clear()
        self.stream_replies.clear()

    def _drop(self, names: set[Name]) -> None:
        for cache in self._caches.values():
            cache.drop(names)

    # --- answering ---

    def answer_safely(self, data: bytes, source: str, transport: Transport) -> bytes | Later | None:
        """`answer_now`, and SERVFAIL where that fails: one bad query must not stop the others."""
        try:
            return self.answer_now(data, source, transport)
        except StoreError as error:
            self._complain(error)
            self._counters[Count.SERVFAIL] += 1
            return error_reply(data, Rcode.SERVFAIL)
        except Exception:
            _LOG.exception("DNS query failed", extra={"fields": {"source": source}})
            self._counters[Count.SERVFAIL] += 1
            return error_reply(data, Rcode.SERVFAIL)

    def _complain(self, error: StoreError) -> None:
        """Say that the directory cannot be read, not as often as it is asked for."""
        now_s = self._services.monotonic_s()
        if now_s >= self._quiet_until_s:
            self._quiet_until_s = now_s + _COMPLAINT_S
            _LOG.error("DNS cannot read the directory", extra={"fields": {"why": str(error)}})

    def answer_now(self, data: bytes, source: str, transport: Transport) -> bytes | Later | None:
        """A reply; or None for silence; or what has to be asked for elsewhere."""
        cache = self._cache_for(source, transport)
        words = words_of(data)
        if words is not None:
            kept = cache.by_words.get(words.key)
            if kept is not None:
                found = self._of_kept(kept, data, words, source, transport)
                if found is not None:
                    return found or None
        return self._answer(data, words, source, transport)

    def _cache_for(self, source: str, transport: Transport) -> ReplyCache:
        """The replies that a client is shown, who may have us ask others or may not."""
        resolver = self._services.resolver
        stream = transport is not Transport.UDP
        cache = self._caches[resolver is not None and resolver.offers(source), stream]
        table = self.stream_replies if stream else self.datagram_replies
        if source not in table and (stream or self._limiter is None):
            if len(table) >= _SOURCES_MAX:
                table.clear()
            table[source] = cache.by_words
        return cache

    def _of_kept(
        self, kept: Kept, data: bytes, words: Words, source: str, transport: Transport
    ) -> bytes | None:
        """A kept reply for this client; b"" for silence; None where it does not do."""
        options, trusted = self._options(words.options, source, transport)
        if options is None or (kept.networks is not None and not is_within(_packed(source), kept.networks)):
            return None
        self._counters[Count.KEPT_REPLIES] += 1
        body = kept.body or reply_orders.next_body(kept, _packed(source), self._memory.settings)
        reply = spelled(body, data, words.name_end)
        if options:
            reply = _with_options(reply, options)
        if transport is Transport.UDP and self._limiter is not None and not trusted:
            return self._limited(reply, kept.kind, kept.about, (source, words.name_end + 4)) or b""
        return reply

    def _limited(self, reply: bytes, kind: Kind, about: bytes, asked: tuple[str, int]) -> bytes | None:
        """The reply, or what the limit of rates leaves of it. asked: by whom; where the question ends."""
        assert self._limiter is not None
        source, question_end = asked
        verdict = self._limiter.judge(_packed(source), kind, about)
        if verdict is Verdict.SEND:
            return reply
        self._counters[Count.RATE_LIMITED] += 1
        if verdict is Verdict.DROP:
            return None
        return reply[:2] + bytes((reply[2] | 2, reply[3])) + reply[4:6] + bytes(6) + reply[12:question_end]

    def _options(
        self, asked: tuple[tuple[int, bytes], ...] | None, source: str, transport: Transport
    ) -> tuple[tuple[tuple[int, bytes], ...] | None, bool]:
        """The options of the reply, and whether the client showed a good cookie; None for a broken one."""
        if not asked:
            return (), False
        found: list[tuple[int, bytes]] = []
        trusted = False
        for code, value in asked:
            if code == OPTION_COOKIE:
                if not is_well_formed(value):
                    return None, False
                now_s = to_unix(self._services.clock.now())
                mine, trusted = self._jar.judge(value, _packed(source), now_s)
                found.append((OPTION_COOKIE, mine))
                self._counters[Count.COOKIES_GOOD if trusted else Count.COOKIES_BAD] += len(value) > 8
            elif code == replies.OPTION_KEEPALIVE and transport is not Transport.UDP:
                idle = min(round(self._services.tcp_idle_s / _KEEPALIVE_UNIT_S), 0xFFFF)
                found.append((code, idle.to_bytes(2, "big")))
            elif code == OPTION_PADDING and transport is Transport.TLS:
                found.append((code, b""))
        return tuple(found), trusted

    def _answer(
        self, data: bytes, words: Words | None, source: str, transport: Transport
    ) -> bytes | Later | None:
        """The reply to a query that none is kept for."""
        if len(data) < 12 or data[2] & 0x80:
            return None
        try:
            first = peek(data)
            if first.signed or first.opcode in (OPCODE_UPDATE, OPCODE_NOTIFY) or first.qtype in _DESK_TYPES:
                return self._to_desk(data, source, transport)
            if first.opcode != OPCODE_QUERY:
                return self._error(data, Rcode.NOTIMP)
            query = decode_message(data)
        except DecodeError:
            return self._error(data, Rcode.FORMERR)
        options, trusted = self._options(
            None if query.edns is None else query.edns.options, source, transport
        )
        asked = _Asked(data, query, words, source, transport, options or (), trusted)
        refusal = Rcode.FORMERR if options is None else _refusal(query)
        if refusal is not None:
            return self._said(asked, Answer(refusal, authoritative=False))
        if not query.questions:
            return self._said(asked, Answer(authoritative=False))  # who only wants a cookie
        if self._is_doubted(asked):
            self._counters[Count.RATE_LIMITED] += 1
            return replies.encode_truncated(self._frame(asked, query), Answer(authoritative=False))
        return self._look_up(asked)

    def _is_doubted(self, asked: _Asked) -> bool:
        """Whether a datagram asks for more signatures than forged senders get: a real one comes by TCP."""
        signer, edns = self._services.signatures, asked.query.edns
        if signer is None or edns is None or not edns.dnssec_ok:
            return False
        if asked.transport is not Transport.UDP or asked.trusted:
            return False
        return self._signing.is_used_up(signer.made, self._services.monotonic_s())

    def _to_desk(self, data: bytes, source: str, transport: Transport) -> bytes | Later | None:
        if self._services.desk is None:
            return self._error(data, Rcode.NOTIMP)
        return Later(data, source, transport, None)

    def _error(self, data: bytes, rcode: Rcode) -> bytes | None:
        self._count(rcode)
        return error_reply(data, rcode)

    def _count(self, rcode: int) -> None:
        count = _COUNTS.get(rcode)
        if count is not None:
            self._counters[count] += 1

    def _look_up(self, asked: _Asked) -> bytes | Later | None:
        """From our zones, or by the resolver."""
        query, resolver = asked.query, self._services.resolver
        question = query.questions[0]
        if asked.words is not None:
            question = Question(fold(question.name), question.qtype, question.qclass)
        found = self._own(question, query.edns)
        if found is None:
            return self._from_outside(asked)
        if found.networks is not None and not is_within(_packed(asked.source), found.networks):
            return self._said(asked, Answer(Rcode.REFUSED, authoritative=False))
        helps = resolver is not None and query.rd and resolver.offers(asked.source)
        leaves = found.reply.outside is not None and found.networks is None
        if helps and (leaves or found.reply.is_referral()):
            return self._from_outside(asked)
        self._counters[Count.OWN_REPLIES] += 1
        return self._keep(asked, question, found)

    def _from_outside(self, asked: _Asked) -> bytes | Later | None:
        resolver = self._services.resolver
        if resolver is None:
            return self._said(asked, Answer(Rcode.REFUSED, authoritative=False))
        reply = resolver.cached(asked.query, asked.source)
        if reply is None:
            return Later(asked.data, asked.source, asked.transport, asked.query)
        return self._told(asked, reply)

    def _own(self, question: Question, edns: Edns | None) -> "_Found | None":
        """What our zones say; None for a name that is not ours."""

        def work(ctx: ReadContext) -> _Found | None:
            self._follow(ctx)
            zones = DirectoryZones(ctx, self._memory, self._services.secondaries)
            zones.block(folded(question.name))
            reply = answer(question, zones)
            if reply is None:
                return None
            if any(zone.expired(ctx.now) for zone in zones.copied):
                reply = Answer(Rcode.SERVFAIL, authoritative=False)  # RFC 1034 4.3.5
                return _found(reply, zones, None, signed=False)
            networks = query_permissions.restrict(reply, zones)
            wanted = edns is not None and edns.dnssec_ok
            signer = self._services.signatures
            signed = False
            if signer is not None and (wanted or question.qtype in _SIGNATURE_TYPES):
                signed = signer.complete(reply, question, zones, to_unix(ctx.now))
            if zones.copied and wanted:
                copied_proofs.complete(reply, question, zones)
            return _found(reply, zones, networks, signed=signed)

        return self._directory.read_now("dns.query", SYSTEM, work)

    # --- replies ---

    def _frame(self, asked: _Asked, query: Message) -> Frame:
        resolver = self._services.resolver
        offered = resolver is not None and resolver.offers(asked.source)
        if asked.transport is not Transport.UDP:
            return Frame(query, offered, replies.STREAM_SIZE_MAX - 2 * replies.PADDED_TO)
        return Frame(query, offered, replies.udp_room(query), _COOKIE_ROOM if query.edns is not None else 0)

    def _said(self, asked: _Asked, reply: Answer) -> bytes | None:
        """A reply that is not kept."""
        self._count(reply.rcode)
        data = replies.encode(self._frame(asked, asked.query), reply)
        if asked.options and asked.query.edns is not None:
            data = _with_options(data, asked.options)
        if self._is_limited(asked):
            return self._limited(data, Kind.ERROR, b"", (asked.source, _question_end(asked.query)))
        return data

    def _is_limited(self, asked: _Asked) -> bool:
        return asked.transport is Transport.UDP and self._limiter is not None and not asked.trusted

    def _keep(self, asked: _Asked, question: Question, found: "_Found") -> bytes | None:
        """The reply, kept for whoever asks the same."""
        self._count(found.reply.rcode)
        words = asked.words
        if words is None:
            return self._said(asked, found.reply)
        wire = pack_name(question.name)
        frame = self._frame(asked, replace(asked.query, id=0, questions=(question,)))
        kept = Kept(words.key, None, words.name_end)
        kept.networks = found.networks
        if found.reply.rcode == Rcode.NOERROR:
            kept.about = wire
        else:
            kept.kind = Kind.NXDOMAIN if found.reply.rcode == Rcode.NXDOMAIN else Kind.ERROR
            kept.about = pack_name(found.apex)
        reply_orders.prepare(kept, frame, found.reply, self._memory.settings)
        cache = self._cache_for(asked.source, asked.transport)
        cache.put(kept, found.depends)
        answered = self._of_kept(kept, asked.data, words, asked.source, asked.transport)
        self._counters[Count.KEPT_REPLIES] -= 1
        return answered or None

    def _told(self, asked: _Asked, reply: Message) -> bytes | None:
        """The resolver's reply, cut to what the client takes, with our options."""
        self._counters[Count.OUTSIDE_REPLIES] += 1
        self._count(reply.rcode)
        frame = self._frame(asked, asked.query)
        if reply.edns is not None:
            options = (*reply.edns.options, *(one for one in asked.options if one[0] != OPTION_PADDING))
            edns = replace(reply.edns, udp_size=replies.UDP_SIZE_MAX, options=options)
            reply = replace(reply, edns=edns)
        data = encode_message(replace(reply, id=asked.query.id), frame.max_size)
        if reply.rcode == Rcode.REFUSED and self._is_limited(asked):
            return self._limited(data, Kind.ERROR, b"", (asked.source, _question_end(asked.query)))
        return data

    # --- what takes time ---

    async def finish(self, later: Later) -> AsyncIterator[bytes]:
        """The replies to a query that somebody has to be asked for."""
        query = later.query
        if query is None:
            assert self._services.desk is not None
            tcp = later.transport is not Transport.UDP
            async for one in self._services.desk.answer(later.data, later.source, tcp=tcp):
                yield one
            return
        assert self._services.resolver is not None
        asked_for = None if query.edns is None else query.edns.options
        options, trusted = self._options(asked_for, later.source, later.transport)
        asked = _Asked(later.data, query, None, later.source, later.transport, options or (), trusted)
        reply = self._told(asked, await self._services.resolver.resolve(query, later.source))
        if reply is not None:
            yield reply

    async def finish_safely(self, later: Later) -> AsyncIterator[bytes]:
        """`finish`, and SERVFAIL where that fails."""
        try:
            async for one in self.finish(later):
                yield one
        except Exception:
            _LOG.exception("DNS query failed", extra={"fields": {"source": later.source}})
            failed = error_reply(later.data, Rcode.SERVFAIL)
            if failed is not None:
                yield failed

    async def answer(self, data: bytes, source: str, *, tcp: bool) -> bytes | None:
        """The whole answer to an ordinary query, for the desk: it has seen and taken off the signature."""
        self.freshen()
        found = self.answer_safely(data, source, Transport.TCP if tcp else Transport.UDP)
        if not isinstance(found, Later):
            return found
        if found.query is None:
            return self._error(data, Rcode.NOTIMP)
        async for one in self.finish_safely(found):
            return one
        return None

    def local(self, name: Name, qtype: int, dnssec_ok: bool) -> Message | None:
        """What our zones say, for the resolver; None for a name outside them.

        The resolver's answers are for all of its clients: of a zone that is for some it only gets to know
        who the servers of its delegations are.
        """
        question = Question(name, qtype, CLASS_IN)
        found = self._own(question, Edns(dnssec_ok=dnssec_ok))
        if found is None:
            return None
        reply = found.reply
        if found.networks is not None and not reply.is_referral():
            reply = Answer(Rcode.REFUSED, authoritative=False)
        return reply_to(
            Message(questions=(question,)),
            rcode=int(reply.rcode), aa=reply.authoritative, answers=tuple(reply.answers),
            authority=tuple(reply.authority), additional=tuple(reply.additional),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Found:
    """What our zones said. apex: of the zone asked. networks: who may ask that, None for all."""

    reply: Answer
    apex: Name
    networks: tuple[Network, ...] | None
    depends: frozenset[Name]


def _found(
    reply: Answer, zones: DirectoryZones, networks: tuple[Network, ...] | None, *, signed: bool
) -> _Found:
    depends = set(zones.touched)
    for record in (*reply.answers, *reply.authority):
        if record.type == DnsType.SOA:
            depends.add((SOA_MARK, *folded(record.owner)))
    if zones.copied:
        depends.add(COPIED)
    if signed:
        depends.add(SIGNED)
    first = next(iter((*zones.used, *zones.copied)), None)
    return _Found(reply, () if first is None else first.apex, networks, frozenset(depends))


def _refusal(query: Message) -> Rcode | None:
    """Why a query is not looked up at all."""
    if query.edns is not None and query.edns.version > 0:
        return Rcode.BADVERS
    if len(query.questions) != 1:
        only_cookie = query.edns is not None and query.edns.option(OPTION_COOKIE) is not None
        return None if not query.questions and only_cookie else Rcode.FORMERR
    question = query.questions[0]
    if question.qtype in _NO_QUESTIONS:
        return Rcode.FORMERR
    if question.qtype in _UNSERVED_TYPES:
        return Rcode.NOTIMP
    if question.qclass == _CLASS_CH:  # what other servers tell of themselves
        return Rcode.REFUSED
    return None if question.qclass in (CLASS_IN, CLASS_ANY) else Rcode.NOTIMP


def _question_end(query: Message) -> int:
    """Where the question of a reply ends."""
    return 12 + sum(len(pack_name(one.name)) + 4 for one in query.questions)


def _with_options(reply: bytes, options: tuple[tuple[int, bytes], ...]) -> bytes:
    if any(code == OPTION_PADDING for code, _ in options):
        return replies.padded(reply, [one for one in options if one[0] != OPTION_PADDING])
    return replies.with_options(reply, options)


def _packed(source: str) -> bytes:
    """An address's octets; an IPv4 address in IPv6 clothes as itself."""
    if ":" not in source:
        return socket.inet_aton(source)
    packed = socket.inet_pton(socket.AF_INET6, source.partition("%")[0])
    return packed[12:] if packed[:12] == bytes(10) + b"\xff\xff" else packed


def _limiter(settings: DnsSettings, monotonic_s: Callable[[], float]) -> RateLimiter | None:
    if not settings.rate_limit:
        return None
    rates = Rates(
        settings.rate_answers_per_s, settings.rate_errors_per_s, settings.rate_window_s,
        settings.rate_truncate_every, settings.rate_leak_every, settings.rate_v4_prefix,
        settings.rate_v6_prefix, tuple(ip_network(one, strict=False) for one in settings.rate_exempt),
    )  # fmt: skip
    return RateLimiter(rates, monotonic_s)


_COUNTS: Final = {
    int(Rcode.NXDOMAIN): Count.NXDOMAIN,
    int(Rcode.REFUSED): Count.REFUSED,
    int(Rcode.SERVFAIL): Count.SERVFAIL,
    int(Rcode.FORMERR): Count.FORMERR,
    int(Rcode.NOTIMP): Count.NOTIMP,
}
