"""Dynamic objects, over LDAP: time to live, its limits, the end. [MS-ADTS] 3.1.1.3.1.6, 6.1.7; RFC 2589."""

import pytest

from addc.base.errors import DsError
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import dynamic_objects
from addc.ldap import messages as m
from addc.store.objects import ObjectState
from tests.kit.corp_forest import CONFIG_DN
from tests.kit.graveyard import (
    ADD,
    DAY,
    DELETE,
    DELETED,
    DIRECTORY_SERVICE,
    RECYCLED,
    REPLACE,
    Graveyard,
    change,
    result,
)

BOX = "OU=box"
SUCCESS = (0, 0)
UNWILLING = (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_UNWILLING_TO_PERFORM)


def put(yard: Graveyard, dn: str = BOX, **values: str) -> tuple[int, int]:
    return result(yard.add(dn, "organizationalUnit", "dynamicObject", **values))


def ttl(yard: Graveyard, dn: str = BOX) -> int:
    (value,) = yard.read(dn, "entryTTL")["entryTTL"]
    return int(value)


def test_an_object_dies_when_its_time_comes(yard: Graveyard) -> None:
    """3.1.1.3.1.6, 6.1.7: expunged, with no tombstone, and its links go"""
    assert put(yard, entryTTL="1000") == SUCCESS
    assert ttl(yard) == 1000
    dnt, guid = yard.corp.row(BOX).dnt, yard.guid(BOX)
    yard.corp.user("ann")
    yard.modify(BOX, change(ADD, "managedBy", yard.corp.dn("CN=ann,CN=Users")))
    yard.later(999)
    assert ttl(yard) == 1
    yard.later(2)
    for controls in ((), (DELETED,), (RECYCLED,)):
        assert yard.read(guid, controls=controls) == {}
    assert yard.read("CN=ann,CN=Users", "managedObjects").keys() == {"dn"}
    assert put(yard) == SUCCESS  # its name is free at once
    yard.later(3 * DAY)
    assert yard.corp.read(lambda ctx: ctx.tx.get(dnt)) is None


def test_without_a_ttl_the_default_counts(yard: Graveyard) -> None:
    """3.1.1.5.2.4, 3.1.1.3.4.7"""
    assert put(yard) == SUCCESS and ttl(yard) == 86_400
    settings = ("DynamicObjectDefaultTTL=5000", "DynamicObjectMinTTL=100")
    assert (
        result(yard.modify(DIRECTORY_SERVICE, change(REPLACE, "msDS-Other-Settings", *settings))) == SUCCESS
    )
    assert put(yard, "OU=second") == SUCCESS and ttl(yard, "OU=second") == 5000


def test_less_than_the_minimum_becomes_the_minimum(yard: Graveyard) -> None:
    """3.1.1.5.2.4, 3.1.1.5.3.3"""
    assert put(yard, entryTTL="1") == SUCCESS and ttl(yard) == 900
    yard.modify(BOX, change(REPLACE, "entryTTL", "5000"))
    assert ttl(yard) == 5000
    assert result(yard.modify(BOX, change(REPLACE, "entryTTL", "5"))) == SUCCESS and ttl(yard) == 900


def test_a_ttl_is_a_number_of_at_most_a_year(yard: Graveyard) -> None:
    too_long = (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_DS_RANGE_CONSTRAINT)
    assert put(yard, entryTTL="31557601") == too_long
    assert put(yard, entryTTL="31557600") == SUCCESS
    assert result(yard.modify(BOX, change(REPLACE, "entryTTL", "soon")))[0] == (
        LdapResult.INVALID_ATTRIBUTE_SYNTAX
    )
    assert result(yard.modify(BOX, change(DELETE, "entryTTL"))) == (
        LdapResult.CONSTRAINT_VIOLATION,
        Win32.ERROR_DS_CONSTRUCTED_ATT_MOD,
    )


def test_a_modify_puts_the_end_off(yard: Graveyard) -> None:
    """3.1.1.5.3.3"""
    put(yard, entryTTL="1000")
    yard.later(900)
    assert result(yard.modify(BOX, change(REPLACE, "entryTTL", "2000"))) == SUCCESS
    yard.later(1500)
    assert ttl(yard) == 500
    yard.later(501)
    assert yard.read(BOX) == {}


