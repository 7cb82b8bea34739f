"""One request of port 88, from its bytes to the decision: who is asked what, in one snapshot.

Nothing is counted, noted or logged here: the service does that, and `addc krb explain` asks the same
questions without leaving a trace.

Spec: RFC 4120 3.1, 3.3, [MS-KILE] 3.3.5.6, 3.3.5.7.
"""

from dataclasses import dataclass
from typing import Final

from addc.base.clock import FileTime
from addc.base.rng import Rng
from addc.codec.krb5 import AsReq, TgsReq
from addc.directory.context import ReadContext
from addc.kdc.as_exchange import answer_as_req, open_as_req
from addc.kdc.facts import AsRequest, KdcRequest, OpenedTgs, Outcome, TgsRequest
from addc.kdc.lookup import as_facts, domain_policy, realm_facts, tgs_facts
from addc.kdc.policy import KdcPolicy
from addc.kdc.tgs_exchange import answer_tgs_req, open_tgs_req

AS_REQ: Final = 0x6A
TGS_REQ: Final = 0x6C
"""First bytes of what port 88 is asked."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its outcome. opened: what a TGS request presented, None where that did not open."""

    request: AsRequest | TgsRequest
    outcome: Outcome
    opened: OpenedTgs | None = None

    @property
    def is_as(self) -> bool:
        return isinstance(self.request.message, AsReq)


def request_of(data: bytes) -> AsRequest | TgsRequest:
    """The request in a message of which `data[0]` is AS_REQ or TGS_REQ. Raises DecodeError."""
    if data[0] == AS_REQ:
        return KdcRequest(data, AsReq.unpack(data))
    return KdcRequest(data, TgsReq.unpack(data))


def decide(
    ctx: ReadContext, request: AsRequest | TgsRequest, own_policy: KdcPolicy, now: FileTime, rng: Rng
) -> Exchange | None:
    """What the KDC answers; None where the directory has no krbtgt.

    own_policy: of this KDC, where the domain sets nothing else.
    """
    realm = realm_facts(ctx)
    if realm is None:
        return None
    policy = domain_policy(ctx, own_policy)
    if isinstance(request.message, AsReq):
        inner = open_as_req(request, realm, policy, now, rng)
        if isinstance(inner, Outcome):
            return Exchange(request, inner)
        facts = as_facts(ctx, realm, inner.message, inner.armor)
        return Exchange(inner, answer_as_req(inner, facts, policy, now, rng))
    opened = open_tgs_req(request, realm, policy, now, rng)
    if not isinstance(opened, OpenedTgs):
        return Exchange(request, opened)
    outcome = answer_tgs_req(opened, tgs_facts(ctx, realm, opened), policy, now, rng)
    return Exchange(request, outcome, opened)
