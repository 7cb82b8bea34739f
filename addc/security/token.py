"""The requester: whose SIDs, privileges and claims an access check looks at.

Spec: [MS-DTYP] 2.5.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Final

from addc.codec.ids import Sid
from addc.security import wellknown


class Privilege(IntFlag):
    """Privileges as bits; the bit's position is the low part of the LUID.

    Spec: [MS-LSAD] 3.1.1.2.1.
    """

    SE_CREATE_TOKEN = 1 << 2
    SE_ASSIGN_PRIMARY_TOKEN = 1 << 3
    SE_LOCK_MEMORY = 1 << 4
    SE_INCREASE_QUOTA = 1 << 5
    SE_MACHINE_ACCOUNT = 1 << 6
    SE_TCB = 1 << 7
    SE_SECURITY = 1 << 8
    SE_TAKE_OWNERSHIP = 1 << 9
    SE_LOAD_DRIVER = 1 << 10
    SE_SYSTEM_PROFILE = 1 << 11
    SE_SYSTEM_TIME = 1 << 12
    SE_PROFILE_SINGLE_PROCESS = 1 << 13
    SE_INCREASE_BASE_PRIORITY = 1 << 14
    SE_CREATE_PAGEFILE = 1 << 15
    SE_CREATE_PERMANENT = 1 << 16
    SE_BACKUP = 1 << 17
    SE_RESTORE = 1 << 18
    SE_SHUTDOWN = 1 << 19
    SE_DEBUG = 1 << 20
    SE_AUDIT = 1 << 21
    SE_SYSTEM_ENVIRONMENT = 1 << 22
    SE_CHANGE_NOTIFY = 1 << 23
    SE_REMOTE_SHUTDOWN = 1 << 24
    SE_UNDOCK = 1 << 25
    SE_SYNC_AGENT = 1 << 26
    SE_ENABLE_DELEGATION = 1 << 27
    SE_MANAGE_VOLUME = 1 << 28
    SE_IMPERSONATE = 1 << 29
    SE_CREATE_GLOBAL = 1 << 30
    SE_TRUSTED_CREDMAN_ACCESS = 1 << 31
    SE_RELABEL = 1 << 32
    SE_INCREASE_WORKING_SET = 1 << 33
    SE_TIME_ZONE = 1 << 34
    SE_CREATE_SYMBOLIC_LINK = 1 << 35
    SE_DELEGATE_SESSION_USER_IMPERSONATE = 1 << 36


NO_PRIVILEGES: Final = Privilege(0)
ALL_PRIVILEGES: Final = Privilege((1 << 37) - 4)

ClaimValue = int | str | bytes | Sid | bool
"""An integer, text, octet string, SID or truth value."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of a user or device, or an attribute of a resource: a name and values of one type.

    case_sensitive: how text compares. Spec: [MS-DTYP] 2.4.10.1.
    """

    name: str
    values: tuple[ClaimValue, ...]
    case_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Claims:
    """What conditional ACEs may ask about the requester besides its groups.

    Spec: [MS-DTYP] 2.5.2 (UserClaims, DeviceClaims, DeviceSids, LocalClaims).
    """

    user: tuple[Claim, ...] = ()
    device: tuple[Claim, ...] = ()
    local: tuple[Claim, ...] = ()
    device_sids: frozenset[Sid] = frozenset()


NO_CLAIMS: Final = Claims()


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """A requester; two tokens with equal content are equal, and hashing one costs nothing.

    sids: the user, its groups and the SIDs of the way it logged on.
    primary_group: default group of what it creates. owner: default owner, where it is not the user.
    claims: for conditional ACEs.
    Spec: [MS-DTYP] 2.5.2.
    """

    user: Sid
    sids: frozenset[Sid]
    privileges: Privilege = NO_PRIVILEGES
    primary_group: Sid | None = None
    owner: Sid | None = None
    claims: Claims = NO_CLAIMS
    _hash: int = field(init=False, repr=False, default=0)

    def __post_init__(self) -> None:
        assert self.user in self.sids
        object.__setattr__(self, "_hash", hash((self.user, self.sids, int(self.privileges), self.claims)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Token) or self._hash != other._hash:
            return False
        return (self.user, self.sids, self.privileges, self.primary_group, self.owner, self.claims) == (
            other.user, other.sids, other.privileges, other.primary_group, other.owner, other.claims,
        )  # fmt: skip

    def has(self, privilege: Privilege) -> bool:
        """Whether it holds every privilege in `privilege`."""
        return int(self.privileges) & int(privilege) == int(privilege)

    @property
    def is_system(self) -> bool:
        """Whether this is the DC itself."""
        return self.user == wellknown.LOCAL_SYSTEM

    @property
    def is_anonymous(self) -> bool:
        return self.user == wellknown.ANONYMOUS


LOGON_SIDS: Final = frozenset(
    (
        wellknown.EVERYONE,
        wellknown.AUTHENTICATED_USERS,
        wellknown.NETWORK,
        wellknown.THIS_ORGANIZATION,
    )
)
"""What every logon over the network adds; no PAC says it."""


def build_token(
    user: Sid,
    groups: Iterable[Sid] = (),
    privileges: Privilege = NO_PRIVILEGES,
    *,
    primary_group: Sid | None = None,
    claims: Claims = NO_CLAIMS,
) -> Token:
    """The token of a principal that logged on over the network.

    groups: everything it is a member of, BUILTIN groups and SID history included.
    A principal with OTHER_ORGANIZATION among its groups does not get THIS_ORGANIZATION.
    """
    sids = frozenset((user, *groups)) | LOGON_SIDS
    if wellknown.OTHER_ORGANIZATION in sids:
        sids -= {wellknown.THIS_ORGANIZATION}
    if primary_group is not None:
        sids |= {primary_group}
    return Token(user, sids, privileges, primary_group, None, claims)


SYSTEM: Final = Token(
    wellknown.LOCAL_SYSTEM,
    frozenset(
        (
            wellknown.LOCAL_SYSTEM,
            wellknown.BUILTIN_ADMINISTRATORS,
            wellknown.EVERYONE,
            wellknown.AUTHENTICATED_USERS,
            wellknown.ENTERPRISE_DOMAIN_CONTROLLERS,
        )
    ),
    ALL_PRIVILEGES,
    wellknown.LOCAL_SYSTEM,
    wellknown.BUILTIN_ADMINISTRATORS,
)
"""The DC itself: provision, replication, background work."""

ANONYMOUS: Final = Token(wellknown.ANONYMOUS, frozenset((wellknown.ANONYMOUS, wellknown.NETWORK)))
"""Nobody in particular; Everyone does not include it (EveryoneIncludesAnonymous is 0 on a DC)."""
