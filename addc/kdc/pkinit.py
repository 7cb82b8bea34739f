"""PKINIT: the proof of who holds a certificate that the forest trusts, or a key that the account trusts.

Spec: RFC 4556 3.2, RFC 8070, RFC 8636, RFC 5349, [MS-PKCA] 3.1.5.2, [MS-PAC] 2.6.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.codec import cms
from addc.codec.ids import Sid
from addc.codec.krb5 import Checksum, EncryptionKey, PaData, req_body_bytes
from addc.codec.krb5_numbers import PaType
from addc.codec.pac import (
    NtlmSupplementalCredential,
    PacCredentialData,
    PacCredentialInfo,
    PacType,
    SecpkgSupplementalCred,
    pack_ndr_buffer,
)
from addc.codec.pkinit import (
    ID_AUTH_DATA,
    AuthPack,
    AuthPackOld,
    PaPkAsReq,
    PaPkAsReqOld,
    PkAuthenticator,
    ReplyKeyPack,
    ReplyKeyPackOld,
)
from addc.codes.krb_error import KrbErrorCode
from addc.kdc.facts import AsRequest, Counter, KdcRefusal, Principal
from addc.kdc.padata import find_padata
from addc.kdc.pkinit_certificate import judge
from addc.kdc.pkinit_facts import CertificateFacts, PkinitPolicy
from addc.kdc.pkinit_freshness import check_token, make_token
from addc.kdc.pkinit_reply import Replier
from addc.kdc.pkinit_request import SignedRequest, open_signed
from addc.kdc.policy import by_strength, check_clock, lists_rc4, new_session_key
from addc.kdc.principal_names import is_tgs
from addc.kdc.proof import Attempt, Mechanism, Proof
from addc.security import wellknown
from addc.security.crypto import signatures
from addc.security.krb_keys import ETYPES, Etype, Key, KeyUsage, checksum, encrypt
from addc.security.pkinit_keys import Exchange

_PK_AS_REQ: Final = int(PaType.PA_PK_AS_REQ)
_PK_AS_REP: Final = int(PaType.PA_PK_AS_REP)
_OLD: Final = int(PaType.PA_PK_AS_REP_OLD)
_FRESHNESS: Final = int(PaType.PA_AS_FRESHNESS)
_AS_CHECKSUM: Final = int(PaType.PA_AS_CHECKSUM)
_RC4: Final = int(Etype.RC4_HMAC)
_DES_EDE3_CBC_ENV: Final = 15
"""des-ede3-cbc-Env-OID: the client takes key packages in triple DES (RFC 4556 3.1.4)."""

_CONTENT: Final = frozenset((ID_AUTH_DATA,))
_OLD_CONTENT: Final = frozenset((ID_AUTH_DATA, cms.ID_DATA))
_HAS_NT_HASH: Final = 2
_NO_FACTS: Final = CertificateFacts()


def by_certificate(attempt: Attempt, value: bytes) -> Proof:
    """The proof of a PA-PK-AS-REQ."""
    request, policy = attempt.request, _policy(attempt)
    if find_padata(request.message.padata, _OLD) is not None:
        raise KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC)  # [MS-PKCA] 3.1.5.2
    signed = open_signed(PaPkAsReq.unpack(value).signed_auth_pack, _CONTENT)
    sids = _judged(signed, attempt, policy)
    pack = AuthPack.unpack(signed.content)
    sids += _check_authenticator(attempt, policy, pack.pk_authenticator)
    replier = _replier(attempt, policy)
    if pack.client_public_value is None:
        # Clients that name no CMS types get the SignedData in a ContentInfo, as from Windows.
        package = _KeyPackage(attempt, replier, signed, wrapped=not pack.supported_cms_types)
        key, padata = package.sealed()
    else:
        agreed = replier.agreed(pack, exchange_of(request))
        key, padata = agreed.key, agreed.padata
    return _proof(attempt, key, PaData(_PK_AS_REP, padata), sids)


def by_old_certificate(attempt: Attempt, value: bytes) -> Proof:
    """The proof in the form of the draft that [MS-PKCA] 2.2.1 keeps; it does not cover the request's body."""
    policy = _policy(attempt)
    signed = open_signed(PaPkAsReqOld.unpack(value).signed_auth_pack, _OLD_CONTENT)
    sids = _judged(signed, attempt, policy)
    authenticator = AuthPackOld.unpack(signed.content).pk_authenticator
    if not is_tgs(authenticator.kdc_name) or not attempt.facts.realm.is_alias(authenticator.kdc_realm):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_KDC_NAME_MISMATCH)
    check_clock(authenticator.ctime, attempt.policy, attempt.now)
    if policy.fresh:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_FAILED)
    replier = _replier(attempt, policy)
    package = _KeyPackage(attempt, replier, signed, wrapped=True, old_nonce=authenticator.nonce)
    key, padata = package.sealed()
    return _proof(attempt, key, PaData(_OLD, padata), sids)


