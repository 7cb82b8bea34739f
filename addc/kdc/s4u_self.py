"""S4U2Self: a service asks for a ticket to itself in the name of a user who never came to the KDC.

Whoever has an SPN may ask. What comes out tells the service the user's groups; whether it may be passed on
is the forwardable flag's business, and a ticket to itself is no proof to anyone else.

Spec: [MS-SFU] 2.2.1, 2.2.2, 3.2.5.1.
"""

from functools import lru_cache
from hmac import compare_digest
from typing import Final

from addc.base.clock import FileTime, whole_seconds
from addc.base.errors import DecodeError
from addc.base.same import Same
from addc.codec.krb5 import (
    Checksum,
    PaData,
    PaForUser,
    PaS4uX509User,
    PrincipalName,
    S4uUserId,
    s4u_user_id_bytes,
)
from addc.codec.krb5_numbers import NameType, PaType, S4uOptions
from addc.codec.pac import Pac
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc import tickets
from addc.kdc.facts import (
    ForUser,
    Impersonated,
    KdcRefusal,
    OpenedTgs,
    OpenedTicket,
    Principal,
    RealmFacts,
    TgsFacts,
    TgsRequest,
)
from addc.kdc.pac_build import PacParts
from addc.kdc.padata import find_padata
from addc.kdc.policy import check_hours, check_standing
from addc.kdc.subject import Subject
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.security.crypto import certificate, trust_chain
from addc.security.crypto.hashes import insecure_md4
from addc.security.crypto.trust_chain import BadChain, TrustStore
from addc.security.krb_keys import ETYPES, Etype, Key, KeyUsage, checksum, is_keyed, verify_checksum

_FOR_USER: Final = int(PaType.PA_FOR_USER)
_X509_USER: Final = int(PaType.PA_S4U_X509_USER)
_RSA_MD4: Final = 2
_RC4: Final = int(Etype.RC4_HMAC)
_ENTERPRISE: Final = int(NameType.KRB_NT_ENTERPRISE)
_CHAIN_IS_CHECKED: Final = int(S4uOptions.NT_AUTH_POLICY_NOT_REQUIRED)
_CHECK_HOURS: Final = int(S4uOptions.CHECK_LOGON_HOURS)
_REPLY_USAGE: Final = int(S4uOptions.USE_REPLY_KEY_USAGE)
_UNCONDITIONAL: Final = int(S4uOptions.UNCONDITIONAL_DELEGATION)
_NOT_DELEGATED: Final = int(UserAccountControl.UF_NOT_DELEGATED)
_TO_AUTH: Final = int(UserAccountControl.UF_TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION)
_ASSERTED: Final = (wellknown.SERVICE_ASSERTED_IDENTITY,)


# --- what the request says ---


def for_user(request: TgsRequest, tgt: OpenedTicket, subkey: Key | None) -> ForUser | None:
    """Whom an S4U2Self request names, its checksum verified; None for other requests.

    PA-S4U-X509-USER counts where both are there ([MS-SFU] 6 note 4). Raises DecodeError.
    """
    padata = request.message.padata
    value = find_padata(padata, _X509_USER)
    if value is not None:
        return _of_x509_user(value, request.message.req_body.nonce, tgt.session, subkey)
    value = find_padata(padata, _FOR_USER)
    return None if value is None else _of_for_user(PaForUser.unpack(value), tgt.session)


def for_user_bytes(name: PrincipalName, realm: str, package: str) -> bytes:
    """S4UByteArray, which the checksum of PA-FOR-USER covers. Spec: [MS-SFU] 2.2.1."""
    parts = (*name.name_string, realm, package)
    kind = (name.name_type & 0xFFFF_FFFF).to_bytes(4, "little")
    return kind + b"".join(part.encode("utf-8", "surrogateescape") for part in parts)


def _of_for_user(value: PaForUser, session: Key) -> ForUser:
    """Its checksum is HMAC-MD5 whatever the session key is; a keyed one of that key's own type will do."""
    cksum = value.cksum
    if not is_keyed(cksum.cksumtype):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_INAPP_CKSUM)
    data = for_user_bytes(value.user_name, value.user_realm, value.auth_package)
    if not _holds(session, KeyUsage.KERB_NON_KERB_CKSUM_SALT, data, cksum):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)
    if value.auth_package.lower() != "kerberos":
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PADATA_TYPE_NOSUPP)
    return ForUser(_named(value.user_name), value.user_realm)


