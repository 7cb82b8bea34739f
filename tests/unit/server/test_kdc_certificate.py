"""The KDC's certificate in the data folder: made where it is missing, the operator's let be, lists heeded."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from addc.base.data_dir import CONFIG_NAME, KDC_CERTIFICATE_NAME, KDC_KEY_NAME
from addc.base.errors import UserError
from addc.base.rng import SystemRng
from addc.base.secret import Secret
from addc.directory import names
from addc.directory.context import WriteContext
from addc.directory.delete import delete_object
from addc.kdc.lookup_certificates import trust_store
from addc.provision.command import CA_KEY_NAME
from addc.security.crypto import certificate
from addc.security.crypto.x509 import KeyPair, make_kdc_certificate
from addc.security.token import SYSTEM
from addc.server import kdc_certificate
from addc.server.config import SiteConfig, read_site_config
from addc.server.offline import open_directory
from tests.kit.certificates import Authority, Wish, pem_of
from tests.kit.served import provisioned

__all__ = ["provisioned"]

SERVICES = "CN=Public Key Services,CN=Services,CN=Configuration,DC=served,DC=example,DC=com"


@pytest.fixture
def data_dir(provisioned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(provisioned, tmp_path / "forest"))


def site(data_dir: Path, **more: object) -> SiteConfig:
    path = data_dir / CONFIG_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | more))
    return read_site_config(data_dir)


def own(data_dir: Path) -> bytes:
    return certificate.read_pem((data_dir / KDC_CERTIFICATE_NAME).read_bytes())[0].der


def test_the_rules_follow_the_configuration(data_dir: Path) -> None:
    found = kdc_certificate.policy(data_dir, site(data_dir))
    assert found is not None and found.identity.certificate.der == own(data_dir)
    assert (found.strict_revocation, found.fresh, found.anonymous, found.insecure_groups) == (
        True,
        False,
        False,
        False,
    )
    assert found.identity.chain == (), "the root is not sent along"
    more = {"kdc_revocation": "soft", "kdc_require_freshness": True, "kdc_anonymous_tickets": True}
    found = kdc_certificate.policy(data_dir, site(data_dir, **more, kdc_weak_groups=True))
    assert found is not None
    assert (found.strict_revocation, found.fresh, found.anonymous, found.insecure_groups) == (
        False,
        True,
        True,
        True,
    )


def test_certificate_logons_can_be_turned_off(data_dir: Path) -> None:
    assert kdc_certificate.policy(data_dir, site(data_dir, kdc_certificate_logons=False)) is None


def test_a_forest_of_an_earlier_version_gets_what_it_lacks(data_dir: Path) -> None:
    """The certificate, and the forest's authority in NTAuth."""
    (data_dir / KDC_CERTIFICATE_NAME).unlink()
    (data_dir / KDC_KEY_NAME).unlink()

    def forget(ctx: WriteContext) -> None:
        for below in ("CN=NTAuthCertificates", "CN=SERVED addc CA,CN=AIA"):
            delete_object(ctx, f"{below},{SERVICES}")

    directory = open_directory(data_dir)
    directory.write_now("test", SYSTEM, forget)
    directory.close()
    assert kdc_certificate.policy(data_dir, site(data_dir)) is None
    kdc_certificate.ensure(data_dir, SystemRng())
    found = kdc_certificate.policy(data_dir, site(data_dir))
    assert found is not None
    assert (data_dir / KDC_KEY_NAME).stat().st_mode & 0o777 == 0o600
    directory = open_directory(data_dir)
    store = directory.read_now("test", SYSTEM, trust_store)
    row = directory.read_now(
        "test", SYSTEM, lambda ctx: names.resolve(ctx, f"CN=SERVED addc CA,CN=AIA,{SERVICES}")
    )
    directory.close()
    assert row is not None
    assert found.identity.certificate.is_issued_by(store.issuers[0])


def test_what_is_there_is_let_be(data_dir: Path) -> None:
    before = own(data_dir)
    kdc_certificate.ensure(data_dir, SystemRng())
    assert own(data_dir) == before


def test_a_certificate_that_soon_ends_is_renewed(data_dir: Path) -> None:
    ca = KeyPair((data_dir / "tls/ca.pem").read_bytes(), Secret((data_dir / CA_KEY_NAME).read_bytes()))
    ending = make_kdc_certificate(
        ca,
        ("dc1.served.example.com",),
        "SERVED.EXAMPLE.COM",
        datetime.now(UTC) - timedelta(days=800),
        SystemRng(),
    )
    (data_dir / KDC_CERTIFICATE_NAME).write_bytes(ending.certificate)
    (data_dir / KDC_KEY_NAME).write_bytes(ending.key.reveal())
    before = own(data_dir)
    kdc_certificate.ensure(data_dir, SystemRng())
    assert own(data_dir) != before


def test_the_operators_own(data_dir: Path) -> None:
    """With the authorities above it behind it; whatever its time, it is not replaced."""
    root = Authority("Root")
    issuing = Authority("Issuing", above=root)
    holder = issuing.fulfil("kdc", Wish(uses=None, when=datetime.now(UTC) - timedelta(minutes=30)))
    paths = holder.write(data_dir)
    (data_dir / KDC_CERTIFICATE_NAME).write_bytes(paths[0].read_bytes() + issuing.pem + root.pem)
    (data_dir / KDC_KEY_NAME).write_bytes(pem_of(holder.key))
    kdc_certificate.ensure(data_dir, SystemRng())
    found = kdc_certificate.policy(data_dir, site(data_dir))
    assert found is not None and found.identity.certificate.der == holder.der
    assert [one.der for one in found.identity.chain] == [issuing.der]


def test_a_key_of_another_certificate(data_dir: Path) -> None:
    other = Authority().fulfil("x", Wish(uses=None))
    (data_dir / KDC_KEY_NAME).write_bytes(pem_of(other.key))
    with pytest.raises(UserError, match="not the certificate's"):
        kdc_certificate.policy(data_dir, site(data_dir))


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_that_is_no_certificate(data_dir: Path, content: bytes) -> None:
    (data_dir / KDC_CERTIFICATE_NAME).write_bytes(content)
    with pytest.raises(UserError, match="Next step"):
        kdc_certificate.policy(data_dir, site(data_dir))


def test_revocation_lists_of_a_folder(data_dir: Path) -> None:
    """A change of the folder is seen; what is no list is told."""
    config = site(data_dir, kdc_crl_folder="crls")
    assert kdc_certificate.policy(data_dir, config) is not None, "a folder that is not there holds none"
    (data_dir / "crls").mkdir()
    before = kdc_certificate.stamp(data_dir, config)
    (data_dir / "crls" / "people.crl").write_bytes(Authority().revocation_list(5))
    assert kdc_certificate.stamp(data_dir, config) != before
    found = kdc_certificate.policy(data_dir, config)
    assert found is not None and [one.revokes(5) for one in found.lists] == [True]
    (data_dir / "crls" / "bad.pem").write_bytes(b"nonsense")
    with pytest.raises(UserError, match="is no revocation list"):
        kdc_certificate.policy(data_dir, config)
