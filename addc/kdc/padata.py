"""Pre-authentication data that requests bring and that replies carry beside a proof.

Spec: RFC 4120 5.2.7, [MS-KILE] 2.2.3, 2.2.8, 2.2.10.
"""

from collections.abc import Sequence
from typing import Final

from addc.codec.krb5 import PaData, PaPacOptions, PaPacRequest
from addc.codec.krb5_numbers import PaType

KRBTGT_ENCTYPES: Final = 0x7_001F
"""PA-SUPPORTED-ENCTYPES of krbtgt ([MS-KILE] 3.3.5.6), with FAST, compound identity and claims."""

_PAC_REQUEST: Final = int(PaType.PA_PAC_REQUEST)
_PAC_OPTIONS: Final = int(PaType.PA_PAC_OPTIONS)
_SUPPORTED_ENCTYPES: Final = int(PaType.PA_SUPPORTED_ENCTYPES)


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


def echoed_pac_options(options: int) -> PaData:
    """PA-PAC-OPTIONS of a reply ([MS-KILE] 3.3.5.6, 3.3.5.7)."""
    return PaData(_PAC_OPTIONS, PaPacOptions(options).pack())


def supported_enctypes(bits: int) -> PaData:
    """PA-SUPPORTED-ENCTYPES: four bytes, little-endian ([MS-KILE] 2.2.8)."""
    return PaData(_SUPPORTED_ENCTYPES, (bits & 0xFFFF_FFFF).to_bytes(4, "little"))
