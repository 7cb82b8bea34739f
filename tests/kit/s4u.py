"""What services send in the names of users: the padata of S4U2Self, the option and rights of S4U2Proxy."""

from typing import Final

from addc.codec.ids import Sid
from addc.codec.krb5 import (
    Checksum,
    PaData,
    PaForUser,
    PaPacOptions,
    PaS4uX509User,
    PrincipalName,
    S4uUserId,
)
from addc.codec.krb5_numbers import KdcOptions, PacOptions, PaType
from addc.security import sddl
from addc.security.crypto.hashes import insecure_md4
from addc.security.krb_keys import ETYPES, Key, KeyUsage, checksum

HMAC_MD5: Final = -138
RSA_MD4: Final = 2
REPLY_KEY_USAGE: Final = 0x2000_0000
S4U2PROXY: Final = int(KdcOptions.CNAME_IN_ADDL_TKT | KdcOptions.FORWARDABLE)
RBCD: Final = PaData(
    int(PaType.PA_PAC_OPTIONS), PaPacOptions(int(PacOptions.RESOURCE_BASED_CONSTRAINED_DELEGATION)).pack()
)


def pa_for_user(
    session: Key, name: PrincipalName, realm: str, cksumtype: int = HMAC_MD5, package: str = "Kerberos"
) -> PaData:
    """PA-FOR-USER. session: of the service's TGT."""
    data = name.name_type.to_bytes(4, "little", signed=True)
    data += "".join((*name.name_string, realm, package)).encode()
    cksum = Checksum(cksumtype, checksum(session, KeyUsage.KERB_NON_KERB_CKSUM_SALT, data, cksumtype))
    value = PaForUser(user_name=name, user_realm=realm, cksum=cksum, auth_package=package)
    return PaData(int(PaType.PA_FOR_USER), value.pack())


def pa_x509_user(
    key: Key,
    name: PrincipalName | None,
    realm: str,
    *,
    nonce: int = 42,
    certificate: bytes | None = None,
    options: int | None = REPLY_KEY_USAGE,
) -> PaData:
    """PA-S4U-X509-USER. key: the session key of the service's TGT, or the authenticator's subkey."""
    user = S4uUserId(nonce=nonce, cname=name, crealm=realm, subject_certificate=certificate, options=options)
    value = PaS4uX509User(user, _cksum(key, KeyUsage.PA_S4U_X509_USER_REQUEST, user.pack()))
    return PaData(int(PaType.PA_S4U_X509_USER), value.pack())


def reply_is_signed(key: Key, padata: bytes, usage: KeyUsage) -> bool:
    """Whether the PA-S4U-X509-USER of a reply has the right checksum."""
    value = PaS4uX509User.unpack(padata)
    return value.checksum == _cksum(key, usage, value.user_id.pack())


def _cksum(key: Key, usage: KeyUsage, data: bytes) -> Checksum:
    if ETYPES[key.etype].insecure:
        return Checksum(RSA_MD4, insecure_md4(data))
    kind = int(ETYPES[key.etype].cksumtype)
    return Checksum(kind, checksum(key, usage, data, kind))


def letting(*sids: Sid) -> bytes:
    """msDS-AllowedToActOnBehalfOfOtherIdentity as Windows' tools write it."""
    aces = "".join(f"(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;{sid})" for sid in sids)
    domain = Sid.parse("S-1-5-21-1-2-3")
    return sddl.parse(f"O:BAD:{aces}", domain, domain).pack()
