"""Machines that join by Samba's tools: net and samba-tool, administrators and ordinary users, offline blobs.

Spec: [MS-ADTS] 3.1.1.5.2.2, [MS-SAMR] 3.1.5.4.4, 3.1.5.13.8 (KB5020276), [MS-NRPC].
"""

import base64
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from addc.codec.ids import Sid
from addc.security.descriptor import Control, SecurityDescriptor
from tests.journey.test_kerberos import USER_PASSWORD, make_user
from tests.kit.clients import DC, Client
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN, DOMAIN_DN, PASSWORD, REALM, ForestHost
from tests.kit.member import Member, member
from tests.kit.net import Lan
from tests.kit.samba_member import configure, refused, said
from tests.kit.samba_tools import SambaTools, samba_desk

_ROOT: Final = Path(__file__).parents[2]
ADMIN: Final = f"-UAdministrator%{PASSWORD}"
JOE: Final = f"-Ujjoe%{USER_PASSWORD}"
EVE: Final = f"-Ujeve%{USER_PASSWORD}"
JOIN: Final = ("net", "ads", "join", "--no-dns-updates")
UNIT: Final = f"OU=jsamba,{DOMAIN_DN}"


@pytest.fixture(scope="module")
def sj1(lan: Lan, forest: ForestHost) -> Iterator[Member]:
    found = member(lan, "sj1", 180, forest.host)
    configure(found)
    yield found
    found.end()


@pytest.fixture
def people(user: Client) -> Client:
    """Two ordinary users, and an administrator who looks at the outcome."""
    for name in ("jjoe", "jeve"):
        make_user(user, name)
    return user


def account(user: Client, name: str = "SJ1") -> dict[str, list[str]] | None:
    found = user.entries(f"(sAMAccountName={name}$)", "*")
    return found[0] if found else None


def test_net_ads_joins_renews_its_password_and_leaves(sj1: Member, user: Client) -> None:
    user.login()
    joined = said(sj1, *JOIN[:3], ADMIN)
    assert f"Joined 'SJ1' to dns domain '{DNS_DOMAIN}'" in joined and "DNS update failed" not in joined
    assert sj1.address in said(sj1, "dig", "+short", f"sj1.{DNS_DOMAIN}").split()
    assert "Join is OK" in said(sj1, "net", "ads", "testjoin")
    found = account(user)
    assert found is not None and found["useraccountcontrol"] == ["4096"]
    assert found["dnshostname"] == [f"sj1.{DNS_DOMAIN}"] and found["primarygroupid"] == ["515"]
    assert {one.lower() for one in found["serviceprincipalname"]} == {
        f"{kind}/{host}" for kind in ("host", "restrictedkrbhost") for host in ("sj1", f"sj1.{DNS_DOMAIN}")
    }
    said(sj1, "net", "ads", "changetrustpw")
    said(sj1, "kinit", "-k", "SJ1$")
    assert "Verified new password remotely" in said(sj1, "net", "rpc", "changetrustpw", "-S", DC)
    for kind in ("ads", "rpc"):
        assert "is OK" in said(sj1, "net", kind, "testjoin")
    changed = account(user)
    assert changed is not None and changed["pwdlastset"] > found["pwdlastset"]
    said(sj1, *JOIN, ADMIN)  # over the account that is there
    assert "Deleted account for 'SJ1'" in said(sj1, "net", "ads", "leave", ADMIN)
    assert account(user) is None
    refused(sj1, "net", "ads", "testjoin")


def test_net_ads_joins_into_a_unit_and_disables_what_it_leaves(sj1: Member, user: Client) -> None:
    user.login()
    unit = f"createcomputer={UNIT.split(',')[0].removeprefix('OU=')}"
    assert "No such object" in refused(sj1, *JOIN, ADMIN, unit)
    user.must_change(f"dn: {UNIT}\nobjectClass: organizationalUnit\n", "ldapadd")
    upn = f"host/sj1.{DNS_DOMAIN}@{REALM}"
    said(sj1, *JOIN, ADMIN, unit, f"createupn={upn}", "osName=Debian", "osVer=12")
    found = account(user)
    assert found is not None and found["dn"] == [f"CN=SJ1,{UNIT}"]
    assert found["operatingsystem"] == ["Debian"] and found["userprincipalname"] == [upn]
    said(sj1, "kinit", "-k", upn)
    assert "Disabled account" in said(sj1, "net", "ads", "leave", "--keep-account", ADMIN)
    left = account(user)
    assert left is not None and int(left["useraccountcontrol"][0]) & 0x2
    assert user.delete(f"CN=SJ1,{UNIT}", UNIT).returncode == 0


def test_net_rpc_joins(sj1: Member, user: Client) -> None:
    user.login()
    said(sj1, "net", "rpc", "join", ADMIN, "-S", DC)
    for kind in ("ads", "rpc"):
        assert "is OK" in said(sj1, "net", kind, "testjoin")
    found = account(user)
    assert found is not None and int(found["useraccountcontrol"][0]) & 0x1002 == 0x1000
    said(sj1, "net", "ads", "leave", ADMIN)


