"""Tokens are made anew when memberships change, and kept when something else does."""

from collections.abc import Callable

import pytest

from addc.directory import delete, groups
from addc.directory.context import ReadContext
from addc.directory.modify import Change
from addc.security.token import SYSTEM, Token
from tests.kit.corp import Corp, add_values, delete_values, replace_values

ANN = "CN=ann,CN=Users"
INNER, OUTER = "CN=inner,CN=Users", "CN=outer,CN=Users"


@pytest.fixture
def ann(corp_sqlite: Corp) -> Corp:
    """Ann in the group inner, which is not in outer yet."""
    corp_sqlite.user("ann")
    for name in ("inner", "outer"):
        corp_sqlite.group(name)
    corp_sqlite.modify(INNER, add_values("member", corp_sqlite.dn(ANN)))
    return corp_sqlite


def token(corp: Corp) -> Token:
    return corp.token("ann")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (OUTER, add_values("member", f"{INNER},DC=corp,DC=example,DC=com")),
        (INNER, delete_values("member", f"{ANN},DC=corp,DC=example,DC=com")),
        (INNER, replace_values("groupType", "2")),
        (ANN, replace_values("sIDHistory", bytes.fromhex("010100000000000501000000"))),
        (ANN, replace_values("userAccountControl", "8194")),
    ],
    ids=["nested", "removed", "no longer secure", "history", "became a domain controller"],
)
def test_what_a_token_is_made_of_changes_it(ann: Corp, name: str, change: Change) -> None:
    before = token(ann)
    ann.modify(name, change, requester=SYSTEM)
    assert token(ann) != before


def test_a_deleted_group_is_in_no_token(ann: Corp) -> None:
    sid = ann.sid(INNER)
    assert sid in token(ann).sids
    ann.write(lambda ctx: delete.delete_object(ctx, ann.dn(INNER)), ann.admin)
    assert sid not in token(ann).sids


def test_a_new_primary_group_changes_the_token(ann: Corp) -> None:
    before = token(ann).primary_group
    ann.modify(ANN, replace_values("primaryGroupID", str(ann.sid(INNER).rid())))
    assert token(ann).primary_group == ann.sid(INNER) != before


def test_other_changes_leave_tokens_as_they_are(ann: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
    before, _ = token(ann), ann.admin
    walks: list[int] = []
    closure: Callable[..., object] = groups.closure

    def counted(ctx: ReadContext, start: object) -> object:
        walks.append(1)
        return closure(ctx, start)

    monkeypatch.setattr(groups, "closure", counted)
    ann.modify(ANN, replace_values("description", "x"))
    ann.user("bob")
    ann.modify(OUTER, replace_values("info", "x"))
    assert token(ann) == before
    assert not walks


def test_a_change_that_failed_leaves_the_token_true(ann: Corp) -> None:
    before = token(ann)

    def fail() -> None:
        ann.modify(OUTER, add_values("member", ann.dn(INNER)), add_values("sAMAccountName", "twice"))

    with pytest.raises(Exception, match="one value"):
        fail()
    assert token(ann) == before
