"""svcctl as it is on the wire, held against Samba's NDR in both transfer syntaxes."""

from addc.codec.ndr import NULL_HANDLE
from addc.rpc.interfaces.svcctl import idl
from addc.rpc.interfaces.svcctl.idl import SVCCTL
from addc.rpc.interfaces.svcctl.services import SERVICES
from tests.kit.ndr_oracle import Sample, check_calls, made_up
from tests.kit.samba_bindings import ask_samba

_SIZED = "a buffer of the size that was offered"
_TEXT = "Samba reads two arrays of octets as texts"
_LIST = """
from samba.dcerpc import svcctl
one = ndr_unpack(svcctl.ENUM_SERVICE_STATUSW, bytes.fromhex(given), allow_remaining=True)
answer = {"name": one.service_name, "display": one.display_name, "state": one.status.state}
"""


def test_stubs_are_samba_s() -> None:
    leave = {
        4: _SIZED,
        11: _TEXT,
        13: _SIZED,
        14: _SIZED,
        39: _SIZED,
        40: _SIZED,
        42: _SIZED,
        64: "not in Samba 4.17",
    }
    check_calls(SVCCTL, "svcctl", *made_up(SVCCTL, leave=leave))


def test_buffers_of_the_offered_size() -> None:
    handle = NULL_HANDLE
    check_calls(
        SVCCTL,
        "svcctl",
        Sample(
            4,
            idl.RQueryServiceObjectSecurity(handle, 4, 3),
            idl.RQueryServiceObjectSecurityResponse(b"abc", 3),
        ),
        Sample(
            14,
            idl.REnumServicesStatusW(handle, 48, 3, 5, 0),
            idl.REnumServicesStatusWResponse(b"abcde", 7, 1, 2),
        ),
        Sample(
            13,
            idl.REnumDependentServicesW(handle, 3, 5),
            idl.REnumDependentServicesWResponse(b"abcde", 7, 1),
        ),
        Sample(39, idl.RQueryServiceConfig2W(handle, 1, 3), idl.RQueryServiceConfig2WResponse(b"abc", 3)),
        Sample(
            11,
            idl.RChangeServiceConfigW(handle, 1, 2, 3, "a", "b", 4, None, "c", None, "d"),
            idl.RChangeServiceConfigWResponse(4),
        ),
        Sample(40, idl.RQueryServiceStatusEx(handle, 0, 3), idl.RQueryServiceStatusExResponse(b"abc", 3)),
        Sample(
            42,
            idl.REnumServicesStatusExW(handle, 0, 48, 3, 5, None, "a"),
            idl.REnumServicesStatusExWResponse(b"abcde", 7, 1, None),
        ),
    )


def test_samba_finds_a_service_in_a_list() -> None:
    service = SERVICES["ntds"]
    wire = idl.pack_services([(service.name, service.display, service.status.pack())], 300)
    assert ask_samba(_LIST, wire.hex()) == {"name": "NTDS", "display": service.display, "state": 4}
