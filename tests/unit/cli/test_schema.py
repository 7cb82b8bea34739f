"""addc schema: show, import, upgrade, on a data folder that nobody serves."""

import json
from pathlib import Path

import pytest

from addc.cli.main import main
from tests.kit.extension import extension


def test_import_show_and_upgrade(forest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "extension.ldf"
    path.write_text(extension(20, 4))
    where = ["--data-dir", str(forest)]
    assert main(["schema", "import", str(path), "--dry-run", *where]) == 0
    assert "24 added, 2 modified: would be done; nothing was changed." in capsys.readouterr().out
    assert main(["schema", "import", str(path), *where, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "added": 24, "modified": 2, "renamed": 0, "present": 0, "done": True
    }  # fmt: skip
    assert main(["schema", "upgrade", *where]) == 0
    assert "in force now" in capsys.readouterr().out
    assert main(["schema", "upgrade", "--to", "91", *where]) == 0
    assert "version 91 or a later one" in capsys.readouterr().out
    assert main(["schema", "show", *where]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("version 91: 1,526 attributes, 274 classes") and "extAttr7" in shown
    assert main(["schema", "show", *where, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pending_s"] is None


def test_what_is_wrong_is_told(forest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.ldf"
    path.write_text(
        "dn: CN=x,#schemaNamingContext\nchangetype: modify\nreplace: searchFlags\nsearchFlags: 1\n-\n"
    )
    where = ["--data-dir", str(forest)]
    assert main(["schema", "import", str(path), *where]) == 1
    assert "line 1: modify of CN=x,#schemaNamingContext is refused" in capsys.readouterr().err
    path.write_text("nonsense\n")
    assert main(["schema", "import", str(path), *where]) == 1
    assert "cannot be read: line 1" in capsys.readouterr().err
    assert main(["schema", "import", str(tmp_path / "absent.ldf"), *where]) == 1
    assert "absent.ldf cannot be read: No such file" in capsys.readouterr().err
    assert main(["schema", "upgrade", "--to", "99", *where]) == 1
    assert "No changes to version 99 ship" in capsys.readouterr().err
