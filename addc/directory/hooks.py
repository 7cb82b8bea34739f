"""The fixed order of checks and effects around every write; what a rule does stands in its own module.

The order is written out by hand: names before uniqueness, kinds before what follows from them.

Spec: [MS-ADTS] 3.1.1.5.2.2 - 3.1.1.5.3.3, [MS-SAMR] 3.1.1.6, 3.1.1.8.
"""

from typing import Final

from addc.base.errors import DsError
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import (
    account_control,
    delegated_accounts,
    foreign_principals,
    group_types,
    machine_names,
    member_rules,
    names,
    password_policy,
    primary_groups,
    sam_rules,
    unique_names,
)
from addc.directory.add_values import Links
from addc.directory.context import WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.draft import Draft
from addc.directory.object_classes import ClassPlan
from addc.schema import attr, cls
from addc.security.account_flags import SystemFlags
from addc.store.objects import ObjectRow, ObjectState

_SETTABLE_SYSTEM_FLAGS: Final = int(
    SystemFlags.FLAG_CONFIG_ALLOW_RENAME
    | SystemFlags.FLAG_CONFIG_ALLOW_MOVE
    | SystemFlags.FLAG_CONFIG_ALLOW_LIMITED_MOVE
)
_MOVE_ON_DELETE: Final = int(SystemFlags.FLAG_DISALLOW_MOVE_ON_DELETE)
_RENAME: Final = int(SystemFlags.FLAG_CONFIG_ALLOW_RENAME)
_FLAGS_OF_CLASS: Final = {
    cls.SERVER: _MOVE_ON_DELETE | _RENAME | int(SystemFlags.FLAG_CONFIG_ALLOW_LIMITED_MOVE),
    cls.SERVERS_CONTAINER: _MOVE_ON_DELETE,
    cls.NTDSDSA: _MOVE_ON_DELETE,
    cls.SITE: _MOVE_ON_DELETE | _RENAME,
    cls.SITE_LINK: _RENAME,
    cls.SITE_LINK_BRIDGE: _RENAME,
    cls.NTDS_CONNECTION: _RENAME,
    cls.SUBNET: _RENAME,
}

_RENAMED_BELOW: Final = frozenset((cls.SITES_CONTAINER, cls.SUBNET_CONTAINER))
_FIXED_IN_SITES: Final = frozenset((cls.SUBNET_CONTAINER, cls.INTER_SITE_TRANSPORT_CONTAINER))
_CROSS_REF_FLAGS: Final = 0x7
"""FLAG_CR_NTDS_NC, FLAG_CR_NTDS_DOMAIN, FLAG_CR_NTDS_NOT_GC_REPLICATED ([MS-ADTS] 2.2.10)."""


# --- add ---------------------------------------------------------------------------------------------------


def user_before_password(ctx: WriteContext, draft: Draft) -> None:
    """What must stand before a new account's password can be judged: its name and its kind."""
    sam_rules.default_sam_account_name(ctx, draft)
    account_control.default(draft)


def before_add(ctx: WriteContext, draft: Draft) -> None:
    """All rules on a new object's own values, in order."""
    plan = draft.plan
    if not ctx.unrestricted:
        _class_system_flags(draft)
        _check_role_owner(ctx, draft)
    if plan.is_account:
        if not plan.is_user:
            sam_rules.default_sam_account_name(ctx, draft)
        if plan.is_user:
            sam_rules.user_defaults(draft)
        else:
            group_types.apply(ctx, draft)
        _account_rules(ctx, draft)
    if not ctx.unrestricted:
        _general_rules(ctx, draft)


