"""Tickets and the encrypted parts of replies: what AS and TGS exchange issue alike.

Spec: RFC 4120 5.3, 5.4.2, [MS-PAC] 2.8.
"""

from dataclasses import dataclass
from typing import Final, TypeVar

from addc.base.clock import FileTime, whole_seconds
from addc.base.rng import Rng
from addc.codec.krb5 import (
    AuthorizationDataEntry,
    EncAsRepPart,
    EncryptedData,
    EncryptionKey,
    EncTgsRepPart,
    EncTicketPart,
    HostAddress,
    LastReqEntry,
    PaData,
    PrincipalName,
    Ticket,
    TransitedEncoding,
    with_authorization_data,
)
from addc.codec.krb5_numbers import TicketFlags, TransitedType
from addc.kdc.facts import Issued
from addc.kdc.ticket_pac import PAC_PLACEHOLDER, PacSigners, pac_entry, sign_pac
from addc.security.krb_keys import ETYPES, Key, KeyUsage, encrypt

Part = TypeVar("Part", EncAsRepPart, EncTgsRepPart)

FORWARDABLE: Final = int(TicketFlags.FORWARDABLE)
FORWARDED: Final = int(TicketFlags.FORWARDED)
PROXIABLE: Final = int(TicketFlags.PROXIABLE)
PROXY: Final = int(TicketFlags.PROXY)
INVALID: Final = int(TicketFlags.INVALID)
RENEWABLE: Final = int(TicketFlags.RENEWABLE)
INITIAL: Final = int(TicketFlags.INITIAL)
PRE_AUTHENT: Final = int(TicketFlags.PRE_AUTHENT)
TRANSITED_POLICY_CHECKED: Final = int(TicketFlags.TRANSITED_POLICY_CHECKED)
OK_AS_DELEGATE: Final = int(TicketFlags.OK_AS_DELEGATE)
ENC_PA_REP: Final = int(TicketFlags.ENC_PA_REP)

_TICKET_USAGE: Final = int(KeyUsage.TICKET)
_X500: Final = int(TransitedType.DOMAIN_X500_COMPRESS)
_PLACEHOLDER: Final = PAC_PLACEHOLDER.pack()
_NO_TRANSIT: Final = TransitedEncoding(_X500, b"")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a ticket says; times are KerberosTimes."""

    flags: int
    session: Key
    crealm: str
    cname: PrincipalName
    srealm: str
    sname: PrincipalName
    authtime: FileTime
    starttime: FileTime
    endtime: FileTime
    renew_till: FileTime | None = None
    caddr: tuple[HostAddress, ...] | None = None
    extra: tuple[AuthorizationDataEntry, ...] = ()
    transited: bytes = b""

    def session_key(self) -> EncryptionKey:
        return EncryptionKey(int(self.session.etype), self.session.value)


def reply_part(
    kind: type[Part],
    grant: Grant,
    nonce: int,
    now: FileTime,
    *,
    padata: tuple[PaData, ...] = (),
    key_expiration: FileTime | None = None,
) -> bytes:
    """The packed part of a reply that only its client reads: of a last request it tells nothing.

    padata: encrypted-pa-data. Spec: RFC 4120 5.4.2.
    """
    return kind(
        key=grant.session_key(),
        last_req=(LastReqEntry(0, whole_seconds(now)),),
        nonce=nonce,
        key_expiration=key_expiration,
        flags=grant.flags,
        authtime=grant.authtime,
        starttime=grant.starttime,
        endtime=grant.endtime,
        renew_till=grant.renew_till,
        srealm=grant.srealm,
        sname=grant.sname,
        caddr=grant.caddr,
        encrypted_pa_data=padata or None,
    ).pack()


def issued(reply: bytes, ticket: Ticket, grant: Grant, reply_etype: int) -> Issued:
    """A packed reply with what its ticket says."""
    return Issued(
        reply,
        ticket,
        grant.crealm,
        grant.cname,
        grant.flags,
        int(grant.session.etype),
        reply_etype,
        grant.endtime,
        grant.renew_till,
    )


def sealed(key: Key, usage: int, plain: bytes, rng: Rng, kvno: int | None = None) -> EncryptedData:
    """EncryptedData with a fresh confounder."""
    cipher = encrypt(key, usage, plain, rng.bytes(ETYPES[key.etype].confounder_size))
    return EncryptedData(etype=int(key.etype), kvno=kvno, cipher=cipher)


def issue(
    grant: Grant,
    pac: list[tuple[int, bytes]] | None,
    signers: PacSigners,
    kvno: int | None,
    *,
    full_signatures: bool,
    rng: Rng,
) -> Ticket:
    """A ticket, with a signed PAC unless `pac` is None.

    full_signatures: ticket and extended KDC signature too: everything but tickets of krbtgt.
    """
    part = EncTicketPart(
        flags=grant.flags,
        key=grant.session_key(),
        crealm=grant.crealm,
        cname=grant.cname,
        transited=TransitedEncoding(_X500, grant.transited) if grant.transited else _NO_TRANSIT,
        authtime=grant.authtime,
        starttime=grant.starttime,
        endtime=grant.endtime,
        renew_till=grant.renew_till,
        caddr=grant.caddr,
    ).pack()
    extra = b"".join([entry.pack() for entry in grant.extra])
    if pac is not None:
        plain = with_authorization_data(part, _PLACEHOLDER + extra) if full_signatures else None
        extra = pac_entry(sign_pac(pac, signers, plain)).pack() + extra
    if extra:
        part = with_authorization_data(part, extra)
    return Ticket(
        realm=grant.srealm,
        sname=grant.sname,
        enc_part=sealed(signers.server, _TICKET_USAGE, part, rng, kvno),
    )
