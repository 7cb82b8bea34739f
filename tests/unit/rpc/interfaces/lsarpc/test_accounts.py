"""Privileges and the accounts that hold them over lsarpc; what a change means to the next logon."""

import pytest

from addc.codec.ndr import ContextHandle
from addc.codes.ntstatus import NtStatus
from addc.rpc.interfaces.lsarpc import idl
from addc.security import wellknown
from addc.security.account_rights import PRIVILEGES
from addc.security.token import Privilege
from tests.kit.lsa_desk import MAXIMUM, LsaClient, lsa_client

MACHINE_ACCOUNT = "SeMachineAccountPrivilege"


def _enumerated(lsa: LsaClient, size: int) -> list[str | None]:
    names: list[str | None] = []
    context = 0
    while True:
        request = idl.LsarEnumeratePrivileges(lsa.policy, context, size)
        found = lsa.ask(request, idl.LsarEnumeratePrivilegesResponse)
        if found.status == NtStatus.STATUS_NO_MORE_ENTRIES:
            return names
        assert found.status == NtStatus.STATUS_SUCCESS
        rows = found.enumeration_buffer.privileges or ()
        names += [one.name for one in rows]
        assert found.enumeration_context == context + len(rows)
        context = found.enumeration_context


@pytest.mark.parametrize("size", [0, 100, 0xFFFF])
def test_privileges_are_enumerated_in_pages_lsad_3_1_4_8_1(lsa: LsaClient, size: int) -> None:
    assert _enumerated(lsa, size) == [one.name for one in PRIVILEGES]


def test_privileges_by_name_by_number_and_in_words_lsad_3_1_4_8(lsa: LsaClient) -> None:
    value = lsa.done(
        idl.LsarLookupPrivilegeValue(lsa.policy, "sebackupprivilege"), idl.LsarLookupPrivilegeValueResponse
    )
    assert value.value == idl.Luid(17)
    name = lsa.done(
        idl.LsarLookupPrivilegeName(lsa.policy, idl.Luid(17)), idl.LsarLookupPrivilegeNameResponse
    )
    assert name.name == "SeBackupPrivilege"
    words = lsa.done(
        idl.LsarLookupPrivilegeDisplayName(lsa.policy, MACHINE_ACCOUNT, 0x407, 0x407),
        idl.LsarLookupPrivilegeDisplayNameResponse,
    )
    assert (words.display_name, words.language_returned) == ("Add workstations to domain", 0x409)
    for request in (
        idl.LsarLookupPrivilegeValue(lsa.policy, "SeNonsense"),
        idl.LsarLookupPrivilegeValue(lsa.policy, "SeNetworkLogonRight"),
        idl.LsarLookupPrivilegeName(lsa.policy, idl.Luid(17, 1)),
        idl.LsarLookupPrivilegeName(lsa.policy, idl.Luid(99)),
        idl.LsarLookupPrivilegeDisplayName(lsa.policy, "SeNonsense", 0, 0),
    ):
        assert lsa.refused(request) == NtStatus.STATUS_NO_SUCH_PRIVILEGE


def test_rights_given_and_taken_are_heeded_at_the_next_logon_lsad_3_1_4_5_11(lsa: LsaClient) -> None:
    corp = lsa.corp
    corp.user("ann")
    ann = corp.sid("CN=ann,CN=Users")
    assert lsa.add_rights(ann, "SeEnableDelegationPrivilege", "seDenyNetworkLogonRight") == 0
    assert set(lsa.rights_of(ann)) == {"SeEnableDelegationPrivilege", "SeDenyNetworkLogonRight"}
    assert corp.token("ann").has(Privilege.SE_ENABLE_DELEGATION)
    assert lsa.remove_rights(ann, "SeEnableDelegationPrivilege") == 0
    assert not corp.token("ann").has(Privilege.SE_ENABLE_DELEGATION)
    assert lsa.remove_rights(ann, all_rights=True) == 0
    request = idl.LsarEnumerateAccountRights(lsa.policy, ann)
    assert lsa.refused(request) == NtStatus.STATUS_OBJECT_NAME_NOT_FOUND
    assert lsa.remove_rights(ann, all_rights=True) == NtStatus.STATUS_OBJECT_NAME_NOT_FOUND


