"""The same requests to addc and to Samba: equal result codes, but for the differences listed here."""

import json
import sys
from collections.abc import Iterator
from typing import Final

import pytest

from tests.kit import forest_host, samba_peer
from tests.kit.addc_line import AddcLine, Words
from tests.kit.forest_host import ForestHost
from tests.kit.net import Host, Lan

REQUESTS: Final = r"""
import json, sys, time, ldap
uri, user, password, base = sys.argv[1:]
ldap.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_NEVER)
for attempt in range(60):
    try:
        c = ldap.initialize(uri)
        c.set_option(ldap.OPT_REFERRALS, 0)
        c.simple_bind_s(user, password)
        break
    except ldap.SERVER_DOWN:
        time.sleep(0.5)
ou = "OU=beside," + base
pwd = '"Zxcv.Pwd.9"'.encode("utf-16-le")

def add(rdn, kind, above=ou, **more):
    values = {"objectClass": kind, **more}
    lists = {name: one if isinstance(one, list) else [one] for name, one in values.items()}
    octets = lambda one: one if isinstance(one, bytes) else one.encode()
    wire = [(name, [octets(one) for one in many]) for name, many in lists.items()]
    return lambda: c.add_s(rdn + "," + above, wire)

def change(rdn, op, name, *values):
    return lambda: c.modify_s(rdn + "," + ou, [(op, name, [v.encode() for v in values] or None)])

def find(what, where=ou, scope=2, names=("1.1",)):
    return lambda: len([1 for dn, _ in c.search_s(where, scope, what, list(names)) if dn])

A, D, R = ldap.MOD_ADD, ldap.MOD_DELETE, ldap.MOD_REPLACE
config = "CN=Configuration," + base
table = [
    ("ou", add("OU=beside", "organizationalUnit", base)),
    ("user", add("CN=u1", "user", sAMAccountName="bu1", unicodePwd=pwd, userAccountControl="512")),
    ("user again", add("CN=u1", "user")),
    ("name taken", add("CN=u2", "user", sAMAccountName="BU1")),
    ("group", add("CN=g1", "group", sAMAccountName="bg1")),
    ("bad group type", add("CN=g2", "group", groupType="5")),
    ("no class", add("CN=x", "nope")),
    ("no attribute", add("CN=x", "contact", nope="1")),
    ("abstract", add("CN=x", "top")),
    ("two structures", add("CN=x", ["user", "group"])),
    ("no parent", add("CN=x,OU=nope", "contact")),
    ("wrong place", add("CN=x,CN=u1", "contact")),
    ("wrong name", add("OU=x", "contact")),
    ("other cn", add("CN=x", "contact", cn="y")),
    ("name again", add("CN=n1", "contact", name="other")),
    ("two instance types", add("CN=x", "contact", instanceType=["0", "1"])),
    ("two names", add("CN=x", "contact", sn=["a", "b"])),
    ("guid", add("CN=x", "contact", objectGUID=b"x" * 16)),
    ("foreign primary group", add("CN=x", "user", primaryGroupID="512")),
    ("subnet", add("CN=10.1.2.1/24,CN=Subnets,CN=Sites", "subnet", config)),
    ("member", change("CN=g1", A, "member", "CN=u1," + ou)),
    ("member again", change("CN=g1", A, "member", "CN=u1," + ou)),
    ("no member", change("CN=g1", D, "member", "CN=g1," + ou)),
    ("computed", change("CN=u1", R, "canonicalName", "x")),
    ("naming attribute", change("CN=u1", R, "cn", "x")),
    ("kept", change("CN=u1", R, "userAccountControl")),
    ("two descriptions", change("CN=u1", R, "description", "a", "b")),
    ("absent", change("CN=u1", D, "mail")),
    ("not a number", change("CN=u1", R, "pwdLastSet", "5")),
    ("leaf only", lambda: c.delete_s(ou)),
    ("protected", lambda: c.delete_s("CN=Domain Admins,CN=Users," + base)),
    ("cross ref", lambda: c.delete_s("CN=Enterprise Configuration,CN=Partitions," + config)),
    ("rename", lambda: c.rename_s("CN=n1," + ou, "CN=N1")),
    ("sids", find("(objectSid=*)")),
    ("guids", find("(objectGUID=*)")),
    ("bits", find("(userAccountControl:1.2.840.113556.1.4.803:=512)")),
    ("chain", find("(memberOf:1.2.840.113556.1.4.1941:=CN=g1," + ou + ")")),
    ("category", find("(objectCategory=person)")),
    ("anr", find("(anr=bu1)")),
    ("odd scope", find("(cn=u1)", scope=3)),
    ("no base", find("(cn=u1)", "CN=nope," + base)),
    ("bad base", find("(cn=u1)", "nonsense")),
    ("undefined", find("(!(nope=x))")),
    ("constructed", find("(canonicalName=*)")),
]
answers = {}
for name, work in table:
    try:
        found = work()
        answers[name] = [0, found if isinstance(found, int) else 0]
    except ldap.LDAPError as error:
        answers[name] = [error.args[0].get("result", -1), 0]
print(json.dumps(answers))
"""

