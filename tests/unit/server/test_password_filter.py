"""The operator's filter of passwords as a program: what it is told, what its answers mean, how it fails."""

import asyncio
import json
import logging
import os
from pathlib import Path

import pytest

from addc.directory.password_filter import Candidate
from addc.directory.passwords import password_of_text
from addc.server.password_filter import PasswordFilter

SECRET = "Tr0ub4dor&3 пароль"
CANDIDATE = Candidate("joe", "Joe Doe", password_of_text(SECRET), is_change=True)


def program(folder: Path, script: str) -> list[str]:
    path = folder / "filter"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return [str(path), "an argument"]


def judged(words: list[str], timeout_s: float = 20.0) -> bool:
    async def ask() -> bool:
        return await PasswordFilter(words, timeout_s=timeout_s)(CANDIDATE)

    return asyncio.run(ask())


def test_the_program_reads_one_json_object_and_its_status_is_the_answer(tmp_path: Path) -> None:
    told, rest = tmp_path / "told", tmp_path / "rest"
    words = program(tmp_path, f'cat > {told}; env > {rest}; echo "$@" >> {rest}; exit 0')
    assert judged(words)
    assert json.loads(told.read_text()) == {
        "account": "joe",
        "full_name": "Joe Doe",
        "password": SECRET,
        "operation": "change",
    }
    assert "an argument" in rest.read_text()
    assert SECRET not in rest.read_text() and "ADDC" not in rest.read_text()
    assert not judged(program(tmp_path, "exit 1"))


@pytest.mark.parametrize("script", ["exit 2", "kill -9 $$", "exec tail -f /dev/null", "exec /nowhere"])
def test_a_failure_refuses_and_is_told_without_the_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, script: str
) -> None:
    with caplog.at_level(logging.ERROR, "addc.password_filter"):
        assert not judged(program(tmp_path, script), 0.3 if "tail" in script else 20.0)
    assert len(caplog.records) == 1
    assert SECRET not in str(vars(caplog.records[0]))


def test_a_program_that_is_not_there_refuses(tmp_path: Path) -> None:
    assert not judged([str(tmp_path / "none")])


def test_a_program_that_does_not_read_answers_all_the_same(tmp_path: Path) -> None:
    assert judged(program(tmp_path, "exec <&-; exit 0"))


def test_no_program_outlives_its_time(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    assert not judged(program(tmp_path, f"echo $$ > {pid_file}; exec tail -f /dev/null"), 0.5)
    if pid_file.exists() and pid_file.read_text().strip():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid_file.read_text()), 0)
