"""What `addc keytab export` does: accounts' keys into a keytab, for services that are not Windows.

A service's keytab holds the keys under each name that clients ask tickets for: the KDC encrypts for an
account, the service looks for a name. Keys of former passwords go along, or tickets made before the last
change would fail.

Spec: [MS-KILE] 3.3.5.1.1, RFC 4120 6.2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from addc.auth.keytab import KeytabEntry, unpack_keytab, write_keytab
from addc.base.errors import DecodeError, UserError
from addc.base.ids import Dnt
from addc.base.secret import Secret
from addc.codec.krb5 import PrincipalName
from addc.codec.krb5_numbers import NameType
from addc.directory import accounts, audit
from addc.directory.accounts import Account
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.kdc.describe_values import etype_text
from addc.kdc.facts import Principal
from addc.kdc.lookup_accounts import client_account, principal
from addc.kdc.policy import KdcPolicy, account_keys
from addc.schema import attr
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.security.krb_keys import ETYPES, Key
from addc.security.token import SYSTEM
from addc.server.command_log import audited
from addc.store.objects import ObjectState

_BATCH: Final = 1000
_TRUST: Final = UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export. principals: account names or principal names. spns_of: accounts, by any such name.

    etypes: () for those that the KDC uses for the account. with_old: keys of former passwords too.
    """

    principals: Sequence[str] = ()
    spns: Sequence[str] = ()
    spns_of: Sequence[str] = ()
    everybody: bool = False
    etypes: Sequence[int] = ()
    with_old: bool = True


@dataclass(frozen=True, slots=True)
class Named:
    """A principal to be, with its account."""

    components: tuple[str, ...]
    account: Account


@dataclass(frozen=True, slots=True)
class Listed:
    """One key that was exported, without the key. etype: by name."""

    principal: str
    account: str
    kvno: int
    etype: str


def etypes_of(texts: Sequence[str]) -> tuple[int, ...]:
    """Encryption types by number, name or its beginning, as "aes256". Raises UserError."""
    found: list[int] = []
    for text in texts:
        known = [one for one in ETYPES if text == str(int(one)) or etype_text(one).startswith(text.lower())]
        if not known:
            names = ", ".join(etype_text(one) for one in ETYPES)
            raise UserError(f"{text} is no encryption type. Known: {names}. Next step: choose of these.")
        found += [int(one) for one in known]
    return tuple(dict.fromkeys(found))


def collect(ctx: ReadContext, wanted: Wanted) -> tuple[list[KeytabEntry], list[Listed]]:
    """The keys that are asked for; each account's are told to the audit log. Raises UserError."""
    entries: list[KeytabEntry] = []
    listed: list[Listed] = []
    told: set[Dnt] = set()
    for one in dict.fromkeys(_named(ctx, wanted)):
        found = list(_entries(ctx, one, wanted))
        if not found and not wanted.everybody:
            raise UserError(
                f"{one.account.sam_account_name} has no keys of the types asked for. "
                "Next step: choose other --etypes, or set its password anew."
            )
        entries += found
        whose = "/".join(one.components)
        listed += [
            Listed(
                f"{whose}@{ctx.forest.realm}", one.account.sam_account_name, key.kvno, etype_text(key.etype)
            )
            for key in found
        ]
        if found and one.account.dnt not in told:
            told.add(one.account.dnt)
            audit.secret_read(ctx, one.account.dnt, "keytab export")
    return entries, listed


def _named(ctx: ReadContext, wanted: Wanted) -> Iterator[Named]:
    for text in wanted.principals:
        yield Named(tuple(text.partition("@")[0].split("/")), _account(ctx, text))
    for spn in wanted.spns:
        found = accounts.find_by_spn(ctx, spn.partition("@")[0])
        if found is None:
            raise UserError(
                f"No account answers to {spn}, or several do. Next step: addc krb spns --duplicates."
            )
        yield Named(tuple(spn.partition("@")[0].split("/")), found)
    for text in wanted.spns_of:
        account = _account(ctx, text)
        if not account.spns:
            raise UserError(
                f"{text} has no servicePrincipalName. Next step: register one, or export with --principal."
            )
        yield Named((account.sam_account_name,), account)
        for spn in account.spns:
            yield Named(tuple(spn.split("/")), account)
    if wanted.everybody:
        for account in _everybody(ctx):
            yield Named((account.sam_account_name,), account)


