"""Any octets leave the SMB server an answer or an end, and never a failure of its own."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from addc.smb import messages as m
from addc.smb.frames import framed
from addc.smb.messages import Command, Dialect
from tests.kit.mutate import mutations
from tests.kit.smb_desk import SmbDesk, create_request, ioctl_request, write_request

_SHARED = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _no_failures(caplog: pytest.LogCaptureFixture) -> None:
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@_SHARED
@given(st.binary(max_size=300), st.booleans())
def test_any_octets(smb_desk: SmbDesk, caplog: pytest.LogCaptureFixture, data: bytes, whole: bool) -> None:
    client = smb_desk.connect()
    if whole:
        client.send_raw(framed(len(data)) + data)
    else:
        for byte in data:
            client.send_raw(bytes((byte,)))
    _no_failures(caplog)


def test_damaged_requests_of_a_logged_on_client(smb_desk: SmbDesk, caplog: pytest.LogCaptureFixture) -> None:
    """Signed after the damage, so that it reaches the handlers."""
    seeds = [
        create_request("echo"),
        write_request(m.FileId(1, 1), b"abc"),
        ioctl_request(0x0006_0194, m.ANY_FILE, b"\x04\x00\\\x00\x00\x00"),
        m.TreeConnectRequest(0, "\\\\dc1\\IPC$"),
        m.SessionSetupRequest(0, 1, 0, b"NTLMSSP\0"),
        m.QueryInfoRequest(1, 5, 24, b"", 0, 0, m.FileId(1, 1)),
        m.LockRequest((m.LockElement(0, 1, 1),), 0, m.FileId(1, 1)),
    ]
    commands = [5, 9, 11, 3, 1, 16, 10]
    client = smb_desk.on_ipc()
    for command, seed in zip(commands, seeds, strict=True):
        for damaged in mutations([seed.pack(m.HEADER_SIZE)], 40, seed=command):
            if not client.protocol.is_open or client.protocol.window.available < 8:
                client = smb_desk.on_ipc()
            signer = client.signer
            message = bytearray(client.message(command, m.Plain())[: m.HEADER_SIZE] + damaged)
            assert signer is not None
            if len(damaged) > 1:
                signer.sign(message)
            client.send_raw(client.frame(bytes(message)))
            _no_failures(caplog)


def test_octets_inside_encryption(smb_desk: SmbDesk, caplog: pytest.LogCaptureFixture) -> None:
    for damaged in mutations([m.Header(Command.ECHO, 5).pack() + m.Plain().pack()], 80, seed=3):
        client = smb_desk.on_ipc(Dialect.SMB_3_0, encrypted=True)
        client.send_raw(client.frame(damaged or b"x"))
        _no_failures(caplog)


def test_a_server_that_was_abused_still_serves(smb_desk: SmbDesk) -> None:
    for data in (b"\xff" * 100, framed(4) + b"\xfeSMB", framed(64) + b"\xfdSMB" + bytes(60)):
        smb_desk.connect().send_raw(data)
    assert smb_desk.on_ipc().create().header.status == 0
