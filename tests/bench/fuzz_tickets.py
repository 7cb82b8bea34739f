"""TGS requests and tickets, damaged and then sealed with the right keys: where no change on the wire reaches.

The first byte of a message says which layer it is: the body, the padata, the authenticator of a service's
request; or what a KDC seals, of which a partner, a service or a thief knows the key: tickets and their PACs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import DecodeError
from addc.codec.ber_wire import element
from addc.codec.krb5 import (
    ApReq,
    Authenticator,
    Checksum,
    EncryptedData,
    EncTicketPart,
    KdcReqBody,
    PaData,
    PaForUser,
    S4uUserId,
    TgsRep,
    Ticket,
)
from addc.codec.krb5_numbers import KdcOptions, PaType
from addc.codec.pac import Pac
from addc.kdc.lookup import realm_facts
from addc.kdc.pac_build import tgt_buffers
from addc.kdc.s4u_self import for_user_bytes
from addc.kdc.ticket_pac import PacSigners, find_pac, pac_entry, sign_pac, signed_plain
from addc.provision.forest import secret_attributes
from addc.schema.loader import load_base
from addc.security.krb_keys import Key, KeyUsage, checksum, decrypt, encrypt
from addc.security.token import SYSTEM
from addc.store.engine import Store
from tests.kit.corp import Corp
from tests.kit.corp_forest import STORE_KEY, create_corp
from tests.kit.kdc_corp import REALM, TGS, KdcCorp, service_name
from tests.kit.kdc_realm import Ticketed, client_name
from tests.kit.kerberos_messages import KRB_ERROR, TGS_REP
from tests.kit.partner import PARTNER_REALM, PartnerTicket, info, issued_key, trust_with, upn
from tests.kit.s4u import RBCD, S4U2PROXY, letting, pa_for_user, pa_x509_user

(
    BODY, USER_ID, FOR_USER, PADATA, AUTHENTICATOR, AUTH_DATA,
    TGT, TGT_PAC, EVIDENCE, EVIDENCE_PAC, SECOND, PARTNERS, PARTNERS_PAC, PARTNERS_EVIDENCE,
) = range(14)  # fmt: skip
_PASSWORD: Final = "Fuzz.Passw0rd"
_WEB, _FILES = "http/web.corp.example.com", "cifs/files.corp.example.com"
_SOURCE: Final = "192.0.2.79"
_TICKET: Final = int(KeyUsage.TICKET)
_USER2USER: Final = int(KdcOptions.ENC_TKT_IN_SKEY)
_RENEW: Final = int(KdcOptions.RENEW)


@dataclass(frozen=True)
class Desk:
    """A service `web` that acts for users at `files`, a user, a partner's user; and every key."""

    kdc: KdcCorp
    web: Ticketed
    joe: Ticketed
    evidence: Ticket
    fred: Ticketed
    keys: dict[str, Key]


def desk(folder: Path) -> Desk:
    """A forest of its own in `folder`."""
    url = f"sqlite:///{folder / 'tickets.db'}"
    made = create_corp(url)
    forest = made.forest
    made.close()
    schema = load_base()
    corp = Corp(Store.open(url, STORE_KEY, secret_attributes(schema)), schema, forest)
    corp.user("joe", _PASSWORD)
    corp.user("web", _PASSWORD, servicePrincipalName=_WEB, **{"msDS-AllowedToDelegateTo": _FILES})
    lets = {"msDS-AllowedToActOnBehalfOfOtherIdentity": letting(corp.sid("CN=web,CN=Users"))}
    corp.user("files", _PASSWORD, servicePrincipalName=_FILES, **lets)
    trust_with(corp)
    kdc = KdcCorp(corp)
    keys = {name: kdc.key(name, _PASSWORD) for name in ("joe", "web", "files")}
    keys["partner"] = issued_key()
    keys["krbtgt"] = _krbtgt(kdc)
    web, joe = (kdc.log_on(name, keys[name]) for name in ("web", "joe"))
    evidence = TgsRep.unpack(kdc.get(joe, _WEB)).ticket
    fred = PartnerTicket(kdc.now, info(), buffers=(upn(),)).made()
    return Desk(kdc, web, joe, evidence, fred, keys)


