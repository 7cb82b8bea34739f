"""Managed service accounts: passwords that nobody knows, made of root keys, time and the account's SID.

What the row holds (hashes, keys, the span that they are of) is written when a span ends; until that is done,
and for clocks that differ by a few minutes, the keys of the spans before and after follow by the same maths.
A reader and the writer come to the same keys with the same version numbers.

Spec: [MS-ADTS] 3.1.1.4.5.39, 2.2.19.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from addc.base.errors import DecodeError, DsError
from addc.base.ids import AttId, Dnt
from addc.base.secret import Secret
from addc.codec.gkdi_blobs import KeyIdentifier, ManagedPasswordBlob
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, kds_root_keys, names, passwords, rights
from addc.directory.audit_events import AuditEvent, AuditRecord
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import Draft, draft_of
from addc.directory.passwords import KeyGeneration, KeySet, PreparedPassword
from addc.directory.stamp import save
from addc.schema import attr
from addc.schema.wellknown import MANAGED_ACCOUNT_CLASSES
from addc.security import gkdi
from addc.security.access_check import evaluate
from addc.security.descriptor import SecurityDescriptor
from addc.security.gkdi import GkdiError, GroupKeyId, RootKey
from addc.security.krb_keys import Etype, Key
from addc.security.token import Token
from addc.store.agenda import Due
from addc.store.objects import ObjectRow, ObjectState

ROLL: Final = "managed"
"""On the agenda: a managed account and the end of its password's span."""
INTERVAL_MAX_DAYS: Final = 1_000_000
"""Beyond that, times do not fit into FILETIME."""
_HOURS_PER_SPAN: Final = 10
_BATCH: Final = 50


class PasswordSpan(NamedTuple):
    """For how long a password is the account's. start_ft: on a boundary of ten hours."""

    start_ft: int
    root: RootKey

    @property
    def key_id(self) -> GroupKeyId:
        return GroupKeyId.at(self.start_ft)


@dataclass(frozen=True, slots=True)
class Schedule:
    """An account's passwords as of a moment.

    previous: None for an account too young to have one. expiry_ft: when `current` ends.
    writes: how many passwords the row is behind, 0 where it is up to date; each gets a version of its own.
    """

    current: PasswordSpan
    previous: PasswordSpan | None
    expiry_ft: int
    writes: int


def is_managed(row: ObjectRow) -> bool:
    """Whether a row is a living account whose password the DC makes."""
    return row.class_id in MANAGED_ACCOUNT_CLASSES and row.state is ObjectState.LIVE


def rollover_ft(days: int) -> int:
    """How long a password lasts: msDS-ManagedPasswordInterval in whole spans. Spec: 3.1.1.4.5.39."""
    return days * 24 // _HOURS_PER_SPAN * gkdi.KEY_CYCLE_FT


def _rollover(row: ObjectRow) -> int:
    return rollover_ft(entry.integer(row, attr.MS_DS_MANAGED_PASSWORD_INTERVAL))


# --- which password when -----------------------------------------------------------------------------------


def _stored_span(ctx: ReadContext, row: ObjectRow, att: AttId) -> PasswordSpan | None:
    """The span that an identifier of the row names; None where it names none that can be made."""
    value = entry.first(row, att)
    if value is None:
        return None
    try:
        found = KeyIdentifier.unpack(value)
    except DecodeError:
        return None
    root = kds_root_keys.all_keys(ctx).get(found.root_key_id)
    return None if root is None else PasswordSpan(GroupKeyId(found.l0, found.l1, found.l2).start_ft, root)


def _span_at(ctx: ReadContext, start_ft: int) -> PasswordSpan:
    root = kds_root_keys.key_for(ctx, start_ft)
    if root is None:
        raise kds_root_keys.no_key(ctx)
    return PasswordSpan(start_ft, root)


def _optional_span(ctx: ReadContext, start_ft: int) -> PasswordSpan | None:
    root = kds_root_keys.key_for(ctx, start_ft)
    return None if root is None else PasswordSpan(start_ft, root)


