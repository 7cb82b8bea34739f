"""DnsServer's records: told with their kind, changed one at a time ([MS-DNSP] 3.1.4.4, 3.1.4.5)."""

from functools import partial

import pytest

from addc.codec.dns_rdata import (
    RANK_NS_GLUE,
    AaaaData,
    AData,
    DnsType,
    MxData,
    NameData,
    RecordData,
    SoaData,
    SrvData,
    TxtData,
)
from addc.codes.win32 import Win32
from addc.rpc.interfaces.dnsserver import enum_records, operations
from addc.rpc.interfaces.dnsserver.enum_records import (
    NO_CHILDREN,
    ONLY_CHILDREN,
    VIEW_ADDITIONAL,
    VIEW_AUTHORITY,
    VIEW_GLUE,
    VIEW_ROOT_HINTS,
)
from addc.rpc.interfaces.dnsserver.idl import RpcRecord
from addc.rpc.interfaces.dnsserver.record_data import WIRE_FORMAT
from tests.kit.dns_console import OK, DnsConsole, address, nodes_of, sent
from tests.kit.rpc_desk import RpcDesk

ZONE = "zone.test"
HERE = AData(bytes((192, 0, 2, 1)))


@pytest.fixture
def admin(rpc_desk: RpcDesk) -> DnsConsole:
    manager = DnsConsole(rpc_desk, rpc_desk.corp.admin)
    assert manager.create(ZONE) == OK
    return manager


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (DnsType.A, HERE),
        (DnsType.AAAA, AaaaData(bytes(range(16)))),
        (DnsType.CNAME, NameData("elsewhere.test")),
        (DnsType.PTR, NameData("host.zone.test")),
        (DnsType.MX, MxData(10, "mail.zone.test")),
        (DnsType.SRV, SrvData(1, 2, 389, "dc1.zone.test")),
        (DnsType.TXT, TxtData((b"v=spf1 -all", b"", b"\xff"))),
        (DnsType.NS, NameData("ns.elsewhere.test")),
        (DnsType.HINFO, TxtData((b"PC", b"Linux"))),
    ],
)
def test_each_type_comes_back_as_it_was_sent(admin: DnsConsole, kind: DnsType, data: RecordData) -> None:
    """[MS-DNSP] 2.2.2.2.4."""
    assert admin.update(ZONE, "one", sent(kind, data, ttl_s=900)) == OK
    (found,) = admin.records(ZONE, "one", kind)
    assert (found.data, found.ttl_s, found.timestamp_h) == (data, 900, 0)
    assert admin.update(ZONE, "one", delete=sent(kind, data)) == OK
    assert admin.records(ZONE, "one") == []