def _krbtgt(kdc: KdcCorp) -> Key:
    realm = kdc.directory.read_now("fuzz", SYSTEM, realm_facts)
    assert realm is not None
    return realm.krbtgt.keys.current[18]


def seeds(at: Desk) -> Sequence[bytes]:
    """Good ones: each is answered with a ticket, but that of a partner's service, which nobody lets act."""
    joe = part_of(at.joe.ticket, at.keys["krbtgt"])
    fred = part_of(at.fred.ticket, at.keys["partner"])
    evidence = part_of(at.evidence, at.keys["web"])
    asked = at.kdc.body(None, sname=service_name(_FILES))
    user = S4uUserId(nonce=42, cname=client_name("joe"), crealm=REALM)
    for_user = PaForUser.unpack(pa_for_user(at.web.session, client_name("joe"), REALM).padata_value)
    return [
        bytes((BODY, 0)) + asked.pack(),
        bytes((BODY, 3)) + _proxy_body(at, at.evidence).pack(),
        bytes((BODY, 1)) + replace(asked, sname=service_name(_WEB)).pack(),
        bytes((BODY, 4)) + replace(asked, sname=TGS, kdc_options=_RENEW).pack(),
        bytes((BODY, 4)) + _second_body(at, at.web.ticket).pack(),
        bytes((BODY, 5)) + asked.pack(),
        bytes((USER_ID,)) + user.pack(),
        bytes((FOR_USER,)) + for_user.pack(),
        bytes((PADATA,)) + RBCD.pack() + pa_x509_user(at.web.session, client_name("joe"), REALM).pack(),
        bytes((PADATA,)) + PaData(int(PaType.KERB_KEY_LIST_REQ), bytes.fromhex("3003020117")).pack(),
        bytes((AUTHENTICATOR,)) + _authenticator(at.joe, asked.pack()).pack(),
        bytes((AUTH_DATA,)) + bytes.fromhex("30123010a003020181a1090407736f6d65746865"),
        bytes((TGT,)) + joe.pack(),
        bytes((TGT_PAC,)) + _unsigned(joe),
        bytes((EVIDENCE,)) + evidence.pack(),
        bytes((EVIDENCE_PAC,)) + _unsigned(evidence),
        bytes((SECOND,)) + part_of(at.web.ticket, at.keys["krbtgt"]).pack(),
        bytes((PARTNERS,)) + fred.pack(),
        bytes((PARTNERS_PAC,)) + _unsigned(fred),
        bytes((PARTNERS_EVIDENCE,)) + fred.pack(),
    ]


def good(at: Desk) -> None:
    """The seeds are."""
    for one in seeds(at):
        wanted = KRB_ERROR if one[0] == PARTNERS_EVIDENCE else TGS_REP
        assert _answer(at, one) == wanted, one[0]


def feed(at: Desk) -> Callable[[bytes], None]:
    """Tickets and refusals alone come out, and no ticket for who or what was never vouched for."""

    def one(data: bytes) -> None:
        if len(data) > 1 and _answer(at, data) == TGS_REP:
            _check_vouched(at, data[0] % len(_MAKERS), data[1:])

    return one


def _check_vouched(at: Desk, layer: int, data: bytes) -> None:
    if layer == EVIDENCE:
        part = EncTicketPart.unpack(data)
        assert signed_plain(part) == signed_plain(part_of(at.evidence, at.keys["web"])), "forged evidence"
    elif layer == PARTNERS:
        assert EncTicketPart.unpack(data).crealm.upper() == PARTNER_REALM, "another realm's client"


