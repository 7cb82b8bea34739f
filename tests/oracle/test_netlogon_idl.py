"""Stubs of netlogon's operations, against Samba's NDR in C both ways."""

import struct
from typing import Final
from uuid import UUID

import pytest

from addc.codec.ids import Sid
from addc.codec.ndr import Ndr, Tagged
from addc.codec.pac import GroupMembership, KerbSidAndAttributes
from addc.rpc.interfaces.netlogon import idl
from tests.kit.samba_bindings import ask_samba

_SCRIPT: Final = """
from samba.dcerpc import netlogon
from samba import ndr
answer = {}
for index, (name, direction, stub, levels) in enumerate(given):
    call = getattr(netlogon, name)()
    ways = {"in": (ndr.ndr_unpack_in, ndr.ndr_pack_in), "out": (ndr.ndr_unpack_out, ndr.ndr_pack_out)}
    read, write = ways[direction]
    for member, value in levels.items():
        setattr(call, member, value)
    try:
        read(call, bytes.fromhex(stub))
        answer[str(index)] = [write(call).hex(), ""]
    except Exception as error:
        answer[str(index)] = ["", str(error)]
"""
SID: Final = Sid.parse("S-1-5-21-1-2-3")
GUID: Final = UUID("3d5e6d5f-9d3b-4f3a-8a3f-6d7a4a1f0c11")
AUTH: Final = idl.NetlogonAuthenticator(b"12345678", 0x5F5E100)
IDENTITY: Final = idl.NetlogonLogonIdentityInfo("CORP", 0xA20, 0x1122334455667788, "alice", "\\\\WS1")
NETWORK: Final = idl.NetlogonNetworkInfo(
    IDENTITY, b"challeng", idl.NlBytes(5, b"nnnnn"), idl.NlBytes(0, None)
)
SAM: Final = idl.NetlogonSamInfo(
    1, 2, 3, 4, 5, 6, "alice", "Alice", None, "", "home", "H:", 7, 8, 1105, 513,
    (GroupMembership(513, 7), GroupMembership(512, 7)), 0x20, bytes(range(16)), "DC1", "CORP", SID,
    b"lmlmlmlm", 0x10, 0, 11, 12, 13,
)  # fmt: skip
SIDS: Final = (KerbSidAndAttributes(SID.child(9), 7), KerbSidAndAttributes(SID.child(10), 7))
ONE: Final = idl.NetlogonOneDomainInfo("CORP", "corp.test", "corp.test", GUID, SID, "\x01\0" * 4)
OS: Final = struct.pack("<5I256s3HBB", 284, 10, 0, 26100, 2, b"", 0, 0, 0x100, 1, 0)
WKSTA: Final = idl.NetlogonWorkstationInfo(
    idl.NetlogonLsaPolicyInfo(None), "ws1.corp.test", "Site", None, None, None, None,
    OS.decode("utf-16-le"), "Windows", None, None, 3, 28,
)  # fmt: skip

