"""The policy object over lsarpc: opening, asking, setting, descriptors; and who is refused."""

from uuid import UUID

import pytest

from addc.codec.ndr import NULL_HANDLE, ContextHandle, Tagged
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.directory import kerberos_policy
from addc.rpc.call import AuthLevel, AuthType, RpcFault, Transport
from addc.rpc.interfaces.lsarpc import idl
from addc.rpc.interfaces.lsarpc.idl import PolicyInformationClass as Class
from addc.rpc.interfaces.lsarpc.operations import SERVER
from addc.rpc.interfaces.lsarpc.policy import FEATURES
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import ANONYMOUS
from tests.kit.lsa_desk import MAXIMUM, LsaClient, lsa_client
from tests.kit.rpc_desk import SEALED, undefaulted

VIEW_LOCAL, LOOKUP_NAMES, VIEW_AUDIT = 0x1, 0x800, 0x2


def test_every_opnum_that_is_declared_is_answered() -> None:
    assert SERVER.interface.operations.keys() == SERVER.answers.keys()
    assert undefaulted(SERVER.interface) == []


def test_the_domain_as_a_joining_machine_asks_for_it_w_join_16(lsa: LsaClient) -> None:
    forest = lsa.corp.forest
    dns = lsa.query(Class.DNS_DOMAIN)
    assert dns == idl.PolicyDnsDomainInfo(
        forest.netbios, forest.dns_domain, forest.dns_forest, forest.domain_guid, forest.domain_sid
    )
    for one in (Class.PRIMARY_DOMAIN, Class.ACCOUNT_DOMAIN, Class.LOCAL_ACCOUNT_DOMAIN):
        assert lsa.query(one) == idl.LsaprTrustInformation(forest.netbios, forest.domain_sid)
    assert lsa.query(Class.LSA_SERVER_ROLE) == idl.PolicyLsaServerRoleInfo(3)
    assert lsa.query(Class.DEFAULT_QUOTA) == idl.PolicyDefaultQuotaInfo()
    machine = lsa.query(Class.MACHINE_ACCOUNT)
    assert isinstance(machine, idl.PolicyMachineAcctInfo)
    assert machine.sid == forest.domain_sid.child(machine.rid)


@pytest.mark.parametrize("one", [9, 10, 11, 16, 0, 99])
def test_classes_that_cannot_be_queried_lsad_3_1_4_4_3(lsa: LsaClient, one: int) -> None:
    assert lsa.refused(idl.LsarQueryInformationPolicy(lsa.policy, one)) == NtStatus.STATUS_INVALID_PARAMETER


def test_open_policy3_tells_what_is_supported_lsad_3_1_4_4_9(lsa: LsaClient) -> None:
    ask = Tagged(1, idl.RevisionInfoV1())
    request = idl.LsarOpenPolicy3(None, idl.LsaprObjectAttributes(), MAXIMUM, 1, ask)
    found = lsa.done(request, idl.LsarOpenPolicy3Response)
    assert found.out_revision_info == Tagged(1, idl.RevisionInfoV1(1, FEATURES))
    assert found.policy_handle != NULL_HANDLE
    other = idl.LsarOpenPolicy3(None, idl.LsaprObjectAttributes(), MAXIMUM, 2, Tagged(2, b""))
    assert lsa.refused(other) == NtStatus.STATUS_NOT_SUPPORTED


def test_a_root_directory_or_no_right_at_all_is_refused(lsa: LsaClient) -> None:
    rooted = idl.LsarOpenPolicy2(None, idl.LsaprObjectAttributes(root_directory=1), MAXIMUM)
    assert lsa.refused(rooted) == NtStatus.STATUS_INVALID_PARAMETER
    assert lsa.open_policy(0).status == NtStatus.STATUS_INVALID_PARAMETER


def test_policies_are_not_opened_over_tcp_lsad_2_1(lsa: LsaClient) -> None:
    lsa.rpc.transport, lsa.rpc.security = Transport.TCP, SEALED
    with pytest.raises(RpcFault) as refused:
        lsa.open_policy(MAXIMUM)
    assert refused.value.status == NcaStatus.NCA_S_FAULT_ACCESS_DENIED
    ask = Tagged(1, idl.RevisionInfoV1())
    with_creds = idl.LsarOpenPolicyWithCreds(idl.LsaprObjectAttributes(), MAXIMUM, 1, ask)
    lsa.done(with_creds)
    lsa.rpc.token = ANONYMOUS
    assert lsa.refused(with_creds) == NtStatus.STATUS_ACCESS_DENIED


