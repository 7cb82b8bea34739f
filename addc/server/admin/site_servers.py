"""What `addc sites servers` does: which servers are in which site, and what their DCs do for it.

Spec: [MS-ADTS] 6.1.1.2.2.1.2.1 (servers), 6.1.1.2.2.1.2.1.1 (nTDSDSA), 6.2.2.3.4.4 (preferred bridgeheads).
"""

from dataclasses import dataclass

from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.kcc.snapshot import DsaOption
from addc.server.admin.site_objects import (
    Facts,
    all_servers,
    dsa_filter,
    find,
    links_dn,
    rdn_of,
    same,
    site_of,
    sites_dn,
)
from addc.server.admin.target import (
    ONE_LEVEL,
    SUBTREE,
    Add,
    Entry,
    Modify,
    Move,
    Operation,
    Target,
    insert,
    remove,
    replace,
    text,
)


@dataclass(frozen=True, slots=True)
class ServerChange:
    """What is to be changed; None for as it is."""

    preferred_bridgehead: bool | None = None
    global_catalog: bool | None = None


def find_server(target: Target, name: str) -> Entry:
    """A server by its name, or that of its host. Raises UserError."""
    wanted = name.lower()
    found = [
        one
        for one in all_servers(target)
        if wanted in (rdn_of(one.dn).lower(), one.text("dNSHostName").lower())
    ]
    if len(found) != 1:
        raise UserError(
            f"There {'are several servers' if found else 'is no server'} {name!r}. Next step: addc sites"
            " servers list tells which there are"
        )
    return found[0]


def dsa_of(target: Target, server: Entry) -> Entry:
    """The DC of a server. Raises UserError for a server that is none."""
    found = next(target.search(server.dn, ONE_LEVEL, dsa_filter(), ("objectClass", "options")), None)
    if found is None:
        raise UserError(
            f"{rdn_of(server.dn)} is no DC. Next step: addc sites servers list tells which servers are"
        )
    return found


def _facts(target: Target, server: Entry, dsa: Entry | None) -> Facts:
    bits = DsaOption(0) if dsa is None else DsaOption(dsa.number("options"))
    transport = str(links_dn(target))
    return {
        "name": rdn_of(server.dn),
        "host": server.text("dNSHostName"),
        "site": rdn_of(site_of(server.dn)),
        "dc": dsa is not None,
        "global_catalog": bool(bits & DsaOption.IS_GC),
        "read_only": dsa is not None and dsa.is_a("nTDSDSARO"),
        "preferred_bridgehead": any(same(one, transport) for one in server.texts("bridgeheadTransportList")),
        "dn": server.dn,
    }


def servers(target: Target) -> list[Facts]:
    """Every server object: its site, and whether it is a DC."""
    dsas = {
        Dn.parse(one.dn).parent.key(): one
        for one in target.search(str(sites_dn(target)), SUBTREE, dsa_filter(), ("objectClass", "options"))
    }
    found = [_facts(target, one, dsas.get(Dn.parse(one.dn).key())) for one in all_servers(target)]
    return sorted(found, key=lambda one: (str(one["site"]).lower(), str(one["name"]).lower()))


def move_server(target: Target, name: str, site_name: str, *, dry_run: bool = False) -> Facts:
    """Put a server into another site."""
    server = find_server(target, name)
    site = find(target, site_name)
    place, former = Dn.parse(site.dn).child("CN", "Servers"), site_of(server.dn)
    if same(former, site.dn):
        raise UserError(f"{name} is in {site_name} already. Next step: nothing is to be done")
    operations: list[Operation] = []
    if target.read(str(place), ("name",)) is None:
        operations.append(Add(str(place), [("objectClass", text("serversContainer"))]))
    operations.append(Move(server.dn, str(Dn.parse(server.dn).rdn), str(place)))
    target.apply(operations, dry_run=dry_run)
    return {"name": rdn_of(server.dn), "site": rdn_of(site.dn), "former_site": rdn_of(former)}


def change_server(target: Target, name: str, wanted: ServerChange, *, dry_run: bool = False) -> Facts:
    """Say whether a DC carries what comes from other sites, and whether it is a global catalogue."""
    server = find_server(target, name)
    dsa = dsa_of(target, server)
    before = _facts(target, server, dsa)
    operations: list[Operation] = []
    if wanted.preferred_bridgehead not in (None, before["preferred_bridgehead"]):
        transport = str(links_dn(target)).encode()
        change = insert if wanted.preferred_bridgehead else remove
        operations.append(Modify(server.dn, [change("bridgeheadTransportList", transport)]))
    if wanted.global_catalog not in (None, before["global_catalog"]):
        bits = dsa.number("options") ^ DsaOption.IS_GC
        operations.append(Modify(dsa.dn, [replace("options", str(int(bits)).encode())]))
    if not operations:
        raise UserError(
            "Nothing is to be changed. Next step: addc sites servers list tells what each server is"
        )
    target.apply(operations, dry_run=dry_run)
    after = {
        key: value
        for key, value in (
            ("preferred_bridgehead", wanted.preferred_bridgehead),
            ("global_catalog", wanted.global_catalog),
        )
        if value is not None
    }
    return {**before, **after}
