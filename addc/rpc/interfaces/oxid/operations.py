"""That this machine is alive, and by which names and addresses it is reached. No object is exported here.

Spec: [MS-DCOM] 3.1.2.5.1.6.
"""

from typing import Final

from addc.rpc.call import ANY_LEVEL, AuthType, Call, InterfaceServer
from addc.rpc.interfaces.oxid.idl import OXID, ComVersion, DualStringArray, ServerAlive2, ServerAlive2Response

_VERSION: Final = ComVersion(5, 7)
_NCACN_IP_TCP: Final = 7
_NO_AUTHORIZATION: Final = 0xFFFF


def _words(text: str) -> tuple[int, ...]:
    data = text.encode("utf-16-le")
    return tuple(int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2))


async def server_alive2(call: Call, request: ServerAlive2) -> ServerAlive2Response:
    """The OXID resolver's own bindings."""
    del request
    strings: tuple[int, ...] = ()
    for name in (call.directory.forest.host.upper(), call.local):
        if name:
            strings += (_NCACN_IP_TCP, *_words(name), 0)
    strings += (0,)
    security: tuple[int, ...] = ()
    for service in (AuthType.SPNEGO, AuthType.WINNT, AuthType.KERBEROS):
        security += (int(service), _NO_AUTHORIZATION, 0)
    return ServerAlive2Response(_VERSION, DualStringArray(len(strings), (*strings, *security, 0)))


SERVER: Final = InterfaceServer(OXID, {5: server_alive2}, levels=ANY_LEVEL)
