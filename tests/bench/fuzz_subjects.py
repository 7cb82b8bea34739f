"""What is fuzzed: good messages of each protocol, and the code that a damaged one is fed to.

A feed returns for every answer that a protocol allows and raises for everything else: an exception that is
not the protocol's own, an event nobody knows, a reply that is none. Services run on a forest of their own,
whose clock stands still.
"""

import asyncio
import logging
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final, cast

from addc.base.errors import DecodeError, DsError
from addc.base.ids import MessageId
from addc.base.secret import Secret
from addc.codec import filter as ldap_filter
from addc.codec.dns_message import OPCODE_UPDATE, Edns, Message, Question, Record, encode_message
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import AData
from addc.codec.dns_words import parse_type
from addc.codec.krb5 import PrincipalName
from addc.codec.krb5_numbers import NameType
from addc.directory.accounts import find_by_sam
from addc.directory.api import Directory
from addc.directory.api import Services as Around
from addc.directory.context import ReadContext
from addc.directory.groups import token_for
from addc.dns.service import DnsService
from addc.dns.surroundings import DnsServices, Later, Transport
from addc.kdc.service import KdcService
from addc.ldap import messages as m
from addc.ldap import operations
from addc.ldap.cldap import CldapDatagrams
from addc.ldap.engine import LdapEngine, TimedOut, Violation
from addc.ldap.locator import Self
from addc.ldap.operations import Asker
from addc.security.token import SYSTEM, Token
from tests.bench import (
    fuzz_armor,
    fuzz_decoders,
    fuzz_dns,
    fuzz_dns_replies,
    fuzz_kcc,
    fuzz_pkinit,
    fuzz_rpc,
    fuzz_smb,
    fuzz_strangers,
    fuzz_stubs,
    fuzz_tickets,
)
from tests.bench.fuzz_rpc import FuzzService
from tests.bench.fuzz_smb import Failures
from tests.bench.fuzz_stubs import StubDesk
from tests.bench.fuzz_updates import UpdateFuzz
from tests.kit import ldap_samples
from tests.kit.corp_forest import (
    ADMIN_PASSWORD,
    ANSWERS,
    DOMAIN_DN,
    NOW,
    CountingRng,
    StandingClock,
    create_corp,
)
from tests.kit.kerberos_messages import (
    AS_REP,
    CHANGE_PASSWORD,
    KRB_ERROR,
    NONCE,
    TGS_REP,
    as_req,
    first_as_req,
    granted,
    kpasswd_req,
    login,
    tgs_req,
)
from tests.kit.s4u import RBCD, pa_for_user, pa_x509_user

_SOURCE: Final = "192.0.2.77"
_USERS: Final = f"CN=Users,{DOMAIN_DN}"
_ADMIN: Final = login("Administrator", ANSWERS.realm, ADMIN_PASSWORD)


@dataclass(frozen=True, slots=True)
class Subject:
    """share: how many of a hundred messages it gets."""

    name: str
    share: int
    seeds: Sequence[bytes]
    feed: Callable[[bytes], None]


