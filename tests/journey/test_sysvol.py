"""SYSVOL and group policies as administrators and users meet them: smbclient, smbcacls, samba-tool gpo."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kit.clients import DC, Client
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, PASSWORD, REALM, ForestHost
from tests.kit.net import Host
from tests.kit.samba_tools import KERBEROS, SambaTools

SCRIPTS = f"{DNS_DOMAIN}/scripts"
POLICIES = f"{DNS_DOMAIN}/Policies"
DEFAULT_POLICY = "{31B2F340-016D-11D2-945F-00C04FB984F9}"
USER_PASSWORD = "Passw0rd.X1"


class Files:
    """smbclient on one share with one way to log on."""

    def __init__(self, machine: Host, share: str, *logon: str) -> None:
        self.machine, self.share, self.logon = machine, f"//{DC}/{share}", logon or KERBEROS

    def run(self, commands: str) -> tuple[int, str]:
        done = self.machine.run(["smbclient", self.share, *self.logon, "-c", commands])
        return done.returncode, done.stdout + done.stderr

    def ok(self, commands: str) -> str:
        status, told = self.run(commands)
        assert status == 0 and "NT_STATUS_" not in told, told
        return told

    def refused(self, commands: str) -> str:
        _, told = self.run(commands)
        assert "NT_STATUS_" in told, told
        return told


@pytest.fixture(scope="module")
def desk(machine: Host) -> Host:
    """The machine with caches of its own: Samba's clients remember who could not be reached."""
    places = machine.folder / "samba"
    places.mkdir(exist_ok=True)
    kinds = ("lock directory", "cache directory", "state directory", "private dir")
    lines = ["[global]", " workgroup = ADDC", f" realm = {REALM}", *[f" {kind} = {places}" for kind in kinds]]
    (places / "smb.conf").write_text("\n".join([*lines, ""]))
    return replace(machine, environment={**machine.environment, "SMB_CONF_PATH": str(places / "smb.conf")})


@pytest.fixture
def user(desk: Host) -> Client:
    """A person at that machine with an empty credential cache."""
    desk.run(["kdestroy", "-q"])
    return Client(desk)


@pytest.fixture
def admin(user: Client) -> Files:
    user.login()
    return Files(user.machine, "sysvol")


@pytest.fixture(scope="module")
def plain(desk: Host, forest: ForestHost) -> tuple[str, ...]:
    """How a user without any rights logs on."""
    words = ("-UAdministrator%" + PASSWORD, "--use-kerberos=off")
    SambaTools(desk, words).ok("user", "create", "sysvoluser", USER_PASSWORD)
    return (f"-U{DNS_DOMAIN.split('.', maxsplit=1)[0]}\\sysvoluser%{USER_PASSWORD}", "--use-kerberos=off")


@pytest.mark.parametrize("logon", [KERBEROS, (f"-UAdministrator%{PASSWORD}", "--use-kerberos=off")])
def test_an_administrator_works_with_files(user: Client, tmp_path: Path, logon: tuple[str, ...]) -> None:
    user.login()
    files = Files(user.machine, "sysvol", *logon)
    local, back = tmp_path / "logon.cmd", tmp_path / "back.cmd"
    local.write_bytes(b"echo hello\r\n" * 20_000)
    tmp_path.chmod(0o755)
    files.ok(f"cd {SCRIPTS}; mkdir j; put {local} j\\logon.cmd; rename j\\logon.cmd j\\run.cmd")
    assert "run.cmd" in files.ok(f"cd {SCRIPTS}\\j; ls")
    files.ok(f"get {SCRIPTS}\\J\\RUN.CMD {back}")
    assert back.read_bytes() == local.read_bytes()
    assert "OBJECT_NAME_NOT_FOUND" in files.refused(f"get {SCRIPTS}\\j\\logon.cmd {back}")
    assert "run.cmd" in Files(user.machine, "netlogon", *logon).ok("cd j; ls")
    files.ok(f"cd {SCRIPTS}; del j\\run.cmd; rmdir j")
    assert "NO_SUCH_FILE" in files.refused(f"ls {SCRIPTS}\\j")


