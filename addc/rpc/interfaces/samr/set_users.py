"""Setting information of users, their passwords included.

Every level becomes fields of SAMPR_USER_ALL_INFORMATION and, for some, a password; the fields become one
Modify of the directory, so that its rules are those of LDAP.

Spec: [MS-SAMR] 3.1.5.6.4, 3.1.5.6.5, 2.1.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final, cast

from addc.base.errors import NtError
from addc.base.secret import Secret
from addc.codes.ntstatus import NtStatus
from addc.directory import entry, passwords, sam_passwords
from addc.directory.context import ReadContext, WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.modify import Change, ModOp, modify_row
from addc.directory.password_policy import effective_policy
from addc.directory.passwords import PreparedPassword
from addc.rpc.call import Call, Transport
from addc.rpc.interfaces.samr import idl, rights
from addc.rpc.interfaces.samr.handles import UserHandle, held, read, row_of, use, write
from addc.rpc.interfaces.samr.rights import Fields
from addc.rpc.interfaces.samr.users import LEVELS
from addc.schema import attr
from addc.security import password_buffers
from addc.security.account_flags import stored_account_control
from addc.security.krb_keys import NT_HASH_OF_EMPTY
from addc.security.password_buffers import WrongBufferError
from addc.store.objects import ObjectRow

_OPTIONS: Final = RequestOptions(confidential=True)
_FIELDS_OF: Final[dict[int, int]] = {
    2: int(Fields.USER_ALL_USERCOMMENT | Fields.USER_ALL_COUNTRYCODE | Fields.USER_ALL_CODEPAGE),
    4: int(Fields.USER_ALL_LOGONHOURS),
    6: int(Fields.USER_ALL_USERNAME | Fields.USER_ALL_FULLNAME),
    7: int(Fields.USER_ALL_USERNAME),
    8: int(Fields.USER_ALL_FULLNAME),
    9: int(Fields.USER_ALL_PRIMARYGROUPID),
    10: int(Fields.USER_ALL_HOMEDIRECTORY | Fields.USER_ALL_HOMEDIRECTORYDRIVE),
    11: int(Fields.USER_ALL_SCRIPTPATH),
    12: int(Fields.USER_ALL_PROFILEPATH),
    13: int(Fields.USER_ALL_ADMINCOMMENT),
    14: int(Fields.USER_ALL_WORKSTATIONS),
    16: int(Fields.USER_ALL_USERACCOUNTCONTROL),
    17: int(Fields.USER_ALL_ACCOUNTEXPIRES),
    20: int(Fields.USER_ALL_PARAMETERS),
}
"""Levels that set a part of the whole, and WhichFields of each."""
_WITH_PASSWORD: Final = rights.PASSWORD | int(Fields.USER_ALL_PASSWORDEXPIRED)
_TEXTS: Final[tuple[tuple[int, str, str], ...]] = (
    (int(Fields.USER_ALL_USERNAME), "sAMAccountName", "user_name"),
    (int(Fields.USER_ALL_FULLNAME), "displayName", "full_name"),
    (int(Fields.USER_ALL_HOMEDIRECTORY), "homeDirectory", "home_directory"),
    (int(Fields.USER_ALL_HOMEDIRECTORYDRIVE), "homeDrive", "home_directory_drive"),
    (int(Fields.USER_ALL_SCRIPTPATH), "scriptPath", "script_path"),
    (int(Fields.USER_ALL_PROFILEPATH), "profilePath", "profile_path"),
    (int(Fields.USER_ALL_ADMINCOMMENT), "description", "admin_comment"),
    (int(Fields.USER_ALL_WORKSTATIONS), "userWorkstations", "work_stations"),
    (int(Fields.USER_ALL_USERCOMMENT), "comment", "user_comment"),
    (int(Fields.USER_ALL_PARAMETERS), "userParameters", "parameters"),
)
_NUMBERS: Final[tuple[tuple[int, str, str], ...]] = (
    (int(Fields.USER_ALL_PRIMARYGROUPID), "primaryGroupID", "primary_group_id"),
    (int(Fields.USER_ALL_COUNTRYCODE), "countryCode", "country_code"),
    (int(Fields.USER_ALL_CODEPAGE), "codePage", "code_page"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a level asks for: fields of the whole, and a password or the NT hash of one.

    password: UTF-16LE.
    """

    fields: idl.UserAllInformation
    password: Secret | None = None
    nt_hash: Secret | None = None


# --- what is asked for -------------------------------------------------------------------------------------


