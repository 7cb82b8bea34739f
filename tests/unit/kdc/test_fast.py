"""AS requests inside FAST: what opens an armor, what comes back in it, and every way to be refused."""

from dataclasses import replace

import pytest

from addc.base.clock import HOUR_FT, TICKS_PER_S, FileTime
from addc.codec.krb5 import (
    AsRep,
    AsReq,
    Checksum,
    EncryptedData,
    EncryptionKey,
    EtypeInfo2,
    KrbError,
    KrbFastArmor,
    PaData,
    PaEncTsEnc,
    PrincipalName,
    Ticket,
)
from addc.codec.krb5_numbers import FastOptions, NameType, PaType, TicketFlags
from addc.codes.krb_error import KrbErrorCode as Code
from addc.codes.ntstatus import NtStatus
from addc.kdc.facts import Counter, KdcRequest, Outcome
from addc.security.krb_keys import KeyUsage, cf2, decrypt, verify_checksum
from tests.kit.fast_client import (
    FX_FAST,
    WS1,
    Armor,
    ArmoredClient,
    challenge,
    fast_response,
    inner_error,
    refused_in_the_open,
    strengthened,
)
from tests.kit.kdc_realm import (
    ALICE,
    CHANGE_NAME,
    CIFS_NAME,
    FILES,
    KRBTGT,
    NOW,
    POLICY,
    REALM,
    TGS_NAME,
    Client,
    client_name,
    error_of,
    make_key,
    method_data,
    principal,
    timestamp,
)

ALICE_KEY = ALICE.keys.current[18]
COOKIE = int(PaType.PA_FX_COOKIE)
CHALLENGE = int(PaType.PA_ENCRYPTED_CHALLENGE)
ANONYMOUS = PrincipalName(int(NameType.KRB_NT_WELLKNOWN), ("WELLKNOWN", "ANONYMOUS"))


@pytest.fixture(scope="module")
def device() -> Armor:
    return Armor(Client(WS1).log_on())


@pytest.fixture
def desk(device: Armor) -> ArmoredClient:
    return ArmoredClient(armor=replace(device))


def refused(outcome: Outcome, desk: ArmoredClient) -> tuple[Code, dict[int, bytes]]:
    """The refusal inside the armor, checked to be what is told in the open."""
    outer = error_of(outcome)
    inner, found = inner_error(outcome.reply, desk.armor.key)
    assert inner.error_code == outer.error_code == outcome.error
    assert inner.e_data is None
    assert found.pop(COOKIE) == b"Microsoft"
    return outcome.error, found


# --- granting -------------------------------------------------------------------------------------


def test_an_unproved_request_is_told_of_the_challenge_alone(desk: ArmoredClient) -> None:
    """RFC 6113 5.4.6: the encrypted timestamp is not for use in armor."""
    code, offered = refused(desk.ask(), desk)
    assert code == Code.KDC_ERR_PREAUTH_REQUIRED
    assert list(offered) == [19, CHALLENGE]
    assert offered[CHALLENGE] == b""
    assert [one.etype for one in EtypeInfo2.unpack(offered[19]).entries] == [18, 17]


def test_a_challenge_gets_a_tgt_and_the_kdcs_own(desk: ArmoredClient) -> None:
    outcome = desk.ask(desk.challenge())
    assert outcome.counter is Counter.LOGON
    got = desk.received(outcome)
    assert got.ticketed.part.flags & TicketFlags.PRE_AUTHENT
    assert got.ticketed.opened(KRBTGT.keys.current[18]).cname == client_name("alice")
    assert got.reply.enc_part.kvno == 2
    inside = {one.padata_type: one.padata_value for one in got.response.padata}
    assert list(inside) == [19, CHALLENGE]
    data = EncryptedData.unpack(inside[CHALLENGE])
    made = cf2(desk.armor.key, ALICE_KEY, b"kdcchallengearmor", b"challengelongterm")
    when = PaEncTsEnc.unpack(decrypt(made, KeyUsage.ENC_CHALLENGE_KDC, data.cipher))
    assert (data.etype, when.patimestamp) == (18, NOW - NOW % TICKS_PER_S)
    assert when.pausec == NOW % TICKS_PER_S // 10


