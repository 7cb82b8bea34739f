"""Names of the SIDs that every Windows machine knows, and what kinds of principals there are.

Names of the principals in BUILTIN are the directory's.

Spec: [MS-LSAT] 2.2.13, 3.1.1.1.1, 3.1.1.1.2; [MS-DTYP] 2.4.2.4.
"""

from dataclasses import dataclass
from typing import Final

from addc.base.enums import OpenIntEnum
from addc.codec.ids import Sid
from addc.security import wellknown


class SidNameUse(OpenIntEnum):
    """SID_NAME_USE, [MS-LSAT] 2.2.13."""

    USER = 1
    GROUP = 2
    DOMAIN = 3
    ALIAS = 4
    WELL_KNOWN_GROUP = 5
    DELETED_ACCOUNT = 6
    INVALID = 7
    UNKNOWN = 8
    COMPUTER = 9
    LABEL = 10


@dataclass(frozen=True, slots=True)
class KnownName:
    """One row of the table. is_configurable: of the view that services add their names to."""

    sid: Sid
    domain: str
    name: str
    use: SidNameUse
    is_configurable: bool = False

    @property
    def domain_sid(self) -> Sid:
        return self.sid if self.use is SidNameUse.DOMAIN else self.sid.domain()


_NT_AUTHORITY: Final = "NT AUTHORITY"
_NT_SERVICE: Final = "NT SERVICE"
_LABEL: Final = "Mandatory Label"
_GROUPS: Final = (
    ("S-1-0-0", "", "NULL SID"),
    ("S-1-1-0", "", "Everyone"),
    ("S-1-2-0", "", "LOCAL"),
    ("S-1-2-1", "", "CONSOLE LOGON"),
    ("S-1-3-0", "", "CREATOR OWNER"),
    ("S-1-3-1", "", "CREATOR GROUP"),
    ("S-1-3-2", "", "CREATOR OWNER SERVER"),
    ("S-1-3-3", "", "CREATOR GROUP SERVER"),
    ("S-1-3-4", "", "OWNER RIGHTS"),
    ("S-1-5-1", _NT_AUTHORITY, "DIALUP"),
    ("S-1-5-2", _NT_AUTHORITY, "NETWORK"),
    ("S-1-5-3", _NT_AUTHORITY, "BATCH"),
    ("S-1-5-4", _NT_AUTHORITY, "INTERACTIVE"),
    ("S-1-5-6", _NT_AUTHORITY, "SERVICE"),
    ("S-1-5-7", _NT_AUTHORITY, "ANONYMOUS LOGON"),
    ("S-1-5-8", _NT_AUTHORITY, "PROXY"),
    ("S-1-5-9", _NT_AUTHORITY, "ENTERPRISE DOMAIN CONTROLLERS"),
    ("S-1-5-10", _NT_AUTHORITY, "SELF"),
    ("S-1-5-11", _NT_AUTHORITY, "Authenticated Users"),
    ("S-1-5-12", _NT_AUTHORITY, "RESTRICTED"),
    ("S-1-5-13", _NT_AUTHORITY, "TERMINAL SERVER USER"),
    ("S-1-5-14", _NT_AUTHORITY, "REMOTE INTERACTIVE LOGON"),
    ("S-1-5-15", _NT_AUTHORITY, "This Organization"),
    ("S-1-5-17", _NT_AUTHORITY, "IUSR"),
    ("S-1-5-18", _NT_AUTHORITY, "SYSTEM"),
    ("S-1-5-19", _NT_AUTHORITY, "LOCAL SERVICE"),
    ("S-1-5-20", _NT_AUTHORITY, "NETWORK SERVICE"),
    ("S-1-5-33", _NT_AUTHORITY, "WRITE RESTRICTED"),
    ("S-1-5-64-10", _NT_AUTHORITY, "NTLM Authentication"),
    ("S-1-5-64-14", _NT_AUTHORITY, "SChannel Authentication"),
    ("S-1-5-64-21", _NT_AUTHORITY, "Digest Authentication"),
    ("S-1-5-65-1", _NT_AUTHORITY, "This Organization Certificate"),
    ("S-1-5-84-0-0-0-0-0", _NT_AUTHORITY, "USER MODE DRIVERS"),
    ("S-1-5-113", _NT_AUTHORITY, "Local account"),
    ("S-1-5-114", _NT_AUTHORITY, "Local account and member of Administrators group"),
    ("S-1-5-1000", _NT_AUTHORITY, "Other Organization"),
    ("S-1-5-90-0", "Window Manager", "Window Manager Group"),
    ("S-1-15-2-1", "APPLICATION PACKAGE AUTHORITY", "ALL APPLICATION PACKAGES"),
    ("S-1-18-1", "", "Authentication authority asserted identity"),
    ("S-1-18-2", "", "Service asserted identity"),
    ("S-1-18-3", "", "Fresh public key identity"),
    ("S-1-18-4", "", "Key trust identity"),
    ("S-1-18-5", "", "Key property multi-factor authentication"),
    ("S-1-18-6", "", "Key property attestation"),
)
_DOMAINS: Final = (
    ("S-1-5", "NT Pseudo Domain"),
    ("S-1-5-32", "BUILTIN"),
    ("S-1-7", "Internet$"),
    ("S-1-16", _LABEL),
)
_LABELS: Final = (
    ("S-1-16-0", "Untrusted Mandatory Level"),
    ("S-1-16-4096", "Low Mandatory Level"),
    ("S-1-16-8192", "Medium Mandatory Level"),
    ("S-1-16-8448", "Medium Plus Mandatory Level"),
    ("S-1-16-12288", "High Mandatory Level"),
    ("S-1-16-16384", "System Mandatory Level"),
    ("S-1-16-20480", "Protected Process Mandatory Level"),
)
_SERVICES: Final = (
    ("S-1-5-80-0", "ALL SERVICES"),
    ("S-1-5-80-3139157870-2983391045-3678747466-658725712-1809340420", "WdiServiceHost"),
)


def _table() -> tuple[KnownName, ...]:
    group, domain = SidNameUse.WELL_KNOWN_GROUP, SidNameUse.DOMAIN
    rows = [KnownName(Sid.parse(sid), of, name, group) for sid, of, name in _GROUPS]
    rows += [KnownName(Sid.parse(sid), name, name, domain) for sid, name in _DOMAINS]
    rows += [KnownName(Sid.parse(sid), _LABEL, name, SidNameUse.LABEL) for sid, name in _LABELS]
    rows.append(KnownName(wellknown.NT_SERVICE, _NT_SERVICE, _NT_SERVICE, domain, True))
    rows += [KnownName(Sid.parse(sid), _NT_SERVICE, name, group, True) for sid, name in _SERVICES]
    return tuple(rows)


TABLE: Final = _table()
BY_SID: Final = {one.sid: one for one in TABLE}
BY_NAME: Final = {one.name.lower(): one for one in reversed(TABLE)}
"""By the name alone, in lower case."""
BY_FULL_NAME: Final = {(one.domain.lower(), one.name.lower()): one for one in TABLE}
BUILTIN: Final = BY_SID[wellknown.BUILTIN_DOMAIN]
DOMAINS: Final = {one.domain.lower(): one for one in reversed(TABLE) if one.domain}
"""A row of each domain, by the domain's name in lower case."""
