"""The realm of facts (kdc_realm.py) with a certificate for its KDC, and clients that log on with theirs."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from addc.base.clock import to_unix
from addc.base.secret import Secret
from addc.codec.krb5 import AsRep, EncAsRepPart, PaData, req_body_bytes
from addc.codec.krb5_numbers import PaType
from addc.kdc.as_exchange import answer_as_req
from addc.kdc.facts import AsFacts, Membership, Outcome, Principal
from addc.kdc.pkinit_facts import CertificateFacts, KdcIdentity, PkinitPolicy
from addc.kdc.policy import KdcPolicy
from addc.security.crypto import certificate
from addc.security.crypto.certificate import Certificate
from addc.security.crypto.signatures import Signer
from addc.security.crypto.trust_chain import TrustStore, read_list
from addc.security.krb_keys import Key, KeyUsage, decrypt
from addc.security.pkinit_keys import Exchange
from tests.kit.certificates import Authority, Holder, Wish, pem_of
from tests.kit.kdc_realm import ALICE, FACTS, GROUPS, KRBTGT, NOW, REALM, Client, SeededRng, Ticketed
from tests.kit.pkinit_client import Card, PkinitClient

WHEN: Final = datetime.fromtimestamp(to_unix(NOW), UTC)
ISSUER: Final = Authority("Logon CA", when=WHEN)
RSA_KEY: Final = rsa.generate_private_key(65537, 2048)
_KDC: Final = ISSUER.fulfil("kdc", Wish(uses=None, when=WHEN, serial=1))
IDENTITY: Final = KdcIdentity(certificate.read(_KDC.der), (), Signer.load(Secret(pem_of(_KDC.key))))
STORE: Final = TrustStore.of([certificate.read(ISSUER.der)])
RULES: Final = PkinitPolicy(IDENTITY)
POLICY: Final = KdcPolicy(pkinit=RULES)


def holder(**wish: object) -> Holder:
    """Alice's certificate, unless wished otherwise."""
    base = Wish(sid=str(ALICE.sid), when=WHEN)
    return ISSUER.fulfil("alice", replace(base, **wish))  # type: ignore[arg-type]


ALICES: Final = holder()


def store(*lists: bytes, issuers: tuple[Authority, ...] = (ISSUER,)) -> TrustStore:
    return TrustStore.of([certificate.read(one.der) for one in issuers], lists=map(read_list, lists))


@dataclass
class Smart:
    """Somebody who logs on with a certificate. facts: what the directory knows. more: padata beside it."""

    client: PkinitClient = field(default_factory=lambda: PkinitClient(Card(ALICES)))
    account: Principal = ALICE
    facts: CertificateFacts = field(default_factory=lambda: CertificateFacts(STORE))
    rules: PkinitPolicy = RULES
    membership: Membership = GROUPS
    more: tuple[PaData, ...] = ()

    @property
    def policy(self) -> KdcPolicy:
        return replace(POLICY, pkinit=self.rules)

    def ask(
        self, padata: PaData | None = None, *, authenticator: dict[str, object] | None = None, **body: object
    ) -> Outcome:
        """The outcome of an AS-REQ. padata: in place of the client's own. authenticator: changes to it."""
        return self.send(padata, authenticator or {}, body)[0]

    def send(
        self, padata: PaData | None, authenticator: dict[str, object], body: dict[str, object]
    ) -> tuple[Outcome, Exchange]:
        plain = Client(self.account).as_req(**body)
        own = padata or self.client.padata(req_body_bytes(plain.raw), NOW, **authenticator)
        request = Client(self.account).as_req(own, *self.more, **body)
        facts = AsFacts(FACTS, self.account, KRBTGT, self.membership, certificates=self.facts)
        outcome = answer_as_req(request, facts, self.policy, NOW, SeededRng("pkinit"))
        asked = request.message.req_body
        assert asked.cname is not None and asked.sname is not None
        return outcome, Exchange(REALM, asked.cname, asked.sname, request.raw)

    def log_on(self, **body: object) -> "LoggedOn":
        """A logon that succeeds."""
        outcome, exchange = self.send(None, {}, body)
        reply = AsRep.unpack(outcome.reply)
        assert reply.padata is not None
        (padata,) = [one for one in reply.padata if one.padata_type == PaType.PA_PK_AS_REP]
        key = self.client.reply_key(padata.padata_value, reply.enc_part.etype, exchange)
        part = EncAsRepPart.unpack(decrypt(key, KeyUsage.AS_REP_ENC_PART, reply.enc_part.cipher))
        return LoggedOn(
            Ticketed(Client(self.account), reply.ticket, part, reply.cname, reply.crealm), key, outcome
        )


@dataclass
class LoggedOn:
    """key: of the reply."""

    ticket: Ticketed
    key: Key
    outcome: Outcome


def certificate_of(one: Holder | Authority) -> Certificate:
    return certificate.read(one.der)
