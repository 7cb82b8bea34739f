"""Passwords over LDAP: set and change, with the results and codes that clients see.

[MS-ADTS] 3.1.1.3.1.5, 3.1.1.3.4.1.27; [MS-SAMR] 3.1.1.7, 3.1.1.8.
"""

import pytest

from addc.codec.filter import Present
from addc.codes.ldap_result import LdapResult
from addc.ldap import controls as wire
from addc.ldap import messages as m
from addc.security.token import SYSTEM
from tests.kit.corp import SEALED, quoted, replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.ldap_desk import Desk, FakeExchange, LdapClient

FIRST, SECOND, THIRD = "Tr0ub4dor&3", "N3w.passw0rd!", "An0ther.one!"
JOE = f"CN=joe,CN=Users,{DOMAIN_DN}"
SHORT_JOE = "CN=joe,CN=Users"
SERVICE = "CN=Directory Service,CN=Windows NT,CN=Services," + CONFIG_DN
ADD, DELETE, REPLACE = 0, 1, 2
DAY = 86_400
HINTS = "1.2.840.113556.1.4.2239"
HINTS_DEPRECATED = "1.2.840.113556.1.4.2066"
UNWILLING = LdapResult.UNWILLING_TO_PERFORM
VIOLATION = LdapResult.CONSTRAINT_VIOLATION
DENIED = LdapResult.INSUFFICIENT_ACCESS_RIGHTS
Step = tuple[int, str, list[str]]


def encoded(name: str, value: str) -> bytes:
    return quoted(value) if name == "unicodePwd" else value.encode()


def send(client: LdapClient, *steps: Step, controls: tuple[m.Control, ...] = ()) -> tuple[int, str]:
    """Result and the code in its text."""
    changes = tuple(
        m.Change(op, m.PartialAttribute(name, tuple(encoded(name, value) for value in values)))
        for op, name, values in steps
    )
    answer = client.ask(m.ModifyRequest(JOE, changes), *controls)
    return answer.result_code, answer.diagnostic_message[:8]


def change(client: LdapClient, old: str, new: str, name: str = "unicodePwd") -> tuple[int, str]:
    return send(client, (DELETE, name, [old]), (ADD, name, [new]))


def reset(client: LdapClient, new: str, *controls: m.Control) -> tuple[int, str]:
    return send(client, (REPLACE, "unicodePwd", [new]), controls=controls)


def hints(oid: str, flags: int) -> m.Control:
    return m.Control(oid, True, wire.FlagsValue(flags).pack())


def later(desk: Desk, seconds: float) -> None:
    desk.corp.later(seconds)
    desk.clock.when = desk.corp.now


@pytest.fixture
def admin(desk: Desk) -> LdapClient:
    desk.corp.user("joe", FIRST)
    later(desk, 2 * DAY)
    client = desk.connect(tls=True)
    assert client.bind().result_code == LdapResult.SUCCESS
    return client


@pytest.fixture
def joe(desk: Desk, admin: LdapClient) -> LdapClient:
    client = desk.connect(tls=True)
    assert client.bind("joe@corp.example.com", FIRST).result_code == LdapResult.SUCCESS
    return client


def heed_user_password(desk: Desk) -> None:
    desk.corp.modify(SERVICE, replace_values("dSHeuristics", "000000001"))


def no_minimum_age(desk: Desk) -> None:
    desk.corp.modify("", replace_values("minPwdAge", "0"))


def logs_on(desk: Desk, password: str) -> bool:
    answer = desk.connect(tls=True).bind("joe@corp.example.com", password)
    return answer.result_code == LdapResult.SUCCESS


# --- 3.1.1.3.1.5.1: set and change --------------------------------------------------------------------------


def test_a_deletion_and_an_addition_are_a_change_in_either_order(desk: Desk, joe: LdapClient) -> None:
    no_minimum_age(desk)
    assert change(joe, FIRST, SECOND) == (0, "")
    assert send(joe, (ADD, "unicodePwd", [THIRD]), (DELETE, "unicodePwd", [SECOND])) == (0, "")
    assert logs_on(desk, THIRD) and not logs_on(desk, FIRST)


def test_a_change_needs_the_old_password(joe: LdapClient) -> None:
    assert change(joe, "wrong", SECOND) == (VIOLATION, "00000056")
    assert send(joe, (DELETE, "unicodePwd", []), (ADD, "unicodePwd", [SECOND])) == (VIOLATION, "00000056")


