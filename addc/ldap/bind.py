"""Binds: who the client is, what protects the connection from then on, and how a refusal reads.

Spec: RFC 4511 4.2, RFC 4513 5, RFC 4752 3, [MS-ADTS] 5.1.1.1, 5.1.1.2, 5.1.2
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from addc.auth.gss import AuthError, GssAcceptor, GssExchange
from addc.auth.token_build import token_of_peer
from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.base.secret import Secret
from addc.codes.faces import bind_failure, ldap_error_text
from addc.codes.ldap_result import LdapResult
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import groups, logon, logon_counters
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.passwords import password_of_utf8
from addc.ldap.engine import SecurityLayer
from addc.security.token import ANONYMOUS, SYSTEM, Token

GSSAPI: Final = "GSSAPI"
GSS_SPNEGO: Final = "GSS-SPNEGO"
MECHANISMS: Final = (GSSAPI, GSS_SPNEGO)

_LAYER_NONE: Final = 1
_LAYER_INTEGRITY: Final = 2
_LAYER_CONFIDENTIALITY: Final = 4
_WRAPPED_MAX: Final = 65_536
_WRAPPED_MIN: Final = 1024
"""Answers in smaller pieces would cost a wrapping for every few bytes."""
_SIGNING_REQUIRED: Final = (
    "The server requires binds to turn on integrity checking "
    "if SSL\\TLS are not already active on the connection"
)  # fmt: skip

# The Win32 code that clients read from the text of a refused bind.
_BIND_DATA: Final[dict[NtStatus, Win32]] = {
    NtStatus.STATUS_NO_SUCH_USER: Win32.ERROR_NO_SUCH_USER,
    NtStatus.STATUS_WRONG_PASSWORD: Win32.ERROR_LOGON_FAILURE,
    NtStatus.STATUS_INVALID_LOGON_HOURS: Win32.ERROR_INVALID_LOGON_HOURS,
    NtStatus.STATUS_INVALID_WORKSTATION: Win32.ERROR_INVALID_WORKSTATION,
    NtStatus.STATUS_PASSWORD_EXPIRED: Win32.ERROR_PASSWORD_EXPIRED,
    NtStatus.STATUS_ACCOUNT_DISABLED: Win32.ERROR_ACCOUNT_DISABLED,
    NtStatus.STATUS_ACCOUNT_EXPIRED: Win32.ERROR_ACCOUNT_EXPIRED,
    NtStatus.STATUS_PASSWORD_MUST_CHANGE: Win32.ERROR_PASSWORD_MUST_CHANGE,
    NtStatus.STATUS_ACCOUNT_LOCKED_OUT: Win32.ERROR_ACCOUNT_LOCKED_OUT,
    NtStatus.STATUS_SMARTCARD_LOGON_REQUIRED: Win32.ERROR_ACCOUNT_RESTRICTION,
}


class Protection(Enum):
    """What keeps others from reading and changing what the connection carries."""

    NONE = auto()
    SIGNED = auto()
    SEALED = auto()
    TLS = auto()

    @property
    def confidential(self) -> bool:
        return self in (Protection.SEALED, Protection.TLS)


@dataclass(frozen=True, slots=True)
class BindOutcome:
    """The answer to one bind request.

    token: whom the connection now acts for; unchanged where None. layer: to be put on behind the answer.
    creds: serverSaslCreds. count: what the logon leaves on its account, for the writer.
    lifetime_s: until the proof of identity expires; None where it does not.
    account: whose password was judged. can_lock_out: it was wrong, and such lock the account out some time.
    """

    result: LdapResult
    text: str = ""
    creds: bytes | None = None
    token: Token | None = None
    principal: str = ""
    layer: SecurityLayer | None = None
    protection: Protection | None = None
    count: Callable[[WriteContext], bool] | None = None
    lifetime_s: int | None = None
    account: Dnt | None = None
    can_lock_out: bool = False

    @property
    def is_wrong_password(self) -> bool:
        """Whether it is to be counted before it is answered."""
        return self.count is not None and self.result is not LdapResult.SUCCESS


def _refused(data: Win32, *, creds: bytes | None = None) -> BindOutcome:
    # An absent serverSaslCreds makes old management consoles fail to decode: present but empty.
    return BindOutcome(LdapResult.INVALID_CREDENTIALS, bind_failure(data), creds, ANONYMOUS)


def _layer_inside_tls() -> BindOutcome:
    """[MS-ADTS] 5.1.1.1.2: no signing or sealing inside TLS."""
    text = ldap_error_text(
        Win32.ERROR_DS_INAPPROPRIATE_AUTH,
        LdapResult.UNWILLING_TO_PERFORM,
        "Cannot bind using sign/seal on a connection on which TLS or SSL is in effect",
    )
    return BindOutcome(LdapResult.UNWILLING_TO_PERFORM, text, token=ANONYMOUS)


def signing_required() -> BindOutcome:
    """strongAuthRequired, as a DC that requires signing words it."""
    text = ldap_error_text(
        Win32.ERROR_DS_STRONG_AUTH_REQUIRED, LdapResult.STRONG_AUTH_REQUIRED, _SIGNING_REQUIRED
    )
    return BindOutcome(LdapResult.STRONG_AUTH_REQUIRED, text, token=ANONYMOUS)


class Binder:
    """Judges the binds of all connections; the state of one lies in its SaslBind."""

    def __init__(self, directory: Directory, acceptor: GssAcceptor, *, clear_simple_bind: bool) -> None:
        self._directory = directory
        self._acceptor = acceptor
        self._clear_simple_bind = clear_simple_bind

    def simple(self, name: str, password: bytes, protection: Protection) -> BindOutcome:
        """A name and a password (RFC 4513 5.1)."""
        if not password:
            # A name without a password logs nobody on (RFC 4513 5.1.2); like Windows, it is not refused.
            return BindOutcome(LdapResult.SUCCESS, token=ANONYMOUS)
        if protection is Protection.NONE and not self._clear_simple_bind:
            return signing_required()
        secret = password_of_utf8(Secret(password))
        return self._directory.read_now("ldap.bind", SYSTEM, lambda ctx: self._judge(ctx, name, secret))

    @staticmethod
    def _judge(ctx: ReadContext, name: str, password: Secret) -> BindOutcome:
        account = logon.find_by_bind_name(ctx, name)
        row = None if account is None else ctx.tx.get(account.dnt)
        if account is None or row is None:
            return _refused(Win32.ERROR_LOGON_FAILURE)
        status = logon.verify_logon(ctx, row, password, ctx.now)
        dnt = account.dnt
        if status is not NtStatus.STATUS_SUCCESS:
            refused = _refused(_BIND_DATA.get(status, Win32.ERROR_LOGON_FAILURE))
            if status is NtStatus.STATUS_WRONG_PASSWORD:
                return replace(
                    refused,
                    count=lambda tx: logon_counters.record_bad_password(tx, dnt, password),
                    account=dnt,
                    can_lock_out=logon_counters.can_lock_out(ctx, dnt),
                )
            # That an account is locked out may be told at any time: no password was looked at.
            judged = status is not NtStatus.STATUS_ACCOUNT_LOCKED_OUT
            return replace(refused, account=dnt) if judged else refused
        is_due = logon_counters.is_due(account, ctx.now)
        return BindOutcome(
            LdapResult.SUCCESS,
            token=groups.token_for(ctx, dnt),
            principal=account.sam_account_name,
            count=(lambda tx: logon_counters.record_logon(tx, dnt)) if is_due else None,
            account=dnt,
        )

    def sasl(
        self, mechanism: str, protection: Protection, channel_binding: bytes | None
    ) -> "SaslBind | None":
        """A new exchange; None for a mechanism that is not here."""
        name = mechanism.upper()
        if name not in MECHANISMS:
            return None
        exchange = self._acceptor.exchange(channel_binding)
        return SaslBind(self._directory, exchange, name, protection)


class SaslBind:
    """One GSSAPI or GSS-SPNEGO bind over as many requests as it takes."""

    def __init__(
        self, directory: Directory, exchange: GssExchange, mechanism: str, protection: Protection
    ) -> None:
        self._directory = directory
        self._exchange = exchange
        self.mechanism = mechanism
        self._protection = protection
        self._offered = 0

    def step(self, credentials: bytes) -> BindOutcome:
        """Answer one request's credentials."""
        try:
            if self._offered:
                return self._chosen_layer(credentials)
            if self._exchange.complete:
                return self._offer_layers()
            token = self._exchange.step(credentials)
            if not self._exchange.complete:
                return BindOutcome(LdapResult.SASL_BIND_IN_PROGRESS, creds=token)
            if self.mechanism == GSS_SPNEGO:
                return self._finish_spnego(token)
            # An empty token would end RFC 4752's first phase unseen; the offer can go out at once.
            return (
                BindOutcome(LdapResult.SASL_BIND_IN_PROGRESS, creds=token) if token else self._offer_layers()
            )
        except (AuthError, DsError):
            return _refused(Win32.ERROR_LOGON_FAILURE, creds=b"")

    def _offer_layers(self) -> BindOutcome:
        """RFC 4752 3.1: one byte of layers, three of our greatest wrapped message.

        Deviation: over TLS, where no layer can be chosen, they are offered all the same, as Windows does:
        ldap3 cannot read an offer of "none" alone.
        """
        self._offered = _LAYER_NONE | _LAYER_INTEGRITY * self._exchange.integrity
        self._offered |= _LAYER_CONFIDENTIALITY * self._exchange.confidential
        offer = self._exchange.wrap(bytes((self._offered,)) + _WRAPPED_MAX.to_bytes(3, "big"), seal=False)
        return BindOutcome(LdapResult.SASL_BIND_IN_PROGRESS, creds=offer)

    def _chosen_layer(self, credentials: bytes) -> BindOutcome:
        """The client's choice: layer, its greatest wrapped message, and an authorization identity."""
        plain, _ = self._exchange.unwrap(credentials)
        if len(plain) < 4 or plain[0] not in (_LAYER_NONE, _LAYER_INTEGRITY, _LAYER_CONFIDENTIALITY):
            return _refused(Win32.ERROR_LOGON_FAILURE, creds=b"")
        if not plain[0] & self._offered:
            return _refused(Win32.ERROR_LOGON_FAILURE, creds=b"")
        if plain[0] != _LAYER_NONE and self._protection is Protection.TLS:
            return _layer_inside_tls()
        client_max = int.from_bytes(plain[1:4], "big")
        if plain[0] == _LAYER_NONE:
            return self._finish(None, client_max, b"")
        if 0 < client_max < _WRAPPED_MIN:
            return _refused(Win32.ERROR_LOGON_FAILURE, creds=b"")
        return self._finish(plain[0] == _LAYER_CONFIDENTIALITY, client_max, b"")

    def _finish_spnego(self, token: bytes) -> BindOutcome:
        """GSS-SPNEGO has no negotiation of its own: the context's flags are the layer."""
        if self._protection is Protection.TLS:
            return self._finish(None, 0, token)
        if self._exchange.confidential:
            return self._finish(True, _WRAPPED_MAX, token)
        return self._finish(False if self._exchange.integrity else None, _WRAPPED_MAX, token)

    def _finish(self, seal: bool | None, client_max: int, token: bytes) -> BindOutcome:
        """The last answer. seal: None for no layer."""
        if seal is None and self._protection is Protection.NONE:
            return signing_required()
        peer = self._exchange.peer()
        requester = self._directory.read_now("ldap.bind", SYSTEM, lambda ctx: token_of_peer(ctx, peer))
        layer, protection = None, None
        if seal is not None:
            layer = self._layer(seal, min(client_max or _WRAPPED_MAX, _WRAPPED_MAX))
            protection = Protection.SEALED if seal else Protection.SIGNED
        return BindOutcome(
            LdapResult.SUCCESS,
            creds=token or None,
            token=requester,
            principal=peer.principal,
            layer=layer,
            protection=protection,
            lifetime_s=peer.lifetime_s,
        )

    def _layer(self, seal: bool, wrapped_max: int) -> SecurityLayer:
        exchange = self._exchange

        def unwrap(data: bytes) -> bytes:
            plain, sealed = exchange.unwrap(data)
            if seal and not sealed:
                raise AuthError("a message in clear on a sealed connection")
            return plain

        return SecurityLayer(
            wrap=lambda data: exchange.wrap(data, seal=seal),
            unwrap=unwrap,
            max_plain=exchange.size_limit(wrapped_max, seal=seal),
        )
