"""From the directory to the KDC's facts: the realm, and what each exchange is decided by.

Spec: [MS-KILE] 3.3.1.1, 3.3.5.6, 3.3.5.7.
"""

from dataclasses import replace
from typing import Final

from addc.codec.ids import Sid
from addc.codec.krb5 import AsReq
from addc.codec.krb5_numbers import KdcOptions, PaType
from addc.directory import (
    accounts,
    kerberos_policy,
)
from addc.directory.accounts import Account
from addc.directory.context import ReadContext
from addc.directory.kerberos_policy import KerberosPolicy
from addc.kdc import lookup_rodc, lookup_trusts, s4u_trusts
from addc.kdc.facts import (
    Armor,
    AsFacts,
    OpenedTgs,
    OpenedTicket,
    Principal,
    RealmFacts,
    Rodc,
    RodcClient,
    TgsFacts,
)
from addc.kdc.lookup_accounts import (
    TGT_KEYS_OLD,
    account_of_foreign_name,
    at_commit,
    client_account,
    local_sids,
    membership,
    optional_principal,
    principal,
    server_account,
)
from addc.kdc.lookup_s4u import delegated_account, evidence_facts, facts_of_users_abroad, impersonated_user
from addc.kdc.policy import KdcPolicy
from addc.kdc.trust_clients import believed_sids
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl

_PROOFS: Final = frozenset(
    int(kind)
    for kind in (
        PaType.PA_ENC_TIMESTAMP,
        PaType.PA_ENCRYPTED_CHALLENGE,
        PaType.PA_PK_AS_REQ,
        PaType.PA_PK_AS_REP_OLD,
    )
)
_USER2USER: Final = int(KdcOptions.ENC_TKT_IN_SKEY)
_S4U2PROXY: Final = int(KdcOptions.CNAME_IN_ADDL_TKT)
_NO_PREAUTH: Final = int(UserAccountControl.UF_DONT_REQUIRE_PREAUTH)


def realm_facts(ctx: ReadContext) -> RealmFacts | None:
    """The realm and its krbtgt; None if the directory has none, so that no ticket can be had."""
    return at_commit(ctx, ("kdc.realm",), lambda: _realm_facts(ctx))


def domain_policy(ctx: ReadContext, own: KdcPolicy) -> KdcPolicy:
    """The KDC's policy with the lifetimes that were set for the domain. own: where nothing was set."""
    found = at_commit(ctx, ("kdc.policy",), lambda: kerberos_policy.stored(ctx))
    if found is None:
        return own
    return at_commit(ctx, ("kdc.policy", own), lambda: _with_lifetimes(own, found))


def _with_lifetimes(own: KdcPolicy, found: KerberosPolicy) -> KdcPolicy:
    return replace(
        own,
        max_ticket_age=found.max_ticket_age_ft,
        max_service_ticket_age=found.max_service_age_ft,
        max_renew_age=found.max_renew_age_ft,
        max_clock_skew=found.max_clock_skew_ft,
        validate_client=found.validate_client,
    )


def _realm_facts(ctx: ReadContext) -> RealmFacts | None:
    forest = ctx.forest
    krbtgt = accounts.find_by_sid(ctx, forest.domain_sid.child(wellknown.RID_KRBTGT))
    if krbtgt is None:
        return None
    return RealmFacts(
        realm=forest.realm,
        netbios=forest.netbios,
        dns_domain=forest.dns_domain,
        domain_sid=forest.domain_sid,
        server=forest.host.upper(),
        krbtgt=principal(ctx, krbtgt),
        trusts=lookup_trusts.trust_facts(ctx),
        forest_names=lookup_trusts.forest_names(ctx),
        rodcs={
            number: Rodc(_with_few_keys(principal(ctx, krbtgt)), is_linked)
            for number, (krbtgt, is_linked) in lookup_rodc.krbtgt_accounts(ctx).items()
        },
    )


def _with_few_keys(krbtgt: Principal) -> Principal:
    """An RODC's krbtgt, whose previous passwords count no more often than those of the domain's."""
    keys = replace(krbtgt.keys, old=krbtgt.keys.old[:TGT_KEYS_OLD])
    return replace(krbtgt, keys=keys)


