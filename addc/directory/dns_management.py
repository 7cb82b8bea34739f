"""Who manages this DC's DNS server: the descriptors of CN=MicrosoftDNS,CN=System and of each zone decide.

Windows asks twice: whether the client may come in at all, which the server's container says, and whether it
may read or write what it means. What it then does in the directory is done in its own name, so that the
descriptors there have the last word.
Spec: [MS-DNSP] 3.1.6.1 (Three-phase authorization test), 3.1.1 (access control lists)
"""

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import names, rights
from addc.directory.context import ReadContext
from addc.directory.dns_zones import Replication, ZoneFacts, container_dn, zone_named
from addc.security.access_mask import AccessMask
from addc.store.objects import ObjectRow

_READ = int(AccessMask.RIGHT_DS_READ_PROPERTY)
_WRITE = int(AccessMask.RIGHT_DS_READ_PROPERTY | AccessMask.RIGHT_DS_WRITE_PROPERTY)


def require_server(ctx: ReadContext, *, write: bool = False) -> None:
    """Raise DsError(ERROR_ACCESS_DENIED) unless the requester may manage the server, or look at it."""
    _require(ctx, _server_row(ctx), write=write, what="DNS server")


def require_zone(ctx: ReadContext, zone: ZoneFacts, *, write: bool = False) -> None:
    """Raise DsError(ERROR_ACCESS_DENIED) unless the requester comes in, and may read or write the zone."""
    require_server(ctx)
    _require(ctx, zone.row, write=write, what=f"zone {zone.name}")


def zone_of(ctx: ReadContext, name: str, *, write: bool = False) -> ZoneFacts:
    """The zone of a name, which the requester may read or write.

    Raises DsError(DNS_ERROR_ZONE_DOES_NOT_EXIST); whoever may not come in is not told.
    """
    require_server(ctx)
    zone = zone_named(ctx, name)
    if zone is None:
        raise DsError(Win32.DNS_ERROR_ZONE_DOES_NOT_EXIST, f"no zone {name}")
    require_zone(ctx, zone, write=write)
    return zone


def _require(ctx: ReadContext, row: ObjectRow, *, write: bool, what: str) -> None:
    if not rights.allows(ctx, row, _WRITE if write else _READ):
        raise DsError(Win32.ERROR_ACCESS_DENIED, f"no right to {'manage' if write else 'see'} the {what}")


def _server_row(ctx: ReadContext) -> ObjectRow:
    """CN=MicrosoftDNS,CN=System: its descriptor is the server's."""
    try:
        return names.resolve(ctx, container_dn(ctx, Replication.LEGACY))
    except DsError as error:
        raise DsError(Win32.DNS_ERROR_DS_UNAVAILABLE, "no container of the DNS server") from error


def may_read(ctx: ReadContext, zone: ZoneFacts) -> bool:
    """Whether the zone's descriptor lets the requester read it."""
    return rights.allows(ctx, zone.row, _READ)
