"""NETLOGON as this DC serves it.

Replication of NT 4's account database, UAS logons and what Netlogon asks of itself are not here: those opnums
get the fault for numbers out of range.

Spec: [MS-NRPC] 3.5.4; W-NRPC-01.
"""

from typing import Final

from addc.rpc.call import InterfaceServer
from addc.rpc.interfaces.netlogon import (
    between_dcs,
    channel,
    control,
    domain_info,
    domain_trusts,
    locator,
    logon,
    passwords,
)
from addc.rpc.interfaces.netlogon.idl import NETLOGON

SERVER: Final = InterfaceServer(
    NETLOGON,
    {
        2: logon.logon_sam_logon,
        3: logon.logon_sam_logoff,
        4: channel.server_req_challenge,
        5: channel.server_authenticate,
        6: passwords.server_password_set,
        9: between_dcs.refuse_lan_manager,
        10: between_dcs.refuse_lan_manager,
        11: locator.netr_get_dc_name,
        12: control.logon_control,
        13: locator.get_any_dc_name,
        14: control.logon_control2,
        15: channel.server_authenticate2,
        18: control.logon_control2_ex,
        19: domain_trusts.enumerate_trusted_domains,
        20: locator.get_dc_name,
        21: channel.logon_get_capabilities,
        23: between_dcs.logon_get_trust_rid,
        24: between_dcs.logon_compute_server_digest,
        25: between_dcs.logon_compute_client_digest,
        26: channel.server_authenticate3,
        27: locator.get_dc_name_ex,
        28: locator.get_site_name,
        29: domain_info.logon_get_domain_info,
        30: passwords.server_password_set2,
        31: passwords.server_password_get,
        32: between_dcs.logon_send_to_sam,
        33: locator.address_to_site_names,
        34: locator.get_dc_name_ex2,
        35: locator.time_service_parent_domain,
        36: domain_trusts.enumerate_trusted_domains_ex,
        37: locator.address_to_site_names_ex,
        38: locator.get_dc_site_coverage,
        39: logon.logon_sam_logon_ex,
        40: domain_trusts.enumerate_domain_trusts,
        41: between_dcs.deregister_dns_host_records,
        42: passwords.server_trust_passwords_get,
        43: domain_trusts.dsr_get_forest_trust_information,
        44: domain_trusts.get_forest_trust_information,
        45: logon.logon_sam_logon_with_flags,
        46: passwords.server_get_trust_info,
        48: between_dcs.update_read_only_server_dns_records,
        49: domain_info.chain_set_client_attributes,
        59: channel.server_authenticate_kerberos,
    },
    pipes=("netlogon",),
    annotation="Net Logon Service",
)
