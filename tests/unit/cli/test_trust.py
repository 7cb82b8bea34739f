"""addc trust: every word, on a data folder that nobody serves; KDCs of partners by script."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from addc.base.clock import FileTime
from addc.cli.main import main
from addc.codec.krb5 import KrbError, PrincipalName
from addc.codes.krb_error import KrbErrorCode as Code

SID = "S-1-5-21-77-88-99"


@pytest.fixture
def password(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text("Tru5t.Secret.Number.1\n")
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    capsys.readouterr()
    assert main(["trust", *words]) == status
    told = capsys.readouterr()
    return told.out if status == 0 else told.out + told.err


def test_a_trust_from_its_making_to_its_end(
    forest: Path, password: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data-dir", str(forest)]
    create = ["create", "--partner", "Partner.Test", "--sid", SID, "--password-file", password, *where]
    told = run(capsys, *create, "--dry-run")
    assert "could be made" in told
    assert "no trusts" in run(capsys, "list", *where)
    told = run(capsys, *create, "--selective-auth")
    assert "addc trust verify partner.test" in told and "Secret" not in told
    assert run(capsys, "list", *where) == "partner.test  PARTNER  both  cross_forest\n"
    shown = json.loads(run(capsys, "show", "PARTNER", "--json", *where))
    assert shown["attributes"] == ["forest_transitive", "cross_organization"]
    assert shown["encryption_types"] == ["aes256_cts_hmac_sha1_96", "aes128_cts_hmac_sha1_96"]
    assert shown["secrets"]["incoming"]["kvno"] == 1
    changed = ["set-password", "partner.test", "--password-file", password, *where]
    assert "kvno 1" in run(capsys, *changed, "--dry-run")
    assert "kvno 2" in run(capsys, *changed)
    assert "nothing was changed" in run(capsys, "delete", "partner.test", "--dry-run", *where)
    assert "Ended" in run(capsys, "delete", "partner.test", *where)
    assert json.loads(run(capsys, "list", "--json", *where)) == []


def test_kinds_and_their_defaults(forest: Path, password: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An external trust is quarantined, a realm of MIT's is not transitive."""
    where = ["--data-dir", str(forest), "--password-file", password, "--json"]
    made = run(capsys, "create", "--type", "external", "--partner", "ext.test", "--sid", SID, *where)
    assert json.loads(made)["boundary"] == "quarantined_external"
    words = ["--partner", "e2.test", "--sid", "S-1-5-21-1-1-9", "--no-quarantine", "--rc4"]
    made = run(capsys, "create", "--type", "external", *words, *where)
    assert json.loads(made)["boundary"] == "external"
    assert "rc4_hmac" in json.loads(made)["encryption_types"]
    made = run(capsys, "create", "--type", "mit", "--partner", "mit.test", "--kvno", "4", *where)
    assert json.loads(made)["partner"] == "MIT.TEST"
    assert json.loads(made)["attributes"] == ["non_transitive"]
    assert json.loads(made)["secrets"]["outgoing"]["kvno"] == 4


