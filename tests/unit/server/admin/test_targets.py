"""Both targets alike: what is found, changed, tried and refused, here and by LDAP."""

import pytest

from addc.base.errors import UserError
from addc.codec.filter import Equal, Present
from addc.directory.audit_events import AuditRecord
from addc.server.admin.local import LocalTarget
from addc.server.admin.remote import place_of
from addc.server.admin.target import (
    SUBTREE,
    Add,
    Delete,
    Look,
    Modify,
    Move,
    Operation,
    Target,
    insert,
    remove,
    replace,
    text,
    unicode_pwd,
)  # fmt: skip
from tests.kit.admin_target import ldap_client, remote
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.ldap_desk import Desk

USERS = f"CN=Users,{DOMAIN_DN}"
ANN = f"CN=ann,{USERS}"


def ann() -> Add:
    return Add(
        ANN,
        [
            ("objectClass", text("user")),
            ("sAMAccountName", text("ann")),
            ("userAccountControl", text("512")),
            ("unicodePwd", unicode_pwd("Corr3ct.Horse.2")),
        ],
    )


def test_what_a_target_is_a_dc_of(target: Target) -> None:
    place = target.place
    assert (place.domain_dn, place.config_dn, place.realm) == (DOMAIN_DN, CONFIG_DN, "CORP.EXAMPLE.COM")
    assert place.host == "dc1.corp.example.com"


def test_the_life_of_an_object(target: Target) -> None:
    target.apply([ann()])
    target.apply([Modify(ANN, (replace("description", b"one"), insert("otherTelephone", b"1", b"2")))])
    found = target.read(ANN, ("description", "otherTelephone", "objectSid", "objectClass", "nothing"))
    assert found is not None and found.text("Description") == "one"
    assert sorted(found.texts("otherTelephone")) == ["1", "2"] and found.is_a("USER")
    assert found.sid() is not None and found.text("nothing") == "" and found.number("nothing", 7) == 7
    target.apply([Modify(ANN, (remove("otherTelephone", b"1"),)), Move(ANN, "CN=anna")])
    (again,) = target.search(DOMAIN_DN, SUBTREE, Equal("sAMAccountName", b"ann"), ("otherTelephone",))
    assert (again.dn, again.texts("otherTelephone")) == (f"CN=anna,{USERS}", ["2"])
    target.apply([Move(again.dn, "CN=ann", f"CN=Computers,{DOMAIN_DN}")])
    target.apply([Delete(f"CN=ann,CN=Computers,{DOMAIN_DN}")])
    assert target.read(ANN) is None
    (gone,) = target.search(
        DOMAIN_DN, SUBTREE, Equal("sAMAccountName", b"ann"), ("isDeleted",), Look(deleted=True)
    )
    assert gone.text("isDeleted") == "TRUE"


def test_a_try_keeps_nothing(target: Target) -> None:
    target.apply([ann()], dry_run=True)
    assert target.read(ANN) is None
    target.apply([ann()])
    target.apply([Modify(ANN, (replace("description", b"x"),))], dry_run=True)
    target.apply([Delete(ANN, tree=True)], dry_run=True)
    target.apply([Move(ANN, "CN=G", f"CN=Computers,{DOMAIN_DN}")], dry_run=True)
    found = target.read(ANN, ("description",))
    assert found is not None and found.text("description") == ""


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_is_not_there_is_told_of(target: Target, dry_run: bool) -> None:
    with pytest.raises(UserError, match=r"There is no CN=nobody.*Next step: "):
        target.apply([Modify(f"CN=nobody,{USERS}", (replace("description", b"x"),))], dry_run=dry_run)
    with pytest.raises(UserError, match="There is no"):
        target.apply([Delete(f"CN=nobody,{USERS}")], dry_run=dry_run)
    assert target.read(f"CN=nobody,{USERS}") is None


def test_rules_hold_for_whoever_commands(target: Target) -> None:
    """Nobody is above them: a weak password, a system attribute, an unknown one, a class without its must."""
    weak = Add(ANN, [*ann().attributes[:-1], ("unicodePwd", unicode_pwd("weak"))])
    with pytest.raises(UserError, match="does not meet the rules"):
        target.apply([weak])
    for change in (replace("whenCreated", b"20260101000000.0Z"), replace("noSuchThing", b"x")):
        with pytest.raises(UserError, match="Next step"):
            target.apply([Modify(f"CN=Guest,{USERS}", (change,))])
    with pytest.raises(UserError, match="Next step"):
        target.apply([Add(f"CN=s,{USERS}", [("objectClass", text("subnet"))])])
    with pytest.raises(UserError, match="built in and stays"):
        target.apply([Delete(f"CN=Guest,{USERS}")])


def test_pages_and_limits(target: Target) -> None:
    target.apply([Add(f"CN=c{at},{USERS}", [("objectClass", text("contact"))]) for at in range(12)])
    wanted = Equal("objectClass", b"contact")
    assert len(list(target.search(DOMAIN_DN, SUBTREE, wanted, ("cn",)))) == 12
    assert len(list(target.search(DOMAIN_DN, SUBTREE, wanted, ("cn",), Look(limit=5)))) == 5
    nested = [target.read(one.dn, ("cn",)) for one in target.search(DOMAIN_DN, SUBTREE, wanted, ("cn",))]
    assert None not in nested  # one may ask in the middle of a list
    (head,) = target.search(DOMAIN_DN, 0, Present("objectClass"), ("nTSecurityDescriptor",), Look(sd_flags=4))
    assert head.first("nTSecurityDescriptor")


