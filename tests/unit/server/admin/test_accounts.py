"""What commands do to accounts, the same here and elsewhere; what a lockout is, and its end."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from addc.base.clock import NEVER_FT
from addc.base.errors import UserError
from addc.base.secret import Secret
from addc.server.admin import accounts, computers, delegation, groups, names, ous, spns, users
from addc.server.admin.target import Modify, Target, replace
from tests.kit.admin_target import remote
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import Desk

PASSWORD = Secret(b"Corr3ct.Horse.9")


def _ignore() -> None:
    """Nobody watches how far it is."""


def test_each_thing_that_is_done_to_accounts(target: Target) -> None:
    ous.add(target, "Sales", description="", settings=(), dry_run=False)
    users.add(target, users.NewUser("ann", PASSWORD, {"title": "clerk"}, "Sales"), dry_run=False)
    groups.add(target, groups.NewGroup("staff", place="Sales", members=["ann"]), dry_run=False)
    computers.add(target, computers.NewComputer("pc1", "Sales"), dry_run=False)
    spns.add(target, "ann", ["HTTP/web"], dry_run=False)
    wanted = delegation.Wanted({"protocol_transition": True}, to=["cifs/a"], callers=["pc1"])
    delegation.change(target, "ann", wanted, dry_run=False)
    shown = users.show(target, "ann")
    assert (shown["title"], shown["groups"]) == ("clerk", ["Domain Users", "staff"])
    assert [one["name"] for one in groups.members(target, "staff", nested=True, step=_ignore)] == ["ann"]
    assert delegation.show(target, "ann")["from"] == ["pc1$"]
    assert [one["spn"] for one in spns.query(target, "HTTP/*")] == ["HTTP/web"]
    (computer,) = computers.listed(target, "pc1", "Sales", disabled=False, step=_ignore)
    assert computer["kind"] == "member"
    computers.reset(target, "pc1", None, dry_run=False)
    accounts.switch(target, "pc1", names.COMPUTER, enabled=False, dry_run=False)
    users.set_password(
        target, "ann", Secret(b"Corr3ct.Horse.8"), must_change=True, unlock=True, dry_run=False
    )
    users.set_expiry(target, "ann", NEVER_FT, dry_run=False)
    users.rename(target, "ann", "bea", cn="", keep_upn=False, dry_run=False)
    assert users.show(target, "bea")["must_change_password"] is True
    assert ous.delete(target, "Sales", tree=True, step=_ignore, dry_run=False)["objects"] == 4
    with pytest.raises(UserError, match="There is no user"):
        users.show(target, "bea")


def test_a_lockout_is_found_and_ended(desk: Desk) -> None:
    """By wrong passwords, not by a flag: the account itself cannot log on until it is unlocked."""
    there = remote(desk)
    users.add(there, users.NewUser("ann", PASSWORD), dry_run=False)
    rules = (replace("lockoutThreshold", b"2"), replace("lockoutDuration", b"-18000000000"))
    there.apply([Modify(DOMAIN_DN, (*rules, replace("lockOutObservationWindow", b"-18000000000")))])
    guesser = desk.connect(tls=True)
    for _ in range(3):
        assert guesser.bind("ann@corp.example.com", "wrong").result_code == 49
    good = PASSWORD.reveal().decode()
    assert guesser.bind("ann@corp.example.com", good).result_code == 49
    (found,) = users.listed(there, users.Asked(locked=True), _ignore)
    assert found["name"] == "ann" and users.show(there, "ann")["locked"]
    assert users.unlock(there, "ann", dry_run=True)["was_locked"] and users.show(there, "ann")["locked"]
    users.unlock(there, "ann", dry_run=False)
    assert not users.show(there, "ann")["locked"]
    assert guesser.bind("ann@corp.example.com", good).result_code == 0


def test_dates_of_an_end() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    day = users.expiry_of(at="2026-01-31", now=now)
    assert accounts.time_text(day) == "2026-02-01T00:00:00Z"
    east = datetime(2026, 1, 31, 18, tzinfo=timezone(timedelta(hours=2))).isoformat()
    assert accounts.time_text(users.expiry_of(at=east, now=now)) == "2026-01-31T16:00:00Z"
    assert accounts.time_text(users.expiry_of(days=2, now=now)) == "2026-01-03T00:00:00Z"
    assert users.expiry_of(now=now) == NEVER_FT and accounts.time_text(NEVER_FT) is None
    assert accounts.time_text(0) is None and accounts.time_text(NEVER_FT - 1) is None


def test_passwords_that_are_made_up_differ_and_are_of_all_kinds() -> None:
    made = {accounts.random_password().reveal().decode() for _ in range(20)}
    assert len(made) == 20
    for one in made:
        assert len(one) == 24 and any(map(str.isupper, one)) and any(map(str.isdigit, one))
        assert any(map(str.islower, one)) and not one.isalnum()


def test_what_was_created_when() -> None:
    assert accounts.generalized_text("20260102030405.0Z") == "2026-01-02T03:04:05Z"
    assert accounts.generalized_text("odd") == "odd" and accounts.generalized_text("") is None
