"""Service names that do not do what whoever registered them thinks. Spec: [MS-KILE] 3.3.5.1.1."""

from addc.directory.spn_report import Fault, SpnReport, report
from addc.security.token import SYSTEM
from tests.kit.corp import Corp, replace_values

HOST_WEB = ("HOST/web", "HOST/web.corp.example.com")


def account(corp: Corp, name: str, *spns: str) -> None:
    """As SYSTEM: what the rules for LDAP clients would refuse has come in some other way."""
    corp.user(name, "Tr0ub4dor&3")
    corp.modify(f"CN={name},CN=Users", replace_values("servicePrincipalName", *spns), requester=SYSTEM)


def unchecked(corp: Corp) -> None:
    """Duplicates are let in, as forests of older versions have them."""
    corp.modify(
        "CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration",
        replace_values("dSHeuristics", "000000000100000000022"),
    )


def look(corp: Corp) -> SpnReport:
    return corp.read(report)


def test_a_fresh_forest_has_nothing_to_tell(corp: Corp) -> None:
    found = look(corp)
    assert not found.faults
    assert any(one.spn == "ldap/dc1.corp.example.com" and one.account == "DC1$" for one in found.registered)
    assert list(found.registered) == sorted(
        found.registered, key=lambda one: (one.spn.lower(), one.account.lower())
    )


def test_a_name_of_two_accounts(corp: Corp) -> None:
    """The KDC can give a ticket for neither; letters' case makes no other name."""
    unchecked(corp)
    account(corp, "one", "http/shop.corp.example.com")
    account(corp, "two", "HTTP/Shop.corp.example.com")
    (fault,) = look(corp).faults
    assert (fault.fault, fault.holders) == (Fault.DUPLICATE, ("one", "two"))
    assert "KDC_ERR_S_PRINCIPAL_UNKNOWN" in fault.words() and "Next step" in fault.words()


def test_a_service_taken_from_its_host(corp_sqlite: Corp) -> None:
    """http is an alias of HOST: whoever registers it itself takes it away. Spec: [MS-ADA3] 2.276."""
    account(corp_sqlite, "web", *HOST_WEB)
    account(corp_sqlite, "shop", "http/web.corp.example.com")
    (fault,) = look(corp_sqlite).faults
    assert (fault.fault, fault.holders, fault.others) == (Fault.SHADOWS_HOST, ("shop",), ("web",))


def test_a_service_taken_from_a_computer_that_registered_nothing(corp_sqlite: Corp) -> None:
    corp_sqlite.add("CN=pc,CN=Computers", "computer", sAMAccountName="PC$", userAccountControl="4096")
    account(corp_sqlite, "shop", "cifs/pc.corp.example.com")
    (fault,) = look(corp_sqlite).faults
    assert (fault.fault, fault.others) == (Fault.SHADOWS_HOST, ("PC$",))


def test_an_account_may_split_its_own_host_names(corp_sqlite: Corp) -> None:
    account(corp_sqlite, "web", *HOST_WEB, "http/web.corp.example.com")
    assert not look(corp_sqlite).faults


def test_other_services_of_a_host_are_its_own(corp_sqlite: Corp) -> None:
    """MSSQLSvc is no alias of HOST."""
    account(corp_sqlite, "web", *HOST_WEB)
    account(corp_sqlite, "sql", "MSSQLSvc/web.corp.example.com:1433")
    assert not look(corp_sqlite).faults


def test_names_of_the_kdc_have_no_effect(corp_sqlite: Corp) -> None:
    account(corp_sqlite, "thief", "krbtgt/CORP.EXAMPLE.COM")
    (fault,) = look(corp_sqlite).faults
    assert (fault.fault, fault.holders) == (Fault.RESERVED, ("thief",))
