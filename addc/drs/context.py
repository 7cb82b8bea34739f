"""What a DRS_HANDLE stands for.

Spec: [MS-DRSR] 5.36 (DRS_HANDLE), 4.1.3.2.
"""

from dataclasses import dataclass
from uuid import UUID

from addc.drs.idl import DrsExtensionsInt


@dataclass(frozen=True, slots=True)
class DrsContext:
    """client: puuidClientDsa. extensions: what the client can do."""

    client: UUID
    extensions: DrsExtensionsInt
