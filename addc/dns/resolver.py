"""Answers that other servers have to give: found for whom we ask, kept, and asked for once at a time.

One resolver per process. It follows the directory and the settings by looking; it owns the tasks that look
for answers, so that a client that goes away ends nobody else's question.

Spec: RFC 1034 5.3, RFC 4035 3.2, 4, RFC 5358 4, RFC 8914 (why an answer failed), RFC 9520 (failures kept)
"""

import asyncio
import logging
import struct
from collections import OrderedDict
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar

from addc.base.clock import Clock, to_unix
from addc.base.rng import Rng
from addc.codec.dns_message import CLASS_IN, OPTION_EXTENDED_ERROR, Edns, Message, Record
from addc.codec.dns_names import Name, fold
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.dns.counters import Count, Counters, alone
from addc.dns.exchange import UDP_SIZE
from addc.dns.forward import Forwarder
from addc.dns.recursion import FAILED, Ask, Budget, Heard, Local, Outcome, Recursion
from addc.dns.recursion_acl import KnownSources, Network, RecursionAcl, attached_networks
from addc.dns.reply_reading import QTYPE_ANY
from addc.dns.resolver_cache import CacheLimits, ResolverCache
from addc.dns.resolver_zones import Own, Plan, read_plan
from addc.dns.upstream import Upstream
from addc.dns.upstream_sockets import Monotonic
from addc.dns.validator import Beliefs, Security, Validator, ZoneMemory
from addc.security.token import SYSTEM

_LOG: Final = logging.getLogger("addc.dns")
LOOK_S: Final = 0.5
"""How long a change of settings or zones may go unseen."""
_LOOK_PAUSE: Final = 50
"""After a look that took long, as with a thousand zones, so many times that long nobody looks again."""
QUESTIONS_MAX: Final = 1024
"""Different questions under way."""
WAITING_MAX: Final = 8192
WAITING_OF_ONE_MAX: Final = 512
"""Clients that wait for answers, together and from one address."""
CHECKED_QUERIES_MAX: Final = 96
"""Queries for a question whose answer is validated: keys are asked for too."""
VERDICTS_MAX: Final = 50_000
READY_MAX: Final = 4096
"""Answers put together in this second, in which no TTL changes."""
_ROUTES: Final = (Path("/proc/net/route"), Path("/proc/net/ipv6_route"))
_PROOF_TYPES: Final = frozenset({DnsType.RRSIG, DnsType.NSEC, DnsType.NSEC3})
_META_TYPES: Final = frozenset(range(128, 255)) | {0, 41}

T = TypeVar("T")


class Why:
    """INFO-CODE of an extended error, RFC 8914 4."""

    BOGUS: Final = 6
    PROHIBITED: Final = 18
    NOT_READY: Final = 14
    NO_REACHABLE_AUTHORITY: Final = 22


@dataclass(frozen=True, slots=True)
class ResolverServices:
    """What a resolver is given. own: addresses of this DC. configured: config.json's forwarders."""

    rng: Rng
    clock: Clock
    own: frozenset[str]
    port: int = 53
    configured: tuple[Forwarder, ...] = ()
    counters: Counters = field(default_factory=alone)
    monotonic: Monotonic | None = None