class _Refusing(logging.Handler):
    """Makes an error of the log an error of the run: services catch what escapes their handlers."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            raise record.exc_info[1]
        raise AssertionError(record.getMessage())

    def handleError(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage())


class Services:
    """The services of one process over a forest in `folder`, without sockets."""

    def __init__(self, folder: Path) -> None:
        clock, rng = StandingClock(), CountingRng(b"fuzz")
        self.directory: Directory = create_corp(f"sqlite:///{folder / 'directory.db'}", clock)
        self.runner = asyncio.Runner()
        self.loop = self.runner.get_loop()
        self.failures: list[Failures] = []
        self.around = Around(clock, CountingRng(b"fuzz rpc"))
        self.kdc = KdcService(self.directory, clock, rng)
        self.dns = DnsService(self.directory, DnsServices(clock, Secret(bytes(16)), time.monotonic))
        self.cldap = CldapDatagrams(self.directory, Self((IPv4Address("192.0.2.10"),)))
        self.admin = self.directory.read_now("fuzz", SYSTEM, _administrator)

    def close(self) -> None:
        self.loop.run_until_complete(self.kdc.drain())
        for failures in self.failures:
            failures.close()
        self.runner.close()
        self.directory.close()


def _administrator(ctx: ReadContext) -> Token:
    account = find_by_sam(ctx, "Administrator")
    assert account is not None
    return token_for(ctx, account.dnt)


@contextmanager
def subjects(folder: Path) -> Iterator[list[Subject]]:
    """All of them; while the context lasts, an error in the product's log is an exception."""
    services = Services(folder)
    updates = UpdateFuzz(services.directory, services.around.clock, services.admin, services.runner)
    log, handler = logging.getLogger("addc"), _Refusing(logging.ERROR)
    log.addHandler(handler)
    try:
        yield [
            Subject("ldap", 40, [one.pack() for one in ldap_samples.MESSAGES], feed_ldap),
            Subject("search", 10, _searches(), _feed_search(services)),
            Subject("write", 2, _writes(), _feed_write(services)),
            Subject("cldap", 10, _pings(), _feed_cldap(services)),
            Subject("kdc", 20, _kdc_requests(services), _feed_kdc(services)),
            _armored(services),
            _sealed(folder),
            Subject("strangers", 5, fuzz_strangers.seeds(_ADMIN, NOW), fuzz_strangers.feed(services.kdc)),
            Subject(
                "proxy",
                2,
                fuzz_strangers.proxy_seeds(_ADMIN, NOW),
                fuzz_strangers.feed_proxy(services.kdc, services.loop),
            ),
            Subject("pkinit", 2, fuzz_pkinit.seeds(), fuzz_pkinit.feed),
            Subject("kpasswd", 3, _kpasswd_requests(services), _feed_kpasswd(services)),
            Subject("dns", 15, _questions(), _feed_dns(services)),
            Subject("dns_updates", 5, updates.seeds(), updates.feed),
            Subject("dns_replies", 4, fuzz_dns_replies.seeds(), fuzz_dns_replies.feed),
            Subject("dns_codec", 8, fuzz_dns.seeds(), fuzz_dns.feed),
            Subject("dns_record", 4, fuzz_dns.kept_seeds(), fuzz_dns.feed_kept),
            Subject("zone_file", 1, fuzz_dns.zone_seeds(), fuzz_dns.feed_zone),
            Subject("tokens", 10, fuzz_decoders.tokens(), fuzz_decoders.feed_token),
            Subject("values", 2, fuzz_decoders.values(), _feed_value(services)),
            *_of_kcc(),
            *_of_rpc_and_smb(services, folder),
        ]
    finally:
        log.removeHandler(handler)
        services.close()


def _of_kcc() -> Iterator[Subject]:
    yield Subject("kcc", 2, fuzz_kcc.seeds(), fuzz_kcc.feed)
    yield Subject("kcc_what_if", 1, fuzz_kcc.what_if_seeds(), fuzz_kcc.feed_what_if())
    yield Subject("kcc_values", 4, fuzz_kcc.value_seeds(), fuzz_kcc.feed_value)


def _of_rpc_and_smb(services: Services, folder: Path) -> Iterator[Subject]:
    directory, around = services.directory, services.around
    rpc = FuzzService(directory, around, services.loop)
    smb = fuzz_smb.desk(directory, around, folder / "files", services.runner)
    services.failures += [rpc.failures, smb.failures]
    yield Subject("rpc", 10, fuzz_rpc.streams(), rpc.feed)
    yield Subject("stubs", 20, fuzz_stubs.seeds(), StubDesk(directory, around, services.loop).feed)
    yield Subject("smb", 10, fuzz_smb.seeds(), smb.feed)
    yield Subject("blobs", 10, fuzz_rpc.values(), fuzz_rpc.feed_value)


def _pack(op: m.Request, controls: tuple[m.Control, ...] = (), number: int = 5) -> bytes:
    return m.LdapMessage(MessageId(number), op, controls).pack()


# --- LDAP ---


def _events(pieces: Sequence[bytes]) -> list[object]:
    engine = LdapEngine(NOW)
    found: list[object] = []
    for piece in pieces:
        for event in engine.receive(piece, NOW):
            assert isinstance(event, m.LdapMessage | Violation | TimedOut), event
            found.append(event)
    return found


def feed_ldap(data: bytes) -> None:
    """However the bytes are cut, the same events come."""
    whole = _events([data])
    cut = zlib.crc32(data) % (len(data) + 1)
    assert _events([data[:cut], data[cut:]]) == whole, f"cut at {cut}"
    if len(data) < 40:
        assert _events([data[n : n + 1] for n in range(len(data))]) == whole, "byte by byte"


def _search(base: str, scope: int, text: str, *attributes: str) -> m.SearchRequest:
    return m.SearchRequest(base, scope, 0, 0, 0, False, ldap_filter.parse_text(text), attributes)


