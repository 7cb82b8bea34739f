"""srvsvc: what everybody may know, what operators may, and who changes what ([MS-SRVS] 3.1.4)."""

from collections.abc import Callable
from typing import Final

import pytest

from addc.codec.ndr import Ndr, Tagged
from addc.codes.win32 import Win32
from addc.rpc.interfaces.srvsvc import idl
from addc.rpc.interfaces.srvsvc.names import LM2X, NameType, canonical_name, compare_names, is_valid_name
from addc.rpc.interfaces.srvsvc.operations import SERVER
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import ANONYMOUS, Token
from tests.kit.fake_file_server import READERS, FakeFileServer
from tests.kit.rpc_desk import RpcDesk, undefaulted

ALL: Final = 0xFFFF_FFFF
DENIED: Final = Win32.ERROR_ACCESS_DENIED


class Server:
    """A desk with an SMB server, asked as somebody."""

    def __init__(self, desk: RpcDesk) -> None:
        self.desk = desk
        self.files = FakeFileServer()
        desk.host.files = self.files
        desk.corp.user("alice")
        self.alice = desk.corp.token("alice")
        self.admin = desk.corp.admin

    def shares(
        self, level: int, token: Token, room: int = ALL, resume: int | None = None
    ) -> idl.NetrShareEnumResponse:
        request = idl.NetrShareEnum(None, idl.ShareEnumStruct(level, _empty(level)), room, resume)
        return self.desk.call(SERVER, request, idl.NetrShareEnumResponse, token=token)

    def share(self, name: str, level: int, token: Token) -> idl.NetrShareGetInfoResponse:
        return self.desk.call(
            SERVER, idl.NetrShareGetInfo(None, name, level), idl.NetrShareGetInfoResponse, token=token
        )

    def add(
        self, info: idl.ShareInfo2 | idl.ShareInfo502 | None, token: Token, level: int = 2
    ) -> idl.NetrShareAddResponse:
        request = idl.NetrShareAdd(None, level, Tagged(level, info), 0)
        return self.desk.call(SERVER, request, idl.NetrShareAddResponse, token=token)


def _empty(level: int) -> object:
    return () if level in (0, 1, 2, 501, 502, 503) else b""


@pytest.fixture
def server(rpc_desk: RpcDesk) -> Server:
    return Server(rpc_desk)


def _entries(response: idl.NetrShareEnumResponse) -> list[str]:
    entries = response.info_struct.info
    assert isinstance(entries, tuple)
    return [entry.netname for entry in entries]


def test_every_refusal_can_be_written() -> None:
    assert undefaulted(SERVER.interface) == []
    assert not SERVER.tcp


def test_users_see_the_names_of_shares_and_nothing_hidden(server: Server) -> None:
    """3.1.4.8."""
    response = server.shares(1, server.alice)
    assert response.status == Win32.NERR_Success
    assert _entries(response) == ["sysvol", "IPC$", "docs"]
    assert response.total_entries == 3
    info = response.info_struct.info
    assert isinstance(info, tuple)
    assert [entry.type for entry in info] == [0, 0x8000_0003, 0]


@pytest.mark.parametrize("level", [2, 502, 503])
def test_paths_and_descriptors_of_shares_are_for_operators(server: Server, level: int) -> None:
    """3.1.4.8, 3.1.4.10: a refusal says its level, or clients could not read it."""
    response = server.shares(level, server.alice)
    assert (response.status, response.info_struct) == (DENIED, idl.ShareEnumStruct(level, None))
    assert server.share("docs", level, server.alice).status == DENIED
    assert server.share("docs", level, server.alice).info_struct == Tagged(level, None)
    assert server.shares(level, server.admin).status == Win32.NERR_Success


@pytest.mark.parametrize("level", [0, 1])
def test_nobody_anonymous_lists_shares(server: Server, level: int) -> None:
    assert server.shares(level, ANONYMOUS).status == DENIED
    assert server.share("sysvol", level, ANONYMOUS).status == DENIED


def test_levels_that_do_not_exist(server: Server) -> None:
    response = server.shares(99, server.admin)
    assert (response.status, response.info_struct) == (
        Win32.ERROR_INVALID_LEVEL,
        idl.ShareEnumStruct(99, b""),
    )
    assert server.share("docs", 99, server.admin).status == Win32.ERROR_INVALID_LEVEL


