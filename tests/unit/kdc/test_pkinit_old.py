"""PKINIT in the form of the draft that [MS-PKCA] 2.2.1 keeps: key packages only, and no word of the body."""

from dataclasses import replace

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.codec import cms
from addc.codec.cms import SignedData
from addc.codec.krb5 import AsRep, Checksum, EncAsRepPart, PaData, PrincipalName
from addc.codec.krb5_numbers import PaType
from addc.codec.pkinit import (
    AuthPackOld,
    PaPkAsReqOld,
    PkAuthenticatorOld,
    ReplyKeyPack,
    ReplyKeyPackOld,
)
from addc.codes.krb_error import KrbErrorCode as Code
from addc.kdc.facts import Outcome
from addc.security.krb_keys import Key, KeyUsage, decrypt, verify_checksum
from tests.kit.certificates import Wish
from tests.kit.kdc_realm import NOW, REALM, TGS_NAME
from tests.kit.pkinit_client import Card, PkinitClient, unsealed
from tests.kit.pkinit_realm import ISSUER, RSA_KEY, RULES, WHEN, Smart, holder
from tests.unit.kdc.test_pkinit import refused

OLD = int(PaType.PA_PK_AS_REP_OLD)
CARD = Card(holder(key=RSA_KEY))
CHECKSUM_WANTED = PaData(int(PaType.PA_AS_CHECKSUM), b"")


def padata(card: Card = CARD, more: dict[str, object] | None = None) -> PaData:
    base = PkAuthenticatorOld(TGS_NAME, REALM, 0, FileTime(NOW - NOW % TICKS_PER_S), 77)
    pack = AuthPackOld(replace(base, **more or {}))  # type: ignore[arg-type]
    return PaData(OLD, PaPkAsReqOld(card.signed(pack.pack())).pack())


def smart(*more: PaData, **rules: object) -> Smart:
    return Smart(PkinitClient(CARD), rules=replace(RULES, **rules), more=more)  # type: ignore[arg-type]


def package(outcome: Outcome) -> bytes:
    """The content of the reply's key package."""
    reply = AsRep.unpack(outcome.reply)
    (value,) = [one.padata_value for one in reply.padata or () if one.padata_type == OLD]
    return SignedData.unpack(unsealed(CARD, value, wrapped=True)).content()


@pytest.mark.parametrize("content_type", [cms.ID_DATA, "1.3.6.1.5.2.3.1"])
def test_a_key_package_with_the_nonce(content_type: str) -> None:
    """[MS-PKCA] 2.2.2: KERB-REPLY-KEY-PACKAGE."""
    outcome = smart().ask(padata(replace(CARD, content_type=content_type)))
    found = ReplyKeyPackOld.unpack(package(outcome))
    assert found.nonce == 77
    key = Key(found.reply_key.keytype, found.reply_key.keyvalue)
    reply = AsRep.unpack(outcome.reply)
    EncAsRepPart.unpack(decrypt(key, KeyUsage.AS_REP_ENC_PART, reply.enc_part.cipher))


def test_a_checksum_for_who_asks_for_one() -> None:
    """[MS-PKCA] 2.2.2: with KRB5-PADATA-AS-CHECKSUM in the request, the package of RFC 4556."""
    desk = smart(CHECKSUM_WANTED)
    outcome, exchange = desk.send(padata(), {}, {})
    found = ReplyKeyPack.unpack(package(outcome))
    key = Key(found.reply_key.keytype, found.reply_key.keyvalue)
    cksum: Checksum = found.as_checksum
    usage = KeyUsage.TGS_REQ_AUTHENTICATOR_CKSUM
    assert verify_checksum(key, usage, exchange.as_req, cksum.cksumtype, cksum.checksum)


@pytest.mark.parametrize(
    "more", [{"kdc_realm": "OTHER.EXAMPLE.COM"}, {"kdc_name": PrincipalName(2, ("cifs", "files"))}]
)
def test_a_request_for_another_kdc(more: dict[str, object]) -> None:
    assert refused(smart().ask(padata(more=more))) is Code.KDC_ERR_KDC_NAME_MISMATCH


def test_a_wrong_clock() -> None:
    late = padata(more={"ctime": FileTime(NOW - 3600 * TICKS_PER_S)})
    assert refused(smart().ask(late)) is Code.KRB_AP_ERR_SKEW


def test_it_cannot_be_fresh() -> None:
    assert refused(smart(fresh=True).ask(padata())) is Code.KDC_ERR_PREAUTH_FAILED


def test_the_certificate_is_judged_all_the_same() -> None:
    stranger = Card(ISSUER.fulfil("mallory", Wish(key=RSA_KEY, when=WHEN, sid="S-1-5-21-9-9-9-9")))
    assert refused(smart().ask(padata(stranger))) is Code.KDC_ERR_CERTIFICATE_MISMATCH
