"""Samba's own tests of a KDC, which assert what Windows does, against this one.

They are Debian's: smbtorture's krb5.kdc and the modules of samba.tests.krb5. `MODULES` lists every test that
does not pass, with the reason; what passes must go on passing, and what stops failing must leave the list.
"""

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import pytest

from tests.kit.clients import DC, Client, unicode_pwd
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN, DOMAIN_DN, PASSWORD, REALM, ForestHost
from tests.kit.net import Host

HARNESS: Final = Path(__file__).parents[1] / "kit" / "samba_krb5_harness.py"
_ROOT: Final = Path(__file__).parents[2]
_SYSTEM_PYTHON: Final = "/usr/bin/python3"
_TIMEOUT_S: Final = 240.0
_SKIPPED: Final = "needs a remote procedure"

RC4: Final = "RC4 is off unless the account lists it, as in Windows since July 2026"
MIT: Final = "asserts what MIT's KDC does instead"
SAM: Final = "logs on or changes passwords over NETLOGON and SAMR"
POLICY: Final = "the alternative, for KDCs that refuse what another test here has them leave out"
TWO_PEOPLE: Final = "we refuse a TGT whose PAC tells of two accounts; Windows believes the requestor alone"
EVIDENCE: Final = "we refuse evidence whose server signature is wrong, whatever else is right"
KPASSWD: Final = "RFC 3244 2 tells who is not authenticated by a Kerberos error; Samba puts its result there"
LENIENT: Final = "a password request without sequence number is carried out, bound to its ticket as it is"


@dataclass(frozen=True, slots=True)
class Module:
    """A module of tests. passing: how many of them must pass. failing: pattern of a name to the reason.

    only: pieces of names of the tests to run, where all are too many.
    """

    passing: int
    failing: dict[str, str] = field(default_factory=dict)
    only: str = ""


MODULES: Final[dict[str, Module]] = {
    "simple_tests": Module(1),
    "kdc_tests": Module(4, {"test_arc4_hmac_md5": RC4}),
    "as_req_tests": Module(205, {"test_as_req_enc_timestamp_rc4*": RC4, "test_as_req_no_preauth_*rc4*": RC4}),
    "as_canonicalization_tests": Module(320),
    "ms_kile_client_principal_lookup_tests": Module(12),
    "salt_tests": Module(41),
    "spn_tests": Module(15),
    "alias_tests": Module(4),
    "pac_align_tests": Module(15),
    "test_ccache": Module(3),
    "test_ldap": Module(
        2,
        {
            "test_ldap_anonymous": "the token of who is nobody has S-1-1-0 too",
            "test_ldap_no_pac": "a ticket for a domain controller has a PAC whatever its client wanted",
        },
    ),
    "compatability_tests": Module(6, {"test_mit_*": MIT, "test_heimdal_arcfour_salt": RC4}),
    "fast_tests": Module(75),
    "kdc_tgs_tests": Module(208, {"test_logon_info_sid_mismatch_*": TWO_PEOPLE}),
    "s4u_tests": Module(
        50,
        {
            "test_*_missing_service_checksum": EVIDENCE,
            "test_*_unkeyed_service_checksum": EVIDENCE,
            "test_*_zeroed_service_checksum": EVIDENCE,
        },
    ),
    "protected_users_tests": Module(
        61,
        {
            "test_samlogon_*": SAM,
            "test_samr_*": SAM,
            "test_*rc4*not_protected": RC4,
            "test_rc4_*protected_aes256_preauth": RC4,
            "test_proxiable_as_protected_policy_error": POLICY,
        },
    ),
    "kpasswd_tests": Module(
        17,
        {
            "test_kpasswd_empty": "an empty password is too short, a soft error that tells the policy",
            "test_kpasswd_no_seq_number": LENIENT,
            "test_kpasswd_set_target_*_only": KPASSWD,
            "test_kpasswd_tgt": KPASSWD,
            "test_kpasswd_wrong_key*": KPASSWD,
            "test_kpasswd_from_rodc": KPASSWD,
        },
    ),
    "etype_tests": Module(
        41,
        {"test_etype_*_0x24_supported_23_1*": "[MS-KILE] 2.2.7: AES256-SK has AES take the place of RC4"},
        only=",".join(f"tgs_{bits}_supported*member*stored" for bits in ("0x1C", "0x24", "0x10000")),
    ),
}
"""Not here: lockout_tests and nt_hash_tests need the DC's own database; rodc_tests are of a KDC that is an
RODC; xrealm_tests and the tests over SMB and RPC need what is not there yet."""

