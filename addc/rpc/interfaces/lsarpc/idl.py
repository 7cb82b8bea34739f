"""The interface lsarpc: its structures, unions and operations, as they are on the wire.

Two documents share the interface: domain policy and translation of names. Enumerations that choose an arm are
16 bits wide, as all that the IDL does not mark otherwise.

Spec: [MS-LSAD] 2.2, 3.1.4, 6 (the IDL); [MS-LSAT] 2.2, 3.1.4, 6.
"""

from typing import Annotated, ClassVar, Final
from uuid import UUID

from addc.base.enums import OpenIntEnum
from addc.codec.ids import Sid
from addc.codec.interface import Operation, interface
from addc.codec.ndr import (
    CONFORMANT_BYTES,
    CONTEXT_HANDLE,
    ENUM16,
    GUID,
    I16,
    I32,
    I64,
    NOTHING,
    NULL_HANDLE,
    SID,
    U8,
    U16,
    U32,
    UNICODE_STRING,
    WSTRING,
    Conformant,
    ConformantVarying,
    ContextHandle,
    CountOf,
    FixedBytes,
    Ndr,
    Tagged,
    TaggedUnion,
    Union,
    Unique,
    parameters,
    structure,
)
from addc.codes.ntstatus import NtStatus

NAMES_MAX: Final = 1000
"""Names of one look-up, [MS-LSAT] <24>."""
SIDS_MAX: Final = 20_480
"""SIDs of one look-up, [MS-LSAT] 2.2.18."""
FOREST_RECORDS_MAX: Final = 4000
PRIVILEGES_MAX: Final = 1000
RIGHTS_MAX: Final = 256
CIPHER_MAX: Final = 131_088
AUTH_BLOB_MAX: Final = 65_536
DESCRIPTOR_MAX: Final = 262_144


class PolicyInformationClass(OpenIntEnum):
    """POLICY_INFORMATION_CLASS, [MS-LSAD] 2.2.4.1."""

    AUDIT_LOG = 1
    AUDIT_EVENTS = 2
    PRIMARY_DOMAIN = 3
    PD_ACCOUNT = 4
    ACCOUNT_DOMAIN = 5
    LSA_SERVER_ROLE = 6
    REPLICA_SOURCE = 7
    DEFAULT_QUOTA = 8
    MODIFICATION = 9
    AUDIT_FULL_SET = 10
    AUDIT_FULL_QUERY = 11
    DNS_DOMAIN = 12
    DNS_DOMAIN_INT = 13
    LOCAL_ACCOUNT_DOMAIN = 14
    MACHINE_ACCOUNT = 15


class PolicyDomainInformationClass(OpenIntEnum):
    """POLICY_DOMAIN_INFORMATION_CLASS, [MS-LSAD] 2.2.4.15."""

    QUALITY_OF_SERVICE = 1
    EFS = 2
    KERBEROS_TICKET = 3


class TrustedInformationClass(OpenIntEnum):
    """TRUSTED_INFORMATION_CLASS, [MS-LSAD] 2.2.7.2."""

    NAME = 1
    CONTROLLERS = 2
    POSIX_OFFSET = 3
    PASSWORD = 4
    BASIC = 5
    EX = 6
    AUTH = 7
    FULL = 8
    AUTH_INTERNAL = 9
    FULL_INTERNAL = 10
    EX2_INTERNAL = 11
    FULL2_INTERNAL = 12
    SUPPORTED_ENCRYPTION_TYPES = 13
    AUTH_INTERNAL_AES = 14
    FULL_INTERNAL_AES = 15


class LookupLevel(OpenIntEnum):
    """LSAP_LOOKUP_LEVEL, [MS-LSAT] 2.2.16."""

    WKSTA = 1
    PDC = 2
    TDL = 3
    GC = 4
    X_FOREST_REFERRAL = 5
    X_FOREST_RESOLVE = 6
    RODC_REFERRAL_TO_FULL_DC = 7


Handle = Annotated[ContextHandle, CONTEXT_HANDLE]
Name = Annotated[str | None, UNICODE_STRING]
Status = Annotated[NtStatus, U32]
_OK: Final = NtStatus.STATUS_SUCCESS


# --- common types ------------------------------------------------------------------------------------------


@structure
class AnsiString(Ndr):
    """STRING, [MS-LSAD] 2.2.3.1."""

    length: Annotated[int, U16]
    maximum_length: Annotated[int, U16]
    buffer: Annotated[bytes | None, Unique(ConformantVarying(U8, size="maximum_length"))]


@structure
class LsaprAcl(Ndr):
    """LSAPR_ACL, [MS-LSAD] 2.2.3.2."""

    acl_revision: Annotated[int, U8]
    sbz1: Annotated[int, U8]
    acl_size: Annotated[int, U16]
    dummy1: Annotated[bytes, CONFORMANT_BYTES]


@structure
class LsaprSecurityDescriptor(Ndr):
    """LSAPR_SECURITY_DESCRIPTOR, [MS-LSAD] 2.2.3.4."""

    revision: Annotated[int, U8]
    sbz1: Annotated[int, U8]
    control: Annotated[int, U16]
    owner: Annotated[Sid | None, Unique(SID)]
    group: Annotated[Sid | None, Unique(SID)]
    sacl: Annotated[LsaprAcl | None, Unique(LsaprAcl)]
    dacl: Annotated[LsaprAcl | None, Unique(LsaprAcl)]


@structure
class SecurityQualityOfService(Ndr):
    """SECURITY_QUALITY_OF_SERVICE, [MS-LSAD] 2.2.3.7."""

    length: Annotated[int, U32]
    impersonation_level: Annotated[int, ENUM16]
    context_tracking_mode: Annotated[int, U8]
    effective_only: Annotated[int, U8]


@structure
class LsaprObjectAttributes(Ndr):
    """LSAPR_OBJECT_ATTRIBUTES, [MS-LSAD] 2.2.2.4; only root_directory means anything."""

    length: Annotated[int, U32] = 0
    root_directory: Annotated[int | None, Unique(U8)] = None
    object_name: Annotated[AnsiString | None, Unique(AnsiString)] = None
    attributes: Annotated[int, U32] = 0
    security_descriptor: Annotated[LsaprSecurityDescriptor | None, Unique(LsaprSecurityDescriptor)] = None
    security_quality_of_service: Annotated[
        SecurityQualityOfService | None, Unique(SecurityQualityOfService)
    ] = None


@structure
class LsaprSrSecurityDescriptor(Ndr):
    """LSAPR_SR_SECURITY_DESCRIPTOR, [MS-LSAD] 2.2.2.5: self-relative."""

    length: ClassVar = CountOf("security_descriptor")
    security_descriptor: Annotated[bytes | None, Unique(Conformant(U8, DESCRIPTOR_MAX))]


@structure
class LsaprTrustInformation(Ndr):
    """LSAPR_TRUST_INFORMATION, [MS-LSAD] 2.2.7.1; a domain by name and SID wherever one is told."""

    name: Name
    sid: Annotated[Sid | None, Unique(SID)]


@structure
class StringPointer(Ndr):
    """What a pointer to a pointer to an RPC_UNICODE_STRING refers to."""

    string: Annotated[str | None, Unique(UNICODE_STRING)]


@structure
class Luid(Ndr):
    """LUID, [MS-DTYP] 2.3.7."""

    low_part: Annotated[int, U32]
    high_part: Annotated[int, I32] = 0


# --- policy ------------------------------------------------------------------------------------------------


@structure
class PolicyAuditLogInfo(Ndr):
    """POLICY_AUDIT_LOG_INFO, [MS-LSAD] 2.2.4.3."""

    audit_log_percent_full: Annotated[int, U32]
    maximum_log_size: Annotated[int, U32]
    audit_retention_period: Annotated[int, I64]
    audit_log_full_shutdown_in_progress: Annotated[int, U8]
    time_to_shutdown: Annotated[int, I64]
    next_audit_record_id: Annotated[int, U32]


@structure
class PolicyAuditEventsInfo(Ndr):
    """LSAPR_POLICY_AUDIT_EVENTS_INFO, [MS-LSAD] 2.2.4.4."""

    auditing_mode: Annotated[int, U8]
    event_auditing_options: Annotated[tuple[int, ...] | None, Unique(Conformant(U32, 1000))]
    maximum_audit_event_count: ClassVar = CountOf("event_auditing_options")


@structure
class PolicyPdAccountInfo(Ndr):
    """LSAPR_POLICY_PD_ACCOUNT_INFO, [MS-LSAD] 2.2.4.7."""

    name: Name = None


@structure
class PolicyLsaServerRoleInfo(Ndr):
    """POLICY_LSA_SERVER_ROLE_INFO, [MS-LSAD] 2.2.4.9; 32 bits, as peers write it."""

    lsa_server_role: Annotated[int, U32]


