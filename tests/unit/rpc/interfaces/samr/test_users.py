"""SAM: users made, looked up, asked for and set. [MS-SAMR] 3.1.5.1.9, 3.1.5.4.4, 3.1.5.5.5, 3.1.5.6.4."""

from dataclasses import replace

import pytest

from addc.codec.ndr import NULL_HANDLE
from addc.codes.ntstatus import NtStatus
from addc.directory import rights
from addc.rpc.interfaces.samr import idl
from addc.security import sddl
from tests.kit.corp import replace_values
from tests.kit.sam_desk import DOMAIN_CONTROLLER, MAXIMUM, NORMAL, WORKSTATION, SamDesk

DENIED = NtStatus.STATUS_ACCESS_DENIED
OK = NtStatus.STATUS_SUCCESS


@pytest.fixture
def anna(sam: SamDesk) -> str:
    sam.corp.user("anna", "Secr3t.Word", displayName="Anna A.", description="an engineer")
    return "anna"


# --- making ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "control", "container", "group"),
    [
        (NORMAL, "bert", "546", "CN=bert,CN=Users", 513),
        (WORKSTATION, "PC1$", "4130", "CN=PC1,CN=Computers", 515),
        (DOMAIN_CONTROLLER, "DC9$", "8226", "CN=DC9,OU=Domain Controllers", 516),
    ],
)
def test_kinds_of_accounts(
    sam: SamDesk, kind: int, name: str, control: str, container: str, group: int
) -> None:
    """3.1.5.4.4, 3.1.5.14.1: disabled, in the container of its kind."""
    client = sam.client()
    made = client.create(name, kind)
    assert made.granted_access == 0x000F_07FF
    assert sam.corp.text(container, "sAMAccountName") == name
    assert sam.corp.text(container, "userAccountControl") == control
    assert sam.corp.sid(container).rid() == made.relative_id
    information = client.query(made.user_handle, 9)
    assert information == idl.UserPrimaryGroupInformation(group)


@pytest.mark.parametrize("kind", [0, 0x11, 0x90, 0x200, 0x4])
def test_other_kinds_are_refused(sam: SamDesk, kind: int) -> None:
    client = sam.client()
    request = idl.SamrCreateUser2InDomain(client.domain(), "bert", kind, MAXIMUM)
    assert client.status(request) == NtStatus.STATUS_INVALID_PARAMETER


def test_trust_accounts_are_made_over_lsa(sam: SamDesk) -> None:
    client = sam.client()
    assert client.status(idl.SamrCreateUser2InDomain(client.domain(), "T$", 0x40, MAXIMUM)) == DENIED


def test_a_name_is_taken_once(sam: SamDesk, anna: str) -> None:
    client = sam.client()
    sam.corp.group("staff")
    for name, status in (
        ("anna", NtStatus.STATUS_USER_EXISTS),
        ("STAFF", NtStatus.STATUS_GROUP_EXISTS),
        ("Cert Publishers", NtStatus.STATUS_ALIAS_EXISTS),
    ):
        assert client.status(idl.SamrCreateUserInDomain(client.domain(), name, MAXIMUM)) == status


def test_a_name_in_the_container_is_taken_too(sam: SamDesk) -> None:
    """3.1.5.14.1, footnote 79."""
    sam.corp.user("carl", sAMAccountName="other")
    client = sam.client()
    request = idl.SamrCreateUserInDomain(client.domain(), "carl", MAXIMUM)
    assert client.status(request) == NtStatus.STATUS_USER_EXISTS


def test_nothing_is_made_in_the_built_in_domain(sam: SamDesk) -> None:
    client = sam.client()
    assert client.status(idl.SamrCreateUserInDomain(client.builtin(), "bert", MAXIMUM)) == DENIED
    assert client.status(idl.SamrCreateGroupInDomain(client.builtin(), "crew", MAXIMUM)) == DENIED
    assert client.status(idl.SamrCreateAliasInDomain(client.builtin(), "crew", MAXIMUM)) == DENIED


def test_users_make_no_users(sam: SamDesk, anna: str) -> None:
    """3.1.5.4.4: the handle always has DOMAIN_CREATE_USER, the container decides."""
    client = sam.client("anna")
    for kind in (NORMAL, DOMAIN_CONTROLLER):
        request = idl.SamrCreateUser2InDomain(client.domain(0x10), "bert$", kind, MAXIMUM)
        assert client.status(request) == DENIED
    assert client.status(idl.SamrCreateGroupInDomain(client.domain(0x20), "crew", MAXIMUM)) == DENIED
    assert client.status(idl.SamrCreateAliasInDomain(client.domain(0x40), "crew", MAXIMUM)) == DENIED


