"""The token of a client that proved itself with a Kerberos ticket.

A PAC says who it is, in which groups the KDC put it, what is claimed of it and of its device; the DC adds
what membership here adds (its own domain-local and built-in groups, privileges). Tickets for a DC have one
whoever asks for them: without it there is a name alone, which may have been another's when it was written
(CVE-2021-42287).

Spec: [MS-PAC] 4.1.2.2, [MS-KILE] 3.4.5.3
"""

from typing import Final

from addc.auth.gss import AuthError, Peer
from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.codec.pac import Pac, PacType, unpack_logon_info
from addc.directory import accounts, groups, lsa_accounts, trusts
from addc.directory.context import Fact, ReadContext
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.security.pac_identity import identity_of, sids_of
from addc.security.sid_filter import PacRefusedError, filtered_logon
from addc.security.token import Claims, Token
from addc.security.trusts import TrustDirection

_KEPT: Final[Fact[dict[tuple[object, ...], Token]]] = Fact()
"""By what the PAC says, and the version of what memberships and the LSA's rights add to it."""
_KEPT_MAX: Final = 4096
_SAYS_WHO: Final = frozenset(
    int(kind)
    for kind in (
        PacType.LOGON_INFO,
        PacType.CLIENT_CLAIMS_INFO,
        PacType.DEVICE_INFO,
        PacType.DEVICE_CLAIMS_INFO,
    )
)
"""The buffers that a token is made of; times and names differ from ticket to ticket."""


def token_of_peer(ctx: ReadContext, peer: Peer) -> Token:
    """The requester's token. Raises AuthError where the ticket names nobody that this DC lets in."""
    if peer.pac is None:
        raise AuthError(f"the ticket of {peer.principal} has no PAC")
    try:
        pac = Pac.unpack(peer.pac)
        says = (groups.links_version(ctx), *[one for one in pac.buffers if one[0] in _SAYS_WHO])
        kept = _KEPT.get(ctx, int(ctx.tx.usn), dict)
        token = kept.get(says)
        if token is not None:
            return token
        token = _token_of_pac(ctx, pac)
    except DecodeError as error:
        raise AuthError(f"the PAC of {peer.principal} cannot be read: {error}") from None
    if not lsa_accounts.may_log_on_from_network(ctx, token.sids):
        raise AuthError(f"{peer.principal} has no right to log on to this DC from the network")
    if len(kept) >= _KEPT_MAX:
        kept.clear()
    kept[says] = token
    return token


def _token_of_pac(ctx: ReadContext, pac: Pac) -> Token:
    found = identity_of(pac)
    if found.domain != ctx.forest.domain_sid:
        return _foreign_token(ctx, pac, found.claims)
    sids = found.sids
    if _is_dc(ctx, found.user, sids):
        sids |= {wellknown.ENTERPRISE_DOMAIN_CONTROLLERS}
    return groups.token_of_sids(ctx, found.user, sids, primary_group=found.primary_group, claims=found.claims)


def _is_dc(ctx: ReadContext, user: Sid, sids: frozenset[Sid]) -> bool:
    """Whether this is a DC of our domain: its PAC says its group, its account that it is one."""
    if user.domain().child(wellknown.RID_DOMAIN_CONTROLLERS) not in sids:
        return False
    account = accounts.find_by_sid(ctx, user)
    return account is not None and account.has(UserAccountControl.UF_SERVER_TRUST_ACCOUNT)


def _foreign_token(ctx: ReadContext, pac: Pac, claims: Claims) -> Token:
    """The token of a trusted domain's user: what the trust lets pass, and what membership here adds.

    The KDC here has filtered the PAC already, which counts for nothing: it is filtered again, and its own
    domain's groups in it are looked up anew.
    """
    logon = pac.get(PacType.LOGON_INFO)
    assert logon is not None
    info = unpack_logon_info(logon)
    for one in trusts.trusted_domains(ctx):
        if not one.direction & TrustDirection.OUTBOUND:
            continue
        try:
            user, *held = sids_of(filtered_logon(info, trusts.scope(ctx, one)))
        except PacRefusedError:
            continue
        primary = user.domain().child(info.primary_group_id)
        return groups.token_of_sids(ctx, user, held, primary_group=primary, claims=claims)
    raise AuthError("the PAC is of no domain that is trusted")