def test_names_are_relative_absolute_or_the_zone_s_own(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.4 (pszNodeName)."""
    assert admin.update(ZONE, f"one.{ZONE}.", address("192.0.2.1")) == OK
    assert admin.update(ZONE, "a.b", address("192.0.2.1")) == OK
    for name in ("one", f"one.{ZONE}", f"ONE.{ZONE}."):
        assert [one.data for one in admin.records(ZONE, name)] == [HERE]
    for apex in ("@", ZONE, f"{ZONE}.", "."):
        assert {one.type for one in admin.records(ZONE, apex)} == {DnsType.SOA, DnsType.NS}
    assert admin.update(ZONE, "one.other.test.", address("192.0.2.1")) == Win32.DNS_ERROR_NAME_NOT_IN_ZONE


def test_what_is_there_is_not_added_and_what_is_not_is_not_deleted(admin: DnsConsole) -> None:
    assert admin.update(ZONE, "one", address("192.0.2.1")) == OK
    assert admin.update(ZONE, "one", address("192.0.2.1")) == Win32.DNS_ERROR_RECORD_ALREADY_EXISTS
    gone = address("192.0.2.9")
    assert admin.update(ZONE, "one", delete=gone) == Win32.DNS_ERROR_RECORD_DOES_NOT_EXIST
    assert admin.update(ZONE, "two", delete=gone) == Win32.DNS_ERROR_RECORD_DOES_NOT_EXIST
    assert admin.update(ZONE, "one", address("192.0.2.2"), gone) == Win32.DNS_ERROR_RECORD_DOES_NOT_EXIST


def test_one_record_takes_another_s_place(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.5: replace, by value; the time to live alone changes as well."""
    assert admin.update(ZONE, "one", address("192.0.2.1")) == OK
    assert admin.update(ZONE, "one", address("192.0.2.2"), address("192.0.2.1")) == OK
    assert admin.update(ZONE, "one", address("192.0.2.2", ttl_s=60), address("192.0.2.2")) == OK
    assert [(one.data, one.ttl_s) for one in admin.records(ZONE, "one")] == [(AData(b"\xc0\0\2\2"), 60)]
    assert admin.update(ZONE, "one", address("192.0.2.3")) == OK
    busy = admin.update(ZONE, "one", address("192.0.2.3"), address("192.0.2.2"))
    assert busy == Win32.DNS_ERROR_RECORD_ALREADY_EXISTS


def test_each_change_raises_the_serial_and_a_refusal_none(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.5, RFC 1982."""
    before = admin.serial(ZONE)
    admin.update(ZONE, "one", address("192.0.2.1"))
    assert admin.serial(ZONE) == before + 1
    admin.update(ZONE, "one", address("192.0.2.1"))
    assert admin.serial(ZONE) == before + 1


def test_an_alias_is_alone_and_takes_an_old_one_s_place(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.5 (DNS_TYPE_CNAME), RFC 1034 3.6.2."""
    alias = sent(DnsType.CNAME, NameData("elsewhere.test"))
    assert admin.update(ZONE, "one", alias) == OK
    assert admin.update(ZONE, "one", sent(DnsType.CNAME, NameData("other.test"))) == OK
    assert [one.data for one in admin.records(ZONE, "one")] == [NameData("other.test")]
    assert admin.update(ZONE, "one", address("192.0.2.1")) == Win32.DNS_ERROR_NODE_IS_CNAME
    assert admin.update(ZONE, "two", address("192.0.2.1")) == OK
    assert admin.update(ZONE, "two", alias) == Win32.DNS_ERROR_CNAME_COLLISION
    loop = sent(DnsType.CNAME, NameData(f"three.{ZONE}"))
    assert admin.update(ZONE, "three", loop) == Win32.DNS_ERROR_CNAME_LOOP


def test_the_soa_is_replaced_and_never_deleted_or_elsewhere(admin: DnsConsole) -> None:
    (held,) = admin.records(ZONE, "@", DnsType.SOA)
    assert isinstance(held.data, SoaData)
    wanted = SoaData("dc9.zone.test", "boss.zone.test", 77, 1, 2, 3, 4)
    assert admin.update(ZONE, "@", sent(DnsType.SOA, wanted), sent(DnsType.SOA, held.data)) == OK
    assert [one.data for one in admin.records(ZONE, "@", DnsType.SOA)] == [wanted]
    assert admin.update(ZONE, "@", delete=sent(DnsType.SOA, wanted)) == Win32.DNS_ERROR_SOA_DELETE_INVALID
    elsewhere = admin.update(ZONE, "one", sent(DnsType.SOA, wanted))
    assert elsewhere == Win32.DNS_ERROR_RECORD_ONLY_AT_ZONE_ROOT


def test_records_are_static_unless_the_client_wants_them_to_age(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.5: beside a static record there is none that ages."""
    assert admin.update(ZONE, "one", address("192.0.2.1", flags=operations.AGING_ON)) == OK
    assert admin.records(ZONE, "one")[0].timestamp_h > 0
    assert admin.update(ZONE, "one", address("192.0.2.2")) == OK
    assert admin.update(ZONE, "one", address("192.0.2.3", flags=operations.AGING_ON)) == OK
    stamps = {one.data.address[3]: one.timestamp_h for one in admin.records(ZONE, "one")}  # type: ignore[union-attr]
    assert stamps[2] == stamps[3] == 0 < stamps[1]


def test_the_zone_s_time_to_live_is_the_default(admin: DnsConsole) -> None:
    """DNS_RPC_FLAG_RECORD_DEFAULT_TTL."""
    assert admin.update(ZONE, "one", address("192.0.2.1", ttl_s=1, flags=operations.DEFAULT_TTL)) == OK
    assert admin.records(ZONE, "one")[0].ttl_s == 3600


def test_data_that_are_not_of_the_type_are_refused(admin: DnsConsole) -> None:
    broken = RpcRecord(DnsType.A, data=b"\1\2\3")
    assert admin.update(ZONE, "one", broken) == Win32.DNS_ERROR_RECORD_FORMAT
    long = RpcRecord(DnsType.CNAME, data=bytes((70,)) + b"a" * 70)
    assert admin.update(ZONE, "one", long) == Win32.DNS_ERROR_RECORD_FORMAT
    nameless = RpcRecord(DnsType.PTR, data=b"\0")
    assert admin.update(ZONE, "one", nameless) == Win32.DNS_ERROR_RECORD_FORMAT
    none = RpcRecord(DnsType.ALL, data=b"")
    assert admin.update(ZONE, "one", none) == Win32.DNS_ERROR_INVALID_TYPE


def test_unknown_types_come_as_in_a_message(admin: DnsConsole) -> None:
    """DNS_RPC_FLAG_RECORD_WIRE_FORMAT, RFC 3597."""
    wire = b"\0\7example\4test\0"
    record = RpcRecord(DnsType.CNAME, WIRE_FORMAT, 0, 60, data=wire[1:])
    assert admin.update(ZONE, "one", record) == OK
    assert [one.data for one in admin.records(ZONE, "one")] == [NameData("example.test")]
    odd = RpcRecord(0x1234, 0, 0, 60, data=b"anything")
    assert admin.update(ZONE, "two", odd) == OK
    assert admin.update(ZONE, "two", delete=odd) == OK


def test_a_name_without_records_can_be_made(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.5: both records null."""
    assert admin.update(ZONE, "empty") == OK
    assert admin.update(ZONE, "empty") == OK
    assert [node.name for node in admin.nodes(ZONE, "empty")] == [""]


def test_children_are_told_by_label_in_order(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.4: names right below, whose own children are counted."""
    for name in ("b", "a", "x.c", "y.c", "deep.x.c"):
        assert admin.update(ZONE, name, address("192.0.2.1")) == OK
    told = admin.nodes(ZONE)
    assert [(one.name, one.children, len(one.records)) for one in told] == [
        ("", 0, 2), ("a", 0, 1), ("b", 0, 1), ("c", 2, 0),
    ]  # fmt: skip
    assert [one.name for one in admin.nodes(ZONE, "c")] == ["", "x", "y"]
    assert [one.name for one in admin.nodes(ZONE, view=VIEW_AUTHORITY | ONLY_CHILDREN)] == ["a", "b", "c"]
    assert [one.name for one in admin.nodes(ZONE, view=VIEW_AUTHORITY | NO_CHILDREN)] == [""]
    assert admin.enumerate(ZONE, "nobody").status == Win32.DNS_ERROR_NAME_DOES_NOT_EXIST


def test_what_does_not_fit_comes_with_the_next_call(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.4 (ERROR_MORE_DATA, pszStartChild)."""
    for label in "abcdef":
        admin.update(ZONE, label, address("192.0.2.1"))
    seen: list[str] = []
    start, status = "", Win32.ERROR_MORE_DATA
    while status == Win32.ERROR_MORE_DATA:
        wanted = enum_records.Wanted(ZONE, "@", start, 0xFF, VIEW_AUTHORITY)
        work = partial(enum_records.enumerate_records, wanted=wanted, room=200)
        buffer, status = admin.desk.directory.read_now("test", admin.token, work)
        seen += [node.name for node in nodes_of(buffer)]
        start = seen[-1]
    assert seen == ["", *"abcdef"]
    assert admin.enumerate(ZONE, start="nobody").status == Win32.DNS_ERROR_NAME_DOES_NOT_EXIST


def test_delegations_and_glue_are_told_where_they_are_asked_for(admin: DnsConsole) -> None:
    """[MS-DNSP] 2.2.2.2.5 (RANK_NS_GLUE, RANK_GLUE)."""
    assert admin.update(ZONE, "sub", sent(DnsType.NS, NameData(f"ns.sub.{ZONE}"))) == OK
    assert admin.update(ZONE, "ns.sub", address("192.0.2.1")) == OK
    sub = admin.nodes(ZONE, "sub")
    assert [one.flags & 0xFF for one in sub[0].records] == [RANK_NS_GLUE]
    assert sub[1].records == []
    assert len(admin.nodes(ZONE, "sub", view=VIEW_AUTHORITY | VIEW_GLUE)[1].records) == 1


def test_additional_records_are_the_addresses_of_hosts(admin: DnsConsole) -> None:
    assert admin.update(ZONE, "@", sent(DnsType.MX, MxData(1, f"mail.{ZONE}"))) == OK
    assert admin.update(ZONE, "mail", address("192.0.2.1")) == OK
    view = VIEW_AUTHORITY | VIEW_ADDITIONAL | NO_CHILDREN
    told = admin.nodes(ZONE, "@", DnsType.MX, view)
    assert [(one.name, [record.data for record in one.records]) for one in told[1:]] == [
        (f"mail.{ZONE}.", [HERE])
    ]


def test_root_hints_are_told_and_changed(admin: DnsConsole) -> None:
    """The pseudo zone ..RootHints: [MS-DNSP] 3.1.4.5; the cache is not shown."""
    view = VIEW_ROOT_HINTS | VIEW_ADDITIONAL
    told = admin.nodes("..RootHints", ".", DnsType.NS, view | NO_CHILDREN)
    assert len(told) == 14 and len(told[0].records) == 13
    host = sent(DnsType.NS, NameData("root.test"))
    assert admin.update("..RootHints", ".", host) == OK
    assert admin.update("..RootHints", "root.test.", address("192.0.2.53")) == OK
    told = admin.nodes("..RootHints", ".", DnsType.NS, view | NO_CHILDREN)
    assert len(told) == 15 and "root.test." in [one.name for one in told]
    assert admin.update("..RootHints", ".", delete=host) == OK
    assert admin.enumerate("..Cache", ".").status == Win32.DNS_ERROR_NAME_DOES_NOT_EXIST
    assert admin.update(None, "one", address("192.0.2.1")) == Win32.DNS_ERROR_NAME_DOES_NOT_EXIST
