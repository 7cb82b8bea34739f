"""Names that nobody shares: UPNs, implicit ones too, SPNs and their aliases. Spec: [MS-ADTS] 3.1.1.5.1.3."""

from collections.abc import Callable

import pytest

from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.security.token import Token
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.delegation import delegated, let
from tests.kit.refusals import refusal

ANN, BOB = "CN=ann,CN=Users", "CN=bob,CN=Users"
SERVICE = "CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration," + DOMAIN_DN
UPN_TAKEN = (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST)
SPN_TAKEN = (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_DS_SPN_VALUE_NOT_UNIQUE_IN_FOREST)
NO_SPN = (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_DS_NAME_REFERENCE_INVALID)


@pytest.fixture(autouse=True)
def people(corp_sqlite: Corp) -> None:
    for name in ("ann", "bob"):
        corp_sqlite.user(name)


def put(corp: Corp, name: str, requester: Token | None = None, **values: str) -> Callable[[], object]:
    changes = [replace_values(attribute, value) for attribute, value in values.items()]
    return lambda: corp.modify(name, *changes, requester=requester)


def set_heuristic(corp: Corp, digit: int) -> None:
    """DoNotVerifyUPNAndOrSPNUniqueness, the 21st character."""
    corp.modify(SERVICE, replace_values("dSHeuristics", f"00000000010000000002{digit}"))


# --- user principal names ---


def test_a_upn_is_not_given_that_another_answers_to_without_one(corp_sqlite: Corp) -> None:
    taken = refusal(put(corp_sqlite, ANN, userPrincipalName="bob@CORP.example.com"))
    assert taken == (LdapResult.ENTRY_ALREADY_EXISTS, Win32.ERROR_USER_EXISTS)
    put(corp_sqlite, ANN, userPrincipalName="bob@elsewhere.example")()
    put(corp_sqlite, BOB, userPrincipalName="bob@corp.example.com")()


def test_a_sam_account_name_is_not_given_that_makes_anothers_upn_ambiguous(corp_sqlite: Corp) -> None:
    put(corp_sqlite, ANN, userPrincipalName="carl@corp.example.com")()
    assert refusal(put(corp_sqlite, BOB, sAMAccountName="carl")) == UPN_TAKEN
    assert refusal(lambda: corp_sqlite.user("carl")) == UPN_TAKEN
    put(corp_sqlite, ANN, sAMAccountName="carl")()


def test_both_names_may_change_at_once(corp_sqlite: Corp) -> None:
    put(corp_sqlite, ANN, sAMAccountName="eve", userPrincipalName="eve@corp.example.com")()
    crossed = refusal(put(corp_sqlite, BOB, sAMAccountName="eve2", userPrincipalName="eve@corp.example.com"))
    assert crossed == UPN_TAKEN


def test_the_first_bit_of_the_heuristic_lets_upns_be_shared(corp_sqlite: Corp) -> None:
    set_heuristic(corp_sqlite, 1)
    put(corp_sqlite, ANN, userPrincipalName="x@corp.example.com")()
    put(corp_sqlite, BOB, userPrincipalName="x@corp.example.com")()
    put(corp_sqlite, ANN, userPrincipalName="bob@corp.example.com")()
    put(corp_sqlite, ANN, servicePrincipalName="http/web")()
    assert refusal(put(corp_sqlite, BOB, servicePrincipalName="http/web")) == SPN_TAKEN


# --- service principal names ---


@pytest.fixture
def joe(corp_sqlite: Corp) -> Token:
    """Rules over bob and nobody else."""
    return delegated(corp_sqlite, "joe", BOB)


@pytest.mark.parametrize("spn", ["cifs/dc1", "HTTP/DC1", "www/dc1.corp.example.com"])
def test_no_service_is_taken_from_a_host_by_one_who_does_not_rule_over_it(
    corp_sqlite: Corp, joe: Token, spn: str
) -> None:
    assert refusal(put(corp_sqlite, BOB, joe, servicePrincipalName=spn)) == SPN_TAKEN


