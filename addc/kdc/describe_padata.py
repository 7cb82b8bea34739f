"""Pre-authentication data and its kin in words.

Spec: RFC 4120 5.2.7, RFC 6113 5, [MS-KILE] 2.2, 3.1.5.1, [MS-SFU] 2.2.
"""

from collections.abc import Callable, Sequence
from typing import Final

from addc.base.errors import DecodeError
from addc.codec import ber
from addc.codec.krb5 import (
    Checksum,
    EncryptedData,
    EtypeInfo,
    EtypeInfo2,
    KerbDmsaKeyPackage,
    KerbExtError,
    KerbKeyListRep,
    KerbKeyListReq,
    KerbSupersededByUser,
    PaData,
    PaEncTsEnc,
    PaForUser,
    PaPacOptions,
    PaPacRequest,
    PaS4uX509User,
)
from addc.codec.krb5_numbers import PacOptions, PaType
from addc.codes.ntstatus import NtStatus
from addc.kdc.describe_values import (
    Showing,
    Shown,
    encryption_types,
    fields_of,
    flag_names,
    hex_text,
    sealed_value,
)
from addc.security.krb_keys import KeyUsage

Opener = Callable[[EncryptedData, Sequence[int]], tuple[bytes, str] | None]
"""Opens what the client's key or session protects, for one of some usages: plain text, and by whose key."""

_TIMESTAMP_USAGES: Final = (
    KeyUsage.AS_REQ_PA_ENC_TIMESTAMP,
    KeyUsage.ENC_CHALLENGE_CLIENT,
    KeyUsage.ENC_CHALLENGE_KDC,
)


def padata_value(one: PaData, showing: Showing, opener: Opener) -> dict[str, Shown]:
    """What an element says. Raises DecodeError."""
    data, kind = one.padata_value, one.padata_type
    if not data:
        return {}
    if kind in (PaType.PA_ENC_TIMESTAMP, PaType.PA_ENCRYPTED_CHALLENGE):
        return _timestamp(data, showing, opener)
    declared = _DECLARED.get(kind)
    if declared is not None:
        return {"value": fields_of(declared.unpack(data), showing)}
    words = _WORDS.get(kind)
    return {"value": hex_text(data, showing) if words is None else words(data, showing)}


def _timestamp(data: bytes, showing: Showing, opener: Opener) -> dict[str, Shown]:
    sealed = EncryptedData.unpack(data)
    out = dict(sealed_value(sealed, showing))
    opened = opener(sealed, _TIMESTAMP_USAGES)
    if opened is None:
        return out | {"opened": "no"}
    return out | {
        "opened": f"with the key of {opened[1]}",
        **fields_of(PaEncTsEnc.unpack(opened[0]), showing),
    }


_DECLARED: Final[dict[int, type[ber.Value]]] = {
    PaType.PA_ETYPE_INFO: EtypeInfo,
    PaType.PA_ETYPE_INFO2: EtypeInfo2,
    PaType.PA_PAC_REQUEST: PaPacRequest,
    PaType.PA_FOR_USER: PaForUser,
    PaType.PA_S4U_X509_USER: PaS4uX509User,
    PaType.KERB_KEY_LIST_REQ: KerbKeyListReq,
    PaType.KERB_KEY_LIST_REP: KerbKeyListRep,
    PaType.KERB_SUPERSEDED_BY_USER: KerbSupersededByUser,
    PaType.KERB_DMSA_KEY_PACKAGE: KerbDmsaKeyPackage,
}


def _supported(data: bytes, _: Showing) -> Shown:
    if len(data) != 4:
        raise DecodeError("not 4 bytes", 0, "PA-SUPPORTED-ENCTYPES")
    return encryption_types(int.from_bytes(data, "little"))


def _pac_options(data: bytes, _: Showing) -> Shown:
    return flag_names(PaPacOptions.unpack(data).flags, PacOptions)


def _enc_pa_rep(data: bytes, showing: Showing) -> Shown:
    """In a request it is empty, in a reply a checksum over the request."""
    return fields_of(Checksum.unpack(data), showing)


def _pw_salt(data: bytes, showing: Showing) -> Shown:
    """A salt, or in errors of Windows' KDC an NTSTATUS."""
    try:
        status = KerbExtError.unpack(data).status
        return f"{status:#010x} ({NtStatus(status).name})"
    except (DecodeError, ValueError):
        return hex_text(data, showing)


_WORDS: Final[dict[int, Callable[[bytes, Showing], Shown]]] = {
    PaType.PA_SUPPORTED_ENCTYPES: _supported,
    PaType.PA_PAC_OPTIONS: _pac_options,
    PaType.PA_REQ_ENC_PA_REP: _enc_pa_rep,
    PaType.PA_PW_SALT: _pw_salt,
}
