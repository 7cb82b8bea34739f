"""The KDC's configuration, and the rules that follow from it: lifetimes, encryption types, account policy.

Spec: [MS-KILE] 3.3.1, 3.3.5.6.3, 3.3.5.7.1, 3.1.5.2; RFC 4120 3.1.3, 3.3.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.base.clock import DAY_FT, HOUR_FT, MINUTE_FT, UNIX_EPOCH_FT, FileTime
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import KdcRefusal, Principal
from addc.kdc.pkinit_facts import PkinitPolicy
from addc.security import enctypes, logon_rules
from addc.security.account_flags import UserAccountControl
from addc.security.enctypes import SupportedEncryption
from addc.security.krb_keys import ETYPES, Etype, Key

DEFAULT_DOMAIN_ENCTYPES: Final = enctypes.AES_SHA1
"""What an account without msDS-SupportedEncryptionTypes supports: AES only, as Windows since July 2026."""

_STRENGTH: Final = {18: 0, 20: 0, 17: 1, 19: 1, 23: 2}
_BIT: Final = {
    17: int(SupportedEncryption.AES128_SHA1),
    18: int(SupportedEncryption.AES256_SHA1),
    19: int(SupportedEncryption.AES128_SHA1 | SupportedEncryption.AES128_SHA2),
    20: int(SupportedEncryption.AES256_SHA1 | SupportedEncryption.AES256_SHA2),
    23: int(SupportedEncryption.RC4_HMAC),
}
_AES_SK_BIT: Final = int(SupportedEncryption.AES256_SHA1_SK)
_AES_BITS: Final = enctypes.AES_SHA1 | enctypes.AES_SHA2
_RC4: Final = int(Etype.RC4_HMAC)
_DISABLED: Final = int(UserAccountControl.UF_ACCOUNTDISABLE)


@dataclass(frozen=True, slots=True)
class KdcPolicy:
    """Kerberos policy of the domain; all times in 100 ns.

    validate_client_after: age of a TGT from which its client's account is looked at again.
    default_enctypes: SupportedEncryption of accounts that have none of their own.
    require_fast: people's AS requests without armor are refused ([MS-KILE] 3.3.5.1).
    pkinit: None where there is no certificate of the KDC.
    """

    max_ticket_age: int = 10 * HOUR_FT
    max_service_ticket_age: int = 10 * HOUR_FT
    max_renew_age: int = 7 * DAY_FT
    max_clock_skew: int = 5 * MINUTE_FT
    validate_client: bool = True
    validate_client_after: int = 20 * MINUTE_FT
    default_enctypes: int = DEFAULT_DOMAIN_ENCTYPES
    require_fast: bool = False
    pkinit: PkinitPolicy | None = None


PROTECTED_USERS_AGE: Final = 4 * HOUR_FT
CHANGE_PASSWORD_AGE: Final = 2 * MINUTE_FT
"""How long a ticket for krbtgt by another name is good (kadmin/changepw). Its name stands outside what the
key protects: so none that has no more than this left is taken for a TGT (CVE-2022-2031)."""


def supported(principal: Principal, policy: KdcPolicy) -> int:
    """SupportedEncryption bits of an account; krbtgt and DCs always have AES, DES is never supported.

    The domain's default is for accounts that say nothing: one that lists other things alone has no type.
    """
    bits = (principal.supported_enctypes or policy.default_enctypes) & ~enctypes.DES
    if principal.is_krbtgt or principal.is_dc:
        bits |= DEFAULT_DOMAIN_ENCTYPES
    return bits


def lists_rc4(principal: Principal, policy: KdcPolicy) -> bool:
    return bool(supported(principal, policy) & enctypes.RC4)


def by_strength(etypes: Sequence[int]) -> list[int]:
    """Encryption types that work here, strongest first, equal ones in the order given."""
    return sorted(_known(etypes), key=_STRENGTH.__getitem__)


def _known(etypes: Sequence[int]) -> list[int]:
    return [etype for etype in dict.fromkeys(etypes) if etype in _STRENGTH]


def account_keys(principal: Principal, policy: KdcPolicy) -> dict[int, Key]:
    """The keys of an account that its msDS-SupportedEncryptionTypes lets be used; the default for none."""
    bits = supported(principal, policy)
    if not bits & enctypes.CIPHERS:
        bits |= policy.default_enctypes & ~enctypes.DES
    return {etype: key for etype, key in principal.keys.current.items() if bits & _BIT.get(etype, 0)}


def ticket_key(server: Principal, policy: KdcPolicy) -> Key:
    """The key that a service's tickets are encrypted with: the strongest, whatever the client can do.

    SHA-2 keys only where the account says so: a service that was never asked may not know them.
    """
    keys = server.keys.current
    for etype in enctypes.etypes_of(supported(server, policy)):
        if etype in keys:
            return keys[etype]
    raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)


def session_etype(asked: Sequence[int], server: Principal, policy: KdcPolicy, rc4_allowed: bool) -> int:
    """Encryption type of a new session key: the client's first choice that the service can use.

    rc4_allowed: whether the other party's account lists RC4 by itself. AES256-CTS-HMAC-SHA1-96-SK takes AES
    wherever the client knows it, and stands for no key of the service.
    Spec: RFC 4120 3.1.3, [MS-KILE] 2.2.7.
    """
    bits = supported(server, policy)
    if not bits & enctypes.CIPHERS:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)
    aes = bits & (_AES_BITS | _AES_SK_BIT)
    rc4 = bits & enctypes.RC4 or rc4_allowed
    known = _known(asked)
    if bits & _AES_SK_BIT:
        known.sort(key=_RC4.__eq__)  # RC4 last, the others as they were
    for etype in known:
        if etype == _RC4:
            if rc4:
                return etype
        elif etype in (17, 18):
            if aes:
                return etype
        elif server.is_krbtgt or bits & _BIT[etype] & enctypes.AES_SHA2:
            return etype
    raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)


def new_session_key(etype: int, seed: bytes) -> Key:
    """A session key from random bytes, as many as its type has."""
    return Key(etype, seed[: ETYPES[etype].key_size])


_REVOKED: Final = KrbErrorCode.KDC_ERR_CLIENT_REVOKED
_CODES: Final = {
    NtStatus.STATUS_ACCOUNT_DISABLED: _REVOKED,
    NtStatus.STATUS_ACCOUNT_LOCKED_OUT: _REVOKED,
    NtStatus.STATUS_ACCOUNT_EXPIRED: _REVOKED,
    NtStatus.STATUS_INVALID_LOGON_HOURS: _REVOKED,
    NtStatus.STATUS_INVALID_WORKSTATION: KrbErrorCode.KDC_ERR_POLICY,
    NtStatus.STATUS_SMARTCARD_LOGON_REQUIRED: KrbErrorCode.KDC_ERR_POLICY,
    NtStatus.STATUS_PASSWORD_MUST_CHANGE: KrbErrorCode.KDC_ERR_KEY_EXPIRED,
    NtStatus.STATUS_PASSWORD_EXPIRED: KrbErrorCode.KDC_ERR_KEY_EXPIRED,
}


def _refuse(status: NtStatus | None) -> None:
    if status is not None:
        raise KdcRefusal(_CODES[status], status)


def check_clock(when: FileTime, policy: KdcPolicy, now: FileTime) -> None:
    """Refuse a client whose clock is too far off."""
    if abs(when - now) > policy.max_clock_skew:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_SKEW)


def check_standing(client: Principal, now: FileTime) -> None:
    """Refuse an account that is disabled, locked out or expired ([MS-KILE] 3.3.5.6.3, 3.3.5.7.1)."""
    _refuse(logon_rules.account_refusal(client.standing, now))


def check_hours(client: Principal, now: FileTime) -> None:
    """Refuse a ticket outside logonHours."""
    if not logon_rules.within_logon_hours(client.standing.logon_hours, now):
        _refuse(NtStatus.STATUS_INVALID_LOGON_HOURS)


def check_password_age(client: Principal, now: FileTime) -> None:
    """Refuse an account whose password is to be changed first."""
    _refuse(logon_rules.password_refusal(client.standing, now))


def check_logon(
    client: Principal,
    workstation: str,
    is_password_change: bool,
    now: FileTime,
    *,
    by_password: bool = True,
) -> None:
    """What is looked at once the client proved itself: hours, workstations, smart card, password's age.

    workstation: NetBIOS name from the request's addresses; "" does not satisfy userWorkstations.
    is_password_change: the ticket is for kadmin/changepw, which an expired password may still get.
    by_password: accounts that need a smart card are refused; not so with a certificate.
    """
    standing = client.standing if by_password else replace(client.standing, smartcard_required=False)
    _refuse(logon_rules.logon_refusal(standing, now, workstation))
    if not is_password_change:
        check_password_age(client, now)


def check_server(server: Principal) -> None:
    """Whether tickets for this account are issued at all."""
    if server.flags & _DISABLED and not server.is_krbtgt:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_SERVICE_REVOKED)
    if not server.has_spn and not server.is_krbtgt:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_MUST_USE_USER2USER)


def end_of_ticket(till: int, limit: int, now: FileTime) -> FileTime:
    """endtime: what was asked for, at most `limit`. A `till` of 1970 or before asks for the most there is."""
    end = limit if till <= UNIX_EPOCH_FT else min(till, limit)
    if end <= now:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_NEVER_VALID)
    return FileTime(end)
