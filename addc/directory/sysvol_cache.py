"""What SYSVOL's committed rows say, kept until a commit changes any of them.

Policies change seldom and are read all the time, by every machine: rows, names and the content of small files
of one generation are kept, and a generation ends with the next commit that touches any file. A reader asks
for the generation once for each commit that it sees.
"""

from typing import Final

from addc.store import files
from addc.store.files import FileRow
from addc.store.tx import ReadTx

ROWS_MAX: Final = 50_000
CONTENT_MAX: Final = 33_554_432
"""Octets of small files that are kept."""


class SysvolCache:
    """Rows by id and by name, folders' lists, and content; of one generation."""

    __slots__ = ("by_name", "content", "content_size", "generation", "lists", "rows", "seq")

    def __init__(self, seq: int, generation: int) -> None:
        self.seq = seq
        self.generation = generation
        self.rows: dict[int, FileRow] = {}
        self.by_name: dict[tuple[int, str], FileRow | None] = {}
        self.lists: dict[int, tuple[FileRow, ...]] = {}
        self.content: dict[int, bytes] = {}
        self.content_size = 0

    def keep_row(self, row: FileRow) -> None:
        if len(self.rows) >= ROWS_MAX:
            self.rows.clear()
        self.rows[row.node] = row

    def keep_name(self, parent: int, name: str, row: FileRow | None) -> None:
        """Remember what a name, as upcase has it, leads to."""
        if len(self.by_name) >= ROWS_MAX:
            self.by_name.clear()
        self.by_name[parent, name] = row

    def keep_list(self, folder: int, rows: tuple[FileRow, ...]) -> None:
        if sum(map(len, self.lists.values())) + len(rows) > ROWS_MAX:
            self.lists.clear()
        self.lists[folder] = rows

    def keep_content(self, node: int, data: bytes) -> None:
        if self.content_size + len(data) > CONTENT_MAX:
            self.content.clear()
            self.content_size = 0
        self.content[node] = data
        self.content_size += len(data)


def at(known: SysvolCache, tx: ReadTx) -> SysvolCache:
    """The cache that is true for the snapshot of `tx`: `known`, or a new one."""
    seq = tx.seq
    if known.seq == seq:
        return known
    generation = files.totals(tx)[0]
    if known.generation == generation:
        # Generations only grow, so every commit between two of one generation is of it too.
        known.seq = max(known.seq, seq)
        return known
    return SysvolCache(seq, generation)
