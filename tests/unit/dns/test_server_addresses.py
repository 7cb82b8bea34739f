"""Addresses of name servers: what our own zones say, and what they leave to others."""

import asyncio

from addc.codec.dns_rdata import AData, DnsType
from addc.directory.api import Directory, Services
from addc.directory.dns_zones import ZoneProperties, ZoneType, create_zone
from addc.dns import server_addresses
from addc.dns.server_addresses import ServerAddresses
from tests.kit.corp import Corp
from tests.kit.corp_forest import CountingRng, StandingClock
from tests.unit.dns.asking import ZONE
from tests.unit.dns.records import record

MASTER = bytes((192, 0, 2, 9))


def _of(corp: Corp, *names: str) -> set[str]:
    clock = StandingClock(corp.now)
    directory = Directory(corp.store, corp.schema, Services(clock, CountingRng(b"servers")))
    return asyncio.run(ServerAddresses(directory, clock).of(names))


def test_our_own_zones_tell_the_addresses_of_servers_in_them(corp: Corp) -> None:
    corp.add(f"DC=ns2,{ZONE}", "dnsNode", dnsRecord=[record(DnsType.A, AData(MASTER)).pack()])
    assert _of(corp, "ns2.corp.example.com") == {"192.0.2.9"}
    assert _of(corp, "none.corp.example.com") == set()
    assert {"192.0.2.10"} <= _of(corp, "corp.example.com"), "a server may have the name of its zone"


def test_zones_that_others_are_asked_about_tell_nothing(corp: Corp) -> None:
    """A conditional forwarder holds no names: its servers' are looked up as the machine does."""
    forwarder = ZoneProperties(ZoneType.FORWARDER, masters=(MASTER,))
    corp.write(lambda ctx: create_zone(ctx, "away.test", forwarder))
    assert corp.read(lambda ctx: server_addresses._own(ctx, "ns.away.test")) is None
    assert corp.read(lambda ctx: server_addresses._own(ctx, "ns.elsewhere.test")) is None
