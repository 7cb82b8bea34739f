"""The door: reads and writes of a process, in somebody's name, on and off the event loop."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from addc.base.errors import DsError, UserError
from addc.base.ids import Usn
from addc.codec.filter import Present, parse_text
from addc.codes.win32 import Win32
from addc.directory import entry, names
from addc.directory.api import Change, Committed, Directory, Services
from addc.directory.context import ReadContext, WriteContext
from addc.directory.lanes import POINT_ROWS, QUICK_ROWS, QuickPace, WalkNeededError
from addc.directory.search import BASE, SUBTREE, SearchRequest
from addc.schema import attr
from addc.schema.loader import load_base
from addc.security.token import SYSTEM
from addc.store.engine import Store
from tests.kit.corp import SEALED, Corp, add_values, delete_values, quoted, replace_values
from tests.kit.corp_forest import CountingRng, StandingClock
from tests.kit.forest import DOMAIN_DN, USERS_DN, KitForest, SequenceRng

ALICE = f"CN=alice,{USERS_DN}"


@pytest.fixture
def directory(forest: KitForest) -> Iterator[Directory]:
    made = Directory(forest.store, forest.schema, Services(forest.clock, SequenceRng()))
    yield made
    made.close()


def test_a_store_without_a_forest_is_refused(sqlite_store: Store) -> None:
    with pytest.raises(UserError):
        Directory(sqlite_store, load_base())


def test_facts_and_reads(directory: Directory, forest: KitForest) -> None:
    assert directory.forest == forest.forest
    assert directory.schema is forest.schema
    now = directory.read_now("test", SYSTEM, lambda ctx: (ctx.now, ctx.unrestricted))
    assert now == (forest.clock.now(), True)
    assert directory.usn() == forest.read(lambda ctx: ctx.tx.usn)


def _thread(ctx: ReadContext) -> int:
    return threading.get_ident()


def test_point_reads_stay_on_the_loop_only_where_the_store_is_near(directory: Directory) -> None:
    async def run() -> tuple[int, int, int]:
        here = threading.get_ident()
        point = await directory.read("test", SYSTEM, _thread, point=True)
        other = await directory.read("test", SYSTEM, _thread)
        return here, point, other

    here, point, other = asyncio.run(run())
    assert (point == here) == directory.reads_inline
    assert other != here


def test_a_read_that_looks_at_more_rows_is_begun_anew_where_there_is_time(directory: Directory) -> None:
    def lanes_of(rows: int, *, point: bool) -> list[str]:
        names: list[str] = []

        def work(ctx: ReadContext) -> list[str]:
            names.append(threading.current_thread().name.partition("_")[0])
            ctx.pace.step(rows)
            return names

        return asyncio.run(directory.read("test", SYSTEM, work, point=point))

    first = [threading.current_thread().name] if directory.reads_inline else []
    assert lanes_of(QUICK_ROWS, point=False) == ["directory"]
    assert lanes_of(QUICK_ROWS + 1, point=False) == ["directory", "walk"]
    assert lanes_of(POINT_ROWS, point=True) == (first or ["directory"])
    assert lanes_of(POINT_ROWS + 1, point=True) == [*first, "directory"]
    assert lanes_of(QUICK_ROWS + 1, point=True) == [*first, "directory", "walk"]


def test_searches_find_the_same_in_every_lane(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [SearchRequest(DOMAIN_DN, SUBTREE, parse_text(text)) for text in ("(cn=alice)", "(cn=*)")]

    async def found() -> list[list[bytes]]:
        return [[one.dn for one in (await directory.search(SYSTEM, request)).entries] for request in wanted]

    quick = asyncio.run(found())
    monkeypatch.setattr(QuickPace, "step", _no_time)
    assert asyncio.run(found()) == quick
    assert len(quick[1]) > len(quick[0]) == 1


def _no_time(*_: object) -> None:
    raise WalkNeededError


def test_which_searches_are_points(directory: Directory) -> None:
    def point(text: str, scope: int = SUBTREE) -> bool:
        return directory.is_point(SearchRequest(DOMAIN_DN, scope, parse_text(text)))

    assert point("(description=x)", BASE)
    assert point("(sAMAccountName=alice)")
    assert point("(&(objectClass=user)(userPrincipalName=a@b))")
    assert not point("(|(sAMAccountName=alice)(sn=x))")
    assert not point("(objectClass=user)")
    assert not point("(sAMAccountName=a*)")
    assert not point("(noSuch=x)")


@pytest.mark.parametrize("clause", ["(anr=x)", "(!(cn=*x*))", "(memberOf=CN=x,DC=y)"])
def test_a_filter_of_many_clauses_is_no_point_read(directory: Directory, clause: str) -> None:
    """What it costs comes before the first object: the event loop is not the place for it."""

    def is_point(count: int) -> bool:
        wanted = parse_text(f"(|{clause * count})")
        return directory.is_point(SearchRequest(DOMAIN_DN, BASE, wanted))

    assert is_point(20) and not is_point(1000)


def test_what_walks_along_links_does_not_hold_up_the_loop(directory: Directory) -> None:
    def point(text: str, *attributes: str) -> bool:
        return directory.is_point(SearchRequest(DOMAIN_DN, BASE, parse_text(text), attributes))

    chain = f"(memberOf:1.2.840.113556.1.4.1941:={DOMAIN_DN})"
    assert not point(chain) and not point(f"(|(cn=x)(!{chain}))")
    assert point("(cn=x)", "member", "MEMBEROF", "tokenGroup", "1.1", "+", "*", "objectClass", "oid.2.5.4.3")
    for name in ("member;range=1500-*", "TOKENGROUPS", "msds-membertransitive", "1.2.840.113556.1.4.1301"):
        assert not point("(cn=x)", "cn", name), name


def test_search_and_compare_in_the_requesters_name(directory: Directory, forest: KitForest) -> None:
    veiled = forest.build(lambda b: b.user("veiled", 1300, {"mail": "v@x"}, "D:(A;;LC;;;AU)"))
    alice = forest.token(ALICE)

    async def run() -> tuple[int, int]:
        request = SearchRequest(veiled, BASE, Present("objectClass"), ("mail",))
        own = await directory.search(alice, request)
        system = await directory.search(SYSTEM, request)
        assert await directory.compare(SYSTEM, veiled, "mail", b"V@X")
        with pytest.raises(DsError):
            await directory.compare(alice, veiled, "mail", b"v@x")
        return len(own.entries[0].attributes), len(system.entries[0].attributes)

    assert asyncio.run(run()) == (0, 1)


def test_a_write_is_there_when_it_is_answered(directory: Directory) -> None:
    def work(ctx: WriteContext) -> int:
        row = names.resolve(ctx, ALICE)
        ctx.tx.update(row, attrs={**row.attrs, attr.DESCRIPTION: (b"written",)})
        return int(row.dnt)

    async def run() -> str | None:
        await directory.write("test", SYSTEM, work)
        return await directory.read(
            "test", SYSTEM, lambda ctx: entry.text(names.resolve(ctx, ALICE), attr.DESCRIPTION)
        )

    assert asyncio.run(run()) == "written"


def test_a_refused_write_leaves_nothing(directory: Directory) -> None:
    def work(ctx: WriteContext) -> None:
        row = names.resolve(ctx, ALICE)
        ctx.tx.update(row, attrs={})
        raise DsError(Win32.ERROR_DS_UNWILLING_TO_PERFORM, "no")

    with pytest.raises(DsError):
        directory.write_now("test", SYSTEM, work)
    assert directory.read_now("test", SYSTEM, lambda ctx: names.resolve(ctx, ALICE).attrs)


def test_a_cancelled_caller_does_not_undo_a_write(directory: Directory) -> None:
    entered = threading.Event()
    go_on = threading.Event()

    def work(ctx: WriteContext) -> None:
        entered.set()
        assert go_on.wait(10)
        row = names.resolve(ctx, ALICE)
        ctx.tx.update(row, attrs={**row.attrs, attr.DESCRIPTION: (b"kept",)})

    async def run() -> None:
        task = asyncio.create_task(directory.write("test", SYSTEM, work))
        await asyncio.to_thread(entered.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        await directory.write("after", SYSTEM, lambda ctx: None)

    asyncio.run(run())
    found = directory.read_now(
        "t", SYSTEM, lambda ctx: entry.text(names.resolve(ctx, ALICE), attr.DESCRIPTION)
    )
    assert found == "kept"


def test_subscribers_hear_of_commits_until_they_leave(directory: Directory) -> None:
    heard: list[Committed] = []
    leave = directory.subscribe(heard.append)

    def work(ctx: WriteContext) -> None:
        row = names.resolve(ctx, ALICE)
        usn = ctx.tx.next_usn()
        ctx.tx.update(row, usn_changed=usn)

    directory.write_now("test", SYSTEM, work)
    leave()
    directory.write_now("test", SYSTEM, work)
    assert len(heard) == 1
    assert heard[0].usn_high == Usn(directory.usn() - 1)
    assert directory.forest.domain_nc in heard[0].ncs


def test_the_operations_end_to_end(directory: Directory) -> None:
    """Add, modify, rename and delete through the door; their rules have tests of their own."""
    ou, renamed = f"OU=made,{DOMAIN_DN}", f"OU=moved,{USERS_DN}"

    async def run() -> None:
        dnt = await directory.add(SYSTEM, ou, [("objectClass", [b"organizationalUnit"])])
        changes = [Change(2, "description", [b"by modify"])]
        assert await directory.modify(SYSTEM, ou, changes) == dnt
        assert await directory.rename(SYSTEM, ou, "OU=moved", new_superior=USERS_DN) == dnt
        found = await directory.search(SYSTEM, SearchRequest(renamed, BASE, attributes=("description",)))
        assert found.entries[0].attributes == [(b"description", [b"by modify"])]
        assert await directory.delete(SYSTEM, renamed) == 1
        with pytest.raises(DsError):
            await directory.search(SYSTEM, SearchRequest(renamed, BASE))

    asyncio.run(run())


def test_operations_are_refused_to_those_without_the_right(directory: Directory, forest: KitForest) -> None:
    alice = forest.token(ALICE)
    bob = f"CN=bob,{USERS_DN}"

    async def refused(doing: object) -> None:
        with pytest.raises(DsError) as caught:
            await doing  # type: ignore[misc]
        assert caught.value.code == Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS

    async def run() -> None:
        await refused(directory.add(alice, f"OU=x,{DOMAIN_DN}", [("objectClass", [b"organizationalUnit"])]))
        await refused(directory.modify(alice, bob, [Change(2, "description", [b"x"])]))
        await refused(directory.rename(alice, bob, "CN=robert"))
        await refused(directory.delete(alice, bob))

    asyncio.run(run())


def test_a_wrong_old_password_counts_like_a_failed_logon(corp_sqlite: Corp) -> None:
    """Everybody may change everybody's password who can prove the old one: no door to guess through."""
    corp = corp_sqlite
    corp.user("joe", "Tr0ub4dor&3")
    corp.user("mallory", "Tr0ub4dor&3")
    corp.modify("", replace_values("lockoutThreshold", "3"))
    guessing = Directory(corp.store, corp.schema, Services(StandingClock(corp.now), CountingRng()))
    mallory = corp.token("mallory")

    def guess(old: str) -> int:
        changes = [
            delete_values("unicodePwd", quoted(old)),
            add_values("unicodePwd", quoted("N3w.passw0rd!")),
        ]
        work = guessing.modify(mallory, corp.dn("CN=joe,CN=Users"), changes, SEALED)
        with pytest.raises(DsError) as refused:
            asyncio.run(work)
        return refused.value.code

    found = [guess(f"guess{number}") for number in range(3)]
    assert found == [Win32.ERROR_INVALID_PASSWORD] * 3
    assert corp.text("CN=joe,CN=Users", "badPwdCount") == "3"
    assert corp.text("CN=joe,CN=Users", "lockoutTime") == str(corp.now)
    assert guess("guess3") == guess("Tr0ub4dor&3") == Win32.ERROR_ACCOUNT_LOCKED_OUT
