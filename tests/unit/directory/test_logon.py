"""Names that simple binds may use, and whom a password lets in when."""

from dataclasses import replace
from uuid import UUID

import pytest

from addc.base.clock import NEVER_FT, TICKS_PER_S
from addc.codec.ids import Sid
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, logon, logon_counters
from addc.directory.context import ReadContext
from addc.directory.modify import modify_object
from addc.directory.passwords import password_of_text
from addc.security.token import SYSTEM
from tests.kit.corp import SEALED, Corp, add_values, replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN

PASSWORD = "Us3r.Passw0rd"


def found_by(corp: Corp, name: str) -> str | None:
    found = corp.read(lambda ctx: logon.find_by_bind_name(ctx, name))
    return None if found is None else found.sam_account_name


def verdict(
    corp: Corp, name: str, password: str = PASSWORD, *, workstation: str | None = None, later_s: int = 0
) -> NtStatus:
    def work(ctx: ReadContext) -> NtStatus:
        row = accounts.row_by_sam(ctx, name)
        assert row is not None
        now = type(ctx.now)(ctx.now + later_s * TICKS_PER_S)
        return logon.verify_logon(ctx, row, password_of_text(password), now, workstation)

    return corp.read(work)


@pytest.fixture
def alice(corp_sqlite: Corp) -> Corp:
    corp_sqlite.user("alice", PASSWORD, displayName="Alice Adams", userPrincipalName="a.adams@example.org")
    return corp_sqlite


# --- names ---


def test_every_form_of_a_name(alice: Corp) -> None:
    row = alice.row("CN=alice,CN=Users")
    for name in (
        f"CN=alice,CN=Users,{DOMAIN_DN}",
        f"<GUID={UUID(bytes_le=row.guid)}>",
        "a.adams@example.org",
        "ALICE@corp.example.com",
        "alice@CORP",
        "CORP\\alice",
        "corp.example.com\\alice",
        "corp.example.com/Users/alice",
        "corp.example.com/Users\nalice",
        f"{{{UUID(bytes_le=row.guid)}}}",
        "Alice Adams",
        str(alice.sid("CN=alice,CN=Users")),
    ):
        assert found_by(alice, name) == "alice", name
    assert found_by(alice, "ldap/dc1.corp.example.com") == "DC1$"
    assert found_by(alice, "cifs/dc1.corp.example.com") == "DC1$", "an alias of HOST"


def test_suffixes_of_the_forest_make_principal_names(alice: Corp) -> None:
    assert found_by(alice, "alice@corp.example.net") is None
    partitions = f"CN=Partitions,{CONFIG_DN}"
    alice.modify(partitions, add_values("uPNSuffixes", "corp.example.net", "example.org"))
    assert found_by(alice, "alice@CORP.example.net") == "alice"
    assert found_by(alice, "@corp.example.net") is None


def test_a_former_sid(alice: Corp) -> None:
    former = Sid.parse("S-1-5-21-9-9-9-1105")
    alice.write(
        lambda ctx: modify_object(
            ctx, f"CN=alice,CN=Users,{DOMAIN_DN}", [add_values("sIDHistory", former)], SEALED
        )
    )
    assert found_by(alice, str(former)) == "alice"


def test_names_of_nobody(alice: Corp) -> None:
    alice.group("crew")
    for name in (
        "",
        "alice",
        "OTHER\\alice",
        "alice@example.org",
        f"CN=Users,{DOMAIN_DN}",
        f"CN=crew,CN=Users,{DOMAIN_DN}",
        "corp.example.com/Users",
        "corp.example.com/Users/alice/x",
        "corp.example.org/Users/alice",
        "{not-a-guid}",
        "{00000000-0000-0000-0000-000000000000}",
        "S-1-5-32-544",
        "S-1-5-nonsense",
        "=",
        "CN=alice,",
    ):
        assert found_by(alice, name) is None, name


def test_a_display_name_of_two_leads_to_neither(alice: Corp) -> None:
    alice.user("alice2", PASSWORD, displayName="Alice Adams")
    assert found_by(alice, "Alice Adams") is None


