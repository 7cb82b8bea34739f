"""What SAM demands and derives when users, computers and groups are written.

Each rule takes the draft of one object, refuses by DsError, and writes what follows from the requester's
values. hooks.py calls them in their fixed order.

Spec: [MS-SAMR] 3.1.1.6, 3.1.1.8.1 ... 3.1.1.8.10, [MS-ADTS] 3.1.1.5.2.2.
"""

from typing import Final
from uuid import UUID

from addc.base.clock import NEVER_FT
from addc.base.errors import DsError
from addc.base.ids import AttId
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import rights
from addc.directory.account_flags import GroupType, SamAccountType, UserAccountControl
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.schema import attr
from addc.schema.wellknown import ExtendedRight
from addc.security import wellknown
from addc.security.token import Privilege

_UF = UserAccountControl
_ACCOUNT_KINDS: Final = int(
    _UF.UF_NORMAL_ACCOUNT
    | _UF.UF_INTERDOMAIN_TRUST_ACCOUNT
    | _UF.UF_WORKSTATION_TRUST_ACCOUNT
    | _UF.UF_SERVER_TRUST_ACCOUNT
)
_ALLOWED_UAC: Final = int(
    _ACCOUNT_KINDS
    | _UF.UF_ACCOUNTDISABLE
    | _UF.UF_HOMEDIR_REQUIRED
    | _UF.UF_PASSWD_NOTREQD
    | _UF.UF_ENCRYPTED_TEXT_PASSWORD_ALLOWED
    | _UF.UF_DONT_EXPIRE_PASSWD
    | _UF.UF_MNS_LOGON_ACCOUNT
    | _UF.UF_SMARTCARD_REQUIRED
    | _UF.UF_TRUSTED_FOR_DELEGATION
    | _UF.UF_NOT_DELEGATED
    | _UF.UF_USE_DES_KEY_ONLY
    | _UF.UF_DONT_REQUIRE_PREAUTH
    | _UF.UF_TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION
    | _UF.UF_NO_AUTH_DATA_REQUIRED
    | _UF.UF_PARTIAL_SECRETS_ACCOUNT
    | _UF.UF_USE_AES_KEYS
)
_IGNORED_UAC: Final = int(_UF.UF_SCRIPT | _UF.UF_PASSWD_CANT_CHANGE)
_TRANSIENT_UAC: Final = int(_UF.UF_LOCKOUT | _UF.UF_PASSWORD_EXPIRED)
_DELEGATION_UAC: Final = int(_UF.UF_TRUSTED_FOR_DELEGATION | _UF.UF_TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION)
_UAC_RIGHTS: Final[tuple[tuple[int, UUID], ...]] = (
    (int(_UF.UF_PASSWD_NOTREQD), ExtendedRight.UPDATE_PASSWORD_NOT_REQUIRED_BIT),
    (int(_UF.UF_DONT_EXPIRE_PASSWD), ExtendedRight.UNEXPIRE_PASSWORD),
    (
        int(_UF.UF_ENCRYPTED_TEXT_PASSWORD_ALLOWED),
        ExtendedRight.ENABLE_PER_USER_REVERSIBLY_ENCRYPTED_PASSWORD,
    ),
    (int(_UF.UF_SERVER_TRUST_ACCOUNT), ExtendedRight.DS_INSTALL_REPLICA),
    (int(_UF.UF_PARTIAL_SECRETS_ACCOUNT), ExtendedRight.DS_INSTALL_REPLICA),
)
_BAD_NAME_CHARACTERS: Final = frozenset('"/\\[]:|<>+=;?,*') | {chr(code) for code in range(0x20)}
_SAM_NAME_USER_MAX: Final = 20
_SAM_NAME_GROUP_MAX: Final = 256
_NT_HASH_OF_EMPTY: Final = bytes.fromhex("31d6cfe0d16ae931b73c59d7e0c089c0")

