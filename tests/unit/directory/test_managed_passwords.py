"""Group managed service accounts: creation, passwords by time, who may have them."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import DsError
from addc.base.secret import Secret
from addc.codec.gkdi_blobs import KeyIdentifier, ManagedPasswordBlob
from addc.codec.ids import Sid
from addc.codes.hresult import HResult
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import check, kds_new_key, kds_root_keys, managed_passwords, passwords
from addc.directory.api import Directory, Services
from addc.directory.audit_events import AuditEvent, AuditRecord
from addc.directory.controls import RequestOptions
from addc.directory.delete import delete_object
from addc.directory.jobs import run_jobs
from addc.directory.search import BASE, SearchRequest, search
from addc.schema import attr
from addc.security import gkdi, sddl
from addc.security.gkdi import KEY_CYCLE_FT, GroupKeyId
from addc.security.krb_keys import Etype, nt_hash
from addc.security.token import SYSTEM, Token
from addc.store.objects import ObjectRow
from tests.kit.corp import SEALED, Corp, delete_values, quoted, replace_values
from tests.kit.corp_forest import NOW, CountingRng, StandingClock
from tests.kit.refusals import refusal_told

GMSA = "CN=web,CN=Managed Service Accounts"
CLASS = "msDS-GroupManagedServiceAccount"
DAYS = 10
ROLLOVER = 24 * KEY_CYCLE_FT
"""Ten days are 24 spans of ten hours."""
SKEW_S = 300


@dataclass
class Account:
    """A gMSA whose password PC1$ may have."""

    corp: Corp
    reader: Token
    other: Token

    def row(self) -> ObjectRow:
        return self.corp.row(GMSA)

    def sid(self) -> Sid:
        sid = self.row().sid
        assert sid is not None
        return Sid(sid)

    def at(self, when: int) -> None:
        self.corp.now = FileTime(when)

    def start(self, number: int = 0) -> int:
        """When the password of a number begins."""
        return GroupKeyId.at(NOW).start_ft + number * ROLLOVER

    def password(self, number: int = 0) -> bytes:
        """What it must be by the documents' maths."""

        def work(ctx: object) -> bytes:
            root = next(iter(kds_root_keys.all_keys(ctx).values()))  # type: ignore[arg-type]
            return gkdi.managed_password(root, GroupKeyId.at(self.start(number)), self.sid()).reveal()

        return self.corp.read(work)

    def fetch(
        self, requester: Token | None = None, options: RequestOptions = SEALED
    ) -> ManagedPasswordBlob | None:
        request = SearchRequest(
            self.corp.dn(GMSA), BASE, attributes=("msDS-ManagedPassword",), options=options
        )
        result = self.corp.read(lambda ctx: search(ctx, request), requester or self.reader)
        (found,) = result.entries
        values = dict(found.attributes).get(b"msDS-ManagedPassword")
        return None if not values else ManagedPasswordBlob.unpack(values[0])

    def roll(self) -> None:
        while self.corp.write(managed_passwords.roll_step):
            continue

    def keys(self) -> managed_passwords.ManagedKeys:
        return self.corp.read(lambda ctx: managed_passwords.managed_keys(ctx, self.row()))

    def stored(self) -> passwords.KeySet:
        return self.corp.read(lambda ctx: passwords.keys_of(ctx, self.row()))

    def proves(self, number: int) -> bool:
        """Whether a logon with that password is let in."""
        wanted = nt_hash(Secret(self.password(number)))
        found = self.corp.read(lambda ctx: managed_passwords.nt_hashes(ctx, self.row()))
        return wanted in (found.current, *found.accepted)


def delete(corp: Corp, dn: str) -> None:
    corp.write(lambda ctx: delete_object(ctx, corp.dn(dn)))


def membership(corp: Corp, text: str) -> bytes:
    return sddl.parse(text, corp.forest.domain_sid).pack()