def test_the_reply_is_bound_to_its_ticket_and_request(desk: ArmoredClient) -> None:
    """RFC 6113 5.4.3: finished, nonce, strengthen-key. Heimdal's nonce is signed, and read unsigned."""
    assert desk.log_on(nonce=-5).response.nonce == 0xFFFF_FFFB
    got = desk.log_on(nonce=77)
    assert got.response.nonce == 77
    finished = got.response.finished
    assert finished is not None
    assert (finished.crealm, finished.cname) == (REALM, client_name("alice"))
    assert finished.timestamp == NOW - NOW % TICKS_PER_S
    cksum = finished.ticket_checksum
    assert cksum.cksumtype == 16
    ticket = got.reply.ticket.pack()
    key = desk.armor.key
    assert verify_checksum(key, KeyUsage.FAST_FINISHED, ticket, cksum.cksumtype, cksum.checksum)
    assert got.key != ALICE_KEY


def test_who_knows_the_password_alone_cannot_read_the_reply(desk: ArmoredClient) -> None:
    reply = AsRep.unpack(desk.ask(desk.challenge()).reply)
    assert [one.padata_type for one in reply.padata or ()] == [FX_FAST]
    with pytest.raises(Exception, match="integrity"):
        decrypt(ALICE_KEY, KeyUsage.AS_REP_ENC_PART, reply.enc_part.cipher)


@pytest.mark.parametrize("etype", [17, 18, 19, 20, 23])
def test_armor_keys_of_every_type(desk: ArmoredClient, etype: int) -> None:
    desk.armor = replace(desk.armor, subkey=make_key(etype, "other"))
    assert desk.armor.key.etype == etype
    assert desk.log_on().ticketed.cname == client_name("alice")


@pytest.mark.parametrize("etype", [17, 20])
def test_the_password_is_tried_with_each_key_asked_for(desk: ArmoredClient, etype: int) -> None:
    """The challenge's etype is the armor's: it does not tell which of the account's keys was used."""
    asked = desk.challenge(ALICE.keys.current[etype])
    outcome = desk.ask(asked, etype=(18, etype))
    reply = AsRep.unpack(outcome.reply)
    assert reply.enc_part.etype == etype
    assert desk.ask(asked, etype=(18,)).error == Code.KDC_ERR_PREAUTH_FAILED


def test_a_reply_by_rc4_tells_of_no_salt(desk: ArmoredClient) -> None:
    desk.client = Client(replace(ALICE, supported_enctypes=0x4))
    outcome = desk.ask(desk.challenge(ALICE.keys.current[23]), etype=(18, 23))
    reply = AsRep.unpack(outcome.reply)
    inside = fast_response(reply.padata, desk.armor.key).padata
    assert (reply.enc_part.etype, [one.padata_type for one in inside]) == (23, [CHALLENGE])


def test_the_inner_body_takes_the_place_of_the_outer(desk: ArmoredClient) -> None:
    other = Client().body(realm="TEST", nonce=1, kdc_options=0xFFFF_8000, sname=None, till=FileTime(0))
    got = desk.log_on(outer=other, nonce=5)
    assert (got.ticketed.part.nonce, got.ticketed.part.sname) == (5, TGS_NAME)


def test_padata_outside_the_armor_does_nothing(desk: ArmoredClient) -> None:
    right = timestamp(ALICE_KEY)
    code, _ = refused(desk.ask(outer_padata=(right, desk.challenge())), desk)
    assert code == Code.KDC_ERR_PREAUTH_REQUIRED


def test_req_enc_pa_rep_covers_what_was_sent(desk: ArmoredClient) -> None:
    """RFC 6806 11: the checksum is over the outer request, with the strengthened key."""
    request = desk.as_req(desk.challenge(), PaData(int(PaType.PA_REQ_ENC_PA_REP)))
    got = desk.received(desk.send(request))
    told = {one.padata_type: one.padata_value for one in got.ticketed.part.encrypted_pa_data or ()}
    cksum = Checksum.unpack(told[149])
    assert verify_checksum(got.key, KeyUsage.AS_REQ, request.raw, cksum.cksumtype, cksum.checksum)
    assert told[FX_FAST] == b""


