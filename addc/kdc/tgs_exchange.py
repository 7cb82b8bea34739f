"""The TGS exchange: from a ticket to the next ticket, in two steps.

`open_tgs_req` decrypts what the client presents, with nothing but krbtgt's keys; it tells whose facts are
needed. `answer_tgs_req` decides over these facts.

Spec: RFC 4120 3.3, RFC 6806 8, [MS-KILE] 3.3.5.7, [MS-PAC] 2.8, 4.
"""

from dataclasses import replace
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.codec.krb5 import Authenticator, KdcReqBody, Ticket, req_body_bytes
from addc.codec.krb5_numbers import KdcOptions, MessageType, PaType
from addc.codec.pac import Pac
from addc.codes.krb_error import KrbErrorCode
from addc.kdc import authn_policy, dmsa, fast, rodc, s4u_trusts, tickets
from addc.kdc.facts import (
    Issued,
    KdcRefusal,
    OpenedTgs,
    OpenedTicket,
    Principal,
    RealmFacts,
    TgsFacts,
    TgsOutcome,
    TgsRequest,
)
from addc.kdc.fast_device import Device
from addc.kdc.open_ticket import checked_pac, open_authenticator, read_ap_req
from addc.kdc.padata import find_padata
from addc.kdc.policy import KdcPolicy, check_hours, check_server, check_standing
from addc.kdc.principal_names import is_tgs
from addc.kdc.s4u_proxy import delegation
from addc.kdc.s4u_self import for_user, impersonation
from addc.kdc.subject import Subject, holder
from addc.kdc.tgs_grant import TgsGrant
from addc.kdc.trust_clients import check_returning, open_any_tgt
from addc.kdc.trust_tickets import refer, ticket_for_foreigner
from addc.security.account_flags import UserAccountControl
from addc.security.krb_keys import Cksumtype, Etype, Key, KeyUsage, is_keyed, verify_checksum

_POSTDATED: Final = int(KdcOptions.POSTDATED)
_VALIDATE: Final = int(KdcOptions.VALIDATE)
_RENEW: Final = int(KdcOptions.RENEW)
_FORWARDED: Final = int(KdcOptions.FORWARDED)
_PROXY: Final = int(KdcOptions.PROXY)
_USER2USER: Final = int(KdcOptions.ENC_TKT_IN_SKEY)
_S4U2PROXY: Final = int(KdcOptions.CNAME_IN_ADDL_TKT)
_DISABLED: Final = int(UserAccountControl.UF_ACCOUNTDISABLE)


def open_tgs_req(
    request: TgsRequest, realm: RealmFacts, policy: KdcPolicy, now: FileTime, rng: Rng
) -> OpenedTgs | TgsOutcome:
    """Check the message, its ticket and its authenticator, take it out of its armor; an outcome is a refusal.

    Spec: RFC 4120 3.3.2, 3.2.3, RFC 6113 5.4.2.
    """
    try:
        opened = _open(request, realm, policy, now)
        request = opened.request
        return _with_padata(opened, realm, policy, now)
    except DecodeError:
        return _refused(KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC), request, realm, now, rng)
    except KdcRefusal as refusal:
        return _refused(refusal, request, realm, now, rng)


def _refused(
    refusal: KdcRefusal,
    request: TgsRequest,
    realm: RealmFacts,
    now: FileTime,
    rng: Rng,
    *,
    client: Principal | None = None,
) -> TgsOutcome:
    sname = request.message.req_body.sname
    reply = fast.refusal_reply(refusal, request, realm.realm, now, rng)
    return TgsOutcome(
        reply, refusal.code, refusal.status, client=client, server_name=str(sname or "")
    )  # fmt: skip


def _open(request: TgsRequest, realm: RealmFacts, policy: KdcPolicy, now: FileTime) -> OpenedTgs:
    message = request.message
    if message.pvno != 5:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BAD_PVNO)
    if message.msg_type != MessageType.KRB_TGS_REQ:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MSG_TYPE)
    value = find_padata(message.padata, int(PaType.PA_TGS_REQ))
    if value is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PADATA_TYPE_NOSUPP)
    ap_req = read_ap_req(value)
    tgt = _presented(ap_req.ticket, message.req_body.kdc_options, realm, policy, now)
    authenticator = open_authenticator(ap_req, tgt, KeyUsage.TGS_REQ_AUTHENTICATOR, policy, now)
    _check_body(request, authenticator, tgt)
    fast.check_marks(request, authenticator.authorization_data, tgt.part.authorization_data)
    given = authenticator.subkey
    subkey = None if given is None else Key(given.keytype, given.keyvalue)
    return fast.open_tgs_req(OpenedTgs(request, tgt, subkey), realm, policy, now)


