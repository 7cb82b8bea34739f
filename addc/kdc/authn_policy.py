"""Authentication policies in the KDC: from which devices, to which services, for how long.

What is refused is refused before anything is proved: a guessed password is not even looked at.

Spec: [MS-KILE] 3.3.5.5, 3.3.5.6, 3.3.5.7.
"""

from collections.abc import Iterable
from functools import lru_cache

from addc.codec.ids import Sid
from addc.codec.pac import Pac
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import KdcRefusal, Membership, Principal
from addc.kdc.fast_device import Device
from addc.kdc.policy import PROTECTED_USERS_AGE, KdcPolicy
from addc.security import wellknown
from addc.security.authn_policy import AuthnPolicy, refusal
from addc.security.pac_identity import Identity, claims_in, identity_of
from addc.security.token import LOGON_SIDS, Claim, Claims, Token, build_token


@lru_cache(maxsize=1024)
def requester(pac: Pac, local_sids: frozenset[Sid] = frozenset(), device: Device | None = None) -> Token:
    """The token of a PAC's holder in checks that the KDC makes itself. Raises DecodeError.

    local_sids: groups that only this domain knows. device: counts although the PAC says nothing of it.
    """
    identity = identity_of(pac)
    claims = identity.claims if device is None else _with_device(identity.claims.user, device)
    return build_token(
        identity.user, (*identity.sids, *local_sids), primary_group=identity.primary_group, claims=claims
    )


def logging_on(
    client: Principal, membership: Membership, asserted: Iterable[Sid], device: Device | None
) -> Token:
    """The token of a client of the AS exchange, as its PAC will say."""
    domain = client.sid.domain()
    sids = [domain.child(rid) for rid in (*membership.domain_rids, *membership.resource_rids)]
    user = claims_in(membership.claims)
    return build_token(
        client.sid,
        (*sids, *membership.other_sids, *membership.builtin, *asserted, wellknown.CLAIMS_VALID),
        primary_group=domain.child(client.primary_group_id),
        claims=Claims(user) if device is None else _with_device(user, device),
    )


def _with_device(user: tuple[Claim, ...], device: Device) -> Claims:
    """Its claims count where its own ticket says that they are valid."""
    identity: Identity = identity_of(device.pac)
    sids = identity.sids | device.local_sids | LOGON_SIDS
    return Claims(user, identity.claims.user, device_sids=sids)


def check_from(policy: AuthnPolicy | None, device: Device | None) -> None:
    """Refuse a client on a device that its policy does not allow, or that shows none. Raises DecodeError.

    For the policy, the device is the user: its claims are what a condition calls the user's.
    Spec: [MS-KILE] 3.3.5.6 (AllowedToAuthenticateFrom).
    """
    if policy is None or not policy.enforced or policy.allowed_from is None:
        return
    if device is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY, NtStatus.STATUS_INVALID_WORKSTATION)
    why = refusal(policy.allowed_from, requester(device.pac, device.local_sids))
    if why is NtStatus.STATUS_AUTHENTICATION_FIREWALL_FAILED:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY, NtStatus.STATUS_INVALID_WORKSTATION)
    if why is not None:
        raise KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC)


def check_to(server: Principal, client: Token) -> None:
    """Refuse a client that a service's policy does not allow; every account may come to itself.

    Spec: [MS-KILE] 3.3.5.7 (AllowedToAuthenticateTo).
    """
    policy = server.policy
    assert policy is not None and restricts_clients(server)
    if client.user == server.sid or policy.allowed_to is None:
        return
    why = refusal(policy.allowed_to, client)
    if why is not None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY, why)


def restricts_clients(server: Principal) -> bool:
    """Whether it matters who comes to this service."""
    policy = server.policy
    return policy is not None and policy.enforced and policy.allowed_to is not None


def tgt_ages(client: Principal, policy: KdcPolicy, protected: bool) -> tuple[int, int]:
    """How long a TGT may last, and how long it may be renewed; in 100 ns.

    A policy of the account's own goes before what is said of Protected Users, and what it allows is nothing
    that could be renewed for longer. Spec: [MS-KILE] 3.3.5.6.
    """
    own = client.policy
    if own is not None and own.enforced and own.tgt_lifetime:
        if own.tgt_lifetime < 0:
            raise KdcRefusal(KrbErrorCode.KDC_ERR_NEVER_VALID, NtStatus.STATUS_TIME_DIFFERENCE_AT_DC)
        age = min(policy.max_ticket_age, own.tgt_lifetime)
        return age, age
    if protected:
        return min(policy.max_ticket_age, PROTECTED_USERS_AGE), min(policy.max_renew_age, PROTECTED_USERS_AGE)
    return policy.max_ticket_age, policy.max_renew_age
