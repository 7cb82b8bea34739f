"""The DC's own records in DNS: the addresses that it registers, the job, and what `addc dns register` does.

Spec: [MS-ADTS] 6.3.2 (registrations), 6.3.2.1.1 (timer).
"""

from collections.abc import Iterable
from functools import partial
from ipaddress import ip_address
from typing import Final

from addc.base.errors import UserError
from addc.directory import dns_locator
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.directory.dns_locator import Outcome, Plan, Registrar
from addc.directory.jobs import Job
from addc.directory.locator_records import Address, LocatorRecord
from addc.directory.own_addresses import usable, why_not
from addc.security.token import SYSTEM
from addc.server.config import SiteConfig
from addc.server.forest_changes import change
from addc.server.interface_addresses import interface_addresses

Facts = dict[str, object]
_WORDS: Final = ("added", "changed", "refreshed", "removed", "refused", "elsewhere", "kept")


def addresses_to_register(site: SiteConfig) -> tuple[Address, ...]:
    """What to register: config.json's host_ips where there are any, else what the interfaces have."""
    if site.host_ips:
        return tuple(map(ip_address, site.host_ips))
    return usable(interface_addresses())


def jobs(site: SiteConfig) -> tuple[Job, ...]:
    """The background's work on the DC's own records."""
    registrar = Registrar(partial(addresses_to_register, site))
    return (Job("dns registration", registrar.step, dns_locator.PERIOD_S, dns_locator.KIND),)


# --- the command ---


def register(directory: Directory, site: SiteConfig, *, force: bool = False, dry_run: bool = False) -> Facts:
    """Register now; what was done with each record, and what was not registered and why."""
    addresses = addresses_to_register(site)
    if not addresses:
        raise UserError(
            "This machine has no address that others could reach it by. Next step: addc dns register"
            " --addresses tells why each was left out; host_ips in config.json names the right ones"
        )

    def planned(ctx: ReadContext) -> Plan:
        return dns_locator.plan(ctx, addresses, forget=force)

    if dry_run:
        done = directory.read_now("dns.register", SYSTEM, planned)
    else:
        done = change(
            directory, "dns.register", lambda ctx: dns_locator.register(ctx, addresses, forget=force)
        )
    return {
        "addresses": [str(one) for one in addresses],
        "records": sorted(map(_facts, done.outcomes), key=_order),
    }


def _order(one: Facts) -> tuple[int, str, str]:
    return _WORDS.index(str(one["done"])), str(one["zone"]), str(one["name"]).lower()


def _facts(one: Outcome) -> Facts:
    record = one.item.record
    return {
        "done": one.done,
        "zone": one.item.zone,
        "name": record.name,
        "ttl_s": record.ttl_s,
        "type": record.kind,
        "data": shown(record),
        "why": one.why,
    }


def shown(record: LocatorRecord) -> str:
    """A record's data as zone files have them."""
    if record.kind == "SRV":
        return f"{record.priority} {record.weight} {record.port} {record.data}."
    return record.data if record.kind in ("A", "AAAA") else f"{record.data}."


def told_addresses(site: SiteConfig) -> list[Facts]:
    """Every address of this machine, and why one is not registered."""
    if site.host_ips:
        return [{"interface": "config.json", "address": one, "why_not": ""} for one in site.host_ips]
    return [
        {"interface": one.interface, "address": str(one.address), "why_not": why_not(one)}
        for one in interface_addresses()
    ]


def nsupdate_script(records: Iterable[Facts]) -> str:
    """What other servers' zones are to hold, as nsupdate reads it: one message for each name."""
    names: dict[str, list[Facts]] = {}
    for one in records:
        if one["done"] == "elsewhere":
            names.setdefault(str(one["name"]), []).append(one)
    lines: list[str] = []
    for name, held in names.items():
        lines += [f"update add {name}. {one['ttl_s']} {one['type']} {one['data']}" for one in held]
        lines.append("send")
    return "\n".join(lines)
