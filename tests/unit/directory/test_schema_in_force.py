"""A changed schema at work: indexes, links, ANR, confidential attributes, replicas of the cache.

[MS-ADTS] 3.1.1.3.3.13, 3.1.1.2.1 (schemaInfo), 3.1.1.3.1.1.1 (subschema), 2.2.9 (searchFlags).
"""

import asyncio
from collections.abc import Iterator
from typing import cast

import pytest

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DsError
from addc.base.ids import AttId
from addc.codes.ldap_result import LdapResult
from addc.directory import names, schema_cache
from addc.directory.add import add_object
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext, WriteContext
from addc.directory.jobs import run_jobs
from addc.directory.modify import Change, modify_object
from addc.provision.forest import secret_attributes
from addc.schema.loader import load_base
from addc.schema.snapshot import Attribute
from addc.security.token import SYSTEM
from addc.store.engine import Store
from addc.store.postgres import PostgresBackend
from addc.store.sqlite import SqliteBackend
from tests.kit.corp import Corp
from tests.kit.corp_forest import DOMAIN_DN, CountingRng, StandingClock
from tests.kit.databases import KEY
from tests.kit.ldap_desk import Desk, open_desk
from tests.kit.schema_desk import OID_BASE, SCHEMA_DN, SchemaDesk, succeeded

ADD, DELETE, REPLACE = 0, 1, 2
USER = f"CN=alice,CN=Users,{DOMAIN_DN}"


@pytest.fixture
def schema(desk: Desk) -> SchemaDesk:
    desk.corp.user("alice", "Al1ce.Passw0rd")
    return SchemaDesk.open(desk)


def extend_user(schema: SchemaDesk, cn: str, number: int, **values: str) -> None:
    """An attribute that users may have."""
    succeeded(schema.attribute(cn, number, **values))
    schema.update_now()
    succeeded(schema.modify(schema.dn("User"), (ADD, "mayContain", f"{OID_BASE}.1.{number}")))
    schema.update_now()


def found(directory: Directory, name: str) -> Attribute:
    directory.read_now("test", SYSTEM, lambda ctx: None)
    attribute = directory.schema.attribute(name)
    assert attribute is not None
    return attribute


# --- what an attribute's flags do --------------------------------------------------------------------------


def test_an_attribute_that_becomes_indexed_is_searched_by_index_once_it_is_built(
    schema: SchemaDesk, desk: Desk
) -> None:
    """[MS-ADTS] 2.2.9 (fATTINDEX)"""
    extend_user(schema, "test-A", 1)
    succeeded(schema.modify(USER, (REPLACE, "testA", "Blue")))
    assert not found(desk.directory, "testA").is_indexed
    succeeded(schema.modify(schema.dn("test-A"), (REPLACE, "searchFlags", "1")))
    schema.update_now()
    building = found(desk.directory, "testA")
    assert building.is_indexed and not building.index_ready
    assert len(schema.search(DOMAIN_DN, "(testA=blue)")) == 1
    run_jobs(desk.directory)
    ready = found(desk.directory, "testA")
    assert ready.index_ready and keys(desk.directory, ready.att_id) == 1
    assert len(schema.search(DOMAIN_DN, "(testA=blue)")) == 1
    succeeded(schema.modify(USER, (REPLACE, "testA", "Red")))
    assert len(schema.search(DOMAIN_DN, "(testA=red)")) == 1
    assert schema.search(DOMAIN_DN, "(testA=blue)") == []


def keys(directory: Directory, att: AttId) -> int:
    return directory.read_now("test", SYSTEM, lambda ctx: len(ctx.tx.index_scan(att, b"", None)))


def test_what_is_written_while_an_index_is_built_is_in_it(schema: SchemaDesk, desk: Desk) -> None:
    extend_user(schema, "test-A", 1)
    succeeded(schema.modify(schema.dn("test-A"), (REPLACE, "searchFlags", "1")))
    schema.update_now()
    succeeded(schema.modify(USER, (REPLACE, "testA", "Blue")))
    att = found(desk.directory, "testA").att_id
    assert keys(desk.directory, att) == 1
    run_jobs(desk.directory)
    assert keys(desk.directory, att) == 1