@structure
class PolicyReplicaSourceInfo(Ndr):
    """LSAPR_POLICY_REPLICA_SRCE_INFO, [MS-LSAD] 2.2.4.10."""

    replica_source: Name = None
    replica_account_name: Name = None


@structure
class PolicyDefaultQuotaInfo(Ndr):
    """Limits of processes' memory, which the document no longer describes and Windows still tells."""

    paged_pool_limit: Annotated[int, U32] = 0
    non_paged_pool_limit: Annotated[int, U32] = 0
    minimum_working_set_size: Annotated[int, U32] = 0
    maximum_working_set_size: Annotated[int, U32] = 0
    pagefile_limit: Annotated[int, U32] = 0
    time_limit: Annotated[int, I64] = 0


@structure
class PolicyModificationInfo(Ndr):
    """POLICY_MODIFICATION_INFO, [MS-LSAD] 2.2.4.11."""

    modified_id: Annotated[int, I64]
    database_creation_time: Annotated[int, I64]


@structure
class PolicyAuditFullSetInfo(Ndr):
    """POLICY_AUDIT_FULL_SET_INFO, [MS-LSAD] 2.2.4.12."""

    shut_down_on_full: Annotated[int, U8]


@structure
class PolicyAuditFullQueryInfo(Ndr):
    """POLICY_AUDIT_FULL_QUERY_INFO, [MS-LSAD] 2.2.4.13."""

    shut_down_on_full: Annotated[int, U8]
    log_is_full: Annotated[int, U8]


@structure
class PolicyDnsDomainInfo(Ndr):
    """LSAPR_POLICY_DNS_DOMAIN_INFO, [MS-LSAD] 2.2.4.14."""

    name: Name
    dns_domain_name: Name
    dns_forest_name: Name
    domain_guid: Annotated[UUID, GUID]
    sid: Annotated[Sid | None, Unique(SID)]


@structure
class PolicyMachineAcctInfo(Ndr):
    """LSAPR_POLICY_MACHINE_ACCT_INFO, [MS-LSAD] 2.2.4.21."""

    rid: Annotated[int, U32]
    sid: Annotated[Sid | None, Unique(SID)]


PolicyInformation: Final = TaggedUnion(
    {
        PolicyInformationClass.AUDIT_LOG: PolicyAuditLogInfo,
        PolicyInformationClass.AUDIT_EVENTS: PolicyAuditEventsInfo,
        PolicyInformationClass.PRIMARY_DOMAIN: LsaprTrustInformation,
        PolicyInformationClass.PD_ACCOUNT: PolicyPdAccountInfo,
        PolicyInformationClass.ACCOUNT_DOMAIN: LsaprTrustInformation,
        PolicyInformationClass.LSA_SERVER_ROLE: PolicyLsaServerRoleInfo,
        PolicyInformationClass.REPLICA_SOURCE: PolicyReplicaSourceInfo,
        PolicyInformationClass.DEFAULT_QUOTA: PolicyDefaultQuotaInfo,
        PolicyInformationClass.MODIFICATION: PolicyModificationInfo,
        PolicyInformationClass.AUDIT_FULL_SET: PolicyAuditFullSetInfo,
        PolicyInformationClass.AUDIT_FULL_QUERY: PolicyAuditFullQueryInfo,
        PolicyInformationClass.DNS_DOMAIN: PolicyDnsDomainInfo,
        PolicyInformationClass.DNS_DOMAIN_INT: PolicyDnsDomainInfo,
        PolicyInformationClass.LOCAL_ACCOUNT_DOMAIN: LsaprTrustInformation,
        PolicyInformationClass.MACHINE_ACCOUNT: PolicyMachineAcctInfo,
    },
    tag=ENUM16,
)
"""LSAPR_POLICY_INFORMATION, [MS-LSAD] 2.2.4.2."""


@structure
class PolicyDomainQualityOfServiceInfo(Ndr):
    """POLICY_DOMAIN_QUALITY_OF_SERVICE_INFO, [MS-LSAD] 2.2.4.17."""

    quality_of_service: Annotated[int, U32]


@structure
class PolicyDomainEfsInfo(Ndr):
    """LSAPR_POLICY_DOMAIN_EFS_INFO, [MS-LSAD] 2.2.4.18."""

    info_length: ClassVar = CountOf("efs_blob")
    efs_blob: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


@structure
class PolicyDomainKerberosTicketInfo(Ndr):
    """POLICY_DOMAIN_KERBEROS_TICKET_INFO, [MS-LSAD] 2.2.4.19; ages in units of 100 ns."""

    authentication_options: Annotated[int, U32]
    max_service_ticket_age: Annotated[int, I64]
    max_ticket_age: Annotated[int, I64]
    max_renew_age: Annotated[int, I64]
    max_clock_skew: Annotated[int, I64]
    reserved: Annotated[int, I64] = 0


PolicyDomainInformation: Final = TaggedUnion(
    {
        PolicyDomainInformationClass.QUALITY_OF_SERVICE: PolicyDomainQualityOfServiceInfo,
        PolicyDomainInformationClass.EFS: PolicyDomainEfsInfo,
        PolicyDomainInformationClass.KERBEROS_TICKET: PolicyDomainKerberosTicketInfo,
    },
    tag=ENUM16,
)
"""LSAPR_POLICY_DOMAIN_INFORMATION, [MS-LSAD] 2.2.4.16."""


@structure
class RevisionInfoV1(Ndr):
    """LSAPR_REVISION_INFO_V1, [MS-LSAD] 2.2.2.6."""

    revision: Annotated[int, U32] = 1
    supported_features: Annotated[int, U32] = 0


RevisionInfo: Final = TaggedUnion({1: RevisionInfoV1}, default=NOTHING)
"""LSAPR_REVISION_INFO, [MS-LSAD] 2.2.2.7."""


# --- accounts, rights, secrets -----------------------------------------------------------------------------


@structure
class SidPointer(Ndr):
    """LSAPR_ACCOUNT_INFORMATION and LSAPR_SID_INFORMATION, [MS-LSAD] 2.2.5.1, [MS-LSAT] 2.2.17."""

    sid: Annotated[Sid | None, Unique(SID)]


@structure
class LsaprAccountEnumBuffer(Ndr):
    """LSAPR_ACCOUNT_ENUM_BUFFER, [MS-LSAD] 2.2.5.2."""

    entries_read: ClassVar = CountOf("information")
    information: Annotated[tuple[SidPointer, ...] | None, Unique(Conformant(SidPointer))] = None


@structure
class LsaprUserRightSet(Ndr):
    """LSAPR_USER_RIGHT_SET, [MS-LSAD] 2.2.5.3."""

    entries: ClassVar = CountOf("user_rights")
    user_rights: Annotated[tuple[str | None, ...] | None, Unique(Conformant(UNICODE_STRING, RIGHTS_MAX))] = (
        None
    )


@structure
class LuidAndAttributes(Ndr):
    """LSAPR_LUID_AND_ATTRIBUTES, [MS-LSAD] 2.2.5.4."""

    luid: Luid
    attributes: Annotated[int, U32] = 0


@structure
class LsaprPrivilegeSet(Ndr):
    """LSAPR_PRIVILEGE_SET, [MS-LSAD] 2.2.5.5."""

    privilege_count: ClassVar = CountOf("privilege")
    control: Annotated[int, U32]
    privilege: Annotated[tuple[LuidAndAttributes, ...], Conformant(LuidAndAttributes, PRIVILEGES_MAX)]


@structure
class LsaprPolicyPrivilegeDef(Ndr):
    """LSAPR_POLICY_PRIVILEGE_DEF, [MS-LSAD] 2.2.8.1."""

    name: Name
    local_value: Luid


@structure
class LsaprPrivilegeEnumBuffer(Ndr):
    """LSAPR_PRIVILEGE_ENUM_BUFFER, [MS-LSAD] 2.2.8.2."""

    entries: ClassVar = CountOf("privileges")
    privileges: Annotated[
        tuple[LsaprPolicyPrivilegeDef, ...] | None, Unique(Conformant(LsaprPolicyPrivilegeDef))
    ] = None


@structure
class LsaprCrCipherValue(Ndr):
    """LSAPR_CR_CIPHER_VALUE, [MS-LSAD] 2.2.6.1."""

    length: ClassVar = CountOf("buffer")
    maximum_length: Annotated[int, U32]
    buffer: Annotated[bytes | None, Unique(ConformantVarying(U8, CIPHER_MAX, size="maximum_length"))]


@structure
class CipherPointer(Ndr):
    """What a pointer to a pointer to an LSAPR_CR_CIPHER_VALUE refers to."""

    cipher: Annotated[LsaprCrCipherValue | None, Unique(LsaprCrCipherValue)]


