"""Which naming contexts a connection carries, [MS-ADTS] 6.2.2."""

from addc.kcc.implied import Implied, implied
from addc.kcc.snapshot import DcAt, Snapshot
from tests.kit.kcc_forest import ADc, dc_at, forest, label

FOREST = forest(
    sites=["A"],
    dcs=[
        ADc("root", "A", apps=("Zones",)),
        ADc("other", "A", apps=("Zones",)),
        ADc("gc", "A", gc=True),
        ADc("child", "A", domain="child"),
        ADc("childgc", "A", domain="child", gc=True),
        ADc("going", "A", held={"corp": None}),
        ADc("r", "A", rodc=True),
    ],
)


def carried(source: str, target: str, transport: str = "", snapshot: Snapshot = FOREST) -> set[str]:
    ncs = implied(snapshot, dc_at(snapshot, source), dc_at(snapshot, target), transport)
    assert list(ncs) == sorted(ncs)
    return {label(snapshot.ncs[nc]) for nc in ncs}


def test_what_both_have_to_do_with_is_carried() -> None:
    assert carried("root", "other") == {"config", "schema", "corp", "Zones"}
    assert carried("root", "child") == {"config", "schema"}


def test_a_replica_that_is_not_present_at_the_source_is_not_carried() -> None:
    assert carried("going", "root") == {"config", "schema"}


def test_a_replica_that_is_due_is_carried_before_it_is_present() -> None:
    assert carried("root", "going") == {"config", "schema", "corp"}


def test_a_partial_replica_feeds_partial_ones_and_no_full_one() -> None:
    assert "corp" in carried("childgc", "childgc")
    assert "corp" not in carried("childgc", "root")
    assert "child" in carried("child", "gc")
    assert "child" in carried("childgc", "gc")


def test_a_read_only_dc_takes_and_gives_no_full_replica_anything() -> None:
    assert carried("root", "r") == {"config", "schema", "corp"}
    assert carried("r", "root") == set()
    assert carried("r", "childgc") == {"corp"}


def test_mail_carries_no_domain_but_partial_replicas() -> None:
    assert carried("root", "other", "SMTP") == {"config", "schema", "Zones"}
    assert "child" in carried("child", "gc", "SMTP")
    assert carried("root", "other", "ip") == carried("root", "other")


def test_the_cached_form_says_the_same() -> None:
    cached = Implied(FOREST)
    everyone = [DcAt(at) for at in range(len(FOREST.dcs))]
    for transport in ("", "IP", "SMTP"):
        for source in everyone:
            for target in everyone:
                known = implied(FOREST, source, target, transport)
                assert cached(source, target, transport) == cached(source, target, transport) == known
