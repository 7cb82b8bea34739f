"""Principals as facts, and the names they are found by."""

import pytest

from addc.base.clock import NEVER_FT
from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import accounts
from addc.directory.accounts import Account, Spn
from addc.directory.delete import delete_object
from addc.security.account_flags import UserAccountControl
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN


def test_facts_follow_the_row(corp: Corp) -> None:
    dnt = corp.user("ann", "Tr0ub4dor&3", displayName="Ann", userWorkstations="pc1,pc2")

    def facts() -> Account:
        found = corp.read(lambda ctx: accounts.find_by_dnt(ctx, dnt))
        assert found is not None
        return found

    ann = facts()
    assert (ann.sam_account_name, ann.display_name, ann.dn) == ("ann", "Ann", f"CN=ann,CN=Users,{DOMAIN_DN}")
    assert ann.has(UserAccountControl.UF_NORMAL_ACCOUNT) and not ann.is_disabled and not ann.is_machine
    assert ann.account_expires == NEVER_FT and ann.pwd_last_set == corp.now
    assert ann.workstations == ("pc1", "pc2") and ann.logon_hours is None
    assert ann.primary_group_sid == corp.sid("CN=Domain Users,CN=Users")
    corp.modify("CN=ann,CN=Users", replace_values("accountExpires", "5"))
    assert facts().account_expires == 5


def sam(corp: Corp, found: Account | None) -> str | None:
    return None if found is None else found.sam_account_name


def test_accounts_are_found_by_name_upn_and_sid(corp: Corp) -> None:
    dnt = corp.user("ann", userPrincipalName="ann.smith@example.org")
    corp.add("CN=pc1,CN=Computers", "computer", sAMAccountName="pc1$")

    def by_upn(upn: str) -> str | None:
        return sam(corp, corp.read(lambda ctx: accounts.find_by_upn(ctx, upn)))

    assert sam(corp, corp.read(lambda ctx: accounts.find_by_sam(ctx, "ANN"))) == "ann"
    assert corp.read(lambda ctx: accounts.find_by_sam(ctx, "")) is None
    assert corp.read(lambda ctx: accounts.find_by_sam(ctx, "Domain Admins")) is None
    assert by_upn("Ann.Smith@EXAMPLE.org") == "ann"
    assert by_upn("ann@corp.example.com") == by_upn("ann@CORP") == "ann"
    assert by_upn("pc1@corp.example.com") == "pc1$"
    assert by_upn("ann@elsewhere.example") is None and by_upn("ann") is None
    sid = corp.sid(dnt)
    assert sam(corp, corp.read(lambda ctx: accounts.find_by_sid(ctx, sid))) == "ann"


@pytest.mark.parametrize(
    ("spn", "owner"),
    [
        ("HOST/dc1.corp.example.com", "DC1$"),
        ("host/DC1", "DC1$"),
        ("cifs/dc1", "DC1$"),
        ("ldap/dc1.corp.example.com/corp.example.com", "DC1$"),
        ("cifs/nowhere", None),
        ("unknown/dc1", None),
        ("krbtgt/CORP.EXAMPLE.COM", "krbtgt"),
        ("krbtgt/corp", "krbtgt"),
        ("krbtgt/OTHER", None),
        ("kadmin/changepw", "krbtgt"),
        ("http/web", "svc"),
        ("HTTP/WEB", "svc"),
        ("cifs/pc1", "pc1$"),
        ("host/pc1.corp.example.com", "pc1$"),
        ("host/pc1.example.org", None),
        ("nonsense", None),
    ],
)
def test_services_are_found_by_spn(corp_sqlite: Corp, spn: str, owner: str | None) -> None:
    corp_sqlite.user("svc", servicePrincipalName="HTTP/web")
    corp_sqlite.add("CN=pc1,CN=Computers", "computer", sAMAccountName="pc1$")
    assert sam(corp_sqlite, corp_sqlite.read(lambda ctx: accounts.find_by_spn(ctx, spn))) == owner


def test_the_names_of_the_kdc_are_nobody_elses(corp_sqlite: Corp) -> None:
    """Who may write some account's SPNs does not get everybody's TGTs encrypted with that account's key."""
    taken = ["krbtgt/CORP.EXAMPLE.COM", "krbtgt/CORP", "krbtgt/OTHER", "kadmin/changepw/x"]
    corp_sqlite.user("svc", servicePrincipalName=taken)
    found = [sam(corp_sqlite, corp_sqlite.read(lambda ctx: accounts.find_by_spn(ctx, spn))) for spn in taken]  # noqa: B023
    assert found == ["krbtgt", "krbtgt", None, "krbtgt"]


def test_tombstones_of_a_name_hide_no_living_bearer(corp: Corp) -> None:
    """Nor do they let a second one be made: 17 were deleted before."""
    for _ in range(17):
        corp.user("eve")
        corp.write(lambda ctx: delete_object(ctx, corp.dn("CN=eve,CN=Users")), corp.admin)
    assert corp.read(lambda ctx: accounts.find_by_sam(ctx, "eve")) is None
    corp.user("eve")
    assert sam(corp, corp.read(lambda ctx: accounts.find_by_sam(ctx, "eve"))) == "eve"
    with pytest.raises(DsError) as refused:
        corp.add("CN=other,CN=Users", "user", sAMAccountName="EVE")
    assert refused.value.code == Win32.ERROR_USER_EXISTS


def test_the_aliases_of_host_come_from_the_directory(corp: Corp) -> None:
    assert corp.read(lambda ctx: accounts.mapped_to(ctx, "CIFS")) == ("host",)
    assert corp.read(lambda ctx: accounts.mapped_to(ctx, "ldap")) == ()
    assert accounts.parse_mappings(["host=a,b", "other=b"]) == {"a": ("host",), "b": ("host", "other")}


def test_the_parts_of_an_spn() -> None:
    assert Spn.parse("ldap/dc1:389/corp.example.com") == Spn("ldap", "dc1", "389", "corp.example.com")
    assert Spn.parse("MSSQLSvc/db:inst") == Spn("MSSQLSvc", "db", "inst", "")
    found = Spn.parse("MSSQLSvc/db:inst")
    assert found is not None and found.has_instance_name
    for text in ("", "a", "/b", "a/", "a/b/c/d", "a//b", "a/b:", "a/:1", "a b/c"):
        assert Spn.parse(text) is None, text
