"""Access masks of SAM's five kinds of objects, and what each right takes of an object's descriptor.

The descriptors are those of the directory: a right of a handle is there if the directory grants what stands
beside it here. USER_WRITE_ACCOUNT covers attributes of three property sets: one of them opens the handle, as
on Windows, where who joined a computer has but two of them; each attribute is judged again when it is set.

Spec: [MS-SAMR] 2.2.1.1 - 2.2.1.7, 3.1.2.2, 3.1.5.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Final
from uuid import UUID

from addc.security.access_mask import GenericMapping


class Common(IntFlag):
    """Rights on every kind of object, [MS-SAMR] 2.2.1.1."""

    DELETE = 0x0001_0000
    READ_CONTROL = 0x0002_0000
    WRITE_DAC = 0x0004_0000
    WRITE_OWNER = 0x0008_0000
    ACCESS_SYSTEM_SECURITY = 0x0100_0000
    MAXIMUM_ALLOWED = 0x0200_0000


class SamServer(IntFlag):
    """Rights on the server object, [MS-SAMR] 2.2.1.3."""

    CONNECT = 0x01
    SHUTDOWN = 0x02
    INITIALIZE = 0x04
    CREATE_DOMAIN = 0x08
    ENUMERATE_DOMAINS = 0x10
    LOOKUP_DOMAIN = 0x20


class Domain(IntFlag):
    """Rights on a domain, [MS-SAMR] 2.2.1.4."""

    READ_PASSWORD_PARAMETERS = 0x001
    WRITE_PASSWORD_PARAMS = 0x002
    READ_OTHER_PARAMETERS = 0x004
    WRITE_OTHER_PARAMETERS = 0x008
    CREATE_USER = 0x010
    CREATE_GROUP = 0x020
    CREATE_ALIAS = 0x040
    GET_ALIAS_MEMBERSHIP = 0x080
    LIST_ACCOUNTS = 0x100
    LOOKUP = 0x200
    ADMINISTER_SERVER = 0x400


class Group(IntFlag):
    """Rights on a group, [MS-SAMR] 2.2.1.5."""

    READ_INFORMATION = 0x01
    WRITE_ACCOUNT = 0x02
    ADD_MEMBER = 0x04
    REMOVE_MEMBER = 0x08
    LIST_MEMBERS = 0x10


class Alias(IntFlag):
    """Rights on an alias, [MS-SAMR] 2.2.1.6."""

    ADD_MEMBER = 0x01
    REMOVE_MEMBER = 0x02
    LIST_MEMBERS = 0x04
    READ_INFORMATION = 0x08
    WRITE_ACCOUNT = 0x10


class User(IntFlag):
    """Rights on a user, [MS-SAMR] 2.2.1.7."""

    READ_GENERAL = 0x001
    READ_PREFERENCES = 0x002
    WRITE_PREFERENCES = 0x004
    READ_LOGON = 0x008
    READ_ACCOUNT = 0x010
    WRITE_ACCOUNT = 0x020
    CHANGE_PASSWORD = 0x040
    FORCE_PASSWORD_CHANGE = 0x080
    LIST_GROUPS = 0x100
    READ_GROUP_INFORMATION = 0x200
    WRITE_GROUP_INFORMATION = 0x400


_GENERIC_READ: Final = 0x8000_0000
_GENERIC_WRITE: Final = 0x4000_0000
_GENERIC_EXECUTE: Final = 0x2000_0000
_GENERIC_ALL: Final = 0x1000_0000
GENERIC: Final = _GENERIC_READ | _GENERIC_WRITE | _GENERIC_EXECUTE | _GENERIC_ALL

SERVER_ALL_ACCESS: Final = 0x000F_003F
DOMAIN_ALL_ACCESS: Final = 0x000F_07FF
GROUP_ALL_ACCESS: Final = 0x000F_001F
ALIAS_ALL_ACCESS: Final = 0x000F_001F
USER_ALL_ACCESS: Final = 0x000F_07FF
USER_READ: Final = 0x0002_031A
USER_WRITE: Final = 0x0002_0044
USER_EXECUTE: Final = 0x0002_0041
DOMAIN_READ: Final = 0x0002_0084
DOMAIN_EXECUTE: Final = 0x0002_0301
SERVER_READ: Final = 0x0002_0010
SERVER_EXECUTE: Final = 0x0002_0021
GROUP_READ: Final = 0x0002_0010
GROUP_EXECUTE: Final = 0x0002_0001
ALIAS_READ: Final = 0x0002_0004
ALIAS_EXECUTE: Final = 0x0002_0008

_LIST: Final = 0x0000_0004
_READ_PROP: Final = 0x0000_0010
_WRITE_PROP: Final = 0x0000_0020
_CONTROL_ACCESS: Final = 0x0000_0100


@dataclass(frozen=True, slots=True)
class Need:
    """What the directory must grant: `mask` on the object, or on the attribute, set or right with this GUID.

    guid, set_guid: wire form; b"" and None for the object as a whole. set_guid: the set of an attribute.
    """

    mask: int
    guid: bytes = b""
    set_guid: bytes | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object. needs: for each right, what gives it, any of several; () is granted to everybody.

    valid: every right that there is.
    """

    generic: GenericMapping
    needs: Mapping[int, tuple[Need, ...]]

    @property
    def valid(self) -> int:
        return self.generic.all | int(Common.ACCESS_SYSTEM_SECURITY)

    def specific(self, desired: int) -> int:
        """`desired` with its generic rights translated; MAXIMUM_ALLOWED stays."""
        return int(self.generic.map(desired))


