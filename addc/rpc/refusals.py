"""Refusals that take more than a status: a union of the level asked for, a buffer of the size offered.

Spec: [C706] 14.3.8 (unions); [MS-SRVS] 3.1.4, [MS-SCMR] 3.1.4, [MS-RRP] 3.1.5.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeVar

from addc.base.errors import DsError
from addc.codec.ndr import Ndr
from addc.codes.win32 import Win32
from addc.rpc.call import Call

Q = TypeVar("Q", bound=Ndr)
R = TypeVar("R", bound=Ndr)

Work = Callable[[Call, Q], Awaitable[R]]


def refusing(kind: type[Q], refuse: Callable[[Q, Win32], R]) -> Callable[[Work[Q, R]], Work[Q, R]]:
    """Refusals of an operation are made by `refuse`, because a status alone does not make its response.

    kind: what is asked.
    """

    def around(work: Work[Q, R]) -> Work[Q, R]:
        @wraps(work)
        async def answer(call: Call, request: Q) -> R:
            try:
                return await work(call, request)
            except DsError as error:
                return refuse(request, Win32(error.code))

        return answer

    return around
