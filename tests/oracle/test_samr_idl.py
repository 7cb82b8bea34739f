"""Stubs of samr's operations, against Samba's NDR in C both ways, at every level of every union."""

from dataclasses import replace
from typing import Final

import pytest

from addc.codec.interface import Interface
from addc.codec.ndr import Ndr
from addc.rpc.interfaces.samr import idl
from addc.rpc.interfaces.samr.idl import SAMR
from addc.security import sddl
from tests.kit.ndr_oracle import check_calls, made_up
from tests.kit.ndr_values import Amend

_UNKNOWN_TO_SAMBA: Final = {74, 77}
_LEVELS: Final = {
    8: "domain_information_class",
    9: "domain_information_class",
    20: "group_information_class",
    21: "group_information_class",
    28: "alias_information_class",
    29: "alias_information_class",
    36: "user_information_class",
    37: "user_information_class",
    40: "display_information_class",
    46: "domain_information_class",
    47: "user_information_class",
    48: "display_information_class",
    51: "display_information_class",
    58: "user_information_class",
    64: "in_version out_version",
    67: "validation_type",
}
_DESCRIPTOR: Final = sddl.parse("D:(A;;CC;;;WD)").pack()


def _text(found: idl.RpcString) -> idl.RpcString:
    """Counts that agree, and letters of every code page."""
    if found.buffer is None:
        return idl.RpcString()
    letters = bytes(65 + octet % 26 for octet in found.buffer)
    return idl.RpcString(len(letters), len(letters), letters)


def _large_text(found: idl.RpcString) -> idl.RpcString:
    """With room for a NUL, as Samba writes those that are listed."""
    letters = _text(found).buffer or b""
    return idl.RpcString(len(letters), len(letters) + 1, letters)


def _hours(found: idl.LogonHours) -> idl.LogonHours:
    bits = found.logon_hours
    return idl.LogonHours(0, None) if bits is None else idl.LogonHours(len(bits) * 8, bits)


def _members(found: idl.GetMembersBuffer) -> idl.GetMembersBuffer:
    return replace(found, attributes=found.members)


def _descriptor(found: idl.SrSecurityDescriptor) -> idl.SrSecurityDescriptor:
    return replace(found, security_descriptor=_DESCRIPTOR)


_AMEND: Final[dict[type[Ndr], Amend]] = {
    idl.RpcString: _text,
    idl.LogonHours: _hours,
    idl.GetMembersBuffer: _members,
}

_AMEND_MORE: Final[dict[int, dict[type[Ndr], Amend]]] = {
    2: {idl.SrSecurityDescriptor: _descriptor},
    3: {idl.SrSecurityDescriptor: _descriptor},
    40: {idl.RpcString: _large_text},
    48: {idl.RpcString: _large_text},
    51: {idl.RpcString: _large_text},
}


@pytest.mark.parametrize("opnum", sorted(SAMR.operations.keys() - _UNKNOWN_TO_SAMBA))
def test_samba_reads_and_writes_the_same_stubs(opnum: int) -> None:
    one = Interface(SAMR.name, SAMR.uuid, SAMR.version, {opnum: SAMR.operations[opnum]})
    amend = {**_AMEND, **_AMEND_MORE.get(opnum, {})}
    samples = made_up(one, levels={opnum: _LEVELS[opnum]} if opnum in _LEVELS else None, amend=amend)
    check_calls(one, "samr", *samples)
