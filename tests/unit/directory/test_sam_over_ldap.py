"""What LDAP clients read when SAM refuses: result, Win32 code and Windows' form of the message."""

import pytest

from addc.directory.modify import ModOp
from addc.ldap import messages as m
from tests.kit.corp import add_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.delegation import delegated
from tests.kit.ldap_desk import Desk, LdapClient, desk, runner

__all__ = ["desk", "runner"]

USERS = f"CN=Users,{DOMAIN_DN}"


@pytest.fixture
def admin(desk: Desk) -> LdapClient:
    for name in ("ann", "bob"):
        desk.corp.user(name)
    desk.corp.group("club")
    client = desk.connect(tls=True)
    client.bind()
    return client


def modify(client: LdapClient, dn: str, op: ModOp, attribute: str, *values: str) -> tuple[int, str]:
    """Result code and the start of the message."""
    change = m.Change(op, m.PartialAttribute(attribute, tuple(value.encode() for value in values)))
    answer = client.ask(m.ModifyRequest(dn, (change,)))
    return answer.result_code, answer.diagnostic_message.partition(": DSID")[0]


CLUB = f"CN=club,{USERS}"
ANN = f"CN=ann,{USERS}"


def test_memberships_answer_as_sam_does(admin: LdapClient) -> None:
    assert modify(admin, CLUB, ModOp.ADD, "member", ANN) == (0, "")
    assert modify(admin, CLUB, ModOp.ADD, "member", ANN) == (68, "00000562: UpdErr")
    assert modify(admin, CLUB, ModOp.DELETE, "member", f"CN=bob,{USERS}") == (53, "00000561: SvcErr")
    assert modify(admin, f"CN=Domain Users,{USERS}", ModOp.DELETE, "member", ANN) == (53, "0000055E: SvcErr")
    assert modify(admin, f"CN=Domain Users,{USERS}", ModOp.ADD, "member", ANN)[0] == 68


def test_account_controls_answer_as_sam_does(admin: LdapClient) -> None:
    assert modify(admin, ANN, ModOp.REPLACE, "userAccountControl", "512") == (53, "0000052D: SvcErr")
    assert modify(admin, ANN, ModOp.REPLACE, "userAccountControl", "4608") == (80, "00000057: SysErr")
    assert modify(admin, ANN, ModOp.REPLACE, "userAccountControl", "8192") == (65, "00002014: UpdErr")
    assert modify(admin, ANN, ModOp.REPLACE, "primaryGroupID", "512") == (53, "00000529: SvcErr")
    assert modify(admin, ANN, ModOp.REPLACE, "sAMAccountName", "bob") == (68, "00000524: UpdErr")
    assert modify(admin, CLUB, ModOp.REPLACE, "groupType", "-2147483644") == (53, "00002141: SvcErr")


def test_foreign_members_come_with_their_object(admin: LdapClient, desk: Desk) -> None:
    desk.corp.group("local", -2147483644)
    dn, sid = f"CN=local,{USERS}", "S-1-5-21-7-7-7-1107"
    assert modify(admin, dn, ModOp.ADD, "member", f"<SID={sid}>") == (0, "")
    stand_in = f"CN={sid},CN=ForeignSecurityPrincipals,{DOMAIN_DN}"
    assert desk.corp.values(dn, "member") == [stand_in.encode()]
    assert modify(admin, CLUB, ModOp.ADD, "member", stand_in)[0] == 53


def test_a_delegate_is_denied_what_only_the_privileged_set(desk: Desk) -> None:
    corp = desk.corp
    corp.add("OU=dept", "organizationalUnit")
    delegated(corp, "joe", "OU=dept")
    corp.add("CN=pc,OU=dept", "computer", sAMAccountName="pc$", userAccountControl="4128")
    corp.modify(
        "CN=Pre-Windows 2000 Compatible Access,CN=Builtin", add_values("member", corp.dn("CN=joe,CN=Users"))
    )
    client = desk.connect(tls=True)
    client.bind("joe@corp.example.com", "Tr0ub4dor&3")
    pc = f"CN=pc,OU=dept,{DOMAIN_DN}"
    for uac in ("8224", "67112992", "528416", "16781344"):
        assert modify(client, pc, ModOp.REPLACE, "userAccountControl", uac) == (50, "00000005: SecErr")
    assert modify(client, pc, ModOp.REPLACE, "userAccountControl", "544") == (65, "00002014: UpdErr")
    assert modify(client, pc, ModOp.REPLACE, "sAMAccountName", "dc1") == (53, "00000523: SvcErr")
    assert modify(client, pc, ModOp.REPLACE, "servicePrincipalName", "cifs/dc1") == (19, "000021C7: AtrErr")
    assert modify(client, pc, ModOp.REPLACE, "msDS-AllowedToDelegateTo", "cifs/dc1") == (
        50,
        "00000005: SecErr",
    )
    assert modify(client, pc, ModOp.REPLACE, "userAccountControl", "4096") == (0, "")
