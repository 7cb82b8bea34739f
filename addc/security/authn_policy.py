"""What an authentication policy says about an account, and whether a requester satisfies it.

Spec: [MS-KILE] 3.3.1.1, 3.3.5.5, [MS-ADSC] 2.120, [MS-APDS] 3.1.5.
"""

from dataclasses import dataclass

from addc.base.errors import DsError
from addc.codes.ntstatus import NtStatus
from addc.security.access_check import access_check
from addc.security.access_mask import AccessMask
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import Token


@dataclass(frozen=True, slots=True)
class AuthnPolicy:
    """The policy that applies to an account, as of its class.

    silo: name of the silo that the policy comes from. enforced: False for one that only audits.
    tgt_lifetime: 100 ns, 0 for none. allowed_from: what devices must satisfy. allowed_to: what clients of the
    account must satisfy. ntlm_allowed: NTLM may be used although it shows no device.
    strong_ntlm: msDS-StrongNTLMPolicy, which tells clients how to treat NTLM secrets.
    """

    name: str
    enforced: bool
    silo: str | None = None
    tgt_lifetime: int = 0
    allowed_from: SecurityDescriptor | None = None
    allowed_to: SecurityDescriptor | None = None
    ntlm_allowed: bool = False
    strong_ntlm: int = 0


def refusal(descriptor: SecurityDescriptor, token: Token) -> NtStatus | None:
    """Why `token` does not satisfy a policy's descriptor, None if it does.

    One without an owner is not valid: nobody satisfies it.
    """
    if descriptor.owner is None:
        return NtStatus.STATUS_INVALID_PARAMETER
    try:
        access_check(descriptor, token, AccessMask.RIGHT_DS_CONTROL_ACCESS)
    except DsError:
        return NtStatus.STATUS_AUTHENTICATION_FIREWALL_FAILED
    return None


def ntlm_refusal(policy: AuthnPolicy | None) -> NtStatus | None:
    """Why a client may not prove itself by password alone, which shows no device: NTLM and simple binds.

    Spec: [MS-APDS] 3.1.5.1, 3.1.5.2.
    """
    if policy is None or not policy.enforced or policy.allowed_from is None or policy.ntlm_allowed:
        return None
    return NtStatus.STATUS_ACCOUNT_RESTRICTION


def ntlm_server_refusal(policy: AuthnPolicy | None, client: Token, server_is_client: bool) -> NtStatus | None:
    """Why a client may not log on by NTLM to a server. policy: the server's.

    An account may always log on to itself.
    """
    if policy is None or not policy.enforced or policy.allowed_to is None or server_is_client:
        return None
    return refusal(policy.allowed_to, client)
