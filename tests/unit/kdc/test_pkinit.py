"""Logons with certificates over facts: every grant, and every rule that denies."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from addc.base.clock import FileTime
from addc.codec import cms
from addc.codec.cms import AlgorithmIdentifier
from addc.codec.krb5 import PaData, TypedData, req_body_bytes
from addc.codec.krb5_numbers import PaType, TicketFlags
from addc.codec.ndr import deserialize_v1
from addc.codec.pac import (
    NtlmSupplementalCredential,
    Pac,
    PacCredentialData,
    PacCredentialInfo,
    PacType,
    unpack_logon_info,
)
from addc.codec.pkinit import (
    DH_PUBLIC_NUMBER,
    KDF_SHA1,
    KDF_SHA256,
    KDF_SHA384,
    KDF_SHA512,
    TD_CMS_DIGEST_ALGORITHMS,
    TD_DH_PARAMETERS,
    TD_INVALID_CERTIFICATES,
    TD_TRUSTED_CERTIFIERS,
    AlgorithmIdentifiers,
    ExternalPrincipalIdentifiers,
    PaChecksum2,
    PaPkAsReq,
)
from addc.codes.krb_error import KrbErrorCode as Code
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import Counter, Outcome
from addc.kdc.pkinit_facts import CertificateFacts, TrustedKey
from addc.kdc.ticket_pac import find_pac
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.security.crypto import client_certificate, dh, signatures
from addc.security.krb_keys import KeyUsage, decrypt
from tests.kit.certificates import SERIAL, Authority, Holder, self_signed
from tests.kit.kdc_realm import ALICE, DAY_FT, KRBTGT, NOW, Client, error_of, method_data, timestamp
from tests.kit.pkinit_client import Card, CurvePair, ModpPair, PkinitClient
from tests.kit.pkinit_realm import (
    ALICES,
    ISSUER,
    RSA_KEY,
    RULES,
    WHEN,
    LoggedOn,
    Smart,
    certificate_of,
    holder,
    store,
)

SMARTCARD_LOGON = ObjectIdentifier("1.3.6.1.4.1.311.20.2.2")
AES_AND_DES3 = (18, 17, 23, 15)


def client(one: Holder = ALICES, **more: object) -> Smart:
    """Somebody with this certificate; `more` are fields of PkinitClient."""
    return Smart(PkinitClient(Card(one), **more))  # type: ignore[arg-type]


def rsa_client(**more: object) -> Smart:
    return client(holder(key=RSA_KEY), pair=None, **more)


def refused(outcome: Outcome) -> Code:
    assert outcome.counter is Counter.NONE
    return Code(error_of(outcome).error_code)


def typed(outcome: Outcome) -> dict[int, bytes]:
    e_data = error_of(outcome).e_data
    assert e_data is not None
    return {one.data_type: one.data_value or b"" for one in TypedData.unpack(e_data).entries}


def pac_of(logged_on: LoggedOn) -> Pac:
    data = find_pac(logged_on.ticket.opened(KRBTGT.keys.current[18]).authorization_data)
    assert data is not None
    return Pac.unpack(data)


def extra_sids(logged_on: LoggedOn) -> set[str]:
    logon = pac_of(logged_on).get(PacType.LOGON_INFO)
    assert logon is not None
    return {str(one.sid) for one in unpack_logon_info(logon).extra_sids or ()}


# --- granting ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pair",
    [
        ModpPair(),
        ModpPair(with_q=False),
        ModpPair(dh.MODP_4096),
        CurvePair(dh.P256),
        CurvePair(dh.P384),
        CurvePair(dh.P521),
    ],
    ids=["group 14", "without q", "group 16", "P-256", "P-384", "P-521"],
)
def test_agreed_keys(pair: ModpPair | CurvePair) -> None:
    """[RFC4556] 3.2.3.1, [RFC5349]."""
    got = client(pair=pair).log_on()
    assert got.key.etype == 18
    assert got.ticket.part.flags & (TicketFlags.PRE_AUTHENT | TicketFlags.INITIAL)
    assert got.outcome.counter is Counter.LOGON
    assert str(got.ticket.cname) == "alice"


@pytest.mark.parametrize("kdf", [KDF_SHA1, KDF_SHA256, KDF_SHA384, KDF_SHA512])
def test_key_derivation_functions(kdf: str) -> None:
    """[RFC8636] 6."""
    assert client(kdfs=(kdf,)).log_on().key.etype == 18


@pytest.mark.parametrize("etypes", [AES_AND_DES3, (18, 17)])
@pytest.mark.parametrize("named", [True, False])
def test_key_packages_for_rsa_keys(etypes: tuple[int, ...], named: bool) -> None:
    """[RFC4556] 3.2.3.2: triple DES for clients that name it, AES for the others; [MS-PKCA] 2.2.4."""
    smart = rsa_client() if named else rsa_client(cms_types=None)
    assert smart.log_on(etype=etypes).key.etype == 18


def test_a_client_with_a_nonce_gets_one() -> None:
    """[RFC4556] 3.2.3.1, [MS-PKCA] 3.1.5.1: dhKeyExpiration and serverDHNonce go together."""
    assert client(client_nonce=bytes(32)).log_on().key.etype == 18


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
@pytest.mark.parametrize("attributes", [True, False])
@pytest.mark.parametrize("by_identifier", [True, False])
def test_forms_of_signatures(digest: str, attributes: bool, by_identifier: bool) -> None:
    """[RFC5652] 5.3, 5.4."""
    card = Card(ALICES, digest, attributes, by_identifier)
    if digest == "sha1":
        card = Card(holder(key=ec.generate_private_key(ec.SECP256R1())), "sha256", attributes, by_identifier)
    assert Smart(PkinitClient(card)).log_on().key.etype == 18


@pytest.mark.parametrize(
    "use", [ExtendedKeyUsageOID.CLIENT_AUTH, SMARTCARD_LOGON, ObjectIdentifier("1.3.6.1.5.2.3.4")]
)
def test_uses_that_log_on(use: ObjectIdentifier) -> None:
    assert client(holder(uses=(use,))).log_on().key.etype == 18
    assert client(holder(uses=None)).log_on().key.etype == 18


def test_the_nt_hash_comes_along_encrypted() -> None:
    """[MS-PAC] 2.6, [MS-PKCA] 3.1.5.2: only who has the reply key reads it."""
    got = client().log_on()
    buffer = pac_of(got).get(PacType.CREDENTIALS_INFO)
    assert buffer is not None
    info = PacCredentialInfo.unpack(buffer)
    assert info.encryption_type == got.key.etype
    plain = decrypt(got.key, KeyUsage.KERB_NON_KERB_SALT, info.serialized_data)
    data = deserialize_v1(PacCredentialData, plain, pointer=True)
    assert data is not None and [one.package_name for one in data.credentials] == ["NTLM"]
    ntlm = NtlmSupplementalCredential.unpack(data.credentials[0].credentials or b"")
    assert (ntlm.flags, ntlm.lm_password) == (2, bytes(16))
    assert ntlm.nt_password == ALICE.keys.current[23].value


def test_a_service_ticket_holds_no_credentials() -> None:
    got = client().log_on()
    assert pac_of(got).get(PacType.CREDENTIALS_INFO) is not None
    plain = Client().log_on()
    data = find_pac(plain.opened(KRBTGT.keys.current[18]).authorization_data)
    assert data is not None and Pac.unpack(data).get(PacType.CREDENTIALS_INFO) is None


def test_an_account_without_password_logs_on() -> None:
    bare = replace(ALICE, keys=replace(ALICE.keys, current={}, old=()))
    got = replace(client(), account=bare).log_on()
    assert pac_of(got).get(PacType.CREDENTIALS_INFO) is None


def test_smart_cards_satisfy_smartcard_required() -> None:
    """[MS-KILE] 3.3.5.6.1: the password is refused, the certificate is not."""
    account = replace(
        ALICE,
        flags=ALICE.flags | UserAccountControl.UF_SMARTCARD_REQUIRED,
        standing=replace(ALICE.standing, smartcard_required=True),
    )
    assert replace(client(), account=account).log_on().key.etype == 18
    outcome = Client(account).ask(timestamp(account.keys.current[18]))
    assert outcome.status is NtStatus.STATUS_SMARTCARD_LOGON_REQUIRED


# --- the certificate ---------------------------------------------------------------------------------------


def test_no_certificate_of_the_kdc_no_pkinit() -> None:
    outcome = Client().ask(PaData(int(PaType.PA_PK_AS_REQ), b"whatever"))
    assert refused(outcome) is Code.KDC_ERR_PREAUTH_REQUIRED
    assert {16, 15}.isdisjoint(method_data(outcome))


def test_an_authority_outside_ntauth() -> None:
    """KB5057784; [RFC4556] 3.2.2: TD-TRUSTED-CERTIFIERS names those that would do."""
    stranger = Authority("Stranger", when=WHEN)
    outcome = Smart(
        PkinitClient(Card(stranger.issue("alice", sid=str(ALICE.sid)))), facts=CertificateFacts(store())
    ).ask()
    assert refused(outcome) is Code.KDC_ERR_CLIENT_NOT_TRUSTED
    named = ExternalPrincipalIdentifiers.unpack(typed(outcome)[TD_TRUSTED_CERTIFIERS]).identifiers
    assert [one.subject_name for one in named] == [certificate_of(ISSUER).subject]


def test_a_revoked_certificate() -> None:
    smart = replace(client(), facts=CertificateFacts(store(ISSUER.revocation_list(SERIAL, when=WHEN))))
    outcome = smart.ask()
    assert refused(outcome) is Code.KDC_ERR_REVOKED_CERTIFICATE
    (named,) = ExternalPrincipalIdentifiers.unpack(typed(outcome)[TD_INVALID_CERTIFICATES]).identifiers
    assert cms.IssuerAndSerialNumber.unpack(named.issuer_and_serial_number or b"").serial_number == SERIAL


def test_a_certificate_whose_status_nobody_can_tell() -> None:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier("ldap:///x")], None, None, None)
    one = holder(more=((x509.CRLDistributionPoints([point]), False),))
    assert refused(client(one).ask()) is Code.KDC_ERR_REVOCATION_STATUS_UNKNOWN
    lenient = replace(client(one), rules=replace(RULES, strict_revocation=False))
    assert lenient.log_on().key.etype == 18


def test_a_certificate_out_of_its_time() -> None:
    old = holder(when=WHEN.replace(year=WHEN.year - 1))
    assert refused(client(old).ask()) is Code.KDC_ERR_INVALID_CERTIFICATE


def test_a_certificate_for_servers() -> None:
    one = holder(uses=(ExtendedKeyUsageOID.SERVER_AUTH,))
    assert refused(client(one).ask()) is Code.KDC_ERR_INCONSISTENT_KEY_PURPOSE


def test_a_certificate_that_may_not_sign() -> None:
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=True, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    assert refused(client(holder(more=((usage, True),))).ask()) is Code.KDC_ERR_INCONSISTENT_KEY_PURPOSE


# --- mapping -----------------------------------------------------------------------------------------------


def test_names_alone_map_nobody() -> None:
    """KB5014754, full enforcement: a UPN, a subject, a mail address are weak."""
    weak = holder(sid="", upn="alice@example.com")
    facts = CertificateFacts(
        store(), frozenset({"x509:<s>cn=alice", "x509:<i>dc=com,dc=example,cn=logon ca<s>cn=alice"})
    )
    assert refused(replace(client(weak), facts=facts).ask()) is Code.KDC_ERR_CERTIFICATE_MISMATCH


def test_the_sid_of_another() -> None:
    other = holder(sid=str(ALICE.sid.domain().child(1999)))
    assert refused(client(other).ask()) is Code.KDC_ERR_CERTIFICATE_MISMATCH


def test_the_sid_with_the_name_of_another() -> None:
    """[MS-PKCA] 3.1.5.2.1.2."""
    assert refused(client(holder(upn="bob@example.com")).ask()) is Code.KDC_ERR_CLIENT_NAME_MISMATCH
    assert client(holder(upn="Alice@EXAMPLE.com")).log_on().key.etype == 18


def test_the_sid_in_a_uri() -> None:
    """[MS-PKCA] 3.1.5.2.1.6."""
    uri = x509.UniformResourceIdentifier(f"tag:microsoft.com,2022-09-14:sid:{ALICE.sid}")
    assert client(holder(sid="", names=(uri,))).log_on().key.etype == 18
    wrong = x509.UniformResourceIdentifier("tag:microsoft.com,2022-09-14:sid:S-1-5-21-9-9-9-9")
    assert refused(client(holder(sid="", names=(wrong,))).ask()) is Code.KDC_ERR_CERTIFICATE_MISMATCH


def test_explicit_mappings_of_every_strong_form() -> None:
    """[MS-PKCA] 3.1.5.2.1.5."""
    one = holder(sid="")
    forms = client_certificate.identities(certificate_of(one))
    assert {form.partition("<")[2][:3] for form in forms} == {"I>D", "SKI", "SHA"}
    for form in forms:
        smart = replace(client(one), facts=CertificateFacts(store(), frozenset({form.casefold()})))
        assert smart.log_on().key.etype == 18, form
    assert refused(client(one).ask()) is Code.KDC_ERR_CERTIFICATE_MISMATCH


def test_machines_by_their_host_name() -> None:
    """[MS-PKCA] 3.1.5.2.1.1."""
    machine = replace(ALICE, name="BOX$", flags=0x1000)

    def ask(name: str) -> Smart:
        return replace(client(holder(names=(x509.DNSName(name),))), account=machine)

    assert ask("box.example.com").log_on().key.etype == 18
    assert refused(ask("other.example.com").ask()) is Code.KDC_ERR_CLIENT_NAME_MISMATCH


# --- key trust ---------------------------------------------------------------------------------------------


def _key_trust(flags: int | None = None) -> Smart:
    spki = RSA_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    facts = CertificateFacts(store(), keys=(TrustedKey(spki, flags),))
    return replace(client(self_signed("alice", RSA_KEY, WHEN)), facts=facts)


@pytest.mark.parametrize(
    ("flags", "sids"),
    [
        (None, {wellknown.KEY_TRUST_IDENTITY}),
        (0, {wellknown.KEY_TRUST_IDENTITY, wellknown.KEY_PROPERTY_MFA}),
        (2, {wellknown.KEY_TRUST_IDENTITY}),
        (3, {wellknown.KEY_TRUST_IDENTITY, wellknown.KEY_PROPERTY_ATTESTATION}),
    ],
)
def test_a_key_that_the_account_trusts(flags: int | None, sids: set[object]) -> None:
    """[MS-PKCA] 3.1.5.2.1.4: the certificate's own word counts for nothing."""
    named = {str(sid) for sid in sids}
    found = extra_sids(_key_trust(flags).log_on())
    assert found & {"S-1-18-4", "S-1-18-5", "S-1-18-6"} == named
    assert "S-1-18-1" in found


