"""Names that clients register themselves: nsupdate, net, sssd, samba_dnsupdate and dnspython."""

import json
import re
import sys
from collections.abc import Iterator
from typing import Final

import pytest

from tests.journey.test_kerberos import USER_PASSWORD, make_user
from tests.kit.clients import DC, Client, unicode_pwd
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, PASSWORD, REALM, ForestHost
from tests.kit.member import Member, member, wait_until
from tests.kit.net import Host, Lan

OPEN_ZONE: Final = "open.example.com"
DATA: Final = "--data-dir"
MACHINE_PASSWORD: Final = "Dyn5.Machine.Passw0rd"


def joined(lan: Lan, forest: ForestHost, name: str, octet: int) -> Member:
    """A machine of the domain, logged on as itself."""
    found = member(lan, name, octet, forest.host)
    join = ["adcli", "join", "--stdin-password", "--login-user=Administrator", DNS_DOMAIN]
    done = found.run(join, stdin=PASSWORD)
    assert done.returncode == 0, done.stdout + done.stderr
    found.run(["kinit", "-k", f"{name.upper()}$"], check=True)
    return found


@pytest.fixture(scope="module")
def ws1(lan: Lan, forest: ForestHost) -> Iterator[Member]:
    found = joined(lan, forest, "dyn1", 21)
    yield found
    found.end()


@pytest.fixture(scope="module")
def ws2(lan: Lan, forest: ForestHost) -> Iterator[Member]:
    found = joined(lan, forest, "dyn2", 22)
    yield found
    found.end()


@pytest.fixture(scope="module")
def reverse(forest: ForestHost) -> str:
    """The reverse zone of the LAN, made by an administrator."""
    first, second, third, _ = forest.host.address.split(".")
    zone = f"{third}.{second}.{first}.in-addr.arpa"
    made = forest.addc("dns", "zone", "create", zone, DATA, str(forest.data_dir))
    assert made.returncode == 0, made.stdout + made.stderr
    return zone


def nsupdate(machine: Host, *lines: str, options: tuple[str, ...] = ("-g",)) -> str:
    """What nsupdate says; "" where all went well."""
    script = "\n".join([f"server {DC}", *lines, "send", "quit", ""])
    done = machine.run(["nsupdate", *options], stdin=script)
    assert bool(done.returncode) == bool(done.stderr.strip()), done.stdout + done.stderr
    return done.stdout + done.stderr


def looked_up(machine: Host, name: str, kind: str = "A") -> list[str]:
    return machine.run(["dig", "+short", "+tcp", f"@{DC}", kind, name], check=True).stdout.split()


# --- nsupdate -g (RFC 3645) ---


def test_a_machine_registers_its_name_and_its_address(ws1: Member, reverse: str) -> None:
    name = f"dyn1.{DNS_DOMAIN}"
    octet = ws1.address.rsplit(".", 1)[1]
    said = nsupdate(
        ws1,
        f"prereq nxrrset {name} CNAME",
        f"update delete {name} A",
        f"update add {name} 1200 A {ws1.address}",
    )
    assert said == ""
    assert nsupdate(ws1, f"update add {octet}.{reverse} 1200 PTR {name}.") == ""
    assert looked_up(ws1, name) == [ws1.address]
    assert looked_up(ws1, f"{octet}.{reverse}", "PTR") == [f"{name}."]


def test_another_machine_may_not_change_or_delete_it(ws1: Member, ws2: Member, reverse: str) -> None:
    """Denied."""
    name, octet = f"dyn1.{DNS_DOMAIN}", ws1.address.rsplit(".", 1)[1]
    assert nsupdate(ws1, f"update add {name} 1200 A {ws1.address}") == ""
    for line in (
        f"update add {name} 1200 A {ws2.address}",
        f"update delete {name}",
        f"update delete {octet}.{reverse} PTR",
    ):
        assert "REFUSED" in nsupdate(ws2, line)
    assert looked_up(ws2, name) == [ws1.address]


