"""Modifies of the rootDSE: each operation, the right it needs, and what it refuses. [MS-ADTS] 3.1.1.3.3."""

from dataclasses import replace
from uuid import UUID

import pytest

from addc.codes.ldap_result import LdapResult
from addc.directory import fsmo, names
from addc.directory.context import WriteContext
from addc.directory.draft import draft_of
from addc.directory.stamp import save
from addc.ldap import messages as m
from addc.schema import attr
from addc.security.descriptor import SecurityDescriptor
from addc.security.sddl import parse
from addc.security.token import SYSTEM
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import Desk, LdapClient
from tests.unit.directory.test_hidden_paths import set_dacl

CLERK = "clerk@corp.example.com"
PASSWORD = "Str0ng-Passw0rd!"
SUCCESS, DENIED = LdapResult.SUCCESS, LdapResult.INSUFFICIENT_ACCESS_RIGHTS
UNWILLING, FAILED = LdapResult.UNWILLING_TO_PERFORM, LdapResult.OPERATIONS_ERROR
SOME_NAMES = f"CN=Guest,CN=Users,{DOMAIN_DN}:CN=Guest,CN=Users,{DOMAIN_DN}"


def operate(client: LdapClient, name: str, value: bytes = b"1", op: int = 0) -> m.LdapResultFields:
    change = m.Change(op, m.PartialAttribute(name, (value,)))
    return client.ask(m.ModifyRequest("", (change,)))


@pytest.fixture
def admin(desk: Desk) -> LdapClient:
    client = desk.connect(tls=True)
    assert client.bind().result_code == SUCCESS
    return client


@pytest.fixture
def clerk(desk: Desk) -> LdapClient:
    desk.corp.user("clerk", PASSWORD)
    client = desk.connect(tls=True)
    assert client.bind(CLERK, PASSWORD).result_code == SUCCESS
    return client


@pytest.mark.parametrize(
    "name",
    [
        "becomeDomainMaster", "becomeInfrastructureMaster", "becomeRidMaster", "becomeSchemaMaster",
        "checkPhantoms", "recalcHierarchy", "updateCachedMemberships", "invalidateGCConnection",
        "doLinkCleanup", "doOnlineDefrag", "null", "NULL",
    ],
)  # fmt: skip
def test_an_operation_that_leaves_nothing_to_do_succeeds(admin: LdapClient, name: str) -> None:
    assert operate(admin, name).result_code == SUCCESS


@pytest.mark.parametrize(
    "name",
    [
        "becomeDomainMaster", "becomeInfrastructureMaster", "becomePdc", "becomePdcWithCheckPoint",
        "becomeRidMaster", "becomeSchemaMaster", "checkPhantoms", "doGarbageCollection",
        "doGarbageCollectionPhantomsNow", "doLinkCleanup", "doOnlineDefrag", "dumpDatabase", "dumpLinks",
        "dumpLinksExtended", "dumpQuota", "dumpReferences", "dumpLDAPState", "invalidateGCConnection",
        "msDS-ProcessLinksAbandonOperation", "msDS-ProcessLinksScheduleOperation",
        "msDS-RunDeletedPhantomsWithLinksTask", "recalcHierarchy", "renewServerCertificate",
        "rODCPurgeAccount", "runSamUpgradeTasks", "schemaUpdateIndicesNow", "schemaUpgradeInProgress",
        "sidCompatibilityVersion", "sqmRunOnce", "updateCachedMemberships",
    ],
)  # fmt: skip
def test_who_lacks_the_right_is_denied(clerk: LdapClient, name: str) -> None:
    answer = operate(clerk, name)
    assert answer.result_code == DENIED
    assert answer.diagnostic_message.startswith("00000005: SecErr: DSID-")


@pytest.mark.parametrize("name", ["removeLingeringObject", "replicateSingleObject"])
def test_replication_is_asked_for_with_its_right_alone(clerk: LdapClient, name: str) -> None:
    assert operate(clerk, name, SOME_NAMES.encode()).result_code == DENIED


@pytest.mark.parametrize("name", ["dumpDatabase", "dumpLinks", "dumpQuota", "sqmRunOnce", "stopService"])
def test_what_would_leave_the_dc_is_refused_to_everybody(admin: LdapClient, name: str) -> None:
    assert operate(admin, name).result_code == UNWILLING


