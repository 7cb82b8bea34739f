"""The Kerberos policy of the domain: how long tickets live.

Names and units are those of the Default Domain Policy's security template, which holds them for everybody
(gpo_apply.py). What is in force stands as state of the store beside it: all worker processes and hosts of one
database heed a change at their next request.

Spec: [MS-GPSB] 2.2.2 (Kerberos Policy), [MS-KILE] 3.3.1.
"""

import json
from dataclasses import asdict, dataclass, fields
from typing import Final

from addc.base.clock import DAY_FT, HOUR_FT, MINUTE_FT
from addc.base.errors import UserError
from addc.directory import sysvol_watch
from addc.directory.context import ReadContext, WriteContext

_STATE: Final = "kerberos.policy"
LIMITS: Final = {
    "max_ticket_age_h": (1, 99_999),
    "max_renew_age_d": (0, 99_999),
    "max_service_age_min": (10, 99_999),
    "max_clock_skew_min": (1, 99_999),
}
"""Least and greatest value of each number, as Windows' editor of policies has them."""


@dataclass(frozen=True, slots=True)
class KerberosPolicy:
    """MaxTicketAge, MaxRenewAge, MaxServiceAge, MaxClockSkew and TicketValidateClient.

    max_renew_age_d: 0 for tickets that cannot be renewed. validate_client: the account is looked at again for
    each service ticket.
    """

    max_ticket_age_h: int = 10
    max_renew_age_d: int = 7
    max_service_age_min: int = 600
    max_clock_skew_min: int = 5
    validate_client: bool = True

    @property
    def max_ticket_age_ft(self) -> int:
        return self.max_ticket_age_h * HOUR_FT

    @property
    def max_renew_age_ft(self) -> int:
        return self.max_renew_age_d * DAY_FT

    @property
    def max_service_age_ft(self) -> int:
        return self.max_service_age_min * MINUTE_FT

    @property
    def max_clock_skew_ft(self) -> int:
        return self.max_clock_skew_min * MINUTE_FT


DEFAULT: Final = KerberosPolicy()


def check(policy: KerberosPolicy) -> None:
    """Raises UserError for a policy that Windows would not take either."""
    for name, (low, high) in LIMITS.items():
        value = getattr(policy, name)
        if not low <= value <= high:
            raise UserError(
                f"{name} is {value}: it has to be from {low} to {high}. Next step: choose another."
            )
    if policy.max_service_age_min > policy.max_ticket_age_h * 60:
        raise UserError(
            f"Service tickets of {policy.max_service_age_min} minutes would outlive the tickets behind them "
            f"({policy.max_ticket_age_h} hours). Next step: set both, or a shorter max_service_age_min."
        )
    if policy.max_renew_age_d and policy.max_renew_age_d * 24 < policy.max_ticket_age_h:
        raise UserError(
            f"Tickets of {policy.max_ticket_age_h} hours would outlive their renewal "
            f"({policy.max_renew_age_d} days). Next step: set both, or 0 days for no renewal."
        )


def read(ctx: ReadContext) -> KerberosPolicy:
    """The policy in force."""
    return stored(ctx) or DEFAULT


def stored(ctx: ReadContext) -> KerberosPolicy | None:
    """What was set, None where nothing ever was; what a newer program added is not heeded."""
    found = ctx.tx.state(_STATE)
    if found is None:
        return None
    held = json.loads(found)
    known = {one.name: held[one.name] for one in fields(KerberosPolicy) if one.name in held}
    return KerberosPolicy(**known)


def write(ctx: WriteContext, policy: KerberosPolicy) -> None:
    """Put a policy in force; the template is told shortly after. Raises UserError where it makes no sense."""
    check(policy)
    sysvol_watch.due(ctx)
    ctx.tx.set_state(_STATE, json.dumps(asdict(policy), sort_keys=True).encode())
