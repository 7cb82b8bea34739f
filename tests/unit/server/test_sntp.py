"""The time service: replies, signatures by the machine's password, and nothing for anybody else."""

import asyncio
import hashlib
import struct
from pathlib import Path
from typing import Final

import pytest

from addc.codec import sntp
from addc.codec.sntp import SigndOp
from addc.directory import accounts
from addc.directory.context import ReadContext
from addc.security import time_signing
from addc.server.sntp import TimeService, serve_signd
from tests.kit.netlogon_member import MEMBER_PASSWORD, add_member, hash_of
from tests.kit.rpc_desk import RpcDesk

TRANSMITTED: Final = b"\x12\x34\x56\x78\x9a\xbc\xde\xf0"


def _request(tail: bytes = b"", *, version: int = 3, mode: int = 3) -> bytes:
    return bytes((version << 3 | mode, 0, 6, 0xE9)) + bytes(36) + TRANSMITTED + tail


def _rid(desk: RpcDesk, name: str = "WS1$") -> int:
    def read(ctx: ReadContext) -> int:
        found = accounts.find_by_sam(ctx, name)
        assert found is not None
        return found.sid.rid()

    return desk.corp.read(read)


@pytest.fixture
def service(rpc_desk: RpcDesk) -> TimeService:
    add_member(rpc_desk)
    return TimeService(rpc_desk.directory)


def test_a_plain_request_gets_the_time_and_its_own_timestamp(rpc_desk: RpcDesk) -> None:
    """[MS-SNTP] 3.2.5, RFC 5905 7.3: when it came, and when the reply went."""
    times = iter((1_000_500_000_000, 1_002_250_000_000))
    service = TimeService(rpc_desk.directory, lambda: next(times))
    reply = service.answer(_request(version=4))
    assert reply is not None
    assert len(reply) == 48
    assert reply[0] == 4 << 3 | 4
    assert reply[2] == 6
    assert reply[24:32] == TRANSMITTED
    epoch = 2_208_988_800
    assert struct.unpack(">IIII", reply[32:48]) == (epoch + 1000, 1 << 31, epoch + 1002, 1 << 30)


def test_symmetric_active_is_answered_as_symmetric_passive(service: TimeService) -> None:
    reply = service.answer(_request(mode=1))
    assert reply is not None
    assert reply[0] & 7 == 2


@pytest.mark.parametrize("selector", [0, 0x8000_0000])
def test_a_member_gets_its_reply_signed_with_md5(
    rpc_desk: RpcDesk, service: TimeService, selector: int
) -> None:
    identifier = (_rid(rpc_desk) | selector).to_bytes(4, "little")
    reply = service.answer(_request(identifier + bytes(16)))
    assert reply is not None
    assert len(reply) == 68
    assert reply[48:52] == identifier
    assert reply[52:] == hashlib.md5(hash_of(MEMBER_PASSWORD) + reply[:48]).digest()  # noqa: S324 - as written


def test_a_member_gets_its_reply_signed_with_sha512(rpc_desk: RpcDesk, service: TimeService) -> None:
    identifier = _rid(rpc_desk).to_bytes(4, "little")
    reply = service.answer(_request(identifier + bytes((0, 0, 1, 0)) + bytes(64)))
    assert reply is not None
    assert len(reply) == 120
    assert reply[48:56] == identifier + bytes((0, 0, 1, 1))
    assert reply[56:] == time_signing.extended_checksum(hash_of(MEMBER_PASSWORD), identifier, reply[:48])


def test_the_whole_identifier_is_the_rid_of_an_extended_request(
    rpc_desk: RpcDesk, service: TimeService
) -> None:
    identifier = (_rid(rpc_desk) | 0x8000_0000).to_bytes(4, "little")
    assert service.answer(_request(identifier + bytes((0, 0, 1, 0)) + bytes(64))) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        _request()[:-1],
        _request(b"\0"),
        _request(mode=4),
        _request(mode=5),
        _request(mode=6),
        _request(mode=7),
        _request(version=0),
        _request(version=5),
        _request((1104).to_bytes(4, "little") + bytes((0, 0, 0, 0)) + bytes(64)),
    ],
)
def test_what_is_no_request_gets_no_reply(service: TimeService, data: bytes) -> None:
    assert service.answer(data) is None


@pytest.mark.parametrize("rid", [500, 502, 512, 99_999])
def test_nothing_is_signed_with_the_password_of_a_user(service: TimeService, rid: int) -> None:
    assert service.answer(_request(rid.to_bytes(4, "little") + bytes(16))) is None
    assert service.answer(_request(rid.to_bytes(4, "little") + bytes((0, 0, 1, 0)) + bytes(64))) is None


def test_nothing_is_signed_for_a_disabled_machine(rpc_desk: RpcDesk, service: TimeService) -> None:
    add_member(rpc_desk, "WS2", uac=0x1002)
    assert service.answer(_request(_rid(rpc_desk, "WS2$").to_bytes(4, "little") + bytes(16))) is None


def _signd(rid: int, *, version: int = 0, op: int = 0) -> bytes:
    return struct.pack(">IIHHI", version, op, 77, 0, 0)[:-4] + rid.to_bytes(4, "little") + _request()


def test_a_time_server_has_its_reply_signed(rpc_desk: RpcDesk, service: TimeService) -> None:
    reply = service.sign(_signd(_rid(rpc_desk)))
    assert struct.unpack(">IIII", reply[:16]) == (12 + 68, 0, SigndOp.SIGNING_SUCCESS, 77)
    packet = reply[16:]
    assert packet[:48] == _request()
    assert packet[52:] == hashlib.md5(hash_of(MEMBER_PASSWORD) + _request()).digest()  # noqa: S324


def test_a_time_server_is_told_that_nothing_was_signed(service: TimeService) -> None:
    assert struct.unpack(">IIII", service.sign(_signd(500))) == (12, 0, SigndOp.SIGNING_FAILURE, 77)


@pytest.mark.parametrize(
    "data",
    [_signd(1104, version=1), _signd(1104, op=2), _signd(1104)[:-1], b""],
    ids=["version", "op", "short", "empty"],
)
def test_what_is_no_signing_request_ends_the_connection(
    service: TimeService, data: bytes, tmp_path: Path
) -> None:
    async def talk() -> bytes:
        path = tmp_path / "socket"
        server = await asyncio.start_unix_server(lambda r, w: serve_signd(service, r, w), path)
        async with server:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(len(data).to_bytes(4, "big") + data)
            found = await reader.read()
            writer.close()
            await writer.wait_closed()
            return found

    assert asyncio.run(talk()) == b""


def test_the_signing_socket_answers_one_request_after_another(
    rpc_desk: RpcDesk, service: TimeService, tmp_path: Path
) -> None:
    wanted = _signd(_rid(rpc_desk))

    async def talk() -> list[bytes]:
        path = tmp_path / "socket"
        server = await asyncio.start_unix_server(lambda r, w: serve_signd(service, r, w), path)
        async with server:
            reader, writer = await asyncio.open_unix_connection(path)
            found = []
            for _ in range(2):
                writer.write(len(wanted).to_bytes(4, "big") + wanted)
                found.append(await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big")))
            writer.close()
            await writer.wait_closed()
        return found

    first, second = asyncio.run(talk())
    assert first == second == service.sign(wanted)[4:]


def test_times_are_counted_from_1900() -> None:
    assert sntp.ntp_time(0) == (2_208_988_800).to_bytes(4, "big") + bytes(4)
    assert sntp.ntp_time(1_500_000_000)[4:] == b"\x80\0\0\0"
