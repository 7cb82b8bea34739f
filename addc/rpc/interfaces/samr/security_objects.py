"""Descriptors as this protocol shows them: fixed ones, in which one right alone can be changed.

The directory's descriptors have entries that this protocol cannot express. What clients do with it is to say
whether a user may change his password.

Spec: [MS-SAMR] 3.1.5.12 (DC configuration).
"""

from dataclasses import replace
from typing import Final

from addc.base.errors import DecodeError, NtError
from addc.codec.ids import Sid
from addc.codes.ntstatus import NtStatus
from addc.directory import groups
from addc.directory import rights as ds_rights
from addc.directory.context import ReadContext, WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.modify import Change, ModOp, modify_row
from addc.rpc.call import Call
from addc.rpc.interfaces.samr import idl, rights
from addc.rpc.interfaces.samr.handles import (
    AliasHandle,
    DomainHandle,
    GroupHandle,
    SamHandle,
    ServerHandle,
    UserHandle,
    held,
    read,
    row_of,
    use,
    write,
)
from addc.rpc.interfaces.samr.rights import Common, Domain, User
from addc.schema.wellknown import ExtendedRight
from addc.security import wellknown
from addc.security.access_mask import AccessMask
from addc.security.descriptor import (
    ACCESS_ALLOWED,
    ACCESS_ALLOWED_OBJECT,
    ACCESS_DENIED_OBJECT,
    Ace,
    Control,
    SecurityDescriptor,
    SecurityInformation,
    acl_of,
    parts,
)
from addc.store.objects import ObjectRow

Grants = tuple[tuple[Sid, int], ...]
"""SIDs and what each is granted."""

_PARTS: Final = 0xF
_CHANGE: Final = int(User.CHANGE_PASSWORD)
_CHANGE_RIGHT: Final = ExtendedRight.USER_CHANGE_PASSWORD.bytes_le
_READERS: Final = rights.USER_EXECUTE | rights.USER_READ
_DACL_FLAGS: Final = RequestOptions(sd_flags=int(SecurityInformation.DACL), confidential=True)


# --- what is shown -----------------------------------------------------------------------------------------


def _is_administrative(ctx: ReadContext, row: ObjectRow) -> bool:
    """Whether an object is Domain Admins or Administrators, or is in one of them."""
    admins = {wellknown.BUILTIN_ADMINISTRATORS, ctx.forest.domain_sid.child(wellknown.RID_DOMAIN_ADMINS)}
    above = groups.closure(ctx, [row])
    return any(one.sid is not None and Sid(one.sid) in admins for one in (row, *above))


def _may_change_password(ctx: ReadContext, row: ObjectRow) -> bool:
    """Whether the descriptor lets the user, or everybody, change the password."""
    dacl = ds_rights.descriptor(ctx, row).dacl
    if dacl is None:
        return True
    for ace in dacl.aces:
        about = ace.sid in (wellknown.PRINCIPAL_SELF, wellknown.EVERYONE)
        if about and ace.mask & AccessMask.RIGHT_DS_CONTROL_ACCESS and not ace.flags & 0x08:
            if ace.object_type in (None, _CHANGE_RIGHT):
                return ace.is_allow
    return False


def _grants(ctx: ReadContext, handle: SamHandle, row: ObjectRow) -> Grants:
    """The entries of an object's DACL. Spec: [MS-SAMR] 3.1.5.12.2.1."""
    world, admins = wellknown.EVERYONE, wellknown.BUILTIN_ADMINISTRATORS
    operators = wellknown.ACCOUNT_OPERATORS
    match handle:
        case ServerHandle():
            shown = rights.SERVER_EXECUTE | rights.SERVER_READ
            return ((world, shown), (admins, rights.SERVER_ALL_ACCESS))
        case DomainHandle():
            shown = rights.DOMAIN_EXECUTE | rights.DOMAIN_READ
            makes = int(Domain.CREATE_USER | Domain.CREATE_GROUP | Domain.CREATE_ALIAS)
            return ((world, shown), (admins, rights.DOMAIN_ALL_ACCESS), (operators, shown | makes))
        case GroupHandle() | AliasHandle():
            is_group = isinstance(handle, GroupHandle)
            shown = rights.GROUP_EXECUTE | rights.GROUP_READ
            if not is_group and not _is_administrative(ctx, row):
                shown = rights.ALIAS_EXECUTE | rights.ALIAS_READ
            every = rights.GROUP_ALL_ACCESS
            if _is_administrative(ctx, row):
                return ((world, shown), (admins, every))
            return ((world, shown), (admins, every), (operators, every))
    every, own = rights.USER_ALL_ACCESS, rights.USER_WRITE
    if _is_administrative(ctx, row):
        return ((world, _READERS), (admins, every), (handle.sid, own))
    kept = -1 if _may_change_password(ctx, row) else ~_CHANGE
    return ((world, _READERS & kept), (admins, every), (operators, every), (handle.sid, own & kept))


