"""What a member tells of itself when it starts, and what it is told of its domain.

Spec: [MS-NRPC] 3.5.4.4.10, 3.5.4.4.12, 2.2.1.3.6, 2.2.1.3.10, 2.2.1.3.11, 2.2.1.3.15.
"""

import struct
from dataclasses import replace
from typing import Final, NamedTuple

from addc.auth.secure_channels import Channel, ChannelType
from addc.base.errors import DsError, NtError
from addc.base.ids import AttId
from addc.codec.ndr import Tagged
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, entry, validated_writes
from addc.directory.accounts import Account
from addc.directory.constructed_rodc import RevealSecretsPolicy, reveal_policy
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import draft_of
from addc.directory.modify import Change, ModOp, modify_row
from addc.rpc.call import Call
from addc.rpc.interfaces.netlogon import channel as channels
from addc.rpc.interfaces.netlogon import idl
from addc.rpc.interfaces.netlogon.domain_trusts import TrustFlags, known_domains
from addc.schema import attr
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow

_INBOUND_TRUSTS: Final = 0x1
_UPDATES_SPNS: Final = 0x2
_UNKNOWN_ENCTYPES: Final = 0xFFFF_FFFF
_VERSION: Final = struct.Struct("<5I256s3HBB")
_UNKNOWN_SYSTEM: Final = "Windows unknown version"


class Told(NamedTuple):
    """What a machine says of itself; None for what it does not say. names: SPNs are for the DC to see to."""

    dns_host_name: str | None
    system: str | None
    version: str | None
    service_pack: str | None
    names: bool


def version_of(data: bytes) -> tuple[str, str | None] | None:
    """operatingSystemVersion and operatingSystemServicePack of an NL_OSVERSIONINFO_V1; None for none."""
    if len(data) != _VERSION.size:
        return None
    _, major, minor, build, _, pack, *_ = _VERSION.unpack(data)
    text = pack.decode("utf-16-le", "replace").partition("\0")[0]
    return f"{major}.{minor} ({build})", text or None


def _told(info: idl.NetlogonWorkstationInfo) -> Told:
    raw = (info.os_version or "").encode("utf-16-le", "surrogatepass")
    version, pack = version_of(raw) or (None, None)
    return Told(
        info.dns_host_name or None,
        (info.os_name or "").rstrip("\0") or _UNKNOWN_SYSTEM,
        version,
        pack,
        not info.workstation_flags & _UPDATES_SPNS,
    )


# --- writing it down ---------------------------------------------------------------------------------------


def _changes(row: ObjectRow, told: Told) -> list[Change]:
    """What differs from what is known of the machine's system; without a version the known one stays."""
    found = []
    said: list[tuple[str, AttId, str | None]] = []
    if told.system is not None:
        said.append(("operatingSystem", attr.OPERATING_SYSTEM, told.system))
    if told.version is not None:
        said += [
            ("operatingSystemVersion", attr.OPERATING_SYSTEM_VERSION, told.version),
            ("operatingSystemServicePack", attr.OPERATING_SYSTEM_SERVICE_PACK, told.service_pack),
        ]
    for name, att, value in said:
        if (entry.text(row, att) or None) != value:
            found.append(Change(ModOp.REPLACE, name, [] if value is None else [value.encode()]))
    return found


def _host_changes(ctx: WriteContext, row: ObjectRow, told: Told) -> list[Change]:
    """dNSHostName and the HOST names of a machine that leaves them to the DC, if the name may be its own.

    Spec: [MS-ADTS] 3.1.1.5.3.1.1.2.
    """
    host = told.dns_host_name
    if (
        not told.names
        or host is None
        or not validated_writes.dns_host_name_fits(ctx, draft_of(ctx, row), host)
    ):
        return []
    found = []
    if (entry.text(row, attr.DNS_HOST_NAME) or "").lower() != host.lower():
        found.append(Change(ModOp.REPLACE, "dNSHostName", [host.encode()]))
    known = {one.lower() for one in entry.texts(row, attr.SERVICE_PRINCIPAL_NAME)}
    wanted = (f"HOST/{host.partition('.')[0].upper()}", f"HOST/{host}")
    missing = [one.encode() for one in wanted if one.lower() not in known]
    return [*found, Change(ModOp.ADD, "servicePrincipalName", missing)] if missing else found


def _is_news(row: ObjectRow, told: Told) -> bool:
    """Whether anything of it is worth a write."""
    if _changes(row, told):
        return True
    return told.names and told.dns_host_name is not None and _lacks_names(row, told.dns_host_name)


def _lacks_names(row: ObjectRow, host: str) -> bool:
    known = {one.lower() for one in entry.texts(row, attr.SERVICE_PRINCIPAL_NAME)}
    wanted = {f"host/{host.partition('.')[0].lower()}", f"host/{host.lower()}"}
    return (entry.text(row, attr.DNS_HOST_NAME) or "").lower() != host.lower() or not wanted <= known


async def _write_down(call: Call, account: Account, told: Told) -> None:
    """A refusal by the directory's rules, such as for a name that is another's, costs the logon nothing."""

    def store(ctx: WriteContext) -> None:
        row = ctx.tx.get(account.dnt)
        if row is None:
            return
        changes = [*_changes(row, told), *_host_changes(ctx, row, told)]
        if changes:
            modify_row(ctx, row, changes)

    try:
        await call.directory.write("netlogon.machine", SYSTEM, store)
    except DsError as error:
        channels.LOG.warning(
            "a machine's description was refused",
            extra={"fields": {"account": account.sam_account_name, "why": error.detail}},
        )


# --- telling -----------------------------------------------------------------------------------------------


