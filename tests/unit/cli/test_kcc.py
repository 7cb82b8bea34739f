"""`addc kcc`: plans of files and of the forest here, in every form, and what is refused in plain words."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from addc.cli.main import main
from addc.kcc.reading.ldif_writing import ldif_of
from tests.kit.kcc_forest import ALink, forest

Run = Callable[..., str]


@pytest.fixture(scope="module")
def ldif(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain of three sites."""
    path = tmp_path_factory.mktemp("kcc") / "forest.ldif"
    snapshot = forest(
        sites=["Bonn", "Berlin", "Kiel"],
        dcs=["Bonn/b1*", "Bonn/b2", "Berlin/e1", "Kiel/k1"],
        links=[ALink("WAN1", ("Bonn", "Berlin"), 50), ALink("WAN2", ("Berlin", "Kiel"), 60)],
    )
    path.write_bytes(ldif_of(snapshot))
    return path


@pytest.fixture
def run(ldif: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str, status: int = 0, source: Path = ldif) -> str:
        assert main(["kcc", *words, "--ldif", str(source)]) == status
        told = capsys.readouterr()
        return told.out + told.err

    return run


def test_a_plan_of_a_file_for_people(run: Run) -> None:
    text = run("--plan")
    assert "3 sites, 4 DCs, 2 site links" in text
    assert "6 added, 0 changed, 0 deleted, 0 kept" in text
    assert "e1 <- b" in text and "-[WAN1]- Berlin, cost 50, every 3 h" in text
    assert "Site Berlin alone joins 2 parts of the forest" in text


def test_a_plan_for_machines_by_either_option(run: Run) -> None:
    one, other = json.loads(run("--plan", "--json")), json.loads(run("--plan", "--format", "json"))
    assert one == other and len(one["connections"]) == 6 and len(one["istg"]) == 3
    assert one["totals"]["add"] == 6 and one["latency"][0]["at_most_s"] > 6 * 3600


@pytest.mark.parametrize(
    ("form", "begins"), [("dot", "digraph"), ("svg", "<svg"), ("html", "<!DOCTYPE html>"), ("json", "{")]
)
def test_every_form_into_a_file(run: Run, tmp_path: Path, form: str, begins: str) -> None:
    path = tmp_path / "plan"
    assert run("--plan", "--format", form, "-o", str(path)) == ""
    assert begins in path.read_text()[:200]


def test_a_site_and_a_dc_alone(run: Run) -> None:
    site = run("--plan", "--site", "bonn")
    assert "Site Bonn" in site and "Site Kiel" not in site and "2 DCs alone: " in site
    told = json.loads(run("--plan", "--dc", "k1", "--json"))
    assert {one["to"].split(",")[1] for one in told["connections"]} == {"CN=k1"}
    assert told["is_whole_forest"] is False


def test_one_naming_context(run: Run) -> None:
    told = json.loads(run("--plan", "--nc", "schema", "--json"))
    (tree,) = told["trees"]
    assert tree["ncs"] == ["CN=Schema,CN=Configuration,DC=corp,DC=example"] and len(tree["edges"]) == 2


def test_what_if_tells_what_differs(run: Run, tmp_path: Path) -> None:
    text = run("--plan", "--without", "link:WAN2")
    assert "without link:WAN2: 0 more, 0 other and 2 fewer connections than in the plan" in text
    assert "Beside the plan without what is supposed" in text and "! cut off for " in text
    assert "NOT configuration" in text and "Kiel" in text
    (head,) = {
        one["from"].split(",")[1].removeprefix("CN=")
        for one in json.loads(run("--plan", "--json"))["connections"]
        if "CN=Bonn," in one["from"] and "CN=Berlin," in one["to"]
    }
    told = json.loads(run("--plan", "--failed", head, "--json"))
    assert told["difference"]["added"] and told["notes"]["what if"].startswith(f"{head} failed: ")
    changes = tmp_path / "changes.ldif"
    changes.write_text(
        "dn: CN=WAN1,CN=IP,CN=Inter-Site Transports,CN=Sites,CN=Configuration,DC=corp,DC=example\n"
        "changetype: modify\nreplace: cost\ncost: 777\n"
    )
    told = json.loads(run("--plan", "--what-if", str(changes), "--json"))
    assert 777 in [edge["cost"] for edge in told["trees"][0]["edges"]]
    assert told["difference"]["kept"] == 6


