"""Conditional expressions of callback entries.

Spec: [MS-DTYP] 2.4.4.17, 2.5.3.1.5.
"""

from addc.security.descriptor import Acl
from addc.security.token import Token


def evaluate(data: bytes, token: Token, sacl: Acl | None) -> bool | None:
    """Whether the condition holds; None where it is unknown."""
    return None
