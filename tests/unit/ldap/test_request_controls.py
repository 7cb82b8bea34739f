"""Controls over an LDAP connection: which requests take which, what each changes. [MS-ADTS] 3.1.1.3.4.1."""

import pytest

from addc.base.ids import MessageId
from addc.codec.filter import Filter, Present, parse_text
from addc.codes.ldap_result import LdapResult
from addc.directory import rootdse
from addc.ldap import controls as wire
from addc.ldap import messages as m
from addc.ldap import operations
from addc.ldap.statistics import HIGHEST_USN, INVOCATION_ID, StatsResponseValueV3, StatsResponseValueV4
from addc.schema import attr
from tests.kit.corp import Corp
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import Desk, LdapClient

EVERYTHING = Present("objectClass")
CLERK, PASSWORD = "clerk@corp.example.com", "Str0ng-Passw0rd!"
OU = f"OU=here,{DOMAIN_DN}"
BY_NAME = m.Control(wire.LDAP_SERVER_SORT_OID, True, wire.SortKeyList((wire.SortKeyValue("sn"),)).pack())


@pytest.fixture
def corp(corp_sqlite: Corp) -> Corp:
    corp_sqlite.add("OU=here", "organizationalUnit")
    for name, sn in (("a", "1"), ("b", "2"), ("c", "2"), ("d", "2"), ("e", "3")):
        corp_sqlite.add(f"CN={name},OU=here", "contact", sn=sn)
    return corp_sqlite


@pytest.fixture
def admin(corp: Corp, desk: Desk) -> LdapClient:
    client = desk.connect(tls=True)
    assert client.bind().result_code == LdapResult.SUCCESS
    return client


def clerk(desk: Desk) -> LdapClient:
    desk.corp.user("clerk", PASSWORD)
    client = desk.connect(tls=True)
    assert client.bind(CLERK, PASSWORD).result_code == LdapResult.SUCCESS
    return client


def look(base: str = OU, scope: int = 1, wanted: Filter = EVERYTHING, size: int = 0) -> m.SearchRequest:
    return m.SearchRequest(base, scope, 0, size, 0, False, wanted, ("sn",))


def found(
    client: LdapClient, op: m.Request, *controls: m.Control
) -> tuple[LdapResult, int, dict[str, bytes]]:
    """Result, number of entries, response controls."""
    *entries, last = client.send(op, controls=controls)
    assert isinstance(last.protocol_op, m.LdapResultFields)
    back = {control.control_type: control.control_value or b"" for control in last.controls}
    return LdapResult(last.protocol_op.result_code), len(entries), back


def marker(oid: str, critical: bool = True) -> m.Control:
    return m.Control(oid, critical)


# --- criticality ---


@pytest.mark.parametrize(
    "oid",
    [
        "1.3.6.1.4.1.4203.666.5.12",  # relax rules
        "1.3.6.1.4.1.7165.4.3.2", "1.3.6.1.4.1.7165.4.3.7", "1.3.6.1.4.1.7165.4.3.8",
        "1.3.6.1.4.1.7165.4.3.12", "1.3.6.1.4.1.7165.4.3.17", "1.3.6.1.4.1.7165.4.3.23",
        "2.16.840.1.113730.3.4.18",  # proxied authorisation
        "1.3.6.1.1.13.2", "1.3.6.1.1.12",
    ],
)  # fmt: skip
def test_controls_that_would_lift_rules_are_no_controls_here(admin: LdapClient, oid: str) -> None:
    """Critical they fail the request; else nothing is different for them."""
    change = m.Change(2, m.PartialAttribute("objectGUID", (bytes(16),)))
    op = m.ModifyRequest(OU, (change,))
    refused = admin.ask(op, marker(oid))
    assert refused.result_code == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
    assert refused.diagnostic_message.startswith("00000057: LdapErr: DSID-")
    assert "comment: Error processing control, data 0, v" in refused.diagnostic_message
    assert admin.ask(op, marker(oid, critical=False)).result_code == LdapResult.CONSTRAINT_VIOLATION


@pytest.mark.parametrize(
    ("op", "oid"),
    [
        (look(), wire.LDAP_SERVER_TREE_DELETE_OID),
        (look(), wire.LDAP_SERVER_PERMISSIVE_MODIFY_OID),
        (look(), wire.LDAP_SERVER_BYPASS_QUOTA_OID),
        (m.DelRequest(OU), wire.LDAP_SERVER_NOTIFICATION_OID),
        (m.DelRequest(OU), wire.LDAP_SERVER_FORCE_UPDATE_OID),
        (m.CompareRequest(OU, m.AttributeValueAssertion("ou", b"here")), wire.LDAP_SERVER_LINK_TTL_OID),
    ],
)
def test_a_critical_control_of_another_operation_fails_the_request(
    admin: LdapClient, op: m.Request, oid: str
) -> None:
    answer = admin.ask(op, marker(oid))
    assert answer.result_code == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION


