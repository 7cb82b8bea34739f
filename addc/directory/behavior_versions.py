"""Raising and lowering the functional levels of domain and forest.

Spec: [MS-ADTS] 3.1.1.5.3.4, 3.1.1.9 (levels that optional features require).
"""

from typing import Final

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, levels, names
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import Draft
from addc.schema import attr, cls
from addc.store.objects import ObjectRow

DS_BEHAVIOR_WIN2003: Final = 2
DS_BEHAVIOR_WIN2008: Final = 3
_FEATURES_LEVEL: Final = 4
"""What the Recycle Bin requires of the forest; a forest that has it on does not sink below."""
_DSA_CLASSES: Final = frozenset((cls.NTDSDSA, cls.NTDSDSARO))


def _refuse(code: Win32, detail: str) -> DsError:
    return DsError(
        code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM, attribute="msDS-Behavior-Version"
    )


def check(ctx: WriteContext, draft: Draft) -> None:
    """The new msDS-Behavior-Version of a domain or the forest is one it may have."""
    row = draft.row
    assert row is not None
    new = draft.integer(attr.MS_DS_BEHAVIOR_VERSION, -1)
    old = draft.integer_before(attr.MS_DS_BEHAVIOR_VERSION)
    is_domain = row.dnt == ctx.forest.domain_nc
    if is_domain and new <= old and new <= levels.forest_level(ctx):
        raise _refuse(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "a domain does not sink to its forest's level")
    if new <= old and new < DS_BEHAVIOR_WIN2008:
        raise _refuse(Win32.ERROR_DS_HIGH_DSA_VERSION, "functional levels do not sink so low")
    if not is_domain and new < _FEATURES_LEVEL and levels.enabled_features(ctx):
        raise _refuse(Win32.ERROR_DS_HIGH_DSA_VERSION, "an optional feature requires the level")
    if new > levels.DC_BEHAVIOR_VERSION or _lowest_dc(ctx, row.dnt if is_domain else None) < new:
        raise _refuse(Win32.ERROR_DS_LOW_DSA_VERSION, "a DC is of a lower version")
    if old < DS_BEHAVIOR_WIN2003 <= new and _is_mixed(ctx):
        code = Win32.ERROR_DS_NO_BEHAVIOR_VERSION_IN_MIXED_DOMAIN
        raise _refuse(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION if is_domain else code, "a mixed-mode domain")


def _is_mixed(ctx: ReadContext) -> bool:
    domain = ctx.tx.get(ctx.forest.domain_nc)
    return domain is not None and bool(entry.integer(domain, attr.NT_MIXED_DOMAIN))


def _lowest_dc(ctx: ReadContext, domain: Dnt | None) -> int:
    """The lowest msDS-Behavior-Version of a domain's DCs, of all for None."""
    lowest = levels.DC_BEHAVIOR_VERSION
    for dsa in _dsas(ctx):
        if domain is None or _is_master(ctx, dsa, domain):
            lowest = min(lowest, entry.integer(dsa, attr.MS_DS_BEHAVIOR_VERSION))
    return lowest


def _is_master(ctx: ReadContext, dsa: ObjectRow, nc: Dnt) -> bool:
    attribute = ctx.schema.attribute_by_id(attr.HAS_MASTER_N_CS)
    assert attribute is not None
    found = ctx.tx.link(entry.link_base(attribute), dsa.dnt, nc)
    return found is not None and not found.deleted


def _dsas(ctx: ReadContext) -> list[ObjectRow]:
    """Every nTDSDSA: the child of a server in a site."""
    try:
        sites = names.resolve(ctx, f"CN=Sites,{ctx.forest.config_dn}")
    except DsError:
        return []
    return [
        dsa
        for site in names.children(ctx, sites.dnt)
        for servers in names.children(ctx, site.dnt)
        if servers.class_id == cls.SERVERS_CONTAINER
        for server in names.children(ctx, servers.dnt)
        for dsa in names.children(ctx, server.dnt)
        if dsa.class_id in _DSA_CLASSES
    ]
