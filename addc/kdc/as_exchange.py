"""The AS exchange: a first ticket for who knows the password.

Spec: RFC 4120 3.1, RFC 6806 6-7, 11, [MS-KILE] 3.3.5.6.
"""

from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.codec.krb5 import KdcReqBody, PaData
from addc.codec.krb5_numbers import KdcOptions, MessageType
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc import anonymous, dmsa, fast
from addc.kdc.as_grant import AsGrant
from addc.kdc.authn_policy import check_from, check_to, logging_on, restricts_clients
from addc.kdc.facts import AsFacts, AsOutcome, AsRequest, Counter, Issued, KdcRefusal, RealmFacts
from addc.kdc.fast_challenge import CHALLENGE
from addc.kdc.padata import find_padata
from addc.kdc.pkinit import PKINIT, PKINIT_OLD, freshness_offer
from addc.kdc.policy import (
    KdcPolicy,
    account_keys,
    by_strength,
    check_logon,
    check_server,
    check_standing,
)
from addc.kdc.preauth import TIMESTAMP, key_hints, status_hint, unproved
from addc.kdc.principal_names import is_change_password
from addc.kdc.proof import Attempt, Mechanism, Proof
from addc.kdc.referrals import unknown_client
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.security.krb_keys import Etype

MECHANISMS: Final[tuple[Mechanism, ...]] = (PKINIT, PKINIT_OLD, CHALLENGE, TIMESTAMP)
"""How a client may prove itself: the first that a request uses decides."""
_OFFERED: Final = (CHALLENGE, TIMESTAMP, PKINIT, PKINIT_OLD)
"""In the order of Windows' METHOD-DATA (W-LOGON-02)."""

_TELLS_KEYS: Final = (KrbErrorCode.KDC_ERR_PREAUTH_FAILED, KrbErrorCode.KRB_AP_ERR_SKEW)
"""Refusals of a proof that come with hints at the keys."""

_RC4: Final = int(Etype.RC4_HMAC)

_FORBIDDEN: Final = int(
    KdcOptions.FORWARDED
    | KdcOptions.PROXY
    | KdcOptions.RENEW
    | KdcOptions.VALIDATE
    | KdcOptions.ENC_TKT_IN_SKEY
    | KdcOptions.CNAME_IN_ADDL_TKT
    | KdcOptions.REQUEST_ANONYMOUS
)
_POSTDATED: Final = int(KdcOptions.POSTDATED)
_NO_PREAUTH: Final = int(UserAccountControl.UF_DONT_REQUIRE_PREAUTH)


def open_as_req(
    request: AsRequest, realm: RealmFacts, policy: KdcPolicy, now: FileTime, rng: Rng
) -> AsRequest | AsOutcome:
    """The request, out of its armor if it has one: what facts are to be looked up for; or a refusal."""
    try:
        return fast.open_as_req(request, realm, policy, now)
    except DecodeError:
        refusal = KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC)
    except KdcRefusal as refused:
        refusal = refused
    return _refused(refusal, request, AsFacts(realm, None, None), now, rng)


def answer_as_req(
    request: AsRequest, facts: AsFacts, policy: KdcPolicy, now: FileTime, rng: Rng
) -> AsOutcome:
    """Decide one AS exchange ([RFC4120] 3.1, [MS-KILE] 3.3.5.6).

    facts: what one snapshot of the directory knew of client and server; nothing else is consulted.
    Returns the packed reply or KRB-ERROR, plus the counter to write back (bad password, logon).
    """
    body = request.message.req_body
    try:
        issued, proof = _decide(request, facts, policy, now, rng)
    except DecodeError:
        return _refused(KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC), request, facts, now, rng)
    except KdcRefusal as refusal:
        return _refused(refusal, request, facts, now, rng)
    return AsOutcome(
        issued.reply,
        counter=Counter.LOGON if proof.preauthenticated else Counter.NONE,
        client=facts.client,
        server_name=str(body.sname or ""),
        client_name=str(body.cname or ""),
        issued=issued,
    )


def _refused(refusal: KdcRefusal, request: AsRequest, facts: AsFacts, now: FileTime, rng: Rng) -> AsOutcome:
    body = request.message.req_body
    return AsOutcome(
        fast.refusal_reply(refusal, request, facts.realm.realm, now, rng),
        refusal.code,
        refusal.status,
        refusal.counter,
        facts.client,
        str(body.sname or ""),
        str(body.cname or ""),
    )


