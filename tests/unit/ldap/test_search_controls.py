"""Search controls on the wire: what comes back, and what a refusal brings along.

[MS-ADTS] 3.1.1.3.4.1.13, 3.1.1.3.4.1.17, 3.1.1.3.4.1.18.
"""

import pytest

from addc.codec.filter import parse_text
from addc.codes.ldap_result import LdapResult
from addc.directory.search import BASE, ONE_LEVEL
from addc.ldap import controls as wire
from addc.ldap import messages as m
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import Desk, LdapClient

USERS = f"CN=Users,{DOMAIN_DN}"
ADMINS = f"CN=Domain Admins,{USERS}"


def request(
    base: str = USERS, scope: int = ONE_LEVEL, wanted: str = "(objectClass=group)"
) -> m.SearchRequest:
    return m.SearchRequest(base, scope, 0, 0, 0, False, parse_text(wanted), ("cn",))


def sort(*keys: wire.SortKeyValue, critical: bool = True) -> m.Control:
    return m.Control(wire.LDAP_SERVER_SORT_OID, critical, wire.SortKeyList(keys).pack())


def view(critical: bool = True, **fields: object) -> m.Control:
    value = wire.VlvRequestValue(**{"before_count": 0, "after_count": 1, **fields})  # type: ignore[arg-type]
    return m.Control(wire.LDAP_CONTROL_VLVREQUEST, critical, value.pack())


def scoped(attribute: str, critical: bool = True) -> m.Control:
    return m.Control(wire.LDAP_SERVER_ASQ_OID, critical, wire.OctetsValue(attribute.encode()).pack())


@pytest.fixture
def client(desk: Desk) -> LdapClient:
    found = desk.connect(tls=True)
    assert found.bind().result_code == LdapResult.SUCCESS
    return found


def answered(
    client: LdapClient, op: m.SearchRequest, *controls: m.Control
) -> tuple[list[str], int, dict[str, bytes]]:
    """RDN values in order, the result, and the response controls."""
    messages = client.send(op, controls=controls)
    done = messages[-1]
    assert isinstance(done.protocol_op, m.SearchResultDone)
    found = [one.protocol_op for one in messages if isinstance(one.protocol_op, m.SearchResultEntry)]
    names = [one.object_name.partition(",")[0].partition("=")[2] for one in found]
    return (
        names,
        done.protocol_op.result_code,
        {one.control_type: one.control_value or b"" for one in done.controls},
    )


def test_sorted_entries_come_with_a_sort_response(client: LdapClient) -> None:
    names, result, back = answered(client, request(), sort(wire.SortKeyValue("cn", None, True)))
    assert names == sorted(names, key=str.lower, reverse=True)
    assert len(names) > 10
    assert result == LdapResult.SUCCESS
    assert wire.SortResult.unpack(back[wire.LDAP_SERVER_RESP_SORT_OID]).sort_result == 0


def test_a_refused_sort_says_why(client: LdapClient) -> None:
    names, result, back = answered(client, request(), sort(wire.SortKeyValue("nonsense")))
    assert (names, result) == ([], LdapResult.UNAVAILABLE_CRITICAL_EXTENSION)
    told = wire.SortResult.unpack(back[wire.LDAP_SERVER_RESP_SORT_OID])
    assert (told.sort_result, told.attribute_type) == (LdapResult.NO_SUCH_ATTRIBUTE, "nonsense")
    names, result, back = answered(client, request(), sort(wire.SortKeyValue("nonsense"), critical=False))
    assert names and result == LdapResult.SUCCESS
    assert wire.LDAP_SERVER_RESP_SORT_OID in back


def test_a_list_view_by_offset_then_by_value_with_its_context(client: LdapClient) -> None:
    by_name = sort(wire.SortKeyValue("cn"))
    whole, _, _ = answered(client, request(), by_name)
    names, result, back = answered(
        client, request(), by_name, view(target=wire.VlvByOffset(offset=3, content_count=0))
    )
    assert (names, result) == (whole[2:4], LdapResult.SUCCESS)
    told = wire.VlvResponseValue.unpack(back[wire.LDAP_CONTROL_VLVRESPONSE])
    assert (told.target_position, told.content_count) == (3, len(whole))
    assert told.virtual_list_view_result == LdapResult.SUCCESS
    assert told.context_id
    names, _, back = answered(
        client,
        request(),
        by_name,
        view(target=wire.VlvGreaterThanOrEqual(value=b"domain a"), context_id=told.context_id),
    )
    assert names == ["Domain Admins", "Domain Computers"]


def test_a_list_view_without_a_sort_is_refused(client: LdapClient) -> None:
    target = wire.VlvByOffset(offset=1, content_count=0)
    names, result, back = answered(client, request(), view(target=target))
    assert (names, result) == ([], LdapResult.SORT_CONTROL_MISSING)
    told = wire.VlvResponseValue.unpack(back[wire.LDAP_CONTROL_VLVRESPONSE])
    assert told.virtual_list_view_result == LdapResult.SORT_CONTROL_MISSING


def test_an_attribute_scoped_query(client: LdapClient) -> None:
    op = request(ADMINS, BASE, "(objectClass=*)")
    names, result, back = answered(client, op, scoped("member"))
    assert (names, result) == (["Administrator"], LdapResult.SUCCESS)
    assert wire.AsqResponseValue.unpack(back[wire.LDAP_SERVER_ASQ_OID]).search_results == 0
    names, result, back = answered(client, op, scoped("cn"))
    assert (names, result) == ([], LdapResult.INVALID_ATTRIBUTE_SYNTAX)
    told = wire.AsqResponseValue.unpack(back[wire.LDAP_SERVER_ASQ_OID])
    assert told.search_results == LdapResult.INVALID_ATTRIBUTE_SYNTAX


def test_sorted_pages(client: LdapClient) -> None:
    by_name = sort(wire.SortKeyValue("cn"))
    whole, _, _ = answered(client, request(), by_name)
    seen: list[str] = []
    cookie = b""
    while True:
        page = m.Control(wire.LDAP_PAGED_RESULT_OID_STRING, True, wire.PagedResults(4, cookie).pack())
        names, result, back = answered(client, request(), by_name, page)
        assert result == LdapResult.SUCCESS
        seen += names
        cookie = wire.PagedResults.unpack(back[wire.LDAP_PAGED_RESULT_OID_STRING]).cookie
        if not cookie:
            break
    assert seen == whole
