"""Keys of signed zones: their tags, their digests at the parent, and what a zone is signed with.

Spec: RFC 4034 2, 5.1.4, appendix B; RFC 4509 2.1, RFC 6605 2, RFC 7344 3 (CDS, CDNSKEY).
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from addc.codec.dns_data import DnskeyData, DsData
from addc.codec.dns_names import Name, fold, pack_name
from addc.codec.dns_rdata import DnsRecord, DnsType
from addc.codec.dns_wire import rdata_bytes
from addc.security.crypto.hashes import equal
from addc.security.crypto.zone_signatures import SigningKey

ZONE_FLAG: Final = 0x0100
"""The key signs a zone's records."""
REVOKE_FLAG: Final = 0x0080
SEP_FLAG: Final = 0x0001
"""A secure entry point: what a parent's DS names."""
PROTOCOL: Final = 3
DIGEST_SHA1: Final = 1
DIGEST_SHA256: Final = 2
DIGEST_SHA384: Final = 4
_DIGESTS: Final = {DIGEST_SHA1: "sha1", DIGEST_SHA256: "sha256", DIGEST_SHA384: "sha384"}


def key_tag(key: DnskeyData) -> int:
    """The number that signatures name a key by; not every key has one of its own. Spec: RFC 4034 B."""
    data = rdata_bytes(DnsType.DNSKEY, key)
    total = sum(data[1::2]) + (sum(data[::2]) << 8)
    return (total + (total >> 16)) & 0xFFFF


def is_digest_supported(digest_type: int) -> bool:
    """Whether a DS with this digest can be compared with keys."""
    return digest_type in _DIGESTS


def ds_of(owner: Name, key: DnskeyData, digest_type: int = DIGEST_SHA256) -> DsData:
    """The DS that a parent publishes for a key. Spec: RFC 4034 5.1.4."""
    digest = hashlib.new(_DIGESTS[digest_type], usedforsecurity=False)
    digest.update(pack_name(fold(owner)) + rdata_bytes(DnsType.DNSKEY, key))
    return DsData(key_tag(key), key.algorithm, digest_type, digest.digest())


def ds_matches(ds: DsData, owner: Name, key: DnskeyData) -> bool:
    """Whether a DS at `owner` means this key, which has to be a zone's that is not revoked."""
    if not is_zone_key(key) or ds.algorithm != key.algorithm or ds.digest_type not in _DIGESTS:
        return False
    return ds.key_tag == key_tag(key) and equal(ds_of(owner, key, ds.digest_type).digest, ds.digest)


def is_zone_key(key: DnskeyData) -> bool:
    """Whether a DNSKEY may have signed records. Spec: RFC 4034 2.1.1, 2.1.2, RFC 5011 2.1."""
    return key.flags & (ZONE_FLAG | REVOKE_FLAG) == ZONE_FLAG and key.protocol == PROTOCOL


@dataclass(frozen=True, slots=True)
class ZoneKey:
    """A published key of a zone that is signed here.

    pair: None of a key that signs nothing now. signs_keys: the DNSKEY, CDS and CDNSKEY records.
    signs_zone: all others. *_validity_s: how long its signatures last.
    """

    key: DnskeyData
    tag: int
    pair: SigningKey | None
    signs_keys: bool
    signs_zone: bool
    dnskey_validity_s: int
    ds_validity_s: int
    validity_s: int


@dataclass(frozen=True, slots=True, eq=False)
class ZoneSigning:
    """What a zone is signed with.

    apex: folded. salt, iterations: of its NSEC3. inception_offset_s: how long before now signatures begin.
    apex_records: DNSKEY, CDS, CDNSKEY and NSEC3PARAM, which stand in no node of the directory.
    """

    apex: Name
    keys: tuple[ZoneKey, ...]
    salt: bytes
    iterations: int
    inception_offset_s: int
    apex_records: tuple[DnsRecord, ...]
