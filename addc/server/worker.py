"""One of the equal workers: LDAP, Kerberos, kpasswd and DNS on shared ports, over one directory."""

import asyncio
import json
import logging
import os
import socket
import ssl
import time
from functools import partial
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Final

from addc.auth.acceptor import ChannelBinding
from addc.auth.gss import GssAcceptor
from addc.base.data_dir import CERTIFICATE_KEY_NAME, CERTIFICATE_NAME, KEYTAB_NAME, STATUS_NAME
from addc.base.errors import AddcError, UserError
from addc.base.version import VERSION
from addc.base.whole_file import replace_file
from addc.codec.repl_info import when
from addc.directory import kcc_runs
from addc.directory.context import ReadContext
from addc.directory.sites import own_site
from addc.kcc.service import Kcc
from addc.kdc.kkdcp import KdcProxy, KdcProxyStream
from addc.kdc.service import KdcDatagrams, KdcService, KdcStreams
from addc.ldap.bind import Binder, BindPolicy
from addc.ldap.cldap import CldapDatagrams
from addc.ldap.locator import Self
from addc.ldap.service import Endpoint, LdapService
from addc.security.token import SYSTEM
from addc.server import dns_registration, health, kdc_certificate, listeners, tls
from addc.server.background import WORK, Background
from addc.server.config import ServeConfig, SiteConfig
from addc.server.dns_host import Answers, DeskHost, DnsShared, relay_to_desk
from addc.server.interface_addresses import interface_addresses
from addc.server.listeners import GC, GC_TLS, KERBEROS, KPASSWD, LDAP, LDAPS, LOOPBACK, NTP
from addc.server.process import AcceptorKeys, Flag, open_directory, raise_file_limit, services, stop_event
from addc.server.rpc_smb import RpcSmb
from addc.server.sntp import SntpDatagrams, TimeService, serve_signd
from addc.server.tls_door import TlsDoor

_LOG: Final = logging.getLogger("addc.server")
_FILES_SPARE: Final = 256
_HANDSHAKE_S: Final = 10.0
"""So short that one machine has not ports enough to hold every file of this process in handshakes."""
_CERTIFICATE_CHECK_S: Final = 5.0


def _bind_policy(site: SiteConfig) -> BindPolicy:
    return BindPolicy(
        clear_simple_bind=site.allow_simple_bind_in_clear,
        unsigned_sasl=site.allow_unsigned_sasl,
        ntlm=site.allow_ntlm,
        channel_binding=ChannelBinding(site.ldap_channel_binding),
    )


def tls_context(config: ServeConfig) -> ssl.SSLContext:
    client_ca = Path(config.site.tls_client_ca) if config.site.tls_client_ca else None
    folder = config.data_dir
    return tls.server_context(folder / CERTIFICATE_NAME, folder / CERTIFICATE_KEY_NAME, client_ca)


def _server_pid(config: ServeConfig) -> int:
    """Whom to send SIGTERM: the supervisor, where there is one."""
    return os.getppid() if config.workers else os.getpid()


def _write_status(config: ServeConfig) -> None:
    """Where `addc status` finds the server; every worker says the same."""
    path = config.data_dir / STATUS_NAME
    port = config.ports.of(config.health_port) if config.health_port else 0
    note = json.dumps({"pid": _server_pid(config), "health_port": port}) + "\n"
    replace_file(path, note.encode(), 0o600)


def forget_status(config: ServeConfig) -> None:
    """At the end of the server; another's file stays."""
    path = config.data_dir / STATUS_NAME
    try:
        if json.loads(path.read_text())["pid"] == os.getpid():
            path.unlink()
    except (OSError, ValueError, KeyError):
        return  # never written, or not ours


