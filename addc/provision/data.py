"""Reads the data of a new forest; the folder holds values, this module only turns them into Python's.

Spec: [MS-ADTS] 6.1.1
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, NotRequired, TypedDict

_HERE: Final = Path(__file__).resolve().parent


ObjectRecord = TypedDict(
    "ObjectRecord",
    {
        "nc": str,
        "dn": str,
        "class": str,
        "attrs": dict[str, list[str]],
        "auxclass": NotRequired[list[str]],
        "owner": NotRequired[str],
        "group": NotRequired[str],
        "sddl": NotRequired[str],
    },
)
"""One line of objects.jsonl."""


class SoaData(TypedDict):
    """The start of authority of the zones."""

    mname: str
    rname: str
    serial_start: int
    refresh: int
    retry: int
    expire: int
    minimum: int
    ttl: int


class ZoneData(TypedDict):
    """A zone that this domain controller serves."""

    name: str
    parent: str
    nc: str
    delegations: list[str]
    owner: str
    group: str
    sddl: str


class HintZoneData(TypedDict):
    """A place for the zone that holds the root hints."""

    parent: str
    nc: str


class HintData(TypedDict):
    """A root server."""

    name: str
    a: str
    aaaa: str


class DnsData(TypedDict):
    """dns.json."""

    soa: SoaData
    ns_ttl: int
    zone_properties: dict[str, int]
    hint_properties: dict[str, int]
    zones: list[ZoneData]
    hint_zones: list[HintZoneData]
    root_hints: list[HintData]


class IniData(TypedDict):
    """A file of sections, each with its lines in order."""

    encoding: str
    sections: list[tuple[str, list[tuple[str, str]]]]


class PolicyData(TypedDict):
    """One group policy's folder below Policies."""

    guid: str
    folders: list[str]
    files: dict[str, IniData]


class SysvolData(TypedDict):
    """sysvol.json."""

    folders: list[str]
    sddl: dict[str, str]
    policies: list[PolicyData]


@dataclass(frozen=True, slots=True)
class LsaRight:
    """A privilege (by LUID) or logon right (by access bit), and the SIDs that hold it.

    Spec: [MS-LSAD] 3.1.1.2.1
    """

    name: str
    is_privilege: bool
    value: int
    holders: tuple[str, ...]


@cache
def folder() -> Path:
    """addc/provision/data in a wheel, provision/ in a repository."""
    packaged = _HERE / "data"
    return packaged if packaged.is_dir() else _HERE.parents[1] / "provision"


def _text(name: str) -> str:
    return (folder() / name).read_text(encoding="utf-8")


def objects() -> list[ObjectRecord]:
    """Every object of objects.jsonl, parents before children."""
    found: list[ObjectRecord] = json.loads("[" + ",".join(_text("objects.jsonl").splitlines()) + "]")
    return found


def dns() -> DnsData:
    found: DnsData = json.loads(_text("dns.json"))
    return found


def sysvol() -> SysvolData:
    found: SysvolData = json.loads(_text("sysvol.json"))
    return found


def host_spns() -> list[str]:
    """Service principal names of a domain controller, with placeholders."""
    found: dict[str, list[str]] = json.loads(_text("spn.json"))
    return found["dc"]


def lsa_rights() -> tuple[LsaRight, ...]:
    """Privileges and logon rights with their holders on a domain controller."""
    rows = [line.split("\t") for line in _text("lsa_rights.tsv").splitlines()[1:]]
    return tuple(
        LsaRight(name, kind == "privilege", int(value), tuple(holders.split()))
        for name, kind, value, holders in rows
    )