def test_another_key_than_the_account_trusts() -> None:
    other = rsa.generate_private_key(65537, 2048)
    smart = replace(_key_trust(), client=PkinitClient(Card(self_signed("alice", other, WHEN))))
    assert refused(smart.ask()) is Code.KDC_ERR_CLIENT_NOT_TRUSTED
    assert refused(client(self_signed("alice", RSA_KEY, WHEN)).ask()) is Code.KDC_ERR_CLIENT_NOT_TRUSTED


# --- the request -------------------------------------------------------------------------------------------


def _damaged(change: Callable[[cms.SignedData], cms.SignedData]) -> Outcome:
    """An AS-REQ whose SignedData was changed after it was signed."""
    smart = client()
    good = smart.client.padata(b"", NOW).padata_value
    signed = cms.unwrap(_signed_auth_pack(good), cms.ID_SIGNED_DATA)
    changed = change(cms.SignedData.unpack(signed)).pack()
    return smart.ask(_request(cms.ContentInfo(cms.ID_SIGNED_DATA, changed).pack()))


def _signed_auth_pack(padata: bytes) -> bytes:
    return PaPkAsReq.unpack(padata).signed_auth_pack


def _request(signed: bytes) -> PaData:
    return PaData(int(PaType.PA_PK_AS_REQ), PaPkAsReq(signed).pack())


