"""SYSVOL and a file share by the clients there are: smbclient at length, smbcacls, impacket, smbprotocol."""

import hashlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.forest_host import (
    DNS_DOMAIN,
    DOMAIN,
    PASSWORD,
    ForestHost,
    addc,
    client,
    configure,
    provision,
    serve,
)
from tests.kit.net import Host, Lan
from tests.kit.samba_tools import samba_desk

SERVER = f"dc1.{DNS_DOMAIN}"
ADMIN = f"{DOMAIN}\\Administrator%{PASSWORD}"
DIALECTS = ("SMB2_02", "SMB2_10", "SMB3_00", "SMB3_02", "SMB3_11")
LARGE = 64 << 20
_SMBPROTOCOL = """
import sys, smbclient
server, password = sys.argv[1:]
smbclient.register_session(
    server, username="Administrator", password=password, auth_protocol="ntlm", encrypt=True
)
base = rf"\\\\{server}\\files\\by-python"
smbclient.makedirs(base)
with smbclient.open_file(base + r"\\a.txt", mode="wb") as out:
    out.write(b"x" * 300_000)
smbclient.rename(base + r"\\a.txt", base + r"\\b.txt")
assert smbclient.stat(base + r"\\b.txt").st_size == 300_000
assert smbclient.listdir(base) == ["b.txt"]
smbclient.remove(base + r"\\b.txt")
smbclient.rmdir(base)
print("good")
"""
_DURABLE = """
import sys, uuid
from smbprotocol.connection import Connection
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect
from smbprotocol.open import Open, ImpersonationLevel, FilePipePrinterAccessMask as Access
from smbprotocol.open import FileAttributes, ShareAccess, CreateDisposition, CreateOptions
server, password = sys.argv[1:]
connection = Connection(uuid.uuid4(), server, 445)
connection.connect()
session = Session(connection, "Administrator", password, auth_protocol="ntlm")
session.connect()
tree = TreeConnect(session, rf"\\\\{server}\\files")
tree.connect()
one = Open(tree, "written.txt")
one.create(ImpersonationLevel.Impersonation, Access.GENERIC_WRITE | Access.GENERIC_READ, 0,
           ShareAccess.FILE_SHARE_READ, CreateDisposition.FILE_OPEN_IF, CreateOptions.FILE_NON_DIRECTORY_FILE)
for number in range(1_000_000):
    one.write(number.to_bytes(8, "little"), number * 8)
    print(number, flush=True)
"""


