"""A file of schema changes, carried out as a whole: by the same rules as over LDAP, or not at all.

The requester is a schema and enterprise administrator, so that descriptors and roles count as for a person.
Operations on the rootDSE between records are carried out in place: schemaUpdateNow puts in force what came
before it for what comes after it.

Spec: [MS-ADTS] 3.1.1.2.5, 3.1.1.3.3.13, 3.1.1.3.3.14.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.base.errors import DsError, UserError
from addc.codec.ldif import Modification, Record
from addc.codes.win32 import Win32
from addc.directory import groups, names, schema_cache
from addc.directory.add import add_object
from addc.directory.context import Forest, WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.modify import Change, modify_object
from addc.directory.rename import rename_object
from addc.security import wellknown
from addc.security.token import Token

Progress = Callable[[int, int], None]
"""Told after each record: how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a file did. present: objects that were there already, and values of them."""

    added: int = 0
    modified: int = 0
    renamed: int = 0
    present: int = 0


class _DryRunError(Exception):
    """Takes everything back."""

    def __init__(self, summary: Summary) -> None:
        super().__init__()
        self.summary = summary


def import_records(
    write: Callable[[Callable[[WriteContext], Summary]], Summary],
    records: Sequence[Record],
    *,
    upgrade: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Carry out all records in one transaction, and put the schema in force.

    write: runs a work as SYSTEM. upgrade: what only the maker of the schema may do is allowed
    (fschemaUpgradeInProgress). dry_run: try everything, keep nothing.
    Raises UserError with the line of the first record that is refused.
    """

    def work(ctx: WriteContext) -> Summary:
        summary = _Importer(ctx, upgrade).run(records, progress)
        if dry_run:
            raise _DryRunError(summary)
        return summary

    try:
        return write(work)
    except _DryRunError as done:
        return done.summary


def administrator(ctx: WriteContext) -> Token:
    """Who may change schema and configuration of the forest."""
    domain = ctx.forest.domain_sid
    rids = (wellknown.RID_SCHEMA_ADMINS, wellknown.RID_ENTERPRISE_ADMINS, wellknown.RID_DOMAIN_ADMINS)
    held = [wellknown.BUILTIN_ADMINISTRATORS, *[domain.child(rid) for rid in rids]]
    return groups.token_of_sids(ctx, domain.child(wellknown.RID_ADMINISTRATOR), held)


class _Importer:
    def __init__(self, ctx: WriteContext, upgrade: bool) -> None:
        self._ctx = ctx.as_requester(administrator(ctx))
        self._upgrade = upgrade
        self._options = RequestOptions(confidential=True, schema_upgrade=upgrade)
        self._summary = Summary()

    def run(self, records: Sequence[Record], progress: Progress | None) -> Summary:
        for number, record in enumerate(records, 1):
            try:
                self._carry_out(_localized(record, self._ctx.forest))
            except DsError as error:
                raise UserError(
                    f"line {record.line}: {record.kind} of {record.dn or 'the rootDSE'} is refused: "
                    f"{error.detail} ({Win32(error.code).name}). Nothing was changed. "
                    "Next step: mend the file, or what stands in its way."
                ) from error
            if progress is not None:
                progress(number, len(records))
        schema_cache.renew(self._ctx)
        return self._summary

    def _carry_out(self, record: Record) -> None:
        if not record.dn:
            self._operate(record)
        elif record.kind == "add":
            self._add(record)
        elif record.kind == "modify":
            self._modify(record)
        elif record.kind == "modrdn":
            rename_object(self._ctx, record.dn, record.new_rdn, options=self._options)
            self._count(renamed=1)
        else:
            raise DsError(Win32.ERROR_DS_CANT_DELETE, "schema objects are not deleted")

    def _count(self, **more: int) -> None:
        held = self._summary
        self._summary = replace(held, **{name: getattr(held, name) + n for name, n in more.items()})

    def _operate(self, record: Record) -> None:
        for part in record.modifications:
            match part.attribute.lower():
                case "schemaupdatenow":
                    schema_cache.renew(self._ctx)
                case "schemaupgradeinprogress":
                    self._options = replace(self._options, schema_upgrade=part.values[:1] == (b"1",))
                case _:
                    raise DsError(Win32.ERROR_DS_UNWILLING_TO_PERFORM, f"no {part.attribute} from files")

    def _add(self, record: Record) -> None:
        if record.lenient and self._exists(record.dn):
            self._count(present=1)
            return
        add_object(self._ctx, record.dn, record.attributes, self._options)
        self._count(added=1)

    def _exists(self, dn: str) -> bool:
        try:
            names.resolve(self._ctx, dn)
        except DsError as error:
            if error.code != Win32.ERROR_DS_OBJ_NOT_FOUND:
                raise
            return False
        return True

    def _modify(self, record: Record) -> None:
        changes = [Change(part.op, part.attribute, part.values) for part in record.modifications]
        lenient = record.lenient or self._upgrade  # which may be begun again
        options = replace(self._options, permissive_modify=True) if lenient else self._options
        modify_object(self._ctx, record.dn, changes, options)
        self._count(modified=1)


_STAND_INS: Final = (
    ("#schemaNamingContext", "schema_dn"),
    ("#configurationNamingContext", "config_dn"),
    ("#defaultNamingContext", "domain_dn"),
    ("#rootDomainNamingContext", "root_dn"),
    ("<SchemaContainerDN>", "schema_dn"),
    ("<ConfigurationContainerDN>", "config_dn"),
)
_PLACE: Final = "DC=X"
"""What files have for the DN of the forest root domain."""


def _localized(record: Record, forest: Forest) -> Record:
    """The record with this forest's names in the place of those that stand for them."""

    def text(value: str) -> str:
        for sign, field in _STAND_INS:
            if sign in value:
                value = value.replace(sign, getattr(forest, field))
        if value.upper().endswith("," + _PLACE):
            value = value[: -len(_PLACE)] + forest.root_dn
        return value

    def wire(value: bytes) -> bytes:
        if b"DC=" not in value.upper() and b"#" not in value and b"<" not in value:
            return value
        try:
            return text(value.decode("utf-8")).encode("utf-8")
        except UnicodeDecodeError:
            return value

    def all_of(values: Sequence[bytes]) -> tuple[bytes, ...]:
        return tuple(map(wire, values))

    return replace(
        record,
        dn=text(record.dn),
        attributes=tuple((name, all_of(values)) for name, values in record.attributes),
        modifications=tuple(
            Modification(part.op, part.attribute, all_of(part.values)) for part in record.modifications
        ),
    )


def versions(records: Sequence[Record]) -> Iterator[int]:
    """The objectVersions that a file sets."""
    for record in records:
        for part in record.modifications:
            if part.attribute.lower() == "objectversion" and part.values:
                yield int(part.values[0])
