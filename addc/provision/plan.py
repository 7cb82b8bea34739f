"""From answers to everything that a new forest holds: objects, descriptors, accounts, files. Pure.

The order is the order of creation: NC roots, schema, configuration, domain, DNS; parents before children.

Spec: [MS-ADTS] 6.1.1
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from addc.base.clock import FileTime
from addc.base.rng import Rng, new_guid
from addc.base.secret import Secret
from addc.codec.ids import Sid, guid_to_wire
from addc.directory import kds_new_key, kds_root_keys
from addc.provision import config_objects, data, dns_objects
from addc.provision.answers import Answers
from addc.provision.identities import Identities, draw_identities, guid_source
from addc.provision.placeholders import Placeholders
from addc.provision.planned import (
    CONFIGURATION,
    DOMAIN,
    DOMAIN_DNS,
    FOREST_DNS,
    SCHEMA,
    Draft,
    Names,
    PlannedObject,
    Values,
)
from addc.provision.schema_objects import schema_drafts
from addc.provision.sysvol import SysvolFile, plan_files
from addc.schema import loader
from addc.security.gkdi import KEY_SIZE

FIRST_RID: Final = 1100
"""Start of the first RID pool. rIDNextRID holds the last RID given, so the first account gets the next."""
PASSWORD_BYTES: Final = 96
"""Random bytes behind krbtgt's and the machine's password; base64 makes 128 characters of them."""

_NC_ORDER: Final[Mapping[str, int]] = {
    nc: place for place, nc in enumerate((SCHEMA, CONFIGURATION, DOMAIN, DOMAIN_DNS, FOREST_DNS))
}
_OWNERS: Final[Mapping[str, str]] = {
    DOMAIN: "DA",
    CONFIGURATION: "EA",
    SCHEMA: "SA",
    DOMAIN_DNS: "DA",
    FOREST_DNS: "DA",
}


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority. certificate: DER."""

    name: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class ForestPlan:
    """What provision makes.

    passwords: by DN; every other account has none. rights: who holds which right on this domain controller.
    """

    answers: Answers
    names: Names
    identities: Identities
    objects: tuple[PlannedObject, ...]
    passwords: Mapping[str, Secret]
    rights: tuple[data.LsaRight, ...]
    files: tuple[SysvolFile, ...]


def make_plan(answers: Answers, rng: Rng, now: FileTime, ca: Authority | None = None) -> ForestPlan:
    """The whole forest for these answers; only `rng` makes two plans of the same answers differ.

    ca: the forest's own authority, to be trusted; None for a forest without one.
    """
    identities = draw_identities(rng)
    names = Names(answers.domain_dn, answers.host, answers.site)
    new_guid = guid_source(rng)
    placeholders = _placeholders(answers, names, identities, new_guid, now)
    placeholders.guids.update(
        {names.domain.lower(): identities.domain_guid, names.dsa.lower(): identities.dsa_guid}
    )
    drafts = _record_drafts(data.objects(), placeholders, new_guid)
    drafts += schema_drafts(loader.table("attributes"), loader.table("classes"), names.schema)
    drafts += config_objects.extended_rights(loader.table("extended_rights"), names.config)
    drafts += config_objects.display_specifiers(loader.table("display_specifiers_409"), names.config)
    located = dns_objects.locator_facts(answers, identities)
    drafts += dns_objects.zone_drafts(data.dns(), placeholders, located)
    drafts.append(_root_key(names, rng, now))
    if ca is not None:
        drafts += config_objects.authorities(ca.name, ca.certificate, names.config)
    return ForestPlan(
        answers,
        names,
        identities,
        tuple([_planned(draft, placeholders.guids, new_guid) for draft in _in_order(drafts)]),
        {
            f"CN=Administrator,CN=Users,{names.domain}": answers.admin_password,
            f"CN=krbtgt,CN=Users,{names.domain}": _random_password(rng),
            names.computer: _random_password(rng),
        },
        data.lsa_rights(),
        plan_files(data.sysvol(), placeholders),
    )


def _root_key(names: Names, rng: Rng, now: FileTime) -> Draft:
    """A key for managed passwords that serves at once, so that nobody waits ten hours for the first gMSA."""
    key_id, data = new_guid(rng), rng.bytes(KEY_SIZE)
    made = kds_new_key.values(data, now, kds_root_keys.usable_at_once_ft(now), names.computer)
    dn = f"CN={key_id},CN=Master Root Keys,{kds_root_keys.SERVICE},{names.config}"
    attributes = {name: (value,) for name, value in made.items()}
    return Draft(CONFIGURATION, dn, kds_new_key.CLASS_NAME.decode(), attributes)


