"""What every rule of the directory is handed: one transaction, the schema, who asks, when, and whose forest.

ReadContext and WriteContext live for one transaction. Shared lives as long as the process: caches of what
committed rows say, each with the version it was read at, so that none of them can lie.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Final, Generic, TypeVar, cast
from uuid import UUID

from addc.base.clock import Clock, FileTime, SystemClock
from addc.base.ids import Dnt
from addc.base.rng import Rng
from addc.codec.ids import Sid
from addc.directory.audit_events import AuditRecord
from addc.directory.columns import Columns
from addc.directory.lanes import UNHURRIED, Pace
from addc.directory.sysvol_cache import SysvolCache
from addc.schema.snapshot import Schema
from addc.security.access_check import Grants
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import SYSTEM, Token
from addc.store.tx import ReadTx, WriteTx

T = TypeVar("T")

FOREST_STATE: Final = "forest"
"""Store state: the Forest as JSON."""
NAMES_STATE: Final = "names"
"""Store state: a counter, 8 bytes big-endian, that grows whenever an existing object's DN changes."""

_TOKENS_MAX: Final = 4096
_FACTS_MAX: Final = 60_000
_GRANTS_MAX: Final = 32_768
_DESCRIPTORS_MAX: Final = 8192


@dataclass(frozen=True, slots=True)
class Forest:
    """Fixed facts of this DC and its forest, kept as store state so that no request has to look for them.

    *_nc: row of the NC root; *_dn: its DN. domain_dns_nc and forest_dns_nc are 0 where not hosted here.
    host: the DC's short name; site: the cn of its site.
    """

    realm: str
    dns_domain: str
    dns_forest: str
    netbios: str
    domain_sid: Sid
    domain_guid: UUID
    root_nc: Dnt
    root_dn: str
    domain_nc: Dnt
    domain_dn: str
    config_nc: Dnt
    config_dn: str
    schema_nc: Dnt
    schema_dn: str
    domain_dns_nc: Dnt
    domain_dns_dn: str
    forest_dns_nc: Dnt
    forest_dns_dn: str
    dsa_dnt: Dnt
    dsa_guid: UUID
    invocation_id: UUID
    server_dnt: Dnt
    host: str
    host_fqdn: str
    site: str

    def is_realm(self, name: str) -> bool:
        """Whether a realm's name, or a domain's, means this domain: in any case, NetBIOS name included."""
        return name.upper() in (self.realm, self.netbios.upper())

    def to_json(self) -> bytes:
        """The form kept under the store state "forest"."""
        values = {
            name: str(value) if isinstance(value, Sid | UUID) else value
            for name, value in asdict(self).items()
        }
        return json.dumps(values, sort_keys=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Forest":
        """The inverse of `to_json`."""
        raw = json.loads(data)
        values = {one.name: raw[one.name] for one in fields(cls)}
        values["domain_sid"] = Sid.parse(values["domain_sid"])
        for name in ("domain_guid", "dsa_guid", "invocation_id"):
            values[name] = UUID(values[name])
        return cls(**values)


class NameCache:
    """DN of a row and row of a DN text, true for every snapshot of one names generation.

    live: DNs of living objects as bytes; whoever takes an object's life changes its name as well.
    """

    __slots__ = ("dn_by_dnt", "dnt_by_text", "generation", "live", "seq")

    def __init__(self, seq: int, generation: int) -> None:
        self.seq = seq
        self.generation = generation
        self.dn_by_dnt: dict[Dnt, str] = {}
        self.dnt_by_text: dict[str, Dnt] = {}
        self.live: dict[int, bytes] = {}


class Shared:
    """Process-wide caches over committed rows; safe between threads because each step is one dict operation.

    grants: by token, then by descriptor, structural class and whether the token holds the object's own SID
    (rights.py makes the key). A descriptor's id is made from its content, so it never means another.
    result_sets: sorted results (result_sets.py).
    vets_passwords: people's passwords pass the operator's filter first (password_filter.py).
    """

    __slots__ = (
        "columns", "descriptors", "facts", "grants", "names", "result_sets", "selections", "sysvol",
        "vets_passwords",
    )  # fmt: skip

    def __init__(self) -> None:
        self.names = NameCache(-1, -1)
        self.grants: dict[Token, dict[int, Grants]] = {}
        self.descriptors: dict[int, SecurityDescriptor] = {}
        self.facts: dict[object, tuple[object, object]] = {}
        self.selections: dict[object, object] = {}
        self.columns = Columns()
        self.result_sets: dict[object, object] = {}
        self.vets_passwords = False
        self.sysvol = SysvolCache(-1, -1)

    def names_at(self, tx: ReadTx) -> NameCache:
        """The name cache that is true for the snapshot of `tx`."""
        names = self.names
        seq = tx.seq
        if names.seq == seq:
            return names
        generation = int.from_bytes(tx.state(NAMES_STATE) or b"", "big")
        if names.generation == generation:
            # Generations only grow, so every commit between two of one generation is of it too.
            names.seq = max(names.seq, seq)
            return names
        fresh = NameCache(seq, generation)
        if generation > names.generation:
            self.names = fresh
        return fresh

    def grants_of(self, token: Token) -> dict[int, Grants]:
        """The grants cache of one requester."""
        found = self.grants.get(token)
        if found is None:
            if len(self.grants) >= _TOKENS_MAX:
                self.grants = {}
            found = self.grants[token] = {}
        return found


class ReadContext:
    """One read transaction with everything that the rules need; nothing else is consulted.

    audits: what SACLs want to be told (audit.py).
    unrestricted: the requester is SYSTEM, whom no descriptor stops. pace: told of the rows that long work
    looks at. columns: values of attributes at hand; None where those of committed rows do not do.
    """

    __slots__ = (
        "audits",
        "clock",
        "columns",
        "descriptors",
        "facts",
        "forest",
        "grants_by_sd",
        "names",
        "now",
        "pace",
        "requester",
        "schema",
        "shared",
        "tx",
        "unrestricted",
    )

    tx: ReadTx

    def __init__(self, tx: ReadTx, schema: Schema, requester: Token, now: FileTime, home: "Home") -> None:
        self.tx = tx
        self.schema = schema
        self.requester = requester
        self.unrestricted = requester is SYSTEM
        self.now = now
        self.audits: list[AuditRecord] = []
        self.forest = home.forest
        self.shared = home.shared
        self.clock = home.clock
        self.pace: Pace = UNHURRIED
        self.columns: Columns | None = home.shared.columns
        self._caches()

    def _caches(self) -> None:
        shared = self.shared
        self.names = shared.names if shared.names.seq == self.tx.seq else shared.names_at(self.tx)
        self.grants_by_sd = shared.grants_of(self.requester)
        self.descriptors = shared.descriptors
        self.facts = shared.facts

    def keep(self, key: object, version: object, value: object) -> None:
        """Remember a fact as of a version; all facts are forgotten where they grew too many."""
        if len(self.facts) >= _FACTS_MAX:
            self.facts.clear()
        self.facts[key] = (version, value)

    def room_for_grants(self) -> dict[int, Grants]:
        """This requester's grants, emptied if they grew too many."""
        if len(self.grants_by_sd) >= _GRANTS_MAX:
            self.grants_by_sd.clear()
        return self.grants_by_sd

    def room_for_descriptors(self) -> dict[int, SecurityDescriptor]:
        """The parsed descriptors, emptied if they grew too many."""
        if len(self.descriptors) >= _DESCRIPTORS_MAX:
            self.descriptors.clear()
        return self.descriptors


class WriteContext(ReadContext):
    """One write transaction.

    What it caches of rows is its own, since that may never be committed; descriptors and grants are shared,
    since a descriptor's id is made from its content.
    """

    __slots__ = ("rng",)

    tx: WriteTx

    def __init__(
        self, tx: WriteTx, schema: Schema, requester: Token, now: FileTime, home: "Home", *, rng: Rng
    ) -> None:
        super().__init__(tx, schema, requester, now, home)
        self.rng = rng
        self.columns = None  # they know nothing of what this transaction wrote

    def _caches(self) -> None:
        self.names = NameCache(-1, -1)
        self.grants_by_sd = self.shared.grants_of(self.requester)
        self.descriptors = self.shared.descriptors
        self.facts = {}

    def as_requester(self, requester: Token) -> "WriteContext":
        """The same transaction in another's name, such as SYSTEM for the DC's own work."""
        other = WriteContext(
            self.tx,
            self.schema,
            requester,
            self.now,
            Home(self.forest, self.shared, self.clock),
            rng=self.rng,
        )
        other.names = self.names
        other.audits = self.audits
        other.facts = self.facts
        return other


@dataclass(frozen=True, slots=True)
class Home:
    """What outlives a request: the forest's facts, the process's caches, and the clock for time limits."""

    forest: Forest
    shared: Shared
    clock: Clock = field(default_factory=SystemClock)


class Fact(Generic[T]):
    """Something derived from the directory, kept until the version that it was derived from changes.

    Declared once per module; the version is the row it comes from (rows are values: another row object means
    another content) or the number of the snapshot's commit.
    """

    __slots__ = ()

    def get(self, ctx: ReadContext, version: object, derive: Callable[[], T]) -> T:
        """The kept value if it is of `version`, else `derive()`."""
        kept = ctx.facts.get(self)
        if kept is not None and (kept[0] is version or (isinstance(version, int) and kept[0] == version)):
            return cast(T, kept[1])
        value = derive()
        ctx.facts[self] = (version, value)
        return value
