"""SAM: groups and aliases and their members. [MS-SAMR] 3.1.5.4.2, 3.1.5.5.3, 3.1.5.6.2, 3.1.5.7 - 3.1.5.9."""

import pytest

from addc.codec.ids import Sid
from addc.codec.ndr import NULL_HANDLE, ContextHandle, Tagged
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.rpc.call import RpcFault
from addc.rpc.interfaces.samr import idl
from addc.security import wellknown
from tests.kit.sam_desk import MAXIMUM, SamClient, SamDesk

DENIED = NtStatus.STATUS_ACCESS_DENIED
OK = NtStatus.STATUS_SUCCESS
STRANGER = Sid.parse("S-1-5-21-9-9-9-1001")
ADMINISTRATORS = 544
EVERY_MEMBERSHIP = 7


@pytest.fixture
def staff(sam: SamDesk) -> SamDesk:
    """anna and bert, a global group and an alias of the domain."""
    sam.corp.user("anna", "Secr3t.Word")
    sam.corp.user("bert", "Secr3t.Word")
    sam.corp.group("staff")
    sam.corp.group("crew", -2147483644)
    return sam


def crew(client: SamClient, access: int = MAXIMUM) -> ContextHandle:
    return client.alias(client.corp.sid("CN=crew,CN=Users").rid(), access, builtin=False)


def staff_of(client: SamClient, access: int = MAXIMUM) -> ContextHandle:
    return client.ask(
        idl.SamrOpenGroup(client.domain(0x200), access, client.corp.sid("CN=staff,CN=Users").rid()),
        idl.SamrOpenGroupResponse,
    ).group_handle


def add_to_staff(client: SamClient, group: ContextHandle, name: str) -> NtStatus:
    return client.status(idl.SamrAddMemberToGroup(group, client.rid(name), EVERY_MEMBERSHIP))


def members(client: SamClient, group: ContextHandle) -> tuple[int, ...]:
    found = client.ask(idl.SamrGetMembersInGroup(group), idl.SamrGetMembersInGroupResponse).members
    assert found is not None and found.attributes == (EVERY_MEMBERSHIP,) * len(found.members or ())
    return tuple(found.members or ())


def sids(client: SamClient, alias: ContextHandle) -> list[Sid | None]:
    found = client.ask(idl.SamrGetMembersInAlias(alias), idl.SamrGetMembersInAliasResponse).members
    return [one.sid_pointer for one in found.sids or ()]


def array(*given: Sid | None) -> idl.PsidArray:
    return idl.PsidArray(tuple(idl.SidInformation(one) for one in given))


# --- made, asked, set, deleted -----------------------------------------------------------------------------


def test_groups_and_aliases_are_made_with_their_scope(sam: SamDesk) -> None:
    """3.1.5.4.2, 3.1.5.4.3."""
    client = sam.client()
    group = client.ask(
        idl.SamrCreateGroupInDomain(client.domain(), "crew", MAXIMUM), idl.SamrCreateGroupInDomainResponse
    )
    alias = client.ask(
        idl.SamrCreateAliasInDomain(client.domain(), "locals", MAXIMUM), idl.SamrCreateAliasInDomainResponse
    )
    assert sam.corp.text("CN=crew,CN=Users", "groupType") == "-2147483646"
    assert sam.corp.text("CN=locals,CN=Users", "groupType") == "-2147483644"
    assert sam.corp.sid("CN=crew,CN=Users").rid() == group.relative_id
    assert sam.corp.sid("CN=locals,CN=Users").rid() == alias.relative_id
    wrong = idl.SamrOpenAlias(client.domain(), MAXIMUM, group.relative_id)
    assert client.status(wrong) == NtStatus.STATUS_NO_SUCH_ALIAS
    wrong_group = idl.SamrOpenGroup(client.domain(), MAXIMUM, alias.relative_id)
    assert client.status(wrong_group) == NtStatus.STATUS_NO_SUCH_GROUP


