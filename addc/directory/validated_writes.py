"""Writes that a lesser right allows, as long as the value is one that the rules accept.

Spec: [MS-ADTS] 3.1.1.5.3.1.1, 5.1.3.2.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.ids import AttId
from addc.directory import entry, names, rights
from addc.directory.accounts import Spn
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import Draft, draft_of
from addc.schema import attr, cls
from addc.schema.wellknown import ValidatedWrite
from addc.security.account_flags import UserAccountControl
from addc.store.objects import ObjectRow, ObjectState

RIGHT_OF: Final[dict[AttId, bytes]] = {
    attr.MEMBER: ValidatedWrite.SELF_MEMBERSHIP.bytes_le,
    attr.DNS_HOST_NAME: ValidatedWrite.VALIDATED_DNS_HOST_NAME.bytes_le,
    attr.MS_DS_ADDITIONAL_DNS_HOST_NAME: ValidatedWrite.VALIDATED_MS_DS_ADDITIONAL_DNS_HOST_NAME.bytes_le,
    attr.SERVICE_PRINCIPAL_NAME: ValidatedWrite.VALIDATED_SPN.bytes_le,
    attr.MS_DS_KEY_CREDENTIAL_LINK: ValidatedWrite.DS_VALIDATED_WRITE_COMPUTER.bytes_le,
}


@dataclass(frozen=True, slots=True)
class HostNames:
    """By which names a machine is known: lower case, without the final $."""

    dns: str
    sam: str
    additional: frozenset[str]

    @classmethod
    def of(cls, draft: Draft) -> "HostNames":
        more = [value.decode("utf-8", "replace") for value in draft.get(attr.MS_DS_ADDITIONAL_DNS_HOST_NAME)]
        more += [
            value.decode("utf-8", "replace").removesuffix("$")
            for value in draft.get(attr.MS_DS_ADDITIONAL_SAM_ACCOUNT_NAME)
        ]
        return HostNames(
            draft.text(attr.DNS_HOST_NAME).lower(),
            draft.text(attr.SAM_ACCOUNT_NAME).removesuffix("$").lower(),
            frozenset(one.lower() for one in more),
        )

    def __contains__(self, host: str) -> bool:
        return bool(host) and (host in (self.dns, self.sam) or host in self.additional)


def may_write(ctx: WriteContext, row: ObjectRow, att: AttId) -> bool:
    """Whether the requester holds the validated write that goes with an attribute."""
    right = RIGHT_OF.get(att)
    return right is not None and rights.holds_validated_write(ctx, row, right)


def is_own_membership(ctx: WriteContext, targets: Sequence[ObjectRow | None]) -> bool:
    """Self-Membership: every value added or removed is the requester itself. Spec: 3.1.1.5.3.1.1.1."""
    return bool(targets) and all(
        target is not None and target.sid is not None and target.sid == ctx.requester.user
        for target in targets
    )


def dns_suffixes(ctx: ReadContext) -> tuple[str, ...]:
    """Domains that a host name may end in: the domain's own and msDS-AllowedDNSSuffixes."""
    domain = ctx.tx.get(ctx.forest.domain_nc)
    more = () if domain is None else entry.texts(domain, attr.MS_DS_ALLOWED_DNS_SUFFIXES)
    return (ctx.forest.dns_domain.lower(), *(one.lower() for one in more))


def dns_host_name_fits(ctx: WriteContext, draft: Draft, value: str) -> bool:
    """Validated-DNS-Host-Name: sAMAccountName without $, then the domain. Spec: 3.1.1.5.3.1.1.2."""
    if not draft.plan.all_ids & {cls.COMPUTER, cls.SERVER}:
        return False
    host, _, suffix = value.lower().partition(".")
    sam = draft.text(attr.SAM_ACCOUNT_NAME).removesuffix("$").lower()
    return bool(sam) and host == sam and suffix in dns_suffixes(ctx)


