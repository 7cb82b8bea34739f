"""Naming contexts from crossRefs, and which DCs they list.

Spec: [MS-ADTS] 6.1.1.2.1.1 (crossRef), 6.2.2 ("should be present")
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from addc.kcc.reading.dn_keys import is_deleted, key_of, plain
from addc.kcc.reading.entries import RawEntry, RootFacts
from addc.kcc.reading.values import Range, Reader, shown
from addc.kcc.snapshot import NamingContext, NcAt, NcKind

_FLAGS: Final = Range(0, -(1 << 31), (1 << 32) - 1)
_NTDS_NC: Final = 0x1
_NTDS_DOMAIN: Final = 0x2
_NOT_IN_GC: Final = 0x4
_ORDER: Final = {NcKind.CONFIG: 0, NcKind.SCHEMA: 1, NcKind.DOMAIN: 2, NcKind.APPLICATION: 3}
_WRITABLE: Final = "msds-nc-replica-locations"
_READ_ONLY: Final = "msds-nc-ro-replica-locations"


@dataclass(slots=True)
class NcsRead:
    """All naming contexts: config, schema, domains, applications, each kind in order of names.

    places: by key. disabled: keys of those whose crossRef says that they are not in use.
    writable, read_only: of application NCs, the values that list who has to hold them.
    """

    ncs: tuple[NamingContext, ...] = ()
    places: dict[str, NcAt] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    writable: Mapping[NcAt, Sequence[bytes]] = field(default_factory=dict)
    read_only: Mapping[NcAt, Sequence[bytes]] = field(default_factory=dict)

    def of_kind(self, kind: NcKind) -> NcAt | None:
        """The first of a kind; config and schema are the only ones of theirs."""
        return next((NcAt(at) for at, nc in enumerate(self.ncs) if nc.kind is kind), None)


def read_ncs(reader: Reader, cross_refs: Sequence[RawEntry], facts: RootFacts) -> NcsRead:
    """The naming contexts of the forest. Config and schema are there whatever the crossRefs say."""
    read = NcsRead()
    fixed = {
        key_of(dn): kind
        for dn, kind in ((facts.config_dn, NcKind.CONFIG), (facts.schema_dn, NcKind.SCHEMA)) if dn
    }  # fmt: skip
    found: dict[str, tuple[NamingContext, RawEntry | None]] = {}
    for entry in cross_refs:
        nc = _nc(reader, entry, fixed, read.disabled)
        if nc is None:
            continue
        key = key_of(nc.dn)
        if key in found:
            reader.note(entry.dn, f"a second crossRef for {nc.dn}", "the first one counts")
        else:
            found[key] = nc, entry
    for dn, kind in ((facts.config_dn, NcKind.CONFIG), (facts.schema_dn, NcKind.SCHEMA)):
        if dn and key_of(dn) not in found:
            reader.note(dn, "no crossRef names this naming context", "it counts as one all the same")
            found[key_of(dn)] = NamingContext(dn, kind), None
    ordered = sorted(found.items(), key=lambda item: (_ORDER[item[1][0].kind], item[0]))
    read.ncs = tuple(nc for _, (nc, _) in ordered)
    read.places = {key: NcAt(at) for at, (key, _) in enumerate(ordered)}
    read.disabled -= set(read.places)
    read.writable = _listed(ordered, _WRITABLE)
    read.read_only = _listed(ordered, _READ_ONLY)
    return read


def _listed(
    ordered: Sequence[tuple[str, tuple[NamingContext, RawEntry | None]]], name: str
) -> dict[NcAt, Sequence[bytes]]:
    return {
        NcAt(at): entry.values.get(name, ())
        for at, (_, (nc, entry)) in enumerate(ordered)
        if entry is not None and nc.kind is NcKind.APPLICATION
    }


def _nc(
    reader: Reader, entry: RawEntry, fixed: Mapping[str, NcKind], disabled: set[str]
) -> NamingContext | None:
    """The naming context that a crossRef stands for; None for one outside the forest or not in use."""
    flags = reader.number(entry, "systemflags", _FLAGS)
    named = reader.single(entry, "ncname")
    if named is None:
        reader.note(entry.dn, "nCName is missing", "it names no naming context")
        return None
    dn = plain(named.decode("utf-8", "replace"))
    key = key_of(dn)
    if "=" not in dn:
        reader.note(entry.dn, f"nCName is no DN: {shown(named)}", "it names no naming context")
        return None
    if is_deleted(key):
        reader.note(entry.dn, "nCName names a naming context that was deleted", "it is passed over")
        return None
    if reader.truth(entry, "enabled") is False:
        disabled.add(key)
        return None
    if key in fixed:
        return NamingContext(dn, fixed[key])
    if not flags & _NTDS_NC:
        return None  # of another directory
    if flags & _NTDS_DOMAIN:
        return NamingContext(dn, NcKind.DOMAIN, not flags & _NOT_IN_GC)
    return NamingContext(dn, NcKind.APPLICATION)
