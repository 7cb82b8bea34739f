"""Privileges and logon rights: their names, numbers and words for people, and who holds them on a new DC.

Default holders are those of the Default Domain Controllers Policy, and for the rights that it does not name
those of the operating system.

Spec: [MS-LSAD] 3.1.1.2.1, 3.1.1.2.2, 2.2.1.2.
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from addc.codec.ids import Sid
from addc.security.token import Privilege


class SystemAccess(IntFlag):
    """POLICY_SYSTEM_ACCESS_MODE: in which ways an account may log on. Spec: [MS-LSAD] 2.2.1.2."""

    INTERACTIVE = 0x001
    NETWORK = 0x002
    BATCH = 0x004
    SERVICE = 0x010
    DENY_INTERACTIVE = 0x040
    DENY_NETWORK = 0x080
    DENY_BATCH = 0x100
    DENY_SERVICE = 0x200
    REMOTE_INTERACTIVE = 0x400
    DENY_REMOTE_INTERACTIVE = 0x800


SYSTEM_ACCESS_ALL: Final = 0xFF7
"""POLICY_MODE_ALL."""


@dataclass(frozen=True, slots=True)
class AccountRight:
    """One right. privilege, access: the bit that it is, the other is 0. luid: low part of a privilege's."""

    name: str
    display_name: str
    privilege: Privilege = Privilege(0)  # noqa: RUF009 - a number
    access: SystemAccess = SystemAccess(0)  # noqa: RUF009 - a number

    @property
    def luid(self) -> int:
        return int(self.privilege).bit_length() - 1 if self.privilege else 0


_P = Privilege
_ADMIN: Final = "S-1-5-32-544"
_SERVICES: Final = "S-1-5-20 S-1-5-19"
_OPERATORS: Final = f"S-1-5-32-549 S-1-5-32-551 {_ADMIN}"
_SERVER: Final = f"S-1-5-32-549 {_ADMIN}"
_WDI_SERVICE_HOST: Final = "S-1-5-80-3139157870-2983391045-3678747466-658725712-1809340420"

_PRIVILEGES: Final = (
    (_P.SE_CREATE_TOKEN, "SeCreateTokenPrivilege", "Create a token object", ""),
    (_P.SE_ASSIGN_PRIMARY_TOKEN, "SeAssignPrimaryTokenPrivilege", "Replace a process level token", _SERVICES),
    (_P.SE_LOCK_MEMORY, "SeLockMemoryPrivilege", "Lock pages in memory", ""),
    (
        _P.SE_INCREASE_QUOTA,
        "SeIncreaseQuotaPrivilege",
        "Adjust memory quotas for a process",
        f"{_ADMIN} {_SERVICES}",
    ),
    (_P.SE_MACHINE_ACCOUNT, "SeMachineAccountPrivilege", "Add workstations to domain", "S-1-5-11"),
    (_P.SE_TCB, "SeTcbPrivilege", "Act as part of the operating system", ""),
    (_P.SE_SECURITY, "SeSecurityPrivilege", "Manage auditing and security log", _ADMIN),
    (_P.SE_TAKE_OWNERSHIP, "SeTakeOwnershipPrivilege", "Take ownership of files or other objects", _ADMIN),
    (
        _P.SE_LOAD_DRIVER,
        "SeLoadDriverPrivilege",
        "Load and unload device drivers",
        f"S-1-5-32-550 {_ADMIN}",
    ),
    (
        _P.SE_SYSTEM_PROFILE,
        "SeSystemProfilePrivilege",
        "Profile system performance",
        f"{_WDI_SERVICE_HOST} {_ADMIN}",
    ),
    (_P.SE_SYSTEM_TIME, "SeSystemtimePrivilege", "Change the system time", f"{_SERVER} S-1-5-19"),
    (_P.SE_PROFILE_SINGLE_PROCESS, "SeProfileSingleProcessPrivilege", "Profile single process", _ADMIN),
    (
        _P.SE_INCREASE_BASE_PRIORITY,
        "SeIncreaseBasePriorityPrivilege",
        "Increase scheduling priority",
        f"S-1-5-90-0 {_ADMIN}",
    ),
    (_P.SE_CREATE_PAGEFILE, "SeCreatePagefilePrivilege", "Create a pagefile", _ADMIN),
    (_P.SE_CREATE_PERMANENT, "SeCreatePermanentPrivilege", "Create permanent shared objects", ""),
    (_P.SE_BACKUP, "SeBackupPrivilege", "Back up files and directories", _OPERATORS),
    (_P.SE_RESTORE, "SeRestorePrivilege", "Restore files and directories", _OPERATORS),
    (_P.SE_SHUTDOWN, "SeShutdownPrivilege", "Shut down the system", f"S-1-5-32-550 {_OPERATORS}"),
    (_P.SE_DEBUG, "SeDebugPrivilege", "Debug programs", _ADMIN),
    (_P.SE_AUDIT, "SeAuditPrivilege", "Generate security audits", _SERVICES),
    (_P.SE_SYSTEM_ENVIRONMENT, "SeSystemEnvironmentPrivilege", "Modify firmware environment values", _ADMIN),
    (
        _P.SE_CHANGE_NOTIFY,
        "SeChangeNotifyPrivilege",
        "Bypass traverse checking",
        f"S-1-5-32-554 S-1-5-11 {_ADMIN} {_SERVICES} S-1-1-0",
    ),
    (_P.SE_REMOTE_SHUTDOWN, "SeRemoteShutdownPrivilege", "Force shutdown from a remote system", _SERVER),
    (_P.SE_UNDOCK, "SeUndockPrivilege", "Remove computer from docking station", _ADMIN),
    (_P.SE_SYNC_AGENT, "SeSyncAgentPrivilege", "Synchronize directory service data", ""),
    (
        _P.SE_ENABLE_DELEGATION,
        "SeEnableDelegationPrivilege",
        "Enable computer and user accounts to be trusted for delegation",
        _ADMIN,
    ),
    (_P.SE_MANAGE_VOLUME, "SeManageVolumePrivilege", "Perform volume maintenance tasks", _ADMIN),
    (
        _P.SE_IMPERSONATE,
        "SeImpersonatePrivilege",
        "Impersonate a client after authentication",
        f"S-1-5-6 {_ADMIN} {_SERVICES}",
    ),
    (
        _P.SE_CREATE_GLOBAL,
        "SeCreateGlobalPrivilege",
        "Create global objects",
        f"S-1-5-6 {_ADMIN} {_SERVICES}",
    ),
    (
        _P.SE_TRUSTED_CREDMAN_ACCESS,
        "SeTrustedCredManAccessPrivilege",
        "Access Credential Manager as a trusted caller",
        "",
    ),
    (_P.SE_RELABEL, "SeRelabelPrivilege", "Modify an object label", ""),
    (
        _P.SE_INCREASE_WORKING_SET,
        "SeIncreaseWorkingSetPrivilege",
        "Increase a process working set",
        "S-1-5-32-545",
    ),
    (_P.SE_TIME_ZONE, "SeTimeZonePrivilege", "Change the time zone", f"{_SERVER} S-1-5-19"),
    (_P.SE_CREATE_SYMBOLIC_LINK, "SeCreateSymbolicLinkPrivilege", "Create symbolic links", _ADMIN),
    (
        _P.SE_DELEGATE_SESSION_USER_IMPERSONATE,
        "SeDelegateSessionUserImpersonatePrivilege",
        "Obtain an impersonation token for another user in the same session",
        _ADMIN,
    ),
)
_A = SystemAccess
_LOGON_RIGHTS: Final = (
    (
        _A.INTERACTIVE,
        "SeInteractiveLogonRight",
        "Allow log on locally",
        f"S-1-5-9 S-1-5-32-550 S-1-5-32-548 {_OPERATORS}",
    ),
    (
        _A.NETWORK,
        "SeNetworkLogonRight",
        "Access this computer from the network",
        f"S-1-5-32-554 S-1-5-9 S-1-5-11 {_ADMIN} S-1-1-0",
    ),
    (_A.BATCH, "SeBatchLogonRight", "Log on as a batch job", f"S-1-5-32-559 S-1-5-32-551 {_ADMIN}"),
    (_A.SERVICE, "SeServiceLogonRight", "Log on as a service", "S-1-5-80-0"),
    (_A.DENY_INTERACTIVE, "SeDenyInteractiveLogonRight", "Deny log on locally", ""),
    (_A.DENY_NETWORK, "SeDenyNetworkLogonRight", "Deny access to this computer from the network", ""),
    (_A.DENY_BATCH, "SeDenyBatchLogonRight", "Deny log on as a batch job", ""),
    (_A.DENY_SERVICE, "SeDenyServiceLogonRight", "Deny log on as a service", ""),
    (
        _A.REMOTE_INTERACTIVE,
        "SeRemoteInteractiveLogonRight",
        "Allow log on through Remote Desktop Services",
        _ADMIN,
    ),
    (
        _A.DENY_REMOTE_INTERACTIVE,
        "SeDenyRemoteInteractiveLogonRight",
        "Deny log on through Remote Desktop Services",
        "",
    ),
)

