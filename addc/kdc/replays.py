"""Which password requests were carried out lately: none is carried out twice.

Whoever overhears a request can send it again for as long as its clock is in order, and so undo a later
change: a password that a help desk set comes back. What was done is remembered in the very transaction that
did it, so all worker processes know.

Spec: RFC 3244 2, RFC 4120 3.2.3 (replay cache)
"""

import hashlib
from typing import Final

from addc.directory.context import WriteContext

_STATE: Final = "kpasswd.done"
_TIME_SIZE: Final = 8
_DIGEST_SIZE: Final = 16
_SIZE: Final = _TIME_SIZE + _DIGEST_SIZE


def is_first(ctx: WriteContext, proof: bytes, kept_ft: int) -> bool:
    """Whether this request was not carried out yet; then it is taken to be, if the transaction commits.

    proof: what no two requests have in common. kept_ft: how long a request is remembered, 100 ns: twice the
    clock skew that is let pass.
    """
    one = hashlib.sha256(proof).digest()[:_DIGEST_SIZE]
    held = ctx.tx.state(_STATE) or b""
    found = [held[at : at + _SIZE] for at in range(0, len(held), _SIZE)]
    fresh = [entry for entry in found if ctx.now - int.from_bytes(entry[:_TIME_SIZE], "big") <= kept_ft]
    if any(entry[_TIME_SIZE:] == one for entry in fresh):
        return False
    ctx.tx.set_state(_STATE, b"".join((*fresh, int(ctx.now).to_bytes(_TIME_SIZE, "big"), one)))
    return True
