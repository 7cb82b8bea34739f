"""Our LDAP bytes against ldap3's RFC 4511 declaration in pyasn1, in both directions.

ldap3's declaration cannot decode And, Or and Not with the pyasn1 of today: searches here have one assertion.
"""

import warnings
from typing import Any

import pytest
from pyasn1.codec.ber import decoder, encoder

from addc.base.ids import MessageId
from addc.codec.filter import Filter, parse_text
from addc.ldap import controls as c
from addc.ldap import messages as m
from tests.kit import ldap_samples

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # ldap3 uses old names of pyasn1
    from ldap3.protocol import rfc4511
    from ldap3.protocol.rfc2696 import RealSearchControlValue

_SICILY = m.SicilyPackageDiscovery | m.SicilyNegotiate | m.SicilyResponse


def _known(op: m.Request | m.Response) -> bool:
    """Whether ldap3 declares this operation in the form we sent it."""
    if isinstance(op, m.BindRequest):
        return not isinstance(op.authentication, _SICILY)
    if isinstance(op, m.BindResponse):
        return op.matched_dn.isascii()
    if isinstance(op, m.SearchResultEntry | m.AddRequest | m.ModifyRequest):
        return True
    return op != ldap_samples.SEARCH


MESSAGES = [message for message in ldap_samples.MESSAGES if _known(message.protocol_op)]


def _round(data: bytes) -> tuple[Any, bytes]:
    theirs, rest = decoder.decode(data, asn1Spec=rfc4511.LDAPMessage())
    assert rest == b""
    return theirs, encoder.encode(theirs)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message.protocol_op).__name__)
def test_ldap3_reads_and_writes_the_same(message: m.LdapMessage) -> None:
    theirs, again = _round(message.pack())
    assert int(theirs["messageID"]) == message.message_id
    assert m.LdapMessage.unpack(again) == message


@pytest.mark.parametrize(
    "text",
    [
        "(objectClass=*)",
        "(cn=a)",
        "(cn=a*b*c)",
        "(cn=*c)",
        "(uSNChanged>=5)",
        "(uSNChanged<=5)",
        "(cn~=x)",
        "(userAccountControl:1.2.840.113556.1.4.803:=2)",
        "(objectGUID=\\00\\ff)",
    ],
)
def test_searches(text: str) -> None:
    filter_: Filter = parse_text(text)
    search = m.SearchRequest("DC=x", 2, 3, 10, 20, True, filter_, ("cn", "*"))
    message = m.LdapMessage(MessageId(9), search)
    theirs, again = _round(message.pack())
    request = theirs["protocolOp"]["searchRequest"]
    assert bytes(request["baseObject"]) == b"DC=x"
    assert [int(request[name]) for name in ("scope", "derefAliases", "sizeLimit", "timeLimit")] == [
        2,
        3,
        10,
        20,
    ]
    assert [bytes(name) for name in request["attributes"]] == [b"cn", b"*"]
    assert m.LdapMessage.unpack(again) == message


def test_fast_entry_is_read_by_ldap3() -> None:
    data = m.encode_search_entry(
        7, b"CN=u", [(b"cn", [b"u"]), (b"objectClass", [b"top", b"user"]), (b"x", [])]
    )
    theirs, _ = _round(data)
    entry = theirs["protocolOp"]["searchResEntry"]
    assert bytes(entry["object"]) == b"CN=u"
    assert [(bytes(a["type"]), [bytes(v) for v in a["vals"]]) for a in entry["attributes"]] == [
        (b"cn", [b"u"]),
        (b"objectClass", [b"top", b"user"]),
        (b"x", []),
    ]


def test_paged_results_value() -> None:
    value = c.PagedResults(1000, b"cookie")
    theirs, rest = decoder.decode(value.pack(), asn1Spec=RealSearchControlValue())
    assert rest == b""
    assert (int(theirs["size"]), bytes(theirs["cookie"])) == (1000, b"cookie")
    assert encoder.encode(theirs) == value.pack()
