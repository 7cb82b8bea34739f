"""Damaged updates, TKEY requests and signatures: through the desk, and past it into a zone of the directory.

An update that is whole is done with an administrator's token, and taken back, so that each finds the same
zone.
"""

import asyncio
from typing import Final, cast

import dns.update

from addc.auth.acceptor import Acceptor
from addc.base.clock import Clock, to_unix
from addc.base.errors import AddcError, DecodeError
from addc.base.secret import Secret
from addc.codec.dns_message import OPCODE_UPDATE, decode_message, encode_message, reply_to
from addc.codec.dns_names import parse_name
from addc.directory.api import Directory
from addc.directory.context import WriteContext
from addc.directory.dns_tsig_keys import ANY_ZONE, KeyRight, TsigKeyFacts, keep_tsig_key
from addc.dns import counters, tsig, update_zone
from addc.dns.desk import Desk, DeskHooks, DeskServices
from addc.dns.tsig import HmacKey
from addc.dns.update import UpdateError
from addc.dns.update_zone import Updater
from addc.security.token import SYSTEM, Token
from tests.kit.corp_forest import ANSWERS
from tests.kit.dns_desk import ScriptedContext, tkey_request

_ZONE: Final = ANSWERS.dns_domain
_SECRET: Final = Secret(bytes(range(32)))
_KEY: Final = HmacKey(parse_name("fuzz.key"), "hmac-sha256", _SECRET)
_SOURCE: Final = "192.0.2.99"


class _TakenBackError(AddcError):
    """Undoes what a good update did."""


class _Acceptor:
    """No token is ever good, but for how long an exchange goes on."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory

    def context(self, mechanism: object) -> ScriptedContext:
        del mechanism
        return ScriptedContext(cast("object", None))  # type: ignore[arg-type]


def _updates() -> list[dns.update.UpdateMessage]:
    windows, rich, bare = (dns.update.UpdateMessage(_ZONE, id=7) for _ in range(3))
    windows.absent("pc1", "CNAME")
    windows.delete("pc1", "A")
    windows.delete("pc1", "AAAA")
    windows.add("pc1", 1200, "A", "192.0.2.101")
    rich.present("dc1")
    rich.present("dc1", "A")
    rich.present("dc1", "A", "192.0.2.10")
    rich.absent("nobody")
    for kind, text in (
        ("SRV", "0 100 389 dc1"), ("MX", "10 dc1"), ("TXT", '"a" "b"'), ("CNAME", "dc1"), ("PTR", "dc1"),
        ("NS", "dc1"), ("AAAA", "2001:db8::7"), ("CAA", '0 issue "x"'), ("TYPE4711", "\\# 3 010203"),
    ):  # fmt: skip
        rich.add(f"x-{kind.lower()}", 60, kind, text)
    rich.add("@", 60, "SOA", "dc1 hostmaster 4000000 1 2 3 4")
    rich.delete("@")
    rich.delete("dc1", "A", "192.0.2.10")
    bare.delete("dc1")
    return [windows, rich, bare]


class UpdateFuzz:
    """The desk over a directory, and what is fed to it."""

    def __init__(self, directory: Directory, clock: Clock, admin: Token, runner: asyncio.Runner) -> None:
        self._directory = directory
        self._admin = admin
        self._runner = runner
        self._now_s = to_unix(clock.now())
        facts = TsigKeyFacts("fuzz.key", "hmac-sha256", _SECRET, frozenset((KeyRight.TRANSFER,)), (ANY_ZONE,))
        directory.write_now("fuzz", SYSTEM, lambda ctx: keep_tsig_key(ctx, facts))

        async def query(data: bytes, source: str, tcp: bool) -> bytes | None:
            return encode_message(reply_to(decode_message(data)))

        services = DeskServices(cast("Acceptor", _Acceptor(directory)), clock, counters.alone())
        self._desk = Desk(directory, services, DeskHooks(query=query))

    def seeds(self) -> list[bytes]:
        plain = [one.to_wire() for one in _updates()]
        signed = [tsig.sign_request(one, _KEY, self._now_s).data for one in plain]
        tkeys = [tkey_request(token, "k.client") for token in (b"more", b"forged")]
        tkeys += [tkey_request(b"more", "k.client", mode=5), tkey_request(b"x", "k", in_answers=True)]
        return [*plain, *signed, *tkeys]

    def feed(self, data: bytes) -> None:
        """Through the desk as it came; an update also signed by a key, and in an administrator's name."""
        for tcp in (False, True):
            self._through_desk(data, tcp=tcp)
        try:
            message = decode_message(data)
        except DecodeError:
            return
        if message.opcode != OPCODE_UPDATE or message.qr:
            return
        if message.tsig is None:
            self._through_desk(tsig.sign_request(data, _KEY, self._now_s).data, tcp=True)

        def work(ctx: WriteContext) -> None:
            update_zone.perform(ctx, message, Updater(token=self._admin))
            raise _TakenBackError

        try:
            self._directory.write_now("fuzz", SYSTEM, work)
        except (UpdateError, _TakenBackError):
            return

    def _through_desk(self, data: bytes, *, tcp: bool) -> None:
        async def collected() -> list[bytes]:
            return [one async for one in self._desk.answer(data, _SOURCE, tcp=tcp)]

        for reply in self._runner.run(collected()):
            assert reply[:2] == data[:2] and reply[2] & 0x80, reply.hex()
            if reply[4:] != data[4:]:  # what goes back as it came may have names that point at the header
                decode_message(reply)
