"""What claims the directory issues. [MS-ADTS] 3.1.1.11.2.1 - 3.1.1.11.2.4, 3.1.1.11.2.17, 3.1.1.11.2.18."""

import pytest

from addc.codec.claims import (
    ClaimInt64,
    ClaimsSourceType,
    ClaimString,
    ClaimUint64,
    ClaimValues,
    decode_claims,
)
from addc.directory import claims
from addc.directory.context import ReadContext
from tests.kit.corp import Corp, add_values, delete_values, replace_values
from tests.kit.policies import (
    BOOLEAN,
    CLAIM_TYPES_DN,
    INT64,
    STRING,
    UINT64,
    assign_silo,
    claim_type,
    silo,
)

ANN = "CN=ann,CN=Users"
PC = "CN=pc,CN=Computers"


def issued(corp: Corp, dn: str = ANN) -> dict[str | None, ClaimValues]:
    """Claims by id, read from what a PAC would carry."""
    row = corp.row(dn)
    found = decode_claims(corp.read(lambda ctx: claims.claims_blob(ctx, row)))
    if found is None:
        return {}
    (array,) = found.claims_arrays or ()
    assert array.claims_source_type is ClaimsSourceType.AD
    return {one.id: one.values for one in array.claim_entries or ()}


@pytest.fixture
def ann(corp_sqlite: Corp) -> Corp:
    corp_sqlite.user("ann", carLicense=["foo", "bar"], localeID=["3", "-999"], msTSAllowLogon="TRUE")
    return corp_sqlite


def test_nothing_is_issued_where_nothing_is_defined(ann: Corp) -> None:
    assert issued(ann) == {}


def test_values_come_from_the_attribute(ann: Corp) -> None:
    claim_type(ann, "license", "carLicense", STRING, "user")
    claim_type(ann, "locale", "localeID", INT64, "user")
    claim_type(ann, "logon", "msTSAllowLogon", BOOLEAN, "user")
    assert issued(ann) == {
        "license": ClaimString(("foo", "bar")),
        "locale": ClaimInt64((3, -999)),
        "logon": ClaimUint64((1,)),
    }


def test_classes_are_numbers_the_most_special_first(ann: Corp) -> None:
    claim_type(ann, "class", "objectClass", UINT64, "user")
    assert issued(ann) == {"class": ClaimUint64((655369, 65543, 65542, 65536))}


def test_names_and_descriptors_are_text(ann: Corp) -> None:
    ann.add(PC, "computer", sAMAccountName="pc$", managedBy=ann.dn(ANN))
    claim_type(ann, "manager", "managedBy", STRING, "computer")
    claim_type(ann, "descriptor", "nTSecurityDescriptor", STRING, "user")
    assert issued(ann, PC) == {"manager": ClaimString((ann.dn(ANN),))}
    (text,) = issued(ann).values()
    assert isinstance(text, ClaimString) and text.values is not None
    assert str(text.values[0]).startswith("O:DAG:DAD:")


def test_two_types_of_one_attribute_are_two_claims(ann: Corp) -> None:
    claim_type(ann, "one", "carLicense", STRING, "user")
    claim_type(ann, "two", "carLicense", STRING, "user", source="ad")
    assert set(issued(ann)) == {"one", "two"}


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [
        ("carLicense", INT64),
        ("carLicense", 0),
        ("carLicense", None),
        ("localeID", UINT64),
        ("msTSAllowLogon", STRING),
        ("objectClass", INT64),
        ("unicodePwd", STRING),
        ("objectSid", STRING),
        ("whenCreated", STRING),
        (None, STRING),
    ],
)
def test_a_type_that_does_not_fit_its_attribute_is_not_valid(
    ann: Corp, attribute: str | None, kind: int | None
) -> None:
    claim_type(ann, "c", attribute, kind, "user")
    assert issued(ann) == {}


@pytest.mark.parametrize("enabled", [False, None])
def test_a_type_that_is_not_enabled_is_not_issued(ann: Corp, enabled: bool | None) -> None:
    claim_type(ann, "c", "carLicense", STRING, "user", enabled=enabled)
    assert issued(ann) == {}


@pytest.mark.parametrize("source", ["<unknown>", "TransformPolicy", "Constructed", "Certificate"])
def test_other_sources_take_nothing_from_attributes(ann: Corp, source: str) -> None:
    claim_type(ann, "c", "carLicense", STRING, "user", source=source)
    assert issued(ann) == {}


