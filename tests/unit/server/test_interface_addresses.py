"""The kernel's word on this machine's addresses. Spec: rtnetlink(7)."""

import socket
import struct
from ipaddress import ip_address

import pytest

from addc.base.errors import UserError
from addc.directory.own_addresses import why_not
from addc.server import dns_registration, interface_addresses
from addc.server.config import SiteConfig
from addc.server.interface_addresses import _found, _link


def test_loopback_is_told_and_never_counts() -> None:
    found = interface_addresses.interface_addresses()
    loopback = [one for one in found if one.address == ip_address("127.0.0.1")]
    assert loopback and all(why_not(one) for one in loopback)


def attribute(kind: int, data: bytes) -> bytes:
    size = 4 + len(data)
    return struct.pack("=HH", size, kind) + data + bytes(-size % 4)


def test_names_and_flags_of_interfaces_are_read() -> None:
    message = struct.pack("=BxHiII", 0, 1, 7, 0x1 | 0x10, 0) + attribute(3, b"wg0\0")
    assert _link(message) == (7, ("wg0", 0x11))


def test_the_local_end_of_a_tunnel_and_flags_of_addresses_are_read() -> None:
    head = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, 7)
    message = head + attribute(1, bytes((10, 0, 0, 2))) + attribute(2, bytes((10, 0, 0, 1)))
    one = _found(message, {7: ("wg0", 0x11)})
    assert one is not None and one.address == ip_address("10.0.0.1") and one.is_point_to_point
    six = ip_address("2001:db8::7").packed
    head = struct.pack("=BBBBI", socket.AF_INET6, 64, 0, 0, 7)
    for flags, why in (
        (0x01, "temporary"),
        (0x20, "deprecated, or not in use yet"),
        (0x40, "deprecated"),
        (0, ""),
    ):
        one = _found(head + attribute(1, six) + attribute(8, struct.pack("=I", flags)), {7: ("eth0", 1)})
        assert one is not None and why_not(one).startswith(why)


def test_other_families_and_unknown_interfaces_are_passed_over() -> None:
    head = struct.pack("=BBBBI", socket.AF_BRIDGE if hasattr(socket, "AF_BRIDGE") else 7, 0, 0, 0, 7)
    assert _found(head + attribute(1, bytes(4)), {7: ("eth0", 1)}) is None
    head = struct.pack("=BBBBI", socket.AF_INET, 0, 0, 0, 9)
    assert _found(head + attribute(1, bytes(4)), {7: ("eth0", 1)}) is None


def test_what_an_operator_wrote_counts_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_registration, "interface_addresses", list)
    site = SiteConfig("sqlite://", host_ips=("172.17.0.1",))
    assert dns_registration.addresses_to_register(site) == (ip_address("172.17.0.1"),)
    assert dns_registration.addresses_to_register(SiteConfig("sqlite://")) == ()


def test_a_kernel_that_does_not_tell_is_a_persons_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError("not here")

    monkeypatch.setattr("socket.socket", refuse)
    with pytest.raises(UserError, match="host_ips"):
        interface_addresses.interface_addresses()
    with pytest.raises(UserError, match="host_ips"):
        interface_addresses.every_address(())
    assert interface_addresses.every_address(("192.0.2.10",)) == {"192.0.2.10", "127.0.0.1", "::1"}


def test_every_address_of_the_machine_is_its_own() -> None:
    """Bridges and loopback too: who forwards to one of them asks itself."""
    assert {"127.0.0.1", "2001:db8::10"} <= interface_addresses.every_address(("2001:DB8:0::10",))
