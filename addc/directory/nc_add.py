"""Creating application naming contexts: an Add of a domainDNS object whose instanceType says so.

Spec: [MS-ADTS] 3.1.1.5.2.8 (NC-Add), 3.1.1.5.2.6, 6.1.1.1.4, 6.1.1.4 (what every naming context holds).
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt, Usn
from addc.base.rng import new_guid
from addc.codec.dn import Dn
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import (
    add_values,
    cross_refs,
    entry,
    fsmo,
    linked_values,
    names,
    object_sd,
    quotas,
    referrals,
    rights,
    write_values,
)
from addc.directory.add import NOTHING_FIXED, Fixed, add_object, check_rdn
from addc.directory.context import WriteContext
from addc.directory.controls import PLAIN, RequestOptions
from addc.directory.draft import draft_of
from addc.directory.object_classes import class_plan, tokens_of
from addc.directory.stamp import save, usn_of
from addc.schema import attr, cls
from addc.schema.wellknown import WellKnownContainer
from addc.security import sddl
from addc.security.account_flags import InstanceType, SystemFlags
from addc.security.descriptor import SecurityDescriptor, map_generic
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow

Attributes = Sequence[tuple[str, Sequence[bytes]]]

_ASKED: Final = int(InstanceType.IT_NC_HEAD | InstanceType.IT_WRITE)
_KEPT: Final = int(
    SystemFlags.FLAG_DISALLOW_DELETE
    | SystemFlags.FLAG_DOMAIN_DISALLOW_RENAME
    | SystemFlags.FLAG_DOMAIN_DISALLOW_MOVE
) - (1 << 32)
_CONTAINERS: Final = (
    ("Deleted Objects", "container", WellKnownContainer.DELETED_OBJECTS,
     "O:SYG:SYD:P(A;;RPWPCCDCLCRCWOWDSDSW;;;SY)(A;;RPLC;;;BA)"),
    ("Infrastructure", "infrastructureUpdate", WellKnownContainer.INFRASTRUCTURE, ""),
    ("LostAndFound", "lostAndFound", WellKnownContainer.LOSTANDFOUND, ""),
    ("NTDS Quotas", "msDS-QuotaContainer", WellKnownContainer.NTDS_QUOTAS, ""),
)  # fmt: skip
"""Name, class, well-known GUID and descriptor, "" for the class's default. Spec: 6.1.1.4."""


def is_asked(attributes: Attributes) -> bool:
    """Whether an Add is to create a naming context. Spec: 3.1.1.5.2.2 (instanceType)."""
    for name, values in attributes:
        if name.lower() == "instancetype" or name == "1.2.840.113556.1.2.1":
            return len(values) == 1 and values[0].strip() == b"%d" % _ASKED
    return False


def add_naming_context(
    ctx: WriteContext, dn: str, attributes: Attributes, options: RequestOptions = PLAIN
) -> Dnt:
    """Create an application naming context with what belongs in it, and give the row of its root.

    Its crossRef is made along, or found waiting for it. Raises DsError with the pairs of 3.1.1.5.2.8.
    """
    name = names.parse(dn)
    if not isinstance(name, Dn):
        raise DsError(Win32.ERROR_DS_NAME_UNPARSEABLE, "not a DN", ldap_result=LdapResult.NAMING_VIOLATION)
    _check_class(ctx, name, attributes)
    attributes = _given(ctx, attributes)
    waiting = _cross_ref(ctx, name)
    sd = _descriptor(ctx, options)
    system = ctx.as_requester(SYSTEM)
    above = names.find_dn(ctx, name.parent)
    root = _add_root(system, name, attributes, sd, below=above is not None and object_sd.is_nc_root(above))
    for one in _CONTAINERS:
        _add_container(system, name, one)
    _enable(system, name, root, waiting)
    _hold(system, root, above)
    return root


