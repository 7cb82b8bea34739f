"""The delegation matrix: who may act for whom, where, by which evidence; each ticket read by foreign eyes.

Every cell asks a serving KDC. What it grants is decrypted and verified by impacket, and its PAC taken apart
by Samba's bindings: the groups must be those of the user's own ticket for the same service.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest

from addc.codec.ids import Sid
from tests.kit.clients import Client, unicode_pwd, user_ldif
from tests.kit.foreign_pac import ForeignPac, read_ticket
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, REALM, ForestHost
from tests.kit.s4u import letting
from tests.kit.samba_bindings import ask_samba

ROOT: Final = Path(__file__).parents[2]
USERS_DN: Final = f"CN=Users,{DOMAIN_DN}"
PASSWORD: Final = "D3legated.Passw0rd"
FORWARDABLE: Final = 1 << 30
TO_AUTH: Final = 0x100_0000
NOT_DELEGATED: Final = 0x10_0000

KINDS: Final = {"user": 0x200, "computer": 0x1000, "gmsa": 0x1000}
USERS: Final = ("plain", "sensitive", "protected")
TARGET, LETS = f"cifs/s4utarget.{DNS_DOMAIN}", f"cifs/s4ulets.{DNS_DOMAIN}"

# Who asks: what its account says.
CONFIGS: Final[dict[str, tuple[int, str]]] = {
    "nothing": (0, ""),
    "constrained": (0, TARGET),
    "transition": (TO_AUTH, TARGET),
    "elsewhere": (0, f"cifs/s4uother.{DNS_DOMAIN}"),
}

# S4U2Self: is the ticket forwardable? Never for those who must not be delegated.
SELF: Final = {"nothing": True, "constrained": False, "transition": True, "elsewhere": False}

RESTRICTED: Final = "STATUS_ACCOUNT_RESTRICTION"
# S4U2Proxy: (account, target, resource-based bit) by evidence of a user who may be delegated.
PROXY: Final[dict[tuple[str, str, bool], dict[str, str]]] = {
    ("constrained", TARGET, False): {"self": RESTRICTED, "logon": "", "not-forwardable": RESTRICTED},
    ("constrained", TARGET, True): {"self": RESTRICTED, "logon": "", "not-forwardable": RESTRICTED},
    ("transition", TARGET, False): {"self": "", "logon": "", "not-forwardable": RESTRICTED},
    ("nothing", LETS, True): {"self": "", "logon": "", "not-forwardable": RESTRICTED},
    ("elsewhere", LETS, True): {"self": RESTRICTED, "logon": "", "not-forwardable": RESTRICTED},
    ("nothing", LETS, False): dict.fromkeys(("self", "logon", "not-forwardable"), "STATUS_NOT_SUPPORTED"),
    ("elsewhere", LETS, False): dict.fromkeys(("self", "logon", "not-forwardable"), "STATUS_NO_MATCH"),
    ("nothing", TARGET, True): dict.fromkeys(("self", "logon", "not-forwardable"), "STATUS_NOT_FOUND"),
    ("elsewhere", TARGET, True): dict.fromkeys(("self", "logon", "not-forwardable"), "STATUS_NOT_FOUND"),
}

READ_PACS: Final = """
from samba.dcerpc import krb5pac
answer = {"pacs": []}
for text in given:
    seen = {}
    for buffer in ndr_unpack(krb5pac.PAC_DATA, bytes.fromhex(text)).buffers:
        if buffer.type == krb5pac.PAC_TYPE_LOGON_INFO:
            info = buffer.info.info.info3
            seen["groups"] = sorted(g.rid for g in info.base.groups.rids)
            seen["sids"] = sorted(str(s.sid) for s in info.sids or [])
            local = buffer.info.info.resource_groups.groups
            seen["local"] = sorted(g.rid for g in local.rids or [])
            seen["rid"] = info.base.rid
        elif buffer.type == krb5pac.PAC_TYPE_CONSTRAINED_DELEGATION:
            way = buffer.info.info
            seen["target"] = str(way.proxy_target)
            seen["way"] = [str(one) for one in way.transited_services]
        elif buffer.type == krb5pac.PAC_TYPE_LOGON_NAME:
            seen["name"] = buffer.info.account_name
    answer["pacs"].append(seen)