def _searches() -> list[bytes]:
    admin = f"CN=Administrator,{_USERS}"
    ops = (
        _search("", 0, "(objectClass=*)", "*", "+"),
        _search(DOMAIN_DN, 2, "(sAMAccountName=Administrator)", "cn", "memberOf", "tokenGroups"),
        _search(admin, 0, "(objectClass=*)", "*", "nTSecurityDescriptor", "tokenGroups"),
        _search(_USERS, 1, "(&(objectCategory=person)(cn=Adm*))", "cn", "member;range=0-*"),
        _search(f"<GUID={'00' * 16}>", 0, "(objectClass=*)"),
        _search(DOMAIN_DN, 2, f"(memberOf:1.2.840.113556.1.4.1941:=CN=Domain Admins,{_USERS})", "1.1"),
        _search(DOMAIN_DN, 2, "(userAccountControl:1.2.840.113556.1.4.803:=512)", "sAMAccountName"),
        _search(DOMAIN_DN, 2, "(anr=admin)", "displayName"),
    )
    packed = [_pack(op) for op in ops]
    packed += [_pack(ops[3], (control,)) for control in ldap_samples.CONTROLS]
    return packed


def _feed_search(services: Services) -> Callable[[bytes], None]:
    asker = Asker(services.admin, True, False, _SOURCE)

    def feed(data: bytes) -> None:
        try:
            message = m.LdapMessage.unpack(data)
        except DecodeError:
            return
        op = message.protocol_op
        if not isinstance(op, m.SearchRequest):
            return
        try:
            request = operations.search_request(message, op, asker)
        except DsError:
            return
        answer = services.directory.read_now(
            "fuzz", services.admin, lambda ctx: operations.search_answer(ctx, message.message_id, request)
        )
        assert answer[0] == m.LdapMessage.ber_tag

    return feed


def _writes() -> list[bytes]:
    def part(name: str, *values: bytes) -> m.PartialAttribute:
        return m.PartialAttribute(name, values)

    guest = f"CN=Guest,{_USERS}"
    new = f"CN=fuzz,{_USERS}"
    return [
        _pack(m.AddRequest(new, (part("objectClass", b"user"), part("sAMAccountName", b"fuzz")))),
        _pack(m.AddRequest(f"OU=fuzz,{DOMAIN_DN}", (part("objectClass", b"organizationalUnit"),))),
        _pack(m.ModifyRequest(guest, (m.Change(2, part("description", b"one", b"two")),))),
        _pack(m.ModifyRequest(guest, (m.Change(0, part("url", b"a")), m.Change(1, part("url", b"a"))))),
        _pack(m.ModifyRequest(f"CN=Domain Users,{_USERS}", (m.Change(0, part("member", guest.encode())),))),
        _pack(m.ModifyDnRequest(new, "CN=fuzzy", True, None)),
        _pack(m.ModifyDnRequest(new, "CN=fuzz", True, DOMAIN_DN)),
        _pack(m.DelRequest(new)),
    ]


def _feed_write(services: Services) -> Callable[[bytes], None]:
    asker = Asker(services.admin, True, False, _SOURCE)

    def feed(data: bytes) -> None:
        try:
            message = m.LdapMessage.unpack(data)
        except DecodeError:
            return
        if isinstance(message.protocol_op, m.AddRequest | m.ModifyRequest | m.ModifyDnRequest | m.DelRequest):
            work = operations.write(services.directory, message, asker)
            assert services.loop.run_until_complete(work)[0] == m.LdapMessage.ber_tag

    return feed


def _feed_value(services: Services) -> Callable[[bytes], None]:
    asker = Asker(services.admin, True, False, _SOURCE)
    return fuzz_decoders.feed_value(services.directory, asker, services.loop)


# --- datagrams ---


class _Sink:
    """A transport that looks at what is sent."""

    def sendto(self, data: bytes, addr: object) -> None:
        m.LdapMessage.unpack(data[: 2 + data[1]] if data[1] < 0x80 else _first(data))


def _first(data: bytes) -> bytes:
    """The first of several BER elements."""
    width = data[1] & 0x7F
    return data[: 2 + width + int.from_bytes(data[2 : 2 + width], "big")]


def _pings() -> list[bytes]:
    texts = (
        "(&(DnsDomain=corp.example.com)(Host=CLIENT)(NtVer=\\16\\00\\00\\00))",
        "(&(DomainGuid=\\00\\01\\02\\03\\04\\05\\06\\07\\08\\09\\0a\\0b\\0c\\0d\\0e\\0f)(NtVer=\\06\\00\\00\\00))",
        "(&(DnsDomain=corp.example.com.)(User=Administrator)(AAC=\\10\\00\\00\\00)(NtVer=\\0e\\00\\00\\21))",
    )
    return [
        *(_pack(_search("", 0, text, "Netlogon")) for text in texts),
        _pack(_search("", 0, "(objectClass=*)", "defaultNamingContext", "supportedCapabilities")),
        *(_pack(_search("", 0, "(objectClass=*)", "*"), (one,)) for one in ldap_samples.CONTROLS),
        _pack(_search("", 0, "(objectClass=*)", "*"), (m.Control("1.2.3.4", True),)),
    ]


