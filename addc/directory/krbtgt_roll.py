"""A new password for krbtgt, and what that does to the tickets that are out there.

krbtgt's previous password is remembered, so tickets made before a roll live on; at the next roll they end.
After a compromise both are wanted, one ticket's lifetime apart, or at once where nothing may survive.

Spec: [MS-KILE] 3.1.5.8 (key versions), [MS-SAMR] 3.1.1.8.11.
"""

from dataclasses import dataclass

from addc.base.clock import FileTime
from addc.base.errors import UserError
from addc.base.secret import Secret
from addc.directory import accounts, entry, kerberos_policy, passwords
from addc.directory.context import ReadContext, WriteContext
from addc.schema import attr
from addc.security import wellknown
from addc.store.objects import ObjectRow


@dataclass(frozen=True, slots=True)
class KrbtgtState:
    """krbtgt's keys. versions: key versions that open tickets, newest first.

    last_set, quiet_from: FILETIME of the last roll, and from when on every ticket is of its key, so that
    another roll ends none.
    """

    dn: str
    kvno: int
    last_set: FileTime
    quiet_from: FileTime
    versions: tuple[int, ...]

    def is_young(self, now: FileTime) -> bool:
        """Whether tickets may be out that were made before the last roll."""
        return self.kvno > 1 and now < self.quiet_from


def state(ctx: ReadContext) -> KrbtgtState:
    """Raises UserError where the domain has no krbtgt."""
    row = _row(ctx)
    policy = kerberos_policy.read(ctx)
    last_set = entry.integer(row, attr.PWD_LAST_SET)
    account = accounts.account(ctx, row)
    versions = tuple(one.kvno for one in passwords.keys_of(ctx, row).generations()[:2])
    quiet_from = last_set + policy.max_ticket_age_ft + policy.max_clock_skew_ft
    return KrbtgtState(
        account.dn, passwords.key_version(row), FileTime(last_set), FileTime(quiet_from), versions
    )


def roll(ctx: WriteContext) -> KrbtgtState:
    """Give krbtgt a new random password; the state after it."""
    row = _row(ctx)
    prepared = passwords.prepare_row(ctx, row, Secret(b""))  # krbtgt gets a random one whatever is asked for
    passwords.set_password(ctx, row, prepared)
    return state(ctx)


def _row(ctx: ReadContext) -> ObjectRow:
    found = accounts.find_by_sid(ctx, ctx.forest.domain_sid.child(wellknown.RID_KRBTGT))
    row = None if found is None else ctx.tx.get(found.dnt)
    if row is None:
        raise UserError("The domain has no krbtgt. Next step: restore the database from a backup.")
    return row
