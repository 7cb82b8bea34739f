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
from addc.kdc.facts import AsFacts, AsRequest, KdcRequest, OpenedTgs, Outcome, TgsFacts, TgsRequest
from addc.kdc.lookup import as_facts, domain_policy, realm_facts, tgs_facts
from addc.kdc.lookup_certificates import with_authorities, with_certificates
from addc.kdc.policy import KdcPolicy
from addc.kdc.tgs_exchange import answer_tgs_req, open_tgs_req

AS_REQ: Final = 0x6A
TGS_REQ: Final = 0x6C
"""First bytes of what port 88 is asked."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its outcome.

    opened: what a TGS request presented, None where that did not open. facts: over which it was decided, None
    where it was refused before any were looked up.
    """

    request: AsRequest | TgsRequest
    outcome: Outcome
    opened: OpenedTgs | None = None
    facts: AsFacts | TgsFacts | None = None

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
        as_known = as_facts(ctx, realm, inner.message, inner.armor)
        as_known = with_certificates(ctx, as_known, inner.message, policy)
        return Exchange(inner, answer_as_req(inner, as_known, policy, now, rng), facts=as_known)
    opened = open_tgs_req(request, realm, policy, now, rng)
    if not isinstance(opened, OpenedTgs):
        return Exchange(request, opened)
    known = with_authorities(ctx, tgs_facts(ctx, realm, opened), opened)
    return Exchange(request, answer_tgs_req(opened, known, policy, now, rng), opened, known)
