"""DN text as RFC 4514 and Active Directory write it, and the other names for an object."""

from uuid import UUID

import pytest

from addc.base.errors import DecodeError
from addc.codec.dn import (
    Dn,
    GuidName,
    Rdn,
    SidName,
    WkGuidName,
    escape_value,
    format_extended,
    join_dn_binary,
    join_dn_string,
    parse_name,
    split_dn_binary,
    split_dn_string,
    split_ttl,
    wkguid_text,
)
from addc.codec.ids import Sid

_GUID = UUID("bdbfd4b3-453c-42ee-98e2-7b4a698a61b8")
_SID = Sid.parse("S-1-5-21-2354834273-1534127952-2340477679-500")


@pytest.mark.parametrize(
    ("text", "rdns"),
    [
        ("", []),
        ("CN=a,DC=b", [("CN", "a"), ("DC", "b")]),
        (" cn = a ; dc = b ", [("cn", "a"), ("dc", "b")]),
        ("CN=Smith\\, James K.,DC=b", [("CN", "Smith, James K."), ("DC", "b")]),
        ('CN="Smith, James",DC=b', [("CN", "Smith, James"), ("DC", "b")]),
        ("CN=\\ Jim Smith \\ ,DC=b", [("CN", " Jim Smith  "), ("DC", "b")]),
        ("CN=East\\#Test \\+ Lab,DC=b", [("CN", "East#Test + Lab"), ("DC", "b")]),
        ("CN=Lu\\C4\\8Di\\C4\\87", [("CN", "Lučić")]),
        ("CN=a\\0ACNF:1,DC=b", [("CN", "a\nCNF:1"), ("DC", "b")]),
        ("OID.2.5.4.3=#0C0141", [("OID.2.5.4.3", "A")]),
        ("2.5.4.3=#1E020042", [("2.5.4.3", "B")]),
        ("CN=a=b", [("CN", "a=b")]),
        ("CN=back\\\\slash", [("CN", "back\\slash")]),
        ("CN=tail\\\\ ,DC=b", [("CN", "tail\\"), ("DC", "b")]),
        ("CN=a#b", [("CN", "a#b")]),
    ],
)
def test_parse(text: str, rdns: list[tuple[str, str]]) -> None:
    assert [tuple(rdn) for rdn in Dn.parse(text).rdns] == rdns


@pytest.mark.parametrize(
    "text",
    [
        "CN", "CN=", "CN=a,", ",CN=a", "CN=a,,DC=b", "=a", "CN=a+CN=b", "1CN=a", 'CN="a', "CN=a\\", "CN=<a>",
        "CN=#04", "CN=#0C05AA", "CN=\\FF", "CN=a\0,DC=\\", "-=a", 'CN="a"b', "CN=" + "x" * 9000,
        "DC=a," * 300 + "DC=b",
    ],
)  # fmt: skip
def test_parse_refuses(text: str) -> None:
    with pytest.raises(DecodeError):
        Dn.parse(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a,b", "a\\,b"),
        ("East#Test + Lab", "East\\#Test \\+ Lab"),
        ('"<>;=\\', '\\"\\<\\>\\;\\=\\\\'),
        (" a ", "\\ a\\ "),
        (" ", "\\ "),
        ("a b", "a b"),
        ("x\nDEL:1\r\0", "x\\0ADEL:1\\0D\\00"),
        ("é/*", "é/*"),
    ],
)
def test_escape(value: str, text: str) -> None:
    assert escape_value(value) == text
    assert Dn.parse(f"CN={text}").rdn == Rdn("CN", value)


def test_equal_names() -> None:
    assert Dn.parse("CN=Élan,DC=X").key() == Dn.parse("cn=elan , dc=x").key()
    assert Dn.parse("CN=a,DC=x").key() != Dn.parse("OU=a,DC=x").key()


def test_walks() -> None:
    dn = Dn.parse("CN=a,OU=b,DC=x,DC=y")
    assert str(dn.parent) == "OU=b,DC=x,DC=y"
    assert str(dn.child("CN", "c,d")) == "CN=c\\,d,CN=a,OU=b,DC=x,DC=y"
    assert dn.is_under(Dn.parse("dc=X,dc=Y")) and dn.is_under(dn) and dn.is_under(Dn(()))
    assert not Dn.parse("DC=y").is_under(dn)
    assert not dn.is_under(Dn.parse("DC=y,DC=x"))
    assert dn.dns_domain() == "x.y"
    assert str(Dn.of_dns("example.com.")) == "DC=example,DC=com"
    assert len(dn) == 4 and not Dn(())


