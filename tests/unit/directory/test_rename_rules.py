"""Modify DN: names that are none, objects that stay, other domains."""

import pytest

from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import rights
from addc.directory.controls import RequestOptions
from addc.directory.rename import rename_object
from addc.security.descriptor import Control, SecurityDescriptor
from addc.security.sd_create import SECURITY_PRIVATE_OBJECT
from addc.security.token import SYSTEM, Token
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.refusals import refusal

ASKING = RequestOptions(crossdom_target="")
MOVING = RequestOptions(crossdom_target="dc2.other.example.com")
BOX = "CN=box,CN=Users"


def rename(
    corp: Corp,
    dn: str,
    rdn: str,
    superior: str | None = None,
    options: RequestOptions = ASKING,
    requester: Token | None = None,
) -> Dnt:
    return corp.write(
        lambda ctx: rename_object(ctx, corp.dn(dn) if dn else "", rdn, True, superior, options=options),
        requester or corp.admin,
    )


def plainly(corp: Corp, dn: str, rdn: str, superior: str | None = None) -> Dnt:
    return rename(corp, dn, rdn, superior, RequestOptions())


def test_an_empty_value_is_a_naming_violation_and_an_empty_name_a_protocol_error(corp_sqlite: Corp) -> None:
    """3.1.1.5.4.1, 3.1.1.5.1.2."""
    corp_sqlite.add(BOX, "container")
    refused = refusal(lambda: plainly(corp_sqlite, BOX, "CN="))
    assert refused == (LdapResult.NAMING_VIOLATION, Win32.ERROR_DS_NAMING_VIOLATION)
    refused = refusal(lambda: plainly(corp_sqlite, BOX, ""))
    assert refused == (LdapResult.PROTOCOL_ERROR, Win32.ERROR_INVALID_PARAMETER)
    assert refusal(lambda: plainly(corp_sqlite, BOX, "=x"))[1] is Win32.ERROR_DS_INVALID_DN_SYNTAX
    assert refusal(lambda: plainly(corp_sqlite, "", "CN=x"))[1] is Win32.ERROR_DS_OBJ_NOT_FOUND


@pytest.mark.parametrize(
    ("rdn", "result"),
    [
        ("CN=a\\0Ab", LdapResult.NAMING_VIOLATION),
        ("CN=a\\00b", LdapResult.INVALID_DN_SYNTAX),
        ("CN=" + "x" * 255, LdapResult.NAMING_VIOLATION),
        ("CN=" + "x" * 65, LdapResult.CONSTRAINT_VIOLATION),
        ("CN=a+OU=b", None),
    ],
)
def test_new_names_keep_the_naming_constraints(
    corp_sqlite: Corp, rdn: str, result: LdapResult | None
) -> None:
    """3.1.1.5.1.2: no line feed, no NUL, less than 255 characters; 3.1.1.2.3: the range of the attribute."""
    corp_sqlite.add(BOX, "container")
    assert refusal(lambda: plainly(corp_sqlite, BOX, rdn))[0] is result


def test_the_schema_speaks_before_the_place(corp_sqlite: Corp) -> None:
    """3.1.1.5.4.1: a user cannot be below a user, the same one or another."""
    corp_sqlite.user("ann")
    refused = refusal(lambda: plainly(corp_sqlite, "CN=ann,CN=Users", "CN=x", f"CN=ann,CN=Users,{DOMAIN_DN}"))
    assert refused == (LdapResult.NAMING_VIOLATION, Win32.ERROR_DS_ILLEGAL_SUPERIOR)


def test_nothing_moves_to_deleted_objects(corp_sqlite: Corp) -> None:
    """3.1.1.5.4.1: the container is deleted itself, so it is no parent."""
    corp_sqlite.add(BOX, "container")
    refused = refusal(lambda: plainly(corp_sqlite, BOX, "CN=box", f"CN=Deleted Objects,{DOMAIN_DN}"))
    assert refused == (LdapResult.OTHER, Win32.ERROR_DS_NO_PARENT_OBJECT)


def test_the_new_parent_may_be_named_in_other_forms(corp_sqlite: Corp) -> None:
    """3.1.1.3.1.2.4."""
    dnt = corp_sqlite.add(BOX, "container")
    corp_sqlite.add("OU=staff", "organizationalUnit")
    guid = corp_sqlite.row("OU=staff").guid.hex()
    plainly(corp_sqlite, BOX, "CN=box", f"<GUID={guid}>")
    assert corp_sqlite.row("CN=box,OU=staff").dnt == dnt
    users = f"<WKGUID=a9d1ca15768811d1aded00c04fd8d5cd,{DOMAIN_DN}>"
    plainly(corp_sqlite, "CN=box,OU=staff", "CN=box", users)
    assert corp_sqlite.row(BOX).dnt == dnt


