"""The directory of a data folder as a target: what a command changes is one transaction of its own.

Who can read the folder's key can do anything to it; commands act as the machine's SYSTEM with the rights of
an administrator, so that the directory's rules hold for them as for everybody.
"""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial

from addc.base.errors import DsError
from addc.codec.filter import Filter
from addc.codes.win32 import Win32
from addc.directory import passwords, rights
from addc.directory.add import add_object
from addc.directory.api import Directory
from addc.directory.audit import watched
from addc.directory.context import Forest, ReadContext, WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.delete import TREE_BATCH, delete_object, delete_part
from addc.directory.modify import modify_object, prepare_modify
from addc.directory.passwords import PreparedPassword
from addc.directory.rename import rename_object
from addc.directory.rootdse_operations import operate
from addc.directory.search import SearchRequest, search
from addc.security import wellknown
from addc.security.token import ALL_PRIVILEGES, Token
from addc.server.admin.ranges import whole
from addc.server.admin.refusals import refused
from addc.server.admin.target import (
    BASE,
    EVERYTHING,
    PLAIN_LOOK,
    Add,
    Delete,
    Entry,
    Look,
    Modify,
    Move,
    Operation,
    Place,
)

_PAGE = 500
_OPTIONS = RequestOptions(confidential=True)
_WHO = "this machine"
_GROUPS = (
    wellknown.RID_DOMAIN_ADMINS, wellknown.RID_ENTERPRISE_ADMINS, wellknown.RID_SCHEMA_ADMINS,
    wellknown.RID_GROUP_POLICY_CREATOR_OWNERS,
)  # fmt: skip
_MISSING = frozenset((Win32.ERROR_DS_OBJ_NOT_FOUND, Win32.ERROR_DS_REFERRAL))


def operator(forest: Forest) -> Token:
    """Who commands on the machine itself are to the directory."""
    groups = [forest.domain_sid.child(rid) for rid in _GROUPS]
    every = (
        wellknown.LOCAL_SYSTEM, wellknown.BUILTIN_ADMINISTRATORS, wellknown.EVERYONE,
        wellknown.AUTHENTICATED_USERS, wellknown.THIS_ORGANIZATION, *groups,
    )  # fmt: skip
    return Token(wellknown.LOCAL_SYSTEM, frozenset(every), ALL_PRIVILEGES, groups[0], groups[0])


class _TriedError(Exception):
    """Takes back what was only to be tried."""