def shown_descriptor(grants: Grants) -> SecurityDescriptor:
    """A descriptor that Administrators own, with these entries."""
    admins = wellknown.BUILTIN_ADMINISTRATORS
    aces = tuple(Ace(ACCESS_ALLOWED, 0, mask, sid) for sid, mask in grants)
    return SecurityDescriptor(int(Control.SR | Control.DP), admins, admins, None, acl_of(aces))


async def samr_query_security_object(
    call: Call, request: idl.SamrQuerySecurityObject
) -> idl.SamrQuerySecurityObjectResponse:
    """Spec: [MS-SAMR] 3.1.5.12.2."""
    handle = held(call, request.object_handle, SamHandle)
    wanted = request.security_information & _PARTS
    if wanted & SecurityInformation.SACL:
        handle.require(int(Common.ACCESS_SYSTEM_SECURITY))
    if wanted & ~int(SecurityInformation.SACL):
        handle.require(int(Common.READ_CONTROL))

    def work(ctx: ReadContext) -> bytes:
        made = shown_descriptor(_grants(ctx, handle, row_of(ctx, handle)))
        return parts(made, wanted).pack()

    found = await read(call, "samr.query_security", work)
    return idl.SamrQuerySecurityObjectResponse(idl.SrSecurityDescriptor(found))


# --- what can be set ---------------------------------------------------------------------------------------


def _known_lists(self_sid: Sid) -> dict[frozenset[tuple[Sid, int]], bool]:
    """The DACLs that mean something, and whether they let the user change his password.

    Spec: [MS-SAMR] 3.1.5.12.1.1.
    """
    world, own = wellknown.EVERYONE, rights.USER_WRITE
    admins = (wellknown.BUILTIN_ADMINISTRATORS, rights.USER_ALL_ACCESS)
    operators = (wellknown.ACCOUNT_OPERATORS, rights.USER_ALL_ACCESS)
    barred = (world, _READERS & ~_CHANGE)
    return {
        frozenset(((world, _READERS), admins, operators, (self_sid, own))): True,
        frozenset((barred, admins, operators, (self_sid, own & ~_CHANGE))): False,
        frozenset((barred, admins, operators)): False,
        frozenset(((world, _READERS), admins, (self_sid, own))): True,
    }


def _asked(sd: SecurityDescriptor, self_sid: Sid) -> bool | None:
    """Whether a DACL lets the user change his password; None for one that means nothing here."""
    if sd.dacl is None or any(ace.type != ACCESS_ALLOWED for ace in sd.dacl.aces):
        return None
    asked = frozenset((ace.sid, rights.USER.specific(ace.mask)) for ace in sd.dacl.aces)
    return _known_lists(self_sid).get(asked)


def with_change_right(sd: SecurityDescriptor, allowed: bool) -> SecurityDescriptor:
    """`sd` with entries that let, or do not let, SELF and Everyone change the password."""
    aces = sd.dacl.aces if sd.dacl is not None else ()
    subjects = (wellknown.PRINCIPAL_SELF, wellknown.EVERYONE)
    kept = tuple(
        ace
        for ace in aces
        if not (ace.object_type == _CHANGE_RIGHT and ace.sid in subjects and not ace.flags & 0x10)
    )
    kind = ACCESS_ALLOWED_OBJECT if allowed else ACCESS_DENIED_OBJECT
    mask = int(AccessMask.RIGHT_DS_CONTROL_ACCESS)
    made = tuple(Ace(kind, 0, mask, sid, _CHANGE_RIGHT) for sid in subjects)
    return replace(sd, dacl=acl_of((*made, *kept)))


async def samr_set_security_object(
    call: Call, request: idl.SamrSetSecurityObject
) -> idl.SamrSetSecurityObjectResponse:
    """What is not one of the known lists of a user is ignored. Spec: [MS-SAMR] 3.1.5.12.1.1."""
    handle = held(call, request.object_handle, SamHandle)
    wanted = request.security_information & _PARTS
    if not wanted:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "nothing to set")
    try:
        sent = SecurityDescriptor.unpack(request.security_descriptor.security_descriptor or b"")
    except DecodeError:
        raise NtError(NtStatus.STATUS_INVALID_SECURITY_DESCR) from None
    if wanted & SecurityInformation.SACL:
        handle.require(int(Common.ACCESS_SYSTEM_SECURITY))
    if wanted & (SecurityInformation.OWNER | SecurityInformation.GROUP):
        handle.require(int(Common.WRITE_OWNER))
    if wanted & SecurityInformation.DACL:
        handle.require(int(Common.WRITE_DAC))
    if isinstance(handle, UserHandle) and wanted & SecurityInformation.DACL:
        allowed = _asked(sent, handle.sid)
        if allowed is not None:
            await _set_change_right(call, handle, allowed)
    return idl.SamrSetSecurityObjectResponse()


async def _set_change_right(call: Call, user: UserHandle, allowed: bool) -> None:
    def work(ctx: WriteContext) -> None:
        row = use(ctx, user)
        new = with_change_right(ds_rights.descriptor(ctx, row), allowed)
        value = parts(new, int(SecurityInformation.DACL)).pack()
        modify_row(ctx, row, [Change(ModOp.REPLACE, "nTSecurityDescriptor", [value])], _DACL_FLAGS)

    await write(call, "samr.set_security", work)