def test_a_reset_is_for_who_may_reset(desk: Desk, admin: LdapClient, joe: LdapClient) -> None:
    assert reset(joe, SECOND) == (DENIED, "00000005")
    assert send(joe, (ADD, "unicodePwd", [SECOND]))[0] == DENIED
    assert reset(admin, SECOND) == (0, "")
    assert logs_on(desk, SECOND)


def test_in_clear_or_merely_signed_there_are_no_passwords(desk: Desk, admin: LdapClient) -> None:
    client = desk.connect()
    exchange = FakeExchange(confidential=False)
    desk.acceptor.prepared.append(exchange)
    assert client.sasl(b"token").result_code == LdapResult.SUCCESS
    client.exchange = exchange
    assert reset(client, SECOND) == (UNWILLING, "0000001F")
    assert change(client, FIRST, SECOND) == (UNWILLING, "0000001F")
    assert not logs_on(desk, SECOND)


@pytest.mark.parametrize(
    "value", [b"", b'"', b"XXXXXXXXXXXXXXXX", '"x'.encode("utf-16-le"), b'"Tr0ub4dor&3"']
)
def test_what_is_not_quoted_utf16_is_no_password(admin: LdapClient, joe: LdapClient, value: bytes) -> None:
    one = m.PartialAttribute("unicodePwd", (value,))
    answer = admin.ask(m.ModifyRequest(JOE, (m.Change(REPLACE, one),)))
    assert (answer.result_code, answer.diagnostic_message[:8]) == (UNWILLING, "0000001F")
    old = m.PartialAttribute("unicodePwd", (quoted(FIRST),))
    answer = joe.ask(m.ModifyRequest(JOE, (m.Change(DELETE, old), m.Change(ADD, one))))
    assert (answer.result_code, answer.diagnostic_message[:8]) == (VIOLATION, "0000216C")


@pytest.mark.parametrize("name", ["unicodePwd", "userPassword"])
def test_other_combinations_have_no_meaning(
    desk: Desk, admin: LdapClient, joe: LdapClient, name: str
) -> None:
    heed_user_password(desk)
    old, new = (DELETE, name, [FIRST]), (ADD, name, [SECOND])
    for client in (admin, joe):
        assert send(client, (DELETE, name, [FIRST]), (ADD, name, []))[0] == VIOLATION
        assert send(client, old)[0] == VIOLATION
        assert send(client, old, (ADD, name, [SECOND, SECOND]))[0] == VIOLATION
        assert send(client, (DELETE, name, [FIRST, FIRST]), new)[0] == VIOLATION
        assert send(client, (ADD, name, []))[0] == VIOLATION
    replaced: Step = (REPLACE, name, [THIRD])
    nothing: Step = (REPLACE, name, [])
    for steps in ([new], [old, new, new], [old, old, new], [old, new, replaced], [nothing]):
        assert send(admin, *steps)[0] == UNWILLING
        assert send(joe, *steps)[0] == DENIED
    assert logs_on(desk, FIRST)


def test_deletions_without_a_value(desk: Desk, admin: LdapClient) -> None:
    heed_user_password(desk)
    assert send(admin, (DELETE, "userPassword", []))[0] == VIOLATION
    assert send(admin, (DELETE, "unicodePwd", []))[0] == UNWILLING


def test_old_and_new_come_by_one_attribute(desk: Desk, joe: LdapClient) -> None:
    heed_user_password(desk)
    mixed = send(joe, (DELETE, "userPassword", [FIRST]), (ADD, "unicodePwd", [SECOND]))
    assert mixed[0] == LdapResult.ATTRIBUTE_OR_VALUE_EXISTS
    mixed = send(joe, (DELETE, "unicodePwd", [FIRST]), (ADD, "userPassword", [SECOND]))
    assert mixed[0] == LdapResult.NO_SUCH_ATTRIBUTE


def test_of_many_replacements_the_last_counts(desk: Desk, admin: LdapClient) -> None:
    heed_user_password(desk)
    first = (REPLACE, "userPassword", [FIRST, SECOND])
    assert send(admin, first, (REPLACE, "userPassword", [SECOND, THIRD])) == (0, "")
    assert logs_on(desk, THIRD)


def test_an_oid_names_the_attribute_as_well(desk: Desk, admin: LdapClient) -> None:
    value = m.PartialAttribute("1.2.840.113556.1.4.90", (quoted(SECOND),))
    assert admin.ask(m.ModifyRequest(JOE, (m.Change(REPLACE, value),))).result_code == 0
    assert logs_on(desk, SECOND)


# --- 3.1.1.3.1.5.2: userPassword ----------------------------------------------------------------------------


