"""Files over SMB: opening, sharing, deleting, renaming, locks, caches, rights; by whole requests."""

import asyncio
import struct
from uuid import UUID

import pytest

from addc.codes.ntstatus import NtStatus
from addc.security import sddl, wellknown
from addc.smb import create_contexts as cc
from addc.smb import messages as m
from addc.smb.create_contexts import LeaseV2, write_contexts
from addc.smb.fscc import FileInfo
from addc.smb.messages import Command
from tests.kit.file_desk import CREATE, DELETE_ON_CLOSE, FOLDER, OPEN, PLAIN, FileDesk, file_desk
from tests.kit.smb_desk import Answer, ioctl_request

__all__ = ["file_desk"]

OK = NtStatus.STATUS_SUCCESS
READ, WRITE, DELETE = 0x0012_0089, 0x0012_0116, 0x0001_0000


def _rename(name: str, *, replace: bool = False) -> bytes:
    text = name.encode("utf-16-le")
    return struct.pack("<B7xQI", replace, 0, len(text)) + text


def test_what_was_written_is_read_and_lies_on_the_host(file_desk: FileDesk) -> None:
    user = file_desk.user()
    file_id = user.opened("a.txt")
    assert user.write(file_id, b"hello") is OK
    assert user.read(file_id) == (OK, b"hello")
    assert user.close(file_id) is OK
    assert (file_desk.folder / "a.txt").read_bytes() == b"hello"
    assert user.read(file_id)[0] is NtStatus.STATUS_FILE_CLOSED


def test_names_are_found_without_case(file_desk: FileDesk) -> None:
    user = file_desk.user()
    (file_desk.folder / "Sub").mkdir()
    (file_desk.folder / "Sub" / "ReadMe").write_text("x")
    assert user.create("SUB\\readme", READ, OPEN).status is OK
    assert user.create("sub\\README", READ, CREATE).status is NtStatus.STATUS_OBJECT_NAME_COLLISION


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("missing", NtStatus.STATUS_OBJECT_NAME_NOT_FOUND),
        ("missing\\x", NtStatus.STATUS_OBJECT_PATH_NOT_FOUND),
        ("..\\secret", NtStatus.STATUS_OBJECT_PATH_SYNTAX_BAD),
        ("link", NtStatus.STATUS_OBJECT_NAME_NOT_FOUND),
        ("link\\secret", NtStatus.STATUS_OBJECT_PATH_NOT_FOUND),
        ("a.txt:stream", NtStatus.STATUS_OBJECT_NAME_INVALID),
    ],
)
def test_nothing_leads_out_of_the_share(file_desk: FileDesk, name: str, status: NtStatus) -> None:
    outside = file_desk.folder.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (file_desk.folder / "link").symlink_to(outside)
    assert file_desk.user().create(name, READ, OPEN).status is status


def test_a_denied_share_mode_is_a_sharing_violation(file_desk: FileDesk) -> None:
    """[MS-FSA] 2.1.5.1.2.2."""
    user, other = file_desk.user(), file_desk.user()
    file_id = user.opened("a.txt", share=1)
    assert other.create("a.txt", WRITE, OPEN).status is NtStatus.STATUS_SHARING_VIOLATION
    assert other.create("a.txt", READ, OPEN).status is OK
    user.close(file_id)
    assert other.create("a.txt", WRITE, OPEN).status is OK


def test_a_file_goes_with_its_last_open(file_desk: FileDesk) -> None:
    """[MS-FSA] 2.1.5.5."""
    user = file_desk.user()
    first, second = user.opened("a.txt"), user.opened("a.txt")
    assert user.set_info(first, FileInfo.DISPOSITION, b"\x01") is OK
    assert user.create("a.txt", READ, OPEN).status is NtStatus.STATUS_DELETE_PENDING
    user.close(first)
    assert (file_desk.folder / "a.txt").exists()
    user.close(second)
    assert not (file_desk.folder / "a.txt").exists()


