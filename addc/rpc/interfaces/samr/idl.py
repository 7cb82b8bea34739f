"""The interface samr: its structures, unions and operations, as they are on the wire.

Operations that came in two or three numbers with one meaning share their parameters. Enumerations that choose
an arm are 16 bits wide; those inside of structures are written as 32, as peers read and write them.

Spec: [MS-SAMR] 2.2, 3.1.5, 6 (the IDL).
"""

from typing import Annotated, ClassVar, Final

from addc.base.enums import OpenIntEnum
from addc.codec.ids import Sid
from addc.codec.interface import Operation, interface
from addc.codec.ndr import (
    CONFORMANT_BYTES,
    CONTEXT_HANDLE,
    ENUM16,
    FILETIME,
    I64,
    NULL_HANDLE,
    SID,
    U8,
    U16,
    U32,
    U64,
    UNICODE_STRING,
    WSTRING,
    Conformant,
    ConformantVarying,
    ContextHandle,
    CountOf,
    FixedBytes,
    Ndr,
    Primitive,
    Tagged,
    TaggedUnion,
    Unique,
    parameters,
    structure,
)
from addc.codes.ntstatus import NtStatus

LOOKUP_MAX: Final = 1000
"""Names or RIDs of one look-up; the conformance on the wire is always this."""
SIDS_MAX: Final = 1024
"""Range of SAMPR_PSID_ARRAY.Count."""
LOGON_HOURS_SIZE: Final = 1260
"""size_is of SAMPR_LOGON_HOURS."""
OLD_LARGE: Final = FILETIME
"""OLD_LARGE_INTEGER, unsigned: two words ([MS-SAMR] 2.2.2.2)."""
OLD_DELTA: Final = Primitive("q", 8, 4)
"""OLD_LARGE_INTEGER as a delta time."""


class DomainInformationClass(OpenIntEnum):
    """DOMAIN_INFORMATION_CLASS, [MS-SAMR] 2.2.3.16."""

    DOMAIN_PASSWORD_INFORMATION = 1
    DOMAIN_GENERAL_INFORMATION = 2
    DOMAIN_LOGOFF_INFORMATION = 3
    DOMAIN_OEM_INFORMATION = 4
    DOMAIN_NAME_INFORMATION = 5
    DOMAIN_REPLICATION_INFORMATION = 6
    DOMAIN_SERVER_ROLE_INFORMATION = 7
    DOMAIN_MODIFIED_INFORMATION = 8
    DOMAIN_STATE_INFORMATION = 9
    DOMAIN_GENERAL_INFORMATION2 = 11
    DOMAIN_LOCKOUT_INFORMATION = 12
    DOMAIN_MODIFIED_INFORMATION2 = 13


class GroupInformationClass(OpenIntEnum):
    """GROUP_INFORMATION_CLASS, [MS-SAMR] 2.2.4.6."""

    GROUP_GENERAL_INFORMATION = 1
    GROUP_NAME_INFORMATION = 2
    GROUP_ATTRIBUTE_INFORMATION = 3
    GROUP_ADMIN_COMMENT_INFORMATION = 4
    GROUP_REPLICATION_INFORMATION = 5


class AliasInformationClass(OpenIntEnum):
    """ALIAS_INFORMATION_CLASS, [MS-SAMR] 2.2.5.5."""

    ALIAS_GENERAL_INFORMATION = 1
    ALIAS_NAME_INFORMATION = 2
    ALIAS_ADMIN_COMMENT_INFORMATION = 3


class UserInformationClass(OpenIntEnum):
    """USER_INFORMATION_CLASS, [MS-SAMR] 2.2.6.28."""

    USER_GENERAL_INFORMATION = 1
    USER_PREFERENCES_INFORMATION = 2
    USER_LOGON_INFORMATION = 3
    USER_LOGON_HOURS_INFORMATION = 4
    USER_ACCOUNT_INFORMATION = 5
    USER_NAME_INFORMATION = 6
    USER_ACCOUNT_NAME_INFORMATION = 7
    USER_FULL_NAME_INFORMATION = 8
    USER_PRIMARY_GROUP_INFORMATION = 9
    USER_HOME_INFORMATION = 10
    USER_SCRIPT_INFORMATION = 11
    USER_PROFILE_INFORMATION = 12
    USER_ADMIN_COMMENT_INFORMATION = 13
    USER_WORK_STATIONS_INFORMATION = 14
    USER_CONTROL_INFORMATION = 16
    USER_EXPIRES_INFORMATION = 17
    USER_INTERNAL1_INFORMATION = 18
    USER_PARAMETERS_INFORMATION = 20
    USER_ALL_INFORMATION = 21
    USER_INTERNAL4_INFORMATION = 23
    USER_INTERNAL5_INFORMATION = 24
    USER_INTERNAL4_INFORMATION_NEW = 25
    USER_INTERNAL5_INFORMATION_NEW = 26
    USER_INTERNAL7_INFORMATION = 31
    USER_INTERNAL8_INFORMATION = 32


class DisplayInformationClass(OpenIntEnum):
    """DOMAIN_DISPLAY_INFORMATION, [MS-SAMR] 2.2.8.12."""

    DOMAIN_DISPLAY_USER = 1
    DOMAIN_DISPLAY_MACHINE = 2
    DOMAIN_DISPLAY_GROUP = 3
    DOMAIN_DISPLAY_OEM_USER = 4
    DOMAIN_DISPLAY_OEM_GROUP = 5


class SidNameUse(OpenIntEnum):
    """SID_NAME_USE, [MS-SAMR] 2.2.2.3."""

    SID_TYPE_USER = 1
    SID_TYPE_GROUP = 2
    SID_TYPE_DOMAIN = 3
    SID_TYPE_ALIAS = 4
    SID_TYPE_WELL_KNOWN_GROUP = 5
    SID_TYPE_DELETED_ACCOUNT = 6
    SID_TYPE_INVALID = 7
    SID_TYPE_UNKNOWN = 8


class PasswordChangeFailure(OpenIntEnum):
    """Why SamrUnicodeChangePasswordUser3 refuses: the numbers that its clients know."""

    NONE = 0
    TOO_SHORT = 1
    IN_HISTORY = 2
    USER_NAME_IN_PASSWORD = 3
    FULL_NAME_IN_PASSWORD = 4
    NOT_COMPLEX = 5
    MACHINE_NOT_DEFAULT = 6
    FAILED_BY_FILTER = 7
    TOO_LONG = 8


class ValidationStatus(OpenIntEnum):
    """SAM_VALIDATE_VALIDATION_STATUS, [MS-SAMR] 2.2.9.3."""

    SAM_VALIDATE_SUCCESS = 0
    SAM_VALIDATE_PASSWORD_MUST_CHANGE = 1
    SAM_VALIDATE_ACCOUNT_LOCKED_OUT = 2
    SAM_VALIDATE_PASSWORD_EXPIRED = 3
    SAM_VALIDATE_PASSWORD_INCORRECT = 4
    SAM_VALIDATE_PASSWORD_IS_IN_HISTORY = 5
    SAM_VALIDATE_PASSWORD_TOO_SHORT = 6
    SAM_VALIDATE_PASSWORD_TOO_LONG = 7
    SAM_VALIDATE_PASSWORD_NOT_COMPLEX_ENOUGH = 8
    SAM_VALIDATE_PASSWORD_TOO_RECENT = 9
    SAM_VALIDATE_PASSWORD_FILTER_ERROR = 10


# --- common ------------------------------------------------------------------------------------------------


@structure
class UnicodeText(Ndr):
    """RPC_UNICODE_STRING behind a pointer or in an array."""

    text: Annotated[str | None, UNICODE_STRING]


@structure
class RpcString(Ndr):
    """RPC_STRING, [MS-SAMR] 2.2.2.1; `maximum_length` is what the sender says."""

    length: Annotated[int, U16] = 0
    maximum_length: Annotated[int, U16] = 0
    buffer: Annotated[bytes | None, Unique(ConformantVarying(U8, size="maximum_length"))] = None


@structure
class UlongArray(Ndr):
    """SAMPR_ULONG_ARRAY, [MS-SAMR] 2.2.7.4."""

    count: ClassVar = CountOf("element")
    element: Annotated[tuple[int, ...] | None, Unique(Conformant(U32))] = None


@structure
class SidInformation(Ndr):
    """SAMPR_SID_INFORMATION, [MS-SAMR] 2.2.7.6."""

    sid_pointer: Annotated[Sid | None, Unique(SID)]


@structure
class PsidArray(Ndr):
    """SAMPR_PSID_ARRAY, [MS-SAMR] 2.2.7.5."""

    count: ClassVar = CountOf("sids")
    sids: Annotated[tuple[SidInformation, ...] | None, Unique(Conformant(SidInformation, limit=SIDS_MAX))] = (
        None
    )


