"""What srvsvc is told of the SMB server, and which shares administrators of the domain may make on a host."""

from collections.abc import Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from uuid import UUID

import pytest

from addc.auth.acceptor import Acceptor
from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import operator_shares
from addc.directory.operator_shares import OperatorShare
from addc.rpc.file_server import FileServer, ShareFacts
from addc.server.smb_facts import SmbFacts
from addc.smb.host_shares import HostShares
from addc.smb.messages import Dialect
from addc.smb.service import SmbServer
from addc.smb.session import Session, SessionState, Tree
from addc.smb.shares import Share, ShareKind, ShareTable
from tests.kit.rpc_desk import RpcDesk

T = TypeVar("T")


class Host:
    """An SMB server without sockets, over a desk's directory; the operator shares one folder as "open"."""

    def __init__(self, desk: RpcDesk, folder: Path) -> None:
        self.desk = desk
        desk.corp.write(lambda ctx: operator_shares.put(ctx, OperatorShare("open", str(folder))))
        self.shares = ShareTable([Share("IPC$", ShareKind.PIPE, hidden=True), Share("SYSVOL")])
        acceptor = cast(Acceptor, SimpleNamespace(policy=SimpleNamespace(ntlm=False)))
        door: Any = None
        self.server = SmbServer(desk.directory, desk.services, acceptor, self.shares, door)
        self.host_shares = HostShares(desk.directory, self.shares, desk.clock.now)
        self.host_shares.refresh()
        self.facts: FileServer = SmbFacts(desk.directory, self.server, self.host_shares.refresh)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.desk.runner.run(work)

    def refused(self, work: Coroutine[Any, Any, None]) -> int:
        with pytest.raises(DsError) as refusal:
            self.run(work)
        return refusal.value.code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "open"
    (made / "inside").mkdir(parents=True)
    (tmp_path / "private").mkdir()
    (made / "link").symlink_to(tmp_path / "private")
    return made


@pytest.fixture
def host(rpc_desk: RpcDesk, folder: Path) -> Host:
    return Host(rpc_desk, folder)


def _shown(folder: Path) -> str:
    return "C:" + str(folder).replace("/", "\\")


def test_shares_with_the_paths_that_administrators_see(host: Host, folder: Path) -> None:
    facts = {share.name: share for share in host.facts.shares()}
    assert set(facts) == {"IPC$", "SYSVOL", "open"}
    assert facts["IPC$"].is_ipc and not facts["IPC$"].hidden
    assert facts["SYSVOL"].path == "C:\\Windows\\SYSVOL\\sysvol"
    assert facts["open"].path == _shown(folder)


def test_a_folder_inside_of_a_shared_one_may_be_shared(host: Host, folder: Path) -> None:
    host.run(
        host.facts.add_share(ShareFacts("new", path=_shown(folder / "inside"), comment="c", flags=0x8800))
    )
    made = host.shares.find("new")
    assert made is not None
    assert (made.path, made.comment) == (str(folder / "inside"), "c")
    assert made.encrypt and made.access_based_enumeration
    host.run(host.facts.set_share(ShareFacts("new", comment="other", connections_max=3)))
    changed = host.shares.find("new")
    assert changed is not None and (changed.comment, changed.connections_max) == ("other", 3)
    host.run(host.facts.remove_share("new"))
    assert host.shares.find("new") is None


@pytest.mark.parametrize(
    "path", ["C:\\", "C:\\etc", "/etc", "{folder}\\..\\private", "{folder}\\link", "{folder}2"]
)
def test_nothing_else_of_the_host_may_be_shared(host: Host, folder: Path, path: str) -> None:
    """Administrators of the domain are not administrators of the host; links do not help."""
    asked = ShareFacts("new", path=path.format(folder=_shown(folder)))
    assert host.refused(host.facts.add_share(asked)) == Win32.ERROR_ACCESS_DENIED
    assert host.shares.find("new") is None


def test_shares_that_cannot_be(host: Host, folder: Path) -> None:
    def add(name: str, path: Path) -> int:
        return host.refused(host.facts.add_share(ShareFacts(name, path=_shown(path))))

    assert add("OPEN", folder) == Win32.NERR_DuplicateShare
    assert add("a/b", folder) == Win32.ERROR_INVALID_NAME
    assert add("ADMIN$", folder) == Win32.ERROR_INVALID_NAME
    assert add("gone", folder / "nothing") == Win32.ERROR_FILE_NOT_FOUND


def test_the_shares_of_a_domain_controller_stay(host: Host) -> None:
    for name in ("SYSVOL", "IPC$"):
        assert host.refused(host.facts.remove_share(name)) == Win32.ERROR_ACCESS_DENIED
        assert host.refused(host.facts.set_share(ShareFacts(name))) == Win32.ERROR_ACCESS_DENIED


def test_sessions_and_their_trees(host: Host) -> None:
    now = host.desk.clock.now()
    session = Session(7, Dialect.SMB_3_1_1, UUID(int=1), now, SessionState.VALID, principal="CORP\\alice")
    share = host.shares.find("SYSVOL")
    assert share is not None
    session.trees[1] = Tree(1, share, 0, now)
    host.server.sessions[7] = session
    host.server.sessions[8] = Session(8, Dialect.SMB_3_1_1, UUID(int=2), now)
    (one,) = host.facts.sessions()
    assert (one.session_id, one.user, one.age_s, one.idle_s) == (7, "alice", 0, 0)
    (tree,) = host.facts.connections()
    assert (tree.share, tree.user) == ("SYSVOL", "alice")
    assert next(share for share in host.facts.shares() if share.name == "SYSVOL").connections == 1
    host.run(host.facts.end_session(7))
    assert not host.facts.sessions() and not host.facts.opens()


def test_descriptors_of_files_by_the_right_to_read_them(host: Host, folder: Path) -> None:
    """[MS-SRVS] 3.1.4.27."""
    host.desk.corp.user("alice")
    alice, admin = host.desk.corp.token("alice"), host.desk.corp.admin

    async def ask() -> None:
        assert await host.facts.security_of(admin, "open", "\\inside", 5)
        for token, path, information, code in (
            (alice, "\\inside", 8, Win32.ERROR_ACCESS_DENIED),
            (admin, "\\nothing", 4, Win32.ERROR_INVALID_PARAMETER),
            (admin, "\\..", 4, Win32.ERROR_INVALID_PARAMETER),
        ):
            with pytest.raises(DsError) as refusal:
                await host.facts.security_of(token, "open", path, information)
            assert refusal.value.code == code
        with pytest.raises(DsError) as refusal:
            await host.facts.set_security_of(admin, "open", "\\inside", (4, b""))
        assert refusal.value.code == Win32.ERROR_NOT_SUPPORTED

    host.run(ask())
