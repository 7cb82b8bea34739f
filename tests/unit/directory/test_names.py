"""DN text to rows and back, references, alternative names, and caches that follow renames."""

from uuid import UUID

import pytest

from addc.base.errors import DsError
from addc.codec.dn import Dn, _kept
from addc.codec.dn import WkGuidName as _WkGuidName
from addc.codes.win32 import Win32
from addc.directory import names
from addc.directory.context import Home, ReadContext, Shared, WriteContext
from addc.schema import attr
from addc.security.token import SYSTEM
from addc.store.objects import ObjectState
from tests.kit.forest import DOMAIN_DN, DOMAIN_SID, NOW, USERS_DN, ForestBuilder, KitForest

COMPUTERS_GUID = UUID("a9d1ca15-7688-11d1-aded-00c04fd8d5cd")


def _resolve(forest: KitForest, name: str, *, deleted: bool = False) -> int:
    return forest.read(lambda ctx: names.resolve(ctx, name, deleted=deleted).dnt)


@pytest.mark.parametrize(
    "name",
    [
        f"CN=alice,{USERS_DN}",
        "cn=ALICE,cn=users,dc=EXAMPLE,dc=com",
        f" CN = alice , {USERS_DN}",
        f"<SID={DOMAIN_SID.child(1101)}>",
        f"<SID={DOMAIN_SID.child(1101).hex()}>",
    ],
)
def test_every_spelling_leads_to_the_object(forest: KitForest, name: str) -> None:
    assert _resolve(forest, name) == forest.rows[f"cn=alice,{USERS_DN}".lower()]
    assert _resolve(forest, name) == forest.rows[f"cn=alice,{USERS_DN}".lower()], "from the cache too"


def test_guid_names_in_both_forms(forest: KitForest) -> None:
    row = forest.row(f"CN=bob,{USERS_DN}")
    dashed = UUID(bytes_le=row.guid)
    assert _resolve(forest, f"<GUID={dashed}>") == row.dnt
    assert _resolve(forest, f"<GUID={row.guid.hex()}>") == row.dnt


def test_well_known_guid_leads_where_the_domain_says(forest: KitForest) -> None:
    def work(b: ForestBuilder) -> None:
        place = b.add(f"CN=Computers,{DOMAIN_DN}", "container")
        domain = b.tx.get(b.row(DOMAIN_DN))
        assert domain is not None
        value = names.reference(place, COMPUTERS_GUID.bytes_le)
        b.tx.update(domain, attrs={**domain.attrs, attr.WELL_KNOWN_OBJECTS: (value,)})

    forest.build(work)
    name = f"<WKGUID=15cad1a98876d111aded00c04fd8d5cd,{DOMAIN_DN}>"
    assert _resolve(forest, name) == forest.rows[f"cn=computers,{DOMAIN_DN}".lower()]
    assert _WkGuidName(COMPUTERS_GUID, Dn.parse(DOMAIN_DN)) == names.parse(name)


def test_a_missing_name_tells_the_nearest_ancestor(sqlite_forest: KitForest) -> None:
    with pytest.raises(DsError) as caught:
        _resolve(sqlite_forest, f"CN=x,CN=y,{USERS_DN}")
    assert caught.value.code == Win32.ERROR_DS_OBJ_NOT_FOUND
    assert caught.value.matched_dn == USERS_DN


@pytest.mark.parametrize("name", ["nonsense", "CN=a+SN=b,DC=x", "<GUID=12>", "<FOO=1>"])
def test_nonsense_is_a_syntax_error(sqlite_forest: KitForest, name: str) -> None:
    with pytest.raises(DsError) as caught:
        _resolve(sqlite_forest, name)
    assert caught.value.code == Win32.ERROR_DS_INVALID_DN_SYNTAX


def test_deleted_objects_are_found_only_when_asked_for(forest: KitForest) -> None:
    dn = f"CN=gone,CN=Deleted Objects,{DOMAIN_DN}"
    dnt = forest.build(lambda b: b.add(dn, "user", state=ObjectState.DELETED))
    with pytest.raises(DsError):
        _resolve(forest, dn)
    assert _resolve(forest, dn, deleted=True) == dnt
    with pytest.raises(DsError):
        _resolve(forest, dn)


def test_a_phantom_is_no_object(forest: KitForest) -> None:
    dn = f"CN=ghost,{USERS_DN}"
    forest.build(lambda b: b.phantom(dn))
    with pytest.raises(DsError):
        _resolve(forest, dn, deleted=True)
    found = forest.read(lambda ctx: names.find_dn(ctx, Dn.parse(dn)))
    assert found is not None


def test_dn_text_escapes_what_must_be_escaped(forest: KitForest) -> None:
    dnt = forest.build(lambda b: b.add(f"CN=a\\,b \\#\\\\c,{USERS_DN}", "container"))
    text = forest.read(lambda ctx: names.dn_of(ctx, dnt))
    assert text == f"CN=a\\,b \\#\\\\c,{USERS_DN}"
    assert _resolve(forest, text) == dnt


def test_a_rename_is_seen_by_every_cache(forest: KitForest) -> None:
    """This process's and another's, for the object and all below it; old snapshots keep the old names."""
    other = Home(forest.forest, Shared())
    below = forest.build(lambda b: b.add(f"CN=child,CN=alice,{USERS_DN}", "container"))
    old_name, new_name = f"CN=child,CN=alice,{USERS_DN}", f"CN=child,CN=renamed,{USERS_DN}"

    def dn_elsewhere() -> str:
        with forest.store.read() as tx:
            ctx = ReadContext(tx, forest.schema, SYSTEM, NOW, other)
            return names.dn_of(ctx, below)

    assert forest.read(lambda ctx: names.dn_of(ctx, below)) == old_name == dn_elsewhere()
    assert _resolve(forest, old_name) == below
    with forest.store.read() as before:
        old = ReadContext(before, forest.schema, SYSTEM, NOW, forest.home)

        def rename(ctx: WriteContext) -> None:
            row = ctx.tx.get(forest.rows[f"cn=alice,{USERS_DN}".lower()])
            assert row is not None
            key = names.rdn_key(ctx.schema, attr.CN, "renamed")
            ctx.tx.update(row, rdn="renamed", rdn_key=key)
            names.renamed(ctx)

        forest.write(rename)
        assert forest.read(lambda ctx: names.dn_of(ctx, below)) == new_name == dn_elsewhere()
        assert names.dn_of(old, below) == old_name
        stale = ReadContext(before, forest.schema, SYSTEM, NOW, forest.home)
        assert names.dn_of(stale, below) == old_name
    assert _resolve(forest, new_name) == below
    with pytest.raises(DsError):
        _resolve(forest, old_name)


def test_forest_facts_survive_their_json(sqlite_forest: KitForest) -> None:
    facts = sqlite_forest.forest
    assert type(facts).from_json(facts.to_json()) == facts


def test_no_endless_spelling_of_a_name_is_remembered(forest: KitForest) -> None:
    name = f"CN=alice,{USERS_DN}".replace(",", "," + " " * 300)
    before = _kept.cache_info().currsize
    for pad in range(3):
        assert _resolve(forest, name + " " * pad) == forest.rows[f"cn=alice,{USERS_DN}".lower()]
    assert forest.read(lambda ctx: [text for text in ctx.names.dnt_by_text if len(text) > 512]) == []
    assert _kept.cache_info().currsize == before
