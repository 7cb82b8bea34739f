"""One change of an object's attributes, as every door hands it in."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class ModOp(IntEnum):
    """operation of a ModifyRequest, RFC 4511 4.6."""

    ADD = 0
    DELETE = 1
    REPLACE = 2


@dataclass(frozen=True, slots=True)
class Change:
    """One modification: `values` in LDAP form; none with DELETE or REPLACE means the whole attribute."""

    op: int
    attribute: str
    values: Sequence[bytes] = ()
