"""Logons by name and password: which account a name means, and whether the password and the rules let it in.

Spec: [MS-ADTS] 5.1.1.1.1, [MS-SAMR] 3.1.5.14.6
"""

from typing import Final
from uuid import UUID

from addc.base.clock import NEVER_FT, FileTime
from addc.base.errors import DecodeError, DsError
from addc.base.secret import Secret
from addc.codec.dn import Dn
from addc.codec.ids import Sid, guid_to_wire
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, authn_policies, entry, managed_passwords, names
from addc.directory.accounts import Account
from addc.directory.context import ReadContext
from addc.directory.password_policy import effective_policy
from addc.directory.passwords import password_must_change
from addc.schema import attr
from addc.security import authn_policy, logon_rules
from addc.security.account_flags import UserAccountControl
from addc.security.krb_keys import nt_hash
from addc.security.logon_rules import Standing
from addc.store.objects import ObjectRow

_GUID_LENGTH: Final = 38


def standing(ctx: ReadContext, account: Account, row: ObjectRow) -> Standing:
    """What the logon rules look at, of one account."""
    return Standing(
        disabled=account.is_disabled,
        lockout_until=lockout_until(ctx, account, row),
        account_expires=account.account_expires,
        password_must_change=password_must_change(ctx, row),
        logon_hours=account.logon_hours,
        workstations=account.workstations,
        smartcard_required=account.has(UserAccountControl.UF_SMARTCARD_REQUIRED),
        of_trust=account.has(UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT),
    )


def lockout_until(ctx: ReadContext, account: Account, row: ObjectRow) -> int:
    """FILETIME at which the account's lockout ends; 0 when it is not locked."""
    if not account.lockout_time:
        return 0
    duration = effective_policy(ctx, row).lockout_duration
    return account.lockout_time + duration if duration else int(NEVER_FT)


def verify_logon(
    ctx: ReadContext, row: ObjectRow, password: Secret, now: FileTime, workstation: str | None = None
) -> NtStatus:
    """STATUS_SUCCESS, or why not; STATUS_WRONG_PASSWORD for the caller to count.

    password: UTF-16LE, as passwords.py makes it.
    """
    return verify_hash(ctx, row, Secret(nt_hash(password)), now, workstation)


def verify_hash(
    ctx: ReadContext,
    row: ObjectRow,
    given: Secret,
    now: FileTime,
    workstation: str | None = None,
    *,
    at_console: bool = False,
) -> NtStatus:
    """The same, of a password whose NT hash is all that came.

    A password shows no device, which an authentication policy may ask for.
    at_console: an interactive logon, where the password before is none any more (Microsoft KB 906305).
    """
    account = accounts.account(ctx, row)
    found = standing(ctx, account, row)
    refusal = logon_rules.lockout(found, now)
    if refusal is None:
        hashes = managed_passwords.nt_hashes(ctx, row)
        also = () if at_console and not managed_passwords.is_managed(row) else hashes.accepted
        good = also if hashes.current is None else (hashes.current, *also)
        if not any(given.matches(one) for one in good):
            refusal = NtStatus.STATUS_WRONG_PASSWORD
    refusal = (
        refusal
        or logon_rules.trust_refusal(found)
        or logon_rules.account_refusal(found, now)
        or logon_rules.logon_refusal(found, now, workstation)
        or logon_rules.password_refusal(found, now)
        or authn_policy.ntlm_refusal(authn_policies.policy_of(ctx, row))
    )
    return refusal or NtStatus.STATUS_SUCCESS


def find_by_bind_name(ctx: ReadContext, name: str) -> Account | None:
    """The account that the name of a simple bind means; the forms are tried in the order of the document."""
    for form in (_by_dn, _by_upn, _by_down_level_name, _by_canonical_name, _by_guid):
        found = form(ctx, name)
        if found is not None:
            return found
    return _by_display_name(ctx, name) or accounts.find_by_spn(ctx, name) or _by_sid(ctx, name)


def _by_dn(ctx: ReadContext, name: str) -> Account | None:
    if "=" not in name:
        return None
    try:
        return accounts.find_by_dnt(ctx, names.resolve(ctx, name).dnt)
    except DsError:
        return None


def _by_upn(ctx: ReadContext, name: str) -> Account | None:
    """A principal name, explicit or implied; uPNSuffixes imply one too."""
    found = accounts.find_by_upn(ctx, name)
    user, at, suffix = name.rpartition("@")
    if found is not None or not at or not user:
        return found
    partitions = names.find_dn(ctx, Dn.parse(f"CN=Partitions,{ctx.forest.config_dn}"))
    suffixes = [] if partitions is None else entry.texts(partitions, attr.UPN_SUFFIXES)
    return accounts.find_by_sam(ctx, user) if suffix.lower() in map(str.lower, suffixes) else None


def _by_down_level_name(ctx: ReadContext, name: str) -> Account | None:
    """DOMAIN\\user."""
    domain, backslash, user = name.partition("\\")
    if not backslash or domain.lower() not in (ctx.forest.netbios.lower(), ctx.forest.dns_domain.lower()):
        return None
    return accounts.find_by_sam(ctx, user)


def _by_canonical_name(ctx: ReadContext, name: str) -> Account | None:
    """example.com/Users/Alice, or with a newline before the last part."""
    domain, slash, path = name.replace("\n", "/").partition("/")
    if not slash or domain.lower() != ctx.forest.dns_domain.lower():
        return None
    found = ctx.tx.get(ctx.forest.domain_nc)
    for part in path.split("/"):
        if found is None:
            return None
        found = _child_named(ctx, found, part)
    return None if found is None else accounts.find_by_dnt(ctx, found.dnt)


def _child_named(ctx: ReadContext, parent: ObjectRow, value: str) -> ObjectRow | None:
    for att in (attr.CN, attr.OU, attr.DC):
        row = names.child_named(ctx, parent.dnt, att, value)
        if row is not None:
            return row
    return None


def _by_guid(ctx: ReadContext, name: str) -> Account | None:
    if len(name) != _GUID_LENGTH or name[0] != "{" or name[-1] != "}":
        return None
    try:
        row = ctx.tx.by_guid(guid_to_wire(UUID(name)))
    except ValueError:
        return None
    return None if row is None else accounts.find_by_dnt(ctx, row.dnt)


def _by_display_name(ctx: ReadContext, name: str) -> Account | None:
    rows = [row for row in accounts.indexed(ctx, attr.DISPLAY_NAME, name) if accounts.is_account(row)]
    return accounts.account(ctx, rows[0]) if len(rows) == 1 else None


def _by_sid(ctx: ReadContext, name: str) -> Account | None:
    """objectSid, then sIDHistory."""
    try:
        sid = Sid.parse(name)
    except DecodeError:
        return None
    found = accounts.find_by_sid(ctx, sid)
    if found is not None:
        return found
    rows = [row for row in accounts.indexed(ctx, attr.SID_HISTORY, sid) if accounts.is_account(row)]
    return accounts.account(ctx, rows[0]) if len(rows) == 1 else None
