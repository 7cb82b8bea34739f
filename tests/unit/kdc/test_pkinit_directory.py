"""Certificate logons over a directory: who may vouch, what accounts say of certificates and keys."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from addc.base.clock import to_unix
from addc.codec.key_credential import EntryKind, KeyCredential, RsaPublicBlob
from addc.codec.krb5 import AsRep, KrbError, PrincipalName, req_body_bytes
from addc.codec.krb5_numbers import NameType, PaType
from addc.codes.krb_error import KrbErrorCode as Code
from addc.kdc.lookup_certificates import trust_store
from addc.kdc.pkinit_facts import PkinitPolicy
from addc.kdc.policy import KdcPolicy
from addc.security.crypto import certificate, client_certificate
from addc.security.pkinit_keys import Exchange
from tests.kit.certificates import SERIAL, Authority, Holder, Wish, self_signed
from tests.kit.corp import Corp, add_values, delete_values, replace_values
from tests.kit.kdc_corp import REALM, TGS, KdcCorp
from tests.kit.kdc_realm import Ticketed, client_name
from tests.kit.pkinit_client import Card, CurvePair, PkinitClient
from tests.kit.pkinit_realm import RSA_KEY, RULES

PASSWORD = "Tr0ub4dor&3"
SERVICES = "CN=Public Key Services,CN=Services,CN=Configuration"
NTAUTH = f"CN=NTAuthCertificates,{SERVICES}"
FEW_LISTS = {"certificateRevocationList": b"\0", "authorityRevocationList": b"\0"}


@dataclass
class Desk:
    """A KDC over a directory that trusts an authority, and joe."""

    corp: Corp
    kdc: KdcCorp = field(init=False)
    authority: Authority = field(init=False)
    rules: PkinitPolicy = RULES

    def __post_init__(self) -> None:
        self.corp.user("joe", PASSWORD)
        self.kdc = KdcCorp(self.corp)
        self.authority = Authority("Logon CA", when=self.when)
        self.corp.add(
            NTAUTH, "certificationAuthority", values={"cACertificate": self.authority.der, **FEW_LISTS}
        )
        self.kdc.service.set_policy(KdcPolicy(pkinit=self.rules))

    @property
    def when(self) -> datetime:
        return datetime.fromtimestamp(to_unix(self.corp.now), UTC)

    def card(self, **wish: object) -> Holder:
        """Joe's certificate."""
        base = Wish(sid=str(self.corp.sid("CN=joe,CN=Users")), when=self.when)
        return self.authority.fulfil("joe", replace(base, **wish))  # type: ignore[arg-type]

    def send(self, holder: Holder, cname: PrincipalName) -> tuple[bytes, bytes, PkinitClient]:
        client = PkinitClient(Card(holder), CurvePair())
        plain = self.kdc.as_req(cname)
        padata = client.padata(req_body_bytes(plain), self.kdc.now)
        raw = self.kdc.as_req(cname, padata)
        reply = self.kdc.service.answer_now(raw, "test").reply
        assert reply is not None
        return reply, raw, client

    def code(self, holder: Holder, cname: PrincipalName = client_name("joe")) -> Code:  # noqa: B008
        reply, _, _ = self.send(holder, cname)
        return Code.KDC_ERR_NONE if reply[0] == 0x6B else Code(KrbError.unpack(reply).error_code)

    def log_on(self, holder: Holder, cname: PrincipalName = client_name("joe")) -> Ticketed:  # noqa: B008
        reply, raw, client = self.send(holder, cname)
        message = AsRep.unpack(reply)
        (value,) = [
            one.padata_value for one in message.padata or () if one.padata_type == PaType.PA_PK_AS_REP
        ]
        key = client.reply_key(value, message.enc_part.etype, Exchange(REALM, cname, TGS, raw))
        return self.kdc.opened(reply, key)


@pytest.fixture
def desk(corp_sqlite: Corp) -> Desk:
    return Desk(corp_sqlite)


def test_a_certificate_logs_on(desk: Desk) -> None:
    assert str(desk.log_on(desk.card()).cname) == "joe"