CALLS: Final[tuple[tuple[str, str, Ndr], ...]] = (
    ("netr_ServerReqChallenge", "in", idl.NetrServerReqChallenge("\\\\DC1", "WS1", b"abcdefgh")),
    ("netr_ServerReqChallenge", "in", idl.NetrServerReqChallenge(None, "WS12", b"abcdefgh")),
    ("netr_ServerReqChallenge", "out", idl.NetrServerReqChallengeResponse(b"abcdefgh")),
    (
        "netr_ServerAuthenticate3",
        "in",
        idl.NetrServerAuthenticate3("DC1", "WS1$", 2, "WS1", b"abcdefgh", 0x612FFFFF),
    ),
    (
        "netr_ServerAuthenticate3",
        "out",
        idl.NetrServerAuthenticate3Response(b"abcdefgh", 0x612FFFFF, 1105),
    ),
    ("netr_ServerAuthenticate2", "in", idl.NetrServerAuthenticate2("D", "W$", 6, "W", b"abcdefgh", 1)),
    (
        "netr_ServerAuthenticate2",
        "out",
        idl.NetrServerAuthenticate2Response(b"abcdefgh", 0x612FFFFF),
    ),
    (
        "netr_AccountDeltas",
        "in",
        idl.NetrAccountDeltas("D", "W", AUTH, AUTH, idl.UasInfo0(bytes(range(16)), 1, 2), 3, 4, 5),
    ),
    ("netr_AccountDeltas", "out", idl.NetrAccountDeltasResponse(AUTH, b"", 1, 2, idl.UasInfo0())),
    # Samba sends LastRecordId as well, which [MS-NRPC] 3.5.4.10.4 has among the answers alone.
    ("netr_AccountSync", "out", idl.NetrAccountSyncResponse(AUTH, b"", 1, 2, 3, idl.UasInfo0())),
    ("netr_ServerAuthenticate", "in", idl.NetrServerAuthenticate("D", "W$", 6, "W", b"abcdefgh")),
    ("netr_ServerPasswordSet", "in", idl.NetrServerPasswordSet("D", "W$", 6, "W", AUTH, bytes(range(16)))),
    (
        "netr_ServerPasswordSet2",
        "in",
        idl.NetrServerPasswordSet2("D", "W$", 6, "W", AUTH, idl.NlTrustPassword(bytes(512), 9)),
    ),
    ("netr_ServerPasswordSet2", "out", idl.NetrServerPasswordSet2Response(AUTH)),
    (
        "netr_LogonGetCapabilities",
        "in",
        idl.NetrLogonGetCapabilities("DC1", "WS1", AUTH, AUTH, 1),
    ),
    (
        "netr_LogonGetCapabilities",
        "out",
        idl.NetrLogonGetCapabilitiesResponse(AUTH, Tagged(1, 0x612FFFFF)),
    ),
    (
        "netr_LogonSamLogonEx",
        "in",
        idl.NetrLogonSamLogonEx("\\\\DC1", "WS1", 6, Tagged(6, NETWORK), 6, 0),
    ),
    (
        "netr_LogonSamLogonEx",
        "in",
        idl.NetrLogonSamLogonEx(
            None, "WS", 1, Tagged(1, idl.NetlogonInteractiveInfo(IDENTITY, bytes(16), bytes(16))), 3, 1
        ),
    ),
    (
        "netr_LogonSamLogonEx",
        "in",
        idl.NetrLogonSamLogonEx(
            "D", "WS", 4, Tagged(4, idl.NetlogonGenericInfo(IDENTITY, "Kerberos", b"xyz")), 5, 1
        ),
    ),
    ("netr_LogonSamLogonEx", "out", idl.NetrLogonSamLogonExResponse(Tagged(2, SAM), 1, 0)),
    (
        "netr_LogonSamLogonEx",
        "out",
        idl.NetrLogonSamLogonExResponse(Tagged(3, idl.NetlogonSamInfo2(SAM, SIDS)), 1, 0),
    ),
    (
        "netr_LogonSamLogonEx",
        "out",
        idl.NetrLogonSamLogonExResponse(Tagged(6, idl.NetlogonSamInfo4(SAM, SIDS, "corp.test", "a@b")), 1, 0),
    ),
    ("netr_LogonSamLogonEx", "out", idl.NetrLogonSamLogonExResponse(Tagged(6, None), 1, 0)),
    ("netr_LogonSamLogonEx", "out", idl.NetrLogonSamLogonExResponse(idl.null_validation(52), 1, 0)),
    ("netr_LogonSamLogon", "out", idl.NetrLogonSamLogonResponse(AUTH, idl.null_validation(52), 1)),
    ("netr_LogonSamLogonEx", "in", idl.NetrLogonSamLogonEx("D", "W", 52, Tagged(52, b""), 52, 0)),
    (
        "netr_LogonSamLogonWithFlags",
        "in",
        idl.NetrLogonSamLogonWithFlags("D", "W", AUTH, AUTH, 2, Tagged(2, NETWORK), 3, 0),
    ),
    (
        "netr_LogonSamLogonWithFlags",
        "out",
        idl.NetrLogonSamLogonWithFlagsResponse(AUTH, Tagged(3, idl.NetlogonSamInfo2(SAM, None)), 1, 0),
    ),
    (
        "netr_LogonSamLogon",
        "in",
        idl.NetrLogonSamLogon("D", "W", AUTH, None, 2, Tagged(2, NETWORK), 3),
    ),
    ("netr_LogonSamLogoff", "in", idl.NetrLogonSamLogoff("D", "W", AUTH, AUTH, 2, Tagged(2, NETWORK))),
    (
        "netr_LogonGetDomainInfo",
        "in",
        idl.NetrLogonGetDomainInfo("DC1", "WS1", AUTH, AUTH, 1, Tagged(1, WKSTA)),
    ),
    (
        "netr_LogonGetDomainInfo",
        "out",
        idl.NetrLogonGetDomainInfoResponse(
            AUTH,
            Tagged(
                1,
                idl.NetlogonDomainInfo(
                    ONE, (ONE, ONE), idl.NetlogonLsaPolicyInfo(), "ws1.corp.test", None, None, None, 3, 28
                ),
            ),
        ),
    ),
    (
        "netr_DsRGetDCNameEx2",
        "in",
        idl.DsrGetDcNameEx2("\\\\DC1", "alice", 16, "corp.test", GUID, "Site", 0x40000000),
    ),
    (
        "netr_DsRGetDCNameEx2",
        "out",
        idl.DsrGetDcNameEx2Response(
            idl.DomainControllerInfo("\\\\DC1", "\\\\10.0.0.1", 1, GUID, "corp", "corp", 0x3FD, "Site", None)
        ),
    ),
    (
        "netr_DsRAddressToSitenamesExW",
        "in",
        idl.DsrAddressToSiteNamesExW(
            "D", (idl.NlSocketAddress(b"\2\0\0\0abcd"), idl.NlSocketAddress(b"\2\0\0\0abcdefgh"))
        ),
    ),
    (
        "netr_DsRAddressToSitenamesExW",
        "out",
        idl.DsrAddressToSiteNamesExWResponse(
            idl.NlSiteNameExArray(
                (idl.NlString("Site"), idl.NlString(None)), (idl.NlString("10.0.0.0/8"), idl.NlString(None))
            )
        ),
    ),
    (
        "netr_DsrEnumerateDomainTrusts",
        "out",
        idl.DsrEnumerateDomainTrustsResponse(
            idl.NetlogonTrustedDomainArray((idl.DsDomainTrusts("CORP", "corp.test", 29, 0, 2, 0, SID, GUID),))
        ),
    ),
    (
        "netr_NetrEnumerateTrustedDomains",
        "out",
        idl.NetrEnumerateTrustedDomainsResponse(idl.DomainNameBuffer("CORP\0\0".encode("utf-16-le"))),
    ),
    ("netr_LogonControl2Ex", "in", idl.NetrLogonControl2Ex("D", 6, 2, Tagged(6, "corp"))),
    ("netr_LogonControl2Ex", "in", idl.NetrLogonControl2Ex("D", 1, 1, Tagged(1, b""))),
    ("netr_LogonControl2Ex", "in", idl.NetrLogonControl2Ex("D", 0xFFFE, 1, Tagged(0xFFFE, 7))),
    (
        "netr_LogonControl2Ex",
        "out",
        idl.NetrLogonControl2ExResponse(Tagged(2, idl.NetlogonInfo2(0x80, 0, "\\\\dc", 0))),
    ),
    ("netr_LogonControl", "out", idl.NetrLogonControlResponse(Tagged(3, idl.NetlogonInfo3(0, 9)))),
    (
        "netr_GetForestTrustInformation",
        "out",
        idl.NetrGetForestTrustInformationResponse(
            AUTH,
            idl.LsaForestTrustInformation(
                (
                    idl.LsaForestTrustRecord(0, 0, 5, Tagged(0, idl.LsaTopLevelName("corp.test"))),
                    idl.LsaForestTrustRecord(
                        0, 2, 5, Tagged(2, idl.LsaForestTrustDomainInfo(SID, "corp.test", "CORP"))
                    ),
                )
            ),
        ),
    ),
    (
        "netr_ServerGetTrustInfo",
        "out",
        idl.NetrServerGetTrustInfoResponse(
            AUTH, bytes(range(16)), bytes(range(16)), idl.NlGenericRpcData((8,), None)
        ),
    ),
    ("netr_NetrLogonSendToSam", "in", idl.NetrLogonSendToSam("D", "W", AUTH, b"opaque!")),
    (
        "netr_DsrUpdateReadOnlyServerDnsRecords",
        "in",
        idl.DsrUpdateReadOnlyServerDnsRecords(
            "D", "W", AUTH, "Site", 600,
            idl.NlDnsNameInfoArray((idl.NlDnsNameInfo(22, "x", 1, 0, 100, 389, 1, 0),)),
        ),
    ),
    ("netr_GetDcName", "out", idl.NetrGetDCNameResponse("\\\\DC1")),
)  # fmt: skip


_SWITCHES: Final = {
    "validation_information": "in_validation_level",
    "capabilities": "in_query_level",
    "dom_buffer": "in_level",
    "buffer": "in_level",
}


def _levels(call: Ndr) -> dict[str, int]:
    """What Samba has to know of the request to read a response."""
    found = {}
    for member, switch in _SWITCHES.items():
        value = getattr(call, member, None)
        if isinstance(value, Tagged) and type(call).__name__.endswith("Response"):
            found[switch] = value.tag
    return found


@pytest.fixture(scope="module")
def told() -> dict[str, list[str]]:
    given = [(name, direction, call.pack().hex(), _levels(call)) for name, direction, call in CALLS]
    return ask_samba(_SCRIPT, given)  # type: ignore[return-value]


@pytest.mark.parametrize("index", range(len(CALLS)), ids=[f"{one[0]}-{one[1]}" for one in CALLS])
def test_samba_reads_what_is_written_and_its_bytes_are_read(told: dict[str, list[str]], index: int) -> None:
    """[MS-NRPC] 6: the same values on both sides."""
    _, _, call = CALLS[index]
    back, text = told[str(index)]
    assert type(call).unpack(bytes.fromhex(back)) == call, text
