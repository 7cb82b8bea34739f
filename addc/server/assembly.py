"""One worker: the store, the directory, every service and every socket, put together and taken apart.

This is the only place where services meet.
"""

import asyncio
import gc
import json
import logging
import os
import resource
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Final

from addc.auth.acceptor import ChannelBinding
from addc.auth.gss import GssAcceptor
from addc.auth.keytab import KeytabEntry, write_keytab
from addc.base.clock import SystemClock
from addc.base.data_dir import (
    CERTIFICATE_KEY_NAME,
    CERTIFICATE_NAME,
    KEYTAB_NAME,
    KRB5_CONF_NAME,
    STATUS_NAME,
)
from addc.base.errors import AddcError, DecodeError, UserError
from addc.base.rng import SystemRng
from addc.base.secret import Secret
from addc.base.version import VERSION
from addc.base.whole_file import replace_file
from addc.directory import accounts, passwords
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext
from addc.dns import forward
from addc.dns.service import DnsDatagrams, DnsService
from addc.kdc.kkdcp import KdcProxy, KdcProxyStream
from addc.kdc.service import KdcDatagrams, KdcService, KdcStreams
from addc.ldap.bind import Binder, BindPolicy
from addc.ldap.cldap import CldapDatagrams
from addc.ldap.locator import Self
from addc.ldap.service import Endpoint, LdapService
from addc.provision.forest import secret_attributes
from addc.schema.loader import load_base
from addc.security.token import SYSTEM
from addc.server import health, kdc_certificate, listeners, logs, tls
from addc.server.background import Background
from addc.server.config import ServeConfig
from addc.server.listeners import DNS, GC, GC_TLS, KERBEROS, KPASSWD, LDAP, LDAPS, LOOPBACK
from addc.server.password_filter import PasswordFilter
from addc.server.supervisor import Supervisor
from addc.server.tls_door import TlsDoor
from addc.store.engine import Store

_LOG: Final = logging.getLogger("addc.server")
_FILES_SPARE: Final = 256
_HANDSHAKE_S: Final = 10.0
"""So short that one machine has not ports enough to hold every file of this process in handshakes."""
_SWITCH_S: Final = 0.0005
"""How long the event loop waits for a thread at work; Python's own 5 ms are as long as thirty point reads."""
_KEYTAB_CHECK_S: Final = 5.0


def prepare() -> None:
    """Load what every process of the server shares, and keep the cycle collector off it.

    What is here now stays: no collection, and no worker's copy-on-write, need touch it.
    """
    load_base()
    gc.freeze()


def serve(config: ServeConfig) -> int:
    """Serve until told to stop; the exit status. UserError: what a person has to mend first."""
    logs.configure(config.log_level)
    logs.configure_logons(config.site.audit_logons)
    _keep_to_itself()
    sys.setswitchinterval(_SWITCH_S)
    os.environ["KRB5_CONFIG"] = str(config.data_dir / KRB5_CONF_NAME)
    if config.site.kdc_certificate_logons:
        kdc_certificate.ensure(config.data_dir, SystemRng())
    try:
        if config.workers:
            return _supervise(config)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(Worker(config, 0, None).run())
        return os.EX_OK
    finally:
        _forget_status(config)


def _keep_to_itself() -> None:
    """Everybody's keys pass through this memory: no dump of it stays behind, nor a file that others read."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    os.umask(0o077)


def _supervise(config: ServeConfig) -> int:
    """Look for everything that a person has to mend, once and in the foreground; then fork the workers."""
    listeners.check_free(
        listeners.addresses(config.listen), config.ports, config.health_port, config.site.kdc_proxy_port
    )
    _tls_context(config)
    kdc_certificate.kdc_policy(config.data_dir, config.site)
    _open_store(config).close()  # brings an older database up to date before many would try
    # The last child serves nobody: it does the directory's own work, so that exactly one process does it.
    supervisor = Supervisor(config.workers + 1, lambda number, lifeline: _work(config, number, lifeline))
    return 1 if (code := supervisor.run()) == os.EX_CONFIG else code


def _work(config: ServeConfig, number: int, lifeline: int) -> int:
    """A supervised worker's life and exit status; EX_CONFIG is for what a person has to mend."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            if number == config.workers:
                runner.run(_work_in_background(config, lifeline))
            else:
                runner.run(Worker(config, number, lifeline).run())
    except UserError as error:
        print(f"addc: {error}", file=sys.stderr)
        return os.EX_CONFIG
    except Exception:
        _LOG.exception("worker failed")
        return os.EX_SOFTWARE
    return os.EX_OK


