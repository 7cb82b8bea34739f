"""`addc provision` stopped from outside: at every stage all of the forest is there, or nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.corp_forest import ADMIN_PASSWORD

STAGES = ["planning", "creating", "adding", "writing"]


def _start(place: Path) -> "subprocess.Popen[str]":
    words = ["provision", "--realm", "CORP.EXAMPLE.COM", "--host-name", "dc1", "--host-ip", "192.0.2.10"]
    return subprocess.Popen(
        [sys.executable, "-m", "addc.cli.main", *words, "--data-dir", str(place)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "ADDC_ADMIN_PASSWORD": ADMIN_PASSWORD},
    )


def _stop_at(place: Path, stage: str, how: signal.Signals) -> int:
    """Run until the stage begins, send the signal; the exit status."""
    with _start(place) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if stage in line:
                process.send_signal(how)
                break
        process.stderr.read()
        return process.wait()


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_all_or_nothing(tmp_path: Path, stage: str, how: signal.Signals) -> None:
    status = _stop_at(tmp_path / "forest", stage, how)
    if (tmp_path / "forest").exists():
        assert (tmp_path / "forest" / "config.json").exists()  # it was through before the signal came
        assert os.listdir(tmp_path) == ["forest"]
    else:
        assert status == 130 and os.listdir(tmp_path) == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_run_is_cleaned_up_by_the_next(tmp_path: Path, stage: str) -> None:
    _stop_at(tmp_path / "forest", stage, signal.SIGKILL)
    if not (tmp_path / "forest").exists():
        with _start(tmp_path / "forest") as process:
            assert process.stderr is not None
            errors = process.stderr.read()
            assert process.wait() == 0, errors
    assert os.listdir(tmp_path) == ["forest"]
    assert (tmp_path / "forest" / "config.json").exists()
