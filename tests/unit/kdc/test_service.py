"""The service over a real directory: bytes in, bytes out, counters, passwords, framing, limits."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from addc.base.clock import TICKS_PER_S
from addc.base.limits import KRB_MESSAGE_MAX, KRB_UDP_REPLY_MAX
from addc.codec.krb5 import ChangePasswdData, EncKrbPrivPart, EncTgsRepPart, KrbError, KrbPriv, TgsRep
from addc.codec.krb5_numbers import KdcOptions
from addc.codes.krb_error import KrbErrorCode as Code
from addc.directory.api import Directory, Services
from addc.directory.password_filter import Candidate
from addc.kdc import service as service_module
from addc.kdc.kpasswd import KpasswdResult
from addc.kdc.service import KdcDatagrams, KdcService, KdcStreams
from addc.security.krb_keys import Key, KeyUsage, decrypt, string_to_key
from addc.security.token import SYSTEM
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import ADMIN_PASSWORD, CountingRng
from tests.kit.kdc_corp import CHANGE, REALM, TGS, KdcCorp, code_of
from tests.kit.kdc_realm import Ticketed, client_name, make_key, timestamp
from tests.unit.kdc.test_kpasswd import SUBKEY, request

PASSWORD, NEW = "Tr0ub4dor&3", "N3w.passw0rd!"
WRONG = make_key(18, "wrong")
JOE = "CN=joe,CN=Users"


@pytest.fixture
def kdc(corp_sqlite: Corp) -> KdcCorp:
    corp_sqlite.user("joe", PASSWORD)
    return KdcCorp(corp_sqlite)


@pytest.fixture
def key(kdc: KdcCorp) -> Key:
    return kdc.key("joe", PASSWORD)


def settle(kdc: KdcCorp, *requests: bytes) -> list[Code]:
    """Codes of the replies to requests of port 88, one after the other."""

    async def run() -> list[Code]:
        out = []
        for one in requests:
            reply = await kdc.service.answer(one, "test")
            assert reply is not None
            out.append(code_of(reply))
        await kdc.service.drain()
        return out

    return asyncio.run(run())


# --- exchanges ------------------------------------------------------------------------------------


def test_from_password_to_service_ticket(kdc: KdcCorp, key: Key) -> None:
    assert code_of(kdc.ask("joe")) == Code.KDC_ERR_PREAUTH_REQUIRED
    tgt = kdc.log_on("joe", key)
    assert tgt.cname == client_name("joe")
    reply = kdc.get(tgt, "ldap/dc1.corp.example.com")
    assert code_of(reply) == Code.KDC_ERR_NONE
    assert TgsRep.unpack(reply).ticket.sname.name_string == ("ldap", "dc1.corp.example.com")
    assert code_of(kdc.get(tgt, "ldap/nowhere.example.com")) == Code.KDC_ERR_S_PRINCIPAL_UNKNOWN
    assert code_of(kdc.get(tgt, "joe")) == Code.KDC_ERR_MUST_USE_USER2USER


def test_a_forwarded_and_a_renewed_tgt_work_on(kdc: KdcCorp, key: Key) -> None:
    tgt = kdc.log_on("joe", key)
    renewed = tgt_of(kdc, tgt, kdc.get(tgt, TGS, kdc_options=int(KdcOptions.RENEW)))
    forwarded = tgt_of(kdc, renewed, kdc.get(renewed, TGS, kdc_options=int(KdcOptions.FORWARDED)))
    assert code_of(kdc.get(forwarded, "cifs/dc1.corp.example.com")) == Code.KDC_ERR_NONE


def tgt_of(kdc: KdcCorp, before: Ticketed, reply: bytes) -> Ticketed:
    assert code_of(reply) == Code.KDC_ERR_NONE
    rep = TgsRep.unpack(reply)
    part = EncTgsRepPart.unpack(
        decrypt(before.session, KeyUsage.TGS_REP_ENC_PART_SESSION, rep.enc_part.cipher)
    )
    return replace(before, ticket=rep.ticket, part=part)


def test_an_account_deleted_and_made_again_loses_its_tickets(kdc: KdcCorp, key: Key) -> None:
    tgt = kdc.log_on("joe", key)
    kdc.corp.modify(JOE, replace_values("sAMAccountName", "joseph"))
    kdc.corp.add("CN=joe2,CN=Users", "user", values={"sAMAccountName": "joe"})
    assert code_of(kdc.get(tgt, "ldap/dc1.corp.example.com")) == Code.KDC_ERR_TGT_REVOKED


def test_a_disabled_account_is_refused_at_once(kdc: KdcCorp, key: Key) -> None:
    kdc.corp.modify(JOE, replace_values("userAccountControl", "514"))
    assert code_of(kdc.ask("joe", key)) == Code.KDC_ERR_CLIENT_REVOKED
    kdc.corp.modify(JOE, replace_values("userAccountControl", "512"))
    assert code_of(kdc.ask("joe", key)) == Code.KDC_ERR_NONE


def test_a_new_password_is_known_to_the_next_request(kdc: KdcCorp, key: Key) -> None:
    kdc.corp.modify(JOE, replace_values("unicodePwd", f'"{NEW}"'.encode("utf-16-le")))
    assert code_of(kdc.ask("joe", key)) == Code.KDC_ERR_PREAUTH_FAILED
    assert code_of(kdc.ask("joe", kdc.key("joe", NEW))) == Code.KDC_ERR_NONE


# --- counters -------------------------------------------------------------------------------------


def test_wrong_passwords_are_counted_before_they_are_answered(kdc: KdcCorp, key: Key) -> None:
    kdc.corp.modify("", replace_values("lockoutThreshold", "3"))
    bad = kdc.as_req(client_name("joe"), timestamp(WRONG, kdc.now))
    good = kdc.as_req(client_name("joe"), timestamp(key, kdc.now))
    assert settle(kdc, bad, bad) == [Code.KDC_ERR_PREAUTH_FAILED] * 2
    assert kdc.corp.text(JOE, "badPwdCount") == "2"
    assert settle(kdc, bad, good) == [Code.KDC_ERR_PREAUTH_FAILED, Code.KDC_ERR_CLIENT_REVOKED]
    assert kdc.corp.text(JOE, "lockoutTime") == str(kdc.now)


def test_guesses_that_come_all_at_once_do_not_outrun_the_lockout(kdc: KdcCorp, key: Key) -> None:
    kdc.corp.modify("", replace_values("lockoutThreshold", "3"))
    kdc.corp.modify(JOE, replace_values("badPwdCount", "0"), requester=SYSTEM)
    bad = kdc.as_req(client_name("joe"), timestamp(WRONG, kdc.now))
    good = kdc.as_req(client_name("joe"), timestamp(key, kdc.now))

    async def run() -> list[Code]:
        replies = await asyncio.gather(*(kdc.service.answer(one, "test") for one in [bad] * 9 + [good]))
        await kdc.service.drain()
        return [code_of(one or b"") for one in replies]

    assert asyncio.run(run()) == [Code.KDC_ERR_PREAUTH_FAILED] * 3 + [Code.KDC_ERR_CLIENT_REVOKED] * 7
    assert kdc.corp.text(JOE, "badPwdCount") == "3"


def test_one_wrong_password_beside_does_not_keep_the_right_one_out(kdc: KdcCorp, key: Key) -> None:
    kdc.corp.modify("", replace_values("lockoutThreshold", "3"))
    bad = kdc.as_req(client_name("joe"), timestamp(WRONG, kdc.now))
    good = kdc.as_req(client_name("joe"), timestamp(key, kdc.now))

    async def run() -> list[Code]:
        replies = await asyncio.gather(*(kdc.service.answer(one, "test") for one in (bad, good)))
        await kdc.service.drain()
        return [code_of(one or b"") for one in replies]

    assert asyncio.run(run()) == [Code.KDC_ERR_PREAUTH_FAILED, Code.KDC_ERR_NONE]
    assert kdc.corp.text(JOE, "badPwdCount") == "0"


def test_a_logon_ends_a_row_of_wrong_passwords(kdc: KdcCorp, key: Key) -> None:
    bad = kdc.as_req(client_name("joe"), timestamp(WRONG, kdc.now))
    good = kdc.as_req(client_name("joe"), timestamp(key, kdc.now))
    settle(kdc, bad, good)
    assert kdc.corp.text(JOE, "badPwdCount") == "0"
    assert kdc.corp.text(JOE, "lastLogon") == str(kdc.now)
    assert kdc.corp.text(JOE, "logonCount") == "1"


def test_who_proves_nothing_ends_no_row_of_wrong_passwords(kdc: KdcCorp, key: Key) -> None:
    """Anybody gets a reply for an account that needs no pre-authentication; that is no logon."""
    kdc.corp.modify(JOE, replace_values("userAccountControl", str(0x400200)))
    bad = kdc.as_req(client_name("joe"), timestamp(WRONG, kdc.now))
    bare = kdc.as_req(client_name("joe"))
    assert settle(kdc, bad, bare) == [Code.KDC_ERR_PREAUTH_FAILED, Code.KDC_ERR_NONE]
    assert kdc.corp.text(JOE, "badPwdCount") == "1"
    assert kdc.corp.text(JOE, "lastLogon") == "0"


def test_the_previous_password_is_not_counted(kdc: KdcCorp, key: Key) -> None:
    kdc.corp.modify(JOE, replace_values("unicodePwd", f'"{NEW}"'.encode("utf-16-le")))
    old = kdc.as_req(client_name("joe"), timestamp(key, kdc.now))
    assert settle(kdc, old) == [Code.KDC_ERR_PREAUTH_FAILED]
    assert kdc.corp.values(JOE, "badPwdCount") in ([], [b"0"])


# --- what is no request ---------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\0", b"GET / HTTP/1.1", b"\x7e\x00"])
def test_what_is_no_request_gets_silence(kdc: KdcCorp, data: bytes) -> None:
    assert kdc.service.answer_now(data, "test").reply is None


def test_a_malformed_request_gets_a_generic_error(kdc: KdcCorp) -> None:
    whole = kdc.as_req(client_name("joe"))
    for size in range(1, len(whole)):
        reply = kdc.service.answer_now(whole[:size], "test").reply
        assert reply is not None
        assert code_of(reply) == Code.KRB_ERR_GENERIC


# --- passwords ------------------------------------------------------------------------------------


def kpasswd(kdc: KdcCorp, ticket: Ticketed, data: bytes, version: int = 1) -> tuple[KpasswdResult, bytes]:
    """Result code and string of one request of port 464."""
    start = kdc.now - kdc.now % TICKS_PER_S
    sent = request(ticket, data, version, ctime=start, crealm=REALM)
    reply = asyncio.run(kdc.service.answer_kpasswd(sent, "test", "192.0.2.10"))
    assert reply is not None
    ap_size = int.from_bytes(reply[4:6], "big")
    if not ap_size:
        error = KrbError.unpack(reply[6:])
        assert error.e_data is not None
        return KpasswdResult(int.from_bytes(error.e_data[:2], "big")), error.e_data[2:]
    priv = KrbPriv.unpack(reply[6 + ap_size :])
    part = EncKrbPrivPart.unpack(decrypt(SUBKEY, KeyUsage.KRB_PRIV, priv.enc_part.cipher))
    return KpasswdResult(int.from_bytes(part.user_data[:2], "big")), part.user_data[2:]


def test_a_user_changes_the_own_password(kdc: KdcCorp, key: Key) -> None:
    kdc.later(2 * 86400)
    ticket = kdc.log_on("joe", key, sname=CHANGE)
    assert kpasswd(kdc, ticket, NEW.encode()) == (KpasswdResult.SUCCESS, b"")
    assert code_of(kdc.ask("joe", kdc.key("joe", NEW))) == Code.KDC_ERR_NONE


def test_a_change_against_the_policy_is_told_the_policy(kdc: KdcCorp, key: Key) -> None:
    kdc.later(2 * 86400)
    ticket = kdc.log_on("joe", key, sname=CHANGE)
    result, text = kpasswd(kdc, ticket, b"short")
    assert result is KpasswdResult.SOFTERROR
    assert text[:14].hex() == "0000000000070000001800000001"
    assert len(text) == 30


def test_the_operators_filter_is_asked_and_refuses(kdc: KdcCorp, key: Key) -> None:
    kdc.later(2 * 86400)
    asked: list[Candidate] = []

    async def never(candidate: Candidate) -> bool:
        asked.append(candidate)
        return False

    directory = Directory(kdc.corp.store, kdc.corp.schema, Services(kdc.clock, CountingRng(b"filter"), never))
    kdc.service = KdcService(directory, kdc.clock, CountingRng(b"filtered"))
    ticket = kdc.log_on("joe", key, sname=CHANGE)
    assert kpasswd(kdc, ticket, NEW.encode())[0] is KpasswdResult.SOFTERROR
    assert [(one.account, one.is_change) for one in asked] == [("joe", True)]
    assert code_of(kdc.ask("joe", key)) == Code.KDC_ERR_NONE


def test_a_change_needs_an_initial_ticket(kdc: KdcCorp, key: Key) -> None:
    tgt = kdc.log_on("joe", key)
    ticket = tgt_of(kdc, tgt, kdc.get(tgt, CHANGE))
    result, _ = kpasswd(kdc, ticket, NEW.encode())
    assert result is KpasswdResult.INITIAL_FLAG_NEEDED


def test_an_administrator_sets_a_password_even_by_a_ticket_of_a_tgt(kdc: KdcCorp) -> None:
    tgt = kdc.log_on("Administrator", kdc.key("Administrator", ADMIN_PASSWORD))
    ticket = tgt_of(kdc, tgt, kdc.get(tgt, CHANGE))
    wanted = ChangePasswdData(newpasswd=NEW.encode(), targname=client_name("joe"), targrealm=REALM).pack()
    assert kpasswd(kdc, ticket, wanted, 0xFF80) == (KpasswdResult.SUCCESS, b"")
    assert code_of(kdc.ask("joe", kdc.key("joe", NEW))) == Code.KDC_ERR_NONE


def test_a_request_that_is_overheard_undoes_nothing(kdc: KdcCorp) -> None:
    """It is answered, for an answer may have been lost, but done once."""
    admin = kdc.log_on("Administrator", kdc.key("Administrator", ADMIN_PASSWORD), sname=CHANGE)
    wanted = ChangePasswdData(newpasswd=NEW.encode(), targname=client_name("joe"), targrealm=REALM).pack()
    assert kpasswd(kdc, admin, wanted, 0xFF80) == (KpasswdResult.SUCCESS, b"")
    own = "J0e.s.0wn.one"
    kdc.corp.modify(JOE, replace_values("unicodePwd", f'"{own}"'.encode("utf-16-le")))
    assert kpasswd(kdc, admin, wanted, 0xFF80) == (KpasswdResult.SUCCESS, b"")
    assert code_of(kdc.ask("joe", kdc.key("joe", NEW))) == Code.KDC_ERR_PREAUTH_FAILED
    assert code_of(kdc.ask("joe", kdc.key("joe", own))) == Code.KDC_ERR_NONE


def test_a_user_does_not_set_anothers_password(kdc: KdcCorp, key: Key) -> None:
    ticket = kdc.log_on("joe", key, sname=CHANGE)
    wanted = ChangePasswdData(newpasswd=b"x", targname=client_name("Administrator"), targrealm=REALM).pack()
    result, _ = kpasswd(kdc, ticket, wanted, 0xFF80)
    assert result is KpasswdResult.ACCESSDENIED


@pytest.mark.parametrize(("target", "realm"), [("nobody", REALM), ("joe", "OTHER.COM")])
def test_a_target_that_is_not_here(kdc: KdcCorp, key: Key, target: str, realm: str) -> None:
    ticket = kdc.log_on("joe", key, sname=CHANGE)
    wanted = ChangePasswdData(newpasswd=b"x", targname=client_name(target), targrealm=realm).pack()
    result, _ = kpasswd(kdc, ticket, wanted, 0xFF80)
    assert result is KpasswdResult.HARDERROR


def test_a_disabled_account_changes_nothing(kdc: KdcCorp, key: Key) -> None:
    ticket = kdc.log_on("joe", key, sname=CHANGE)
    kdc.corp.modify(JOE, replace_values("userAccountControl", "514"))
    result, _ = kpasswd(kdc, ticket, NEW.encode())
    assert result is KpasswdResult.AUTHERROR


def test_an_expired_password_is_changed_through_the_whole_flow(kdc: KdcCorp, key: Key) -> None:
    kdc.corp.modify(JOE, replace_values("pwdLastSet", "0"))
    assert code_of(kdc.ask("joe", key)) == Code.KDC_ERR_KEY_EXPIRED
    ticket = kdc.log_on("joe", key, sname=CHANGE)
    assert kpasswd(kdc, ticket, NEW.encode()) == (KpasswdResult.SUCCESS, b"")
    assert code_of(kdc.ask("joe", string_to_key(18, NEW, f"{REALM}joe".encode()))) == Code.KDC_ERR_NONE


# --- sockets --------------------------------------------------------------------------------------

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def talk(kdc: KdcCorp, conversation: Talk, *, kpasswd: bool = False) -> None:
    """One TCP conversation with the service on a port of its own."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: KdcStreams(kdc.service, kpasswd=kpasswd), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.timeout(20):
                await conversation(reader, writer)
        finally:
            writer.close()
            server.close()
            await kdc.service.drain()

    asyncio.run(run())


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


