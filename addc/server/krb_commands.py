"""What the small words of `addc krb` do: roll-krbtgt, policy, spns."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from addc.base.clock import SystemClock
from addc.base.errors import UserError
from addc.directory import accounts, audit, kerberos_policy, krbtgt_roll, spn_report
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.kerberos_policy import KerberosPolicy
from addc.directory.krbtgt_roll import KrbtgtState
from addc.directory.spn_report import SpnReport
from addc.kdc.describe_values import time_text
from addc.security import wellknown
from addc.security.token import SYSTEM
from addc.server.command_log import audited


@dataclass(frozen=True, slots=True)
class Rolled:
    """A roll, or what it would be. was_young: it ended tickets that may have been in use."""

    before: KrbtgtState
    kvno: int
    was_young: bool
    dry_run: bool

    def words(self) -> str:
        """For people."""
        lines = [f"krbtgt: key version {self.before.kvno}, set {time_text(self.before.last_set)}."]
        ended = [version for version in self.before.versions if version != self.before.kvno]
        will = "would " if self.dry_run else ""
        lines.append(
            f"Key version {self.kvno} {'would be' if self.dry_run else 'is'} in force; tickets of version "
            f"{self.before.kvno} {will}live on."
        )
        if ended:
            lines.append(f"Tickets of version {', '.join(map(str, ended))} {will}end.")
        if self.was_young:
            lines.append("That was before the last ticket of theirs has ended: who holds one logs on again.")
        if self.dry_run:
            lines.append("Nothing was changed.")
        else:
            lines.append(
                "Next step: to end what was made before now, roll again when a ticket's lifetime has passed."
            )
        return "\n".join(lines)

    def facts(self) -> dict[str, object]:
        """For machines."""
        return {
            "done": not self.dry_run,
            "kvno_before": self.before.kvno,
            "kvno": self.kvno,
            "last_set": time_text(self.before.last_set),
            "survive": self.before.kvno,
            "ended": [version for version in self.before.versions if version != self.before.kvno],
            "ends_tickets_in_use": self.was_young,
        }


def roll(directory: Directory, *, dry_run: bool, force: bool) -> Rolled:
    """Roll krbtgt's key. Raises UserError inside a ticket's lifetime of the last roll, unless forced."""
    now = SystemClock().now()
    before = directory.read_now("krb.roll", SYSTEM, krbtgt_roll.state)
    if dry_run:
        return Rolled(before, before.kvno + 1, before.is_young(now), True)

    def work(ctx: WriteContext) -> tuple[KrbtgtState, KrbtgtState]:
        found = krbtgt_roll.state(ctx)
        if found.is_young(now) and not force:
            raise _too_young(found)
        rolled = krbtgt_roll.roll(ctx)
        _tell(ctx, found, rolled)
        return found, rolled

    found, rolled = audited(directory).write_now("krb.roll", SYSTEM, work)
    return Rolled(found, rolled.kvno, found.is_young(now), False)


def _too_young(found: KrbtgtState) -> UserError:
    return UserError(
        f"krbtgt was rolled at {time_text(found.last_set)}; until {time_text(found.quiet_from)} tickets of "
        "the key before may be in use, and this roll would end them. Next step: wait until then, or --force."
    )


def _tell(ctx: ReadContext, found: KrbtgtState, rolled: KrbtgtState) -> None:
    krbtgt = accounts.find_by_sid(ctx, ctx.forest.domain_sid.child(wellknown.RID_KRBTGT))
    assert krbtgt is not None
    audit.password_reset(ctx, krbtgt.dnt, f"krbtgt rolled from key version {found.kvno} to {rolled.kvno}")


def spns(directory: Directory) -> SpnReport:
    """All registered service names, and what is wrong with some."""
    return directory.read_now("krb.spns", SYSTEM, spn_report.report)


def policy(directory: Directory) -> KerberosPolicy:
    """The lifetimes in force."""
    return directory.read_now("krb.policy", SYSTEM, kerberos_policy.read)


def set_policy(directory: Directory, wanted: Mapping[str, int], *, dry_run: bool = False) -> KerberosPolicy:
    """Change some fields of the policy; the whole of it. Raises UserError where it would make no sense."""
    if dry_run:
        found = replace(policy(directory), **wanted)  # type: ignore[arg-type]
        kerberos_policy.check(found)
        return found

    def work(ctx: WriteContext) -> KerberosPolicy:
        before = kerberos_policy.read(ctx)
        fresh = replace(before, **wanted)  # type: ignore[arg-type]
        kerberos_policy.write(ctx, fresh)
        old, new = asdict(before), asdict(fresh)
        changed = [f"{name} {old[name]} -> {new[name]}" for name in new if old[name] != new[name]]
        if changed:
            audit.kerberos_policy_set(ctx, ", ".join(changed))
        return fresh

    return audited(directory).write_now("krb.policy", SYSTEM, work)
