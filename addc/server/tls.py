"""TLS contexts of the listeners, and the channel binding of a connection.

Spec: [MS-ADTS] 5.1.2.2, RFC 5929 4.1
"""

import hashlib
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from addc.base.errors import UserError


def server_context(certificate: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 and newer.

    client_ca: authorities (PEM) whose client certificates are asked for, though not required; None: none are.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 0  # nobody resumes sessions here, and Samba 4.17 waits for ever behind a ticket
    load(context, certificate, key)
    if client_ca is not None:
        try:
            context.load_verify_locations(client_ca)
        except (OSError, ssl.SSLError) as error:
            raise UserError(
                f"The authorities for client certificates cannot be read from {client_ca}: {error}. "
                "Next step: mend tls_client_ca in config.json."
            ) from error
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Have handshakes from now on show this certificate. Raises UserError, with the old one still shown."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UserError(
            f"The TLS certificate cannot be used: {error}. Looked for {certificate} and {key}. "
            "Next step: restore both files, or provision again."
        ) from error


def server_end_point(certificate: Path) -> bytes:
    """tls-server-end-point: the certificate's hash by its own signature hash, SHA-256 at least."""
    leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    try:
        algorithm = leaf.signature_hash_algorithm
    except UnsupportedAlgorithm:
        algorithm = None
    name = algorithm.name if algorithm is not None else "sha256"
    digest = hashlib.new("sha256" if name in ("md5", "sha1") else name)
    digest.update(
        ssl.PEM_cert_to_DER_cert(
            certificate.read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
        )
    )
    return b"tls-server-end-point:" + digest.digest()