def _random_password(rng: Rng) -> Secret:
    return Secret(base64.b64encode(rng.bytes(PASSWORD_BYTES)))


def _placeholders(
    answers: Answers, names: Names, identities: Identities, new_guid: Callable[[], UUID], now: FileTime
) -> Placeholders:
    texts = {
        "DOMAINDN": names.domain,
        "ROOTDN": names.domain,
        "CONFIGDN": names.config,
        "SCHEMADN": names.schema,
        "NETBIOS": answers.netbios,
        "DNSDOMAIN": answers.dns_domain,
        "DNSFOREST": answers.dns_domain,
        "REALM": answers.realm,
        "HOST": answers.host.upper(),
        "host": answers.host,
        "HOSTFQDN": answers.host_fqdn,
        "SITE": answers.site,
        "DOMAINSID": str(identities.domain_sid),
        "DOMAINGUID": str(identities.domain_guid),
        "DSAGUID": str(identities.dsa_guid),
        "NOW": str(now),
    }
    return Placeholders(texts, {"INVOCATIONID": guid_to_wire(identities.invocation_id)}, new_guid)


def _record_drafts(
    records: Iterable[data.ObjectRecord], placeholders: Placeholders, new_guid: Callable[[], UUID]
) -> list[Draft]:
    """Drafts of the data's objects; first names, GUIDs and SIDs, since values refer to them in any order."""
    named: list[tuple[str, Sid | None, data.ObjectRecord]] = []
    last_rid = FIRST_RID
    for record in records:
        dn = placeholders.text(record["dn"])
        placeholders.guids.setdefault(dn.lower(), new_guid())
        sid: Sid | None = None
        for template in record["attrs"].get("objectSid", ()):
            if "{NEXTRID}" in template:
                last_rid += 1
                placeholders.define("NEXTRID", str(last_rid))
            sid = Sid.parse(placeholders.text(template))
            for name in record["attrs"].get("sAMAccountName", ()):
                placeholders.sids[name] = str(sid)
        named.append((dn, sid, record))
    placeholders.define("LASTRID", str(last_rid))
    return _protected([_draft(dn, sid, record, placeholders) for dn, sid, record in named])


def _draft(dn: str, sid: Sid | None, record: data.ObjectRecord, placeholders: Placeholders) -> Draft:
    attributes: dict[str, Values] = {
        name: tuple([placeholders.value(value) for value in values])
        for name, values in record["attrs"].items()
        if name != "objectSid"
    }
    if record["class"] == "computer":
        attributes["servicePrincipalName"] = tuple(placeholders.value(spn) for spn in data.host_spns())
    return Draft(
        record["nc"],
        dn,
        record["class"],
        attributes,
        tuple(record.get("auxclass", ())),
        owner=record.get("owner", ""),
        group=record.get("group", ""),
        acl=placeholders.text(record.get("sddl", "")),
        sid=sid,
    )


def _protected(drafts: list[Draft]) -> list[Draft]:
    """The drafts, those of protected principals with AdminSDHolder's descriptor from the first day.

    Spec: [MS-ADTS] 3.1.1.6.1
    """
    (holder,) = [draft for draft in drafts if draft.dn.startswith("CN=AdminSDHolder,")]
    return [
        replace(draft, owner=holder.owner, group=holder.group, acl=holder.acl)
        if draft.attributes.get("adminCount") == (b"1",)
        else draft
        for draft in drafts
    ]


def _in_order(drafts: list[Draft]) -> list[Draft]:
    """NC roots first, then by NC; within that the drafts' own order, which has parents before children."""
    return sorted(drafts, key=lambda draft: -1 if "instanceType" in draft.attributes else _NC_ORDER[draft.nc])


def _planned(draft: Draft, guids: Mapping[str, UUID], new_guid: Callable[[], UUID]) -> PlannedObject:
    owner = draft.owner or _OWNERS[draft.nc]
    return PlannedObject(
        draft.nc,
        draft.dn,
        (draft.object_class, *draft.auxiliary),
        draft.attributes,
        guids.get(draft.dn.lower()) or new_guid(),
        draft.sid,
        f"O:{owner}G:{draft.group or owner}{draft.acl}",
        bool(draft.acl),
    )