def test_a_user_registers_a_name_and_is_denied_a_machine_s(user: Client, ws1: Member) -> None:
    make_user(user, "dnsuser")
    user.login("dnsuser", USER_PASSWORD)
    machine = user.machine
    assert nsupdate(ws1, f"update add dyn1.{DNS_DOMAIN} 1200 A {ws1.address}") == ""
    assert nsupdate(machine, f"update add hers.{DNS_DOMAIN} 600 TXT hers") == ""
    assert looked_up(machine, f"hers.{DNS_DOMAIN}", "TXT") == ['"hers"']
    assert "REFUSED" in nsupdate(machine, f"update delete dyn1.{DNS_DOMAIN}")


def test_an_administrator_may_change_any_name(user: Client, ws1: Member) -> None:
    assert nsupdate(ws1, f"update add dyn1.{DNS_DOMAIN} 1200 A {ws1.address}") == ""
    user.login()
    assert nsupdate(user.machine, f"update add dyn1.{DNS_DOMAIN} 1200 TXT noted") == ""
    assert looked_up(user.machine, f"dyn1.{DNS_DOMAIN}", "TXT") == ['"noted"']


def test_an_unsigned_update_is_refused(ws2: Member) -> None:
    """Denied: the zone takes secure updates alone."""
    said = nsupdate(ws2, f"update add dyn2.{DNS_DOMAIN} 600 A 192.0.2.1", options=())
    assert "REFUSED" in said
    assert looked_up(ws2, f"dyn2.{DNS_DOMAIN}") == []


def test_an_unsigned_update_is_taken_where_the_zone_says_so(forest: ForestHost, ws2: Member) -> None:
    folder = str(forest.data_dir)
    for words in (("create", OPEN_ZONE), ("set", OPEN_ZONE, "--updates", "any")):
        done = forest.addc("dns", "zone", *words, DATA, folder)
        assert done.returncode == 0, done.stdout + done.stderr
    assert nsupdate(ws2, f"update add free.{OPEN_ZONE} 600 A 192.0.2.1", options=()) == ""
    assert looked_up(ws2, f"free.{OPEN_ZONE}") == ["192.0.2.1"]
    assert nsupdate(ws2, f"update delete free.{OPEN_ZONE}", options=()) == ""
    assert looked_up(ws2, f"free.{OPEN_ZONE}") == []


def test_prerequisites_decide(ws2: Member) -> None:
    assert "NXDOMAIN" in nsupdate(
        ws2, f"prereq yxdomain no-such.{DNS_DOMAIN}", f"update delete x.{DNS_DOMAIN}"
    )
    assert "YXDOMAIN" in nsupdate(ws2, f"prereq nxdomain {DC}", f"update delete x.{DNS_DOMAIN}")


# --- nsupdate -k with a key of ours (RFC 8945) ---


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "hmac-sha512", "hmac-sha1"])
def test_a_tool_updates_with_its_key(forest: ForestHost, ws2: Member, algorithm: str) -> None:
    name = f"tool-{algorithm}"
    made = forest.addc(
        *("dns", "tsig", "add", name, "--algorithm", algorithm, "--right", "update"),
        *("--zone", DNS_DOMAIN, DATA, str(forest.data_dir)),
    )
    assert made.returncode == 0, made.stdout + made.stderr
    ws2.write(f"/etc/{name}.key", made.stdout, "600")
    with_key = ("-k", f"/etc/{name}.key")
    assert nsupdate(ws2, f"update add {name}.{DNS_DOMAIN} 600 TXT x", options=with_key) == ""
    assert looked_up(ws2, f"{name}.{DNS_DOMAIN}", "TXT") == ['"x"']
    ended = forest.addc("dns", "tsig", "delete", name, DATA, str(forest.data_dir))
    assert ended.returncode == 0
    said = nsupdate(ws2, f"update delete {name}.{DNS_DOMAIN}", options=with_key)
    assert "NOTAUTH" in said and "BADKEY" in said.upper()


