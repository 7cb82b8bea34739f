"""Information about users, at every level that can be asked for.

Every level is a part of the whole, SAMPR_USER_ALL_INFORMATION, and comes from it field by field.

Spec: [MS-SAMR] 3.1.5.5.5, 3.1.5.5.6, 3.1.5.14.3, 3.1.5.14.4, 3.1.5.14.11.
"""

from dataclasses import fields, replace
from typing import Final

from addc.base.errors import NtError
from addc.base.ids import AttId
from addc.codec.ids import Sid
from addc.codec.ndr import Ndr, Tagged
from addc.codes.ntstatus import NtStatus
from addc.directory import entry, logon_counters
from addc.directory import rights as ds_rights
from addc.directory.context import ReadContext
from addc.directory.password_policy import effective_policy
from addc.directory.passwords import password_must_change
from addc.rpc.call import Call
from addc.rpc.interfaces.samr import idl, rights
from addc.rpc.interfaces.samr.handles import UserHandle, held, read, row_of
from addc.schema import attr
from addc.security.account_flags import UserAccountControl, sam_account_control
from addc.security.krb_keys import NT_HASH_OF_EMPTY
from addc.store.objects import ObjectRow

LEVELS: Final[dict[int, type[Ndr]]] = {
    1: idl.UserGeneralInformation,
    2: idl.UserPreferencesInformation,
    3: idl.UserLogonInformation,
    4: idl.UserLogonHoursInformation,
    5: idl.UserAccountInformation,
    6: idl.UserNameInformation,
    7: idl.UserAccountNameInformation,
    8: idl.UserFullNameInformation,
    9: idl.UserPrimaryGroupInformation,
    10: idl.UserHomeInformation,
    11: idl.UserScriptInformation,
    12: idl.UserProfileInformation,
    13: idl.UserAdminCommentInformation,
    14: idl.UserWorkStationsInformation,
    16: idl.UserControlInformation,
    17: idl.UserExpiresInformation,
    20: idl.UserParametersInformation,
}
"""Levels that are parts of the whole. Passwords are told by none."""
_LOGON: Final = 3
_WHOLE: Final = 21
_HOURS_PER_WEEK: Final = 168
_COUNT_MAX: Final = 0xFFFF
_UNSIGNED: Final = (1 << 64) - 1
_FIELD_NAMES: Final[dict[int, tuple[str, ...]]] = {
    0x0000_0001: ("user_name",),
    0x0000_0002: ("full_name",),
    0x0000_0004: ("user_id",),
    0x0000_0008: ("primary_group_id",),
    0x0000_0010: ("admin_comment",),
    0x0000_0020: ("user_comment",),
    0x0000_0040: ("home_directory",),
    0x0000_0080: ("home_directory_drive",),
    0x0000_0100: ("script_path",),
    0x0000_0200: ("profile_path",),
    0x0000_0400: ("work_stations",),
    0x0000_0800: ("last_logon",),
    0x0000_1000: ("last_logoff",),
    0x0000_2000: ("logon_hours",),
    0x0000_4000: ("bad_password_count",),
    0x0000_8000: ("logon_count",),
    0x0001_0000: ("password_can_change",),
    0x0002_0000: ("password_must_change",),
    0x0004_0000: ("password_last_set",),
    0x0008_0000: ("account_expires",),
    0x0010_0000: ("user_account_control",),
    0x0020_0000: ("parameters",),
    0x0040_0000: ("country_code",),
    0x0080_0000: ("code_page",),
}
"""Members of the whole that a bit of WhichFields speaks of ([MS-SAMR] 2.2.1.8)."""


def _text(row: ObjectRow, att: AttId) -> str:
    return entry.text(row, att) or ""


