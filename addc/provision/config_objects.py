"""The extended rights, display specifiers and certificate authorities of the configuration NC.

Spec: [MS-ADTS] 6.1.1.2.7, 6.1.1.2.3, 6.1.1.2.4
"""

from collections.abc import Iterable, Sequence
from typing import Final

from addc.provision.planned import CONFIGURATION, Draft, Values

Row = dict[str, str]
PUBLIC_KEY_SERVICES: Final = "CN=Public Key Services,CN=Services"
_NO_LIST: Final = b"\0"
"""What Windows writes where a revocation list has to be and there is none."""


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


def authorities(ca_name: str, certificate: bytes, config_dn: str) -> list[Draft]:
    """An authority that the forest trusts, as a root and to vouch for logons.

    certificate: its DER.
    Spec: [MS-WCCE] 2.2.2.11 (stores), KB5057784 (NTAuth)
    """
    attributes = {
        "cACertificate": (certificate,),
        "certificateRevocationList": (_NO_LIST,),
        "authorityRevocationList": (_NO_LIST,),
    }
    below = f"{PUBLIC_KEY_SERVICES},{config_dn}"
    named = (
        f"CN={ca_name},CN=Certification Authorities,{below}",
        f"CN={ca_name},CN=AIA,{below}",
        f"CN=NTAuthCertificates,{below}",
    )
    return [
        Draft(CONFIGURATION, dn, "certificationAuthority", attributes, owner="EA", group="EA") for dn in named
    ]
