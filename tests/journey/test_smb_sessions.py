"""SMB as clients speak it: every dialect, signed and encrypted, Kerberos and NTLM; what is refused."""

import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.kit.clients import Client
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN, PASSWORD, ForestHost
from tests.kit.net import Host

SERVER = f"dc1.{DNS_DOMAIN}"
ADMIN = f"{DOMAIN}\\Administrator%{PASSWORD}"
DIALECTS = ("SMB2_02", "SMB2_10", "SMB3_00", "SMB3_02", "SMB3_11")
_SMBPROTOCOL = """
import sys, uuid
from smbprotocol.connection import Connection
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect
server, user, password = sys.argv[1:]
for dialect in (0x0202, 0x0210, 0x0300, 0x0302, 0x0311):
    for encrypted in (False, True)[: 1 + (dialect >= 0x0300)]:
        connection = Connection(uuid.uuid4(), server, 445)
        connection.connect(dialect)
        session = Session(connection, user, password, require_encryption=encrypted, auth_protocol="ntlm")
        session.connect()
        tree = TreeConnect(session, rf"\\\\{server}\\SYSVOL")
        tree.connect()
        connection.echo(session.session_id)
        tree.disconnect()
        session.disconnect()
        connection.disconnect()
        print("good")
"""
SUITES = (
    "smb2.connect",
    "smb2.tcon",
    "smb2.session-id",
    "smb2.session-require-signing",
    "smb2.credits",
    "smb2.compound_async",
    "smb2.compound_find",
    "smb2.session.reconnect1",
    "smb2.session.reconnect2",
    "smb2.session.reauth1",
    "smb2.session.bind1",
    "smb2.session.bind2",
    "smb2.session.bind_invalid_auth",
    "smb2.session.bind_negative_smb202",
    "smb2.session.bind_negative_smb3to3s",
    "smb2.session.bind_negative_smb3encGtoCs",
    "smb2.session.bind_negative_smb3signCtoHs",
    "smb2.session.two_logoff",
)


@pytest.fixture(scope="module")
def desk(machine: Host) -> Host:
    """The machine with caches of its own: Samba's clients remember addresses for the whole computer."""
    places = machine.folder / "samba-sessions"
    places.mkdir(exist_ok=True)
    kinds = ("lock directory", "cache directory", "state directory", "private dir")
    lines = ["[global]", f" workgroup = {DOMAIN}", *[f" {kind} = {places}" for kind in kinds]]
    (places / "smb.conf").write_text("\n".join([*lines, ""]))
    return replace(machine, environment={**machine.environment, "SMB_CONF_PATH": str(places / "smb.conf")})


@pytest.fixture(autouse=True)
def _serving(forest: ForestHost) -> Iterator[None]:
    yield
    assert forest.process.poll() is None


def _smbclient(machine: Host, share: str, *more: str) -> tuple[int, str]:
    done = machine.run(["smbclient", f"//{SERVER}/{share}", *more])
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_signed(desk: Host, dialect: str) -> None:
    status, words = _smbclient(desk, "SYSVOL", "-U", ADMIN, "-m", dialect, "-c", "ls")
    assert status == 0 and DNS_DOMAIN in words


@pytest.mark.parametrize("dialect", DIALECTS[2:])
def test_every_dialect_of_smb_3_encrypted(desk: Host, dialect: str) -> None:
    more = ("--client-protection=encrypt", "-c", "ls")
    status, words = _smbclient(desk, "SYSVOL", "-U", ADMIN, "-m", dialect, *more)
    assert status == 0 and DNS_DOMAIN in words


def test_by_ticket_alone(desk: Host, user: Client) -> None:
    user.login()
    status, words = _smbclient(desk, "NETLOGON", "--use-kerberos=required", "-c", "ls")
    assert status == 0, words


@pytest.mark.parametrize(
    ("share", "options", "status"),
    [
        ("SYSVOL", ("-U", f"{DOMAIN}\\Administrator%wrong"), "NT_STATUS_LOGON_FAILURE"),
        ("SYSVOL", ("-N", "-U%"), "NT_STATUS_ACCESS_DENIED"),
        ("nothing", ("-U", ADMIN), "NT_STATUS_BAD_NETWORK_NAME"),
        ("SYSVOL", ("-U", ADMIN, "-m", "NT1", "--option=client min protocol=NT1"), "NT_STATUS_"),
    ],
)
def test_what_is_refused(desk: Host, share: str, options: tuple[str, ...], status: str) -> None:
    """A wrong password, nobody at a share of files, an unknown share, SMB 1."""
    code, words = _smbclient(desk, share, *options, "-c", "ls")
    assert code != 0 and status in words


def test_smbprotocol(desk: Host) -> None:
    done = desk.run([sys.executable, "-c", _SMBPROTOCOL, SERVER, "Administrator", PASSWORD])
    assert done.stdout.count("good") == 8, done.stderr


@pytest.mark.parametrize("suite", SUITES)
def test_smbtorture(desk: Host, suite: str) -> None:
    done = desk.run(["smbtorture", f"//{SERVER}/SYSVOL", "-U", ADMIN, suite], timeout_s=120)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "failure:" not in done.stdout and "error:" not in done.stdout