def _of_x509_user(value: bytes, nonce: int, session: Key, subkey: Key | None) -> ForUser:
    """Signed with the session key, as the document says, or with the subkey, as MIT's clients do."""
    found = PaS4uX509User.unpack(value)
    user, cksum = found.user_id, found.checksum
    # Who asks to act as a delegated account gives a nonce of his own: so do clients that Windows answers.
    if user.nonce != nonce and not (user.options or 0) & _UNCONDITIONAL:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)
    data = s4u_user_id_bytes(value)
    keys = (session,) if subkey is None else (subkey, session)
    key = next((one for one in keys if _signs(one, data, cksum)), None)
    if key is None:
        unkeyed = not is_keyed(cksum.cksumtype)
        code = KrbErrorCode.KRB_AP_ERR_INAPP_CKSUM if unkeyed else KrbErrorCode.KRB_AP_ERR_MODIFIED
        raise KdcRefusal(code)
    cname = _named(user.cname) if user.cname is not None else None
    if cname is None and not user.subject_certificate:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_C_PRINCIPAL_UNKNOWN)
    return ForUser(cname, user.crealm, user.subject_certificate or None, user.options or 0, cksum, key)


def _signs(key: Key, data: bytes, cksum: Checksum) -> bool:
    """RC4 has MD4 without a key for this; the reply's encrypted part confirms what the KDC saw."""
    if key.etype == _RC4 and cksum.cksumtype == _RSA_MD4:
        return compare_digest(cksum.checksum, insecure_md4(data))
    return is_keyed(cksum.cksumtype) and _holds(key, KeyUsage.PA_S4U_X509_USER_REQUEST, data, cksum)


def _holds(key: Key, usage: KeyUsage, data: bytes, cksum: Checksum) -> bool:
    try:
        return verify_checksum(key, int(usage), data, cksum.cksumtype, cksum.checksum)
    except DecodeError:
        return False


def _named(name: PrincipalName) -> PrincipalName | None:
    return name if any(name.name_string) else None


# --- the decision ---


def impersonation(opened: OpenedTgs, facts: TgsFacts, now: FileTime) -> Subject:
    """The subject of an S4U2Self ticket; the requester's own ticket has been checked.

    Spec: [MS-SFU] 3.2.5.1.2.
    """
    service, server = facts.client, facts.server
    assert service is not None and server is not None
    user, cname, pac = impersonated(opened, facts, now)
    if server.sid != service.sid:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADMATCH)
    part = opened.tgt.part
    forwardable = not is_sensitive(user) and may_be_forwardable(service)
    reply, confirmed = reply_padata(opened, cname, facts.realm.realm)
    return Subject(
        crealm=facts.realm.realm,
        cname=cname,
        flags=part.flags if forwardable else part.flags & ~tickets.FORWARDABLE,
        authtime=part.authtime,
        starttime=part.starttime or part.authtime,
        endtime=_until(part.endtime, user),
        renew_till=part.renew_till,
        caddr=part.caddr,
        pac=pac,
        principal=user.principal,
        resource_rids=user.membership.resource_rids,
        needs_pac=True,
        padata=reply,
        encrypted_padata=confirmed,
    )


def _until(end: FileTime, user: Impersonated) -> FileTime:
    """`end`, unless one of the user's memberships ends before."""
    until = user.membership.until
    return end if until is None else min(end, whole_seconds(until))


def impersonated(
    opened: OpenedTgs, facts: TgsFacts, now: FileTime
) -> tuple[Impersonated, PrincipalName, Pac]:
    """The user of this realm that is asked for, under which name, with which PAC. Raises KdcRefusal."""
    wanted, user = opened.for_user, facts.user
    assert wanted is not None
    if user is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_C_PRINCIPAL_UNKNOWN)
    if wanted.certificate is not None and not wanted.options & _CHAIN_IS_CHECKED:
        _check_chain(wanted.certificate, facts.authorities, now)
    check_standing(user.principal, now)
    if wanted.options & _CHECK_HOURS:
        check_hours(user.principal, now)
    cname = _reply_name(wanted, user.principal)
    return user, cname, _pac_of(user, facts.realm, str(cname), opened.tgt.part.authtime, now)