def _account_rules(ctx: WriteContext, draft: Draft) -> None:
    """Users, computers and groups, new and modified alike."""
    sam_rules.check_sam_account_name(ctx, draft)
    if draft.plan.is_user:
        if draft.changes(attr.USER_ACCOUNT_CONTROL):
            account_control.apply(ctx, draft, password_policy.effective_policy(ctx, draft.row))
        sam_rules.check_machine_name(ctx, draft)
        if not ctx.unrestricted:
            sam_rules.check_account_values(draft)
        sam_rules.additional_sam_account_names(draft)
        sam_rules.pwd_last_set(ctx, draft)
        sam_rules.lockout_time(ctx, draft)
    if not ctx.unrestricted:
        unique_names.check_sam_account_name(ctx, draft)


def _general_rules(ctx: WriteContext, draft: Draft) -> None:
    """Rules on attributes that objects of any class may have."""
    unique_names.check_user_principal_name(ctx, draft)
    unique_names.check_service_principal_names(ctx, draft)
    if attr.OBJECT_CATEGORY in draft.given:
        _check_category(ctx, draft)
    if draft.plan.is_user:
        delegated_accounts.check_states(draft)
    if draft.changes(attr.DS_HEURISTICS):
        check_heuristics(draft.text(attr.DS_HEURISTICS))
    if cls.MS_DS_PASSWORD_SETTINGS in draft.plan.all_ids:
        check_password_settings(draft)


def _check_category(ctx: WriteContext, draft: Draft) -> None:
    """objectCategory is a class of the schema. Spec: [MS-ADTS] 3.1.1.5.2.2."""
    row = None
    for value in draft.get(attr.OBJECT_CATEGORY):
        row = ctx.tx.get(names.reference_dnt(value))
    if row is None or row.class_id != cls.CLASS_SCHEMA:
        raise DsError(
            Win32.ERROR_DS_OBJ_CLASS_NOT_DEFINED,
            "the category is no class",
            ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
            attribute="objectCategory",
        )


def check_supported(plan: ClassPlan) -> None:
    """Classes whose instances come about by another door."""
    if cls.FOREIGN_SECURITY_PRINCIPAL in plan.all_ids:
        raise foreign_principals.not_by_hand()


def _check_role_owner(ctx: WriteContext, draft: Draft) -> None:
    """A role has this DC for its owner or none that a requester names. Spec: [MS-ADTS] 3.1.1.5.3.2."""
    held = draft.get(attr.FSMO_ROLE_OWNER)
    if held and held != (names.reference(ctx.forest.dsa_dnt),):
        raise DsError(
            Win32.ERROR_DS_INVALID_ROLE_OWNER,
            "no such role owner",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
            attribute="fSMORoleOwner",
        )


def limit_system_flags(draft: Draft) -> None:
    """Flags that a requester may set on a new object. Spec: [MS-ADTS] 3.1.1.5.2.4."""
    if not draft.has(attr.SYSTEM_FLAGS):
        return
    settable = _SETTABLE_SYSTEM_FLAGS
    if draft.plan.structural.class_id == cls.CROSS_REF:
        settable |= _CROSS_REF_FLAGS
    draft.put_integer(attr.SYSTEM_FLAGS, draft.integer(attr.SYSTEM_FLAGS) & settable)


def flags_of_place(draft: Draft, parent: ObjectRow) -> None:
    """What lies right below Sites and Subnets may be renamed. Spec: [MS-ADTS] 3.1.1.5.2.4."""
    kind = draft.plan.structural.class_id
    if parent.class_id in _RENAMED_BELOW and kind not in _FLAGS_OF_CLASS and kind not in _FIXED_IN_SITES:
        _more_flags(draft, _RENAME)


def _class_system_flags(draft: Draft) -> None:
    """Flags that objects of some classes are born with. Spec: [MS-ADTS] 3.1.1.5.2.4."""
    more = _FLAGS_OF_CLASS.get(draft.plan.structural.class_id, 0)
    if more:
        _more_flags(draft, more)


def _more_flags(draft: Draft, more: int) -> None:
    flags = draft.integer(attr.SYSTEM_FLAGS) & 0xFFFF_FFFF | more
    draft.put_integer(attr.SYSTEM_FLAGS, flags - (1 << 32) if flags >> 31 else flags)


