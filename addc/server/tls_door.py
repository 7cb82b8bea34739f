"""Accepting TLS connections: how many handshakes may be under way at once.

asyncio's own servers tell a protocol of a connection only when its handshake is over, so nothing counts those
that never end, and each holds some 50 KiB. Here the one that has been at it longest goes for one too many.
"""

import asyncio
import errno
import ssl
from collections.abc import Callable
from socket import socket
from typing import Final

HANDSHAKES_MAX: Final = 1024
_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE_S: Final = 0.1


class TlsDoor:
    """Accepts on one listening socket until closed; connections that were let in live on."""

    def __init__(
        self,
        sock: socket,
        context: ssl.SSLContext,
        protocol: Callable[[], asyncio.Protocol],
        *,
        handshake_s: float,
        handshakes_max: int = HANDSHAKES_MAX,
    ) -> None:
        self._sock = sock
        self._context = context
        self._protocol = protocol
        self._handshake_s = handshake_s
        self._handshakes_max = handshakes_max
        self._handshakes: dict[asyncio.Task[None], None] = {}
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        """Accept no more, and drop who is not in yet."""
        self._accepting.cancel()
        for handshake in list(self._handshakes):
            handshake.cancel()
        self._sock.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._sock)
            except OSError as error:
                if self._sock.fileno() < 0:
                    return
                if error.errno in _OUT_OF_FILES:
                    await asyncio.sleep(_PAUSE_S)  # until some of them are closed
                continue
            handshake = loop.create_task(self._let_in(connection))
            self._handshakes[handshake] = None
            handshake.add_done_callback(lambda done: self._handshakes.pop(done, None))
            if len(self._handshakes) > self._handshakes_max:
                next(iter(self._handshakes)).cancel()

    async def _let_in(self, connection: socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                self._protocol, connection, ssl=self._context, ssl_handshake_timeout=self._handshake_s
            )
        except (OSError, asyncio.IncompleteReadError):  # ssl.SSLError is an OSError
            connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise
