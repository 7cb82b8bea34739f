"""Keeps the domain in step with the security templates of its policies, both ways.

What templates say of passwords, lockout and tickets goes to the domain object and the KDC, and their
privileges to the accounts of this DC, shortly after a template or a link has changed. What is changed past
the templates, by LDAP or SAMR, is written back to the Default Domain Policy, as Windows' PDC does: the next
refresh would undo it otherwise. Where both have changed the template wins.

Deviation: security filtering and WMI filters of policies are not heeded here.
Spec: [MS-GPSB] 3.2.5, [MS-GPOL] 3.2.5.1.
"""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from addc.base.errors import DecodeError, DsError, UserError
from addc.codec.ids import Sid
from addc.codec.inf_file import InfFile
from addc.directory import (
    fsmo,
    gpo_links,
    gpo_objects,
    gpo_template,
    kerberos_policy,
    lsa_accounts,
    names,
    sysvol_paths,
    sysvol_watch,
)
from addc.directory.context import ReadContext, WriteContext
from addc.directory.gpo_objects import MACHINE_DISABLED, TEMPLATE, Policy
from addc.directory.gpo_template import ACCESS_NAMES, TICKET_NAMES, Settings
from addc.directory.modify import modify_row
from addc.schema import attr
from addc.schema.wellknown import WellKnownContainer
from addc.security.account_rights import RIGHTS
from addc.store.objects import ObjectRow, ObjectState

PERIOD_S: Final = 300.0
"""How often a DC refreshes its policies."""
_STATE: Final = "gpo.applied"

Rights = dict[str, list[str]]
"""By the name of the right, the holders' SIDs as text, in order."""


@dataclass(slots=True)
class Wanted:
    """What all templates together say."""

    access: Settings = field(default_factory=dict)
    tickets: Settings = field(default_factory=dict)
    rights: Rights = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Applied:
    """What was wanted and what stood on domain and KDC when they were last in step."""

    wanted: Wanted
    access: Settings
    tickets: Settings


def step(ctx: WriteContext) -> bool:
    """Bring templates and domain into step; whether more is waiting, which is never so."""
    due = ctx.tx.next_due(sysvol_watch.KIND)
    if due is not None and due > ctx.now:
        return False  # a template is being written
    for work in ctx.tx.due(sysvol_watch.KIND, ctx.now):
        ctx.tx.drop_due(work.kind, work.dnt, work.data)
    domain = ctx.tx.get(ctx.forest.domain_nc)
    if domain is None:
        return False
    found = wanted(ctx, domain)
    before = _applied(ctx)
    said = before.wanted if before is not None else Wanted()
    fresh = Wanted(
        _differing(said.access, found.access),
        _differing(said.tickets, found.tickets),
        {name: holders for name, holders in found.rights.items() if said.rights.get(name) != holders},
    )
    drifted = Wanted() if before is None else _drifted(ctx, domain, before, fresh)
    if before is not None and before.wanted == found and drifted == Wanted():
        return False
    _apply(ctx, domain, fresh)
    if drifted != Wanted():
        _write_back(ctx, drifted)
    _remember(ctx, wanted(ctx, domain))
    return False


def _differing(old: Settings, new: Settings) -> Settings:
    return {name: value for name, value in new.items() if old.get(name) != value}


def _drifted(ctx: ReadContext, domain: ObjectRow, before: _Applied, fresh: Wanted) -> Wanted:
    """What was changed past the templates, but for what they say anew themselves."""
    access = _differing(before.access, gpo_template.of_domain(domain))
    tickets = _differing(before.tickets, gpo_template.of_tickets(kerberos_policy.read(ctx)))
    return Wanted(
        {name: value for name, value in access.items() if name not in fresh.access},
        {name: value for name, value in tickets.items() if name not in fresh.tickets},
    )


# --- what templates say ------------------------------------------------------------------------------------


def template_of(ctx: ReadContext, policy: Policy) -> InfFile | None:
    """A policy's security template; None without one. Raises DecodeError."""
    return sysvol_paths.get_settings(ctx, (*policy.path, *TEMPLATE))


def _templates(ctx: ReadContext, places: list[ObjectRow]) -> list[InfFile]:
    """Those that apply below these places and are what they ought to be; what comes later wins."""
    found = []
    for row in gpo_links.applied(ctx, places):
        policy = gpo_objects.of_row(ctx, row)
        if policy.flags & MACHINE_DISABLED:
            continue
        try:
            template = template_of(ctx, policy)
        except DecodeError:
            continue
        if template is not None and template.get("Version", "signature") is not None:
            found.append(template)
    return found