def test_delete_on_close_needs_the_right_to_delete(file_desk: FileDesk) -> None:
    user = file_desk.user()
    refused = user.create("a.txt", READ, options=DELETE_ON_CLOSE)
    assert refused.status is NtStatus.STATUS_INVALID_PARAMETER
    file_id = user.opened("a.txt", DELETE, options=DELETE_ON_CLOSE)
    user.close(file_id)
    assert not (file_desk.folder / "a.txt").exists()


def test_a_full_folder_and_a_read_only_file_are_not_deleted(file_desk: FileDesk) -> None:
    user = file_desk.user()
    folder = user.opened("sub", options=FOLDER)
    user.close(user.opened("sub\\x"))
    assert user.set_info(folder, FileInfo.DISPOSITION, b"\x01") is NtStatus.STATUS_DIRECTORY_NOT_EMPTY
    guarded = user.opened("r.txt", attributes=1)
    assert user.set_info(guarded, FileInfo.DISPOSITION, b"\x01") is NtStatus.STATUS_CANNOT_DELETE


def test_renames_move_files_and_refuse_what_is_taken(file_desk: FileDesk) -> None:
    """[MS-FSA] 2.1.5.15.11."""
    user = file_desk.user()
    user.close(user.opened("b.txt"))
    user.close(user.opened("sub", options=FOLDER))
    file_id = user.opened("a.txt")
    assert user.set_info(file_id, FileInfo.RENAME, _rename("b.txt")) is (
        NtStatus.STATUS_OBJECT_NAME_COLLISION
    )
    assert user.set_info(file_id, FileInfo.RENAME, _rename("b.txt", replace=True)) is OK
    assert user.set_info(file_id, FileInfo.RENAME, _rename("sub\\c.txt")) is OK
    assert (file_desk.folder / "sub" / "c.txt").exists()
    assert not (file_desk.folder / "b.txt").exists()
    reader = user.opened("sub\\c.txt", READ, OPEN)
    assert user.set_info(reader, FileInfo.RENAME, _rename("d.txt")) is NtStatus.STATUS_ACCESS_DENIED


def test_a_folder_with_open_files_is_not_renamed(file_desk: FileDesk) -> None:
    user = file_desk.user()
    folder = user.opened("sub", options=FOLDER)
    inside = user.opened("sub\\x")
    assert user.set_info(folder, FileInfo.RENAME, _rename("other")) is NtStatus.STATUS_ACCESS_DENIED
    user.close(inside)
    assert user.set_info(folder, FileInfo.RENAME, _rename("other")) is OK


def test_kinds_are_not_mistaken(file_desk: FileDesk) -> None:
    user = file_desk.user()
    user.close(user.opened("sub", options=FOLDER))
    user.close(user.opened("a.txt"))
    assert user.create("sub", READ, OPEN, options=PLAIN).status is NtStatus.STATUS_FILE_IS_A_DIRECTORY
    assert user.create("a.txt", READ, OPEN, options=FOLDER).status is NtStatus.STATUS_NOT_A_DIRECTORY
    folder = user.opened("sub", READ, OPEN)
    assert user.read(folder)[0] is NtStatus.STATUS_INVALID_DEVICE_REQUEST


def test_the_rights_of_an_open_hold_for_all_it_is_used_for(file_desk: FileDesk) -> None:
    """[MS-SMB2] 3.3.5.12, 3.3.5.13, 3.3.5.20, 3.3.5.21."""
    user = file_desk.user()
    user.close(user.opened("a.txt"))
    reader, writer = user.opened("a.txt", 0x1, OPEN), user.opened("a.txt", 0x2, OPEN)
    denied = NtStatus.STATUS_ACCESS_DENIED
    assert user.write(reader, b"x") is denied
    assert user.read(writer)[0] is denied
    assert user.query(writer, FileInfo.BASIC)[0] is denied
    assert user.query(reader, 0, 3, 4)[0] is denied
    assert user.query(reader, 0, 3, 8)[0] is denied
    assert user.set_info(reader, FileInfo.BASIC, bytes(40)) is denied
    assert user.set_info(reader, FileInfo.END_OF_FILE, bytes(8)) is denied
    assert user.set_info(reader, FileInfo.DISPOSITION, b"\x01") is denied
    assert user.set_info(reader, 0, sddl.parse("D:").pack(), 3, 4) is denied
    assert user.set_info(reader, 0, sddl.parse("O:BA").pack(), 3, 1) is denied


