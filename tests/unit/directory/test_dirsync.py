"""DirSync: who may, what comes, what is withheld, and how cookies carry on.

Spec: [MS-ADTS] 3.1.1.3.4.1.3, 3.1.1.3.4.1.29, [MS-DRSR] 5.115.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from addc.base.errors import DsError
from addc.base.ids import Usn
from addc.codec.blobs import UpToDateCursor
from addc.codec.dirsync_cookie import DirSyncCookie
from addc.codec.filter import parse_text
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import dirsync
from addc.directory.controls import DirSync, RequestOptions
from addc.directory.delete import delete_object
from addc.directory.rename import rename_object
from addc.directory.search import BASE, SearchRequest, search
from addc.ldap import controls as wire
from addc.ldap import messages as m
from addc.schema.wellknown import ExtendedRight
from addc.security import sddl
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import Token
from tests.kit.corp import Corp, add_values, delete_values, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import Desk

OS = dirsync.OBJECT_SECURITY
INCREMENTAL = dirsync.INCREMENTAL_VALUES
DACL = RequestOptions(confidential=True, sd_flags=4)
GET_CHANGES = ExtendedRight.DS_REPLICATION_GET_CHANGES
IN_FILTERED_SET = ExtendedRight.DS_REPLICATION_GET_CHANGES_IN_FILTERED_SET


@dataclass
class Sync:
    """One client's way through the changes: each call goes on where the last one ended."""

    corp: Corp
    who: Token
    flags: int = 0
    cookie: bytes = b""
    more: bool = False

    def ask(
        self,
        text: str = "(objectClass=*)",
        attributes: Sequence[str] = (),
        *,
        base: str = DOMAIN_DN,
        size_limit: int = 0,
        extended: bool = False,
    ) -> dict[str, dict[str, list[bytes]]]:
        """Entries by the beginning of their DN."""
        sync = DirSync(self.flags, 0, self.cookie, extended)
        options = RequestOptions(confidential=True, dirsync=sync)
        request = SearchRequest(
            base, BASE, parse_text(text), tuple(attributes), size_limit=size_limit, options=options
        )
        found = self.corp.read(lambda ctx: search(ctx, request), self.who)
        assert found.changes is not None
        self.cookie, self.more = found.changes.cookie, found.changes.more
        shown = {}
        for one in found.entries:
            name = one.dn.decode().partition(f",{DOMAIN_DN}")[0]
            assert name not in shown
            shown[name] = {label.decode(): list(values) for label, values in one.attributes}
        return shown

    def denied(self, text: str = "(objectClass=*)", attributes: Sequence[str] = (), base: str = "") -> object:
        with pytest.raises(DsError) as caught:
            self.ask(text, attributes, base=base or DOMAIN_DN)
        return caught.value.ldap_result, caught.value.code


def grant(corp: Corp, *rights: UUID) -> Token:
    """A user who may replicate so far."""
    corp.user("mirror")
    sid = corp.sid("CN=mirror,CN=Users")
    row = corp.row("")
    domain = corp.forest.domain_sid
    with corp.store.read() as tx:
        text = sddl.format(SecurityDescriptor.unpack(tx.descriptor(row.sd_id)), domain, domain)
    flags, bracket, aces = text.partition("D:")[2].partition("(")
    extra = "".join(f"(OA;;CR;{right};;{sid})" for right in rights)
    made = sddl.parse(f"D:{flags}{extra}{bracket}{aces}".partition("S:")[0], domain, domain)
    corp.modify("", replace_values("nTSecurityDescriptor", made.pack()), options=DACL)
    return corp.token("mirror")


ADMIN = "(sAMAccountName=Administrator)"


# --- who and where ---


def test_needs_the_right_to_the_changes(corp_sqlite: Corp) -> None:
    corp_sqlite.user("simple")
    refused = (LdapResult.INSUFFICIENT_ACCESS_RIGHTS, Win32.ERROR_DS_DRA_ACCESS_DENIED)
    assert Sync(corp_sqlite, corp_sqlite.token("simple")).denied() == refused
    assert Sync(corp_sqlite, grant(corp_sqlite, GET_CHANGES)).ask(ADMIN)
    assert Sync(corp_sqlite, corp_sqlite.token("simple"), OS).ask(ADMIN)


