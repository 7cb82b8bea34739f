"""Keys, policy, history, lockout, logon counters."""

import pytest

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec import blobs
from addc.codes.win32 import Win32
from addc.directory import accounts, logon_counters, passwords
from addc.directory.context import WriteContext
from addc.directory.logon import lockout_until
from addc.directory.password_policy import PasswordPolicy, effective_policy, weakness
from addc.directory.passwords import KeySet, PreparedPassword, derive, password_of_text, salt_for
from addc.schema import attr
from addc.security import sddl
from addc.security.krb_keys import Etype, nt_hash, string_to_key
from addc.security.token import SYSTEM, Token
from addc.store.objects import ObjectRow
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.refusals import refusal

FIRST, SECOND, THIRD = "Tr0ub4dor&3", "N3w.passw0rd!", "An0ther.one!"
JOE = "CN=joe,CN=Users"
DAY = 86_400


@pytest.fixture
def joe(corp: Corp) -> Dnt:
    return corp.user("joe", FIRST)


def prepared(corp: Corp, dnt: Dnt, password: str) -> PreparedPassword:
    row = corp.row(dnt)
    return corp.read(lambda ctx: passwords.prepare_row(ctx, row, password_of_text(password)))


def reset(corp: Corp, dnt: Dnt, password: str, requester: Token = SYSTEM) -> None:
    ready, row = prepared(corp, dnt, password), corp.row(dnt)
    corp.write(lambda ctx: passwords.set_password(ctx, row, ready), requester)


def change(corp: Corp, dnt: Dnt, old: str | None, new: str, requester: Token) -> None:
    ready, row = prepared(corp, dnt, new), corp.row(dnt)
    proof = None if old is None else password_of_text(old)
    corp.write(lambda ctx: passwords.change_password(ctx, row, proof, ready), requester)


def keys(corp: Corp, dnt: Dnt) -> KeySet:
    row = corp.row(dnt)
    return corp.read(lambda ctx: passwords.keys_of(ctx, row))


# --- keys --------------------------------------------------------------------------------------------------


def test_salts_of_users_and_computers() -> None:
    assert salt_for("CORP.EXAMPLE.COM", "Ann", False) == b"CORP.EXAMPLE.COMAnn"
    assert salt_for("CORP.EXAMPLE.COM", "PC1$", True) == b"CORP.EXAMPLE.COMhostpc1.corp.example.com"


def test_a_persons_salt_is_made_of_the_principal_name_where_there_is_one() -> None:
    """Its suffix does not count, and the parts of a service's name run together; computers' names stay."""
    for upn, name in (
        ("a.nn@elsewhere.example.com", "a.nn"),
        ("Ann@b@corp.example.com", "Ann@b"),
        ("host/ann@corp.example.com", "hostann"),
        ("bare", "bare"),
        ("@corp.example.com", "@corp.example.com"),
        ("", "Ann"),
    ):
        assert salt_for("CORP.EXAMPLE.COM", "Ann", False, upn=upn) == b"CORP.EXAMPLE.COM" + name.encode(), upn
    host = b"CORP.EXAMPLE.COMhostpc1.corp.example.com"
    assert salt_for("CORP.EXAMPLE.COM", "PC1$", True, upn="pc@corp.example.com") == host


def test_the_key_set_of_a_password(corp: Corp, joe: Dnt) -> None:
    found = keys(corp, joe)
    assert found.salt == b"CORP.EXAMPLE.COMjoe" and found.kvno == 1 and found.old is None
    for etype in (Etype.AES256_CTS_HMAC_SHA1_96, Etype.AES128_CTS_HMAC_SHA1_96):
        assert found.key(etype) == string_to_key(etype, FIRST, found.salt)
    assert found.nt_hash() == nt_hash(FIRST)
    assert [key.etype for key in found.keys] == [18, 17, 23]


def test_sha2_keys_are_made_for_accounts_that_ask_for_them(corp: Corp, joe: Dnt) -> None:
    corp.modify(JOE, replace_values("msDS-SupportedEncryptionTypes", "216"))
    reset(corp, joe, SECOND)
    found = keys(corp, joe)
    assert [key.etype for key in found.keys] == [18, 17, 20, 19, 23]
    for etype in (Etype.AES256_CTS_HMAC_SHA384_192, Etype.AES128_CTS_HMAC_SHA256_128):
        assert found.key(etype) == string_to_key(etype, SECOND, found.salt)


