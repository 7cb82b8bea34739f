"""PA-ENCRYPTED-CHALLENGE: the password proved inside an armor, by the client and then by the KDC.

Both encrypt the time with a key that no one has who knows only the password, or only the armor: nothing that
is sent can be tried out against a list of passwords.

Spec: RFC 6113 5.4.6.
"""

from collections.abc import Iterable
from typing import Final

from addc.base.clock import FileTime, micros, whole_seconds
from addc.base.errors import DecodeError
from addc.codec.krb5 import EncryptedData, PaData, PaEncTsEnc
from addc.codec.krb5_numbers import PaType
from addc.kdc import tickets
from addc.kdc.policy import check_clock
from addc.kdc.preauth import reply_hint, wrong_password
from addc.kdc.proof import Attempt, Mechanism, Proof
from addc.security.fast_keys import client_challenge_key, kdc_challenge_key
from addc.security.krb_keys import Key, KeyUsage, decrypt

_CHALLENGE: Final = int(PaType.PA_ENCRYPTED_CHALLENGE)


def by_challenge(attempt: Attempt, value: bytes) -> Proof:
    """The proof of a PA-ENCRYPTED-CHALLENGE, with the KDC's own in its padata.

    Its etype is the armor's, so each of the account's keys is tried. A former password does not count.
    """
    armor, client = attempt.request.armor, attempt.client
    assert armor is not None
    data = EncryptedData.unpack(value)
    kvno, found = client.keys.kvno, _opened(armor.key, (attempt.keys[one] for one in attempt.usable), data)
    for version, keys in client.keys.also if found is None else ():
        found = _opened(armor.key, (keys[one] for one in attempt.usable if one in keys), data)
        if found is not None:
            kvno = version
            break
    if found is None:
        former = (key for _, keys in client.keys.old for key in keys.values() if key.etype in attempt.usable)
        raise wrong_password(_opened(armor.key, former, data) is not None)
    key, when = found
    check_clock(when, attempt.policy, attempt.now)
    return Proof(key, kvno, (*reply_hint(client, key), _answer(attempt, armor.key, key)))


def _opened(armor: Key, keys: Iterable[Key], data: EncryptedData) -> tuple[Key, FileTime] | None:
    """The key that the challenge was made with, and the time in it."""
    for key in keys:
        challenge = client_challenge_key(armor, key)
        try:
            plain = decrypt(challenge, KeyUsage.ENC_CHALLENGE_CLIENT, data.cipher)
        except DecodeError:
            continue
        return key, PaEncTsEnc.unpack(plain).patimestamp
    return None


def _answer(attempt: Attempt, armor: Key, key: Key) -> PaData:
    """The KDC's challenge: that it knows the password too."""
    now = attempt.now
    plain = PaEncTsEnc(whole_seconds(now), micros(now)).pack()
    challenge = kdc_challenge_key(armor, key)
    sealed = tickets.sealed(challenge, KeyUsage.ENC_CHALLENGE_KDC, plain, attempt.rng)
    return PaData(_CHALLENGE, sealed.pack())


def _offer(attempt: Attempt) -> PaData | None:
    return PaData(_CHALLENGE) if attempt.usable and attempt.request.armor is not None else None


CHALLENGE: Final = Mechanism(_CHALLENGE, True, by_challenge, _offer)
