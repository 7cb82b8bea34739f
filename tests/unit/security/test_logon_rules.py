"""The logon rules: each refuses, in one order, and the edges of times lie where the documents put them."""

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.clock import HOUR_FT, NEVER_FT, TICKS_PER_S, FileTime, from_unix
from addc.codes.ntstatus import NtStatus
from addc.security import logon_rules
from addc.security.logon_rules import Standing, hours_end, within_logon_hours

NOW: Final = from_unix(1_767_225_600)  # Thursday, 2026-01-01 00:00 UTC
FINE: Final = Standing()
ALWAYS: Final = b"\xff" * 21
NEVER: Final = bytes(21)
THURSDAY_MIDNIGHT: Final = 4 * 24


def only(*hours: int) -> bytes:
    """A map that allows these hours since Sunday 00:00."""
    bits = sum(1 << hour for hour in hours)
    return bits.to_bytes(21, "little")


def test_nothing_stands_against_an_ordinary_account() -> None:
    assert logon_rules.lockout(FINE, NOW) is None
    assert logon_rules.account_refusal(FINE, NOW) is None
    assert logon_rules.logon_refusal(FINE, NOW, "WS1") is None
    assert logon_rules.password_refusal(FINE, NOW) is None


def test_a_lockout_ends_at_its_time() -> None:
    locked = replace(FINE, lockout_until=NOW)
    assert logon_rules.lockout(locked, FileTime(NOW - 1)) is NtStatus.STATUS_ACCOUNT_LOCKED_OUT
    assert logon_rules.lockout(locked, NOW) is None
    forever = replace(FINE, lockout_until=int(NEVER_FT))
    assert logon_rules.account_refusal(forever, NOW) is NtStatus.STATUS_ACCOUNT_LOCKED_OUT


def test_the_order_of_what_is_wrong_with_an_account() -> None:
    worst = replace(FINE, disabled=True, lockout_until=NOW + 1, account_expires=1)
    assert logon_rules.account_refusal(worst, NOW) is NtStatus.STATUS_ACCOUNT_DISABLED
    locked = replace(worst, disabled=False)
    assert logon_rules.account_refusal(locked, NOW) is NtStatus.STATUS_ACCOUNT_LOCKED_OUT
    expired = replace(locked, lockout_until=0)
    assert logon_rules.account_refusal(expired, NOW) is NtStatus.STATUS_ACCOUNT_EXPIRED


@pytest.mark.parametrize(
    ("expires", "refused"), [(0, False), (int(NEVER_FT), False), (NOW, True), (NOW + 1, False)]
)
def test_accounts_expire(expires: int, refused: bool) -> None:
    found = logon_rules.account_refusal(replace(FINE, account_expires=expires), NOW)
    assert (found is NtStatus.STATUS_ACCOUNT_EXPIRED) is refused


@pytest.mark.parametrize(
    ("allowed", "client", "refused"),
    [
        ((), "WS1", False),
        (("WS1", "ws2"), "ws1", False),
        (("WS1", "ws2"), "WS2", False),
        (("WS1",), "WS3", True),
        (("WS1",), "", True),
        (("WS1",), None, False),
    ],
)
def test_workstations(allowed: tuple[str, ...], client: str | None, refused: bool) -> None:
    found = logon_rules.logon_refusal(replace(FINE, workstations=allowed), NOW, client)
    assert (found is NtStatus.STATUS_INVALID_WORKSTATION) is refused


def test_a_smart_card_is_required() -> None:
    card = replace(FINE, smartcard_required=True)
    assert logon_rules.logon_refusal(card, NOW, None) is NtStatus.STATUS_SMARTCARD_LOGON_REQUIRED


def test_passwords_grow_old() -> None:
    at_once = replace(FINE, password_must_change=0)
    assert logon_rules.password_refusal(at_once, NOW) is NtStatus.STATUS_PASSWORD_MUST_CHANGE
    old = replace(FINE, password_must_change=NOW)
    assert logon_rules.password_refusal(old, NOW) is NtStatus.STATUS_PASSWORD_EXPIRED
    assert logon_rules.password_refusal(old, FileTime(NOW - 1)) is None


# --- hours ---


def test_the_week_begins_on_sunday_at_midnight_utc() -> None:
    sunday = FileTime(NOW + 3 * 24 * HOUR_FT)
    assert within_logon_hours(only(0), sunday)
    assert not within_logon_hours(only(0), FileTime(sunday - 1))
    assert within_logon_hours(only(0), FileTime(sunday + HOUR_FT - 1))
    assert not within_logon_hours(only(0), FileTime(sunday + HOUR_FT))
    assert within_logon_hours(only(THURSDAY_MIDNIGHT), NOW)
    refused = logon_rules.logon_refusal(replace(FINE, logon_hours=NEVER), NOW, None)
    assert refused is NtStatus.STATUS_INVALID_LOGON_HOURS


@pytest.mark.parametrize("odd", [None, b"", bytes(20), bytes(22)])
def test_a_map_of_another_length_is_no_map(odd: bytes | None) -> None:
    assert within_logon_hours(odd, NOW)
    assert hours_end(odd, int(NEVER_FT), NOW) == NEVER_FT


def test_when_the_hours_end() -> None:
    three = only(*range(THURSDAY_MIDNIGHT, THURSDAY_MIDNIGHT + 3))
    inside = FileTime(NOW + 30 * 60 * TICKS_PER_S)
    assert hours_end(three, int(NEVER_FT), inside) == NOW + 3 * HOUR_FT
    assert hours_end(three, NOW + HOUR_FT, inside) == NOW + HOUR_FT, "the account may end before"
    assert hours_end(ALWAYS, int(NEVER_FT), inside) == NEVER_FT


@given(hours=st.binary(min_size=21, max_size=21), ahead_s=st.integers(0, 7 * 86_400))
def test_the_end_is_the_first_forbidden_hour(hours: bytes, ahead_s: int) -> None:
    now = FileTime(NOW + ahead_s * TICKS_PER_S)
    end = hours_end(hours, int(NEVER_FT), now)
    if end == NEVER_FT:
        assert hours == ALWAYS or not any(
            not within_logon_hours(hours, FileTime(now + n * HOUR_FT)) for n in range(1, 168)
        )
        return
    assert end % HOUR_FT == 0 and end > now
    assert not within_logon_hours(hours, FileTime(end))
    first = now // HOUR_FT + 1
    assert all(within_logon_hours(hours, FileTime(h * HOUR_FT)) for h in range(first, end // HOUR_FT))
