"""Pre-authentication: what is asked for, and whether an encrypted timestamp proves the password.

Spec: RFC 4120 5.2.7, 7.5.2, [MS-KILE] 3.1.5.1, 3.3.5.6.
"""

from collections.abc import Mapping, Sequence
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
    MethodData,
    PaData,
    PaEncTsEnc,
    PaPacOptions,
    PaPacRequest,
)
from addc.codec.krb5_numbers import PaType
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import Counter, KdcRefusal, Principal
from addc.kdc.policy import KdcPolicy, by_strength
from addc.security.krb_keys import Etype, Key, KeyUsage, decrypt

_ETYPE_INFO2: Final = int(PaType.PA_ETYPE_INFO2)
_ETYPE_INFO: Final = int(PaType.PA_ETYPE_INFO)
_ENC_TIMESTAMP: Final = int(PaType.PA_ENC_TIMESTAMP)
_PW_SALT: Final = int(PaType.PA_PW_SALT)
_PAC_REQUEST: Final = int(PaType.PA_PAC_REQUEST)
_PAC_OPTIONS: Final = int(PaType.PA_PAC_OPTIONS)
_USAGE: Final = int(KeyUsage.AS_REQ_PA_ENC_TIMESTAMP)
_NEW_ETYPES: Final = frozenset((17, 18, 19, 20))
_RC4: Final = int(Etype.RC4_HMAC)


def find_padata(padata: Sequence[PaData] | None, kind: int) -> bytes | None:
    """The first element of a type."""
    for one in padata or ():
        if one.padata_type == kind:
            return one.padata_value
    return None


def pac_request(padata: Sequence[PaData] | None) -> bool | None:
    """include-pac of KERB-PA-PAC-REQUEST, None where absent. Raises DecodeError."""
    value = find_padata(padata, _PAC_REQUEST)
    return None if value is None else PaPacRequest.unpack(value).include_pac


def pac_options(padata: Sequence[PaData] | None) -> int | None:
    """PA-PAC-OPTIONS, None where absent. Raises DecodeError."""
    value = find_padata(padata, _PAC_OPTIONS)
    return None if value is None else PaPacOptions.unpack(value).flags


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


def offer(
    client: Principal, usable: Sequence[int], asked: Sequence[int], status: NtStatus | None = None
) -> bytes:
    """METHOD-DATA of PREAUTH_REQUIRED and PREAUTH_FAILED.

    usable: types that both sides know. asked: the request's; PA-ETYPE-INFO is for who knows no newer.
    status: goes into a PA-PW-SALT, where such errors carry their KERB-EXT-ERROR.
    """
    padata = []
    if not _NEW_ETYPES.intersection(asked):
        padata.append(_etype_info(client, usable))
    padata += [etype_info2(client, usable), PaData(_ENC_TIMESTAMP, b"")]
    if status is not None:
        padata.append(PaData(_PW_SALT, KerbExtError(int(status)).pack()))
    return MethodData(tuple(padata)).pack()


def _timestamp(key: Key, data: EncryptedData) -> FileTime | None:
    """The time inside, None if the key does not fit."""
    try:
        return PaEncTsEnc.unpack(decrypt(key, _USAGE, data.cipher)).patimestamp
    except DecodeError:
        return None


def check_timestamp(
    client: Principal, keys: Mapping[int, Key], value: bytes, policy: KdcPolicy, now: FileTime
) -> Key:
    """The key that a PA-ENC-TIMESTAMP was made with.

    keys: those that the account may use. Raises KdcRefusal without e-data; the caller adds its METHOD-DATA.
    A password of the account's two previous ones fails without counting (password history N-2).
    """
    data = EncryptedData.unpack(value)
    key = keys.get(data.etype)
    if key is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)
    when = _timestamp(key, data)
    if when is None:
        known_before = any(
            data.etype in old and _timestamp(old[data.etype], data) is not None for _, old in client.keys.old
        )
        counter = Counter.NONE if known_before else Counter.BAD_PASSWORD
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_FAILED, NtStatus.STATUS_WRONG_PASSWORD, counter=counter)
    if abs(when - now) > policy.max_clock_skew:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_SKEW)
    return key