def test_adding_machines_can_be_taken_from_everybody(lsa: LsaClient) -> None:
    lsa.corp.user("ben")
    assert lsa.corp.token("ben").has(Privilege.SE_MACHINE_ACCOUNT)
    assert lsa.remove_rights(wellknown.AUTHENTICATED_USERS, MACHINE_ACCOUNT) == 0
    assert not lsa.corp.token("ben").has(Privilege.SE_MACHINE_ACCOUNT)


def test_unknown_rights_are_refused_as_a_whole(lsa: LsaClient) -> None:
    sid = lsa.corp.forest.domain_sid.child(4444)
    assert lsa.add_rights(sid, MACHINE_ACCOUNT, "SeNonsense") == NtStatus.STATUS_NO_SUCH_PRIVILEGE
    request = idl.LsarEnumerateAccountRights(lsa.policy, sid)
    assert lsa.refused(request) == NtStatus.STATUS_OBJECT_NAME_NOT_FOUND


def test_services_keep_what_they_need_lsad_3_1_4_5_12(lsa: LsaClient) -> None:
    for removed in (
        lsa.remove_rights(wellknown.LOCAL_SERVICE, "SeImpersonatePrivilege"),
        lsa.remove_rights(wellknown.NETWORK_SERVICE, all_rights=True),
    ):
        assert removed == NtStatus.STATUS_NOT_SUPPORTED


def _holders(lsa: LsaClient, right: str) -> idl.LsarEnumerateAccountsWithUserRightResponse:
    request = idl.LsarEnumerateAccountsWithUserRight(lsa.policy, right)
    return lsa.ask(request, idl.LsarEnumerateAccountsWithUserRightResponse)


def test_who_holds_a_right_lsad_3_1_4_5_9(lsa: LsaClient) -> None:
    found = _holders(lsa, MACHINE_ACCOUNT).enumeration_buffer.information
    assert found == (idl.SidPointer(wellknown.AUTHENTICATED_USERS),)
    assert _holders(lsa, "SeTcbPrivilege").status == NtStatus.STATUS_NO_MORE_ENTRIES
    assert _holders(lsa, "SeNonsense").status == NtStatus.STATUS_NO_SUCH_PRIVILEGE
    lsa.corp.user("cid")
    cid = lsa_client(lsa.desk, lsa.corp.token("cid"))
    assert _holders(cid, MACHINE_ACCOUNT).status == NtStatus.STATUS_ACCESS_DENIED


def test_accounts_are_enumerated_in_pages_lsad_3_1_4_5_2(lsa: LsaClient) -> None:
    request = idl.LsarEnumerateAccounts(lsa.policy, 0, 0xFFFF)
    every = lsa.done(request, idl.LsarEnumerateAccountsResponse).enumeration_buffer.information or ()
    assert idl.SidPointer(wellknown.BUILTIN_ADMINISTRATORS) in every
    one = lsa.done(idl.LsarEnumerateAccounts(lsa.policy, 2, 1), idl.LsarEnumerateAccountsResponse)
    assert one.enumeration_buffer.information == (every[2],)
    assert one.enumeration_context == 3
    behind = idl.LsarEnumerateAccounts(lsa.policy, len(every), 1000)
    assert lsa.refused(behind) == NtStatus.STATUS_NO_MORE_ENTRIES


def _account(lsa: LsaClient, rid: int, desired: int = MAXIMUM) -> ContextHandle:
    sid = lsa.corp.forest.domain_sid.child(rid)
    request = idl.LsarCreateAccount(lsa.policy, sid, desired)
    return lsa.done(request, idl.LsarCreateAccountResponse).account_handle


def _privileges(*luids: int) -> idl.LsaprPrivilegeSet:
    return idl.LsaprPrivilegeSet(0, tuple(idl.LuidAndAttributes(idl.Luid(luid)) for luid in luids))


def _held(lsa: LsaClient, handle: ContextHandle) -> list[int]:
    request = idl.LsarEnumeratePrivilegesAccount(handle)
    found = lsa.done(request, idl.LsarEnumeratePrivilegesAccountResponse).privileges
    assert found is not None
    return [one.luid.low_part for one in found.privilege]