DELIBERATE: Final = {
    "undefined": "[MS-ADTS] 3.1.1.3.1.3.1: an unknown attribute is Undefined, and so is its negation",
    "constructed": "[MS-ADTS] 3.1.1.3.1.3: constructed attributes are inappropriateMatching",
}
"""Where addc answers otherwise, and by which word of the documents."""


@pytest.fixture(scope="module")
def peer(lan: Lan) -> Iterator[samba_peer.SambaPeer]:
    host = lan.host("peer", 11)
    found = samba_peer.provision(host, host.folder / "samba")
    found.start()
    yield found
    found.stop()


def answers(machine: Host, *words: str) -> dict[str, list[int]]:
    done = machine.run([sys.executable, "-W", "ignore", "-c", REQUESTS, *words], check=True, timeout_s=120)
    found: dict[str, list[int]] = json.loads(done.stdout)
    return found


def test_answers_are_those_of_samba(machine: Host, forest: ForestHost, peer: samba_peer.SambaPeer) -> None:
    ours = answers(
        machine, f"ldaps://{forest.host.address}", f"Administrator@{forest_host.DNS_DOMAIN}",
        forest_host.PASSWORD, forest_host.DOMAIN_DN,
    )  # fmt: skip
    theirs = answers(
        machine, f"ldaps://{peer.host.address}", f"Administrator@{samba_peer.DNS_DOMAIN}",
        samba_peer.PASSWORD, samba_peer.DOMAIN_DN,
    )  # fmt: skip
    differing = {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}
    assert set(differing) == set(DELIBERATE), differing


@pytest.fixture
def elsewhere(peer: samba_peer.SambaPeer) -> Iterator[Words]:
    """addc as administrator of Samba's domain, on Samba's DC."""
    (peer.host.folder / "admin").write_text(samba_peer.PASSWORD + "\n")
    uri = f"ldap://{samba_peer.HOST_NAME}.{samba_peer.DNS_DOMAIN}"
    how = ("-H", uri, "-U", "Administrator", "--logon-password-file", str(peer.host.folder / "admin"))
    line = AddcLine(peer.host)
    yield Words(line, peer.host, how)
    line.close()


def test_the_forest_s_words_work_on_a_dc_of_samba_s(elsewhere: Words, peer: samba_peer.SambaPeer) -> None:
    zone = samba_peer.DNS_DOMAIN
    assert elsewhere.facts("domain", "info")["domain"] == zone
    assert {one["host"] for one in elsewhere.facts("fsmo", "show")} == {f"{samba_peer.HOST_NAME}.{zone}"}
    elsewhere.ok("sites", "create", "Berlin")
    elsewhere.ok("sites", "subnets", "add", "192.0.2.0/24", "Berlin")
    elsewhere.ok("sites", "servers", "move", samba_peer.HOST_NAME, "Berlin")
    assert elsewhere.facts("sites", "show", "Berlin")["subnets"] == ["192.0.2.0/24"]
    elsewhere.ok("sites", "servers", "move", samba_peer.HOST_NAME, "Default-First-Site-Name")
    elsewhere.ok("sites", "delete", "Berlin")
    elsewhere.ok("dns", "record", "add", zone, "web", "A", "192.0.2.7")
    asked = ["dig", "@127.0.0.1", "+short", "A", f"web.{zone}"]
    assert peer.host.run(asked, check=True).stdout.strip() == "192.0.2.7"
    elsewhere.ok("dns", "record", "delete", zone, "web", "A", "192.0.2.7")
    assert not peer.host.run(asked, check=True).stdout.strip()
    elsewhere.ok("domain", "passwordsettings", "set", "--min-length", "9")
    assert elsewhere.facts("domain", "passwordsettings", "show")["min_length"] == 9
    assert len(elsewhere.facts("gpo", "list")) == 2
