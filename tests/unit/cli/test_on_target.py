"""Where commands work and as whom: what is understood, asked for, refused; a DC elsewhere by script."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from addc.auth.gss import AuthError, NoKdcError, NoKeysError, PasswordLogon
from addc.auth.ntlm_initiator import NtlmIdentity
from addc.base.errors import UserError
from addc.base.secret import Secret
from addc.cli.main import main
from addc.ldap.client import LdapClient, Server
from addc.server.admin import logon
from addc.server.admin.logon import Wanted, log_on, server_of
from tests.kit.admin_target import FakeInitiator, ldap_client
from tests.kit.ldap_desk import Desk


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("ldap://dc1.example.com", "dc1.example.com", 389),
        ("dc1", "dc1", 389),
        ("ldap://dc1:3268/", "dc1", 3268),
        ("ldaps://dc1", "dc1", 636),
        ("ldap://[2001:db8::1]", "2001:db8::1", 389),
    ],
)
def test_urls(url: str, host: str, port: int) -> None:
    found = server_of(url)
    assert (found.host, found.port, found.tls is not None) == (host, port, url.startswith("ldaps"))


@pytest.mark.parametrize("url", ["http://dc1", "ldap://", "ldap://dc1:x", "ldap://dc1/DC=x"])
def test_urls_that_name_no_dc(url: str) -> None:
    with pytest.raises(UserError, match="names no DC"):
        server_of(url)


def test_authorities_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no authorities"):
        server_of("ldaps://dc1", tmp_path / "nothing.pem")


@dataclass
class Stage:
    """What was tried, and what each way comes to. kerberos: an error to raise."""

    desk: Desk
    kerberos: Exception | None = None
    tried: list[str] = field(default_factory=list)
    logons: list[object] = field(default_factory=list)

    def connect(self, server: Server) -> LdapClient:
        self.tried.append(f"connect {server.host}")
        return ldap_client(self.desk)

    def gss(self, target: str, store: object, options: object) -> FakeInitiator:
        self.tried.append(target)
        self.logons.append(store)
        if self.kerberos is not None:
            raise self.kerberos
        return FakeInitiator()

    def ntlm(self, identity: NtlmIdentity, *_: object) -> FakeInitiator:
        self.tried.append(f"NTLM {identity.domain}/{identity.user}")
        return FakeInitiator()


@pytest.fixture
def stage(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage(desk)
    monkeypatch.setattr(logon, "connect", made.connect)
    monkeypatch.setattr(logon, "GssInitiator", made.gss)
    monkeypatch.setattr(logon, "NtlmInitiator", made.ntlm)
    return made


def _password() -> Secret:
    return Secret(b"Corr3ct.Horse")


def test_tickets_at_hand_are_the_first_choice(stage: Stage) -> None:
    log_on(Wanted("ldap://dc1.corp.example.com"))
    assert stage.tried == ["connect dc1.corp.example.com", "ldap/dc1.corp.example.com@CORP.EXAMPLE.COM"]
    assert stage.logons == [{}]


@pytest.mark.parametrize("user", ["ann", "CORP\\ann", "ann@corp.example.com"])
def test_a_password_goes_to_a_kdc(stage: Stage, user: str) -> None:
    log_on(Wanted("dc1", user, _password))
    (found,) = stage.logons
    assert isinstance(found, PasswordLogon) and found.principal == "ann@CORP.EXAMPLE.COM"


def test_without_a_kdc_ntlm_proves_it(stage: Stage) -> None:
    stage.kerberos = NoKdcError("none")
    log_on(Wanted("dc1", "CORP\\ann", _password))
    assert stage.tried[-1] == "NTLM CORP/ann"


def test_a_refused_password_is_not_tried_another_way(stage: Stage) -> None:
    """A second try would count as another wrong one."""
    stage.kerberos = NoKeysError("preauthentication failed")
    with pytest.raises(UserError, match="ann could not log on"):
        log_on(Wanted("dc1", "ann", _password))
    assert not any(one.startswith("NTLM") for one in stage.tried)


def test_a_way_that_was_chosen_is_the_only_one(stage: Stage) -> None:
    stage.kerberos = NoKdcError("none")
    with pytest.raises(UserError, match="No KDC of CORP"):
        log_on(Wanted("dc1", "ann", _password, "kerberos"))
    log_on(Wanted("dc1", "ann", _password, "ntlm"))
    with pytest.raises(UserError, match="over TLS alone"):
        log_on(Wanted("dc1", "ann", _password, "simple"))


def test_an_address_is_no_name_for_kerberos(stage: Stage) -> None:
    with pytest.raises(UserError, match=r"-H ldap://dc1.corp.example.com, or -U"):
        log_on(Wanted("ldap://192.0.2.10"))
    log_on(Wanted("ldap://192.0.2.10", "ann", _password))
    assert stage.tried[-1] == "NTLM /ann"


def test_what_goes_wrong_is_told(stage: Stage) -> None:
    with pytest.raises(UserError, match=r"--auth ntlm needs a name"):
        log_on(Wanted("dc1", way="ntlm"))
    stage.kerberos = NoKeysError("none")
    with pytest.raises(UserError, match="kinit NAME"):
        log_on(Wanted("dc1"))
    stage.kerberos = AuthError("server not found in the database")
    with pytest.raises(UserError, match="does not prove itself"):
        log_on(Wanted("dc1"))
    with pytest.raises(UserError, match="No password was given"):
        log_on(Wanted("dc1", "ann"))
    stage.kerberos = None
    stage.desk.acceptor.broken = True
    with pytest.raises(UserError, match="does not let the owner of these tickets log on"):
        log_on(Wanted("dc1"))


# --- the command line --------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *words: str, status: int = 1) -> str:
    assert main(list(words)) == status
    told = capsys.readouterr()
    return told.out + told.err


def test_here_or_elsewhere_not_both(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = run(capsys, "user", "list", "-H", "ldap://dc1", "--data-dir", str(tmp_path))
    assert "not both" in told
    assert "for a DC elsewhere" in run(capsys, "user", "list", "-U", "ann", "--data-dir", str(tmp_path))
    assert "Next step" in run(capsys, "user", "list", "--data-dir", str(tmp_path / "nothing"))


def test_commands_elsewhere(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run(capsys, "user", "list", "-H", "ldap://dc1", status=0)
    assert "Administrator" in told
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Corr3ct.Horse\n")))
    words = ("ou", "add", "Sales", "-H", "dc1", "-U", "Administrator", "--logon-password-file", "-")
    assert "Made OU=Sales" in run(capsys, *words, status=0)
    assert isinstance(stage.logons[-1], PasswordLogon)
    assert stage.logons[-1].password == Secret(b"Corr3ct.Horse")
    told = run(capsys, "ou", "list", "-H", "dc1", "-U", "Administrator")
    assert "--logon-password-file" in told


def test_a_traceback_is_for_who_asks_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Traceback" not in run(capsys, "user", "list", "-H", "ldap://")
    assert "Traceback" in run(capsys, "--debug", "user", "list", "-H", "ldap://")


def test_help_tells_where_and_as_whom(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["user", "--help"], ["user", "add", "--help"], ["delegation", "set", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
        assert capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["user"])
    assert ended.value.code == 2