def test_names_are_hidden_when_asked_for(desk: ArmoredClient) -> None:
    """RFC 6113 5.4.2, hide-client-names: in the open, the client is anonymous."""
    desk.armor = replace(desk.armor, options=int(FastOptions.HIDE_CLIENT_NAMES))
    got = desk.log_on()
    assert (got.reply.cname, got.reply.crealm) == (ANONYMOUS, REALM)
    assert got.ticketed.cname == client_name("alice")
    outcome = desk.ask()
    assert KrbError.unpack(outcome.reply).cname == ANONYMOUS
    inner, _ = inner_error(outcome.reply, desk.armor.key)
    assert inner.cname is None


def test_following_referrals_is_no_concern(desk: ArmoredClient) -> None:
    desk.armor = replace(desk.armor, options=int(FastOptions.KDC_FOLLOW_REFERRALS))
    assert desk.log_on().ticketed.cname == client_name("alice")


def test_a_cookie_may_come_back_or_not(desk: ArmoredClient) -> None:
    assert desk.log_on(PaData(COOKIE, b"whatever")).ticketed.cname == client_name("alice")


def test_what_asks_for_the_session_key_is_ignored(desk: ArmoredClient) -> None:
    desk.armor = replace(desk.armor, ap_req={"ap_options": 1 << 30})
    assert desk.log_on().ticketed.cname == client_name("alice")


def test_armor_of_the_clients_own_ticket_will_do(desk: ArmoredClient) -> None:
    """RFC 6113 5.4.1.1 wants a TGT, not a machine's."""
    desk.device, desk.armor = ALICE, Armor(Client().log_on())
    assert desk.log_on().ticketed.cname == client_name("alice")


def test_a_password_change_may_be_armored(desk: ArmoredClient) -> None:
    outcome = desk.send(desk.as_req(desk.challenge(), sname=CHANGE_NAME))
    assert outcome.error == Code.KDC_ERR_NONE


def test_the_same_armor_twice_makes_two_replies(desk: ArmoredClient) -> None:
    """A request that is sent again tells whoever sends it nothing: only the client opens the reply."""
    request = desk.as_req(desk.challenge())
    first, second = (desk.received(desk.send(request)) for _ in range(2))
    assert first.ticketed.cname == second.ticketed.cname


# --- the password ---------------------------------------------------------------------------------


def test_a_wrong_password_counts(desk: ArmoredClient) -> None:
    outcome = desk.ask(desk.challenge(make_key(18, "guess")))
    code, found = refused(outcome, desk)
    assert code == Code.KDC_ERR_PREAUTH_FAILED
    assert (outcome.counter, outcome.status) == (Counter.BAD_PASSWORD, NtStatus.STATUS_WRONG_PASSWORD)
    assert outcome.client is ALICE
    assert 19 in found


def test_the_former_password_fails_without_counting(desk: ArmoredClient) -> None:
    outcome = desk.ask(desk.challenge(make_key(18, "alice-old")))
    assert outcome.error == Code.KDC_ERR_PREAUTH_FAILED
    assert outcome.counter is Counter.NONE


def test_the_kdcs_challenge_is_not_the_clients(desk: ArmoredClient) -> None:
    reflected = challenge(desk.armor.key, ALICE_KEY, pepper=b"kdcchallengearmor")
    outcome = desk.ask(reflected)
    assert (outcome.error, outcome.counter) == (Code.KDC_ERR_PREAUTH_FAILED, Counter.BAD_PASSWORD)


def test_a_challenge_of_another_armor_is_wrong(desk: ArmoredClient) -> None:
    taken = challenge(make_key(18, "another armor"), ALICE_KEY)
    assert desk.ask(taken).error == Code.KDC_ERR_PREAUTH_FAILED


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_challenge_of_another_time_is_refused(desk: ArmoredClient, minutes: int) -> None:
    """RFC 6113 5.4.6; Windows takes it."""
    code, _ = refused(desk.ask(desk.challenge(when=NOW + minutes * 60 * TICKS_PER_S)), desk)
    assert code == Code.KRB_AP_ERR_SKEW