async def read_message(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))


def test_messages_of_a_stream_are_answered_in_order(kdc: KdcCorp, key: Key) -> None:
    good = kdc.as_req(client_name("joe"), timestamp(key, kdc.now))
    bad = kdc.as_req(client_name("joe"), timestamp(WRONG, kdc.now))
    bare = kdc.as_req(client_name("joe"))

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(framed(good) + framed(bad) + framed(bare) + framed(good))
        codes = [code_of(await read_message(reader)) for _ in range(4)]
        assert codes == [
            Code.KDC_ERR_NONE,
            Code.KDC_ERR_PREAUTH_FAILED,
            Code.KDC_ERR_PREAUTH_REQUIRED,
            Code.KDC_ERR_NONE,
        ]

    talk(kdc, conversation)


def test_a_stream_may_come_byte_by_byte(kdc: KdcCorp) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in framed(kdc.as_req(client_name("joe"))):
            writer.write(bytes((byte,)))
            await writer.drain()
        assert code_of(await read_message(reader)) == Code.KDC_ERR_PREAUTH_REQUIRED

    talk(kdc, conversation)


def test_a_message_that_is_too_long_is_told_so_and_ends_the_stream(kdc: KdcCorp) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((KRB_MESSAGE_MAX + 1).to_bytes(4, "big"))
        assert code_of(await read_message(reader)) == Code.KRB_ERR_FIELD_TOOLONG
        assert await reader.read() == b""

    talk(kdc, conversation)