def test_a_descriptor_that_denies_denies(file_desk: FileDesk) -> None:
    """[MS-FSA] 2.1.5.1.2.1, 2.1.5.17: the owner alone can still change it."""
    user = file_desk.user()
    user.close(user.opened("sub", options=FOLDER))
    file_id = user.opened("sub\\a.txt")
    only_read = sddl.parse("D:PAI(A;;FR;;;WD)").pack()
    assert user.set_info(file_id, 0, only_read, 3, 4) is OK
    folder = user.opened("sub")
    assert user.set_info(folder, 0, sddl.parse("D:P(A;;0x1200a9;;;WD)").pack(), 3, 4) is OK
    assert user.create("sub\\a.txt", WRITE, OPEN).status is NtStatus.STATUS_ACCESS_DENIED
    assert user.create("sub\\a.txt", DELETE, OPEN).status is NtStatus.STATUS_ACCESS_DENIED
    assert user.create("sub\\b.txt").status is NtStatus.STATUS_ACCESS_DENIED
    assert user.create("sub\\c", options=FOLDER).status is NtStatus.STATUS_ACCESS_DENIED
    assert user.create("sub\\a.txt", READ, OPEN).status is OK


def test_new_files_inherit_from_their_folder(file_desk: FileDesk) -> None:
    """[MS-DTYP] 2.5.3.4."""
    user = file_desk.user()
    folder = user.opened("sub", options=FOLDER)
    wanted = sddl.parse("D:PARAI(A;OICI;FA;;;BA)(A;OI;FR;;;AU)").pack()
    assert user.set_info(folder, 0, wanted, 3, 4) is OK
    file_id = user.opened("sub\\a.txt", READ)
    made = sddl.format(sddl.parse("D:").__class__.unpack(user.query(file_id, 0, 3, 4)[1]))
    assert "(A;ID;FA;;;BA)(A;ID;FR;;;AU)" in made


def test_locks_hold_between_opens_and_go_with_them(file_desk: FileDesk) -> None:
    user, other = file_desk.user(), file_desk.user()
    mine, theirs = user.opened("a.txt"), other.opened("a.txt")
    user.write(mine, b"0123456789")
    assert user.lock(mine, 0, 5, 0x12) is OK
    assert other.lock(theirs, 4, 1, 0x12) is NtStatus.STATUS_LOCK_NOT_GRANTED
    assert other.read(theirs)[0] is NtStatus.STATUS_FILE_LOCK_CONFLICT
    assert other.write(theirs, b"x") is NtStatus.STATUS_FILE_LOCK_CONFLICT
    assert user.lock(mine, 0, 4, 0x4) is NtStatus.STATUS_RANGE_NOT_LOCKED
    user.close(mine)
    assert other.lock(theirs, 4, 1, 0x12) is OK


def test_listings_tell_every_name_once(file_desk: FileDesk) -> None:
    user = file_desk.user()
    for name in ("b", "a", "c.txt"):
        user.close(user.opened(name))
    folder = user.opened("", READ, OPEN, options=FOLDER)
    status, data = user.listing(folder)
    assert status is OK
    for name in ("a", "b", "c.txt"):
        assert data.count(struct.pack("<I", 2 * len(name)) + name.encode("utf-16-le")) == 1
    assert user.listing(folder)[0] is NtStatus.STATUS_NO_MORE_FILES
    again = user.opened("", READ, OPEN, options=FOLDER)
    assert user.listing(again, "*.exe")[0] is NtStatus.STATUS_NO_SUCH_FILE
    assert user.listing(again, "C.TXT", 1)[0] is OK
    blind = user.opened("", 0x80, OPEN, options=FOLDER)
    assert user.listing(blind)[0] is NtStatus.STATUS_ACCESS_DENIED


