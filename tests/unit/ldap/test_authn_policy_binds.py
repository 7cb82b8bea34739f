"""Binds by password under authentication policies: they show no device. [MS-APDS] 3.1.5.1, 3.1.5.2."""

import asyncio
import ssl

import pytest

from addc.codes.ldap_result import LdapResult
from addc.ldap import messages as m
from tests.kit.corp import Corp, add_values
from tests.kit.ldap_desk import Desk, open_desk
from tests.kit.ntlm_client import NtlmClient
from tests.kit.policies import assign_policy, assign_silo, policy, silo
from tests.unit.ldap.test_ntlm_bind import sicily

ANN, PASSWORD = "CN=ann,CN=Users", "Corr3ct.Horse"
DC = "CN=DC1,OU=Domain Controllers"
ANYBODY = "O:SYD:(A;;CR;;;WD)"
REFUSED = (int(LdapResult.INVALID_CREDENTIALS), "52f")
GRANTED = (0, "")


@pytest.fixture
def ann(corp_sqlite: Corp) -> Corp:
    corp_sqlite.user("ann", PASSWORD)
    return corp_sqlite


def _said(answer: m.BindResponse) -> tuple[int, str]:
    _, _, data = str(answer.diagnostic_message).partition("data ")
    return int(answer.result_code), data.partition(",")[0]


def _desk(corp: Corp, runner: asyncio.Runner) -> Desk:
    return open_desk(corp, runner, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))


def binds(corp: Corp, runner: asyncio.Runner, password: str = PASSWORD) -> list[tuple[int, str]]:
    """What a simple bind and one by NTLM get."""
    desk = _desk(corp, runner)
    simple = desk.connect(tls=True).bind("CORP\\ann", password)
    return [_said(simple), _said(sicily(desk.connect(), NtlmClient("ann", password, domain="CORP")))]


def test_a_policy_that_asks_for_a_device_refuses_passwords(ann: Corp, runner: asyncio.Runner) -> None:
    assign_policy(ann, ANN, policy(ann, "p", UserAllowedToAuthenticateFrom=ANYBODY))
    assert binds(ann, runner) == [REFUSED, REFUSED]


def test_a_wrong_password_is_just_that(ann: Corp, runner: asyncio.Runner) -> None:
    assign_policy(ann, ANN, policy(ann, "p", UserAllowedToAuthenticateFrom=ANYBODY))
    assert [data for _, data in binds(ann, runner, "wrong")] == ["52e", "52e"]


def test_the_policy_may_allow_ntlm_all_the_same(ann: Corp, runner: asyncio.Runner) -> None:
    allowed = policy(
        ann, "p", UserAllowedToAuthenticateFrom=ANYBODY, UserAllowedNTLMNetworkAuthentication="TRUE"
    )
    assign_policy(ann, ANN, allowed)
    assert binds(ann, runner) == [GRANTED, GRANTED]


@pytest.mark.parametrize(
    ("enforced", "words"),
    [
        (False, {"UserAllowedToAuthenticateFrom": ANYBODY}),
        (True, {"UserAllowedNTLMNetworkAuthentication": "FALSE"}),
        (True, {"ServiceAllowedToAuthenticateFrom": ANYBODY}),
        (True, {"UserTGTLifetime": "111"}),
    ],
)
def test_policies_that_say_nothing_of_it(
    ann: Corp, runner: asyncio.Runner, enforced: bool, words: dict[str, str]
) -> None:
    assign_policy(ann, ANN, policy(ann, "p", enforced, **words))
    assert binds(ann, runner) == [GRANTED, GRANTED]


def test_a_silos_policy_counts(ann: Corp, runner: asyncio.Runner) -> None:
    strict = policy(ann, "p", False, UserAllowedToAuthenticateFrom=ANYBODY)
    assign_silo(ann, ANN, silo(ann, "vault", ANN, UserAuthNPolicy=strict))
    assert binds(ann, runner) == [REFUSED, REFUSED]


def test_the_dcs_own_policy_decides_who_comes_by_ntlm(ann: Corp, runner: asyncio.Runner) -> None:
    sid = ann.sid(ANN)
    assign_policy(
        ann, DC, policy(ann, "p", ComputerAllowedToAuthenticateTo=f"O:SYD:(D;;CR;;;{sid})(A;;CR;;;WD)")
    )
    assert binds(ann, runner)[1][0] == LdapResult.INVALID_CREDENTIALS
    ann.user("bob", PASSWORD)
    desk = _desk(ann, runner)
    bob = sicily(desk.connect(), NtlmClient("bob", PASSWORD, domain="CORP"))
    assert bob.result_code == LdapResult.SUCCESS


def test_protected_users_may_bind_with_their_password(ann: Corp, runner: asyncio.Runner) -> None:
    """A simple bind is no NTLM: only the latter is closed to them."""
    ann.modify("CN=Protected Users,CN=Users", add_values("member", ann.dn(ANN)))
    assert binds(ann, runner) == [GRANTED, REFUSED]