def shown(client: LdapClient, name: str) -> list[bytes]:
    request = m.SearchRequest(JOE, 0, 0, 0, 0, False, Present("objectClass"), (name,))
    entry = client.send(request)[0].protocol_op
    assert isinstance(entry, m.SearchResultEntry)
    return [value for one in entry.attributes for value in one.vals]


def test_user_password_is_an_ordinary_attribute_by_default(desk: Desk, admin: LdapClient) -> None:
    assert send(admin, (ADD, "userPassword", ["hello"])) == (0, "")
    assert shown(admin, "userPassword") == [b"hello"]
    assert logs_on(desk, FIRST) and not logs_on(desk, "hello")
    heed_user_password(desk)
    assert shown(admin, "userPassword") == []


def test_user_password_is_a_password_where_the_forest_says_so(desk: Desk, joe: LdapClient) -> None:
    heed_user_password(desk)
    no_minimum_age(desk)
    assert change(joe, FIRST, SECOND, "userPassword") == (0, "")
    assert change(joe, FIRST, THIRD, "userPassword") == (VIOLATION, "00000056")
    assert change(joe, SECOND, SECOND, "userPassword") == (VIOLATION, "0000052D")
    assert send(joe, (REPLACE, "userPassword", [THIRD])) == (DENIED, "00000005")
    assert logs_on(desk, SECOND)
    assert shown(joe, "userPassword") == []


def test_a_change_to_nothing_is_one_to_the_empty_password(desk: Desk, joe: LdapClient) -> None:
    heed_user_password(desk)
    assert send(joe, (DELETE, "userPassword", [FIRST])) == (VIOLATION, "0000052D")


def test_a_new_user_may_bring_user_password(desk: Desk, admin: LdapClient) -> None:
    heed_user_password(desk)

    def add(client: LdapClient, *values: str) -> int:
        attributes = {"objectClass": ["user"], "sAMAccountName": ["ann"], "userPassword": list(values)}
        op = m.AddRequest(
            f"CN=ann,CN=Users,{DOMAIN_DN}",
            tuple(m.PartialAttribute(n, tuple(v.encode() for v in vs)) for n, vs in attributes.items()),
        )
        return client.ask(op).result_code

    assert add(admin, "weak") == UNWILLING
    assert add(admin, FIRST, SECOND) == 0
    desk.corp.modify("CN=ann,CN=Users", replace_values("userAccountControl", "512"))
    assert desk.connect(tls=True).bind("ann@corp.example.com", SECOND).result_code == 0


def test_nobody_reads_stored_forms(admin: LdapClient) -> None:
    for name in ("unicodePwd", "ntPwdHistory", "lmPwdHistory", "dBCSPwd", "supplementalCredentials"):
        assert shown(admin, name) == []


# --- policy: [MS-SAMR] 3.1.1.7 ------------------------------------------------------------------------------


@pytest.mark.parametrize("weak", ["Sh.rt1", "alllowercase", "xJoe1234!", ""])
def test_weak_passwords_are_refused_to_all(admin: LdapClient, joe: LdapClient, weak: str) -> None:
    assert reset(admin, weak) == (UNWILLING, "0000052D")
    assert change(joe, FIRST, weak) == (VIOLATION, "0000052D")


def test_age_and_history_bind_changes_and_not_resets(desk: Desk, admin: LdapClient, joe: LdapClient) -> None:
    assert change(joe, FIRST, FIRST) == (VIOLATION, "0000052D")
    assert change(joe, FIRST, SECOND) == (0, "")
    assert change(joe, SECOND, THIRD) == (VIOLATION, "0000052D")
    assert reset(admin, FIRST) == (0, "")


@pytest.mark.parametrize("oid", [HINTS, HINTS_DEPRECATED])
def test_policy_hints_hold_resets_to_age_and_history(desk: Desk, admin: LdapClient, oid: str) -> None:
    """3.1.1.3.4.1.27, 3.1.1.3.4.1.28"""
    assert reset(admin, FIRST, hints(oid, 1)) == (UNWILLING, "0000052D")
    assert reset(admin, SECOND, hints(oid, 1)) == (0, "")
    assert reset(admin, THIRD, hints(oid, 1)) == (UNWILLING, "0000052D")
    assert reset(admin, FIRST, hints(oid, 2)) == (0, "")
    no_minimum_age(desk)
    assert reset(admin, SECOND, hints(oid, 1)) == (UNWILLING, "0000052D")


def test_changes_in_clear_text_can_be_forbidden(desk: Desk, admin: LdapClient, joe: LdapClient) -> None:
    """DOMAIN_PASSWORD_NO_CLEAR_CHANGE, [MS-SAMR] 3.1.1.8.5."""
    desk.corp.modify("", replace_values("pwdProperties", "5"))
    assert change(joe, FIRST, SECOND) == (VIOLATION, "0000052D")
    assert reset(admin, SECOND) == (0, "")


