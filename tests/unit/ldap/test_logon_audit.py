"""Each password and NTLM response that was judged is one record: whose, from where, and what came of it."""

import asyncio
import json
import logging
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from addc.codes.ldap_result import LdapResult
from addc.ldap.bind import BindPolicy
from addc.server import logs
from tests.kit.corp import Corp, replace_values
from tests.kit.ldap_desk import Desk, open_desk
from tests.kit.ntlm_client import NtlmClient
from tests.unit.ldap.test_ntlm_bind import CHANNEL, PASSWORD, USER, sicily, spnego_bind


@pytest.fixture
def ann(corp_sqlite: Corp, caplog: pytest.LogCaptureFixture) -> Corp:
    corp_sqlite.user(USER, PASSWORD)
    caplog.set_level(logging.INFO, logger="addc.audit")
    return corp_sqlite


@pytest.fixture
def desk(ann: Corp, runner: asyncio.Runner) -> Desk:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return open_desk(ann, runner, policy=BindPolicy(clear_simple_bind=True), tls=tls)


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    lines = [
        json.loads(json.dumps(one.fields))  # type: ignore[attr-defined]
        for one in caplog.records
        if one.name in ("addc.audit.granted", "addc.audit.refused")
    ]
    caplog.clear()
    return lines


def test_a_good_response(desk: Desk, ann: Corp, caplog: pytest.LogCaptureFixture) -> None:
    assert sicily(desk.connect(), NtlmClient.of(USER, PASSWORD)).result_code == LdapResult.SUCCESS
    (record,) = told(caplog)
    place = {name: record.pop(name) for name in ("address", "port")}
    assert record == {
        "event": 4776,
        "format": 1,
        "package": "NTLM",
        "name": USER,
        "account": USER,
        "account_sid": str(ann.sid("CN=ann,CN=Users")),
        "status": "0x00000000",
        "status_name": "STATUS_SUCCESS",
        "domain": "CORP",
        "workstation": "WKS",
        "ntlm_version": 2,
        "integrity": True,
        "channel_bound": False,
        "protocol": "LDAP",
        "result": "success",
    }
    assert place["address"]


def test_a_wrong_one_nobodys_and_a_forbidden_one(
    desk: Desk, ann: Corp, caplog: pytest.LogCaptureFixture
) -> None:
    spnego_bind(desk.connect(), NtlmClient.of(USER, "wrong"))
    spnego_bind(desk.connect(), NtlmClient.of("nobody", PASSWORD))
    ann.modify("CN=ann,CN=Users", replace_values("userAccountControl", "514"))
    spnego_bind(desk.connect(), NtlmClient.of(USER, PASSWORD))
    wrong, nobody, disabled = told(caplog)
    assert (wrong["result"], wrong["status"]) == ("failure", "0xc000006a")
    assert (nobody["status_name"], nobody["account_sid"]) == ("STATUS_NO_SUCH_USER", "S-1-0-0")
    assert disabled["status_name"] == "STATUS_ACCOUNT_DISABLED" and disabled["account"] == USER


def test_a_channel_that_the_client_named(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    context = NtlmClient.of(USER, PASSWORD, 0)
    context.bindings = CHANNEL
    sicily(desk.connect(tls=True), context)
    assert told(caplog)[0]["channel_bound"] is True


def test_good_credentials_that_are_not_enough(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Unsigned in clear: the password was right, the bind is refused, and both are told."""
    sicily(desk.connect(), NtlmClient.of(USER, PASSWORD, 0))
    (record,) = told(caplog)
    assert (record["result"], record["status_name"]) == ("failure", "STATUS_SUCCESS")


def test_simple_binds(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    for name, password in ((f"CORP\\{USER}", PASSWORD), (f"CORP\\{USER}", "wrong"), ("nobody", "x")):
        desk.connect().bind(name, password)
    good, wrong, nobody = told(caplog)
    assert (good["package"], good["name"], good["account"]) == ("simple", "CORP\\ann", USER)
    assert (wrong["status_name"], wrong["result"]) == ("STATUS_WRONG_PASSWORD", "failure")
    assert nobody["status_name"] == "STATUS_NO_SUCH_USER"
    assert PASSWORD not in json.dumps([good, wrong, nobody])


def test_anonymous_binds_are_no_logons(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.connect().bind("", "")
    assert not told(caplog)


def test_a_lockout_is_told_with_the_account(desk: Desk, ann: Corp, caplog: pytest.LogCaptureFixture) -> None:
    """4740 comes of the counting itself, so that every protocol tells it."""
    desk.service.binder.directory.on_audit(logs.audit)
    ann.modify("", replace_values("lockoutThreshold", "2"))
    for _ in range(3):
        desk.connect().bind(f"CORP\\{USER}", "wrong")
    lines = [one for one in caplog.records if one.name == "addc.audit"]
    fields: list[dict[str, Any]] = [one.fields for one in lines]  # type: ignore[attr-defined]
    assert [(one["event"], one["object"]) for one in fields] == [
        (4740, "CN=ann,CN=Users,DC=corp,DC=example,DC=com")
    ]
    assert told(caplog)[-1]["status_name"] == "STATUS_ACCOUNT_LOCKED_OUT"


@pytest.fixture
def settings() -> Iterator[None]:
    yield
    logs.configure_logons("all")


@pytest.mark.parametrize("told_of, count", [("all", 2), ("refused", 1), ("none", 0)])
@pytest.mark.usefixtures("settings")
def test_an_operator_says_how_much(
    desk: Desk, caplog: pytest.LogCaptureFixture, told_of: str, count: int
) -> None:
    logs.configure_logons(told_of)
    desk.connect().bind(f"CORP\\{USER}", PASSWORD)
    desk.connect().bind(f"CORP\\{USER}", "wrong")
    assert len(told(caplog)) == count