def _check_class(ctx: WriteContext, name: Dn, attributes: Attributes) -> None:
    """An application naming context has a domainDNS object for its root. Spec: 3.1.1.3.1.2.2."""
    classes = [values for key, values in attributes if key.lower() == "objectclass"]
    plan = class_plan(ctx.schema, tokens_of(ctx.schema, classes[0]) if classes else ())
    check_rdn(ctx, plan, name)
    if plan.structural.class_id != cls.DOMAIN_DNS:
        raise DsError(
            Win32.ERROR_DS_OBJ_CLASS_VIOLATION,
            "the root of a naming context is a domainDNS object",
            ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
            attribute="objectClass",
        )


def _given(ctx: WriteContext, attributes: Attributes) -> Attributes:
    """What the requester gives the root, judged as for any new object: it is the system that adds it."""
    made = (attr.INSTANCE_TYPE, attr.NT_SECURITY_DESCRIPTOR)
    named = [(write_values.attribute_named(ctx, name).att_id, name, values) for name, values in attributes]
    kept = [(name, values) for att, name, values in named if att not in made]
    given = add_values.collect(ctx, kept)
    if given.guid is not None or given.sid is not None:
        raise DsError(
            Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY,
            "names of its own are not for the requester to choose",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
        )
    for attribute, _ in given.plain.values():
        if not attribute.is_constructed:
            add_values.check_allowed(ctx, given.plan, attribute)
    return kept


def _cross_ref(ctx: WriteContext, name: Dn) -> ObjectRow | None:
    """The crossRef that waits for the naming context; None where the requester may make one."""
    container = referrals.partitions(ctx)
    there = names.find_dn(ctx, name)
    waiting = None if there is None else cross_refs.of_nc(ctx, there.dnt)
    if waiting is not None:
        _check_waiting(ctx, waiting)
    cross_refs.check_name(ctx, name)
    if waiting is not None:
        return waiting
    cross_ref = ctx.schema.class_by_id(cls.CROSS_REF)
    if container is None or cross_ref is None or not rights.can_create_child(ctx, container, cross_ref):
        raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS")
    if not fsmo.is_ours(ctx, fsmo.NAMING_MASTER):
        raise DsError(
            Win32.ERROR_DS_UNAVAILABLE,
            "the domain naming master cannot be asked for a crossRef",
            ldap_result=LdapResult.UNAVAILABLE,
        )
    return None


def _check_waiting(ctx: WriteContext, waiting: ObjectRow) -> None:
    """Spec: 3.1.1.5.2.8 (Constraints, Security Considerations)."""
    if entry.boolean(waiting, attr.ENABLED, True):
        raise DsError(
            Win32.ERROR_DS_CROSS_REF_EXISTS,
            "the naming context exists",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
        )
    for att in (attr.ENABLED, attr.DNS_ROOT):
        attribute = ctx.schema.attribute_by_id(att)
        if attribute is None or not rights.can_write(ctx, waiting, attribute):
            raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS")
    if (entry.text(waiting, attr.DNS_ROOT) or "").lower() != ctx.forest.host_fqdn.lower():
        raise DsError(
            Win32.ERROR_DS_MASTERDSA_REQUIRED,
            "the naming context is for another DC to make",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
        )


def _descriptor(ctx: WriteContext, options: RequestOptions) -> SecurityDescriptor:
    """The root's descriptor: that of a domain whose SIDs are this domain's. Spec: 6.1.3.6."""
    domain_dns = ctx.schema.class_by_id(cls.DOMAIN_DNS)
    assert domain_dns is not None
    plan = class_plan(ctx.schema, (domain_dns.token,))
    sd_id = object_sd.new_descriptor(ctx, None, plan, Dnt(0), owner=options.set_owner)
    quotas.check_descriptor(ctx, Dnt(0), sd_id, bypass=options.bypass_quota)
    return rights.descriptor_by_id(ctx, sd_id)


