"""LDIF as ldifde and OpenLDAP write it. RFC 2849."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec.ldif import Modification, Op, Record, parse


def test_an_entry_is_an_add() -> None:
    text = "version: 1\n\n# a comment\ndn: CN=x,DC=y\nobjectClass: top\nobjectClass: person\n"
    text += "sn:: w6k=\nDescription: a\n  b\n"
    assert list(parse(text)) == [
        Record(
            4,
            "CN=x,DC=y",
            "add",
            attributes=(
                ("objectClass", (b"top", b"person")),
                ("sn", ("é".encode(),)),
                ("Description", (b"a b",)),
            ),
        )
    ]


def test_changes_of_schema_files_are_lenient() -> None:
    text = (
        "dn: CN=x\r\nchangetype: ntdsSchemaAdd\r\nobjectClass: attributeSchema\r\n\r\n"
        "dn: CN=x\r\nchangeType: ntdsSchemaModify\r\nadd: mayContain\r\nmayContain: a\r\n"
        "mayContain: b\r\n-\r\n"
    )
    assert list(parse(text)) == [
        Record(1, "CN=x", "add", True, attributes=(("objectClass", (b"attributeSchema",)),)),
        Record(5, "CN=x", "modify", True, modifications=(Modification(Op.ADD, "mayContain", (b"a", b"b")),)),
    ]


def test_parts_of_a_modification() -> None:
    text = "dn:\nchangetype: modify\nadd: schemaUpdateNow\nschemaUpdateNow: 1\n-\n"
    text += "delete: a\n-\nreplace: b\nb: c\n"
    (record,) = parse(text)
    assert record.dn == "" and record.modifications == (
        Modification(Op.ADD, "schemaUpdateNow", (b"1",)),
        Modification(Op.DELETE, "a", ()),
        Modification(Op.REPLACE, "b", (b"c",)),
    )


def test_renames_and_deletions() -> None:
    text = "dn: CN=x\nchangetype: modrdn\nnewrdn: CN=y\ndeleteoldrdn: 1\n\ndn: CN=y\nchangetype: delete\n"
    first, second = parse(text)
    assert (first.kind, first.new_rdn, second.kind) == ("modrdn", "CN=y", "delete")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("dn: CN=x\nno colon here\n", 2),
        ("objectClass: top\n", 1),
        ("dn: CN=x\nsn:: not base64!\n", 2),
        ("dn: CN=x\njpegPhoto:< file:///etc/passwd\n", 2),
        ("dn: CN=x\nchangetype: dance\n", 1),
        ("dn: CN=x\nchangetype: modify\nsn: x\n", 3),
        ("dn: CN=x\nchangetype: modify\nadd: sn\ncn: x\n-\n", 4),
        ("dn: CN=x\nchangetype: modrdn\nnewrdn: CN=y\nnewsuperior: CN=z\n", 1),
        ("dn: CN=x\ncontrol: 1.2.3 true\n", 2),
        ("dn:: /w==\n", 1),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(DecodeError, match=f"line {line}: "):
        list(parse(text))


@given(st.text(alphabet=st.sampled_from("dn: CN=x\n-#addchangetypemodify+<:\t\r"), max_size=200))
def test_any_text_gives_records_or_decode_error(text: str) -> None:
    try:
        records = list(parse(text))
    except DecodeError:
        return
    assert all(one.line > 0 for one in records)
