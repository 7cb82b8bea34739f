"""A record for each ticket: what it tells, and that it tells it once, whatever came of it."""

import asyncio
import hashlib
import json
import logging
from typing import Any

import pytest

from addc.base.clock import FileTime
from addc.codec.krb5 import KrbError, TgsRep
from addc.codec.krb5_numbers import KdcOptions
from addc.codes.krb_error import KrbErrorCode as Code
from addc.kdc.service import Answer
from addc.kdc.ticket_audit import ticket_event, ticket_hash
from addc.security.krb_keys import Key
from tests.kit.certificates import SERIAL
from tests.kit.corp import Corp, replace_values
from tests.kit.kdc_corp import REALM, TGS, KdcCorp
from tests.kit.kdc_realm import Ticketed, client_name, make_key, timestamp
from tests.kit.s4u import pa_for_user
from tests.unit.kdc.test_pkinit_directory import Desk

PASSWORD = "Tr0ub4dor&3"
LDAP = "ldap/dc1.corp.example.com"
WEB = "http/web.corp.example.com"


@pytest.fixture
def kdc(corp_sqlite: Corp, caplog: pytest.LogCaptureFixture) -> KdcCorp:
    corp_sqlite.user("joe", PASSWORD)
    caplog.set_level(logging.INFO, logger="addc.audit")
    return KdcCorp(corp_sqlite)


@pytest.fixture
def key(kdc: KdcCorp) -> Key:
    return kdc.key("joe", PASSWORD)