def _with_padata(opened: OpenedTgs, realm: RealmFacts, policy: KdcPolicy, now: FileTime) -> OpenedTgs:
    """What else the request presents: the second ticket of user-to-user, the user of S4U2Self."""
    body = opened.request.message.req_body
    options, second = body.kdc_options, None
    if options & _USER2USER:
        second = _second_ticket(body, realm, policy, now)
    user = for_user(opened.request, opened.tgt, opened.subkey)
    if second is not None or user is not None:
        if options & _S4U2PROXY:
            raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
        opened = replace(opened, second=second, for_user=user)
    if opened.tgt.trust is None:
        return opened
    check_returning(opened, realm)
    if options & _S4U2PROXY:
        if not body.additional_tickets:
            raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
        opened = replace(opened, evidence=open_any_tgt(body.additional_tickets[0], realm, policy, now))
    return opened


def _presented(
    ticket: Ticket, options: int, realm: RealmFacts, policy: KdcPolicy, now: FileTime
) -> OpenedTicket:
    """The ticket that a request is made with; only one that waits for its validation may be INVALID."""
    if options & (_RENEW | _VALIDATE) and not is_tgs(ticket.sname):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY)
    if options & _VALIDATE:
        return rodc.open_domain_tgt(ticket, realm, policy, now, validating=True)
    return open_any_tgt(ticket, realm, policy, now, returning=True)


def _check_body(request: TgsRequest, authenticator: Authenticator, tgt: OpenedTicket) -> None:
    """The authenticator's checksum over the request body.

    Deviation: RFC 4120 3.3.2 wants a keyed checksum. Impacket and minikerberos send none, Java sends RSA-MD5;
    Windows takes both, and the authenticator's own encryption covers the latter.
    """
    cksum = authenticator.cksum
    if cksum is None:
        return
    if not is_keyed(cksum.cksumtype) and cksum.cksumtype != Cksumtype.RSA_MD5:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_INAPP_CKSUM)
    try:
        good = verify_checksum(
            tgt.session,
            int(KeyUsage.TGS_REQ_AUTHENTICATOR_CKSUM),
            req_body_bytes(request.raw),
            cksum.cksumtype,
            cksum.checksum,
        )
    except DecodeError:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_INAPP_CKSUM) from None
    if not good:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)


def _second_ticket(body: KdcReqBody, realm: RealmFacts, policy: KdcPolicy, now: FileTime) -> OpenedTicket:
    """The TGT whose session key a user-to-user ticket is encrypted with (RFC 4120 3.3.3).

    What is none, and what is under krbtgt's RC4 key, has errors here that Windows has for no other ticket.
    """
    if not body.additional_tickets:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    ticket = body.additional_tickets[0]
    if not is_tgs(ticket.sname):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY)
    if ticket.enc_part.etype == Etype.RC4_HMAC:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)
    return rodc.open_domain_tgt(ticket, realm, policy, now)


def answer_tgs_req(
    opened: OpenedTgs, facts: TgsFacts, policy: KdcPolicy, now: FileTime, rng: Rng
) -> TgsOutcome:
    """Decide one TGS exchange over the facts that `opened` asked for ([MS-KILE] 3.3.5.7)."""
    request = opened.request
    try:
        issued = _decide(opened, facts, policy, now, rng)
    except DecodeError:
        refusal = KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC)
        return _refused(refusal, request, facts.realm, now, rng, client=facts.client)
    except KdcRefusal as refusal:
        return _refused(refusal, request, facts.realm, now, rng, client=facts.client)
    sname = request.message.req_body.sname
    return TgsOutcome(
        issued.reply,
        client=facts.client,
        server_name=str(sname or ""),
        client_name=str(opened.cname),
        issued=issued,
    )