@structure
class LsaprAesCipherValue(Ndr):
    """LSAPR_AES_CIPHER_VALUE, and LSAPR_TRUSTED_DOMAIN_AUTH_INFORMATION_INTERNAL_AES.

    Spec: [MS-LSAD] 2.2.6.2, 2.2.7.29.
    """

    auth_data: Annotated[bytes, FixedBytes(64)]
    salt: Annotated[bytes, FixedBytes(16)]
    cb_cipher: ClassVar = CountOf("cipher")
    cipher: Annotated[bytes | None, Unique(Conformant(U8, CIPHER_MAX))]


@structure
class AesCipherPointer(Ndr):
    """What a pointer to a pointer to an LSAPR_AES_CIPHER_VALUE refers to."""

    cipher: Annotated[LsaprAesCipherValue | None, Unique(LsaprAesCipherValue)]


# --- trusted domains ---------------------------------------------------------------------------------------


@structure
class TrustedDomainNameInfo(Ndr):
    """LSAPR_TRUSTED_DOMAIN_NAME_INFO, [MS-LSAD] 2.2.7.4."""

    name: Name


@structure
class TrustedControllersInfo(Ndr):
    """LSAPR_TRUSTED_CONTROLLERS_INFO, [MS-LSAD] 2.2.7.5."""

    entries: ClassVar = CountOf("names")
    names: Annotated[tuple[str | None, ...] | None, Unique(Conformant(UNICODE_STRING, 5))]


@structure
class TrustedPosixOffsetInfo(Ndr):
    """TRUSTED_POSIX_OFFSET_INFO, [MS-LSAD] 2.2.7.6."""

    offset: Annotated[int, U32]


@structure
class TrustedPasswordInfo(Ndr):
    """LSAPR_TRUSTED_PASSWORD_INFO, [MS-LSAD] 2.2.7.7."""

    password: Annotated[LsaprCrCipherValue | None, Unique(LsaprCrCipherValue)]
    old_password: Annotated[LsaprCrCipherValue | None, Unique(LsaprCrCipherValue)]


@structure
class TrustedDomainInformationEx(Ndr):
    """LSAPR_TRUSTED_DOMAIN_INFORMATION_EX, [MS-LSAD] 2.2.7.9."""

    name: Name
    flat_name: Name
    sid: Annotated[Sid | None, Unique(SID)]
    trust_direction: Annotated[int, U32]
    trust_type: Annotated[int, U32]
    trust_attributes: Annotated[int, U32]


@structure
class TrustedDomainInformationEx2(Ndr):
    """LSAPR_TRUSTED_DOMAIN_INFORMATION_EX2, [MS-LSAD] 2.2.7.10."""

    name: Name
    flat_name: Name
    sid: Annotated[Sid | None, Unique(SID)]
    trust_direction: Annotated[int, U32]
    trust_type: Annotated[int, U32]
    trust_attributes: Annotated[int, U32]
    forest_trust_length: ClassVar = CountOf("forest_trust_info")
    forest_trust_info: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


@structure
class LsaprAuthInformation(Ndr):
    """LSAPR_AUTH_INFORMATION, [MS-LSAD] 2.2.7.17."""

    last_update_time: Annotated[int, I64]
    auth_type: Annotated[int, U32]
    auth_info_length: ClassVar = CountOf("auth_info")
    auth_info: Annotated[bytes | None, Unique(Conformant(U8, AUTH_BLOB_MAX))]


@structure
class TrustedDomainAuthInformation(Ndr):
    """LSAPR_TRUSTED_DOMAIN_AUTH_INFORMATION, [MS-LSAD] 2.2.7.11; each count is 0 or 1."""

    incoming_auth_infos: Annotated[int, U32] = 0
    incoming: Annotated[LsaprAuthInformation | None, Unique(LsaprAuthInformation)] = None
    incoming_previous: Annotated[LsaprAuthInformation | None, Unique(LsaprAuthInformation)] = None
    outgoing_auth_infos: Annotated[int, U32] = 0
    outgoing: Annotated[LsaprAuthInformation | None, Unique(LsaprAuthInformation)] = None
    outgoing_previous: Annotated[LsaprAuthInformation | None, Unique(LsaprAuthInformation)] = None


@structure
class TrustedDomainFullInformation(Ndr):
    """LSAPR_TRUSTED_DOMAIN_FULL_INFORMATION, [MS-LSAD] 2.2.7.13."""

    information: TrustedDomainInformationEx
    posix_offset: Annotated[int, U32]
    auth_information: TrustedDomainAuthInformation


@structure
class TrustedDomainFullInformation2(Ndr):
    """LSAPR_TRUSTED_DOMAIN_FULL_INFORMATION2, [MS-LSAD] 2.2.7.15."""

    information: TrustedDomainInformationEx2
    posix_offset: Annotated[int, U32]
    auth_information: TrustedDomainAuthInformation


@structure
class TrustedDomainAuthBlob(Ndr):
    """LSAPR_TRUSTED_DOMAIN_AUTH_BLOB, [MS-LSAD] 2.2.7.16: under RC4."""

    auth_size: ClassVar = CountOf("auth_blob")
    auth_blob: Annotated[bytes | None, Unique(Conformant(U8, AUTH_BLOB_MAX))]


@structure
class TrustedDomainFullInformationInternal(Ndr):
    """LSAPR_TRUSTED_DOMAIN_FULL_INFORMATION_INTERNAL, [MS-LSAD] 2.2.7.14."""

    information: TrustedDomainInformationEx
    posix_offset: Annotated[int, U32]
    auth_information: TrustedDomainAuthBlob


@structure
class TrustedDomainFullInformationInternalAes(Ndr):
    """LSAPR_TRUSTED_DOMAIN_FULL_INFORMATION_INTERNAL_AES, [MS-LSAD] 2.2.7.30."""

    information: TrustedDomainInformationEx
    posix_offset: Annotated[int, U32]
    auth_information: LsaprAesCipherValue


@structure
class TrustedDomainSupportedEncryptionTypes(Ndr):
    """TRUSTED_DOMAIN_SUPPORTED_ENCRYPTION_TYPES, [MS-LSAD] 2.2.7.18."""

    supported_encryption_types: Annotated[int, U32]


TrustedDomainInfo: Final = TaggedUnion(
    {
        TrustedInformationClass.NAME: TrustedDomainNameInfo,
        TrustedInformationClass.CONTROLLERS: TrustedControllersInfo,
        TrustedInformationClass.POSIX_OFFSET: TrustedPosixOffsetInfo,
        TrustedInformationClass.PASSWORD: TrustedPasswordInfo,
        TrustedInformationClass.BASIC: LsaprTrustInformation,
        TrustedInformationClass.EX: TrustedDomainInformationEx,
        TrustedInformationClass.AUTH: TrustedDomainAuthInformation,
        TrustedInformationClass.FULL: TrustedDomainFullInformation,
        TrustedInformationClass.AUTH_INTERNAL: TrustedDomainAuthBlob,
        TrustedInformationClass.FULL_INTERNAL: TrustedDomainFullInformationInternal,
        TrustedInformationClass.EX2_INTERNAL: TrustedDomainInformationEx2,
        TrustedInformationClass.FULL2_INTERNAL: TrustedDomainFullInformation2,
        TrustedInformationClass.SUPPORTED_ENCRYPTION_TYPES: TrustedDomainSupportedEncryptionTypes,
        TrustedInformationClass.AUTH_INTERNAL_AES: LsaprAesCipherValue,
        TrustedInformationClass.FULL_INTERNAL_AES: TrustedDomainFullInformationInternalAes,
    },
    tag=ENUM16,
)
"""LSAPR_TRUSTED_DOMAIN_INFO, [MS-LSAD] 2.2.7.3."""


@structure
class LsaprTrustedEnumBuffer(Ndr):
    """LSAPR_TRUSTED_ENUM_BUFFER, [MS-LSAD] 2.2.7.19."""

    entries_read: ClassVar = CountOf("information")
    information: Annotated[
        tuple[LsaprTrustInformation, ...] | None, Unique(Conformant(LsaprTrustInformation))
    ] = None


@structure
class LsaprTrustedEnumBufferEx(Ndr):
    """LSAPR_TRUSTED_ENUM_BUFFER_EX, [MS-LSAD] 2.2.7.20."""

    entries_read: ClassVar = CountOf("enumeration_buffer")
    enumeration_buffer: Annotated[
        tuple[TrustedDomainInformationEx, ...] | None, Unique(Conformant(TrustedDomainInformationEx))
    ] = None


# --- forest trusts -----------------------------------------------------------------------------------------


@structure
class ForestTrustBinaryData(Ndr):
    """LSA_FOREST_TRUST_BINARY_DATA, [MS-LSAD] 2.2.7.23."""

    length: ClassVar = CountOf("buffer")
    buffer: Annotated[bytes | None, Unique(Conformant(U8, 131_072))]


@structure
class ForestTrustDomainInfo(Ndr):
    """LSA_FOREST_TRUST_DOMAIN_INFO and LSA_FOREST_TRUST_SCANNER_INFO, [MS-LSAD] 2.2.7.24, 2.2.7.31."""

    sid: Annotated[Sid | None, Unique(SID)]
    dns_name: Name
    netbios_name: Name


