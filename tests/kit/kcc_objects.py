"""A forest as objects that a test damages one by one."""

from collections.abc import Sequence

from addc.kcc.reading.as_entries import entries_of
from addc.kcc.reading.dn_keys import plain
from addc.kcc.reading.entries import RawEntry, RootFacts
from addc.kcc.reading.forest import snapshot_of
from addc.kcc.snapshot import Snapshot, Trouble
from tests.kit.kcc_forest import NOW


class Objects:
    """Objects of a snapshot; each is called by the beginning of its DN."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.entries, self.facts = entries_of(snapshot)

    def _at(self, start: str) -> int:
        (found,) = [at for at, one in enumerate(self.entries) if plain(one.dn).startswith(start)]
        return found

    def dn(self, start: str) -> str:
        return self.entries[self._at(start)].dn

    def set(self, start: str, name: str, *values: str | bytes) -> None:
        """Other values of an attribute; none at all takes it away."""
        at = self._at(start)
        held = {one: found for one, found in self.entries[at].values.items() if one != name.lower()}
        if values:
            held[name.lower()] = [one if isinstance(one, bytes) else one.encode() for one in values]
        self.entries[at] = RawEntry(self.entries[at].dn, held)

    def append(self, start: str, name: str, value: str) -> None:
        held = self.entries[self._at(start)].values.get(name.lower(), ())
        self.set(start, name, *held, value)

    def rename(self, start: str, dn: str) -> None:
        at = self._at(start)
        self.entries[at] = RawEntry(dn, self.entries[at].values)

    def drop(self, start: str) -> None:
        del self.entries[self._at(start)]

    def copy(self, start: str, dn: str, **values: Sequence[bytes]) -> None:
        """One more object like another."""
        self.entries.append(RawEntry(dn, {**self.entries[self._at(start)].values, **values}))

    def read(self, facts: RootFacts | None = None) -> Snapshot:
        return snapshot_of(self.entries, facts or self.facts, NOW)

    def troubles(self) -> tuple[Trouble, ...]:
        return self.read().troubles

    def told(self) -> list[str]:
        """What is wrong, without where."""
        return [one.what for one in self.troubles()]
