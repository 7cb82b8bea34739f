"""Armored Kerberos requests, damaged at each of their layers.

A change of the bytes on the wire gets no further than the checksum. So what is damaged is a layer's plain
text, and the feed puts good armor around it: the first byte of a message says which layer it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.clock import FileTime
from addc.codec.krb5 import (
    ApReq,
    AsRep,
    AsReq,
    Checksum,
    EncAsRepPart,
    KdcReqBody,
    KrbFastArmor,
    KrbFastArmoredReq,
    KrbFastReq,
    PaData,
    PaFxFastRequest,
    TgsReq,
)
from addc.kdc.service import KdcService
from addc.security.krb_keys import Key, KeyUsage, checksum, decrypt
from tests.kit.fast_client import FX_FAST, Armor, ArmoredTicket, armored_as_req, challenge, sealed
from tests.kit.kdc_realm import Client, Ticketed
from tests.kit.kerberos_messages import AS_REP, KRB_ERROR, TGS_REP, Login, as_req

WIRE, INNER_AS, INNER_TGS, AUTHENTICATOR, AP_REQ, ARMORED = range(6)
_SOURCE: Final = "192.0.2.78"


@dataclass(frozen=True, slots=True)
class Desk:
    """Someone who logs on again and again in the armor of the own ticket."""

    kdc: KdcService
    who: Login
    armor: Armor
    tgs: ArmoredTicket
    body: KdcReqBody
    now: FileTime


def desk(kdc: KdcService, who: Login, now: FileTime) -> Desk:
    reply = kdc.answer_now(as_req(who, now), _SOURCE).reply
    assert reply is not None and reply[0] == AS_REP, "the seeds must be good"
    client = Client()
    client.now = now
    tgt = _opened(client, reply, who.key)
    body = AsReq.unpack(as_req(who, now)).req_body
    return Desk(kdc, who, Armor(tgt), ArmoredTicket(tgt, Armor(tgt)), body, now)


def _opened(client: Client, reply: bytes, key: Key) -> Ticketed:
    found = AsRep.unpack(reply)
    part = EncAsRepPart.unpack(decrypt(key, KeyUsage.AS_REP_ENC_PART, found.enc_part.cipher))
    return Ticketed(client, found.ticket, part, found.cname, found.crealm)


def seeds(at: Desk) -> Sequence[bytes]:
    """Good ones: each is answered with a ticket."""
    proof = challenge(at.armor.key, at.who.key, at.now)
    on_wire = armored_as_req(at.armor, at.now, (proof,), at.body).pack()
    tgs = at.tgs.tgs_req(realm=at.who.realm, sname=at.body.sname, till=at.body.till)
    inner = KrbFastReq(fast_options=0, padata=(proof,), req_body=at.body).pack()
    inner_tgs = KrbFastReq(fast_options=0, padata=(), req_body=tgs.message.req_body).pack()
    value = at.armor.value(at.now)
    armored = _armored(at.armor.key, inner, at.body.pack(), value)
    session = at.armor.device.session
    ap_req = ApReq.unpack(value.armor_value)
    plain = decrypt(session, KeyUsage.AP_REQ_AUTHENTICATOR, ap_req.authenticator.cipher)
    good = [
        bytes((WIRE,)) + on_wire,
        bytes((WIRE,)) + tgs.raw,
        bytes((INNER_AS,)) + inner,
        bytes((INNER_TGS,)) + inner_tgs,
        bytes((AUTHENTICATOR,)) + plain,
        bytes((AP_REQ,)) + value.armor_value,
        bytes((ARMORED,)) + armored.pack(),
    ]
    for one in good:
        assert _answer(at, one) in (AS_REP, TGS_REP), one[0]
    return good


def feed(at: Desk) -> Callable[[bytes], None]:
    def one(data: bytes) -> None:
        if data:
            assert _answer(at, data) in (None, AS_REP, TGS_REP, KRB_ERROR)

    return one


def _answer(at: Desk, data: bytes) -> int | None:
    reply = at.kdc.answer_now(_MAKERS[data[0] % len(_MAKERS)](at, data[1:]), _SOURCE).reply
    return None if reply is None else reply[0]


# --- a layer's plain text in good armor ---


def _armored(key: Key, inner: bytes, covered: bytes, armor: KrbFastArmor | None) -> PaFxFastRequest:
    kind = key.info.cksumtype
    cksum = Checksum(int(kind), checksum(key, KeyUsage.FAST_REQ_CHKSUM, covered, kind))
    return PaFxFastRequest(
        KrbFastArmoredReq(armor=armor, req_checksum=cksum, enc_fast_req=sealed(key, KeyUsage.FAST_ENC, inner))
    )


def _as_req(at: Desk, value: bytes) -> bytes:
    return AsReq(padata=(PaData(FX_FAST, value),), req_body=at.body).pack()


def _inner_as(at: Desk, inner: bytes) -> bytes:
    armored = _armored(at.armor.key, inner, at.body.pack(), at.armor.value(at.now))
    return _as_req(at, armored.pack())


def _inner_tgs(at: Desk, inner: bytes) -> bytes:
    request = at.tgs.tgs_req(realm=at.who.realm, sname=at.body.sname, till=at.body.till).message
    (ap_req, *_) = request.padata or ()
    assert at.tgs.device is not None
    armored = _armored(at.tgs.key, inner, ap_req.padata_value, at.tgs.device.value(at.now))
    padata = (ap_req, PaData(FX_FAST, armored.pack()))
    return TgsReq(padata=padata, req_body=request.req_body).pack()


def _authenticator(at: Desk, plain: bytes) -> bytes:
    session = at.armor.device.session
    data = sealed(session, KeyUsage.AP_REQ_AUTHENTICATOR, plain)
    request = ApReq(ap_options=0, ticket=at.armor.device.ticket, authenticator=data)
    return _ap_req(at, request.pack())


def _ap_req(at: Desk, ap_req: bytes) -> bytes:
    inner = KrbFastReq(
        fast_options=0, padata=(challenge(at.armor.key, at.who.key, at.now),), req_body=at.body
    )
    armored = _armored(at.armor.key, inner.pack(), at.body.pack(), KrbFastArmor(1, ap_req))
    return _as_req(at, armored.pack())


_MAKERS: Final[tuple[Callable[[Desk, bytes], bytes], ...]] = (
    lambda at, data: data,
    _inner_as,
    _inner_tgs,
    _authenticator,
    _ap_req,
    _as_req,
)