def test_a_lease_is_broken_for_another_client_and_waits_for_its_answer(file_desk: FileDesk) -> None:
    """[MS-SMB2] 3.3.4.7, 3.3.5.22.2."""
    user, other = file_desk.user(), file_desk.user()
    wanted = LeaseV2(b"k" * 16, 7, 0, bytes(16), 1)
    answer = user.create("a.txt", oplock=0xFF, contexts=write_contexts([(cc.LEASE, wanted.pack())]))
    assert answer.body(m.CreateResponse).oplock_level == 0xFF
    pending = other.create("a.txt")
    assert pending.status is NtStatus.STATUS_PENDING
    told = user.client.take()
    assert [one.header.command for one in told] == [Command.OPLOCK_BREAK]
    body = told[0].body(m.LeaseBreakNotification)
    assert (body.current_state, body.new_state, body.new_epoch) == (7, 3, 3)
    acknowledged = user.client.ask(Command.OPLOCK_BREAK, m.LeaseBreak(0, b"k" * 16, 3))
    assert acknowledged.status is OK
    assert [one.status for one in other.finished()] == [OK]


def test_a_lease_key_is_of_one_file(file_desk: FileDesk) -> None:
    user = file_desk.user()
    context = write_contexts([(cc.LEASE, LeaseV2(b"k" * 16, 3, 0, bytes(16), 0).pack())])
    assert user.create("a.txt", oplock=0xFF, contexts=context).status is OK
    refused = user.create("b.txt", oplock=0xFF, contexts=context)
    assert refused.status is NtStatus.STATUS_INVALID_PARAMETER
    assert not (file_desk.folder / "b.txt").exists()


def test_what_volumes_lack_is_refused(file_desk: FileDesk) -> None:
    user = file_desk.user()
    file_id = user.opened("a.txt")
    assert user.set_info(file_id, FileInfo.LINK, _rename("b")) is NtStatus.STATUS_NOT_SUPPORTED
    assert user.set_info(file_id, FileInfo.FULL_EA, bytes(16)) is NtStatus.STATUS_EAS_NOT_SUPPORTED
    assert user.query(file_id, 32, 4)[0] is NtStatus.STATUS_NOT_SUPPORTED
    answer = user.client.ask(Command.IOCTL, ioctl_request(0x0009_00A8, file_id))
    assert answer.status is NtStatus.STATUS_NOT_A_REPARSE_POINT


def test_copies_on_the_server_need_the_rights_of_both_opens(file_desk: FileDesk) -> None:
    """[MS-SMB2] 3.3.5.15.6."""
    user = file_desk.user()
    source, target = user.opened("a.txt"), user.opened("b.txt")
    user.write(source, b"0123456789")
    answer = user.client.ask(Command.IOCTL, ioctl_request(0x0014_0078, source))
    key = answer.body(m.IoctlResponse).output[:24]
    copy = key + struct.pack("<II", 1, 0) + struct.pack("<QQII", 2, 0, 5, 0)
    answer = user.client.ask(Command.IOCTL, ioctl_request(0x0014_40F2, target, copy))
    assert answer.status is OK
    assert user.read(target) == (OK, b"23456")
    reader = user.opened("b.txt", READ, OPEN)
    answer = user.client.ask(Command.IOCTL, ioctl_request(0x0014_40F2, reader, copy))
    assert answer.status is NtStatus.STATUS_ACCESS_DENIED
    stranger = bytes(24) + copy[24:]
    answer = user.client.ask(Command.IOCTL, ioctl_request(0x0014_40F2, target, stranger))
    assert answer.status is NtStatus.STATUS_OBJECT_NAME_NOT_FOUND


