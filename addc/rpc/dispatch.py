"""From stub octets to an operation and back: unpack, check the level, call, make refusals responses.

Octets behind the last parameter are ignored, as Windows ignores them.

Spec: [C706] 12.6.4.7 (fault PDU), [MS-RPCE] 3.1.1.5.5, 3.3.1.5.8; [MS-ERREF].
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, cast, get_args, get_origin

from addc.base.errors import DecodeError, DsError, NtError, StoreError
from addc.codec.interface import Operation
from addc.codec.ndr import Ndr, NdrReader, Syntax, read_structure
from addc.codes import faces
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.rpc.call import Call, InterfaceServer, RpcFault
from addc.rpc.verification import MAGIC, RequestFacts

_STATUS: Final[dict[type[Ndr], type[NtStatus | Win32] | None]] = {}
"""What kind of status a response ends with, by response."""


class LevelError(RpcFault):
    """The call's authentication level is not one that the operation takes."""


@dataclass(frozen=True, slots=True)
class RawCall:
    """A call as it came. facts: what a verification trailer behind the parameters has to confirm."""

    opnum: int
    stub: bytes
    syntax: Syntax = Syntax.NDR32
    facts: Callable[[], RequestFacts] | None = None


async def answer(server: InterfaceServer, call: Call, raw: RawCall) -> bytes:
    """The response's stub. Raises RpcFault where there is none."""
    opnum, stub, facts = raw.opnum, raw.stub, raw.facts
    operation = server.interface.operations.get(opnum)
    work = server.answers.get(opnum)
    if operation is None or work is None:
        raise RpcFault(NcaStatus.NCA_OP_RNG_ERROR, f"opnum {opnum}")
    level = call.security.level
    if level not in server.operation_levels.get(opnum, server.levels):
        raise LevelError(NcaStatus.NCA_S_FAULT_ACCESS_DENIED, f"authentication level {level.name}")
    reader = NdrReader(stub)
    try:
        request = read_structure(operation.request, reader, raw.syntax)
    except DecodeError as error:
        raise RpcFault(NcaStatus.NCA_S_FAULT_NDR, str(error)) from None
    if facts is not None and reader.pos < len(stub) and MAGIC in stub:
        if not facts().is_confirmed_by(stub[reader.pos :]):
            raise RpcFault(NcaStatus.NCA_S_FAULT_ACCESS_DENIED, "the verification trailer says otherwise")
    try:
        response = await work(call, request)
    except (NtError, DsError) as error:
        response = refusal(operation, error)
    except StoreError as error:
        if error.retryable:
            raise RpcFault(NcaStatus.NCA_SERVER_TOO_BUSY, str(error)) from error
        raise
    return cast(Ndr, response).pack(raw.syntax)


def refusal(operation: Operation, error: NtError | DsError) -> Ndr:
    """The response that says no. Raises RpcFault where the operation has no status to say it with."""
    kind = _status_kind(operation.response)
    if kind is NtStatus:
        status: int = error.status if isinstance(error, NtError) else faces.nt_face(error)
    elif kind is Win32:
        status = error.code if isinstance(error, DsError) else faces.win32_face(error.status)
    else:
        raise RpcFault(NcaStatus.NCA_S_FAULT_ACCESS_DENIED, str(error))
    return cast(Callable[..., Ndr], operation.response)(status=kind(status))


def _status_kind(response: type[Ndr]) -> type[NtStatus | Win32] | None:
    """NtStatus or Win32, as the response's `status` is annotated; None where it has none."""
    if response not in _STATUS:
        annotation = response.__annotations__.get("status")
        kind = get_args(annotation)[0] if get_origin(annotation) is Annotated else None
        _STATUS[response] = kind if kind in (NtStatus, Win32) else None
    return _STATUS[response]
