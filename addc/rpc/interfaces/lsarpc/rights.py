"""Rights on the LSA's objects, what the generic ones mean to each kind, and the descriptors they begin with.

Spec: [MS-LSAD] 2.2.1.1, 3.1.1.1 <41>, 3.1.1.3 <50>, 3.1.1.4 <53>.
"""

from enum import IntFlag
from functools import cache
from typing import Final

from addc.security import sddl
from addc.security.access_mask import GenericMapping
from addc.security.descriptor import SecurityDescriptor


class PolicyAccess(IntFlag):
    """Spec: [MS-LSAD] 2.2.1.1.2."""

    VIEW_LOCAL_INFORMATION = 0x0001
    VIEW_AUDIT_INFORMATION = 0x0002
    GET_PRIVATE_INFORMATION = 0x0004
    TRUST_ADMIN = 0x0008
    CREATE_ACCOUNT = 0x0010
    CREATE_SECRET = 0x0020
    CREATE_PRIVILEGE = 0x0040
    SET_DEFAULT_QUOTA_LIMITS = 0x0080
    SET_AUDIT_REQUIREMENTS = 0x0100
    AUDIT_LOG_ADMIN = 0x0200
    SERVER_ADMIN = 0x0400
    LOOKUP_NAMES = 0x0800
    NOTIFICATION = 0x1000


class AccountAccess(IntFlag):
    """Spec: [MS-LSAD] 2.2.1.1.3."""

    VIEW = 0x1
    ADJUST_PRIVILEGES = 0x2
    ADJUST_QUOTAS = 0x4
    ADJUST_SYSTEM_ACCESS = 0x8


class SecretAccess(IntFlag):
    """Spec: [MS-LSAD] 2.2.1.1.4."""

    SET_VALUE = 0x1
    QUERY_VALUE = 0x2


class TrustedAccess(IntFlag):
    """Spec: [MS-LSAD] 2.2.1.1.5."""

    QUERY_DOMAIN_NAME = 0x01
    QUERY_CONTROLLERS = 0x02
    SET_CONTROLLERS = 0x04
    QUERY_POSIX = 0x08
    SET_POSIX = 0x10
    SET_AUTH = 0x20
    QUERY_AUTH = 0x40


DELETE: Final = 0x0001_0000
READ_CONTROL: Final = 0x0002_0000
WRITE_DAC: Final = 0x0004_0000
WRITE_OWNER: Final = 0x0008_0000
ACCESS_SYSTEM_SECURITY: Final = 0x0100_0000
MAXIMUM_ALLOWED: Final = 0x0200_0000

POLICY_MAPPING: Final = GenericMapping(
    read=0x0002_0006, write=0x0002_07F8, execute=0x0002_0801, all=0x000F_0FFF
)
ACCOUNT_MAPPING: Final = GenericMapping(
    read=0x0002_0001, write=0x0002_000E, execute=0x0002_0000, all=0x000F_000F
)
SECRET_MAPPING: Final = GenericMapping(
    read=0x0002_0002, write=0x0002_0001, execute=0x0002_0000, all=0x000F_0003
)
TRUSTED_MAPPING: Final = GenericMapping(
    read=0x0002_0001, write=0x0002_0014, execute=0x0002_000A, all=0x000F_007F
)

_OF_POLICY: Final = (
    "O:BAG:SYD:(D;;0x800;;;AN)(A;;0xf0fff;;;BA)(A;;0x20801;;;WD)(A;;0x801;;;AN)(A;;0x1000;;;LS)"
    "(A;;0x1000;;;NS)(A;;0x1000;;;S-1-5-17)"
)
"""The policy object's. Its first entry is LSAAnonymousNameLookup = 0 of the Default Domain Policy: nobody in
particular translates no names."""
_OF_ACCOUNTS: Final = "O:BAG:SYD:(A;;0xf000f;;;BA)(A;;0x20000;;;WD)"
_OF_SECRETS: Final = "O:BAG:SYD:(A;;0xf0003;;;BA)(A;;0x20000;;;WD)"


@cache
def default_policy() -> SecurityDescriptor:
    """The policy object's descriptor before anybody changes it. Spec: [MS-LSAD] <41>."""
    return sddl.parse(_OF_POLICY)


@cache
def default_account() -> SecurityDescriptor:
    """That of a new account object. Spec: [MS-LSAD] <50>."""
    return sddl.parse(_OF_ACCOUNTS)


@cache
def default_secret() -> SecurityDescriptor:
    """That of a secret. Spec: [MS-LSAD] <53>."""
    return sddl.parse(_OF_SECRETS)
