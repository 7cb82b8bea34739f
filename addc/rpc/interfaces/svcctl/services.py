"""The services that tools look for on a domain controller, and which of them this one has.

Spec: [MS-SCMR] 3.1.1 (service record), 2.2.15.
"""

from dataclasses import dataclass
from typing import Final

from addc.rpc.interfaces.svcctl.idl import QueryServiceConfig, ServiceStatus

SERVICE_WIN32_SHARE_PROCESS: Final = 0x20
SERVICE_STOPPED: Final = 1
SERVICE_RUNNING: Final = 4
SERVICE_ACTIVE: Final = 1
SERVICE_INACTIVE: Final = 2
_AUTO_START: Final = 2
_DISABLED: Final = 4
_ERROR_NORMAL: Final = 1
_ACCEPT_SHUTDOWN: Final = 4
ERROR_SERVICE_NEVER_STARTED: Final = 1077


@dataclass(frozen=True, slots=True)
class Service:
    """One service. runs: it is part of this server."""

    name: str
    display: str
    runs: bool = True

    @property
    def status(self) -> ServiceStatus:
        if self.runs:
            return ServiceStatus(SERVICE_WIN32_SHARE_PROCESS, SERVICE_RUNNING, _ACCEPT_SHUTDOWN)
        return ServiceStatus(SERVICE_WIN32_SHARE_PROCESS, SERVICE_STOPPED, 0, ERROR_SERVICE_NEVER_STARTED)

    @property
    def config(self) -> QueryServiceConfig:
        """Every service is this one program."""
        start = _AUTO_START if self.runs else _DISABLED
        return QueryServiceConfig(
            SERVICE_WIN32_SHARE_PROCESS, start, _ERROR_NORMAL, "addc serve", "", 0, "", "LocalSystem",
            self.display,
        )  # fmt: skip


SERVICES: Final = {
    service.name.lower(): service
    for service in (
        Service("DFSR", "DFS Replication", runs=False),
        Service("DNS", "DNS Server"),
        Service("EventLog", "Windows Event Log", runs=False),
        Service("IsmServ", "Intersite Messaging", runs=False),
        Service("Kdc", "Kerberos Key Distribution Center"),
        Service("LanmanServer", "Server"),
        Service("LanmanWorkstation", "Workstation"),
        Service("Netlogon", "Netlogon"),
        Service("NTDS", "Active Directory Domain Services"),
        Service("RemoteRegistry", "Remote Registry"),
        Service("RpcEptMapper", "RPC Endpoint Mapper"),
        Service("RpcSs", "Remote Procedure Call (RPC)"),
        Service("SamSs", "Security Accounts Manager"),
        Service("Spooler", "Print Spooler", runs=False),
        Service("W32Time", "Windows Time", runs=False),
    )
}
"""By name in lower case."""
