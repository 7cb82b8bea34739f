"""State of replication over drsuapi, and asking for a run of the KCC. Spec: [MS-DRSR] 4.1.6, 4.1.13."""

from uuid import UUID

import pytest

from addc.base.errors import DsError
from addc.base.ids import AttId, Usn
from addc.codec.blobs import ReplUpToDateVector, RepsFrom, UpToDateCursor, dstime
from addc.codec.drs_options import DrsOption
from addc.codes.win32 import Win32
from addc.directory import kcc_runs, replica_links
from addc.directory.context import WriteContext
from addc.directory.draft import draft_of
from addc.directory.replication_failures import note_unreachable
from addc.directory.stamp import save
from addc.drs import idl
from addc.drs import idl_repl_info as info
from addc.drs.idl_repl_info import KccFlags, ReplInfo
from addc.drs.operations import SERVER
from addc.schema import attr
from addc.security import sddl
from addc.security.descriptor import map_generic
from addc.security.token import SYSTEM, Token
from tests.kit.corp import replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.rpc_desk import SEALED, RpcDesk

NOBODY = UUID(int=0)
OTHER = UUID("99999999-2222-3333-4444-555555555555")
FLAGS = DrsOption.DRS_WRIT_REP | DrsOption.DRS_DISABLE_AUTO_SYNC
_DENIED, _MISSING = Win32.ERROR_DS_DRA_ACCESS_DENIED, Win32.ERROR_DS_OBJ_NOT_FOUND
PARTNER = RepsFrom(
    f"{OTHER}._msdcs.corp.example.com", OTHER.bytes_le, replica_flags=int(FLAGS | DrsOption.DRS_SYNC_FORCED),
    usn_vector=(5, 0, 7), consecutive_failures=3, last_success_s=11, last_attempt_s=12,
    result_last_attempt=1722,
)  # fmt: skip


def execute(desk: RpcDesk, token: Token, flags: int = 0, task: int = 0) -> Win32:
    connection = desk.connect(token, SEALED)
    bound = connection.call(SERVER, idl.DrsBind(idl.NTDSAPI_CLIENT_GUID, None), idl.DrsBindResponse)
    asked = info.DrsExecuteKcc(bound.ph_drs, 1, info.DrsMsgKccExecuteV1(task, flags))
    return connection.call(SERVER, asked, info.DrsExecuteKccResponse).status


def ask(desk: RpcDesk, token: Token, request: info.GetReplInfoReq) -> info.DrsGetReplInfoResponse:
    connection = desk.connect(token, SEALED)
    bound = connection.call(SERVER, idl.DrsBind(idl.NTDSAPI_CLIENT_GUID, None), idl.DrsBindResponse)
    version = 1 if isinstance(request, info.DrsMsgGetReplInfoReqV1) else 2
    return connection.call(
        SERVER, info.DrsGetReplInfo(bound.ph_drs, version, request), info.DrsGetReplInfoResponse
    )


def of(kind: ReplInfo, dn: str | None = None, source: UUID = NOBODY) -> info.DrsMsgGetReplInfoReqV1:
    return info.DrsMsgGetReplInfoReqV1(kind, dn, source)


def put_partner(desk: RpcDesk) -> None:
    def work(ctx: WriteContext) -> None:
        head = ctx.tx.get(ctx.forest.config_nc)
        assert head is not None
        replica_links.keep_sources(ctx, head, [PARTNER])

    desk.corp.write(work, SYSTEM)


def put(desk: RpcDesk, dn: str, att: AttId, value: bytes) -> None:
    row = desk.corp.row(dn)

    def work(ctx: WriteContext) -> None:
        draft = draft_of(ctx, row)
        draft.put(att, value)
        save(ctx, draft)

    desk.corp.write(work, SYSTEM)


def neighbors(reply: info.DrsGetReplInfoResponse) -> tuple[info.DsReplNeighbor, ...]:
    assert reply.status == Win32.ERROR_SUCCESS and isinstance(reply.pmsg_out, info.DsReplNeighbors)
    return reply.pmsg_out.rg_neighbor


# --- 4.1.6 ---


def test_the_kcc_runs_before_the_answer(rpc_desk: RpcDesk) -> None:
    runs = []

    async def run() -> None:
        runs.append(1)

    rpc_desk.host.kcc = run
    assert execute(rpc_desk, rpc_desk.corp.admin) == Win32.ERROR_SUCCESS
    assert runs == [1]


