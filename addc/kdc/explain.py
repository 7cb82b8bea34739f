"""Why a principal gets a ticket or is refused one, in words.

First each rule by itself, so that everything that stands in the way is told and not the first thing alone;
then the verdict: the KDC is asked, with a request as the client would make it and the right key, and what it
answers is what counts. Rules are those of the exchanges; nothing is decided here.

Spec: [MS-KILE] 3.3.5.6, 3.3.5.7, [MS-SFU] 3.2.5.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from addc.base.clock import NEVER_FT, FileTime
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc.client_requests import ETYPES_OFFERED
from addc.kdc.describe_values import etype_text, time_text
from addc.kdc.facts import KdcRefusal, Membership, Outcome, Principal
from addc.kdc.policy import KdcPolicy, account_keys, by_strength, check_server, ticket_key
from addc.security import logon_rules, wellknown
from addc.security.account_flags import UserAccountControl
from addc.security.logon_rules import Standing


@dataclass(frozen=True, slots=True)
class Step:
    """One rule. fact: what was found. cause, next_step: of a rule that stands in the way."""

    ok: bool
    fact: str
    cause: str = ""
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One request with what was found about it. verdict: what the KDC answers."""

    title: str
    steps: tuple[Step, ...]
    verdict: str
    granted: bool


@dataclass(frozen=True, slots=True)
class _Advice:
    cause: str
    next_step: str


_BY_STATUS: Final[dict[NtStatus, _Advice]] = {
    NtStatus.STATUS_NO_SUCH_USER: _Advice(
        "nobody has that name", "look for the account: samba-tool user list, or search sAMAccountName"
    ),
    NtStatus.STATUS_ACCOUNT_DISABLED: _Advice(
        "the account is disabled", "enable it (userAccountControl, bit 2) if it is to be used"
    ),
    NtStatus.STATUS_ACCOUNT_LOCKED_OUT: _Advice(
        "too many wrong passwords locked the account out",
        "find who sends them (events 4771 and 4776 of the audit log), then set lockoutTime to 0",
    ),
    NtStatus.STATUS_ACCOUNT_EXPIRED: _Advice("the account has expired", "set accountExpires later, or to 0"),
    NtStatus.STATUS_INVALID_LOGON_HOURS: _Advice(
        "logonHours do not allow this hour", "wait, or change logonHours; it counts in UTC"
    ),
    NtStatus.STATUS_INVALID_WORKSTATION: _Advice(
        "userWorkstations does not name the machine",
        "add its NetBIOS name to userWorkstations; clients that send none (MIT, Heimdal) are refused with it",
    ),
    NtStatus.STATUS_SMARTCARD_LOGON_REQUIRED: _Advice(
        "the account needs a smart card", "log on by a certificate (PKINIT), or clear SMARTCARD_REQUIRED"
    ),
    NtStatus.STATUS_PASSWORD_MUST_CHANGE: _Advice(
        "the password has to be changed first", "change it: kpasswd, or kinit asks for a new one"
    ),
    NtStatus.STATUS_PASSWORD_EXPIRED: _Advice(
        "the password is too old", "change it: kpasswd, or kinit asks for a new one"
    ),
    NtStatus.STATUS_ACCOUNT_RESTRICTION: _Advice(
        "an authentication policy or the Protected Users forbid it",
        "see msDS-AssignedAuthNPolicy of the account and of its silo, and its groups",
    ),
    NtStatus.STATUS_AUTHENTICATION_FIREWALL_FAILED: _Advice(
        "an authentication policy does not let this principal reach the service",
        "see msDS-AssignedAuthNPolicy of the service's account and of its silo",
    ),
}
_BY_CODE: Final[dict[KrbErrorCode, _Advice]] = {
    KrbErrorCode.KDC_ERR_C_PRINCIPAL_UNKNOWN: _BY_STATUS[NtStatus.STATUS_NO_SUCH_USER],
    KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN: _Advice(
        "no account answers to the service's name, or several do",
        "addc krb spns --duplicates; register the name on the service's account alone",
    ),
    KrbErrorCode.KDC_ERR_ETYPE_NOSUPP: _Advice(
        "client, account and service have no encryption type in common",
        "see msDS-SupportedEncryptionTypes; set the account's password anew where it has no AES keys",
    ),
    KrbErrorCode.KDC_ERR_SERVICE_REVOKED: _Advice("the service's account is disabled", "enable it"),
    KrbErrorCode.KDC_ERR_MUST_USE_USER2USER: _Advice(
        "the account has no servicePrincipalName", "register one, or let the client use user-to-user"
    ),
    KrbErrorCode.KDC_ERR_WRONG_REALM: _Advice("the name is another realm's", "ask that realm's KDC"),
    KrbErrorCode.KDC_ERR_BADOPTION: _Advice(
        "the request asks for what the ticket, or the delegation, does not allow",
        "see msDS-AllowedToDelegateTo of the service that delegates, and "
        "msDS-AllowedToActOnBehalfOfOtherIdentity of the one it asks for",
    ),
    KrbErrorCode.KDC_ERR_POLICY: _Advice(
        "a policy forbids it", "see authentication policies and silos, and the account's userWorkstations"
    ),
    KrbErrorCode.KDC_ERR_PREAUTH_REQUIRED: _Advice(
        "nothing proves the client: the account has no key that it could use", "set its password"
    ),
    KrbErrorCode.KDC_ERR_PADATA_TYPE_NOSUPP: _Advice("the KDC does not do this", "ask for something else"),
    KrbErrorCode.KDC_ERR_TGT_REVOKED: _Advice(
        "the ticket is not of the account that has the name now", "get a new ticket"
    ),
}
_UNKNOWN: Final = _Advice("the KDC's reason is its error code alone", "see the KDC's log and RFC 4120 7.5.9")


