"""The store: opening it, snapshots for readers, one writer, caches that follow every commit.

A Store belongs to one process: open it after a fork, never before.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, local
from typing import Final, TypeVar
from weakref import WeakSet

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from addc.base.errors import DecodeError, StoreError, UserError
from addc.base.ids import AttId, Dnt, Usn
from addc.base.rng import Rng, SystemRng
from addc.base.secret import Secret
from addc.store import state
from addc.store.backend import Backend, Connection
from addc.store.cache import ROWS_MAX, RowCache
from addc.store.objects import INSERT as INSERT_OBJECT
from addc.store.objects import NO_GUID, ROOT_DNT, ROOT_ROW, RowContext
from addc.store.seal import Sealer
from addc.store.tx import ReadTx, WriteTx
from addc.store.writer import Committed, Writer, guarded

T = TypeVar("T")

_KEY_CHECK: Final = "store.key_check"
_KEY_CHECK_ATT: Final = 0
_IDLE_MAX: Final = 4
"""Idle read connections that a thread keeps."""


def backend_of(url: str) -> Backend:
    """The back end that a URL names: sqlite:///<file> or postgresql+psycopg://..."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UserError("not a database URL; give sqlite:////path or postgresql+psycopg://...") from None
    match parsed.get_backend_name():
        case "sqlite":
            from addc.store.sqlite import SqliteBackend  # noqa: PLC0415  only the driver that is used

            return SqliteBackend(parsed)
        case "postgresql":
            try:
                from addc.store.postgres import PostgresBackend  # noqa: PLC0415  psycopg is optional
            except ImportError:
                raise UserError("PostgreSQL needs psycopg: install addc[postgres]") from None
            return PostgresBackend(parsed)
        case name:
            raise UserError(f"no back end for {name!r}; give sqlite:////path or postgresql+psycopg://...")


class _Idle(local):
    """The calling thread's idle read connections."""

    def __init__(self) -> None:
        self.free: list[Connection] = []