def test_a_run_that_fails_says_why(rpc_desk: RpcDesk) -> None:
    async def run() -> None:
        raise DsError(Win32.ERROR_DS_BUSY, "busy")

    rpc_desk.host.kcc = run
    assert execute(rpc_desk, rpc_desk.corp.admin) == Win32.ERROR_DS_BUSY


def test_an_asynchronous_run_is_asked_for_and_answered_at_once(rpc_desk: RpcDesk) -> None:
    assert not rpc_desk.corp.read(kcc_runs.is_requested)
    status = execute(rpc_desk, rpc_desk.corp.admin, KccFlags.DS_KCC_FLAG_ASYNC_OP)
    assert status == Win32.ERROR_SUCCESS
    assert rpc_desk.corp.read(kcc_runs.is_requested)


def test_a_run_needs_the_right_to_manage_the_topology(rpc_desk: RpcDesk) -> None:
    """DS-Replication-Manage-Topology on the configuration."""
    rpc_desk.corp.user("mallory", "Pa55word.x")
    for flags in (0, KccFlags.DS_KCC_FLAG_ASYNC_OP):
        status = execute(rpc_desk, rpc_desk.corp.token("mallory"), flags)
        assert status == Win32.ERROR_DS_DRA_ACCESS_DENIED
    assert not rpc_desk.corp.read(kcc_runs.is_requested)


@pytest.mark.parametrize("name", ["mallory", "PC1$"])
def test_full_control_of_the_sites_is_no_right_to_a_run(rpc_desk: RpcDesk, name: str) -> None:
    """A site's administrator has the KCC look by what he changes, at its own pace; computers do not ask."""
    corp = rpc_desk.corp
    if name == "mallory":
        corp.user(name, "Pa55word.x")
    elif name == "PC1$":
        corp.add("CN=PC1,CN=Computers", "computer", SYSTEM, sAMAccountName=name, userAccountControl="4096")
    sites = f"CN=Sites,{CONFIG_DN}"
    sid = corp.token(name).user
    open_to = map_generic(
        sddl.parse(f"O:DAG:DAD:P(A;CI;GA;;;{sid})(A;;GA;;;DA)", rpc_desk.directory.forest.domain_sid)
    )
    corp.modify(sites, replace_values("nTSecurityDescriptor", open_to.pack()), requester=SYSTEM)
    corp.add(f"CN=His,{sites}", "site", corp.token(name))
    for flags in (0, KccFlags.DS_KCC_FLAG_ASYNC_OP):
        assert execute(rpc_desk, corp.token(name), flags) == _DENIED
    lists = ask(rpc_desk, corp.token(name), of(ReplInfo.DS_REPL_INFO_KCC_DSA_LINK_FAILURES))
    assert (lists.status, lists.pmsg_out) == (_DENIED, None)


def test_there_is_one_task(rpc_desk: RpcDesk) -> None:
    assert execute(rpc_desk, rpc_desk.corp.admin, task=1) == Win32.ERROR_INVALID_PARAMETER


def test_without_a_kcc_in_the_process_a_run_is_not_supported(rpc_desk: RpcDesk) -> None:
    assert execute(rpc_desk, rpc_desk.corp.admin) == Win32.ERROR_NOT_SUPPORTED


# --- 4.1.13 ---


def test_partners_of_all_naming_contexts(rpc_desk: RpcDesk) -> None:
    put_partner(rpc_desk)
    (one,) = neighbors(ask(rpc_desk, rpc_desk.corp.admin, of(ReplInfo.DS_REPL_INFO_NEIGHBORS)))
    assert one.psz_naming_context == CONFIG_DN
    assert one.uuid_naming_context_obj_guid.bytes_le == rpc_desk.corp.row(CONFIG_DN).guid
    assert one.uuid_source_dsa_obj_guid == OTHER
    assert one.psz_source_dsa_address == PARTNER.address
    assert one.dw_replica_flags == FLAGS, "DRS_SYNC_FORCED is not shown"
    assert (one.usn_last_obj_change_synced, one.usn_attribute_filter) == (5, 7)
    assert (one.dw_last_sync_result, one.c_num_consecutive_sync_failures) == (1722, 3)
    assert not neighbors(ask(rpc_desk, rpc_desk.corp.admin, of(ReplInfo.DS_REPL_INFO_REPSTO)))