"""


def account(kind: str, config: str) -> str:
    """sAMAccountName of a requester."""
    return f"s4u{kind}{config}"[:19] + ("" if kind == "user" else "$")


def spn(kind: str, config: str) -> str:
    return f"http/{kind}-{config}.{DNS_DOMAIN}"


@dataclass(frozen=True)
class Cast:
    """Everybody in place. keys: by account name, in hexadecimal."""

    user: Client
    forest: ForestHost
    keys: dict[str, str]

    def ask(self, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        given = {"kdc": self.forest.host.address, "realm": REALM, "keys": self.keys, "tasks": tasks}
        done = self.user.machine.run(
            [sys.executable, "-m", "tests.kit.s4u_desk"],
            stdin=json.dumps(given),
            environment={"PYTHONPATH": str(ROOT)},
            check=True,
        )
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        return answers

    def read(self, answer: dict[str, Any], service: str) -> ForeignPac:
        """A ticket's PAC, every signature verified."""
        key, krbtgt = (bytes.fromhex(self.keys[name]) for name in (service, "krbtgt"))
        found = read_ticket(bytes.fromhex(answer["ticket"]), key, krbtgt, 18)
        assert found.verified == {6, 7, 16, 19}
        assert not {2, 17, 18} & found.buffers.keys()
        return found


def _add(user: Client, dn: str, ldif: str) -> None:
    user.delete(dn)
    user.must_change(ldif, "ldapadd")


def _users(user: Client) -> None:
    """Three, alike but for what keeps them from being delegated; in nested and domain-local groups."""
    control = {"sensitive": 0x200 | NOT_DELEGATED}
    for name in USERS:
        _add(user, f"CN=s4u{name},{USERS_DN}", user_ldif(f"s4u{name}", PASSWORD))
        user.must_change(
            f"dn: CN=s4u{name},{USERS_DN}\nchangetype: modify\nreplace: userAccountControl\n"
            f"userAccountControl: {control.get(name, 0x200)}\n"
        )
    members = "".join(f"member: CN=s4u{name},{USERS_DN}\n" for name in USERS)
    for name, kind, member in (
        ("s4uinner", -0x8000_0000 + 2, members),
        ("s4uouter", -0x8000_0000 + 8, f"member: CN=s4uinner,{USERS_DN}\n"),
        ("s4ulocal", -0x8000_0000 + 4, f"member: CN=s4uouter,{USERS_DN}\n"),
    ):
        ldif = f"objectClass: group\nsAMAccountName: {name}\ngroupType: {kind}\n{member}"
        _add(user, f"CN={name},{USERS_DN}", f"dn: CN={name},{USERS_DN}\n{ldif}")
    user.must_change(
        f"dn: CN=Protected Users,{USERS_DN}\nchangetype: modify\nadd: member\n"
        f"member: CN=s4uprotected,{USERS_DN}\n"
    )


def _services(user: Client) -> None:
    for (kind, control), (config, (flags, target)) in product(KINDS.items(), CONFIGS.items()):
        name = account(kind, config)
        dn = f"CN={name.rstrip('$')},{USERS_DN}"
        lines = [
            f"dn: {dn}",
            f"sAMAccountName: {name}",
            f"servicePrincipalName: {spn(kind, config)}",
            f"userAccountControl: {control | flags}",
        ]
        if kind == "gmsa":
            lines += [
                "objectClass: msDS-GroupManagedServiceAccount",
                f"dNSHostName: {name[:-1]}.{DNS_DOMAIN}",
            ]
            lines.append("msDS-ManagedPasswordInterval: 30")
        else:
            lines += [f"objectClass: {kind}", unicode_pwd(PASSWORD)]
        if target:
            lines.append(f"msDS-AllowedToDelegateTo: {target}")
        _add(user, dn, "\n".join(lines) + "\n")


def _targets(user: Client) -> None:
    """One that lets nobody, one that lets whoever has nothing or something else on its own list."""
    sids = []
    for kind, config in product(KINDS, ("nothing", "elsewhere")):
        (found,) = user.entries(f"(sAMAccountName={account(kind, config)})", "objectSid")
        sids.append(Sid(found["objectsid"][0].encode("latin-1")))
    lets = base64.b64encode(letting(*sids)).decode()
    for name, service, more in (
        ("s4utarget", TARGET, ""),
        ("s4ulets", LETS, f"msDS-AllowedToActOnBehalfOfOtherIdentity:: {lets}\n"),
    ):
        dn = f"CN={name},{USERS_DN}"
        _add(
            user,
            dn,
            f"dn: {dn}\nobjectClass: computer\nsAMAccountName: {name}$\nuserAccountControl: 4096\n"
            f"servicePrincipalName: {service}\n{unicode_pwd(PASSWORD)}\n{more}",
        )


