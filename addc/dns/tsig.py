"""TSIG: who signed a message, and the signature that goes under ours.

A key is a shared secret (HMAC) or a GSS-API context that TKEY made. Bytes and times in, verdicts and bytes
out: the desk owns the keys and the clock.

Spec: RFC 8945 4, 5; RFC 3645 2.2, 3, 4; [MS-GSSA] 3.1.5.1
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from addc.base.errors import AddcError
from addc.base.secret import Secret
from addc.codec.dns_data import TsigData
from addc.codec.dns_message import CLASS_ANY, TsigRecord, with_tsig, without_tsig
from addc.codec.dns_names import Name, fold, pack_name, pack_text
from addc.codes.rcode import Rcode
from addc.security.crypto import hashes

FUDGE_S: Final = 300
"""By how much clocks may differ (RFC 8945 10)."""
MAC_MAX: Final = 4096
"""No GSS-API mechanism signs with more."""
UNSIGNED_MAX: Final = 99
"""Messages of a stream that may come unsigned before a signed one. Spec: RFC 8945 5.3.1."""
_MAC_TRUNCATED_MIN: Final = 10
_FIXED_SIZE: Final = 10 + 6 + 2 + 2 + 2 + 2 + 2 + 6
"""Type, class, TTL and size; time, fudge, MAC's size, original id, error, other's size; BADTIME's time."""
_GSS_MAC_SIZE: Final = 128
"""A MIC of Kerberos has 28 octets, one of RC4 37, one of NTLM 16."""
GSS_TSIG: Final = "gss-tsig"
GSS_MICROSOFT: Final = "gss.microsoft.com"
"""Windows 2000's name; its digests hold the request's MAC without its length."""
GSS_ALGORITHMS: Final = frozenset((GSS_TSIG, GSS_MICROSOFT))
"""Compared to the letter: Windows refuses other spellings."""


@dataclass(frozen=True, slots=True)
class _Hmac:
    """An algorithm: what makes the digest, and how many octets of it are shown. Spec: RFC 8945 6."""

    digest: Callable[[bytes, bytes], bytes]
    full_size: int
    size: int


_HMACS: Final = {
    "hmac-sha1": _Hmac(hashes.hmac_sha1, 20, 20),
    "hmac-sha224": _Hmac(hashes.hmac_sha224, 28, 28),
    "hmac-sha256": _Hmac(hashes.hmac_sha256, 32, 32),
    "hmac-sha256-128": _Hmac(hashes.hmac_sha256, 32, 16),
    "hmac-sha384": _Hmac(hashes.hmac_sha384, 48, 48),
    "hmac-sha384-192": _Hmac(hashes.hmac_sha384, 48, 24),
    "hmac-sha512": _Hmac(hashes.hmac_sha512, 64, 64),
    "hmac-sha512-256": _Hmac(hashes.hmac_sha512, 64, 32),
}
"""Not HMAC-MD5, which RFC 8945 6 says must not be used."""
HMAC_ALGORITHMS: Final = tuple(_HMACS)


class TsigError(AddcError):
    """A signature that does not hold, or is not there. error: as a TSIG record's error field says it."""

    def __init__(self, error: Rcode, why: str) -> None:
        super().__init__(f"TSIG: {why}")
        self.error = error


class TsigKey(Protocol):
    """What signs and verifies: HmacKey or GssKey.

    name: folded. algorithm: as replies show it. counts_mac: whether digests hold the size of the request's
    MAC before it (RFC 8945 4.3.1).
    """

    @property
    def name(self) -> Name: ...

    @property
    def algorithm(self) -> str: ...

    @property
    def counts_mac(self) -> bool: ...

    def takes(self, algorithm: str) -> bool:
        """Whether a record of this algorithm may be this key's."""

    def mac(self, data: bytes) -> bytes:
        """The signature of these octets."""

    def check(self, data: bytes, mac: bytes) -> Rcode:
        """NOERROR, BADSIG or BADTRUNC; FORMERR for a MAC of a size that cannot be."""


