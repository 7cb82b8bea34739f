"""Connections between sites as they are written and as they count: options, copies, which ones serve at all.

Spec: [MS-ADTS] 6.2.2.3.4.5 (CreateConnection)
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from addc.kcc.snapshot import Connection, ConnectionOption, LinkOption

IP: Final = "IP"
_GENERATED: Final = int(ConnectionOption.IS_GENERATED)
_SYSVOL_ONLY: Final = int(ConnectionOption.RODC_TOPOLOGY)
_NOTIFY: Final = ConnectionOption.OVERRIDE_NOTIFY_DEFAULT | ConnectionOption.USE_NOTIFY
_LIKE_LINK: Final = (
    (LinkOption.TWOWAY_SYNC, ConnectionOption.TWOWAY_SYNC),
    (LinkOption.DISABLE_COMPRESSION, ConnectionOption.DISABLE_INTERSITE_COMPRESSION),
)


@lru_cache(maxsize=64)
def connection_options(links: LinkOption) -> ConnectionOption:
    """Options of a new connection over a path. Spec: [MS-ADTS] 6.2.2.3.4.5 (CreateConnection)"""
    options = ConnectionOption.IS_GENERATED
    if links & LinkOption.USE_NOTIFY:
        options |= _NOTIFY
    for link, own in _LIKE_LINK:
        if links & link:
            options |= own
    return options


def options_in_line(existing: ConnectionOption, wanted: ConnectionOption) -> ConnectionOption:
    """What becomes of the options of a generated connection that is there, where a new one would have
    `wanted`.

    Notification is set or cleared as a whole: OVERRIDE_NOTIFY_DEFAULT alone, as Windows writes it, stays.
    Spec: [MS-ADTS] 6.2.2.3.4.5 (CreateConnection)
    """
    options = existing
    if wanted & ConnectionOption.USE_NOTIFY:
        options |= _NOTIFY
    elif options & _NOTIFY == _NOTIFY:
        options &= ~_NOTIFY
    for _, own in _LIKE_LINK:
        options = options | own if wanted & own else options & ~own
    return options


def counts(one: Connection) -> bool:
    """Whether a connection that is there may serve an edge between sites: a generated one must name the
    transport.

    Spec: [MS-ADTS] 6.2.2.3.4.5 (CreateConnection)
    """
    options = int(one.options)
    return not options & _SYSVOL_ONLY and (not options & _GENERATED or one.transport.upper() == IP)


def is_generated(one: Connection) -> bool:
    """Whether the KCC made it. In plain numbers: over 20,000 of them the flags' operators are felt."""
    return bool(int(one.options) & _GENERATED)


def without_copies(found: Sequence[Connection]) -> tuple[Connection, ...]:
    """Of several connections between the same two DCs: all of administrators, and of generated ones the
    newest if no enabled one of an administrator does its work."""
    if len(found) < 2:
        return tuple(found)
    made = [one for one in found if not one.is_generated]
    generated = [one for one in found if one.is_generated]
    if generated and not any(one.is_enabled for one in made):
        made.append(max(generated, key=lambda one: (one.created, one.guid)))
    return tuple(made)
