"""Signatures over record sets: their canonical bytes, made and verified.

Record data come as canonical bytes (dns_wire.canonical_rdata), names as labels in any case.
Spec: RFC 4034 3.1, 6; RFC 4035 2.2, 5.3; RFC 6840 4, 5; RFC 1982 (times).
"""

import struct
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.dns_data import DnskeyData, RrsigData
from addc.codec.dns_names import Name, fold, is_below, name_text, pack_name, parse_name
from addc.codec.dns_rdata import DnsType
from addc.codec.dns_wire import canonical_rdata
from addc.security.crypto import zone_signatures
from addc.security.crypto.zone_signatures import SigningKey
from addc.security.zone_keys import is_zone_key, key_tag

CLASS_IN: Final = 1
_HALF: Final = 1 << 31
_HEAD: Final = struct.Struct(">HHIH")
_WILD: Final = b"*"


def is_supported(algorithm: int) -> bool:
    """Whether its signatures can be verified; a zone signed by other algorithms alone counts as unsigned."""
    return zone_signatures.is_supported(algorithm)


def label_count(owner: Name) -> int:
    """The labels of an RRSIG's Labels field: without the root and without a leading asterisk."""
    return len(owner) - (1 if owner[:1] == (_WILD,) else 0)


def canonical_rrset(owner: Name, rtype: int, ttl_s: int, rdatas: Iterable[bytes]) -> bytes:
    """All records of a set as they are signed: sorted, each once. Spec: RFC 4034 6.2, 6.3."""
    head = pack_name(fold(owner)) + struct.pack(">HHI", rtype, CLASS_IN, ttl_s)
    return b"".join([head + len(one).to_bytes(2, "big") + one for one in sorted(set(rdatas))])


def _signed_bytes(rrsig: RrsigData, owner: Name, rdatas: Iterable[bytes]) -> bytes:
    """What a signature is over: its own data without the signature, and the set."""
    head = canonical_rdata(DnsType.RRSIG, replace(rrsig, signature=b""))
    return head + canonical_rrset(owner, rrsig.covered, rrsig.original_ttl_s, rdatas)


def sign_rrset(key: SigningKey, unsigned: RrsigData, owner: Name, rdatas: Iterable[bytes]) -> RrsigData:
    """`unsigned` with the signature of a set. Spec: RFC 4034 3.1.8.1."""
    return replace(unsigned, signature=key.sign(_signed_bytes(unsigned, owner, rdatas)))


def unsigned_rrsig(
    owner: Name, rtype: int, ttl_s: int, *, signer: Name, key: tuple[int, int], times: tuple[int, int]
) -> RrsigData:
    """An RRSIG without its signature. key: algorithm and tag. times: inception and expiration, since 1970."""
    algorithm, tag = key
    inception, expiration = (one & 0xFFFF_FFFF for one in times)
    return RrsigData(
        rtype, algorithm, label_count(owner), ttl_s, expiration, inception, tag, name_text(fold(signer)), b""
    )


def source_of(rrsig: RrsigData, owner: Name) -> Name | None:
    """The name that was signed: `owner`, or the wildcard that it came from; None for a damaged RRSIG."""
    count = label_count(owner)
    if rrsig.labels > count:
        return None
    if rrsig.labels == count:
        return owner
    return (_WILD, *owner[len(owner) - rrsig.labels :])


def is_current(rrsig: RrsigData, now_s: int, skew_s: int = 0) -> bool:
    """Whether it holds now. Spec: RFC 4034 3.1.5 (serial arithmetic)."""
    begun = (now_s + skew_s - rrsig.inception) & 0xFFFF_FFFF
    left = (rrsig.expiration + skew_s - now_s) & 0xFFFF_FFFF
    return begun < _HALF and left < _HALF


def may_sign(rrsig: RrsigData, key: DnskeyData) -> bool:
    """Whether an RRSIG names this key: by algorithm and tag, and the key may sign a zone."""
    return is_zone_key(key) and rrsig.algorithm == key.algorithm and rrsig.key_tag == key_tag(key)


def verify_rrset(
    rrsig: RrsigData, key: DnskeyData, owner: Name, rdatas: Iterable[bytes], *, now_s: int, skew_s: int = 0
) -> bool:
    """Whether a key of the zone `rrsig.signer` signed this set, and the signature holds now.

    The key's own authenticity, and for a set from a wildcard (`source_of`) the proof that the owner does not
    exist, are the caller's. Spec: RFC 4035 5.3.1, 5.3.3.
    """
    try:
        signer = fold(parse_name(rrsig.signer))
    except DecodeError:
        return False
    source = source_of(rrsig, owner)
    if source is None or not is_below(fold(owner), signer) or rrsig.labels < len(signer):
        return False
    if not may_sign(rrsig, key) or not is_current(rrsig, now_s, skew_s):
        return False
    data = _signed_bytes(rrsig, source, rdatas)
    return zone_signatures.verify(key.algorithm, key.key, rrsig.signature, data)
