"""A plan as a graph: what the language wants, and what a reader sees."""

import re

from addc.kcc.snapshot import Site
from addc.kcc.telling.dot import as_dot
from addc.kcc.wanted import Action, Removal
from tests.kit.kcc_forest import AConnection, ALink, ASite, forest
from tests.kit.kcc_plan import APlanned, a_plan, both

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|->|[A-Za-z_][A-Za-z_0-9]*|[0-9.]+|[{}\[\]=;,]|\s+')


def _tokens(text: str) -> list[str]:
    """The language's tokens; what is none of them fails."""
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None, text[at : at + 60]
        if not match[0].isspace():
            found.append(match[0])
        at = match.end()
    return found


def test_the_graph_is_well_formed_whatever_things_are_called() -> None:
    ugly = 'A"; } \\ -> <b>\n"'
    snapshot = forest(sites=[ASite(ugly), "B"], dcs=[f"{ugly}/a\\", 'B/b"'], links=[ALink("l", (ugly, "B"))])
    text = as_dot(a_plan(snapshot, both("a\\", 'b"', via="l")))
    tokens = _tokens(text)
    assert tokens[:3] == ["digraph", "replication", "{"]
    assert tokens.count("{") == tokens.count("}") and tokens.count("[") == tokens.count("]")
    assert '"A\\"; } \\\\ -> <b>\\n\\""' in tokens
    assert isinstance(snapshot.sites[0], Site)


def test_sites_are_clusters_and_actions_are_styles() -> None:
    snapshot = forest(
        sites=["A", "B", "Empty"],
        dcs=["A/a*", "B/b", "B/r!"],
        links=[ALink("ab", ("A", "B"), 70)],
        connections=[AConnection("a", "b"), AConnection("ghost", "a")],
    )
    plan = a_plan(
        snapshot,
        [
            APlanned("a", "b", Action.KEEP, via=("ab",)),
            APlanned("b", "a", via=("ab",)),
            APlanned("b", "r", ncs=["config"]),
            APlanned("ghost", "a", Action.DELETE, removal=Removal.SOURCE_GONE),
        ],
        istg={"A": "a"},
    )
    text = as_dot(plan)
    assert text.count('subgraph "cluster_') == 3 and "Empty" not in text  # two sites and the legend
    assert 'label="a\\nGC, ISTG"' in text and 'label="r\\nread-only"' in text
    styles = dict(re.findall(r'(".*" -> ".*") \[color=".*?", style=(\w+)', text))
    assert sorted(styles.values()) == ["dashed", "dashed", "dotted", "solid"]
    assert 'label="70"' in text and '"ghost (gone)"' in text
    assert 'color="#999999", style=dotted' in text
    assert '[color="#0072b2", style=dashed, tooltip="added: configuration"]' in text
