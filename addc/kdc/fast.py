"""FAST: requests inside an armor, and replies and refusals inside the same one.

A request is taken out of its armor before anything is looked up: from then on it is the inner message, and
what was around it is only bytes for checksums. Whatever is wrong with the armor itself is told in the open.

Spec: RFC 6113 5.4, [MS-KILE] 3.3.5.1, 3.3.5.7.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.base.clock import FileTime, micros, whole_seconds
from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.codec.ber_wire import find_element
from addc.codec.krb5 import (
    AuthorizationData,
    AuthorizationDataEntry,
    Checksum,
    EncryptionKey,
    KrbFastArmoredRep,
    KrbFastArmoredReq,
    KrbFastFinished,
    KrbFastReq,
    KrbFastResponse,
    MethodData,
    PaData,
    PaFxFastReply,
    PaFxFastRequest,
    PrincipalName,
    TgsReq,
    Ticket,
    req_body_bytes,
)
from addc.codec.krb5_numbers import (
    AdType,
    ArmorType,
    FastOptions,
    PaType,
    TicketFlags,
)
from addc.codes.krb_error import KrbErrorCode
from addc.kdc import tickets
from addc.kdc.facts import (
    Armor,
    AsFacts,
    AsRequest,
    KdcRefusal,
    OpenedTgs,
    OpenedTicket,
    RealmFacts,
    TgsFacts,
    TgsRequest,
)
from addc.kdc.fast_device import Device
from addc.kdc.krb_errors import krb_error, refusal_bytes
from addc.kdc.open_ticket import checked_pac, open_authenticator, read_ap_req
from addc.kdc.padata import find_padata
from addc.kdc.policy import KdcPolicy, check_standing
from addc.kdc.principal_names import ANONYMOUS, is_tgs
from addc.kdc.rodc import own_pac
from addc.kdc.trust_clients import believed_pac, open_any_tgt
from addc.security.fast_keys import armor_key, strengthened_key, tgs_armor_key
from addc.security.krb_keys import ETYPES, Etype, Key, KeyUsage, checksum, decrypt, is_keyed, verify_checksum

FX_FAST: Final = int(PaType.PA_FX_FAST)

_FX_COOKIE: Final = int(PaType.PA_FX_COOKIE)
_FX_ERROR: Final = int(PaType.PA_FX_ERROR)
_TGS_REQ: Final = int(PaType.PA_TGS_REQ)
_COOKIE_INSIDE: Final = PaData(_FX_COOKIE, b"Microsoft")
_OFFER: Final = (PaData(FX_FAST), PaData(_FX_COOKIE, b"Microsof\0"))
_HIDE_NAMES: Final = int(FastOptions.HIDE_CLIENT_NAMES)
_UNSIGNED: Final = 0xFFFF_FFFF
"""Nonces come back unsigned, though clients send signed ones."""
_UNKNOWN_OPTIONS: Final = 0xFFFF_0000 & ~_HIDE_NAMES
"""The critical options, bits 0 to 15, but for the one that is known here (RFC 6113 5.4.2)."""

_AD_ARMOR: Final = int(AdType.AD_FX_FAST_ARMOR)
_AD_USED: Final = int(AdType.AD_FX_FAST_USED)
_CONTAINERS: Final = frozenset((int(AdType.AD_IF_RELEVANT), int(AdType.AD_MANDATORY_FOR_KDC)))
_MARKS: Final = tuple(bytes((0xA0, 3, 2, 1, kind)) for kind in (_AD_ARMOR, _AD_USED))
_DEPTH_MAX: Final = 4
_ANONYMOUS_TICKET: Final = int(TicketFlags.ANONYMOUS)


# --- what comes in ---


def open_as_req(request: AsRequest, realm: RealmFacts, policy: KdcPolicy, now: FileTime) -> AsRequest:
    """The request inside an AS-REQ's armor; one that has none as it is. Raises KdcRefusal, DecodeError."""
    value = find_padata(request.message.padata, FX_FAST)
    if value is None:
        return request
    armored = PaFxFastRequest.unpack(value).armored_data
    if armored.armor is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_FAILED)
    key, ticket = _armor_ticket(armored, realm, policy, now)
    inner, body = _taken_out(armored, key, req_body_bytes(request.raw))
    message = replace(request.message, padata=inner.padata or None, req_body=inner.req_body)
    return replace(request, message=message, armor=Armor(key, ticket, inner.fast_options, body))


