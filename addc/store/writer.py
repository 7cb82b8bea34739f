"""The one writer: takes all queued works, runs each under a savepoint and commits them together.

One sync of the disk serves all clients that came while the previous one ran. USNs are drawn inside, so the
order of commits is the order of USNs. A work that raises takes back only itself.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import ExceptHookArgs, Lock, Thread, current_thread, excepthook
from typing import Final, Generic, ParamSpec, Protocol, TypeVar

from addc.base.errors import StoreError
from addc.base.ids import Dnt, Usn
from addc.store import state
from addc.store.backend import Connection
from addc.store.tx import WriteTx

T = TypeVar("T")

GROUP_MAX: Final = 128
"""Works in one transaction; what is over waits for the next."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit changed. usn_high < usn_low: no USN was drawn.

    dnts: the rows touched, also those whose link values or path changed.
    """

    usn_low: Usn
    usn_high: Usn
    ncs: frozenset[Dnt]
    dnts: frozenset[Dnt]


class Job(Generic[T]):
    """One queued work and the future of its caller."""

    __slots__ = ("_result", "error", "future", "hooks", "name", "work")

    def __init__(self, name: str, work: Callable[[WriteTx], T]) -> None:
        self.name = name
        self.work = work
        self.future: Future[T] = Future()
        self.error: BaseException | None = None
        self.hooks: list[Callable[[], None]] = []
        self._result: list[T] = []

    def run(self, tx: WriteTx) -> None:
        """Do the work inside `tx`; what it raises comes out."""
        mark = tx.enter_work()
        result = self.work(tx)
        self.hooks = tx.leave_work(mark)
        self._result.append(result)

    def fail(self, error: BaseException) -> None:
        self.error = error

    def resolve(self) -> None:
        """Tell the caller."""
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self._result[0])


class Home(Protocol):
    """What the writer needs of the store."""

    identity: bytes

    def begin_write(self) -> tuple[Connection, WriteTx]: ...

    def end_write(self, connection: Connection) -> None: ...

    def committed(self, tx: WriteTx) -> None:
        """Bring this process's cache up to a commit of its own."""
        ...

    def announce(self, change: Committed) -> None:
        """Call the subscribers."""
        ...


class Writer:
    """A queue and the thread that empties it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = Lock()
        self._queue: SimpleQueue[Job[object] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._closed = False

    def submit(self, name: str, work: Callable[[WriteTx], T]) -> Future[T]:
        """Queue a work."""
        job = Job(name, work)
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed")
            if self._thread is None:
                self._thread = Thread(target=self._run, name="addc-store-writer", daemon=True)
                self._thread.start()
            self._queue.put(job)  # type: ignore[arg-type]
        return job.future

    def close(self) -> None:
        """Finish what is queued, then stop."""
        assert current_thread() is not self._thread, "a work cannot close the store"
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join()

    def on_writer(self) -> bool:
        """Whether the caller is a work of this writer."""
        return current_thread() is self._thread

    def _run(self) -> None:
        more = True
        while more:
            batch, more = self._take()
            jobs = [job for job in batch if job.future.set_running_or_notify_cancel()]
            while jobs:
                jobs = self._group(jobs)

    def _take(self) -> tuple[list[Job[object]], bool]:
        """What is queued, at least one; whether the writer goes on after it."""
        jobs: list[Job[object]] = []
        job = self._queue.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) >= GROUP_MAX:
                return jobs, True
            try:
                job = self._queue.get_nowait()
            except Empty:
                return jobs, True
        return jobs, False

    def _group(self, jobs: Sequence[Job[object]]) -> list[Job[object]]:
        """Run and commit jobs in one transaction; those that did not get their turn, since it was lost."""
        try:
            connection, tx = self._home.begin_write()
        except StoreError as error:
            return self._resolve(jobs, error)
        done: list[Job[object]] = []
        change: Committed | None = None
        failure: StoreError | None = None
        try:
            for job in jobs:
                done.append(job)
                self._work(connection, tx, job, alone=len(jobs) == 1)
            change = self._commit(connection, tx, any(job.error is None for job in done))
        except StoreError as error:
            failure = error
        finally:
            self._home.end_write(connection)
        if change is not None:
            self._home.committed(tx)
        if failure is None:
            for job in done:
                for hook in job.hooks:
                    guarded(hook)
        self._resolve(done, failure)
        if change is not None:
            self._home.announce(change)
        return list(jobs[len(done) :])

    def _resolve(self, jobs: Sequence[Job[object]], failure: StoreError | None) -> list[Job[object]]:
        for job in jobs:
            if failure is not None and job.error is None:
                job.fail(StoreError(str(failure), retryable=failure.retryable))
            job.resolve()
        return []

    def _work(self, connection: Connection, tx: WriteTx, job: Job[object], alone: bool) -> None:
        """Run one job; StoreError only if the whole transaction is lost with it."""
        if not alone:
            connection.savepoint()
        mark = tx.enter_work()
        try:
            job.run(tx)
            if not alone:
                connection.release()
        except BaseException as error:  # the caller's, whatever it is; it gets it back from its future
            job.fail(error)
            if connection.lost or not connection.in_transaction:
                raise StoreError("the transaction was lost", retryable=True) from None
            if alone:
                connection.rollback()
            else:
                connection.rollback_to()
            tx.undo_work(mark)

    def _commit(self, connection: Connection, tx: WriteTx, wanted: bool) -> Committed | None:
        """Commit; None if nothing was changed. StoreError if nothing of it will ever be seen."""
        if not wanted or not tx.prepare_commit(self._home.identity):
            connection.rollback()
            return None
        try:
            connection.commit()
        except StoreError:
            still_open = connection.in_transaction and not connection.lost
            if still_open or not self._is_there(tx):
                raise
        return Committed(tx.usn_low, tx.usn, frozenset(tx.ncs), frozenset(tx.touched))

    def _is_there(self, tx: WriteTx) -> bool:
        """Whether a commit whose answer was lost took place.

        The new transaction holds the writer's lock, so the old one has ended; its number and this writer's
        name in the log tell how.
        """
        try:
            connection, _ = self._home.begin_write()
        except StoreError as error:
            raise StoreError(f"a commit was cut off, its outcome is unknown: {error}") from None
        try:
            row = connection.one(state.LOG_WRITER, (tx.seq + 1,))
            return row is not None and row[0] == self._home.identity
        finally:
            connection.rollback()
            self._home.end_write(connection)


Args = ParamSpec("Args")


def guarded(hook: Callable[Args, None], *args: Args.args, **kwargs: Args.kwargs) -> None:
    """Call a hook; its failure is reported as a thread's is, since the work itself is done and durable."""
    try:
        hook(*args, **kwargs)
    except Exception as error:
        excepthook(ExceptHookArgs((type(error), error, error.__traceback__, current_thread())))
