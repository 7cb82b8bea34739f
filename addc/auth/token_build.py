"""The token of a client that proved itself with a Kerberos ticket.

A PAC says who it is and in which groups the KDC put it; the DC adds what membership here adds (its own
domain-local and built-in groups, privileges). Without a PAC the directory itself is asked.

Spec: [MS-PAC] 4.1.2.2, [MS-KILE] 3.4.5.3
"""

from typing import Final

from addc.auth.gss import AuthError, Peer
from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.codec.pac import KerbValidationInfo, Pac, PacType, unpack_logon_info
from addc.directory import accounts, groups
from addc.directory.context import Fact, ReadContext
from addc.security.token import Token

_KEPT: Final[Fact[dict[bytes, Token]]] = Fact()
_KEPT_MAX: Final = 4096


def token_of_peer(ctx: ReadContext, peer: Peer) -> Token:
    """The requester's token. Raises AuthError where the ticket names nobody that this DC knows."""
    if peer.pac is None:
        return _token_by_name(ctx, peer.principal)
    try:
        logon_info = Pac.unpack(peer.pac).get(PacType.LOGON_INFO)
    except DecodeError as error:
        raise AuthError(f"the PAC of {peer.principal} cannot be read: {error}") from None
    if logon_info is None:
        raise AuthError(f"the PAC of {peer.principal} has no logon information")
    kept = _KEPT.get(ctx, int(ctx.tx.usn), dict)
    token = kept.get(logon_info)
    if token is not None:
        return token
    try:
        token = _token_of_logon_info(ctx, unpack_logon_info(logon_info))
    except DecodeError as error:
        raise AuthError(f"the PAC of {peer.principal} cannot be read: {error}") from None
    if len(kept) >= _KEPT_MAX:
        kept.clear()
    kept[logon_info] = token
    return token


def _token_by_name(ctx: ReadContext, principal: str) -> Token:
    name, at, realm = principal.rpartition("@")
    if not at or realm != ctx.forest.realm:
        raise AuthError(f"{principal} is not of this realm and has no PAC")
    account = accounts.find_by_sam(ctx, name)
    if account is None:
        raise AuthError(f"{principal} has no account here")
    return groups.token_for(ctx, account.dnt)


def _token_of_logon_info(ctx: ReadContext, info: KerbValidationInfo) -> Token:
    domain = info.logon_domain_id
    if domain != ctx.forest.domain_sid:
        # No domain is trusted; a SID such as S-1-5-18 is no domain's.
        raise AuthError("the PAC is of no domain that is trusted")
    sids: set[Sid] = {domain.child(group.relative_id) for group in info.group_ids or ()}
    sids |= {extra.sid for extra in info.extra_sids or () if extra.sid is not None}
    if info.resource_group_domain_sid is not None:
        sids |= {info.resource_group_domain_sid.child(g.relative_id) for g in info.resource_group_ids or ()}
    user = domain.child(info.user_id)
    return groups.token_of_sids(ctx, user, sids, primary_group=domain.child(info.primary_group_id))
