"""A member with winbindd and smbd: what it asks the DC, and whom it lets to its share.

Spec: [MS-NRPC] 3.5.4.5 (logons passed through), [MS-LSAT], [MS-PAC] (groups in tickets).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from addc.security import ntlm_keys
from addc.security.krb_keys import nt_hash
from tests.journey.test_kerberos import USER_PASSWORD, make_user, replace
from tests.kit.clients import DC, Client
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN, DOMAIN_DN, PASSWORD, REALM, ForestHost
from tests.kit.member import Member, member, wait_until
from tests.kit.net import Host, Lan
from tests.kit.samba_member import DATA, configure, refused, said, start
from tests.kit.samba_tools import samba_desk

INSIDER: Final = f"{DOMAIN}\\winsider"
OUTSIDER: Final = f"{DOMAIN}\\woutsider"
WB: Final = f"wb1.{DNS_DOMAIN}"


@pytest.fixture(scope="module")
def wb1(lan: Lan, forest: ForestHost, machine: Host) -> Iterator[Member]:
    """Joined and serving. winsider is in winner, which is in wouter."""
    admin = Client(machine)
    admin.login()
    for name in ("winsider", "woutsider"):
        make_user(admin, name)
    for name, of in (("winner", "winsider"), ("wouter", "winner")):
        admin.must_change(
            f"dn: CN={name},CN=Users,{DOMAIN_DN}\nobjectClass: group\nsAMAccountName: {name}\n"
            f"member: CN={of},CN=Users,{DOMAIN_DN}\n",
            "ldapadd",
        )
    found = member(lan, "wb1", 182, forest.host)
    configure(found)
    said(found, "net", "ads", "join", "--no-dns-updates", f"-UAdministrator%{PASSWORD}")
    start(found)
    wait_until("winbindd's first answer", lambda: found.run(["wbinfo", "-P"]).returncode == 0 or None)
    known = Path("/etc/netns") / machine.name / "hosts"  # its address is not in DNS
    known.write_text(known.read_text() + f"{found.address} {WB} wb1\n")
    yield found
    found.end()


def test_winbind_asks_the_dc(wb1: Member) -> None:
    for words in (("-t",), ("-P",), ("-c",), ("-t",), ("--ping-dc",)):
        assert "succeeded" in said(wb1, "wbinfo", *words)
    users, groups = said(wb1, "wbinfo", "-u"), said(wb1, "wbinfo", "-g")
    assert INSIDER in users.splitlines() and f"{DOMAIN}\\wouter" in groups.splitlines()
    sid = said(wb1, "wbinfo", "-n", INSIDER).split()[0]
    assert said(wb1, "wbinfo", "-s", sid).split() == [INSIDER, "1"]
    builtin = said(wb1, "wbinfo", f"--lookup-sids={sid},S-1-5-32-544")
    assert "winsider 1" in builtin and "Administrators 4" in builtin
    assert "512: Domain Admins (SID_DOM_GROUP)" in said(wb1, "wbinfo", "-R", "500,512")
    assert DOMAIN in said(wb1, "wbinfo", "-m").split()
    shown = said(wb1, "wbinfo", f"--dsgetdcname={DNS_DOMAIN}")
    assert f"\\\\{DC}" in shown and "Default-First-Site-Name" in shown
    for option in (f"--domain-info={DOMAIN}", f"-D{DOMAIN}"):
        shown = said(wb1, "wbinfo", option)
        assert f"Alt_Name          : {DNS_DOMAIN}" in shown and sid.rpartition("-")[0] in shown
    assert DC in said(wb1, "wbinfo", f"--getdcname={DOMAIN}")
    assert f"{DOMAIN} : active connection" in said(wb1, "wbinfo", "--online-status")


def test_users_and_groups_by_the_name_service(wb1: Member) -> None:
    rid = int(said(wb1, "wbinfo", "-n", INSIDER).split()[0].rpartition("-")[2])
    line = said(wb1, "getent", "passwd", INSIDER).strip()
    assert line == f"{INSIDER}:*:{10000 + rid}:10513::/home/winsider:/bin/sh"
    assert said(wb1, "wbinfo", "-i", INSIDER).strip() == line
    names = said(wb1, "id", "-Gn", INSIDER)
    for group in ("domain users", "winner", "wouter"):
        assert f"{DOMAIN}\\{group}" in names, "nested membership counts"
    assert f"{DOMAIN}\\wouter" in said(wb1, "getent", "group", f"{DOMAIN}\\wouter")


def test_logons_pass_through_the_member(wb1: Member) -> None:
    for how in ("--authenticate", "--pam-logon", "--krb5auth"):
        assert "succeeded" in said(wb1, "wbinfo", f"{how}={INSIDER}%{USER_PASSWORD}")
        wrong = refused(wb1, "wbinfo", f"{how}={INSIDER}%not the password")
        assert "WRONG_PASSWORD" in wrong or "LOGON_FAILURE" in wrong
    assert "succeeded" in said(wb1, "wbinfo", f"-awinsider@{DNS_DOMAIN}%{USER_PASSWORD}")
    plain = ("ntlm_auth", "--username=winsider", f"--domain={DOMAIN}", f"--password={USER_PASSWORD}")
    said(wb1, *plain, f"--require-membership-of={DOMAIN}\\wouter")
    refused(wb1, *plain, f"--require-membership-of={DOMAIN}\\Domain Admins")


def test_a_radius_server_gets_the_key_of_a_logon(wb1: Member) -> None:
    """`ntlm_auth --request-nt-key` with challenge and response."""
    challenge, target = os.urandom(8), ntlm_v2(os.urandom(8))
    key = ntlm_keys.ntowf_v2(nt_hash(USER_PASSWORD), "winsider", DOMAIN)
    proof = ntlm_keys.nt_proof(key, challenge, target)
    words = ("ntlm_auth", "--request-nt-key", "--username=winsider", f"--domain={DOMAIN}")
    asked = (*words, f"--challenge={challenge.hex()}", f"--nt-response={(proof + target).hex()}")
    expected = ntlm_keys.session_base_key(key, proof).hex().upper()
    assert f"NT_KEY: {expected}" in said(wb1, *asked)
    other = (*words, f"--challenge={os.urandom(8).hex()}", f"--nt-response={(proof + target).hex()}")
    assert "(0xc000006" in refused(wb1, *other)


def ntlm_v2(client_challenge: bytes) -> bytes:
    """NTLMv2_CLIENT_CHALLENGE that names no targets. Spec: [MS-NLMP] 2.2.2.7."""
    return b"\x01\x01" + bytes(6) + bytes(8) + client_challenge + bytes(4) + bytes(4)


def test_a_share_is_for_whom_nested_groups_let_in(wb1: Member, machine: Host) -> None:
    said(wb1, "sh", "-c", f"mkdir -p {DATA} && chgrp '{DOMAIN}\\wouter' {DATA} && chmod 2770 {DATA}")
    said(wb1, "sh", "-c", f"echo for insiders > {DATA}/note")
    desk = samba_desk(machine)
    for kerberos in (True, False):
        for name, is_let_in in (("winsider", True), ("woutsider", False)):
            who = f"{name}@{REALM}" if kerberos else f"{DOMAIN}\\{name}"
            words = ("-U", f"{who}%{USER_PASSWORD}", f"--use-kerberos={'required' if kerberos else 'off'}")
            done = desk.run(["smbclient", f"//{WB}/data", *words, "-c", "get note -; put krb5.conf x; del x"])
            assert ("for insiders" in done.stdout) is is_let_in, done.stdout + done.stderr
            assert ("NT_STATUS_ACCESS_DENIED" in done.stdout + done.stderr) is not is_let_in


def test_wrong_passwords_at_the_member_lock_the_account(wb1: Member, user: Client) -> None:
    """[MS-NRPC] 3.5.4.5.1: the DC counts what members pass on."""
    user.login()
    replace_policy(user, 3)
    for _ in range(3):
        refused(wb1, "wbinfo", f"--pam-logon={OUTSIDER}%not the password")
    (found,) = user.entries("(sAMAccountName=woutsider)", "badPwdCount", "lockoutTime")
    assert found["badpwdcount"] == ["3"] and int(found["lockouttime"][0]) > 0
    assert "ACCOUNT_LOCKED_OUT" in refused(wb1, "wbinfo", f"--pam-logon={OUTSIDER}%{USER_PASSWORD}")
    replace(user, "woutsider", "lockoutTime", "0")
    assert "succeeded" in said(wb1, "wbinfo", f"--pam-logon={OUTSIDER}%{USER_PASSWORD}")
    replace_policy(user, 0)


def replace_policy(admin: Client, threshold: int) -> None:
    admin.must_change(
        f"dn: {DOMAIN_DN}\nchangetype: modify\nreplace: lockoutThreshold\nlockoutThreshold: {threshold}\n"
    )


def test_users_change_their_passwords_at_the_member(wb1: Member, user: Client) -> None:
    """SamrUnicodeChangePasswordUser2 through winbindd; a second one on the same day is too early."""
    user.login()
    make_user(user, "wchanger")
    who, new = f"{DOMAIN}\\wchanger", "An0ther.Passw0rd"
    age = f"dn: {DOMAIN_DN}\nchangetype: modify\nreplace: minPwdAge\nminPwdAge: {{}}\n"
    user.must_change(age.format(-864_000_000_000))
    too_early = wb1.run(["wbinfo", f"--change-user-password={who}"], stdin=f"{USER_PASSWORD}\n{new}\n")
    assert too_early.returncode != 0
    user.must_change(age.format(0))
    said(wb1, "wbinfo", f"--change-user-password={who}", stdin=f"{USER_PASSWORD}\n{new}\n")
    user.must_change(age.format(-864_000_000_000))
    assert "succeeded" in said(wb1, "wbinfo", f"--pam-logon={who}%{new}")
    assert user.kinit("wchanger", new).returncode == 0
