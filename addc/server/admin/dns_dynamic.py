"""What `addc dns update` does: a DHCP client's name is given an address, or loses it, on any DNS server.

Zones are found by their SOA; each is updated at its primary server, under a TSIG key, a key that Kerberos
makes, or none.

Spec: RFC 2136 4, RFC 4703 5.3, 5.4, 5.5, RFC 3645 3
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

from addc.base.errors import DecodeError, UserError
from addc.codec.dns_message import Message, Question
from addc.codec.dns_names import Name, fold, name_text, parse_name, to_ascii
from addc.codec.zone_file import show_record
from addc.codes.rcode import Rcode
from addc.dns import dhcp_names
from addc.dns.client import DnsClient, NoReplyError
from addc.dns.dhcp_names import Identity, Lease, Update
from addc.dns.tsig import HmacKey, TsigKey
from addc.dns.update_client import FoundZone, NoZoneError, find_zone, negotiate, send_update, with_key
from addc.server.admin.name_servers import Way, client_of

_REVERSE_ROOTS: Final = frozenset(
    ((), (b"arpa",), (b"in-addr", b"arpa"), (b"ip6", b"arpa"), (b"ip6-servers", b"arpa"))
)
"""Zones of others: where the search ends up when nobody here has the address's zone."""
_HTYPE_ETHERNET: Final = 1
_HOST_LABEL: Final = re.compile(rb"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
Facts = dict[str, object]


class Auth(Enum):
    """What updates are signed with."""

    KERBEROS = "kerberos"
    KEY = "key"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Signing:
    """keytab: None for the tickets at hand. realm: "" for the domain of the server."""

    auth: Auth
    key: HmacKey | None = None
    keytab: Path | None = None
    realm: str = ""

    def store(self) -> dict[str, str]:
        if self.keytab is None:
            return {}
        return {"client_keytab": str(self.keytab), "ccache": "MEMORY:addc-dns-update"}


@dataclass(slots=True)
class Job:
    """One name and one address. keys: what Kerberos made, by server."""

    lease: Lease
    way: Way
    signing: Signing
    forward: bool = True
    reverse: bool = True
    keys: dict[str, TsigKey] = field(default_factory=dict)


def identity_of(client_id: str, duid: str, mac: str) -> tuple[Identity, bytes]:
    """Who a client is, of hexadecimal digits with or without colons. Raises UserError."""
    given = [(word, text) for word, text in (("client-id", client_id), ("duid", duid), ("mac", mac)) if text]
    if not given:
        raise UserError("Whose name it is was not said. Next step: --client-id, --duid or --mac")
    word, text = given[0]  # as RFC 4701 3.3 prefers them
    try:
        data = bytes.fromhex(_plain(text))
        if not data:
            raise ValueError("no octets")
        if word == "client-id":
            return dhcp_names.identity_of_client_id(data)
    except (ValueError, DecodeError) as error:
        raise UserError(f"{text!r} is no {word}: {error}. Next step: hexadecimal digits") from error
    if word == "duid":
        return Identity.DUID, data
    return Identity.HARDWARE, bytes((_HTYPE_ETHERNET,)) + data


def lease_of(name: str, address: IPv4Address | IPv6Address, who: tuple[Identity, bytes], ttl_s: int) -> Lease:
    """Raises UserError for a name that is none of a host, or has no domain.

    Clients name themselves: one called "*" would have every name that nobody has. Spec: RFC 1123 2.1
    """
    try:
        labels = parse_name(to_ascii(name))
    except DecodeError as error:
        raise UserError(f"{name!r} is no name: {error}. Next step: as pc7.example.com") from error
    if not all(_HOST_LABEL.fullmatch(label) for label in labels):
        raise UserError(
            f"{name!r} is no host's name. Next step: letters, digits, hyphens, as pc7.example.com"
        )
    if len(labels) < 2:
        raise UserError(f"{name!r} has no domain. Next step: the whole name, as pc7.example.com")
    return Lease(labels, address, *who, ttl_s)


def _plain(text: str) -> str:
    """Digits alone; a single digit between colons, as dhcpd writes them, has its zero put before it."""
    parts = text.replace("-", ":").split(":")
    return "".join(part.zfill(2) if len(parts) > 1 else part for part in parts)


async def added(job: Job) -> Facts:
    """Give the name the address. Raises UserError, NoReplyError and what a key's making raises."""
    facts = _facts(job)
    if job.forward:
        facts["forward"] = said = await _claimed(job)
        if said["outcome"] not in ("made", "renewed"):
            return facts
    if job.reverse:
        facts["reverse"] = await _reversed(job, dhcp_names.point_back(job.lease), "made")
    return facts


async def deleted(job: Job) -> Facts:
    """Take the address from the name, and the name with its last one.

    The pointer back stays where it is another's name that has the address.
    """
    facts = _facts(job)
    if job.forward:
        facts["forward"] = said = await _released(job)
        if said["outcome"] == "refused" or (said["outcome"] == "another's" and await _has_address(job)):
            return facts
    if job.reverse:
        facts["reverse"] = await _reversed(job, dhcp_names.forget_back(job.lease), "deleted")
    return facts


def planned(job: Job, *, adding: bool) -> Facts:
    """What would be sent, for a dry run; no server is asked."""
    lease = job.lease
    if adding:
        forward = [dhcp_names.claim_free(lease), dhcp_names.claim_own(lease)]
        reverse = dhcp_names.point_back(lease)
    else:
        forward = [dhcp_names.release_address(lease), dhcp_names.release_mark(lease)]
        reverse = dhcp_names.forget_back(lease)
    facts = _facts(job)
    if job.forward:
        facts["forward"] = [_told(one) for one in forward]
    if job.reverse:
        facts["reverse"] = [_told(reverse)]
    return facts


def _told(update: Update) -> Mapping[str, list[str]]:
    return {
        "prerequisites": [show_record(one) for one in update.prerequisites],
        "changes": [show_record(one) for one in update.changes],
    }


def _facts(job: Job) -> Facts:
    return {"name": name_text(job.lease.name), "address": str(job.lease.address)}


async def _claimed(job: Job) -> Facts:
    zone, client = await _server_of(job, job.lease.name)
    rcode = await _sent(client, zone, dhcp_names.claim_free(job.lease))
    if rcode == Rcode.NOERROR:
        return _outcome(zone, client, "made", rcode)
    if rcode not in dhcp_names.NOT_FREE:
        return _outcome(zone, client, "refused", rcode)
    rcode = await _sent(client, zone, dhcp_names.claim_own(job.lease))
    if rcode in dhcp_names.NOT_OURS:
        return _outcome(zone, client, "another's", rcode)
    return _outcome(zone, client, "refused" if rcode else "renewed", rcode)


async def _released(job: Job) -> Facts:
    zone, client = await _server_of(job, job.lease.name)
    rcode = await _sent(client, zone, dhcp_names.release_address(job.lease))
    if rcode in dhcp_names.NOT_OURS:
        return _outcome(zone, client, "another's", rcode)
    if rcode:
        return _outcome(zone, client, "refused", rcode)
    left = await _sent(client, zone, dhcp_names.release_mark(job.lease))
    if left in dhcp_names.NOT_FREE or left in dhcp_names.NOT_OURS:
        return _outcome(zone, client, "address deleted", left)
    return _outcome(zone, client, "refused" if left else "deleted", left)


async def _has_address(job: Job) -> bool:
    """Whether the name still has the address, as the server says that has its zone."""
    _, client = await _server_of(job, job.lease.name)
    wanted = dhcp_names.address_record(job.lease)
    question = Question(wanted.owner, wanted.type)
    reply = (await client.ask(Message(questions=(question,)))).message
    return any(one.type == wanted.type and one.data == wanted.data for one in reply.answers)


async def _reversed(job: Job, update: Update, done: str) -> Facts:
    try:
        zone, client = await _server_of(job, update.changes[0].owner)
    except NoZoneError:
        return {"outcome": "no zone"}
    except NoReplyError as error:  # what was done forward is told all the same
        return {"outcome": "no answer", "why": str(error)}
    if fold(zone.apex) in _REVERSE_ROOTS:
        return {"outcome": "no zone"}
    rcode = await _sent(client, zone, update)
    return _outcome(zone, client, "refused" if rcode else done, rcode)


async def _sent(client: DnsClient, zone: FoundZone, update: Update) -> Rcode:
    return await send_update(client, zone.apex, update.prerequisites, update.changes)


def _outcome(zone: FoundZone, client: DnsClient, outcome: str, rcode: Rcode) -> Facts:
    return {
        "outcome": outcome,
        "zone": name_text(zone.apex),
        "server": str(client.server),
        "status": rcode.name,
    }


async def _server_of(job: Job, name: Name) -> tuple[FoundZone, DnsClient]:
    """The zone of a name, and its primary server with what signs updates there."""
    asker = client_of(job.way)
    zone = await find_zone(asker, name)
    way = job.way if job.way.server else Way(zone.primary, tcp=job.way.tcp, timeout_s=job.way.timeout_s)
    client = client_of(way, job.signing.key)
    if job.signing.auth is not Auth.KERBEROS:
        return zone, client
    known = job.keys.get(str(client.server))
    if known is None:
        realm = job.signing.realm or zone.primary.partition(".")[2].upper()
        known = await negotiate(client, f"DNS/{zone.primary.lower()}@{realm}", job.signing.store())
        job.keys[str(client.server)] = known
    return zone, with_key(client, known)


def failed(facts: Facts) -> bool:
    """Whether something was refused, is another's, or could not be asked."""
    parts = [part for part in (facts.get("forward"), facts.get("reverse")) if isinstance(part, dict)]
    return any(part["outcome"] in ("refused", "another's", "no answer") for part in parts)


def shown(facts: Facts) -> str:
    """The facts for people, a line for each direction."""
    lines = []
    for direction in ("forward", "reverse"):
        part = facts.get(direction)
        if isinstance(part, list):
            lines += [
                f"{direction}: {kind[:-1]} {text}"
                for one in part
                for kind, listed in one.items()
                for text in listed
            ]
        elif isinstance(part, dict):
            where = f" in {part['zone']} at {part['server']} ({part['status']})" if "zone" in part else ""
            where += f": {part['why']}" if "why" in part else ""
            lines.append(f"{direction}: {part['outcome']}{where}")
    return "\n".join([f"{facts['name']} {facts['address']}", *lines])
