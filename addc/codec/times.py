"""GeneralizedTime and UTCTime texts to FILETIME and back.

Spec: [MS-ADTS] 3.1.1.2.2.2 (String(Generalized-Time), String(UTC-Time)), RFC 4517 3.3.13, X.680 46-47.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import DecodeError

_GENERALIZED: Final = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:[.,](\d{1,9}))?(Z|[+-]\d{4})?\Z")
_UTC: Final = re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(Z|[+-]\d{4})\Z")
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


def _file_time(fields: list[int], zone: bytes | None, fraction: bytes | None, path: str) -> FileTime:
    try:
        when = datetime(*fields, tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        raise DecodeError("no such date", 0, path) from None
    if zone and zone != b"Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
        when = when - offset if zone[:1] == b"+" else when + offset
    delta = when - _EPOCH
    ticks = (delta.days * 86400 + delta.seconds) * TICKS_PER_S
    if fraction:
        ticks += int(fraction.ljust(7, b"0")[:7])
    if ticks < 0:
        raise DecodeError("before the year 1601", 0, path)
    return FileTime(ticks)


def parse_generalized(text: bytes) -> FileTime:
    """FILETIME of "20260131235959.0Z"; offsets and fractions are taken as X.680 allows them."""
    match = _GENERALIZED.match(text)
    if match is None:
        raise DecodeError("not a GeneralizedTime", 0, "GeneralizedTime")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    fields = [int(part or 0) for part in (year, month, day, hour, minute, second)]
    return _file_time(fields, zone, fraction, "GeneralizedTime")


def parse_utc(text: bytes) -> FileTime:
    """FILETIME of "260131235959Z"; years 50-99 are of the 20th century."""
    match = _UTC.match(text)
    if match is None:
        raise DecodeError("not a UTCTime", 0, "UTCTime")
    year, month, day, hour, minute, second, zone = match.groups()
    full_year = int(year) + (1900 if int(year) >= 50 else 2000)
    fields = [full_year, *(int(part or 0) for part in (month, day, hour, minute, second))]
    return _file_time(fields, zone, None, "UTCTime")


def format_generalized(when_ft: int) -> bytes:
    """ "20260131235959.0Z", as Active Directory prints whole seconds."""
    when = _EPOCH + timedelta(seconds=when_ft // TICKS_PER_S)
    return b"%04d%02d%02d%02d%02d%02d.0Z" % (
        when.year, when.month, when.day, when.hour, when.minute, when.second,
    )  # fmt: skip


def kerberos_time(when_ft: int) -> bytes:
    """KerberosTime, RFC 4120 5.2.3: "20260131235959Z"."""
    return format_generalized(when_ft)[:14] + b"Z"