class Store:
    """Rows and transactions over one database; safe for use from any thread."""

    def __init__(self, backend: Backend, sealer: Sealer, secret_atts: frozenset[AttId], rng: Rng) -> None:
        self._backend = backend
        self._context = RowContext(sealer, secret_atts)
        self._cache = RowCache(ROWS_MAX)
        self._idle = _Idle()
        self._lock = Lock()
        self._connections: WeakSet[Connection] = WeakSet()
        self._write_connection: Connection | None = None
        self._hooks: tuple[Callable[[Committed], None], ...] = ()
        self._polled = 0
        self._closed = False
        self.identity = rng.bytes(8)
        self.reads_inline = backend.embedded
        self._writer = Writer(self)

    # --- life ---

    @classmethod
    def create(cls, url: str, key: Secret, secret_atts: frozenset[AttId], rng: Rng | None = None) -> "Store":
        """A new, empty store: the virtual root alone. UserError if something is there already.

        key: 32 bytes that are kept outside the database. secret_atts: what is sealed in it.
        """
        source = rng or SystemRng()
        sealer = Sealer(key, source)
        backend = backend_of(url)
        check = sealer.seal(NO_GUID, _KEY_CHECK_ATT, b"addc")

        def fill(connection: Connection) -> None:
            connection.run(state.PUT_VERSION, (state.SCHEMA_VERSION,))
            connection.run(state.INSERT_CLOCK, (1, 1, 0, ROOT_DNT))
            connection.run(state.PUT_STATE, (_KEY_CHECK, check))
            connection.run(INSERT_OBJECT, ROOT_ROW)

        backend.create(fill)
        return cls(backend, sealer, secret_atts, source)

    @classmethod
    def open(cls, url: str, key: Secret, secret_atts: frozenset[AttId], rng: Rng | None = None) -> "Store":
        """The store at `url`, migrated if it is older than this code.

        UserError if it is newer, if there is none, or if the key is not its key.
        """
        source = rng or SystemRng()
        sealer = Sealer(key, source)
        backend = backend_of(url)
        _check_version(backend)
        store = cls(backend, sealer, secret_atts, source)
        try:
            store._check_key()
        except BaseException:
            store.close()
            raise
        return store

    def _check_key(self) -> None:
        with self.read() as tx:
            check = tx.state(_KEY_CHECK)
            self._polled = tx.seq
        try:
            self._context.sealer.open(NO_GUID, _KEY_CHECK_ATT, check or b"")
        except DecodeError:
            raise UserError(
                "the store key does not fit this database; use the key file that was made with it"
            ) from None

    def close(self) -> None:
        """Finish the queued works and close every connection; reads must have ended."""
        self._closed = True
        self._writer.close()
        with self._lock:
            for connection in list(self._connections):
                connection.close()
            self._connections.clear()
            self._write_connection = None
        self._cache = RowCache(1)

    def discard(self) -> None:
        """Close, then remove the directory from the database: the way back from a failed provision."""
        self.close()
        self._backend.discard()

    # --- reading ---

    def read(self) -> ReadTx:
        """A snapshot, for a `with` statement; one thread may hold several."""
        connection, clock = self._begin_read()
        try:
            self._advance(connection, clock[0])
        except BaseException:
            self._end_read(connection)
            raise
        return ReadTx(connection, self._cache, self._context, clock, self._end_read)

    def _begin_read(self) -> tuple[Connection, tuple[int, int]]:
        free = self._idle.free
        if free:
            connection = free.pop()
            try:
                return connection, connection.begin_read()
            except StoreError:
                if not connection.lost:
                    connection.close()
                    raise
                free.clear()  # the server went away: the others are gone too
        connection = self._connect()
        try:
            return connection, connection.begin_read()
        except StoreError:
            connection.close()
            raise

    def _end_read(self, connection: Connection) -> None:
        connection.end_read()
        free = self._idle.free
        if connection.lost or self._closed or len(free) >= _IDLE_MAX:
            connection.close()
        else:
            free.append(connection)

    def _connect(self) -> Connection:
        if self._closed:
            raise StoreError("the store is closed")
        connection = self._backend.connect()
        with self._lock:
            self._connections.add(connection)
        return connection

    def _advance(self, connection: Connection, seq: int) -> None:
        """Bring the cache up to the snapshot that `connection` holds."""
        cache = self._cache
        before = cache.seq
        if seq <= before:
            return
        if before == 0 or seq - before > state.COMMIT_LOG_KEPT:
            cache.reset(seq)
            return
        log = connection.all(state.LOG_AFTER, (before, state.COMMIT_LOG_KEPT))
        dnts: list[int] = []
        sids = False
        for entry in log:
            if entry[6] is None:
                cache.reset(seq)
                return
            dnts += state.unpack_dnts(entry[6])
            sids = sids or entry[4] != 0
        if len(log) != seq - before:
            cache.reset(seq)
        else:
            cache.advance(before, seq, dnts, sids)

    # --- writing ---

    def submit(self, name: str, work: Callable[[WriteTx], T]) -> Future[T]:
        """Queue a work for the writer; the future has its result once that is durable, or what it raised.

        The work runs on the writer's thread, alone; it may not touch the store but through its transaction.
        """
        return self._writer.submit(name, work)

    def write(self, name: str, work: Callable[[WriteTx], T]) -> T:
        """Run a work and wait for it."""
        assert not self._writer.on_writer(), "a work cannot wait for another one"
        return self._writer.submit(name, work).result()

    def subscribe(self, hook: Callable[[Committed], None]) -> Callable[[], None]:
        """Have `hook` called after each commit, on the writer's thread or in `poll`; what ends that."""
        with self._lock:
            self._hooks = (*self._hooks, hook)

        def unsubscribe() -> None:
            with self._lock:
                self._hooks = tuple(one for one in self._hooks if one is not hook)

        return unsubscribe

    def poll(self) -> int:
        """Tell the subscribers what other processes committed since the last call; the newest commit number.

        More commits than the log holds, or one that touched too many rows to name, come with empty sets
        of ids: anything may have changed.
        """
        with self.read() as tx:
            seq = tx.seq
            log = tx.log_after(self._polled) if seq > self._polled else []
        missed = log[0][0] > self._polled + 1 if log else False
        self._polled = seq
        if missed:
            self.announce(Committed(Usn(0), Usn(log[0][2] - 1), frozenset(), frozenset()))
        for entry in log:
            if entry[1] != self.identity:
                self.announce(_as_committed(entry))
        return seq

    # --- for the writer ---

    def begin_write(self) -> tuple[Connection, WriteTx]:
        """Become the one writer of all processes; a connection that was lost meanwhile is made anew once."""
        connection = self._write_connection
        self._write_connection = None
        if connection is not None:
            try:
                return self._start(connection)
            except StoreError:
                if not connection.lost:
                    self._write_connection = connection
                    raise
        connection = self._connect()
        try:
            return self._start(connection)
        except StoreError:
            connection.close()
            raise

    def _start(self, connection: Connection) -> tuple[Connection, WriteTx]:
        clock = connection.begin_write()
        try:
            self._advance(connection, clock[0])
        except BaseException:
            connection.rollback()
            raise
        return connection, WriteTx(connection, self._cache, self._context, clock)

    def end_write(self, connection: Connection) -> None:
        """Take the connection back from the writer."""
        connection.rollback()
        if connection.lost:
            connection.close()
        elif self._write_connection is None:
            self._write_connection = connection
        elif self._write_connection is not connection:
            connection.close()

    def committed(self, tx: WriteTx) -> None:
        self._cache.advance(tx.seq, tx.seq + 1, tx.touched, tx.sids)

    def announce(self, change: Committed) -> None:
        for hook in self._hooks:
            guarded(hook, change)


def _as_committed(entry: state.LogRow) -> Committed:
    ncs = frozenset(Dnt(dnt) for dnt in state.unpack_dnts(entry[5]))
    dnts = frozenset(Dnt(dnt) for dnt in state.unpack_dnts(entry[6] or b""))
    return Committed(Usn(entry[2]), Usn(entry[3]), ncs, dnts)


def _check_version(backend: Backend) -> None:
    found = backend.version()
    if found is None:
        raise UserError(
            "The forest's database is not there, or empty. Next step: restore it from a backup, or move the "
            "data folder away and make a new forest with 'addc provision'"
        )
    if found > state.SCHEMA_VERSION:
        raise UserError(
            f"the database has schema {found}, this program knows {state.SCHEMA_VERSION}: "
            "install a newer program, or restore a backup made before the upgrade"
        )
    if found < state.SCHEMA_VERSION:
        backend.upgrade()
