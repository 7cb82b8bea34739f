"""Fixtures of commands and servers."""

import logging

import pytest

from addc.directory.audit_events import AuditRecord


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[AuditRecord]:
    """What commands write into the audit log."""
    found: list[AuditRecord] = []

    def note(record: AuditRecord, logger: logging.Logger | None = None) -> None:
        del logger
        found.append(record)

    monkeypatch.setattr("addc.server.logs.audit", note)
    return found