def _replier(attempt: Attempt, policy: PkinitPolicy) -> Replier:
    rc4_allowed = lists_rc4(attempt.client, attempt.policy)
    etype = reply_etype(attempt.request.message.req_body.etype, rc4_allowed=rc4_allowed)
    return Replier(policy, etype, attempt.now, attempt.rng)


def _policy(attempt: Attempt) -> PkinitPolicy:
    if attempt.policy.pkinit is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PADATA_TYPE_NOSUPP)
    return attempt.policy.pkinit


def _judged(signed: SignedRequest, attempt: Attempt, policy: PkinitPolicy) -> tuple[Sid, ...]:
    assert signed.signer is not None
    return judge(
        signed.signer,
        attempt.client,
        attempt.facts.realm,
        attempt.facts.certificates or _NO_FACTS,
        attempt.now,
        strict=policy.strict_revocation,
    )


def _check_authenticator(
    attempt: Attempt, policy: PkinitPolicy, authenticator: PkAuthenticator
) -> tuple[Sid, ...]:
    """Whether a PKAuthenticator is of now and of this request; the SID of a fresh proof."""
    check_clock(authenticator.ctime, attempt.policy, attempt.now)
    check_body(attempt.request, authenticator)
    token = authenticator.freshness_token
    if token is None:
        if policy.fresh:
            raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_FAILED)
        return ()
    try:
        check_token(token, attempt.facts.realm.krbtgt, attempt.policy, attempt.now)
    except KdcRefusal as refusal:
        if refusal.code == KrbErrorCode.KDC_ERR_PREAUTH_EXPIRED:
            refusal.padata = _offered(attempt)
        raise
    return (wellknown.FRESH_PUBLIC_KEY_IDENTITY,)


def check_body(request: AsRequest, authenticator: PkAuthenticator) -> None:
    """The digests of the KDC-REQ-BODY: one at least, and each there is (RFC 4556 3.2.1, [MS-PKCA] 2.2.3)."""
    expected = []
    if authenticator.pa_checksum is not None:
        expected.append((signatures.SHA1, authenticator.pa_checksum))
    if authenticator.pa_checksum2 is not None:
        second = authenticator.pa_checksum2
        expected.append((second.algorithm_identifier.algorithm, second.checksum))
    if not expected:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PA_CHECKSUM_MUST_BE_INCLUDED)
    body = req_body_bytes(request.raw) if request.armor is None else request.armor.body
    for algorithm, value in expected:
        digest = signatures.digest(algorithm, body)
        if digest is None:
            raise KdcRefusal(KrbErrorCode.KDC_ERR_SUMTYPE_NOSUPP)
        if not hmac.compare_digest(digest, value):
            raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)


def reply_etype(asked: Sequence[int], *, rc4_allowed: bool) -> int:
    """The strongest encryption type that the client asks for; no key of the account is needed for it."""
    for etype in by_strength(asked):
        if etype != _RC4 or rc4_allowed:
            return etype
    raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)


def exchange_of(request: AsRequest, crealm: str = "") -> Exchange:
    """What a key derivation binds the reply key to."""
    body = request.message.req_body
    assert body.cname is not None and body.sname is not None
    return Exchange(body.realm, body.cname, body.sname, request.raw, crealm=crealm)