def add_gmsa(corp: Corp, dn: str = GMSA, days: int = DAYS, more: dict[str, bytes] | None = None) -> None:
    values: dict[str, str | bytes] = {
        "sAMAccountName": "web$",
        "msDS-ManagedPasswordInterval": str(days),
        "userAccountControl": "4096",
        **(more or {}),
    }
    corp.add(dn, CLASS, values=values)


@pytest.fixture
def gmsa(corp_sqlite: Corp) -> Account:
    corp = corp_sqlite
    corp.add("CN=PC1,CN=Computers", "computer", sAMAccountName="PC1$", userAccountControl="4096")
    corp.user("eve")
    pc1 = corp.sid("CN=PC1,CN=Computers")
    add_gmsa(corp, more={"msDS-GroupMSAMembership": membership(corp, f"O:BAD:(A;;RP;;;{pc1})")})
    return Account(corp, corp.token("PC1$"), corp.token("eve"))


# --- creation ----------------------------------------------------------------------------------------------


def test_a_new_account_has_a_password_of_its_span(gmsa: Account) -> None:
    """[MS-ADTS] 3.1.1.4.5.39: keys, hash and identifier are of the span that now lies in."""
    row = gmsa.row()
    assert row.attrs[attr.UNICODE_PWD] == (nt_hash(Secret(gmsa.password())),)
    key_id = KeyIdentifier.unpack(row.attrs[attr.MS_DS_MANAGED_PASSWORD_ID][0])
    assert GroupKeyId(key_id.l0, key_id.l1, key_id.l2) == GroupKeyId.at(NOW)
    assert (key_id.domain_name, key_id.forest_name) == ("corp.example.com", "corp.example.com")
    assert attr.MS_DS_MANAGED_PASSWORD_PREVIOUS_ID not in row.attrs
    assert gmsa.stored().salt == b"CORP.EXAMPLE.COMhostweb.corp.example.com"
    assert gmsa.corp.text(GMSA, "pwdLastSet") == str(NOW)
    assert gmsa.corp.text(GMSA, "sAMAccountType") == str(0x3000_0001)
    assert gmsa.corp.text(GMSA, "primaryGroupID") == "515"


@pytest.mark.parametrize("days", [0, -1, 1_000_001])
def test_intervals_that_are_none_are_refused(corp_sqlite: Corp, days: int) -> None:
    refused = refusal_told(lambda: add_gmsa(corp_sqlite, days=days))
    assert refused == (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_DS_CONSTRAINT_VIOLATION)


def test_the_interval_must_be_there(corp_sqlite: Corp) -> None:
    """[MS-ADSC] 2.140: systemMustContain."""
    refused = refusal_told(lambda: corp_sqlite.add(GMSA, CLASS, sAMAccountName="web$"))
    assert refused == (LdapResult.OBJECT_CLASS_VIOLATION, Win32.ERROR_DS_MISSING_REQUIRED_ATT)


def test_the_interval_never_changes(gmsa: Account) -> None:
    """[MS-ADA2] (systemOnly)"""
    for change in (
        replace_values("msDS-ManagedPasswordInterval", "1"),
        delete_values("msDS-ManagedPasswordId"),
    ):
        refused = refusal_told(lambda: gmsa.corp.modify(GMSA, change))  # noqa: B023
        assert refused == (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY)


@pytest.mark.parametrize("name", ["msDS-ManagedPasswordId", "msDS-ManagedPasswordPreviousId"])
def test_nobody_chooses_the_password_id(corp_sqlite: Corp, name: str) -> None:
    refused = refusal_told(lambda: add_gmsa(corp_sqlite, more={name: b"x"}))
    assert refused == (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY)


def test_nobody_chooses_the_password(corp_sqlite: Corp) -> None:
    """Neither with the object nor later, whatever rights he holds."""
    refused = refusal_told(lambda: add_gmsa(corp_sqlite, more={"unicodePwd": quoted("Ch0sen.Password")}))
    assert refused == (LdapResult.INSUFFICIENT_ACCESS_RIGHTS, Win32.ERROR_ACCESS_DENIED)
    add_gmsa(corp_sqlite)
    change = replace_values("unicodePwd", quoted("Ch0sen.Password"))
    refused = refusal_told(lambda: corp_sqlite.modify(GMSA, change))
    assert refused == (LdapResult.INSUFFICIENT_ACCESS_RIGHTS, Win32.ERROR_ACCESS_DENIED)