def test_an_account_by_its_handle_lsad_3_1_4_5(lsa: LsaClient) -> None:
    handle = _account(lsa, 4001)
    lsa.done(idl.LsarAddPrivilegesToAccount(handle, _privileges(17, 18)))
    assert _held(lsa, handle) == [17, 18]
    lsa.done(idl.LsarRemovePrivilegesFromAccount(handle, 0, _privileges(17)))
    assert _held(lsa, handle) == [18]
    lsa.done(idl.LsarSetSystemAccessAccount(handle, 0x41))
    access = lsa.done(idl.LsarGetSystemAccessAccount(handle), idl.LsarGetSystemAccessAccountResponse)
    assert access.system_access == 0x41
    lsa.done(idl.LsarRemovePrivilegesFromAccount(handle, 1, None))
    assert _held(lsa, handle) == []
    for request in (
        idl.LsarRemovePrivilegesFromAccount(handle, 1, _privileges(17)),
        idl.LsarRemovePrivilegesFromAccount(handle, 0, None),
        idl.LsarAddPrivilegesToAccount(handle, _privileges(77)),
        idl.LsarSetSystemAccessAccount(handle, 0x8),
    ):
        assert lsa.refused(request) == NtStatus.STATUS_INVALID_PARAMETER


def test_there_is_one_account_object_of_a_sid(lsa: LsaClient) -> None:
    _account(lsa, 4002)
    again = idl.LsarCreateAccount(lsa.policy, lsa.corp.forest.domain_sid.child(4002), MAXIMUM)
    assert lsa.refused(again) == NtStatus.STATUS_OBJECT_NAME_COLLISION


def test_handles_to_deleted_accounts_are_handles_no_more_lsad_3_1_4_9_3(lsa: LsaClient) -> None:
    handle = _account(lsa, 4003)
    sid = lsa.corp.forest.domain_sid.child(4003)
    other = lsa.done(idl.LsarOpenAccount(lsa.policy, sid, MAXIMUM), idl.LsarOpenAccountResponse)
    lsa.done(idl.LsarDeleteObject(handle))
    for request in (
        idl.LsarEnumeratePrivilegesAccount(other.account_handle),
        idl.LsarAddPrivilegesToAccount(other.account_handle, _privileges(17)),
        idl.LsarDeleteObject(other.account_handle),
        idl.LsarQuerySecurityObject(other.account_handle, 4),
    ):
        assert lsa.refused(request) == NtStatus.STATUS_INVALID_HANDLE
    gone = idl.LsarOpenAccount(lsa.policy, sid, MAXIMUM)
    assert lsa.refused(gone) == NtStatus.STATUS_OBJECT_NAME_NOT_FOUND


def test_handles_of_another_kind_are_refused_lsad_3_1_4_1(lsa: LsaClient) -> None:
    handle = _account(lsa, 4004)
    for request in (
        idl.LsarQueryInformationPolicy2(handle, 12),
        idl.LsarEnumeratePrivilegesAccount(lsa.policy),
        idl.LsarSetSecret(handle, None, None),
        idl.LsarQueryInfoTrustedDomain(handle, 1),
    ):
        assert lsa.refused(request) == NtStatus.STATUS_INVALID_HANDLE
    assert lsa.refused(idl.LsarDeleteObject(lsa.policy)) == NtStatus.STATUS_INVALID_PARAMETER


def test_users_neither_see_nor_change_who_holds_what(lsa: LsaClient) -> None:
    lsa.corp.user("dan")
    dan = lsa_client(lsa.desk, lsa.corp.token("dan"))
    administrators = wellknown.BUILTIN_ADMINISTRATORS
    own = lsa.corp.sid("CN=dan,CN=Users")
    for request in (
        idl.LsarOpenAccount(dan.policy, administrators, 0x1),
        idl.LsarEnumerateAccountRights(dan.policy, administrators),
        idl.LsarCreateAccount(dan.policy, own, MAXIMUM),
    ):
        assert dan.refused(request) == NtStatus.STATUS_ACCESS_DENIED
    assert dan.add_rights(own, "SeDebugPrivilege") == NtStatus.STATUS_ACCESS_DENIED
    assert dan.add_rights(wellknown.EVERYONE, "SeDebugPrivilege") == NtStatus.STATUS_ACCESS_DENIED
    assert dan.remove_rights(administrators, all_rights=True) == NtStatus.STATUS_ACCESS_DENIED
    assert not lsa.corp.token("dan").has(Privilege.SE_DEBUG)
    assert lsa.corp.admin.has(Privilege.SE_DEBUG)
