"""A read-only DC's krbtgt in an attacker's hands: whose keys Impacket gets of the KDC with it.

Spec: [MS-KILE] 3.3.5.7.8, [MS-ADTS] 6.1.1.3.2.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from addc.security.krb_keys import Etype, string_to_key
from tests.journey.test_python_clients import impacket, keys_of_accounts
from tests.kit.clients import DC, Client, unicode_pwd, user_ldif
from tests.kit.forest_host import DOMAIN_DN, REALM, ForestHost

USERS_DN = f"CN=Users,{DOMAIN_DN}"
MAKING_RODCS = "1.2.840.113556.1.4.1341"
SECRET = "Br4nch.Passw0rd"
KNOWN, CHIEF, OTHER = "branchknown", "branchchief", "branchother"
_ROOT = Path(__file__).parents[2]


@dataclass
class Stolen:
    """The key of an RODC's krbtgt, with the machine of who has it. sids: of users."""

    user: Client
    number: int
    key: bytes
    domain_sid: str
    rids: dict[str, str]

    def asked(
        self, name: str, *, rid: str | None = None, key: bytes | None = None, number: int | None = None
    ) -> str:
        """What Impacket prints of the answer to a ticket for that name."""
        machine = self.user.machine
        machine.run(
            [
                sys.executable, "-W", "ignore", impacket("ticketer.py"), "-aesKey", (key or self.key).hex(),
                "-domain", REALM, "-domain-sid", self.domain_sid, "-user-id", rid or self.rids[name], name,
            ],
            check=True,
        )  # fmt: skip
        done = machine.run(
            [
                sys.executable, "-W", "ignore", "-m", "tests.kit.impacket_key_list",
                str(machine.folder / f"{name}.ccache"), str(number or self.number), REALM, DC,
            ],
            environment={"PYTHONPATH": str(_ROOT)},
        )  # fmt: skip
        return done.stdout + done.stderr


def _sid(raw: str) -> tuple[str, str]:
    """Domain and RID of an objectSid as ldapsearch shows it."""
    data = raw.encode("latin-1")
    parts = [str(int.from_bytes(data[at : at + 4], "little")) for at in range(8, len(data), 4)]
    return "S-1-5-" + "-".join(parts[:-1]), parts[-1]


@pytest.fixture
def stolen(user: Client, forest: ForestHost) -> Stolen:
    """An RODC as a promotion makes it; two may be known to it, of whom one is a domain administrator."""
    user.login()
    rodc = f"CN=BRANCHRODC,OU=Domain Controllers,{DOMAIN_DN}"
    if not user.entries("(cn=BRANCHRODC)", "cn"):
        for name in (KNOWN, CHIEF, OTHER):
            user.must_change(user_ldif(name, SECRET), "ldapadd")
        allowed, denied = (
            f"CN={which} RODC Password Replication Group,{USERS_DN}" for which in ("Allowed", "Denied")
        )
        user.must_change(
            f"dn: {allowed}\nchangetype: modify\nadd: member\n"
            f"member: CN={KNOWN},{USERS_DN}\nmember: CN={CHIEF},{USERS_DN}\n\n"
            f"dn: CN=Domain Admins,{USERS_DN}\nchangetype: modify\nadd: member\n"
            f"member: CN={CHIEF},{USERS_DN}\n"
        )
        user.must_change(
            f"dn: {rodc}\nobjectClass: computer\nsAMAccountName: BRANCHRODC$\n"
            f"userAccountControl: {0x0500_1000}\n{unicode_pwd(SECRET)}\n"
            f"msDS-RevealOnDemandGroup: {allowed}\nmsDS-NeverRevealGroup: {denied}\n",
            "ldapadd",
        )
        krbtgt = f"CN=krbtgt_branch,{USERS_DN}"
        user.must_change(f"dn: {krbtgt}\nobjectClass: user\n", "ldapadd", "-e", f"!{MAKING_RODCS}")
        user.must_change(f"dn: {rodc}\nchangetype: modify\nadd: msDS-KrbTgtLink\nmsDS-KrbTgtLink: {krbtgt}\n")
    found = user.entries("(cn=krbtgt_branch)", "sAMAccountName", "msDS-SecondaryKrbTgtNumber")[0]
    (key,) = keys_of_accounts(forest, found["samaccountname"][0])
    sids = {
        name: _sid(user.entries(f"(sAMAccountName={name})", "objectSid")[0]["objectsid"][0])
        for name in (KNOWN, CHIEF, OTHER, "Administrator")
    }
    number = int(found["msds-secondarykrbtgtnumber"][0])
    return Stolen(user, number, key, sids[KNOWN][0], {name: rid for name, (_, rid) in sids.items()})


def test_the_key_of_who_may_be_known_comes_out(stolen: Stolen) -> None:
    assert f"key: {string_to_key(Etype.RC4_HMAC, SECRET, b'').value.hex()}" in stolen.asked(KNOWN)


@pytest.mark.parametrize("name", [CHIEF, OTHER, "Administrator"])
def test_nobody_elses_does(stolen: Stolen, name: str) -> None:
    """A domain administrator's never, whoever allows it; nor that of who is in no list."""
    said = stolen.asked(name)
    assert "is not allowed to have passwords replicated" in said and "key:" not in said


def test_a_ticket_is_of_whom_its_sid_says(stolen: Stolen) -> None:
    """A name alone proves nothing (CVE-2021-42287)."""
    said = stolen.asked(KNOWN, rid=stolen.rids["Administrator"])
    assert "is not allowed to have passwords replicated" in said and "key:" not in said


def test_without_an_rodcs_key_there_is_nothing(stolen: Stolen) -> None:
    for said, why in (
        (stolen.asked(KNOWN, key=bytes(32)), "KRB_AP_ERR_MODIFIED"),
        (stolen.asked(KNOWN, number=stolen.number ^ 1), "KRB_AP_ERR_BADKEYVER"),
    ):
        assert why in said and "key:" not in said
