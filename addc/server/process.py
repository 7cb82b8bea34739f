"""What every process of the server does: open the directory, keep the acceptor's keys, watch for the end."""

import asyncio
import logging
import mmap
import resource
import signal
from pathlib import Path
from typing import Final

from addc.auth.keytab import KeytabEntry, write_keytab
from addc.base.clock import SystemClock
from addc.base.errors import AddcError, UserError
from addc.base.rng import SystemRng
from addc.base.secret import Secret
from addc.directory import accounts, passwords
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext
from addc.provision.forest import secret_attributes
from addc.schema.loader import load_base
from addc.security.token import SYSTEM
from addc.server import logs
from addc.server.config import ServeConfig
from addc.server.password_filter import PasswordFilter
from addc.store.engine import Store

_LOG: Final = logging.getLogger("addc.server")
_KEYTAB_CHECK_S: Final = 5.0


def services(config: ServeConfig) -> Services:
    """The machine's time and randomness, and the operator's judgement of passwords."""
    words = config.site.password_filter
    return Services(SystemClock(), SystemRng(), PasswordFilter(words) if words else None)


def open_store(config: ServeConfig) -> Store:
    return Store.open(config.site.database, config.secret_key, secret_attributes(load_base()))


def open_directory(config: ServeConfig, around: Services) -> Directory:
    """This process's directory; whoever opens it closes it."""
    directory = Directory(open_store(config), load_base(), around)
    directory.on_audit(logs.audit)
    return directory


def stop_event(lifeline: int | None) -> asyncio.Event:
    """Set by SIGTERM, SIGINT and the end of the supervisor."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if lifeline is not None:
        loop.add_reader(lifeline, stop.set)
    return stop


def raise_file_limit() -> int:
    """As many open files as this user may have; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, 65_536) if hard != resource.RLIM_INFINITY else 65_536
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft


class Flag:
    """One bit that processes forked after it was made share."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def set(self, value: bool) -> None:
        self._memory[0] = value

    def is_set(self) -> bool:
        return bool(self._memory[0])


class AcceptorKeys:
    """The keytab that this process accepts Kerberos with: the keys of the DC's account, as they are now."""

    def __init__(self, directory: Directory, path: Path) -> None:
        self._directory = directory
        self._path = path

    async def write(self) -> None:
        """Bring the file up to date. Raises UserError where there is nothing to write, or nowhere."""
        entries = await self._directory.read("server.keytab", SYSTEM, _own_keys, point=True)
        if not entries:
            raise UserError(
                "This DC's own account has no keys, so no client could bind with Kerberos. "
                "Next step: restore the database from a backup."
            )
        try:
            write_keytab(self._path, entries)
        except OSError as error:
            raise UserError(
                f"The acceptor's keys cannot be written: {error}. "
                f"Next step: give this user {self._path.parent}, and space on its disk."
            ) from error

    async def follow(self) -> None:
        """Follow changes of the DC's password, whichever process made them; ends by cancellation."""
        while True:
            await asyncio.sleep(_KEYTAB_CHECK_S)
            try:
                await self.write()
            except AddcError as error:  # the keys at hand serve until the next try
                _LOG.error("keytab not renewed", extra={"fields": {"error": str(error)}})


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