def _decide(opened: OpenedTgs, facts: TgsFacts, policy: KdcPolicy, now: FileTime, rng: Rng) -> Issued:
    body = opened.request.message.req_body
    device = fast.device_of(opened.request, facts, now)
    # 1. The client is still who its ticket says.
    if opened.tgt.trust is not None:
        _check_options(opened, policy, now)
        abroad = s4u_trusts.grant if s4u_trusts.is_asked(opened) else ticket_for_foreigner
        return _for_device(abroad(opened, facts, policy, now), device).reply(now, rng)
    pac = _client_pac(opened, facts, policy, now)
    client = facts.client
    assert client is not None
    dmsa.check_not_superseded(client, facts.realm)
    # 2. What is asked for can be done.
    _check_options(opened, policy, now)
    if body.sname is None or not facts.realm.is_alias(body.realm):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN)
    server = facts.server
    if server is None and body.kdc_options & _S4U2PROXY:
        return s4u_trusts.delegation_abroad(opened, facts, policy, now).reply(now, rng)
    if server is None:
        subject = rodc.limited(holder(opened.tgt, pac, client, ()), opened, facts, policy, now)
        return refer(opened, facts, subject, policy, now).reply(now, rng)
    if opened.second is None:
        check_server(server)
    else:
        _check_user2user(opened.second, facts, server, now)
    # 3. For whom.
    subject = _subject(opened, facts, pac, policy, now, device=device)
    if opened.for_user is None and authn_policy.restricts_clients(server):
        if opened.tgt.rodc:
            raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY)
        authn_policy.check_to(server, authn_policy.requester(pac, facts.local_sids, device))
    # 4. The ticket.
    return TgsGrant(opened, facts, subject, server, policy, device=device).reply(now, rng)


def _client_pac(opened: OpenedTgs, facts: TgsFacts, policy: KdcPolicy, now: FileTime) -> Pac:
    """The PAC of a client of this realm, who is looked at again once the ticket is of some age."""
    if opened.tgt.rodc:
        return rodc.client_pac(opened, facts, now)
    client = facts.client
    pac = checked_pac(opened.tgt, client)
    assert client is not None
    if policy.validate_client and now - opened.tgt.part.authtime > policy.validate_client_after:
        check_standing(client, now)
        check_hours(client, now)
    return pac


def _subject(
    opened: OpenedTgs, facts: TgsFacts, pac: Pac, policy: KdcPolicy, now: FileTime, *, device: Device | None
) -> Subject:
    """The user whom a service asks for, else the client itself."""
    if opened.for_user is not None:
        asked = dmsa.acting if dmsa.is_asked(opened) else impersonation
        return asked(opened, facts, now)
    if opened.request.message.req_body.kdc_options & _S4U2PROXY:
        return delegation(opened, facts, pac, policy, now, device=device)
    subject = holder(opened.tgt, pac, facts.client, facts.resource_rids)
    return rodc.limited(subject, opened, facts, policy, now)


def _for_device(grant: TgsGrant, device: Device | None) -> TgsGrant:
    """A foreigner's ticket, if the service's policy lets it come. Raises KdcRefusal."""
    if authn_policy.restricts_clients(grant.server):
        resource = grant.facts.realm.domain_sid
        local = frozenset(resource.child(rid) for rid in grant.subject.resource_rids)
        authn_policy.check_to(grant.server, authn_policy.requester(grant.subject.pac, local, device))
    return grant if device is None else replace(grant, device=device)


def _check_options(opened: OpenedTgs, policy: KdcPolicy, now: FileTime) -> None:
    """Options and padata that this KDC refuses, and those that the ticket must allow (RFC 4120 3.3.3)."""
    body, flags = opened.request.message.req_body, opened.tgt.part.flags
    options = body.kdc_options
    if options & _POSTDATED or (body.from_ and body.from_ > now + policy.max_clock_skew):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_CANNOT_POSTDATE)
    if options & _VALIDATE and not (flags & tickets.INVALID and _is_for_tgt(body)):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    if flags & tickets.INVALID and not options & _VALIDATE:  # the option stood outside of the armor alone
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_TKT_NYV)
    if options & _FORWARDED and not flags & tickets.FORWARDABLE:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    if options & _PROXY and not flags & tickets.PROXIABLE:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    if options & _RENEW:
        if not (flags & tickets.RENEWABLE and _is_for_tgt(body)):
            raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
        if (opened.tgt.part.renew_till or 0) <= now:
            raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_TKT_EXPIRED)


def _is_for_tgt(body: KdcReqBody) -> bool:
    """Whether the service is krbtgt, whose ticket was presented: renewing and validating change nothing."""
    return body.sname is not None and is_tgs(body.sname)


def _check_user2user(second: OpenedTicket, facts: TgsFacts, server: Principal, now: FileTime) -> None:
    """The additional ticket belongs to the service, and its PAC to its client."""
    if facts.second is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_TGT_REVOKED)
    if facts.second.sid != server.sid:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADMATCH)
    if server.flags & _DISABLED:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_SERVICE_REVOKED)
    if second.rodc:
        rodc.own_pac(second, facts.second, facts.second_by_rodc, facts.realm, now)
    else:
        checked_pac(second, facts.second)