@pytest.mark.parametrize(
    ("flags", "answer"),
    [
        (0, (LdapResult.INSUFFICIENT_ACCESS_RIGHTS, Win32.ERROR_DS_DRA_ACCESS_DENIED)),
        (OS, (None, Win32.ERROR_DS_DRA_BAD_NC)),
    ],
)
def test_starts_at_the_root_of_a_naming_context(corp_sqlite: Corp, flags: int, answer: object) -> None:
    assert Sync(corp_sqlite, corp_sqlite.admin, flags).denied(base=f"CN=Users,{DOMAIN_DN}") == answer


def test_any_naming_context(corp_sqlite: Corp) -> None:
    found = Sync(corp_sqlite, corp_sqlite.admin).ask("(objectClass=site)", base=corp_sqlite.forest.config_dn)
    assert list(found) == ["CN=Default-First-Site-Name,CN=Sites,CN=Configuration"]


def test_the_scope_is_the_whole_context(corp_sqlite: Corp) -> None:
    assert len(Sync(corp_sqlite, corp_sqlite.admin).ask("(objectClass=group)", ["name"])) > 10


def test_the_filtered_set_needs_a_right_of_its_own(corp_sqlite: Corp) -> None:
    """Asked for or searched for; without being named it comes without values."""
    name = "msPKIRoamingTimeStamp"
    refused = (LdapResult.INSUFFICIENT_ACCESS_RIGHTS, Win32.ERROR_DS_DRA_ACCESS_DENIED)
    sync = Sync(corp_sqlite, grant(corp_sqlite, GET_CHANGES))
    assert sync.denied(attributes=[name]) == refused
    assert sync.denied(f"(&(objectClass=user)(!({name}=x)))") == refused
    may = Sync(corp_sqlite, grant_more(corp_sqlite))
    assert may.ask(ADMIN, ["name", name])


def grant_more(corp: Corp) -> Token:
    corp.write(lambda ctx: delete_object(ctx, corp.dn("CN=mirror,CN=Users")), corp.admin)
    return grant(corp, GET_CHANGES, IN_FILTERED_SET)


# --- what comes ---


def test_all_replicated_attributes(corp_sqlite: Corp) -> None:
    found = Sync(corp_sqlite, corp_sqlite.admin).ask(ADMIN)["CN=Administrator,CN=Users"]
    assert len(found["nTSecurityDescriptor"]) == 1
    assert {"objectGUID", "parentGUID", "instanceType", "name", "objectClass", "whenCreated"} <= set(found)
    assert {"badPwdCount", "memberOf", "cn", "uSNChanged", "distinguishedName"}.isdisjoint(found)


@pytest.mark.parametrize("asked", [["*"], ["dn"], ["1.1"]])
def test_lists_without_a_name_stand_for_all(corp_sqlite: Corp, asked: list[str]) -> None:
    everything = Sync(corp_sqlite, corp_sqlite.admin).ask(ADMIN)
    assert Sync(corp_sqlite, corp_sqlite.admin).ask(ADMIN, asked) == everything


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (["instanceType"], {"objectGUID", "instanceType"}),
        (["name"], {"objectGUID", "instanceType", "parentGUID", "name"}),
        (["*", "name"], {"objectGUID", "instanceType", "parentGUID", "name"}),
        (["sAMAccountName"], {"objectGUID", "instanceType", "sAMAccountName"}),
        (["cn"], None),
        (["parentGUID"], None),
        (["objectGUID"], None),
        (["badPwdCount"], None),
    ],
)
def test_only_what_was_asked_for(corp_sqlite: Corp, asked: list[str], shown: set[str] | None) -> None:
    found = Sync(corp_sqlite, corp_sqlite.admin).ask(ADMIN, asked)
    assert [set(one) for one in found.values()] == ([] if shown is None else [shown])


