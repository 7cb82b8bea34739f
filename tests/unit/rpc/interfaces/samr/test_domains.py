"""SAM: what a domain tells of itself and lets be set; [MS-SAMR] 3.1.5.5.1, 3.1.5.6.1, 3.1.5.13.3-4."""

import pytest

from addc.codec.ndr import ContextHandle, Tagged
from addc.codes.ntstatus import NtStatus
from addc.rpc.interfaces.samr import idl
from addc.security.token import ANONYMOUS
from tests.kit.sam_desk import SamClient, SamDesk

DENIED = NtStatus.STATUS_ACCESS_DENIED
OK = NtStatus.STATUS_SUCCESS
DAY = 864_000_000_000


def asked(client: SamClient, domain: ContextHandle, level: int) -> object:
    found = client.ask(
        idl.SamrQueryInformationDomain(domain, level), idl.SamrQueryInformationDomainResponse
    ).buffer
    assert found is not None and found.tag == level
    return found.value


def put(client: SamClient, domain: ContextHandle, level: int, value: object) -> NtStatus:
    return client.status(idl.SamrSetInformationDomain(domain, level, Tagged(level, value)))


def policy(minimum_length: int = 9, *, longest: int = -42 * DAY, shortest: int = -DAY) -> object:
    return idl.DomainPasswordInformation(minimum_length, 5, 1, longest, shortest)


def test_every_level_answers_and_parts_agree_with_the_whole(sam: SamDesk) -> None:
    client = sam.client()
    domain = client.domain()
    found = {level: asked(client, domain, level) for level in (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13)}
    general = found[2]
    assert isinstance(general, idl.DomainGeneralInformation)
    assert general.domain_name == sam.corp.forest.netbios and general.domain_server_role == 3
    assert found[5] == idl.DomainNameInformation(general.domain_name)
    assert found[7] == idl.DomainServerRoleInformation(3)
    assert found[9] == idl.DomainStateInformation(1)
    lockout = found[12]
    assert isinstance(lockout, idl.DomainLockoutInformation)
    assert found[11] == idl.DomainGeneralInformation2(
        general, lockout.lockout_duration, lockout.lockout_observation_window, lockout.lockout_threshold
    )
    assert asked(client, client.builtin(), 5) == idl.DomainNameInformation("Builtin")


@pytest.mark.parametrize("level", [0, 10, 14, 99])
def test_other_levels_are_none(sam: SamDesk, level: int) -> None:
    client = sam.client()
    request = idl.SamrQueryInformationDomain(client.domain(), level)
    assert client.status(request) == NtStatus.STATUS_INVALID_INFO_CLASS


@pytest.mark.parametrize(("level", "right"), [(1, 0x1), (2, 0x4), (5, 0x4), (12, 0x1), (13, 0x4)])
def test_querying_needs_the_right_of_the_level(sam: SamDesk, level: int, right: int) -> None:
    """3.1.2.2."""
    client = sam.client()
    assert client.status(idl.SamrQueryInformationDomain(client.domain(0x305 & ~right), level)) == DENIED
    assert client.status(idl.SamrQueryInformationDomain(client.domain(right), level)) == OK


def test_accounts_are_counted(sam: SamDesk) -> None:
    client = sam.client()
    before = asked(client, client.domain(), 2)
    sam.corp.user("anna")
    sam.corp.group("staff")
    after = asked(client, client.domain(), 2)
    assert isinstance(before, idl.DomainGeneralInformation)
    assert isinstance(after, idl.DomainGeneralInformation)
    assert (after.user_count, after.group_count) == (before.user_count + 1, before.group_count + 1)


