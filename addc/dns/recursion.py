"""Finding the answer to a question: whom to ask next, and when to stop.

A question is a generator: it yields an `Ask` for one server and is sent what was `Heard`. It knows no socket
and no clock, so that a whole internet of servers can be played in a test. Everything that an answer can make
it do is counted: queries, names of servers to be looked up, aliases, referrals, depth (`Budget`). A zone that
delegates to hundreds of names without addresses (NXNSAttack) costs a handful of queries.

Spec: RFC 1034 5.3.3, RFC 9156 2.3 (minimised names), RFC 8109 (priming), RFC 5358
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.dns_message import Message, Record
from addc.codec.dns_names import Name, is_below
from addc.codec.dns_rdata import DnsType, NameData
from addc.codec.dns_wire import rdata_name
from addc.codes.rcode import Rcode
from addc.dns.forward import Forwarder
from addc.dns.reply_reading import (
    CHAIN_MAX,
    QTYPE_ANY,
    Delegation,
    Kind,
    Reading,
    Trust,
    address_of,
    glue_of,
    is_sensible,
    read_reply,
    servers_of,
)
from addc.dns.resolver_cache import Entry, Known, Rank, ResolverCache
from addc.dns.upstream_health import UpstreamHealth

DEPTH_MAX: Final = 4
"""Name servers whose names need name servers whose names..."""
REFERRALS_MAX: Final = 24
SERVERS_PER_CUT_MAX: Final = 6
FORWARDERS_TRIED_MAX: Final = 6
_MINIMISE_MAX: Final = 10
_MINIMISE_SINGLE: Final = 4
"""RFC 9156 2.3: so many names are asked for, the first of them each one label longer."""
_DNS_PORT: Final = 53


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to one server. recurse: it is to find the answer (RD). lax: unchecked (CD)."""

    server: Forwarder
    name: Name
    qtype: int
    recurse: bool
    lax: bool
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of it. reply: None for silence, or for what was no reply to it."""

    reply: Message | None
    now_s: float


@dataclass(frozen=True, slots=True)
class Route:
    """Who is asked for the names of a zone, instead of those whom the root servers name.

    servers: forwarders, which find the answer themselves. stub: the zone's own servers.
    is_slave: if they fail nobody else is asked.
    """

    zone: Name
    servers: tuple[Forwarder, ...] = ()
    stub: Delegation | None = None
    timeout_s: float = 3.0
    is_slave: bool = True


Local = Callable[[Name, int, bool], Message | None]
"""What our own zones say of a name and type; None for names outside them. The flag: signatures are wanted."""


@dataclass(frozen=True, slots=True)
class World:
    """The way to all names. hints: the root servers, None where they are not to be asked.

    own: this server's addresses, which are never asked.
    """

    routes: Mapping[Name, Route] = field(default_factory=dict)
    hints: Delegation | None = None
    own: frozenset[str] = frozenset()
    minimise: bool = True

    def route_of(self, name: Name) -> Route | None:
        """The route with the longest zone that ends `name`."""
        for skip in range(len(name) + 1):
            found = self.routes.get(name[skip:])
            if found is not None:
                return found
        return None


@dataclass(slots=True)
class Budget:
    """What one client's question may cost in all."""

    queries: int = 48
    server_names: int = 9
    server_names_per_cut: int = 3
    asked: int = 0
    names_looked_up: int = 0

    def spend_query(self) -> bool:
        self.asked += 1
        return self.asked <= self.queries

    def spend_name(self) -> bool:
        self.names_looked_up += 1
        return self.names_looked_up <= self.server_names


@dataclass(frozen=True, slots=True)
class Outcome:
    """The sections of the answer. authentic: every part came from a forwarder that had checked it.

    complete: False where the question failed for want of servers or budget, rather than by what they said.
    why: INFO-CODE of RFC 8914, 0 for none.
    """

    rcode: Rcode
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    authentic: bool = False
    complete: bool = True
    why: int = 0