def test_the_root_has_no_parent(corp_sqlite: Corp) -> None:
    found = Sync(corp_sqlite, corp_sqlite.admin).ask(f"(distinguishedName={DOMAIN_DN})", ["name"])
    assert set(found[DOMAIN_DN]) == {"objectGUID", "instanceType", "name"}


def test_naming_contexts_below_come_as_references(corp_sqlite: Corp) -> None:
    sync = Sync(corp_sqlite, corp_sqlite.admin)
    found = sync.ask("(objectClass=configuration)", ["name"])["CN=Configuration"]
    assert found["parentGUID"] == [corp_sqlite.row("").guid]
    assert sync.ask("(objectClass=configuration)", ["objectGUID"]) == {}
    first = Sync(corp_sqlite, corp_sqlite.admin).ask("(objectClass=domainDNS)", ["objectGUID"])
    assert set(first) == {"DC=DomainDnsZones", "DC=ForestDnsZones"}


# --- going on ---


def test_changes_since_the_cookie(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    sync = Sync(corp, corp.admin)
    units = "(&(objectClass=organizationalUnit)(!(isDeleted=*)))"
    sync.ask(units)
    assert sync.ask(units) == {}
    corp.add("OU=new", "organizationalUnit", description="x")
    before = sync.cookie
    assert {"name", "parentGUID", "description"} <= set(sync.ask(units)["OU=new"])
    corp.modify("OU=new", replace_values("description", "y"))
    assert sync.ask(units)["OU=new"] == {
        "objectGUID": [corp.row("OU=new").guid],
        "instanceType": [b"4"],
        "description": [b"y"],
    }
    corp.modify("OU=new", delete_values("description"))
    assert sync.ask(units)["OU=new"]["description"] == []
    corp.write(lambda ctx: rename_object(ctx, corp.dn("OU=new"), "OU=newer"), corp.admin)
    assert set(sync.ask(units)["OU=newer"]) == {"objectGUID", "instanceType", "parentGUID", "name"}
    sync.cookie = before
    assert "name" in sync.ask(units)["OU=newer"]


def test_only_objects_whose_asked_attributes_changed(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.add("OU=new", "organizationalUnit")
    sync = Sync(corp, corp.admin)
    sync.ask("(ou=new)")
    corp.modify("OU=new", replace_values("description", "y"))
    assert Sync(corp, corp.admin, cookie=sync.cookie).ask("(ou=new)", ["street", "name"]) == {}
    assert set(Sync(corp, corp.admin, cookie=sync.cookie).ask("(ou=new)", ["description"])) == {"OU=new"}


def test_dirsync_ex_returns_unchanged_attributes(corp_sqlite: Corp) -> None:
    """ ";dirSyncAlwaysReturn", of objects that changed and only with the extended control."""
    corp = corp_sqlite
    corp.add("OU=new", "organizationalUnit", street="s")
    sync = Sync(corp, corp.admin)
    sync.ask("(ou=new)")
    asked = ["description", "street;dirSyncAlwaysReturn"]
    assert Sync(corp, corp.admin, cookie=sync.cookie).ask("(ou=new)", asked, extended=True) == {}
    corp.modify("OU=new", replace_values("description", "y"))
    plain = Sync(corp, corp.admin, cookie=sync.cookie).ask("(ou=new)", asked)
    assert "street" not in plain["OU=new"]
    found = Sync(corp, corp.admin, cookie=sync.cookie).ask("(ou=new)", asked, extended=True)
    assert (found["OU=new"]["street"], found["OU=new"]["description"]) == ([b"s"], [b"y"])


def test_deleted_objects_are_told(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.add("OU=gone", "organizationalUnit")
    guid = corp.row("OU=gone").guid
    sync = Sync(corp, corp.admin)
    sync.ask("(ou=gone)")
    corp.write(lambda ctx: delete_object(ctx, corp.dn("OU=gone")), corp.admin)
    (found,) = sync.ask("(objectClass=organizationalUnit)").values()
    assert (found["objectGUID"], found["isDeleted"]) == ([guid], [b"TRUE"])
    assert found["name"][0].startswith(b"gone\nDEL:")


def test_large_answers_come_in_parts(corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each object once, and one that changes meanwhile again, whole where it had not been sent."""
    corp = corp_sqlite
    monkeypatch.setattr(dirsync, "OBJECTS_MIN", 5)
    monkeypatch.setattr(dirsync, "_BATCH", 3)
    for number in range(12):
        corp.add(f"OU=o{number}", "organizationalUnit", street="s")
    sync = Sync(corp, corp.admin)
    first = sync.ask("(ou=o*)", ["street", "description"], size_limit=5)
    assert sync.more and list(first) == [f"OU=o{number}" for number in range(5)]
    corp.modify("OU=o1", replace_values("description", "y"))
    corp.modify("OU=o9", replace_values("description", "y"))
    rest: dict[str, dict[str, list[bytes]]] = {}
    while sync.more:
        rest |= sync.ask("(ou=o*)", ["street", "description"], size_limit=5)
    assert sorted(rest) == sorted(f"OU=o{number}" for number in (*range(5, 12), 1))
    assert rest["OU=o9"]["street"] == [b"s"]
    assert sync.ask("(ou=o*)") == {}


def test_a_long_search_for_little_is_cut(corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dirsync, "SCANNED_MAX", 50)
    sync = Sync(corp_sqlite, corp_sqlite.admin)
    found, answers = sync.ask("(objectClass=builtinDomain)", ["name"]), 1
    while sync.more:
        found |= sync.ask("(objectClass=builtinDomain)", ["name"])
        answers += 1
    assert answers > 3 and list(found) == ["CN=Builtin"]


def test_ancestors_first(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.add("OU=a", "organizationalUnit")
    corp.add("OU=b,OU=a", "organizationalUnit")
    corp.add("OU=c,OU=b,OU=a", "organizationalUnit")
    corp.modify("OU=b,OU=a", replace_values("description", "y"))
    corp.modify("OU=a", replace_values("description", "y"))
    units = "(|(ou=a)(ou=b)(ou=c))"
    assert list(Sync(corp, corp.admin).ask(units)) == ["OU=c,OU=b,OU=a", "OU=b,OU=a", "OU=a"]
    first = Sync(corp, corp.admin, dirsync.ANCESTORS_FIRST_ORDER).ask(units)
    assert list(first) == ["OU=a", "OU=b,OU=a", "OU=c,OU=b,OU=a"]


# --- cookies ---


def test_a_cookie_of_another_dc_tells_by_its_cursors(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    sync = Sync(corp, corp.admin)
    sync.ask()
    cookie = replace(DirSyncCookie.unpack(sync.cookie), invocation_id=bytes(16))
    corp.modify("CN=Guest,CN=Users", replace_values("description", "y"))
    sync.cookie = cookie.pack()
    assert list(sync.ask()) == ["CN=Guest,CN=Users"]
    sync.cookie = replace(cookie, cursors=(UpToDateCursor(bytes(16), Usn(9)),)).pack()
    assert len(sync.ask()) > 100


@pytest.mark.parametrize("bad", [b"x", b"MSDS" + bytes(64), bytes(68)])
def test_what_is_no_cookie(corp_sqlite: Corp, bad: bytes) -> None:
    sync = Sync(corp_sqlite, corp_sqlite.admin, cookie=bad)
    assert sync.denied() == (LdapResult.PROTOCOL_ERROR, Win32.ERROR_INVALID_PARAMETER)


def test_a_cookie_from_the_future_waits(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    sync = Sync(corp, corp.admin)
    sync.ask()
    far = Usn(2**64 - 1)
    cookie = DirSyncCookie.unpack(sync.cookie)
    sync.cookie = replace(cookie, usn_high_obj_update=far, usn_high_prop_update=far).pack()
    assert sync.ask() == {}


# --- links ---


def test_a_changed_link_brings_all_values(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.group("crew")
    corp.user("u1")
    corp.user("u2")
    u1, u2 = corp.dn("CN=u1,CN=Users"), corp.dn("CN=u2,CN=Users")
    corp.modify("CN=crew,CN=Users", add_values("member", u1))
    sync = Sync(corp, corp.admin)
    crew = "CN=crew,CN=Users"
    assert sync.ask("(cn=crew)")[crew]["member"] == [u1.encode()]
    assert sync.ask("(cn=crew)") == {}
    corp.modify(crew, add_values("member", u2))
    assert set(sync.ask("(cn=crew)")[crew]["member"]) == {u1.encode(), u2.encode()}
    corp.modify(crew, delete_values("member", u1, u2))
    assert sync.ask("(cn=crew)", ["member;range=1-1"])[crew]["member"] == []


def test_incremental_values(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.group("crew")
    names = [corp.dn(f"CN=u{number},CN=Users") for number in range(3)]
    for number in range(3):
        corp.user(f"u{number}")
    crew = "CN=crew,CN=Users"
    corp.modify(crew, add_values("member", names[0]))
    sync = Sync(corp, corp.admin, INCREMENTAL)
    assert sync.ask("(cn=crew)")[crew]["member;range=1-1"] == [names[0].encode()]
    corp.modify(crew, add_values("member", names[1], names[2]))
    found = sync.ask("(cn=crew)")[crew]
    assert set(found) == {"objectGUID", "instanceType", "member;range=1-1"}
    assert len(found["member;range=1-1"]) == 2
    corp.modify(crew, delete_values("member", names[1]), add_values("description", "y"))
    found = sync.ask("(cn=crew)")[crew]
    assert (found["member;range=0-0"], found["description"]) == ([names[1].encode()], [b"y"])
    assert "member;range=1-1" not in found


# --- what is withheld ---


def test_secrets_come_without_values(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.user("secretive", "Passw0rd.1!")
    for who, flags in ((corp.admin, 0), (grant(corp, GET_CHANGES), 0), (corp.admin, OS)):
        asked = ["unicodePwd", "supplementalCredentials", "sAMAccountName"]
        (found,) = Sync(corp, who, flags).ask("(sAMAccountName=secretive)", asked).values()
        assert found["unicodePwd"] == found["supplementalCredentials"] == []
        (found,) = Sync(corp, who, flags).ask("(sAMAccountName=secretive)").values()
        assert found["unicodePwd"] == []
    assert Sync(corp, corp.admin).ask("(unicodePwd=*)") == {}


def test_confidential_attributes(corp_sqlite: Corp) -> None:
    """Who replicates has them; who only reads may know that they are there, and no more."""
    corp = corp_sqlite
    corp.user("vault", unixUserPassword=b"hidden", msPKIRoamingTimeStamp=b"0123456789abcdef")
    corp.user("simple")
    text, asked = "(sAMAccountName=vault)", ["unixUserPassword", "sAMAccountName"]
    mirror = grant(corp, GET_CHANGES)
    (found,) = Sync(corp, mirror).ask(text, asked).values()
    assert found["unixUserPassword"] == [b"hidden"]
    (found,) = Sync(corp, mirror).ask(text).values()
    assert (found["unixUserPassword"], found["msPKIRoamingTimeStamp"]) == ([b"hidden"], [])
    for who in (mirror, corp.token("simple")):
        (found,) = Sync(corp, who, OS).ask(text, asked).values()
        assert found.get("unixUserPassword", []) == []
        assert Sync(corp, who, OS).ask("(unixUserPassword=hidden)") == {}
    (found,) = Sync(corp, corp.admin, OS).ask(text, asked).values()
    assert found["unixUserPassword"] == [b"hidden"]


def test_object_security_shows_what_the_requester_may_read(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.user("simple")
    corp.add("OU=dark", "organizationalUnit", street="s", description="d")
    domain = corp.forest.domain_sid
    street = corp.schema.attribute("street")
    assert street is not None
    guid = UUID(bytes_le=street.schema_id_guid_wire)
    sd = sddl.parse(f"D:P(OD;;RP;{guid};;AU)(A;;GA;;;DA)(A;;GR;;;AU)", domain, domain)
    corp.modify("OU=dark", replace_values("nTSecurityDescriptor", sd.pack()), options=DACL)
    sync = Sync(corp, corp.token("simple"), OS)
    found = sync.ask("(ou=dark)")["OU=dark"]
    assert found["description"] == [b"d"]
    assert "street" not in found
    assert found["nTSecurityDescriptor"] == []
    assert Sync(corp, corp.token("simple"), OS).ask("(street=s)") == {}
    assert Sync(corp, corp.token("simple"), OS).ask("(ou=dark)", ["street"]) == {}


def test_object_security_hides_what_cannot_be_seen(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.user("simple")
    corp.add("OU=dark", "organizationalUnit")
    corp.add("OU=hidden,OU=dark", "organizationalUnit")
    domain = corp.forest.domain_sid
    sd = sddl.parse("D:P(A;CI;GA;;;DA)(A;;RP;;;AU)", domain, domain)
    corp.modify("OU=dark", replace_values("nTSecurityDescriptor", sd.pack()), options=DACL)
    assert list(Sync(corp, corp.token("simple"), OS).ask("(objectClass=organizationalUnit)")) == [
        "OU=Domain Controllers",
        "OU=dark",
    ]


def test_object_security_tells_only_the_end_of_deleted_objects(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.user("simple")
    corp.add("OU=gone", "organizationalUnit", description="d")
    guid = corp.row("OU=gone").guid
    sync = Sync(corp, corp.token("simple"), OS)
    sync.ask("(ou=gone)")
    corp.write(lambda ctx: delete_object(ctx, corp.dn("OU=gone")), corp.admin)
    found = sync.ask("(objectClass=organizationalUnit)")
    assert found == {"": {"objectGUID": [guid], "isDeleted": [b"TRUE"]}}


# --- over LDAP ---


def test_the_control_and_its_answer(desk: Desk) -> None:
    client = desk.connect(tls=True)
    client.bind()
    value = wire.DirSyncValue(0, 1).pack()
    everything = ("(sAMAccountName=Administrator)", wire.LDAP_SERVER_DIRSYNC_OID)
    answer = client.send(_search(everything[0]), controls=(m.Control(everything[1], True, value),))
    assert [type(one.protocol_op) for one in answer] == [m.SearchResultEntry, m.SearchResultDone]
    (back,) = answer[-1].controls
    assert back.control_type == wire.LDAP_SERVER_DIRSYNC_OID
    told = wire.DirSyncValue.unpack(back.control_value or b"")
    assert told.flags == 0 and DirSyncCookie.unpack(told.cookie).cursors
    again = wire.DirSyncValue(0, 0, told.cookie).pack()
    for oid in (wire.LDAP_SERVER_DIRSYNC_OID, wire.LDAP_SERVER_DIRSYNC_EX_OID):
        answer = client.send(_search(everything[0]), controls=(m.Control(oid, True, again),))
        assert [type(one.protocol_op) for one in answer] == [m.SearchResultDone]


def _search(text: str) -> m.SearchRequest:
    return m.SearchRequest(DOMAIN_DN, BASE, 0, 0, 0, False, parse_text(text), ())


def test_is_listed_by_the_root_dse(desk: Desk) -> None:
    client = desk.connect(tls=True)
    asked = m.SearchRequest("", BASE, 0, 0, 0, False, parse_text("(objectClass=*)"), ("supportedControl",))
    entry = client.send(asked)[0].protocol_op
    assert isinstance(entry, m.SearchResultEntry)
    listed = entry.attributes[0].vals
    for oid in (wire.LDAP_SERVER_DIRSYNC_OID, wire.LDAP_SERVER_DIRSYNC_EX_OID):
        assert oid.encode() in listed


def test_anonymous_clients_get_nothing(desk: Desk) -> None:
    client = desk.connect(tls=True)
    control = m.Control(wire.LDAP_SERVER_DIRSYNC_OID, True, wire.DirSyncValue(OS, 1).pack())
    assert client.ask(_search("(objectClass=*)"), control).result_code == LdapResult.OPERATIONS_ERROR
