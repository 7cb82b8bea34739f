"""Protecting data for a group with a key of the forest's key distribution, as DPAPI-NG does.

Who can make the group's key opens it: a Domain Controller of the forest, or whom it hands the key to over
[MS-GKDI]. The database alone holds the root keys, which nobody reads by LDAP.

Spec: [MS-DNSP] 3.1.7.1, 3.1.7.2, [MS-GKDI] 3.1.4.1.2.
"""

import struct
from collections.abc import Callable
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.base.secret import Secret
from addc.codec.gkdi_blobs import KeyIdentifier
from addc.codec.ids import Sid
from addc.codec.protected_data import ProtectedData
from addc.security import gkdi, wellknown
from addc.security.crypto.aead import TAG_SIZE, AesGcm
from addc.security.crypto.ciphers import aes_key_unwrap, aes_key_wrap
from addc.security.crypto.kdf import sp800_108_counter
from addc.security.descriptor import Ace, Acl
from addc.security.gkdi import GkdiError, GroupKeyId, RootKey

_LABEL: Final = "KDS service\0".encode("utf-16-le")
_NONCE_SIZE: Final = 32
_KEY_SIZE: Final = 32
_SEED_AND_PUBLIC: Final = 0x3
_PUBLIC: Final = 0x2

RootKeys = Callable[[UUID], RootKey | None]
"""A root key by its identifier."""


def _descriptor(sid: Sid) -> bytes:
    """Whom GetKey hands the group's keys to.

    Deviation: [MS-DNSP] 3.1.7.1 names the protecting SID as owner; Windows has SYSTEM there.
    """
    aces = (Ace(0, 0, _SEED_AND_PUBLIC, sid), Ace(0, 0, _PUBLIC, wellknown.EVERYONE))
    system = wellknown.LOCAL_SYSTEM
    dacl = Acl(2, aces).pack()
    owner_at = 20 + len(dacl)
    head = struct.pack("<BBHIIII", 1, 0, 0x8004, owner_at, owner_at + len(system), 0, 20)
    return head + dacl + system + system


def _key(root: RootKey, sid: Sid, identifier: KeyIdentifier) -> Secret:
    """The key that wraps the content's key."""
    key_id = GroupKeyId(identifier.l0, identifier.l1, identifier.l2)
    seed = gkdi.seed_key(root, _descriptor(sid), key_id).reveal()
    return Secret(sp800_108_counter(gkdi.hash_of(root), seed, _LABEL, identifier.additional, _KEY_SIZE))


def protect(
    root: RootKey, span: GroupKeyId, sid: Sid, names: tuple[str, str], *, plain: Secret, rng: Rng
) -> bytes:
    """`plain` for a group, under its key of a span. names: of the domain and of the forest.

    Raises GkdiError where the root key serves for nothing.
    """
    identifier = KeyIdentifier(*span, root.key_id, *names, additional=rng.bytes(_NONCE_SIZE))
    content_key, nonce = rng.bytes(_KEY_SIZE), rng.bytes(AesGcm.nonce_size)
    parts, tag = AesGcm(content_key).seal(nonce, [plain.reveal()], b"")
    wrapped = aes_key_wrap(_key(root, sid, identifier).reveal(), content_key)
    return ProtectedData(identifier.pack(), str(sid), wrapped, nonce, b"".join((*parts, tag))).pack()


def unprotect(data: bytes, roots: RootKeys) -> Secret:
    """What `protect` was given. Raises DecodeError for what does not open, GkdiError without its root key."""
    found = ProtectedData.unpack(data)
    identifier = KeyIdentifier.unpack(found.key_identifier)
    root = roots(identifier.root_key_id)
    if root is None:
        raise GkdiError(f"there is no root key {identifier.root_key_id}")
    sid = Sid.parse(found.sid)
    content_key = aes_key_unwrap(_key(root, sid, identifier).reveal(), found.wrapped_key)
    if len(content_key) != _KEY_SIZE or len(found.nonce) != AesGcm.nonce_size or len(found.sealed) < TAG_SIZE:
        raise DecodeError("bad sizes", 0, "ProtectedData")
    return Secret(AesGcm(content_key).open(found.nonce, found.sealed, b""))
