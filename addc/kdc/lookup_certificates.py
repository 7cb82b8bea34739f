"""From the directory to PKINIT's facts: whom the forest trusts, and what an account says of certificates.

Spec: [MS-PKCA] 3.1.5.2.1, [MS-ADTS] 2.2.20, 6.1.1.2.4 (Services), KB5057784 (NTAuth).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.base.ids import AttId, Dnt
from addc.codec import cms
from addc.codec.cms import SignedData
from addc.codec.key_credential import EntryKind, KeyCredential, KeyUse, RsaPublicBlob
from addc.codec.krb5 import AsReq
from addc.codec.krb5_numbers import NameType, PaType
from addc.codec.pkinit import PaPkAsReq
from addc.directory import entry, names, smartcard_secrets
from addc.directory.context import ReadContext
from addc.kdc.facts import AsFacts, OpenedTgs, Principal, TgsFacts
from addc.kdc.lookup_accounts import account_of_certificate, at_commit, membership, principal
from addc.kdc.padata import find_padata
from addc.kdc.pkinit_facts import CertificateFacts, PkinitPolicy, TrustedKey
from addc.kdc.policy import KdcPolicy
from addc.schema import attr
from addc.security.crypto import certificate, signatures, trust_chain
from addc.security.crypto.certificate import Certificate
from addc.security.crypto.trust_chain import RevocationList, TrustStore
from addc.store.objects import ObjectRow

_PK_AS_REQ: Final = int(PaType.PA_PK_AS_REQ)
_S4U_X509_USER: Final = int(PaType.PA_S4U_X509_USER)
_KINDS: Final = frozenset((_PK_AS_REQ, int(PaType.PA_PK_AS_REP_OLD)))
_X500: Final = int(NameType.KRB_NT_X500_PRINCIPAL)
_NTAUTH: Final = "NTAuthCertificates"
_CERTIFICATES_MAX: Final = 256
_LISTS_MAX: Final = 256
_KEYS_MAX: Final = 64


def with_certificates(ctx: ReadContext, facts: AsFacts, message: AsReq, policy: KdcPolicy) -> AsFacts:
    """The facts of an AS exchange, with what a certificate in it is judged by."""
    if facts.client is None:
        facts = _identified(ctx, facts, message)
    rules = policy.pkinit
    if rules is None or not any(one.padata_type in _KINDS for one in message.padata or ()):
        return facts
    cname = message.req_body.cname
    if facts.client is None and cname is not None and cname.name_type == _X500:
        facts = _by_certificate(ctx, facts, message)
    if facts.client is None:
        return facts
    return replace(facts, certificates=_facts(ctx, facts.client, rules, policy))


def _identified(ctx: ReadContext, facts: AsFacts, message: AsReq) -> AsFacts:
    """Whom the certificate of PA-S4U-X509-USER means: a service asks so in which realm its user is.

    It will be told that pre-authentication is required, and no more. Spec: [MS-SFU] 2.2.2, 3.1.5.1.1.2.
    """
    cname = message.req_body.cname
    if cname is None or cname.name_type != _X500:
        return facts
    value = find_padata(message.padata, _S4U_X509_USER)
    account = account_of_certificate(ctx, value) if value else None
    return facts if account is None else replace(facts, client=principal(ctx, account))


def with_authorities(ctx: ReadContext, facts: TgsFacts, opened: OpenedTgs) -> TgsFacts:
    """The facts of a TGS exchange, with what the certificate of S4U2Self is judged by."""
    if opened.for_user is None or opened.for_user.certificate is None:
        return facts
    return replace(facts, authorities=trust_store(ctx))


def _by_certificate(ctx: ReadContext, facts: AsFacts, message: AsReq) -> AsFacts:
    """For a name of X.500, the account that the certificate is mapped to ([MS-PKCA] 3.1.5.2.1).

    Nothing is proved by that: the certificate is judged once the account is known.
    """
    try:
        value = find_padata(message.padata, _PK_AS_REQ)
        if value is None:
            return facts
        signed = SignedData.unpack(cms.unwrap(PaPkAsReq.unpack(value).signed_auth_pack, cms.ID_SIGNED_DATA))
        shown = signed.certificate_ders()
    except DecodeError:
        return facts
    account = account_of_certificate(ctx, shown[0]) if shown else None
    if account is None:
        return facts
    return replace(facts, client=principal(ctx, account), membership=membership(ctx, account))


def _facts(ctx: ReadContext, client: Principal, rules: PkinitPolicy, policy: KdcPolicy) -> CertificateFacts:
    row = ctx.tx.get(Dnt(client.key))
    assert row is not None
    mapped = entry.texts(row, attr.ALT_SECURITY_IDENTITIES)
    return CertificateFacts(
        trust_store(ctx, rules.lists),
        frozenset(one.casefold() for one in mapped),
        _keys(ctx, row),
        smartcard_secrets.is_due(ctx, row, FileTime(ctx.now + policy.max_ticket_age)),
    )


# --- whom the forest trusts ---


def trust_store(ctx: ReadContext, lists: tuple[RevocationList, ...] = ()) -> TrustStore:
    """The authorities of the Public Key Services container, with their revocation lists and these."""
    return at_commit(ctx, ("kdc.authorities", lists), lambda: _trust_store(ctx, lists))


def _trust_store(ctx: ReadContext, lists: tuple[RevocationList, ...]) -> TrustStore:
    services = names.child_named(ctx, ctx.forest.config_nc, attr.CN, "Services")
    base = None if services is None else names.child_named(ctx, services.dnt, attr.CN, "Public Key Services")
    if base is None:
        return TrustStore()
    roots = list(_below(ctx, base, "Certification Authorities"))
    between = list(_below(ctx, base, "AIA"))
    points = [point for host in _below(ctx, base, "CDP") for point in (host, *names.children(ctx, host.dnt))]
    issuing = names.child_named(ctx, base.dnt, attr.CN, _NTAUTH)
    issuers = [] if issuing is None else [issuing]
    published = _values((*points, *roots, *between, *issuers), _LISTS)
    return TrustStore.of(
        _certificates(issuers),
        [one for one in _certificates(roots) if one.is_self_issued],
        [*_certificates(between), *(one for one in _certificates(roots) if not one.is_self_issued)],
        [*lists, *_lists(published)],
    )


_LISTS: Final = (
    attr.CERTIFICATE_REVOCATION_LIST,
    attr.AUTHORITY_REVOCATION_LIST,
    attr.DELTA_REVOCATION_LIST,
)


def _below(ctx: ReadContext, base: ObjectRow, name: str) -> Iterator[ObjectRow]:
    container = names.child_named(ctx, base.dnt, attr.CN, name)
    if container is not None:
        yield from names.children(ctx, container.dnt)


def _values(rows: Iterable[ObjectRow], attributes: tuple[AttId, ...]) -> Iterator[bytes]:
    for row in rows:
        for att in attributes:
            yield from row.attrs.get(att, ())


def _certificates(rows: Iterable[ObjectRow]) -> list[Certificate]:
    """The authorities' certificates; what is none (a placeholder is one zero octet) is passed over."""
    found: list[Certificate] = []
    for value in _values(rows, (attr.CA_CERTIFICATE,)):
        one = _read_certificate(value)
        if one is not None and len(found) < _CERTIFICATES_MAX:
            found.append(one)
    return found