def test_users_make_computers_by_privilege(sam: SamDesk, anna: str) -> None:
    """3.1.5.4.4: enabled, owned by Domain Admins, and the handle may set the password and little else."""
    client = sam.client("anna")
    made = client.create("PC1$", WORKSTATION)
    assert made.granted_access == 0x0003_00C4
    row = sam.corp.row("CN=PC1,CN=Computers")
    assert sam.corp.text(row.dnt, "userAccountControl") == "4096"
    assert sam.corp.values(row.dnt, "mS-DS-CreatorSID") == [bytes(sam.corp.token("anna").user)]
    assert client.status(idl.SamrQueryInformationUser(made.user_handle, 16)) == DENIED
    control = idl.UserControlInformation(WORKSTATION | 0x2000)
    assert client.set(made.user_handle, 16, control) == DENIED


def test_the_machine_account_quota_holds(sam: SamDesk, anna: str) -> None:
    """3.1.5.4.4 (13)."""
    sam.corp.modify("", replace_values("ms-DS-MachineAccountQuota", "1"))
    client = sam.client("anna")
    client.create("PC1$", WORKSTATION)
    request = idl.SamrCreateUser2InDomain(client.domain(0x10), "PC2$", WORKSTATION, MAXIMUM)
    assert client.status(request) == NtStatus.STATUS_DS_MACHINE_ACCOUNT_QUOTA_EXCEEDED


def test_rights_that_there_are_not_are_not_granted(sam: SamDesk) -> None:
    client = sam.client()
    request = idl.SamrCreateUser2InDomain(client.domain(), "bert", NORMAL, 0x0800)
    assert client.status(request) == DENIED


# --- opening -----------------------------------------------------------------------------------------------


def test_who_is_nobody_is_not_opened(sam: SamDesk) -> None:
    client = sam.client()
    domain = client.domain()
    assert client.status(idl.SamrOpenUser(domain, MAXIMUM, 9999)) == NtStatus.STATUS_NO_SUCH_USER
    assert client.status(idl.SamrOpenUser(domain, MAXIMUM, 513)) == NtStatus.STATUS_NO_SUCH_USER


def test_users_open_others_to_look_and_themselves_to_change_their_password(sam: SamDesk, anna: str) -> None:
    """3.1.5.1.9."""
    client = sam.client("anna")
    rid = client.rid("anna")
    client.user("anna", 0x0002_035B)
    for access in (0x20, 0x80, 0x0001_0000, 0x0004_0000, 0x0008_0000):
        for who in (rid, 500):
            assert client.status(idl.SamrOpenUser(client.domain(), access, who)) == DENIED, hex(access)


def test_write_account_of_one_set_reaches_no_other(sam: SamDesk, anna: str) -> None:
    """3.1.5.1.9: General-Information alone gives USER_WRITE_ACCOUNT, and nothing else is set by it."""
    general = "59ba2f42-79a2-11d0-9020-00c04fc2d3cf"
    sam.corp.user("bert", "Secr3t.Word")
    sid = sam.corp.token("bert").user
    sam.rpc.corp.modify(
        "CN=anna,CN=Users",
        replace_values("nTSecurityDescriptor", _granting(sam, f"(OA;;WP;{general};;{sid})")),
    )
    client = sam.client("bert")
    user = client.user("anna", 0x24)
    assert client.set(user, 8, idl.UserFullNameInformation("Anna B.")) == OK
    assert client.set(user, 16, idl.UserControlInformation(NORMAL | 0x1)) == DENIED
    assert client.set(user, 11, idl.UserScriptInformation("logon.cmd")) == DENIED


def _granting(sam: SamDesk, ace: str) -> bytes:
    row = sam.corp.row("CN=anna,CN=Users")
    old = sam.corp.read(lambda ctx: rights.descriptor(ctx, row))
    new = sddl.parse(f"D:{ace}")
    assert old.dacl is not None and new.dacl is not None
    return replace(old, dacl=replace(old.dacl, aces=(*new.dacl.aces, *old.dacl.aces))).pack()


# --- asking ------------------------------------------------------------------------------------------------


def test_every_level_is_a_part_of_the_whole(sam: SamDesk, anna: str) -> None:
    """3.1.5.5.5.1."""
    client = sam.client()
    user = client.user("anna")
    whole = client.query(user, 21)
    assert isinstance(whole, idl.UserAllInformation)
    assert (whole.user_name, whole.full_name, whole.admin_comment) == ("anna", "Anna A.", "an engineer")
    assert whole.which_fields == 0x00FF_FFFF
    for level in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 20):
        part = client.query(user, level)
        for name in part.__match_args__:  # type: ignore[attr-defined]
            if name != "reserved1":
                assert getattr(part, name) == getattr(whole, name), (level, name)


def test_passwords_are_told_by_no_level(sam: SamDesk, anna: str) -> None:
    client = sam.client()
    user = client.user("anna")
    for level in (18, 23, 24, 25, 26, 31, 32, 15, 99):
        found = client.status(idl.SamrQueryInformationUser(user, level))
        assert found == NtStatus.STATUS_INVALID_INFO_CLASS


