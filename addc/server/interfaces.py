"""The RPC interfaces that this DC serves, besides those that every RPC server has."""

from typing import Final

from addc.drs import operations as drsuapi
from addc.rpc.call import InterfaceServer
from addc.rpc.interfaces.backupkey import operations as backupkey
from addc.rpc.interfaces.dnsserver import operations as dnsserver
from addc.rpc.interfaces.dssetup import operations as dssetup
from addc.rpc.interfaces.gkdi import operations as gkdi
from addc.rpc.interfaces.lsarpc import operations as lsarpc
from addc.rpc.interfaces.netlogon import operations as netlogon
from addc.rpc.interfaces.samr import operations as samr
from addc.rpc.interfaces.srvsvc import operations as srvsvc
from addc.rpc.interfaces.svcctl import operations as svcctl
from addc.rpc.interfaces.winreg import operations as winreg
from addc.rpc.interfaces.wkssvc import operations as wkssvc

SERVED: Final[tuple[InterfaceServer, ...]] = (
    backupkey.SERVER,
    dnsserver.SERVER,
    drsuapi.SERVER,
    dssetup.SERVER,
    gkdi.SERVER,
    lsarpc.SERVER,
    netlogon.SERVER,
    samr.SERVER,
    srvsvc.SERVER,
    svcctl.SERVER,
    winreg.SERVER,
    wkssvc.SERVER,
)
