"""Netlogon as a security provider of RPC: the key of a secure channel protects the messages of a connection.

Both sides have the shape of the other exchanges. AES alone is spoken: signatures by HMAC-MD5 and RC4
(77 00) are refused like any that was altered.

Spec: [MS-NRPC] 3.3, 2.2.1.3.1, 2.2.1.3.3.
"""

from typing import Final

from addc.auth.acceptor import Logon
from addc.auth.gss import AuthError
from addc.auth.secure_channels import Channel, SecureChannels
from addc.base.errors import DecodeError, DsError
from addc.base.rng import Rng
from addc.codec import nl_auth
from addc.codec.nl_auth import NlAuthRequest
from addc.directory import accounts, groups
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.security.schannel import SIGNATURE_SIZE, MessageKeys
from addc.security.token import SYSTEM, Token

PACKAGE: Final = "Netlogon"
_CONFOUNDER_SIZE: Final = 8


class NetlogonSession:
    """What either side does once the names are exchanged."""

    __slots__ = ("_key", "_keys", "_rng", "complete")

    confidential = True
    integrity = True
    bound_to_channel = False
    signs_headers = False

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._key = b""
        self._keys: MessageKeys | None = None
        self.complete = False

    def _begin(self, key: bytes, *, client: bool) -> None:
        self._key = key
        self._keys = MessageKeys(key, client=client)
        self.complete = True

    def session_key(self) -> bytes:
        """The channel's key."""
        return self._key

    def sign(self, data: bytes) -> bytes:
        """A signature of the next message."""
        assert self._keys is not None
        return self._keys.sign(data)

    def verify(self, data: bytes, signature: bytes) -> bool:
        assert self._keys is not None
        return self._keys.verify(data, signature)

    def protect(self, before: bytes, data: bytes, after: bytes, *, seal: bool) -> tuple[bytes, bytes]:
        """`data` as it travels, and the signature of all three parts."""
        assert self._keys is not None
        if seal:
            return self._keys.seal(before, data, after, self._rng.bytes(_CONFOUNDER_SIZE))
        return data, self._keys.sign(before + data + after)

    def unprotect(self, before: bytes, data: bytes, after: bytes, token: bytes, *, seal: bool) -> bytes:
        """The plain `data` of a message that the peer protected so. Raises AuthError if it was altered."""
        assert self._keys is not None
        if seal:
            plain = self._keys.unseal(before, data, after, token)
        else:
            plain = data if self._keys.verify(before + data + after, token) else None
        if plain is None:
            raise AuthError("Netlogon: a message was changed on its way, or is out of sequence")
        return plain

    def signature_size(self, *, seal: bool) -> int:
        """How long the signature is that `protect` makes."""
        del seal
        return SIGNATURE_SIZE

    def size_limit(self, size: int, *, seal: bool) -> int:
        """How many plain bytes fit into `size` bytes with their signature."""
        del seal
        return size - SIGNATURE_SIZE


class NetlogonContext(NetlogonSession):
    """The DC's side: `step` once, then `logon`.

    computer: the name whose channel it is. channel: as it was when the context began: a new one under the
    same name leaves this context its key.
    """

    __slots__ = ("_channels", "_directory", "channel")

    def __init__(self, directory: Directory, channels: SecureChannels, rng: Rng) -> None:
        super().__init__(rng)
        self._directory = directory
        self._channels = channels
        self.channel: Channel | None = None

    @property
    def exchange(self) -> "NetlogonContext":
        """What protects: the context itself."""
        return self

    @property
    def computer(self) -> str:
        return "" if self.channel is None else self.channel.computer

    def step(self, token: bytes) -> bytes:
        """The answer to a client's names. Raises AuthError where no channel has such a computer.

        Spec: [MS-NRPC] 3.3.4.1.2, 3.3.4.1.3.
        """
        if self.complete:
            raise AuthError("Netlogon: one token was enough")
        try:
            request = NlAuthRequest.unpack(token)
        except DecodeError as error:
            raise AuthError(f"Netlogon: {error}") from None
        computer = request.computer
        if computer is None or (request.netbios_domain is None and request.dns_domain is None):
            raise AuthError("Netlogon: a domain and a computer are to be named")
        if not self._is_ours(request):
            raise AuthError("Netlogon: the domain is another")
        channel = self._channels.find(computer)
        if channel is None or channel.by_kerberos:
            raise AuthError(f"Netlogon: {computer} has no secure channel here")
        self.channel = channel
        self._begin(channel.key.reveal(), client=False)
        return nl_auth.RESPONSE

    def _is_ours(self, request: NlAuthRequest) -> bool:
        """Whether the client means this domain, by the names that it gave."""
        forest = self._directory.forest
        netbios, dns = request.netbios_domain, request.dns_domain
        if netbios is not None and netbios.upper() == forest.netbios.upper():
            return True
        return dns is not None and dns.rstrip(".").lower() == forest.dns_domain.lower()

    def logon(self) -> Logon:
        """Who the client is: the account that the channel is of.

        Raises AuthError where there is none any more, or it is disabled.
        """
        assert self.channel is not None
        sid = self.channel.sid

        def token_of(ctx: ReadContext) -> Token:
            account = accounts.find_by_sid(ctx, sid)
            if account is None or account.is_disabled:
                raise AuthError("Netlogon: the account of the channel is gone")
            try:
                return groups.token_for(ctx, account.dnt)
            except DsError:
                raise AuthError("Netlogon: the account of the channel is gone") from None

        token = self._directory.read_now("auth.netlogon", SYSTEM, token_of)
        return Logon(token, self.channel.account_name, PACKAGE)


class NetlogonInitiator(NetlogonSession):
    """The client's side, for a channel whose key is agreed."""

    __slots__ = ("_channel_key", "_request")

    def __init__(self, request: NlAuthRequest, key: bytes, rng: Rng) -> None:
        """request: domain and computer. key: of the channel."""
        super().__init__(rng)
        self._request = request
        self._channel_key = key

    def step(self, token: bytes = b"") -> bytes:
        """Our names; then, with the server's answer, nothing. Raises AuthError."""
        if not token:
            return self._request.pack()
        if not nl_auth.is_response(token):
            raise AuthError("Netlogon: the answer is none")
        self._begin(self._channel_key, client=True)
        return b""
