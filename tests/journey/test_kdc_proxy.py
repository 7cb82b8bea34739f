"""A machine that reaches the DC by HTTPS alone: MIT's clients through the KDC proxy ([MS-KKDCP])."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.kit.clients import DC, Client, user_ldif
from tests.kit.forest_host import REALM, ForestHost
from tests.kit.net import Host


@pytest.fixture
def away(machine: Host, forest: ForestHost) -> Iterator[Client]:
    """The machine's client, told of no KDC but the proxy."""
    proxy = f"https://{DC}/KdcProxy"
    conf = machine.folder / "krb5-proxy.conf"
    conf.write_text(
        f"[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n rdns = false\n"
        f"[realms]\n {REALM} = {{\n  kdc = {proxy}\n  kpasswd_server = {proxy}\n"
        f"  http_anchors = FILE:{forest.data_dir / 'tls' / 'ca.pem'}\n }}\n"
    )
    cache = machine.folder / "ccache-proxy"
    more = {"KRB5_CONFIG": str(conf), "KRB5CCNAME": f"FILE:{cache}", "KRB5_TRACE": "/dev/stderr"}
    yield Client(replace(machine, environment=machine.environment | more))
    cache.unlink(missing_ok=True)


USER_PASSWORD = "Sun.Flow3r"


def test_tickets_and_a_new_password_through_the_proxy(away: Client, user: Client) -> None:
    user.login()
    user.must_change(user_ldif("proxied", USER_PASSWORD, "pwdLastSet: 0"), "ldapadd")
    new = "Snow.Dr0p"
    done = away.machine.run(["kinit", "proxied"], stdin=f"{USER_PASSWORD}\n{new}\n{new}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Sending HTTPS request" in done.stderr
    assert "Sending TCP" not in done.stderr and "Sending initial UDP" not in done.stderr
    found = away.kvno(f"ldap/{DC}")
    assert found.returncode == 0, found.stderr
    user.login("proxied", new)