def test_what_is_listed_is_what_windows_server_2019_lists_and_is_served() -> None:
    """Response controls and the marker of ranges are in the list too."""
    listed = set(rootdse.SUPPORTED_CONTROLS)
    answers = {wire.LDAP_SERVER_RESP_SORT_OID, wire.LDAP_CONTROL_VLVRESPONSE}
    assert listed - answers == set(operations.SUPPORTED_CONTROLS)
    assert len(listed) == len(rootdse.SUPPORTED_CONTROLS)


# --- LDAP_SERVER_UPDATE_STATS_OID, 3.1.1.3.4.1.30 ---


def stats(desk: Desk, value: bytes) -> int:
    """The USN of an UpdateStatsResponseValue."""
    items = {item.oid: item.value for item in wire.OidAndOctetsList.unpack(value).items}
    assert set(items) == {HIGHEST_USN, INVOCATION_ID}
    assert items[INVOCATION_ID] == desk.directory.forest.invocation_id.bytes_le
    assert len(items[HIGHEST_USN]) == 8
    return int.from_bytes(items[HIGHEST_USN], "little")


def test_writes_tell_the_usn_that_they_drew(desk: Desk, admin: LdapClient) -> None:
    asked, oid = marker(wire.LDAP_SERVER_UPDATE_STATS_OID), wire.LDAP_SERVER_UPDATE_STATS_OID
    add = m.AddRequest(f"OU=new,{OU}", (m.PartialAttribute("objectClass", (b"organizationalUnit",)),))
    change = m.ModifyRequest(f"OU=new,{OU}", (m.Change(2, m.PartialAttribute("description", (b"x",))),))
    rename = m.ModifyDnRequest(f"OU=new,{OU}", "OU=newer", True)
    for op in (add, change, rename, m.DelRequest(f"OU=newer,{OU}")):
        result, _, back = found(admin, op, asked)
        assert (result, stats(desk, back[oid])) == (LdapResult.SUCCESS, desk.directory.usn()), op


def test_what_draws_no_usn_tells_zero(desk: Desk, admin: LdapClient) -> None:
    asked, oid = marker(wire.LDAP_SERVER_UPDATE_STATS_OID), wire.LDAP_SERVER_UPDATE_STATS_OID
    missing = m.DelRequest(f"OU=nowhere,{OU}")
    compare = m.CompareRequest(OU, m.AttributeValueAssertion("ou", b"here"))
    results = []
    for op in (look(), compare, missing):
        result, _, back = found(admin, op, asked)
        assert stats(desk, back[oid]) == 0
        results.append(result)
    assert results == [LdapResult.SUCCESS, LdapResult.COMPARE_TRUE, LdapResult.NO_SUCH_OBJECT]


# --- LDAP_SERVER_EXPECTED_ENTRY_COUNT_OID, 3.1.1.3.4.1.33 ---


@pytest.mark.parametrize(
    ("low", "high", "result"),
    [
        (5, 5, LdapResult.SUCCESS),
        (0, 9, LdapResult.SUCCESS),
        (6, 9, LdapResult.CONSTRAINT_VIOLATION),
        (0, 4, LdapResult.CONSTRAINT_VIOLATION),
    ],
)
def test_other_numbers_of_entries_than_expected_change_the_result_alone(
    admin: LdapClient, low: int, high: int, result: LdapResult
) -> None:
    value = wire.ExpectedEntryCountValue(low, high).pack()
    control = m.Control(wire.LDAP_SERVER_EXPECTED_ENTRY_COUNT_OID, True, value)
    assert found(admin, look(), control) == (result, 5, {})


def test_a_search_that_fails_otherwise_fails_as_it_would(admin: LdapClient) -> None:
    value = wire.ExpectedEntryCountValue(9, 9).pack()
    control = m.Control(wire.LDAP_SERVER_EXPECTED_ENTRY_COUNT_OID, True, value)
    assert found(admin, look(size=2), control)[:2] == (LdapResult.SIZE_LIMIT_EXCEEDED, 2)


# --- LDAP_SERVER_SEARCH_HINTS_OID, 3.1.1.3.4.1.32 ---


def hint(oid: str, value: bytes) -> m.Control:
    packed = wire.OidAndOctetsList((wire.OidAndOctets(oid, value),)).pack()
    return m.Control(wire.LDAP_SERVER_SEARCH_HINTS_OID, True, packed)


