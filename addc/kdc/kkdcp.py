"""The Kerberos KDC proxy: KDC_PROXY_MESSAGE in HTTP POST, inside TLS.

For clients that reach nothing but port 443. This proxy stands before its own realm's KDC alone; it asks no
other, so that nobody makes it talk to third parties.

Spec: [MS-KKDCP] 2.1, 3.2.5.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Final, cast

import h11

from addc.base.errors import DecodeError
from addc.base.limits import KRB_MESSAGE_MAX
from addc.codec.krb5 import KdcProxyMessage
from addc.kdc import kpasswd
from addc.kdc.exchange import AS_REQ, TGS_REQ
from addc.kdc.service import KdcService

_LOG: Final = logging.getLogger("addc.kdc")
_PATH: Final = b"/kdcproxy"
_BODY_MAX: Final = KRB_MESSAGE_MAX + 1024
_HEADERS_MAX: Final = 16_384
_IDLE_S: Final = 20.0
_CONNECTIONS_MAX: Final = 1024


class KdcProxy:
    """The proxy of one process. connections: those that are open, the oldest first."""

    def __init__(self, kdc: KdcService) -> None:
        self.kdc = kdc
        self.connections: dict[KdcProxyStream, None] = {}


class KdcProxyStream(asyncio.Protocol):
    """One connection, inside TLS: a request after the other."""

    def __init__(self, proxy: KdcProxy) -> None:
        self._proxy = proxy
        self._transport: asyncio.Transport | None = None
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEADERS_MAX)
        self._body = bytearray()
        self._refusal = 0
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._source = self._local = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._source, self._local = (
            str(transport.get_extra_info(name)[0]) for name in ("peername", "sockname")
        )
        connections = self._proxy.connections
        connections[self] = None
        if len(connections) > _CONNECTIONS_MAX:
            next(iter(connections)).abort()
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._proxy.connections.pop(self, None)
        self._transport = None
        self._forget_timer()

    def abort(self) -> None:
        """Drop the connection."""
        self._proxy.connections.pop(self, None)
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._next()

    def eof_received(self) -> None:
        self._http.receive_data(b"")
        self._next()

    def _await_request(self) -> None:
        """A whole request has to come in time, whether its bytes dribble or not."""
        self._forget_timer()
        self._timer = asyncio.get_running_loop().call_later(_IDLE_S, self.abort)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next(self) -> None:
        """Take events until a request is whole; what follows it waits."""
        while not self._busy and self._transport is not None and not self._transport.is_closing():
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                self._send(error.error_status_hint, b"", last=True)
                return
            match event:
                case h11.Request():
                    self._refusal = _judge(event)
                    if self._http.they_are_waiting_for_100_continue and not self._refusal:
                        self._write(h11.InformationalResponse(status_code=100, headers=[]))
                case h11.Data():
                    self._body += event.data
                    if self._refusal or len(self._body) > _BODY_MAX:
                        self._send(self._refusal or 413, b"", last=True)
                        return
                case h11.EndOfMessage():
                    self._answer(bytes(self._body))
                case h11.NEED_DATA:
                    return
                case _:  # closed, or paused behind a request
                    self._transport.close()
                    return

    def _answer(self, body: bytes) -> None:
        assert self._transport is not None
        self._body.clear()
        self._forget_timer()
        if self._refusal:
            self._send(self._refusal, b"", last=True)
            return
        try:
            asked = KdcProxyMessage.unpack(body)
            work = self._work(asked)
        except DecodeError as error:
            _LOG.info("malformed proxy request", extra={"fields": {"source": self._source, "why": error.why}})
            self._transport.close()
            return
        if work is None:
            self._send(503, b"")
            return
        self._busy = True
        self._transport.pause_reading()
        self._proxy.kdc.later(self._finish(work))

    def _work(self, asked: KdcProxyMessage) -> Coroutine[object, object, bytes | None] | None:
        """What answers the message; None for a realm whose KDC this is not. Raises DecodeError."""
        message, kdc = asked.kerb_message, self._proxy.kdc
        if len(message) < 5 or int.from_bytes(message[:4], "big") != len(message) - 4:
            raise DecodeError("length and message disagree", 0, "kerb-message")
        message = message[4:]
        if asked.target_domain is None:
            raise DecodeError("no realm", 0, "target-domain")
        is_kdc = message[0] in (AS_REQ, TGS_REQ)
        if not is_kdc and not kpasswd.looks_like_request(message):
            raise DecodeError("no message of Kerberos", 4, "kerb-message")
        if not kdc.forest.is_realm(asked.target_domain) or kdc.is_busy:
            return None
        source = self._source
        return kdc.answer(message, source) if is_kdc else kdc.answer_kpasswd(message, source, self._local)

    async def _finish(self, work: Coroutine[object, object, bytes | None]) -> None:
        try:
            reply = await work
        except Exception:
            _LOG.exception("request failed", extra={"fields": {"source": self._source}})
            reply = None
        self._busy = False
        if self._transport is None or self._transport.is_closing():
            return
        if reply is None:
            self._transport.close()
            return
        self._transport.resume_reading()
        self._send(200, KdcProxyMessage(kerb_message=len(reply).to_bytes(4, "big") + reply).pack())
        self._next()

    def _send(self, status: int, body: bytes, *, last: bool = False) -> None:
        """A whole response. last: the connection ends with it."""
        if self._transport is None:
            return
        headers = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
        if body:
            headers.append((b"content-type", b"application/kerberos"))
        if last:
            headers.append((b"connection", b"close"))
        if status == 405:
            headers.append((b"allow", b"POST"))
        self._write(h11.Response(status_code=status, headers=headers))
        if body:
            self._write(h11.Data(data=body))
        self._write(h11.EndOfMessage())
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._await_request()
        else:
            self._transport.close()

    def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data and self._transport is not None:
            self._transport.write(data)


def _judge(request: h11.Request) -> int:
    """The status of a request that need not be read further, 0 for one that may be answered."""
    if request.target.partition(b"?")[0].lower().rstrip(b"/") != _PATH:
        return 404
    if request.method != b"POST":
        return 405
    for name, value in request.headers:
        if name == b"content-length" and int(value) > _BODY_MAX:
            return 413
    return 0
