"""Sockets that several workers share, and the words for those that cannot be had."""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from addc.base.errors import UserError
from addc.server import listeners


def test_two_workers_share_a_port() -> None:
    first = listeners.listen_tcp("127.0.0.1", 0, shared=True)
    port = first.getsockname()[1]
    with first, listeners.listen_tcp("127.0.0.1", port, shared=True):
        assert port > 0


@pytest.mark.parametrize("listen", [listeners.listen_tcp, listeners.listen_udp])
def test_a_second_server_does_not_share_by_accident(listen: Callable[..., socket.socket]) -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(UserError, match="Another program"):
        listen("127.0.0.1", first.getsockname()[1], shared=True)


def test_a_port_of_another_program_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=str(port)):
            listeners.listen_tcp("127.0.0.1", port)


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(UserError, match=r"192\.0\.2\.1"):
        listeners.listen_udp("192.0.2.1", 0)


def test_addresses_asked_for_are_those_served() -> None:
    assert listeners.addresses(["10.0.0.1"]) == ("10.0.0.1",)
    assert "0.0.0.0" in listeners.addresses([])  # noqa: S104


def test_a_reply_comes_from_the_address_that_was_asked() -> None:
    """RFC 2181 4.1: a socket of every own address beside that of all."""
    every = str(IPv4Address(0))
    own = ("127.0.0.1", "127.0.0.2", "::1", "169.254.9.9", "192.0.2.200")
    sockets = listeners.listen_datagrams(every, 0, own)
    try:
        assert [one.getsockname()[0] for one in sockets] == [every, "127.0.0.1", "127.0.0.2"]
    finally:
        for one in sockets:
            one.close()
    (alone,) = listeners.listen_datagrams("127.0.0.1", 0, ("127.0.0.2",))
    assert alone.getsockname()[0] == "127.0.0.1"
    alone.close()