@structure
class PsidArrayOut(Ndr):
    """SAMPR_PSID_ARRAY_OUT, [MS-SAMR] 2.2.7.7."""

    count: ClassVar = CountOf("sids")
    sids: Annotated[tuple[SidInformation, ...] | None, Unique(Conformant(SidInformation))] = None


@structure
class ReturnedUstringArray(Ndr):
    """SAMPR_RETURNED_USTRING_ARRAY, [MS-SAMR] 2.2.7.8."""

    count: ClassVar = CountOf("element")
    element: Annotated[tuple[UnicodeText, ...] | None, Unique(Conformant(UnicodeText))] = None


@structure
class RidEnumeration(Ndr):
    """SAMPR_RID_ENUMERATION, [MS-SAMR] 2.2.7.9."""

    relative_id: Annotated[int, U32]
    name: Annotated[str | None, UNICODE_STRING]


@structure
class EnumerationBuffer(Ndr):
    """SAMPR_ENUMERATION_BUFFER, [MS-SAMR] 2.2.7.10."""

    entries_read: ClassVar = CountOf("buffer")
    buffer: Annotated[tuple[RidEnumeration, ...] | None, Unique(Conformant(RidEnumeration))]


@structure
class SrSecurityDescriptor(Ndr):
    """SAMPR_SR_SECURITY_DESCRIPTOR, [MS-SAMR] 2.2.7.11."""

    length: ClassVar = CountOf("security_descriptor")
    security_descriptor: Annotated[bytes | None, Unique(Conformant(U8, limit=256 * 1024))] = None


@structure
class GroupMembership(Ndr):
    """GROUP_MEMBERSHIP, [MS-SAMR] 2.2.7.12."""

    relative_id: Annotated[int, U32]
    attributes: Annotated[int, U32]


@structure
class GetGroupsBuffer(Ndr):
    """SAMPR_GET_GROUPS_BUFFER, [MS-SAMR] 2.2.7.13."""

    membership_count: ClassVar = CountOf("groups")
    groups: Annotated[tuple[GroupMembership, ...] | None, Unique(Conformant(GroupMembership))]


@structure
class GetMembersBuffer(Ndr):
    """SAMPR_GET_MEMBERS_BUFFER, [MS-SAMR] 2.2.7.14."""

    member_count: ClassVar = CountOf("members")
    members: Annotated[tuple[int, ...] | None, Unique(Conformant(U32))]
    attributes: Annotated[tuple[int, ...] | None, Unique(Conformant(U32))]


@structure
class RevisionInfoV1(Ndr):
    """SAMPR_REVISION_INFO_V1, [MS-SAMR] 2.2.7.15."""

    revision: Annotated[int, U32]
    supported_features: Annotated[int, U32]


REVISION_INFO: Final = TaggedUnion({1: RevisionInfoV1}, tag=U32)
"""SAMPR_REVISION_INFO, [MS-SAMR] 2.2.7.16."""
NO_REVISION: Final = Tagged(1, RevisionInfoV1(3, 0))


@structure
class OwfPassword(Ndr):
    """ENCRYPTED_LM_OWF_PASSWORD and ENCRYPTED_NT_OWF_PASSWORD, [MS-SAMR] 2.2.7.3."""

    data: Annotated[bytes, FixedBytes(16)]


@structure
class EncryptedUserPassword(Ndr):
    """SAMPR_ENCRYPTED_USER_PASSWORD, [MS-SAMR] 2.2.6.21."""

    buffer: Annotated[bytes, FixedBytes(516)]


@structure
class EncryptedUserPasswordNew(Ndr):
    """SAMPR_ENCRYPTED_USER_PASSWORD_NEW, [MS-SAMR] 2.2.6.22."""

    buffer: Annotated[bytes, FixedBytes(532)]


@structure
class EncryptedPasswordAes(Ndr):
    """SAMPR_ENCRYPTED_PASSWORD_AES, [MS-SAMR] 2.2.6.32."""

    auth_data: Annotated[bytes, FixedBytes(64)]
    salt: Annotated[bytes, FixedBytes(16)]
    cb_cipher: ClassVar = CountOf("cipher")
    cipher: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]
    pbkdf2_iterations: Annotated[int, U64]


# --- domains -----------------------------------------------------------------------------------------------


@structure
class DomainPasswordInformation(Ndr):
    """DOMAIN_PASSWORD_INFORMATION, [MS-SAMR] 2.2.3.5."""

    min_password_length: Annotated[int, U16]
    password_history_length: Annotated[int, U16]
    password_properties: Annotated[int, U32]
    max_password_age: Annotated[int, OLD_DELTA]
    min_password_age: Annotated[int, OLD_DELTA]


@structure
class DomainGeneralInformation(Ndr):
    """SAMPR_DOMAIN_GENERAL_INFORMATION, [MS-SAMR] 2.2.3.10."""

    force_logoff: Annotated[int, OLD_DELTA]
    oem_information: Annotated[str | None, UNICODE_STRING]
    domain_name: Annotated[str | None, UNICODE_STRING]
    replica_source_node_name: Annotated[str | None, UNICODE_STRING]
    domain_modified_count: Annotated[int, OLD_LARGE]
    domain_server_state: Annotated[int, U32]
    domain_server_role: Annotated[int, U32]
    uas_compatibility_required: Annotated[int, U8]
    user_count: Annotated[int, U32]
    group_count: Annotated[int, U32]
    alias_count: Annotated[int, U32]


@structure
class DomainLogoffInformation(Ndr):
    """DOMAIN_LOGOFF_INFORMATION, [MS-SAMR] 2.2.3.6."""

    force_logoff: Annotated[int, OLD_DELTA]


@structure
class DomainOemInformation(Ndr):
    """SAMPR_DOMAIN_OEM_INFORMATION, [MS-SAMR] 2.2.3.12."""

    oem_information: Annotated[str | None, UNICODE_STRING]


@structure
class DomainNameInformation(Ndr):
    """SAMPR_DOMAIN_NAME_INFORMATION, [MS-SAMR] 2.2.3.13."""

    domain_name: Annotated[str | None, UNICODE_STRING]


@structure
class DomainReplicationInformation(Ndr):
    """SAMPR_DOMAIN_REPLICATION_INFORMATION, [MS-SAMR] 2.2.3.14."""

    replica_source_node_name: Annotated[str | None, UNICODE_STRING]


@structure
class DomainServerRoleInformation(Ndr):
    """DOMAIN_SERVER_ROLE_INFORMATION, [MS-SAMR] 2.2.3.7."""

    domain_server_role: Annotated[int, U32]


@structure
class DomainModifiedInformation(Ndr):
    """DOMAIN_MODIFIED_INFORMATION, [MS-SAMR] 2.2.3.8."""

    domain_modified_count: Annotated[int, OLD_LARGE]
    creation_time: Annotated[int, OLD_LARGE]


@structure
class DomainStateInformation(Ndr):
    """DOMAIN_STATE_INFORMATION, [MS-SAMR] 2.2.3.3."""

    domain_server_state: Annotated[int, U32]


@structure
class DomainGeneralInformation2(Ndr):
    """SAMPR_DOMAIN_GENERAL_INFORMATION2, [MS-SAMR] 2.2.3.11."""

    i1: DomainGeneralInformation
    lockout_duration: Annotated[int, I64]
    lockout_observation_window: Annotated[int, I64]
    lockout_threshold: Annotated[int, U16]


@structure
class DomainLockoutInformation(Ndr):
    """SAMPR_DOMAIN_LOCKOUT_INFORMATION, [MS-SAMR] 2.2.3.15."""

    lockout_duration: Annotated[int, I64]
    lockout_observation_window: Annotated[int, I64]
    lockout_threshold: Annotated[int, U16]


@structure
class DomainModifiedInformation2(Ndr):
    """DOMAIN_MODIFIED_INFORMATION2, [MS-SAMR] 2.2.3.9."""

    domain_modified_count: Annotated[int, OLD_LARGE]
    creation_time: Annotated[int, OLD_LARGE]
    modified_count_at_last_promotion: Annotated[int, OLD_LARGE]


DOMAIN_INFO: Final = TaggedUnion(
    {
        1: DomainPasswordInformation,
        2: DomainGeneralInformation,
        3: DomainLogoffInformation,
        4: DomainOemInformation,
        5: DomainNameInformation,
        6: DomainReplicationInformation,
        7: DomainServerRoleInformation,
        8: DomainModifiedInformation,
        9: DomainStateInformation,
        11: DomainGeneralInformation2,
        12: DomainLockoutInformation,
        13: DomainModifiedInformation2,
    },
    tag=ENUM16,
)
"""SAMPR_DOMAIN_INFO_BUFFER, [MS-SAMR] 2.2.3.17."""


