"""Tickets that are validated, renewed, or made with the wrong key: what becomes of them."""

from dataclasses import replace

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.codec.krb5 import EncTicketPart
from addc.codec.krb5_numbers import KdcOptions, NameType, TicketFlags
from addc.codes.krb_error import KrbErrorCode as Code
from addc.kdc.tickets import sealed
from addc.security.krb_keys import Key, KeyUsage
from tests.kit.kdc_realm import (
    CHANGE_NAME,
    FILES,
    KRBTGT,
    NOW,
    REALM,
    TGS_NAME,
    Client,
    SeededRng,
    Ticketed,
    client_name,
    principal,
)

TGT_KEY = KRBTGT.keys.current[18]
VALIDATE = int(KdcOptions.VALIDATE)
RENEW = int(KdcOptions.RENEW)
HOUR = 3600 * TICKS_PER_S


@pytest.fixture
def tgt() -> Ticketed:
    return Client().log_on()


def forged(tgt: Ticketed, key: Key = TGT_KEY, **more: object) -> Ticketed:
    """The same ticket, sealed with other contents by who knows a key of krbtgt."""
    part: EncTicketPart = replace(tgt.opened(TGT_KEY), **more)  # type: ignore[arg-type]
    data = sealed(key, KeyUsage.TICKET, part.pack(), SeededRng("forged"), KRBTGT.keys.kvno)
    return replace(tgt, ticket=replace(tgt.ticket, enc_part=data))


def invalid(tgt: Ticketed, **more: object) -> Ticketed:
    return forged(tgt, TGT_KEY, flags=tgt.opened(TGT_KEY).flags | TicketFlags.INVALID, **more)


def ask(ticket: Ticketed, options: int, **more: object) -> Code:
    request = ticket.tgs_req(sname=TGS_NAME, kdc_options=options, **more)  # type: ignore[arg-type]
    return ticket.send(request, ticket.facts(KRBTGT)).error


def test_an_invalid_ticket_is_good_for_its_validation_alone(tgt: Ticketed) -> None:
    """RFC 4120 3.3.3: the same ticket comes back, without the flag."""
    ticket = invalid(tgt)
    assert ask(ticket, 0) == Code.KRB_AP_ERR_TKT_NYV
    assert ask(ticket, RENEW) == Code.KRB_AP_ERR_TKT_NYV
    got = ticket.get(facts=ticket.facts(KRBTGT), sname=TGS_NAME, kdc_options=VALIDATE)
    before, after = tgt.opened(TGT_KEY), got.opened(TGT_KEY)
    assert after.flags == before.flags & ~(TicketFlags.INITIAL | TicketFlags.ENC_PA_REP)
    assert (after.endtime, after.renew_till) == (before.endtime, before.renew_till)
    assert after.authtime == before.authtime


def test_validation_waits_for_the_start(tgt: Ticketed) -> None:
    """RFC 4120 3.3.3: KRB_AP_ERR_TKT_NYV until then."""
    assert ask(invalid(tgt, starttime=FileTime(NOW + HOUR)), VALIDATE) == Code.KRB_AP_ERR_TKT_NYV


def test_validation_of_what_is_valid_or_for_another_service_is_refused(tgt: Ticketed) -> None:
    assert ask(tgt, VALIDATE) == Code.KDC_ERR_BADOPTION
    ticket = invalid(tgt)
    request = ticket.tgs_req(kdc_options=VALIDATE)
    assert ticket.send(request, ticket.facts(FILES)).error == Code.KDC_ERR_BADOPTION


@pytest.mark.parametrize("options", [RENEW, VALIDATE])
def test_service_tickets_are_neither_renewed_nor_validated(tgt: Ticketed, options: int) -> None:
    """Nor do they stand for a TGT otherwise."""
    service = tgt.get()
    assert ask(service, options) == Code.KDC_ERR_POLICY
    assert ask(service, 0) == Code.KRB_AP_ERR_NOT_US


def test_krbtgts_nt_hash_makes_no_ticket(tgt: Ticketed) -> None:
    """Its RC4 key is stored with every other password's; no TGT was ever made with it."""
    assert ask(forged(tgt, KRBTGT.keys.current[23]), 0) == Code.KRB_AP_ERR_BADKEYVER


def test_krbtgts_former_key_opens_and_the_one_before_does_not(tgt: Ticketed) -> None:
    """One roll leaves live tickets alone; nobody has the key of two rolls ago."""
    _, old = KRBTGT.keys.old[0]
    part = tgt.opened(TGT_KEY)
    for kvno, code in ((1, Code.KRB_AP_ERR_MODIFIED), (0, Code.KRB_AP_ERR_BADKEYVER)):
        data = sealed(old[18], KeyUsage.TICKET, part.pack(), SeededRng("old"), kvno or 7)
        ticket = replace(tgt, ticket=replace(tgt.ticket, enc_part=data))
        assert ask(ticket, 0) == code, kvno  # opened, but its PAC is signed with the present key


@pytest.mark.parametrize("name_type", [NameType.KRB_NT_PRINCIPAL, NameType.KRB_NT_ENTERPRISE])
def test_a_first_ticket_to_an_account_by_its_name_tells_the_right_one(name_type: NameType) -> None:
    """RFC 6806 6: only who canonicalizes learns it."""
    service = principal("FILES$", 1105, 0x1000, has_spn=True)
    asked = client_name("files", name_type=name_type)
    plain = int(KdcOptions.FORWARDABLE)
    got = Client().log_on(server=service, sname=asked, kdc_options=plain | int(KdcOptions.CANONICALIZE))
    assert (got.part.sname, got.part.srealm) == (client_name("FILES$"), REALM)
    assert Client().log_on(server=service, sname=asked, kdc_options=plain).part.sname == asked


def test_a_ticket_to_change_passwords_lasts_two_minutes_and_is_no_tgt(tgt: Ticketed) -> None:
    """CVE-2022-2031: its key is krbtgt's, and its name outside the encryption anyone's to change."""
    change = Client().log_on(sname=CHANGE_NAME)
    through_tgt = tgt.get(facts=tgt.facts(KRBTGT), sname=CHANGE_NAME)
    for ticket in (change, through_tgt):
        part = ticket.opened(TGT_KEY)
        assert part.starttime is not None and part.endtime - part.starttime == 2 * 60 * TICKS_PER_S
        renamed = replace(ticket, ticket=replace(ticket.ticket, sname=TGS_NAME))
        assert ask(renamed, 0) == Code.KRB_AP_ERR_TKT_EXPIRED
    assert ask(forged(tgt, endtime=FileTime(NOW + 120 * TICKS_PER_S)), 0) == (Code.KRB_AP_ERR_TKT_EXPIRED)
    assert ask(forged(tgt, endtime=FileTime(NOW + 121 * TICKS_PER_S)), 0) == Code.KDC_ERR_NONE
