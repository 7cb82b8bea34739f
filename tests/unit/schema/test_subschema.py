"""The subSchema object's lines, [MS-ADTS] 3.1.1.3.1.1.1."""

from collections.abc import Iterable

from addc.schema.loader import load_base
from addc.schema.subschema import (
    attribute_types,
    dit_content_rules,
    extended_attribute_info,
    extended_class_info,
    object_classes,
)

_SCHEMA = load_base()


def _line(lines: Iterable[bytes], name: str) -> str:
    found = [line.decode() for line in lines if f" NAME '{name}' ".encode() in line]
    assert len(found) == 1
    return found[0]


def test_attribute_types() -> None:
    lines = attribute_types(_SCHEMA)
    assert len(lines) == 1498  # msDS-DrsFarmID ships defunct
    assert _line(lines, "accountExpires") == (
        "( 1.2.840.113556.1.4.159 NAME 'accountExpires' SYNTAX '1.2.840.113556.1.4.906' SINGLE-VALUE )"
    )
    assert _line(lines, "objectSid").endswith(
        "SYNTAX '1.3.6.1.4.1.1466.115.121.1.40' SINGLE-VALUE NO-USER-MODIFICATION )"
    )
    assert "SYNTAX 'OctetString'" in _line(lines, "repsFrom")


def test_object_classes() -> None:
    lines = object_classes(_SCHEMA)
    assert _line(lines, "top").startswith("( 2.5.6.0 NAME 'top' ABSTRACT MUST (")
    assert _line(lines, "person").startswith("( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST (cn ) MAY (")
    assert " SUP top AUXILIARY " in _line(lines, "samDomain")


def test_content_rules_name_auxiliary_classes() -> None:
    line = _line(dit_content_rules(_SCHEMA), "group")
    assert line.startswith(
        "( 1.2.840.113556.1.5.8 NAME 'group' AUX (mailRecipient $ posixGroup $ securityPrincipal )"
    )
    assert " MUST (objectSid $ sAMAccountName ) MAY (" in line
    assert "whenCreated" not in line


def test_extended_attribute_info() -> None:
    line = _line(extended_attribute_info(_SCHEMA), "objectSid")
    assert line == (
        "( 1.2.840.113556.1.4.146 NAME 'objectSid' RANGE-LOWER '0' RANGE-UPPER '28' "
        "PROPERTY-GUID 'E87996BFE60DD011A28500AA003049E2' "
        "PROPERTY-SET-GUID '422FBA59A279D011902000C04FC2D3CF' INDEXED SYSTEM-ONLY )"
    )


def test_extended_class_info() -> None:
    assert _line(extended_class_info(_SCHEMA), "user") == (
        "( 1.2.840.113556.1.5.9 NAME 'user' CLASS-GUID 'BA7A96BFE60DD011A28500AA003049E2' )"
    )
