"""The operator's filter at the directory's doors: what is asked, and that nothing goes past it."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import pytest

from addc.base.secret import Secret
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import passwords
from addc.directory.api import Change, Directory, Services
from addc.directory.password_filter import Candidate
from addc.security.token import SYSTEM
from tests.kit.corp import SEALED, Corp, add_values, delete_values, quoted, replace_values
from tests.kit.corp_forest import CountingRng, StandingClock
from tests.kit.refusals import refusal

T = TypeVar("T")
FIRST, GOOD, BANNED = "Tr0ub4dor&3", "N3w.passw0rd!", "B4nned.word"
REFUSED = (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_PASSWORD_RESTRICTION)


class Judge:
    """Bans one password and remembers who was asked about."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bool]] = []

    async def __call__(self, candidate: Candidate) -> bool:
        self.asked.append((candidate.account, candidate.full_name, candidate.is_change))
        return not candidate.password.matches(passwords.password_of_text(BANNED).reveal())


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
def directory(corp_sqlite: Corp, judge: Judge) -> Directory:
    corp_sqlite.user("joe", FIRST, displayName="Joe Doe")
    corp_sqlite.user("ann", FIRST)
    corp_sqlite.later(200_000)
    services = Services(StandingClock(corp_sqlite.now), CountingRng(b"filter"), judge)
    return Directory(corp_sqlite.store, corp_sqlite.schema, services)


def run(work: Coroutine[object, object, T]) -> T:
    return asyncio.run(work)


def test_resets_changes_and_new_users_pass_the_filter(
    corp_sqlite: Corp, directory: Directory, judge: Judge
) -> None:
    corp, joe = corp_sqlite, corp_sqlite.dn("CN=joe,CN=Users")

    def modify(who: str, *changes: Change) -> None:
        run(directory.modify(corp.token(who), joe, changes, SEALED))

    assert refusal(lambda: modify("Administrator", replace_values("unicodePwd", quoted(BANNED)))) == REFUSED
    old = delete_values("unicodePwd", quoted(FIRST))
    refused = refusal(lambda: modify("joe", old, add_values("unicodePwd", quoted(BANNED))))
    assert refused == (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_PASSWORD_RESTRICTION)
    modify("joe", old, add_values("unicodePwd", quoted(GOOD)))

    def add(password: str) -> None:
        values = [
            ("objectClass", [b"user"]),
            ("sAMAccountName", [b"eve"]),
            ("unicodePwd", [quoted(password)]),
        ]
        run(directory.add(corp.admin, corp.dn("CN=eve,CN=Users"), values, SEALED))

    assert refusal(lambda: add(BANNED)) == REFUSED
    add(GOOD)
    joe_doe = ("joe", "Joe Doe")
    assert judge.asked == [
        (*joe_doe, False),
        (*joe_doe, True),
        (*joe_doe, True),
        ("eve", "", False),
        ("eve", "", False),
    ]


def test_who_may_not_set_the_password_asks_no_filter(
    corp_sqlite: Corp, directory: Directory, judge: Judge
) -> None:
    change = replace_values("unicodePwd", quoted(BANNED))
    ann, joe = corp_sqlite.token("ann"), corp_sqlite.dn("CN=joe,CN=Users")
    refused = refusal(lambda: run(directory.modify(ann, joe, [change], SEALED)))
    assert refused[1] is Win32.ERROR_ACCESS_DENIED
    assert judge.asked == []


def test_machines_and_the_dc_itself_are_not_asked_about(
    corp_sqlite: Corp, directory: Directory, judge: Judge
) -> None:
    pc = corp_sqlite.add("CN=pc,CN=Computers", "computer", sAMAccountName="PC$", userAccountControl="4096")
    change = [replace_values("unicodePwd", quoted(BANNED))]
    run(directory.modify(corp_sqlite.admin, corp_sqlite.dn("CN=pc,CN=Computers"), change, SEALED))
    run(directory.modify(SYSTEM, corp_sqlite.dn("CN=joe,CN=Users"), change, SEALED))
    assert judge.asked == [] and corp_sqlite.values(pc, "unicodePwd")


def test_a_door_that_does_not_ask_sets_nothing(corp_sqlite: Corp, directory: Directory) -> None:
    corp = corp_sqlite
    row = corp.row("CN=joe,CN=Users")
    good = passwords.password_of_text(GOOD)
    unvetted = corp.read(lambda ctx: passwords.prepare_row(ctx, row, good))

    async def past_the_filter() -> None:
        await directory.write("test", corp.admin, lambda ctx: passwords.set_password(ctx, row, unvetted))

    assert refusal(lambda: run(past_the_filter())) == REFUSED
    assert Secret(corp.values("CN=joe,CN=Users", "unicodePwd")[0]).matches(
        passwords.derive(passwords.password_of_text(FIRST), b"").nt_hash.reveal()
    )