def test_an_own_principal_name_goes_before_anothers_implicit_one(alice: Corp) -> None:
    alice.user("bob", PASSWORD)
    shared = replace_values("userPrincipalName", "alice@corp.example.com")
    alice.modify("CN=bob,CN=Users", shared, requester=SYSTEM)  # as replication may bring it
    assert found_by(alice, "alice@corp.example.com") == "bob"


# --- passwords and rules ---


def test_the_right_password_lets_in(alice: Corp) -> None:
    assert verdict(alice, "alice") is NtStatus.STATUS_SUCCESS
    assert verdict(alice, "alice", PASSWORD.lower()) is NtStatus.STATUS_WRONG_PASSWORD
    assert verdict(alice, "alice", "") is NtStatus.STATUS_WRONG_PASSWORD


def test_an_account_without_a_password_lets_nobody_in(corp: Corp) -> None:
    corp.user("bare")
    assert verdict(corp, "bare", "") is NtStatus.STATUS_WRONG_PASSWORD


@pytest.mark.parametrize(
    ("attribute", "value", "status"),
    [
        ("userAccountControl", "514", NtStatus.STATUS_ACCOUNT_DISABLED),
        ("accountExpires", "130000000000000000", NtStatus.STATUS_ACCOUNT_EXPIRED),
        ("logonHours", bytes(21), NtStatus.STATUS_INVALID_LOGON_HOURS),
        ("userWorkstations", "WS1,WS2", NtStatus.STATUS_INVALID_WORKSTATION),
        ("userAccountControl", str(0x40200), NtStatus.STATUS_SMARTCARD_LOGON_REQUIRED),
        ("pwdLastSet", "0", NtStatus.STATUS_PASSWORD_MUST_CHANGE),
    ],
)
def test_rules_speak_only_to_who_knows_the_password(
    alice: Corp, attribute: str, value: str | bytes, status: NtStatus
) -> None:
    alice.modify("CN=alice,CN=Users", replace_values(attribute, value))
    if status is not NtStatus.STATUS_SMARTCARD_LOGON_REQUIRED:  # setting that flag makes the password random
        assert verdict(alice, "alice", workstation="WS9") is status
    assert verdict(alice, "alice", "wrong", workstation="WS9") is NtStatus.STATUS_WRONG_PASSWORD


def test_a_password_of_42_days_is_too_old(alice: Corp) -> None:
    day_s = 86_400
    assert verdict(alice, "alice", later_s=42 * day_s - 1) is NtStatus.STATUS_SUCCESS
    assert verdict(alice, "alice", later_s=42 * day_s) is NtStatus.STATUS_PASSWORD_EXPIRED
    alice.modify("CN=alice,CN=Users", replace_values("userAccountControl", str(0x10200)))
    assert verdict(alice, "alice", later_s=1000 * day_s) is NtStatus.STATUS_SUCCESS


def test_a_lockout_holds_against_the_right_password_and_ends(alice: Corp) -> None:
    alice.modify("", replace_values("lockoutThreshold", "2"))
    dnt = alice.row("CN=alice,CN=Users").dnt
    wrong = password_of_text("wrong")
    for _ in range(2):
        alice.write(lambda ctx: logon_counters.record_bad_password(ctx, dnt, wrong))
    assert verdict(alice, "alice") is NtStatus.STATUS_ACCOUNT_LOCKED_OUT
    assert verdict(alice, "alice", "wrong") is NtStatus.STATUS_ACCOUNT_LOCKED_OUT
    assert verdict(alice, "alice", later_s=30 * 60 - 1) is NtStatus.STATUS_ACCOUNT_LOCKED_OUT
    assert verdict(alice, "alice", later_s=30 * 60) is NtStatus.STATUS_SUCCESS
    alice.modify("", replace_values("lockoutDuration", str(-(1 << 63))))
    assert verdict(alice, "alice", later_s=10_000_000) is NtStatus.STATUS_ACCOUNT_LOCKED_OUT, "until unlocked"


def test_when_a_lockout_ends(alice: Corp) -> None:
    row = alice.row("CN=alice,CN=Users")

    def work(ctx: ReadContext) -> tuple[int, int]:
        account = accounts.account(ctx, row)
        locked = replace(account, lockout_time=int(ctx.now))
        return logon.lockout_until(ctx, account, row), logon.lockout_until(ctx, locked, row)

    free, until = alice.read(work)
    assert free == 0
    assert alice.now < until < NEVER_FT
