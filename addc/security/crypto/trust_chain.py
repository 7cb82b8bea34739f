"""Whether a client's certificate is to be believed: who issued it, up to which root, and nobody revoked it.

The issuing authority itself has to be among those that the forest trusts to vouch for logons; that it hangs
below a known root is not enough (KB5057784). Nothing that the client sends along becomes part of the chain.

Spec: RFC 5280 6.1, 6.3; RFC 4556 3.2.2; [MS-PKCA] 3.1.5.2.1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from addc.base.clock import NEVER_FT, FileTime
from addc.base.errors import DecodeError
from addc.security.crypto.certificate import UNREADABLE, Certificate, file_time

_DEPTH_MAX: Final = 8


class Fault(Enum):
    """Why a chain does not hold."""

    UNTRUSTED = "nobody that is trusted to vouch for logons issued it"
    INVALID = "a certificate of the chain is not what it has to be"
    WEAK_DIGEST = "a certificate of the chain is signed over a weak digest"
    REVOKED = "a certificate of the chain is revoked"
    STATUS_UNKNOWN = "no revocation list in its time is here"


class BadChain(Exception):
    """The chain does not hold. certificate: the one that it fails at."""

    def __init__(self, fault: Fault, certificate: Certificate) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.certificate = certificate


@dataclass(frozen=True, slots=True, eq=False)
class RevocationList:
    """A CRL. issuer: DER of the Name. is_delta: it only adds to another. for_...: whose certificates."""

    issuer: bytes
    this_update: FileTime
    next_update: FileTime
    is_delta: bool
    for_clients: bool
    for_authorities: bool
    _parsed: x509.CertificateRevocationList

    def revokes(self, serial: int) -> bool:
        entry = self._parsed.get_revoked_certificate_by_serial_number(serial)
        if entry is None:
            return False
        try:
            reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
        except (x509.ExtensionNotFound, ValueError):
            return True
        return reason is not x509.ReasonFlags.remove_from_crl

    def is_signed_by(self, authority: Certificate) -> bool:
        if authority.subject != self.issuer or not authority.signs_lists:
            return False
        try:
            return bool(self._parsed.is_signature_valid(authority.key))  # type: ignore[arg-type]
        except (TypeError, ValueError, UnsupportedAlgorithm):
            return False


def read_list(data: bytes) -> RevocationList:
    """A CRL in DER or PEM; raises DecodeError, for lists with a critical extension unknown here too."""
    try:
        is_text = data.lstrip().startswith(b"-----BEGIN")
        found = x509.load_pem_x509_crl(data) if is_text else x509.load_der_x509_crl(data)
        extensions = found.extensions
        issuer = found.issuer.public_bytes()
        this_update, next_update = found.last_update_utc, found.next_update_utc
    except UNREADABLE as error:
        raise DecodeError(f"not a revocation list: {error}", 0, "CertificateList") from None
    is_delta, clients, authorities = False, True, True
    for one in extensions:
        value = one.value
        if isinstance(value, x509.DeltaCRLIndicator):
            is_delta = True
        elif isinstance(value, x509.IssuingDistributionPoint):
            if value.indirect_crl or value.only_some_reasons or value.only_contains_attribute_certs:
                raise DecodeError("a list of a kind that is not supported", 0, "CertificateList")
            clients, authorities = not value.only_contains_ca_certs, not value.only_contains_user_certs
        elif one.critical and not isinstance(value, x509.CRLNumber | x509.AuthorityKeyIdentifier):
            raise DecodeError("a critical extension that is not known", 0, "CertificateList")
    return RevocationList(
        issuer,
        file_time(this_update),
        NEVER_FT if next_update is None else file_time(next_update),
        is_delta,
        clients,
        authorities,
        found,
    )


@dataclass(frozen=True, slots=True, eq=False)
class TrustStore:
    """What the forest trusts.

    issuers: authorities that vouch for logons (NTAuth). roots, between: where their own chains lead.
    lists: revocation lists by DER of the authority that signed them, verified.
    """

    issuers: tuple[Certificate, ...] = ()
    roots: tuple[Certificate, ...] = ()
    between: tuple[Certificate, ...] = ()
    lists: Mapping[bytes, tuple[RevocationList, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        issuers: Iterable[Certificate],
        roots: Iterable[Certificate] = (),
        between: Iterable[Certificate] = (),
        lists: Iterable[RevocationList] = (),
    ) -> "TrustStore":
        """The store of these; each list is kept under every authority whose signature it bears."""
        chains = (tuple(issuers), tuple(roots), tuple(between))
        by_authority: dict[bytes, tuple[RevocationList, ...]] = {}
        for one in lists:
            for der, authority in {each.der: each for part in chains for each in part}.items():
                if one.is_signed_by(authority):
                    by_authority[der] = (*by_authority.get(der, ()), one)
        return cls(*chains, by_authority)


def check(leaf: Certificate, store: TrustStore, now: FileTime, *, strict: bool) -> None:
    """Raise BadChain unless the chain of a client's certificate holds.

    strict: a certificate that names revocation lists, or whose authority has published one here, needs one in
    its time; otherwise only lists that are here are heeded, stale ones too.
    """
    below, issuer = leaf, _issuer(leaf, store.issuers)
    if issuer is None:
        raise BadChain(Fault.UNTRUSTED, leaf)
    _check_fitness(leaf, now)
    for depth in range(_DEPTH_MAX):
        _check_authority(issuer, depth, now)
        _check_revocation(below, issuer, store, now, strict=strict)
        if issuer.is_self_issued:
            if not _holds(store.roots, issuer) and not _holds(store.issuers, issuer):
                break
            return
        below, parent = issuer, _issuer(issuer, (*store.roots, *store.between, *store.issuers))
        if parent is None:
            break
        issuer = parent
    raise BadChain(Fault.UNTRUSTED, issuer)


def _holds(held: Sequence[Certificate], one: Certificate) -> bool:
    return any(each.der == one.der for each in held)


def _issuer(one: Certificate, among: Sequence[Certificate]) -> Certificate | None:
    return next((each for each in among if each.der != one.der and one.is_issued_by(each)), None)


def _check_fitness(one: Certificate, now: FileTime) -> None:
    """What each certificate of a chain has to be."""
    if not one.is_in_time(now) or not one.is_understood or one.has_weak_key:
        raise BadChain(Fault.INVALID, one)
    if one.has_weak_digest and not one.is_self_issued:
        raise BadChain(Fault.WEAK_DIGEST, one)


def _check_authority(one: Certificate, depth: int, now: FileTime) -> None:
    """depth: authorities below this one."""
    _check_fitness(one, now)
    if not one.is_authority or not one.signs_certificates:
        raise BadChain(Fault.INVALID, one)
    if one.path_length is not None and one.path_length < depth:
        raise BadChain(Fault.INVALID, one)


def _check_revocation(
    one: Certificate, authority: Certificate, store: TrustStore, now: FileTime, *, strict: bool
) -> None:
    lists = store.lists.get(authority.der, ())
    if any(each.revokes(one.serial) for each in lists if each.this_update <= now):
        raise BadChain(Fault.REVOKED, one)
    if not strict or not (lists or one.names_lists):
        return
    for each in lists:
        in_scope = each.for_authorities if one.is_authority else each.for_clients
        if in_scope and not each.is_delta and each.this_update <= now <= each.next_update:
            return
    raise BadChain(Fault.STATUS_UNKNOWN, one)