class HmacKey:
    """A shared secret. Spec: RFC 8945 6"""

    __slots__ = ("_hmac", "algorithm", "name", "secret")

    counts_mac = True

    def __init__(self, name: Name, algorithm: str, secret: Secret) -> None:
        """algorithm: one of HMAC_ALGORITHMS."""
        self.name = fold(name)
        self.algorithm = algorithm
        self._hmac = _HMACS[algorithm]
        self.secret = secret

    def takes(self, algorithm: str) -> bool:
        return algorithm.lower() == self.algorithm

    def mac(self, data: bytes) -> bytes:
        return self._hmac.digest(self.secret.reveal(), data)[: self._hmac.size]

    def check(self, data: bytes, mac: bytes) -> Rcode:
        """A MAC shorter than the algorithm's is refused even where it holds. Spec: RFC 8945 5.2.2.1, 5.2.4"""
        hmac = self._hmac
        if len(mac) > hmac.size or len(mac) < max(_MAC_TRUNCATED_MIN, hmac.full_size // 2):
            return Rcode.FORMERR
        if not hashes.equal(self.mac(data)[: len(mac)], mac):
            return Rcode.BADSIG
        return Rcode.NOERROR if len(mac) == hmac.size else Rcode.BADTRUNC


class GssKey:
    """A GSS-API context. Spec: RFC 3645 2.2"""

    __slots__ = ("_sign", "_verify", "algorithm", "counts_mac", "name")

    def __init__(
        self,
        name: Name,
        algorithm: str,
        sign: Callable[[bytes], bytes],
        verify: Callable[[bytes, bytes], bool],
    ) -> None:
        """sign: GSS_GetMIC. verify: GSS_VerifyMIC, of data and MIC."""
        self.name = fold(name)
        self.algorithm = algorithm
        self.counts_mac = algorithm != GSS_MICROSOFT
        self._sign = sign
        self._verify = verify

    def takes(self, algorithm: str) -> bool:
        """Either name goes with a context made under the other, as with Windows."""
        return algorithm in GSS_ALGORITHMS

    def mac(self, data: bytes) -> bytes:
        return self._sign(data)

    def check(self, data: bytes, mac: bytes) -> Rcode:
        if not mac or len(mac) > MAC_MAX:
            return Rcode.FORMERR
        return Rcode.NOERROR if self._verify(data, mac) else Rcode.BADSIG


@dataclass(frozen=True, slots=True)
class Signed:
    """A message with its TSIG record; `mac` goes into the digest of what answers it."""

    data: bytes
    mac: bytes


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a record says beside its MAC. request_mac: of the message that this one answers, b"" for none."""

    now_s: int
    request_mac: bytes = b""
    error: Rcode = Rcode.NOERROR
    other: bytes = b""
    fudge_s: int = FUDGE_S


def verify(data: bytes, record: TsigRecord, key: TsigKey, now_s: int, request_mac: bytes = b"") -> Rcode:
    """NOERROR, BADKEY, BADSIG, BADTIME or BADTRUNC, checked in this order; FORMERR for a MAC's size.

    request_mac: of the request, where `data` is the reply to it.
    Spec: RFC 8945 5.2, 5.3.2
    """
    said = record.data
    if fold(record.owner) != key.name or not key.takes(said.algorithm):
        return Rcode.BADKEY
    digested = (
        _prior(key, request_mac)
        + without_tsig(data, record)
        + _variables(key.name, said.algorithm, said.signed_at, said.fudge_s)
        + struct.pack("!HH", said.error, len(said.other))
        + said.other
    )
    return _timely(key.check(digested, said.mac), record, now_s)


def _timely(found: Rcode, record: TsigRecord, now_s: int) -> Rcode:
    """The time counts once the MAC holds, and before its truncation. Spec: RFC 8945 5.2.3, 5.2.4"""
    holds = found in (Rcode.NOERROR, Rcode.BADTRUNC)
    if holds and abs(now_s - record.data.signed_at) > record.data.fudge_s:
        return Rcode.BADTIME
    return found


def sign(data: bytes, key: TsigKey, stamp: Stamp) -> Signed:
    """`data` with a signature. Spec: RFC 8945 5.1, 5.3"""
    digested = (
        _prior(key, stamp.request_mac)
        + data
        + _variables(key.name, key.algorithm, stamp.now_s, stamp.fudge_s)
        + struct.pack("!HH", stamp.error, len(stamp.other))
        + stamp.other
    )
    mac = key.mac(digested)
    return Signed(_with_record(data, key.name, key.algorithm, stamp, mac), mac)


def sign_request(data: bytes, key: TsigKey, now_s: int) -> Signed:
    """A client's request with its signature."""
    return sign(data, key, Stamp(now_s))


def without_signature(data: bytes, record: TsigRecord, error: Rcode) -> bytes:
    """A reply with a record that says what was wrong, and no MAC: BADKEY and BADSIG. Spec: RFC 8945 5.3.2"""
    stamp = Stamp(record.data.signed_at, error=error, fudge_s=record.data.fudge_s)
    return _with_record(data, record.owner, record.data.algorithm, stamp, b"")


def bad_time(data: bytes, record: TsigRecord, key: TsigKey, now_s: int) -> Signed:
    """A reply that says the server's time, signed for the time that the client believes in.

    Spec: RFC 8945 5.2.3
    """
    other = now_s.to_bytes(6, "big")
    stamp = Stamp(record.data.signed_at, record.data.mac, Rcode.BADTIME, other, record.data.fudge_s)
    return sign(data, key, stamp)


def room_for(key: TsigKey) -> int:
    """How many octets a record of this key may take in a message."""
    mac_size = _GSS_MAC_SIZE if isinstance(key, GssKey) else len(key.mac(b""))
    return len(pack_name(key.name)) + len(pack_text(key.algorithm)) + _FIXED_SIZE + mac_size


class StreamSigner:
    """Signs the messages of one reply of many. Spec: RFC 8945 5.3.1"""

    __slots__ = ("_between", "_first", "_key", "_prior")

    def __init__(self, key: TsigKey, request_mac: bytes) -> None:
        self._key = key
        self._prior = request_mac
        self._first = True
        self._between = b""

    def pass_unsigned(self, data: bytes) -> None:
        """A message that goes out unsigned; the next signature covers it too."""
        assert not self._first
        self._between += data

    def sign(self, data: bytes, now_s: int) -> bytes:
        """The next message, signed."""
        if self._first:
            self._first = False
            signed = sign(data, self._key, Stamp(now_s, self._prior))
            self._prior = signed.mac
            return signed.data
        digested = _sized(self._prior) + self._between + data + _timers(now_s, FUDGE_S)
        self._prior, self._between = self._key.mac(digested), b""
        return _with_record(data, self._key.name, self._key.algorithm, Stamp(now_s), self._prior)


class ReplyStream:
    """Verifies the messages of a reply of one or many. Spec: RFC 8945 5.3.1, 5.4"""

    __slots__ = ("_key", "_prior", "_started", "_unsigned", "_unsigned_count")

    def __init__(self, key: TsigKey, request_mac: bytes) -> None:
        self._key = key
        self._prior = request_mac
        self._started = False
        self._unsigned: list[bytes] = []
        self._unsigned_count = 0

    def take(self, data: bytes, record: TsigRecord | None, now_s: int) -> None:
        """One message as it came. record: its TSIG, None where it has none. Raises TsigError."""
        if record is None:
            self._take_unsigned(data)
            return
        if record.data.error:
            raise TsigError(Rcode(record.data.error), f"the server says {Rcode(record.data.error).name}")
        if not self._started:
            found = verify(data, record, self._key, now_s, self._prior)
        else:
            found = self._verify_later(data, record, now_s)
        if found is not Rcode.NOERROR:
            raise TsigError(found, f"a reply's signature does not hold: {found.name}")
        self._started, self._prior, self._unsigned_count = True, record.data.mac, 0
        self._unsigned.clear()

    def _take_unsigned(self, data: bytes) -> None:
        self._unsigned_count += 1
        if not self._started or self._unsigned_count > UNSIGNED_MAX:
            raise TsigError(Rcode.FORMERR, "a reply without its signature")
        self._unsigned.append(data)

    def _verify_later(self, data: bytes, record: TsigRecord, now_s: int) -> Rcode:
        said = record.data
        if fold(record.owner) != self._key.name or not self._key.takes(said.algorithm):
            return Rcode.BADKEY
        between = b"".join(self._unsigned)
        digested = _sized(self._prior) + between + without_tsig(data, record)
        return _timely(
            self._key.check(digested + _timers(said.signed_at, said.fudge_s), said.mac), record, now_s
        )

    def end(self) -> None:
        """The last message has come. Raises TsigError where it was not signed."""
        if not self._started or self._unsigned:
            raise TsigError(Rcode.FORMERR, "the end of a reply is not signed")


def _prior(key: TsigKey, mac: bytes) -> bytes:
    """What a digest holds of the request; nothing at all where the request was not signed.

    Deviation: RFC 8945 4.3.1 may be read to want a size of zero there; [MS-GSSA] 3.1.5.1 says no.
    """
    if not mac:
        return b""
    return _sized(mac) if key.counts_mac else mac


def _sized(mac: bytes) -> bytes:
    return len(mac).to_bytes(2, "big") + mac


def _timers(time_signed: int, fudge_s: int) -> bytes:
    return time_signed.to_bytes(6, "big") + fudge_s.to_bytes(2, "big")


def _variables(name: Name, algorithm: str, time_signed: int, fudge_s: int) -> bytes:
    """TSIG variables up to the error. Spec: RFC 8945 4.3.3"""
    return (
        pack_name(name)
        + struct.pack("!HI", CLASS_ANY, 0)
        + pack_text(algorithm.lower())
        + _timers(time_signed, fudge_s)
    )


def _with_record(data: bytes, owner: Name, algorithm: str, stamp: Stamp, mac: bytes) -> bytes:
    """The message and its record, whose names are never compressed ([MS-GSSA] 3.1.5.4)."""
    number = int.from_bytes(data[:2], "big")
    said = TsigData(algorithm, stamp.now_s, stamp.fudge_s, mac, number, stamp.error, stamp.other)
    return with_tsig(data, owner, said)
