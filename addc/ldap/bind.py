"""Binds: who the client is, what protects the connection from then on, and how a refusal reads.

Spec: RFC 4511 4.2, RFC 4513 5, RFC 4752 3, [MS-ADTS] 5.1.1.1, 5.1.1.2, 5.1.2
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from addc.auth import certificates, logon_audit
from addc.auth.acceptor import Acceptor, AcceptorPolicy, AuthContext, ChannelBinding, Mechanism, NtlmJudge
from addc.auth.gss import AuthError, GssAcceptor, NoKeysError
from addc.auth.spnego import Exchange, is_offer
from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.base.secret import Secret
from addc.codes.faces import bind_failure, ldap_error_text
from addc.codes.hresult import HResult
from addc.codes.ldap_result import LdapResult
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import accounts, groups, logon, logon_counters, lsa_accounts, names
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext, WriteContext
from addc.directory.passwords import password_of_utf8
from addc.ldap.engine import SecurityLayer
from addc.security.krb_keys import nt_hash
from addc.security.token import ANONYMOUS, SYSTEM, Token

GSSAPI: Final = "GSSAPI"
GSS_SPNEGO: Final = "GSS-SPNEGO"
EXTERNAL: Final = "EXTERNAL"
MECHANISMS: Final = (GSSAPI, GSS_SPNEGO)
_DN_AUTHZ: Final = b"dn:"

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
    NtStatus.STATUS_ACCOUNT_RESTRICTION: Win32.ERROR_ACCOUNT_RESTRICTION,
    NtStatus.STATUS_LOGON_TYPE_NOT_GRANTED: Win32.ERROR_LOGON_TYPE_NOT_GRANTED,
    NtStatus.STATUS_NOLOGON_INTERDOMAIN_TRUST_ACCOUNT: Win32.ERROR_NOLOGON_INTERDOMAIN_TRUST_ACCOUNT,
}


@dataclass(frozen=True, slots=True)
class BindPolicy:
    """What an operator decides about binds.

    clear_simple_bind: passwords may come in clear. unsigned_sasl: SASL needs no signing outside TLS.
    ntlm: NTLM version 2 is spoken.
    """

    clear_simple_bind: bool = False
    unsigned_sasl: bool = False
    ntlm: bool = True
    channel_binding: ChannelBinding = ChannelBinding.WHEN_SUPPORTED


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
    account: whose password was judged. can_lock_out: wrong ones lock the account out some time, and this one
    was wrong or others before it.
    sicily_creds: serverCreds of a Sicily bind.
    again: judges the same proof anew, where the request alone would not do.
    audit: what the audit log is told with the answer; None where no password was judged, or nobody reads it.
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
    sicily_creds: bytes | None = None
    again: "Callable[[], BindOutcome] | None" = None
    audit: dict[str, object] | None = None

    @property
    def is_settled_first(self) -> bool:
        """Whether a password was judged that has to be counted before anybody is told."""
        return self.count is not None and (self.result is not LdapResult.SUCCESS or self.can_lock_out)


def _refused(data: Win32 | HResult, *, creds: bytes | None = None) -> BindOutcome:
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
    """Judges the binds of all connections; the state of one lies in its SaslBind or SicilyBind."""

    def __init__(
        self, directory: Directory, acceptor: GssAcceptor, services: Services, policy: BindPolicy
    ) -> None:
        self.directory = directory
        self.policy = policy
        self.acceptor = Acceptor(
            directory, acceptor, services, AcceptorPolicy(policy.ntlm, policy.channel_binding)
        )

    def may_go_unsigned(self, protection: Protection) -> bool:
        """Whether a proof is taken although nothing signs what follows."""
        return protection is not Protection.NONE or self.policy.unsigned_sasl

    def simple(self, name: str, password: bytes, protection: Protection) -> BindOutcome:
        """A name and a password (RFC 4513 5.1)."""
        if not password:
            # A name without a password logs nobody on (RFC 4513 5.1.2); like Windows, it is not refused.
            return BindOutcome(LdapResult.SUCCESS, token=ANONYMOUS)
        if protection is Protection.NONE and not self.policy.clear_simple_bind:
            return signing_required()
        secret = password_of_utf8(Secret(password))
        return self.directory.read_now("ldap.bind", SYSTEM, lambda ctx: self._judge(ctx, name, secret))

    @staticmethod
    def _judge(ctx: ReadContext, name: str, password: Secret) -> BindOutcome:
        account = logon.find_by_bind_name(ctx, name)
        row = None if account is None else ctx.tx.get(account.dnt)
        if account is None or row is None:
            # The same work as for a wrong password, and the same wait for the writer: time tells no names.
            nt_hash(password)
            record = _simple_record(ctx, name, None, NtStatus.STATUS_NO_SUCH_USER)
            return replace(_refused(Win32.ERROR_LOGON_FAILURE), count=_nothing, audit=record)
        status = logon.verify_logon(ctx, row, password, ctx.now)
        dnt = account.dnt
        record = _simple_record(ctx, name, dnt, status)
        if status is not NtStatus.STATUS_SUCCESS:
            return replace(_turned_away(ctx, status, dnt, password), audit=record)
        token = groups.token_for(ctx, dnt)
        if not lsa_accounts.may_log_on_from_network(ctx, token.sids):
            return replace(_refused(Win32.ERROR_LOGON_TYPE_NOT_GRANTED), account=dnt, audit=record)
        is_due = logon_counters.is_due(account, ctx.now)
        return BindOutcome(
            LdapResult.SUCCESS,
            token=token,
            principal=account.sam_account_name,
            count=(lambda tx: logon_counters.settle_right(tx, dnt)) if is_due else None,
            account=dnt,
            can_lock_out=logon_counters.is_guessed_at(ctx, account),
            audit=record,
        )

    def sasl(
        self, mechanism: str, protection: Protection, channel_binding: bytes | None
    ) -> "SaslBind | None":
        """A new exchange; None for a mechanism that is not here."""
        name = mechanism.upper()
        return SaslBind(self, name, protection, channel_binding) if name in MECHANISMS else None

    def external(self, certificate: bytes | None, authorization: bytes = b"") -> BindOutcome:
        """The client's certificate as proof, DER; None where it showed none.

        authorization: authzId, which may only name the very account. Spec: [MS-ADTS] 5.1.1.1.2, 5.1.1.2.
        """
        if certificate is None:
            return _refused(Win32.ERROR_LOGON_FAILURE, creds=b"")
        der = certificate
        return self.directory.read_now(
            "ldap.bind", SYSTEM, lambda ctx: _by_certificate(ctx, der, authorization)
        )

    def sicily(self, protection: Protection, channel_binding: bytes | None) -> "SicilyBind | None":
        """A new exchange of NTLM alone; None where that is not spoken."""
        return SicilyBind(self, protection, channel_binding) if self.policy.ntlm else None


def _simple_record(
    ctx: ReadContext, name: str, account: Dnt | None, status: NtStatus
) -> dict[str, object] | None:
    """What the audit log is told of a simple bind."""
    return logon_audit.simple_event(ctx, name, account, status) if logon_audit.is_wanted() else None


def _nothing(_: WriteContext) -> bool:
    """What the bind of a name that is nobody's leaves."""
    return True