def wanted(ctx: ReadContext, domain: ObjectRow) -> Wanted:
    """What the policies of the domain, and those of its controllers, say together.

    Passwords, lockout and tickets are the domain's matter: only policies linked to it count.
    """
    found = Wanted()
    for template in _templates(ctx, [domain]):
        found.access |= gpo_template.said(template, gpo_template.SYSTEM_ACCESS, ACCESS_NAMES)
        found.tickets |= gpo_template.said(template, gpo_template.KERBEROS, TICKET_NAMES)
    places = [domain]
    of_controllers = _controllers(ctx)
    if of_controllers is not None:
        places.append(of_controllers)
    for template in _templates(ctx, places):
        for name, text in template.items(gpo_template.RIGHTS):
            if name.lower() in RIGHTS:
                found.rights[name.lower()] = _holders(ctx, text)
    return found


def _controllers(ctx: ReadContext) -> ObjectRow | None:
    domain = ctx.tx.get(ctx.forest.domain_nc)
    return None if domain is None else names.well_known(ctx, domain, WellKnownContainer.DOMAIN_CONTROLLERS)


def _holders(ctx: ReadContext, text: str) -> list[str]:
    """SIDs behind a star, or names of accounts; names that nobody has are not heeded."""
    found = set()
    for part in text.split(","):
        one = part.strip()
        if one.startswith("*"):
            try:
                found.add(str(Sid.parse(one[1:])))
            except (ValueError, DecodeError):
                continue
        elif one:
            found |= _sids_of_name(ctx, one.rpartition("\\")[2])
    return sorted(found)


def _sids_of_name(ctx: ReadContext, name: str) -> set[str]:
    attribute = ctx.schema.attribute_by_id(attr.SAM_ACCOUNT_NAME)
    assert attribute is not None
    rows = ctx.tx.get_many(ctx.tx.index_eq(attr.SAM_ACCOUNT_NAME, attribute.syntax.key(name.encode())))
    return {str(Sid(row.sid)) for row in rows if row.sid is not None and row.state is ObjectState.LIVE}


# --- both ways ---------------------------------------------------------------------------------------------


def _apply(ctx: WriteContext, domain: ObjectRow, found: Wanted) -> None:
    if fsmo.is_ours(ctx, fsmo.PDC):
        changes = gpo_template.domain_changes(domain, found.access)
        if changes:
            modify_row(ctx, domain, changes)
    held = kerberos_policy.read(ctx)
    fresh = gpo_template.ticket_policy(held, found.tickets)
    if fresh != held:
        with contextlib.suppress(UserError):  # the checker tells of it; what was in force stays
            kerberos_policy.write(ctx, fresh)
    for name, holders in found.rights.items():
        sids = [Sid.parse(text) for text in holders]
        with contextlib.suppress(DsError):  # the services' accounts keep what they cannot do without
            lsa_accounts.set_holders(ctx, RIGHTS[name], sids)


def _write_back(ctx: WriteContext, drifted: Wanted) -> None:
    """Have the Default Domain Policy say what was changed past it."""
    policy = next(
        (one for one in gpo_objects.every(ctx) if one.name.upper() == gpo_objects.DEFAULT_DOMAIN_POLICY), None
    )
    if policy is None or gpo_objects.folder(ctx, policy) is None or not fsmo.is_ours(ctx, fsmo.PDC):
        return
    try:
        template = template_of(ctx, policy)
    except DecodeError:
        return
    if template is None:
        return
    gpo_template.put(template, drifted.access, drifted.tickets)
    sysvol_paths.put_file(ctx, (*policy.path, *TEMPLATE), template.pack())
    gpo_objects.raise_version(ctx, policy)


# --- what was last in step ---------------------------------------------------------------------------------


def _applied(ctx: ReadContext) -> _Applied | None:
    raw = ctx.tx.state(_STATE)
    if raw is None:
        return None
    held = json.loads(raw)
    return _Applied(
        Wanted(held["wanted_access"], held["wanted_tickets"], held["rights"]), held["access"], held["tickets"]
    )


def _remember(ctx: WriteContext, found: Wanted) -> None:
    domain = ctx.tx.get(ctx.forest.domain_nc)
    assert domain is not None
    held: Mapping[str, object] = {
        "wanted_access": found.access,
        "wanted_tickets": found.tickets,
        "rights": found.rights,
        "access": gpo_template.of_domain(domain),
        "tickets": gpo_template.of_tickets(kerberos_policy.read(ctx)),
    }
    ctx.tx.set_state(_STATE, json.dumps(held, sort_keys=True).encode())