def test_what_is_no_request_ends_the_stream(kdc: KdcCorp) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(framed(b"hello"))
        assert await reader.read() == b""

    talk(kdc, conversation)


def test_thousands_of_tiny_messages_in_one_go(kdc: KdcCorp) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(framed(b"\x6a") * 5000)
        for _ in range(5000):
            assert code_of(await read_message(reader)) == Code.KRB_ERR_GENERIC

    talk(kdc, conversation)


def test_an_idle_connection_is_dropped(kdc: KdcCorp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "_IDLE_S", 0.0)

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with pytest.raises(ConnectionResetError):
            if await reader.read() == b"":
                raise ConnectionResetError
        assert not kdc.service.connections

    talk(kdc, conversation)


def test_passwords_are_changed_over_a_stream(kdc: KdcCorp, key: Key) -> None:
    kdc.later(2 * 86400)
    ticket = kdc.log_on("joe", key, sname=CHANGE)
    sent = request(ticket, NEW.encode(), ctime=kdc.now - kdc.now % TICKS_PER_S, crealm=REALM)

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(framed(sent))
        reply = await read_message(reader)
        priv = KrbPriv.unpack(reply[6 + int.from_bytes(reply[4:6], "big") :])
        part = EncKrbPrivPart.unpack(decrypt(SUBKEY, KeyUsage.KRB_PRIV, priv.enc_part.cipher))
        assert part.user_data == b"\0\0"
        assert part.s_address.address == bytes((127, 0, 0, 1))

    talk(kdc, conversation, kpasswd=True)


