"""Deleting trees, over LDAP: one answer for all of it, counts, rights, what stops it. 3.1.1.5.5.7."""

import pytest

from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import api
from addc.ldap import controls as c
from addc.ldap import messages as m
from addc.security.access_mask import AccessMask
from addc.store.objects import ObjectState
from tests.kit.corp import Corp
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.graveyard import DELETED, TREE, Graveyard, result
from tests.unit.directory.test_recycle_bin import grant

SUCCESS = (0, 0)
UNFINISHED = (LdapResult.ADMIN_LIMIT_EXCEEDED, Win32.ERROR_DS_TREE_DELETE_NOT_FINISHED)


def counted(count: int) -> m.Control:
    """LDAP_SERVER_TREE_DELETE_EX_OID."""
    value = bytes((0x30, 0x04, 0x02, 0x02)) + count.to_bytes(2, "big", signed=True)
    return m.Control(c.LDAP_SERVER_TREE_DELETE_EX_OID, True, value)


def plant(corp: Corp, count: int) -> None:
    corp.add("OU=a", "organizationalUnit")
    for number in range(count):
        corp.add(f"OU={number},OU=a", "organizationalUnit")


def left(yard: Graveyard) -> int:
    return len(yard.search("OU=a", "1.1"))


def test_one_request_deletes_all_of_it_in_several_transactions(
    yard: Graveyard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3.1.1.5.5.7.3"""
    monkeypatch.setattr(api, "TREE_BATCH", 4)
    plant(yard.corp, 10)
    yard.corp.add("OU=deep,OU=3,OU=a", "organizationalUnit")
    root = yard.guid("OU=a")
    before = yard.corp.store.poll()
    assert result(yard.delete("OU=a", TREE)) == SUCCESS
    assert yard.corp.store.poll() - before == 3
    assert yard.read("OU=a") == {} and yard.corp.row(root).state is ObjectState.DELETED
    assert len(yard.search(f"CN=Deleted Objects,{DOMAIN_DN}", scope=1, controls=(DELETED,))) == 12


def test_with_the_bin_a_whole_tree_can_come_back(yard: Graveyard) -> None:
    yard.enable()
    plant(yard.corp, 2)
    root, child = yard.guid("OU=a"), yard.guid("OU=1,OU=a")
    yard.delete("OU=a", TREE)
    assert result(yard.undelete(child, "OU=1,OU=a"))[0] == LdapResult.OTHER
    assert result(yard.undelete(root, "OU=a")) == SUCCESS
    assert result(yard.undelete(child, "OU=1,OU=a")) == SUCCESS
    seen = yard.read("OU=1,OU=a", "lastKnownParent")["lastKnownParent"]
    assert seen == [f"OU=a,{DOMAIN_DN}".encode()]


@pytest.mark.parametrize(("count", "gone"), [(5, 5), (2, 2), (0, 2), (-7, 2)])
def test_a_count_is_kept_to_and_the_root_goes_last(yard: Graveyard, count: int, gone: int) -> None:
    """3.1.1.3.4.1.31"""
    plant(yard.corp, 8)
    assert result(yard.delete("OU=a", counted(count))) == UNFINISHED
    assert left(yard) == 9 - gone


def test_repeating_a_counted_deletion_ends_it(yard: Graveyard) -> None:
    """3.1.1.3.4.1.31: the root counts too"""
    plant(yard.corp, 8)
    answers = [result(yard.delete("OU=a", counted(3))) for _ in range(3)]
    assert answers == [UNFINISHED, UNFINISHED, SUCCESS]


def test_a_tree_takes_its_own_right_and_no_other(yard: Graveyard) -> None:
    """3.1.1.5.5.7.1: DELETE_TREE on the root, and nothing on what is below it"""
    corp = yard.corp
    clerk = yard.as_clerk()
    plant(corp, 2)
    grant(corp, "OU=a", "clerk", AccessMask.RIGHT_DELETE)
    for dn in ("OU=a", "OU=1,OU=a"):
        assert clerk.delete(dn, TREE).result_code == LdapResult.INSUFFICIENT_ACCESS_RIGHTS
    assert left(yard) == 3
    grant(corp, "OU=a", "clerk", AccessMask.RIGHT_DS_DELETE_TREE)
    assert result(clerk.delete("OU=a", TREE)) == SUCCESS


def test_critical_objects_stop_it(yard: Graveyard) -> None:
    """3.1.1.5.5.7.2"""
    plant(yard.corp, 2)
    yard.corp.add("OU=keep,OU=1,OU=a", "organizationalUnit")

    corp = yard.corp
    row = corp.row("OU=keep,OU=1,OU=a")
    critical = corp.schema.attribute("isCriticalSystemObject")
    assert critical is not None
    corp.write(lambda ctx: ctx.tx.update(row, attrs={**row.attrs, critical.att_id: (b"TRUE",)}))
    refused = (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_CANT_TREE_DELETE_CRITICAL_OBJ)
    assert result(yard.delete("OU=a", TREE)) == refused
    assert yard.read("OU=keep,OU=1,OU=a")
    assert result(yard.delete("OU=keep,OU=1,OU=a")) == SUCCESS
    assert result(yard.delete("OU=a", TREE)) == SUCCESS


def test_the_root_of_a_naming_context_stays(yard: Graveyard) -> None:
    """3.1.1.5.5.7.2"""
    answer = yard.delete("", TREE)
    assert answer.result_code in (LdapResult.UNWILLING_TO_PERFORM, LdapResult.INSUFFICIENT_ACCESS_RIGHTS)
    assert yard.read("")


def test_a_tree_that_somebody_else_finishes_is_finished(yard: Graveyard) -> None:
    plant(yard.corp, 1)
    yard.delete("OU=a", TREE)
    assert result(yard.delete("OU=a", TREE))[0] == LdapResult.NO_SUCH_OBJECT