def test_what_is_known_of_a_group(staff: SamDesk) -> None:
    """3.1.5.5.3: level 1 counts members, level 5 does not."""
    client = staff.client()
    group = staff_of(client)
    assert add_to_staff(client, group, "anna") == OK
    comment = Tagged(4, idl.GroupAdmCommentInformation("those who work"))
    assert client.status(idl.SamrSetInformationGroup(group, 4, comment)) == OK
    asked: dict[int, object] = {}
    for level in (1, 2, 3, 4, 5):
        found = client.ask(
            idl.SamrQueryInformationGroup(group, level), idl.SamrQueryInformationGroupResponse
        ).buffer
        assert found is not None
        asked[level] = found.value
    assert asked == {
        1: idl.GroupGeneralInformation("staff", EVERY_MEMBERSHIP, 1, "those who work"),
        2: idl.GroupNameInformation("staff"),
        3: idl.GroupAttributeInformation(EVERY_MEMBERSHIP),
        4: idl.GroupAdmCommentInformation("those who work"),
        5: idl.GroupGeneralInformation("staff", EVERY_MEMBERSHIP, 0, "those who work"),
    }
    assert client.status(idl.SamrQueryInformationGroup(group, 6)) == NtStatus.STATUS_INVALID_INFO_CLASS


def test_what_is_known_of_an_alias(staff: SamDesk) -> None:
    """3.1.5.5.4, 3.1.5.6.3."""
    client = staff.client()
    alias = crew(client)
    comment = Tagged(3, idl.AliasAdmCommentInformation("here"))
    assert client.status(idl.SamrSetInformationAlias(alias, 3, comment)) == OK
    name = Tagged(2, idl.AliasNameInformation("sailors"))
    assert client.status(idl.SamrSetInformationAlias(alias, 2, name)) == OK
    found = client.ask(idl.SamrQueryInformationAlias(alias, 1), idl.SamrQueryInformationAliasResponse).buffer
    assert found == Tagged(1, idl.AliasGeneralInformation("sailors", 0, "here"))
    assert client.status(idl.SamrQueryInformationAlias(alias, 9)) == NtStatus.STATUS_INVALID_INFO_CLASS


def test_a_taken_name_is_not_given_again(staff: SamDesk) -> None:
    client = staff.client()
    name = Tagged(2, idl.GroupNameInformation("crew"))
    assert client.status(idl.SamrSetInformationGroup(staff_of(client), 2, name)) != OK
    assert staff.corp.text("CN=staff,CN=Users", "sAMAccountName") == "staff"


def test_setting_a_group_needs_its_right_on_the_handle_and_in_the_directory(staff: SamDesk) -> None:
    client = staff.client()
    comment = Tagged(4, idl.GroupAdmCommentInformation("mine"))
    assert client.status(idl.SamrSetInformationGroup(staff_of(client, 0x1D), 4, comment)) == DENIED
    user = staff.client("anna")
    rid = staff.corp.sid("CN=staff,CN=Users").rid()
    for right in (0x2, 0x4, 0x8):
        assert user.status(idl.SamrOpenGroup(user.domain(0x200), right, rid)) == DENIED
    local = staff.corp.sid("CN=crew,CN=Users").rid()
    for right in (0x1, 0x2, 0x10):
        assert user.status(idl.SamrOpenAlias(user.domain(0x200), right, local)) == DENIED


def test_groups_are_deleted_with_their_handle(staff: SamDesk) -> None:
    """3.1.5.7.1, 3.1.5.7.2."""
    client = staff.client()
    rids = [int(staff.corp.sid(f"CN={name},CN=Users").rid()) for name in ("staff", "crew")]
    group, alias = staff_of(client), crew(client)
    assert client.ask(idl.SamrDeleteGroup(group), idl.SamrDeleteGroupResponse).group_handle == NULL_HANDLE
    assert client.ask(idl.SamrDeleteAlias(alias), idl.SamrDeleteAliasResponse).alias_handle == NULL_HANDLE
    opened = idl.SamrOpenGroup(client.domain(), MAXIMUM, rids[0])
    assert client.status(opened) == NtStatus.STATUS_NO_SUCH_GROUP
    with pytest.raises(RpcFault) as fault:
        client.status(idl.SamrQueryInformationGroup(group, 1))
    assert fault.value.status is NcaStatus.NCA_S_FAULT_CONTEXT_MISMATCH


