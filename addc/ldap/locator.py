"""The locator ping: a filter of demands in, what this DC says of itself out.

Spec: [MS-ADTS] 6.3.3, 6.3.3.1, 6.3.3.2, 6.3.3.3
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError
from addc.base.ids import Dnt
from addc.codec import locator_ping as ping
from addc.codec.filter import And, Equal, Filter
from addc.codec.ids import Sid
from addc.codec.locator_ping import DsFlag, NameTooLong, NtVersion, Opcode, PingAnswer
from addc.directory import accounts, closest_site, domain_controllers, trusts
from addc.directory.context import ReadContext
from addc.directory.sites import own_site, site_map
from addc.security.account_flags import UserAccountControl
from addc.security.trusts import TrustDirection

# AAC speaks in USER_ACCOUNT bits ([MS-SAMR] 2.2.1.12), the directory in UF_ bits.
_ACCOUNT_BITS: Final = (
    (1 << 3, UserAccountControl.UF_TEMP_DUPLICATE_ACCOUNT),
    (1 << 4, UserAccountControl.UF_NORMAL_ACCOUNT),
    (1 << 6, UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT),
    (1 << 7, UserAccountControl.UF_WORKSTATION_TRUST_ACCOUNT),
    (1 << 8, UserAccountControl.UF_SERVER_TRUST_ACCOUNT),
)
_DNS_TRUST: Final = 1 << 10
"""With the DNS name of a domain and a dot behind it: a DC of that domain asks for its trust's account. The
document does not know of it, Windows does."""
_TERMS: Final = frozenset(
    {"dnsdomain", "host", "dnshostname", "user", "aac", "domainsid", "domainguid", "ntver"}
)


@dataclass(frozen=True, slots=True)
class Self:
    """What the DC knows of itself beyond the directory.

    addresses: its IPv4 addresses, best first. synchronized: rootDSE isSynchronized.
    keeps_time: it answers on port 123.
    """

    addresses: tuple[IPv4Address, ...]
    synchronized: bool = True
    keeps_time: bool = False


@dataclass(frozen=True, slots=True)
class PingRequest:
    """The terms of a ping; None for those that it has not."""

    dns_domain: str | None = None
    user: str | None = None
    aac: int = 0
    domain_sid: Sid | None = None
    domain_guid: UUID | None = None
    nt_ver: int = 0

    @property
    def extended(self) -> bool:
        """Whether NETLOGON_SAM_LOGON_RESPONSE_EX is asked for."""
        return bool(
            self.nt_ver & (NtVersion.NETLOGON_NT_VERSION_5EX | NtVersion.NETLOGON_NT_VERSION_5EX_WITH_IP)
        )


def parse_ping(wanted: Filter | None) -> PingRequest | None:
    """The request; None for an invalid filter. Unknown terms are ignored, a repeated one is invalid.

    So is an AND of anything but equality; another filter alone asks for nothing in particular.
    """
    terms: dict[str, bytes] = {}
    for term in wanted.terms if isinstance(wanted, And) else (wanted,):
        if not isinstance(term, Equal):
            if isinstance(wanted, And):
                return None
            continue
        name = term.attribute.lower()
        if name in terms:
            return None
        if name in _TERMS:
            terms[name] = term.value
    try:
        return PingRequest(
            dns_domain=_text(terms.get("dnsdomain")),
            user=_text(terms.get("user")),
            aac=_number(terms.get("aac")),
            domain_sid=Sid.of(terms["domainsid"]) if "domainsid" in terms else None,
            domain_guid=_guid(terms["domainguid"]) if "domainguid" in terms else None,
            # One that says none (storage appliances) is answered as by NETLOGON_NT_VERSION_5.
            nt_ver=_number(terms["ntver"]) if "ntver" in terms else NtVersion.NETLOGON_NT_VERSION_5,
        )
    except DecodeError:
        return None


def _text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode("utf-8").rstrip("\0")
    except UnicodeDecodeError:
        raise DecodeError("not UTF-8", 0, "ping") from None


def _number(value: bytes | None) -> int:
    if value is None:
        return 0
    if len(value) > 4:
        raise DecodeError("more than a DWORD", 0, "ping")
    return int.from_bytes(value, "little")


def _guid(value: bytes) -> UUID:
    if len(value) != 16:
        raise DecodeError("not a GUID", 0, "ping")
    return UUID(bytes_le=value)


def answer_ping(ctx: ReadContext, wanted: Filter | None, source: str, own: Self) -> bytes | None:
    """The value of the netlogon attribute; None where the ping asks for what is not here."""
    request = parse_ping(wanted)
    if request is None:
        return None
    nc = _naming_context(ctx, request)
    if nc is None:
        return None
    answer = _describe(ctx, request, source, own, nc)
    try:
        if request.extended:
            with_address = bool(request.nt_ver & NtVersion.NETLOGON_NT_VERSION_5EX_WITH_IP)
            return ping.pack_response_ex(answer, with_address=with_address)
        if request.nt_ver & NtVersion.NETLOGON_NT_VERSION_5:
            return ping.pack_response(answer)
        return ping.pack_response_nt40(answer)
    except NameTooLong:  # [MS-ADTS] 6.3.7: answered like an invalid filter
        return None


@dataclass(frozen=True, slots=True)
class _NamingContext:
    """reqNCUsed: the domain, or an application NC, which has no NetBIOS name, no SID and no accounts."""

    dnt: Dnt
    guid: UUID
    dns_name: str
    netbios: str
    is_application: bool


def _naming_context(ctx: ReadContext, request: PingRequest) -> _NamingContext | None:
    """reqNCUsed: by its name, or else by its GUID, so that domains are found that were renamed.

    None for one not hosted here, or where the SID is of another.
    """
    hosted = tuple(_hosted(ctx))
    name = None if request.dns_domain is None else request.dns_domain.rstrip(".").lower()
    if name is None and request.domain_guid is None:
        found = hosted[:1]
    else:
        found = tuple(nc for nc in hosted if name and name in (nc.dns_name.lower(), nc.netbios.lower()))
        found = found or tuple(nc for nc in hosted if nc.guid == request.domain_guid)
    for nc in found:
        sid = None if nc.is_application else ctx.forest.domain_sid
        return nc if request.domain_sid in (None, sid) else None
    return None


def _hosted(ctx: ReadContext) -> Iterator[_NamingContext]:
    """The domain, which is meant where nothing else is said, then the application NCs."""
    forest = ctx.forest
    yield _NamingContext(
        forest.domain_nc, forest.domain_guid, forest.dns_domain, forest.netbios, is_application=False
    )
    for dnt, name in (
        (forest.domain_dns_nc, f"DomainDnsZones.{forest.dns_domain}"),
        (forest.forest_dns_nc, f"ForestDnsZones.{forest.dns_forest}"),
    ):
        row = ctx.tx.get(dnt) if dnt else None
        if row is not None:
            yield _NamingContext(row.dnt, UUID(bytes_le=row.guid), name, "", is_application=True)


def _describe(
    ctx: ReadContext, request: PingRequest, source: str, own: Self, nc: _NamingContext
) -> PingAnswer:
    """The older responses speak of the domain whatever NC was asked for."""
    forest = ctx.forest
    client_site = _client_site(ctx, source)
    return PingAnswer(
        opcode=_opcode(ctx, request, own, nc),
        flags=_flags(ctx, client_site, own, is_application_nc=nc.is_application),
        domain_guid=nc.guid if request.extended else forest.domain_guid,
        dns_forest_name=forest.dns_forest,
        dns_domain_name=nc.dns_name if request.extended else forest.dns_domain,
        dns_host_name=forest.host_fqdn,
        netbios_domain_name=nc.netbios if request.extended else forest.netbios,
        netbios_computer_name=forest.host.upper(),
        user=request.user or "",
        dc_site=own_site(ctx),
        client_site=client_site,
        address=_address_towards(source, own.addresses),
        next_closest_site=_next_closest(ctx, request, nc, client_site),
    )


def _next_closest(ctx: ReadContext, request: PingRequest, nc: _NamingContext, client_site: str) -> str | None:
    """NextClosestSiteName; None where nobody asks or there is none. Spec: 6.3.3.2."""
    if not request.nt_ver & NtVersion.NETLOGON_NT_VERSION_WITH_CLOSEST_SITE or not client_site:
        return None
    return closest_site.next_closest_site(ctx, nc.dnt, client_site)


def _opcode(ctx: ReadContext, request: PingRequest, own: Self, nc: _NamingContext) -> Opcode:
    extended = request.extended
    if not own.synchronized and not request.nt_ver & NtVersion.NETLOGON_NT_VERSION_LOCAL:
        return Opcode.LOGON_SAM_PAUSE_RESPONSE_EX if extended else Opcode.LOGON_SAM_PAUSE_RESPONSE
    if request.user and (nc.is_application or not _is_user(ctx, request.user, request.aac)):
        return Opcode.LOGON_SAM_USER_UNKNOWN_EX if extended else Opcode.LOGON_SAM_USER_UNKNOWN
    return Opcode.LOGON_SAM_LOGON_RESPONSE_EX if extended else Opcode.LOGON_SAM_LOGON_RESPONSE


def _is_user(ctx: ReadContext, name: str, aac: int) -> bool:
    """Whether there is an enabled account of that name and of a kind that the client accepts."""
    if aac & _DNS_TRUST and name.endswith("."):
        one = trusts.find(ctx, name)
        return one is not None and bool(one.direction & TrustDirection.INBOUND)
    account = accounts.find_by_sam(ctx, name)
    if account is None or account.is_disabled:
        return False
    return any(aac & sam_bit and account.has(uf_bit) for sam_bit, uf_bit in _ACCOUNT_BITS)


def _flags(ctx: ReadContext, client_site: str, own: Self, *, is_application_nc: bool) -> DsFlag:
    flags = domain_controllers.own_flags(ctx, client_site, keeps_time=own.keeps_time)
    return flags | DsFlag.DS_NDNC_FLAG if is_application_nc else flags


def _client_site(ctx: ReadContext, source: str) -> str:
    try:
        return site_map(ctx).site_of(ip_address(source.partition("%")[0]))
    except ValueError:
        return ""


def _address_towards(source: str, addresses: tuple[IPv4Address, ...]) -> IPv4Address | None:
    """Our address that shares the longest prefix with the client's."""
    if not addresses:
        return None
    try:
        client = ip_address(source)
    except ValueError:
        return addresses[0]
    if not isinstance(client, IPv4Address):
        return addresses[0]
    return min(addresses, key=lambda own: int(own) ^ int(client))
