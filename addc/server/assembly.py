"""The processes of the server: workers, RPC and SMB, background work, and who supervises them.

Services meet in worker.py and rpc_smb.py and nowhere else.
"""

import asyncio
import gc
import logging
import os
import resource
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from addc.base.data_dir import KRB5_CONF_NAME
from addc.base.errors import UserError
from addc.base.rng import SystemRng
from addc.kcc.service import Kcc
from addc.schema.loader import load_base
from addc.server import dns_registration, kdc_certificate, listeners, logs, rpc_smb
from addc.server.background import WORK, Background
from addc.server.config import ServeConfig
from addc.server.dns_host import DeskHost, DnsShared
from addc.server.process import Flag, open_directory, open_store, services, stop_event
from addc.server.supervisor import Supervisor
from addc.server.worker import Worker, forget_status, tls_context

_LOG: Final = logging.getLogger("addc.server")
_SWITCH_S: Final = 0.0005
"""How long the event loop waits for a thread at work; Python's own 5 ms are as long as thirty point reads."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the supervised processes have in common. rpc_smb_ready: whether RPC and SMB are served."""

    rpc_smb_ready: Flag
    dns: DnsShared


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
        with asyncio.Runner(loop_factory=_loop_factory()) as runner, closing(DnsShared(0)) as dns:
            runner.run(Worker(config, 0, None, Flag(), dns).run())
        return os.EX_OK
    finally:
        forget_status(config)


def _keep_to_itself() -> None:
    """Everybody's keys pass through this memory: no dump of it stays behind, nor a file that others read."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    os.umask(0o077)


def _supervise(config: ServeConfig) -> int:
    """Look for everything that a person has to mend, once and in the foreground; then fork the workers."""
    more = (config.site.kdc_proxy_port, config.site.dns_tls_port)
    listeners.check_free(listeners.addresses(config.listen), config.ports, config.health_port, more)
    tls_context(config)
    kdc_certificate.kdc_policy(config.data_dir, config.site)
    open_store(config).close()  # brings an older database up to date before many would try
    # Behind the workers come the process of RPC and SMB, and one that serves nobody: it does the directory's
    # own work, so that exactly one process does it.
    with closing(DnsShared(config.workers)) as dns:
        shared = Shared(Flag(), dns)
        supervisor = Supervisor(
            config.workers + 2, lambda number, lifeline: _work(config, number, lifeline, shared)
        )
        return 1 if (code := supervisor.run()) == os.EX_CONFIG else code


def _work(config: ServeConfig, number: int, lifeline: int, shared: Shared) -> int:
    """A supervised process's life and exit status; EX_CONFIG is for what a person has to mend."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            if number < config.workers:
                runner.run(Worker(config, number, lifeline, shared.rpc_smb_ready, shared.dns).run())
            elif number == config.workers:
                runner.run(rpc_smb.run(config, lifeline, shared.rpc_smb_ready, shared.dns.counters))
            else:
                runner.run(_work_in_background(config, lifeline, shared.dns))
    except UserError as error:
        print(f"addc: {error}", file=sys.stderr)
        return os.EX_CONFIG
    except Exception:
        _LOG.exception("worker failed")
        return os.EX_SOFTWARE
    return os.EX_OK


async def _work_in_background(config: ServeConfig, lifeline: int, dns: DnsShared) -> None:
    """The directory's own work, and the desk of DNS, until SIGTERM or the supervisor's end."""
    stop = stop_event(lifeline)
    around = services(config)
    directory = open_directory(config, around)
    try:
        _LOG.info("background work begins", extra={"fields": {"pid": os.getpid()}})
        work = (*WORK, *dns_registration.jobs(config.site))
        desk = DeskHost(config, directory, around, dns)
        async with asyncio.TaskGroup() as group:
            group.create_task(Background(directory, around.clock, work).run(stop))
            group.create_task(Kcc(directory, around.rng).run(stop))
            group.create_task(desk.run(stop))
    finally:
        directory.close()
    _LOG.info("background work ends", extra={"fields": {"pid": os.getpid()}})


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop where it is installed: four times the datagrams of asyncio's own loop."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.new_event_loop
    loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return loop
