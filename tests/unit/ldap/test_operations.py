"""Requests carried out: their controls, what is refused before the directory is asked, and whole answers."""

from typing import Final

import pytest

from addc.base.errors import StoreError
from addc.codec.filter import Equal, Present
from addc.codes.ldap_result import LdapResult
from addc.ldap import controls as c
from addc.ldap import messages as m
from addc.ldap import operations
from addc.ldap.operations import Asker, options_of
from addc.security.token import ANONYMOUS
from tests.kit.corp import Corp
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import Desk, LdapClient

GUEST: Final = f"CN=Guest,CN=Users,{DOMAIN_DN}"
UNKNOWN: Final = "1.2.3.4"
WRITES: Final[tuple[m.Request, ...]] = (
    m.AddRequest(f"OU=New,{DOMAIN_DN}", (m.PartialAttribute("objectClass", (b"organizationalUnit",)),)),
    m.ModifyRequest(GUEST, (m.Change(2, m.PartialAttribute("mail", (b"g@x",))),)),
    m.ModifyDnRequest(GUEST, "CN=Visitor", True, None),
    m.DelRequest(GUEST),
)


@pytest.fixture
def admin(desk: Desk) -> LdapClient:
    client = desk.connect(tls=True)
    client.bind()
    return client


def users(*attributes: str, size_limit: int = 0) -> m.SearchRequest:
    base = f"CN=Users,{DOMAIN_DN}"
    return m.SearchRequest(base, 1, 0, size_limit, 0, False, Present("objectClass"), attributes)


def names(messages: list[m.LdapMessage]) -> list[str]:
    return [
        one.protocol_op.object_name for one in messages if isinstance(one.protocol_op, m.SearchResultEntry)
    ]


# --- refusals before the directory is asked ---


@pytest.mark.parametrize("op", WRITES, ids=lambda op: type(op).__name__)
def test_the_global_catalog_takes_no_writes(desk: Desk, op: m.Request) -> None:
    client = desk.connect(tls=True, gc_port=True)
    client.bind()
    answer = client.ask(op)
    assert answer.result_code == LdapResult.UNWILLING_TO_PERFORM
    assert desk.corp.values("CN=Guest,CN=Users", "mail") == []


@pytest.mark.parametrize(
    "op",
    [*WRITES, users(), m.CompareRequest(GUEST, m.AttributeValueAssertion("cn", b"Guest"))],
    ids=lambda op: type(op).__name__,
)
def test_unknown_controls_are_refused_when_critical_and_else_ignored(
    admin: LdapClient, op: m.Request
) -> None:
    refused = admin.ask(op, m.Control(UNKNOWN, True))
    assert refused.result_code == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
    ignored = admin.ask(op, m.Control(UNKNOWN, False))
    assert ignored.result_code != refused.result_code


def test_controls_of_other_operations_are_refused_when_critical(admin: LdapClient) -> None:
    tree_delete = m.Control(c.LDAP_SERVER_TREE_DELETE_OID, True)
    assert admin.ask(users(), tree_delete).result_code == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
    paged = m.Control(c.LDAP_PAGED_RESULT_OID_STRING, True, c.PagedResults(10).pack())
    assert admin.ask(m.DelRequest(GUEST), paged).result_code == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION


def test_other_scopes_than_three_are_a_protocol_error(admin: LdapClient) -> None:
    answer = admin.ask(m.SearchRequest(GUEST, 3, 0, 0, 0, False, Present("objectClass"), ()))
    assert answer.result_code == LdapResult.PROTOCOL_ERROR


def test_what_root_dse_lists_is_what_operations_take() -> None:
    for name, taken in vars(operations).items():
        if name.endswith("_CONTROLS") and isinstance(taken, frozenset):
            assert taken <= operations.SUPPORTED_CONTROLS


