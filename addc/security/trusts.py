"""Trusts between domains: what the numbers of a trusted domain object mean, and the keys in its secrets.

Spec: [MS-ADTS] 6.1.6.7.9, 6.1.6.7.12, 6.1.6.7.15, 6.1.6.9.1, [MS-KILE] 3.3.5.6.2, [MS-PAC] 4.1.2.2.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, IntFlag
from typing import Final

from addc.base.clock import HOUR_FT, FileTime
from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.codec.blobs import (
    TRUST_AUTH_TYPE_CLEAR,
    TRUST_AUTH_TYPE_NT4OWF,
    TRUST_AUTH_TYPE_VERSION,
    AuthInformation,
    TrustAuthInfo,
)
from addc.security import enctypes
from addc.security.krb_keys import Etype, Key, aes_sha1_keys, string_to_key


class TrustDirection(IntFlag):
    """trustDirection. INBOUND: the partner trusts this domain. OUTBOUND: this domain trusts the partner."""

    DISABLED = 0
    INBOUND = 1
    OUTBOUND = 2
    BOTH = 3


class TrustType(IntEnum):
    """trustType."""

    DOWNLEVEL = 1
    UPLEVEL = 2
    MIT = 3
    DCE = 4
    AAD = 5


class TrustAttributes(IntFlag):
    """trustAttributes."""

    NON_TRANSITIVE = 0x1
    UPLEVEL_ONLY = 0x2
    QUARANTINED_DOMAIN = 0x4
    FOREST_TRANSITIVE = 0x8
    CROSS_ORGANIZATION = 0x10
    WITHIN_FOREST = 0x20
    TREAT_AS_EXTERNAL = 0x40
    USES_RC4_ENCRYPTION = 0x80
    USES_AES_KEYS = 0x100
    NO_TGT_DELEGATION = 0x200
    PIM_TRUST = 0x400
    ENABLE_TGT_DELEGATION = 0x800
    DISABLE_AUTH_TARGET_VALIDATION = 0x1000


class Boundary(Enum):
    """How far what a trusted domain says of its users is believed. Spec: [MS-PAC] 4.1.2.2."""

    WITHIN_FOREST = 1
    QUARANTINED_WITHIN_FOREST = 2
    CROSS_FOREST = 3
    EXTERNAL = 4
    QUARANTINED_EXTERNAL = 5
    PRIVILEGED_IDENTITY = 6
    MIT = 7


_PIM: Final = int(TrustAttributes.PIM_TRUST | TrustAttributes.TREAT_AS_EXTERNAL)


def boundary(trust_type: int, attributes: int) -> Boundary:
    """The boundary that a trust is; quarantine is heeded before every relaxation."""
    quarantined = attributes & TrustAttributes.QUARANTINED_DOMAIN
    if trust_type == TrustType.MIT:
        return Boundary.MIT
    if attributes & TrustAttributes.WITHIN_FOREST:
        return Boundary.QUARANTINED_WITHIN_FOREST if quarantined else Boundary.WITHIN_FOREST
    if quarantined:
        return Boundary.QUARANTINED_EXTERNAL
    if not attributes & TrustAttributes.FOREST_TRANSITIVE:
        return Boundary.EXTERNAL
    if attributes & _PIM == _PIM:
        return Boundary.PRIVILEGED_IDENTITY
    if attributes & TrustAttributes.TREAT_AS_EXTERNAL:
        return Boundary.EXTERNAL
    return Boundary.CROSS_FOREST


# --- encryption types --------------------------------------------------------------------------------------


def trust_enctypes(supported: int | None, trust_type: int, attributes: int) -> int:
    """SupportedEncryption bits of a trust: AES unless it says otherwise; RC4 only where it is named.

    supported: msDS-SupportedEncryptionTypes of the trusted domain object, None where absent.
    Spec: [MS-ADTS] 6.1.6.7.9 (TARC), 6.1.6.9.1.2, W-TRUST-06.
    """
    bits = (supported or 0) & ~enctypes.DES
    if attributes & TrustAttributes.USES_AES_KEYS:
        bits |= enctypes.AES_SHA1
    if trust_type == TrustType.MIT and attributes & TrustAttributes.USES_RC4_ENCRYPTION:
        bits |= enctypes.RC4
    return bits if bits & enctypes.CIPHERS else bits | enctypes.AES_SHA1


# --- keys --------------------------------------------------------------------------------------------------

UNKNOWN_KVNO: Final = 255
"""What Windows sends where it knows of no version."""


def trust_salt(issuer: str, audience: str) -> bytes:
    """The salt of the keys of krbtgt/AUDIENCE@ISSUER: that principal's own, as every Kerberos makes it.

    Deviation: [MS-KILE] 3.3.5.6.2 prints the realms in the other order; MIT, Heimdal and Samba use this one.
    """
    return f"{issuer.upper()}krbtgt{audience.upper()}".encode()


@dataclass(frozen=True, slots=True)
class TrustSecret:
    """One secret of a trust. kvno: None where no VERSION entry tells. clear: UTF-16LE; nt_hash: stored so."""

    changed_ft: FileTime
    kvno: int | None
    clear: Secret | None
    nt_hash: Secret | None

    def keys(self, salt: bytes, supported: int) -> dict[int, Key]:
        """Keys by encryption type, strongest first; slow, not for every request."""
        found: dict[int, Key] = {}
        wanted = enctypes.etypes_of(supported)
        if self.clear is not None:
            if supported & enctypes.AES_SHA1:
                found = {int(key.etype): key for key in aes_sha1_keys(self.clear, salt)}
            return {etype: found.get(etype) or string_to_key(etype, self.clear, salt) for etype in wanted}
        if self.nt_hash is not None and supported & enctypes.RC4:
            return {int(Etype.RC4_HMAC): Key(Etype.RC4_HMAC, self.nt_hash.reveal())}
        return found


def _secret(group: tuple[AuthInformation, ...]) -> TrustSecret | None:
    clear = nt_hash = kvno = None
    changed = FileTime(0)
    for one in group:
        if one.auth_type == TRUST_AUTH_TYPE_CLEAR:
            clear, changed = Secret(one.auth_info), one.last_update_ft
        elif one.auth_type == TRUST_AUTH_TYPE_NT4OWF and len(one.auth_info) == 16:
            nt_hash, changed = Secret(one.auth_info), changed or one.last_update_ft
        elif one.auth_type == TRUST_AUTH_TYPE_VERSION and len(one.auth_info) >= 4:
            kvno = int.from_bytes(one.auth_info[:4], "little")
    if clear is None and nt_hash is None:
        return None
    return TrustSecret(changed, kvno, clear, nt_hash)


@dataclass(frozen=True, slots=True)
class TrustSecrets:
    """The secrets of one direction. previous: None where there was none, or the same."""

    current: TrustSecret
    previous: TrustSecret | None

    @classmethod
    def read(cls, value: bytes | None) -> "TrustSecrets | None":
        """What trustAuthIncoming or trustAuthOutgoing holds; None for nothing that makes a key."""
        if value is None:
            return None
        try:
            info = TrustAuthInfo.unpack(value)
        except DecodeError:
            return None
        current, previous = _secret(info.current), _secret(info.previous)
        if current is None:
            return None
        if previous is not None and (previous.clear, previous.nt_hash) == (current.clear, current.nt_hash):
            previous = None
        return cls(current, previous)

    def former_until_ft(self) -> int:
        """Till when tickets for the partner are made with the former key; 0 where there is none.

        Every DC of the partner has to hear of a change first. Spec: W-TRUST-06.
        """
        return 0 if self.previous is None else self.current.changed_ft + HOUR_FT

    def previous_kvno(self) -> int | None:
        """The version of the former secret: told, or one less."""
        if self.previous is not None and self.previous.kvno is not None:
            return self.previous.kvno
        return None if self.current.kvno is None else self.current.kvno - 1


def trust_auth_info(
    password: Secret, now: FileTime, kvno: int, before: TrustAuthInfo | None = None
) -> TrustAuthInfo:
    """The stored form of a new secret (UTF-16LE), with the present one of `before` as the previous.

    Spec: [MS-ADTS] 6.1.6.9.1 (a first secret is its own previous one).
    """
    current = (
        AuthInformation(now, TRUST_AUTH_TYPE_CLEAR, password.reveal()),
        AuthInformation(now, TRUST_AUTH_TYPE_VERSION, kvno.to_bytes(4, "little")),
    )
    old = before.current if before is not None else current
    if len(old) == len(current):
        return TrustAuthInfo(current, old)
    by_type = {one.auth_type: one for one in old}
    kept = [by_type[kind] for kind in (TRUST_AUTH_TYPE_CLEAR, TRUST_AUTH_TYPE_NT4OWF) if kind in by_type][:1]
    version = AuthInformation(now, TRUST_AUTH_TYPE_VERSION, max(kvno - 1, 0).to_bytes(4, "little"))
    return TrustAuthInfo(current, (*(kept or current[:1]), by_type.get(TRUST_AUTH_TYPE_VERSION, version)))
