"""The KDC proxy: what clients get through HTTP, and who is sent away."""

import asyncio

import pytest

from addc.codec.krb5 import AsRep, KdcProxyMessage
from addc.codes.krb_error import KrbErrorCode as Code
from addc.kdc.kkdcp import KdcProxy, KdcProxyStream
from tests.bench.fuzz_strangers import feed_proxy
from tests.kit.corp import Corp
from tests.kit.kdc_corp import REALM, KdcCorp, code_of
from tests.kit.kdc_realm import client_name, timestamp

PASSWORD = "Sun.Flow3r"


@pytest.fixture
def kdc(corp_sqlite: Corp) -> KdcCorp:
    corp_sqlite.user("joe", PASSWORD)
    return KdcCorp(corp_sqlite)


def wrapped(message: bytes, realm: str | None = REALM) -> bytes:
    return KdcProxyMessage(kerb_message=len(message).to_bytes(4, "big") + message, target_domain=realm).pack()


def post(body: bytes, path: str = "/KdcProxy", method: str = "POST", more: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: dc1\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def talk(kdc: KdcCorp, *requests: bytes, bytewise: bool = False) -> list[tuple[int, bytes]]:
    """Send all of it on one connection; status and body of each response until the end."""

    async def run() -> list[tuple[int, bytes]]:
        loop = asyncio.get_running_loop()
        proxy = KdcProxy(kdc.service)
        server = await loop.create_server(lambda: KdcProxyStream(proxy), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for data in requests:
            if bytewise:
                for one in data:
                    writer.write(bytes((one,)))
                    await asyncio.sleep(0)
            else:
                writer.write(data)
        found: list[tuple[int, bytes]] = []
        try:
            while len(found) < len(requests):
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
                body = await reader.readexactly(int(fields[b"content-length"]))
                found.append((int(head.split(b" ", 2)[1]), body))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return found
        finally:
            writer.close()
            server.close()
            await kdc.service.drain()
        return found

    return asyncio.run(run())


def test_two_exchanges_on_one_connection(kdc: KdcCorp) -> None:
    key = kdc.key("joe", PASSWORD)
    first = post(wrapped(kdc.as_req(client_name("joe"))))
    second = post(wrapped(kdc.as_req(client_name("joe"), timestamp(key, kdc.now)), "corp"), "/kdcproxy/")
    (status, body), (status2, body2) = talk(kdc, first, second)
    assert (status, status2) == (200, 200)
    asked = KdcProxyMessage.unpack(body).kerb_message
    assert int.from_bytes(asked[:4], "big") == len(asked) - 4
    assert code_of(asked[4:]) == Code.KDC_ERR_PREAUTH_REQUIRED
    assert AsRep.unpack(KdcProxyMessage.unpack(body2).kerb_message[4:]).cname == client_name("joe")


def test_a_request_may_come_byte_by_byte(kdc: KdcCorp) -> None:
    [(status, body)] = talk(kdc, post(wrapped(kdc.as_req(client_name("joe")))), bytewise=True)
    assert status == 200
    assert code_of(KdcProxyMessage.unpack(body).kerb_message[4:]) == Code.KDC_ERR_PREAUTH_REQUIRED


def test_another_realm_is_not_asked(kdc: KdcCorp) -> None:
    assert talk(kdc, post(wrapped(kdc.as_req(client_name("joe")), "OTHER.EXAMPLE"))) == [(503, b"")]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (post(b"x", "/"), 404),
        (post(b"", "/KdcProxy", "GET"), 405),
        (post(b"x" * 140_000), 413),
        (b"POST /KdcProxy HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         + b"FFFF\r\n" + b"x" * 0xFFFF + b"\r\n" + b"FFFFF\r\n" + b"x" * 0xFFFFF, 413),
        (b"\0\1\2\3 nonsense\r\n\r\n", 400),
        (b"POST /KdcProxy HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20_000, 431),
    ],
    ids=["path", "method", "length", "chunks", "nonsense", "headers"],
)  # fmt: skip
def test_what_is_no_proxy_request_is_refused(kdc: KdcCorp, request_bytes: bytes, status: int) -> None:
    assert [found for found, _ in talk(kdc, request_bytes)] == [status]


def test_what_follows_a_refusal_is_not_looked_at(kdc: KdcCorp) -> None:
    """The response said that it was the last one; to answer once more would be our error."""
    nonsense = post(b"", "/KdcProxy", "GET") + b"\0\1\2\3 nonsense\r\n\r\n"
    assert talk(kdc, nonsense, b"") == [(405, b"")]
    with asyncio.Runner() as runner:
        feed_proxy(kdc.service, runner.get_loop())(nonsense)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x30\x03\x02\x01\x05",
        wrapped(b"\x6a\x00\x00", None),
        wrapped(b"\x30\x00\x00"),
        KdcProxyMessage(kerb_message=b"\0\0\0\x09\x6a", target_domain=REALM).pack(),
    ],
    ids=["empty", "other-sequence", "no-realm", "other-message", "length"],
)
def test_what_is_no_message_of_kerberos_ends_the_connection(kdc: KdcCorp, body: bytes) -> None:
    assert talk(kdc, post(body)) == []
