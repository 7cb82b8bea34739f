"""addc user, group, ou and their like against a DC elsewhere, and Debian's clients that see what they did."""

import sys
from collections.abc import Iterator

import pytest

from tests.kit.addc_line import DC_URL, AddcLine, Words
from tests.kit.clients import DC, Client
from tests.kit.forest_host import DOMAIN_DN, PASSWORD, ForestHost
from tests.kit.net import Host
from tests.kit.samba_tools import SambaTools

_ADDC = [sys.executable, "-m", "addc.cli.main"]
_YARD = f"OU=words,{DOMAIN_DN}"
_NEW = "Fr3sh.Secret"


@pytest.fixture(scope="module")
def yard(machine: Host) -> Iterator[Words]:
    """The administrator with a password file, Kerberos by it; where this module's objects live."""
    (machine.folder / "admin").write_text(PASSWORD + "\n")
    how = ("-H", DC_URL, "-U", "Administrator", "--logon-password-file", str(machine.folder / "admin"))
    line = AddcLine(machine)
    words = Words(line, machine, how)
    words.ok("ou", "add", "words")
    yield words
    words.ok("ou", "delete", "words", "--recursive")
    line.close()


@pytest.fixture
def addc(yard: Words, user: Client) -> Words:
    """The administrator with tickets."""
    user.login()
    return yard.by("-H", DC_URL)


def test_a_user_by_tickets_as_debian_s_tools_see_it(addc: Words, user: Client) -> None:
    addc.ok("ou", "add", "words/Berlin", "--description", "in the east")
    made = ("user", "add", "wanda", "--password-file", "-", "--given-name", "Wanda", "--surname", "Ünal")
    assert "Made the user wanda" in addc.ok(*made, "--in", "words/Berlin", stdin=_NEW)
    (entry,) = user.entries("(sAMAccountName=wanda)")
    assert entry["dn"] == [f"CN=Wanda Ünal,OU=Berlin,{_YARD}".encode().decode("latin-1")]
    assert entry["useraccountcontrol"] == ["512"]
    assert user.kinit("wanda", _NEW).returncode == 0
    user.login()
    addc.ok("user", "password", "wanda", "--password-file", "-", "--must-change", stdin=_NEW + "2")
    assert "Password expired" in (told := user.kinit("wanda", _NEW + "2")).stdout + told.stderr
    user.login()
    addc.ok("user", "set", "wanda", "--no-must-change", "--title", "clerk", "--sensitive")
    addc.ok("user", "disable", "wanda")
    shown = SambaTools(addc.machine).ok("user", "show", "wanda")
    assert "title: clerk" in shown and f"userAccountControl: {0x202 | 0x10_0000}" in shown
    facts = addc.facts("user", "show", "wanda@addc.example.com")
    assert facts["title"] == "clerk" and not facts["enabled"] and facts["surname"] == "Ünal"
    addc.ok("user", "move", "wanda", "words")
    addc.ok("user", "rename", "wanda", "wendy")
    assert "wendy" in addc.ok("user", "list", "w*", "--below", "words", "--disabled")
    addc.ok("user", "delete", "wendy")
    assert not user.entries("(sAMAccountName=wendy)")


def test_groups_names_of_services_and_delegation(addc: Words, user: Client) -> None:
    addc.ok("computer", "add", "words1", "--in", "words")
    addc.ok("user", "add", "webber", "--random-password", "--in", "words")
    addc.ok("group", "add", "wordsmiths", "--in", "words", "--member", "webber", "--member", "words1")
    tools = SambaTools(addc.machine)
    assert sorted(tools.ok("group", "listmembers", "wordsmiths").split()) == ["webber", "words1$"]
    addc.ok("group", "remove-member", "wordsmiths", "words1")
    assert [one["name"] for one in addc.facts("group", "members", "wordsmiths")] == ["webber"]
    assert addc.facts("user", "groups", "webber") == ["Domain Users", "wordsmiths"]
    addc.ok("spn", "add", "webber", "HTTP/words.example")
    assert "already" not in addc.ok("spn", "query", "HTTP/words*")
    assert "service principal name" in addc.refused("spn", "add", "words1", "HTTP/words.example")
    assert "HTTP/words.example" in tools.ok("spn", "list", "webber")
    addc.ok("delegation", "set", "webber", "--to", "cifs/x.example", "--protocol-transition")
    shown = tools.ok("delegation", "show", "webber")
    assert "msDS-AllowedToDelegateTo: cifs/x.example" in shown
    assert "UF_TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION: True" in shown
    addc.ok("delegation", "set", "words1", "--from", "webber")
    assert addc.facts("delegation", "show", "words1")["from"] == ["webber"]
    (entry,) = user.entries("(sAMAccountName=words1$)", "msDS-AllowedToActOnBehalfOfOtherIdentity")
    assert len(entry) == 2
    addc.ok("computer", "reset", "words1")


