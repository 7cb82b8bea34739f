"""TGS requests inside FAST: by their own subkey, by a device's ticket too, and every way to be refused."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from addc.base.clock import HOUR_FT, FileTime
from addc.codec.krb5 import (
    AuthorizationData,
    AuthorizationDataEntry,
    Checksum,
    KdcReqBody,
    KrbError,
    KrbFastArmor,
    PaData,
    PaPacOptions,
    TgsReq,
)
from addc.codec.krb5_numbers import FastOptions, KdcOptions, PaType
from addc.codes.krb_error import KrbErrorCode as Code
from addc.kdc.facts import KdcRequest, Outcome, TgsFacts
from addc.kdc.principal_names import ANONYMOUS
from addc.security.krb_keys import KeyUsage, verify_checksum
from tests.kit.fast_client import (
    FX_FAST,
    WS1,
    Armor,
    ArmoredTicket,
    Granted,
    inner_error,
    refused_in_the_open,
    remade,
    sealed,
)
from tests.kit.kdc_realm import (
    ALICE,
    CIFS_NAME,
    FILES,
    KRBTGT,
    NOW,
    TGS_NAME,
    Client,
    Ticketed,
    ad,
    client_name,
    error_of,
    make_key,
    principal,
)

TGT_KEY = KRBTGT.keys.current[18]
FILES_KEY = FILES.keys.current[18]
COOKIE = int(PaType.PA_FX_COOKIE)
ARMOR_MARK, USED_MARK = 71, 72


@pytest.fixture(scope="module")
def tgt() -> Ticketed:
    return Client().log_on()


@pytest.fixture(scope="module")
def device() -> Armor:
    return Armor(Client(WS1).log_on())


@pytest.fixture
def desk(tgt: Ticketed) -> ArmoredTicket:
    return ArmoredTicket(tgt)


@pytest.fixture
def compound(tgt: Ticketed, device: Armor) -> ArmoredTicket:
    return ArmoredTicket(tgt, replace(device))


def facts(desk: ArmoredTicket, **more: object) -> TgsFacts:
    armor = WS1 if desk.device is not None else None
    return desk.ticket.facts(**{"armor": armor, **more})  # type: ignore[arg-type]


def ask(desk: ArmoredTicket, *padata: PaData, **more: object) -> Outcome:
    return desk.ticket.send(desk.tgs_req(*padata, **more), facts(desk))  # type: ignore[arg-type]


def get(desk: ArmoredTicket, *padata: PaData, **more: object) -> Granted:
    return desk.received(ask(desk, *padata, **more))


def refused(outcome: Outcome, desk: ArmoredTicket) -> tuple[Code, dict[int, bytes]]:
    inner, found = inner_error(outcome.reply, desk.key)
    assert inner.error_code == error_of(outcome).error_code
    assert found.pop(COOKIE) == b"Microsoft"
    return outcome.error, found


# --- granting -------------------------------------------------------------------------------------


def test_a_ticket_in_armor(desk: ArmoredTicket) -> None:
    got = get(desk)
    assert got.ticketed.opened(FILES_KEY).cname == client_name("alice")
    assert [one.padata_type for one in got.reply.padata or ()] == [FX_FAST]
    assert got.response.padata == ()
    finished = got.response.finished
    assert finished is not None and finished.cname == client_name("alice")
    cksum = finished.ticket_checksum
    packed = got.reply.ticket.pack()
    assert verify_checksum(desk.key, KeyUsage.FAST_FINISHED, packed, cksum.cksumtype, cksum.checksum)
    assert got.key != desk.subkey


def test_explicit_armor_adds_the_device(compound: ArmoredTicket) -> None:
    """[MS-KILE] 3.3.5.7.4: a key that comes of both tickets."""
    assert get(compound).ticketed.opened(FILES_KEY).cname == client_name("alice")
    assert compound.key != ArmoredTicket(compound.ticket).key


def test_the_inner_body_takes_the_place_of_the_outer(desk: ArmoredTicket) -> None:
    outer = {"realm": "TEST", "nonce": 1, "kdc_options": 0xFFFF_8000, "sname": None, "till": FileTime(0)}
    got = get(desk, outer=outer, nonce=5)
    assert (got.ticketed.part.nonce, got.ticketed.part.sname, got.response.nonce) == (5, CIFS_NAME, 5)


def test_padata_counts_inside_only(desk: ArmoredTicket) -> None:
    options = PaData(int(PaType.PA_PAC_OPTIONS), PaPacOptions(1 << 31).pack())
    told = get(desk, options, kdc_options=0).ticketed.part.encrypted_pa_data
    assert told == (options,)
    request = desk.tgs_req(kdc_options=0)
    message = replace(request.message, padata=(*(request.message.padata or ()), options))
    outcome = desk.ticket.send(KdcRequest(message.pack(), message))
    assert desk.received(outcome).ticketed.part.encrypted_pa_data is None


def test_names_are_hidden_when_asked_for(desk: ArmoredTicket) -> None:
    desk.options = int(FastOptions.HIDE_CLIENT_NAMES)
    got = get(desk)
    assert (got.reply.cname, got.ticketed.cname) == (ANONYMOUS, client_name("alice"))
    outcome = ask(desk, sname=None)
    assert KrbError.unpack(outcome.reply).cname == ANONYMOUS


def test_refusals_come_in_armor(desk: ArmoredTicket) -> None:
    for outcome, code in (
        (ask(desk, sname=None), Code.KDC_ERR_S_PRINCIPAL_UNKNOWN),
        (ask(desk, etype=()), Code.KDC_ERR_ETYPE_NOSUPP),
        (ask(desk, kdc_options=int(KdcOptions.ENC_TKT_IN_SKEY)), Code.KDC_ERR_BADOPTION),
    ):
        assert refused(outcome, desk) == (code, {})


def test_user_to_user_in_armor(desk: ArmoredTicket) -> None:
    """The second ticket is the inner body's."""
    options = int(KdcOptions.ENC_TKT_IN_SKEY)
    other = Client(FILES).log_on()
    request = desk.tgs_req(kdc_options=options, additional_tickets=(other.ticket,), outer={"kdc_options": 0})
    got = desk.received(desk.ticket.send(request, facts(desk, second=FILES)))
    assert got.ticketed.opened(other.session).cname == client_name("alice")


