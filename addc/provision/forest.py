"""Carries a plan out: every object through the directory's Add, in one transaction, as SYSTEM.

Spec: [MS-ADTS] 6.1.1, 3.1.1.5.2
"""

import json
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from addc.base.clock import FileTime
from addc.base.collection import no_collection
from addc.base.ids import AttId, Dnt
from addc.base.rng import Rng
from addc.codec.ids import Sid
from addc.directory import names, passwords, upgrades
from addc.directory.add import Fixed, add_object
from addc.directory.context import FOREST_STATE, Forest, Home, Shared, WriteContext
from addc.directory.draft import Draft
from addc.directory.object_classes import class_plan
from addc.directory.passwords import PreparedPassword
from addc.directory.stamp import save
from addc.provision import sysvol
from addc.provision.data import LsaRight
from addc.provision.plan import ForestPlan
from addc.provision.planned import PlannedObject
from addc.schema import attr
from addc.schema.snapshot import Schema
from addc.security import sddl
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import SYSTEM
from addc.store.engine import Store
from addc.store.tx import WriteTx

RIGHTS_STATE: Final = "lsa.rights"
"""Store state: {account SID: [right or privilege, ...]} of this domain controller, as JSON."""
NEVER_COLLECTED_FT: Final = FileTime(2_650_465_152_000_000_000)
"""9999-12-29: the time of isDeleted on Deleted Objects, so that no garbage collection takes it."""

_NOWHERE: Final = Dnt(0)


def secret_attributes(schema: Schema) -> frozenset[AttId]:
    """What the store seals; that includes what some clients may read: userPassword, and root keys."""
    secret = frozenset(attribute.att_id for attribute in schema.attributes if attribute.is_secret)
    return secret | {attr.USER_PASSWORD, attr.MS_KDS_ROOT_KEY_DATA}


def create_forest(store: Store, schema: Schema, plan: ForestPlan, now: FileTime, rng: Rng) -> Forest:
    """Fill an empty store; its facts.

    Keys are derived on threads meanwhile: nobody else waits for this writer, and accounts come late.
    """
    accounts = [planned for planned in plan.objects if planned.dn in plan.passwords]
    with ThreadPoolExecutor(len(accounts)) as threads, no_collection():
        prepared = {planned.dn: threads.submit(_derive, plan, planned) for planned in accounts}

        def work(tx: WriteTx) -> Forest:
            home = Home(_forest_without_rows(plan), Shared())
            ctx = WriteContext(tx, schema, SYSTEM, now, home, rng=rng)
            return _fill(ctx, plan, prepared)

        return store.write("provision", work)


def _derive(plan: ForestPlan, planned: PlannedObject) -> PreparedPassword:
    name = planned.attributes["sAMAccountName"][0].decode()
    salt = passwords.salt_for(plan.answers.realm, name, planned.object_class == "computer")
    return passwords.derive(passwords.password_of_utf8(plan.passwords[planned.dn]), salt)


def _forest_without_rows(plan: ForestPlan) -> Forest:
    answers, distinguished, identities = plan.answers, plan.names, plan.identities
    return Forest(
        realm=answers.realm,
        dns_domain=answers.dns_domain,
        dns_forest=answers.dns_domain,
        netbios=answers.netbios,
        domain_sid=identities.domain_sid,
        domain_guid=identities.domain_guid,
        root_nc=_NOWHERE,
        root_dn=distinguished.domain,
        domain_nc=_NOWHERE,
        domain_dn=distinguished.domain,
        config_nc=_NOWHERE,
        config_dn=distinguished.config,
        schema_nc=_NOWHERE,
        schema_dn=distinguished.schema,
        domain_dns_nc=_NOWHERE,
        domain_dns_dn=distinguished.domain_dns,
        forest_dns_nc=_NOWHERE,
        forest_dns_dn=distinguished.forest_dns,
        dsa_dnt=_NOWHERE,
        dsa_guid=identities.dsa_guid,
        invocation_id=identities.invocation_id,
        server_dnt=_NOWHERE,
        host=answers.host,
        host_fqdn=answers.host_fqdn,
        site=answers.site,
    )


