"""SESSION_SETUP and LOGOFF: who the client is, and the keys that follow from it.

Spec: [MS-SMB2] 3.3.5.5, 3.3.5.6.
"""

import logging
from dataclasses import dataclass
from typing import Final, Protocol, cast

from addc.auth.acceptor import Acceptor, AuthContext, Logon
from addc.auth.counted import Place, Start, counted_step
from addc.auth.gss import AuthError, NoKeysError
from addc.auth.ntlm_logon import NotLetInError
from addc.base.clock import NEVER_FT, TICKS_PER_S, FileTime
from addc.base.secret import Secret
from addc.codes.ntstatus import NtStatus
from addc.security.crypto.hashes import sha512
from addc.smb import messages as m
from addc.smb.encryption import Sealer
from addc.smb.messages import Dialect
from addc.smb.negotiate import Agreed
from addc.smb.policy import (
    CHANNELS_PER_SESSION_MAX,
    SESSIONS_PER_CONNECTION_MAX,
    SESSIONS_UNKNOWN_MAX,
    Encryption,
    SmbPolicy,
)
from addc.smb.request import Reply, Request, SmbError, SmbHost
from addc.smb.session import Channel, EndReason, Link, Session, SessionState
from addc.smb.signing import Signer, SigningAlgorithm, session_keys, short_key, signing_key

_LOG: Final = logging.getLogger("addc.smb")
_EXCHANGE_STEPS_MAX: Final = 8
# What tells a guesser whether an account exists, or that only its password was wrong, is told as one.
_AS_FAILURE: Final = frozenset({NtStatus.STATUS_NO_SUCH_USER, NtStatus.STATUS_WRONG_PASSWORD})


@dataclass(slots=True, eq=False)
class Setup:
    """A proof of identity under way on one connection. preauth: the hash of its messages so far (3.1.1).

    binding: it adds a channel to the session. reauthentication: the session goes on with it.
    """

    context: AuthContext
    session: Session
    preauth: bytes
    binding: bool = False
    reauthentication: bool = False
    steps: int = 0
    busy: bool = False


class SetupLink(Link, Protocol):
    """The connection as SESSION_SETUP needs it."""

    agreed: Agreed | None
    authenticated: bool
    preauth: bytes
    peer_port: int
    sessions: dict[int, Session]
    setups: dict[int, Setup]

    def trust(self) -> None: ...

    def admit_nobody(self) -> None: ...


class SetupHost(SmbHost, Protocol):
    """The server as SESSION_SETUP needs it."""

    acceptor: Acceptor
    policy: SmbPolicy
    start: Start

    def new_session(self, link: Link, now: FileTime) -> Session: ...

    async def end_session(self, session: Session, reason: EndReason) -> None: ...


