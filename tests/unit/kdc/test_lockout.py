"""Guesses at one account, whichever worker and protocol they come to: no more than the threshold is answered.

Spec: [MS-SAMR] 3.1.5.14.5, 3.1.5.14.6.
"""

import asyncio
from collections import Counter

import pytest

from addc.codec.krb5 import KerbErrorData, KerbExtError, KrbError, MethodData
from addc.codec.krb5_numbers import PaType
from addc.codes.krb_error import KrbErrorCode as Code
from addc.codes.ldap_result import LdapResult
from addc.codes.ntstatus import NtStatus
from addc.directory import logon_counters
from addc.ldap.bind import BindPolicy
from addc.security.krb_keys import Key
from tests.kit.corp import Corp, quoted, replace_values
from tests.kit.kdc_corp import KdcCorp
from tests.kit.kdc_realm import client_name, make_key, timestamp
from tests.kit.ldap_desk import open_desk
from tests.kit.ntlm_client import NtlmClient
from tests.unit.ldap.test_ntlm_bind import sicily

PASSWORD, NEW = "Tr0ub4dor&3", "An0ther.Passw0rd"
JOE = "CN=joe,CN=Users"
THRESHOLD = 3
WRONG = make_key(18, "wrong")


@pytest.fixture
def joe(corp_sqlite: Corp) -> Corp:
    corp_sqlite.modify("", replace_values("lockoutThreshold", str(THRESHOLD)))
    corp_sqlite.user("joe", PASSWORD)
    return corp_sqlite


def status(reply: bytes | None) -> NtStatus:
    """What a reply tells its client."""
    assert reply is not None
    if reply[0] == 0x6B:
        return NtStatus.STATUS_SUCCESS
    error = KrbError.unpack(reply)
    e_data = error.e_data or b""
    if error.error_code == Code.KDC_ERR_PREAUTH_FAILED:
        hints = {one.padata_type: one.padata_value for one in MethodData.unpack(e_data).padata}
        return NtStatus(KerbExtError.unpack(hints[PaType.PA_PW_SALT]).status)
    return NtStatus(KerbExtError.unpack(KerbErrorData.unpack(e_data).data_value or b"").status)


def guess(kdc: KdcCorp, key: Key) -> bytes:
    return kdc.as_req(client_name("joe"), timestamp(key, kdc.now))


def count(corp: Corp) -> int:
    return int(corp.text(JOE, "badPwdCount"))


def test_guesses_to_several_workers_at_once(joe: Corp) -> None:
    """Each judges by what it sees; what comes too late is told nothing but the lockout."""
    workers = [KdcCorp(joe) for _ in range(3)]

    async def run() -> list[bytes | None]:
        return await asyncio.gather(
            *(one.service.answer(guess(one, WRONG), "test") for one in workers for _ in range(4))
        )

    told = Counter(map(status, asyncio.run(run())))
    assert told == {NtStatus.STATUS_WRONG_PASSWORD: THRESHOLD, NtStatus.STATUS_ACCOUNT_LOCKED_OUT: 9}
    assert count(joe) == THRESHOLD


def test_a_right_guess_behind_the_last_is_not_answered(joe: Corp) -> None:
    """Judged right by one worker while another counts the guess that locks the account out."""
    one, other = KdcCorp(joe), KdcCorp(joe)
    right = guess(other, other.key("joe", PASSWORD))

    async def run() -> NtStatus:
        for _ in range(THRESHOLD - 1):
            await one.service.answer(guess(one, WRONG), "test")
        decided = other.service.answer_now(right, "test")
        assert status(decided.reply) is NtStatus.STATUS_SUCCESS
        assert not other.service.is_settled(decided, "test", 0)
        await one.service.answer(guess(one, WRONG), "test")
        return status(await other.service.settling(decided, right, "test", 0))

    assert asyncio.run(run()) is NtStatus.STATUS_ACCOUNT_LOCKED_OUT


def test_a_right_password_ends_a_row_of_wrong_ones(joe: Corp) -> None:
    kdc = KdcCorp(joe)

    async def run() -> list[NtStatus]:
        keys = [WRONG, WRONG, kdc.key("joe", PASSWORD), WRONG, WRONG]
        return [status(await kdc.service.answer(guess(kdc, key), "test")) for key in keys]

    assert asyncio.run(run())[2] is NtStatus.STATUS_SUCCESS
    assert count(joe) == 2


