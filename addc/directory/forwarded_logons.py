"""What read-only DCs and other DCs forward of logons: a good one after bad ones, and when accounts logged on.

A read-only DC is believed of accounts alone whose secrets it may hold.

Spec: [MS-SAMS] 2.2.3, 2.2.7, 3.3.5.3, 3.3.5.6; [MS-NRPC] 3.5.4.8.4.
"""

from collections.abc import Sequence

from addc.base.ids import Dnt
from addc.directory import accounts
from addc.directory.constructed_rodc import RevealSecretsPolicy, reveal_policy
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import draft_of
from addc.directory.stamp import save
from addc.schema import attr
from addc.store.objects import ObjectRow


def _believed(ctx: ReadContext, row: ObjectRow | None, rodc: Dnt | None) -> bool:
    """Whether the sender's word counts for this account. rodc: None for a DC with all secrets."""
    if row is None or not accounts.is_account(row) or row.nc != ctx.forest.domain_nc:
        return False
    if rodc is None:
        return True
    sender = ctx.tx.get(rodc)
    return sender is not None and (
        reveal_policy(ctx, sender, row) is RevealSecretsPolicy.REVEAL_SECRETS_ALLOW
    )


def reset_bad_passwords(ctx: WriteContext, guid: bytes, rodc: Dnt | None) -> bool:
    """Forget the wrong passwords of an account; False where there is none, or the sender has no say."""
    row = ctx.tx.by_guid(guid)
    if row is None or not _believed(ctx, row, rodc):
        return False
    draft = draft_of(ctx, row)
    if draft.integer(attr.BAD_PWD_COUNT):
        draft.put(attr.BAD_PWD_COUNT, b"0")
        save(ctx, draft)
    return True


def note_logons(ctx: WriteContext, times: Sequence[tuple[int, int]], rodc: Dnt | None) -> None:
    """lastLogonTimestamp of accounts, by RID and FILETIME; what is older than is known changes nothing."""
    for rid, when in times:
        found = accounts.find_by_sid(ctx, ctx.forest.domain_sid.child(rid))
        row = None if found is None else ctx.tx.get(found.dnt)
        if found is None or row is None or not _believed(ctx, row, rodc):
            continue
        if found.last_logon_timestamp < when <= ctx.now:
            draft = draft_of(ctx, row)
            draft.put_integer(attr.LAST_LOGON_TIMESTAMP, when)
            save(ctx, draft)
