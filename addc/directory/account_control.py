"""userAccountControl: which bits stand together, who may set them, and what follows from them.

Spec: [MS-SAMR] 3.1.1.6, 3.1.1.8.1, 3.1.1.8.10, [MS-ADTS] 3.1.1.5.2.2.
"""

from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.codec.blobs import UserProperties
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.directory.password_policy import PasswordPolicy
from addc.directory.sam_rules import invalid, is_domain_admin, may_on_domain, unwilling
from addc.schema import attr
from addc.schema.wellknown import ExtendedRight
from addc.security import wellknown
from addc.security.account_flags import SamAccountType, UserAccountControl
from addc.security.krb_keys import NT_HASH_OF_EMPTY
from addc.security.token import Privilege

_UF = UserAccountControl
_NAME: Final = "userAccountControl"
_KINDS: Final = int(
    _UF.UF_NORMAL_ACCOUNT
    | _UF.UF_INTERDOMAIN_TRUST_ACCOUNT
    | _UF.UF_WORKSTATION_TRUST_ACCOUNT
    | _UF.UF_SERVER_TRUST_ACCOUNT
)
MACHINE_KINDS: Final = int(_UF.UF_WORKSTATION_TRUST_ACCOUNT | _UF.UF_SERVER_TRUST_ACCOUNT)
_KEPT: Final = int(
    _KINDS
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
"""What is stored. Other bits trigger something, or mean nothing and are dropped without a word."""
_DELEGATION: Final = int(_UF.UF_TRUSTED_FOR_DELEGATION | _UF.UF_TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION)
_RIGHTS: Final[tuple[tuple[int, UUID], ...]] = (
    (int(_UF.UF_PASSWD_NOTREQD), ExtendedRight.UPDATE_PASSWORD_NOT_REQUIRED_BIT),
    (int(_UF.UF_DONT_EXPIRE_PASSWD), ExtendedRight.UNEXPIRE_PASSWORD),
    (
        int(_UF.UF_ENCRYPTED_TEXT_PASSWORD_ALLOWED),
        ExtendedRight.ENABLE_PER_USER_REVERSIBLY_ENCRYPTED_PASSWORD,
    ),
    (int(_UF.UF_SERVER_TRUST_ACCOUNT), ExtendedRight.DS_INSTALL_REPLICA),
    (int(_UF.UF_PARTIAL_SECRETS_ACCOUNT), ExtendedRight.DS_INSTALL_REPLICA),
)
_HASH_SIZE: Final = 16
_STORED_FORMS: Final = frozenset(
    (
        attr.UNICODE_PWD,
        attr.NT_PWD_HISTORY,
        attr.DBCS_PWD,
        attr.LM_PWD_HISTORY,
        attr.SUPPLEMENTAL_CREDENTIALS,
    )
)


def default(draft: Draft) -> None:
    """userAccountControl of a new account that was given none, or no kind. Spec: [MS-ADTS] 3.1.1.5.2.2."""
    kind = int(_UF.UF_WORKSTATION_TRUST_ACCOUNT if draft.plan.is_computer else _UF.UF_NORMAL_ACCOUNT)
    if not draft.has(attr.USER_ACCOUNT_CONTROL):
        draft.put_integer(
            attr.USER_ACCOUNT_CONTROL, kind | int(_UF.UF_ACCOUNTDISABLE | _UF.UF_PASSWD_NOTREQD)
        )
    elif not draft.integer(attr.USER_ACCOUNT_CONTROL) & _KINDS:
        draft.put_integer(attr.USER_ACCOUNT_CONTROL, draft.integer(attr.USER_ACCOUNT_CONTROL) | kind)


def apply(ctx: WriteContext, draft: Draft, rules: PasswordPolicy) -> None:
    """Check the bits as they will be, and write what follows from them.

    rules: the password policy that the account is under.
    Spec: [MS-SAMR] 3.1.1.6, 3.1.1.8.10.
    """
    if not draft.changes(attr.USER_ACCOUNT_CONTROL):
        return
    old = draft.integer_before(attr.USER_ACCOUNT_CONTROL)
    asked = draft.integer(attr.USER_ACCOUNT_CONTROL) & 0xFFFF_FFFF
    new = asked & _KEPT
    if not new & _KINDS:
        new |= int(_UF.UF_NORMAL_ACCOUNT)
    if not ctx.unrestricted:
        if asked & _UF.UF_TEMP_DUPLICATE_ACCOUNT:
            raise invalid(Win32.ERROR_INVALID_PARAMETER, "no temporary duplicates", _NAME)
        _check_bits(ctx, draft, old, new)
        _check_kind(ctx, draft, old, new)
        if attr.USER_ACCOUNT_CONTROL in draft.given:
            _check_rights(ctx, old, new)
        _check_password_needed(draft, old, new, rules.minimum_length)
    draft.put_integer(attr.USER_ACCOUNT_CONTROL, new)
    _unlock_if_asked(draft, asked)
    draft.put_integer(attr.SAM_ACCOUNT_TYPE, int(_sam_account_type(new)))
    if (new ^ old) & (_KINDS | _UF.UF_PARTIAL_SECRETS_ACCOUNT) or draft.is_new:
        _primary_group_of_kind(ctx, draft, new)
        _criticality_of_kind(ctx, draft, new)
    if new & ~old & _UF.UF_SMARTCARD_REQUIRED:
        forget_password(ctx, draft, rules.history_length)


def forget_password(ctx: WriteContext, draft: Draft, history_length: int) -> None:
    """Random bytes in place of the password: from now on only the smart card counts.

    Every stored form gets a new version, since partners must not keep the old one.
    Spec: [MS-SAMR] 3.1.1.8.10, 3.1.1.9.1.
    """
    fresh = ctx.rng.bytes(_HASH_SIZE)
    history = draft.first(attr.NT_PWD_HISTORY) or draft.first(attr.UNICODE_PWD) or b""
    kept = (fresh + history)[: history_length * _HASH_SIZE]
    draft.put(attr.UNICODE_PWD, fresh)
    draft.put(attr.NT_PWD_HISTORY, *([kept] if kept else []))
    draft.put(attr.DBCS_PWD)
    draft.put(attr.LM_PWD_HISTORY)
    draft.put(attr.SUPPLEMENTAL_CREDENTIALS, UserProperties(()).pack())
    draft.rewritten |= _STORED_FORMS


def _unlock_if_asked(draft: Draft, asked: int) -> None:
    """A writer who sets UF_LOCKOUT unlocks the account. Spec: [MS-SAMR] 3.1.1.8.10."""
    if asked & _UF.UF_LOCKOUT and draft.integer(attr.LOCKOUT_TIME):
        draft.put(attr.LOCKOUT_TIME, b"0")
        draft.put(attr.BAD_PWD_COUNT, b"0")


def _check_bits(ctx: WriteContext, draft: Draft, old: int, new: int) -> None:
    """Bits that exclude each other, or that nobody sets by this door. Spec: [MS-SAMR] 3.1.1.6, 3.1.1.8.10."""
    kinds = new & _KINDS
    if kinds & (kinds - 1):
        raise invalid(Win32.ERROR_INVALID_PARAMETER, "an account is of one kind", _NAME)
    if new & _UF.UF_INTERDOMAIN_TRUST_ACCOUNT and not old & _UF.UF_INTERDOMAIN_TRUST_ACCOUNT:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "trusts are made over LSA", attribute=_NAME)
    if new & _UF.UF_PARTIAL_SECRETS_ACCOUNT and (
        new & _UF.UF_TRUSTED_FOR_DELEGATION or not new & _UF.UF_WORKSTATION_TRUST_ACCOUNT
    ):
        raise invalid(Win32.ERROR_INVALID_PARAMETER, "not an RODC's bits", _NAME)
    # Deviation: krbtgt is born disabled, and Windows lets domain admins disable RID 500 too.
    disabling = new & ~old & _UF.UF_ACCOUNTDISABLE
    if disabling and draft.rid() == wellknown.RID_ADMINISTRATOR and not is_domain_admin(ctx):
        raise invalid(Win32.ERROR_SPECIAL_ACCOUNT, "the administrator stays", _NAME)


