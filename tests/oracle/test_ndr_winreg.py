"""winreg as it is on the wire, held against Samba's NDR in both transfer syntaxes."""

from dataclasses import replace
from typing import Any, cast

from addc.codec.ndr import Ndr
from addc.rpc.interfaces.winreg import idl
from addc.rpc.interfaces.winreg.idl import WINREG, named
from addc.security import sddl
from tests.kit.ndr_oracle import check_calls, made_up
from tests.kit.ndr_values import Amend

_NAMES = ("sub_key", "key_class", "class_in", "class_out", "value_name", "machine", "event_name")


def _ended(value: Any) -> Ndr:
    """Names with the NUL that Samba insists on, sizes that fit their data."""
    changes: dict[str, object] = {}
    for name in value.__match_args__:
        held = getattr(value, name)
        if name in _NAMES and isinstance(held, str):
            changes[name] = named(held)
    if "data" in value.__match_args__ and "length" in value.__match_args__:
        length = len(value.data or b"")
        changes |= {"size": length + 2, "length": length}
    return cast(Ndr, replace(value, **changes))


def _buffer(value: idl.NameBuffer) -> idl.NameBuffer:
    # Samba takes a NUL alone for nothing.
    return idl.NameBuffer(20, None if value.name is None else named(value.name or "a"))


def _owned(value: idl.SecurityDescriptorBuffer) -> idl.SecurityDescriptorBuffer:
    return idl.SecurityDescriptorBuffer(sddl.parse("O:BA").pack(), 64)


def test_stubs_are_samba_s() -> None:
    amend: dict[type[Ndr], Amend] = {idl.NameBuffer: _buffer, idl.SecurityDescriptorBuffer: _owned}
    for operation in WINREG.operations.values():
        amend[operation.request] = amend[operation.response] = _ended
    check_calls(WINREG, "winreg", *made_up(WINREG, amend=amend))
