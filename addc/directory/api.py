"""The directory's only door: named units of work, one transaction each, in somebody's name.

A read sees one snapshot. A write runs alone on the writer's thread and is durable when it is answered. Reads
that are bound to touch a handful of rows may run on the event loop where the store needs no network; all
others get a thread, one hop for a whole request.

Spec: [MS-ADTS] 3.1.1.5.1.4 (transactional semantics).
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Final, TypeVar

from addc.base.clock import Clock, SystemClock
from addc.base.errors import DsError, UserError
from addc.base.ids import Dnt, Usn
from addc.base.rng import Rng, SystemRng
from addc.codec.filter import And, Equal, Extensible, Filter, Not, Or, Present
from addc.directory import passwords, rights
from addc.directory.add import add_object
from addc.directory.audit import watched
from addc.directory.audit_events import AuditRecord
from addc.directory.context import FOREST_STATE, Forest, Home, ReadContext, Shared, WriteContext
from addc.directory.controls import PLAIN, RequestOptions
from addc.directory.delete import TREE_BATCH, delete_object, delete_part, not_finished
from addc.directory.jobs import JOBS
from addc.directory.lanes import POINT_ROWS, Pace, QuickPace, SlowLane, WalkNeededError
from addc.directory.logon_counters import record_bad_password
from addc.directory.matching_rules import TRANSITIVE_EVAL
from addc.directory.modify import Change, ModOp, modify_object, prepare_modify
from addc.directory.nc_add import add_naming_context, is_asked
from addc.directory.password_filter import Candidate, PasswordJudge
from addc.directory.passwords import PreparedPassword, WrongPasswordError
from addc.directory.plan_search import COMMON, NEARLY_UNIQUE
from addc.directory.rename import rename_object
from addc.directory.rootdse_operations import Outcome, operate
from addc.directory.schema_cache import SchemaCache
from addc.directory.search import BASE, SearchRequest, SearchResult, compare, require_authenticated, search
from addc.directory.turns import Turns
from addc.schema import attr
from addc.schema.snapshot import Schema
from addc.security.token import SYSTEM, Token
from addc.store.engine import Store
from addc.store.tx import ReadTx, WriteTx
from addc.store.writer import Committed

__all__ = ["Attributes", "Change", "Committed", "Directory", "Services"]

T = TypeVar("T")

Attributes = Sequence[tuple[str, Sequence[bytes]]]
"""Attributes of a new object: descriptions as written and values in LDAP form."""

READ_THREADS: Final = 8
_WALKS_AT_ONCE: Final = 2
"""Long reads that run side by side where they mostly wait for the network."""
_PASSWORDS: Final = frozenset(("unicodepwd", "userpassword", "1.2.840.113556.1.4.90", "2.5.4.35"))
_POINTS: Final = NEARLY_UNIQUE | {attr.OBJECT_GUID, attr.OBJECT_SID, attr.DISTINGUISHED_NAME}

_WALKS: Final = frozenset(
    (
        attr.MSDS_MEMBER_TRANSITIVE,
        attr.MSDS_MEMBER_OF_TRANSITIVE,
        attr.MS_DS_APPROX_IMMED_SUBORDINATES,
        attr.MSDS_TOKEN_GROUP_NAMES,
        attr.MSDS_TOKEN_GROUP_NAMES_GLOBAL_AND_UNIVERSAL,
        attr.MSDS_TOKEN_GROUP_NAMES_NO_GC_ACCEPTABLE,
        attr.MS_DS_REPL_VALUE_META_DATA,
        attr.TOKEN_GROUPS,
        attr.TOKEN_GROUPS_GLOBAL_AND_UNIVERSAL,
        attr.TOKEN_GROUPS_NO_GC_ACCEPTABLE,
    )
)
"""Attributes whose values are gathered from any number of rows."""
_WALKS_BEGIN: Final = frozenset("mMtT0123456789oO")
"""How a name or OID of one of them may begin."""


@dataclass(frozen=True, slots=True)
class Services:
    """What comes from outside: time and randomness of the machine, the operator's judgement of passwords."""

    clock: Clock
    rng: Rng
    password_judge: PasswordJudge | None = None


_CLAUSES_MAX: Final = 100
"""Clauses of a filter that a point read may have: a thousand take longer than many rows."""


