"""Tombstones: what is left of a deleted object, and what cannot be deleted."""

from uuid import UUID

import pytest

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import delete, names, rights
from addc.directory.controls import PLAIN, RequestOptions
from addc.directory.delete import delete_object
from addc.directory.tombstones import mangled
from addc.schema import attr
from addc.security.access_mask import AccessMask
from addc.security.descriptor import ACCESS_ALLOWED, Ace, Acl, SecurityDescriptor
from addc.security.token import SYSTEM, Token
from addc.store.objects import ObjectState
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.refusals import refusal

TREE = RequestOptions(tree_delete=True)
SHOWN = RequestOptions(show_deleted=True)
CONFIG_DN = f"CN=Configuration,{DOMAIN_DN}"
ANN = "CN=ann,CN=Users"


def remove(corp: Corp, dn: str, options: RequestOptions = PLAIN, requester: Token | None = None) -> int:
    return corp.write(lambda ctx: delete_object(ctx, corp.dn(dn), options), requester or corp.admin)


def grant(corp: Corp, dn: str, name: str, mask: AccessMask) -> None:
    row = corp.row(dn)
    sd = corp.read(lambda ctx: rights.descriptor(ctx, row))
    assert sd.dacl is not None
    ace = Ace(ACCESS_ALLOWED, 0, int(mask), corp.token(name).user)
    changed = SecurityDescriptor(sd.control, sd.owner, sd.group, sd.sacl, Acl(4, (ace, *sd.dacl.aces)))
    corp.modify(dn, replace_values("nTSecurityDescriptor", changed.pack()), requester=SYSTEM)


@pytest.fixture
def ann(corp: Corp) -> Dnt:
    return corp.user("ann", "Tr0ub4dor&3", description="a user", displayName="Ann")


def test_a_tombstone_keeps_what_it_must(corp: Corp, ann: Dnt) -> None:
    before = corp.row(ann)
    corp.later(7)
    remove(corp, ANN)
    row = corp.row(ann)
    assert row.state is ObjectState.DELETED
    assert row.guid == before.guid and row.sid == before.sid and row.sd_id == before.sd_id
    assert row.rdn == f"ann\nDEL:{UUID(bytes_le=row.guid)}"
    deleted_objects = corp.row("CN=Deleted Objects")
    assert row.parent == deleted_objects.dnt and row.path.startswith(deleted_objects.path)
    assert corp.text(ann, "isDeleted") == "TRUE"
    assert corp.text(ann, "lastKnownParent") == corp.dn("CN=Users")
    assert corp.text(ann, "sAMAccountName") == "ann" and corp.text(ann, "userAccountControl") == "512"
    gone = ("description", "displayName", "objectCategory", "sAMAccountType", "unicodePwd", "pwdLastSet")
    assert [corp.values(ann, name) for name in gone] == [[]] * len(gone)
    assert attr.SUPPLEMENTAL_CREDENTIALS not in row.attrs and attr.NT_PWD_HISTORY not in row.attrs
    for att in (attr.IS_DELETED, attr.LAST_KNOWN_PARENT):
        assert row.meta[att].version == 1
    for att in (attr.NAME, attr.CN, attr.DESCRIPTION, attr.UNICODE_PWD, attr.OBJECT_CATEGORY):
        assert row.meta[att].version == 2
    assert row.meta[attr.SAM_ACCOUNT_NAME].version == 1
    assert row.usn_changed > before.usn_changed
    assert {stamp.local_usn for stamp in row.meta.values()} == {row.usn_created, row.usn_changed}


def test_the_name_is_free_again(corp: Corp, ann: Dnt) -> None:
    remove(corp, ANN)
    with pytest.raises(DsError) as caught:
        corp.read(lambda ctx: names.resolve(ctx, corp.dn(ANN)))
    assert caught.value.code == Win32.ERROR_DS_OBJ_NOT_FOUND
    again = corp.user("ann", "Tr0ub4dor&3")
    assert again != ann


def test_links_are_gone_on_both_ends(corp: Corp, ann: Dnt) -> None:
    group = corp.group("club")
    corp.modify("CN=club,CN=Users", add_values("member", corp.dn(ANN)))
    corp.modify(ANN, replace_values("manager", corp.dn("CN=Administrator,CN=Users")))
    before = corp.row(group)
    remove(corp, ANN)
    assert corp.values(group, "member") == []
    assert corp.values("CN=Administrator,CN=Users", "directReports") == []
    assert corp.row(group).usn_changed == before.usn_changed
    assert corp.read(lambda ctx: (ctx.tx.all_links(ann), ctx.tx.all_back_links(ann))) == ([], [])