def test_partners_of_one_naming_context_or_one_source(rpc_desk: RpcDesk) -> None:
    put_partner(rpc_desk)
    kind, admin = ReplInfo.DS_REPL_INFO_NEIGHBORS, rpc_desk.corp.admin
    (one,) = neighbors(ask(rpc_desk, admin, of(kind, CONFIG_DN)))
    assert not one.uuid_naming_context_obj_guid.int, "it was named in the request"
    assert not neighbors(ask(rpc_desk, admin, of(kind, DOMAIN_DN)))
    assert len(neighbors(ask(rpc_desk, admin, of(kind, None, OTHER)))) == 1
    assert not neighbors(ask(rpc_desk, admin, of(kind, None, UUID(int=5))))


@pytest.mark.parametrize("dn", ["CN=Users," + DOMAIN_DN, "DC=nowhere", "no name"])
def test_only_roots_of_naming_contexts_have_partners(rpc_desk: RpcDesk, dn: str) -> None:
    reply = ask(rpc_desk, rpc_desk.corp.admin, of(ReplInfo.DS_REPL_INFO_NEIGHBORS, dn))
    assert reply.status == Win32.ERROR_DS_DRA_BAD_NC


def test_cursors_in_each_form(rpc_desk: RpcDesk) -> None:
    vector = ReplUpToDateVector((UpToDateCursor(OTHER.bytes_le, Usn(4711), dstime(rpc_desk.corp.now)),))
    put(rpc_desk, DOMAIN_DN, attr.REPL_UP_TO_DATE_VECTOR, vector.pack())
    admin = rpc_desk.corp.admin
    own = rpc_desk.directory.forest.invocation_id
    reply = ask(rpc_desk, admin, of(ReplInfo.DS_REPL_INFO_CURSORS_3_FOR_NC, DOMAIN_DN)).pmsg_out
    assert isinstance(reply, info.DsReplCursors3)
    assert {one.uuid_source_dsa_invocation_id for one in reply.rg_cursor} == {own, OTHER}
    by_id = {one.uuid_source_dsa_invocation_id: one for one in reply.rg_cursor}
    assert by_id[OTHER].usn_attribute_filter == 4711 and by_id[OTHER].psz_source_dsa_dn is None
    assert (by_id[own].psz_source_dsa_dn or "").startswith("CN=NTDS Settings,CN=DC1")
    assert reply.dw_enumeration_context == info.NO_MORE
    second = info.DrsMsgGetReplInfoReqV2(
        ReplInfo.DS_REPL_INFO_CURSORS_2_FOR_NC, DOMAIN_DN, dw_enumeration_context=1
    )
    rest = ask(rpc_desk, admin, second).pmsg_out
    assert isinstance(rest, info.DsReplCursors2) and len(rest.rg_cursor) == 1
    first = ask(rpc_desk, admin, of(ReplInfo.DS_REPL_INFO_CURSORS_FOR_NC, DOMAIN_DN)).pmsg_out
    assert isinstance(first, info.DsReplCursors) and len(first.rg_cursor) == 2
    packed = ask(rpc_desk, admin, of(ReplInfo.DS_REPL_INFO_UPTODATE_VECTOR_V1, DOMAIN_DN)).pmsg_out
    assert isinstance(packed, info.UptodateVectorV1Ext) and len(packed.rg_cursors) == 2


def test_stamps_of_an_object(rpc_desk: RpcDesk) -> None:
    rpc_desk.corp.user("jane")
    dn, admin = rpc_desk.corp.dn("CN=jane,CN=Users"), rpc_desk.corp.admin
    reply = ask(rpc_desk, admin, of(ReplInfo.DS_REPL_INFO_METADATA_2_FOR_OBJ, dn)).pmsg_out
    assert isinstance(reply, info.DsReplObjMetaData2)
    stamp = next(one for one in reply.rg_meta_data if one.psz_attribute_name == "sAMAccountName")
    assert stamp.dw_version == 1 and (stamp.psz_last_originating_dsa_dn or "").startswith("CN=NTDS Settings")
    plain = ask(rpc_desk, admin, of(ReplInfo.DS_REPL_INFO_METADATA_FOR_OBJ, dn)).pmsg_out
    assert isinstance(plain, info.DsReplObjMetaData)
    assert len(plain.rg_meta_data) == len(reply.rg_meta_data)