FAILED: Final = Outcome(Rcode.SERVFAIL, complete=False)


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is known of one name of the chain."""

    kind: Kind
    records: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    target: Name = ()
    authentic: bool = False


_NOTHING: Final = _Piece(Kind.FAILED)
Steps = Generator[Ask, Heard, _Piece | None]


class Recursion:
    """One client's question and everything that is asked for its sake."""

    def __init__(
        self,
        world: World,
        cache: ResolverCache,
        health: UpstreamHealth,
        local: Local,
        now_s: float,
        *,
        lax: bool = False,
        budget: Budget | None = None,
    ) -> None:
        self.world = world
        self.now_s = now_s
        self.budget = budget or Budget()
        self._cache = cache
        self._health = health
        self._local = local
        self._lax = lax
        self._looking: set[Name] = set()

    def resolve(self, name: Name, qtype: int, depth: int = 0) -> Generator[Ask, Heard, Outcome]:
        """The whole answer to a question, aliases followed from zone to zone; `name` is folded."""
        answers: list[Record] = []
        seen, authentic = {name}, True
        for _ in range(CHAIN_MAX):
            piece = yield from self._piece(name, qtype, depth)
            answers += piece.records
            authentic &= piece.authentic
            if piece.kind is Kind.ALIAS:
                name = piece.target
                if name in seen:
                    return FAILED
                seen.add(name)
                continue
            if piece.kind is Kind.FAILED:
                return FAILED
            rcode = Rcode.NXDOMAIN if piece.kind is Kind.NO_NAME else Rcode.NOERROR
            return Outcome(rcode, tuple(answers), piece.authority, authentic)
        return FAILED

    def from_cache(self, name: Name, qtype: int) -> Outcome | None:
        """The whole answer where nobody has to be asked for any part of it."""
        answers: list[Record] = []
        seen, authentic = {name}, True
        for _ in range(CHAIN_MAX):
            piece = self._known(name, qtype)
            if piece is None or piece.kind is Kind.FAILED:
                return None
            answers += piece.records
            authentic &= piece.authentic
            if piece.kind is not Kind.ALIAS:
                rcode = Rcode.NXDOMAIN if piece.kind is Kind.NO_NAME else Rcode.NOERROR
                return Outcome(rcode, tuple(answers), piece.authority, authentic)
            name = piece.target
            if name in seen:
                return FAILED
            seen.add(name)
        return None

    # --- one name ---

    def _piece(self, name: Name, qtype: int, depth: int) -> Generator[Ask, Heard, _Piece]:
        local = self._of_local(name, qtype)
        start = None
        if local is not None:
            if local.kind is not Kind.REFERRAL:
                return self._as_piece(local)
            start = local.delegation
        known = self._of_cache(name, qtype)
        if known is not None:
            return known
        if self._cache.has_failed(name, qtype, self.now_s, lax=self._lax):
            return _NOTHING
        piece: _Piece | None = None
        above = name[1:] if qtype == DnsType.DS else name  # what a parent says of its child
        route = self.world.route_of(above) if start is None else None
        if route is not None and route.servers:
            piece = yield from self._forward(route, name, qtype, depth)
            if piece is not None or route.is_slave:
                return piece or self._failed(name, qtype, depth)
        elif route is not None:
            start = route.stub
        piece = yield from self._iterate(name, qtype, depth, start)
        return piece or self._failed(name, qtype, depth)

    def _failed(self, name: Name, qtype: int, depth: int) -> _Piece:
        """Remembered for the client's own question; a name server's may have failed for want of budget."""
        if depth == 0 and self.budget.asked:
            self._cache.failed(name, qtype, self.now_s, lax=self._lax)
        return _NOTHING

    def _known(self, name: Name, qtype: int) -> _Piece | None:
        """What is known of a name without asking; None where somebody has to be asked."""
        local = self._of_local(name, qtype)
        if local is None:
            return self._of_cache(name, qtype)
        if local.kind is Kind.REFERRAL:
            return self._of_cache(name, qtype)
        return self._as_piece(local)

    def _of_local(self, name: Name, qtype: int) -> Reading | None:
        reply = self._local(name, qtype, True)
        if reply is None:
            return None
        return read_reply(reply, name, qtype, Trust((), must_be_authority=False))

    def _as_piece(self, reading: Reading) -> _Piece:
        records = tuple(record for rrset in reading.rrsets for record in rrset.records)
        return _Piece(reading.kind, records, reading.authority, reading.target)

    def _of_cache(self, name: Name, qtype: int) -> _Piece | None:
        entry = self._cache.answer(name, qtype, self.now_s, lax=self._lax)
        if entry is not None and (entry.rank >= Rank.TOLD):
            return self._piece_of(entry)
        if qtype not in (DnsType.CNAME, QTYPE_ANY):
            alias = self._cache.answer(name, DnsType.CNAME, self.now_s, lax=self._lax)
            if alias is not None and alias.known is Known.RECORDS:
                target = _target_of(alias.records)
                return None if target is None else self._piece_of(alias, target)
        return None

    def _piece_of(self, entry: Entry, target: Name | None = None) -> _Piece:
        left = entry.left_s(self.now_s)
        records = tuple(_with_ttl(r, left) for r in entry.records)
        authority = tuple(_with_ttl(r, left) for r in entry.authority)
        kind = {Known.RECORDS: Kind.ANSWER, Known.NO_DATA: Kind.NO_DATA, Known.NO_NAME: Kind.NO_NAME}
        if target is not None:
            return _Piece(Kind.ALIAS, records, authority, target, entry.authentic)
        return _Piece(kind[entry.known], records, authority, authentic=entry.authentic)

    # --- asking forwarders ---

    def _forward(self, route: Route, name: Name, qtype: int, depth: int) -> Steps:
        """The answer of the first forwarder that gives one; None where none does."""
        trust = Trust(route.zone, must_be_authority=False, follows=lambda n: self._may_follow(route, n))
        for server in self._health.order(route.servers, self.now_s)[:FORWARDERS_TRIED_MAX]:
            if self._is_self(server) or not self.budget.spend_query():
                continue
            heard = yield Ask(server, name, qtype, True, self._lax, route.timeout_s)
            self.now_s = heard.now_s
            if heard.reply is None:
                continue
            reading = read_reply(heard.reply, name, qtype, trust)
            if reading.kind is Kind.REFERRAL and route.zone and reading.delegation is not None:
                # It is no resolver but the zone's own server, and the name lies with another one.
                return (yield from self._iterate(name, qtype, depth, reading.delegation))
            if reading.kind not in (Kind.FAILED, Kind.LAME, Kind.REFERRAL):
                return self._learn(reading, Rank.TOLD, qtype, lax=self._lax, authentic=heard.reply.ad)
        return None

    def _may_follow(self, route: Route, target: Name) -> bool:
        """A chain that enters another's part of the tree is asked for there."""
        return self.world.route_of(target) is route and self._local(target, DnsType.SOA, False) is None

    def _is_self(self, server: Forwarder) -> bool:
        return server.port == _DNS_PORT and server.address in self.world.own

    # --- asking authorities ---

    def _iterate(self, name: Name, qtype: int, depth: int, start: Delegation | None) -> Steps:
        """From the nearest zone cut that is known, down to the zone of the name."""
        if start is None and self.world.hints is None:
            return None
        cut = self._nearest(name, qtype, start)
        if not cut.zone and cut.fixed:
            cut = yield from self._prime(cut)
        step = 0
        for _ in range(REFERRALS_MAX):
            asked = self._minimised(name, cut.zone, step)
            asked_type = qtype if asked == name else int(DnsType.A)
            reading = yield from self._ask_cut(cut, asked, asked_type, depth)
            if reading is not None and reading.kind is Kind.REFERRAL and reading.delegation is not None:
                cut = self._keep_cut(reading.delegation)
                continue
            if asked != name:
                # Some servers do not know names that only lead to others; then the whole name is asked for.
                plain = reading is not None and reading.kind in (Kind.NO_DATA, Kind.ANSWER)
                step = step + 1 if plain else _MINIMISE_MAX
                continue
            if reading is None:
                return None
            return self._learn(reading, Rank.AUTHORITATIVE, qtype, lax=self._lax)
        return None

    def _minimised(self, name: Name, zone: Name, step: int) -> Name:
        """As much of the name as the zone's servers need: some labels more than the zone (RFC 9156 2.3)."""
        if not self.world.minimise or step >= _MINIMISE_MAX:
            return name
        more = len(name) - len(zone)
        if step >= _MINIMISE_SINGLE:
            rest = more - _MINIMISE_SINGLE
            step = _MINIMISE_SINGLE + rest * (step - _MINIMISE_SINGLE + 1) // (
                _MINIMISE_MAX - _MINIMISE_SINGLE
            )
        shown = min(step + 1, more)
        return name[more - shown :]

    def _nearest(self, name: Name, qtype: int, start: Delegation | None) -> Delegation:
        """The nearest cut above the name whose servers can be reached; a DS record lies above its own cut."""
        floor = len(start.zone) if start is not None else 0
        first = 1 if qtype == DnsType.DS and name else 0
        for skip in range(first, len(name) - floor):
            zone = name[skip:]
            entry = self._cache.get(zone, DnsType.NS, self.now_s)
            if entry is None or entry.known is not Known.RECORDS:
                continue
            cut = Delegation(zone, servers_of(entry.records))
            if self._addresses(cut) or any(not is_below(n, zone) for n in cut.names):
                return cut
        found = start or self.world.hints
        assert found is not None, "who has neither is not let in"
        return found

    def _prime(self, hints: Delegation) -> Generator[Ask, Heard, Delegation]:
        """The root's servers as they say themselves; the hints where they do not."""
        entry = self._cache.get((), DnsType.NS, self.now_s)
        if entry is not None and entry.known is Known.RECORDS:
            cut = Delegation((), servers_of(entry.records))
            return cut if self._addresses(cut) else hints
        trust = Trust((), must_be_authority=True)
        for server in self._health.order(hints.fixed, self.now_s)[:SERVERS_PER_CUT_MAX]:
            if self._is_self(server) or not self.budget.spend_query():
                continue
            timeout_s = self._health.timeout_s(server)
            heard = yield Ask(server, (), DnsType.NS, False, self._lax, timeout_s)
            self.now_s = heard.now_s
            reading = read_reply(heard.reply, (), DnsType.NS, trust) if heard.reply is not None else None
            if reading is None or reading.kind is not Kind.ANSWER or heard.reply is None:
                continue
            self._learn(reading, Rank.AUTHORITATIVE, DnsType.NS, lax=False)
            names = servers_of(reading.rrsets[0].records)
            cut = Delegation((), names, glue_of(heard.reply.additional, names, ()))
            return cut if self._addresses(self._keep_glue(cut)) else hints
        return hints

    def _ask_cut(
        self, cut: Delegation, name: Name, qtype: int, depth: int
    ) -> Generator[Ask, Heard, Reading | None]:
        """What the first server of a zone says that answers as one; None where none does."""
        known = [*cut.fixed, *(Forwarder(a, _DNS_PORT) for a in self._addresses(cut))]
        tried: set[Forwarder] = set()
        unresolved = [n for n in cut.names if not self._addresses_of(cut, n)]
        looked_up = 0
        while len(tried) < SERVERS_PER_CUT_MAX:
            ready = [s for s in self._health.order(known, self.now_s) if s not in tried]
            if not ready:
                found: list[Forwarder] = []
                while unresolved and not found and looked_up < self.budget.server_names_per_cut:
                    looked_up += 1
                    found = yield from self._look_up(unresolved.pop(0), cut.zone, depth)
                if not found:
                    return None
                known += found
                continue
            server = ready[0]
            tried.add(server)
            if self._is_self(server):
                continue
            if not self.budget.spend_query():
                return None
            timeout_s = self._health.timeout_s(server)
            heard = yield Ask(server, name, qtype, False, self._lax, timeout_s)
            self.now_s = heard.now_s
            if heard.reply is None:
                continue
            trust = Trust(cut.zone, must_be_authority=True, follows=lambda n: self._in_cut(cut, n))
            reading = read_reply(heard.reply, name, qtype, trust)
            if reading.kind not in (Kind.FAILED, Kind.LAME):
                return reading
        return None

    def _in_cut(self, cut: Delegation, target: Name) -> bool:
        """Whether the next name of a chain is the same servers' to tell."""
        if self._local(target, DnsType.SOA, False) is not None:
            return False
        route = self.world.route_of(target)
        return route is None or len(route.zone) <= len(cut.zone)

    def _look_up(self, server: Name, zone: Name, depth: int) -> Generator[Ask, Heard, list[Forwarder]]:
        """The addresses of a name server that came without; bounded in depth and number."""
        hopeless = is_below(server, zone) and bool(zone)  # its address can only come from itself
        if hopeless or depth >= DEPTH_MAX or server in self._looking or not self.budget.spend_name():
            return []
        self._looking.add(server)
        found: list[str] = []
        for kind in (DnsType.A, DnsType.AAAA):
            outcome = yield from self.resolve(server, kind, depth + 1)
            found += [a for r in outcome.answers if (a := address_of(r)) is not None and is_sensible(a)]
            if found or outcome.rcode != Rcode.NOERROR:
                break
        self._looking.discard(server)
        return [Forwarder(address, _DNS_PORT) for address in found]

    def _addresses(self, cut: Delegation) -> list[str]:
        return [address for name in cut.names for address in self._addresses_of(cut, name)]

    def _addresses_of(self, cut: Delegation, server: Name) -> tuple[str, ...]:
        """Addresses of a name server from the referral, our own zones and the cache."""
        records = [*cut.glue.get(server, ())]
        if not records:
            for kind in (DnsType.A, DnsType.AAAA):
                own = self._local(server, kind, False)
                entry = self._cache.get(server, kind, self.now_s) if own is None else None
                records += own.answers if own is not None else entry.records if entry is not None else ()
        found = (address_of(record) for record in records)
        return tuple(address for address in found if address is not None and is_sensible(address))

    # --- learning ---

    def _keep_cut(self, cut: Delegation) -> Delegation:
        """Remember a zone cut as its parent tells it."""
        if cut.told:
            key = (cut.zone, int(DnsType.NS))
            self._cache.keep_records(cut.told, Rank.REFERRAL, self.now_s, key=key)
        return self._keep_glue(cut)

    def _keep_glue(self, cut: Delegation) -> Delegation:
        for server, records in cut.glue.items():
            for kind in (DnsType.A, DnsType.AAAA):
                told = tuple(r for r in records if r.type == kind)
                if told:
                    self._cache.keep_records(told, Rank.GLUE, self.now_s, key=(server, int(kind)))
        return cut

    def _learn(
        self, reading: Reading, rank: Rank, qtype: int, *, lax: bool, authentic: bool = False
    ) -> _Piece:
        """Keep what a reply said, and hand it on."""
        records: list[Record] = []
        last, authority = len(reading.rrsets) - 1, reading.authority
        for index, rrset in enumerate(reading.rrsets):
            proofs = authority if index == last and reading.kind is Kind.ANSWER else ()
            entry = self._cache.keep_records(
                rrset.records, rank, self.now_s,
                key=rrset.key, authority=proofs, lax=lax, authentic=authentic,
            )  # fmt: skip
            records += [_with_ttl(r, entry.ttl_s) for r in rrset.records]
        if reading.kind in (Kind.NO_NAME, Kind.NO_DATA):
            known = Known.NO_NAME if reading.kind is Kind.NO_NAME else Known.NO_DATA
            entry = self._cache.keep_absence(
                known, authority, rank, self.now_s,
                key=(reading.target, qtype), lax=lax, authentic=authentic,
            )  # fmt: skip
            authority = tuple(_with_ttl(r, entry.ttl_s) for r in authority)
        return _Piece(reading.kind, tuple(records), authority, reading.target, authentic)


def _with_ttl(record: Record, ttl_s: int) -> Record:
    if record.ttl_s == ttl_s:
        return record
    return Record(record.owner, record.type, record.rclass, ttl_s, record.data)


def _target_of(records: Iterable[Record]) -> Name | None:
    for record in records:
        if record.type == DnsType.CNAME and isinstance(record.data, NameData):
            try:
                return rdata_name(record.data.name)
            except DecodeError:
                return None
    return None