def _answer(at: Desk, data: bytes) -> int | None:
    try:
        request = _MAKERS[data[0] % len(_MAKERS)](at, data[1:])
    except DecodeError:
        return None  # what cannot be sealed
    reply = at.kdc.service.answer_now(request, _SOURCE).reply
    assert reply is None or reply[0] in (TGS_REP, KRB_ERROR), reply.hex()
    return None if reply is None else reply[0]


# --- pieces ---


def part_of(ticket: Ticket, key: Key) -> EncTicketPart:
    return EncTicketPart.unpack(decrypt(key, _TICKET, ticket.enc_part.cipher))


def _sealed(key: Key, usage: int, plain: bytes) -> EncryptedData:
    return EncryptedData(etype=18, cipher=encrypt(key, usage, plain, bytes(16)))


def _ticket(like: Ticket, key: Key, plain: bytes) -> Ticket:
    data = replace(_sealed(key, _TICKET, plain), kvno=like.enc_part.kvno)
    return replace(like, enc_part=data)


def _unsigned(part: EncTicketPart) -> bytes:
    """The PAC without its signatures, which come last."""
    data = find_pac(part.authorization_data)
    assert data is not None
    return Pac(tuple(tgt_buffers(Pac.unpack(data)))).pack()


def _with_pac(part: EncTicketPart, data: bytes, signers: PacSigners, *, full: bool) -> bytes:
    """A ticket with this PAC, signed if it is one."""
    empty = replace(part, authorization_data=(pac_entry(b"\0"),))
    try:
        buffers = tgt_buffers(Pac.unpack(data))
        data = sign_pac(buffers, signers, empty.pack() if full else None)
    except DecodeError:
        pass
    return replace(part, authorization_data=(pac_entry(data),)).pack()


def _authenticator(holder: Ticketed, body: bytes) -> Authenticator:
    kind = int(holder.session.info.cksumtype)
    value = checksum(holder.session, KeyUsage.TGS_REQ_AUTHENTICATOR_CKSUM, body, kind)
    now = holder.client.now
    return Authenticator(
        crealm=holder.crealm,
        cname=holder.cname,
        cksum=Checksum(kind, value),
        cusec=0,
        ctime=FileTime(now - now % TICKS_PER_S),
    )


def _request(holder: Ticketed, body: bytes, more: bytes = b"", plain: bytes | None = None) -> bytes:
    """A TGS-REQ of raw parts. more: padata. plain: the authenticator, None for a good one."""
    if plain is None:
        plain = _authenticator(holder, body).pack()
    sealed = _sealed(holder.session, KeyUsage.TGS_REQ_AUTHENTICATOR, plain)
    ap_req = ApReq(ap_options=0, ticket=holder.ticket, authenticator=sealed)
    padata = PaData(int(PaType.PA_TGS_REQ), ap_req.pack()).pack() + more
    head = element(0xA1, b"\2\1\5") + element(0xA2, b"\2\1\x0c") + element(0xA3, element(0x30, padata))
    return element(0x6C, element(0x30, head + element(0xA4, body)))


def _proxy_body(at: Desk, evidence: Ticket) -> KdcReqBody:
    return at.kdc.body(
        None, sname=service_name(_FILES), kdc_options=S4U2PROXY, additional_tickets=(evidence,)
    )


def _second_body(at: Desk, second: Ticket) -> KdcReqBody:
    return at.kdc.body(None, sname=service_name(_WEB), kdc_options=_USER2USER, additional_tickets=(second,))


# --- layers ---


def _body(at: Desk, data: bytes) -> bytes:
    """data: whose ticket and which padata, then the body."""
    for_user = pa_for_user(at.web.session, client_name("joe"), REALM).pack()
    holder, more = (
        (at.web, b""), (at.web, for_user), (at.web, for_user + RBCD.pack()),
        (at.web, RBCD.pack()), (at.joe, b""), (at.fred, b""), (at.fred, RBCD.pack()),
    )[data[0] % 7]  # fmt: skip
    return _request(holder, data[1:], more)