@pytest.mark.parametrize("name", ["nonsense", "description", "setPriorityBoost", "currentTime"])
def test_what_is_no_operation_is_refused(admin: LdapClient, name: str) -> None:
    assert operate(admin, name).result_code == UNWILLING


def test_the_anonymous_trigger_nothing(desk: Desk) -> None:
    answer = operate(desk.connect(), "null")
    assert answer.result_code == FAILED and answer.diagnostic_message.startswith("000004DC: LdapErr")


def test_an_operation_is_not_triggered_by_delete(admin: LdapClient) -> None:
    assert operate(admin, "null", op=1).result_code == UNWILLING
    assert operate(admin, "null", op=2).result_code == SUCCESS


@pytest.mark.parametrize("name", ["becomePdc", "becomePdcWithCheckPoint"])
def test_the_pdc_role_is_asked_for_with_the_domains_sid(desk: Desk, admin: LdapClient, name: str) -> None:
    assert operate(admin, name, b"1").result_code == UNWILLING
    assert operate(admin, name, bytes(desk.corp.forest.domain_sid)).result_code == SUCCESS


def grant(corp: Corp, dn: str, ace: str) -> None:
    """Put an ACE for the clerk first. ace: SDDL with {} for the SID."""
    old = SecurityDescriptor.unpack(corp.values(dn, "nTSecurityDescriptor")[0])
    assert old.dacl is not None
    new = parse("D:" + ace.format(corp.sid("CN=clerk,CN=Users")))
    assert new.dacl is not None
    dacl = replace(old.dacl, aces=new.dacl.aces + old.dacl.aces)
    corp.modify(dn, replace_values("nTSecurityDescriptor", replace(old, dacl=dacl).pack()), requester=SYSTEM)


def lend_role(corp: Corp, role: fsmo.Role) -> None:
    """Another object holds the role from now on."""

    def work(ctx: WriteContext) -> None:
        row = fsmo.role_object(ctx, role)
        assert row is not None
        draft = draft_of(ctx, row)
        draft.put(attr.FSMO_ROLE_OWNER, names.reference(ctx.forest.server_dnt))
        save(ctx, draft)

    corp.write(work)


def test_a_role_that_another_dc_holds_is_not_taken(desk: Desk, admin: LdapClient) -> None:
    lend_role(desk.corp, fsmo.NAMING_MASTER)
    answer = operate(admin, "becomeDomainMaster")
    assert answer.result_code == LdapResult.UNAVAILABLE
    assert answer.diagnostic_message.startswith("000020AF: SvcErr: DSID-")
    assert "problem 5002 (UNAVAILABLE)" in answer.diagnostic_message


def test_the_rid_master_role_needs_its_right_and_the_reference_to_be_readable(
    desk: Desk, clerk: LdapClient
) -> None:
    grant(desk.corp, f"CN=RID Manager$,CN=System,{DOMAIN_DN}", f"(OA;;CR;{fsmo.RID_MASTER.right};;{{}})")
    assert operate(clerk, "becomeRidMaster").result_code == SUCCESS
    reference = desk.corp.schema.attribute_by_id(attr.RID_MANAGER_REFERENCE)
    assert reference is not None
    guid = UUID(bytes_le=reference.schema_id_guid_wire)
    grant(desk.corp, DOMAIN_DN, f"(OD;;RP;{guid};;{{}})")
    assert operate(clerk, "becomeRidMaster").result_code == DENIED


def test_lingering_objects_need_the_other_dc(admin: LdapClient) -> None:
    answer = operate(admin, "removeLingeringObject", SOME_NAMES.encode())
    assert (answer.result_code, answer.diagnostic_message[:8]) == (FAILED, "00002095")
    answer = operate(admin, "removeLingeringObject", b"no names")
    assert (answer.result_code, answer.diagnostic_message[:8]) == (FAILED, "0000208D")
    assert operate(admin, "replicateSingleObject", SOME_NAMES.encode()).result_code == UNWILLING


def test_values_of_endless_names_are_not_looked_into(clerk: LdapClient) -> None:
    """Whoever is bound may ask, and the writer would try two names at every colon."""
    names_of_nothing = b"CN=a:" * 400_000
    answer = operate(clerk, "replicateSingleObject", names_of_nothing)
    assert (answer.result_code, answer.diagnostic_message[:8]) == (FAILED, "0000208D")


