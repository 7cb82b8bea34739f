"""A credential cache with one ticket in it, as MIT's libraries read it (FCC format 4)."""

import struct
from pathlib import Path

from addc.codec.krb5 import PrincipalName
from tests.kit.kdc_realm import Ticketed

_EPOCH_FT = 116_444_736_000_000_000


def write(path: Path, ticketed: Ticketed) -> None:
    """The ticket, its client and its session key."""
    client = _principal(ticketed.cname, ticketed.crealm)
    part, session = ticketed.part, ticketed.session
    times = (part.authtime, part.starttime or part.authtime, part.endtime, part.renew_till or 0)
    seconds = [max(0, (when - _EPOCH_FT) // 10_000_000) for when in times]
    credential = client + _principal(part.sname, part.srealm)
    credential += struct.pack(">H", int(session.etype)) + _counted(session.value)
    credential += struct.pack(">4IBI", *seconds, 0, part.flags)
    credential += struct.pack(">II", 0, 0) + _counted(ticketed.ticket.pack()) + _counted(b"")
    path.write_bytes(b"\x05\x04" + struct.pack(">H", 0) + client + credential)


def _counted(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _principal(name: PrincipalName, realm: str) -> bytes:
    head = struct.pack(">II", name.name_type, len(name.name_string)) + _counted(realm.encode())
    return head + b"".join(_counted(part.encode()) for part in name.name_string)
