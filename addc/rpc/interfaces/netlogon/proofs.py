"""Logons that members pass on, judged by the directory: which domain, whose response, what it is worth.

Spec: [MS-NRPC] 3.5.4.5.1, 3.5.4.5.1.1, 3.5.4.5.1.2; [MS-APDS] 3.1.5.
"""

from enum import Enum, auto
from typing import Final, NamedTuple

from addc.auth import ntlm_logon
from addc.auth.ntlm import Proof
from addc.auth.ntlm_logon import NtlmVerdict
from addc.auth.secure_channels import TRUST_TYPES, Channel, ChannelType
from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.codec.forest_trust import DomainInfo
from addc.codec.ntlm import AvId, NtlmV2Response
from addc.codes.ntstatus import NtStatus
from addc.directory import (
    accounts,
    groups,
    logon,
    logon_counters,
    managed_passwords,
    trust_namespaces,
    trusts,
)
from addc.directory.accounts import Account
from addc.directory.constructed_rodc import RevealSecretsPolicy, reveal_policy
from addc.directory.context import ReadContext
from addc.rpc.interfaces.netlogon import idl, validation
from addc.rpc.interfaces.netlogon.validation import NO_KEY, NTLMV2_ENABLED, Told
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.security.crypto.hashes import equal
from addc.security.trusts import TrustAttributes

ALLOW_SERVER_TRUST: Final = 0x20
ALLOW_WORKSTATION_TRUST: Final = 0x800
"""ParameterControl: accounts of DCs and of other computers may log on. Spec: 2.2.1.4.15 (E, K)."""


class Whose(Enum):
    """Whose account a logon is for."""

    OURS = auto()
    TRUSTED = auto()
    NOBODYS = auto()


class Judged(NamedTuple):
    """What one look at the directory says.

    told: where the logon is good. guessed_at: it takes the account's turn. due: it is worth a write.
    """

    verdict: NtlmVerdict
    told: Told | None = None
    guessed_at: bool = False
    due: bool = False


def whose(ctx: ReadContext, domain: str | None, user: str) -> Whose:
    """Which domain is meant; without a name this one, as with a principal name."""
    forest = ctx.forest
    folded = (domain or "").rstrip(".").lower()
    own = (forest.netbios.lower(), forest.dns_domain.lower(), forest.host.lower())
    if not folded or folded in own:
        if not folded and "@" in user:
            return _of_suffix(ctx, user.rpartition("@")[2])
        return Whose.OURS
    return Whose.TRUSTED if trusts.find(ctx, folded) is not None else Whose.NOBODYS


def _of_suffix(ctx: ReadContext, suffix: str) -> Whose:
    return Whose.TRUSTED if trusts.find(ctx, suffix) is not None else Whose.OURS


# --- network logons ----------------------------------------------------------------------------------------


def network(ctx: ReadContext, info: idl.NetlogonNetworkInfo, channel: Channel) -> tuple[Proof | None, Judged]:
    """A response to a member's challenge, as a proof and what it is worth.

    One of version 1 is as good as a wrong password, but counts for nothing.
    """
    identity = info.identity
    user, domain = identity.user_name or "", identity.logon_domain_name or ""
    try:
        proof = ntlm_logon.passed_through(
            user,
            domain,
            (identity.workstation or "").lstrip("\\"),
            info.lm_challenge,
            info.nt_challenge_response.data or b"",
        )
    except DecodeError:
        known = accounts.find_by_sam(ctx, user)
        status = NtStatus.STATUS_NO_SUCH_USER if known is None else NtStatus.STATUS_WRONG_PASSWORD
        return None, Judged(NtlmVerdict(status))
    refusal = _from_elsewhere(ctx, proof.response, channel)
    if refusal is not None:
        return proof, Judged(NtlmVerdict(refusal))
    verdict = ntlm_logon.judge(ctx, proof)
    return proof, _judged(ctx, verdict, identity.parameter_control, is_network=True)


def _judged(ctx: ReadContext, verdict: NtlmVerdict, control: int, *, is_network: bool) -> Judged:
    account = None if verdict.account is None else accounts.find_by_dnt(ctx, verdict.account)
    if account is None:
        return Judged(verdict)
    if verdict.status is not NtStatus.STATUS_SUCCESS:
        counts = verdict.is_guess and verdict.status is NtStatus.STATUS_WRONG_PASSWORD
        return Judged(verdict, guessed_at=counts and logon_counters.can_lock_out(ctx, account.dnt))
    refusal = _not_for_machines(account, control)
    if refusal is not None:
        return Judged(NtlmVerdict(refusal, account.dnt))
    key = NO_KEY if verdict.proven is None else verdict.proven.base_key.reveal()
    told = validation.told(ctx, account, key, NTLMV2_ENABLED if is_network else 0)
    return Judged(
        verdict, told, logon_counters.is_guessed_at(ctx, account), logon_counters.is_due(account, ctx.now)
    )


def _not_for_machines(account: Account, control: int) -> NtStatus | None:
    """Computers log on only where the member says that it lets them. Spec: [MS-APDS] 3.1.5.2."""
    if account.has(UserAccountControl.UF_WORKSTATION_TRUST_ACCOUNT) and not control & ALLOW_WORKSTATION_TRUST:
        return NtStatus.STATUS_NOLOGON_WORKSTATION_TRUST_ACCOUNT
    if account.has(UserAccountControl.UF_SERVER_TRUST_ACCOUNT) and not control & ALLOW_SERVER_TRUST:
        return NtStatus.STATUS_NOLOGON_SERVER_TRUST_ACCOUNT
    return None


