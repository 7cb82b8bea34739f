"""DCs that did not answer: kCCFailedLinks and kCCFailedConnections, and the form that they are kept in.

Spec: [MS-DRSR] 5.111 (KCCFailedConnections), 5.112 (KCCFailedLinks).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from addc.base.clock import FileTime
from addc.base.errors import DecodeError

_ENTRIES_MAX = 65_536


@dataclass(frozen=True, slots=True)
class FailedDc:
    """A tuple of either list. dsa_guid: 16 stored bytes of the nTDSDSA's objectGUID.

    first: when the first failure was noticed. last_result: Win32 code of the latest.
    """

    dsa_guid: bytes
    count: int
    first: FileTime
    last_result: int = 0


@dataclass(frozen=True, slots=True)
class FailureLists:
    """Both lists, each by the GUID of the DC.

    links: partners whose replication failed. connections: DCs that could not be spoken with.
    """

    links: Mapping[bytes, FailedDc] = field(default_factory=dict)
    connections: Mapping[bytes, FailedDc] = field(default_factory=dict)

    def pack(self) -> bytes:
        """As it is kept: JSON, in order of the GUIDs."""
        return json.dumps({"links": _told(self.links), "connections": _told(self.connections)}).encode()

    @classmethod
    def unpack(cls, data: bytes) -> "FailureLists":
        """The inverse of `pack`. Raises DecodeError."""
        try:
            raw = json.loads(data)
            return cls(_read(raw["links"]), _read(raw["connections"]))
        except (ValueError, KeyError, TypeError) as error:
            raise DecodeError("lists of failures wanted", 0, "failures") from error


def _told(entries: Mapping[bytes, FailedDc]) -> list[list[object]]:
    return [
        [one.dsa_guid.hex(), one.count, int(one.first), one.last_result] for _, one in sorted(entries.items())
    ]


def _read(raw: list[list[object]]) -> dict[bytes, FailedDc]:
    found: dict[bytes, FailedDc] = {}
    for guid, count, first, result in raw[:_ENTRIES_MAX]:
        key = bytes.fromhex(str(guid))
        found[key] = FailedDc(key, int(str(count)), FileTime(int(str(first))), int(str(result)))
    return found
