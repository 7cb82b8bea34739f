"""Databases for tests: a file for SQLite, and a PostgreSQL that the tests start themselves.

One server per test session, on a unix socket in a scratch folder, stopped by its process id at the end; a
fresh database per test that wants it empty, one that is set back after each test for all that want it laid.
Import the fixtures that a test module needs, or list this module in `pytest_plugins`.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
import pytest

from addc.base.ids import AttId
from addc.base.secret import Secret
from addc.store.engine import Store
from tests.kit.laid_database import LaidDatabase

KEY: Final = Secret(bytes(range(32)))
SECRET_ATT: Final = AttId(0x9005A)
"""unicodePwd: sealed in every store that these fixtures make."""
SECRET_ATTS: Final = frozenset({SECRET_ATT})
_START_TIMEOUT_S: Final = 60
_PORT: Final = 5432


def _server_binaries() -> Path:
    """Where Debian, or whoever installed it, put the server's programs."""
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda one: int(one.parts[-3]))
    if not found:
        raise RuntimeError("no PostgreSQL server programs found; install the package 'postgresql'")
    return found[-1].parent


@dataclass
class PostgresServer:
    """A scratch server; it refuses to run as root, so root hands it to the user postgres."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="addc-pg-")))
    _count: int = 0
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def _user(self) -> str | None:
        return "postgres" if os.geteuid() == 0 else None

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def init(self) -> None:
        """Make the empty cluster."""
        if self._user:
            shutil.chown(self.folder, self._user)
        programs = _server_binaries()
        subprocess.run(
            [programs / "initdb", "-D", self._data, "-U", "addc", "-A", "trust", "-E", "UTF8", "--locale=C"],
            user=self._user, cwd=self.folder, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self) -> None:
        """Run the server and wait until it answers."""
        options = {
            "listen_addresses": "", "unix_socket_directories": str(self.folder), "port": str(_PORT),
            "max_connections": "60", "shared_buffers": "32MB", "logging_collector": "off", "fsync": "off",
        }  # fmt: skip
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [_server_binaries() / "postgres", "-D", self._data, *arguments],
                user=self._user, cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip
        waiting = [str(_server_binaries() / "pg_isready"), "-q", "-h", str(self.folder), "-p", str(_PORT)]
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            if subprocess.run(waiting, check=False).returncode == 0:
                return
            assert self._process.poll() is None, (self.folder / "log").read_text()
        raise RuntimeError("PostgreSQL did not start: " + (self.folder / "log").read_text())

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT drops its clients, SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _run(self, text: str, *params: str) -> None:
        with psycopg.connect(
            host=str(self.folder), port=_PORT, user="addc", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(text.encode(), params or None)

    def new_database(self) -> str:
        """The URL of a fresh, empty database."""
        self._count += 1
        name = f"test{self._count}"
        self._run(f"CREATE DATABASE {name} TEMPLATE template0")
        return f"postgresql+psycopg://addc@/{name}?host={self.folder}&port={_PORT}"

    def drop_database(self, url: str) -> None:
        name = url.partition("@/")[2].partition("?")[0]
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def connect(self, url: str) -> "psycopg.Connection[tuple[object, ...]]":
        """An open transaction in a database; leaving its `with` commits and closes."""
        name = url.partition("@/")[2].partition("?")[0]
        return psycopg.connect(host=str(self.folder), port=_PORT, user="addc", dbname=name)

    def drop_clients(self, url: str) -> None:
        """Cut every connection to a database, as a restart or a firewall would."""
        name = url.partition("@/")[2].partition("?")[0]
        cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        self._run(cut + " AND backend_type = 'client backend'", name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The session's PostgreSQL, started when the first test asks for it."""
    server = PostgresServer()
    try:
        server.init()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, once for each back end."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'directory.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.new_database()
    yield url
    server.drop_database(url)


def _lay_empty(url: str) -> None:
    Store.create(url, KEY, SECRET_ATTS).close()


@pytest.fixture(scope="session")
def empty_database(postgres_server: PostgresServer) -> LaidDatabase:
    """A PostgreSQL database with an empty store in it."""
    return LaidDatabase(postgres_server, _lay_empty)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store, once for each back end."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'directory.db'}"
        _lay_empty(url)
        yield url
        return
    laid: LaidDatabase = request.getfixturevalue("empty_database")
    yield laid.take()
    laid.give_back()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store, once for each back end."""
    made = Store.open(store_url, KEY, SECRET_ATTS)
    yield made
    made.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An empty store on SQLite alone, for tests whose subject is above the store."""
    made = Store.create(f"sqlite:///{tmp_path / 'directory.db'}", KEY, SECRET_ATTS)
    yield made
    made.close()


Opener = Callable[[], Store]


@pytest.fixture
def open_again(store: Store, store_url: str) -> Iterator[Opener]:
    """Opens further stores over the database of `store`, each as another process would."""
    opened: list[Store] = []

    def opener() -> Store:
        opened.append(Store.open(store_url, KEY, SECRET_ATTS))
        return opened[-1]

    yield opener
    for one in opened:
        one.close()