def test_a_tgt_by_a_tgt_in_armor(desk: ArmoredTicket) -> None:
    options = int(KdcOptions.FORWARDED | KdcOptions.FORWARDABLE)
    request = desk.tgs_req(sname=TGS_NAME, kdc_options=options)
    got = desk.received(desk.ticket.send(request, facts(desk, server=KRBTGT)))
    assert got.ticketed.opened(TGT_KEY).cname == client_name("alice")


# --- the armor ------------------------------------------------------------------------------------


def test_without_subkey_there_is_no_armor(desk: ArmoredTicket, compound: ArmoredTicket) -> None:
    """RFC 6113 5.4.2."""
    for one in (desk, compound):
        assert refused_in_the_open(ask(one, with_subkey=False)) == Code.KDC_ERR_PREAUTH_FAILED


@pytest.mark.parametrize(
    ("armor", "code"),
    [
        (KrbFastArmor(2, b""), Code.KDC_ERR_PREAUTH_FAILED),
        (KrbFastArmor(1, b""), Code.KRB_ERR_GENERIC),
    ],
)
def test_other_armor_is_refused(desk: ArmoredTicket, armor: KrbFastArmor, code: Code) -> None:
    assert refused_in_the_open(ask(desk, inner={"armor": armor})) == code


def test_explicit_armor_needs_its_subkey(compound: ArmoredTicket, device: Armor) -> None:
    stripped = replace(device, subkey=None).value(NOW)
    assert refused_in_the_open(ask(compound, inner={"armor": stripped})) == Code.KDC_ERR_PREAUTH_FAILED


