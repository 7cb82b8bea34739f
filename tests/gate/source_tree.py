"""What the gates read: the project's Python files and their syntax trees. Standard library only."""

import ast
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


@cache
def product_files() -> tuple[Path, ...]:
    return tuple(sorted((ROOT / "addc").rglob("*.py")))


@cache
def all_files() -> tuple[Path, ...]:
    return (*product_files(), *sorted((ROOT / "tests").rglob("*.py")))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    """ "addc.codec.ber" of addc/codec/ber.py."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Every module named by an import statement anywhere in the file, `if TYPE_CHECKING` included."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found.add(module)
            for alias in node.names:
                below = ROOT / Path(*module.split("."), alias.name)
                if below.with_suffix(".py").exists():
                    found.add(f"{module}.{alias.name}")
    return frozenset(found)
