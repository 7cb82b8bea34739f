"""Extended operations that go to the directory: the batch, the refresh, and names that nobody serves."""

import pytest

from addc.base.ids import MessageId
from addc.codec.filter import Present
from addc.codes.ldap_result import LdapResult
from addc.directory.add import add_object
from addc.ldap import batch, refresh
from addc.ldap import controls as wire
from addc.ldap import messages as m
from addc.ldap.refresh import RefreshRequestValue, RefreshResponseValue
from addc.schema import attr
from tests.kit.corp import SEALED, Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import Desk, LdapClient

EVERYTHING = Present("objectClass")
CONFIG = f"CN=Configuration,{DOMAIN_DN}"
CLERK, PASSWORD = "clerk@corp.example.com", "Str0ng-Passw0rd!"


@pytest.fixture
def admin(desk: Desk) -> LdapClient:
    client = desk.connect(tls=True)
    assert client.bind().result_code == LdapResult.SUCCESS
    return client


def clerk(desk: Desk) -> LdapClient:
    desk.corp.user("clerk", PASSWORD)
    client = desk.connect(tls=True)
    assert client.bind(CLERK, PASSWORD).result_code == LdapResult.SUCCESS
    return client


def add(name: str, **more: str) -> m.AddRequest:
    values = {"objectClass": "organizationalUnit", **more}
    attributes = tuple(m.PartialAttribute(key, (value.encode(),)) for key, value in values.items())
    return m.AddRequest(f"OU={name},{DOMAIN_DN}", attributes)


def look(base: str, *attributes: str, scope: int = 0, time_limit: int = 0) -> m.SearchRequest:
    return m.SearchRequest(base, scope, 0, 0, time_limit, False, EVERYTHING, attributes)


def put(dn: str, name: str, *values: bytes, op: int = 2) -> m.ModifyRequest:
    return m.ModifyRequest(dn, (m.Change(op, m.PartialAttribute(name, values)),))


def batched(client: LdapClient, *ops: m.Request, controls: tuple[m.Control, ...] = ()) -> m.ExtendedResponse:
    packed = tuple(m.LdapMessage(MessageId(n), op, controls).pack() for n, op in enumerate(ops, 1))
    return asked(client, batch.OID, wire.BatchRequestValue(packed).pack())


def asked(client: LdapClient, name: str, value: bytes | None) -> m.ExtendedResponse:
    answer = client.ask(m.ExtendedRequest(name, value))
    assert isinstance(answer, m.ExtendedResponse)
    return answer


def answers(response: m.ExtendedResponse) -> list[tuple[int, str, int]]:
    """Message id, kind and result of each answer in a batch."""
    assert response.result_code == LdapResult.SUCCESS and response.response_value is not None
    found: list[tuple[int, str, int]] = []
    for message in wire.BatchResponseValue.unpack(response.response_value).messages:
        op = message.protocol_op
        result = op.result_code if isinstance(op, m.LdapResultFields) else -1
        found.append((message.message_id, type(op).__name__, int(result)))
    return found


# --- the batch: [MS-ADTS] 3.1.1.3.4.2.5 ---


def test_a_batch_is_carried_out_in_order_and_sees_its_own_changes(desk: Desk, admin: LdapClient) -> None:
    dn = f"OU=one,{DOMAIN_DN}"
    response = batched(
        admin, add("one"), put(dn, "description", b"first"), look(dn, "description"), add("two"),
        m.DelRequest(f"OU=two,{DOMAIN_DN}"),
    )  # fmt: skip
    assert answers(response) == [
        (1, "AddResponse", 0),
        (2, "ModifyResponse", 0),
        (3, "SearchResultEntry", -1),
        (3, "SearchResultDone", 0),
        (4, "AddResponse", 0),
        (5, "DelResponse", 0),
    ]
    assert desk.corp.text("OU=one", "description") == "first"
    assert response.response_name == batch.OID


def test_the_first_failure_ends_a_batch_and_takes_all_of_it_back(desk: Desk, admin: LdapClient) -> None:
    response = batched(admin, add("one"), add("one"), add("never"))
    assert answers(response) == [(1, "AddResponse", 0), (2, "AddResponse", LdapResult.ENTRY_ALREADY_EXISTS)]
    found = admin.ask(look(f"OU=one,{DOMAIN_DN}"))
    assert found.result_code == LdapResult.NO_SUCH_OBJECT


def test_a_batch_of_searches_alone(admin: LdapClient) -> None:
    response = batched(admin, look(DOMAIN_DN, "name"), look("OU=nowhere," + DOMAIN_DN), look(DOMAIN_DN))
    assert answers(response) == [
        (1, "SearchResultEntry", -1),
        (1, "SearchResultDone", 0),
        (2, "SearchResultDone", LdapResult.NO_SUCH_OBJECT),
    ]