@structure
class UserDomainPasswordInformation(Ndr):
    """USER_DOMAIN_PASSWORD_INFORMATION, [MS-SAMR] 2.2.7.17."""

    min_password_length: Annotated[int, U16] = 0
    password_properties: Annotated[int, U32] = 0


# --- groups and aliases ------------------------------------------------------------------------------------


@structure
class GroupGeneralInformation(Ndr):
    """SAMPR_GROUP_GENERAL_INFORMATION, [MS-SAMR] 2.2.4.3."""

    name: Annotated[str | None, UNICODE_STRING]
    attributes: Annotated[int, U32]
    member_count: Annotated[int, U32]
    admin_comment: Annotated[str | None, UNICODE_STRING]


@structure
class GroupNameInformation(Ndr):
    """SAMPR_GROUP_NAME_INFORMATION, [MS-SAMR] 2.2.4.4."""

    name: Annotated[str | None, UNICODE_STRING]


@structure
class GroupAttributeInformation(Ndr):
    """GROUP_ATTRIBUTE_INFORMATION, [MS-SAMR] 2.2.4.2."""

    attributes: Annotated[int, U32]


@structure
class GroupAdmCommentInformation(Ndr):
    """SAMPR_GROUP_ADM_COMMENT_INFORMATION, [MS-SAMR] 2.2.4.5."""

    admin_comment: Annotated[str | None, UNICODE_STRING]


GROUP_INFO: Final = TaggedUnion(
    {
        1: GroupGeneralInformation,
        2: GroupNameInformation,
        3: GroupAttributeInformation,
        4: GroupAdmCommentInformation,
        5: GroupGeneralInformation,
    },
    tag=ENUM16,
)
"""SAMPR_GROUP_INFO_BUFFER, [MS-SAMR] 2.2.4.7."""


@structure
class AliasGeneralInformation(Ndr):
    """SAMPR_ALIAS_GENERAL_INFORMATION, [MS-SAMR] 2.2.5.2."""

    name: Annotated[str | None, UNICODE_STRING]
    member_count: Annotated[int, U32]
    admin_comment: Annotated[str | None, UNICODE_STRING]


@structure
class AliasNameInformation(Ndr):
    """SAMPR_ALIAS_NAME_INFORMATION, [MS-SAMR] 2.2.5.3."""

    name: Annotated[str | None, UNICODE_STRING]


@structure
class AliasAdmCommentInformation(Ndr):
    """SAMPR_ALIAS_ADM_COMMENT_INFORMATION, [MS-SAMR] 2.2.5.4."""

    admin_comment: Annotated[str | None, UNICODE_STRING]


ALIAS_INFO: Final = TaggedUnion(
    {1: AliasGeneralInformation, 2: AliasNameInformation, 3: AliasAdmCommentInformation}, tag=ENUM16
)
"""SAMPR_ALIAS_INFO_BUFFER, [MS-SAMR] 2.2.5.6."""


# --- users -------------------------------------------------------------------------------------------------


@structure
class LogonHours(Ndr):
    """SAMPR_LOGON_HOURS, [MS-SAMR] 2.2.6.5."""

    units_per_week: Annotated[int, U16] = 0
    logon_hours: Annotated[bytes | None, Unique(ConformantVarying(U8, size=LOGON_HOURS_SIZE))] = None


@structure
class UserGeneralInformation(Ndr):
    """SAMPR_USER_GENERAL_INFORMATION, [MS-SAMR] 2.2.6.7."""

    user_name: Annotated[str | None, UNICODE_STRING]
    full_name: Annotated[str | None, UNICODE_STRING]
    primary_group_id: Annotated[int, U32]
    admin_comment: Annotated[str | None, UNICODE_STRING]
    user_comment: Annotated[str | None, UNICODE_STRING]


@structure
class UserPreferencesInformation(Ndr):
    """SAMPR_USER_PREFERENCES_INFORMATION, [MS-SAMR] 2.2.6.8."""

    user_comment: Annotated[str | None, UNICODE_STRING]
    reserved1: Annotated[str | None, UNICODE_STRING]
    country_code: Annotated[int, U16]
    code_page: Annotated[int, U16]


@structure
class UserLogonInformation(Ndr):
    """SAMPR_USER_LOGON_INFORMATION, [MS-SAMR] 2.2.6.10."""

    user_name: Annotated[str | None, UNICODE_STRING]
    full_name: Annotated[str | None, UNICODE_STRING]
    user_id: Annotated[int, U32]
    primary_group_id: Annotated[int, U32]
    home_directory: Annotated[str | None, UNICODE_STRING]
    home_directory_drive: Annotated[str | None, UNICODE_STRING]
    script_path: Annotated[str | None, UNICODE_STRING]
    profile_path: Annotated[str | None, UNICODE_STRING]
    work_stations: Annotated[str | None, UNICODE_STRING]
    last_logon: Annotated[int, OLD_LARGE]
    last_logoff: Annotated[int, OLD_LARGE]
    password_last_set: Annotated[int, OLD_LARGE]
    password_can_change: Annotated[int, OLD_LARGE]
    password_must_change: Annotated[int, OLD_LARGE]
    logon_hours: LogonHours
    bad_password_count: Annotated[int, U16]
    logon_count: Annotated[int, U16]
    user_account_control: Annotated[int, U32]


@structure
class UserLogonHoursInformation(Ndr):
    """SAMPR_USER_LOGON_HOURS_INFORMATION, [MS-SAMR] 2.2.6.20."""

    logon_hours: LogonHours


@structure
class UserAccountInformation(Ndr):
    """SAMPR_USER_ACCOUNT_INFORMATION, [MS-SAMR] 2.2.6.11."""

    user_name: Annotated[str | None, UNICODE_STRING]
    full_name: Annotated[str | None, UNICODE_STRING]
    user_id: Annotated[int, U32]
    primary_group_id: Annotated[int, U32]
    home_directory: Annotated[str | None, UNICODE_STRING]
    home_directory_drive: Annotated[str | None, UNICODE_STRING]
    script_path: Annotated[str | None, UNICODE_STRING]
    profile_path: Annotated[str | None, UNICODE_STRING]
    admin_comment: Annotated[str | None, UNICODE_STRING]
    work_stations: Annotated[str | None, UNICODE_STRING]
    last_logon: Annotated[int, OLD_LARGE]
    last_logoff: Annotated[int, OLD_LARGE]
    logon_hours: LogonHours
    bad_password_count: Annotated[int, U16]
    logon_count: Annotated[int, U16]
    password_last_set: Annotated[int, OLD_LARGE]
    account_expires: Annotated[int, OLD_LARGE]
    user_account_control: Annotated[int, U32]


@structure
class UserNameInformation(Ndr):
    """SAMPR_USER_NAME_INFORMATION, [MS-SAMR] 2.2.6.14."""

    user_name: Annotated[str | None, UNICODE_STRING]
    full_name: Annotated[str | None, UNICODE_STRING]


@structure
class UserAccountNameInformation(Ndr):
    """SAMPR_USER_A_NAME_INFORMATION, [MS-SAMR] 2.2.6.12."""

    user_name: Annotated[str | None, UNICODE_STRING]


@structure
class UserFullNameInformation(Ndr):
    """SAMPR_USER_F_NAME_INFORMATION, [MS-SAMR] 2.2.6.13."""

    full_name: Annotated[str | None, UNICODE_STRING]


@structure
class UserPrimaryGroupInformation(Ndr):
    """USER_PRIMARY_GROUP_INFORMATION, [MS-SAMR] 2.2.6.2."""

    primary_group_id: Annotated[int, U32]


@structure
class UserHomeInformation(Ndr):
    """SAMPR_USER_HOME_INFORMATION, [MS-SAMR] 2.2.6.15."""

    home_directory: Annotated[str | None, UNICODE_STRING]
    home_directory_drive: Annotated[str | None, UNICODE_STRING]


@structure
class UserScriptInformation(Ndr):
    """SAMPR_USER_SCRIPT_INFORMATION, [MS-SAMR] 2.2.6.16."""

    script_path: Annotated[str | None, UNICODE_STRING]


@structure
class UserProfileInformation(Ndr):
    """SAMPR_USER_PROFILE_INFORMATION, [MS-SAMR] 2.2.6.17."""

    profile_path: Annotated[str | None, UNICODE_STRING]


@structure
class UserAdminCommentInformation(Ndr):
    """SAMPR_USER_ADMIN_COMMENT_INFORMATION, [MS-SAMR] 2.2.6.18."""

    admin_comment: Annotated[str | None, UNICODE_STRING]


@structure
class UserWorkStationsInformation(Ndr):
    """SAMPR_USER_WORKSTATIONS_INFORMATION, [MS-SAMR] 2.2.6.19."""

    work_stations: Annotated[str | None, UNICODE_STRING]


