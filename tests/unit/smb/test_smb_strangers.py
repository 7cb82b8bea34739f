"""What clients that have not proven who they are can hold of the server, and what a thief of ids gets."""

import asyncio

from addc.base.clock import TICKS_PER_S, FileTime
from addc.codes.ntstatus import NtStatus
from addc.smb import messages as m
from addc.smb.connection import SmbConnection
from addc.smb.frames import Framer, framed
from addc.smb.messages import Command, Dialect
from addc.smb.policy import (
    MESSAGE_MAX_UNKNOWN,
    NULL_IDLE_S,
    OPENS_OF_NOBODY_MAX,
    SESSIONS_UNKNOWN_MAX,
    UNAUTHENTICATED_S,
    SmbPolicy,
)
from tests.kit.corp import Corp
from tests.kit.ntlm_client import NtlmClient
from tests.kit.smb_desk import SmbClient, SmbDesk, open_smb_desk, write_request

IPC = m.TreeConnectRequest(0, "\\\\dc1\\IPC$")


def stranger(desk: SmbDesk) -> SmbClient:
    client = desk.connect()
    client.negotiate(Dialect.SMB_3_1_1)
    return client


def nobody(desk: SmbDesk) -> SmbClient:
    client = stranger(desk)
    assert client.log_on_as_nobody().status is NtStatus.STATUS_SUCCESS
    client.tree_id = client.ask(Command.TREE_CONNECT, IPC).header.tree_id
    return client


def test_no_room_is_made_for_what_a_stranger_only_announces() -> None:
    """Four octets would otherwise be worth as many as they say."""
    framer = Framer(MESSAGE_MAX_UNKNOWN)
    assert framer.receive(framed(MESSAGE_MAX_UNKNOWN) + b"x" * 10) == []
    assert framer._message is not None and len(framer._message) == 10
    (whole,) = framer.receive(b"x" * (MESSAGE_MAX_UNKNOWN - 10))
    assert bytes(whole) == b"x" * MESSAGE_MAX_UNKNOWN


def test_strangers_begin_few_sessions(smb_desk: SmbDesk) -> None:
    client = stranger(smb_desk)
    token = NtlmClient.of("Administrator", "x").negotiate()
    statuses = []
    for _ in range(SESSIONS_UNKNOWN_MAX):
        statuses.append(client._setup(token, 0, 0)[1].status)
        client.session_id = 0
    assert NtStatus.STATUS_INSUFFICIENT_RESOURCES in statuses
    assert len(smb_desk.server.sessions) <= SESSIONS_UNKNOWN_MAX


def test_a_null_session_opens_few_pipes(smb_desk: SmbDesk) -> None:
    client = nobody(smb_desk)
    statuses = [client.create("lsarpc").status for _ in range(OPENS_OF_NOBODY_MAX + 1)]
    assert statuses[-2:] == [NtStatus.STATUS_SUCCESS, NtStatus.STATUS_INSUFFICIENT_RESOURCES]
    assert smb_desk.pipes[-1].closed


def test_a_null_session_proves_nothing(smb_desk: SmbDesk) -> None:
    """Its limits stay a stranger's, but for credits: no large messages, an end when it is idle."""
    client = nobody(smb_desk)
    protocol = client.protocol
    assert not protocol.authenticated
    assert client.ask(Command.ECHO, m.Plain(), credits=500).header.credits > 8
    now = smb_desk.clock.now()
    assert not protocol.has_been_silent(
        FileTime(now + 2 * UNAUTHENTICATED_S * TICKS_PER_S), UNAUTHENTICATED_S
    )
    later = FileTime(now + 2 * NULL_IDLE_S * TICKS_PER_S)
    assert protocol.has_been_silent(later, UNAUTHENTICATED_S)
    smb_desk.clock.when = later
    client.create("lsarpc")
    assert not protocol.has_been_silent(later, UNAUTHENTICATED_S)
    client.send_raw(framed(MESSAGE_MAX_UNKNOWN + 1))
    assert not protocol.is_open


