"""What a principal's name says by itself, without a directory.

Spec: RFC 4120 6.2, 7.3, [MS-KILE] 3.1.5.7.
"""

from typing import Final

from addc.codec.krb5 import PrincipalName
from addc.codec.krb5_numbers import NameType

TGS: Final = "krbtgt"
ANONYMOUS: Final = PrincipalName(int(NameType.KRB_NT_WELLKNOWN), ("WELLKNOWN", "ANONYMOUS"))
"""Nobody. Spec: RFC 8062 3."""


def same_name(one: PrincipalName, other: PrincipalName) -> bool:
    """Equal components; neither case nor name type counts ([MS-KILE] 3.1.5.7)."""
    if one.name_string == other.name_string:
        return True
    return [part.casefold() for part in one.name_string] == [part.casefold() for part in other.name_string]


def is_change_password(name: PrincipalName) -> bool:
    """kadmin/changepw."""
    return tuple(part.lower() for part in name.name_string) == ("kadmin", "changepw")


def is_tgs(name: PrincipalName) -> bool:
    """krbtgt/REALM, whatever the realm."""
    return len(name.name_string) == 2 and name.name_string[0].lower() == TGS
