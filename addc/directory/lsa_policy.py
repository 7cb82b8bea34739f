"""What administrators set of a DC's local policy: what is audited, a replica's source, who may do what.

Kept as state of the store, like the rights of accounts: it is policy of this domain's DCs and no object.

Spec: [MS-LSAD] 3.1.1.1.
"""

import json
from dataclasses import asdict, dataclass
from typing import Final

from addc.directory.context import Fact, ReadContext, WriteContext

_STATE: Final = "lsa.policy"
AUDIT_CATEGORIES: Final = 9
"""POLICY_AUDIT_EVENT_TYPE has so many, [MS-LSAD] 2.2.4.20."""
_KEPT: Final[Fact["LsaPolicy"]] = Fact()


@dataclass(frozen=True, slots=True)
class LsaPolicy:
    """auditing_mode and audit_options: what Windows Vista and later begin with ([MS-LSAD] <41>).

    replica_source, replica_account: obsolete texts, kept for who asks. descriptor: of the policy object, in
    hexadecimal; empty for the default one. efs: an EFS policy in hexadecimal, None where none was ever set.
    """

    auditing_mode: bool = True
    audit_options: tuple[int, ...] = (0,) * AUDIT_CATEGORIES
    replica_source: str = ""
    replica_account: str = ""
    descriptor: str = ""
    efs: str | None = None


DEFAULT: Final = LsaPolicy()


def read(ctx: ReadContext) -> LsaPolicy:
    """The policy in force."""
    return _KEPT.get(ctx, ctx.tx.seq, lambda: _read(ctx))


def _read(ctx: ReadContext) -> LsaPolicy:
    raw = ctx.tx.state(_STATE)
    if raw is None:
        return DEFAULT
    held = json.loads(raw)
    return LsaPolicy(**{**held, "audit_options": tuple(held["audit_options"])})


def write(ctx: WriteContext, policy: LsaPolicy) -> None:
    """Put a policy in force."""
    ctx.tx.set_state(_STATE, json.dumps(asdict(policy), sort_keys=True).encode())
    ctx.facts.pop(_KEPT, None)
