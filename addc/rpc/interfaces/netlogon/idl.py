"""The interface netlogon: its structures, unions and operations, as they are on the wire.

Spec: [MS-NRPC] 2.2.1, 3.5.4, 6 (the IDL).
"""

from typing import Annotated, ClassVar, Final
from uuid import UUID

from addc.base.enums import OpenIntEnum
from addc.codec.ids import Sid
from addc.codec.interface import Operation, interface
from addc.codec.ndr import (
    CONFORMANT_BYTES,
    ENUM16,
    FILETIME,
    GUID,
    NOTHING,
    SID,
    U8,
    U16,
    U32,
    U64,
    UNICODE_STRING,
    WSTRING,
    Conformant,
    ConformantVarying,
    Const,
    CountOf,
    FixedArray,
    FixedBytes,
    Ndr,
    Tagged,
    TaggedUnion,
    UnicodeString,
    Unique,
    parameters,
    structure,
)
from addc.codec.pac import GroupMembership, KerbSidAndAttributes
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32

CREDENTIAL: Final = FixedBytes(8)
"""NETLOGON_CREDENTIAL, CYPHER_BLOCK."""
OWF: Final = FixedBytes(16)
"""NT_OWF_PASSWORD, LM_OWF_PASSWORD, ENCRYPTED_NT_OWF_PASSWORD, USER_SESSION_KEY."""
NOTHING_ALIGNED: Final = FixedBytes(0, 4)
"""The arm of levels that are not known: it too stands where the greatest arm would."""
NO_OWF: Final = bytes(16)
NO_CREDENTIAL: Final = bytes(8)
NAME: Final = Unique(WSTRING)
LARGE: Final = UnicodeString(room=2)
"""A UNICODE_STRING whose buffer has room for a NUL, as servers make them here."""
NO_GUID: Final = UUID(int=0)


class LogonLevel(OpenIntEnum):
    """NETLOGON_LOGON_INFO_CLASS, 2.2.1.4.16."""

    INTERACTIVE = 1
    NETWORK = 2
    SERVICE = 3
    GENERIC = 4
    INTERACTIVE_TRANSITIVE = 5
    NETWORK_TRANSITIVE = 6
    SERVICE_TRANSITIVE = 7
    TICKET = 8


class ValidationLevel(OpenIntEnum):
    """NETLOGON_VALIDATION_INFO_CLASS, 2.2.1.4.17."""

    UAS_INFO = 1
    SAM_INFO = 2
    SAM_INFO2 = 3
    GENERIC_INFO = 4
    GENERIC_INFO2 = 5
    SAM_INFO4 = 6
    TICKET_LOGON = 7


@structure
class NetlogonAuthenticator(Ndr):
    """NETLOGON_AUTHENTICATOR, 2.2.1.1.5. timestamp: seconds since 1970."""

    credential: Annotated[bytes, CREDENTIAL]
    timestamp: Annotated[int, U32]


NO_AUTHENTICATOR: Final = NetlogonAuthenticator(NO_CREDENTIAL, 0)


# --- DC location -------------------------------------------------------------------------------------------


@structure
class DomainControllerInfo(Ndr):
    """DOMAIN_CONTROLLER_INFOW, 2.2.1.2.1."""

    domain_controller_name: Annotated[str | None, NAME]
    domain_controller_address: Annotated[str | None, NAME]
    domain_controller_address_type: Annotated[int, U32]
    domain_guid: Annotated[UUID, GUID]
    domain_name: Annotated[str | None, NAME]
    dns_forest_name: Annotated[str | None, NAME]
    flags: Annotated[int, U32]
    dc_site_name: Annotated[str | None, NAME]
    client_site_name: Annotated[str | None, NAME]


@structure
class NlString(Ndr):
    """A UNICODE_STRING as the item of an array."""

    text: Annotated[str | None, UNICODE_STRING]


@structure
class NlSiteNameArray(Ndr):
    """NL_SITE_NAME_ARRAY, 2.2.1.2.2."""

    entry_count: ClassVar = CountOf("site_names")
    site_names: Annotated[tuple[NlString, ...] | None, Unique(Conformant(NlString))]


@structure
class NlSiteNameExArray(Ndr):
    """NL_SITE_NAME_EX_ARRAY, 2.2.1.2.3."""

    entry_count: ClassVar = CountOf("site_names")
    site_names: Annotated[tuple[NlString, ...] | None, Unique(Conformant(NlString))]
    subnet_names: Annotated[tuple[NlString, ...] | None, Unique(Conformant(NlString))]


@structure
class NlSocketAddress(Ndr):
    """NL_SOCKET_ADDRESS, 2.2.1.2.4: a sockaddr."""

    sockaddr: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]
    sockaddr_length: ClassVar = CountOf("sockaddr")


@structure
class NlDnsNameInfo(Ndr):
    """NL_DNS_NAME_INFO, 2.2.1.2.5."""

    type: Annotated[int, U32]
    dns_domain_info: Annotated[str | None, NAME]
    dns_domain_info_type: Annotated[int, U32]
    priority: Annotated[int, U32]
    weight: Annotated[int, U32]
    port: Annotated[int, U32]
    register_it: Annotated[int, U8]
    status: Annotated[int, U32]


@structure
class NlDnsNameInfoArray(Ndr):
    """NL_DNS_NAME_INFO_ARRAY, 2.2.1.2.6."""

    entry_count: ClassVar = CountOf("dns_names_info")
    dns_names_info: Annotated[tuple[NlDnsNameInfo, ...] | None, Unique(Conformant(NlDnsNameInfo, limit=2048))]


# --- secure channels ---------------------------------------------------------------------------------------


@structure
class NetlogonLsaPolicyInfo(Ndr):
    """NETLOGON_LSA_POLICY_INFO, 2.2.1.3.5."""

    lsa_policy_size: ClassVar = CountOf("lsa_policy")
    lsa_policy: Annotated[bytes | None, Unique(CONFORMANT_BYTES)] = None


@structure
class NetlogonWorkstationInfo(Ndr):
    """NETLOGON_WORKSTATION_INFO, 2.2.1.3.6. os_version: an NL_OSVERSIONINFO_V1 in the guise of text."""

    lsa_policy: NetlogonLsaPolicyInfo
    dns_host_name: Annotated[str | None, NAME]
    site_name: Annotated[str | None, NAME]
    dummy1: Annotated[str | None, NAME]
    dummy2: Annotated[str | None, NAME]
    dummy3: Annotated[str | None, NAME]
    dummy4: Annotated[str | None, NAME]
    os_version: Annotated[str | None, UNICODE_STRING]
    os_name: Annotated[str | None, UNICODE_STRING]
    dummy_string3: Annotated[str | None, UNICODE_STRING]
    dummy_string4: Annotated[str | None, UNICODE_STRING]
    workstation_flags: Annotated[int, U32]
    kerberos_supported_encryption_types: Annotated[int, U32]
    dummy_long3: ClassVar = Const(U32)
    dummy_long4: ClassVar = Const(U32)


