"""Attribute scoped queries: a search of the objects that an attribute of the base object names.

Spec: [MS-ADTS] 3.1.1.3.4.1.18.
"""

from typing import NamedTuple

from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.directory import entry, names, rights
from addc.directory.selection import Shaper
from addc.schema.syntax import DnKind
from addc.store.objects import ObjectRow, ObjectState


class Scope(NamedTuple):
    """The objects to search, and the searchResults of the response.

    result: success; invalidAttributeSyntax for an attribute that names no objects; affectsMultipleDSAs if
    some of the objects are not held here.
    """

    result: LdapResult
    dnts: list[Dnt]


def scope_of(shaper: Shaper, base: ObjectRow, attribute_name: str) -> Scope:
    """What the attribute names: as much of it as the requester could read."""
    ctx = shaper.ctx
    attribute = ctx.schema.attribute(attribute_name)
    if attribute is None or attribute.syntax.dn_kind is not DnKind.DN or attribute.is_constructed:
        return Scope(LdapResult.INVALID_ATTRIBUTE_SYNTAX, [])
    granted = rights.ALL_GRANTS if ctx.unrestricted else rights.grants(ctx, base)
    if not shaper.may_read(base, attribute, granted):
        return Scope(LdapResult.SUCCESS, [])
    if attribute.is_linked:
        if not shaper.shows_links_of(base):
            return Scope(LdapResult.SUCCESS, [])
        link = entry.link_base(attribute)
        if attribute.is_back_link:
            dnts = ctx.tx.link_sources(link, base.dnt)
        else:
            dnts = ctx.tx.link_targets(link, base.dnt)
    elif (own := entry.column_values(ctx, base, attribute.att_id)) is not None:
        dnts = [base.dnt] if own else []  # distinguishedName names the object itself
    else:
        dnts = [names.reference_dnt(value) for value in base.attrs.get(attribute.att_id, ())]
    held = [row.dnt for row in ctx.tx.get_many(dnts) if row.state is not ObjectState.PHANTOM]
    result = LdapResult.SUCCESS if len(held) == len(dnts) else LdapResult.AFFECTS_MULTIPLE_DSAS
    return Scope(result, [dnt for dnt in held if shaper.shows_target(dnt)])