def _turned_away(
    ctx: ReadContext, status: NtStatus, dnt: Dnt, password: Secret | None, *, is_guess: bool = True
) -> BindOutcome:
    """The refusal of an account's proof. password: where the client sent it. is_guess: a wrong one counts."""
    refused = _refused(_BIND_DATA.get(status, Win32.ERROR_LOGON_FAILURE))
    if status is NtStatus.STATUS_WRONG_PASSWORD and is_guess:
        return replace(
            refused,
            count=lambda tx: logon_counters.settle_wrong(tx, dnt, password),
            account=dnt,
            can_lock_out=logon_counters.can_lock_out(ctx, dnt),
        )
    # That an account is locked out may be told at any time: no password was looked at.
    judged = status is not NtStatus.STATUS_ACCOUNT_LOCKED_OUT
    return replace(refused, account=dnt) if judged else refused


def _by_certificate(ctx: ReadContext, der: bytes, authorization: bytes) -> BindOutcome:
    try:
        account = certificates.account_of(ctx, der)
        meant = authorization.removeprefix(_DN_AUTHZ).decode("utf-8", "replace")
        if authorization and (
            not authorization.startswith(_DN_AUTHZ) or names.resolve(ctx, meant).dnt != account.dnt
        ):
            return _refused(Win32.ERROR_LOGON_FAILURE, creds=b"")
    except (AuthError, DsError):
        return _refused(Win32.ERROR_LOGON_FAILURE, creds=b"")
    if (refusal := certificates.refusal(ctx, account)) is not None:
        return _refused(_BIND_DATA.get(refusal, Win32.ERROR_LOGON_FAILURE), creds=b"")
    token = groups.token_for(ctx, account.dnt)
    if not lsa_accounts.may_log_on_from_network(ctx, token.sids):
        return _refused(Win32.ERROR_LOGON_TYPE_NOT_GRANTED, creds=b"")
    return BindOutcome(LdapResult.SUCCESS, token=token, principal=account.sam_account_name)