def datagrams(kdc: KdcCorp, sent: list[bytes], *, kpasswd: bool = False) -> list[bytes]:
    """The replies to datagrams, in the order of the requests."""

    async def run() -> list[bytes]:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: KdcDatagrams(kdc.service, kpasswd=kpasswd), local_addr=("127.0.0.1", 0)
        )
        out = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            client.connect(transport.get_extra_info("sockname"))
            for one in sent:
                client.send(one)
                async with asyncio.timeout(20):
                    out.append(await loop.sock_recv(client, 65536))
        await kdc.service.drain()
        transport.close()
        return out

    return asyncio.run(run())


def test_datagrams_and_their_limit(kdc: KdcCorp, key: Key) -> None:
    bare = kdc.as_req(client_name("joe"))
    bad = kdc.as_req(client_name("joe"), timestamp(WRONG, kdc.now))
    good = kdc.as_req(client_name("joe"), timestamp(key, kdc.now))
    replies = datagrams(kdc, [bare, bad, good, b"\x6a"])
    assert [code_of(one) for one in replies] == [
        Code.KDC_ERR_PREAUTH_REQUIRED,
        Code.KDC_ERR_PREAUTH_FAILED,
        Code.KRB_ERR_RESPONSE_TOO_BIG,
        Code.KRB_ERR_GENERIC,
    ]
    assert len(kdc.ask("joe", key)) > KRB_UDP_REPLY_MAX
    # Java's client refuses an error whose sname is empty.
    assert KrbError.unpack(replies[2]).sname.name_string == ("krbtgt", REALM)
    assert kdc.corp.text(JOE, "badPwdCount") == "0"


