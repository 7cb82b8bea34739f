"""Settings by Windows' names: ranges, what zero stands for, what cannot be ([MS-DNSP] 3.1.1.1, 3.1.1.2)."""

from dataclasses import fields, replace
from typing import Final

import pytest

from addc.base.clock import HOUR_FT, FileTime
from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory.dns_properties import (
    FIXED,
    KEPT,
    ZoneState,
    server_number,
    with_server_number,
    with_zone_number,
    zone_number,
)
from addc.directory.dns_settings import DnsSettings, ZoneSettings
from addc.directory.dns_zones import ZoneProperties, ZoneType, ZoneUpdate

NOW: Final = FileTime(1000 * HOUR_FT)
ZONE: Final = ZoneState(ZoneProperties(allow_update=ZoneUpdate.OFF), ZoneSettings(), DnsSettings())


def refused(state: ZoneState, name: str, value: int) -> int:
    with pytest.raises(DsError) as found:
        with_zone_number(state, name, value, NOW)
    return found.value.code


def test_every_kept_property_is_a_setting_and_none_is_fixed_too() -> None:
    known = {one.name for one in fields(DnsSettings)}
    assert {kept.field for kept in KEPT.values()} <= known
    assert not {name.lower() for name in KEPT} & {name.lower() for name in FIXED}


@pytest.mark.parametrize("name", sorted(KEPT))
def test_what_is_set_is_told(name: str) -> None:
    kept = KEPT[name]
    low, high = kept.low, kept.high
    for value in (low, high):
        told = server_number(with_server_number(DnsSettings(), name, value), name)
        assert told == (kept.default if value == 0 and kept.default is not None else value)
    if high > 1:
        with pytest.raises(DsError) as found:
            with_server_number(DnsSettings(), name, high + 1)
        assert found.value.code == Win32.DNS_ERROR_DWORD_VALUE_TOO_LARGE


def test_a_zone_that_becomes_secure_knows_since_when() -> None:
    """[MS-DNSP] 3.1.1.2.1 (AllowUpdate, Time Zone Secured)."""
    secure = with_zone_number(ZONE, "AllowUpdate", 2, NOW)
    assert secure.properties.secure_since_s == 3_600_000
    later = with_zone_number(secure, "AllowUpdate", 2, FileTime(NOW + HOUR_FT))
    assert later == secure
    assert with_zone_number(secure, "AllowUpdate", 0, NOW).properties.secure_since_s == 3_600_000


def test_ageing_begins_a_refresh_interval_from_now() -> None:
    """[MS-DNSP] 3.1.4.1 (ResetDwordProperty, Aging)."""
    aging = with_zone_number(ZONE, "Aging", 9, NOW)
    assert aging.properties.aging and aging.properties.scavenge_from_h == 1000 + 168
    again = with_zone_number(aging, "Aging", 1, FileTime(NOW + HOUR_FT))
    assert again == aging
    assert with_zone_number(aging, "Aging", 0, NOW).properties.aging is False


def test_zero_hours_are_the_server_s_default() -> None:
    state = replace(ZONE, defaults=DnsSettings(default_no_refresh_h=5, default_refresh_h=6))
    assert with_zone_number(state, "NoRefreshInterval", 0, NOW).properties.no_refresh_h == 5
    assert with_zone_number(state, "RefreshInterval", 0, NOW).properties.refresh_h == 6


def test_properties_of_primaries_are_not_of_others() -> None:
    forwarder = replace(ZONE, properties=ZoneProperties(type=ZoneType.FORWARDER))
    for name in ("Aging", "AllowUpdate", "RefreshInterval"):
        assert refused(forwarder, name, 1) == Win32.DNS_ERROR_INVALID_ZONE_TYPE
    assert with_zone_number(forwarder, "ForwarderSlave", 1, NOW).local.forward_is_slave
    assert refused(ZONE, "ForwarderSlave", 1) == Win32.DNS_ERROR_INVALID_ZONE_TYPE


def test_what_a_zone_is_cannot_be_set() -> None:
    assert refused(ZONE, "Type", 2) == Win32.DNS_ERROR_INVALID_PROPERTY
    assert with_zone_number(ZONE, "Type", 1, NOW) == ZONE
    assert with_zone_number(ZONE, "Unicode", 7, NOW) == ZONE
    assert refused(ZONE, "NotifyLevel", 3) == Win32.DNS_ERROR_DWORD_VALUE_TOO_LARGE
    assert refused(ZONE, "PluginEnabled", 1) == Win32.ERROR_NOT_SUPPORTED
    assert zone_number(ZONE, "Nonsense") is None
