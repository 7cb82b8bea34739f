"""addc group, computer, ou, spn and delegation: every word, on a data folder that nobody serves."""

from pathlib import Path

import pytest

from tests.kit.corp_forest import DOMAIN_DN
from tests.unit.cli.test_user import Desk

USERS = f"CN=Users,{DOMAIN_DN}"


@pytest.fixture
def desk(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(corp_folder, capsys)
    made.run("user", "add", "ann", "--random-password")
    return made


# --- groups ------------------------------------------------------------------------------------------------


def test_the_life_of_a_group(desk: Desk) -> None:
    made = ("group", "add", "staff", "--scope", "universal", "--description", "all", "--member", "ann")
    assert desk.run(*made) == f"Made the group staff: CN=staff,{USERS}.\n"
    shown = desk.facts("group", "show", "staff")
    assert (shown["scope"], shown["type"], shown["members"]) == ("universal", "security", 1)
    desk.run("group", "set", "staff", "--type", "distribution", "--scope", "domain", "--mail", "s@x")
    desk.run("group", "set", "staff", "--description", "", "--managed-by", "ann")
    shown = desk.facts("group", "show", "staff")
    assert (shown["scope"], shown["type"], shown["mail"]) == ("domain", "distribution", "s@x")
    assert (shown["description"], shown["managed_by"]) == ("", f"CN=ann,{USERS}")
    assert "staff" in desk.run("group", "list", "st*").splitlines()
    assert desk.facts("group", "list", "--below", f"CN=Builtin,{DOMAIN_DN}")[0]["scope"] == "builtin"
    desk.run("ou", "add", "Sales")
    assert f"CN=staff,OU=Sales,{DOMAIN_DN}" in desk.run("group", "move", "staff", "Sales")
    assert "staff is called crew" in desk.run("group", "rename", "staff", "crew")
    assert "Deleted the group crew" in desk.run("group", "delete", "crew")
    assert desk.run("group", "list", "crew") == "There are no such groups.\n"


def test_members_come_and_go_all_or_none(desk: Desk) -> None:
    desk.run("group", "add", "staff", "--scope", "domain")
    assert desk.run("group", "members", "staff") == "Nobody.\n"
    desk.run("group", "add-member", "staff", "ann", "Domain Admins", "S-1-5-11")
    names = {one["name"] for one in desk.facts("group", "members", "staff")}
    assert names == {"ann", "Domain Admins", "S-1-5-11"}
    assert "Administrator" in desk.run("group", "members", "staff", "--nested")
    assert "member of the group already" in desk.run("group", "add-member", "staff", "Guest", "ann", status=1)
    assert "Guest" not in desk.run("group", "members", "staff")
    desk.run("group", "remove-member", "staff", "S-1-5-11", "Domain Admins")
    assert desk.run("group", "members", "staff") == "ann\n"
    assert "not a member" in desk.run("group", "remove-member", "staff", "Guest", status=1)
    assert "There is no user, computer or group" in desk.run("group", "add-member", "staff", "x", status=1)


def test_members_by_their_primary_group_are_told(desk: Desk) -> None:
    found = {one["name"]: one["primary"] for one in desk.facts("group", "members", "Domain Users")}
    assert found["ann"] is True


def test_what_the_directory_keeps_of_groups(desk: Desk) -> None:
    assert "is built in" in desk.run("group", "set", "Users", "--scope", "global", status=1)
    assert "Nothing was to be changed" in desk.run("group", "set", "Domain Admins", status=1)
    assert "Next step" in desk.run("group", "delete", "Domain Admins", status=1)
    assert "nothing was changed" in desk.run("group", "add-member", "Domain Admins", "ann", "--dry-run")
    assert "ann" not in desk.run("group", "members", "Domain Admins")


# --- computers ---------------------------------------------------------------------------------------------


def test_the_life_of_a_computer(desk: Desk) -> None:
    assert desk.run("computer", "add", "pc1") == f"Made the computer pc1$: CN=pc1,CN=Computers,{DOMAIN_DN}.\n"
    shown = desk.facts("computer", "show", "PC1$")
    assert (shown["kind"], shown["enabled"], shown["groups"]) == ("member", True, ["Domain Computers"])
    assert desk.run("computer", "disable", "pc1") == "pc1$ is disabled.\n"
    assert desk.run("computer", "list", "pc1", "--disabled") == "pc1$  (disabled)\n"
    assert desk.run("computer", "enable", "pc1") == "pc1$ is enabled.\n"
    assert desk.run("computer", "reset", "pc1") == "pc1$ has to join anew.\n"
    desk.run("ou", "add", "Sales")
    assert f"CN=pc1,OU=Sales,{DOMAIN_DN}" in desk.run("computer", "move", "pc1", "Sales")
    assert "Deleted the computer pc1$" in desk.run("computer", "delete", "pc1")
    assert desk.run("computer", "list", "pc*") == "There are no such computers.\n"


def test_a_computer_made_for_a_join_with_a_one_time_password(desk: Desk) -> None:
    (desk.folder / "pw").write_text("0ne.Time.Passw0rd")
    file = str(desk.folder / "pw")
    desk.run("ou", "add", "Sales")
    made = ("computer", "add", "pc2", "--in", "Sales", "--description", "x", "--password-file", file)
    assert desk.facts(*made)["one_time_password"] is True
    assert desk.facts("computer", "reset", "pc2", "--password-file", file)["one_time_password"] is True
    assert "is there already" in desk.run("computer", "add", "pc2", status=1)
    assert "is no computer" in desk.run("computer", "delete", f"CN=ann,{USERS}", status=1)


# --- organizational units ----------------------------------------------------------------------------------


def test_the_life_of_a_unit(desk: Desk) -> None:
    desk.run("ou", "add", "Sales", "--description", "sell")
    desk.run("ou", "add", "Sales/Berlin")
    desk.run("ou", "add", "OU=Bonn, OU=Sales")
    assert "Sales/Berlin\nSales/Bonn\n" in desk.run("ou", "list", "Sales")
    shown = desk.facts("ou", "show", "Sales")
    assert (shown["path"], shown["description"], len(shown["holds"])) == ("Sales", "sell", 2)
    assert f"OU=Berlin,{DOMAIN_DN}" in desk.run("ou", "move", "Sales/Berlin", "corp.example.com")
    assert f"is called OU=Hamburg,{DOMAIN_DN}" in desk.run("ou", "rename", "Berlin", "Hamburg")
    assert "is not empty" in desk.run("ou", "delete", "Sales", status=1)
    tried = desk.run("ou", "delete", "Sales", "--recursive", "--dry-run")
    assert "nothing was changed" in tried and "2 objects in all" in tried
    assert desk.facts("ou", "delete", "Sales", "--recursive")["objects"] == 2
    assert desk.run("ou", "delete", "Hamburg") == f"Deleted OU=Hamburg,{DOMAIN_DN}.\n"
    assert [one["path"] for one in desk.facts("ou", "list")] == ["Domain Controllers"]


def test_what_is_no_unit(desk: Desk) -> None:
    assert "is no organizational unit" in desk.run("ou", "delete", "CN=Users", status=1)
    assert "names no organizational unit" in desk.run("ou", "add", "CN=x", status=1)
    assert "no place OU=Nowhere" in desk.run("ou", "add", "Nowhere/x", status=1)
    assert "Next step" in desk.run("ou", "delete", "Domain Controllers", "--recursive", status=1)


# --- service principal names -------------------------------------------------------------------------------


def test_names_of_services(desk: Desk) -> None:
    assert desk.run("spn", "list", "ann") == "None.\n"
    told = desk.run("spn", "add", "ann", "HTTP/web", "HTTP/web.example")
    assert told == "ann has HTTP/web, HTTP/web.example.\n"
    assert desk.facts("spn", "list", "ann")["service_principal_names"] == ["HTTP/web", "HTTP/web.example"]
    assert desk.run("spn", "query", "http/WEB") == "HTTP/web  ann\n"
    assert len(desk.facts("spn", "query", "HTTP/*")) == 2 and len(desk.facts("spn", "query", "*web.e*e")) == 1
    assert desk.run("spn", "query", "nobody/*", status=1) == "Nobody has it.\n"
    assert "Another account" in desk.run("spn", "add", "Guest", "HTTP/web", status=1)
    assert "has that name already" in desk.run("spn", "add", "ann", "http/web", status=1)
    assert "is no service principal name" in desk.run("spn", "add", "ann", "web", status=1)
    assert "nothing was changed" in desk.run("spn", "delete", "ann", "HTTP/web", "--dry-run")
    desk.run("spn", "delete", "ann", "http/WEB")
    assert desk.run("spn", "list", "ann") == "HTTP/web.example\n"
    assert "does not have that name" in desk.run("spn", "delete", "ann", "HTTP/web", status=1)


# --- delegation --------------------------------------------------------------------------------------------


def test_who_may_act_for_users_and_where(desk: Desk) -> None:
    desk.run("computer", "add", "pc1")
    for words in (
        ("--unconstrained",),
        ("--to", "cifs/a", "--to", "cifs/b", "--protocol-transition"),
        ("--from", "ann", "--from", "Domain Admins", "--sensitive"),
    ):
        assert desk.run("delegation", "set", "pc1", *words).startswith("Changed pc1$: ")
    shown = desk.facts("delegation", "show", "pc1")
    assert shown["unconstrained"] and shown["protocol_transition"] and shown["sensitive"]
    assert (shown["to"], shown["from"]) == (["cifs/a", "cifs/b"], ["ann", "Domain Admins"])
    desk.run("delegation", "set", "pc1", "--not-to", "CIFS/a", "--not-from", "ann", "--no-unconstrained")
    shown = desk.facts("delegation", "show", "pc1")
    assert (shown["to"], shown["from"], shown["unconstrained"]) == (["cifs/b"], ["Domain Admins"], False)
    assert "it was so already" in desk.run("delegation", "set", "pc1", "--to", "cifs/b")
    assert "as it is" in desk.run("delegation", "set", "pc1", "--not-to", "cifs/a", status=1)
    assert "as it is" in desk.run("delegation", "set", "pc1", "--not-from", "ann", status=1)
    assert "nothing was changed" in desk.run("delegation", "set", "pc1", "--none", "--dry-run")
    desk.run("delegation", "set", "pc1", "--none")
    shown = desk.facts("delegation", "show", "pc1")
    assert (shown["to"], shown["from"], shown["protocol_transition"]) == ([], [], False)
    assert shown["sensitive"]
    assert "Nothing was to be changed" in desk.run("delegation", "set", "pc1", status=1)