def test_a_device_that_may_not_log_on_is_no_armor(compound: ArmoredTicket) -> None:
    disabled = replace(WS1, standing=replace(WS1.standing, disabled=True))
    for armor, code in (
        (disabled, Code.KDC_ERR_CLIENT_REVOKED),
        (None, Code.KDC_ERR_TGT_REVOKED),
        (principal("WS1$", 1999, 0x1000), Code.KDC_ERR_TGT_REVOKED),
    ):
        outcome = compound.ticket.send(compound.tgs_req(), facts(compound, armor=armor))
        assert refused(outcome, compound) == (code, {})


def test_an_expired_device_ticket_is_no_armor(compound: ArmoredTicket) -> None:
    later = replace(compound.ticket.client, now=FileTime(NOW + 9 * HOUR_FT))
    assert compound.device is not None
    short = Client(WS1).log_on(till=FileTime(NOW + HOUR_FT))
    compound.ticket, compound.device = replace(compound.ticket, client=later), Armor(short)
    assert refused_in_the_open(ask(compound)) == Code.KRB_AP_ERR_TKT_EXPIRED


def test_the_device_alone_or_the_client_alone_makes_no_compound_key(compound: ArmoredTicket) -> None:
    assert compound.device is not None
    for key in (compound.device.key, ArmoredTicket(compound.ticket).key):
        outcome = ask(compound, inner={"key": key})
        assert refused_in_the_open(outcome) == Code.KRB_AP_ERR_BAD_INTEGRITY


# --- the protection -------------------------------------------------------------------------------


def test_armor_of_another_request_is_refused(desk: ArmoredTicket) -> None:
    """RFC 6113 5.4.2: req-checksum is over the AP-REQ, which is of this body."""
    first, second = desk.tgs_req(), desk.tgs_req(authenticator={"cusec": 1})
    taken = (second.message.padata or ())[0], (first.message.padata or ())[1]
    message = TgsReq(padata=taken, req_body=second.message.req_body)
    outcome = desk.ticket.send(KdcRequest(message.pack(), message))
    assert refused_in_the_open(outcome) == Code.KRB_AP_ERR_MODIFIED


def test_another_body_around_the_armor_is_refused(desk: ArmoredTicket) -> None:
    request = desk.tgs_req()
    body: KdcReqBody = replace(request.message.req_body, nonce=7)
    message = replace(request.message, req_body=body)
    outcome = desk.ticket.send(KdcRequest(message.pack(), message))
    assert refused_in_the_open(outcome) == Code.KRB_AP_ERR_MODIFIED


@pytest.mark.parametrize(
    ("cksum", "code"),
    [
        (Checksum(16, bytes(12)), Code.KRB_AP_ERR_MODIFIED),
        (Checksum(7, bytes(16)), Code.KDC_ERR_POLICY),
        (Checksum(-138, bytes(16)), Code.KRB_AP_ERR_INAPP_CKSUM),
    ],
)
def test_only_the_armor_keys_own_checksum_counts(desk: ArmoredTicket, cksum: Checksum, code: Code) -> None:
    assert refused_in_the_open(ask(desk, inner={"cksum": cksum})) == code


def test_a_request_under_another_key_is_refused(desk: ArmoredTicket) -> None:
    for key in (desk.subkey, desk.ticket.session, make_key(18, "wrong")):
        assert refused_in_the_open(ask(desk, inner={"enc_key": key})) == Code.KRB_AP_ERR_BAD_INTEGRITY


def test_unknown_critical_options_are_refused(desk: ArmoredTicket) -> None:
    desk.options = 1 << 29
    assert refused_in_the_open(ask(desk)) == Code.KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS


def test_armor_in_armor_is_refused(desk: ArmoredTicket) -> None:
    nested = (desk.tgs_req().message.padata or ())[1]
    assert refused_in_the_open(ask(desk, nested)) == Code.KDC_ERR_PREAUTH_FAILED


