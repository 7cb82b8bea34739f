"""The relay between workers and the desk: replies one and many, bounds, strangers, a desk that goes away."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from addc.codes.rcode import Rcode
from addc.dns import relay
from addc.dns.relay import WINDOW, Door, RelayClient, RelayServer, open_door
from tests.kit.corp_forest import CountingRng

QUERY = bytes.fromhex("abcd0100000100000000000000000600ff"[:24]) + b"\0\0\x06\0\x01"


@dataclass
class FakeDesk:
    """Answers by the first octet of a message: b"q" once, b"t" many times, b"s" not at all, b"w" when let."""

    let: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0
    ended: int = 0
    heard: list[tuple[bytes, str, bool]] = field(default_factory=list)

    async def answer(self, data: bytes, source: str, *, tcp: bool) -> AsyncGenerator[bytes, None]:
        self.heard.append((data, source, tcp))
        try:
            match data[:1]:
                case b"q":
                    yield b"reply to " + data
                case b"t":
                    for number in range(1000):
                        self.sent += 1
                        yield b"%d" % number
                case b"w":
                    await self.let.wait()
                    yield b"late"
        finally:
            self.ended += 1


Work = Callable[[FakeDesk, RelayClient, Door], Awaitable[None]]


@asynccontextmanager
async def serving(door: Door, desk: FakeDesk) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(RelayServer(door.sock, desk).run(stop))
    try:
        yield task
    finally:
        stop.set()
        await task


def relayed(work: Work) -> None:
    async def run() -> None:
        door, desk = open_door(CountingRng(b"door")), FakeDesk()
        client = RelayClient(door.address)
        try:
            async with serving(door, desk):
                await work(desk, client, door)
        finally:
            client.close()
            door.sock.close()
            await asyncio.sleep(0)

    asyncio.run(run())


async def all_of(client: RelayClient, data: bytes, source: str = "192.0.2.1") -> list[bytes]:
    return [reply async for reply in client.answer(data, source, tcp=True)]


def test_a_reply_comes_back_and_the_desk_hears_who_asked() -> None:
    async def work(desk: FakeDesk, client: RelayClient, door: Door) -> None:
        assert await all_of(client, b"q1", "2001:db8::7") == [b"reply to q1"]
        assert [one async for one in client.answer(b"q2", "192.0.2.9", tcp=False)] == [b"reply to q2"]
        assert desk.heard == [(b"q1", "2001:db8::7", True), (b"q2", "192.0.2.9", False)]

    relayed(work)


def test_silence_is_silence_and_many_replies_keep_their_order() -> None:
    async def work(desk: FakeDesk, client: RelayClient, door: Door) -> None:
        assert await all_of(client, b"s") == []
        assert await all_of(client, b"t") == [b"%d" % number for number in range(1000)]
        assert desk.ended == 2

    relayed(work)


def test_requests_do_not_wait_for_each_other() -> None:
    async def work(desk: FakeDesk, client: RelayClient, door: Door) -> None:
        slow = asyncio.create_task(all_of(client, b"w"))
        assert await all_of(client, b"q") == [b"reply to q"]
        desk.let.set()
        assert await slow == [b"late"]

    relayed(work)


def test_a_client_that_does_not_read_holds_up_only_its_own_transfer() -> None:
    async def work(desk: FakeDesk, client: RelayClient, door: Door) -> None:
        async with aclosing(client.answer(b"t", "192.0.2.1", tcp=True)) as replies:
            assert await anext(replies) == b"0"
            assert await all_of(client, b"q") == [b"reply to q"]
            assert desk.sent <= WINDOW + 2
        assert await all_of(client, b"q") == [
            b"reply to q"
        ]  # the desk has heard by then that nobody wants more
        assert desk.sent <= WINDOW + 2
        assert desk.ended == 3

    relayed(work)


def test_what_is_under_way_when_the_desk_goes_gets_servfail_and_the_next_desk_answers() -> None:
    async def run() -> None:
        door, first, second = open_door(CountingRng(b"door")), FakeDesk(), FakeDesk()
        client = RelayClient(door.address)
        async with serving(door, first):
            slow = asyncio.create_task(all_of(client, QUERY.replace(b"\xab", b"w", 1)))
            assert await all_of(client, b"q") == [b"reply to q"]
        (failed,) = await slow
        assert failed[:1] == b"w" and failed[3] & 0xF == Rcode.SERVFAIL
        async with serving(door, second):
            assert await all_of(client, b"q") == [b"reply to q"]
        client.close()
        door.sock.close()
        await asyncio.sleep(0)

    asyncio.run(run())


def test_where_there_is_no_desk_the_answer_is_servfail() -> None:
    async def run() -> None:
        client = RelayClient("\0addc-dns-nobody-is-here")
        (failed,) = await all_of(client, QUERY)
        assert failed[:2] == QUERY[:2] and failed[3] & 0xF == Rcode.SERVFAIL

    asyncio.run(run())


def test_more_requests_of_one_source_than_it_may_have_are_refused_and_others_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Denied."""
    monkeypatch.setattr(relay, "REQUESTS_EACH", 3)

    async def work(desk: FakeDesk, client: RelayClient, door: Door) -> None:
        waiting = [asyncio.create_task(all_of(client, b"w")) for _ in range(3)]
        assert await all_of(client, b"q", "192.0.2.2") == [b"reply to q"]
        (refused,) = await all_of(client, QUERY)
        assert refused[3] & 0xF == Rcode.SERVFAIL
        desk.let.set()
        await asyncio.gather(*waiting)
        assert await all_of(client, b"q") == [b"reply to q"]

    relayed(work)


