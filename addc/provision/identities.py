"""The random numbers that make a forest one of its kind.

Spec: [MS-ADTS] 3.1.1.1.9, [MS-DTYP] 2.4.2
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.rng import Rng
from addc.codec.ids import Sid

_BATCH: Final = 512


@dataclass(frozen=True, slots=True)
class Identities:
    """Chosen once; the objects of the same names carry them."""

    domain_sid: Sid
    domain_guid: UUID
    dsa_guid: UUID
    invocation_id: UUID


def draw_identities(rng: Rng) -> Identities:
    """A fresh domain SID (S-1-5-21 and three random numbers) and GUIDs."""
    raw = rng.bytes(12)
    sid = Sid.parse("S-1-5-21")
    for start in (0, 4, 8):
        sid = sid.child(int.from_bytes(raw[start : start + 4], "little"))
    new_guid = guid_source(rng)
    return Identities(sid, new_guid(), new_guid(), new_guid())


def guid_source(rng: Rng) -> Callable[[], UUID]:
    """A function that gives a fresh version 4 GUID at every call; asks `rng` once per some hundred."""
    pool = b""
    at = 0

    def draw() -> UUID:
        nonlocal pool, at
        if at == len(pool):
            pool, at = rng.bytes(16 * _BATCH), 0
        at += 16
        return UUID(bytes=pool[at - 16 : at], version=4)

    return draw