@structure
class NetlogonOneDomainInfo(Ndr):
    """NETLOGON_ONE_DOMAIN_INFO, 2.2.1.3.10. trust_extension: 16 bytes in the guise of text."""

    domain_name: Annotated[str | None, LARGE]
    dns_domain_name: Annotated[str | None, LARGE]
    dns_forest_name: Annotated[str | None, LARGE]
    domain_guid: Annotated[UUID, GUID]
    domain_sid: Annotated[Sid | None, Unique(SID)]
    trust_extension: Annotated[str | None, UNICODE_STRING]
    dummy_string2: Annotated[str | None, UNICODE_STRING] = None
    dummy_string3: Annotated[str | None, UNICODE_STRING] = None
    dummy_string4: Annotated[str | None, UNICODE_STRING] = None
    dummy_long1: ClassVar = Const(U32)
    dummy_long2: ClassVar = Const(U32)
    dummy_long3: ClassVar = Const(U32)
    dummy_long4: ClassVar = Const(U32)


@structure
class NetlogonDomainInfo(Ndr):
    """NETLOGON_DOMAIN_INFO, 2.2.1.3.11."""

    primary_domain: NetlogonOneDomainInfo
    trusted_domain_count: ClassVar = CountOf("trusted_domains")
    trusted_domains: Annotated[
        tuple[NetlogonOneDomainInfo, ...] | None, Unique(Conformant(NetlogonOneDomainInfo))
    ]
    lsa_policy: NetlogonLsaPolicyInfo
    dns_host_name_in_ds: Annotated[str | None, LARGE]
    dummy_string2: Annotated[str | None, UNICODE_STRING]
    dummy_string3: Annotated[str | None, UNICODE_STRING]
    dummy_string4: Annotated[str | None, UNICODE_STRING]
    workstation_flags: Annotated[int, U32]
    supported_enc_types: Annotated[int, U32]
    dummy_long3: ClassVar = Const(U32)
    dummy_long4: ClassVar = Const(U32)


WORKSTATION_INFORMATION: Final = TaggedUnion(
    {1: Unique(NetlogonWorkstationInfo), 2: Unique(NetlogonWorkstationInfo)}, default=NOTHING
)
"""NETLOGON_WORKSTATION_INFORMATION, 2.2.1.3.9."""
DOMAIN_INFORMATION: Final = TaggedUnion(
    {1: Unique(NetlogonDomainInfo), 2: Unique(NetlogonLsaPolicyInfo)}, default=NOTHING
)
"""NETLOGON_DOMAIN_INFORMATION, 2.2.1.3.12."""
CAPABILITIES: Final = TaggedUnion({1: U32, 2: U32}, default=NOTHING)
"""NETLOGON_CAPABILITIES, 2.2.1.3.14."""


@structure
class NlTrustPassword(Ndr):
    """NL_TRUST_PASSWORD, 2.2.1.3.7; encrypted as a whole."""

    buffer: Annotated[bytes, FixedBytes(512)]
    length: Annotated[int, U32]


@structure
class NlInChainSetClientAttributesV1(Ndr):
    """NL_IN_CHAIN_SET_CLIENT_ATTRIBUTES_V1, 2.2.1.3.16. os_version: an NL_OSVERSIONINFO_V1."""

    client_dns_host_name: Annotated[str | None, NAME]
    os_version: Annotated[bytes | None, Unique(FixedBytes(284, 4))]
    os_name: Annotated[str | None, NAME]


@structure
class NlOutChainSetClientAttributesV1(Ndr):
    """NL_OUT_CHAIN_SET_CLIENT_ATTRIBUTES_V1, 2.2.1.3.18."""

    hub_name: Annotated[str | None, NAME]
    old_dns_host_name: Annotated[str | None, Unique(Unique(WSTRING))]
    supported_enc_types: Annotated[int | None, Unique(U32)]


# --- pass-through ------------------------------------------------------------------------------------------


@structure
class NetlogonLogonIdentityInfo(Ndr):
    """NETLOGON_LOGON_IDENTITY_INFO, 2.2.1.4.15."""

    logon_domain_name: Annotated[str | None, UNICODE_STRING]
    parameter_control: Annotated[int, U32]
    reserved: Annotated[int, FILETIME]
    user_name: Annotated[str | None, UNICODE_STRING]
    workstation: Annotated[str | None, UNICODE_STRING]


@structure
class NetlogonInteractiveInfo(Ndr):
    """NETLOGON_INTERACTIVE_INFO, 2.2.1.4.3, and NETLOGON_SERVICE_INFO, 2.2.1.4.4."""

    identity: NetlogonLogonIdentityInfo
    lm_owf_password: Annotated[bytes, OWF]
    nt_owf_password: Annotated[bytes, OWF]


@structure
class NlBytes(Ndr):
    """STRING, 2.2.1.1.2, that holds no text."""

    length: ClassVar = CountOf("data", U16)
    maximum_length: Annotated[int, U16]
    data: Annotated[bytes | None, Unique(ConformantVarying(U8, limit=0xFFFF, size="maximum_length"))]


@structure
class NetlogonNetworkInfo(Ndr):
    """NETLOGON_NETWORK_INFO, 2.2.1.4.5."""

    identity: NetlogonLogonIdentityInfo
    lm_challenge: Annotated[bytes, FixedBytes(8)]
    nt_challenge_response: NlBytes
    lm_challenge_response: NlBytes


@structure
class NetlogonGenericInfo(Ndr):
    """NETLOGON_GENERIC_INFO, 2.2.1.4.2."""

    identity: NetlogonLogonIdentityInfo
    package_name: Annotated[str | None, UNICODE_STRING]
    data_length: ClassVar = CountOf("logon_data")
    logon_data: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


@structure
class NetlogonTicketLogonInfo(Ndr):
    """NETLOGON_TICKET_LOGON_INFO, 2.2.1.4.19."""

    identity: NetlogonLogonIdentityInfo
    request_options: Annotated[int, U64]
    service_ticket_length: ClassVar = CountOf("service_ticket")
    service_ticket: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]
    additional_ticket_length: ClassVar = CountOf("additional_ticket")
    additional_ticket: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


LOGON_INFORMATION: Final = TaggedUnion(
    {
        LogonLevel.INTERACTIVE: Unique(NetlogonInteractiveInfo),
        LogonLevel.NETWORK: Unique(NetlogonNetworkInfo),
        LogonLevel.SERVICE: Unique(NetlogonInteractiveInfo),
        LogonLevel.GENERIC: Unique(NetlogonGenericInfo),
        LogonLevel.INTERACTIVE_TRANSITIVE: Unique(NetlogonInteractiveInfo),
        LogonLevel.NETWORK_TRANSITIVE: Unique(NetlogonNetworkInfo),
        LogonLevel.SERVICE_TRANSITIVE: Unique(NetlogonInteractiveInfo),
        LogonLevel.TICKET: Unique(NetlogonTicketLogonInfo),
    },
    default=NOTHING_ALIGNED,
    tag=ENUM16,
)
"""NETLOGON_LEVEL, 2.2.1.4.6."""