def as_facts(ctx: ReadContext, realm: RealmFacts, message: AsReq, armor: Armor | None = None) -> AsFacts:
    """Facts of an AS exchange; groups only where the request may get a ticket."""
    body = message.req_body
    proves = any(one.padata_type in _PROOFS for one in message.padata or ())
    client = client_account(ctx, body.cname) if body.cname is not None else None
    if client is None and body.cname is not None and not proves:
        client = account_of_foreign_name(ctx, body.cname)
    server = server_account(ctx, body.sname) if body.sname is not None else None
    wanted = None
    if client is not None and (proves or client.user_account_control & _NO_PREAUTH):
        wanted = membership(ctx, client)
    facts = AsFacts(realm, optional_principal(ctx, client), optional_principal(ctx, server), wanted)
    if armor is None or armor.ticket is None:
        return facts
    device, sids, by_rodc = _armor_client(ctx, realm, armor.ticket)
    return replace(facts, armor=device, armor_sids=sids, armor_by_rodc=by_rodc)


def _armor_client(
    ctx: ReadContext, realm: RealmFacts, ticket: OpenedTicket
) -> tuple[Principal | None, frozenset[Sid], RodcClient | None]:
    """Whom an armor's ticket was made for, None for another realm's; and its groups that are known here."""
    if ticket.trust is not None:
        rids = lookup_trusts.local_rids(ctx, believed_sids(ticket))
        return None, frozenset(realm.domain_sid.child(rid) for rid in rids), None
    found = client_account(ctx, ticket.part.cname)
    if found is None:
        return None, frozenset(), None
    sids = local_sids(ctx, found)
    return principal(ctx, found), sids, _of_rodc(ctx, ticket, found)


def _of_rodc(ctx: ReadContext, ticket: OpenedTicket, client: Account | None) -> RodcClient | None:
    """What is to be known of a ticket's client where an RODC made the ticket."""
    if not ticket.rodc or client is None:
        return None
    return lookup_rodc.client_facts(ctx, ticket.rodc, client, membership(ctx, client))


def _foreign_facts(ctx: ReadContext, realm: RealmFacts, opened: OpenedTgs) -> TgsFacts:
    """Facts about another realm's client: its name means nobody here but whom it was given to."""
    sname = opened.request.message.req_body.sname
    server = server_account(ctx, sname) if sname is not None else None
    if s4u_trusts.is_asked(opened):
        return facts_of_users_abroad(ctx, realm, opened, server)
    stands_for = lookup_trusts.mapped_account(ctx, opened.tgt)
    if stands_for is not None:
        of_account = membership(ctx, stands_for)
        return TgsFacts(
            realm,
            principal(ctx, stands_for),
            optional_principal(ctx, server),
            of_account.resource_rids,
            membership=of_account,
        )
    sids = believed_sids(opened.tgt)
    return TgsFacts(
        realm,
        None,
        optional_principal(ctx, server),
        lookup_trusts.local_rids(ctx, sids),
        may_authenticate=lookup_trusts.may_authenticate(ctx, sids, server),
    )


def tgs_facts(ctx: ReadContext, realm: RealmFacts, opened: OpenedTgs) -> TgsFacts:
    """Facts of a TGS exchange."""
    foreign, armor = opened.tgt.trust is not None, opened.request.armor
    facts = _foreign_facts(ctx, realm, opened) if foreign else _own_facts(ctx, realm, opened)
    if armor is None or armor.ticket is None:
        return facts
    device, sids, by_rodc = _armor_client(ctx, realm, armor.ticket)
    return replace(facts, armor=device, armor_sids=sids, armor_by_rodc=by_rodc)


def _own_facts(ctx: ReadContext, realm: RealmFacts, opened: OpenedTgs) -> TgsFacts:
    body = opened.request.message.req_body
    client = client_account(ctx, opened.cname)
    user2user = bool(body.kdc_options & _USER2USER)
    server = server_account(ctx, body.sname, user2user) if body.sname is not None else None
    second = client_account(ctx, opened.second.part.cname) if opened.second is not None else None
    facts = TgsFacts(
        realm,
        optional_principal(ctx, client),
        optional_principal(ctx, server),
        membership(ctx, client).resource_rids if client is not None else (),
        optional_principal(ctx, second),
    )
    if facts.server is not None and facts.server.policy is not None and client is not None:
        facts = replace(facts, local_sids=local_sids(ctx, client))
    if opened.tgt.rodc:
        facts = replace(facts, client_by_rodc=_of_rodc(ctx, opened.tgt, client))
    if opened.second is not None and opened.second.rodc:
        facts = replace(facts, second_by_rodc=_of_rodc(ctx, opened.second, second))
    if opened.for_user is not None:
        user = impersonated_user(ctx, realm, opened.for_user)
        return replace(facts, user=user, delegated=delegated_account(ctx, user, client))
    if body.kdc_options & _S4U2PROXY and body.additional_tickets and client is not None:
        return replace(facts, evidence=evidence_facts(ctx, realm, body.additional_tickets[0], client))
    return facts
