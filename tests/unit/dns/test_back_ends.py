"""What machines register is answered, refreshed and scavenged: on either back end."""

import asyncio
from dataclasses import replace

from addc.base.clock import DAY_FT
from addc.codes.rcode import Rcode
from addc.directory import dns_aging
from addc.directory.context import WriteContext
from addc.directory.dns_scavenging import step
from addc.directory.dns_settings import keep_settings, settings
from addc.directory.dns_zones import set_properties, zone_named
from addc.security.token import SYSTEM
from tests.kit.corp import Corp
from tests.kit.dns_desk import ZONE, DnsDesk, update_of
from tests.unit.dns.asking import Asker, asker_of

_DAYS = 40


def _age(ctx: WriteContext) -> None:
    zone = zone_named(ctx, ZONE)
    assert zone is not None
    wanted = dns_aging.enabled(zone.properties, replace(zone.properties, aging=True), ctx.now)
    set_properties(ctx, zone, wanted)
    keep_settings(ctx, replace(settings(ctx), scavenging_interval_h=24))


def _register(desk: DnsDesk, name: str, address: str) -> None:
    """What a Windows machine sends each day."""
    update = update_of()
    update.absent(name, "CNAME")
    update.delete(name, "A")
    update.add(name, 1200, "A", address)
    assert desk.client(f"{name.upper()}$").update(update) is Rcode.NOERROR


def _day(corp: Corp, desk: DnsDesk, asker: Asker) -> None:
    for _ in range(4):  # a job that was long away gives machines time to come back
        corp.later(6 * 3600)
        desk.clock.when = asker.clock.when = corp.now
        asker.ticks.now_s += 6 * 3600
        while corp.write(step, SYSTEM):
            pass


def test_updates_answers_and_scavenging(corp: Corp) -> None:
    """RFC 2136, [MS-DNSP] 3.1.4.1 (StartScavenging): every change is seen by the next question."""
    for name in ("lives", "dies"):
        corp.add(f"CN={name},CN=Computers", "computer", sAMAccountName=f"{name}$", userAccountControl="4096")
    corp.write(_age, SYSTEM)
    asker = asker_of(corp)
    with asyncio.Runner() as runner:
        desk = DnsDesk(corp, asker.directory, asker.clock, runner)
        _register(desk, "dies", "192.0.2.2")
        began = corp.now
        while corp.now < began + _DAYS * DAY_FT:
            _register(desk, "lives", "192.0.2.1")
            _day(corp, desk, asker)
        assert asker.texts(f"lives.{ZONE}") == ["192.0.2.1"]
        assert asker.code(f"dies.{ZONE}") == "NXDOMAIN"
        _register(desk, "dies", "192.0.2.3")
        asker.ticks.now_s += 0.01  # decision 0044: so late may PostgreSQL's commits show
        assert asker.texts(f"dies.{ZONE}") == ["192.0.2.3"], "its tombstone lives again"