def test_failures_as_the_kcc_knows_them(rpc_desk: RpcDesk) -> None:
    desk = rpc_desk
    desk.corp.write(lambda ctx: note_unreachable(ctx, OTHER.bytes_le, 1722), SYSTEM)
    desk.corp.write(lambda ctx: note_unreachable(ctx, OTHER.bytes_le, 1727), SYSTEM)
    reply = ask(desk, desk.corp.admin, of(ReplInfo.DS_REPL_INFO_KCC_DSA_CONNECT_FAILURES)).pmsg_out
    assert isinstance(reply, info.DsReplKccDsaFailures)
    (one,) = reply.rg_dsa_failure
    assert (one.uuid_dsa_obj_guid, one.c_num_failures, one.dw_last_result) == (OTHER, 2, 1727)
    assert (one.psz_dsa_dn, one.ftime_first_failure) == (None, int(desk.corp.now))
    links = ask(desk, desk.corp.admin, of(ReplInfo.DS_REPL_INFO_KCC_DSA_LINK_FAILURES)).pmsg_out
    assert links == info.DsReplKccDsaFailures()
    waiting = ask(desk, desk.corp.admin, of(ReplInfo.DS_REPL_INFO_PENDING_OPS)).pmsg_out
    assert waiting == info.DsReplPendingOps()


def test_failures_and_the_queue_are_for_those_who_manage_or_monitor_replication(rpc_desk: RpcDesk) -> None:
    rpc_desk.corp.user("mallory", "Pa55word.x")
    token = rpc_desk.corp.token("mallory")
    for number in (3, 4, 5):
        reply = ask(rpc_desk, token, of(ReplInfo(number)))
        assert (reply.status, reply.pmsg_out) == (Win32.ERROR_DS_DRA_ACCESS_DENIED, None), number


def test_state_is_also_for_those_who_can_read_the_attribute_and_for_nobody_else(rpc_desk: RpcDesk) -> None:
    corp = rpc_desk.corp
    corp.user("mallory", "Pa55word.x")
    assert ask(rpc_desk, corp.token("mallory"), of(ReplInfo.DS_REPL_INFO_NEIGHBORS)).status == 0
    closed = map_generic(sddl.parse("O:DAG:DAD:P(A;;GA;;;DA)", rpc_desk.directory.forest.domain_sid))
    corp.modify(DOMAIN_DN, replace_values("nTSecurityDescriptor", closed.pack()))
    token = corp.token("mallory")
    for kind in sorted(info.TOLD - {2, 9}):
        needs_name = kind in (1, 7, 8, 0xFFFF_FFFB)
        for dn in (None, DOMAIN_DN):
            reply = ask(rpc_desk, token, of(kind, dn))
            wanted = Win32.ERROR_INVALID_PARAMETER if needs_name and dn is None else _DENIED
            assert (reply.status, reply.pmsg_out) == (wanted, None), (kind, dn)
    for number in (2, 9):
        assert ask(rpc_desk, token, of(ReplInfo(number), DOMAIN_DN)).status in (_DENIED, _MISSING)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ReplInfo.DS_REPL_INFO_CLIENT_CONTEXTS, Win32.ERROR_NOT_SUPPORTED),
        (ReplInfo.DS_REPL_INFO_METADATA_FOR_ATTR_VALUE, Win32.ERROR_NOT_SUPPORTED),
        (ReplInfo(77), Win32.ERROR_INVALID_PARAMETER),
    ],
)
def test_kinds_that_are_not_told(rpc_desk: RpcDesk, kind: ReplInfo, status: Win32) -> None:
    assert ask(rpc_desk, rpc_desk.corp.admin, of(kind)).status == status


def test_nothing_follows_the_end(rpc_desk: RpcDesk) -> None:
    asked = info.DrsMsgGetReplInfoReqV2(
        ReplInfo.DS_REPL_INFO_CURSORS_3_FOR_NC, DOMAIN_DN, dw_enumeration_context=info.NO_MORE
    )
    assert ask(rpc_desk, rpc_desk.corp.admin, asked).status == Win32.ERROR_NO_MORE_ITEMS
