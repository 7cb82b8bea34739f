"""drsuapi: the interface, as far as it is answered.

Spec: [MS-DRSR] 4.1.3, 4.1.4, 4.1.5, 4.1.25, 4.1.28, 5.38, 5.39.
"""

import struct
from dataclasses import dataclass
from enum import IntFlag
from typing import Annotated, ClassVar, Final
from uuid import UUID

from addc.base.enums import OpenIntEnum
from addc.codec.interface import Interface, Operation, interface
from addc.codec.ndr import (
    CONTEXT_HANDLE,
    GUID,
    NULL_HANDLE,
    U8,
    U32,
    WSTRING,
    Conformant,
    ContextHandle,
    CountOf,
    Ndr,
    Union,
    Unique,
    parameters,
    structure,
)
from addc.codes.win32 import Win32
from addc.drs.idl_repl_info import (
    DrsExecuteKcc,
    DrsExecuteKccResponse,
    DrsGetReplInfo,
    DrsGetReplInfoResponse,
)

NTDSAPI_CLIENT_GUID: Final = UUID("e24d201a-4fd6-11d1-a3da-0000f875ae0d")
NAMES_MAX: Final = 10_000
_NO_GUID: Final = UUID(int=0)


class Extensions(IntFlag):
    """dwFlags of DRS_EXTENSIONS_INT. Spec: [MS-DRSR] 5.39."""

    DRS_EXT_BASE = 0x0000_0001
    DRS_EXT_DCINFO_V1 = 0x0000_0020
    DRS_EXT_RESTORE_USN_OPTIMIZATION = 0x0000_0040
    DRS_EXT_DCINFO_V2 = 0x0000_0800
    DRS_EXT_INSTANCE_TYPE_NOT_REQ_ON_MOD = 0x0000_1000
    DRS_EXT_STRONG_ENCRYPTION = 0x0000_8000
    DRS_EXT_DCINFO_VFFFFFFFF = 0x0001_0000
    DRS_EXT_POST_BETA3 = 0x0008_0000
    DRS_EXT_NONDOMAIN_NCS = 0x0080_0000
    DRS_EXT_GETCHGREPLY_V5 = 0x0200_0000


_EXTENSIONS: Final = struct.Struct("<I16siII16sI")


@dataclass(frozen=True, slots=True)
class DrsExtensionsInt:
    """DRS_EXTENSIONS_INT without its count of octets. Spec: [MS-DRSR] 5.39."""

    dw_flags: int
    site_obj_guid: UUID = _NO_GUID
    pid: int = 0
    dw_repl_epoch: int = 0
    dw_flags_ext: int = 0
    config_obj_guid: UUID = _NO_GUID
    dw_ext_caps: int = 0

    def pack(self) -> bytes:
        return _EXTENSIONS.pack(
            self.dw_flags, self.site_obj_guid.bytes_le, self.pid, self.dw_repl_epoch, self.dw_flags_ext,
            self.config_obj_guid.bytes_le, self.dw_ext_caps,
        )  # fmt: skip

    @classmethod
    def unpack(cls, data: bytes) -> "DrsExtensionsInt":
        """What a client said; fields that it left out are 0, and what follows those known is ignored."""
        whole = data[: _EXTENSIONS.size].ljust(_EXTENSIONS.size, b"\0")
        flags, site, pid, epoch, flags_ext, config, caps = _EXTENSIONS.unpack(whole)
        return cls(flags, UUID(bytes_le=site), pid, epoch, flags_ext, UUID(bytes_le=config), caps)


@structure
class DrsExtensions(Ndr):
    """DRS_EXTENSIONS, [MS-DRSR] 5.38."""

    cb: ClassVar = CountOf("rgb")
    rgb: Annotated[bytes, Conformant(U8, NAMES_MAX)]


@parameters
class DrsBind(Ndr):
    puuid_client_dsa: Annotated[UUID | None, Unique(GUID)]
    pext_client: Annotated[DrsExtensions | None, Unique(DrsExtensions)]


