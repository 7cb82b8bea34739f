"""The one Kerberos acceptor and initiator: python-gssapi over MIT krb5.

An exchange takes the client's tokens and gives ours, then wraps and unwraps what follows. MIT's library
speaks SPNEGO around Kerberos as well; it finds the DC's keys in a keytab file (auth/keytab.py).

Spec: RFC 4121, RFC 4178, RFC 4752, [MS-KILE] 3.4.5, [MS-SPNG] 3.2
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import gssapi
from gssapi import raw
from gssapi.raw.misc import GSSError
from gssapi.raw.named_tuples import AcceptSecContextResult

from addc.auth.keytab import KeytabEntry, unpack_keytab
from addc.base.errors import AddcError, DecodeError
from addc.base.secret import Secret

_SESSION_KEY_OID: Final = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2.5.5")
_PAC_ATTRIBUTE: Final = b"urn:mspac:"
_MECHANISMS: Final = (gssapi.MechType.kerberos, gssapi.OID.from_int_seq("1.3.6.1.5.5.2"))
"""Kerberos and SPNEGO: other plug-ins that a machine has do not speak here."""
REPLAYS_NAME: Final = "replays"
_CONFIDENTIALITY: Final = int(gssapi.RequirementFlag.confidentiality)
_INTEGRITY: Final = int(gssapi.RequirementFlag.integrity)
_MUTUAL: Final = int(gssapi.RequirementFlag.mutual_authentication)
_REPLAY: Final = int(gssapi.RequirementFlag.replay_detection)
_SEQUENCE: Final = int(gssapi.RequirementFlag.out_of_sequence_detection)
_DCE_STYLE: Final = 0x1000
_DATA: Final = raw.IOVBufferType.data
_HEADER: Final = raw.IOVBufferType.header
_SIGN_ONLY: Final = raw.IOVBufferType.sign_only
_MIC_TOKEN: Final = raw.IOVBufferType.mic_token
_SOME: Final = bytes(16)
_CLOCK_SKEW_S: Final = 300
"""By which the library lets a ticket outlive its end; a session ends with the ticket."""
_OTHER_NAMES: Final = -1765328348 & 0xFFFF_FFFF
"""KRB5KRB_AP_ERR_BADMATCH: the ticket is not of whom the authenticator names."""
_NO_CI_FLAGS: Final = gssapi.OID.from_int_seq("1.2.752.43.13.29")
"""GSS_KRB5_CRED_NO_CI_FLAGS_X: MIT's library asks for signing and sealing unasked otherwise."""
_NO_KDC: Final = frozenset(
    code & 0xFFFF_FFFF for code in (-1765328230, -1765328228, -1765328160, -1765328249, -1765328164)
)
"""KRB5_REALM_UNKNOWN, KRB5_KDC_UNREACH, KRB5_CONFIG_NODEFREALM, _CANTOPEN, KRB5_REALM_CANT_RESOLVE."""
_CHANNEL_BOUND: Final = 0x800
"""GSS_C_CHANNEL_BOUND_FLAG of MIT krb5 1.19, which python-gssapi has no name for."""


class AuthError(AddcError):
    """The client's proof does not hold; the text is for the log, never for the client."""


class NoKeysError(AuthError):
    """The acceptor has no keys: no client's fault."""


class NoKdcError(AuthError):
    """No KDC could be asked: nothing is said about the client's proof."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who proved itself.

    principal: "alice@EXAMPLE.COM". pac: the PAC that the ticket carried, its server signature checked by
    the library; None where the ticket had none, which proves nobody. lifetime_s: how long the ticket is
    still good for.
    """

    principal: str
    pac: bytes | None
    lifetime_s: int | None = None