def open_tgs_req(opened: OpenedTgs, realm: RealmFacts, policy: KdcPolicy, now: FileTime) -> OpenedTgs:
    """The request inside a TGS-REQ's armor; one that has none as it is. Raises KdcRefusal, DecodeError.

    The armor is the request's own ticket and subkey; with an armor ticket in it, that of the client's device
    as well.
    """
    request = opened.request
    value = find_padata(request.message.padata, FX_FAST)
    if value is None:
        return opened
    if opened.subkey is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_FAILED)
    armored = PaFxFastRequest.unpack(value).armored_data
    ticket = None
    if armored.armor is None:
        key = armor_key(opened.subkey, opened.tgt.session)
    else:
        explicit, ticket = _armor_ticket(armored, realm, policy, now)
        key = tgs_armor_key(explicit, opened.subkey)
    ap_req = find_padata(request.message.padata, _TGS_REQ)
    assert ap_req is not None
    inner, body = _taken_out(armored, key, ap_req)
    message = replace(request.message, padata=inner.padata or None, req_body=inner.req_body)
    armor = Armor(key, ticket, inner.fast_options, body)
    inside: TgsRequest = replace(request, message=message, armor=armor)
    return replace(opened, request=inside)


def _armor_ticket(
    armored: KrbFastArmoredReq, realm: RealmFacts, policy: KdcPolicy, now: FileTime
) -> tuple[Key, OpenedTicket]:
    """The key that an armor's AP-REQ makes, and its ticket (RFC 6113 5.4.1.1).

    Deviation: Windows takes any service's ticket of this realm; the RFC and Samba want a TGT.
    """
    assert armored.armor is not None
    if armored.armor.armor_type != ArmorType.FX_FAST_ARMOR_AP_REQUEST:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_FAILED)
    ap_req = read_ap_req(armored.armor.armor_value)
    if not is_tgs(ap_req.ticket.sname):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY)
    if ap_req.ticket.enc_part.etype == Etype.RC4_HMAC and realm.is_alias(ap_req.ticket.realm):
        raise KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC)
    ticket = open_any_tgt(ap_req.ticket, realm, policy, now)
    authenticator = open_authenticator(ap_req, ticket, KeyUsage.AP_REQ_AUTHENTICATOR, policy, now)
    subkey = authenticator.subkey
    if subkey is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_FAILED)
    return armor_key(Key(subkey.keytype, subkey.keyvalue), ticket.session), ticket


def _taken_out(armored: KrbFastArmoredReq, key: Key, covered: bytes) -> tuple[KrbFastReq, bytes]:
    """The inner request and its KDC-REQ-BODY as it came. covered: what req-checksum is over."""
    try:
        plain = decrypt(key, KeyUsage.FAST_ENC, armored.enc_fast_req.cipher)
    except DecodeError:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BAD_INTEGRITY) from None
    cksum = armored.req_checksum
    if not is_keyed(cksum.cksumtype):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY)
    if cksum.cksumtype != key.info.cksumtype:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_INAPP_CKSUM)
    if not verify_checksum(key, KeyUsage.FAST_REQ_CHKSUM, covered, cksum.cksumtype, cksum.checksum):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)
    inner = KrbFastReq.unpack(plain)
    if inner.fast_options & _UNKNOWN_OPTIONS:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS)
    if find_padata(inner.padata, FX_FAST) is not None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_FAILED)
    return inner, find_element(plain, (0x30, 0xA2), "KrbFastReq.req_body")


def check_marks(request: TgsRequest, *data: Sequence[AuthorizationDataEntry] | None) -> None:
    """Heed what the authenticator and the ticket of a TGS-REQ say of FAST.

    AD-fx-fast-armor: the ticket, or this use of its session key, is for armor alone. AD-fx-fast-used: the
    client armored this request, so whoever took the armor away is between us (RFC 6113 5.4.1.1, 5.4.2).
    """
    for entries in data:
        if not entries:
            continue
        marks = _marks(entries, _DEPTH_MAX)
        if _AD_ARMOR in marks:
            raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BAD_INTEGRITY)
        if _AD_USED in marks and find_padata(request.message.padata, FX_FAST) is None:
            raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)


def _marks(entries: Sequence[AuthorizationDataEntry], depth: int) -> set[int]:
    """Which of the two are there; a container is only looked into where the bytes of one are."""
    found: set[int] = set()
    for entry in entries:
        if entry.ad_type in (_AD_ARMOR, _AD_USED):
            found.add(entry.ad_type)
        elif depth and entry.ad_type in _CONTAINERS and any(mark in entry.ad_data for mark in _MARKS):
            found |= _marks(AuthorizationData.unpack(entry.ad_data).elements, depth - 1)
    return found