def test_strangers_give_way_to_who_comes_next(corp_sqlite: Corp, runner: asyncio.Runner) -> None:
    """Connections that never say who they are cannot keep everybody else out."""
    desk = open_smb_desk(corp_sqlite, runner, SmbPolicy(connections_max=3))
    known = desk.logged_on()
    old = desk.connect()
    desk.clock.when = FileTime(desk.clock.now() + TICKS_PER_S)
    young = desk.connect()
    assert desk.logged_on().protocol.is_open
    assert not old.protocol.is_open and young.protocol.is_open and known.protocol.is_open


def test_nobody_gives_way_where_all_are_known(corp_sqlite: Corp, runner: asyncio.Runner) -> None:
    desk = open_smb_desk(corp_sqlite, runner, SmbPolicy(connections_max=1))
    known = desk.logged_on()
    assert not desk.connect().protocol.is_open and known.protocol.is_open


def test_a_binding_does_not_go_on_without_saying_so(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.5.5: without the flag the session is sought among those of the connection."""
    first = smb_desk.on_ipc()
    second = stranger(smb_desk)
    second.session_id, second.signer = first.session_id, first.signer
    client = NtlmClient.of("Administrator", "x")
    _, challenge = second._setup(client.negotiate(), m.SESSION_FLAG_BINDING, 0)
    assert challenge.status is NtStatus.STATUS_MORE_PROCESSING_REQUIRED
    token = client.authenticate(challenge.body(m.SessionSetupResponse).security_buffer)
    second.signed = False
    assert second._setup(token, 0, 0)[1].status is NtStatus.STATUS_USER_SESSION_DELETED


def test_files_and_trees_of_another_session_are_none(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.5.2.9 to 3.3.5.2.11: ids are looked up in what is the client's own."""
    owner, thief = smb_desk.on_ipc(), smb_desk.logged_on()
    file_id = owner.opened()
    thief.tree_id = 77
    assert thief.create().status is NtStatus.STATUS_NETWORK_NAME_DELETED
    thief.tree_id = thief.ask(Command.TREE_CONNECT, IPC).header.tree_id
    assert thief.ask(Command.WRITE, write_request(file_id, b"x")).status is NtStatus.STATUS_FILE_CLOSED
    other_tree = owner.ask(Command.TREE_CONNECT, IPC).header.tree_id
    owner.tree_id = other_tree
    assert owner.ask(Command.WRITE, write_request(file_id, b"x")).status is NtStatus.STATUS_FILE_CLOSED


def test_a_compound_does_not_lend_another_session(smb_desk: SmbDesk) -> None:
    """A related request is in the session of the one before it, whatever its own header says."""
    owner, thief = smb_desk.on_ipc(), smb_desk.on_ipc()
    file_id = owner.opened()
    write = write_request(file_id, b"stolen")
    thief_parts = [(int(Command.ECHO), m.Plain()), (int(Command.WRITE), write)]
    answers = thief.compound(*thief_parts)
    assert all(one.status is not NtStatus.STATUS_SUCCESS for one in answers[1:])
    assert smb_desk.pipes[0].held == b""


def test_encryption_of_one_session_carries_no_other(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.5.2.1.1."""
    mine, other = smb_desk.on_ipc(encrypted=True), smb_desk.on_ipc()
    message = mine.message(Command.ECHO, m.Plain(), session_id=other.session_id)
    mine.send_raw(mine.frame(message))
    assert not mine.protocol.is_open


def test_compressed_messages_are_none(smb_desk: SmbDesk) -> None:
    """Compression is never agreed, so that nothing is unpacked for anybody."""
    client = smb_desk.on_ipc()
    client.send_raw(framed(64) + b"\xfcSMB" + bytes(60))
    assert not client.protocol.is_open
    assert isinstance(client.protocol, SmbConnection)
