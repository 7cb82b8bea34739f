"""Attributes of entries: link values follow their objects' names and lives, shapes their grants."""

from addc.directory.context import ReadContext
from addc.directory.controls import INTERNAL
from addc.directory.delete import delete_object
from addc.directory.lanes import Pace
from addc.directory.rename import rename_object
from addc.directory.search import BASE, SUBTREE, SearchRequest, search
from addc.security.token import SYSTEM, Token
from tests.kit.corp import Corp, add_values
from tests.kit.forest import CLOSED, DOMAIN_DN, OPEN, USERS_DN, ForestBuilder, KitForest

GROUP = "CN=team,CN=Users"


def members(corp: Corp) -> list[str]:
    """Of the group, as shown."""

    def work(ctx: ReadContext) -> list[str]:
        found = search(ctx, SearchRequest(corp.dn(GROUP), BASE, attributes=("member",), options=INTERNAL))
        (entry,) = found.entries
        return [value.decode().split(",")[0] for _, values in entry.attributes for value in values]

    return corp.read(work)


def test_link_values_follow_renames_and_deletions(corp: Corp) -> None:
    """Spec: [MS-ADTS] 3.1.1.1.6: references name objects, not names."""
    corp.group("team")
    names = [f"u{number}" for number in range(4)]
    for name in names:
        corp.user(name)
        corp.modify(GROUP, add_values("member", corp.dn(f"CN={name},CN=Users")))
    assert members(corp) == ["CN=u0", "CN=u1", "CN=u2", "CN=u3"]
    with corp.store.read() as before:
        old = ReadContext(before, corp.schema, SYSTEM, corp.now, corp.home)
        assert old.names.live
        corp.write(lambda ctx: rename_object(ctx, corp.dn("CN=u1,CN=Users"), "CN=other", True, None))
        assert members(corp) == ["CN=u0", "CN=other", "CN=u2", "CN=u3"]
        corp.write(lambda ctx: delete_object(ctx, corp.dn("CN=u2,CN=Users"), INTERNAL))
        assert members(corp) == ["CN=u0", "CN=other", "CN=u3"]
        request = SearchRequest(corp.dn(GROUP), BASE, attributes=("member",), options=INTERNAL)
        late = ReadContext(before, corp.schema, SYSTEM, corp.now, corp.home)
        (entry,) = search(late, request).entries
        assert [value.split(b",")[0] for value in entry.attributes[0][1]] == [
            b"CN=u0", b"CN=u1", b"CN=u2", b"CN=u3",
        ]  # fmt: skip
    assert members(corp) == ["CN=u0", "CN=other", "CN=u3"]


def test_links_cost_what_is_read(corp: Corp) -> None:
    """A base read of a small group stays on the event loop, of a large one it goes on elsewhere."""
    corp.group("team")
    corp.modify(GROUP, add_values("member", corp.dn("CN=Guest,CN=Users")))
    looked: list[int] = []

    class Counting(Pace):
        def step(self, rows: int = 1) -> None:
            looked.append(rows)

    def work(ctx: ReadContext) -> None:
        ctx.pace = Counting()
        search(ctx, SearchRequest(corp.dn(GROUP), BASE, attributes=("member", "memberOf"), options=INTERNAL))

    corp.read(work)
    assert sum(looked) <= 1


def _shown(forest: KitForest, who: Token) -> dict[str, set[str]]:
    """Names of the attributes of what is below OU=shapes, asked for all."""
    request = SearchRequest(f"OU=shapes,{DOMAIN_DN}", SUBTREE, attributes=("*",))
    found = forest.read(lambda ctx: search(ctx, request), who)
    return {
        entry.dn.decode().split(",")[0]: {name.decode() for name, _ in entry.attributes}
        for entry in found.entries
    }


def test_rows_of_one_shape_show_what_each_ones_descriptor_grants(sqlite_forest: KitForest) -> None:
    """Spec: [MS-ADTS] 3.1.1.4.3."""
    half = OPEN.replace("(A;;GR;;;AU)", "(A;;LCRC;;;AU)(OA;;RP;bf967950-0de6-11d0-a285-00aa003049e2;;AU)")

    def fill(b: ForestBuilder) -> None:
        b.add(f"OU=shapes,{DOMAIN_DN}", "organizationalUnit")
        for number, acl in enumerate((OPEN, CLOSED, half, OPEN, half)):
            values = {"description": f"text {number}", "info": "x"}
            b.add(f"CN=s{number},OU=shapes,{DOMAIN_DN}", "contact", values, acl=acl)
        b.link(f"CN=s0,OU=shapes,{DOMAIN_DN}", "manager", f"CN=alice,{USERS_DN}")

    sqlite_forest.build(fill)
    told = _shown(sqlite_forest, sqlite_forest.token(f"CN=alice,{USERS_DN}"))
    assert {"description", "info", "objectClass", "cn", "manager"} <= told["CN=s0"]
    assert "manager" not in told["CN=s3"] and told["CN=s3"] == told["CN=s0"] - {"manager"}
    assert told["CN=s1"] == set()
    assert told["CN=s2"] == told["CN=s4"] == {"description"}
    everything = _shown(sqlite_forest, SYSTEM)
    assert everything["CN=s1"] == everything["CN=s3"]
