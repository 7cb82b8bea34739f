"""Attackers' own tools against the KDC and LDAP: what they make of stolen keys, of old holes, of a stranger's
reach. Krbtgt is rolled here, so this forest is nobody else's.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from addc.codec.ccache import unpack_ccache
from addc.codec.krb5 import EncTicketPart, Ticket
from addc.codec.pac import GroupMembership, Pac, PacType, pack_ndr_buffer, unpack_logon_info
from addc.kdc.pac_build import tgt_buffers
from addc.kdc.ticket_pac import PacSigners, find_pac, pac_entry, sign_pac
from addc.kdc.tickets import sealed
from addc.security.krb_keys import Key, KeyUsage, decrypt
from addc.server.offline import open_directory
from tests.journey.test_python_clients import keys_of_accounts
from tests.kit import ccache_file
from tests.kit.clients import DC, Client, Done, unicode_pwd, user_ldif
from tests.kit.forest_host import (
    DNS_DOMAIN,
    DOMAIN_DN,
    REALM,
    ForestHost,
    client,
    log_lines,
    provision,
    serve,
)
from tests.kit.kdc_realm import SeededRng
from tests.kit.net import Host, Lan

USERS_DN = f"CN=Users,{DOMAIN_DN}"
SECRET = "S1ege.Passw0rd"
MALLORY, ROASTED, SERVICE, PLAIN = "mallory", "roasted", "victim", "plain"
SPN = f"http/victim.{DNS_DOMAIN}"
WEB = "siegeweb"
DOMAIN_ADMINS = 512
MAKING_RODCS = "1.2.840.113556.1.4.1341"


@dataclass
class Siege:
    """A forest of its own, and the machine of an attacker who has one user's password."""

    forest: ForestHost
    machine: Host
    admin: Client

    def tool(self, name: str, *words: str, ccache: str | None = None) -> str:
        """What one of the attacker's programs says, whether it succeeded or not."""
        program = str(Path(sys.executable).parent / name)
        words = (sys.executable, "-W", "ignore", program, *words)
        environment = [] if ccache is None else [f"KRB5CCNAME={self.machine.folder / ccache}"]
        done = self.machine.run(["env", "-u", "KRB5CCNAME", *environment, *words])
        return done.stdout + done.stderr

    def search_with(self, ccache: Path) -> Done:
        """ldapsearch with what a credential cache holds; the tickets that it fetches are forgotten."""
        used = self.machine.folder / "used.ccache"
        used.write_bytes(ccache.read_bytes())
        return self.machine.run(
            ["ldapsearch", "-LLL", "-Q", "-Y", "GSSAPI", "-b", DOMAIN_DN, "-s", "base", "dn"],
            environment={"KRB5CCNAME": f"FILE:{used}"},
        )

    def lets_in(self, ccache: Path) -> bool:
        done = self.search_with(ccache)
        assert ("dn: " in done.stdout) == (done.returncode == 0), done.stdout + done.stderr
        return done.returncode == 0

    @property
    def path(self) -> Path:
        return Path(self.machine.environment["KRB5CCNAME"].removeprefix("FILE:"))

    def shown(self, service: str) -> Ticket:
        """The ticket for a service in the cache of who is logged on."""
        for one in unpack_ccache(self.path.read_bytes()).credentials:
            if str(one.server.name) == service:
                return Ticket.unpack(one.ticket)
        raise AssertionError(service)


def roll_krbtgt(forest: ForestHost) -> None:
    done = forest.addc("krb", "roll-krbtgt", "--force", "--data-dir", str(forest.data_dir))
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def siege(lan: Lan) -> Iterator[Siege]:
    host = lan.host("siege", 170)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    forest = serve(host, data_dir)
    machine = client(lan.host("besieger", 171), host, data_dir / "tls" / "ca.pem")
    roll_krbtgt(forest)  # ticketer believes that every krbtgt's key has the version 2
    admin = Client(machine)
    admin.login()
    for name in (MALLORY, PLAIN):
        admin.must_change(user_ldif(name, SECRET), "ldapadd")
    admin.must_change(user_ldif(SERVICE, SECRET, f"servicePrincipalName: {SPN}"), "ldapadd")
    admin.must_change(user_ldif(ROASTED, SECRET), "ldapadd")
    admin.must_change(
        f"dn: CN={ROASTED},{USERS_DN}\nchangetype: modify\nreplace: userAccountControl\n"
        f"userAccountControl: {0x40_0200}\n"
    )
    admin.must_change(
        f"dn: CN={WEB},{USERS_DN}\nobjectClass: computer\nsAMAccountName: {WEB}$\nuserAccountControl: 4096\n"
        f"servicePrincipalName: host/{WEB}.{DNS_DOMAIN}\n{unicode_pwd(SECRET)}\n",
        "ldapadd",
    )
    yield Siege(forest, machine, admin)
    assert forest.stop() == 0
    wrong = [line for line in log_lines(forest.log) if line["level"] in ("error", "critical")]
    assert not wrong, wrong[:2]