def _self_body(at: Desk) -> bytes:
    return at.kdc.body(None, sname=service_name(_WEB)).pack()


def _user_id(at: Desk, data: bytes) -> bytes:
    kind = int(at.web.session.info.cksumtype)
    cksum = Checksum(kind, checksum(at.web.session, KeyUsage.PA_S4U_X509_USER_REQUEST, data, kind))
    value = element(0x30, element(0xA0, data) + element(0xA1, cksum.pack()))
    return _request(at.web, _self_body(at), PaData(int(PaType.PA_S4U_X509_USER), value).pack())


def _for_user(at: Desk, data: bytes) -> bytes:
    found = PaForUser.unpack(data)
    signed = for_user_bytes(found.user_name, found.user_realm, found.auth_package)
    value = checksum(at.web.session, KeyUsage.KERB_NON_KERB_CKSUM_SALT, signed, -138)
    padata = PaData(int(PaType.PA_FOR_USER), replace(found, cksum=Checksum(-138, value)).pack())
    return _request(at.web, _self_body(at), padata.pack())


def _padata(at: Desk, data: bytes) -> bytes:
    return _request(at.web, _self_body(at), data)


def _authenticators(at: Desk, data: bytes) -> bytes:
    return _request(at.joe, at.kdc.body(None, sname=service_name(_FILES)).pack(), plain=data)


def _auth_data(at: Desk, data: bytes) -> bytes:
    sealed = _sealed(at.joe.session, KeyUsage.TGS_REQ_AUTH_DATA_SESSION, data)
    body = at.kdc.body(None, sname=service_name(_FILES), enc_authorization_data=sealed)
    return _request(at.joe, body.pack())


def _for_files(at: Desk, holder: Ticketed, key: str, plain: bytes) -> bytes:
    shown = replace(holder, ticket=_ticket(holder.ticket, at.keys[key], plain))
    return _request(shown, at.kdc.body(None, sname=service_name(_FILES)).pack())


def _tgt(at: Desk, data: bytes) -> bytes:
    return _for_files(at, at.joe, "krbtgt", data)


def _tgt_pac(at: Desk, data: bytes) -> bytes:
    key = at.keys["krbtgt"]
    return _tgt(at, _with_pac(part_of(at.joe.ticket, key), data, PacSigners(key, key), full=False))


def _evidence(at: Desk, data: bytes) -> bytes:
    shown = _ticket(at.evidence, at.keys["web"], data)
    return _request(at.web, _proxy_body(at, shown).pack(), RBCD.pack())


def _evidence_pac(at: Desk, data: bytes) -> bytes:
    web = at.keys["web"]
    signers = PacSigners(web, at.keys["krbtgt"])
    return _evidence(at, _with_pac(part_of(at.evidence, web), data, signers, full=True))


def _second(at: Desk, data: bytes) -> bytes:
    shown = _ticket(at.web.ticket, at.keys["krbtgt"], data)
    return _request(at.joe, _second_body(at, shown).pack())


def _partners(at: Desk, data: bytes) -> bytes:
    return _for_files(at, at.fred, "partner", data)


def _partners_pac(at: Desk, data: bytes) -> bytes:
    key = at.keys["partner"]
    return _partners(at, _with_pac(part_of(at.fred.ticket, key), data, PacSigners(key, key), full=False))


def _partners_evidence(at: Desk, data: bytes) -> bytes:
    shown = _ticket(at.fred.ticket, at.keys["partner"], data)
    return _request(at.fred, _proxy_body(at, shown).pack(), RBCD.pack())


_MAKERS: Final[tuple[Callable[[Desk, bytes], bytes], ...]] = (
    _body,
    _user_id,
    _for_user,
    _padata,
    _authenticators,
    _auth_data,
    _tgt,
    _tgt_pac,
    _evidence,
    _evidence_pac,
    _second,
    _partners,
    _partners_pac,
    _partners_evidence,
)
