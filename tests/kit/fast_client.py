"""A Kerberos client that puts FAST armor around its requests and opens what comes back in it."""

from dataclasses import dataclass, field, replace
from typing import Any

from addc.base.clock import whole_seconds
from addc.codec.ids import Sid
from addc.codec.krb5 import (
    ApReq,
    AsRep,
    AsReq,
    Authenticator,
    Checksum,
    EncAsRepPart,
    EncryptedData,
    EncryptionKey,
    EncTgsRepPart,
    EncTicketPart,
    KdcReqBody,
    KrbError,
    KrbFastArmor,
    KrbFastArmoredReq,
    KrbFastReq,
    KrbFastResponse,
    MethodData,
    PaData,
    PaEncTsEnc,
    PaFxFastReply,
    PaFxFastRequest,
    TgsRep,
    TgsReq,
)
from addc.codec.krb5_numbers import PaType
from addc.codes.krb_error import KrbErrorCode
from addc.kdc.as_exchange import answer_as_req, open_as_req
from addc.kdc.facts import AsFacts, KdcRequest, Outcome, Principal
from addc.security.krb_keys import ETYPES, Key, KeyUsage, cf2, checksum, decrypt, encrypt
from tests.kit.kdc_realm import FACTS, KRBTGT, NOW, Client, SeededRng, Ticketed, error_of, make_key, principal

WS1 = principal("WS1$", 1106, 0x1000, has_spn=True, supported_enctypes=0x18)
"""The device that people log on at."""

FX_FAST = int(PaType.PA_FX_FAST)
_TGS_REQ = int(PaType.PA_TGS_REQ)


def sealed(key: Key, usage: int, plain: bytes) -> EncryptedData:
    return EncryptedData(
        etype=int(key.etype), cipher=encrypt(key, usage, plain, bytes(ETYPES[key.etype].confounder_size))
    )


def armor_key(subkey: Key, session: Key) -> Key:
    return cf2(subkey, session, b"subkeyarmor", b"ticketarmor")


@dataclass
class Armor:
    """The device's ticket as armor. subkey: of its AP-REQ; None sends none. options: fast-options.

    authenticator, ap_req: fields that differ from good ones. armor_type: 1 is the only one there is.
    """

    device: Ticketed
    subkey: Key | None = field(default_factory=lambda: make_key(18, "armor-subkey"))
    options: int = 0
    armor_type: int = 1
    authenticator: dict[str, object] = field(default_factory=dict)
    ap_req: dict[str, object] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        assert self.subkey is not None
        return armor_key(self.subkey, self.device.session)

    def value(self, now: int) -> KrbFastArmor:
        subkey, session = self.subkey, self.device.session
        good = Authenticator(
            crealm=self.device.crealm,
            cname=self.device.cname,
            cusec=0,
            ctime=whole_seconds(now),
            subkey=EncryptionKey(int(subkey.etype), subkey.value) if subkey else None,
        )
        plain = replace(good, **self.authenticator).pack()  # type: ignore[arg-type]
        request = ApReq(
            ap_options=0,
            ticket=self.device.ticket,
            authenticator=sealed(session, KeyUsage.AP_REQ_AUTHENTICATOR, plain),
        )
        return KrbFastArmor(self.armor_type, replace(request, **self.ap_req).pack())  # type: ignore[arg-type]


@dataclass
class Inner:
    """What goes inside, and how it is protected.

    cksum, enc_key: other ones than the good. armor: None for the TGS-REQ's own.
    """

    key: Key
    padata: tuple[PaData, ...]
    body: KdcReqBody
    options: int = 0
    armor: KrbFastArmor | None = None
    cksum: Checksum | None = None
    enc_key: Key | None = None

    def padata_over(self, covered: bytes) -> PaData:
        """PA-FX-FAST of a request whose `covered` bytes the checksum is over."""
        kind = self.key.info.cksumtype
        cksum = self.cksum or Checksum(int(kind), checksum(self.key, KeyUsage.FAST_REQ_CHKSUM, covered, kind))
        request = KrbFastReq(fast_options=self.options, padata=self.padata, req_body=self.body)
        armored = KrbFastArmoredReq(
            armor=self.armor,
            req_checksum=cksum,
            enc_fast_req=sealed(self.enc_key or self.key, KeyUsage.FAST_ENC, request.pack()),
        )
        return PaData(FX_FAST, PaFxFastRequest(armored).pack())


