"""Armored requests through the whole service: whom the armor's ticket means in the directory."""

import asyncio
from dataclasses import replace

import pytest

from addc.base.clock import FileTime
from addc.codec.ids import Sid
from addc.codec.krb5 import AsRep, EncAsRepPart, EncTgsRepPart, KdcReqBody, PaData, TgsRep
from addc.codec.krb5_numbers import PaType, TicketFlags
from addc.codec.pac import Pac, PacType, unpack_device_info
from addc.codes.krb_error import KrbErrorCode as Code
from addc.kdc.lookup import realm_facts
from addc.kdc.policy import KdcPolicy
from addc.kdc.service import KdcService
from addc.kdc.ticket_pac import find_pac
from addc.security.krb_keys import KeyUsage, decrypt
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import CountingRng
from tests.kit.fast_client import (
    Armor,
    ArmoredTicket,
    armored_as_req,
    challenge,
    fast_response,
    inner_error,
    remade,
    strengthened,
)
from tests.kit.kdc_corp import REALM, KdcCorp, code_of, service_name
from tests.kit.kdc_realm import Client, Ticketed, client_name, make_key, timestamp
from tests.kit.partner import FOREST, PARTNER_SID, PartnerTicket, info, trust_with

PASSWORD = "Tr0ub4dor&3"
FILES = "cifs/files.corp.example.com"


@pytest.fixture
def kdc(corp_sqlite: Corp) -> KdcCorp:
    for name in ("joe", "box"):
        corp_sqlite.user(name, PASSWORD)
    corp_sqlite.user(
        "files", PASSWORD, servicePrincipalName=FILES, **{"msDS-SupportedEncryptionTypes": str(0x20018)}
    )
    return KdcCorp(corp_sqlite)


def armor(kdc: KdcCorp) -> Armor:
    return Armor(kdc.log_on("box", kdc.key("box", PASSWORD)))


def as_req(kdc: KdcCorp, by: Armor, *padata: PaData, **more: object) -> bytes:
    return armored_as_req(by, kdc.now, padata, kdc.body(client_name("joe"), **more)).pack()


def proof(kdc: KdcCorp, by: Armor, password: str = PASSWORD) -> PaData:
    return challenge(by.key, kdc.key("joe", password), kdc.now)


def answered(kdc: KdcCorp, data: bytes) -> bytes:
    reply = asyncio.run(kdc.service.answer(data, "test"))
    assert reply is not None
    return reply


def logged_on(kdc: KdcCorp, by: Armor, data: bytes) -> Ticketed:
    assert code_of(data) == Code.KDC_ERR_NONE, code_of(data).name
    reply = AsRep.unpack(data)
    key = strengthened(fast_response(reply.padata, by.key), kdc.key("joe", PASSWORD))
    part = EncAsRepPart.unpack(decrypt(key, KeyUsage.AS_REP_ENC_PART, reply.enc_part.cipher))
    return Ticketed(client_at(kdc), reply.ticket, part, reply.cname, reply.crealm)


def client_at(kdc: KdcCorp) -> Client:
    client = Client()
    client.now = kdc.now
    return client


def test_from_password_to_service_ticket_in_armor(kdc: KdcCorp) -> None:
    by = armor(kdc)
    assert code_of(answered(kdc, as_req(kdc, by))) == Code.KDC_ERR_PREAUTH_REQUIRED
    tgt = logged_on(kdc, by, answered(kdc, as_req(kdc, by, proof(kdc, by))))
    got = service_ticket(kdc, ArmoredTicket(tgt))
    assert got.cname == client_name("joe")
    assert pac_of(kdc, got).get(PacType.DEVICE_INFO) is None
    compound = service_ticket(kdc, ArmoredTicket(tgt, by))
    device = unpack_device_info(pac_of(kdc, compound).get(PacType.DEVICE_INFO) or b"")
    assert device.account_domain_id == kdc.directory.forest.domain_sid


