"""The schema that ships with addc (version 88), read from its tables.

Measured on one core: imports and `load_base` take about 85 ms in a fresh process, 36 ms of them the call
itself; the limit is 150 ms.

Spec: [MS-ADTS] 3.1.1.2.3, 3.1.1.2.4 (what the columns mean); MS-ADA1 to MS-ADA3 and MS-ADSC (the values).
"""

from functools import lru_cache
from pathlib import Path
from typing import Final
from uuid import UUID

from addc.schema.prefix_map import PrefixMap
from addc.schema.snapshot import AttributeDef, ClassDef, Schema
from addc.schema.syntax import SyntaxTable

SCHEMA_VERSION: Final = 88
"""objectVersion of the schema NC's root that the tables describe."""

_HERE: Final = Path(__file__).resolve().parent


def data_folder() -> Path:
    """Where the tables are: inside the installed package, else at the top of the source tree."""
    inside = _HERE / "data"
    return inside if inside.is_dir() else _HERE.parent.parent / "schema"


def level_file(version: int) -> Path | None:
    """The changes that bring the shipped schema to a later objectVersion, as LDIF; None where none ship."""
    path = data_folder() / f"level_{version}.ldf"
    return path if path.is_file() else None


def table(name: str) -> list[dict[str, str]]:
    """The rows of one table by column name; an empty cell is an absent value.

    name: attributes, classes, syntaxes, oid_prefixes, extended_rights or display_specifiers_409.
    """
    lines = (data_folder() / f"{name}.tsv").read_text(encoding="utf-8").split("\n")
    columns = lines[0].split("\t")
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[1:] if line]


@lru_cache(maxsize=1)
def load_base() -> Schema:
    """The base schema as one snapshot, made once per process."""
    return Schema.build(attribute_defs(), class_defs(), load_prefixes(), load_syntaxes())


def load_syntaxes() -> SyntaxTable:
    """All syntaxes ([MS-ADTS] 3.1.1.2.2.2)."""
    return SyntaxTable(
        (
            row["name"],
            row["attributeSyntax"],
            int(row["oMSyntax"]),
            bytes.fromhex(row["oMObjectClass"]),
            row["subschema_syntax_oid"],
        )
        for row in table("syntaxes")
    )


def load_prefixes() -> PrefixMap:
    """The prefix table of a new forest ([MS-DRSR] 5.16.4)."""
    return PrefixMap.of(
        (int(row["index"]), bytes.fromhex(row["prefix_ber_hex"])) for row in table("oid_prefixes")
    )


def attribute_defs() -> list[AttributeDef]:
    """Every attributeSchema of the base schema, by name."""
    return [
        AttributeDef(
            name=row["lDAPDisplayName"],
            cn=row["cn"],
            oid=row["attributeID"],
            syntax_oid=row["attributeSyntax"],
            om_syntax=int(row["oMSyntax"]),
            om_object_class=bytes.fromhex(row["oMObjectClass"]),
            single_valued=row["isSingleValued"] == "TRUE",
            schema_id_guid=UUID(row["schemaIDGUID"]),
            search_flags=int(row["searchFlags"] or 0),
            system_flags=int(row["systemFlags"] or 0),
            system_only=row["systemOnly"] == "TRUE",
            attribute_security_guid=_guid(row["attributeSecurityGUID"]),
            link_id=_number(row["linkID"]),
            mapi_id=_number(row["mAPIID"]),
            range_lower=_number(row["rangeLower"]),
            range_upper=_number(row["rangeUpper"]),
            in_gc=row["isMemberOfPartialAttributeSet"] == "TRUE",
            is_defunct=row["isDefunct"] == "TRUE",
        )
        for row in table("attributes")
    ]


def class_defs() -> list[ClassDef]:
    """Every classSchema of the base schema, by name."""
    return [
        ClassDef(
            name=row["lDAPDisplayName"],
            cn=row["cn"],
            oid=row["governsID"],
            category=int(row["objectClassCategory"]),
            sub_class_of=row["subClassOf"],
            schema_id_guid=UUID(row["schemaIDGUID"]),
            aux=_names(row, "systemAuxiliaryClass", "auxiliaryClass"),
            must=_names(row, "systemMustContain", "mustContain"),
            may=_names(row, "systemMayContain", "mayContain"),
            poss_superiors=_names(row, "systemPossSuperiors", "possSuperiors"),
            rdn_att=row["rDNAttID"],
            default_object_category=row["defaultObjectCategory"],
            default_sd=row["defaultSecurityDescriptor"],
            default_hiding=row["defaultHidingValue"] == "TRUE",
            system_only=row["systemOnly"] == "TRUE",
            system_flags=int(row["systemFlags"] or 0),
        )
        for row in table("classes")
    ]


def _names(row: dict[str, str], system: str, local: str) -> tuple[str, ...]:
    return tuple(row[system].split() + row[local].split())


def _number(cell: str) -> int | None:
    return int(cell) if cell else None


def _guid(cell: str) -> UUID | None:
    return UUID(cell) if cell else None
