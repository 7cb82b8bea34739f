"""What may be asked for, and what is refused with a next step."""

import pytest

from addc.base.errors import UserError
from addc.provision import answers


@pytest.mark.parametrize(
    ("given", "realm"),
    [("corp.example.com", "CORP.EXAMPLE.COM"), ("A.B.", "A.B"), (" x1.y-2.org ", "X1.Y-2.ORG")],
)
def test_a_realm_is_a_dns_name_in_upper_case(given: str, realm: str) -> None:
    assert answers.check_realm(given) == realm


@pytest.mark.parametrize(
    "given",
    [
        "",
        "EXAMPLE",
        "-A.COM",
        "A-.COM",
        "A..COM",
        "A_B.COM",
        "É.COM",
        "10.0.0.1",
        "A" * 64 + ".COM",
        "A.B\n.C",
        ".".join(["LONGLABEL"] * 8),
    ],
)
def test_what_is_no_realm_is_refused(given: str) -> None:
    with pytest.raises(UserError, match="Next step"):
        answers.check_realm(given)


def test_the_netbios_name_comes_from_the_first_label() -> None:
    assert answers.default_netbios("CORP.EXAMPLE.COM") == "CORP"
    assert answers.default_netbios("AVERYLONGNAME-X-Y.EXAMPLE.COM") == "AVERYLONGNAME-X"
    assert answers.default_netbios("AVERYLONGNAMES-X.EXAMPLE.COM") == "AVERYLONGNAMES"


@pytest.mark.parametrize(
    "given", ["", "SIXTEENLETTERS16", "A.B", "A B", "A,B", "12345", "BUILTIN", "-A", "A-"]
)
def test_what_is_no_netbios_name_is_refused(given: str) -> None:
    with pytest.raises(UserError, match="Next step"):
        answers.check_netbios(given)


def test_a_full_host_name_in_the_domain_is_cut_to_the_short_one() -> None:
    assert answers.check_host("DC1.Corp.Example.com", "corp.example.com", "CORP") == "dc1"


@pytest.mark.parametrize(
    "given", ["", "dc1.other.org", "corp", "123", "localhost", "sixteenletters16", "a_b"]
)
def test_what_is_no_host_name_is_refused(given: str) -> None:
    with pytest.raises(UserError, match="Next step"):
        answers.check_host(given, "corp.example.com", "CORP")


@pytest.mark.parametrize("given", ["", "a b", "a.b", "x" * 64, "-a"])
def test_what_is_no_site_is_refused(given: str) -> None:
    with pytest.raises(UserError, match="Next step"):
        answers.check_site(given)


@pytest.mark.parametrize(
    "given", ["", "host", "0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "1.2.3"]
)
def test_what_is_no_host_address_is_refused(given: str) -> None:
    with pytest.raises(UserError, match="Next step"):
        answers.check_address(given)


def test_forwarders_take_a_port() -> None:
    assert answers.check_forwarder("192.0.2.53") == "192.0.2.53"
    assert answers.check_forwarder("2001:DB8::53#5353") == "2001:db8::53#5353"
    for given in ("", "dns.example", "192.0.2.53#", "192.0.2.53#0", "192.0.2.53#70000", "192.0.2.53:53"):
        with pytest.raises(UserError, match="Next step"):
            answers.check_forwarder(given)