def service_ticket(kdc: KdcCorp, by: ArmoredTicket) -> Ticketed:
    till = FileTime(kdc.now + 36_000_000_000)
    request = by.tgs_req(realm=REALM, sname=service_name(FILES), till=till)
    data = answered(kdc, request.raw)
    assert code_of(data) == Code.KDC_ERR_NONE, code_of(data).name
    reply = TgsRep.unpack(data)
    key = strengthened(fast_response(reply.padata, by.key), by.subkey)
    part = EncTgsRepPart.unpack(decrypt(key, KeyUsage.TGS_REP_ENC_PART_SUBKEY, reply.enc_part.cipher))
    return Ticketed(client_at(kdc), reply.ticket, part, reply.cname, reply.crealm)


def pac_of(kdc: KdcCorp, ticket: Ticketed) -> Pac:
    inside = ticket.opened(kdc.key("files", PASSWORD))
    return Pac.unpack(find_pac(inside.authorization_data) or b"")


def test_wrong_passwords_in_armor_lock_the_account_out(kdc: KdcCorp) -> None:
    """Guesses count the same whatever is around them."""
    kdc.corp.modify("", replace_values("lockoutThreshold", "3"))
    by = armor(kdc)
    for _ in range(3):
        data = answered(kdc, as_req(kdc, by, proof(kdc, by, "guess")))
        assert code_of(data) == Code.KDC_ERR_PREAUTH_FAILED
    data = answered(kdc, as_req(kdc, by, proof(kdc, by)))
    assert code_of(data) == Code.KDC_ERR_CLIENT_REVOKED
    inner, _ = inner_error(data, by.key)
    assert inner.error_code == Code.KDC_ERR_CLIENT_REVOKED


def test_a_disabled_devices_armor_is_refused_at_once(kdc: KdcCorp) -> None:
    by = armor(kdc)
    kdc.corp.modify("CN=box,CN=Users", replace_values("userAccountControl", "514"))
    data = answered(kdc, as_req(kdc, by, proof(kdc, by)))
    assert code_of(data) == Code.KDC_ERR_CLIENT_REVOKED


def test_a_ticket_of_a_service_is_no_armor(kdc: KdcCorp) -> None:
    own = kdc.log_on("joe", kdc.key("joe", PASSWORD))
    ticket = service_ticket(kdc, ArmoredTicket(own))
    by = Armor(ticket)
    assert code_of(answered(kdc, as_req(kdc, by))) == Code.KDC_ERR_POLICY


# --- armor from elsewhere -------------------------------------------------------------------------


def test_armor_of_a_trusted_realms_device(kdc: KdcCorp) -> None:
    """RFC 6113 5.4.1.1: any ticket for this realm's TGS; the PAC in it is filtered ([MS-PAC] 4.1.2.2)."""
    trust_with(kdc.corp, FOREST)
    by = Armor(PartnerTicket(kdc.now, info(extra=(kdc.directory.forest.domain_sid.child(512),))).made())
    tgt = logged_on(kdc, by, answered(kdc, as_req(kdc, by, proof(kdc, by))))
    ticket = service_ticket(kdc, ArmoredTicket(tgt, by))
    device = unpack_device_info(pac_of(kdc, ticket).get(PacType.DEVICE_INFO) or b"")
    assert (device.account_domain_id, device.user_id) == (PARTNER_SID, 1105)
    domains: set[Sid | None] = {one.domain_id for one in device.domain_group or ()}
    assert kdc.directory.forest.domain_sid not in domains


def test_armor_of_a_realm_that_nobody_trusts_is_refused(kdc: KdcCorp) -> None:
    by = Armor(PartnerTicket(kdc.now, info()).made())
    assert code_of(answered(kdc, as_req(kdc, by))) == Code.KRB_AP_ERR_NOT_US


