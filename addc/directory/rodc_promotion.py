"""What makes a read-only DC's krbtgt of a new user: the control that promotions send.

Spec: [MS-ADTS] 3.1.1.3.4.1.23.
"""

from typing import Final

from addc.base.errors import DsError
from addc.base.ids import AttId
from addc.base.secret import Secret
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import accounts, passwords, rights
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.directory.passwords import PreparedPassword
from addc.schema import attr, cls
from addc.schema.wellknown import ExtendedRight
from addc.security.account_flags import UserAccountControl

_NUMBER_MAX: Final = 65_535
_TRIES_MAX: Final = 64
_FLAGS: Final = int(
    UserAccountControl.UF_NORMAL_ACCOUNT
    | UserAccountControl.UF_ACCOUNTDISABLE
    | UserAccountControl.UF_DONT_EXPIRE_PASSWD
)
_PASSWORD_SIZE: Final = 256


def check_right(ctx: WriteContext) -> None:
    """Who sends the control has to hold DS-Install-Replica on the domain."""
    root = ctx.tx.get(ctx.forest.domain_nc)
    if root is None or not rights.holds_right(ctx, root, ExtendedRight.DS_INSTALL_REPLICA.bytes_le):
        raise DsError(
            Win32.ERROR_ACCESS_DENIED,
            "promoting read-only DCs needs DS-Install-Replica",
            ldap_result=LdapResult.INSUFFICIENT_ACCESS_RIGHTS,
        )


def may_add(class_id: AttId) -> bool:
    """Whether the control lets a requester add an object of this system-only class: the RODC's nTDSDSA."""
    return class_id == cls.NTDSDSA


def make_krbtgt(ctx: WriteContext, draft: Draft) -> PreparedPassword:
    """Name, number and flags of the new account; its random password.

    Deviation: the name has the underscore that Windows puts there, and [MS-ADTS] does not tell of (W-DC-24).
    """
    number = _free_number(ctx)
    name = _name(number)
    draft.put(attr.MS_DS_SECONDARY_KRB_TGT_NUMBER, b"%d" % number)
    draft.put(attr.SAM_ACCOUNT_NAME, name.encode())
    draft.put(attr.USER_ACCOUNT_CONTROL, b"%d" % _FLAGS)
    return passwords.derive(
        Secret(ctx.rng.bytes(_PASSWORD_SIZE)), passwords.salt_for(ctx.forest.realm, name, False)
    )


def _name(number: int) -> str:
    return f"krbtgt_{number}"


def _free_number(ctx: WriteContext) -> int:
    for _ in range(_TRIES_MAX):
        number = int.from_bytes(ctx.rng.bytes(2), "big") or _NUMBER_MAX
        holders = accounts.indexed(ctx, attr.MS_DS_SECONDARY_KRB_TGT_NUMBER, str(number))
        if not holders and accounts.row_by_sam(ctx, _name(number)) is None:
            return number
    raise DsError(Win32.ERROR_NO_SYSTEM_RESOURCES, "no number is free", ldap_result=LdapResult.OTHER)
