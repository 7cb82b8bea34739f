"""What a member is told of a user who logged on: NETLOGON_VALIDATION_SAM_INFO and its followers.

Spec: [MS-NRPC] 2.2.1.4.11 to 2.2.1.4.13, 3.5.4.5.1; [MS-PAC] 2.5 (the fields' meaning).
"""

from dataclasses import replace
from typing import Final, NamedTuple

from addc.base.clock import NEVER_FT
from addc.codec.ids import Sid
from addc.codec.ndr import Tagged
from addc.codec.pac import (
    SE_GROUP_DEFAULT,
    SE_GROUP_RESOURCE_DEFAULT,
    GroupMembership,
    KerbSidAndAttributes,
    UserFlags,
)
from addc.directory import groups, passwords
from addc.directory.accounts import Account
from addc.directory.context import ReadContext
from addc.directory.password_policy import effective_policy
from addc.rpc.interfaces.netlogon import idl
from addc.rpc.interfaces.netlogon.idl import ValidationLevel
from addc.security import schannel
from addc.security.account_flags import sam_account_control
from addc.security.logon_rules import hours_end

NTLMV2_ENABLED: Final = 0x100
"""UserFlags: the logon was by NTLM version 2. Spec: [MS-APDS], [MS-NRPC] 2.2.1.4.11."""
NO_KEY: Final = bytes(16)


class Told(NamedTuple):
    """All levels are made of this."""

    info: idl.NetlogonSamInfo
    sids: tuple[KerbSidAndAttributes, ...]
    upn: str
    dns_domain: str


class _Groups(NamedTuple):
    rids: tuple[GroupMembership, ...]
    sids: tuple[KerbSidAndAttributes, ...]


def _groups(ctx: ReadContext, account: Account) -> _Groups:
    """The groups of an account as they are told, remembered while no membership changes."""
    key, version = ("netlogon.groups", account.dnt), groups.links_version(ctx)
    found = ctx.facts.get(key)
    if found is not None and found[0] == version:
        return found[1]  # type: ignore[return-value]
    value = _sorted_out(ctx.forest.domain_sid, groups.account_groups(ctx, account.dnt))
    ctx.keep(key, version, value)
    return value


def _sorted_out(domain: Sid, held: groups.GroupMembership) -> _Groups:
    rids, others = [], []
    for sid, attributes in held.global_universal:
        if sid.domain() == domain:
            rids.append(GroupMembership(sid.rid(), attributes))
        else:
            others.append(KerbSidAndAttributes(sid, attributes))
    others += [KerbSidAndAttributes(sid, SE_GROUP_DEFAULT) for sid in held.sid_history]
    others += [KerbSidAndAttributes(sid, SE_GROUP_RESOURCE_DEFAULT) for sid in held.domain_local]
    return _Groups(tuple(rids), tuple(others))


def told(ctx: ReadContext, account: Account, key: bytes, flags: int) -> Told:
    """What is told of an account. key: UserSessionKey, zeros for none. flags: UserFlags beside the usual.

    The times of an account that never expires are the greatest there are: zeros would be a refusal.
    """
    forest = ctx.forest
    row = ctx.tx.get(account.dnt)
    assert row is not None
    held = _groups(ctx, account)
    logoff = hours_end(account.logon_hours, account.account_expires, ctx.now)
    minimum_age = effective_policy(ctx, row).minimum_age
    info = idl.NetlogonSamInfo(
        logon_time=account.last_logon or int(ctx.now),
        logoff_time=logoff,
        kick_off_time=logoff,
        password_last_set=account.pwd_last_set,
        password_can_change=account.pwd_last_set + minimum_age if account.pwd_last_set else 0,
        password_must_change=min(passwords.password_must_change(ctx, row), int(NEVER_FT)),
        effective_name=account.sam_account_name,
        full_name=account.display_name,
        logon_script=account.script_path,
        profile_path=account.profile_path,
        home_directory=account.home_directory,
        home_directory_drive=account.home_drive,
        logon_count=min(account.logon_count, 0xFFFF),
        bad_password_count=min(account.bad_pwd_count, 0xFFFF),
        user_id=account.sid.rid(),
        primary_group_id=account.primary_group_id,
        group_ids=held.rids or None,
        user_flags=flags | (UserFlags.EXTRA_SIDS if held.sids else 0),
        user_session_key=key,
        logon_server=forest.host.upper(),
        logon_domain_name=forest.netbios,
        logon_domain_id=forest.domain_sid,
        lm_key=key[:8],
        user_account_control=sam_account_control(account.user_account_control),
        sub_auth_status=0,
        last_successful_i_logon=0,
        last_failed_i_logon=0,
        failed_i_logon_count=0,
    )
    upn = account.user_principal_name or f"{account.sam_account_name}@{forest.dns_domain}"
    return Told(info, held.sids, upn, forest.dns_domain.upper())


def at_level(what: Told, level: int, key: bytes | None) -> Tagged:
    """The validation of a level. key: what session keys are hidden with in the older ones, None for nothing.

    Zeros stay zeros: they would give away what they are hidden with. Spec: 3.5.4.5.1, 4.1.
    """
    info = what.info
    if level == ValidationLevel.SAM_INFO4:
        return Tagged(level, idl.NetlogonSamInfo4(info, what.sids or None, what.dns_domain, what.upn))
    if key is not None and info.user_session_key != NO_KEY:
        info = replace(
            info,
            user_session_key=schannel.encrypted(key, info.user_session_key),
            lm_key=schannel.encrypted(key, info.lm_key),
        )
    if level == ValidationLevel.SAM_INFO2:
        return Tagged(level, idl.NetlogonSamInfo2(info, what.sids or None))
    return Tagged(level, info)