def _not_let_in(directory: Directory, judge: NtlmJudge) -> BindOutcome | None:
    """Why an account may not log on by NTLM; None where no account's proof was judged, or it was good."""
    verdict = judge.verdict
    if verdict is None or verdict.proven is not None or verdict.account is None:
        return None
    status, dnt, is_guess = verdict.status, verdict.account, verdict.is_guess
    return directory.read_now(
        "ldap.bind", SYSTEM, lambda ctx: _turned_away(ctx, status, dnt, None, is_guess=is_guess)
    )


def _judged_again(directory: Directory, judge: NtlmJudge, outcome: BindOutcome) -> BindOutcome:
    """`outcome`, if the same proof still is worth it."""
    try:
        judge.again()
    except AuthError:
        outcome = _not_let_in(directory, judge) or _refused(Win32.ERROR_LOGON_FAILURE, creds=b"")
    else:
        if outcome.result is not LdapResult.SUCCESS:
            outcome = _refused(Win32.ERROR_LOGON_FAILURE)
    return _told(directory, judge, outcome)


def _recorded(directory: Directory, judge: NtlmJudge, outcome: BindOutcome) -> BindOutcome:
    """`outcome` with what the audit log is told of the NTLM response."""
    proof, verdict = judge.proof, judge.verdict
    if proof is None or verdict is None or not logon_audit.is_wanted():
        return outcome
    record = directory.read_now("ldap.audit", SYSTEM, lambda ctx: logon_audit.ntlm_event(ctx, proof, verdict))
    return replace(outcome, audit=record)


def _told(directory: Directory, judge: NtlmJudge, outcome: BindOutcome) -> BindOutcome:
    """`outcome` with whose proof was judged, and with what a good logon leaves on the account."""
    verdict = judge.verdict
    outcome = _recorded(directory, judge, outcome)
    if verdict is None or verdict.account is None:
        return outcome
    if verdict.status is NtStatus.STATUS_ACCOUNT_LOCKED_OUT:
        return outcome
    dnt, bare = verdict.account, outcome
    outcome = replace(outcome, account=dnt, again=lambda: _judged_again(directory, judge, bare))
    if outcome.result is not LdapResult.SUCCESS:
        return outcome
    return directory.read_now("ldap.bind", SYSTEM, lambda ctx: _noted(ctx, outcome, dnt))


def _noted(ctx: ReadContext, outcome: BindOutcome, dnt: Dnt) -> BindOutcome:
    """A good logon with what it leaves on the account."""
    account = accounts.find_by_dnt(ctx, dnt)
    if account is None or not logon_counters.is_due(account, ctx.now):
        return outcome
    return replace(
        outcome,
        count=lambda tx: logon_counters.settle_right(tx, dnt),
        can_lock_out=logon_counters.is_guessed_at(ctx, account),
    )


