"""Log lines for machines: one JSON object a line on standard error.

A service passes what it knows as `extra={"fields": {...}}`; secrets have no repr (base/secret.py).
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Final

from addc.directory.audit_events import AuditRecord

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
LEVEL_NAMES: Final = tuple(_LEVELS)
_TEXT_MAX: Final = 1024
"""Characters of a text: strangers choose names, as long as a message can be, and need not even log on."""
_ITEMS_MAX: Final = 256


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, then the service's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line.update((name, _bounded(value)) for name, value in fields.items())
        if record.exc_info and record.exc_info[1] is not None:
            line["trace"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, default=str, ensure_ascii=False)


def _bounded(value: object) -> object:
    """A field's value as far as a line takes it."""
    if isinstance(value, str) and len(value) > _TEXT_MAX:
        return f"{value[:_TEXT_MAX]}... ({len(value)} characters)"
    if isinstance(value, list):
        return [_bounded(one) for one in value[:_ITEMS_MAX]]
    return value


def configure(level: str) -> None:
    """Send everything of `level` and above to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for chatty in ("asyncio", "alembic.runtime.plugins"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def configure_logons(told: str) -> None:
    """Which tickets and logons the audit log is told of: "all", "refused" ones, or "none"."""
    logging.getLogger("addc.audit.granted").setLevel(logging.NOTSET if told == "all" else logging.CRITICAL)
    logging.getLogger("addc.audit.refused").setLevel(logging.CRITICAL if told == "none" else logging.NOTSET)


_AUDIT: Final = logging.getLogger("addc.audit")


def audit(record: AuditRecord, logger: logging.Logger = _AUDIT) -> None:
    """Write down what a SACL wants to be told."""
    logger.info(record.event.name.lower().replace("_", " "), extra={"fields": record.fields()})
