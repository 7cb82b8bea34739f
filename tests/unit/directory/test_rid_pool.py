"""RIDs: out of this DC's pool, from the manager's, never twice. Spec: [MS-SAMR] 3.1.1.9.2."""

import pytest

from addc.base.errors import DsError
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import rid_pool
from addc.directory.context import WriteContext
from addc.directory.modify import ModOp
from addc.ldap import messages as m
from addc.security.token import SYSTEM
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import ADMIN_PASSWORD, DOMAIN_DN
from tests.kit.ldap_desk import Desk, desk, runner
from tests.kit.refusals import refusal

__all__ = ["desk", "runner"]

MANAGER = "CN=RID Manager$,CN=System"
SET = "CN=RID Set,CN=DC1,OU=Domain Controllers"


def pool(corp: Corp, name: str, attribute: str) -> tuple[int, int]:
    return rid_pool.unpack_pool(int(corp.text(name, attribute)))


def put(corp: Corp, name: str, **values: int | str) -> None:
    """What only the DC itself writes."""
    changes = [replace_values(attribute, str(value)) for attribute, value in values.items()]
    corp.modify(name, *changes, requester=SYSTEM)


def take(corp: Corp) -> int:
    return int(corp.write(rid_pool.next_sid).rid())


def test_the_next_rid_is_the_next_of_the_pool_in_use(corp_sqlite: Corp) -> None:
    put(corp_sqlite, SET, rIDNextRID=1100)
    assert [take(corp_sqlite) for _ in range(3)] == [1101, 1102, 1103]
    assert corp_sqlite.text(SET, "rIDNextRID") == "1103"


def test_a_rid_of_a_transaction_that_failed_is_free_again(corp_sqlite: Corp) -> None:
    put(corp_sqlite, SET, rIDNextRID=1100)

    def fail(ctx: WriteContext) -> None:
        rid_pool.next_sid(ctx)
        raise DsError(Win32.ERROR_DS_BUSY, "no")

    assert refusal(lambda: corp_sqlite.write(fail))[1] is Win32.ERROR_DS_BUSY
    assert take(corp_sqlite) == 1101


def test_with_half_of_the_pool_used_the_master_lays_the_next_one_by(corp_sqlite: Corp) -> None:
    put(corp_sqlite, SET, rIDNextRID=1348)
    before = pool(corp_sqlite, MANAGER, "rIDAvailablePool")
    assert take(corp_sqlite) == 1349
    assert pool(corp_sqlite, SET, "rIDAllocationPool") == (1100, 1599)
    assert take(corp_sqlite) == 1350
    assert pool(corp_sqlite, SET, "rIDAllocationPool") == (before[0], before[0] + 499)
    assert pool(corp_sqlite, SET, "rIDPreviousAllocationPool") == (1100, 1599)
    assert pool(corp_sqlite, MANAGER, "rIDAvailablePool") == (before[0] + 500, before[1])


def test_a_used_up_pool_makes_room_for_the_one_laid_by(corp_sqlite: Corp) -> None:
    put(corp_sqlite, SET, rIDNextRID=1598, rIDAllocationPool=rid_pool.pack_pool(5000, 5499))
    assert [take(corp_sqlite) for _ in range(3)] == [1599, 5000, 5001]
    assert pool(corp_sqlite, SET, "rIDPreviousAllocationPool") == (5000, 5499)


def test_without_one_laid_by_it_comes_straight_from_the_manager(corp_sqlite: Corp) -> None:
    start = pool(corp_sqlite, MANAGER, "rIDAvailablePool")[0]
    put(corp_sqlite, SET, rIDNextRID=1599)
    assert take(corp_sqlite) == start


def test_a_dc_that_is_not_the_master_runs_out(corp_sqlite: Corp) -> None:
    other = f"CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,{DOMAIN_DN}"
    put(corp_sqlite, MANAGER, fSMORoleOwner=other)
    put(corp_sqlite, SET, rIDNextRID=1598)
    assert take(corp_sqlite) == 1599
    out = refusal(lambda: corp_sqlite.user("late"))
    assert out == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_NO_RIDS_ALLOCATED)


def test_a_domain_that_used_all_its_rids_makes_no_more_principals(corp_sqlite: Corp) -> None:
    put(corp_sqlite, SET, rIDNextRID=1599)
    end = 0x3FFF_FFFF
    put(corp_sqlite, MANAGER, rIDAvailablePool=rid_pool.pack_pool(end - 498, end))
    assert refusal(lambda: corp_sqlite.user("last"))[1] is Win32.ERROR_DS_NO_MORE_RIDS


def test_at_the_ceiling_giving_out_stops_until_an_administrator_allows_it(corp_sqlite: Corp) -> None:
    end = 0x3FFF_FFFF
    low = end * 9 // 10 - 100
    put(corp_sqlite, MANAGER, rIDAvailablePool=rid_pool.pack_pool(low, end))
    put(corp_sqlite, SET, rIDNextRID=1599)
    assert take(corp_sqlite) == low
    assert corp_sqlite.text(MANAGER, "msDS-RIDPoolAllocationEnabled") == "FALSE"
    put(corp_sqlite, SET, rIDNextRID=low + 499)
    stopped = refusal(lambda: corp_sqlite.user("late"))
    assert stopped == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_NO_RIDS_ALLOCATED)
    corp_sqlite.modify(MANAGER, replace_values("msDS-RIDPoolAllocationEnabled", "TRUE"))
    assert take(corp_sqlite) == low + 500
    assert corp_sqlite.text(MANAGER, "msDS-RIDPoolAllocationEnabled") == "TRUE"


@pytest.mark.parametrize("attribute", ["rIDNextRID", "rIDAllocationPool", "rIDPreviousAllocationPool"])
def test_nobody_writes_the_pool_by_hand(corp_sqlite: Corp, attribute: str) -> None:
    refused = refusal(lambda: corp_sqlite.modify(SET, replace_values(attribute, "1")))
    assert refused == (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY)


# --- invalidateRidPool, [MS-ADTS] 3.1.1.3.3.11 -------------------------------------------------------------


def ask(desk: Desk, name: str, password: str, value: bytes) -> m.LdapResultFields:
    client = desk.connect(tls=True)
    client.bind(name, password)
    change = m.Change(ModOp.ADD, m.PartialAttribute("invalidateRidPool", (value,)))
    return client.ask(m.ModifyRequest("", (change,)))


def test_an_invalidated_pool_is_never_used_again(desk: Desk) -> None:
    corp = desk.corp
    start = pool(corp, MANAGER, "rIDAvailablePool")[0]
    answer = ask(desk, "Administrator@corp.example.com", ADMIN_PASSWORD, bytes(corp.forest.domain_sid))
    assert answer.result_code == 0
    assert take(corp) == start
    wrong = ask(desk, "Administrator@corp.example.com", ADMIN_PASSWORD, b"x")
    assert wrong.result_code == 53


def test_invalidating_takes_the_right_to_change_the_rid_master(desk: Desk) -> None:
    desk.corp.user("joe", "Tr0ub4dor&3")
    answer = ask(desk, "joe@corp.example.com", "Tr0ub4dor&3", bytes(desk.corp.forest.domain_sid))
    assert answer.result_code == 50
    assert pool(desk.corp, SET, "rIDAllocationPool") == (1100, 1599)
