"""A small forest laid straight into a store: tests of reads then need neither provision nor the write side.

`build_forest` gives DC=example,DC=com with its configuration, schema and DNS partitions, some accounts
and groups; a `ForestBuilder` adds what a test needs besides.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from uuid import UUID

import pytest

from addc.base.clock import FileTime
from addc.base.ids import AttId, Dnt
from addc.codec.dn import Dn
from addc.codec.ids import Sid
from addc.codec.times import format_generalized
from addc.directory import names
from addc.directory.context import FOREST_STATE, Forest, Home, ReadContext, Shared, WriteContext
from addc.directory.groups import token_for, token_of_sids
from addc.schema import attr
from addc.schema.loader import load_base
from addc.schema.snapshot import Schema
from addc.schema.syntax import DnKind
from addc.security import sddl, wellknown
from addc.security.descriptor import map_generic
from addc.security.token import SYSTEM, Token
from addc.store.engine import Store
from addc.store.links import LinkRow
from addc.store.objects import NewObject, ObjectRow, ObjectState, Stamp
from addc.store.tx import WriteTx
from tests.kit.databases import KEY, SECRET_ATTS

T = TypeVar("T")

NOW: Final = FileTime(133_000_000_000_000_000)
DOMAIN_DN: Final = "DC=example,DC=com"
CONFIG_DN: Final = "CN=Configuration," + DOMAIN_DN
SCHEMA_DN: Final = "CN=Schema," + CONFIG_DN
USERS_DN: Final = "CN=Users," + DOMAIN_DN
DOMAIN_SID: Final = Sid.parse("S-1-5-21-1-2-3")
INVOCATION_ID: Final = UUID("11111111-2222-3333-4444-555555555555")
OPEN: Final = "O:DAG:DAD:(A;;GA;;;BA)(A;;GA;;;SY)(A;;GR;;;AU)"
"""Readable by everybody who logged on."""
CLOSED: Final = "O:DAG:DAD:(A;;GA;;;BA)(A;;GA;;;SY)"
"""Administrators only."""

Value = str | bytes | int
Values = Value | Sequence[Value]


class SequenceRng:
    """Bytes that never repeat and are the same in every run."""

    def __init__(self) -> None:
        self._next = 0

    def bytes(self, size: int) -> bytes:
        self._next += 1
        return self._next.to_bytes(8, "big").rjust(size, b"\x5a")[-size:]


class ManualClock:
    """A clock that a test sets; it goes on by `step` whenever it is looked at."""

    def __init__(self, now: FileTime = NOW) -> None:
        self.time = now
        self.step = 0

    def now(self) -> FileTime:
        self.time = FileTime(self.time + self.step)
        return self.time


@dataclass
class ForestBuilder:
    """Adds rows and links inside one write transaction; stored forms are made from LDAP forms."""

    tx: WriteTx
    schema: Schema
    rng: SequenceRng
    rows: dict[str, Dnt] = field(default_factory=dict)

    def row(self, dn: str) -> Dnt:
        """The row of a DN that was added; a phantom is made for one that was not."""
        found = self.rows.get(dn.lower())
        if found is None:
            found = self.phantom(dn)
        return found

    def _place(self, dn: str) -> tuple[Dnt, AttId, str, bytes]:
        parsed = Dn.parse(dn)
        above = str(parsed.parent)
        parent = self.row(above) if above else names.ROOT
        attribute = self.schema.attribute(parsed.rdn.att)
        assert attribute is not None
        value = parsed.rdn.value
        return parent, attribute.att_id, value, names.rdn_key(self.schema, attribute.att_id, value)

    def phantom(self, dn: str) -> Dnt:
        """A row that only keeps a name."""
        parent, att, rdn, key = self._place(dn)
        dnt = self.tx.insert(
            NewObject(
                parent=parent, nc=names.ROOT, rdn_att=att, rdn=rdn, rdn_key=key, state=ObjectState.PHANTOM
            )
        )
        self.rows[dn.lower()] = dnt
        return dnt

    def add(
        self,
        dn: str,
        object_class: str,
        values: Mapping[str, Values] | None = None,
        *,
        sid: Sid | None = None,
        acl: str = OPEN,
        head: bool = False,
        state: ObjectState = ObjectState.LIVE,
        instance_type: int = 4,
    ) -> Dnt:
        """Add an object; head: it is the root of a naming context of its own."""
        parent, att, rdn, key = self._place(dn)
        above = self.tx.get(parent)
        assert above is not None
        cls = self.schema.class_(object_class)
        assert cls is not None, object_class
        chain = [self.schema.class_by_id(one) for one in reversed(cls.superclasses)]
        attrs: dict[AttId, tuple[bytes, ...]] = {
            attr.OBJECT_CLASS: tuple(one.name_wire for one in (*chain, cls) if one is not None),
            attr.WHEN_CREATED: (format_generalized(NOW),),
            attr.WHEN_CHANGED: (format_generalized(NOW),),
        }
        category = f"CN={cls.default_object_category},{SCHEMA_DN}"
        if SCHEMA_DN.lower() in self.rows:
            attrs[attr.OBJECT_CATEGORY] = (names.reference(self.row(category)),)
        for name, given in (values or {}).items():
            attribute = self.schema.attribute(name)
            assert attribute is not None, name
            attrs[attribute.att_id] = self._stored(name, given)
        usn = self.tx.next_usn()
        stamp = Stamp(1, NOW, INVOCATION_ID.bytes_le, usn, usn)
        dnt = self.tx.insert(
            NewObject(
                parent=parent,
                nc=Dnt(0) if head else above.nc,
                rdn_att=att,
                rdn=rdn,
                rdn_key=key,
                guid=self.rng.bytes(16),
                sid=None if sid is None else bytes(sid),
                instance_type=instance_type | (1 if head else 0),
                state=state,
                class_id=cls.class_id,
                sd_id=self.tx.put_descriptor(map_generic(sddl.parse(acl, DOMAIN_SID, DOMAIN_SID)).pack()),
                usn_created=usn,
                usn_changed=usn,
                attrs=attrs,
                meta={att: stamp for att in attrs},
                index=self._index(attrs, att, rdn),
            )
        )
        self.rows[dn.lower()] = dnt
        return dnt

    def _stored(self, name: str, given: Values) -> tuple[bytes, ...]:
        attribute = self.schema.attribute(name)
        assert attribute is not None
        several = [given] if isinstance(given, str | bytes | int) else list(given)
        stored = []
        for one in several:
            value = str(one) if isinstance(one, int) else one
            if attribute.syntax.dn_kind is DnKind.DN and isinstance(value, str):
                stored.append(names.reference(self.row(value)))
            else:
                stored.append(value.encode() if isinstance(value, str) else value)
        return tuple(stored)

    def _index(
        self, attrs: Mapping[AttId, tuple[bytes, ...]], rdn_att: AttId, rdn: str
    ) -> dict[AttId, set[bytes]]:
        found = {}
        for att, values in ((attr.NAME, (rdn.encode(),)), (rdn_att, (rdn.encode(),)), *attrs.items()):
            attribute = self.schema.attribute_by_id(att)
            assert attribute is not None
            if attribute.is_indexed and not attribute.is_linked:
                plain = attribute.syntax.dn_kind is DnKind.NONE
                found[att] = {attribute.syntax.key(value) if plain else value for value in values}
        return found

    def link(self, source: str, name: str, target: str, data: bytes = b"") -> None:
        """A live value of a forward link attribute."""
        attribute = self.schema.attribute(name)
        assert attribute is not None and attribute.link_id is not None
        stamp = Stamp(1, NOW, INVOCATION_ID.bytes_le, self.tx.next_usn(), self.tx.usn)
        self.tx.put_link(
            LinkRow(attribute.link_id // 2, self.row(source), self.row(target), data, int(NOW), 0, stamp)
        )

    def user(self, name: str, rid: int, values: Mapping[str, Values] | None = None, acl: str = OPEN) -> str:
        """A user below CN=Users; its DN."""
        dn = f"CN={name},{USERS_DN}"
        base: dict[str, Values] = {
            "sAMAccountName": name,
            "userAccountControl": 512,
            "primaryGroupID": 513,
            "sAMAccountType": 0x30000000,
        }
        self.add(dn, "user", {**base, **(values or {})}, sid=DOMAIN_SID.child(rid), acl=acl)
        return dn

    def group(
        self, name: str, sid: Sid, kind: int = 0x8000_0002, members: Sequence[str] = (), acl: str = OPEN
    ) -> str:
        """A group below CN=Users with its members; its DN. kind: groupType as unsigned bits."""
        dn = f"CN={name},{USERS_DN}"
        signed = kind - (1 << 32) if kind >= 1 << 31 else kind
        self.add(dn, "group", {"sAMAccountName": name, "groupType": signed}, sid=sid, acl=acl)
        for member in members:
            self.link(dn, "member", member)
        return dn


GLOBAL: Final = 0x8000_0002
DOMAIN_LOCAL: Final = 0x8000_0004
UNIVERSAL: Final = 0x8000_0008
BUILTIN: Final = 0x8000_0005


def _configuration(b: ForestBuilder) -> None:
    b.add(CONFIG_DN, "configuration", {"cn": "Configuration"}, head=True)
    b.add(SCHEMA_DN, "dMD", head=True)
    b.add(f"CN=Aggregate,{SCHEMA_DN}", "subSchema")
    for name, cn in (("person", "Person"), ("group", "Group"), ("computer", "Computer"), ("user", "User")):
        b.add(f"CN={cn},{SCHEMA_DN}", "classSchema", {"lDAPDisplayName": name})
    services = f"CN=Services,{CONFIG_DN}"
    windows = f"CN=Windows NT,{services}"
    service = f"CN=Directory Service,{windows}"
    b.add(services, "container")
    b.add(windows, "container")
    b.add(service, "nTDSService")
    b.add(f"CN=Query-Policies,{service}", "container")
    b.add(
        f"CN=Default Query Policy,CN=Query-Policies,{service}",
        "queryPolicy",
        {"lDAPAdminLimits": ["MaxPageSize=1000", "MaxValRange=1500"]},
    )
    sites = f"CN=Sites,{CONFIG_DN}"
    site = f"CN=Default-First-Site-Name,{sites}"
    b.add(sites, "sitesContainer")
    b.add(site, "site")
    b.add(f"CN=Servers,{site}", "serversContainer")
    b.add(f"CN=DC1,CN=Servers,{site}", "server")
    b.add(
        f"CN=NTDS Settings,CN=DC1,CN=Servers,{site}",
        "nTDSDSA",
        {"options": 1, "msDS-Behavior-Version": 7, "invocationId": INVOCATION_ID.bytes_le},
    )


def _partitions(b: ForestBuilder) -> None:
    container = f"CN=Partitions,{CONFIG_DN}"
    b.add(container, "crossRefContainer", {"msDS-Behavior-Version": 7})
    for name, nc, dns_root, flags in (
        ("EXAMPLE", DOMAIN_DN, "example.com", 3),
        ("Enterprise Configuration", CONFIG_DN, "example.com", 1),
        ("Enterprise Schema", SCHEMA_DN, "example.com", 1),
        ("DomainDns", "DC=DomainDnsZones," + DOMAIN_DN, "DomainDnsZones.example.com", 5),
        ("CHILD", "DC=child," + DOMAIN_DN, "child.example.com", 3),
    ):
        values: dict[str, Values] = {"nCName": nc, "dnsRoot": dns_root, "systemFlags": flags}
        b.add(f"CN={name},{container}", "crossRef", values)


def _domain(b: ForestBuilder) -> None:
    b.add(USERS_DN, "container")
    b.add(f"OU=Domain Controllers,{DOMAIN_DN}", "organizationalUnit")
    b.add(f"CN=Deleted Objects,{DOMAIN_DN}", "container", {"isDeleted": "TRUE"}, state=ObjectState.DELETED)
    b.add(f"CN=ForeignSecurityPrincipals,{DOMAIN_DN}", "container")
    b.user("Administrator", 500)
    b.user("alice", 1101, {"mail": "Alice@Example.com", "displayName": "Alice Adams", "sn": "Adams"})
    b.user("bob", 1102, {"description": "second", "givenName": "Bob", "sn": "Brown"})
    everyone_logged_on = f"CN=S-1-5-11,CN=ForeignSecurityPrincipals,{DOMAIN_DN}"
    b.add(everyone_logged_on, "foreignSecurityPrincipal", sid=wellknown.AUTHENTICATED_USERS)
    b.group("Domain Users", DOMAIN_SID.child(513))
    b.group("Domain Admins", DOMAIN_SID.child(512), GLOBAL, [f"CN=Administrator,{USERS_DN}"])
    b.group("Administrators", wellknown.BUILTIN_ADMINISTRATORS, BUILTIN, [f"CN=Domain Admins,{USERS_DN}"])
    b.group("Pre-2000", wellknown.ALIAS_PREW2KCOMPACC, BUILTIN, [everyone_logged_on])


def forest_of(rows: Mapping[str, Dnt]) -> Forest:
    """The facts of the forest that `build_forest` lays."""
    site = f"CN=Default-First-Site-Name,CN=Sites,{CONFIG_DN}"
    return Forest(
        realm="EXAMPLE.COM",
        dns_domain="example.com",
        dns_forest="example.com",
        netbios="EXAMPLE",
        domain_sid=DOMAIN_SID,
        domain_guid=UUID(int=7),
        root_nc=rows[DOMAIN_DN.lower()],
        root_dn=DOMAIN_DN,
        domain_nc=rows[DOMAIN_DN.lower()],
        domain_dn=DOMAIN_DN,
        config_nc=rows[CONFIG_DN.lower()],
        config_dn=CONFIG_DN,
        schema_nc=rows[SCHEMA_DN.lower()],
        schema_dn=SCHEMA_DN,
        domain_dns_nc=rows[f"dc=domaindnszones,{DOMAIN_DN}".lower()],
        domain_dns_dn="DC=DomainDnsZones," + DOMAIN_DN,
        forest_dns_nc=Dnt(0),
        forest_dns_dn="DC=ForestDnsZones," + DOMAIN_DN,
        dsa_dnt=rows[f"cn=ntds settings,cn=dc1,cn=servers,{site}".lower()],
        dsa_guid=UUID(int=8),
        invocation_id=INVOCATION_ID,
        server_dnt=rows[f"cn=dc1,cn=servers,{site}".lower()],
        host="DC1",
        host_fqdn="dc1.example.com",
        site="Default-First-Site-Name",
    )


class KitForest:
    """A laid forest with the means to read and extend it."""

    def __init__(self, store: Store, schema: Schema, forest: Forest, rows: dict[str, Dnt]) -> None:
        self.store = store
        self.schema = schema
        self.forest = forest
        self.rows = rows
        self.clock = ManualClock()
        self.home = Home(forest, Shared(), self.clock)
        self._rng = SequenceRng()
        self._rng._next = 1 << 20

    def read(self, work: Callable[[ReadContext], T], requester: Token = SYSTEM) -> T:
        """Run a read in somebody's name."""
        with self.store.read() as tx:
            return work(ReadContext(tx, self.schema, requester, self.clock.now(), self.home))

    def build(self, work: Callable[[ForestBuilder], T]) -> T:
        """Add to the forest."""
        return self.store.write("kit", lambda tx: work(ForestBuilder(tx, self.schema, self._rng, self.rows)))

    def write(self, work: Callable[[WriteContext], T], requester: Token = SYSTEM) -> T:
        """Run a write in somebody's name."""
        return self.store.write(
            "kit",
            lambda tx: work(
                WriteContext(tx, self.schema, requester, self.clock.now(), self.home, rng=self._rng)
            ),
        )

    def row(self, dn: str) -> ObjectRow:
        with self.store.read() as tx:
            found = tx.get(self.rows[dn.lower()])
        assert found is not None
        return found

    def token(self, dn: str) -> Token:
        """The token of an account, with its groups."""
        return self.read(lambda ctx: token_for(ctx, self.rows[dn.lower()]))

    def plain_token(self, rid: int) -> Token:
        """A token of no account here: a SID of the domain and what every logon brings."""
        return self.read(lambda ctx: token_of_sids(ctx, DOMAIN_SID.child(rid), ()))


