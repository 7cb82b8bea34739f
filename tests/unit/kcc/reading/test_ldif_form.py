"""LDIF in all the forms in which people have a forest's topology."""

from base64 import b64encode
from uuid import UUID

import pytest

from addc.base.errors import DecodeError
from addc.codec.times import parse_generalized
from addc.kcc.reading.forest import snapshot_of
from addc.kcc.reading.ldif_form import read_dated_ldif, read_ldif
from addc.kcc.reading.ldif_writing import ldif_of, write_ldif
from tests.kit.kcc_forest import CONFIG_DN, NOW, ALink, forest

GUID = UUID("0f9875bb-5248-4a4a-8570-214b9c1e81f1")
SITE = f"CN=A,CN=Sites,{CONFIG_DN}"


def site(*lines: str) -> bytes:
    return "\n".join((f"dn: {SITE}", "objectClass: site", *lines)).encode()


def guid_read(*lines: str) -> bytes:
    entries, facts = read_ldif(site(*lines))
    (found,) = snapshot_of(entries, facts, NOW).sites
    return found.guid


@pytest.mark.parametrize(
    "line",
    [
        f"objectGUID: {GUID}",
        f"objectGUID: {{{str(GUID).upper()}}}",
        f"objectGUID: {GUID.bytes_le.hex()}",
        f"objectGUID:: {b64encode(GUID.bytes_le).decode()}",
        f"objectguid::{b64encode(str(GUID).encode()).decode()}",
    ],
    ids=["dashed", "braces", "stored digits", "bytes", "text in base64"],
)
def test_a_guid_is_read_in_every_form(line: str) -> None:
    assert guid_read(line) == GUID.bytes_le


def test_lines_are_unfolded_and_comments_left_out() -> None:
    data = (
        b"version: 1\r\n\r\n# extended LDIF\r\n#\r\n\r\n# A, Sites\r\ndn: CN=A,CN=Sit\r\n es,"
        + CONFIG_DN.encode()
        + b"\r\nobjectClass: top\r\nobjectClass: site\r\n# a comment\r\ncn: A\r\n\r\n\r\n"
        b"# search result\r\nsearch: 2\r\nresult: 0 Success\r\n\r\n# numEntries: 1\r\n"
    )
    entries, facts = read_ldif(data)
    assert [(one.dn, one.values) for one in entries] == [(SITE, {"objectclass": (b"top", b"site")})]
    assert facts.troubles == ()


def test_utf_16_as_ldifde_writes_it() -> None:
    text = f"\ufeffdn: CN=Köln,CN=Sites,{CONFIG_DN}\r\nchangetype: add\r\nobjectClass: site\r\n"
    for encoded in (text.encode("utf-16-le"), text.encode()):
        ((dn, _),), _ = read_ldif(encoded)
        assert dn == f"CN=Köln,CN=Sites,{CONFIG_DN}"


def test_a_dn_in_base64() -> None:
    dn = b64encode(f"CN=Köln,CN=Sites,{CONFIG_DN}".encode()).decode()
    ((found, _),), _ = read_ldif(f"dn:: {dn}\nobjectClass: site\n")
    assert found == f"CN=Köln,CN=Sites,{CONFIG_DN}"


@pytest.mark.parametrize("dn", ["dn: @ROOTDSE", "dn:", "dn: "])
def test_the_root_dse_tells_where_things_are(dn: str) -> None:
    text = f"{dn}\nconfigurationNamingContext: {CONFIG_DN}\ndsServiceName: <GUID={GUID}>;CN=NTDS Settings\n"
    entries, facts = read_ldif(text)
    assert entries == []
    assert (facts.config_dn, facts.service_dn, facts.schema_dn) == (CONFIG_DN, "CN=NTDS Settings", "")


def test_the_newest_change_dates_a_file() -> None:
    text = site("whenChanged: 20260102030405.0Z") + b"\n\n" + site("whenChanged: 20250102030405.0Z")
    assert read_dated_ldif(text)[2] == parse_generalized(b"20260102030405.0Z")
    assert read_dated_ldif(site("whenChanged: soon"))[2] == 0


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["nonsense"], f"a line of {SITE} that is no 'attribute: value'"),
        (["options:: %%%"], "not base64"),
        (["options:< file:///etc/passwd"], "a value in another file"),
        (["", "objectClass: site"], "a record that does not begin with its dn"),
        (["", "dn: CN=x", "changetype: delete"], "a record of a change, not of an object"),
        (["", "dn:: %%%"], "not base64"),
        (["siteList;range=0-1499: CN=x"], "siteList: the DC gave only a part of the values"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_counts(lines: list[str], told: str) -> None:
    entries, facts = read_ldif(site(*lines))
    assert [one.dn for one in entries] == [SITE]
    assert [one.what for one in facts.troubles] == [told]
    assert all(one.then for one in facts.troubles)


def test_values_that_come_in_several_answers_are_joined() -> None:
    entries, facts = read_ldif(site("siteList;range=0-*: CN=x", "siteList: CN=y"))
    assert entries[0].values["sitelist"] == (b"CN=x", b"CN=y")
    assert facts.troubles == ()


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"hello", b"\x00\xff\xfe", b"# only\n", b"dn:: %%%\n", "cn: x\n"]
)
def test_a_file_without_an_object_is_refused(data: bytes | str) -> None:
    with pytest.raises(DecodeError, match="no object in it"):
        read_ldif(data)


def test_a_file_larger_than_a_piece_is_read_whole() -> None:
    one = site(f"objectGUID: {GUID}") + b"\n" + b"cn: " + b"x" * 300_000
    data = b"\n\n".join(one.replace(b"CN=A", b"CN=A%d" % at) for at in range(12))
    entries, facts = read_ldif(data)
    assert [one.dn for one in entries] == [SITE.replace("CN=A", f"CN=A{at}") for at in range(12)]
    assert facts.troubles == ()


# --- writing ---


def test_links_are_written_as_samba_wants_them() -> None:
    text = ldif_of(forest(sites=["A", "B"], dcs=["A/a1"], links=[ALink("ab", ("A", "B"))], local="a1"))
    unfolded = text.replace(b"\n ", b"")
    lines = unfolded.split(b"\n")
    assert all(len(line) <= 78 for line in text.split(b"\n"))
    assert [line for line in lines if line.startswith(b"dn: <GUID=")]
    assert (
        len([line for line in lines if line.startswith(b"siteList: <GUID=") and b"-" not in line[:48]]) == 2
    )
    assert lines.index(b"dn: @ROOTDSE") > lines.index(b"objectClass: siteLink")
    assert any(line.startswith(b"dsServiceName: CN=NTDS Settings,CN=a1,") for line in lines)


def test_what_is_no_plain_text_is_written_in_base64() -> None:
    entries, facts = read_ldif(site("dNSHostName:: 4oCcIHg=", "description: x"))
    again, _ = read_ldif(write_ldif(entries, facts))
    assert again == entries
    assert b"dNSHostName:: 4oCcIHg=\n" in write_ldif(entries, facts)