def _add_root(
    system: WriteContext, name: Dn, attributes: Attributes, sd: SecurityDescriptor, *, below: bool
) -> Dnt:
    kept = list(attributes)
    kind = _ASKED | (int(InstanceType.IT_NC_ABOVE) if below else 0)
    known = [
        f"B:32:{guid.bytes_le.hex().upper()}:{name.child('CN', cn)}".encode()
        for cn, _, guid, _ in _CONTAINERS
    ]
    kept += [("instanceType", [b"%d" % kind]), ("wellKnownObjects", known)]
    return add_object(system, str(name), kept, fixed=Fixed(sd=sd))


def _add_container(system: WriteContext, name: Dn, one: tuple[str, str, UUID, str]) -> None:
    cn, object_class, guid, acl = one
    values = [
        ("objectClass", [object_class.encode()]),
        ("isCriticalSystemObject", [b"TRUE"]),
        ("showInAdvancedViewOnly", [b"TRUE"]),
        ("systemFlags", [b"%d" % _KEPT]),
    ]
    if guid == WellKnownContainer.DELETED_OBJECTS:
        values.append(("isDeleted", [b"TRUE"]))
    if guid == WellKnownContainer.INFRASTRUCTURE:
        values.append(("fSMORoleOwner", [names.dn_of(system, system.forest.dsa_dnt).encode()]))
    fixed = NOTHING_FIXED
    if acl:
        domain = system.forest.domain_sid
        fixed = Fixed(sd=map_generic(sddl.parse(acl, domain, domain)))
    add_object(system, str(name.child("CN", cn)), values, fixed=fixed)


def _enable(system: WriteContext, name: Dn, root: Dnt, waiting: ObjectRow | None) -> None:
    """Make the crossRef, or bring the one that waited up to date. Spec: 3.1.1.5.2.8 (Processing)."""
    forest = system.forest
    host = names.dn_of(system, forest.dsa_dnt).encode()
    if waiting is None:
        cn = str(new_guid(system.rng))
        add_object(
            system,
            f"CN={cn},CN=Partitions,{forest.config_dn}",
            [
                ("objectClass", [b"crossRef"]),
                ("nCName", [str(name).encode()]),
                ("dnsRoot", [name.dns_domain().encode()]),
                ("systemFlags", [b"5"]),
                ("msDS-NC-Replica-Locations", [host]),
                ("msDS-SDReferenceDomain", [forest.domain_dn.encode()]),
            ],
        )
        return
    draft = draft_of(system, waiting)
    draft.put(attr.ENABLED)
    draft.put(attr.DNS_ROOT, name.dns_domain().encode())
    draft.put(attr.NC_NAME, names.reference(root))
    _link(system, waiting.dnt, attr.MS_DS_NC_REPLICA_LOCATIONS, (forest.dsa_dnt, b""), usn_of(system, draft))
    save(system, draft)


def _link(system: WriteContext, source: Dnt, att: AttId, value: tuple[Dnt, bytes], usn: Usn) -> None:
    attribute = system.schema.attribute_by_id(att)
    assert attribute is not None
    linked_values.add_value(system, source, attribute, value, usn)


def _hold(system: WriteContext, root: Dnt, above: ObjectRow | None) -> None:
    """Say that this DC holds the naming context, and that the one above has it below."""
    dsa = system.tx.get(system.forest.dsa_dnt)
    row = system.tx.get(root)
    assert dsa is not None and row is not None
    draft = draft_of(system, dsa)
    usn = usn_of(system, draft)
    _link(system, dsa.dnt, attr.MS_DS_HAS_MASTER_N_CS, (root, b""), usn)
    _link(
        system, dsa.dnt, attr.MS_DS_HAS_INSTANTIATED_N_CS, (root, row.instance_type.to_bytes(4, "big")), usn
    )
    save(system, draft)
    if above is not None and object_sd.is_nc_root(above):
        upper = draft_of(system, above)
        upper.put(attr.SUB_REFS, *upper.get(attr.SUB_REFS), names.reference(root))
        save(system, upper)
