"""Stubs of drsuapi about replication's state and the KCC, against Samba's NDR in C both ways."""

from dataclasses import replace
from typing import Final
from uuid import UUID

import pytest

from addc.codec.ndr import ContextHandle, Ndr
from addc.codes.win32 import Win32
from addc.drs import idl_repl_info as idl
from addc.drs.idl_repl_info import ReplInfo
from tests.kit.samba_bindings import ask_samba

_SCRIPT: Final = """
from samba.dcerpc import drsuapi
from samba import ndr
answer = {}
for index, (name, direction, stub, members) in enumerate(given):
    call = getattr(drsuapi, name)()
    ways = {"in": (ndr.ndr_unpack_in, ndr.ndr_pack_in), "out": (ndr.ndr_unpack_out, ndr.ndr_pack_out)}
    read, write = ways[direction]
    for member, value in members.items():
        setattr(call, member, value)
    try:
        read(call, bytes.fromhex(stub))
        answer[str(index)] = [write(call).hex(), ndr.ndr_print_out(call) if direction == "out" else ""]
    except Exception as error:
        answer[str(index)] = ["", str(error)]
"""
HANDLE: Final = ContextHandle(0, UUID("3d5e6d5f-9d3b-4f3a-8a3f-6d7a4a1f0c11"))
A: Final = UUID("11111111-2222-3333-4444-555555555555")
B: Final = UUID("66666666-7777-8888-9999-aaaaaaaaaaaa")
WHEN: Final = 134_000_000_000_000_000
V1: Final = idl.DrsMsgGetReplInfoReqV1(ReplInfo.DS_REPL_INFO_NEIGHBORS, "DC=corp,DC=example", A)
V2: Final = idl.DrsMsgGetReplInfoReqV2(
    ReplInfo.DS_REPL_INFO_CURSORS_3_FOR_NC, "DC=corp,DC=example", A, 1, "member", "CN=x", 1000
)
NEIGHBOR: Final = idl.DsReplNeighbor(
    "DC=corp", "CN=NTDS Settings,CN=a", "x._msdcs.corp", None, 0x70, A, B, A, UUID(int=0), 4711, 4712,
    WHEN, WHEN + 7, 8524, 3,
)  # fmt: skip
FAILURE: Final = idl.DsReplKccDsaFailure("CN=NTDS Settings,CN=a", A, WHEN, 4, 1722)
STAMP: Final = ("member", 3, WHEN, A, 5, 6)
REPLIES: Final[tuple[tuple[ReplInfo, idl.GetReplInfoReply], ...]] = (
    (
        ReplInfo.DS_REPL_INFO_NEIGHBORS,
        idl.DsReplNeighbors((NEIGHBOR, replace(NEIGHBOR, psz_naming_context="DC=other"))),
    ),
    (ReplInfo.DS_REPL_INFO_NEIGHBORS, idl.DsReplNeighbors()),
    (ReplInfo.DS_REPL_INFO_NEIGHBORS, None),
    (ReplInfo.DS_REPL_INFO_REPSTO, idl.DsReplNeighbors((NEIGHBOR,))),
    (
        ReplInfo.DS_REPL_INFO_CURSORS_FOR_NC,
        idl.DsReplCursors((idl.DsReplCursor(A, 1), idl.DsReplCursor(B, 2))),
    ),
    (ReplInfo.DS_REPL_INFO_CURSORS_2_FOR_NC, idl.DsReplCursors2(7, (idl.DsReplCursor2(A, 1, WHEN),))),
    (
        ReplInfo.DS_REPL_INFO_CURSORS_3_FOR_NC,
        idl.DsReplCursors3(
            idl.NO_MORE, (idl.DsReplCursor3(A, 1, WHEN, "CN=a"), idl.DsReplCursor3(B, 2, WHEN, None))
        ),
    ),
    (
        ReplInfo.DS_REPL_INFO_METADATA_FOR_OBJ,
        idl.DsReplObjMetaData((idl.DsReplAttrMetaData(*STAMP), idl.DsReplAttrMetaData(*STAMP))),
    ),
    (
        ReplInfo.DS_REPL_INFO_METADATA_2_FOR_OBJ,
        idl.DsReplObjMetaData2((idl.DsReplAttrMetaData2(*STAMP, "CN=a"),)),
    ),
    (
        ReplInfo.DS_REPL_INFO_KCC_DSA_CONNECT_FAILURES,
        idl.DsReplKccDsaFailures((FAILURE, replace(FAILURE, psz_dsa_dn=None))),
    ),
    (ReplInfo.DS_REPL_INFO_KCC_DSA_LINK_FAILURES, idl.DsReplKccDsaFailures((FAILURE,))),
    (ReplInfo.DS_REPL_INFO_PENDING_OPS, idl.DsReplPendingOps()),
    (
        ReplInfo.DS_REPL_INFO_PENDING_OPS,
        idl.DsReplPendingOps(WHEN, (idl.DsReplOp(WHEN, 1, 2, 3, 4, "DC=a", "CN=b", "c", A, B),)),
    ),
    (ReplInfo.DS_REPL_INFO_UPTODATE_VECTOR_V1, idl.UptodateVectorV1Ext((idl.DsReplCursor(A, 1),))),
)
CALLS: Final[tuple[tuple[str, str, Ndr], ...]] = (
    ("DsExecuteKCC", "in", idl.DrsExecuteKcc(HANDLE, 1, idl.DrsMsgKccExecuteV1(0, 3))),
    ("DsExecuteKCC", "out", idl.DrsExecuteKccResponse(Win32.ERROR_DS_DRA_ACCESS_DENIED)),
    ("DsReplicaGetInfo", "in", idl.DrsGetReplInfo(HANDLE, 1, V1)),
    ("DsReplicaGetInfo", "in", idl.DrsGetReplInfo(HANDLE, 1, idl.DrsMsgGetReplInfoReqV1(V1.info_type))),
    ("DsReplicaGetInfo", "in", idl.DrsGetReplInfo(HANDLE, 2, V2)),
    *(("DsReplicaGetInfo", "out", idl.DrsGetReplInfoResponse(kind, reply)) for kind, reply in REPLIES),
)


@pytest.fixture(scope="module")
def told() -> dict[str, list[str]]:
    given = [[name, direction, call.pack().hex(), {}] for name, direction, call in CALLS]
    return ask_samba(_SCRIPT, given)  # type: ignore[return-value]


@pytest.mark.parametrize("index", range(len(CALLS)))
def test_samba_reads_what_is_written_and_its_bytes_are_read(told: dict[str, list[str]], index: int) -> None:
    """[MS-DRSR] 4.1.6.1, 4.1.13.1: the same values on both sides."""
    _, _, call = CALLS[index]
    back, text = told[str(index)]
    assert type(call).unpack(bytes.fromhex(back)) == call, text


def test_samba_names_the_fields_as_we_do(told: dict[str, list[str]]) -> None:
    text = told[str(len(CALLS) - len(REPLIES))][1]
    assert "DC=other" in text and "consecutive_sync_failures: 0x00000003" in text
    assert "naming_context_obj_guid  : 11111111-2222-3333-4444-555555555555" in text
