"""For whom a new ticket speaks, whatever way its name came into the exchange.

Spec: RFC 4120 3.3.3, [MS-SFU] 3.2.5.
"""

from dataclasses import dataclass

from addc.base.clock import FileTime
from addc.codec.krb5 import AuthorizationDataEntry, HostAddress, PrincipalName
from addc.codec.pac import Pac
from addc.kdc.facts import OpenedTicket, Principal


@dataclass(frozen=True, slots=True)
class Subject:
    """The client of a new ticket, and what limits that ticket.

    flags, authtime, starttime, endtime, renew_till, caddr: of the ticket that the new one comes of.
    pac: verified; what goes into the new ticket is made of it. principal: None for another realm's client.
    resource_rids: the client's domain-local groups in this domain. extra: more authorization data.
    """

    crealm: str
    cname: PrincipalName
    flags: int
    authtime: FileTime
    starttime: FileTime
    endtime: FileTime
    renew_till: FileTime | None
    caddr: tuple[HostAddress, ...] | None
    pac: Pac
    principal: Principal | None
    resource_rids: tuple[int, ...] = ()
    extra: tuple[AuthorizationDataEntry, ...] = ()


def holder(ticket: OpenedTicket, pac: Pac, principal: Principal | None, rids: tuple[int, ...]) -> Subject:
    """The client of a ticket that it presents itself."""
    part = ticket.part
    return Subject(
        part.crealm,
        part.cname,
        part.flags,
        part.authtime,
        part.starttime or part.authtime,
        part.endtime,
        part.renew_till,
        part.caddr,
        pac,
        principal,
        rids,
    )