@parameters
class DrsBindResponse(Ndr):
    ppext_server: Annotated[DrsExtensions | None, Unique(DrsExtensions)] = None
    ph_drs: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DrsUnbind(Ndr):
    ph_drs: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class DrsUnbindResponse(Ndr):
    ph_drs: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


class NameFormat(OpenIntEnum):
    """DS_NAME_FORMAT and what formatOffered may be besides. Spec: [MS-DRSR] 4.1.4.1.2, 4.1.4.1.3."""

    DS_UNKNOWN_NAME = 0
    DS_FQDN_1779_NAME = 1
    DS_NT4_ACCOUNT_NAME = 2
    DS_DISPLAY_NAME = 3
    DS_UNIQUE_ID_NAME = 6
    DS_CANONICAL_NAME = 7
    DS_USER_PRINCIPAL_NAME = 8
    DS_CANONICAL_NAME_EX = 9
    DS_SERVICE_PRINCIPAL_NAME = 10
    DS_SID_OR_SID_HISTORY_NAME = 11
    DS_DNS_DOMAIN_NAME = 12
    DS_USER_PRINCIPAL_NAME_AND_ALTSECID = 0xFFFF_FFEF
    DS_NT4_ACCOUNT_NAME_SANS_DOMAIN_EX = 0xFFFF_FFF0
    DS_LIST_GLOBAL_CATALOG_SERVERS = 0xFFFF_FFF1
    DS_USER_PRINCIPAL_NAME_FOR_LOGON = 0xFFFF_FFF2
    DS_LIST_SERVERS_WITH_DCS_IN_SITE = 0xFFFF_FFF3
    DS_STRING_SID_NAME = 0xFFFF_FFF4
    DS_ALT_SECURITY_IDENTITIES_NAME = 0xFFFF_FFF5
    DS_LIST_NCS = 0xFFFF_FFF6
    DS_LIST_DOMAINS = 0xFFFF_FFF7
    DS_MAP_SCHEMA_GUID = 0xFFFF_FFF8
    DS_NT4_ACCOUNT_NAME_SANS_DOMAIN = 0xFFFF_FFF9
    DS_LIST_ROLES = 0xFFFF_FFFA
    DS_LIST_INFO_FOR_SERVER = 0xFFFF_FFFB
    DS_LIST_SERVERS_FOR_DOMAIN_IN_SITE = 0xFFFF_FFFC
    DS_LIST_DOMAINS_IN_SITE = 0xFFFF_FFFD
    DS_LIST_SERVERS_IN_SITE = 0xFFFF_FFFE
    DS_LIST_SITES = 0xFFFF_FFFF


class NameStatus(OpenIntEnum):
    """DS_NAME_ERROR. Spec: [MS-DRSR] 4.1.4.1.8."""

    DS_NAME_NO_ERROR = 0
    DS_NAME_ERROR_RESOLVING = 1
    DS_NAME_ERROR_NOT_FOUND = 2
    DS_NAME_ERROR_NOT_UNIQUE = 3
    DS_NAME_ERROR_NO_MAPPING = 4
    DS_NAME_ERROR_DOMAIN_ONLY = 5
    DS_NAME_ERROR_TRUST_REFERRAL = 7
    DS_NAME_ERROR_SCHEMA_GUID_CONTROL_RIGHT = 0xFFFF_FFFA
    DS_NAME_ERROR_SCHEMA_GUID_CLASS = 0xFFFF_FFFB
    DS_NAME_ERROR_SCHEMA_GUID_ATTR_SET = 0xFFFF_FFFC
    DS_NAME_ERROR_SCHEMA_GUID_ATTR = 0xFFFF_FFFD
    DS_NAME_ERROR_SCHEMA_GUID_NOT_FOUND = 0xFFFF_FFFE


