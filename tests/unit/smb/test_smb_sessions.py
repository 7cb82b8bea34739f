"""Sessions over every dialect: who comes in, what has to be signed, encrypted or refused."""

import asyncio

import pytest

from addc.codes.ntstatus import NtStatus
from addc.security.token import ANONYMOUS
from addc.smb import messages as m
from addc.smb.messages import Command, Dialect
from addc.smb.negotiate import DIALECTS
from addc.smb.policy import Encryption, SmbPolicy
from tests.kit.corp import Corp
from tests.kit.corp_forest import ADMIN_PASSWORD
from tests.kit.smb_desk import ADMIN, SmbDesk, open_smb_desk, read_request, write_request

IPC = m.TreeConnectRequest(0, "\\\\dc1\\IPC$")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_pipe_over_every_dialect(smb_desk: SmbDesk, dialect: Dialect) -> None:
    client = smb_desk.on_ipc(dialect)
    file_id = client.opened()
    client.ask(Command.WRITE, write_request(file_id, b"over and back"))
    answer = client.ask(Command.READ, read_request(file_id))
    assert answer.message[m.READ_DATA_OFFSET :] == b"over and back"
    assert client.signer is not None and client.signer.verifies(memoryview(answer.message))


@pytest.mark.parametrize("dialect", [Dialect.SMB_3_0, Dialect.SMB_3_1_1])
def test_a_pipe_inside_encryption(smb_desk: SmbDesk, dialect: Dialect) -> None:
    client = smb_desk.on_ipc(dialect, encrypted=True)
    file_id = client.opened()
    answer = client.ask(Command.WRITE, write_request(file_id, b"x"))
    assert answer.status is NtStatus.STATUS_SUCCESS
    assert not answer.header.flags & m.FLAGS_SIGNED
    assert smb_desk.pipes[0].client.encrypted


def test_a_wrong_password_is_a_logon_failure_and_leaves_no_session(smb_desk: SmbDesk) -> None:
    client = smb_desk.connect()
    client.negotiate(Dialect.SMB_3_1_1)
    assert client.log_on(ADMIN, "wrong").status is NtStatus.STATUS_LOGON_FAILURE
    assert not smb_desk.server.sessions


def test_nobody_of_this_name_is_told_the_same(smb_desk: SmbDesk) -> None:
    client = smb_desk.connect()
    client.negotiate(Dialect.SMB_3_1_1)
    assert client.log_on("nobody-here", ADMIN_PASSWORD).status is NtStatus.STATUS_LOGON_FAILURE