def test_what_must_stay_is_not_deleted(staff: SamDesk) -> None:
    """3.1.5.7.1: special groups, and those that are somebody's primary group."""
    client = staff.client()
    users = client.ask(
        idl.SamrOpenGroup(client.domain(), MAXIMUM, 513), idl.SamrOpenGroupResponse
    ).group_handle
    assert client.status(idl.SamrDeleteGroup(users)) == NtStatus.STATUS_SPECIAL_ACCOUNT
    administrators = client.alias(ADMINISTRATORS)
    assert client.status(idl.SamrDeleteAlias(administrators)) == NtStatus.STATUS_SPECIAL_ACCOUNT
    group = staff_of(client)
    assert add_to_staff(client, group, "anna") == OK
    primary = idl.UserPrimaryGroupInformation(staff.corp.sid("CN=staff,CN=Users").rid())
    assert client.set(client.user("anna"), 9, primary) == OK
    assert client.status(idl.SamrDeleteGroup(group)) == NtStatus.STATUS_MEMBERS_PRIMARY_GROUP


def test_deleting_a_group_needs_the_right(staff: SamDesk) -> None:
    client = staff.client()
    assert client.status(idl.SamrDeleteGroup(staff_of(client, 0x1F))) == DENIED
    assert client.status(idl.SamrDeleteAlias(crew(client, 0x1F))) == DENIED


# --- members of groups -------------------------------------------------------------------------------------


def test_members_of_a_group_come_and_go_by_rid(staff: SamDesk) -> None:
    """3.1.5.8.1 - 3.1.5.8.3."""
    client = staff.client()
    group = staff_of(client)
    for name in ("anna", "bert"):
        assert add_to_staff(client, group, name) == OK
    assert sorted(members(client, group)) == sorted((client.rid("anna"), client.rid("bert")))
    assert add_to_staff(client, group, "anna") == NtStatus.STATUS_MEMBER_IN_GROUP
    gone = idl.SamrRemoveMemberFromGroup(group, client.rid("anna"))
    assert client.status(gone) == OK
    assert client.status(gone) == NtStatus.STATUS_MEMBER_NOT_IN_GROUP
    assert members(client, group) == (client.rid("bert"),)
    nobody = idl.SamrAddMemberToGroup(group, 99_999, EVERY_MEMBERSHIP)
    assert client.status(nobody) == NtStatus.STATUS_NO_SUCH_USER


def test_members_of_a_group_need_their_rights(staff: SamDesk) -> None:
    client = staff.client()
    rid = client.rid("anna")
    assert client.status(idl.SamrAddMemberToGroup(staff_of(client, 0x1B), rid, 7)) == DENIED
    assert client.status(idl.SamrRemoveMemberFromGroup(staff_of(client, 0x17), rid)) == DENIED
    assert client.status(idl.SamrGetMembersInGroup(staff_of(client, 0x0F))) == DENIED
    assert client.status(idl.SamrSetMemberAttributesOfGroup(staff_of(client, 0x1B), rid, 7)) == DENIED
    assert client.status(idl.SamrSetMemberAttributesOfGroup(staff_of(client, 0x04), rid, 7)) == OK


# --- members of aliases ------------------------------------------------------------------------------------


def test_members_of_an_alias_come_and_go_by_sid(staff: SamDesk) -> None:
    """3.1.5.8.4 - 3.1.5.8.6: strangers too."""
    client = staff.client()
    alias, anna = crew(client), staff.corp.token("anna").user
    for sid in (anna, STRANGER):
        assert client.status(idl.SamrAddMemberToAlias(alias, sid)) == OK
    assert set(sids(client, alias)) == {anna, STRANGER}
    twice = idl.SamrAddMemberToAlias(alias, anna)
    assert client.status(twice) == NtStatus.STATUS_MEMBER_IN_ALIAS
    nobody = staff.corp.forest.domain_sid.child(99_999)
    assert client.status(idl.SamrAddMemberToAlias(alias, nobody)) == NtStatus.STATUS_NO_SUCH_MEMBER
    gone = idl.SamrRemoveMemberFromAlias(alias, anna)
    assert client.status(gone) == OK
    assert client.status(gone) == NtStatus.STATUS_MEMBER_NOT_IN_ALIAS
    assert sids(client, alias) == [STRANGER]