async def _work_in_background(config: ServeConfig, lifeline: int) -> None:
    """A process without sockets: the directory's own work until SIGTERM or the supervisor's end."""
    stop = _stop_event(lifeline)
    clock = SystemClock()
    directory = Directory(_open_store(config), load_base(), Services(clock, SystemRng()))
    directory.on_audit(logs.audit)
    try:
        _LOG.info("background work begins", extra={"fields": {"pid": os.getpid()}})
        await Background(directory, clock).run(stop)
    finally:
        directory.close()
    _LOG.info("background work ends", extra={"fields": {"pid": os.getpid()}})


def _stop_event(lifeline: int | None) -> asyncio.Event:
    """Set by SIGTERM, SIGINT and the end of the supervisor."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if lifeline is not None:
        loop.add_reader(lifeline, stop.set)
    return stop


def _open_store(config: ServeConfig) -> Store:
    return Store.open(config.site.database, config.secret_key, secret_attributes(load_base()))


def _bind_policy(config: ServeConfig) -> BindPolicy:
    site = config.site
    return BindPolicy(
        clear_simple_bind=site.allow_simple_bind_in_clear,
        unsigned_sasl=site.allow_unsigned_sasl,
        ntlm=site.allow_ntlm,
        channel_binding=ChannelBinding(site.ldap_channel_binding),
    )


def _tls_context(config: ServeConfig) -> ssl.SSLContext:
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


def _forget_status(config: ServeConfig) -> None:
    """At the end of the server; another's file stays."""
    path = config.data_dir / STATUS_NAME
    try:
        if json.loads(path.read_text())["pid"] == os.getpid():
            path.unlink()
    except (OSError, ValueError, KeyError):
        return  # never written, or not ours


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop where it is installed: four times the datagrams of asyncio's own loop."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.new_event_loop
    loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return loop


