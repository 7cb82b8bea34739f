"""Freshness tokens: offered to who knows them, and every token that is refused. RFC 8070."""

from dataclasses import replace

import pytest

from addc.base.clock import FileTime
from addc.codec.krb5 import AsReq, EncryptedData, PaData, PaEncTsEnc
from addc.codec.krb5_numbers import PaType
from addc.codes.krb_error import KrbErrorCode as Code
from addc.kdc.as_exchange import answer_as_req
from addc.kdc.facts import AsFacts, KdcRequest, Outcome
from addc.kdc.pkinit_freshness import make_token
from addc.security.krb_keys import KeyUsage, decrypt
from tests.kit.kdc_realm import ALICE, FACTS, GROUPS, KRBTGT, NOW, Client, SeededRng, method_data, timestamp
from tests.kit.pkinit_client import Card, PkinitClient
from tests.kit.pkinit_realm import ALICES, POLICY, RULES, Smart
from tests.unit.kdc.test_pkinit import extra_sids, refused

MINUTE = 60 * 10_000_000
WANTS_IT = PaData(int(PaType.PA_AS_FRESHNESS), b"")


def token(off: int = 0, key_of: object = KRBTGT) -> bytes:
    return make_token(key_of, POLICY, FileTime(int(NOW) + off), SeededRng())  # type: ignore[arg-type]


def smart(value: bytes | None, **rules: object) -> Smart:
    client = PkinitClient(Card(ALICES), token=value)
    return Smart(client, rules=replace(RULES, **rules))  # type: ignore[arg-type]


def ask(*padata: PaData) -> Outcome:
    message = AsReq(padata=padata or None, req_body=Client().body())
    facts = AsFacts(FACTS, ALICE, KRBTGT, GROUPS)
    return answer_as_req(KdcRequest(message.pack(), message), facts, POLICY, NOW, SeededRng())


def test_the_token_is_the_time_under_krbtgts_key() -> None:
    """Two zero octets, then EncryptedData of PA-ENC-TS-ENC with key usage 60."""
    value = method_data(ask(WANTS_IT))[int(PaType.PA_AS_FRESHNESS)]
    assert value[:2] == bytes(2)
    data = EncryptedData.unpack(value[2:])
    assert (data.etype, data.kvno) == (18, KRBTGT.keys.kvno)
    stamp = PaEncTsEnc.unpack(decrypt(KRBTGT.keys.current[18], KeyUsage.AS_FRESHNESS, data.cipher))
    assert abs(stamp.patimestamp - NOW) < 10_000_000


def test_it_is_offered_to_who_knows_it_and_not_under_an_old_form() -> None:
    """[RFC8070] 2.1; clients that know it are not offered PA-PK-AS-REP_OLD."""
    assert {16, 150} <= method_data(ask(WANTS_IT)).keys()
    assert 15 not in method_data(ask(WANTS_IT))
    plain = method_data(ask())
    assert {16, 15} <= plain.keys() and 150 not in plain
    assert list(plain)[:4] == [19, 2, 16, 15]


def test_a_token_that_comes_unasked_is_answered_by_another() -> None:
    assert 150 in method_data(ask(PaData(int(PaType.PA_AS_FRESHNESS), b"anything")))


def test_with_a_password_it_means_nothing() -> None:
    assert ask(WANTS_IT, timestamp(ALICE.keys.current[18])).error is Code.KDC_ERR_NONE


def test_a_fresh_proof_is_told_to_services() -> None:
    """S-1-18-3, FRESH_PUBLIC_KEY_IDENTITY."""
    assert "S-1-18-3" in extra_sids(smart(token()).log_on())
    assert "S-1-18-3" not in extra_sids(smart(None).log_on())


@pytest.mark.parametrize("off", [-6 * MINUTE, 6 * MINUTE])
def test_a_token_of_another_time(off: int) -> None:
    """[RFC8070] 2.3: KDC_ERR_PREAUTH_EXPIRED comes with a new token."""
    outcome = smart(token(off)).ask()
    assert refused(outcome) is Code.KDC_ERR_PREAUTH_EXPIRED
    assert smart(method_data(outcome)[150]).log_on().key.etype == 18


@pytest.mark.parametrize(
    "value", [b"", b"\0\0", b"A genuine token", b"@@" + token()[2:], token()[:-1] + b"\0"],
    ids=["empty", "no data", "text", "another head", "changed"],
)  # fmt: skip
def test_a_token_that_is_none(value: bytes) -> None:
    assert refused(smart(value).ask()) is Code.KRB_AP_ERR_MODIFIED


def test_a_token_under_a_key_that_is_not_krbtgts() -> None:
    """That of a read-only DC, by its key version."""
    other = replace(KRBTGT, keys=replace(KRBTGT.keys, kvno=0x0003_0001))
    assert refused(smart(token(key_of=other)).ask()) is Code.KDC_ERR_PREAUTH_FAILED


def test_a_missing_token_where_one_is_demanded() -> None:
    assert refused(smart(None, fresh=True).ask()) is Code.KDC_ERR_PREAUTH_FAILED
    assert smart(token(), fresh=True).log_on().key.etype == 18
