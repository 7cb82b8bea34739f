"""Read-only DCs as the KDC's facts: whose krbtgt has which number, whom an RODC may know and knows.

Spec: [MS-DRSR] 4.1.10.5.14, [MS-ADTS] 6.1.1.3.2 (msDS-KrbTgtLink, msDS-SecondaryKrbTgtNumber,
msDS-RevealedUsers).
"""

from collections.abc import Iterator

from addc.directory import accounts, constructed_rodc, entry
from addc.directory.accounts import Account
from addc.directory.constructed_rodc import RevealSecretsPolicy
from addc.directory.context import ReadContext
from addc.kdc.facts import Membership, RodcClient
from addc.schema import attr
from addc.security.account_flags import UserAccountControl
from addc.store.objects import ObjectRow, ObjectState


def krbtgt_accounts(ctx: ReadContext) -> dict[int, tuple[Account, bool]]:
    """The krbtgt accounts of RODCs by their number, each with whether an RODC has it."""
    dnts = ctx.tx.index_range(attr.MS_DS_SECONDARY_KRB_TGT_NUMBER, None, None)
    rows = [row for row in ctx.tx.get_many(dnts) if row.state is ObjectState.LIVE] if dnts else []
    return {
        entry.integer(row, attr.MS_DS_SECONDARY_KRB_TGT_NUMBER): (
            accounts.account(ctx, row),
            any(True for _ in _computers(ctx, row)),
        )
        for row in rows
        if accounts.is_account(row)
    }


def _computers(ctx: ReadContext, krbtgt: ObjectRow) -> Iterator[ObjectRow]:
    """The RODC that makes tickets with this krbtgt."""
    back = ctx.schema.attribute("msDS-KrbTgtLinkBl")
    if back is None:
        return
    for link in entry.live_back_links(ctx, krbtgt, back):
        row = ctx.tx.get(link.source)
        if row is None or row.state is not ObjectState.LIVE:
            continue
        if entry.integer(row, attr.USER_ACCOUNT_CONTROL) & UserAccountControl.UF_PARTIAL_SECRETS_ACCOUNT:
            yield row


def client_facts(ctx: ReadContext, number: int, client: Account, groups: Membership) -> RodcClient:
    """What the RODC of that number may say of an account."""
    row = ctx.tx.get(client.dnt)
    krbtgts = accounts.indexed(ctx, attr.MS_DS_SECONDARY_KRB_TGT_NUMBER, str(number))
    computers = [one for krbtgt in krbtgts for one in _computers(ctx, krbtgt)]
    if row is None:
        return RodcClient(groups)
    allow = RevealSecretsPolicy.REVEAL_SECRETS_ALLOW
    return RodcClient(
        groups,
        any(constructed_rodc.reveal_policy(ctx, one, row) is allow for one in computers),
        any(_is_revealed(ctx, one, row) for one in computers),
    )


def _is_revealed(ctx: ReadContext, computer: ObjectRow, user: ObjectRow) -> bool:
    """Whether secrets of the account went to the RODC, which has its own from the start."""
    if user.dnt == computer.dnt:
        return True
    attribute = ctx.schema.attribute_by_id(attr.MS_DS_REVEALED_USERS)
    if attribute is None:
        return False
    found = ctx.tx.links(
        entry.link_base(attribute), computer.dnt, after=(user.dnt - 1, b"\xff" * 81), limit=1
    )
    return any(link.target == user.dnt for link in found)