MALLORYS = f"{REALM}/{MALLORY}:{SECRET}"


# --- what anybody may ask ---


def test_kerberoasting_gets_nothing_of_rc4(siege: Siege) -> None:
    address = siege.forest.host.address
    said = siege.tool("GetUserSPNs.py", "-dc-ip", address, "-request", MALLORYS.replace(REALM, DNS_DOMAIN))
    assert "$krb5tgs$18$" in said and "$23$" not in said, said
    assert MALLORY not in said.partition("$krb5tgs$")[0].splitlines()[-1]


def test_as_rep_roasting_gets_those_alone_who_need_no_proof(siege: Siege) -> None:
    address, users = siege.forest.host.address, siege.machine.folder / "users"
    users.write_text(f"{ROASTED}\n{PLAIN}\nnobody\nAdministrator\nkrbtgt\n")
    said = siege.tool(
        "GetNPUsers.py", "-dc-ip", address, "-no-pass", "-usersfile", str(users), f"{DNS_DOMAIN}/"
    )
    assert re.findall(r"\$krb5asrep\$(\d+)\$(\w+)", said) == [("18", ROASTED)], said
    assert f"User {PLAIN} doesn't have UF_DONT_REQUIRE_PREAUTH" in said


def test_the_pac_of_anybody_is_had_by_user_to_user(siege: Siege) -> None:
    """As with Windows: names and groups are no secret to who has logged on (MS14-068 is another matter)."""
    said = siege.tool("getPac.py", "-targetUser", "Administrator", MALLORYS)
    assert "EffectiveName:                   'Administrator'" in said, said[-2000:]


def test_bloodhound_with_a_realm_in_small_letters(siege: Siege) -> None:
    address = siege.forest.host.address
    assert "Saving ticket" in siege.tool("getTGT.py", "-dc-ip", address, MALLORYS)
    said = siege.tool(
        "bloodhound-python", "-k", "-no-pass", "-u", MALLORY, "-d", DNS_DOMAIN, "-dc", DC, "-ns", address,
        "-c", "DCOnly", "--disable-autogc",
        ccache=f"{MALLORY}.ccache",
    )  # fmt: skip
    assert re.search(r"Found [1-9]\d* users", said), said[-3000:]


# --- stolen keys ---


def forged(siege: Siege, name: str, *words: str) -> Path:
    """A ticket by impacket's ticketer."""
    directory = open_directory(siege.forest.data_dir)
    try:
        sid = str(directory.forest.domain_sid)
    finally:
        directory.close()
    made = siege.machine.folder / f"{name}.ccache"
    made.unlink(missing_ok=True)
    said = siege.tool("ticketer.py", "-domain", REALM, "-domain-sid", sid, *words, name)
    assert made.exists(), said
    return made


def test_tickets_made_with_krbtgts_key_have_to_fit_the_account(siege: Siege) -> None:
    """Who has that key has the domain; but each hole that was ever closed in this stays closed."""
    siege.admin.login()
    (key,) = keys_of_accounts(siege.forest, "krbtgt")
    aes = ("-aesKey", key.hex())
    good = forged(siege, "Administrator", *aes, "-duration", "9")
    assert siege.lets_in(good), "else the others prove nothing"
    for name, words in (
        ("Administrator", (*aes, "-old-pac")),  # CVE-2021-42287: no PAC_REQUESTOR
        (MALLORY, aes),  # the PAC says 500, the name another
        ("nosuchuser", aes),
        ("Administrator", (*aes, "-user-id", "1103")),
        ("Administrator", ("-nthash", "31d6cfe0d16ae931b73c59d7e0c089c0")),
        ("Administrator", ("-aesKey", "00" * 32)),
    ):
        assert not siege.lets_in(forged(siege, name, *words)), (name, words)


def test_two_rolls_of_krbtgt_end_what_was_made_with_its_key(siege: Siege) -> None:
    siege.admin.login()
    (key,) = keys_of_accounts(siege.forest, "krbtgt")
    made = forged(siege, "Administrator", "-aesKey", key.hex(), "-duration", "9")
    for _ in range(2):
        assert siege.lets_in(made), "its key is the present or the former one"
        roll_krbtgt(siege.forest)
    assert not siege.lets_in(made)
    siege.admin.login()


