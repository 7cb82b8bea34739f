"""A run of the KCC that fails at any statement leaves nothing half done, and the next one does it all."""

import pytest

from addc.base.errors import StoreError
from addc.directory import kcc_runs, names, replica_links
from addc.directory.context import ReadContext
from addc.kcc.one_run import Decision, carry_out, decide, look
from addc.security.token import SYSTEM
from tests.fault.test_store_faults import _arm, _disarm
from tests.kit.corp import Corp
from tests.kit.corp_forest import CONFIG_DN
from tests.kit.corp_sites import FIRST, SITES, add_dc

OWN = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN={FIRST},{SITES}"
STATEMENTS_MAX = 600


def state_of(corp: Corp) -> tuple[object, ...]:
    """What a run writes: connections, partners, the note of the run."""

    def work(ctx: ReadContext) -> tuple[object, ...]:
        below = [row.rdn for row in names.children(ctx, names.resolve(ctx, OWN).dnt)]
        partners = replica_links.sources(names.resolve(ctx, CONFIG_DN))
        return (tuple(below), partners, kcc_runs.last_run(ctx), ctx.tx.usn)

    return corp.read(work)


def attempt(corp: Corp, decision: Decision) -> bool:
    """Whether the run's transaction was committed."""
    try:
        corp.write(lambda ctx: carry_out(ctx, decision), SYSTEM)
    except StoreError:
        return False
    return True


@pytest.mark.parametrize("behind", [False, True], ids=["before", "behind"])
def test_each_statement_of_a_run_fails_once(corp_sqlite: Corp, behind: bool) -> None:
    """[MS-ADTS] 6.2.2: all that a run writes, or nothing."""
    corp = corp_sqlite
    add_dc(corp, "DC2", FIRST)
    before = state_of(corp)
    assert before[:3] == ((), (), None)
    decision = decide(corp.read(look), corp.rng)
    for at in range(1, STATEMENTS_MAX):
        fault = _arm(corp.store, at, behind)
        done = attempt(corp, decision)
        _disarm(corp.store)
        if done:
            break
        assert fault.sent >= at
        assert state_of(corp) == before, at
    below, partners, last, _ = state_of(corp)
    assert len(below) == len(partners) == 1  # type: ignore[arg-type]
    assert last is not None and at > 20
