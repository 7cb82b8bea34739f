"""Secure channels: how a computer proves itself, and how each call of it is verified.

AES alone: who does not offer it is told that it was downgraded. What needs a channel is answered on sealed
connections alone, whoever asks ([MS-NRPC] calls it RequireSeal), and only to the computer whose they are.

Spec: [MS-NRPC] 3.1.4.1, 3.1.4.5, 3.1.4.6, 3.5.4.4.1 to 3.5.4.4.5, 3.5.4.4.11.
"""

import logging
from dataclasses import dataclass
from typing import Final, NamedTuple

from addc.auth.secure_channels import (
    SERVER_FLAGS,
    TRUST_TYPES,
    Challenges,
    Channel,
    ChannelType,
    NegotiateFlags,
    same_computer,
)
from addc.base.errors import NtError
from addc.base.ids import Dnt
from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.codec.ndr import Tagged
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, managed_passwords, trusts
from addc.directory.accounts import Account
from addc.directory.context import ReadContext
from addc.rpc.call import AuthLevel, AuthType, Call, RpcFault
from addc.rpc.interfaces.netlogon import idl, server_names
from addc.security import schannel
from addc.security.account_flags import UserAccountControl
from addc.security.crypto.hashes import equal
from addc.security.krb_keys import nt_hash
from addc.security.token import SYSTEM
from addc.security.trusts import TrustDirection, TrustSecret

LOG: Final = logging.getLogger("addc.rpc.netlogon")
_NAME_MAX: Final = 256
_NETBIOS_MAX: Final = 15

_WANTED: Final[dict[int, UserAccountControl]] = {
    ChannelType.WORKSTATION: UserAccountControl.UF_WORKSTATION_TRUST_ACCOUNT,
    ChannelType.SERVER: UserAccountControl.UF_SERVER_TRUST_ACCOUNT,
    ChannelType.CDC_SERVER: UserAccountControl.UF_PARTIAL_SECRETS_ACCOUNT,
    ChannelType.TRUSTED_DNS_DOMAIN: UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT,
    ChannelType.TRUSTED_DOMAIN: UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT,
}
"""What a channel's type asks of the account. Spec: 2.2.1.3.13."""


# --- whose secret it is ------------------------------------------------------------------------------------


class Partner(NamedTuple):
    """The account of a channel to be. hashes: good for its proof, the present one first."""

    dnt: Dnt
    name: str
    sid: Sid
    hashes: tuple[bytes, ...]
    trust: Dnt | None


def partner_of(ctx: ReadContext, name: str, kind: int) -> Partner:
    """The account that a client names, if it is of the kind that the channel's type asks for.

    Raises NtError(STATUS_NO_TRUST_SAM_ACCOUNT) for all others. Spec: 3.5.4.4.2.
    """
    trust = _trust_of(ctx, name, kind) if kind in TRUST_TYPES else None
    wanted = f"{trust.flat_name}$" if trust is not None else name
    account = accounts.find_by_sam(ctx, wanted) if kind not in TRUST_TYPES or trust is not None else None
    if account is None or account.is_disabled or not _fits(account, kind):
        raise NtError(NtStatus.STATUS_NO_TRUST_SAM_ACCOUNT, f"no account {name} for a channel of type {kind}")
    if trust is not None:
        hashes = _trust_hashes(trust)
        return Partner(account.dnt, account.sam_account_name, account.sid, hashes, trust.dnt)
    row = ctx.tx.get(account.dnt)
    assert row is not None
    known = managed_passwords.nt_hashes(ctx, row)
    hashes = () if known.current is None else (known.current,)
    return Partner(account.dnt, account.sam_account_name, account.sid, hashes, None)


def _fits(account: Account, kind: int) -> bool:
    wanted = _WANTED.get(kind)
    return wanted is not None and account.has(wanted)


def _trust_of(ctx: ReadContext, name: str, kind: int) -> trusts.Trust | None:
    """The trusted domain object that a name is of: DNS.NAME. or FLAT$."""
    if kind == ChannelType.TRUSTED_DNS_DOMAIN:
        bare = name.removesuffix(".")
    elif name.endswith("$"):
        bare = name[:-1]
    else:
        return None
    found = trusts.find(ctx, bare)
    if found is None or not found.direction & TrustDirection.INBOUND:
        return None
    given = found.partner if kind == ChannelType.TRUSTED_DNS_DOMAIN else found.flat_name
    return found if bare.lower() == given.lower() else None


def _trust_hashes(trust: trusts.Trust) -> tuple[bytes, ...]:
    """The present secret's hash, and the former one's: partners change it when they like."""
    if trust.incoming is None:
        return ()
    pair = (trust.incoming.current, trust.incoming.previous)
    return tuple(hash_of_secret(one) for one in pair if one is not None)


def hash_of_secret(secret: TrustSecret) -> bytes:
    """NTOWFv1 of a trust's secret."""
    if secret.nt_hash is not None:
        return secret.nt_hash.reveal()
    assert secret.clear is not None
    return nt_hash(secret.clear)


