"""The zones that one question sees: those of the directory as its snapshot has them, and secondary ones.

What was asked for is written down, so that a kept reply goes when one of these names changes.
Spec: [MS-DNSP] 3.1.1, 2.3.2
"""

from collections.abc import Sequence
from typing import Protocol

from addc.base.clock import FileTime
from addc.codec.dns_names import Name
from addc.codec.dns_rdata import DnsRecord
from addc.directory.context import ReadContext
from addc.directory.dns_keys import OWN_TYPES, signing_of
from addc.directory.dns_settings import ZoneSettings
from addc.directory.dns_zones import ZoneType
from addc.dns.answer import Zone
from addc.dns.zone_memory import SOA_MARK, KnownZone, ZoneMemory
from addc.security.zone_keys import ZoneSigning


class CopiedZone(Zone, Protocol):
    """A copy of another server's zone."""

    def expired(self, now: FileTime) -> bool:
        """Whether its master was silent for so long that nothing may be answered."""


class Secondaries(Protocol):
    """The zones that this server has copies of."""

    def covering(self, name: Name) -> CopiedZone | None: ...


class DirectoryZone:
    """One zone of the directory, in one read transaction."""

    __slots__ = ("_ctx", "_memory", "_touched", "hides", "known")

    def __init__(self, ctx: ReadContext, memory: ZoneMemory, known: KnownZone, touched: set[Name]) -> None:
        self._ctx = ctx
        self._memory = memory
        self._touched = touched
        self.known = known
        self.hides: Name | None = None
        """A name that is not told of, nor what a wildcard would make of it."""

    @property
    def apex(self) -> Name:
        return self.known.facts.apex

    @property
    def settings(self) -> ZoneSettings:
        return self.known.settings

    @property
    def signing(self) -> ZoneSigning | None:
        facts = self.known.facts
        return signing_of(self._ctx, facts.row, facts.apex)

    def node(self, name: Name) -> Sequence[DnsRecord] | None:
        """The records at `name`; () where only names below it exist; None where there is nothing."""
        self._touched.add(name)
        if self.hides is not None and name in (self.hides, (b"*", *self.hides[1:])):
            return None
        relative = name[: len(name) - len(self.known.facts.apex)]
        found = self._memory.node(self._ctx, self.known, relative)
        signing = None if relative else self.signing
        if signing is None:
            return found
        return [*(one for one in found or () if one.type not in OWN_TYPES), *signing.apex_records]


class DirectoryZones:
    """All zones as of one read transaction, which the memory is brought up to.

    touched: the names that were asked for. used, copied: the zones that were.
    """

    def __init__(self, ctx: ReadContext, memory: ZoneMemory, secondaries: Secondaries | None = None) -> None:
        self._ctx = ctx
        self._memory = memory
        self._secondaries = secondaries
        self._made: dict[Name, DirectoryZone] = {}
        self.touched: set[Name] = set()
        self.used: list[DirectoryZone] = []
        self.copied: list[CopiedZone] = []

    def covering(self, name: Name) -> Zone | None:
        """The zone with the longest apex that ends `name`; None where other servers answer for it."""
        known = self._memory.covering(name)
        copied = self._secondaries.covering(name) if self._secondaries is not None else None
        if copied is not None and (known is None or len(copied.apex) >= len(known.apex)):
            self.copied.append(copied)
            return copied
        if known is None or known.facts.properties.type != ZoneType.PRIMARY:
            return None
        zone = self._made.get(known.apex)
        if zone is None:
            zone = DirectoryZone(self._ctx, self._memory, known, self.touched)
            self._made[known.apex] = zone
            self.used.append(zone)
        return zone

    def block(self, name: Name) -> None:
        """Hide the name that was asked for, where operators want no zone to be asked for it.

        Spec: [MS-DNSP] 3.1.1.1.1 (EnableGlobalQueryBlockList): never a zone's own name.
        """
        blocked = self._memory.blocked
        if name and name[0] in blocked:
            zone = self.covering(name)
            if isinstance(zone, DirectoryZone) and len(zone.apex) + 1 == len(name):
                zone.hides = name


def names_of_soas(owners: Sequence[Name]) -> set[Name]:
    """What a reply depends on that shows the SOA records of these zones."""
    return {(SOA_MARK, *owner) for owner in owners}
