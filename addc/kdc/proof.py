"""How a client proves who it is: an attempt, the proof that comes of it, a row of the table of mechanisms.

Spec: RFC 6113 3, [MS-KILE] 3.3.5.6.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from addc.base.clock import FileTime
from addc.base.rng import Rng
from addc.codec.ids import Sid
from addc.codec.krb5 import PaData
from addc.kdc.facts import AsFacts, AsRequest, Principal
from addc.kdc.policy import KdcPolicy
from addc.security import wellknown
from addc.security.krb_keys import Key


@dataclass(frozen=True, slots=True)
class Attempt:
    """An AS request of a known client.

    keys: of the account, as far as it may use them. usable: their encryption types that the client also asks
    for, strongest first; none for an account that has no password.
    """

    request: AsRequest
    facts: AsFacts
    client: Principal
    keys: Mapping[int, Key]
    usable: Sequence[int]
    policy: KdcPolicy
    now: FileTime
    rng: Rng


@dataclass(frozen=True, slots=True)
class Proof:
    """What a mechanism found.

    key: encrypts the reply. kvno: its version, None where it is no key of the account.
    padata: for the reply. sids: how the identity was asserted, for the PAC. buffers: further buffers of the
    PAC. by_password: a password's age and SMARTCARD_REQUIRED matter. until: when what proved it ends.
    """

    key: Key
    kvno: int | None
    padata: tuple[PaData, ...]
    preauthenticated: bool = True
    by_password: bool = True
    sids: tuple[Sid, ...] = (wellknown.AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY,)
    buffers: tuple[tuple[int, bytes], ...] = ()
    until: FileTime | None = None


class Mechanism(NamedTuple):
    """One kind of pre-authentication.

    needs_key: it proves knowledge of one of the account's keys. prove: raises KdcRefusal.
    offer: what METHOD-DATA says of it, None where this request may not use it.
    """

    pa_type: int
    needs_key: bool
    prove: Callable[[Attempt, bytes], Proof]
    offer: Callable[[Attempt], PaData | None]