@structure
class NetlogonSamInfo(Ndr):
    """NETLOGON_VALIDATION_SAM_INFO, 2.2.1.4.11, with which the later ones begin.

    lm_key: the first two elements of ExpansionRoom. user_account_control: USER_ACCOUNT bits of SAM.
    """

    logon_time: Annotated[int, FILETIME]
    logoff_time: Annotated[int, FILETIME]
    kick_off_time: Annotated[int, FILETIME]
    password_last_set: Annotated[int, FILETIME]
    password_can_change: Annotated[int, FILETIME]
    password_must_change: Annotated[int, FILETIME]
    effective_name: Annotated[str | None, UNICODE_STRING]
    full_name: Annotated[str | None, UNICODE_STRING]
    logon_script: Annotated[str | None, UNICODE_STRING]
    profile_path: Annotated[str | None, UNICODE_STRING]
    home_directory: Annotated[str | None, UNICODE_STRING]
    home_directory_drive: Annotated[str | None, UNICODE_STRING]
    logon_count: Annotated[int, U16]
    bad_password_count: Annotated[int, U16]
    user_id: Annotated[int, U32]
    primary_group_id: Annotated[int, U32]
    group_count: ClassVar = CountOf("group_ids")
    group_ids: Annotated[tuple[GroupMembership, ...] | None, Unique(Conformant(GroupMembership))]
    user_flags: Annotated[int, U32]
    user_session_key: Annotated[bytes, OWF]
    logon_server: Annotated[str | None, LARGE]
    logon_domain_name: Annotated[str | None, LARGE]
    logon_domain_id: Annotated[Sid | None, Unique(SID)]
    lm_key: Annotated[bytes, FixedBytes(8, 4)]
    user_account_control: Annotated[int, U32]
    sub_auth_status: Annotated[int, U32]
    last_successful_i_logon: Annotated[int, FILETIME]
    last_failed_i_logon: Annotated[int, FILETIME]
    failed_i_logon_count: Annotated[int, U32]
    reserved4: ClassVar = Const(U32)


@structure
class NetlogonSamInfo2(Ndr):
    """NETLOGON_VALIDATION_SAM_INFO2, 2.2.1.4.12."""

    base: NetlogonSamInfo
    sid_count: ClassVar = CountOf("extra_sids")
    extra_sids: Annotated[tuple[KerbSidAndAttributes, ...] | None, Unique(Conformant(KerbSidAndAttributes))]


@structure
class NetlogonSamInfo4(Ndr):
    """NETLOGON_VALIDATION_SAM_INFO4, 2.2.1.4.13."""

    base: NetlogonSamInfo
    sid_count: ClassVar = CountOf("extra_sids")
    extra_sids: Annotated[tuple[KerbSidAndAttributes, ...] | None, Unique(Conformant(KerbSidAndAttributes))]
    dns_logon_domain_name: Annotated[str | None, UNICODE_STRING]
    upn: Annotated[str | None, UNICODE_STRING]
    expansion_strings: Annotated[
        tuple[NlString, ...], FixedArray(NlString, 10)
    ] = (NlString(None),) * 10  # fmt: skip


@structure
class NetlogonGenericInfo2(Ndr):
    """NETLOGON_VALIDATION_GENERIC_INFO2, 2.2.1.4.8."""

    data_length: ClassVar = CountOf("validation_data")
    validation_data: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


VALIDATION: Final = TaggedUnion(
    {
        ValidationLevel.SAM_INFO: Unique(NetlogonSamInfo),
        ValidationLevel.SAM_INFO2: Unique(NetlogonSamInfo2),
        ValidationLevel.GENERIC_INFO2: Unique(NetlogonGenericInfo2),
        ValidationLevel.SAM_INFO4: Unique(NetlogonSamInfo4),
        ValidationLevel.TICKET_LOGON: Unique(NetlogonGenericInfo2),
    },
    default=NOTHING_ALIGNED,
    tag=ENUM16,
)
"""NETLOGON_VALIDATION, 2.2.1.4.14. The validation of tickets is never answered but by a null pointer."""


def null_validation(level: int) -> Tagged:
    """The validation of a refused logon: a null pointer where the level has an arm."""
    return Tagged(level, None if level in VALIDATION.arms else b"")


# --- trusts ------------------------------------------------------------------------------------------------


@structure
class DsDomainTrusts(Ndr):
    """DS_DOMAIN_TRUSTSW, 2.2.1.6.2."""

    netbios_domain_name: Annotated[str | None, NAME]
    dns_domain_name: Annotated[str | None, NAME]
    flags: Annotated[int, U32]
    parent_index: Annotated[int, U32]
    trust_type: Annotated[int, U32]
    trust_attributes: Annotated[int, U32]
    domain_sid: Annotated[Sid | None, Unique(SID)]
    domain_guid: Annotated[UUID, GUID]


@structure
class NetlogonTrustedDomainArray(Ndr):
    """NETLOGON_TRUSTED_DOMAIN_ARRAY, 2.2.1.6.3."""

    domain_count: ClassVar = CountOf("domains")
    domains: Annotated[tuple[DsDomainTrusts, ...] | None, Unique(Conformant(DsDomainTrusts))] = None


@structure
class DomainNameBuffer(Ndr):
    """DOMAIN_NAME_BUFFER, 2.2.1.6.1: names in UTF-16, each with its NUL, and one more."""

    domain_name_byte_count: ClassVar = CountOf("domain_names")
    domain_names: Annotated[bytes | None, Unique(CONFORMANT_BYTES)] = None


@structure
class NlGenericRpcData(Ndr):
    """NL_GENERIC_RPC_DATA, 2.2.1.6.4."""

    ulong_entry_count: ClassVar = CountOf("ulong_data")
    ulong_data: Annotated[tuple[int, ...] | None, Unique(Conformant(U32))]
    unicode_string_entry_count: ClassVar = CountOf("unicode_string_data")
    unicode_string_data: Annotated[tuple[NlString, ...] | None, Unique(Conformant(NlString))]


@structure
class LsaForestTrustDomainInfo(Ndr):
    """LSA_FOREST_TRUST_DOMAIN_INFO, [MS-LSAD] 2.2.7.24."""

    sid: Annotated[Sid | None, Unique(SID)]
    dns_name: Annotated[str | None, LARGE]
    netbios_name: Annotated[str | None, LARGE]


@structure
class LsaForestTrustBinaryData(Ndr):
    """LSA_FOREST_TRUST_BINARY_DATA, [MS-LSAD] 2.2.7.23."""

    length: ClassVar = CountOf("buffer")
    buffer: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


@structure
class LsaTopLevelName(Ndr):
    """The arm of a top-level name."""

    name: Annotated[str | None, LARGE]


@structure
class LsaForestTrustRecord(Ndr):
    """LSA_FOREST_TRUST_RECORD, [MS-LSAD] 2.2.7.21; its type is the tag of the data."""

    flags: Annotated[int, U32]
    forest_trust_type: Annotated[int, ENUM16]
    time: Annotated[int, U64]
    forest_trust_data: Annotated[
        Tagged,
        TaggedUnion(
            {0: LsaTopLevelName, 1: LsaTopLevelName, 2: LsaForestTrustDomainInfo},
            default=LsaForestTrustBinaryData,
            tag=ENUM16,
        ),
    ]


