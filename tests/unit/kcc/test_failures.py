"""The failure lists. Spec: [MS-ADTS] 6.2.2.1, 6.2.2.3.2, 6.2.2.6."""

from addc.base.clock import FileTime
from addc.codec.blobs import RepsFrom, from_dstime
from addc.codec.kcc_failures import FailedDc, FailureLists
from addc.kcc.failures import bridgeheads_to_ask, merged, refreshed, together, trimmed, unreachable
from addc.kcc.snapshot import ConnectionOption, Failure
from tests.kit.kcc_forest import AConnection, dc_at, forest

A, B, C = b"\x01" * 16, b"\x02" * 16, b"\x03" * 16
NOW = FileTime(10**15)


def failed(guid: bytes, count: int, first_s: int = 100, result: int = 0) -> FailedDc:
    return FailedDc(guid, count, from_dstime(first_s), result)


def lists(*links: FailedDc, connections: tuple[FailedDc, ...] = ()) -> FailureLists:
    return FailureLists({one.dsa_guid: one for one in links}, {one.dsa_guid: one for one in connections})


def partner(guid: bytes, failures: int, success_s: int = 100, result: int = 8524) -> RepsFrom:
    return RepsFrom(
        "x", guid, consecutive_failures=failures, last_success_s=success_s, result_last_attempt=result
    )


def test_links_are_what_partners_say_now() -> None:
    """Counts begin anew; of several the larger count, the earlier time, the newest result."""
    before = lists(failed(A, 9, 1), failed(B, 4))
    partners = [partner(A, 2, 50, 5), partner(A, 3, 40, 6), partner(C, 1), partner(B, 0)]
    after = refreshed(before, partners, {}).links
    assert after[A] == failed(A, 3, 40, 6)
    assert after[B].count == 0
    assert after[C] == failed(C, 1, 100, 8524)


def test_dcs_are_spoken_with_again() -> None:
    before = lists(connections=(failed(A, 2), failed(B, 2), failed(C, 2)))
    after = refreshed(before, [], {A: 0, B: 1722}).connections
    assert set(after) == {B, C}
    assert after[B] == failed(B, 3, 100, 1722)
    assert after[C] == failed(C, 2)


def test_a_bridgeheads_lists_are_joined() -> None:
    mine = lists(failed(A, 2, 50, 1), failed(B, 0, 10, 1), connections=(failed(A, 5, 90),))
    theirs = lists(failed(A, 1, 40, 7), failed(B, 3, 60, 7), failed(C, 1), connections=(failed(A, 6, 95, 8),))
    after = merged(mine, theirs)
    assert after.links == {A: failed(A, 2, 40, 7), B: failed(B, 3, 60, 7), C: failed(C, 1)}
    assert after.connections == {A: failed(A, 6, 90, 8)}


def test_a_bridgehead_that_cannot_be_asked_is_a_failed_connection() -> None:
    first = unreachable(FailureLists(), A, 1722, NOW)
    assert first.connections == {A: FailedDc(A, 1, NOW, 1722)}
    again = unreachable(first, A, 1727, FileTime(NOW + 5))
    assert again.connections == {A: FailedDc(A, 2, NOW, 1727)}


def test_what_later_runs_do_not_need_is_removed() -> None:
    before = lists(failed(A, 0), failed(B, 1), connections=(failed(A, 1), failed(C, 1)))
    after = trimmed(before, {C})
    assert (set(after.links), set(after.connections)) == ({B}, {C})


def test_planning_sees_both_lists_together() -> None:
    found = together(lists(failed(A, 2, 50), failed(B, 0), connections=(failed(A, 5, 60), failed(C, 1, 5))))
    assert found == {A: Failure(5, from_dstime(50)), C: Failure(1, from_dstime(5))}


def test_the_kept_form_is_read_back() -> None:
    one = lists(failed(A, 2, 50, 7), connections=(failed(C, 1, 5, 1722),))
    assert FailureLists.unpack(one.pack()) == one


def test_the_bridgeheads_of_the_own_site_are_asked() -> None:
    """Writable DCs there that replicate from elsewhere; SYSVOL connections do not count, nor does oneself."""
    snapshot = forest(
        sites=["A", "B"],
        dcs=["A/me", "A/bridge", "A/quiet", "A/sysvol", "A/branch!", "B/far"],
        connections=[
            AConnection("far", "me"),
            AConnection("far", "bridge"),
            AConnection("me", "quiet"),
            AConnection("far", "sysvol", ConnectionOption.RODC_TOPOLOGY),
            AConnection("far", "branch"),
            AConnection("me", "far"),
        ],
    )
    assert bridgeheads_to_ask(snapshot, dc_at(snapshot, "me")) == [dc_at(snapshot, "bridge")]