class NameFlags(IntFlag):
    """dwFlags of a crack request. Spec: [MS-DRSR] 4.1.4.1.2; SYNTACTICAL_ONLY: ntdsapi.h."""

    DS_NAME_FLAG_SYNTACTICAL_ONLY = 0x1
    DS_NAME_FLAG_GCVERIFY = 0x4
    DS_NAME_FLAG_TRUST_REFERRAL = 0x8


@structure
class DrsMsgCrackReqV1(Ndr):
    """DRS_MSG_CRACKREQ_V1, [MS-DRSR] 4.1.4.1.2."""

    code_page: Annotated[int, U32]
    locale_id: Annotated[int, U32]
    dw_flags: Annotated[int, U32]
    format_offered: Annotated[NameFormat, U32]
    format_desired: Annotated[NameFormat, U32]
    c_names: ClassVar = CountOf("rp_names")
    rp_names: Annotated[tuple[str | None, ...] | None, Unique(Conformant(Unique(WSTRING), NAMES_MAX))]


@structure
class DsNameResultItem(Ndr):
    """DS_NAME_RESULT_ITEMW, [MS-DRSR] 4.1.4.1.4."""

    name_status: Annotated[NameStatus, U32]
    p_domain: Annotated[str | None, Unique(WSTRING)] = None
    p_name: Annotated[str | None, Unique(WSTRING)] = None


@structure
class DsNameResult(Ndr):
    """DS_NAME_RESULTW, [MS-DRSR] 4.1.4.1.5."""

    c_items: ClassVar = CountOf("r_items")
    r_items: Annotated[tuple[DsNameResultItem, ...] | None, Unique(Conformant(DsNameResultItem))]


@structure
class DrsMsgCrackReplyV1(Ndr):
    """DRS_MSG_CRACKREPLY_V1, [MS-DRSR] 4.1.4.1.7."""

    p_result: Annotated[DsNameResult | None, Unique(DsNameResult)] = None


@parameters
class DrsCrackNames(Ndr):
    h_drs: Annotated[ContextHandle, CONTEXT_HANDLE]
    dw_in_version: Annotated[int, U32]
    pmsg_in: Annotated[DrsMsgCrackReqV1, Union("dw_in_version", {1: DrsMsgCrackReqV1})]


@parameters
class DrsCrackNamesResponse(Ndr):
    pdw_out_version: Annotated[int, U32] = 1
    pmsg_out: Annotated[DrsMsgCrackReplyV1, Union("pdw_out_version", {1: DrsMsgCrackReplyV1})] = (
        DrsMsgCrackReplyV1()
    )
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@structure
class DrsMsgDcInfoReqV1(Ndr):
    """DRS_MSG_DCINFOREQ_V1, [MS-DRSR] 4.1.5.1.2."""

    domain: Annotated[str | None, Unique(WSTRING)]
    info_level: Annotated[int, U32]


@structure
class DsDomainControllerInfo1(Ndr):
    """DS_DOMAIN_CONTROLLER_INFO_1W, [MS-DRSR] 4.1.5.1.8."""

    netbios_name: Annotated[str | None, Unique(WSTRING)]
    dns_host_name: Annotated[str | None, Unique(WSTRING)]
    site_name: Annotated[str | None, Unique(WSTRING)]
    computer_object_name: Annotated[str | None, Unique(WSTRING)]
    server_object_name: Annotated[str | None, Unique(WSTRING)]
    f_is_pdc: Annotated[bool, U32]
    f_ds_enabled: Annotated[bool, U32]


