"""Information about a domain, and the policy of its passwords.

Spec: [MS-SAMR] 3.1.5.5.1, 3.1.5.5.2, 3.1.5.6.1, 3.1.5.13.3, 3.1.5.13.4, 3.1.5.14.8.
"""

from typing import Final, cast

from addc.base.errors import NtError
from addc.codec.ndr import Ndr, Tagged
from addc.codes.ntstatus import NtStatus
from addc.directory import entry, fsmo, names
from addc.directory.context import ReadContext, WriteContext
from addc.directory.modify import Change, ModOp, modify_row
from addc.directory.password_policy import PwdProperties, domain_policy, effective_policy
from addc.rpc.call import Call
from addc.rpc.interfaces.samr import idl, rights
from addc.rpc.interfaces.samr.connect import BUILTIN_NAME, domain_row
from addc.rpc.interfaces.samr.handles import (
    DomainHandle,
    UserHandle,
    held,
    opened,
    read,
    row_of,
    use,
    write,
)
from addc.rpc.interfaces.samr.lookups import ALIASES, GROUPS, USERS
from addc.schema import attr
from addc.security import wellknown
from addc.security.account_flags import SamAccountType, UserAccountControl
from addc.store.objects import ObjectRow

_ENABLED: Final = 1
_BACKUP: Final = 2
_PRIMARY: Final = 3
_COUNT_MAX: Final = 100_000
"""Where counting accounts stops; the numbers are estimates on a DC."""
_MINIMUM_LENGTH_MAX: Final = 1024
_MACHINES: Final = (
    UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT
    | UserAccountControl.UF_WORKSTATION_TRUST_ACCOUNT
    | UserAccountControl.UF_SERVER_TRUST_ACCOUNT
)


def _role(ctx: ReadContext) -> int:
    return _PRIMARY if fsmo.is_ours(ctx, fsmo.PDC) else _BACKUP


def _name(ctx: ReadContext, handle: DomainHandle) -> str:
    return BUILTIN_NAME if handle.is_builtin else ctx.forest.netbios


def _count(ctx: ReadContext, types: tuple[SamAccountType, ...]) -> int:
    attribute = ctx.schema.attribute_by_id(attr.SAM_ACCOUNT_TYPE)
    assert attribute is not None
    keys = [attribute.syntax.key(b"%d" % kind) for kind in types]
    return sum(ctx.tx.index_count(attr.SAM_ACCOUNT_TYPE, key, _COUNT_MAX) for key in keys)


def _built_in_aliases(ctx: ReadContext) -> int:
    row = domain_row(ctx, wellknown.BUILTIN_DOMAIN)
    return sum(1 for _ in names.children(ctx, row.dnt))


def _general(ctx: ReadContext, handle: DomainHandle, row: ObjectRow) -> idl.DomainGeneralInformation:
    """Spec: [MS-SAMR] 3.1.5.5.1.1."""
    built_in = _built_in_aliases(ctx)
    if handle.is_builtin:
        counts = (0, 0, built_in)
    else:
        counts = (_count(ctx, USERS), _count(ctx, GROUPS), max(0, _count(ctx, ALIASES) - built_in))
    return idl.DomainGeneralInformation(
        force_logoff=entry.integer(row, attr.FORCE_LOGOFF),
        oem_information=entry.text(row, attr.OEM_INFORMATION) or "",
        domain_name=_name(ctx, handle),
        replica_source_node_name=entry.text(row, attr.DOMAIN_REPLICA) or "",
        domain_modified_count=entry.integer(row, attr.MODIFIED_COUNT),
        domain_server_state=_ENABLED,
        domain_server_role=_role(ctx),
        uas_compatibility_required=1 if entry.integer(row, attr.UAS_COMPAT) else 0,
        user_count=counts[0],
        group_count=counts[1],
        alias_count=counts[2],
    )