def test_a_ticket_of_the_dcs_nt_hash_opens_nothing(siege: Siege) -> None:
    """Silver tickets: the KDC makes none of RC4 for a DC, so the DC takes none."""
    siege.admin.login()
    silver = forged(siege, "Administrator", "-nthash", "ab" * 16, "-spn", f"ldap/{DC}")
    assert not siege.lets_in(silver)
    aes = forged(siege, "Administrator", "-aesKey", "cd" * 32, "-spn", f"ldap/{DC}")
    assert not siege.lets_in(aes)


def _promoted(data: bytes) -> bytes:
    """The PAC with Domain Admins among the groups, its signatures as they were."""
    buffers = dict(Pac.unpack(data).buffers)
    info = unpack_logon_info(buffers[int(PacType.LOGON_INFO)])
    groups = (*(info.group_ids or ()), GroupMembership(DOMAIN_ADMINS, 7))
    buffers[int(PacType.LOGON_INFO)] = pack_ndr_buffer(replace(info, group_ids=groups))
    return Pac(tuple(buffers.items())).pack()


def rewritten(siege: Siege, service: str, key: Key, change: Callable[[bytes], bytes]) -> Path:
    """The ticket for a service, decrypted, its PAC changed and sealed again."""
    ticket = siege.shown(service)
    part = EncTicketPart.unpack(decrypt(key, int(KeyUsage.TICKET), ticket.enc_part.cipher))
    data = find_pac(part.authorization_data)
    assert data is not None
    part = replace(part, authorization_data=(pac_entry(change(data)),))
    cipher = sealed(key, int(KeyUsage.TICKET), part.pack(), SeededRng("attack"), ticket.enc_part.kvno)
    path = siege.machine.folder / "rewritten.ccache"
    ccache_file.write_made(path, replace(ticket, enc_part=cipher), part)
    return path


def test_pacs_that_were_changed_are_refused(siege: Siege) -> None:
    """Diamond tickets need krbtgt's signatures too; a service's ticket those that are its own."""
    mallory = siege.admin
    mallory.login(MALLORY, SECRET)
    assert mallory.kvno(f"ldap/{DC}").returncode == 0
    krbtgt, dc = (Key(18, value) for value in keys_of_accounts(siege.forest, "krbtgt", "dc1$"))
    assert siege.lets_in(rewritten(siege, f"ldap/{DC}", dc, lambda data: data))
    assert not siege.lets_in(rewritten(siege, f"ldap/{DC}", dc, _promoted))
    tgs = f"krbtgt/{REALM}"
    assert siege.lets_in(rewritten(siege, tgs, krbtgt, lambda data: data))
    assert not siege.lets_in(rewritten(siege, tgs, krbtgt, _promoted))

    def by_the_service(data: bytes) -> bytes:
        return sign_pac(tgt_buffers(Pac.unpack(_promoted(data))), PacSigners(dc, dc), None)

    assert not siege.lets_in(rewritten(siege, tgs, krbtgt, by_the_service))


# --- services that act for users ---


def test_forwardable_is_nothing_that_a_service_can_write(siege: Siege) -> None:
    """The Bronze Bit, CVE-2020-17049: WEB may delegate by Kerberos alone, and forges what it was refused."""
    siege.admin.login()
    siege.admin.must_change(
        f"dn: CN={WEB},{USERS_DN}\nchangetype: modify\nreplace: msDS-AllowedToDelegateTo\n"
        f"msDS-AllowedToDelegateTo: {SPN}\n"
    )
    (key,) = keys_of_accounts(siege.forest, f"{WEB}$")
    words = (
        "-dc-ip", siege.forest.host.address, "-spn", SPN, "-impersonate", "Administrator",
        "-aesKey", key.hex(), f"{REALM}/{WEB}$",
    )  # fmt: skip
    for more in ((), ("-force-forwardable",)):
        said = siege.tool("getST.py", *more, *words)
        assert "Requesting S4U2Proxy" in said and "Saving ticket" not in said, said
        assert "KRB_AP_ERR_MODIFIED" in said if more else "KDC_ERR_BADOPTION" in said, said
    assert "Saving ticket" in siege.tool("getST.py", "-self", *words), "to itself it may have anybody"


def test_who_lists_nothing_delegates_nowhere(siege: Siege) -> None:
    address = siege.forest.host.address
    said = siege.tool(
        "getST.py", "-dc-ip", address, "-spn", f"cifs/{DC}", "-impersonate", "Administrator", MALLORYS
    )
    assert "Saving ticket" not in said and "KDC_ERR" in said, said


