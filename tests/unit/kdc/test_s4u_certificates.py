"""Users told by their certificates, over a real directory ([MS-SFU] 2.2.2, 3.1.5.1.1.2)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from addc.base.clock import FileTime, to_unix
from addc.codec.krb5 import PaData, TgsRep
from addc.codec.krb5_numbers import NameType, PaType
from addc.codes.krb_error import KrbErrorCode as Code
from tests.kit.certificates import Authority, Wish
from tests.kit.corp import Corp
from tests.kit.kdc_corp import REALM, KdcCorp, code_of
from tests.kit.kdc_realm import client_name
from tests.kit.s4u import pa_x509_user

PASSWORD = "Tr0ub4dor&3"
NTAUTH = "CN=NTAuthCertificates,CN=Public Key Services,CN=Services,CN=Configuration"
NO_LISTS = {"certificateRevocationList": b"\0", "authorityRevocationList": b"\0"}


@dataclass
class Desk:
    """A KDC whose forest trusts an authority; joe, bob and a web server."""

    corp: Corp
    kdc: KdcCorp = field(init=False)
    authority: Authority = field(init=False)

    def __post_init__(self) -> None:
        for name in ("joe", "bob"):
            self.corp.user(name, PASSWORD)
        self.corp.user("web", PASSWORD, servicePrincipalName="http/web")
        self.kdc = KdcCorp(self.corp)
        self.authority = Authority("Logon CA", when=self.when)
        values = {"cACertificate": self.authority.der, **NO_LISTS}
        self.corp.add(NTAUTH, "certificationAuthority", values=values)

    @property
    def when(self) -> datetime:
        return datetime.fromtimestamp(to_unix(self.corp.now), UTC)

    def shown(self, sid: str | None = None, authority: Authority | None = None) -> bytes:
        """Joe's certificate, unless it is to be of another SID."""
        wish = Wish(sid=sid or str(self.corp.sid("CN=joe,CN=Users")), when=self.when)
        return (authority or self.authority).fulfil("joe", wish).der

    def ask(self, der: bytes, name: str | None = None) -> bytes:
        web = self.kdc.log_on("web", self.kdc.key("web", PASSWORD))
        cname = None if name is None else client_name(name)
        padata = pa_x509_user(web.session, cname, REALM, certificate=der)
        till = FileTime(self.kdc.now + 36_000_000_000)
        request = web.tgs_req(padata, realm=REALM, sname=client_name("http", "web"), till=till)
        reply = self.kdc.service.answer_now(request.raw, "test").reply
        assert reply is not None
        return reply

    def identify(self, der: bytes, *, kind: int = NameType.KRB_NT_X500_PRINCIPAL) -> Code:
        """As a service asks where its user is: no name but the certificate."""
        padata = PaData(int(PaType.PA_S4U_X509_USER), der)
        request = self.kdc.as_req(client_name("", name_type=kind), padata)
        reply = self.kdc.service.answer_now(request, "test").reply
        assert reply is not None
        return code_of(reply)


@pytest.fixture
def desk(corp_sqlite: Corp) -> Desk:
    return Desk(corp_sqlite)


def test_the_ticket_is_for_whom_the_certificate_is_mapped_to(desk: Desk) -> None:
    reply = desk.ask(desk.shown())
    assert code_of(reply) == Code.KDC_ERR_NONE
    assert TgsRep.unpack(reply).cname == client_name("joe")


def test_name_and_certificate_must_mean_the_same(desk: Desk) -> None:
    assert code_of(desk.ask(desk.shown(), "joe")) == Code.KDC_ERR_NONE
    for name in ("bob", "nobody"):
        assert code_of(desk.ask(desk.shown(), name)) == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN


def test_a_certificate_of_nobody_or_of_strangers(desk: Desk) -> None:
    assert code_of(desk.ask(desk.shown(sid="S-1-5-21-1-2-3-9999"))) == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN
    strangers = desk.shown(authority=Authority("Strangers", when=desk.when))
    assert code_of(desk.ask(strangers)) == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN


def test_a_service_asks_where_the_user_is(desk: Desk) -> None:
    """The answer is what anybody is told who knows the user's name."""
    assert desk.identify(desk.shown()) == Code.KDC_ERR_PREAUTH_REQUIRED
    assert desk.identify(desk.shown(sid="S-1-5-21-1-2-3-9999")) == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN
    assert desk.identify(b"rubbish") == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN
    plain = desk.identify(desk.shown(), kind=NameType.KRB_NT_PRINCIPAL)
    assert plain == Code.KDC_ERR_C_PRINCIPAL_UNKNOWN