def test_the_whole_shows_what_the_handle_may_see(sam: SamDesk, anna: str) -> None:
    """3.1.5.5.5.2."""
    client = sam.client()
    whole = client.query(client.user("anna", 0x1), 21)
    assert isinstance(whole, idl.UserAllInformation)
    assert (whole.which_fields, whole.user_name, whole.user_account_control) == (0x3F, "anna", 0)
    assert client.status(idl.SamrQueryInformationUser(client.user("anna", 0x40), 21)) == DENIED


@pytest.mark.parametrize(("level", "access"), [(1, 0x2), (3, 0x9), (5, 0x1B & ~0x10), (16, 0x1), (20, 0x1)])
def test_levels_need_their_rights(sam: SamDesk, anna: str, level: int, access: int) -> None:
    """3.1.5.5.5.1; userParameters may be read by its own right, which users have not by default."""
    client = sam.client()
    found = client.status(idl.SamrQueryInformationUser(client.user("anna", access), level))
    assert found == (OK if level == 20 else DENIED)


# --- setting -----------------------------------------------------------------------------------------------


def test_fields_become_attributes(sam: SamDesk, anna: str) -> None:
    """3.1.5.6.4.2, 3.1.5.14.11."""
    client = sam.client()
    user = client.user("anna")
    sets = (
        (
            2,
            idl.UserPreferencesInformation("hello", "x", 49, 1252),
            {"comment": "hello", "countryCode": "49"},
        ),
        (
            6,
            idl.UserNameInformation("anna2", "Anna B."),
            {"sAMAccountName": "anna2", "displayName": "Anna B."},
        ),
        (10, idl.UserHomeInformation(r"\\s\h", "H:"), {"homeDirectory": r"\\s\h", "homeDrive": "H:"}),
        (11, idl.UserScriptInformation("run.cmd"), {"scriptPath": "run.cmd"}),
        (12, idl.UserProfileInformation(r"\\s\p"), {"profilePath": r"\\s\p"}),
        (13, idl.UserAdminCommentInformation("left"), {"description": "left"}),
        (14, idl.UserWorkStationsInformation("pc1,pc2"), {"userWorkstations": "pc1,pc2"}),
        (16, idl.UserControlInformation(0x11), {"userAccountControl": "514"}),
        (17, idl.UserExpiresInformation(1 << 57), {"accountExpires": str(1 << 57)}),
        (20, idl.UserParametersInformation("\u2022P"), {"userParameters": "\u2022P"}),
    )
    for level, value, expected in sets:
        assert client.set(user, level, value) == OK, level
        for attribute, text in expected.items():
            assert sam.corp.text("CN=anna,CN=Users", attribute) == text


def test_empty_texts_take_attributes_away(sam: SamDesk, anna: str) -> None:
    client = sam.client()
    assert client.set(client.user("anna"), 13, idl.UserAdminCommentInformation("")) == OK
    assert not sam.corp.values("CN=anna,CN=Users", "description")


def test_hours_of_logon(sam: SamDesk, anna: str) -> None:
    """2.2.6.5."""
    client = sam.client()
    user = client.user("anna")
    hours = idl.LogonHours(168, bytes(range(21)))
    assert client.set(user, 4, idl.UserLogonHoursInformation(hours)) == OK
    assert client.query(user, 4) == idl.UserLogonHoursInformation(hours)
    short = idl.UserLogonHoursInformation(idl.LogonHours(168, bytes(20)))
    assert client.set(user, 4, short) == NtStatus.STATUS_INVALID_PARAMETER


def test_only_the_fields_that_are_named_are_set(sam: SamDesk, anna: str) -> None:
    client = sam.client()
    info = idl.UserAllInformation(which_fields=0x10, admin_comment="x", user_name="other")
    assert client.set(client.user("anna"), 21, info) == OK
    assert sam.corp.text("CN=anna,CN=Users", "sAMAccountName") == "anna"


@pytest.mark.parametrize("field", [0, 0x4, 0x800, 0x1000, 0x4000, 0x8000, 0x1_0000, 0x2_0000])
def test_fields_that_nobody_sets(sam: SamDesk, anna: str, field: int) -> None:
    """3.1.5.6.4.2."""
    client = sam.client()
    found = client.set(client.user("anna"), 21, idl.UserAllInformation(which_fields=field))
    assert found == NtStatus.STATUS_INVALID_PARAMETER


