"""Where else a client has to ask: referrals to other naming contexts, continuations to those below.

Spec: [MS-ADTS] 3.1.1.4.6, 3.1.1.4.7, 3.1.1.3.1.4.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.dn import Dn
from addc.codes.win32 import Win32
from addc.directory import entry, names, visibility
from addc.directory.context import Fact, ReadContext
from addc.schema import attr, cls
from addc.store.objects import ObjectRow, ObjectState

FLAG_CR_NTDS_DOMAIN: Final = 0x2
"""systemFlags of the crossRef of a domain ([MS-ADTS] 2.2.10)."""

_ONE_LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class CrossRef:
    """What a crossRef object says of a naming context.

    nc: row of its root, object or phantom. parent_nc: the naming context above it, 0 at the top of the tree.
    url: where a client is sent for it.
    """

    nc: Dnt
    dn: Dn
    dns_root: str
    is_domain: bool
    parent: Dnt
    parent_nc: Dnt
    path: bytes
    url: str


_CROSS_REFS: Final[Fact[tuple[CrossRef, ...]]] = Fact()
_SPANNED: Final[Fact[tuple[frozenset[Dnt], frozenset[Dnt]]]] = Fact()
"""Naming contexts that searches span: of the global catalog; of the LDAP port with the phantom root."""


def cross_refs(ctx: ReadContext) -> tuple[CrossRef, ...]:
    """The enabled crossRef objects of the forest."""
    return _CROSS_REFS.get(ctx, ctx.tx.seq, lambda: _read(ctx))


def partitions(ctx: ReadContext) -> ObjectRow | None:
    """The Partitions container."""
    try:
        return names.resolve(ctx, "CN=Partitions," + ctx.forest.config_dn)
    except DsError:
        return None


def _read(ctx: ReadContext) -> tuple[CrossRef, ...]:
    container = partitions(ctx)
    if container is None:
        return ()
    found = []
    for row in ctx.tx.get_many(ctx.tx.child_dnts(container.dnt)):
        nc = entry.reference(row, attr.NC_NAME)
        dns_root = entry.text(row, attr.DNS_ROOT)
        if (
            row.class_id != cls.CROSS_REF
            or row.state is not ObjectState.LIVE
            or nc is None
            or dns_root is None
            or not entry.boolean(row, attr.ENABLED, True)
        ):
            continue
        head = ctx.tx.get(nc)
        if head is None:
            continue
        above = ctx.tx.get(head.parent)
        dn = names.dn_of(ctx, nc)
        found.append(
            CrossRef(
                nc=nc,
                dn=Dn.parse(dn),
                dns_root=dns_root,
                is_domain=bool(entry.integer(row, attr.SYSTEM_FLAGS) & FLAG_CR_NTDS_DOMAIN),
                parent=head.parent,
                parent_nc=Dnt(0) if above is None or above.state is ObjectState.PHANTOM else above.nc,
                path=head.path,
                url=url(dns_root, dn),
            )
        )
    return tuple(found)


def spanned(ctx: ReadContext, row: ObjectRow, *, gc_port: bool) -> bool:
    """Whether searches over all naming contexts see the row.

    The global catalog leaves out application naming contexts. SERVER_SEARCH_FLAG_PHANTOM_ROOT shows them,
    which is not what the specification says: decision 0056.

    Spec: [MS-ADTS] 3.1.1.1.8, 3.1.1.3.4.1.12.
    """
    spanned_by_gc, every_nc = _SPANNED.get(ctx, ctx.tx.seq, lambda: _spans(ctx))
    return row.nc in (spanned_by_gc if gc_port else every_nc)


def _spans(ctx: ReadContext) -> tuple[frozenset[Dnt], frozenset[Dnt]]:
    own = {ctx.forest.domain_nc, ctx.forest.config_nc, ctx.forest.schema_nc}
    known = cross_refs(ctx)
    domains = {one.nc for one in known if one.is_domain}
    return frozenset(own | domains), frozenset(own | {one.nc for one in known})


def continuations(ctx: ReadContext, base: ObjectRow, scope: int) -> list[str]:
    """LDAP URLs of the naming contexts right below the one that was searched, in scope of the search.

    Spec: [MS-ADTS] 3.1.1.4.7.
    """
    urls = []
    for one in cross_refs(ctx):
        if one.parent_nc != base.nc or one.nc == base.nc:
            continue
        if scope == _ONE_LEVEL:
            if one.parent == base.dnt:
                urls.append(one.url + "??base")
        elif one.path.startswith(base.path):
            urls.append(one.url)
    return urls


def url(host: str, dn: str) -> str:
    """ldap://host/dn."""
    return f"ldap://{host}/{quote(dn, safe='=,')}"


