"""The assigned numbers and flag bits of Kerberos, under the names of their documents.

Error codes are in codes/krb_error.py, encryption and checksum types and key usages in security/krb_keys.py.
Spec: RFC 4120 5, 7.5; RFC 6113 7; RFC 6806; [MS-KILE] 2.2, 3.1.5; [MS-SFU] 2.2.
"""

from enum import IntFlag

from addc.base.enums import OpenIntEnum


class MessageType(OpenIntEnum):
    """msg-type. Spec: RFC 4120 7.5.7."""

    KRB_AS_REQ = 10
    KRB_AS_REP = 11
    KRB_TGS_REQ = 12
    KRB_TGS_REP = 13
    KRB_AP_REQ = 14
    KRB_AP_REP = 15
    KRB_SAFE = 20
    KRB_PRIV = 21
    KRB_CRED = 22
    KRB_ERROR = 30


class NameType(OpenIntEnum):
    """name-type. Spec: RFC 4120 6.2, RFC 6111 3, RFC 6806 5; the negative ones are Microsoft's."""

    KRB_NT_UNKNOWN = 0
    KRB_NT_PRINCIPAL = 1
    KRB_NT_SRV_INST = 2
    KRB_NT_SRV_HST = 3
    KRB_NT_SRV_XHST = 4
    KRB_NT_UID = 5
    KRB_NT_X500_PRINCIPAL = 6
    KRB_NT_SMTP_NAME = 7
    KRB_NT_ENTERPRISE = 10
    KRB_NT_WELLKNOWN = 11
    KRB_NT_SRV_HST_DOMAIN = 12
    KRB_NT_MS_PRINCIPAL = -128
    KRB_NT_MS_PRINCIPAL_AND_ID = -129
    KRB_NT_ENT_PRINCIPAL_AND_ID = -130


class PaType(OpenIntEnum):
    """padata-type. Spec: RFC 4120 7.5.2, RFC 6113 7.1, [MS-KILE] 3.1.5.1, [MS-SFU] 2.2."""

    PA_TGS_REQ = 1
    PA_ENC_TIMESTAMP = 2
    PA_PW_SALT = 3
    PA_ETYPE_INFO = 11
    PA_PK_AS_REQ_OLD = 14
    PA_PK_AS_REP_OLD = 15
    PA_PK_AS_REQ = 16
    PA_PK_AS_REP = 17
    PA_ETYPE_INFO2 = 19
    PA_SVR_REFERRAL_INFO = 20
    PA_PAC_REQUEST = 128
    PA_FOR_USER = 129
    PA_S4U_X509_USER = 130
    PA_AS_CHECKSUM = 132
    PA_FX_COOKIE = 133
    PA_AUTHENTICATION_SET = 134
    PA_AUTH_SET_SELECTED = 135
    PA_FX_FAST = 136
    PA_FX_ERROR = 137
    PA_ENCRYPTED_CHALLENGE = 138
    PA_PKINIT_KX = 147
    PA_REQ_ENC_PA_REP = 149
    PA_AS_FRESHNESS = 150
    KERB_KEY_LIST_REQ = 161
    KERB_KEY_LIST_REP = 162
    PA_SUPPORTED_ENCTYPES = 165
    PA_PAC_OPTIONS = 167
    KERB_SUPERSEDED_BY_USER = 170
    KERB_DMSA_KEY_PACKAGE = 171


class AdType(OpenIntEnum):
    """ad-type. Spec: RFC 4120 7.5.4, RFC 6113 5.4.1, RFC 4537 4, [MS-KILE] 3.1.5.5, 3.2.5.8."""

    AD_IF_RELEVANT = 1
    AD_KDC_ISSUED = 4
    AD_AND_OR = 5
    AD_MANDATORY_FOR_KDC = 8
    AD_INITIAL_VERIFIED_CAS = 9
    AD_FX_FAST_ARMOR = 71
    AD_FX_FAST_USED = 72
    AD_WIN2K_PAC = 128
    AD_ETYPE_NEGOTIATION = 129
    KERB_AUTH_DATA_TOKEN_RESTRICTIONS = 141
    KERB_AUTH_DATA_LOOPBACK = 142
    AD_AUTH_DATA_AP_OPTIONS = 143
    KERB_AUTH_DATA_CLIENT_TARGET = 144