class _Protection:
    """What either side does with a context that is complete.

    Made of python-gssapi's raw calls: its classes bind every call's arguments anew, which costs more than
    the cryptography.
    """

    __slots__ = ("_context", "_flags", "_signature_sizes", "complete")

    signs_headers = False
    """RPC's signatures cover the header only where both sides agreed to that."""

    def __init__(self) -> None:
        self._context: raw.SecurityContext | None = None
        self._flags = 0
        self._signature_sizes = [0, 0]
        self.complete = False

    @property
    def confidential(self) -> bool:
        """Sealing was negotiated."""
        return bool(self._flags & _CONFIDENTIALITY)

    @property
    def integrity(self) -> bool:
        """Signing was negotiated."""
        return bool(self._flags & _INTEGRITY)

    @property
    def bound_to_channel(self) -> bool:
        """The client named the TLS channel below, and named the right one."""
        return bool(self._flags & _CHANNEL_BOUND)

    @property
    def dce_style(self) -> bool:
        """Three messages, and `protect` without framing, as DCE/RPC has it."""
        return bool(self._flags & _DCE_STYLE)

    def session_key(self) -> bytes:
        """The context's key ([MS-KILE] 3.4.5.4)."""
        return bytes(raw.inquire_sec_context_by_oid(self._context, _SESSION_KEY_OID)[0])  # type: ignore[arg-type]

    def wrap(self, data: bytes, *, seal: bool) -> bytes:
        """A signed or sealed message. Raises AuthError when the context is no longer good."""
        try:
            return bytes(raw.wrap(self._context, data, seal).message)  # type: ignore[arg-type]
        except GSSError as error:
            raise AuthError(str(error)) from None

    def unwrap(self, data: bytes) -> tuple[bytes, bool]:
        """The plain bytes, and whether they came sealed. Raises AuthError when they were altered."""
        try:
            plain = raw.unwrap(self._context, data)  # type: ignore[arg-type]
        except GSSError as error:
            raise AuthError(str(error)) from None
        return bytes(plain.message), bool(plain.encrypted)

    def size_limit(self, size: int, *, seal: bool) -> int:
        """How many plain bytes fit into a wrapped message of `size` bytes."""
        return int(raw.wrap_size_limit(self._context, size, seal))  # type: ignore[arg-type]

    def sign(self, data: bytes) -> bytes:
        """A signature (MIC token) of bytes that travel elsewhere."""
        try:
            return bytes(raw.get_mic(self._context, data))  # type: ignore[arg-type]
        except GSSError as error:
            raise AuthError(str(error)) from None

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether that is the peer's signature of these bytes."""
        try:
            raw.verify_mic(self._context, data, signature)  # type: ignore[arg-type]
        except GSSError:
            return False
        return True

    def protect(self, before: bytes, data: bytes, after: bytes, *, seal: bool) -> tuple[bytes, bytes]:
        """`data` as it travels, and the token that goes along; `before` and `after` are signed in place.

        Spec: [MS-RPCE] 2.2.2.11, 3.3.1.5.2.2; [MS-KILE] 3.4.5.4 (GSS_WrapEx), 3.4.5.6 (GSS_GetMICEx).
        """
        if not seal:
            return data, self.sign(before + data + after)
        message = raw.IOV(
            (_SIGN_ONLY, False, before), (_DATA, False, data), (_SIGN_ONLY, False, after),
            (_HEADER, True, None), std_layout=False,
        )  # fmt: skip
        try:
            raw.wrap_iov(self._context, message, confidential=True)  # type: ignore[arg-type]
        except GSSError as error:
            raise AuthError(str(error)) from None
        return bytes(message[1].value or b""), bytes(message[3].value or b"")

    def signature_size(self, *, seal: bool) -> int:
        """How long the token is that `protect` makes, which the message says before it is protected."""
        found = self._signature_sizes[seal]
        if not found:
            found = self._signature_sizes[seal] = self._measured(seal)
        return found

    def _measured(self, seal: bool) -> int:
        if seal:
            message = raw.IOV((_DATA, False, _SOME), (_HEADER, None, None), std_layout=False)
            raw.wrap_iov_length(self._context, message, confidential=True)  # type: ignore[arg-type]
        else:
            message = raw.IOV((_DATA, False, _SOME), (_MIC_TOKEN, None, None), std_layout=False)
            raw.get_mic_iov_length(self._context, message)  # type: ignore[arg-type]
        return len(message[1].value or b"")

    def unprotect(self, before: bytes, data: bytes, after: bytes, token: bytes, *, seal: bool) -> bytes:
        """The plain `data` of a message that the peer protected so. Raises AuthError when it was altered."""
        if not seal:
            if not self.verify(before + data + after, token):
                raise AuthError("a message was changed on its way")
            return data
        message = raw.IOV(
            (_SIGN_ONLY, False, before), (_DATA, False, data), (_SIGN_ONLY, False, after),
            (_HEADER, False, token), std_layout=False,
        )  # fmt: skip
        try:
            found = raw.unwrap_iov(self._context, message)  # type: ignore[arg-type]
        except GSSError as error:
            raise AuthError(str(error)) from None
        if not found.encrypted:
            raise AuthError("a message in clear where it has to be sealed")
        return bytes(message[1].value or b"")