def _keys(data_dir: Path, names: list[str]) -> dict[str, str]:
    """AES-256 keys, from the data folder."""
    lines = "".join(f"CN={name.rstrip('$')},{USERS_DN}\n" for name in names)
    done = subprocess.run(
        [sys.executable, "-m", "tests.kit.account_keys", str(data_dir)],
        check=True, input=lines, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    answers = (json.loads(line) for line in done.stdout.splitlines())
    return {name: answer["18"] for name, answer in zip(names, answers, strict=True)}


@pytest.fixture(scope="module")
def cast(machine: Any, forest: ForestHost) -> Iterator[Cast]:
    user = Client(machine)
    user.login()
    _users(user)
    _services(user)
    _targets(user)
    names = [f"s4u{name}" for name in USERS] + ["s4utarget$", "s4ulets$", "krbtgt"]
    names += [account(kind, config) for kind, config in product(KINDS, CONFIGS)]
    yield Cast(user, forest, _keys(forest.data_dir, names))


def test_self(cast: Cast) -> None:
    """S4U2Self: {what the account says} x {user, computer, gMSA} x {may the user be delegated}."""
    cells = list(product(KINDS, CONFIGS, USERS))
    tasks = [
        {"service": account(kind, config), "spn": spn(kind, config), "user": f"s4u{who}", "evidence": "self"}
        for kind, config, who in cells
    ]
    pacs = []
    for (kind, config, who), answer in zip(cells, cast.ask(tasks), strict=True):
        cell = (kind, config, who, answer.get("error"), answer.get("status"))
        assert "ticket" in answer, cell
        assert bool(answer["flags"] & FORWARDABLE) is (SELF[config] and who == "plain"), cell
        assert answer["cname"] == f"s4u{who}", cell
        pacs.append(cast.read(answer, account(kind, config)).data.hex())
    seen = _samba_reads(pacs)
    for (kind, config, who), pac in zip(cells, seen, strict=True):
        assert pac["name"] == f"s4u{who}", (kind, config, who)
        assert "S-1-18-2" in pac["sids"] and "S-1-18-1" not in pac["sids"], (kind, config, who)
    by_user = {who: [pac for (*_, one), pac in zip(cells, seen, strict=True) if one == who] for who in USERS}
    for pacs_of_user in by_user.values():
        assert all(pac == pacs_of_user[0] for pac in pacs_of_user)
        assert len(pacs_of_user[0]["local"]) == 1


def test_proxy(cast: Cast) -> None:
    """S4U2Proxy: {whose list} x {evidence} x {requester} x {may the user be delegated}."""
    cells = list(product(PROXY, ("self", "logon", "not-forwardable"), KINDS, USERS))
    tasks = [
        {
            "service": account(kind, config),
            "spn": spn(kind, config),
            "user": f"s4u{who}",
            "evidence": evidence,
            "target": target,
            "rbcd": rbcd,
        }
        for (config, target, rbcd), evidence, kind, who in cells
    ]
    own = [{"user": f"s4u{who}", "target": target} for target in (TARGET, LETS) for who in USERS]
    answers = cast.ask(tasks + own)
    granted = []
    for cell, answer in zip(cells, answers, strict=False):
        expected = _expected(*cell)
        assert (answer.get("error", ""), answer.get("status", "")) == expected, cell
        if not expected[0]:
            granted.append((cell, answer))
    assert len(granted) == 3 * (1 + 1 + 2 + 2 + 1)
    _check_granted(
        cast, granted, dict(zip(((o["target"], o["user"]) for o in own), answers[len(cells) :], strict=True))
    )


def _expected(row: tuple[str, str, bool], evidence: str, _kind: str, who: str) -> tuple[str, str]:
    """Error and NTSTATUS: for who must not be delegated, what would be granted is refused."""
    status = PROXY[row][evidence]
    if not status and who != "plain":
        status = RESTRICTED
    return ("KDC_ERR_BADOPTION", status) if status else ("", "")


def _check_granted(cast: Cast, granted: list[Any], own: dict[tuple[str, str], dict[str, Any]]) -> None:
    """The groups of a logon; who asserts the identity; the way that was gone."""
    holder = {TARGET: "s4utarget$", LETS: "s4ulets$"}
    logons = {
        key: _samba_reads([cast.read(answer, holder[key[0]]).data.hex()])[0]
        for key, answer in own.items()
        if key[1] == "s4uplain"
    }
    pacs = _samba_reads([cast.read(answer, holder[cell[0][1]]).data.hex() for cell, answer in granted])
    for ((config, target, _), evidence, kind, who), pac in (
        (cell, pac) for (cell, _), pac in zip(granted, pacs, strict=True)
    ):
        logon = logons[(target, f"s4u{who}")]
        asserted = "S-1-18-2" if evidence == "self" else "S-1-18-1"
        assert pac["sids"] == sorted({*logon["sids"]} - {"S-1-18-1"} | {asserted}), (config, evidence, kind)
        for what in ("groups", "local", "rid", "name"):
            assert pac[what] == logon[what], (config, evidence, kind, what)
        assert pac["target"] == target
        assert pac["way"] == [f"{spn(kind, config)}@{REALM}"]


def _samba_reads(pacs: list[str]) -> list[dict[str, Any]]:
    found: Any = ask_samba(READ_PACS, pacs)["pacs"]
    return list(found)