@dataclass(frozen=True, slots=True)
class _KeyPackage:
    """A random reply key, encrypted for the client's RSA key. old_nonce: of a request in the old form."""

    attempt: Attempt
    replier: Replier
    signed: SignedRequest
    wrapped: bool
    old_nonce: int | None = None

    def sealed(self) -> tuple[Key, bytes]:
        """The key, and the padata value."""
        assert self.signed.signer is not None
        message, etype = self.attempt.request.message, self.replier.etype
        key = new_session_key(etype, self.attempt.rng.bytes(ETYPES[etype].key_size))
        reply_key = EncryptionKey(int(key.etype), key.value)
        if self.old_nonce is not None and find_padata(message.padata, _AS_CHECKSUM) is None:
            package = ReplyKeyPackOld(reply_key, self.old_nonce).pack()
        else:
            kind = int(ETYPES[etype].cksumtype)
            value = checksum(key, int(KeyUsage.TGS_REQ_AUTHENTICATOR_CKSUM), self.attempt.request.raw, kind)
            package = ReplyKeyPack(reply_key, Checksum(kind, value)).pack()
        des = _DES_EDE3_CBC_ENV in message.req_body.etype
        return key, self.replier.enveloped(package, self.signed.signer, des=des, wrapped=self.wrapped)


def _proof(attempt: Attempt, key: Key, padata: PaData, sids: tuple[Sid, ...]) -> Proof:
    """The proof, unless the account's secret has to be renewed before its ticket tells it."""
    if attempt.facts.certificates is not None and attempt.facts.certificates.renew_secret:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_SVC_UNAVAILABLE, counter=Counter.RENEW_SECRET)
    return Proof(
        key, None, (padata,), by_password=False, sids=sids, buffers=_credentials(attempt, attempt.client, key)
    )


def _credentials(attempt: Attempt, client: Principal, key: Key) -> tuple[tuple[int, bytes], ...]:
    """The account's NT hash for NTLM, which only who has the reply key can read ([MS-PAC] 2.6)."""
    hashed = client.keys.current.get(_RC4)
    if hashed is None:
        return ()
    ntlm = NtlmSupplementalCredential(flags=_HAS_NT_HASH, lm_password=bytes(16), nt_password=hashed.value)
    data = PacCredentialData((SecpkgSupplementalCred("NTLM", ntlm.pack()),))
    confounder = attempt.rng.bytes(ETYPES[key.etype].confounder_size)
    sealed = encrypt(key, int(KeyUsage.KERB_NON_KERB_SALT), pack_ndr_buffer(data), confounder)
    return ((int(PacType.CREDENTIALS_INFO), PacCredentialInfo(int(key.etype), sealed).pack()),)


# --- what is offered ---------------------------------------------------------------------------------------


def _offer(attempt: Attempt) -> PaData | None:
    return None if attempt.policy.pkinit is None else PaData(_PK_AS_REQ)


def _wants_freshness(attempt: Attempt) -> bool:
    return find_padata(attempt.request.message.padata, _FRESHNESS) is not None


def _offer_old(attempt: Attempt) -> PaData | None:
    """Not to clients that know of freshness: those know the new form."""
    return None if attempt.policy.pkinit is None or _wants_freshness(attempt) else PaData(_OLD)


def freshness_offer(attempt: Attempt) -> tuple[PaData, ...]:
    """PA-AS-FRESHNESS for a client that says it knows it (RFC 8070 2.1)."""
    if attempt.policy.pkinit is None or not _wants_freshness(attempt):
        return ()
    token = make_token(attempt.facts.realm.krbtgt, attempt.policy, attempt.now, attempt.rng)
    return (PaData(_FRESHNESS, token),)


def _offered(attempt: Attempt) -> tuple[PaData, ...]:
    """METHOD-DATA for a client whose token is too old: another one (RFC 8070 2.3)."""
    token = make_token(attempt.facts.realm.krbtgt, attempt.policy, attempt.now, attempt.rng)
    return (PaData(_PK_AS_REQ), PaData(_FRESHNESS, token))


PKINIT: Final = Mechanism(_PK_AS_REQ, False, by_certificate, _offer)
PKINIT_OLD: Final = Mechanism(_OLD, False, by_old_certificate, _offer_old)