def test_content_that_was_changed() -> None:
    def change(data: cms.SignedData) -> cms.SignedData:
        content = bytearray(data.content())
        content[-1] ^= 1
        return replace(
            data,
            encap_content_info=replace(data.encap_content_info, e_content=cms.octets(bytes(content))),
        )

    assert refused(_damaged(change)) is Code.KDC_ERR_INVALID_SIG


def test_a_signature_that_was_changed() -> None:
    def change(data: cms.SignedData) -> cms.SignedData:
        (info,) = data.signer_infos
        return replace(data, signer_infos=(replace(info, signature=info.signature[:-1] + b"\0"),))

    assert refused(_damaged(change)) is Code.KDC_ERR_INVALID_SIG


@pytest.mark.parametrize("count", [0, 2])
def test_exactly_one_signer(count: int) -> None:
    outcome = _damaged(lambda data: replace(data, signer_infos=data.signer_infos * count))
    assert refused(outcome) is Code.KDC_ERR_INVALID_SIG


def test_a_signer_whose_certificate_is_missing() -> None:
    outcome = _damaged(lambda data: replace(data, certificates=None))
    assert refused(outcome) is Code.KDC_ERR_CANT_VERIFY_CERTIFICATE


def test_another_content_type() -> None:
    card = Card(ALICES, content_type=cms.ID_DATA)
    assert refused(Smart(PkinitClient(card)).ask()) is Code.KRB_ERR_GENERIC


