"""One JSON object a line."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from addc.base.secret import Secret
from addc.server import logs


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    logs.configure("info")
    yield sys.stderr  # type: ignore[misc]
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_the_time_and_what_the_service_knew(stream: io.StringIO) -> None:
    fields = {"peer": "::1", "secret": Secret(b"hidden"), "name": "Jörg\nline"}
    logging.getLogger("addc.ldap").info("bound as %s", "u", extra={"fields": fields})
    logging.getLogger("addc.ldap").debug("not of this level")
    (line,) = lines(stream)
    assert line["level"] == "info" and line["logger"] == "addc.ldap" and line["message"] == "bound as u"
    assert line["peer"] == "::1" and line["name"] == "Jörg\nline" and "hidden" not in stream.getvalue()
    assert str(line["time"])[10] == "T" and str(line["time"]).endswith("+00:00")


def test_what_strangers_say_fills_no_disk(stream: io.StringIO) -> None:
    """A name that nobody has is told to the audit log, as long as its sender liked."""
    fields = {"client": "x" * 120_000, "names": ["y" * 5000] * 1000, "count": 3, "short": "z" * 1024}
    logging.getLogger("addc.audit").info("refused", extra={"fields": fields})
    (line,) = lines(stream)
    assert line["client"] == "x" * 1024 + "... (120000 characters)" and line["short"] == "z" * 1024
    names = line["names"]
    assert isinstance(names, list) and len(names) == 256 and len(names[0]) < 1100 and line["count"] == 3


def test_names_of_foreign_bytes_are_told_in_one_line(stream: io.StringIO) -> None:
    """No name that cannot be decoded keeps its record out of the log, none makes two of it."""
    name = b"al\xffice\n\x00\xe2\x80\xa8".decode("utf-8", "surrogateescape")
    logging.getLogger("addc.audit").info("refused", extra={"fields": {"client": name}})
    (text,) = stream.getvalue().split("\n")[:-1]
    assert json.loads(text.encode("utf-8", "backslashreplace"))["client"] == name


def test_a_failure_brings_its_trace_in_the_same_line(stream: io.StringIO) -> None:
    try:
        raise KeyError("gone")
    except KeyError:
        logging.getLogger("addc.kdc").exception("request failed")
    (line,) = lines(stream)
    assert line["level"] == "error" and "KeyError: 'gone'" in str(line["trace"])