def _account(ctx: ReadContext, text: str) -> Account:
    """By sAMAccountName, principal name, or a service's name."""
    user, at, realm = text.rpartition("@")
    own = at and ctx.forest.is_realm(realm)
    plain = user if own else text
    found = client_account(ctx, PrincipalName(int(NameType.KRB_NT_PRINCIPAL), tuple(plain.split("/"))))
    found = found or client_account(ctx, PrincipalName(int(NameType.KRB_NT_ENTERPRISE), (text,)))
    found = found or (accounts.find_by_spn(ctx, plain) if "/" in plain else None)
    if found is None:
        raise UserError(f"No account is called {text}. Next step: name one by its sAMAccountName.")
    return found


def _everybody(ctx: ReadContext) -> Iterator[Account]:
    """Every account but krbtgt's and the trusts', which nobody else is to hold."""
    after = (b"", 0)
    while found := ctx.tx.index_scan(attr.SAM_ACCOUNT_NAME, b"", None, _BATCH, after):
        after = found[-1]
        for row in ctx.tx.get_many([dnt for _, dnt in found]):
            if row.state is ObjectState.LIVE and accounts.is_account(row):
                account = accounts.account(ctx, row)
                if account.sid.rid() != wellknown.RID_KRBTGT and not account.has(_TRUST):
                    yield account


def _entries(ctx: ReadContext, one: Named, wanted: Wanted) -> Iterator[KeytabEntry]:
    known = principal(ctx, one.account)
    for kvno, keys in _generations(known, wanted):
        for key in keys:
            yield KeytabEntry(one.components, ctx.forest.realm, kvno, int(key.etype), Secret(key.value))


def _generations(known: Principal, wanted: Wanted) -> Iterator[tuple[int, list[Key]]]:
    ring = known.keys
    etypes = wanted.etypes or tuple(account_keys(known, KdcPolicy()))
    generations = ((ring.kvno, ring.current), *(ring.old if wanted.with_old else ()))
    for kvno, keys in generations:
        yield kvno, [keys[etype] for etype in etypes if etype in keys]


def write(path: Path, entries: Sequence[KeytabEntry], *, merge: bool) -> None:
    """Put the file in place, mode 0600, at once and whole. merge: beside what it holds of other principals.

    Raises UserError where that cannot be done.
    """
    kept: list[KeytabEntry] = []
    try:
        if merge and path.exists():
            fresh = {(one.components, one.realm) for one in entries}
            kept = [
                one for one in unpack_keytab(path.read_bytes()) if (one.components, one.realm) not in fresh
            ]
        write_keytab(path, [*kept, *entries])
        path.chmod(0o600)
    except DecodeError as error:
        raise UserError(f"{path} is no keytab: {error}. Next step: leave --merge out.") from error
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror}. Next step: name a folder of yours."
        ) from error


def export(
    directory: Directory, wanted: Wanted, path: Path, *, merge: bool = False, dry_run: bool = False
) -> list[Listed]:
    """Write a keytab; what is in it, without the keys. dry_run: nothing is read out or written."""
    if dry_run:
        return directory.read_now("keytab", SYSTEM, lambda ctx: _listed_only(ctx, wanted))
    entries, listed = audited(directory).read_now("keytab", SYSTEM, lambda ctx: collect(ctx, wanted))
    write(path, entries, merge=merge)
    return listed


def _listed_only(ctx: ReadContext, wanted: Wanted) -> list[Listed]:
    """As `collect`, of which nothing is kept and nobody told."""
    listed = collect(ctx, wanted)[1]
    ctx.audits.clear()
    return listed