def test_an_encrypted_timestamp_proves_nothing_in_armor(desk: ArmoredClient) -> None:
    """Windows answers as if it were not there."""
    code, offered = refused(desk.ask(timestamp(ALICE_KEY)), desk)
    assert code == Code.KDC_ERR_PREAUTH_REQUIRED
    assert CHALLENGE in offered and 2 not in offered


def test_a_challenge_without_armor_proves_nothing() -> None:
    value = challenge(make_key(18, "armor"), ALICE_KEY)
    outcome = Client().ask(value)
    assert (outcome.error, outcome.counter) == (Code.KDC_ERR_PREAUTH_REQUIRED, Counter.NONE)


def test_no_common_type_is_told_in_armor(desk: ArmoredClient) -> None:
    code, found = refused(desk.ask(desk.challenge(), etype=()), desk)
    assert (code, found) == (Code.KDC_ERR_ETYPE_NOSUPP, {})


def test_other_refusals_come_in_armor_without_their_status(desk: ArmoredClient) -> None:
    """Windows leaves the NTSTATUS out there."""
    desk.client = Client(replace(ALICE, standing=replace(ALICE.standing, disabled=True)))
    outcome = desk.ask(desk.challenge())
    code, found = refused(outcome, desk)
    assert (code, found) == (Code.KDC_ERR_CLIENT_REVOKED, {})
    assert outcome.status == NtStatus.STATUS_ACCOUNT_DISABLED


def test_a_request_without_a_service_is_refused_in_armor(desk: ArmoredClient) -> None:
    code, _ = refused(desk.ask(sname=None), desk)
    assert code == Code.KDC_ERR_S_PRINCIPAL_UNKNOWN


# --- the armor ------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [b"", b"\x30\x00", b"\xa1\x00"])
def test_what_is_no_armor_is_refused(value: bytes) -> None:
    assert refused_in_the_open(sent(PaData(FX_FAST, value))) == Code.KRB_ERR_GENERIC


def sent(*padata: PaData) -> Outcome:
    desk = ArmoredClient()
    message = AsReq(padata=padata, req_body=desk.client.body())
    return desk.send(KdcRequest(message.pack(), message))


def test_a_request_without_armor_ticket_is_refused(desk: ArmoredClient) -> None:
    outcome = desk.ask(inner={"armor": None})
    assert refused_in_the_open(outcome) == Code.KDC_ERR_PREAUTH_FAILED


@pytest.mark.parametrize("kind", [0, 2])
def test_unknown_armor_is_refused(desk: ArmoredClient, kind: int) -> None:
    desk.armor = replace(desk.armor, armor_type=kind)
    assert refused_in_the_open(desk.ask()) == Code.KDC_ERR_PREAUTH_FAILED


def test_an_armor_that_is_no_ap_req_is_refused(desk: ArmoredClient) -> None:
    assert refused_in_the_open(desk.ask(inner={"armor": KrbFastArmor(1, b"\0")})) == Code.KRB_ERR_GENERIC


def test_an_armor_without_subkey_is_refused(desk: ArmoredClient) -> None:
    desk.armor = replace(desk.armor, subkey=None)
    assert refused_in_the_open(desk.ask()) == Code.KDC_ERR_PREAUTH_FAILED


@pytest.mark.parametrize(
    ("ap_req", "code"),
    [({"pvno": 4}, Code.KRB_AP_ERR_BADVERSION), ({"msg_type": 15}, Code.KRB_AP_ERR_MSG_TYPE)],
)
def test_an_armor_of_another_kind_is_refused(
    desk: ArmoredClient, ap_req: dict[str, object], code: Code
) -> None:
    desk.armor = replace(desk.armor, ap_req=ap_req)
    assert refused_in_the_open(desk.ask()) == code


