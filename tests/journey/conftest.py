"""One provisioned, serving forest and one client machine for all journeys of a run.

A journey that would disturb the others (kill -9, other back ends) brings up a forest of its own.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.clients import Client
from tests.kit.forest_host import ForestHost, client, configure, provision, serve
from tests.kit.net import Host, Lan


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder that users other than root can enter (sssd, postgres)."""
    assert os.geteuid() == 0, "journeys make network namespaces: run them as root"
    folder = Path(tempfile.mkdtemp(prefix="addc-journey-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def lan(scratch: Path) -> Iterator[Lan]:
    with Lan(scratch) as found:
        yield found


@pytest.fixture(scope="session")
def forest(lan: Lan) -> Iterator[ForestHost]:
    """dc1 at .10, and a name server of the outside world at .53 that it forwards to."""
    host = lan.host("dc1", 10)
    data_dir = host.folder / "data"
    provision(host, data_dir, "--dns-forwarder", host.address.rsplit(".", 1)[0] + ".53")
    configure(data_dir, kdc_proxy_port=443)
    found = serve(host, data_dir)
    yield found
    assert found.process.poll() is None, f"addc serve died: {found.log.read_text()[-4000:]}"
    assert found.stop() == 0
    checked = found.addc("check", "--data-dir", str(data_dir))
    assert checked.returncode == 0, checked.stdout[-4000:] + checked.stderr
    errors = [line for line in found.log.read_text().splitlines() if '"level": "error"' in line]
    assert not errors, errors[:5]


@pytest.fixture(scope="session")
def machine(lan: Lan, forest: ForestHost) -> Host:
    """A member-to-be: its resolver and krb5.conf point at the DC."""
    return client(lan.host("client", 20), forest.host, forest.data_dir / "tls" / "ca.pem")


@pytest.fixture
def user(machine: Host) -> Client:
    """A person at that machine with an empty credential cache."""
    machine.run(["kdestroy", "-q"])
    return Client(machine)
