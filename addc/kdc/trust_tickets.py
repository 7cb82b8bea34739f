"""Tickets that cross a realm's border: referrals on the way out, service tickets for who came in.

Spec: RFC 4120 3.3.3, RFC 6806 8, [MS-KILE] 3.3.5.7.2, 3.3.5.7.5.
"""

from typing import Final

from addc.base.clock import FileTime
from addc.codec.krb5_numbers import KdcOptions
from addc.codes.krb_error import KrbErrorCode
from addc.kdc.facts import KdcRefusal, OpenedTgs, TgsFacts
from addc.kdc.policy import KdcPolicy, check_server
from addc.kdc.referrals import check_transit, partner_krbtgt, route
from addc.kdc.subject import Subject
from addc.kdc.tgs_grant import TgsGrant
from addc.kdc.trust_clients import check_may_authenticate, foreign_subject

_RENEW: Final = int(KdcOptions.RENEW)
_ON_BEHALF: Final = int(KdcOptions.ENC_TKT_IN_SKEY | KdcOptions.CNAME_IN_ADDL_TKT)
_UNKNOWN: Final = KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN


def _plain(opened: OpenedTgs) -> bool:
    """Whether the client asks for itself, and not by the means of S4U or user-to-user."""
    return opened.for_user is None and not opened.request.message.req_body.kdc_options & _ON_BEHALF


def refer(opened: OpenedTgs, facts: TgsFacts, subject: Subject, policy: KdcPolicy, now: FileTime) -> TgsGrant:
    """The ticket for the KDC of the realm where the service is.

    Raises KdcRefusal where no trust leads there. Spec: RFC 6806 8, W-TRUST-09.
    """
    body = opened.request.message.req_body
    onward = None
    if body.sname is not None and _plain(opened):
        onward = route(body.sname, body.kdc_options, facts.realm)
    if onward is None:
        raise KdcRefusal(_UNKNOWN)
    if body.kdc_options & _RENEW:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    check_transit(opened.tgt.trust, onward)
    server = partner_krbtgt(onward, now)
    return TgsGrant(opened, facts, subject, server, policy, onward)


def ticket_for_foreigner(opened: OpenedTgs, facts: TgsFacts, policy: KdcPolicy, now: FileTime) -> TgsGrant:
    """The ticket for a client that came by a trust.

    It gets tickets of services here and referrals within the forest, and no TGT of this realm: it has its
    own realm's. Raises KdcRefusal.
    """
    body = opened.request.message.req_body
    subject = foreign_subject(opened, facts, now)
    if not _plain(opened):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    if body.sname is None or not facts.realm.is_alias(body.realm):
        raise KdcRefusal(_UNKNOWN)
    server = facts.server
    if server is None:
        return refer(opened, facts, subject, policy, now)
    if server.is_krbtgt:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY)
    check_server(server)
    check_may_authenticate(facts)
    return TgsGrant(opened, facts, subject, server, policy)