@structure
class UserControlInformation(Ndr):
    """USER_CONTROL_INFORMATION, [MS-SAMR] 2.2.6.3."""

    user_account_control: Annotated[int, U32]


@structure
class UserExpiresInformation(Ndr):
    """USER_EXPIRES_INFORMATION, [MS-SAMR] 2.2.6.4."""

    account_expires: Annotated[int, OLD_LARGE]


@structure
class UserInternal1Information(Ndr):
    """SAMPR_USER_INTERNAL1_INFORMATION, [MS-SAMR] 2.2.6.23."""

    encrypted_nt_owf_password: OwfPassword
    encrypted_lm_owf_password: OwfPassword
    nt_password_present: Annotated[int, U8]
    lm_password_present: Annotated[int, U8]
    password_expired: Annotated[int, U8]


@structure
class UserParametersInformation(Ndr):
    """SAMPR_USER_PARAMETERS_INFORMATION, [MS-SAMR] 2.2.6.9."""

    parameters: Annotated[str | None, UNICODE_STRING]


@structure
class UserAllInformation(Ndr):
    """SAMPR_USER_ALL_INFORMATION, [MS-SAMR] 2.2.6.6.

    The hashes are RPC_SHORT_BLOBs, which are on the wire what strings are.
    """

    last_logon: Annotated[int, OLD_LARGE] = 0
    last_logoff: Annotated[int, OLD_LARGE] = 0
    password_last_set: Annotated[int, OLD_LARGE] = 0
    account_expires: Annotated[int, OLD_LARGE] = 0
    password_can_change: Annotated[int, OLD_LARGE] = 0
    password_must_change: Annotated[int, OLD_LARGE] = 0
    user_name: Annotated[str | None, UNICODE_STRING] = None
    full_name: Annotated[str | None, UNICODE_STRING] = None
    home_directory: Annotated[str | None, UNICODE_STRING] = None
    home_directory_drive: Annotated[str | None, UNICODE_STRING] = None
    script_path: Annotated[str | None, UNICODE_STRING] = None
    profile_path: Annotated[str | None, UNICODE_STRING] = None
    admin_comment: Annotated[str | None, UNICODE_STRING] = None
    work_stations: Annotated[str | None, UNICODE_STRING] = None
    user_comment: Annotated[str | None, UNICODE_STRING] = None
    parameters: Annotated[str | None, UNICODE_STRING] = None
    lm_owf_password: Annotated[str | None, UNICODE_STRING] = None
    nt_owf_password: Annotated[str | None, UNICODE_STRING] = None
    private_data: Annotated[str | None, UNICODE_STRING] = None
    security_descriptor: SrSecurityDescriptor = SrSecurityDescriptor()
    user_id: Annotated[int, U32] = 0
    primary_group_id: Annotated[int, U32] = 0
    user_account_control: Annotated[int, U32] = 0
    which_fields: Annotated[int, U32] = 0
    logon_hours: LogonHours = LogonHours()
    bad_password_count: Annotated[int, U16] = 0
    logon_count: Annotated[int, U16] = 0
    country_code: Annotated[int, U16] = 0
    code_page: Annotated[int, U16] = 0
    lm_password_present: Annotated[int, U8] = 0
    nt_password_present: Annotated[int, U8] = 0
    password_expired: Annotated[int, U8] = 0
    private_data_sensitive: Annotated[int, U8] = 0


@structure
class UserInternal4Information(Ndr):
    """SAMPR_USER_INTERNAL4_INFORMATION, [MS-SAMR] 2.2.6.24."""

    i1: UserAllInformation
    user_password: EncryptedUserPassword


@structure
class UserInternal5Information(Ndr):
    """SAMPR_USER_INTERNAL5_INFORMATION, [MS-SAMR] 2.2.6.26."""

    user_password: EncryptedUserPassword
    password_expired: Annotated[int, U8]


@structure
class UserInternal4InformationNew(Ndr):
    """SAMPR_USER_INTERNAL4_INFORMATION_NEW, [MS-SAMR] 2.2.6.25."""

    i1: UserAllInformation
    user_password: EncryptedUserPasswordNew


@structure
class UserInternal5InformationNew(Ndr):
    """SAMPR_USER_INTERNAL5_INFORMATION_NEW, [MS-SAMR] 2.2.6.27."""

    user_password: EncryptedUserPasswordNew
    password_expired: Annotated[int, U8]


@structure
class UserInternal7Information(Ndr):
    """SAMPR_USER_INTERNAL7_INFORMATION, [MS-SAMR] 2.2.6.30."""

    user_password: EncryptedPasswordAes
    password_expired: Annotated[int, U8]


@structure
class UserInternal8Information(Ndr):
    """SAMPR_USER_INTERNAL8_INFORMATION, [MS-SAMR] 2.2.6.31."""

    i1: UserAllInformation
    user_password: EncryptedPasswordAes


USER_INFO: Final = TaggedUnion(
    {
        1: UserGeneralInformation,
        2: UserPreferencesInformation,
        3: UserLogonInformation,
        4: UserLogonHoursInformation,
        5: UserAccountInformation,
        6: UserNameInformation,
        7: UserAccountNameInformation,
        8: UserFullNameInformation,
        9: UserPrimaryGroupInformation,
        10: UserHomeInformation,
        11: UserScriptInformation,
        12: UserProfileInformation,
        13: UserAdminCommentInformation,
        14: UserWorkStationsInformation,
        16: UserControlInformation,
        17: UserExpiresInformation,
        18: UserInternal1Information,
        20: UserParametersInformation,
        21: UserAllInformation,
        23: UserInternal4Information,
        24: UserInternal5Information,
        25: UserInternal4InformationNew,
        26: UserInternal5InformationNew,
        31: UserInternal7Information,
        32: UserInternal8Information,
    },
    tag=ENUM16,
)
"""SAMPR_USER_INFO_BUFFER, [MS-SAMR] 2.2.6.29."""


# --- display -----------------------------------------------------------------------------------------------


@structure
class DomainDisplayUser(Ndr):
    """SAMPR_DOMAIN_DISPLAY_USER, [MS-SAMR] 2.2.8.2."""

    index: Annotated[int, U32]
    rid: Annotated[int, U32]
    account_control: Annotated[int, U32]
    account_name: Annotated[str | None, UNICODE_STRING]
    admin_comment: Annotated[str | None, UNICODE_STRING]
    full_name: Annotated[str | None, UNICODE_STRING]


@structure
class DomainDisplayMachine(Ndr):
    """SAMPR_DOMAIN_DISPLAY_MACHINE, [MS-SAMR] 2.2.8.3."""

    index: Annotated[int, U32]
    rid: Annotated[int, U32]
    account_control: Annotated[int, U32]
    account_name: Annotated[str | None, UNICODE_STRING]
    admin_comment: Annotated[str | None, UNICODE_STRING]


@structure
class DomainDisplayGroup(Ndr):
    """SAMPR_DOMAIN_DISPLAY_GROUP, [MS-SAMR] 2.2.8.4."""

    index: Annotated[int, U32]
    rid: Annotated[int, U32]
    attributes: Annotated[int, U32]
    account_name: Annotated[str | None, UNICODE_STRING]
    admin_comment: Annotated[str | None, UNICODE_STRING]


@structure
class DomainDisplayOem(Ndr):
    """SAMPR_DOMAIN_DISPLAY_OEM_USER and _OEM_GROUP, [MS-SAMR] 2.2.8.5, 2.2.8.6."""

    index: Annotated[int, U32]
    oem_account_name: RpcString


@structure
class DomainDisplayUserBuffer(Ndr):
    """SAMPR_DOMAIN_DISPLAY_USER_BUFFER, [MS-SAMR] 2.2.8.7."""

    entries_read: ClassVar = CountOf("buffer")
    buffer: Annotated[tuple[DomainDisplayUser, ...] | None, Unique(Conformant(DomainDisplayUser))] = None


@structure
class DomainDisplayMachineBuffer(Ndr):
    """SAMPR_DOMAIN_DISPLAY_MACHINE_BUFFER, [MS-SAMR] 2.2.8.8."""

    entries_read: ClassVar = CountOf("buffer")
    buffer: Annotated[tuple[DomainDisplayMachine, ...] | None, Unique(Conformant(DomainDisplayMachine))] = (
        None
    )


@structure
class DomainDisplayGroupBuffer(Ndr):
    """SAMPR_DOMAIN_DISPLAY_GROUP_BUFFER, [MS-SAMR] 2.2.8.9."""

    entries_read: ClassVar = CountOf("buffer")
    buffer: Annotated[tuple[DomainDisplayGroup, ...] | None, Unique(Conformant(DomainDisplayGroup))] = None


