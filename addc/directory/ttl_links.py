"""Link values that expire: `<TTL=seconds,dn>` in requests and answers, and the expiry itself.

Only with the Privileged Access Management feature. When a value expires stands on the agenda, so values
without an expiry cost nothing.

Spec: [MS-ADTS] 3.1.1.3.1.2.4 (TTL-DN), 3.1.1.3.4.1.36, 3.1.1.9.2.
"""

from collections.abc import Sequence
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.dn import split_ttl
from addc.codes.win32 import Win32
from addc.directory import entry, levels, tombstones
from addc.directory.context import ReadContext, WriteContext
from addc.directory.linked_values import LINK, agenda_data
from addc.schema.snapshot import Attribute
from addc.store.agenda import Due

BATCH: Final = 500
"""Link values that one step takes."""

_MARK: Final = b"<TTL="


def split(ctx: ReadContext, attribute: Attribute, value: bytes) -> tuple[int | None, bytes]:
    """Seconds and the value itself of a TTL-DN; None and the value as it is for every other.

    Without the feature the form is no name at all.
    """
    if value[:5].upper() != _MARK:
        return None, value
    seconds, inner = split_ttl(value.decode("utf-8", "replace"))
    if seconds is None or not attribute.is_linked or not is_enabled(ctx):
        raise DsError(Win32.ERROR_DS_INVALID_DN_SYNTAX, "no TTL here", attribute=attribute.name)
    return seconds, inner.encode()


def is_enabled(ctx: ReadContext) -> bool:
    """Whether link values may expire."""
    return levels.PRIVILEGED_ACCESS_FEATURE in levels.enabled_features(ctx)


def expiry(ctx: ReadContext, seconds: int) -> int | None:
    """When a value with that TTL expires; None, never, for 0. Spec: 3.1.1.3.1.2.4."""
    return ctx.now + seconds * TICKS_PER_S if seconds else None


def with_ttls(
    ctx: ReadContext, attribute: Attribute, own: Dnt, ends: Sequence[tuple[int, bytes]], shown: list[bytes]
) -> list[bytes]:
    """The answer to LDAP_SERVER_LINK_TTL_OID: `shown`, as TTL-DNs where the values expire.

    own: the object that the values are shown on. ends: the other ends of the same values, with payloads.
    Spec: [MS-ADTS] 3.1.1.3.4.1.36.
    """
    base = entry.link_base(attribute)
    if attribute.is_back_link:
        lefts = [_left(ctx, Dnt(end)).get(agenda_data(base, own, data)) for end, data in ends]
    else:
        held = _left(ctx, own)
        lefts = [held.get(agenda_data(base, Dnt(end), data)) for end, data in ends]
    return [
        value if seconds is None else b"<TTL=%d,%s>" % (seconds, value)
        for value, seconds in zip(shown, lefts, strict=True)
    ]


def _left(ctx: ReadContext, source: Dnt) -> dict[bytes, int]:
    """Seconds until values of an object expire; those of deleted values are of no concern."""
    found = ctx.tx.due_of(LINK, source)
    return {work.data: max(0, (work.due_ft - ctx.now) // TICKS_PER_S) for work in found}


def step(ctx: WriteContext) -> bool:
    """Let values expire whose time is over, and take tombstones of values away; whether more are waiting.

    An expiry is no originating update: every DC does it for itself.
    Spec: [MS-ADTS] 3.1.1.9.2.
    """
    due = ctx.tx.due(LINK, ctx.now, BATCH)
    lifetime = tombstones.lifetimes_days(ctx)[0] * tombstones.DAY if due else 0
    for work in due:
        _advance(ctx, work, lifetime)
    return len(due) == BATCH


def _advance(ctx: WriteContext, work: Due, lifetime: int) -> None:
    base, target = int.from_bytes(work.data[:4], "big"), Dnt(int.from_bytes(work.data[4:12], "big"))
    link = ctx.tx.link(base, work.dnt, target, work.data[12:])
    if link is None:
        ctx.tx.drop_due(LINK, work.dnt, work.data)
    elif not link.deleted:
        ctx.tx.update_link(link._replace(deleted_ft=work.due_ft))
        ctx.tx.put_due(work._replace(due_ft=work.due_ft + lifetime))
    elif link.deleted_ft + lifetime > ctx.now:
        ctx.tx.put_due(work._replace(due_ft=link.deleted_ft + lifetime))
    else:
        ctx.tx.delete_link(base, work.dnt, target, work.data[12:])
        ctx.tx.drop_due(LINK, work.dnt, work.data)


def has_expiry(ctx: ReadContext, source: Dnt, attribute: Attribute, value: tuple[Dnt, bytes]) -> bool:
    """Whether a living value expires."""
    data = agenda_data(entry.link_base(attribute), *value)
    return any(work.data == data for work in ctx.tx.due_of(LINK, source))