def test_the_store_is_read_anew_after_changes(desk: Desk) -> None:
    """KB5057784: an authority counts once it is in NTAuth, and no longer than that."""
    desk.corp.modify(NTAUTH, replace_values("cACertificate", Authority("Another").der))
    assert desk.code(desk.card()) is Code.KDC_ERR_CLIENT_NOT_TRUSTED
    desk.corp.modify(NTAUTH, add_values("cACertificate", desk.authority.der))
    assert desk.code(desk.card()) is Code.KDC_ERR_NONE


def test_no_store_no_logon(desk: Desk) -> None:
    desk.corp.modify(NTAUTH, replace_values("cACertificate", b"\0"))
    assert desk.code(desk.card()) is Code.KDC_ERR_CLIENT_NOT_TRUSTED


def test_roots_and_what_is_between(desk: Desk) -> None:
    """Certification Authorities holds roots, AIA what is between; placeholders are passed over."""
    root = Authority("Root", when=desk.when)
    low = Authority("Low", above=root, when=desk.when)
    desk.corp.modify(NTAUTH, replace_values("cACertificate", low.der, b"\0"))
    one = low.fulfil("joe", Wish(sid=str(desk.corp.sid("CN=joe,CN=Users")), when=desk.when))
    assert desk.code(one) is Code.KDC_ERR_CLIENT_NOT_TRUSTED
    desk.corp.add(
        f"CN=Root,CN=Certification Authorities,{SERVICES}",
        "certificationAuthority",
        values={"cACertificate": root.der, **FEW_LISTS},
    )
    assert desk.code(one) is Code.KDC_ERR_NONE
    store = desk.corp.read(trust_store)
    assert [found.der for found in store.roots] == [root.der]


def test_revocation_lists_of_the_directory(desk: Desk) -> None:
    """cRLDistributionPoint objects below CN=CDP, in a container for each host."""
    desk.corp.add(f"CN=CA1,CN=CDP,{SERVICES}", "container")
    point = f"CN=Logon CA,CN=CA1,CN=CDP,{SERVICES}"
    empty = desk.authority.revocation_list(when=desk.when)
    desk.corp.add(point, "cRLDistributionPoint", values={"certificateRevocationList": empty})
    assert desk.code(desk.card()) is Code.KDC_ERR_NONE
    full = desk.authority.revocation_list(SERIAL, when=desk.when)
    desk.corp.modify(point, replace_values("certificateRevocationList", full))
    assert desk.code(desk.card()) is Code.KDC_ERR_REVOKED_CERTIFICATE


def test_a_list_that_became_stale(desk: Desk) -> None:
    """Lists are in their time for an hour around now; the certificate made later is, too."""
    fresh = desk.authority.revocation_list(when=desk.when)
    desk.corp.modify(NTAUTH, replace_values("certificateRevocationList", fresh))
    assert desk.code(desk.card()) is Code.KDC_ERR_NONE
    desk.kdc.later(3601)
    authority = Authority("Logon CA", when=desk.when)
    desk.authority = authority
    desk.corp.modify(
        NTAUTH,
        replace_values("cACertificate", authority.der),
        replace_values(
            "certificateRevocationList", authority.revocation_list(when=desk.when - timedelta(hours=2))
        ),
    )
    assert desk.code(desk.card()) is Code.KDC_ERR_REVOCATION_STATUS_UNKNOWN


def test_alt_security_identities(desk: Desk) -> None:
    """[MS-PKCA] 3.1.5.2.1.3; the match is that of the attribute, whatever the case."""
    card = desk.card(sid="")
    assert desk.code(card) is Code.KDC_ERR_CERTIFICATE_MISMATCH
    for form in client_certificate.identities(certificate.read(card.der)):
        desk.corp.modify("CN=joe,CN=Users", replace_values("altSecurityIdentities", form.upper()))
        assert desk.code(card) is Code.KDC_ERR_NONE, form
    desk.corp.modify("CN=joe,CN=Users", replace_values("altSecurityIdentities", "X509:<S>CN=joe"))
    assert desk.code(card) is Code.KDC_ERR_CERTIFICATE_MISMATCH


