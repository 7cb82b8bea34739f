"""Identifiers that must not be mixed up."""

from typing import NewType

Usn = NewType("Usn", int)
"""Update sequence number of this DC; 64 bits, 0 = none."""
Rid = NewType("Rid", int)
"""Relative identifier: the last sub-authority of a SID."""
AttId = NewType("AttId", int)
"""ATTRTYP ([MS-DRSR] 5.14): 32-bit form of an attribute's or class's OID by the default prefix table."""
Dnt = NewType("Dnt", int)
"""Row id of an object in the store (distinguished name tag)."""
MessageId = NewType("MessageId", int)
"""LDAP message id."""