def _check_chain(der: bytes, authorities: TrustStore | None, now: FileTime) -> None:
    """Refuse a certificate that no authority for logons stands behind.

    It proves nothing of the user, who is not asked here; but the service may take it for a good one.
    Spec: [MS-SFU] 2.2.2 (KERB_S4U_OPTIONS_nt_auth_policy_not_required).
    """
    try:
        trust_chain.check(certificate.read(der), authorities or TrustStore(), now, strict=False)
    except BadChain:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_C_PRINCIPAL_UNKNOWN, NtStatus.STATUS_NO_SUCH_USER) from None


def is_sensitive(user: Impersonated) -> bool:
    """Whether the user must not be delegated: "sensitive", or one of the Protected Users."""
    flagged = user.principal.flags & _NOT_DELEGATED
    return bool(flagged) or wellknown.RID_PROTECTED_USERS in user.membership.domain_rids


def may_be_forwardable(service: Principal) -> bool:
    """Whether its ticket to itself may serve as evidence in S4U2Proxy.

    A service that delegates to listed SPNs needs the right of protocol transition; one that lists none can
    only go where the other side lets it, and that side decides again.
    """
    return bool(service.flags & _TO_AUTH) or not service.delegate_to


def _reply_name(wanted: ForUser, user: Principal) -> PrincipalName:
    """As it was asked for; the account's own name where that was a UPN or a certificate."""
    name = wanted.cname
    if name is None or wanted.certificate is not None or name.name_type == _ENTERPRISE:
        return PrincipalName(int(NameType.KRB_NT_PRINCIPAL), (user.name,))
    return name


def _pac_of(user: Impersonated, realm: RealmFacts, cname: str, authtime: FileTime, now: FileTime) -> Pac:
    """The clock goes into it for users with logon hours alone; for others it stays what it is."""
    if user.principal.standing.logon_hours is None:
        return _standing_pac(user, Same(realm), cname, authtime)
    return _pac(user, realm, cname, authtime, now)


@lru_cache(maxsize=512)
def _standing_pac(user: Impersonated, realm: Same[RealmFacts], cname: str, authtime: FileTime) -> Pac:
    """Built once for the questions of a service that keeps coming."""
    return _pac(user, realm.value, cname, authtime, authtime)


def _pac(user: Impersonated, realm: RealmFacts, cname: str, authtime: FileTime, now: FileTime) -> Pac:
    """The PAC of a logon, but for who asserts the identity."""
    parts = PacParts(user.principal, user.membership, realm, cname, None, _ASSERTED)
    return Pac(tuple(parts.buffers(authtime, now, for_tgt=True)))


def reply_padata(
    opened: OpenedTgs, cname: PrincipalName, realm: str
) -> tuple[tuple[PaData, ...], tuple[PaData, ...]]:
    """PA-S4U-X509-USER of the reply, and of its encrypted part. Spec: [MS-SFU] 2.2.2, 3.2.5.1.2."""
    wanted = opened.for_user
    assert wanted is not None
    key, asked = wanted.key, wanted.checksum
    if key is None or asked is None:
        return (), ()
    options = wanted.options & _REPLY_USAGE
    usage = KeyUsage.PA_S4U_X509_USER_REPLY if options else KeyUsage.PA_S4U_X509_USER_REQUEST
    nonce = opened.request.message.req_body.nonce
    user = S4uUserId(nonce=nonce, cname=cname, crealm=realm, options=options)
    if asked.cksumtype == _RSA_MD4:
        cksum = Checksum(_RSA_MD4, insecure_md4(user.pack()))
    else:
        cksum = Checksum(asked.cksumtype, checksum(key, int(usage), user.pack(), asked.cksumtype))
    reply = PaData(_X509_USER, PaS4uX509User(user, cksum).pack())
    if not ETYPES[key.etype].insecure:
        return (reply,), ()
    return (reply,), (PaData(_X509_USER, asked.checksum + cksum.checksum),)
