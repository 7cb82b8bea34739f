"""The values of an Add request: sorted out, checked against schema and rights, brought into stored form.

Spec: [MS-ADTS] 3.1.1.5.2.2, 3.1.1.5.2.4, 3.1.1.5.1.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import policy, ttl_links, write_values
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.directory.object_classes import ClassPlan, class_plan, tokens_of
from addc.schema import attr, cls
from addc.schema.snapshot import Attribute
from addc.security.account_flags import InstanceType
from addc.security.token import Privilege

Links = list[tuple[Attribute, list[tuple[Dnt, bytes]]]]
"""Forward link values of a new object: targets and payloads by attribute."""

IGNORED: Final = frozenset(
    (
        attr.DISTINGUISHED_NAME,
        attr.SUB_REFS,
        attr.USN_LAST_OBJ_REM,
        attr.USNDSA_LAST_OBJ_REMOVED,
        attr.USN_CREATED,
        attr.USN_CHANGED,
        attr.REPL_PROPERTY_META_DATA,
        attr.IS_DELETED,
        attr.PROXIED_OBJECT_NAME,
        attr.WHEN_CREATED,
        attr.WHEN_CHANGED,
    )
)
"""Values that an Add may hold and that count for nothing. Spec: [MS-ADTS] 3.1.1.5.2.4."""
_KEPT_BY_DC: Final = frozenset((attr.WHEN_CREATED, attr.IS_DELETED))

SAM_OWNED_USER: Final = frozenset(
    (
        attr.BAD_PASSWORD_TIME,
        attr.BAD_PWD_COUNT,
        attr.DBCS_PWD,
        attr.IS_CRITICAL_SYSTEM_OBJECT,
        attr.LAST_LOGOFF,
        attr.LAST_LOGON,
        attr.LAST_LOGON_TIMESTAMP,
        attr.LM_PWD_HISTORY,
        attr.LOGON_COUNT,
        attr.MEMBER_OF,
        attr.MS_DS_USER_ACCOUNT_CONTROL_COMPUTED,
        attr.NT_PWD_HISTORY,
        attr.OBJECT_SID,
        attr.RID,
        attr.SAM_ACCOUNT_TYPE,
        attr.SUPPLEMENTAL_CREDENTIALS,
    )
)
SAM_OWNED_GROUP: Final = frozenset(
    (
        attr.IS_CRITICAL_SYSTEM_OBJECT,
        attr.MEMBER_OF,
        attr.OBJECT_SID,
        attr.RID,
        attr.SAM_ACCOUNT_TYPE,
        attr.USER_PASSWORD,
    )
)
SAM_OWNED_OTHER: Final = frozenset(
    (
        attr.IS_CRITICAL_SYSTEM_OBJECT,
        attr.LM_PWD_HISTORY,
        attr.NT_PWD_HISTORY,
        attr.OBJECT_SID,
        attr.SAM_ACCOUNT_NAME,
        attr.SAM_ACCOUNT_TYPE,
        attr.SUPPLEMENTAL_CREDENTIALS,
        attr.UNICODE_PWD,
    )
)
SYSTEM_ONLY_WRITABLE: Final = frozenset(
    (
        attr.MS_DS_ADDITIONAL_DNS_HOST_NAME,
        # Deviation: the schema says systemOnly, yet Windows lets clients set resource-based delegation.
        attr.MS_DS_ALLOWED_TO_ACT_ON_BEHALF_OF_OTHER_IDENTITY,
        # Deviation: system-only too, and the switch by which administrators go on behind the RID ceiling.
        attr.MS_DS_RID_POOL_ALLOCATION_ENABLED,
    )
)
"""System-only attributes that requesters write all the same. Spec: [MS-ADTS] 3.1.1.5.3.2."""
_SYSTEM_ONLY_ADDED: Final = SYSTEM_ONLY_WRITABLE | {attr.SYSTEM_FLAGS, attr.MS_DS_MANAGED_PASSWORD_INTERVAL}
_AUTOMATIC: Final = frozenset(
    (
        attr.OBJECT_CLASS,
        attr.OBJECT_CATEGORY,
        attr.INSTANCE_TYPE,
        attr.NT_SECURITY_DESCRIPTOR,
        attr.OBJECT_SID,
        attr.OBJECT_GUID,
        attr.NAME,
    )
)


@dataclass(slots=True)
class Given:
    """An Add request sorted out. The special values stand apart; `plain` holds the rest."""

    plan: ClassPlan
    plain: dict[AttId, tuple[Attribute, Sequence[bytes]]] = field(default_factory=dict)
    instance_type: int = int(InstanceType.IT_WRITE)
    guid: bytes | None = None
    sid: bytes | None = None
    sd: bytes | None = None
    password: bytes | None = None
    user_password: bytes | None = None

    def values(self, att: AttId) -> Sequence[bytes]:
        """The values as the requester wrote them."""
        found = self.plain.get(att)
        return () if found is None else found[1]


def _violation(code: Win32, result: LdapResult, attribute: str, detail: str = "") -> DsError:
    return DsError(code, detail or f"{attribute} is refused", ldap_result=result, attribute=attribute)


def collect(ctx: WriteContext, attributes: Sequence[tuple[str, Sequence[bytes]]]) -> Given:
    """Resolve the attribute names of an Add and complete its objectClass."""
    plain: dict[AttId, tuple[Attribute, Sequence[bytes]]] = {}
    for name, values in attributes:
        attribute = write_values.attribute_named(ctx, name)
        if attribute.att_id in plain:
            if attribute.att_id == attr.OBJECT_CLASS:
                raise _violation(
                    Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, LdapResult.OBJECT_CLASS_VIOLATION, "objectClass"
                )
            raise _violation(
                Win32.ERROR_DS_ATT_ALREADY_EXISTS, LdapResult.ATTRIBUTE_OR_VALUE_EXISTS, attribute.name
            )
        if not values:
            raise _violation(
                Win32.ERROR_INVALID_PARAMETER, LdapResult.CONSTRAINT_VIOLATION, attribute.name, "no values"
            )
        plain[attribute.att_id] = (attribute, values)
    classes = plain.pop(attr.OBJECT_CLASS, None)
    given = Given(class_plan(ctx.schema, tokens_of(ctx.schema, classes[1]) if classes else ()), plain)
    _take_special(ctx, given)
    return given


def _single(given: Given, att: AttId) -> bytes | None:
    found = given.plain.pop(att, None)
    if found is None:
        return None
    if len(found[1]) != 1:
        raise write_values.single_value_error(found[0])
    return found[1][0]


def _take_special(ctx: WriteContext, given: Given) -> None:
    given.guid = _single(given, attr.OBJECT_GUID)
    given.sd = _single(given, attr.NT_SECURITY_DESCRIPTOR)
    if ctx.unrestricted or not given.plan.is_sam:
        given.sid = _single(given, attr.OBJECT_SID)
    if given.plan.is_user:
        given.password = _single(given, attr.UNICODE_PWD)
        if attr.USER_PASSWORD in given.plain and policy.heuristics(ctx).user_pwd_support:
            given.user_password = given.plain.pop(attr.USER_PASSWORD)[1][-1]
    instance_types = given.plain.pop(attr.INSTANCE_TYPE, None)
    if instance_types is not None:
        given.instance_type = _instance_type(ctx, instance_types[1])


def _instance_type(ctx: WriteContext, values: Sequence[bytes]) -> int:
    """Spec: [MS-ADTS] 3.1.1.5.2.2 (instanceType); naming contexts are made by the DC itself."""
    try:
        (value,) = values
        asked = int(value)
    except ValueError:
        asked = -1
    if ctx.unrestricted:
        return asked
    if asked not in (0, int(InstanceType.IT_WRITE)):
        refused = Win32.ERROR_DS_BAD_INSTANCE_TYPE
        if asked > 0 and asked & InstanceType.IT_NC_HEAD:
            # An application NC needs a crossRef and a naming master at work: not offered over this door.
            writable = asked & InstanceType.IT_WRITE
            refused = Win32.ERROR_DS_NOT_SUPPORTED if writable else Win32.ERROR_DS_ADD_REPLICA_INHIBITED
        raise _violation(refused, LdapResult.UNWILLING_TO_PERFORM, "instanceType")
    return int(InstanceType.IT_WRITE)


def store(ctx: WriteContext, draft: Draft, given: Given, rdn_att: AttId) -> Links:
    """Put the given values into the draft in stored form; the forward links come back."""
    links: Links = []
    unrestricted = ctx.unrestricted
    may = given.plan.may
    for att, (attribute, values) in given.plain.items():
        if not unrestricted:
            if att in IGNORED or attribute.is_constructed:
                continue
            if att == attr.NAME:
                continue
            check_allowed(ctx, given.plan, attribute)
        elif attribute.is_constructed or (att in IGNORED and att not in _KEPT_BY_DC):
            continue
        if att in (rdn_att, attr.NAME):
            _check_rdn_values(draft, attribute, values)
            continue
        if att not in may and not unrestricted:
            raise _violation(
                Win32.ERROR_DS_ATT_NOT_DEF_FOR_CLASS, LdapResult.OBJECT_CLASS_VIOLATION, attribute.name
            )
        if attribute.is_linked:
            links.append((attribute, _targets(ctx, draft, attribute, values)))
        else:
            draft.attrs[att] = write_values.stored_values(ctx, attribute, values)
        draft.given.add(att)
    draft.touched.update(draft.given)
    draft.attrs[attr.INSTANCE_TYPE] = (b"%d" % given.instance_type,)
    return links


def check_allowed(ctx: WriteContext, plan: ClassPlan, attribute: Attribute) -> None:
    """Attributes that no requester gives a new object.

    System-only attributes may come with a new object. Deviation: not those that every class has, nor those of
    accounts, which a client has no use for and the KDC believes.
    Spec: [MS-ADTS] 3.1.1.5.2.2 (disallowed by SAM; back links), 3.1.1.2.3 (system-only).
    """
    check_not_owned(plan, attribute)
    check_sid_history(attribute)
    att = attribute.att_id
    if attribute.is_back_link:
        raise system_only_error(attribute)
    if attribute.system_only and att not in _SYSTEM_ONLY_ADDED:
        top = ctx.schema.class_by_id(cls.TOP)
        if plan.is_sam or top is None or att in top.may:
            raise system_only_error(attribute)
    check_delegation(ctx, attribute)


def check_not_owned(plan: ClassPlan, attribute: Attribute) -> None:
    """Attributes that SAM alone writes. Spec: [MS-ADTS] 3.1.1.5.2.2, 3.1.1.5.3.2."""
    att = attribute.att_id
    if (plan.is_user and att in SAM_OWNED_USER) or (plan.is_group and att in SAM_OWNED_GROUP):
        raise _violation(
            Win32.ERROR_DS_ATTRIBUTE_OWNED_BY_SAM, LdapResult.UNWILLING_TO_PERFORM, attribute.name
        )
    if not plan.is_sam and att in SAM_OWNED_OTHER:
        raise _violation(
            Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, LdapResult.UNWILLING_TO_PERFORM, attribute.name
        )


def check_sid_history(attribute: Attribute) -> None:
    """A SID in sIDHistory is as good as the group it belongs to: nobody gives it, whatever rights he holds.

    Windows adds values in DsAddSidHistory alone; they may be taken away.
    """
    if attribute.att_id == attr.SID_HISTORY:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "sIDHistory is for the system", attribute=attribute.name)


def system_only_error(attribute: Attribute) -> DsError:
    """Spec: [MS-ADTS] 3.1.1.5.3.2."""
    return _violation(Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY, LdapResult.CONSTRAINT_VIOLATION, attribute.name)


def check_delegation(ctx: WriteContext, attribute: Attribute) -> None:
    """Constrained delegation takes a privilege. Spec: [MS-ADTS] 3.1.1.5.2.1, 3.1.1.5.3.1."""
    if attribute.att_id == attr.MS_DS_ALLOWED_TO_DELEGATE_TO and not ctx.requester.has(
        Privilege.SE_ENABLE_DELEGATION
    ):
        raise DsError(Win32.ERROR_ACCESS_DENIED, "delegation takes a privilege", attribute=attribute.name)


def _check_rdn_values(draft: Draft, attribute: Attribute, values: Sequence[bytes]) -> None:
    """The naming attribute that comes as a value too must say what the DN says. Spec: 3.1.1.5.2.2."""
    key = attribute.syntax.key
    if len(values) != 1 or key(values[0]) != key(draft.rdn.encode("utf-8", "surrogatepass")):
        raise _violation(
            Win32.ERROR_DS_INVALID_DN_SYNTAX,
            LdapResult.INVALID_DN_SYNTAX,
            attribute.name,
            "the value differs from the DN",
        )


def _targets(
    ctx: WriteContext, draft: Draft, attribute: Attribute, values: Sequence[bytes]
) -> list[tuple[Dnt, bytes]]:
    targets = []
    for value in values:
        seconds, plain = ttl_links.split(ctx, attribute, value)
        target = write_values.link_value(ctx, attribute, plain)
        targets.append(target)
        if seconds:
            draft.expiries[attribute.att_id, *target] = ctx.now + seconds * TICKS_PER_S
    if attribute.single_valued and len(targets) > 1:
        raise write_values.single_value_error(attribute)
    return targets


@lru_cache(maxsize=1024)
def _required(plan: ClassPlan) -> frozenset[AttId]:
    """The attributes that a requester or a rule must have given a value."""
    return plan.must - _AUTOMATIC


def check_complete(ctx: WriteContext, draft: Draft, links: Links, rdn_att: AttId) -> None:
    """Every mandatory attribute has a value. Spec: [MS-ADTS] 3.1.1.5.1.1."""
    missing = _required(draft.plan) - draft.attrs.keys()
    if not missing:
        return
    linked = {attribute.att_id for attribute, targets in links if targets}
    for att in sorted(missing - linked - {rdn_att}):
        attribute = ctx.schema.attribute_by_id(att)
        assert attribute is not None
        raise _violation(
            Win32.ERROR_DS_MISSING_REQUIRED_ATT,
            LdapResult.OBJECT_CLASS_VIOLATION,
            attribute.name,
            f"{attribute.name} is mandatory",
        )
