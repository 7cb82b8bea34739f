"""Sizes, banned calls and promises: what a reader of the house may rely on."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.gate.source_tree import ROOT, all_files, name_of, product_files, tree_of

FILE_LINES_MAX: Final = 800
FUNCTION_LINES_MAX: Final = 70
POSITIONAL_MAX: Final = 5
LOOSE_FILES: Final = re.compile(r"(utils?|helpers?|common|manager|misc)\.py$")
GENERATED: Final = {"addc.schema.attr", "addc.schema.cls"}


def _is_exempt(path: Path) -> bool:
    name = name_of(path)
    return name.startswith("addc.codes") or name.endswith(".idl") or name in GENERATED


def test_files_are_short() -> None:
    long = {
        name_of(p): n
        for p in all_files()
        if (n := len(p.read_text().splitlines())) > FILE_LINES_MAX and not _is_exempt(p)
    }
    assert not long


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_functions_are_short() -> None:
    long = [
        f"{name_of(path)}.{node.name}: {size}"
        for path in product_files()
        for node in _functions(path)
        if (size := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not long


def test_functions_take_few_positional_arguments() -> None:
    wide = [
        f"{name_of(path)}.{node.name}: {count}"
        for path in product_files()
        for node in _functions(path)
        if (count := sum(a.arg not in ("self", "cls") for a in (*node.args.posonlyargs, *node.args.args)))
        > POSITIONAL_MAX
    ]
    assert not wide


def test_files_are_named_for_what_they_know() -> None:
    assert not [str(path) for path in all_files() if LOOSE_FILES.search(path.name)]


def test_package_files_hold_a_docstring_and_no_code() -> None:
    for path in product_files():
        if path.name == "__init__.py":
            body = tree_of(path).body
            assert len(body) == 1 and ast.get_docstring(tree_of(path)), path


def test_every_module_says_what_it_is() -> None:
    assert not [name_of(path) for path in product_files() if not ast.get_docstring(tree_of(path))]


def test_pure_modules_do_not_look_up_time_or_randomness() -> None:
    banned = {"time", "random", "secrets", "socket", "logging", "asyncio"}
    pure = ("addc.codec", "addc.codes", "addc.schema", "addc.security")
    wrong = [
        f"{name_of(path)}: {alias.name}"
        for path in product_files()
        if name_of(path).startswith(pure)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.split(".")[0] in banned
    ]
    assert not wrong


def test_broad_excepts_stand_only_in_services() -> None:
    """`except Exception` belongs to the outermost loop of a service or process; a bare `except` nowhere.

    base.eager hands what is thrown into a coroutine on to the one that it drives.
    """
    services = re.compile(
        r"addc\.(base\.eager|\w+\.service|ldap\.cldap|smb\.connection|kdc\.kkdcp|dns\.(resolver|desk)|server\.\w+|cli\.main|store\.writer)$"
    )
    wrong = []
    for path in product_files():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler):
                bare = node.type is None
                broad = isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
                reraises = any(isinstance(n, ast.Raise) for n in ast.walk(node))
                if bare or (broad and not reraises and not services.match(name_of(path))):
                    wrong.append(f"{name_of(path)}:{node.lineno}")
    assert not wrong


def test_no_promises_in_the_code() -> None:
    promise = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    here = Path(__file__)
    wrong = [
        f"{name_of(p)}: {m.group()}"
        for p in all_files()
        if p != here and (m := promise.search(p.read_text()))
    ]
    assert not wrong


def test_no_skipped_tests() -> None:
    marks = re.compile(r"pytest\.(skip|xfail|importorskip)|mark\.(skip|xfail)")
    here = Path(__file__)
    assert not [str(p) for p in (ROOT / "tests").rglob("*.py") if p != here and marks.search(p.read_text())]


def test_docstrings_cite_sections_that_read_as_sections() -> None:
    """`Spec:` lines name a document and a section, so that docs/specmap.md can be made from them."""
    form = re.compile(r"Spec:\s+(\[(?:MS-[A-Z]+\d*|C706)\]|RFC \d+|X\.\d+|IANA|FIPS|NIST|POSIX)")
    wrong = []
    for path in product_files():
        for line in path.read_text().splitlines():
            if re.search(r"^\s*Spec:", line) and not form.search(line):
                wrong.append(f"{name_of(path)}: {line.strip()}")
    assert not wrong


@pytest.mark.parametrize("package", ["kdc", "rpc", "smb"])
def test_a_package_that_lists_its_modules_lists_them_all(package: str) -> None:
    """Where the docstring of a package is a table of contents, nothing is left out, and nothing is gone."""
    folder = ROOT / "addc" / package
    listed = set(re.findall(r"[a-z0-9_]+", ast.get_docstring(tree_of(folder / "__init__.py")) or ""))
    there = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert there <= listed
    assert {word for word in listed if "_" in word} <= there