def test_samba_tool_joins_a_member(sj1: Member, user: Client) -> None:
    user.login()
    told = said(sj1, "samba-tool", "domain", "join", DNS_DOMAIN, "MEMBER", ADMIN)
    assert f"Joined domain {DNS_DOMAIN}" in told
    assert "Join is OK" in said(sj1, "net", "ads", "testjoin")
    said(sj1, "net", "ads", "leave", ADMIN)
    configure(sj1)


def may_reuse(user: Client, who: str, sid: str) -> str:
    words = ("-W", "ignore", "-m", "tests.kit.impacket_reuse", DC, DOMAIN, who, USER_PASSWORD, sid)
    done = user.machine.run([sys.executable, *words], environment={"PYTHONPATH": str(_ROOT)})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_user_joins_machines_within_his_quota_and_none_joins_over_them(sj1: Member, people: Client) -> None:
    """W-JOIN-10: the account is the administrators', and what its class leaves to its creator his."""
    quota(people, 1)
    said(sj1, *JOIN, JOE)
    assert "Join is OK" in said(sj1, "net", "ads", "testjoin")
    said(sj1, *JOIN, JOE)
    found = account(people)
    assert found is not None
    assert "ACCESS_DENIED" in refused(sj1, *JOIN, EVE)
    assert "Insufficient access" in refused(sj1, "net", "ads", "leave", EVE)
    assert "Join is OK" in said(sj1, "net", "ads", "testjoin"), "who was refused left the password alone"
    sid = user_sid(people, "SJ1$")
    assert may_reuse(people, "jjoe", sid) == "may reuse: 1"
    assert may_reuse(people, "jeve", sid) == "may reuse: 1", "Domain Admins own it"
    configure(sj1, netbios_name="SJ2")
    over = refused(sj1, *JOIN, JOE)
    assert account(people, "SJ2") is None, over
    configure(sj1)
    assert "Deleted account for 'SJ1'" in said(sj1, "net", "ads", "leave", JOE)
    assert "Insufficient access" in refused(sj1, *JOIN, JOE, "createcomputer=Domain Controllers")
    said(sj1, "net", "rpc", "join", JOE, "-S", DC)
    said(sj1, "net", "ads", "leave", JOE)
    quota(people, 10)


def quota(admin: Client, machines: int) -> None:
    admin.login()
    admin.must_change(
        f"dn: {DOMAIN_DN}\nchangetype: modify\nreplace: ms-DS-MachineAccountQuota\n"
        f"ms-DS-MachineAccountQuota: {machines}\n"
    )


def test_a_name_is_joined_under_again_as_its_owner_says(people: Client) -> None:
    """KB5020276: an account that an ordinary user owns is no place for another's machine."""
    people.login()
    mine = f"CN=jowned,CN=Computers,{DOMAIN_DN}"
    people.must_change(f"dn: {mine}\nobjectClass: computer\nsAMAccountName: jowned$\n", "ldapadd")
    sid = user_sid(people, "jowned$")
    assert may_reuse(people, "jjoe", sid) == "may reuse: 1"
    give(people, mine, user_sid(people, "jeve"))
    assert may_reuse(people, "jeve", sid) == "may reuse: 1"
    assert may_reuse(people, "jjoe", sid) == "may reuse: 0"
    assert may_reuse(people, "jjoe", user_sid(people, "jeve")) == "refused: 0xc000000d", "no computer"
    people.delete(mine)


def user_sid(user: Client, name: str) -> str:
    (found,) = user.entries(f"(sAMAccountName={name})", "objectSid")
    return str(Sid.of(found["objectsid"][0].encode("latin-1")))


def give(admin: Client, dn: str, sid: str) -> None:
    """Make somebody the owner: the control says that a descriptor's owner alone is written."""
    owned = base64.b64encode(SecurityDescriptor(int(Control.SR), owner=Sid.parse(sid)).pack()).decode()
    ldif = f"dn: {dn}\nchangetype: modify\nreplace: nTSecurityDescriptor\nnTSecurityDescriptor:: {owned}\n"
    done = SambaTools(samba_desk(admin.machine)).ldb("ldbmodify", "--controls=sd_flags:1:1", stdin=ldif)
    assert done.returncode == 0, done.stderr


def test_a_blob_joins_a_machine_that_sees_no_dc(sj1: Member, people: Client) -> None:
    """`net offlinejoin`. Samba 4.17 makes no keytab without a connection: it crashes where it is told to."""
    blob, again = "/etc/jodj.txt", "/etc/jodj2.txt"
    provision = ("net", "offlinejoin", "provision", f"domain={DNS_DOMAIN}", "machine_name=JODJ")
    assert "Successfully provisioned" in said(sj1, *provision, f"savefile={blob}", ADMIN)
    configure(sj1, netbios_name="JODJ", kerberos_method="secrets only")
    said(sj1, "net", "offlinejoin", "requestodj", f"loadfile={blob}")
    assert "Join is OK" in said(sj1, "net", "ads", "testjoin")
    assert "ACCESS_DENIED" in refused(sj1, *provision, "reuse", f"savefile={again}", EVE)
    said(sj1, *provision, "reuse", f"savefile={again}", ADMIN)
    refused(sj1, "net", "ads", "testjoin")
    said(sj1, "net", "offlinejoin", "requestodj", f"loadfile={again}")
    assert "Join is OK" in said(sj1, "net", "ads", "testjoin")
    said(sj1, "net", "ads", "leave", ADMIN)
    configure(sj1)
