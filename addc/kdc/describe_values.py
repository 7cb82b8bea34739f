"""Wire values in words: times, flags, names, keys, and every field of a declared structure.

What comes out is plain data that JSON can hold; keys are hidden unless they are asked for.

Spec: RFC 4120 5, [MS-KILE] 2.2.7, [MS-DTYP] 2.3.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, IntFlag
from ipaddress import ip_address
from typing import Final

from addc.base.clock import NEVER_FT, TICKS_PER_S
from addc.codec.ids import Sid
from addc.codec.krb5 import EncryptedData, EncryptionKey, HostAddress, PrincipalName
from addc.codec.krb5_numbers import (
    AddressType,
    AdType,
    ApOptions,
    KdcOptions,
    LastReqType,
    MessageType,
    NameType,
    PaType,
    TicketFlags,
)
from addc.codes.krb_error import KrbErrorCode
from addc.security.enctypes import SupportedEncryption
from addc.security.krb_keys import ETYPES, Cksumtype, Etype

Shown = str | int | bool | None | list["Shown"] | dict[str, "Shown"]

_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_BYTES_MAX: Final = 64
_ETYPE_TEXTS: Final = {int(etype): info.name.decode() for etype, info in ETYPES.items()} | {
    int(Etype.RC4_HMAC_EXP): "rc4-hmac-exp",
    int(Etype.DES_CBC_CRC): "des-cbc-crc",
    int(Etype.DES_CBC_MD5): "des-cbc-md5",
    int(Etype.DES3_CBC_SHA1): "des3-cbc-sha1",
}
_TIMES: Final = frozenset(
    (
        "authtime", "starttime", "endtime", "renew_till", "till", "rtime", "from_", "ctime", "stime",
        "patimestamp", "timestamp", "key_expiration", "lr_value", "logon_time", "logoff_time",
        "kick_off_time",
        "password_last_set", "password_can_change", "password_must_change", "last_successful_i_logon",
        "last_failed_i_logon", "client_id", "expiration_interval", "fetch_interval",
    )
)  # fmt: skip
_NUMBERS: Final[Mapping[str, type[Enum]]] = {
    "msg_type": MessageType,
    "error_code": KrbErrorCode,
    "padata_type": PaType,
    "pa_type": PaType,
    "ad_type": AdType,
    "name_type": NameType,
    "lr_type": LastReqType,
    "cksumtype": Cksumtype,
    "signature_type": Cksumtype,
}
_FLAGS: Final[Mapping[str, type[IntFlag]]] = {
    "kdc_options": KdcOptions,
    "flags": TicketFlags,
    "ap_options": ApOptions,
}


@dataclass(frozen=True, slots=True)
class Showing:
    """How much is shown. keys: key bytes too. whole: byte strings of any length."""

    keys: bool = False
    whole: bool = False


def time_text(when_ft: int) -> str:
    """ISO 8601 in UTC; "never" and "none" for what those mean."""
    if not when_ft:
        return "none"
    if when_ft >= NEVER_FT:
        return "never"
    try:
        when = _EPOCH + timedelta(seconds=when_ft // TICKS_PER_S)
    except OverflowError:
        return f"behind the year 9999 ({when_ft})"
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def etype_text(etype: int) -> str:
    """The name that MIT's and Heimdal's tools use."""
    return _ETYPE_TEXTS.get(etype, f"etype {etype}")


def flag_names(value: int, kind: type[IntFlag]) -> str:
    """The names of the bits, with those that have none as a number."""
    names = [one.name or "" for one in kind if value & one]
    rest = value & ~sum(int(one) for one in kind)
    if rest:
        names.append(f"{rest:#x}")
    return ", ".join(names) or "none"


def encryption_types(bits: int) -> str:
    """msDS-SupportedEncryptionTypes and PA-SUPPORTED-ENCTYPES."""
    return f"{bits:#x} ({flag_names(bits, SupportedEncryption)})"


def hex_text(data: bytes, showing: Showing) -> str:
    """Bytes; long ones are cut unless the whole is asked for."""
    if showing.whole or len(data) <= _BYTES_MAX:
        return data.hex()
    return f"{data[:_BYTES_MAX].hex()}... ({len(data)} bytes)"


def key_value(key: EncryptionKey, showing: Showing) -> Shown:
    """A key; its bytes only where keys are shown."""
    value = key.keyvalue.hex() if showing.keys else f"hidden ({len(key.keyvalue)} bytes)"
    return {"etype": etype_text(key.keytype), "key": value}


def address_text(address: HostAddress) -> str:
    """RFC 4120 7.5.3."""
    if address.addr_type in (AddressType.IPV4, AddressType.IPV6) and len(address.address) in (4, 16):
        return str(ip_address(address.address))
    if address.addr_type == AddressType.NETBIOS:
        return f"{address.machine()} (NetBIOS)"
    return f"type {address.addr_type}: {address.address.hex()}"


def name_value(name: PrincipalName) -> Shown:
    return f"{name} ({NameType(name.name_type).name})"


def sealed_value(data: EncryptedData, showing: Showing) -> dict[str, Shown]:
    """EncryptedData that stays closed."""
    return {"etype": etype_text(data.etype), "kvno": data.kvno, "cipher": hex_text(data.cipher, showing)}


def value_of(value: object, showing: Showing, field: str = "") -> Shown:
    """Any wire value; `field` is the name of the field that holds it, which tells what a number means."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return _number(value, field)
        case bytes():
            return hex_text(value, showing)
        case Sid():
            return str(value)
        case PrincipalName():
            return name_value(value)
        case EncryptionKey():
            return key_value(value, showing)
        case HostAddress():
            return address_text(value)
        case EncryptedData():
            return dict(sealed_value(value, showing))
        case tuple() | list():
            return [value_of(one, showing, field) for one in value]
    if is_dataclass(value):
        return fields_of(value, showing)
    return str(value)


def fields_of(value: object, showing: Showing, *but: str) -> dict[str, Shown]:
    """Every field of a structure, by its name, without those named and those that are absent."""
    assert is_dataclass(value)
    found: dict[str, Shown] = {}
    for one in fields(value):
        held = getattr(value, one.name)
        if one.name not in but and held is not None:
            found[one.name.rstrip("_")] = value_of(held, showing, one.name)
    return found


def _number(value: int, field: str) -> Shown:
    if field in _TIMES:
        return time_text(value)
    if field in ("etype", "keytype", "etypes"):
        return etype_text(value)
    if field in _FLAGS:
        return f"{value:#010x} ({flag_names(value, _FLAGS[field])})"
    known = _NUMBERS.get(field)
    return f"{known(value).name} ({int(value)})" if known is not None else int(value)
