"""Which addresses a DC registers. Spec: [MS-ADTS] 6.3.2.4, RFC 4193, RFC 8981."""

from ipaddress import ip_address

import pytest

from addc.directory.own_addresses import InterfaceAddress, usable, why_not


def one(interface: str, address: str, **more: bool) -> InterfaceAddress:
    return InterfaceAddress(interface, ip_address(address), **more)


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "fd00::7", "2001:db8::7"])
def test_addresses_that_others_can_reach_are_registered(address: str) -> None:
    assert usable([one("eth0", address)]) == (ip_address(address),)


@pytest.mark.parametrize(
    "interface",
    ["docker0", "br-0123456789ab", "veth12ab", "cni0", "cni-podman0", "virbr0", "podman1", "lxcbr0"],
)
def test_bridges_and_pairs_of_containers_are_never_registered(interface: str) -> None:
    assert why_not(one(interface, "172.17.0.1")) == "a network of containers or virtual machines"
    assert usable([one(interface, "172.17.0.1"), one("eth0", "192.0.2.7")]) == (ip_address("192.0.2.7"),)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (one("lo", "127.0.0.1"), "loopback"),
        (one("lo", "192.0.2.1"), "loopback"),
        (one("eth0", "169.254.1.1"), "link-local"),
        (one("eth0", "fe80::1"), "link-local"),
        (one("wg0", "10.9.0.1", is_point_to_point=True), "a tunnel"),
        (one("eth0", "2001:db8::8", is_temporary=True), "temporary"),
        (one("eth0", "2001:db8::8", is_deprecated=True), "deprecated, or not in use yet"),
        (one("eth1", "192.0.2.8", is_up=False), "its interface is down"),
    ],
)
def test_what_nobody_else_could_use_is_left_out(found: InterfaceAddress, why: str) -> None:
    assert why_not(found) == why
    assert usable([found]) == ()


def test_ipv4_comes_first_and_nothing_twice() -> None:
    found = [one("eth0", "fd00::1"), one("eth0", "192.0.2.2"), one("eth1", "192.0.2.1"), one("x", "fd00::1")]
    assert [str(address) for address in usable(found)] == ["192.0.2.2", "192.0.2.1", "fd00::1"]