def test_previous_keys_stay_for_two_changes(corp: Corp, joe: Dnt) -> None:
    first = keys(corp, joe)
    reset(corp, joe, SECOND)
    reset(corp, joe, THIRD)
    found = keys(corp, joe)
    assert found.kvno == 3
    assert [one.kvno for one in found.generations()] == [3, 2, 1]
    assert found.key(18, 1) == first.key(18) and found.key(23, 1) == first.key(23)
    assert found.key(23, 2) is not None and found.key(18, 9) is None
    reset(corp, joe, FIRST + "x")
    assert [one.kvno for one in keys(corp, joe).generations()] == [4, 3, 2]


def test_the_same_password_again_is_a_new_key_version(corp: Corp, joe: Dnt) -> None:
    reset(corp, joe, FIRST)
    found = keys(corp, joe)
    assert [one.kvno for one in found.generations()] == [2, 1]
    assert found.key(18, 1) == found.key(18, 2)


def test_a_rename_keeps_the_salt_until_the_next_password(corp: Corp, joe: Dnt) -> None:
    corp.modify(JOE, replace_values("sAMAccountName", "joseph"))
    assert keys(corp, joe).salt == b"CORP.EXAMPLE.COMjoe"
    reset(corp, joe, SECOND)
    assert keys(corp, joe).salt == b"CORP.EXAMPLE.COMjoseph"


def test_the_writer_derives_again_for_another_salt(corp: Corp, joe: Dnt) -> None:
    stale = derive(password_of_text(SECOND), b"CORP.EXAMPLE.COMother")
    row = corp.row(joe)
    corp.write(lambda ctx: passwords.set_password(ctx, row, stale))
    found = keys(corp, joe)
    assert found.key(18) == string_to_key(18, SECOND, b"CORP.EXAMPLE.COMjoe")


def test_a_computer_has_a_host_salt(corp_sqlite: Corp) -> None:
    dnt = corp_sqlite.add("CN=pc1,CN=Computers", "computer", sAMAccountName="PC1$")
    reset(corp_sqlite, dnt, "x" * 120)
    assert keys(corp_sqlite, dnt).salt == b"CORP.EXAMPLE.COMhostpc1.corp.example.com"


def test_what_is_stored_is_what_windows_stores(corp: Corp, joe: Dnt) -> None:
    row = corp.row(joe)
    stored = blobs.UserProperties.unpack(row.attrs[attr.SUPPLEMENTAL_CREDENTIALS][0])
    assert [name for name, _ in stored.entries] == [
        blobs.KERBEROS_NEWER_KEYS, blobs.PACKAGES, blobs.NTLM_STRONG_NTOWF,
    ]  # fmt: skip
    assert row.attrs[attr.UNICODE_PWD] == (nt_hash(FIRST),)
    assert row.attrs[attr.NT_PWD_HISTORY] == (nt_hash(FIRST),)
    assert nt_hash(FIRST) not in row.attrs_packed and attr.DBCS_PWD not in row.attrs


def test_clear_text_is_kept_only_where_it_is_asked_for(corp_sqlite: Corp) -> None:
    dnt = corp_sqlite.user("digest", FIRST)
    corp_sqlite.modify("CN=digest,CN=Users", replace_values("userAccountControl", str(0x280)))
    reset(corp_sqlite, dnt, SECOND)
    stored = corp_sqlite.row(dnt).attrs[attr.SUPPLEMENTAL_CREDENTIALS][0]
    assert blobs.UserProperties.unpack(stored).get(blobs.CLEARTEXT) == SECOND.encode("utf-16-le")


def test_krbtgt_gets_a_random_password_and_no_changes(corp: Corp) -> None:
    dnt = corp.row("CN=krbtgt,CN=Users").dnt
    before = keys(corp, dnt)
    reset(corp, dnt, SECOND)
    found = keys(corp, dnt)
    assert found.key(18) not in (before.key(18), string_to_key(18, SECOND, found.salt))
    assert found.key(18, before.kvno) == before.key(18)
    refused = refusal(lambda: change(corp, dnt, None, THIRD, corp.admin))
    assert refused[1] is Win32.ERROR_ACCESS_DENIED


# --- policy ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Ab1", "short"),
        ("alllowercase1", "complex"),
        ("Aann1bcde", "name"),
        ("Smithy#12", "display name"),
        ("Good.pass1", ""),
        ("Пароль.123", ""),
        ("lower-and-1", ""),
    ],
)
def test_the_complexity_rules(password: str, why: str) -> None:
    policy = PasswordPolicy(minimum_length=7, complexity=True)
    found = weakness(policy, password, "aann", "Ann_Smithy, jr")
    assert (why in found) if why else found == ""


def test_without_complexity_only_the_length_counts() -> None:
    assert weakness(PasswordPolicy(minimum_length=3), "aaa", "aaa", "") == ""
    assert weakness(PasswordPolicy(minimum_length=3), "aa", "", "") != ""


