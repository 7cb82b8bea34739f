"""The map of sites: one site is everybody's, else the longest subnet decides."""

from ipaddress import ip_address, ip_network

import pytest

from addc.codec.site_names import is_site_name, is_subnet_name
from addc.directory.sites import SiteMap, site_map
from tests.kit.corp import Corp, delete_values, replace_values
from tests.kit.corp_forest import CONFIG_DN

SITES = f"CN=Sites,{CONFIG_DN}"
FIRST = "Default-First-Site-Name"
MAP = SiteMap(
    ("Berlin", "Lab", FIRST),
    tuple(
        (ip_network(net), site)
        for net, site in (("10.1.2.0/24", "Lab"), ("10.1.0.0/16", "Berlin"), ("fd00:1::/32", "Berlin"))
    ),
)


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("10.1.2.3", "Lab"),
        ("10.1.3.3", "Berlin"),
        ("::ffff:10.1.3.3", "Berlin"),
        ("fd00:1:2::1", "Berlin"),
        ("10.2.0.1", ""),
        ("fd00:2::1", ""),
    ],
)
def test_the_longest_subnet_decides(address: str, site: str) -> None:
    assert MAP.site_of(ip_address(address)) == site


def site_of(corp: Corp, address: str) -> str:
    return corp.read(lambda ctx: site_map(ctx).site_of(ip_address(address)))


def add_subnet(corp: Corp, name: str, site: str | None) -> None:
    dn = f"CN={name},CN=Subnets,{SITES}"
    if site is None:
        corp.add(dn, "subnet")
    else:
        corp.add(dn, "subnet", siteObject=f"CN={site},{SITES}")


def test_one_site_needs_no_subnets(corp: Corp) -> None:
    assert site_of(corp, "203.0.113.1") == FIRST == site_of(corp, "2001:db8::1")


def test_the_map_follows_the_directory(corp: Corp) -> None:
    assert site_of(corp, "203.0.113.1") == FIRST
    corp.add(f"CN=Berlin,{SITES}", "site")
    assert site_of(corp, "203.0.113.1") == ""
    add_subnet(corp, "203.0.113.0/24", "Berlin")
    assert site_of(corp, "203.0.113.1") == "Berlin"
    subnet = f"CN=203.0.113.0/24,CN=Subnets,{SITES}"
    corp.modify(subnet, replace_values("siteObject", f"CN={FIRST},{SITES}"))
    assert site_of(corp, "203.0.113.1") == FIRST
    corp.modify(subnet, delete_values("siteObject"))
    assert site_of(corp, "203.0.113.1") == ""


def test_subnets_that_lead_nowhere_are_passed_over(corp: Corp) -> None:
    corp.add(f"CN=Berlin,{SITES}", "site")
    add_subnet(corp, "198.51.100.0/24", None)
    assert site_of(corp, "198.51.100.7") == ""


VALID_SUBNETS = (
    "10.2.1.0/24", "10.0.0.1/32", "A:A:A:A::/64", "a:b::c:d:0:0/64", "0:0:e0::/48", "A:B::F:0/128",
)  # fmt: skip
INVALID_SUBNETS = (
    "10.02.0.0/16", "10.1.2.1/24", "office", "255.0.0.0/8", "0.0.0.0/0", "10.0.0.0/08", "10.0.0.0/33",
    "10.0.0.0/255.0.0.0", "10.0.0.0", "A:B:0C:D::/64", "A:B:0:0:0:0:E:F/128", "A:a:e:b::d:e:f/128",
)  # fmt: skip


def test_subnet_names_are_networks_in_their_one_spelling() -> None:
    """The examples of [MS-ADTS] 6.1.1.2.2.2.1 and some more."""
    assert [text for text in VALID_SUBNETS if not is_subnet_name(text)] == []
    assert [text for text in INVALID_SUBNETS if is_subnet_name(text)] == []


def test_site_names_are_dns_labels() -> None:
    assert all(is_site_name(text) for text in ("Default-First-Site-Name", "1st_floor", "Zürich"))
    assert not any(is_site_name(text) for text in ("", "a.b", "a b", "a/b", "x" * 64))