def armored_as_req(
    armor: Armor, now: int, padata: tuple[PaData, ...], body: KdcReqBody, outer: KdcReqBody | None = None
) -> AsReq:
    """A good one. outer: the body in the open, None for the same."""
    outer = outer or body
    inner = Inner(armor.key, padata, body, armor.options, armor.value(now))
    return AsReq(padata=(inner.padata_over(outer.pack()),), req_body=outer)


def remade(ticket: Ticketed, part: EncTicketPart, key: Key) -> Ticketed:
    """A holder's ticket that says something else, as only its KDC could make it say."""
    data = replace(ticket.ticket.enc_part, cipher=sealed(key, KeyUsage.TICKET, part.pack()).cipher)
    return replace(ticket, ticket=replace(ticket.ticket, enc_part=data))


def challenge(armor: Key, key: Key, when: int = NOW, pepper: bytes = b"clientchallengearmor") -> PaData:
    """PA-ENCRYPTED-CHALLENGE."""
    plain = PaEncTsEnc(whole_seconds(when), 0).pack()
    made = cf2(armor, key, pepper, b"challengelongterm")
    return PaData(
        int(PaType.PA_ENCRYPTED_CHALLENGE), sealed(made, KeyUsage.ENC_CHALLENGE_CLIENT, plain).pack()
    )


def fast_response(padata: tuple[PaData, ...] | None, key: Key) -> KrbFastResponse:
    """What came inside the armor, alone among the outer padata."""
    (one,) = padata or ()
    assert one.padata_type == FX_FAST
    data = PaFxFastReply.unpack(one.padata_value).armored_data.enc_fast_rep
    return KrbFastResponse.unpack(decrypt(key, KeyUsage.FAST_REP, data.cipher))


def inner_error(reply: bytes, key: Key) -> tuple[KrbError, dict[int, bytes]]:
    """The inner KRB-ERROR of a refusal, and what METHOD-DATA came beside it."""
    outer = KrbError.unpack(reply)
    assert outer.e_data is not None
    response = fast_response(MethodData.unpack(outer.e_data).padata, key)
    assert response.finished is None and response.strengthen_key is None
    found = {one.padata_type: one.padata_value for one in response.padata}
    return KrbError.unpack(found.pop(int(PaType.PA_FX_ERROR))), found


def strengthened(response: KrbFastResponse, key: Key) -> Key:
    assert response.strengthen_key is not None
    strengthen = Key(response.strengthen_key.keytype, response.strengthen_key.keyvalue)
    return cf2(strengthen, key, b"strengthenkey", b"replykey")


@dataclass
class Granted:
    """A reply that came in armor."""

    reply: AsRep | TgsRep
    response: KrbFastResponse
    ticketed: Ticketed
    key: Key


