"""Whether a partner's KDC agrees about the secrets of a trust: asked in both directions, with these alone.

Outward: a ticket that says nothing is made as this KDC would make it; a partner that can open it complains of
something else. Inward: the partner has an account of this domain whose password is the trust's; it gets a
ticket for this realm, which must open here.

Spec: RFC 4120 3.1, 3.3, [MS-ADTS] 6.1.6.8, 6.1.6.9.1.2.
"""

import socket
from dataclasses import dataclass
from typing import Final

from addc.base.clock import TICKS_PER_S, FileTime, whole_seconds
from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.base.secret import Secret
from addc.codec.krb5 import (
    EncryptionKey,
    EncTicketPart,
    EtypeInfo2,
    KrbError,
    MethodData,
    PrincipalName,
    TgsRep,
    Ticket,
    TransitedEncoding,
)
from addc.codec.krb5_numbers import NameType, PaType, TicketFlags
from addc.codes.krb_error import KrbErrorCode
from addc.kdc.client_requests import Client, Held, krbtgt_name
from addc.kdc.tickets import sealed
from addc.security.krb_keys import ETYPES, Key, KeyUsage, string_to_key

_TIMEOUT_S: Final = 5.0
_REPLY_MAX: Final = 1 << 20
_LIFE_FT: Final = 600 * TICKS_PER_S
_AS_REP: Final = 0x6B
_TGS_REP: Final = 0x6D
_NOT_OPENED: Final = frozenset(
    (
        KrbErrorCode.KRB_AP_ERR_MODIFIED,
        KrbErrorCode.KRB_AP_ERR_BAD_INTEGRITY,
        KrbErrorCode.KRB_AP_ERR_BADKEYVER,
        KrbErrorCode.KRB_AP_ERR_NOKEY,
        KrbErrorCode.KRB_AP_ERR_NOT_US,
        KrbErrorCode.KDC_ERR_ETYPE_NOSUPP,
        KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN,
    )
)
"""What a KDC says that cannot open a ticket; the last from those that do not know the issuer at all."""


class ProbeError(Exception):
    """The partner's KDC gave no answer that can be understood."""


@dataclass(frozen=True, slots=True)
class Partner:
    """Whom to ask. realm: upper case. address: of a KDC."""

    realm: str
    address: tuple[str, int]

    def ask(self, message: bytes) -> bytes:
        """One request over TCP (RFC 4120 7.2.2). Raises ProbeError."""
        host, port = self.address
        try:
            with socket.create_connection(self.address, _TIMEOUT_S) as connection:
                connection.sendall(len(message).to_bytes(4, "big") + message)
                size = int.from_bytes(_exactly(connection, 4), "big")
                if size > _REPLY_MAX:
                    raise ProbeError("the reply is longer than any can be")
                return _exactly(connection, size)
        except OSError as error:
            raise ProbeError(f"{host} port {port}: {error}") from error


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ProbeError("the connection ended in the middle of a reply")
        data += more
    return data


def _code(data: bytes) -> KrbErrorCode:
    try:
        return KrbErrorCode(KrbError.unpack(data).error_code)
    except (DecodeError, ValueError) as error:
        raise ProbeError(f"the reply is no Kerberos message: {error}") from error


# --- outward -----------------------------------------------------------------------------------------------


def opens_ours(partner: Partner, own_realm: str, key: Key, now: FileTime, rng: Rng) -> KrbErrorCode | None:
    """What the partner says of a ticket under `key`: None where it could open it.

    The ticket is for nobody and has no PAC, so nothing can be had with it. Raises ProbeError.
    """
    session = Key(18, rng.bytes(ETYPES[18].key_size))
    start = whole_seconds(now)
    cname = PrincipalName(int(NameType.KRB_NT_PRINCIPAL), ("trust-check",))
    part = EncTicketPart(
        flags=int(TicketFlags.PRE_AUTHENT),
        key=EncryptionKey(int(session.etype), session.value),
        crealm=own_realm,
        cname=cname,
        transited=TransitedEncoding(1, b""),
        authtime=start,
        starttime=start,
        endtime=whole_seconds(now + _LIFE_FT),
    )
    enc_part = sealed(key, int(KeyUsage.TICKET), part.pack(), rng)
    ticket = Ticket(realm=own_realm, sname=krbtgt_name(partner.realm), enc_part=enc_part)
    held = Held(ticket, session, own_realm, cname)
    data = partner.ask(
        Client(partner.realm, now, rng).tgs_req(held, krbtgt_name(partner.realm), kdc_options=0)
    )
    if data[:1] == bytes((_TGS_REP,)):
        return None
    code = _code(data)
    return code if code in _NOT_OPENED else None


# --- inward ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """This domain's account at the partner: `<FLAT>$`, with the secret of the trust for its password."""

    name: str
    secret: Secret


def ticket_from(
    partner: Partner, own_realm: str, account: Account, now: FileTime, rng: Rng
) -> Ticket | KrbErrorCode:
    """A ticket for this realm that the partner's KDC made, or what it says instead. Raises ProbeError."""
    cname = PrincipalName(int(NameType.KRB_NT_PRINCIPAL), (account.name,))
    client = Client(partner.realm, now, rng)
    hint = partner.ask(client.as_req(cname, None, None))
    if hint[:1] == bytes((_AS_REP,)):
        return KrbErrorCode.KDC_ERR_PREAUTH_FAILED
    if _code(hint) != KrbErrorCode.KDC_ERR_PREAUTH_REQUIRED:
        return _code(hint)
    key = _key_of_hint(hint, account.secret)
    data = partner.ask(client.as_req(cname, key, None))
    if data[:1] != bytes((_AS_REP,)):
        return _code(data)
    try:
        held = client.of_as_rep(data, key)
    except DecodeError as error:
        raise ProbeError(f"the reply cannot be opened: {error}") from error
    data = partner.ask(client.tgs_req(held, krbtgt_name(own_realm), kdc_options=0))
    return TgsRep.unpack(data).ticket if data[:1] == bytes((_TGS_REP,)) else _code(data)


def _key_of_hint(data: bytes, secret: Secret) -> Key:
    """The account's key, by the salt that the KDC tells."""
    try:
        e_data = KrbError.unpack(data).e_data or b""
        for one in MethodData.unpack(e_data).padata:
            if one.padata_type == PaType.PA_ETYPE_INFO2:
                entry = EtypeInfo2.unpack(one.padata_value).entries[0]
                salt = (entry.salt or "").encode("utf-8", "surrogateescape")
                return string_to_key(entry.etype, secret, salt)
    except (DecodeError, IndexError) as error:
        raise ProbeError(f"the KDC's hints cannot be read: {error}") from error
    raise ProbeError("the KDC tells no salt")
