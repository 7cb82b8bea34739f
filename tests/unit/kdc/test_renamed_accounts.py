"""CVE-2021-42278 with CVE-2021-42287, step by step: a ticket under a DC's name, and then no such name.

A machine without SPNs takes a domain controller's name without its "$", gets a TGT, gives the name back, and
asks for a ticket to itself in an administrator's name: a KDC that then looks for the name plus "$" would take
the domain controller for the one that asks.
"""

import pytest

from addc.base.errors import DsError
from addc.codec.krb5_numbers import KdcOptions
from addc.codes.krb_error import KrbErrorCode as Code
from addc.security.token import Token
from tests.kit.corp import Corp, replace_values
from tests.kit.delegation import let
from tests.kit.kdc_corp import TGS, KdcCorp, code_of
from tests.kit.kdc_realm import Ticketed, client_name
from tests.kit.s4u import pa_for_user

PASSWORD = "Tr0ub4dor&3"
REALM = "CORP.EXAMPLE.COM"
MACHINE = "CN=WS9,CN=Computers,DC=corp,DC=example,DC=com"


@pytest.fixture
def corp(corp_sqlite: Corp) -> Corp:
    values: dict[str, str | bytes] = {
        "sAMAccountName": "WS9$",
        "userAccountControl": "4096",
        "unicodePwd": f'"{PASSWORD}"'.encode("utf-16-le"),
    }
    corp_sqlite.add("CN=WS9,CN=Computers", "computer", values=values)
    return corp_sqlite


def rename(corp: Corp, name: str, requester: Token | None = None) -> None:
    corp.modify(MACHINE, replace_values("sAMAccountName", name), requester=requester)


@pytest.fixture
def stolen(corp: Corp) -> tuple[KdcCorp, Ticketed]:
    """A TGT for "DC1", made while the machine was called so, and the machine under its old name again."""
    rename(corp, "DC1")
    kdc = KdcCorp(corp)
    ticket = kdc.log_on("DC1", kdc.key("WS9$", PASSWORD, is_computer=True))
    rename(corp, "WS9$")
    return KdcCorp(corp), ticket


def test_the_ticket_is_refused_once_its_name_means_another(stolen: tuple[KdcCorp, Ticketed]) -> None:
    kdc, ticket = stolen
    assert code_of(kdc.get(ticket, "WS9$")) == Code.KDC_ERR_TGT_REVOKED
    assert code_of(kdc.get(ticket, TGS, kdc_options=int(KdcOptions.FORWARDED))) == Code.KDC_ERR_TGT_REVOKED


@pytest.mark.parametrize("target", ["DC1$", "DC1", "WS9$"])
def test_it_gets_no_ticket_in_an_administrators_name(stolen: tuple[KdcCorp, Ticketed], target: str) -> None:
    kdc, ticket = stolen
    wanted = pa_for_user(ticket.session, client_name("Administrator"), REALM)
    request = ticket.tgs_req(wanted, realm=REALM, sname=client_name(*target.split("/"))).raw
    reply = kdc.service.answer_now(request, "test").reply
    assert reply is not None and code_of(reply) == Code.KDC_ERR_TGT_REVOKED


def test_who_owns_a_machine_cannot_name_it_so(corp: Corp) -> None:
    """CVE-2021-42278: without "$", only administrators may."""
    corp.user("joe", PASSWORD)
    joe = corp.token("joe")
    let(corp, joe, "CN=WS9,CN=Computers")
    with pytest.raises(DsError):
        rename(corp, "DC1", joe)
    rename(corp, "WS8$", joe)
