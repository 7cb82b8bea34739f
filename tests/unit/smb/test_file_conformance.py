"""What Samba's smbtorture knows of Windows and its files, each rule by whole requests."""

import struct
from pathlib import Path

import pytest

from addc.codes.ntstatus import NtStatus
from addc.smb import create_contexts as cc
from addc.smb import messages as m
from addc.smb.create_contexts import LeaseV2, write_contexts
from addc.smb.fscc import FileInfo
from addc.smb.host_tree import HostTree
from addc.smb.messages import Command
from tests.kit.file_desk import DELETE_ON_CLOSE, FOLDER, OPEN, PLAIN, FileDesk, FileUser, file_desk

__all__ = ["file_desk"]

OK = NtStatus.STATUS_SUCCESS
READ = 0x0012_0089


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