def _set(text: str) -> bytes:
    return UUID(text).bytes_le


_GENERAL: Final = _set("59ba2f42-79a2-11d0-9020-00c04fc2d3cf")
_LOGON: Final = _set("5f202010-79a5-11d0-9020-00c04fc2d4cf")
_ACCOUNT: Final = _set("4c164200-20c0-11d0-a768-00aa006e0529")
_DOMAIN_PASSWORD: Final = _set("c7407360-20bf-11d0-a768-00aa006e0529")
_DOMAIN_OTHER: Final = _set("b8119fd0-04f6-4762-ab7a-4986c76b3f9a")
_MEMBERSHIP: Final = _set("bc0ac240-79a9-11d0-9020-00c04fc2d4cf")
_MEMBER: Final = _set("bf9679c0-0de6-11d0-a285-00aa003049e2")
_MEMBER_OF: Final = _set("bf967991-0de6-11d0-a285-00aa003049e2")
_CHANGE: Final = _set("ab721a53-1e2f-11d0-9819-00aa0040529b")
_FORCE_CHANGE: Final = _set("00299570-246d-11d0-a768-00aa006e0529")
_ADMINISTER: Final = _set("ab721a52-1e2f-11d0-9819-00aa0040529b")
USER_PARAMETERS: Final = _set("bf967a6d-0de6-11d0-a285-00aa003049e2")

_COMMON: Final[dict[int, tuple[Need, ...]]] = {
    int(right): (Need(int(right)),)
    for right in (
        Common.DELETE,
        Common.READ_CONTROL,
        Common.WRITE_DAC,
        Common.WRITE_OWNER,
        Common.ACCESS_SYSTEM_SECURITY,
    )
}

SERVER: Final = Kind(
    GenericMapping(SERVER_READ, 0x0002_000E, SERVER_EXECUTE, SERVER_ALL_ACCESS),
    {
        int(SamServer.CONNECT): (Need(_READ_PROP),),
        int(SamServer.SHUTDOWN): (Need(_WRITE_PROP),),
        int(SamServer.INITIALIZE): (Need(_WRITE_PROP),),
        int(SamServer.CREATE_DOMAIN): (Need(_WRITE_PROP),),
        int(SamServer.ENUMERATE_DOMAINS): (Need(_READ_PROP),),
        int(SamServer.LOOKUP_DOMAIN): (Need(_READ_PROP),),
        **_COMMON,
    },
)
"""Spec: [MS-SAMR] 3.1.5.1.1."""