# --- noPac ---


def test_machines_take_no_name_of_a_dc(siege: Siege) -> None:
    """CVE-2021-42278: whoever adds a machine may not name it as a DC without its $."""
    siege.admin.login()
    said = siege.tool(
        "addcomputer.py", "-dc-ip", siege.forest.host.address, "-dc-host", DC, "-method", "LDAPS",
        "-computer-name", "nopac$", "-computer-pass", SECRET, MALLORYS.replace(REALM, DNS_DOMAIN),
    )  # fmt: skip
    assert "Successfully added machine account" in said, said
    mallory = siege.admin
    mallory.login(MALLORY, SECRET)
    change = "dn: CN=nopac,CN=Computers," + DOMAIN_DN + "\nchangetype: modify\n"
    for name in ("dc1", "nopac", "administrator"):
        done = mallory.change(change + f"replace: sAMAccountName\nsAMAccountName: {name}\n")
        assert done.returncode != 0, name


def test_a_name_that_changes_its_owner_proves_nothing(siege: Siege) -> None:
    """CVE-2021-42287: a TGT for "dc1", whose holder is then called otherwise, is not the DC's."""
    admin = siege.admin
    admin.login()
    dn = f"CN={WEB},{USERS_DN}"

    def name(text: str) -> Done:
        return admin.change(
            f"dn: {dn}\nchangetype: modify\nreplace: sAMAccountName\nsAMAccountName: {text}\n"
        )

    assert name("dc1").returncode == 0, "an administrator may"
    address = siege.forest.host.address
    (key,) = keys_of_accounts(siege.forest, "dc1")
    said = siege.tool("getTGT.py", "-dc-ip", address, "-aesKey", key.hex(), f"{REALM}/dc1")
    assert "Saving ticket in dc1.ccache" in said, said
    assert name(f"{WEB}$").returncode == 0
    said = siege.tool(
        "getST.py", "-k", "-no-pass", "-dc-ip", address, "-self", "-impersonate", "Administrator",
        "-altservice", f"ldap/{DC}", "-spn", f"ldap/{DC}", f"{REALM}/dc1",
        ccache="dc1.ccache",
    )  # fmt: skip
    assert "KDC_ERR_TGT_REVOKED" in said and "Saving ticket" not in said, said


# --- read-only DCs ---


def test_the_key_of_an_rodc_alone_lists_no_keys(siege: Siege) -> None:
    """keylistattack: KERB-KEY-LIST-REQ with a TGT made of the RODC's key, but of no logon: it has no PAC.

    With one, keys of those are listed whom the RODC may know (test_rodc.py).
    """
    admin = siege.admin
    admin.login()
    admin.must_change(
        f"dn: CN=siegerodc,{USERS_DN}\nobjectClass: computer\nsAMAccountName: siegerodc$\n"
        f"userAccountControl: {0x0400_1000}\n",
        "ldapadd",
    )
    admin.must_change(
        f"dn: CN=krbtgt_siege,{USERS_DN}\nobjectClass: user\n", "ldapadd", "-e", f"!{MAKING_RODCS}"
    )
    admin.must_change(
        f"dn: CN=siegerodc,{USERS_DN}\nchangetype: modify\n"
        f"add: msDS-KrbTgtLink\nmsDS-KrbTgtLink: CN=krbtgt_siege,{USERS_DN}\n-\n"
        f"add: msDS-RevealOnDemandGroup\nmsDS-RevealOnDemandGroup: CN={PLAIN},{USERS_DN}\n"
    )
    found = admin.entries("(cn=krbtgt_siege)", "sAMAccountName", "msDS-SecondaryKrbTgtNumber")[0]
    number = found["msds-secondarykrbtgtnumber"][0]
    (key,) = keys_of_accounts(siege.forest, found["samaccountname"][0])
    not_allowed = "is not allowed to have passwords replicated"
    for who, rodc_number, rodc_key, says in (
        (PLAIN, number, key.hex(), not_allowed),
        ("Administrator", number, key.hex(), not_allowed),
        (PLAIN, number, "11" * 32, "KRB_AP_ERR_MODIFIED"),
        (PLAIN, str(int(number) ^ 1), key.hex(), "KRB_AP_ERR_BADKEYVER"),
    ):
        said = siege.tool(
            "keylistattack.py", "-rodcNo", rodc_number, "-rodcKey", rodc_key, "-domain", REALM, "-kdc", DC,
            "-t", who, "LIST",
        )  # fmt: skip
        assert says in said, (who, said)