def test_a_listing_in_pages_ends_where_it_ends(server: Server) -> None:
    """3.1.4.8: PreferedMaximumLength, TotalEntries, ResumeHandle."""
    first = server.shares(0, server.alice, room=60, resume=0)
    assert (first.status, _entries(first), first.total_entries) == (
        Win32.ERROR_MORE_DATA,
        ["sysvol", "IPC$"],
        3,
    )
    assert first.resume_handle == 2
    last = server.shares(0, server.alice, room=60, resume=first.resume_handle)
    assert (last.status, _entries(last), last.total_entries) == (Win32.NERR_Success, ["docs"], 1)
    assert server.shares(0, server.alice, room=1, resume=0).status == Win32.NERR_BufTooSmall


def test_sticky_shares_are_those_that_stay(server: Server) -> None:
    """3.1.4.9: and level 501 is not among its levels."""

    def sticky(level: int) -> idl.NetrShareEnumStickyResponse:
        request = idl.NetrShareEnumSticky(None, idl.ShareEnumStruct(level, ()), ALL, None)
        return server.desk.call(SERVER, request, idl.NetrShareEnumStickyResponse, token=server.alice)

    assert sticky(501).status == Win32.ERROR_INVALID_LEVEL
    info = sticky(0).info_struct.info
    assert isinstance(info, tuple)
    assert [entry.netname for entry in info] == ["sysvol", "IPC$"]


def test_one_share_at_every_level(server: Server) -> None:
    """3.1.4.10."""
    for level in (0, 1, 2, 501, 502, 503, 1004, 1005, 1006, 1501):
        response = server.share("DOCS", level, server.admin)
        assert (response.status, response.info_struct.tag) == (Win32.NERR_Success, level)
    full = server.share("docs", 502, server.admin).info_struct.value
    assert isinstance(full, idl.ShareInfo502)
    assert (full.max_uses, full.path) == (5, "C:\\docs")
    assert SecurityDescriptor.unpack(full.security_descriptor or b"") == READERS
    assert server.share("docs", 501, server.alice).info_struct.value == idl.ShareInfo501("docs", 0, "", 0x30)
    assert server.share("none", 1, server.admin).status == Win32.NERR_NetNameNotFound


def _described(name: str, path: str | None = "C:\\new", kind: int = 0) -> idl.ShareInfo502:
    return idl.ShareInfo502(name, kind, "a comment", 0, 9, 0, path, None, READERS.pack())


def test_administrators_add_change_and_remove_shares(server: Server) -> None:
    """3.1.4.7, 3.1.4.11, 3.1.4.12."""
    assert server.add(_described("new"), server.admin, 502).status == Win32.NERR_Success
    assert server.files.listed[-1].connections_max == 9
    assert server.files.listed[-1].descriptor == READERS
    assert server.add(_described("NEW"), server.admin, 502).status == Win32.NERR_DuplicateShare
    change = idl.NetrShareSetInfo(None, "new", 1004, Tagged(1004, idl.ShareInfo1004("other")), 0)
    assert server.desk.call(SERVER, change, idl.NetrShareSetInfoResponse, token=server.admin).parm_err == 0
    assert server.files.listed[-1].comment == "other"
    gone = idl.NetrShareDel(None, "new", 0)
    assert server.desk.call(SERVER, gone, idl.NetrShareDelResponse, token=server.admin).status == 0
    again = server.desk.call(SERVER, gone, idl.NetrShareDelResponse, token=server.admin)
    assert again.status == Win32.NERR_NetNameNotFound


@pytest.mark.parametrize(
    ("info", "status", "parameter"),
    [
        (_described("a/b"), Win32.ERROR_INVALID_NAME, 1),
        (_described(""), Win32.ERROR_INVALID_NAME, 1),
        (_described("q", kind=1), Win32.ERROR_INVALID_PARAMETER, 3),
        (_described("p", path=None), Win32.ERROR_INVALID_PARAMETER, 8),
    ],
)
def test_a_wrong_member_is_named(
    server: Server, info: idl.ShareInfo502, status: Win32, parameter: int
) -> None:
    """3.1.4.7, 2.2.2.11."""
    response = server.add(info, server.admin, 502)
    assert (response.status, response.parm_err) == (status, parameter)


