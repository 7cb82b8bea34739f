"""The client's end of one LDAP connection: requests in, octets out, messages back; no socket and no clock.

Spec: RFC 4511 4.1.1, 5.1; RFC 4422 3.7 (security layers).
"""

from addc.base.errors import DecodeError, LocalProtocolError
from addc.base.ids import MessageId
from addc.codec.ber_wire import long_length
from addc.ldap.engine import SecurityLayer
from addc.ldap.messages import MAX_INT, Control, LdapMessage, Request

MESSAGE_MAX = 256 << 20
"""Bytes of one message that a client believes a server to send."""


class LdapInitiator:
    """Numbers requests, frames messages, and wraps both ways once a layer is on."""

    def __init__(self) -> None:
        self._last = 0
        self._out: list[bytes] = []
        self._layer: SecurityLayer | None = None
        self._sealed = bytearray()
        self._plain = bytearray()

    @property
    def layered(self) -> bool:
        """Whether a SASL layer protects the connection."""
        return self._layer is not None

    def ask(self, op: Request, controls: tuple[Control, ...] = ()) -> MessageId:
        """Queue a request; its number."""
        self._last = self._last % MAX_INT + 1
        message_id = MessageId(self._last)
        data = LdapMessage(message_id, op, controls).pack()
        if self._layer is None:
            self._out.append(data)
            return message_id
        for at in range(0, len(data), self._layer.max_plain):
            token = self._layer.wrap(data[at : at + self._layer.max_plain])
            self._out.append(len(token).to_bytes(4, "big") + token)
        return message_id

    def secure(self, layer: SecurityLayer) -> None:
        """Put a layer on all that follows. Raises LocalProtocolError where octets wait to be read."""
        if self._plain or self._out:
            raise LocalProtocolError("a layer in the middle of messages")
        self._layer = layer

    def data_to_send(self) -> bytes:
        """All that was queued since the last call."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def receive(self, data: bytes) -> list[LdapMessage]:
        """The messages that `data` completes. Raises DecodeError, and AuthError for a forged token."""
        if self._layer is None:
            self._plain += data
        else:
            self._sealed += data
            self._unwrap(self._layer)
        found: list[LdapMessage] = []
        at, held = 0, bytes(self._plain)
        while (stop := _end(held, at)) is not None and stop <= len(held):
            found.append(LdapMessage.unpack(held[at:stop]))
            at = stop
        del self._plain[:at]
        return found

    def _unwrap(self, layer: SecurityLayer) -> None:
        sealed, at = bytes(self._sealed), 0
        while len(sealed) - at >= 4:
            stop = at + 4 + int.from_bytes(sealed[at : at + 4], "big")
            if stop - at > MESSAGE_MAX:
                raise DecodeError("a wrapped message that is too long")
            if stop > len(sealed):
                break
            self._plain += layer.unwrap(sealed[at + 4 : stop])
            at = stop
        del self._sealed[:at]


def _end(data: bytes, at: int) -> int | None:
    """Where the message at `at` ends; None while its header is not whole."""
    if len(data) - at < 2:
        return None
    if data[at] != LdapMessage.ber_tag:
        raise DecodeError(f"tag {data[at]:#x}, not {LdapMessage.ber_tag:#x}", at, "LDAPMessage")
    size, body = data[at + 1], at + 2
    if size >= 0x80:
        if len(data) < body + (size & 0x7F):
            return None
        size, body = long_length(data, at + 1, "LDAPMessage")
    if size > MESSAGE_MAX:
        raise DecodeError(f"{size} bytes are too many", at, "LDAPMessage")
    return body + size
