"""Where commands that work on a forest's data write down what they did: the audit log of the machine.

A JSON line on standard error, as the server's, and one for the system's own log where there is one. Commands
that people read beside spare them the first where there is the second.
"""

import logging
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import Final

from addc.directory.api import Directory
from addc.server import logs

_SYSLOG: Final = "/dev/log"


def audited(directory: Directory, *, beside_people: bool = False) -> Directory:
    """`directory`, whose audit records are written down from now on."""
    logger = logging.Logger("addc.audit", logging.INFO)  # of this command alone: nothing else is reconfigured
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if Path(_SYSLOG).is_socket():
        system = SysLogHandler(_SYSLOG, SysLogHandler.LOG_AUTHPRIV)
        handlers = [system] if beside_people else [*handlers, system]
    for handler in handlers:
        handler.setFormatter(logs.JsonFormatter())
        logger.addHandler(handler)
    directory.on_audit(lambda record: logs.audit(record, logger))
    return directory