def test_a_name_of_x500_means_whom_the_certificate_is_mapped_to(desk: Desk) -> None:
    """[MS-PKCA] 3.1.5.2.1."""
    name = PrincipalName(int(NameType.KRB_NT_X500_PRINCIPAL), ("CN=joe,DC=nowhere",))
    card = desk.card(sid="")
    assert desk.code(card, name) is Code.KDC_ERR_C_PRINCIPAL_UNKNOWN
    form = client_certificate.identities(certificate.read(card.der))[0]
    desk.corp.modify("CN=joe,CN=Users", add_values("altSecurityIdentities", form))
    assert str(desk.log_on(card, name).cname) == "joe"
    stranger = Authority("Stranger", when=desk.when).fulfil(
        "joe", Wish(sid=str(desk.corp.sid("CN=joe,CN=Users")), when=desk.when)
    )
    assert desk.code(stranger, name) is Code.KDC_ERR_CLIENT_NOT_TRUSTED


# --- keys that accounts trust ---


def blob(key: rsa.RSAPrivateKey, use: int = 1, flags: bytes | None = None) -> bytes:
    numbers = key.public_key().public_numbers()
    size = key.key_size // 8
    material = RsaPublicBlob(key.key_size, b"\x01\x00\x01", numbers.n.to_bytes(size, "big")).pack()
    entries = [
        (int(EntryKind.KEY_ID), hashlib.sha256(material).digest()),
        (int(EntryKind.KEY_MATERIAL), material),
        (int(EntryKind.KEY_USAGE), bytes((use,))),
    ]
    if flags is not None:
        entries.append((int(EntryKind.CUSTOM_KEY_INFORMATION), b"\x01" + flags))
    return KeyCredential(tuple(entries)).pack()


def trust(desk: Desk, data: bytes) -> None:
    dn = desk.corp.dn("CN=joe,CN=Users")
    desk.corp.modify(
        "CN=joe,CN=Users", replace_values("msDS-KeyCredentialLink", f"B:{2 * len(data)}:{data.hex()}:{dn}")
    )


def test_key_trust(desk: Desk) -> None:
    """[MS-PKCA] 3.1.5.2.1.4: nobody vouches for the certificate, the account itself knows the key."""
    holder = self_signed("joe", RSA_KEY, desk.when)
    assert desk.code(holder) is Code.KDC_ERR_CLIENT_NOT_TRUSTED
    trust(desk, blob(RSA_KEY))
    assert str(desk.log_on(holder).cname) == "joe"
    desk.corp.modify("CN=joe,CN=Users", delete_values("msDS-KeyCredentialLink"))
    assert desk.code(holder) is Code.KDC_ERR_CLIENT_NOT_TRUSTED


def test_a_key_of_another_account(desk: Desk) -> None:
    desk.corp.user("ann", PASSWORD)
    trust(desk, blob(RSA_KEY))
    holder = self_signed("joe", RSA_KEY, desk.when)
    assert desk.code(holder, client_name("ann")) is Code.KDC_ERR_CLIENT_NOT_TRUSTED


@pytest.mark.parametrize(
    "data",
    [
        lambda: blob(RSA_KEY, use=7),
        lambda: blob(RSA_KEY, use=8),
        lambda: b"garbage that is long enough",
        lambda: blob(rsa.generate_private_key(65537, 2048)),
    ],
    ids=["FIDO", "FEK", "garbage", "another key"],
)
def test_entries_that_log_nobody_on(desk: Desk, data: Callable[[], bytes]) -> None:
    trust(desk, data())
    assert desk.code(self_signed("joe", RSA_KEY, desk.when)) is Code.KDC_ERR_CLIENT_NOT_TRUSTED


def test_the_key_is_not_kept_past_its_link(desk: Desk) -> None:
    trust(desk, blob(RSA_KEY))
    other = rsa.generate_private_key(65537, 2048)
    trust(desk, blob(other))
    assert desk.code(self_signed("joe", RSA_KEY, desk.when)) is Code.KDC_ERR_CLIENT_NOT_TRUSTED
    assert desk.code(self_signed("joe", other, desk.when)) is Code.KDC_ERR_NONE