_KEPT_BY_USERS: Final[tuple[tuple[AttId, str], ...]] = (
    (attr.SAM_ACCOUNT_NAME, "sAMAccountName"),
    (attr.USER_ACCOUNT_CONTROL, "userAccountControl"),
    (attr.PRIMARY_GROUP_ID, "primaryGroupID"),
    (attr.ACCOUNT_EXPIRES, "accountExpires"),
    (attr.CODE_PAGE, "codePage"),
    (attr.COUNTRY_CODE, "countryCode"),
    (attr.PWD_LAST_SET, "pwdLastSet"),
)
_KEPT_BY_GROUPS: Final[tuple[tuple[AttId, str], ...]] = (
    (attr.SAM_ACCOUNT_NAME, "sAMAccountName"),
    (attr.GROUP_TYPE, "groupType"),
)
_USER_DEFAULTS: Final[tuple[tuple[AttId, bytes], ...]] = (
    (attr.BAD_PWD_COUNT, b"0"),
    (attr.CODE_PAGE, b"0"),
    (attr.COUNTRY_CODE, b"0"),
    (attr.BAD_PASSWORD_TIME, b"0"),
    (attr.LAST_LOGOFF, b"0"),
    (attr.LAST_LOGON, b"0"),
    (attr.PWD_LAST_SET, b"0"),
    (attr.ACCOUNT_EXPIRES, b"%d" % NEVER_FT),
    (attr.LOGON_COUNT, b"0"),
)


def _unwilling(code: Win32, detail: str, attribute: str) -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM, attribute=attribute)


def _invalid(code: Win32, detail: str, attribute: str) -> DsError:
    """What SAM itself refuses comes as `other` with a SysErr text; the documents leave the result open."""
    return DsError(code, detail, ldap_result=LdapResult.OTHER, attribute=attribute)


def is_domain_admin(ctx: WriteContext) -> bool:
    """Whether the requester is the DC itself or a member of Domain Admins."""
    return ctx.unrestricted or ctx.forest.domain_sid.child(wellknown.RID_DOMAIN_ADMINS) in ctx.requester.sids


def check_kept(draft: Draft) -> None:
    """Values that every account has are changed and not taken away. Spec: [MS-SAMR] 3.1.1.8.1."""
    for att, name in _KEPT_BY_USERS if draft.plan.is_user else _KEPT_BY_GROUPS:
        if att in draft.given and not draft.has(att):
            raise _unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, f"{name} cannot be removed", name)


def user_defaults(draft: Draft) -> None:
    """Values that every new user has. Spec: [MS-SAMR] 3.1.1.8.1."""
    for att, value in _USER_DEFAULTS:
        draft.put_if_absent(att, value)


def default_sam_account_name(ctx: WriteContext, draft: Draft) -> None:
    """`$XXXXXX-YYYYYYYYYYYY` where a new account was given no name, as Windows makes them up."""
    if draft.has(attr.SAM_ACCOUNT_NAME):
        return
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
    noise = ctx.rng.bytes(18)
    made = "".join(letters[byte & 31] for byte in noise)
    draft.put(attr.SAM_ACCOUNT_NAME, f"${made[:6]}-{made[6:]}".encode())


def check_sam_account_name(ctx: WriteContext, draft: Draft) -> None:
    """The form of sAMAccountName. Spec: [MS-SAMR] 3.1.1.6, 3.1.1.8.4."""
    if not draft.changes(attr.SAM_ACCOUNT_NAME) or ctx.unrestricted:
        return
    name = draft.text(attr.SAM_ACCOUNT_NAME)
    if not name.strip() or name.endswith(".") or not _BAD_NAME_CHARACTERS.isdisjoint(name):
        raise _invalid(Win32.ERROR_INVALID_ACCOUNT_NAME, "not a sAMAccountName", "sAMAccountName")
    # Deviation: computers may have longer names than 20 characters, as Windows lets LDAP clients make them.
    limit = _SAM_NAME_USER_MAX if draft.plan.is_user and not draft.plan.is_computer else _SAM_NAME_GROUP_MAX
    if len(name) > limit:
        raise _invalid(Win32.ERROR_INVALID_ACCOUNT_NAME, "sAMAccountName is too long", "sAMAccountName")
    if draft.rid() == wellknown.RID_KRBTGT:
        raise _invalid(Win32.ERROR_SPECIAL_ACCOUNT, "krbtgt keeps its name", "sAMAccountName")


def check_machine_name(ctx: WriteContext, draft: Draft) -> None:
    """A workstation's name ends in one `$`, unless a domain admin says otherwise. Spec: [MS-SAMR] 3.1.1.6."""
    if not draft.plan.is_user or is_domain_admin(ctx):
        return
    if not (draft.changes(attr.SAM_ACCOUNT_NAME) or draft.changes(attr.USER_ACCOUNT_CONTROL)):
        return
    if draft.integer(attr.USER_ACCOUNT_CONTROL) & _UF.UF_WORKSTATION_TRUST_ACCOUNT:
        name = draft.text(attr.SAM_ACCOUNT_NAME)
        if not name.endswith("$") or name.endswith("$$"):
            raise _invalid(
                Win32.ERROR_INVALID_ACCOUNT_NAME, "a computer's sAMAccountName ends in $", "sAMAccountName"
            )


