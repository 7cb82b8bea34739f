"""Trees are no deeper than names can be: what lies deeper could not be shown, nor named.

Spec: [MS-ADTS] 3.1.1.1.5 (names), RFC 4514 3.
"""

from uuid import UUID

import pytest

from addc.base.ids import Dnt
from addc.base.limits import DN_LENGTH_MAX, DN_RDNS_MAX
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import names
from addc.directory.add import add_object
from addc.directory.context import WriteContext
from addc.directory.rename import rename_object
from addc.directory.search import SUBTREE, SearchRequest, search
from tests.kit.corp import Corp
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.refusals import refusal

TOO_DEEP = (LdapResult.NAMING_VIOLATION, Win32.ERROR_DS_NAME_TOO_MANY_PARTS)
_DOMAIN_RDNS = 3


def nest(corp: Corp, name: str, levels: int) -> Dnt:
    """OUs below one another; the lowest."""

    def work(ctx: WriteContext) -> Dnt:
        dn, dnt = DOMAIN_DN, Dnt(0)
        for _ in range(levels):
            dn = f"OU={name},{dn}"
            dnt = add_object(ctx, dn, [("objectClass", [b"organizationalUnit"])])
        return dnt

    return corp.write(work, corp.admin)


def by_guid(corp: Corp, dnt: Dnt) -> str:
    return f"<GUID={UUID(bytes_le=corp.row(dnt).guid)}>"


def test_nothing_is_added_below_the_deepest_name(corp_sqlite: Corp) -> None:
    lowest = nest(corp_sqlite, "a", DN_RDNS_MAX - _DOMAIN_RDNS)
    below = f"OU=b,{by_guid(corp_sqlite, lowest)}"
    refused = refusal(lambda: corp_sqlite.add(below, "organizationalUnit"))
    assert refused[1] == Win32.ERROR_DS_INVALID_DN_SYNTAX


@pytest.mark.parametrize("levels", [100, 101])
def test_no_tree_is_moved_where_its_leaves_would_be_too_deep(corp_sqlite: Corp, levels: int) -> None:
    lowest = nest(corp_sqlite, "a", DN_RDNS_MAX - _DOMAIN_RDNS - 100)
    nest(corp_sqlite, "b", levels)
    there = by_guid(corp_sqlite, lowest)

    def move(ctx: WriteContext) -> None:
        rename_object(ctx, f"OU=b,{DOMAIN_DN}", "OU=b", new_superior=there)

    if levels == 100:
        corp_sqlite.write(move, corp_sqlite.admin)
    else:
        assert refusal(lambda: corp_sqlite.write(move, corp_sqlite.admin)) == TOO_DEEP


def test_names_longer_than_requests_can_say_are_shown(corp_sqlite: Corp) -> None:
    """A move makes the names below it long; whoever reads them all must not fail on one."""
    part, other = "n" * 60, "m" * 60
    there = by_guid(corp_sqlite, nest(corp_sqlite, part, 100))
    nest(corp_sqlite, other, 100)
    corp_sqlite.write(
        lambda ctx: rename_object(ctx, f"OU={other},{DOMAIN_DN}", f"OU={other}", new_superior=there),
        corp_sqlite.admin,
    )
    request = SearchRequest(DOMAIN_DN, SUBTREE, attributes=("canonicalName",))
    found = corp_sqlite.read(lambda ctx: search(ctx, request), corp_sqlite.admin).entries
    longest = max(found, key=lambda one: len(one.dn))
    assert len(longest.dn) > DN_LENGTH_MAX
    assert longest.attributes[0][1] == [f"corp.example.com/{'/'.join([part] * 100 + [other] * 100)}".encode()]


def test_a_dn_taken_apart_is_the_dn(corp_sqlite: Corp) -> None:
    row = corp_sqlite.row("CN=Administrator,CN=Users")
    assert (
        str(corp_sqlite.read(lambda ctx: names.parsed_dn(ctx, row)))
        == f"CN=Administrator,CN=Users,{DOMAIN_DN}"
    )
