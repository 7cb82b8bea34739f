"""Modify DN: names, moves, rights, flags."""

import pytest

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import names, rights
from addc.directory.rename import rename_object
from addc.schema import attr
from addc.security.access_mask import AccessMask
from addc.security.descriptor import ACCESS_ALLOWED, Ace, Acl, SecurityDescriptor
from addc.security.token import SYSTEM, Token
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.refusals import refusal

CONFIG_DN = f"CN=Configuration,{DOMAIN_DN}"


def rename(corp: Corp, dn: str, rdn: str, superior: str | None = None, requester: Token | None = None) -> Dnt:
    above = None if superior is None else corp.dn(superior)
    return corp.write(lambda ctx: rename_object(ctx, corp.dn(dn), rdn, True, above), requester or corp.admin)


def grant(corp: Corp, dn: str, name: str, mask: AccessMask) -> None:
    row = corp.row(dn)
    sd = corp.read(lambda ctx: rights.descriptor(ctx, row))
    assert sd.dacl is not None
    ace = Ace(ACCESS_ALLOWED, 0, int(mask), corp.token(name).user)
    dacl = Acl(4, (ace, *sd.dacl.aces))
    changed = SecurityDescriptor(sd.control, sd.owner, sd.group, sd.sacl, dacl)
    corp.modify(dn, replace_values("nTSecurityDescriptor", changed.pack()), requester=SYSTEM)


def test_a_rename_changes_name_and_naming_attribute(corp: Corp) -> None:
    dnt = corp.user("ann")
    before = corp.row(dnt)
    corp.later(3)
    assert rename(corp, "CN=ann,CN=Users", "CN=Ann Smith") == dnt
    row = corp.row("CN=ann smith,CN=Users")
    assert row.dnt == dnt and row.rdn == "Ann Smith"
    assert row.meta[attr.NAME].version == row.meta[attr.CN].version == 2
    assert row.usn_changed > before.usn_changed
    assert corp.text(dnt, "whenChanged") == "20250818141323.0Z"
    assert corp.text(dnt, "sAMAccountName") == "ann"
    found = corp.read(lambda ctx: [ctx.tx.index_eq(attr.CN, key) for key in (b"ann", b"ann smith")])
    assert found == [[], [dnt]]
    with pytest.raises(DsError):
        corp.row("CN=ann,CN=Users")


def test_only_the_case_may_change(corp: Corp) -> None:
    dnt = corp.user("ann")
    rename(corp, "CN=ann,CN=Users", "CN=ANN")
    assert corp.row(dnt).rdn == "ANN"


def test_a_subtree_moves_whole(corp: Corp) -> None:
    for dn in ("OU=a", "OU=b", "OU=x,OU=a", "OU=y,OU=x,OU=a"):
        corp.add(dn, "organizationalUnit")
    leaf = corp.add("CN=leaf,OU=y,OU=x,OU=a", "user", sAMAccountName="leaf")
    before = corp.row(leaf)
    rename(corp, "OU=x,OU=a", "OU=x", "OU=b")
    after = corp.row("CN=leaf,OU=y,OU=x,OU=b")
    assert after.dnt == leaf and after.usn_changed == before.usn_changed
    assert corp.read(lambda ctx: names.dn_of(ctx, leaf)) == f"CN=leaf,OU=y,OU=x,OU=b,{DOMAIN_DN}"
    moved = corp.row("OU=x,OU=b")
    assert moved.meta[attr.NAME].version == 2 and moved.meta[attr.OU].version == 1
    assert after.path.startswith(moved.path)


def test_references_follow(corp: Corp) -> None:
    corp.user("boss")
    dnt = corp.user("ann", manager=corp.dn("CN=boss,CN=Users"))
    rename(corp, "CN=boss,CN=Users", "CN=chief")
    assert corp.text(dnt, "manager") == corp.dn("CN=chief,CN=Users")


def test_inherited_rights_change_with_the_place(corp: Corp) -> None:
    corp.add("OU=open", "organizationalUnit")
    corp.user("joe")
    row = corp.row("OU=open")
    sd = corp.read(lambda ctx: rights.descriptor(ctx, row))
    assert sd.dacl is not None
    sid = corp.token("joe").user
    dacl = Acl(4, (Ace(ACCESS_ALLOWED, 0x2, 0x20, sid), *sd.dacl.aces))
    changed = SecurityDescriptor(sd.control, sd.owner, sd.group, sd.sacl, dacl)
    corp.modify("OU=open", replace_values("nTSecurityDescriptor", changed.pack()))
    corp.add("OU=box", "organizationalUnit")
    leaf = corp.add("CN=leaf,OU=box", "user", sAMAccountName="leaf")
    rename(corp, "OU=box", "OU=box", "OU=open")
    leaf_row = corp.row(leaf)
    moved = corp.read(lambda ctx: rights.descriptor(ctx, leaf_row)).dacl
    assert moved is not None and any(ace.sid == sid for ace in moved.aces)
    rename(corp, "OU=box,OU=open", "OU=box", "")
    leaf_row = corp.row(leaf)
    back = corp.read(lambda ctx: rights.descriptor(ctx, leaf_row)).dacl
    assert back is not None and not any(ace.sid == sid for ace in back.aces)


