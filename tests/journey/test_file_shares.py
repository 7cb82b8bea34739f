"""A folder of the host as a file share: Samba's client at work in it."""

import hashlib
import os
from collections.abc import Iterator

import pytest

from tests.kit.forest_host import PASSWORD, ForestHost, addc, client, configure, provision, serve
from tests.kit.net import Host, Lan
from tests.kit.samba_tools import samba_desk

ROUND_TRIP_OCTETS = 1 << 30


@pytest.fixture(scope="module")
def shared(lan: Lan) -> Iterator[ForestHost]:
    """A forest of its own that serves the share `files`."""
    host = lan.host("files", 154)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    configure(data_dir)
    folder = host.folder / "served"
    folder.mkdir()
    made = addc(
        host, "share", "add", "files", str(folder), "--data-dir", str(data_dir), "--comment", "Files of all",
        "--files-sddl", "O:BAG:BAD:(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;AU)",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    found = serve(host, data_dir)
    yield found
    assert found.stop() == 0


@pytest.fixture(scope="module")
def visitor(lan: Lan, shared: ForestHost) -> Host:
    return samba_desk(client(lan.host("visitor", 155), shared.host, shared.data_dir / "tls" / "ca.pem"))


def smb(visitor: Host, shared: ForestHost, commands: str, *more: str) -> str:
    """What smbclient says; it must succeed."""
    done = visitor.run(
        [
            "smbclient", f"//{shared.host.address}/files", "-U", f"Administrator%{PASSWORD}", *more,
            "-c", commands,
        ],
        timeout_s=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("dialect", ["SMB2_02", "SMB2_10", "SMB3_00", "SMB3_02", "SMB3_11"])
def test_files_come_and_go_in_every_dialect(visitor: Host, shared: ForestHost, dialect: str) -> None:
    (visitor.folder / "hello.txt").write_text("hello")
    said = smb(
        visitor, shared,
        "mkdir sub; cd sub; put hello.txt a.txt; allinfo a.txt; setmode a.txt +h; rename a.txt b.txt;"
        " get b.txt back.txt; dir; setmode b.txt -h; del b.txt; cd ..; rmdir sub; dir",
        "--max-protocol", dialect,
    )  # fmt: skip
    assert (visitor.folder / "back.txt").read_text() == "hello"
    assert "b.txt" in said
    assert not list((shared.host.folder / "served").iterdir())


def test_a_large_file_comes_back_as_it_was(visitor: Host, shared: ForestHost) -> None:
    block = os.urandom(1 << 20)
    wanted = hashlib.sha256()
    with (visitor.folder / "big").open("wb") as big:
        for number in range(ROUND_TRIP_OCTETS >> 20):
            piece = number.to_bytes(8, "little") + block[8:]
            big.write(piece)
            wanted.update(piece)
    smb(visitor, shared, "put big big; get big again; del big")
    with (visitor.folder / "again").open("rb") as again:
        assert hashlib.file_digest(again, "sha256").digest() == wanted.digest()
    for name in ("big", "again"):
        (visitor.folder / name).unlink()


def test_shares_are_told(shared: ForestHost) -> None:
    told = shared.addc("share", "list", "--json", "--data-dir", str(shared.data_dir))
    assert '"name": "files"' in told.stdout
    folder = str(shared.host.folder / "served")
    refused = shared.addc("share", "add", "sysvol", folder, "--data-dir", str(shared.data_dir))
    assert refused.returncode == 1
    assert "choose another name" in refused.stderr
