"""Which objects exist for whom: list contents, list object mode, naming context roots."""

import pytest

from addc.base.errors import DsError
from addc.codec.filter import parse_text
from addc.codes.win32 import Win32
from addc.directory.search import BASE, ONE_LEVEL, SUBTREE, SearchRequest, search
from addc.schema import attr
from addc.security.token import SYSTEM, Token
from tests.kit.forest import CONFIG_DN, DOMAIN_DN, USERS_DN, ForestBuilder, KitForest

HIDDEN_OU = f"OU=hidden,{DOMAIN_DN}"
INSIDE = f"CN=inside,{HIDDEN_OU}"
DEEPER = f"CN=deeper,{INSIDE}"


@pytest.fixture
def alice(sqlite_forest: KitForest) -> Token:
    return sqlite_forest.token(f"CN=alice,{USERS_DN}")


def _hide(b: ForestBuilder, ou_acl: str = "D:(A;;RP;;;AU)", inside_acl: str = "D:(A;;RPLC;;;AU)") -> None:
    b.add(HIDDEN_OU, "organizationalUnit", acl=ou_acl)
    b.add(INSIDE, "container", acl=inside_acl)
    b.add(DEEPER, "container")


def found(forest: KitForest, who: Token, base: str, scope: int) -> list[str]:
    request = SearchRequest(base, scope, parse_text("(objectClass=*)"), ("1.1",))
    entries = forest.read(lambda ctx: search(ctx, request), who).entries
    return sorted(entry.dn.decode().partition(",")[0] for entry in entries)


def test_without_list_contents_children_do_not_exist(sqlite_forest: KitForest, alice: Token) -> None:
    sqlite_forest.build(_hide)
    assert found(sqlite_forest, SYSTEM, HIDDEN_OU, ONE_LEVEL) == ["CN=inside"]
    assert found(sqlite_forest, alice, HIDDEN_OU, BASE) == ["OU=hidden"]
    assert found(sqlite_forest, alice, HIDDEN_OU, ONE_LEVEL) == []
    assert "CN=inside" not in found(sqlite_forest, alice, DOMAIN_DN, SUBTREE)


def test_a_hidden_object_and_a_missing_one_look_alike(sqlite_forest: KitForest, alice: Token) -> None:
    sqlite_forest.build(_hide)
    errors = []
    for name in (INSIDE, f"CN=missing,{HIDDEN_OU}", f"CN=x,{INSIDE}", f"CN=x,CN=missing,{HIDDEN_OU}"):
        with pytest.raises(DsError) as caught:
            found(sqlite_forest, alice, name, BASE)
        errors.append((caught.value.code, caught.value.detail, caught.value.matched_dn))
    assert set(errors) == {(Win32.ERROR_DS_OBJ_NOT_FOUND, "NO_OBJECT", HIDDEN_OU)}


def test_hidden_by_guid_as_well(sqlite_forest: KitForest, alice: Token) -> None:
    sqlite_forest.build(_hide)
    guid = sqlite_forest.row(INSIDE).guid.hex()
    with pytest.raises(DsError) as caught:
        found(sqlite_forest, alice, f"<GUID={guid}>", BASE)
    assert (caught.value.code, caught.value.matched_dn) == (Win32.ERROR_DS_OBJ_NOT_FOUND, "")


def test_only_the_parent_counts(sqlite_forest: KitForest, alice: Token) -> None:
    """A readable container below a closed one shows its own children (5.1.3.3.6 asks the parent alone)."""
    sqlite_forest.build(_hide)
    assert found(sqlite_forest, alice, DEEPER, BASE) == ["CN=deeper"]


def _list_object_mode(b: ForestBuilder) -> None:
    row = b.tx.get(b.row(f"CN=Directory Service,CN=Windows NT,CN=Services,{CONFIG_DN}"))
    assert row is not None
    b.tx.update(row, attrs={**row.attrs, attr.DS_HEURISTICS: (b"001",)})


def test_list_object_counts_only_in_its_mode(sqlite_forest: KitForest, alice: Token) -> None:
    sqlite_forest.build(lambda b: _hide(b, "D:(A;;RPLO;;;AU)", "D:(A;;RPLO;;;AU)"))
    assert found(sqlite_forest, alice, HIDDEN_OU, ONE_LEVEL) == []
    sqlite_forest.build(_list_object_mode)
    assert found(sqlite_forest, alice, HIDDEN_OU, ONE_LEVEL) == ["CN=inside"]


@pytest.mark.parametrize(
    ("ou_acl", "inside_acl"), [("D:(A;;RPLO;;;AU)", "D:(A;;RP;;;AU)"), ("D:(A;;RP;;;AU)", "D:(A;;RPLO;;;AU)")]
)
def test_list_object_is_wanted_on_both(
    sqlite_forest: KitForest, alice: Token, ou_acl: str, inside_acl: str
) -> None:
    sqlite_forest.build(lambda b: _hide(b, ou_acl, inside_acl))
    sqlite_forest.build(_list_object_mode)
    assert found(sqlite_forest, alice, HIDDEN_OU, ONE_LEVEL) == []


def test_the_root_of_a_naming_context_is_always_there(sqlite_forest: KitForest, alice: Token) -> None:
    assert found(sqlite_forest, alice, CONFIG_DN, BASE) == ["CN=Configuration"]


@pytest.mark.parametrize("scope", [ONE_LEVEL, SUBTREE])
def test_below_a_hidden_base_is_found_what_can_be_seen(
    sqlite_forest: KitForest, alice: Token, scope: int
) -> None:
    """A base that cannot be seen is none only where nothing below it can be seen either."""
    sqlite_forest.build(_hide)
    assert found(sqlite_forest, alice, INSIDE, scope) == ["CN=deeper"]
    sqlite_forest.build(lambda b: b.add(f"CN=shut,{HIDDEN_OU}", "container", acl="D:(A;;RP;;;AU)"))
    sqlite_forest.build(lambda b: b.add(f"CN=unseen,CN=shut,{HIDDEN_OU}", "container"))
    for name in ("shut", "missing"):
        with pytest.raises(DsError) as caught:
            found(sqlite_forest, alice, f"CN={name},{HIDDEN_OU}", scope)
        assert (caught.value.code, caught.value.matched_dn) == (Win32.ERROR_DS_OBJ_NOT_FOUND, HIDDEN_OU)
