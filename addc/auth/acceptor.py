"""One way in for every protocol: a client's tokens come in, who it is goes out.

LDAP, SMB, RPC, DNS and HTTP carry the same tokens in different frames. Each opens a context, hands it what
comes until it is complete, and asks for the logon; what protects the messages after it has the same shape
whatever the mechanism.

Spec: RFC 4178, [MS-SPNG] 3.2, [MS-KILE] 3.4, [MS-NLMP] 3.2; RFC 5929 (channel bindings).
"""

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from addc.auth import ntlm_logon, spnego
from addc.auth.gss import GssAcceptor, GssExchange
from addc.auth.ntlm import NtlmExchange, Proof, Proven, ServerNames
from addc.auth.ntlm_logon import NotLetInError, NtlmVerdict
from addc.auth.spnego import Exchange, SpnegoExchange
from addc.auth.token_build import token_of_peer
from addc.codes.ntstatus import NtStatus
from addc.directory import lsa_accounts
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext
from addc.security.token import ANONYMOUS, SYSTEM, Token


class ChannelBinding(Enum):
    """What a client inside TLS must say of the channel. Spec: [MS-ADTS] 5.1.1.2."""

    NEVER = "never"
    WHEN_SUPPORTED = "when-supported"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class AcceptorPolicy:
    """What an operator decides about proofs of identity. ntlm: NTLM version 2 is spoken."""

    ntlm: bool = True
    channel_binding: ChannelBinding = ChannelBinding.WHEN_SUPPORTED


class Mechanism(Enum):
    """What a context's first token may be."""

    KERBEROS = auto()
    """SPNEGO around it too."""
    NTLM = auto()
    NEGOTIATE = auto()
    """SPNEGO around either, or either of them bare, as Windows takes it."""


@dataclass(frozen=True, slots=True)
class Logon:
    """Who proved itself. package: "Kerberos" or "NTLM". lifetime_s: until the proof ends, None for never."""

    token: Token
    principal: str
    package: str
    lifetime_s: int | None = None


class Acceptor:
    """The DC's side of every proof of identity; makes contexts."""

    def __init__(
        self, directory: Directory, kerberos: GssAcceptor, services: Services, policy: AcceptorPolicy
    ) -> None:
        self.directory = directory
        self.policy = policy
        self._kerberos = kerberos
        self._services = services
        forest = directory.forest
        self._names = ServerNames(
            forest.netbios, forest.host.upper(), forest.dns_domain, forest.host_fqdn, forest.dns_forest
        )

    def context(
        self,
        channel_binding: bytes | None = None,
        mechanism: Mechanism = Mechanism.NEGOTIATE,
        *,
        anonymous: bool = False,
    ) -> "AuthContext":
        """A new context. channel_binding: application data of the TLS channel below, where there is one.

        anonymous: NTLM that names nobody is taken, as a logon of nobody (null sessions of SMB and RPC).
        """
        return AuthContext(self, channel_binding, mechanism, anonymous=anonymous)

    def begin(
        self,
        first: bytes,
        judge: "NtlmJudge",
        channel_binding: bytes | None,
        mechanism: Mechanism,
        *,
        anonymous: bool = False,
    ) -> Exchange:
        """The exchange that a first token is for. Raises AuthError."""
        if self.policy.channel_binding is ChannelBinding.NEVER:
            channel_binding = None

        def kerberos() -> GssExchange:
            return self._kerberos.exchange(channel_binding)

        def ntlm() -> NtlmExchange:
            services = self._services
            made = NtlmExchange(self._names, judge, services.rng, services.clock.now(), channel_binding)
            made.lets_nobody_in = anonymous
            return made

        match mechanism:
            case Mechanism.KERBEROS:
                return spnego.chosen(first, kerberos, None)
            case Mechanism.NTLM:
                return ntlm()
            case Mechanism.NEGOTIATE:
                return spnego.chosen(first, kerberos, ntlm if self.policy.ntlm else None)


class NtlmJudge:
    """Judges the proof of one NTLM exchange, and remembers what came of it."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.proof: Proof | None = None
        self.verdict: NtlmVerdict | None = None

    def __call__(self, proof: Proof) -> Proven:
        """Raises NotLetInError where the proof is not good."""
        self.proof = proof
        return self._judged(proof)

    def again(self) -> Proven:
        """Judge the same proof anew, where what it was judged by has changed. Raises NotLetInError."""
        assert self.proof is not None
        return self._judged(self.proof)

    def _judged(self, proof: Proof) -> Proven:
        verdict = self._directory.read_now("auth.ntlm", SYSTEM, lambda ctx: _judged_here(ctx, proof))
        self.verdict = verdict
        if verdict.proven is None:
            raise NotLetInError(verdict)
        return verdict.proven


def _judged_here(ctx: ReadContext, proof: Proof) -> NtlmVerdict:
    """A logon to this DC itself, which its rights from the network decide too."""
    verdict = ntlm_logon.judge(ctx, proof)
    if verdict.token is None or lsa_accounts.may_log_on_from_network(ctx, verdict.token.sids):
        return verdict
    return replace(verdict, status=NtStatus.STATUS_LOGON_TYPE_NOT_GRANTED, proven=None, token=None)


class AuthContext:
    """One client's proof of identity: `step` until `complete`, then `logon`, and `exchange` to protect.

    judge: what the directory said of an NTLM response, for who counts wrong passwords.
    """

    __slots__ = ("_acceptor", "_anonymous", "_binding", "_exchange", "_mechanism", "judge")

    def __init__(
        self, acceptor: Acceptor, channel_binding: bytes | None, mechanism: Mechanism, *, anonymous: bool
    ) -> None:
        self._acceptor = acceptor
        self._anonymous = anonymous
        self._binding = channel_binding
        self._mechanism = mechanism
        self._exchange: Exchange | None = None
        self.judge: Final = NtlmJudge(acceptor.directory)

    def step(self, token: bytes) -> bytes:
        """Our answer to the client's token; empty where there is nothing to say.

        Raises AuthError where the token is not good, NoKeysError where it cannot be judged.
        """
        if self._exchange is None:
            self._exchange = self._acceptor.begin(
                token, self.judge, self._binding, self._mechanism, anonymous=self._anonymous
            )
        return self._exchange.step(token)

    @property
    def complete(self) -> bool:
        return self._exchange is not None and self._exchange.complete

    @property
    def exchange(self) -> Exchange:
        """What wraps and signs; there is one after the first step."""
        assert self._exchange is not None
        return self._exchange

    def logon(self) -> Logon:
        """Who the client is. Raises AuthError where its ticket names nobody that may come in."""
        assert self.complete
        exchange = self.exchange
        if isinstance(exchange, SpnegoExchange):
            exchange = exchange.inner
        if isinstance(exchange, NtlmExchange):
            if exchange.is_anonymous:
                return Logon(ANONYMOUS, "", "NTLM")
            verdict = self.judge.verdict
            assert verdict is not None and verdict.token is not None
            return Logon(verdict.token, verdict.name, "NTLM")
        peer = exchange.peer()
        token = self._acceptor.directory.read_now("auth.token", SYSTEM, lambda ctx: token_of_peer(ctx, peer))
        return Logon(token, peer.principal, "Kerberos", peer.lifetime_s)

    @property
    def names_channel(self) -> bool:
        """Whether the client named the TLS channel that it is in, as far as the policy wants that."""
        wanted = self._acceptor.policy.channel_binding is ChannelBinding.ALWAYS
        return not wanted or self.exchange.bound_to_channel
