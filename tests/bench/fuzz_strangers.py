"""Strangers under fuzz: first questions to the KDC, and its proxy over HTTP.

Who has proved nothing gets no ticket, and hears of an account what Windows tells of it and no more.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.krb5 import AsReq, EtypeInfo2, KdcProxyMessage, KrbError, MethodData, PaData
from addc.codec.krb5_numbers import NameType, PaType
from addc.kdc.kkdcp import KdcProxy, KdcProxyStream
from addc.kdc.service import KdcService
from tests.kit.kdc_realm import client_name
from tests.kit.kerberos_messages import KRB_ERROR, Login, as_req, first_as_req

_SOURCE: Final = "192.0.2.80"
_TELLS: Final = frozenset(
    int(kind)
    for kind in (
        PaType.PA_ENC_TIMESTAMP,
        PaType.PA_ETYPE_INFO,
        PaType.PA_ETYPE_INFO2,
        PaType.PA_PK_AS_REQ,
        PaType.PA_PK_AS_REP_OLD,
        PaType.PA_FX_FAST,
        PaType.PA_FX_COOKIE,
        PaType.PA_PW_SALT,
    )
)
"""What METHOD-DATA for strangers may have in it."""
_E_DATA_MAX: Final = 512
_SALTS: Final = 2
"""Encryption types whose salt an account tells: AES-256 and AES-128."""


def seeds(who: Login, now: FileTime) -> Sequence[bytes]:
    """First questions, by every kind of name and with every padata that proves nothing."""
    plain = AsReq.unpack(first_as_req(who, now))
    names = (
        client_name(who.name),
        client_name(f"{who.name}@{who.realm}", name_type=NameType.KRB_NT_ENTERPRISE),
        client_name(f"CORP\\{who.name}", name_type=NameType.KRB_NT_MS_PRINCIPAL),
        client_name("nobody"),
        client_name("krbtgt"),
        client_name("dc1$"),
        client_name("Guest"),
    )
    padata = (
        PaData(int(PaType.PA_REQ_ENC_PA_REP)),
        PaData(int(PaType.PA_AS_FRESHNESS)),
        PaData(int(PaType.PA_PAC_REQUEST), bytes.fromhex("3005a0030101ff")),
    )
    return [
        first_as_req(who, now),
        *(_asked(plain, cname=name) for name in names),
        *(AsReq(padata=padata[:count], req_body=plain.req_body).pack() for count in (1, 2, 3)),
        _asked(plain, etype=(23, 3, 1)),
    ]


def _asked(plain: AsReq, **body: object) -> bytes:
    fields = {name: getattr(plain.req_body, name) for name in plain.req_body.__dataclass_fields__} | body
    return AsReq(req_body=type(plain.req_body)(**fields)).pack()


def feed(kdc: KdcService) -> Callable[[bytes], None]:
    """A refusal, or nothing; with hints at keys and mechanisms alone."""

    def one(data: bytes) -> None:
        reply = kdc.answer_now(data, _SOURCE).reply
        if reply is None:
            return
        assert reply[0] == KRB_ERROR, "a ticket for nothing"
        error = KrbError.unpack(reply)
        assert error.cname is None and error.e_text is None
        assert len(error.e_data or b"") <= _E_DATA_MAX
        try:
            told = MethodData.unpack(error.e_data or b"").padata
        except DecodeError:
            return  # an NTSTATUS, or nothing
        assert {one.padata_type for one in told} <= _TELLS, "more than is told to strangers"
        for hint in told:
            if hint.padata_type == PaType.PA_ETYPE_INFO2:
                salts = [entry.salt for entry in EtypeInfo2.unpack(hint.padata_value).entries]
                assert len(set(salts)) <= _SALTS

    return one


# --- the proxy ---


class _Wire(asyncio.Transport):
    """Remembers what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": (_SOURCE, 40_000), "sockname": ("192.0.2.10", 443)})
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def proxy_seeds(who: Login, now: FileTime) -> Sequence[bytes]:
    """Requests in HTTP: one, two on a connection, one in chunks."""
    messages = [first_as_req(who, now), as_req(who, now)]
    bodies = [
        KdcProxyMessage(kerb_message=len(one).to_bytes(4, "big") + one, target_domain=who.realm).pack()
        for one in messages
    ]
    posts = [
        b"POST /KdcProxy HTTP/1.1\r\nHost: dc1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        for body in bodies
    ]
    head = b"POST /KdcProxy HTTP/1.1\r\nHost: dc1\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = head + b"%x\r\n" % len(bodies[0]) + bodies[0] + b"\r\n0\r\n\r\n"
    return [*posts, posts[0] + posts[1], chunked]


def feed_proxy(kdc: KdcService, loop: asyncio.AbstractEventLoop) -> Callable[[bytes], None]:
    """Responses of HTTP, or the end of the connection."""
    proxy = KdcProxy(kdc)

    async def run(data: bytes) -> bytes:
        wire, stream = _Wire(), KdcProxyStream(proxy)
        stream.connection_made(wire)
        stream.data_received(data)
        await kdc.drain()
        if not wire.closed:
            stream.eof_received()
            await kdc.drain()
        stream.connection_lost(None)
        return bytes(wire.written)

    def one(data: bytes) -> None:
        written = loop.run_until_complete(run(data))
        assert not written or written.startswith(b"HTTP/1.1 "), written[:80]
        assert not proxy.connections

    return one