def test_connect_level_is_refused_lsad_2_1(lsa: LsaClient) -> None:
    client = lsa.rpc.secured(AuthLevel.CONNECT, AuthType.WINNT)
    with pytest.raises(RpcFault) as refused:
        client.call(SERVER, idl.LsarQueryInformationPolicy2(lsa.policy, Class.DNS_DOMAIN))
    assert refused.value.status == NcaStatus.NCA_S_FAULT_ACCESS_DENIED


def test_users_look_and_do_not_touch_lsad_3_1_1_1(lsa: LsaClient) -> None:
    lsa.corp.user("ann")
    ann = lsa_client(lsa.desk, lsa.corp.token("ann"))
    assert isinstance(ann.query(Class.DNS_DOMAIN), idl.PolicyDnsDomainInfo)
    audit = idl.LsarQueryInformationPolicy2(ann.policy, Class.AUDIT_EVENTS)
    assert ann.refused(audit) == NtStatus.STATUS_ACCESS_DENIED
    assert ann.open_policy(VIEW_AUDIT).status == NtStatus.STATUS_ACCESS_DENIED
    assert ann.open_policy(0x10).status == NtStatus.STATUS_ACCESS_DENIED


def test_nobody_in_particular_sees_the_domain_and_no_names(lsa: LsaClient) -> None:
    nobody = lsa_client(lsa.desk, ANONYMOUS, VIEW_LOCAL)
    assert isinstance(nobody.query(Class.DNS_DOMAIN), idl.PolicyDnsDomainInfo)
    assert nobody.open_policy(LOOKUP_NAMES).status == NtStatus.STATUS_ACCESS_DENIED
    most = lsa_client(lsa.desk, ANONYMOUS)
    sid = lsa.corp.forest.domain_sid.child(500)
    assert most.names(sid).status == NtStatus.STATUS_ACCESS_DENIED
    assert most.sids("Administrator").status == NtStatus.STATUS_ACCESS_DENIED
    for request in (
        idl.LsarEnumerateAccounts(most.policy, 0, 1000),
        idl.LsarEnumerateTrustedDomainsEx(most.policy, 0, 1000),
        idl.LsarQueryInformationPolicy2(most.policy, Class.AUDIT_LOG),
    ):
        assert most.refused(request) == NtStatus.STATUS_ACCESS_DENIED


def test_a_handle_does_what_it_was_opened_for_alone_lsad_3_1_4_2_2(lsa: LsaClient) -> None:
    narrow = lsa_client(lsa.desk, lsa.corp.admin, VIEW_LOCAL)
    for request in (
        idl.LsarQueryInformationPolicy2(narrow.policy, Class.AUDIT_LOG),
        idl.LsarLookupPrivilegeName(narrow.policy, idl.Luid(20)),
        idl.LsarCreateAccount(narrow.policy, narrow.corp.forest.domain_sid.child(5555), MAXIMUM),
        idl.LsarCreateSecret(narrow.policy, "G$x", MAXIMUM),
    ):
        assert narrow.refused(request) == NtStatus.STATUS_ACCESS_DENIED


def test_strange_and_closed_handles_are_no_handles(lsa: LsaClient) -> None:
    closed = lsa.done(idl.LsarClose(lsa.policy), idl.LsarCloseResponse)
    assert closed.object_handle == NULL_HANDLE
    for handle in (lsa.policy, NULL_HANDLE, ContextHandle(0, UUID(int=7))):
        with pytest.raises(RpcFault) as refused:
            lsa.ask(idl.LsarClose(handle))
        assert refused.value.status == NcaStatus.NCA_S_FAULT_CONTEXT_MISMATCH


def test_what_is_audited_can_be_set_lsad_2_2_4_4(lsa: LsaClient) -> None:
    def put(*options: int) -> NtStatus:
        info = Tagged(Class.AUDIT_EVENTS, idl.PolicyAuditEventsInfo(1, options))
        request = idl.LsarSetInformationPolicy2(lsa.policy, Class.AUDIT_EVENTS, info)
        return lsa.ask(request, idl.LsarSetInformationPolicy2Response).status

    assert put(1, 2, 3, 0, 0, 0, 0, 0, 0) == NtStatus.STATUS_SUCCESS
    assert put(0, 4, 4 | 1, 2) == NtStatus.STATUS_SUCCESS
    found = lsa.query(Class.AUDIT_EVENTS)
    assert found == idl.PolicyAuditEventsInfo(1, (1, 0, 1, 2, 0, 0, 0, 0, 0))
    assert put(8) == NtStatus.STATUS_INVALID_PARAMETER