def test_who_watches_a_folder_is_told_and_others_are_not(file_desk: FileDesk) -> None:
    """[MS-SMB2] 3.3.5.19."""
    user, other = file_desk.user(), file_desk.user()
    folder = user.opened("sub", options=FOLDER)
    ask = m.ChangeNotifyRequest(0, 1024, folder, 0x3)
    assert user.client.ask(Command.CHANGE_NOTIFY, ask).status is NtStatus.STATUS_PENDING
    other.close(other.opened("elsewhere"))
    assert user.client.take() == []
    other.opened("sub\\new")
    (told,) = user.finished()
    assert told.body(m.OutputResponse).output == struct.pack("<III", 0, 1, 6) + "new".encode("utf-16-le")
    blind = user.opened("sub", 0x80, OPEN, options=FOLDER)
    refused = user.client.ask(Command.CHANGE_NOTIFY, m.ChangeNotifyRequest(0, 1024, blind, 0x3))
    assert refused.status is NtStatus.STATUS_ACCESS_DENIED
    assert user.client.ask(Command.CHANGE_NOTIFY, ask).status is NtStatus.STATUS_PENDING
    close = user.client.message(Command.CLOSE, m.CloseRequest(0, folder))
    ended = [one.status for one in user.client.send_raw(user.client.frame(close))]
    assert NtStatus.STATUS_NOTIFY_CLEANUP in [*ended, *(one.status for one in user.finished())]


def test_a_waiting_lock_is_taken_when_its_time_has_come(file_desk: FileDesk) -> None:
    user, other = file_desk.user(), file_desk.user()
    mine, theirs = user.opened("a.txt"), other.opened("a.txt")
    assert user.lock(mine, 0, 5, 0x2) is OK
    assert other.lock(theirs, 0, 5, 0x2) is NtStatus.STATUS_PENDING
    user.close(mine)
    assert [one.status for one in other.finished()] == [OK]
    assert file_desk.files.all_opens()


def _durable() -> bytes:
    request = cc.DurableRequestV2(60_000, 0, UUID(int=7))
    return write_contexts([(cc.DURABLE_REQUEST_V2, request.pack())])


def test_a_durable_handle_waits_for_its_owner_alone(file_desk: FileDesk) -> None:
    """[MS-SMB2] 3.3.5.9.12, 3.3.7.1."""
    user = file_desk.user()
    answer = user.create("a.txt", oplock=9, contexts=_durable())
    file_id = answer.body(m.CreateResponse).file_id
    user.write(file_id, b"kept")

    async def lost() -> None:
        user.client.protocol.connection_lost(None)
        await asyncio.sleep(0)

    file_desk.desk.runner.run(lost())
    (one,) = file_desk.files.all_opens()
    assert one.disconnected

    def back(guid: int) -> Answer:
        wanted = cc.DurableReconnectV2(file_id, UUID(int=guid), 0)
        return other.create("a.txt", contexts=write_contexts([(cc.DURABLE_RECONNECT_V2, wanted.pack())]))

    other = file_desk.user()
    assert back(8).status is NtStatus.STATUS_OBJECT_NAME_NOT_FOUND
    assert one.durable is not None
    owner, one.durable.owner = one.durable.owner, wellknown.LOCAL_SYSTEM
    assert back(7).status is NtStatus.STATUS_ACCESS_DENIED
    one.durable.owner = owner
    again = back(7)
    assert again.status is OK
    assert other.read(again.body(m.CreateResponse).file_id) == (OK, b"kept")


def test_whom_a_disconnected_handle_stands_in_the_way_of_gets_the_file(file_desk: FileDesk) -> None:
    """[MS-SMB2] 3.3.4.6: a break that cannot be told ends the durable open."""
    user = file_desk.user()
    user.create("a.txt", oplock=9, share=0, contexts=_durable())

    async def lost() -> None:
        user.client.protocol.connection_lost(None)
        await asyncio.sleep(0)

    file_desk.desk.runner.run(lost())
    assert file_desk.user().create("a.txt", READ, OPEN).status is OK
    assert all(not one.disconnected for one in file_desk.files.all_opens())