def test_a_static_object_has_no_ttl(yard: Graveyard) -> None:
    """3.1.1.5.2.2: msDS-Entry-Time-To-Die goes with dynamicObject alone"""
    refused = (LdapResult.OBJECT_CLASS_VIOLATION, Win32.ERROR_DS_ATT_NOT_DEF_FOR_CLASS)
    assert result(yard.add(BOX, "organizationalUnit", entryTTL="1000")) == refused
    assert result(yard.add(BOX, "organizationalUnit")) == SUCCESS
    assert result(yard.modify(BOX, change(REPLACE, "entryTTL", "1000"))) == refused


def test_nothing_static_below_what_dies(yard: Graveyard) -> None:
    """3.1.1.3.1.6, 3.1.1.5.2.2"""
    put(yard)
    assert result(yard.add(f"OU=a,{BOX}", "organizationalUnit")) == UNWILLING
    assert put(yard, f"OU=b,{BOX}") == SUCCESS
    yard.add("OU=a", "organizationalUnit")
    move = m.ModifyDnRequest(yard.corp.dn("OU=a"), "OU=a", True, yard.corp.dn(BOX))
    assert result(yard.client.ask(move)) == UNWILLING
    guid = yard.guid("OU=a")
    yard.delete("OU=a")
    assert result(yard.undelete(guid, f"OU=a,{BOX}")) == UNWILLING


@pytest.mark.parametrize("parent", [f"CN=Services,{CONFIG_DN}"])
def test_no_dynamic_objects_in_configuration_and_schema(yard: Graveyard, parent: str) -> None:
    """3.1.1.3.1.6"""
    assert result(yard.add(f"CN=x,{parent}", "container", "dynamicObject")) == UNWILLING


def test_an_object_stays_static_or_dynamic(yard: Graveyard) -> None:
    yard.add(BOX, "organizationalUnit")
    put(yard, "OU=second")
    for dn, op in ((BOX, ADD), ("OU=second", DELETE)):
        answer = yard.modify(dn, change(op, "objectClass", "dynamicObject"))
        assert answer.result_code == LdapResult.UNWILLING_TO_PERFORM


def test_no_ancestor_dies_first(yard: Graveyard) -> None:
    """6.1.7: the time to die of an object comes after those of its descendants"""
    put(yard, entryTTL="1000")
    put(yard, f"OU=a,{BOX}", entryTTL="5000")
    assert ttl(yard) == 5001
    yard.modify(f"OU=a,{BOX}", change(REPLACE, "entryTTL", "9000"))
    assert ttl(yard) == 9001
    yard.modify(BOX, change(REPLACE, "entryTTL", "1000"))
    assert ttl(yard) == 9001
    yard.later(9000)
    assert yard.read(f"OU=a,{BOX}") == {} and yard.read(BOX)
    yard.later(2)
    assert yard.read(BOX) == {}


def test_a_deleted_dynamic_object_is_a_tombstone(yard: Graveyard) -> None:
    """3.1.1.5.5: by a request it is deleted as others are."""
    put(yard, entryTTL="1000")
    guid = yard.guid(BOX)
    assert result(yard.delete(BOX)) == SUCCESS
    yard.later(2000)
    assert yard.corp.row(guid).state is ObjectState.DELETED
    assert "msDS-Entry-Time-To-Die" in yard.read(guid, "msDS-Entry-Time-To-Die", controls=(DELETED,))


# --- the refresh operation, RFC 2589 4, 3.1.1.3.4.2.3 ------------------------------------------------------


def test_refreshing_answers_the_ttl_that_counts(yard: Graveyard) -> None:
    put(yard, entryTTL="1000")
    corp, dn = yard.corp, yard.corp.dn(BOX)

    def refresh(seconds: int) -> int:
        return corp.write(lambda ctx: dynamic_objects.refresh(ctx, dn, seconds), corp.admin)

    assert refresh(5000) == 5000 and ttl(yard) == 5000
    assert refresh(1) == 900 and ttl(yard) == 900
    put(yard, f"OU=a,{BOX}", entryTTL="8000")
    assert refresh(1000) == 8001


def test_refreshing_is_refused_like_a_modify(yard: Graveyard) -> None:
    put(yard, entryTTL="1000")
    yard.add("OU=static", "organizationalUnit")
    corp = yard.corp
    yard.as_clerk()

    def code(dn: str, who: str) -> int:
        with pytest.raises(DsError) as caught:
            corp.write(lambda ctx: dynamic_objects.refresh(ctx, corp.dn(dn), 5000), corp.token(who))
        return int(caught.value.code)

    assert code(BOX, "clerk") == Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    assert code("OU=static", "Administrator") == Win32.ERROR_DS_ATT_NOT_DEF_FOR_CLASS
    assert code("OU=none", "Administrator") == Win32.ERROR_DS_OBJ_NOT_FOUND
    assert ttl(yard) == 1000