@pytest.mark.parametrize("classes", [(), ("computer",), ("top",), ("organizationalPerson",)])
def test_a_claim_is_about_instances_of_the_very_class(ann: Corp, classes: tuple[str, ...]) -> None:
    claim_type(ann, "c", "carLicense", STRING, *classes)
    assert issued(ann) == {}


def test_a_type_outside_of_the_container_does_not_count(ann: Corp) -> None:
    claim_type(ann, "c", "carLicense", STRING, "user")
    assert set(issued(ann)) == {"c"}
    ann.modify(f"CN=c,{CLAIM_TYPES_DN}", replace_values("Enabled", "FALSE"))
    assert issued(ann) == {}


def test_what_changes_is_seen_at_once(ann: Corp) -> None:
    claim_type(ann, "c", "carLicense", STRING, "user")
    assert issued(ann) == {"c": ClaimString(("foo", "bar"))}
    ann.modify(ANN, delete_values("carLicense", "foo"))
    assert issued(ann) == {"c": ClaimString(("bar",))}
    ann.modify(ANN, replace_values("carLicense"))
    assert issued(ann) == {}
    ann.modify(ANN, add_values("carLicense", "baz"))
    ann.modify(f"CN=c,{CLAIM_TYPES_DN}", replace_values("msDS-ClaimTypeAppliesToClass"))
    assert issued(ann) == {}


def test_what_is_kept_is_the_same_bytes(ann: Corp) -> None:
    claim_type(ann, "c", "carLicense", STRING, "user")
    row = ann.row(ANN)

    def twice(ctx: ReadContext) -> tuple[bytes, bytes]:
        return claims.claims_blob(ctx, row), claims.claims_blob(ctx, row)

    first, second = ann.read(twice)
    assert first is second


def test_large_sets_are_compressed(ann: Corp) -> None:
    ann.modify(ANN, replace_values("carLicense", "a" * 10_000))
    claim_type(ann, "c", "carLicense", STRING, "user")
    assert issued(ann) == {"c": ClaimString(("a" * 10_000,))}
    row = ann.row(ANN)
    assert len(ann.read(lambda ctx: claims.claims_blob(ctx, row))) < 800


def test_certificates_bring_claims_that_their_types_name(ann: Corp) -> None:
    claim_type(ann, "c", None, BOOLEAN, "user", source="Certificate", origin="1.3.6.1.4.1.311.1")
    row = ann.row(ANN)

    def of(ctx: ReadContext, *strings: str) -> list[tuple[str | None, ClaimValues]]:
        arrays = claims.claims_of(ctx, row, strings).claims_arrays or ()
        assert all(one.claims_source_type is ClaimsSourceType.CERTIFICATE for one in arrays)
        return [(one.id, one.values) for array in arrays for one in array.claim_entries or ()]

    assert ann.read(lambda ctx: of(ctx, "1.3.6.1.4.1.311.1")) == [("1.3.6.1.4.1.311.1", ClaimUint64((1,)))]
    assert ann.read(lambda ctx: of(ctx, "1.3.6.1.4.1.311.2")) == []


# --- the silo's claim ---

SILO = "ad://ext/AuthenticationSilo"


def test_members_of_an_enforced_silo_have_its_claim(ann: Corp) -> None:
    assign_silo(ann, ANN, silo(ann, "vault", ANN))
    assert issued(ann) == {SILO: ClaimString(("vault",))}


@pytest.mark.parametrize("enforced", [False, None])
def test_a_silo_that_only_audits_is_no_claim(ann: Corp, enforced: bool | None) -> None:
    assign_silo(ann, ANN, silo(ann, "vault", ANN, enforced=enforced))
    assert issued(ann) == {}


def test_a_silo_wants_to_be_assigned_and_to_have_the_member(ann: Corp) -> None:
    ann.user("bob")
    assign_silo(ann, ANN, silo(ann, "vault", "CN=bob,CN=Users"))
    assert issued(ann) == {} and issued(ann, "CN=bob,CN=Users") == {}


def test_a_deleted_silo_is_no_claim(ann: Corp) -> None:
    vault = silo(ann, "vault", ANN)
    assign_silo(ann, ANN, vault)
    ann.modify(vault, delete_values("msDS-AuthNPolicySiloMembers", ann.dn(ANN)))
    assert issued(ann) == {}
