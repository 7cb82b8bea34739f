"""What tests of deletion say over LDAP: delete, look at what is left, bring back, let time pass."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.ids import Dnt
from addc.codec.filter import Filter, Present
from addc.directory.jobs import run_jobs
from addc.ldap import controls as c
from addc.ldap import messages as m
from tests.kit.corp import Corp
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.ldap_desk import Desk, LdapClient

DAY: Final = 86_400
RECYCLE_BIN: Final = "766ddcd8-acd0-445e-f3b9-a7f9b6744f2a"
PRIVILEGED_ACCESS: Final = "ec43e873-cce8-4640-b4ab-07ffe4ab5bcd"
PARTITIONS: Final = f"CN=Partitions,{CONFIG_DN}"
DIRECTORY_SERVICE: Final = f"CN=Directory Service,CN=Windows NT,CN=Services,{CONFIG_DN}"

DELETED: Final = m.Control(c.LDAP_SERVER_SHOW_DELETED_OID, True, None)
RECYCLED: Final = m.Control(c.LDAP_SERVER_SHOW_RECYCLED_OID, True, None)
DEACTIVATED: Final = m.Control(c.LDAP_SERVER_SHOW_DEACTIVATED_LINK_OID, True, None)
TREE: Final = m.Control(c.LDAP_SERVER_TREE_DELETE_OID, True, None)
PERMISSIVE: Final = m.Control(c.LDAP_SERVER_PERMISSIVE_MODIFY_OID, True, None)

ADD: Final = 0
DELETE: Final = 1
REPLACE: Final = 2
CLERK_PASSWORD: Final = "Str0ng-Passw0rd!"


def result(answer: m.LdapResultFields) -> tuple[int, int]:
    """LDAP result and the Win32 code at the start of errorMessage."""
    return int(answer.result_code), int(answer.diagnostic_message[:8] or "0", 16)


def change(op: int, attribute: str, *values: str | bytes) -> m.Change:
    wire = tuple(one.encode() if isinstance(one, str) else one for one in values)
    return m.Change(op, m.PartialAttribute(attribute, wire))


@dataclass
class Graveyard:
    """One administrator's connection, and the words."""

    desk: Desk
    client: LdapClient

    @property
    def corp(self) -> Corp:
        return self.desk.corp

    def as_clerk(self, name: str = "clerk") -> "Graveyard":
        """The same words in the mouth of a user without rights, who is made."""
        self.corp.user(name, CLERK_PASSWORD)
        client = self.desk.connect(tls=True)
        assert client.bind(f"{name}@corp.example.com", CLERK_PASSWORD).result_code == 0
        return Graveyard(self.desk, client)

    def later(self, seconds: float) -> None:
        """Let time pass, and the directory do what is due."""
        self.desk.clock.when = FileTime(self.desk.clock.when + int(seconds * TICKS_PER_S))
        self.corp.now = self.desk.clock.when
        run_jobs(self.desk.directory)

    def add(self, dn: str, *classes: str, **values: str) -> m.LdapResultFields:
        attributes = [m.PartialAttribute("objectClass", tuple(one.encode() for one in classes))]
        attributes += [m.PartialAttribute(name, (value.encode(),)) for name, value in values.items()]
        return self.client.ask(m.AddRequest(Corp.dn(dn), tuple(attributes)))

    def delete(self, dn: str, *controls: m.Control) -> m.LdapResultFields:
        return self.client.ask(m.DelRequest(Corp.dn(dn)), *controls)

    def modify(self, dn: str, *changes: m.Change, controls: tuple[m.Control, ...] = ()) -> m.LdapResultFields:
        return self.client.ask(m.ModifyRequest(Corp.dn(dn) if dn else "", changes), *controls)

    def undelete(
        self, dn: str, new_dn: str, *more: m.Change, controls: tuple[m.Control, ...] = (DELETED,)
    ) -> m.LdapResultFields:
        asked = (change(DELETE, "isDeleted"), change(REPLACE, "distinguishedName", Corp.dn(new_dn)))
        return self.modify(dn, *asked, *more, controls=controls)

    def enable(self, guid: str = RECYCLE_BIN, scope: str = PARTITIONS) -> m.LdapResultFields:
        return self.modify("", change(ADD, "enableOptionalFeature", f"{scope}:{guid}"))

    def guid(self, name: str | Dnt) -> str:
        """<GUID=...> of an object."""
        return f"<GUID={UUID(bytes_le=self.corp.row(name).guid)}>"

    def read(self, dn: str, *attributes: str, controls: tuple[m.Control, ...] = ()) -> dict[str, list[bytes]]:
        """One object; {} where it is not to be seen. "dn" is its name."""
        found = self.search(dn, *attributes, scope=0, controls=controls)
        return found[0] if found else {}

    def search(
        self,
        base: str,
        *attributes: str,
        scope: int = 2,
        where: Filter = Present("objectClass"),  # noqa: B008 -- a value
        controls: tuple[m.Control, ...] = (),
    ) -> list[dict[str, list[bytes]]]:
        request = m.SearchRequest(Corp.dn(base), scope, 0, 0, 0, False, where, attributes)
        found = []
        for message in self.client.send(request, controls=controls):
            op = message.protocol_op
            if isinstance(op, m.SearchResultEntry):
                entry = {one.type: list(one.vals) for one in op.attributes}
                found.append({"dn": [op.object_name.encode()], **entry})
        return found


@pytest.fixture
def yard(desk: Desk) -> Graveyard:
    """An administrator at a fresh copy of the forest."""
    client = desk.connect(tls=True)
    assert client.bind().result_code == 0
    return Graveyard(desk, client)


__all__ = ["DOMAIN_DN", "Graveyard", "yard"]
