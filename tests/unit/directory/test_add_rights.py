"""Attributes of new computers, where dSHeuristics has them authorized."""

from collections.abc import Mapping

import pytest

from addc.codes.win32 import Win32
from addc.security import sddl
from addc.security.token import Token
from tests.kit.corp import Corp, Value, replace_values
from tests.kit.refusals import refusal

SERVICE = "CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,DC=corp,DC=example,DC=com"
ENFORCED = "0000000001000000000200000001"
SPN = {"servicePrincipalName": "HOST/dc9.corp.example.com"}


@pytest.fixture
def corp(corp_sqlite: Corp) -> Corp:
    """joe may create computers in OU=pcs, and whoever creates one gets what the class says."""
    corp_sqlite.user("joe", "Tr0ub4dor&3")
    corp_sqlite.user("boss", "Tr0ub4dor&3")
    domain, joe = corp_sqlite.forest.domain_sid, corp_sqlite.sid("CN=joe,CN=Users")
    boss = corp_sqlite.sid("CN=boss,CN=Users")
    made = sddl.parse(f"D:(A;;CCLCRP;;;{joe})(A;CI;GA;;;{boss})(A;CI;GR;;;AU)", domain, domain)
    corp_sqlite.add("OU=pcs", "organizationalUnit", nTSecurityDescriptor=made.pack())
    return corp_sqlite


def create(corp: Corp, requester: Token, more: Mapping[str, Value], kind: str = "computer") -> None:
    corp.add("CN=pc1,OU=pcs", kind, requester, values={"sAMAccountName": "pc1$", **more})


def enforce(corp: Corp) -> None:
    corp.modify(SERVICE, replace_values("dSHeuristics", ENFORCED))


def test_by_default_a_creator_gives_what_he_likes(corp: Corp) -> None:
    create(corp, corp.token("joe"), SPN)


@pytest.mark.parametrize("more", [SPN, {"altSecurityIdentities": "Kerberos:x@y"}, {"dNSHostName": "dc9.x"}])
def test_where_it_is_enforced_only_what_he_could_write_then(corp: Corp, more: dict[str, Value]) -> None:
    enforce(corp)
    refused = refusal(lambda: create(corp, corp.token("joe"), more))
    assert refused[1] is Win32.ERROR_DS_PER_ATTRIBUTE_AUTHZ_FAILED_DURING_ADD


def test_names_of_the_machine_itself_and_what_a_creator_writes_are_fine(corp: Corp) -> None:
    enforce(corp)
    own = {
        "servicePrincipalName": "HOST/pc1.corp.example.com",
        "dNSHostName": "pc1.corp.example.com",
        "userAccountControl": "4098",
        "description": "x",
    }
    create(corp, corp.token("joe"), own)
    assert corp.values("CN=pc1,OU=pcs", "servicePrincipalName") == [b"HOST/pc1.corp.example.com"]


def test_administrators_and_who_controls_the_object_are_free(corp: Corp) -> None:
    enforce(corp)
    create(corp, corp.token("boss"), SPN)
    corp.modify("CN=pc1,OU=pcs", replace_values("servicePrincipalName"))
    corp.add("CN=pc2,OU=pcs", "computer", values={"sAMAccountName": "pc2$", **SPN})


def test_other_classes_are_not_asked_about(corp: Corp) -> None:
    enforce(corp)
    create(corp, corp.token("joe"), {"sAMAccountName": "u1", "altSecurityIdentities": "x"}, kind="user")
