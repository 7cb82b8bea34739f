"""Stubs of lsarpc's operations, against Samba's NDR in C both ways, in every arm of every union."""

from dataclasses import replace
from typing import Final

import pytest

from addc.codec.interface import Interface
from addc.codec.ndr import Ndr, Syntax, Tagged
from addc.rpc.interfaces.lsarpc import idl
from addc.rpc.interfaces.lsarpc.idl import LSARPC
from addc.security import sddl
from tests.kit.ndr_oracle import Sample, check_calls, made_up
from tests.kit.ndr_values import Amend

_UNKNOWN_TO_SAMBA: Final = frozenset((129, 130, 132, 133, 135, 136, 137, 138, 139, 140, 141))
"""Younger than Debian's Samba."""
_LEVELS: Final = {
    7: "information_class",
    8: "information_class",
    26: "information_class",
    27: "information_class",
    39: "information_class",
    40: "information_class",
    46: "information_class",
    47: "information_class",
    48: "information_class",
    49: "information_class",
    53: "information_class",
    54: "information_class",
}
_NEW_CLASSES: Final = frozenset((14, 15))
"""Trusts' secrets under AES, and the machine account: so are these."""
_NARROW: Final = frozenset((6, 26, 27, 29, 30, 39, 40, 42, 43, 44, 48, 49, 51, 53, 54, 73, 74))
"""In NDR64 Samba takes counts of octets in them for 64 bits, and classes for 16: the document says `long` and
enumerations."""
_DESCRIPTOR: Final = sddl.parse("D:(A;;CC;;;WD)").pack()


def _attributes(found: idl.LsaprObjectAttributes) -> idl.LsaprObjectAttributes:
    """Without what nobody sends, and Samba declares as it likes."""
    return replace(found, root_directory=None, object_name=None, security_descriptor=None)


def _descriptor(found: idl.LsaprSrSecurityDescriptor) -> idl.LsaprSrSecurityDescriptor:
    return replace(found, security_descriptor=_DESCRIPTOR)


def _accounts(found: idl.LsarEnumerateAccounts) -> idl.LsarEnumerateAccounts:
    """Samba takes the octets for a number of accounts, and has a limit for those."""
    return replace(found, prefered_maximum_length=8192)


def _record(found: idl.ForestTrustRecord) -> idl.ForestTrustRecord:
    """Samba knows scanned domains as opaque data."""
    return replace(found, forest_trust_type=2) if found.forest_trust_type == 4 else found


_AMEND: Final[dict[type[Ndr], Amend]] = {
    idl.ForestTrustRecord: _record,
    idl.LsaprObjectAttributes: _attributes,
    idl.LsaprSrSecurityDescriptor: _descriptor,
    idl.LsarEnumerateAccounts: _accounts,
}


def _tags(side: Ndr) -> set[int]:
    return {one.tag for name in side.__match_args__ if isinstance(one := getattr(side, name), Tagged)}


def _is_known(sample: Sample) -> bool:
    policy = sample.opnum in (7, 8, 46, 47)
    unknown = {15} if policy else _NEW_CLASSES if sample.opnum not in (53, 54) else {1}
    return not (_tags(sample.request) | _tags(sample.response)) & unknown


@pytest.mark.parametrize("opnum", sorted(LSARPC.operations.keys() - _UNKNOWN_TO_SAMBA))
def test_samba_reads_and_writes_the_same_stubs(opnum: int) -> None:
    one = Interface(LSARPC.name, LSARPC.uuid, LSARPC.version, {opnum: LSARPC.operations[opnum]})
    levels = {opnum: _LEVELS[opnum]} if opnum in _LEVELS else None
    samples = [found for found in made_up(one, levels=levels, amend=_AMEND) if _is_known(found)]
    if opnum in _NARROW:
        samples = [replace(found, syntaxes=(Syntax.NDR32,)) for found in samples]
    check_calls(one, "lsa", *samples)