def test_each_request_of_a_batch_needs_its_rights(desk: Desk) -> None:
    response = batched(clerk(desk), add("one"))
    assert answers(response) == [(1, "AddResponse", LdapResult.INSUFFICIENT_ACCESS_RIGHTS)]


def test_the_anonymous_batch_nothing(desk: Desk) -> None:
    response = batched(desk.connect(), look(""))
    assert (response.result_code, response.response_value) == (LdapResult.OPERATIONS_ERROR, None)


def test_the_global_catalogue_writes_nothing_in_a_batch_either(desk: Desk) -> None:
    client = desk.connect(tls=True, gc_port=True)
    client.bind()
    response = batched(client, add("one"))
    assert answers(response) == [(1, "AddResponse", LdapResult.UNWILLING_TO_PERFORM)]


@pytest.mark.parametrize(
    "value",
    [None, b"", b"\x30\x02\x04\x00", b"garbage", b"\x30\x03\x04\x01\x30"],
)
def test_what_is_no_batch_is_a_protocol_error(admin: LdapClient, value: bytes | None) -> None:
    assert asked(admin, batch.OID, value).result_code == LdapResult.PROTOCOL_ERROR


@pytest.mark.parametrize(
    "op",
    [
        m.CompareRequest(DOMAIN_DN, m.AttributeValueAssertion("name", b"x")),
        m.ModifyDnRequest(f"OU=x,{DOMAIN_DN}", "OU=y", True),
        m.AbandonRequest(MessageId(1)),
        m.ExtendedRequest(batch.OID, b"\x30\x00"),
        m.BindRequest(3, "", m.SimpleAuth(b"")),
    ],
)
def test_a_request_that_no_batch_takes_is_a_protocol_error(admin: LdapClient, op: m.Request) -> None:
    assert batched(admin, op).result_code == LdapResult.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("oid", "result"),
    [
        (wire.LDAP_SERVER_SHOW_DELETED_OID, LdapResult.SUCCESS),
        (wire.LDAP_SERVER_NOTIFICATION_OID, LdapResult.PROTOCOL_ERROR),
        (wire.LDAP_SERVER_TREE_DELETE_OID, LdapResult.PROTOCOL_ERROR),
        (wire.LDAP_PAGED_RESULT_OID_STRING, LdapResult.PROTOCOL_ERROR),
    ],
)
def test_a_batch_takes_few_controls(admin: LdapClient, oid: str, result: LdapResult) -> None:
    found = batched(admin, look(DOMAIN_DN, "name"), controls=(m.Control(oid, False),))
    assert found.result_code == result


def test_operations_of_rootdse_are_not_batched(admin: LdapClient) -> None:
    response = batched(admin, put("", "schemaUpgradeInProgress", b"1"))
    assert answers(response) == [(1, "ModifyResponse", LdapResult.UNWILLING_TO_PERFORM)]


def test_more_answers_than_the_policy_allows_are_none(desk: Desk, admin: LdapClient) -> None:
    """3.1.1.3.4.6: MaxBatchReturnMessages; what was changed is taken back."""
    limits = (
        f"CN=Default Query Policy,CN=Query-Policies,CN=Directory Service,CN=Windows NT,CN=Services,{CONFIG}"
    )
    values = [b"MaxBatchReturnMessages=2"]
    assert admin.ask(put(limits, "lDAPAdminLimits", *values)).result_code == LdapResult.SUCCESS
    response = batched(admin, add("one"), add("two"), add("three"))
    assert (response.result_code, response.response_value) == (LdapResult.SIZE_LIMIT_EXCEEDED, None)
    assert admin.ask(look(f"OU=one,{DOMAIN_DN}")).result_code == LdapResult.NO_SUCH_OBJECT


def test_a_guess_in_a_batch_is_counted_though_the_batch_is_taken_back(desk: Desk) -> None:
    """[MS-SAMR] 3.1.5.14.6: else a batch would be a way to try passwords without end."""
    client = clerk(desk)
    dn = f"CN=clerk,CN=Users,{DOMAIN_DN}"
    old, new = '"Wr0ng-Passw0rd!"'.encode("utf-16-le"), '"New-Passw0rd!22"'.encode("utf-16-le")
    changes = (
        m.Change(1, m.PartialAttribute("unicodePwd", (old,))),
        m.Change(0, m.PartialAttribute("unicodePwd", (new,))),
    )
    response = batched(client, m.ModifyRequest(dn, changes))
    assert answers(response) == [(1, "ModifyResponse", LdapResult.CONSTRAINT_VIOLATION)]
    assert desk.corp.values(dn, "badPwdCount") == [b"1"]