PRIVILEGES: Final = tuple(AccountRight(name, words, privilege=bit) for bit, name, words, _ in _PRIVILEGES)
"""Every privilege, in the order of their LUIDs."""
LOGON_RIGHTS: Final = tuple(AccountRight(name, words, access=bit) for bit, name, words, _ in _LOGON_RIGHTS)
RIGHTS: Final = {one.name.lower(): one for one in (*PRIVILEGES, *LOGON_RIGHTS)}
"""Privileges and logon rights by their names in lower case."""
PRIVILEGE_BY_LUID: Final = {one.luid: one for one in PRIVILEGES}


@dataclass(frozen=True, slots=True)
class Held:
    """What one account holds by itself."""

    privileges: Privilege = Privilege(0)  # noqa: RUF009 - a number
    access: SystemAccess = SystemAccess(0)  # noqa: RUF009 - a number

    @property
    def names(self) -> tuple[str, ...]:
        """Names of privileges, then of logon rights."""
        return tuple(
            [one.name for one in PRIVILEGES if one.privilege & self.privileges]
            + [one.name for one in LOGON_RIGHTS if one.access & self.access]
        )

    def with_rights(self, rights: "tuple[AccountRight, ...]") -> "Held":
        privileges, access = int(self.privileges), int(self.access)
        for one in rights:
            privileges |= int(one.privilege)
            access |= int(one.access)
        return Held(Privilege(privileges), SystemAccess(access))

    def without_rights(self, rights: "tuple[AccountRight, ...]") -> "Held":
        privileges, access = int(self.privileges), int(self.access)
        for one in rights:
            privileges &= ~int(one.privilege)
            access &= ~int(one.access)
        return Held(Privilege(privileges), SystemAccess(access))


def _default_holders() -> dict[Sid, Held]:
    found: dict[Sid, Held] = {}
    for _, name, _, holders in (*_PRIVILEGES, *_LOGON_RIGHTS):
        for text in holders.split():
            sid = Sid.parse(text)
            found[sid] = found.get(sid, Held()).with_rights((RIGHTS[name.lower()],))
    return found


DEFAULT_HOLDERS: Final = _default_holders()
"""Who holds what on a new DC."""
