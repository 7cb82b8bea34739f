"""The words of SDDL.

Spec: [MS-DTYP] 2.5.1.1.
"""

from typing import Final

from addc.base.ids import Rid
from addc.codec.ids import Sid
from addc.security import descriptor as d
from addc.security import wellknown as w

ACE_TYPES: Final[dict[str, int]] = {
    "A": d.ACCESS_ALLOWED,
    "D": d.ACCESS_DENIED,
    "AU": d.SYSTEM_AUDIT,
    "AL": d.SYSTEM_ALARM,
    "OA": d.ACCESS_ALLOWED_OBJECT,
    "OD": d.ACCESS_DENIED_OBJECT,
    "OU": d.SYSTEM_AUDIT_OBJECT,
    "OL": d.SYSTEM_ALARM_OBJECT,
    "XA": d.ACCESS_ALLOWED_CALLBACK,
    "XD": d.ACCESS_DENIED_CALLBACK,
    "XU": d.SYSTEM_AUDIT_CALLBACK,
    "ZA": d.ACCESS_ALLOWED_CALLBACK_OBJECT,
    "ML": d.SYSTEM_MANDATORY_LABEL,
    "RA": d.SYSTEM_RESOURCE_ATTRIBUTE,
    "SP": d.SYSTEM_SCOPED_POLICY_ID,
}
"""ACE types. The numbers are those of [MS-DTYP] 2.4.4.1; the table in 2.5.1.1 has XU and ZA wrong."""

ACE_FLAGS: Final[dict[str, int]] = {
    "OI": d.OBJECT_INHERIT,
    "CI": d.CONTAINER_INHERIT,
    "NP": d.NO_PROPAGATE_INHERIT,
    "IO": d.INHERIT_ONLY,
    "ID": d.INHERITED,
    "CR": d.CRITICAL,
    "SA": d.SUCCESSFUL_ACCESS,
    "FA": d.FAILED_ACCESS,
}

RIGHTS: Final[dict[str, int]] = {
    "CC": 0x0000_0001,
    "DC": 0x0000_0002,
    "LC": 0x0000_0004,
    "SW": 0x0000_0008,
    "RP": 0x0000_0010,
    "WP": 0x0000_0020,
    "DT": 0x0000_0040,
    "LO": 0x0000_0080,
    "CR": 0x0000_0100,
    "SD": 0x0001_0000,
    "RC": 0x0002_0000,
    "WD": 0x0004_0000,
    "WO": 0x0008_0000,
    "GA": 0x1000_0000,
    "GX": 0x2000_0000,
    "GW": 0x4000_0000,
    "GR": 0x8000_0000,
}
"""One word per bit, in the order in which they are printed."""

WHOLE_RIGHTS: Final[dict[str, int]] = {
    "FA": 0x001F_01FF,
    "FR": 0x0012_0089,
    "FW": 0x0012_0116,
    "FX": 0x0012_00A0,
    "KA": 0x000F_003F,
    "KR": 0x0002_0019,
    "KW": 0x0002_0006,
    "KX": 0x0002_0019,
}
"""Words for a whole mask; printed only where the mask is exactly that (KX is KR)."""

LABEL_RIGHTS: Final[dict[str, int]] = {"NW": 0x1, "NR": 0x2, "NX": 0x4}
"""Policies of a mandatory label."""

FIXED_ALIASES: Final[dict[str, Sid]] = {
    "WD": w.EVERYONE,
    "CO": w.CREATOR_OWNER,
    "CG": w.CREATOR_GROUP,
    "OW": w.OWNER_RIGHTS,
    "NU": w.NETWORK,
    "IU": w.INTERACTIVE,
    "SU": w.SERVICE,
    "AN": w.ANONYMOUS,
    "ED": w.ENTERPRISE_DOMAIN_CONTROLLERS,
    "PS": w.PRINCIPAL_SELF,
    "AU": w.AUTHENTICATED_USERS,
    "RC": w.RESTRICTED_CODE,
    "SY": w.LOCAL_SYSTEM,
    "LS": w.LOCAL_SERVICE,
    "NS": w.NETWORK_SERVICE,
    "WR": w.WRITE_RESTRICTED_CODE,
    "BA": w.BUILTIN_ADMINISTRATORS,
    "BU": w.BUILTIN_USERS,
    "BG": w.BUILTIN_GUESTS,
    "PU": w.POWER_USERS,
    "AO": w.ACCOUNT_OPERATORS,
    "SO": w.SERVER_OPERATORS,
    "PO": w.PRINTER_OPERATORS,
    "BO": w.BACKUP_OPERATORS,
    "RE": w.REPLICATOR,
    "RU": w.ALIAS_PREW2KCOMPACC,
    "RD": w.REMOTE_DESKTOP,
    "NO": w.NETWORK_CONFIGURATION_OPS,
    "MU": w.PERFMON_USERS,
    "LU": w.PERFLOG_USERS,
    "IS": w.IIS_IUSRS,
    "CY": w.CRYPTOGRAPHIC_OPERATORS,
    "ER": w.EVENT_LOG_READERS,
    "CD": w.CERTIFICATE_SERVICE_DCOM_ACCESS,
    "RA": w.RDS_REMOTE_ACCESS_SERVERS,
    "ES": w.RDS_ENDPOINT_SERVERS,
    "MS": w.RDS_MANAGEMENT_SERVERS,
    "HA": w.HYPER_V_ADMINS,
    "AA": w.ACCESS_CONTROL_ASSISTANCE_OPS,
    "RM": w.REMOTE_MANAGEMENT_USERS,
    "UD": w.USER_MODE_DRIVERS,
    "AC": w.ALL_APP_PACKAGES,
    "LW": w.ML_LOW,
    "ME": w.ML_MEDIUM,
    "MP": w.ML_MEDIUM_PLUS,
    "HI": w.ML_HIGH,
    "SI": w.ML_SYSTEM,
    "AS": w.AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY,
    "SS": w.SERVICE_ASSERTED_IDENTITY,
}

DOMAIN_ALIASES: Final[dict[str, Rid]] = {
    "LA": w.RID_ADMINISTRATOR,
    "LG": w.RID_GUEST,
    "DA": w.RID_DOMAIN_ADMINS,
    "DU": w.RID_DOMAIN_USERS,
    "DG": w.RID_DOMAIN_GUESTS,
    "DC": w.RID_DOMAIN_COMPUTERS,
    "DD": w.RID_DOMAIN_CONTROLLERS,
    "CA": w.RID_CERT_PUBLISHERS,
    "PA": w.RID_GROUP_POLICY_CREATOR_OWNERS,
    "CN": w.RID_CLONEABLE_CONTROLLERS,
    "AP": w.RID_PROTECTED_USERS,
    "KA": w.RID_KEY_ADMINS,
    "RS": w.RID_RAS_SERVERS,
}
"""Aliases of accounts in the domain."""

FOREST_ALIASES: Final[dict[str, Rid]] = {
    "RO": w.RID_ENTERPRISE_READONLY_DOMAIN_CONTROLLERS,
    "SA": w.RID_SCHEMA_ADMINS,
    "EA": w.RID_ENTERPRISE_ADMINS,
    "EK": w.RID_ENTERPRISE_KEY_ADMINS,
}
"""Aliases of accounts in the forest root domain."""