def test_the_armors_authenticator_is_of_its_ticket_and_of_now(desk: ArmoredClient) -> None:
    cases: list[tuple[dict[str, object], Code]] = [
        ({"cname": client_name("alice")}, Code.KRB_AP_ERR_BADMATCH),
        ({"crealm": "ELSEWHERE"}, Code.KRB_AP_ERR_BADMATCH),
        ({"ctime": FileTime(NOW - NOW % TICKS_PER_S - HOUR_FT)}, Code.KRB_AP_ERR_SKEW),
    ]
    for fields, code in cases:
        desk.armor = replace(desk.armor, authenticator=fields)
        assert refused_in_the_open(desk.ask()) == code


def test_an_authenticator_of_another_key_is_refused(desk: ArmoredClient) -> None:
    key = make_key(18, "another session")
    part = replace(desk.armor.device.part, key=EncryptionKey(18, key.value))
    stranger = replace(desk.armor.device, part=part)
    desk.armor = replace(desk.armor, device=stranger)
    assert refused_in_the_open(desk.ask()) == Code.KRB_AP_ERR_BAD_INTEGRITY


def test_a_service_ticket_is_no_armor() -> None:
    """RFC 6113 5.4.1.1; Windows takes it."""
    ticket = Client(WS1).log_on().get()
    desk = ArmoredClient(armor=Armor(ticket))
    assert refused_in_the_open(desk.ask()) == Code.KDC_ERR_POLICY
    renamed = replace(ticket, ticket=renamed_to_tgt(ticket.ticket))
    assert refused_in_the_open(ArmoredClient(armor=Armor(renamed)).ask()) == Code.KRB_AP_ERR_MODIFIED
    change = Client(WS1).log_on(server=KRBTGT, sname=CHANGE_NAME)
    assert refused_in_the_open(ArmoredClient(armor=Armor(change)).ask()) == Code.KDC_ERR_POLICY


def renamed_to_tgt(ticket: Ticket) -> Ticket:
    return replace(ticket, sname=TGS_NAME)


def test_armor_under_krbtgts_rc4_key_is_refused(desk: ArmoredClient) -> None:
    """As Windows does, without a word why."""
    device = desk.armor.device
    weak = replace(device.ticket, enc_part=replace(device.ticket.enc_part, etype=23))
    armored = ArmoredClient(armor=Armor(replace(device, ticket=weak)))
    assert refused_in_the_open(armored.ask()) == Code.KRB_ERR_GENERIC


def test_an_expired_armor_ticket_is_refused(desk: ArmoredClient) -> None:
    desk.client = replace(desk.client, now=FileTime(NOW + 11 * HOUR_FT))
    assert refused_in_the_open(desk.ask()) == Code.KRB_AP_ERR_TKT_EXPIRED


def test_an_armor_of_a_disabled_device_is_refused(desk: ArmoredClient) -> None:
    desk.device = replace(WS1, standing=replace(WS1.standing, disabled=True))
    code, _ = refused(desk.ask(desk.challenge()), desk)
    assert code == Code.KDC_ERR_CLIENT_REVOKED


def test_an_armor_of_an_account_that_is_gone_or_another_is_refused(desk: ArmoredClient) -> None:
    """[MS-PAC] 2.8.4: the PAC in the armor's ticket is of the account that its name means now."""
    for device in (None, principal("WS1$", 1999, 0x1000)):
        desk.device = device
        code, _ = refused(desk.ask(desk.challenge()), desk)
        assert code == Code.KDC_ERR_TGT_REVOKED


# --- the protection -------------------------------------------------------------------------------


def test_a_checksum_over_another_body_is_refused(desk: ArmoredClient) -> None:
    request = desk.as_req(desk.challenge())
    moved = replace(request.message, req_body=desk.client.body(nonce=1))
    outcome = desk.send(KdcRequest(moved.pack(), moved))
    assert refused_in_the_open(outcome) == Code.KRB_AP_ERR_MODIFIED


