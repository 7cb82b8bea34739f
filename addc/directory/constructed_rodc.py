"""What a read-only DC may hold and holds of the secrets of others: attributes of its computer object.

Spec: [MS-ADTS] 3.1.1.4.5.32, 3.1.1.4.5.34, 3.1.1.4.5.35; [MS-DRSR] 4.1.10.5.14.
"""

from collections.abc import Iterator
from enum import IntEnum

from addc.base.errors import DecodeError, DsError
from addc.base.ids import AttId, Dnt
from addc.codec.blobs import PropertyMetaData, read_property_meta_data
from addc.codec.ids import Sid
from addc.directory import entry, groups, names, rights
from addc.directory.context import ReadContext
from addc.schema import attr
from addc.schema.wellknown import ExtendedRight
from addc.security.account_flags import UserAccountControl
from addc.store.objects import ObjectRow, ObjectState


class RevealSecretsPolicy(IntEnum):
    """Whether an RODC may hold the secrets of an account. Spec: [MS-DRSR] 4.1.10.5.13."""

    REVEAL_SECRETS_DENY = 0
    REVEAL_SECRETS_ALLOW = 1
    REVEAL_SECRETS_NO_POLICY = 2


def _is_rodc(row: ObjectRow) -> bool:
    flags = entry.integer(row, attr.USER_ACCOUNT_CONTROL)
    return bool(flags & UserAccountControl.UF_PARTIAL_SECRETS_ACCOUNT)


def _targets(ctx: ReadContext, row: ObjectRow, name: str) -> list[ObjectRow]:
    attribute = ctx.schema.attribute(name)
    if attribute is None:
        return []
    dnts = [link.target for link in entry.live_links(ctx, row, attribute)]
    return [one for one in ctx.tx.get_many(dnts) if one.state is ObjectState.LIVE]


def krbtgts(ctx: ReadContext, rodc: ObjectRow) -> list[ObjectRow]:
    """The krbtgt account that an RODC makes tickets with."""
    return _targets(ctx, rodc, "msDS-KrbTgtLink")


def reveal_policy(ctx: ReadContext, rodc: ObjectRow, user: ObjectRow) -> RevealSecretsPolicy:
    """GetRevealSecretsPolicyForUser. Spec: [MS-DRSR] 4.1.10.5.14."""
    if user.dnt == rodc.dnt or any(one.dnt == user.dnt for one in krbtgts(ctx, rodc)):
        return RevealSecretsPolicy.REVEAL_SECRETS_ALLOW
    back = ctx.schema.attribute("msDS-KrbTgtLinkBl")
    if back is not None and entry.live_back_links(ctx, user, back):
        return RevealSecretsPolicy.REVEAL_SECRETS_DENY
    flags = entry.integer(user, attr.USER_ACCOUNT_CONTROL)
    if flags & UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT:
        return RevealSecretsPolicy.REVEAL_SECRETS_DENY
    sids: set[Sid] = set()
    if user.sid is not None:
        sids = {Sid(user.sid), *groups.account_groups(ctx, user.dnt).all_sids()}
    for name, policy in (
        ("msDS-NeverRevealGroup", RevealSecretsPolicy.REVEAL_SECRETS_DENY),
        ("msDS-RevealOnDemandGroup", RevealSecretsPolicy.REVEAL_SECRETS_ALLOW),
    ):
        for target in _targets(ctx, rodc, name):
            if target.sid is not None and Sid(target.sid) in sids:
                return policy
    return RevealSecretsPolicy.REVEAL_SECRETS_NO_POLICY


def is_user_cachable(ctx: ReadContext, computer: ObjectRow | None, principal: str | None) -> list[bytes]:
    """msDS-IsUserCachableAtRodc of a computer object.

    principal: what LDAP_SERVER_DN_INPUT_OID names, the requester without it.
    """
    root = ctx.tx.get(ctx.forest.domain_nc)
    right = ExtendedRight.READ_ONLY_REPLICATION_SECRET_SYNCHRONIZATION.bytes_le
    if computer is None or not _is_rodc(computer) or root is None:
        return []
    if not rights.holds_right(ctx, root, right):
        return []
    user: ObjectRow | None
    if principal is not None:
        try:
            user = names.resolve(ctx, principal)
        except DsError:
            return []
    else:
        found = ctx.tx.by_sid(bytes(ctx.requester.user))
        user = next((one for one in found if one.state is ObjectState.LIVE), None)
    return [] if user is None else [b"%d" % reveal_policy(ctx, computer, user)]


def _is_current(user: ObjectRow, revealed: PropertyMetaData) -> bool:
    """Whether the value that was revealed is still the value: their stamps are the same."""
    stamp = user.meta.get(AttId(revealed.att_id))
    return stamp is not None and (stamp.version, stamp.invocation_id, stamp.originating_usn) == (
        revealed.version,
        revealed.invocation_id,
        revealed.originating_usn,
    )


def _revealed(ctx: ReadContext, user: ObjectRow, data: bytes) -> str | None:
    """Name of the attribute whose present value was revealed; None for one that has changed since."""
    try:
        revealed = read_property_meta_data(data)
    except DecodeError:
        return None
    attribute = ctx.schema.attribute_by_id(revealed.att_id)
    return attribute.name if attribute is not None and _is_current(user, revealed) else None


def _ends(ctx: ReadContext, row: ObjectRow, *, back: bool) -> Iterator[tuple[ObjectRow, bytes]]:
    attribute = ctx.schema.attribute_by_id(attr.MS_DS_REVEALED_USERS)
    if attribute is None or attribute.link_id is None:
        return
    ends = ctx.tx.link_ends(entry.link_base(attribute), row.dnt, back=back)
    rows = {one.dnt: one for one in ctx.tx.get_many(list(dict.fromkeys(Dnt(end) for end, _ in ends)))}
    for end, data in ends:
        if Dnt(end) in rows:
            yield rows[Dnt(end)], data


def revealed_list(ctx: ReadContext, row: ObjectRow) -> list[bytes]:
    """msDS-RevealedList: references to the accounts with the names of the attributes that the RODC holds."""
    if not _is_rodc(row):
        return []
    found = []
    for user, data in _ends(ctx, row, back=False):
        name = _revealed(ctx, user, data)
        if name is not None:
            found.append(names.reference(user.dnt, name.encode()))
    return list(dict.fromkeys(found))


def revealed_list_back(ctx: ReadContext, row: ObjectRow) -> list[bytes]:
    """msDS-RevealedListBL: references to the RODCs that hold a present secret of the account."""
    found = [rodc.dnt for rodc, data in _ends(ctx, row, back=True) if _revealed(ctx, row, data) is not None]
    return [names.reference(dnt) for dnt in dict.fromkeys(found)]
