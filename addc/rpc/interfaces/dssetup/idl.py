"""The interface dssetup: one operation that tells the role of a machine in its domain.

Spec: [MS-DSSP] 2.2, 3.2.5.1.
"""

from typing import Annotated, Final
from uuid import UUID

from addc.base.enums import OpenIntEnum
from addc.codec.interface import Operation, interface
from addc.codec.ndr import (
    ENUM16,
    GUID,
    U32,
    WSTRING,
    Ndr,
    Tagged,
    TaggedUnion,
    Unique,
    parameters,
    structure,
)
from addc.codes.win32 import Win32


class InfoLevel(OpenIntEnum):
    """DSROLE_PRIMARY_DOMAIN_INFO_LEVEL, [MS-DSSP] 2.2.7."""

    BASIC = 1
    UPGRADE_STATUS = 2
    OPERATION_STATE = 3


class MachineRole(OpenIntEnum):
    """DSROLE_MACHINE_ROLE, [MS-DSSP] 2.2.2."""

    STANDALONE_WORKSTATION = 0
    MEMBER_WORKSTATION = 1
    STANDALONE_SERVER = 2
    MEMBER_SERVER = 3
    BACKUP_DOMAIN_CONTROLLER = 4
    PRIMARY_DOMAIN_CONTROLLER = 5


DS_RUNNING: Final = 0x0000_0001
DOMAIN_GUID_PRESENT: Final = 0x0100_0000


@structure
class PrimaryDomainInfoBasic(Ndr):
    """DSROLER_PRIMARY_DOMAIN_INFO_BASIC, [MS-DSSP] 2.2.1."""

    machine_role: Annotated[int, ENUM16]
    flags: Annotated[int, U32]
    domain_name_flat: Annotated[str | None, Unique(WSTRING)]
    domain_name_dns: Annotated[str | None, Unique(WSTRING)]
    domain_forest_name: Annotated[str | None, Unique(WSTRING)]
    domain_guid: Annotated[UUID, GUID]


@structure
class UpgradeStatusInfo(Ndr):
    """DSROLE_UPGRADE_STATUS_INFO, [MS-DSSP] 2.2.5."""

    operation_state: Annotated[int, U32] = 0
    previous_server_state: Annotated[int, ENUM16] = 0


@structure
class OperationStateInfo(Ndr):
    """DSROLE_OPERATION_STATE_INFO, [MS-DSSP] 2.2.3."""

    operation_state: Annotated[int, ENUM16] = 0


PrimaryDomainInformation: Final = TaggedUnion(
    {
        InfoLevel.BASIC: PrimaryDomainInfoBasic,
        InfoLevel.UPGRADE_STATUS: UpgradeStatusInfo,
        InfoLevel.OPERATION_STATE: OperationStateInfo,
    },
    tag=ENUM16,
)
"""DSROLER_PRIMARY_DOMAIN_INFORMATION, [MS-DSSP] 2.2.8."""


@parameters
class DsRolerGetPrimaryDomainInformation(Ndr):
    info_level: Annotated[int, ENUM16]


@parameters
class DsRolerGetPrimaryDomainInformationResponse(Ndr):
    domain_info: Annotated[Tagged | None, Unique(PrimaryDomainInformation)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


DSSETUP: Final = interface(
    "dssetup",
    "3919286a-b10c-11d0-9ba8-00c04fd92ef5",
    (0, 0),
    Operation(
        0,
        "DsRolerGetPrimaryDomainInformation",
        DsRolerGetPrimaryDomainInformation,
        DsRolerGetPrimaryDomainInformationResponse,
    ),
)
"""Directory services setup."""
