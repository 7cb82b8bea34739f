"""The interface srvsvc as this server has it: on its pipe alone.

Spec: [MS-SRVS] 3.1.4.
"""

from typing import Final

from addc.rpc.call import InterfaceServer
from addc.rpc.interfaces.srvsvc import server, sessions, shares
from addc.rpc.interfaces.srvsvc.idl import SRVSVC

SERVER: Final = InterfaceServer(
    SRVSVC,
    {
        8: sessions.netr_connection_enum,
        9: sessions.netr_file_enum,
        10: sessions.netr_file_get_info,
        11: sessions.netr_file_close,
        12: sessions.netr_session_enum,
        13: sessions.netr_session_del,
        14: shares.netr_share_add,
        15: shares.netr_share_enum,
        16: shares.netr_share_get_info,
        17: shares.netr_share_set_info,
        18: shares.netr_share_del,
        20: shares.netr_share_check,
        21: server.netr_server_get_info,
        22: server.netr_server_set_info,
        23: server.netr_server_disk_enum,
        26: server.netr_server_transport_enum,
        28: server.netr_remote_tod,
        33: server.netpr_name_validate,
        34: server.netpr_name_canonicalize,
        35: server.netpr_name_compare,
        36: shares.netr_share_enum_sticky,
        39: shares.netrp_get_file_security,
        40: shares.netrp_set_file_security,
    },
    pipes=("srvsvc",),
    tcp=False,
)