def _walks(wanted: Filter) -> bool:
    """Whether a filter asks for chains of links, or has so many clauses that they are work by themselves."""
    if isinstance(wanted, Present | Equal):
        return False
    todo: list[Filter] = [wanted]
    count = 0
    while todo:
        term = todo.pop()
        count += 1
        if count > _CLAUSES_MAX:
            return True
        match term:
            case And(terms) | Or(terms):
                todo += terms
            case Not(inner):
                todo.append(inner)
            case Extensible(rule):
                if rule == TRANSITIVE_EVAL:
                    return True
    return False


class Directory:
    """One process's view of the directory; safe for use from any thread."""

    def __init__(self, store: Store, schema: Schema, services: Services | None = None) -> None:
        """store: of a provisioned forest; this object closes it.

        Raises UserError if the store holds no forest.
        """
        self._store = store
        self._services = services or Services(SystemClock(), SystemRng())
        with store.read() as tx:
            forest = tx.state(FOREST_STATE)
        if forest is None:
            raise UserError("this database holds no forest; create one with 'addc provision'")
        self._home = Home(Forest.from_json(forest), Shared(), self._services.clock)
        self._home.shared.vets_passwords = self._services.password_judge is not None
        self._schemas = SchemaCache(schema, self._home.shared)
        with store.read() as tx:
            self._schema_of(tx)  # a changed schema is loaded before anybody is served
        self._threads = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="directory")
        self._polling = Lock()
        self._walks = SlowLane(1 if store.reads_inline else _WALKS_AT_ONCE)
        self.reads_inline = store.reads_inline
        self._audit: Callable[[AuditRecord], None] | None = None
        self.turns = Turns()
        """For the services that judge passwords; used on their event loop alone."""

    # --- facts ---

    @property
    def forest(self) -> Forest:
        """Fixed facts of this DC and its forest."""
        return self._home.forest

    @property
    def schema(self) -> Schema:
        """The schema that new transactions work with."""
        return self._schemas.current

    def _schema_of(self, tx: ReadTx) -> Schema:
        """What a transaction works with: the schema of its snapshot."""
        return self._schemas.at(tx, self._home.forest.schema_nc)

    def usn(self) -> Usn:
        """The highest USN committed."""
        with self._store.read() as tx:
            return tx.usn

    def commit_number(self) -> int:
        """The number of the newest commit, of any process."""
        with self._store.read() as tx:
            return tx.seq

    def subscribe(self, hook: Callable[[Committed], None]) -> Callable[[], None]:
        """Have `hook` called after every commit, on the writer's thread or in `poll`; what ends that."""
        return self._store.subscribe(hook)

    def on_audit(self, hook: Callable[[AuditRecord], None]) -> None:
        """Have `hook` called with what SACLs want to be told: after the read, or once the write is durable.

        It is called on any thread and must not block for long.
        """
        self._audit = hook

    def _report(self, records: Sequence[AuditRecord]) -> None:
        if self._audit is not None:
            for record in records:
                self._audit(record)

    def poll(self) -> int:
        """Tell the subscribers what other processes committed; the newest commit number."""
        with self._polling:
            return self._store.poll()

    def close(self) -> None:
        """Finish what is queued and close the store."""
        self._threads.shutdown(wait=True)
        self._walks.close()
        self._store.close()

    # --- units of work ---

    def read_now(self, name: str, requester: Token, work: Callable[[ReadContext], T]) -> T:
        """Run a read here and now, in the calling thread.

        name: what the work is called in metrics and logs.
        """
        del name
        self._walks.press()
        with self._store.read() as tx:
            schema = self._schema_of(tx)
            ctx = ReadContext(tx, schema, requester, self._services.clock.now(), self._home)
            return self._audited(work, ctx)

    async def read(
        self, name: str, requester: Token, work: Callable[[ReadContext], T], *, point: bool = False
    ) -> T:
        """Run a read without holding up the event loop.

        point: the work touches a handful of rows: it may run on the loop where that needs no network.
        """
        if point and self.reads_inline:
            with contextlib.suppress(WalkNeededError):
                return self.read_point(name, requester, work)
        try:
            return await self._finished(self._threads.submit(self._paced, requester, work, QuickPace()))
        except WalkNeededError:
            walk = self._walks.submit(requester.user, lambda pace: self._paced(requester, work, pace))
            return await self._finished(walk)

    def read_point(self, name: str, requester: Token, work: Callable[[ReadContext], T]) -> T:
        """Run a point read here and now, before any walk.

        Raises WalkNeededError if it turns out to be none: `read` is the way for it then.
        """
        del name
        self._walks.press()
        return self._paced(requester, work, QuickPace(POINT_ROWS))

    def _paced(self, requester: Token, work: Callable[[ReadContext], T], pace: Pace) -> T:
        with self._store.read() as tx:
            ctx = ReadContext(tx, self._schema_of(tx), requester, self._services.clock.now(), self._home)
            ctx.pace = pace
            return self._audited(work, ctx)

    def _audited(self, work: Callable[[ReadContext], T], ctx: ReadContext) -> T:
        try:
            return work(ctx)
        finally:
            if ctx.audits and not isinstance(sys.exception(), WalkNeededError):
                self._report(ctx.audits)

    @staticmethod
    async def _finished(work: "Future[T]") -> T:
        """What a thread answers; a cancelled caller waits until it has let go of its transaction."""
        future = asyncio.wrap_future(work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    def _write_work(self, requester: Token, work: Callable[[WriteContext], T]) -> Callable[[WriteTx], T]:
        services = self._services

        def in_writer(tx: WriteTx) -> T:
            now = services.clock.now()
            schema = self._schema_of(tx)
            ctx = WriteContext(tx, schema, requester, now, self._home, rng=services.rng)
            require_authenticated(ctx)
            try:
                answer = work(ctx)
            except DsError:
                self._report([one for one in ctx.audits if not one.success])
                raise
            if ctx.audits:
                tx.after_commit(partial(self._report, ctx.audits))
            return answer

        return in_writer

    def write_now(self, name: str, requester: Token, work: Callable[[WriteContext], T]) -> T:
        """Run a write and wait for it in the calling thread, which must not be the event loop's."""
        return self._store.write(name, self._write_work(requester, work))

    async def write(self, name: str, requester: Token, work: Callable[[WriteContext], T]) -> T:
        """Run a write in the one writer; what it returns comes once it is durable.

        A cancelled caller does not undo the work: it commits or fails as a whole.
        """
        future = asyncio.wrap_future(self._store.submit(name, self._write_work(requester, work)))
        return await asyncio.shield(future)

    async def _noted(
        self, name: str, requester: Token, options: RequestOptions, work: Callable[[WriteContext], T]
    ) -> T:
        """Run a write that takes down which USNs it drew, where the options ask for that."""
        note = options.usn_note
        if note is None:
            return await self.write(name, requester, work)

        def noted(ctx: WriteContext) -> T:
            before = ctx.tx.usn
            done = work(ctx)
            note.usn = ctx.tx.usn if ctx.tx.usn > before else note.usn
            return done

        return await self.write(name, requester, noted)

    # --- operations ---

    async def search(self, requester: Token, request: SearchRequest) -> SearchResult:
        """The search operation; see search.search."""
        return await self.read(
            "search", requester, lambda ctx: search(ctx, request), point=self.is_point(request)
        )

    def is_point(self, request: SearchRequest) -> bool:
        """Whether a search may touch no more than a handful of rows: one object, or those with one value.

        Walks along links, and values far behind the first, touch any number.
        """
        if request.options.dirsync is not None:
            return False
        if request.scope != BASE and not self._names_few(request.filter):
            return False
        if request.options.asq_attribute is not None:
            return False
        return self._reads_few(request.attributes) and not _walks(request.filter)

    def _reads_few(self, attributes: Sequence[str]) -> bool:
        for name in attributes:
            if ";" in name:  # such as a range
                return False
            if name[:1] in _WALKS_BEGIN:
                found = self._schemas.current.attribute(name)
                if found is not None and found.att_id in _WALKS:
                    return False
        return True

    def _names_few(self, wanted: Filter) -> bool:
        if isinstance(wanted, And):
            return any(map(self._names_few, wanted.terms))
        if not isinstance(wanted, Equal):
            return False
        attribute = self._schemas.current.attribute(wanted.attribute)
        if attribute is None:
            return False
        if attribute.att_id in _POINTS:
            return True
        return attribute.is_linked or (attribute.index_ready and attribute.att_id not in COMMON)

    async def compare(
        self, requester: Token, dn: str, attribute: str, value: bytes, options: RequestOptions = PLAIN
    ) -> bool:
        """The compare operation; see search.compare."""
        return await self.read(
            "compare", requester, lambda ctx: compare(ctx, dn, attribute, value, options), point=True
        )

    async def add(
        self, requester: Token, dn: str, attributes: Attributes, options: RequestOptions = PLAIN
    ) -> Dnt:
        """The add operation; see add.add_object. Keys of a password are derived outside of the writer."""
        password: PreparedPassword | None = None
        if any(name.lower() in _PASSWORDS for name, _ in attributes):
            password = await self.read(
                "prepare", requester, lambda ctx: passwords.prepare_add(ctx, attributes)
            )
            password = await self.vetted(requester, password, change=False)
        if is_asked(attributes):
            return await self._noted(
                "add", requester, options, lambda ctx: add_naming_context(ctx, dn, attributes, options)
            )
        work = watched(
            dn, rights.CREATE_CHILD, lambda ctx: add_object(ctx, dn, attributes, options, password=password)
        )
        return await self._noted("add", requester, options, work)

    async def modify(
        self, requester: Token, dn: str, changes: Sequence[Change], options: RequestOptions = PLAIN
    ) -> Dnt:
        """The modify operation; see modify.modify_object. Keys are derived before the writer is entered.

        A wrong old password is counted in the very transaction that found it, if that holds nothing else.
        """
        password: PreparedPassword | None = None
        if any(change.attribute.lower() in _PASSWORDS for change in changes):
            password = await self.read("prepare", requester, lambda ctx: prepare_modify(ctx, dn, changes))
            password = await self.vetted(
                requester, password, change=all(change.op != ModOp.REPLACE for change in changes)
            )

        def work(ctx: WriteContext) -> Dnt | WrongPasswordError:
            before = ctx.tx.usn
            try:
                return modify_object(ctx, dn, changes, options, password=password)
            except WrongPasswordError as error:
                if ctx.tx.usn != before:
                    raise  # what the request had begun is taken back, and a count would be with it
                record_bad_password(ctx.as_requester(SYSTEM), error.account)
                return error

        try:
            done = await self._noted("modify", requester, options, watched(dn, rights.WRITE_PROPERTY, work))
        except WrongPasswordError as error:
            account = error.account
            await self.write("modify", SYSTEM, lambda ctx: record_bad_password(ctx, account))
            raise
        if isinstance(done, WrongPasswordError):
            raise done
        return done

    async def vetted(
        self, requester: Token, password: PreparedPassword | None, *, change: bool
    ) -> PreparedPassword | None:
        """`password`, marked if the operator's filter lets it pass; the writer asks for the mark."""
        judge = self._services.password_judge
        if judge is None or password is None or not password.account or requester == SYSTEM:
            return password
        candidate = Candidate(password.account, password.full_name, password.password, is_change=change)
        return replace(password, vetted=await judge(candidate))

    async def operate(self, requester: Token, changes: Sequence[Change]) -> Outcome:
        """The modify operation on the rootDSE; see rootdse_operations.operate. What it starts has ended."""
        outcome = await self.write("operate", requester, lambda ctx: operate(ctx, changes))
        for job in JOBS:
            while job.name in outcome.jobs and await self.write(job.name, SYSTEM, job.step):
                continue
        return outcome

    async def rename(
        self,
        requester: Token,
        dn: str,
        new_rdn: str,
        *,
        delete_old: bool = True,
        new_superior: str | None = None,
        options: RequestOptions = PLAIN,
    ) -> Dnt:
        """The modify DN operation; see rename.rename_object."""
        work = watched(
            dn,
            rights.WRITE_PROPERTY,
            lambda ctx: rename_object(ctx, dn, new_rdn, delete_old, new_superior, options=options),
        )
        return await self._noted("rename", requester, options, work)

    async def delete(self, requester: Token, dn: str, options: RequestOptions = PLAIN) -> int:
        """The delete operation; see delete.delete_object. The number of objects deleted.

        A tree goes in several transactions, between which other writers get their turn.
        Raises DsError(ERROR_DS_TREE_DELETE_NOT_FINISHED) when a part of a large tree was deleted for good.
        """
        if not options.tree_delete:
            work = watched(dn, rights.DELETE, lambda ctx: delete_object(ctx, dn, options))
            return await self._noted("delete", requester, options, work)
        count = 0
        while True:
            limit = min(TREE_BATCH, options.tree_delete_max - count)
            part = await self._noted(
                "delete", requester, options, partial(delete_part, dn=dn, options=options, limit=limit)
            )
            count += part.count
            if part.finished:
                return count
            if count >= options.tree_delete_max:
                raise not_finished()
            dn = part.root
