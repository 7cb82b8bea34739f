"""What is kept, for how long, in which order of belief, and within which bounds."""

from dataclasses import replace

import pytest

from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import DnsType, SoaData
from addc.dns.resolver_cache import (
    FAILURE_S,
    CacheLimits,
    Known,
    Rank,
    ResolverCache,
    negative_ttl_of,
    ttl_of,
)
from tests.kit.small_internet import record

NAME = parse_name("www.example.test")
A, NS = int(DnsType.A), int(DnsType.NS)
LOW, HIGH = (
    record("www.example.test", "A", "192.0.2.1", 300),
    record("www.example.test", "A", "192.0.2.2", 600),
)


@pytest.fixture
def cache() -> ResolverCache:
    return ResolverCache(CacheLimits(entries=100, size_bytes=1 << 20, ttl_s=1000, negative_ttl_s=100))


def test_an_rrset_has_one_ttl_within_bounds() -> None:
    """RFC 2181 5.2, 8."""
    assert ttl_of((LOW, HIGH), 1000) == 300
    assert ttl_of((LOW, HIGH), 60) == 60
    assert ttl_of((replace(LOW, ttl_s=0x8000_0001),), 1000) == 0


def test_absence_holds_as_long_as_the_soa_says() -> None:
    """RFC 2308 5: the lesser of TTL and minimum; without SOA it is not kept."""
    soa = record("example.test", "SOA", "ns.example.test", 50)
    assert isinstance(soa.data, SoaData) and soa.data.minimum == 300
    assert negative_ttl_of((soa,), 100) == 50
    assert negative_ttl_of((replace(soa, ttl_s=5000),), 100) == 100
    assert negative_ttl_of((replace(soa, ttl_s=5000),), 900) == 300
    assert negative_ttl_of((), 100) == 0


def test_answers_age_and_end(cache: ResolverCache) -> None:
    cache.keep_records((HIGH,), Rank.TOLD, 1000.0, key=(NAME, A))
    entry = cache.answer(NAME, A, 1100.5)
    assert entry is not None and entry.left_s(1100.5) == 499
    assert cache.answer(NAME, A, 1600.0) is None, "RFC 8767 is not used: what is stale is gone"
    assert len(cache) == 0 and cache.size_bytes == 0


def test_a_ttl_of_nothing_is_good_for_now_alone(cache: ResolverCache) -> None:
    entry = cache.keep_records((replace(HIGH, ttl_s=0),), Rank.TOLD, 1000.0, key=(NAME, A))
    assert entry.records and len(cache) == 0


def test_what_is_believed_less_replaces_nothing(cache: ResolverCache) -> None:
    """RFC 2181 5.4.1."""
    cache.keep_records((HIGH,), Rank.AUTHORITATIVE, 0.0, key=(NAME, A))
    for rank in (Rank.GLUE, Rank.REFERRAL, Rank.TOLD):
        cache.keep_records((LOW,), rank, 1.0, key=(NAME, A))
        found = cache.answer(NAME, A, 2.0)
        assert found is not None and found.records == (HIGH,)
    cache.keep_records((LOW,), Rank.GLUE, 700.0, key=(NAME, A))
    assert cache.get(NAME, A, 701.0) is not None, "what expired stands in nobody's way"
    assert cache.answer(NAME, A, 701.0) is None, "glue is no answer"


def test_the_parents_ns_records_are_not_prolonged(cache: ResolverCache) -> None:
    told = record("example.test", "NS", "ns.example.test", 600)
    key = (parse_name("example.test"), NS)
    cache.keep_records((told,), Rank.REFERRAL, 0.0, key=key)
    cache.keep_records((told,), Rank.REFERRAL, 500.0, key=key)
    assert cache.get(*key, 599.0) is not None and cache.get(*key, 601.0) is None


def test_the_absence_of_a_name_counts_for_every_type_until_it_is_seen(cache: ResolverCache) -> None:
    soa = record("example.test", "SOA", "ns.example.test")
    cache.keep_absence(Known.NO_NAME, (soa,), Rank.TOLD, 0.0, key=(NAME, A))
    for kind in (A, int(DnsType.TXT)):
        found = cache.answer(NAME, kind, 1.0)
        assert found is not None and found.known is Known.NO_NAME
    cache.keep_records((HIGH,), Rank.TOLD, 2.0, key=(NAME, A))
    assert cache.answer(NAME, int(DnsType.TXT), 3.0) is None


def test_unchecked_data_is_apart(cache: ResolverCache) -> None:
    cache.keep_records((HIGH,), Rank.TOLD, 0.0, key=(NAME, A), lax=True)
    assert cache.answer(NAME, A, 1.0) is None and cache.answer(NAME, A, 1.0, lax=True) is not None
    cache.forget(NAME, A, lax=True)
    assert cache.answer(NAME, A, 1.0, lax=True) is None


def test_entries_and_bytes_are_bounded_and_the_used_stay(cache: ResolverCache) -> None:
    for number in range(1000):
        name = parse_name(f"n{number}.example.test")
        cache.keep_records(
            (record(f"n{number}.example.test", "A", "192.0.2.1"),), Rank.TOLD, 0.0, key=(name, A)
        )
        assert cache.get(parse_name("n0.example.test"), A, 1.0) is not None
    assert len(cache) == 100
    assert cache.get(parse_name("n500.example.test"), A, 1.0) is None
    cache.limits = CacheLimits(entries=100, size_bytes=20_000)
    huge = tuple(record("x.example.test", "TXT", "y" * 250) for _ in range(30))
    cache.keep_records(huge, Rank.TOLD, 0.0, key=(parse_name("x.example.test"), 16))
    assert cache.size_bytes <= 20_000
    too_big = huge * 10
    cache.keep_records(too_big, Rank.TOLD, 0.0, key=(parse_name("z.example.test"), 16))
    assert len(cache) == 0 and cache.size_bytes == 0, "what does not fit at all is not kept"


def test_failures_are_kept_for_seconds_and_bounded(cache: ResolverCache) -> None:
    """RFC 9520 3.2."""
    cache.failed(NAME, A, 0.0)
    assert cache.has_failed(NAME, A, FAILURE_S - 1) and not cache.has_failed(NAME, A, FAILURE_S + 1)
    assert not cache.has_failed(NAME, A, 1.0, lax=True)
    for number in range(10_000):
        cache.failed(parse_name(f"n{number}"), A, 0.0)
    assert len(cache._failures) <= 4096
    cache.clear()
    assert not cache.has_failed(parse_name("n9999"), A, 0.0)