@structure
class DomainDisplayOemBuffer(Ndr):
    """SAMPR_DOMAIN_DISPLAY_OEM_USER_BUFFER and _OEM_GROUP_BUFFER, [MS-SAMR] 2.2.8.10, 2.2.8.11."""

    entries_read: ClassVar = CountOf("buffer")
    buffer: Annotated[tuple[DomainDisplayOem, ...] | None, Unique(Conformant(DomainDisplayOem))] = None


DISPLAY_INFO: Final = TaggedUnion(
    {
        1: DomainDisplayUserBuffer,
        2: DomainDisplayMachineBuffer,
        3: DomainDisplayGroupBuffer,
        4: DomainDisplayOemBuffer,
        5: DomainDisplayOemBuffer,
    },
    tag=ENUM16,
)
"""SAMPR_DISPLAY_INFO_BUFFER, [MS-SAMR] 2.2.8.13."""
NO_DISPLAY: Final = Tagged(1, DomainDisplayUserBuffer())


# --- validation of passwords -------------------------------------------------------------------------------


@structure
class ValidatePasswordHash(Ndr):
    """SAM_VALIDATE_PASSWORD_HASH, [MS-SAMR] 2.2.9.1."""

    length: ClassVar = CountOf("hash")
    hash: Annotated[bytes | None, Unique(CONFORMANT_BYTES)] = None


@structure
class ValidatePersistedFields(Ndr):
    """SAM_VALIDATE_PERSISTED_FIELDS, [MS-SAMR] 2.2.9.2."""

    present_fields: Annotated[int, U32] = 0
    password_last_set: Annotated[int, I64] = 0
    bad_password_time: Annotated[int, I64] = 0
    lockout_time: Annotated[int, I64] = 0
    bad_password_count: Annotated[int, U32] = 0
    password_history_length: ClassVar = CountOf("password_history")
    password_history: Annotated[
        tuple[ValidatePasswordHash, ...] | None, Unique(Conformant(ValidatePasswordHash, limit=1024))
    ] = None


@structure
class ValidateStandardOutputArg(Ndr):
    """SAM_VALIDATE_STANDARD_OUTPUT_ARG, [MS-SAMR] 2.2.9.4."""

    changed_persisted_fields: ValidatePersistedFields
    validation_status: Annotated[ValidationStatus, ENUM16]


@structure
class ValidateAuthenticationInputArg(Ndr):
    """SAM_VALIDATE_AUTHENTICATION_INPUT_ARG, [MS-SAMR] 2.2.9.5."""

    input_persisted_fields: ValidatePersistedFields
    password_matched: Annotated[int, U8]


@structure
class ValidatePasswordChangeInputArg(Ndr):
    """SAM_VALIDATE_PASSWORD_CHANGE_INPUT_ARG, [MS-SAMR] 2.2.9.6."""

    input_persisted_fields: ValidatePersistedFields
    clear_password: Annotated[str | None, UNICODE_STRING]
    user_account_name: Annotated[str | None, UNICODE_STRING]
    hashed_password: ValidatePasswordHash
    password_match: Annotated[int, U8]


@structure
class ValidatePasswordResetInputArg(Ndr):
    """SAM_VALIDATE_PASSWORD_RESET_INPUT_ARG, [MS-SAMR] 2.2.9.7."""

    input_persisted_fields: ValidatePersistedFields
    clear_password: Annotated[str | None, UNICODE_STRING]
    user_account_name: Annotated[str | None, UNICODE_STRING]
    hashed_password: ValidatePasswordHash
    password_must_change_at_next_logon: Annotated[int, U8]
    clear_lockout: Annotated[int, U8]


VALIDATE_INPUT: Final = TaggedUnion(
    {
        1: ValidateAuthenticationInputArg,
        2: ValidatePasswordChangeInputArg,
        3: ValidatePasswordResetInputArg,
    },
    tag=ENUM16,
)
"""SAM_VALIDATE_INPUT_ARG, [MS-SAMR] 2.2.9.9."""
VALIDATE_OUTPUT: Final = TaggedUnion(dict.fromkeys((1, 2, 3), ValidateStandardOutputArg), tag=ENUM16)
"""SAM_VALIDATE_OUTPUT_ARG, [MS-SAMR] 2.2.9.10."""


@structure
class ChangeFailureInformation(Ndr):
    """What SamrUnicodeChangePasswordUser3 tells of a refusal; no document names it."""

    extended_failure_reason: Annotated[PasswordChangeFailure, U32]
    filter_module_name: Annotated[str | None, UNICODE_STRING]


# --- operations --------------------------------------------------------------------------------------------


@parameters
class SamrConnect(Ndr):
    """Opnum 0."""

    server_name: Annotated[int | None, Unique(U16)]
    desired_access: Annotated[int, U32]


@parameters
class SamrConnectResponse(Ndr):
    """Opnum 0."""

    server_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrCloseHandle(Ndr):
    """Opnum 1."""

    sam_handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class SamrCloseHandleResponse(Ndr):
    """Opnum 1."""

    sam_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrSetSecurityObject(Ndr):
    """Opnum 2."""

    object_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    security_information: Annotated[int, U32]
    security_descriptor: SrSecurityDescriptor


@parameters
class SamrSetSecurityObjectResponse(Ndr):
    """Opnum 2."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrQuerySecurityObject(Ndr):
    """Opnum 3."""

    object_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    security_information: Annotated[int, U32]


@parameters
class SamrQuerySecurityObjectResponse(Ndr):
    """Opnum 3."""

    security_descriptor: Annotated[SrSecurityDescriptor | None, Unique(SrSecurityDescriptor)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrLookupDomainInSamServer(Ndr):
    """Opnum 5."""

    server_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    name: Annotated[str | None, UNICODE_STRING]


@parameters
class SamrLookupDomainInSamServerResponse(Ndr):
    """Opnum 5."""

    domain_id: Annotated[Sid | None, Unique(SID)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrEnumerateDomainsInSamServer(Ndr):
    """Opnum 6."""

    server_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    enumeration_context: Annotated[int, U32]
    prefered_maximum_length: Annotated[int, U32]


@parameters
class SamrEnumerateDomainsInSamServerResponse(Ndr):
    """Opnum 6."""

    enumeration_context: Annotated[int, U32] = 0
    buffer: Annotated[EnumerationBuffer | None, Unique(EnumerationBuffer)] = None
    count_returned: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrOpenDomain(Ndr):
    """Opnum 7."""

    server_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    desired_access: Annotated[int, U32]
    domain_id: Annotated[Sid, SID]


@parameters
class SamrOpenDomainResponse(Ndr):
    """Opnum 7."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrQueryInformationDomain(Ndr):
    """Opnum 8."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    domain_information_class: Annotated[int, ENUM16]


@parameters
class SamrQueryInformationDomainResponse(Ndr):
    """Opnum 8."""

    buffer: Annotated[Tagged | None, Unique(DOMAIN_INFO)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrSetInformationDomain(Ndr):
    """Opnum 9."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    domain_information_class: Annotated[int, ENUM16]
    domain_information: Annotated[Tagged, DOMAIN_INFO]


@parameters
class SamrSetInformationDomainResponse(Ndr):
    """Opnum 9."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrCreateGroupInDomain(Ndr):
    """Opnum 10."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    name: Annotated[str | None, UNICODE_STRING]
    desired_access: Annotated[int, U32]


@parameters
class SamrCreateGroupInDomainResponse(Ndr):
    """Opnum 10."""

    group_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    relative_id: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrEnumerateGroupsInDomain(Ndr):
    """Opnum 11."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    enumeration_context: Annotated[int, U32]
    prefered_maximum_length: Annotated[int, U32]


@parameters
class SamrEnumerateGroupsInDomainResponse(Ndr):
    """Opnum 11."""

    enumeration_context: Annotated[int, U32] = 0
    buffer: Annotated[EnumerationBuffer | None, Unique(EnumerationBuffer)] = None
    count_returned: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrCreateUserInDomain(Ndr):
    """Opnum 12."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    name: Annotated[str | None, UNICODE_STRING]
    desired_access: Annotated[int, U32]


@parameters
class SamrCreateUserInDomainResponse(Ndr):
    """Opnum 12."""

    user_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    relative_id: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrEnumerateUsersInDomain(Ndr):
    """Opnum 13."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    enumeration_context: Annotated[int, U32]
    user_account_control: Annotated[int, U32]
    prefered_maximum_length: Annotated[int, U32]


@parameters
class SamrEnumerateUsersInDomainResponse(Ndr):
    """Opnum 13."""

    enumeration_context: Annotated[int, U32] = 0
    buffer: Annotated[EnumerationBuffer | None, Unique(EnumerationBuffer)] = None
    count_returned: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrCreateAliasInDomain(Ndr):
    """Opnum 14."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    account_name: Annotated[str | None, UNICODE_STRING]
    desired_access: Annotated[int, U32]