@structure
class DsDomainControllerInfo2(Ndr):
    """DS_DOMAIN_CONTROLLER_INFO_2W, [MS-DRSR] 4.1.5.1.9."""

    netbios_name: Annotated[str | None, Unique(WSTRING)]
    dns_host_name: Annotated[str | None, Unique(WSTRING)]
    site_name: Annotated[str | None, Unique(WSTRING)]
    site_object_name: Annotated[str | None, Unique(WSTRING)]
    computer_object_name: Annotated[str | None, Unique(WSTRING)]
    server_object_name: Annotated[str | None, Unique(WSTRING)]
    ntds_dsa_object_name: Annotated[str | None, Unique(WSTRING)]
    f_is_pdc: Annotated[bool, U32]
    f_ds_enabled: Annotated[bool, U32]
    f_is_gc: Annotated[bool, U32]
    site_object_guid: Annotated[UUID, GUID]
    computer_object_guid: Annotated[UUID, GUID]
    server_object_guid: Annotated[UUID, GUID]
    ntds_dsa_object_guid: Annotated[UUID, GUID]


@structure
class DsDomainControllerInfo3(Ndr):
    """DS_DOMAIN_CONTROLLER_INFO_3W, [MS-DRSR] 4.1.5.1.10."""

    netbios_name: Annotated[str | None, Unique(WSTRING)]
    dns_host_name: Annotated[str | None, Unique(WSTRING)]
    site_name: Annotated[str | None, Unique(WSTRING)]
    site_object_name: Annotated[str | None, Unique(WSTRING)]
    computer_object_name: Annotated[str | None, Unique(WSTRING)]
    server_object_name: Annotated[str | None, Unique(WSTRING)]
    ntds_dsa_object_name: Annotated[str | None, Unique(WSTRING)]
    f_is_pdc: Annotated[bool, U32]
    f_ds_enabled: Annotated[bool, U32]
    f_is_gc: Annotated[bool, U32]
    f_is_rodc: Annotated[bool, U32]
    site_object_guid: Annotated[UUID, GUID]
    computer_object_guid: Annotated[UUID, GUID]
    server_object_guid: Annotated[UUID, GUID]
    ntds_dsa_object_guid: Annotated[UUID, GUID]


@structure
class DsLdapConnection(Ndr):
    """DS_DOMAIN_CONTROLLER_INFO_FFFFFFFFW, [MS-DRSR] 4.1.5.1.11."""

    ip_address: Annotated[int, U32]
    notification_count: Annotated[int, U32]
    sec_time_connected: Annotated[int, U32]
    flags: Annotated[int, U32]
    total_requests: Annotated[int, U32]
    reserved1: Annotated[int, U32]
    user_name: Annotated[str | None, Unique(WSTRING)]


@structure
class DrsMsgDcInfoReplyV1(Ndr):
    """DRS_MSG_DCINFOREPLY_V1, [MS-DRSR] 4.1.5.1.4."""

    c_items: ClassVar = CountOf("r_items")
    r_items: Annotated[
        tuple[DsDomainControllerInfo1, ...] | None, Unique(Conformant(DsDomainControllerInfo1))
    ] = None


@structure
class DrsMsgDcInfoReplyV2(Ndr):
    """DRS_MSG_DCINFOREPLY_V2, [MS-DRSR] 4.1.5.1.5."""

    c_items: ClassVar = CountOf("r_items")
    r_items: Annotated[
        tuple[DsDomainControllerInfo2, ...] | None, Unique(Conformant(DsDomainControllerInfo2))
    ] = None


@structure
class DrsMsgDcInfoReplyV3(Ndr):
    """DRS_MSG_DCINFOREPLY_V3, [MS-DRSR] 4.1.5.1.6."""

    c_items: ClassVar = CountOf("r_items")
    r_items: Annotated[
        tuple[DsDomainControllerInfo3, ...] | None, Unique(Conformant(DsDomainControllerInfo3))
    ] = None


@structure
class DrsMsgDcInfoReplyVFFFFFFFF(Ndr):
    """DRS_MSG_DCINFOREPLY_VFFFFFFFF, [MS-DRSR] 4.1.5.1.7."""

    c_items: ClassVar = CountOf("r_items")
    r_items: Annotated[tuple[DsLdapConnection, ...] | None, Unique(Conformant(DsLdapConnection))] = None