def schedule(ctx: ReadContext, row: ObjectRow) -> Schedule:
    """The passwords of a managed account at ctx.now.

    Deviation: an account without an identifier begins with the span that it was created in, not at that very
    second: keys are of whole spans. Raises DsError(NTE_NO_KEY) where no root key serves.
    Spec: [MS-ADTS] 3.1.1.4.5.39 (GetgMSAPasswordBlob).
    """
    rollover = _rollover(row)
    if rollover <= 0:
        raise DsError(Win32.ERROR_DS_CANT_RETRIEVE_ATTRS, "the account's passwords have no life time")
    created = entry.time(row, attr.WHEN_CREATED) or ctx.now
    stored = _stored_span(ctx, row, attr.MS_DS_MANAGED_PASSWORD_ID)
    if stored is not None and ctx.now < stored.start_ft + rollover:
        previous = _stored_span(ctx, row, attr.MS_DS_MANAGED_PASSWORD_PREVIOUS_ID)
        return Schedule(stored, previous, stored.start_ft + rollover, 0)
    begin = GroupKeyId.at(created).start_ft if stored is None else stored.start_ft + rollover
    stale = max(ctx.now - begin, 0) // rollover
    start = begin + stale * rollover
    current = _span_at(ctx, start)
    if stored is not None and stale == 0:
        return Schedule(current, stored, start + rollover, 1)
    previous = _optional_span(ctx, start - rollover) if ctx.now - created >= rollover else None
    return Schedule(current, previous, start + rollover, 1 if previous is None else 2)


def password_of(row: ObjectRow, span: PasswordSpan) -> Secret:
    """A managed account's password of a span, UTF-16LE. Raises DsError where the root key is no good."""
    assert row.sid is not None
    return _password(Sid(row.sid), span)


def _password(sid: Sid, span: PasswordSpan) -> Secret:
    try:
        return gkdi.managed_password(span.root, span.key_id, sid)
    except GkdiError as error:
        raise DsError(Win32.ERROR_DS_CANT_RETRIEVE_ATTRS, str(error)) from None


def _identifier(ctx: ReadContext, span: PasswordSpan) -> bytes:
    key_id, forest = span.key_id, ctx.forest
    return KeyIdentifier(*key_id, span.root.key_id, forest.dns_domain, forest.dns_forest).pack()


# --- keys for those who judge logons -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ManagedKeys:
    """A managed account's keys as of a moment.

    also: generations beside the present one that prove the account: the one before for five minutes after a
    roll, the one after for five minutes before it. until_ft: as long as nothing of this changes.
    """

    keys: KeySet
    also: tuple[KeyGeneration, ...]
    until_ft: int


def managed_keys(ctx: ReadContext, row: ObjectRow) -> ManagedKeys:
    """The keys of a managed account at ctx.now; those stored where no root key can make others."""
    kept = ctx.facts.get(("managed.keys", row.dnt))
    if kept is not None and kept[0] is row:
        found = kept[1]
        assert isinstance(found, ManagedKeys)
        if ctx.now < found.until_ft:
            return found
    try:
        made = _derive_keys(ctx, row)
    except DsError:
        return ManagedKeys(passwords.keys_of(ctx, row), (), ctx.now)
    ctx.keep(("managed.keys", row.dnt), row, made)
    return made


def _derive_keys(ctx: ReadContext, row: ObjectRow) -> ManagedKeys:
    plan = schedule(ctx, row)
    stored = passwords.keys_of(ctx, row)
    keys = stored if plan.writes == 0 else _advanced(ctx, row, plan, stored)
    skew, now = gkdi.MAX_CLOCK_SKEW_FT, ctx.now
    if now < plan.current.start_ft + skew:
        former = () if keys.old is None or plan.previous is None else (keys.old,)
        return ManagedKeys(keys, former, plan.current.start_ft + skew)
    if now < plan.expiry_ft - skew:
        return ManagedKeys(keys, (), plan.expiry_ft - skew)
    coming = _optional_span(ctx, plan.expiry_ft)
    also = () if coming is None else (_generation(ctx, row, coming, keys.kvno + 1),)
    return ManagedKeys(keys, also, plan.expiry_ft)


def _advanced(ctx: ReadContext, row: ObjectRow, plan: Schedule, stored: KeySet) -> KeySet:
    """What the key set will be once the passwords of `plan` are written."""
    kvno = stored.kvno + plan.writes
    current = _generation(ctx, row, plan.current, kvno)
    if plan.writes == 1:
        return KeySet(_salt(ctx, row), current, stored.current, stored.old)
    assert plan.previous is not None
    return KeySet(_salt(ctx, row), current, _generation(ctx, row, plan.previous, kvno - 1), stored.current)