def _session_key(call: Call) -> bytes:
    """What password buffers are sealed with. Spec: [MS-SAMR] 3.1.2.4, 2.1."""
    if call.transport is not Transport.PIPE:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "passwords are set over SMB")
    key = call.security.session_key.reveal()[:16]
    if len(key) < 16:
        raise NtError(NtStatus.STATUS_NO_USER_SESSION_KEY)
    return key


def _with_password(info: idl.UserAllInformation, open_it: Callable[[], Secret]) -> Wanted:
    """The password counts if either bit says that there is one."""
    return Wanted(info, open_it() if info.which_fields & rights.PASSWORD else None)


def _only_password(expired: int, password: Secret) -> Wanted:
    return Wanted(idl.UserAllInformation(which_fields=_WITH_PASSWORD, password_expired=expired), password)


def _open_aes(call: Call, sealed: idl.EncryptedPasswordAes) -> Secret:
    key = _session_key(call)
    return password_buffers.open_aes(key, sealed.salt, sealed.auth_data, sealed.cipher or b"")


def _hash_of_whole(call: Call, info: idl.UserAllInformation) -> Wanted:
    """Level 21: hashes among the fields. Spec: [MS-SAMR] 3.1.5.6.4.3."""
    if not info.which_fields & Fields.USER_ALL_NTPASSWORDPRESENT:
        return Wanted(info)
    if not info.nt_password_present:
        return Wanted(info, nt_hash=Secret(NT_HASH_OF_EMPTY))
    sealed = (info.nt_owf_password or "").encode("utf-16-le", "surrogatepass")
    if len(sealed) != 16:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "a hash has 16 octets")
    return Wanted(info, nt_hash=Secret(password_buffers.open_hash(_session_key(call), sealed)))


def _hash_alone(call: Call, info: idl.UserInternal1Information) -> Wanted:
    """Level 18. LM hashes are kept by nobody any more; they are passed over. Spec: 3.1.5.6.4.1."""
    which = int(Fields.USER_ALL_PASSWORDEXPIRED)
    found = None
    if info.nt_password_present:
        which |= Fields.USER_ALL_NTPASSWORDPRESENT
        sealed = info.encrypted_nt_owf_password.data
        found = Secret(password_buffers.open_hash(_session_key(call), sealed))
    elif info.lm_password_present:
        raise NtError(NtStatus.STATUS_NOT_SUPPORTED, "LM hashes are not kept")
    whole = idl.UserAllInformation(which_fields=int(which), password_expired=info.password_expired)
    return Wanted(whole, nt_hash=found)


def _wanted(call: Call, level: int, value: object) -> Wanted:
    """What a level asks for. Spec: [MS-SAMR] 3.1.5.6.4.1 - 3.1.5.6.4.6."""
    if level in _FIELDS_OF:
        names = [one.name for one in fields(LEVELS[level])]
        values = {name: getattr(value, name) for name in names if name != "reserved1"}
        return Wanted(idl.UserAllInformation(which_fields=_FIELDS_OF[level], **values))
    match value:
        case idl.UserAllInformation():
            return _hash_of_whole(call, value)
        case idl.UserInternal1Information():
            return _hash_alone(call, value)
        case idl.UserInternal4Information(info, sealed):
            key = _session_key(call)
            return _with_password(info, lambda: password_buffers.open_rc4(key, sealed.buffer))
        case idl.UserInternal5Information(sealed, expired):
            key = _session_key(call)
            return _only_password(expired, password_buffers.open_rc4(key, sealed.buffer))
        case idl.UserInternal4InformationNew(info, salted):
            key = _session_key(call)
            return _with_password(info, lambda: password_buffers.open_rc4_salted(key, salted.buffer))
        case idl.UserInternal5InformationNew(salted, expired):
            key = _session_key(call)
            return _only_password(expired, password_buffers.open_rc4_salted(key, salted.buffer))
        case idl.UserInternal7Information(aes, expired):
            return _only_password(expired, _open_aes(call, aes))
        case idl.UserInternal8Information(info, aes):
            return _with_password(info, lambda: _open_aes(call, aes))
    raise NtError(NtStatus.STATUS_INVALID_INFO_CLASS)


# --- carrying it out ---------------------------------------------------------------------------------------


