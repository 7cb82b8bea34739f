"""`provision` leaves a whole forest or nothing, in the data folder and in the database."""

import json
import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from addc.base.data_dir import (
    CA_NAME,
    CERTIFICATE_KEY_NAME,
    CERTIFICATE_NAME,
    CONFIG_NAME,
    KDC_CERTIFICATE_NAME,
    KDC_KEY_NAME,
    KEY_NAME,
    KRB5_CONF_NAME,
)
from addc.base.errors import UserError
from addc.base.secret import Secret
from addc.codec.krb5 import PrincipalName
from addc.codec.pkinit import ID_KP_KDC, Krb5PrincipalName
from addc.directory.api import Directory
from addc.kdc.lookup_certificates import trust_store
from addc.provision import command
from addc.provision.command import CA_KEY_NAME, Request
from addc.provision.forest import secret_attributes
from addc.schema.loader import load_base
from addc.security.crypto import certificate, signatures
from addc.security.crypto.signatures import Signer
from addc.security.token import SYSTEM
from addc.server.config import read_secret_key, read_site_config
from addc.store.engine import Store, backend_of
from tests.kit.corp_forest import ANSWERS, CountingRng, corp_plan
from tests.kit.databases import PostgresServer


def silent(step: str) -> None:
    """Tells nobody."""


def stop_at(number: int, failure: type[BaseException]) -> Callable[[str], None]:
    """A progress that breaks off at the step of that number."""
    seen: list[str] = []

    def progress(step: str) -> None:
        seen.append(step)
        if len(seen) == number:
            raise failure

    return progress


def request(place: Path, database: str | None = None) -> Request:
    return Request(ANSWERS, place, database, ("192.0.2.53",))


def _open(place: Path) -> Directory:
    schema = load_base()
    url = read_site_config(place).database
    return Directory(Store.open(url, read_secret_key(place), secret_attributes(schema)), schema)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder, moved since it was made."""
    place = tmp_path_factory.mktemp("made") / "forest"
    report = command.provision(request(place), CountingRng(), silent)
    assert report["objects"] == len(corp_plan().objects) + 3 and report["data_dir"] == str(place)
    return place.rename(place.parent / "elsewhere")


def test_the_server_opens_what_provision_made(made: Path) -> None:
    directory = _open(made)
    planned = command.rehearse(request(made), CountingRng())
    assert str(directory.forest.domain_sid) == planned["domain_sid"]
    directory.close()
    assert read_site_config(made).dns_forwarders == ("192.0.2.53",)
    assert len(read_secret_key(made).reveal()) == 32


def test_only_what_clients_need_may_be_read_by_others(made: Path) -> None:
    modes = {
        str(path.relative_to(made)): path.stat().st_mode & 0o777 for path in made.rglob("*") if path.is_file()
    }
    assert modes == {
        CONFIG_NAME: 0o644,
        KRB5_CONF_NAME: 0o644,
        CA_NAME: 0o644,
        CERTIFICATE_NAME: 0o644,
        CERTIFICATE_KEY_NAME: 0o600,
        KDC_CERTIFICATE_NAME: 0o644,
        KDC_KEY_NAME: 0o600,
        CA_KEY_NAME: 0o600,
        KEY_NAME: 0o600,
        "directory.db": 0o600,
    }


def test_the_server_certificate_fits_its_key_and_authority(made: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made / CERTIFICATE_NAME, made / CERTIFICATE_KEY_NAME)
    client = ssl.create_default_context(cafile=str(made / CA_NAME))
    assert [authority["subject"] for authority in client.get_ca_certs()] == [
        ((("commonName", "CORP addc CA"),),)
    ]


def test_the_kdcs_certificate_names_the_realm_and_its_use(made: Path) -> None:
    """[RFC4556] 3.2.4, [MS-PKCA] 3.1.5.1: id-pkinit-san, id-pkinit-KPKdc, the domain's DNS name."""
    kdc, authority = certificate.read_pem((made / KDC_CERTIFICATE_NAME).read_bytes())
    assert kdc.is_issued_by(authority) and kdc.uses is not None and ID_KP_KDC in kdc.uses
    assert set(kdc.names.dns) == {"dc1.corp.example.com", "corp.example.com", "dc1"}
    tgs = Krb5PrincipalName("CORP.EXAMPLE.COM", PrincipalName(2, ("krbtgt", "CORP.EXAMPLE.COM")))
    assert tgs.pack() in kdc.der
    signer = Signer.load(Secret((made / KDC_KEY_NAME).read_bytes()))
    assert signer.is_rsa and signatures.verify(
        kdc.key, signer.algorithm, signer.digest, signer.sign(b"data"), b"data"
    )