def _salt(ctx: ReadContext, row: ObjectRow) -> bytes:
    name = entry.text(row, attr.SAM_ACCOUNT_NAME) or ""
    return passwords.salt_for(ctx.forest.realm, name, is_computer=True)


def _generation(ctx: ReadContext, row: ObjectRow, span: PasswordSpan, kvno: int) -> KeyGeneration:
    sha2 = passwords.wants_sha2(entry.integer(row, attr.MS_DS_SUPPORTED_ENCRYPTION_TYPES))
    made = passwords.derive(password_of(row, span), _salt(ctx, row), sha2=sha2)
    return KeyGeneration(kvno, (*made.keys, Key(Etype.RC4_HMAC, made.nt_hash.reveal())))


class NtHashes(NamedTuple):
    """What an NTLM response or a simple bind may be made with.

    current: None where the account has none. accepted: others that let in. known: former ones, which let
    nobody in and are no guesses either.
    """

    current: bytes | None
    accepted: tuple[bytes, ...]
    known: tuple[bytes, ...]


def nt_hashes(ctx: ReadContext, row: ObjectRow) -> NtHashes:
    """The NT hashes of any account at ctx.now; for an hour, the one before lets people in ([MS-SAMR])."""
    if not is_managed(row):
        former = passwords.former_hashes(row)
        recent = former[:1] if passwords.is_former(ctx, row, lambda _: True) else ()
        return NtHashes(entry.first(row, attr.UNICODE_PWD), recent, former)
    found = managed_keys(ctx, row)
    accepted = [one.key(Etype.RC4_HMAC) for one in found.also]
    older = [one.key(Etype.RC4_HMAC) for one in (found.keys.old, found.keys.older) if one is not None]
    return NtHashes(
        found.keys.nt_hash(),
        tuple(one.value for one in accepted if one is not None),
        tuple(one.value for one in older if one is not None),
    )


# --- creation and roll -------------------------------------------------------------------------------------


def first_password(ctx: WriteContext, draft: Draft) -> PreparedPassword:
    """The password of a new managed account, whose identifier is put into the draft.

    Raises DsError: constraintViolation for an interval that is none, NTE_NO_KEY without a root key.
    """
    assert draft.sid is not None
    days = draft.integer(attr.MS_DS_MANAGED_PASSWORD_INTERVAL)
    if not 1 <= days <= INTERVAL_MAX_DAYS:
        raise DsError(
            Win32.ERROR_DS_CONSTRAINT_VIOLATION,
            f"a managed password lasts from 1 to {INTERVAL_MAX_DAYS} days",
            ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            attribute="msDS-ManagedPasswordInterval",
        )
    span = _span_at(ctx, GroupKeyId.at(ctx.now).start_ft)
    draft.put(attr.MS_DS_MANAGED_PASSWORD_ID, _identifier(ctx, span))
    salt = passwords.salt_for(ctx.forest.realm, draft.text(attr.SAM_ACCOUNT_NAME), is_computer=True)
    sha2 = passwords.wants_sha2(draft.integer(attr.MS_DS_SUPPORTED_ENCRYPTION_TYPES))
    return passwords.derive(_password(draft.sid, span), salt, sha2=sha2)


def enter(ctx: WriteContext, row: ObjectRow) -> None:
    """Put a managed account on the agenda, for the end of its password's span."""
    stored = _stored_span(ctx, row, attr.MS_DS_MANAGED_PASSWORD_ID)
    due = ctx.now if stored is None else stored.start_ft + _rollover(row)
    ctx.tx.put_due(Due(ROLL, row.dnt, b"", due))


def stored(ctx: WriteContext, dnt: Dnt, draft: Draft) -> None:
    """After a new object was stored: the roll of a managed account is planned."""
    if draft.plan.structural.class_id in MANAGED_ACCOUNT_CLASSES:
        revived(ctx, dnt)


def revived(ctx: WriteContext, dnt: Dnt) -> None:
    """After an object was undeleted: the same."""
    row = ctx.tx.get(dnt)
    if row is not None and is_managed(row):
        enter(ctx, row)


