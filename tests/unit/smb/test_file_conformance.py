"""What Samba's smbtorture knows of Windows and its files, each rule by whole requests."""

import os
import struct
from pathlib import Path
from uuid import UUID

import pytest

from addc.codes.ntstatus import NtStatus
from addc.smb import create_contexts as cc
from addc.smb import messages as m
from addc.smb.create_contexts import LeaseV2, write_contexts
from addc.smb.files import FILE_SIZE_MAX
from addc.smb.fscc import FileInfo
from addc.smb.host_tree import HostTree
from addc.smb.messages import Command
from tests.kit.file_desk import (
    DELETE_ON_CLOSE,
    FOLDER,
    FULL,
    OPEN,
    OPEN_IF,
    PLAIN,
    FileDesk,
    FileUser,
    file_desk,
)
from tests.kit.smb_desk import Answer

__all__ = ["file_desk"]

OK = NtStatus.STATUS_SUCCESS
READ = 0x0012_0089
FULL_DISK = NtStatus.STATUS_DISK_FULL


def watched(user: FileUser, folder: m.FileId, kinds: int) -> None:
    ask = m.ChangeNotifyRequest(0, 1024, folder, kinds)
    assert user.client.ask(Command.CHANGE_NOTIFY, ask).status is NtStatus.STATUS_PENDING


def test_who_watches_a_folder_that_is_deleted_on_close_hears_so(file_desk: FileDesk) -> None:
    """[MS-FSA] 2.1.5.5: the open that deletes is closed, others are still there."""
    user, other = file_desk.user(), file_desk.user()
    folder = user.opened("sub", options=FOLDER)
    watched(user, folder, 0x3)
    other.close(other.opened("sub", disposition=OPEN, options=FOLDER | DELETE_ON_CLOSE))
    assert [one.status for one in user.finished()] == [NtStatus.STATUS_DELETE_PENDING]


def test_a_renamed_file_counts_as_modified_and_a_folder_does_not(file_desk: FileDesk) -> None:
    """A watcher of attributes alone hears of the new name."""
    user, other = file_desk.user(), file_desk.user()
    folder = user.opened("sub", READ, options=FOLDER)
    watched(user, folder, 0x4)
    for kind, old, new in ((FOLDER, "sub\\one", "sub\\two"), (PLAIN, "sub\\file", "sub\\new")):
        text = new.encode("utf-16-le")
        moving = other.opened(old, options=kind)
        data = struct.pack("<B7xQI", 0, 0, len(text)) + text
        assert other.set_info(moving, FileInfo.RENAME, data) is OK
    (told,) = user.finished()
    assert told.body(m.OutputResponse).output == struct.pack("<III", 0, 3, 6) + "new".encode("utf-16-le")


def test_a_deletion_on_close_breaks_handle_caching(file_desk: FileDesk) -> None:
    user, other = file_desk.user(), file_desk.user()
    wanted = write_contexts([(cc.LEASE, LeaseV2(b"k" * 16, 3, 0, bytes(16), 1).pack())])
    user.create("a.txt", oplock=0xFF, contexts=wanted)
    deleting = other.opened("a.txt", 0x0001_0000, OPEN, options=DELETE_ON_CLOSE)
    assert user.client.take() == []
    other.close(deleting)
    (told,) = user.client.take()
    body = told.body(m.LeaseBreakNotification)
    assert (body.current_state, body.new_state) == (3, 1)


def test_the_answer_to_a_lock_that_waits_through_a_logoff_is_signed(file_desk: FileDesk) -> None:
    """[MS-SMB2] 3.3.4.1.1: as every answer to a signed request."""
    user = file_desk.user()
    first, second = user.opened("a.txt"), user.opened("a.txt")
    assert user.lock(first, 0, 5, 0x2) is OK
    assert user.lock(second, 0, 5, 0x2) is NtStatus.STATUS_PENDING
    frame = user.client.frame(user.client.message(Command.LOGOFF, m.Plain()))
    answers = [*user.client.send_raw(frame), *user.finished()]
    (locked,) = [one for one in answers if one.header.command == Command.LOCK]
    assert locked.header.flags & m.FLAGS_SIGNED
    assert user.client.signer is not None and user.client.signer.verifies(memoryview(locked.message))