_LONG: Final = (
    "kdc_tgs_tests",
    "as_canonicalization_tests",
    "protected_users_tests",
    "spn_tests",
    "test_ldap",
)
_FEW_OF_MANY: Final = tuple(name for name, module in MODULES.items() if module.only)
_SHARES: Final = (
    _LONG,
    tuple(name for name in MODULES if name not in (*_LONG, *_FEW_OF_MANY)),
    _FEW_OF_MANY,
)
"""Modules that one process runs, so that there is no more than one start of Python for many."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A test that ended. outcome: ok, skip, fail or error."""

    name: str
    outcome: str
    why: str


def _environment(forest: ForestHost, only: str) -> dict[str, str]:
    """What Samba's tests ask of their environment; a DC of functional level 2016 with every feature."""
    switches = (
        "FAST_SUPPORT", "CLAIMS_SUPPORT", "COMPOUND_ID_SUPPORT", "TKT_SIG_SUPPORT", "FULL_SIG_SUPPORT",
        "EXPECT_PAC", "EXPECT_EXTRA_PAC_BUFFERS", "CHECK_CNAME", "CHECK_PADATA", "ADMIN_KVNO",
    )  # fmt: skip
    return {
        **dict.fromkeys(switches, "1"),
        "SERVER": DC, "DC_SERVER": DC, "DC_SERVER_IP": forest.host.address, "REALM": REALM, "DOMAIN": DOMAIN,
        "ADMIN_USERNAME": "Administrator", "ADMIN_PASSWORD": PASSWORD, "USERNAME": "Administrator",
        "PASSWORD": PASSWORD, "SERVICE_USERNAME": "dc1", "FOR_USER": "Administrator", "STRICT_CHECKING": "0",
        "KADMIN_IS_TGS": "0", "FORCED_RC4": "0", "DEFAULT_ETYPES": str(0x18), "SAMBA_KRB5_ONLY": only,
    }  # fmt: skip


def _run(
    machine: Host, forest: ForestHost, samba_conf: Path, names: tuple[str, ...]
) -> dict[str, list[Ended]]:
    keys = f"env PYTHONPATH={_ROOT} {sys.executable} -m tests.kit.account_keys {forest.data_dir}"
    only = MODULES[names[0]].only
    done = machine.run(
        [_SYSTEM_PYTHON, str(HARNESS), keys, *names],
        timeout_s=_TIMEOUT_S,
        environment={**_environment(forest, only), "SMB_CONF_PATH": str(samba_conf)},
    )
    found: dict[str, list[Ended]] = {name: [] for name in names}
    for line in done.stdout.splitlines():
        if line.startswith('{"test"'):
            told = json.loads(line)
            module, _, test = told["test"].removeprefix("samba.tests.krb5.").partition(".")
            found[module].append(Ended(test.partition(".")[2], told["outcome"], told["why"]))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return found


@pytest.fixture(scope="module")
def samba_conf(machine: Host) -> Path:
    path = machine.folder / "samba-krb5.conf"
    path.write_text(f"[global]\n realm = {REALM}\n workgroup = {DOMAIN}\n")
    return path


@pytest.fixture(scope="module")
def ended(machine: Host, forest: ForestHost, samba_conf: Path) -> dict[str, list[Ended]]:
    """What became of every test, by module."""
    with ThreadPoolExecutor(len(_SHARES)) as threads:
        shares = threads.map(lambda names: _run(machine, forest, samba_conf, names), _SHARES)
        return {name: found for share in shares for name, found in share.items()}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_of_samba(ended: dict[str, list[Ended]], name: str) -> None:
    module = MODULES[name]
    failed = [one for one in ended[name] if one.outcome in ("fail", "error")]
    unexpected = [one for one in failed if not any(fnmatchcase(one.name, shape) for shape in module.failing)]
    assert not unexpected, "\n".join(f"{one.name}: {one.why}" for one in unexpected[:20])
    passed = {one.name for one in ended[name] if one.outcome == "ok"}
    mended = {shape for shape in module.failing if not any(fnmatchcase(one.name, shape) for one in failed)}
    assert not mended, f"these pass now: take them out of the list: {sorted(mended)}"
    assert len(passed) >= module.passing, f"only {len(passed)} of {module.passing} passed"
    skipped = [one for one in ended[name] if one.outcome == "skip"]
    assert all(one.why.startswith(_SKIPPED) for one in skipped), skipped[:3]


