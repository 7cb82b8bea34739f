"""The schema NC's content: an attributeSchema or classSchema object for each definition.

Spec: [MS-ADTS] 3.1.1.2.3, 3.1.1.2.4.8
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from addc.codec.ids import guid_to_wire
from addc.provision.planned import SCHEMA, Draft, Values

Row = dict[str, str]

_GUIDS: Final = frozenset({"schemaIDGUID", "attributeSecurityGUID"})
_LISTS: Final = frozenset(
    {
        "systemAuxiliaryClass",
        "auxiliaryClass",
        "systemMustContain",
        "mustContain",
        "systemMayContain",
        "mayContain",
        "systemPossSuperiors",
        "possSuperiors",
    }
)
_FIRST: Final = ("classSchema", "attributeSchema")


def schema_drafts(attributes: Iterable[Row], classes: Iterable[Row], schema_dn: str) -> list[Draft]:
    """Classes, those of the schema's own objects first, then attributes.

    That order lets each object find the class that its objectCategory names.
    """
    by_rank = sorted(classes, key=lambda row: row["lDAPDisplayName"] not in _FIRST)
    return [_draft(row, "classSchema", schema_dn) for row in by_rank] + [
        _draft(row, "attributeSchema", schema_dn) for row in attributes
    ]


def _draft(row: Row, object_class: str, schema_dn: str) -> Draft:
    values: dict[str, Values] = {}
    for name, text in row.items():
        if not text or name == "cn":
            continue
        if name in _LISTS:
            values[name] = tuple(text.encode().split())
        elif name in _GUIDS:
            values[name] = (guid_to_wire(UUID(text)),)
        elif name == "oMObjectClass":
            values[name] = (bytes.fromhex(text),)
        elif name == "defaultObjectCategory":
            values[name] = (f"CN={text},{schema_dn}".encode(),)
        else:
            values[name] = (text.encode(),)
    if "adminDisplayName" not in values:
        values["adminDisplayName"] = (row["cn"].encode(),)
    return Draft(SCHEMA, f"CN={row['cn']},{schema_dn}", object_class, values, owner="SA", group="SA")