def test_without_password_required_only_the_empty_one_is_free(desk: Desk, admin: LdapClient) -> None:
    desk.corp.modify(SHORT_JOE, replace_values("userAccountControl", str(0x220)))
    assert reset(admin, "weak") == (UNWILLING, "0000052D")
    assert reset(admin, "") == (0, "")


def test_a_history_that_begins_knows_the_present_password(desk: Desk, joe: LdapClient) -> None:
    desk.corp.modify("", replace_values("pwdHistoryLength", "0"))
    desk.corp.modify(SHORT_JOE, replace_values("unicodePwd", quoted(SECOND)), options=SEALED)
    desk.corp.modify("", replace_values("pwdHistoryLength", "3"), replace_values("minPwdAge", "0"))
    assert change(joe, SECOND, SECOND) == (VIOLATION, "0000052D")


# --- accounts whose passwords are not for setting -----------------------------------------------------------


def test_passwords_of_trusts_are_not_set_over_ldap(desk: Desk, admin: LdapClient) -> None:
    desk.corp.modify(SHORT_JOE, replace_values("userAccountControl", str(0x820)), requester=SYSTEM)
    assert reset(admin, SECOND) == (DENIED, "00000005")


def test_a_computer_changes_its_own_password(desk: Desk, admin: LdapClient) -> None:
    corp = desk.corp
    corp.add(
        "CN=pc,CN=Computers", "computer", None, SEALED,
        sAMAccountName="PC$", userAccountControl="4096", unicodePwd=quoted("pc-secret"),
    )  # fmt: skip
    client = desk.connect(tls=True)
    assert client.bind("CORP\\PC$", "pc-secret").result_code == 0
    dn = f"CN=pc,CN=Computers,{DOMAIN_DN}"
    old, new = (m.PartialAttribute("unicodePwd", (quoted(one),)) for one in ("pc-secret", "x" * 100))
    assert client.ask(m.ModifyRequest(dn, (m.Change(DELETE, old), m.Change(ADD, new)))).result_code == 0
    assert client.ask(m.ModifyRequest(dn, (m.Change(REPLACE, new),))).result_code == DENIED


# --- logons: lockout and the former password ----------------------------------------------------------------


def test_the_former_password_lets_in_for_an_hour(desk: Desk, admin: LdapClient) -> None:
    assert reset(admin, SECOND) == (0, "")
    assert logs_on(desk, FIRST)
    later(desk, 3600)
    assert not logs_on(desk, FIRST) and logs_on(desk, SECOND)
    assert reset(admin, THIRD) == (0, "")
    assert not logs_on(desk, FIRST)


def test_changes_with_a_wrong_password_lock_the_account(
    desk: Desk, admin: LdapClient, joe: LdapClient
) -> None:
    """[MS-SAMR] 3.1.5.14.5, 3.1.5.14.6"""
    desk.corp.modify("", replace_values("lockoutThreshold", "2"))
    for _ in range(2):
        assert change(joe, "wrong", SECOND) == (VIOLATION, "00000056")
    assert change(joe, FIRST, SECOND) == (VIOLATION, "00000775")
    assert not logs_on(desk, FIRST)
    later(desk, 1801)
    assert change(joe, FIRST, SECOND) == (0, "")
    assert shown(admin, "lockoutTime") == shown(admin, "badPwdCount") == [b"0"]


def test_a_former_password_is_a_guess_in_a_change(desk: Desk, admin: LdapClient, joe: LdapClient) -> None:
    assert reset(admin, SECOND) == (0, "")
    assert change(joe, FIRST, THIRD) == (VIOLATION, "00000056")
    assert shown(admin, "badPwdCount") == [b"1"]


def test_an_administrator_unlocks(desk: Desk, admin: LdapClient, joe: LdapClient) -> None:
    desk.corp.modify(
        "", replace_values("lockoutThreshold", "1"), replace_values("lockoutDuration", str(-(1 << 63)))
    )
    assert change(joe, "wrong", SECOND)[0] == VIOLATION
    later(desk, 400 * DAY)
    assert not logs_on(desk, FIRST)
    assert (
        admin.ask(
            m.ModifyRequest(JOE, (m.Change(REPLACE, m.PartialAttribute("lockoutTime", (b"0",))),))
        ).result_code
        == 0
    )
    desk.corp.modify(SHORT_JOE, replace_values("userAccountControl", str(0x10200)))
    assert logs_on(desk, FIRST)
