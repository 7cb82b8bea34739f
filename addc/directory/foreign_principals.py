"""Stand-ins for principals of elsewhere: a group cannot hold a SID, so it holds an object with that SID.

Whoever names a foreign SID as a member need not ask for the object: it comes along.

Spec: [MS-SAMR] 3.1.1.8.9, [MS-ADTS] 3.1.1.5.2.3, 3.1.1.5.2.4, 3.1.1.5.3.3, 6.1.1.4.10.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from addc.base.errors import DecodeError, DsError
from addc.codec import dn as dn_codec
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import names, object_sd
from addc.directory.context import ReadContext, WriteContext
from addc.schema import attr, cls
from addc.schema.wellknown import WellKnownContainer
from addc.security import wellknown
from addc.security.descriptor import SecurityDescriptor
from addc.store.objects import ObjectState

ENABLED: Final = frozenset(
    (
        attr.MEMBER,
        attr.MS_DS_MEMBERS_FOR_AZ_ROLE,
        attr.MS_DS_NEVER_REVEAL_GROUP,
        attr.MS_DS_NON_MEMBERS,
        attr.MS_DS_REVEAL_ON_DEMAND_GROUP,
    )
)
"""FPO-enabled attributes. Spec: [MS-ADTS] 3.1.1.5.2.3; msDS-ServiceAccount is of AD LDS."""
AT_ONCE_MAX: Final = 1000
"""Objects that one request brings along: a list of SIDs is short, and each is an Add in the writer."""
CLASS_NAME: Final = b"foreignSecurityPrincipal"


def missing(ctx: ReadContext, values: Iterable[bytes]) -> list[Sid]:
    """The SIDs that values of an enabled attribute name as `<SID=...>`, and that no object stands for yet.

    The well-known principals of the configuration are not meant: groups hold objects of their own domain.
    SIDs of this domain and of BUILTIN are none: they name objects here, or nothing.
    """
    found = []
    for value in values:
        sid = _sid_of(value)
        if sid is None or _is_local(ctx, sid):
            continue
        rows = ctx.tx.by_sid(bytes(sid))
        if not any(row.state is ObjectState.LIVE and row.nc == ctx.forest.domain_nc for row in rows):
            found.append(sid)
    return list(dict.fromkeys(found))


def check_count(count: int) -> None:
    """Refuse a request that would bring along more objects than it may."""
    if count > AT_ONCE_MAX:
        raise DsError(Win32.ERROR_DS_ADMIN_LIMIT_EXCEEDED, f"over {AT_ONCE_MAX} strangers at once")


def _sid_of(value: bytes) -> Sid | None:
    """Only the SID form; one with a payload or a time to live is the business of what takes it apart."""
    if value[:5].upper() != b"<SID=":
        return None
    try:
        name = dn_codec.parse_name(value.decode("utf-8", "replace"))
    except DecodeError:
        return None
    return name.sid if isinstance(name, dn_codec.SidName) else None


def _is_local(ctx: ReadContext, sid: Sid) -> bool:
    own = (ctx.forest.domain_sid, wellknown.BUILTIN_DOMAIN)
    return sid in own or sid.domain() in own


def dn_of(ctx: ReadContext, sid: Sid) -> str:
    """Where the object of a foreign SID goes."""
    domain = ctx.tx.get(ctx.forest.domain_nc)
    place = None
    if domain is not None:
        place = names.well_known(ctx, domain, WellKnownContainer.FOREIGNSECURITYPRINCIPALS)
    if place is None:
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "there is no place for foreign principals")
    return f"CN={sid},{names.dn_of_row(ctx, place)}"


def descriptor(ctx: WriteContext) -> SecurityDescriptor:
    """The class's default, owned by Domain Admins whoever caused it."""
    domain_sid = ctx.forest.domain_sid
    foreign = ctx.schema.class_by_id(cls.FOREIGN_SECURITY_PRINCIPAL)
    assert foreign is not None
    default = object_sd.default_descriptor(foreign.default_sd, domain_sid, domain_sid)
    admins = domain_sid.child(wellknown.RID_DOMAIN_ADMINS)
    return replace(default or SecurityDescriptor(), owner=admins, group=admins)


def not_by_hand() -> DsError:
    """The answer to an Add of the class: its SID is mandatory, and no requester gives a SID."""
    return DsError(
        Win32.ERROR_DS_MISSING_REQUIRED_ATT,
        "a foreign principal comes with its first membership",
        ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
        attribute="objectSid",
    )
