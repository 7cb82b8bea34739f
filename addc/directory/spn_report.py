"""Which service names are registered, and which of them do not do what whoever registered them thinks.

Spec: [MS-KILE] 3.3.5.1.1, [MS-ADTS] 2.2.21, 3.1.1.5.1.3, [MS-ADA3] 2.276 (sPNMappings).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from addc.base.ids import Dnt
from addc.codec.text import fold_utf8
from addc.directory import accounts, entry, names
from addc.directory.context import ReadContext
from addc.schema import attr
from addc.store.objects import ObjectRow, ObjectState

_BATCH: Final = 1000
_HOST: Final = "host"


class Fault(Enum):
    """What is wrong with a name."""

    DUPLICATE = "duplicate"
    """Several accounts have it: the KDC can give a ticket for none of them."""
    SHADOWS_HOST = "shadows HOST"
    """It takes a service away from the account whose HOST name (or computer) the host is."""
    RESERVED = "reserved"
    """The KDC's own name, which leads to krbtgt whoever registers it."""


@dataclass(frozen=True, slots=True)
class Registered:
    """One servicePrincipalName of one object. account: sAMAccountName."""

    spn: str
    account: str
    dn: str
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class SpnFault:
    """A name with what is wrong. holders: accounts that have it. others: accounts that lose by it."""

    fault: Fault
    spn: str
    holders: tuple[str, ...]
    others: tuple[str, ...] = ()

    def words(self) -> str:
        """Cause and next step for people."""
        holders, others = ", ".join(self.holders), ", ".join(self.others)
        match self.fault:
            case Fault.DUPLICATE:
                return (
                    f"{self.spn} is registered by {holders}: tickets for it are refused "
                    "(KDC_ERR_S_PRINCIPAL_UNKNOWN). Next step: remove it from all but one of them."
                )
            case Fault.SHADOWS_HOST:
                return (
                    f"{self.spn} is registered by {holders}, although {others} is HOST there: tickets are "
                    f"made for {holders}. Next step: remove it, unless the service does run as {holders}."
                )
            case Fault.RESERVED:
                return (
                    f"{self.spn} is registered by {holders}, but means krbtgt: it has no effect. "
                    "Next step: remove it."
                )


@dataclass(frozen=True, slots=True)
class SpnReport:
    """All names, sorted, and all faults."""

    registered: tuple[Registered, ...]
    faults: tuple[SpnFault, ...]


def report(ctx: ReadContext) -> SpnReport:
    """Look at every registered name of the forest."""
    registered: list[Registered] = []
    holders: dict[str, dict[str, str]] = {}
    for row in _rows(ctx):
        account = accounts.account(ctx, row) if accounts.is_account(row) else None
        name = entry.text(row, attr.SAM_ACCOUNT_NAME) or ""
        dn = names.dn_of_row(ctx, row)
        for spn in entry.texts(row, attr.SERVICE_PRINCIPAL_NAME):
            registered.append(Registered(spn, name, dn, account is not None and account.is_disabled))
            if account is not None:
                holders.setdefault(_folded(spn), {})[name] = spn
    registered.sort(key=lambda one: (one.spn.lower(), one.account.lower()))
    faults = [fault for key in sorted(holders) for fault in _faults(ctx, key, holders)]
    return SpnReport(tuple(registered), tuple(faults))


def _folded(spn: str) -> str:
    """As the index compares names."""
    return fold_utf8(spn.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


def _rows(ctx: ReadContext) -> Iterator[ObjectRow]:
    """Living objects with names, each once."""
    after, seen = (b"", 0), set[Dnt]()
    while True:
        found = ctx.tx.index_scan(attr.SERVICE_PRINCIPAL_NAME, b"", None, _BATCH, after)
        if not found:
            return
        after = found[-1]
        fresh = [dnt for dnt in dict.fromkeys(dnt for _, dnt in found) if dnt not in seen]
        seen.update(fresh)
        for row in ctx.tx.get_many(fresh):
            if row.state is ObjectState.LIVE:
                yield row


def _faults(ctx: ReadContext, key: str, holders: dict[str, dict[str, str]]) -> Iterator[SpnFault]:
    own = tuple(sorted(holders[key]))
    spn = holders[key][own[0]]
    service, _, rest = spn.partition("/")
    service = service.lower()
    if accounts.is_reserved_spn(spn):
        krbtgt = accounts.find_by_spn(ctx, spn)
        wrong = tuple(name for name in own if krbtgt is None or name != krbtgt.sam_account_name)
        if wrong:
            yield SpnFault(Fault.RESERVED, spn, wrong)
        return
    if len(own) > 1:
        yield SpnFault(Fault.DUPLICATE, spn, own)
    others = {
        name
        for target in accounts.mapped_to(ctx, service)
        for name in holders.get(_folded(f"{target}/{rest}"), {})
    }
    if service == _HOST or _HOST in accounts.mapped_to(ctx, service):
        computer = accounts.find_by_host(ctx, spn)
        others |= {computer.sam_account_name} if computer is not None else set()
    others -= set(own)
    if others:
        yield SpnFault(Fault.SHADOWS_HOST, spn, own, tuple(sorted(others)))
