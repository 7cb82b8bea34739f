"""Which accesses a SACL wants to hear of, and the records of them.

The records gather in the transaction's context; the directory's door hands them to whoever writes them down,
those of writes once they are durable. Where no entry of a SACL is about the requester, one comparison with a
number that the access check keeps anyway is all that it costs.

Spec: [MS-ADTS] 5.1.3.1, [MS-DTYP] 2.4.4.10, 2.4.4.11.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt
from addc.codec.dn import Dn
from addc.codes.win32 import Win32
from addc.directory import entry, names, referrals, rights
from addc.directory.audit_events import AuditEvent, AuditRecord
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import Draft
from addc.directory.link_edit import LinkEdit
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.schema.syntax import DnKind
from addc.security import sddl
from addc.security.access_check import Grants
from addc.store.objects import ObjectRow

T = TypeVar("T")
Shown = Sequence[tuple[bytes, Sequence[bytes]]]
"""Attribute descriptions of a result entry, with their values."""

_REFUSALS: Final = frozenset((Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, Win32.ERROR_ACCESS_DENIED))
_WRITES: Final = rights.WRITE_PROPERTY | rights.WRITE_DAC | rights.WRITE_OWNER
_PASSWORDS: Final = frozenset((attr.UNICODE_PWD, attr.USER_PASSWORD))
_VALUES_MAX: Final = 100
_VALUE_MAX: Final = 1024


def _guids(attributes: Iterable[Attribute]) -> list[bytes]:
    found: dict[bytes, None] = {}
    for one in attributes:
        found[one.schema_id_guid_wire] = None
        if one.attribute_security_guid_wire is not None:
            found[one.attribute_security_guid_wire] = None
    return list(found)


def _class_name(ctx: ReadContext, row: ObjectRow) -> str:
    found = ctx.schema.class_by_id(row.class_id)
    return "" if found is None else found.name


def _record(
    ctx: ReadContext,
    row: ObjectRow,
    mask: int,
    *,
    success: bool = True,
    event: AuditEvent = AuditEvent.OBJECT_ACCESS,
    guids: Sequence[bytes] = (),
) -> AuditRecord:
    return AuditRecord(
        event=event,
        success=success,
        when_ft=ctx.now,
        subject=ctx.requester.user,
        dn=names.dn_of_row(ctx, row),
        guid=row.guid,
        object_class=_class_name(ctx, row),
        access_mask=mask,
        properties=tuple(guids),
    )


def _accessed(ctx: ReadContext, row: ObjectRow, right: int, guids: Sequence[bytes], *, success: bool) -> int:
    """Note one use of a right, or its refusal; the rights that the SACL asks about."""
    found = rights.grants(ctx, row).audited(right, guids, success=success)
    if found:
        ctx.audits.append(_record(ctx, row, found, success=success, guids=guids))
    return found


# --- reads ---


def read(ctx: ReadContext, row: ObjectRow, granted: Grants, shown: Shown) -> None:
    """Attributes of an object were returned. To be called where granted.audit_success says so."""
    found = [ctx.schema.attribute(label.partition(b";")[0].decode()) for label, _ in shown]
    atts = [one for one in found if one is not None]
    right = rights.READ_PROPERTY
    if any(one.att_id == attr.NT_SECURITY_DESCRIPTOR for one in atts):
        right |= rights.READ_CONTROL
    guids = _guids(atts)
    wanted = granted.audited(right, guids, success=True)
    if wanted:
        ctx.audits.append(_record(ctx, row, wanted, guids=guids))


# --- writes ---


def created(ctx: WriteContext, parent: ObjectRow | None, dnt: Dnt) -> None:
    """An object was added: its parent's SACL asks."""
    if parent is None or ctx.unrestricted or not rights.grants(ctx, parent).audit_success:
        return
    row = ctx.tx.get(dnt)
    if row is not None:
        _below(ctx, parent, row, AuditEvent.CREATED, rights.CREATE_CHILD)


