"""The order in which servers are asked, and how long they are waited for."""

from addc.dns.forward import Forwarder
from addc.dns.upstream_health import UpstreamHealth

ONE, TWO, THREE = (Forwarder(f"192.0.2.{n}", 53) for n in (1, 2, 3))


def test_nothing_known_leaves_the_order() -> None:
    assert UpstreamHealth().order([TWO, ONE, TWO, THREE], 0.0) == [TWO, ONE, THREE]


def test_the_quick_come_first_and_the_alike_as_given() -> None:
    health = UpstreamHealth()
    for server, took_s in ((ONE, 0.300), (TWO, 0.012), (THREE, 0.005)):
        health.answered(server, took_s, 0.0)
    assert health.order([ONE, TWO, THREE], 0.0) == [TWO, THREE, ONE]


def test_who_was_slow_once_gets_another_chance() -> None:
    health = UpstreamHealth()
    health.answered(ONE, 2.0, 0.0)
    for now_s in range(0, 1200, 60):
        health.answered(TWO, 0.09, float(now_s))
    assert health.order([ONE, TWO], 60.0)[0] == TWO
    assert health.order([ONE, TWO], 1150.0)[0] == ONE


def test_the_dead_come_last_and_back_after_their_rest() -> None:
    """RFC 2308 7.2: longer each time, never for more than a minute."""
    health = UpstreamHealth()
    health.answered(ONE, 0.001, 0.0)
    health.silent(ONE, 10.0)
    assert not health.is_dead(ONE, 10.0), "one datagram may be lost"
    health.silent(ONE, 10.0)
    assert health.order([ONE, TWO], 11.0) == [TWO, ONE] and health.is_dead(ONE, 11.0)
    assert not health.is_dead(ONE, 12.5)
    for _ in range(20):
        health.silent(ONE, 100.0)
    assert health.is_dead(ONE, 159.0) and not health.is_dead(ONE, 161.0)
    health.answered(ONE, 0.001, 0.0)
    assert not health.is_dead(ONE, 100.0)


def test_a_server_is_waited_for_as_long_as_it_is_wont_to_take() -> None:
    health = UpstreamHealth()
    assert health.timeout_s(ONE) == 1.5
    for _ in range(20):
        health.answered(ONE, 0.01, 0.0)
        health.answered(TWO, 0.5, 0.0)
    assert health.timeout_s(ONE) == 0.4 and 0.5 < health.timeout_s(TWO) < 3.0
    for _ in range(9):
        health.silent(ONE, 0.0)
    assert health.timeout_s(ONE) == 3.0


def test_what_servers_do_not_understand_is_remembered_for_an_hour() -> None:
    health = UpstreamHealth()
    assert health.speaks_edns(ONE, 0.0) and health.keeps_case(ONE, 0.0)
    health.lacks_edns(ONE, 0.0)
    health.loses_case(TWO, 0.0)
    assert not health.speaks_edns(ONE, 1.0) and health.speaks_edns(ONE, 3601.0)
    assert not health.keeps_case(TWO, 1.0) and health.keeps_case(ONE, 1.0)


def test_the_memory_is_bounded() -> None:
    health = UpstreamHealth()
    for number in range(10_000):
        health.answered(Forwarder(f"10.0.{number >> 8}.{number & 255}", 53), 0.1, 0.0)
    assert len(health._known) <= 4096
