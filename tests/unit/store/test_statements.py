"""Statements are compiled when a dialect first asks; here every one is, for both."""

import importlib
import subprocess
import sys

import pytest
from sqlalchemy.schema import CreateIndex

from addc.store import backend, postgres
from addc.store.tables import OBJECT_CHILD, OBJECT_SID

MODULES = ("objects", "index", "links", "descriptors", "state", "files")
STATEMENTS = [
    pytest.param(value, id=f"{module}.{name}")
    for module in MODULES
    for name, value in vars(importlib.import_module(f"addc.store.{module}")).items()
    if isinstance(value, backend.Statement)
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_takes_its_parameters_in_the_order_of_its_names(
    statement: "backend.Statement[object]",
) -> None:
    assert "?" in statement.sqlite or "%" not in statement.postgres
    assert statement.sqlite.count("?") == statement.postgres.count("%s") - statement.postgres.count("%%s")
    assert statement.sqlite is statement.sqlite


def test_a_statement_has_no_other_dialects() -> None:
    with pytest.raises(AttributeError):
        backend.Statement.__getattr__(STATEMENTS[0].values[0], "oracle")  # type: ignore[arg-type]


def test_postgresql_has_its_own_forms_of_two_indices() -> None:
    dialect = postgres._DIALECT
    assert "INCLUDE (dnt)" in str(CreateIndex(OBJECT_CHILD).compile(dialect=dialect))
    assert "WHERE sid IS NOT NULL" in str(CreateIndex(OBJECT_SID).compile(dialect=dialect))


def test_an_embedded_store_loads_nothing_of_postgresql() -> None:
    program = (
        "import sys, addc.store.engine, addc.store.sqlite\n"
        "sys.exit(any('postgres' in name or 'psycopg' in name for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
