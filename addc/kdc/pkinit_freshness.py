"""Freshness tokens: what a client signs to show that it has its private key now, not that it once had it.

A token is the time, encrypted with krbtgt's key: nothing is kept of it. Two zero octets stand before it.

Spec: RFC 8070 2, 4; the form and the errors as Windows' KDC has them.
"""

from typing import Final

from addc.base.clock import TICKS_PER_S, FileTime, micros, whole_seconds
from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.codec.krb5 import EncryptedData, PaEncTsEnc
from addc.codes.krb_error import KrbErrorCode
from addc.kdc.facts import KdcRefusal, Principal
from addc.kdc.policy import KdcPolicy, ticket_key
from addc.kdc.tickets import sealed
from addc.security.krb_keys import KeyUsage, decrypt

_HEAD: Final = bytes(2)
_USAGE: Final = int(KeyUsage.AS_FRESHNESS)


def make_token(krbtgt: Principal, policy: KdcPolicy, now: FileTime, rng: Rng) -> bytes:
    """A token of this moment."""
    stamp = PaEncTsEnc(whole_seconds(now), micros(now)).pack()
    return _HEAD + sealed(ticket_key(krbtgt, policy), _USAGE, stamp, rng, krbtgt.keys.kvno).pack()


def check_token(token: bytes, krbtgt: Principal, policy: KdcPolicy, now: FileTime) -> None:
    """Raise KdcRefusal for a token that is not this KDC's, or too old."""
    if token[:2] != _HEAD:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)
    try:
        data = EncryptedData.unpack(token[2:])
    except DecodeError:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED) from None
    key = krbtgt.keys.find(data.etype, data.kvno)
    if key is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_FAILED)
    try:
        stamp = PaEncTsEnc.unpack(decrypt(key, _USAGE, data.cipher))
    except DecodeError:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED) from None
    made = stamp.patimestamp + (stamp.pausec or 0) * (TICKS_PER_S // 1_000_000)
    if abs(now - made) > policy.max_clock_skew:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_EXPIRED)
