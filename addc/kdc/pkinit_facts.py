"""What PKINIT's decisions look at: the KDC's certificate, whom the forest trusts, what the account trusts.

Spec: RFC 4556 3.2, [MS-PKCA] 3.1.5.2.1.
"""

from dataclasses import dataclass, field

from addc.security.crypto.certificate import Certificate
from addc.security.crypto.signatures import Signer
from addc.security.crypto.trust_chain import RevocationList, TrustStore


@dataclass(frozen=True, slots=True, eq=False)
class KdcIdentity:
    """The certificate that proves the KDC to its clients. chain: its authorities, sent along."""

    certificate: Certificate
    chain: tuple[Certificate, ...]
    signer: Signer


@dataclass(frozen=True, slots=True, eq=False)
class PkinitPolicy:
    """What the operator decides.

    strict_revocation: see security/crypto/trust_chain.py. fresh: a freshness token is demanded.
    anonymous: who has no certificate may have a ticket that says so. insecure_groups: MODP group 2 too.
    lists: revocation lists of the operator's own.
    """

    identity: KdcIdentity
    strict_revocation: bool = True
    fresh: bool = False
    anonymous: bool = False
    insecure_groups: bool = False
    lists: tuple[RevocationList, ...] = ()


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key in the account's msDS-KeyCredentialLink. spki: DER. flags: of CUSTOM_KEY_INFORMATION, or None."""

    spki: bytes
    flags: int | None = None


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What the directory knows that matters to a client's certificate.

    store: whom the forest trusts. identities: the account's altSecurityIdentities, case folded.
    keys: that the account trusts. renew_secret: the account's is too old ([MS-PKCA] 3.1.5.2.2).
    """

    store: TrustStore = field(default_factory=TrustStore)
    identities: frozenset[str] = frozenset()
    keys: tuple[TrustedKey, ...] = ()
    renew_secret: bool = False