def advice(code: KrbErrorCode, status: NtStatus) -> tuple[str, str]:
    """Cause and next step of a refusal."""
    found = _BY_STATUS.get(status) or _BY_CODE.get(code) or _UNKNOWN
    return found.cause, found.next_step


def refused(fact: str, code: KrbErrorCode, status: NtStatus = NtStatus.STATUS_SUCCESS) -> Step:
    """A rule that stands in the way."""
    cause, next_step = advice(code, status)
    return Step(False, fact, cause, next_step)


def verdict(outcome: Outcome, granted: str) -> str:
    """What the KDC answers, as it says it. granted: what it gives where it does not refuse."""
    if outcome.error == KrbErrorCode.KDC_ERR_NONE:
        return granted
    status = "" if outcome.status == NtStatus.STATUS_SUCCESS else f", {outcome.status.name}"
    return f"refused: {outcome.error.name} ({int(outcome.error)}){status}"


# --- rules about a client ---


def client_steps(
    client: Principal, membership: Membership, machine: str | None, policy: KdcPolicy, now: FileTime
) -> tuple[Step, ...]:
    """Every rule that is about the account alone. machine: where it logs on, None where that is not said."""
    return (
        *_standing_steps(client.standing, now),
        *_logon_steps(client.standing, machine, now),
        _key_step(client, policy),
        *_armor_steps(client, policy),
        *_flag_steps(client),
        *_protection_steps(membership),
    )


def _judged(status: NtStatus | None, good: str, bad: str) -> Step:
    if status is None:
        return Step(True, good)
    return refused(bad, KrbErrorCode.KDC_ERR_CLIENT_REVOKED, status)


def _standing_steps(held: Standing, now: FileTime) -> Iterator[Step]:
    """One field at a time is shown to the rule that looks at all of them."""
    bare = Standing()
    yield _judged(
        logon_rules.account_refusal(replace(bare, disabled=held.disabled), now), "enabled", "disabled"
    )
    yield _judged(
        logon_rules.account_refusal(replace(bare, lockout_until=held.lockout_until), now),
        "not locked out",
        f"locked out until {time_text(held.lockout_until)}",
    )
    expires = held.account_expires
    yield _judged(
        logon_rules.account_refusal(replace(bare, account_expires=expires), now),
        "the account does not expire" if expires in (0, NEVER_FT) else f"expires {time_text(expires)}",
        f"expired {time_text(expires)}",
    )


