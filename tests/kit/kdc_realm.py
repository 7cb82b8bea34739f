"""A realm as facts, a clock that stands still, seeded randomness, and a Kerberos client made of the codec."""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from addc.base.clock import TICKS_PER_S, FileTime, whole_seconds
from addc.codec.ids import Sid
from addc.codec.krb5 import (
    ApReq,
    AsRep,
    AsReq,
    Authenticator,
    AuthorizationDataEntry,
    Checksum,
    EncAsRepPart,
    EncryptedData,
    EncryptionKey,
    EncTgsRepPart,
    EncTicketPart,
    HostAddress,
    KdcReqBody,
    KrbError,
    MethodData,
    PaData,
    PaEncTsEnc,
    PaPacRequest,
    PrincipalName,
    TgsRep,
    TgsReq,
    Ticket,
)
from addc.codec.krb5_numbers import KdcOptions, NameType, PaType
from addc.codec.pac import Pac
from addc.codes.krb_error import KrbErrorCode
from addc.kdc.as_exchange import answer_as_req
from addc.kdc.facts import (
    AsFacts,
    KdcRequest,
    KeyRing,
    Membership,
    OpenedTgs,
    Outcome,
    Principal,
    RealmFacts,
    TgsFacts,
)
from addc.kdc.policy import KdcPolicy
from addc.kdc.tgs_exchange import answer_tgs_req, open_tgs_req
from addc.kdc.ticket_pac import find_pac
from addc.security.krb_keys import ETYPES, Key, KeyUsage, checksum, decrypt, encrypt
from addc.security.logon_rules import Standing

NOW: Final = FileTime(133_800_000_000_000_000 + 1_234_567)
DOMAIN: Final = Sid.parse("S-1-5-21-1-2-3")
REALM: Final = "EXAMPLE.COM"
POLICY: Final = KdcPolicy()
AES: Final = (18, 17, 23)
DAY_FT: Final = 24 * 3600 * TICKS_PER_S


class SeededRng:
    """Bytes that a seed replays."""

    def __init__(self, seed: str = "kdc") -> None:
        self._seed = seed
        self._count = 0

    def bytes(self, size: int) -> bytes:
        self._count += 1
        return hashlib.shake_128(f"{self._seed}/{self._count}".encode()).digest(size)


def make_key(etype: int, name: str) -> Key:
    """A key that only depends on its name."""
    return Key(etype, hashlib.shake_128(f"{name}/{etype}".encode()).digest(ETYPES[etype].key_size))


def ring(name: str, kvno: int = 2, etypes: tuple[int, ...] = (18, 17, 20, 19, 23)) -> KeyRing:
    """A key ring with one previous password, named name-old."""
    return KeyRing(
        kvno,
        {etype: make_key(etype, name) for etype in etypes},
        (REALM + name).encode(),
        ((kvno - 1, {etype: make_key(etype, name + "-old") for etype in etypes}),),
    )


def principal(name: str, rid: int, flags: int = 0x200, **more: object) -> Principal:
    """An account; `more` are fields of Principal, or of its Standing."""
    standing = {key: more.pop(key) for key in list(more) if key in Standing.__dataclass_fields__}
    base = Principal(key=rid, name=name, sid=DOMAIN.child(rid), flags=flags, keys=ring(name))
    return replace(base, standing=replace(Standing(), **standing), **more)  # type: ignore[arg-type]


KRBTGT: Final = principal("krbtgt", 502, 0x202, has_spn=True)
ALICE: Final = principal("alice", 1104, pwd_last_set=int(NOW) - DAY_FT)
FILES: Final = principal("FILES$", 1105, 0x1000, has_spn=True, supported_enctypes=0x18)
FACTS: Final = RealmFacts(REALM, "EXAMPLE", "example.com", DOMAIN, "DC1", KRBTGT)
GROUPS: Final = Membership((513, 1200), (Sid.parse("S-1-5-21-9-9-9-1000"),), (1300, 1301))