@pytest.mark.parametrize("others_too", [False, True])
def test_a_large_folder_is_read_once_while_we_alone_change_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others_too: bool
) -> None:
    """Names are compared without case; what somebody else makes meanwhile is found all the same."""
    (tmp_path / "Old").touch()
    tree, read = HostTree(str(tmp_path)), list[int]()
    listed = HostTree._listed

    def counted(self: HostTree, folder: int) -> dict[str, str]:
        read.append(folder)
        return listed(self, folder)

    monkeypatch.setattr(HostTree, "_listed", counted)
    with tree.folder(()) as folder:
        assert tree.real_name(folder, "OLD") == "Old"
        if others_too:
            (tmp_path / "Foreign").touch()
        for name in ("One", "Two"):
            with tree.change(folder, come=name):
                (tmp_path / name).touch()
            assert tree.real_name(folder, name.lower()) == name
        with tree.change(folder, gone="Two"):
            (tmp_path / "Two").unlink()
        assert tree.real_name(folder, "TWO") is None
        assert tree.real_name(folder, "foreign") == ("Foreign" if others_too else None)
    assert len(read) == 1 + others_too
    tree.close()


def _replay(user: FileUser, oplock: int) -> list[Answer]:
    durable = cc.DurableRequestV2(0, 0, UUID(int=7)).pack()
    contexts = write_contexts([(cc.DURABLE_REQUEST_V2, durable)])
    body = m.CreateRequest(oplock, 2, FULL, 0, 7, OPEN_IF, 0, "a.txt", contexts)
    message = user.client.message(Command.CREATE, body, flags=m.FLAGS_REPLAY_OPERATION)
    return user.client.send_raw(user.client.frame(message))


def _replayed(user: FileUser, oplock: int) -> m.CreateResponse:
    (answer,) = _replay(user, oplock)
    assert answer.status is OK
    return answer.body(m.CreateResponse)


def test_a_request_asked_again_is_answered_by_what_it_asks_for(file_desk: FileDesk) -> None:
    """[MS-SMB2] 3.3.5.9.10: by its own oplock; and only while nothing was done with the open."""
    user = file_desk.user()
    first = _replayed(user, 9)
    again = _replayed(user, 0)
    assert (again.file_id, again.oplock_level, again.contexts) == (first.file_id, 0, b"")
    assert user.write(first.file_id, b"x") is OK
    told = [one.header.command for one in _replay(user, 0)]
    assert told == [Command.OPLOCK_BREAK, Command.CREATE]  # it is a request of its own


def test_nobody_without_the_right_reads_a_descriptor_but_anybody_reads_none(file_desk: FileDesk) -> None:
    user = file_desk.user()
    blind = user.opened("a.txt", 0x80)
    assert user.query(blind, 0, 3, 4)[0] is NtStatus.STATUS_ACCESS_DENIED
    assert user.query(blind, 0, 3, 0)[0] is OK


def test_a_file_is_no_larger_than_ntfs_and_the_volume_allow(file_desk: FileDesk) -> None:
    user = file_desk.user()
    file_id = user.opened("a.txt")
    for offset, status in (
        (FILE_SIZE_MAX, NtStatus.STATUS_INVALID_PARAMETER),
        (FILE_SIZE_MAX - 1, FULL_DISK),
    ):
        message = m.WriteRequest(memoryview(b"x"), offset, file_id, 0, 0, b"", 0)
        assert user.client.ask(Command.WRITE, message).status is status
    assert (file_desk.folder / "a.txt").stat().st_size == 0


def test_the_time_of_writing_is_told_when_the_writer_closes(file_desk: FileDesk) -> None:
    user, other = file_desk.user(), file_desk.user()
    (file_desk.folder / "a.txt").touch()
    os.utime(file_desk.folder / "a.txt", (1_000_000_000, 1_000_000_000))
    mine, theirs = user.opened("a.txt"), other.opened("a.txt")
    before = other.query(theirs, FileInfo.BASIC)[1][16:24]
    assert user.write(mine, b"x") is OK
    assert other.query(theirs, FileInfo.BASIC)[1][16:24] == before
    user.close(mine)
    assert other.query(theirs, FileInfo.BASIC)[1][16:24] > before


def test_attributes_that_other_volumes_know_are_taken_and_unknown_ones_are_not(file_desk: FileDesk) -> None:
    """[MS-FSCC] 2.6: smbclient's tar sends the mode of a file for them."""
    user = file_desk.user()
    file_id = user.opened("a.txt")
    for attributes, status in ((0x81A4, OK), (0x0100_0000, NtStatus.STATUS_INVALID_PARAMETER)):
        assert user.set_info(file_id, FileInfo.BASIC, bytes(32) + struct.pack("<II", attributes, 0)) is status
