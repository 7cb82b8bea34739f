"""The clients as people use them: kinit, kvno, ldapsearch and their kin, on one machine."""

import base64
import subprocess
from dataclasses import dataclass
from typing import Final

from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, PASSWORD
from tests.kit.net import Host

DC: Final = f"dc1.{DNS_DOMAIN}"
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Client:
    """A person at a machine."""

    machine: Host

    def kinit(self, principal: str = "Administrator", password: str = PASSWORD, *options: str) -> Done:
        """stdout has the prompts, stderr the errors."""
        return self.machine.run(["kinit", *options, principal], stdin=password + "\n")

    def login(self, principal: str = "Administrator", password: str = PASSWORD) -> None:
        """kinit that must succeed."""
        done = self.kinit(principal, password)
        assert done.returncode == 0, done.stdout + done.stderr

    def klist(self, *options: str) -> str:
        return self.machine.run(["klist", *options], check=True).stdout

    def kvno(self, service: str, *options: str) -> Done:
        return self.machine.run(["kvno", *options, service])

    def search(self, *words: str, mech: str = "GSSAPI", base: str = DOMAIN_DN) -> Done:
        """ldapsearch with Kerberos."""
        return self.machine.run(
            ["ldapsearch", "-LLL", "-Q", "-o", "ldif-wrap=no", "-Y", mech, "-b", base, *words]
        )

    def entries(self, *words: str, base: str = DOMAIN_DN) -> list[dict[str, list[str]]]:
        """A search that must succeed; attribute names in lower case."""
        done = self.search(*words, base=base)
        assert done.returncode == 0, done.stdout + done.stderr
        return parse_ldif(done.stdout)

    def change(self, ldif: str, tool: str = "ldapmodify", *options: str) -> Done:
        """ldapmodify or ldapadd with Kerberos, sealed."""
        return self.machine.run([tool, "-Q", "-Y", "GSSAPI", *options], stdin=ldif)

    def must_change(self, ldif: str, tool: str = "ldapmodify", *options: str) -> None:
        done = self.change(ldif, tool, *options)
        assert done.returncode == 0, done.stdout + done.stderr

    def delete(self, *dns: str) -> Done:
        return self.machine.run(["ldapdelete", "-Q", "-Y", "GSSAPI", *dns])


def parse_ldif(text: str) -> list[dict[str, list[str]]]:
    """Entries of ldapsearch -LLL -o ldif-wrap=no; base64 values come as latin-1 texts of their bytes."""
    entries: list[dict[str, list[str]]] = []
    for block in text.strip().split("\n\n"):
        entry: dict[str, list[str]] = {}
        for line in block.splitlines():
            if line.startswith("#") or ":" not in line:
                continue
            name, _, value = line.partition(":")
            is_binary = value.startswith(":")
            value = value.removeprefix(":").strip()
            if is_binary:  # whose bytes may be blanks
                value = base64.b64decode(value).decode("latin-1")
            entry.setdefault(name.lower(), []).append(value)
        if "dn" in entry:
            entries.append(entry)
    return entries


def unicode_pwd(password: str) -> str:
    """The LDIF line that sets a password."""
    return "unicodePwd:: " + base64.b64encode(f'"{password}"'.encode("utf-16-le")).decode()


def user_ldif(
    name: str, password: str | None = None, *more: str, parent: str = f"CN=Users,{DOMAIN_DN}"
) -> str:
    """A person, enabled when there is a password."""
    lines = [
        f"dn: CN={name},{parent}", "objectClass: user", f"sAMAccountName: {name}",
        f"userPrincipalName: {name}@{DNS_DOMAIN}", *more,
    ]  # fmt: skip
    if password is not None:
        lines += [unicode_pwd(password), "userAccountControl: 512"]
    return "\n".join(lines) + "\n"
