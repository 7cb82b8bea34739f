"""What `addc sites connections` does: what replicates from where, and what an administrator adds to it.

Spec: [MS-ADTS] 6.1.1.2.2.1.2.1.2 (nTDSConnection), 6.2.2.4 (which ones the KCC ends).
"""

from typing import Final

from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.codec.schedule import ALWAYS, NEVER, pack_schedule
from addc.kcc.schedule_text import parse_starts
from addc.kcc.snapshot import ConnectionOption
from addc.server.admin.site_objects import (
    Facts,
    check_object_name,
    class_is,
    links_dn,
    rdn_of,
    same,
    site_of,
    sites_dn,
)
from addc.server.admin.site_schedules import start_words
from addc.server.admin.site_servers import dsa_of, find_server
from addc.server.admin.target import SUBTREE, Add, Delete, Entry, Target, text

_READ: Final = ("fromServer", "enabledConnection", "options", "transportType", "schedule")


def _server(dn: str) -> str:
    """The server object of an nTDSDSA's DN; "" for what is no such DN."""
    return str(Dn.parse(dn).parent) if dn else ""


def _facts(one: Entry) -> Facts:
    target = _server(str(Dn.parse(one.dn).parent))
    source = _server(one.text("fromServer"))
    bits = one.number("options")
    return {
        "name": rdn_of(one.dn),
        "from": rdn_of(source),
        "from_site": rdn_of(site_of(source)) if source else "",
        "to": rdn_of(target),
        "to_site": rdn_of(site_of(target)),
        "generated": bool(bits & ConnectionOption.IS_GENERATED),
        "enabled": one.text("enabledConnection").upper() == "TRUE",
        "sysvol_only": bool(bits & ConnectionOption.RODC_TOPOLOGY),
        "transport": rdn_of(one.text("transportType")),
        "schedule": start_words(one.first("schedule"), "never"),
        "dn": one.dn,
    }


def listed(target: Target, server: str = "") -> list[Facts]:
    """Every connection, or those to and from a server."""
    found = map(_facts, target.search(str(sites_dn(target)), SUBTREE, class_is("nTDSConnection"), _READ))
    name = rdn_of(find_server(target, server).dn).lower() if server else ""
    kept = [one for one in found if not name or name in (str(one["from"]).lower(), str(one["to"]).lower())]
    return sorted(kept, key=lambda one: [str(one[key]).lower() for key in ("to_site", "to", "from", "name")])


def create(
    target: Target, source: str, to: str, *, schedule: str = "", name: str = "", dry_run: bool = False
) -> Facts:
    """Have a DC replicate from another one, whatever the KCC thinks; it never ends such a connection.

    schedule: when it starts, as people write it; always without one.
    """
    _, from_dsa = _dc(target, source)
    server, to_dsa = _dc(target, to)
    if same(from_dsa.dn, to_dsa.dn):
        raise UserError(f"{to} does not replicate from itself. Next step: name two DCs")
    if from_dsa.is_a("nTDSDSARO"):
        raise UserError(f"{source} is read-only: nothing comes from it. Next step: name a writable DC")
    week = parse_starts(schedule) if schedule else ALWAYS
    if week == NEVER:
        raise UserError("This connection would never start. Next step: name times")
    rdn = name or f"{source} to {to}"
    check_object_name("connection", rdn)
    dn = str(Dn.parse(to_dsa.dn).child("CN", rdn))
    if target.read(dn, ("name",)) is not None:
        raise UserError(f"There is a connection {rdn!r} already. Next step: choose another one by --name")
    values = [
        ("objectClass", text("nTDSConnection")),
        ("fromServer", text(from_dsa.dn)),
        ("enabledConnection", text("TRUE")),
        ("options", text("0")),
        ("schedule", (pack_schedule(week),)),
    ]
    if not same(site_of(server.dn), site_of(_server(from_dsa.dn))):
        values.append(("transportType", text(str(links_dn(target)))))
    target.apply([Add(dn, values)], dry_run=dry_run)
    return _facts(Entry(dn, {key.lower(): held for key, held in values}))


def _dc(target: Target, name: str) -> tuple[Entry, Entry]:
    server = find_server(target, name)
    return server, dsa_of(target, server)


def delete(
    target: Target, name: str, *, server: str = "", generated: bool = False, dry_run: bool = False
) -> Facts:
    """End a connection, named by its name. server: whose it is, where several have the name.

    generated: also one that the KCC made, though it makes it again where it is still wanted.
    """
    wanted = rdn_of(find_server(target, server).dn).lower() if server else ""
    found = [
        one
        for one in listed(target)
        if str(one["name"]).lower() == name.lower() and wanted in ("", str(one["to"]).lower())
    ]
    if len(found) != 1:
        raise UserError(
            f"There {'are several connections' if found else 'is no connection'} {name!r}. Next step: addc"
            f" sites connections list tells which there are{'; --of SERVER chooses' if found else ''}"
        )
    (one,) = found
    if one["generated"] and not generated:
        raise UserError(
            f"The KCC made {name!r} ({one['from']} to {one['to']}) and makes it again within 15 minutes as"
            " long as it is wanted. Next step: change sites or links instead (addc kcc --explain tells why it"
            " is there); --generated ends it all the same"
        )
    target.apply([Delete(str(one["dn"]))], dry_run=dry_run)
    return one
