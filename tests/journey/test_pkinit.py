"""Logging on with certificates: MIT's kinit and Heimdal's; and each reason to be refused.

The forest is one of its own, since anonymous tickets are off by default. Who may vouch is told by ldapmodify.
"""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from addc.base.data_dir import CA_NAME, CONFIG_NAME
from addc.codec.ids import Sid
from addc.codec.key_credential import EntryKind, KeyCredential, RsaPublicBlob
from tests.journey.test_heimdal import Heimdal, unpacked
from tests.journey.test_kerberos import USER_PASSWORD, make_user
from tests.kit.certificates import SERIAL, Authority, Holder, Wish
from tests.kit.clients import DC, Client, Done
from tests.kit.forest_host import DOMAIN_DN, REALM, ForestHost, client, provision, serve
from tests.kit.net import Host, Lan

__all__ = ["unpacked"]

SERVICES: Final = f"CN=Public Key Services,CN=Services,CN=Configuration,{DOMAIN_DN}"
NTAUTH: Final = f"CN=NTAuthCertificates,{SERVICES}"
SMARTCARD_LOGON: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.2")
SIGNATURE: Final = x509.KeyUsage(
    digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
)  # fmt: skip
"""Heimdal signs with no certificate that does not say it is for that."""
STRANGER: Final = Authority("Stranger CA")
TRUSTED_KEY: Final = rsa.generate_private_key(65537, 2048)


@dataclass
class Desk:
    """A forest that trusts an authority, and a person at a machine that trusts the KDC's."""

    forest: ForestHost
    user: Client
    authority: Authority
    key: rsa.RSAPrivateKey

    def sid(self, name: str) -> str:
        (found,) = self.user.entries(f"(sAMAccountName={name})", "objectSid")
        return str(Sid(found["objectsid"][0].encode("latin-1")))

    def card(self, name: str, **wish: object) -> Holder:
        """A certificate of that user's, unless wished otherwise."""
        base = {
            "sid": self.sid(name),
            "upn": f"{name}@{REALM.lower()}",
            "key": self.key,
            "uses": (SMARTCARD_LOGON, ExtendedKeyUsageOID.CLIENT_AUTH),
            "more": ((SIGNATURE, True),),
        }
        return self.authority.fulfil(name, Wish(**{**base, **wish}))  # type: ignore[arg-type]

    def kinit(self, holder: Holder, name: str, folder: Path, *words: str) -> Done:
        """MIT's kinit with a certificate; its trace is on standard error."""
        pem, key = holder.write(folder)
        identity = f"X509_user_identity=FILE:{pem},{key}"
        return self.traced("kinit", "-X", identity, *words, f"{name}@{REALM}")

    def traced(self, *words: str, stdin: str = "") -> Done:
        return self.user.machine.run(list(words), stdin=stdin, environment={"KRB5_TRACE": "/dev/stderr"})


def _value(name: str, data: bytes) -> str:
    return f"{name}:: {base64.b64encode(data).decode()}\n"


@pytest.fixture(scope="module")
def forest(lan: Lan) -> Iterator[ForestHost]:
    host = lan.host("pkidc", 150)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    config = json.loads((data_dir / CONFIG_NAME).read_text()) | {"kdc_anonymous_tickets": True}
    (data_dir / CONFIG_NAME).write_text(json.dumps(config))
    found = serve(host, data_dir)
    yield found
    assert found.stop() == 0
    errors = [line for line in found.log.read_text().splitlines() if '"level": "error"' in line]
    assert not errors, errors[:5]


def _krb5_conf(machine: Host, *anchors: Path) -> None:
    """Have MIT's clients trust these authorities, for the KDC's certificate and for their own."""
    path = Path(machine.environment["KRB5_CONFIG"])
    lines = "".join(f"  pkinit_anchors = FILE:{anchor}\n" for anchor in anchors)
    path.write_text(path.read_text() + f"[realms]\n {REALM} = {{\n{lines} }}\n")


@pytest.fixture(scope="module")
def desk(lan: Lan, forest: ForestHost) -> Desk:
    machine = client(lan.host("pkiclient", 151), forest.host, forest.data_dir / CA_NAME)
    authority, key = Authority("People CA"), rsa.generate_private_key(65537, 2048)
    anchors = [forest.data_dir / CA_NAME]
    for name, pem in (
        ("people.pem", authority.pem),
        ("stranger.pem", STRANGER.pem),
    ):
        (machine.folder / name).write_bytes(pem)
        anchors.append(machine.folder / name)
    _krb5_conf(machine, *anchors)
    user = Client(machine)
    user.login()
    user.must_change(
        f"dn: CN=People CA,CN=Certification Authorities,{SERVICES}\nobjectClass: certificationAuthority\n"
        + _value("cACertificate", authority.der)
        + _value("certificateRevocationList", b"\0")
        + _value("authorityRevocationList", b"\0"),
        "ldapadd",
    )
    user.must_change(
        f"dn: {NTAUTH}\nchangetype: modify\nadd: cACertificate\n" + _value("cACertificate", authority.der)
    )
    return Desk(forest, user, authority, key)