def test_datagrams_keep_no_client_from_coming_by_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Denied: updates in forged datagrams of a client's address, or of many, that fill the desk's places."""
    monkeypatch.setattr(relay, "REQUESTS_EACH", 2)
    monkeypatch.setattr(relay, "DATAGRAMS_MAX", 3)

    async def answers(client: RelayClient, data: bytes, source: str, *, tcp: bool) -> list[bytes]:
        return [one async for one in client.answer(data, source, tcp=tcp)]

    async def work(desk: FakeDesk, client: RelayClient, door: Door) -> None:
        forged = ("192.0.2.1", "192.0.2.1", "192.0.2.3")
        waiting = [asyncio.create_task(answers(client, b"w", one, tcp=False)) for one in forged]
        assert await answers(client, b"q", "192.0.2.1", tcp=True) == [b"reply to q"]
        for source in ("192.0.2.1", "192.0.2.4"):
            (refused,) = await answers(client, QUERY, source, tcp=False)
            assert refused[3] & 0xF == Rcode.SERVFAIL
        desk.let.set()
        await asyncio.gather(*waiting)
        assert await answers(client, b"q", "192.0.2.4", tcp=False) == [b"reply to q"]

    relayed(work)


def test_a_worker_that_sends_what_none_sends_is_let_go() -> None:
    """Denied: frames too long, numbers used twice."""

    async def work(desk: FakeDesk, client: RelayClient, door: Door) -> None:
        asked = relay._HEAD.pack(1, 1, 3) + b"\0w1"
        for bad in (relay._HEAD.pack(1, 1, 1 << 20), asked + asked, relay._HEAD.pack(2, 1, 0)):
            reader, writer = await asyncio.open_unix_connection(door.address)
            writer.write(bad)
            assert await reader.read() == b""
            writer.close()
        assert await all_of(client, b"q") == [b"reply to q"]

    relayed(work)


def test_another_user_s_processes_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Denied: the kernel says whose process is at the other end."""

    async def work(desk: FakeDesk, client: RelayClient, door: Door) -> None:
        mine = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
        with socket.socket(socket.AF_UNIX) as plain:
            plain.connect(door.address)
            plain.setblocking(False)
            assert await asyncio.get_running_loop().sock_recv(plain, 10) == b""
        (failed,) = await all_of(client, QUERY)
        assert failed[3] & 0xF == Rcode.SERVFAIL
        assert desk.heard == []

    relayed(work)
