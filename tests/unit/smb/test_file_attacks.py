"""What users try on files that are not theirs, and on the host below a share."""

import os
import struct
from pathlib import Path
from uuid import UUID

import pytest

from addc.codes.ntstatus import NtStatus
from addc.security import sddl
from addc.security.token import Token
from addc.smb import create_contexts as cc
from addc.smb import fscc
from addc.smb import messages as m
from addc.smb.create_contexts import write_contexts
from addc.smb.messages import Command
from tests.kit.file_desk import (
    CREATE,
    DELETE_ON_CLOSE,
    FOLDER,
    OPEN,
    OPEN_IF,
    FileDesk,
    FileUser,
    file_desk,
)
from tests.kit.smb_desk import ioctl_request

__all__ = ["file_desk"]

OK = NtStatus.STATUS_SUCCESS
DENIED = NtStatus.STATUS_ACCESS_DENIED
READ, WRITE, DELETE, WRITE_DAC, WRITE_OWNER = 0x0012_0089, 0x0012_0116, 0x0001_0000, 0x0004_0000, 0x0008_0000
SYSTEM_SECURITY = 0x0100_0000
FILE_RENAME, DISPOSITION = 10, 13


def plain(desk: FileDesk) -> FileUser:
    """A user without any privilege."""
    user = desk.user()
    session = desk.desk.server.sessions[user.client.session_id]
    session.token = desk.desk.plain_user()
    return user


def token(desk: FileDesk, user: FileUser) -> Token:
    return desk.desk.server.sessions[user.client.session_id].token


def guarded(desk: FileDesk, rights: str, name: str = "a.txt") -> None:
    """A file of the administrator's, with these rights for everybody, in a folder that gives nobody any."""
    admin = desk.user()
    admin.close(admin.opened("sub", options=FOLDER))
    made = admin.opened(f"sub\\{name}")
    admin.write(made, b"theirs")
    assert admin.set_info(made, 0, sddl.parse(f"O:BAG:BAD:P(A;;FA;;;BA){rights}").pack(), 3, 5) is OK
    folder = admin.opened("sub")
    assert (
        admin.set_info(folder, 0, sddl.parse("O:BAG:BAD:P(A;;FA;;;BA)(A;;0x1200a9;;;WD)").pack(), 3, 5) is OK
    )
    admin.close(made)
    admin.close(folder)


# --- out of the share --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "..", "..\\..", "sub\\..\\..\\secret", "../secret", "sub/../../secret", "\\..\\secret",
        ".\\..\\secret", "c:\\secret", "/etc/passwd", "\\etc\\passwd", "proc\\self\\environ", "secret\0.txt",
        "..\0", "sub\\\0", "a.txt::$DATA", "a.txt:x:$DATA", "sub:$I30:$INDEX_ALLOCATION", "x" * 256,
        "\\\\?\\c:\\x", "\ud800", "y" * 20_000, "..%5csecret", "\uff0e\uff0e\\secret", "sub\\...\\secret",
        "*", "sub\\?",
    ],
)  # fmt: skip
@pytest.mark.parametrize("disposition", [OPEN, OPEN_IF])
def test_no_name_leads_out_of_a_share(file_desk: FileDesk, name: str, disposition: int) -> None:
    """[MS-SMB2] 3.3.5.9 (Path Name Validation), [MS-FSCC] 2.1.5."""
    (file_desk.folder.parent / "secret").write_text("secret")
    before = {entry.name for entry in file_desk.folder.parent.iterdir()}
    user = file_desk.user()
    user.close(user.opened("sub", options=FOLDER))
    answer = user.create(name, READ, disposition)
    assert {entry.name for entry in file_desk.folder.parent.iterdir()} == before
    if answer.status is OK:  # a harmless name of something new inside
        assert disposition == OPEN_IF
        found = answer.body(m.CreateResponse)
        assert (found.create_action, found.end_of_file) == (2, 0)


def _things(folder: Path, outside: Path) -> None:
    (folder / "link").symlink_to(outside)
    (folder / "file").symlink_to(outside / "secret")
    (folder / "self").symlink_to("/proc/self")
    os.mkfifo(folder / "pipe")


@pytest.mark.parametrize(
    "name", ["link", "link\\secret", "file", "self\\environ", "self\\root\\etc\\passwd", "pipe"]
)
@pytest.mark.parametrize("disposition", [OPEN, OPEN_IF, CREATE, 0, 4, 5])
def test_links_and_devices_of_the_host_are_not_there(
    file_desk: FileDesk, name: str, disposition: int
) -> None:
    outside = file_desk.folder.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    _things(file_desk.folder, outside)
    assert file_desk.user().create(name, READ | WRITE, disposition).status is not OK
    assert (outside / "secret").read_text() == "secret" and os.listdir(outside) == ["secret"]