def _check_kind(ctx: WriteContext, draft: Draft, old: int, new: int) -> None:
    """Class and kind go together, for all but domain admins. Spec: [MS-SAMR] 3.1.1.6 (CVE-2021-42278)."""
    if new & (_UF.UF_SERVER_TRUST_ACCOUNT | _UF.UF_PARTIAL_SECRETS_ACCOUNT) and not draft.plan.is_computer:
        raise _class_error("only a computer is a domain controller")
    if is_domain_admin(ctx):
        return
    if new & MACHINE_KINDS and not draft.plan.is_computer:
        raise _class_error("a user is no machine")
    if draft.plan.is_computer and new & _UF.UF_NORMAL_ACCOUNT:
        if draft.is_new:
            raise unwilling(Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY, "a computer is no user", _NAME)
        if not old & _UF.UF_NORMAL_ACCOUNT:
            raise _class_error("a computer is no user")
    swap = int(_UF.UF_WORKSTATION_TRUST_ACCOUNT | _UF.UF_NORMAL_ACCOUNT)
    if not draft.is_new and old & swap and new & swap and (old ^ new) & swap:
        raise DsError(
            Win32.ERROR_ACCESS_DENIED, "only a domain admin turns users into computers", attribute=_NAME
        )


def _class_error(detail: str) -> DsError:
    return DsError(
        Win32.ERROR_DS_OBJ_CLASS_VIOLATION,
        detail,
        ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
        attribute=_NAME,
    )


