"""Who did not log on may do nothing, unless dSHeuristics lets it; then descriptors decide.

Spec: [MS-ADTS] 5.1.3, 6.1.1.2.4.1.2 (fLDAPBlockAnonOps).
"""

import pytest

from addc.codec.filter import parse_text
from addc.codes.ldap_result import LdapResult
from addc.directory.controls import RequestOptions
from addc.directory.search import BASE
from addc.ldap import messages as m
from addc.security import sddl
from tests.kit.corp import Corp, replace_values
from tests.kit.ldap_desk import Desk

OU = "OU=open"


def let_in(corp: Corp) -> None:
    service = f"CN=Directory Service,CN=Windows NT,CN=Services,{corp.forest.config_dn}"
    corp.modify(service, replace_values("dSHeuristics", "0000002"))
    corp.add(OU, "organizationalUnit", description="d")
    domain = corp.forest.domain_sid
    sd = sddl.parse("D:(A;;GA;;;DA)(A;;RPWPCCLC;;;AN)", domain, domain).pack()
    corp.modify(OU, replace_values("nTSecurityDescriptor", sd), options=RequestOptions(sd_flags=4))
    sd = sddl.parse("D:(A;CI;GA;;;DA)(A;;LC;;;AN)(A;CI;GR;;;AU)", domain, domain).pack()
    corp.modify("", replace_values("nTSecurityDescriptor", sd), options=RequestOptions(sd_flags=4))


def requests(desk: Desk) -> list[m.Request]:
    dn = desk.corp.dn(OU)
    every = parse_text("(objectClass=*)")
    change = m.Change(2, m.PartialAttribute("description", (b"x",)))
    child = (m.PartialAttribute("objectClass", (b"organizationalUnit",)),)
    return [
        m.SearchRequest(dn, BASE, 0, 0, 0, False, every, ("description",)),
        m.CompareRequest(dn, m.AttributeValueAssertion("description", b"d")),
        m.ModifyRequest(dn, (change,)),
        m.AddRequest(f"OU=in,{dn}", child),
        m.ModifyDnRequest(dn, "OU=other", True, None),
        m.DelRequest(dn),
    ]


def test_is_refused_everything_by_default(desk: Desk) -> None:
    client = desk.connect(tls=True)
    for op in requests(desk):
        assert client.ask(op).result_code == LdapResult.OPERATIONS_ERROR, op


@pytest.mark.parametrize("number", range(6))
def test_may_do_what_descriptors_grant_where_let_in(desk: Desk, number: int) -> None:
    let_in(desk.corp)
    client = desk.connect(tls=True)
    answers = [LdapResult.SUCCESS, LdapResult.COMPARE_TRUE, LdapResult.SUCCESS, LdapResult.SUCCESS]
    answers += [LdapResult.SUCCESS, LdapResult.INSUFFICIENT_ACCESS_RIGHTS]
    assert client.ask(requests(desk)[number]).result_code == answers[number]


def test_sees_nothing_that_is_not_granted(desk: Desk) -> None:
    let_in(desk.corp)
    client = desk.connect(tls=True)
    every = parse_text("(objectClass=*)")
    asked = m.SearchRequest(desk.corp.dn("CN=Administrator,CN=Users"), BASE, 0, 0, 0, False, every, ())
    assert client.ask(asked).result_code == LdapResult.NO_SUCH_OBJECT
