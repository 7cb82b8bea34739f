"""Fixed limits, in one file. Limits that an administrator sets are in directory/policy.py."""

from typing import Final

FILTER_DEPTH_MAX: Final = 64
FILTER_TERMS_MAX: Final = 4096
DN_LENGTH_MAX: Final = 8192
DN_RDNS_MAX: Final = 255
SID_SUBAUTHORITIES_MAX: Final = 15
ACE_COUNT_MAX: Final = 8192
NDR_DEPTH_MAX: Final = 32
NDR_ITEMS_MAX: Final = 1_048_576
LDAP_PREAUTH_RECEIVE_MAX: Final = 262_144
LDAP_RECEIVE_MAX: Final = 10_485_760
RPC_REQUEST_MAX: Final = 0x400000
RPC_RESPONSE_MAX: Final = 0x4000000
KRB_MESSAGE_MAX: Final = 131_072
KRB_UDP_REPLY_MAX: Final = 1465
SYSVOL_FILE_MAX: Final = 4_294_967_296
"""Octets of one file."""
SYSVOL_TOTAL_MAX: Final = 17_179_869_184
"""Octets of all content, each piece counted once."""
SYSVOL_DEPTH_MAX: Final = 128

assert LDAP_PREAUTH_RECEIVE_MAX < LDAP_RECEIVE_MAX
