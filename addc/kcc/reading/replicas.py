"""Which replicas a DC holds, and which it should: maps that DCs with equal ones share.

Spec: [MS-ADTS] 6.2.2 ("is present", "should be present"), 6.1.1.2.2.1.2.1.1 (nTDSDSA)
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from addc.base.errors import DecodeError
from addc.codec.dn import split_dn_binary
from addc.kcc.reading.dn_keys import is_deleted, key_of, plain
from addc.kcc.reading.entries import RawEntry
from addc.kcc.reading.ncs import NcsRead
from addc.kcc.reading.values import Reader
from addc.kcc.snapshot import DcAt, NcAt, NcKind, Replica

_GOING: Final = 0x20
"""IT_NC_GOING of instanceType."""
_MASTER: Final = ("hasmasterncs", "msds-hasmasterncs")
_FULL: Final = "msds-hasfullreplicancs"
_PARTIAL: Final = "haspartialreplicancs"
_INSTANTIATED: Final = "msds-hasinstantiatedncs"
_DOMAIN: Final = "msds-hasdomainncs"
_NONE: Final[tuple[bytes, ...]] = ()

Held = Mapping[NcAt, Replica]
_Stated = tuple[tuple[bytes, ...], ...]


class Due(NamedTuple):
    """What decides which replicas a DC should have. apps: application NCs that list it."""

    domain: NcAt | None
    is_gc: bool
    is_read_only: bool
    apps: tuple[NcAt, ...]


class Replicas:
    """Reads what DCs hold and makes what they should hold, each distinct map once."""

    __slots__ = ("_config", "_due", "_held", "_in_gc", "_listed", "_reader", "_schema", "_unknown", "ncs")

    def __init__(self, reader: Reader, ncs: NcsRead) -> None:
        self.ncs = ncs
        self._reader = reader
        self._held: dict[_Stated, Held] = {}
        self._due: dict[Due, Held] = {}
        self._unknown: set[str] = set()
        self._listed: dict[bool, dict[DcAt, list[NcAt]]] = {}
        self._config = ncs.of_kind(NcKind.CONFIG)
        self._schema = ncs.of_kind(NcKind.SCHEMA)
        self._in_gc = tuple(
            NcAt(at) for at, nc in enumerate(ncs.ncs) if nc.kind is NcKind.DOMAIN and nc.is_in_gc
        )

    def held(self, entry: RawEntry) -> Held:
        """The replicas that are present, as the attributes of an nTDSDSA object tell."""
        values = entry.values
        stated = tuple([
            tuple(values.get(name, _NONE)) for name in (*_MASTER, _FULL, _PARTIAL, _INSTANTIATED)
        ])  # fmt: skip
        found = self._held.get(stated)
        if found is None:
            found = self._held[stated] = self._present(entry, stated)
        return found

    def _present(self, entry: RawEntry, stated: _Stated) -> Held:
        held: dict[NcAt, Replica] = {}
        masters = (*stated[0], *stated[1])
        for values, kind in (
            (stated[3], Replica.PARTIAL), (stated[2], Replica.READ_ONLY), (masters, Replica.WRITABLE)
        ):  # fmt: skip
            for value in values:
                at = self._place(entry, value)
                if at is not None:
                    held[at] = kind
        for value in stated[4]:
            going = self._going(entry, value)
            if going is not None:
                held.pop(going, None)
        return dict(sorted(held.items()))

    def _place(self, entry: RawEntry, value: bytes) -> NcAt | None:
        key = self._reader.key(value)
        at = self.ncs.places.get(key)
        if at is None and key not in self.ncs.disabled and key not in self._unknown and not is_deleted(key):
            self._unknown.add(key)
            named = plain(value.decode("utf-8", "replace"))
            what = f"a replica of {named}, which no crossRef knows"
            self._reader.note(plain(entry.dn), what, "nothing is planned for it")
        return at

    def _going(self, entry: RawEntry, value: bytes) -> NcAt | None:
        """The naming context whose replica a value says is being taken away."""
        try:
            kind, dn = split_dn_binary(value.decode("utf-8", "replace"))
        except DecodeError:
            what = "msDS-HasInstantiatedNCs has a value that is no DN-Binary"
            self._reader.note(plain(entry.dn), what, "the replica counts as present")
            return None
        return self.ncs.places.get(key_of(dn)) if int.from_bytes(kind, "big") & _GOING else None

    def domain(self, entry: RawEntry, held: Held) -> NcAt | None:
        """The DC's default NC: as it says, else the one domain that it holds in full."""
        ncs = self.ncs.ncs
        for value in entry.values.get(_DOMAIN, _NONE):
            at = self._place(entry, value)
            if at is not None and ncs[at].kind is NcKind.DOMAIN:
                return at
        full = [at for at, kind in held.items() if kind.is_full and ncs[at].kind is NcKind.DOMAIN]
        if len(full) == 1:
            return full[0]
        what = "nothing tells which domain the DC is of"
        if full:
            what = f"the DC holds {len(full)} domains in full, and does not say which one is its own"
        then = f"{ncs[full[0]].dn} counts as its own" if full else "no replica of a domain is due on it"
        self._reader.note(plain(entry.dn), what, then)
        return full[0] if full else None

    def read_lists(self, places: Mapping[str, DcAt], known: Iterable[DcAt]) -> None:
        """Which application NCs list which DC. places: DCs by key. known: all that there are."""
        everywhere = frozenset(known)
        for is_read_only, lists in ((False, self.ncs.writable), (True, self.ncs.read_only)):
            by_dc = self._listed[is_read_only] = {}
            for nc, values in lists.items():
                self._read_list(nc, values, places, by_dc)
            assert by_dc.keys() <= everywhere

    def _read_list(
        self,
        nc: NcAt,
        values: Sequence[bytes],
        places: Mapping[str, DcAt],
        by_dc: dict[DcAt, list[NcAt]],
    ) -> None:
        for value in values:
            dc = places.get(self._reader.key(value))
            if dc is None:
                named = plain(value.decode("utf-8", "replace"))
                if not is_deleted(self._reader.key(value)):
                    what = f"listed as a place of a replica, but no DC: {named}"
                    self._reader.note(self.ncs.ncs[nc].dn, what, "it is passed over")
            elif nc not in by_dc.setdefault(dc, []):
                by_dc[dc].append(nc)

    def due(self, dc: DcAt, domain: NcAt | None, is_gc: bool, is_read_only: bool) -> Held:
        """The replicas that should be present."""
        apps = tuple(self._listed[is_read_only].get(dc, ()))
        asked = Due(domain, is_gc, is_read_only, apps)
        found = self._due.get(asked)
        if found is None:
            found = self._due[asked] = self._wanted(asked)
        return found

    def _wanted(self, asked: Due) -> Held:
        full = Replica.READ_ONLY if asked.is_read_only else Replica.WRITABLE
        wanted: dict[NcAt, Replica] = dict.fromkeys(self._in_gc, Replica.PARTIAL) if asked.is_gc else {}
        for at in (self._config, self._schema, asked.domain, *asked.apps):
            if at is not None:
                wanted[at] = full
        return dict(sorted(wanted.items()))
