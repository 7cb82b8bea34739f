"""What a SACL asks for is told, by event and right, once it is certain; what it does not ask for is not.

Spec: [MS-ADTS] 5.1.3.1, [MS-DTYP] 2.4.4.10, 2.4.4.11.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest

from addc.base.errors import DsError
from addc.codec.filter import parse_text
from addc.directory import rights
from addc.directory.api import Directory, Services
from addc.directory.audit_events import AuditEvent, AuditRecord
from addc.directory.controls import RequestOptions
from addc.directory.search import BASE, SUBTREE, SearchRequest
from addc.schema.wellknown import ExtendedRight
from addc.security import sddl
from addc.security.token import Token
from tests.kit.corp import Corp, add_values, quoted, replace_values
from tests.kit.corp_forest import CountingRng, StandingClock

SEALED = RequestOptions(confidential=True)
WITH_SACL = RequestOptions(confidential=True, sd_flags=12)


@dataclass
class Watched:
    """A directory over the forest, and what it reported."""

    corp: Corp
    directory: Directory
    told: list[AuditRecord] = field(default_factory=list)

    def run(self, work: Callable[[Directory], Awaitable[object]]) -> list[AuditRecord]:
        """Do something; the records of it."""
        self.told.clear()

        async def go() -> None:
            await work(self.directory)

        asyncio.run(go())
        return list(self.told)

    def fails(self, work: Callable[[Directory], Awaitable[object]]) -> list[AuditRecord]:
        with pytest.raises(DsError):
            self.run(work)
        return list(self.told)

    def read(self, who: Token, dn: str, *attributes: str) -> list[AuditRecord]:
        request = SearchRequest(self.corp.dn(dn), BASE, attributes=attributes, options=SEALED)
        return self.run(lambda directory: directory.search(who, request))


@pytest.fixture
def watched(corp_sqlite: Corp) -> Watched:
    corp = corp_sqlite
    corp.user("alice")
    services = Services(StandingClock(corp.now), CountingRng(b"audit"))
    made = Watched(corp, Directory(corp.store, corp.schema, services))
    made.directory.on_audit(made.told.append)
    return made


def set_sacl(corp: Corp, dn: str, sacl: str, dacl: str = "(A;CI;GA;;;DA)(A;CI;GR;;;AU)") -> None:
    domain = corp.forest.domain_sid
    sd = sddl.parse(f"D:P{dacl}S:{sacl}", domain, domain)
    corp.modify(dn, replace_values("nTSecurityDescriptor", sd.pack()), options=WITH_SACL)


def events(records: Sequence[AuditRecord]) -> list[tuple[int, bool, int]]:
    return [(int(one.event), one.success, one.access_mask) for one in records]


def test_nothing_is_told_where_nothing_is_asked(watched: Watched) -> None:
    corp = watched.corp
    set_sacl(corp, "CN=alice,CN=Users", "")
    dn = corp.dn("CN=alice,CN=Users")
    assert watched.read(corp.admin, dn) == []
    change = replace_values("description", "x")
    assert watched.run(lambda directory: directory.modify(corp.admin, dn, [change])) == []


def test_reads_by_success(watched: Watched) -> None:
    corp = watched.corp
    set_sacl(corp, "CN=alice,CN=Users", "(AU;SA;RP;;;WD)")
    (record,) = watched.read(corp.token("alice"), "CN=alice,CN=Users", "displayName", "sAMAccountName")
    assert (record.event, record.access_mask) == (AuditEvent.OBJECT_ACCESS, rights.READ_PROPERTY)
    assert record.subject == corp.sid("CN=alice,CN=Users")
    attribute = corp.schema.attribute("sAMAccountName")
    assert attribute is not None and attribute.schema_id_guid_wire in record.properties
    json.dumps(record.fields())


def test_only_who_the_entry_is_about(watched: Watched) -> None:
    corp = watched.corp
    set_sacl(corp, "CN=alice,CN=Users", "(AU;SA;RP;;;DA)")
    assert watched.read(corp.token("alice"), "CN=alice,CN=Users") == []
    assert len(watched.read(corp.admin, "CN=alice,CN=Users")) == 1


def test_object_entries_are_about_one_attribute(watched: Watched) -> None:
    corp = watched.corp
    mail = corp.schema.attribute("mail")
    assert mail is not None
    set_sacl(corp, "CN=alice,CN=Users", f"(OU;SA;WP;{mail.schema_id_guid};;WD)")
    dn = corp.dn("CN=alice,CN=Users")
    other = replace_values("description", "x")
    assert watched.run(lambda directory: directory.modify(corp.admin, dn, [other])) == []
    change = replace_values("mail", "a@example.com")
    found = watched.run(lambda directory: directory.modify(corp.admin, dn, [change, other]))
    assert events(found) == [(4662, True, 0x20), (5136, True, 0x20)]
    assert (found[1].attribute, found[1].added, found[1].removed) == ("mail", ("a@example.com",), ())


def test_modifications_with_their_values(watched: Watched) -> None:
    corp = watched.corp
    corp.group("crew")
    set_sacl(corp, "CN=crew,CN=Users", "(AU;SA;WPWDWO;;;WD)")
    dn, alice = corp.dn("CN=crew,CN=Users"), corp.dn("CN=alice,CN=Users")
    found = watched.run(lambda directory: directory.modify(corp.admin, dn, [add_values("member", alice)]))
    assert [one.added for one in found if one.event is AuditEvent.MODIFIED] == [(alice,)]
    domain = corp.forest.domain_sid
    sd = sddl.parse("D:(A;;GA;;;DA)", domain, domain).pack()
    change, options = replace_values("nTSecurityDescriptor", sd), RequestOptions(sd_flags=4)
    found = watched.run(lambda directory: directory.modify(corp.admin, dn, [change], options))
    assert [one.attribute for one in found if one.event is AuditEvent.MODIFIED] == ["nTSecurityDescriptor"]
    assert "GA" not in found[-1].added[0] and found[-1].added != found[-1].removed


def test_no_secret_is_told(watched: Watched) -> None:
    corp = watched.corp
    set_sacl(corp, "CN=alice,CN=Users", "(AU;SA;WPCR;;;WD)")
    dn, change = corp.dn("CN=alice,CN=Users"), replace_values("unicodePwd", quoted("Passw0rd.new1"))
    found = watched.run(lambda directory: directory.modify(corp.admin, dn, [change], SEALED))
    assert "Passw0rd" not in json.dumps([one.fields() for one in found])
    reset = ExtendedRight.USER_FORCE_CHANGE_PASSWORD.bytes_le
    assert any(one.properties == (reset,) and one.success for one in found)


def test_births_moves_and_ends(watched: Watched) -> None:
    corp = watched.corp
    corp.add("OU=watched", "organizationalUnit")
    set_sacl(corp, "OU=watched", "(AU;CISA;CCDCSDWP;;;WD)")
    dn, attributes = corp.dn("OU=in,OU=watched"), [("objectClass", [b"organizationalUnit"])]
    found = watched.run(lambda directory: directory.add(corp.admin, dn, attributes))
    assert events(found) == [(4662, True, rights.CREATE_CHILD), (5137, True, rights.CREATE_CHILD)]
    assert (found[0].dn, found[1].dn) == (corp.dn("OU=watched"), dn)
    found = watched.run(lambda directory: directory.rename(corp.admin, dn, "OU=there"))
    moved = corp.dn("OU=there,OU=watched")
    assert [(one.dn, one.new_dn) for one in found if one.event is AuditEvent.MOVED] == [(dn, moved)]
    found = watched.run(lambda directory: directory.delete(corp.admin, moved))
    assert events(found) == [(4662, True, rights.DELETE), (5141, True, rights.DELETE)]
    assert found[1].dn == moved


def test_refusals_by_failure(watched: Watched) -> None:
    corp = watched.corp
    corp.add("OU=watched", "organizationalUnit")
    set_sacl(corp, "OU=watched", "(AU;FA;CCSDWP;;;WD)")
    who, dn = corp.token("alice"), corp.dn("OU=watched")
    child, attributes = corp.dn("OU=in,OU=watched"), [("objectClass", [b"organizationalUnit"])]
    change = replace_values("description", "x")
    for work, right in (
        (lambda directory: directory.add(who, child, attributes), rights.CREATE_CHILD),
        (lambda directory: directory.modify(who, dn, [change]), rights.WRITE_PROPERTY),
        (lambda directory: directory.delete(who, dn), rights.DELETE),
    ):
        assert events(watched.fails(work)) == [(4662, False, right)]
    assert watched.run(lambda directory: directory.modify(corp.admin, dn, [change])) == []


def test_what_did_not_come_about_is_not_told(watched: Watched) -> None:
    corp = watched.corp
    corp.add("OU=watched", "organizationalUnit")
    set_sacl(corp, "OU=watched", "(AU;SA;WP;;;WD)")
    dn = corp.dn("OU=watched")
    bad = [replace_values("description", "x"), replace_values("street", "y" * 2000)]
    assert watched.fails(lambda directory: directory.modify(corp.admin, dn, bad)) == []


def test_control_access_rights(watched: Watched) -> None:
    """Who replicates, or tries to, is told by the domain's own SACL."""
    corp = watched.corp
    get_changes = ExtendedRight.DS_REPLICATION_GET_CHANGES
    corp.add("OU=watched", "organizationalUnit")
    set_sacl(corp, "OU=watched", f"(OU;SAFA;CR;{get_changes};;WD)")
    row = corp.row("OU=watched")
    for who, success in ((corp.admin, True), (corp.token("alice"), False)):
        found = watched.run(
            lambda directory, who=who: directory.read(  # type: ignore[misc]
                "test", who, lambda ctx: rights.holds_right(ctx, row, get_changes.bytes_le)
            )
        )
        assert events(found) == [(4662, success, rights.CONTROL_ACCESS)]


def test_a_search_tells_each_object_that_asks(watched: Watched) -> None:
    corp = watched.corp
    for name in ("alice", "Administrator"):
        set_sacl(corp, f"CN={name},CN=Users", "(AU;SA;RP;;;WD)")
    request = SearchRequest(corp.dn("CN=Users"), SUBTREE, parse_text("(objectClass=user)"), options=SEALED)
    found = watched.run(lambda directory: directory.search(corp.admin, request))
    assert sorted(one.dn.partition(",")[0] for one in found) == ["CN=Administrator", "CN=alice"]