def test_setting_needs_the_right_of_the_field(sam: SamDesk, anna: str) -> None:
    """3.1.5.6.4.2."""
    client = sam.client()
    preferences = client.user("anna", 0x4)
    assert client.set(preferences, 2, idl.UserPreferencesInformation("a", "", 0, 0)) == OK
    assert client.set(preferences, 13, idl.UserAdminCommentInformation("a")) == DENIED
    account = client.user("anna", 0x20)
    assert client.set(account, 2, idl.UserPreferencesInformation("a", "", 0, 0)) == DENIED
    expired = idl.UserAllInformation(which_fields=0x0800_0000, password_expired=1)
    assert client.set(account, 21, expired) == DENIED


def test_the_password_expires_and_lives_again(sam: SamDesk, anna: str) -> None:
    """3.1.5.6.4.2: USER_ALL_PASSWORDEXPIRED."""
    client = sam.client()
    user = client.user("anna")
    expired = idl.UserAllInformation(which_fields=0x0800_0000, password_expired=1)
    assert client.set(user, 21, expired) == OK
    assert sam.corp.text("CN=anna,CN=Users", "pwdLastSet") == "0"
    information = client.query(user, 16)
    assert information == idl.UserControlInformation(0x0002_0010)
    assert client.set(user, 21, replace(expired, password_expired=0)) == OK
    assert sam.corp.text("CN=anna,CN=Users", "pwdLastSet") == str(int(sam.rpc.clock.now()))


def test_bits_that_mean_nothing_are_refused(sam: SamDesk, anna: str) -> None:
    client = sam.client()
    found = client.set(client.user("anna"), 16, idl.UserControlInformation(0x8000_0010))
    assert found == NtStatus.STATUS_INVALID_PARAMETER


def test_delegation_takes_its_privilege_over_sam_too(sam: SamDesk, anna: str) -> None:
    """[MS-SAMR] 3.1.1.8.10: the rules of the directory hold whatever the handle may."""
    sam.corp.user("bert", "Secr3t.Word")
    sid = sam.corp.token("bert").user
    full = _granting(sam, f"(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;{sid})")
    sam.corp.modify("CN=anna,CN=Users", replace_values("nTSecurityDescriptor", full))
    client = sam.client("bert")
    user = client.user("anna", 0x20)
    assert client.set(user, 13, idl.UserAdminCommentInformation("a")) == OK
    assert client.set(user, 16, idl.UserControlInformation(0x2010)) == DENIED


# --- deleting ----------------------------------------------------------------------------------------------


def test_users_are_deleted_with_their_handle(sam: SamDesk, anna: str) -> None:
    """3.1.5.7.3."""
    client = sam.client()
    user = client.user("anna", 0x0001_0000)
    assert client.ask(idl.SamrDeleteUser(user), idl.SamrDeleteUserResponse).user_handle == NULL_HANDLE
    found = client.status(idl.SamrLookupNamesInDomain(client.domain(), ("anna",)))
    assert found == NtStatus.STATUS_NONE_MAPPED


def test_deleting_needs_the_right(sam: SamDesk, anna: str) -> None:
    client = sam.client()
    assert client.status(idl.SamrDeleteUser(client.user("anna", 0x1))) == DENIED


def test_the_domain_keeps_its_own_accounts(sam: SamDesk) -> None:
    client = sam.client()
    user = client.user("Guest")
    assert client.status(idl.SamrDeleteUser(user)) == NtStatus.STATUS_SPECIAL_ACCOUNT


def test_who_made_a_computer_may_delete_it_by_his_handle(sam: SamDesk, anna: str) -> None:
    """3.1.5.4.4: DELETE is among what the privilege leaves."""
    client = sam.client("anna")
    made = client.create("PC1$", WORKSTATION)
    assert client.status(idl.SamrDeleteUser(made.user_handle)) == OK


def test_who_made_a_computer_has_what_its_class_grants_to_creators(sam: SamDesk, anna: str) -> None:
    """He opens it again, resets its password and writes its restrictions; the owner is Domain Admins."""
    client = sam.client("anna")
    client.create("PC1$", WORKSTATION)
    user = client.user("PC1$", 0x0200_0000)
    assert client.set(user, 16, idl.UserControlInformation(WORKSTATION)) == OK
    assert client.set(user, 16, idl.UserControlInformation(WORKSTATION | 0x2000)) == DENIED
    assert client.set(user, 9, idl.UserPrimaryGroupInformation(516)) == DENIED
    row = sam.corp.row("CN=PC1,CN=Computers")
    owner = sam.corp.read(lambda ctx: rights.descriptor(ctx, row)).owner
    assert owner is not None and str(owner).endswith("-512")
    for access in (0x0004_0000, 0x0008_0000):
        assert client.status(idl.SamrOpenUser(client.domain(), access, client.rid("PC1$"))) == DENIED
    sam.corp.user("bert", "Secr3t.Word")
    other = sam.client("bert")
    for access in (0x20, 0x80, 0x0001_0000):
        assert other.status(idl.SamrOpenUser(other.domain(), access, other.rid("PC1$"))) == DENIED