def test_users_make_no_managed_accounts_by_their_machine_quota(corp_sqlite: Corp) -> None:
    """[MS-ADTS] 3.1.1.5.2.1: the privilege is for computers and for nothing that derives from them."""
    corp_sqlite.user("eve")
    refused = refusal_told(
        lambda: corp_sqlite.add(
            "CN=web,CN=Computers",
            CLASS,
            corp_sqlite.token("eve"),
            sAMAccountName="web$",
            msDS_ManagedPasswordInterval="30",
        )
    )
    assert refused == (LdapResult.INSUFFICIENT_ACCESS_RIGHTS, Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS)


def test_without_a_root_key_one_is_told_what_to_do(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    (key_id,) = corp.read(kds_root_keys.all_keys)
    delete(corp, f"CN={key_id},{corp.read(kds_root_keys.container_dn)}")
    with pytest.raises(DsError, match="create-root-key") as error:
        add_gmsa(corp)
    assert (error.value.code, error.value.ldap_result) == (
        HResult.NTE_NO_KEY,
        LdapResult.UNWILLING_TO_PERFORM,
    )
    corp.write(lambda ctx: kds_new_key.create(ctx, FileTime(ctx.now + 1)))
    with pytest.raises(DsError, match="in force"):
        add_gmsa(corp)
    corp.write(lambda ctx: kds_new_key.create(ctx, kds_root_keys.usable_at_once_ft(ctx.now)))
    add_gmsa(corp)


# --- reading the password ----------------------------------------------------------------------------------


def test_who_is_named_reads_the_password(gmsa: Account) -> None:
    """[MS-ADTS] 3.1.1.4.5.39: no previous one while the account is young."""
    expiry = gmsa.start(1) - NOW
    assert gmsa.fetch() == ManagedPasswordBlob(gmsa.password(), None, expiry, expiry - SKEW_S * TICKS_PER_S)


@pytest.mark.parametrize("who", ["other", "admin"])
def test_who_is_not_named_reads_nothing(gmsa: Account, who: str) -> None:
    """[MS-ADTS] 3.1.1.4.4: not even a domain admin, who would have to name himself first."""
    requester = gmsa.other if who == "other" else gmsa.corp.admin
    assert gmsa.fetch(requester) is None


def test_without_a_descriptor_nobody_reads(gmsa: Account) -> None:
    """[MS-ADTS] 3.1.1.4.5.39: operationsError / ERROR_DS_CANT_RETRIEVE_ATTRS."""
    gmsa.corp.modify(GMSA, delete_values("msDS-GroupMSAMembership"))
    assert refusal_told(gmsa.fetch) == (LdapResult.OPERATIONS_ERROR, Win32.ERROR_DS_CANT_RETRIEVE_ATTRS)


@pytest.mark.parametrize("text", ["O:BA", "O:BAD:", "O:BAD:(D;;RP;;;WD)(A;;RP;;;WD)", "O:BAD:(A;;WP;;;WD)"])
def test_descriptors_that_grant_nothing(gmsa: Account, text: str) -> None:
    """A descriptor without a DACL, which elsewhere grants everything, does not do so here."""
    gmsa.corp.modify(GMSA, replace_values("msDS-GroupMSAMembership", membership(gmsa.corp, text)))
    try:
        assert gmsa.fetch() is None
    except DsError as error:
        assert error.code == Win32.ERROR_DS_CANT_RETRIEVE_ATTRS


@pytest.mark.parametrize("who", ["reader", "other"])
def test_only_over_an_encrypted_connection(gmsa: Account, who: str) -> None:
    """[MS-ADTS] 3.1.1.4.5.39: told to everybody, before it is asked who may."""
    requester = gmsa.reader if who == "reader" else gmsa.other
    refused = refusal_told(lambda: gmsa.fetch(requester, RequestOptions()))
    assert refused == (LdapResult.OPERATIONS_ERROR, Win32.ERROR_DS_CONFIDENTIALITY_REQUIRED)


@pytest.mark.parametrize("wanted", [("*",), ("*", "+"), ()])
def test_never_without_being_named(gmsa: Account, wanted: tuple[str, ...]) -> None:
    request = SearchRequest(gmsa.corp.dn(GMSA), BASE, attributes=wanted, options=SEALED)
    for requester in (gmsa.reader, gmsa.corp.admin, SYSTEM):
        (found,) = gmsa.corp.read(lambda ctx: search(ctx, request), requester).entries
        shown = {name.lower() for name, _ in found.attributes}
        assert not shown & {b"msds-managedpassword", b"unicodepwd", b"supplementalcredentials"}


def test_computers_have_no_managed_password(gmsa: Account) -> None:
    request = SearchRequest(
        gmsa.corp.dn("CN=PC1,CN=Computers"), BASE, attributes=("msDS-ManagedPassword",), options=SEALED
    )
    (found,) = gmsa.corp.read(lambda ctx: search(ctx, request), gmsa.corp.admin).entries
    assert not found.attributes


def test_every_fetch_is_written_down(gmsa: Account) -> None:
    """Whether or not it was let through; no SACL is asked, and no secret is told."""
    told: list[AuditRecord] = []
    directory = Directory(gmsa.corp.store, gmsa.corp.schema, Services(StandingClock(NOW), CountingRng(b"a")))
    directory.on_audit(told.append)
    request = SearchRequest(gmsa.corp.dn(GMSA), BASE, attributes=("msDS-ManagedPassword",), options=SEALED)
    for requester in (gmsa.reader, gmsa.other):
        directory.read_now("test", requester, lambda ctx: search(ctx, request))
    assert [(one.event, one.success, one.subject) for one in told] == [
        (AuditEvent.PASSWORD_FETCHED, True, gmsa.reader.user),
        (AuditEvent.PASSWORD_FETCH_REFUSED, False, gmsa.other.user),
    ]
    assert gmsa.password().hex() not in str([one.fields() for one in told])


# --- time --------------------------------------------------------------------------------------------------


def test_five_minutes_before_the_end_the_next_password_is_told(gmsa: Account) -> None:
    """[MS-ADTS] 3.1.1.4.5.39: with the present one as the previous."""
    gmsa.at(gmsa.start(1) - SKEW_S * TICKS_PER_S)
    left = SKEW_S * TICKS_PER_S
    expected = ManagedPasswordBlob(gmsa.password(1), gmsa.password(0), left, ROLLOVER)
    assert gmsa.fetch() == expected
    gmsa.at(gmsa.start(1) - SKEW_S * TICKS_PER_S - 1)
    found = gmsa.fetch()
    assert found is not None and found.current == gmsa.password(0)


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_passwords_follow_the_clock(gmsa: Account, number: int, written: bool) -> None:
    """The same whether the row was brought up to date or not; it keeps the password before."""
    gmsa.at(gmsa.start(number))
    if written:
        gmsa.roll()
    found = gmsa.fetch()
    assert found is not None
    assert (found.current, found.previous) == (gmsa.password(number), gmsa.password(number - 1))
    assert (found.query_interval, found.unchanged_interval) == (ROLLOVER, ROLLOVER - SKEW_S * TICKS_PER_S)


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_reader_and_the_writer_come_to_the_same_keys(gmsa: Account, number: int) -> None:
    """Versions too: tickets made before the row was written are opened after it."""
    gmsa.at(gmsa.start(number) + 5 * 60 * TICKS_PER_S)
    foreseen = gmsa.keys().keys
    gmsa.roll()
    stored = gmsa.stored()
    assert foreseen.kvno == stored.kvno
    for etype in (Etype.AES256_CTS_HMAC_SHA1_96, Etype.AES128_CTS_HMAC_SHA1_96, Etype.RC4_HMAC):
        for kvno in (stored.kvno, stored.kvno - 1):
            known = stored.key(etype, kvno)
            assert known is not None and known == foreseen.key(etype, kvno)
    assert gmsa.keys().keys.kvno == stored.kvno
    before = gmsa.row().usn_changed
    gmsa.roll()
    assert gmsa.row().usn_changed == before


def test_old_tickets_still_open_after_a_roll(gmsa: Account) -> None:
    """The key of the password before is found by its version."""
    old = gmsa.stored()
    aes = Etype.AES256_CTS_HMAC_SHA1_96
    gmsa.at(gmsa.start(1))
    gmsa.roll()
    assert gmsa.stored().kvno == old.kvno + 1
    assert gmsa.stored().key(aes, old.kvno) == old.key(aes)
    assert gmsa.keys().keys.key(aes, old.kvno) == old.key(aes)


def test_the_roll_is_on_the_agenda_and_writes_what_windows_writes(gmsa: Account) -> None:
    """pwdLastSet, identifiers, hash, history, keys and their version; the next roll waits."""
    corp = gmsa.corp
    assert corp.read(lambda ctx: ctx.tx.next_due(managed_passwords.ROLL)) == gmsa.start(1)
    first_id = gmsa.row().attrs[attr.MS_DS_MANAGED_PASSWORD_ID]
    gmsa.at(gmsa.start(1))
    clock = StandingClock(corp.now)
    directory = Directory(corp.store, corp.schema, Services(clock, CountingRng(b"roll")))
    run_jobs(directory)
    row = gmsa.row()
    assert row.attrs[attr.MS_DS_MANAGED_PASSWORD_PREVIOUS_ID] == first_id
    assert row.attrs[attr.MS_DS_MANAGED_PASSWORD_ID] != first_id
    assert row.attrs[attr.UNICODE_PWD] == (nt_hash(Secret(gmsa.password(1))),)
    assert corp.text(GMSA, "pwdLastSet") == str(corp.now)
    assert corp.read(lambda ctx: ctx.tx.next_due(managed_passwords.ROLL)) == gmsa.start(2)


def test_logons_around_a_roll(gmsa: Account) -> None:
    """The next password five minutes early, the one before five minutes late, none else."""
    five = SKEW_S * TICKS_PER_S
    for when, good in (
        (gmsa.start(1) - five - 1, {0}),
        (gmsa.start(1) - five, {0, 1}),
        (gmsa.start(1), {0, 1}),
        (gmsa.start(1) + five - 1, {0, 1}),
        (gmsa.start(1) + five, {1}),
        (gmsa.start(2), {1, 2}),
    ):
        gmsa.at(when)
        assert {number for number in range(4) if gmsa.proves(number)} == good
        gmsa.roll()
        assert {number for number in range(4) if gmsa.proves(number)} == good


def test_a_shortest_interval_is_two_spans(corp_sqlite: Corp) -> None:
    """[MS-ADTS] 3.1.1.4.5.39: a day is 2.4 spans, rounded down."""
    assert managed_passwords.rollover_ft(1) == 2 * KEY_CYCLE_FT
    assert managed_passwords.rollover_ft(30) == 72 * KEY_CYCLE_FT


def test_an_account_outlives_its_root_key(gmsa: Account) -> None:
    """Keys that are stored serve; a new root key makes the next passwords."""
    corp = gmsa.corp
    before = gmsa.stored()
    (key_id,) = corp.read(kds_root_keys.all_keys)
    delete(corp, f"CN={key_id},{corp.read(kds_root_keys.container_dn)}")
    assert gmsa.keys().keys == before
    gmsa.at(gmsa.start(1))
    gmsa.roll()
    assert gmsa.stored().kvno == before.kvno
    corp.write(lambda ctx: kds_new_key.create(ctx, kds_root_keys.usable_at_once_ft(ctx.now)))
    gmsa.at(corp.now + KEY_CYCLE_FT)
    gmsa.roll()
    assert gmsa.stored().kvno > before.kvno
    assert gmsa.fetch() is not None


def test_a_deleted_account_is_rolled_no_more(gmsa: Account) -> None:
    delete(gmsa.corp, GMSA)
    gmsa.at(gmsa.start(1))
    gmsa.roll()
    assert gmsa.corp.read(lambda ctx: ctx.tx.next_due(managed_passwords.ROLL)) is None


def test_check_finds_nothing_wrong(gmsa: Account) -> None:
    gmsa.at(gmsa.start(3))
    gmsa.roll()
    services = Services(StandingClock(gmsa.corp.now), CountingRng(b"check"))
    report = check.check(Directory(gmsa.corp.store, gmsa.corp.schema, services))
    assert not report.findings


def test_check_plans_a_roll_that_was_lost(gmsa: Account) -> None:
    corp = gmsa.corp
    corp.write(lambda ctx: ctx.tx.drop_due(managed_passwords.ROLL, gmsa.row().dnt))
    directory = Directory(corp.store, corp.schema, Services(StandingClock(corp.now), CountingRng(b"check")))
    (found,) = check.check(directory, mend=True).findings
    assert "nothing will ever renew it" in found.detail
    assert corp.read(lambda ctx: ctx.tx.next_due(managed_passwords.ROLL)) == gmsa.start(1)


# --- root keys ---------------------------------------------------------------------------------------------


def test_root_keys_are_sealed_in_the_database_and_read_by_admins_alone(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.user("eve")
    (key,) = corp.read(kds_root_keys.all_keys).values()
    dn = f"CN={key.key_id},{corp.read(kds_root_keys.container_dn)}"
    assert key.data.reveal() not in corp.row(dn).attrs_packed
    request = SearchRequest(dn, BASE, attributes=("msKds-RootKeyData", "msKds-Version"), options=SEALED)

    def shown(requester: Token) -> set[bytes]:
        try:
            return {
                name
                for one in corp.read(lambda ctx: search(ctx, request), requester).entries
                for name, _ in one.attributes
            }
        except DsError:
            return set()

    assert shown(corp.token("eve")) == set()
    assert b"msKds-RootKeyData" in shown(corp.admin)


def test_the_newest_root_key_that_is_in_force_makes_passwords(corp_sqlite: Corp) -> None:
    """[MS-GKDI] 3.1.4.1 (4)"""
    corp = corp_sqlite
    (first,) = corp.read(kds_root_keys.all_keys)
    corp.later(1)
    second = corp.write(lambda ctx: kds_new_key.create(ctx, kds_root_keys.usable_at_once_ft(ctx.now)))
    corp.later(1)
    corp.write(lambda ctx: kds_new_key.create(ctx, FileTime(ctx.now + KEY_CYCLE_FT)))
    chosen: Callable[[int], object] = lambda when: corp.read(  # noqa: E731
        lambda ctx: getattr(kds_root_keys.key_for(ctx, when), "key_id", None)
    )
    assert chosen(GroupKeyId.at(corp.now).start_ft) == second
    assert chosen(0) is None
    assert first != second


def test_the_server_configuration_decides_what_new_root_keys_are(corp_sqlite: Corp) -> None:
    """[MS-GKDI] 3.1.4.1.1"""
    corp = corp_sqlite
    dn = (
        "CN=Group Key Distribution Service Server Configuration,CN=Server Configuration,"
        f"CN=Group Key Distribution Service,CN=Services,{corp.forest.config_dn}"
    )
    corp.modify(
        dn,
        replace_values("msKds-SecretAgreementAlgorithmID", "ECDH_P256"),
        replace_values("msKds-PublicKeyLength", "256"),
        replace_values("msKds-PrivateKeyLength", "256"),
    )
    made = corp.write(lambda ctx: kds_new_key.create(ctx, ctx.now))
    key = corp.read(kds_root_keys.all_keys)[made]
    assert (key.secret_algorithm, key.secret_parameters, key.private_key_length) == ("ECDH_P256", b"", 256)
    assert gkdi.hash_of(key) == "sha512"