def test_refusals_are_exact(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.add("OU=a", "organizationalUnit")
    corp.add("OU=b,OU=a", "organizationalUnit")
    corp.user("ann")
    corp.user("bob")
    assert refusal(lambda: rename(corp, "CN=ann,CN=Users", "CN=bob")) == (
        LdapResult.ENTRY_ALREADY_EXISTS,
        Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS,
    )
    assert refusal(lambda: rename(corp, "CN=nobody,CN=Users", "CN=x"))[1] is Win32.ERROR_DS_OBJ_NOT_FOUND
    assert refusal(lambda: rename(corp, "CN=ann,CN=Users", "CN=ann", "OU=nowhere")) == (
        LdapResult.OTHER,
        Win32.ERROR_DS_NO_PARENT_OBJECT,
    )
    assert refusal(lambda: rename(corp, "OU=a", "OU=a", "OU=b,OU=a")) == (
        LdapResult.UNWILLING_TO_PERFORM,
        Win32.ERROR_DS_ILLEGAL_MOD_OPERATION,
    )
    assert refusal(lambda: rename(corp, "CN=ann,CN=Users", "OU=ann")) == (
        LdapResult.UNWILLING_TO_PERFORM,
        Win32.ERROR_DS_RDN_DOESNT_MATCH_SCHEMA,
    )
    for name in ("CN=ann,CN=Users", ""):
        assert refusal(lambda name=name: rename(corp, name, "CN=a,CN=b")) == (  # type: ignore[misc]
            LdapResult.NAMING_VIOLATION,
            Win32.ERROR_INVALID_PARAMETER,
        )
        assert refusal(lambda name=name: rename(corp, name, ""))[0] is LdapResult.PROTOCOL_ERROR  # type: ignore[misc]
    assert refusal(lambda: rename(corp, "", "DC=other"))[1] is Win32.ERROR_DS_NO_PARENT_OBJECT
    config = refusal(lambda: rename(corp, "CN=Configuration", "CN=other"))
    assert config[1] is Win32.ERROR_DS_MODIFYDN_DISALLOWED_BY_INSTANCE_TYPE
    assert refusal(lambda: rename(corp, "CN=ann,CN=Users", "CN=ann", CONFIG_DN)) == (
        LdapResult.NAMING_VIOLATION,
        Win32.ERROR_DS_ILLEGAL_SUPERIOR,
    )
    corp.add("CN=box,CN=Users", "container")
    assert refusal(lambda: rename(corp, "CN=box,CN=Users", "CN=box", CONFIG_DN)) == (
        LdapResult.UNWILLING_TO_PERFORM,
        Win32.ERROR_DS_ILLEGAL_MOD_OPERATION,
    )
    assert refusal(lambda: rename(corp, "OU=b,OU=a", "OU=b", "CN=Users")) == (
        LdapResult.NAMING_VIOLATION,
        Win32.ERROR_DS_ILLEGAL_SUPERIOR,
    )
    assert refusal(lambda: rename(corp, "CN=ann,CN=Users", "CN=ann", "CN=System")) == (
        LdapResult.OTHER,
        Win32.ERROR_DS_DISALLOWED_IN_SYSTEM_CONTAINER,
    )


def test_deleteoldrdn_must_be_true(corp_sqlite: Corp) -> None:
    corp_sqlite.user("ann")
    dn = corp_sqlite.dn("CN=ann,CN=Users")
    refused = refusal(
        lambda: corp_sqlite.write(lambda ctx: rename_object(ctx, dn, "CN=x", False), corp_sqlite.admin)
    )
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_INVALID_PARAMETER)


def test_system_flags_hold_objects_in_place(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    for dn, rdn, superior in (
        ("CN=Users", "CN=People", None),
        ("OU=Domain Controllers", "OU=Domain Controllers", "OU=elsewhere"),
        (f"CN=Services,{CONFIG_DN}", "CN=Other", None),
    ):
        if superior:
            corp.add(superior, "organizationalUnit")
        refused = refusal(lambda dn=dn, rdn=rdn, superior=superior: rename(corp, dn, rdn, superior))  # type: ignore[misc]
        assert refused == (
            LdapResult.UNWILLING_TO_PERFORM,
            Win32.ERROR_DS_MODIFYDN_DISALLOWED_BY_FLAG,
        ), dn


def test_a_site_may_be_renamed(corp_sqlite: Corp) -> None:
    sites = f"CN=Sites,{CONFIG_DN}"
    rename(corp_sqlite, f"CN=Default-First-Site-Name,{sites}", "CN=Berlin")
    assert corp_sqlite.row(f"CN=Berlin,{sites}").rdn == "Berlin"


def test_a_rename_takes_the_right_to_write_the_name(corp: Corp) -> None:
    corp.user("joe")
    corp.user("ann")
    joe = corp.token("joe")
    refused = refusal(lambda: rename(corp, "CN=ann,CN=Users", "CN=anna", requester=joe))
    assert refused[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    grant(corp, "CN=ann,CN=Users", "joe", AccessMask.RIGHT_DS_WRITE_PROPERTY)
    rename(corp, "CN=ann,CN=Users", "CN=anna", requester=joe)


def test_a_move_takes_delete_here_and_create_there(corp: Corp) -> None:
    corp.user("joe")
    corp.user("ann")
    corp.add("OU=there", "organizationalUnit")
    joe, dn = corp.token("joe"), "CN=ann,CN=Users"
    grant(corp, dn, "joe", AccessMask.RIGHT_DS_WRITE_PROPERTY)

    def denied() -> bool:
        refused = refusal(lambda: rename(corp, dn, "CN=ann", "OU=there", joe))
        return refused[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS

    assert denied()
    grant(corp, "OU=there", "joe", AccessMask.RIGHT_DS_CREATE_CHILD)
    assert denied()
    grant(corp, dn, "joe", AccessMask.RIGHT_DELETE)
    rename(corp, dn, "CN=ann", "OU=there", joe)
    assert corp.row("CN=ann,OU=there").rdn == "ann"
