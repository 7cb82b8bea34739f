"""The client's side of Kerberos: requests made, replies opened.

For who asks the own KDC what it would say (`addc krb explain`), and a partner's whether a trust works.

Spec: RFC 4120 3.1.1, 3.1.5, 3.3.1, 3.3.4, [MS-SFU] 3.1.5.1.1, 3.1.5.2.1.
"""

from dataclasses import dataclass, replace
from typing import Final

from addc.base.clock import DAY_FT, FileTime, whole_seconds
from addc.base.rng import Rng
from addc.codec.krb5 import (
    ApReq,
    AsRep,
    AsReq,
    Authenticator,
    Checksum,
    EncAsRepPart,
    EncKdcRepPart,
    EncTgsRepPart,
    HostAddress,
    KdcRep,
    KdcReqBody,
    PaData,
    PaEncTsEnc,
    PaForUser,
    PaPacOptions,
    PrincipalName,
    TgsRep,
    TgsReq,
    Ticket,
)
from addc.codec.krb5_numbers import KdcOptions, NameType, PacOptions, PaType
from addc.kdc.principal_names import TGS
from addc.kdc.s4u_self import for_user_bytes
from addc.kdc.tickets import sealed
from addc.security.krb_keys import ETYPES, Cksumtype, Key, KeyUsage, checksum, decrypt

ETYPES_OFFERED: Final = (20, 19, 18, 17, 23)
"""What clients of today ask for, RC4 among it."""
_OPTIONS: Final = int(
    KdcOptions.FORWARDABLE | KdcOptions.RENEWABLE | KdcOptions.CANONICALIZE | KdcOptions.RENEWABLE_OK
)
_TILL_FT: Final = DAY_FT


@dataclass(frozen=True, slots=True)
class Held:
    """A ticket as its client holds it."""

    ticket: Ticket
    session: Key
    crealm: str
    cname: PrincipalName
    flags: int = 0
    endtime: FileTime = FileTime(0)  # noqa: RUF009 - a number
    renew_till: FileTime | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """What all requests to one KDC share. realm: that KDC's."""

    realm: str
    now: FileTime
    rng: Rng

    def body(self, sname: PrincipalName, **more: object) -> KdcReqBody:
        base = KdcReqBody(
            kdc_options=_OPTIONS,
            realm=self.realm,
            sname=sname,
            till=FileTime(self.now + _TILL_FT),
            nonce=int.from_bytes(self.rng.bytes(4), "big") & 0x7FFF_FFFF,
            etype=ETYPES_OFFERED,
        )
        return replace(base, **more)  # type: ignore[arg-type]

    def as_req(self, cname: PrincipalName, key: Key | None, machine: str | None) -> bytes:
        """For a ticket-granting ticket; without a key nothing is proved."""
        padata = []
        if key is not None:
            stamp = PaEncTsEnc(whole_seconds(self.now), 0).pack()
            data = sealed(key, int(KeyUsage.AS_REQ_PA_ENC_TIMESTAMP), stamp, self.rng)
            padata.append(PaData(int(PaType.PA_ENC_TIMESTAMP), data.pack()))
        addresses = None if machine is None else (HostAddress.of_machine(_netbios_name(machine)),)
        body = self.body(krbtgt_name(self.realm), cname=cname, addresses=addresses)
        return AsReq(padata=tuple(padata) or None, req_body=body).pack()

    def of_as_rep(self, reply: bytes, key: Key) -> Held:
        """Raises DecodeError."""
        message = AsRep.unpack(reply)
        part = EncAsRepPart.unpack(decrypt(key, int(KeyUsage.AS_REP_ENC_PART), message.enc_part.cipher))
        return _held(message, part)

    def tgs_req(self, held: Held, sname: PrincipalName, *padata: PaData, **more: object) -> bytes:
        """For a ticket by a ticket."""
        body = self.body(sname, **more)
        session = held.session
        kind = int(ETYPES[session.etype].cksumtype)
        value = checksum(session, int(KeyUsage.TGS_REQ_AUTHENTICATOR_CKSUM), body.pack(), kind)
        authenticator = Authenticator(
            crealm=held.crealm,
            cname=held.cname,
            cksum=Checksum(kind, value),
            cusec=0,
            ctime=whole_seconds(self.now),
        )
        enclosed = sealed(session, int(KeyUsage.TGS_REQ_AUTHENTICATOR), authenticator.pack(), self.rng)
        ap_req = ApReq(ap_options=0, ticket=held.ticket, authenticator=enclosed)
        first = PaData(int(PaType.PA_TGS_REQ), ap_req.pack())
        return TgsReq(padata=(first, *padata), req_body=body).pack()

    def of_tgs_rep(self, reply: bytes, held: Held) -> Held:
        """Raises DecodeError."""
        message = TgsRep.unpack(reply)
        usage = int(KeyUsage.TGS_REP_ENC_PART_SESSION)
        part = EncTgsRepPart.unpack(decrypt(held.session, usage, message.enc_part.cipher))
        return _held(message, part)

    def s4u2self(self, held: Held, user: PrincipalName) -> bytes:
        """A service's request for a user's ticket to itself."""
        signed = for_user_bytes(user, self.realm, "Kerberos")
        value = checksum(held.session, int(KeyUsage.OTHER_CKSUM), signed, int(Cksumtype.HMAC_MD5))
        asked = PaForUser(
            user_name=user, user_realm=self.realm, cksum=Checksum(int(Cksumtype.HMAC_MD5), value)
        )
        return self.tgs_req(held, held.cname, PaData(int(PaType.PA_FOR_USER), asked.pack()))

    def s4u2proxy(self, held: Held, evidence: Ticket, sname: PrincipalName) -> bytes:
        """A service's request for a user's ticket to another service."""
        options = PaPacOptions(int(PacOptions.RESOURCE_BASED_CONSTRAINED_DELEGATION)).pack()
        return self.tgs_req(
            held,
            sname,
            PaData(int(PaType.PA_PAC_OPTIONS), options),
            kdc_options=_OPTIONS | int(KdcOptions.CNAME_IN_ADDL_TKT),
            additional_tickets=(evidence,),
        )


def krbtgt_name(realm: str) -> PrincipalName:
    """krbtgt/REALM."""
    return PrincipalName(int(NameType.KRB_NT_SRV_INST), (TGS, realm))


def _held(message: KdcRep, part: EncKdcRepPart) -> Held:
    session = Key(part.key.keytype, part.key.keyvalue)
    return Held(
        message.ticket, session, message.crealm, message.cname, part.flags, part.endtime, part.renew_till
    )


def _netbios_name(machine: str) -> str:
    return machine.removesuffix("$").partition(".")[0].upper()