def _decide(
    request: AsRequest, facts: AsFacts, policy: KdcPolicy, now: FileTime, rng: Rng
) -> tuple[Issued, Proof]:
    message = request.message
    body = message.req_body
    # 1. The message itself (RFC 4120 3.1.2).
    if message.pvno != 5:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BAD_PVNO)
    if message.msg_type != MessageType.KRB_AS_REQ:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MSG_TYPE)
    if anonymous.is_asked_for(request, policy):
        return anonymous.answer(request, facts, policy, now, rng)
    _check_options(body, policy, now)
    device = fast.device_of(request, facts, now)
    # 2. Who, and for what.
    if not facts.realm.is_alias(body.realm):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_WRONG_REALM)
    client, server = facts.client, facts.server
    if client is None:
        raise unknown_client(body.cname, facts.realm)
    if policy.require_fast and request.armor is None and not client.is_machine:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_REQUIRED, padata=fast.offer(None))
    dmsa.check_not_superseded(client, facts.realm)
    check_standing(client, now)
    if server is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN)
    check_server(server)
    if client.policy is not None:
        check_from(client.policy, device)
    # 3. Whether the client is who it says.
    keys = account_keys(client, policy)
    usable = by_strength([etype for etype in body.etype if etype in keys])
    proof = _proof(Attempt(request, facts, client, keys, usable, policy, now, rng))
    if facts.membership is None:
        raise KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC)
    protected = wellknown.RID_PROTECTED_USERS in facts.membership.domain_rids
    if protected and proof.key.etype == _RC4:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)
    if restricts_clients(server):
        check_to(server, logging_on(client, facts.membership, proof.sids, device))
    # 4. Whether the account may log on now, from here.
    assert body.sname is not None
    changes = is_change_password(body.sname)
    check_logon(client, _workstation(body), changes, now, by_password=proof.by_password)
    # 5. The ticket.
    grant = AsGrant(request, facts, client, server, facts.membership, policy, proof, protected)
    return grant.reply(now, rng), proof


def _check_options(body: KdcReqBody, policy: KdcPolicy, now: FileTime) -> None:
    if body.kdc_options & _FORBIDDEN:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    if body.kdc_options & _POSTDATED or (body.from_ and body.from_ > now + policy.max_clock_skew):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_CANNOT_POSTDATE)
    if body.cname is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_C_PRINCIPAL_UNKNOWN, NtStatus.STATUS_NO_SUCH_USER)
    if body.sname is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN)


def _workstation(body: KdcReqBody) -> str:
    """The NetBIOS name among the request's addresses."""
    return next((name for one in body.addresses or () if (name := one.machine())), "")


def _proof(attempt: Attempt) -> Proof:
    """What the first mechanism that the request uses makes of it."""
    message = attempt.request.message
    for mechanism in MECHANISMS:
        value = find_padata(message.padata, mechanism.pa_type)
        if value is None or mechanism.offer(attempt) is None:
            continue
        if mechanism.needs_key and not attempt.usable:
            break
        try:
            return mechanism.prove(attempt, value)
        except KdcRefusal as refusal:
            if refusal.code in _TELLS_KEYS and refusal.padata is None:
                refusal.padata = _why(attempt, refusal.status)
            raise
    if not attempt.usable:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)
    if attempt.client.flags & _NO_PREAUTH:
        return unproved(attempt)
    raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_REQUIRED, padata=_offer(attempt))


def _why(attempt: Attempt, status: NtStatus) -> tuple[PaData, ...]:
    """METHOD-DATA of an attempt that failed: hints at the keys, and the status where no armor hides it."""
    hints = (*key_hints(attempt), *freshness_offer(attempt))
    if attempt.request.armor is None and status != NtStatus.STATUS_SUCCESS:
        return (*hints, status_hint(status))
    return hints


def _offer(attempt: Attempt) -> tuple[PaData, ...]:
    """METHOD-DATA: hints at the keys, then what the client may prove itself by."""
    offers = (mechanism.offer(attempt) for mechanism in _OFFERED)
    return (
        *key_hints(attempt),
        *(offer for offer in offers if offer is not None),
        *freshness_offer(attempt),
        *fast.offer(attempt.request.armor),
    )
