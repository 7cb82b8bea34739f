"""RPC and SMB of one process: what their handles, sessions and leases live in, and their sockets.

There is one such process: a member's secure channel, its files and its named pipes meet in one memory.
"""

import asyncio
import logging
import os
import socket
from typing import Final

from addc.auth.acceptor import Acceptor, AcceptorPolicy
from addc.auth.gss import GssAcceptor
from addc.auth.netlogon_ssp import NetlogonContext
from addc.base.data_dir import KEYTAB_NAME
from addc.base.errors import DecodeError, DsError, UserError
from addc.codes.ntstatus import NtStatus
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext
from addc.dns.counters import SharedCounters
from addc.kcc.service import Kcc
from addc.kdc.lookup import realm_facts
from addc.kdc.pac_validation import verify_pac
from addc.rpc.call import RpcHost
from addc.rpc.service import RpcService
from addc.security import sddl
from addc.security.sam_policy import PasswordChanges, SamPolicy
from addc.server import listeners
from addc.server.config import ServeConfig, SiteConfig
from addc.server.dns_facts import DnsFacts
from addc.server.interfaces import SERVED
from addc.server.listeners import EPMAP, SMB
from addc.server.process import AcceptorKeys, Flag, open_directory, raise_file_limit, services, stop_event
from addc.server.smb_facts import SmbFacts
from addc.smb.file_handlers import file_handlers
from addc.smb.file_ioctls import file_ioctls
from addc.smb.host_shares import HostShares
from addc.smb.opens import FileServer
from addc.smb.policy import Encryption, SmbPolicy
from addc.smb.service import SmbServer
from addc.smb.shares import Share, ShareKind, ShareTable
from addc.smb.sysvol_volume import SysvolVolume

_LOG: Final = logging.getLogger("addc.server")


class RpcSmb:
    """The RPC and SMB services, put together; `listen` opens their ports."""

    def __init__(
        self, config: ServeConfig, directory: Directory, around: Services, dns: SharedCounters
    ) -> None:
        """dns: what the processes of DNS count."""
        self._config = config
        site = config.site
        acceptor = Acceptor(
            directory,
            GssAcceptor(config.data_dir / KEYTAB_NAME),
            around,
            AcceptorPolicy(ntlm=site.allow_ntlm),
        )
        host = RpcHost(
            verify_pac=_verify_pac,
            sam=_sam_policy(site, directory),
            keeps_time=site.time_service != "off",
            dns=DnsFacts(config, around.clock, around.rng, dns),
            kcc=Kcc(directory, around.rng).execute,
        )
        self.rpc = RpcService(
            directory,
            around,
            acceptor,
            SERVED,
            host=host,
            netlogon=lambda: NetlogonContext(directory, host.channels, around.rng),
        )
        policy = SmbPolicy(
            signing_required=site.smb_require_signing, encryption=Encryption(site.smb_encryption)
        )
        shares = ShareTable(_own_shares(directory))
        self.smb = SmbServer(directory, around, acceptor, shares, self.rpc.open_pipe, policy=policy)
        self._files = FileServer(self.smb)
        self.smb.files, self.smb.file_ioctls = file_handlers(self._files), file_ioctls(self._files)
        self._host_shares = HostShares(directory, shares, around.clock.now)
        host.files = SmbFacts(directory, self.smb, self._host_shares.refresh)
        self._servers: list[asyncio.Server] = []
        self._sweeps: list[asyncio.Task[None]] = []
        self.serving: list[str] = []

    async def listen(self) -> None:
        """Open every port."""
        loop = asyncio.get_running_loop()
        self._host_shares.start()
        addresses = listeners.addresses(self._config.listen)
        ports = self._config.ports
        dynamic, sockets = listeners.listen_in_range(addresses, self._config.site.rpc_port_range)
        self.rpc.open_to(dynamic)
        for sock in sockets:
            self._servers.append(await loop.create_server(self.rpc.tcp, sock=self._noted(sock)))
        for address in addresses:
            mapper = listeners.listen_tcp(address, ports.of(EPMAP))
            self._servers.append(await loop.create_server(self.rpc.mapper, sock=self._noted(mapper)))
            files = listeners.listen_tcp(address, ports.of(SMB))
            self._servers.append(await loop.create_server(self.smb.connection, sock=self._noted(files)))
        self._sweeps = [loop.create_task(self.rpc.sweep()), loop.create_task(self.smb.sweep())]

    def _noted(self, sock: socket.socket) -> socket.socket:
        address, port = sock.getsockname()[:2]
        self.serving.append(f"tcp {address} {port}")
        return sock

    def close_sockets(self) -> None:
        """No new connections."""
        for server in self._servers:
            server.close()
        for sweep in self._sweeps:
            sweep.cancel()

    async def close(self) -> None:
        """No new connections; calls that were begun are answered, then everybody is let go."""
        self.close_sockets()
        await self.rpc.drain()
        await self.smb.close()
        await self._files.close_all()
        self._host_shares.stop()


def _sam_policy(site: SiteConfig, directory: Directory) -> SamPolicy:
    """What config.json says of SAM. Raises UserError."""
    owners = None
    if site.sam_reuse_owners:
        try:
            owners = sddl.parse(site.sam_reuse_owners, directory.forest.domain_sid)
        except (DecodeError, DsError) as error:
            raise UserError(
                f"sam_reuse_owners of config.json is no descriptor in SDDL: {error}. "
                'Next step: name owners as in "O:BAG:BAD:(A;;CC;;;DA)".'
            ) from error
    return SamPolicy(PasswordChanges(site.sam_change_calls), owners)


def _verify_pac(ctx: ReadContext, message: bytes) -> NtStatus:
    """What the KDC says of a KERB_VERIFY_PAC_REQUEST."""
    facts = realm_facts(ctx)
    if facts is None:
        return NtStatus.STATUS_LOGON_FAILURE
    return verify_pac(message, facts.krbtgt.keys)


def _own_shares(directory: Directory) -> tuple[Share, ...]:
    """The shares that a DC has by itself."""
    domain = directory.forest.dns_domain
    scripts = (domain, "scripts")
    return (
        Share("IPC$", ShareKind.PIPE, comment="Remote IPC", hidden=True),
        Share("SYSVOL", volume=SysvolVolume(directory), comment="Logon server share", dfs=True),
        Share("NETLOGON", volume=SysvolVolume(directory, scripts), comment="Logon server share", dfs=True),
    )


async def run(config: ServeConfig, lifeline: int, ready: Flag, dns: SharedCounters) -> None:
    """The process of RPC and SMB, until SIGTERM or the supervisor's end. ready: set while it serves."""
    stop = stop_event(lifeline)
    raise_file_limit()
    around = services(config)
    directory = open_directory(config, around)
    try:
        keys = AcceptorKeys(directory, config.data_dir / KEYTAB_NAME)
        await keys.write()
        served = RpcSmb(config, directory, around, dns)
        try:
            await served.listen()
            ready.set(True)
            fields = {"pid": os.getpid(), "serving": served.serving}
            _LOG.info("RPC and SMB ready", extra={"fields": fields})
            await stop.wait()
        finally:
            ready.set(False)
            await served.close()
    finally:
        directory.close()
    _LOG.info("RPC and SMB end", extra={"fields": {"pid": os.getpid()}})