TGS_NAME: Final = PrincipalName(int(NameType.KRB_NT_SRV_INST), ("krbtgt", REALM))
CIFS_NAME: Final = PrincipalName(int(NameType.KRB_NT_SRV_INST), ("cifs", "files.example.com"))
CHANGE_NAME: Final = PrincipalName(int(NameType.KRB_NT_PRINCIPAL), ("kadmin", "changepw"))


def client_name(*parts: str, name_type: int = NameType.KRB_NT_PRINCIPAL) -> PrincipalName:
    return PrincipalName(int(name_type), parts)


def timestamp(key: Key, when: int = NOW, rng: SeededRng | None = None) -> PaData:
    """PA-ENC-TIMESTAMP."""
    plain = PaEncTsEnc(whole_seconds(when), 0).pack()
    confounder = (rng or SeededRng("ts")).bytes(ETYPES[key.etype].confounder_size)
    data = EncryptedData(
        etype=int(key.etype), cipher=encrypt(key, KeyUsage.AS_REQ_PA_ENC_TIMESTAMP, plain, confounder)
    )
    return PaData(int(PaType.PA_ENC_TIMESTAMP), data.pack())


def pac_request(include: bool) -> PaData:
    return PaData(int(PaType.PA_PAC_REQUEST), PaPacRequest(include).pack())


@dataclass
class Client:
    """One side of the exchanges: builds requests, opens replies."""

    account: Principal = ALICE
    membership: Membership | None = GROUPS
    policy: KdcPolicy = POLICY
    now: FileTime = NOW

    def body(self, **more: object) -> KdcReqBody:
        base = KdcReqBody(
            kdc_options=int(KdcOptions.FORWARDABLE | KdcOptions.RENEWABLE | KdcOptions.CANONICALIZE),
            cname=client_name(self.account.name),
            realm=REALM,
            sname=TGS_NAME,
            till=FileTime(int(NOW) + 365 * DAY_FT),
            nonce=42,
            etype=AES,
        )
        return replace(base, **more)  # type: ignore[arg-type]

    def as_req(self, *padata: PaData, **body: object) -> KdcRequest[AsReq]:
        message = AsReq(padata=padata or None, req_body=self.body(**body))
        raw = message.pack()
        return KdcRequest(raw, AsReq.unpack(raw))

    def ask(self, *padata: PaData, server: Principal | None = KRBTGT, **body: object) -> Outcome:
        """The outcome of an AS-REQ with these elements."""
        facts = AsFacts(FACTS, self.account, server, self.membership)
        return answer_as_req(self.as_req(*padata, **body), facts, self.policy, self.now, SeededRng())

    def log_on(self, *padata: PaData, server: Principal | None = KRBTGT, **body: object) -> "Ticketed":
        """An AS exchange with the right password."""
        key = self.account.keys.current[18]
        outcome = self.ask(timestamp(key, self.now), *padata, server=server, **body)
        reply = AsRep.unpack(outcome.reply)
        part = EncAsRepPart.unpack(decrypt(key, KeyUsage.AS_REP_ENC_PART, reply.enc_part.cipher))
        return Ticketed(self, reply.ticket, part, reply.cname, reply.crealm)


