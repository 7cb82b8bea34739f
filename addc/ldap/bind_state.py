"""Where one connection's binds are: exchanges under way, what its TLS channel proves, fast bind mode.

Spec: RFC 4511 4.2; [MS-ADTS] 5.1.1.1.2, 5.1.1.1.3, 5.1.1.2, 3.1.1.3.4.2.2.
"""

import logging
from typing import Final

from addc.auth.gss import NoKeysError
from addc.codes.faces import ldap_error_text
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.ldap import messages as m
from addc.ldap.bind import EXTERNAL, Binder, BindOutcome, Protection, SaslBind, SicilyBind
from addc.security.token import ANONYMOUS

_LOG: Final = logging.getLogger("addc.ldap")
_SICILY_PACKAGES: Final = b"NTLM"


def _refused(code: Win32, result: LdapResult, why: str) -> BindOutcome:
    return BindOutcome(result, ldap_error_text(code, result, why), token=ANONYMOUS)


_NO_ACCEPTOR: Final = _refused(
    Win32.ERROR_SUCCESS, LdapResult.UNAVAILABLE, "The server cannot check Kerberos tickets now"
)
_NOT_SUPPORTED: Final = _refused(
    Win32.ERROR_DS_AUTH_METHOD_NOT_SUPPORTED,
    LdapResult.AUTH_METHOD_NOT_SUPPORTED,
    "The requested authentication method is not supported by the server",
)
_NO_PACKAGE: Final = _refused(
    Win32.ERROR_DS_INAPPROPRIATE_AUTH, LdapResult.INAPPROPRIATE_AUTHENTICATION, "no such package"
)
_SIMPLE_ONLY: Final = BindOutcome(
    LdapResult.UNWILLING_TO_PERFORM,
    ldap_error_text(
        Win32.ERROR_DS_INAPPROPRIATE_AUTH,
        LdapResult.UNWILLING_TO_PERFORM,
        "only simple binds in fast bind mode",
    ),
)


class BindState:
    """The binds of one connection. fast: simple binds alone, which leave nobody bound.

    certificate: what the client showed to the TLS channel, DER. channel_binding: that channel's name.
    """

    __slots__ = ("_binder", "_sasl", "_sicily", "_tls_port", "certificate", "channel_binding", "fast")

    def __init__(self, binder: Binder, channel_binding: bytes | None, *, tls_port: bool) -> None:
        self._binder = binder
        self._tls_port = tls_port
        self._sasl: SaslBind | None = None
        self._sicily: SicilyBind | None = None
        self.certificate: bytes | None = None
        self.channel_binding = channel_binding
        self.fast = False

    def begin_tls(self, channel_binding: bytes | None) -> None:
        """A bind begun in clear is not finished over TLS, without the channel's binding."""
        self._sasl = self._sicily = None
        self.channel_binding = channel_binding

    def by_channel(self, certificate: bytes | None) -> BindOutcome | None:
        """A client that shows its certificate to the TLS port is bound by that; None for all others.

        Spec: [MS-ADTS] 5.1.1.2.
        """
        self.certificate = certificate
        if certificate is None or not self._tls_port:
            return None
        outcome = self._binder.external(certificate)
        return outcome if outcome.result is LdapResult.SUCCESS else None

    def judge(self, op: m.BindRequest, protection: Protection) -> BindOutcome:
        """What one request comes to; a request of another kind ends what was begun."""
        sasl, self._sasl = self._sasl, None
        sicily, self._sicily = self._sicily, None
        if op.version not in (2, 3):
            return BindOutcome(
                LdapResult.PROTOCOL_ERROR, "only LDAP versions 2 and 3 are spoken", token=ANONYMOUS
            )
        choice = op.authentication
        if isinstance(choice, m.SimpleAuth):
            return self._binder.simple(op.name, choice.password, protection)
        if self.fast:
            return _SIMPLE_ONLY
        if isinstance(choice, m.SaslCredentials):
            return self._by_sasl(sasl, choice, protection)
        return self._by_sicily(sicily, choice, protection)

    def _binding(self, protection: Protection) -> bytes | None:
        """What SASL inside TLS names the channel by."""
        return self.channel_binding if protection is Protection.TLS else None

    def _by_sasl(self, sasl: SaslBind | None, op: m.SaslCredentials, protection: Protection) -> BindOutcome:
        credentials = op.credentials or b""
        if op.mechanism.upper() == EXTERNAL:
            # What the TLS port was shown has bound the connection already, and is good for that alone.
            return self._binder.external(None if self._tls_port else self.certificate, credentials)
        if sasl is None or sasl.mechanism != op.mechanism.upper():
            sasl = self._binder.sasl(op.mechanism, protection, self._binding(protection))
        if sasl is None:
            return _NOT_SUPPORTED
        try:
            outcome = sasl.step(credentials)
        except NoKeysError as error:
            _LOG.error("no Kerberos acceptor", extra={"fields": {"why": str(error)}})
            return _NO_ACCEPTOR
        if outcome.result is not LdapResult.SASL_BIND_IN_PROGRESS:
            return outcome
        self._sasl = sasl
        return BindOutcome(outcome.result, creds=outcome.creds, token=ANONYMOUS)

    def _by_sicily(
        self,
        sicily: SicilyBind | None,
        op: m.SicilyPackageDiscovery | m.SicilyNegotiate | m.SicilyResponse,
        protection: Protection,
    ) -> BindOutcome:
        """Spec: [MS-ADTS] 5.1.1.1.3."""
        match op:
            case m.SicilyResponse(token=token):
                return _NO_PACKAGE if sicily is None else sicily.respond(token)
            case m.SicilyPackageDiscovery() if self._binder.policy.ntlm:
                return BindOutcome(LdapResult.SUCCESS, sicily_creds=_SICILY_PACKAGES, token=ANONYMOUS)
            case m.SicilyNegotiate(token=token):
                begun = self._binder.sicily(protection, self._binding(protection))
                if begun is not None:
                    outcome = begun.negotiate(token)
                    self._sicily = begun if outcome.result is LdapResult.SUCCESS else None
                    return outcome
        return _NO_PACKAGE