def password_information(row: ObjectRow) -> idl.DomainPasswordInformation:
    """Level 1 of a domain's row."""
    return idl.DomainPasswordInformation(
        min_password_length=entry.integer(row, attr.MIN_PWD_LENGTH),
        password_history_length=entry.integer(row, attr.PWD_HISTORY_LENGTH),
        password_properties=entry.integer(row, attr.PWD_PROPERTIES) & 0xFFFF_FFFF,
        max_password_age=entry.integer(row, attr.MAX_PWD_AGE),
        min_password_age=entry.integer(row, attr.MIN_PWD_AGE),
    )


def _lockout(row: ObjectRow) -> tuple[int, int, int]:
    return (
        entry.integer(row, attr.LOCKOUT_DURATION),
        entry.integer(row, attr.LOCK_OUT_OBSERVATION_WINDOW),
        entry.integer(row, attr.LOCKOUT_THRESHOLD),
    )


def _information(ctx: ReadContext, handle: DomainHandle, level: int) -> Ndr:
    """Spec: [MS-SAMR] 3.1.5.5.1, 3.1.5.14.8."""
    row = row_of(ctx, handle)
    modified, born = entry.integer(row, attr.MODIFIED_COUNT), entry.integer(row, attr.CREATION_TIME)
    match level:
        case 1:
            return password_information(row)
        case 2:
            return _general(ctx, handle, row)
        case 3:
            return idl.DomainLogoffInformation(entry.integer(row, attr.FORCE_LOGOFF))
        case 4:
            return idl.DomainOemInformation(entry.text(row, attr.OEM_INFORMATION) or "")
        case 5:
            return idl.DomainNameInformation(_name(ctx, handle))
        case 6:
            return idl.DomainReplicationInformation(entry.text(row, attr.DOMAIN_REPLICA) or "")
        case 7:
            return idl.DomainServerRoleInformation(_role(ctx))
        case 8:
            return idl.DomainModifiedInformation(modified, born)
        case 9:
            return idl.DomainStateInformation(_ENABLED)
        case 11:
            return idl.DomainGeneralInformation2(_general(ctx, handle, row), *_lockout(row))
        case 12:
            return idl.DomainLockoutInformation(*_lockout(row))
        case _:
            at_promotion = entry.integer(row, attr.MODIFIED_COUNT_AT_LAST_PROM)
            return idl.DomainModifiedInformation2(modified, born, at_promotion)


async def samr_query_information_domain(
    call: Call, request: idl.SamrQueryInformationDomain
) -> idl.SamrQueryInformationDomainResponse:
    """Spec: [MS-SAMR] 3.1.5.5.1, 3.1.5.5.2."""
    level = request.domain_information_class
    domain = held(call, request.domain_handle, DomainHandle)
    needed = rights.DOMAIN_QUERY.get(level)
    if needed is None:
        raise NtError(NtStatus.STATUS_INVALID_INFO_CLASS)
    domain.require(needed)
    found = await read(call, "samr.query_domain", lambda ctx: _information(ctx, domain, level))
    return idl.SamrQueryInformationDomainResponse(Tagged(level, found))


# --- setting -----------------------------------------------------------------------------------------------


def _replace(attribute: str, value: int | str | None) -> Change:
    """A change that sets one value; an empty text takes the attribute away."""
    if isinstance(value, int):
        return Change(ModOp.REPLACE, attribute, [b"%d" % value])
    return Change(ModOp.REPLACE, attribute, [value.encode("utf-8", "replace")] if value else [])


def _check_passwords(info: idl.DomainPasswordInformation) -> None:
    """Spec: [MS-SAMR] 3.1.5.6.1.3."""
    longest, shortest = -info.max_password_age, -info.min_password_age
    if longest < 0 or shortest < 0 or info.min_password_length > _MINIMUM_LENGTH_MAX:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no such password policy")
    if longest and longest <= shortest:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "the maximum age is below the minimum age")


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def _changes(level: int, value: object) -> list[Change]:
    """What a level changes of a domain. Spec: [MS-SAMR] 3.1.5.6.1, 3.1.5.14.8."""
    match level:
        case 1:
            info = cast(idl.DomainPasswordInformation, value)
            _check_passwords(info)
            return [
                _replace("minPwdLength", info.min_password_length),
                _replace("pwdHistoryLength", info.password_history_length),
                _replace("pwdProperties", _signed(info.password_properties)),
                _replace("maxPwdAge", info.max_password_age),
                _replace("minPwdAge", info.min_password_age),
            ]
        case 3:
            return [_replace("forceLogoff", cast(idl.DomainLogoffInformation, value).force_logoff)]
        case 4:
            return [_replace("oEMInformation", cast(idl.DomainOemInformation, value).oem_information)]
        case 6:
            replica = cast(idl.DomainReplicationInformation, value).replica_source_node_name
            return [_replace("domainReplica", replica)]
        case _:
            lockout = cast(idl.DomainLockoutInformation, value)
            return [
                _replace("lockoutDuration", lockout.lockout_duration),
                _replace("lockOutObservationWindow", lockout.lockout_observation_window),
                _replace("lockoutThreshold", lockout.lockout_threshold),
            ]


