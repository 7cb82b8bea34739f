"""Trusted domain objects: made, changed and ended as a whole, with the keys that their secrets make."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from addc.base.errors import DsError
from addc.base.secret import Secret
from addc.codec.blobs import TrustAuthInfo
from addc.codec.forest_trust import DomainFlags, DomainInfo, ForestTrustInfo, TopLevelFlags, TopLevelName
from addc.codec.ids import Sid
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import logon, passwords, trust_changes, trusts
from addc.directory.trust_changes import NewTrust
from addc.directory.trusts import Trust
from addc.schema import attr
from addc.security.krb_keys import nt_hash, string_to_key
from addc.security.trusts import Boundary, TrustAttributes, TrustDirection, TrustSecrets, TrustType
from tests.kit.corp import Corp, replace_values

PARTNER_SID = Sid.parse("S-1-5-21-77-88-99")
FIRST = Secret("First.Secret.1".encode("utf-16-le"))
SECOND = Secret("Second.Secret.2".encode("utf-16-le"))
FOREST = NewTrust(
    "partner.test",
    "PARTNER",
    PARTNER_SID,
    TrustDirection.BOTH,
    attributes=TrustAttributes.FOREST_TRANSITIVE,
    incoming=FIRST,
    outgoing=SECOND,
)
TDO = "CN=partner.test,CN=System"
REALM = "CORP.EXAMPLE.COM"


def make(corp: Corp, new: NewTrust = FOREST) -> Trust:
    corp.write(lambda ctx: trust_changes.create(ctx, new))
    return the(corp, new.partner)


def the(corp: Corp, name: str = "partner.test") -> Trust:
    found = corp.read(lambda ctx: trusts.find(ctx, name))
    assert found is not None
    return found


def refused(corp: Corp, new: NewTrust) -> Win32:
    with pytest.raises(DsError) as caught:
        make(corp, new)
    return Win32(caught.value.code)


def test_a_forest_trust_as_it_stands_in_the_directory(corp: Corp) -> None:
    """[MS-ADTS] 6.1.6.7, 6.1.6.8."""
    made = make(corp)
    assert made.dn == corp.dn(TDO)
    assert (made.partner, made.flat_name, made.sid) == ("partner.test", "PARTNER", PARTNER_SID)
    assert made.boundary is Boundary.CROSS_FOREST
    assert corp.text(TDO, "trustDirection") == "3"
    assert corp.text(TDO, "isCriticalSystemObject") == "TRUE"
    assert corp.text("CN=PARTNER$,CN=Users", "userAccountControl") == str(0x820)
    assert corp.text("CN=PARTNER$,CN=Users", "sAMAccountType") == str(0x3000_0002)
    assert made.forest is not None
    assert [one.name for one in made.forest.names] == ["partner.test"]
    assert made.forest.domains[0].sid == PARTNER_SID


def test_each_direction_has_the_keys_of_its_principal(corp_sqlite: Corp) -> None:
    """W-TRUST-06: what this KDC issues for the partner is under trustAuthIncoming."""
    made = make(corp_sqlite)
    inward = corp_sqlite.read(lambda ctx: trusts.incoming_keys(ctx, made))
    outward = corp_sqlite.read(lambda ctx: trusts.outgoing_keys(ctx, made))
    assert inward is not None and outward is not None
    assert inward.current[18] == string_to_key(18, FIRST, f"{REALM}krbtgtPARTNER.TEST".encode())
    assert outward.current[17] == string_to_key(17, SECOND, f"PARTNER.TESTkrbtgt{REALM}".encode())
    assert 23 not in inward.current
    assert inward.kvno == 1


def test_rc4_only_where_the_trust_names_it(corp_sqlite: Corp) -> None:
    """[MS-ADTS] 6.1.6.7.3; AES where nothing is said."""
    made = make(corp_sqlite, replace(FOREST, supported_enctypes=0x4))
    keys = corp_sqlite.read(lambda ctx: trusts.incoming_keys(ctx, made))
    assert keys is not None
    assert list(keys.current) == [23]
    corp_sqlite.write(
        lambda ctx: trust_changes.set_attributes(ctx, made, made.attributes | TrustAttributes.USES_AES_KEYS)
    )
    keys = corp_sqlite.read(lambda ctx: trusts.incoming_keys(ctx, the(corp_sqlite)))
    assert keys is not None
    assert list(keys.current) == [18, 17, 23]


def test_a_new_secret_makes_the_former_one_the_previous(corp: Corp) -> None:
    """[MS-ADTS] 6.1.6.9.1."""
    made = make(corp)
    before = corp.version("CN=PARTNER$,CN=Users", attr.UNICODE_PWD)
    corp.later(7200)
    corp.write(lambda ctx: trust_changes.set_secrets(ctx, made, incoming=SECOND))
    made = the(corp)
    keys = corp.read(lambda ctx: trusts.incoming_keys(ctx, made))
    assert keys is not None
    assert (keys.kvno, keys.previous_kvno) == (2, 1)
    assert keys.previous[18] == string_to_key(18, FIRST, keys.salt)
    assert keys.current[18] == string_to_key(18, SECOND, keys.salt)
    assert made.incoming is not None
    assert corp.now < made.incoming.former_until_ft()
    corp.later(3601)
    assert corp.now >= made.incoming.former_until_ft()
    assert corp.version("CN=PARTNER$,CN=Users", attr.UNICODE_PWD) == before + 1
    assert corp.row("CN=PARTNER$,CN=Users").attrs[attr.UNICODE_PWD] == (nt_hash(SECOND),)


def test_the_account_has_the_same_password_and_the_salt_of_a_trust(corp_sqlite: Corp) -> None:
    """W-TRUST-04: mirrored; the salt leaves the dollar sign out."""
    make(corp_sqlite)
    row = corp_sqlite.row("CN=PARTNER$,CN=Users")
    keys = corp_sqlite.read(lambda ctx: passwords.keys_of(ctx, row))
    assert keys.salt == f"{REALM}krbtgtPARTNER".encode()
    assert keys.key(18) == string_to_key(18, FIRST, keys.salt)


def test_nobody_logs_on_with_the_account_of_a_trust(corp_sqlite: Corp) -> None:
    """[MS-APDS] 3.1.5: neither by simple bind nor by NTLM; a wrong password is told as such."""
    make(corp_sqlite)
    row = corp_sqlite.row("CN=PARTNER$,CN=Users")
    good = corp_sqlite.read(lambda ctx: logon.verify_logon(ctx, row, FIRST, ctx.now))
    assert good == NtStatus.STATUS_NOLOGON_INTERDOMAIN_TRUST_ACCOUNT
    bad = corp_sqlite.read(lambda ctx: logon.verify_logon(ctx, row, SECOND, ctx.now))
    assert bad == NtStatus.STATUS_WRONG_PASSWORD


def test_an_outbound_trust_has_no_account_and_no_key_for_the_other_way(corp_sqlite: Corp) -> None:
    """[MS-ADTS] 6.1.6.8."""
    made = make(corp_sqlite, replace(FOREST, direction=TrustDirection.OUTBOUND))
    assert corp_sqlite.read(lambda ctx: trusts.account_row(ctx, "PARTNER")) is None
    assert corp_sqlite.read(lambda ctx: trusts.incoming_keys(ctx, made)) is None
    assert corp_sqlite.read(lambda ctx: trusts.outgoing_keys(ctx, made)) is not None


def test_deleting_a_trust_takes_its_account_along(corp: Corp) -> None:
    """[MS-LSAD] 3.1.4.7.3."""
    made = make(corp)
    corp.write(lambda ctx: trust_changes.delete(ctx, made))
    assert corp.read(trusts.trusted_domains) == ()
    assert corp.read(lambda ctx: trusts.account_row(ctx, "PARTNER")) is None


def test_who_is_no_domain_admin_makes_none(corp_sqlite: Corp) -> None:
    """[MS-LSAD] 3.1.4.7.10."""
    corp_sqlite.user("ann", "Us3r.Passw0rd!")
    with pytest.raises(DsError) as caught:
        corp_sqlite.write(lambda ctx: trust_changes.create(ctx, FOREST), corp_sqlite.token("ann"))
    assert caught.value.code == Win32.ERROR_ACCESS_DENIED
    assert corp_sqlite.read(trusts.trusted_domains) == ()
    corp_sqlite.write(lambda ctx: trust_changes.create(ctx, FOREST), corp_sqlite.admin)
    assert len(corp_sqlite.read(trusts.trusted_domains)) == 1


def test_ldap_neither_makes_nor_changes_a_trust_but_deletes_one(corp_sqlite: Corp) -> None:
    """[MS-ADTS] 6.1.6.9.7, 3.1.1.5.2.2, 3.1.1.5.3.2."""
    with pytest.raises(DsError) as caught:
        corp_sqlite.add(TDO, "trustedDomain", trustPartner="partner.test", trustDirection="2")
    assert caught.value.code == Win32.ERROR_DS_CANT_ADD_SYSTEM_ONLY
    make(corp_sqlite)
    for attribute, value in (("trustAuthIncoming", b"\0" * 12), ("trustAttributes", b"8")):
        with pytest.raises(DsError) as caught:
            corp_sqlite.modify(TDO, replace_values(attribute, value))
        assert caught.value.code == Win32.ERROR_DS_ILLEGAL_MOD_OPERATION
    with pytest.raises(DsError) as caught:
        corp_sqlite.modify("CN=PARTNER$,CN=Users", replace_values("unicodePwd", '"x"'.encode("utf-16-le")))
    assert caught.value.code == Win32.ERROR_ACCESS_DENIED


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (replace(FOREST, partner="corp.example.com"), Win32.ERROR_CURRENT_DOMAIN_NOT_ALLOWED),
        (replace(FOREST, flat_name="CORP"), Win32.ERROR_CURRENT_DOMAIN_NOT_ALLOWED),
        (replace(FOREST, partner="no name"), Win32.ERROR_INVALID_DOMAINNAME),
        (replace(FOREST, flat_name="sixteen-letters-"), Win32.ERROR_INVALID_DOMAINNAME),
        (replace(FOREST, sid=Sid.parse("S-1-5-32")), Win32.ERROR_INVALID_SID),
        (replace(FOREST, sid=None), Win32.ERROR_INVALID_PARAMETER),
        (replace(FOREST, incoming=None), Win32.ERROR_INVALID_PARAMETER),
        (replace(FOREST, trust_type=TrustType.MIT), Win32.ERROR_INVALID_PARAMETER),
        (
            replace(FOREST, attributes=TrustAttributes.FOREST_TRANSITIVE | TrustAttributes.WITHIN_FOREST),
            Win32.ERROR_INVALID_PARAMETER,
        ),
    ],
)
def test_what_no_trust_can_be(corp_sqlite: Corp, new: NewTrust, code: Win32) -> None:
    """[MS-ADTS] 6.1.6.9.7, [MS-LSAD] 3.1.4.7.10."""
    assert refused(corp_sqlite, new) == code
    assert corp_sqlite.read(trusts.trusted_domains) == ()


def test_no_second_trust_with_one_of_the_names_or_the_sid(corp_sqlite: Corp) -> None:
    """[MS-ADTS] 6.1.6.7.1, 6.1.6.7.8, 6.1.6.7.13: unique."""
    make(corp_sqlite)
    other = Sid.parse("S-1-5-21-5-5-5")
    for new in (
        replace(FOREST, flat_name="OTHER", sid=other),
        replace(FOREST, partner="other.test", sid=other),
        replace(FOREST, partner="other.test", flat_name="OTHER"),
    ):
        assert refused(corp_sqlite, new) == Win32.ERROR_DOMAIN_EXISTS


def test_names_that_another_trust_claims_are_out_of_use(corp_sqlite: Corp) -> None:
    """[MS-ADTS] 6.1.6.9.3.2."""
    make(corp_sqlite)
    info = ForestTrustInfo(
        (
            TopLevelName("second.test"),
            TopLevelName("Partner.Test"),
            DomainInfo(PARTNER_SID, "second.test", "PARTNER"),
            DomainInfo(Sid.parse("S-1-5-21-4-4-4"), "sub.second.test", "SUB"),
        )
    )
    second = make(
        corp_sqlite,
        replace(
            FOREST, partner="second.test", flat_name="SECOND", sid=Sid.parse("S-1-5-21-3-3-3"), forest=info
        ),
    )
    assert second.forest is not None
    assert [one.flags for one in second.forest.names] == [0, TopLevelFlags.DISABLED_CONFLICT]
    assert [one.flags for one in second.forest.domains] == [
        DomainFlags.SID_DISABLED_CONFLICT | DomainFlags.NETBIOS_DISABLED_CONFLICT,
        0,
    ]


def test_a_forest_claims_a_name_and_its_domains_are_below_it(corp_sqlite: Corp) -> None:
    """[MS-ADTS] 6.1.6.9.3.2."""
    made = make(corp_sqlite)
    bad: Sequence[ForestTrustInfo] = (
        ForestTrustInfo(()),
        ForestTrustInfo((TopLevelName("partner.test", excluded=True),)),
        ForestTrustInfo((TopLevelName("partner.test"), DomainInfo(None, "elsewhere.test", "E"))),
    )
    for info in bad:
        with pytest.raises(DsError) as caught:
            corp_sqlite.write(lambda ctx, info=info: trust_changes.set_namespaces(ctx, made, info))  # type: ignore[misc]
        assert caught.value.code == Win32.ERROR_INVALID_PARAMETER
    good = ForestTrustInfo((TopLevelName("partner.test"), TopLevelName("x.partner.test", excluded=True)))
    kept = corp_sqlite.write(lambda ctx: trust_changes.set_namespaces(ctx, made, good))
    assert the(corp_sqlite).forest == kept == good


def test_no_longer_a_forest_trust_it_claims_nothing(corp_sqlite: Corp) -> None:
    """[MS-ADTS] 6.1.6.9.7."""
    made = make(corp_sqlite)
    corp_sqlite.write(lambda ctx: trust_changes.set_attributes(ctx, made, TrustAttributes.QUARANTINED_DOMAIN))
    made = the(corp_sqlite)
    assert made.forest is None
    assert made.boundary is Boundary.QUARANTINED_EXTERNAL


def test_a_realm_of_mit_has_neither_sid_nor_account(corp_sqlite: Corp) -> None:
    """[MS-ADTS] 6.1.6.7.15."""
    new = NewTrust(
        "MIT.TEST", "MIT.TEST", None, TrustDirection.BOTH, TrustType.MIT,
        TrustAttributes.NON_TRANSITIVE, FIRST, FIRST, kvno=3,
    )  # fmt: skip
    made = make(corp_sqlite, new)
    assert made.boundary is Boundary.MIT
    assert corp_sqlite.read(lambda ctx: trusts.account_row(ctx, "MIT.TEST")) is None
    keys = corp_sqlite.read(lambda ctx: trusts.outgoing_keys(ctx, made))
    assert keys is not None and keys.kvno == 3


def test_posix_offsets_are_each_ones_own(corp_sqlite: Corp) -> None:
    """[MS-ADTS] 6.1.6.9.4."""
    first = make(corp_sqlite)
    second = make(
        corp_sqlite, replace(FOREST, partner="b.test", flat_name="B", sid=Sid.parse("S-1-5-21-3-3-3"))
    )
    assert (first.posix_offset, second.posix_offset) == (1, 2)


def test_secrets_stay_out_of_sight(corp_sqlite: Corp) -> None:
    """[MS-ADTS] 6.1.6.7.10: no requester reads them; nor does a repr show them."""
    made = make(corp_sqlite)
    assert "First" not in repr(made)
    stored = corp_sqlite.row(TDO).attrs[attr.TRUST_AUTH_INCOMING][0]
    assert "First" not in repr(TrustAuthInfo.unpack(stored))


def test_what_cannot_be_read_makes_no_keys() -> None:
    assert TrustSecrets.read(b"\1\0\0\0") is None
    assert TrustSecrets.read(TrustAuthInfo((), ()).pack()) is None
    assert TrustSecrets.read(None) is None