def group_type(ctx: WriteContext, draft: Draft) -> None:
    """groupType: default, legal values, legal conversions; sAMAccountType follows.

    Spec: [MS-SAMR] 3.1.1.6, 3.1.1.8.1, [MS-ADTS] 3.1.1.5.3.2.
    """
    if draft.is_new:
        default = int(GroupType.GROUP_TYPE_ACCOUNT_GROUP | GroupType.GROUP_TYPE_SECURITY_ENABLED)
        draft.put_if_absent(attr.GROUP_TYPE, b"%d" % (default - (1 << 32)))
    if not draft.changes(attr.GROUP_TYPE):
        return
    new = draft.integer(attr.GROUP_TYPE) & 0xFFFF_FFFF
    scope = new & ~int(GroupType.GROUP_TYPE_SECURITY_ENABLED)
    if not ctx.unrestricted:
        if scope not in (2, 4, 8, 0x10, 0x20):
            raise _unwilling(Win32.ERROR_DS_INVALID_GROUP_TYPE, "no such groupType", "groupType")
        if not draft.is_new:
            _check_conversion(draft.integer_before(attr.GROUP_TYPE) & 0xFFFF_FFFF, scope)
    draft.put_integer(attr.SAM_ACCOUNT_TYPE, int(_sam_account_type_of_group(new)))


def _check_conversion(old: int, scope: int) -> None:
    """Only to and from universal; never of built-in groups."""
    if old & GroupType.GROUP_TYPE_BUILTIN_LOCAL_GROUP:
        raise _unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "a built-in group", "groupType")
    old_scope = old & ~int(GroupType.GROUP_TYPE_SECURITY_ENABLED)
    if old_scope != scope and int(GroupType.GROUP_TYPE_UNIVERSAL_GROUP) not in (old_scope, scope):
        raise _unwilling(Win32.ERROR_DS_INVALID_GROUP_TYPE, "no such conversion", "groupType")


def _sam_account_type_of_group(group: int) -> SamAccountType:
    secure = bool(group & GroupType.GROUP_TYPE_SECURITY_ENABLED)
    if group & GroupType.GROUP_TYPE_APP_BASIC_GROUP:
        return SamAccountType.SAM_APP_BASIC_GROUP
    if group & GroupType.GROUP_TYPE_APP_QUERY_GROUP:
        return SamAccountType.SAM_APP_QUERY_GROUP
    if group & GroupType.GROUP_TYPE_RESOURCE_GROUP:
        return SamAccountType.SAM_ALIAS_OBJECT if secure else SamAccountType.SAM_NON_SECURITY_ALIAS_OBJECT
    return SamAccountType.SAM_GROUP_OBJECT if secure else SamAccountType.SAM_NON_SECURITY_GROUP_OBJECT


def default_account_control(draft: Draft) -> None:
    """userAccountControl of a new account that was given none, or no kind. Spec: [MS-ADTS] 3.1.1.5.2.2."""
    kind = int(_UF.UF_WORKSTATION_TRUST_ACCOUNT if draft.plan.is_computer else _UF.UF_NORMAL_ACCOUNT)
    if not draft.has(attr.USER_ACCOUNT_CONTROL):
        draft.put_integer(
            attr.USER_ACCOUNT_CONTROL, kind | int(_UF.UF_ACCOUNTDISABLE | _UF.UF_PASSWD_NOTREQD)
        )
    elif not draft.integer(attr.USER_ACCOUNT_CONTROL) & _ACCOUNT_KINDS:
        draft.put_integer(attr.USER_ACCOUNT_CONTROL, draft.integer(attr.USER_ACCOUNT_CONTROL) | kind)


