"""Objects that live for a while: the dynamicObject class, entryTTL and the time to die.

Spec: [MS-ADTS] 3.1.1.3.1.6, 3.1.1.5.2.4, 3.1.1.5.3.3, 3.1.1.3.4.7 (the settings), 3.1.1.3.4.2.3, 6.1.7;
RFC 2589.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.times import format_generalized
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, names, policy, referrals, rights, write_values
from addc.directory.context import Fact, ReadContext, WriteContext
from addc.directory.draft import Draft, draft_of
from addc.directory.object_classes import ClassPlan
from addc.directory.stamp import save
from addc.schema import attr, cls
from addc.store.agenda import Due
from addc.store.objects import ObjectRow, ObjectState

OBJECT: Final = "object"
"""On the agenda: a dynamic object and its time to die."""
TTL_MAX: Final = 31_557_600
"""One year: the most that either setting may be. Spec: 3.1.1.3.4.7."""

_CLASS: Final = b"dynamicObject"


@dataclass(frozen=True, slots=True)
class TtlSettings:
    """DynamicObjectDefaultTTL and DynamicObjectMinTTL of msDS-Other-Settings, in seconds."""

    default_s: int = 86_400
    minimum_s: int = 900


_SETTINGS: Final[Fact[TtlSettings]] = Fact()


def settings(ctx: ReadContext) -> TtlSettings:
    """The settings in force. Spec: 3.1.1.3.4.7."""
    return _SETTINGS.get(ctx, ctx.tx.seq, lambda: _read_settings(ctx))


def _read_settings(ctx: ReadContext) -> TtlSettings:
    service = policy.directory_service(ctx)
    found: dict[str, int] = {}
    for value in () if service is None else entry.texts(service, attr.MS_DS_OTHER_SETTINGS):
        name, _, number = value.partition("=")
        if number.strip().isdecimal():
            found[name.strip().lower()] = min(max(int(number), 1), TTL_MAX)
    plain = TtlSettings()
    return TtlSettings(
        found.get("dynamicobjectdefaultttl", plain.default_s),
        found.get("dynamicobjectminttl", plain.minimum_s),
    )


def is_dynamic(row: ObjectRow) -> bool:
    """Whether an object is one that lives for a while."""
    return entry.is_a(row, _CLASS)


def _unwilling(detail: str) -> DsError:
    return DsError(Win32.ERROR_DS_UNWILLING_TO_PERFORM, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM)


# --- writing -----------------------------------------------------------------------------------------------


def check_place(ctx: WriteContext, plan: ClassPlan, parent: ObjectRow) -> None:
    """No static object below a dynamic one, no dynamic one where configuration and schema are.

    Spec: [MS-ADTS] 3.1.1.3.1.6, 3.1.1.5.2.2.
    """
    if cls.DYNAMIC_OBJECT in plan.all_ids:
        if parent.nc in (ctx.forest.config_nc, ctx.forest.schema_nc):
            raise _unwilling("no dynamic objects in this naming context")
    elif is_dynamic(parent):
        raise _unwilling("a static object below a dynamic one")


def on_add(ctx: WriteContext, draft: Draft, ttls: Sequence[bytes]) -> None:
    """The time to die of a new object, from the entryTTL that came with it. Spec: 3.1.1.5.2.4.

    ttls: the values of entryTTL as the requester wrote them.
    """
    dynamic = cls.DYNAMIC_OBJECT in draft.plan.all_ids
    if not dynamic:
        for given, name in ((bool(ttls), "entryTTL"), (draft.has(attr.MS_DS_ENTRY_TIME_TO_DIE), _DIES)):
            if given and not ctx.unrestricted:
                raise DsError(
                    Win32.ERROR_DS_ATT_NOT_DEF_FOR_CLASS,
                    f"{name} is for dynamic objects",
                    ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
                    attribute=name,
                )
        return
    if ttls:
        set_ttl(ctx, draft, ttls)
    elif not draft.has(attr.MS_DS_ENTRY_TIME_TO_DIE):
        _live_for(ctx, draft, settings(ctx).default_s)


_DIES: Final = "msDS-Entry-Time-To-Die"


def set_ttl(ctx: WriteContext, draft: Draft, values: Sequence[bytes]) -> None:
    """Write a new entryTTL; the least that the settings allow where it is less. Spec: 3.1.1.5.3.3."""
    attribute = ctx.schema.attribute_by_id(attr.ENTRY_TTL)
    assert attribute is not None
    if len(values) != 1:
        raise write_values.single_value_error(attribute)
    _live_for(ctx, draft, int(write_values.stored_value(ctx, attribute, values[0])))


def change_ttl(ctx: WriteContext, draft: Draft, removes: bool, values: Sequence[bytes]) -> None:
    """entryTTL in a Modify: it is written, never taken away. Spec: 3.1.1.5.3.2, 3.1.1.5.3.3."""
    if removes or not values:
        raise DsError(
            Win32.ERROR_DS_CONSTRUCTED_ATT_MOD,
            "entryTTL stays",
            ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            attribute="entryTTL",
        )
    set_ttl(ctx, draft, values)


def _live_for(ctx: WriteContext, draft: Draft, ttl_s: int) -> None:
    ttl_s = max(ttl_s, settings(ctx).minimum_s)
    draft.put(attr.MS_DS_ENTRY_TIME_TO_DIE, format_generalized(ctx.now + ttl_s * TICKS_PER_S))


def stored(ctx: WriteContext, dnt: Dnt, draft: Draft) -> None:
    """After an object was stored: enter its time to die, and let no ancestor die before it. Spec: 6.1.7."""
    if not draft.changes(attr.MS_DS_ENTRY_TIME_TO_DIE):
        return
    row = ctx.tx.get(dnt)
    if row is None or not is_dynamic(row):
        return
    _enter(ctx, row)
    latest = _latest_child(ctx, row)
    dies = entry.time(row, attr.MS_DS_ENTRY_TIME_TO_DIE)
    if dies is not None and latest >= dies:
        _postpone(ctx, row, FileTime(latest + TICKS_PER_S))


def revived(ctx: WriteContext, dnt: Dnt) -> None:
    """After an object was undeleted: its time to die counts again."""
    row = ctx.tx.get(dnt)
    if row is not None and is_dynamic(row):
        _enter(ctx, row)


def _enter(ctx: WriteContext, row: ObjectRow) -> None:
    """Put an object on the agenda, and every ancestor that would die before what is below it."""
    entered: ObjectRow | None = row
    while entered is not None:
        dies = entry.time(entered, attr.MS_DS_ENTRY_TIME_TO_DIE)
        if dies is None:
            return
        ctx.tx.put_due(Due(OBJECT, entered.dnt, b"", dies))
        parent = ctx.tx.get(entered.parent)
        entered = None
        if parent is not None and parent.state is ObjectState.LIVE and is_dynamic(parent):
            above = entry.time(parent, attr.MS_DS_ENTRY_TIME_TO_DIE)
            if above is not None and above <= dies:
                entered = _later(ctx, parent, FileTime(dies + TICKS_PER_S))


def _later(ctx: WriteContext, row: ObjectRow, dies: FileTime) -> ObjectRow:
    draft = draft_of(ctx, row)
    draft.put(attr.MS_DS_ENTRY_TIME_TO_DIE, format_generalized(dies))
    save(ctx, draft)
    now = ctx.tx.get(row.dnt)
    assert now is not None
    return now


def _postpone(ctx: WriteContext, row: ObjectRow, dies: FileTime) -> None:
    _enter(ctx, _later(ctx, row, dies))


def outlive_children(ctx: WriteContext, row: ObjectRow) -> bool:
    """Whether an object has children that live; its time to die then comes after theirs. Spec: 6.1.7."""
    latest = _latest_child(ctx, row)
    if latest < 0:
        return False
    _postpone(ctx, row, FileTime(max(latest, ctx.now) + TICKS_PER_S))
    return True


def _latest_child(ctx: WriteContext, row: ObjectRow) -> int:
    """When the last of an object's children dies; -1 if it has none."""
    latest = -1
    for child in names.children(ctx, row.dnt):
        latest = max(latest, entry.time(child, attr.MS_DS_ENTRY_TIME_TO_DIE) or 0)
    return latest


# --- the extended operation --------------------------------------------------------------------------------


def refresh(ctx: WriteContext, dn: str, ttl_s: int) -> int:
    """Give a dynamic object another time to live, as a Modify of entryTTL would; the one it has then.

    Spec: [MS-ADTS] 3.1.1.3.4.2.3, RFC 2589 4.
    """
    row = referrals.visible_object(ctx, dn)
    attribute = ctx.schema.attribute_by_id(attr.ENTRY_TTL)
    assert attribute is not None
    if not rights.can_write(ctx, row, attribute):
        raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS", attribute=attribute.name)
    if not is_dynamic(row):
        raise DsError(
            Win32.ERROR_DS_ATT_NOT_DEF_FOR_CLASS,
            "not a dynamic object",
            ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
            attribute=attribute.name,
        )
    draft = draft_of(ctx, row)
    set_ttl(ctx, draft, (b"%d" % ttl_s,))
    save(ctx, draft)
    stored(ctx, row.dnt, draft)
    now = ctx.tx.get(row.dnt)
    dies = None if now is None else entry.time(now, attr.MS_DS_ENTRY_TIME_TO_DIE)
    assert dies is not None
    return (dies - ctx.now + TICKS_PER_S - 1) // TICKS_PER_S