ForestTrustData = str | ForestTrustDomainInfo | ForestTrustBinaryData | None


@structure
class ForestTrustRecord(Ndr):
    """LSA_FOREST_TRUST_RECORD, [MS-LSAD] 2.2.7.21."""

    flags: Annotated[int, U32]
    forest_trust_type: Annotated[int, ENUM16]
    time: Annotated[int, I64]
    data: Annotated[
        ForestTrustData,
        Union(
            "forest_trust_type",
            {0: UNICODE_STRING, 1: UNICODE_STRING, 2: ForestTrustDomainInfo, 4: ForestTrustDomainInfo},
            default=ForestTrustBinaryData,
            tag=ENUM16,
        ),
    ]


@structure
class ForestTrustRecord2(Ndr):
    """LSA_FOREST_TRUST_RECORD2, [MS-LSAD] 2.2.7.32."""

    flags: Annotated[int, U32]
    forest_trust_type: Annotated[int, ENUM16]
    time: Annotated[int, I64]
    data: Annotated[
        ForestTrustData,
        Union(
            "forest_trust_type",
            {
                0: UNICODE_STRING,
                1: UNICODE_STRING,
                2: ForestTrustDomainInfo,
                3: ForestTrustBinaryData,
                4: ForestTrustDomainInfo,
            },
            tag=ENUM16,
        ),
    ]


@structure
class ForestTrustInformation(Ndr):
    """LSA_FOREST_TRUST_INFORMATION, [MS-LSAD] 2.2.7.25."""

    record_count: ClassVar = CountOf("entries")
    entries: Annotated[
        tuple[ForestTrustRecord | None, ...] | None,
        Unique(Conformant(Unique(ForestTrustRecord), FOREST_RECORDS_MAX)),
    ] = None


@structure
class ForestTrustInformation2(Ndr):
    """LSA_FOREST_TRUST_INFORMATION2, [MS-LSAD] 2.2.7.33."""

    record_count: ClassVar = CountOf("entries")
    entries: Annotated[
        tuple[ForestTrustRecord2 | None, ...] | None,
        Unique(Conformant(Unique(ForestTrustRecord2), FOREST_RECORDS_MAX)),
    ] = None


@structure
class ForestTrustCollisionRecord(Ndr):
    """LSA_FOREST_TRUST_COLLISION_RECORD, [MS-LSAD] 2.2.7.27."""

    index: Annotated[int, U32]
    type: Annotated[int, U32]
    flags: Annotated[int, U32]
    name: Name


@structure
class ForestTrustCollisionInformation(Ndr):
    """LSA_FOREST_TRUST_COLLISION_INFORMATION, [MS-LSAD] 2.2.7.28."""

    record_count: ClassVar = CountOf("entries")
    entries: Annotated[
        tuple[ForestTrustCollisionRecord | None, ...] | None,
        Unique(Conformant(Unique(ForestTrustCollisionRecord))),
    ] = None


# --- translation -------------------------------------------------------------------------------------------


@structure
class ReferencedDomainList(Ndr):
    """LSAPR_REFERENCED_DOMAIN_LIST, [MS-LSAT] 2.2.12."""

    entries: ClassVar = CountOf("domains")
    domains: Annotated[
        tuple[LsaprTrustInformation, ...] | None, Unique(Conformant(LsaprTrustInformation))
    ] = None
    max_entries: Annotated[int, U32] = 32


@structure
class TranslatedSid(Ndr):
    """LSA_TRANSLATED_SID, [MS-LSAT] 2.2.14."""

    use: Annotated[int, ENUM16]
    relative_id: Annotated[int, U32]
    domain_index: Annotated[int, I32]


@structure
class TranslatedSids(Ndr):
    """LSAPR_TRANSLATED_SIDS, [MS-LSAT] 2.2.15."""

    entries: ClassVar = CountOf("sids")
    sids: Annotated[tuple[TranslatedSid, ...] | None, Unique(Conformant(TranslatedSid, NAMES_MAX))] = None


@structure
class TranslatedSidEx(Ndr):
    """LSAPR_TRANSLATED_SID_EX, [MS-LSAT] 2.2.23."""

    use: Annotated[int, ENUM16]
    relative_id: Annotated[int, U32]
    domain_index: Annotated[int, I32]
    flags: Annotated[int, U32]


@structure
class TranslatedSidsEx(Ndr):
    """LSAPR_TRANSLATED_SIDS_EX, [MS-LSAT] 2.2.24."""

    entries: ClassVar = CountOf("sids")
    sids: Annotated[tuple[TranslatedSidEx, ...] | None, Unique(Conformant(TranslatedSidEx, NAMES_MAX))] = None


@structure
class TranslatedSidEx2(Ndr):
    """LSAPR_TRANSLATED_SID_EX2, [MS-LSAT] 2.2.25."""

    use: Annotated[int, ENUM16]
    sid: Annotated[Sid | None, Unique(SID)]
    domain_index: Annotated[int, I32]
    flags: Annotated[int, U32]


@structure
class TranslatedSidsEx2(Ndr):
    """LSAPR_TRANSLATED_SIDS_EX2, [MS-LSAT] 2.2.26."""

    entries: ClassVar = CountOf("sids")
    sids: Annotated[tuple[TranslatedSidEx2, ...] | None, Unique(Conformant(TranslatedSidEx2, NAMES_MAX))] = (
        None
    )


@structure
class SidEnumBuffer(Ndr):
    """LSAPR_SID_ENUM_BUFFER, [MS-LSAT] 2.2.18."""

    entries: ClassVar = CountOf("sid_info")
    sid_info: Annotated[tuple[SidPointer, ...] | None, Unique(Conformant(SidPointer, SIDS_MAX))]


@structure
class TranslatedName(Ndr):
    """LSAPR_TRANSLATED_NAME, [MS-LSAT] 2.2.19."""

    use: Annotated[int, ENUM16]
    name: Name
    domain_index: Annotated[int, I32]


@structure
class TranslatedNames(Ndr):
    """LSAPR_TRANSLATED_NAMES, [MS-LSAT] 2.2.20."""

    entries: ClassVar = CountOf("names")
    names: Annotated[tuple[TranslatedName, ...] | None, Unique(Conformant(TranslatedName, SIDS_MAX))] = None


@structure
class TranslatedNameEx(Ndr):
    """LSAPR_TRANSLATED_NAME_EX, [MS-LSAT] 2.2.21."""

    use: Annotated[int, ENUM16]
    name: Name
    domain_index: Annotated[int, I32]
    flags: Annotated[int, U32]


@structure
class TranslatedNamesEx(Ndr):
    """LSAPR_TRANSLATED_NAMES_EX, [MS-LSAT] 2.2.22."""

    entries: ClassVar = CountOf("names")
    names: Annotated[tuple[TranslatedNameEx, ...] | None, Unique(Conformant(TranslatedNameEx, SIDS_MAX))] = (
        None
    )


# --- operations: handles and policy ------------------------------------------------------------------------


@parameters
class LsarClose(Ndr):
    object_handle: Handle


@parameters
class LsarCloseResponse(Ndr):
    object_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarDelete(Ndr):
    object_handle: Handle


@parameters
class LsarDeleteResponse(Ndr):
    status: Status = _OK


@parameters
class LsarDeleteObject(Ndr):
    object_handle: Handle


@parameters
class LsarDeleteObjectResponse(Ndr):
    object_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarQuerySecurityObject(Ndr):
    object_handle: Handle
    security_information: Annotated[int, U32]


@parameters
class LsarQuerySecurityObjectResponse(Ndr):
    security_descriptor: Annotated[LsaprSrSecurityDescriptor | None, Unique(LsaprSrSecurityDescriptor)] = None
    status: Status = _OK


@parameters
class LsarSetSecurityObject(Ndr):
    object_handle: Handle
    security_information: Annotated[int, U32]
    security_descriptor: LsaprSrSecurityDescriptor


@parameters
class LsarSetSecurityObjectResponse(Ndr):
    status: Status = _OK


@parameters
class LsarOpenPolicy(Ndr):
    """system_name: one character, for want of [string]; it means nothing."""

    system_name: Annotated[int | None, Unique(U16)]
    object_attributes: LsaprObjectAttributes
    desired_access: Annotated[int, U32]


@parameters
class LsarOpenPolicyResponse(Ndr):
    policy_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarOpenPolicy2(Ndr):
    system_name: Annotated[str | None, Unique(WSTRING)]
    object_attributes: LsaprObjectAttributes
    desired_access: Annotated[int, U32]


@parameters
class LsarOpenPolicy2Response(Ndr):
    policy_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarOpenPolicy3(Ndr):
    system_name: Annotated[str | None, Unique(WSTRING)]
    object_attributes: LsaprObjectAttributes
    desired_access: Annotated[int, U32]
    in_version: Annotated[int, U32]
    in_revision_info: Annotated[Tagged, RevisionInfo]


