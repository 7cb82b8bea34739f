"""The words a person types are there: the Makefile's targets, their programs, what README and CI say."""

import os
import re
from typing import Final

from tests.gate.source_tree import ROOT

MAKEFILE: Final = (ROOT / "Makefile").read_text()
TARGETS: Final = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))


def test_every_target_is_phony_and_explained() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert set(phony.split()) == TARGETS
    assert set(re.findall(r"^([a-z]+):.*## \S", MAKEFILE, re.MULTILINE)) == TARGETS


def test_every_program_that_make_runs_exists() -> None:
    modules = re.findall(r"-m tests\.([a-z_.]+)", MAKEFILE)
    assert modules and all((ROOT / "tests" / f"{name.replace('.', '/')}.py").exists() for name in modules)
    folders = re.findall(r"\btests/[a-z]+", MAKEFILE)
    assert [folder for folder in folders if (ROOT / folder).is_dir()] == folders
    for tool in set(re.findall(r"tools/[a-z-]+", MAKEFILE)) | {".ci/run"}:
        assert os.access(ROOT / tool, os.X_OK), tool


def test_what_documents_and_ci_tell_to_make_can_be_made() -> None:
    for name in (
        "README.md",
        ".ci/run",
        *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
    ):
        told = re.findall(
            r"(?:^#? ?|`|&& |\btimeout \d+ )make ((?:[a-z]+ ?)+)", (ROOT / name).read_text(), re.MULTILINE
        )
        assert {word for words in told for word in words.split()} <= TARGETS, name
    assert TARGETS >= set(re.findall(r"make (setup|check|test|journey)", (ROOT / ".ci" / "run").read_text()))
