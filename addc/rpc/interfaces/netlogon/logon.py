"""Logons passed on by members: NetrLogonSamLogon in its three forms, and NetrLogonSamLogoff.

A wrong password is counted before anybody is told that it was wrong, and guesses at one account wait for each
other (directory/turns.py): members are as good a way to guess as any.

Users of trusted domains are not passed on: this DC opens no channel to other domains' DCs yet, so it answers
that none can be reached.

Spec: [MS-NRPC] 3.5.4.5; [MS-APDS] 3.1.5, 3.2.5; [MS-SAMR] 3.1.5.14.6.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from addc.auth import logon_audit
from addc.auth.ntlm import Proof
from addc.auth.secure_channels import Channel
from addc.base.errors import NtError
from addc.base.ids import Dnt
from addc.codec.ndr import Tagged
from addc.codes.ntstatus import NtStatus
from addc.directory import logon_counters
from addc.directory.context import ReadContext, WriteContext
from addc.rpc.call import Call
from addc.rpc.interfaces.netlogon import channel as channels
from addc.rpc.interfaces.netlogon import idl, proofs, server_names, validation
from addc.rpc.interfaces.netlogon.idl import LogonLevel, ValidationLevel
from addc.rpc.interfaces.netlogon.proofs import Judged, Whose
from addc.security import schannel
from addc.security.token import SYSTEM

_PASSWORDS: Final = frozenset(
    (
        LogonLevel.INTERACTIVE,
        LogonLevel.INTERACTIVE_TRANSITIVE,
        LogonLevel.SERVICE,
        LogonLevel.SERVICE_TRANSITIVE,
    )
)
_NETWORK: Final = frozenset((LogonLevel.NETWORK, LogonLevel.NETWORK_TRANSITIVE))
_SAM_LEVELS: Final = frozenset(
    (ValidationLevel.SAM_INFO, ValidationLevel.SAM_INFO2, ValidationLevel.SAM_INFO4)
)
_GENERIC_LEVELS: Final = frozenset((ValidationLevel.GENERIC_INFO, ValidationLevel.GENERIC_INFO2))
_CROSS_FOREST: Final = 0x2
_KERBEROS: Final = "kerberos"
_EMPTY: Final = idl.NetlogonGenericInfo2(None)


class _Logon(NamedTuple):
    """What all forms bring."""

    computer: str | None
    logon_level: int
    information: Tagged
    validation_level: int
    extra_flags: int


class _Done(NamedTuple):
    """What all forms answer."""

    validation: Tagged
    authoritative: int
    status: NtStatus


def _refused(asked: _Logon, status: NtStatus, *, authoritative: bool = True) -> _Done:
    return _Done(idl.null_validation(asked.validation_level), int(authoritative), status)


def _check_levels(asked: _Logon) -> None:
    """Which logons go with which validations. Raises NtError. Spec: 3.5.4.5.1, W-NRPC-14.

    Tickets are refused so that members fall back on having their PACs verified.
    """
    level, wanted = asked.logon_level, asked.validation_level
    if not LogonLevel.INTERACTIVE <= level <= LogonLevel.TICKET:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, f"logon level {level}")
    if level == LogonLevel.GENERIC:
        good = wanted in _GENERIC_LEVELS
    else:
        good = level in _PASSWORDS | _NETWORK and wanted in _SAM_LEVELS
    if not good:
        raise NtError(NtStatus.STATUS_INVALID_INFO_CLASS, f"logon level {level}, validation level {wanted}")
    if asked.information.tag != level or asked.information.value is None:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no logon information")


async def _logon(call: Call, channel: Channel, asked: _Logon) -> _Done:
    """Judge a logon that came through a channel."""
    try:
        if asked.logon_level == LogonLevel.GENERIC:
            return _generic(call, channel, asked)
        if asked.extra_flags & _CROSS_FOREST:
            raise NtError(NtStatus.STATUS_NO_SUCH_USER, "no hop across a forest trust")
        return await _of_user(call, channel, asked)
    except NtError as error:
        return _refused(asked, NtStatus(error.status))


class _Look(NamedTuple):
    """One look at the directory: nothing is judged where the account is of another domain."""

    whose: Whose
    proof: Proof | None
    judged: Judged | None


def _judge(channel: Channel, asked: _Logon) -> Callable[[ReadContext], _Look]:
    value = asked.information.value
    if isinstance(value, idl.NetlogonNetworkInfo):
        network = value

        def look(ctx: ReadContext) -> _Look:
            of = proofs.whose(ctx, network.identity.logon_domain_name, network.identity.user_name or "")
            if of is not Whose.OURS:
                return _Look(of, None, None)
            return _Look(of, *proofs.network(ctx, network, channel))

        return look
    assert isinstance(value, idl.NetlogonInteractiveInfo)
    info, key = value, channels.buffer_key(channel)
    nt_hash = info.nt_owf_password
    if key is not None and any(nt_hash):
        nt_hash = schannel.decrypted(key, nt_hash)

    def look_at_hash(ctx: ReadContext) -> _Look:
        of = proofs.whose(ctx, info.identity.logon_domain_name, info.identity.user_name or "")
        return _Look(of, None, proofs.interactive(ctx, info, nt_hash) if of is Whose.OURS else None)

    return look_at_hash


async def _of_user(call: Call, channel: Channel, asked: _Logon) -> _Done:
    call.host.channels.logon_attempts += 1
    look = _judge(channel, asked)
    seen = call.directory.read_now("netlogon.logon", SYSTEM, look)
    if seen.whose is Whose.TRUSTED:
        return _refused(asked, NtStatus.STATUS_NO_LOGON_SERVERS)
    if seen.judged is None:  # the member may know the user itself
        return _refused(asked, NtStatus.STATUS_NO_SUCH_USER, authoritative=False)
    judged = await _settled(call, look, seen.judged)
    _audit(call, asked, seen.proof, judged)
    if judged.told is None:
        return _refused(asked, judged.verdict.status)
    key = channels.buffer_key(channel)
    return _Done(validation.at_level(judged.told, asked.validation_level, key), 1, NtStatus.STATUS_SUCCESS)


async def _settled(call: Call, look: Callable[[ReadContext], _Look], judged: Judged) -> Judged:
    """What a logon comes to once it is counted; judged anew where others' guesses came first."""
    verdict = judged.verdict
    account = verdict.account
    if account is None or verdict.status is NtStatus.STATUS_ACCOUNT_LOCKED_OUT:
        return judged
    turns = call.directory.turns
    waited = turns.is_taken(account)
    if not waited and not judged.guessed_at:
        if judged.due or verdict.is_guess:
            await _count(call, judged, account)
        return judged
    await turns.wait(account)
    try:
        if waited:
            judged = _again(call, look)
        if await _count(call, judged, account):
            return judged
        return _again(call, look)
    finally:
        turns.give(account)