def test_the_domain_has_a_policy(corp: Corp, joe: Dnt) -> None:
    row = corp.row(joe)
    rules = corp.read(lambda ctx: effective_policy(ctx, row))
    assert (rules.minimum_length, rules.history_length, rules.complexity) == (7, 24, True)
    assert rules.minimum_age == DAY * 10_000_000 and rules.maximum_age == 42 * DAY * 10_000_000


def settings(corp: Corp, name: str, precedence: int, length: int) -> str:
    dn = f"CN={name},CN=Password Settings Container,CN=System"
    values = {
        "msDS-PasswordSettingsPrecedence": str(precedence),
        "msDS-PasswordReversibleEncryptionEnabled": "FALSE",
        "msDS-PasswordHistoryLength": "0",
        "msDS-PasswordComplexityEnabled": "FALSE",
        "msDS-MinimumPasswordLength": str(length),
        "msDS-MinimumPasswordAge": "0",
        "msDS-MaximumPasswordAge": "-36288000000000",
        "msDS-LockoutThreshold": "2",
        "msDS-LockoutObservationWindow": "-18000000000",
        "msDS-LockoutDuration": "-18000000000",
    }
    corp.add(dn, "msDS-PasswordSettings", values=values)
    return dn


def test_settings_objects_override_by_user_then_group(corp: Corp, joe: Dnt) -> None:
    corp.group("club")
    corp.modify("CN=club,CN=Users", add_values("member", corp.dn(JOE)))

    def length() -> int:
        row = corp.row(joe)
        return corp.read(lambda ctx: effective_policy(ctx, row)).minimum_length

    group_dn = settings(corp, "group", 5, 11)
    corp.modify(group_dn, add_values("msDS-PSOAppliesTo", corp.dn("CN=club,CN=Users")))
    assert length() == 11
    user_dn = settings(corp, "user", 50, 13)
    corp.modify(user_dn, add_values("msDS-PSOAppliesTo", corp.dn(JOE)))
    assert length() == 13


def test_settings_must_make_sense(corp_sqlite: Corp) -> None:
    dn = settings(corp_sqlite, "user", 1, 3)
    refused = refusal(lambda: corp_sqlite.modify(dn, replace_values("msDS-LockoutDuration", "-1")))
    assert refused[1] is Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY


def test_changes_keep_to_age_and_history(corp: Corp, joe: Dnt) -> None:
    token = corp.token("joe")
    with pytest.raises(DsError, match="young"):
        change(corp, joe, FIRST, SECOND, token)
    corp.later(2 * DAY)
    change(corp, joe, FIRST, SECOND, token)
    corp.later(2 * DAY)
    with pytest.raises(DsError, match="before"):
        change(corp, joe, SECOND, FIRST, token)
    assert len(corp.row(joe).attrs[attr.NT_PWD_HISTORY][0]) == 32


def test_resets_do_not_unless_hinted(corp: Corp, joe: Dnt) -> None:
    reset(corp, joe, FIRST, corp.admin)
    ready, row = prepared(corp, joe, FIRST), corp.row(joe)

    def hinted() -> None:
        corp.write(lambda ctx: passwords.set_password(ctx, row, ready, policy_hints=True), corp.admin)

    with pytest.raises(DsError, match="young"):
        hinted()
    corp.later(2 * DAY)
    with pytest.raises(DsError, match="before"):
        hinted()


def test_nobody_sets_another_ones_password_without_the_right(corp: Corp, joe: Dnt) -> None:
    corp.user("ann")
    refused = refusal(lambda: reset(corp, joe, SECOND, corp.token("ann")))
    assert refused[1] is Win32.ERROR_ACCESS_DENIED


def test_a_change_needs_the_right_as_well(corp: Corp, joe: Dnt) -> None:
    closed = sddl.parse("O:DAG:DAD:PAI(A;;GA;;;SY)", corp.forest.domain_sid, corp.forest.domain_sid)
    corp.modify(JOE, replace_values("nTSecurityDescriptor", closed.pack()), requester=SYSTEM)
    corp.later(2 * DAY)
    refused = refusal(lambda: change(corp, joe, FIRST, SECOND, corp.token("joe")))
    assert refused[1] is Win32.ERROR_ACCESS_DENIED


def test_when_a_password_must_change(corp_sqlite: Corp) -> None:
    dnt = corp_sqlite.user("joe", FIRST)

    def expiry() -> int:
        row = corp_sqlite.row(dnt)
        return corp_sqlite.read(lambda ctx: passwords.password_must_change(ctx, row))

    assert expiry() == corp_sqlite.now + 42 * DAY * 10_000_000
    corp_sqlite.modify(JOE, replace_values("userAccountControl", str(0x10200)))
    assert expiry() == 0x7FFF_FFFF_FFFF_FFFF
    corp_sqlite.modify(JOE, replace_values("userAccountControl", "512"), replace_values("pwdLastSet", "0"))
    assert expiry() == 0


