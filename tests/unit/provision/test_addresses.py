"""Which interfaces lead to other machines."""

from pathlib import Path

import pytest

from addc.provision import addresses


@pytest.mark.parametrize(
    "name", ["lo", "docker0", "br-1a2b3c", "veth1", "virbr0", "vnet3", "cni0", "cali12", "podman1"]
)
def test_the_machines_own_bridges_do_not_count(name: str) -> None:
    assert not addresses.leads_outside(name)


@pytest.mark.parametrize("name", ["eth0", "enp3s0", "wlan0", "bond0", "br0", "wg0", "lom1x"])
def test_interfaces_to_the_network_count(name: str) -> None:
    assert addresses.leads_outside(name)


def test_only_lasting_global_ipv6_addresses_are_taken(tmp_path: Path) -> None:
    table = tmp_path / "if_inet6"
    table.write_text(
        "20010db8000000000000000000000001 02 40 00 80     eth0\n"
        "20010db8000000000000000000000002 02 40 00 01     eth0\n"
        "20010db8000000000000000000000003 02 40 00 40     eth0\n"
        "fe800000000000000000000000000001 02 40 20 80     eth0\n"
        "00000000000000000000000000000001 01 80 10 80       lo\n"
    )
    assert [(name, str(address)) for name, address in addresses._ipv6(table)] == [("eth0", "2001:db8::1")]
    assert addresses._ipv6(tmp_path / "absent") == []