def device_of(request: AsRequest | TgsRequest, facts: AsFacts | TgsFacts, now: FileTime) -> Device | None:
    """The client of the armor's ticket, who may still log on; raises KdcRefusal.

    None where there is no such ticket, and where it is of nobody: an anonymous one, or one of a realm whose
    clients have no PAC. Of one that an RODC made only the name is believed, if the RODC has the secrets of
    that device.
    """
    ticket = None if request.armor is None else request.armor.ticket
    if ticket is None or ticket.part.flags & _ANONYMOUS_TICKET:
        return None
    if ticket.trust is not None:
        believed = believed_pac(ticket)
        return None if believed is None else Device(believed, facts.armor_sids)
    if ticket.rodc:
        return Device(own_pac(ticket, facts.armor, facts.armor_by_rodc, facts.realm, now), facts.armor_sids)
    pac = checked_pac(ticket, facts.armor)
    assert facts.armor is not None
    check_standing(facts.armor, now)
    return Device(pac, facts.armor_sids)


# --- what goes out ---


def offer(armor: Armor | None) -> tuple[PaData, ...]:
    """What METHOD-DATA says of FAST to who came without."""
    return _OFFER if armor is None else ()


@dataclass(frozen=True, slots=True)
class Reply:
    """The parts of a KDC-REP that an armor changes. key: of its encrypted part."""

    key: Key
    padata: tuple[PaData, ...] | None
    ticket: Ticket
    crealm: str
    cname: PrincipalName


def protected(reply: Reply, armor: Armor, nonce: int, now: FileTime, rng: Rng) -> Reply:
    """The reply with its padata inside the armor, its ticket bound to it and its key strengthened.

    Spec: RFC 6113 5.4.3.
    """
    etype = int(reply.key.etype)
    strengthen = Key(etype, rng.bytes(ETYPES[etype].key_size))
    kind = armor.key.info.cksumtype
    over_ticket = checksum(armor.key, KeyUsage.FAST_FINISHED, reply.ticket.pack(), kind)
    response = KrbFastResponse(
        padata=reply.padata or (),
        strengthen_key=EncryptionKey(etype, strengthen.value),
        finished=KrbFastFinished(
            timestamp=whole_seconds(now),
            usec=micros(now),
            crealm=reply.crealm,
            cname=reply.cname,
            ticket_checksum=Checksum(int(kind), over_ticket),
        ),
        nonce=nonce & _UNSIGNED,
    )
    return replace(
        reply,
        key=strengthened_key(strengthen, reply.key),
        padata=(_sealed(response, armor, rng),),
        cname=ANONYMOUS if armor.options & _HIDE_NAMES else reply.cname,
    )


def _sealed(response: KrbFastResponse, armor: Armor, rng: Rng) -> PaData:
    data = tickets.sealed(armor.key, KeyUsage.FAST_REP, response.pack(), rng)
    return PaData(FX_FAST, PaFxFastReply(KrbFastArmoredRep(data)).pack())


def refusal_reply(
    refusal: KdcRefusal, request: AsRequest | TgsRequest, realm: str, now: FileTime, rng: Rng
) -> bytes:
    """The KRB-ERROR of a refused request: in armor once more inside, and there with its METHOD-DATA.

    The NTSTATUS that KERB-ERROR-DATA would tell is left out there, as Windows does.
    Spec: RFC 6113 5.4.4.
    """
    armor, body = request.armor, request.message.req_body
    if armor is None:
        return refusal_bytes(refusal, now, realm, body.sname, of_tgs=isinstance(request.message, TgsReq))
    hidden = bool(armor.options & _HIDE_NAMES)
    crealm = refusal.crealm
    if crealm is None and refusal.code == KrbErrorCode.KDC_ERR_WRONG_REALM:
        crealm = realm
    inner = krb_error(refusal.code, now, realm, body.sname, crealm=crealm)
    padata = (PaData(_FX_ERROR, inner), *(refusal.padata or ()), _COOKIE_INSIDE)
    sealed = _sealed(KrbFastResponse(padata=padata, nonce=body.nonce & _UNSIGNED), armor, rng)
    return krb_error(
        refusal.code,
        now,
        realm,
        body.sname,
        e_data=MethodData((sealed,)).pack(),
        crealm=None if hidden else crealm,
        cname=ANONYMOUS if hidden else None,
    )
