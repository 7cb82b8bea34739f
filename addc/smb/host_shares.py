"""The shares that operators define, kept in step with the server's table of shares.

They are read from the database when the server starts and whenever something was committed: a share that
`addc share add` or srvsvc made is there for the next tree connect.

Spec: [MS-SRVS] 3.1.1.7, [MS-SMB2] 3.3.1.6.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import AddcError
from addc.directory import operator_shares
from addc.directory.api import Directory
from addc.directory.operator_shares import OperatorShare
from addc.security.token import SYSTEM
from addc.smb.host_volume import HostVolume
from addc.smb.shares import Share, ShareTable

_LOG: Final = logging.getLogger("addc.smb")
LOOK_S: Final = 1.0
"""How soon after a commit shares are looked at again."""


class HostShares:
    """Operators' shares, served."""

    def __init__(self, directory: Directory, table: ShareTable, now: Callable[[], FileTime]) -> None:
        self._directory = directory
        self._table = table
        self._now = now
        self._served: dict[str, tuple[OperatorShare, HostVolume]] = {}
        self._unsubscribe: Callable[[], None] | None = None
        self._looking: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Serve what there is, and follow changes from now on. Called on the event loop."""
        loop = asyncio.get_running_loop()
        self.refresh()

        def committed(_: object) -> None:
            loop.call_soon_threadsafe(self._look_soon)

        self._unsubscribe = self._directory.subscribe(committed)

    def _look_soon(self) -> None:
        if self._looking is None:
            self._looking = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._looking = None
        try:
            self.refresh()
        except AddcError as error:
            _LOG.warning("shares could not be read", extra={"fields": {"error": str(error)}})

    def refresh(self) -> None:
        """Bring the table of shares up to date with the database."""
        wanted = {
            one.name: one
            for one in self._directory.read_now("smb.shares", SYSTEM, operator_shares.all_shares)
        }
        for name in [name for name in self._served if name not in wanted]:
            self._table.remove(name)
            del self._served[name]  # opens hold the volume as long as they last
        for name, share in wanted.items():
            served = self._served.get(name)
            if served is None or served[0] != share:
                self._serve(share, served)

    def _serve(self, share: OperatorShare, before: tuple[OperatorShare, HostVolume] | None) -> None:
        if before is not None and before[0].path == share.path:
            volume = before[1]
        else:
            try:
                volume = HostVolume(self._directory, share.name, share.path, created_ft=self._now())
            except OSError as error:
                fields = {"share": share.name, "path": share.path, "error": error.strerror}
                _LOG.error("a share's folder cannot be opened", extra={"fields": fields})
                return
        self._served[share.name] = (share, volume)
        self._table.put(
            Share(
                share.name,
                volume=volume,
                comment=share.comment,
                descriptor=share.security,
                encrypt=share.encrypt,
                access_based_enumeration=share.access_based_enumeration,
                hidden=share.hidden,
                path=share.path,
                connections_max=share.users_max or None,
            )
        )

    def stop(self) -> None:
        """Follow no more changes; close what is open of the host."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._looking is not None:
            self._looking.cancel()
        for _, volume in self._served.values():
            volume.close()
        self._served.clear()