def test_the_forests_authority_may_vouch_for_logons(made: Path) -> None:
    """KB5057784: it is in NTAuth, and known as a root."""
    (authority,) = certificate.read_pem((made / CA_NAME).read_bytes())
    directory = _open(made)
    try:
        store = directory.read_now("test", SYSTEM, trust_store)
    finally:
        directory.close()
    assert [one.der for one in store.issuers] == [one.der for one in store.roots] == [authority.der]


def test_krb5_conf_names_the_realm_and_its_addresses(made: Path) -> None:
    text = (made / KRB5_CONF_NAME).read_text()
    for part in ("default_realm = CORP.EXAMPLE.COM", "kdc = 192.0.2.10", "kdc = [2001:db8::10]"):
        assert part in text


@pytest.mark.parametrize(("step", "failure"), [(2, KeyboardInterrupt), (3, OSError), (4, KeyboardInterrupt)])
def test_a_run_that_breaks_off_leaves_nothing(
    tmp_path: Path, step: int, failure: type[BaseException]
) -> None:
    with pytest.raises(failure):
        command.provision(request(tmp_path / "forest"), CountingRng(), stop_at(step, failure))
    assert os.listdir(tmp_path) == []


def test_a_failure_while_objects_are_added_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets cannot be derived: the work fails in the middle of the one transaction."""

    def fail(*_: object) -> None:
        raise UserError("no keys today")

    monkeypatch.setattr("addc.provision.forest.passwords.derive", fail)
    with pytest.raises(UserError, match="no keys today"):
        command.provision(request(tmp_path / "forest"), CountingRng(), silent)
    assert os.listdir(tmp_path) == []


def test_a_forest_is_not_overwritten(made: Path) -> None:
    key = (made / KEY_NAME).read_bytes()
    with pytest.raises(UserError, match="will not be overwritten"):
        command.provision(request(made), CountingRng(b"other"), silent)
    assert (made / KEY_NAME).read_bytes() == key


def test_a_database_file_of_ones_own_is_not_overwritten(tmp_path: Path) -> None:
    taken = tmp_path / "taken.db"
    taken.write_bytes(b"mine")
    with pytest.raises(UserError):
        command.provision(request(tmp_path / "forest", f"sqlite:///{taken}"), CountingRng(), silent)
    assert taken.read_bytes() == b"mine" and os.listdir(tmp_path) == ["taken.db"]


def test_a_database_server_holds_the_forest_or_nothing(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = postgres_server.new_database()
    with pytest.raises(KeyboardInterrupt):
        command.provision(request(tmp_path / "forest", url), CountingRng(), stop_at(4, KeyboardInterrupt))
    assert backend_of(url).version() is None and os.listdir(tmp_path) == []
    command.provision(request(tmp_path / "forest", url), CountingRng(), silent)
    assert json.loads((tmp_path / "forest" / CONFIG_NAME).read_text())["database"] == url
    assert (tmp_path / "forest" / CONFIG_NAME).stat().st_mode & 0o777 == 0o600
    with pytest.raises(UserError):
        command.provision(request(tmp_path / "again", url), CountingRng(), silent)
    directory = _open(tmp_path / "forest")
    assert directory.forest.netbios == "CORP"
    directory.close()
    postgres_server.drop_database(url)


def test_a_rehearsal_writes_nothing(tmp_path: Path) -> None:
    report = command.rehearse(request(tmp_path / "forest"), CountingRng())
    assert report["host"] == "dc1.corp.example.com" and os.listdir(tmp_path) == []