# --- what the authenticator and the ticket say of FAST --------------------------------------------


def wrapped(kind: int, *entries: AuthorizationDataEntry) -> AuthorizationDataEntry:
    return ad(kind, AuthorizationData(entries).pack())


Nest = Callable[[AuthorizationDataEntry], AuthorizationDataEntry]
NESTED: list[Nest] = [
    lambda entry: entry,
    lambda entry: wrapped(1, entry),
    lambda entry: wrapped(8, ad(9, b""), wrapped(1, entry)),
]


@pytest.mark.parametrize("nest", NESTED)
def test_an_armor_that_was_taken_away_is_missed(tgt: Ticketed, nest: Nest) -> None:
    """RFC 6113 5.4.2: AD-fx-fast-used without PA-FX-FAST."""
    said: dict[str, object] = {"authorization_data": (nest(ad(USED_MARK, b"")),)}
    subkey = make_key(18, "subkey")
    outcome = tgt.send(tgt.tgs_req(subkey=subkey, authenticator=said))
    assert refused_in_the_open(outcome) == Code.KRB_AP_ERR_MODIFIED
    assert tgt.send(tgt.tgs_req(subkey=subkey)).error == Code.KDC_ERR_NONE
    assert ask(ArmoredTicket(tgt), authenticator=said).error == Code.KDC_ERR_NONE


@pytest.mark.parametrize("nest", NESTED)
def test_what_is_for_armor_asks_for_no_ticket(desk: ArmoredTicket, nest: Nest) -> None:
    """RFC 6113 5.4.1.1: AD-fx-fast-armor in the authenticator."""
    said: dict[str, object] = {"authorization_data": (nest(ad(ARMOR_MARK, b"")),)}
    assert refused_in_the_open(ask(desk, authenticator=said)) == Code.KRB_AP_ERR_BAD_INTEGRITY
    plain = desk.ticket.send(desk.ticket.tgs_req(authenticator=said))
    assert refused_in_the_open(plain) == Code.KRB_AP_ERR_BAD_INTEGRITY


def marked(ticket: Ticketed, kind: int) -> Ticketed:
    """The TGT with one more element of authorization data."""
    part = ticket.opened(TGT_KEY)
    data = (*(part.authorization_data or ()), ad(kind, b""))
    return remade(ticket, replace(part, authorization_data=data), TGT_KEY)


def test_a_ticket_for_armor_alone_is_armor_and_nothing_else(tgt: Ticketed) -> None:
    """RFC 6113 5.4.1.1: AD-fx-fast-armor in the ticket."""
    own = marked(tgt, ARMOR_MARK)
    assert refused_in_the_open(ask(ArmoredTicket(own))) == Code.KRB_AP_ERR_BAD_INTEGRITY
    assert refused_in_the_open(own.send(own.tgs_req())) == Code.KRB_AP_ERR_BAD_INTEGRITY
    shielded = ArmoredTicket(tgt, Armor(own))
    outcome = tgt.send(shielded.tgs_req(), facts(shielded, armor=ALICE))
    assert outcome.error == Code.KDC_ERR_NONE


def test_a_ticket_that_demands_armor_is_refused_without(tgt: Ticketed) -> None:
    own = marked(tgt, USED_MARK)
    assert refused_in_the_open(own.send(own.tgs_req())) == Code.KRB_AP_ERR_MODIFIED
    assert ask(ArmoredTicket(own)).error == Code.KDC_ERR_NONE


def test_services_may_be_told_of_armor(desk: ArmoredTicket) -> None:
    """The marks in enc-authorization-data are for the service's eyes."""
    elements = AuthorizationData((ad(ARMOR_MARK, b""),)).pack()
    data = sealed(desk.subkey, KeyUsage.TGS_REQ_AUTH_DATA_SUBKEY, elements)
    got = get(desk, enc_authorization_data=data)
    kinds = [one.ad_type for one in got.ticketed.opened(FILES_KEY).authorization_data or ()]
    assert ARMOR_MARK in kinds
