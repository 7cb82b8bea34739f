"""Whom other servers are asked for."""

import pytest

from addc.dns.recursion_acl import NEAR, KnownSources, RecursionAcl, attached_networks, networks_of

_ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t017100CB\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t007100CB\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t000864C6\t017100CB\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0
"""
_ROUTES6 = """20010db8000000010000000000000000 40 00000000000000000000000000000000 00 \
00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
ff000000000000000000000000000000 08 00000000000000000000000000000000 00 \
00000000000000000000000000000000 00000100 00000004 00000000 00000001     eth0
"""


@pytest.mark.parametrize(
    "source",
    ["127.0.0.1", "10.9.8.7", "172.31.0.1", "192.168.1.1", "169.254.3.4", "::1", "fd12::1", "fe80::1%eth0",
     "::ffff:10.0.0.1"],
)  # fmt: skip
def test_neighbours_are_served(source: str) -> None:
    assert RecursionAcl(NEAR).allows(source)


@pytest.mark.parametrize(
    "source",
    ["8.8.8.8", "172.32.0.1", "192.169.0.1", "2001:db8::1", "::ffff:8.8.8.8", "", "nobody", "11.0.0.1"],
)
def test_strangers_are_not(source: str) -> None:
    """RFC 5358 4."""
    acl = KnownSources(RecursionAcl(NEAR))
    assert not acl.allows(source) and not acl.allows(source)


def test_the_networks_of_the_hosts_own_legs() -> None:
    found = attached_networks(_ROUTES, _ROUTES6)
    assert [str(network) for network in found] == ["203.0.113.0/24", "2001:db8:0:1::/64"]
    acl = RecursionAcl(found)
    assert acl.allows("203.0.113.99") and not acl.allows("198.100.8.1") and not acl.allows("8.8.8.8")
    assert attached_networks("", "") == ()


def test_networks_as_they_are_written() -> None:
    found = networks_of(["198.51.100.7/24", "2001:db8::/32", "any thing", "203.0.113.5"])
    assert [str(network) for network in found] == ["198.51.100.0/24", "2001:db8::/32", "203.0.113.5/32"]
    everyone = RecursionAcl(networks_of(["any"]))
    assert everyone.allows("8.8.8.8") and everyone.allows("2001:db8::1")
    assert not RecursionAcl(networks_of([])).allows("127.0.0.1"), "an empty list serves nobody"


def test_what_was_said_of_sources_is_bounded() -> None:
    known = KnownSources(RecursionAcl(NEAR))
    for number in range(10_000):
        known.allows(f"10.0.{number >> 8}.{number & 255}")
    assert len(known._said) <= 4096