def test_the_policy_of_passwords_and_lockouts_is_set(sam: SamDesk) -> None:
    """3.1.5.6.1, 3.1.5.14.8: attributes of the domain, which bind from then on."""
    client = sam.client()
    domain = client.domain()
    assert put(client, domain, 1, policy(12)) == OK
    assert sam.corp.text("", "minPwdLength") == "12"
    assert sam.corp.text("", "maxPwdAge") == str(-42 * DAY)
    assert put(client, domain, 12, idl.DomainLockoutInformation(-DAY, -DAY, 7)) == OK
    assert sam.corp.text("", "lockoutThreshold") == "7"
    assert put(client, domain, 3, idl.DomainLogoffInformation(-DAY)) == OK
    assert put(client, domain, 4, idl.DomainOemInformation("of ours")) == OK
    assert sam.corp.text("", "oEMInformation") == "of ours"
    assert put(client, domain, 4, idl.DomainOemInformation("")) == OK
    assert sam.corp.values("", "oEMInformation") == []
    told = client.ask(
        idl.SamrGetDomainPasswordInformation(None), idl.SamrGetDomainPasswordInformationResponse
    )
    assert told.password_information == idl.UserDomainPasswordInformation(12, 1)


@pytest.mark.parametrize(
    "value",
    [policy(1025), policy(longest=-DAY, shortest=-DAY), policy(longest=DAY), policy(shortest=DAY)],
)
def test_a_policy_that_cannot_be_is_refused(sam: SamDesk, value: object) -> None:
    """3.1.5.6.1.3."""
    client = sam.client()
    assert put(client, client.domain(), 1, value) == NtStatus.STATUS_INVALID_PARAMETER


def test_levels_that_are_not_set(sam: SamDesk) -> None:
    client = sam.client()
    domain = client.domain()
    name = idl.DomainNameInformation("OTHER")
    assert put(client, domain, 5, name) == NtStatus.STATUS_INVALID_INFO_CLASS
    assert put(client, domain, 7, idl.DomainServerRoleInformation(3)) == OK
    assert put(client, domain, 9, idl.DomainStateInformation(2)) == OK
    assert asked(client, domain, 9) == idl.DomainStateInformation(1)


@pytest.mark.parametrize(("level", "value"), [(1, policy()), (12, idl.DomainLockoutInformation(0, 0, 0))])
def test_setting_needs_the_handle_s_right(sam: SamDesk, level: int, value: object) -> None:
    client = sam.client()
    assert put(client, client.domain(0x7FF & ~0x2), level, value) == DENIED


def test_users_set_no_policy(sam: SamDesk) -> None:
    sam.corp.user("anna", "Secr3t.Word")
    client = sam.client("anna")
    for right in (0x2, 0x8, 0x400):
        request = idl.SamrOpenDomain(client.connect(), right, sam.corp.forest.domain_sid)
        assert client.status(request) == DENIED
    assert put(client, client.domain(), 1, policy(0)) == DENIED
    assert sam.corp.text("", "minPwdLength") != "0"


def test_the_policy_of_one_account(sam: SamDesk) -> None:
    """3.1.5.13.3: none for computers and krbtgt."""
    sam.corp.user("anna", "Secr3t.Word")
    client = sam.client()

    def told(name: str) -> idl.UserDomainPasswordInformation:
        request = idl.SamrGetUserDomainPasswordInformation(client.user(name))
        return client.ask(request, idl.SamrGetUserDomainPasswordInformationResponse).password_information

    assert told("anna").min_password_length == int(sam.corp.text("", "minPwdLength"))
    assert told("krbtgt") == idl.UserDomainPasswordInformation()
    client.create("PC1$", 0x80)
    assert told("PC1$") == idl.UserDomainPasswordInformation()


def test_who_has_no_handle_may_know_what_passwords_must_be(sam: SamDesk) -> None:
    """3.1.5.13.4: clients ask before anybody has logged on."""
    client = sam.client(ANONYMOUS)
    found = client.ask(
        idl.SamrGetDomainPasswordInformation(None), idl.SamrGetDomainPasswordInformationResponse
    )
    assert found.password_information.min_password_length == int(sam.corp.text("", "minPwdLength"))