def test_failures_of_the_database_are_told_apart(
    desk: Desk, admin: LdapClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for retryable, result in ((True, LdapResult.BUSY), (False, LdapResult.UNAVAILABLE)):

        def fail(*_: object, retryable: bool = retryable, **__: object) -> None:
            raise StoreError("disk", retryable=retryable)

        for method in ("read", "write"):
            with monkeypatch.context() as patch:
                patch.setattr(desk.directory, method, fail)
                one = WRITES[1] if method == "write" else users()
                assert admin.ask(one).result_code == result
    assert admin.ask(users()).result_code == LdapResult.SUCCESS


# --- searches ---


def test_a_size_limit_gives_what_there_is_room_for(admin: LdapClient) -> None:
    messages = admin.send(users("cn", size_limit=3))
    done = messages[-1].protocol_op
    assert isinstance(done, m.SearchResultDone) and done.result_code == LdapResult.SIZE_LIMIT_EXCEEDED
    assert len(names(messages)) == 3


def test_pages_lead_through_all_entries(admin: LdapClient) -> None:
    whole, found, cookie = names(admin.send(users("cn"))), [], b""
    for _ in range(100):
        control = m.Control(c.LDAP_PAGED_RESULT_OID_STRING, True, c.PagedResults(4, cookie).pack())
        messages = admin.send(users("cn"), controls=(control,))
        found += names(messages)
        (answer,) = messages[-1].controls
        assert answer.control_type == c.LDAP_PAGED_RESULT_OID_STRING and answer.control_value is not None
        cookie = c.PagedResults.unpack(answer.control_value).cookie
        if not cookie:
            break
        assert len(names(messages)) == 4
    assert sorted(found) == sorted(whole) and len(whole) > 8


def test_sorted_answers_carry_the_sort_result(admin: LdapClient) -> None:
    keys = c.SortKeyList((c.SortKeyValue("cn", None, True),))
    messages = admin.send(users("cn"), controls=(m.Control(c.LDAP_SERVER_SORT_OID, True, keys.pack()),))
    ordered = [name.lower() for name in names(messages)]
    assert ordered == sorted(ordered, reverse=True) and len(ordered) > 8
    (answer,) = messages[-1].controls
    assert answer.control_type == c.LDAP_SERVER_RESP_SORT_OID and answer.control_value is not None
    assert c.SortResult.unpack(answer.control_value).sort_result == 0


def test_a_sort_key_that_does_not_exist(admin: LdapClient) -> None:
    keys = c.SortKeyList((c.SortKeyValue("noSuchAttribute"),)).pack()
    answer = admin.ask(users("cn"), m.Control(c.LDAP_SERVER_SORT_OID, True, keys))
    assert answer.result_code == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION


def test_subordinate_partitions_are_referred_to(admin: LdapClient) -> None:
    whole = m.SearchRequest(DOMAIN_DN, 2, 0, 0, 0, False, Equal("cn", b"nothing"), ())
    messages = admin.send(whole)
    urls = [one.protocol_op.uris for one in messages if isinstance(one.protocol_op, m.SearchResultReference)]
    assert len(urls) >= 3 and all(url[0].startswith("ldap://") for url in urls)
    scoped = admin.send(whole, controls=(m.Control(c.LDAP_SERVER_DOMAIN_SCOPE_OID, True),))
    assert [type(one.protocol_op) for one in scoped] == [m.SearchResultDone]


def test_a_base_that_is_not_there_names_the_nearest_that_is(admin: LdapClient) -> None:
    gone = m.SearchRequest(f"CN=x,OU=gone,{DOMAIN_DN}", 0, 0, 0, 0, False, Present("cn"), ())
    answer = admin.ask(gone)
    assert (answer.result_code, answer.matched_dn) == (LdapResult.NO_SUCH_OBJECT, DOMAIN_DN)
    assert answer.diagnostic_message.startswith("0000208D: ")


def test_types_only(admin: LdapClient) -> None:
    request = m.SearchRequest(GUEST, 0, 0, 0, 0, True, Present("cn"), ("cn", "objectClass"))
    entry = admin.send(request)[0].protocol_op
    assert isinstance(entry, m.SearchResultEntry)
    assert {a.type: a.vals for a in entry.attributes} == {"cn": (), "objectClass": ()}


# --- writes ---


def test_every_change_has_its_response(desk: Desk, admin: LdapClient) -> None:
    wanted = (m.AddResponse, m.ModifyResponse, m.ModifyDnResponse)
    for op, kind in zip(WRITES[:3], wanted, strict=True):
        answer = admin.ask(op)
        assert isinstance(answer, kind) and answer.result_code == LdapResult.SUCCESS
    refused = admin.ask(m.DelRequest(GUEST))
    assert isinstance(refused, m.DelResponse) and refused.result_code == LdapResult.NO_SUCH_OBJECT
    assert admin.ask(m.DelRequest(f"OU=New,{DOMAIN_DN}")).result_code == LdapResult.SUCCESS
    assert desk.corp.text("CN=Visitor,CN=Users", "mail") == "g@x"


def test_a_tree_is_deleted_only_when_asked_for(admin: LdapClient) -> None:
    tree = m.PartialAttribute("objectClass", (b"organizationalUnit",))
    for dn in (f"OU=Top,{DOMAIN_DN}", f"OU=Inner,OU=Top,{DOMAIN_DN}"):
        assert admin.ask(m.AddRequest(dn, (tree,))).result_code == LdapResult.SUCCESS
    delete = m.DelRequest(f"OU=Top,{DOMAIN_DN}")
    assert admin.ask(delete).result_code == LdapResult.NOT_ALLOWED_ON_NON_LEAF
    control = m.Control(c.LDAP_SERVER_TREE_DELETE_OID, True)
    assert admin.ask(delete, control).result_code == LdapResult.SUCCESS


def test_permissive_modify(admin: LdapClient) -> None:
    remove = m.ModifyRequest(GUEST, (m.Change(1, m.PartialAttribute("mail", (b"none@x",))),))
    assert admin.ask(remove).result_code == LdapResult.NO_SUCH_ATTRIBUTE
    control = m.Control(c.LDAP_SERVER_PERMISSIVE_MODIFY_OID, True)
    assert admin.ask(remove, control).result_code == LdapResult.SUCCESS


# --- what the directory is told ---


def test_options_carry_connection_and_controls() -> None:
    asked = (
        m.Control(c.LDAP_SERVER_SD_FLAGS_OID, True, c.FlagsValue(4).pack()),
        m.Control(c.LDAP_SERVER_SHOW_RECYCLED_OID, True),
        m.Control(c.LDAP_SERVER_SEARCH_OPTIONS_OID, True, c.FlagsValue(3).pack()),
        m.Control(c.LDAP_PAGED_RESULT_OID_STRING, False, c.PagedResults(-5, b"k").pack()),
    )
    found = c.read_controls(asked, operations.SEARCH_CONTROLS)
    options = options_of(found, Asker(ANONYMOUS, confidential=True, gc_port=True, source="x"))
    assert options.confidential and options.gc_port
    assert options.sd_flags == 4
    assert options.show_recycled and options.show_deleted, "who sees recycled objects sees deleted ones"
    assert options.domain_scope and options.phantom_root
    assert (options.page_size, options.page_cookie) == (0, b"k")


def test_who_am_i_of_one_without_an_account(corp_sqlite: Corp) -> None:
    administrator = corp_sqlite.admin
    assert corp_sqlite.read(lambda ctx: operations.who_am_i(ctx, ANONYMOUS)) == b""
    found = corp_sqlite.read(lambda ctx: operations.who_am_i(ctx, administrator))
    assert found == b"u:CORP\\Administrator"