def test_descriptors_of_shares_must_be_descriptors(server: Server) -> None:
    wrong = idl.NetrShareSetInfo(None, "docs", 1501, Tagged(1501, idl.ShareInfo1501(b"nonsense")), None)
    response = server.desk.call(SERVER, wrong, idl.NetrShareSetInfoResponse, token=server.admin)
    assert response.status == Win32.ERROR_INVALID_PARAMETER


def test_users_change_nothing(server: Server) -> None:
    """Notes 56 to 77 of [MS-SRVS]: administrators and server operators."""
    info = Tagged(1004, idl.ShareInfo1004("mine"))
    requests: list[Ndr] = [
        idl.NetrShareAdd(None, 502, Tagged(502, _described("new")), None),
        idl.NetrShareSetInfo(None, "docs", 1004, info, None),
        idl.NetrShareDel(None, "docs", 0),
        idl.NetrSessionDel(None, "\\\\192.0.2.77", None),
        idl.NetrFileClose(None, 3),
        idl.NetrServerSetInfo(None, 1005, Tagged(1005, idl.ServerInfo1005("mine")), None),
    ]
    for request in requests:
        for token in (server.alice, ANONYMOUS):
            response: Ndr = server.desk.call(SERVER, request, token=token)
            assert response.status == DENIED, request  # type: ignore[attr-defined]
    assert server.files.done == []
    assert len(server.files.listed) == 4


def _sessions(client: str | None = None, user: str | None = None, level: int = 502) -> idl.NetrSessionEnum:
    return idl.NetrSessionEnum(None, client, user, idl.SessionEnumStruct(level, ()), ALL, None)


_LISTS: list[Callable[[], Ndr]] = [
    _sessions,
    lambda: _sessions(level=0),
    lambda: _sessions(level=10),
    lambda: idl.NetrFileEnum(None, None, None, idl.FileEnumStruct(3, ()), ALL, None),
    lambda: idl.NetrFileGetInfo(None, 3, 3),
    lambda: idl.NetrConnectionEnum(None, "sysvol", idl.ConnectEnumStruct(1, ()), ALL, None),
    lambda: idl.NetrServerDiskEnum(None, 0, idl.DiskEnumContainer(), ALL, None),
    lambda: idl.NetrServerGetInfo(None, 102),
    lambda: idl.NetrServerGetInfo(None, 502),
    lambda: idl.NetrServerGetInfo(None, 503),
]


@pytest.mark.parametrize("request_of", _LISTS)
def test_who_is_connected_and_how_the_server_is_tuned_is_for_administrators(
    server: Server, request_of: Callable[[], Ndr]
) -> None:
    for token in (server.alice, ANONYMOUS):
        response: Ndr = server.desk.call(SERVER, request_of(), token=token)
        assert response.status == DENIED  # type: ignore[attr-defined]
    allowed: Ndr = server.desk.call(SERVER, request_of(), token=server.admin)
    assert allowed.status == Win32.NERR_Success  # type: ignore[attr-defined]


def test_sessions_by_client_and_by_user(server: Server) -> None:
    """3.1.4.5."""

    def ask(client: str | None, user: str | None) -> idl.NetrSessionEnumResponse:
        return server.desk.call(
            SERVER, _sessions(client, user), idl.NetrSessionEnumResponse, token=server.admin
        )

    every = ask(None, None).info_struct.info
    assert isinstance(every, tuple)
    assert [(one.cname, one.username, one.user_flags) for one in every] == [
        ("192.0.2.77", "alice", 0),
        ("192.0.2.78", "", 1),
    ]
    assert ask("\\\\192.0.2.78", None).total_entries == 1
    assert ask(None, "ALICE").total_entries == 1
    assert ask("192.0.2.77", None).status == Win32.NERR_InvalidComputer
    assert ask("\\\\other", None).status == Win32.NERR_ClientNameNotFound
    assert ask(None, "bob").status == Win32.NERR_UserNotFound
    assert ask(None, "x" * 2000).status == Win32.ERROR_INVALID_PARAMETER


