"""Opens FAST's tunnel for whoever shows messages: armor keys of what AP-REQs told, replies made stronger.

Spec: RFC 6113 5.4.1 (armor), 5.4.2, 5.4.3 (strengthen-key), 5.4.6 (encrypted challenge).
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.krb5 import (
    EncryptedData,
    EncryptionKey,
    KrbFastArmoredRep,
    KrbFastArmoredReq,
    KrbFastReq,
    KrbFastResponse,
)
from addc.kdc.describe_pac import NamedKey
from addc.security.fast_keys import armor_key, client_challenge_key, kdc_challenge_key, strengthened_key
from addc.security.krb_keys import Key, KeyUsage, decrypt

_KEPT_MAX: Final = 16


class FastTunnels:
    """The armor keys of a conversation, and the keys that its replies were strengthened with."""

    def __init__(self) -> None:
        self._armors: deque[Key] = deque(maxlen=_KEPT_MAX)
        self._strengths: deque[Key] = deque(maxlen=_KEPT_MAX)

    def note_armor(self, subkey: Key, session: Key) -> None:
        """An AP-REQ whose authenticator has a subkey: it may be an armor."""
        armor = armor_key(subkey, session)
        if armor not in self._armors:
            self._armors.appendleft(armor)

    def request(self, sealed: KrbFastArmoredReq) -> KrbFastReq | None:
        """What is inside a request; None where its armor is not known."""
        plain = self._opened(sealed.enc_fast_req, int(KeyUsage.FAST_ENC))
        return None if plain is None else KrbFastReq.unpack(plain)

    def response(self, sealed: KrbFastArmoredRep) -> KrbFastResponse | None:
        """What is inside a reply; its strengthen-key is remembered."""
        plain = self._opened(sealed.enc_fast_rep, int(KeyUsage.FAST_REP))
        found = None if plain is None else KrbFastResponse.unpack(plain)
        if found is not None and found.strengthen_key is not None:
            self._strengths.appendleft(_key(found.strengthen_key))
        return found

    def strengthened(self, keys: Sequence[NamedKey]) -> Iterator[NamedKey]:
        """What these keys became in replies inside FAST."""
        for strength in self._strengths:
            for one in keys:
                made = strengthened_key(strength, one.key)
                yield NamedKey(made, f"{one.owner}, strengthened")

    def challenges(self, keys: Sequence[NamedKey]) -> Iterator[NamedKey]:
        """What encrypted challenges of client and KDC are sealed with, for a client with these keys."""
        for armor in self._armors:
            for one in keys:
                for challenge_key in (client_challenge_key, kdc_challenge_key):
                    yield NamedKey(challenge_key(armor, one.key), f"{one.owner}, in its armor")

    def _opened(self, data: EncryptedData, usage: int) -> bytes | None:
        for armor in self._armors:
            try:
                return decrypt(armor, usage, data.cipher)
            except DecodeError:
                continue
        return None


def _key(held: EncryptionKey) -> Key:
    return Key(held.keytype, held.keyvalue)