async def session_setup(request: Request) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.5."""
    host, link = cast(SetupHost, request.host), cast(SetupLink, request.link)
    message = request.body(m.SessionSetupRequest)
    setup = _setup_of(request, host, link, message)
    if setup.busy:
        raise SmbError(NtStatus.STATUS_REQUEST_NOT_ACCEPTED)
    setup.steps += 1
    if link.dialect is Dialect.SMB_3_1_1 and not setup.reauthentication:
        setup.preauth = sha512(setup.preauth + request.raw)
    place = Place("SMB", link.peer, link.peer_port)
    setup.busy = True
    try:
        answer = await counted_step(host.directory, setup.context, message.security_buffer, place, host.start)
        logon = setup.context.logon() if setup.context.complete else None
        if logon is None and setup.steps >= _EXCHANGE_STEPS_MAX:
            raise AuthError("an exchange without end")
    except NoKeysError as error:
        _LOG.error("no Kerberos acceptor", extra={"fields": {"why": str(error)}})
        await _give_up(host, link, setup)
        raise SmbError(NtStatus.STATUS_LOGON_FAILURE) from None
    except AuthError as error:
        _LOG.info("SMB logon refused", extra={"fields": {"source": link.peer, "why": str(error)}})
        await _give_up(host, link, setup)
        raise SmbError(_status_of(error)) from None
    finally:
        setup.busy = False
    request.compound.session_id = setup.session.session_id
    if logon is None:
        return _go_on(request, link, setup, answer)
    link.setups.pop(setup.session.session_id, None)
    if not link.is_open or setup.session.state is SessionState.CLOSED:
        raise SmbError(NtStatus.STATUS_USER_SESSION_DELETED)
    flags = await _done(request, setup, logon)
    return Reply(m.SessionSetupResponse(flags, answer))


def _go_on(request: Request, link: SetupLink, setup: Setup, answer: bytes) -> Reply:
    """One more message of the exchange is wanted."""
    link.setups[setup.session.session_id] = setup

    def note(response: bytes) -> None:
        setup.preauth = sha512(setup.preauth + response)

    hashes = link.dialect is Dialect.SMB_3_1_1 and not setup.reauthentication
    return Reply(
        m.SessionSetupResponse(0, answer),
        status=NtStatus.STATUS_MORE_PROCESSING_REQUIRED,
        packed=note if hashes else None,
    )


async def _give_up(host: SetupHost, link: SetupLink, setup: Setup) -> None:
    """The proof was not good. A session that was to be renewed by it ends. Spec: [MS-SMB2] 3.3.5.5.3."""
    link.setups.pop(setup.session.session_id, None)
    if not setup.binding:
        await host.end_session(setup.session, EndReason.LOGGED_OFF)


def _status_of(error: AuthError) -> NtStatus:
    """The NTSTATUS that a client is told."""
    if isinstance(error, NotLetInError) and error.verdict.status not in _AS_FAILURE:
        return error.verdict.status
    return NtStatus.STATUS_LOGON_FAILURE


def _setup_of(request: Request, host: SetupHost, link: SetupLink, message: m.SessionSetupRequest) -> Setup:
    """The exchange that a request begins or goes on with. Raises SmbError."""
    header, agreed = request.header, link.agreed
    assert agreed is not None
    if host.policy.encryption is Encryption.REQUIRED and not agreed.can_encrypt:
        raise SmbError(NtStatus.STATUS_ACCESS_DENIED)
    session_id = header.session_id
    binding = bool(message.flags & m.SESSION_FLAG_BINDING)
    if session_id and binding:
        session = _to_be_bound(request, host, link)
        under_way = link.setups.get(session_id)
        return under_way or Setup(host.acceptor.context(), session, link.preauth, binding=True)
    if session_id == 0:
        sessions_max = SESSIONS_PER_CONNECTION_MAX if link.authenticated else SESSIONS_UNKNOWN_MAX
        if len(link.sessions) + len(link.setups) >= sessions_max:
            raise SmbError(NtStatus.STATUS_INSUFFICIENT_RESOURCES)
        session = host.new_session(link, host.services.clock.now())
        link.sessions[session.session_id] = session
        session.channels[link] = Channel(link, None)
        return Setup(host.acceptor.context(anonymous=host.policy.lets_nobody_in), session, link.preauth)
    under_way = link.setups.get(session_id)
    if under_way is not None and under_way.binding:  # each of its messages is signed, and says so
        raise SmbError(NtStatus.STATUS_USER_SESSION_DELETED)
    if under_way is not None and not under_way.reauthentication:
        return under_way
    found = link.sessions.get(session_id)
    if found is None or found.state is SessionState.CLOSED:
        raise SmbError(NtStatus.STATUS_USER_SESSION_DELETED)
    _check_signed(request, found, found.channels[link].signer)
    if not request.encrypted:
        request.signer = found.channels[link].signer
    context = host.acceptor.context(anonymous=host.policy.lets_nobody_in)
    return under_way or Setup(context, found, b"", reauthentication=True)


def _check_signed(request: Request, session: Session, signer: Signer | None) -> None:
    """Spec: [MS-SMB2] 3.3.5.2.4."""
    if request.encrypted:
        return
    if request.header.flags & m.FLAGS_SIGNED:
        if signer is None:
            raise SmbError(NtStatus.STATUS_NOT_SUPPORTED)
        if not signer.verifies(request.raw):
            raise SmbError(NtStatus.STATUS_ACCESS_DENIED)
    elif session.signing_required or session.encrypt:
        raise SmbError(NtStatus.STATUS_ACCESS_DENIED)


def _to_be_bound(request: Request, host: SetupHost, link: SetupLink) -> Session:
    """The session that a new channel is for. Raises SmbError. Spec: [MS-SMB2] 3.3.5.5, step 4."""
    agreed = link.agreed
    assert agreed is not None
    session = host.sessions.get(request.header.session_id)
    if session is None:
        raise SmbError(NtStatus.STATUS_USER_SESSION_DELETED)
    if session.signing is not agreed.signing and SigningAlgorithm.AES_GMAC in (
        session.signing,
        agreed.signing,
    ):
        before = session.signing is SigningAlgorithm.AES_GMAC
        raise SmbError(NtStatus.STATUS_REQUEST_OUT_OF_SEQUENCE if before else NtStatus.STATUS_NOT_SUPPORTED)
    signed = bool(request.header.flags & m.FLAGS_SIGNED)
    if signed and session.signer is not None:
        bound = session.channels.get(link)
        signer = session.signer if bound is None or bound.signer is None else bound.signer
        if not signer.verifies(request.raw):
            raise SmbError(NtStatus.STATUS_ACCESS_DENIED)
        request.signer = signer
    if link.dialect < Dialect.SMB_3_0 or not host.policy.multi_channel:
        raise SmbError(NtStatus.STATUS_REQUEST_NOT_ACCEPTED)
    if not signed or session.dialect is not link.dialect or session.cipher is not agreed.cipher:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    if session.state is SessionState.IN_PROGRESS:
        raise SmbError(NtStatus.STATUS_REQUEST_NOT_ACCEPTED)
    if session.state is SessionState.EXPIRED:
        raise SmbError(NtStatus.STATUS_NETWORK_SESSION_EXPIRED)
    if session.anonymous or session.signer is None:
        raise SmbError(NtStatus.STATUS_NOT_SUPPORTED)
    if request.header.session_id in link.sessions:
        raise SmbError(NtStatus.STATUS_REQUEST_NOT_ACCEPTED)
    if len(session.channels) >= CHANNELS_PER_SESSION_MAX:
        raise SmbError(NtStatus.STATUS_INSUFFICIENT_RESOURCES)
    return session


async def _done(request: Request, setup: Setup, logon: Logon) -> int:
    """The client is who it says; the flags of the response."""
    link, session = cast(SetupLink, request.link), setup.session
    if setup.binding:
        _bind(request, setup, logon)
        return 0
    host = cast(SetupHost, request.host)
    if setup.reauthentication and not _may_go_on(session, logon):
        _LOG.info("SMB session of another refused", extra={"fields": {"source": link.peer}})
        await host.end_session(session, EndReason.LOGGED_OFF)
        raise SmbError(NtStatus.STATUS_ACCESS_DENIED)
    session.token, session.principal, session.package = logon.token, logon.principal, logon.package
    session.expires_ft = NEVER_FT
    if logon.lifetime_s is not None:
        session.expires_ft = FileTime(host.services.clock.now() + logon.lifetime_s * TICKS_PER_S)
    session.state = SessionState.VALID
    if setup.reauthentication:
        session.anonymous = logon.token.is_anonymous
        return m.SESSION_FLAG_IS_NULL if session.anonymous else 0
    flags = _begun(request, setup)
    if session.anonymous:
        link.admit_nobody()
    else:
        link.trust()
    previous = request.body(m.SessionSetupRequest).previous_session_id
    if previous and previous != session.session_id and not session.anonymous:
        old = host.sessions.get(previous)
        if old is not None and old.token.user == session.token.user:
            await host.end_session(old, EndReason.CONNECTION_LOST)
    return flags


def _may_go_on(session: Session, logon: Logon) -> bool:
    """Whether somebody may go on with a session: who its keys are of, or nobody in particular.

    Deviation: the documents let anybody. The keys stay, so whoever began the session could sign for who came
    after him: a relayed proof would need no signing key of its own. Spec: [MS-SMB2] 3.3.5.5.2.
    """
    return logon.token.is_anonymous or logon.token.user == session.keys_of


def _bind(request: Request, setup: Setup, logon: Logon) -> None:
    """A channel more. Spec: [MS-SMB2] 3.3.5.5.3."""
    link, session = cast(SetupLink, request.link), setup.session
    if logon.token.user != session.token.user:
        raise SmbError(NtStatus.STATUS_ACCESS_DENIED)
    key = signing_key(link.dialect, setup.context.exchange.session_key(), setup.preauth)
    assert link.agreed is not None
    signer = Signer(link.agreed.signing, key)
    session.channels[link] = Channel(link, signer)
    link.sessions[session.session_id] = session
    link.trust()
    request.signer = signer


def _begun(request: Request, setup: Setup) -> int:
    """The keys of a new session; the flags of the response."""
    host, link, session = cast(SetupHost, request.host), cast(SetupLink, request.link), setup.session
    agreed = link.agreed
    assert agreed is not None
    session.signing, session.cipher = agreed.signing, agreed.cipher
    if session.token.is_anonymous:
        session.anonymous = True
        session.session_key = session.application_key = Secret(bytes(16))
        return m.SESSION_FLAG_IS_NULL
    session.keys_of = session.token.user
    key = setup.context.exchange.session_key()
    keys = session_keys(link.dialect, agreed.cipher, key, setup.preauth)
    session.session_key, session.application_key = Secret(short_key(key)), keys.application
    signer = session.signer = Signer(agreed.signing, keys.signing)
    session.channels[link] = Channel(link, signer)
    if agreed.can_encrypt:
        session.sealer = Sealer(agreed.cipher, keys.encryption, keys.decryption)
    request.signer = signer
    if host.policy.encryption is Encryption.REQUIRED:
        session.encrypt = True
        return m.SESSION_FLAG_ENCRYPT_DATA
    modes = agreed.client_security_mode | request.body(m.SessionSetupRequest).security_mode
    session.signing_required = host.policy.signing_required or bool(modes & m.SIGNING_REQUIRED)
    return 0


async def logoff(request: Request) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.6."""
    host, session = cast(SetupHost, request.host), request.session
    if not request.encrypted:
        request.signer = session.channels[request.link].signer
        if not request.header.flags & m.FLAGS_SIGNED and not session.signing_required:
            request.signer = None
    await host.end_session(session, EndReason.LOGGED_OFF)
    return Reply(m.Plain())
