"""The registry of a domain controller that has none: keys that tools read, computed from facts of the forest.

Spec: [MS-RRP] 3.1.1.1 (key types), 3.1.1.5 (values).
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from addc.base.version import VERSION
from addc.directory.context import Forest

REG_SZ: Final = 1
REG_BINARY: Final = 3
REG_DWORD: Final = 4
REG_MULTI_SZ: Final = 7

HKLM: Final = "HKLM"
HKU: Final = "HKU"
_SYSTEM_ROOT: Final = "C:\\Windows"
_BUILD: Final = "14393"
"""Of Windows Server 2016, whose functional level this server has."""

Plain = str | int | bytes | Sequence[str]


@dataclass(frozen=True, slots=True)
class RegistryValue:
    """One value, as it is on the wire."""

    name: str
    type: int
    data: bytes


@dataclass(slots=True)
class Key:
    """One key. keys, values: by name in lower case, in the order of their names."""

    name: str = ""
    keys: "dict[str, Key]" = field(default_factory=dict)
    values: dict[str, RegistryValue] = field(default_factory=dict)

    def find(self, path: str) -> "Key | None":
        """The key below this one; "" is the key itself."""
        found: Key | None = self
        for name in path.split("\\") if path else ():
            if found is None:
                return None
            found = found.keys.get(name.lower())
        return found


def _wire(value: Plain) -> tuple[int, bytes]:
    if isinstance(value, str):
        return REG_SZ, (value + "\0").encode("utf-16-le")
    if isinstance(value, int):
        return REG_DWORD, struct.pack("<I", value)
    if isinstance(value, bytes):
        return REG_BINARY, value
    return REG_MULTI_SZ, ("".join(one + "\0" for one in value) + "\0").encode("utf-16-le")


def _put(root: Key, path: str, values: Mapping[str, Plain]) -> None:
    key = root
    for name in path.split("\\"):
        key = key.keys.setdefault(name.lower(), Key(name))
    for name, value in values.items():
        key.values[name.lower()] = RegistryValue(name, *_wire(value))


def _sort(key: Key) -> None:
    key.keys = dict(sorted(key.keys.items()))
    for child in key.keys.values():
        _sort(child)


_SET: Final = "SYSTEM\\CurrentControlSet\\"
_NT: Final = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
_SERVICES: Final = _SET + "Services\\"


def _product(forest: Forest) -> dict[str, Mapping[str, Plain]]:
    """What the server is."""
    return {
        _NT: {
            "ProductName": f"addc {VERSION}",
            "CurrentVersion": "6.3",
            "CurrentBuild": _BUILD,
            "CurrentBuildNumber": _BUILD,
            "CurrentMajorVersionNumber": 10,
            "CurrentMinorVersionNumber": 0,
            "InstallationType": "Server",
            "SystemRoot": _SYSTEM_ROOT,
            "PathName": _SYSTEM_ROOT,
        },
        _NT + "\\Perflib": {},
        "SOFTWARE\\Microsoft\\Windows\\CurrentVersion": {"ProgramFilesDir": "C:\\Program Files"},
        "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System": {},
        "SOFTWARE\\Classes": {},
        "SOFTWARE\\Policies\\Microsoft": {},
        "HARDWARE": {},
        _SET + "Control\\ProductOptions": {"ProductType": "LanmanNT", "ProductSuite": ["Enterprise"]},
        _SET + "Control\\ComputerName\\ComputerName": {"ComputerName": forest.host.upper()},
        _SET + "Control\\ComputerName\\ActiveComputerName": {"ComputerName": forest.host.upper()},
        _SET + "Control\\TimeZoneInformation": {"Bias": 0, "ActiveTimeBias": 0, "TimeZoneKeyName": "UTC"},
        _SET + "Control\\Server Applications": {},
        _SET + "Control\\Print\\Printers": {},
        _SET + "Control\\SecurePipeServers\\winreg": {"Description": "Registry Server"},
    }


def _rules() -> dict[str, Mapping[str, Plain]]:
    """What the server insists on, by the names that security templates give it."""
    return {
        _SET + "Control\\Lsa": {
            "LmCompatibilityLevel": 5,
            "NoLMHash": 1,
            "RestrictAnonymous": 1,
            "RestrictAnonymousSAM": 1,
            "EveryoneIncludesAnonymous": 0,
            "LimitBlankPasswordUse": 1,
        },
        _SET + "Control\\Lsa\\MSV1_0": {"NtlmMinServerSec": 0x2008_0000},
        _SERVICES + "LanmanServer\\Parameters": {
            "EnableSecuritySignature": 1,
            "RequireSecuritySignature": 1,
            "RestrictNullSessAccess": 1,
            "NullSessionPipes": [],
            "NullSessionShares": [],
        },
    }


def _directory(forest: Forest) -> dict[str, Mapping[str, Plain]]:
    """What the directory and its locator are."""
    return {
        _SERVICES + "NTDS\\Parameters": {
            "Configuration NC": forest.config_dn,
            "Root Domain": forest.root_dn,
            "Machine DN Name": f"CN=NTDS Settings,CN={forest.host},CN=Servers,CN={forest.site},"
            f"CN=Sites,{forest.config_dn}",
            "Strict Replication Consistency": 1,
            "LDAPServerIntegrity": 2,
        },
        _SERVICES + "Netlogon\\Parameters": {
            "DynamicSiteName": forest.site,
            "RequireSignOrSeal": 1,
            "RequireStrongKey": 1,
            "SealSecureChannel": 1,
            "SignSecureChannel": 1,
            "SysVol": f"{_SYSTEM_ROOT}\\SYSVOL\\sysvol",
            "SysvolReady": 1,
        },
        _SERVICES + "Tcpip\\Parameters": {
            "Hostname": forest.host,
            "NV Hostname": forest.host,
            "Domain": forest.dns_domain,
            "NV Domain": forest.dns_domain,
        },
        _SERVICES + "Kdc": {"Start": 2},
        _SERVICES + "NTDS": {"Start": 2},
        _SERVICES + "Netlogon": {"Start": 2},
        _SERVICES + "DNS\\Parameters": {},
        _SERVICES + "W32Time\\Parameters": {"Type": "NT5DS"},
        _SERVICES + "EventLog\\Directory Service": {},
        _SERVICES + "EventLog\\Security": {},
        _SERVICES + "EventLog\\System": {},
    }


def registry(forest: Forest) -> dict[str, Key]:
    """The predefined keys: HKLM and HKU; the others are parts of them."""
    machine, users = Key(), Key()
    for path, values in (_product(forest) | _rules() | _directory(forest)).items():
        _put(machine, path, values)
    _put(users, ".DEFAULT\\Control Panel\\International", {"Locale": "00000409"})
    for root in (machine, users):
        _sort(root)
    return {HKLM: machine, HKU: users}