def account_control(ctx: WriteContext, draft: Draft, password_min: int) -> None:
    """userAccountControl: legal bits, rights for bits, what follows from them.

    password_min: shortest password that the account's policy lets pass.
    Spec: [MS-SAMR] 3.1.1.6, 3.1.1.8.10.
    """
    if not draft.changes(attr.USER_ACCOUNT_CONTROL):
        return
    old = draft.integer_before(attr.USER_ACCOUNT_CONTROL)
    asked = draft.integer(attr.USER_ACCOUNT_CONTROL) & 0xFFFF_FFFF
    new = asked & ~(_TRANSIENT_UAC | _IGNORED_UAC)
    if not new & _ACCOUNT_KINDS:
        new |= int(_UF.UF_NORMAL_ACCOUNT)
    if not ctx.unrestricted:
        _check_account_bits(ctx, draft, old, new)
        if attr.USER_ACCOUNT_CONTROL in draft.given:
            _check_account_rights(ctx, new & ~old)
        _check_password_needed(draft, old, new, password_min)
    draft.put_integer(attr.USER_ACCOUNT_CONTROL, new)
    _unlock_if_cleared(draft, asked)
    draft.put_integer(attr.SAM_ACCOUNT_TYPE, int(_sam_account_type_of_user(new)))
    if (new ^ old) & (_ACCOUNT_KINDS | _UF.UF_PARTIAL_SECRETS_ACCOUNT) or draft.is_new:
        _primary_group_of_kind(ctx, draft, new)
        _criticality_of_kind(ctx, draft, new)
    if new & ~old & _UF.UF_SMARTCARD_REQUIRED and not draft.is_new:
        draft.put(attr.UNICODE_PWD, ctx.rng.bytes(16))
        draft.put(attr.SUPPLEMENTAL_CREDENTIALS)


def _unlock_if_cleared(draft: Draft, asked: int) -> None:
    """A writer who sets UF_LOCKOUT unlocks the account. Spec: [MS-SAMR] 3.1.1.8.10."""
    if asked & _UF.UF_LOCKOUT and draft.integer(attr.LOCKOUT_TIME):
        draft.put(attr.LOCKOUT_TIME, b"0")
        draft.put(attr.BAD_PWD_COUNT, b"0")


def _check_account_bits(ctx: WriteContext, draft: Draft, old: int, new: int) -> None:
    kinds = new & _ACCOUNT_KINDS
    if new & ~_ALLOWED_UAC or kinds & (kinds - 1):
        raise _invalid(Win32.ERROR_INVALID_PARAMETER, "no such userAccountControl", "userAccountControl")
    if new & _UF.UF_INTERDOMAIN_TRUST_ACCOUNT and not old & _UF.UF_INTERDOMAIN_TRUST_ACCOUNT:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "trusts are made over LSA", attribute="userAccountControl")
    if new & _UF.UF_PARTIAL_SECRETS_ACCOUNT and (
        new & _UF.UF_TRUSTED_FOR_DELEGATION or not new & _UF.UF_WORKSTATION_TRUST_ACCOUNT
    ):
        raise _invalid(Win32.ERROR_INVALID_PARAMETER, "not an RODC's bits", "userAccountControl")
    # Deviation: krbtgt is born disabled, and Windows lets domain admins disable RID 500 too.
    disabling = new & ~old & _UF.UF_ACCOUNTDISABLE
    if disabling and draft.rid() == wellknown.RID_ADMINISTRATOR and not is_domain_admin(ctx):
        raise _invalid(Win32.ERROR_SPECIAL_ACCOUNT, "the administrator stays", "userAccountControl")
    machine = int(_UF.UF_WORKSTATION_TRUST_ACCOUNT | _UF.UF_SERVER_TRUST_ACCOUNT)
    if new & _UF.UF_SERVER_TRUST_ACCOUNT and not draft.plan.is_computer:
        raise _object_class_error()
    if is_domain_admin(ctx):
        return
    if new & machine and not draft.plan.is_computer:
        raise _object_class_error()
    swap = int(_UF.UF_WORKSTATION_TRUST_ACCOUNT | _UF.UF_NORMAL_ACCOUNT)
    if not draft.is_new and old & swap and new & swap and (old ^ new) & swap:
        raise DsError(
            Win32.ERROR_ACCESS_DENIED,
            "only a domain admin turns users into computers",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
            attribute="userAccountControl",
        )
    if draft.plan.is_computer and draft.is_new and not new & machine:
        raise _unwilling(
            Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY, "a computer is no user", "userAccountControl"
        )


def _object_class_error() -> DsError:
    return DsError(
        Win32.ERROR_INVALID_PARAMETER,
        "the objectClass is not computer",
        ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
        attribute="userAccountControl",
    )