def _again(call: Call, look: Callable[[ReadContext], _Look]) -> Judged:
    seen = call.directory.read_now("netlogon.logon", SYSTEM, look)
    assert seen.judged is not None
    return seen.judged


async def _count(call: Call, judged: Judged, account: Dnt) -> bool:
    """Whether what was judged may be told, now that it is written down."""
    if judged.told is not None:

        def settle(ctx: WriteContext) -> bool:
            return logon_counters.settle_right(ctx, account)

    elif judged.verdict.is_guess:

        def settle(ctx: WriteContext) -> bool:
            return logon_counters.settle_wrong(ctx, account)

    else:
        return True
    return await call.directory.write("netlogon.count", SYSTEM, settle)


def _audit(call: Call, asked: _Logon, proof: Proof | None, judged: Judged) -> None:
    """One record, as of every password that a DC judges."""
    if not logon_audit.is_wanted():
        return
    verdict, value = judged.verdict, asked.information.value
    assert isinstance(value, idl.NetlogonNetworkInfo | idl.NetlogonInteractiveInfo)
    identity = value.identity

    def fields_of(ctx: ReadContext) -> dict[str, object]:
        if proof is not None:
            return logon_audit.ntlm_event(ctx, proof, verdict)
        name = identity.user_name or ""
        found = logon_audit.simple_event(ctx, name, verdict.account, verdict.status)
        return found | {"package": "NTLM", "workstation": identity.workstation or ""}

    fields = call.directory.read_now("netlogon.audit", SYSTEM, fields_of)
    fields |= {"passed_on_by": asked.computer or "", "logon_level": asked.logon_level}
    logon_audit.tell(fields, granted=judged.told is not None, protocol="Netlogon", address=call.peer, port=0)


def _generic(call: Call, channel: Channel, asked: _Logon) -> _Done:
    """Generic pass-through: a PAC is verified; the digest package is not here.

    Spec: [MS-NRPC] 3.2.4.1; [MS-APDS] 3.2.5.6, 2.2.4.1.
    """
    info = asked.information.value
    assert isinstance(info, idl.NetlogonGenericInfo)
    if (info.package_name or "").lower() != _KERBEROS:
        raise NtError(NtStatus.STATUS_NO_SUCH_PACKAGE, f"package {info.package_name!r}")
    verify = call.host.verify_pac
    if verify is None:
        raise NtError(NtStatus.STATUS_NO_LOGON_SERVERS, "there is no KDC")
    key, data = channels.buffer_key(channel), info.logon_data or b""
    message = data if key is None else schannel.decrypted(key, data)
    status = call.directory.read_now("netlogon.pac", SYSTEM, lambda ctx: verify(ctx, message))
    if status is not NtStatus.STATUS_SUCCESS:
        raise NtError(status, "the PAC is not ours")
    level = asked.validation_level
    answer = _EMPTY if level == ValidationLevel.GENERIC_INFO2 else b""
    return _Done(Tagged(level, answer), 1, NtStatus.STATUS_SUCCESS)


