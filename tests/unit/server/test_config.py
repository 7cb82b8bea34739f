"""The data folder's files, and what is said when one is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from addc.base.errors import UserError
from addc.server import config


def write(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)


def test_a_relative_database_is_below_the_data_folder(tmp_path: Path) -> None:
    write(tmp_path, json.dumps({"database": "sqlite:///directory.db", "dns_forwarders": ["10.0.0.1"]}))
    site = config.read_site_config(tmp_path)
    assert site.database == f"sqlite:///{tmp_path}/directory.db"
    assert site.dns_forwarders == ("10.0.0.1",)
    write(tmp_path, json.dumps({"database": "postgresql+psycopg:///addc"}))
    assert config.read_site_config(tmp_path).database == "postgresql+psycopg:///addc"


def test_every_key_is_heeded(tmp_path: Path) -> None:
    given = {
        "database": "postgresql+psycopg:///addc",
        "host_ips": ["10.0.0.1"],
        "listen": ["10.0.0.2"],
        "dns_forwarders": ["10.0.0.3"],
        "allow_simple_bind_in_clear": True,
        "allow_unsigned_sasl": True,
        "allow_ntlm": False,
        "kdc_require_fast": True,
        "ldap_channel_binding": "always",
        "password_filter": ["/usr/bin/judge", "--strict"],
        "kdc_proxy_port": 443,
    }
    write(tmp_path, json.dumps(given | {"tls_client_ca": "ca.pem"}))
    site = config.read_site_config(tmp_path)
    assert site.tls_client_ca == f"{tmp_path}/ca.pem"
    for name, value in given.items():
        assert getattr(site, name) == (tuple(value) if isinstance(value, list) else value), name


@pytest.mark.parametrize("port", ["443", True, -1, 65_536])
def test_a_port_is_a_number(tmp_path: Path, port: object) -> None:
    write(tmp_path, json.dumps({"database": "x", "kdc_proxy_port": port}))
    with pytest.raises(UserError, match="kdc_proxy_port"):
        config.read_site_config(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"database": "x", "databse": "y"}'])
def test_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    with pytest.raises(UserError):
        config.read_site_config(tmp_path)


def test_no_forest_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="addc provision"):
        config.read_site_config(tmp_path)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "secrets.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o644)
    with pytest.raises(UserError, match="chmod 600"):
        config.read_secret_key(tmp_path)
    key.chmod(0o600)
    assert config.read_secret_key(tmp_path).reveal() == bytes(range(32))


@pytest.mark.parametrize("read", [config.read_site_config, config.read_secret_key])
def test_who_may_not_read_is_told_who_may(
    read: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    for name in ("stat", "read_bytes", "read_text"):
        monkeypatch.setattr(Path, name, refuse)
    with pytest.raises(UserError, match="the user that serves"):
        read(tmp_path)


def test_the_data_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADDC_DATA_DIR", str(tmp_path))
    assert config.default_data_dir() == tmp_path
    monkeypatch.delenv("ADDC_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert config.default_data_dir() == tmp_path / "addc"
