"""srvsvc as it is on the wire, held against Samba's NDR in both transfer syntaxes."""

from dataclasses import replace

from addc.codec.ndr import Ndr, Syntax, Tagged
from addc.rpc.interfaces.srvsvc import idl
from addc.rpc.interfaces.srvsvc.idl import SRVSVC
from addc.security import sddl
from tests.kit.ndr_oracle import Sample, check_calls, made_up
from tests.kit.ndr_values import Amend

LEVELS = {opnum: "level" for opnum in (10, 14, 16, 17, 21, 22)}
BY_HAND = {
    23: "a drive's name ends with NUL",
    31: "Samba has no such array",
    34: "not in Samba",
    39: "a real descriptor",
    40: "a real descriptor",
}
OWNED = sddl.parse("O:BA").pack()
UNKNOWN = {503, 103}
"""Levels that Samba does not have."""


def _known(sample: Sample) -> bool:
    """Whether Samba has the levels of a sample."""
    values = [
        getattr(side, name) for side in (sample.request, sample.response) for name in side.__match_args__
    ]
    return not any(isinstance(value, Tagged) and value.tag in UNKNOWN for value in values)


def _first_level(value: idl.ShareEnumStruct) -> idl.ShareEnumStruct:
    return replace(value, level=0, info=(idl.ShareInfo0("a"),)) if value.level == 503 else value


def _described(value: idl.ShareInfo502 | idl.ShareInfo1501) -> idl.ShareInfo502 | idl.ShareInfo1501:
    return replace(value, security_descriptor=OWNED)


def test_stubs_are_samba_s() -> None:
    amend: dict[type[Ndr], Amend] = {
        idl.ShareEnumStruct: _first_level,
        idl.ShareInfo502: _described,
        idl.ShareInfo1501: _described,
    }
    samples = made_up(SRVSVC, levels=LEVELS, leave=BY_HAND, amend=amend)
    # Level 503 of a server is what Samba has as well.
    check_calls(SRVSVC, "srvsvc", *filter(_known, samples))


def test_descriptors_and_drives() -> None:
    wire = idl.AdtSecurityDescriptor(OWNED)
    disks = idl.DiskEnumContainer((idl.DiskInfo("C:\0"),))
    check_calls(
        SRVSVC,
        "srvsvc",
        Sample(39, idl.NetrpGetFileSecurity("\\\\s", "a", "\\b", 4), idl.NetrpGetFileSecurityResponse(wire)),
        Sample(40, idl.NetrpSetFileSecurity(None, None, "\\b", 4, wire), idl.NetrpSetFileSecurityResponse()),
        Sample(
            23,
            idl.NetrServerDiskEnum(None, 0, idl.DiskEnumContainer(), 9, 0),
            idl.NetrServerDiskEnumResponse(disks, 1, 0),
            sees={"out_info.disks.0.disk": "C:"},
            # Samba has the offset and the length of a drive's name as members of 32 bits.
            syntaxes=(Syntax.NDR32,),
        ),
    )


def test_what_samba_sees_of_a_server() -> None:
    check_calls(
        SRVSVC,
        "srvsvc",
        Sample(
            21,
            idl.NetrServerGetInfo("\\\\dc1", 101),
            idl.NetrServerGetInfoResponse(Tagged(101, idl.ServerInfo101(500, "DC1", 10, 0, 0x80102B, "a"))),
            sees={"in_level": 101, "out_info.server_name": "DC1", "out_info.version_major": 10},
        ),
    )
