"""A forest of Samba's and ours trust each other: people of both everywhere, and lies that do not cross."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from addc.base.clock import SystemClock
from addc.codec.ids import Sid
from addc.codec.krb5 import PrincipalName
from addc.security.krb_keys import string_to_key
from addc.security.trusts import trust_salt
from tests.kit import ccache_file, forest_host, samba_peer, samba_trust
from tests.kit.clients import Client
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, REALM, ForestHost
from tests.kit.member import wait_until
from tests.kit.net import Host, Lan
from tests.kit.partner import PartnerTicket, info
from tests.kit.samba_peer import SambaPeer

SECRET = "Tru5t.Between.Two.Forests"
PASSWORD = "Fr3d.Passw0rd!"
PEER_DC = f"{samba_peer.HOST_NAME}.{samba_peer.DNS_DOMAIN}"
DC = f"dc1.{DNS_DOMAIN}"
PEER = samba_peer.REALM
GROUP_DN = f"CN=peer readers,CN=Users,{DOMAIN_DN}"


@pytest.fixture(scope="module")
def forest(lan: Lan) -> Iterator[ForestHost]:
    """A forest of its own: the shared one keeps no trusts."""
    host = lan.host("trustdc1", 120)
    data_dir = host.folder / "data"
    forest_host.provision(host, data_dir)
    found = forest_host.serve(host, data_dir)
    yield found
    assert found.stop() == 0


@pytest.fixture(scope="module")
def peer(lan: Lan, scratch: Path) -> Iterator[SambaPeer]:
    made = samba_peer.provision(lan.host("trustpeer", 121), scratch / "peer")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def fred(peer: SambaPeer) -> Sid:
    """A user of the peer's."""
    return samba_trust.add_user(peer, "fred", PASSWORD)