def test_the_index_forgets(corp: Corp, ann: Dnt) -> None:
    remove(corp, ANN)
    found = corp.read(
        lambda ctx: [
            ctx.tx.index_eq(attr.DISPLAY_NAME, b"ann"),
            ctx.tx.index_eq(attr.CN, b"ann"),
            ctx.tx.index_eq(attr.SAM_ACCOUNT_NAME, b"ann"),
        ]
    )
    assert found == [[], [], [ann]]


def test_long_names_are_cut_for_the_mark() -> None:
    guid = "12345678-1234-1234-1234-123456789012"
    assert len(mangled("x" * 255, guid)) == 255
    assert mangled("x", guid) == f"x\nDEL:{guid}"


def test_only_leaves_are_deleted(corp: Corp) -> None:
    corp.add("OU=a", "organizationalUnit")
    corp.add("OU=b,OU=a", "organizationalUnit")
    assert refusal(lambda: remove(corp, "OU=a")) == (
        LdapResult.NOT_ALLOWED_ON_NON_LEAF,
        Win32.ERROR_DS_CHILDREN_EXIST,
    )
    remove(corp, "OU=b,OU=a")
    remove(corp, "OU=a")


def test_a_tree_goes_with_the_control(corp: Corp) -> None:
    for dn in ("OU=a", "OU=b,OU=a", "OU=c,OU=b,OU=a", "OU=d,OU=a"):
        corp.add(dn, "organizationalUnit")
    corp.add("CN=leaf,OU=c,OU=b,OU=a", "user", sAMAccountName="leaf")
    assert remove(corp, "OU=a", TREE) == 5
    with pytest.raises(DsError):
        corp.read(lambda ctx: names.resolve(ctx, corp.dn("OU=a")))


def test_a_large_tree_goes_in_parts_with_its_root_last(corp_sqlite: Corp) -> None:
    """3.1.1.5.5.7.3"""
    corp = corp_sqlite
    root = corp.add("OU=a", "organizationalUnit")
    for number in range(4):
        corp.add(f"OU={number},OU=a", "organizationalUnit")

    def part(dn: str) -> delete.TreePart:
        return corp.write(lambda ctx: delete.delete_part(ctx, dn, TREE, 3), corp.admin)

    first = part(corp.dn("OU=a"))
    assert (first.count, first.finished) == (3, False) and corp.row(root).state is ObjectState.LIVE
    second = part(first.root)
    assert (second.count, second.finished) == (2, True)
    assert corp.row(root).state is ObjectState.DELETED


