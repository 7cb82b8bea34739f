"""Python's LDAP and Kerberos clients, and foreign eyes on our PAC."""

import subprocess
import sys
from pathlib import Path

from addc.directory import accounts, passwords
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.provision.forest import secret_attributes
from addc.schema.loader import load_base
from addc.security.token import SYSTEM
from addc.server.config import read_secret_key, read_site_config
from addc.store.engine import Store
from tests.kit.clients import DC, Client
from tests.kit.foreign_pac import read_service_ticket
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN, DOMAIN_DN, PASSWORD, REALM, ForestHost
from tests.kit.net import Host

AES256 = 18


def script(machine: Host, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    return machine.run([sys.executable, "-W", "ignore", "-c", text, *words])


LDAP3_SIMPLE = """
import ssl, sys, ldap3
tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=sys.argv[1])
server = ldap3.Server(sys.argv[2], port=636, use_ssl=True, tls=tls, get_info=ldap3.ALL)
c = ldap3.Connection(server, sys.argv[3], sys.argv[4], auto_bind=True)
assert 'user' in server.schema.object_classes
assert c.extend.standard.who_am_i()
found = c.extend.standard.paged_search(sys.argv[5], '(objectClass=group)', attributes=['*'], paged_size=10)
print(sum(1 for entry in found if entry['type'] == 'searchResEntry'))
"""

LDAP3_KERBEROS = """
import ssl, sys, ldap3
tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=sys.argv[1])
server = ldap3.Server(sys.argv[2], port=636, use_ssl=True, tls=tls)
c = ldap3.Connection(server, authentication=ldap3.SASL, sasl_mechanism=ldap3.KERBEROS, auto_bind=True)
print(c.extend.standard.who_am_i())
"""

PYTHON_LDAP = """
import sys, ldap, ldap.sasl
c = ldap.initialize('ldap://' + sys.argv[1])
c.set_option(ldap.OPT_REFERRALS, 0)
c.sasl_interactive_bind_s('', ldap.sasl.gssapi(''))
print(c.whoami_s())
print(c.search_s(sys.argv[2], ldap.SCOPE_SUBTREE, '(sAMAccountName=Administrator)', ['memberOf'])[0])
"""


def test_ldap3_simple_over_tls(machine: Host, forest: ForestHost) -> None:
    ca = str(forest.data_dir / "tls" / "ca.pem")
    done = script(machine, LDAP3_SIMPLE, ca, DC, f"Administrator@{DNS_DOMAIN}", PASSWORD, DOMAIN_DN)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 40


def test_ldap3_kerberos_over_tls(user: Client, forest: ForestHost) -> None:
    user.login()
    done = script(user.machine, LDAP3_KERBEROS, str(forest.data_dir / "tls" / "ca.pem"), DC)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"u:{DOMAIN}\\Administrator"


def test_python_ldap_kerberos(user: Client) -> None:
    user.login()
    done = script(user.machine, PYTHON_LDAP, DC, DOMAIN_DN)
    assert done.returncode == 0, done.stderr
    assert f"u:{DOMAIN}\\Administrator" in done.stdout and "CN=Domain Admins" in done.stdout


def impacket(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def test_impacket_gets_a_tgt_and_a_service_ticket(machine: Host, forest: ForestHost) -> None:
    address = forest.host.address
    done = machine.run(
        [sys.executable, impacket("getTGT.py"), "-dc-ip", address, f"{REALM}/Administrator:{PASSWORD}"]
    )
    assert "Saving ticket in Administrator.ccache" in done.stdout, done.stdout + done.stderr
    done = machine.run(
        [sys.executable, impacket("getST.py"), "-k", "-no-pass", "-dc-ip", address, "-spn", f"cifs/{DC}",
         f"{REALM}/Administrator"],
        environment={"KRB5CCNAME": "Administrator.ccache"},
    )  # fmt: skip
    assert "Saving ticket in" in done.stdout, done.stdout + done.stderr


def test_minikerberos_gets_a_tgt(machine: Host, forest: ForestHost) -> None:
    url = f"kerberos+password://{REALM}\\Administrator:{PASSWORD}@{forest.host.address}"
    done = machine.run([impacket("minikerberos-getTGT"), url, "--ccache", "mini.ccache"])
    assert (machine.folder / "mini.ccache").exists(), done.stdout + done.stderr


def test_a_foreign_decoder_reads_the_pac(machine: Host, forest: ForestHost) -> None:
    """impacket's describeTicket, given the DC's key, decrypts a service ticket and prints its PAC."""
    keytab = forest.data_dir / "run" / "acceptor.keytab"
    shown = machine.run(["klist", "-ekK", "-t", str(keytab)], check=True).stdout
    key = next(
        line.split("(0x")[1].rstrip(")") for line in shown.splitlines() if "aes256-cts-hmac-sha1-96" in line
    )
    user = Client(machine)
    user.login()
    assert user.kvno(f"ldap/{DC}").returncode == 0
    ccache = machine.environment["KRB5CCNAME"].removeprefix("FILE:")
    done = machine.run([sys.executable, impacket("describeTicket.py"), "--aes", key, ccache])
    for wanted in ("LoginInfo", "ServerChecksum", "KDCChecksum", "ClientName", "UpnDns"):
        assert wanted in done.stdout, done.stdout + done.stderr
    assert "Administrator" in done.stdout


def test_impacket_verifies_every_checksum_of_the_pac(machine: Host, forest: ForestHost) -> None:
    service_key, krbtgt_key = keys_of_accounts(forest, "dc1$", "krbtgt")
    user = Client(machine)
    user.login()
    assert user.kvno(f"cifs/{DC}").returncode == 0
    ccache = machine.environment["KRB5CCNAME"].removeprefix("FILE:")
    found = read_service_ticket(ccache, f"cifs/{DC}", service_key, krbtgt_key, AES256)
    assert found.verified == {6, 7, 16, 19}
    assert {1, 10, 12} <= set(found.buffers) and not {17, 18} & set(found.buffers)
    tampered = read_service_ticket(ccache, f"cifs/{DC}", service_key, bytes(32), AES256)
    assert tampered.verified == {6}


def keys_of_accounts(forest: ForestHost, *names: str) -> list[bytes]:
    """AES-256 keys, read from the database beside the running server."""
    site = read_site_config(forest.data_dir)
    schema = load_base()
    store = Store.open(site.database, read_secret_key(forest.data_dir), secret_attributes(schema))
    directory = Directory(store, schema)

    def read(ctx: ReadContext) -> list[bytes]:
        found = []
        for name in names:
            row = accounts.row_by_sam(ctx, name)
            assert row is not None
            key = passwords.keys_of(ctx, row).key(AES256)
            assert key is not None
            found.append(key.value)
        return found

    try:
        return directory.read_now("test", SYSTEM, read)
    finally:
        directory.close()