@structure
class LsaForestTrustInformation(Ndr):
    """LSA_FOREST_TRUST_INFORMATION, [MS-LSAD] 2.2.7.25."""

    record_count: ClassVar = CountOf("entries")
    entries: Annotated[
        tuple[LsaForestTrustRecord | None, ...] | None, Unique(Conformant(Unique(LsaForestTrustRecord)))
    ]


# --- administration ----------------------------------------------------------------------------------------


@structure
class NetlogonInfo1(Ndr):
    """NETLOGON_INFO_1, 2.2.1.7.2."""

    flags: Annotated[int, U32]
    pdc_connection_status: Annotated[int, U32]


@structure
class NetlogonInfo2(Ndr):
    """NETLOGON_INFO_2, 2.2.1.7.3."""

    flags: Annotated[int, U32]
    pdc_connection_status: Annotated[int, U32]
    trusted_dc_name: Annotated[str | None, NAME]
    tc_connection_status: Annotated[int, U32]


@structure
class NetlogonInfo3(Ndr):
    """NETLOGON_INFO_3, 2.2.1.7.4."""

    flags: Annotated[int, U32]
    logon_attempts: Annotated[int, U32]
    reserved1: ClassVar = Const(U32)
    reserved2: ClassVar = Const(U32)
    reserved3: ClassVar = Const(U32)
    reserved4: ClassVar = Const(U32)
    reserved5: ClassVar = Const(U32)


@structure
class NetlogonInfo4(Ndr):
    """NETLOGON_INFO_4, 2.2.1.7.5."""

    trusted_dc_name: Annotated[str | None, NAME]
    trusted_domain_name: Annotated[str | None, NAME]


CONTROL_QUERY: Final = TaggedUnion(
    {1: Unique(NetlogonInfo1), 2: Unique(NetlogonInfo2), 3: Unique(NetlogonInfo3), 4: Unique(NetlogonInfo4)},
    default=NOTHING,
)
"""NETLOGON_CONTROL_QUERY_INFORMATION, 2.2.1.7.6."""


def no_query(level: int) -> Tagged:
    """The answer of a refused control operation."""
    return Tagged(level, None if level in CONTROL_QUERY.arms else b"")


CONTROL_DATA: Final = TaggedUnion(
    {5: NAME, 6: NAME, 8: NAME, 9: NAME, 10: NAME, 0xFFFE: U32}, default=NOTHING
)
"""NETLOGON_CONTROL_DATA_INFORMATION, 2.2.1.7.1: a trusted domain, a user, or flags for debugging."""
CHAIN_IN: Final = TaggedUnion({1: NlInChainSetClientAttributesV1}, default=NOTHING)
"""NL_IN_CHAIN_SET_CLIENT_ATTRIBUTES, 2.2.1.3.17."""
CHAIN_OUT: Final = TaggedUnion({1: NlOutChainSetClientAttributesV1}, default=NOTHING)
"""NL_OUT_CHAIN_SET_CLIENT_ATTRIBUTES, 2.2.1.3.19."""

# --- operations --------------------------------------------------------------------------------------------

SOCKET_ADDRESSES_MAX: Final = 32_000
DIGEST_MESSAGE_MAX: Final = 2048
OPAQUE_MAX: Final = 65_536
NO_DNS_NAMES: Final = NlDnsNameInfoArray(None)
NOTHING_CHAINED: Final = Tagged(1, NlOutChainSetClientAttributesV1(None, None, None))


@parameters
class NetrLogonSamLogon(Ndr):
    """NetrLogonSamLogon (opnum 2), 3.5.4.5.3."""

    logon_server: Annotated[str | None, NAME]
    computer_name: Annotated[str | None, NAME]
    authenticator: Annotated[NetlogonAuthenticator | None, Unique(NetlogonAuthenticator)]
    return_authenticator: Annotated[NetlogonAuthenticator | None, Unique(NetlogonAuthenticator)]
    logon_level: Annotated[int, ENUM16]
    logon_information: Annotated[Tagged, LOGON_INFORMATION]
    validation_level: Annotated[int, ENUM16]


@parameters
class NetrLogonSamLogonResponse(Ndr):
    """What NetrLogonSamLogon answers."""

    return_authenticator: Annotated[NetlogonAuthenticator | None, Unique(NetlogonAuthenticator)] = None
    validation_information: Annotated[Tagged, VALIDATION] = Tagged(0, b"")
    authoritative: Annotated[int, U8] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrLogonSamLogoff(Ndr):
    """NetrLogonSamLogoff (opnum 3), 3.5.4.5.4."""

    logon_server: Annotated[str | None, NAME]
    computer_name: Annotated[str | None, NAME]
    authenticator: Annotated[NetlogonAuthenticator | None, Unique(NetlogonAuthenticator)]
    return_authenticator: Annotated[NetlogonAuthenticator | None, Unique(NetlogonAuthenticator)]
    logon_level: Annotated[int, ENUM16]
    logon_information: Annotated[Tagged, LOGON_INFORMATION]


