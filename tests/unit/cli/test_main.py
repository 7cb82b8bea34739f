"""What all commands of `addc` have in common."""

import argparse
import os
import signal
import sys

import pytest

from addc.cli import status
from addc.cli.main import main


def test_a_reader_that_has_seen_enough_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(_: argparse.Namespace) -> int:
        print("a report that nobody reads")
        return 0

    monkeypatch.setattr(status, "run", told)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(["status"]) == 128 + signal.SIGPIPE
    assert capsys.readouterr().err == ""
