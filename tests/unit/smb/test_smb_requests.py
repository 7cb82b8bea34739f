"""What holds for every request: message ids, credits, compounds, waiting, sizes; pipes and control codes."""

import asyncio
import struct

import pytest

from addc.codes.ntstatus import NtStatus
from addc.smb import ioctl, pipe_files
from addc.smb import messages as m
from addc.smb.messages import Command, Dialect
from addc.smb.negotiate import ValidateNegotiateRequest, ValidateNegotiateResponse
from addc.smb.request import Reply, Request
from tests.kit.smb_desk import (
    GUID,
    SmbClient,
    SmbDesk,
    create_request,
    ioctl_request,
    read_request,
    write_request,
)


def test_echo(smb_desk: SmbDesk) -> None:
    assert smb_desk.on_ipc().ask(Command.ECHO, m.Plain()).status is NtStatus.STATUS_SUCCESS


def test_a_message_id_is_good_once(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.5.2.3."""
    client = smb_desk.on_ipc()
    again = client.frame(client.message(Command.ECHO, m.Plain()))
    assert client.send_raw(again)
    assert client.send_raw(again) == []
    assert client.transport.aborted


def test_a_message_id_beyond_the_credits_ends_the_connection(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    assert client.send_raw(client.frame(client.message(Command.ECHO, m.Plain(), message_id=100_000))) == []
    assert client.transport.aborted


def test_who_is_unknown_gets_few_credits(smb_desk: SmbDesk) -> None:
    client = smb_desk.connect()
    assert client.negotiate(Dialect.SMB_3_1_1).header.credits <= 8


def test_a_payload_needs_its_credits(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.5.2.5."""
    client = smb_desk.on_ipc()
    file_id = client.opened()
    answer = client.ask(Command.READ, read_request(file_id, 70_000))
    assert answer.status is NtStatus.STATUS_INVALID_PARAMETER
    client.ask(Command.WRITE, write_request(file_id, b"x"))
    answer = client.ask(Command.READ, read_request(file_id, 70_000), credit_charge=2)
    assert answer.status is NtStatus.STATUS_SUCCESS


def test_a_payload_has_a_greatest_size(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc(Dialect.SMB_2_0_2)
    file_id = client.opened()
    answer = client.ask(Command.READ, read_request(file_id, 65_537))
    assert answer.status is NtStatus.STATUS_INVALID_PARAMETER


def test_a_request_before_negotiation_ends_the_connection(smb_desk: SmbDesk) -> None:
    client = smb_desk.connect()
    assert client.send_raw(client.frame(client.message(Command.ECHO, m.Plain()))) == []
    assert client.transport.aborted


def test_negotiating_twice_ends_the_connection(smb_desk: SmbDesk) -> None:
    client = smb_desk.logged_on()
    client.signer = None
    client.negotiate(Dialect.SMB_3_1_1)
    assert client.transport.aborted


def test_a_related_compound_opens_writes_reads_and_closes(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.5.2.7.2."""
    client = smb_desk.on_ipc()
    answers = client.compound(
        (Command.CREATE, create_request("echo")),
        (Command.WRITE, write_request(m.ANY_FILE, b"chain")),
        (Command.READ, read_request(m.ANY_FILE)),
        (Command.CLOSE, m.CloseRequest(0, m.ANY_FILE)),
    )
    assert [answer.status for answer in answers] == [NtStatus.STATUS_SUCCESS] * 4
    assert answers[2].message[m.READ_DATA_OFFSET :][:5] == b"chain"
    assert client.signer is not None
    for answer in answers:
        assert client.signer.verifies(memoryview(answer.message))
    assert smb_desk.pipes[0].closed


def test_what_relates_to_a_create_that_failed_fails_as_it_did(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    answers = client.compound(
        (Command.CREATE, create_request("no-such-pipe")), (Command.CLOSE, m.CloseRequest(0, m.ANY_FILE))
    )
    assert [answer.status for answer in answers] == [NtStatus.STATUS_OBJECT_NAME_NOT_FOUND] * 2


def test_a_compound_encrypted(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc(encrypted=True)
    answers = client.compound(
        (Command.CREATE, create_request("echo")), (Command.CLOSE, m.CloseRequest(0, m.ANY_FILE))
    )
    assert [answer.status for answer in answers] == [NtStatus.STATUS_SUCCESS] * 2


def _waiting(client: SmbClient) -> m.Header:
    """The interim response of a read of a pipe that says nothing."""
    file_id = client.opened("quiet")
    answer = client.ask(Command.READ, read_request(file_id))
    assert answer.status is NtStatus.STATUS_PENDING
    assert answer.header.flags & m.FLAGS_ASYNC_COMMAND
    assert not answer.header.flags & m.FLAGS_SIGNED
    return answer.header


def test_a_read_that_waits_is_cancelled_by_its_async_id(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.4.2, 3.3.5.16."""
    client = smb_desk.on_ipc()
    header = _waiting(client)
    answer = client.ask(
        Command.CANCEL,
        m.Plain(),
        message_id=header.message_id,
        flags=m.FLAGS_ASYNC_COMMAND,
        process_id=header.process_id,
        tree_id=header.tree_id,
        credit_charge=0,
    )
    assert answer.status is NtStatus.STATUS_CANCELLED
    assert answer.header.async_id == header.async_id
    assert answer.header.credits == 0
    assert client.create().status is NtStatus.STATUS_SUCCESS


def test_a_cancel_with_a_wrong_signature_does_nothing(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    header = _waiting(client)
    cancel = bytearray(client.message(Command.CANCEL, m.Plain(), message_id=header.message_id))
    cancel[50] ^= 1
    assert client.send_raw(client.frame(bytes(cancel))) == []
    assert not client.transport.aborted


def test_what_waits_does_not_hold_up_the_rest(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    _waiting(client)
    assert client.ask(Command.ECHO, m.Plain()).status is NtStatus.STATUS_SUCCESS


def test_a_pipe_that_is_not_there(smb_desk: SmbDesk) -> None:
    assert smb_desk.on_ipc().create("spoolss").status is NtStatus.STATUS_OBJECT_NAME_NOT_FOUND


def test_a_pipe_knows_the_session_that_opened_it(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    client.opened()
    seen = smb_desk.pipes[0].client
    assert (seen.principal, seen.package, len(seen.session_key.reveal())) == ("Administrator", "NTLM", 16)


def test_a_message_longer_than_the_read(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    file_id = client.opened()
    client.ask(Command.WRITE, write_request(file_id, b"0123456789"))
    answer = client.ask(Command.READ, read_request(file_id, 4))
    assert answer.status is NtStatus.STATUS_BUFFER_OVERFLOW
    assert answer.message[m.READ_DATA_OFFSET :] == b"0123"


def test_transceive_and_peek(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    file_id = client.opened()
    answer = client.ask(Command.IOCTL, ioctl_request(pipe_files.FSCTL_PIPE_TRANSCEIVE, file_id, b"there"))
    assert answer.body(m.IoctlResponse).output == b"there"
    client.ask(Command.WRITE, write_request(file_id, b"abc"))
    answer = client.ask(Command.IOCTL, ioctl_request(pipe_files.FSCTL_PIPE_PEEK, file_id))
    assert struct.unpack("<4I", answer.body(m.IoctlResponse).output) == (3, 3, 1, 0)


def test_standard_information_of_a_pipe(smb_desk: SmbDesk) -> None:
    """W-JOIN-03: Windows asks for it before it binds."""
    client = smb_desk.on_ipc()
    request = m.QueryInfoRequest(1, 5, 24, b"", 0, 0, client.opened())
    assert len(client.ask(Command.QUERY_INFO, request).body(m.OutputResponse).output) == 24


@pytest.mark.parametrize("code", [0x0009_0240, 0x0014_4064, 0xFFFF_FFFF])
def test_other_control_codes_are_refused(smb_desk: SmbDesk, code: int) -> None:
    answer = smb_desk.on_ipc().ask(Command.IOCTL, ioctl_request(code, m.ANY_FILE))
    assert answer.status is NtStatus.STATUS_INVALID_DEVICE_REQUEST


def _validation(
    client: SmbClient, *dialects: Dialect, capabilities: int = m.CAP_ENCRYPTION
) -> m.IoctlRequest:
    said = ValidateNegotiateRequest(capabilities, GUID.bytes_le, m.SIGNING_ENABLED, tuple(dialects))
    return ioctl_request(ioctl.FSCTL_VALIDATE_NEGOTIATE_INFO, m.ANY_FILE, said.pack())


def test_a_negotiation_is_validated(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.5.15.12."""
    client = smb_desk.on_ipc(Dialect.SMB_3_0_2)
    answer = client.ask(Command.IOCTL, _validation(client, Dialect.SMB_3_0_2))
    said = ValidateNegotiateResponse.unpack(answer.body(m.IoctlResponse).output)
    assert said.dialect == Dialect.SMB_3_0_2


@pytest.mark.parametrize(
    ("dialects", "capabilities"),
    [((Dialect.SMB_3_0, Dialect.SMB_3_1_1), m.CAP_ENCRYPTION), ((Dialect.SMB_3_0,), 0)],
)
def test_a_downgraded_negotiation_ends_the_connection(
    smb_desk: SmbDesk, dialects: tuple[Dialect, ...], capabilities: int
) -> None:
    client = smb_desk.on_ipc(Dialect.SMB_3_0)
    request = _validation(client, *dialects, capabilities=capabilities)
    assert client.send_raw(client.frame(client.message(Command.IOCTL, request))) == []
    assert client.transport.aborted


def test_the_network_interface_is_the_one_in_use(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    client.protocol.local = "192.0.2.10"
    request = ioctl_request(ioctl.FSCTL_QUERY_NETWORK_INTERFACE_INFO, m.ANY_FILE)
    output = client.ask(Command.IOCTL, request).body(m.IoctlResponse).output
    assert len(output) == 152
    assert output[24:32] == bytes((2, 0, 0, 0, 192, 0, 2, 10))


def test_referrals_over_ipc(smb_desk: SmbDesk) -> None:
    """W-GPO-09."""
    client = smb_desk.on_ipc()
    data = struct.pack("<H", 4) + "\\corp.example.com\\sysvol\0".encode("utf-16-le")
    answer = client.ask(Command.IOCTL, ioctl_request(ioctl.FSCTL_DFS_GET_REFERRALS, m.ANY_FILE, data))
    assert answer.status is NtStatus.STATUS_SUCCESS
    assert "\\sysvol\0".encode("utf-16-le") in answer.body(m.IoctlResponse).output


@pytest.mark.parametrize("path", ["dc1\\IPC$", "\\\\dc1", "\\\\\\IPC$", "\\\\dc1\\IPC$\\more"])
def test_a_path_that_names_no_share(smb_desk: SmbDesk, path: str) -> None:
    answer = smb_desk.logged_on().ask(Command.TREE_CONNECT, m.TreeConnectRequest(0, path))
    assert answer.status is NtStatus.STATUS_INVALID_PARAMETER


def test_an_unknown_share(smb_desk: SmbDesk) -> None:
    answer = smb_desk.logged_on().ask(Command.TREE_CONNECT, m.TreeConnectRequest(0, "\\\\dc1\\nope"))
    assert answer.status is NtStatus.STATUS_BAD_NETWORK_NAME


def test_a_disconnected_tree_is_none(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    client.opened()
    assert client.ask(Command.TREE_DISCONNECT, m.Plain()).status is NtStatus.STATUS_SUCCESS
    assert smb_desk.pipes[0].closed
    assert client.create().status is NtStatus.STATUS_NETWORK_NAME_DELETED


def test_a_replayed_write_of_an_older_channel_sequence_is_refused(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.5.2.10."""
    client = smb_desk.on_ipc(Dialect.SMB_3_0)
    file_id = client.opened()
    assert client.ask(Command.WRITE, write_request(file_id, b"x"), status=2).status is NtStatus.STATUS_SUCCESS
    answer = client.ask(Command.WRITE, write_request(file_id, b"x"), status=1)
    assert answer.status is NtStatus.STATUS_FILE_NOT_AVAILABLE


def test_what_was_begun_is_answered_before_the_server_ends(smb_desk: SmbDesk) -> None:
    """Requests that came later are not; nor does one that was told to wait hold up the end."""
    client, gate = smb_desk.on_ipc(), asyncio.Event()
    client.ask(Command.READ, read_request(client.opened("quiet")))
    client.take()

    async def slow(request: Request) -> Reply:
        del request
        await gate.wait()
        return Reply(m.Plain())

    smb_desk.server.commands[Command.ECHO] = slow

    async def end() -> None:
        client.protocol.data_received(client.frame(client.message(Command.ECHO, m.Plain())))
        ending = asyncio.create_task(smb_desk.server.close())
        await asyncio.sleep(0)
        client.protocol.data_received(client.frame(client.message(Command.ECHO, m.Plain())))
        gate.set()
        await ending

    smb_desk.runner.run(end())
    (answer,) = client.take()
    assert answer.header.command == Command.ECHO and answer.status is NtStatus.STATUS_SUCCESS