def test_flags_are_changed_one_by_one(
    forest: Path, password: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data-dir", str(forest), "--json"]
    run(capsys, "create", "--partner", "p.test", "--sid", SID, "--password-file", password, *where)
    words = ["set-attributes", "p.test", "--quarantine", "--rc4"]
    assert json.loads(run(capsys, *words, "--dry-run", *where))["attributes"] == ["forest_transitive"]
    changed = json.loads(run(capsys, *words, *where))
    assert changed["boundary"] == "quarantined_external"
    assert "rc4_hmac" in changed["encryption_types"]
    changed = json.loads(run(capsys, "set-attributes", "p.test", "--no-quarantine", "--no-rc4", *where))
    assert changed["boundary"] == "cross_forest"
    assert "rc4_hmac" not in changed["encryption_types"]


def test_what_a_forest_claims(forest: Path, password: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--data-dir", str(forest)]
    run(capsys, "create", "--partner", "p.test", "--sid", SID, "--password-file", password, *where)
    words = ["--add", "more.test", "--exclude", "x.p.test", "--disable", "p.test"]
    words += ["--add-domain", "c.p.test", "C", "S-1-5-21-77-88-100"]
    told = run(capsys, "namespaces", "p.test", *words, *where)
    assert "name: p.test  (not in use)\n" in told
    assert "excluded name: x.p.test\n" in told
    assert "domain: c.p.test  S-1-5-21-77-88-100\n" in told
    told = run(capsys, "namespaces", "p.test", "--enable", "p.test", "--remove", "more.test", *where)
    assert "more.test" not in told and "not in use" not in told
    told = run(capsys, "namespaces", "p.test", "--remove", "p.test", *where, status=1)
    assert "Refused" in told and "Next step" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["create", "--partner", "p.test", "--sid", "nonsense"], "is no SID"),
        (["create", "--partner", "p.test"], "a domain that is trusted has a SID"),
        (["create", "--type", "mit", "--partner", "M.TEST", "--sid", SID], "has no SID"),
        (["set-password", "absent.test"], "There is no trust with absent.test"),
    ],
)
def test_what_is_wrong_is_told(
    forest: Path, password: str, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    given = [*words, "--data-dir", str(forest), "--password-file", password]
    found = run(capsys, *given, status=1)
    assert told in found and "Next step" in found


def test_passwords_that_are_none(forest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = tmp_path / "short"
    short.write_text("short\n")
    words = ["create", "--partner", "p.test", "--sid", SID, "--data-dir", str(forest)]
    assert "shorter than 14" in run(capsys, *words, "--password-file", str(short), status=1)
    assert "cannot be read" in run(capsys, *words, "--password-file", str(tmp_path / "no"), status=1)
    assert "No password was given" in run(capsys, *words, status=1)


# --- verify ------------------------------------------------------------------------------------------------


@contextmanager
def scripted(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """A KDC on a port of its own that answers every request by `answer`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    size = int.from_bytes(connection.recv(4), "big")
                    data = b""
                    while len(data) < size:
                        data += connection.recv(size - len(data))
                    reply = answer(data)
                    connection.sendall(len(reply).to_bytes(4, "big") + reply)

        thread = Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def error(code: Code) -> bytes:
    return KrbError(
        stime=FileTime(133_800_000_000_000_000),
        susec=0,
        error_code=int(code),
        realm="P.TEST",
        sname=PrincipalName(2, ("krbtgt", "P.TEST")),
    ).pack()


@pytest.mark.parametrize(
    ("code", "good"),
    [(Code.KDC_ERR_TGT_REVOKED, True), (Code.KRB_AP_ERR_MODIFIED, False), (Code.KRB_AP_ERR_NOT_US, False)],
)
def test_a_partners_answer_tells_whether_it_opened_our_ticket(
    forest: Path, password: str, capsys: pytest.CaptureFixture[str], code: Code, good: bool
) -> None:
    where = ["--data-dir", str(forest)]
    words = ["--partner", "p.test", "--direction", "inbound", "--password-file", password]
    run(capsys, "create", *words, *where)
    with scripted(lambda data: error(code)) as port:
        told = run(
            capsys,
            "verify",
            "p.test",
            "--kdc",
            f"127.0.0.1:{port}",
            *where,
            "--json",
            status=0 if good else 1,
        )
    assert [one["good"] for one in json.loads(told)] == [True, True, good]


def test_a_partner_that_is_not_there(forest: Path, password: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--data-dir", str(forest)]
    words = ["--partner", "p.test", "--sid", SID, "--password-file", password]
    run(capsys, "create", *words, *where)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told = run(capsys, "verify", "p.test", "--kdc", f"127.0.0.1:{port}", *where, status=1)
    assert told.count("BAD") == 2 and "refused" in told
