"""addc dns update: which names of clients are taken."""

from ipaddress import IPv4Address

import pytest

from addc.base.errors import UserError
from addc.dns.dhcp_names import Identity
from addc.server.admin.dns_dynamic import lease_of

_WHO = (Identity.HARDWARE, bytes.fromhex("01020304050607"))
_ADDRESS = IPv4Address("192.0.2.7")


@pytest.mark.parametrize(
    "name", ["pc7.example.com", "7.example.com", "lab_pc-7.example.com", "bücher.example"]
)
def test_hosts_names_are_taken(name: str) -> None:
    """RFC 1123 2.1, underscores of Windows' names, and IDNA."""
    assert len(lease_of(name, _ADDRESS, _WHO, 600).name) == name.count(".") + 1


@pytest.mark.parametrize(
    "name", ["*.example.com", "_ldap.example.com", "-x.example.com", "x-.example.com", "$(id).example.com",
             "a\\.b.example.com", "a b.example.com", "pc7"]
)  # fmt: skip
def test_what_is_no_host_s_name_is_refused(name: str) -> None:
    """Denied: a client called "*" would have every name that nobody has."""
    with pytest.raises(UserError):
        lease_of(name, _ADDRESS, _WHO, 600)
