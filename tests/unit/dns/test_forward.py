"""Forwarders as operators write them."""

import pytest

from addc.base.errors import DecodeError
from addc.dns import forward
from addc.dns.forward import Forwarder


def test_forwarders_are_addresses() -> None:
    assert forward.parse_forwarder("10.0.0.1") == Forwarder("10.0.0.1", 53)
    assert forward.parse_forwarder("fd00::1#5353") == Forwarder("fd00::1", 5353)
    for text in (
        "",
        "dns.example",
        "10.0.0.1#x",
        "10.0.0.1#",
        "10.0.0.1#0",
        "10.0.0.1#70000",
        "10.0.0.1#-5",
        "10.0.0.1#٥٣",
    ):
        with pytest.raises(DecodeError):
            forward.parse_forwarder(text)


def test_we_are_not_our_own_forwarder() -> None:
    ours = [Forwarder("10.0.0.1", 53), Forwarder("127.0.0.1", 53), Forwarder("127.0.0.1", 5353)]
    assert forward.usable(ours, ["10.0.0.1"], 53) == (Forwarder("127.0.0.1", 5353),)
