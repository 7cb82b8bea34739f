"""A forest that knows delegated managed accounts: one such account, a service's user, two machines."""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from addc.directory import rootdse_operations, schema_commands
from addc.directory.api import Directory, Services
from addc.directory.context import Shared
from addc.directory.modify import Change, ModOp
from addc.directory.schema_cache import SchemaCache
from addc.schema.snapshot import Schema
from addc.security import sddl
from addc.security.token import Token
from tests.kit.corp import Corp, open_corp, quoted
from tests.kit.corp_forest import CountingRng, StandingClock

HEIR = "CN=heir,CN=Managed Service Accounts"
SERVICE = "CN=svc,CN=Users"
CLASS = "msDS-DelegatedManagedServiceAccount"
SPN = "HTTP/svc.corp.example.com"
PASSWORD = "Serv1ce.Password"


def upgrade(corp: Corp) -> None:
    """Bring the schema to version 91."""
    directory = Directory(corp.store, corp.schema, Services(StandingClock(corp.now), CountingRng(b"schema")))
    path = schema_commands.upgrade_file(directory, 91)
    assert path is not None
    schema_commands.import_file(directory, path, upgrade=True)
    corp.schema = schema_in_force(corp)


def schema_in_force(corp: Corp) -> Schema:
    with corp.store.read() as tx:
        return SchemaCache(corp.schema, Shared()).at(tx, corp.forest.schema_nc)


@dataclass
class Migration:
    """An account svc that is to be replaced by heir$, whose tickets HOST1$ may have and HOST2$ may not."""

    corp: Corp

    @classmethod
    def make(cls, corp: Corp) -> "Migration":
        upgrade(corp)
        for name in ("HOST1", "HOST2"):
            corp.add(
                f"CN={name},CN=Computers",
                "computer",
                sAMAccountName=f"{name}$",
                userAccountControl="4096",
                unicodePwd=quoted("Mach1ne.Password"),
            )
        corp.user("svc", PASSWORD, servicePrincipalName=SPN)
        cls.add_heir(corp)
        return cls(corp)

    @staticmethod
    def add_heir(
        corp: Corp, dn: str = HEIR, requester: Token | None = None, **more: str | Sequence[str]
    ) -> None:
        host = corp.sid("CN=HOST1,CN=Computers")
        membership = sddl.parse(f"O:BAD:(A;;RP;;;{host})", corp.forest.domain_sid).pack()
        name = dn.partition(",")[0].removeprefix("CN=")
        values: dict[str, str | bytes | Sequence[str | bytes]] = {
            "sAMAccountName": f"{name}$",
            "userAccountControl": "4096",
            "msDS-ManagedPasswordInterval": "30",
            "msDS-DelegatedMSAState": "0",
            "msDS-GroupMSAMembership": membership,
        }
        values |= {key.replace("_", "-"): value for key, value in more.items()}
        corp.add(dn, CLASS, requester, values=values)

    def migrate(self, step: int, requester: Token | None = None) -> None:
        """The operation migrateADServiceAccount."""
        value = f"{self.corp.dn(HEIR)}:{self.corp.dn(SERVICE)}:{step}".encode()
        change = Change(ModOp.ADD, "migrateADServiceAccount", [value])
        self.corp.write(lambda ctx: rootdse_operations.operate(ctx, [change]), requester or self.corp.admin)

    def finish(self) -> None:
        for step in (1, 2):
            self.migrate(step)


@pytest.fixture(scope="session")
def migration_file(corp_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The forest with the accounts, as one SQLite file."""
    path = tmp_path_factory.mktemp("delegated") / "directory.db"
    shutil.copyfile(corp_file, path)
    corp = open_corp(f"sqlite:///{path}")
    Migration.make(corp)
    corp.store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture
def migration(migration_file: Path, tmp_path: Path) -> Iterator[Migration]:
    """A fresh copy of it."""
    path = tmp_path / "delegated.db"
    shutil.copyfile(migration_file, path)
    corp = open_corp(f"sqlite:///{path}")
    corp.schema = schema_in_force(corp)
    corp.rng = CountingRng(b"migration")
    yield Migration(corp)
    corp.store.close()
