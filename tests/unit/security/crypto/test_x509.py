"""The certificate chain that TLS clients of a new forest are given."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from addc.base.rng import SystemRng
from addc.security.crypto.x509 import CA_DAYS, SERVER_DAYS, make_ca, make_server_certificate

NOW = datetime(2026, 5, 4, tzinfo=UTC)
NAMES = ["dc1.corp.example.com", "corp.example.com", "dc1", "dc1"]


def test_the_server_certificate_is_signed_and_names_the_host() -> None:
    ca = make_ca("CORP CA", NOW, SystemRng())
    server = make_server_certificate(ca, NAMES, [ip_address("192.0.2.1")], NOW, SystemRng())
    above = x509.load_pem_x509_certificate(ca.certificate)
    leaf = x509.load_pem_x509_certificate(server.certificate)
    leaf.verify_directly_issued_by(above)
    above.verify_directly_issued_by(above)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == NAMES[:3]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("192.0.2.1")]
    assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)
    assert leaf.not_valid_after_utc == NOW + timedelta(days=SERVER_DAYS)
    assert above.not_valid_after_utc == NOW + timedelta(days=CA_DAYS)


def test_only_the_authority_may_sign() -> None:
    ca = make_ca("CORP CA", NOW, SystemRng())
    server = make_server_certificate(ca, NAMES, [], NOW, SystemRng())
    for pair, is_ca in ((ca, True), (server, False)):
        extensions = x509.load_pem_x509_certificate(pair.certificate).extensions
        assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca is is_ca
        assert extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign is is_ca


def test_a_tls_handshake_succeeds_with_the_authority_alone(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ca = make_ca("CORP CA", now, SystemRng())
    pair = make_server_certificate(ca, NAMES, [], now, SystemRng())
    (tmp_path / "server.pem").write_bytes(pair.certificate)
    (tmp_path / "server.key").write_bytes(pair.key.reveal())
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    client_context = ssl.create_default_context(cadata=ca.certificate.decode())
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname="dc1.corp.example.com")
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert client.version() == "TLSv1.3"


def test_private_keys_stay_out_of_reprs() -> None:
    assert b"PRIVATE KEY" not in repr(make_ca("CORP CA", NOW, SystemRng())).encode()
