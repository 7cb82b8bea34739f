"""Services that are not ours in our realm: a web server, the GSS-API's samples; curl and Java as clients."""

import base64
import http.client
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from addc.codec.pac import unpack_logon_info
from tests.journey.test_kerberos import USER_PASSWORD, make_user
from tests.kit.clients import Client
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, REALM, ForestHost, client
from tests.kit.net import Host, Lan

WEB = f"web.{DNS_DOMAIN}"
SERVICE_PASSWORD = "Serv1ce.Passw0rd"
_MODULES = "/usr/lib/apache2/modules"
_APACHE = """
ServerRoot {folder}
ServerName {web}
PidFile {folder}/pid
ErrorLog {folder}/error.log
Listen {address}:80
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule auth_gssapi_module {modules}/mod_auth_gssapi.so
User www-data
Group www-data
DocumentRoot {folder}/pages
<Location />
  AuthType GSSAPI
  AuthName "realm"
  GssapiCredStore keytab:{folder}/keytab
  GssapiNameAttributes LOGON_INFO urn:mspac:logon-info
  Require valid-user
  Header always set X-User "expr=%{{REMOTE_USER}}"
  Header always set X-Logon-Info "%{{LOGON_INFO}}e"
</Location>
"""


@dataclass
class Web:
    """A web server and a sample server of the GSS-API, with a keytab that `addc keytab export` wrote."""

    host: Host
    log: Path


@pytest.fixture(scope="module")
def web(lan: Lan, forest: ForestHost, machine: Host) -> Iterator[Web]:
    host = client(lan.host("web", 40), forest.host, forest.data_dir / "tls" / "ca.pem")
    hosts = f"127.0.0.1 localhost {os.uname().nodename}\n{host.address} {WEB}\n"
    host.etc("hosts", hosts)
    machine.etc("hosts", hosts)
    admin = Client(machine)
    machine.run(["kdestroy", "-q"])
    make_user(admin, "websvc", f"servicePrincipalName: HTTP/{WEB}", f"servicePrincipalName: sample/{WEB}")
    keytab = host.folder / "keytab"
    made = forest.addc(
        "keytab", "export", str(keytab), "--all-spns-of", "websvc", "--data-dir", str(forest.data_dir)
    )
    assert made.returncode == 0, made.stderr
    assert keytab.stat().st_mode & 0o777 == 0o600
    keytab.chmod(0o644)
    (host.folder / "pages").mkdir()
    (host.folder / "pages" / "index.html").write_text("inside\n")
    host.folder.chmod(0o755)
    (host.folder / "httpd.conf").write_text(
        _APACHE.format(folder=host.folder, web=WEB, address=host.address, modules=_MODULES)
    )
    log = host.folder / "web.log"
    servers = [
        host.start(["apache2", "-f", str(host.folder / "httpd.conf"), "-DFOREGROUND"], log),
        host.start(["gss-server", "-port", "4444", "-keytab", str(keytab), f"sample@{WEB}"], log),
    ]
    try:
        _until_served(machine, host.address, (80, 4444))
        yield Web(host, log)
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(timeout=20)


def _until_served(machine: Host, address: str, ports: tuple[int, ...]) -> None:
    for port in ports:
        for _ in range(100):
            probe = machine.run(["bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}"])
            if probe.returncode == 0:
                break
            time.sleep(0.05)
        else:
            raise AssertionError(f"nobody serves port {port}")


def _fetch(user: Client, *options: str) -> tuple[int, dict[str, str]]:
    """Status and headers of the last response that curl got."""
    done = user.machine.run(
        ["curl", "-s", "-D", "-", "-o", "/dev/null", *options, f"http://{WEB}/index.html"]
    )
    assert done.returncode == 0, done.stderr
    head = done.stdout.strip().split("\r\n\r\n")[-1].splitlines()
    fields = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
    return int(head[0].split()[1]), {name.lower(): value for name, value in fields.items()}


def test_curl_negotiates_and_the_server_sees_the_pac(user: Client, web: Web) -> None:
    make_user(user, "wanda")
    user.must_change(f"dn: CN=web-users,CN=Users,{DOMAIN_DN}\nobjectClass: group\n", "ldapadd")
    add = f"dn: CN=web-users,CN=Users,{DOMAIN_DN}\nchangetype: modify\nadd: member\n"
    user.must_change(f"{add}member: CN=wanda,CN=Users,{DOMAIN_DN}\n")
    [group] = user.entries("(cn=web-users)", "objectSid")
    rid = int.from_bytes(group["objectsid"][0].encode("latin-1")[-4:], "little")
    assert _fetch(user)[0] == http.client.UNAUTHORIZED
    user.login("wanda", USER_PASSWORD)
    status, headers = _fetch(user, "--negotiate", "-u", ":")
    assert status == http.client.OK and headers["x-user"] == f"wanda@{REALM}"
    info = unpack_logon_info(base64.b64decode(headers["x-logon-info"]))
    assert info.effective_name == "wanda"
    assert rid in {one.relative_id for one in info.group_ids or ()}


def test_without_a_ticket_nobody_comes_in(user: Client, web: Web) -> None:
    assert _fetch(user, "--negotiate", "-u", ":")[0] == http.client.UNAUTHORIZED


@pytest.mark.parametrize("options", [[], ["-spnego"], ["-nomutual"], ["-seq", "-mcount", "3"]])
def test_the_samples_of_the_gss_api(user: Client, web: Web, options: list[str]) -> None:
    """Context, sealed and signed messages of MIT's gss-client and gss-server in our realm."""
    make_user(user, "gail")
    user.login("gail", USER_PASSWORD)
    done = user.machine.run(
        ["gss-client", "-port", "4444", *options, WEB, f"sample@{WEB}", "a message to seal"]
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Signature verified" in done.stdout, done.stdout


def test_java_logs_on_and_its_token_is_taken(user: Client, web: Web, forest: ForestHost) -> None:
    """Krb5LoginModule with a password, then JGSS: the web server lets the token in."""
    make_user(user, "jana")
    source = str(Path(__file__).with_name("Logon.java"))
    conf = user.machine.folder / "krb5-java.conf"
    conf.write_text(
        f"[libdefaults]\n default_realm = {REALM}\n"
        f"[realms]\n {REALM} = {{\n  kdc = {forest.host.address}\n }}\n"
        f"[domain_realm]\n .{DNS_DOMAIN} = {REALM}\n"
    )
    java = ["java", f"-Djava.security.krb5.conf={conf}", "-Djavax.security.auth.useSubjectCredsOnly=true"]
    wrong = user.machine.run([*java, source, "jana", "not the password", f"HTTP@{WEB}"])
    assert wrong.returncode != 0 and "LoginException" in wrong.stderr
    done = user.machine.run([*java, source, "jana", USER_PASSWORD, f"HTTP@{WEB}"])
    assert done.returncode == 0, done.stdout + done.stderr
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert lines["principal"] == f"jana@{REALM}"
    status, headers = _fetch(user, "-H", f"Authorization: Negotiate {lines['token']}")
    assert (status, headers["x-user"]) == (http.client.OK, f"jana@{REALM}")