def _check_account_rights(ctx: WriteContext, added: int) -> None:
    """Bits that take a privilege or a control access right on the domain. Spec: [MS-SAMR] 3.1.1.8.10."""
    if added & _DELEGATION_UAC and not ctx.requester.has(Privilege.SE_ENABLE_DELEGATION):
        raise DsError(
            Win32.ERROR_ACCESS_DENIED, "delegation takes a privilege", attribute="userAccountControl"
        )
    for bit, right in _UAC_RIGHTS:
        if added & bit and not may_on_domain(ctx, right):
            raise DsError(
                Win32.ERROR_ACCESS_DENIED, f"bit {bit:#x} takes a right", attribute="userAccountControl"
            )


def may_on_domain(ctx: WriteContext, right: UUID) -> bool:
    """Whether the requester holds a control access right on the root of the domain NC."""
    if ctx.unrestricted:
        return True
    domain = ctx.tx.get(ctx.forest.domain_nc)
    assert domain is not None
    return rights.grants(ctx, domain).allows(rights.CONTROL_ACCESS, right.bytes_le)


def _check_password_needed(draft: Draft, old: int, new: int, password_min: int) -> None:
    """An enabled account must have a password where the policy wants one. Spec: [MS-SAMR] 3.1.1.8.10."""
    off = int(_UF.UF_ACCOUNTDISABLE | _UF.UF_PASSWD_NOTREQD | _UF.UF_SMARTCARD_REQUIRED)
    if not new & _UF.UF_NORMAL_ACCOUNT or new & off or not password_min:
        return
    if not draft.is_new and not old & ~new & off:
        return
    if (draft.first(attr.UNICODE_PWD) or _NT_HASH_OF_EMPTY) == _NT_HASH_OF_EMPTY:
        raise _unwilling(
            Win32.ERROR_PASSWORD_RESTRICTION, "the account has no password", "userAccountControl"
        )


def _sam_account_type_of_user(uac: int) -> SamAccountType:
    if uac & _UF.UF_INTERDOMAIN_TRUST_ACCOUNT:
        return SamAccountType.SAM_TRUST_ACCOUNT
    if uac & (_UF.UF_WORKSTATION_TRUST_ACCOUNT | _UF.UF_SERVER_TRUST_ACCOUNT):
        return SamAccountType.SAM_MACHINE_ACCOUNT
    return SamAccountType.SAM_USER_OBJECT


def _primary_group_of_kind(ctx: WriteContext, draft: Draft, uac: int) -> None:
    """primaryGroupID that goes with the kind of account. Spec: [MS-SAMR] 3.1.1.8.1, 3.1.1.8.10."""
    if ctx.unrestricted and draft.has(attr.PRIMARY_GROUP_ID) and draft.is_new:
        return
    rid = int(wellknown.RID_DOMAIN_USERS)
    if uac & _UF.UF_PARTIAL_SECRETS_ACCOUNT:
        rid = int(wellknown.RID_READONLY_DOMAIN_CONTROLLERS)
    elif uac & _UF.UF_WORKSTATION_TRUST_ACCOUNT:
        rid = int(wellknown.RID_DOMAIN_COMPUTERS)
    elif uac & _UF.UF_SERVER_TRUST_ACCOUNT:
        rid = int(wellknown.RID_DOMAIN_CONTROLLERS)
    if draft.is_new and attr.PRIMARY_GROUP_ID in draft.given and draft.integer(attr.PRIMARY_GROUP_ID) != rid:
        raise _unwilling(
            Win32.ERROR_MEMBER_NOT_IN_GROUP, "a new account is in no other group", "primaryGroupID"
        )
    draft.put_integer(attr.PRIMARY_GROUP_ID, rid)


def _criticality_of_kind(ctx: WriteContext, draft: Draft, uac: int) -> None:
    """isCriticalSystemObject as Windows keeps it on machines: TRUE on domain controllers, else FALSE."""
    if uac & (_UF.UF_WORKSTATION_TRUST_ACCOUNT | _UF.UF_SERVER_TRUST_ACCOUNT) and not ctx.unrestricted:
        is_dc = uac & (_UF.UF_SERVER_TRUST_ACCOUNT | _UF.UF_PARTIAL_SECRETS_ACCOUNT)
        draft.put(attr.IS_CRITICAL_SYSTEM_OBJECT, b"TRUE" if is_dc else b"FALSE")