def test_check_is_for_pipelines(run: Run) -> None:
    run("--plan", "--check")
    assert "changes do not arrive everywhere" in run("--plan", "--check", "--without", "link:WAN2", status=3)
    run("--explain", "b1", "k1", "--check")
    run("--explain", "b1", "k1", "--check", "--without", "link:WAN2", status=3)


def test_explain(run: Run, tmp_path: Path) -> None:
    text = run("--explain", "b2", "Kiel")
    assert "configuration, schema, corp.example: yes, from b2 (Bonn) to k1 (Kiel)" in text
    assert "the cheapest tree of sites leads Bonn - Berlin - Kiel" in text
    told = json.loads(run("--explain", "b2", "k1", "--nc", "config", "--json"))
    assert told["arrives"] and [one["arrives"] for one in told["answers"]] == [True]
    path = tmp_path / "why.txt"
    assert run("--explain", "b2", "k1", "-o", str(path)) == "" and "Why not directly" in path.read_text()
    cut = run("--explain", "b2", "k1", "--without", "link:WAN2")
    assert "configuration, schema, corp.example: no." in cut and "cannot be joined" in cut


def test_the_time_of_a_view(run: Run) -> None:
    assert "2026-01-31 23:59 UTC" in run("--plan", "--now", "2026-01-31T23:59Z")
    assert "2026-02-01 00:00 UTC" in run("--plan", "--now", "2026-02-01")
    assert "write it as" in run("--plan", "--now", "yesterday", status=1)


def test_what_does_not_go_together_is_refused_in_plain_words(run: Run, tmp_path: Path) -> None:
    assert "is it one of these" in run("--plan", "--dc", "b9", status=1)
    assert "No naming context" in run("--plan", "--nc", "sales", status=1)
    assert "leave --dc and --site out" in run("--explain", "b1", "k1", "--dc", "b1", status=1)
    assert "--apply carries out" in run("--apply", status=1)
    assert "text or JSON" in run("--explain", "b1", "k1", "--format", "html", status=1)
    assert "one of the two" in run("--plan", "--json", "--format", "dot", status=1)
    assert "Next step" in run("--plan", "--data-dir", str(tmp_path), status=1)
    assert "--dry-run is for --apply" in run("--plan", "--dry-run", status=1)
    assert "cannot be written" in run("--plan", "-o", str(tmp_path / "no" / "file"), status=1)
    assert "cannot be read" in run("--plan", "--what-if", str(tmp_path / "none"), status=1)
    assert "cannot be read" in run("--plan", source=tmp_path / "none", status=1)
    assert "Next step" in run("--plan", "--without", "site:Ulm", status=1)


def test_one_thing_to_do_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as wrong:
        main(["kcc"])
    assert wrong.value.code == 2 and "--plan" in capsys.readouterr().err


def test_the_forest_here_is_planned_and_its_share_applied(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = ["--data-dir", str(corp_folder)]
    assert main(["kcc", "--plan", *here]) == 0
    assert "1 site, 1 DC" in capsys.readouterr().out
    assert main(["kcc", "--apply", "--dry-run", *here]) == 0
    tried = capsys.readouterr().out
    assert "0 added, 0 changed, 0 deleted" in tried and "Nothing was changed." in tried
    assert main(["kcc", "--apply", "--json", *here]) == 0
    done = json.loads(capsys.readouterr().out)
    assert done["dry_run"] is False and done["added"] == 0