DOMAIN: Final = Kind(
    GenericMapping(DOMAIN_READ, 0x0002_047A, DOMAIN_EXECUTE, DOMAIN_ALL_ACCESS),
    {
        int(Domain.READ_PASSWORD_PARAMETERS): (Need(_READ_PROP, _DOMAIN_PASSWORD),),
        int(Domain.WRITE_PASSWORD_PARAMS): (Need(_WRITE_PROP, _DOMAIN_PASSWORD),),
        int(Domain.READ_OTHER_PARAMETERS): (Need(_READ_PROP, _DOMAIN_OTHER),),
        int(Domain.WRITE_OTHER_PARAMETERS): (Need(_WRITE_PROP, _DOMAIN_OTHER),),
        int(Domain.CREATE_USER): (),
        int(Domain.CREATE_GROUP): (),
        int(Domain.CREATE_ALIAS): (),
        int(Domain.GET_ALIAS_MEMBERSHIP): (Need(_LIST),),
        int(Domain.LIST_ACCOUNTS): (Need(_LIST),),
        int(Domain.LOOKUP): (Need(_LIST),),
        int(Domain.ADMINISTER_SERVER): (Need(_CONTROL_ACCESS, _ADMINISTER),),
        **_COMMON,
    },
)
"""Spec: [MS-SAMR] 3.1.5.1.5; creating is judged when it is asked for."""

GROUP: Final = Kind(
    GenericMapping(GROUP_READ, 0x0002_000E, GROUP_EXECUTE, GROUP_ALL_ACCESS),
    {
        int(Group.READ_INFORMATION): (Need(_READ_PROP, _GENERAL),),
        int(Group.WRITE_ACCOUNT): (Need(_WRITE_PROP, _GENERAL),),
        int(Group.ADD_MEMBER): (Need(_WRITE_PROP, _MEMBER, _MEMBERSHIP),),
        int(Group.REMOVE_MEMBER): (Need(_WRITE_PROP, _MEMBER, _MEMBERSHIP),),
        int(Group.LIST_MEMBERS): (Need(_READ_PROP, _MEMBER, _MEMBERSHIP),),
        **_COMMON,
    },
)
"""Spec: [MS-SAMR] 3.1.5.1.7."""

ALIAS: Final = Kind(
    GenericMapping(ALIAS_READ, 0x0002_0013, ALIAS_EXECUTE, ALIAS_ALL_ACCESS),
    {
        int(Alias.READ_INFORMATION): (Need(_READ_PROP, _GENERAL),),
        int(Alias.WRITE_ACCOUNT): (Need(_WRITE_PROP, _GENERAL),),
        int(Alias.ADD_MEMBER): (Need(_WRITE_PROP, _MEMBER, _MEMBERSHIP),),
        int(Alias.REMOVE_MEMBER): (Need(_WRITE_PROP, _MEMBER, _MEMBERSHIP),),
        int(Alias.LIST_MEMBERS): (Need(_READ_PROP, _MEMBER, _MEMBERSHIP),),
        **_COMMON,
    },
)
"""Spec: [MS-SAMR] 3.1.5.1.8."""

USER: Final = Kind(
    GenericMapping(USER_READ, USER_WRITE, USER_EXECUTE, USER_ALL_ACCESS),
    {
        int(User.READ_GENERAL): (Need(_READ_PROP, _GENERAL),),
        int(User.READ_PREFERENCES): (Need(_READ_PROP, _GENERAL),),
        int(User.READ_LOGON): (Need(_READ_PROP, _LOGON),),
        int(User.READ_ACCOUNT): (Need(_READ_PROP, _ACCOUNT),),
        int(User.WRITE_PREFERENCES): (Need(_WRITE_PROP, _GENERAL),),
        int(User.WRITE_ACCOUNT): (
            Need(_WRITE_PROP, _GENERAL),
            Need(_WRITE_PROP, _LOGON),
            Need(_WRITE_PROP, _ACCOUNT),
        ),
        int(User.CHANGE_PASSWORD): (Need(_CONTROL_ACCESS, _CHANGE),),
        int(User.FORCE_PASSWORD_CHANGE): (Need(_CONTROL_ACCESS, _FORCE_CHANGE),),
        int(User.LIST_GROUPS): (Need(_READ_PROP, _MEMBER_OF, _MEMBERSHIP),),
        int(User.READ_GROUP_INFORMATION): (Need(_READ_PROP),),
        int(User.WRITE_GROUP_INFORMATION): (Need(_WRITE_PROP),),
        **_COMMON,
    },
)
"""Spec: [MS-SAMR] 3.1.5.1.9."""

