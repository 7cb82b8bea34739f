"""From the directory to the KDC's facts about services that act for users, and whom they act for.

Spec: [MS-SFU] 3.2.5.1, 3.2.5.2.
"""

from dataclasses import replace

from addc.codec.ids import Sid
from addc.codec.krb5 import Ticket
from addc.directory.accounts import Account
from addc.directory.context import ReadContext
from addc.kdc import lookup_delegated, lookup_trusts, s4u_trusts
from addc.kdc.facts import (
    Delegated,
    Evidence,
    ForUser,
    Impersonated,
    OpenedTgs,
    OpenedTicket,
    RealmFacts,
    TgsFacts,
)
from addc.kdc.lookup_accounts import (
    account_of_certificate,
    at_commit,
    client_account,
    local_sids,
    membership,
    optional_principal,
    principal,
    server_account,
)
from addc.kdc.s4u_evidence import open_evidence, told_sids
from addc.kdc.trust_clients import believed_sids


def facts_of_users_abroad(
    ctx: ReadContext, realm: RealmFacts, opened: OpenedTgs, server: Account | None
) -> TgsFacts:
    """Facts of S4U2Self and S4U2Proxy with a partner's ticket."""
    facts = TgsFacts(realm, None, optional_principal(ctx, server))
    wanted, tgt = opened.for_user, opened.tgt
    if wanted is None:
        evidence, sids = _evidence_from_abroad(ctx, realm, opened)
        allowed = lookup_trusts.may_authenticate(ctx, sids, server)
        return replace(facts, evidence=evidence, may_authenticate=allowed)
    if realm.is_alias(wanted.crealm):
        return replace(facts, user=impersonated_user(ctx, realm, wanted))
    service = client_account(ctx, opened.cname) if realm.is_alias(tgt.part.crealm) else None
    sids = believed_sids(tgt, (str(wanted.cname), wanted.crealm))
    return replace(
        facts,
        client=optional_principal(ctx, service),
        resource_rids=lookup_trusts.local_rids(ctx, sids),
        may_authenticate=lookup_trusts.may_authenticate(ctx, sids, server),
    )


def _evidence_from_abroad(
    ctx: ReadContext, realm: RealmFacts, opened: OpenedTgs
) -> tuple[Evidence | None, tuple[Sid, ...]]:
    """What is known of a user whom a partner's ticket leads here, and of the service that leads."""
    tgt, ticket = opened.tgt, opened.evidence
    if ticket is None:
        return None, ()
    own = lookup_trusts.local_rids(ctx, believed_sids(tgt))
    sids = s4u_trusts.sids_of_user(ticket)
    evidence = Evidence(
        ticket,
        f"{tgt.part.cname}@{tgt.part.crealm}",
        True,
        None,
        frozenset(realm.domain_sid.child(rid) for rid in own),
        lookup_trusts.local_rids(ctx, sids),
    )
    return evidence, sids


def impersonated_user(ctx: ReadContext, realm: RealmFacts, wanted: ForUser) -> Impersonated | None:
    """Whom S4U2Self means; a certificate and a name must mean the same account ([MS-SFU] 2.2.2)."""
    if not realm.is_alias(wanted.crealm):
        return None
    found = None if wanted.cname is None else client_account(ctx, wanted.cname)
    if wanted.certificate is not None:
        shown = account_of_certificate(ctx, wanted.certificate)
        if wanted.cname is not None and (found is None or shown is None or found.dnt != shown.dnt):
            return None
        found = shown
    return _impersonated(ctx, found)


def delegated_account(
    ctx: ReadContext, user: Impersonated | None, machine: Account | None
) -> Delegated | None:
    """What is known of a delegated managed account that a machine asks to act as."""
    if user is None or machine is None:
        return None
    old = lookup_delegated.replaced_account(ctx, user.principal)
    before = None if old is None else lookup_delegated.with_itself(old, membership(ctx, old))
    return lookup_delegated.delegated(ctx, user.principal, user.membership, before, machine)


def _impersonated(ctx: ReadContext, account: Account | None) -> Impersonated | None:
    if account is None:
        return None
    return at_commit(
        ctx,
        ("kdc.user", account.dnt),
        lambda: Impersonated(principal(ctx, account), membership(ctx, account)),
    )


def evidence_facts(ctx: ReadContext, realm: RealmFacts, ticket: Ticket, service: Account) -> Evidence:
    """What is known about the evidence of S4U2Proxy, opened with the keys of the service that shows it."""
    named = server_account(ctx, ticket.sname, user2user=True)
    opened = open_evidence(ticket, principal(ctx, service).keys)
    user: Impersonated | None = None
    rids: tuple[int, ...] = ()
    if isinstance(opened, OpenedTicket):
        if realm.is_alias(opened.part.crealm):
            user = _impersonated(ctx, client_account(ctx, opened.part.cname))
        else:
            rids = lookup_trusts.local_rids(ctx, told_sids(opened))
    return Evidence(
        opened,
        f"{ticket.sname}@{ticket.realm}",
        named is not None and named.dnt == service.dnt and realm.is_alias(ticket.realm),
        user,
        local_sids(ctx, service),
        rids,
    )