def roll(ctx: WriteContext, row: ObjectRow) -> bool:
    """Write the passwords that the row is behind, as SYSTEM; whether there were any."""
    assert ctx.unrestricted
    plan = schedule(ctx, row)
    if plan.writes == 0:
        return False
    spans = [plan.current] if plan.writes == 1 or plan.previous is None else [plan.previous, plan.current]
    for span in spans:
        now = ctx.tx.get(row.dnt)
        assert now is not None
        draft = draft_of(ctx, now)
        prepared = passwords.prepare_row(ctx, now, password_of(now, span))
        passwords.store_password(ctx, draft, prepared, change=False)
        if span is plan.current:
            draft.put(attr.MS_DS_MANAGED_PASSWORD_ID, _identifier(ctx, span))
            before = () if plan.previous is None else (_identifier(ctx, plan.previous),)
            draft.put(attr.MS_DS_MANAGED_PASSWORD_PREVIOUS_ID, *before)
        save(ctx, draft)
    return True


def roll_step(ctx: WriteContext) -> bool:
    """Roll some accounts whose time has come; whether more are waiting."""
    due = ctx.tx.due(ROLL, ctx.now, _BATCH)
    for work in due:
        row = ctx.tx.get(work.dnt)
        if row is None or not is_managed(row):
            ctx.tx.drop_due(ROLL, work.dnt)
            continue
        try:
            roll(ctx, row)
        except DsError:  # no root key serves: looked at again when its next span begins
            ctx.tx.put_due(Due(ROLL, work.dnt, b"", ctx.now + gkdi.KEY_CYCLE_FT))
            continue
        fresh = ctx.tx.get(work.dnt)
        assert fresh is not None
        enter(ctx, fresh)
    return len(due) == _BATCH


# --- msDS-ManagedPassword ----------------------------------------------------------------------------------


def may_retrieve(row: ObjectRow, requester: Token) -> bool:
    """Whether msDS-GroupMSAMembership lets somebody have the password. Spec: [MS-ADTS] 3.1.1.4.4.

    Raises DsError(ERROR_DS_CANT_RETRIEVE_ATTRS) where the account has no such descriptor.
    """
    assert row.sid is not None
    value = entry.first(row, attr.MS_DS_GROUP_MSA_MEMBERSHIP)
    sd = None if value is None else _descriptor(value)
    if sd is None or sd.dacl is None:  # none at all would open the password to everybody
        raise DsError(Win32.ERROR_DS_CANT_RETRIEVE_ATTRS, "nobody is named who may retrieve the password")
    return evaluate(sd, requester, Sid(row.sid)).has(rights.READ_PROPERTY)


def _descriptor(value: bytes) -> SecurityDescriptor | None:
    try:
        return SecurityDescriptor.unpack(value)
    except DecodeError:
        return None


def note_fetch(ctx: ReadContext, row: ObjectRow, *, success: bool) -> None:
    """Have it written down who read a managed password, or tried to; no SACL is asked."""
    ctx.audits.append(
        AuditRecord(
            event=AuditEvent.PASSWORD_FETCHED if success else AuditEvent.PASSWORD_FETCH_REFUSED,
            success=success,
            when_ft=ctx.now,
            subject=ctx.requester.user,
            dn=names.dn_of_row(ctx, row),
            guid=row.guid,
            object_class="msDS-GroupManagedServiceAccount",
            access_mask=rights.READ_PROPERTY,
            attribute="msDS-ManagedPassword",
        )
    )


def blob(ctx: ReadContext, row: ObjectRow) -> ManagedPasswordBlob:
    """What msDS-ManagedPassword tells at ctx.now. Spec: [MS-ADTS] 3.1.1.4.5.39."""
    plan = schedule(ctx, row)
    left = plan.expiry_ft - ctx.now
    skew = gkdi.MAX_CLOCK_SKEW_FT
    if left <= skew:
        coming = _span_at(ctx, plan.expiry_ft)
        current, previous = password_of(row, coming), password_of(row, plan.current)
        unchanged = left + _rollover(row) - skew
        return ManagedPasswordBlob(current.reveal(), previous.reveal(), left, unchanged)
    before = None if plan.previous is None else password_of(row, plan.previous).reveal()
    return ManagedPasswordBlob(password_of(row, plan.current).reveal(), before, left, left - skew)