def test_a_folder_that_becomes_a_link_is_not_followed(file_desk: FileDesk) -> None:
    """Between two requests somebody on the host puts a link in the place of an open folder."""
    outside = file_desk.folder.parent / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("secret")
    user = file_desk.user()
    folder = user.opened("sub", options=FOLDER)
    file_id = user.opened("sub\\a.txt")
    user.write(file_id, b"mine")
    (file_desk.folder / "sub").rename(file_desk.folder / "gone")
    (file_desk.folder / "sub").symlink_to(outside)
    assert user.create("sub\\a.txt", READ, OPEN).status is not OK
    assert user.create("sub\\new.txt").status is not OK
    assert user.listing(folder)[0] is not OK
    assert user.read(file_id)[1] in (b"mine", b"")
    target = fscc.RenameInformation(1, 0, "sub\\b.txt").pack()
    mover = user.opened("c.txt")
    assert user.set_info(mover, FILE_RENAME, target) is not OK
    assert sorted(os.listdir(outside)) == ["a.txt"] and (outside / "a.txt").read_text() == "secret"


@pytest.mark.parametrize("name", ["..\\x", "sub\\..\\..\\x", "x:y", "\\x", "x\0y", "con?", "\ud800"])
def test_no_rename_leads_out_of_a_share(file_desk: FileDesk, name: str) -> None:
    before = {entry.name for entry in file_desk.folder.parent.iterdir()}
    user = file_desk.user()
    file_id = user.opened("a.txt")
    assert user.set_info(file_id, FILE_RENAME, fscc.RenameInformation(1, 0, name).pack()) is not OK
    assert {entry.name for entry in file_desk.folder.parent.iterdir()} == before
    assert os.listdir(file_desk.folder) == ["a.txt"]


# --- rights ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "access", [WRITE, DELETE, WRITE_DAC, WRITE_OWNER, SYSTEM_SECURITY | READ, 0x1000_0000]
)
def test_a_reader_opens_for_nothing_else(file_desk: FileDesk, access: int) -> None:
    """[MS-FSA] 2.1.5.1.2.1."""
    guarded(file_desk, "(A;;FR;;;WD)")
    user = plain(file_desk)
    assert user.create("sub\\a.txt", access, OPEN).status is not OK
    assert user.create("sub\\a.txt", READ, OPEN).status is OK


def test_maximal_access_is_what_there_is_and_binds(file_desk: FileDesk) -> None:
    guarded(file_desk, "(A;;FR;;;WD)")
    user = plain(file_desk)
    file_id = user.opened("sub\\a.txt", 0x0200_0000, OPEN)
    assert user.read(file_id) == (OK, b"theirs")
    assert user.write(file_id, b"mine") is DENIED
    assert user.set_info(file_id, DISPOSITION, b"\1") is DENIED
    assert user.set_info(file_id, FILE_RENAME, fscc.RenameInformation(1, 0, "stolen").pack()) is DENIED
    assert user.set_info(file_id, 20, bytes(8)) is DENIED
    assert user.set_info(file_id, 4, bytes(36) + b"\0\0\0\0") is DENIED
    everybody = sddl.parse("O:WDG:WDD:(A;;FA;;;WD)").pack()
    assert [user.set_info(file_id, 0, everybody, 3, part) for part in (1, 2, 4, 8)] == [DENIED] * 4


def test_backup_intent_without_its_privilege_reads_nothing(file_desk: FileDesk) -> None:
    guarded(file_desk, "")
    assert plain(file_desk).create("sub\\a.txt", READ, OPEN, options=0x4000).status is DENIED


def test_overwriting_and_deleting_take_rights_whatever_was_asked_for(file_desk: FileDesk) -> None:
    """[MS-FSA] 2.1.5.1.2: a disposition that destroys needs what it does."""
    guarded(file_desk, "(A;;FR;;;WD)")
    user = plain(file_desk)
    for disposition in (0, 4, 5):
        assert user.create("sub\\a.txt", READ, disposition).status is DENIED
    assert user.create("sub\\a.txt", READ | DELETE, OPEN, options=DELETE_ON_CLOSE).status is DENIED
    assert user.create("sub\\a.txt", 0x0200_0000, OPEN, options=DELETE_ON_CLOSE).status is DENIED
    assert (file_desk.folder / "sub" / "a.txt").read_bytes() == b"theirs"


