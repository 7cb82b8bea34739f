"""UDP 389: the locator's ping and other readings of the root DSE, one datagram in, one out.

What a client's ping was told is kept for its next one in the same words, until the directory changes.
Spec: RFC 1798, [MS-ADTS] 6.3.3, 3.1.1.3.4.6 (MaxDatagramRecv)
"""

import asyncio
import logging
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DecodeError, DsError
from addc.codec.filter import Filter
from addc.codes.win32 import Win32
from addc.directory import policy
from addc.directory.api import Directory
from addc.directory.search import BASE
from addc.ldap import messages as m
from addc.ldap import operations
from addc.ldap.locator import Self, answer_ping
from addc.ldap.operations import Asker
from addc.security.token import ANONYMOUS, SYSTEM

_LOG: Final = logging.getLogger("addc.ldap")
_REPLY_MAX: Final = 1432
"""What leaves in one piece. A source that is forged is sent no hundred times what the forger spent."""
_LARGE_MAX: Final = 5
_LARGE_MAX_TOGETHER: Final = 100
"""How many larger answers one source, and all together, have in a minute: enough for tools that read the
whole root DSE this way, and nothing to flood anybody with."""
_MINUTE: Final = 60 * TICKS_PER_S
_TOO_LARGE: Final = (
    m.SearchResultDone,
    DsError(Win32.ERROR_DS_ADMIN_LIMIT_EXCEEDED, "too large for a datagram"),
)
_KEPT_MAX: Final = 8192
_KEPT_PING_MAX_BYTES: Final = 512


class LargeAnswers:
    """Counts the answers of this minute that take several packets."""

    def __init__(self) -> None:
        self._since = 0
        self._together = 0
        self._of: dict[str, int] = {}

    def admits(self, source: str, now: int) -> bool:
        """Whether one more may go there."""
        if not 0 <= now - self._since < _MINUTE:
            self._since, self._together = now, 0
            self._of.clear()
        count = self._of.get(source, 0)
        if count >= _LARGE_MAX or self._together >= _LARGE_MAX_TOGETHER:
            return False
        self._of[source] = count + 1
        self._together += 1
        return True


class CldapDatagrams(asyncio.DatagramProtocol):
    """The UDP socket of one address."""

    def __init__(self, directory: Directory, own: Self) -> None:
        self._directory = directory
        self._own = own
        self._transport: asyncio.DatagramTransport | None = None
        self._kept: dict[tuple[Filter, str], bytes | None] = {}
        self._kept_usn = -1
        self._size_max = 0
        self._large = LargeAnswers()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            self._follow()
            reply = self._answer(data, addr[0]) if len(data) <= self._size_max else None
        except DecodeError:
            return
        except Exception:
            _LOG.exception("CLDAP request failed", extra={"fields": {"source": addr[0]}})
            return
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)

    def error_received(self, exc: Exception) -> None:
        """A client that is gone (ICMP) is no concern of ours."""

    def _follow(self) -> None:
        """Forget what an earlier state of the directory said."""
        usn = self._directory.usn()
        if usn != self._kept_usn:
            self._kept.clear()
            self._kept_usn = usn
            self._size_max = self._directory.read_now("cldap.limits", SYSTEM, policy.limits).max_datagram_recv

    def _answer(self, data: bytes, source: str) -> bytes | None:
        message = m.LdapMessage.unpack(data)
        op = message.protocol_op
        if not isinstance(op, m.SearchRequest) or op.base_object or op.scope != BASE:
            return None
        asker = Asker(ANONYMOUS, False, False, source)
        if operations.is_ping(op):
            value = self._ping(op.filter, source, len(data))
            if len(op.attributes) == 1:
                return operations.encode_ping(message.message_id, value)
            beside = self._directory.read_now(
                "cldap.beside", ANONYMOUS, lambda ctx: operations.beside_ping(ctx, op, asker)
            )
            answer = operations.encode_ping(message.message_id, value, beside)
            return self._bounded(message, answer, source)
        try:
            request = operations.search_request(message, op, asker)
        except DsError as error:
            return operations.refuse(message.message_id, m.SearchResultDone, error)
        found = self._directory.read_now(
            "cldap.search",
            ANONYMOUS,
            lambda ctx: operations.search_answer(ctx, message.message_id, request),
        )
        return self._bounded(message, found, source)

    def _bounded(self, message: m.LdapMessage, found: bytes, source: str) -> bytes:
        """The answer, or a refusal where it is large and there were several such in the last minute."""
        if len(found) <= _REPLY_MAX:
            return found
        now = self._directory.read_now("cldap.time", SYSTEM, lambda ctx: ctx.clock.now())
        if self._large.admits(source, now):
            return found
        return operations.refuse(message.message_id, *_TOO_LARGE)

    def _ping(self, wanted: Filter, source: str, size: int) -> bytes | None:
        """What a ping is told; only those that are as long as clients make them are kept."""
        key = (wanted, source)
        if key in self._kept:
            return self._kept[key]
        told = self._directory.read_now(
            "cldap.ping", ANONYMOUS, lambda ctx: answer_ping(ctx, wanted, source, self._own)
        )
        if size <= _KEPT_PING_MAX_BYTES:
            if len(self._kept) >= _KEPT_MAX:
                self._kept.clear()
            self._kept[key] = told
        return told
