"""DnsServer as it is on the wire, held against Samba's NDR in both transfer syntaxes."""

from dataclasses import replace
from typing import Any, Final, cast

from addc.codec.ndr import Ndr
from addc.rpc.interfaces.dnsserver import idl, idl_parts, idl_zones
from addc.rpc.interfaces.dnsserver.idl import DNSSERVER
from tests.kit.ndr_oracle import check_calls, made_up

_SAMBA_S: Final = replace(
    DNSSERVER, operations={number: one for number, one in DNSSERVER.operations.items() if number < 10}
)
"""The forms with scopes and virtualization instances are unknown to Samba."""
_RECORDS: Final = {
    3: "Samba reads the records",
    4: "Samba has the node's name as a [unique] pointer, [MS-DNSP] as a [ref] one",
    8: "Samba reads the records",
    9: "Samba reads the records",
}
_UNKNOWN: Final = frozenset(
    (
        idl.TypeId.UNICODE_STRING_LIST,
        idl.TypeId.RRL,
        idl.TypeId.UTF8_STRING_LIST,  # Samba reads its strings as one
    )
)


def _known(value: Any) -> Ndr:
    """Arms that Samba knows."""
    changes: dict[str, object] = {}
    for name, data in (("type_id", "data"), ("type_in", "data_in"), ("type_out", "data_out")):
        if name in value.__match_args__ and getattr(value, name) in _UNKNOWN:
            changes |= {name: idl.TypeId.NULL, data: None}
    return cast(Ndr, replace(value, **changes))


def _octet(value: Any) -> Ndr:
    """Samba has one octet, and padding, where [MS-DNSP] has 32 bits."""
    return cast(Ndr, replace(value, allow_update=value.allow_update & 0xFF))


def _wordless(value: idl_parts.DpInfo) -> Ndr:
    """Reserved pointers: Samba has UTF-8 behind them, [MS-DNSP] UTF-16."""
    return replace(value, reserved_texts=(None,) * 3)


def test_stubs_are_samba_s() -> None:
    amend = {kind: _known for one in _SAMBA_S.operations.values() for kind in (one.request, one.response)}
    amend[idl_parts.DpInfo] = _wordless
    amend |= {
        kind: _octet for kind in vars(idl_zones).values() if "allow_update" in getattr(kind, "__match_args__", ())
    }
    samples = made_up(_SAMBA_S, each=60, leave=_RECORDS, amend=amend)
    check_calls(_SAMBA_S, "dnsserver", *samples)
