"""Pre-authentication: what is asked for, and whether an encrypted timestamp proves the password.

Spec: RFC 4120 5.2.7, 7.5.2, [MS-KILE] 3.1.5.1, 3.3.5.6.
"""

from collections.abc import Sequence
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.krb5 import (
    EncryptedData,
    EtypeInfo,
    EtypeInfo2,
    EtypeInfo2Entry,
    EtypeInfoEntry,
    KerbExtError,
    PaData,
    PaEncTsEnc,
)
from addc.codec.krb5_numbers import PaType
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import Counter, KdcRefusal, Principal
from addc.kdc.policy import by_strength, check_clock
from addc.kdc.proof import Attempt, Mechanism, Proof
from addc.security.krb_keys import Etype, Key, KeyUsage, decrypt

_ETYPE_INFO2: Final = int(PaType.PA_ETYPE_INFO2)
_ETYPE_INFO: Final = int(PaType.PA_ETYPE_INFO)
_ENC_TIMESTAMP: Final = int(PaType.PA_ENC_TIMESTAMP)
_PW_SALT: Final = int(PaType.PA_PW_SALT)
_USAGE: Final = int(KeyUsage.AS_REQ_PA_ENC_TIMESTAMP)
_NEW_ETYPES: Final = frozenset((17, 18, 19, 20))
_RC4: Final = int(Etype.RC4_HMAC)


def _salt(client: Principal, etype: int) -> bytes | None:
    """RC4 keys have none."""
    return None if etype == _RC4 else client.keys.salt


def etype_info2(client: Principal, etypes: Sequence[int]) -> PaData:
    """PA-ETYPE-INFO2 for these types, strongest first (W-LOGON-02)."""
    entries = []
    for etype in by_strength(etypes):
        salt = _salt(client, etype)
        entries.append(
            EtypeInfo2Entry(etype, None if salt is None else salt.decode("utf-8", "surrogateescape"))
        )
    return PaData(_ETYPE_INFO2, EtypeInfo2(tuple(entries)).pack())


def _etype_info(client: Principal, etypes: Sequence[int]) -> PaData:
    entries = tuple(EtypeInfoEntry(etype, _salt(client, etype)) for etype in by_strength(etypes))
    return PaData(_ETYPE_INFO, EtypeInfo(entries).pack())


def reply_hint(client: Principal, key: Key) -> tuple[PaData, ...]:
    """What an AS-REP says of its key; nothing of RC4's, which has no salt."""
    return () if key.etype == _RC4 else (etype_info2(client, (int(key.etype),)),)


def status_hint(status: NtStatus) -> PaData:
    """The PA-PW-SALT in which METHOD-DATA carries a KERB-EXT-ERROR."""
    return PaData(_PW_SALT, KerbExtError(int(status)).pack())


def key_hints(attempt: Attempt) -> tuple[PaData, ...]:
    """What METHOD-DATA says about keys; PA-ETYPE-INFO is for who knows no newer types.

    Nothing where no type fits: a mechanism that needs no key may still be there.
    """
    if not attempt.usable:
        return ()
    padata = []
    if not _NEW_ETYPES.intersection(attempt.request.message.req_body.etype):
        padata.append(_etype_info(attempt.client, attempt.usable))
    padata.append(etype_info2(attempt.client, attempt.usable))
    return tuple(padata)


def _timestamp(key: Key, data: EncryptedData) -> FileTime | None:
    """The time inside, None if the key does not fit."""
    try:
        return PaEncTsEnc.unpack(decrypt(key, _USAGE, data.cipher)).patimestamp
    except DecodeError:
        return None


def by_timestamp(attempt: Attempt, value: bytes) -> Proof:
    """The proof of a PA-ENC-TIMESTAMP.

    A password of the account's two previous ones fails without counting (password history N-2).
    """
    data, client = EncryptedData.unpack(value), attempt.client
    key = attempt.keys.get(data.etype)
    if key is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)
    kvno, when = client.keys.kvno, _timestamp(key, data)
    for version, keys in client.keys.also if when is None else ():
        if data.etype in keys and (when := _timestamp(keys[data.etype], data)) is not None:
            kvno, key = version, keys[data.etype]
            break
    if when is None:
        raise wrong_password(
            any(
                data.etype in old and _timestamp(old[data.etype], data) is not None
                for _, old in client.keys.old
            )
        )
    check_clock(when, attempt.policy, attempt.now)
    return Proof(key, kvno, reply_hint(client, key))


def wrong_password(known_before: bool) -> KdcRefusal:
    """A password that is not the account's; a former one does not count."""
    counter = Counter.NONE if known_before else Counter.BAD_PASSWORD
    return KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_FAILED, NtStatus.STATUS_WRONG_PASSWORD, counter=counter)


def unproved(attempt: Attempt) -> Proof:
    """The key of a reply to an account that need not pre-authenticate."""
    key = attempt.keys[attempt.usable[0]]
    hint = reply_hint(attempt.client, key)
    return Proof(key, attempt.client.keys.kvno, hint, preauthenticated=False)


TIMESTAMP: Final = Mechanism(
    _ENC_TIMESTAMP,
    True,
    by_timestamp,
    lambda attempt: PaData(_ENC_TIMESTAMP) if attempt.usable and attempt.request.armor is None else None,
)
"""Only outside an armor: inside, PA-ENCRYPTED-CHALLENGE takes its place (RFC 6113 5.4.6)."""
