"""addc krb and addc keytab, on a data folder that nobody serves."""

import json
from pathlib import Path

import pytest

from addc.cli.main import main


def where(forest: Path) -> list[str]:
    return ["--data-dir", str(forest)]


def test_a_keytab_is_exported_and_decoded(
    forest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "admin.keytab"
    assert main(["keytab", "export", str(path), "--principal", "Administrator", *where(forest)]) == 0
    done = capsys.readouterr()
    assert done.out.endswith(f"2 keys written to {path}.\n")
    (line,) = done.err.splitlines()
    assert json.loads(line)["event"] == 4782 and json.loads(line)["logger"] == "addc.audit"
    assert main(["krb", "decode", str(path), "--json", "--keytab", str(path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["kind"] == "keytab" and {one["key"] for one in shown["items"]} == {"hidden"}
    assert main(["krb", "decode", str(path), "--keytab", str(path)]) == 0
    assert "etype: aes256-cts-hmac-sha1-96" in capsys.readouterr().out


def test_a_keytab_of_nobody_is_wrongly_asked(forest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keytab", "export", "/nowhere/at/all", *where(forest)]) == 1
    assert "Whose keys?" in capsys.readouterr().err


def test_spns(forest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["krb", "spns", *where(forest)]) == 0
    assert "0 of them questionable." in capsys.readouterr().out
    assert main(["krb", "spns", "--duplicates", "--json", *where(forest)]) == 0
    assert json.loads(capsys.readouterr().out) == {"faults": []}


def test_explain(forest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["krb", "explain", "Administrator", *where(forest)]) == 0
    assert "=> granted: krbtgt/" in capsys.readouterr().out
    assert main(["krb", "explain", "Guest", *where(forest)]) == 1
    told = capsys.readouterr().out
    assert "NO  disabled" in told and "next step: enable it" in told
    assert main(["krb", "explain", "nobody", "--json", *where(forest)]) == 1
    (part,) = json.loads(capsys.readouterr().out)
    assert not part["granted"] and part["steps"][0]["cause"] == "nobody has that name"


def test_policy(forest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["krb", "policy", "show", "--json", *where(forest)]) == 0
    assert json.loads(capsys.readouterr().out)["max_ticket_age_h"] == 10
    assert main(["krb", "policy", "set", *where(forest)]) == 1
    assert "Nothing to set" in capsys.readouterr().err
    assert main(["krb", "policy", "set", "--max-ticket-age", "12", "--dry-run", *where(forest)]) == 0
    assert "nothing was changed" in capsys.readouterr().err
    assert main(["krb", "policy", "set", "--max-clock-skew", "3", "--json", *where(forest)]) == 0
    assert json.loads(capsys.readouterr().out)["done"] is True
    assert main(["krb", "policy", "show", *where(forest)]) == 0
    shown = capsys.readouterr().out
    assert "max ticket age: 10" in shown and "max clock skew: 3" in shown


def test_roll(forest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["krb", "roll-krbtgt", "--dry-run", *where(forest)]) == 0
    assert "Nothing was changed." in capsys.readouterr().out
    assert main(["krb", "roll-krbtgt", "--json", *where(forest)]) == 0
    rolled = json.loads(capsys.readouterr().out)
    assert rolled["done"] and rolled["kvno"] == rolled["kvno_before"] + 1
    assert main(["krb", "roll-krbtgt", *where(forest)]) == 1
    assert "Next step: wait until then, or --force." in capsys.readouterr().err
    assert main(["krb", "roll-krbtgt", "--force", *where(forest)]) == 0
    assert "who holds one logs on again" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x05\x04", b"\xd4\xc3\xb2\xa1", b"6a03020105", bytes(40)]
)
def test_what_is_nothing_of_kerberos_is_told(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    keytab = tmp_path / "empty.keytab"
    keytab.write_bytes(b"\x05\x02")
    assert main(["krb", "decode", str(path), "--keytab", str(keytab)]) == 1
    assert "is no ticket, credential cache" in capsys.readouterr().err
    assert main(["krb", "decode", str(tmp_path / "absent"), "--keytab", str(keytab)]) == 1
    assert "No such file" in capsys.readouterr().err
