"""Read-only DCs as the KDC's facts: whose krbtgt has which number, and whom an RODC may know.

Spec: [MS-DRSR] 4.1.10.5.14, [MS-ADTS] 6.1.1.3.2 (msDS-KrbTgtLink, msDS-SecondaryKrbTgtNumber).
"""

from collections.abc import Iterator

from addc.directory import accounts, constructed_rodc, entry
from addc.directory.accounts import Account
from addc.directory.constructed_rodc import RevealSecretsPolicy
from addc.directory.context import ReadContext
from addc.schema import attr
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.store.objects import ObjectRow


def _rodcs(ctx: ReadContext) -> Iterator[tuple[int, ObjectRow, ObjectRow]]:
    """Number, computer and krbtgt of each RODC of the domain."""
    rid = wellknown.RID_READONLY_DOMAIN_CONTROLLERS
    for computer in accounts.indexed(ctx, attr.PRIMARY_GROUP_ID, str(rid)):
        flags = entry.integer(computer, attr.USER_ACCOUNT_CONTROL)
        if flags & UserAccountControl.UF_PARTIAL_SECRETS_ACCOUNT:
            for krbtgt in constructed_rodc.krbtgts(ctx, computer):
                number = entry.integer(krbtgt, attr.MS_DS_SECONDARY_KRB_TGT_NUMBER)
                if number:
                    yield number, computer, krbtgt


def krbtgt_accounts(ctx: ReadContext) -> dict[int, Account]:
    """The krbtgt account of each RODC, by its number."""
    return {number: accounts.account(ctx, krbtgt) for number, _, krbtgt in _rodcs(ctx)}


def is_revealed(ctx: ReadContext, number: int, client: Account) -> bool:
    """Whether the RODC of that number may hold the secrets of an account."""
    row = ctx.tx.get(client.dnt)
    allowed = RevealSecretsPolicy.REVEAL_SECRETS_ALLOW
    return row is not None and any(
        found == number and constructed_rodc.reveal_policy(ctx, computer, row) is allowed
        for found, computer, _ in _rodcs(ctx)
    )