class GssExchange(_Protection):
    """One acceptor context: `step` until `complete`, then `peer`, and what `_Protection` gives.

    A ticket-granting ticket that a client delegates is thrown away: nothing here acts for users elsewhere.
    """

    __slots__ = ("_bindings", "_credentials", "_keytab", "_lifetime_s", "_name")

    def __init__(self, credentials: raw.Creds, bindings: raw.ChannelBindings | None, keytab: Path) -> None:
        super().__init__()
        self._credentials = credentials
        self._bindings = bindings
        self._keytab = keytab
        self._name: raw.Name | None = None
        self._lifetime_s: int | None = None

    def step(self, token: bytes) -> bytes:
        """Our answer to the client's token; empty where there is nothing to say.

        Raises AuthError when the token is not good.
        """
        try:
            done = self._accepted(token)
        except GSSError as error:
            raise AuthError(str(error)) from None
        self._context = done.context
        self.complete = not done.more_steps
        if self.complete:
            self._name, self._flags = done.initiator_name, int(done.flags)
            self._lifetime_s = None if done.lifetime is None else max(done.lifetime - _CLOCK_SKEW_S, 0)
        return bytes(done.token or b"")

    def _accepted(self, token: bytes) -> AcceptSecContextResult:
        """The library's answer; asked again where names differed by their letters' case alone."""
        try:
            return raw.accept_sec_context(token, self._credentials, self._context, self._bindings)
        except GSSError as error:
            if self._context is not None or error.min_code & 0xFFFF_FFFF != _OTHER_NAMES:
                raise
            from addc.auth.name_case import in_ticket_letters  # noqa: PLC0415 - clients never need it

            written = in_ticket_letters(token, _keys_of(self._keytab))
            if written is None:
                raise
        return raw.accept_sec_context(written, self._credentials, None, self._bindings)

    def peer(self) -> Peer:
        """Raises AuthError for a PAC whose signature does not hold."""
        assert self._name is not None
        principal = raw.display_name(self._name, name_type=False).name.decode("utf-8", "surrogateescape")
        try:
            pac = raw.get_name_attribute(self._name, _PAC_ATTRIBUTE)
        except GSSError:
            return Peer(principal, None, self._lifetime_s)
        values = [bytes(value) for value in pac.values]
        if not pac.authenticated or len(values) != 1:
            raise AuthError(f"the PAC of {principal} is not signed for this DC")
        return Peer(principal, values[0], self._lifetime_s)


def _keys_of(keytab: Path) -> list[KeytabEntry]:
    try:
        return unpack_keytab(keytab.read_bytes())
    except (OSError, DecodeError):
        return []


class GssAcceptor:
    """The DC's credentials; makes exchanges.

    Every first token is good once. What a client sends in clear to port 389 would else log anybody on at 636,
    where TLS protects a connection whoever began it, and no layer asks for the ticket's session key. The
    library remembers tokens for five minutes in a file beside the keytab, which all workers share.
    """

    def __init__(self, keytab: Path) -> None:
        os.environ["KRB5RCACHENAME"] = "none:"  # for whatever does not name its own
        self._store: dict[bytes | str, bytes | str] = {
            "keytab": f"FILE:{keytab}",
            "rcache": f"file2:{keytab.with_name(REPLAYS_NAME)}",
        }
        self._keytab = keytab
        self._read_at = -1
        self._credentials: gssapi.Credentials | None = None

    def _current(self) -> gssapi.Credentials:
        """Credentials from the keytab as it is now; a replaced file is read again."""
        try:
            written = self._keytab.stat().st_mtime_ns
            if self._credentials is None or written != self._read_at:
                self._credentials = gssapi.Credentials(usage="accept", mechs=_MECHANISMS, store=self._store)
                self._read_at = written
        except (OSError, GSSError) as error:
            raise NoKeysError(f"the acceptor has no keys: {error}") from None
        return self._credentials

    def exchange(self, channel_binding: bytes | None = None) -> GssExchange:
        """A new context.

        channel_binding: application data of the TLS channel below (RFC 5929), where there is one.
        """
        bindings = raw.ChannelBindings(application_data=channel_binding) if channel_binding else None
        return GssExchange(self._current(), bindings, self._keytab)


