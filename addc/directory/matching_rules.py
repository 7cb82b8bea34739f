"""The matching rules that Active Directory has besides the comparisons of each syntax.

Spec: [MS-ADTS] 3.1.1.3.4.4.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from addc.base.ids import Dnt
from addc.directory import names
from addc.schema.snapshot import Attribute
from addc.schema.syntax import DnKind
from addc.store.objects import ObjectRow

BIT_AND: Final = "1.2.840.113556.1.4.803"
BIT_OR: Final = "1.2.840.113556.1.4.804"
TRANSITIVE_EVAL: Final = "1.2.840.113556.1.4.1941"
DN_WITH_DATA: Final = "1.2.840.113556.1.4.2253"

_NUMBER: Final = re.compile(rb"-?[0-9]{1,20}")
_ALL: Final = (1 << 64) - 1

Test = Callable[[ObjectRow], bool]
Values = Callable[[ObjectRow], Sequence[bytes]]


def bits(attribute: Attribute, value: bytes, values: Values, *, all_bits: bool) -> Test | None:
    """LDAP_MATCHING_RULE_BIT_AND and _BIT_OR; None where they do not apply.

    Numbers are taken as their bits: a mask may be written as a negative number or as the unsigned one.
    Spec: [MS-ADTS] 3.1.1.3.4.4.1, 3.1.1.3.4.4.2.
    """
    if not attribute.syntax.bitwise or _NUMBER.fullmatch(value) is None:
        return None
    mask = int(value)
    if not -(1 << 63) <= mask <= _ALL:
        return None
    mask &= _ALL
    if mask >> 63 and attribute.syntax.name != "LargeInteger":
        mask &= 0xFFFF_FFFF  # a negative number of 32 bits
    if all_bits:
        return lambda row: any(int(one) & mask == mask for one in values(row))
    return lambda row: any(int(one) & mask for one in values(row))


def names_data(attribute: Attribute) -> bool:
    """Whether LDAP_MATCHING_RULE_DN_WITH_DATA applies to the attribute."""
    return attribute.syntax.dn_kind in (DnKind.DN_BINARY, DnKind.DN_STRING)


def dn_with_data(
    dnt: Dnt | None, data: bytes, pairs: Callable[[ObjectRow], Iterable[tuple[int, bytes]]]
) -> Test:
    """LDAP_MATCHING_RULE_DN_WITH_DATA: values of an object whose payload begins with `data`.

    dnt: the object that the values name, None for whatever they name. pairs: a row's values.
    Spec: [MS-ADTS] 3.1.1.3.4.4.4.
    """
    return lambda row: any(
        (dnt is None or target == dnt) and payload.startswith(data) for target, payload in pairs(row)
    )


def stored_pairs(values: Values) -> Callable[[ObjectRow], Iterable[tuple[int, bytes]]]:
    """The values of a DN-Binary or DN-String attribute that is no link."""
    return lambda row: [(names.reference_dnt(one), names.reference_data(one)) for one in values(row)]