def _below(ctx: WriteContext, parent: ObjectRow, row: ObjectRow, event: AuditEvent, right: int) -> bool:
    own_class = ctx.schema.class_by_id(row.class_id)
    guids = [] if own_class is None else [own_class.schema_id_guid_wire]
    if not rights.grants(ctx, parent).audit_success & right:
        return False
    found = _accessed(ctx, parent, right, guids, success=True)
    if found:
        ctx.audits.append(_record(ctx, row, found, event=event))
    return bool(found)


def deleted(ctx: WriteContext, row: ObjectRow) -> None:
    """An object is about to be deleted: its own SACL asks, or its parent's."""
    if ctx.unrestricted:
        return
    if rights.grants(ctx, row).audit_success & rights.DELETE:
        found = _accessed(ctx, row, rights.DELETE, (), success=True)
        ctx.audits.append(_record(ctx, row, found, event=AuditEvent.DELETED))
        return
    parent = ctx.tx.get(row.parent)
    if parent is not None:
        _below(ctx, parent, row, AuditEvent.DELETED, rights.DELETE_CHILD)


def moved(ctx: WriteContext, before: str, dnt: Dnt) -> None:
    """An object has another name or place. before: its DN until then."""
    row = ctx.tx.get(dnt)
    if row is None or ctx.unrestricted or not rights.grants(ctx, row).audit_success & rights.WRITE_PROPERTY:
        return
    atts = [ctx.schema.attribute_by_id(att) for att in (attr.NAME, row.rdn_att)]
    guids = _guids([one for one in atts if one is not None])
    found = _accessed(ctx, row, rights.WRITE_PROPERTY, guids, success=True)
    if found:
        record = _record(ctx, row, found, event=AuditEvent.MOVED)
        ctx.audits.append(replace(record, dn=before, new_dn=record.dn))


def undeleted(ctx: WriteContext, row: ObjectRow) -> None:
    """A deleted object lives again: the SACL of its new parent asks."""
    parent = ctx.tx.get(row.parent)
    if parent is not None and not ctx.unrestricted:
        _below(ctx, parent, row, AuditEvent.UNDELETED, rights.CREATE_CHILD)


def modified(ctx: WriteContext, draft: Draft, links: Mapping[AttId, LinkEdit], sd_id: int) -> None:
    """Attributes that the requester named are about to change. sd_id: of the descriptor from now on."""
    row = draft.row
    assert row is not None
    if ctx.unrestricted or not rights.grants(ctx, row).audit_success & _WRITES:
        return
    written = _changes(ctx, draft, links)
    guids = _guids([one for one, _, _ in written])
    found = _accessed(ctx, row, rights.WRITE_PROPERTY, guids, success=True) if written else 0
    for attribute, old, new in written:
        wanted = rights.grants(ctx, row).audited(found, _guids([attribute]), success=True)
        if wanted:
            before, after = frozenset(old), frozenset(new)
            come, gone = [one for one in new if one not in before], [one for one in old if one not in after]
            record = _record(ctx, row, wanted, event=AuditEvent.MODIFIED)
            added, removed = _told(ctx, attribute, come), _told(ctx, attribute, gone)
            ctx.audits.append(replace(record, attribute=attribute.name, added=added, removed=removed))
    if sd_id != row.sd_id:
        _secured(ctx, row, sd_id)


def _changes(
    ctx: WriteContext, draft: Draft, links: Mapping[AttId, LinkEdit]
) -> list[tuple[Attribute, Sequence[bytes], Sequence[bytes]]]:
    """Attributes with their stored values before and after; of links, those that go and come."""
    changes: list[tuple[AttId, Sequence[bytes], Sequence[bytes]]] = [
        (att, draft.before.get(att, ()), draft.get(att))
        for att in draft.changed()
        if att in draft.given or att in _PASSWORDS
    ]
    for att, edit in links.items():
        if edit.is_effective():
            gone, come = [[names.reference(one) for one in part] for part in (edit.removed(), edit.added())]
            changes.append((att, gone, come))
    pairs = [(ctx.schema.attribute_by_id(att), old, new) for att, old, new in changes]
    return [(one, old, new) for one, old, new in pairs if one is not None]