@parameters
class SamrCreateAliasInDomainResponse(Ndr):
    """Opnum 14."""

    alias_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    relative_id: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrEnumerateAliasesInDomain(Ndr):
    """Opnum 15."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    enumeration_context: Annotated[int, U32]
    prefered_maximum_length: Annotated[int, U32]


@parameters
class SamrEnumerateAliasesInDomainResponse(Ndr):
    """Opnum 15."""

    enumeration_context: Annotated[int, U32] = 0
    buffer: Annotated[EnumerationBuffer | None, Unique(EnumerationBuffer)] = None
    count_returned: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrGetAliasMembership(Ndr):
    """Opnum 16."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    sid_array: PsidArray


@parameters
class SamrGetAliasMembershipResponse(Ndr):
    """Opnum 16."""

    membership: UlongArray = UlongArray()
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrLookupNamesInDomain(Ndr):
    """Opnum 17."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    count: ClassVar = CountOf("names")
    names: Annotated[tuple[str | None, ...], ConformantVarying(UNICODE_STRING, size=LOOKUP_MAX)]


@parameters
class SamrLookupNamesInDomainResponse(Ndr):
    """Opnum 17."""

    relative_ids: UlongArray = UlongArray()
    use: UlongArray = UlongArray()
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrLookupIdsInDomain(Ndr):
    """Opnum 18."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    count: ClassVar = CountOf("relative_ids")
    relative_ids: Annotated[tuple[int, ...], ConformantVarying(U32, size=LOOKUP_MAX)]


@parameters
class SamrLookupIdsInDomainResponse(Ndr):
    """Opnum 18."""

    names: ReturnedUstringArray = ReturnedUstringArray()
    use: UlongArray = UlongArray()
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrOpenGroup(Ndr):
    """Opnum 19."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    desired_access: Annotated[int, U32]
    group_id: Annotated[int, U32]


@parameters
class SamrOpenGroupResponse(Ndr):
    """Opnum 19."""

    group_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrQueryInformationGroup(Ndr):
    """Opnum 20."""

    group_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    group_information_class: Annotated[int, ENUM16]


@parameters
class SamrQueryInformationGroupResponse(Ndr):
    """Opnum 20."""

    buffer: Annotated[Tagged | None, Unique(GROUP_INFO)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrSetInformationGroup(Ndr):
    """Opnum 21."""

    group_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    group_information_class: Annotated[int, ENUM16]
    buffer: Annotated[Tagged, GROUP_INFO]


@parameters
class SamrSetInformationGroupResponse(Ndr):
    """Opnum 21."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrAddMemberToGroup(Ndr):
    """Opnum 22."""

    group_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    member_id: Annotated[int, U32]
    attributes: Annotated[int, U32]


