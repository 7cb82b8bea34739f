"""What TLS the server offers."""

import ssl
from pathlib import Path

from addc.server.tls import server_context


def test_no_session_tickets_and_nothing_older_than_1_2(provisioned: Path) -> None:
    folder = provisioned / "tls"
    context = server_context(folder / "server.pem", folder / "server.key")
    assert context.num_tickets == 0
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
