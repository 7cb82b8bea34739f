"""How many replies of one kind a network gets."""

from collections import Counter
from ipaddress import ip_address, ip_network

import pytest

from addc.dns.rate_limit import Kind, RateLimiter, Rates, Verdict, is_within
from tests.unit.dns.asking import Ticks

RATES = Rates(5, 2, 5, truncate_every=2, leak_every=3, v4_prefix=24, v6_prefix=56)
HOST = ip_address("198.51.100.7").packed


def verdicts(limiter: RateLimiter, count: int, address: bytes = HOST, what: bytes = b"a") -> Counter[Verdict]:
    return Counter(limiter.judge(address, Kind.ANSWER, what) for _ in range(count))


def test_a_burst_is_answered_up_to_the_rate() -> None:
    limiter = RateLimiter(RATES, Ticks())
    assert verdicts(limiter, 5) == {Verdict.SEND: 5}
    beyond = verdicts(limiter, 600)
    assert beyond[Verdict.SEND] == 200 and beyond[Verdict.TRUNCATE] == 200 and beyond[Verdict.DROP] == 200


def test_a_steady_client_within_the_rate_is_never_limited() -> None:
    ticks = Ticks()
    limiter = RateLimiter(RATES, ticks)
    for _ in range(200):
        assert limiter.judge(HOST, Kind.ANSWER, b"a") is Verdict.SEND
        ticks.now_s += 0.2


def test_what_was_too_much_is_paid_for_a_window_at_most() -> None:
    ticks = Ticks()
    limiter = RateLimiter(RATES, ticks)
    verdicts(limiter, 10_000)
    ticks.now_s += 5.3
    assert limiter.judge(HOST, Kind.ANSWER, b"a") is Verdict.SEND


def test_networks_names_and_kinds_have_accounts_of_their_own() -> None:
    limiter = RateLimiter(RATES, Ticks())
    verdicts(limiter, 101)
    assert limiter.judge(ip_address("198.51.100.200").packed, Kind.ANSWER, b"a") is not Verdict.SEND
    assert limiter.judge(ip_address("198.51.101.7").packed, Kind.ANSWER, b"a") is Verdict.SEND
    assert limiter.judge(HOST, Kind.ANSWER, b"b") is Verdict.SEND
    assert [limiter.judge(HOST, Kind.NXDOMAIN, b"z") for _ in range(3)][2] is not Verdict.SEND, "errors: two"
    six = ip_address("2001:db8::1").packed
    verdicts(limiter, 101, six)
    assert limiter.judge(ip_address("2001:db8:0:ff::9").packed, Kind.ANSWER, b"a") is not Verdict.SEND
    assert limiter.judge(ip_address("2001:db8:0:100::9").packed, Kind.ANSWER, b"a") is Verdict.SEND


def test_networks_of_any_length() -> None:
    limiter = RateLimiter(Rates(1, 1, 5, 0, 0, v4_prefix=20, v6_prefix=64), Ticks())
    verdicts(limiter, 10, ip_address("10.0.0.1").packed)
    assert limiter.judge(ip_address("10.0.15.1").packed, Kind.ANSWER, b"a") is Verdict.DROP
    assert limiter.judge(ip_address("10.0.16.1").packed, Kind.ANSWER, b"a") is Verdict.SEND


def test_nobody_is_limited_where_the_rate_is_zero_or_the_network_exempt() -> None:
    exempt = (ip_network("198.51.100.0/25"),)
    limiter = RateLimiter(Rates(1, 0, 5, 2, 3, 24, 56, exempt), Ticks())
    assert verdicts(limiter, 100) == {Verdict.SEND: 100}
    assert all(limiter.judge(b"\x0a\0\0\1", Kind.ERROR, b"") is Verdict.SEND for _ in range(100))


def test_accounts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addc.dns.rate_limit._ACCOUNTS_MAX", 10)
    limiter = RateLimiter(RATES, Ticks())
    for number in range(100):
        limiter.judge(number.to_bytes(4, "big"), Kind.ANSWER, number.to_bytes(2, "big"))
    assert len(limiter._young) <= 10 and len(limiter._old) <= 10


def test_ipv4_in_ipv6_clothes_is_ipv4() -> None:
    inside = (ip_network("192.0.2.0/24"),)
    assert is_within(ip_address("::ffff:192.0.2.9").packed, inside)
    assert not is_within(ip_address("2001:db8::1").packed, inside)