CREATED_BY_PRIVILEGE: Final = int(Common.DELETE) | USER_WRITE | int(User.FORCE_PASSWORD_CHANGE)
"""All that a handle has of a computer that was made by SeMachineAccountPrivilege ([MS-SAMR] 3.1.5.4.4)."""

DOMAIN_QUERY: Final[dict[int, int]] = {
    1: int(Domain.READ_PASSWORD_PARAMETERS),
    2: int(Domain.READ_OTHER_PARAMETERS),
    3: int(Domain.READ_OTHER_PARAMETERS),
    4: int(Domain.READ_OTHER_PARAMETERS),
    5: int(Domain.READ_OTHER_PARAMETERS),
    6: int(Domain.READ_OTHER_PARAMETERS),
    7: int(Domain.READ_OTHER_PARAMETERS),
    8: int(Domain.READ_OTHER_PARAMETERS),
    9: int(Domain.READ_OTHER_PARAMETERS),
    11: int(Domain.READ_PASSWORD_PARAMETERS | Domain.READ_OTHER_PARAMETERS),
    12: int(Domain.READ_PASSWORD_PARAMETERS),
    13: int(Domain.READ_OTHER_PARAMETERS),
}
"""What querying each level of a domain takes ([MS-SAMR] 3.1.2.2)."""
DOMAIN_SET: Final[dict[int, int]] = {
    1: int(Domain.WRITE_PASSWORD_PARAMS),
    3: int(Domain.WRITE_OTHER_PARAMETERS),
    4: int(Domain.WRITE_OTHER_PARAMETERS),
    6: int(Domain.ADMINISTER_SERVER),
    7: int(Domain.ADMINISTER_SERVER),
    9: int(Domain.ADMINISTER_SERVER),
    12: int(Domain.WRITE_PASSWORD_PARAMS),
}
"""What setting each level of a domain takes ([MS-SAMR] 3.1.2.2)."""
_EVERYTHING: Final = int(User.READ_GENERAL | User.READ_PREFERENCES | User.READ_LOGON | User.READ_ACCOUNT)
USER_QUERY: Final[dict[int, int]] = {
    1: int(User.READ_GENERAL),
    2: int(User.READ_PREFERENCES | User.READ_GENERAL),
    3: _EVERYTHING,
    4: int(User.READ_LOGON),
    5: _EVERYTHING,
    6: int(User.READ_GENERAL),
    7: int(User.READ_GENERAL),
    8: int(User.READ_GENERAL),
    9: int(User.READ_GENERAL),
    10: int(User.READ_LOGON),
    11: int(User.READ_LOGON),
    12: int(User.READ_LOGON),
    13: int(User.READ_GENERAL),
    14: int(User.READ_LOGON),
    16: int(User.READ_ACCOUNT),
    17: int(User.READ_ACCOUNT),
    20: int(User.READ_ACCOUNT),
}
"""What querying each level of a user takes; 21 shows what the handle lets it ([MS-SAMR] 3.1.5.5.5.1)."""