def test_a_certificate_logs_on(desk: Desk, tmp_path: Path) -> None:
    """By a key that both agree on, and freshly; the ticket then binds to LDAP."""
    desk.user.login()
    make_user(desk.user, "jcard")
    done = desk.kinit(desk.card("jcard"), "jcard", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "PKINIT client making DH request" in done.stderr
    assert "PKINIT client received freshness token" in done.stderr
    assert f"Default principal: jcard@{REALM}" in desk.user.klist()
    who = desk.user.machine.run(["ldapwhoami", "-Q", "-Y", "GSSAPI", "-H", f"ldap://{DC}"])
    assert who.stdout.strip() == "u:ADDC\\jcard", who.stderr


def test_a_key_package_for_the_clients_rsa_key(desk: Desk, tmp_path: Path) -> None:
    desk.user.login()
    make_user(desk.user, "jrsa")
    done = desk.kinit(desk.card("jrsa"), "jrsa", tmp_path, "-X", "flag_RSA_PROTOCOL=yes")
    assert done.returncode == 0, done.stderr
    assert "PKINIT client making RSA request" in done.stderr
    assert desk.user.kvno(f"ldap/{DC}").returncode == 0


def test_a_client_sees_whether_the_kdc_is_the_right_one(desk: Desk, tmp_path: Path) -> None:
    """Its certificate has to come from an authority that the client trusts."""
    desk.user.login()
    make_user(desk.user, "jcareful")
    card, conf = desk.card("jcareful"), tmp_path / "krb5.conf"
    text = Path(desk.user.machine.environment["KRB5_CONFIG"]).read_text()
    conf.write_text("\n".join(line for line in text.splitlines() if CA_NAME not in line))
    pem, key = card.write(tmp_path)
    words = ["kinit", "-X", f"X509_user_identity=FILE:{pem},{key}", f"jcareful@{REALM}"]
    environment = {"KRB5_CONFIG": str(conf), "KRB5_TRACE": "/dev/stderr"}
    done = desk.user.machine.run(words, environment=environment)
    assert done.returncode != 0
    assert "PKINIT client could not verify DH reply" in done.stderr, done.stderr


def test_heimdal_logs_on_with_a_certificate(desk: Desk, unpacked: Path, tmp_path: Path) -> None:
    """Told to use no group of 1024 bits, which it does by default."""
    desk.user.login()
    make_user(desk.user, "jheim")
    pem, key = desk.card("jheim").write(tmp_path)
    heimdal = Heimdal(desk.user.machine, unpacked, tmp_path)
    config = tmp_path / "krb5.conf"
    anchors = f"[appdefaults]\n pkinit_anchors = FILE:{desk.forest.data_dir / CA_NAME}\n"
    config.write_text(config.read_text() + " pkinit_dh_min_bits = 1500\n" + anchors)
    done = heimdal.run("kinit.heimdal", "-C", f"FILE:{pem},{key}", f"jheim@{REALM}")
    assert done.returncode == 0, done.stderr
    listed = heimdal.run("heimtools", "klist")
    assert f"jheim@{REALM}" in listed.stdout, listed.stdout + listed.stderr


# --- tickets for nobody ---


def test_nobody_gets_a_ticket_for_armor_alone(desk: Desk, tmp_path: Path) -> None:
    desk.user.login()
    make_user(desk.user, "janon")
    cache = f"FILE:{tmp_path / 'anonymous'}"
    done = desk.traced("kinit", "-n", "-c", cache, f"@{REALM}")
    assert done.returncode == 0, done.stderr
    assert "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS" in desk.user.klist("-c", cache)
    refused = desk.user.kvno(f"ldap/{DC}", "-c", cache)
    assert refused.returncode != 0 and "revoked" in refused.stderr, refused.stderr
    armored = desk.traced("kinit", "-T", cache, f"janon@{REALM}", stdin=USER_PASSWORD + "\n")
    assert armored.returncode == 0, armored.stderr
    assert "FAST armor key" in armored.stderr
    wrong = desk.traced("kinit", "-T", cache, f"janon@{REALM}", stdin="wrong\n")
    assert wrong.returncode != 0


def test_a_certificate_in_nobodys_armor(desk: Desk, tmp_path: Path) -> None:
    """What the signature covers is the request inside the armor."""
    desk.user.login()
    make_user(desk.user, "jboth")
    card, cache = desk.card("jboth"), f"FILE:{tmp_path / 'anonymous'}"
    assert desk.traced("kinit", "-n", "-c", cache, f"@{REALM}").returncode == 0
    done = desk.kinit(card, "jboth", tmp_path, "-T", cache)
    assert done.returncode == 0, done.stderr
    assert "FAST armor key" in done.stderr and "PKINIT client making DH request" in done.stderr


# --- refusals ---


def test_a_certificate_of_somebody_else(desk: Desk, tmp_path: Path) -> None:
    desk.user.login()
    make_user(desk.user, "jvictim")
    make_user(desk.user, "jthief")
    done = desk.kinit(desk.card("jthief"), "jvictim", tmp_path)
    assert done.returncode != 0 and "Certificate mismatch" in done.stderr, done.stderr


def test_names_alone_are_no_mapping(desk: Desk, tmp_path: Path) -> None:
    """KB5014754: a principal name without a SID, and a subject in altSecurityIdentities."""
    desk.user.login()
    make_user(desk.user, "jweak")
    card = desk.card("jweak", sid="")
    done = desk.kinit(card, "jweak", tmp_path)
    assert done.returncode != 0 and "Certificate mismatch" in done.stderr, done.stderr
    dn = f"CN=jweak,CN=Users,{DOMAIN_DN}"
    desk.user.login()
    desk.user.must_change(
        f"dn: {dn}\nchangetype: modify\nadd: altSecurityIdentities\naltSecurityIdentities: X509:<S>CN=jweak\n"
    )
    assert desk.kinit(card, "jweak", tmp_path).returncode != 0
    identifier = x509.SubjectKeyIdentifier.from_public_key(card.certificate.public_key()).digest.hex()
    desk.user.login()
    desk.user.must_change(
        f"dn: {dn}\nchangetype: modify\nadd: altSecurityIdentities\n"
        f"altSecurityIdentities: X509:<SKI>{identifier}\n"
    )
    done = desk.kinit(card, "jweak", tmp_path)
    assert done.returncode == 0, done.stderr


def test_an_authority_outside_ntauth(desk: Desk, tmp_path: Path) -> None:
    """KB5057784: as a root it is known, but it may not vouch for logons."""
    desk.user.login()
    make_user(desk.user, "jstrange")
    card = STRANGER.fulfil("jstrange", Wish(sid=desk.sid("jstrange"), key=desk.key))
    desk.user.must_change(
        f"dn: CN=Stranger CA,CN=Certification Authorities,{SERVICES}\nobjectClass: certificationAuthority\n"
        + _value("cACertificate", STRANGER.der)
        + _value("certificateRevocationList", b"\0")
        + _value("authorityRevocationList", b"\0"),
        "ldapadd",
    )
    done = desk.kinit(card, "jstrange", tmp_path)
    assert done.returncode != 0 and "not trusted" in done.stderr.lower(), done.stderr


def test_a_revoked_certificate(desk: Desk, tmp_path: Path) -> None:
    """Its list is published where authorities publish theirs: CN=CDP, by the authority's host."""
    desk.user.login()
    make_user(desk.user, "jrevoked")
    card = desk.card("jrevoked", serial=SERIAL + 1)
    assert desk.kinit(card, "jrevoked", tmp_path).returncode == 0
    desk.user.login()
    host = f"CN=CA1,CN=CDP,{SERVICES}"
    desk.user.must_change(f"dn: {host}\nobjectClass: container\n", "ldapadd")
    revoked = desk.authority.revocation_list(SERIAL + 1)
    desk.user.must_change(
        f"dn: CN=People CA,{host}\nobjectClass: cRLDistributionPoint\n"
        + _value("certificateRevocationList", revoked),
        "ldapadd",
    )
    done = desk.kinit(card, "jrevoked", tmp_path)
    assert done.returncode != 0 and "revoked" in done.stderr.lower(), done.stderr
    desk.user.login()
    make_user(desk.user, "jstill")
    assert desk.kinit(desk.card("jstill"), "jstill", tmp_path).returncode == 0


# --- keys that accounts trust ---


def test_a_key_that_the_account_trusts(desk: Desk, tmp_path: Path) -> None:
    """Windows Hello's key trust: nobody vouches for the certificate, msDS-KeyCredentialLink has its key.

    MIT's client does not send a certificate that signs itself, so a stranger signs this one.
    """
    desk.user.login()
    make_user(desk.user, "jhello")
    holder = STRANGER.fulfil("whoever", Wish(key=TRUSTED_KEY, uses=None))
    done = desk.kinit(holder, "jhello", tmp_path)
    assert done.returncode != 0 and "not trusted" in done.stderr.lower(), done.stderr
    numbers = TRUSTED_KEY.public_key().public_numbers()
    material = RsaPublicBlob(2048, b"\x01\x00\x01", numbers.n.to_bytes(256, "big")).pack()
    entries = (
        (EntryKind.KEY_ID, os.urandom(32)),
        (EntryKind.KEY_MATERIAL, material),
        (EntryKind.KEY_USAGE, b"\1"),
    )
    data = KeyCredential(tuple((int(kind), value) for kind, value in entries)).pack()
    dn = f"CN=jhello,CN=Users,{DOMAIN_DN}"
    desk.user.login()
    desk.user.must_change(
        f"dn: {dn}\nchangetype: modify\nadd: msDS-KeyCredentialLink\n"
        f"msDS-KeyCredentialLink: B:{2 * len(data)}:{data.hex()}:{dn}\n"
    )
    done = desk.kinit(holder, "jhello", tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"Default principal: jhello@{REALM}" in desk.user.klist()