class Worker:
    """The services of one process, and their sockets."""

    def __init__(
        self, config: ServeConfig, number: int, lifeline: int | None, rpc_smb_ready: Flag, dns: DnsShared
    ) -> None:
        """lifeline: a descriptor that becomes readable when the supervisor is gone; None for no supervisor.

        rpc_smb_ready: set while RPC and SMB are served, by this process if it is the only one.
        dns: what the DNS of all processes have in common.
        """
        self._config = config
        self._number = number
        self._lifeline = lifeline
        self._health: asyncio.Server | None = None
        self._around = services(config)
        self._servers: list[asyncio.Server | TlsDoor] = []
        self._datagrams: list[asyncio.BaseTransport] = []
        self._serving: list[str] = []
        self._started = time.monotonic()
        self._ready = False
        self._certificate_time = 0
        self._kdc_files: tuple[object, ...] = ()
        self._rpc_smb: RpcSmb | None = None
        self._dns: Answers | None = None
        self._rpc_smb_ready = rpc_smb_ready
        self._own = tuple(str(one.address) for one in interface_addresses())
        self._shared_dns = dns
        self._desk: DeskHost | None = None

    async def run(self) -> None:
        """Start, serve until SIGTERM or SIGINT, drain, close."""
        stop = stop_event(self._lifeline)
        files = raise_file_limit()
        self._directory = open_directory(self._config, self._around)
        try:
            keys = AcceptorKeys(self._directory, self._config.data_dir / KEYTAB_NAME)
            await keys.write()
            await self._start_services(files - _FILES_SPARE)
            self._say_ready()
            async with asyncio.TaskGroup() as group:
                sweep = group.create_task(self._ldap.sweep())
                notifier = group.create_task(self._ldap.notifier.run())
                following = group.create_task(keys.follow())
                certificates = group.create_task(self._follow_certificates())
                assert self._dns is not None
                copies = group.create_task(self._dns.follow())
                if not self._config.workers:
                    work = (*WORK, *dns_registration.jobs(self._config.site))
                    group.create_task(Background(self._directory, self._around.clock, work).run(stop))
                    group.create_task(Kcc(self._directory, self._around.rng).run(stop))
                if self._desk is not None:
                    group.create_task(self._desk.run(stop))
                await stop.wait()
                await self._drain()
                sweep.cancel()
                notifier.cancel()
                following.cancel()
                certificates.cancel()
                copies.cancel()
        finally:
            await self._close_sockets()
            self._directory.close()
        _LOG.info("stopped", extra={"fields": {"worker": self._number}})

    # --- sockets ---

    async def _start_services(self, connections_max: int) -> None:
        config, directory = self._config, self._directory
        own = Self(
            tuple(a for a in map(ip_address, config.site.host_ips) if isinstance(a, IPv4Address)),
            keeps_time=config.site.time_service != "off",
        )
        acceptor = GssAcceptor(config.data_dir / KEYTAB_NAME)
        binder = Binder(directory, acceptor, self._around, _bind_policy(config.site))
        self._certificate_time = (config.data_dir / CERTIFICATE_NAME).stat().st_mtime_ns
        self._ldap = LdapService(
            directory,
            self._around.clock,
            binder,
            own,
            tls=tls_context(config),
            channel_binding=tls.server_end_point(config.data_dir / CERTIFICATE_NAME),
            connections_max=connections_max,
            renew_tls=self._renew_tls,
        )
        self._dns = self._answers()
        self._kdc_files = kdc_certificate.stamp(config.data_dir, config.site)
        self._kdc = KdcService(
            directory,
            self._around.clock,
            self._around.rng,
            kdc_certificate.kdc_policy(config.data_dir, config.site),
        )
        self._proxy = KdcProxy(self._kdc)
        addresses = listeners.addresses(config.listen)
        for address in addresses:
            await self._listen(address)
        assert self._ldap.tls is not None
        self._serving += await self._dns.listen(addresses, self._ldap.tls)
        if self._number == 0:
            await self._keep_time()
        if not config.workers:
            self._rpc_smb = RpcSmb(config, directory, self._around, self._shared_dns.counters)
            await self._rpc_smb.listen()
            self._serving += self._rpc_smb.serving
            self._rpc_smb_ready.set(True)
        if config.health_port:
            sock = listeners.listen_tcp(
                LOOPBACK, config.ports.of(config.health_port), shared=config.workers > 0
            )
            self._health = await health.start(sock, self._report)

    def _answers(self) -> Answers:
        """DNS, and the desk's part of it where no other process has that."""
        facts = (self._config, self._directory, self._around, self._shared_dns)
        if self._config.workers:
            return Answers(*facts, row=self._number, desk=relay_to_desk(self._shared_dns))
        self._desk = DeskHost(*facts)
        return Answers(*facts, row=self._number, desk=self._desk.desk)

    async def _listen(self, address: str) -> None:
        loop = asyncio.get_running_loop()
        for port, endpoint in (
            (LDAP, Endpoint()),
            (LDAPS, Endpoint(tls=True)),
            (GC, Endpoint(gc_port=True)),
            (GC_TLS, Endpoint(tls=True, gc_port=True)),
        ):
            connection = partial(self._ldap.connection, endpoint)
            sock = self._tcp(address, port)
            if endpoint.tls:
                assert self._ldap.tls is not None
                self._servers.append(TlsDoor(sock, self._ldap.tls, connection, handshake_s=_HANDSHAKE_S))
            else:
                self._servers.append(await loop.create_server(connection, sock=sock))
        for port, kpasswd in ((KERBEROS, False), (KPASSWD, True)):
            server = await loop.create_server(
                lambda kpasswd=kpasswd: KdcStreams(self._kdc, kpasswd=kpasswd),  # type: ignore[misc]
                sock=self._tcp(address, port),
            )
            self._servers.append(server)
        if port := self._config.site.kdc_proxy_port:
            assert self._ldap.tls is not None
            proxied = partial(KdcProxyStream, self._proxy)
            sock = self._tcp(address, port)
            self._servers.append(TlsDoor(sock, self._ldap.tls, proxied, handshake_s=_HANDSHAKE_S))
        for port, protocol in (
            (LDAP, lambda: CldapDatagrams(self._directory, self._ldap.own)),
            (KERBEROS, lambda: KdcDatagrams(self._kdc, kpasswd=False)),
            (KPASSWD, lambda: KdcDatagrams(self._kdc, kpasswd=True)),
        ):
            for sock in self._udp(address, port):
                transport, _ = await loop.create_datagram_endpoint(protocol, sock=sock)
                self._datagrams.append(transport)

    async def _keep_time(self) -> None:
        """Serve the time and sign it, in one worker: a lost datagram is asked for again."""
        site, loop = self._config.site, asyncio.get_running_loop()
        time_service = TimeService(self._directory)
        if site.time_service != "off":
            for address in listeners.addresses(self._config.listen):
                try:
                    sockets = listeners.listen_datagrams(address, self._config.ports.of(NTP), self._own)
                except UserError as error:
                    if site.time_service == "on":
                        raise
                    _LOG.info("no time service", extra={"fields": {"why": str(error)}})
                    break
                self._serving.append(f"udp {address} {self._config.ports.of(NTP)}")
                for sock in sockets:
                    made = await loop.create_datagram_endpoint(lambda: SntpDatagrams(time_service), sock=sock)
                    self._datagrams.append(made[0])
        if site.ntp_signd_socket:
            signd = await asyncio.start_unix_server(partial(serve_signd, time_service), site.ntp_signd_socket)
            self._servers.append(signd)

    def _tcp(self, address: str, port: int) -> socket.socket:
        self._serving.append(f"tcp {address} {self._config.ports.of(port)}")
        return listeners.listen_tcp(address, self._config.ports.of(port), shared=self._config.workers > 0)

    def _udp(self, address: str, port: int) -> list[socket.socket]:
        port = self._config.ports.of(port)
        self._serving.append(f"udp {address} {port}")
        return listeners.listen_datagrams(address, port, self._own, shared=self._config.workers > 0)

    async def _drain(self) -> None:
        """No new connections; what was begun is finished and answered."""
        self._ready = False
        for server in self._servers:
            server.close()
        if self._dns is not None:
            self._dns.stop_accepting()
        await asyncio.gather(self._ldap.drain(), self._kdc.drain())
        if self._rpc_smb is not None:
            await self._rpc_smb.close()

    async def _close_sockets(self) -> None:
        for server in (*self._servers, self._health):
            if server is not None:
                server.close()
        if self._rpc_smb is not None:
            self._rpc_smb.close_sockets()
        for transport in self._datagrams:
            transport.close()
        if self._dns is not None:
            self._dns.close()
        # uvloop lets go of them on its next turn, and complains of those it finds open at its end.
        await asyncio.sleep(0)

    # --- what others read ---

    def _say_ready(self) -> None:
        self._ready = True
        took_ms = round((time.monotonic() - self._started) * 1000)
        _write_status(self._config)
        fields = {"version": VERSION, "worker": self._number, "took_ms": took_ms}
        _LOG.info("ready", extra={"fields": fields})

    async def _report(self) -> health.Report:
        """For /readyz: the database is asked, not remembered."""
        report: health.Report = {
            "ready": self._ready and self._rpc_smb_ready.is_set(),
            "version": VERSION,
            "uptime_s": round(time.monotonic() - self._started),
            "workers": max(self._config.workers, 1),
            "worker": self._number,
            "pid": os.getpid(),
        }
        try:
            report |= await self._directory.read("health", SYSTEM, _describe, point=True)
        except AddcError as error:
            report |= {"ready": False, "error": str(error)}
        return report | {"serving": self._serving}

    # --- certificates ---

    def _renew_tls(self) -> bytes | None:
        """Show the certificate that is in the data folder now; its channel binding, None if it is no good."""
        assert self._ldap.tls is not None
        certificate = self._config.data_dir / CERTIFICATE_NAME
        try:
            self._certificate_time = certificate.stat().st_mtime_ns
            tls.load(self._ldap.tls, certificate, self._config.data_dir / CERTIFICATE_KEY_NAME)
            return tls.server_end_point(certificate)
        except (OSError, ValueError, UserError) as error:
            _LOG.error("certificate not renewed", extra={"fields": {"error": str(error)}})
            return None

    def _follow_certificate(self) -> None:
        """Serve a certificate that was put in place of the old one, or that another worker was told of."""
        try:
            changed = (self._config.data_dir / CERTIFICATE_NAME).stat().st_mtime_ns != self._certificate_time
        except OSError:
            return  # it is being replaced, or gone; the one at hand serves
        if changed:
            self._ldap.renew_certificate()

    def _follow_kdc_certificate(self) -> None:
        """Prove the KDC with the certificate that is there now, and heed the revocation lists that are."""
        now = kdc_certificate.stamp(self._config.data_dir, self._config.site)
        if now == self._kdc_files:
            return
        self._kdc_files = now
        try:
            self._kdc.set_policy(kdc_certificate.kdc_policy(self._config.data_dir, self._config.site))
        except UserError as error:  # the old ones serve on
            _LOG.error("certificate not renewed", extra={"fields": {"error": str(error)}})

    async def _follow_certificates(self) -> None:
        """Follow changes of the certificates, whichever process made them."""
        while True:
            await asyncio.sleep(_CERTIFICATE_CHECK_S)
            self._follow_certificate()
            self._follow_kdc_certificate()


def _describe(ctx: ReadContext) -> health.Report:
    forest = ctx.forest
    found: health.Report = {
        "realm": forest.realm,
        "host": forest.host_fqdn,
        "site": own_site(ctx),
        "usn": int(ctx.tx.usn),
    }
    run = kcc_runs.last_run(ctx)
    if run is not None:
        found |= {"topology_checked": when(run.when), "topology_generator": run.is_istg}
    return found