@parameters
class LsarOpenPolicy3Response(Ndr):
    out_version: Annotated[int, U32] = 1
    out_revision_info: Annotated[Tagged, RevisionInfo] = Tagged(1, RevisionInfoV1())
    policy_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarOpenPolicyWithCreds(Ndr):
    object_attributes: LsaprObjectAttributes
    desired_access: Annotated[int, U32]
    in_version: Annotated[int, U32]
    in_revision_info: Annotated[Tagged, RevisionInfo]


@parameters
class LsarOpenPolicyWithCredsResponse(Ndr):
    out_version: Annotated[int, U32] = 1
    out_revision_info: Annotated[Tagged, RevisionInfo] = Tagged(1, RevisionInfoV1())
    policy_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarQueryInformationPolicy(Ndr):
    policy_handle: Handle
    information_class: Annotated[int, ENUM16]


@parameters
class LsarQueryInformationPolicyResponse(Ndr):
    policy_information: Annotated[Tagged | None, Unique(PolicyInformation)] = None
    status: Status = _OK


@parameters
class LsarQueryInformationPolicy2(Ndr):
    policy_handle: Handle
    information_class: Annotated[int, ENUM16]


@parameters
class LsarQueryInformationPolicy2Response(Ndr):
    policy_information: Annotated[Tagged | None, Unique(PolicyInformation)] = None
    status: Status = _OK


@parameters
class LsarSetInformationPolicy(Ndr):
    policy_handle: Handle
    information_class: Annotated[int, ENUM16]
    policy_information: Annotated[Tagged, PolicyInformation]


@parameters
class LsarSetInformationPolicyResponse(Ndr):
    status: Status = _OK


@parameters
class LsarSetInformationPolicy2(Ndr):
    policy_handle: Handle
    information_class: Annotated[int, ENUM16]
    policy_information: Annotated[Tagged, PolicyInformation]


@parameters
class LsarSetInformationPolicy2Response(Ndr):
    status: Status = _OK


@parameters
class LsarQueryDomainInformationPolicy(Ndr):
    policy_handle: Handle
    information_class: Annotated[int, ENUM16]


@parameters
class LsarQueryDomainInformationPolicyResponse(Ndr):
    policy_domain_information: Annotated[Tagged | None, Unique(PolicyDomainInformation)] = None
    status: Status = _OK


@parameters
class LsarSetDomainInformationPolicy(Ndr):
    policy_handle: Handle
    information_class: Annotated[int, ENUM16]
    policy_domain_information: Annotated[Tagged | None, Unique(PolicyDomainInformation)]


@parameters
class LsarSetDomainInformationPolicyResponse(Ndr):
    status: Status = _OK


@parameters
class LsarCloseTrustedDomainEx(Ndr):
    object_handle: Handle


@parameters
class LsarCloseTrustedDomainExResponse(Ndr):
    object_handle: Handle = NULL_HANDLE
    status: Status = _OK


# --- operations: privileges and accounts -------------------------------------------------------------------


@parameters
class LsarEnumeratePrivileges(Ndr):
    policy_handle: Handle
    enumeration_context: Annotated[int, U32]
    prefered_maximum_length: Annotated[int, U32]


@parameters
class LsarEnumeratePrivilegesResponse(Ndr):
    enumeration_context: Annotated[int, U32] = 0
    enumeration_buffer: LsaprPrivilegeEnumBuffer = LsaprPrivilegeEnumBuffer()
    status: Status = _OK


@parameters
class LsarLookupPrivilegeValue(Ndr):
    policy_handle: Handle
    name: Name


@parameters
class LsarLookupPrivilegeValueResponse(Ndr):
    value: Luid = Luid(0)
    status: Status = _OK


@parameters
class LsarLookupPrivilegeName(Ndr):
    policy_handle: Handle
    value: Luid


@parameters
class LsarLookupPrivilegeNameResponse(Ndr):
    name: Annotated[str | None, Unique(UNICODE_STRING)] = None
    status: Status = _OK


@parameters
class LsarLookupPrivilegeDisplayName(Ndr):
    policy_handle: Handle
    name: Name
    client_language: Annotated[int, I16]
    client_system_default_language: Annotated[int, I16]


@parameters
class LsarLookupPrivilegeDisplayNameResponse(Ndr):
    display_name: Annotated[str | None, Unique(UNICODE_STRING)] = None
    language_returned: Annotated[int, U16] = 0
    status: Status = _OK


@parameters
class LsarCreateAccount(Ndr):
    policy_handle: Handle
    account_sid: Annotated[Sid, SID]
    desired_access: Annotated[int, U32]


@parameters
class LsarCreateAccountResponse(Ndr):
    account_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarEnumerateAccounts(Ndr):
    policy_handle: Handle
    enumeration_context: Annotated[int, U32]
    prefered_maximum_length: Annotated[int, U32]


@parameters
class LsarEnumerateAccountsResponse(Ndr):
    enumeration_context: Annotated[int, U32] = 0
    enumeration_buffer: LsaprAccountEnumBuffer = LsaprAccountEnumBuffer()
    status: Status = _OK


@parameters
class LsarOpenAccount(Ndr):
    policy_handle: Handle
    account_sid: Annotated[Sid, SID]
    desired_access: Annotated[int, U32]


@parameters
class LsarOpenAccountResponse(Ndr):
    account_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarEnumeratePrivilegesAccount(Ndr):
    account_handle: Handle


@parameters
class LsarEnumeratePrivilegesAccountResponse(Ndr):
    privileges: Annotated[LsaprPrivilegeSet | None, Unique(LsaprPrivilegeSet)] = None
    status: Status = _OK


@parameters
class LsarAddPrivilegesToAccount(Ndr):
    account_handle: Handle
    privileges: LsaprPrivilegeSet


@parameters
class LsarAddPrivilegesToAccountResponse(Ndr):
    status: Status = _OK


@parameters
class LsarRemovePrivilegesFromAccount(Ndr):
    account_handle: Handle
    all_privileges: Annotated[int, U8]
    privileges: Annotated[LsaprPrivilegeSet | None, Unique(LsaprPrivilegeSet)]


@parameters
class LsarRemovePrivilegesFromAccountResponse(Ndr):
    status: Status = _OK


@parameters
class LsarGetSystemAccessAccount(Ndr):
    account_handle: Handle


@parameters
class LsarGetSystemAccessAccountResponse(Ndr):
    system_access: Annotated[int, U32] = 0
    status: Status = _OK


@parameters
class LsarSetSystemAccessAccount(Ndr):
    account_handle: Handle
    system_access: Annotated[int, U32]


@parameters
class LsarSetSystemAccessAccountResponse(Ndr):
    status: Status = _OK


@parameters
class LsarEnumerateAccountsWithUserRight(Ndr):
    policy_handle: Handle
    user_right: Annotated[str | None, Unique(UNICODE_STRING)]


@parameters
class LsarEnumerateAccountsWithUserRightResponse(Ndr):
    enumeration_buffer: LsaprAccountEnumBuffer = LsaprAccountEnumBuffer()
    status: Status = _OK


@parameters
class LsarEnumerateAccountRights(Ndr):
    policy_handle: Handle
    account_sid: Annotated[Sid, SID]


@parameters
class LsarEnumerateAccountRightsResponse(Ndr):
    user_rights: LsaprUserRightSet = LsaprUserRightSet()
    status: Status = _OK


@parameters
class LsarAddAccountRights(Ndr):
    policy_handle: Handle
    account_sid: Annotated[Sid, SID]
    user_rights: LsaprUserRightSet


@parameters
class LsarAddAccountRightsResponse(Ndr):
    status: Status = _OK


@parameters
class LsarRemoveAccountRights(Ndr):
    policy_handle: Handle
    account_sid: Annotated[Sid, SID]
    all_rights: Annotated[int, U8]
    user_rights: LsaprUserRightSet


@parameters
class LsarRemoveAccountRightsResponse(Ndr):
    status: Status = _OK


# --- operations: secrets and private data ------------------------------------------------------------------


@parameters
class LsarCreateSecret(Ndr):
    policy_handle: Handle
    secret_name: Name
    desired_access: Annotated[int, U32]


@parameters
class LsarCreateSecretResponse(Ndr):
    secret_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarOpenSecret(Ndr):
    policy_handle: Handle
    secret_name: Name
    desired_access: Annotated[int, U32]


@parameters
class LsarOpenSecretResponse(Ndr):
    secret_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarSetSecret(Ndr):
    secret_handle: Handle
    encrypted_current_value: Annotated[LsaprCrCipherValue | None, Unique(LsaprCrCipherValue)]
    encrypted_old_value: Annotated[LsaprCrCipherValue | None, Unique(LsaprCrCipherValue)]


@parameters
class LsarSetSecretResponse(Ndr):
    status: Status = _OK