async def samr_set_information_domain(
    call: Call, request: idl.SamrSetInformationDomain
) -> idl.SamrSetInformationDomainResponse:
    """Spec: [MS-SAMR] 3.1.5.6.1.

    The server's state is what it is. The role of primary server moves by the FSMO operations of the
    directory; asked for here, it is there already or is refused.
    """
    level = request.domain_information_class
    domain = held(call, request.domain_handle, DomainHandle)
    needed = rights.DOMAIN_SET.get(level)
    if needed is None or level != request.domain_information.tag:
        raise NtError(NtStatus.STATUS_INVALID_INFO_CLASS)
    domain.require(needed)
    value = request.domain_information.value
    if level == 9 or (level == 7 and domain.is_builtin):
        return idl.SamrSetInformationDomainResponse()
    if level == 7:
        role = cast(idl.DomainServerRoleInformation, value).domain_server_role
        if role == _PRIMARY and not await read(call, "samr.role", lambda ctx: fsmo.is_ours(ctx, fsmo.PDC)):
            raise NtError(NtStatus.STATUS_NOT_SUPPORTED, "roles move by the rootDSE")
        return idl.SamrSetInformationDomainResponse()
    changes = _changes(level, value)

    def work(ctx: WriteContext) -> None:
        modify_row(ctx, use(ctx, domain), changes)

    await write(call, "samr.set_domain", work)
    return idl.SamrSetInformationDomainResponse()


# --- policy of passwords -----------------------------------------------------------------------------------


async def samr_get_domain_password_information(
    call: Call, request: idl.SamrGetDomainPasswordInformation
) -> idl.SamrGetDomainPasswordInformationResponse:
    """What everybody may know who has a password to choose. Spec: [MS-SAMR] 3.1.5.13.4."""
    policy = await read(call, "samr.password_policy", domain_policy)
    return idl.SamrGetDomainPasswordInformationResponse(
        idl.UserDomainPasswordInformation(policy.minimum_length, policy.properties & 0xFFFF_FFFF)
    )


async def samr_get_user_domain_password_information(
    call: Call, request: idl.SamrGetUserDomainPasswordInformation
) -> idl.SamrGetUserDomainPasswordInformationResponse:
    """Spec: [MS-SAMR] 3.1.5.13.3."""
    user = held(call, request.user_handle, UserHandle)

    def work(ctx: ReadContext) -> idl.UserDomainPasswordInformation:
        domain = domain_row(ctx, ctx.forest.domain_sid)
        opened(ctx, domain, rights.DOMAIN, int(rights.Domain.READ_PASSWORD_PARAMETERS))
        row = row_of(ctx, user)
        flags = entry.integer(row, attr.USER_ACCOUNT_CONTROL)
        if user.sid.rid() == wellknown.RID_KRBTGT or flags & _MACHINES:
            return idl.UserDomainPasswordInformation()
        policy = effective_policy(ctx, row)
        properties = policy.properties & 0xFFFF_FFFF
        if policy.complexity:
            properties |= PwdProperties.DOMAIN_PASSWORD_COMPLEX
        if policy.reversible:
            properties |= PwdProperties.DOMAIN_PASSWORD_STORE_CLEARTEXT
        return idl.UserDomainPasswordInformation(policy.minimum_length, int(properties))

    return idl.SamrGetUserDomainPasswordInformationResponse(await read(call, "samr.user_policy", work))