def _logon_steps(held: Standing, machine: str | None, now: FileTime) -> Iterator[Step]:
    bare = Standing()
    hours = held.logon_hours
    yield _judged(
        logon_rules.logon_refusal(replace(bare, logon_hours=hours), now, None),
        "logon hours allow any time" if hours is None else f"logon hours allow {_hour_text(now)}",
        f"logon hours do not allow {_hour_text(now)}",
    )
    named = ", ".join(held.workstations)
    yield _judged(
        logon_rules.logon_refusal(replace(bare, workstations=held.workstations), now, machine or ""),
        f"may log on from {named or 'any workstation'}",
        f"may log on only from {named}, not from {machine or 'a client that does not name its machine'}",
    )
    yield _judged(
        logon_rules.logon_refusal(replace(bare, smartcard_required=held.smartcard_required), now, None),
        "needs no smart card",
        "needs a smart card",
    )
    expires = held.password_must_change
    yield _judged(
        logon_rules.password_refusal(replace(bare, password_must_change=expires), now),
        "the password does not expire"
        if expires == NEVER_FT
        else f"the password is good until {time_text(expires)}",
        "the password must be changed" if not expires else f"the password expired {time_text(expires)}",
    )


def _hour_text(now: FileTime) -> str:
    return f"{time_text(now)[11:13]}:00 UTC today"


def _key_step(client: Principal, policy: KdcPolicy) -> Step:
    held = ", ".join(etype_text(etype) for etype in by_strength(list(client.keys.current)))
    usable = by_strength([one for one in ETYPES_OFFERED if one in account_keys(client, policy)])
    if usable:
        names = ", ".join(map(etype_text, usable))
        return Step(True, f"keys that may be used: {names} (key version {client.keys.kvno})")
    fact = f"no key may be used (there are: {held or 'none'})"
    return refused(fact, KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)


def _armor_steps(client: Principal, policy: KdcPolicy) -> Iterator[Step]:
    if policy.require_fast and not client.is_machine:
        yield Step(
            False,
            "people log on in armor alone",
            "kdc_require_fast of config.json is true, and this request comes without",
            "log on in the machine's armor, as with kinit -T; or set kdc_require_fast to false",
        )


def _flag_steps(client: Principal) -> Iterator[Step]:
    if client.flags & UserAccountControl.UF_DONT_REQUIRE_PREAUTH:
        yield Step(True, "needs no pre-authentication: anybody gets what its password can be guessed from")
    if client.flags & UserAccountControl.UF_NOT_DELEGATED:
        yield Step(True, "sensitive, not to be delegated: its tickets are not forwardable")
    if client.flags & UserAccountControl.UF_TRUSTED_FOR_DELEGATION:
        yield Step(True, "trusted for unconstrained delegation")


def _protection_steps(membership: Membership) -> Iterator[Step]:
    if wellknown.RID_PROTECTED_USERS in membership.domain_rids:
        yield Step(
            True,
            "one of the Protected Users: AES alone, no NTLM, no delegation, tickets of four hours at most",
        )


# --- rules about a service ---


def server_steps(server: Principal | None, name: str, policy: KdcPolicy) -> Iterator[Step]:
    """Every rule that is about the service alone."""
    if server is None:
        yield refused(f"{name} leads to no account", KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN)
        return
    yield Step(True, f"{name} is {server.name}")
    try:
        check_server(server)
        yield Step(True, "the service's account is enabled and has service names")
    except KdcRefusal as refusal:
        yield refused(f"{server.name} cannot be a service", refusal.code, refusal.status)
    try:
        key = ticket_key(server, policy)
        yield Step(
            True, f"its tickets are encrypted with {etype_text(key.etype)}, version {server.keys.kvno}"
        )
    except KdcRefusal as refusal:
        yield refused(f"{server.name} has no key that may be used", refusal.code, refusal.status)