def test_an_index_that_is_wanted_no_more_is_dropped(schema: SchemaDesk, desk: Desk) -> None:
    extend_user(schema, "test-A", 1, searchFlags="1")
    assert found(desk.directory, "testA").index_ready  # of a new attribute: nothing has a value yet
    succeeded(schema.modify(USER, (REPLACE, "testA", "Blue")))
    att = found(desk.directory, "testA").att_id
    assert keys(desk.directory, att) == 1
    succeeded(schema.modify(schema.dn("test-A"), (REPLACE, "searchFlags", "0")))
    schema.update_now()
    assert not found(desk.directory, "testA").is_indexed
    assert len(schema.search(DOMAIN_DN, "(testA=blue)")) == 1
    run_jobs(desk.directory)
    assert keys(desk.directory, att) == 0


def test_the_dc_keeps_the_indexes_it_needs_itself(schema: SchemaDesk, desk: Desk) -> None:
    """sAMAccountName loses fATTINDEX, not its index."""
    succeeded(schema.modify(schema.dn("SAM-Account-Name"), (REPLACE, "searchFlags", "8")))
    schema.update_now()
    run_jobs(desk.directory)
    assert found(desk.directory, "sAMAccountName").index_ready
    assert len(schema.search(DOMAIN_DN, "(sAMAccountName=alice)")) == 1


def test_administrators_may_keep_index_creation_to_themselves(schema: SchemaDesk, desk: Desk) -> None:
    """[MS-ADTS] 3.1.1.3.3.32"""
    service = f"CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,{DOMAIN_DN}"
    succeeded(schema.modify(service, (REPLACE, "dSHeuristics", "0000000001000000002")))
    extend_user(schema, "test-A", 1)
    succeeded(schema.modify(USER, (REPLACE, "testA", "Blue")))
    succeeded(schema.modify(schema.dn("test-A"), (REPLACE, "searchFlags", "1")))
    schema.update_now()
    run_jobs(desk.directory)
    assert not found(desk.directory, "testA").index_ready
    succeeded(schema.modify("", (ADD, "schemaUpdateIndicesNow", "1")))
    assert found(desk.directory, "testA").index_ready
    assert len(schema.search(DOMAIN_DN, "(testA=blue)")) == 1


