"""A forest root domain to write to, on both back ends: made once per session, copied for every test."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.ids import AttId, Dnt
from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.directory import accounts, entry, groups, names
from addc.directory.add import add_object
from addc.directory.context import FOREST_STATE, Forest, Home, ReadContext, Shared, WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.modify import Change, ModOp, modify_object
from addc.provision.forest import create_forest, secret_attributes
from addc.schema import attr
from addc.schema.loader import load_base
from addc.schema.snapshot import Schema
from addc.security.krb_keys import nt_hash
from addc.security.token import SYSTEM, Token
from addc.store.engine import Store
from addc.store.objects import ObjectRow
from tests.kit.corp_forest import DOMAIN_DN, NOW, CountingRng, corp_plan
from tests.kit.databases import KEY, PostgresServer
from tests.kit.laid_database import LaidDatabase

T = TypeVar("T")
Value = str | bytes | Sequence[str | bytes]
"""One value of an attribute, or several."""

SEALED: Final = RequestOptions(confidential=True)
"""As over TLS."""


def quoted(password: str) -> bytes:
    """A unicodePwd value."""
    return f'"{password}"'.encode("utf-16-le")


@dataclass
class Corp:
    """An open store with the forest in it, a clock to turn, and short words for what tests do."""

    store: Store
    schema: Schema
    forest: Forest
    now: FileTime = NOW
    rng: CountingRng = field(default_factory=lambda: CountingRng(b"test"))

    def __post_init__(self) -> None:
        self.home = Home(self.forest, Shared())

    def later(self, seconds: float) -> None:
        self.now = FileTime(self.now + int(seconds * TICKS_PER_S))

    def read(self, work: Callable[[ReadContext], T], requester: Token = SYSTEM) -> T:
        with self.store.read() as tx:
            return work(ReadContext(tx, self.schema, requester, self.now, self.home))

    def write(self, work: Callable[[WriteContext], T], requester: Token = SYSTEM) -> T:
        return self.store.write(
            "test",
            lambda tx: work(WriteContext(tx, self.schema, requester, self.now, self.home, rng=self.rng)),
        )

    # --- doing ---

    def add(
        self,
        dn: str,
        object_class: str,
        requester: Token | None = None,
        options: RequestOptions = SEALED,
        values: Mapping[str, Value] | None = None,
        **more: Value,
    ) -> Dnt:
        """Add below the domain: "CN=x,CN=Users" is enough of a DN. `_` in names of `more` stands for `-`."""
        attributes = [("objectClass", [object_class.encode()])]
        attributes += [(name, _wire(value)) for name, value in (values or {}).items()]
        attributes += [(name.replace("_", "-"), _wire(value)) for name, value in more.items()]
        return self.write(
            lambda ctx: add_object(ctx, self.dn(dn), attributes, options), requester or self.admin
        )

    def modify(
        self, dn: str, *changes: Change, requester: Token | None = None, options: RequestOptions = SEALED
    ) -> Dnt:
        return self.write(
            lambda ctx: modify_object(ctx, self.dn(dn), changes, options), requester or self.admin
        )

    def user(self, name: str, password: str = "", **more: Value) -> Dnt:
        """An enabled user below CN=Users, or a disabled one where there is no password."""
        values = {"sAMAccountName": name, **more}
        if password:
            values |= {"unicodePwd": quoted(password), "userAccountControl": "512"}
        return self.add(f"CN={name},CN=Users", "user", values=values)

    def group(self, name: str, kind: int = -2147483646) -> Dnt:
        return self.add(f"CN={name},CN=Users", "group", sAMAccountName=name, groupType=str(kind))

    # --- looking ---

    @staticmethod
    def dn(dn: str) -> str:
        return dn if "DC=" in dn or dn.startswith("<") else f"{dn},{DOMAIN_DN}" if dn else DOMAIN_DN

    def row(self, name: str | Dnt) -> ObjectRow:
        """A row by its dnt or DN; deleted ones too."""

        def work(ctx: ReadContext) -> ObjectRow:
            if isinstance(name, str):
                return names.resolve(ctx, self.dn(name), deleted=True)
            row = ctx.tx.get(name)
            assert row is not None
            return row

        return self.read(work)

    def values(self, name: str | Dnt, attribute: str) -> list[bytes]:
        """Values as LDAP shows them."""
        row = self.row(name)
        found = self.schema.attribute(attribute)
        assert found is not None
        return self.read(lambda ctx: entry.values(ctx, row, found.att_id))

    def text(self, name: str | Dnt, attribute: str) -> str:
        values = self.values(name, attribute)
        assert len(values) == 1, values
        return values[0].decode()

    def version(self, name: str | Dnt, att: AttId) -> int:
        return self.row(name).meta[att].version

    def token(self, name: str) -> Token:
        """The token of an account."""

        def work(ctx: ReadContext) -> Token:
            row = accounts.row_by_sam(ctx, name)
            assert row is not None, name
            return groups.token_for(ctx, row.dnt)

        return self.read(work)

    def sid(self, name: str | Dnt) -> Sid:
        sid = self.row(name).sid
        assert sid is not None
        return Sid(sid)

    @property
    def admin(self) -> Token:
        return self.token("Administrator")


def _wire(value: Value) -> list[bytes]:
    values = [value] if isinstance(value, str | bytes) else value
    return [one.encode() if isinstance(one, str) else one for one in values]


def add_values(attribute: str, *values: str | bytes) -> Change:
    return Change(ModOp.ADD, attribute, _wire(values))


def delete_values(attribute: str, *values: str | bytes) -> Change:
    return Change(ModOp.DELETE, attribute, _wire(values))


def replace_values(attribute: str, *values: str | bytes) -> Change:
    return Change(ModOp.REPLACE, attribute, _wire(values))


def _fill(url: str) -> None:
    schema = load_base()
    store = Store.create(url, KEY, secret_attributes(schema))
    create_forest(store, schema, corp_plan(), NOW, CountingRng(b"forest"))
    store.close()


def open_corp(url: str) -> Corp:
    """A forest that `_fill` made."""
    schema = load_base()
    store = Store.open(url, KEY, secret_attributes(schema))
    with store.read() as tx:
        state = tx.state(FOREST_STATE)
    assert state is not None
    return Corp(store, schema, Forest.from_json(state))


def has_password(row: ObjectRow, password: Secret) -> bool:
    """Whether that (UTF-16LE) is an account's present password."""
    (stored,) = row.attrs.get(attr.UNICODE_PWD, (b"",))
    return Secret(nt_hash(password)).matches(stored)


@pytest.fixture(scope="session")
def corp_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The forest as one SQLite file."""
    path = tmp_path_factory.mktemp("corp") / "directory.db"
    _fill(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture(scope="session")
def corp_database(postgres_server: PostgresServer) -> LaidDatabase:
    """The forest as a PostgreSQL database."""
    return LaidDatabase(postgres_server, _fill)


@pytest.fixture(params=["sqlite", "postgresql"])
def corp(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Corp]:
    """A fresh copy of the forest, once for each back end."""
    if request.param == "sqlite":
        path = tmp_path / "directory.db"
        shutil.copyfile(request.getfixturevalue("corp_file"), path)
        made = open_corp(f"sqlite:///{path}")
        yield made
        made.store.close()
        return
    laid: LaidDatabase = request.getfixturevalue("corp_database")
    made = open_corp(laid.take())
    yield made
    made.store.close()
    laid.give_back()


@pytest.fixture
def corp_sqlite(corp_file: Path, tmp_path: Path) -> Iterator[Corp]:
    """A fresh copy on SQLite alone, for rules that no back end can change."""
    path = tmp_path / "directory.db"
    shutil.copyfile(corp_file, path)
    made = open_corp(f"sqlite:///{path}")
    yield made
    made.store.close()