def test_some_objects_stay(corp_sqlite: Corp) -> None:
    corp = corp_sqlite

    def result(dn: str, options: RequestOptions = PLAIN) -> tuple[LdapResult | None, Win32]:
        return refusal(lambda: remove(corp, dn, options))

    unwilling = LdapResult.UNWILLING_TO_PERFORM
    assert result("") == (unwilling, Win32.ERROR_DS_CANT_DELETE)
    assert result("CN=Users") == (unwilling, Win32.ERROR_DS_CANT_DELETE)
    assert result(f"CN=Person,CN=Schema,{CONFIG_DN}")[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    assert result("CN=Domain Admins,CN=Users")[1] is Win32.ERROR_SPECIAL_ACCOUNT
    assert result("CN=Administrators,CN=Builtin") == (unwilling, Win32.ERROR_DS_CANT_DELETE)
    dsa = corp.read(lambda ctx: names.dn_of(ctx, corp.forest.dsa_dnt))
    assert result(dsa)[1] in (Win32.ERROR_DS_CANT_DELETE_DSA_OBJ, Win32.ERROR_DS_CANT_DELETE)
    assert result("OU=Domain Controllers", TREE)[0] is unwilling
    assert result("CN=RID Set,CN=DC1,OU=Domain Controllers") == (unwilling, Win32.ERROR_DS_CANT_DELETE)


def test_the_cross_refs_of_held_contexts_stay(corp_sqlite: Corp) -> None:
    def result(name: str) -> tuple[LdapResult | None, Win32]:
        return refusal(lambda: remove(corp_sqlite, f"CN={name},CN=Partitions,{CONFIG_DN}"))

    above = (LdapResult.NOT_ALLOWED_ON_NON_LEAF, Win32.ERROR_DS_CANT_ON_NON_LEAF)
    assert result("CORP") == result("Enterprise Configuration") == above
    schema = (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_NC_STILL_HAS_DSAS)
    assert result("Enterprise Schema") == schema


def test_a_primary_group_stays(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    group = corp.group("club")
    corp.user("ann")
    corp.modify("CN=club,CN=Users", add_values("member", corp.dn(ANN)))
    corp.modify(ANN, replace_values("primaryGroupID", str(corp.sid(group).rid())))
    assert refusal(lambda: remove(corp, "CN=club,CN=Users"))[1] is Win32.ERROR_MEMBERS_PRIMARY_GROUP


def test_a_tombstone_is_not_deleted_again(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    box = corp.add("CN=box,CN=Users", "container")
    user = corp.user("ann")
    guid = str(UUID(bytes_le=corp.row(box).guid))
    remove(corp, "CN=box,CN=Users")
    remove(corp, ANN)
    assert refusal(lambda: remove(corp, f"<GUID={guid}>", SHOWN))[1] is Win32.ERROR_DS_CANT_DELETE
    guid = str(UUID(bytes_le=corp.row(user).guid))
    assert refusal(lambda: remove(corp, f"<GUID={guid}>", SHOWN))[1] is Win32.ERROR_DS_OBJ_NOT_FOUND
    refused = refusal(lambda: corp.modify(f"<GUID={guid}>", replace_values("description", "x")))
    assert refused[1] is Win32.ERROR_DS_OBJ_NOT_FOUND
    refused = refusal(
        lambda: corp.modify(f"<GUID={guid}>", replace_values("description", "x"), options=SHOWN)
    )
    assert refused[1] is Win32.ERROR_DS_ILLEGAL_MOD_OPERATION


def test_deleting_takes_a_right(corp: Corp, ann: Dnt) -> None:
    corp.user("joe")
    joe = corp.token("joe")
    refused = refusal(lambda: remove(corp, ANN, requester=joe))
    assert refused[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    grant(corp, ANN, "joe", AccessMask.RIGHT_DELETE)
    remove(corp, ANN, requester=joe)


def test_delete_child_on_the_parent_does_as_well(corp: Corp) -> None:
    corp.user("joe")
    corp.add("OU=a", "organizationalUnit")
    corp.add("CN=x,OU=a", "user", sAMAccountName="x")
    grant(corp, "OU=a", "joe", AccessMask.RIGHT_DS_DELETE_CHILD)
    remove(corp, "CN=x,OU=a", requester=corp.token("joe"))


def test_deleting_a_tree_takes_a_right_of_its_own(corp: Corp) -> None:
    corp.user("joe")
    corp.add("OU=a", "organizationalUnit")
    corp.add("OU=b,OU=a", "organizationalUnit")
    joe = corp.token("joe")
    grant(corp, "OU=a", "joe", AccessMask.RIGHT_DELETE)
    refused = refusal(lambda: remove(corp, "OU=a", TREE, joe))
    assert refused[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    grant(corp, "OU=a", "joe", AccessMask.RIGHT_DS_DELETE_TREE)
    assert remove(corp, "OU=a", TREE, joe) == 2


def test_what_is_deleted_refers_to_nobody_and_is_no_target(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.user("ann")
    guid = str(UUID(bytes_le=corp.row(ANN).guid))
    remove(corp, ANN)
    refused = refusal(lambda: corp.modify("CN=Guest,CN=Users", replace_values("manager", f"<GUID={guid}>")))
    assert refused[1] is Win32.ERROR_DS_OBJ_NOT_FOUND


def test_tombstones_that_stayed_do_not_hold_their_parent(corp: Corp) -> None:
    sites = f"CN=Sites,{CONFIG_DN}"
    corp.add(f"CN=Berlin,{sites}", "site")
    servers = corp.add(f"CN=Servers,CN=Berlin,{sites}", "serversContainer")
    remove(corp, f"CN=Servers,CN=Berlin,{sites}")
    row = corp.row(servers)
    assert row.state is ObjectState.DELETED and row.parent == corp.row(f"CN=Berlin,{sites}").dnt
    remove(corp, f"CN=Berlin,{sites}")
