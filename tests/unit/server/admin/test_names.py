"""What a person may call an account, a place: each form, and what is said where it leads nowhere."""

from uuid import UUID

import pytest

from addc.base.errors import UserError
from addc.server.admin import names
from addc.server.admin.names import ACCOUNT, COMPUTER, GROUP, USER, find, find_place, place_dn
from addc.server.admin.target import Add, Target, text
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN

USERS = f"CN=Users,{DOMAIN_DN}"


def _made(target: Target, cn: str, object_class: str, name: str, **more: str) -> str:
    dn = f"CN={cn},{USERS}"
    attributes = [("objectClass", text(object_class)), ("sAMAccountName", text(name))]
    attributes += [(attribute, text(value)) for attribute, value in more.items()]
    target.apply([Add(dn, attributes)])
    return dn


def test_each_form_of_a_name(target: Target) -> None:
    dn = _made(target, "Ann Lee", "user", "ann", userPrincipalName="lee@other.example")
    entry = target.read(dn, ("objectSid", "objectGUID"))
    assert entry is not None
    guid = str(UUID(bytes_le=entry.first("objectGUID") or b""))
    by_upn = ("lee@other.example", "ann@corp.example.com")
    for name in ("ann", "ANN", "CORP\\ann", dn, str(entry.sid()), guid, *by_upn):
        assert find(target, name, USER).dn == dn
    assert find(target, "Ann Lee", USER).dn == dn  # the name in its place, where no logon name fits


def test_computers_with_and_without_the_dollar(target: Target) -> None:
    dn = _made(target, "pc1", "computer", "pc1$", userAccountControl="4096")
    assert find(target, "pc1", COMPUTER).dn == find(target, "PC1$", COMPUTER).dn == dn
    assert find(target, "pc1", ACCOUNT).dn == find(target, "pc1").dn == dn


def test_a_name_of_another_kind_is_refused(target: Target) -> None:
    _made(target, "pc1", "computer", "pc1$", userAccountControl="4096")
    with pytest.raises(UserError, match=r"is no user but a computer.*addc user list"):
        find(target, "pc1$", USER)
    with pytest.raises(UserError, match="is no group but a user"):
        find(target, "Guest", GROUP)


def test_a_name_of_several_is_refused(target: Target) -> None:
    for name, place in (("one", USERS), ("two", f"CN=Computers,{DOMAIN_DN}")):
        attributes = [("objectClass", text("group")), ("sAMAccountName", text(name))]
        target.apply([Add(f"CN=crowd,{place}", attributes)])
    with pytest.raises(UserError, match=r"the name of several: .*by its DN"):
        find(target, "crowd", GROUP)


@pytest.mark.parametrize("name", ["nobody", f"CN=nobody,{USERS}", "S-1-5-21-1-2-3-4", "x@y", "a)(b*"])
def test_a_name_of_nobody(target: Target, name: str) -> None:
    with pytest.raises(UserError, match=r"There is no user .*Next step: addc user list"):
        find(target, name, USER)


@pytest.mark.parametrize(("name", "said"), [("S-1-x", "is no SID"), ("CN=a,b", "is no DN")])
def test_a_name_that_nothing_can_have(target: Target, name: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        find(target, name)


def test_places(target: Target) -> None:
    assert place_dn(target, "corp.example.com") == DOMAIN_DN
    assert place_dn(target, "Sales/Berlin, east") == f"OU=Berlin\\, east,OU=Sales,{DOMAIN_DN}"
    assert place_dn(target, "OU=Sales") == f"OU=Sales,{DOMAIN_DN}"
    assert place_dn(target, f"CN=Sites,{CONFIG_DN}") == f"CN=Sites,{CONFIG_DN}"
    assert find_place(target, "Domain Controllers").dn == f"OU=Domain Controllers,{DOMAIN_DN}"
    with pytest.raises(UserError, match=r"There is no place 'Nowhere'.*addc ou list"):
        find_place(target, "Nowhere")


def test_names_of_strangers_are_their_sids(target: Target) -> None:
    assert names.name_of(target, "<SID=S-1-5-21-9-9-9-9>") == "S-1-5-21-9-9-9-9"
    assert names.name_of(target, USERS) == USERS