class Resolver:
    """Finds answers that our own zones do not have."""

    def __init__(self, directory: Directory, services: ResolverServices) -> None:
        self.local: Local = lambda *_: None
        self._directory = directory
        self._services = services
        self._counters = services.counters
        self._monotonic = services.monotonic or _loop_time
        self._own = Own(services.own, services.port, services.configured)
        self._plan: Plan | None = None
        self._plan_seq = -1
        self._looked_s = float("-inf")
        self._pause_s = LOOK_S
        self._cache = ResolverCache(CacheLimits())
        self._upstream = Upstream.of(services.rng, self._monotonic, services.counters)
        self._sources = KnownSources(RecursionAcl(()))
        self._zones = ZoneMemory()
        self._verdicts: OrderedDict[tuple[Name, int], tuple[Security, float]] = OrderedDict()
        self._ready: dict[tuple[Name, int, bool], Outcome] = {}
        self._ready_at = -1
        self._running: dict[tuple[Name, int, bool], asyncio.Task[Outcome]] = {}
        self._waiting = 0
        self._waiting_of: dict[str, int] = {}
        self._coalesced = 0

    # --- for the service ---

    def offers(self, source: str) -> bool:
        """Whether this client may have us ask others (the RA bit of its answers)."""
        plan = self._follow()
        return plan.can_ask and self._sources.allows(source)

    def cached(self, request: Message, source: str) -> Message | None:
        """The reply where nobody has to be asked and nothing waited for; else None."""
        plan = self._follow()
        refused = self._refusal(plan, request, source)
        if refused is not None:
            return refused
        question = request.questions[0]
        now = int(self._monotonic())
        if now != self._ready_at or len(self._ready) >= READY_MAX:
            self._ready.clear()
            self._ready_at = now
        key = (fold(question.name), question.qtype, request.cd)
        outcome = self._ready.get(key)
        if outcome is None:
            outcome = self._from_cache(plan, key[0], key[1], lax=request.cd)
            if outcome is None:
                return None
            self._ready[key] = outcome
        self._counters[Count.CACHE_HITS] += 1
        return _reply(request, outcome)

    async def resolve(self, request: Message, source: str) -> Message:
        """The whole reply to a question that our zones do not answer, from others or the cache."""
        found = self.cached(request, source)
        if found is not None:
            return found
        self._counters[Count.CACHE_MISSES] += 1
        if self._waiting >= WAITING_MAX or self._waiting_of.get(source, 0) >= WAITING_OF_ONE_MAX:
            return _failure(request, Rcode.SERVFAIL, Why.NOT_READY)
        question = request.questions[0]
        self._waiting += 1
        self._waiting_of[source] = self._waiting_of.get(source, 0) + 1
        try:
            task = self._task_for((fold(question.name), question.qtype, request.cd))
            if task is None:
                return _failure(request, Rcode.SERVFAIL, Why.NOT_READY)
            return _reply(request, await asyncio.shield(task))
        finally:
            self._waiting -= 1
            self._waiting_of[source] -= 1
            if not self._waiting_of[source]:
                del self._waiting_of[source]

    def figures(self) -> dict[str, int]:
        """What the resolver holds now; what it counts is in the counters."""
        return {
            "entries": len(self._cache),
            "bytes": self._cache.size_bytes,
            "questions": len(self._running),
            "waiting": self._waiting,
            "coalesced": self._coalesced,
        }

    def close(self) -> None:
        """End what is under way."""
        for task in self._running.values():
            task.cancel()
        self._upstream.close()

    # --- what holds ---

    def _follow(self) -> Plan:
        """The settings and zones of now, looked at not more often than every LOOK_S."""
        now_s = self._monotonic()
        if self._plan is not None and now_s - self._looked_s < self._pause_s:
            return self._plan
        self._looked_s = now_s

        def work(ctx: ReadContext) -> tuple[int, Plan | None]:
            if ctx.tx.seq == self._plan_seq:
                return self._plan_seq, None
            return ctx.tx.seq, read_plan(ctx, replace(self._own, attached=_attached()))

        self._plan_seq, plan = self._directory.read_now("dns.resolver", SYSTEM, work)
        if plan is not None:
            self._pause_s = max(LOOK_S, (self._monotonic() - now_s) * _LOOK_PAUSE)
            self._adopt(plan)
        assert self._plan is not None
        return self._plan

    def _adopt(self, plan: Plan) -> None:
        """Heed new settings; what was learned under others of those that matter for it is forgotten."""
        before, wanted = self._plan, plan.settings
        if before is None or before.networks != plan.networks:
            self._sources = KnownSources(RecursionAcl(plan.networks))
        self._plan = plan
        if before is None or _learned_under(before) != _learned_under(plan):
            self._cache.clear()
            self._ready.clear()
            self._verdicts.clear()
            self._zones = ZoneMemory()
            self._cache.limits = CacheLimits(
                max(wanted.cache_entries_max, 1),
                max(wanted.cache_kb_max, 1) << 10,
                wanted.max_cache_ttl_s,
                wanted.max_negative_ttl_s,
            )

    def _refusal(self, plan: Plan, request: Message, source: str) -> Message | None:
        """Why nobody is asked for this client: a stranger, no question for others, a server we would ask."""
        question = request.questions[0]
        if not request.rd or not plan.can_ask or not self._sources.allows(source):
            return _failure(request, Rcode.REFUSED, Why.PROHIBITED)
        if question.qclass != CLASS_IN:
            return _failure(request, Rcode.REFUSED, Why.PROHIBITED)
        if question.qtype in _META_TYPES:
            return _failure(request, Rcode.NOTIMP, Why.PROHIBITED)
        route = plan.world.route_of(fold(question.name))
        if route is not None and any(source == server.address for server in route.servers):
            return _failure(request, Rcode.REFUSED, Why.PROHIBITED)  # it would come back to us
        return None

    # --- finding ---

    def _from_cache(self, plan: Plan, name: Name, qtype: int, *, lax: bool) -> Outcome | None:
        """What is known; where answers are validated only what was found good, and has not aged since."""
        checks = plan.settings.validate and not lax
        outcome = self._recursion(plan, lax=lax or checks).from_cache(name, qtype)
        if outcome is None or not checks:
            return outcome
        security, until_s = self._verdicts.get((name, qtype), (Security.BOGUS, 0.0))
        if security is Security.BOGUS or until_s <= self._monotonic():
            return None
        return replace(outcome, authentic=security is Security.SECURE)

    def _task_for(self, key: tuple[Name, int, bool]) -> asyncio.Task[Outcome] | None:
        """The search for an answer, begun now or by another client; None where too many are under way."""
        task = self._running.get(key)
        if task is not None:
            self._coalesced += 1
            return task
        if len(self._running) >= QUESTIONS_MAX:
            return None
        task = self._running[key] = asyncio.get_running_loop().create_task(self._find(*key))
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: tuple[Name, int, bool], task: asyncio.Task[Outcome]) -> None:
        if self._running.get(key) is task:
            del self._running[key]

    async def _find(self, name: Name, qtype: int, lax: bool) -> Outcome:
        """The outcome of one question; a bug in looking for it fails this one alone."""
        plan = self._follow()
        checks = plan.settings.validate and not lax
        steps = (
            self._checked(plan, name, qtype)
            if checks
            else self._recursion(plan, lax=lax).resolve(name, qtype)
        )
        try:
            async with asyncio.timeout(plan.settings.recursion_timeout_s):
                return await self._drive(steps, plan)
        except TimeoutError:
            self._cache.failed(name, qtype, self._monotonic(), lax=lax)
            return FAILED
        except Exception:
            _LOG.exception("resolving failed", extra={"fields": {"qtype": qtype}})
            return FAILED

    def _recursion(self, plan: Plan, *, lax: bool, budget: Budget | None = None) -> Recursion:
        now_s = self._monotonic()
        return Recursion(
            plan.world, self._cache, self._upstream.health, self.local, now_s, lax=lax, budget=budget
        )

    def _checked(self, plan: Plan, name: Name, qtype: int) -> Generator[Ask, Heard, Outcome]:
        """An answer that was validated; SERVFAIL for one that does not hold (RFC 4035 5.5)."""
        if self._cache.has_failed(name, qtype, self._monotonic()):
            return FAILED
        recursion = self._recursion(plan, lax=True, budget=Budget(queries=CHECKED_QUERIES_MAX))
        outcome = yield from recursion.resolve(name, qtype)
        if not outcome.complete:
            return outcome
        validator = Validator(
            Beliefs(
                plan.anchors, plan.private, lambda owner: self.local(owner, DnsType.SOA, False) is not None
            ),
            self._zones,
            lambda owner, kind: recursion.resolve(owner, kind, 1),
            now_s=to_unix(self._services.clock.now()),
            loop_s=self._monotonic(),
        )
        security = yield from validator.check(name, qtype, outcome)
        if security is Security.BOGUS:
            self._counters[Count.BOGUS] += 1
            for owner, kind in {(r.owner, r.type) for r in outcome.answers} | {(name, qtype)}:
                self._cache.forget(owner, kind, lax=True)
            self._cache.failed(name, qtype, self._monotonic())
            return replace(FAILED, why=Why.BOGUS)
        self._remember(name, qtype, security, outcome)
        return replace(outcome, authentic=security is Security.SECURE)

    def _remember(self, name: Name, qtype: int, security: Security, outcome: Outcome) -> None:
        """A verdict holds as long as what it is about."""
        left_s = min((r.ttl_s for r in (*outcome.answers, *outcome.authority)), default=0)
        while len(self._verdicts) >= VERDICTS_MAX:
            self._verdicts.popitem(last=False)
        self._verdicts[name, qtype] = security, self._monotonic() + left_s

    async def _drive(self, steps: Generator[Ask, Heard, T], plan: Plan) -> T:
        """Carry out what a question asks for, step by step."""
        try:
            ask = next(steps)
            while True:
                heard = await self._upstream.ask(ask, mix_case=plan.settings.randomise_case)
                ask = steps.send(heard)
        except StopIteration as done:
            found: T = done.value
            return found


