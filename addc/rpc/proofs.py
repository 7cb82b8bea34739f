"""Who a client of RPC proves to be: a security provider's tokens, by auth_type, judged to the end.

Spec: [MS-RPCE] 2.2.1.1.7, 3.3.1.5.2.1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from addc.auth.acceptor import Acceptor, AuthContext, Logon, Mechanism
from addc.auth.counted import Place, Start, counted_step
from addc.auth.gss import AuthError
from addc.base.clock import NEVER_FT, TICKS_PER_S, FileTime
from addc.base.errors import DsError
from addc.base.secret import Secret
from addc.directory.api import Directory, Services
from addc.rpc.auth_layer import CONNECT, PRIVACY, Protector
from addc.rpc.call import AuthLevel, AuthType, CallSecurity
from addc.security.token import Token

_MECHANISMS: Final[dict[int, Mechanism]] = {
    AuthType.SPNEGO: Mechanism.NEGOTIATE,
    AuthType.WINNT: Mechanism.NTLM,
    AuthType.KERBEROS: Mechanism.KERBEROS,
}
_CALL: Final = 3
_PKT: Final = 4


class NetlogonExchange(Protector, Protocol):
    """A secure channel's side of a connection; addc/auth/netlogon_ssp.py makes them."""

    @property
    def complete(self) -> bool: ...

    @property
    def computer(self) -> str: ...

    def step(self, token: bytes) -> bytes: ...

    def logon(self) -> Logon: ...

    def session_key(self) -> bytes: ...


NetlogonDoor = Callable[[], NetlogonExchange]


class UnknownTypeError(AuthError):
    """Nobody here judges tokens of this auth_type."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls, and by what. expires_ft: when the proof ends."""

    token: Token
    security: CallSecurity
    expires_ft: FileTime = NEVER_FT


class Unprotected:
    """Stands where a level wants what the client's token did not agree to: nothing passes."""

    signs_headers = False

    def protect(self, before: bytes, data: bytes, after: bytes, *, seal: bool) -> tuple[bytes, bytes]:
        raise AuthError("signing was not agreed")

    def unprotect(self, before: bytes, data: bytes, after: bytes, token: bytes, *, seal: bool) -> bytes:
        raise AuthError("signing was not agreed")

    def signature_size(self, *, seal: bool) -> int:
        raise AuthError("signing was not agreed")


class Judges:
    """What every proof of one process needs. netlogon: None where no secure channels are kept."""

    def __init__(
        self, directory: Directory, services: Services, acceptor: Acceptor, netlogon: NetlogonDoor | None
    ) -> None:
        self.directory = directory
        self.services = services
        self.acceptor = acceptor
        self.netlogon = netlogon

    def begin(self, auth_type: int, level: int) -> "Proof":
        """A new proof. Raises AuthError where there is none of this kind."""
        if auth_type == AuthType.NETLOGON and self.netlogon is not None:
            if level < _PKT:  # a channel's names alone prove nothing
                raise AuthError("a secure channel that protects nothing")
            return Proof(self, level, auth_type, self.netlogon())
        mechanism = _MECHANISMS.get(auth_type)
        if mechanism is None or (mechanism is Mechanism.NTLM and not self.acceptor.policy.ntlm):
            raise UnknownTypeError(f"auth_type {auth_type}")
        if level == _CALL:
            raise AuthError("authentication level CALL is for datagrams")
        return Proof(self, level, auth_type, self.acceptor.context(None, mechanism, anonymous=True))


class Proof:
    """One proof: `step` until `complete`, then `identity` and `protector`."""

    __slots__ = ("_auth_type", "_exchange", "_judges", "_level")

    def __init__(
        self, judges: Judges, level: int, auth_type: int, exchange: AuthContext | NetlogonExchange
    ) -> None:
        self._judges = judges
        self._level = level
        self._auth_type = auth_type
        self._exchange = exchange

    @property
    def complete(self) -> bool:
        return self._exchange.complete

    async def step(self, token: bytes, place: Place, start: Start) -> bytes:
        """Our answer. Raises AuthError."""
        exchange = self._exchange
        if isinstance(exchange, AuthContext):
            return await counted_step(self._judges.directory, exchange, token, place, start)
        return exchange.step(token)

    @property
    def lacks_sealing(self) -> bool:
        """The level wants what the client's token did not agree to."""
        exchange = self._exchange
        return (
            self._level == PRIVACY
            and isinstance(exchange, AuthContext)
            and not exchange.exchange.confidential
        )

    def protector(self) -> Protector | None:
        """What protects the fragments; None at a level that protects none."""
        exchange = self._exchange
        if self._level <= CONNECT:
            return None
        if not isinstance(exchange, AuthContext):
            return exchange
        return exchange.exchange if exchange.exchange.integrity else Unprotected()

    def identity(self, transport_key: Secret | None) -> Identity:
        """Who it is. transport_key: of the SMB session below, which then is the calls' session key.

        Raises AuthError where the proof is of nobody that may come in.
        """
        exchange = self._exchange
        try:
            logon = exchange.logon()
        except DsError as error:
            raise AuthError(str(error)) from None
        if isinstance(exchange, AuthContext):
            key, computer = exchange.exchange.session_key(), ""
        else:
            key, computer = exchange.session_key(), exchange.computer
        level = AuthLevel.INTEGRITY if self._level == _PKT else AuthLevel(self._level)
        security = CallSecurity(
            level,
            AuthType(self._auth_type),
            transport_key or Secret(key),
            logon.principal,
            logon.package,
            computer,
        )
        lifetime_s = logon.lifetime_s
        if lifetime_s is None:
            return Identity(logon.token, security)
        now = self._judges.services.clock.now()
        return Identity(logon.token, security, FileTime(now + lifetime_s * TICKS_PER_S))
