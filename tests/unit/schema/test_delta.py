"""The difference from the shipped schema: kept, loaded, and stable. [MS-ADTS] 3.1.1.2.6, 3.1.1.2.5.3."""

from dataclasses import replace
from uuid import UUID

import pytest

from addc.base.errors import DecodeError
from addc.schema.delta import Delta, delta_of, shipped, shipped_indexes
from addc.schema.elements import AttributeDef, ClassDef
from addc.schema.loader import load_base

ATTRIBUTE = AttributeDef(
    "testA", "test-A", "1.2.3.4.1", "2.5.5.1", 127, bytes.fromhex("2b0c0287731c00854a"), False, UUID(int=1),
    link_id=9000, attribute_security_guid=UUID(int=2), range_upper=-1, int_id=0x8000_0001, token="1.2.3.4.1",
)  # fmt: skip
CLASS = ClassDef(
    "testC", "test-C", "1.2.3.5.1", 1, "top", UUID(int=3), may=("cn", "1.2.3.4.1"),
    poss_superiors=("container",), default_object_category="test-C", token="1.2.3.5.1",
)  # fmt: skip


def delta(*more: AttributeDef | ClassDef, known: Delta | None = None) -> Delta:
    atts = [one for one in more if isinstance(one, AttributeDef)]
    classes = [one for one in more if isinstance(one, ClassDef)]
    ships = shipped()
    return Delta(*delta_of([*ships.attributes, *atts], [*ships.classes, *classes], known or Delta()))


def test_what_ships_is_no_difference() -> None:
    assert delta().is_empty and delta() == Delta()
    base = load_base()
    built = Delta().build()
    assert [(one.name, one.att_id, one.is_indexed) for one in built.attributes] == [
        (one.name, one.att_id, one.is_indexed) for one in base.attributes
    ]
    assert all(one is base.attribute(one.name) for one in built.attributes)


def test_packing_keeps_everything() -> None:
    found = replace(delta(ATTRIBUTE, CLASS), indexes={0x8000_0001: False})
    assert Delta.unpack(found.pack()) == found
    schema = Delta.unpack(found.pack()).build()
    attribute, class_ = schema.attribute("testA"), schema.class_("testC")
    assert attribute is not None and class_ is not None
    assert attribute.att_id == 0x8000_0001 and attribute.is_indexed and not attribute.index_ready
    assert attribute.att_id in class_.may
    assert schema.token_of_oid("1.2.3.4.1") == "1.2.3.4.1" and schema.display("1.2.3.4.1") == "testA"


def test_another_version_is_not_taken_for_this_one() -> None:
    with pytest.raises(DecodeError):
        Delta.unpack(Delta().pack().replace(b'"form":1', b'"form":2'))


def test_prefixes_keep_their_numbers() -> None:
    first = delta(ATTRIBUTE, CLASS)
    second = delta(
        CLASS._replace(oid="1.1.9.1", cn="x", name="x", token="1.1.9.1"), ATTRIBUTE, CLASS, known=first
    )
    assert dict(second.prefixes).items() >= dict(first.prefixes).items()
    one, other = first.build().class_("testC"), second.build().class_("testC")
    assert one is not None and other is not None and one.class_id == other.class_id


def test_shipped_indexes_stay_whatever_search_flags_say() -> None:
    ships = {one.name: one for one in shipped().attributes}
    changed = ships["sAMAccountName"]._replace(search_flags=8)
    found = Delta((changed,)).build().attribute("sAMAccountName")
    assert found is not None and found.is_indexed and found.index_ready and found.att_id in shipped_indexes()


def test_a_new_object_takes_the_oid_of_a_defunct_one() -> None:
    old = ATTRIBUTE._replace(is_defunct=True, link_id=None)
    new = ATTRIBUTE._replace(name="testB", cn="test-B", int_id=0x8000_0002, link_id=None)
    schema = delta(old, new).build()
    assert schema.attribute("testA") is None
    found = schema.attribute("1.2.3.4.1")
    assert found is not None and found.name == "testB" and schema.display("1.2.3.4.1") == "testB"
    assert schema.naming_attribute(0x8000_0001) is not None


def test_a_class_that_derives_from_itself_is_not_built() -> None:
    broken = (
        CLASS._replace(sub_class_of="1.2.3.5.2"),
        CLASS._replace(
            name="testD",
            cn="test-D",
            oid="1.2.3.5.2",
            token="1.2.3.5.2",
            sub_class_of="1.2.3.5.1",
            schema_id_guid=UUID(int=9),
        ),
    )
    with pytest.raises(DecodeError, match="derives from itself"):
        delta(ATTRIBUTE, *broken).build()
