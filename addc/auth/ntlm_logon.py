"""Whether the directory lets an NTLM response in: the account, its hash, the rules for logons.

Spec: [MS-NLMP] 3.2.5.1.2, 3.3.2; [MS-APDS] 3.1.5.
"""

from dataclasses import dataclass

from addc.auth.gss import AuthError
from addc.auth.ntlm import Proof, Proven
from addc.base.ids import Dnt
from addc.base.secret import Secret
from addc.codec import ntlm
from addc.codec.ids import Sid
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, authn_policies, groups, logon, managed_passwords
from addc.directory.context import ReadContext
from addc.security import authn_policy, logon_rules, ntlm_keys, wellknown
from addc.security.crypto.hashes import equal
from addc.security.token import Token
from addc.store.objects import ObjectRow


@dataclass(frozen=True, slots=True)
class NtlmVerdict:
    """What came of a response.

    account: whose it is, None if nobody's. is_guess: it was wrong, and is to be counted.
    name: sAMAccountName. proven, token: set where the status is STATUS_SUCCESS.
    """

    status: NtStatus
    account: Dnt | None = None
    is_guess: bool = False
    name: str = ""
    proven: Proven | None = None
    token: Token | None = None


class NotLetInError(AuthError):
    """The response is not good, or its account may not log on; the verdict says which."""

    def __init__(self, verdict: NtlmVerdict) -> None:
        super().__init__(f"NTLM: {verdict.status.name}")
        self.verdict = verdict


def _find(ctx: ReadContext, proof: Proof) -> accounts.Account | None:
    """The account: by its name in this domain, or by a principal name without a domain.

    A domain that nobody trusts counts for nothing, as on Windows' DCs: clients that know none say their
    workgroup's or host's name. What they said is part of the response all the same.
    """
    found = accounts.find_by_sam(ctx, proof.user)
    return found if found is not None or proof.domain else accounts.find_by_upn(ctx, proof.user)


def _base_key(proof: Proof, nt_hash: bytes) -> bytes | None:
    """The session's key if the response was made with this hash; clients may leave the domain out."""
    for domain in dict.fromkeys((proof.domain, "")):
        key = ntlm_keys.ntowf_v2(nt_hash, proof.user, domain)
        made = ntlm_keys.nt_proof(key, proof.server_challenge, proof.response.blob)
        if equal(made, proof.response.proof):
            return ntlm_keys.session_base_key(key, made)
    return None


def passed_through(user: str, domain: str, workstation: str, challenge: bytes, response: bytes) -> Proof:
    """What a member server passes on of a client that it challenged itself, as `judge` takes it.

    challenge: LmChallenge. response: NtChallengeResponse. Raises DecodeError for one of version 1, which is
    not taken. Spec: [MS-APDS] 3.1.5.1, [MS-NRPC] 2.2.1.4.5 (NETLOGON_NETWORK_INFO).
    """
    return Proof(user, domain, workstation, challenge, ntlm.unpack_passed_response(response))


def judge(ctx: ReadContext, proof: Proof) -> NtlmVerdict:
    """Judge a response as a logon over the network."""
    account = _find(ctx, proof)
    row = None if account is None else ctx.tx.get(account.dnt)
    if account is None or row is None:
        return NtlmVerdict(NtStatus.STATUS_NO_SUCH_USER)
    standing = logon.standing(ctx, account, row)
    if (locked := logon_rules.lockout(standing, ctx.now)) is not None:
        return NtlmVerdict(locked, account.dnt)
    hashes = managed_passwords.nt_hashes(ctx, row)
    good = hashes.accepted if hashes.current is None else (hashes.current, *hashes.accepted)
    key = next((made for one in good if (made := _base_key(proof, one)) is not None), None)
    if key is None:
        is_former = any(_base_key(proof, one) is not None for one in hashes.known)
        return NtlmVerdict(NtStatus.STATUS_WRONG_PASSWORD, account.dnt, is_guess=not is_former)
    token = groups.token_for(ctx, account.dnt)
    refusal = (
        _not_by_ntlm(ctx, token)
        or _against_policy(ctx, row, token)
        or logon_rules.trust_refusal(standing)
        or logon_rules.account_refusal(standing, ctx.now)
        or logon_rules.logon_refusal(standing, ctx.now, proof.workstation or None)
        or logon_rules.password_refusal(standing, ctx.now)
    )
    if refusal is not None:
        return NtlmVerdict(refusal, account.dnt)
    name = account.sam_account_name
    return NtlmVerdict(NtStatus.STATUS_SUCCESS, account.dnt, False, name, Proven(Secret(key)), token)


def _not_by_ntlm(ctx: ReadContext, token: Token) -> NtStatus | None:
    """Protected Users prove themselves by Kerberos alone. Spec: [MS-APDS] 3.1.5.2."""
    protected: Sid = ctx.forest.domain_sid.child(wellknown.RID_PROTECTED_USERS)
    return NtStatus.STATUS_ACCOUNT_RESTRICTION if protected in token.sids else None


def _against_policy(ctx: ReadContext, row: ObjectRow, token: Token) -> NtStatus | None:
    """What the account's authentication policy and that of this DC say. Spec: [MS-APDS] 3.1.5.2."""
    if not authn_policies.in_use(ctx):
        return None
    refusal = authn_policy.ntlm_refusal(authn_policies.policy_of(ctx, row))
    server = accounts.row_by_sam(ctx, f"{ctx.forest.host}$")
    if refusal is not None or server is None:
        return refusal
    return authn_policy.ntlm_server_refusal(
        authn_policies.policy_of(ctx, server), token, server.dnt == row.dnt
    )