def sent(kdc: KdcCorp, data: bytes) -> Answer:
    """A request that is answered, and its answer sent."""
    answer = kdc.service.answer_now(data, "192.0.2.20")
    assert kdc.service.is_settled(answer, "192.0.2.20", 4711)
    return answer


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The records so far, as a log line holds them."""
    lines = [json.loads(json.dumps(one.fields)) for one in caplog.records if "audit" in one.name]  # type: ignore[attr-defined]
    caplog.clear()
    return lines


def held(kdc: KdcCorp, key: Key, name: str = "joe") -> Ticketed:
    return kdc.log_on(name, key)


def test_a_ticket_granting_ticket(kdc: KdcCorp, key: Key, caplog: pytest.LogCaptureFixture) -> None:
    ticket = held(kdc, key)
    found = kdc.service.answer_now(kdc.as_req(client_name("joe"), timestamp(key, kdc.now)), "192.0.2.20").told
    assert found is not None and found.outcome.issued is not None
    assert not told(caplog), "nothing is told before the reply leaves"
    kdc.service._tell(found, "192.0.2.20", 4711)
    (record,) = told(caplog)
    joe = kdc.corp.sid("CN=joe,CN=Users")
    expected = {
        "event": 4768,
        "format": 1,
        "result": "success",
        "client": "joe",
        "client_realm": REALM,
        "client_sid": str(joe),
        "server": f"krbtgt/{REALM}",
        "server_account": "krbtgt",
        "realm": REALM,
        "options": "0x40810000",
        "error": 0,
        "error_name": "KDC_ERR_NONE",
        "address": "192.0.2.20",
        "port": 4711,
        "preauth_type": 2,
        "preauth_etype": 18,
        "ticket_etype": 18,
        "session_etype": 18,
        "reply_etype": 18,
        "key_version": 1,
    }
    assert {name: record[name] for name in expected} == expected
    assert "status" not in record and int(record["flags"], 16) == ticket.part.flags


def test_a_service_ticket_names_the_ticket_that_it_came_of(
    kdc: KdcCorp, key: Key, caplog: pytest.LogCaptureFixture
) -> None:
    tgt = held(kdc, key)
    reply = sent(kdc, kdc.tgs_req(tgt, LDAP)).reply
    assert reply is not None
    (record,) = told(caplog)
    assert (record["event"], record["result"], record["server_account"]) == (4769, "success", "DC1$")
    assert record["request_ticket_hash"] == ticket_hash(tgt.ticket.enc_part.cipher)
    assert record["ticket_hash"] == ticket_hash(TgsRep.unpack(reply).ticket.enc_part.cipher)


def test_a_renewal(kdc: KdcCorp, key: Key, caplog: pytest.LogCaptureFixture) -> None:
    sent(kdc, kdc.tgs_req(held(kdc, key), TGS, kdc_options=int(KdcOptions.RENEW)))
    assert [one["event"] for one in told(caplog)] == [4770]


def test_a_wrong_password_and_a_former_one(kdc: KdcCorp, caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> None:
        await kdc.service.answer(
            kdc.as_req(client_name("joe"), timestamp(make_key(18, "wrong"), kdc.now)), "192.0.2.20", 5
        )

    asyncio.run(ask())
    (record,) = [one for one in told(caplog) if one["event"] == 4771]
    assert (record["error"], record["status"], record["status_name"]) == (
        24, "0xc000006a", "STATUS_WRONG_PASSWORD"
    )  # fmt: skip
    assert record["preauth_etype"] == 18 and "ticket_hash" not in record


def test_being_asked_for_a_proof_is_no_event(kdc: KdcCorp, caplog: pytest.LogCaptureFixture) -> None:
    sent(kdc, kdc.as_req(client_name("joe")))
    assert not told(caplog)


def test_nobody_and_who_may_not(kdc: KdcCorp, key: Key, caplog: pytest.LogCaptureFixture) -> None:
    sent(kdc, kdc.as_req(client_name("nobody")))
    kdc.corp.modify("CN=joe,CN=Users", replace_values("userAccountControl", "514"))
    sent(kdc, kdc.as_req(client_name("joe"), timestamp(key, kdc.now)))
    unknown, disabled = told(caplog)
    assert (unknown["event"], unknown["client"], unknown["client_sid"]) == (4768, "nobody", "S-1-0-0")
    assert (disabled["event"], disabled["status_name"]) == (4768, "STATUS_ACCOUNT_DISABLED")
    assert disabled["client_sid"] != "S-1-0-0"


def test_a_refused_service(kdc: KdcCorp, key: Key, caplog: pytest.LogCaptureFixture) -> None:
    reply = sent(kdc, kdc.tgs_req(held(kdc, key), "http/nowhere.example.com")).reply
    assert reply is not None and KrbError.unpack(reply).error_code == Code.KDC_ERR_S_PRINCIPAL_UNKNOWN
    (record,) = told(caplog)
    assert (record["event"], record["result"], record["client"]) == (4769, "failure", "joe")
    assert (record["server"], record["server_sid"]) == ("http/nowhere.example.com", "S-1-0-0")


def test_a_ticket_that_does_not_open(kdc: KdcCorp, key: Key, caplog: pytest.LogCaptureFixture) -> None:
    data = bytearray(kdc.tgs_req(held(kdc, key), LDAP))
    at = data.index(held(kdc, key).ticket.sname.pack()) + 200
    data[at] ^= 1
    sent(kdc, bytes(data))
    (record,) = told(caplog)
    assert record["event"] == 4769 and record["result"] == "failure" and record["error"]


def test_delegation(kdc: KdcCorp, caplog: pytest.LogCaptureFixture) -> None:
    """[MS-SFU] 3.2.5: in whose name, by which services."""
    kdc.corp.user("web", PASSWORD, servicePrincipalName=WEB)
    kdc.corp.modify(
        "CN=web,CN=Users",
        replace_values("userAccountControl", str(0x200 | 0x100_0000)),
        replace_values("msDS-AllowedToDelegateTo", LDAP),
    )
    tgt = held(kdc, kdc.key("web", PASSWORD), "web")
    asked = tgt.tgs_req(
        pa_for_user(tgt.session, client_name("joe"), REALM),
        realm=REALM, sname=client_name("web"), till=FileTime(kdc.now + 36_000_000_000),
    )  # fmt: skip
    answer = sent(kdc, asked.raw)
    (record,) = told(caplog)
    joe = str(kdc.corp.sid("CN=joe,CN=Users"))
    assert (record["delegation"], record["client"], record["for_user"]) == ("S4U2Self", "web", "joe")
    assert record["for_user_sid"] == joe
    assert answer.reply is not None
    evidence = TgsRep.unpack(answer.reply).ticket
    options = int(KdcOptions.CNAME_IN_ADDL_TKT | KdcOptions.FORWARDABLE)
    sent(kdc, kdc.tgs_req(tgt, LDAP, kdc_options=options, additional_tickets=(evidence,)))
    (record,) = told(caplog)
    assert (record["delegation"], record["result"]) == ("S4U2Proxy", "success")
    assert (record["for_user"], record["for_user_sid"]) == ("joe", joe)
    assert record["evidence_hash"] == ticket_hash(evidence.enc_part.cipher)
    assert len(record["transited_services"]) == 1 and "web" in record["transited_services"][0]


def test_a_certificate(corp_sqlite: Corp, caplog: pytest.LogCaptureFixture) -> None:
    """Which one, so that its owner is found; told of refused ones too."""
    caplog.set_level(logging.INFO, logger="addc.audit")
    desk = Desk(corp_sqlite)
    holder = desk.card()
    for result in ("success", "failure"):
        _, raw, _ = desk.send(holder, client_name("joe"))
        found = desk.kdc.service.answer_now(raw, "192.0.2.20").told
        assert found is not None
        record = ticket_event(found, REALM, "192.0.2.20", 5)
        assert (record["event"], record["preauth_type"], record["result"]) == (4768, 16, result)
        assert record["certificate"] == {
            "issuer": "DC=com,DC=example,CN=Logon CA",
            "serial": f"{SERIAL:x}",
            "thumbprint": hashlib.sha1(holder.der, usedforsecurity=False).hexdigest(),
        }
        corp_sqlite.modify("CN=joe,CN=Users", replace_values("userAccountControl", "514"))


def test_who_waits_for_a_turn_is_told_once(kdc: KdcCorp, caplog: pytest.LogCaptureFixture) -> None:
    """What was judged before the turn came is not answered, so it is not told."""
    kdc.corp.modify("", replace_values("lockoutThreshold", "2"))
    bad = kdc.as_req(client_name("joe"), timestamp(make_key(18, "wrong"), kdc.now))

    async def run() -> None:
        await asyncio.gather(*(kdc.service.answer(bad, "192.0.2.20", 1) for _ in range(5)))

    asyncio.run(run())
    records = [one for one in told(caplog) if one["event"] in (4768, 4771)]
    assert [one["status_name"] for one in records] == (
        ["STATUS_WRONG_PASSWORD"] * 2 + ["STATUS_ACCOUNT_LOCKED_OUT"] * 3
    )


def test_nothing_is_made_for_a_log_that_is_off(
    kdc: KdcCorp, key: Key, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="addc.audit")
    answer = kdc.service.answer_now(kdc.as_req(client_name("joe"), timestamp(key, kdc.now)), "192.0.2.20")
    assert answer.told is None
