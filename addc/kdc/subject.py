"""For whom a new ticket speaks, whatever way its name came into the exchange.

Spec: RFC 4120 3.3.3, [MS-SFU] 3.2.5.
"""

from dataclasses import dataclass, replace

from addc.base.clock import FileTime
from addc.codec.krb5 import AuthorizationDataEntry, HostAddress, PaData, PrincipalName
from addc.codec.pac import Pac
from addc.kdc.facts import OpenedTicket, Principal
from addc.security.krb_keys import Key


@dataclass(frozen=True, slots=True)
class Subject:
    """The client of a new ticket, and what limits that ticket.

    flags, authtime, starttime, endtime, renew_till, caddr: of the ticket that the new one comes of.
    pac: verified; what goes into the new ticket is made of it. principal: None for another realm's client.
    resource_rids: the client's domain-local groups in this domain. extra: more authorization data.
    needs_pac: even a service that wants none gets one. padata, encrypted_padata: of the reply.
    auth_data_key: of the request's authorization data where no subkey is, None for the TGT's session key.
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
    transited: bytes = b""
    needs_pac: bool = False
    padata: tuple[PaData, ...] = ()
    encrypted_padata: tuple[PaData, ...] = ()
    auth_data_key: Key | None = None

    def over(self, transited: bytes) -> "Subject":
        """The same client, come by these realms."""
        return replace(self, transited=transited)


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
