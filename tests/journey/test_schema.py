"""ldapmodify extends the schema of a server with two workers; then everybody uses it, whichever answers."""

import json
from collections.abc import Iterator

import pytest

from tests.kit.clients import Client
from tests.kit.forest_host import DOMAIN_DN, ForestHost, client, provision, serve
from tests.kit.net import Lan

SCHEMA_DN = f"CN=Schema,CN=Configuration,{DOMAIN_DN}"
OID = "1.3.6.1.4.1.99999.8"
TRIES = 12
"""Connections enough to meet both workers."""


@pytest.fixture
def scene(lan: Lan) -> Iterator[tuple[ForestHost, Client]]:
    """A DC with two workers, and an administrator at a machine."""
    number = len(lan.hosts)
    host, machine = lan.host(f"schema{number}"), lan.host(f"s{number}")
    data_dir = host.folder / "data"
    provision(host, data_dir)
    forest = serve(host, data_dir, "--workers", "2")
    admin = Client(client(machine, host, data_dir / "tls" / "ca.pem"))
    admin.login()
    yield forest, admin
    assert forest.stop() == 0
    errors = [line for line in forest.log.read_text().splitlines() if '"level": "error"' in line]
    assert not errors, errors[:5]


EXTENSION = f"""\
dn: CN=adr-Colour,{SCHEMA_DN}
changetype: add
objectClass: attributeSchema
attributeID: {OID}.1.1
attributeSyntax: 2.5.5.12
oMSyntax: 64
isSingleValued: TRUE
searchFlags: 1
lDAPDisplayName: adrColour

dn:
changetype: modify
add: schemaUpdateNow
schemaUpdateNow: 1
-

dn: CN=adr-Thing,{SCHEMA_DN}
changetype: add
objectClass: classSchema
governsID: {OID}.2.1
objectClassCategory: 1
subClassOf: top
possSuperiors: organizationalUnit
possSuperiors: container
mayContain: adrColour
lDAPDisplayName: adrThing

dn:
changetype: modify
replace: schemaUpdateNow
schemaUpdateNow: 1
-
"""


def thing(number: int) -> str:
    return (
        f"dn: CN=thing{number},CN=Users,{DOMAIN_DN}\nchangetype: add\nobjectClass: adrThing\n"
        f"adrColour: blue{number}\n"
    )


def test_an_extension_is_at_work_in_every_worker(scene: tuple[ForestHost, Client]) -> None:
    forest, admin = scene
    refused = admin.change(thing(0))
    assert refused.returncode == 16, refused.stderr
    admin.must_change(EXTENSION)
    for number in range(TRIES):
        admin.must_change(thing(number))
    for number in range(TRIES):
        (found,) = admin.entries(f"(adrColour=BLUE{number})", "objectClass", "adrColour")
        assert found["objectclass"] == ["top", "adrThing"]
        (lines,) = admin.entries(
            "-s", "base", "(objectClass=*)", "attributeTypes", base=f"CN=Aggregate,{SCHEMA_DN}"
        )
        assert any("NAME 'adrColour'" in line for line in lines["attributetypes"])
    report = json.loads(forest.addc("schema", "show", "--data-dir", str(forest.data_dir), "--json").stdout)
    assert report["attributes_changed"] == ["adrColour"]
    assert report["classes_changed"] == ["adrThing"]


def test_what_the_command_imports_a_running_server_serves(scene: tuple[ForestHost, Client]) -> None:
    forest, admin = scene
    path = forest.host.folder / "extension.ldf"
    path.write_text(EXTENSION.replace(SCHEMA_DN, "#schemaNamingContext"))
    done = forest.addc("schema", "import", str(path), "--data-dir", str(forest.data_dir))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 added, 0 modified")
    for number in range(TRIES):
        admin.must_change(thing(number))
    done = forest.addc("schema", "upgrade", "--data-dir", str(forest.data_dir))
    assert done.returncode == 0, done.stderr
    (root,) = admin.entries("-s", "base", "(objectClass=dMD)", "objectVersion", base=SCHEMA_DN)
    assert root["objectversion"] == ["91"]