@parameters
class NetrLogonSamLogoffResponse(Ndr):
    """What NetrLogonSamLogoff answers."""

    return_authenticator: Annotated[NetlogonAuthenticator | None, Unique(NetlogonAuthenticator)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrServerReqChallenge(Ndr):
    """NetrServerReqChallenge (opnum 4), 3.5.4.4.1."""

    primary_name: Annotated[str | None, NAME]
    computer_name: Annotated[str, WSTRING]
    client_challenge: Annotated[bytes, CREDENTIAL]


@parameters
class NetrServerReqChallengeResponse(Ndr):
    """What NetrServerReqChallenge answers."""

    server_challenge: Annotated[bytes, CREDENTIAL] = NO_CREDENTIAL
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrServerAuthenticate(Ndr):
    """NetrServerAuthenticate (opnum 5), 3.5.4.4.5."""

    primary_name: Annotated[str | None, NAME]
    account_name: Annotated[str, WSTRING]
    secure_channel_type: Annotated[int, ENUM16]
    computer_name: Annotated[str, WSTRING]
    client_credential: Annotated[bytes, CREDENTIAL]


@parameters
class NetrServerAuthenticateResponse(Ndr):
    """What NetrServerAuthenticate answers."""

    server_credential: Annotated[bytes, CREDENTIAL] = NO_CREDENTIAL
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrServerPasswordSet(Ndr):
    """NetrServerPasswordSet (opnum 6), 3.5.4.4.7."""

    primary_name: Annotated[str | None, NAME]
    account_name: Annotated[str, WSTRING]
    secure_channel_type: Annotated[int, ENUM16]
    computer_name: Annotated[str, WSTRING]
    authenticator: NetlogonAuthenticator
    uas_new_password: Annotated[bytes, OWF]


@parameters
class NetrServerPasswordSetResponse(Ndr):
    """What NetrServerPasswordSet answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@structure
class UasInfo0(Ndr):
    """UAS_INFO_0, 2.2.1.7.1."""

    computer_name: Annotated[bytes, FixedBytes(16)] = bytes(16)
    time_created: Annotated[int, U32] = 0
    serial_number: Annotated[int, U32] = 0


@parameters
class NetrAccountDeltas(Ndr):
    """NetrAccountDeltas (opnum 9), 3.5.4.10.3."""

    primary_name: Annotated[str | None, NAME]
    computer_name: Annotated[str, WSTRING]
    authenticator: NetlogonAuthenticator
    return_authenticator: NetlogonAuthenticator
    record_id: UasInfo0
    count: Annotated[int, U32]
    level: Annotated[int, U32]
    buffer_size: Annotated[int, U32]


@parameters
class NetrAccountDeltasResponse(Ndr):
    """What NetrAccountDeltas answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    buffer: Annotated[bytes, CONFORMANT_BYTES] = b""
    count_returned: Annotated[int, U32] = 0
    total_entries: Annotated[int, U32] = 0
    next_record_id: UasInfo0 = UasInfo0()
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrAccountSync(Ndr):
    """NetrAccountSync (opnum 10), 3.5.4.10.4."""

    primary_name: Annotated[str | None, NAME]
    computer_name: Annotated[str, WSTRING]
    authenticator: NetlogonAuthenticator
    return_authenticator: NetlogonAuthenticator
    reference: Annotated[int, U32]
    level: Annotated[int, U32]
    buffer_size: Annotated[int, U32]


@parameters
class NetrAccountSyncResponse(Ndr):
    """What NetrAccountSync answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    buffer: Annotated[bytes, CONFORMANT_BYTES] = b""
    count_returned: Annotated[int, U32] = 0
    total_entries: Annotated[int, U32] = 0
    next_reference: Annotated[int, U32] = 0
    last_record_id: UasInfo0 = UasInfo0()
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrGetDCName(Ndr):
    """NetrGetDCName (opnum 11), 3.5.4.3.4."""

    server_name: Annotated[str, WSTRING]
    domain_name: Annotated[str | None, NAME]


@parameters
class NetrGetDCNameResponse(Ndr):
    """What NetrGetDCName answers."""

    buffer: Annotated[str | None, NAME] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrLogonControl(Ndr):
    """NetrLogonControl (opnum 12), 3.5.4.9.3."""

    server_name: Annotated[str | None, NAME]
    function_code: Annotated[int, U32]
    query_level: Annotated[int, U32]


@parameters
class NetrLogonControlResponse(Ndr):
    """What NetrLogonControl answers."""

    buffer: Annotated[Tagged, CONTROL_QUERY] = Tagged(0, b"")
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrGetAnyDCName(Ndr):
    """NetrGetAnyDCName (opnum 13), 3.5.4.3.5."""

    server_name: Annotated[str | None, NAME]
    domain_name: Annotated[str | None, NAME]


@parameters
class NetrGetAnyDCNameResponse(Ndr):
    """What NetrGetAnyDCName answers."""

    buffer: Annotated[str | None, NAME] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrLogonControl2(Ndr):
    """NetrLogonControl2 (opnum 14), 3.5.4.9.2."""

    server_name: Annotated[str | None, NAME]
    function_code: Annotated[int, U32]
    query_level: Annotated[int, U32]
    data: Annotated[Tagged, CONTROL_DATA]


@parameters
class NetrLogonControl2Response(Ndr):
    """What NetrLogonControl2 answers."""

    buffer: Annotated[Tagged, CONTROL_QUERY] = Tagged(0, b"")
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrServerAuthenticate2(Ndr):
    """NetrServerAuthenticate2 (opnum 15), 3.5.4.4.4."""

    primary_name: Annotated[str | None, NAME]
    account_name: Annotated[str, WSTRING]
    secure_channel_type: Annotated[int, ENUM16]
    computer_name: Annotated[str, WSTRING]
    client_credential: Annotated[bytes, CREDENTIAL]
    negotiate_flags: Annotated[int, U32]


@parameters
class NetrServerAuthenticate2Response(Ndr):
    """What NetrServerAuthenticate2 answers."""

    server_credential: Annotated[bytes, CREDENTIAL] = NO_CREDENTIAL
    negotiate_flags: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrLogonControl2Ex(Ndr):
    """NetrLogonControl2Ex (opnum 18), 3.5.4.9.1."""

    server_name: Annotated[str | None, NAME]
    function_code: Annotated[int, U32]
    query_level: Annotated[int, U32]
    data: Annotated[Tagged, CONTROL_DATA]


@parameters
class NetrLogonControl2ExResponse(Ndr):
    """What NetrLogonControl2Ex answers."""

    buffer: Annotated[Tagged, CONTROL_QUERY] = Tagged(0, b"")
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrEnumerateTrustedDomains(Ndr):
    """NetrEnumerateTrustedDomains (opnum 19), 3.5.4.7.3."""

    server_name: Annotated[str | None, NAME]


@parameters
class NetrEnumerateTrustedDomainsResponse(Ndr):
    """What NetrEnumerateTrustedDomains answers."""

    domain_name_buffer: DomainNameBuffer = DomainNameBuffer()
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class DsrGetDcName(Ndr):
    """DsrGetDcName (opnum 20), 3.5.4.3.3."""

    computer_name: Annotated[str | None, NAME]
    domain_name: Annotated[str | None, NAME]
    domain_guid: Annotated[UUID | None, Unique(GUID)]
    site_guid: Annotated[UUID | None, Unique(GUID)]
    flags: Annotated[int, U32]


@parameters
class DsrGetDcNameResponse(Ndr):
    """What DsrGetDcName answers."""

    domain_controller_info: Annotated[DomainControllerInfo | None, Unique(DomainControllerInfo)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrLogonGetCapabilities(Ndr):
    """NetrLogonGetCapabilities (opnum 21), 3.5.4.4.11."""

    server_name: Annotated[str, WSTRING]
    computer_name: Annotated[str | None, NAME]
    authenticator: NetlogonAuthenticator
    return_authenticator: NetlogonAuthenticator
    query_level: Annotated[int, U32]


@parameters
class NetrLogonGetCapabilitiesResponse(Ndr):
    """What NetrLogonGetCapabilities answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    capabilities: Annotated[Tagged, CAPABILITIES] = Tagged(1, 0)
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrLogonGetTrustRid(Ndr):
    """NetrLogonGetTrustRid (opnum 23), 3.5.4.8.1."""

    server_name: Annotated[str | None, NAME]
    domain_name: Annotated[str | None, NAME]


@parameters
class NetrLogonGetTrustRidResponse(Ndr):
    """What NetrLogonGetTrustRid answers."""

    rid: Annotated[int, U32] = 0
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrLogonComputeServerDigest(Ndr):
    """NetrLogonComputeServerDigest (opnum 24), 3.5.4.8.2."""

    server_name: Annotated[str | None, NAME]
    rid: Annotated[int, U32]
    message: Annotated[bytes, Conformant(U8, limit=DIGEST_MESSAGE_MAX)]
    message_size: ClassVar = CountOf("message")


@parameters
class NetrLogonComputeServerDigestResponse(Ndr):
    """What NetrLogonComputeServerDigest answers."""

    new_message_digest: Annotated[bytes, OWF] = NO_OWF
    old_message_digest: Annotated[bytes, OWF] = NO_OWF
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrLogonComputeClientDigest(Ndr):
    """NetrLogonComputeClientDigest (opnum 25), 3.5.4.8.3."""

    server_name: Annotated[str | None, NAME]
    domain_name: Annotated[str | None, NAME]
    message: Annotated[bytes, Conformant(U8, limit=DIGEST_MESSAGE_MAX)]
    message_size: ClassVar = CountOf("message")


@parameters
class NetrLogonComputeClientDigestResponse(Ndr):
    """What NetrLogonComputeClientDigest answers."""

    new_message_digest: Annotated[bytes, OWF] = NO_OWF
    old_message_digest: Annotated[bytes, OWF] = NO_OWF
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrServerAuthenticate3(Ndr):
    """NetrServerAuthenticate3 (opnum 26), 3.5.4.4.2."""

    primary_name: Annotated[str | None, NAME]
    account_name: Annotated[str, WSTRING]
    secure_channel_type: Annotated[int, ENUM16]
    computer_name: Annotated[str, WSTRING]
    client_credential: Annotated[bytes, CREDENTIAL]
    negotiate_flags: Annotated[int, U32]


@parameters
class NetrServerAuthenticate3Response(Ndr):
    """What NetrServerAuthenticate3 answers."""

    server_credential: Annotated[bytes, CREDENTIAL] = NO_CREDENTIAL
    negotiate_flags: Annotated[int, U32] = 0
    account_rid: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class DsrGetDcNameEx(Ndr):
    """DsrGetDcNameEx (opnum 27), 3.5.4.3.2."""

    computer_name: Annotated[str | None, NAME]
    domain_name: Annotated[str | None, NAME]
    domain_guid: Annotated[UUID | None, Unique(GUID)]
    site_name: Annotated[str | None, NAME]
    flags: Annotated[int, U32]


@parameters
class DsrGetDcNameExResponse(Ndr):
    """What DsrGetDcNameEx answers."""

    domain_controller_info: Annotated[DomainControllerInfo | None, Unique(DomainControllerInfo)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DsrGetSiteName(Ndr):
    """DsrGetSiteName (opnum 28), 3.5.4.3.6."""

    computer_name: Annotated[str | None, NAME]


@parameters
class DsrGetSiteNameResponse(Ndr):
    """What DsrGetSiteName answers."""

    site_name: Annotated[str | None, NAME] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrLogonGetDomainInfo(Ndr):
    """NetrLogonGetDomainInfo (opnum 29), 3.5.4.4.10."""

    server_name: Annotated[str, WSTRING]
    computer_name: Annotated[str | None, NAME]
    authenticator: NetlogonAuthenticator
    return_authenticator: NetlogonAuthenticator
    level: Annotated[int, U32]
    wksta_buffer: Annotated[Tagged, WORKSTATION_INFORMATION]


@parameters
class NetrLogonGetDomainInfoResponse(Ndr):
    """What NetrLogonGetDomainInfo answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    dom_buffer: Annotated[Tagged, DOMAIN_INFORMATION] = Tagged(0, b"")
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrServerPasswordSet2(Ndr):
    """NetrServerPasswordSet2 (opnum 30), 3.5.4.4.6."""

    primary_name: Annotated[str | None, NAME]
    account_name: Annotated[str, WSTRING]
    secure_channel_type: Annotated[int, ENUM16]
    computer_name: Annotated[str, WSTRING]
    authenticator: NetlogonAuthenticator
    clear_new_password: NlTrustPassword


@parameters
class NetrServerPasswordSet2Response(Ndr):
    """What NetrServerPasswordSet2 answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrServerPasswordGet(Ndr):
    """NetrServerPasswordGet (opnum 31), 3.5.4.4.8."""

    primary_name: Annotated[str | None, NAME]
    account_name: Annotated[str, WSTRING]
    account_type: Annotated[int, ENUM16]
    computer_name: Annotated[str, WSTRING]
    authenticator: NetlogonAuthenticator


@parameters
class NetrServerPasswordGetResponse(Ndr):
    """What NetrServerPasswordGet answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    encrypted_nt_owf_password: Annotated[bytes, OWF] = NO_OWF
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrLogonSendToSam(Ndr):
    """NetrLogonSendToSam (opnum 32), 3.5.4.8.4."""

    primary_name: Annotated[str | None, NAME]
    computer_name: Annotated[str, WSTRING]
    authenticator: NetlogonAuthenticator
    opaque_buffer: Annotated[bytes, Conformant(U8, limit=OPAQUE_MAX)]
    opaque_buffer_size: ClassVar = CountOf("opaque_buffer")


@parameters
class NetrLogonSendToSamResponse(Ndr):
    """What NetrLogonSendToSam answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class DsrAddressToSiteNamesW(Ndr):
    """DsrAddressToSiteNamesW (opnum 33), 3.5.4.3.8."""

    computer_name: Annotated[str | None, NAME]
    entry_count: ClassVar = CountOf("socket_addresses")
    socket_addresses: Annotated[
        tuple[NlSocketAddress, ...], Conformant(NlSocketAddress, limit=SOCKET_ADDRESSES_MAX)
    ]


@parameters
class DsrAddressToSiteNamesWResponse(Ndr):
    """What DsrAddressToSiteNamesW answers."""

    site_names: Annotated[NlSiteNameArray | None, Unique(NlSiteNameArray)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DsrGetDcNameEx2(Ndr):
    """DsrGetDcNameEx2 (opnum 34), 3.5.4.3.1."""

    computer_name: Annotated[str | None, NAME]
    account_name: Annotated[str | None, NAME]
    allowable_account_control_bits: Annotated[int, U32]
    domain_name: Annotated[str | None, NAME]
    domain_guid: Annotated[UUID | None, Unique(GUID)]
    site_name: Annotated[str | None, NAME]
    flags: Annotated[int, U32]


@parameters
class DsrGetDcNameEx2Response(Ndr):
    """What DsrGetDcNameEx2 answers."""

    domain_controller_info: Annotated[DomainControllerInfo | None, Unique(DomainControllerInfo)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrLogonGetTimeServiceParentDomain(Ndr):
    """NetrLogonGetTimeServiceParentDomain (opnum 35), 3.5.4.8.6."""

    server_name: Annotated[str | None, NAME]


@parameters
class NetrLogonGetTimeServiceParentDomainResponse(Ndr):
    """What NetrLogonGetTimeServiceParentDomain answers."""

    domain_name: Annotated[str | None, NAME] = None
    pdc_same_site: Annotated[int, U32] = 0
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrEnumerateTrustedDomainsEx(Ndr):
    """NetrEnumerateTrustedDomainsEx (opnum 36), 3.5.4.7.2."""

    server_name: Annotated[str | None, NAME]


@parameters
class NetrEnumerateTrustedDomainsExResponse(Ndr):
    """What NetrEnumerateTrustedDomainsEx answers."""

    domains: NetlogonTrustedDomainArray = NetlogonTrustedDomainArray()
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DsrAddressToSiteNamesExW(Ndr):
    """DsrAddressToSiteNamesExW (opnum 37), 3.5.4.3.9."""

    computer_name: Annotated[str | None, NAME]
    entry_count: ClassVar = CountOf("socket_addresses")
    socket_addresses: Annotated[
        tuple[NlSocketAddress, ...], Conformant(NlSocketAddress, limit=SOCKET_ADDRESSES_MAX)
    ]


@parameters
class DsrAddressToSiteNamesExWResponse(Ndr):
    """What DsrAddressToSiteNamesExW answers."""

    site_names: Annotated[NlSiteNameExArray | None, Unique(NlSiteNameExArray)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DsrGetDcSiteCoverageW(Ndr):
    """DsrGetDcSiteCoverageW (opnum 38), 3.5.4.3.7."""

    server_name: Annotated[str | None, NAME]


@parameters
class DsrGetDcSiteCoverageWResponse(Ndr):
    """What DsrGetDcSiteCoverageW answers."""

    site_names: Annotated[NlSiteNameArray | None, Unique(NlSiteNameArray)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrLogonSamLogonEx(Ndr):
    """NetrLogonSamLogonEx (opnum 39), 3.5.4.5.1."""

    logon_server: Annotated[str | None, NAME]
    computer_name: Annotated[str | None, NAME]
    logon_level: Annotated[int, ENUM16]
    logon_information: Annotated[Tagged, LOGON_INFORMATION]
    validation_level: Annotated[int, ENUM16]
    extra_flags: Annotated[int, U32]


@parameters
class NetrLogonSamLogonExResponse(Ndr):
    """What NetrLogonSamLogonEx answers."""

    validation_information: Annotated[Tagged, VALIDATION] = Tagged(0, b"")
    authoritative: Annotated[int, U8] = 0
    extra_flags: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class DsrEnumerateDomainTrusts(Ndr):
    """DsrEnumerateDomainTrusts (opnum 40), 3.5.4.7.1."""

    server_name: Annotated[str | None, NAME]
    flags: Annotated[int, U32]


@parameters
class DsrEnumerateDomainTrustsResponse(Ndr):
    """What DsrEnumerateDomainTrusts answers."""

    domains: NetlogonTrustedDomainArray = NetlogonTrustedDomainArray()
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DsrDeregisterDnsHostRecords(Ndr):
    """DsrDeregisterDnsHostRecords (opnum 41), 3.5.4.3.10."""

    server_name: Annotated[str | None, NAME]
    dns_domain_name: Annotated[str | None, NAME]
    domain_guid: Annotated[UUID | None, Unique(GUID)]
    dsa_guid: Annotated[UUID | None, Unique(GUID)]
    dns_host_name: Annotated[str, WSTRING]


@parameters
class DsrDeregisterDnsHostRecordsResponse(Ndr):
    """What DsrDeregisterDnsHostRecords answers."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrServerTrustPasswordsGet(Ndr):
    """NetrServerTrustPasswordsGet (opnum 42), 3.5.4.4.9."""

    trusted_dc_name: Annotated[str | None, NAME]
    account_name: Annotated[str, WSTRING]
    secure_channel_type: Annotated[int, ENUM16]
    computer_name: Annotated[str, WSTRING]
    authenticator: NetlogonAuthenticator


@parameters
class NetrServerTrustPasswordsGetResponse(Ndr):
    """What NetrServerTrustPasswordsGet answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    encrypted_new_owf_password: Annotated[bytes, OWF] = NO_OWF
    encrypted_old_owf_password: Annotated[bytes, OWF] = NO_OWF
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class DsrGetForestTrustInformation(Ndr):
    """DsrGetForestTrustInformation (opnum 43), 3.5.4.7.5."""

    server_name: Annotated[str | None, NAME]
    trusted_domain_name: Annotated[str | None, NAME]
    flags: Annotated[int, U32]


@parameters
class DsrGetForestTrustInformationResponse(Ndr):
    """What DsrGetForestTrustInformation answers."""

    forest_trust_info: Annotated[LsaForestTrustInformation | None, Unique(LsaForestTrustInformation)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class NetrGetForestTrustInformation(Ndr):
    """NetrGetForestTrustInformation (opnum 44), 3.5.4.7.4."""

    server_name: Annotated[str | None, NAME]
    computer_name: Annotated[str, WSTRING]
    authenticator: NetlogonAuthenticator
    flags: Annotated[int, U32]


@parameters
class NetrGetForestTrustInformationResponse(Ndr):
    """What NetrGetForestTrustInformation answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    forest_trust_info: Annotated[LsaForestTrustInformation | None, Unique(LsaForestTrustInformation)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrLogonSamLogonWithFlags(Ndr):
    """NetrLogonSamLogonWithFlags (opnum 45), 3.5.4.5.2."""

    logon_server: Annotated[str | None, NAME]
    computer_name: Annotated[str | None, NAME]
    authenticator: Annotated[NetlogonAuthenticator | None, Unique(NetlogonAuthenticator)]
    return_authenticator: Annotated[NetlogonAuthenticator | None, Unique(NetlogonAuthenticator)]
    logon_level: Annotated[int, ENUM16]
    logon_information: Annotated[Tagged, LOGON_INFORMATION]
    validation_level: Annotated[int, ENUM16]
    extra_flags: Annotated[int, U32]


@parameters
class NetrLogonSamLogonWithFlagsResponse(Ndr):
    """What NetrLogonSamLogonWithFlags answers."""

    return_authenticator: Annotated[NetlogonAuthenticator | None, Unique(NetlogonAuthenticator)] = None
    validation_information: Annotated[Tagged, VALIDATION] = Tagged(0, b"")
    authoritative: Annotated[int, U8] = 0
    extra_flags: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrServerGetTrustInfo(Ndr):
    """NetrServerGetTrustInfo (opnum 46), 3.5.4.7.6."""

    trusted_dc_name: Annotated[str | None, NAME]
    account_name: Annotated[str, WSTRING]
    secure_channel_type: Annotated[int, ENUM16]
    computer_name: Annotated[str, WSTRING]
    authenticator: NetlogonAuthenticator


@parameters
class NetrServerGetTrustInfoResponse(Ndr):
    """What NetrServerGetTrustInfo answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    encrypted_new_owf_password: Annotated[bytes, OWF] = NO_OWF
    encrypted_old_owf_password: Annotated[bytes, OWF] = NO_OWF
    trust_info: Annotated[NlGenericRpcData | None, Unique(NlGenericRpcData)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class DsrUpdateReadOnlyServerDnsRecords(Ndr):
    """DsrUpdateReadOnlyServerDnsRecords (opnum 48), 3.5.4.3.11."""

    server_name: Annotated[str | None, NAME]
    computer_name: Annotated[str, WSTRING]
    authenticator: NetlogonAuthenticator
    site_name: Annotated[str | None, NAME]
    dns_ttl: Annotated[int, U32]
    dns_names: NlDnsNameInfoArray


@parameters
class DsrUpdateReadOnlyServerDnsRecordsResponse(Ndr):
    """What DsrUpdateReadOnlyServerDnsRecords answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    dns_names: NlDnsNameInfoArray = NO_DNS_NAMES
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrChainSetClientAttributes(Ndr):
    """NetrChainSetClientAttributes (opnum 49), 3.5.4.4.12."""

    primary_name: Annotated[str, WSTRING]
    chained_from_server_name: Annotated[str, WSTRING]
    chained_for_client_name: Annotated[str, WSTRING]
    authenticator: NetlogonAuthenticator
    return_authenticator: NetlogonAuthenticator
    in_version: Annotated[int, U32]
    msg_in: Annotated[Tagged, CHAIN_IN]
    out_version: Annotated[int, U32]
    msg_out: Annotated[Tagged, CHAIN_OUT]


@parameters
class NetrChainSetClientAttributesResponse(Ndr):
    """What NetrChainSetClientAttributes answers."""

    return_authenticator: NetlogonAuthenticator = NO_AUTHENTICATOR
    out_version: Annotated[int, U32] = 1
    msg_out: Annotated[Tagged, CHAIN_OUT] = NOTHING_CHAINED
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class NetrServerAuthenticateKerberos(Ndr):
    """NetrServerAuthenticateKerberos (opnum 59), 3.5.4.4.3."""

    primary_name: Annotated[str | None, NAME]
    account_name: Annotated[str, WSTRING]
    account_type: Annotated[int, ENUM16]
    computer_name: Annotated[str, WSTRING]
    negotiate_flags: Annotated[int, U32]


@parameters
class NetrServerAuthenticateKerberosResponse(Ndr):
    """What NetrServerAuthenticateKerberos answers."""

    negotiate_flags: Annotated[int, U32] = 0
    account_rid: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


NETLOGON: Final = interface(
    "netlogon",
    "12345678-1234-abcd-ef00-01234567cffb",
    (1, 0),
    Operation(2, "NetrLogonSamLogon", NetrLogonSamLogon, NetrLogonSamLogonResponse),
    Operation(3, "NetrLogonSamLogoff", NetrLogonSamLogoff, NetrLogonSamLogoffResponse),
    Operation(4, "NetrServerReqChallenge", NetrServerReqChallenge, NetrServerReqChallengeResponse),
    Operation(5, "NetrServerAuthenticate", NetrServerAuthenticate, NetrServerAuthenticateResponse),
    Operation(6, "NetrServerPasswordSet", NetrServerPasswordSet, NetrServerPasswordSetResponse),
    Operation(9, "NetrAccountDeltas", NetrAccountDeltas, NetrAccountDeltasResponse),
    Operation(10, "NetrAccountSync", NetrAccountSync, NetrAccountSyncResponse),
    Operation(11, "NetrGetDCName", NetrGetDCName, NetrGetDCNameResponse),
    Operation(12, "NetrLogonControl", NetrLogonControl, NetrLogonControlResponse),
    Operation(13, "NetrGetAnyDCName", NetrGetAnyDCName, NetrGetAnyDCNameResponse),
    Operation(14, "NetrLogonControl2", NetrLogonControl2, NetrLogonControl2Response),
    Operation(15, "NetrServerAuthenticate2", NetrServerAuthenticate2, NetrServerAuthenticate2Response),
    Operation(18, "NetrLogonControl2Ex", NetrLogonControl2Ex, NetrLogonControl2ExResponse),
    Operation(
        19, "NetrEnumerateTrustedDomains", NetrEnumerateTrustedDomains, NetrEnumerateTrustedDomainsResponse
    ),
    Operation(20, "DsrGetDcName", DsrGetDcName, DsrGetDcNameResponse),
    Operation(21, "NetrLogonGetCapabilities", NetrLogonGetCapabilities, NetrLogonGetCapabilitiesResponse),
    Operation(23, "NetrLogonGetTrustRid", NetrLogonGetTrustRid, NetrLogonGetTrustRidResponse),
    Operation(
        24, "NetrLogonComputeServerDigest", NetrLogonComputeServerDigest, NetrLogonComputeServerDigestResponse
    ),
    Operation(
        25, "NetrLogonComputeClientDigest", NetrLogonComputeClientDigest, NetrLogonComputeClientDigestResponse
    ),
    Operation(26, "NetrServerAuthenticate3", NetrServerAuthenticate3, NetrServerAuthenticate3Response),
    Operation(27, "DsrGetDcNameEx", DsrGetDcNameEx, DsrGetDcNameExResponse),
    Operation(28, "DsrGetSiteName", DsrGetSiteName, DsrGetSiteNameResponse),
    Operation(29, "NetrLogonGetDomainInfo", NetrLogonGetDomainInfo, NetrLogonGetDomainInfoResponse),
    Operation(30, "NetrServerPasswordSet2", NetrServerPasswordSet2, NetrServerPasswordSet2Response),
    Operation(31, "NetrServerPasswordGet", NetrServerPasswordGet, NetrServerPasswordGetResponse),
    Operation(32, "NetrLogonSendToSam", NetrLogonSendToSam, NetrLogonSendToSamResponse),
    Operation(33, "DsrAddressToSiteNamesW", DsrAddressToSiteNamesW, DsrAddressToSiteNamesWResponse),
    Operation(34, "DsrGetDcNameEx2", DsrGetDcNameEx2, DsrGetDcNameEx2Response),
    Operation(
        35,
        "NetrLogonGetTimeServiceParentDomain",
        NetrLogonGetTimeServiceParentDomain,
        NetrLogonGetTimeServiceParentDomainResponse,
    ),
    Operation(
        36,
        "NetrEnumerateTrustedDomainsEx",
        NetrEnumerateTrustedDomainsEx,
        NetrEnumerateTrustedDomainsExResponse,
    ),
    Operation(37, "DsrAddressToSiteNamesExW", DsrAddressToSiteNamesExW, DsrAddressToSiteNamesExWResponse),
    Operation(38, "DsrGetDcSiteCoverageW", DsrGetDcSiteCoverageW, DsrGetDcSiteCoverageWResponse),
    Operation(39, "NetrLogonSamLogonEx", NetrLogonSamLogonEx, NetrLogonSamLogonExResponse),
    Operation(40, "DsrEnumerateDomainTrusts", DsrEnumerateDomainTrusts, DsrEnumerateDomainTrustsResponse),
    Operation(
        41, "DsrDeregisterDnsHostRecords", DsrDeregisterDnsHostRecords, DsrDeregisterDnsHostRecordsResponse
    ),
    Operation(
        42, "NetrServerTrustPasswordsGet", NetrServerTrustPasswordsGet, NetrServerTrustPasswordsGetResponse
    ),
    Operation(
        43, "DsrGetForestTrustInformation", DsrGetForestTrustInformation, DsrGetForestTrustInformationResponse
    ),
    Operation(
        44,
        "NetrGetForestTrustInformation",
        NetrGetForestTrustInformation,
        NetrGetForestTrustInformationResponse,
    ),
    Operation(
        45, "NetrLogonSamLogonWithFlags", NetrLogonSamLogonWithFlags, NetrLogonSamLogonWithFlagsResponse
    ),
    Operation(46, "NetrServerGetTrustInfo", NetrServerGetTrustInfo, NetrServerGetTrustInfoResponse),
    Operation(
        48,
        "DsrUpdateReadOnlyServerDnsRecords",
        DsrUpdateReadOnlyServerDnsRecords,
        DsrUpdateReadOnlyServerDnsRecordsResponse,
    ),
    Operation(
        49, "NetrChainSetClientAttributes", NetrChainSetClientAttributes, NetrChainSetClientAttributesResponse
    ),
    Operation(
        59,
        "NetrServerAuthenticateKerberos",
        NetrServerAuthenticateKerberos,
        NetrServerAuthenticateKerberosResponse,
    ),
)
