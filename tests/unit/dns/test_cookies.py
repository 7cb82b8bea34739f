"""Cookies as RFC 9018 makes them: its own examples, ages, and cookies that are not ours."""

from ipaddress import ip_address

import pytest

from addc.base.secret import Secret
from addc.dns.cookies import CookieJar, is_well_formed, siphash

SECRET = Secret(bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf"))
CLIENT = bytes.fromhex("2464c4abcf10c957")
ADDRESS = ip_address("198.51.100.100").packed
NOW_S = 1_559_731_985


def test_siphash_as_its_authors_show_it() -> None:
    keys = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    assert siphash(keys, bytes(range(15))) == bytes.fromhex("e545be4961ca29a1")
    assert siphash(keys, b"") == bytes.fromhex("310e0edd47db6f72")


@pytest.mark.parametrize(
    ("shown", "address", "now_s", "made", "good"),
    [
        ("2464c4abcf10c957", "198.51.100.100", 1_559_731_985, "010000005cf79f111f8130c3eee29480", False),
        (
            "2464c4abcf10c957010000005cf79f111f8130c3eee29480", "198.51.100.100", 1_559_734_385,
            "010000005cf7a871d4a564a1442aca77", True,
        ),
        (
            "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", "203.0.113.203", 1_559_734_700,
            "010000005cf7a9acf73a7810aca2381e", False,
        ),
    ],
)  # fmt: skip
def test_the_examples_of_rfc_9018_appendix_a(
    shown: str, address: str, now_s: int, made: str, good: bool
) -> None:
    found = CookieJar(SECRET).judge(bytes.fromhex(shown), ip_address(address).packed, now_s)
    assert found == (bytes.fromhex(shown[:16] + made), good)


def test_reserved_octets_of_another_server_are_signed_as_they_came() -> None:
    """RFC 9018 4.2, the cookie of appendix A.3 while it was young."""
    shown = bytes.fromhex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5")
    address = ip_address("203.0.113.203").packed
    assert CookieJar(SECRET).judge(shown, address, 1_559_727_985 + 600) == (shown, True)


def test_the_example_of_ipv6_in_appendix_a() -> None:
    secret = Secret(bytes.fromhex("445536bcd2513298075a5d379663c962"))
    address = ip_address("2001:db8:220:1:59de:d0f4:8769:82b8").packed
    found, _ = CookieJar(secret).judge(bytes.fromhex("22681ab97d52c298"), address, 1_559_741_961)
    assert found.hex() == "22681ab97d52c298010000005cf7c609a6bb79d16625507a"


def test_a_cookie_is_known_again_and_renewed_after_half_an_hour() -> None:
    jar = CookieJar(SECRET)
    cookie, good = jar.judge(CLIENT, ADDRESS, NOW_S)
    assert not good
    assert CookieJar(SECRET).judge(cookie, ADDRESS, NOW_S + 1800) == (cookie, True), "by another process too"
    renewed, good = CookieJar(SECRET).judge(cookie, ADDRESS, NOW_S + 1801)
    assert good and renewed != cookie
    assert CookieJar(SECRET).judge(renewed, ADDRESS, NOW_S + 1801) == (renewed, True)


def test_what_was_judged_is_not_judged_for_ever() -> None:
    jar = CookieJar(SECRET)
    cookie, _ = jar.judge(CLIENT, ADDRESS, NOW_S)
    assert jar.judge(cookie, ADDRESS, NOW_S + 3600)[1]
    assert not jar.judge(cookie, ADDRESS, NOW_S + 3661)[1]


@pytest.mark.parametrize("late_s", [3601, -301, 1 << 31])
def test_a_cookie_of_another_time_is_refused(late_s: int) -> None:
    cookie, _ = CookieJar(SECRET).judge(CLIENT, ADDRESS, NOW_S)
    assert not CookieJar(SECRET).judge(cookie, ADDRESS, NOW_S + late_s)[1]


def test_a_cookie_of_another_client_address_secret_or_shape_is_refused() -> None:
    cookie, _ = CookieJar(SECRET).judge(CLIENT, ADDRESS, NOW_S)
    other = CookieJar(Secret(bytes(16)))
    assert not other.judge(cookie, ADDRESS, NOW_S)[1]
    jar = CookieJar(SECRET)
    assert not jar.judge(cookie, ip_address("198.51.100.101").packed, NOW_S)[1]
    for damaged in (b"\0" + cookie[1:], cookie[:-1] + b"\0", cookie[:8] + b"\2" + cookie[9:], cookie + b"\0"):
        assert not jar.judge(damaged, ADDRESS, NOW_S)[1]


def test_lengths_of_rfc_7873_4() -> None:
    assert [size for size in range(50) if is_well_formed(bytes(size))] == [8, *range(16, 41)]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addc.dns.cookies._KEPT_MAX", 4)
    jar = CookieJar(SECRET)
    for number in range(20):
        jar.judge(number.to_bytes(8, "big"), ADDRESS, NOW_S)
    assert len(jar._kept) <= 4
