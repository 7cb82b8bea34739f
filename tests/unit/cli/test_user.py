"""addc user: every word, on a data folder that nobody serves."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from addc.cli.main import main
from tests.kit.corp_forest import DOMAIN_DN

USERS = f"CN=Users,{DOMAIN_DN}"


class Desk:
    """addc user with a data folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def run(self, *words: str, status: int = 0) -> str:
        self._capsys.readouterr()
        assert main([*words, "--data-dir", str(self.folder)]) == status
        told = self._capsys.readouterr()
        return told.out if status == 0 else told.out + told.err

    def facts(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))


@pytest.fixture
def desk(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    (corp_folder / "pw").write_text("Corr3ct.Horse.9\nignored\n")
    return Desk(corp_folder, capsys)


def _add(desk: Desk, name: str, *more: str) -> str:
    return desk.run("user", "add", name, "--password-file", str(desk.folder / "pw"), *more)


def test_a_user_is_made_with_what_is_known_of_it(desk: Desk) -> None:
    told = _add(
        desk, "ann", "--given-name", "Ann", "--surname", "Lee", "--mail", "a@x", "--sensitive",
        "--attribute", "employeeType=temp", "--group", "Domain Admins", "--must-change",
    )  # fmt: skip
    assert told == f"Made the user ann: CN=Ann Lee,{USERS}.\n"
    shown = desk.facts("user", "show", "ann")
    assert (shown["display_name"], shown["upn"]) == ("Ann Lee", "ann@corp.example.com")
    assert shown["groups"] == ["Domain Admins", "Domain Users"]
    assert shown["sensitive"] and shown["enabled"] and shown["must_change_password"]
    assert "Ann Lee" in desk.run("user", "show", "Ann Lee")


def test_a_password_that_was_made_up_is_told_once(desk: Desk) -> None:
    made = desk.facts("user", "add", "ann", "--random-password")
    assert made["done"] and len(made["password"]) >= 24
    assert "Its password: " in desk.run("user", "password", "ann", "--random-password")
    assert "password:" not in desk.run("user", "password", "ann", "--random-password", "--dry-run")


def test_without_a_password_a_user_is_disabled(desk: Desk) -> None:
    assert "disabled" in desk.run("user", "add", "ann", "--no-password")
    assert "gives it one that does" in desk.run("user", "enable", "ann", status=1)
    told = desk.run("user", "password", "ann", "--password-file", str(desk.folder / "pw"))
    assert told == "ann has another password.\n"
    assert desk.run("user", "enable", "ann") == "ann is enabled.\n"
    assert desk.run("user", "enable", "ann") == "ann is enabled, as it was.\n"
    assert desk.run("user", "disable", "ann") == "ann is disabled.\n"
    assert "ann  (disabled)" in desk.run("user", "list", "a*", "--disabled").splitlines()


def test_a_try_makes_nothing(desk: Desk) -> None:
    told = _add(desk, "ann", "--dry-run")
    assert told.startswith("Would be done, nothing was changed: Made the user ann")
    assert desk.facts("user", "list", "ann") == []
    assert desk.run("user", "list", "ann") == "There are no such users.\n"
    _add(desk, "ann")
    for words in ("delete", "disable", "set --title x", "expiry --days 1", "password --random-password"):
        word, *more = words.split()
        assert "nothing was changed" in desk.run("user", word, "ann", *more, "--dry-run")
    shown = desk.facts("user", "show", "ann")
    assert shown["enabled"] and shown["title"] == "" and shown["account_expires"] is None


def test_what_is_known_is_changed(desk: Desk) -> None:
    _add(desk, "ann", "--title", "clerk")
    _add(desk, "bea")
    told = desk.run(
        "user", "set", "ann", "--title", "", "--phone", "1", "--manager", "bea", "--password-never-expires",
        "--attribute", "otherTelephone=2", "--attribute", "otherTelephone=3",
    )  # fmt: skip
    assert told.startswith("Changed ann: ")
    shown = desk.facts("user", "show", "ann")
    assert (shown["title"], shown["phone"], shown["manager"]) == ("", "1", f"CN=bea,{USERS}")
    assert shown["password_never_expires"] and shown["password_expires"] is None
    desk.run("user", "set", "ann", "--no-password-never-expires", "--manager", "")
    assert desk.facts("user", "show", "ann")["manager"] == ""
    assert "it was so already" in desk.run("user", "set", "ann", "--no-sensitive")
    assert "Nothing was to be changed" in desk.run("user", "set", "ann", status=1)
    assert "NAME=VALUE" in desk.run("user", "set", "ann", "--attribute", "title", status=1)
    assert "Next step" in desk.run("user", "set", "ann", "--attribute", "whenCreated=x", status=1)


def test_an_end_is_set_and_taken_away(desk: Desk) -> None:
    _add(desk, "ann")
    assert "2027-02-01T00:00:00Z" in desk.run("user", "expiry", "ann", "--at", "2027-01-31")
    assert "2027-01-31T18:00:00Z" in desk.run("user", "expiry", "ann", "--at", "2027-01-31T18:00")
    assert "ends at 20" in desk.run("user", "expiry", "ann", "--days", "3")
    assert "does not end" in desk.run("user", "expiry", "ann", "--never")
    assert "is no date" in desk.run("user", "expiry", "ann", "--at", "soon", status=1)
    with pytest.raises(SystemExit):
        desk.run("user", "expiry", "ann")


def test_users_move_and_are_called_otherwise(desk: Desk) -> None:
    _add(desk, "ann")
    desk.run("ou", "add", "Sales")
    assert f"CN=ann,OU=Sales,{DOMAIN_DN}" in desk.run("user", "move", "ann", "Sales")
    assert "ann is called bea" in desk.run("user", "rename", "ann", "bea")
    shown = desk.facts("user", "show", "bea")
    assert (shown["dn"], shown["upn"]) == (f"CN=bea,OU=Sales,{DOMAIN_DN}", "bea@corp.example.com")
    desk.run("user", "rename", "bea", "cea", "--keep-upn", "--cn", "Cea Lee")
    shown = desk.facts("user", "show", "cea")
    assert (shown["dn"], shown["upn"]) == (f"CN=Cea Lee,OU=Sales,{DOMAIN_DN}", "bea@corp.example.com")
    assert [one["name"] for one in desk.facts("user", "list", "--below", "Sales")] == ["cea"]
    assert "no place" in desk.run("user", "move", "cea", "Nowhere", status=1)


def test_groups_of_a_user_nested_too(desk: Desk) -> None:
    _add(desk, "ann")
    desk.run("group", "add", "inner", "--member", "ann")
    desk.run("group", "add", "outer", "--member", "inner")
    assert desk.run("user", "groups", "ann") == "Domain Users\ninner\n"
    assert desk.facts("user", "groups", "ann", "--nested") == ["Domain Users", "inner", "outer", "Users"]


def test_a_lockout_is_ended(desk: Desk) -> None:
    _add(desk, "ann")
    assert desk.run("user", "unlock", "ann") == "ann is not locked out.\n"
    assert desk.facts("user", "list", "--locked") == []


def test_an_account_ends(desk: Desk) -> None:
    _add(desk, "ann")
    assert desk.run("user", "delete", "ann") == f"Deleted the user ann: CN=ann,{USERS}.\n"
    assert "There is no user 'ann'" in desk.run("user", "delete", "ann", status=1)
    assert "built in" in desk.run("user", "delete", "Guest", status=1)


def test_a_name_is_taken_once(desk: Desk) -> None:
    _add(desk, "ann")
    told = desk.run("user", "add", "ann", "--no-password", "--cn", "Another", status=1)
    assert "is there already" in told and "Next step: " in told


def test_a_weak_password_is_told_as_the_directory_found_it(desk: Desk) -> None:
    (desk.folder / "pw").write_text("short")
    told = desk.run("user", "add", "ann", "--password-file", str(desk.folder / "pw"), status=1)
    assert "the password is too short" in told and "Traceback" not in told and '"short"' not in told
    assert desk.facts("user", "list", "ann") == []


def test_a_password_comes_from_input_or_from_a_person(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Corr3ct.Horse.9\r\n")))
    desk.run("user", "add", "ann", "--password-file", "-")
    told = desk.run("user", "password", "ann", status=1)
    assert "No password was given. Next step: --password-file" in told
    assert "cannot be read" in desk.run("user", "add", "b", "--password-file", "/nowhere", status=1)
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    typed = iter(["Corr3ct.Horse.7", "Corr3ct.Horse.8", "Corr3ct.Horse.7", "Corr3ct.Horse.7"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    assert "another password" in desk.run("user", "password", "ann")
    monkeypatch.setattr("getpass.getpass", lambda prompt: "")
    assert "No password was chosen in 3 tries" in desk.run("user", "password", "ann", status=1)


def test_a_password_twice_over_is_refused(desk: Desk) -> None:
    words = ("user", "add", "ann", "--random-password", "--no-password")
    assert "one or the other" in desk.run(*words, status=1)
