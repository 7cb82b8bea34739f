"""The DNS desk over a forest, without sockets: Kerberos by script, updates by dnspython."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, cast

import dns.update
import pytest

from addc.auth.acceptor import Acceptor, Logon, Mechanism
from addc.auth.gss import AuthError, NoKeysError
from addc.base.clock import to_unix
from addc.codec.dns_data import TkeyData
from addc.codec.dns_message import CLASS_ANY, Message, Question, Record, decode_message, encode_message
from addc.codec.dns_names import Name, parse_name
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_records import Node, read_node
from addc.directory.dns_zones import ZoneFacts, set_properties, zone_named
from addc.dns import counters, tsig
from addc.dns.desk import Desk, DeskHooks, DeskServices
from addc.dns.tsig import GssKey, TsigKey
from tests.kit.corp import Corp
from tests.kit.corp_forest import CountingRng, StandingClock

CLIENT: Final = "192.0.2.77"
ZONE: Final = "corp.example.com"
ANSWER: Final = b"server's token"
_SESSION: Final = b"session key of "


def mic(who: str, sender: bytes, data: bytes) -> bytes:
    return hmac.digest(_SESSION + who.encode(), sender + hashlib.sha256(data).digest(), "sha256")[:28]


@dataclass
class ScriptedExchange:
    """What a finished context signs with; the client's half is `client_key`."""

    who: str

    def sign(self, data: bytes) -> bytes:
        return mic(self.who, b"server", data)

    def verify(self, data: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(mic(self.who, b"client", data), signature)


@dataclass
class _NoJudge:
    verdict: None = None


@dataclass
class ScriptedContext:
    """A client's proof: b"I am NAME" proves it, b"more" wants another message, all else is forged."""

    corp: Corp
    complete: bool = False
    who: str = ""
    judge: _NoJudge = field(default_factory=_NoJudge)

    def step(self, token: bytes) -> bytes:
        if token == b"more":
            return b"go on"
        if token == b"no keys":
            raise NoKeysError("no keys")
        if not token.startswith(b"I am "):
            raise AuthError("forged")
        self.who, self.complete = token.removeprefix(b"I am ").decode(), True
        return ANSWER

    @property
    def exchange(self) -> ScriptedExchange:
        return ScriptedExchange(self.who)

    def logon(self) -> Logon:
        return Logon(self.corp.token(self.who), f"{self.who}@CORP.EXAMPLE.COM", "Kerberos", 36_000)


@dataclass
class ScriptedAcceptor:
    corp: Corp
    directory: Directory
    asked: list[Mechanism] = field(default_factory=list)

    def context(self, mechanism: Mechanism) -> ScriptedContext:
        self.asked.append(mechanism)
        return ScriptedContext(self.corp)


@dataclass
class DnsDesk:
    """A desk, and what its clients do."""

    corp: Corp
    directory: Directory
    clock: StandingClock
    runner: asyncio.Runner
    hooks: DeskHooks = field(default_factory=DeskHooks)

    def __post_init__(self) -> None:
        self.acceptor = ScriptedAcceptor(self.corp, self.directory)
        self.counters = counters.alone()
        services = DeskServices(cast("Acceptor", self.acceptor), self.clock, self.counters)
        self.desk = Desk(self.directory, services, self.hooks)

    @property
    def now_s(self) -> int:
        return to_unix(self.clock.now())

    def send(self, data: bytes, *, tcp: bool = True, source: str = CLIENT) -> list[bytes]:
        async def collected() -> list[bytes]:
            return [reply async for reply in self.desk.answer(data, source, tcp=tcp)]

        return self.runner.run(collected())

    def ask(self, data: bytes, *, tcp: bool = True, source: str = CLIENT) -> Message:
        """The one reply."""
        (reply,) = self.send(data, tcp=tcp, source=source)
        return decode_message(reply)

    def tkey(
        self, token: bytes, name: str, *, mode: int = 3, algorithm: str = tsig.GSS_TSIG, source: str = CLIENT
    ) -> Message:
        return self.ask(tkey_request(token, name, mode=mode, algorithm=algorithm), source=source)

    def client(self, who: str, *, source: str = CLIENT, algorithm: str = tsig.GSS_TSIG) -> "Client":
        """A client that has made its context."""
        name = f"{who.strip('$').lower()}-{source}.client"
        reply = self.tkey(b"I am " + who.encode(), name, algorithm=algorithm, source=source)
        assert isinstance(reply.answers[0].data, TkeyData) and not reply.answers[0].data.error
        return Client(self, client_key(who, name, algorithm), source)

    # --- the zone ---

    def zone(self, ctx: ReadContext, name: str = ZONE) -> ZoneFacts:
        zone = zone_named(ctx, name)
        assert zone is not None
        return zone

    def node(self, relative: str, zone: str = ZONE) -> Node | None:
        return self.corp.read(lambda ctx: read_node(ctx, self.zone(ctx, zone), relative))

    def set_zone(self, change: Callable[[ZoneFacts], object], zone: str = ZONE) -> None:
        def work(ctx: WriteContext) -> None:
            facts = self.zone(ctx, zone)
            set_properties(ctx, facts, change(facts))  # type: ignore[arg-type]

        self.corp.write(work)


@dataclass
class Client:
    """Signs what it asks, and believes only signed replies."""

    desk: DnsDesk
    key: TsigKey
    source: str = CLIENT

    def ask(self, data: bytes, *, tcp: bool = True) -> Message:
        now_s = self.desk.now_s
        signed = tsig.sign_request(data, self.key, now_s)
        (reply,) = self.desk.send(signed.data, tcp=tcp, source=self.source)
        message = decode_message(reply)
        assert message.tsig is not None, "the reply is not signed"
        assert tsig.verify(reply, message.tsig, self.key, now_s, signed.mac) is Rcode.NOERROR
        return message

    def update(self, update: dns.update.UpdateMessage) -> Rcode:
        return Rcode(self.ask(update.to_wire()).rcode)


def client_key(who: str, name: str, algorithm: str = tsig.GSS_TSIG) -> GssKey:
    """The client's half of a context."""
    return GssKey(
        parse_name(name),
        algorithm,
        lambda data: mic(who, b"client", data),
        lambda data, signature: mic(who, b"server", data) == signature,
    )


def tkey_request(
    token: bytes, name: str, *, mode: int = 3, algorithm: str = tsig.GSS_TSIG, in_answers: bool = False
) -> bytes:
    owner: Name = parse_name(name)
    record = Record(owner, DnsType.TKEY, CLASS_ANY, 0, TkeyData(algorithm, 0, 0, mode, 0, token))
    question = Question(owner, DnsType.TKEY, CLASS_ANY)
    if in_answers:
        return encode_message(Message(77, questions=(question,), answers=(record,)))
    return encode_message(Message(77, questions=(question,), additional=(record,)))


def update_of(zone: str = ZONE) -> dns.update.UpdateMessage:
    return dns.update.UpdateMessage(zone)


@pytest.fixture
def dns_desk(corp_sqlite: Corp) -> Iterator[DnsDesk]:
    clock = StandingClock(corp_sqlite.now)
    directory = Directory(corp_sqlite.store, corp_sqlite.schema, Services(clock, CountingRng(b"dns")))
    with asyncio.Runner() as runner:
        yield DnsDesk(corp_sqlite, directory, clock, runner)
