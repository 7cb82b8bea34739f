"""What administrators do to the schema beside LDAP: look at it, carry out a file, bring it to a version.

Spec: [MS-ADTS] 3.1.1.2.1 (objectVersion); the published updates Sch89 to Sch91.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from addc.base.errors import DecodeError, UserError
from addc.codec.ldif import Record, parse
from addc.directory import schema_report
from addc.directory.context import ReadContext, WriteContext
from addc.directory.schema_import import Progress, Summary, import_records
from addc.directory.schema_report import SchemaReport
from addc.schema.loader import level_file
from addc.security.token import SYSTEM, Token

T = TypeVar("T")


class Door(Protocol):
    """What this needs of the directory."""

    def read_now(self, name: str, requester: Token, work: Callable[[ReadContext], T]) -> T: ...

    def write_now(self, name: str, requester: Token, work: Callable[[WriteContext], T]) -> T: ...


def show(directory: Door) -> SchemaReport:
    """The schema as it stands."""
    return directory.read_now("schema.show", SYSTEM, schema_report.report)


def import_file(
    directory: Door,
    path: Path,
    *,
    upgrade: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Carry out a file of changes as a whole, and put them in force.

    upgrade: as fschemaUpgradeInProgress allows. Raises UserError for what is wrong in the file.
    """
    return import_records(
        lambda work: directory.write_now("schema.import", SYSTEM, work),
        _records(path),
        upgrade=upgrade,
        dry_run=dry_run,
        progress=progress,
    )


def _records(path: Path) -> list[Record]:
    try:
        return list(parse(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror}. Next step: name a file that this user may read."
        ) from error
    except (DecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}. Next step: mend the file.") from error


def upgrade_file(directory: Door, version: int) -> Path | None:
    """The file that brings the schema to a version; None where it has it, or a later one.

    Raises UserError where none ships.
    """
    held = show(directory).version
    if held >= version:
        return None
    path = level_file(version)
    if path is None:
        raise UserError(f"No changes to version {version} ship with this program. Next step: name a file.")
    return path