def _lists(values: Iterable[bytes]) -> list[RevocationList]:
    found: list[RevocationList] = []
    for value in values:
        one = _read_list(value)
        if one is not None and len(found) < _LISTS_MAX:
            found.append(one)
    return found


@lru_cache(maxsize=_CERTIFICATES_MAX)
def _read_certificate(value: bytes) -> Certificate | None:
    try:
        return certificate.read(value)
    except DecodeError:
        return None


@lru_cache(maxsize=_LISTS_MAX)
def _read_list(value: bytes) -> RevocationList | None:
    try:
        return trust_chain.read_list(value)
    except DecodeError:
        return None


# --- what an account trusts ---


def _keys(ctx: ReadContext, row: ObjectRow) -> tuple[TrustedKey, ...]:
    """The usable keys of msDS-KeyCredentialLink."""
    attribute = ctx.schema.attribute_by_id(attr.MS_DS_KEY_CREDENTIAL_LINK)
    assert attribute is not None
    links = entry.live_links(ctx, row, attribute)[:_KEYS_MAX]
    found = (_trusted_key(link.data) for link in links)
    return tuple(key for key in found if key is not None)


@lru_cache(maxsize=4096)
def _trusted_key(data: bytes) -> TrustedKey | None:
    """The key of one KEYCREDENTIALLINK_BLOB; None for those of other uses and what is no RSA key."""
    try:
        blob = KeyCredential.unpack(data)
        material = blob.get(EntryKind.KEY_MATERIAL)
        if blob.get(EntryKind.KEY_USAGE) != bytes((KeyUse.KEY_USAGE_NGC,)) or material is None:
            return None
        key = RsaPublicBlob.unpack(material)
        spki = signatures.rsa_public_key(key.exponent, key.modulus)
    except DecodeError:
        return None
    return TrustedKey(spki, blob.custom_flags)