def test_sessions_and_files_are_ended(server: Server) -> None:
    """3.1.4.4, 3.1.4.6."""
    one = idl.NetrSessionDel(None, "\\\\192.0.2.77", "alice")
    assert server.desk.call(SERVER, one, idl.NetrSessionDelResponse, token=server.admin).status == 0
    nobody = idl.NetrSessionDel(None, None, None)
    refused = server.desk.call(SERVER, nobody, idl.NetrSessionDelResponse, token=server.admin)
    assert refused.status == Win32.ERROR_INVALID_PARAMETER
    close = server.desk.call(
        SERVER, idl.NetrFileClose(None, 3), idl.NetrFileCloseResponse, token=server.admin
    )
    assert close.status == 0
    none = server.desk.call(SERVER, idl.NetrFileClose(None, 4), idl.NetrFileCloseResponse, token=server.admin)
    assert none.status == Win32.NERR_FileIdNotFound
    assert server.files.done == [("end", 7), ("close", 3)]


def test_open_files_with_what_was_granted(server: Server) -> None:
    """3.1.4.2, 2.2.4.7."""
    request = idl.NetrFileEnum(None, "c:\\SYSVOL", "alice", idl.FileEnumStruct(3, ()), ALL, None)
    response = server.desk.call(SERVER, request, idl.NetrFileEnumResponse, token=server.admin)
    assert response.info_struct.info == (idl.FileInfo3(3, 1, 1, "C:\\sysvol\\a.txt", "alice"),)


def test_the_server_says_what_it_is(server: Server) -> None:
    """3.1.4.17: a primary domain controller of version 10."""

    def ask(level: int, token: Token) -> idl.NetrServerGetInfoResponse:
        return server.desk.call(
            SERVER, idl.NetrServerGetInfo(None, level), idl.NetrServerGetInfoResponse, token=token
        )

    host = server.desk.directory.forest.host.upper()
    info = ask(101, server.alice).info_struct.value
    assert info == idl.ServerInfo101(500, host, 10, 0, 0x0080_102B, "")
    for level in (100, 101, 102, 103, 502, 503):
        assert ask(level, server.admin).status == Win32.NERR_Success
    assert ask(101, ANONYMOUS).status == DENIED
    assert ask(102, server.alice).info_struct == Tagged(102, None)
    assert ask(1005, server.admin).status == Win32.ERROR_INVALID_LEVEL
    assert ask(7, server.admin).info_struct == Tagged(7, b"")