def test_passwords_are_changed_over_datagrams(kdc: KdcCorp, key: Key) -> None:
    kdc.later(2 * 86400)
    ticket = kdc.log_on("joe", key, sname=CHANGE)
    sent = request(ticket, NEW.encode(), ctime=kdc.now - kdc.now % TICKS_PER_S, crealm=REALM)
    (reply,) = datagrams(kdc, [sent], kpasswd=True)
    assert int.from_bytes(reply[4:6], "big") > 0


@pytest.mark.parametrize("sent", [b"\0\6\0\1\0\0", b"junk", b"\0\x0a\0\1\0\0\x7e\2\5\0", b"\0\7\0\1\0\1x"])
def test_no_error_answers_what_may_be_an_error(kdc: KdcCorp, sent: bytes) -> None:
    """With a forged source two servers, or one, would talk to each other for ever (CVE-2002-2443)."""
    assert datagram_of(kdc, sent) == []


def test_while_wrong_passwords_cannot_be_counted_right_ones_are_not_told(
    kdc: KdcCorp, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "_TASKS_MAX", 0)
    for proof in (key, WRONG):
        assert (
            datagram_of(kdc, kdc.as_req(client_name("joe"), timestamp(proof, kdc.now)), kpasswd=False) == []
        )


class Sent(asyncio.DatagramTransport):
    """Remembers what was sent."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 464)})
        self.replies: list[bytes] = []

    def sendto(self, data: bytes, addr: object = None) -> None:  # type: ignore[override]
        self.replies.append(data)

    def is_closing(self) -> bool:
        return False


def datagram_of(kdc: KdcCorp, sent: bytes, *, kpasswd: bool = True) -> list[bytes]:
    """What one datagram is answered with."""

    async def run() -> list[bytes]:
        transport, protocol = Sent(), KdcDatagrams(kdc.service, kpasswd=kpasswd)
        protocol.connection_made(transport)
        protocol.datagram_received(sent, ("127.0.0.1", 1))
        await kdc.service.drain()
        return transport.replies

    return asyncio.run(run())


def test_postgres_is_not_asked_on_the_loop(kdc: KdcCorp, key: Key) -> None:
    kdc.directory.reads_inline = False
    good = kdc.as_req(client_name("joe"), timestamp(key, kdc.now))
    (reply,) = datagrams(kdc, [good])
    assert code_of(reply) == Code.KRB_ERR_RESPONSE_TOO_BIG

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(framed(good))
        assert code_of(await read_message(reader)) == Code.KDC_ERR_NONE

    talk(kdc, conversation)
