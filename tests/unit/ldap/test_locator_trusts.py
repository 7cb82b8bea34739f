"""The locator's ping in the name of a trusting domain: whether its trust is known here."""

from typing import Final

from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.directory import trust_changes
from addc.directory.trust_changes import NewTrust
from addc.security.trusts import TrustDirection
from tests.kit.corp import Corp
from tests.unit.ldap.test_locator import extended

_DNS_TRUST: Final = 0x400
_KNOWN: Final = 23
_UNKNOWN: Final = 25


def _trust(corp: Corp, name: str, number: int, direction: TrustDirection) -> None:
    secret = Secret("secret".encode("utf-16-le"))
    new = NewTrust(
        f"{name}.test",
        name.upper(),
        Sid.parse(f"S-1-5-21-7-7-{number}"),
        direction,
        incoming=secret,
        outgoing=secret,
    )
    corp.write(lambda ctx: trust_changes.create(ctx, new))


def test_domains_that_trust_this_one_are_known_by_their_dns_names(corp_sqlite: Corp) -> None:
    _trust(corp_sqlite, "inbound", 1, TrustDirection.INBOUND)
    _trust(corp_sqlite, "outbound", 2, TrustDirection.OUTBOUND)
    for user, opcode in (
        ("inbound.test.", _KNOWN),
        ("INBOUND.test.", _KNOWN),
        ("inbound.test", _UNKNOWN),
        ("outbound.test.", _UNKNOWN),
        ("stranger.test.", _UNKNOWN),
    ):
        assert int(extended(corp_sqlite, User=user, AAC=_DNS_TRUST).opcode) == opcode, user