def test_armor_that_a_trusted_realm_did_not_make_is_refused(kdc: KdcCorp) -> None:
    trust_with(kdc.corp, FOREST)
    forged = Armor(PartnerTicket(kdc.now, info()).made(key=make_key(18, "forged")))
    assert code_of(answered(kdc, as_req(kdc, forged))) == Code.KRB_AP_ERR_MODIFIED
    signed = Armor(PartnerTicket(kdc.now, info()).made(signer=make_key(18, "forged")))
    assert code_of(answered(kdc, as_req(kdc, signed))) == Code.KRB_AP_ERR_MODIFIED


def test_armor_of_nobodys_ticket_is_of_no_device(kdc: KdcCorp) -> None:
    """RFC 8062 4: what an anonymous ticket is for. It has no PAC."""
    by = Armor(nobody(kdc, int(TicketFlags.ANONYMOUS)))
    tgt = logged_on(kdc, by, answered(kdc, as_req(kdc, by, proof(kdc, by))))
    ticket = service_ticket(kdc, ArmoredTicket(tgt, by))
    assert pac_of(kdc, ticket).get(PacType.DEVICE_INFO) is None
    bare = Armor(nobody(kdc, 0))
    assert code_of(answered(kdc, as_req(kdc, bare))) == Code.KDC_ERR_TGT_REVOKED


def nobody(kdc: KdcCorp, flags: int) -> Ticketed:
    """box's ticket without its PAC."""
    own = kdc.log_on("box", kdc.key("box", PASSWORD))
    realm = kdc.corp.read(realm_facts)
    assert realm is not None
    key = realm.krbtgt.keys.current[18]
    part = own.opened(key)
    return remade(own, replace(part, flags=part.flags | flags, authorization_data=None), key)


# --- who comes without ----------------------------------------------------------------------------


def test_where_armor_is_required_it_is(kdc: KdcCorp) -> None:
    """[MS-KILE] 3.3.5.1."""
    by = armor(kdc)
    policy = KdcPolicy(require_fast=True)
    kdc.service = KdcService(kdc.directory, kdc.clock, CountingRng(b"strict"), policy)
    plain = kdc.as_req(client_name("joe"), timestamp(kdc.key("joe", PASSWORD), kdc.now))
    assert code_of(answered(kdc, plain)) == Code.KDC_ERR_PREAUTH_REQUIRED
    assert logged_on(kdc, by, answered(kdc, as_req(kdc, by, proof(kdc, by))))


def test_an_outer_body_may_say_anything(kdc: KdcCorp) -> None:
    """A till before the year 1601, as Samba's tests send it to Windows."""
    by = armor(kdc)
    outer: KdcReqBody = kdc.body(client_name("joe"), till=FileTime(0))
    raw = armored_as_req(by, kdc.now, (), kdc.body(client_name("joe")), outer).pack()
    assert b"16010101000000Z" in raw
    spoiled = raw.replace(b"16010101000000Z", b"15000101000000Z")
    assert code_of(answered(kdc, spoiled)) == Code.KRB_AP_ERR_MODIFIED


def test_a_tgs_request_may_ask_for_enc_pa_rep(kdc: KdcCorp) -> None:
    """RFC 6806 11, [MS-KILE] 6 note 38."""
    tgt = kdc.log_on("joe", kdc.key("joe", PASSWORD))
    by = ArmoredTicket(tgt)
    till = FileTime(kdc.now + 36_000_000_000)
    asked = PaData(int(PaType.PA_REQ_ENC_PA_REP))
    request = by.tgs_req(asked, realm=REALM, sname=service_name(FILES), till=till)
    reply = TgsRep.unpack(answered(kdc, request.raw))
    inside = Ticketed(client_at(kdc), reply.ticket, tgt.part, tgt.cname, tgt.crealm)
    assert inside.opened(kdc.key("files", PASSWORD)).flags & TicketFlags.ENC_PA_REP
    assert not service_ticket(kdc, by).part.flags & TicketFlags.ENC_PA_REP