# --- opening a channel -------------------------------------------------------------------------------------


async def server_req_challenge(
    call: Call, request: idl.NetrServerReqChallenge
) -> idl.NetrServerReqChallengeResponse:
    """NetrServerReqChallenge."""
    server_names.check_nt(call, request.primary_name)
    _check_name(request.computer_name)
    mine = call.services.rng.bytes(schannel.CREDENTIAL_SIZE)
    call.host.channels.challenge(request.computer_name, call.peer, Challenges(request.client_challenge, mine))
    return idl.NetrServerReqChallengeResponse(mine)


def _check_name(name: str) -> None:
    if len(name) > _NAME_MAX:
        raise RpcFault(NcaStatus.NCA_S_FAULT_INVALID_BOUND, "a name that is too long")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What all forms of NetrServerAuthenticate bring."""

    primary_name: str | None
    account_name: str
    kind: int
    computer: str
    credential: bytes
    flags: int


@dataclass(frozen=True, slots=True)
class _Answered:
    """What they answer: all of it zero but for the status where there is no channel."""

    status: NtStatus
    credential: bytes = idl.NO_CREDENTIAL
    flags: int = 0
    rid: int = 0


def _authenticate(call: Call, asked: _Asked) -> _Answered:
    """Open a channel, or say why not. A challenge is spent by any attempt that was not a downgrade."""
    server_names.check_nt(call, asked.primary_name)
    flags = asked.flags & SERVER_FLAGS
    if not asked.flags & NegotiateFlags.AES:
        # The challenge stays: a client may try again with AES, as some do.
        _log(call, asked, NtStatus.STATUS_DOWNGRADE_DETECTED)
        return _Answered(NtStatus.STATUS_DOWNGRADE_DETECTED)
    challenges = call.host.channels.answered(asked.computer, call.peer)
    try:
        answered = _opened(call, asked, challenges, flags)
    except NtError as error:
        answered = _Answered(NtStatus(error.status), flags=flags)  # Windows 7 reads the flags even then
    _log(call, asked, answered.status)
    return answered


def _opened(call: Call, asked: _Asked, challenges: Challenges | None, flags: int) -> _Answered:
    if asked.kind not in _WANTED:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, f"channel type {asked.kind}")
    if len(asked.computer) > _NETBIOS_MAX:  # as Windows' DCs have it
        raise NtError(NtStatus.STATUS_BUFFER_OVERFLOW, "no NetBIOS name")
    partner = call.directory.read_now(
        "netlogon.account", SYSTEM, lambda ctx: partner_of(ctx, asked.account_name, asked.kind)
    )
    if challenges is None:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "no challenge to answer")
    if schannel.is_predictable(challenges.client):
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "a client challenge that is none")
    key = next((one for one in _keys(partner, challenges) if _proves(one, challenges, asked)), None)
    if key is None:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the credential is wrong")
    _open(
        call,
        Channel(
            asked.computer,
            partner.name,
            partner.dnt,
            partner.sid,
            ChannelType(asked.kind),
            Secret(key),
            flags,
            asked.flags,
            asked.credential,
            partner.trust,
        ),
    )
    made = schannel.credential(challenges.server, key)
    return _Answered(NtStatus.STATUS_SUCCESS, made, flags, partner.sid.rid())


def _open(call: Call, channel: Channel) -> None:
    """Raises NtError where the computer's name is another account's."""
    if not call.host.channels.open(channel):
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "another account has a channel under that name")


def _keys(partner: Partner, challenges: Challenges) -> list[bytes]:
    return [schannel.session_key(one, challenges.client, challenges.server) for one in partner.hashes]


def _proves(key: bytes, challenges: Challenges, asked: _Asked) -> bool:
    return equal(schannel.credential(challenges.client, key), asked.credential)


def _log(call: Call, asked: _Asked, status: NtStatus) -> None:
    """One line for each attempt: who opened a channel, who was refused and why."""
    level = logging.INFO if status is NtStatus.STATUS_SUCCESS else logging.WARNING
    if LOG.isEnabledFor(level):
        fields = {
            "computer": asked.computer,
            "account": asked.account_name,
            "channel_type": asked.kind,
            "flags": f"{asked.flags:#010x}",
            "address": call.peer,
            "status_name": status.name,
        }
        LOG.log(level, "secure channel", extra={"fields": fields})


async def server_authenticate3(
    call: Call, request: idl.NetrServerAuthenticate3
) -> idl.NetrServerAuthenticate3Response:
    """NetrServerAuthenticate3."""
    done = _authenticate(call, _asked(request, request.negotiate_flags))
    return idl.NetrServerAuthenticate3Response(done.credential, done.flags, done.rid, done.status)


async def server_authenticate2(
    call: Call, request: idl.NetrServerAuthenticate2
) -> idl.NetrServerAuthenticate2Response:
    """NetrServerAuthenticate2."""
    done = _authenticate(call, _asked(request, request.negotiate_flags))
    return idl.NetrServerAuthenticate2Response(done.credential, done.flags, done.status)


async def server_authenticate(
    call: Call, request: idl.NetrServerAuthenticate
) -> idl.NetrServerAuthenticateResponse:
    """NetrServerAuthenticate, which offers nothing and so is always refused."""
    done = _authenticate(call, _asked(request, 0))
    return idl.NetrServerAuthenticateResponse(done.credential, done.status)


def _asked(
    request: idl.NetrServerAuthenticate | idl.NetrServerAuthenticate2 | idl.NetrServerAuthenticate3,
    flags: int,
) -> _Asked:
    _check_name(request.account_name)
    _check_name(request.computer_name)
    return _Asked(
        request.primary_name,
        request.account_name,
        request.secure_channel_type,
        request.computer_name,
        request.client_credential,
        flags,
    )


async def server_authenticate_kerberos(
    call: Call, request: idl.NetrServerAuthenticateKerberos
) -> idl.NetrServerAuthenticateKerberosResponse:
    """NetrServerAuthenticateKerberos: the ticket is the proof. Spec: 3.5.4.4.3."""
    server_names.check_nt(call, request.primary_name)
    _check_name(request.account_name)
    _check_name(request.computer_name)
    security = call.security
    if security.auth_type is not AuthType.KERBEROS or security.level is not AuthLevel.PRIVACY:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "Kerberos and privacy are asked for")
    if request.account_type not in _WANTED:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, f"channel type {request.account_type}")
    partner = call.directory.read_now(
        "netlogon.account", SYSTEM, lambda ctx: partner_of(ctx, request.account_name, request.account_type)
    )
    if call.requester.user != partner.sid:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the ticket is another account's")
    flags = request.negotiate_flags & (SERVER_FLAGS | NegotiateFlags.KERBEROS)
    _open(
        call,
        Channel(
            request.computer_name,
            partner.name,
            partner.dnt,
            partner.sid,
            ChannelType(request.account_type),
            Secret(b""),
            flags,
            request.negotiate_flags,
            idl.NO_CREDENTIAL,
            partner.trust,
        ),
    )
    return idl.NetrServerAuthenticateKerberosResponse(flags, partner.sid.rid())


# --- calls through a channel -------------------------------------------------------------------------------


def channel_of(call: Call, computer: str | None) -> Channel:
    """The channel that a call comes through.

    Raises NtError(STATUS_ACCESS_DENIED) where there is none of that name, where the connection is not sealed
    with its key, or is another computer's. Spec: 3.1.4.6.
    """
    channel = None if not computer else call.host.channels.find(computer)
    if channel is None:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "no secure channel")
    security = call.security
    if security.level is not AuthLevel.PRIVACY:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the connection is not sealed")
    wanted = AuthType.KERBEROS if channel.by_kerberos else AuthType.NETLOGON
    # By the account too: a connection outlives the channel that it began with, and the name may be another's.
    is_its = security.auth_type is wanted and call.requester.user == channel.sid
    if not channel.by_kerberos:
        is_its = is_its and same_computer(security.computer, channel.computer)
    if not is_its:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the connection is not protected by that channel")
    return channel


def stepped(
    call: Call, computer: str | None, authenticator: idl.NetlogonAuthenticator | None
) -> tuple[Channel, idl.NetlogonAuthenticator]:
    """The channel of a call that brings an authenticator, moved on, and the one to return.

    Raises NtError(STATUS_ACCESS_DENIED). Spec: 3.1.4.5.
    """
    channel = channel_of(call, computer)
    if authenticator is None:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no authenticator")
    made = channel.step(authenticator.credential, authenticator.timestamp)
    if made is None:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the authenticator is wrong")
    return channel, idl.NetlogonAuthenticator(made, 0)


async def logon_get_capabilities(
    call: Call, request: idl.NetrLogonGetCapabilities
) -> idl.NetrLogonGetCapabilitiesResponse:
    """NetrLogonGetCapabilities: what was agreed, and what had come.

    Levels that are not known are a fault, not a status: Windows' clients take nothing else for "not here"
    ([MS-NRPC] 3.4.5.2.11, note 207).
    """
    if request.query_level not in (1, 2):
        raise RpcFault(NcaStatus.NCA_S_FAULT_INVALID_TAG, f"query level {request.query_level}")
    channel, returned = stepped(call, request.computer_name, request.authenticator)
    flags = channel.flags if request.query_level == 1 else channel.requested
    return idl.NetrLogonGetCapabilitiesResponse(returned, Tagged(request.query_level, flags))


def buffer_key(channel: Channel) -> bytes | None:
    """What buffers inside a call are encrypted with; None where they are not, beyond the connection.

    Spec: [MS-NRPC] 3.5.4.4.3, W-NRPC-21.
    """
    return None if channel.by_kerberos else channel.key.reveal()