def logon_hours(row: ObjectRow) -> idl.LogonHours:
    """The map of hours, a bit each; all of them where the account has none."""
    held_bits = entry.first(row, attr.LOGON_HOURS)
    if held_bits is None:
        return idl.LogonHours(_HOURS_PER_WEEK, b"\xff" * (_HOURS_PER_WEEK // 8))
    return idl.LogonHours(len(held_bits) * 8, held_bits)


def password_can_change(ctx: ReadContext, row: ObjectRow) -> int:
    """Spec: [MS-SAMR] 3.1.5.14.3; there are no LM hashes here."""
    if (entry.first(row, attr.UNICODE_PWD) or NT_HASH_OF_EMPTY) == NT_HASH_OF_EMPTY:
        return 0
    return entry.integer(row, attr.PWD_LAST_SET) + effective_policy(ctx, row).minimum_age


def bad_password_count(ctx: ReadContext, row: ObjectRow) -> int:
    """Wrong passwords that still count: none once the observation window is over, as Windows tells it."""
    window = effective_policy(ctx, row).observation_window
    is_over = ctx.now - entry.integer(row, attr.BAD_PASSWORD_TIME) > window
    return 0 if is_over else entry.integer(row, attr.BAD_PWD_COUNT)


def account_control(ctx: ReadContext, row: ObjectRow) -> int:
    """USER_ACCOUNT bits, with what time has made of the account. Spec: [MS-SAMR] 3.1.5.14.11."""
    flags = entry.integer(row, attr.USER_ACCOUNT_CONTROL) & 0xFFFF_FFFF
    if logon_counters.is_locked_out(ctx, row.dnt):
        flags |= UserAccountControl.UF_LOCKOUT
    if password_must_change(ctx, row) < ctx.now:
        flags |= UserAccountControl.UF_PASSWORD_EXPIRED
    return sam_account_control(int(flags))


def whole(ctx: ReadContext, row: ObjectRow) -> idl.UserAllInformation:
    """Every field that may ever be told of a user."""
    assert row.sid is not None
    return idl.UserAllInformation(
        last_logon=entry.integer(row, attr.LAST_LOGON) & _UNSIGNED,
        last_logoff=entry.integer(row, attr.LAST_LOGOFF) & _UNSIGNED,
        password_last_set=entry.integer(row, attr.PWD_LAST_SET) & _UNSIGNED,
        account_expires=entry.integer(row, attr.ACCOUNT_EXPIRES) & _UNSIGNED,
        password_can_change=password_can_change(ctx, row) & _UNSIGNED,
        password_must_change=password_must_change(ctx, row) & _UNSIGNED,
        user_name=_text(row, attr.SAM_ACCOUNT_NAME),
        full_name=_text(row, attr.DISPLAY_NAME),
        home_directory=_text(row, attr.HOME_DIRECTORY),
        home_directory_drive=_text(row, attr.HOME_DRIVE),
        script_path=_text(row, attr.SCRIPT_PATH),
        profile_path=_text(row, attr.PROFILE_PATH),
        admin_comment=_text(row, attr.DESCRIPTION),
        work_stations=_text(row, attr.USER_WORKSTATIONS),
        user_comment=_text(row, attr.COMMENT),
        parameters=_text(row, attr.USER_PARAMETERS),
        user_id=int(Sid(row.sid).rid()),
        primary_group_id=entry.integer(row, attr.PRIMARY_GROUP_ID),
        user_account_control=account_control(ctx, row),
        which_fields=sum(_FIELD_NAMES),
        logon_hours=logon_hours(row),
        bad_password_count=min(bad_password_count(ctx, row), _COUNT_MAX),
        logon_count=min(entry.integer(row, attr.LOGON_COUNT), _COUNT_MAX),
        country_code=entry.integer(row, attr.COUNTRY_CODE) & 0xFFFF,
        code_page=entry.integer(row, attr.CODE_PAGE) & 0xFFFF,
    )


def part(of: idl.UserAllInformation, level: int) -> Ndr:
    """One level of the whole: the members that it names."""
    kind = LEVELS[level]
    names = [one.name for one in fields(kind)]
    return kind(**{name: "" if name == "reserved1" else getattr(of, name) for name in names})


def shown(of: idl.UserAllInformation, granted: int) -> idl.UserAllInformation:
    """The whole without what a handle may not see. Spec: [MS-SAMR] 3.1.5.5.5.2.

    Raises STATUS_ACCESS_DENIED where it may see nothing.
    """
    which = 0
    for right, readable in rights.READABLE.items():
        if granted & right:
            which |= readable
    if not which:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "nothing of the user is readable")
    values = {name: getattr(of, name) for bit, names in _FIELD_NAMES.items() if which & bit for name in names}
    return idl.UserAllInformation(which_fields=which, **values)


def _may_read(ctx: ReadContext, user: UserHandle, row: ObjectRow, level: int, needed: int) -> None:
    """The rights of the handle, which userParameters' own right may stand in for.

    Spec: [MS-SAMR] 3.1.5.5.5.1.
    """
    if level == 20 and not ctx.unrestricted and user.granted & needed != needed:
        attribute = ctx.schema.attribute_by_id(attr.USER_PARAMETERS)
        assert attribute is not None
        if ds_rights.can_read(ctx, row, attribute):
            return
    user.require(needed)


async def samr_query_information_user(
    call: Call, request: idl.SamrQueryInformationUser
) -> idl.SamrQueryInformationUserResponse:
    """Spec: [MS-SAMR] 3.1.5.5.5, 3.1.5.5.6."""
    level = request.user_information_class
    user = held(call, request.user_handle, UserHandle)
    needed = rights.USER_QUERY.get(level, 0)
    if level != _WHOLE and level not in rights.USER_QUERY:
        raise NtError(NtStatus.STATUS_INVALID_INFO_CLASS)

    def work(ctx: ReadContext) -> Ndr:
        row = row_of(ctx, user)
        if level == _WHOLE:
            return shown(whole(ctx, row), user.granted)
        _may_read(ctx, user, row, level, needed)
        every = whole(ctx, row)
        if level == _LOGON:  # what is stored, where the other levels tell what still counts
            raw = min(entry.integer(row, attr.BAD_PWD_COUNT), _COUNT_MAX)
            every = replace(every, bad_password_count=raw)
        return part(every, level)

    found = await read(call, "samr.query_user", work)
    return idl.SamrQueryInformationUserResponse(Tagged(level, found))