def test_who_rules_over_the_host_gives_its_services_away(corp_sqlite: Corp, joe: Token) -> None:
    corp_sqlite.add("CN=web,CN=Computers", "computer", sAMAccountName="web$", servicePrincipalName="HOST/web")
    assert refusal(put(corp_sqlite, BOB, joe, servicePrincipalName="HTTP/web")) == SPN_TAKEN
    let(corp_sqlite, joe, "CN=web,CN=Computers")
    put(corp_sqlite, BOB, joe, servicePrincipalName="HTTP/web")()
    put(corp_sqlite, ANN, servicePrincipalName="cifs/web")()


def test_what_is_taken_to_the_letter_is_nobodys_to_give(corp_sqlite: Corp) -> None:
    put(corp_sqlite, ANN, servicePrincipalName="HTTP/web")()
    assert refusal(put(corp_sqlite, BOB, servicePrincipalName="http/WEB")) == SPN_TAKEN
    values = {"sAMAccountName": "new", "servicePrincipalName": "http/web"}
    assert refusal(lambda: corp_sqlite.add("CN=new,CN=Users", "user", values=values)) == SPN_TAKEN


def test_an_account_may_have_the_names_and_their_aliases(corp_sqlite: Corp) -> None:
    put(corp_sqlite, ANN, servicePrincipalName="HOST/web")()
    corp_sqlite.modify(ANN, add_values("servicePrincipalName", "cifs/web", "http/web"))


def test_the_other_bits_of_the_heuristic_let_spns_and_aliases_be_shared(
    corp_sqlite: Corp, joe: Token
) -> None:
    set_heuristic(corp_sqlite, 2)
    put(corp_sqlite, ANN, servicePrincipalName="http/web")()
    put(corp_sqlite, BOB, servicePrincipalName="http/web")()
    assert refusal(put(corp_sqlite, BOB, joe, servicePrincipalName="cifs/dc1")) == SPN_TAKEN
    set_heuristic(corp_sqlite, 4)
    put(corp_sqlite, BOB, joe, servicePrincipalName="cifs/dc1")()
    assert refusal(put(corp_sqlite, BOB, servicePrincipalName="HOST/dc1")) == SPN_TAKEN


@pytest.mark.parametrize(
    "spn", ["cifs/", "a b/host", "cifs//web", "/host/web", " /x", "host/web/", "\n/\n/\n"]
)
def test_administrators_may_write_odd_spns(corp_sqlite: Corp, spn: str) -> None:
    put(corp_sqlite, ANN, servicePrincipalName=spn)()


@pytest.mark.parametrize("spn", ["web", "//", "a/b/c/d", "/", "/web", " ///"])
def test_some_texts_are_no_spns(corp_sqlite: Corp, spn: str) -> None:
    assert refusal(put(corp_sqlite, ANN, servicePrincipalName=spn)) == NO_SPN


@pytest.mark.parametrize(
    "upn", ["ann@\uff43orp.example.com", "ann\uff20corp.example.com", "\uff41nn@corp.\uff45xample.com"]
)
def test_wide_letters_make_no_other_upn(corp_sqlite: Corp, upn: str) -> None:
    """Logons find names without regard to width: ann would be somebody else's (CVE-2021-42282)."""
    put(corp_sqlite, ANN, userPrincipalName=upn)()
    put(corp_sqlite, ANN, userPrincipalName="ann@elsewhere.example.com")()
    assert refusal(put(corp_sqlite, BOB, userPrincipalName=upn))[1] == Win32.ERROR_USER_EXISTS


@pytest.mark.parametrize("spn", ["\uff43ifs/dc1", "cif\u017f/dc1", "cifs/\uff44c1"])
def test_wide_letters_make_no_other_service(corp_sqlite: Corp, joe: Token, spn: str) -> None:
    assert refusal(put(corp_sqlite, BOB, joe, servicePrincipalName=spn)) == SPN_TAKEN