class AddressType(OpenIntEnum):
    """RFC 4120 7.5.3."""

    IPV4 = 2
    NETBIOS = 20
    IPV6 = 24


class TransitedType(OpenIntEnum):
    """tr-type. Spec: RFC 4120 3.3.3.2."""

    DOMAIN_X500_COMPRESS = 1


class LastReqType(OpenIntEnum):
    """lr-type. Spec: RFC 4120 5.4.2."""

    NONE = 0
    INITIAL_TGT = 1
    INITIAL = 2
    NEWEST_TGT = 3
    RENEWAL = 4
    ANY = 5
    PASSWORD_EXPIRES = 6
    ACCOUNT_EXPIRES = 7


class KdcOptions(IntFlag):
    """KDCOptions. Spec: RFC 4120 5.4.1, RFC 6806 3 (canonicalize), [MS-SFU] 2.2.3 (cname-in-addl-tkt)."""

    FORWARDABLE = 1 << 30
    FORWARDED = 1 << 29
    PROXIABLE = 1 << 28
    PROXY = 1 << 27
    ALLOW_POSTDATE = 1 << 26
    POSTDATED = 1 << 25
    RENEWABLE = 1 << 23
    OPT_HARDWARE_AUTH = 1 << 20
    CNAME_IN_ADDL_TKT = 1 << 17
    CANONICALIZE = 1 << 16
    REQUEST_ANONYMOUS = 1 << 15
    DISABLE_TRANSITED_CHECK = 1 << 5
    RENEWABLE_OK = 1 << 4
    ENC_TKT_IN_SKEY = 1 << 3
    RENEW = 1 << 1
    VALIDATE = 1 << 0


class TicketFlags(IntFlag):
    """TicketFlags. Spec: RFC 4120 5.3, RFC 6806 11 (enc-pa-rep), RFC 8062 3 (anonymous)."""

    FORWARDABLE = 1 << 30
    FORWARDED = 1 << 29
    PROXIABLE = 1 << 28
    PROXY = 1 << 27
    MAY_POSTDATE = 1 << 26
    POSTDATED = 1 << 25
    INVALID = 1 << 24
    RENEWABLE = 1 << 23
    INITIAL = 1 << 22
    PRE_AUTHENT = 1 << 21
    HW_AUTHENT = 1 << 20
    TRANSITED_POLICY_CHECKED = 1 << 19
    OK_AS_DELEGATE = 1 << 18
    ENC_PA_REP = 1 << 16
    ANONYMOUS = 1 << 15


class ApOptions(IntFlag):
    """APOptions. Spec: RFC 4120 5.5.1."""

    USE_SESSION_KEY = 1 << 30
    MUTUAL_REQUIRED = 1 << 29


class FastOptions(IntFlag):
    """FastOptions. Spec: RFC 6113 5.4.2."""

    HIDE_CLIENT_NAMES = 1 << 30
    KDC_FOLLOW_REFERRALS = 1 << 15


class PacOptions(IntFlag):
    """PA-PAC-OPTIONS. Spec: [MS-KILE] 2.2.10, [MS-SFU] 2.2.5."""

    CLAIMS = 1 << 31
    BRANCH_AWARE = 1 << 30
    FORWARD_TO_FULL_DC = 1 << 29
    RESOURCE_BASED_CONSTRAINED_DELEGATION = 1 << 28


class S4uOptions(IntFlag):
    """options of S4UUserID. Spec: [MS-SFU] 2.2.2."""

    CHECK_LOGON_HOURS = 1 << 30
    USE_REPLY_KEY_USAGE = 1 << 29
    NT_AUTH_POLICY_NOT_REQUIRED = 1 << 28
    UNCONDITIONAL_DELEGATION = 1 << 27


class KerbErrorDataType(OpenIntEnum):
    """data-type of KERB-ERROR-DATA. Spec: [MS-KILE] 2.2.2."""

    KERB_AP_ERR_TYPE_SKEW_RECOVERY = 2
    KERB_ERR_TYPE_EXTENDED = 3


class ArmorType(OpenIntEnum):
    """armor-type. Spec: RFC 6113 5.4.1."""

    FX_FAST_ARMOR_AP_REQUEST = 1
