"""What DCs tell each other over a secure channel, and the digests of the time service.

Spec: [MS-NRPC] 3.5.4.8, 3.5.4.3.10, 3.5.4.3.11; [MS-SAMS] 2.2.
"""

import struct
from dataclasses import replace
from typing import Final

from addc.auth.secure_channels import Channel, ChannelType
from addc.base.errors import DsError, NtError
from addc.codec.ndr import Ndr
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import accounts, dns_deregister, forwarded_logons, passwords
from addc.directory.context import ReadContext, WriteContext
from addc.rpc.call import Call
from addc.rpc.interfaces.netlogon import channel as channels
from addc.rpc.interfaces.netlogon import idl, server_names
from addc.rpc.interfaces.netlogon.rights import NetlogonAccess
from addc.security import schannel
from addc.security.krb_keys import NT_HASH_OF_EMPTY
from addc.security.time_signing import insecure_digest
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow

_HEAD: Final = struct.Struct("<II")
_UPDATE: Final = struct.Struct("<IIQ")
_RESET_BAD_PASSWORDS: Final = 1
_LAST_LOGONS: Final = 3
_GUID_SIZE: Final = 16


# --- messages to SAM ---------------------------------------------------------------------------------------


async def logon_send_to_sam(call: Call, request: idl.NetrLogonSendToSam) -> idl.NetrLogonSendToSamResponse:
    """NetrLogonSendToSam: from DCs alone. Passwords are not taken this way. Spec: 3.5.4.8.4."""
    channel, returned = channels.stepped(call, request.computer_name, request.authenticator)
    try:
        server_names.check_nt(call, request.primary_name)
        if channel.kind not in (ChannelType.SERVER, ChannelType.CDC_SERVER):
            raise NtError(NtStatus.STATUS_ACCESS_DENIED, "for DCs alone")
        key = channels.buffer_key(channel)
        data = request.opaque_buffer
        await _forwarded(call, channel, data if key is None else schannel.decrypted(key, data))
    except NtError as error:
        return idl.NetrLogonSendToSamResponse(returned, NtStatus(error.status))
    return idl.NetrLogonSendToSamResponse(returned)


async def _forwarded(call: Call, channel: Channel, data: bytes) -> None:
    """Carry a message out. Spec: [MS-SAMS] 2.2.1."""
    rodc = channel.account if channel.kind is ChannelType.CDC_SERVER else None
    if len(data) < _HEAD.size:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no message")
    kind, size = _HEAD.unpack_from(data)
    message = data[_HEAD.size : _HEAD.size + size]
    if len(message) != size:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "a message that ends too early")
    if kind == _RESET_BAD_PASSWORDS:
        if size != _GUID_SIZE:
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no GUID")
        known = await call.directory.write(
            "netlogon.forwarded", SYSTEM, lambda ctx: forwarded_logons.reset_bad_passwords(ctx, message, rodc)
        )
        if not known:
            raise NtError(NtStatus.STATUS_ACCESS_DENIED, "no say over that account")
    elif kind == _LAST_LOGONS:
        times = _last_logons(message)
        await call.directory.write(
            "netlogon.forwarded", SYSTEM, lambda ctx: forwarded_logons.note_logons(ctx, times, rodc)
        )
    else:
        raise NtError(NtStatus.STATUS_NOT_SUPPORTED, f"message type {kind}")


def _last_logons(message: bytes) -> list[tuple[int, int]]:
    """RIDs and times of a LastLogonTimeStampUpdatesForward. Spec: [MS-SAMS] 2.2.6, 2.2.7."""
    count = _HEAD.unpack_from(message)[0] if len(message) >= _HEAD.size else -1
    if len(message) != _HEAD.size + max(count, 0) * _UPDATE.size or count < 0:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "a count that disagrees")
    return [(rid, when) for rid, _, when in _UPDATE.iter_unpack(message[_HEAD.size :])]


# --- digests -----------------------------------------------------------------------------------------------


def _digests(ctx: ReadContext, row: ObjectRow, message: bytes) -> tuple[bytes, bytes]:
    """MD5 over each password's hash and the message; without a former password the present one's twice."""
    keys = passwords.keys_of(ctx, row)
    current = keys.nt_hash() or NT_HASH_OF_EMPTY
    former = passwords.former_hashes(row)
    old = former[0] if former else current
    return insecure_digest(current, message), insecure_digest(old, message)


async def logon_compute_server_digest(
    call: Call, request: idl.NetrLogonComputeServerDigest
) -> idl.NetrLogonComputeServerDigestResponse:
    """NetrLogonComputeServerDigest: by a machine's password; for administrators and the DC itself."""
    server_names.check_win32(call, request.server_name)
    server_names.require(call, NetlogonAccess.SERVICE)

    def compute(ctx: ReadContext) -> tuple[bytes, bytes]:
        found = accounts.find_by_sid(ctx, ctx.forest.domain_sid.child(request.rid))
        row = None if found is None else ctx.tx.get(found.dnt)
        if found is None or row is None or not found.is_machine or found.is_disabled:
            raise DsError(Win32.ERROR_NO_SUCH_USER, "no machine of that RID")
        return _digests(ctx, row, request.message)

    new, old = call.directory.read_now("netlogon.digest", SYSTEM, compute)
    return idl.NetrLogonComputeServerDigestResponse(new, old)