def test_unsigned_requests_are_denied(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.5.2.4: signing is required."""
    client = smb_desk.on_ipc(Dialect.SMB_3_0_2)
    client.signed = False
    assert client.create().status is NtStatus.STATUS_ACCESS_DENIED
    assert client.ask(Command.TREE_CONNECT, IPC).status is NtStatus.STATUS_ACCESS_DENIED


def test_an_unsigned_tree_connect_of_3_1_1_ends_the_connection(
    corp_sqlite: Corp, runner: asyncio.Runner
) -> None:
    """[MS-SMB2] 3.3.5.7, whatever the server requires."""
    desk = open_smb_desk(corp_sqlite, runner, SmbPolicy(signing_required=False))
    client = desk.logged_on()
    client.signed = False
    assert client.send_raw(client.frame(client.message(Command.TREE_CONNECT, IPC))) == []
    assert client.transport.aborted


def test_where_the_operator_lets_them_unsigned_requests_go(corp_sqlite: Corp, runner: asyncio.Runner) -> None:
    desk = open_smb_desk(corp_sqlite, runner, SmbPolicy(signing_required=False))
    client = desk.on_ipc(Dialect.SMB_3_0)
    client.signed = False
    answer = client.create()
    assert answer.status is NtStatus.STATUS_SUCCESS
    assert not answer.header.flags & m.FLAGS_SIGNED


def test_a_changed_message_is_denied(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    changed = bytearray(client.message(Command.ECHO, m.Plain()))
    changed[-1] ^= 1
    (answer,) = client.send_raw(client.frame(bytes(changed)))
    assert answer.status is NtStatus.STATUS_ACCESS_DENIED


def test_a_changed_encrypted_message_ends_the_connection(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc(encrypted=True)
    changed = bytearray(client.frame(client.message(Command.ECHO, m.Plain())))
    changed[-1] ^= 1
    assert client.send_raw(bytes(changed)) == []
    assert client.transport.aborted


def test_a_session_of_another_connection_is_none(smb_desk: SmbDesk) -> None:
    first = smb_desk.on_ipc()
    second = smb_desk.connect()
    second.negotiate(Dialect.SMB_3_1_1)
    second.session_id, second.signer, second.tree_id = first.session_id, first.signer, first.tree_id
    assert second.create().status is NtStatus.STATUS_USER_SESSION_DELETED


def test_logoff_ends_the_session_and_its_pipes(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    client.opened()
    answer = client.ask(Command.LOGOFF, m.Plain())
    assert answer.status is NtStatus.STATUS_SUCCESS
    assert client.signer is not None and client.signer.verifies(memoryview(answer.message))
    assert smb_desk.pipes[0].closed
    assert client.create().status is NtStatus.STATUS_USER_SESSION_DELETED


def test_a_lost_connection_lets_go_of_everything(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    client.opened()

    async def lose() -> None:
        client.protocol.connection_lost(None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    smb_desk.runner.run(lose())
    assert smb_desk.pipes[0].closed
    assert not smb_desk.server.sessions
    assert not smb_desk.server.connections


def test_an_expired_session_works_again_after_the_proof_is_renewed(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.5.2.9, 3.3.5.5.2: CLOSE goes on, the rest waits for it."""
    client = smb_desk.on_ipc()
    file_id = client.opened()
    session = smb_desk.server.sessions[client.session_id]
    session.expires_ft = smb_desk.clock.now()
    assert client.create().status is NtStatus.STATUS_NETWORK_SESSION_EXPIRED
    answer = client.ask(Command.CLOSE, m.CloseRequest(0, file_id))
    assert answer.status is NtStatus.STATUS_SUCCESS
    signer = client.signer
    ntlm = client.log_on_again()
    assert ntlm.status is NtStatus.STATUS_SUCCESS
    assert client.signer is signer
    assert client.create().status is NtStatus.STATUS_SUCCESS


def test_nobody_goes_on_with_the_session_of_another(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.5.5.2 keeps the keys: who knows them would act as whoever's proof he passed on."""
    client = smb_desk.on_ipc()
    session = smb_desk.server.sessions[client.session_id]
    session.token, session.keys_of = smb_desk.plain_user(), smb_desk.plain_user().user
    assert client.log_on_again(ADMIN).status is NtStatus.STATUS_ACCESS_DENIED
    assert client.create().status is NtStatus.STATUS_USER_SESSION_DELETED
    assert not smb_desk.server.sessions


def test_a_null_session_becomes_nobody_s(smb_desk: SmbDesk) -> None:
    """It has no keys, so that a user's requests in it would need no signatures."""
    client = smb_desk.connect()
    client.negotiate(Dialect.SMB_3_1_1)
    assert client.log_on_as_nobody().status is NtStatus.STATUS_SUCCESS
    assert client.log_on_again(ADMIN).status is NtStatus.STATUS_ACCESS_DENIED
    assert not smb_desk.server.sessions


def test_the_user_comes_back_to_a_session_that_was_nobody_s_meanwhile(smb_desk: SmbDesk) -> None:
    client = smb_desk.on_ipc()
    session = smb_desk.server.sessions[client.session_id]
    session.token = ANONYMOUS
    assert client.log_on_again().status is NtStatus.STATUS_SUCCESS
    assert not session.token.is_anonymous
    assert client.create().status is NtStatus.STATUS_SUCCESS


def test_where_encryption_is_required_no_proof_is_renewed_in_clear(
    corp_sqlite: Corp, runner: asyncio.Runner
) -> None:
    desk = open_smb_desk(corp_sqlite, runner, SmbPolicy(encryption=Encryption.REQUIRED))
    client = desk.logged_on()
    client.signed = False
    answer = client.ask(Command.SESSION_SETUP, m.SessionSetupRequest(0, 1, 0, b"", 0))
    assert answer.status is NtStatus.STATUS_ACCESS_DENIED


def test_a_previous_session_of_the_same_user_ends(smb_desk: SmbDesk) -> None:
    old = smb_desk.on_ipc()
    new = smb_desk.connect()
    new.negotiate(Dialect.SMB_3_1_1)
    assert new.log_on(previous=old.session_id).status is NtStatus.STATUS_SUCCESS
    assert list(smb_desk.server.sessions) == [new.session_id]
    assert old.create().status is NtStatus.STATUS_USER_SESSION_DELETED


def test_a_channel_is_bound_to_a_session_by_its_key_and_user(smb_desk: SmbDesk) -> None:
    """[MS-SMB2] 3.3.5.5: signed by the session, then by the channel's own key."""
    first = smb_desk.on_ipc()
    file_id = first.opened()
    second = smb_desk.connect()
    second.negotiate(Dialect.SMB_3_1_1)
    second.session_id, second.signer, second.tree_id = first.session_id, first.signer, first.tree_id
    assert second.log_on(flags=m.SESSION_FLAG_BINDING).status is NtStatus.STATUS_SUCCESS
    answer = second.ask(Command.WRITE, write_request(file_id, b"by the other channel"))
    assert answer.status is NtStatus.STATUS_SUCCESS


def test_an_unsigned_binding_is_refused(smb_desk: SmbDesk) -> None:
    first = smb_desk.on_ipc()
    second = smb_desk.connect()
    second.negotiate(Dialect.SMB_3_1_1)
    second.session_id = first.session_id
    assert second.log_on(flags=m.SESSION_FLAG_BINDING).status is NtStatus.STATUS_INVALID_PARAMETER


def test_where_encryption_is_required_nothing_goes_in_clear(
    corp_sqlite: Corp, runner: asyncio.Runner
) -> None:
    desk = open_smb_desk(corp_sqlite, runner, SmbPolicy(encryption=Encryption.REQUIRED))
    old = desk.connect()
    assert old.negotiate(Dialect.SMB_2_1).status is NtStatus.STATUS_NOT_SUPPORTED
    client = desk.logged_on()
    assert client.ask(Command.TREE_CONNECT, IPC).status is NtStatus.STATUS_ACCESS_DENIED
    client.encrypted = True
    assert client.ask(Command.TREE_CONNECT, IPC).status is NtStatus.STATUS_SUCCESS


def test_a_share_that_demands_encryption(smb_desk: SmbDesk) -> None:
    sealed = m.TreeConnectRequest(0, "\\\\dc1\\sealed")
    assert smb_desk.logged_on(Dialect.SMB_2_1).ask(Command.TREE_CONNECT, sealed).status is (
        NtStatus.STATUS_ACCESS_DENIED
    )
    client = smb_desk.logged_on()
    answer = client.ask(Command.TREE_CONNECT, sealed)
    assert answer.status is NtStatus.STATUS_SUCCESS
    client.tree_id = answer.header.tree_id
    assert client.create("file").status is NtStatus.STATUS_ACCESS_DENIED


def test_a_share_is_for_those_whom_its_descriptor_lets_in(smb_desk: SmbDesk) -> None:
    private = m.TreeConnectRequest(0, "\\\\dc1\\private")
    admin = smb_desk.logged_on()
    answer = admin.ask(Command.TREE_CONNECT, private)
    assert answer.body(m.TreeConnectResponse).maximal_access == 0x1F01FF
    smb_desk.server.sessions[admin.session_id].token = smb_desk.plain_user()
    assert admin.ask(Command.TREE_CONNECT, private).status is NtStatus.STATUS_ACCESS_DENIED


def test_a_null_session_reaches_its_pipes_and_nothing_else(smb_desk: SmbDesk) -> None:
    client = smb_desk.connect()
    client.negotiate(Dialect.SMB_3_1_1)
    answer = client.log_on_as_nobody()
    assert answer.status is NtStatus.STATUS_SUCCESS
    assert answer.body(m.SessionSetupResponse).session_flags == m.SESSION_FLAG_IS_NULL
    private = m.TreeConnectRequest(0, "\\\\dc1\\private")
    assert client.ask(Command.TREE_CONNECT, private).status is NtStatus.STATUS_ACCESS_DENIED
    client.tree_id = client.ask(Command.TREE_CONNECT, IPC).header.tree_id
    assert client.create("lsarpc").status is NtStatus.STATUS_SUCCESS
    # No name within a share begins with a backslash.
    assert client.create("\\lsarpc").status is NtStatus.STATUS_ACCESS_DENIED
    assert client.create("echo").status is NtStatus.STATUS_ACCESS_DENIED
    assert smb_desk.pipes[0].client.token.is_anonymous


@pytest.mark.parametrize("policy", [SmbPolicy(anonymous=False), SmbPolicy(encryption=Encryption.REQUIRED)])
def test_no_null_session_where_the_operator_forbids_it(
    corp_sqlite: Corp, runner: asyncio.Runner, policy: SmbPolicy
) -> None:
    desk = open_smb_desk(corp_sqlite, runner, policy)
    client = desk.connect()
    client.negotiate(Dialect.SMB_3_1_1)
    assert client.log_on_as_nobody().status is NtStatus.STATUS_LOGON_FAILURE


def test_who_never_proves_anything_is_let_go(smb_desk: SmbDesk) -> None:
    silent, known = smb_desk.connect(), smb_desk.on_ipc()
    later = smb_desk.clock.now() + 46 * 10_000_000
    assert silent.protocol.has_been_silent(later, 45)  # type: ignore[arg-type]
    assert not known.protocol.has_been_silent(later, 45)  # type: ignore[arg-type]