DcInfoReply = DrsMsgDcInfoReplyV1 | DrsMsgDcInfoReplyV2 | DrsMsgDcInfoReplyV3 | DrsMsgDcInfoReplyVFFFFFFFF
LDAP_CONNECTIONS: Final = 0xFFFF_FFFF
"""The InfoLevel that asks for LDAP connections."""


@parameters
class DrsDomainControllerInfo(Ndr):
    h_drs: Annotated[ContextHandle, CONTEXT_HANDLE]
    dw_in_version: Annotated[int, U32]
    pmsg_in: Annotated[DrsMsgDcInfoReqV1, Union("dw_in_version", {1: DrsMsgDcInfoReqV1})]


@parameters
class DrsDomainControllerInfoResponse(Ndr):
    pdw_out_version: Annotated[int, U32] = 1
    pmsg_out: Annotated[
        DcInfoReply,
        Union(
            "pdw_out_version",
            {
                1: DrsMsgDcInfoReplyV1,
                2: DrsMsgDcInfoReplyV2,
                3: DrsMsgDcInfoReplyV3,
                LDAP_CONNECTIONS: DrsMsgDcInfoReplyVFFFFFFFF,
            },
        ),
    ] = DrsMsgDcInfoReplyV1()
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


class SpnOperation(OpenIntEnum):
    """DS_SPN_OPERATION. Spec: [MS-DRSR] 4.1.28.1.5."""

    DS_SPN_ADD_SPN_OP = 0
    DS_SPN_REPLACE_SPN_OP = 1
    DS_SPN_DELETE_SPN_OP = 2


@structure
class DrsMsgSpnReqV1(Ndr):
    """DRS_MSG_SPNREQ_V1, [MS-DRSR] 4.1.28.1.2."""

    operation: Annotated[SpnOperation, U32]
    flags: Annotated[int, U32]
    pwsz_account: Annotated[str | None, Unique(WSTRING)]
    c_spn: ClassVar = CountOf("rpwsz_spn")
    rpwsz_spn: Annotated[tuple[str | None, ...] | None, Unique(Conformant(Unique(WSTRING), NAMES_MAX))]


@structure
class DrsMsgSpnReplyV1(Ndr):
    """DRS_MSG_SPNREPLY_V1, [MS-DRSR] 4.1.28.1.4."""

    ret_val: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DrsWriteSpn(Ndr):
    h_drs: Annotated[ContextHandle, CONTEXT_HANDLE]
    dw_in_version: Annotated[int, U32]
    pmsg_in: Annotated[DrsMsgSpnReqV1, Union("dw_in_version", {1: DrsMsgSpnReqV1})]


@parameters
class DrsWriteSpnResponse(Ndr):
    pdw_out_version: Annotated[int, U32] = 1
    pmsg_out: Annotated[DrsMsgSpnReplyV1, Union("pdw_out_version", {1: DrsMsgSpnReplyV1})] = (
        DrsMsgSpnReplyV1()
    )
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


DRSUAPI: Final[Interface] = interface(
    "drsuapi",
    "e3514235-4b06-11d1-ab04-00c04fc2dcd2",
    (4, 0),
    Operation(0, "IDL_DRSBind", DrsBind, DrsBindResponse),
    Operation(1, "IDL_DRSUnbind", DrsUnbind, DrsUnbindResponse),
    Operation(12, "IDL_DRSCrackNames", DrsCrackNames, DrsCrackNamesResponse),
    Operation(13, "IDL_DRSWriteSPN", DrsWriteSpn, DrsWriteSpnResponse),
    Operation(16, "IDL_DRSDomainControllerInfo", DrsDomainControllerInfo, DrsDomainControllerInfoResponse),
    Operation(18, "IDL_DRSExecuteKCC", DrsExecuteKcc, DrsExecuteKccResponse),
    Operation(19, "IDL_DRSGetReplInfo", DrsGetReplInfo, DrsGetReplInfoResponse),
)
