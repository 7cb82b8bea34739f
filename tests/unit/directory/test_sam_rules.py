"""What SAM refuses on accounts that exist."""

import pytest

from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from tests.kit.corp import Corp, add_values, delete_values, replace_values
from tests.kit.refusals import refusal

ANN = "CN=ann,CN=Users"


@pytest.mark.parametrize("name", ["sAMAccountName", "userAccountControl", "primaryGroupID", "pwdLastSet"])
def test_an_account_keeps_what_makes_it_one(corp_sqlite: Corp, name: str) -> None:
    corp_sqlite.user("ann")
    for change in (replace_values(name), delete_values(name)):
        refused = refusal(lambda change=change: corp_sqlite.modify(ANN, change))  # type: ignore[misc]
        assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION)


def test_descriptions_of_accounts_are_not_written_in_plural(corp_sqlite: Corp) -> None:
    corp_sqlite.add("CN=two,CN=Users", "group", description=["a", "b"])
    corp_sqlite.modify("CN=two,CN=Users", delete_values("description", "a"))
    for change in (replace_values("description", "a", "b"), add_values("description", "a")):
        refused = refusal(lambda change=change: corp_sqlite.modify("CN=two,CN=Users", change))  # type: ignore[misc]
        assert refused == (LdapResult.ATTRIBUTE_OR_VALUE_EXISTS, Win32.ERROR_DS_SINGLE_VALUE_CONSTRAINT)