def test_the_time_is_in_utc(server: Server) -> None:
    """3.1.4.21."""
    response = server.desk.call(
        SERVER, idl.NetrRemoteTOD(None), idl.NetrRemoteTODResponse, token=server.alice
    )
    time = response.buffer_ptr
    assert time is not None
    assert (time.elapsedt % 60, time.timezone, time.elapsedt // 3600 % 24) == (time.secs, 0, time.hours)
    refused = server.desk.call(SERVER, idl.NetrRemoteTOD(None), idl.NetrRemoteTODResponse, token=ANONYMOUS)
    assert (refused.status, refused.buffer_ptr) == (DENIED, None)


def test_transports_and_the_configuration_that_stays(server: Server) -> None:
    """3.1.4.18, 3.1.4.22."""
    request = idl.NetrServerTransportEnum(None, idl.ServerXportEnumStruct(0, ()), ALL, None)
    found = server.desk.call(SERVER, request, idl.NetrServerTransportEnumResponse, token=server.alice)
    assert found.total_entries == 1
    change = idl.NetrServerSetInfo(None, 1005, Tagged(1005, idl.ServerInfo1005("x")), None)
    answer = server.desk.call(SERVER, change, idl.NetrServerSetInfoResponse, token=server.admin)
    assert answer.status == Win32.ERROR_NOT_SUPPORTED


def test_descriptors_of_files_are_asked_for_in_the_name_of_the_caller(server: Server) -> None:
    """3.1.4.27, 3.1.4.28: the file decides, not the interface."""
    read = idl.NetrpGetFileSecurity(None, "DOCS", "\\a.txt", 4)
    response = server.desk.call(SERVER, read, idl.NetrpGetFileSecurityResponse, token=server.alice)
    assert response.security_descriptor == idl.AdtSecurityDescriptor(READERS.pack())
    write = idl.NetrpSetFileSecurity(None, "docs", "\\a.txt", 4, idl.AdtSecurityDescriptor(READERS.pack()))
    assert server.desk.call(SERVER, write, idl.NetrpSetFileSecurityResponse, token=server.alice).status == 0
    user = server.alice.user
    assert server.files.done == [("read", user, "docs", "\\a.txt", 4), ("write", user, "docs", "\\a.txt", 4)]
    assert server.desk.call(SERVER, read, idl.NetrpGetFileSecurityResponse, token=ANONYMOUS).status == DENIED


def test_without_an_smb_server_there_is_nothing_to_list(server: Server) -> None:
    server.desk.host.files = None
    assert server.shares(1, server.admin).status == Win32.ERROR_NOT_SUPPORTED


def test_a_shared_folder_is_found_by_its_path(server: Server) -> None:
    """3.1.4.15."""

    def check(path: str) -> idl.NetrShareCheckResponse:
        return server.desk.call(
            SERVER, idl.NetrShareCheck(None, path), idl.NetrShareCheckResponse, token=server.alice
        )

    assert check("c:\\docs\\").status == Win32.NERR_Success
    assert check("c:\\other").status == Win32.NERR_DeviceNotShared
    assert check("").type == 0x8000_0003


@pytest.mark.parametrize(
    ("name", "kind", "flags", "valid"),
    [
        ("docs", NameType.SHARE, 0, True),
        ("a" * 80, NameType.SHARE, 0, True),
        ("a" * 81, NameType.SHARE, 0, False),
        ("a" * 13, NameType.SHARE, LM2X, False),
        ("a:b", NameType.SHARE, 0, False),
        ("PC*", NameType.COMPUTER, 0, False),
        (" PC", NameType.COMPUTER, 0, False),
        ("", NameType.PASSWORD, 0, True),
        ("a/b", NameType.PASSWORD, 0, True),
        ("my dom", NameType.DOMAIN, 0, False),
        ("all*", NameType.MESSAGEDEST, 0, True),
        ("a*l", NameType.MESSAGEDEST, 0, False),
    ],
)
def test_names_are_valid_by_their_kind(name: str, kind: NameType, flags: int, valid: bool) -> None:
    """2.2.2.8."""
    assert is_valid_name(name, kind, flags) is valid


def test_canonical_names_and_their_order() -> None:
    """3.1.4.33, 3.1.4.34."""
    assert canonical_name("computername-long", NameType.COMPUTER, LM2X) == "COMPUTERNAME-LO"
    assert canonical_name("pc1", NameType.COMPUTER, 0) == "pc1"
    assert compare_names("PC1", "pc1", NameType.COMPUTER) == 0
    assert compare_names("a", "A", NameType.PASSWORD) == 1
    assert compare_names("a", "b", NameType.USER) == -1


def test_names_over_the_wire(server: Server) -> None:
    def validate(name: str, kind: int, flags: int = 0) -> int:
        request = idl.NetprNameValidate(None, name, kind, flags)
        return server.desk.call(SERVER, request, idl.NetprNameValidateResponse, token=server.alice).status

    assert validate("pc1", 4) == 0
    assert validate("pc|1", 4) == Win32.ERROR_INVALID_NAME
    assert validate("pc1", 14) == validate("pc1", 4, 2) == Win32.ERROR_INVALID_PARAMETER

    def canonical(name: str, room: int, flags: int = 0) -> idl.NetprNameCanonicalizeResponse:
        request = idl.NetprNameCanonicalize(None, name, room, 8, flags)
        return server.desk.call(SERVER, request, idl.NetprNameCanonicalizeResponse, token=server.alice)

    assert canonical("net", 5).outbuf == "NET\0\0"
    assert canonical("net", 3).status == canonical("net", 100, 1).status == Win32.NERR_BufTooSmall
    assert canonical("a|b", 5).outbuf == "\0" * 5

    def compare(name1: str, name2: str) -> int:
        request = idl.NetprNameCompare(None, name1, name2, 1, 0)
        return server.desk.call(SERVER, request, idl.NetprNameCompareResponse, token=server.alice).status

    assert (compare("a", "A"), compare("a", "b"), compare("b", "a")) == (0, 0xFFFF_FFFF, 1)
