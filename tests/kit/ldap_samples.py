"""One well-filled value of each LDAP message and control value."""

from typing import Final

from addc.base.ids import MessageId
from addc.codec.ber import Value
from addc.codec.filter import parse_text
from addc.ldap import controls as c
from addc.ldap import messages as m

FILTER: Final = parse_text(
    "(&(objectCategory=person)(|(cn=a*b*c)(sn~=x)(uSNChanged>=5)(uSNChanged<=9))"
    "(!(userAccountControl:1.2.840.113556.1.4.803:=2))(objectGUID=*)(ou:dn:=s))"
)
SEARCH: Final = m.SearchRequest(
    "DC=example,DC=com", 2, 0, 1000, 120, False, FILTER, ("cn", "member;range=0-*")
)
ATTRIBUTES: Final = (
    m.PartialAttribute("objectClass", (b"top", b"person", b"user")),
    m.PartialAttribute("description", (b"x" * 200,)),
    m.PartialAttribute("empty", ()),
)
CONTROLS: Final = (
    m.Control(c.LDAP_PAGED_RESULT_OID_STRING, True, c.PagedResults(1000, b"cookie").pack()),
    m.Control(c.LDAP_SERVER_SD_FLAGS_OID, False, c.FlagsValue(7).pack()),
    m.Control(c.LDAP_SERVER_SHOW_DELETED_OID, True),
)
REFERRAL: Final = ("ldap://a.example.com/", "ldap://b.example.com/")

OPERATIONS: Final[tuple[m.Request | m.Response, ...]] = (
    m.BindRequest(3, "CN=u,DC=example,DC=com", m.SimpleAuth(b"password")),
    m.BindRequest(3, "", m.SaslCredentials("GSS-SPNEGO", bytes(100))),
    m.BindRequest(3, "", m.SicilyPackageDiscovery()),
    m.BindRequest(3, "NTLM", m.SicilyNegotiate(b"NTLMSSP")),
    m.BindRequest(3, "", m.SicilyResponse(b"NTLMSSP")),
    m.BindResponse(result_code=14, matched_dn=b"\xff", diagnostic_message="é", server_sasl_creds=bytes(100)),
    m.UnbindRequest(),
    SEARCH,
    m.SearchResultEntry("CN=u,DC=example,DC=com", ATTRIBUTES),
    m.SearchResultReference(REFERRAL),
    m.SearchResultDone(
        result_code=10, referral=REFERRAL, matched_dn="DC=com", diagnostic_message="00002030: NameErr"
    ),
    m.ModifyRequest("CN=u", tuple(m.Change(kind, ATTRIBUTES[kind]) for kind in range(3))),
    m.ModifyResponse(result_code=50, matched_dn="DC=com", diagnostic_message="00002030: NameErr"),
    m.AddRequest("CN=u", ATTRIBUTES),
    m.AddResponse(result_code=68, matched_dn="DC=com", diagnostic_message="00002030: NameErr"),
    m.DelRequest("CN=u"),
    m.DelResponse(result_code=0),
    m.ModifyDnRequest("CN=u", "CN=v", True, "CN=Users"),
    m.ModifyDnResponse(result_code=0),
    m.CompareRequest("CN=u", m.AttributeValueAssertion("cn", b"u")),
    m.CompareResponse(result_code=6),
    m.AbandonRequest(MessageId(77)),
    m.ExtendedRequest(m.START_TLS),
    m.ExtendedResponse(
        result_code=0, response_name="1.3.6.1.4.1.4203.1.11.3", response_value=b"u:EXAMPLE\\u"
    ),
    m.IntermediateResponse("1.2.3", b"x"),
)
MESSAGES: Final = tuple(
    m.LdapMessage(MessageId(number * number * 100), op, CONTROLS if number % 3 else ())
    for number, op in enumerate(OPERATIONS)
)
CONTROL_VALUES: Final[tuple[Value, ...]] = (
    c.PagedResults(-1, b"cookie"),
    c.FlagsValue(0xFFFF_FFFF),
    c.SortKeyList((c.SortKeyValue("cn", "1.2.840.113556.1.4.1499", True), c.SortKeyValue("sn"))),
    c.SortResult(16, "cn"),
    c.DirSyncValue(0x8000_0801, 1 << 20, bytes(100)),
    c.VerifyNameValue(0, "gc.example.com".encode("utf-16-le")),
    c.VlvRequestValue(10, 20, c.VlvByOffset(5, 100), b"context"),
    c.VlvRequestValue(10, 20, c.VlvGreaterThanOrEqual(b"m")),
    c.VlvResponseValue(5, 100, 0, b"context"),
    c.OctetsValue(b"member"),
    c.AsqResponseValue(71),
    c.CountValue(16_384),
    c.ExpectedEntryCountValue(1, 5),
    c.OidAndOctetsList((c.OidAndOctets("1.2.840.113556.1.4.2208", bytes(8)),)),
    c.BatchRequestValue((MESSAGES[15].pack(),)),
    c.BatchResponseValue((MESSAGES[14], MESSAGES[16])),
)
SAMPLES: Final[tuple[Value, ...]] = (*MESSAGES, *CONTROL_VALUES)