class SaslBind:
    """One GSSAPI or GSS-SPNEGO bind over as many requests as it takes."""

    def __init__(
        self, binder: Binder, mechanism: str, protection: Protection, channel_binding: bytes | None
    ) -> None:
        """channel_binding: of the TLS channel below, where there is one."""
        self._binder = binder
        self.mechanism = mechanism
        self._protection = protection
        spoken = Mechanism.KERBEROS if mechanism == GSSAPI else Mechanism.NEGOTIATE
        self._context = binder.acceptor.context(channel_binding, spoken)
        self._has_begun = False
        self._has_layers = mechanism == GSSAPI
        self._offered = 0

    def step(self, credentials: bytes) -> BindOutcome:
        """Answer one request's credentials. Raises NoKeysError where the DC cannot judge them."""
        try:
            outcome = self._step(credentials)
        except NoKeysError:
            raise
        except (AuthError, DsError):
            refused = _not_let_in(self._binder.directory, self._context.judge)
            outcome = replace(refused or _refused(Win32.ERROR_LOGON_FAILURE), creds=b"")
        if outcome.result is LdapResult.SASL_BIND_IN_PROGRESS:
            return outcome
        return _told(self._binder.directory, self._context.judge, outcome)

    def _step(self, credentials: bytes) -> BindOutcome:
        if self._offered:
            return self._chosen_layer(credentials)
        context = self._context
        if context.complete:
            return self._offer_layers()
        if not self._has_begun and is_offer(credentials):
            self._has_layers = False  # SPNEGO by the name of GSSAPI: ldap3's Kerberos in BloodHound's hands
        self._has_begun = True
        token = context.step(credentials)
        if not context.complete:
            return BindOutcome(LdapResult.SASL_BIND_IN_PROGRESS, creds=token)
        if not self._has_layers:
            return self._finish_spnego(token)
        # An empty token would end RFC 4752's first phase unseen; the offer can go out at once.
        return BindOutcome(LdapResult.SASL_BIND_IN_PROGRESS, creds=token) if token else self._offer_layers()

    def _offer_layers(self) -> BindOutcome:
        """RFC 4752 3.1: one byte of layers, three of our greatest wrapped message.

        Deviation: over TLS, where no layer can be chosen, they are offered all the same, as Windows does:
        ldap3 cannot read an offer of "none" alone.
        """
        exchange = self._context.exchange
        self._offered = _LAYER_NONE | _LAYER_INTEGRITY * exchange.integrity
        self._offered |= _LAYER_CONFIDENTIALITY * exchange.confidential
        offer = exchange.wrap(bytes((self._offered,)) + _WRAPPED_MAX.to_bytes(3, "big"), seal=False)
        return BindOutcome(LdapResult.SASL_BIND_IN_PROGRESS, creds=offer)

    def _chosen_layer(self, credentials: bytes) -> BindOutcome:
        """The client's choice: layer, its greatest wrapped message, and an authorization identity."""
        plain, _ = self._context.exchange.unwrap(credentials)
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
        exchange = self._context.exchange
        if self._protection is Protection.TLS:
            return self._finish(None, 0, token)
        if exchange.confidential:
            return self._finish(True, _WRAPPED_MAX, token)
        return self._finish(False if exchange.integrity else None, _WRAPPED_MAX, token)

    def _finish(self, seal: bool | None, client_max: int, token: bytes) -> BindOutcome:
        """The last answer. seal: None for no layer."""
        context = self._context
        if seal is None and not self._binder.may_go_unsigned(self._protection):
            return signing_required()
        if self._protection is Protection.TLS and not context.names_channel:
            return _refused(HResult.SEC_E_BAD_BINDINGS, creds=b"")
        layer, protection = None, None
        if seal is not None:
            layer = _layer(context.exchange, seal, min(client_max or _WRAPPED_MAX, _WRAPPED_MAX))
            protection = Protection.SEALED if seal else Protection.SIGNED
        outcome = BindOutcome(LdapResult.SUCCESS, creds=token or None, layer=layer, protection=protection)
        return _logged_on(outcome, context)


def _logged_on(outcome: BindOutcome, context: AuthContext) -> BindOutcome:
    """A good proof's outcome as the one whose it is."""
    logon = context.logon()
    return replace(outcome, token=logon.token, principal=logon.principal, lifetime_s=logon.lifetime_s)


def _layer(exchange: Exchange, seal: bool, wrapped_max: int) -> SecurityLayer:
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


class SicilyBind:
    """A bind of two NTLM messages without SASL. Spec: [MS-ADTS] 5.1.1.1.3."""

    def __init__(self, binder: Binder, protection: Protection, channel_binding: bytes | None) -> None:
        self._binder = binder
        self._protection = protection
        self._context = binder.acceptor.context(channel_binding, Mechanism.NTLM)

    def negotiate(self, token: bytes) -> BindOutcome:
        """The challenge, as serverCreds."""
        try:
            challenge = self._context.step(token)
        except AuthError:
            return _refused(Win32.ERROR_LOGON_FAILURE)
        return BindOutcome(LdapResult.SUCCESS, sicily_creds=challenge, token=ANONYMOUS)

    def respond(self, token: bytes) -> BindOutcome:
        """The end of it."""
        directory, judge = self._binder.directory, self._context.judge
        try:
            self._context.step(token)
        except AuthError:
            refused = _not_let_in(directory, judge) or _refused(Win32.ERROR_LOGON_FAILURE)
            return _told(directory, judge, refused)
        return _told(directory, judge, self._finish())

    def _finish(self) -> BindOutcome:
        context, inside_tls = self._context, self._protection is Protection.TLS
        exchange = context.exchange
        if inside_tls and not context.names_channel:
            return _refused(HResult.SEC_E_BAD_BINDINGS)
        if inside_tls or not exchange.integrity:
            if not inside_tls and not self._binder.may_go_unsigned(self._protection):
                return signing_required()
            return _logged_on(BindOutcome(LdapResult.SUCCESS), context)
        seal = exchange.confidential
        outcome = BindOutcome(
            LdapResult.SUCCESS,
            layer=_layer(exchange, seal, _WRAPPED_MAX),
            protection=Protection.SEALED if seal else Protection.SIGNED,
        )
        return _logged_on(outcome, context)
