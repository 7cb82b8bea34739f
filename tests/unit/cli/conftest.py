"""Data folders of forests that nobody serves."""

import json
import shutil
from pathlib import Path

import pytest

from addc.base.data_dir import CONFIG_NAME, DATABASE_NAME, KEY_NAME
from tests.kit.databases import KEY


@pytest.fixture
def forest(provisioned: Path, tmp_path: Path) -> Path:
    """As `addc provision` leaves it."""
    folder = tmp_path / "forest"
    shutil.copytree(provisioned, folder)
    config = folder / CONFIG_NAME
    config.write_text(config.read_text().replace(str(provisioned), str(folder)))
    return folder


@pytest.fixture
def corp_folder(corp_file: Path, tmp_path: Path) -> Path:
    """With the forest of the kit in it, and no more than a command needs."""
    (tmp_path / DATABASE_NAME).write_bytes(corp_file.read_bytes())
    (tmp_path / CONFIG_NAME).write_text(json.dumps({"database": f"sqlite:///{DATABASE_NAME}"}))
    key = tmp_path / KEY_NAME
    key.write_bytes(KEY.reveal())
    key.chmod(0o600)
    return tmp_path