@pytest.mark.parametrize(
    ("limit", "result", "count"),
    [
        (1, LdapResult.SIZE_LIMIT_EXCEEDED, 1),
        (2, LdapResult.SIZE_LIMIT_EXCEEDED, 4),
        (4, LdapResult.SIZE_LIMIT_EXCEEDED, 4),
        (5, LdapResult.SUCCESS, 5),
        (9, LdapResult.SUCCESS, 5),
    ],
)
def test_a_soft_size_limit_lets_equal_sort_values_through(
    admin: LdapClient, limit: int, result: LdapResult, count: int
) -> None:
    soft = hint(wire.HINT_SOFT_SIZE_LIMIT, wire.CountValue(limit).pack())
    assert found(admin, look(), BY_NAME, soft)[:2] == (result, count)
    assert found(admin, look(), soft)[:2] == (LdapResult.SUCCESS, 5)  # without sorting it is ignored


def test_a_sort_that_wants_an_index_needs_one(admin: LdapClient) -> None:
    only = hint(wire.HINT_REQUIRE_SORT_INDEX, wire.RequireSortIndexHintValue(True).pack())
    assert found(admin, look(), BY_NAME, only)[0] == LdapResult.SUCCESS
    plain = m.Control(
        wire.LDAP_SERVER_SORT_OID, True, wire.SortKeyList((wire.SortKeyValue("description"),)).pack()
    )
    assert found(admin, look(), plain)[0] == LdapResult.SUCCESS
    assert found(admin, look(), plain, only)[0] == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION


# --- LDAP_SERVER_GET_STATS_OID, 3.1.1.3.4.1.6 ---


def get_stats(flags: int | None) -> m.Control:
    value = None if flags is None else flags.to_bytes(4, "little")
    return m.Control(wire.LDAP_SERVER_GET_STATS_OID, True, value)


@pytest.mark.parametrize("flags", [None, 1])
def test_debuggers_learn_what_a_search_looked_at(admin: LdapClient, flags: int | None) -> None:
    result, count, back = found(admin, look(wanted=parse_text("(sn=2)")), get_stats(flags))
    value = StatsResponseValueV3.unpack(back[wire.LDAP_SERVER_GET_STATS_OID])
    assert (result, count, value.entries_returned) == (LdapResult.SUCCESS, 3, 3)
    assert value.entries_visited >= 3 and value.filter == b"(sn=2)" and value.index
    tags = [value.thread_count_tag, value.call_time_tag, value.entries_returned_tag, value.filter_tag]
    assert tags == [1, 3, 5, 7] and value.log_record_bytes_tag == 15


def test_others_learn_nothing_but_times(desk: Desk, admin: LdapClient) -> None:
    _, count, back = found(clerk(desk), look(), get_stats(1))
    value = StatsResponseValueV3.unpack(back[wire.LDAP_SERVER_GET_STATS_OID])
    assert count == 5
    assert (value.entries_returned, value.entries_visited, value.filter, value.index) == (0, 0, b"", b"")


def test_the_cost_alone_comes_without_entries(admin: LdapClient) -> None:
    result, count, back = found(admin, look(), get_stats(2))
    assert (result, count, list(back)) == (LdapResult.SUCCESS, 0, [wire.LDAP_SERVER_GET_STATS_OID])


def test_nothing_is_told_where_nothing_was_asked(admin: LdapClient) -> None:
    assert found(admin, look(), get_stats(0)) == (LdapResult.SUCCESS, 5, {})


@pytest.mark.parametrize("as_clerk", [False, True])
def test_statistics_by_name_have_the_names_of_windows(desk: Desk, admin: LdapClient, as_clerk: bool) -> None:
    client = clerk(desk) if as_clerk else admin
    correlation = m.Control(wire.LDAP_SERVER_SET_CORRELATION_ID_OID, True, bytes(range(16)))
    _, _, back = found(client, look(), get_stats(5), correlation)
    value = StatsResponseValueV4.unpack(back[wire.LDAP_SERVER_GET_STATS_OID])
    named = {item.statistic_name.decode(): item.statistic.value for item in value.statistics}
    assert named["Correlation ID"] == b"03020100-0504-0706-0809-0a0b0c0d0e0f"
    assert named["Entries Returned"] == (0 if as_clerk else 5)
    assert named["Used Filter"] == (b"" if as_clerk else b"(objectClass=*)")
    assert ("Query optimizer state" in named) is not as_clerk
    assert named["Links Added"] == 0 and "Pages Referenced" in named


@pytest.mark.parametrize("value", [b"\0\0\0\0\1", b"\x08\0\0\0"])
def test_statistics_that_do_not_exist_are_refused(admin: LdapClient, value: bytes) -> None:
    control = m.Control(wire.LDAP_SERVER_GET_STATS_OID, True, value)
    assert found(admin, look(), control)[0] == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION


# --- others ---