def test_another_secret_is_badsig(forest: ForestHost, ws2: Member) -> None:
    """Denied."""
    words = ("dns", "tsig", "add", "stolen", "--right", "update", "--zone", "*", DATA, str(forest.data_dir))
    assert forest.addc(*words).returncode == 0
    wrong = f"hmac-sha256:stolen:{'A' * 43}="
    said = nsupdate(ws2, f"update delete {DC}", options=("-y", wrong))
    assert "BADSIG" in said.upper()
    signed = ws2.run(["dig", f"@{DC}", "-y", wrong, "SOA", DNS_DOMAIN]).stdout
    assert "BADSIG" in signed.upper()


def test_a_signed_question_gets_a_signed_answer(forest: ForestHost, ws2: Member) -> None:
    words = ("dns", "tsig", "add", "asker", "--right", "transfer", "--zone", "*", "--json")
    made = forest.addc(*words, DATA, str(forest.data_dir))
    key = f"hmac-sha256:asker:{json.loads(made.stdout)['secret']}"
    for transport in ("+notcp", "+tcp"):
        said = ws2.run(["dig", transport, f"@{DC}", "-y", key, "SOA", DNS_DOMAIN], check=True).stdout
        assert "status: NOERROR" in said and "TSIG PSEUDOSECTION" in said
        assert "verify" not in said.lower() and "NOERROR 0" in said


# --- others' clients ---


