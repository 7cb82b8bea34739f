"""Chains of client certificates: what holds, and each thing that makes one fail. RFC 5280 6, KB5057784."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier

from addc.base.clock import FileTime, from_unix
from addc.base.errors import DecodeError
from addc.security.crypto import certificate
from addc.security.crypto.certificate import Certificate
from addc.security.crypto.trust_chain import BadChain, Fault, TrustStore, check, read_list
from tests.kit.certificates import SERIAL, Authority, Wish

NOW = from_unix(datetime.now(UTC).timestamp())
ROOT = Authority("Root")
ISSUING = Authority("Issuing", above=ROOT, path_length=0)
POINTS = x509.CRLDistributionPoints(
    [x509.DistributionPoint([x509.UniformResourceIdentifier("ldap:///CN=CA")], None, None, None)]
)


def read(one: Authority) -> Certificate:
    return certificate.read(one.der)


def leaf(by: Authority = ISSUING, **wish: object) -> Certificate:
    return certificate.read(by.fulfil("user", Wish(**wish)).der)  # type: ignore[arg-type]


def store(
    issuers: Sequence[Authority] = (ISSUING,),
    roots: Sequence[Authority] = (ROOT,),
    between: Sequence[Authority] = (),
    lists: Sequence[bytes] = (),
) -> TrustStore:
    return TrustStore.of(map(read, issuers), map(read, roots), map(read, between), map(read_list, lists))


def fault(
    one: Certificate, held: TrustStore | None = None, now: FileTime = NOW, *, strict: bool = True
) -> Fault | None:
    try:
        check(one, held or store(), now, strict=strict)
    except BadChain as bad:
        return bad.fault
    return None


def test_an_issuer_that_vouches_for_logons_below_a_known_root() -> None:
    assert fault(leaf()) is None


def test_a_root_that_vouches_itself() -> None:
    assert fault(leaf(ROOT), store((ROOT,), ())) is None


def test_a_chain_of_three() -> None:
    middle = Authority("Middle", above=ROOT)
    issuing = Authority("Low", above=middle)
    assert fault(leaf(issuing), store((issuing,), (ROOT,), (middle,))) is None


def test_a_known_root_is_not_enough() -> None:
    """KB5057784: the issuing authority itself has to be in NTAuth."""
    assert fault(leaf(), store((), (ROOT,), (ISSUING,))) is Fault.UNTRUSTED
    assert fault(leaf(), store((ROOT,), (ROOT,), (ISSUING,))) is Fault.UNTRUSTED


def test_an_issuer_whose_root_is_unknown() -> None:
    assert fault(leaf(), store((ISSUING,), ())) is Fault.UNTRUSTED


def test_an_intermediate_store_holds_no_roots() -> None:
    assert fault(leaf(), store((ISSUING,), (), (ROOT,))) is Fault.UNTRUSTED


def test_an_authority_of_the_same_name_with_another_key() -> None:
    assert fault(leaf(Authority("Issuing", above=ROOT))) is Fault.UNTRUSTED


@pytest.mark.parametrize("off", [timedelta(hours=-2), timedelta(hours=2)])
def test_out_of_its_time(off: timedelta) -> None:
    assert fault(leaf(when=datetime.now(UTC) + off)) is Fault.INVALID


def test_an_authority_out_of_its_time() -> None:
    old = Authority("Old", above=ROOT, when=datetime.now(UTC) - timedelta(hours=3))
    assert fault(leaf(old), store((old,))) is Fault.INVALID


def test_an_issuer_that_is_no_authority() -> None:
    fake = Authority("Fake", above=ROOT, is_ca=False)
    assert fault(leaf(fake), store((fake,))) is Fault.INVALID


def test_more_authorities_than_the_path_length_allows() -> None:
    low = Authority("Low", above=ISSUING)
    assert fault(leaf(low), store((low,), (ROOT,), (ISSUING,))) is Fault.INVALID


def test_an_issuer_that_may_not_sign_certificates() -> None:
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    mute = Authority("Mute")
    mute.certificate = ROOT.sign(
        mute.name, mute.key, Wish(uses=None, more=((constraints, True), (usage, True)))
    )
    mute.der = mute.certificate.public_bytes(Encoding.DER)
    assert fault(leaf(mute), store((mute,))) is Fault.INVALID


def test_a_critical_extension_that_nobody_knows() -> None:
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert fault(leaf(more=((unknown, False),))) is None
    assert fault(leaf(more=((unknown, True),))) is Fault.INVALID


def test_a_short_key() -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
    assert fault(leaf(key=short)) is Fault.INVALID


def test_a_weak_digest() -> None:
    assert fault(replace(leaf(), digest_name="sha1")) is Fault.WEAK_DIGEST
    assert fault(replace(leaf(), digest_name="")) is Fault.WEAK_DIGEST


# --- revocation ---


@pytest.mark.parametrize("strict", [True, False])
def test_a_revoked_certificate(strict: bool) -> None:
    assert fault(leaf(), store(lists=(ISSUING.revocation_list(SERIAL),)), strict=strict) is Fault.REVOKED
    assert fault(leaf(), store(lists=(ISSUING.revocation_list(5),)), strict=strict) is None


def test_a_revoked_authority() -> None:
    serial = read(ISSUING).serial
    assert fault(leaf(serial=8), store(lists=(ROOT.revocation_list(serial),))) is Fault.REVOKED


def test_a_delta_list_adds() -> None:
    delta = ISSUING.revocation_list(SERIAL, more=((x509.DeltaCRLIndicator(1), True),))
    assert fault(leaf(), store(lists=(ISSUING.revocation_list(), delta))) is Fault.REVOKED
    assert fault(leaf(serial=9), store(lists=(delta,))) is Fault.STATUS_UNKNOWN


def test_a_list_that_another_signed_revokes_nobody() -> None:
    forged = Authority("Issuing").revocation_list(SERIAL)
    assert fault(leaf(), store(lists=(forged,))) is None


def test_a_certificate_that_names_lists_needs_one_if_strict() -> None:
    named = leaf(more=((POINTS, False),))
    assert fault(named) is Fault.STATUS_UNKNOWN
    assert fault(named, strict=False) is None
    assert fault(named, store(lists=(ISSUING.revocation_list(),))) is None


def test_a_stale_list_is_no_answer_if_strict() -> None:
    stale = ISSUING.revocation_list(when=datetime.now(UTC) - timedelta(hours=2))
    assert fault(leaf(), store(lists=(stale,))) is Fault.STATUS_UNKNOWN
    assert fault(leaf(), store(lists=(stale,)), strict=False) is None
    old = ISSUING.revocation_list(SERIAL, when=datetime.now(UTC) - timedelta(hours=2))
    assert fault(leaf(), store(lists=(old,)), strict=False) is Fault.REVOKED


def test_a_list_of_authorities_tells_nothing_of_clients() -> None:
    scope = x509.IssuingDistributionPoint(None, None, False, True, None, False, False)
    partial = ISSUING.revocation_list(more=((scope, True),))
    assert fault(leaf(), store(lists=(partial,))) is Fault.STATUS_UNKNOWN


@pytest.mark.parametrize("data", [b"", b"\0", b"-----BEGIN X509 CRL-----\n", b"\x30\x03\x02\x01\x05"])
def test_what_is_no_list(data: bytes) -> None:
    with pytest.raises(DecodeError):
        read_list(data)


def test_indirect_lists_are_not_read() -> None:
    scope = x509.IssuingDistributionPoint(None, None, False, False, None, True, False)
    with pytest.raises(DecodeError):
        read_list(ISSUING.revocation_list(more=((scope, True),)))


# --- certificates that are none ---


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x30\x02\x30\x00", b"\x30\x05\x30\x03\x02\x01\x05"])
def test_what_is_no_certificate(data: bytes) -> None:
    with pytest.raises(DecodeError):
        certificate.read(data)


def test_a_serial_number_that_is_not_positive() -> None:
    """RFC 5280 4.1.2.2."""
    der = bytearray(leaf().der)
    at = der.index(SERIAL.to_bytes(13, "big"))
    der[at] |= 0x80
    with pytest.raises(DecodeError, match="positive"):
        certificate.read(bytes(der))


def test_a_version_that_nobody_knows() -> None:
    der = leaf().der
    with pytest.raises(DecodeError):
        certificate.read(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x12", 1))
