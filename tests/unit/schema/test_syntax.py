"""What each syntax accepts, stores and compares, [MS-ADTS] 3.1.1.2.2."""

import pytest

from addc.base.errors import DecodeError
from addc.schema.loader import load_base
from addc.schema.syntax import DnKind, Syntax, int32_key, int64_key

_SCHEMA = load_base()
_SID = bytes.fromhex("010500000000000515000000aaaaaaaabbbbbbbbccccccccf4010000")


def _syntax(attribute: str) -> Syntax:
    found = _SCHEMA.attribute(attribute)
    assert found is not None
    return found.syntax


@pytest.mark.parametrize(
    ("attribute", "value", "stored"),
    [
        ("isDeleted", b"true", b"TRUE"),
        ("userAccountControl", b"0512", b"512"),
        ("groupType", b"2147483650", b"-2147483646"),
        ("groupType", b"-2147483646", b"-2147483646"),
        ("pwdLastSet", b"-9223372036854775808", b"-9223372036854775808"),
        ("whenCreated", b"20260131235959Z", b"20260131235959.0Z"),
        ("whenCreated", b"20260201015959+0200", b"20260131235959.0Z"),
        ("whenCreated", b"260131235959Z", b"20260131235959.0Z"),
        ("whenCreated", b"20260131235959.anything 7Z", b"20260131235959.0Z"),
        ("displayName", "Zoë".encode(), "Zoë".encode()),
        ("objectSid", _SID, _SID),
        ("objectSid", b"S-1-5-32-544", bytes.fromhex("01020000000000052000000020020000")),
        ("member", b"CN=a,DC=b", b"CN=a,DC=b"),
        (
            "member",
            b"<GUID=bdbfd4b3-453c-42ee-98e2-7b4a698a61b8>",
            b"<GUID=bdbfd4b3-453c-42ee-98e2-7b4a698a61b8>",
        ),
        ("member", b"<TTL=5,<CN=a,DC=b>>", b"<TTL=5,<CN=a,DC=b>>"),
        ("wellKnownObjects", b"B:2:0A:CN=a", b"B:2:0A:CN=a"),
        ("objectClass", b"OID.2.5.6.6", b"2.5.6.6"),
        ("governsID", b"1.2.3", b"1.2.3"),
    ],
)
def test_check(attribute: str, value: bytes, stored: bytes) -> None:
    assert _syntax(attribute).check(value) == stored


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("isDeleted", b"yes"),
        ("userAccountControl", b""),
        ("userAccountControl", b"1x"),
        ("userAccountControl", b"4294967296"),
        ("userAccountControl", b"-2147483649"),
        ("pwdLastSet", b"9223372036854775808"),
        ("pwdLastSet", b"1.0"),
        ("whenCreated", b"20261331235959.0Z"),
        ("whenCreated", b"yesterday"),
        ("displayName", b"\xff"),
        ("displayName", b""),
        ("objectSid", b"S-1"),
        ("objectSid", b"\x01\x05"),
        ("member", b"nobody"),
        ("wellKnownObjects", b"CN=a"),
        ("msDS-Settings", b""),
        ("objectClass", b"not a name"),
        ("nTSecurityDescriptor", b"\x02"),
        ("mail", b""),
    ],
)
def test_check_refuses(attribute: str, value: bytes) -> None:
    with pytest.raises(DecodeError):
        _syntax(attribute).check(value)


@pytest.mark.parametrize(
    ("attribute", "one", "other"),
    [
        ("displayName", b"John SMITH", b"john smith"),
        ("displayName", "Élan".encode(), b"elan"),
        ("displayName", "Straße".encode(), b"STRASSE"),
        ("displayName", "Ærø".encode(), b"aero"),
        ("displayName", "ＡＢＣ".encode(), b"abc"),
        ("displayName", "カタカナ".encode(), "かたかな".encode()),
        ("sAMAccountName", "ŁÓDŹ".encode(), b"lodz"),
        ("objectClass", b"User", b"user"),
        ("userAccountControl", b"0512", b"512"),
        ("isDeleted", b"True", b"TRUE"),
        ("whenCreated", b"20260131235959Z", b"20260131235959.0Z"),
    ],
)
def test_equal_keys(attribute: str, one: bytes, other: bytes) -> None:
    key = _syntax(attribute).key
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("attribute", "one", "other"),
    [
        ("displayName", b"a", b"b"),
        ("displayName", b"a b", b"ab"),
        ("displayName", "한글".encode(), "한국".encode()),
        ("objectGUID", b"A" * 16, b"a" * 16),
        ("msDFS-Ttlv2", b"1", b"-1"),
    ],
)
def test_different_keys(attribute: str, one: bytes, other: bytes) -> None:
    key = _syntax(attribute).key
    assert key(one) != key(other)


