"""Rolls of krbtgt and lifetimes of tickets: what lives on, what is refused, who is told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import UserError
from addc.codes.krb_error import KrbErrorCode as Code
from addc.directory import krbtgt_roll
from addc.directory.audit_events import AuditRecord
from addc.directory.kerberos_policy import DEFAULT, KerberosPolicy, check
from addc.security.token import SYSTEM
from addc.server import krb_commands
from tests.kit.corp import Corp, replace_values
from tests.kit.corp import quoted as quoted_password
from tests.kit.kdc_corp import KdcCorp, code_of

PASSWORD = "Tr0ub4dor&3"
LDAP = "ldap/dc1.corp.example.com"
HOUR_S = 3600


@pytest.fixture
def kdc(corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch) -> KdcCorp:
    """A KDC whose commands go by its clock."""
    corp_sqlite.user("joe", PASSWORD)
    made = KdcCorp(corp_sqlite)
    monkeypatch.setattr("addc.server.krb_commands.SystemClock", lambda: made.clock)
    return made


def roll(kdc: KdcCorp, *, force: bool = False) -> krb_commands.Rolled:
    return krb_commands.roll(kdc.directory, dry_run=False, force=force)


def test_tickets_live_through_one_roll_and_end_with_the_second(kdc: KdcCorp) -> None:
    """[MS-KILE] 3.1.5.8; the second roll is what ends a golden ticket."""
    tgt = kdc.log_on("joe", kdc.key("joe", PASSWORD))
    first = roll(kdc)
    assert (first.kvno, first.was_young) == (first.before.kvno + 1, False)
    assert code_of(kdc.get(tgt, LDAP)) == Code.KDC_ERR_NONE
    fresh = kdc.log_on("joe", kdc.key("joe", PASSWORD))
    assert fresh.ticket.enc_part.kvno == first.kvno
    second = roll(kdc, force=True)
    assert second.was_young and second.facts()["ended"] == [first.before.kvno]
    assert code_of(kdc.get(tgt, LDAP)) == Code.KRB_AP_ERR_BADKEYVER
    assert code_of(kdc.get(fresh, LDAP)) == Code.KDC_ERR_NONE


def test_a_password_set_over_ldap_is_a_roll(kdc: KdcCorp) -> None:
    """Whatever password is set, krbtgt's is random. Spec: [MS-SAMR] 3.1.1.8.5."""
    tgt = kdc.log_on("joe", kdc.key("joe", PASSWORD))
    krbtgt = "CN=krbtgt,CN=Users"
    for expected in (Code.KDC_ERR_NONE, Code.KRB_AP_ERR_BADKEYVER):
        kdc.corp.modify(krbtgt, replace_values("unicodePwd", quoted_password("Kn0wn.Passw0rd")))
        assert code_of(kdc.get(tgt, LDAP)) == expected


def test_a_second_roll_within_a_tickets_life_is_refused(kdc: KdcCorp) -> None:
    first = roll(kdc)
    with pytest.raises(UserError, match="--force"):
        roll(kdc)
    assert kdc.directory.read_now("t", SYSTEM, krbtgt_roll.state).kvno == first.kvno
    kdc.later(10 * HOUR_S + 301)
    assert not roll(kdc).was_young


def test_a_dry_run_changes_nothing_and_tells_nobody(kdc: KdcCorp, told: list[AuditRecord]) -> None:
    found = krb_commands.roll(kdc.directory, dry_run=True, force=False)
    assert "Nothing was changed." in found.words() and found.facts()["done"] is False
    assert roll(kdc).before.kvno == found.before.kvno
    (record,) = told
    assert (int(record.event), record.detail) == (4724, "krbtgt rolled from key version 1 to 2")


def lifetime_h(kdc: KdcCorp) -> float:
    """Hours that a new ticket of joe's lives."""
    far = FileTime(kdc.now + 1000 * HOUR_S * TICKS_PER_S)
    held = kdc.log_on("joe", kdc.key("joe", PASSWORD), till=far)
    return (held.part.endtime - held.part.authtime) / (HOUR_S * TICKS_PER_S)


def test_a_policy_is_heeded_with_the_next_request(kdc: KdcCorp, told: list[AuditRecord]) -> None:
    assert krb_commands.policy(kdc.directory) == DEFAULT and lifetime_h(kdc) == 10
    krb_commands.set_policy(kdc.directory, {"max_ticket_age_h": 4, "max_service_age_min": 60})
    assert lifetime_h(kdc) == 4
    (record,) = told
    assert int(record.event) == 4713
    assert record.detail == "max_ticket_age_h 10 -> 4, max_service_age_min 600 -> 60"


def test_a_dry_run_of_a_policy_is_checked_too(kdc: KdcCorp) -> None:
    found = krb_commands.set_policy(kdc.directory, {"max_ticket_age_h": 20}, dry_run=True)
    assert found.max_ticket_age_h == 20 and krb_commands.policy(kdc.directory) == DEFAULT
    with pytest.raises(UserError):
        krb_commands.set_policy(kdc.directory, {"max_ticket_age_h": 0}, dry_run=True)


Change = Callable[[KerberosPolicy], KerberosPolicy]


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda p: replace(p, max_ticket_age_h=0), "from 1 to"),
        (lambda p: replace(p, max_clock_skew_min=100_000), "from 1 to"),
        (lambda p: replace(p, max_service_age_min=601), "would outlive the tickets behind them"),
        (lambda p: replace(p, max_renew_age_d=1, max_ticket_age_h=25), "would outlive their renewal"),
    ],
)
def test_policies_that_make_no_sense_are_refused(change: Change, words: str) -> None:
    with pytest.raises(UserError, match=words):
        check(change(DEFAULT))


def test_no_renewal_is_a_policy(kdc: KdcCorp) -> None:
    check(replace(DEFAULT, max_renew_age_d=0))