def test_a_digest_that_is_not_taken() -> None:
    """[RFC8636] 4: TD-CMS-DIGEST-ALGORITHMS names what is."""

    def change(data: cms.SignedData) -> cms.SignedData:
        (info,) = data.signer_infos
        return replace(
            data, signer_infos=(replace(info, digest_algorithm=AlgorithmIdentifier("1.2.840.113549.2.5")),)
        )

    outcome = _damaged(change)
    assert refused(outcome) is Code.KDC_ERR_DIGEST_IN_SIGNED_DATA_NOT_ACCEPTED
    listed = AlgorithmIdentifiers.unpack(typed(outcome)[TD_CMS_DIGEST_ALGORITHMS]).algorithms
    assert signatures.SHA256 in {one.algorithm for one in listed}


def test_garbage_is_refused_in_the_protocols_own_way() -> None:
    for value in (b"", b"\x30\x00", b"\x30\x02\x80\x00"):
        assert refused(client().ask(PaData(int(PaType.PA_PK_AS_REQ), value))) is Code.KRB_ERR_GENERIC


@pytest.mark.parametrize("off", [-6, 6])
def test_a_wrong_clock(off: int) -> None:
    when = FileTime(int(NOW) + off * 60 * 10_000_000)
    assert refused(client().ask(authenticator={"ctime": when})) is Code.KRB_AP_ERR_SKEW