def additional_dns_host_name_fits(ctx: WriteContext, draft: Draft, value: str) -> bool:
    """Validated-MS-DS-Additional-DNS-Host-Name: any label, an allowed suffix. Spec: 3.1.1.5.3.1.1.3."""
    if not draft.plan.all_ids & {cls.COMPUTER, cls.SERVER}:
        return False
    host, _, suffix = value.lower().partition(".")
    good = bool(host) and len(host) <= 63 and host.replace("-", "a").isalnum() and host.isascii()
    return good and suffix in dns_suffixes(ctx)[1:]


def spn_fits(ctx: WriteContext, draft: Draft, value: str) -> bool:
    """Validated-SPN: a name of the machine itself; three parts for DCs only. Spec: 3.1.1.5.3.1.1.4."""
    if cls.COMPUTER not in draft.plan.all_ids:
        return False
    spn = Spn.parse(value)
    if spn is None or spn.has_instance_name:
        return False
    dc_bits = UserAccountControl.UF_SERVER_TRUST_ACCOUNT | UserAccountControl.UF_PARTIAL_SECRETS_ACCOUNT
    is_dc = bool(draft.integer(attr.USER_ACCOUNT_CONTROL) & dc_bits)
    host = spn.host.lower()
    if not spn.service_name:
        return (
            host in HostNames.of(draft) or (is_dc and _is_dsa_name(ctx, host)) or _is_host(ctx, draft, host)
        )
    return is_dc and host in HostNames.of(draft) and _service_name_fits(ctx, spn)


def _is_host(ctx: WriteContext, draft: Draft, host: str) -> bool:
    """Whether a managed service account runs on the computer of that name. Spec: 3.1.1.5.3.1.1.4."""
    if cls.MS_DS_MANAGED_SERVICE_ACCOUNT not in draft.plan.all_ids or draft.row is None:
        return False
    attribute = ctx.schema.attribute_by_id(attr.MS_DS_HOST_SERVICE_ACCOUNT)
    assert attribute is not None
    hosts = ctx.tx.get_many(ctx.tx.link_sources(entry.link_base(attribute), draft.row.dnt))
    return any(host in HostNames.of(draft_of(ctx, row)) for row in hosts if row.state is ObjectState.LIVE)


def _is_dsa_name(ctx: ReadContext, host: str) -> bool:
    """<guid>._msdcs.<forest>."""
    return host == f"{ctx.forest.dsa_guid}._msdcs.{ctx.forest.dns_forest.lower()}"


def _service_name_fits(ctx: ReadContext, spn: Spn) -> bool:
    """The third part of a DC's name: a domain or application NC that it hosts."""
    service, name = spn.service_class.lower(), spn.service_name.lower()
    forest = ctx.forest
    if service == "gc":
        return name == forest.dns_forest.lower()
    hosted = {forest.netbios.lower(), forest.dns_domain.lower()}
    for dn in (forest.domain_dns_dn, forest.forest_dns_dn):
        if dn:
            parsed = names.parse(dn)
            hosted.add(".".join(rdn.value for rdn in parsed.rdns).lower())  # type: ignore[union-attr]
    if service == "e3514235-4b06-11d1-ab04-00c04fc2dcd2":
        return name == forest.dns_domain.lower()
    return name in hosted


def values_fit(ctx: WriteContext, draft: Draft, att: AttId, added: Sequence[bytes]) -> bool:
    """Whether the validated write on a non-link attribute accepts the added values."""
    texts = [value.decode("utf-8", "replace") for value in added]
    if att == attr.DNS_HOST_NAME:
        return all(dns_host_name_fits(ctx, draft, text) for text in texts)
    if att == attr.MS_DS_ADDITIONAL_DNS_HOST_NAME:
        return all(additional_dns_host_name_fits(ctx, draft, text) for text in texts)
    if att == attr.SERVICE_PRINCIPAL_NAME:
        return all(spn_fits(ctx, draft, text) for text in texts)
    return False