def test_guid_names() -> None:
    assert parse_name("<GUID=bdbfd4b3-453c-42ee-98e2-7b4a698a61b8>") == GuidName(_GUID)
    assert parse_name("<guid=b3d4bfbd3c45ee4298e27b4a698a61b8>") == GuidName(_GUID)


def test_sid_names() -> None:
    assert parse_name("<SID=S-1-5-21-2354834273-1534127952-2340477679-500>") == SidName(_SID)
    assert parse_name("<SID=01050000000000051500000061eb5b8c50ef705befda808bf4010000>") == SidName(_SID)


def test_well_known_names() -> None:
    name = parse_name("<WKGUID=a9d1ca15768811d1aded00c04fd8d5cd,DC=example,DC=com>")
    assert isinstance(name, WkGuidName)
    assert str(name.dn) == "DC=example,DC=com"
    assert wkguid_text(name.guid) == "A9D1CA15768811D1ADED00C04FD8D5CD"


def test_extended_name_counts_by_its_guid() -> None:
    for form in (0, 1):
        text = format_extended("CN=Administrator,CN=Users,DC=Fabrikam,DC=com", _GUID.bytes_le, _SID, form)
        assert parse_name(text) == GuidName(_GUID)


def test_extended_form_of_the_specification() -> None:
    """[MS-ADTS] 3.1.1.3.4.1.5."""
    dn = "CN=Administrator,CN=Users,DC=Fabrikam,DC=com"
    assert format_extended(dn, _GUID.bytes_le, _SID, 0) == (
        "<GUID=b3d4bfbd3c45ee4298e27b4a698a61b8>;"
        f"<SID=01050000000000051500000061eb5b8c50ef705befda808bf4010000>;{dn}"
    )
    assert format_extended(dn, _GUID.bytes_le, _SID, 1) == (
        "<GUID=bdbfd4b3-453c-42ee-98e2-7b4a698a61b8>;"
        f"<SID=S-1-5-21-2354834273-1534127952-2340477679-500>;{dn}"
    )
    assert format_extended(dn, _GUID.bytes_le, None, 1) == f"<GUID={_GUID}>;{dn}"


@pytest.mark.parametrize(
    "text",
    [
        "<GUID=12>",
        "<SID=S-1>",
        "<SID=zz>",
        "<WKGUID=00>",
        "<FOO=1>",
        "<GUID",
        "<GUID=-x-y>",
        "<GUID=00>x",
        "<>",
    ],
)
def test_names_in_brackets_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        parse_name(text)


def test_ttl_names() -> None:
    assert split_ttl("<TTL=86400,<CN=a,DC=b>>") == (86400, "CN=a,DC=b")
    assert split_ttl("<ttl=0,CN=a,DC=b>") == (0, "CN=a,DC=b")
    assert split_ttl(f"<TTL=5,<GUID={_GUID}>>") == (5, f"<GUID={_GUID}>")
    assert split_ttl("CN=a") == (None, "CN=a")


def test_dn_binary() -> None:
    text = "B:4:0AFF:CN=a:b,DC=c"
    assert split_dn_binary(text) == (b"\x0a\xff", "CN=a:b,DC=c")
    assert join_dn_binary(b"\x0a\xff", "CN=a:b,DC=c") == text
    for wrong in ("B:3:0AF:CN=a", "B:4:0A:CN=a", "X:2:0A:CN=a", "B:2:zz:CN=a", "B:2", "B:x:0A:CN=a"):
        with pytest.raises(DecodeError):
            split_dn_binary(wrong)


def test_dn_string() -> None:
    text = "S:6:é:abc:CN=a,DC=c"
    assert split_dn_string(text) == ("é:abc", "CN=a,DC=c")
    assert join_dn_string("é:abc", "CN=a,DC=c") == text
    for wrong in ("S:9:ab:CN=a", "B:2:ab:CN=a", "S:2", "S:1:é:CN=a", "S:-1:a:b"):
        with pytest.raises(DecodeError):
            split_dn_string(wrong)