def additional_sam_account_names(draft: Draft) -> None:
    """Every additional host name `label.suffix` brings the name `label$` along, and takes it away again.

    Spec: [MS-ADTS] 3.1.1.5.3.3.
    """
    if not draft.changes(attr.MS_DS_ADDITIONAL_DNS_HOST_NAME):
        return
    before = {_account_of(host) for host in draft.before.get(attr.MS_DS_ADDITIONAL_DNS_HOST_NAME, ())}
    after = {_account_of(host) for host in draft.get(attr.MS_DS_ADDITIONAL_DNS_HOST_NAME)}
    kept = [name for name in draft.get(attr.MS_DS_ADDITIONAL_SAM_ACCOUNT_NAME) if name not in before - after]
    draft.put(attr.MS_DS_ADDITIONAL_SAM_ACCOUNT_NAME, *kept, *sorted((after - before) - set(kept)))


def _account_of(host: bytes) -> bytes:
    return host.partition(b".")[0] + b"$"


def pwd_last_set(ctx: WriteContext, draft: Draft) -> None:
    """pwdLastSet by a requester: 0 lets the password expire, -1 lets it live again; nothing else.

    Spec: [MS-SAMR] 3.1.1.8.8; 3.1.1.8.7 for Unexpire-Password.
    """
    if attr.PWD_LAST_SET not in draft.given or attr.UNICODE_PWD in draft.touched or ctx.unrestricted:
        return  # with a new password, passwords.py has settled it
    asked, old = draft.integer(attr.PWD_LAST_SET), draft.integer_before(attr.PWD_LAST_SET)
    if asked == 0:
        return
    if asked not in (-1, old):
        raise _invalid(Win32.ERROR_INVALID_PARAMETER, "pwdLastSet takes 0 or -1", "pwdLastSet")
    if old:
        draft.put_integer(attr.PWD_LAST_SET, old)
    elif may_on_domain(ctx, ExtendedRight.UNEXPIRE_PASSWORD):
        draft.put_integer(attr.PWD_LAST_SET, ctx.now)
    else:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "Unexpire-Password is needed", attribute="pwdLastSet")


def lockout_time(ctx: WriteContext, draft: Draft) -> None:
    """Unlocking resets the count of bad passwords. Spec: [MS-SAMR] 3.1.1.8.3."""
    if attr.LOCKOUT_TIME not in draft.given:
        return
    if draft.integer(attr.LOCKOUT_TIME) == 0:
        if draft.integer(attr.BAD_PWD_COUNT):
            draft.put(attr.BAD_PWD_COUNT, b"0")
    elif not ctx.unrestricted:
        raise _invalid(Win32.ERROR_INVALID_PARAMETER, "lockoutTime takes 0", "lockoutTime")


def check_domain_policy(draft: Draft) -> None:
    """Password and lockout policy on the domain object. Spec: [MS-SAMR] 3.1.1.6."""
    for att, name in (
        (attr.LOCK_OUT_OBSERVATION_WINDOW, "lockOutObservationWindow"),
        (attr.LOCKOUT_DURATION, "lockoutDuration"),
        (attr.MAX_PWD_AGE, "maxPwdAge"),
        (attr.MIN_PWD_AGE, "minPwdAge"),
    ):
        if draft.changes(att) and draft.integer(att) > 0:
            raise _invalid(Win32.ERROR_INVALID_PARAMETER, f"{name} is a negative span", name)
    lockout = draft.changes(attr.LOCK_OUT_OBSERVATION_WINDOW) or draft.changes(attr.LOCKOUT_DURATION)
    if lockout and draft.integer(attr.LOCK_OUT_OBSERVATION_WINDOW) < draft.integer(attr.LOCKOUT_DURATION):
        raise _invalid(
            Win32.ERROR_INVALID_PARAMETER, "the window outlasts the lockout", "lockOutObservationWindow"
        )
    if draft.changes(attr.PWD_HISTORY_LENGTH) and draft.integer(attr.PWD_HISTORY_LENGTH) > 1024:
        raise _invalid(Win32.ERROR_INVALID_PARAMETER, "at most 1024", "pwdHistoryLength")
    if draft.changes(attr.MIN_PWD_LENGTH) and draft.integer(attr.MIN_PWD_LENGTH) > 256:
        raise _invalid(Win32.ERROR_INVALID_PARAMETER, "at most 256", "minPwdLength")
