"""The GSS-API contexts that clients have, by the names they gave them; bounded for each client and in all.

A context is only kept once its client has proved who it is. Exchanges that take more than one message wait in
a small table of their own, each for a moment. Who is over its share loses its own oldest ones, so that nobody
can push out another's.

Spec: RFC 2930 2.6, 4.2; RFC 3645 2.1, 4.1
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from addc.auth.acceptor import AuthContext
from addc.codec.dns_names import Name
from addc.codec.ids import Sid
from addc.dns.tsig import GssKey
from addc.security.token import Token

K = TypeVar("K")

CONTEXTS_MAX: Final = 4096
CONTEXTS_EACH: Final = 64
"""Of one address, and of one account."""
CONTEXT_LIFE_S: Final = 24 * 3600
PENDING_MAX: Final = 256
PENDING_EACH: Final = 8
PENDING_LIFE_S: Final = 20
STEPS_MAX: Final = 6


@dataclass(frozen=True, slots=True)
class Context:
    """A client's context. name: folded. source: the address that made it. until_s: when it ends."""

    name: Name
    key: GssKey
    token: Token
    principal: str
    source: str
    until_s: int


@dataclass(slots=True)
class Pending:
    """An exchange that goes on. exchange: what judges the client's tokens."""

    name: Name
    source: str
    algorithm: str
    exchange: AuthContext
    until_s: int
    steps: int = 0
    busy: bool = False


@dataclass(slots=True)
class TkeyTable:
    """Contexts, the one that was used longest ago first; exchanges, the oldest first."""

    contexts: OrderedDict[Name, Context] = field(default_factory=OrderedDict)
    pending: OrderedDict[tuple[Name, str], Pending] = field(default_factory=OrderedDict)
    _by_source: Counter[str] = field(default_factory=Counter)
    _by_account: Counter[Sid] = field(default_factory=Counter)
    _pending_by_source: Counter[str] = field(default_factory=Counter)

    def find(self, name: Name, now_s: int) -> Context | None:
        """A context that is still good. name: folded."""
        found = self.contexts.get(name)
        if found is None:
            return None
        if found.until_s <= now_s:
            self.drop(name)
            return None
        self.contexts.move_to_end(name)
        return found

    def add(self, context: Context) -> None:
        """Keep a context; the client's own oldest one goes where it has too many, else the oldest of all."""
        assert context.name not in self.contexts
        if self._by_source[context.source] >= CONTEXTS_EACH:
            self._drop_first(lambda one: one.source == context.source)
        if self._by_account[context.token.user] >= CONTEXTS_EACH:
            self._drop_first(lambda one: one.token.user == context.token.user)
        if len(self.contexts) >= CONTEXTS_MAX:
            self.drop(next(iter(self.contexts)))
        self.contexts[context.name] = context
        self._by_source[context.source] += 1
        self._by_account[context.token.user] += 1

    def _drop_first(self, matches: Callable[[Context], bool]) -> None:
        found = next((name for name, one in self.contexts.items() if matches(one)), None)
        if found is not None:
            self.drop(found)

    def drop(self, name: Name) -> None:
        """Forget a context. name: folded."""
        context = self.contexts.pop(name, None)
        if context is not None:
            _less(self._by_source, context.source)
            _less(self._by_account, context.token.user)

    def begin(self, pending: Pending, now_s: int) -> bool:
        """Keep an exchange until its next message; False where its client has too many."""
        self.expire(now_s)
        if self._pending_by_source[pending.source] >= PENDING_EACH:
            return False
        if len(self.pending) >= PENDING_MAX:
            self.end(next(iter(self.pending.values())))
        self.pending[pending.name, pending.source] = pending
        self._pending_by_source[pending.source] += 1
        return True

    def going_on(self, name: Name, source: str, now_s: int) -> Pending | None:
        """The exchange that a client has begun under this name."""
        self.expire(now_s)
        return self.pending.get((name, source))

    def end(self, pending: Pending) -> None:
        """Forget an exchange, whatever came of it."""
        if self.pending.pop((pending.name, pending.source), None) is not None:
            _less(self._pending_by_source, pending.source)

    def expire(self, now_s: int) -> None:
        """Forget the exchanges that nobody went on with; they stand in the order in which they end."""
        while self.pending:
            oldest = next(iter(self.pending.values()))
            if oldest.until_s > now_s:
                return
            self.end(oldest)


def _less(counts: Counter[K], key: K) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