def _account(ctx: ReadContext, channel: Channel) -> tuple[Account, ObjectRow]:
    found = accounts.find_by_sid(ctx, channel.sid)
    row = None if found is None else ctx.tx.get(found.dnt)
    if found is None or row is None:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the account of the channel is gone")
    return found, row


def _extension(one: idl.DsDomainTrusts) -> str:
    data = struct.pack("<4I", one.flags, one.parent_index, one.trust_type, one.trust_attributes)
    return data.decode("utf-16-le", "surrogatepass")


def _one(one: idl.DsDomainTrusts, forest: str | None, extension: str | None) -> idl.NetlogonOneDomainInfo:
    return idl.NetlogonOneDomainInfo(
        one.netbios_domain_name, one.dns_domain_name, forest, one.domain_guid, one.domain_sid, extension
    )


def _domain(ctx: ReadContext, account: Account, info: idl.NetlogonWorkstationInfo) -> idl.NetlogonDomainInfo:
    """NETLOGON_DOMAIN_INFO: this domain stands among the trusted ones too, with its extension.

    Its DNS names are absolute as the primary domain, as smbtorture knows it from Windows.
    """
    every = known_domains(ctx)
    if not info.workstation_flags & _INBOUND_TRUSTS:
        only_inbound = int(TrustFlags.DIRECT_INBOUND)
        every = tuple(one for one in every if one.flags != only_inbound)
    enctypes = account.supported_enctypes
    own = every[-1]
    primary = replace(own, dns_domain_name=f"{ctx.forest.dns_domain}.")
    return idl.NetlogonDomainInfo(
        _one(primary, f"{ctx.forest.dns_forest}.", None),
        tuple(_one(one, None, _extension(one)) for one in every),
        idl.NetlogonLsaPolicyInfo(),
        (account.dns_host_name or None) if info.workstation_flags & _UPDATES_SPNS else None,
        None,
        None,
        None,
        info.workstation_flags & (_INBOUND_TRUSTS | _UPDATES_SPNS),
        _UNKNOWN_ENCTYPES if enctypes is None else enctypes & 0xFFFF_FFFF,
    )


async def logon_get_domain_info(
    call: Call, request: idl.NetrLogonGetDomainInfo
) -> idl.NetrLogonGetDomainInfoResponse:
    """NetrLogonGetDomainInfo: the machine's host name is told as it was before."""
    if request.level not in (1, 2):
        raise NtError(NtStatus.STATUS_INVALID_LEVEL, f"level {request.level}")
    channel, returned = channels.stepped(call, request.computer_name, request.authenticator)
    info = request.wksta_buffer.value
    if request.wksta_buffer.tag != request.level or not isinstance(info, idl.NetlogonWorkstationInfo):
        return _answer(request, returned, None, NtStatus.STATUS_INVALID_PARAMETER)
    if request.level == 2:
        return _answer(request, returned, idl.NetlogonLsaPolicyInfo(), NtStatus.STATUS_SUCCESS)
    told = _told(info)

    def look(ctx: ReadContext) -> tuple[Account, bool, idl.NetlogonDomainInfo]:
        account, row = _account(ctx, channel)
        return account, _is_news(row, told), _domain(ctx, account, info)

    account, is_news, domain = call.directory.read_now("netlogon.domain", SYSTEM, look)
    if is_news and channel.trust is None:
        await _write_down(call, account, told)
    return _answer(request, returned, domain, NtStatus.STATUS_SUCCESS)


def _answer(
    request: idl.NetrLogonGetDomainInfo,
    returned: idl.NetlogonAuthenticator,
    value: object,
    status: NtStatus,
) -> idl.NetrLogonGetDomainInfoResponse:
    return idl.NetrLogonGetDomainInfoResponse(returned, Tagged(request.level, value), status)


# --- through a read-only DC --------------------------------------------------------------------------------


async def chain_set_client_attributes(
    call: Call, request: idl.NetrChainSetClientAttributes
) -> idl.NetrChainSetClientAttributesResponse:
    """NetrChainSetClientAttributes: an RODC brings what a machine told it. Spec: 3.5.4.4.12."""
    if request.in_version != 1 or request.out_version != 1:
        raise NtError(NtStatus.STATUS_NOT_SUPPORTED, "version 1 alone")
    channel, returned = channels.stepped(call, request.chained_from_server_name, request.authenticator)
    given = request.msg_in.value
    if not isinstance(given, idl.NlInChainSetClientAttributesV1):
        return idl.NetrChainSetClientAttributesResponse(returned, status=NtStatus.STATUS_INVALID_PARAMETER)
    version, pack = version_of(given.os_version or b"") or (None, None)
    told = Told(given.client_dns_host_name or None, given.os_name or None, version, pack, True)
    name = request.chained_for_client_name

    def look(ctx: ReadContext) -> Account | None:
        found = accounts.find_by_sam(ctx, name if name.endswith("$") else f"{name}$")
        rodc = ctx.tx.get(channel.account)
        row = None if found is None else ctx.tx.get(found.dnt)
        if channel.kind is not ChannelType.CDC_SERVER or row is None or rodc is None:
            return None
        may = reveal_policy(ctx, rodc, row) is RevealSecretsPolicy.REVEAL_SECRETS_ALLOW
        return found if may else None

    account = call.directory.read_now("netlogon.chain", SYSTEM, look)
    if account is None:
        return idl.NetrChainSetClientAttributesResponse(returned, status=NtStatus.STATUS_ACCESS_DENIED)
    await _write_down(call, account, told)
    out = idl.NlOutChainSetClientAttributesV1(
        call.directory.forest.host.upper(), account.dns_host_name or None, account.supported_enctypes
    )
    return idl.NetrChainSetClientAttributesResponse(returned, 1, Tagged(1, out))
