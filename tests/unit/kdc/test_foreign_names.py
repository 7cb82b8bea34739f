"""Names that altSecurityIdentities give to accounts: [MS-KILE] 3.3.5.6.1, over the KDC's service."""

import pytest

from addc.codes.krb_error import KrbErrorCode as Code
from tests.kit.corp import Corp
from tests.kit.kdc_corp import KdcCorp, code_of
from tests.kit.kdc_realm import client_name, timestamp

PASSWORD = "Tr0ub4dor&3"


@pytest.fixture
def kdc(corp_sqlite: Corp) -> KdcCorp:
    """joe is known as other@corp.example.com too; nobody by the name both."""
    for name, values in (("joe", ("other", "both")), ("ann", ("both",))):
        texts = [f"Kerberos:{one}@corp.example.com" for one in values]
        corp_sqlite.user(name, PASSWORD, altSecurityIdentities=texts)
    return KdcCorp(corp_sqlite)


def ask(kdc: KdcCorp, name: str, *, proves: bool = False, kind: int = 1) -> Code:
    padata = (timestamp(kdc.key("joe", PASSWORD), kdc.now),) if proves else ()
    request = kdc.as_req(client_name(name, name_type=kind), *padata)
    reply = kdc.service.answer_now(request, "test").reply
    assert reply is not None
    return code_of(reply)


def test_such_a_name_finds_the_account_until_something_is_to_be_proved(kdc: KdcCorp) -> None:
    assert ask(kdc, "other") == Code.KDC_ERR_PREAUTH_REQUIRED
    assert ask(kdc, "OTHER@corp.example.com", kind=10) == Code.KDC_ERR_PREAUTH_REQUIRED
    assert ask(kdc, "other", proves=True) == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN


def test_a_name_that_two_accounts_have_is_nobodys(kdc: KdcCorp) -> None:
    assert ask(kdc, "both") == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN
    assert ask(kdc, "nobody") == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN
