"""addc krb and addc keytab beside a serving DC: what MIT's clients leave is read, what they get is explained.

Krbtgt is rolled here, so this forest is nobody else's.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from addc.codec.capture import carried
from tests.kit.clients import DC, Client, unicode_pwd, user_ldif
from tests.kit.forest_host import DOMAIN_DN, REALM, ForestHost, client, log_lines, provision, serve
from tests.kit.net import Host, Lan

PASSWORD = "Us3r.Passw0rd!"
LDAP = f"ldap/{DC}"
WEB = "HTTP/web.addc.example.com"
_TRIES = 500


@pytest.fixture(scope="module")
def own(lan: Lan) -> Iterator[ForestHost]:
    host = lan.host("tools", 130)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    found = serve(host, data_dir, "--workers", "2")
    yield found
    assert found.stop() == 0
    assert not [line for line in log_lines(found.log) if line["level"] == "error"]


@pytest.fixture(scope="module")
def machine(lan: Lan, own: ForestHost) -> Host:
    return client(lan.host("tools-client", 131), own.host, own.data_dir / "tls" / "ca.pem")


@pytest.fixture(scope="module")
def joe(machine: Host) -> Client:
    """A user, and a service with a name of its own."""
    admin = Client(machine)
    admin.login()
    admin.must_change(user_ldif("joe", PASSWORD), "ldapadd")
    admin.must_change(user_ldif("web", PASSWORD, f"servicePrincipalName: {WEB}"), "ldapadd")
    return admin


def addc(own: ForestHost, *words: str, data: bool = True) -> "subprocess.CompletedProcess[str]":
    return own.addc(*words, *(["--data-dir", str(own.data_dir)] if data else []))


def told(own: ForestHost, *words: str) -> Any:
    """What a command prints for machines."""
    done = addc(own, *words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def ccache(joe: Client) -> Path:
    return Path(joe.machine.environment["KRB5CCNAME"].removeprefix("FILE:"))


def pac_of(ticket: dict[str, Any]) -> dict[str, Any]:
    found = [
        one
        for entry in ticket["authorization_data"]
        for inner in entry.get("elements", ())
        for one in inner.get("pac", ())
    ]
    return {one["buffer"].split()[0]: one for one in found}


def test_a_ccache_is_read_with_the_forests_keys(own: ForestHost, joe: Client) -> None:
    joe.login("joe", PASSWORD)
    assert joe.kvno(WEB).returncode == 0
    shown = told(own, "krb", "decode", str(ccache(joe)))
    assert shown["kind"] == "credential cache"
    tickets = {one["server"].partition("@")[0]: one["ticket"] for one in shown["items"] if "ticket" in one}
    pac = pac_of(tickets[WEB])
    assert "ADDC\\joe" in pac["LOGON_INFO"]["user"]
    assert any("ADDC\\Domain Users" in group for group in pac["LOGON_INFO"]["group_ids"])
    for kind in ("SERVER_CHECKSUM", "PRIVSVR_CHECKSUM", "TICKET_CHECKSUM", "FULL_CHECKSUM"):
        assert pac[kind]["verified"].startswith("yes, by the key of "), pac[kind]
    assert "REQUESTOR_SID" in pac_of(tickets[f"krbtgt/{REALM}"])
    text = addc(own, "krb", "decode", str(ccache(joe))).stdout
    assert "buffer: LOGON_INFO (1)" in text and "key: hidden (32 bytes)" in text


def test_a_keytab_alone_opens_its_own_tickets(own: ForestHost, joe: Client, tmp_path: Path) -> None:
    keytab = tmp_path / "web.keytab"
    told(own, "keytab", "export", str(keytab), "--all-spns-of", "web")
    done = addc(own, "krb", "decode", str(ccache(joe)), "--keytab", str(keytab), "--json", data=False)
    tickets = {
        one["server"].partition("@")[0]: one["ticket"]
        for one in json.loads(done.stdout)["items"]
        if "ticket" in one
    }
    pac = pac_of(tickets[WEB])
    assert pac["SERVER_CHECKSUM"]["verified"].startswith("yes")
    assert pac["PRIVSVR_CHECKSUM"]["verified"] == "not checked: no key of krbtgt is at hand"
    assert tickets[f"krbtgt/{REALM}"]["opened"].startswith("no")


def _has_tgs_rep(capture: bytes) -> bool:
    """Whether the last reply is on the disk, by UDP or TCP."""
    replies = [one.data[4 * one.is_stream :][:1] for one in carried(capture, frozenset((88,)))]
    return b"\x6d" in replies


@pytest.mark.parametrize("form", [[], ["-P"]], ids=["pcapng", "pcap"])
def test_a_capture_is_read(own: ForestHost, joe: Client, form: list[str], tmp_path: Path) -> None:
    """dumpcap, which is Wireshark's and tshark's own; the conversation opens itself."""
    path = tmp_path / "capture"
    dumpcap = subprocess.Popen(
        joe.machine.command(["dumpcap", "-i", "eth0", "-f", "port 88", *form, "-w", str(path)]),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert dumpcap.stderr is not None
    while "File:" not in (line := dumpcap.stderr.readline()):
        assert line, "dumpcap did not begin"
    joe.login("joe", PASSWORD)
    assert joe.kvno(LDAP).returncode == 0
    for _ in range(_TRIES):
        if path.exists() and path.stat().st_size and _has_tgs_rep(path.read_bytes()):
            break
        joe.klist()
    dumpcap.terminate()
    dumpcap.communicate(timeout=20)
    shown = told(own, "krb", "decode", str(path))
    names = [one["message"] for one in shown["items"]]
    assert names[:2] == ["AS-REQ", "KRB-ERROR"] and names[-2:] == ["TGS-REQ", "TGS-REP"], names
    reply = shown["items"][-1]
    assert pac_of(reply["ticket"])["FULL_CHECKSUM"]["verified"].startswith("yes")
    assert reply["enc_part"]["opened"].startswith("with the key of ")
    asked = [one for message in shown["items"] if message["message"] == "AS-REQ" for one in message["padata"]]
    assert any("patimestamp" in one for one in asked)


def test_an_exported_key_logs_on(own: ForestHost, joe: Client, tmp_path: Path) -> None:
    keytab = tmp_path / "joe.keytab"
    listed = told(own, "keytab", "export", str(keytab), "--principal", "joe")
    assert {one["principal"] for one in listed["keys"]} == {f"joe@{REALM}"}
    assert keytab.stat().st_mode & 0o777 == 0o600
    done = joe.machine.run(["kinit", "-k", "-t", str(keytab), "joe"])
    assert done.returncode == 0, done.stderr


_ACCEPT = """
import sys, gssapi
name = gssapi.Name(sys.argv[2], gssapi.NameType.kerberos_principal)
store = {"keytab": "FILE:" + sys.argv[1]}
keys = gssapi.Credentials(name=name, usage="accept", store=store)
client = gssapi.SecurityContext(name=name, usage="initiate")
server = gssapi.SecurityContext(creds=keys, usage="accept")
answer = server.step(client.step())
client.step(answer) if answer else None
print(server.initiator_name, server.complete)
"""


def test_an_exported_key_accepts(own: ForestHost, joe: Client, tmp_path: Path) -> None:
    """As Apache, nginx or sshd do; tickets made before the last change of the password still open."""
    keytab = tmp_path / "web.keytab"
    joe.login("joe", PASSWORD)
    assert joe.kvno(WEB).returncode == 0
    before = ccache(joe).read_bytes()
    joe.login()
    new = unicode_pwd("An0ther.Passw0rd!")
    joe.must_change(f"dn: CN=web,CN=Users,{DOMAIN_DN}\nchangetype: modify\nreplace: unicodePwd\n{new}\n")
    ccache(joe).write_bytes(before)
    versions = {one["kvno"] for one in told(own, "keytab", "export", str(keytab), "--spn", WEB)["keys"]}
    assert versions == {1, 2}
    words = [sys.executable, "-c", _ACCEPT, str(keytab), f"{WEB}@{REALM}"]
    done = joe.machine.run(words)
    assert done.stdout == f"joe@{REALM} True\n", done.stderr


def test_the_secret_was_told_to_the_audit_log(own: ForestHost, tmp_path: Path) -> None:
    done = addc(own, "keytab", "export", str(tmp_path / "k"), "--principal", "joe")
    (line,) = (json.loads(one) for one in done.stderr.splitlines())
    assert (line["event"], line["object"]) == (4782, f"CN=joe,CN=Users,{DOMAIN_DN}")


def test_why_a_principal_is_refused(own: ForestHost, joe: Client) -> None:
    """The command and the KDC say the same."""
    joe.login()
    joe.must_change(user_ldif("jnever", PASSWORD, "accountExpires: 131000000000000000"), "ldapadd")
    done = addc(own, "krb", "explain", "jnever", "--service", WEB)
    assert done.returncode == 1
    assert "refused: KDC_ERR_CLIENT_REVOKED (18), STATUS_ACCOUNT_EXPIRED" in done.stdout
    assert "next step: set accountExpires later" in done.stdout
    assert "revoked" in joe.kinit("jnever", PASSWORD).stderr
    assert addc(own, "krb", "explain", "joe", "--service", WEB).returncode == 0


def test_lifetimes_change_for_all_workers_at_once(own: ForestHost, joe: Client) -> None:
    told(own, "krb", "policy", "set", "--max-ticket-age", "2", "--max-service-age", "60")
    for _ in range(4):
        joe.login("joe", PASSWORD)
        shown = told(own, "krb", "decode", str(ccache(joe)))
        (tgt,) = [one for one in shown["items"] if one.get("server", "").startswith("krbtgt/")]
        hours = int(tgt["endtime"][11:13]) - int(tgt["starttime"][11:13])
        assert hours % 24 == 2
    told(own, "krb", "policy", "set", "--max-ticket-age", "10", "--max-service-age", "600")


def test_tickets_live_through_one_roll_and_end_with_the_second(own: ForestHost, joe: Client) -> None:
    joe.login("joe", PASSWORD)
    rolled = told(own, "krb", "roll-krbtgt")
    assert joe.kvno(LDAP).returncode == 0
    refused = addc(own, "krb", "roll-krbtgt")
    assert refused.returncode == 1 and "--force" in refused.stderr
    again = told(own, "krb", "roll-krbtgt", "--force")
    assert again["kvno"] == rolled["kvno"] + 1 and again["ends_tickets_in_use"]
    gone = joe.kvno(WEB)
    assert gone.returncode == 1, gone.stdout
    joe.login("joe", PASSWORD)
    assert joe.kvno(WEB).returncode == 0


def test_a_password_set_over_ldap_is_a_roll_too(own: ForestHost, joe: Client) -> None:
    """Whatever password is asked for, nobody knows krbtgt's."""
    joe.login()
    new = unicode_pwd("Kn0wn.T0.Many!")
    ldif = f"dn: CN=krbtgt,CN=Users,{DOMAIN_DN}\nchangetype: modify\nreplace: unicodePwd\n{new}\n"
    before = told(own, "krb", "roll-krbtgt", "--dry-run")["kvno_before"]
    joe.must_change(ldif)
    assert told(own, "krb", "roll-krbtgt", "--dry-run")["kvno_before"] == before + 1
    assert joe.kvno(f"host/{DC}").returncode == 0
    joe.must_change(ldif)
    assert joe.kvno(f"cifs/{DC}").returncode == 1


def test_each_ticket_is_one_record(own: ForestHost, joe: Client) -> None:
    """By whichever of the workers; the service ticket names the ticket that it came of."""
    joe.login("joe", PASSWORD)
    assert joe.kvno(WEB).returncode == 0
    records = [one for one in log_lines(own.log) if str(one["logger"]).startswith("addc.audit")]
    service = [one for one in records if one["event"] == 4769 and one["server"] == WEB][-1]
    (tgt,) = [one for one in records if one.get("ticket_hash") == service["request_ticket_hash"]]
    assert (tgt["event"], tgt["client"], tgt["result"]) == (4768, "joe", "success")
    assert tgt["address"] == service["address"] == joe.machine.address and tgt["port"]