def test_ways_to_log_on(yard: Words, user: Client, forest: ForestHost) -> None:
    """Kerberos by password, NTLM where the DC is an address, a simple bind or tickets within TLS."""
    file = str(yard.machine.folder / "admin")
    done = yard.machine.run([*_ADDC, "ou", "show", "words", *yard.how])
    assert done.returncode == 0 and "words" in done.stdout, done.stderr
    assert "krbtgt" not in user.machine.run(["klist"]).stdout  # what it got it did not leave behind
    password = ("-U", "ADDC\\Administrator", "--logon-password-file", file)
    by_address = yard.by("-H", f"ldap://{forest.host.address}", *password)
    by_address.ok("user", "add", "addressee", "--random-password", "--in", "words")
    tls = ("-H", f"ldaps://{DC}", "--tls-ca", str(forest.data_dir / "tls" / "ca.pem"))
    yard.by(*tls, *password, "--auth", "simple").ok("user", "show", "addressee")
    yard.by(*tls, *password).ok("user", "show", "addressee")
    user.login()
    within = yard.by(*tls)
    within.ok("user", "password", "addressee", "--random-password")
    assert "certificate" in yard.by("-H", f"ldaps://{DC}").refused("ou", "list")


def test_who_may_not_is_told_so(yard: Words, user: Client) -> None:
    """No rights, no tickets, a wrong password, a name that leads nowhere: each in words, nothing changed."""
    yard.ok("user", "add", "nosy", "--password-file", "-", "--in", "words", stdin=_NEW)
    user.login("nosy", _NEW)
    nosy = yard.by("-H", DC_URL)
    told = nosy.refused("user", "add", "crony", "--random-password", "--in", "words")
    assert "may not make CN=crony" in told and "0000" not in told.partition(" (")[0]
    assert "may not change" in nosy.refused("user", "disable", "Administrator")
    assert "may not change" in nosy.refused("user", "disable", "Administrator", "--dry-run")
    assert "may not make" in nosy.refused("user", "add", "crony", "--random-password", "--dry-run")
    assert "may not change" in nosy.refused("group", "add-member", "Domain Admins", "nosy")
    assert "may not delete" in nosy.refused("ou", "delete", "words", "--recursive")
    assert "may not change unicodePwd" in nosy.refused(
        "user", "password", "Administrator", "--random-password"
    )
    user.machine.run(["kdestroy", "-q"])
    assert "kinit" in nosy.refused("user", "list")
    wrong = yard.by("-H", DC_URL, "-U", "nosy", "--logon-password-file", "-")
    assert "could not log on" in wrong.refused("user", "list", stdin="wrong")
    wrong = yard.by("-H", DC_URL, "-U", "nosy", "--logon-password-file", "-", "--auth", "ntlm")
    assert "name or password are wrong" in wrong.refused("user", "list", stdin="wrong")
    assert "no connection" in yard.by("-H", "ldap://nowhere.invalid").refused("user", "list")
    assert yard.facts("group", "members", "Domain Admins")[0]["name"] == "Administrator"
    assert not yard.facts("user", "list", "crony")


def test_a_try_elsewhere_changes_nothing(addc: Words) -> None:
    assert "nothing was changed" in addc.ok("user", "add", "trial", "--random-password", "--dry-run")
    assert "nothing was changed" in addc.ok("ou", "delete", "words", "--recursive", "--dry-run")
    assert "nothing was changed" in addc.ok("user", "disable", "Administrator", "--dry-run")
    assert addc.facts("user", "list", "trial") == []
    assert addc.facts("user", "show", "Administrator")["enabled"] and addc.facts("ou", "show", "words")


def test_lists_longer_than_a_page_come_whole(addc: Words, user: Client) -> None:
    """Pages of a search, and values of an attribute beyond MaxValRange."""
    ous = "".join(f"dn: CN=w{at},{_YARD}\nobjectClass: contact\n\n" for at in range(1600))
    user.must_change(ous, "ldapadd", "-c")
    members = "".join(f"member: CN=w{at},{_YARD}\n" for at in range(1600))
    addc.ok("group", "add", "crowd", "--in", "words")
    user.must_change(f"dn: CN=crowd,{_YARD}\nchangetype: modify\nadd: member\n{members}\n")
    assert addc.facts("group", "show", "crowd")["members"] == 1600
    assert len(addc.facts("group", "members", "crowd")) == 1600