def instead_of(ctx: ReadContext, name: str, error: DsError) -> DsError:
    """What to answer for a name that is not here: a referral if another DC may have it, else no such object.

    Spec: [MS-ADTS] 3.1.1.4.6.
    """
    parsed = names.parse(name)
    if not isinstance(parsed, Dn):
        return error
    best: CrossRef | None = None
    for one in cross_refs(ctx):
        if parsed.is_under(one.dn) and (best is None or len(one.dn) > len(best.dn)):
            best = one
    if best is not None:
        root = ctx.tx.get(best.nc)
        held = root is not None and root.state is not ObjectState.PHANTOM
        return no_object(ctx, parsed) if held else _referral(best.dns_root, parsed)
    if _below_hosted(ctx, parsed):
        return no_object(ctx, parsed)
    host = _superior_dns_root(ctx) or parsed.dns_domain()
    return _referral(host, parsed) if host else no_object(ctx, parsed)


def _referral(host: str, dn: Dn) -> DsError:
    target = url(host, str(dn))
    return DsError(Win32.ERROR_DS_REFERRAL, f"ref 1: '{host}'", referrals=(target,))


def for_child(error: DsError, dn: str) -> DsError:
    """The referral of a parent, as the one of an object that was to be made below it."""
    targets = tuple(f"{one.rpartition('/')[0]}/{quote(dn, safe='=,')}" for one in error.referrals)
    return DsError(error.code, error.detail, referrals=targets)


def _superior_dns_root(ctx: ReadContext) -> str | None:
    container = partitions(ctx)
    if container is None:
        return None
    for row in ctx.tx.get_many(ctx.tx.child_dnts(container.dnt)):
        if entry.reference(row, attr.NC_NAME) == ctx.forest.root_nc:
            return entry.text(row, attr.SUPERIOR_DNS_ROOT)
    return None


def _below_hosted(ctx: ReadContext, dn: Dn) -> bool:
    """Whether the name lies in a naming context that this DC holds."""
    while dn:
        row = names.find_dn(ctx, dn)
        if row is not None and row.state is not ObjectState.PHANTOM:
            return True
        dn = dn.parent
    return False


def to_other_dc(ctx: ReadContext, row: ObjectRow) -> DsError:
    """A referral for an object that is here only in part, as a global catalog has it."""
    dn = names.parsed_dn(ctx, row)
    host = next((one.dns_root for one in cross_refs(ctx) if one.nc == row.nc), dn.dns_domain())
    return _referral(host, dn)


def to_host(ctx: ReadContext, host: str, row: ObjectRow) -> DsError:
    """A referral to one DC for an object that is here too, but not for this DC to write."""
    return _referral(host, names.parsed_dn(ctx, row))


def visible_object(ctx: ReadContext, name: str, *, deleted: bool = False) -> ObjectRow:
    """The object that a requester wants to write to or below.

    What he may not see is refused to the letter like what is not there, and matchedDN names what he may see.
    A name that lies in no naming context of this DC is referred elsewhere.
    """
    try:
        row = names.resolve(ctx, name, deleted=deleted)
    except DsError as error:
        if error.code != Win32.ERROR_DS_OBJ_NOT_FOUND:
            raise
        parsed = names.parse(name)
        known = isinstance(parsed, Dn) and not parsed
        raise (hidden(ctx, name) if known else instead_of(ctx, name, error)) from None
    if not visibility.visible(ctx, row):
        raise hidden(ctx, name)
    return row


def hidden(ctx: ReadContext, name: str) -> DsError:
    """No such object, for one that the requester may not see."""
    parsed = names.parse(name)
    if isinstance(parsed, Dn):
        return no_object(ctx, parsed)
    return DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "NO_OBJECT")


def no_object(ctx: ReadContext, dn: Dn) -> DsError:
    """No such object, with the nearest ancestor that the requester may see as matchedDN."""
    above = dn.parent if dn else dn
    while above:
        row = names.find_dn(ctx, above)
        if row is not None and row.state is ObjectState.LIVE and visibility.visible(ctx, row):
            matched = names.dn_of_row(ctx, row)
            return DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "NO_OBJECT", matched_dn=matched)
        above = above.parent
    return DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "NO_OBJECT")