def test_dnspython_by_gss_tsig(user: Client, forest: ForestHost) -> None:
    user.login()
    words = [sys.executable, "-m", "tests.kit.gss_update", forest.host.address, DC, DNS_DOMAIN, "hello"]
    done = user.machine.run(words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["NOERROR", "True"]
    assert looked_up(user.machine, f"by-python.{DNS_DOMAIN}", "TXT") == ['"hello"']


_SMB_CONF: Final = f"""[global]
 workgroup = ADDC
 realm = {REALM}
 security = ads
 kerberos method = secrets and keytab
"""


@pytest.fixture(scope="module")
def samba(lan: Lan, forest: ForestHost) -> Iterator[Member]:
    """A member by Samba's own join."""
    found = member(lan, "dyn3", 23, forest.host)
    found.write("/etc/samba/smb.conf", _SMB_CONF)
    done = found.run(["net", "ads", "join", "--no-dns-updates", "-U", f"Administrator%{PASSWORD}"])
    assert done.returncode == 0, done.stdout + done.stderr
    yield found
    found.end()


def test_net_ads_dns_registers_and_unregisters(samba: Member) -> None:
    name = f"dyn3.{DNS_DOMAIN}"
    done = samba.run(["net", "ads", "dns", "register", name, samba.address, "-P"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert looked_up(samba, name) == [samba.address]
    done = samba.run(["net", "ads", "dns", "unregister", name, "-P"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert looked_up(samba, name) == []


_SSSD: Final = f"""[sssd]
services = nss
domains = {DNS_DOMAIN}
[domain/{DNS_DOMAIN}]
id_provider = ad
access_provider = permit
ad_domain = {DNS_DOMAIN}
ad_server = {DC}
dyndns_update = true
dyndns_update_ptr = true
dyndns_iface = *
dyndns_refresh_interval = 60
dyndns_refresh_interval_offset = 0
ldap_id_mapping = true
"""


def test_sssd_registers_its_machine(lan: Lan, forest: ForestHost, reverse: str) -> None:
    found = joined(lan, forest, "dyn4", 24)
    try:
        found.write("/etc/sssd/sssd.conf", _SSSD, "600")
        started = found.run(["/usr/sbin/sssd", "-D", "--logger=files"])
        assert started.returncode == 0, started.stdout + started.stderr
        name = f"dyn4.{DNS_DOMAIN}"
        octet = found.address.rsplit(".", 1)[1]
        found.run(["getent", "-s", "sss", "passwd", "Administrator"])  # it goes online, and registers then
        wait_until("sssd's update", lambda: looked_up(found, name) or None, 90)
        assert looked_up(found, name) == [found.address]
        wait_until("sssd's PTR", lambda: looked_up(found, f"{octet}.{reverse}", "PTR") or None)
    finally:
        found.end()


# --- samba_dnsupdate, as a DC that registers itself ---


@pytest.fixture(scope="module")
def samba_dc(lan: Lan, forest: ForestHost, machine: Host) -> Iterator[Member]:
    """A Samba DC's database, whose machine account our domain knows as a DC's.

    samba_dnsupdate reads names and password out of that database; all else that it does is with our DC.
    """
    found = member(lan, "dyn5", 25, forest.host)
    try:
        _be_a_samba_dc(found)
        admin = Client(machine)
        admin.login()
        _know_as_dc(admin)
        yield found
        _forget_dc(forest)
        admin.login()
        admin.delete(f"CN=DYN5,CN=Computers,{DOMAIN_DN}")
    finally:
        found.end()


def _forget_dc(forest: ForestHost) -> None:
    """Take its records away: machines of other journeys would look for a domain controller there."""
    for zone in (DNS_DOMAIN, f"_msdcs.{DNS_DOMAIN}"):
        listed = forest.addc("dns", "record", "list", zone, "--json", "--data-dir", str(forest.data_dir))
        for record in json.loads(listed.stdout):
            if "dyn5" in record["data"] or record["name"] == "dyn5":
                words = ("delete", zone, record["name"], record["type"], *record["data"].split())
                done = forest.addc("dns", "record", *words, "--data-dir", str(forest.data_dir))
                assert done.returncode == 0, done.stderr


def _be_a_samba_dc(found: Member) -> None:
    words = [
        *("samba-tool", "domain", "provision", f"--realm={REALM}", "--domain=ADDC", "--server-role=dc"),
        *("--dns-backend=NONE", "--host-name=dyn5", f"--host-ip={found.address}", f"--adminpass={PASSWORD}"),
        f"--machinepass={MACHINE_PASSWORD}",
    ]
    found.run(["rm", "-f", "/etc/samba/smb.conf"])
    done = found.run(words, timeout_s=180)
    assert done.returncode == 0, done.stdout + done.stderr


def _know_as_dc(admin: Client) -> None:
    dn = f"CN=DYN5,CN=Computers,{DOMAIN_DN}"
    admin.must_change(
        f"dn: {dn}\nobjectClass: computer\nsAMAccountName: DYN5$\nuserAccountControl: 4096\n"
        f"dNSHostName: dyn5.{DNS_DOMAIN}\n{unicode_pwd(MACHINE_PASSWORD)}\n",
        "ldapadd",
    )
    admin.must_change(
        f"dn: {dn}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 532480\n"
    )


def test_samba_dnsupdate_registers_a_dc_s_records(samba_dc: Member) -> None:
    """All but the zones' NS records, which updates may not touch here nor on Windows (UpdateOptions)."""
    words = ["samba_dnsupdate", "--use-nsupdate", "--verbose", f"--current-ip={samba_dc.address}"]
    first = samba_dc.run(words, timeout_s=180)
    asked = re.findall(r"^Calling nsupdate for (\S+) (\S+) ", first.stdout, re.M)
    failed = first.stdout.count("Failed nsupdate")
    assert len(asked) > 15, first.stdout + first.stderr
    assert failed == sum(kind == "NS" for kind, _ in asked), first.stdout + first.stderr
    host = f"dyn5.{DNS_DOMAIN}"
    assert looked_up(samba_dc, host) == [samba_dc.address]
    for service in ("_ldap._tcp", "_kerberos._udp", "_ldap._tcp.dc._msdcs"):
        assert f"{host}." in looked_up(samba_dc, f"{service}.{DNS_DOMAIN}", "SRV")
    again = samba_dc.run(words, timeout_s=180)
    assert {kind for kind, _ in re.findall(r"^Calling nsupdate for (\S+) (\S+) ", again.stdout, re.M)} <= {
        "NS"
    }
