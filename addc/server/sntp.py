"""The time service: requests of domain members on port 123, signed by their own password, and the socket by
which chrony or ntpd has its own replies signed.

Whoever asks may name any machine's RID and gets something made of its password: only machine and trust
accounts are signed for, whose passwords nobody guesses. Spec: [MS-SNTP] 3.2.5.1.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, cast

from addc.base.errors import DecodeError
from addc.codec import sntp
from addc.codec.sntp import KeyWish
from addc.directory import accounts, passwords
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.security import time_signing
from addc.security.account_flags import UserAccountControl
from addc.security.token import SYSTEM

_LOG: Final = logging.getLogger("addc.sntp")
_LENGTH_SIZE: Final = 4
_IDLE_S: Final = 60.0
_SIGNED_FOR: Final = (
    UserAccountControl.UF_WORKSTATION_TRUST_ACCOUNT
    | UserAccountControl.UF_SERVER_TRUST_ACCOUNT
    | UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT
)


class TimeService:
    """Replies and signatures, from this machine's clock and the directory. now_ns: since 1970."""

    def __init__(self, directory: Directory, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._directory = directory
        self._now_ns = now_ns

    def answer(self, data: bytes) -> bytes | None:
        """The reply to a datagram; None where there is to be none."""
        received = self._now_ns()
        try:
            request = sntp.read_request(data)
        except DecodeError:
            return None
        nt_hash = None if request.key is None else self._key(request.key)
        if request.key is not None and nt_hash is None:
            return None
        message = sntp.header(request, received, self._now_ns())
        if request.key is None or nt_hash is None:
            return message
        return _signed(message, request.key, nt_hash)

    def sign(self, data: bytes) -> bytes:
        """The reply to a message of the signing socket. Raises DecodeError."""
        request = sntp.read_signd(data)
        nt_hash = self._key(request.key)
        packet = None if nt_hash is None else _signed(request.message, request.key, nt_hash)
        return sntp.write_signd(request.packet_id, packet)

    def _key(self, wish: KeyWish) -> bytes | None:
        """The NT hash that is to sign. Without a former password the present one is both."""

        def find(ctx: ReadContext) -> bytes | None:
            found = accounts.find_by_sid(ctx, ctx.forest.domain_sid.child(wish.rid))
            row = None if found is None else ctx.tx.get(found.dnt)
            if (
                found is None
                or row is None
                or found.is_disabled
                or not found.user_account_control & _SIGNED_FOR
            ):
                return None
            former = passwords.former_hashes(row) if wish.is_old else ()
            return former[0] if former else passwords.keys_of(ctx, row).nt_hash()

        return self._directory.read_now("sntp.key", SYSTEM, find)


def _signed(message: bytes, key: KeyWish, nt_hash: bytes) -> bytes:
    if key.is_extended:
        return sntp.signed(message, key, time_signing.extended_checksum(nt_hash, key.raw, message))
    return sntp.signed(message, key, time_signing.insecure_digest(nt_hash, message))


class SntpDatagrams(asyncio.DatagramProtocol):
    """The UDP socket of one address."""

    def __init__(self, service: TimeService) -> None:
        self._service = service
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            reply = self._service.answer(data)
        except Exception:
            _LOG.exception("time request failed", extra={"fields": {"source": addr[0]}})
            return
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)


async def serve_signd(
    service: TimeService, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One connection of a time server to the signing socket, for asyncio.start_unix_server.

    The socket's folder alone says who may connect; Samba's ntp_signd has mode 0750, of its group.
    """
    try:
        while True:
            async with asyncio.timeout(_IDLE_S):
                length = int.from_bytes(await reader.readexactly(_LENGTH_SIZE), "big")
                if length > sntp.SIGND_MAX:
                    return
                data = await reader.readexactly(length)
            writer.write(service.sign(data))
            await writer.drain()
    except (DecodeError, TimeoutError, EOFError, ConnectionError):
        return
    except Exception:
        _LOG.exception("signing of a time reply failed")
    finally:
        writer.close()
