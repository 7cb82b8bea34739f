"""What `addc fsmo` does: which DC holds which role, and taking one over.

Spec: [MS-ADTS] 6.1.5 (FSMO roles), 3.1.1.3.3.1 - 3.1.1.3.3.6 (become...).
"""

from dataclasses import dataclass
from typing import Final

from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.codec.filter import And, Equal
from addc.server.admin.site_objects import Facts, class_is, rdn_of, same, sites_dn
from addc.server.admin.target import SUBTREE, Change, Entry, Modify, Operation, Target, replace

_SEIZED_RIDS: Final = 10_000
"""RIDs that are left out when their master is lost: of those he gave away nobody here knows how many."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role. operation: of the rootDSE, "" where a role moves by its attribute alone."""

    name: str
    title: str
    operation: str


ROLES: Final = {
    role.name: role
    for role in (
        Role("schema", "schema master", "becomeSchemaMaster"),
        Role("naming", "domain naming master", "becomeDomainMaster"),
        Role("pdc", "PDC emulator", "becomePdc"),
        Role("rid", "RID master", "becomeRidMaster"),
        Role("infrastructure", "infrastructure master", "becomeInfrastructureMaster"),
        Role("domain-dns", "infrastructure master of the domain's DNS zones", ""),
        Role("forest-dns", "infrastructure master of the forest's DNS zones", ""),
    )
}


def _role(name: str) -> Role:
    role = ROLES.get(name.lower())
    if role is None:
        raise UserError(f"There is no role {name!r}. Next step: one of {', '.join(ROLES)}")
    return role


def _object(target: Target, role: Role) -> Entry | None:
    """The object whose fSMORoleOwner names the holder; None where it is missing."""
    place = target.place
    root = str(Dn.parse(place.config_dn).parent)
    dns = {
        "schema": place.schema_dn,
        "naming": f"CN=Partitions,{place.config_dn}",
        "pdc": place.domain_dn,
        "infrastructure": f"CN=Infrastructure,{place.domain_dn}",
        "domain-dns": f"CN=Infrastructure,DC=DomainDnsZones,{place.domain_dn}",
        "forest-dns": f"CN=Infrastructure,DC=ForestDnsZones,{root}",
    }
    dn = dns.get(role.name, "")
    if role.name == "rid":
        domain = target.read(place.domain_dn, ("rIDManagerReference",))
        dn = "" if domain is None else domain.text("rIDManagerReference")
    return target.read(dn, ("fSMORoleOwner", "rIDAvailablePool")) if dn else None


def _facts(target: Target, role: Role, holder: str) -> Facts:
    """holder: DN of its nTDSDSA object, "" for nobody."""
    server = str(Dn.parse(holder).parent) if holder else ""
    found = target.read(server, ("dNSHostName",)) if server else None
    return {
        "role": role.name,
        "title": role.title,
        "holder": rdn_of(server),
        "host": "" if found is None else found.text("dNSHostName"),
        "site": str(Dn.parse(server).parent.parent.rdn.value) if server else "",
        "there": found is not None,
        "dsa": holder,
    }


def show(target: Target) -> list[Facts]:
    """Every role with its holder. there: whether the directory (still) knows that DC."""
    told = []
    for role in ROLES.values():
        found = _object(target, role)
        if found is not None:
            told.append(_facts(target, role, found.text("fSMORoleOwner")))
    return told


def _own_dsa(target: Target) -> str:
    """The nTDSDSA object of the target."""
    host = target.place.host
    wanted = And((class_is("server"), Equal("dNSHostName", host.encode())))
    found = list(target.search(str(sites_dn(target)), SUBTREE, wanted, ("dNSHostName",))) if host else []
    if len(found) != 1:
        raise UserError(
            f"{target.place.name} cannot be found among the servers ({host or 'it has no name'}). Next step:"
            " addc sites servers list"
        )
    return f"CN=NTDS Settings,{found[0].dn}"


def _held(target: Target, role: Role) -> Entry:
    found = _object(target, role)
    if found is None:
        raise UserError(
            f"The object of the role {role.name} is missing, or you may not see it. Next step: addc check on"
            " the DC"
        )
    return found


def transfer(target: Target, name: str, *, dry_run: bool = False) -> Facts:
    """Have the target ask the role's holder for it. changed: False where it is the holder."""
    role = _role(name)
    if not role.operation:
        raise UserError(f"The {role.title} is not handed over. Next step: addc fsmo seize {name} --force")
    found = _held(target, role)
    own, former = _own_dsa(target), found.text("fSMORoleOwner")
    changed = not (former and same(own, former))
    if changed:
        target.apply([Modify("", [replace(role.operation, _argument(target, role))])], dry_run=dry_run)
    return {**_facts(target, role, own), "changed": changed, "former": former}


def _argument(target: Target, role: Role) -> bytes:
    """What the operation takes: becomePdc wants the domain's SID. Spec: [MS-ADTS] 3.1.1.3.3.3."""
    if role.name != "pdc":
        return b"1"
    domain = target.read(target.place.domain_dn, ("objectSid",))
    sid = None if domain is None else domain.first("objectSid")
    if sid is None:
        raise UserError("The domain's SID cannot be read. Next step: run the command as an administrator")
    return sid


def seize(target: Target, name: str, *, force: bool, dry_run: bool = False) -> Facts:
    """Make the target the holder without asking the former one, which must never come back."""
    role = _role(name)
    found = _held(target, role)
    own, former = _own_dsa(target), found.text("fSMORoleOwner")
    if former and same(own, former):
        return {**_facts(target, role, own), "changed": False, "former": former}
    if not (force or dry_run):
        told = rdn_of(str(Dn.parse(former).parent)) if former else "nobody"
        raise UserError(
            f"The {role.title} is {told}; taken over without its doing, two DCs would act as one if it ever"
            f" came back. Next step: addc fsmo transfer {name}; if {told} is lost for good, --force"
        )
    operations: list[Operation] = [Modify(found.dn, [replace("fSMORoleOwner", own.encode())])]
    if role.name == "rid" and (pool := _pool(found)):
        operations.append(Modify(found.dn, pool))
    target.apply(operations, dry_run=dry_run)
    return {**_facts(target, role, own), "changed": True, "former": former}


def _pool(manager: Entry) -> list[Change]:
    """rIDAvailablePool with a gap: next RID in the low half, the last one in the high half."""
    held = manager.number("rIDAvailablePool")
    low, high = held & 0xFFFF_FFFF, held >> 32
    if not held or low + _SEIZED_RIDS >= high:
        return []
    return [replace("rIDAvailablePool", str(high << 32 | low + _SEIZED_RIDS).encode())]