def test_the_body_of_another_request() -> None:
    """[RFC4556] 3.2.1: paChecksum binds the signature to this request."""
    smart = client()
    other = smart.client.padata(b"another body", NOW)
    assert refused(smart.ask(other)) is Code.KRB_AP_ERR_MODIFIED


def test_no_checksum_of_the_body() -> None:
    outcome = client().ask(authenticator={"pa_checksum": None})
    assert refused(outcome) is Code.KDC_ERR_PA_CHECKSUM_MUST_BE_INCLUDED


def test_the_second_checksum_is_heeded() -> None:
    """[MS-PKCA] 2.2.3: whenever it is there."""
    body = req_body_bytes(Client().as_req().raw)

    def ask(digest: bytes, oid: str, first: bytes | None) -> Outcome:
        second = PaChecksum2(digest, AlgorithmIdentifier(oid))
        return client().ask(authenticator={"pa_checksum": first, "pa_checksum2": second})

    good = hashlib.sha256(body).digest()
    assert ask(good, signatures.SHA256, None).error is Code.KDC_ERR_NONE
    assert refused(ask(bytes(32), signatures.SHA256, None)) is Code.KRB_AP_ERR_MODIFIED
    first = hashlib.sha1(body, usedforsecurity=False).digest()
    assert refused(ask(bytes(32), signatures.SHA256, first)) is Code.KRB_AP_ERR_MODIFIED
    assert refused(ask(good, "1.2.3", None)) is Code.KDC_ERR_SUMTYPE_NOSUPP


def test_groups_that_are_not_spoken() -> None:
    """[RFC4556] 3.2.2: TD-DH-PARAMETERS names those that are."""
    weak = client(pair=ModpPair(dh.INSECURE_MODP_1024))
    outcome = weak.ask()
    assert refused(outcome) is Code.KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED
    listed = AlgorithmIdentifiers.unpack(typed(outcome)[TD_DH_PARAMETERS]).algorithms
    assert listed[0].algorithm == DH_PUBLIC_NUMBER and len(listed) == 5
    allowed = replace(weak, rules=replace(RULES, insecure_groups=True))
    assert allowed.log_on().key.etype == 18


def test_no_function_that_both_know() -> None:
    assert refused(client(kdfs=("1.2.3",)).ask()) is Code.KDC_ERR_NO_ACCEPTABLE_KDF


def test_a_key_package_needs_an_rsa_key() -> None:
    assert refused(client(pair=None).ask()) is Code.KDC_ERR_PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED


def test_rc4_alone_is_not_enough() -> None:
    assert refused(client().ask(etype=(23,))) is Code.KDC_ERR_ETYPE_NOSUPP


def test_both_forms_at_once() -> None:
    """[MS-PKCA] 3.1.5.2."""
    smart = replace(client(), more=(PaData(int(PaType.PA_PK_AS_REP_OLD), b""),))
    assert refused(smart.ask()) is Code.KRB_ERR_GENERIC


# --- the account -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        ({"disabled": True}, Code.KDC_ERR_CLIENT_REVOKED),
        ({"lockout_until": int(NOW) + DAY_FT}, Code.KDC_ERR_CLIENT_REVOKED),
        ({"password_must_change": 0}, Code.KDC_ERR_KEY_EXPIRED),
        ({"logon_hours": bytes(21)}, Code.KDC_ERR_CLIENT_REVOKED),
        ({"workstations": ("OTHER",)}, Code.KDC_ERR_POLICY),
    ],
)
def test_the_account_has_to_be_in_standing(standing: dict[str, object], code: Code) -> None:
    account = replace(ALICE, standing=replace(ALICE.standing, **standing))  # type: ignore[arg-type]
    assert refused(replace(client(), account=account).ask()) is code