def test_an_attribute_becomes_part_of_anr(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.3.1.3.4"""
    extend_user(schema, "test-A", 1)
    succeeded(schema.modify(USER, (REPLACE, "testA", "Wonderland")))
    assert schema.search(DOMAIN_DN, "(anr=wonder)") == []
    succeeded(schema.modify(schema.dn("test-A"), (REPLACE, "searchFlags", "5")))
    schema.update_now()
    assert len(schema.search(DOMAIN_DN, "(anr=wonder)")) == 1


def test_a_new_pair_of_links_links_both_ways(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.3.1"""
    dn_syntax = {"attributeSyntax": "2.5.5.1", "oMSyntax": "127", "isSingleValued": "FALSE"}
    succeeded(schema.attribute("test-Friend", 1, linkID="1.2.840.113556.1.2.50", **dn_syntax))
    succeeded(schema.attribute("test-Friend-Of", 2, linkID="testFriend", **dn_syntax))
    succeeded(schema.modify(schema.dn("User"), (ADD, "mayContain", "testFriend")))
    succeeded(schema.modify(schema.dn("Top"), (ADD, "mayContain", "testFriendOf")))
    schema.update_now()
    guest = f"CN=Guest,CN=Users,{DOMAIN_DN}"
    succeeded(schema.modify(USER, (ADD, "testFriend", guest)))
    assert schema.read(USER, "testFriend")["testFriend"] == [guest.encode()]
    assert schema.read(guest, "testFriendOf")["testFriendOf"] == [USER.encode()]
    assert len(schema.search(DOMAIN_DN, f"(testFriendOf={USER})")) == 1
    succeeded(schema.delete(USER))
    assert "testFriendOf" not in schema.read(guest, "testFriendOf")


def test_a_confidential_attribute_is_read_by_who_controls_it(schema: SchemaDesk, desk: Desk) -> None:
    """[MS-ADTS] 2.2.9 (fCONFIDENTIAL): as ms-Mcs-AdmPwd, the local administrator's password"""
    succeeded(
        schema.attribute(
            "ms-Mcs-AdmPwd",
            1,
            attributeSyntax="2.5.5.5",
            oMSyntax="19",
            searchFlags="904",
            lDAPDisplayName="ms-Mcs-AdmPwd",
        )
    )
    succeeded(schema.modify(schema.dn("Computer"), (ADD, "mayContain", f"{OID_BASE}.1.1")))
    schema.update_now()
    computer = f"CN=pc1,CN=Computers,{DOMAIN_DN}"
    succeeded(schema.add(computer, "computer", sAMAccountName="PC1$", ms_Mcs_AdmPwd="s3cret"))
    assert schema.read(computer, "ms-Mcs-AdmPwd")["ms-Mcs-AdmPwd"] == [b"s3cret"]
    client = desk.connect(tls=True)
    assert client.bind("alice@corp.example.com", "Al1ce.Passw0rd").result_code == LdapResult.SUCCESS
    alice = SchemaDesk(client)
    assert "ms-Mcs-AdmPwd" not in alice.read(computer, "ms-Mcs-AdmPwd")
    assert alice.search(DOMAIN_DN, "(ms-Mcs-AdmPwd=s3cret)") == []


def test_the_global_catalog_shows_what_joins_the_partial_set(schema: SchemaDesk, desk: Desk) -> None:
    """[MS-ADTS] 3.1.1.2.3 (isMemberOfPartialAttributeSet)"""
    extend_user(schema, "test-A", 1)
    succeeded(schema.modify(USER, (REPLACE, "testA", "Blue")))
    client = desk.connect(tls=True, gc_port=True)
    assert client.bind().result_code == LdapResult.SUCCESS
    catalog = SchemaDesk(client)
    assert "testA" not in catalog.read(USER, "testA")
    succeeded(schema.modify(schema.dn("test-A"), (REPLACE, "isMemberOfPartialAttributeSet", "TRUE")))
    schema.update_now()
    assert catalog.read(USER, "testA")["testA"] == [b"Blue"]


# --- what tells of a change --------------------------------------------------------------------------------


def test_schema_info_counts_additions_and_changes(schema: SchemaDesk, desk: Desk) -> None:
    """[MS-ADTS] 3.1.1.2.1"""
    assert "schemaInfo" not in schema.read(SCHEMA_DN, "schemaInfo")
    own = desk.directory.forest.invocation_id.bytes_le
    succeeded(schema.attribute("test-A", 1))
    assert schema.read(SCHEMA_DN, "schemaInfo")["schemaInfo"] == [b"\xff\x00\x00\x00\x01" + own]
    succeeded(schema.modify(schema.dn("test-A"), (REPLACE, "rangeUpper", "9")))
    succeeded(schema.rename(schema.dn("test-A"), "CN=test-B"))
    assert schema.read(SCHEMA_DN, "schemaInfo")["schemaInfo"] == [b"\xff\x00\x00\x00\x02" + own]


def test_the_subschema_follows_and_says_when(schema: SchemaDesk, desk: Desk) -> None:
    """[MS-ADTS] 3.1.1.3.1.1.1"""
    aggregate = f"CN=Aggregate,{SCHEMA_DN}"
    names = (
        "attributeTypes",
        "objectClasses",
        "dITContentRules",
        "extendedAttributeInfo",
        "extendedClassInfo",
    )
    before = schema.read(aggregate, *names, "modifyTimeStamp")
    desk.clock.when = type(desk.clock.when)(desk.clock.when + 60 * TICKS_PER_S)
    succeeded(schema.attribute("test-A", 1))
    succeeded(schema.class_("test-Aux", 2, objectClassCategory="3", mayContain="testA"))
    succeeded(schema.class_("test-C", 1, auxiliaryClass="testAux"))
    assert schema.read(aggregate, *names, "modifyTimeStamp") == before
    schema.update_now()
    after = schema.read(aggregate, *names, "modifyTimeStamp")
    assert after["modifyTimeStamp"] > before["modifyTimeStamp"]
    for name, said in (
        ("attributeTypes", b"NAME 'testA'"), ("objectClasses", b"NAME 'testC'"),
        ("dITContentRules", b"AUX testAux"), ("extendedAttributeInfo", b"NAME 'testA'"),
        ("extendedClassInfo", b"NAME 'testC'"),
    ):  # fmt: skip
        assert any(said in line for line in after[name]), name


def test_changes_are_in_force_five_minutes_later_by_themselves(schema: SchemaDesk, desk: Desk) -> None:
    """As Windows does it. [MS-ADTS] 3.1.1.2.5"""
    succeeded(schema.attribute("test-A", 1))
    later = StandingClock(type(desk.clock.when)(desk.clock.when + 299 * TICKS_PER_S))
    directory = Directory(desk.corp.store, load_base(), Services(later, CountingRng(b"later")))
    run_jobs(directory)
    assert directory.schema.attribute("testA") is None
    later.when = type(later.when)(later.when + 2 * TICKS_PER_S)
    run_jobs(directory)
    assert found(directory, "testA").name == "testA"
    assert directory.read_now("test", SYSTEM, lambda ctx: ctx.tx.next_due(schema_cache.DUE_KIND)) is None


# --- several processes -------------------------------------------------------------------------------------


@pytest.fixture
def both(corp: Corp) -> Iterator[tuple[SchemaDesk, Directory]]:
    """An administrator at one process, and another process on the same database; on each back end."""
    with asyncio.Runner() as runner:
        desk = open_desk(corp, runner)
        url = cast("PostgresBackend | SqliteBackend", corp.store._backend).url.render_as_string(False)
        other = Store.open(url, KEY, secret_attributes(load_base()))
        directory = Directory(other, load_base(), Services(StandingClock(corp.now), CountingRng(b"other")))
        yield SchemaDesk.open(desk), directory
        directory.close()


def test_another_process_follows_at_once(both: tuple[SchemaDesk, Directory]) -> None:
    """Its next transaction works with the schema of the snapshot that it sees."""
    schema, other = both
    succeeded(schema.attribute("test-Colour", 1))
    succeeded(schema.class_("test-Thing", 1, mayContain="testColour"))
    thing = f"CN=thing,CN=Users,{DOMAIN_DN}"
    attributes = [("objectClass", [b"testThing"]), ("testColour", [b"blue"])]
    with pytest.raises(DsError):
        other.write_now("test", SYSTEM, lambda ctx: add_object(ctx, thing, attributes))
    schema.update_now()
    other.write_now("test", SYSTEM, lambda ctx: add_object(ctx, thing, attributes))
    assert schema.read(thing, "testColour")["testColour"] == [b"blue"]
    here = schema.client.desk.directory.schema
    assert [(one.name, one.att_id) for one in here.attributes] == [
        (one.name, one.att_id) for one in other.schema.attributes
    ]
    assert [(one.name, one.class_id) for one in here.classes] == [
        (one.name, one.class_id) for one in other.schema.classes
    ]
    assert here.prefixes == other.schema.prefixes


def test_a_transaction_under_way_keeps_its_schema(both: tuple[SchemaDesk, Directory]) -> None:
    schema, other = both
    succeeded(schema.attribute("test-Colour", 1))

    def work(ctx: ReadContext) -> tuple[bool, bool]:
        before = ctx.schema.attribute("testColour") is None
        schema.update_now()
        return before, ctx.schema.attribute("testColour") is None

    assert other.read_now("test", SYSTEM, work) == (True, True)
    assert found(other, "testColour").name == "testColour"


def test_a_process_that_starts_later_begins_with_the_schema_in_force(
    both: tuple[SchemaDesk, Directory],
) -> None:
    """Pending changes wait for their time there too."""
    schema, other = both
    succeeded(schema.attribute("test-One", 1))
    schema.update_now()
    succeeded(schema.attribute("test-Two", 2))
    late = Directory(
        schema.client.desk.corp.store, load_base(), Services(StandingClock(), CountingRng(b"late"))
    )
    assert late.schema.attribute("testOne") is not None
    assert late.schema.attribute("testTwo") is None
    del other


def test_what_a_lost_transaction_put_in_force_never_was(desk: Desk) -> None:
    """Neither the schema nor what the process knows of the schema NC."""
    schema = SchemaDesk.open(desk)
    succeeded(schema.attribute("test-One", 1))

    def work(ctx: WriteContext) -> None:
        row = names.resolve(ctx, schema.dn("test-One"))
        modify_object(ctx, names.dn_of_row(ctx, row), [Change(REPLACE, "lDAPDisplayName", [b"testLost"])])
        schema_cache.renew(ctx)
        assert ctx.schema.attribute("testLost") is not None
        raise ValueError("lost")

    with pytest.raises(ValueError, match="lost"):
        desk.directory.write_now("test", SYSTEM, work)
    schema.update_now()
    assert found(desk.directory, "testOne").name == "testOne"
    succeeded(schema.attribute("test-Two", 2, lDAPDisplayName="testLost"))
