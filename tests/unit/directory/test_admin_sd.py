"""AdminSDHolder: who is protected, what they get, and who may have it done. Spec: [MS-ADTS] 3.1.1.6.1."""

import pytest

from addc.codes.win32 import Win32
from addc.directory import admin_sd, rights
from addc.directory.modify import ModOp
from addc.ldap import messages as m
from addc.security.descriptor import Control, SecurityDescriptor
from addc.security.token import SYSTEM
from tests.kit.corp import Corp, add_values, delete_values, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.delegation import let
from tests.kit.ldap_desk import Desk, desk, runner

__all__ = ["desk", "runner"]

HOLDER = "CN=AdminSDHolder,CN=System"
ANN = "CN=ann,CN=Users"
ADMINS = "CN=Domain Admins,CN=Users"
OPERATORS = "CN=Account Operators,CN=Builtin"
SERVICE = "CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration," + DOMAIN_DN


def protect(corp: Corp) -> int:
    """Run it to its end; the batches that it took."""
    batches = 1
    while corp.write(admin_sd.step):
        batches += 1
    return batches


def descriptor(corp: Corp, name: str) -> SecurityDescriptor:
    row = corp.row(name)
    return corp.read(lambda ctx: rights.descriptor(ctx, row))


def is_protected(corp: Corp, name: str) -> bool:
    """Whether the descriptor is the holder's; adminCount has to agree."""
    own, holder = descriptor(corp, name), descriptor(corp, HOLDER)
    assert own.dacl is not None and holder.dacl is not None
    same = (own.owner, own.group) == (holder.owner, holder.group)
    same = same and set(own.dacl.aces) == set(holder.dacl.aces)
    assert not same or corp.values(name, "adminCount") == [b"1"]
    return same and bool(own.control & Control.PD)


def member(corp: Corp, group: str, name: str) -> None:
    corp.modify(group, add_values("member", corp.dn(name)))


@pytest.fixture
def ann(corp_sqlite: Corp) -> str:
    corp_sqlite.user("ann")
    return ANN


DEFAULTS = (
    *(f"CN={name},CN=Users" for name in ("Administrator", "krbtgt", "Domain Admins", "Schema Admins")),
    *(f"CN={name},CN=Users" for name in ("Enterprise Admins", "Key Admins", "Enterprise Key Admins")),
    *(f"CN={name},CN=Users" for name in ("Domain Controllers", "Read-only Domain Controllers")),
    *(f"CN={name} Operators,CN=Builtin" for name in ("Account", "Server", "Print", "Backup")),
    *(f"CN={name},CN=Builtin" for name in ("Administrators", "Replicator")),
)


def test_the_default_administrators_are_protected_and_nobody_else_is(corp_sqlite: Corp, ann: str) -> None:
    with_count = set(DEFAULTS)
    assert all(corp_sqlite.values(name, "adminCount") == [b"1"] for name in with_count)
    protect(corp_sqlite)
    assert all(is_protected(corp_sqlite, name) for name in DEFAULTS)
    for name in (ann, "CN=Domain Users,CN=Users", "CN=Users,CN=Builtin", "CN=Guest,CN=Users"):
        assert not is_protected(corp_sqlite, name)
        assert corp_sqlite.values(name, "adminCount") == []


def test_what_is_as_it_should_be_is_left_alone(corp_sqlite: Corp, ann: str) -> None:
    member(corp_sqlite, ADMINS, ann)
    protect(corp_sqlite)
    before = corp_sqlite.row(ann).usn_changed
    protect(corp_sqlite)
    assert corp_sqlite.row(ann).usn_changed == before
    corp_sqlite.modify(ann, replace_values("adminCount"))
    protect(corp_sqlite)
    assert corp_sqlite.values(ann, "adminCount") == [b"1"]


def test_members_of_members_are_protected_through_groups_of_any_kind(corp_sqlite: Corp, ann: str) -> None:
    corp_sqlite.group("secure", -2147483646)
    corp_sqlite.group("mail", 2)
    member(corp_sqlite, ADMINS, "CN=secure,CN=Users")
    member(corp_sqlite, "CN=secure,CN=Users", "CN=mail,CN=Users")
    member(corp_sqlite, "CN=mail,CN=Users", ann)
    member(corp_sqlite, "CN=mail,CN=Users", "CN=secure,CN=Users")
    protect(corp_sqlite)
    assert is_protected(corp_sqlite, ann) and is_protected(corp_sqlite, "CN=secure,CN=Users")
    assert not is_protected(corp_sqlite, "CN=mail,CN=Users")