def test_write_dac_gives_no_ownership_and_ownership_is_taken_for_oneself(file_desk: FileDesk) -> None:
    """[MS-FSA] 2.1.5.17: STATUS_INVALID_OWNER for whoever one is not."""
    guarded(file_desk, "(A;;0xc0080;;;WD)")
    user = plain(file_desk)
    file_id = user.opened("sub\\a.txt", WRITE_OWNER, OPEN)
    admins = sddl.parse("O:BAG:BAD:(A;;FA;;;WD)").pack()
    assert user.set_info(file_id, 0, admins, 3, 1) is NtStatus.STATUS_INVALID_OWNER
    assert user.set_info(file_id, 0, admins, 3, 4) is DENIED


def test_a_moved_file_needs_its_new_folder_s_consent(file_desk: FileDesk) -> None:
    guarded(file_desk, "(A;;FA;;;WD)")
    user = plain(file_desk)
    mine = user.opened("mine.txt")
    for name in ("sub\\mine.txt", "sub\\a.txt"):
        assert user.set_info(mine, FILE_RENAME, fscc.RenameInformation(1, 0, name).pack()) is DENIED
    assert (file_desk.folder / "sub" / "a.txt").read_bytes() == b"theirs"


def test_a_share_s_descriptor_limits_what_files_give(file_desk: FileDesk) -> None:
    """Both are needed, as is the file's where the share gives all."""
    user = plain(file_desk)
    session = file_desk.desk.server.sessions[user.client.session_id]
    session.trees[user.client.tree_id].maximal_access = 0x0012_00A9
    assert user.create("new.txt").status is DENIED
    assert user.create("new", options=FOLDER).status is DENIED
    (file_desk.folder / "b.txt").write_text("b")
    assert user.create("b.txt", WRITE, OPEN).status is DENIED
    file_id = user.opened("b.txt", 0x0200_0000, OPEN)
    assert user.write(file_id, b"x") is DENIED and user.read(file_id) == (OK, b"b")


# --- what is others' ---------------------------------------------------------------------------------------


def test_keys_of_copies_are_of_the_session_that_got_them(file_desk: FileDesk) -> None:
    """[MS-SMB2] 3.3.5.15.6: a key names an open of the same session."""
    guarded(file_desk, "")
    admin, thief = file_desk.user(), plain(file_desk)
    source = admin.opened("sub\\a.txt", READ, OPEN)
    answer = admin.client.ask(Command.IOCTL, ioctl_request(0x0014_0078, source))
    key = answer.body(m.IoctlResponse).output[:24]
    target = thief.opened("mine.txt")
    copy = key + struct.pack("<II", 1, 0) + struct.pack("<QQII", 0, 0, 6, 0)
    answer = thief.client.ask(Command.IOCTL, ioctl_request(0x0014_40F2, target, copy))
    assert answer.status is NtStatus.STATUS_OBJECT_NAME_NOT_FOUND
    assert thief.read(target)[1] == b""


def _instance(user: FileUser, guid: int) -> NtStatus:
    user.client.protocol.client_guid = UUID(int=guid)
    contexts = write_contexts([(cc.APP_INSTANCE_ID, cc.AppInstanceId(UUID(int=77)).pack())])
    return user.create("sub\\a.txt", READ, OPEN, share=0, contexts=contexts).status


def test_an_application_elsewhere_closes_only_what_it_may_read(file_desk: FileDesk) -> None:
    """[MS-SMB2] 3.3.5.9.13."""
    guarded(file_desk, "")
    admin, thief, heir = file_desk.user(), plain(file_desk), file_desk.user()
    assert _instance(admin, guid=1) is OK
    (held,) = file_desk.files.all_opens()
    assert _instance(thief, guid=2) is DENIED
    assert held in file_desk.files.all_opens()
    assert _instance(heir, guid=3) is OK
    assert held not in file_desk.files.all_opens()


def test_leases_of_another_client_are_not_acknowledged(file_desk: FileDesk) -> None:
    """[MS-SMB2] 3.3.5.22.2: lease keys are looked up among the client's own."""
    owner, thief = file_desk.user(), file_desk.user()
    key = bytes(range(16))
    lease = write_contexts([(cc.LEASE, cc.LeaseV1(key, 7, 0).pack())])
    assert owner.create("a.txt", oplock=255, contexts=lease).status is OK
    thief.client.protocol.client_guid = UUID(int=9)
    body = m.LeaseBreak(0, key, 0)
    assert thief.client.ask(Command.OPLOCK_BREAK, body).status is NtStatus.STATUS_OBJECT_NAME_NOT_FOUND
