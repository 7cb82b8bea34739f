"""docs/specmap.md says what the code says."""

from tests.gate.source_tree import ROOT
from tests.gate.specmap import render


def test_specmap_is_fresh() -> None:
    assert (ROOT / "docs" / "specmap.md").read_text() == render(), "run: python -m tests.gate.specmap"
