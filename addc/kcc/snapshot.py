"""The frozen view that the KCC plans from: sites, DCs, naming contexts, links, failures.

Sites, DCs and links refer to each other by their places in the snapshot's tuples. Each tuple is sorted by the
16 stored bytes of objectGUID, so places compare as GUIDs do wherever a rule breaks a tie by GUID.

Spec: [MS-ADTS] 6.2.2, 6.1.1.2.2; [MS-DRSR] 5.111, 5.112 (failures).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum, IntFlag
from typing import Final, NewType

from addc.base.clock import FileTime
from addc.codec.schedule import ALWAYS, Quarters

NO_TIME: Final = FileTime(0)

SiteAt = NewType("SiteAt", int)
DcAt = NewType("DcAt", int)
NcAt = NewType("NcAt", int)
LinkAt = NewType("LinkAt", int)

COST_DEFAULT: Final = 100
INTERVAL_DEFAULT_MIN: Final = 180
FAILOVER_DEFAULT_S: Final = 7200
BEHAVIOR_WIN2008: Final = 3


class DsaOption(IntFlag):
    """options of nTDSDSA, [MS-ADTS] 6.1.1.2.2.1.2.1.1."""

    NONE = 0
    IS_GC = 0x1
    DISABLE_INBOUND_REPL = 0x2
    DISABLE_OUTBOUND_REPL = 0x4
    DISABLE_NTDSCONN_XLATE = 0x8
    DISABLE_SPN_REGISTRATION = 0x10


class SiteOption(IntFlag):
    """options of nTDSSiteSettings, [MS-ADTS] 6.1.1.2.2.1.1."""

    NONE = 0
    IS_AUTO_TOPOLOGY_DISABLED = 0x1
    IS_TOPL_CLEANUP_DISABLED = 0x2
    IS_TOPL_MIN_HOPS_DISABLED = 0x4
    IS_TOPL_DETECT_STALE_DISABLED = 0x8
    IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED = 0x10
    IS_GROUP_CACHING_ENABLED = 0x20
    FORCE_KCC_WHISTLER_BEHAVIOR = 0x40
    FORCE_KCC_W2K_ELECTION = 0x80
    IS_RAND_BH_SELECTION_DISABLED = 0x100
    IS_SCHEDULE_HASHING_ENABLED = 0x200
    IS_REDUNDANT_SERVER_TOPOLOGY_ENABLED = 0x400
    W2K3_IGNORE_SCHEDULES = 0x800
    W2K3_BRIDGES_REQUIRED = 0x1000


class TransportOption(IntFlag):
    """options of interSiteTransport, [MS-ADTS] 6.1.1.2.2.3.1."""

    NONE = 0
    IGNORE_SCHEDULES = 0x1
    BRIDGES_REQUIRED = 0x2


class LinkOption(IntFlag):
    """options of siteLink, [MS-ADTS] 6.1.1.2.2.3.3."""

    NONE = 0
    USE_NOTIFY = 0x1
    TWOWAY_SYNC = 0x2
    DISABLE_COMPRESSION = 0x4


class ConnectionOption(IntFlag):
    """options of nTDSConnection, [MS-ADTS] 6.1.1.2.2.1.2.1.2."""

    IS_GENERATED = 0x1
    TWOWAY_SYNC = 0x2
    OVERRIDE_NOTIFY_DEFAULT = 0x4
    USE_NOTIFY = 0x8
    DISABLE_INTERSITE_COMPRESSION = 0x10
    USER_OWNED_SCHEDULE = 0x20
    RODC_TOPOLOGY = 0x40


# Flags as plain integers, for what is asked of every connection and DC: ten times as quick.
_GENERATED: Final = int(ConnectionOption.IS_GENERATED)
_RODC_TOPOLOGY: Final = int(ConnectionOption.RODC_TOPOLOGY)
_GC: Final = int(DsaOption.IS_GC)


class NcKind(Enum):
    """What a naming context is; it decides who must hold it."""

    CONFIG = "config"
    SCHEMA = "schema"
    DOMAIN = "domain"
    APPLICATION = "application"


class Replica(IntEnum):
    """What a DC holds of a naming context."""

    PARTIAL = 1
    READ_ONLY = 2
    WRITABLE = 3

    @property
    def is_full(self) -> bool:
        return self is not Replica.PARTIAL


@dataclass(frozen=True, slots=True)
class NamingContext:
    """One replicated naming context of the forest.

    is_in_gc: GCs hold a partial replica of it (domains whose crossRef lacks FLAG_CR_NTDS_NOT_GC_REPLICATED).
    """

    dn: str
    kind: NcKind
    is_in_gc: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """A site and its settings. generator: DN in interSiteTopologyGenerator, "" where it has none.

    schedule: of intrasite connections; None where the settings have none. has_settings: whether there is an
    NTDS Site Settings object.
    """

    guid: bytes
    dn: str
    name: str
    options: SiteOption = SiteOption.NONE
    generator: str = ""
    failover_s: int = FAILOVER_DEFAULT_S
    schedule: Quarters | None = None
    has_settings: bool = True


@dataclass(frozen=True, slots=True)
class Connection:
    """An nTDSConnection that exists. source: None where fromServer names no DC that is there.

    transport: the RDN's value of transportType ("IP"), "" without one. schedule: None where it has none.
    """

    guid: bytes
    dn: str
    source: DcAt | None
    target: DcAt
    source_dn: str
    options: ConnectionOption = ConnectionOption.IS_GENERATED
    is_enabled: bool = True
    transport: str = ""
    schedule: Quarters | None = None
    created: FileTime = NO_TIME

    @property
    def is_generated(self) -> bool:
        return bool(int(self.options) & _GENERATED)

    @property
    def is_sysvol_only(self) -> bool:
        return bool(int(self.options) & _RODC_TOPOLOGY)


@dataclass(frozen=True, slots=True)
class Dc:
    """A DC: its nTDSDSA object. name: of its server object.

    held: replicas that are present; due: those that should be ([MS-ADTS] 6.2.2). domain: its default NC; None
    where nothing tells. is_preferred: its server is a preferred bridgehead of the IP transport.
    """

    guid: bytes
    dn: str
    name: str
    site: SiteAt
    invocation_id: bytes = bytes(16)
    options: DsaOption = DsaOption.NONE
    behavior_version: int = 7
    is_read_only: bool = False
    domain: NcAt | None = None
    held: Mapping[NcAt, Replica] = field(default_factory=dict)
    due: Mapping[NcAt, Replica] = field(default_factory=dict)
    is_preferred: bool = False
    connections: tuple[Connection, ...] = ()

    @property
    def is_gc(self) -> bool:
        return bool(int(self.options) & _GC)


@dataclass(frozen=True, slots=True)
class SiteLink:
    """A siteLink of the IP transport. window: when it is open; ALWAYS without a schedule."""

    guid: bytes
    dn: str
    name: str
    sites: tuple[SiteAt, ...]
    cost: int = COST_DEFAULT
    interval_min: int = INTERVAL_DEFAULT_MIN
    options: LinkOption = LinkOption.NONE
    window: Quarters = ALWAYS


@dataclass(frozen=True, slots=True)
class SiteLinkBridge:
    """A siteLinkBridge: links over which paths may go on."""

    guid: bytes
    dn: str
    name: str
    links: tuple[LinkAt, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A DC that did not answer, of kCCFailedLinks and kCCFailedConnections together."""

    count: int
    first: FileTime


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something in the input that is not as it should be: what is wrong, where, and how the plan goes on."""

    dn: str
    what: str
    then: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A forest at one moment, as one DC sees it.

    local: the DC that looks; None for a view of no DC's own. cursors: invocationId to the time of the last
    successful sync, of the config NC's up-to-dateness vector. failures: by the GUID of the nTDSDSA object.
    role_owners: of each NC, the DCs that own one of its FSMO roles.
    """

    now: FileTime
    config_dn: str = ""
    forest_dns: str = ""
    local: DcAt | None = None
    ncs: tuple[NamingContext, ...] = ()
    sites: tuple[Site, ...] = ()
    dcs: tuple[Dc, ...] = ()
    links: tuple[SiteLink, ...] = ()
    bridges: tuple[SiteLinkBridge, ...] = ()
    transport_guid: bytes = bytes(16)
    transport_dn: str = ""
    transport_options: TransportOption = TransportOption.NONE
    failures: Mapping[bytes, Failure] = field(default_factory=dict)
    cursors: Mapping[bytes, FileTime] = field(default_factory=dict)
    role_owners: Mapping[NcAt, frozenset[DcAt]] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()

    def dcs_by_site(self) -> list[list[DcAt]]:
        """The DCs of each site, in GUID order."""
        found: list[list[DcAt]] = [[] for _ in self.sites]
        for at, dc in enumerate(self.dcs):
            found[dc.site].append(DcAt(at))
        return found
