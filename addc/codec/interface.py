"""What an RPC interface is: its identity and its operations, each declared once.

An operation's [in] and its [out] parameters are classes made by `ndr.parameters`. The return value is the
last [out] parameter, called `status`, annotated as NtStatus or Win32; every [out] parameter has a default, so
that a refusal is the response with nothing but its status.

Spec: [C706] 6.1, [MS-RPCE] 2.2.4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from addc.codec.ndr import Ndr


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. name: as the specification spells it."""

    opnum: int
    name: str
    request: type[Ndr]
    response: type[Ndr]


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface. version: major and minor. operations: those declared, by opnum."""

    name: str
    uuid: UUID
    version: tuple[int, int]
    operations: Mapping[int, Operation]

    def __str__(self) -> str:
        return f"{self.name} {self.uuid} v{self.version[0]}.{self.version[1]}"


def interface(name: str, uuid: str, version: tuple[int, int], *operations: Operation) -> Interface:
    """Declare an interface; its operations in any order, no opnum twice."""
    table = {operation.opnum: operation for operation in operations}
    assert len(table) == len(operations), f"{name}: an opnum is declared twice"
    return Interface(name, UUID(uuid), version, table)
