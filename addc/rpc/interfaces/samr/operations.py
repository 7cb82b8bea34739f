"""The interface samr as this DC serves it.

Opnums 4, 59, 60, 68 - 72, 75 and 76 are Windows' own ([MS-SAMR] 3.1.5); whoever calls them is told
that there are none. Spec: [MS-SAMR] 2.1, 3.1.5.
"""

from typing import Final

from addc.rpc.call import NONE_OR_PRIVACY, InterfaceServer
from addc.rpc.interfaces.samr.accounts import (
    samr_create_alias_in_domain,
    samr_create_group_in_domain,
    samr_create_user2_in_domain,
    samr_create_user_in_domain,
    samr_delete_alias,
    samr_delete_group,
    samr_delete_user,
    samr_open_alias,
    samr_open_group,
    samr_open_user,
)
from addc.rpc.interfaces.samr.connect import (
    samr_close_handle,
    samr_connect,
    samr_connect2,
    samr_connect3,
    samr_connect4,
    samr_connect5,
    samr_enumerate_domains_in_sam_server,
    samr_lookup_domain_in_sam_server,
    samr_open_domain,
    samr_rid_to_sid,
    samr_test_private_functions,
)
from addc.rpc.interfaces.samr.display import (
    samr_get_display_enumeration_index,
    samr_query_display_information,
)
from addc.rpc.interfaces.samr.domains import (
    samr_get_domain_password_information,
    samr_get_user_domain_password_information,
    samr_query_information_domain,
    samr_set_information_domain,
)
from addc.rpc.interfaces.samr.groups import (
    samr_add_member_to_alias,
    samr_add_member_to_group,
    samr_add_multiple_members_to_alias,
    samr_get_members_in_alias,
    samr_get_members_in_group,
    samr_query_information_alias,
    samr_query_information_group,
    samr_remove_member_from_alias,
    samr_remove_member_from_foreign_domain,
    samr_remove_member_from_group,
    samr_remove_multiple_members_from_alias,
    samr_set_information_alias,
    samr_set_information_group,
    samr_set_member_attributes_of_group,
)
from addc.rpc.interfaces.samr.idl import SAMR
from addc.rpc.interfaces.samr.lookups import (
    samr_enumerate_aliases_in_domain,
    samr_enumerate_groups_in_domain,
    samr_enumerate_users_in_domain,
    samr_lookup_ids_in_domain,
    samr_lookup_names_in_domain,
)
from addc.rpc.interfaces.samr.machines import (
    samr_account_is_delegated_managed_service_account,
    samr_set_dsrm_password,
    samr_validate_computer_account_reuse_attempt,
)
from addc.rpc.interfaces.samr.membership_of import samr_get_alias_membership, samr_get_groups_for_user
from addc.rpc.interfaces.samr.passwords import (
    samr_change_password_user,
    samr_oem_change_password_user2,
    samr_unicode_change_password_user2,
    samr_unicode_change_password_user3,
    samr_unicode_change_password_user4,
)
from addc.rpc.interfaces.samr.security_objects import samr_query_security_object, samr_set_security_object
from addc.rpc.interfaces.samr.set_users import samr_set_information_user
from addc.rpc.interfaces.samr.users import samr_query_information_user
from addc.rpc.interfaces.samr.validate import samr_validate_password

SERVER: Final = InterfaceServer(
    SAMR,
    {
        0: samr_connect,
        1: samr_close_handle,
        2: samr_set_security_object,
        3: samr_query_security_object,
        5: samr_lookup_domain_in_sam_server,
        6: samr_enumerate_domains_in_sam_server,
        7: samr_open_domain,
        8: samr_query_information_domain,
        9: samr_set_information_domain,
        10: samr_create_group_in_domain,
        11: samr_enumerate_groups_in_domain,
        12: samr_create_user_in_domain,
        13: samr_enumerate_users_in_domain,
        14: samr_create_alias_in_domain,
        15: samr_enumerate_aliases_in_domain,
        16: samr_get_alias_membership,
        17: samr_lookup_names_in_domain,
        18: samr_lookup_ids_in_domain,
        19: samr_open_group,
        20: samr_query_information_group,
        21: samr_set_information_group,
        22: samr_add_member_to_group,
        23: samr_delete_group,
        24: samr_remove_member_from_group,
        25: samr_get_members_in_group,
        26: samr_set_member_attributes_of_group,
        27: samr_open_alias,
        28: samr_query_information_alias,
        29: samr_set_information_alias,
        30: samr_delete_alias,
        31: samr_add_member_to_alias,
        32: samr_remove_member_from_alias,
        33: samr_get_members_in_alias,
        34: samr_open_user,
        35: samr_delete_user,
        36: samr_query_information_user,
        37: samr_set_information_user,
        38: samr_change_password_user,
        39: samr_get_groups_for_user,
        40: samr_query_display_information,
        41: samr_get_display_enumeration_index,
        42: samr_test_private_functions,
        43: samr_test_private_functions,
        44: samr_get_user_domain_password_information,
        45: samr_remove_member_from_foreign_domain,
        46: samr_query_information_domain,
        47: samr_query_information_user,
        48: samr_query_display_information,
        49: samr_get_display_enumeration_index,
        50: samr_create_user2_in_domain,
        51: samr_query_display_information,
        52: samr_add_multiple_members_to_alias,
        53: samr_remove_multiple_members_from_alias,
        54: samr_oem_change_password_user2,
        55: samr_unicode_change_password_user2,
        56: samr_get_domain_password_information,
        57: samr_connect2,
        58: samr_set_information_user,
        61: samr_connect3,
        62: samr_connect4,
        63: samr_unicode_change_password_user3,
        64: samr_connect5,
        65: samr_rid_to_sid,
        66: samr_set_dsrm_password,
        67: samr_validate_password,
        73: samr_unicode_change_password_user4,
        74: samr_validate_computer_account_reuse_attempt,
        77: samr_account_is_delegated_managed_service_account,
    },
    pipes=("samr", "lsass"),
    levels=NONE_OR_PRIVACY,
)