def test_a_domain_controller_is_not_renamed_so(lsa: LsaClient) -> None:
    same = Tagged(Class.PRIMARY_DOMAIN, lsa.query(Class.PRIMARY_DOMAIN))
    lsa.done(idl.LsarSetInformationPolicy(lsa.policy, Class.PRIMARY_DOMAIN, same))
    other = Tagged(Class.PRIMARY_DOMAIN, idl.LsaprTrustInformation("OTHER", None))
    request = idl.LsarSetInformationPolicy(lsa.policy, Class.PRIMARY_DOMAIN, other)
    assert lsa.refused(request) == NtStatus.STATUS_NOT_SUPPORTED


def test_the_kerberos_policy_is_the_kdcs_own_lsad_3_1_4_4_8(lsa: LsaClient) -> None:
    asked = idl.LsarQueryDomainInformationPolicy(lsa.policy, 3)
    found = lsa.done(asked, idl.LsarQueryDomainInformationPolicyResponse).policy_domain_information
    assert found is not None
    info = found.value
    assert isinstance(info, idl.PolicyDomainKerberosTicketInfo)
    assert info.max_ticket_age == 10 * 36_000_000_000
    changed = idl.PolicyDomainKerberosTicketInfo(
        0,
        info.max_service_ticket_age // 2,
        info.max_ticket_age // 2,
        info.max_renew_age,
        info.max_clock_skew,
    )
    lsa.done(idl.LsarSetDomainInformationPolicy(lsa.policy, 3, Tagged(3, changed)))
    assert lsa.corp.read(kerberos_policy.read).max_ticket_age_h == 5
    assert not lsa.corp.read(kerberos_policy.read).validate_client
    senseless = idl.PolicyDomainKerberosTicketInfo(0, 0, 0, 0, 0)
    request = idl.LsarSetDomainInformationPolicy(lsa.policy, 3, Tagged(3, senseless))
    assert lsa.refused(request) == NtStatus.STATUS_INVALID_PARAMETER
    lsa.corp.user("ben")
    ben = lsa_client(lsa.desk, lsa.corp.token("ben"))
    denied = idl.LsarSetDomainInformationPolicy(ben.policy, 3, Tagged(3, changed))
    assert ben.refused(denied) == NtStatus.STATUS_ACCESS_DENIED


def test_an_efs_policy_is_kept_as_it_is_given(lsa: LsaClient) -> None:
    asked = idl.LsarQueryDomainInformationPolicy(lsa.policy, 2)
    assert lsa.refused(asked) == NtStatus.STATUS_OBJECT_NAME_NOT_FOUND
    blob = Tagged(2, idl.PolicyDomainEfsInfo(b"recovery"))
    lsa.done(idl.LsarSetDomainInformationPolicy(lsa.policy, 2, blob))
    found = lsa.done(asked, idl.LsarQueryDomainInformationPolicyResponse)
    assert found.policy_domain_information == blob


def test_the_policy_objects_descriptor_decides_at_once_lsad_3_1_4_9(lsa: LsaClient) -> None:
    asked = idl.LsarQuerySecurityObject(lsa.policy, 4)
    found = lsa.done(asked, idl.LsarQuerySecurityObjectResponse).security_descriptor
    assert found is not None
    assert found.security_descriptor is not None
    sd = SecurityDescriptor.unpack(found.security_descriptor)
    assert sd.owner is None
    assert sd.dacl is not None
    assert len(sd.dacl.aces) == 7
    closed = bytes.fromhex("0100048000000000000000000000000014000000") + bytes.fromhex("0200080000000000")
    request = idl.LsarSetSecurityObject(lsa.policy, 4, idl.LsaprSrSecurityDescriptor(closed))
    lsa.corp.user("cid")
    cid = lsa_client(lsa.desk, lsa.corp.token("cid"))
    assert cid.refused(idl.LsarSetSecurityObject(cid.policy, 4, idl.LsaprSrSecurityDescriptor(closed))) == (
        NtStatus.STATUS_ACCESS_DENIED
    )
    lsa.done(request)
    assert cid.open_policy(VIEW_LOCAL).status == NtStatus.STATUS_ACCESS_DENIED
    bad = idl.LsarSetSecurityObject(lsa.policy, 4, idl.LsaprSrSecurityDescriptor(b"nonsense"))
    assert lsa.refused(bad) == NtStatus.STATUS_INVALID_SECURITY_DESCR
