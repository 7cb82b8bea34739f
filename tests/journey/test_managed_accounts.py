"""A group managed service account, from ldapadd to a ticket: who may have its password logs on with it."""

import base64
import struct
from pathlib import Path
from typing import Final

import pytest
from impacket.krb5.crypto import string_to_key
from impacket.ldap.ldaptypes import LDAP_SID, SR_SECURITY_DESCRIPTOR

from addc.auth.keytab import KeytabEntry, write_keytab
from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.security import sddl
from tests.kit.clients import Client, parse_ldif, unicode_pwd
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, REALM, ForestHost, log_lines

MSA: Final = f"CN=Managed Service Accounts,{DOMAIN_DN}"
GMSA: Final = f"CN=jweb,{MSA}"
MACHINE_PASSWORD: Final = "Mach1ne.Passw0rd"
SPN: Final = f"HTTP/jweb.{DNS_DOMAIN}"
AES256: Final = 18


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _machine(user: Client, name: str) -> None:
    dn = f"CN={name},CN=Computers,{DOMAIN_DN}"
    user.delete(dn)
    user.must_change(
        f"dn: {dn}\nobjectClass: computer\nsAMAccountName: {name}$\nuserAccountControl: 4096\n"
        f"{unicode_pwd(MACHINE_PASSWORD)}\n",
        "ldapadd",
    )


def _sid(user: Client, name: str) -> str:
    (found,) = user.entries(f"(sAMAccountName={name})", "objectSid")
    return str(LDAP_SID(found["objectsid"][0].encode("latin-1")).formatCanonical())


@pytest.fixture
def gmsa(user: Client) -> Client:
    """An account jweb$ whose password jhost1$ may have and jhost2$ may not."""
    user.login()
    for name in ("jhost1", "jhost2"):
        _machine(user, name)
    allowed = sddl.parse(f"O:BAD:(A;;RP;;;{_sid(user, 'jhost1$')})", Sid.parse("S-1-5-21-1-2-3")).pack()
    assert SR_SECURITY_DESCRIPTOR(allowed)["Dacl"]["AceCount"] == 1
    user.delete(GMSA)
    user.must_change(
        f"dn: {GMSA}\nobjectClass: msDS-GroupManagedServiceAccount\nsAMAccountName: jweb$\n"
        f"dNSHostName: jweb.{DNS_DOMAIN}\nservicePrincipalName: {SPN}\nuserAccountControl: 4096\n"
        f"msDS-ManagedPasswordInterval: 30\nmsDS-GroupMSAMembership:: {_base64(allowed)}\n",
        "ldapadd",
    )
    return user


def _fetch(user: Client, *options: str) -> list[dict[str, list[str]]]:
    done = user.machine.run(
        [
            "ldapsearch", "-LLL", "-Q", "-o", "ldif-wrap=no", "-Y", "GSSAPI", *options,
            "-b", GMSA, "-s", "base", "(objectClass=*)", "msDS-ManagedPassword",
        ]
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return parse_ldif(done.stdout)


def _current_password(blob: bytes) -> bytes:
    """By the offsets of the head, as clients read it."""
    version, _, length, current, previous, query, unchanged = struct.unpack_from("<HHIHHHH", blob)
    assert (version, length, previous) == (1, len(blob), 0)
    left, same = (int.from_bytes(blob[at : at + 8], "little") for at in (query, unchanged))
    assert 0 < same < left <= 72 * 360_000_000_000
    return blob[current : query - 2]


def _keytab(path: Path, password: bytes) -> None:
    """As services that fetch the password make one."""
    salt = f"{REALM}hostjweb.{DNS_DOMAIN}"
    key = string_to_key(AES256, password.decode("utf-16-le", "replace"), salt).contents
    write_keytab(
        path,
        [KeytabEntry(tuple(name.split("/")), REALM, 2, AES256, Secret(key)) for name in ("jweb$", SPN)],
    )


def test_who_may_have_the_password_logs_on_with_it(gmsa: Client, forest: ForestHost, tmp_path: Path) -> None:
    gmsa.login("jhost1$", MACHINE_PASSWORD)
    (entry,) = _fetch(gmsa)
    password = _current_password(entry["msds-managedpassword"][0].encode("latin-1"))
    assert len(password) == 256
    keytab = tmp_path / "keytab"
    _keytab(keytab, password)
    done = gmsa.machine.run(["kinit", "-k", "-t", str(keytab), "jweb$"])
    assert done.returncode == 0, done.stderr
    who = gmsa.machine.run(["ldapwhoami", "-Q", "-Y", "GSSAPI"])
    assert "jweb$" in who.stdout, who.stdout + who.stderr
    gmsa.login()
    opened = gmsa.kvno(SPN, "-k", str(keytab))
    assert opened.returncode == 0 and "keytab entry valid" in opened.stdout, opened.stdout + opened.stderr
    events = [line.get("event") for line in log_lines(forest.log)]
    assert 2946 in events


@pytest.mark.parametrize("who", ["jhost2$", "Administrator"])
def test_who_is_not_named_gets_nothing(gmsa: Client, who: str) -> None:
    if who == "Administrator":
        gmsa.login()
    else:
        gmsa.login(who, MACHINE_PASSWORD)
    (entry,) = _fetch(gmsa)
    assert set(entry) == {"dn"}


def test_nothing_in_clear_text(gmsa: Client) -> None:
    """A connection that is signed but not encrypted: operationsError, for who may as well."""
    gmsa.login("jhost1$", MACHINE_PASSWORD)
    done = gmsa.search("-O", "maxssf=1", "-s", "base", "(objectClass=*)", "msDS-ManagedPassword", base=GMSA)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "0000202D" in done.stdout + done.stderr


def test_the_password_is_never_set_by_hand(gmsa: Client) -> None:
    refused = gmsa.change(
        f"dn: {GMSA}\nchangetype: modify\nreplace: unicodePwd\n{unicode_pwd('Ch0sen.Passw0rd')}\n"
    )
    assert refused.returncode == 50, refused.stderr