class Worker:
    """Everything of one process."""

    def __init__(self, config: ServeConfig, number: int, lifeline: int | None) -> None:
        """lifeline: a descriptor that becomes readable when the supervisor is gone."""
        self._config = config
        self._number = number
        self._lifeline = lifeline
        self._health: asyncio.Server | None = None
        self._clock = SystemClock()
        self._rng = SystemRng()
        self._servers: list[asyncio.Server | TlsDoor] = []
        self._datagrams: list[asyncio.BaseTransport] = []
        self._serving: list[str] = []
        self._started = time.monotonic()
        self._ready = False
        self._certificate_time = 0
        self._kdc_files: tuple[object, ...] = ()

    async def run(self) -> None:
        """Start, serve until SIGTERM or SIGINT, drain, close."""
        stop = _stop_event(self._lifeline)
        files = _raise_file_limit()
        store = _open_store(self._config)
        try:
            words = self._config.site.password_filter
            judge = PasswordFilter(words) if words else None
            self._directory = Directory(store, load_base(), Services(self._clock, self._rng, judge))
            self._directory.on_audit(logs.audit)
            await self._write_keytab()
            await self._start_services(files - _FILES_SPARE)
            self._say_ready()
            async with asyncio.TaskGroup() as group:
                sweep = group.create_task(self._ldap.sweep())
                notifier = group.create_task(self._ldap.notifier.run())
                keytab = group.create_task(self._watch_keytab())
                if not self._config.workers:
                    group.create_task(Background(self._directory, self._clock).run(stop))
                await stop.wait()
                await self._drain()
                sweep.cancel()
                notifier.cancel()
                keytab.cancel()
        finally:
            await self._close_sockets()
            store.close()
        _LOG.info("stopped", extra={"fields": {"worker": self._number}})

    # --- sockets ---

    async def _start_services(self, connections_max: int) -> None:
        config, directory = self._config, self._directory
        own = Self(tuple(a for a in map(ip_address, config.site.host_ips) if isinstance(a, IPv4Address)))
        acceptor = GssAcceptor(config.data_dir / KEYTAB_NAME)
        binder = Binder(directory, acceptor, Services(self._clock, self._rng), _bind_policy(config))
        self._certificate_time = (config.data_dir / CERTIFICATE_NAME).stat().st_mtime_ns
        self._ldap = LdapService(
            directory,
            self._clock,
            binder,
            own,
            tls=_tls_context(config),
            channel_binding=tls.server_end_point(config.data_dir / CERTIFICATE_NAME),
            connections_max=connections_max,
            renew_tls=self._renew_tls,
        )
        self._dns = DnsService(directory, self._rng, self._forwarders())
        self._kdc_files = kdc_certificate.stamp(config.data_dir, config.site)
        self._kdc = KdcService(
            directory, self._clock, self._rng, kdc_certificate.kdc_policy(config.data_dir, config.site)
        )
        self._proxy = KdcProxy(self._kdc)
        for address in listeners.addresses(config.listen):
            await self._listen(address)
        if config.health_port:
            sock = listeners.listen_tcp(
                LOOPBACK, config.ports.of(config.health_port), shared=config.workers > 0
            )
            self._health = await health.start(sock, self._report)

    def _forwarders(self) -> tuple[forward.Forwarder, ...]:
        site = self._config.site
        try:
            wanted = [forward.parse_forwarder(text) for text in site.dns_forwarders]
        except DecodeError as error:
            raise UserError(f"dns_forwarders of config.json: {error.why}. Next step: mend it.") from error
        return forward.usable(wanted, site.host_ips, self._config.ports.of(DNS))

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
        self._servers.append(await asyncio.start_server(self._dns.serve_stream, sock=self._tcp(address, DNS)))
        for port, protocol in (
            (LDAP, lambda: CldapDatagrams(self._directory, self._ldap.own)),
            (KERBEROS, lambda: KdcDatagrams(self._kdc, kpasswd=False)),
            (KPASSWD, lambda: KdcDatagrams(self._kdc, kpasswd=True)),
            (DNS, lambda: DnsDatagrams(self._dns)),
        ):
            transport, _ = await loop.create_datagram_endpoint(protocol, sock=self._udp(address, port))
            self._datagrams.append(transport)

    def _tcp(self, address: str, port: int) -> socket.socket:
        self._serving.append(f"tcp {address} {self._config.ports.of(port)}")
        return listeners.listen_tcp(address, self._config.ports.of(port), shared=self._config.workers > 0)

    def _udp(self, address: str, port: int) -> socket.socket:
        self._serving.append(f"udp {address} {self._config.ports.of(port)}")
        return listeners.listen_udp(address, self._config.ports.of(port), shared=self._config.workers > 0)

    async def _drain(self) -> None:
        """No new connections; what was begun is finished and answered."""
        self._ready = False
        for server in self._servers:
            server.close()
        await asyncio.gather(self._ldap.drain(), self._kdc.drain())

    async def _close_sockets(self) -> None:
        for server in (*self._servers, self._health):
            if server is not None:
                server.close()
        for transport in self._datagrams:
            transport.close()
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
            "ready": self._ready,
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

    # --- the acceptor's keys ---

    async def _write_keytab(self) -> None:
        entries = await self._directory.read("server.keytab", SYSTEM, _own_keys, point=True)
        if not entries:
            raise UserError(
                "This DC's own account has no keys, so no client could bind with Kerberos. "
                "Next step: restore the database from a backup."
            )
        path = self._config.data_dir / KEYTAB_NAME
        try:
            write_keytab(path, entries)
        except OSError as error:
            raise UserError(
                f"The acceptor's keys cannot be written: {error}. "
                f"Next step: give this user {path.parent}, and space on its disk."
            ) from error

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

    async def _watch_keytab(self) -> None:
        """Follow changes of the DC's password and certificates, whichever process made them."""
        while True:
            await asyncio.sleep(_KEYTAB_CHECK_S)
            self._follow_certificate()
            self._follow_kdc_certificate()
            try:
                await self._write_keytab()
            except AddcError as error:  # the keys at hand serve until the next try
                _LOG.error("keytab not renewed", extra={"fields": {"error": str(error)}})


def _describe(ctx: ReadContext) -> health.Report:
    forest = ctx.forest
    return {"realm": forest.realm, "host": forest.host_fqdn, "site": forest.site, "usn": int(ctx.tx.usn)}


def _own_keys(ctx: ReadContext) -> list[KeytabEntry]:
    """Present and previous keys of the DC's account: tickets of the old ones live on for hours.

    Not those of RC4: the KDC makes no ticket for a DC with them, so whoever shows one made it of the NT hash.
    """
    account = accounts.find_by_sam(ctx, f"{ctx.forest.host}$")
    row = None if account is None else ctx.tx.get(account.dnt)
    if account is None or row is None:
        return []
    return [
        KeytabEntry(
            (account.sam_account_name,), ctx.forest.realm, generation.kvno, key.etype, Secret(key.value)
        )
        for generation in passwords.keys_of(ctx, row).generations()
        for key in generation.keys
        if not key.info.insecure
    ]


def _raise_file_limit() -> int:
    """As many open files as this user may have; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, 65_536) if hard != resource.RLIM_INFINITY else 65_536
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