def test_a_forced_update_leaves_a_stamp_though_nothing_changes(desk: Desk, admin: LdapClient) -> None:
    """3.1.1.3.4.1.21."""
    op = m.ModifyRequest(f"CN=a,{OU}", (m.Change(2, m.PartialAttribute("sn", (b"1",))),))
    versions = [desk.corp.version(f"CN=a,{OU}", attr.SN)]
    for controls in ((), (marker(wire.LDAP_SERVER_FORCE_UPDATE_OID),)):
        assert admin.ask(op, *controls).result_code == LdapResult.SUCCESS
        versions.append(desk.corp.version(f"CN=a,{OU}", attr.SN))
    assert versions == [1, 1, 2]


def test_shutdown_is_not_told_over_the_network(admin: LdapClient) -> None:
    """3.1.1.3.4.1.20."""
    answer = admin.ask(look(scope=0), marker(wire.LDAP_SERVER_SHUTDOWN_NOTIFY_OID))
    assert answer.result_code == LdapResult.UNWILLING_TO_PERFORM


@pytest.mark.parametrize("size", [15, 17])
def test_a_correlation_id_has_16_bytes(admin: LdapClient, size: int) -> None:
    """3.1.1.3.4.1.37."""
    control = m.Control(wire.LDAP_SERVER_SET_CORRELATION_ID_OID, True, bytes(size))
    assert found(admin, look(), control)[0] == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
    control = m.Control(wire.LDAP_SERVER_SET_CORRELATION_ID_OID, False, bytes(size))
    assert found(admin, look(), control)[0] == LdapResult.SUCCESS


@pytest.mark.parametrize(
    "oid", [wire.LDAP_SERVER_LAZY_COMMIT_OID, wire.LDAP_SERVER_THREAD_TRACE_OVERRIDE_OID]
)
def test_some_controls_go_with_any_operation(admin: LdapClient, oid: str) -> None:
    """3.1.1.3.4.1.7, 3.1.1.3.4.1.38."""
    add = m.AddRequest(f"OU=x,{OU}", (m.PartialAttribute("objectClass", (b"organizationalUnit",)),))
    change = m.ModifyRequest(f"OU=x,{OU}", (m.Change(2, m.PartialAttribute("description", (b"x",))),))
    for op in (
        add,
        change,
        look(),
        m.ModifyDnRequest(f"OU=x,{OU}", "OU=y", True),
        m.DelRequest(f"OU=y,{OU}"),
    ):
        assert admin.ask(op, marker(oid)).result_code == LdapResult.SUCCESS


def test_a_control_of_every_request_is_read_anew(admin: LdapClient) -> None:
    """Nothing of one request's controls is left for the next."""
    value = wire.ExpectedEntryCountValue(9, 9).pack()
    control = m.Control(wire.LDAP_SERVER_EXPECTED_ENTRY_COUNT_OID, True, value)
    first = m.LdapMessage(MessageId(41), look(), (control,)).pack()
    second = m.LdapMessage(MessageId(42), look()).pack()
    results = {
        message.message_id: message.protocol_op.result_code
        for message in admin.send_raw(first + second)
        if isinstance(message.protocol_op, m.LdapResultFields)
    }
    assert results == {41: LdapResult.CONSTRAINT_VIOLATION, 42: LdapResult.SUCCESS}


def test_list_views_that_are_disabled_are_no_control(admin: LdapClient) -> None:
    """3.1.1.3.4.7: DisableVLVSupport."""
    service = f"CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,{DOMAIN_DN}"
    change = m.Change(2, m.PartialAttribute("msDS-Other-Settings", (b"DisableVLVSupport=1",)))
    assert admin.ask(m.ModifyRequest(service, (change,))).result_code == LdapResult.SUCCESS
    value = wire.VlvRequestValue(0, 0, wire.VlvByOffset(1, 0)).pack()
    for critical, result in ((True, LdapResult.UNAVAILABLE_CRITICAL_EXTENSION), (False, LdapResult.SUCCESS)):
        view = m.Control(wire.LDAP_CONTROL_VLVREQUEST, critical, value)
        got, count, back = found(admin, look(), BY_NAME, view)
        assert (got, count) == (result, 0 if critical else 5)
        assert wire.LDAP_CONTROL_VLVRESPONSE not in back


@pytest.mark.parametrize(
    "op", [m.BindRequest(3, "", m.SimpleAuth(b"")), m.ExtendedRequest("1.3.6.1.4.1.4203.1.11.3")]
)
def test_binds_and_extended_operations_mind_critical_controls(desk: Desk, op: m.Request) -> None:
    """RFC 4511 4.1.11."""
    client = desk.connect()
    paged = m.Control(wire.LDAP_PAGED_RESULT_OID_STRING, True, wire.PagedResults(5).pack())
    assert client.ask(op, paged).result_code == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
    assert client.ask(op, m.Control("1.2.3", False)).result_code == LdapResult.SUCCESS