# --- counters ----------------------------------------------------------------------------------------------


def bad(corp: Corp, dnt: Dnt, password: str | None = None) -> bool:
    secret = None if password is None else password_of_text(password)
    return corp.write(lambda ctx: logon_counters.record_bad_password(ctx, dnt, secret))


def numbers(corp: Corp, dnt: Dnt) -> tuple[int, int]:
    """badPwdCount and lockoutTime."""
    row = corp.row(dnt)
    found = corp.read(lambda ctx: accounts.account(ctx, row))
    return found.bad_pwd_count, found.lockout_time


@pytest.fixture
def strict(corp: Corp, joe: Dnt) -> Dnt:
    corp.modify("", replace_values("lockoutThreshold", "3"))
    return joe


def test_bad_passwords_lock_and_time_unlocks(corp: Corp, strict: Dnt) -> None:
    assert [bad(corp, strict) for _ in range(3)] == [False, False, True]
    count, locked = numbers(corp, strict)
    assert count == 3 and locked == corp.now
    row = corp.row(strict)
    assert row.meta[attr.LOCKOUT_TIME].version == 1 and attr.BAD_PWD_COUNT not in row.meta
    assert bad(corp, strict) and numbers(corp, strict)[0] == 3

    def is_locked() -> bool:
        row = corp.row(strict)
        return corp.read(lambda ctx: lockout_until(ctx, accounts.account(ctx, row), row) > ctx.now)

    assert is_locked()
    corp.later(1801)
    assert not is_locked()
    assert not bad(corp, strict) and numbers(corp, strict) == (1, 0)


def test_old_attempts_are_forgotten(corp: Corp, strict: Dnt) -> None:
    bad(corp, strict)
    bad(corp, strict)
    corp.later(1801)
    assert not bad(corp, strict)
    assert numbers(corp, strict) == (1, 0)


def test_the_previous_password_is_no_attack(corp: Corp, strict: Dnt) -> None:
    reset(corp, strict, SECOND)
    assert [bad(corp, strict, FIRST) for _ in range(5)] == [False] * 5
    assert numbers(corp, strict) == (0, 0)
    bad(corp, strict, "wrong")
    assert numbers(corp, strict) == (1, 0)


def test_the_administrator_is_not_locked_out(corp_sqlite: Corp) -> None:
    corp_sqlite.modify("", replace_values("lockoutThreshold", "1"))
    admin = corp_sqlite.row("CN=Administrator,CN=Users").dnt
    assert not bad(corp_sqlite, admin)
    assert numbers(corp_sqlite, admin) == (1, 0)


def logon(corp: Corp, dnt: Dnt) -> bool:
    def work(ctx: WriteContext) -> bool:
        return logon_counters.record_logon(ctx, dnt)

    return corp.write(work)


def test_logons_are_written_once_a_minute(corp: Corp, joe: Dnt) -> None:
    before = corp.row(joe)
    assert logon(corp, joe)
    assert corp.text(joe, "lastLogon") == corp.text(joe, "lastLogonTimestamp") == str(corp.now)
    assert corp.text(joe, "logonCount") == "1"
    row = corp.row(joe)
    assert row.meta.keys() - before.meta.keys() == {attr.LAST_LOGON_TIMESTAMP}
    corp.later(30)
    assert not logon(corp, joe)
    corp.later(40)
    usn = corp.row(joe).usn_changed
    assert logon(corp, joe)
    assert corp.text(joe, "logonCount") == "2" and corp.row(joe).usn_changed == usn
    corp.later(15 * DAY)
    logon(corp, joe)
    assert corp.text(joe, "lastLogonTimestamp") == str(corp.now)


def test_a_logon_clears_what_went_wrong(corp: Corp, strict: Dnt) -> None:
    logon(corp, strict)
    bad(corp, strict)
    assert logon(corp, strict)
    assert numbers(corp, strict) == (0, 0)


def test_counting_needs_an_account(corp_sqlite: Corp) -> None:
    group = corp_sqlite.group("club")
    assert (
        not bad(corp_sqlite, group) and not logon(corp_sqlite, group) and not bad(corp_sqlite, Dnt(1 << 40))
    )


def test_rows_of_other_kinds_have_no_keys(corp_sqlite: Corp) -> None:
    row: ObjectRow = corp_sqlite.row(corp_sqlite.user("bare"))
    found = corp_sqlite.read(lambda ctx: passwords.keys_of(ctx, row))
    assert found.keys == () and found.salt == b""