def _fill(ctx: WriteContext, plan: ForestPlan, prepared: Mapping[str, Future[PreparedPassword]]) -> Forest:
    descriptors = _Descriptors(ctx.schema, plan.identities.domain_sid)
    rows: dict[str, Dnt] = {}
    for planned in plan.objects:
        password = prepared.get(planned.dn)
        keys = None if password is None else password.result()
        rows[planned.dn] = _add(ctx, planned, descriptors, keys)
        if planned.is_nc_root or planned.dn in (plan.names.dsa, plan.names.server):
            ctx.forest = _forest_with_rows(ctx.forest, plan, rows)
    for planned in plan.objects:
        if planned.is_nc_root:
            _refer_to_children(ctx, planned, rows)
    ctx.tx.set_state(FOREST_STATE, ctx.forest.to_json())
    ctx.tx.set_state(upgrades.STATE, upgrades.DONE)
    ctx.tx.set_state(RIGHTS_STATE, _rights_by_holder(plan.rights))
    sysvol.fill(ctx, plan.files)
    return ctx.forest


def _forest_with_rows(forest: Forest, plan: ForestPlan, rows: Mapping[str, Dnt]) -> Forest:
    distinguished = plan.names
    domain = rows.get(distinguished.domain, _NOWHERE)
    return replace(
        forest,
        root_nc=domain,
        domain_nc=domain,
        config_nc=rows.get(distinguished.config, _NOWHERE),
        schema_nc=rows.get(distinguished.schema, _NOWHERE),
        domain_dns_nc=rows.get(distinguished.domain_dns, _NOWHERE),
        forest_dns_nc=rows.get(distinguished.forest_dns, _NOWHERE),
        dsa_dnt=rows.get(distinguished.dsa, _NOWHERE),
        server_dnt=rows.get(distinguished.server, _NOWHERE),
    )


class _Descriptors:
    """The descriptors that objects are created with; few texts, so each is read once."""

    def __init__(self, schema: Schema, domain_sid: Sid) -> None:
        self._schema = schema
        self._domain_sid = domain_sid
        self._parsed: dict[str, SecurityDescriptor] = {}

    def of(self, planned: PlannedObject) -> SecurityDescriptor:
        """Owner and group, and the explicit entries: its own, else the class default's."""
        text = planned.sddl
        if not planned.has_acl:
            found = self._schema.class_(planned.object_class)
            assert found is not None
            text += found.default_sd
        parsed = self._parsed.get(text)
        if parsed is None:
            parsed = self._parsed[text] = sddl.parse(text, self._domain_sid, self._domain_sid)
        return parsed


def _add(
    ctx: WriteContext, planned: PlannedObject, descriptors: _Descriptors, password: PreparedPassword | None
) -> Dnt:
    classes = [name.encode() for name in planned.classes]
    dnt = add_object(
        ctx,
        planned.dn,
        [("objectClass", classes), *planned.attributes.items()],
        fixed=Fixed(planned.guid, planned.sid, descriptors.of(planned)),
        password=password,
    )
    if planned.is_deleted_objects:
        row = ctx.tx.get(dnt)
        assert row is not None
        stamp = row.meta[attr.IS_DELETED]._replace(time_ft=NEVER_COLLECTED_FT)
        ctx.tx.update(row, meta={**row.meta, attr.IS_DELETED: stamp})
    return dnt


def _refer_to_children(ctx: WriteContext, planned: PlannedObject, rows: Mapping[str, Dnt]) -> None:
    """subRefs of an NC root, which an Add takes from nobody. Spec: [MS-ADTS] 6.1.1.1.1"""
    children = planned.attributes.get("subRefs", ())
    row = ctx.tx.get(rows[planned.dn])
    assert row is not None
    draft = Draft(class_plan(ctx.schema, row.attrs[attr.OBJECT_CLASS]), row, None, row.rdn)
    draft.put(attr.SUB_REFS, *[names.reference(rows[child.decode()]) for child in children])
    save(ctx, draft)


def _rights_by_holder(rights: tuple[LsaRight, ...]) -> bytes:
    held: dict[str, list[str]] = {}
    for right in rights:
        for holder in right.holders:
            held.setdefault(holder, []).append(right.name)
    return json.dumps(held, sort_keys=True).encode()