@dataclass
class Ticketed:
    """A client with a ticket."""

    client: Client
    ticket: Ticket
    part: EncAsRepPart | EncTgsRepPart
    cname: PrincipalName
    crealm: str

    @property
    def session(self) -> Key:
        return Key(self.part.key.keytype, self.part.key.keyvalue)

    def opened(self, key: Key) -> EncTicketPart:
        """The ticket, decrypted by its service."""
        return EncTicketPart.unpack(decrypt(key, KeyUsage.TICKET, self.ticket.enc_part.cipher))

    def tgs_req(
        self,
        *padata: PaData,
        authenticator: dict[str, object] | None = None,
        cksumtype: int | None = None,
        subkey: Key | None = None,
        **body: object,
    ) -> KdcRequest[TgsReq]:
        """cksumtype: 0 for no checksum, None for the session key's own."""
        req_body = self.client.body(**{"cname": None, "sname": CIFS_NAME, **body})
        session = self.session
        cksum = None
        if cksumtype != 0:
            kind = cksumtype or int(ETYPES[session.etype].cksumtype)
            value = checksum(session, KeyUsage.TGS_REQ_AUTHENTICATOR_CKSUM, req_body.pack(), kind)
            cksum = Checksum(kind, value)
        now = self.client.now
        auth = Authenticator(
            crealm=self.crealm,
            cname=self.cname,
            cksum=cksum,
            cusec=0,
            ctime=whole_seconds(now),
            subkey=EncryptionKey(int(subkey.etype), subkey.value) if subkey else None,
        )
        auth = replace(auth, **(authenticator or {}))  # type: ignore[arg-type]
        plain = encrypt(
            session, KeyUsage.TGS_REQ_AUTHENTICATOR, auth.pack(), bytes(ETYPES[session.etype].confounder_size)
        )
        ap_req = ApReq(
            ap_options=0,
            ticket=self.ticket,
            authenticator=EncryptedData(etype=int(session.etype), cipher=plain),
        )
        message = TgsReq(padata=(PaData(int(PaType.PA_TGS_REQ), ap_req.pack()), *padata), req_body=req_body)
        raw = message.pack()
        return KdcRequest(raw, TgsReq.unpack(raw))

    def send(self, request: KdcRequest[TgsReq], facts: TgsFacts | None = None) -> Outcome:
        now, policy = self.client.now, self.client.policy
        opened = open_tgs_req(request, FACTS, policy, now, SeededRng("open"))
        if not isinstance(opened, OpenedTgs):
            return opened
        return answer_tgs_req(opened, facts or self.facts(), policy, now, SeededRng("tgs"))

    def facts(self, server: Principal | None = FILES, **more: object) -> TgsFacts:
        base = TgsFacts(FACTS, self.client.account, server, GROUPS.resource_rids)
        return replace(base, **more)  # type: ignore[arg-type]

    def get(
        self, *padata: PaData, facts: TgsFacts | None = None, subkey: Key | None = None, **body: object
    ) -> "Ticketed":
        """A ticket by this ticket."""
        request = self.tgs_req(*padata, subkey=subkey, **body)  # type: ignore[arg-type]
        outcome = self.send(request, facts)
        return self.received(outcome, subkey)

    def received(self, outcome: Outcome, subkey: Key | None = None) -> "Ticketed":
        assert outcome.error == KrbErrorCode.KDC_ERR_NONE, outcome.error.name
        reply = TgsRep.unpack(outcome.reply)
        usage = KeyUsage.TGS_REP_ENC_PART_SUBKEY if subkey else KeyUsage.TGS_REP_ENC_PART_SESSION
        part = EncTgsRepPart.unpack(decrypt(subkey or self.session, usage, reply.enc_part.cipher))
        return Ticketed(self.client, reply.ticket, part, reply.cname, reply.crealm)


def pac_of(ticket: Ticketed, key: Key) -> Pac:
    """The PAC of a ticket, as its service finds it."""
    data = find_pac(ticket.opened(key).authorization_data)
    assert data is not None
    return Pac.unpack(data)


def error_of(outcome: Outcome) -> KrbError:
    """The KRB-ERROR of a refusal, checked to be the outcome's."""
    error = KrbError.unpack(outcome.reply)
    assert error.error_code == outcome.error
    return error


def method_data(outcome: Outcome) -> dict[int, bytes]:
    """METHOD-DATA in a KRB-ERROR."""
    e_data = error_of(outcome).e_data
    assert e_data is not None
    return {one.padata_type: one.padata_value for one in MethodData.unpack(e_data).padata}


def netbios_address(name: str) -> HostAddress:
    return HostAddress(20, name.ljust(15).encode() + b" ")


def ad(kind: int, data: bytes) -> AuthorizationDataEntry:
    return AuthorizationDataEntry(kind, data)
