"""A small zone, as records on their way between servers, and what dnspython makes of messages."""

from collections.abc import Iterable, Sequence

from addc.codec.dns_message import Message, Question, Record
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import AData, DnsType, MxData, NameData, RecordData, SoaData, SrvData, TxtData
from addc.codec.dns_wire import rdata_bytes, unpack_rdata
from addc.dns.zone_content import Rr

APEX = parse_name("copy.test")


def rr(name: str, kind: DnsType, data: RecordData, ttl_s: int = 300) -> Rr:
    """A record of the zone; "" is the apex."""
    owner = parse_name(name if name.endswith(".") else f"{name}.copy.test" if name else "copy.test")
    return Rr(owner, kind, ttl_s, rdata_bytes(kind, data))


def soa(serial: int, refresh: int = 900) -> Rr:
    return rr(
        "", DnsType.SOA, SoaData("ns.copy.test", "admin.copy.test", serial, refresh, 600, 86_400, 60), 3600
    )


def address(name: str, last: int) -> Rr:
    return rr(name, DnsType.A, AData(bytes((192, 0, 2, last))))


NS = rr("", DnsType.NS, NameData("ns.copy.test"))
SAMPLE = (
    NS,
    address("ns", 1),
    address("www", 2),
    address("www", 3),
    rr("", DnsType.MX, MxData(10, "www.copy.test")),
    rr("_ldap._tcp", DnsType.SRV, SrvData(0, 100, 389, "www.copy.test")),
    rr("text", DnsType.TXT, TxtData((b"some text", b""))),
    rr("alias", DnsType.CNAME, NameData("WWW.copy.test")),
)


def record(one: Rr, rclass: int = 1) -> Record:
    return Record(one.owner, one.type, rclass, one.ttl_s, unpack_rdata(one.type, one.rdata))


def reply(
    records: Iterable[Rr], kind: int, message_id: int = 7, question: bool = True, **more: object
) -> Message:
    """One message of a transfer as a client decodes it."""
    questions = (Question(APEX, kind),) if question else ()
    answers = tuple(map(record, records))
    values: dict[str, object] = {"qr": True, "aa": True, **more}
    return Message(message_id, questions=questions, answers=answers, **values)  # type: ignore[arg-type]


def replies(groups: Sequence[Sequence[Rr]], kind: int) -> list[Message]:
    """A stream: the question in the first message alone."""
    return [reply(group, kind, question=not index) for index, group in enumerate(groups)]
