"""The extended rights and display specifiers of the configuration NC.

Spec: [MS-ADTS] 6.1.1.2.7, 6.1.1.2.3
"""

from collections.abc import Iterable, Sequence

from addc.provision.planned import CONFIGURATION, Draft, Values

Row = dict[str, str]


def extended_rights(rows: Iterable[Row], config_dn: str) -> list[Draft]:
    """A controlAccessRight for each row."""
    return [
        Draft(
            CONFIGURATION,
            f"CN={row['cn']},CN=Extended-Rights,{config_dn}",
            "controlAccessRight",
            {
                name: tuple(cell.encode().split()) if name == "appliesTo" else (cell.encode(),)
                for name, cell in row.items()
                if cell and name != "cn"
            },
            owner="EA",
            group="EA",
        )
        for row in rows
    ]


def display_specifiers(rows: Sequence[Row], config_dn: str) -> list[Draft]:
    """An object for each name of the rows, which hold one value each."""
    classes: dict[str, str] = {}
    values: dict[str, dict[str, Values]] = {}
    for row in rows:
        name = row["object"]
        classes[name] = row["class"]
        attributes = values.setdefault(name, {})
        attributes[row["attribute"]] = (*attributes.get(row["attribute"], ()), row["value"].encode())
    return [
        Draft(
            CONFIGURATION,
            f"CN={name},CN=409,CN=DisplaySpecifiers,{config_dn}",
            classes[name],
            attributes,
            owner="EA",
            group="EA",
        )
        for name, attributes in values.items()
    ]
