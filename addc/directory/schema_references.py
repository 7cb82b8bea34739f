"""Values of schema objects that name others, also by names that are not in force yet.

A name counts as soon as its object is in the schema NC. linkID and mAPIID also take OIDs and names, for which
the DC finds the number.

Spec: [MS-ADTS] 3.1.1.2.3.1 (linkID), 3.1.1.2.3.2 (mAPIID), 3.1.1.4.8.
"""

from collections.abc import Sequence
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import AttId
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.schema import attr
from addc.schema.catalogue import Catalogue, Key
from addc.schema.consistency import refuse
from addc.schema.elements import AttributeDef

REFERENCES: Final = frozenset(
    (
        attr.SUB_CLASS_OF,
        attr.MUST_CONTAIN,
        attr.SYSTEM_MUST_CONTAIN,
        attr.MAY_CONTAIN,
        attr.SYSTEM_MAY_CONTAIN,
        attr.POSS_SUPERIORS,
        attr.SYSTEM_POSS_SUPERIORS,
        attr.AUXILIARY_CLASS,
        attr.SYSTEM_AUXILIARY_CLASS,
        attr.RDN_ATT_ID,
    )
)
"""Attributes whose values are tokens of schema objects."""

NEW_LINK: Final = b"1.2.840.113556.1.2.50"
NEW_MAPI_ID: Final = b"1.2.840.113556.1.2.49"
_LINKS_FROM: Final = 0x4000_0000
"""Far above the numbers that vendors had registered, so that no later extension brings one of ours."""
_MAPI_IDS_FROM: Final = 0xF000


def resolved(catalogue: Catalogue, att: AttId, values: Sequence[bytes]) -> Sequence[bytes]:
    """The values of a schema object's attribute as the syntax of the attribute takes them.

    Raises DsError(ERROR_INVALID_PARAMETER) with noSuchAttribute for a name that no schema object has.
    """
    if att in REFERENCES:
        return [_token(catalogue, value) for value in values]
    if att == attr.LINK_ID:
        return [_link_id(catalogue, value) for value in values]
    if att == attr.MAPIID:
        return [_mapi_id(catalogue) if value == NEW_MAPI_ID else value for value in values]
    return values


def _token(catalogue: Catalogue, value: bytes) -> bytes:
    text = value.decode("utf-8", "replace")
    found = catalogue.token_of(text)
    if found is None and not text[:1].isdigit():
        raise DsError(
            Win32.ERROR_INVALID_PARAMETER,
            f"no attribute or class {text[:64]!r}",
            ldap_result=LdapResult.NO_SUCH_ATTRIBUTE,
        )
    return value if found is None else found.encode("utf-8")


def _link_id(catalogue: Catalogue, value: bytes) -> bytes:
    """A number, the OID that asks for a new one, or a forward link to be the back link of."""
    text = value.decode("utf-8", "replace")
    if text.lstrip("-").isdigit():
        return value
    if value == NEW_LINK:
        return b"%d" % _free(catalogue, Key.LINK, _LINKS_FROM, 2)
    forward = [
        one.definition
        for kind in (Key.NAME, Key.OID)
        for one in catalogue.find(kind, text)
        if isinstance(one.definition, AttributeDef) and not one.is_defunct
    ]
    if not forward or not forward[0].link_id or forward[0].link_id & 1:
        raise refuse(Win32.ERROR_DS_BACKLINK_WITHOUT_LINK, f"{text[:64]} is no forward link", "linkID")
    return b"%d" % (forward[0].link_id + 1)


def _mapi_id(catalogue: Catalogue) -> bytes:
    return b"%d" % _free(catalogue, Key.MAPI, _MAPI_IDS_FROM, 1)


def _free(catalogue: Catalogue, kind: Key, first: int, step: int) -> int:
    """The lowest number from `first` on that nothing has; of links, neither end."""
    number = first
    while any(catalogue.find(kind, number + offset) for offset in range(step)):
        number += step
    return number


def display_name(cn: str) -> str:
    """lDAPDisplayName of an object that comes without one. Spec: [MS-ADTS] 3.1.1.2.3.4."""
    parts = [part for part in cn.replace("-", " ").replace("_", " ").split(" ") if part]
    if not parts:
        return ""
    first, *rest = parts
    return first[0].lower() + first[1:] + "".join(part[0].upper() + part[1:] for part in rest)