def _secured(ctx: WriteContext, row: ObjectRow, sd_id: int) -> None:
    found = _accessed(ctx, row, rights.WRITE_DAC | rights.WRITE_OWNER, (), success=True)
    if found:
        record = _record(ctx, row, found, event=AuditEvent.MODIFIED)
        domain = ctx.forest.domain_sid
        new, old = [
            sddl.format(rights.descriptor_by_id(ctx, one), domain, domain) for one in (sd_id, row.sd_id)
        ]
        ctx.audits.append(replace(record, attribute="nTSecurityDescriptor", added=(new,), removed=(old,)))


def _told(ctx: ReadContext, attribute: Attribute, values: Sequence[bytes]) -> tuple[str, ...]:
    """Values as text; long lists, long values, and what is secret or no text, are not told."""
    if attribute.is_secret or attribute.is_confidential or attribute.att_id == attr.USER_PASSWORD:
        return ()
    if attribute.syntax.dn_kind is DnKind.NONE and not attribute.syntax.holds_tokens:
        printed: Sequence[bytes] = values[:_VALUES_MAX]
    else:
        printed = entry.print_stored(ctx, attribute, values[:_VALUES_MAX])
    return tuple(text[:_VALUE_MAX] for text in map(_text, printed))


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return f"({len(value)} bytes)"


# --- what is told whatever SACLs say ---


def secret_read(ctx: ReadContext, dnt: Dnt, how: str) -> None:
    """Keys of an account leave the directory."""
    _operated(ctx, dnt, AuditEvent.SECRET_READ, rights.CONTROL_ACCESS, how)


def password_reset(ctx: ReadContext, dnt: Dnt, how: str) -> None:
    """An account got another password by an operator's command."""
    _operated(ctx, dnt, AuditEvent.PASSWORD_RESET, rights.CONTROL_ACCESS, how)


def kerberos_policy_set(ctx: ReadContext, how: str) -> None:
    """The lifetimes of tickets were changed."""
    _operated(ctx, ctx.forest.domain_nc, AuditEvent.KERBEROS_POLICY, rights.WRITE_PROPERTY, how)


def locked_out(ctx: ReadContext, dnt: Dnt) -> None:
    """Wrong passwords locked an account out. To be told whatever its SACL says, as those above."""
    _operated(ctx, dnt, AuditEvent.LOCKED_OUT, rights.WRITE_PROPERTY, "")


def _operated(ctx: ReadContext, dnt: Dnt, event: AuditEvent, right: int, how: str) -> None:
    row = ctx.tx.get(dnt)
    if row is not None:
        ctx.audits.append(replace(_record(ctx, row, right, event=event), detail=how))


# --- refusals ---


def watched(dn: str, right: int, work: Callable[[WriteContext], T]) -> Callable[[WriteContext], T]:
    """A write to the object of that name, below it for RIGHT_DS_CREATE_CHILD, with its refusal noted."""

    def watching(ctx: WriteContext) -> T:
        try:
            return work(ctx)
        except DsError as error:
            if error.code in _REFUSALS and not ctx.unrestricted:
                _refused(ctx, dn, right, error.attribute)
            raise

    return watching


def _refused(ctx: WriteContext, dn: str, right: int, attribute_name: str) -> None:
    try:
        if right == rights.CREATE_CHILD:
            parsed = names.parse(dn)
            dn = str(parsed.parent) if isinstance(parsed, Dn) and parsed else dn
        row = referrals.visible_object(ctx, dn, deleted=True)
    except DsError:
        return
    attribute = ctx.schema.attribute(attribute_name) if attribute_name else None
    if rights.grants(ctx, row).audit_failure & right:
        _accessed(ctx, row, right, [] if attribute is None else _guids([attribute]), success=False)
