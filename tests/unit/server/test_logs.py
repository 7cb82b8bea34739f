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


def test_a_failure_brings_its_trace_in_the_same_line(stream: io.StringIO) -> None:
    try:
        raise KeyError("gone")
    except KeyError:
        logging.getLogger("addc.kdc").exception("request failed")
    (line,) = lines(stream)
    assert line["level"] == "error" and "KeyError: 'gone'" in str(line["trace"])
