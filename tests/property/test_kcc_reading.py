"""What a stranger's LDIF says of a forest is what the planner sees, whatever the forest."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from addc.kcc.reading.forest import snapshot_of
from addc.kcc.reading.ldif_form import read_ldif
from addc.kcc.reading.ldif_writing import ldif_of as written
from addc.kcc.snapshot import DcAt
from tests.kit.kcc_ldif import ldif_of
from tests.kit.kcc_random import Drawn, built, forests

FEW = settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@FEW
@given(forests(sites_max=5))
def test_a_forest_in_ldif_is_read_as_it_is(drawn: Drawn) -> None:
    snapshot = replace(built(drawn), failures={}, local=DcAt(0))
    entries, facts = read_ldif(ldif_of(snapshot))
    assert replace(snapshot_of(entries, facts, snapshot.now), troubles=()) == snapshot


@FEW
@given(forests(sites_max=5))
def test_what_is_written_is_read_back(drawn: Drawn) -> None:
    snapshot = replace(built(drawn), failures={}, local=DcAt(0))
    entries, facts = read_ldif(written(snapshot))
    assert replace(snapshot_of(entries, facts, snapshot.now), troubles=()) == snapshot
