"""Settings of the DNS server, kept in the store."""

from dataclasses import replace

from addc.directory import dns_settings
from addc.directory.context import WriteContext
from addc.directory.dns_settings import SETTINGS_STATE, DnsSettings, ZoneSettings
from tests.kit.corp import Corp


def test_settings_are_as_by_default_until_somebody_decides(corp: Corp) -> None:
    assert corp.read(dns_settings.settings) == DnsSettings()
    wanted = replace(DnsSettings(), forwarders=("192.0.2.1", "192.0.2.2#5353"), round_robin=False)
    corp.write(lambda ctx: dns_settings.keep_settings(ctx, wanted))
    assert corp.read(dns_settings.settings) == wanted
    corp.write(lambda ctx: dns_settings.keep_settings(ctx, DnsSettings()))
    assert corp.read(dns_settings.settings) == DnsSettings()


def test_a_write_sees_what_it_wrote(corp: Corp) -> None:
    wanted = DnsSettings(recursion=False)

    def work(ctx: WriteContext) -> DnsSettings:
        assert dns_settings.settings(ctx) == DnsSettings()
        dns_settings.keep_settings(ctx, wanted)
        return dns_settings.settings(ctx)

    assert corp.write(work) == wanted


def test_settings_of_other_versions_are_passed_over(corp: Corp) -> None:
    corp.write(lambda ctx: ctx.tx.set_state(SETTINGS_STATE, b'{"of_tomorrow": 1, "recursion": false}'))
    assert corp.read(dns_settings.settings) == DnsSettings(recursion=False)


def test_zones_have_settings_of_their_own(corp: Corp) -> None:
    wanted = ZoneSettings(query_networks=("192.0.2.0/24",))
    corp.write(lambda ctx: dns_settings.keep_zone_settings(ctx, "Example.com.", wanted))
    assert corp.read(lambda ctx: dns_settings.zone_settings(ctx, "example.COM")) == wanted
    assert corp.read(lambda ctx: dns_settings.zone_settings(ctx, "example.org")) == ZoneSettings()
    corp.write(lambda ctx: dns_settings.keep_zone_settings(ctx, "example.com", None))
    assert corp.read(dns_settings.all_zone_settings) == {}
