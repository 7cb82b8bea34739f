"""The interface IObjectExporter, as far as it is served.

Spec: [MS-DCOM] 2.2.11 (COMVERSION), 2.2.19 (DUALSTRINGARRAY), 3.1.2.5.1.6, 6.
"""

from typing import Annotated, ClassVar, Final

from addc.codec.interface import Operation, interface
from addc.codec.ndr import U16, U32, Conformant, CountOf, Ndr, Unique, parameters, structure
from addc.codes.win32 import Win32


@structure
class ComVersion(Ndr):
    """COMVERSION."""

    major_version: Annotated[int, U16]
    minor_version: Annotated[int, U16]


@structure
class DualStringArray(Ndr):
    """DUALSTRINGARRAY. w_security_offset: where the security bindings begin in the array."""

    w_num_entries: ClassVar = CountOf("a_string_array", U16)
    w_security_offset: Annotated[int, U16]
    a_string_array: Annotated[tuple[int, ...], Conformant(U16)]


@parameters
class ServerAlive2(Ndr):
    pass


@parameters
class ServerAlive2Response(Ndr):
    p_com_version: Annotated[ComVersion, ComVersion] = ComVersion(0, 0)
    ppdsa_or_bindings: Annotated[DualStringArray | None, Unique(DualStringArray)] = None
    p_reserved: Annotated[int, U32] = 0
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


OXID: Final = interface(
    "IObjectExporter",
    "99fcfec4-5260-101b-bbcb-00aa0021347a",
    (0, 0),
    Operation(5, "ServerAlive2", ServerAlive2, ServerAlive2Response),
)