def test_many_members_at_once_are_all_or_none(staff: SamDesk) -> None:
    """3.1.5.8.8, 3.1.5.8.9: one that is there already is no error, one that is nobody is."""
    client = staff.client()
    alias, anna, bert = crew(client), staff.corp.token("anna").user, staff.corp.token("bert").user
    nobody = staff.corp.forest.domain_sid.child(99_999)
    request = idl.SamrAddMultipleMembersToAlias(alias, array(anna, nobody))
    assert client.status(request) == NtStatus.STATUS_NO_SUCH_MEMBER
    assert sids(client, alias) == []
    assert client.status(idl.SamrAddMultipleMembersToAlias(alias, array(anna))) == OK
    assert client.status(idl.SamrAddMultipleMembersToAlias(alias, array(anna, bert))) == OK
    assert set(sids(client, alias)) == {anna, bert}
    assert client.status(idl.SamrRemoveMultipleMembersFromAlias(alias, array(anna, bert))) == OK
    assert client.status(idl.SamrRemoveMultipleMembersFromAlias(alias, array(anna))) == OK
    null = idl.SamrAddMultipleMembersToAlias(alias, array(None))
    assert client.status(null) == NtStatus.STATUS_INVALID_PARAMETER


def test_members_of_an_alias_need_their_rights(staff: SamDesk) -> None:
    client = staff.client()
    anna = staff.corp.token("anna").user
    without_add, without_remove = crew(client, 0x1E), crew(client, 0x1D)
    assert client.status(idl.SamrAddMemberToAlias(without_add, anna)) == DENIED
    assert client.status(idl.SamrAddMultipleMembersToAlias(without_add, array(anna))) == DENIED
    assert client.status(idl.SamrRemoveMemberFromAlias(without_remove, anna)) == DENIED
    assert client.status(idl.SamrRemoveMultipleMembersFromAlias(without_remove, array(anna))) == DENIED
    assert client.status(idl.SamrGetMembersInAlias(crew(client, 0x1B))) == DENIED


def test_nobody_makes_himself_an_administrator(staff: SamDesk) -> None:
    user = staff.client("anna")
    for right in (0x1, 0x2, 0x10):
        assert user.status(idl.SamrOpenAlias(user.builtin(0x200), right, ADMINISTRATORS)) == DENIED
    alias = user.alias(ADMINISTRATORS, 0x4)
    assert user.status(idl.SamrAddMemberToAlias(alias, staff.corp.token("anna").user)) == DENIED


# --- memberships -------------------------------------------------------------------------------------------


def test_groups_of_a_user_are_those_of_the_domain_and_the_primary_one(staff: SamDesk) -> None:
    """3.1.5.9.1: aliases are none of them."""
    client = staff.client()
    assert add_to_staff(client, staff_of(client), "anna") == OK
    assert client.status(idl.SamrAddMemberToAlias(crew(client), staff.corp.token("anna").user)) == OK
    asked = idl.SamrGetGroupsForUser(client.user("anna"))
    found = client.ask(asked, idl.SamrGetGroupsForUserResponse).groups
    assert found is not None
    staff_rid = staff.corp.sid("CN=staff,CN=Users").rid()
    assert {one.relative_id for one in found.groups or ()} == {513, staff_rid}
    assert client.status(idl.SamrGetGroupsForUser(client.user("anna", 0x1))) == DENIED


def test_aliases_of_many_sids(staff: SamDesk) -> None:
    """3.1.5.9.2: of the domain whose handle it is."""
    client = staff.client()
    anna = staff.corp.token("anna").user
    assert client.status(idl.SamrAddMemberToAlias(crew(client), anna)) == OK
    local = staff.corp.sid("CN=crew,CN=Users").rid()
    administrator = staff.corp.forest.domain_sid.child(500)
    for domain, expected in ((client.domain(), {local}), (client.builtin(), {ADMINISTRATORS})):
        found = client.ask(
            idl.SamrGetAliasMembership(domain, array(anna, administrator, STRANGER, wellknown.EVERYONE)),
            idl.SamrGetAliasMembershipResponse,
        )
        assert set(found.membership.element or ()) == expected
    request = idl.SamrGetAliasMembership(client.domain(0x200), array(anna))
    assert client.status(request) == DENIED


def test_foreign_members_are_not_removed_on_a_dc(staff: SamDesk) -> None:
    """3.1.5.8.7."""
    client = staff.client()
    alias = crew(client)
    assert client.status(idl.SamrAddMemberToAlias(alias, STRANGER)) == OK
    assert client.status(idl.SamrRemoveMemberFromForeignDomain(client.domain(), STRANGER)) == OK
    assert sids(client, alias) == [STRANGER]
    assert client.status(idl.SamrRemoveMemberFromForeignDomain(client.domain(0x100), STRANGER)) == DENIED
