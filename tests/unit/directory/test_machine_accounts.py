"""Where ordinary users may make computers by privilege."""

import pytest

from addc.codes.win32 import Win32
from addc.security.token import Token
from tests.kit.corp import Corp, Value, add_values, delete_values, quoted
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.refusals import refusal

COMPUTERS = "B:32:AA312825768811D1ADED00C04FD8D5CD:"


@pytest.fixture
def joe(corp_sqlite: Corp) -> Token:
    corp_sqlite.user("joe", "Tr0ub4dor&3")
    return corp_sqlite.token("joe")


def join(corp: Corp, who: Token, place: str) -> None:
    values: dict[str, Value] = {
        "sAMAccountName": "pc1$",
        "userAccountControl": "4096",
        "dNSHostName": "pc1.corp.example.com",
        "servicePrincipalName": ["HOST/pc1", "HOST/pc1.corp.example.com"],
        "unicodePwd": quoted("Tr0ub4dor&3"),
    }
    corp.add(f"CN=pc1,{place}", "computer", who, values=values)


@pytest.mark.parametrize("place", ["OU=Domain Controllers", "CN=Users", "OU=dept", ""])
def test_the_privilege_is_for_the_place_of_computers_alone(corp_sqlite: Corp, joe: Token, place: str) -> None:
    corp_sqlite.add("OU=dept", "organizationalUnit")
    refused = refusal(lambda: join(corp_sqlite, joe, place or DOMAIN_DN))
    assert refused[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS


def test_the_place_is_where_the_domain_says(corp_sqlite: Corp, joe: Token) -> None:
    corp_sqlite.add("OU=new", "organizationalUnit")
    corp_sqlite.modify(
        "",
        delete_values("wellKnownObjects", f"{COMPUTERS}CN=Computers,{DOMAIN_DN}"),
        add_values("wellKnownObjects", f"{COMPUTERS}OU=new,{DOMAIN_DN}"),
    )
    assert refusal(lambda: join(corp_sqlite, joe, "CN=Computers"))[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    join(corp_sqlite, joe, "OU=new")