# --- logons with a password's hash -------------------------------------------------------------------------


def interactive(ctx: ReadContext, info: idl.NetlogonInteractiveInfo, nt_hash: bytes) -> Judged:
    """A logon at a member's console or of its services. nt_hash: as it came out of its encryption."""
    identity = info.identity
    user = identity.user_name or ""
    account = accounts.find_by_sam(ctx, user)
    if account is None and not identity.logon_domain_name:
        account = accounts.find_by_upn(ctx, user)
    row = None if account is None else ctx.tx.get(account.dnt)
    if account is None or row is None:
        return Judged(NtlmVerdict(NtStatus.STATUS_NO_SUCH_USER))
    workstation = (identity.workstation or "").lstrip("\\") or None
    status = logon.verify_hash(ctx, row, Secret(nt_hash), ctx.now, workstation, at_console=True)
    if status is NtStatus.STATUS_SUCCESS and _is_protected(ctx, account):
        status = NtStatus.STATUS_ACCOUNT_RESTRICTION
    # The two passwords before the present one are no guesses, as over the network.
    is_former = any(equal(nt_hash, one) for one in managed_passwords.nt_hashes(ctx, row).known)
    is_guess = status is NtStatus.STATUS_WRONG_PASSWORD and not is_former
    verdict = NtlmVerdict(status, account.dnt, is_guess, account.sam_account_name)
    return _judged(ctx, verdict, identity.parameter_control, is_network=False)


def _is_protected(ctx: ReadContext, account: Account) -> bool:
    """Protected Users prove themselves by Kerberos alone. Spec: [MS-APDS] 3.1.5.1."""
    protected = ctx.forest.domain_sid.child(wellknown.RID_PROTECTED_USERS)
    return protected in groups.token_for(ctx, account.dnt).sids


# --- where a response was asked for ------------------------------------------------------------------------


def _text(response: NtlmV2Response, name: AvId) -> str:
    return response.pairs.get(name, b"").decode("utf-16-le", "replace")


def _from_elsewhere(ctx: ReadContext, response: NtlmV2Response, channel: Channel) -> NtStatus | None:
    """Whether a response was made for another server than the one that passes it on (CVE-2015-0005).

    Spec: [MS-APDS] 3.1.5.2, [MS-NRPC] 3.5.4.5.1.1, 3.5.4.5.1.2.
    """
    domain, computer = _text(response, AvId.NB_DOMAIN_NAME), _text(response, AvId.NB_COMPUTER_NAME)
    if channel.kind is ChannelType.WORKSTATION:
        ours = ctx.forest.netbios.lower()
        known = channel.account_name.removesuffix("$").lower()
        if (domain and domain.lower() != ours) or (computer and computer.lower() != known):
            return NtStatus.STATUS_LOGON_FAILURE
    elif channel.kind in TRUST_TYPES:
        return None if _passes(ctx, response, channel, domain) else NtStatus.STATUS_LOGON_FAILURE
    elif channel.kind is ChannelType.CDC_SERVER and computer:
        return None if _is_cachable(ctx, channel, computer) else NtStatus.STATUS_LOGON_FAILURE
    return None


def _passes(ctx: ReadContext, response: NtlmV2Response, channel: Channel, domain: str) -> bool:
    """Whether a server of the trusting domain may have asked. Spec: 3.5.4.5.1.1."""
    if not domain:
        return True
    row = None if channel.trust is None else ctx.tx.get(channel.trust)
    if row is None or not trusts.is_trust(ctx, row):
        return False
    trust = trusts.trust(ctx, row)
    netbios, dns = domain.lower(), _text(response, AvId.DNS_DOMAIN_NAME).lower()
    if not trust.attributes & TrustAttributes.FOREST_TRANSITIVE:
        return netbios == trust.flat_name.lower() and dns in ("", trust.partner.lower())
    own = trust_namespaces.own_domains(ctx)
    if any(one.netbios_name.lower() == netbios or one.dns_name.lower() == dns for one in own):
        return False
    return _is_claimed_by(ctx, trust, netbios, dns)


def _scanned(trust: trusts.Trust) -> tuple[DomainInfo, ...]:
    return () if trust.forest is None else tuple(one for one in trust.forest.domains if one.scanned)


def _is_claimed_by(ctx: ReadContext, trust: trusts.Trust, netbios: str, dns: str) -> bool:
    """Which forest a NetBIOS name is of, by what the PDC found in each."""
    records = [(one, found) for one in trusts.trusted_domains(ctx) for found in _scanned(one)]
    matching = [(one, found) for one, found in records if found.netbios_name.lower() == netbios]
    mine = [found for one, found in matching if one.dnt == trust.dnt]
    if not matching:
        return True
    if len(matching) == 1:
        return bool(mine)
    if not mine or not dns:
        return False
    return [found.dns_name.lower() for _, found in records].count(dns) == 1 and any(
        found.dns_name.lower() == dns for found in mine
    )


def _is_cachable(ctx: ReadContext, channel: Channel, computer: str) -> bool:
    """Whether an RODC may hold the secret of the server that asked. Spec: 3.5.4.5.1.2."""
    server = accounts.row_by_sam(ctx, f"{computer}$")
    rodc = ctx.tx.get(channel.account)
    return (
        server is not None
        and rodc is not None
        and reveal_policy(ctx, rodc, server) is RevealSecretsPolicy.REVEAL_SECRETS_ALLOW
    )