# --- operations --------------------------------------------------------------------------------------------


def _check_server(call: Call, name: str | None) -> None:
    """Raises NtError(STATUS_INVALID_COMPUTER_NAME) for no name too. Spec: 3.5.4.5.1."""
    if name is None:
        raise NtError(NtStatus.STATUS_INVALID_COMPUTER_NAME, "no server's name")
    server_names.check_nt(call, name)


async def logon_sam_logon_ex(call: Call, request: idl.NetrLogonSamLogonEx) -> idl.NetrLogonSamLogonExResponse:
    """NetrLogonSamLogonEx: the connection is the proof, so there is no chain."""
    asked = _Logon(
        request.computer_name,
        request.logon_level,
        request.logon_information,
        request.validation_level,
        request.extra_flags,
    )
    try:
        channel = channels.channel_of(call, request.computer_name)
        _check_levels(asked)
        _check_server(call, request.logon_server)
    except NtError as error:
        done = _refused(asked, NtStatus(error.status))
    else:
        done = await _logon(call, channel, asked)
    return idl.NetrLogonSamLogonExResponse(
        done.validation, done.authoritative, request.extra_flags, done.status
    )


async def _chained(
    call: Call,
    request: idl.NetrLogonSamLogon | idl.NetrLogonSamLogonWithFlags,
    asked: _Logon,
) -> tuple[idl.NetlogonAuthenticator | None, _Done]:
    """A logon that brings an authenticator, which moves the chain on whatever comes of the logon.

    Levels that do not go together are refused before it is looked at.
    """
    try:
        _check_levels(asked)
        channel, returned = channels.stepped(call, request.computer_name, request.authenticator)
    except NtError as error:
        returns = None if request.return_authenticator is None else idl.NO_AUTHENTICATOR
        return returns, _refused(asked, NtStatus(error.status))
    answer = None if request.return_authenticator is None else returned
    try:
        _check_server(call, request.logon_server)
    except NtError as error:
        return answer, _refused(asked, NtStatus(error.status))
    return answer, await _logon(call, channel, asked)


async def logon_sam_logon(call: Call, request: idl.NetrLogonSamLogon) -> idl.NetrLogonSamLogonResponse:
    """NetrLogonSamLogon."""
    asked = _Logon(
        request.computer_name, request.logon_level, request.logon_information, request.validation_level, 0
    )
    returned, done = await _chained(call, request, asked)
    return idl.NetrLogonSamLogonResponse(returned, done.validation, done.authoritative, done.status)


async def logon_sam_logon_with_flags(
    call: Call, request: idl.NetrLogonSamLogonWithFlags
) -> idl.NetrLogonSamLogonWithFlagsResponse:
    """NetrLogonSamLogonWithFlags."""
    asked = _Logon(
        request.computer_name,
        request.logon_level,
        request.logon_information,
        request.validation_level,
        request.extra_flags,
    )
    returned, done = await _chained(call, request, asked)
    return idl.NetrLogonSamLogonWithFlagsResponse(
        returned, done.validation, done.authoritative, request.extra_flags, done.status
    )


async def logon_sam_logoff(call: Call, request: idl.NetrLogonSamLogoff) -> idl.NetrLogonSamLogoffResponse:
    """NetrLogonSamLogoff: taken note of by nobody; lastLogoff is not kept. Spec: 3.5.4.5.4."""
    if request.authenticator is None or request.return_authenticator is None:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no authenticator")
    _, returned = channels.stepped(call, request.computer_name, request.authenticator)
    status = NtStatus.STATUS_SUCCESS
    value = request.logon_information.value
    if request.logon_server is None or value is None:
        status = NtStatus.STATUS_INVALID_PARAMETER
    elif not server_names.is_own(call, request.logon_server):
        status = NtStatus.STATUS_INVALID_COMPUTER_NAME
    elif request.logon_level != LogonLevel.INTERACTIVE:
        status = NtStatus.STATUS_INVALID_INFO_CLASS
    elif isinstance(value, idl.NetlogonInteractiveInfo):
        domain = value.identity.logon_domain_name
        of = call.directory.read_now("netlogon.logoff", SYSTEM, lambda ctx: proofs.whose(ctx, domain, ""))
        status = status if of is Whose.OURS else NtStatus.STATUS_NO_SUCH_DOMAIN
    return idl.NetrLogonSamLogoffResponse(returned, status)