@pytest.fixture(scope="module")
def trusted(forest: ForestHost, peer: SambaPeer, fred: Sid, machine: Host) -> Host:
    """The trust on both sides; a machine of our domain that finds both KDCs."""
    user = Client(machine)
    user.login()
    own = Sid.of(user.entries("-s", "base", "objectSid")[0]["objectsid"][0].encode("latin-1"))
    samba_trust.add_trust(peer, DNS_DOMAIN, forest_host.DOMAIN, own, SECRET)
    peer.start()
    secret = forest.host.folder / "trust-password"
    secret.write_text(SECRET + "\n")
    done = forest.addc(
        "trust", "create", "--partner", samba_peer.DNS_DOMAIN, "--netbios", samba_peer.DOMAIN,
        "--sid", str(samba_trust.domain_sid(peer)), "--password-file", str(secret),
        "--data-dir", str(forest.data_dir),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    user.must_change(
        f"dn: {GROUP_DN}\nobjectClass: group\nsAMAccountName: peer readers\ngroupType: -2147483644\n"
        f"member: <SID={fred}>\n",
        "ldapadd",
    )
    asked = ["ldapsearch", "-x", "-H", f"ldap://{PEER_DC}", "-s", "base", "-b", ""]

    def answers() -> Host | None:
        """Its KDC and its LDAP server are processes of their own: either may be the later one."""
        there = machine.run(asked, timeout_s=10).returncode == 0
        return machine if there and user.kinit(f"fred@{PEER}", PASSWORD).returncode == 0 else None

    return wait_until("an answer of Samba's KDC and LDAP", answers)


@pytest.fixture(scope="module")
def machine(lan: Lan, forest: ForestHost, peer: SambaPeer) -> Host:
    host = forest_host.client(lan.host("trustclient", 122), forest.host, forest.data_dir / "tls" / "ca.pem")
    host.etc(
        "hosts",
        f"127.0.0.1 localhost\n{peer.host.address} {PEER_DC} {samba_peer.HOST_NAME}\n"
        f"{forest.host.address} {DC} dc1\n",
    )
    conf = host.folder / "krb5.conf"
    conf.write_text(
        conf.read_text()
        + f"[realms]\n {PEER} = {{\n  kdc = {peer.host.address}\n }}\n"
        + f" {REALM} = {{\n  kdc = {forest.host.address}\n }}\n"
        + f"[domain_realm]\n .{DNS_DOMAIN} = {REALM}\n"
    )
    return host


def sids_here(user: Client) -> set[str]:
    """Who our directory says the client is."""
    done = user.search("-s", "base", "(objectClass=*)", "tokenGroups", base="")
    assert done.returncode == 0, done.stderr
    found = set()
    for line in done.stdout.splitlines():
        if line.startswith("tokenGroups:: "):
            found.add(str(Sid.of(b64decode(line.partition(":: ")[2]))))
    return found


def group_sid(user: Client) -> str:
    user.login()
    return str(Sid.of(user.entries("(cn=peer readers)", "objectSid")[0]["objectsid"][0].encode("latin-1")))


def test_the_trust_is_good_in_both_directions(forest: ForestHost, trusted: Host, peer: SambaPeer) -> None:
    done = forest.addc(
        "trust",
        "verify",
        samba_peer.DNS_DOMAIN,
        "--kdc",
        peer.host.address,
        "--data-dir",
        str(forest.data_dir),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("good: ") == 5, done.stdout


def test_their_user_is_known_here_by_its_sid_and_our_groups(trusted: Host, fred: Sid) -> None:
    """Its own domain's SIDs, and the domain-local group here that it was put into as a foreign principal."""
    user = Client(trusted)
    ours = group_sid(user)
    assert user.kinit(f"fred@{PEER}", PASSWORD).returncode == 0
    found = sids_here(user)
    assert {str(fred), str(fred.domain().child(513)), ours} <= found
    shown = user.klist()
    assert f"krbtgt/{REALM}@{PEER}" in shown
    assert f"ldap/{DC}@{REALM}" in shown


def test_our_user_at_their_service(trusted: Host, peer: SambaPeer) -> None:
    user = Client(trusted)
    user.login()
    done = user.kvno(f"cifs/{PEER_DC}")
    assert done.returncode == 0, done.stderr
    assert f"Ticket server: cifs/{PEER_DC}@{PEER}" in user.klist()
    read = trusted.run(
        ["ldapsearch", "-LLL", "-Q", "-Y", "GSSAPI", "-H", f"ldap://{PEER_DC}", "-b", samba_peer.DOMAIN_DN,
         "(sAMAccountName=fred)", "cn"],
    )  # fmt: skip
    assert read.returncode == 0, read.stderr + (peer.folder / "samba.log").read_text()[-4000:]
    assert "cn: fred" in read.stdout


def test_enterprise_names_find_their_realm(trusted: Host) -> None:
    """RFC 6806 7: our KDC sends who is not its own to the partner."""
    user = Client(trusted)
    done = user.kinit(f"fred@{samba_peer.DNS_DOMAIN}", PASSWORD, "-E")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"krbtgt/{PEER}@{PEER}" in user.klist()


def forged(trusted: Host, *sids: Sid, user_id: int = 4711, domain: Sid) -> Client:
    """A person with a ticket for our KDC that somebody made who holds the secret of the trust."""
    said = info(user_id=user_id, groups=(513,), extra=sids, domain=domain)
    ticket = PartnerTicket(
        SystemClock().now(), said, crealm=PEER, issuer=PEER,
        sname=PrincipalName(2, ("krbtgt", REALM)),
    )  # fmt: skip
    key = string_to_key(18, SECRET, trust_salt(PEER, REALM))
    ccache_file.write(trusted.folder / "ccache", ticket.made(key))
    return Client(trusted)


def test_a_forged_ticket_loses_the_sids_that_are_not_the_partners(trusted: Host, fred: Sid) -> None:
    """[MS-PAC] 4.1.2.2: whoever holds the trust's secret is nobody of ours by it."""
    user = Client(trusted)
    ours = group_sid(user)
    own = Sid.parse(ours).domain()
    lies = (own.child(512), own.child(519), own.child(500), Sid.parse("S-1-5-32-544"), Sid.parse("S-1-5-9"))
    user = forged(trusted, *lies, domain=fred.domain())
    found = sids_here(user)
    assert str(fred.domain().child(4711)) in found
    assert not found & {str(sid) for sid in lies}
    refused = user.change(f"dn: {GROUP_DN}\nchangetype: modify\nreplace: description\ndescription: mine\n")
    assert refused.returncode == 50, refused.stderr


def test_a_forged_ticket_of_our_own_administrator_is_refused(trusted: Host) -> None:
    user = Client(trusted)
    own = Sid.parse(group_sid(user)).domain()
    user = forged(trusted, user_id=500, domain=own)
    done = user.kvno(f"ldap/{DC}@{REALM}")
    assert done.returncode != 0
    assert "KDC policy rejects request" in done.stderr, done.stderr


def test_selective_authentication_shuts_everybody_out_who_is_not_let_in(
    forest: ForestHost, trusted: Host
) -> None:
    """[MS-KILE] 3.3.5.7: Allowed-To-Authenticate on the DC's account."""
    where = ["--data-dir", str(forest.data_dir)]
    shown = forest.addc("trust", "show", samba_peer.DNS_DOMAIN, *where)
    assert "cross_organization" not in shown.stdout
    user = Client(trusted)
    changed = forest.addc("trust", "set-attributes", samba_peer.DNS_DOMAIN, "--selective-auth", *where)
    assert changed.returncode == 0, changed.stderr
    assert user.kinit(f"fred@{PEER}", PASSWORD).returncode == 0
    refused = user.kvno(f"cifs/{DC}@{REALM}")
    assert refused.returncode != 0 and "KDC policy rejects request" in refused.stderr
    changed = forest.addc("trust", "set-attributes", samba_peer.DNS_DOMAIN, "--no-selective-auth", *where)
    assert changed.returncode == 0, changed.stderr
    assert user.kvno(f"cifs/{DC}@{REALM}").returncode == 0