def check_new_links(ctx: WriteContext, draft: Draft, links: Links) -> None:
    """The members that a new group comes with, and whose heir a new account says it is."""
    if ctx.unrestricted:
        return
    for attribute, targets in links:
        found = [one for one, _ in targets]
        if attribute.att_id == attr.MEMBER and draft.plan.is_group:
            member_rules.check_members(ctx, draft.integer(attr.GROUP_TYPE), None, found)
        delegated_accounts.check_links(ctx, attribute.att_id, found)


# --- modify ------------------------------------------------------------------------------------------------


def before_modify(ctx: WriteContext, draft: Draft) -> None:
    """All rules on a modified object's own values, in order."""
    if draft.plan.is_group and not draft.plan.is_user:
        group_types.apply(ctx, draft)
    if draft.plan.is_account:
        if not ctx.unrestricted:
            sam_rules.check_kept(draft)
        _account_rules(ctx, draft)
    if draft.plan.is_computer:
        machine_names.follow(draft)
    if draft.plan.is_user and not ctx.unrestricted:
        primary_groups.apply(ctx, draft)
    if ctx.unrestricted:
        return
    if draft.row is not None and draft.row.dnt == ctx.forest.domain_nc:
        sam_rules.check_domain_policy(draft)
    _general_rules(ctx, draft)


def check_heuristics(text: str) -> None:
    """Every tenth character counts the tens. Spec: [MS-ADTS] 3.1.1.5.3.2."""
    for tens in range(1, 10):
        if len(text) >= 10 * tens and text[10 * tens - 1] != str(tens):
            raise DsError(
                Win32.ERROR_DS_CONSTRAINT_VIOLATION,
                f"character {10 * tens} of dSHeuristics must be {tens}",
                ldap_result=LdapResult.CONSTRAINT_VIOLATION,
                attribute="dSHeuristics",
            )


def check_password_settings(draft: Draft) -> None:
    """msDS-PasswordSettings objects hold a policy that can be kept. Spec: [MS-ADTS] 3.1.1.5.2.2."""
    minimum, maximum = (
        draft.integer(attr.MS_DS_MINIMUM_PASSWORD_AGE),
        draft.integer(attr.MS_DS_MAXIMUM_PASSWORD_AGE),
    )
    duration, window = (
        draft.integer(attr.MS_DS_LOCKOUT_DURATION),
        draft.integer(attr.MS_DS_LOCKOUT_OBSERVATION_WINDOW),
    )
    good = (
        draft.integer(attr.MS_DS_PASSWORD_HISTORY_LENGTH) <= 1024
        and draft.integer(attr.MS_DS_MINIMUM_PASSWORD_LENGTH) <= 256
        and minimum <= 0
        and maximum <= 0
        and maximum < minimum
        and duration <= 0
        and window <= 0
        and duration <= window
    )
    if not good:
        raise DsError(
            Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY,
            "no such password settings",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
        )


def require_confidential(ctx: WriteContext, options: RequestOptions) -> None:
    """Passwords travel only where nobody listens. Spec: [MS-ADTS] 3.1.1.3.1.5.1."""
    if not options.confidential and not ctx.unrestricted:
        raise DsError(
            Win32.ERROR_GEN_FAILURE,
            "a password needs an encrypted connection",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
            attribute="unicodePwd",
        )


def is_in_system_container(ctx: WriteContext, row: ObjectRow) -> bool:
    """Whether a row is the domain's System container or below it. Spec: [MS-ADTS] 3.1.1.5.4.1."""
    domain = ctx.tx.get(ctx.forest.domain_nc)
    if domain is None:
        return False
    system = ctx.tx.child(domain.dnt, names.rdn_key(ctx.schema, attr.CN, "System"))
    return system is not None and system.state is ObjectState.LIVE and row.path.startswith(system.path)