class Fields(IntFlag):
    """USER_ALL values, [MS-SAMR] 2.2.1.8."""

    USER_ALL_USERNAME = 0x0000_0001
    USER_ALL_FULLNAME = 0x0000_0002
    USER_ALL_USERID = 0x0000_0004
    USER_ALL_PRIMARYGROUPID = 0x0000_0008
    USER_ALL_ADMINCOMMENT = 0x0000_0010
    USER_ALL_USERCOMMENT = 0x0000_0020
    USER_ALL_HOMEDIRECTORY = 0x0000_0040
    USER_ALL_HOMEDIRECTORYDRIVE = 0x0000_0080
    USER_ALL_SCRIPTPATH = 0x0000_0100
    USER_ALL_PROFILEPATH = 0x0000_0200
    USER_ALL_WORKSTATIONS = 0x0000_0400
    USER_ALL_LASTLOGON = 0x0000_0800
    USER_ALL_LASTLOGOFF = 0x0000_1000
    USER_ALL_LOGONHOURS = 0x0000_2000
    USER_ALL_BADPASSWORDCOUNT = 0x0000_4000
    USER_ALL_LOGONCOUNT = 0x0000_8000
    USER_ALL_PASSWORDCANCHANGE = 0x0001_0000
    USER_ALL_PASSWORDMUSTCHANGE = 0x0002_0000
    USER_ALL_PASSWORDLASTSET = 0x0004_0000
    USER_ALL_ACCOUNTEXPIRES = 0x0008_0000
    USER_ALL_USERACCOUNTCONTROL = 0x0010_0000
    USER_ALL_PARAMETERS = 0x0020_0000
    USER_ALL_COUNTRYCODE = 0x0040_0000
    USER_ALL_CODEPAGE = 0x0080_0000
    USER_ALL_NTPASSWORDPRESENT = 0x0100_0000
    USER_ALL_LMPASSWORDPRESENT = 0x0200_0000
    USER_ALL_PRIVATEDATA = 0x0400_0000
    USER_ALL_PASSWORDEXPIRED = 0x0800_0000
    USER_ALL_SECURITYDESCRIPTOR = 0x1000_0000
    USER_ALL_UNDEFINED_MASK = 0xC000_0000


READABLE: Final[dict[int, int]] = {
    int(User.READ_GENERAL): 0x0000_003F,
    int(User.READ_LOGON): 0x0003_FFC0,
    int(User.READ_ACCOUNT): 0x003C_0000,
    int(User.READ_PREFERENCES): 0x00C0_0000,
}
"""Fields of level 21 that a right shows ([MS-SAMR] 3.1.5.5.5.2)."""
UNSETTABLE: Final = int(
    Fields.USER_ALL_USERID
    | Fields.USER_ALL_PASSWORDCANCHANGE
    | Fields.USER_ALL_PASSWORDMUSTCHANGE
    | Fields.USER_ALL_UNDEFINED_MASK
    | Fields.USER_ALL_LASTLOGON
    | Fields.USER_ALL_LASTLOGOFF
    | Fields.USER_ALL_BADPASSWORDCOUNT
    | Fields.USER_ALL_LOGONCOUNT
    | Fields.USER_ALL_PASSWORDLASTSET
    | Fields.USER_ALL_SECURITYDESCRIPTOR
    | Fields.USER_ALL_PRIVATEDATA
)
"""Fields that no set takes ([MS-SAMR] 3.1.5.6.4.2)."""
PREFERENCES: Final = int(Fields.USER_ALL_USERCOMMENT | Fields.USER_ALL_COUNTRYCODE | Fields.USER_ALL_CODEPAGE)
PASSWORD: Final = int(Fields.USER_ALL_NTPASSWORDPRESENT | Fields.USER_ALL_LMPASSWORDPRESENT)


def needed_to_set(which_fields: int) -> int:
    """The rights that setting these fields of a user takes. Spec: [MS-SAMR] 3.1.5.6.4.2."""
    expiry = int(Fields.USER_ALL_PASSWORDEXPIRED)
    needed = 0
    if which_fields & PREFERENCES:
        needed |= User.WRITE_PREFERENCES
    if which_fields & (PASSWORD | expiry):
        needed |= User.FORCE_PASSWORD_CHANGE
    if which_fields & ~(PREFERENCES | PASSWORD | expiry):
        needed |= User.WRITE_ACCOUNT
    return int(needed)