class LocalTarget:
    """An open directory; whoever opened it closes it."""

    def __init__(self, directory: Directory, name: str) -> None:
        """name: for people, as "the folder /var/lib/addc"."""
        forest = directory.forest
        self.directory = directory
        self._operator = operator(forest)
        self.place = Place(
            name, forest.dns_domain, forest.domain_dn, forest.config_dn, forest.schema_dn, forest.host_fqdn
        )

    def close(self) -> None:
        """Nothing is its own."""

    # --- reading ---

    def search(
        self,
        base: str,
        scope: int,
        wanted: Filter = EVERYTHING,
        attributes: Sequence[str] = (),
        look: Look = PLAIN_LOOK,
    ) -> Iterator[Entry]:
        """Every object found; pages are snapshots of their own."""
        cookie, count = b"", 0
        while True:
            try:
                found, cookie = self._page(base, scope, (wanted, tuple(attributes)), look, cookie)
            except DsError as error:
                raise refused(error.code, error.detail, who=_WHO) from error
            for entry in found:
                yield whole(entry, self._values)
                count += 1
                if count == look.limit:
                    return
            if not cookie:
                return

    def _page(
        self, base: str, scope: int, asked: tuple[Filter, tuple[str, ...]], look: Look, cookie: bytes
    ) -> tuple[list[Entry], bytes]:
        options = RequestOptions(
            confidential=True,
            sd_flags=look.sd_flags,
            show_deleted=look.deleted,
            page_size=_PAGE if base else None,
            page_cookie=cookie,
        )
        request = SearchRequest(base, scope, asked[0], asked[1], options=options)

        def work(ctx: ReadContext) -> tuple[list[Entry], bytes]:
            found = search(ctx, request)
            return [_entry(one.dn, one.attributes) for one in found.entries], found.cookie or b""

        return self.directory.read_now("admin", self._operator, work)

    def _values(self, dn: str, attribute: str) -> Entry:
        return self._page(dn, BASE, (EVERYTHING, (attribute,)), PLAIN_LOOK, b"")[0][0]

    def read(self, dn: str, attributes: Sequence[str] = (), look: Look = PLAIN_LOOK) -> Entry | None:
        """One object."""
        try:
            found, _ = self._page(dn, BASE, (EVERYTHING, tuple(attributes)), look, b"")
        except DsError as error:
            if error.code in _MISSING:
                return None
            raise refused(error.code, error.detail, who=_WHO) from error
        return whole(found[0], self._values) if found else None

    # --- changing ---

    def apply(self, operations: Sequence[Operation], *, dry_run: bool = False) -> None:
        """All of it or nothing; trees and roles go in transactions of their own, one by one."""
        if dry_run or not any(map(_goes_alone, operations)):
            self._together(operations, dry_run)
            return
        for one in operations:
            if _goes_alone(one):
                self._alone(one)
            else:
                self._together((one,), False)

    def _together(self, operations: Sequence[Operation], dry_run: bool) -> None:
        keys = [self._prepared(one) for one in operations]
        at = 0

        def work(ctx: WriteContext) -> None:
            nonlocal at
            for at, (one, password) in enumerate(zip(operations, keys, strict=True)):  # noqa: B007
                _carry_out(ctx, one, password)
            if dry_run:
                raise _TriedError

        try:
            self.directory.write_now("admin", self._operator, work)
        except _TriedError:
            return
        except DsError as error:
            raise refused(error.code, error.detail, operations[at], who=_WHO) from error

    def _prepared(self, one: Operation) -> PreparedPassword | None:
        """Keys of a password, derived before the writer is entered."""
        match one:
            case Add(attributes=attributes):
                return self.directory.read_now(
                    "admin", self._operator, lambda ctx: passwords.prepare_add(ctx, attributes)
                )
            case Modify(dn=dn, changes=changes) if dn:
                return self.directory.read_now(
                    "admin", self._operator, lambda ctx: prepare_modify(ctx, dn, changes)
                )
        return None

    def _alone(self, one: Operation) -> None:
        try:
            if isinstance(one, Modify):
                asyncio.run(_operated(self.directory, self._operator, one))
                return
            assert isinstance(one, Delete)
            dn, options = one.dn, RequestOptions(confidential=True, tree_delete=True)
            while True:
                part = self.directory.write_now(
                    "admin", self._operator, partial(delete_part, dn=dn, options=options, limit=TREE_BATCH)
                )
                if part.finished:
                    return
                dn = part.root
        except DsError as error:
            raise refused(error.code, error.detail, one, who=_WHO) from error


async def _operated(directory: Directory, who: Token, one: Modify) -> None:
    await directory.operate(who, one.changes)


def _goes_alone(one: Operation) -> bool:
    return (isinstance(one, Delete) and one.tree) or (isinstance(one, Modify) and not one.dn)


def _carry_out(ctx: WriteContext, one: Operation, password: PreparedPassword | None) -> None:
    match one:
        case Add(dn, attributes):
            watched(
                dn,
                rights.CREATE_CHILD,
                lambda ctx: add_object(ctx, dn, attributes, _OPTIONS, password=password),
            )(ctx)
        case Modify("", changes):
            operate(ctx, changes)
        case Modify(dn, changes):
            watched(
                dn,
                rights.WRITE_PROPERTY,
                lambda ctx: modify_object(ctx, dn, changes, _OPTIONS, password=password),
            )(ctx)
        case Delete(dn, tree):
            options = RequestOptions(confidential=True, tree_delete=tree)
            watched(dn, rights.DELETE, lambda ctx: delete_object(ctx, dn, options))(ctx)
        case Move(dn, new_rdn, new_parent):
            watched(
                dn,
                rights.WRITE_PROPERTY,
                lambda ctx: rename_object(ctx, dn, new_rdn, True, new_parent, options=_OPTIONS),
            )(ctx)


def _entry(dn: bytes, attributes: Sequence[tuple[bytes, Sequence[bytes]]]) -> Entry:
    return Entry(dn.decode(), {name.decode().lower(): tuple(values) for name, values in attributes})