# --- accounts that only log on with smart cards ---


def answered(desk: Desk, holder: Holder) -> Ticketed:
    """A logon whose account is written to before the answer, if it has to be."""
    client = PkinitClient(Card(holder), CurvePair())
    cname = client_name("joe")
    padata = client.padata(req_body_bytes(desk.kdc.as_req(cname)), desk.kdc.now)
    raw = desk.kdc.as_req(cname, padata)
    reply = asyncio.run(desk.kdc.service.answer(raw, "test"))
    assert reply is not None and reply[0] == 0x6B
    message = AsRep.unpack(reply)
    (value,) = [one.padata_value for one in message.padata or () if one.padata_type == PaType.PA_PK_AS_REP]
    key = client.reply_key(value, message.enc_part.etype, Exchange(REALM, cname, TGS, raw))
    return desk.kdc.opened(reply, key)


@pytest.fixture
def smart_card_only(desk: Desk) -> Desk:
    """Joe needs a smart card, and his secret is to be changed."""
    joe = "CN=joe,CN=Users"
    desk.corp.modify(joe, replace_values("userAccountControl", str(0x4_0200)))
    desk.corp.modify(joe, replace_values("pwdLastSet", "0"))
    return desk


def test_a_secret_that_nobody_types_is_renewed_at_logon(smart_card_only: Desk) -> None:
    """[MS-PKCA] 3.1.5.2.2: first the new secret, then the answer; once is enough."""
    desk, joe = smart_card_only, "CN=joe,CN=Users"
    before = desk.corp.values(joe, "unicodePwd")
    answered(desk, desk.card())
    renewed = desk.corp.values(joe, "unicodePwd")
    assert renewed != before and int(desk.corp.text(joe, "pwdLastSet")) == desk.corp.now
    answered(desk, desk.card())
    assert desk.corp.values(joe, "unicodePwd") == renewed


def test_a_secret_is_renewed_before_it_is_too_old(smart_card_only: Desk) -> None:
    desk, joe = smart_card_only, "CN=joe,CN=Users"
    answered(desk, desk.card())
    first = desk.corp.values(joe, "unicodePwd")
    desk.kdc.later(42 * 86_400 - 3600)
    desk.authority = Authority("Logon CA", when=desk.when)
    desk.corp.modify(NTAUTH, replace_values("cACertificate", desk.authority.der))
    answered(desk, desk.card())
    assert desk.corp.values(joe, "unicodePwd") != first


def test_the_domain_may_leave_such_secrets_alone(smart_card_only: Desk) -> None:
    """[MS-ADA2] 2.319."""
    desk, joe = smart_card_only, "CN=joe,CN=Users"
    desk.corp.modify("", replace_values("msDS-ExpirePasswordsOnSmartCardOnlyAccounts", "FALSE"))
    before = desk.corp.values(joe, "unicodePwd")
    answered(desk, desk.card())
    assert desk.corp.values(joe, "unicodePwd") == before
    assert desk.corp.text(joe, "pwdLastSet") == "0"


def test_only_who_proved_itself_renews_a_secret(smart_card_only: Desk) -> None:
    desk, joe = smart_card_only, "CN=joe,CN=Users"
    before = desk.corp.values(joe, "unicodePwd")
    stranger = Authority("Stranger", when=desk.when)
    holder = stranger.fulfil("joe", Wish(sid=str(desk.corp.sid(joe)), when=desk.when))
    assert desk.code(holder) is Code.KDC_ERR_CLIENT_NOT_TRUSTED
    assert desk.corp.values(joe, "unicodePwd") == before


def test_a_password_that_has_to_be_changed_keeps_a_certificate_out(desk: Desk) -> None:
    """Where no smart card is required, the password's age counts as for everybody."""
    desk.corp.modify("CN=joe,CN=Users", replace_values("pwdLastSet", "0"))
    assert desk.code(desk.card()) is Code.KDC_ERR_KEY_EXPIRED
