"""Tickets for nobody: only where the operator allows them, and good for nothing but armor. RFC 8062."""

from dataclasses import replace

import pytest

from addc.codec.krb5 import (
    AsRep,
    AsReq,
    EncAsRepPart,
    EncryptedData,
    EncryptionKey,
    KdcReqBody,
    PaData,
    PrincipalName,
    req_body_bytes,
)
from addc.codec.krb5_numbers import KdcOptions, NameType, PaType, TicketFlags
from addc.codes.krb_error import KrbErrorCode as Code
from addc.kdc.anonymous import ANONYMOUS_REALM
from addc.kdc.as_exchange import answer_as_req
from addc.kdc.facts import AsFacts, KdcRequest, Outcome, Principal
from addc.kdc.policy import KdcPolicy
from addc.security.krb_keys import Key, KeyUsage, cf2, decrypt
from addc.security.pkinit_keys import Exchange
from tests.kit.kdc_realm import (
    CIFS_NAME,
    FACTS,
    FILES,
    KRBTGT,
    NOW,
    REALM,
    Client,
    SeededRng,
    error_of,
    method_data,
)
from tests.kit.pkinit_client import Card, CurvePair, PkinitClient
from tests.kit.pkinit_realm import ALICES, POLICY, RULES

NOBODY = PrincipalName(int(NameType.KRB_NT_WELLKNOWN), ("WELLKNOWN", "ANONYMOUS"))
ALLOWING = replace(POLICY, pkinit=replace(RULES, anonymous=True))


def body(**more: object) -> KdcReqBody:
    base = replace(Client().body(), cname=NOBODY, kdc_options=int(KdcOptions.REQUEST_ANONYMOUS))
    return replace(base, **more)  # type: ignore[arg-type]


def send(
    what: KdcReqBody, *padata: PaData, policy: KdcPolicy = ALLOWING, server: Principal | None = KRBTGT
) -> tuple[Outcome, bytes]:
    raw = AsReq(padata=padata or None, req_body=what).pack()
    request = KdcRequest(raw, AsReq.unpack(raw))
    return answer_as_req(request, AsFacts(FACTS, None, server), policy, NOW, SeededRng()), raw


def padata(what: KdcReqBody, client: PkinitClient) -> PaData:
    return client.padata(req_body_bytes(AsReq(req_body=what).pack()), NOW)


def code(outcome: Outcome) -> Code:
    return Code(error_of(outcome).error_code)


def test_a_ticket_for_nobody() -> None:
    """[RFC8062] 3, 7: no PAC, the anonymous flag and realm; both sides made the session key."""
    client = PkinitClient(None, CurvePair(), kdfs=("1.3.6.1.5.2.3.6.2",))
    outcome, raw = send(body(), padata(body(), client))
    reply = AsRep.unpack(outcome.reply)
    found = {one.padata_type: one.padata_value for one in reply.padata or ()}
    exchange = Exchange(REALM, NOBODY, body().sname or NOBODY, raw, crealm=ANONYMOUS_REALM)
    key = client.reply_key(found[int(PaType.PA_PK_AS_REP)], reply.enc_part.etype, exchange)
    part = EncAsRepPart.unpack(decrypt(key, KeyUsage.AS_REP_ENC_PART, reply.enc_part.cipher))
    kx = EncryptedData.unpack(found[int(PaType.PA_PKINIT_KX)])
    ours = EncryptionKey.unpack(decrypt(key, KeyUsage.PA_PKINIT_KX, kx.cipher))
    session = cf2(Key(ours.keytype, ours.keyvalue), key, b"PKINIT", b"KEYEXCHANGE")
    assert part.key.keyvalue == session.value
    assert (reply.crealm, reply.cname) == (ANONYMOUS_REALM, NOBODY)
    assert part.flags == TicketFlags.INITIAL | TicketFlags.PRE_AUTHENT | TicketFlags.ANONYMOUS
    assert outcome.client is None


def test_off_by_default() -> None:
    """Windows has none."""
    assert code(send(body(), policy=POLICY)[0]) is Code.KDC_ERR_BADOPTION
    assert code(send(body(), policy=replace(POLICY, pkinit=None))[0]) is Code.KDC_ERR_BADOPTION


def test_how_to_get_one_is_told() -> None:
    outcome, _ = send(body())
    assert code(outcome) is Code.KDC_ERR_PREAUTH_REQUIRED
    assert {16, 147} <= method_data(outcome).keys() and 2 not in method_data(outcome)


def test_only_under_the_name_of_nobody() -> None:
    outcome, _ = send(body(cname=PrincipalName(1, ("alice",))))
    assert code(outcome) is Code.KDC_ERR_BADOPTION


def test_only_for_tickets_to_get_tickets() -> None:
    outcome, _ = send(body(sname=CIFS_NAME), server=FILES)
    assert code(outcome) is Code.KDC_ERR_POLICY


def test_nobody_has_no_signature() -> None:
    outcome, _ = send(body(), padata(body(), PkinitClient(Card(ALICES))))
    assert code(outcome) is Code.KDC_ERR_PREAUTH_FAILED


def test_no_key_packages_for_nobody() -> None:
    outcome, _ = send(body(), padata(body(), PkinitClient(None, None)))
    assert code(outcome) is Code.KDC_ERR_PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED


def test_the_request_cannot_be_changed() -> None:
    outcome, _ = send(body(), padata(body(nonce=7), PkinitClient(None)))
    assert code(outcome) is Code.KRB_AP_ERR_MODIFIED


@pytest.mark.parametrize("realm", ["OTHER.EXAMPLE.COM", ""])
def test_another_realm(realm: str) -> None:
    assert code(send(body(realm=realm))[0]) is Code.KDC_ERR_WRONG_REALM


def test_who_signs_nothing_is_nobody() -> None:
    """Without a signature there is no other name either."""
    request = Client().body()
    outcome, _ = send(request, padata(request, PkinitClient(None)))
    assert outcome.error is not Code.KDC_ERR_NONE