@pytest.mark.parametrize(
    ("cksum", "code"),
    [
        (Checksum(16, bytes(12)), Code.KRB_AP_ERR_MODIFIED),
        (Checksum(16, b""), Code.KRB_AP_ERR_MODIFIED),
        (Checksum(7, bytes(16)), Code.KDC_ERR_POLICY),
        (Checksum(1, bytes(4)), Code.KDC_ERR_POLICY),
        (Checksum(15, bytes(12)), Code.KRB_AP_ERR_INAPP_CKSUM),
        (Checksum(-138, bytes(16)), Code.KRB_AP_ERR_INAPP_CKSUM),
    ],
)
def test_only_the_armor_keys_own_checksum_counts(desk: ArmoredClient, cksum: Checksum, code: Code) -> None:
    """RFC 6113 5.4.2: req-checksum is keyed."""
    assert refused_in_the_open(desk.ask(inner={"cksum": cksum})) == code


def test_a_request_under_another_key_is_refused(desk: ArmoredClient) -> None:
    session = desk.armor.device.session
    for key in (make_key(18, "wrong"), session, desk.armor.subkey):
        outcome = desk.ask(inner={"enc_key": key})
        assert refused_in_the_open(outcome) == Code.KRB_AP_ERR_BAD_INTEGRITY


@pytest.mark.parametrize("bit", [0, *range(2, 16)])
def test_unknown_critical_options_are_refused(desk: ArmoredClient, bit: int) -> None:
    """RFC 6113 5.4.2."""
    desk.armor = replace(desk.armor, options=1 << 31 - bit)
    code = refused_in_the_open(desk.ask(desk.challenge()))
    assert code == Code.KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS


@pytest.mark.parametrize("bit", range(17, 32))
def test_other_unknown_options_are_ignored(desk: ArmoredClient, bit: int) -> None:
    desk.armor = replace(desk.armor, options=1 << 31 - bit)
    assert desk.ask(desk.challenge()).error == Code.KDC_ERR_NONE


def test_armor_in_armor_is_refused(desk: ArmoredClient) -> None:
    nested = desk.as_req(desk.challenge()).message.padata
    assert nested is not None
    assert refused_in_the_open(desk.ask(*nested)) == Code.KDC_ERR_PREAUTH_FAILED


# --- who comes without ----------------------------------------------------------------------------


def test_who_comes_without_armor_is_told_of_it() -> None:
    offered = method_data(Client().ask())
    assert (offered[FX_FAST], offered[COOKIE]) == (b"", b"Microsof\0")
    failed = method_data(Client().ask(timestamp(make_key(18, "wrong"))))
    assert FX_FAST not in failed and COOKIE not in failed


def test_where_armor_is_required_people_need_it(desk: ArmoredClient) -> None:
    """[MS-KILE] 3.3.5.1, ClaimsCompIdFASTSupport 3: computers do without."""
    strict = replace(POLICY, require_fast=True)
    plain = Client(policy=strict)
    outcome = plain.ask(timestamp(ALICE_KEY))
    assert (outcome.error, outcome.counter) == (Code.KDC_ERR_PREAUTH_REQUIRED, Counter.NONE)
    assert list(method_data(outcome)) == [FX_FAST, COOKIE]
    wrong = plain.ask(timestamp(make_key(18, "guess")))
    assert wrong.reply == outcome.reply
    desk.client = plain
    assert desk.log_on().ticketed.cname == client_name("alice")
    machine = Client(WS1, policy=strict)
    assert machine.log_on().cname == client_name("WS1$")


def test_where_armor_is_required_no_account_is_exempt() -> None:
    lax = replace(ALICE, flags=ALICE.flags | 0x40_0000)
    outcome = Client(lax, policy=replace(POLICY, require_fast=True)).ask()
    assert outcome.error == Code.KDC_ERR_PREAUTH_REQUIRED


def test_an_account_without_preauth_gets_a_strengthened_reply(desk: ArmoredClient) -> None:
    desk.client = Client(replace(ALICE, flags=ALICE.flags | 0x40_0000))
    got = desk.received(desk.ask())
    assert not got.ticketed.part.flags & TicketFlags.PRE_AUTHENT
    assert got.key == strengthened(got.response, ALICE_KEY)


def test_armored_requests_for_services(desk: ArmoredClient) -> None:
    outcome = desk.send(desk.as_req(desk.challenge(), sname=CIFS_NAME), FILES)
    assert desk.received(outcome).ticketed.opened(FILES.keys.current[18]).cname == client_name("alice")
