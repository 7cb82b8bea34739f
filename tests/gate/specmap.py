"""Makes docs/specmap.md from the `Spec:` lines: what of each document is built, and where.

Run as `python -m tests.gate.specmap`.
"""

import re
from collections import defaultdict
from typing import Final

from tests.gate.source_tree import ROOT, name_of, product_files

_LINE: Final = re.compile(r"^\s*(?:\"\"\")?Spec:\s*(.+)$")
_DOCUMENT: Final = re.compile(
    r"\[?(MS-[A-Z]+\d*|C706|RFC ?\d+|X\.\d+)\]?((?:\s*(?:,|and)?\s*[\d][\w.]*(?:-[\d.]+)?)*)"
)


def _entries() -> dict[str, dict[str, set[str]]]:
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in product_files():
        module = name_of(path)
        for line in path.read_text(encoding="utf-8").splitlines():
            match = _LINE.match(line)
            if match is None:
                continue
            for document, sections in _DOCUMENT.findall(match.group(1)):
                names = re.findall(r"\d[\w.]*\w|\d", sections) or ["-"]
                for section in names:
                    found[document.replace("RFC", "RFC ").replace("  ", " ")][section].add(module)
    return found


def _order(section: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdigit() else 0, part) for part in section.split(".")]


def render() -> str:
    """The whole page."""
    lines = [
        "# What is built of each document, and where",
        "",
        "Generated from the `Spec:` lines of the code.",
        "",
    ]
    for document, sections in sorted(_entries().items()):
        lines += [f"## {document}", "", "| section | modules |", "| --- | --- |"]
        for section in sorted(sections, key=_order):
            lines.append(f"| {section} | {', '.join(f'`{m}`' for m in sorted(sections[section]))} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    (ROOT / "docs" / "specmap.md").write_text(render(), encoding="utf-8")
