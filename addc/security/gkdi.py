"""The key maths of group key distribution: from a root key to the keys of one span of ten hours.

A root key gives an L0 key for 1,024 spans; for one security descriptor that gives 32 L1 keys, newest first,
each of which gives 32 L2 keys, newest first: who holds a key can make all older ones and none that is newer.

Spec: [MS-GKDI] 3.1.4.1.2, 3.2.4.3, [MS-ADTS] 3.1.1.4.5.39.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from addc.base.clock import FileTime
from addc.base.errors import AddcError, DecodeError
from addc.base.secret import Secret
from addc.codec.gkdi_blobs import EcdhKey, FfcDhKey, FfcDhParameters, GroupKeyEnvelope, KdfParameters
from addc.codec.ids import Sid
from addc.security.crypto import dh
from addc.security.crypto.kdf import sp800_108_counter

KEY_CYCLE_FT: Final = 360_000_000_000
"""Ten hours: the life of one L2 key."""
MAX_CLOCK_SKEW_FT: Final = 3_000_000_000
"""Five minutes."""
KEY_SIZE: Final = 64
KEYS_PER_LEVEL: Final = 32
KDF_ALGORITHM: Final = "SP800_108_CTR_HMAC"
DEFAULT_HASH: Final = "SHA512"
DEFAULT_AGREEMENT: Final = "DH"
"""Over a finite field."""
DEFAULT_PUBLIC_BITS: Final = 2048
DEFAULT_PRIVATE_BITS: Final = 512
"""Windows' value; [MS-GKDI] 3.1.4.1.1 says 256."""

GMSA_DESCRIPTOR: Final = bytes.fromhex(
    "01000480300000000000000000000000140000000200"
    "1c000100000000001400"
    "9f011200010100000000000509000000"
    "010100000000000512000000"
)
"""O:SYD:(A;;FRFW;;;ED): whose keys managed passwords are made of. Spec: [MS-ADTS] 3.1.1.4.5.39."""
PASSWORD_SIZE: Final = 256
"""Bytes of a managed password, without the NUL at its end."""

