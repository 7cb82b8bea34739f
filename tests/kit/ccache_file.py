"""Writes a credential cache file of version 4 with one service ticket, for MIT's library as a client."""

import struct
from pathlib import Path

from addc.base.clock import TICKS_PER_S, UNIX_EPOCH_FT
from addc.codec.krb5 import EncTicketPart, PrincipalName, Ticket


def _counted(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _principal(name: PrincipalName, realm: str) -> bytes:
    parts = [realm, *name.name_string]
    head = struct.pack(">iI", name.name_type, len(name.name_string))
    return head + b"".join(_counted(part.encode()) for part in parts)


def _time(when: int | None) -> bytes:
    return struct.pack(">I", 0 if when is None else (when - UNIX_EPOCH_FT) // TICKS_PER_S)


def write_ccache(path: Path, ticket: Ticket, part: EncTicketPart) -> None:
    """The cache of `part`'s client, holding `ticket` and its session key."""
    client = _principal(part.cname, part.crealm)
    times = (part.authtime, part.starttime or part.authtime, part.endtime, part.renew_till)
    credential = b"".join(
        (
            client,
            _principal(ticket.sname, ticket.realm),
            struct.pack(">H", part.key.keytype) + _counted(part.key.keyvalue),
            b"".join(map(_time, times)),
            b"\0" + struct.pack(">I", part.flags),
            struct.pack(">II", 0, 0),
            _counted(ticket.pack()),
            _counted(b""),
        )
    )
    path.write_bytes(b"\x05\x04\0\0" + client + credential)