def _feed_cldap(services: Services) -> Callable[[bytes], None]:
    services.cldap.connection_made(cast(asyncio.BaseTransport, _Sink()))
    return lambda data: services.cldap.datagram_received(data, (_SOURCE, 40_000))


def _questions() -> list[bytes]:
    domain = ANSWERS.dns_domain
    asked = [
        (f"_ldap._tcp.dc._msdcs.{domain}", "SRV"), (f"dc1.{domain}", "A"), (f"dc1.{domain}", "AAAA"),
        (domain, "SOA"), (domain, "NS"), (domain, "ANY"), (f"nothing.{domain}", "TXT"),
        ("www.example.org", "A"), ("10.2.0.192.in-addr.arpa", "PTR"), (domain, "AXFR"),
    ]  # fmt: skip
    questions = [Question(parse_name(name), parse_type(kind)) for name, kind in asked]
    packed = [encode_message(Message(7, rd=True, questions=(one,))) for one in questions]
    with_edns = Message(7, questions=(questions[1],), edns=Edns(4096, 0, True))
    added = Record(parse_name(f"new.{domain}"), 1, 1, 60, AData(bytes((192, 0, 2, 9))))
    update = Message(7, OPCODE_UPDATE, questions=(questions[3],), authority=(added,))
    return [*packed, encode_message(with_edns), encode_message(update)]


def _feed_dns(services: Services) -> Callable[[bytes], None]:
    def feed(data: bytes) -> None:
        for tcp in (False, True):
            transport = Transport.TCP if tcp else Transport.UDP
            reply = services.dns.answer_now(data, _SOURCE, transport)
            if isinstance(reply, bytes):
                assert reply[:2] == data[:2] and reply[2] & 0x80, reply.hex()
            else:
                assert reply is None or isinstance(reply, Later)

    return feed


# --- Kerberos ---


def _kdc_requests(services: Services) -> list[bytes]:
    who = _ADMIN
    exchange = as_req(who, NOW)
    reply = services.kdc.answer_now(exchange, _SOURCE).reply
    assert reply is not None and reply[0] == AS_REP, "the seeds must be good"
    tgt = granted(who, reply)
    host = f"{ANSWERS.host}.{ANSWERS.dns_domain}"
    services_asked = (f"ldap/{host}", f"host/{host}", f"krbtgt/{ANSWERS.realm}", "http/nowhere.example.com")
    user = PrincipalName(int(NameType.KRB_NT_PRINCIPAL), ("Guest",))
    for_users = (
        pa_for_user(tgt.session, user, ANSWERS.realm),
        pa_x509_user(tgt.session, user, ANSWERS.realm, nonce=NONCE, certificate=b"no certificate"),
    )
    return [
        first_as_req(who, NOW),
        exchange,
        as_req(who, NOW, CHANGE_PASSWORD),
        *(tgs_req(tgt, name, NOW, number) for number, name in enumerate(services_asked)),
        *(tgs_req(tgt, f"ldap/{host}", NOW, padata=(one,)) for one in for_users),
        tgs_req(tgt, f"ldap/{host}", NOW, padata=(RBCD,), evidence=tgt.reply.ticket),
    ]


def _armored(services: Services) -> Subject:
    at = fuzz_armor.desk(services.kdc, _ADMIN, NOW)
    return Subject("armor", 10, fuzz_armor.seeds(at), fuzz_armor.feed(at))


def _sealed(folder: Path) -> Subject:
    at = fuzz_tickets.desk(folder)
    fuzz_tickets.good(at)
    return Subject("tickets", 10, fuzz_tickets.seeds(at), fuzz_tickets.feed(at))


def _feed_kdc(services: Services) -> Callable[[bytes], None]:
    def feed(data: bytes) -> None:
        reply = services.kdc.answer_now(data, _SOURCE).reply
        assert reply is None or reply[0] in (AS_REP, TGS_REP, KRB_ERROR), reply.hex()

    return feed


def _kpasswd_requests(services: Services) -> list[bytes]:
    who = _ADMIN
    reply = services.kdc.answer_now(as_req(who, NOW, CHANGE_PASSWORD), _SOURCE).reply
    assert reply is not None and reply[0] == AS_REP
    return [kpasswd_req(granted(who, reply), "short", NOW)]


def _feed_kpasswd(services: Services) -> Callable[[bytes], None]:
    def feed(data: bytes) -> None:
        reply = services.loop.run_until_complete(services.kdc.answer_kpasswd(data, _SOURCE, _SOURCE))
        assert reply is None or int.from_bytes(reply[:2], "big") == len(reply)

    return feed
