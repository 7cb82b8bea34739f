"""Fine-grained password policies: which settings object wins, and that all of it counts.

[MS-ADTS] 3.1.1.4.5.36, [MS-SAMR] 3.1.1.5.
"""

import pytest

from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import logon_counters, passwords
from addc.directory.password_policy import effective_policy, resultant_settings
from addc.schema import attr
from addc.security import sddl
from addc.security.token import SYSTEM
from tests.kit.corp import SEALED, Corp, add_values, quoted, replace_values
from tests.kit.refusals import refusal
from tests.unit.directory.test_passwords import settings

JOE = "CN=joe,CN=Users"
FIRST = "Tr0ub4dor&3"
GLOBAL, UNIVERSAL, DISTRIBUTION = -2147483646, -2147483640, 2


@pytest.fixture
def joe(corp_sqlite: Corp) -> Dnt:
    return corp_sqlite.user("joe", FIRST)


def apply_to(corp: Corp, settings_dn: str, *names: str) -> None:
    corp.modify(settings_dn, add_values("msDS-PSOAppliesTo", *(corp.dn(name) for name in names)))


def winner(corp: Corp, dnt: Dnt) -> str:
    row = corp.row(dnt)
    found = corp.read(lambda ctx: resultant_settings(ctx, row))
    return "" if found is None else found.rdn


def test_the_lowest_precedence_wins_and_a_guid_breaks_ties(corp_sqlite: Corp, joe: Dnt) -> None:
    corp = corp_sqlite
    for name, precedence in (("late", 9), ("one", 5), ("two", 5)):
        apply_to(corp, settings(corp, name, precedence, 8), JOE)
    where = "CN={},CN=Password Settings Container,CN=System"
    first = min(("one", "two"), key=lambda name: corp.row(where.format(name)).guid)
    assert winner(corp, joe) == first


def test_nested_global_security_groups_count_and_no_others(corp_sqlite: Corp, joe: Dnt) -> None:
    corp = corp_sqlite
    for name, kind in (("inner", GLOBAL), ("outer", GLOBAL), ("wide", UNIVERSAL), ("mail", DISTRIBUTION)):
        corp.group(name, kind)
    corp.modify("CN=inner,CN=Users", add_values("member", corp.dn(JOE)))
    for name in ("outer", "wide", "mail"):
        corp.modify(f"CN={name},CN=Users", add_values("member", corp.dn("CN=inner,CN=Users")))
    apply_to(corp, settings(corp, "of wide", 1, 8), "CN=wide,CN=Users")
    apply_to(corp, settings(corp, "of mail", 2, 8), "CN=mail,CN=Users")
    assert winner(corp, joe) == ""
    apply_to(corp, settings(corp, "of outer", 3, 8), "CN=outer,CN=Users")
    assert winner(corp, joe) == "of outer"


def test_the_primary_group_counts(corp_sqlite: Corp, joe: Dnt) -> None:
    apply_to(corp_sqlite, settings(corp_sqlite, "all", 3, 8), "CN=Domain Users,CN=Users")
    assert winner(corp_sqlite, joe) == "all"


def test_computers_and_krbtgt_are_under_the_domain_policy(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    pc = corp.add("CN=pc,CN=Computers", "computer", sAMAccountName="PC$", userAccountControl="4096")
    krbtgt = corp.row("CN=krbtgt,CN=Users").dnt
    apply_to(corp, settings(corp, "all", 3, 8), "CN=pc,CN=Computers", "CN=krbtgt,CN=Users")
    assert winner(corp, pc) == winner(corp, krbtgt) == ""


def test_every_setting_counts(corp_sqlite: Corp, joe: Dnt) -> None:
    corp = corp_sqlite
    dn = settings(corp, "own", 1, 12)
    corp.modify(dn, replace_values("msDS-PasswordReversibleEncryptionEnabled", "TRUE"))
    corp.modify(dn, replace_values("msDS-LockoutDuration", str(-(1 << 63))))
    apply_to(corp, dn, JOE)
    row = corp.row(joe)
    rules = corp.read(lambda ctx: effective_policy(ctx, row))
    assert (rules.minimum_length, rules.history_length, rules.complexity) == (12, 0, False)
    assert rules.reversible and rules.minimum_age == 0 and rules.maximum_age == 42 * 864_000_000_000
    assert (rules.lockout_threshold, rules.lockout_duration) == (2, 0)
    change = replace_values("unicodePwd", quoted("Sh0rt.word!"))
    refused = refusal(lambda: corp.modify(JOE, change, options=SEALED))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_PASSWORD_RESTRICTION)
    corp.modify(JOE, replace_values("unicodePwd", quoted("alllowercase")), options=SEALED)
    assert attr.NT_PWD_HISTORY not in corp.row(joe).attrs
    locked = [corp.write(lambda ctx: logon_counters.record_bad_password(ctx, joe)) for _ in range(2)]
    assert locked == [False, True]


def test_expiry_follows_the_settings(corp_sqlite: Corp, joe: Dnt) -> None:
    corp = corp_sqlite
    dn = settings(corp, "own", 1, 8)
    corp.modify(dn, replace_values("msDS-MaximumPasswordAge", "-864000000000"))
    apply_to(corp, dn, JOE)
    row = corp.row(joe)
    assert corp.read(lambda ctx: passwords.password_must_change(ctx, row)) == corp.now + 864_000_000_000


def test_a_reset_without_unexpire_password_expires_at_once(corp_sqlite: Corp, joe: Dnt) -> None:
    """[MS-SAMR] 3.1.1.8.7"""
    corp = corp_sqlite
    corp.user("helper", FIRST)
    row = corp.row(joe)
    new = passwords.password_of_text("N3w.word!x")
    ready = corp.read(lambda ctx: passwords.prepare_row(ctx, row, new))

    def reset() -> str:
        corp.write(lambda ctx: passwords.set_password(ctx, corp.row(joe), ready), corp.token("helper"))
        return corp.text(joe, "pwdLastSet")

    assert refusal(reset)[1] is Win32.ERROR_ACCESS_DENIED
    domain = corp.forest.domain_sid
    open_to_all = sddl.parse("O:DAG:DAD:PAI(A;;GA;;;AU)", domain, domain).pack()
    corp.modify(JOE, replace_values("nTSecurityDescriptor", open_to_all), requester=SYSTEM)
    assert reset() == str(corp.now)
    closed = sddl.parse("O:DAG:DAD:PAI(A;;GA;;;SY)", domain, domain).pack()
    corp.modify("", replace_values("nTSecurityDescriptor", closed), requester=SYSTEM)
    assert reset() == "0"
