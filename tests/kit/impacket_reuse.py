"""SamrValidateComputerAccountReuseAttempt by Impacket, which does not know it, over a named pipe.

`python -m tests.kit.impacket_reuse DC DOMAIN USER PASSWORD COMPUTER_SID` prints "may reuse: 0" or "1", or the
status of the refusal.
"""

import sys

from impacket.dcerpc.v5 import samr, transport
from impacket.dcerpc.v5.dtypes import RPC_SID, ULONG
from impacket.dcerpc.v5.ndr import NDRCALL

DCERPCSessionError = samr.DCERPCSessionError
"""Impacket looks for it beside the call's class."""


_CALL = "SamrValidateComputerAccountReuseAttempt"
_ASKED = (("ServerHandle", samr.SAMPR_HANDLE), ("ComputerSid", RPC_SID))
_ANSWERED = (("Result", ULONG), ("ErrorCode", ULONG))
SamrValidateComputerAccountReuseAttempt = type(_CALL, (NDRCALL,), {"opnum": 74, "structure": _ASKED})
SamrValidateComputerAccountReuseAttemptResponse = type(
    f"{_CALL}Response", (NDRCALL,), {"structure": _ANSWERED}
)


def main() -> None:
    """Ask as one user about one computer."""
    dc, domain, user, password, sid = sys.argv[1:]
    binding = transport.DCERPCTransportFactory(rf"ncacn_np:{dc}[\pipe\samr]")
    binding.set_credentials(user, password, domain)
    dce = binding.get_dce_rpc()
    dce.connect()
    dce.bind(samr.MSRPC_UUID_SAMR)
    request = SamrValidateComputerAccountReuseAttempt()
    request["ServerHandle"] = samr.hSamrConnect5(dce)["ServerHandle"]
    request["ComputerSid"].fromCanonical(sid)
    try:
        print("may reuse:", dce.request(request)["Result"])
    except DCERPCSessionError as error:
        print("refused:", hex(error.get_error_code()))


if __name__ == "__main__":
    main()
