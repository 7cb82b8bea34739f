"""The wheel holds all that the product needs: built and installed without a network, run outside the tree."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from addc.base.version import VERSION
from tests.gate.source_tree import ROOT
from tests.kit.served import PASSWORD, REALM, start

BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-c", BUILD, folder], cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that has the wheel, and borrows what it depends on from ours."""
    scratch = tmp_path_factory.mktemp("installed")
    venv.create(scratch, symlinks=True)
    where = sysconfig.get_path("purelib", vars={"base": str(scratch)})
    (Path(where) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(scratch / "bin" / "python"), "install"]
    subprocess.run([*pip, "--quiet", "--no-index", "--no-deps", str(wheel)], check=True, cwd=scratch)
    return scratch / "bin"


def test_the_wheel_holds_the_code_and_the_data_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"addc-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    sources = {
        path.relative_to(ROOT) for kind in ("py", "css", "js") for path in (ROOT / "addc").rglob(f"*.{kind}")
    }
    data = {
        Path("addc") / kind / "data" / path.relative_to(ROOT / kind)
        for kind in ("schema", "provision")
        for path in (ROOT / kind).rglob("*")
        if path.is_file()
    }
    expected = {str(path) for path in sources | data} | {"addc/py.typed"}
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_an_installed_addc_provisions_and_serves(installed: Path, tmp_path: Path) -> None:
    addc, forest = installed / "addc", tmp_path / "forest"
    (tmp_path / "password").write_text(PASSWORD)

    def run(*words: str | Path) -> str:
        done = subprocess.run([addc, *words], cwd=tmp_path, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("--version") == f"addc {VERSION}\n"
    where = [str(installed / "python"), "-c", "import addc; print(addc.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert Path(found.strip()).is_relative_to(installed.parent)
    words = ["--realm", REALM, "--host-name", "dc1", "--host-ip", "127.0.0.1", "--data-dir", str(forest)]
    assert REALM in run("provision", *words, "--admin-password-file", tmp_path / "password")
    served = start(forest, addc=[addc])
    assert "ready: yes" in run("status", "--data-dir", forest)
    assert served.stop() == 0