def test_private_objects_are_renamed_by_their_owner(corp_sqlite: Corp) -> None:
    """3.1.1.5.4.1: SECURITY_PRIVATE_OBJECT in the configuration."""
    corp = corp_sqlite
    dn = f"CN=quiet,CN=Sites,{CONFIG_DN}"
    corp.add(dn, "site")
    plainly(corp, dn, "CN=quieter")
    dn = f"CN=quieter,CN=Sites,{CONFIG_DN}"
    row = corp.row(dn)
    sd = corp.read(lambda ctx: rights.descriptor(ctx, row))
    owner = corp.sid("CN=krbtgt,CN=Users")
    control = sd.control | int(Control.RM)
    private = SecurityDescriptor(control, owner, sd.group, sd.sacl, sd.dacl, SECURITY_PRIVATE_OBJECT)
    corp.modify(dn, replace_values("nTSecurityDescriptor", private.pack()), requester=SYSTEM)
    assert refusal(lambda: plainly(corp, dn, "CN=loud"))[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS


# --- 3.1.1.5.4.2: to another domain ------------------------------------------------------------------------


def test_a_move_within_the_domain_is_none_between_domains(corp_sqlite: Corp) -> None:
    corp_sqlite.add(BOX, "container")
    refused = refusal(lambda: rename(corp_sqlite, BOX, "CN=box", f"CN=Users,{DOMAIN_DN}"))
    assert refused == (LdapResult.INVALID_DN_SYNTAX, Win32.ERROR_DS_SRC_AND_DST_NC_IDENTICAL)
    assert corp_sqlite.row(BOX)


@pytest.mark.parametrize("superior", ["DC=elsewhere,DC=test", CONFIG_DN])
def test_both_ends_are_domains_of_the_forest(corp_sqlite: Corp, superior: str) -> None:
    corp_sqlite.add(BOX, "container")
    refused = refusal(lambda: rename(corp_sqlite, BOX, "CN=box", superior))
    assert refused == (LdapResult.NO_SUCH_OBJECT, Win32.ERROR_DS_CANT_FIND_EXPECTED_NC)


def test_a_move_needs_names(corp_sqlite: Corp) -> None:
    corp_sqlite.add(BOX, "container")
    refused = refusal(lambda: rename(corp_sqlite, BOX, "CN=box"))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_ILLEGAL_XDOM_MOVE_OPERATION)
    assert refusal(lambda: rename(corp_sqlite, BOX, "", DOMAIN_DN))[0] is LdapResult.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("dn", "code"),
    [
        ("CN=Users", Win32.ERROR_DS_CANT_DELETE),
        ("CN=Guest,CN=Users", Win32.ERROR_DS_ILLEGAL_MOD_OPERATION),
        ("CN=RID Manager$,CN=System", Win32.ERROR_DS_CANT_DELETE),
        ("CN=DC1,OU=Domain Controllers", Win32.ERROR_DS_ILLEGAL_MOD_OPERATION),
        (f"CN=Default-First-Site-Name,CN=Sites,{CONFIG_DN}", Win32.ERROR_DS_ILLEGAL_XDOM_MOVE_OPERATION),
    ],
)
def test_what_belongs_to_its_domain_stays(corp_sqlite: Corp, dn: str, code: Win32) -> None:
    refused = refusal(lambda: rename(corp_sqlite, dn, "CN=x", "DC=elsewhere,DC=test"))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, code)


def test_groups_with_members_and_members_of_global_groups_stay(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.user("ann")
    corp.group("team")
    corp.modify("CN=team,CN=Users", add_values("member", f"CN=ann,CN=Users,{DOMAIN_DN}"))
    refused = refusal(lambda: rename(corp, "CN=team,CN=Users", "CN=team", "DC=elsewhere,DC=test"))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_CANT_MOVE_ACCOUNT_GROUP)
    refused = refusal(lambda: rename(corp, "CN=ann,CN=Users", "CN=ann", "DC=elsewhere,DC=test"))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_CANT_WITH_ACCT_GROUP_MEMBERSHPS)


def test_a_move_takes_the_right_to_delete(corp_sqlite: Corp) -> None:
    corp_sqlite.user("ann")
    corp_sqlite.add(BOX, "container")
    token = corp_sqlite.token("ann")
    refused = refusal(lambda: rename(corp_sqlite, BOX, "CN=box", "DC=elsewhere,DC=test", MOVING, token))
    assert refused[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS


@pytest.mark.parametrize(
    ("dn", "kind", "rdn"),
    [
        (f"CN=192.0.2.0/24,CN=Subnets,CN=Sites,{CONFIG_DN}", "subnet", "CN=office"),
        (f"CN=here,CN=Sites,{CONFIG_DN}", "site", "CN=not a label"),
    ],
)
def test_sites_and_subnets_keep_names_of_their_kind(corp_sqlite: Corp, dn: str, kind: str, rdn: str) -> None:
    """3.1.1.5.2.2 holds for new names too."""
    corp_sqlite.add(dn, kind)
    refused = refusal(lambda: plainly(corp_sqlite, dn, rdn))
    assert refused == (LdapResult.INVALID_DN_SYNTAX, Win32.ERROR_DS_BAD_NAME_SYNTAX)