@parameters
class SamrAddMemberToGroupResponse(Ndr):
    """Opnum 22."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrDeleteGroup(Ndr):
    """Opnum 23."""

    group_handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class SamrDeleteGroupResponse(Ndr):
    """Opnum 23."""

    group_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrRemoveMemberFromGroup(Ndr):
    """Opnum 24."""

    group_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    member_id: Annotated[int, U32]


@parameters
class SamrRemoveMemberFromGroupResponse(Ndr):
    """Opnum 24."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrGetMembersInGroup(Ndr):
    """Opnum 25."""

    group_handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class SamrGetMembersInGroupResponse(Ndr):
    """Opnum 25."""

    members: Annotated[GetMembersBuffer | None, Unique(GetMembersBuffer)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrSetMemberAttributesOfGroup(Ndr):
    """Opnum 26."""

    group_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    member_id: Annotated[int, U32]
    attributes: Annotated[int, U32]


@parameters
class SamrSetMemberAttributesOfGroupResponse(Ndr):
    """Opnum 26."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrOpenAlias(Ndr):
    """Opnum 27."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    desired_access: Annotated[int, U32]
    alias_id: Annotated[int, U32]


@parameters
class SamrOpenAliasResponse(Ndr):
    """Opnum 27."""

    alias_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrQueryInformationAlias(Ndr):
    """Opnum 28."""

    alias_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    alias_information_class: Annotated[int, ENUM16]


@parameters
class SamrQueryInformationAliasResponse(Ndr):
    """Opnum 28."""

    buffer: Annotated[Tagged | None, Unique(ALIAS_INFO)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrSetInformationAlias(Ndr):
    """Opnum 29."""

    alias_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    alias_information_class: Annotated[int, ENUM16]
    buffer: Annotated[Tagged, ALIAS_INFO]


@parameters
class SamrSetInformationAliasResponse(Ndr):
    """Opnum 29."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrDeleteAlias(Ndr):
    """Opnum 30."""

    alias_handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class SamrDeleteAliasResponse(Ndr):
    """Opnum 30."""

    alias_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrAddMemberToAlias(Ndr):
    """Opnum 31."""

    alias_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    member_id: Annotated[Sid, SID]


@parameters
class SamrAddMemberToAliasResponse(Ndr):
    """Opnum 31."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrRemoveMemberFromAlias(Ndr):
    """Opnum 32."""

    alias_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    member_id: Annotated[Sid, SID]


@parameters
class SamrRemoveMemberFromAliasResponse(Ndr):
    """Opnum 32."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrGetMembersInAlias(Ndr):
    """Opnum 33."""

    alias_handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class SamrGetMembersInAliasResponse(Ndr):
    """Opnum 33."""

    members: PsidArrayOut = PsidArrayOut()
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrOpenUser(Ndr):
    """Opnum 34."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    desired_access: Annotated[int, U32]
    user_id: Annotated[int, U32]


@parameters
class SamrOpenUserResponse(Ndr):
    """Opnum 34."""

    user_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrDeleteUser(Ndr):
    """Opnum 35."""

    user_handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class SamrDeleteUserResponse(Ndr):
    """Opnum 35."""

    user_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrQueryInformationUser(Ndr):
    """Opnum 36."""

    user_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    user_information_class: Annotated[int, ENUM16]


@parameters
class SamrQueryInformationUserResponse(Ndr):
    """Opnum 36."""

    buffer: Annotated[Tagged | None, Unique(USER_INFO)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrSetInformationUser(Ndr):
    """Opnum 37."""

    user_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    user_information_class: Annotated[int, ENUM16]
    buffer: Annotated[Tagged, USER_INFO]


@parameters
class SamrSetInformationUserResponse(Ndr):
    """Opnum 37."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrChangePasswordUser(Ndr):
    """Opnum 38."""

    user_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    lm_present: Annotated[int, U8]
    old_lm_encrypted_with_new_lm: Annotated[OwfPassword | None, Unique(OwfPassword)]
    new_lm_encrypted_with_old_lm: Annotated[OwfPassword | None, Unique(OwfPassword)]
    nt_present: Annotated[int, U8]
    old_nt_encrypted_with_new_nt: Annotated[OwfPassword | None, Unique(OwfPassword)]
    new_nt_encrypted_with_old_nt: Annotated[OwfPassword | None, Unique(OwfPassword)]
    nt_cross_encryption_present: Annotated[int, U8]
    new_nt_encrypted_with_new_lm: Annotated[OwfPassword | None, Unique(OwfPassword)]
    lm_cross_encryption_present: Annotated[int, U8]
    new_lm_encrypted_with_new_nt: Annotated[OwfPassword | None, Unique(OwfPassword)]


@parameters
class SamrChangePasswordUserResponse(Ndr):
    """Opnum 38."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrGetGroupsForUser(Ndr):
    """Opnum 39."""

    user_handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class SamrGetGroupsForUserResponse(Ndr):
    """Opnum 39."""

    groups: Annotated[GetGroupsBuffer | None, Unique(GetGroupsBuffer)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrQueryDisplayInformation(Ndr):
    """Opnum 40."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    display_information_class: Annotated[int, ENUM16]
    index: Annotated[int, U32]
    entry_count: Annotated[int, U32]
    preferred_maximum_length: Annotated[int, U32]


@parameters
class SamrQueryDisplayInformationResponse(Ndr):
    """Opnum 40."""

    total_available: Annotated[int, U32] = 0
    total_returned: Annotated[int, U32] = 0
    buffer: Annotated[Tagged, DISPLAY_INFO] = NO_DISPLAY
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrGetDisplayEnumerationIndex(Ndr):
    """Opnum 41."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    display_information_class: Annotated[int, ENUM16]
    prefix: Annotated[str | None, UNICODE_STRING]


@parameters
class SamrGetDisplayEnumerationIndexResponse(Ndr):
    """Opnum 41."""

    index: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrTestPrivateFunctions(Ndr):
    """Opnums 42, of a domain, and 43, of a user."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class SamrTestPrivateFunctionsResponse(Ndr):
    """Opnums 42 and 43."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrGetUserDomainPasswordInformation(Ndr):
    """Opnum 44."""

    user_handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class SamrGetUserDomainPasswordInformationResponse(Ndr):
    """Opnum 44."""

    password_information: UserDomainPasswordInformation = UserDomainPasswordInformation()
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrRemoveMemberFromForeignDomain(Ndr):
    """Opnum 45."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    member_sid: Annotated[Sid, SID]


@parameters
class SamrRemoveMemberFromForeignDomainResponse(Ndr):
    """Opnum 45."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrCreateUser2InDomain(Ndr):
    """Opnum 50."""

    domain_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    name: Annotated[str | None, UNICODE_STRING]
    account_type: Annotated[int, U32]
    desired_access: Annotated[int, U32]


@parameters
class SamrCreateUser2InDomainResponse(Ndr):
    """Opnum 50."""

    user_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    granted_access: Annotated[int, U32] = 0
    relative_id: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrAddMultipleMembersToAlias(Ndr):
    """Opnum 52."""

    alias_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    members_buffer: PsidArray


@parameters
class SamrAddMultipleMembersToAliasResponse(Ndr):
    """Opnum 52."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrRemoveMultipleMembersFromAlias(Ndr):
    """Opnum 53."""

    alias_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    members_buffer: PsidArray


@parameters
class SamrRemoveMultipleMembersFromAliasResponse(Ndr):
    """Opnum 53."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrOemChangePasswordUser2(Ndr):
    """Opnum 54."""

    server_name: Annotated[RpcString | None, Unique(RpcString)]
    user_name: RpcString
    new_password_encrypted_with_old_lm: Annotated[EncryptedUserPassword | None, Unique(EncryptedUserPassword)]
    old_lm_owf_password_encrypted_with_new_lm: Annotated[OwfPassword | None, Unique(OwfPassword)]


@parameters
class SamrOemChangePasswordUser2Response(Ndr):
    """Opnum 54."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrUnicodeChangePasswordUser2(Ndr):
    """Opnum 55."""

    server_name: Annotated[UnicodeText | None, Unique(UnicodeText)]
    user_name: Annotated[str | None, UNICODE_STRING]
    new_password_encrypted_with_old_nt: Annotated[EncryptedUserPassword | None, Unique(EncryptedUserPassword)]
    old_nt_owf_password_encrypted_with_new_nt: Annotated[OwfPassword | None, Unique(OwfPassword)]
    lm_present: Annotated[int, U8]
    new_password_encrypted_with_old_lm: Annotated[EncryptedUserPassword | None, Unique(EncryptedUserPassword)]
    old_lm_owf_password_encrypted_with_new_nt: Annotated[OwfPassword | None, Unique(OwfPassword)]


@parameters
class SamrUnicodeChangePasswordUser2Response(Ndr):
    """Opnum 55."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrGetDomainPasswordInformation(Ndr):
    """Opnum 56."""

    unused: Annotated[UnicodeText | None, Unique(UnicodeText)]


@parameters
class SamrGetDomainPasswordInformationResponse(Ndr):
    """Opnum 56."""

    password_information: UserDomainPasswordInformation = UserDomainPasswordInformation()
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrConnect2(Ndr):
    """Opnum 57."""

    server_name: Annotated[str | None, Unique(WSTRING)]
    desired_access: Annotated[int, U32]


@parameters
class SamrConnect2Response(Ndr):
    """Opnum 57."""

    server_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrConnect4(Ndr):
    """Opnum 62."""

    server_name: Annotated[str | None, Unique(WSTRING)]
    client_revision: Annotated[int, U32]
    desired_access: Annotated[int, U32]


@parameters
class SamrConnect4Response(Ndr):
    """Opnum 62."""

    server_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrConnect3(Ndr):
    """Opnum 61, which no document has: a number that nobody heeds stands where Connect4 has the revision."""

    server_name: Annotated[str | None, Unique(WSTRING)]
    unknown: Annotated[int, U32]
    desired_access: Annotated[int, U32]


@parameters
class SamrConnect3Response(Ndr):
    """Opnum 61."""

    server_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrUnicodeChangePasswordUser3(Ndr):
    """Opnum 63."""

    server_name: Annotated[UnicodeText | None, Unique(UnicodeText)]
    user_name: Annotated[str | None, UNICODE_STRING]
    new_password_encrypted_with_old_nt: Annotated[EncryptedUserPassword | None, Unique(EncryptedUserPassword)]
    old_nt_owf_password_encrypted_with_new_nt: Annotated[OwfPassword | None, Unique(OwfPassword)]
    lm_present: Annotated[int, U8]
    new_password_encrypted_with_old_lm: Annotated[EncryptedUserPassword | None, Unique(EncryptedUserPassword)]
    old_lm_owf_password_encrypted_with_new_nt: Annotated[OwfPassword | None, Unique(OwfPassword)]
    additional_data: Annotated[EncryptedUserPassword | None, Unique(EncryptedUserPassword)]


@parameters
class SamrUnicodeChangePasswordUser3Response(Ndr):
    """Opnum 63."""

    effective_password_policy: Annotated[
        DomainPasswordInformation | None, Unique(DomainPasswordInformation)
    ] = None
    change_failure: Annotated[ChangeFailureInformation | None, Unique(ChangeFailureInformation)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrConnect5(Ndr):
    """Opnum 64."""

    server_name: Annotated[str | None, Unique(WSTRING)]
    desired_access: Annotated[int, U32]
    in_version: Annotated[int, U32]
    in_revision_info: Annotated[Tagged, REVISION_INFO]


@parameters
class SamrConnect5Response(Ndr):
    """Opnum 64."""

    out_version: Annotated[int, U32] = 1
    out_revision_info: Annotated[Tagged, REVISION_INFO] = NO_REVISION
    server_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrRidToSid(Ndr):
    """Opnum 65."""

    object_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    rid: Annotated[int, U32]


@parameters
class SamrRidToSidResponse(Ndr):
    """Opnum 65."""

    sid: Annotated[Sid | None, Unique(SID)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrSetDSRMPassword(Ndr):
    """Opnum 66."""

    unused: Annotated[UnicodeText | None, Unique(UnicodeText)]
    user_id: Annotated[int, U32]
    encrypted_nt_owf_password: Annotated[OwfPassword | None, Unique(OwfPassword)]


@parameters
class SamrSetDSRMPasswordResponse(Ndr):
    """Opnum 66."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrValidatePassword(Ndr):
    """Opnum 67."""

    validation_type: Annotated[int, ENUM16]
    input_arg: Annotated[Tagged, VALIDATE_INPUT]


@parameters
class SamrValidatePasswordResponse(Ndr):
    """Opnum 67."""

    output_arg: Annotated[Tagged | None, Unique(VALIDATE_OUTPUT)] = None
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrUnicodeChangePasswordUser4(Ndr):
    """Opnum 73."""

    server_name: Annotated[UnicodeText | None, Unique(UnicodeText)]
    user_name: Annotated[str | None, UNICODE_STRING]
    encrypted_password: EncryptedPasswordAes


@parameters
class SamrUnicodeChangePasswordUser4Response(Ndr):
    """Opnum 73."""

    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrValidateComputerAccountReuseAttempt(Ndr):
    """Opnum 74."""

    server_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    computer_sid: Annotated[Sid, SID]


@parameters
class SamrValidateComputerAccountReuseAttemptResponse(Ndr):
    """Opnum 74."""

    result: Annotated[int, U32] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class SamrAccountIsDelegatedManagedServiceAccount(Ndr):
    """Opnum 77."""

    server_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    account_name: Annotated[str | None, UNICODE_STRING]


@parameters
class SamrAccountIsDelegatedManagedServiceAccountResponse(Ndr):
    """Opnum 77."""

    result: Annotated[int, U8] = 0
    authorized: Annotated[int, U8] = 0
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


SAMR: Final = interface(
    "samr",
    "12345778-1234-abcd-ef00-0123456789ac",
    (1, 0),
    Operation(0, "SamrConnect", SamrConnect, SamrConnectResponse),
    Operation(1, "SamrCloseHandle", SamrCloseHandle, SamrCloseHandleResponse),
    Operation(2, "SamrSetSecurityObject", SamrSetSecurityObject, SamrSetSecurityObjectResponse),
    Operation(3, "SamrQuerySecurityObject", SamrQuerySecurityObject, SamrQuerySecurityObjectResponse),
    Operation(
        5,
        "SamrLookupDomainInSamServer",
        SamrLookupDomainInSamServer,
        SamrLookupDomainInSamServerResponse,
    ),
    Operation(
        6,
        "SamrEnumerateDomainsInSamServer",
        SamrEnumerateDomainsInSamServer,
        SamrEnumerateDomainsInSamServerResponse,
    ),
    Operation(7, "SamrOpenDomain", SamrOpenDomain, SamrOpenDomainResponse),
    Operation(
        8,
        "SamrQueryInformationDomain",
        SamrQueryInformationDomain,
        SamrQueryInformationDomainResponse,
    ),
    Operation(9, "SamrSetInformationDomain", SamrSetInformationDomain, SamrSetInformationDomainResponse),
    Operation(10, "SamrCreateGroupInDomain", SamrCreateGroupInDomain, SamrCreateGroupInDomainResponse),
    Operation(
        11,
        "SamrEnumerateGroupsInDomain",
        SamrEnumerateGroupsInDomain,
        SamrEnumerateGroupsInDomainResponse,
    ),
    Operation(12, "SamrCreateUserInDomain", SamrCreateUserInDomain, SamrCreateUserInDomainResponse),
    Operation(
        13,
        "SamrEnumerateUsersInDomain",
        SamrEnumerateUsersInDomain,
        SamrEnumerateUsersInDomainResponse,
    ),
    Operation(14, "SamrCreateAliasInDomain", SamrCreateAliasInDomain, SamrCreateAliasInDomainResponse),
    Operation(
        15,
        "SamrEnumerateAliasesInDomain",
        SamrEnumerateAliasesInDomain,
        SamrEnumerateAliasesInDomainResponse,
    ),
    Operation(16, "SamrGetAliasMembership", SamrGetAliasMembership, SamrGetAliasMembershipResponse),
    Operation(17, "SamrLookupNamesInDomain", SamrLookupNamesInDomain, SamrLookupNamesInDomainResponse),
    Operation(18, "SamrLookupIdsInDomain", SamrLookupIdsInDomain, SamrLookupIdsInDomainResponse),
    Operation(19, "SamrOpenGroup", SamrOpenGroup, SamrOpenGroupResponse),
    Operation(20, "SamrQueryInformationGroup", SamrQueryInformationGroup, SamrQueryInformationGroupResponse),
    Operation(21, "SamrSetInformationGroup", SamrSetInformationGroup, SamrSetInformationGroupResponse),
    Operation(22, "SamrAddMemberToGroup", SamrAddMemberToGroup, SamrAddMemberToGroupResponse),
    Operation(23, "SamrDeleteGroup", SamrDeleteGroup, SamrDeleteGroupResponse),
    Operation(24, "SamrRemoveMemberFromGroup", SamrRemoveMemberFromGroup, SamrRemoveMemberFromGroupResponse),
    Operation(25, "SamrGetMembersInGroup", SamrGetMembersInGroup, SamrGetMembersInGroupResponse),
    Operation(
        26,
        "SamrSetMemberAttributesOfGroup",
        SamrSetMemberAttributesOfGroup,
        SamrSetMemberAttributesOfGroupResponse,
    ),
    Operation(27, "SamrOpenAlias", SamrOpenAlias, SamrOpenAliasResponse),
    Operation(28, "SamrQueryInformationAlias", SamrQueryInformationAlias, SamrQueryInformationAliasResponse),
    Operation(29, "SamrSetInformationAlias", SamrSetInformationAlias, SamrSetInformationAliasResponse),
    Operation(30, "SamrDeleteAlias", SamrDeleteAlias, SamrDeleteAliasResponse),
    Operation(31, "SamrAddMemberToAlias", SamrAddMemberToAlias, SamrAddMemberToAliasResponse),
    Operation(32, "SamrRemoveMemberFromAlias", SamrRemoveMemberFromAlias, SamrRemoveMemberFromAliasResponse),
    Operation(33, "SamrGetMembersInAlias", SamrGetMembersInAlias, SamrGetMembersInAliasResponse),
    Operation(34, "SamrOpenUser", SamrOpenUser, SamrOpenUserResponse),
    Operation(35, "SamrDeleteUser", SamrDeleteUser, SamrDeleteUserResponse),
    Operation(36, "SamrQueryInformationUser", SamrQueryInformationUser, SamrQueryInformationUserResponse),
    Operation(37, "SamrSetInformationUser", SamrSetInformationUser, SamrSetInformationUserResponse),
    Operation(38, "SamrChangePasswordUser", SamrChangePasswordUser, SamrChangePasswordUserResponse),
    Operation(39, "SamrGetGroupsForUser", SamrGetGroupsForUser, SamrGetGroupsForUserResponse),
    Operation(
        40,
        "SamrQueryDisplayInformation",
        SamrQueryDisplayInformation,
        SamrQueryDisplayInformationResponse,
    ),
    Operation(
        41,
        "SamrGetDisplayEnumerationIndex",
        SamrGetDisplayEnumerationIndex,
        SamrGetDisplayEnumerationIndexResponse,
    ),
    Operation(
        42,
        "SamrTestPrivateFunctionsDomain",
        SamrTestPrivateFunctions,
        SamrTestPrivateFunctionsResponse,
    ),
    Operation(
        43,
        "SamrTestPrivateFunctionsUser",
        SamrTestPrivateFunctions,
        SamrTestPrivateFunctionsResponse,
    ),
    Operation(
        44,
        "SamrGetUserDomainPasswordInformation",
        SamrGetUserDomainPasswordInformation,
        SamrGetUserDomainPasswordInformationResponse,
    ),
    Operation(
        45,
        "SamrRemoveMemberFromForeignDomain",
        SamrRemoveMemberFromForeignDomain,
        SamrRemoveMemberFromForeignDomainResponse,
    ),
    Operation(
        46,
        "SamrQueryInformationDomain2",
        SamrQueryInformationDomain,
        SamrQueryInformationDomainResponse,
    ),
    Operation(47, "SamrQueryInformationUser2", SamrQueryInformationUser, SamrQueryInformationUserResponse),
    Operation(
        48,
        "SamrQueryDisplayInformation2",
        SamrQueryDisplayInformation,
        SamrQueryDisplayInformationResponse,
    ),
    Operation(
        49,
        "SamrGetDisplayEnumerationIndex2",
        SamrGetDisplayEnumerationIndex,
        SamrGetDisplayEnumerationIndexResponse,
    ),
    Operation(50, "SamrCreateUser2InDomain", SamrCreateUser2InDomain, SamrCreateUser2InDomainResponse),
    Operation(
        51,
        "SamrQueryDisplayInformation3",
        SamrQueryDisplayInformation,
        SamrQueryDisplayInformationResponse,
    ),
    Operation(
        52,
        "SamrAddMultipleMembersToAlias",
        SamrAddMultipleMembersToAlias,
        SamrAddMultipleMembersToAliasResponse,
    ),
    Operation(
        53,
        "SamrRemoveMultipleMembersFromAlias",
        SamrRemoveMultipleMembersFromAlias,
        SamrRemoveMultipleMembersFromAliasResponse,
    ),
    Operation(
        54,
        "SamrOemChangePasswordUser2",
        SamrOemChangePasswordUser2,
        SamrOemChangePasswordUser2Response,
    ),
    Operation(
        55,
        "SamrUnicodeChangePasswordUser2",
        SamrUnicodeChangePasswordUser2,
        SamrUnicodeChangePasswordUser2Response,
    ),
    Operation(
        56,
        "SamrGetDomainPasswordInformation",
        SamrGetDomainPasswordInformation,
        SamrGetDomainPasswordInformationResponse,
    ),
    Operation(57, "SamrConnect2", SamrConnect2, SamrConnect2Response),
    Operation(58, "SamrSetInformationUser2", SamrSetInformationUser, SamrSetInformationUserResponse),
    Operation(61, "SamrConnect3", SamrConnect3, SamrConnect3Response),
    Operation(62, "SamrConnect4", SamrConnect4, SamrConnect4Response),
    Operation(
        63,
        "SamrUnicodeChangePasswordUser3",
        SamrUnicodeChangePasswordUser3,
        SamrUnicodeChangePasswordUser3Response,
    ),
    Operation(64, "SamrConnect5", SamrConnect5, SamrConnect5Response),
    Operation(65, "SamrRidToSid", SamrRidToSid, SamrRidToSidResponse),
    Operation(66, "SamrSetDSRMPassword", SamrSetDSRMPassword, SamrSetDSRMPasswordResponse),
    Operation(67, "SamrValidatePassword", SamrValidatePassword, SamrValidatePasswordResponse),
    Operation(
        73,
        "SamrUnicodeChangePasswordUser4",
        SamrUnicodeChangePasswordUser4,
        SamrUnicodeChangePasswordUser4Response,
    ),
    Operation(
        74,
        "SamrValidateComputerAccountReuseAttempt",
        SamrValidateComputerAccountReuseAttempt,
        SamrValidateComputerAccountReuseAttemptResponse,
    ),
    Operation(
        77,
        "SamrAccountIsDelegatedManagedServiceAccount",
        SamrAccountIsDelegatedManagedServiceAccount,
        SamrAccountIsDelegatedManagedServiceAccountResponse,
    ),
)
