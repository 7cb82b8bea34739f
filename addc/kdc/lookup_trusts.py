"""From the directory to the KDC's facts about trusts, and about clients that came by one.

Spec: [MS-ADTS] 6.1.6, [MS-KILE] 3.3.5.7.2, 3.3.5.7.3, 3.3.5.7.5.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from addc.codec.forest_trust import DomainFlags, TopLevelName
from addc.codec.ids import Sid
from addc.directory import accounts, groups, rights, trust_namespaces, trusts
from addc.directory.accounts import Account
from addc.directory.context import ReadContext
from addc.directory.trusts import Trust, TrustKeys
from addc.kdc.facts import NO_TRUSTS, KeyRing, OpenedTicket, TrustFacts
from addc.schema.wellknown import ExtendedRight
from addc.security import wellknown
from addc.security.access_check import evaluate
from addc.security.trusts import TrustAttributes, TrustType

_ALLOWED_TO_AUTHENTICATE: Final = ExtendedRight.ALLOWED_TO_AUTHENTICATE.bytes_le
_NETBIOS_OFF: Final = int(
    DomainFlags.NETBIOS_DISABLED_ADMIN
    | DomainFlags.NETBIOS_DISABLED_CONFLICT
    | DomainFlags.SID_DISABLED_ADMIN
    | DomainFlags.SID_DISABLED_CONFLICT
)


def trust_facts(ctx: ReadContext) -> Mapping[str, TrustFacts]:
    """Every trust that is in force, by the partner's realm."""
    found = trusts.trusted_domains(ctx)
    if not found:
        return NO_TRUSTS
    return {
        one.realm: _facts(ctx, one)
        for one in found
        if one.direction and one.trust_type in (TrustType.UPLEVEL, TrustType.MIT)
    }


def forest_names(ctx: ReadContext) -> tuple[str, ...]:
    """DNS names of the forest's other domains; not asked for where no trust leads to them."""
    if not trusts.trusted_domains(ctx):
        return ()
    own = ctx.forest.dns_domain.lower()
    named = (one.dns_name.rstrip(".").lower() for one in trust_namespaces.own_domains(ctx))
    return tuple(name for name in named if name != own)


def _facts(ctx: ReadContext, one: Trust) -> TrustFacts:
    return TrustFacts(
        realm=one.realm,
        netbios=one.flat_name,
        sid=one.sid,
        trust_type=one.trust_type,
        attributes=int(one.attributes),
        to_partner=_ring(trusts.incoming_keys(ctx, one)),
        from_partner=_ring(trusts.outgoing_keys(ctx, one)),
        enctypes=one.enctypes,
        former_until_ft=0 if one.incoming is None else one.incoming.former_until_ft(),
        names=_names(one),
        netbios_names=_netbios_names(one),
        scope=trusts.scope(ctx, one),
    )


def _ring(keys: TrustKeys | None) -> KeyRing | None:
    if keys is None:
        return None
    old = ((keys.previous_kvno or 0, keys.previous),) if keys.previous else ()
    return KeyRing(keys.kvno or 0, keys.current, keys.salt, old)


def _names(one: Trust) -> tuple[TopLevelName, ...]:
    """What the partner claims: its forest's names, or its own with what is below it."""
    if one.attributes & TrustAttributes.FOREST_TRANSITIVE and one.forest is not None:
        return one.forest.names
    return (TopLevelName(one.partner),)


def _netbios_names(one: Trust) -> frozenset[str]:
    if one.is_mit:
        return frozenset()
    found = {one.flat_name.lower()}
    for domain in one.forest.domains if one.forest is not None else ():
        if domain.scanned or domain.flags & _NETBIOS_OFF:
            found.discard(domain.netbios_name.lower())
        else:
            found.add(domain.netbios_name.lower())
    return frozenset(found)


# --- clients -----------------------------------------------------------------------------------------------


def mapped_account(ctx: ReadContext, tgt: OpenedTicket) -> Account | None:
    """The account that a client of a realm without PACs stands for, by altSecurityIdentities; one, or none.

    Spec: [MS-KILE] 3.3.5.7.2.
    """
    if tgt.trust is None or tgt.trust.trust_type != TrustType.MIT:
        return None
    return accounts.find_by_identity(ctx, f"Kerberos:{tgt.part.cname}@{tgt.part.crealm}")


def local_rids(ctx: ReadContext, sids: Sequence[Sid]) -> tuple[int, ...]:
    """The domain-local groups of this domain that a foreigner is in: GetResourceDomainInfo.

    Spec: [MS-KILE] 3.3.5.7.3, [MS-ADTS] 3.1.1.13.4.
    """
    if not sids:
        return ()
    domain = ctx.forest.domain_sid
    found = groups.local_groups(ctx, sids)
    return tuple(sorted(sid.rid() for sid in found if sid.domain() == domain))


def may_authenticate(ctx: ReadContext, sids: Sequence[Sid], server: Account | None) -> bool:
    """Whether another organization's user may come to a service; True for everybody else.

    Spec: [MS-KILE] 3.3.5.7, [MS-ADTS] 5.1.3.2.1 (Allowed-To-Authenticate).
    """
    if server is None or wellknown.OTHER_ORGANIZATION not in sids:
        return True
    row = ctx.tx.get(server.dnt)
    if row is None:
        return False
    own_class = ctx.schema.class_by_id(row.class_id)
    granted = evaluate(
        rights.descriptor(ctx, row),
        groups.token_of_sids(ctx, sids[0], sids[1:]),
        server.sid,
        None if own_class is None else own_class.schema_id_guid_wire,
    )
    return granted.allows(rights.CONTROL_ACCESS, _ALLOWED_TO_AUTHENTICATE)
