"""The KDC over the test forest, and a client that sends it bytes."""

from dataclasses import dataclass, field
from typing import Any

from addc.base.clock import TICKS_PER_S, FileTime
from addc.codec.krb5 import AsRep, EncAsRepPart, KdcReqBody, KrbError, PaData, PrincipalName
from addc.codec.krb5_numbers import NameType
from addc.codes.krb_error import KrbErrorCode
from addc.directory import passwords
from addc.directory.api import Directory, Services
from addc.kdc.service import KdcService
from addc.security.krb_keys import Key, KeyUsage, decrypt, string_to_key
from tests.kit.corp import Corp
from tests.kit.corp_forest import CountingRng, StandingClock
from tests.kit.kdc_realm import Client, Ticketed, client_name, timestamp

REALM = "CORP.EXAMPLE.COM"
TGS = PrincipalName(int(NameType.KRB_NT_SRV_INST), ("krbtgt", REALM))
CHANGE = PrincipalName(int(NameType.KRB_NT_PRINCIPAL), ("kadmin", "changepw"))


def service_name(text: str) -> PrincipalName:
    return PrincipalName(int(NameType.KRB_NT_SRV_INST), tuple(text.split("/")))


@dataclass
class KdcCorp:
    """A service of its own over `corp`, whose clock is the corp's."""

    corp: Corp
    clock: StandingClock = field(default_factory=StandingClock)

    def __post_init__(self) -> None:
        self.clock.when = self.corp.now
        services = Services(self.clock, CountingRng(b"kdc-directory"))
        self.directory = Directory(self.corp.store, self.corp.schema, services)
        self.service = KdcService(self.directory, self.clock, CountingRng(b"kdc"))

    def later(self, seconds: float) -> None:
        self.corp.later(seconds)
        self.clock.when = self.corp.now

    @property
    def now(self) -> FileTime:
        return self.clock.when

    def key(self, name: str, password: str, *, is_computer: bool = False) -> Key:
        return string_to_key(18, password, passwords.salt_for(REALM, name, is_computer))

    def body(self, name: PrincipalName | None, **more: Any) -> KdcReqBody:
        client = Client()
        till = FileTime(self.now + 3600 * TICKS_PER_S)
        return client.body(**{"cname": name, "realm": REALM, "sname": TGS, "till": till, **more})

    def as_req(self, name: PrincipalName, *padata: PaData, **more: Any) -> bytes:
        fields = {"cname": name, "realm": REALM, "sname": TGS, "till": FileTime(self.now + 36_000_000_000)}
        return Client().as_req(*padata, **{**fields, **more}).raw

    def ask(self, name: str, key: Key | None = None, **more: Any) -> bytes:
        """The reply to an AS-REQ, decided in this thread."""
        padata = () if key is None else (timestamp(key, self.now),)
        reply = self.service.answer_now(self.as_req(client_name(name), *padata, **more), "test").reply
        assert reply is not None
        return reply

    def log_on(self, name: str, key: Key, **more: Any) -> Ticketed:
        return self.opened(self.ask(name, key, **more), key)

    def opened(self, data: bytes, key: Key) -> Ticketed:
        assert data[0] == 0x6B, KrbErrorCode(KrbError.unpack(data).error_code).name
        reply = AsRep.unpack(data)
        part = EncAsRepPart.unpack(decrypt(key, KeyUsage.AS_REP_ENC_PART, reply.enc_part.cipher))
        client = Client()
        client.now = self.now
        return Ticketed(client, reply.ticket, part, reply.cname, reply.crealm)

    def tgs_req(self, ticket: Ticketed, service: str | PrincipalName, **more: Any) -> bytes:
        name = service_name(service) if isinstance(service, str) else service
        till = FileTime(self.now + 36_000_000_000)
        return ticket.tgs_req(**{"realm": REALM, "sname": name, "till": till, **more}).raw

    def get(self, ticket: Ticketed, service: str | PrincipalName, **more: Any) -> bytes:
        reply = self.service.answer_now(self.tgs_req(ticket, service, **more), "test").reply
        assert reply is not None
        return reply


def code_of(data: bytes) -> KrbErrorCode:
    """The error code of a reply, KDC_ERR_NONE for one that grants."""
    if data[0] in (0x6B, 0x6D):
        return KrbErrorCode.KDC_ERR_NONE
    return KrbErrorCode(KrbError.unpack(data).error_code)
