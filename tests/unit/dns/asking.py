"""A DNS service over a test's forest, asked as a client would; dnspython reads the answers."""

from collections.abc import Callable
from dataclasses import dataclass, field

import dns.message
import dns.rcode

from addc.base.secret import Secret
from addc.codec.dns_rdata import DnsRecord
from addc.directory.api import Directory, Services
from addc.directory.dns_settings import DnsSettings, ZoneSettings, keep_settings, keep_zone_settings
from addc.dns.service import DnsService
from addc.dns.surroundings import DnsServices, Outside, Transport
from tests.kit.corp import Corp
from tests.kit.corp_forest import DOMAIN_DN, CountingRng, StandingClock

ZONE = f"DC=corp.example.com,CN=MicrosoftDNS,DC=DomainDnsZones,{DOMAIN_DN}"
CLIENT = "192.0.2.77"
SECRET = Secret(bytes(range(16)))


@dataclass
class Ticks:
    """A monotonic clock that a test turns."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Asker:
    """Asks one service; what it has to say later counts as a fault unless a test looks itself."""

    corp: Corp
    service: DnsService
    directory: Directory
    clock: StandingClock
    ticks: Ticks = field(default_factory=Ticks)

    def raw(self, data: bytes, source: str = CLIENT, transport: Transport = Transport.UDP) -> bytes | None:
        """One message and what comes back at once."""
        self.service.freshen()
        found = self.service.answer_now(data, source, transport)
        assert found is None or isinstance(found, bytes)
        return found

    def ask(self, name: str, kind: str = "A", **more: object) -> dns.message.Message:
        """tcp, source: how and from where; the rest is dnspython's."""
        source, tcp = str(more.pop("source", CLIENT)), bool(more.pop("tcp", False))
        query = dns.message.make_query(name, kind, **more)  # type: ignore[arg-type]
        data = self.raw(query.to_wire(), source, Transport.TCP if tcp else Transport.UDP)
        assert data is not None
        reply = dns.message.from_wire(data)
        assert query.is_response(reply)
        return reply

    def texts(self, name: str, kind: str = "A", **more: object) -> list[str]:
        """The answer section as texts, in their order."""
        answers = self.ask(name, kind, **more).answer
        return [rdata.to_text() for rrset in answers for rdata in rrset]

    def code(self, name: str, kind: str = "A", **more: object) -> str:
        return dns.rcode.to_text(self.ask(name, kind, **more).rcode())

    # --- what the directory holds ---

    def node(self, name: str, *records: DnsRecord, zone: str = ZONE) -> None:
        self.corp.add(f"DC={name},{zone}", "dnsNode", dnsRecord=[one.pack() for one in records])

    def decide(self, settings: DnsSettings) -> None:
        self.corp.write(lambda ctx: keep_settings(ctx, settings))

    def decide_zone(self, name: str, settings: ZoneSettings) -> None:
        self.corp.write(lambda ctx: keep_zone_settings(ctx, name, settings))


def asker_of(corp: Corp, **more: object) -> Asker:
    """more: of DnsServices."""
    clock, ticks = StandingClock(corp.now), Ticks()
    directory = Directory(corp.store, corp.schema, Services(clock, CountingRng(b"dns")))
    services = DnsServices(clock, SECRET, ticks, **more)  # type: ignore[arg-type]
    return Asker(corp, DnsService(directory, services), directory, clock, ticks)


AskerMaker = Callable[..., Asker]

__all__ = ["CLIENT", "SECRET", "ZONE", "Asker", "AskerMaker", "Outside", "asker_of"]