def test_no_operation_tells_of_hidden_objects(desk: Desk, clerk: LdapClient) -> None:
    """Whoever is bound may name a scope; one that he cannot see is as good as none."""
    desk.corp.add("OU=vault", "organizationalUnit")
    desk.corp.add("CN=safe,OU=vault", "container")
    set_dacl(desk.corp, "OU=vault", "")
    told = []
    for name in ("safe", "none"):
        value = f"CN={name},OU=vault,{DOMAIN_DN}:766ddcd8-acd0-445e-f3b9-a7f9b6744f2a".encode()
        answer = operate(clerk, "enableOptionalFeature", value)
        told.append((answer.result_code, answer.diagnostic_message))
    assert told[0] == told[1]


def test_a_writable_dc_purges_no_secrets(admin: LdapClient) -> None:
    answer = operate(admin, "rODCPurgeAccount", f"CN=Guest,CN=Users,{DOMAIN_DN}".encode())
    assert (answer.result_code, answer.diagnostic_message[:8]) == (FAILED, "00002095")


def test_sam_upgrade_tasks_run_when_the_pdc_calls_for_them(desk: Desk, admin: LdapClient) -> None:
    assert operate(admin, "runSamUpgradeTasks").result_code == FAILED

    def call(ctx: WriteContext) -> None:
        row = names.resolve(ctx, f"CN=Server,CN=System,{DOMAIN_DN}")
        draft = draft_of(ctx, row)
        guid = bytes.fromhex("6ACDD74F3F314AE396F62BBE6B2DB961")
        draft.put(attr.OTHER_WELL_KNOWN_OBJECTS, names.reference(ctx.forest.dsa_dnt, guid))
        save(ctx, draft)

    desk.corp.write(call)
    assert operate(admin, "runSamUpgradeTasks").result_code == SUCCESS


def test_a_wider_range_of_rids_is_never_narrowed(desk: Desk, admin: LdapClient) -> None:
    manager = f"CN=RID Manager$,CN=System,{DOMAIN_DN}"
    before = int(desk.corp.text(manager, "rIDAvailablePool"))
    assert operate(admin, "sidCompatibilityVersion", b"2").result_code == UNWILLING
    assert operate(admin, "sidCompatibilityVersion", b"1").result_code == SUCCESS
    assert int(desk.corp.text(manager, "rIDAvailablePool")) == 0x7FFFFFFF << 32 | before & 0xFFFFFFFF
    assert operate(admin, "sidCompatibilityVersion", b"0").result_code == UNWILLING


def test_a_schema_upgrade_is_a_matter_of_one_connection(desk: Desk, admin: LdapClient) -> None:
    other = desk.connect(tls=True)
    assert operate(admin, "schemaUpgradeInProgress", b"2").result_code == UNWILLING
    assert operate(admin, "schemaUpgradeInProgress", b"1").result_code == SUCCESS
    assert admin.protocol._session.schema_upgrade and not other.protocol._session.schema_upgrade
    assert operate(admin, "schemaUpgradeInProgress", b"0").result_code == SUCCESS
    assert not admin.protocol._session.schema_upgrade


def test_the_certificate_is_read_anew_before_the_answer(desk: Desk, admin: LdapClient) -> None:
    desk.service._renew_tls = lambda: b"tls-server-end-point:new"
    assert operate(admin, "renewServerCertificate").result_code == SUCCESS
    assert desk.service.channel_binding == b"tls-server-end-point:new"


def test_indices_wait_for_a_word_only_where_the_heuristic_says_so(admin: LdapClient) -> None:
    assert operate(admin, "schemaUpdateIndicesNow").result_code == UNWILLING


def test_one_refused_operation_refuses_all_of_its_modify(desk: Desk, admin: LdapClient) -> None:
    manager = f"CN=RID Manager$,CN=System,{DOMAIN_DN}"
    before = desk.corp.text(manager, "rIDAvailablePool")
    changes = tuple(
        m.Change(0, m.PartialAttribute(name, (b"1",))) for name in ("sidCompatibilityVersion", "nonsense")
    )
    assert admin.ask(m.ModifyRequest("", changes)).result_code == UNWILLING
    assert desk.corp.text(manager, "rIDAvailablePool") == before