_LABEL: Final = "KDS service\0".encode("utf-16-le")
_PASSWORD_LABEL: Final = "GMSA PASSWORD\0".encode("utf-16-le")
_NONE: Final = b"\xff\xff\xff\xff"
_HASHES: Final = {"SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}


class GkdiError(AddcError):
    """A key that cannot be made: a root key of an unknown kind, or a key older than what it is asked from."""


class GroupKeyId(NamedTuple):
    """The span of time of a key. l0: 1,024 spans each; l1, l2: 0 to 31, -1 for "the level above"."""

    l0: int
    l1: int
    l2: int

    @classmethod
    def at(cls, when: FileTime | int) -> "GroupKeyId":
        """The span that a time lies in."""
        spans = when // KEY_CYCLE_FT
        return cls(
            spans // (KEYS_PER_LEVEL * KEYS_PER_LEVEL),
            spans // KEYS_PER_LEVEL % KEYS_PER_LEVEL,
            spans % KEYS_PER_LEVEL,
        )

    @property
    def start_ft(self) -> int:
        return ((self.l0 * KEYS_PER_LEVEL + self.l1) * KEYS_PER_LEVEL + self.l2) * KEY_CYCLE_FT


@dataclass(frozen=True, slots=True)
class RootKey:
    """One msKds-ProvRootKey. *_length: bits. secret_parameters: FfcDhParameters, b"" on curves."""

    key_id: UUID
    data: Secret
    create_ft: int
    use_start_ft: int
    version: int = 1
    kdf_algorithm: str = KDF_ALGORITHM
    kdf_parameters: bytes = b""
    secret_algorithm: str = DEFAULT_AGREEMENT
    secret_parameters: bytes = b""
    private_key_length: int = DEFAULT_PRIVATE_BITS
    public_key_length: int = DEFAULT_PUBLIC_BITS


def hash_of(root: RootKey) -> str:
    """The hash that a root key is to be used with, in Python's name; GkdiError for what is not known.

    A root key without parameters means SHA-256, as to Windows.
    """
    if root.version != 1 or root.kdf_algorithm != KDF_ALGORITHM:
        raise GkdiError(f"root key {root.key_id} is of an unknown kind")
    if len(root.data.reveal()) != KEY_SIZE:
        raise GkdiError(f"root key {root.key_id} does not have {KEY_SIZE} bytes")
    return _hash(root.kdf_parameters)


def _hash(parameters: bytes) -> str:
    if not parameters:
        return "sha256"
    try:
        name = KdfParameters.unpack(parameters).hash_name
    except DecodeError as error:
        raise GkdiError(f"KDF parameters that cannot be read: {error}") from None
    found = _HASHES.get(name)
    if found is None:
        raise GkdiError(f"no such hash: {name}")
    return found


def default_kdf_parameters() -> bytes:
    return KdfParameters(DEFAULT_HASH).pack()


def default_secret_parameters() -> bytes:
    """The group of RFC 5114 2.3. Spec: [MS-GKDI] 3.1.4.1.1."""
    order, generator = dh.RFC5114_2_3
    return FfcDhParameters(DEFAULT_PUBLIC_BITS // 8, order, generator).pack()


# --- seed keys ---------------------------------------------------------------------------------------------


class _Ladder(NamedTuple):
    """How keys follow from each other under one root key."""

    hash_name: str
    root_key_id: UUID
    l0: int

    def step(self, key: bytes, l1: int, l2: int, descriptor: bytes = b"") -> bytes:
        """The key of (l0, l1, l2) from the one above it or next to it."""
        indices = b"".join(_NONE if one < 0 else one.to_bytes(4, "little") for one in (self.l0, l1, l2))
        context = self.root_key_id.bytes_le + indices + descriptor
        return sp800_108_counter(self.hash_name, key, _LABEL, context, KEY_SIZE)

    def older_l1(self, key: bytes, newest: int, wanted: int) -> bytes:
        """The L1 key of index `wanted` from that of index `newest`, which is not older."""
        for index in range(newest - 1, wanted - 1, -1):
            key = self.step(key, index, -1)
        return key

    def older_l2(self, key: bytes, l1: int, newest: int, wanted: int) -> bytes:
        """The L2 key of index `wanted`. key: of index `newest`, which is 32 for the L1 key itself."""
        for index in range(newest - 1, wanted - 1, -1):
            key = self.step(key, l1, index)
        return key


def seed_key(root: RootKey, descriptor: bytes, key_id: GroupKeyId) -> Secret:
    """The seed key of a descriptor's group for a span; an L1 key where key_id.l2 is -1.

    descriptor: self-relative. Raises GkdiError. Spec: [MS-GKDI] 3.1.4.1.2.
    """
    if key_id.l0 < 0 or not 0 <= key_id.l1 < KEYS_PER_LEVEL or not -1 <= key_id.l2 < KEYS_PER_LEVEL:
        raise GkdiError("no such group key identifier")
    ladder, newest = _Ladder(hash_of(root), root.key_id, key_id.l0), KEYS_PER_LEVEL - 1
    l0 = ladder.step(root.data.reveal(), -1, -1)
    l1 = ladder.older_l1(ladder.step(l0, newest, -1, descriptor), newest, key_id.l1)
    if key_id.l2 < 0:
        return Secret(l1)
    return Secret(ladder.older_l2(l1, key_id.l1, KEYS_PER_LEVEL, key_id.l2))


def key_from_envelope(envelope: GroupKeyEnvelope, key_id: GroupKeyId) -> Secret:
    """The L2 key that a holder of GetKey's answer can make. Spec: [MS-GKDI] 3.2.4.3.

    Raises GkdiError for a key that is newer than those in the envelope, or of another L0.
    """
    if envelope.is_public or envelope.l0 != key_id.l0:
        raise GkdiError("the envelope holds no such key")
    ladder = _Ladder(_hash(envelope.kdf_parameters), envelope.root_key_id, key_id.l0)
    if envelope.l2_key and envelope.l1 == key_id.l1 and envelope.l2 >= key_id.l2:
        return Secret(ladder.older_l2(envelope.l2_key, key_id.l1, envelope.l2, key_id.l2))
    l1 = envelope.l1 if envelope.l2 == KEYS_PER_LEVEL - 1 else envelope.l1 - 1
    if not envelope.l1_key or key_id.l1 > l1:
        raise GkdiError("the envelope holds no such key")
    key = ladder.older_l1(envelope.l1_key, l1, key_id.l1)
    return Secret(ladder.older_l2(key, key_id.l1, KEYS_PER_LEVEL, key_id.l2))


def seed_envelope(
    root: RootKey, descriptor: bytes, key_id: GroupKeyId, domain: str, forest: str
) -> GroupKeyEnvelope:
    """GetKey's answer to who may hold seed keys. Spec: [MS-GKDI] 3.1.4.1."""
    l1_key = l2_key = b""
    if key_id.l2 == KEYS_PER_LEVEL - 1:
        l1_key = seed_key(root, descriptor, key_id._replace(l2=-1)).reveal()
    else:
        l2_key = seed_key(root, descriptor, key_id).reveal()
        if key_id.l1 > 0:
            l1_key = seed_key(root, descriptor, GroupKeyId(key_id.l0, key_id.l1 - 1, -1)).reveal()
    return _envelope(root, key_id, domain, forest, keys=(l1_key, l2_key), flags=0)


def public_envelope(
    root: RootKey, descriptor: bytes, key_id: GroupKeyId, domain: str, forest: str
) -> GroupKeyEnvelope:
    """GetKey's answer to who may only encrypt for the group. Spec: [MS-GKDI] 3.1.4.1."""
    seed = seed_key(root, descriptor, key_id)
    public = public_key(root, private_key(root, seed))
    return _envelope(root, key_id, domain, forest, keys=(b"", public), flags=1)


def _envelope(
    root: RootKey, key_id: GroupKeyId, domain: str, forest: str, *, keys: tuple[bytes, bytes], flags: int
) -> GroupKeyEnvelope:
    return GroupKeyEnvelope(
        *key_id,
        root.key_id,
        root.kdf_algorithm,
        root.kdf_parameters,
        root.secret_algorithm,
        root.secret_parameters,
        root.private_key_length,
        root.public_key_length,
        domain,
        forest,
        *keys,
        flags,
        root.version,
    )


# --- key pairs ---------------------------------------------------------------------------------------------


def private_key(root: RootKey, seed: Secret) -> Secret:
    """The group's private key for the span of an L2 key. Spec: [MS-GKDI] 3.1.4.1.2."""
    context = (root.secret_algorithm + "\0").encode("utf-16-le")
    size = (root.private_key_length + 7) // 8
    return Secret(sp800_108_counter(hash_of(root), seed.reveal(), _LABEL, context, size))


def public_key(root: RootKey, private: Secret) -> bytes:
    """The public key that belongs to a private one, as FfcDhKey or EcdhKey. Spec: [MS-GKDI] 3.1.4.1.2."""
    number = int.from_bytes(private.reveal(), "big")
    curve = dh.curve_named(root.secret_algorithm.removeprefix("ECDH_"))
    if curve is not None:
        return EcdhKey(curve.name, curve.size, *dh.curve_public(curve, number)).pack()
    field = _field(root)
    public = dh.field_public(field.field_order, field.generator, number)
    return FfcDhKey(field.size, field.field_order, field.generator, public).pack()


def _field(root: RootKey) -> FfcDhParameters:
    if root.secret_algorithm != DEFAULT_AGREEMENT:
        raise GkdiError(f"no such secret agreement: {root.secret_algorithm}")
    try:
        field = FfcDhParameters.unpack(root.secret_parameters)
    except DecodeError as error:
        raise GkdiError(f"parameters of the secret agreement that cannot be read: {error}") from None
    if field.size * 8 != root.public_key_length:
        raise GkdiError("the parameters are not of the public key's length")
    return field


# --- managed passwords -------------------------------------------------------------------------------------


def managed_password(root: RootKey, key_id: GroupKeyId, account: Sid) -> Secret:
    """The password of a managed account in a span, UTF-16LE without the NUL at its end.

    No unit within is NUL, so that it is a string of full length. Spec: [MS-ADTS] 3.1.1.4.5.39.
    """
    key = seed_key(root, GMSA_DESCRIPTOR, key_id).reveal()
    raw = bytearray(sp800_108_counter(hash_of(root), key, _PASSWORD_LABEL, bytes(account), PASSWORD_SIZE))
    for at in range(0, PASSWORD_SIZE, 2):
        if raw[at] == 0 and raw[at + 1] == 0:
            raw[at] = 1
    return Secret(bytes(raw))