def _check_rights(ctx: WriteContext, old: int, new: int) -> None:
    """Bits that take a privilege or a control access right on the domain. Spec: [MS-SAMR] 3.1.1.8.10.

    Delegation is a matter of the privileged in both directions: taking it away stops services too.
    """
    if (old ^ new) & _DELEGATION and not ctx.requester.has(Privilege.SE_ENABLE_DELEGATION):
        raise DsError(Win32.ERROR_ACCESS_DENIED, "delegation takes a privilege", attribute=_NAME)
    added = new & ~old
    for bit, right in _RIGHTS:
        if added & bit and not may_on_domain(ctx, right):
            raise DsError(Win32.ERROR_ACCESS_DENIED, f"bit {bit:#x} takes a right", attribute=_NAME)


def _check_password_needed(draft: Draft, old: int, new: int, password_min: int) -> None:
    """An enabled account must have a password where the policy wants one. Spec: [MS-SAMR] 3.1.1.8.10."""
    off = int(_UF.UF_ACCOUNTDISABLE | _UF.UF_PASSWD_NOTREQD | _UF.UF_SMARTCARD_REQUIRED)
    if not new & _UF.UF_NORMAL_ACCOUNT or new & off or not password_min:
        return
    if not draft.is_new and not old & ~new & off:
        return
    if (draft.first(attr.UNICODE_PWD) or NT_HASH_OF_EMPTY) == NT_HASH_OF_EMPTY:
        raise unwilling(Win32.ERROR_PASSWORD_RESTRICTION, "the account has no password", _NAME)


def _sam_account_type(uac: int) -> SamAccountType:
    if uac & _UF.UF_INTERDOMAIN_TRUST_ACCOUNT:
        return SamAccountType.SAM_TRUST_ACCOUNT
    return SamAccountType.SAM_MACHINE_ACCOUNT if uac & MACHINE_KINDS else SamAccountType.SAM_USER_OBJECT


def forced_primary_group(uac: int) -> int | None:
    """The primary group that domain controllers have and keep; None for all others.

    Spec: [MS-SAMR] 3.1.1.6, [MS-ADTS] 6.1.1.3.1, 6.1.1.3.2.
    """
    if uac & _UF.UF_PARTIAL_SECRETS_ACCOUNT:
        return int(wellknown.RID_READONLY_DOMAIN_CONTROLLERS)
    return int(wellknown.RID_DOMAIN_CONTROLLERS) if uac & _UF.UF_SERVER_TRUST_ACCOUNT else None


def _primary_group_of_kind(ctx: WriteContext, draft: Draft, uac: int) -> None:
    """primaryGroupID that goes with the kind of account. Spec: [MS-SAMR] 3.1.1.8.1, 3.1.1.8.10."""
    if ctx.unrestricted and draft.has(attr.PRIMARY_GROUP_ID) and draft.is_new:
        return
    rid = forced_primary_group(uac)
    if rid is None:
        machine = uac & _UF.UF_WORKSTATION_TRUST_ACCOUNT
        rid = int(wellknown.RID_DOMAIN_COMPUTERS if machine else wellknown.RID_DOMAIN_USERS)
    if draft.is_new and attr.PRIMARY_GROUP_ID in draft.given and draft.integer(attr.PRIMARY_GROUP_ID) != rid:
        raise unwilling(
            Win32.ERROR_MEMBER_NOT_IN_GROUP, "a new account is in no other group", "primaryGroupID"
        )
    draft.put_integer(attr.PRIMARY_GROUP_ID, rid)


def _criticality_of_kind(ctx: WriteContext, draft: Draft, uac: int) -> None:
    """isCriticalSystemObject as Windows keeps it on machines: TRUE on domain controllers, else FALSE."""
    if uac & MACHINE_KINDS and not ctx.unrestricted:
        is_dc = uac & (_UF.UF_SERVER_TRUST_ACCOUNT | _UF.UF_PARTIAL_SECRETS_ACCOUNT)
        draft.put(attr.IS_CRITICAL_SYSTEM_OBJECT, b"TRUE" if is_dc else b"FALSE")