@parameters
class LsarQuerySecret(Ndr):
    """What is None is not asked for."""

    secret_handle: Handle
    encrypted_current_value: Annotated[CipherPointer | None, Unique(CipherPointer)]
    current_value_set_time: Annotated[int | None, Unique(I64)]
    encrypted_old_value: Annotated[CipherPointer | None, Unique(CipherPointer)]
    old_value_set_time: Annotated[int | None, Unique(I64)]


@parameters
class LsarQuerySecretResponse(Ndr):
    encrypted_current_value: Annotated[CipherPointer | None, Unique(CipherPointer)] = None
    current_value_set_time: Annotated[int | None, Unique(I64)] = None
    encrypted_old_value: Annotated[CipherPointer | None, Unique(CipherPointer)] = None
    old_value_set_time: Annotated[int | None, Unique(I64)] = None
    status: Status = _OK


@parameters
class LsarStorePrivateData(Ndr):
    policy_handle: Handle
    key_name: Name
    encrypted_data: Annotated[LsaprCrCipherValue | None, Unique(LsaprCrCipherValue)]


@parameters
class LsarStorePrivateDataResponse(Ndr):
    status: Status = _OK


@parameters
class LsarRetrievePrivateData(Ndr):
    policy_handle: Handle
    key_name: Name
    encrypted_data: Annotated[LsaprCrCipherValue | None, Unique(LsaprCrCipherValue)]


@parameters
class LsarRetrievePrivateDataResponse(Ndr):
    encrypted_data: Annotated[LsaprCrCipherValue | None, Unique(LsaprCrCipherValue)] = None
    status: Status = _OK


@parameters
class LsarOpenSecret2(Ndr):
    policy_handle: Handle
    encrypted_secret_name: LsaprAesCipherValue
    desired_access: Annotated[int, U32]


@parameters
class LsarOpenSecret2Response(Ndr):
    secret_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarCreateSecret2(Ndr):
    policy_handle: Handle
    encrypted_secret_name: LsaprAesCipherValue
    desired_access: Annotated[int, U32]


@parameters
class LsarCreateSecret2Response(Ndr):
    secret_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarSetSecret2(Ndr):
    secret_handle: Handle
    encrypted_current_value: Annotated[LsaprAesCipherValue | None, Unique(LsaprAesCipherValue)]
    encrypted_old_value: Annotated[LsaprAesCipherValue | None, Unique(LsaprAesCipherValue)]


@parameters
class LsarSetSecret2Response(Ndr):
    status: Status = _OK


@parameters
class LsarQuerySecret2(Ndr):
    """What is None is not asked for."""

    secret_handle: Handle
    encrypted_current_value: Annotated[AesCipherPointer | None, Unique(AesCipherPointer)]
    current_value_set_time: Annotated[int | None, Unique(I64)]
    encrypted_old_value: Annotated[AesCipherPointer | None, Unique(AesCipherPointer)]
    old_value_set_time: Annotated[int | None, Unique(I64)]


@parameters
class LsarQuerySecret2Response(Ndr):
    encrypted_current_value: Annotated[AesCipherPointer | None, Unique(AesCipherPointer)] = None
    current_value_set_time: Annotated[int | None, Unique(I64)] = None
    encrypted_old_value: Annotated[AesCipherPointer | None, Unique(AesCipherPointer)] = None
    old_value_set_time: Annotated[int | None, Unique(I64)] = None
    status: Status = _OK


@parameters
class LsarStorePrivateData2(Ndr):
    policy_handle: Handle
    encrypted_key_name: LsaprAesCipherValue
    encrypted_data: Annotated[LsaprAesCipherValue | None, Unique(LsaprAesCipherValue)]


@parameters
class LsarStorePrivateData2Response(Ndr):
    status: Status = _OK


@parameters
class LsarRetrievePrivateData2(Ndr):
    policy_handle: Handle
    encrypted_key_name: LsaprAesCipherValue
    encrypted_data: Annotated[AesCipherPointer | None, Unique(AesCipherPointer)]


@parameters
class LsarRetrievePrivateData2Response(Ndr):
    encrypted_data: Annotated[AesCipherPointer | None, Unique(AesCipherPointer)] = None
    status: Status = _OK


# --- operations: trusted domains ---------------------------------------------------------------------------


@parameters
class LsarCreateTrustedDomain(Ndr):
    policy_handle: Handle
    trusted_domain_information: LsaprTrustInformation
    desired_access: Annotated[int, U32]


@parameters
class LsarCreateTrustedDomainResponse(Ndr):
    trusted_domain_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarCreateTrustedDomainEx(Ndr):
    policy_handle: Handle
    trusted_domain_information: TrustedDomainInformationEx
    authentication_information: TrustedDomainAuthInformation
    desired_access: Annotated[int, U32]


@parameters
class LsarCreateTrustedDomainExResponse(Ndr):
    trusted_domain_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarCreateTrustedDomainEx2(Ndr):
    policy_handle: Handle
    trusted_domain_information: TrustedDomainInformationEx
    authentication_information: TrustedDomainAuthBlob
    desired_access: Annotated[int, U32]


@parameters
class LsarCreateTrustedDomainEx2Response(Ndr):
    trusted_domain_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarCreateTrustedDomainEx3(Ndr):
    policy_handle: Handle
    trusted_domain_information: TrustedDomainInformationEx
    authentication_information: LsaprAesCipherValue
    desired_access: Annotated[int, U32]


@parameters
class LsarCreateTrustedDomainEx3Response(Ndr):
    trusted_domain_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarOpenTrustedDomain(Ndr):
    policy_handle: Handle
    trusted_domain_sid: Annotated[Sid, SID]
    desired_access: Annotated[int, U32]


@parameters
class LsarOpenTrustedDomainResponse(Ndr):
    trusted_domain_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarOpenTrustedDomainByName(Ndr):
    policy_handle: Handle
    trusted_domain_name: Name
    desired_access: Annotated[int, U32]


@parameters
class LsarOpenTrustedDomainByNameResponse(Ndr):
    trusted_domain_handle: Handle = NULL_HANDLE
    status: Status = _OK


@parameters
class LsarQueryInfoTrustedDomain(Ndr):
    trusted_domain_handle: Handle
    information_class: Annotated[int, ENUM16]


@parameters
class LsarQueryInfoTrustedDomainResponse(Ndr):
    trusted_domain_information: Annotated[Tagged | None, Unique(TrustedDomainInfo)] = None
    status: Status = _OK


@parameters
class LsarQueryTrustedDomainInfo(Ndr):
    policy_handle: Handle
    trusted_domain_sid: Annotated[Sid, SID]
    information_class: Annotated[int, ENUM16]


@parameters
class LsarQueryTrustedDomainInfoResponse(Ndr):
    trusted_domain_information: Annotated[Tagged | None, Unique(TrustedDomainInfo)] = None
    status: Status = _OK


@parameters
class LsarQueryTrustedDomainInfoByName(Ndr):
    policy_handle: Handle
    trusted_domain_name: Name
    information_class: Annotated[int, ENUM16]


@parameters
class LsarQueryTrustedDomainInfoByNameResponse(Ndr):
    trusted_domain_information: Annotated[Tagged | None, Unique(TrustedDomainInfo)] = None
    status: Status = _OK


@parameters
class LsarSetInformationTrustedDomain(Ndr):
    trusted_domain_handle: Handle
    information_class: Annotated[int, ENUM16]
    trusted_domain_information: Annotated[Tagged, TrustedDomainInfo]


@parameters
class LsarSetInformationTrustedDomainResponse(Ndr):
    status: Status = _OK


@parameters
class LsarSetTrustedDomainInfo(Ndr):
    policy_handle: Handle
    trusted_domain_sid: Annotated[Sid, SID]
    information_class: Annotated[int, ENUM16]
    trusted_domain_information: Annotated[Tagged, TrustedDomainInfo]


@parameters
class LsarSetTrustedDomainInfoResponse(Ndr):
    status: Status = _OK


@parameters
class LsarSetTrustedDomainInfoByName(Ndr):
    policy_handle: Handle
    trusted_domain_name: Name
    information_class: Annotated[int, ENUM16]
    trusted_domain_information: Annotated[Tagged, TrustedDomainInfo]


@parameters
class LsarSetTrustedDomainInfoByNameResponse(Ndr):
    status: Status = _OK


@parameters
class LsarDeleteTrustedDomain(Ndr):
    policy_handle: Handle
    trusted_domain_sid: Annotated[Sid, SID]


@parameters
class LsarDeleteTrustedDomainResponse(Ndr):
    status: Status = _OK


@parameters
class LsarEnumerateTrustedDomains(Ndr):
    policy_handle: Handle
    enumeration_context: Annotated[int, U32]
    prefered_maximum_length: Annotated[int, U32]


@parameters
class LsarEnumerateTrustedDomainsResponse(Ndr):
    enumeration_context: Annotated[int, U32] = 0
    enumeration_buffer: LsaprTrustedEnumBuffer = LsaprTrustedEnumBuffer()
    status: Status = _OK


