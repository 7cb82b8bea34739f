"""Operations on the server as a whole.

What this server does not have, and what would have it read or write files or load code of the client's
choice, is refused.
Spec: [MS-DNSP] 3.1.4.1 (the first table of operations).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import dns_scavenging
from addc.directory.context import WriteContext
from addc.directory.dns_management import require_server
from addc.directory.dns_properties import with_server_number
from addc.directory.dns_settings import keep_settings, settings
from addc.rpc.call import Call
from addc.rpc.interfaces.dnsserver import addresses, new_zones, partitions, statistics
from addc.rpc.interfaces.dnsserver.asked import Asked, Operate, read, write
from addc.rpc.interfaces.dnsserver.idl_kinds import Utf8StringList
from addc.rpc.interfaces.dnsserver.idl_parts import (
    EnlistDp,
    ForwardersDotnet,
    ForwardersLonghorn,
    ForwardersW2k,
    NameAndParam,
)

Change = Callable[[WriteContext, Asked], None]
_LABEL_MAX: Final = 63
_DP_CREATE: Final = 1
_DP_CREATE_DOMAIN: Final = 5
_DP_CREATE_FOREST: Final = 6
_CREATES: Final = (_DP_CREATE, _DP_CREATE_DOMAIN, _DP_CREATE_FOREST)


def _changing(change: Change) -> Operate:
    """An operation that is one transaction, for who may manage the server."""

    async def operate(call: Call, asked: Asked) -> None:
        def work(ctx: WriteContext) -> None:
            require_server(ctx, write=True)
            change(ctx, asked)

        await write(call, work)

    return operate


def _reset_number(ctx: WriteContext, asked: Asked) -> None:
    given, held = asked.given(NameAndParam), settings(ctx)
    changed = with_server_number(held, given.node_name or "", given.param)
    if changed != held:
        keep_settings(ctx, changed)


def _forwarders(ctx: WriteContext, asked: Asked) -> None:
    """fRecurseAfterForwarding is the slave's flag: nobody else is asked where forwarders fail."""
    given = asked.data
    if not isinstance(given, ForwardersW2k | ForwardersDotnet | ForwardersLonghorn):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "no list of forwarders")
    held = settings(ctx)
    timed = with_server_number(held, "ForwardingTimeout", given.forward_timeout)
    listed = addresses.given(given.forwarders)
    keep_settings(ctx, replace(timed, forwarders=listed, is_slave=bool(given.recurse_after_forwarding)))


def _block(ctx: WriteContext, asked: Asked) -> None:
    """The names that no zone is asked for; single labels. Spec: [MS-DNSP] 3.1.1.1.4"""
    wanted = tuple(one.lower() for one in asked.given(Utf8StringList).strings if one)
    if any("." in one or not 0 < len(one.encode()) <= _LABEL_MAX for one in wanted):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "the names of the list are single labels")
    keep_settings(ctx, replace(settings(ctx), blocked_names=tuple(dict.fromkeys(wanted))))


def _clear_cache(ctx: WriteContext, asked: Asked) -> None:
    """Every DNS process empties its cache once it sees another generation."""
    del asked
    held = settings(ctx)
    keep_settings(ctx, replace(held, cache_generation=held.cache_generation + 1))


def _scavenge(ctx: WriteContext, asked: Asked) -> None:
    del asked
    dns_scavenging.request_scavenging(ctx)


def _stop_scavenging(ctx: WriteContext, asked: Asked) -> None:
    del asked
    dns_scavenging.abort_scavenging(ctx)


def _enlist(ctx: WriteContext, asked: Asked) -> None:
    """This DC holds the built-in partitions from the start, and no others of DNS."""
    given = asked.given(EnlistDp)
    if given.operation in (_DP_CREATE_DOMAIN, _DP_CREATE_FOREST):
        raise DsError(Win32.DNS_ERROR_DP_ALREADY_EXISTS, "it is there")
    known = {one.fqdn.lower() for one in partitions.partitions(ctx)}
    if given.operation in _CREATES and (given.dp_fqdn or "").lower() in known:
        raise DsError(Win32.DNS_ERROR_DP_ALREADY_EXISTS, "it is there")
    raise DsError(Win32.ERROR_NOT_SUPPORTED, "partitions of DNS are the built-in ones")


def _nothing(ctx: WriteContext, asked: Asked) -> None:
    """What is stored is never behind what is served, and there is no log of packets."""
    del ctx, asked


def refusing(code: Win32) -> Operate:
    """An operation that this server does not have; who may not manage it learns only that."""

    async def refuse(call: Call, asked: Asked) -> None:
        await read(call, lambda ctx: require_server(ctx, write=True))
        raise DsError(code, f"{asked.operation} is not done here")

    return refuse


_REFUSED: Final = refusing(Win32.ERROR_NOT_SUPPORTED)
OPERATIONS: Final[Mapping[str, Operate]] = {
    "resetdwordproperty": _changing(_reset_number),
    "restart": _REFUSED,
    "cleardebuglog": _changing(_nothing),
    "clearcache": _changing(_clear_cache),
    "writedirtyzones": _changing(_nothing),
    "zonecreate": new_zones.create,
    "clearstatistics": statistics.clear,
    "enlistdirectorypartition": _changing(_enlist),
    "startscavenging": _changing(_scavenge),
    "abortscavenging": _changing(_stop_scavenging),
    "autoconfigure": _REFUSED,
    "exportsettings": _REFUSED,
    "preparefordemotion": _REFUSED,
    "prepareforuninstall": _changing(_nothing),
    "deletenode": _REFUSED,
    "deleterecordset": _REFUSED,
    "writebackfile": _changing(_nothing),
    "listenaddresses": _REFUSED,
    "forwarders": _changing(_forwarders),
    "logfilepath": _REFUSED,
    "logipfilterlist": _REFUSED,
    "forestdirectorypartitionbasename": refusing(Win32.DNS_ERROR_INVALID_PROPERTY),
    "domaindirectorypartitionbasename": refusing(Win32.DNS_ERROR_INVALID_PROPERTY),
    "globalqueryblocklist": _changing(_block),
    "socketpoolexcludedportranges": _REFUSED,
    "breakonreceivefrom": _REFUSED,
    "breakonupdatefrom": _REFUSED,
    "serverlevelplugindll": _REFUSED,
    "activerefreshalltrustpoints": _REFUSED,
    "createserverscope": _REFUSED,
    "deleteserverscope": _REFUSED,
    "createpolicy": _REFUSED,
    "deletepolicy": _REFUSED,
    "updatepolicy": _REFUSED,
    "setrrl": _REFUSED,
}
"""By name in lower case."""
