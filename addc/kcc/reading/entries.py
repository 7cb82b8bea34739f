"""What the planner reads of a directory: objects as they are stored, and which of them to ask for.

Spec: [MS-ADTS] 6.2.2 (inputs), 6.1.1.2.2
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from addc.kcc.snapshot import Trouble

CROSS_REF: Final = "crossref"
SITE: Final = "site"
SETTINGS: Final = "ntdssitesettings"
SERVER: Final = "server"
DSA: Final = "ntdsdsa"
RODC_DSA: Final = "ntdsdsaro"
CONNECTION: Final = "ntdsconnection"
TRANSPORT: Final = "intersitetransport"
SITE_LINK: Final = "sitelink"
BRIDGE: Final = "sitelinkbridge"

PARTITION_CLASSES: Final = ("crossRef", "crossRefContainer")
SITE_CLASSES: Final = (
    "site", "nTDSSiteSettings", "server", "nTDSDSA", "nTDSDSARO", "nTDSConnection", "interSiteTransport",
    "siteLink", "siteLinkBridge",
)  # fmt: skip
"""Classes of the objects to read below CN=Sites."""

PARTITION_ATTRIBUTES: Final = (
    "objectClass", "objectGUID", "nCName", "dnsRoot", "systemFlags", "Enabled", "msDS-NC-Replica-Locations",
    "msDS-NC-RO-Replica-Locations", "fSMORoleOwner",
)  # fmt: skip
SITE_ATTRIBUTES: Final = (
    "objectClass", "objectGUID", "options", "schedule", "interSiteTopologyGenerator",
    "interSiteTopologyFailover", "dNSHostName", "bridgeheadTransportList", "invocationId",
    "msDS-Behavior-Version", "msDS-isRODC", "hasMasterNCs", "msDS-hasMasterNCs", "msDS-hasFullReplicaNCs",
    "hasPartialReplicaNCs", "msDS-HasDomainNCs", "msDS-HasInstantiatedNCs", "fromServer",
    "enabledConnection", "transportType", "whenCreated", "transportAddressAttribute",
    "bridgeheadServerListBL", "siteList", "cost", "replInterval", "siteLinkList",
)  # fmt: skip
NC_ATTRIBUTES: Final = ("objectClass", "objectGUID", "objectSid", "fSMORoleOwner", "replUpToDateVector")
"""Of the heads of naming contexts, and of the other objects in them that name a role's owner."""
ROLE_PLACES: Final = ("CN=Infrastructure", "CN=RID Manager$,CN=System")
"""Objects of a domain, beside its head, whose fSMORoleOwner tells a role; below the head."""
ROOT_ATTRIBUTES: Final = (
    "configurationNamingContext", "schemaNamingContext", "rootDomainNamingContext", "defaultNamingContext",
    "dsServiceName",
)  # fmt: skip

SPELLED: Final = {
    name.lower(): name
    for name in (*PARTITION_ATTRIBUTES, *SITE_ATTRIBUTES, *NC_ATTRIBUTES, *ROOT_ATTRIBUTES, "isDeleted")
}
"""Every attribute that some rule reads: from lower case to how the schema spells it."""
WANTED: Final = frozenset(SPELLED)


class RawEntry(NamedTuple):
    """An object: its DN as written, and values by lower-case attribute name.

    The DN may be extended (`<GUID=...>;CN=...`); GUIDs among the values may be text or 16 bytes.
    """

    dn: str
    values: Mapping[str, Sequence[bytes]]

    def first(self, name: str) -> bytes | None:
        found = self.values.get(name)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class RootFacts:
    """What the rootDSE says; "" for what nobody told. service_dn: the nTDSDSA object of the DC that looked.

    troubles: those of reading, before any rule looked at the entries.
    """

    config_dn: str = ""
    schema_dn: str = ""
    root_dn: str = ""
    domain_dn: str = ""
    service_dn: str = ""
    troubles: tuple[Trouble, ...] = ()


class Kind(Enum):
    """What an entry is to the planner."""

    CROSS_REF = CROSS_REF
    SITE = SITE
    SETTINGS = SETTINGS
    SERVER = SERVER
    DSA = DSA
    CONNECTION = CONNECTION
    TRANSPORT = TRANSPORT
    LINK = SITE_LINK
    BRIDGE = BRIDGE
    OTHER = ""


_BY_CLASS: Final = {one.value.encode(): one for one in Kind if one is not Kind.OTHER} | {
    RODC_DSA.encode(): Kind.DSA
}


def kind_of(classes: Sequence[bytes]) -> Kind:
    """What objectClass makes an entry; the most special class stands last."""
    for one in reversed(classes):
        found = _BY_CLASS.get(one.lower())
        if found is not None:
            return found
    return Kind.OTHER


def is_rodc_class(classes: Sequence[bytes]) -> bool:
    """Whether an nTDSDSA object is of a read-only DC by its class."""
    return any(one.lower() == RODC_DSA.encode() for one in classes)