@parameters
class LsarEnumerateTrustedDomainsEx(Ndr):
    policy_handle: Handle
    enumeration_context: Annotated[int, U32]
    prefered_maximum_length: Annotated[int, U32]


@parameters
class LsarEnumerateTrustedDomainsExResponse(Ndr):
    enumeration_context: Annotated[int, U32] = 0
    enumeration_buffer: LsaprTrustedEnumBufferEx = LsaprTrustedEnumBufferEx()
    status: Status = _OK


@parameters
class LsarQueryForestTrustInformation(Ndr):
    policy_handle: Handle
    trusted_domain_name: Name
    highest_record_type: Annotated[int, ENUM16]


@parameters
class LsarQueryForestTrustInformationResponse(Ndr):
    forest_trust_info: Annotated[ForestTrustInformation | None, Unique(ForestTrustInformation)] = None
    status: Status = _OK


@parameters
class LsarQueryForestTrustInformation2(Ndr):
    policy_handle: Handle
    trusted_domain_name: Name
    highest_record_type: Annotated[int, ENUM16]


@parameters
class LsarQueryForestTrustInformation2Response(Ndr):
    forest_trust_info2: Annotated[ForestTrustInformation2 | None, Unique(ForestTrustInformation2)] = None
    status: Status = _OK


@parameters
class LsarSetForestTrustInformation(Ndr):
    policy_handle: Handle
    trusted_domain_name: Name
    highest_record_type: Annotated[int, ENUM16]
    forest_trust_info: ForestTrustInformation
    check_only: Annotated[int, U8]


@parameters
class LsarSetForestTrustInformationResponse(Ndr):
    collision_info: Annotated[
        ForestTrustCollisionInformation | None, Unique(ForestTrustCollisionInformation)
    ] = None
    status: Status = _OK


@parameters
class LsarSetForestTrustInformation2(Ndr):
    policy_handle: Handle
    trusted_domain_name: Name
    highest_record_type: Annotated[int, ENUM16]
    forest_trust_info2: ForestTrustInformation2
    check_only: Annotated[int, U8]


@parameters
class LsarSetForestTrustInformation2Response(Ndr):
    collision_info: Annotated[
        ForestTrustCollisionInformation | None, Unique(ForestTrustCollisionInformation)
    ] = None
    status: Status = _OK


# --- operations: translation -------------------------------------------------------------------------------


@parameters
class LsarGetUserName(Ndr):
    """domain_name: None where it is not asked for."""

    system_name: Annotated[str | None, Unique(WSTRING)]
    user_name: Annotated[str | None, Unique(UNICODE_STRING)]
    domain_name: Annotated[StringPointer | None, Unique(StringPointer)]


@parameters
class LsarGetUserNameResponse(Ndr):
    user_name: Annotated[str | None, Unique(UNICODE_STRING)] = None
    domain_name: Annotated[StringPointer | None, Unique(StringPointer)] = None
    status: Status = _OK


@parameters
class LsarLookupNames(Ndr):
    policy_handle: Handle
    count: ClassVar = CountOf("names")
    names: Annotated[tuple[str | None, ...], Conformant(UNICODE_STRING, NAMES_MAX)]
    translated_sids: TranslatedSids
    lookup_level: Annotated[int, ENUM16]
    mapped_count: Annotated[int, U32]


@parameters
class LsarLookupNamesResponse(Ndr):
    referenced_domains: Annotated[ReferencedDomainList | None, Unique(ReferencedDomainList)] = None
    translated_sids: TranslatedSids = TranslatedSids()
    mapped_count: Annotated[int, U32] = 0
    status: Status = _OK


@parameters
class LsarLookupNames2(Ndr):
    policy_handle: Handle
    count: ClassVar = CountOf("names")
    names: Annotated[tuple[str | None, ...], Conformant(UNICODE_STRING, NAMES_MAX)]
    translated_sids: TranslatedSidsEx
    lookup_level: Annotated[int, ENUM16]
    mapped_count: Annotated[int, U32]
    lookup_options: Annotated[int, U32]
    client_revision: Annotated[int, U32]


@parameters
class LsarLookupNames2Response(Ndr):
    referenced_domains: Annotated[ReferencedDomainList | None, Unique(ReferencedDomainList)] = None
    translated_sids: TranslatedSidsEx = TranslatedSidsEx()
    mapped_count: Annotated[int, U32] = 0
    status: Status = _OK


@parameters
class LsarLookupNames3(Ndr):
    policy_handle: Handle
    count: ClassVar = CountOf("names")
    names: Annotated[tuple[str | None, ...], Conformant(UNICODE_STRING, NAMES_MAX)]
    translated_sids: TranslatedSidsEx2
    lookup_level: Annotated[int, ENUM16]
    mapped_count: Annotated[int, U32]
    lookup_options: Annotated[int, U32]
    client_revision: Annotated[int, U32]


@parameters
class LsarLookupNames3Response(Ndr):
    referenced_domains: Annotated[ReferencedDomainList | None, Unique(ReferencedDomainList)] = None
    translated_sids: TranslatedSidsEx2 = TranslatedSidsEx2()
    mapped_count: Annotated[int, U32] = 0
    status: Status = _OK


@parameters
class LsarLookupNames4(Ndr):
    count: ClassVar = CountOf("names")
    names: Annotated[tuple[str | None, ...], Conformant(UNICODE_STRING, NAMES_MAX)]
    translated_sids: TranslatedSidsEx2
    lookup_level: Annotated[int, ENUM16]
    mapped_count: Annotated[int, U32]
    lookup_options: Annotated[int, U32]
    client_revision: Annotated[int, U32]


@parameters
class LsarLookupNames4Response(Ndr):
    referenced_domains: Annotated[ReferencedDomainList | None, Unique(ReferencedDomainList)] = None
    translated_sids: TranslatedSidsEx2 = TranslatedSidsEx2()
    mapped_count: Annotated[int, U32] = 0
    status: Status = _OK


@parameters
class LsarLookupSids(Ndr):
    policy_handle: Handle
    sid_enum_buffer: SidEnumBuffer
    translated_names: TranslatedNames
    lookup_level: Annotated[int, ENUM16]
    mapped_count: Annotated[int, U32]


@parameters
class LsarLookupSidsResponse(Ndr):
    referenced_domains: Annotated[ReferencedDomainList | None, Unique(ReferencedDomainList)] = None
    translated_names: TranslatedNames = TranslatedNames()
    mapped_count: Annotated[int, U32] = 0
    status: Status = _OK


@parameters
class LsarLookupSids2(Ndr):
    policy_handle: Handle
    sid_enum_buffer: SidEnumBuffer
    translated_names: TranslatedNamesEx
    lookup_level: Annotated[int, ENUM16]
    mapped_count: Annotated[int, U32]
    lookup_options: Annotated[int, U32]
    client_revision: Annotated[int, U32]


@parameters
class LsarLookupSids2Response(Ndr):
    referenced_domains: Annotated[ReferencedDomainList | None, Unique(ReferencedDomainList)] = None
    translated_names: TranslatedNamesEx = TranslatedNamesEx()
    mapped_count: Annotated[int, U32] = 0
    status: Status = _OK


@parameters
class LsarLookupSids3(Ndr):
    sid_enum_buffer: SidEnumBuffer
    translated_names: TranslatedNamesEx
    lookup_level: Annotated[int, ENUM16]
    mapped_count: Annotated[int, U32]
    lookup_options: Annotated[int, U32]
    client_revision: Annotated[int, U32]


@parameters
class LsarLookupSids3Response(Ndr):
    referenced_domains: Annotated[ReferencedDomainList | None, Unique(ReferencedDomainList)] = None
    translated_names: TranslatedNamesEx = TranslatedNamesEx()
    mapped_count: Annotated[int, U32] = 0
    status: Status = _OK