def test_a_primary_group_is_a_membership_too(corp_sqlite: Corp, ann: str) -> None:
    member(corp_sqlite, ADMINS, ann)
    corp_sqlite.modify(ann, replace_values("primaryGroupID", "512"))
    assert corp_sqlite.values(ADMINS, "member") == [corp_sqlite.dn("CN=Administrator,CN=Users").encode()]
    protect(corp_sqlite)
    assert is_protected(corp_sqlite, ann)


def test_rights_given_over_an_administrator_are_gone_after_it(corp_sqlite: Corp, ann: str) -> None:
    corp_sqlite.user("joe", "Tr0ub4dor&3")
    joe = corp_sqlite.token("joe")
    member(corp_sqlite, ADMINS, ann)
    let(corp_sqlite, joe, ann)
    let(corp_sqlite, joe, "CN=Users")
    corp_sqlite.modify(ann, replace_values("description", "x"), requester=joe)
    protect(corp_sqlite)
    row = corp_sqlite.row(ann)
    held = corp_sqlite.read(lambda ctx: rights.grants(ctx, row).object_mask, joe)
    assert not held & rights.WRITE_PROPERTY


def test_what_leaves_keeps_its_descriptor(corp_sqlite: Corp, ann: str) -> None:
    member(corp_sqlite, ADMINS, ann)
    protect(corp_sqlite)
    corp_sqlite.modify(ADMINS, delete_values("member", corp_sqlite.dn(ann)))
    protect(corp_sqlite)
    assert is_protected(corp_sqlite, ann)


def test_a_changed_holder_changes_all_of_them_in_batches(
    corp_sqlite: Corp, ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    protect(corp_sqlite)
    monkeypatch.setattr(admin_sd, "BATCH", 4)
    member(corp_sqlite, ADMINS, ann)
    let(corp_sqlite, corp_sqlite.token("ann"), HOLDER, "(A;;RP;;;{sid})")
    assert protect(corp_sqlite) == 5
    assert all(is_protected(corp_sqlite, name) for name in (ann, *DEFAULTS))


@pytest.mark.parametrize(
    ("mask", "group"), [("1", "Account"), ("2", "Server"), ("4", "Print"), ("8", "Backup")]
)
def test_operators_can_be_excluded_but_not_administrators(
    corp_sqlite: Corp, ann: str, mask: str, group: str
) -> None:
    corp_sqlite.user("bob")
    name = f"CN={group} Operators,CN=Builtin"
    for one in (ann, "CN=bob,CN=Users"):
        member(corp_sqlite, name, one)
    member(corp_sqlite, ADMINS, "CN=bob,CN=Users")
    corp_sqlite.modify(SERVICE, replace_values("dSHeuristics", f"000000000100000{mask}"))
    let(corp_sqlite, corp_sqlite.token("ann"), name)
    protect(corp_sqlite)
    assert not is_protected(corp_sqlite, ann) and not is_protected(corp_sqlite, name)
    assert is_protected(corp_sqlite, "CN=bob,CN=Users")


def test_only_the_pdc_protects(corp_sqlite: Corp, ann: str) -> None:
    member(corp_sqlite, ADMINS, ann)
    server = f"CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,{DOMAIN_DN}"
    corp_sqlite.modify("", replace_values("fSMORoleOwner", server), requester=SYSTEM)
    protect(corp_sqlite)
    assert not is_protected(corp_sqlite, ann)


# --- the rootDSE operation ---------------------------------------------------------------------------------

TASK = m.ModifyRequest("", (m.Change(ModOp.ADD, m.PartialAttribute("runProtectAdminGroupsTask", (b"1",))),))


def test_the_task_runs_on_demand_before_the_answer(desk: Desk) -> None:
    corp = desk.corp
    corp.user("ann")
    member(corp, ADMINS, ANN)
    client = desk.connect(tls=True)
    client.bind()
    assert client.ask(TASK).result_code == 0
    assert is_protected(corp, ANN)


def test_the_task_takes_a_right_on_the_domain(desk: Desk) -> None:
    desk.corp.user("joe", "Tr0ub4dor&3")
    client = desk.connect(tls=True)
    client.bind("joe@corp.example.com", "Tr0ub4dor&3")
    answer = client.ask(TASK)
    assert answer.result_code == 50
    assert answer.diagnostic_message.startswith(f"{Win32.ERROR_ACCESS_DENIED:08X}")
