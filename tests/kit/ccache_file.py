"""A credential cache with one ticket in it, as MIT's libraries read it (FCC format 4)."""

import struct
from pathlib import Path

from addc.base.clock import TICKS_PER_S, UNIX_EPOCH_FT
from addc.codec.krb5 import EncKdcRepPart, EncTicketPart, PrincipalName, Ticket
from tests.kit.kdc_realm import Ticketed


def write(path: Path, ticketed: Ticketed) -> None:
    """The ticket, its client and its session key."""
    _write(path, _principal(ticketed.cname, ticketed.crealm), ticketed.ticket, ticketed.part)


def write_made(path: Path, ticket: Ticket, part: EncTicketPart) -> None:
    """A ticket that a test made itself, of the sealed part in it."""
    _write(path, _principal(part.cname, part.crealm), ticket, part)


def _write(path: Path, client: bytes, ticket: Ticket, part: EncTicketPart | EncKdcRepPart) -> None:
    times = (part.authtime, part.starttime or part.authtime, part.endtime, part.renew_till or 0)
    seconds = [max(0, (when - UNIX_EPOCH_FT) // TICKS_PER_S) for when in times]
    credential = client + _principal(ticket.sname, ticket.realm)
    credential += struct.pack(">H", part.key.keytype) + _counted(part.key.keyvalue)
    credential += struct.pack(">4IBI", *seconds, 0, part.flags)
    credential += struct.pack(">II", 0, 0) + _counted(ticket.pack()) + _counted(b"")
    path.write_bytes(b"\x05\x04" + struct.pack(">H", 0) + client + credential)


def _counted(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _principal(name: PrincipalName, realm: str) -> bytes:
    head = struct.pack(">II", name.name_type, len(name.name_string)) + _counted(realm.encode())
    return head + b"".join(_counted(part.encode()) for part in name.name_string)