def test_a_user_reads_and_changes_nothing(user: Client, plain: tuple[str, ...], tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    local = tmp_path / "evil.cmd"
    local.write_bytes(b"x")
    files = Files(user.machine, "sysvol", *plain)
    back = tmp_path / "gpt.ini"
    files.ok(f"get {POLICIES}\\{DEFAULT_POLICY}\\GPT.INI {back}")
    assert b"Version=" in back.read_bytes()
    for commands in (
        f"put {local} {SCRIPTS}\\evil.cmd",
        f"put {local} {POLICIES}\\{DEFAULT_POLICY}\\GPT.INI",
        f"mkdir {POLICIES}\\x",
        f"del {POLICIES}\\{DEFAULT_POLICY}\\GPT.INI",
        f"rename {POLICIES}\\{DEFAULT_POLICY}\\GPT.INI {SCRIPTS}\\GPT.INI",
    ):
        assert "ACCESS_DENIED" in files.refused(commands), commands


def test_nobody_comes_in_without_a_name(user: Client) -> None:
    files = Files(user.machine, "sysvol", "-U%", "--use-kerberos=off")
    assert "ACCESS_DENIED" in files.refused("ls")


def _entries(text: str) -> list[str]:
    """The entries of an SDDL text, rights as numbers without leading zeros."""
    plain = re.sub("0x0*", "0x", text).replace("0x1f01ff", "FA")
    return sorted(re.findall(r"\(.*?\)", plain))


def test_descriptors_are_seen_and_set(user: Client, forest: ForestHost) -> None:
    user.login()

    def cacls(path: str, *words: str) -> str:
        done = user.machine.run(["smbcacls", f"//{DC}/sysvol", path, *KERBEROS, *words])
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    shown = cacls(f"{POLICIES}/{DEFAULT_POLICY}", "--sddl")
    listed = forest.addc("sysvol", "ls", POLICIES, "--sddl", "--json", "--data-dir", str(forest.data_dir))
    (wanted,) = [one["sddl"] for one in json.loads(listed.stdout) if one["path"].endswith(DEFAULT_POLICY)]
    assert _entries(shown) == _entries(wanted)
    Files(user.machine, "sysvol").ok(f"mkdir {SCRIPTS}\\acl")
    before = cacls(f"{SCRIPTS}/acl")
    assert "I" in before
    cacls(f"{SCRIPTS}/acl", "-a", "ACL:ADDC\\Domain Users:ALLOWED/OI|CI/READ")
    assert "Domain Users:ALLOWED" in cacls(f"{SCRIPTS}/acl")
    Files(user.machine, "sysvol").ok(f"rmdir {SCRIPTS}\\acl")


def _differs_only_by_an_entry_that_gives_nothing(told: str) -> None:
    """Samba 4.17 wants the entry of Apply Group Policy on files, with no right in it; Windows writes none."""
    found = re.search(r"Invalid GPO ACL (\S+) on path .* should be (\S+)", told)
    assert found is not None, told
    assert found.group(2) == found.group(1) + "(OA;OICI;;edacfd8f-ffb3-11d1-b41d-00a0c968f939;;AU)"


def test_a_policy_lives_through_samba_tool(user: Client, forest: ForestHost, tmp_path: Path) -> None:
    user.login()
    tool = SambaTools(user.machine)
    tmp_path.chmod(0o777)
    assert "Default Domain Policy" in tool.ok("gpo", "listall")
    made = tool.ok("gpo", "create", "Journey")
    guid = re.search(r"\{[0-9A-Fa-f-]{36}\}", made)
    assert guid is not None
    name = guid.group()
    tool.ok("gpo", "setlink", DOMAIN_DN, name)
    assert "Journey" in tool.ok("gpo", "getlink", DOMAIN_DN)
    _differs_only_by_an_entry_that_gives_nothing(tool.refused("gpo", "aclcheck"))
    tool.ok("gpo", "fetch", name, f"--tmpdir={tmp_path}")
    assert (tmp_path / "policy" / name / "GPT.INI").is_file()
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o777)
    tool.ok("gpo", "backup", name, f"--tmpdir={kept}")
    again_dir = tmp_path / "again"
    again_dir.mkdir(mode=0o777)
    tool.ok("gpo", "restore", "Journey again", str(kept / "policy" / name), f"--tmpdir={again_dir}")
    found = tool.ok("gpo", "listall")
    assert "Journey again" in found
    checked = forest.addc("gpo", "check", "--data-dir", str(forest.data_dir))
    assert checked.returncode == 0, checked.stdout
    again = re.search(r"GPO\s+: (\{[^}]*\})\s+display name : Journey again", found)
    assert again is not None
    tool.ok("gpo", "dellink", DOMAIN_DN, name)
    for one in (name, again.group(1)):
        tool.ok("gpo", "del", one)
    listed = forest.addc("sysvol", "ls", POLICIES, "--data-dir", str(forest.data_dir)).stdout
    assert name not in listed and again.group(1) not in listed


def test_templates_for_administrators_are_loaded(user: Client, forest: ForestHost) -> None:
    user.login()
    SambaTools(user.machine).ok("gpo", "admxload")
    listed = forest.addc("sysvol", "ls", f"{POLICIES}/PolicyDefinitions", "--data-dir", str(forest.data_dir))
    assert "admx" in listed.stdout.lower()
    empty = forest.host.folder / "nothing"
    empty.mkdir()
    words = ("--to", f"{POLICIES}/PolicyDefinitions", "--mirror", "--data-dir", str(forest.data_dir))
    assert forest.addc("sysvol", "import", str(empty), *words).returncode == 0


def test_passwords_follow_the_template_that_was_put(user: Client, admin: Files, tmp_path: Path) -> None:
    """As an administrator edits the Default Domain Policy: the domain object says it shortly after."""
    tmp_path.chmod(0o755)
    path = f"{POLICIES}\\{DEFAULT_POLICY}\\MACHINE\\Microsoft\\Windows NT\\SecEdit\\GptTmpl.inf"
    held, fresh = tmp_path / "held.inf", tmp_path / "fresh.inf"
    admin.ok(f'get "{path}" {held}')
    text = held.read_bytes().decode("utf-16")
    fresh.write_bytes(text.replace("PasswordHistorySize = 24", "PasswordHistorySize = 23").encode("utf-16"))
    admin.ok(f'put {fresh} "{path}"')
    _wait_for(user, "pwdHistoryLength: 23")
    admin.ok(f'put {held} "{path}"')
    _wait_for(user, "pwdHistoryLength: 24")


def _wait_for(user: Client, line: str) -> None:
    for _ in range(400):
        if line in user.search("-s", "base", "pwdHistoryLength").stdout:
            return
    raise AssertionError(f"never {line}")