@pytest.mark.parametrize(
    ("attribute", "ascending"),
    [
        ("userAccountControl", [b"-2147483648", b"-1", b"0", b"2", b"10", b"2147483647"]),
        ("pwdLastSet", [b"-9223372036854775808", b"-1", b"0", b"2", b"10", b"9223372036854775807"]),
        ("whenCreated", [b"16010101000000.0Z", b"20251231235959.0Z", b"20260131235959.0Z"]),
        ("isDeleted", [b"FALSE", b"TRUE"]),
        ("displayName", [b"Alice", b"bob", b"Carol"]),
    ],
)
def test_keys_sort_like_the_values(attribute: str, ascending: list[bytes]) -> None:
    syntax = _syntax(attribute)
    assert syntax.ordered
    keys = [syntax.key(value) for value in ascending]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("attribute", "assertion", "stored"),
    [
        ("objectClass", b"2.5.6.6", b"person"),
        ("objectClass", b"PERSON", b"person"),
        ("objectClass", b"OID.2.5.6.6", b"person"),
        ("governsID", b"person", b"2.5.6.6"),
        ("attributeID", b"sAMAccountName", b"1.2.840.113556.1.4.221"),
        ("attributeID", b"2.5.4.3", b"2.5.4.3"),
        ("objectSid", b"S-1-5-32-544", bytes.fromhex("01020000000000052000000020020000")),
        (
            "objectGUID",
            b"bdbfd4b3-453c-42ee-98e2-7b4a698a61b8",
            bytes.fromhex("b3d4bfbd3c45ee4298e27b4a698a61b8"),
        ),
        (
            "schemaIDGUID",
            b"{bdbfd4b3-453c-42ee-98e2-7b4a698a61b8}",
            bytes.fromhex("b3d4bfbd3c45ee4298e27b4a698a61b8"),
        ),
        ("objectGUID", b"\x01" * 16, b"\x01" * 16),
        ("displayName", b"ABC", b"abc"),
        ("groupType", b"2147483650", b"-2147483646"),
    ],
)
def test_assertions_find_stored_values(attribute: str, assertion: bytes, stored: bytes) -> None:
    syntax = _syntax(attribute)
    assert syntax.assertion_key(assertion, _SCHEMA) == syntax.key(stored)


@pytest.mark.parametrize(
    ("attribute", "assertion"),
    [("objectClass", b"noSuchClass"), ("userAccountControl", b"x"), ("member", b"CN=a"), ("isDeleted", b"1")],
)
def test_assertions_that_make_no_sense(attribute: str, assertion: bytes) -> None:
    with pytest.raises(DecodeError):
        _syntax(attribute).assertion_key(assertion, _SCHEMA)


def test_canonical_oids_become_names() -> None:
    assert _syntax("objectClass").canonical(b"2.5.6.6", _SCHEMA) == b"person"
    assert _syntax("objectClass").canonical(b"PERSON", _SCHEMA) == b"person"
    assert _syntax("attributeSyntax").canonical(b"2.5.5.1", _SCHEMA) == b"2.5.5.1"
    assert _syntax("attributeID").canonical(b"cn", _SCHEMA) == b"2.5.4.3"
    assert _syntax("displayName").canonical(b"Abc", _SCHEMA) == b"Abc"


@pytest.mark.parametrize(
    ("attribute", "value", "fits"),
    [
        ("sAMAccountName", b"x" * 256, True),
        ("sAMAccountName", b"x" * 257, False),
        ("displayName", "é".encode() * 256, True),
        ("objectGUID", bytes(16), True),
        ("objectGUID", bytes(15), False),
        ("wellKnownObjects", b"B:32:" + b"00" * 16 + b":CN=a", True),
        ("wellKnownObjects", b"B:2:00:CN=a", False),
    ],
)
def test_ranges(attribute: str, value: bytes, fits: bool) -> None:
    found = _SCHEMA.attribute(attribute)
    assert found is not None
    assert found.in_range(value) is fits


def test_kinds_of_names() -> None:
    assert _syntax("member").dn_kind is DnKind.DN
    assert _syntax("wellKnownObjects").dn_kind is DnKind.DN_BINARY
    assert _syntax("cn").dn_kind is DnKind.NONE


def test_index_keys_of_numbers() -> None:
    assert int32_key(-1) == _syntax("userAccountControl").key(b"-1")
    assert int64_key(5) == _syntax("pwdLastSet").key(b"5")


def test_comparisons_that_the_syntaxes_allow() -> None:
    assert _syntax("displayName").substrings and _syntax("userAccountControl").bitwise
    assert not _syntax("member").ordered and not _syntax("objectClass").substrings
    assert not _syntax("nTSecurityDescriptor").ordered