LSARPC: Final = interface(
    "lsarpc",
    "12345778-1234-abcd-ef00-0123456789ab",
    (0, 0),
    Operation(0, "LsarClose", LsarClose, LsarCloseResponse),
    Operation(1, "LsarDelete", LsarDelete, LsarDeleteResponse),
    Operation(2, "LsarEnumeratePrivileges", LsarEnumeratePrivileges, LsarEnumeratePrivilegesResponse),
    Operation(3, "LsarQuerySecurityObject", LsarQuerySecurityObject, LsarQuerySecurityObjectResponse),
    Operation(4, "LsarSetSecurityObject", LsarSetSecurityObject, LsarSetSecurityObjectResponse),
    Operation(6, "LsarOpenPolicy", LsarOpenPolicy, LsarOpenPolicyResponse),
    Operation(
        7, "LsarQueryInformationPolicy", LsarQueryInformationPolicy, LsarQueryInformationPolicyResponse
    ),
    Operation(8, "LsarSetInformationPolicy", LsarSetInformationPolicy, LsarSetInformationPolicyResponse),
    Operation(10, "LsarCreateAccount", LsarCreateAccount, LsarCreateAccountResponse),
    Operation(11, "LsarEnumerateAccounts", LsarEnumerateAccounts, LsarEnumerateAccountsResponse),
    Operation(12, "LsarCreateTrustedDomain", LsarCreateTrustedDomain, LsarCreateTrustedDomainResponse),
    Operation(
        13, "LsarEnumerateTrustedDomains", LsarEnumerateTrustedDomains, LsarEnumerateTrustedDomainsResponse
    ),
    Operation(14, "LsarLookupNames", LsarLookupNames, LsarLookupNamesResponse),
    Operation(15, "LsarLookupSids", LsarLookupSids, LsarLookupSidsResponse),
    Operation(16, "LsarCreateSecret", LsarCreateSecret, LsarCreateSecretResponse),
    Operation(17, "LsarOpenAccount", LsarOpenAccount, LsarOpenAccountResponse),
    Operation(
        18,
        "LsarEnumeratePrivilegesAccount",
        LsarEnumeratePrivilegesAccount,
        LsarEnumeratePrivilegesAccountResponse,
    ),
    Operation(
        19, "LsarAddPrivilegesToAccount", LsarAddPrivilegesToAccount, LsarAddPrivilegesToAccountResponse
    ),
    Operation(
        20,
        "LsarRemovePrivilegesFromAccount",
        LsarRemovePrivilegesFromAccount,
        LsarRemovePrivilegesFromAccountResponse,
    ),
    Operation(
        23, "LsarGetSystemAccessAccount", LsarGetSystemAccessAccount, LsarGetSystemAccessAccountResponse
    ),
    Operation(
        24, "LsarSetSystemAccessAccount", LsarSetSystemAccessAccount, LsarSetSystemAccessAccountResponse
    ),
    Operation(25, "LsarOpenTrustedDomain", LsarOpenTrustedDomain, LsarOpenTrustedDomainResponse),
    Operation(
        26, "LsarQueryInfoTrustedDomain", LsarQueryInfoTrustedDomain, LsarQueryInfoTrustedDomainResponse
    ),
    Operation(
        27,
        "LsarSetInformationTrustedDomain",
        LsarSetInformationTrustedDomain,
        LsarSetInformationTrustedDomainResponse,
    ),
    Operation(28, "LsarOpenSecret", LsarOpenSecret, LsarOpenSecretResponse),
    Operation(29, "LsarSetSecret", LsarSetSecret, LsarSetSecretResponse),
    Operation(30, "LsarQuerySecret", LsarQuerySecret, LsarQuerySecretResponse),
    Operation(31, "LsarLookupPrivilegeValue", LsarLookupPrivilegeValue, LsarLookupPrivilegeValueResponse),
    Operation(32, "LsarLookupPrivilegeName", LsarLookupPrivilegeName, LsarLookupPrivilegeNameResponse),
    Operation(
        33,
        "LsarLookupPrivilegeDisplayName",
        LsarLookupPrivilegeDisplayName,
        LsarLookupPrivilegeDisplayNameResponse,
    ),
    Operation(34, "LsarDeleteObject", LsarDeleteObject, LsarDeleteObjectResponse),
    Operation(
        35,
        "LsarEnumerateAccountsWithUserRight",
        LsarEnumerateAccountsWithUserRight,
        LsarEnumerateAccountsWithUserRightResponse,
    ),
    Operation(
        36, "LsarEnumerateAccountRights", LsarEnumerateAccountRights, LsarEnumerateAccountRightsResponse
    ),
    Operation(37, "LsarAddAccountRights", LsarAddAccountRights, LsarAddAccountRightsResponse),
    Operation(38, "LsarRemoveAccountRights", LsarRemoveAccountRights, LsarRemoveAccountRightsResponse),
    Operation(
        39, "LsarQueryTrustedDomainInfo", LsarQueryTrustedDomainInfo, LsarQueryTrustedDomainInfoResponse
    ),
    Operation(40, "LsarSetTrustedDomainInfo", LsarSetTrustedDomainInfo, LsarSetTrustedDomainInfoResponse),
    Operation(41, "LsarDeleteTrustedDomain", LsarDeleteTrustedDomain, LsarDeleteTrustedDomainResponse),
    Operation(42, "LsarStorePrivateData", LsarStorePrivateData, LsarStorePrivateDataResponse),
    Operation(43, "LsarRetrievePrivateData", LsarRetrievePrivateData, LsarRetrievePrivateDataResponse),
    Operation(44, "LsarOpenPolicy2", LsarOpenPolicy2, LsarOpenPolicy2Response),
    Operation(45, "LsarGetUserName", LsarGetUserName, LsarGetUserNameResponse),
    Operation(
        46, "LsarQueryInformationPolicy2", LsarQueryInformationPolicy2, LsarQueryInformationPolicy2Response
    ),
    Operation(47, "LsarSetInformationPolicy2", LsarSetInformationPolicy2, LsarSetInformationPolicy2Response),
    Operation(
        48,
        "LsarQueryTrustedDomainInfoByName",
        LsarQueryTrustedDomainInfoByName,
        LsarQueryTrustedDomainInfoByNameResponse,
    ),
    Operation(
        49,
        "LsarSetTrustedDomainInfoByName",
        LsarSetTrustedDomainInfoByName,
        LsarSetTrustedDomainInfoByNameResponse,
    ),
    Operation(
        50,
        "LsarEnumerateTrustedDomainsEx",
        LsarEnumerateTrustedDomainsEx,
        LsarEnumerateTrustedDomainsExResponse,
    ),
    Operation(51, "LsarCreateTrustedDomainEx", LsarCreateTrustedDomainEx, LsarCreateTrustedDomainExResponse),
    Operation(52, "LsarCloseTrustedDomainEx", LsarCloseTrustedDomainEx, LsarCloseTrustedDomainExResponse),
    Operation(
        53,
        "LsarQueryDomainInformationPolicy",
        LsarQueryDomainInformationPolicy,
        LsarQueryDomainInformationPolicyResponse,
    ),
    Operation(
        54,
        "LsarSetDomainInformationPolicy",
        LsarSetDomainInformationPolicy,
        LsarSetDomainInformationPolicyResponse,
    ),
    Operation(
        55, "LsarOpenTrustedDomainByName", LsarOpenTrustedDomainByName, LsarOpenTrustedDomainByNameResponse
    ),
    Operation(57, "LsarLookupSids2", LsarLookupSids2, LsarLookupSids2Response),
    Operation(58, "LsarLookupNames2", LsarLookupNames2, LsarLookupNames2Response),
    Operation(
        59, "LsarCreateTrustedDomainEx2", LsarCreateTrustedDomainEx2, LsarCreateTrustedDomainEx2Response
    ),
    Operation(68, "LsarLookupNames3", LsarLookupNames3, LsarLookupNames3Response),
    Operation(
        73,
        "LsarQueryForestTrustInformation",
        LsarQueryForestTrustInformation,
        LsarQueryForestTrustInformationResponse,
    ),
    Operation(
        74,
        "LsarSetForestTrustInformation",
        LsarSetForestTrustInformation,
        LsarSetForestTrustInformationResponse,
    ),
    Operation(76, "LsarLookupSids3", LsarLookupSids3, LsarLookupSids3Response),
    Operation(77, "LsarLookupNames4", LsarLookupNames4, LsarLookupNames4Response),
    Operation(
        129, "LsarCreateTrustedDomainEx3", LsarCreateTrustedDomainEx3, LsarCreateTrustedDomainEx3Response
    ),
    Operation(130, "LsarOpenPolicy3", LsarOpenPolicy3, LsarOpenPolicy3Response),
    Operation(
        132,
        "LsarQueryForestTrustInformation2",
        LsarQueryForestTrustInformation2,
        LsarQueryForestTrustInformation2Response,
    ),
    Operation(
        133,
        "LsarSetForestTrustInformation2",
        LsarSetForestTrustInformation2,
        LsarSetForestTrustInformation2Response,
    ),
    Operation(135, "LsarOpenPolicyWithCreds", LsarOpenPolicyWithCreds, LsarOpenPolicyWithCredsResponse),
    Operation(136, "LsarOpenSecret2", LsarOpenSecret2, LsarOpenSecret2Response),
    Operation(137, "LsarCreateSecret2", LsarCreateSecret2, LsarCreateSecret2Response),
    Operation(138, "LsarSetSecret2", LsarSetSecret2, LsarSetSecret2Response),
    Operation(139, "LsarQuerySecret2", LsarQuerySecret2, LsarQuerySecret2Response),
    Operation(140, "LsarStorePrivateData2", LsarStorePrivateData2, LsarStorePrivateData2Response),
    Operation(141, "LsarRetrievePrivateData2", LsarRetrievePrivateData2, LsarRetrievePrivateData2Response),
)
"""The local security authority of a domain controller."""