def _own_row(ctx: ReadContext, domain: str | None) -> ObjectRow:
    """The account by which this DC is known in a domain: its own, in its own."""
    if domain is not None and not ctx.forest.is_realm(domain):
        raise DsError(Win32.ERROR_NO_SUCH_DOMAIN, "this DC has an account in its own domain alone")
    row = accounts.row_by_sam(ctx, f"{ctx.forest.host}$")
    if row is None:
        raise DsError(Win32.ERROR_NO_TRUST_LSA_SECRET, "the DC has no account")
    return row


async def logon_compute_client_digest(
    call: Call, request: idl.NetrLogonComputeClientDigest
) -> idl.NetrLogonComputeClientDigestResponse:
    """NetrLogonComputeClientDigest: by this DC's own password. Spec: 3.5.4.8.3."""
    server_names.check_win32(call, request.server_name)
    server_names.require(call, NetlogonAccess.SERVICE)
    new, old = call.directory.read_now(
        "netlogon.digest",
        SYSTEM,
        lambda ctx: _digests(ctx, _own_row(ctx, request.domain_name), request.message),
    )
    return idl.NetrLogonComputeClientDigestResponse(new, old)


async def logon_get_trust_rid(
    call: Call, request: idl.NetrLogonGetTrustRid
) -> idl.NetrLogonGetTrustRidResponse:
    """NetrLogonGetTrustRid: of this DC's account. Spec: 3.5.4.8.1."""
    server_names.check_win32(call, request.server_name)
    server_names.require(call, NetlogonAccess.SERVICE)

    def rid(ctx: ReadContext) -> int:
        found = accounts.find_by_dnt(ctx, _own_row(ctx, request.domain_name).dnt)
        assert found is not None
        return found.sid.rid()

    return idl.NetrLogonGetTrustRidResponse(call.directory.read_now("netlogon.rid", SYSTEM, rid))


# --- records of DCs in DNS ---------------------------------------------------------------------------------


async def deregister_dns_host_records(
    call: Call, request: idl.DsrDeregisterDnsHostRecords
) -> idl.DsrDeregisterDnsHostRecordsResponse:
    """DsrDeregisterDnsHostRecords: ends the records by which a DC that is gone was found."""
    server_names.require(call, NetlogonAccess.CONTROL)
    server_names.check_win32(call, request.server_name)
    gone = request
    await call.directory.write(
        "netlogon.deregister",
        SYSTEM,
        lambda ctx: dns_deregister.deregister_host(
            ctx, gone.dns_host_name, gone.dns_domain_name, gone.domain_guid, gone.dsa_guid
        ),
    )
    return idl.DsrDeregisterDnsHostRecordsResponse()


async def update_read_only_server_dns_records(
    call: Call, request: idl.DsrUpdateReadOnlyServerDnsRecords
) -> idl.DsrUpdateReadOnlyServerDnsRecordsResponse:
    """DsrUpdateReadOnlyServerDnsRecords: what an RODC may have registered, each with its own status."""
    channel, returned = channels.stepped(call, request.computer_name, request.authenticator)
    if channel.kind is not ChannelType.CDC_SERVER:
        return idl.DsrUpdateReadOnlyServerDnsRecordsResponse(
            returned, request.dns_names, NtStatus.STATUS_NOT_SUPPORTED
        )
    asked = request.dns_names.dns_names_info or ()
    site, ttl_s = request.site_name or "", request.dns_ttl

    def update(ctx: WriteContext) -> list[NtStatus]:
        branch = dns_deregister.branch_of(ctx, channel.account)
        if branch is None:
            return [NtStatus.STATUS_ACCESS_DENIED for _ in asked]
        return dns_deregister.update_for_branch(ctx, branch, site, ttl_s, map(_wish, asked))

    told = await call.directory.write("netlogon.rodc records", SYSTEM, update)
    done = tuple(replace(one, status=int(status)) for one, status in zip(asked, told, strict=True))
    return idl.DsrUpdateReadOnlyServerDnsRecordsResponse(returned, idl.NlDnsNameInfoArray(done or None))


def _wish(one: idl.NlDnsNameInfo) -> dns_deregister.Wish:
    return dns_deregister.Wish(
        one.type,
        one.dns_domain_info or "",
        one.dns_domain_info_type,
        one.priority,
        one.weight,
        one.port,
        bool(one.register_it),
    )


async def refuse_lan_manager(_: Call, __: idl.NetrAccountDeltas | idl.NetrAccountSync) -> Ndr:
    """LAN Manager's replication. Spec: [MS-NRPC] 3.5.4.10, product behavior note 272."""
    raise NtError(NtStatus.STATUS_NOT_IMPLEMENTED, "there are no LAN Manager servers")
