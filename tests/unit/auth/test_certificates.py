"""Which account a client's certificate proves: strong mappings, and one account. [MS-PKCA] 3.1.5.2.1."""

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from addc.auth import certificates
from addc.auth.gss import AuthError
from addc.base.errors import DecodeError
from addc.codes.ntstatus import NtStatus
from addc.security.crypto import client_certificate
from tests.kit.certificates import SERIAL, Authority, Holder
from tests.kit.corp import Corp, replace_values

ISSUER = "DC=com,DC=example,CN=People CA"
SERIAL_REVERSED = SERIAL.to_bytes(13, "big")[::-1].hex()
ANN = "CN=ann,CN=Users"


@pytest.fixture
def corp(corp_sqlite: Corp) -> Corp:
    corp_sqlite.user("ann", "Corr3ct.Horse")
    corp_sqlite.user("bob", "Corr3ct.Horse")
    return corp_sqlite


def _account(corp: Corp, holder: Holder) -> str:
    return corp.read(lambda ctx: certificates.account_of(ctx, holder.der)).sam_account_name


def _map(corp: Corp, *identities: str, dn: str = ANN) -> None:
    corp.modify(dn, replace_values("altSecurityIdentities", *identities))


def _identifier(holder: Holder) -> str:
    return holder.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()


def test_issuer_and_serial_number(corp: Corp) -> None:
    _map(corp, f"X509:<I>{ISSUER}<SR>{SERIAL_REVERSED.upper()}")
    assert _account(corp, Authority().issue("whoever")) == "ann"


def test_the_key_identifier_and_the_hash_of_the_key(corp: Corp) -> None:
    holder = Authority().issue("whoever")
    for kind in ("SKI", "SHA1-PUKEY"):
        _map(corp, f"X509:<{kind}>{_identifier(holder)}")
        assert _account(corp, holder) == "ann"


def test_the_sid_that_an_authority_put_in(corp: Corp) -> None:
    sid = str(corp.sid(ANN))
    assert _account(corp, Authority().issue("whoever", sid=sid)) == "ann"
    _map(corp, f"X509:<I>{ISSUER}<SID>{sid}", dn="CN=bob,CN=Users")
    assert _account(corp, Authority().issue("whoever", sid=sid)) == "bob"


@pytest.mark.parametrize(
    "weak", [f"X509:<I>{ISSUER}<S>CN=ann", "X509:<S>CN=ann", "X509:<RFC822>ann@corp.example.com"]
)
def test_names_map_nobody(corp: Corp, weak: str) -> None:
    """KB5014754: what somebody could be called elsewhere proves nothing."""
    _map(corp, weak)
    with pytest.raises(AuthError):
        _account(corp, Authority().issue("ann"))


def test_a_certificate_of_two_accounts_proves_none(corp: Corp) -> None:
    holder = Authority().issue("whoever")
    for dn in (ANN, "CN=bob,CN=Users"):
        _map(corp, f"X509:<SKI>{_identifier(holder)}", dn=dn)
    with pytest.raises(AuthError):
        _account(corp, holder)


def test_a_certificate_of_a_server_proves_nobody(corp: Corp) -> None:
    holder = Authority().issue("whoever", sid=str(corp.sid(ANN)), use=ExtendedKeyUsageOID.SERVER_AUTH)
    with pytest.raises(AuthError):
        _account(corp, holder)


def test_who_may_not_log_on(corp: Corp) -> None:
    holder = Authority().issue("whoever", sid=str(corp.sid(ANN)))

    def refusal() -> NtStatus | None:
        return corp.read(lambda ctx: certificates.refusal(ctx, certificates.account_of(ctx, holder.der)))

    assert refusal() is None
    corp.modify(ANN, replace_values("userAccountControl", "514"))
    assert refusal() is NtStatus.STATUS_ACCOUNT_DISABLED


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x30\x82" + bytes(200)])
def test_garbage_is_no_certificate(data: bytes) -> None:
    with pytest.raises(DecodeError):
        client_certificate.read(data)


@pytest.mark.parametrize("sid", ["", "S-1-5", "x" * 120])
def test_a_sid_that_is_none_maps_nobody(corp: Corp, sid: str) -> None:
    with pytest.raises(AuthError):
        _account(corp, Authority().issue("whoever", sid=sid))
