"""Objects on their way into a new forest.

Spec: [MS-ADTS] 3.1.1.1, 6.1.1
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.codec.ids import Sid

DOMAIN: Final = "domain"
CONFIGURATION: Final = "configuration"
SCHEMA: Final = "schema"
DOMAIN_DNS: Final = "domaindnszones"
FOREST_DNS: Final = "forestdnszones"

Values = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """An object before it has an identity.

    auxiliary: dynamic auxiliary classes. owner, group: SDDL aliases or SIDs, "" for the NC's default.
    acl: the explicit ACEs as SDDL ("D:...S:..."), "" for the class default.
    """

    nc: str
    dn: str
    object_class: str
    attributes: Mapping[str, Values]
    auxiliary: tuple[str, ...] = ()
    owner: str = ""
    group: str = ""
    acl: str = ""
    sid: Sid | None = None


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """An object to create.

    classes: the structural class, then dynamic auxiliary ones. attributes: LDAP form, DNs as text;
    objectClass, objectGUID, objectSid and nTSecurityDescriptor are not among them. sddl: owner and group, and
    the explicit ACEs if `has_acl`; the inherited ones come with creation.
    """

    nc: str
    dn: str
    classes: tuple[str, ...]
    attributes: Mapping[str, Values]
    guid: UUID
    sid: Sid | None
    sddl: str
    has_acl: bool

    @property
    def object_class(self) -> str:
        """The structural class."""
        return self.classes[0]

    @property
    def is_nc_root(self) -> bool:
        return "instanceType" in self.attributes

    @property
    def is_deleted_objects(self) -> bool:
        """The container whose isDeleted never expires ([MS-ADTS] 6.1.1.4.2)."""
        return "isDeleted" in self.attributes


@dataclass(frozen=True, slots=True)
class Names:
    """The DNs that everything else hangs below."""

    domain: str
    host: str
    site: str

    @property
    def config(self) -> str:
        return f"CN=Configuration,{self.domain}"

    @property
    def schema(self) -> str:
        return f"CN=Schema,{self.config}"

    @property
    def domain_dns(self) -> str:
        return f"DC=DomainDnsZones,{self.domain}"

    @property
    def forest_dns(self) -> str:
        return f"DC=ForestDnsZones,{self.domain}"

    @property
    def server(self) -> str:
        return f"CN={self.host.upper()},CN=Servers,CN={self.site},CN=Sites,{self.config}"

    @property
    def dsa(self) -> str:
        return f"CN=NTDS Settings,{self.server}"

    @property
    def computer(self) -> str:
        return f"CN={self.host.upper()},OU=Domain Controllers,{self.domain}"