@dataclass(frozen=True, slots=True)
class InitiatorOptions:
    """How an initiator begins.

    sealing: confidentiality is wanted. signing: integrity is; False over TLS, which allows for neither.
    channel_binding: of the TLS channel.
    """

    sealing: bool = True
    signing: bool = True
    dce_style: bool = False
    spnego: bool = False
    channel_binding: bytes | None = None


@dataclass(frozen=True, slots=True)
class PasswordLogon:
    """Credentials that are made by asking a KDC, and kept in memory. principal: "alice@EXAMPLE.COM"."""

    principal: str
    password: Secret


class GssInitiator(_Protection):
    """The other side: this DC as a client of another. Its first `step` may ask a KDC: never on the loop."""

    __slots__ = ("_bindings", "_credentials", "_mechanism", "_target", "_wanted")

    def __init__(self, target: str, store: dict[str, str] | PasswordLogon, options: InitiatorOptions) -> None:
        """target: the service's principal. store: "ccache" or "client_keytab", as krb5 names them; {} for
        what the environment names; or a name and its password, which does not go with SPNEGO.

        Raises NoKeysError where the store has no credentials, NoKdcError where no KDC takes the password.
        """
        super().__init__()
        try:
            self._credentials = _initiator_credentials(store)
            if not options.signing:
                self._credentials = raw.set_cred_option(_NO_CI_FLAGS, self._credentials, b"")
            self._target = raw.import_name(target.encode(), gssapi.NameType.kerberos_principal)
        except GSSError as error:
            if error.min_code & 0xFFFF_FFFF in _NO_KDC:
                raise NoKdcError(str(error)) from None
            raise NoKeysError(f"no credentials to log on with: {error}") from None
        self._mechanism = _MECHANISMS[1] if options.spnego else _MECHANISMS[0]
        self._wanted = _MUTUAL | (_INTEGRITY | _SEQUENCE | _REPLAY) * options.signing
        self._wanted |= _CONFIDENTIALITY * options.sealing | _DCE_STYLE * options.dce_style
        binding = options.channel_binding
        self._bindings = raw.ChannelBindings(application_data=binding) if binding else None

    def step(self, token: bytes = b"") -> bytes:
        """Our next token for the server's; b"" first and where there is nothing more to say.

        Raises AuthError where there is no ticket, or the server does not prove itself.
        """
        try:
            done = raw.init_sec_context(
                self._target,
                self._credentials,
                self._context,
                self._mechanism,
                self._wanted,
                channel_bindings=self._bindings,
                input_token=token or None,
            )
        except GSSError as error:
            if error.min_code & 0xFFFF_FFFF in _NO_KDC:
                raise NoKdcError(str(error)) from None
            raise AuthError(str(error)) from None
        self._context = done.context
        self.complete = not done.more_steps
        self._flags = int(done.flags)
        return bytes(done.token or b"")


def _initiator_credentials(store: dict[str, str] | PasswordLogon) -> raw.Creds:
    if isinstance(store, PasswordLogon):
        name = raw.import_name(store.principal.encode(), gssapi.NameType.kerberos_principal)
        password = store.password.reveal()  # Kerberos alone: beside SPNEGO the library hides why it failed
        return raw.acquire_cred_with_password(name, password, mechs=_MECHANISMS[:1], usage="initiate").creds
    names = cast("dict[bytes | str, bytes | str]", store)
    return gssapi.Credentials(usage="initiate", mechs=_MECHANISMS, store=names or None)