@pytest.mark.parametrize("name", ["unicodePwd", "OID.1.2.840.113556.1.4.90"])
def test_guesses_in_batches_at_once_do_not_outrun_the_lockout(desk: Desk, name: str) -> None:
    desk.corp.modify("", replace_values("lockoutThreshold", "2"), replace_values("minPwdAge", "0"))
    client = clerk(desk)
    old, good = '"Wr0ng-Passw0rd!"'.encode("utf-16-le"), f'"{PASSWORD}"'.encode("utf-16-le")
    new = '"New-Passw0rd!22"'.encode("utf-16-le")
    asked_for: list[m.Request] = []
    for guess in (old, old, good):
        changes = (
            m.Change(1, m.PartialAttribute(name, (guess,))), m.Change(0, m.PartialAttribute(name, (new,))),
        )  # fmt: skip
        packed = m.LdapMessage(
            MessageId(1), m.ModifyRequest(f"CN=clerk,CN=Users,{DOMAIN_DN}", changes)
        ).pack()
        asked_for.append(m.ExtendedRequest(batch.OID, wire.BatchRequestValue((packed,)).pack()))
    told = [one.protocol_op for one in client.send(*asked_for)]
    results = [answers(one)[0][2] for one in told if isinstance(one, m.ExtendedResponse)]
    assert len(results) == 3 and LdapResult.SUCCESS not in results
    assert desk.corp.text("CN=clerk,CN=Users", "badPwdCount") == "2"
    assert not desk.directory.turns._waiting


# --- the refresh: RFC 2589 4 ---


def refreshed(client: LdapClient, dn: str, ttl_s: int) -> m.ExtendedResponse:
    return asked(client, refresh.OID, RefreshRequestValue(dn, ttl_s).pack())


@pytest.fixture
def dynamic(corp_sqlite: Corp) -> str:
    classes = ("objectClass", [b"organizationalUnit", b"dynamicObject"])
    values = [classes, ("entryTTL", [b"3600"])]
    corp_sqlite.write(
        lambda ctx: add_object(ctx, f"OU=passing,{DOMAIN_DN}", values, SEALED), corp_sqlite.admin
    )
    return f"OU=passing,{DOMAIN_DN}"


def test_a_dynamic_object_lives_on_as_long_as_it_is_given(
    dynamic: str, desk: Desk, admin: LdapClient
) -> None:
    response = refreshed(admin, dynamic, 7200)
    assert response.result_code == LdapResult.SUCCESS and response.response_name == refresh.OID
    assert response.response_value is not None
    assert RefreshResponseValue.unpack(response.response_value).response_ttl == 7200
    assert desk.corp.row(dynamic).attrs[attr.MS_DS_ENTRY_TIME_TO_DIE]


def test_a_refresh_never_grants_less_than_the_least(dynamic: str, admin: LdapClient) -> None:
    """[MS-ADTS] 3.1.1.3.4.7: DynamicObjectMinTTL, 900 s."""
    response = refreshed(admin, dynamic, 1)
    assert response.response_value is not None
    assert RefreshResponseValue.unpack(response.response_value).response_ttl == 900


def test_a_refresh_needs_the_right_to_write(dynamic: str, desk: Desk) -> None:
    response = refreshed(clerk(desk), dynamic, 7200)
    assert (response.result_code, response.response_value) == (LdapResult.INSUFFICIENT_ACCESS_RIGHTS, None)


def test_the_anonymous_refresh_nothing(dynamic: str, desk: Desk) -> None:
    assert refreshed(desk.connect(), dynamic, 7200).result_code == LdapResult.OPERATIONS_ERROR


def test_what_is_not_dynamic_is_not_refreshed(admin: LdapClient) -> None:
    assert refreshed(admin, f"CN=Users,{DOMAIN_DN}", 7200).result_code != LdapResult.SUCCESS
    assert refreshed(admin, f"OU=nowhere,{DOMAIN_DN}", 7200).result_code == LdapResult.NO_SUCH_OBJECT
    assert asked(admin, refresh.OID, b"garbage").result_code == LdapResult.PROTOCOL_ERROR


# --- others ---


@pytest.mark.parametrize("name", ["1.3.6.1.1.8", "1.3.6.1.4.1.4203.1.11.1", "1.2.3"])
def test_an_operation_that_is_not_served_is_a_protocol_error(admin: LdapClient, name: str) -> None:
    """Among them cancel (RFC 3909) and the password modify (RFC 3062), which no Windows serves."""
    answer = asked(admin, name, None)
    assert answer.result_code == LdapResult.PROTOCOL_ERROR
    assert answer.diagnostic_message.startswith("0000203D: LdapErr: DSID-")
    assert "comment: Unknown extended request OID, data 0, v" in answer.diagnostic_message


def test_fast_bind_is_for_the_unbound_alone(desk: Desk, admin: LdapClient) -> None:
    """[MS-ADTS] 3.1.1.3.4.2.1: unwillingToPerform / ERROR_DS_UNWILLING_TO_PERFORM."""
    answer = asked(admin, "1.2.840.113556.1.4.1781", None)
    assert answer.result_code == LdapResult.UNWILLING_TO_PERFORM
    assert answer.diagnostic_message.startswith("00002035: ")