@pytest.fixture(scope="module")
def shared(lan: Lan) -> Iterator[ForestHost]:
    """A forest of its own with the share `files`."""
    host = lan.host("fileclients", 200)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    configure(data_dir)
    folder = host.folder / "served"
    folder.mkdir()
    made = addc(
        host, "share", "add", "files", str(folder), "--data-dir", str(data_dir),
        "--files-sddl", "O:BAG:BAD:(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;AU)",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    found = serve(host, data_dir, "--workers", "1")
    yield found
    assert found.stop() == 0


@pytest.fixture(scope="module")
def visitor(lan: Lan, shared: ForestHost) -> Host:
    """A client with caches of its own."""
    host = lan.host("filevisitor", 203)
    return samba_desk(client(host, shared.host, shared.data_dir / "tls" / "ca.pem"))


def smb(visitor: Host, share: str, commands: str, *more: str) -> str:
    """What smbclient says; it must succeed."""
    words = ["smbclient", f"//{SERVER}/{share}", *(more or ("-U", ADMIN)), "-c", commands]
    done = visitor.run(words, timeout_s=120)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "NT_STATUS_" not in said, said
    return said


WORK = (
    "mkdir jt; cd jt; put hello.txt a.txt; allinfo a.txt; setmode a.txt +h; setmode a.txt -h; mkdir sub;"
    " put hello.txt sub\\c.txt; rename a.txt b.txt; get b.txt back.txt; dir; recurse ON; ls;"
    " recurse OFF; del b.txt; del sub\\c.txt; rmdir sub; cd \\; rmdir jt"
)


@pytest.mark.parametrize("share", ["SYSVOL", "files"])
@pytest.mark.parametrize(
    "more",
    [
        *((dialect, "--client-protection=sign") for dialect in DIALECTS),
        *((dialect, "--client-protection=encrypt") for dialect in DIALECTS[2:]),
    ],
    ids="-".join,
)
def test_all_that_smbclient_does(visitor: Host, share: str, more: tuple[str, str]) -> None:
    """On both kinds of volumes, in every dialect."""
    (visitor.folder / "hello.txt").write_text("hello")
    (visitor.folder / "back.txt").unlink(missing_ok=True)
    said = smb(visitor, share, WORK, "-U", ADMIN, "-m", more[0], more[1])
    assert "b.txt" in said and "c.txt" in said
    assert (visitor.folder / "back.txt").read_text() == "hello"


@pytest.mark.parametrize("share", ["SYSVOL", "files"])
def test_folders_come_and_go_whole(visitor: Host, share: str) -> None:
    """mput, mget, tar both ways; by a ticket."""
    source = visitor.folder / "tree"
    (source / "deep" / "er").mkdir(parents=True, exist_ok=True)
    for number in range(5):
        (source / "deep" / f"{number}.txt").write_text(str(number))
    (source / "deep" / "er" / "last.txt").write_text("last")
    assert visitor.run(["kinit", "Administrator"], stdin=PASSWORD + "\n").returncode == 0
    ticket = ("--use-kerberos=required",)
    smb(visitor, share, f"lcd {source}; prompt OFF; recurse ON; mput *", *ticket)
    target = visitor.folder / f"got-{share}"
    target.mkdir()
    smb(visitor, share, f"lcd {target}; prompt OFF; recurse ON; mget deep", *ticket)
    assert (target / "deep" / "er" / "last.txt").read_text() == "last"
    archive = visitor.folder / f"{share}.tar"
    smb(visitor, share, f"tar c {archive} deep", *ticket)
    smb(visitor, share, "deltree deep", *ticket)
    smb(visitor, share, f"tar x {archive}", *ticket)
    assert "last.txt" in smb(visitor, share, "cd deep\\er; ls", *ticket)
    smb(visitor, share, "deltree deep", *ticket)


def test_a_large_file_through_encryption(visitor: Host) -> None:
    content = os.urandom(1 << 20) * (LARGE >> 20)
    (visitor.folder / "big").write_bytes(content)
    smb(visitor, "files", "put big; get big again; del big", "-U", ADMIN, "--client-protection=encrypt")
    found = hashlib.sha256((visitor.folder / "again").read_bytes()).digest()
    assert found == hashlib.sha256(content).digest()


@pytest.mark.parametrize("share", ["SYSVOL", "files"])
def test_descriptors_by_smbcacls(visitor: Host, share: str) -> None:
    (visitor.folder / "hello.txt").write_text("hello")
    smb(visitor, share, "put hello.txt acl.txt")

    def cacls(*words: str) -> str:
        done = visitor.run(["smbcacls", f"//{SERVER}/{share}", "acl.txt", "-U", ADMIN, *words])
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    cacls("--add", "ACL:S-1-5-32-546:ALLOWED/0x0/READ")
    assert "BUILTIN\\Guests:ALLOWED/0x0/READ" in cacls()
    cacls("--delete", "ACL:S-1-5-32-546:ALLOWED/0x0/READ")
    assert "Guests" not in cacls()
    cacls("--inherit=remove")
    assert "PD" in cacls()
    smb(visitor, share, "del acl.txt")


def test_smbprotocol(visitor: Host) -> None:
    done = visitor.run([sys.executable, "-c", _SMBPROTOCOL, SERVER, PASSWORD])
    assert done.stdout.endswith("good\n"), done.stderr


def test_impacket(visitor: Host) -> None:
    (visitor.folder / "hello.txt").write_text("hello")
    (visitor.folder / "words").write_text(
        "use files\nmkdir imp\ncd imp\nput hello.txt\nls\n"
        "cat hello.txt\nrm hello.txt\ncd ..\nrmdir imp\nexit\n"
    )
    program = str(Path(sys.executable).parent / "smbclient.py")
    done = visitor.run(
        [sys.executable, program, f"{DOMAIN}/Administrator:{PASSWORD}@{SERVER}", "-inputfile", "words"]
    )
    assert "hello" in done.stdout and "[-]" not in done.stdout, done.stdout + done.stderr


def test_what_was_acknowledged_outlives_a_kill(visitor: Host, shared: ForestHost, tmp_path: Path) -> None:
    """kill -9 of the process that serves SMB in the middle of writing; the next one takes clients at once."""
    log = tmp_path / "written"
    writer = visitor.start([sys.executable, "-c", _DURABLE, SERVER, PASSWORD], log)
    try:
        while log.stat().st_size < 2000:
            assert writer.poll() is None, log.read_text()
            os.sched_yield()
        (victim,) = smb_processes(shared)
        os.kill(victim, signal.SIGKILL)
        writer.wait(timeout=60)
    finally:
        writer.kill()
        writer.wait()
    acknowledged = max(int(line) for line in log.read_text().splitlines() if line.isdigit())
    for _ in range(100):
        if visitor.run(["smbclient", f"//{SERVER}/files", "-U", ADMIN, "-c", "ls"]).returncode == 0:
            break
    smb(visitor, "files", "get written.txt")
    content = (visitor.folder / "written.txt").read_bytes()
    assert len(content) >= 8 * (acknowledged + 1)
    assert content[: 8 * (acknowledged + 1)] == b"".join(
        number.to_bytes(8, "little") for number in range(acknowledged + 1)
    )
    smb(visitor, "files", "del written.txt")


def smb_processes(shared: ForestHost) -> list[int]:
    """Who listens on port 445."""
    said = shared.host.run(["ss", "-Hltnp", "sport = :445"], check=True).stdout
    return sorted({int(part.split(",")[0]) for part in said.split("pid=")[1:]})