def build_forest(store: Store) -> KitForest:
    """Lay the forest into an empty store."""
    schema = load_base()

    def work(tx: WriteTx) -> ForestBuilder:
        builder = ForestBuilder(tx, schema, SequenceRng())
        builder.add(DOMAIN_DN, "domainDNS", {"msDS-Behavior-Version": 7}, sid=DOMAIN_SID, head=True)
        _configuration(builder)
        builder.add(f"DC=DomainDnsZones,{DOMAIN_DN}", "domainDNS", head=True)
        _partitions(builder)
        _domain(builder)
        tx.set_state(FOREST_STATE, forest_of(builder.rows).to_json())
        return builder

    rows = store.write("kit.build", work).rows
    return KitForest(store, schema, forest_of(rows), rows)


@pytest.fixture
def forest(store: Store) -> KitForest:
    """The forest on each back end."""
    return build_forest(store)


@pytest.fixture(scope="module")
def shared_forest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitForest]:
    """One forest on SQLite for all tests of a module that only read."""
    path = tmp_path_factory.mktemp("shared") / "directory.db"
    store = Store.create(f"sqlite:///{path}", KEY, SECRET_ATTS)
    yield build_forest(store)
    store.close()


@pytest.fixture
def sqlite_forest(sqlite_store: Store) -> KitForest:
    """The forest on SQLite alone, for rules that no back end can bend."""
    return build_forest(sqlite_store)
