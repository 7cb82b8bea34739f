"""crossRef objects that requesters add: naming contexts that are to be, and those of other forests.

Spec: [MS-ADTS] 3.1.1.5.2.6 (names of naming contexts), 3.1.1.5.2.7, 6.1.1.2.1.1 (crossRef objects).
"""

import re
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.dn import Dn
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, fsmo, names, referrals, role_scope, write_values
from addc.directory.add_values import Given
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import Draft
from addc.schema import attr, cls
from addc.store.objects import ObjectRow, ObjectState

FLAG_CR_NTDS_NC: Final = 0x1
FLAG_CR_NTDS_DOMAIN: Final = 0x2
FLAG_CR_NTDS_NOT_GC_REPLICATED: Final = 0x4

_LABEL: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def _refuse(code: Win32, detail: str, attribute: str = "nCName") -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM, attribute=attribute)


def check_name(ctx: ReadContext, dn: Dn) -> None:
    """What a new naming context of the forest may be called.

    Its labels make a DNS name; no object has its name; above it is a naming context, or none at all.
    Spec: [MS-ADTS] 3.1.1.5.2.6.
    """
    if not dn or any(rdn.att.upper() != "DC" or not _LABEL.fullmatch(rdn.value) for rdn in dn.rdns):
        raise DsError(
            Win32.ERROR_DS_BAD_NAME_SYNTAX,
            "not the name of a domain",
            ldap_result=LdapResult.NAMING_VIOLATION,
        )
    there = names.find_dn(ctx, dn)
    if there is not None and there.state is not ObjectState.PHANTOM:
        raise DsError(
            Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS, "ENTRY_EXISTS", ldap_result=LdapResult.ENTRY_ALREADY_EXISTS
        )
    contexts = {one.dn.key() for one in referrals.cross_refs(ctx) if is_of_forest(ctx, one.nc)}
    above = dn.parent
    if above.key() in contexts:
        return
    while above:
        above = above.parent
        if above.key() in contexts:
            raise _refuse(Win32.ERROR_DS_NC_MUST_HAVE_NC_PARENT, "its parent is no naming context")


def is_of_forest(ctx: ReadContext, nc: Dnt) -> bool:
    """Whether a crossRef of the forest itself, and not of another, names this naming context."""
    row = of_nc(ctx, nc)
    return row is not None and bool(entry.integer(row, attr.SYSTEM_FLAGS) & FLAG_CR_NTDS_NC)


def of_nc(ctx: ReadContext, nc: Dnt) -> ObjectRow | None:
    """The crossRef object of a naming context, enabled or not."""
    container = referrals.partitions(ctx)
    if container is None:
        return None
    for row in names.children(ctx, container.dnt):
        if row.class_id == cls.CROSS_REF and entry.reference(row, attr.NC_NAME) == nc:
            return row
    return None


def take_name(ctx: WriteContext, draft: Draft, given: Given) -> None:
    """Take nCName out of the Add of a crossRef: it names what need not exist, and a row keeps the name."""
    if draft.plan.structural.class_id != cls.CROSS_REF or len(given.values(attr.NC_NAME)) != 1:
        return
    found = given.plain.pop(attr.NC_NAME)
    dn = names.parse(found[1][0].decode("utf-8", "replace"))
    if not isinstance(dn, Dn):
        raise DsError(Win32.ERROR_DS_INVALID_ATTRIBUTE_SYNTAX, "a DN is wanted", attribute="nCName")
    draft.put(attr.NC_NAME, names.reference(write_values.phantom(ctx, dn)))


def check_add(ctx: WriteContext, parent: ObjectRow, draft: Draft) -> None:
    """A new crossRef: by the naming master, with flags that say what it is, for a name that has none yet."""
    draft.put_if_absent(attr.SYSTEM_FLAGS, b"0")
    held = draft.first(attr.NC_NAME)
    if held is None:
        return  # which is told as a mandatory attribute that is missing
    nc = names.reference_dnt(held)
    role_scope.check_child(ctx, parent)
    if not fsmo.is_ours(ctx, fsmo.NAMING_MASTER):
        raise _refuse(Win32.ERROR_DS_ROLE_NOT_VERIFIED, "nobody is the domain naming master", "")
    if of_nc(ctx, nc) is not None:
        raise _refuse(Win32.ERROR_DS_CROSS_REF_EXISTS, "the naming context has a crossRef")
    flags = draft.integer(attr.SYSTEM_FLAGS)
    if flags & FLAG_CR_NTDS_DOMAIN:
        raise _refuse(Win32.ERROR_DS_UNWILLING_TO_PERFORM, "domains are not made over LDAP", "systemFlags")
    internal = bool(flags & FLAG_CR_NTDS_NC)
    if bool(flags & FLAG_CR_NTDS_NOT_GC_REPLICATED) != internal:
        raise _refuse(Win32.ERROR_DS_UNWILLING_TO_PERFORM, "no such combination", "systemFlags")
    dn = Dn.parse(names.dn_of(ctx, nc))
    if internal:
        if draft.get(attr.ENABLED) != (b"FALSE",):
            raise _refuse(Win32.ERROR_DS_UNWILLING_TO_PERFORM, "the naming context is yet to come", "Enabled")
        check_name(ctx, dn)
        return
    row = ctx.tx.get(nc)
    if row is not None and row.state is not ObjectState.PHANTOM:
        raise _refuse(Win32.ERROR_DS_NCNAME_MUST_BE_NC, "an object of this forest")