@dataclass
class ArmoredClient:
    """A client at a device."""

    client: Client = field(default_factory=Client)
    device: Principal | None = WS1
    armor: Armor = field(default_factory=lambda: Armor(Client(WS1).log_on()))
    armor_sids: frozenset[Sid] = frozenset()

    def as_req(
        self,
        *padata: PaData,
        outer: KdcReqBody | None = None,
        outer_padata: tuple[PaData, ...] = (),
        inner: dict[str, object] | None = None,
        **body: object,
    ) -> KdcRequest[AsReq]:
        """outer: its body, None for the inner one. inner: fields of Inner that differ from good ones."""
        inner_body = self.client.body(**body)
        outer = outer or inner_body
        armor = self.armor
        good = Inner(
            armor.key if armor.subkey else make_key(18, "none"),
            padata,
            inner_body,
            armor.options,
            armor.value(self.client.now),
        )
        fast = replace(good, **(inner or {})).padata_over(outer.pack())  # type: ignore[arg-type]
        raw = AsReq(padata=(fast, *outer_padata), req_body=outer).pack()
        return KdcRequest(raw, AsReq.unpack(raw))

    def send(self, request: KdcRequest[AsReq], server: Principal | None = KRBTGT) -> Outcome:
        client = self.client
        opened = open_as_req(request, FACTS, client.policy, client.now, SeededRng("open"))
        if isinstance(opened, Outcome):
            return opened
        facts = AsFacts(FACTS, client.account, server, client.membership, armor=self.device)
        facts = replace(facts, armor_sids=self.armor_sids)
        return answer_as_req(opened, facts, client.policy, client.now, SeededRng("fast"))

    def ask(self, *padata: PaData, **more: object) -> Outcome:
        return self.send(self.as_req(*padata, **more))  # type: ignore[arg-type]

    def challenge(self, key: Key | None = None, when: int | None = None) -> PaData:
        """The right answer, unless told otherwise."""
        own = self.client.account.keys.current[18]
        return challenge(self.armor.key, key or own, self.client.now if when is None else when)

    def log_on(self, *padata: PaData, **more: object) -> Granted:
        outcome = self.ask(self.challenge(), *padata, **more)
        return self.received(outcome)

    def received(self, outcome: Outcome) -> Granted:
        """An AS-REP, opened."""
        reply = AsRep.unpack(outcome.reply)
        response = fast_response(reply.padata, self.armor.key)
        key = strengthened(response, self.client.account.keys.current[18])
        part = EncAsRepPart.unpack(decrypt(key, KeyUsage.AS_REP_ENC_PART, reply.enc_part.cipher))
        assert response.finished is not None
        names = response.finished
        return Granted(
            reply, response, Ticketed(self.client, reply.ticket, part, names.cname, names.crealm), key
        )


@dataclass
class ArmoredTicket:
    """A ticket's holder whose TGS requests are armored. device: for explicit armor."""

    ticket: Ticketed
    device: Armor | None = None
    subkey: Key = field(default_factory=lambda: make_key(18, "tgs-subkey"))
    options: int = 0

    @property
    def key(self) -> Key:
        implicit = armor_key(self.subkey, self.ticket.session)
        if self.device is None:
            return implicit
        return cf2(self.device.key, self.subkey, b"explicitarmor", b"tgsarmor")

    def tgs_req(
        self,
        *padata: PaData,
        inner: dict[str, object] | None = None,
        outer: dict[str, object] | None = None,
        with_subkey: bool = True,
        authenticator: dict[str, object] | None = None,
        **body: object,
    ) -> KdcRequest[TgsReq]:
        """outer: fields of the outer body that differ from the inner one's."""
        subkey = self.subkey if with_subkey else None
        fields: dict[str, Any] = {**body, **(outer or {})}
        plain = self.ticket.tgs_req(subkey=subkey, authenticator=authenticator, **fields)
        wanted = self.ticket.tgs_req(subkey=subkey, **body)  # type: ignore[arg-type]
        (ap_req,) = plain.message.padata or ()
        assert ap_req.padata_type == _TGS_REQ
        armor = None if self.device is None else self.device.value(self.ticket.client.now)
        good = Inner(self.key, padata, wanted.message.req_body, self.options, armor)
        fast = replace(good, **(inner or {})).padata_over(ap_req.padata_value)  # type: ignore[arg-type]
        raw = TgsReq(padata=(ap_req, fast), req_body=plain.message.req_body).pack()
        return KdcRequest(raw, TgsReq.unpack(raw))

    def received(self, outcome: Outcome) -> Granted:
        reply = TgsRep.unpack(outcome.reply)
        response = fast_response(reply.padata, self.key)
        key = strengthened(response, self.subkey)
        part = EncTgsRepPart.unpack(decrypt(key, KeyUsage.TGS_REP_ENC_PART_SUBKEY, reply.enc_part.cipher))
        assert response.finished is not None
        names = response.finished
        return Granted(
            reply, response, Ticketed(self.ticket.client, reply.ticket, part, names.cname, names.crealm), key
        )


def refused_in_the_open(outcome: Outcome) -> KrbErrorCode:
    """A refusal that no armor hides, and that says no more than its code."""
    assert error_of(outcome).e_data is None
    return outcome.error