def _learned_under(plan: Plan) -> tuple[object, ...]:
    """All that decides what gets into the cache."""
    held = plan.settings
    limits = (held.cache_entries_max, held.cache_kb_max, held.max_cache_ttl_s, held.max_negative_ttl_s)
    return plan.world, plan.anchors, plan.private, held.validate, held.cache_generation, limits


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _attached() -> tuple[Network, ...]:
    """The networks of this host's interfaces; none where the system does not tell."""
    texts = []
    for path in _ROUTES:
        try:
            texts.append(path.read_text())
        except OSError:
            texts.append("")
    return attached_networks(*texts)


def _reply(request: Message, outcome: Outcome) -> Message:
    """The outcome as this client wants it: proofs only for who asked for them (RFC 4035 3.2.1)."""
    if outcome is FAILED or outcome.rcode == Rcode.SERVFAIL:
        return _failure(request, Rcode.SERVFAIL, outcome.why or Why.NO_REACHABLE_AUTHORITY)
    wants_proof = request.edns is not None and request.edns.dnssec_ok
    answers, authority = outcome.answers, outcome.authority
    if not wants_proof:
        qtype = request.questions[0].qtype
        answers = _without_proofs(answers, qtype)
        authority = _without_proofs(authority, qtype)
    return replace(
        _failure(request, outcome.rcode, None),
        answers=answers,
        authority=authority,
        ad=outcome.authentic and (wants_proof or request.ad) and not request.cd,
    )


def _without_proofs(records: Iterable[Record], qtype: int) -> tuple[Record, ...]:
    if qtype == QTYPE_ANY:
        return tuple(records)
    return tuple(r for r in records if r.type == qtype or r.type not in _PROOF_TYPES)


def _failure(request: Message, rcode: Rcode, why: int | None) -> Message:
    """A reply without records."""
    edns = None
    if request.edns is not None:
        options = () if why is None else ((OPTION_EXTENDED_ERROR, struct.pack(">H", why)),)
        edns = Edns(UDP_SIZE, dnssec_ok=request.edns.dnssec_ok, options=options)
    return Message(
        id=request.id,
        rcode=rcode,
        qr=True,
        rd=request.rd,
        ra=rcode != Rcode.REFUSED,
        cd=request.cd,
        questions=request.questions,
        edns=edns,
    )