def test_attributes_beyond_the_range_come_whole(target: Target) -> None:
    """[MS-ADTS] 3.1.1.3.1.3.3."""
    many = [f"{at}".encode() for at in range(1600)]
    target.apply([ann(), Modify(ANN, (insert("otherTelephone", *many),))])
    found = target.read(ANN, ("otherTelephone", "cn"))
    assert found is not None and len(found.all("otherTelephone")) == 1600 and found.text("cn") == "ann"
    (entry,) = target.search(DOMAIN_DN, SUBTREE, Equal("cn", b"ann"), ("otherTelephone",))
    assert set(entry.all("otherTelephone")) == set(many)


def test_here_all_of_a_list_is_done_or_nothing(desk: Desk) -> None:
    here = LocalTarget(desk.directory, "x")
    wrong = Modify(f"CN=nobody,{USERS}", (replace("description", b"x"),))
    with pytest.raises(UserError, match="nobody"):
        here.apply([ann(), wrong])
    assert here.read(ANN) is None


def test_elsewhere_what_was_done_before_a_refusal_is_told(desk: Desk) -> None:
    there = remote(desk)
    wrong = Modify(f"CN=nobody,{USERS}", (replace("description", b"x"),))
    with pytest.raises(UserError, match="not taken back: 1 of 2 changes"):
        there.apply([ann(), wrong])
    assert there.read(ANN) is not None


def test_who_has_no_right_is_refused_and_told_so(desk: Desk) -> None:
    """The very changes, and their try: nothing of it happens."""
    desk.corp.user("eve", "Corr3ct.Horse.3")
    eve = remote(desk, "eve")
    guest = f"CN=Guest,{USERS}"
    changes: list[tuple[Operation, str]] = [
        (ann(), f"eve may not make {ANN}"),
        (Modify(guest, (replace("description", b"x"),)), f"eve may not change description of {guest}"),
    ]
    for one, said in changes:
        for dry_run in (True, False):
            with pytest.raises(UserError, match=said):
                eve.apply([one], dry_run=dry_run)
    with pytest.raises(UserError, match="eve may not delete"):
        eve.apply([Delete(f"CN=eve,{USERS}")])
    with pytest.raises(UserError, match="eve may not move or rename"):
        eve.apply([Move(f"CN=eve,{USERS}", "CN=adam")])
    with pytest.raises(UserError, match="eve may not"):
        eve.apply([Modify("", (replace("becomeSchemaMaster", b"1"),))])
    with pytest.raises(UserError, match="eve may not change unicodePwd"):
        eve.apply([Modify(guest, (replace("unicodePwd", *unicode_pwd("Corr3ct.Horse.4")),))])
    assert remote(desk).read(ANN) is None


def test_what_was_done_here_is_audited(desk: Desk) -> None:
    told: list[AuditRecord] = []
    desk.directory.on_audit(told.append)
    here = LocalTarget(desk.directory, "x")
    here.apply([Modify(f"CN=Domain Admins,{USERS}", (insert("member", f"CN=Guest,{USERS}".encode()),))])
    assert any(one.attribute == "member" and str(one.subject) == "S-1-5-18" for one in told)


def test_a_tree_ends_in_parts(desk: Desk) -> None:
    here = LocalTarget(desk.directory, "x")
    yard = f"OU=yard,{DOMAIN_DN}"
    here.apply([Add(yard, [("objectClass", text("organizationalUnit"))])])
    here.apply([Add(f"CN=c{at},{yard}", [("objectClass", text("contact"))]) for at in range(120)])
    with pytest.raises(UserError, match=r"is not empty.*--recursive"):
        here.apply([Delete(yard)])
    here.apply([Delete(yard, tree=True)])
    assert here.read(yard) is None


def test_operations_of_the_dc_itself(target: Target) -> None:
    """The rootDSE is changed like an object."""
    target.apply([Modify("", (replace("schemaUpdateNow", b"1"),))], dry_run=isinstance(target, LocalTarget))
    with pytest.raises(UserError, match=r"Refused: .*Next step"):
        target.apply([Modify("", (replace("noSuchOperation", b"1"),))])


def test_who_is_no_dc_is_not_worked_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    client = ldap_client(desk)
    monkeypatch.setattr("addc.server.admin.remote._ROOT", ("vendorName",))
    with pytest.raises(UserError, match="is no DC of a domain"):
        place_of(client, "other")


def test_a_dc_that_goes_away_is_told_of(desk: Desk) -> None:
    there = remote(desk)
    there.close()
    for ask in (lambda: there.read(ANN), lambda: there.apply([ann()]), lambda: list(there.search(USERS, 0))):
        with pytest.raises(UserError, match="Next step: look at the DC"):
            ask()