def test_all_protocols_count_in_one_place(joe: Corp, runner: asyncio.Runner) -> None:
    """A simple bind, an NTLM response and a timestamp are three guesses."""
    kdc = KdcCorp(joe)
    desk = open_desk(joe, runner, policy=BindPolicy(clear_simple_bind=True))
    assert desk.connect().bind("CORP\\joe", "wrong").result_code == LdapResult.INVALID_CREDENTIALS
    sicily(desk.connect(), NtlmClient.of("joe", "wrong"))
    assert count(joe) == 2
    assert status(runner.run(kdc.service.answer(guess(kdc, WRONG), "test"))) is NtStatus.STATUS_WRONG_PASSWORD
    refused = desk.connect().bind("CORP\\joe", PASSWORD)
    assert "data 775" in refused.diagnostic_message
    assert (
        sicily(desk.connect(), NtlmClient.of("joe", PASSWORD)).result_code == LdapResult.INVALID_CREDENTIALS
    )
    right = kdc.key("joe", PASSWORD)
    locked = status(runner.run(kdc.service.answer(guess(kdc, right), "test")))
    assert locked is NtStatus.STATUS_ACCOUNT_LOCKED_OUT


def test_binds_by_several_workers_at_once(joe: Corp, runner: asyncio.Runner) -> None:
    desks = [open_desk(joe, runner, policy=BindPolicy(clear_simple_bind=True)) for _ in range(2)]
    answers = [desk.connect().bind("CORP\\joe", "wrong") for _ in range(3) for desk in desks]
    wrong = [one for one in answers if "data 52e" in one.diagnostic_message]
    locked = [one for one in answers if "data 775" in one.diagnostic_message]
    assert (len(wrong), len(locked)) == (THRESHOLD, 3) and count(joe) == THRESHOLD


def test_former_passwords_count_nowhere(joe: Corp, runner: asyncio.Runner) -> None:
    """The two before the present one are no attack: whoever holds them has not been told. (N-2.)"""
    for password in (NEW, "Y3t.An0ther.One"):
        joe.modify(JOE, replace_values("unicodePwd", quoted(password)))
    joe.later(7200)
    kdc = KdcCorp(joe)
    desk = open_desk(joe, runner, policy=BindPolicy(clear_simple_bind=True))
    for former in (PASSWORD, NEW):
        kerberos = runner.run(kdc.service.answer(guess(kdc, kdc.key("joe", former)), "test"))
        assert status(kerberos) is NtStatus.STATUS_WRONG_PASSWORD
        assert sicily(desk.connect(), NtlmClient.of("joe", former)).result_code != LdapResult.SUCCESS
        assert desk.connect().bind("CORP\\joe", former).result_code != LdapResult.SUCCESS
    assert count(joe) == 0


def test_guesses_during_a_lockout_change_nothing(joe: Corp) -> None:
    """Neither badPwdCount nor badPasswordTime, nor is the lockout prolonged. Spec: [MS-SAMR] 3.1.5.14.6."""
    kdc = KdcCorp(joe)

    async def run(number: int) -> None:
        for _ in range(number):
            await kdc.service.answer(guess(kdc, WRONG), "test")

    asyncio.run(run(THRESHOLD))
    names = ("badPwdCount", "badPasswordTime", "lockoutTime")
    before = {name: joe.text(JOE, name) for name in names}
    kdc.later(60)
    asyncio.run(run(2))
    assert {name: joe.text(JOE, name) for name in names} == before


def test_an_administrator_unlocks(joe: Corp) -> None:
    """lockoutTime=0 clears the count too. Spec: [MS-SAMR] 3.1.1.8.3."""
    kdc = KdcCorp(joe)

    async def ask(key: Key, number: int = 1) -> NtStatus:
        replies = [await kdc.service.answer(guess(kdc, key), "test") for _ in range(number)]
        return status(replies[-1])

    right = kdc.key("joe", PASSWORD)
    asyncio.run(ask(WRONG, THRESHOLD))
    assert asyncio.run(ask(right)) is NtStatus.STATUS_ACCOUNT_LOCKED_OUT
    joe.modify(JOE, replace_values("lockoutTime", "0"))
    assert count(joe) == 0
    assert asyncio.run(ask(right)) is NtStatus.STATUS_SUCCESS


def test_the_window_forgets(joe: Corp) -> None:
    """A wrong password behind the observation window is the first again."""
    kdc = KdcCorp(joe)

    async def wrong() -> None:
        await kdc.service.answer(guess(kdc, WRONG), "test")

    asyncio.run(wrong())
    asyncio.run(wrong())
    kdc.later(31 * 60)
    asyncio.run(wrong())
    assert count(joe) == 1


def test_logons_in_a_row_are_one_write(joe: Corp) -> None:
    """lastLogon once a minute: thousands of logons are no storm of writes."""
    kdc = KdcCorp(joe)
    right = kdc.key("joe", PASSWORD)

    async def run(number: int) -> None:
        for _ in range(number):
            await kdc.service.answer(guess(kdc, right), "test")
            await kdc.service.drain()

    asyncio.run(run(5))
    assert joe.text(JOE, "logonCount") == "1"
    kdc.later(logon_counters.LAST_LOGON_EVERY_S + 1)
    asyncio.run(run(2))
    assert joe.text(JOE, "logonCount") == "2"