# --- smbtorture --------------------------------------------------------------------------------------------

_USER_PASSWORD: Final = "Passw0rd.Torture1"
_ALL: Final = str(0x1C)
_RC4_TICKETS: Final = str(0x24)
"""Tickets have RC4 keys: smbtorture opens them with a key that it salts in its own way."""


@dataclass(frozen=True, slots=True)
class Torture:
    """One account that smbtorture's KDC tests run with.

    attributes: LDIF lines. options: of smbtorture. suite: the tests. failing: how many fail, all by `why`.
    """

    account: str
    attributes: tuple[str, ...]
    options: tuple[str, ...]
    suite: str
    passing: int
    failing: int = 0
    why: str = ""


_HOST: Final = "torture:krb5-hostname"
TORTURES: Final = {
    "machine": Torture(
        "tortured$",
        ("servicePrincipalName: host/tortured", f"msDS-SupportedEncryptionTypes: {_ALL}"),
        (f"{_HOST}=tortured", "torture:run_removedollar_test=true", "torture:expect_machine_account=true"),
        "krb5.kdc",
        266,
    ),
    "service whose UPN is its SPN": Torture(
        "torturedservice",
        (
            f"servicePrincipalName: http/tortured.{DNS_DOMAIN}",
            f"userPrincipalName: http/tortured.{DNS_DOMAIN}@{REALM}",
            f"msDS-SupportedEncryptionTypes: {_RC4_TICKETS}",
        ),
        (
            "torture:expect_machine_account=true",
            f"torture:krb5-upn=http/tortured.{DNS_DOMAIN}@{REALM}",
            f"{_HOST}=tortured.{DNS_DOMAIN}",
            "torture:krb5-service=http",
        ),
        "krb5.kdc.canon",
        256,
    ),
    "names with blanks": Torture(
        "tortured account",
        (
            "servicePrincipalName: host/torturedblank",
            f"userPrincipalName: tortured upn@{REALM}",
            f"msDS-SupportedEncryptionTypes: {_RC4_TICKETS}",
        ),
        (
            "torture:expect_machine_account=true",
            f"torture:krb5-upn=tortured upn@{REALM}",
            f"{_HOST}=torturedblank",
        ),
        "krb5.kdc.canon",
        256,
    ),
    "person with another suffix": Torture(
        "torturedperson",
        (f"userPrincipalName: tortured_upn@{REALM}.upn", f"msDS-SupportedEncryptionTypes: {_ALL}"),
        (f"torture:krb5-upn=tortured_upn@{REALM}.upn",),
        "krb5.kdc",
        74,
        64,
        "Server principal valid for user2user only",  # [MS-KILE] 3.3.5.7, where Samba knows no such principal
    ),
}


@pytest.mark.parametrize("name", TORTURES)
def test_smbtortures_kdc(user: Client, forest: ForestHost, samba_conf: Path, name: str) -> None:
    """All of it that Debian's own Samba DC passes, but one answer."""
    torture = TORTURES[name]
    user.login()
    lines = [
        f"dn: CN={torture.account.removesuffix('$')},CN=Users,{DOMAIN_DN}", "objectClass: user",
        f"sAMAccountName: {torture.account}", *torture.attributes, unicode_pwd(_USER_PASSWORD),
        "userAccountControl: 512",
    ]  # fmt: skip
    user.must_change("\n".join(lines) + "\n", "ldapadd")
    done = user.machine.run(
        [
            "smbtorture", f"ncacn_np:{forest.host.address}", f"-U{torture.account}%{_USER_PASSWORD}",
            *(f"--option={option}" for option in torture.options), f"--configfile={samba_conf}",
            "--use-kerberos=required", f"--workgroup={DOMAIN}", f"--realm={REALM}", torture.suite,
        ],
        timeout_s=_TIMEOUT_S,
    )  # fmt: skip
    passed = len(re.findall(r"(?m)^success:", done.stdout))
    failed = re.findall(r"(?m)^(?:failure|error): (\S+) \[\n(.*)", done.stdout)
    unexpected = [one for one in failed if not torture.why or torture.why not in one[1]]
    assert not unexpected, unexpected[:3]
    assert (passed, len(failed)) == (torture.passing, torture.failing), (
        done.stdout[-500:] + done.stderr[-500:]
    )
