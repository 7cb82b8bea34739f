"""A Kerberos client's messages, made with the codec: for loads and as seeds of mutations.

Confounders are zero and times are given, so that the same questions are the same bytes.
"""

import struct
from dataclasses import dataclass
from typing import Final

from addc.base.clock import TICKS_PER_S, FileTime, whole_seconds
from addc.codec.krb5 import (
    ApReq,
    AsRep,
    AsReq,
    Authenticator,
    Checksum,
    EncAsRepPart,
    EncKrbPrivPart,
    EncryptedData,
    EncTgsRepPart,
    HostAddress,
    KdcReqBody,
    KrbPriv,
    PaData,
    PaEncTsEnc,
    PaPacRequest,
    PrincipalName,
    TgsReq,
    Ticket,
)
from addc.codec.krb5_numbers import KdcOptions, NameType, PaType
from addc.security.krb_keys import ETYPES, Key, KeyUsage, checksum, decrypt, encrypt, string_to_key

AES256: Final = 18
NONCE: Final = 0x5A5A_5A5A
AS_REP, TGS_REP, KRB_ERROR = 0x6B, 0x6D, 0x7E
"""First bytes of the KDC's answers."""
CHANGE_PASSWORD: Final = "kadmin/changepw"
_DAY_FT: Final = 24 * 3600 * TICKS_PER_S
_KPASSWD_CHANGE: Final = 1


@dataclass(frozen=True, slots=True)
class Login:
    """A user's name, realm and long-term key."""

    name: str
    realm: str
    key: Key


@dataclass(frozen=True, slots=True)
class Granted:
    """A ticket and its session key."""

    login: Login
    reply: AsRep
    session: Key


def login(name: str, realm: str, password: str) -> Login:
    """A user whose salt is the usual one."""
    return Login(name, realm, string_to_key(AES256, password, f"{realm}{name}".encode()))


def _names(text: str, kind: NameType = NameType.KRB_NT_SRV_INST) -> PrincipalName:
    return PrincipalName(int(kind), tuple(text.split("/")))


def _sealed(key: Key, usage: KeyUsage, plain: bytes) -> EncryptedData:
    confounder = bytes(ETYPES[key.etype].confounder_size)
    return EncryptedData(etype=int(key.etype), cipher=encrypt(key, usage, plain, confounder))


def _body(
    realm: str,
    sname: str,
    cname: PrincipalName | None,
    now: FileTime,
    evidence: Ticket | None = None,
    *,
    forwardable: bool = True,
) -> KdcReqBody:
    options = KdcOptions.RENEWABLE_OK | KdcOptions.CANONICALIZE
    if forwardable:
        options |= KdcOptions.FORWARDABLE
    if evidence is not None:
        options |= KdcOptions.CNAME_IN_ADDL_TKT
    return KdcReqBody(
        kdc_options=int(options),
        cname=cname,
        realm=realm,
        sname=_names(sname),
        till=FileTime(whole_seconds(now) + _DAY_FT),
        nonce=NONCE,
        etype=(AES256, 17, 23),
        additional_tickets=None if evidence is None else (evidence,),
    )


def as_req(who: Login, now: FileTime, sname: str = "") -> bytes:
    """An AS-REQ with an encrypted timestamp; for a ticket-granting ticket unless `sname` says otherwise."""
    stamp = PaEncTsEnc(whole_seconds(now), now % TICKS_PER_S // 10).pack()
    sealed = _sealed(who.key, KeyUsage.AS_REQ_PA_ENC_TIMESTAMP, stamp).pack()
    padata = (
        PaData(int(PaType.PA_ENC_TIMESTAMP), sealed),
        PaData(int(PaType.PA_PAC_REQUEST), PaPacRequest(True).pack()),
    )
    return AsReq(padata=padata, req_body=_as_body(who, now, sname)).pack()


def first_as_req(who: Login, now: FileTime) -> bytes:
    """An AS-REQ without pre-authentication, as clients begin."""
    return AsReq(req_body=_as_body(who, now, "")).pack()


def _as_body(who: Login, now: FileTime, sname: str) -> KdcReqBody:
    cname = _names(who.name, NameType.KRB_NT_PRINCIPAL)
    return _body(who.realm, sname or f"krbtgt/{who.realm}", cname, now)


def granted(who: Login, reply: bytes) -> Granted:
    """What an AS-REP grants."""
    found = AsRep.unpack(reply)
    plain = decrypt(who.key, KeyUsage.AS_REP_ENC_PART, found.enc_part.cipher)
    kind = EncAsRepPart if plain[0] == EncAsRepPart.ber_tag else EncTgsRepPart  # as MIT's KDC tags it
    part = kind.unpack(plain)
    return Granted(who, found, Key(part.key.keytype, part.key.keyvalue))


def _authenticator(
    ticket: Granted, usage: KeyUsage, now: FileTime, cksum: Checksum | None, usec: int
) -> ApReq:
    plain = Authenticator(
        crealm=ticket.reply.crealm,
        cname=ticket.reply.cname,
        cksum=cksum,
        cusec=usec,
        ctime=whole_seconds(now),
        seq_number=NONCE,
    ).pack()
    sealed = _sealed(ticket.session, usage, plain)
    return ApReq(ap_options=0, ticket=ticket.reply.ticket, authenticator=sealed)


def tgs_req(
    tgt: Granted,
    sname: str,
    now: FileTime,
    number: int = 0,
    *,
    padata: tuple[PaData, ...] = (),
    evidence: Ticket | None = None,
    forwardable: bool = True,
) -> bytes:
    """A TGS-REQ with a checksum over its body; `number` makes its authenticator unlike others.

    padata: besides PA-TGS-REQ. evidence: the additional ticket of S4U2Proxy.
    """
    body = _body(tgt.login.realm, sname, None, now, evidence, forwardable=forwardable)
    kind = int(ETYPES[tgt.session.etype].cksumtype)
    cksum = Checksum(kind, checksum(tgt.session, KeyUsage.TGS_REQ_AUTHENTICATOR_CKSUM, body.pack(), kind))
    ap_req = _authenticator(tgt, KeyUsage.TGS_REQ_AUTHENTICATOR, now, cksum, number)
    first = PaData(int(PaType.PA_TGS_REQ), ap_req.pack())
    return TgsReq(padata=(first, *padata), req_body=body).pack()


def kpasswd_req(ticket: Granted, password: str, now: FileTime) -> bytes:
    """A change of the own password by a ticket for kadmin/changepw (RFC 3244 2)."""
    ap_req = _authenticator(ticket, KeyUsage.AP_REQ_AUTHENTICATOR, now, None, 0).pack()
    private = EncKrbPrivPart(
        user_data=password.encode(),
        timestamp=whole_seconds(now),
        usec=0,
        seq_number=NONCE,
        s_address=HostAddress(2, bytes(4)),
    )
    priv = KrbPriv(enc_part=_sealed(ticket.session, KeyUsage.KRB_PRIV, private.pack())).pack()
    header = struct.pack(">HHH", 6 + len(ap_req) + len(priv), _KPASSWD_CHANGE, len(ap_req))
    return header + ap_req + priv
