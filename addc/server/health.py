"""/healthz and /readyz on loopback: is the process alive, can it answer from its database.

A deliberately small HTTP/1.1: one GET a connection, bounded in size and time.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Final

_REQUEST_MAX_BYTES: Final = 4096
_REQUEST_TIMEOUT_S: Final = 5.0
_REPORT_TIMEOUT_S: Final = 3.0

Report = dict[str, object]


class HealthServer:
    """Answers for the server around it."""

    def __init__(self, ready: Callable[[], Awaitable[Report]]) -> None:
        """ready: what is up, with the key "ready" true when requests can be served."""
        self._ready = ready

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(head))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.split(b"\r\n", 1)[0].partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in (b"GET", b"HEAD"):
            return _response(405, {"error": "only GET"})
        match path:
            case b"/healthz":
                return _response(200, {"alive": True})
            case b"/readyz":
                return await self._answer_ready()
        return _response(404, {"error": "only /healthz and /readyz are here"})

    async def _answer_ready(self) -> bytes:
        try:
            async with asyncio.timeout(_REPORT_TIMEOUT_S):
                report = await self._ready()
        except TimeoutError:
            report = {"ready": False, "error": "the database does not answer"}
        return _response(200 if report["ready"] else 503, report)


def _response(status: int, body: Report) -> bytes:
    reason = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}[status]
    data = json.dumps(body).encode() + b"\n"
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + data


async def start(sock: socket.socket, ready: Callable[[], Awaitable[Report]]) -> asyncio.Server:
    """Serve on a bound, listening socket."""
    server = HealthServer(ready)
    return await asyncio.start_server(server.serve, sock=sock, limit=_REQUEST_MAX_BYTES)