def _changes(info: idl.UserAllInformation) -> list[Change]:
    """The fields as changes of attributes. Spec: [MS-SAMR] 2.2.1.8, 3.1.5.14.11."""
    which, found = info.which_fields, []
    for bit, attribute, member in _TEXTS:
        if which & bit:
            text = cast(str | None, getattr(info, member)) or ""
            found.append(_replace(attribute, text.encode("utf-8", "surrogatepass")))
    for bit, attribute, member in _NUMBERS:
        if which & bit:
            found.append(_replace(attribute, b"%d" % cast(int, getattr(info, member))))
    if which & Fields.USER_ALL_ACCOUNTEXPIRES:
        expires = info.account_expires
        found.append(_replace("accountExpires", b"%d" % min(expires, 0x7FFF_FFFF_FFFF_FFFF)))
    if which & Fields.USER_ALL_USERACCOUNTCONTROL:
        flags = stored_account_control(info.user_account_control)
        if flags is None:
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no such account control")
        found.append(_replace("userAccountControl", b"%d" % flags))
    if which & Fields.USER_ALL_LOGONHOURS:
        found.append(_replace("logonHours", _hours(info.logon_hours)))
    if which & Fields.USER_ALL_PASSWORDEXPIRED and info.password_expired:
        found.append(_replace("pwdLastSet", b"0"))
    return found


def _replace(attribute: str, value: bytes) -> Change:
    return Change(ModOp.REPLACE, attribute, [value] if value else [])


def _hours(given: idl.LogonHours) -> bytes:
    """The map as it is stored; b"" for none at all."""
    bits = given.logon_hours or b""
    size = (given.units_per_week + 7) // 8
    if len(bits) < size:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "fewer hours than units")
    return bits[:size]


def _is_aged(ctx: ReadContext, row: ObjectRow) -> bool:
    """Whether the present password is past its time, so that clearing "expired" renews it."""
    age = effective_policy(ctx, row).maximum_age
    last_set = entry.integer(row, attr.PWD_LAST_SET)
    return not last_set or bool(age and ctx.now - last_set > age)


def _carry_out(
    ctx: WriteContext, user: UserHandle, wanted: Wanted, prepared: PreparedPassword | None
) -> None:
    """All of it or nothing. Spec: [MS-SAMR] 3.1.5.6.4.2."""
    row = use(ctx, user)
    info = wanted.fields
    changes = _changes(info)
    if prepared is not None:
        quoted = b'"\0' + prepared.password.reveal() + b'"\0'
        changes.append(Change(ModOp.REPLACE, "unicodePwd", [quoted]))
    renew = (
        bool(info.which_fields & Fields.USER_ALL_PASSWORDEXPIRED)
        and not info.password_expired
        and prepared is None
        and wanted.nt_hash is None
        and _is_aged(ctx, row)
    )
    if renew:
        modify_row(ctx, row, [_replace("pwdLastSet", b"0")], _OPTIONS)
        changes.append(_replace("pwdLastSet", b"-1"))
    if wanted.nt_hash is not None:
        sam_passwords.reset_to_hash(ctx, user.dnt, wanted.nt_hash.reveal())
    if changes:
        modify_row(ctx, use(ctx, user), changes, _OPTIONS, password=prepared)


async def _prepared(call: Call, user: UserHandle, password: Secret) -> PreparedPassword:
    """The password with its keys, judged by the operator's filter."""
    if len(password.reveal()) % 2:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "not UTF-16")

    def work(ctx: ReadContext) -> PreparedPassword:
        return passwords.prepare_row(ctx, row_of(ctx, user), password)

    prepared = await read(call, "samr.prepare", work, point=False)
    vetted = await call.directory.vetted(call.requester, prepared, change=False)
    assert vetted is not None
    return vetted


async def samr_set_information_user(
    call: Call, request: idl.SamrSetInformationUser
) -> idl.SamrSetInformationUserResponse:
    """Spec: [MS-SAMR] 3.1.5.6.4, 3.1.5.6.5."""
    user = held(call, request.user_handle, UserHandle)
    if request.user_information_class != request.buffer.tag:
        raise NtError(NtStatus.STATUS_INVALID_INFO_CLASS)
    try:
        wanted = _wanted(call, request.buffer.tag, request.buffer.value)
    except WrongBufferError:
        raise NtError(NtStatus.STATUS_WRONG_PASSWORD, "no password in the buffer") from None
    which = wanted.fields.which_fields
    if which & Fields.USER_ALL_PASSWORDLASTSET:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "passwords are not dated back")
    if not which or which & rights.UNSETTABLE:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "fields that are not set")
    user.require(rights.needed_to_set(which))
    prepared = None if wanted.password is None else await _prepared(call, user, wanted.password)
    await write(call, "samr.set_user", lambda ctx: _carry_out(ctx, user, wanted, prepared))
    return idl.SamrSetInformationUserResponse()
